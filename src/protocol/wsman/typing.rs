//! Values that came before their type was known.
//!
//! Owns: what such a value is once its class has come. Must not know rows.

use super::decode::value::{Declared, is_octets, octets, scalar};
use crate::cim::{CimType, CimValue};

/// `value` as one of type `ty`; what is none of that type stays as it was sent.
pub(super) fn typed(ty: CimType, is_array: bool, value: CimValue) -> CimValue {
    match value {
        CimValue::Untyped(text) => {
            let declared = Declared { ty: Some(ty), is_array };
            if is_octets(declared, &text)
                && let Some(octets) = octets(&text)
            {
                return octets;
            }
            let value = scalar(ty, &text).and_then(|cell| cell.to_value()).unwrap_or(CimValue::Untyped(text));
            if is_array { CimValue::Array(vec![value]) } else { value }
        }
        CimValue::Array(items) => {
            let items = items.into_iter().map(|item| match item {
                CimValue::Untyped(_) => typed(ty, false, item),
                item => item,
            });
            CimValue::Array(items.collect())
        }
        value => value,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn untyped(text: &str) -> CimValue {
        CimValue::Untyped(Box::from(text))
    }

    #[test]
    fn a_value_is_of_its_type_or_stays_as_it_was_sent() {
        let cases = [
            (CimType::UInt16, false, untyped("7"), CimValue::UInt(7)),
            (CimType::UInt16, true, untyped("7"), CimValue::Array(vec![CimValue::UInt(7)])),
            (CimType::UInt16, false, untyped("many"), untyped("many")),
            (CimType::Boolean, false, untyped("TRUE"), CimValue::Bool(true)),
            (CimType::String, false, untyped(""), CimValue::string("")),
            (
                CimType::SInt8,
                true,
                CimValue::Array(vec![untyped("-1"), CimValue::Null, untyped("x")]),
                CimValue::Array(vec![CimValue::SInt(-1), CimValue::Null, untyped("x")]),
            ),
            (CimType::UInt8, true, untyped("AQID"), CimValue::Array([1, 2, 3].map(CimValue::UInt).to_vec())),
            (CimType::String, false, CimValue::Bool(true), CimValue::Bool(true)),
        ];
        for (ty, is_array, value, expected) in cases {
            assert_eq!(typed(ty, is_array, value.clone()), expected, "{value:?} as {ty}");
        }
    }
}
