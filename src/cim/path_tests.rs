//! Tests of object paths and their textual forms.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use super::*;
use proptest::prelude::*;

fn key(name: &str, value: KeyValue) -> KeyBinding {
    KeyBinding { name: CimName::new(name), value }
}

fn parse(text: &str) -> ObjectPath {
    text.parse().unwrap()
}

#[test]
fn prints_as_the_command_line_page_says() {
    let path = ObjectPath::new(
        Some(Namespace::new("root/cimv2")),
        CimName::new("LC_Process"),
        vec![key("OSName", KeyValue::String("Linux".into())), key("Handle", KeyValue::UInt(1))],
    );
    assert_eq!(path.to_string(), "root/cimv2:LC_Process.OSName=\"Linux\",Handle=1");
    assert_eq!(path.to_wmi(), "root\\cimv2:LC_Process.OSName=\"Linux\",Handle=1");
    let path = ObjectPath { host: Some("web01:5989".into()), ..path };
    assert_eq!(path.to_string(), "//web01:5989/root/cimv2:LC_Process.OSName=\"Linux\",Handle=1");
    assert_eq!(path.to_wmi(), "\\\\web01:5989\\root\\cimv2:LC_Process.OSName=\"Linux\",Handle=1");
    assert_eq!(parse(&path.to_string()), path);
    assert_eq!(parse(&path.to_wmi()), path);
}

#[test]
fn reads_both_forms_and_their_odd_corners() {
    let path = parse(r"\\.\root\cimv2:Win32_OperatingSystem=@");
    assert_eq!((path.host, path.keys.len(), path.class.as_str()), (None, 0, "Win32_OperatingSystem"));
    assert_eq!(path.namespace, Some(Namespace::new("root/cimv2")));
    assert_eq!(parse("Win32_LogicalDisk=\"C:\"").keys, [key("", KeyValue::String("C:".into()))]);
    assert_eq!(parse("Win32_LogicalDisk=\"C:\"").to_string(), "Win32_LogicalDisk=\"C:\"");
    assert_eq!(parse("//[::1]:5988/root:A").host.as_deref(), Some("[::1]:5988"));
    assert_eq!(parse("/root/cimv2:A"), parse("root\\cimv2:a"));
    let mixed = parse("A.a=TRUE,b=-5,c=0x1F,d=1.5e3,e=20261122174500.000000+000,f='k'");
    assert_eq!(mixed.key("A"), Some(&KeyValue::Bool(true)));
    assert_eq!(mixed.key("b"), Some(&KeyValue::SInt(-5)));
    assert_eq!(mixed.key("c"), Some(&KeyValue::UInt(31)));
    assert_eq!(mixed.key("d"), Some(&KeyValue::Real(1500.0)));
    assert_eq!(mixed.key("e"), Some(&KeyValue::String("20261122174500.000000+000".into())));
    assert_eq!(mixed.key("f"), Some(&KeyValue::String("k".into())));
    assert_eq!(parse(r#"A.k="C:\temp""#).key("k"), Some(&KeyValue::String(r"C:\temp".into())));
    assert_eq!(parse(r#"A.k="C:\\temp""#).key("k"), Some(&KeyValue::String(r"C:\temp".into())));
}

#[test]
fn references_nest_and_are_escaped_at_each_level() {
    let path = parse(r#"root/lab:LAB_Link.From="LAB_Types.Id=\"max\"",To="LAB_Types.Id=\"a\\\"b\"""#);
    let Some(KeyValue::Reference(to)) = path.key("To") else { panic!("To is {:?}", path.key("To")) };
    assert_eq!(to.key("Id"), Some(&KeyValue::String("a\"b".into())));
    assert_eq!(parse(&path.to_string()), path);
    assert_eq!(parse(&path.to_wmi()), path);
}

#[test]
fn a_class_decides_what_a_text_cannot() {
    use crate::cim::{CimValue, ClassProperty, Qualifier, TypedValue};
    let mut class = CimClass::new("A");
    for (name, ty) in [("S", CimType::String), ("R", CimType::Reference)] {
        let mut property = ClassProperty::new(name, ty);
        property.qualifiers.push(Qualifier::new("Key", TypedValue::scalar(CimType::Boolean, CimValue::Bool(true))));
        class.properties.push(property);
    }
    let path = parse(r#"A.S="B.k=\"1\"",R="B.K= 1""#).typed_by(&class);
    assert_eq!(path.key("S"), Some(&KeyValue::String("B.k=\"1\"".into())));
    assert!(matches!(path.key("R"), Some(KeyValue::String(_))), "not a path at all, so it stays as written");
    let path = parse(r#"A.R="B.K=0x1""#).typed_by(&class);
    assert_eq!(path.key("R"), Some(&KeyValue::Reference(Box::new(parse("B.K=1")))));
    // What looks like a number to whoever types it is what the class says it is.
    let mut number = class.clone();
    for (property, ty) in number.properties.iter_mut().zip([CimType::String, CimType::UInt32]) {
        property.ty = ty;
    }
    let path = parse(r#"A.S=1204,R="17""#).typed_by(&number);
    assert_eq!(path.key("S"), Some(&KeyValue::String("1204".into())));
    assert_eq!(path.key("R"), Some(&KeyValue::UInt(17)));
    let path = parse(r#"A.S=TRUE,R="x""#).typed_by(&number);
    assert_eq!(path.key("S"), Some(&KeyValue::String("TRUE".into())));
    assert_eq!(path.key("R"), Some(&KeyValue::String("x".into())), "no number: the server says so");
    class.properties.truncate(1);
    assert_eq!(parse("A=\"x\"").typed_by(&class), parse("A.S=\"x\""));
}

#[test]
fn errors_say_where() {
    for (text, at, what) in [
        ("", 1, "a class name is missing"),
        ("root/cimv2:", 12, "a class name is missing"),
        ("//host", 7, "after the host a namespace is missing"),
        ("///root:A", 3, "a host is missing"),
        ("root/cimv2", 5, "a character that no class name can have"),
        ("A.", 3, "a key name is missing"),
        (":A.k:l=1", 5, "a character that no key name can have"),
        ("A.k", 4, "after a key name `=` is missing"),
        ("Ä.k=x", 5, "neither a quoted text nor a number, TRUE or FALSE"),
        ("A.k=\"x", 5, "a quote that is not closed"),
        ("A.k=\"x\"y", 8, "more text after the end of the path"),
        ("A.k=1,K=2", 7, "the same key twice"),
        ("A.k=99999999999999999999", 5, "neither a quoted text nor a number, TRUE or FALSE"),
    ] {
        assert_eq!(text.parse::<ObjectPath>(), Err(PathError { at, what }), "{text:?}");
    }
}

#[test]
fn equality_and_hash_ignore_key_order_and_case() {
    let set = std::collections::HashSet::from([parse("root:A.x=1,y=\"2\"")]);
    assert!(set.contains(&parse("ROOT:a.Y=\"2\",X=1")));
    assert!(!set.contains(&parse("root:A.x=1,y=2")));
    assert!(!set.contains(&parse("root:A.x=1")));
    assert_eq!(KeyValue::SInt(4), KeyValue::UInt(4));
    assert_ne!(parse("//h/root:A"), parse("root:A"));
    assert_eq!(parse("//H/root:A"), parse("//h/root:A"));
}

#[test]
fn nesting_is_bounded_when_read_and_when_printed() {
    let mut path = parse("A.k=\"\\\"\\\"\\\"\"");
    for _ in 0..40 {
        path = ObjectPath::new(None, CimName::new("A"), vec![key("k", KeyValue::Reference(Box::new(path)))]);
    }
    let text = path.to_string();
    assert!(text.len() <= 2 * MAX_NESTED_TEXT + 64, "{}", text.len());
    assert!(text.parse::<ObjectPath>().is_ok());
}

fn arb_value() -> impl Strategy<Value = KeyValue> {
    prop_oneof![
        any::<bool>().prop_map(KeyValue::Bool),
        any::<u64>().prop_map(KeyValue::UInt),
        (i64::MIN..0).prop_map(KeyValue::SInt),
        prop::num::f64::NORMAL.prop_map(KeyValue::Real),
        any::<String>()
            .prop_filter("text that is itself a path is read as one", |text| reference(text, MAX_NESTING).is_none())
            .prop_map(|text| KeyValue::String(text.into())),
        "[\"\\\\,=.:'a/ ]{0,12}"
            .prop_filter("text that is itself a path is read as one", |text| reference(text, MAX_NESTING).is_none())
            .prop_map(|text| KeyValue::String(text.into())),
    ]
}

fn arb_path() -> impl Strategy<Value = ObjectPath> {
    let flat = arb_one(arb_value().boxed());
    flat.prop_recursive(3, 12, 3, |inner| {
        let with_keys = inner.prop_filter("a reference has keys", |path: &ObjectPath| !path.keys.is_empty());
        arb_one(prop_oneof![arb_value(), with_keys.prop_map(|path| KeyValue::Reference(Box::new(path)))].boxed())
    })
}

fn arb_one(value: BoxedStrategy<KeyValue>) -> impl Strategy<Value = ObjectPath> {
    (
        prop::option::of("[a-z0-9.]{2,9}(:[0-9]{4})?"),
        prop::option::of("[a-z]{1,5}(/[a-z0-9_.]{1,6}){0,2}"),
        "[A-Z]{2}_[A-Za-zä0-9]{0,8}",
        prop::collection::btree_map("[a-z][a-zA-Z_]{0,5}", value, 0..4),
    )
        .prop_map(|(host, namespace, class, keys)| ObjectPath {
            host,
            namespace: namespace.map(|text| Namespace::new(&text)),
            class: CimName::new(&class),
            keys: keys.into_iter().map(|(name, value)| key(&name, value)).fold(
                Vec::new(),
                |mut keys: Vec<KeyBinding>, key| {
                    if keys.iter().all(|known| known.name != key.name) {
                        keys.push(key);
                    }
                    keys
                },
            ),
        })
}

use crate::cim::{CimClass, CimType};

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn what_is_printed_is_read_back(path in arb_path()) {
        prop_assert_eq!(&parse(&path.to_string()), &path);
        prop_assert_eq!(&parse(&path.to_wmi()), &path);
    }
}
