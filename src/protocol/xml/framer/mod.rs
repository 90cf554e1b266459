//! The framer: finds where each item of an answer ends while the answer is still arriving.
//!
//! Owns: which elements are open and where the item being read began, kept between chunks, by the protocol's [`Grammar`];
//! markup is told apart in `lex`. Every byte is looked at once. Must not know what an item means: whole items go to the
//! protocol's decoder.
//!
//! ```text
//! chunk* -> push -> piece -> Piece::Open | Piece::Item | Piece::Close ... -> end
//!           the grammar's containers are opened and closed, every other element is one item, whole
//! ```

mod lex;

use memchr::memchr;
use quick_xml::events::BytesStart;

pub use self::lex::scan_tag;
use self::lex::{Begins, Lex};
use super::{
    fault::{DecodeError, Fault},
    grammar::{Grammar, MAX_LEVELS},
    reader::Xml,
    scope::{Scope, split},
};
use crate::op::{Limits, RawExcerpt};

/// One thing found.
#[derive(Clone, Copy, Debug)]
pub enum Piece<'a> {
    /// The start tag of a container.
    Open {
        /// How many containers were open before it.
        level: usize,
        /// Its name.
        name: &'a [u8],
    },
    /// A container ended.
    Close {
        /// How many containers are open after it.
        level: usize,
    },
    /// A whole element that is not a container.
    Item {
        /// Its bytes, from `<` to `>`.
        bytes: &'a [u8],
        /// Where it begins in the body.
        offset: u64,
        /// Its number among the items of the result; `None` for what stands beside the result (errors, parameters).
        index: Option<u64>,
        /// How many containers are open around it.
        level: usize,
        /// The namespaces in force around it; empty where the grammar knows none.
        scope: &'a Scope,
    },
}

/// What a step of the framer found, as positions in the buffer.
enum Found {
    Open { level: usize, name: std::ops::Range<usize> },
    Close { level: usize },
    Item { range: std::ops::Range<usize>, index: Option<u64> },
}

/// The framer of one answer.
#[derive(Debug)]
pub struct Framer {
    buffer: Vec<u8>,
    /// Offset in the body of the buffer's first byte.
    base: u64,
    /// Everything before is done with.
    start: usize,
    /// Everything before has been looked at.
    at: usize,
    /// Where the markup being read begins.
    mark: usize,
    lex: Lex,
    grammar: &'static Grammar,
    /// How many containers are open.
    level: usize,
    /// The names of those, as written.
    open: [Box<[u8]>; MAX_LEVELS],
    /// The namespaces they declare.
    scope: Scope,
    /// Elements open inside the item; 0 outside items.
    depth: usize,
    /// Items of the result begun so far.
    items: u64,
    /// An empty container's close is still to be told.
    close_next: bool,
    rooted: bool,
    limits: Limits,
}

impl Framer {
    /// A framer of answers that follow `grammar`, which refuses elements nested deeper and items longer than `limits` say.
    pub fn new(grammar: &'static Grammar, limits: Limits) -> Self {
        Self {
            buffer: Vec::new(),
            base: 0,
            start: 0,
            at: 0,
            mark: 0,
            lex: Lex::Text,
            grammar,
            level: 0,
            open: Default::default(),
            scope: Scope::default(),
            depth: 0,
            items: 0,
            close_next: false,
            rooted: false,
            limits,
        }
    }

    /// Takes in the next bytes of the body. All pieces must have been taken from [`Framer::piece`] before.
    pub fn push(&mut self, chunk: &[u8]) {
        if self.start > 0 {
            self.base += self.start as u64;
            self.buffer.drain(..self.start);
            self.at -= self.start;
            self.mark = self.mark.saturating_sub(self.start);
            self.start = 0;
        }
        self.buffer.extend_from_slice(chunk);
    }

    /// The next piece, or `None` when more bytes are needed.
    ///
    /// # Errors
    /// Ill-formed XML, an element where CIM-XML has none, or a limit.
    pub fn piece(&mut self) -> Result<Option<Piece<'_>>, DecodeError> {
        let found = match self.step() {
            Ok(found) => found,
            Err(mut error) => {
                error.item = self.item();
                return Err(error);
            }
        };
        Ok(match found {
            None => None,
            Some(Found::Open { level, name }) => {
                Some(Piece::Open { level, name: self.buffer.get(name).unwrap_or_default() })
            }
            Some(Found::Close { level }) => Some(Piece::Close { level }),
            Some(Found::Item { range, index }) => Some(Piece::Item {
                offset: self.base + range.start as u64,
                bytes: self.buffer.get(range).unwrap_or_default(),
                index,
                level: self.level,
                scope: &self.scope,
            }),
        })
    }

    /// The namespaces that the open containers declare.
    pub fn scope(&self) -> &Scope {
        &self.scope
    }

    /// Whether the root element has ended.
    pub fn is_complete(&self) -> bool {
        self.rooted && self.level == 0
    }

    /// Bytes of the body seen so far.
    pub fn offset(&self) -> u64 {
        self.base + self.buffer.len() as u64
    }

    /// Bytes held because their item is not complete.
    pub fn held(&self) -> usize {
        self.buffer.len() - self.start
    }

    /// The item that is being read, if one is.
    pub fn item(&self) -> Option<u64> {
        (self.depth > 0 && self.level == self.grammar.containers.len()).then(|| self.items.saturating_sub(1))
    }

    /// Items of the result begun so far.
    pub fn items(&self) -> u64 {
        self.items
    }

    /// What lies ahead where a whole item of the result may begin, white space passed; empty anywhere else.
    pub fn ahead(&mut self) -> &[u8] {
        if self.level != self.grammar.containers.len() || self.depth > 0 || self.lex != Lex::Text || self.close_next {
            return &[];
        }
        let rest = self.buffer.get(self.at..).unwrap_or_default();
        self.at += rest.iter().take_while(|b| matches!(b, b' ' | b'\t' | b'\r' | b'\n')).count();
        self.start = self.at;
        self.buffer.get(self.at..).unwrap_or_default()
    }

    /// Passes the item of `length` bytes that begins what [`Framer::ahead`] answered, without looking at it.
    pub fn pass(&mut self, length: usize) {
        self.at += length;
        self.start = self.at;
        self.items += 1;
    }

    /// Whether more is held than one item may have.
    pub fn is_overfull(&self) -> bool {
        self.held() > self.limits.buffer_bytes
    }

    /// The text of `item`, a piece or part of one that is still held, around the fault at `fault`.
    pub fn excerpt(&self, item: std::ops::Range<u64>, fault: u64) -> RawExcerpt {
        let place = |offset: u64| usize::try_from(offset.saturating_sub(self.base)).unwrap_or(usize::MAX);
        let to = place(item.end).min(self.buffer.len());
        let from = place(item.start).min(to);
        RawExcerpt::of(self.buffer.get(from..to).unwrap_or_default(), self.base + from as u64, fault)
    }

    /// Where the bytes lie that a fault at `fault` may be told with: the item or markup being read, from its beginning; the fault alone
    /// where it is in neither.
    pub fn held_at(&self, fault: u64) -> std::ops::Range<u64> {
        let is_between = self.depth == 0 && self.lex == Lex::Text;
        let from = if is_between { fault } else { self.base + self.start as u64 };
        from..self.offset()
    }

    fn error(&self, at: usize, message: &str) -> DecodeError {
        DecodeError::at(self.base + at as u64, message)
    }

    /// Something at `at` that the protocol does not have there.
    fn none_there(&self, at: usize, what: &str) -> DecodeError {
        self.error(at, &format!("{what} where {} has none", self.grammar.name)).of(Fault::Misplaced)
    }

    /// An answer that is not the protocol's, as seen at `at`.
    fn foreign(&self, at: usize, fault: Fault) -> DecodeError {
        self.error(at, (self.grammar.row)(fault).seen).of(fault)
    }

    /// Whether containers are told by their namespaces.
    fn is_qualified(&self) -> bool {
        self.grammar.containers.iter().copied().flatten().any(|container| !container.namespaces.is_empty())
    }

    /// Needs more bytes: checks that what is held may grow.
    fn more(&self) -> Result<Option<Found>, DecodeError> {
        if !self.is_overfull() {
            return Ok(None);
        }
        let message = format!("an element is longer than {} bytes", self.limits.buffer_bytes);
        Err(DecodeError::limit(self.base + self.start as u64, "buffer_bytes", message))
    }

    fn step(&mut self) -> Result<Option<Found>, DecodeError> {
        if std::mem::take(&mut self.close_next) {
            return Ok(Some(self.closed()));
        }
        loop {
            let rest = self.buffer.get(self.at..).unwrap_or_default();
            match self.lex {
                Lex::Text => {
                    let found = memchr(b'<', rest);
                    let end = self.at + found.unwrap_or(rest.len());
                    if self.depth == 0 {
                        self.text(self.at, end)?;
                        self.start = end;
                    }
                    self.at = end;
                    if found.is_none() {
                        return self.more();
                    }
                    self.mark = end;
                    self.at = end + 1;
                    self.lex = Lex::Open;
                }
                Lex::Open => match self.opened(rest)? {
                    Some(lex) => self.lex = lex,
                    None => return self.more(),
                },
                lex => {
                    let end = lex::end(lex, rest);
                    let to = end.map_or(self.buffer.len(), |length| self.at + length);
                    if matches!(lex, Lex::Doctype(_)) {
                        self.no_subset(to)?;
                    }
                    if let Err(lex) = end {
                        (self.at, self.lex) = (to, lex);
                        return self.more();
                    }
                    self.at = to + 1;
                    if let Some(found) = self.passed(lex)? {
                        return Ok(Some(found));
                    }
                }
            }
        }
    }

    /// A `>` that may end the markup `lex` has been passed.
    fn passed(&mut self, lex: Lex) -> Result<Option<Found>, DecodeError> {
        if !lex::closes(lex, self.buffer.get(self.mark..self.at).unwrap_or_default()) {
            return Ok(None);
        }
        self.lex = Lex::Text;
        match lex {
            Lex::Tag(_) => return self.tag(),
            Lex::End => return self.end_tag(),
            // Markup that matters to nobody.
            _ if self.depth == 0 => self.start = self.at,
            _ => {}
        }
        Ok(None)
    }

    /// Text outside items must be white space; after the root some servers send a NUL.
    fn text(&self, from: usize, to: usize) -> Result<(), DecodeError> {
        let text = self.buffer.get(from..to).unwrap_or_default();
        let odd =
            text.iter().position(|b| !(matches!(b, b' ' | b'\t' | b'\r' | b'\n') || *b == 0 && self.is_complete()));
        let Some(odd) = odd else { return Ok(()) };
        let first = text.get(odd).copied().unwrap_or_default();
        Err(match first {
            _ if self.rooted => self.none_there(from + odd, "text"),
            b'{' | b'[' => self.foreign(from + odd, Fault::Json),
            _ => self.foreign(from + odd, Fault::Text),
        })
    }

    /// What kind of markup begins at `mark`; `rest` is what follows its `<`. `None` if it cannot be told yet.
    fn opened(&self, rest: &[u8]) -> Result<Option<Lex>, DecodeError> {
        match lex::begins(rest) {
            Begins::Markup(Lex::CData) if self.depth == 0 => Err(self.none_there(self.mark, "CDATA")),
            Begins::Markup(Lex::Doctype(_)) if self.rooted => {
                Err(self.error(self.mark, "a DOCTYPE inside the document"))
            }
            Begins::Markup(lex) => Ok(Some(lex)),
            Begins::Unknown => Ok(None),
            Begins::Html if !self.rooted => Err(self.foreign(self.mark, Fault::Html)),
            Begins::Html | Begins::Declaration => {
                Err(self.error(self.mark, "`<!` that begins neither a comment nor CDATA"))
            }
            Begins::Nothing => Err(self.error(self.mark, "`<` that begins no markup")),
        }
    }

    fn no_subset(&self, to: usize) -> Result<(), DecodeError> {
        match memchr(b'[', self.buffer.get(self.at..to).unwrap_or_default()) {
            Some(at) => Err(self.foreign(self.at + at, Fault::Subset)),
            None => Ok(()),
        }
    }

    /// A start tag, or an empty element, from `mark` to `at`.
    fn tag(&mut self) -> Result<Option<Found>, DecodeError> {
        let is_empty = self.at >= 2 && self.buffer.get(self.at - 2) == Some(&b'/');
        if self.depth > 0 {
            if !is_empty {
                self.depth += 1;
                if self.level + self.depth > self.limits.xml_depth {
                    let message = format!("elements are nested deeper than {}", self.limits.xml_depth);
                    return Err(DecodeError::limit(self.base + self.mark as u64, "xml_depth", message));
                }
            }
            return Ok(None);
        }
        let tag = self.buffer.get(self.mark + 1..self.at - 1).unwrap_or_default();
        let length = lex::name_length(tag);
        if self.is_complete() {
            return Err(self.error(self.mark, "a second root element"));
        }
        let range = self.mark + 1..self.at - 1;
        if self.opens(range, length)? {
            let (level, range) = (self.level, self.mark + 1..self.mark + 1 + length);
            self.level += 1;
            self.rooted = true;
            self.close_next = is_empty;
            self.start = self.at;
            return Ok(Some(Found::Open { level, name: range }));
        }
        let name = self.buffer.get(self.mark + 1..self.mark + 1 + length).unwrap_or_default();
        if self.level < self.grammar.items_from {
            return Err(self.misplaced(name));
        }
        let index = (self.level == self.grammar.containers.len()).then_some(self.items);
        self.items += u64::from(index.is_some());
        self.start = self.mark;
        if is_empty {
            return Ok(Some(self.found_item(index)));
        }
        self.depth = 1;
        Ok(None)
    }

    /// Whether the start tag in `range`, whose name is `length` long, is that of a container; if so, it is noted as open.
    fn opens(&mut self, range: std::ops::Range<usize>, length: usize) -> Result<bool, DecodeError> {
        let Some(known) = self.grammar.containers.get(self.level) else { return Ok(false) };
        let tag = self.buffer.get(range).unwrap_or_default();
        let name = tag.get(..length).unwrap_or_default();
        let local =
            name.iter().position(|b| *b == b':').map_or(name, |colon| name.get(colon + 1..).unwrap_or_default());
        let may_be = |known: &super::grammar::Container| [name, local].contains(&known.name.as_bytes());
        if !known.iter().any(may_be) {
            return Ok(false);
        }
        let Ok(tag) = std::str::from_utf8(tag) else { return Ok(false) };
        let name = tag.get(..length).unwrap_or_default();
        if self.is_qualified() {
            let xml = Xml::new("", self.base + self.mark as u64, 0, self.limits);
            let tag = tag.strip_suffix('/').unwrap_or(tag);
            self.scope.open(&xml, &BytesStart::from_content(tag, length))?;
        }
        let scope = &self.scope;
        if !known.iter().any(|known| known.is(name, || scope.namespace(split(name).0))) {
            self.scope.close();
            return Ok(false);
        }
        if let Some(open) = self.open.get_mut(self.level) {
            *open = Box::from(name.as_bytes());
        }
        Ok(true)
    }

    fn misplaced(&self, name: &[u8]) -> DecodeError {
        let name = String::from_utf8_lossy(name.get(..name.len().min(64)).unwrap_or_default()).into_owned();
        if self.rooted {
            let message = format!("the answer is not {}: unexpected element {name:?}", self.grammar.name);
            return self.error(self.mark, &message).of(Fault::Misplaced);
        }
        if name.eq_ignore_ascii_case("html") || name.eq_ignore_ascii_case("head") || name.eq_ignore_ascii_case("body") {
            return self.foreign(self.mark, Fault::Html);
        }
        if name.rsplit(':').next() == Some("Envelope") {
            return self.foreign(self.mark, Fault::Soap);
        }
        if name == "CIM" {
            return self.foreign(self.mark, Fault::CimXml);
        }
        let message = format!("the answer is not {}: its root element is {name:?}", self.grammar.name);
        self.error(self.mark, &message).of(Fault::OtherXml)
    }

    fn found_item(&mut self, index: Option<u64>) -> Found {
        let range = self.start..self.at;
        self.start = self.at;
        Found::Item { range, index }
    }

    fn end_tag(&mut self) -> Result<Option<Found>, DecodeError> {
        if self.depth > 0 {
            self.depth -= 1;
            if self.depth > 0 {
                return Ok(None);
            }
            let index = (self.level == self.grammar.containers.len()).then(|| self.items.saturating_sub(1));
            return Ok(Some(self.found_item(index)));
        }
        let name = self.buffer.get(self.mark + 2..self.at - 1).unwrap_or_default().trim_ascii_end();
        let expected = self.level.checked_sub(1).and_then(|level| self.open.get(level));
        if expected.map(|name| &**name) != Some(name) {
            return Err(self.error(self.mark, "an end tag that closes no open element"));
        }
        self.start = self.at;
        Ok(Some(self.closed()))
    }

    /// The container opened last has ended.
    fn closed(&mut self) -> Found {
        self.level -= 1;
        if self.is_qualified() {
            self.scope.close();
        }
        Found::Close { level: self.level }
    }
}
