//! Enumerate, Pull and Release: modes, filters, bounds and contexts.

use super::*;

const OPTIMIZED: &str = "<w:OptimizeEnumeration/><w:MaxElements>1000</w:MaxElements>";

fn uri(class: &str) -> String {
    format!("{CLASSES}/{class}")
}

fn handles(items: &[&Element]) -> Vec<String> {
    let handle = |item: &&Element| {
        let found = all(item).into_iter().find(|one| one.name == "Handle");
        found.map(|handle| handle.trimmed().to_owned())
    };
    items.iter().filter_map(handle).collect()
}

#[test]
fn an_enumeration_is_read_in_pieces_to_its_end() {
    let service = service();
    let first = Asking::enumerate(&uri("CIM_LogicalElement"), "").ask(&service);
    assert!(
        first.items().is_empty() && first.named("Items").is_empty() && !first.is_end(),
        "nothing without being optimised"
    );
    let context = first.context().unwrap().to_owned();
    assert!(context.starts_with("uuid:"));
    assert_eq!(*service.enumerations.count().borrow(), 1);
    let whole = Asking::enumerate(&uri("CIM_LogicalElement"), OPTIMIZED.replace("1000", "30000").as_str());
    let wanted = whole.header("<w:MaxEnvelopeSize>4000000</w:MaxEnvelopeSize>").ask(&service).items().len();
    let mut seen = 0;
    loop {
        let page = Asking::pull("CIM_LogicalElement", &context, 7).ask(&service);
        let items = page.named("Items")[0];
        assert_eq!(items.namespace, ENUMERATION);
        seen += page.items().len();
        if page.is_end() {
            assert_eq!(page.named("EndOfSequence")[0].namespace, ENUMERATION);
            assert_eq!(page.context(), None);
            break;
        }
        // A process that ended meanwhile leaves its page shorter.
        assert!(page.items().len() <= 7, "no more than was asked for");
        assert_eq!(page.context(), Some(context.as_str()));
    }
    assert!(wanted > 7 && seen.abs_diff(wanted) <= wanted / 2, "{seen} of about {wanted}: processes come and go");
    assert_eq!(*service.enumerations.count().borrow(), 0);
    let late = Asking::pull("CIM_LogicalElement", &context, 7).ask(&service);
    assert_eq!(late.fault().0, "n:InvalidEnumerationContext");
}

#[test]
fn a_released_enumeration_is_gone() {
    let service = service();
    let first = Asking::enumerate(&uri("CIM_Process"), "<w:OptimizeEnumeration/>").ask(&service);
    assert_eq!(first.items().len(), 1, "one where no number is asked for");
    assert_eq!(first.named("Items")[0].namespace, "http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd");
    let context = first.context().unwrap();
    let released = Asking::release("CIM_Process", context).ask(&service);
    assert_eq!((released.status, released.named("Body")[0].children.len()), (200, 0));
    assert_eq!(*service.enumerations.count().borrow(), 0);
    for again in [Asking::release("CIM_Process", context), Asking::pull("CIM_Process", context, 1)] {
        assert_eq!(again.ask(&service).fault().0, "n:InvalidEnumerationContext");
    }
    assert_eq!(Asking::pull("CIM_Process", "0", 1).ask(&service).fault().0, "n:InvalidEnumerationContext");
}

#[test]
fn an_answer_fits_its_envelope() {
    let service = service();
    let small = "<w:MaxEnvelopeSize s:mustUnderstand=\"true\">8192</w:MaxEnvelopeSize>";
    let asking = Asking::enumerate(&uri("CIM_Process"), OPTIMIZED).header(small);
    let reply = service.answer(asking.text().as_bytes(), false).unwrap();
    assert!(reply.status == 200 && reply.body.len() <= 8192, "{} bytes", reply.body.len());
    let answer = asking.ask(&service);
    assert!(!answer.items().is_empty() && answer.context().is_some());
    let tiny = small.replace("8192", "8191");
    let refused = Asking::enumerate(&uri("CIM_Process"), OPTIMIZED).header(&tiny).ask(&service);
    assert_eq!((refused.fault().0.as_str(), refused.fault().1.as_str()), ("w:EncodingLimit", "MinimumEnvelopeLimit"));
    let class =
        Asking::enumerate(SCHEMA, "<w:OptimizeEnumeration/>").selector("ClassName", "CIM_LogicalElement").header(
            "<w:OptionSet><w:Option Name=\"IncludeInheritedElements\">true</w:Option>\
                 <w:Option Name=\"IncludeQualifiers\">true</w:Option></w:OptionSet>",
        );
    let open = *service.enumerations.count().borrow();
    let refused = class.header(small).ask(&service);
    assert_eq!(refused.fault().1, "MaxEnvelopeSizeExceeded", "one class alone is larger");
    assert_eq!(*service.enumerations.count().borrow(), open, "what nobody can know is not left open");
}

#[test]
fn modes_tell_objects_references_or_both() {
    let service = service();
    let mode = |mode: &str| {
        let inner = format!("{OPTIMIZED}<w:EnumerationMode>{mode}</w:EnumerationMode>");
        Asking::enumerate(&uri("LC_OperatingSystem"), &inner).ask(&service)
    };
    let references = mode("EnumerateEPR");
    assert_eq!(references.items()[0].name, "EndpointReference");
    assert_eq!(references.named("ResourceURI")[0].trimmed(), uri("LC_OperatingSystem"));
    let both = mode("EnumerateObjectAndEPR");
    let names: Vec<&str> = both.items()[0].children.iter().map(|child| child.name.as_str()).collect();
    assert_eq!(names, ["LC_OperatingSystem", "EndpointReference"]);
    assert_eq!(mode("Odd").fault().1, "EnumerationMode");
}

#[test]
fn polymorphism_is_as_asked() {
    let service = service();
    let mode = |mode: &str| {
        let inner = format!("{OPTIMIZED}<b:PolymorphismMode>{mode}</b:PolymorphismMode>");
        Asking::enumerate(&uri("CIM_OperatingSystem"), &inner).ask(&service)
    };
    let whole = mode("IncludeSubClassProperties");
    assert_eq!(whole.items()[0].name, "LC_OperatingSystem");
    let cut = mode("ExcludeSubClassProperties");
    let (cut, whole) = (cut.items()[0].clone(), whole.items()[0].clone());
    assert_eq!((cut.name.as_str(), cut.namespace), ("CIM_OperatingSystem", uri("CIM_OperatingSystem")));
    assert!(cut.children.len() <= whole.children.len());
    assert!(mode("None").items().is_empty(), "the class itself has no instances");
    assert_eq!(mode("Odd").fault().1, "PolymorphismMode");
}

#[test]
fn filters_narrow() {
    let service = service();
    let own = std::process::id().to_string();
    let filter = |uri: &str, dialect: &str, text: &str| {
        let inner = format!("{OPTIMIZED}<w:Filter Dialect=\"{dialect}\">{text}</w:Filter>");
        Asking::enumerate(uri, &inner).ask(&service)
    };
    let wql = "http://schemas.microsoft.com/wbem/wsman/1/WQL";
    let query = format!("SELECT Handle, Name FROM LC_Process WHERE Handle = '{own}'");
    for uri in
        [ALL, &uri("LC_Process"), &uri("CIM_Process"), "http://schemas.microsoft.com/wbem/wsman/1/wmi/root/cimv2/*"]
    {
        let answer = filter(uri, wql, &query);
        assert_eq!(handles(&answer.items()), [own.as_str()], "{uri}");
        assert_eq!(answer.items()[0].children.len(), 2, "only what was asked for");
    }
    let selected = format!("<w:SelectorSet><w:Selector Name=\"Handle\">{own}</w:Selector></w:SelectorSet>");
    let selector = "http://schemas.dmtf.org/wbem/wsman/1/wsman/SelectorFilter";
    assert_eq!(handles(&filter(&uri("LC_Process"), selector, &selected).items()), [own.as_str()]);
    let refusal = |answer: Answered| answer.fault().0;
    assert_eq!(refusal(filter(ALL, wql, "SELECT nonsense")), "n:CannotProcessFilter");
    assert_eq!(refusal(filter(&uri("LC_OperatingSystem"), wql, &query)), "n:CannotProcessFilter");
    assert_eq!(refusal(filter(ALL, "urn:odd", "x")), "n:FilterDialectRequestedUnavailable");
    let odd = selected.replace("Handle", "Odd");
    assert_eq!(refusal(filter(&uri("LC_Process"), selector, &odd)), "n:CannotProcessFilter");
    assert_eq!(refusal(Asking::enumerate(ALL, OPTIMIZED).ask(&service)), "a:DestinationUnreachable");
}

#[test]
fn associations_are_followed_from_an_endpoint_reference() {
    let service = service();
    let mode = format!("{OPTIMIZED}<w:EnumerationMode>EnumerateEPR</w:EnumerationMode>");
    let system = Asking::enumerate(&uri("LC_OperatingSystem"), &mode).ask(&service);
    let selectors: String = system
        .named("Selector")
        .iter()
        .map(|one| format!("<w:Selector Name=\"{}\">{}</w:Selector>", one.attribute("Name").unwrap(), one.text))
        .collect();
    let object = |class: &str| {
        format!(
            "<b:Object><a:Address>x</a:Address><a:ReferenceParameters><w:ResourceURI>{}</w:ResourceURI>\
             <w:SelectorSet>{selectors}</w:SelectorSet></a:ReferenceParameters></b:Object>",
            uri(class)
        )
    };
    let along = |kind: &str, object: &str, more: &str, mode: &str| {
        let dialect = "http://schemas.dmtf.org/wbem/wsman/1/cimbinding/associationFilter";
        let inner =
            format!("{OPTIMIZED}{mode}<w:Filter Dialect=\"{dialect}\"><b:{kind}>{object}{more}</b:{kind}></w:Filter>");
        Asking::enumerate(ALL, &inner).ask(&service)
    };
    let object = object("LC_OperatingSystem");
    let only = "<b:ResultClassName>LC_ComputerSystem</b:ResultClassName>";
    let ends = along("AssociatedInstances", &object, only, "");
    assert!(!ends.items().is_empty() && ends.items().iter().all(|item| item.name == "LC_ComputerSystem"));
    let reference = "<w:EnumerationMode>EnumerateEPR</w:EnumerationMode>";
    let names = along("AssociatedInstances", &object, only, reference);
    assert_eq!(names.items().len(), ends.items().len());
    let references = along("AssociationInstances", &object, "", "");
    let link = references.items()[0].clone();
    let end = link.children.iter().find(|child| !child.children.is_empty()).unwrap();
    assert!(end.child(envelope::ADDRESSING, "ReferenceParameters").is_some(), "no wrapper around a reference");
    let role = "<b:Role>Odd</b:Role>";
    assert!(along("AssociationInstances", &object, role, "").items().is_empty());
    assert_eq!(along("AssociatedInstances", "", "", "").fault().0, "n:CannotProcessFilter");
    let unknown = "<b:ResultClassName>LC_Nothing</b:ResultClassName>";
    assert_eq!(along("AssociationInstances", &object, unknown, "").fault().0, "w:InvalidParameter");
}

#[test]
fn classes_are_enumerated_and_namespaces_listed() {
    let service = service();
    let wide = "<w:MaxEnvelopeSize>4000000</w:MaxEnvelopeSize>";
    let classes =
        |name: &str| Asking::enumerate(SCHEMA, OPTIMIZED).selector("ClassName", name).header(wide).ask(&service);
    let names = |answer: &Answered| -> Vec<String> {
        answer.items().iter().map(|class| class.attribute("NAME").unwrap().to_owned()).collect()
    };
    let all = names(&classes(""));
    assert!(all.contains(&"CIM_ManagedElement".to_owned()) && all.contains(&"LC_Process".to_owned()));
    let below = names(&classes("CIM_Process"));
    assert!(below.contains(&"LC_Process".to_owned()) && below.len() < all.len());
    assert_eq!(classes("LC_Nothing").fault().0, "a:DestinationUnreachable");
    let spaces = |namespace: &str| Asking::enumerate(&uri("__Namespace"), OPTIMIZED).within(namespace).ask(&service);
    let mut listed: Vec<String> = spaces("root").named("Name").iter().map(|name| name.trimmed().to_owned()).collect();
    listed.sort();
    assert_eq!(listed, ["cimv2", "interop"]);
    assert!(spaces("ROOT/cimv2").items().is_empty() && spaces("root/cimv2").is_end());
    assert_eq!(spaces("odd").fault().2[1], "2147749902");
    // What is listed can be browsed: it has the class by which the others are listed, and no other.
    let within_root = |uri: &str| Asking::enumerate(uri, OPTIMIZED).within("root").ask(&service);
    let classes_of_root = within_root(SCHEMA);
    assert_eq!((names(&classes_of_root), classes_of_root.is_end()), (vec!["__NAMESPACE".to_owned()], true));
    assert_eq!(within_root(&uri("CIM_Process")).fault().2[1], "2147749904", "no such class there");
    let interop = Asking::enumerate(&uri("CIM_Namespace"), OPTIMIZED).within("root/interop").ask(&service);
    assert_eq!(interop.items().len(), 2);
    let class = Asking::new(&format!("{TRANSFER}/Get"), SCHEMA).within("root").selector("ClassName", "__namespace");
    assert_eq!(class.ask(&service).named("CLASS")[0].attribute("NAME"), Some("__NAMESPACE"));
}

#[test]
fn contexts_of_one_protocol_are_unknown_to_the_other() {
    let service = service();
    let first = Asking::enumerate(&uri("CIM_Process"), "<w:OptimizeEnumeration/>").ask(&service);
    let digits = first.context().unwrap().strip_prefix("uuid:").unwrap().to_owned();
    let mut take = crate::server::enumeration::at_most(1);
    let fits = |kind| kind == crate::server::enumeration::Kind::Instances;
    let now = tokio::time::Instant::now();
    assert!(service.enumerations.pull(&digits, None, fits, &mut take, now).is_none());
}
