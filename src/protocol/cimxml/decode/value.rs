//! Values as CIM-XML writes them: text to typed value.
//!
//! Owns: VALUE, VALUE.ARRAY, VALUE.NULL, VALUE.REFERENCE, VALUE.REFARRAY (DSP0201 section 5.2.4) and embedded objects.
//! Text that is no value of its type is kept as untyped text. Must not know where values stand.

use quick_xml::events::BytesStart;

use super::{
    class, path, row,
    xml::{Read, Token, Xml},
};
use crate::{
    cim::{CimDateTime, CimType, CimValue, EmbeddedKind, rows::CellRef},
    protocol::cimxml::framer::DecodeError,
};

/// What is known of a value before it is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Declared {
    /// Its type, or that of its items.
    pub ty: CimType,
    /// Whether its strings hold embedded objects.
    pub embedded: Option<EmbeddedKind>,
}

/// The scalar `text` is, or `None` if it is no value of `ty`.
pub fn scalar(ty: CimType, text: &str) -> Option<CellRef<'_>> {
    if ty == CimType::String {
        return Some(CellRef::Text(text));
    }
    if ty == CimType::Char16 {
        let mut chars = text.chars();
        let code = u16::try_from(u32::from(chars.next()?)).ok()?;
        return chars.next().is_none().then_some(CellRef::Char16(code));
    }
    let text = text.trim_ascii();
    Some(match ty {
        CimType::Boolean if text.eq_ignore_ascii_case("true") => CellRef::Bool(true),
        CimType::Boolean if text.eq_ignore_ascii_case("false") => CellRef::Bool(false),
        CimType::DateTime => CellRef::DateTime(text.parse::<CimDateTime>().ok()?),
        CimType::Real32 | CimType::Real64 => CellRef::Real(text.parse().ok()?),
        _ if ty.is_unsigned() => {
            let value = unsigned(text)?;
            (i128::from(value) <= ty.integer_range()?.1).then_some(CellRef::UInt(value))?
        }
        _ if ty.is_integer() => {
            let (min, max) = ty.integer_range()?;
            let value = i128::from(signed(text)?);
            (min <= value && value <= max).then_some(CellRef::SInt(value as i64))?
        }
        _ => return None,
    })
}

/// An unsigned integer, decimal or `0x` hexadecimal.
pub fn unsigned(text: &str) -> Option<u64> {
    match text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
        Some(hex) if !hex.starts_with(['+', '-']) => u64::from_str_radix(hex, 16).ok(),
        Some(_) => None,
        None => text.parse().ok(),
    }
}

/// A signed integer, decimal or hexadecimal.
pub fn signed(text: &str) -> Option<i64> {
    if let Ok(value) = text.parse() {
        return Some(value);
    }
    match text.strip_prefix('-') {
        Some(rest) => 0_i128.checked_sub(i128::from(unsigned(rest)?)).and_then(|value| i64::try_from(value).ok()),
        None => i64::try_from(unsigned(text.strip_prefix('+').unwrap_or(text))?).ok(),
    }
}

/// The value `text` is; untyped text, and a warning, where it is none of its type.
pub fn from_text(xml: &mut Xml<'_>, declared: Declared, text: &str) -> Read<CimValue> {
    if declared.ty == CimType::String
        && declared.embedded.is_some()
        && let Some(value) = embedded(xml, text)?
    {
        return Ok(value);
    }
    if let Some(value) = scalar(declared.ty, text).and_then(CellRef::to_value) {
        return Ok(value);
    }
    xml.warn(|| odd(declared.ty, text));
    Ok(CimValue::Untyped(Box::from(text)))
}

/// What is told about a value that is none of its type.
pub fn odd(ty: CimType, text: &str) -> String {
    let shown: String = text.chars().take(40).collect();
    format!("{shown:?} is no {ty}; it is shown as it was sent")
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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    #[test]
    fn scalars_of_every_type_are_exact_or_none() {
        let never: CimDateTime = "00000000000000.000000+000".parse().unwrap();
        let cases = [
            (CimType::Boolean, " TrUe\n", Some(CellRef::Bool(true))),
            (CimType::Boolean, "1", None),
            (CimType::UInt8, "255", Some(CellRef::UInt(255))),
            (CimType::UInt8, "300", None),
            (CimType::UInt8, "0xff", Some(CellRef::UInt(255))),
            (CimType::UInt64, "18446744073709551615", Some(CellRef::UInt(u64::MAX))),
            (CimType::UInt64, "18446744073709551616", None),
            (CimType::UInt16, "-1", None),
            (CimType::SInt64, "-9223372036854775808", Some(CellRef::SInt(i64::MIN))),
            (CimType::SInt8, "-129", None),
            (CimType::SInt16, "-0x10", Some(CellRef::SInt(-16))),
            (CimType::Real64, "1.0000000000000001e-01", Some(CellRef::Real(0.1))),
            (CimType::Real32, "three", None),
            (CimType::Char16, " ", Some(CellRef::Char16(32))),
            (CimType::Char16, "\u{2603}", Some(CellRef::Char16(0x2603))),
            (CimType::Char16, "\u{1D11E}", None),
            (CimType::Char16, "", None),
            (CimType::String, " x ", Some(CellRef::Text(" x "))),
            (CimType::DateTime, "yesterday", None),
            (CimType::DateTime, never.as_str(), Some(CellRef::DateTime(never))),
        ];
        for (ty, text, expected) in cases {
            assert_eq!(scalar(ty, text), expected, "{ty} {text:?}");
        }
    }
}
