//! Tests of [`super`]: values as text.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use proptest::prelude::*;

use super::*;
use crate::cim::{InstanceProperty, TypedValue};

fn wrong(ty: CimType, text: &str) -> String {
    parse_value(ty, text).unwrap_err().to_string()
}

#[test]
fn integers_are_exact_and_bounded() {
    use CimType::*;
    for (ty, text, value) in [
        (UInt8, "255", CimValue::UInt(255)),
        (UInt64, "18446744073709551615", CimValue::UInt(u64::MAX)),
        (SInt64, "-9223372036854775808", CimValue::SInt(i64::MIN)),
        (SInt8, " +127\n", CimValue::SInt(127)),
        (UInt16, "0x1F", CimValue::UInt(31)),
        (SInt16, "-0X10", CimValue::SInt(-16)),
        (UInt8, "101b", CimValue::UInt(5)),
        (UInt32, "0010", CimValue::UInt(10)),
        (UInt32, "-0", CimValue::UInt(0)),
    ] {
        assert_eq!(parse_value(ty, text), Ok(value), "{ty} {text}");
    }
    assert_eq!(wrong(UInt8, "256"), "not a uint8: outside 0 to 255");
    assert_eq!(wrong(SInt8, "-129"), "not a sint8: outside -128 to 127");
    assert_eq!(wrong(UInt64, "18446744073709551616"), "not a uint64: outside 0 to 18446744073709551615");
    assert_eq!(wrong(UInt64, "-1"), "not a uint64: outside 0 to 18446744073709551615");
    for text in ["", "-", "0x", "b", "1.0", "1 2", "0x-5", "٣", "--1", "0b1"] {
        assert_eq!(wrong(UInt32, text), "not a uint32: not an integer", "{text:?}");
    }
}

#[test]
fn reals_read_as_servers_write_them() {
    let real = |ty, text| match parse_value(ty, text) {
        Ok(CimValue::Real(value)) => value,
        other => panic!("{text}: {other:?}"),
    };
    assert_eq!(real(CimType::Real32, "3.4028235e+38"), 3.4028235e38);
    assert_eq!(real(CimType::Real64, "1.7976931348623157e+308"), f64::MAX);
    assert_eq!(real(CimType::Real64, "1.0000000000000001e-01"), 0.1);
    assert_eq!(real(CimType::Real64, "-.5"), -0.5);
    assert_eq!(real(CimType::Real64, "+INF"), f64::INFINITY);
    assert_eq!(real(CimType::Real32, "-inf"), f64::NEG_INFINITY);
    assert!(real(CimType::Real32, "NaN").is_nan());
    assert_eq!(wrong(CimType::Real32, "1e39"), "not a real32: too large");
    assert_eq!(wrong(CimType::Real64, "1e999"), "not a real64: not a number");
    for text in ["", ".", "infinity", "1,5", "0x1", "e5"] {
        assert_eq!(wrong(CimType::Real64, text), "not a real64: not a number", "{text:?}");
    }
}

#[test]
fn reals_print_the_shortest_text_of_their_width() {
    for (value, narrow, wide) in [
        (1.0, "1.0", "1.0"),
        (f64::from(0.1_f32), "0.1", "0.10000000149011612"),
        (1.001_000_046_730_04, "1.001", "1.00100004673004"),
        (3.4028235e38, "3.4028235e38", "3.4028235e38"),
        (1e300, "1.0e300", "1.0e300"),
        (-0.0, "-0.0", "-0.0"),
        (f64::NAN, "NaN", "NaN"),
        (f64::NEG_INFINITY, "-INF", "-INF"),
    ] {
        assert_eq!(real_text(value, CimType::Real32), narrow);
        assert_eq!(real_text(value, CimType::Real64), wide);
    }
}

#[test]
fn characters_booleans_and_datetimes() {
    assert_eq!(parse_value(CimType::Char16, "é"), Ok(CimValue::Char16(0xe9)));
    assert_eq!(parse_value(CimType::Char16, " "), Ok(CimValue::Char16(0x20)));
    assert_eq!(wrong(CimType::Char16, "𝄞"), "not a char16: more than one UTF-16 code unit");
    assert_eq!(wrong(CimType::Char16, "ab"), "not a char16: more than one UTF-16 code unit");
    assert_eq!(wrong(CimType::Char16, ""), "not a char16: no character");
    assert_eq!(parse_value(CimType::Boolean, "tRuE "), Ok(CimValue::Bool(true)));
    assert_eq!(parse_value(CimType::Boolean, "FALSE"), Ok(CimValue::Bool(false)));
    assert_eq!(wrong(CimType::Boolean, "1"), "not a boolean: neither TRUE nor FALSE");
    assert_eq!(parse_value(CimType::String, " a\n"), Ok(CimValue::string(" a\n")));
    assert_eq!(wrong(CimType::DateTime, "today"), "not a datetime: not 25 characters");
    assert_eq!(wrong(CimType::Reference, "A."), "not a reference: a key name is missing (character 3)");
    assert!(matches!(parse_value(CimType::Reference, "root:A.k=1"), Ok(CimValue::Reference(_))));
}

#[test]
fn a_person_reads_values() {
    let show = |value: &CimValue, ty| value_text(value, ty, "-", 80);
    let array = |items: &[&str]| CimValue::Array(items.iter().map(|text| CimValue::string(text)).collect());
    assert_eq!(show(&CimValue::Null, CimType::String), "-");
    assert_eq!(show(&array(&["one", "", "three"]), CimType::String), "{one, \"\", three}");
    assert_eq!(show(&array(&["a, b", "null", "\""]), CimType::String), r#"{"a, b", "null", "\""}"#);
    assert_eq!(show(&CimValue::Array(vec![CimValue::Null, CimValue::UInt(7)]), CimType::UInt8), "{NULL, 7}");
    assert_eq!(show(&CimValue::Array(Vec::new()), CimType::UInt8), "{}");
    assert_eq!(show(&CimValue::Char16(0x41), CimType::Char16), "A");
    assert_eq!(show(&CimValue::Char16(0xd800), CimType::Char16), r"\u{d800}");
    assert_eq!(show(&CimValue::Real(f64::from(0.1_f32)), CimType::Real32), "0.1");
    let mut instance = CimInstance::new("LAB_Inner");
    for name in ["A", "B", "C", "D", "E"] {
        instance.properties.push(InstanceProperty {
            name: name.into(),
            value: TypedValue::scalar(CimType::UInt8, CimValue::UInt(1)),
            is_typed: true,
            embedded: None,
            reference_class: None,
        });
    }
    let text = show(&CimValue::Instance(Box::new(instance)), CimType::String);
    assert_eq!(text, "instance of LAB_Inner {A=1, B=1, C=1, D=1, …}");
    let long = show(&CimValue::Array(vec![CimValue::UInt(1); 100_000]), CimType::UInt8);
    assert!(long.len() < 100 && long.ends_with(", …}"), "{long}");
}

#[test]
fn cells_read_like_values() {
    let show = |cell, ty| cell_text(cell, Some(ty), "-", 80).into_owned();
    assert_eq!(show(CellRef::Absent, CimType::String), "");
    assert_eq!(show(CellRef::Null, CimType::String), "-");
    assert_eq!(show(CellRef::Text(""), CimType::String), "");
    assert_eq!(show(CellRef::Bool(true), CimType::Boolean), "TRUE");
    assert_eq!(show(CellRef::SInt(-3), CimType::SInt8), "-3");
    assert_eq!(show(CellRef::Real(f64::from(0.1_f32)), CimType::Real32), "0.1");
    let when = "20261120081500.000000+000".parse().unwrap();
    assert_eq!(show(CellRef::DateTime(when), CimType::DateTime), "2026-11-20 08:15:00 +00:00");
}

#[test]
fn nothing_that_moves_or_hides_reaches_a_terminal() {
    assert!(matches!(escape_for_terminal("Grüße, 世界 ✓ 𝄞"), Cow::Borrowed(_)));
    assert_eq!(escape_for_terminal("a\u{1b}[2Jb\nc\td\r"), r"a\u{1b}[2Jb\nc\td\r");
    assert_eq!(
        escape_for_terminal("\u{202e}x\u{2066}\u{200b}\u{feff}\u{9b}\u{7f}\u{e0041}"),
        r"\u{202e}x\u{2066}\u{200b}\u{feff}\u{9b}\u{7f}\u{e0041}"
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn reals_read_back(wide in any::<f64>(), narrow in any::<f32>()) {
        let back = parse_real(&real_text(wide, CimType::Real64)).unwrap();
        prop_assert!(back.to_bits() == wide.to_bits() || (back.is_nan() && wide.is_nan()));
        let back = parse_real(&real_text(f64::from(narrow), CimType::Real32)).unwrap() as f32;
        prop_assert!(back.to_bits() == narrow.to_bits() || (back.is_nan() && narrow.is_nan()));
    }

    #[test]
    fn integers_read_back(value in any::<i64>(), unsigned in any::<u64>()) {
        prop_assert_eq!(parse_value(CimType::SInt64, &value.to_string()), Ok(CimValue::SInt(value)));
        prop_assert_eq!(parse_value(CimType::UInt64, &unsigned.to_string()), Ok(CimValue::UInt(unsigned)));
        prop_assert_eq!(parse_value(CimType::UInt64, &format!("{unsigned:#x}")), Ok(CimValue::UInt(unsigned)));
    }

    #[test]
    fn any_text_is_read_without_a_panic(text in any::<String>(), odd in "[-+0-9xXbBeE.infNa]{0,12}") {
        for ty in CimType::ALL {
            let _ = parse_value(ty, &text);
            let _ = parse_value(ty, &odd);
        }
        prop_assert!(!escape_for_terminal(&text).chars().any(is_unsafe_for_terminal));
    }
}
