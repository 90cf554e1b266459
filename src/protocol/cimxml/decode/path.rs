//! Object paths as CIM-XML writes them (DSP0201 section 5.2.2 and 5.2.5).
//!
//! Owns: INSTANCENAME, LOCALINSTANCEPATH, INSTANCEPATH, CLASSNAME, LOCALCLASSPATH, CLASSPATH, OBJECTPATH, KEYBINDING,
//! KEYVALUE. Must not know which namespace a request named; the caller adds it where a path has none.

use quick_xml::events::BytesStart;

use super::value;
use crate::{
    cim::{CimName, CimType, CimValue, KeyBinding, KeyValue, Namespace, ObjectPath, rows::CellRef},
    protocol::xml::{
        reader::{Read, Xml},
        scalar,
    },
};

/// A path and what it names. An instance without keys and a class have the same path.
#[derive(Debug)]
pub struct Named {
    /// The path.
    pub path: ObjectPath,
    /// Whether it is a class's.
    pub is_class: bool,
}

/// The path the element `tag` began; `None` if it is no path, and then it has not been read.
pub fn element(xml: &mut Xml<'_>, tag: &BytesStart<'_>) -> Read<Option<ObjectPath>> {
    Ok(named(xml, tag)?.map(|named| named.path))
}

/// As [`element`], with what the path names.
pub fn named(xml: &mut Xml<'_>, tag: &BytesStart<'_>) -> Read<Option<Named>> {
    Ok(Some(match tag.name().as_ref() {
        "INSTANCENAME" => Named { path: instance_name(xml, tag)?, is_class: false },
        "CLASSNAME" => {
            let class = xml.name(tag, "NAME")?;
            xml.skip(tag)?;
            Named { path: ObjectPath { host: None, namespace: None, class, keys: Vec::new() }, is_class: true }
        }
        "LOCALINSTANCEPATH" | "INSTANCEPATH" | "LOCALCLASSPATH" | "CLASSPATH" | "OBJECTPATH" => composed(xml)?,
        _ => return Ok(None),
    }))
}

/// A path made of a namespace and a name, up to its end.
fn composed(xml: &mut Xml<'_>) -> Read<Named> {
    let (mut host, mut namespace, mut name) = (None, None, None);
    while let Some(tag) = xml.child()? {
        match tag.name().as_ref() {
            "NAMESPACEPATH" => (host, namespace) = namespace_path(xml)?,
            "LOCALNAMESPACEPATH" => namespace = Some(local_namespace_path(xml)?),
            // Pegasus wraps the name so in the answers of OpenQueryInstances.
            "VALUE.REFERENCE" => match value::reference(xml)? {
                CimValue::Reference(path) => name = Some(Named { path: *path, is_class: false }),
                _ => return Err(xml.error("a path without a name")),
            },
            _ => match named(xml, &tag)? {
                Some(found) => name = Some(found),
                None => xml.skip(&tag)?,
            },
        }
    }
    let Some(Named { path, is_class }) = name else { return Err(xml.error("a path without a name")) };
    let path = ObjectPath { host: host.or(path.host), namespace: namespace.or(path.namespace), ..path };
    Ok(Named { path, is_class })
}

fn namespace_path(xml: &mut Xml<'_>) -> Read<(Option<String>, Option<Namespace>)> {
    let (mut host, mut namespace) = (None, None);
    while let Some(tag) = xml.child()? {
        match tag.name().as_ref() {
            "HOST" => {
                let text = xml.content(&tag)?.into_owned();
                xml.check_name(&text)?;
                host = Some(text);
            }
            "LOCALNAMESPACEPATH" => namespace = Some(local_namespace_path(xml)?),
            _ => xml.skip(&tag)?,
        }
    }
    Ok((host.filter(|host| !host.is_empty()), namespace))
}

fn local_namespace_path(xml: &mut Xml<'_>) -> Read<Namespace> {
    let mut text = String::new();
    while let Some(tag) = xml.child()? {
        if tag.name().as_ref() == "NAMESPACE" {
            let part = xml.name(&tag, "NAME")?;
            text.push('/');
            text.push_str(part.as_str());
            xml.check_name(&text)?;
        }
        xml.skip(&tag)?;
    }
    Ok(Namespace::new(&text))
}

/// An INSTANCENAME, up to its end: KEYBINDINGs, or one KEYVALUE or VALUE.REFERENCE without a name.
pub fn instance_name(xml: &mut Xml<'_>, tag: &BytesStart<'_>) -> Read<ObjectPath> {
    let class = xml.name(tag, "CLASSNAME")?;
    let mut keys = Vec::new();
    while let Some(tag) = xml.child()? {
        match tag.name().as_ref() {
            "KEYBINDING" => {
                let name = xml.name(&tag, "NAME")?;
                if let Some(value) = key_binding(xml)? {
                    keys.push(KeyBinding { name, value });
                }
            }
            _ => {
                if let Some(value) = key(xml, &tag)? {
                    keys.push(KeyBinding { name: CimName::new(""), value });
                }
            }
        }
    }
    Ok(ObjectPath { host: None, namespace: None, class, keys })
}

/// What a KEYBINDING holds, up to its end.
pub fn key_binding(xml: &mut Xml<'_>) -> Read<Option<KeyValue>> {
    let mut value = None;
    while let Some(tag) = xml.child()? {
        value = key(xml, &tag)?.or(value);
    }
    Ok(value)
}

/// A KEYVALUE or VALUE.REFERENCE; anything else is passed over.
fn key(xml: &mut Xml<'_>, tag: &BytesStart<'_>) -> Read<Option<KeyValue>> {
    match tag.name().as_ref() {
        "KEYVALUE" => {
            let kind = key_kind(xml, tag)?;
            let text = xml.content(tag)?;
            Ok(Some(kind.value(&text)))
        }
        "VALUE.REFERENCE" => match value::reference(xml)? {
            CimValue::Reference(path) => Ok(Some(KeyValue::Reference(path))),
            _ => Ok(None),
        },
        _ => {
            xml.skip(tag)?;
            Ok(None)
        }
    }
}

/// What kind of value the KEYVALUE `tag` begins holds: TYPE (DSP0201 2.4) says more than VALUETYPE, whose default is
/// `string`.
///
/// # Errors
/// Ill-formed attributes.
pub fn key_kind(xml: &Xml<'_>, tag: &BytesStart<'_>) -> Read<KeyKind> {
    let (mut kind, mut ty) = (KeyKind::String, None);
    xml.attributes(tag, |name, value| {
        match name {
            "VALUETYPE" => kind = KeyKind::of(&value),
            "TYPE" => ty = CimType::from_keyword(&value),
            _ => {}
        }
        Ok(())
    })?;
    Ok(match ty {
        Some(CimType::Boolean) => KeyKind::Boolean,
        Some(ty) if ty.is_numeric() => KeyKind::Numeric,
        Some(_) => KeyKind::String,
        None => kind,
    })
}

/// What a KEYVALUE holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyKind {
    /// Text.
    String,
    /// `TRUE` or `FALSE`.
    Boolean,
    /// A number.
    Numeric,
}

impl KeyKind {
    fn of(text: &str) -> Self {
        match text {
            text if text.eq_ignore_ascii_case("numeric") => Self::Numeric,
            text if text.eq_ignore_ascii_case("boolean") => Self::Boolean,
            _ => Self::String,
        }
    }

    /// The number or boolean `text` is; `None` where it stays text, also because it is none.
    pub fn typed(self, text: &str) -> Option<CellRef<'static>> {
        let trimmed = text.trim_ascii();
        match self {
            Self::String => None,
            Self::Boolean if trimmed.eq_ignore_ascii_case("true") => Some(CellRef::Bool(true)),
            Self::Boolean if trimmed.eq_ignore_ascii_case("false") => Some(CellRef::Bool(false)),
            Self::Boolean => None,
            Self::Numeric => scalar::unsigned(trimmed)
                .map(CellRef::UInt)
                .or_else(|| scalar::signed(trimmed).filter(|value| *value < 0).map(CellRef::SInt))
                .or_else(|| trimmed.parse().ok().map(CellRef::Real)),
        }
    }

    fn value(self, text: &str) -> KeyValue {
        match self.typed(text) {
            Some(CellRef::Bool(value)) => KeyValue::Bool(value),
            Some(CellRef::UInt(value)) => KeyValue::UInt(value),
            Some(CellRef::SInt(value)) => KeyValue::SInt(value),
            Some(CellRef::Real(value)) => KeyValue::Real(value),
            _ => KeyValue::String(Box::from(text)),
        }
    }
}
