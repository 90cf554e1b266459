//! The fast way through instances that look like those before.
//!
//! Owns: [`Predictor`], which knows the markup of instances already decoded, compares the next one with it and takes out its
//! values; and when that is worth trying. Must not know how markup is learned ([`super::learn`]), nor decide what a value
//! is: texts become values by the same functions as on the general way.
//!
//! ```text
//! bytes from the beginning of an item -> read -> Row(length)   every byte was foreseen; the row is written
//!                                            -> More           so far foreseen, but it does not end
//!                                            -> Surprise       nothing is written: the general way reads it
//! ```
//!
//! Nothing is accepted that the general way would not accept, and nothing is read differently: where markup is not the
//! expected to the byte (white space between elements excepted), it is a surprise.

use std::sync::Arc;

use memchr::{memchr, memchr2};

use super::{Rows, Slot};
use crate::{
    cim::{
        CimType,
        rows::{CellRef, PACKED_ITEMS, PathFrame},
    },
    op::Limits,
    protocol::cimxml::decode::{path, value, xml},
};

/// What came of reading an item.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// A row was written; the item has so many bytes.
    Row(usize),
    /// The item is not all there.
    More,
    /// The item is not as expected.
    Surprise,
}

/// Text that is expected as it is, then a value of a key.
#[derive(Debug)]
pub(super) struct Key {
    pub(super) before: Box<[u8]>,
    pub(super) kind: path::KeyKind,
}

/// The markup of a path, or of what leads to one: keys in their order, and what follows the last.
#[derive(Debug, Default)]
pub(super) struct PathMarkup {
    pub(super) keys: Vec<Key>,
    pub(super) after: Box<[u8]>,
}

/// What a property can hold.
#[derive(Debug)]
pub(super) enum Content {
    /// One value.
    Scalar,
    /// An array of values.
    Array,
    /// A reference whose markup is known, or not yet.
    Reference(Option<(PathMarkup, Arc<PathFrame>)>),
    /// Embedded objects: only NULL is read here.
    Embedded,
}

/// One property of the instances of a [`Markup`].
#[derive(Debug)]
pub(super) struct Property {
    /// Its start tag without the end of it.
    pub(super) head: Box<[u8]>,
    /// The end tag.
    pub(super) tail: &'static [u8],
    /// Its column.
    pub(super) place: usize,
    pub(super) ty: CimType,
    pub(super) content: Content,
}

/// The markup of the instances of one class.
#[derive(Debug)]
pub(super) struct Markup {
    /// Which shape their rows have.
    pub(super) shape: usize,
    /// From the item's beginning to the end of INSTANCE's start tag.
    pub(super) path: PathMarkup,
    /// In the order they were seen in.
    pub(super) properties: Vec<Property>,
    /// From INSTANCE's end tag to the item's end.
    pub(super) close: Box<[u8]>,
}

/// How many classes' markup is known at most.
pub(super) const MAX_MARKUPS: usize = 64;
/// The most properties an instance may leave out in one place.
const MAX_GAP: usize = 32;
/// How often reading an item may end in [`Outcome::More`] before it is left to the general way.
const MAX_TRIES: u32 = 2;
/// Trust lost by a surprise; a row read earns 1.
const SURPRISE: u32 = 4;
/// The most trust there is.
const TRUST: u32 = 32;
/// Without trust, so many items go the general way.
const REST: u32 = 64;

/// What is known, and how well it did.
#[derive(Debug)]
pub(super) struct Predictor {
    pub(super) markups: Vec<Markup>,
    current: usize,
    trust: u32,
    rest: u32,
    tries: u32,
    /// Rows read.
    pub(super) read: u64,
    /// Never again in this answer.
    pub(super) is_off: bool,
}

impl Default for Predictor {
    fn default() -> Self {
        Self { markups: Vec::new(), current: 0, trust: TRUST / 2, rest: 0, tries: 0, read: 0, is_off: false }
    }
}

impl Predictor {
    /// Forgets everything known of markup: columns have changed.
    pub(super) fn forget(&mut self) {
        self.markups.clear();
    }

    /// An item went the general way; whether its markup is worth learning.
    pub(super) fn went_general(&mut self) -> bool {
        self.tries = 0;
        if self.rest > 0 {
            self.rest -= 1;
            self.trust = if self.rest == 0 { SURPRISE } else { 0 };
        }
        !self.is_off && self.rest == 0
    }

    fn surprised(&mut self) {
        self.trust = self.trust.saturating_sub(SURPRISE);
        if self.trust == 0 {
            self.rest = REST;
        }
    }
}

/// Why reading stopped.
#[derive(Clone, Copy)]
enum Stop {
    More,
    Surprise,
}

impl Rows {
    /// Reads the item at the beginning of `bytes`, if it is like one before.
    pub fn predict(&mut self, bytes: &[u8], limits: &Limits) -> Outcome {
        let predictor = &mut self.predictor;
        if predictor.is_off || predictor.rest > 0 || predictor.markups.is_empty() || predictor.tries >= MAX_TRIES {
            return Outcome::Surprise;
        }
        let Some(which) = predictor.choose(bytes) else {
            predictor.surprised();
            return Outcome::Surprise;
        };
        // Taken out so that values can be put while it is read.
        let predictor = std::mem::take(&mut self.predictor);
        self.slots.clear();
        self.items.clear();
        self.scratch.clear();
        let read = match predictor.markups.get(which) {
            Some(markup) => Reading { bytes, at: 0, limits, rows: self }.item(markup),
            None => Err(Stop::Surprise),
        };
        let shape = predictor.markups.get(which).map(|markup| markup.shape);
        self.predictor = Predictor { current: which, ..predictor };
        match read {
            Ok((length, keys)) => {
                self.current = shape.unwrap_or(self.current);
                self.write_predicted(keys);
                self.predictor.tries = 0;
                self.predictor.read += 1;
                self.predictor.trust = (self.predictor.trust + 1).min(TRUST);
                Outcome::Row(length)
            }
            Err(Stop::More) => {
                self.predictor.tries += 1;
                Outcome::More
            }
            Err(Stop::Surprise) => {
                self.predictor.surprised();
                Outcome::Surprise
            }
        }
    }

    /// Writes the row whose cells lie in the slots and whose keys are the first `keys` items.
    fn write_predicted(&mut self, keys: usize) {
        self.write_cells("");
        for key in self.items.get(..keys).unwrap_or_default() {
            self.writer.plain_key(key.cell("", &self.scratch));
        }
        self.written();
    }
}

impl Predictor {
    /// The markup that begins as `bytes` do, looking at the last one first.
    fn choose(&self, bytes: &[u8]) -> Option<usize> {
        let begins = |markup: &Markup| {
            let open = markup.path.keys.first().map_or(&markup.path.after, |key| &key.before);
            let length = open.len().min(bytes.len());
            open.get(..length) == bytes.get(..length)
        };
        if self.markups.get(self.current).is_some_and(begins) {
            return Some(self.current);
        }
        self.markups.iter().position(begins)
    }
}

/// One item being read.
struct Reading<'r> {
    bytes: &'r [u8],
    at: usize,
    limits: &'r Limits,
    rows: &'r mut Rows,
}

impl<'r> Reading<'r> {
    fn rest(&self) -> &'r [u8] {
        self.bytes.get(self.at..).unwrap_or_default()
    }

    /// Whether `text` comes next; then it is passed.
    fn passes(&mut self, text: &[u8]) -> Result<bool, Stop> {
        let rest = self.rest();
        if rest.starts_with(text) {
            self.at += text.len();
            return Ok(true);
        }
        if rest.len() < text.len() && text.starts_with(rest) { Err(Stop::More) } else { Ok(false) }
    }

    fn expect(&mut self, text: &[u8]) -> Result<(), Stop> {
        if self.passes(text)? { Ok(()) } else { Err(Stop::Surprise) }
    }

    /// Passes white space.
    fn space(&mut self) {
        while let Some(b' ' | b'\t' | b'\r' | b'\n') = self.bytes.get(self.at) {
            self.at += 1;
        }
    }

    /// The character data up to the next markup, as a text in the scratch string.
    fn text(&mut self) -> Result<Slot, Stop> {
        let rest = self.rest();
        let Some(length) = memchr(b'<', rest) else { return Err(Stop::More) };
        self.at += length;
        let raw = rest.get(..length).unwrap_or_default();
        if length > self.limits.value_bytes {
            return Err(Stop::Surprise);
        }
        let Ok(text) = std::str::from_utf8(raw) else { return Err(Stop::Surprise) };
        let at = self.rows.scratch.len();
        if memchr2(b'&', b'\r', raw).is_none() {
            self.rows.scratch.push_str(text);
        } else {
            let Ok(resolved) = xml::resolve(text, false) else { return Err(Stop::Surprise) };
            self.rows.scratch.push_str(&resolved);
        }
        Ok(Slot::Text { at, len: self.rows.scratch.len() - at, cooked: true, untyped: false })
    }

    /// The character data up to the next markup, as a value of type `ty`.
    fn value(&mut self, ty: CimType) -> Result<Slot, Stop> {
        let slot = self.text()?;
        if ty == CimType::String {
            return Ok(slot);
        }
        let Slot::Text { at, .. } = slot else { return Err(Stop::Surprise) };
        let text = self.rows.scratch.get(at..).unwrap_or_default();
        let scalar = value::scalar(ty, text).and_then(Slot::scalar).ok_or(Stop::Surprise)?;
        self.rows.scratch.truncate(at);
        Ok(scalar)
    }

    /// The values of the keys of a path and the markup around them; they become items.
    fn path(&mut self, path: &PathMarkup) -> Result<(), Stop> {
        for key in &path.keys {
            self.expect(&key.before)?;
            let slot = self.text()?;
            let Slot::Text { at, .. } = slot else { return Err(Stop::Surprise) };
            let text = self.rows.scratch.get(at..).unwrap_or_default();
            let slot = key.kind.typed(text).map_or(slot, Slot::Scalar);
            self.rows.items.push(slot);
        }
        self.expect(&path.after)
    }

    /// The whole item; its length and how many keys its path has.
    fn item(mut self, markup: &Markup) -> Result<(usize, usize), Stop> {
        self.path(&markup.path)?;
        let keys = self.rows.items.len();
        let mut next = 0;
        loop {
            self.space();
            match self.find(markup, next)? {
                Some(found) => {
                    let Some(property) = markup.properties.get(found) else { return Err(Stop::Surprise) };
                    let slot = self.property(property)?;
                    self.rows.put(property.place, slot);
                    next = found + 1;
                }
                None => {
                    self.expect(&markup.close)?;
                    return Ok((self.at, keys));
                }
            }
        }
    }

    /// Which property begins here, not before `next`; `None` if none does.
    fn find(&mut self, markup: &Markup, next: usize) -> Result<Option<usize>, Stop> {
        let left = markup.properties.get(next..).unwrap_or_default();
        let mut more = false;
        for (at, property) in left.iter().take(MAX_GAP).enumerate() {
            match self.passes(&property.head) {
                Ok(true) => return Ok(Some(next + at)),
                Ok(false) => {}
                Err(_) => more = true,
            }
            // Most likely nothing follows the last property; then the others need not be tried.
            if at == 0 && self.rest().starts_with(b"</") {
                return Ok(None);
            }
        }
        if more { Err(Stop::More) } else { Ok(None) }
    }

    /// What a property holds, up to its end.
    fn property(&mut self, property: &Property) -> Result<Slot, Stop> {
        if self.passes(b"/>")? {
            return Ok(Slot::Scalar(CellRef::Null));
        }
        self.expect(b">")?;
        self.space();
        if self.passes(property.tail)? {
            return Ok(Slot::Scalar(CellRef::Null));
        }
        let slot = match &property.content {
            Content::Scalar => {
                self.expect(b"<VALUE>")?;
                let slot = self.value(property.ty)?;
                self.expect(b"</VALUE>")?;
                slot
            }
            Content::Array => self.array(property.ty)?,
            Content::Reference(Some((path, frame))) => {
                let from = self.rows.items.len();
                self.path(path)?;
                Slot::Reference { frame: frame.clone(), from }
            }
            Content::Reference(None) | Content::Embedded => return Err(Stop::Surprise),
        };
        self.space();
        self.expect(property.tail)?;
        Ok(slot)
    }

    fn array(&mut self, ty: CimType) -> Result<Slot, Stop> {
        self.expect(b"<VALUE.ARRAY>")?;
        let from = self.rows.items.len();
        loop {
            self.space();
            if self.passes(b"</VALUE.ARRAY>")? {
                let count = self.rows.items.len() - from;
                return if count > PACKED_ITEMS { Err(Stop::Surprise) } else { Ok(Slot::Array { from, count }) };
            }
            self.expect(b"<VALUE>")?;
            let slot = self.value(ty)?;
            self.expect(b"</VALUE>")?;
            self.rows.items.push(slot);
        }
    }
}
