//! Tests of the JSON the command line prints.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use proptest::prelude::*;

use super::*;
use crate::cim::{
    InstanceProperty, TypedValue, mof,
    rows::{Column, RowWriter, ShapeId},
};

fn column(name: &str, ty: CimType) -> Column {
    Column::new(CimName::new(name), ty)
}

fn shape(columns: Vec<Column>, keys: &[&str]) -> Shape {
    Shape {
        class: CimName::new("LC_Process"),
        namespace: Some(Namespace::new("root/cimv2")),
        host: None,
        columns,
        path_keys: keys.iter().map(|key| CimName::new(key)).collect(),
    }
}

fn json(
    shape: &Shape,
    cells: &[CellRef<'_>],
    keys: &[KeyValue],
    write: fn(&mut String, &Shape, &RowBatch, usize),
) -> String {
    let mut writer = RowWriter::default();
    writer.begin(ShapeId(0));
    for cell in cells {
        writer.cell(*cell);
    }
    for key in keys {
        writer.key(key.clone());
    }
    writer.end();
    let mut out = String::new();
    write(&mut out, shape, &writer.take(), 0);
    serde_json::from_str::<serde_json::Value>(&out).unwrap_or_else(|error| panic!("{error}: {out}"));
    out
}

#[test]
fn a_row_is_printed_as_the_command_line_page_shows() {
    let columns = vec![
        column("Handle", CimType::String),
        column("Priority", CimType::UInt32),
        column("KernelModeTime", CimType::UInt64),
        column("CreationDate", CimType::DateTime),
        column("Caption", CimType::String),
        column("Left", CimType::String),
        column("Out", CimType::String),
    ];
    let cells = [
        CellRef::Text("1"),
        CellRef::UInt(20),
        CellRef::UInt(1200),
        CellRef::DateTime("20261120081500.000000+000".parse().unwrap()),
        CellRef::Null,
        CellRef::Absent,
    ];
    let keys = [KeyValue::String("1".into())];
    assert_eq!(
        json(&shape(columns.clone(), &["Handle"]), &cells, &keys, write_row),
        r#"{"path":"root/cimv2:LC_Process.Handle=\"1\"","namespace":"root/cimv2","class":"LC_Process","properties":{"Handle":"1","Priority":20,"KernelModeTime":"1200","CreationDate":"20261120081500.000000+000","Caption":null,"Left":null,"Out":null}}"#
    );
    assert_eq!(
        json(&Shape { namespace: None, ..shape(Vec::new(), &[]) }, &[], &[], write_row),
        r#"{"path":null,"namespace":null,"class":"LC_Process","properties":{}}"#
    );
}

#[test]
fn keys_alone_have_the_types_of_their_columns() {
    let shape = shape(vec![column("A", CimType::UInt64), column("B", CimType::UInt16)], &["A", "B", "C", "D", "E"]);
    let keys =
        [KeyValue::UInt(1), KeyValue::UInt(2), KeyValue::SInt(-3), KeyValue::UInt(5_000_000_000), KeyValue::Bool(true)];
    assert_eq!(
        json(&shape, &[], &keys, write_keys),
        r#"{"path":"root/cimv2:LC_Process.A=1,B=2,C=-3,D=5000000000,E=TRUE","namespace":"root/cimv2","class":"LC_Process","keys":{"A":"1","B":2,"C":-3,"D":"5000000000","E":true}}"#
    );
}

#[test]
fn every_value_keeps_what_json_could_lose() {
    let written = |value: &CimValue, ty: CimType| {
        let mut out = String::new();
        write_value(&mut out, value, Some(ty));
        out
    };
    for (value, ty, wanted) in [
        (CimValue::UInt(u64::MAX), CimType::UInt64, r#""18446744073709551615""#),
        (CimValue::SInt(i64::MIN), CimType::SInt64, r#""-9223372036854775808""#),
        (CimValue::UInt(4_294_967_295), CimType::UInt32, "4294967295"),
        (CimValue::Real(f64::from(0.1_f32)), CimType::Real32, "0.1"),
        (CimValue::Real(1e300), CimType::Real64, "1.0e300"),
        (CimValue::Real(f64::NAN), CimType::Real64, r#""NaN""#),
        (CimValue::Real(f64::NEG_INFINITY), CimType::Real32, r#""-INF""#),
        (CimValue::Char16(0x41), CimType::Char16, r#""A""#),
        (CimValue::Char16(0xd800), CimType::Char16, r#""\\u{d800}""#),
        (
            CimValue::string("a\"\\\n\u{1b}\u{9b}\u{202e}\u{e0041}ü𝄞"),
            CimType::String,
            r#""a\"\\\n\u001b\u009b\u202e\udb40\udc41ü𝄞""#,
        ),
        (CimValue::Untyped("7".into()), CimType::String, r#""7""#),
        (CimValue::Array(vec![CimValue::Null, CimValue::UInt(7)]), CimType::UInt64, r#"[null,"7"]"#),
        (CimValue::Reference(Box::new("root:A.k=\"v\"".parse().unwrap())), CimType::Reference, r#""root:A.k=\"v\"""#),
    ] {
        assert_eq!(written(&value, ty), wanted);
    }
    let mut inner = CimInstance::new("LAB_Inner");
    inner.properties.push(InstanceProperty {
        name: "Count".into(),
        value: TypedValue::scalar(CimType::SInt64, CimValue::SInt(7)),
        is_typed: true,
        embedded: None,
        reference_class: None,
    });
    let wanted = r#"{"class":"LAB_Inner","properties":{"Count":"7"}}"#;
    assert_eq!(written(&CimValue::Instance(Box::new(inner.clone())), CimType::String), wanted);
    inner.path = Some("root/lab:LAB_Inner.Name=\"x\"".parse().unwrap());
    let mut out = String::new();
    write_instance(&mut out, &inner);
    assert_eq!(
        out,
        r#"{"path":"root/lab:LAB_Inner.Name=\"x\"","namespace":"root/lab","class":"LAB_Inner","properties":{"Count":"7"}}"#
    );
}

#[test]
fn names_and_classes() {
    let mut out = String::new();
    write_namespace(&mut out, &Namespace::new("root/cimv2"));
    write_class_name(&mut out, &Namespace::new("root/cimv2"), &CimName::new("CIM_Process"));
    assert_eq!(out, r#"{"namespace":"root/cimv2"}{"namespace":"root/cimv2","class":"CIM_Process"}"#);
    let text = "#pragma namespace(\"root/x\")
        [Version(\"1\")] class A : B { [Key, MaxLen(4)] string K[2] = {\"a\"}; uint64 N = 5; C REF R; uint32 M([In(false), Out] C REF P[]); void V(); };";
    let unit = mof::parse("t", text, &mut mof::NoLibrary).unwrap();
    let mut out = String::new();
    write_class(&mut out, unit.classes().next().unwrap());
    assert_eq!(
        out,
        concat!(
            r#"{"namespace":"root/x","class":"A","superclass":"B","qualifiers":{"Version":{"type":"string","value":"1"}},"#,
            r#""properties":[{"name":"K","type":"string","array":true,"array_size":2,"key":true,"origin":null,"reference_class":null,"default":["a"],"#,
            r#""qualifiers":{"Key":{"type":"boolean","value":true},"MaxLen":{"type":"uint32","value":4}}},"#,
            r#"{"name":"N","type":"uint64","array":false,"array_size":null,"key":false,"origin":null,"reference_class":null,"default":"5","qualifiers":{}},"#,
            r#"{"name":"R","type":"reference","array":false,"array_size":null,"key":false,"origin":null,"reference_class":"C","default":null,"qualifiers":{}}],"#,
            r#""methods":[{"name":"M","return_type":"uint32","origin":null,"qualifiers":{},"parameters":[{"name":"P","type":"reference","array":true,"in":false,"out":true,"#,
            r#""reference_class":"C","qualifiers":{"In":{"type":"boolean","value":false},"Out":{"type":"boolean","value":true}}}]},"#,
            r#"{"name":"V","return_type":null,"origin":null,"qualifiers":{},"parameters":[]}]}"#
        )
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn any_text_is_the_same_in_json(text in any::<String>()) {
        let mut out = String::new();
        write_text(&mut out, &text);
        prop_assert!(!out.chars().any(is_unsafe_for_terminal));
        prop_assert_eq!(serde_json::from_str::<String>(&out).unwrap(), text);
    }

    #[test]
    fn any_finite_real_is_the_same_in_json(value in prop::num::f64::NORMAL | prop::num::f64::SUBNORMAL | prop::num::f64::ZERO) {
        let mut out = String::new();
        write_real(&mut out, value, Some(CimType::Real64));
        prop_assert_eq!(out.parse::<f64>().unwrap().to_bits(), value.to_bits());
        prop_assert!(serde_json::from_str::<f64>(&out).is_ok());
    }
}
