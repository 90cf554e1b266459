//! What instances look like in WS-Man, foreseen.
//!
//! Owns: [`Markup`], reading an item by it, and finding it in an item that was decoded ([`markup`]). Whatever is unusual is
//! not learned; such items go the general way. Must not know when it is tried ([`crate::protocol::xml::rows::predict`]).

use std::sync::Arc;

use memchr::memchr;

use super::{
    epr,
    instance::Schema,
    value::{self, Declared, Marks},
};
use crate::{
    cim::{
        CimType, KeyValue,
        rows::{CellRef, PACKED_ITEMS, PathFrame},
    },
    op::Limits,
    protocol::{
        wsman::{
            namespaces::{ADDRESSING, WSMAN},
            resource::NAMESPACE,
        },
        xml::{
            decoder::Item,
            framer::scan_tag,
            reader::{Xml, resolve},
            rows::{
                self, Rows, Slot,
                predict::{Reading, Stop},
            },
            scope::{Qualified, Scope, split},
        },
    },
};

/// The most properties an instance may leave out in one place.
const MAX_GAP: usize = 32;
/// The most ways one property was seen written in.
const MAX_FORMS: usize = 4;

/// The markup of the instances of one class.
#[derive(Debug)]
pub struct Markup {
    shape: usize,
    /// The start tag.
    open: Box<[u8]>,
    /// In the order they were seen in.
    properties: Vec<Property>,
    /// The end tag.
    close: Box<[u8]>,
    /// The columns of the keys the row's path is made of.
    keys: Vec<usize>,
}

#[derive(Debug)]
struct Property {
    /// The start tag up to the end of its name.
    head: Box<[u8]>,
    /// The end tag.
    tail: Box<[u8]>,
    place: usize,
    is_array: bool,
    forms: Vec<Form>,
}

/// What follows a property's name.
#[derive(Debug, PartialEq)]
enum Form {
    /// NULL, with the end of the tag.
    Null(Box<[u8]>),
    /// The end of the start tag, then text of a type, untyped without one.
    Text(Box<[u8]>, Option<CimType>),
    /// The same with an element around a datetime.
    DateTime(Box<[u8]>, Box<[u8]>),
    /// A reference: what stands before each key's value and after the last.
    Reference(Vec<Box<[u8]>>, Box<[u8]>, Arc<PathFrame>),
}

impl rows::predict::Markup for Markup {
    fn shape(&self) -> usize {
        self.shape
    }

    fn opening(&self) -> &[u8] {
        &self.open
    }

    fn read(&self, reading: &mut Reading<'_>) -> Result<std::ops::Range<usize>, Stop> {
        reading.expect(&self.open)?;
        let mut next = 0;
        loop {
            reading.space();
            match self.find(reading, next)? {
                Some((at, property)) => {
                    property.read(reading)?;
                    next = at + 1;
                }
                None => break,
            }
        }
        reading.expect(&self.close)?;
        let from = reading.items();
        for place in &self.keys {
            let key = reading.plain(*place).ok_or(Stop::Surprise)?;
            reading.push(key);
        }
        Ok(from..reading.items())
    }

    fn merge(&mut self, other: Self) -> Option<Self> {
        if self.shape != other.shape || self.open != other.open || self.keys != other.keys {
            return Some(other);
        }
        let mut next = 0;
        for property in other.properties {
            match self.properties.iter_mut().position(|known| known.head == property.head) {
                Some(at) => {
                    if let Some(known) = self.properties.get_mut(at) {
                        known.forms(property.forms);
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
        None
    }
}

impl Markup {
    /// The property that begins here, not before `next`, its name passed; `None` if none does.
    fn find(&self, reading: &mut Reading<'_>, next: usize) -> Result<Option<(usize, &Property)>, Stop> {
        let left = self.properties.get(next..).unwrap_or_default();
        let mut more = false;
        for (at, property) in left.iter().take(MAX_GAP).enumerate() {
            match property.begins(reading) {
                Ok(true) => return Ok(Some((next + at, property))),
                Ok(false) => {}
                Err(_) => more = true,
            }
            // Most likely nothing follows the last property; then the others need not be tried.
            if at == 0 && reading.rest().starts_with(b"</") {
                return Ok(None);
            }
        }
        if more { Err(Stop::More) } else { Ok(None) }
    }
}

impl Property {
    /// Whether this property begins here; then its name is passed.
    fn begins(&self, reading: &mut Reading<'_>) -> Result<bool, Stop> {
        // A longer name may begin with this one.
        match reading.rest().get(self.head.len()) {
            Some(b'>' | b' ' | b'/') => reading.passes(&self.head),
            Some(_) => Ok(false),
            None => match reading.rest() {
                rest if self.head.starts_with(rest) => Err(Stop::More),
                _ => Ok(false),
            },
        }
    }

    /// What the property holds, and for an array all its elements.
    fn read(&self, reading: &mut Reading<'_>) -> Result<(), Stop> {
        let from = reading.items();
        let first = self.form(reading)?;
        let is_null = matches!(first, Slot::Scalar(CellRef::Null));
        if !self.is_array || is_null {
            reading.put(self.place, first);
            return Ok(());
        }
        let mut item = first;
        loop {
            if !matches!(item, Slot::Text { .. } | Slot::Scalar(_)) {
                return Err(Stop::Surprise);
            }
            reading.push(item);
            reading.space();
            if !self.begins(reading)? {
                break;
            }
            item = self.form(reading)?;
        }
        let count = reading.items() - from;
        if count > PACKED_ITEMS {
            return Err(Stop::Surprise);
        }
        reading.put(self.place, Slot::Array { from, count });
        Ok(())
    }

    /// One element, behind its name.
    fn form(&self, reading: &mut Reading<'_>) -> Result<Slot, Stop> {
        for form in &self.forms {
            let slot = match form {
                Form::Null(end) => {
                    if !reading.passes(end)? {
                        continue;
                    }
                    return Ok(Slot::Scalar(CellRef::Null));
                }
                Form::Text(end, ty) => {
                    if !reading.passes(end)? {
                        continue;
                    }
                    self.text(reading, *ty)?
                }
                Form::DateTime(before, after) => {
                    if !reading.passes(before)? {
                        continue;
                    }
                    let slot = self.text(reading, Some(CimType::DateTime))?;
                    reading.expect(after)?;
                    slot
                }
                Form::Reference(before, after, frame) => {
                    let from = reading.items();
                    for before in before {
                        reading.expect(before)?;
                        let key = reading.text()?;
                        reading.push(key);
                    }
                    reading.expect(after)?;
                    Slot::Reference { frame: frame.clone(), from }
                }
            };
            reading.expect(&self.tail)?;
            return Ok(slot);
        }
        Err(Stop::Surprise)
    }

    fn text(&self, reading: &mut Reading<'_>, ty: Option<CimType>) -> Result<Slot, Stop> {
        let Some(ty) = ty else {
            return Ok(match reading.text()? {
                Slot::Text { at, len, cooked, .. } => Slot::Text { at, len, cooked, untyped: true },
                slot => slot,
            });
        };
        if ty == CimType::String {
            return reading.text();
        }
        let declared = Declared { ty: Some(ty), is_array: self.is_array };
        let parse = |text: &str| match value::is_octets(declared, text) {
            true => None,
            false => value::scalar(ty, text).and_then(Slot::scalar),
        };
        match reading.text_as(parse)? {
            Slot::Text { .. } => Err(Stop::Surprise),
            scalar => Ok(scalar),
        }
    }

    fn forms(&mut self, forms: Vec<Form>) {
        for form in forms {
            // A reference is known by what it looks like as a whole: the last one seen is the likely one.
            if matches!(form, Form::Reference(..)) {
                self.forms.retain(|known| !matches!(known, Form::Reference(..)));
            }
            if self.forms.len() < MAX_FORMS && !self.forms.contains(&form) {
                // What a longer tag end begins with must not hide it.
                let is_plain = matches!(form, Form::Text(..));
                if is_plain { self.forms.push(form) } else { self.forms.insert(0, form) }
            }
        }
    }
}

/// The markup of `item`, of which `rows` were made last; `None` where it is unusual.
pub fn markup(rows: &Rows, item: &Item<'_>, schema: &Schema) -> Option<Markup> {
    let Item { text, scope, limits, .. } = *item;
    let mut xml = Qualified::new(Xml::new(text, 0, 0, limits), scope);
    let tag = xml.child().ok()??;
    let is_object = !["Item", "XmlFragment"].iter().any(|local| xml.is(&tag, &[WSMAN], local))
        && !xml.is(&tag, &[ADDRESSING], "EndpointReference");
    let (shape, known) = rows.shape().filter(|_| is_object)?;
    let keys = known.path_keys.iter().map(|key| rows.known(key.as_str())).collect::<Option<Vec<_>>>()?;
    let at = |xml: &Qualified<'_>| xml.xml.offset() as usize;
    let open = text.get(..at(&xml)).filter(|open| !open.ends_with("/>"))?;
    let mut properties: Vec<Property> = Vec::new();
    loop {
        let before = at(&xml);
        let Some(tag) = xml.child().ok()? else {
            let close = text.get(before..)?.trim_ascii_start();
            let is_end = close.starts_with("</") && close.len() == scan_tag(close.as_bytes(), 0).ok()? + 1;
            let (open, close) = (Box::from(open.as_bytes()), Box::from(close.as_bytes()));
            return is_end.then_some(Markup { shape, open, properties, close, keys });
        };
        let written = text.get(before..at(&xml))?.trim_ascii_start();
        let name = tag.name();
        let head = written.get(..1 + name.as_ref().len()).filter(|head| head.get(1..) == Some(name.as_ref()))?;
        let place = rows.known(split(name.as_ref()).1)?;
        let column = rows.column(place)?;
        let marks = value::marks(&xml, &tag).ok()?;
        let end = written.get(head.len()..)?;
        let is_scoped = end.contains("xmlns");
        let from = at(&xml);
        let has_child = xml.xml.has_child();
        xml.skip(&tag).ok()?;
        let inside = text.get(from..at(&xml))?;
        let tail = format!("</{}>", name.as_ref());
        let form = if is_scoped {
            None
        } else if end.ends_with("/>") {
            marks.is_nil.then(|| Form::Null(Box::from(end.as_bytes())))
        } else {
            let inside = inside.strip_suffix(tail.as_str())?;
            let inner = Inner { text: inside, scope, open, limits };
            form(end, inner, has_child, &marks, column.ty, schema)
        };
        let property = Property {
            head: Box::from(head.as_bytes()),
            tail: Box::from(tail.as_bytes()),
            place,
            is_array: column.is_array,
            forms: form.into_iter().collect(),
        };
        let is_repeated = properties.iter().any(|known| known.place == place);
        match properties.last_mut().filter(|last| last.place == place) {
            Some(last) if last.head == property.head && last.is_array => last.forms(property.forms),
            Some(_) => return None,
            None if is_repeated => return None,
            None => properties.push(property),
        }
    }
}

/// What stands inside a property, and where.
#[derive(Clone, Copy)]
struct Inner<'t> {
    text: &'t str,
    scope: &'t Scope,
    open: &'t str,
    limits: Limits,
}

fn form(
    end: &str,
    inner: Inner<'_>,
    has_child: bool,
    marks: &Marks,
    ty: Option<CimType>,
    schema: &Schema,
) -> Option<Form> {
    if marks.is_nil || marks.is_base64 || marks.class.is_some() {
        return None;
    }
    if !has_child {
        return Some(Form::Text(Box::from(end.as_bytes()), ty.or(marks.ty)));
    }
    if end != ">" || inner.text.contains("<!") || inner.text.contains("<?") {
        return None;
    }
    // Read once more where it stands: inside the item's start tag.
    let within = format!("{}{}</x>", inner.open, inner.text);
    let mut xml = Qualified::new(Xml::new(&within, 0, 0, inner.limits), inner.scope);
    xml.child().ok()??;
    let first = xml.child().ok()??;
    if epr::is_part(&xml, &first) {
        let path = epr::read_inside(&mut xml, &first).ok()?.path(schema.namespace.as_ref(), None)?;
        return reference(inner.text, &path);
    }
    let is_datetime = value::is_datetime(&xml, &first);
    let length = scan_tag(inner.text.as_bytes(), 0).ok()? + 1;
    let (before, rest) = inner.text.split_at_checked(length)?;
    let after = rest.get(memchr(b'<', rest.as_bytes())?..)?;
    let name = first.name();
    let is_plain = before.strip_prefix('<').and_then(|tag| tag.strip_suffix('>')) == Some(name.as_ref());
    if !is_datetime || !is_plain || after != format!("</{}>", name.as_ref()) {
        return None;
    }
    Some(Form::DateTime(Box::from(format!("{end}{before}").as_bytes()), Box::from(after.as_bytes())))
}

/// The markup of a reference written as `text`, whose path is `path`: its selectors in order, each with a plain text.
fn reference(text: &str, path: &crate::cim::ObjectPath) -> Option<Form> {
    let (mut keys, mut begin, mut at) = (Vec::new(), 0, 0);
    let mut values = path.keys.iter();
    while let Some(found) = memchr(b'<', text.as_bytes().get(at..)?) {
        at += found;
        let length = scan_tag(text.as_bytes().get(at..)?, 0).ok()? + 1;
        let tag = text.get(at..at + length)?;
        at += length;
        let local = split(tag.trim_start_matches('<').split([' ', '>', '/', '\t', '\r', '\n']).next()?).1;
        let is_key = local == "Selector" && !tag.ends_with("/>") && !tag.contains(NAMESPACE);
        if !is_key || tag.starts_with("</") {
            continue;
        }
        let length = memchr(b'<', text.as_bytes().get(at..)?)?;
        let raw = resolve(text.get(at..at + length)?, false).ok()?;
        if values.next()?.value != KeyValue::String(raw.into_boxed_str()) {
            return None;
        }
        // The end of the property's start tag stands before the first.
        let before = format!("{}{}", if keys.is_empty() { ">" } else { "" }, text.get(begin..at)?);
        keys.push(Box::from(before.as_bytes()));
        at += length;
        begin = at;
    }
    let after = Box::from(text.get(begin..)?.as_bytes());
    let is_all = values.next().is_none() && !keys.is_empty();
    is_all.then(|| Form::Reference(keys, after, Arc::new(PathFrame::of(path))))
}
