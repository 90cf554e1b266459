//! Every operation against the embedded repository, answers read back with a parser that is not ours.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod association;
mod pull;
mod select;

use std::collections::HashMap;

use quick_xml::{Reader, XmlVersion, events::Event};

use super::*;
use crate::{
    cim::{CimDateTime, CimType},
    server::repository::Repository,
};

/// An element of an answer.
#[derive(Debug, Default, Clone)]
struct Element {
    name: String,
    attributes: HashMap<String, String>,
    children: Vec<Element>,
    text: String,
    self_closed: bool,
}

impl Element {
    fn all<'a>(&'a self, name: &str, into: &mut Vec<&'a Element>) {
        if self.name == name {
            into.push(self);
        }
        self.children.iter().for_each(|child| child.all(name, into));
    }

    fn find(&self, name: &str) -> Vec<&Element> {
        let mut found = Vec::new();
        self.all(name, &mut found);
        found
    }

    fn one(&self, name: &str) -> &Element {
        let found = self.find(name);
        assert_eq!(found.len(), 1, "{name} in {self:?}");
        found[0]
    }

    fn names(&self, of: &str) -> Vec<&str> {
        self.find(of).into_iter().map(|element| element.attributes["NAME"].as_str()).collect()
    }

    fn property(&self, name: &str) -> &Element {
        self.children
            .iter()
            .find(|child| child.name.starts_with("PROPERTY") && child.attributes["NAME"] == name)
            .unwrap_or_else(|| panic!("no property {name}"))
    }

    fn value(&self) -> &str {
        &self.one("VALUE").text
    }
}

fn read(xml: &str) -> Element {
    let mut reader = Reader::from_str(xml);
    let mut open = vec![Element::default()];
    loop {
        let event = reader.read_event().expect("well-formed");
        let empty = matches!(event, Event::Empty(_));
        match event {
            Event::Start(tag) | Event::Empty(tag) => {
                let attributes = tag.attributes().map(|attribute| {
                    let attribute = attribute.expect("attribute");
                    let value = attribute.normalized_value(XmlVersion::Explicit1_0).expect("value").into_owned();
                    (attribute.key.as_ref().to_owned(), value)
                });
                let element = Element {
                    name: tag.name().as_ref().to_owned(),
                    attributes: attributes.collect(),
                    self_closed: empty,
                    ..Element::default()
                };
                if empty { open.last_mut().unwrap().children.push(element) } else { open.push(element) }
            }
            Event::End(_) => {
                let element = open.pop().unwrap();
                open.last_mut().unwrap().children.push(element);
            }
            Event::Text(text) => open.last_mut().unwrap().text.push_str(&text),
            Event::GeneralRef(entity) => {
                let character = entity.resolve_char_ref().expect("character").unwrap_or_else(|| match &*entity {
                    "amp" => '&',
                    "lt" => '<',
                    "gt" => '>',
                    "quot" => '"',
                    other => panic!("entity {other}"),
                });
                open.last_mut().unwrap().text.push(character);
            }
            Event::Eof => break,
            _ => {}
        }
    }
    assert_eq!(open.len(), 1);
    open.pop().unwrap().children.remove(0)
}

fn request(operation: &str, namespace: &str, params: &str) -> (Head, String) {
    let parts: String = namespace.split('/').map(|part| format!("<NAMESPACE NAME=\"{part}\"/>")).collect();
    let body = format!(
        "<?xml version=\"1.0\" encoding=\"utf-8\"?><CIM CIMVERSION=\"2.0\" DTDVERSION=\"2.0\"><MESSAGE ID=\"7&amp;8\" \
         PROTOCOLVERSION=\"1.0\"><SIMPLEREQ><IMETHODCALL NAME=\"{operation}\"><LOCALNAMESPACEPATH>{parts}\
         </LOCALNAMESPACEPATH>{params}</IMETHODCALL></SIMPLEREQ></MESSAGE></CIM>"
    );
    (head(operation, namespace), body)
}

fn head(operation: &str, namespace: &str) -> Head {
    let headers = [
        ("Content-Type", "application/xml; charset=\"utf-8\""),
        ("CIMOperation", "MethodCall"),
        ("CIMMethod", operation),
        ("CIMObject", namespace),
    ];
    Head {
        method: "POST".to_owned(),
        target: "/cimom".to_owned(),
        headers: headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
    }
}

fn service() -> CimXml {
    CimXml::new(Arc::new(Repository::embedded().expect("the embedded schema")), Arc::default())
}

fn answer(head: &Head, body: &[u8]) -> Result<String, Refusal> {
    answer_of(&service(), head, body)
}

fn answer_of(service: &CimXml, head: &Head, body: &[u8]) -> Result<String, Refusal> {
    let (to, mut from) = mpsc::channel(1024);
    service.answer(head, body, Pieces::new(to));
    let (mut text, mut ended) = (String::new(), false);
    while let Ok(piece) = from.try_recv() {
        match piece {
            Piece::Refused(refusal) => return Err(refusal),
            Piece::Bytes(bytes) => text.push_str(std::str::from_utf8(&bytes).expect("UTF-8")),
            Piece::End => ended = true,
        }
    }
    assert!(ended, "the answer ends");
    Ok(text)
}

fn call(operation: &str, namespace: &str, params: &str) -> Element {
    call_on(&service(), operation, namespace, params)
}

fn call_on(service: &CimXml, operation: &str, namespace: &str, params: &str) -> Element {
    let (head, body) = request(operation, namespace, params);
    let text = answer_of(service, &head, body.as_bytes()).expect("an answer");
    let root = read(&text);
    assert_eq!(root.one("MESSAGE").attributes["ID"], "7&8");
    assert_eq!(root.one("IMETHODRESPONSE").attributes["NAME"], operation);
    root
}

fn class_name(name: &str) -> String {
    format!("<IPARAMVALUE NAME=\"ClassName\"><CLASSNAME NAME=\"{name}\"/></IPARAMVALUE>")
}

fn text(name: &str, value: &str) -> String {
    let mut escaped = String::new();
    crate::server::xml::escape(&mut escaped, value);
    format!("<IPARAMVALUE NAME=\"{name}\"><VALUE>{escaped}</VALUE></IPARAMVALUE>")
}

fn flag(name: &str, value: bool) -> String {
    text(name, &value.to_string())
}

fn list(names: &[&str]) -> String {
    let values: String = names.iter().map(|name| format!("<VALUE>{name}</VALUE>")).collect();
    format!("<IPARAMVALUE NAME=\"PropertyList\"><VALUE.ARRAY>{values}</VALUE.ARRAY></IPARAMVALUE>")
}

fn keys_of(process: &str) -> String {
    let host = rustix::system::uname().nodename().to_string_lossy().into_owned();
    let keys = [
        ("CSCreationClassName", "LC_ComputerSystem"),
        ("CSName", &host),
        ("OSCreationClassName", "LC_OperatingSystem"),
        ("OSName", "Linux"),
        ("CreationClassName", "LC_Process"),
        ("Handle", process),
    ];
    keys.iter().fold(String::new(), |keys, (name, value)| {
        keys + &format!("<KEYBINDING NAME=\"{name}\"><KEYVALUE VALUETYPE=\"string\">{value}</KEYVALUE></KEYBINDING>")
    })
}

fn instance_name(class: &str, keys: &str) -> String {
    format!(
        "<IPARAMVALUE NAME=\"InstanceName\"><INSTANCENAME CLASSNAME=\"{class}\">{keys}</INSTANCENAME></IPARAMVALUE>"
    )
}

fn status(operation: &str, namespace: &str, params: &str) -> u32 {
    status_on(&service(), operation, namespace, params)
}

fn status_on(service: &CimXml, operation: &str, namespace: &str, params: &str) -> u32 {
    let root = call_on(service, operation, namespace, params);
    assert!(root.find("IRETURNVALUE").is_empty(), "an error stands alone");
    root.one("ERROR").attributes["CODE"].parse().unwrap()
}

#[test]
fn class_names_come_from_the_top_or_below_a_class_and_deep_or_not() {
    let top = call("EnumerateClassNames", "root/cimv2", "");
    assert_eq!(top.names("CLASSNAME"), ["CIM_ManagedElement", "CIM_Dependency", "CIM_Component"]);
    let deep = call("EnumerateClassNames", "root/cimv2", &flag("DeepInheritance", true));
    let deep = deep.names("CLASSNAME");
    for class in ["LC_ComputerSystem", "LC_OperatingSystem", "LC_Process", "LC_LocalFileSystem", "LC_NetworkPort"] {
        assert!(deep.contains(&class), "{class}");
    }
    let below = call("EnumerateClassNames", "ROOT\\CIMV2", &class_name("cim_process"));
    assert_eq!(below.names("CLASSNAME"), ["LC_Process"]);
}

#[test]
fn classes_tell_inherited_elements_only_when_asked() {
    let own = call("GetClass", "root/cimv2", &class_name("LC_Process"));
    assert!(own.names("PROPERTY").contains(&"ParentProcessID") && !own.names("PROPERTY").contains(&"Handle"));
    let all = flag("LocalOnly", false) + &flag("IncludeClassOrigin", true);
    let full = call("GetClass", "root/cimv2", &(class_name("LC_Process") + &all));
    let class = full.one("CLASS");
    assert_eq!(class.attributes["SUPERCLASS"], "CIM_Process");
    let handle = class.property("Handle");
    assert_eq!(
        (handle.attributes["CLASSORIGIN"].as_str(), handle.attributes["PROPAGATED"].as_str()),
        ("CIM_Process", "true")
    );
    let key = handle.find("QUALIFIER").into_iter().find(|one| one.attributes["NAME"] == "Key").unwrap();
    assert_eq!((key.value(), key.attributes["OVERRIDABLE"].as_str()), ("TRUE", "false"));
    assert!(
        class.find("QUALIFIER").iter().all(|one| one.attributes["NAME"] != "Abstract"),
        "Abstract is not inherited"
    );
    let bare = flag("LocalOnly", false) + &flag("IncludeQualifiers", false) + &list(&["handle", "NoSuch", "Handle"]);
    let bare = call("GetClass", "root/cimv2", &(class_name("LC_Process") + &bare));
    assert_eq!(bare.names("PROPERTY"), ["Handle"]);
    assert!(bare.find("QUALIFIER").is_empty() && !bare.one("PROPERTY").attributes.contains_key("CLASSORIGIN"));
    let none = call("GetClass", "root/cimv2", &(class_name("LC_Process") + &list(&[])));
    assert!(none.names("PROPERTY").is_empty(), "an empty list asks for no property");
    let deep = flag("DeepInheritance", true);
    let classes = call("EnumerateClasses", "root/interop", &(class_name("CIM_Service") + &deep));
    assert_eq!(classes.names("CLASS"), ["CIM_WBEMService", "CIM_ObjectManager", "LC_ObjectManager"]);
}

#[test]
fn every_namespace_is_an_instance_in_interop() {
    let spaces = call("EnumerateInstances", "root/interop", &class_name("CIM_Namespace"));
    let names: Vec<&str> = spaces.find("INSTANCE").iter().map(|one| one.property("Name").value()).collect();
    assert_eq!(names, ["root/cimv2", "root/interop"]);
    let managers = call("EnumerateInstanceNames", "root/interop", &class_name("CIM_ObjectManager"));
    assert_eq!(managers.one("INSTANCENAME").attributes["CLASSNAME"], "LC_ObjectManager");
}

/// Each value must be one its declared type can hold, and NULL must have a start and an end tag.
fn check_property(property: &Element) {
    assert!(!property.self_closed, "{property:?} is self-closed");
    if property.name == "PROPERTY.REFERENCE" {
        assert_eq!(property.find("INSTANCENAME").len(), 1);
        return;
    }
    let ty = CimType::from_keyword(&property.attributes["TYPE"]).expect("a CIM type");
    assert_eq!(
        property.name == "PROPERTY.ARRAY",
        !property.find("VALUE.ARRAY").is_empty() || property.name == "PROPERTY.ARRAY"
    );
    for value in property.find("VALUE") {
        let text = value.text.as_str();
        let fits = match ty {
            CimType::Boolean => matches!(text, "TRUE" | "FALSE"),
            CimType::Real32 | CimType::Real64 => text.parse::<f64>().is_ok(),
            CimType::DateTime => text.parse::<CimDateTime>().is_ok(),
            CimType::Char16 => text.chars().count() == 1,
            CimType::String => true,
            CimType::Reference => false,
            _ => {
                let (low, high) = ty.integer_range().expect("an integer");
                text.parse::<i128>().is_ok_and(|value| (low..=high).contains(&value))
            }
        };
        assert!(fits, "{text:?} as {ty} in {:?}", property.attributes);
    }
}

#[test]
fn a_real_has_a_point_in_it_and_comes_back_as_it_was() {
    for (value, text) in [(0.0, "0.0"), (4.0, "4.0"), (1e16, "1.0e16"), (-2.5e-7, "-2.5e-7")] {
        let mut out = String::new();
        write::value(&mut out, CimType::Real64, &crate::cim::CimValue::Real(value));
        assert_eq!(out, format!("<VALUE>{text}</VALUE>"));
        assert_eq!(text.parse(), Ok(value));
    }
}

#[test]
fn every_answer_of_every_class_parses_and_every_value_fits_its_type() {
    for namespace in ["root/cimv2", "root/interop"] {
        let names = call("EnumerateClassNames", namespace, &flag("DeepInheritance", true));
        for class in names.names("CLASSNAME") {
            let instances = call("EnumerateInstances", namespace, &class_name(class));
            for property in ["PROPERTY", "PROPERTY.ARRAY", "PROPERTY.REFERENCE"] {
                instances.find(property).into_iter().for_each(check_property);
            }
            for named in instances.find("VALUE.NAMEDINSTANCE") {
                let declared = &named.one("INSTANCE").attributes["CLASSNAME"];
                assert_eq!(&named.children[0].attributes["CLASSNAME"], declared);
                assert!(declared.starts_with("LC_"), "{declared}");
            }
            call("GetClass", namespace, &class_name(class)).one("CLASS");
        }
    }
}

#[test]
fn this_very_process_is_told_with_its_keys_and_times() {
    let own = std::process::id().to_string();
    let names = call("EnumerateInstanceNames", "root/cimv2", &class_name("CIM_Process"));
    assert!(names.find("KEYVALUE").iter().any(|key| key.text == own));
    let got = call("GetInstance", "root/cimv2", &instance_name("lc_process", &keys_of(&own)));
    let process = got.one("INSTANCE");
    assert_eq!(process.property("Handle").value(), own);
    assert!(process.property("WorkingSetSize").value().parse::<u64>().unwrap() > 0);
    assert!(!process.property("Parameters").find("VALUE").is_empty());
    let started: CimDateTime = process.property("CreationDate").value().parse().unwrap();
    assert!(!started.is_interval());
    let two = instance_name("LC_Process", &keys_of(&own)) + &list(&["Name", "HANDLE"]);
    let two = call("GetInstance", "root/cimv2", &two);
    assert_eq!(two.names("PROPERTY"), ["Name", "Handle"], "class order, nothing else");
}

#[test]
fn shallow_enumeration_keeps_to_the_properties_of_the_class_asked_for() {
    let params =
        class_name("CIM_OperatingSystem") + &flag("DeepInheritance", false) + &flag("IncludeClassOrigin", true);
    let shallow = call("EnumerateInstances", "root/cimv2", &params);
    let system = shallow.one("INSTANCE");
    assert_eq!(system.attributes["CLASSNAME"], "LC_OperatingSystem");
    assert!(!shallow.names("PROPERTY").contains(&"UpTime"));
    assert_eq!(system.property("OSType").attributes["CLASSORIGIN"], "CIM_OperatingSystem");
    let deep = call("EnumerateInstances", "root/cimv2", &class_name("CIM_OperatingSystem"));
    assert!(deep.one("INSTANCE").property("UpTime").value().ends_with(":000"));
}

#[test]
fn associations_name_instances_that_can_be_got() {
    let links = call("EnumerateInstances", "root/cimv2", &class_name("LC_RunningOS"));
    for (reference, class) in [("Antecedent", "LC_OperatingSystem"), ("Dependent", "LC_ComputerSystem")] {
        let target = links.one("INSTANCE").property(reference).one("INSTANCENAME");
        assert_eq!(target.attributes["CLASSNAME"], class);
        let keys = target.find("KEYBINDING").iter().fold(String::new(), |keys, key| {
            keys + &format!(
                "<KEYBINDING NAME=\"{}\"><KEYVALUE>{}</KEYVALUE></KEYBINDING>",
                key.attributes["NAME"],
                key.one("KEYVALUE").text
            )
        });
        call("GetInstance", "root/cimv2", &instance_name(class, &keys)).one("INSTANCE");
    }
}

#[test]
fn each_mistake_has_its_status() {
    let process = class_name("LC_Process");
    assert_eq!(status("EnumerateClassNames", "root/nowhere", ""), 3);
    assert_eq!(status("GetClass", "root/cimv2", ""), 4);
    assert_eq!(status("GetClass", "root/cimv2", &(process.clone() + &flag("Surprise", true))), 4);
    assert_eq!(status("GetClass", "root/cimv2", &(process.clone() + &process)), 4);
    assert_eq!(status("EnumerateInstances", "root/cimv2", &(process.clone() + &text("LocalOnly", "maybe"))), 4);
    assert_eq!(status("EnumerateInstances", "root/cimv2", &class_name("No_Such")), 5);
    assert_eq!(status("EnumerateInstanceNames", "root/cimv2", &class_name("No_Such")), 5);
    assert_eq!(status("EnumerateClasses", "root/cimv2", &class_name("No_Such")), 5);
    assert_eq!(status("GetClass", "root/cimv2", &class_name("No_Such")), 6);
    assert_eq!(status("GetInstance", "root/cimv2", &instance_name("No_Such", "")), 5);
    assert_eq!(status("GetInstance", "root/cimv2", &instance_name("LC_Process", "")), 4);
    assert_eq!(status("GetInstance", "root/cimv2", &instance_name("LC_Process", &keys_of("0"))), 6);
    assert_eq!(status("GetInstance", "root/cimv2", &instance_name("LC_Process", &keys_of("../1"))), 6);
    assert_eq!(status("GetInstance", "root/cimv2", &instance_name("CIM_Process", &keys_of("1"))), 6);
    for operation in ["CreateInstance", "DeleteInstance", "EnumerationCount", "GetProperty", "SetQualifier"] {
        assert_eq!(status(operation, "root/cimv2", ""), 7, "{operation}");
    }
}

#[test]
fn qualifiers_are_told_as_they_are_declared() {
    let all = call("EnumerateQualifiers", "root/cimv2", "");
    let declared = all.names("QUALIFIER.DECLARATION");
    assert!(declared.contains(&"Key") && declared.contains(&"Description"), "{declared:?}");
    let name = |name: &str| text("QualifierName", name);
    let key = call("GetQualifier", "root/cimv2", &name("key"));
    let key = key.one("QUALIFIER.DECLARATION");
    assert_eq!((key.attributes["TYPE"].as_str(), key.attributes["ISARRAY"].as_str()), ("boolean", "false"));
    assert_eq!((key.attributes["OVERRIDABLE"].as_str(), key.value()), ("false", "FALSE"));
    let scope = &key.one("SCOPE").attributes;
    assert_eq!(
        (scope["PROPERTY"].as_str(), scope["REFERENCE"].as_str(), scope["CLASS"].as_str()),
        ("true", "true", "false")
    );
    assert_eq!(status("GetQualifier", "root/cimv2", &name("NoSuch")), 6);
    assert_eq!(status("GetQualifier", "root/cimv2", ""), 4);
    assert_eq!(status("EnumerateQualifiers", "root/cimv2", &name("Key")), 4);
}

fn refused(head: &Head, body: &str) -> Refusal {
    request::check_head(head).err().unwrap_or_else(|| answer(head, body.as_bytes()).expect_err("a refusal"))
}

#[test]
fn what_is_no_request_is_refused_as_the_specification_says() {
    let (good, body) = request("GetClass", "root/cimv2", "");
    let change = |from: &str, to: &str| {
        assert!(body.contains(from), "{from}");
        let refusal = refused(&good, &body.replace(from, to));
        (refusal.status(), refusal.cim_error())
    };
    assert_eq!(change("</CIM>", ""), (400, "request-not-well-formed"));
    assert_eq!(change("</CIM>", "</CIM><CIM/>"), (400, "request-not-well-formed"));
    assert_eq!(change("7&amp;8", "&unknown;"), (400, "request-not-well-formed"));
    assert_eq!(change("SIMPLEREQ", "SIMPLERSP"), (400, "request-not-valid"));
    assert_eq!(change("<NAMESPACE NAME=\"root\"/>", "<NAMESPACE/>"), (400, "request-not-valid"));
    assert_eq!(change("SIMPLEREQ", "MULTIREQ"), (501, "multiple-requests-unsupported"));
    assert_eq!(change("CIMVERSION=\"2.0\"", "CIMVERSION=\"3.0\""), (501, "unsupported-cim-version"));
    assert_eq!(change("DTDVERSION=\"2.0\"", "DTDVERSION=\"9.0\""), (501, "unsupported-dtd-version"));
    assert_eq!(change("PROTOCOLVERSION=\"1.0\"", "PROTOCOLVERSION=\"2.0\""), (501, "unsupported-protocol-version"));
    let deep = format!("{}{}", "<a>".repeat(10_000), "</a>".repeat(10_000));
    assert_eq!(refused(&good, &deep).cim_error(), "request-not-valid");
    let bomb = "<!DOCTYPE a [<!ENTITY x \"y\">]><a>&x;</a>";
    assert_eq!(refused(&good, bomb).status(), 400);
    let with = |name: &str, value: Option<&str>| {
        let mut head = good.clone();
        head.headers.retain(|(key, _)| key != name);
        head.headers.extend(value.map(|value| (name.to_owned(), value.to_owned())));
        let refusal = refused(&head, &body);
        (refusal.status(), refusal.cim_error())
    };
    assert_eq!(with("CIMOperation", None), (400, "unsupported-operation"));
    assert_eq!(with("CIMMethod", Some("GetInstance")), (400, "header-mismatch"));
    assert_eq!(with("CIMObject", None), (400, "header-mismatch"));
    assert_eq!(with("CIMObject", Some("root%2Finterop")), (400, "header-mismatch"));
    assert_eq!(with("Content-Type", Some("text/plain")).0, 415);
    assert_eq!(with("Content-Type", Some("application/xml; charset=utf-16")).0, 415);
    let mut encoded = good.clone();
    encoded.headers.retain(|(key, _)| key != "CIMObject");
    encoded.headers.push(("CIMObject".to_owned(), "root%2Fcimv2".to_owned()));
    answer(&encoded, body.as_bytes()).expect("percent-encoding is read");
}

proptest::proptest! {
    #[test]
    fn no_bytes_make_the_reader_panic(bytes in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..400)) {
        let _ = request::parse(&bytes);
    }

    #[test]
    fn a_damaged_request_is_answered_or_refused(at in 0_usize..600, byte in proptest::prelude::any::<u8>()) {
        let (_, body) = request("GetInstance", "root/cimv2", &instance_name("LC_Process", &keys_of("1")));
        let mut bytes = body.into_bytes();
        let at = at % bytes.len();
        bytes[at] = byte;
        let _ = request::parse(&bytes);
    }

    #[test]
    fn any_text_comes_back_as_it_was_or_with_replacements_for_what_xml_cannot_carry(text in ".*") {
        let mut xml = String::from("<VALUE a=\"");
        crate::server::xml::escape(&mut xml, &text);
        xml.push_str("\">");
        crate::server::xml::escape(&mut xml, &text);
        xml.push_str("</VALUE>");
        let back = read(&xml);
        let legal = |c: char| matches!(c, '\t' | '\n' | '\r' | '\u{20}'..='\u{fffd}' | '\u{10000}'..);
        let expected: String = text.chars().map(|c| if legal(c) { c } else { '\u{fffd}' }).collect();
        proptest::prop_assert_eq!(&back.text, &expected);
        proptest::prop_assert_eq!(&back.attributes["a"], &expected);
    }
}
