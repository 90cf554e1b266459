//! Learning the markup of instances from one that was decoded.
//!
//! Owns: finding the parts of an item that instances of its class have in common. Whatever is unusual is not learned; such
//! items go the general way. Must not be fed anything but items the general way has just made a row of.

use std::sync::Arc;

use memchr::memchr;

use super::{
    head,
    predict::{Content, Key, Markup, PathMarkup, Property},
};
use crate::{
    cim::{CimType, CimValue, rows::PathFrame},
    op::Limits,
    protocol::{
        cimxml::decode::{
            path,
            value::{self, Declared},
        },
        xml::{
            framer::scan_tag,
            reader::{Token, Xml},
            rows::Rows,
        },
    },
};

/// Elements a path and what stands around it is made of. References in keys are left to the general way.
const PATH_ELEMENTS: [&str; 12] = [
    "VALUE.NAMEDINSTANCE",
    "VALUE.INSTANCEWITHPATH",
    "VALUE.OBJECTWITHPATH",
    "VALUE.OBJECTWITHLOCALPATH",
    "INSTANCEPATH",
    "LOCALINSTANCEPATH",
    "NAMESPACEPATH",
    "LOCALNAMESPACEPATH",
    "NAMESPACE",
    "HOST",
    "INSTANCENAME",
    "KEYBINDING",
];

/// The markup of `item`, of which `rows` were made last; `None` where it is unusual.
pub fn markup(rows: &Rows, item: &str, limits: &Limits) -> Option<Markup> {
    let mut cursor = Cursor { text: item, at: 0, limits };
    let path = cursor.path(0, |tag| tag.starts_with('<') && name(tag) == "INSTANCE" && !tag.ends_with("/>"))?;
    let (number, shape) = rows.shape()?;
    if path.keys.len() != shape.path_keys.len() {
        return None;
    }
    let mut properties: Vec<Property> = Vec::new();
    loop {
        let begin = cursor.space();
        let tag = cursor.tag()?;
        if tag == "</INSTANCE>" {
            let last = if item.starts_with("<INSTANCE") { tag } else { cursor.tag()? };
            let is_end = last.starts_with("</") && item.get(1..)?.starts_with(name(last));
            let close = item.get(begin..).filter(|_| is_end && cursor.at == item.len())?;
            return Some(Markup { shape: number, path, properties, close: Box::from(close.as_bytes()) });
        }
        let property = property(rows, &mut cursor, tag)?;
        if properties.iter().any(|known| known.place == property.place) {
            return None;
        }
        properties.push(property);
    }
}

/// The property `tag` begins; the cursor passes it.
fn property(rows: &Rows, cursor: &mut Cursor<'_>, tag: &str) -> Option<Property> {
    let tail: &'static [u8] = match name(tag) {
        "PROPERTY" => b"</PROPERTY>",
        "PROPERTY.ARRAY" => b"</PROPERTY.ARRAY>",
        "PROPERTY.REFERENCE" => b"</PROPERTY.REFERENCE>",
        _ => return None,
    };
    let mut xml = Xml::new(tag, 0, 0, *cursor.limits);
    // The tag alone is no whole document, but its start can be read.
    let Ok(Token::Start(start)) = xml.token() else { return None };
    let head = head(&xml, &start).ok()?;
    let place = rows.known(&head.name)?;
    let column = rows.column(place)?;
    let ty = head.ty.unwrap_or(CimType::String);
    if column.ty != Some(ty) || column.is_array != head.is_array {
        return None;
    }
    let is_empty = tag.ends_with("/>");
    let embedded = column.embedded.is_some() || head.embedded.is_some();
    let content = match name(tag) {
        _ if embedded => Content::Embedded,
        "PROPERTY.REFERENCE" => Content::Reference(if is_empty { None } else { cursor.reference()? }),
        "PROPERTY.ARRAY" => Content::Array,
        _ => Content::Scalar,
    };
    if !is_empty {
        cursor.pass(tail)?;
    }
    let head = tag.strip_suffix("/>").or_else(|| tag.strip_suffix('>'))?;
    Some(Property { head: Box::from(head.as_bytes()), tail, place, ty, content })
}

impl Markup {
    /// Whether this is of the same class and path.
    pub(super) fn is_like(&self, other: &Self) -> bool {
        self.shape == other.shape
            && self.close == other.close
            && self.path.after == other.path.after
            && self.path.keys.len() == other.path.keys.len()
            && self.path.keys.iter().zip(&other.path.keys).all(|(a, b)| a.before == b.before)
    }

    /// Takes in the properties of another instance that this one did not have.
    pub(super) fn take_in(&mut self, other: Self) {
        let mut next = 0;
        for property in other.properties {
            match self.properties.iter_mut().position(|known| known.head == property.head) {
                Some(at) => {
                    if let Some(known) = self.properties.get_mut(at)
                        && matches!(property.content, Content::Reference(Some(_)))
                    {
                        known.content = property.content;
                    }
                    next = at + 1;
                }
                // The same property spelled in another way would be read twice where both come.
                None if self.properties.iter().any(|known| known.place == property.place) => {}
                None => {
                    self.properties.insert(next, property);
                    next += 1;
                }
            }
        }
    }
}

/// The name in a start or end tag.
fn name(tag: &str) -> &str {
    let inner = tag.trim_start_matches('<').trim_start_matches('/');
    inner.split([' ', '\t', '\r', '\n', '/', '>']).next().unwrap_or_default()
}

/// A place in an item.
struct Cursor<'t> {
    text: &'t str,
    at: usize,
    limits: &'t Limits,
}

impl<'t> Cursor<'t> {
    /// Passes white space and answers where it ends.
    fn space(&mut self) -> usize {
        let rest = self.text.as_bytes().get(self.at..).unwrap_or_default();
        self.at += rest.iter().take_while(|b| matches!(b, b' ' | b'\t' | b'\r' | b'\n')).count();
        self.at
    }

    /// The tag that comes next, passed; `None` for any other markup and for text.
    fn tag(&mut self) -> Option<&'t str> {
        let begin = self.space();
        let rest = self.text.get(begin..)?;
        if !rest.starts_with('<') || rest.starts_with("<!") || rest.starts_with("<?") {
            return None;
        }
        let length = scan_tag(rest.as_bytes(), 0).ok()? + 1;
        self.at = begin + length;
        rest.get(..length)
    }

    /// Passes character data.
    fn text(&mut self) -> Option<&'t str> {
        let rest = self.text.get(self.at..)?;
        let length = memchr(b'<', rest.as_bytes())?;
        self.at += length;
        rest.get(..length)
    }

    /// Passes everything up to and with `end`, which cannot stand inside a value.
    fn pass(&mut self, end: &[u8]) -> Option<()> {
        let rest = self.text.as_bytes().get(self.at..)?;
        self.at += memchr::memmem::find(rest, end)? + end.len();
        Some(())
    }

    /// The markup of a path from `from` on, up to and with the tag `is_last` takes.
    fn path(&mut self, from: usize, is_last: impl Fn(&str) -> bool) -> Option<PathMarkup> {
        let (mut keys, mut begin) = (Vec::new(), from);
        loop {
            let tag = self.tag()?;
            if is_last(tag) {
                let after = self.text.get(begin..self.at)?;
                return Some(PathMarkup { keys, after: Box::from(after.as_bytes()) });
            }
            let name = name(tag);
            if name == "KEYVALUE" && !tag.ends_with("/>") {
                let before = self.text.get(begin..self.at)?;
                let mut xml = Xml::new(tag, 0, 0, *self.limits);
                let Ok(Token::Start(start)) = xml.token() else { return None };
                let kind = path::key_kind(&xml, &start).ok()?;
                self.text()?;
                begin = self.at;
                keys.push(Key { before: Box::from(before.as_bytes()), kind });
                if self.tag()? != "</KEYVALUE>" {
                    return None;
                }
            } else if !PATH_ELEMENTS.contains(&name) {
                return None;
            } else if tag == "<HOST>" {
                self.text()?;
            }
        }
    }

    /// The markup of a reference's value, from the cursor on; `Some(None)` where there is no value.
    #[allow(clippy::option_option)]
    fn reference(&mut self) -> Option<Option<(PathMarkup, Arc<PathFrame>)>> {
        let begin = self.space();
        let rest = self.text.get(begin..)?;
        if rest.starts_with("</PROPERTY.REFERENCE>") {
            return Some(None);
        }
        if !rest.starts_with("<VALUE.REFERENCE>") {
            return None;
        }
        self.tag()?;
        let path = self.path(begin, |tag| tag == "</VALUE.REFERENCE>")?;
        let written = self.text.get(begin..self.at)?;
        let mut xml = Xml::new(written, 0, 0, *self.limits);
        let Ok(Token::Start(start)) = xml.token() else { return None };
        let declared = Declared { ty: CimType::Reference, embedded: None };
        let Ok(Some(CimValue::Reference(value))) = value::element(&mut xml, &start, declared) else { return None };
        // As many keys as the markup has, none of them a reference itself.
        if value.keys.len() != path.keys.len() || written.matches("<VALUE.REFERENCE").count() != 1 {
            return None;
        }
        Some(Some((path, Arc::new(PathFrame::of(&value)))))
    }
}
