//! Get: instances, fragments and classes, and how values are spelled.

use super::*;
use crate::{
    cim::{CimClass, CimInstance, CimType, CimValue, ClassProperty, InstanceProperty, TypedValue},
    server::repository::SchemaClass,
};

/// The keys of the operating system, as its own instance tells them.
fn system(service: &WsMan) -> Vec<(String, String)> {
    let uri = format!("{CLASSES}/LC_OperatingSystem");
    let mode = "<w:OptimizeEnumeration/><w:EnumerationMode>EnumerateEPR</w:EnumerationMode>";
    let answer = Asking::enumerate(&uri, mode).ask(service);
    let selectors = answer.named("Selector");
    selectors.iter().map(|one| (one.attribute("Name").unwrap().to_owned(), one.text.clone())).collect()
}

fn get_system(service: &WsMan) -> Asking {
    let mut asking = Asking::get("LC_OperatingSystem");
    for (name, value) in system(service).into_iter().skip(1) {
        asking = asking.selector(Box::leak(name.into_boxed_str()), &value);
    }
    asking
}

#[test]
fn an_instance_is_got_by_its_keys() {
    let service = service();
    let keys = system(&service);
    assert_eq!(keys[0], ("__cimnamespace".to_owned(), "root/cimv2".to_owned()));
    let answer = get_system(&service).ask(&service);
    let instance = answer.named("LC_OperatingSystem")[0];
    assert_eq!(instance.namespace, format!("{CLASSES}/LC_OperatingSystem"));
    assert_eq!(instance.attribute_in(envelope::INSTANCE, "type"), Some("p:LC_OperatingSystem_Type"));
    let boot = answer.named("LastBootUpTime")[0];
    assert!(boot.child(envelope::COMMON, "Datetime").unwrap().trimmed().contains('T'));
    let null = answer.named("InstallDate")[0];
    assert_eq!(null.attribute_in(envelope::INSTANCE, "nil"), Some("true"));
    assert!(answer.text("TotalVisibleMemorySize").unwrap().parse::<u64>().is_ok());
    assert_eq!(answer.text("Action"), Some("http://schemas.xmlsoap.org/ws/2004/09/transfer/GetResponse"));
}

#[test]
fn the_spelling_of_wmi_stays_in_the_answer() {
    let service = service();
    let mut asking = get_system(&service);
    asking.uri = "http://schemas.microsoft.com/wbem/wsman/1/wmi/root/cimv2/LC_OperatingSystem".to_owned();
    asking.selectors.remove(0);
    let answer = asking.ask(&service);
    assert_eq!(answer.named("LC_OperatingSystem")[0].namespace, asking.uri);
}

#[test]
fn wrong_selectors_say_what_is_wrong() {
    let service = service();
    let fault = |asking: Asking| {
        let (subcode, detail, _) = asking.ask(&service).fault();
        (subcode, detail)
    };
    let wrong = |detail: &str| ("w:InvalidSelectors".to_owned(), detail.to_owned());
    assert_eq!(fault(Asking::get("LC_OperatingSystem")), wrong("InsufficientSelectors"));
    assert_eq!(fault(get_system(&service).selector("Odd", "x")), wrong("UnexpectedSelectors"));
    assert_eq!(fault(get_system(&service).selector("NAME", "x")), wrong("DuplicateSelectors"));
    let missing =
        Asking::get("LC_ComputerSystem").selector("CreationClassName", "x").selector("Name", "y").ask(&service);
    let (subcode, detail, numbers) = missing.fault();
    assert_eq!((subcode.as_str(), detail.as_str()), ("a:DestinationUnreachable", "InvalidResourceURI"));
    assert_eq!(numbers, ["2150858752", "2147749890"], "WBEM_E_NOT_FOUND");
    assert_eq!(Asking::get("LC_Nothing").ask(&service).fault().2[1], "2147749904", "WBEM_E_INVALID_CLASS");
    let nowhere = Asking::get("LC_Process").within("root/nowhere").ask(&service);
    assert_eq!(nowhere.fault().2[1], "2147749902", "WBEM_E_INVALID_NAMESPACE");
}

#[test]
fn a_fragment_is_one_property() {
    let service = service();
    let asking = get_system(&service).header("<w:FragmentTransfer s:mustUnderstand=\"true\">Name</w:FragmentTransfer>");
    let answer = asking.ask(&service);
    let fragment = answer.named("XmlFragment")[0];
    assert_eq!((fragment.children.len(), fragment.children[0].name.as_str()), (1, "Name"));
    let odd = get_system(&service).header("<w:FragmentTransfer s:mustUnderstand=\"true\">a/b</w:FragmentTransfer>");
    assert_eq!(odd.ask(&service).fault().1, "FragmentLevel");
}

#[test]
fn a_class_is_got_as_cim_xml() {
    let service = service();
    let get = || Asking::new(&format!("{TRANSFER}/Get"), SCHEMA).selector("ClassName", "LC_Process");
    let bare = get().ask(&service);
    let class = bare.named("CLASS")[0];
    assert_eq!((class.namespace.as_str(), class.attribute("NAME")), ("", Some("LC_Process")));
    assert!(bare.named("QUALIFIER").is_empty());
    let options = "<w:OptionSet><w:Option Name=\"IncludeInheritedElements\">true</w:Option>\
        <w:Option Name=\"IncludeQualifiers\">true</w:Option></w:OptionSet>";
    let whole = get().header(options).ask(&service);
    let is_key = |property: &&&Element| {
        property
            .children
            .iter()
            .any(|child| child.attribute("NAME").is_some_and(|name| name.eq_ignore_ascii_case("key")))
    };
    assert_eq!(whole.named("PROPERTY").iter().filter(is_key).count(), 6, "the keys of a process");
    assert!(whole.named("PROPERTY").len() > bare.named("PROPERTY").len());
    let unknown = Asking::new(&format!("{TRANSFER}/Get"), SCHEMA).selector("ClassName", "LC_Nothing").ask(&service);
    assert_eq!(unknown.fault().2[1], "2147749890");
    let none = Asking::new(&format!("{TRANSFER}/Get"), SCHEMA).selector("ClassName", "").ask(&service);
    assert_eq!(none.fault().1, "InsufficientSelectors");
    let small = get().header("<w:MaxEnvelopeSize>8192</w:MaxEnvelopeSize>").header(options).ask(&service);
    assert_eq!(small.fault(), ("w:EncodingLimit".into(), "MaxEnvelopeSizeExceeded".into(), vec!["2150858824".into()]));
}

/// Every form of a value, in a class of its own: the live data has few.
#[test]
fn values_are_spelled_as_winrm_spells_them() {
    let of = |ty: CimType, value: CimValue| {
        let mut out = String::new();
        write::value(&mut out, "urn:", "p:V", ty, &value);
        out
    };
    let when = |text: &str| CimValue::DateTime(text.parse().unwrap());
    for (ty, value, written) in [
        (CimType::String, CimValue::Null, "<p:V xsi:nil=\"true\"/>"),
        (CimType::String, CimValue::string(""), "<p:V></p:V>"),
        (CimType::String, CimValue::string("a<\u{1}\n"), "<p:V>a&lt;\u{fffd}&#10;</p:V>"),
        (CimType::Boolean, CimValue::Bool(true), "<p:V>true</p:V>"),
        (CimType::UInt64, CimValue::UInt(u64::MAX), "<p:V>18446744073709551615</p:V>"),
        (CimType::SInt64, CimValue::SInt(i64::MIN), "<p:V>-9223372036854775808</p:V>"),
        (CimType::Char16, CimValue::Char16(33), "<p:V>33</p:V>"),
        (CimType::Real64, CimValue::Real(0.5), "<p:V>0.5</p:V>"),
        (
            CimType::DateTime,
            when("20261122174500.123456+060"),
            "<p:V><cim:Datetime>2026-11-22T17:45:00.123456+01:00</cim:Datetime></p:V>",
        ),
        (
            CimType::DateTime,
            when("20261122174500.000004-480"),
            "<p:V><cim:Datetime>2026-11-22T17:45:00.000004-08:00</cim:Datetime></p:V>",
        ),
        (
            CimType::DateTime,
            when("00000123010203.000004:000"),
            "<p:V><cim:Interval>P123DT1H2M3.000004S</cim:Interval></p:V>",
        ),
        (
            CimType::DateTime,
            when("20261122******.******+000"),
            "<p:V><cim:CIM_DateTime>20261122******.******+000</cim:CIM_DateTime></p:V>",
        ),
        (
            CimType::UInt8,
            CimValue::Array([CimValue::UInt(1), CimValue::Null].into()),
            "<p:V>1</p:V><p:V xsi:nil=\"true\"/>",
        ),
        (CimType::UInt8, CimValue::Array([].into()), ""),
    ] {
        assert_eq!(of(ty, value), written);
    }
}

#[test]
fn what_is_embedded_names_its_class_and_a_reference_its_keys() {
    let mut inner = CimInstance::new("A_Part");
    let value = TypedValue::scalar(CimType::UInt8, CimValue::UInt(7));
    inner.properties.push(InstanceProperty {
        name: "N".into(),
        value,
        is_typed: true,
        embedded: None,
        reference_class: None,
    });
    let mut out = String::new();
    write::value(&mut out, "urn:", "p:V", CimType::String, &CimValue::Instance(Box::new(inner)));
    assert_eq!(out, "<p:V xmlns:e=\"urn:A_Part\" xsi:type=\"e:A_Part_Type\"><e:N>7</e:N></p:V>");
    let path = "root/cimv2:A_Link.To=\"root/x:A_Part.N=7\",Name=\"a&b\"".parse().unwrap();
    let mut out = String::new();
    write::reference(&mut out, "urn:", &path);
    assert!(out.contains("<w:ResourceURI>urn:A_Link</w:ResourceURI>"), "{out}");
    assert!(out.contains("<w:Selector Name=\"Name\">a&amp;b</w:Selector>"), "{out}");
    let mut declared = CimClass::new("A_B");
    declared.properties.push(ClassProperty::new("B", CimType::Boolean));
    let class = SchemaClass::new(declared, None);
    let mut out = String::new();
    write::instance(&mut out, "urn:", &"A_B".into(), &class, &[CimValue::Bool(false)], |_| true);
    assert_eq!(out, "<p:A_B xmlns:p=\"urn:A_B\" xsi:type=\"p:A_B_Type\"><p:B>false</p:B></p:A_B>");
}
