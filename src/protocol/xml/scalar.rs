//! Scalars as text: the value a text is, by its type.
//!
//! Owns: the spellings of booleans, integers, reals, characters and CIM's datetimes that protocols share. Must not know where
//! values stand.

use crate::cim::{CimDateTime, CimType, rows::CellRef};

/// The scalar `text` is, or `None` if it is no value of `ty`.
pub fn of(ty: CimType, text: &str) -> Option<CellRef<'_>> {
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

/// What is told about a value that is none of its type.
pub fn odd(ty: CimType, text: &str) -> String {
    format!("{} is no {ty}; it is shown as it was sent", shown(text))
}

/// The beginning of a text that a server sent, quoted.
pub fn shown(text: &str) -> String {
    format!("{:?}", text.chars().take(40).collect::<String>())
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
            assert_eq!(of(ty, text), expected, "{ty} {text:?}");
        }
    }
}
