//! Prediction against the general way: the same bytes, cut anywhere, give the same rows.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use proptest::prelude::*;

use crate::{
    cim::{
        CimClass, CimType, CimValue, ClassProperty, Namespace, ObjectPath, Qualifier, TypedValue,
        rows::{RowStore, Shape},
    },
    op::Limits,
    protocol::{
        cimxml::decode::{Decoder, Expect},
        xml::fault::DecodeError,
    },
};

const HEAD: &str = "<CIM><MESSAGE ID='1'><SIMPLERSP><IMETHODRESPONSE NAME=\"X\"><IRETURNVALUE>\n";
const TAIL: &str = "</IRETURNVALUE></IMETHODRESPONSE></SIMPLERSP></MESSAGE></CIM>\n";

/// What an answer decodes to, in a form that can be compared.
#[derive(Debug, PartialEq)]
struct Told {
    shapes: Vec<Shape>,
    rows: Vec<(Vec<Option<CimValue>>, Option<ObjectPath>)>,
    warnings: Vec<String>,
    result: Result<(), DecodeError>,
}

/// Decodes `pieces` as the product does: what was decoded is taken after each, shapes are completed where `class` is given.
fn told<'a>(mut decoder: Decoder, pieces: impl Iterator<Item = &'a [u8]>, class: Option<&CimClass>) -> (Told, u64) {
    let mut store = RowStore::default();
    let (mut warnings, mut result) = (Vec::new(), Ok(()));
    let mut take = |decoder: &mut Decoder| {
        let decoded = decoder.take();
        for (id, shape) in decoded.shapes {
            let shape = match class {
                Some(class) => {
                    let completed = Shape::clone(&shape).completed(class, None);
                    decoder.adopt(id, completed.clone());
                    completed.into()
                }
                None => shape,
            };
            store.add_shape(id, shape);
        }
        decoded.rows.into_iter().for_each(|batch| assert_eq!(store.push(batch), 0));
        warnings.extend(decoded.warning);
    };
    for piece in pieces {
        result = decoder.feed(piece);
        take(&mut decoder);
        if result.is_err() {
            break;
        }
    }
    result = result.and_then(|()| decoder.finish());
    take(&mut decoder);
    let rows = (0..store.len()).map(|row| {
        let cells = store.cells(row).into_iter().map(|cell| cell.to_value()).collect();
        (cells, store.path(row))
    });
    let rows = rows.collect();
    let shapes = store.shapes().iter().map(|shape| Shape::clone(shape)).collect();
    (Told { shapes, rows, warnings, result }, decoder.predicted())
}

fn decoder(limits: Limits) -> Decoder {
    Decoder::new(Expect::Instances, limits, Some(Namespace::new("root/x")), None)
}

fn general(body: &[u8]) -> Told {
    told(decoder(Limits::default()).general(), std::iter::once(body), None).0
}

fn body(items: &str) -> Vec<u8> {
    format!("{HEAD}{items}{TAIL}").into_bytes()
}

fn name(class: &str, key: &str) -> String {
    format!(
        "<INSTANCENAME CLASSNAME=\"{class}\">\n<KEYBINDING NAME=\"K\">\n<KEYVALUE VALUETYPE=\"string\">{key}</KEYVALUE>\n\
         </KEYBINDING>\n<KEYBINDING NAME=\"N\"><KEYVALUE VALUETYPE=\"numeric\">7</KEYVALUE></KEYBINDING></INSTANCENAME>"
    )
}

fn named(class: &str, key: &str, properties: &str) -> String {
    let name = name(class, key);
    format!(
        "<VALUE.NAMEDINSTANCE>\n{name}\n<INSTANCE CLASSNAME=\"{class}\">{properties}</INSTANCE>\n</VALUE.NAMEDINSTANCE>\n"
    )
}

/// Twelve instances of every regular kind of property, the last ones with some left out.
fn regular() -> String {
    let item = |number: usize| {
        let key = format!("k{number}");
        let reference = name("B", &format!("r{number}"));
        let null = if number.is_multiple_of(3) { "" } else { "<VALUE>x&lt;&#233; y\r\nz</VALUE>" };
        let left_out = format!("\n<PROPERTY NAME=\"L\" TYPE=\"sint8\"><VALUE>-{number}</VALUE></PROPERTY>");
        let left_out = if number > 7 { "" } else { &left_out };
        let properties = format!(
            "\n<PROPERTY NAME=\"K\" TYPE=\"string\">\n<VALUE>{key}</VALUE>\n</PROPERTY>\n\
             <PROPERTY NAME=\"T\" TYPE=\"string\">{null}</PROPERTY>{left_out}\
             <PROPERTY NAME=\"U\" TYPE=\"uint64\"/>\
             <PROPERTY NAME=\"D\" TYPE=\"datetime\"><VALUE>20261122******.******-480</VALUE></PROPERTY>\
             <PROPERTY NAME=\"F\" TYPE=\"boolean\"><VALUE>TRUE</VALUE></PROPERTY>\
             <PROPERTY.ARRAY NAME=\"A\" TYPE=\"uint16\"><VALUE.ARRAY>\n<VALUE>1</VALUE>\n<VALUE>{number}</VALUE>\n\
             </VALUE.ARRAY></PROPERTY.ARRAY><PROPERTY.ARRAY NAME=\"S\" TYPE=\"string\"></PROPERTY.ARRAY>\
             <PROPERTY.REFERENCE NAME=\"R\" REFERENCECLASS=\"B\">\n<VALUE.REFERENCE>\n<INSTANCEPATH><NAMESPACEPATH>\
             <HOST>h</HOST><LOCALNAMESPACEPATH><NAMESPACE NAME=\"root\"/></LOCALNAMESPACEPATH></NAMESPACEPATH>{reference}\
             </INSTANCEPATH></VALUE.REFERENCE></PROPERTY.REFERENCE>"
        );
        named("A", &key, &properties)
    };
    (0..12).map(item).collect()
}

#[test]
fn regular_answers_are_read_by_prediction_and_the_same() {
    let body = body(&regular());
    let expected = general(&body);
    assert_eq!((expected.rows.len(), &expected.result), (12, &Ok(())));
    let (predicted, count) = told(decoder(Limits::default()), std::iter::once(body.as_slice()), None);
    assert_eq!(predicted, expected);
    assert_eq!(count, 11, "all but the first are foreseen");
}

#[test]
fn where_a_regular_answer_is_cut_does_not_matter() {
    let body = body(&regular());
    let expected = general(&body);
    for cut in 0..=body.len() {
        let (before, after) = body.split_at(cut);
        let (found, count) = told(decoder(Limits::default()), [before, after].into_iter(), None);
        assert_eq!(found, expected, "cut at {cut}");
        assert!(count >= 9, "cut at {cut}: {count} predicted");
    }
    for size in [1, 2, 63, 700] {
        assert_eq!(told(decoder(Limits::default()), body.chunks(size), None).0, expected, "pieces of {size}");
    }
}

#[test]
fn bare_instances_and_instances_with_paths_are_foreseen_too() {
    let property = |text: &str| format!("<PROPERTY NAME=\"P\" TYPE=\"string\"><VALUE>{text}</VALUE></PROPERTY>");
    let bare = |text: &str| format!("<INSTANCE CLASSNAME=\"A\">{}</INSTANCE>", property(text));
    let with_path = |text: &str| {
        format!(
            "<VALUE.INSTANCEWITHPATH><INSTANCEPATH><NAMESPACEPATH><HOST>h</HOST><LOCALNAMESPACEPATH><NAMESPACE NAME=\"n\"/>\
             </LOCALNAMESPACEPATH></NAMESPACEPATH>{}</INSTANCEPATH>{}</VALUE.INSTANCEWITHPATH>",
            name("A", text),
            bare(text)
        )
    };
    for items in [["a", "b", "c"].map(bare).concat(), ["a", "b", "c"].map(with_path).concat()] {
        let body = body(&items);
        let (found, count) = told(decoder(Limits::default()), std::iter::once(body.as_slice()), None);
        assert_eq!((found, count), (general(&body), 2));
    }
}

#[test]
fn what_is_irregular_goes_the_general_way() {
    let plain = "<PROPERTY NAME=\"P\" TYPE=\"string\"><VALUE>a</VALUE></PROPERTY>";
    let before = named("A", "1", plain) + &named("A", "2", plain);
    let reference_key = "<INSTANCENAME CLASSNAME=\"A\"><KEYBINDING NAME=\"K\"><VALUE.REFERENCE>".to_owned()
        + &name("B", "x")
        + "</VALUE.REFERENCE></KEYBINDING></INSTANCENAME>";
    let cases = [
        plain.replace("a<", "<![CDATA[</VALUE></PROPERTY>]]><"),
        plain.replace("a<", "<!-- x -->a<"),
        plain.replace("a<", "&nosuch;<"),
        plain.replace("a<", "<b/><"),
        plain.replace("a<", "\u{1}<"),
        plain.replace("<VALUE>a</VALUE>", "<VALUE/>"),
        plain.replace("<VALUE>a</VALUE>", "<VALUE.NULL/>"),
        plain.replace("<VALUE>", "x<VALUE>"),
        plain.replace("NAME=\"P\" TYPE=\"string\"", "TYPE='string' NAME='P'"),
        plain.replace("\"P\"", "\"p\""),
        plain.replace("string", "uint8"),
        plain.replace("TYPE", "EmbeddedObject=\"object\" TYPE"),
        plain.repeat(2),
        plain.to_owned() + "<QUALIFIER NAME=\"Q\" TYPE=\"string\"><VALUE>q</VALUE></QUALIFIER>",
        plain.replace("</VALUE>", "</VALUE ></PROPERTY><PROPERTY NAME=\"Z\" TYPE=\"sint8\">"),
        plain.replace("</PROPERTY>", "</VALUE>"),
    ];
    let item = |properties: &String| named("A", "3", properties);
    let names = [reference_key.as_str(), "<INSTANCENAME CLASSNAME=\"A\"/>", "<CLASSNAME NAME=\"A\"/>"];
    let others = names.map(|name| {
        format!("<VALUE.NAMEDINSTANCE>{name}<INSTANCE CLASSNAME=\"A\">{plain}</INSTANCE></VALUE.NAMEDINSTANCE>")
    });
    for odd in cases.iter().map(item).chain(others) {
        let body = body(&[&before, &odd, &odd, &before, &odd, &before].map(String::as_str).concat());
        let expected = general(&body);
        assert_eq!(told(decoder(Limits::default()), std::iter::once(body.as_slice()), None).0, expected, "{odd}");
        for size in [1, 40, 333] {
            assert_eq!(told(decoder(Limits::default()), body.chunks(size), None).0, expected, "{size}: {odd}");
        }
    }
}

#[test]
fn limits_hold_for_what_is_foreseen() {
    let item = |length: usize| {
        named(
            "A",
            "1",
            &format!("<PROPERTY NAME=\"P\" TYPE=\"string\"><VALUE>{}</VALUE></PROPERTY>", "x".repeat(length)),
        )
    };
    let small = Limits { value_bytes: 100, buffer_bytes: 4_000, ..Limits::default() };
    for (length, key) in [(101, "value_bytes"), (9_000, "buffer_bytes")] {
        let body = body(&(item(1) + &item(2) + &item(length)));
        for size in [400, 3_000] {
            let (found, count) = told(decoder(small), body.chunks(size), None);
            assert_eq!((found.result.unwrap_err().limit, found.rows.len(), count), (Some(key), 2, 1));
        }
    }
    let flat = Limits { xml_depth: 20, ..Limits::default() };
    let body = body(&regular());
    assert_eq!(told(decoder(flat), std::iter::once(body.as_slice()), None).1, 0, "depth is not measured by prediction");
}

/// A class that says more than the rows: a key, a property that holds embedded objects, one that was not sent.
fn class() -> CimClass {
    let mut class = CimClass::new("A");
    for (name, ty, qualifier) in [
        ("T", CimType::String, Some("EmbeddedObject")),
        ("K", CimType::String, Some("Key")),
        ("Late", CimType::UInt8, None),
    ] {
        let mut property = ClassProperty::new(name, ty);
        let value = TypedValue::scalar(CimType::Boolean, CimValue::Bool(true));
        property.qualifiers.extend(qualifier.map(|name| Qualifier::new(name, value)));
        class.properties.push(property);
    }
    class
}

/// Instances of few classes with few properties, mostly alike.
fn items() -> impl Strategy<Value = String> {
    let text = prop_oneof![
        4 => "[a-z ]{0,6}",
        1 => prop::sample::select(vec!["&amp;", "\r\n", "<![CDATA[<]]>", "300", "-1", "TRUE", "&x;", "&lt;INSTANCE CLASSNAME='I'/&gt;"])
            .prop_map(str::to_owned),
    ];
    let property = (0..9_usize, text, 0..8_u8).prop_map(|(which, text, form)| {
        let (element, attributes) = [
            ("PROPERTY", "NAME=\"K\" TYPE=\"string\""),
            ("PROPERTY", "NAME=\"T\" TYPE=\"string\""),
            ("PROPERTY", "NAME=\"t\" TYPE='string'"),
            ("PROPERTY", "NAME=\"U\" TYPE=\"uint8\""),
            ("PROPERTY", "NAME=\"Late\" TYPE=\"boolean\""),
            ("PROPERTY.ARRAY", "NAME=\"A\" TYPE=\"sint16\""),
            ("PROPERTY.ARRAY", "TYPE=\"string\" NAME=\"S\""),
            ("PROPERTY.REFERENCE", "NAME=\"R\" REFERENCECLASS=\"B\""),
            ("PROPERTY", "NAME=\"E\" TYPE=\"string\" EmbeddedObject=\"object\""),
        ][which];
        let content = match (form, element) {
            (0, _) => return format!("<{element} {attributes}/>"),
            (1, _) => " ".to_owned(),
            (_, "PROPERTY") if which == 3 && form > 3 => "<VALUE>7</VALUE>".to_owned(),
            (_, "PROPERTY") => format!("<VALUE>{text}</VALUE>"),
            (_, "PROPERTY.ARRAY") => format!("<VALUE.ARRAY><VALUE>{text}</VALUE>\n<VALUE>5</VALUE></VALUE.ARRAY>"),
            _ => format!("<VALUE.REFERENCE>{}</VALUE.REFERENCE>", name("B", &text)),
        };
        format!("<{element} {attributes}>{content}</{element}>\n")
    });
    let properties = prop::collection::vec(property, 0..6).prop_map(|them| them.concat());
    let instance = (0..8_u8, "[a-c]", properties).prop_map(|(class, key, properties)| match class {
        0 => format!("<INSTANCE CLASSNAME=\"A\">{properties}</INSTANCE>"),
        1 => named("B", &key, &properties),
        _ => named("A", &key, &properties),
    });
    // The same item several times is what prediction lives on.
    prop::collection::vec((instance, 1..4_usize), 1..8)
        .prop_map(|them| them.into_iter().map(|(item, times)| item.repeat(times)).collect())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    /// Prediction and the general way agree on anything, however it is cut, and on any damage done to it.
    #[test]
    fn both_ways_agree(
        items in items(),
        damage in prop::option::of((any::<prop::sample::Index>(), any::<u8>())),
        size in 1..2_000_usize,
        completed: bool,
    ) {
        let mut body = body(&items);
        if let Some((at, byte)) = damage {
            let at = at.index(body.len());
            body[at] = byte;
        }
        let class = class();
        let class = completed.then_some(&class);
        let (expected, none) = told(decoder(Limits::default()).general(), body.chunks(size), class);
        prop_assert_eq!(none, 0);
        prop_assert_eq!(told(decoder(Limits::default()), body.chunks(size), class).0, expected);
    }
}
