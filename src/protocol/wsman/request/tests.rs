#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::time::Duration;

use super::*;
use crate::protocol::wsman::{
    envelope::{Addressing, build},
    resource::Style,
    uuid::Uuid,
};

fn addressing() -> Addressing {
    Addressing {
        to: "http://h:5985/wsman".to_owned(),
        session: Uuid::of([7; 16]),
        locale: None,
        timeout: Duration::from_millis(1_500),
        envelope_bytes: 512_000,
    }
}

fn body(request: &Request) -> String {
    String::from_utf8(build(request, &addressing(), "/wsman").unwrap().body.to_vec()).unwrap()
}

fn root() -> Namespace {
    Namespace::new("root/cimv2")
}

fn key(name: &str, value: KeyValue) -> KeyBinding {
    KeyBinding { name: CimName::new(name), value }
}

#[test]
fn selectors_are_escaped_and_references_are_endpoint_references() {
    let to = ObjectPath::new(None, CimName::new("CIM_B"), vec![key("S", KeyValue::String(Box::from("a<&\"'\t")))]);
    let keys = vec![
        key("T", KeyValue::Bool(true)),
        key("U", KeyValue::UInt(u64::MAX)),
        key("N", KeyValue::SInt(i64::MIN)),
        key("R", KeyValue::Reference(Box::new(to))),
    ];
    let path = ObjectPath::new(Some(root()), CimName::new("CIM_A"), keys);
    let body = body(&get(&root(), "urn:x", &path, Style::Schema));
    let expected = "<w:SelectorSet><w:Selector Name=\"__cimnamespace\">root/cimv2</w:Selector>\
        <w:Selector Name=\"T\">true</w:Selector><w:Selector Name=\"U\">18446744073709551615</w:Selector>\
        <w:Selector Name=\"N\">-9223372036854775808</w:Selector><w:Selector Name=\"R\"><a:EndpointReference>\
        <a:Address>http://schemas.xmlsoap.org/ws/2004/08/addressing/role/anonymous</a:Address><a:ReferenceParameters>\
        <w:ResourceURI>http://schemas.dmtf.org/wbem/wscim/1/cim-schema/2/CIM_B</w:ResourceURI><w:SelectorSet>\
        <w:Selector Name=\"__cimnamespace\">root/cimv2</w:Selector>\
        <w:Selector Name=\"S\">a&lt;&amp;&quot;&apos;&#9;</w:Selector></w:SelectorSet></a:ReferenceParameters>\
        </a:EndpointReference></w:Selector></w:SelectorSet>";
    assert!(body.contains(expected), "{body}");
    assert!(body.contains("<w:OperationTimeout>PT1.500S</w:OperationTimeout>"), "{body}");
}

#[test]
fn what_a_key_refers_to_is_in_the_namespace_of_the_request_unless_it_says_otherwise() {
    let to = |namespace: Option<&str>| {
        let keys = vec![key("S", KeyValue::String(Box::from("s")))];
        let to = ObjectPath::new(namespace.map(Namespace::new), CimName::new("CIM_B"), keys);
        vec![key("R", KeyValue::Reference(Box::new(to)))]
    };
    let object = |keys| ObjectPath::new(None, CimName::new("CIM_A"), keys);
    let named = |text: &str, namespace: &str| {
        text.matches(&format!("<w:Selector Name=\"__cimnamespace\">{namespace}</w:Selector>")).count()
    };
    let own = body(&get(&root(), "urn:x", &object(to(None)), Style::Schema));
    assert_eq!((named(&own, "root/cimv2"), named(&own, "")), (2, 0), "{own}");
    let other = body(&get(&root(), "urn:x", &object(to(Some("root/b"))), Style::Schema));
    assert_eq!((named(&other, "root/cimv2"), named(&other, "root/b")), (1, 1), "{other}");
    let object = object(to(None));
    let along = Along { object: &object, association: None, role: None, result: None, result_role: None };
    let how = Enumeration { filter: Some(Filter::Associated(along)), ..Enumeration::default() };
    let filtered = body(&enumerate(&root(), "urn:x", &how, Style::Schema));
    assert_eq!((named(&filtered, "root/cimv2"), named(&filtered, "")), (3, 0), "{filtered}");
}

#[test]
fn every_message_has_ids_of_its_own_and_the_session_keeps_its() {
    let request = enumerate(&root(), "urn:x", &Enumeration::default(), Style::Schema);
    let id = |body: &str, element: &str| {
        let rest = body.split_once(&format!("<{element}")).unwrap().1.split_once('>').unwrap().1;
        rest.split_once('<').unwrap().0.to_owned()
    };
    let (first, second) = (body(&request), body(&request));
    for element in ["a:MessageID", "p:OperationID"] {
        assert_ne!(id(&first, element), id(&second, element), "{element}");
    }
    assert_eq!(id(&first, "p:SessionId"), id(&second, "p:SessionId"));
    assert!(!first.contains("Locale"), "no language was asked for: {first}");
}

#[test]
fn a_pull_goes_on_where_its_enumeration_was_opened() {
    let open = enumerate_classes(&root(), Some(&CimName::new("CIM_A"))).most(9);
    assert!(
        body(&open).contains("<n:Enumerate><w:OptimizeEnumeration/><w:MaxElements>9</w:MaxElements></n:Enumerate>")
    );
    let pull = open.pull("c<1>", 3);
    let text = body(&pull);
    let expected = "<s:Body><n:Pull><n:EnumerationContext>c&lt;1&gt;</n:EnumerationContext>\
                    <n:MaxElements>3</n:MaxElements></n:Pull></s:Body>";
    assert!(text.contains(expected), "{text}");
    assert!(text.contains("<w:Selector Name=\"ClassName\">CIM_A</w:Selector>"), "{text}");
    assert!(build(&pull, &addressing(), "/wsman").unwrap().takes);
    assert!(!build(&open, &addressing(), "/wsman").unwrap().takes);
}

#[test]
fn what_xml_cannot_hold_is_refused_before_it_is_sent() {
    let request = get_class(&root(), &CimName::new("A\u{1b}[2J"));
    let refusal = build(&request, &addressing(), "/wsman").unwrap_err();
    assert_eq!(refusal, "the character U+001B cannot be sent in XML");
}

#[test]
fn query_languages_are_named_by_uri() {
    for (language, uri) in [
        ("WQL", "http://schemas.microsoft.com/wbem/wsman/1/WQL"),
        ("wql", "http://schemas.microsoft.com/wbem/wsman/1/WQL"),
        ("DMTF:CQL", "http://schemas.dmtf.org/wbem/cql/1/dsp0202.pdf"),
        ("CQL", "http://schemas.dmtf.org/wbem/cql/1/dsp0202.pdf"),
        ("urn:other", "urn:other"),
    ] {
        assert_eq!(dialect(language), uri);
    }
}
