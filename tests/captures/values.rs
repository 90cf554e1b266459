//! LAB_Types and LAB_Keys, value by value, and what is particular about single answers.

use std::path::Path;

use lazycim::{
    cim::{CimType, CimValue, EmbeddedKind, Flavor, KeyValue, Namespace, Scopes, rows::RowStore},
    protocol::cimxml::decode::Expect,
};
use libtest_mimic::{Failed, Trial};

use super::{Outcome, decode, read};

/// The trials.
pub fn trials(folder: &Path) -> Vec<Trial> {
    let trial = |name: &'static str, file: &'static str, expect: Expect, check: fn(Outcome) -> Result<(), Failed>| {
        let path = folder.join(format!("{file}.resp.http"));
        Trial::test(format!("{file}: {name}"), move || {
            let answer = read(&path).ok_or("no answer")?;
            check(decode(&answer, &expect, std::iter::empty()))
        })
    };
    vec![
        trial("every value", "pegasus/017-lab-types-all", Expect::Instances, |it| rows(it, PEGASUS)),
        trial("every value", "sfcb/017-lab-types-all", Expect::Instances, |it| rows(it, SFCB)),
        trial("embedded instances", "pegasus/017-lab-types-all", Expect::Instances, embedded),
        trial("the class", "pegasus/007-getclass-lab-types", Expect::Classes, |it| class(it, true)),
        trial("the class", "sfcb/007-getclass-lab-types", Expect::Classes, |it| class(it, false)),
        trial("references", "pegasus/008-getclass-association", Expect::Classes, link),
        trial("references", "sfcb/008-getclass-association", Expect::Classes, link),
        trial("keys of every type", "pegasus/019-lab-keys-names", Expect::InstanceNames, keys),
        trial("keys of every type", "pegasus/020-lab-keys", Expect::Instances, keys),
        trial("awkward key text", "pegasus/018-lab-types-names", Expect::InstanceNames, |it| awkward(it, "\"日本語\"")),
        trial("awkward key text", "sfcb/018-lab-types-names", Expect::InstanceNames, |it| awkward(it, "日本語")),
        trial("escaped char16", "pegasus/209-badchar16-wire", Expect::Instances, |it| {
            let store = it.store();
            let column = column(&store, "C16")?;
            let found: Vec<_> = (0..store.len()).map(|row| format!("{:?}", store.cell(row, column))).collect();
            equal("C16", &found, &["38", "60", "34", "9731"].map(|it| format!("Char16({it})")).to_vec())
        }),
        trial("pull parameters", "pegasus/039-open-enum-instances", Expect::Instances, |it| {
            let names: Vec<_> = it.parameters.iter().map(|parameter| parameter.0.to_string()).collect();
            equal("parameters", &names, &vec!["EndOfSequence".to_owned(), "EnumerationContext".to_owned()])?;
            equal("EndOfSequence", &it.parameters[0].1.value, &CimValue::string("FALSE"))?;
            let path = it.store().path(0).ok_or("no path")?;
            equal("path", &path.to_string().as_str(), &"//vm/root/lab:LAB_Types.Id=\"max\"")
        }),
        trial("three kinds of references", "pegasus/033-lab-references", Expect::Instances, |it| {
            let store = it.store();
            let from = column(&store, "From")?;
            for row in 0..store.len() {
                let cell = store.cell(row, from).to_value();
                let Some(CimValue::Reference(path)) = cell else { return Err("no reference".into()) };
                equal("class", &path.class.to_string().to_lowercase().as_str(), &"lab_types")?;
            }
            Ok(())
        }),
        trial("associations", "pegasus/032-lab-referencenames", Expect::ObjectPaths, |it| {
            let path = it.store().path(0).ok_or("no path")?;
            let text = "//vm/root/lab:LAB_Link.From=\"LAB_Types.Id=\\\"max\\\"\",To=\"LAB_Types.Id=\\\"min\\\"\"";
            equal("path", &path.to_string().as_str(), &text)
        }),
        trial("a selection", "sfcb/057-execquery-where", Expect::Objects, |it| {
            let store = it.store();
            let names: Vec<_> = store.columns().iter().map(|column| column.column.name.to_string()).collect();
            equal("columns", &names, &vec!["U64".to_owned(), "Id".to_owned()])?;
            let value = store.cell(0, column(&store, "U64")?).to_value();
            equal("U64", &value, &Some(CimValue::UInt(u64::MAX)))
        }),
        trial("class paths", "pegasus/036-referencenames-class", Expect::ObjectPaths, |it| {
            equal("first", &it.names[0].as_str(), &"CIM_SystemComponent")?;
            equal("rows", &it.rows(), &0)
        }),
        trial("an associated class", "pegasus/035-associators-class", Expect::Objects, |it| {
            let class = &it.classes[0];
            equal("class", &class.name.as_str(), &"CIM_OperatingSystem")?;
            equal("namespace", &class.namespace, &Some(Namespace::new("root/cimv2")))
        }),
        trial("qualifier types", "pegasus/009-enumerate-qualifiers", Expect::Qualifiers, qualifiers),
        trial("qualifier types", "sfcb/009-enumerate-qualifiers", Expect::Qualifiers, qualifiers),
        trial("a method's answer", "pegasus/060-invokemethod-static", Expect::Values, |it| {
            equal("value", &it.value.map(|value| value.value), &Some(CimValue::string("Hello, Bob!")))?;
            equal("out", &it.parameters[0].1.value, &CimValue::string("From Neverland"))
        }),
    ]
}

fn equal<T: PartialEq + std::fmt::Debug>(what: &str, found: &T, expected: &T) -> Result<(), Failed> {
    if found == expected { Ok(()) } else { Err(format!("{what}: {expected:?} expected, {found:?} found").into()) }
}

fn column(store: &RowStore, name: &str) -> Result<usize, Failed> {
    store.columns().iter().position(|it| it.column.name == name).ok_or_else(|| format!("no column {name}").into())
}

fn row_of(store: &RowStore, id: &str) -> Result<usize, Failed> {
    let key = KeyValue::String(Box::from(id));
    let found = (0..store.len()).find(|row| store.path(*row).is_some_and(|path| path.key("Id") == Some(&key)));
    found.ok_or_else(|| format!("no row {id}").into())
}

/// Id, property, value as `Debug` shows the cell.
type Expected = &'static [(&'static str, &'static [(&'static str, &'static str)])];

fn rows(outcome: Outcome, expected: Expected) -> Result<(), Failed> {
    equal("shapes", &outcome.shapes.len(), &1)?;
    let store = outcome.store();
    let ids: std::collections::BTreeSet<_> = expected.iter().map(|row| row.0).collect();
    equal("rows", &store.len(), &ids.len())?;
    for (id, cells) in expected {
        let row = row_of(&store, id)?;
        let path = store.path(row).ok_or("no path")?;
        equal("namespace", &path.namespace.as_ref().map(|it| it.as_str()), &Some("root/lab"))?;
        for (property, value) in *cells {
            let found = format!("{:?}", store.cell(row, column(&store, property)?));
            equal(&format!("{id}.{property}"), &found.as_str(), value)?;
        }
    }
    Ok(())
}

#[rustfmt::skip]
const MAX: &[(&str, &str)] = &[
    ("Bool", "Bool(true)"), ("U8", "UInt(255)"), ("U16", "UInt(65535)"), ("U32", "UInt(4294967295)"),
    ("U64", "UInt(18446744073709551615)"), ("S8", "SInt(127)"), ("S16", "SInt(32767)"), ("S32", "SInt(2147483647)"),
    ("S64", "SInt(9223372036854775807)"), ("R32", "Real(3.4028235e38)"), ("R64", "Real(1.7976931348623157e308)"),
    ("When", "DateTime(20261122174500.123456+060)"), ("HowLong", "DateTime(00000123010203.000004:000)"),
    ("Id", "Text(\"max\")"), ("Text", "Text(\"plain\")"),
    ("Octets", "Packed(Array([UInt(0), UInt(0), UInt(0), UInt(7), UInt(1), UInt(2), UInt(255)]))"),
    ("AU8", "Packed(Array([UInt(0), UInt(1), UInt(255)]))"), ("AU64", "Packed(Array([UInt(0), UInt(18446744073709551615)]))"),
    ("ABool", "Packed(Array([Bool(true), Bool(false)]))"),
    ("AText", "Packed(Array([String(\"one\"), String(\"\"), String(\"three\")]))"),
    ("AR64", "Packed(Array([Real(0.0), Real(-1.5), Real(1e-10)]))"),
];

#[rustfmt::skip]
const MIN: &[(&str, &str)] = &[
    ("Bool", "Bool(false)"), ("U8", "UInt(0)"), ("U16", "UInt(0)"), ("U32", "UInt(0)"), ("U64", "UInt(0)"),
    ("S8", "SInt(-128)"), ("S16", "SInt(-32768)"), ("S32", "SInt(-2147483648)"), ("S64", "SInt(-9223372036854775808)"),
    ("R32", "Real(-1.5)"), ("R64", "Real(0.1)"), ("When", "DateTime(20261122******.******-480)"),
    ("HowLong", "DateTime(99999999235959.999999:000)"),
];

#[rustfmt::skip]
const PEGASUS: Expected = &[
    ("max", MAX),
    ("max", &[
        ("C16", "Char16(39)"), ("AC16", "Packed(Array([Char16(39)]))"), ("Empty", "Text(\"\")"), ("NoValue", "Null"),
        ("AWhen", "Packed(Array([DateTime(20261122174500.000000+000)]))"), ("AEmpty", "Null"), ("Inner", "Null"),
        ("Inners", "Null"), ("AnyObject", "Null"),
    ]),
    ("min", MIN),
    ("min", &[
        ("C16", "Char16(60)"), ("Octets", "Null"), ("Empty", "Text(\"\")"),
        ("Text", "Text(\"<a href=\\\"x\\\">&amp; 'q' ]]> \\t tab \\n newline \\r\\n crlf</a>\")"),
    ]),
    ("nulls", &[("Bool", "Null"), ("U64", "Null"), ("When", "Null"), ("AU8", "Null"), ("Empty", "Text(\"\")")]),
    ("embedded", &[("Bool", "Null"), ("Text", "Null")]),
    ("käse & <Öl> \"日本語\"", &[
        ("Id", "Text(\"käse & <Öl> \\\"日本語\\\"\")"), ("Text", "Text(\"Grüße, 世界 — ✓ 𝄞\")"), ("C16", "Char16(38)"),
        ("AText", "Packed(Array([String(\"<b>\"), String(\"ключ\"), String(\"]]>\")]))"),
    ]),
];

#[rustfmt::skip]
const SFCB: Expected = &[
    ("max", MAX),
    ("max", &[
        ("C16", "Char16(65)"), ("AC16", "Packed(Array([Char16(97), Char16(90)]))"), ("AnyObject", "Absent"),
        ("AWhen", "Packed(Array([DateTime(20261122174500.000000+000), DateTime(00000001000000.000000:000)]))"),
    ]),
    ("min", MIN),
    ("min", &[
        ("C16", "Char16(122)"), ("Octets", "Absent"),
        ("Text", "Text(\"<a href=\\\"x\\\">&amp; 'q' ]]> \\\\t tab \\\\n newline</a>\")"),
    ]),
    ("nulls", &[("Bool", "Absent"), ("Text", "Absent"), ("Id", "Text(\"nulls\")")]),
    ("käse & <Öl> 日本語", &[
        ("Text", "Text(\"Grüße, 世界 — ✓ 𝄞\")"), ("C16", "Char16(121)"), ("AnyObject", "Text(\"NULL\")"), ("U8", "Absent"),
    ]),
];

fn embedded(outcome: Outcome) -> Result<(), Failed> {
    let store = outcome.store();
    let row = row_of(&store, "embedded")?;
    let text = |value: &CimValue, property: &str| match value {
        CimValue::Instance(instance) if instance.class == "LAB_Inner" => {
            instance.property(property).map(|property| property.value.value.clone())
        }
        _ => None,
    };
    let value = |name: &str| column(&store, name).map(|at| store.cell(row, at).to_value().unwrap());
    let inner = value("Inner")?;
    equal("Inner.Name", &text(&inner, "Name"), &Some(CimValue::string("in1")))?;
    equal("Inner.Count", &text(&inner, "Count"), &Some(CimValue::UInt(1)))?;
    equal("Inner.Text", &text(&inner, "Text"), &Some(CimValue::string("x < y & \"z\"")))?;
    let CimValue::Array(inners) = value("Inners")? else { return Err("no array".into()) };
    let texts: Vec<_> = inners.iter().map(|inner| text(inner, "Text")).collect();
    equal("Inners", &texts, &vec![Some(CimValue::string("ä")), Some(CimValue::string("<![CDATA[deep]]>"))])?;
    equal("AnyObject.Name", &text(&value("AnyObject")?, "Name"), &Some(CimValue::string("in4")))?;
    let kind = |name: &str| column(&store, name).map(|at| store.columns()[at].column.embedded);
    equal("kind", &(kind("Inner")?, kind("Text")?), &(Some(EmbeddedKind::Instance), None))
}

fn class(outcome: Outcome, is_pegasus: bool) -> Result<(), Failed> {
    let class = &outcome.classes[0];
    equal("name", &class.name.as_str(), &"LAB_Types")?;
    equal("properties", &class.properties.len(), &30)?;
    let keys: Vec<_> = class.keys().map(|key| key.name.as_str()).collect();
    equal("keys", &keys, &vec!["Id"])?;
    let description = "One property of every intrinsic CIM type. Has <angle> & \"quote\" characters,.";
    equal("description", &class.description(), &Some(description))?;
    let types: Vec<_> = class.properties.iter().skip(1).take(14).map(|property| property.ty).collect();
    let mut expected = CimType::ALL.to_vec();
    expected.retain(|ty| !matches!(ty, CimType::String | CimType::Reference));
    expected.push(CimType::DateTime);
    equal("types", &types, &expected)?;
    let version = &class.qualifiers[0];
    equal("flavour", &(version.flavor.to_subclass, version.flavor.translatable), &(!is_pegasus, is_pegasus))?;
    let octets = class.property("Octets").ok_or("no Octets")?;
    equal("Octets", &(octets.ty, octets.is_array), &(CimType::UInt8, true))?;
    equal("Empty", &class.property("Empty").map(|it| it.default.clone()), &Some(CimValue::string("")))?;
    equal("NoValue", &class.property("NoValue").map(|it| it.default.clone()), &Some(CimValue::Null))?;
    equal("Inner", &class.property("Inner").and_then(|it| it.embedded()), &Some(EmbeddedKind::Instance))?;
    equal("AnyObject", &class.property("AnyObject").and_then(|it| it.embedded()), &Some(EmbeddedKind::Object))
}

fn link(outcome: Outcome) -> Result<(), Failed> {
    let class = &outcome.classes[0];
    equal("association", &class.is_association(), &true)?;
    let from = class.property("from").ok_or("no From")?;
    equal("From", &(from.ty, from.is_key()), &(CimType::Reference, true))?;
    equal("class", &from.reference_class.as_ref().map(|it| it.as_str()), &Some("LAB_Types"))
}

fn keys(outcome: Outcome) -> Result<(), Failed> {
    let store = outcome.store();
    equal("rows", &store.len(), &2)?;
    let text = |text: &str| KeyValue::String(Box::from(text));
    let expected = [
        [
            text("a\\b\"c"),
            KeyValue::UInt(7),
            KeyValue::Bool(true),
            KeyValue::SInt(i64::MIN),
            text("20261122174500.000000+000"),
            text("k"),
        ],
        [
            text("lead and trail"),
            KeyValue::UInt(4_294_967_295),
            KeyValue::Bool(false),
            KeyValue::UInt(i64::MAX as u64),
            text("00000001000000.000000:000"),
            text("\""),
        ],
    ];
    for (row, expected) in expected.iter().enumerate() {
        let path = store.path(row).ok_or("no path")?;
        for (number, value) in expected.iter().enumerate() {
            equal("key", &path.key(&format!("K{}", number + 1)), &Some(value))?;
        }
    }
    Ok(())
}

fn awkward(outcome: Outcome, last: &str) -> Result<(), Failed> {
    let store = outcome.store();
    row_of(&store, &format!("käse & <Öl> {last}")).map(|_| ())
}

/// Both servers declare the same: a key is a boolean that cannot be overridden, on properties and references.
fn qualifiers(it: Outcome) -> Result<(), Failed> {
    let find = |name: &str| it.qualifiers.iter().find(|one| one.name == name).ok_or(format!("no qualifier {name}"));
    let key = find("Key")?;
    equal("type", &(key.ty, key.is_array), &(CimType::Boolean, false))?;
    equal("default", &key.default, &CimValue::Bool(false))?;
    equal("scopes", &key.scopes, &Scopes { property: true, reference: true, ..Scopes::default() })?;
    equal("flavor", &key.flavor, &Flavor { overridable: false, ..Flavor::default() })?;
    let constraint = find("ClassConstraint")?;
    equal("type", &(constraint.ty, constraint.is_array), &(CimType::String, true))?;
    equal("default", &constraint.default, &CimValue::Null)?;
    let scopes = Scopes { class: true, association: true, indication: true, ..Scopes::default() };
    equal("scopes", &constraint.scopes, &scopes)
}
