//! Values as CIM-XML writes them: text to typed value.
//!
//! Owns: VALUE, VALUE.ARRAY, VALUE.NULL, VALUE.REFERENCE, VALUE.REFARRAY (DSP0201 section 5.2.4) and embedded objects.
//! Text that is no value of its type is kept as untyped text. Must not know where values stand.

use quick_xml::events::BytesStart;

use super::{class, path, row};
use crate::{
    cim::{CimType, CimValue, EmbeddedKind, rows::CellRef},
    protocol::xml::{
        fault::DecodeError,
        reader::{Read, Token, Xml},
        scalar,
    },
};

/// What is known of a value before it is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Declared {
    /// Its type, or that of its items.
    pub ty: CimType,
    /// Whether its strings hold embedded objects.
    pub embedded: Option<EmbeddedKind>,
}

/// The value `text` is; untyped text, and a warning, where it is none of its type.
pub fn from_text(xml: &mut Xml<'_>, declared: Declared, text: &str) -> Read<CimValue> {
    if declared.ty == CimType::String
        && declared.embedded.is_some()
        && let Some(value) = embedded(xml, text)?
    {
        return Ok(value);
    }
    if let Some(value) = scalar::of(declared.ty, text).and_then(CellRef::to_value) {
        return Ok(value);
    }
    xml.warn(|| scalar::odd(declared.ty, text));
    Ok(CimValue::Untyped(Box::from(text)))
}

/// The object embedded in `text`; `None` if there is none, with a warning where there seems to be.
pub fn embedded(xml: &mut Xml<'_>, text: &str) -> Read<Option<CimValue>> {
    if !text.trim_ascii_start().starts_with('<') {
        return Ok(None);
    }
    if xml.level >= xml.limits.embedded_depth {
        let message = format!("objects are embedded deeper than {}", xml.limits.embedded_depth);
        return Err(DecodeError::limit(xml.offset(), "embedded_depth", message));
    }
    let mut inner = Xml::new(text, xml.offset(), xml.level + 1, xml.limits);
    let value = object(&mut inner);
    if let Some(warning) = inner.warning.take() {
        xml.warn(|| warning);
    }
    match value {
        Ok(value) => Ok(Some(value)),
        Err(error) if error.limit.is_some() => Err(error),
        Err(error) => {
            xml.warn(|| format!("an embedded object cannot be read ({}); it is shown as text", error.message));
            Ok(None)
        }
    }
}

fn object(xml: &mut Xml<'_>) -> Read<CimValue> {
    let Token::Start(tag) = xml.token()? else { return Err(xml.error("no element")) };
    let value = match tag.name().as_ref() {
        "INSTANCE" => CimValue::Instance(Box::new(row::instance(xml, &tag)?)),
        "CLASS" => CimValue::Class(Box::new(class::class(xml, &tag)?)),
        name => return Err(xml.error(format!("{name:?} is no embedded object"))),
    };
    match xml.token()? {
        Token::Eof => Ok(value),
        _ => Err(xml.error("something follows the object")),
    }
}

/// Reads the value element `tag` began. `None` if it is no value element; it has been passed over then.
pub fn element(xml: &mut Xml<'_>, tag: &BytesStart<'_>, declared: Declared) -> Read<Option<CimValue>> {
    Ok(Some(match tag.name().as_ref() {
        "VALUE" => {
            let text = xml.content(tag)?;
            from_text(xml, declared, &text)?
        }
        "VALUE.ARRAY" | "VALUE.REFARRAY" => CimValue::Array(items(xml, declared)?),
        "VALUE.REFERENCE" => reference(xml)?,
        "VALUE.NULL" => {
            xml.skip(tag)?;
            CimValue::Null
        }
        _ => {
            xml.skip(tag)?;
            return Ok(None);
        }
    }))
}

fn items(xml: &mut Xml<'_>, declared: Declared) -> Read<Vec<CimValue>> {
    let mut items = Vec::new();
    while let Some(tag) = xml.child()? {
        if tag.name().as_ref().ends_with("ARRAY") {
            return Err(xml.error("an array inside an array"));
        }
        if let Some(value) = element(xml, &tag, declared)? {
            items.push(value);
        }
    }
    Ok(items)
}

/// What a VALUE.REFERENCE holds, up to its end.
pub fn reference(xml: &mut Xml<'_>) -> Read<CimValue> {
    let mut value = CimValue::Null;
    while let Some(tag) = xml.child()? {
        match path::element(xml, &tag)? {
            Some(path) => value = CimValue::Reference(Box::new(path)),
            None => xml.skip(&tag)?,
        }
    }
    Ok(value)
}

/// The embedded kind an attribute value names (`EmbeddedObject="instance"`).
pub fn embedded_kind(value: &str) -> Option<EmbeddedKind> {
    match value {
        text if text.eq_ignore_ascii_case("instance") => Some(EmbeddedKind::Instance),
        text if text.eq_ignore_ascii_case("object") => Some(EmbeddedKind::Object),
        _ => None,
    }
}
