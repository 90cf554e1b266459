//! Values as text and back.
//!
//! Owns: the textual form of each intrinsic type as DSP0201 section "VALUE" and DSP0004 annex A write it, one printing of
//! reals that every output shares, how a value reads to a person, and which characters may reach a terminal.
//! Must not know XML, MOF or JSON syntax around a value, nor column widths.

use std::{
    borrow::Cow,
    fmt::{self, Write as _},
};

use super::{CimDateTime, CimInstance, CimType, CimValue, rows::CellRef};

/// Why a text is not a value of its type. Holds nothing of the text, which may be anything.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ValueError {
    /// The type that was wanted.
    pub ty: CimType,
    /// What is wrong.
    pub what: Cow<'static, str>,
}

impl fmt::Display for ValueError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "not a {}: {}", self.ty, self.what)
    }
}

impl std::error::Error for ValueError {}

/// The value of type `ty` that `text` writes. Whitespace around anything but text and char16 is dropped.
///
/// # Errors
/// If the text breaks the type's form, or a number is outside its range.
pub fn parse_value(ty: CimType, text: &str) -> Result<CimValue, ValueError> {
    let error = |what: &'static str| ValueError { ty, what: Cow::Borrowed(what) };
    let trimmed = text.trim();
    match ty {
        CimType::String => Ok(CimValue::string(text)),
        CimType::Boolean if trimmed.eq_ignore_ascii_case("true") => Ok(CimValue::Bool(true)),
        CimType::Boolean if trimmed.eq_ignore_ascii_case("false") => Ok(CimValue::Bool(false)),
        CimType::Boolean => Err(error("neither TRUE nor FALSE")),
        CimType::Char16 => {
            let mut units = text.encode_utf16();
            match (units.next(), units.next()) {
                (Some(unit), None) => Ok(CimValue::Char16(unit)),
                (None, _) => Err(error("no character")),
                _ => Err(error("more than one UTF-16 code unit")),
            }
        }
        CimType::DateTime => match CimDateTime::strict(trimmed) {
            Ok(value) => Ok(CimValue::DateTime(value)),
            Err(super::datetime::DateTimeError(what)) => Err(error(what)),
        },
        CimType::Reference => match trimmed.parse() {
            Ok(path) => Ok(CimValue::Reference(Box::new(path))),
            Err(cause) => Err(ValueError { ty, what: Cow::Owned(format!("{} (character {})", cause.what, cause.at)) }),
        },
        CimType::Real32 | CimType::Real64 => real_value(ty, parse_real(trimmed).ok_or_else(|| error("not a number"))?),
        _ => integer_value(ty, parse_integer(trimmed).ok_or_else(|| error("not an integer"))?),
    }
}

/// `value` as a value of the integer type `ty`.
///
/// # Errors
/// If it is outside the type's range, or `ty` is not an integer type.
pub fn integer_value(ty: CimType, value: i128) -> Result<CimValue, ValueError> {
    let Some((low, high)) = ty.integer_range() else {
        return Err(ValueError { ty, what: Cow::Borrowed("an integer") });
    };
    let outside = || ValueError { ty, what: Cow::Owned(format!("outside {low} to {high}")) };
    if !(low..=high).contains(&value) {
        return Err(outside());
    }
    if ty.is_unsigned() {
        u64::try_from(value).map(CimValue::UInt).map_err(|_| outside())
    } else {
        i64::try_from(value).map(CimValue::SInt).map_err(|_| outside())
    }
}

/// `value` as a value of the real type `ty`.
///
/// # Errors
/// If it is too large for a `real32`.
pub fn real_value(ty: CimType, value: f64) -> Result<CimValue, ValueError> {
    if ty == CimType::Real32 && value.is_finite() && (value as f32).is_infinite() {
        return Err(ValueError { ty, what: Cow::Borrowed("too large") });
    }
    Ok(CimValue::Real(value))
}

/// An integer: decimal, hexadecimal (`0x1F`) or binary (`101b`), each with an optional sign. Leading zeros are decimal, as
/// on the wire; MOF's octal is [`super::mof`]'s.
pub fn parse_integer(text: &str) -> Option<i128> {
    let (negative, digits) = match text.as_bytes().first()? {
        b'-' => (true, text.get(1..)?),
        b'+' => (false, text.get(1..)?),
        _ => (false, text),
    };
    let of_radix = |digits: &str, radix: u32| {
        let fits = !digits.is_empty() && digits.chars().all(|c| c.is_digit(radix));
        if fits { i128::from_str_radix(digits, radix).ok() } else { None }
    };
    let value = match digits.get(..2) {
        Some("0x" | "0X") => of_radix(digits.get(2..)?, 16),
        _ => match digits.strip_suffix(['b', 'B']) {
            Some(bits) => of_radix(bits, 2),
            None => of_radix(digits, 10),
        },
    }?;
    Some(if negative { -value } else { value })
}

/// A real: digits with or without fraction and exponent, or `INF`, `-INF`, `NaN` in any case. `None` also if it is
/// finite and larger than a double can be.
pub fn parse_real(text: &str) -> Option<f64> {
    for (name, value) in [("inf", f64::INFINITY), ("-inf", f64::NEG_INFINITY), ("nan", f64::NAN)] {
        if text.trim_start_matches('+').eq_ignore_ascii_case(name) {
            return Some(value);
        }
    }
    let fits = |b: u8| b.is_ascii_digit() || matches!(b, b'+' | b'-' | b'.' | b'e' | b'E');
    if !text.bytes().all(fits) {
        return None;
    }
    text.parse::<f64>().ok().filter(|value| value.is_finite())
}

/// A real as the shortest text that reads back as the same value of its width (`ty` is `real32` or anything else for
/// `real64`): always with a fraction, so that it stays a real, or `NaN`, `INF`, `-INF`. Tables, MOF and JSON print this.
pub fn real_text(value: f64, ty: CimType) -> String {
    if value.is_nan() {
        return "NaN".to_owned();
    }
    if value.is_infinite() {
        return if value > 0.0 { "INF" } else { "-INF" }.to_owned();
    }
    let narrow = value as f32;
    let text = if ty == CimType::Real32 && narrow.is_finite() { format!("{narrow:?}") } else { format!("{value:?}") };
    match text.find('e') {
        Some(at) if !text.contains('.') => {
            let (mantissa, exponent) = text.split_at(at);
            format!("{mantissa}.0{exponent}")
        }
        _ => text,
    }
}

/// A `char16` as the character it is, or as an escape if it is half of a surrogate pair.
pub fn char16_text(unit: u16) -> String {
    match char::from_u32(u32::from(unit)) {
        Some(c) => c.to_string(),
        None => format!("\\u{{{unit:x}}}"),
    }
}

/// How many properties of an embedded instance a person is shown in one line.
const SHOWN_PROPERTIES: usize = 4;

/// A cell as a person reads it, on one line if its text is: numbers plain, datetimes in words, arrays `{a, b}`, embedded
/// instances abbreviated, `null` for NULL, nothing for an absent one. Not escaped: see [`escape_for_terminal`]. Arrays
/// stop with `…` near `limit` bytes, so that a large one costs no more than what is shown.
pub fn cell_text<'a>(cell: CellRef<'a>, ty: Option<CimType>, null: &'a str, limit: usize) -> Cow<'a, str> {
    let ty = ty.unwrap_or(CimType::String);
    match cell {
        CellRef::Absent => Cow::Borrowed(""),
        CellRef::Null => Cow::Borrowed(null),
        CellRef::Text(text) | CellRef::Untyped(text) => Cow::Borrowed(text),
        CellRef::Bool(value) => Cow::Borrowed(if value { "TRUE" } else { "FALSE" }),
        CellRef::UInt(value) => Cow::Owned(value.to_string()),
        CellRef::SInt(value) => Cow::Owned(value.to_string()),
        CellRef::Real(value) => Cow::Owned(real_text(value, ty)),
        CellRef::Char16(value) => Cow::Owned(char16_text(value)),
        CellRef::DateTime(value) => Cow::Owned(value.human()),
        CellRef::Value(value) => Cow::Owned(value_text(value, ty, null, limit)),
        CellRef::Packed(packed) => Cow::Owned(value_text(&packed.value(), ty, null, limit)),
    }
}

/// A value as a person reads it; as [`cell_text`].
pub fn value_text(value: &CimValue, ty: CimType, null: &str, limit: usize) -> String {
    let mut out = String::new();
    write_value(&mut out, value, ty, null, limit);
    out
}

fn write_value(out: &mut String, value: &CimValue, ty: CimType, null: &str, limit: usize) {
    match value {
        CimValue::Null => out.push_str(null),
        CimValue::Bool(value) => out.push_str(if *value { "TRUE" } else { "FALSE" }),
        CimValue::UInt(value) => out.push_str(&value.to_string()),
        CimValue::SInt(value) => out.push_str(&value.to_string()),
        CimValue::Real(value) => out.push_str(&real_text(*value, ty)),
        CimValue::Char16(value) => out.push_str(&char16_text(*value)),
        CimValue::String(text) | CimValue::Untyped(text) => out.push_str(text),
        CimValue::DateTime(value) => out.push_str(&value.human()),
        CimValue::Reference(path) => out.push_str(&path.to_string()),
        CimValue::Class(class) => {
            out.push_str("class ");
            out.push_str(class.name.as_str());
            out.push_str(" {…}");
        }
        CimValue::Instance(instance) => write_instance(out, instance, null, limit),
        CimValue::Array(items) => {
            out.push('{');
            for (at, item) in items.iter().enumerate() {
                if at > 0 {
                    out.push_str(", ");
                }
                if out.len() >= limit {
                    out.push('…');
                    break;
                }
                write_item(out, item, ty, null, limit);
            }
            out.push('}');
        }
    }
}

/// An item of a list: a text is quoted where it would not be told apart otherwise.
fn write_item(out: &mut String, item: &CimValue, ty: CimType, null: &str, limit: usize) {
    match item {
        CimValue::Null => out.push_str("NULL"),
        CimValue::String(text) | CimValue::Untyped(text) => {
            let plain = !text.is_empty()
                && text.trim() == &**text
                && !text.contains([',', '{', '}', '"', '='])
                && !text.eq_ignore_ascii_case("null");
            if plain {
                out.push_str(text);
            } else {
                out.push('"');
                out.push_str(&text.replace('\\', r"\\").replace('"', "\\\""));
                out.push('"');
            }
        }
        other => write_value(out, other, ty, null, limit),
    }
}

fn write_instance(out: &mut String, instance: &CimInstance, null: &str, limit: usize) {
    out.push_str("instance of ");
    out.push_str(instance.class.as_str());
    out.push_str(" {");
    for (at, property) in instance.properties.iter().enumerate() {
        if at > 0 {
            out.push_str(", ");
        }
        if at >= SHOWN_PROPERTIES || out.len() >= limit {
            out.push('…');
            break;
        }
        out.push_str(property.name.as_str());
        out.push('=');
        write_item(out, &property.value.value, property.value.ty, null, limit);
    }
    out.push('}');
}

/// Whether `c` must not reach a terminal as it is: controls, bidirectional controls, and characters of no width that could
/// hide or reorder text.
pub fn is_unsafe_for_terminal(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
            | '\u{180b}'..='\u{180e}'
            | '\u{200b}'..='\u{200f}'
            | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{3164}' | '\u{feff}' | '\u{ffa0}'
            | '\u{fff9}'..='\u{fffb}'
            | '\u{1d173}'..='\u{1d17a}'
            | '\u{e0000}'..='\u{e0fff}')
}

/// `text` with what [`is_unsafe_for_terminal`] names written as `\n`, `\r`, `\t` or `\u{202e}`.
pub fn escape_for_terminal(text: &str) -> Cow<'_, str> {
    if !text.chars().any(is_unsafe_for_terminal) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        match c {
            '\n' => out.push_str(r"\n"),
            '\r' => out.push_str(r"\r"),
            '\t' => out.push_str(r"\t"),
            c if is_unsafe_for_terminal(c) => {
                // Writing into a String cannot fail.
                let _ = write!(out, "\\u{{{:x}}}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    Cow::Owned(out)
}

#[cfg(test)]
#[path = "text_tests.rs"]
mod tests;
