//! Queries read, and conditions decided for instances of a class made for it.
#![allow(clippy::unwrap_used, clippy::panic)]

use super::*;
use crate::cim::{CimClass, ClassProperty};

fn class() -> SchemaClass {
    let mut class = CimClass::new("T");
    for (name, ty) in [
        ("Text", CimType::String),
        ("Wide", CimType::UInt64),
        ("Low", CimType::SInt32),
        ("Real", CimType::Real64),
        ("Flag", CimType::Boolean),
        ("When", CimType::DateTime),
        ("Unit", CimType::Char16),
        ("Nothing", CimType::UInt8),
    ] {
        class.properties.push(ClassProperty::new(name, ty));
    }
    class.properties.push(ClassProperty { is_array: true, ..ClassProperty::new("Many", CimType::String) });
    SchemaClass::new(class, None)
}

fn values() -> Vec<CimValue> {
    vec![
        CimValue::string("it's"),
        CimValue::UInt(u64::MAX),
        CimValue::SInt(-5),
        CimValue::Real(2.5),
        CimValue::Bool(true),
        CimValue::DateTime("20261122174500.000000+060".parse().unwrap()),
        CimValue::Char16(u16::from(b'x')),
        CimValue::Null,
        CimValue::Array(Vec::new()),
    ]
}

fn holds(text: &str) -> bool {
    let condition = condition(text).unwrap_or_else(|error| panic!("{text}: {error}"));
    condition.check(&class()).unwrap_or_else(|error| panic!("{text}: {error}"));
    condition.holds(&class(), &values())
}

#[test]
fn conditions_hold_as_their_values_say() {
    for yes in [
        "Text = 'it\\'s'",
        "text = \"it's\"",
        "Text<>'IT'",
        "Wide = 18446744073709551615",
        "Wide > 18446744073709551614",
        "Low < -4 AND Low >= -5 AND Low <= -5",
        "Low = -5.0",
        "Real > 2 AND Real < 2.6e0 AND Real = +2.5",
        "Flag = true AND Flag != FALSE",
        "When = '20261122174500.000000+060' AND When > '20251122174500.000000+060'",
        "Unit = 'x' AND Unit < 'xy' AND Unit <> 'X'",
        "Nothing IS NULL AND Text IS NOT NULL AND Many is not null",
        "Nothing = 1 OR Low = -5",
        "NOT (Low = 1 OR Low = 2) and not not Low = -5",
        "Low = 1 AND Low = 2 OR Low = -5",
    ] {
        assert!(holds(yes), "{yes}");
    }
    for no in [
        "Text = 'IT\\'S'",
        "Wide = 18446744073709551614",
        "Wide > 99999999999999999999999999",
        "Nothing = 0",
        "Nothing <> 0",
        "NOT Nothing = 0",
        "NOT (Nothing = 0 AND Low = -5)",
        "When < '20271122174500.000000+000'",
        "NOT When < '20271122174500.000000+000'",
        "When = '2026112217450*.******+060'",
        "Low = 1 AND (Low = 2 OR Low = -5)",
    ] {
        assert!(!holds(no), "{no}");
    }
}

#[test]
fn what_is_not_understood_is_refused_with_words() {
    for (text, says) in [
        ("", "a property belongs at the end"),
        ("Low", "after Low"),
        ("Low = ", "something else than a literal"),
        ("Low = Wide", "something else than a literal"),
        ("Low LIKE 'x'", "after Low"),
        ("Low = 1 Low = 2", "does not read further at Low"),
        ("(Low = 1", "not closed"),
        ("Low = 'x", "not closed"),
        ("Low = 'x\\", "not closed"),
        ("Low = 1e999", "no number"),
        ("Low = 1x", "no number"),
        ("Low = 1 ; drop", "';' means nothing"),
        ("1 = Low", "a property belongs at 1"),
        ("Low IS 5", "NULL belongs at 5"),
    ] {
        let error = condition(text).unwrap_err().to_string();
        assert!(error.contains(says), "{text}: {error}");
    }
    assert!(condition(&"(".repeat(10_000)).unwrap_err().to_string().contains("deeper"));
    assert!(condition(&"NOT ".repeat(4_000)).unwrap_err().to_string().contains("deeper"));
    assert!(condition(&"x".repeat(LENGTH_MAX + 1)).unwrap_err().to_string().contains("longer"));
    for (text, says) in [
        ("NoSuch = 1", "no property NoSuch"),
        ("NOT (NoSuch IS NULL)", "no property NoSuch"),
        ("Text = 1", "Text is a string"),
        ("Low = 'x'", "Low is a sint32"),
        ("Flag > TRUE", "Flag is a boolean"),
        ("When = 'today'", "When is a datetime"),
        ("Many = 'x'", "Many is a string array"),
    ] {
        let error = condition(text).unwrap().check(&class()).unwrap_err().to_string();
        assert!(error.contains(says), "{text}: {error}");
    }
}

#[test]
fn a_whole_query_names_properties_a_class_and_perhaps_a_condition() {
    let all = select("select * from T").unwrap();
    assert_eq!((all.properties, all.class, all.condition), (None, CimName::new("T"), None));
    let some = select(" SELECT Low , Text FROM T WHERE Low = 1 ").unwrap();
    assert_eq!(some.properties.unwrap(), [CimName::new("Low"), CimName::new("Text")]);
    assert_eq!(some.condition, Some(Condition::Compare(CimName::new("Low"), Comparison::Equal, Literal::Integer(1))));
    for wrong in
        ["", "SELECT", "SELECT * FROM", "SELECT Low Text FROM T", "SELECT *, Low FROM T", "SELECT * FROM T WHERE"]
    {
        assert!(select(wrong).is_err(), "{wrong}");
    }
}

proptest::proptest! {
    #[test]
    fn no_text_makes_the_reader_panic(text in "[ -~äß]{0,60}") {
        let _ = select(&text);
        let _ = condition(&text);
    }

    #[test]
    fn a_text_in_quotes_comes_back_as_it_was(text in ".{0,20}") {
        let quoted = text.replace('\\', "\\\\").replace('\'', "\\'");
        let read = condition(&format!("Text = '{quoted}'")).unwrap();
        let literal = Literal::Text(text);
        proptest::prop_assert_eq!(read, Condition::Compare(CimName::new("Text"), Comparison::Equal, literal));
    }
}
