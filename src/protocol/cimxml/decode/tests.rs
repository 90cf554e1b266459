//! The decoder on made-up answers: limits, encodings, odd but legal XML, and anything at all.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod sent;

use proptest::prelude::*;

use super::*;
use crate::{
    cim::{
        CimClass,
        rows::{CellRef, RowStore, Shape},
    },
    op::RawExcerpt,
    protocol::xml::fault::DecodeError,
};

const HEAD: &str = "<?xml version=\"1.0\"?><!-- x --><CIM><MESSAGE ID='1'><SIMPLERSP><IMETHODRESPONSE NAME=\"X\">";
const TAIL: &str = "</IMETHODRESPONSE></SIMPLERSP></MESSAGE></CIM>\n";

fn decoder(expect: Expect) -> Decoder {
    Decoder::new(expect, Limits::default(), Some(Namespace::new("root/x")), None)
}

fn decode_with(mut decoder: Decoder, body: &[u8]) -> (RowStore, Decoded, Result<(), DecodeError>) {
    let result = decoder.feed(body).and_then(|()| decoder.finish());
    let mut decoded = decoder.take();
    let mut store = RowStore::default();
    for (id, shape) in decoded.shapes.drain(..) {
        store.add_shape(id, shape);
    }
    for batch in decoded.rows.drain(..) {
        assert_eq!(store.push(batch), 0);
    }
    (store, decoded, result)
}

fn decode(items: &str) -> (RowStore, Decoded, Result<(), DecodeError>) {
    let body = format!("{HEAD}<IRETURNVALUE>{items}</IRETURNVALUE>{TAIL}");
    decode_with(decoder(Expect::Instances), body.as_bytes())
}

fn instance(properties: &str) -> String {
    format!("<INSTANCE CLASSNAME=\"A\">{properties}</INSTANCE>")
}

fn property(name: &str, ty: &str, value: &str) -> String {
    format!("<PROPERTY NAME=\"{name}\" TYPE=\"{ty}\">{value}</PROPERTY>")
}

fn value(name: &str, ty: &str, text: &str) -> String {
    property(name, ty, &format!("<VALUE>{text}</VALUE>"))
}

#[test]
fn null_empty_absent_and_odd_values_stay_apart() {
    let first = [property("N", "string", " \n "), value("E", "string", ""), value("O", "uint8", "300")].concat();
    let (store, decoded, result) = decode(&(instance(&first) + &instance(&value("E", "string", "x"))));
    result.unwrap();
    let cells: Vec<_> = (0..3).map(|column| store.cell(0, column)).collect();
    assert_eq!(cells, [CellRef::Null, CellRef::Text(""), CellRef::Untyped("300")]);
    assert_eq!(store.cell(1, 0), CellRef::Absent);
    assert!(decoded.warning.unwrap().contains("\"300\" is no uint8"));
}

#[test]
fn a_class_keeps_one_shape_whatever_its_rows_leave_out_or_reorder() {
    let (a, b, c) = (value("P", "uint8", "1"), value("q", "string", "2"), value("R", "string", "3"));
    let rows = [[&a, &b, &c].map(String::as_str).concat(), [c.clone(), a.clone()].concat(), value("Q", "string", "4")];
    let extra = value("New", "boolean", "true") + &b;
    let (store, _, result) = decode(&rows.iter().chain([&extra]).map(|row| instance(row)).collect::<String>());
    result.unwrap();
    assert_eq!(store.shapes().len(), 1);
    let row = |row: usize| (0..4).map(|column| store.cell(row, column)).collect::<Vec<_>>();
    assert_eq!(row(1), [CellRef::UInt(1), CellRef::Absent, CellRef::Text("3"), CellRef::Absent]);
    assert_eq!(row(2)[1], CellRef::Text("4"));
    assert_eq!(row(3), [CellRef::Absent, CellRef::Text("2"), CellRef::Absent, CellRef::Bool(true)]);
}

#[test]
fn a_property_that_changes_its_type_makes_a_second_shape() {
    let rows =
        [value("P", "uint8", "1"), value("P", "string", "a"), value("P", "uint8", "2"), value("P", "string", "b")];
    let (store, _, result) = decode(&rows.iter().map(|row| instance(row)).collect::<String>());
    result.unwrap();
    assert_eq!(
        store.shapes().iter().map(|shape| shape.columns[0].ty).collect::<Vec<_>>(),
        [Some(CimType::UInt8), Some(CimType::String)]
    );
    let cells: Vec<_> = (0..4).map(|row| store.cell(row, 0)).collect();
    assert_eq!(cells, [CellRef::UInt(1), CellRef::Text("a"), CellRef::UInt(2), CellRef::Text("b")]);
}

#[test]
fn an_adopted_shape_is_where_later_columns_are_found() {
    let mut decoder = decoder(Expect::Instances);
    decoder.feed(format!("{HEAD}<IRETURNVALUE>{}", instance(&value("P", "uint8", "1"))).as_bytes()).unwrap();
    let first = decoder.take();
    let mut class = CimClass::new("A");
    class.properties =
        vec![crate::cim::ClassProperty::new("Q", CimType::String), crate::cim::ClassProperty::new("P", CimType::UInt8)];
    let (id, shape) = &first.shapes[0];
    decoder.adopt(*id, Shape::clone(shape).completed(&class, None));
    decoder.feed(instance(&value("q", "string", "x")).as_bytes()).unwrap();
    let second = decoder.take();
    assert!(second.shapes.is_empty(), "the column was there already");
    assert_eq!(second.rows[0].cell(0, 1), CellRef::Text("x"));
}

#[test]
fn embedded_objects_come_as_entities_or_cdata_and_only_so_deep() {
    let inner = instance(&value("X", "string", "a &amp;amp; b"));
    let escaped = inner.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    for text in [escaped, format!("<![CDATA[{inner}]]>")] {
        for attribute in ["EmbeddedObject", "EMBEDDEDOBJECT"] {
            let item = instance(&format!(
                "<PROPERTY NAME=\"I\" TYPE=\"string\" {attribute}=\"instance\"><VALUE>{text}</VALUE></PROPERTY>"
            ));
            let (store, _, result) = decode(&item);
            result.unwrap();
            let CellRef::Value(CimValue::Instance(found)) = store.cell(0, 0) else { panic!("{:?}", store.cell(0, 0)) };
            assert_eq!(found.property("X").unwrap().value.value, CimValue::string("a &amp; b"));
        }
    }
    let mut nested = instance(&value("X", "string", "end"));
    for _ in 0..16 {
        let escaped = nested.replace('&', "&amp;").replace('<', "&lt;").replace('"', "&quot;");
        nested = instance(&format!(
            "<PROPERTY NAME=\"I\" TYPE=\"string\" EmbeddedObject=\"object\"><VALUE>{escaped}</VALUE></PROPERTY>"
        ));
        if nested.len() > 1 << 20 {
            break;
        }
    }
    let mut limits = Limits { embedded_depth: 3, ..Limits::default() };
    let body = format!("{HEAD}<IRETURNVALUE>{nested}</IRETURNVALUE>{TAIL}");
    let error = decode_with(Decoder::new(Expect::Instances, limits, None, None), body.as_bytes()).2.unwrap_err();
    assert_eq!((error.limit, error.item), (Some("embedded_depth"), Some(0)));
    limits.embedded_depth = 16;
    decode_with(Decoder::new(Expect::Instances, limits, None, None), body.as_bytes()).2.unwrap();
}

#[test]
fn every_limit_has_its_own_error_and_earlier_rows_stay() {
    let good = instance(&value("P", "uint8", "1"));
    let small = Limits { value_bytes: 100, buffer_bytes: 4_000, ..Limits::default() };
    let cases = [
        (instance(&format!("{}{}", "<X>".repeat(300), "</X>".repeat(300))), "xml_depth"),
        (instance(&value("P", "string", &"x".repeat(101))), "value_bytes"),
        (instance(&value("P", "string", &"x".repeat(9_000))), "buffer_bytes"),
        (format!("<INSTANCE CLASSNAME=\"{}", "x".repeat(9_000)), "buffer_bytes"),
    ];
    for (bad, key) in cases {
        let mut decoder = Decoder::new(Expect::Instances, small, None, None);
        decoder.feed(format!("{HEAD}<IRETURNVALUE>{good}").as_bytes()).unwrap();
        let error = bad.as_bytes().chunks(100).try_for_each(|chunk| decoder.feed(chunk)).unwrap_err();
        assert_eq!((error.limit, decoder.rows()), (Some(key), 1), "{error}");
        assert!(decoder.held() < 4_200, "{} bytes held", decoder.held());
        assert_eq!(decoder.feed(b"<x/>").unwrap_err(), error, "it stays broken");
    }
    let long = instance(&value(&"n".repeat(5_000), "string", ""));
    assert_eq!(decode(&long).2.unwrap_err().limit, Some("name_bytes"));
}

#[test]
fn what_is_not_cim_xml_says_so() {
    let cases = [
        ("<html><head/></html>", "HTML"),
        ("<!doctype html><p>", "HTML"),
        ("{\"a\":1}", "JSON"),
        ("Service unavailable", "begins with text"),
        ("<s:Envelope xmlns:s='x'/>", "WS-Man"),
        ("<!DOCTYPE CIM [<!ENTITY a \"b\">]><CIM/>", "internal subset"),
        ("<CIM><MESSAGE></MESSAGE></CIM>", "no response"),
        ("<CIM><SIMPLEREQ/></CIM>", "SIMPLEREQ"),
        ("", "empty"),
        ("<CIM><MESSAGE>", "in the middle"),
        ("<CIM></MESSAGE>", "end tag"),
        ("<CIM></CIM><CIM></CIM>", "second root"),
        ("<CIM><MESSAGE>hm</MESSAGE></CIM>", "text where"),
        ("\u{feff}<CIM><1/></CIM>", "begins no markup"),
    ];
    for (body, words) in cases {
        let error = decode_with(decoder(Expect::Anything), body.as_bytes()).2.unwrap_err();
        assert!(error.message.contains(words), "{body}: {error}");
    }
    let good =
        "<!DOCTYPE CIM SYSTEM \"a>b[\"><CIM><MESSAGE><SIMPLERSP><IMETHODRESPONSE/></SIMPLERSP></MESSAGE></CIM>\0";
    let good = good.replace("a>b[", "a>b");
    decode_with(decoder(Expect::Anything), good.as_bytes()).2.unwrap();
}

#[test]
fn other_encodings_give_the_same_rows() {
    let body = format!("{HEAD}<IRETURNVALUE>{}</IRETURNVALUE>{TAIL}", instance(&value("P", "string", "k\u{e4}se")));
    let declared = body.replace("version=\"1.0\"", "version=\"1.0\" encoding='ISO-8859-1'");
    let latin = |text: &str| text.chars().map(|c| c as u8).collect::<Vec<u8>>();
    let utf16 = |text: &str| text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<u8>>();
    let cases: [(Option<&str>, Vec<u8>); 6] = [
        (None, body.clone().into_bytes()),
        (None, [b"\xef\xbb\xbf", body.as_bytes()].concat()),
        (None, latin(&declared)),
        (Some("latin1"), latin(&body)),
        (None, [&b"\xff\xfe"[..], &utf16(&body)].concat()),
        (Some("no-such-charset"), utf16(&body)),
    ];
    for (charset, bytes) in cases {
        for size in [1, 7, bytes.len()] {
            let mut decoder = Decoder::new(Expect::Instances, Limits::default(), None, charset);
            bytes.chunks(size).try_for_each(|chunk| decoder.feed(chunk)).unwrap();
            decoder.finish().unwrap();
            assert_eq!(decoder.take().rows[0].cell(0, 0), CellRef::Text("k\u{e4}se"), "{charset:?}");
        }
    }
    let error = decode_with(decoder(Expect::Instances), &latin(&body)).2.unwrap_err();
    assert!(error.message.contains("not UTF-8") && error.item == Some(0));
}

/// What `body` fails with in pieces of `size`, and the text around it.
fn broken(body: &[u8], size: usize) -> (DecodeError, Option<RawExcerpt>) {
    let mut decoder = decoder(Expect::Instances);
    let result = body.chunks(size).try_for_each(|chunk| decoder.feed(chunk)).and_then(|()| decoder.finish());
    (result.unwrap_err(), decoder.take_excerpt())
}

#[test]
fn the_raw_text_is_that_of_the_item_however_the_answer_was_cut() {
    let good = instance(&value("P", "string", "ok"));
    let cases = [
        // Found when the item is decoded.
        (
            "<VALUE.OBJECT><INSTANCE CLASSNAME='A'><PROPERTY NAME='C' TYPE='char16'><VALUE>",
            "&</VALUE></PROPERTY></INSTANCE></VALUE.OBJECT>",
        ),
        // Found while it is framed.
        (
            "<VALUE.OBJECT><INSTANCE CLASSNAME='A'><PROPERTY NAME='C' TYPE='char16'><VALUE>",
            "<</VALUE></PROPERTY></INSTANCE></VALUE.OBJECT>",
        ),
        ("<VALUE.OBJECT><INSTANCE CLASSNAME='", "\u{1}"),
        ("", "no text may stand here"),
    ];
    for (before, after) in cases {
        let body = format!("{HEAD}<IRETURNVALUE>{good}{before}{after}");
        let fault = (body.len() - after.len()) as u64;
        for size in [1, 7, 1_500, body.len()] {
            let (error, raw) = broken(body.as_bytes(), size);
            let raw = raw.unwrap_or_else(|| panic!("{error} {size}"));
            assert_eq!(raw.fault, error.offset, "{error}");
            if after != "\u{1}" {
                assert_eq!((error.offset, &raw.text[..raw.mark]), (fault, before), "{error} {size}");
                assert!(after.starts_with(&raw.text[raw.mark..]) && raw.text.len() > raw.mark, "{error} {size}");
            } else {
                assert_eq!(raw.text[..raw.mark], format!("{before}{after}"), "the answer ends there");
            }
        }
    }
    assert_eq!(broken(b"", 1).1, None);
}

#[test]
fn errors_carry_their_code_text_and_details() {
    let detail = instance(&value("Message", "string", "m"));
    let body = format!("{HEAD}<ERROR CODE=\"4\" DESCRIPTION=\"a&quot;\nb\">{detail}</ERROR>{TAIL}");
    let (_, decoded, result) = decode_with(decoder(Expect::Instances), body.as_bytes());
    result.unwrap();
    let error = decoded.error.unwrap();
    assert_eq!((error.status, error.description.as_str()), (CimStatus::INVALID_PARAMETER, "a\" b"));
    assert_eq!(error.details[0].property("Message").unwrap().value.value, CimValue::string("m"));
}

#[test]
fn byte_by_byte_a_large_item_is_not_looked_at_again_and_again() {
    let text = "x".repeat(3 << 20);
    let body = format!("{HEAD}<IRETURNVALUE>{}</IRETURNVALUE>{TAIL}", instance(&value("P", "string", &text)));
    let mut decoder = decoder(Expect::Instances);
    for byte in body.as_bytes().chunks(1) {
        decoder.feed(byte).unwrap();
    }
    decoder.finish().unwrap();
    assert_eq!(decoder.take().rows[0].cell(0, 0), CellRef::Text(&text));
}

fn sample() -> String {
    let path = "<INSTANCENAME CLASSNAME=\"A\"><KEYBINDING NAME=\"K\"><KEYVALUE VALUETYPE=\"numeric\">1</KEYVALUE>\
                </KEYBINDING><KEYBINDING NAME=\"R\"><VALUE.REFERENCE><LOCALINSTANCEPATH><LOCALNAMESPACEPATH><NAMESPACE \
                NAME=\"x\"/></LOCALNAMESPACEPATH><INSTANCENAME CLASSNAME=\"B\"><KEYVALUE>y</KEYVALUE></INSTANCENAME>\
                </LOCALINSTANCEPATH></VALUE.REFERENCE></KEYBINDING></INSTANCENAME>";
    let row = [
        value("U", "uint8", "7"),
        value("T", "string", "a&#32;&lt;<![CDATA[<x>]]>"),
        "<PROPERTY.ARRAY NAME='L' TYPE='char16'><VALUE.ARRAY><VALUE>c</VALUE><VALUE.NULL/></VALUE.ARRAY></PROPERTY.ARRAY>"
            .to_owned(),
        "<PROPERTY NAME='E' TYPE='string' EmbeddedObject='object'><VALUE>&lt;INSTANCE CLASSNAME='I'/&gt;</VALUE></PROPERTY>"
            .to_owned(),
    ]
    .concat();
    let class = "<CLASS NAME='C'><QUALIFIER NAME='Q' TYPE='boolean'><VALUE>TRUE</VALUE></QUALIFIER><METHOD NAME='M'>\
                 <PARAMETER.REFARRAY NAME='P'/></METHOD></CLASS>";
    format!(
        "{HEAD}<IRETURNVALUE><VALUE.NAMEDINSTANCE>{path}{}</VALUE.NAMEDINSTANCE>{path}{class}<CLASSNAME NAME='D'/>\
         </IRETURNVALUE><PARAMVALUE NAME='EndOfSequence'><VALUE>TRUE</VALUE></PARAMVALUE>\
         <ERROR CODE='1' DESCRIPTION='x'/>{TAIL}",
        instance(&row)
    )
}

#[test]
fn the_sample_of_the_property_test_is_whole() {
    let (store, decoded, result) = decode_with(decoder(Expect::Anything), sample().as_bytes());
    result.unwrap();
    assert_eq!((store.len(), decoded.classes.len(), decoded.class_names.len()), (2, 1, 1));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever is done to an answer, decoding ends without a panic, the same in one piece and in two.
    #[test]
    fn mutated_answers_never_panic(
        edits in prop::collection::vec((any::<prop::sample::Index>(), 0_u8..4, any::<u8>(), 1_usize..40), 1..6),
        cut in any::<prop::sample::Index>(),
    ) {
        let mut bytes = sample().into_bytes();
        for (at, kind, byte, length) in edits {
            let at = at.index(bytes.len());
            match kind {
                0 => bytes[at] = byte,
                1 => bytes.insert(at, b"<>&\"'/!?]-;#"[usize::from(byte) % 12]),
                2 => { bytes.drain(at..(at + length).min(bytes.len() - 1).max(at)); }
                _ => {
                    let piece = bytes[at..(at + length).min(bytes.len())].to_vec();
                    let to = (at * 7 + usize::from(byte)) % bytes.len();
                    bytes.splice(to..to, piece);
                }
            }
        }
        let whole = decode_with(decoder(Expect::Anything), &bytes);
        let mut split = decoder(Expect::Anything);
        let cut = cut.index(bytes.len());
        let result = split.feed(&bytes[..cut]).and_then(|()| split.feed(&bytes[cut..])).and_then(|()| split.finish());
        let mut once = decoder(Expect::Anything);
        let _ = once.feed(&bytes).and_then(|()| once.finish());
        let before = |raw: Option<RawExcerpt>| raw.map(|raw| (raw.fault, raw.text[..raw.mark].to_owned()));
        let (once, cut) = (before(once.take_excerpt()), before(split.take_excerpt()));
        prop_assert!(once == cut || once.is_none() || cut.is_none(), "{once:?} {cut:?}");
        prop_assert_eq!(whole.2, result);
        prop_assert_eq!(whole.0.len() as u64, split.rows());
    }

    /// Bytes that are nothing do nothing.
    #[test]
    fn noise_never_panics(bytes in prop::collection::vec(any::<u8>(), 0..600), charset in "[a-z0-9-]{0,8}") {
        let mut decoder = Decoder::new(Expect::Anything, Limits::default(), None, Some(&charset));
        let _ = decoder.feed(&bytes).and_then(|()| decoder.finish());
    }
}
