//! The decoder on made-up answers: spellings, limits, encodings, what is odd, and prediction against the general way.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use proptest::prelude::*;

use super::*;
use crate::{
    cim::{
        CimInstance, CimType, CimValue, ClassProperty, Flavor, Qualifier, TypedValue,
        rows::{RowStore, Shape},
    },
    protocol::xml::fault::Fault,
};

const HEAD: &str = "<?xml version=\"1.0\"?><e:Envelope xmlns:e=\"http://www.w3.org/2003/05/soap-envelope\" \
    xmlns:i=\"http://www.w3.org/2001/XMLSchema-instance\" xmlns:c=\"http://schemas.dmtf.org/wbem/wscim/1/common\" \
    xmlns:a=\"http://schemas.xmlsoap.org/ws/2004/08/addressing\" \
    xmlns:w=\"http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd\"><e:Header/><e:Body>\
    <PullResponse xmlns=\"http://schemas.xmlsoap.org/ws/2004/09/enumeration\">\
    <EnumerationContext>7</EnumerationContext><Items>\n";
const TAIL: &str = "</Items></PullResponse></e:Body></e:Envelope>\n";

#[derive(Debug, Default, PartialEq)]
struct Told {
    shapes: Vec<Shape>,
    instances: Vec<CimInstance>,
    warning: Option<String>,
    fault: Option<SoapFault>,
    end: (Option<String>, bool),
    result: Option<DecodeError>,
}

fn decoder() -> Decoder {
    Decoder::new(Expect::Instances, Limits::default(), Some(Namespace::new("root/x")), None)
}

fn told<'a>(mut decoder: Decoder, pieces: impl Iterator<Item = &'a [u8]>) -> (Told, u64) {
    let (mut store, mut told) = (RowStore::default(), Told::default());
    let mut take = |decoder: &mut Decoder, told: &mut Told| {
        let decoded = decoder.take();
        decoded.shapes.into_iter().for_each(|(id, shape)| store.add_shape(id, shape));
        decoded.rows.into_iter().for_each(|batch| assert_eq!(store.push(batch), 0));
        told.warning = told.warning.take().or(decoded.warning);
        told.fault = decoded.fault.or(told.fault.take());
        told.end = (decoded.context.or(told.end.0.take()), told.end.1 | decoded.end_of_sequence);
    };
    for piece in pieces {
        told.result = decoder.feed(piece).err();
        take(&mut decoder, &mut told);
        if told.result.is_some() {
            break;
        }
    }
    told.result = told.result.take().or_else(|| decoder.finish().err());
    take(&mut decoder, &mut told);
    told.shapes = store.shapes().iter().map(|shape| Shape::clone(shape)).collect();
    told.instances = (0..store.len()).map(|row| store.instance(row).unwrap()).collect();
    (told, decoder.predicted())
}

fn items(items: &str) -> Told {
    told(decoder(), std::iter::once(format!("{HEAD}{items}{TAIL}").as_bytes())).0
}

fn class() -> Arc<CimClass> {
    let mut class = CimClass::new("B");
    let flavor = Flavor::default();
    let value = TypedValue::scalar(CimType::Boolean, CimValue::Bool(true));
    let key = Qualifier { name: CimName::new("Key"), value, flavor, propagated: false };
    let of = |name: &str, ty, is_array| ClassProperty { is_array, ..ClassProperty::new(name, ty) };
    class.properties = vec![
        ClassProperty { qualifiers: vec![key], ..ClassProperty::new("K", CimType::String) },
        of("N", CimType::UInt32, false),
        of("F", CimType::Boolean, false),
        of("D", CimType::DateTime, false),
        of("A", CimType::UInt16, true),
        of("O", CimType::UInt8, true),
        of("R", CimType::Reference, false),
    ];
    Arc::new(class)
}

fn item(number: usize) -> String {
    let nil = if number.is_multiple_of(3) { "<p:T i:nil=\"true\"/>" } else { "<p:T>x&lt;&#233; y\r\nz</p:T>" };
    let left_out = if number > 7 { String::new() } else { format!("<p:L>-{number}</p:L>") };
    format!(
        "<p:B xmlns:p=\"http://x/B\"><p:K>k{number}</p:K>\n{nil}{left_out}<p:N>{number}</p:N><p:F>true</p:F>\
         <p:D><c:Datetime>2026-01-06T18:58:31.53{number}Z</c:Datetime></p:D><p:A>1</p:A><p:A>{number}</p:A>\
         <p:R><a:Address>role</a:Address><a:ReferenceParameters><w:ResourceURI>http://x/C</w:ResourceURI>\
         <w:SelectorSet><w:Selector Name=\"__cimnamespace\">root/y</w:Selector><w:Selector Name=\"Id\">r&amp;{number}\
         </w:Selector></w:SelectorSet></a:ReferenceParameters></p:R></p:B>"
    )
}

fn regular() -> String {
    format!("{HEAD}{}{TAIL}", (0..12).map(item).collect::<String>())
}

/// The same objects, each wrapped with its reference.
fn wrapped() -> String {
    let wrap = |number| {
        format!(
            "<w:Item>{}\n<a:EndpointReference><a:Address>role</a:Address><a:ReferenceParameters><w:ResourceURI>http://x/B\
             </w:ResourceURI><w:SelectorSet><w:Selector Name=\"__cimnamespace\">root/z</w:Selector><w:Selector Name=\"K\">\
             k{number}</w:Selector><w:Selector Name=\"N\">&lt;{number}</w:Selector></w:SelectorSet></a:ReferenceParameters>\
             </a:EndpointReference></w:Item>\n",
            item(number)
        )
    };
    format!("{HEAD}{}{TAIL}", (0..12).map(wrap).collect::<String>())
}

#[test]
fn objects_wrapped_with_their_references_are_read_by_prediction_too() {
    let body = wrapped();
    let (general, none) = told(decoder().general(), std::iter::once(body.as_bytes()));
    let (found, predicted) = told(decoder(), std::iter::once(body.as_bytes()));
    assert_eq!(found, general);
    assert_eq!((found.result.as_ref(), none, found.instances.len()), (None, 0, 12));
    assert!(predicted >= 8, "{predicted} of 12 were foreseen");
    let path = found.instances[11].path.as_ref().map(ToString::to_string);
    assert_eq!(path.as_deref(), Some("root/z:B.K=\"k11\",N=\"<11\""));
    for at in (0..body.len()).step_by(11) {
        let (left, right) = body.as_bytes().split_at(at);
        assert_eq!(told(decoder(), [left, right].into_iter()).0, general, "cut at {at}");
    }
}

#[test]
fn wrapped_objects_that_are_unusual_are_read_the_general_way() {
    let twice = |text: &str, part: &str| text.replace(part, &format!("{part}{part}"));
    let body = wrapped();
    let reference = &body[body.find("<a:EndpointReference>").unwrap()..body.find("</w:Item>").unwrap()];
    let cases = [
        ("two references", twice(&body, reference)),
        ("no reference", body.replace(reference, "")),
        ("another class", body.replace("http://x/B", "http://x/Other")),
        ("a comment", body.replace("<w:SelectorSet>", "<!-- --><w:SelectorSet>")),
        ("a key less in some", body.replacen("<w:Selector Name=\"K\">k5</w:Selector>", "", 1)),
        ("a reference for a key", body.replace("&lt;", "<a:EndpointReference/>")),
        ("the reference first", body.replace("<w:Item>", &format!("<w:Item>{reference}"))),
    ];
    for (what, body) in cases {
        for class in [None, Some(class())] {
            let with =
                |decoder: Decoder| class.iter().fold(decoder, |decoder, class| decoder.with_class(class.clone()));
            let (general, _) = told(with(decoder()).general(), std::iter::once(body.as_bytes()));
            let (found, _) = told(with(decoder()), body.as_bytes().chunks(997));
            assert_eq!(found, general, "{what}");
        }
    }
}

#[test]
fn regular_instances_are_read_by_prediction_and_no_other_way() {
    let body = regular();
    for class in [None, Some(class())] {
        let with = |decoder: Decoder| class.iter().fold(decoder, |decoder, class| decoder.with_class(class.clone()));
        let (general, none) = told(with(decoder()).general(), std::iter::once(body.as_bytes()));
        let (found, predicted) = told(with(decoder()), std::iter::once(body.as_bytes()));
        assert_eq!(found, general);
        assert_eq!((found.result.as_ref(), none, found.instances.len()), (None, 0, 12));
        assert!(predicted >= 8, "{predicted} of 12 were foreseen");
        let path = found.instances[11].path.as_ref().map(ToString::to_string);
        assert_eq!(path.as_deref(), class.as_ref().map(|_| "root/x:B.K=\"k11\""));
        let reference = &found.instances[11].property("R").unwrap().value.value;
        let CimValue::Reference(path) = reference else { panic!("{reference:?}") };
        assert_eq!(path.to_string(), "root/y:C.Id=\"r&11\"");
    }
}

#[test]
fn an_embedded_instance_of_which_every_property_was_left_out_is_one_all_the_same() {
    let told = items(
        "<p:B xmlns:p=\"http://x/B\" xmlns:q=\"http://x/E\"><p:E i:type=\"q:E_Type\"/><p:S i:type=\"q:Word\"/></p:B>",
    );
    let instance = &told.instances[0];
    let CimValue::Instance(embedded) = &instance.property("E").unwrap().value.value else { panic!("{instance:?}") };
    assert_eq!((embedded.class.as_str(), embedded.properties.len()), ("E", 0));
    assert_eq!(instance.property("S").unwrap().value.value, CimValue::Untyped(Box::from("")));
}

#[test]
fn only_a_limit_of_envelopes_asks_for_another_envelope() {
    let fault = |subcode: &str, detail: &str| SoapFault {
        subcode: Some((WSMAN.to_owned(), subcode.to_owned())),
        fault_detail: Some(detail.to_owned()).filter(|detail| !detail.is_empty()),
        ..SoapFault::default()
    };
    for (subcode, detail, kind) in [
        ("EncodingLimit", "", FaultKind::EnvelopeSize),
        ("EncodingLimit", "MaxEnvelopeSizeExceeded", FaultKind::EnvelopeSize),
        ("EncodingLimit", "MinimumEnvelopeLimit", FaultKind::EnvelopeSize),
        ("EncodingLimit", "URILimitExceeded", FaultKind::Other),
        ("EncodingLimit", "CharacterSet", FaultKind::Other),
        ("QuotaLimit", "", FaultKind::Busy),
    ] {
        assert_eq!(fault(subcode, detail).kind(), kind, "{subcode} {detail}");
    }
}

#[test]
fn where_a_regular_answer_is_cut_does_not_matter() {
    let body = regular();
    let (whole, _) = told(decoder().with_class(class()), std::iter::once(body.as_bytes()));
    for at in (0..body.len()).step_by(7) {
        let (left, right) = body.as_bytes().split_at(at);
        assert_eq!(told(decoder().with_class(class()), [left, right].into_iter()).0, whole, "cut at {at}");
    }
}

#[test]
fn markup_learned_where_a_prefix_meant_something_else_is_not_trusted() {
    let page = |xsi: &str| regular().replace("http://www.w3.org/2001/XMLSchema-instance", xsi);
    let first = page("http://www.w3.org/2001/XMLSchema-instance");
    let mut one = decoder();
    one.feed(first.as_bytes()).unwrap();
    one.finish().unwrap();
    let second = page("http://elsewhere");
    let (next, _) = told(decoder().after(one), std::iter::once(second.as_bytes()));
    let (alone, _) = told(decoder(), std::iter::once(second.as_bytes()));
    assert_eq!(next.instances[12..], alone.instances);
    assert_eq!(next.instances[12].property("T").unwrap().value.value, CimValue::Untyped("".into()));
}

#[test]
fn values_are_read_in_every_spelling() {
    let text = "<B xmlns=\"http://x/B\"><K/><N>0x10</N><F>1</F><D>20261122174500.123456+060</D><A>1</A><A i:nil='1'/>\
                <O>QUJD</O><R><a:EndpointReference><a:ReferenceParameters><w:ResourceURI>\
                http://schemas.microsoft.com/wbem/wsman/1/wmi/root/cimv2/C</w:ResourceURI></a:ReferenceParameters>\
                </a:EndpointReference></R><X i:type=\"q:Y_Type\" xmlns:q=\"http://x/Y\"><q:P>1</q:P></X></B>";
    let body = format!("{HEAD}{text}{TAIL}");
    let (found, _) = told(decoder().with_class(class()), std::iter::once(body.as_bytes()));
    assert_eq!((found.result.as_ref(), found.warning.as_ref()), (None, None));
    let value = |name: &str| found.instances[0].property(name).unwrap().value.value.clone();
    assert_eq!(value("K"), CimValue::string(""), "an empty element is an empty string");
    assert_eq!((value("N"), value("F")), (CimValue::UInt(16), CimValue::Bool(true)));
    assert_eq!(value("A"), CimValue::Array(vec![CimValue::UInt(1), CimValue::Null]));
    assert_eq!(value("O"), CimValue::Array([65, 66, 67].map(CimValue::UInt).to_vec()));
    let CimValue::Reference(path) = value("R") else { panic!("{:?}", value("R")) };
    assert_eq!(path.to_string(), "root/cimv2:C");
    let CimValue::Instance(inner) = value("X") else { panic!("{:?}", value("X")) };
    assert_eq!(inner.class.as_str(), "Y");
    assert_eq!(found.end, (Some("7".to_owned()), false));
}

#[test]
fn a_value_that_is_none_of_its_type_stays_as_sent_and_is_told_once() {
    let body = format!("{HEAD}<B><N>many</N></B><B><N>3</N><N>4</N></B>{TAIL}");
    let (found, _) = told(decoder().with_class(class()), std::iter::once(body.as_bytes()));
    assert_eq!(found.instances[0].property("N").unwrap().value.value, CimValue::Untyped("many".into()));
    assert!(found.warning.unwrap().contains("\"many\" is no uint32"));
    let both = CimValue::Array(vec![CimValue::UInt(3), CimValue::UInt(4)]);
    assert_eq!(found.instances[1].property("N").unwrap().value.value, both, "nothing is lost");
}

#[test]
fn an_array_that_shows_late_is_one_for_all() {
    let found = items("<B><S>1</S></B><B><S>1</S><T/><S>2</S></B><B><S>3</S></B>");
    let column = &found.shapes[0].columns[0];
    assert!(column.is_array && column.ty.is_none());
    let value = |row: usize| found.instances[row].property("S").unwrap().value.value.clone();
    assert_eq!(value(1), CimValue::Array(["1", "2"].map(|text| CimValue::Untyped(text.into())).to_vec()));
    assert_eq!(value(2), CimValue::Array(vec![CimValue::Untyped("3".into())]));
}

#[test]
fn answers_that_are_none_say_what_they_are() {
    let cases: [(&str, Fault); 9] = [
        ("", Fault::Empty),
        ("<html>", Fault::Html),
        ("{}", Fault::Json),
        ("<CIM CIMVERSION=\"2.0\">", Fault::CimXml),
        ("<e:Envelope xmlns:e=\"http://schemas.xmlsoap.org/soap/envelope/\">", Fault::Soap),
        ("<!DOCTYPE x [<!ENTITY a \"b\">]><x/>", Fault::Subset),
        ("<feed xmlns=\"http://www.w3.org/2005/Atom\"/>", Fault::OtherXml),
        ("<e:Envelope xmlns:e=\"http://www.w3.org/2003/05/soap-envelope\"><e:Body/></e:Envelope>", Fault::NoResponse),
        ("<e:Envelope xmlns:e=\"http://www.w3.org/2003/05/soap-envelope\"><e:Body>", Fault::CutShort),
    ];
    for (body, fault) in cases {
        let error = told(decoder(), std::iter::once(body.as_bytes())).0.result.expect(body);
        assert_eq!(error.fault, fault, "{body}: {error}");
    }
}

#[test]
fn utf_16_is_read_and_what_stands_in_faults_cannot_hide_them() {
    let fault = "<e:Envelope xmlns:e=\"http://www.w3.org/2003/05/soap-envelope\"><e:Body><e:Fault><e:Code><e:Value>\
                 e:Sender</e:Value><e:Subcode><e:Value xmlns:q=\"http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd\">\
                 q:AccessDenied</e:Value></e:Subcode></e:Code><e:Reason><e:Text xml:lang=\"de\">nein</e:Text>\
                 <e:Text xml:lang=\"en\">no \u{1F6AB}</e:Text></e:Reason><e:Detail>mixed<x/></e:Detail></e:Fault></e:Body>\
                 </e:Envelope>";
    let mut body = vec![0xff, 0xfe];
    body.extend(fault.encode_utf16().flat_map(u16::to_le_bytes));
    let (found, _) = told(decoder(), body.chunks(3));
    assert_eq!(found.result, None);
    let fault = found.fault.unwrap();
    assert_eq!((fault.reason.as_str(), fault.kind()), ("no \u{1F6AB}", fault::FaultKind::AccessDenied));
}

#[test]
fn limits_hold() {
    let with = |limits: Limits, items: &str| {
        let decoder = Decoder::new(Expect::Instances, limits, None, None);
        told(decoder, format!("{HEAD}{items}{TAIL}").as_bytes().chunks(1_000)).0.result.and_then(|error| error.limit)
    };
    let limits = Limits::default();
    let deep = |depth: usize| format!("<B>{}<x>1</x>{}</B>", "<y>".repeat(depth), "</y>".repeat(depth));
    assert_eq!(with(limits, &deep(4)), None);
    assert_eq!(with(limits, &deep(limits.embedded_depth + 2)), Some("embedded_depth"));
    assert_eq!(with(limits, &deep(limits.xml_depth)), Some("xml_depth"));
    assert_eq!(with(Limits { value_bytes: 4, ..limits }, "<B><x>12345</x></B>"), Some("value_bytes"));
    assert_eq!(with(Limits { name_bytes: 64, ..limits }, &format!("<B><{}/></B>", "n".repeat(65))), Some("name_bytes"));
    assert_eq!(
        with(Limits { buffer_bytes: 2_000, ..limits }, &format!("<B><x>{}</x></B>", "1".repeat(4_000))),
        Some("buffer_bytes")
    );
    let wide: String = (0..=crate::protocol::xml::rows::MAX_WIDTH).map(|n| format!("<p{n}/>")).collect();
    assert_eq!(with(limits, &format!("<B>{wide}</B>")), Some("shapes"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn one_byte_changed_gives_the_same_by_prediction_as_without(
        at in 0..20_000_usize, byte in any::<u8>(), cut in 1..900_usize, are_wrapped: bool
    ) {
        let mut body = if are_wrapped { wrapped() } else { regular() }.into_bytes();
        let at = at % body.len();
        body[at] = byte;
        for class in [None, Some(class())] {
            let with = |decoder: Decoder| class.iter().fold(decoder, |decoder, class| decoder.with_class(class.clone()));
            let (general, _) = told(with(decoder()).general(), std::iter::once(body.as_slice()));
            let (found, _) = told(with(decoder()), body.chunks(cut));
            prop_assert_eq!(found, general);
        }
    }
}
