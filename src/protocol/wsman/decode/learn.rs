//! Finding the markup of an item that was decoded, for those after it.
//!
//! Owns: what of an item is markup and what may differ ([`markup`]). Whatever is unusual is not learned; such items go the
//! general way. Must not know how items are read by it ([`super::predict`]).

use std::sync::Arc;

use memchr::memchr;

use super::{
    epr,
    instance::Schema,
    predict::{Form, Keys, Markup, Property, Selectors},
    value::{self, Marks},
};
use crate::{
    cim::{
        CimType, KeyValue, ObjectPath,
        rows::{PathFrame, Shape},
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
            rows::Rows,
            scope::{Qualified, Scope, split},
        },
    },
};

/// The markup of `item`, of which `rows` were made last; `None` where it is unusual.
pub fn markup(rows: &Rows, item: &Item<'_>, schema: &Schema) -> Option<Markup> {
    let Item { text, scope, limits, .. } = *item;
    let (shape, known) = rows.shape()?;
    let mut xml = Qualified::new(Xml::new(text, 0, 0, limits), scope);
    let mut tag = xml.child().ok()??;
    let wrapper = xml.is(&tag, &[WSMAN], "Item").then(|| at(&xml));
    if wrapper.is_some() {
        tag = xml.child().ok()??;
    }
    if epr::is_part(&xml, &tag) || xml.is(&tag, &[WSMAN], "XmlFragment") {
        return None;
    }
    let open = text.get(..at(&xml)).filter(|open| !open.ends_with("/>"))?;
    let around = Inner { text, scope, open, depth: 1 + usize::from(wrapper.is_some()), limits };
    let (properties, close) = properties(rows, &mut xml, around, schema)?;
    let keys = match wrapper {
        Some(wrapper) => behind(&mut xml, Inner { open: text.get(..wrapper)?, depth: 1, ..around }, known, schema)?,
        None => {
            let keys = known.path_keys.iter().map(|key| rows.known(key.as_str()));
            Keys::Columns(keys.collect::<Option<Vec<_>>>()?)
        }
    };
    Some(Markup { shape, open: Box::from(open.as_bytes()), properties, close, keys })
}

fn at(xml: &Qualified<'_>) -> usize {
    xml.xml.offset() as usize
}

/// The end tag that begins `rest`, if nothing else stands there.
fn end_tag(rest: &str) -> Option<Box<[u8]>> {
    let rest = rest.trim_ascii_start();
    let is_end = rest.starts_with("</") && rest.len() == scan_tag(rest.as_bytes(), 0).ok()? + 1;
    is_end.then(|| Box::from(rest.as_bytes()))
}

/// The properties of the object the cursor is in, and its end tag.
fn properties(
    rows: &Rows,
    xml: &mut Qualified<'_>,
    around: Inner<'_>,
    schema: &Schema,
) -> Option<(Vec<Property>, Box<[u8]>)> {
    let text = around.text;
    let mut properties: Vec<Property> = Vec::new();
    loop {
        let before = at(xml);
        let Some(tag) = xml.child().ok()? else { return Some((properties, end_tag(text.get(before..at(xml))?)?)) };
        let written = text.get(before..at(xml))?.trim_ascii_start();
        let name = tag.name();
        let head = written.get(..1 + name.as_ref().len()).filter(|head| head.get(1..) == Some(name.as_ref()))?;
        let place = rows.known(split(name.as_ref()).1)?;
        let column = rows.column(place)?;
        let marks = value::marks(xml, &tag).ok()?;
        let end = written.get(head.len()..)?;
        let is_scoped = end.contains("xmlns");
        let from = at(xml);
        let has_child = xml.xml.has_child();
        xml.skip(&tag).ok()?;
        let inside = text.get(from..at(xml))?;
        let tail = format!("</{}>", name.as_ref());
        let form = if is_scoped {
            None
        } else if end.ends_with("/>") {
            marks.is_nil.then(|| Form::Null(Box::from(end.as_bytes())))
        } else {
            let inside = inside.strip_suffix(tail.as_str())?;
            form(end, Inner { text: inside, ..around }, has_child, &marks, column.ty, schema)
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

/// The markup of the reference behind the object just read, which is all that follows in its wrapper, `wrapper.open`.
fn behind(xml: &mut Qualified<'_>, wrapper: Inner<'_>, known: &Shape, schema: &Schema) -> Option<Keys> {
    let from = at(xml);
    let tag = xml.child().ok()??;
    // The class, where it is known, may make numbers of keys.
    if !xml.is(&tag, &[ADDRESSING], "EndpointReference") || schema.class.is_some() {
        return None;
    }
    xml.skip(&tag).ok()?;
    let to = at(xml);
    if xml.child().ok()?.is_some() {
        return None;
    }
    let text = wrapper.text.get(from..to)?.trim_ascii_start();
    let path = Inner { text, ..wrapper }.within(|xml| {
        xml.child().ok()??;
        epr::read(xml).ok()?.path(schema.namespace.as_ref(), None)
    })?;
    let names = path.keys.iter().map(|key| &key.name);
    let is_its_own = known.namespace == path.namespace && names.eq(&known.path_keys);
    let selectors = Selectors::find(text, &path).filter(|_| is_its_own)?;
    Some(Keys::Behind(selectors, end_tag(wrapper.text.get(to..)?)?))
}

/// What stands inside a property, and where.
#[derive(Clone, Copy)]
struct Inner<'t> {
    text: &'t str,
    scope: &'t Scope,
    /// The start tags it stands in.
    open: &'t str,
    /// How many those are.
    depth: usize,
    limits: Limits,
}

impl Inner<'_> {
    /// Reads it once more where it stands.
    fn within<T>(self, read: impl FnOnce(&mut Qualified<'_>) -> Option<T>) -> Option<T> {
        let within = format!("{}{}</x>", self.open, self.text);
        let mut xml = Qualified::new(Xml::new(&within, 0, 0, self.limits), self.scope);
        for _ in 0..self.depth {
            xml.child().ok()??;
        }
        read(&mut xml)
    }
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
    inner.within(|xml| {
        let first = xml.child().ok()??;
        if epr::is_part(xml, &first) {
            let path = epr::read_inside(xml, &first).ok()?.path(schema.namespace.as_ref(), None)?;
            return reference(inner.text, &path);
        }
        let is_datetime = value::is_datetime(xml, &first);
        let length = scan_tag(inner.text.as_bytes(), 0).ok()? + 1;
        let (before, rest) = inner.text.split_at_checked(length)?;
        let after = rest.get(memchr(b'<', rest.as_bytes())?..)?;
        let name = first.name();
        let is_plain = before.strip_prefix('<').and_then(|tag| tag.strip_suffix('>')) == Some(name.as_ref());
        if !is_datetime || !is_plain || after != format!("</{}>", name.as_ref()) {
            return None;
        }
        Some(Form::DateTime(Box::from(format!("{end}{before}").as_bytes()), Box::from(after.as_bytes())))
    })
}

/// The markup of a reference written as `text`, whose path is `path`.
fn reference(text: &str, path: &ObjectPath) -> Option<Form> {
    let mut selectors = Selectors::find(text, path)?;
    // The end of the property's start tag stands before the first.
    let first = selectors.before.first_mut()?;
    *first = [b">", &**first].concat().into_boxed_slice();
    Some(Form::Reference(selectors, Arc::new(PathFrame::of(path))))
}

impl Selectors {
    /// The selectors in `text` in order, each with a plain text, if they are the keys of `path`.
    fn find(text: &str, path: &ObjectPath) -> Option<Self> {
        if text.contains("<!") || text.contains("<?") {
            return None;
        }
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
            keys.push(Box::from(text.get(begin..at)?.as_bytes()));
            at += length;
            begin = at;
        }
        let after = Box::from(text.get(begin..)?.as_bytes());
        let is_all = values.next().is_none() && !keys.is_empty();
        is_all.then_some(Self { before: keys, after })
    }
}
