//! What a session says to servers of WS-Man is what its requests say.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::time::Duration;

use super::{WsMan, call::ENVELOPE_BYTES, envelope, pull_tests::given, request, run_tests::*};
use crate::{
    cim::{CimName, CimStatus, Namespace},
    op::{ErrorKind, Operation, OperationKind},
    protocol::{
        Protocol as _,
        delivery::status_of,
        fakes::{Asked, Bench, Canned},
    },
    session::{RequestEncoding, UriStyle, VendorNamespace, WsManOptions},
};

/// A server that has what it is asked for.
fn willing(options: WsManOptions) -> Bench {
    let mut bench = Bench::new(|asked| match is_get_class(asked) {
        true => class(asked),
        false => all(&object("A", "1")),
    });
    bench.target.wsman = options;
    bench
}

/// A server that answers everything with `refusal`, asked in UTF-16.
fn unwilling(refusal: Canned) -> Bench {
    let mut bench = Bench::new(move |_| refusal.clone());
    bench.target.wsman.encoding = RequestEncoding::Utf16;
    bench
}

fn each(bench: &Bench, element: &str) -> Vec<String> {
    bench.asked.lock().unwrap().iter().map(|asked| given(asked, element).unwrap_or_default()).collect()
}

fn resources(bench: &Bench) -> Vec<String> {
    let uri = |asked: &Asked| {
        let rest = asked.body.split_once("<w:ResourceURI s:mustUnderstand=\"true\">").unwrap().1;
        rest.split_once('<').unwrap().0.to_owned()
    };
    bench.asked.lock().unwrap().iter().filter(|asked| !is_get_class(asked)).map(uri).collect()
}

#[test]
fn every_request_says_the_size_and_the_time_of_the_session() {
    let options = WsManOptions {
        max_envelope_size: Some(8_192),
        operation_timeout: Some(Duration::from_millis(2_500)),
        ..WsManOptions::default()
    };
    let bench = willing(options);
    run(&bench, &enumerate()).unwrap();
    assert_eq!(each(&bench, "w:MaxEnvelopeSize"), ["8192", "8192"]);
    assert_eq!(each(&bench, "w:OperationTimeout"), ["PT2.500S", "PT2.500S"]);
    let usual = willing(WsManOptions::default());
    run(&usual, &enumerate()).unwrap();
    assert_eq!(each(&usual, "w:MaxEnvelopeSize")[0], ENVELOPE_BYTES.to_string());
    // Nobody waits longer for the first byte.
    let long = willing(WsManOptions { operation_timeout: Some(Duration::from_secs(900)), ..WsManOptions::default() });
    run(&long, &enumerate()).unwrap();
    assert_eq!(each(&long, "w:OperationTimeout"), each(&usual, "w:OperationTimeout"));
    assert_eq!(each(&long, "w:OperationTimeout")[0], "PT54.000S");
}

#[test]
fn a_size_the_session_says_is_the_only_one() {
    let mut bench = Bench::new(|asked| match is_get_class(asked) {
        true => class(asked),
        false => fault(500, "w:EncodingLimit", "too large", 0),
    });
    bench.target.wsman.max_envelope_size = Some(ENVELOPE_BYTES);
    let error = run(&bench, &enumerate()).unwrap_err();
    assert_eq!(status_of(&error), Some(CimStatus::SERVER_LIMITS_EXCEEDED));
    assert!(error.hint.contains("wsman.max_envelope_size"), "{error}");
    assert_eq!(resources(&bench).len(), 1);
}

#[test]
fn a_message_names_the_first_of_the_languages() {
    for (culture, told) in [("de-DE, en;q=0.5", "de-DE"), ("fr;q=0.9", "fr"), ("*", ""), ("", "")] {
        let bench = willing(WsManOptions::default());
        let mut op = enumerate();
        op.options.locale = Some(culture.to_owned());
        run(&bench, &op).unwrap();
        for asked in bench.asked.lock().unwrap().iter() {
            let named = asked.body.matches(&format!("Locale xml:lang=\"{told}\"")).count();
            assert_eq!(named, if told.is_empty() { 0 } else { 2 }, "{culture}: {}", asked.body);
        }
    }
}

#[test]
fn classes_are_named_in_the_style_and_by_the_vendors_of_the_session() {
    let wmi = "http://schemas.microsoft.com/wbem/wsman/1/wmi/root/cimv2/";
    let refused = |uri_style, kind| {
        let mut bench = Bench::new(|_| fault(500, "w:UnsupportedFeature", "not here", 0));
        bench.target.wsman.uri_style = uri_style;
        run(&bench, &Operation::new(kind)).unwrap_err();
        let mut tried = resources(&bench);
        tried.dedup();
        tried
    };
    let instances = || OperationKind::EnumerateInstances { class: CimName::new("A") };
    let query = || OperationKind::QueryInstances { query: "SELECT * FROM A".to_owned() };
    let schema = format!("{SCHEMA}A");
    assert_eq!(refused(UriStyle::Auto, instances()), [schema.clone(), format!("{wmi}A")]);
    assert_eq!(refused(UriStyle::Dmtf, instances()), std::slice::from_ref(&schema));
    assert_eq!(refused(UriStyle::Wmi, instances()), [format!("{wmi}A")]);
    let every = "http://schemas.dmtf.org/wbem/wscim/1/*".to_owned();
    assert_eq!(refused(UriStyle::Dmtf, query()), [every, schema]);
    assert_eq!(refused(UriStyle::Wmi, query()), [format!("{wmi}*")]);

    let vendor = VendorNamespace::new("A_", "http://lab.example/2").unwrap();
    let bench = willing(WsManOptions { vendor_namespaces: vec![vendor], ..WsManOptions::default() });
    let op = Operation::new(OperationKind::EnumerateInstances { class: CimName::new("A_Disk") });
    run(&bench, &op).unwrap();
    assert_eq!(resources(&bench), ["http://lab.example/2/A_Disk"]);
}

#[test]
fn a_request_in_utf_16_has_a_byte_order_mark_and_says_so() {
    let bench = willing(WsManOptions { encoding: RequestEncoding::Utf16, ..WsManOptions::default() });
    run(&bench, &enumerate()).unwrap();
    assert_eq!((bench.operations().len(), store(&bench).len()), (2, 1));
    let asked = request::get_class(&Namespace::new("root/x"), &CimName::new("A"));
    let addressing = envelope::Addressing {
        to: "http://h/wsman".to_owned(),
        session: super::uuid::Uuid::of([7; 16]),
        locale: None,
        timeout: Duration::from_secs(1),
        envelope_bytes: 8_192,
    };
    let request = envelope::in_utf16(envelope::build(&asked, &addressing, "/wsman").unwrap());
    assert_eq!(request.headers[0].1, "application/soap+xml;charset=UTF-16");
    assert_eq!(request.body[..6], [0xFF, 0xFE, b'<', 0, b's', 0]);
    let (text, used, broken) = encoding_rs::UTF_16LE.decode(&request.body);
    assert!(!broken && used == encoding_rs::UTF_16LE && text.ends_with("</s:Envelope>"), "{text}");
}

#[test]
fn a_server_that_does_not_take_utf_16_is_told_from_one_that_fails() {
    // OMI and OpenPegasus, lighttpd before openwsman, a service that gives up.
    for refusal in [
        fault(500, "w:EncodingLimit", "only utf 8 is supported", 0),
        Canned::status(415, Vec::new()),
        Canned::status(400, Vec::new()),
    ] {
        let bench = unwilling(refusal);
        let error = run(&bench, &enumerate()).unwrap_err();
        assert!(error.cause().starts_with("the server does not take requests in UTF-16"), "{error}");
        assert!(error.hint.contains("wsman.encoding"), "{error}");
        let sizes = each(&bench, "w:MaxEnvelopeSize");
        assert!(sizes.iter().all(|size| *size == ENVELOPE_BYTES.to_string()), "{sizes:?}");
    }
    let lacking = unwilling(fault(500, "a:DestinationUnreachable", "no such class", 0x8004_1010));
    let error = run(&lacking, &enumerate()).unwrap_err();
    assert!(!error.cause().contains("UTF-16") && error.kind != ErrorKind::NotSupported, "{error}");
    // One that has answered before takes it.
    let bench = unwilling(fault(500, "w:EncodingLimit", "too large", 0));
    bench.facts.lock().unwrap().wsman.answered = true;
    assert!(!run(&bench, &enumerate()).unwrap_err().cause().contains("UTF-16"));
    assert_eq!(WsMan.name(), "wsman");
}
