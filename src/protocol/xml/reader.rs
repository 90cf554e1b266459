//! A cursor over one item's XML.
//!
//! Owns: the tokens of a whole, already framed element, with quick-xml underneath; references, CDATA and attributes;
//! where in the body an error is. Must not know what an element means.

use std::borrow::Cow;

use memchr::{memchr, memchr3};
use quick_xml::{
    Reader,
    events::{BytesStart, Event},
};

use super::fault::{DecodeError, Fault};
use crate::op::Limits;

/// What a cursor answers.
pub type Read<T> = Result<T, DecodeError>;

/// One token.
#[derive(Debug)]
pub enum Token<'a> {
    /// A start tag; empty elements have one as well.
    Start(BytesStart<'a>),
    /// An end tag.
    End,
    /// Nothing is left.
    Eof,
}

/// The cursor.
#[derive(Debug)]
pub struct Xml<'a> {
    reader: Reader<&'a [u8]>,
    text: &'a str,
    base: u64,
    depth: usize,
    /// How deep this document is embedded in strings of others.
    pub level: usize,
    /// The limits in force.
    pub limits: Limits,
    /// The first thing worth telling that did not stop the reading.
    pub warning: Option<String>,
}

impl<'a> Xml<'a> {
    /// A cursor over `text`, which stands at `base` in the body and `level` strings deep.
    pub fn new(text: &'a str, base: u64, level: usize, limits: Limits) -> Self {
        let mut reader = Reader::from_str(text);
        reader.config_mut().expand_empty_elements = true;
        Self { reader, text, base, depth: 0, level, limits, warning: None }
    }

    /// The text being read.
    pub fn text(&self) -> &'a str {
        self.text
    }

    /// Where in the body the cursor is.
    pub fn offset(&self) -> u64 {
        self.base + self.reader.buffer_position()
    }

    /// Where `part` begins in the text being read, if it is a part of it.
    pub fn position_of(&self, part: &str) -> Option<usize> {
        let at = (part.as_ptr() as usize).checked_sub(self.text.as_ptr() as usize)?;
        (at + part.len() <= self.text.len()).then_some(at)
    }

    /// An error here.
    pub fn error(&self, message: impl Into<String>) -> DecodeError {
        DecodeError::at(self.offset(), message).of(Fault::Misplaced)
    }

    /// Notes something worth telling; only the first is kept.
    pub fn warn(&mut self, message: impl FnOnce() -> String) {
        if self.warning.is_none() {
            self.warning = Some(message());
        }
    }

    fn ill_formed(&self, error: &quick_xml::Error) -> DecodeError {
        DecodeError::at(self.base + self.reader.error_position(), error.to_string())
    }

    /// The next token. Comments, instructions and white space are passed over.
    ///
    /// # Errors
    /// Ill-formed XML, text between elements, depth.
    pub fn token(&mut self) -> Read<Token<'a>> {
        loop {
            match self.reader.read_event() {
                Ok(Event::Start(tag)) => {
                    self.depth += 1;
                    if self.depth > self.limits.xml_depth {
                        let message = format!("elements are nested deeper than {}", self.limits.xml_depth);
                        return Err(DecodeError::limit(self.offset(), "xml_depth", message));
                    }
                    return Ok(Token::Start(tag));
                }
                Ok(Event::End(_)) => {
                    self.depth = self.depth.saturating_sub(1);
                    return Ok(Token::End);
                }
                Ok(Event::Eof) if self.depth > 0 => {
                    return Err(self.error("the element does not end").of(Fault::IllFormed));
                }
                Ok(Event::Eof) => return Ok(Token::Eof),
                Ok(Event::Text(text)) if text.trim_ascii().is_empty() => {}
                Ok(Event::Comment(_) | Event::PI(_) | Event::Decl(_)) => {}
                Ok(Event::DocType(_)) => return Err(self.error("a DOCTYPE inside the document")),
                Ok(_) => return Err(self.error("text where none belongs")),
                Err(error) => return Err(self.ill_formed(&error)),
            }
        }
    }

    /// The next child's start tag, or `None` at the end of the element the cursor is in.
    ///
    /// # Errors
    /// As [`Xml::token`].
    pub fn child(&mut self) -> Read<Option<BytesStart<'a>>> {
        match self.token()? {
            Token::Start(tag) => Ok(Some(tag)),
            Token::End | Token::Eof => Ok(None),
        }
    }

    /// Passes over the rest of the element `tag` began.
    ///
    /// # Errors
    /// Ill-formed XML.
    pub fn skip(&mut self, tag: &BytesStart<'_>) -> Read<()> {
        self.raw(tag).map(|_| ())
    }

    /// The content of the element `tag` began, as written.
    fn raw(&mut self, tag: &BytesStart<'_>) -> Read<&'a str> {
        let from = self.reader.buffer_position() as usize;
        let span = match self.reader.read_to_end(tag.name()) {
            Ok(span) => span,
            Err(error) => return Err(self.ill_formed(&error)),
        };
        self.depth = self.depth.saturating_sub(1);
        let text = self.text.get(from..span.end as usize);
        text.ok_or_else(|| self.error("the element does not end").of(Fault::IllFormed))
    }

    /// The character data of the element `tag` began; borrowed where nothing had to be resolved.
    ///
    /// # Errors
    /// Ill-formed XML, an element inside, a value beyond the limit.
    pub fn content(&mut self, tag: &BytesStart<'_>) -> Read<Cow<'a, str>> {
        let raw = self.raw(tag)?;
        if raw.len() > self.limits.value_bytes {
            let message = format!("a value is longer than {} bytes", self.limits.value_bytes);
            return Err(DecodeError::limit(self.offset(), "value_bytes", message));
        }
        if memchr3(b'&', b'<', b'\r', raw.as_bytes()).is_none() {
            return Ok(Cow::Borrowed(raw));
        }
        let at = self.base + self.position_of(raw).unwrap_or_default() as u64;
        match resolve(raw, false) {
            Ok(text) => Ok(Cow::Owned(text)),
            Err((offset, message)) => Err(DecodeError::at(at + offset as u64, message)),
        }
    }

    /// Whether an element is the first thing inside the one just begun, white space, comments and instructions aside.
    pub fn has_child(&self) -> bool {
        let at = self.reader.buffer_position() as usize;
        if self.text.get(..at).is_some_and(|before| before.ends_with("/>")) {
            return false;
        }
        let mut rest = self.text.get(at..).unwrap_or_default();
        loop {
            rest = rest.trim_ascii_start();
            let passed = [("<!--", "-->"), ("<?", "?>")].iter().find_map(|(begin, end)| {
                let inner = rest.strip_prefix(begin)?;
                inner.get(inner.find(end)? + end.len()..)
            });
            match passed {
                Some(after) => rest = after,
                None => return rest.starts_with('<') && !rest.starts_with("</") && !rest.starts_with("<!"),
            }
        }
    }

    /// The attributes of `tag`, one by one.
    ///
    /// # Errors
    /// What `each` answers, ill-formed attributes, a value that does not resolve.
    pub fn attributes(&self, tag: &BytesStart<'_>, mut each: impl FnMut(&str, Cow<'_, str>) -> Read<()>) -> Read<()> {
        for attribute in tag.attributes().with_checks(false) {
            let attribute =
                attribute.map_err(|error| self.error(format!("ill-formed attribute: {error}")).of(Fault::IllFormed))?;
            each(attribute.key.as_ref(), self.attribute_value(attribute.value)?)?;
        }
        Ok(())
    }

    /// The value of an attribute with its references resolved.
    ///
    /// # Errors
    /// A reference that means nothing.
    pub fn attribute_value<'b>(&self, raw: Cow<'b, str>) -> Read<Cow<'b, str>> {
        if !raw.bytes().any(|b| matches!(b, b'&' | b'\t' | b'\n' | b'\r')) {
            return Ok(raw);
        }
        match resolve(&raw, true) {
            Ok(text) => Ok(Cow::Owned(text)),
            Err((_, message)) => Err(self.error(message).of(Fault::IllFormed)),
        }
    }

    /// The attribute `name` of `tag`.
    ///
    /// # Errors
    /// As [`Xml::attributes`].
    pub fn attribute(&self, tag: &BytesStart<'_>, name: &str) -> Read<Option<String>> {
        let mut found = None;
        self.attributes(tag, |key, value| {
            if key == name {
                found = Some(value.into_owned());
            }
            Ok(())
        })?;
        Ok(found)
    }

    /// The attribute `name` of `tag`, which must be there and is a name.
    ///
    /// # Errors
    /// As [`Xml::attributes`]; it is missing, or beyond the limit.
    pub fn name(&self, tag: &BytesStart<'_>, name: &str) -> Read<crate::cim::CimName> {
        let Some(text) = self.attribute(tag, name)? else {
            return Err(self.error(format!("{} without {name}", tag.name().as_ref())));
        };
        self.check_name(&text)?;
        Ok(crate::cim::CimName::new(&text))
    }

    /// Checks that a name keeps within the limit.
    ///
    /// # Errors
    /// It does not.
    pub fn check_name(&self, name: &str) -> Read<()> {
        if name.len() <= self.limits.name_bytes {
            return Ok(());
        }
        let message = format!("a name is longer than {} bytes", self.limits.name_bytes);
        Err(DecodeError::limit(self.offset(), "name_bytes", message))
    }
}

/// Character data with references resolved, CDATA unwrapped, comments and instructions dropped, line ends made `\n`.
/// In an attribute, white space becomes blanks instead (XML 1.0, sections 2.11, 3.3.3 and 4.1).
///
/// # Errors
/// Where in `raw`, and what, means nothing.
pub fn resolve(raw: &str, is_attribute: bool) -> Result<String, (usize, String)> {
    let mut out = String::with_capacity(raw.len());
    let mut at = 0;
    while let Some(rest) = raw.get(at..).filter(|rest| !rest.is_empty()) {
        let next = if is_attribute {
            rest.bytes().position(|b| matches!(b, b'&' | b'\t' | b'\n' | b'\r'))
        } else {
            memchr3(b'&', b'<', b'\r', rest.as_bytes())
        };
        let Some(next) = next else {
            out.push_str(rest);
            break;
        };
        out.push_str(rest.get(..next).unwrap_or_default());
        let rest = rest.get(next..).unwrap_or_default();
        at += next;
        at += match rest.as_bytes().first() {
            Some(b'&') => {
                let (found, length) = reference(rest).map_err(|message| (at, message))?;
                out.push(found);
                length
            }
            Some(b'<') => markup(rest, &mut out).map_err(|message| (at, message))?,
            Some(b'\r') if !is_attribute => {
                out.push('\n');
                if rest.as_bytes().get(1) == Some(&b'\n') { 2 } else { 1 }
            }
            _ => {
                out.push(' ');
                1
            }
        };
    }
    Ok(out)
}

/// The character a reference at the beginning of `rest` stands for, and the reference's length.
fn reference(rest: &str) -> Result<(char, usize), String> {
    let window = rest.get(..rest.len().min(16)).unwrap_or(rest);
    let Some(end) = memchr(b';', window.as_bytes()) else { return Err("`&` that begins no reference".to_owned()) };
    let name = rest.get(1..end).unwrap_or_default();
    let found = match name {
        "lt" => Some('<'),
        "gt" => Some('>'),
        "amp" => Some('&'),
        "quot" => Some('"'),
        "apos" => Some('\''),
        _ => name.strip_prefix('#').and_then(character),
    };
    found.map(|found| (found, end + 1)).ok_or_else(|| format!("the reference {:?} means nothing", format!("&{name};")))
}

fn character(number: &str) -> Option<char> {
    let code = match number.strip_prefix(['x', 'X']) {
        Some(hex) => u32::from_str_radix(hex, 16),
        None => number.parse(),
    };
    char::from_u32(code.ok()?)
}

/// Unwraps CDATA, drops comments and instructions; anything else is an element, which a value cannot hold.
fn markup(rest: &str, out: &mut String) -> Result<usize, String> {
    for (begin, end, keep) in [("<![CDATA[", "]]>", true), ("<!--", "-->", false), ("<?", "?>", false)] {
        let Some(inner) = rest.strip_prefix(begin) else { continue };
        let Some(length) = inner.find(end) else { return Err(format!("{begin} without {end}")) };
        if keep {
            out.push_str(inner.get(..length).unwrap_or_default());
        }
        return Ok(begin.len() + length + end.len());
    }
    Err("an element inside a value".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_cdata_and_line_ends_resolve() {
        let raw = "a&lt;&#32;&#x1D11E;<![CDATA[<&]]><!-- x -->\r\nb\rc&amp;";
        assert_eq!(resolve(raw, false), Ok("a< \u{1D11E}<&\nb\nc&".to_owned()));
        assert_eq!(resolve("a\r\nb&quot;", true), Ok("a  b\"".to_owned()));
    }

    #[test]
    fn what_means_nothing_is_an_error_where_it_stands() {
        for (raw, at) in [("ab&", 2), ("&nosuch;", 0), ("a&#xD800;", 1), ("a<b/>", 1), ("<![CDATA[x", 0)] {
            assert_eq!(resolve(raw, false).map_err(|error| error.0), Err(at), "{raw}");
        }
    }
}
