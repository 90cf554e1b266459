//! Pulled enumerations against the embedded repository.

use super::*;

const NS: &str = "root/cimv2";

fn max(count: u32) -> String {
    text("MaxObjectCount", &count.to_string())
}

fn filter(condition: &str) -> String {
    text("FilterQueryLanguage", "DMTF:FQL") + &text("FilterQuery", condition)
}

/// The value of an output parameter.
fn output<'a>(root: &'a Element, name: &str) -> &'a str {
    let found = root.find("PARAMVALUE").into_iter().find(|param| param.attributes["NAME"] == name);
    found.unwrap_or_else(|| panic!("no {name}")).value()
}

fn pull(service: &CimXml, operation: &str, context: &str, count: u32) -> Element {
    call_on(service, operation, NS, &(text("EnumerationContext", context) + &max(count)))
}

/// Opens, pulls `count` by `count` to the end, and returns all answers.
fn read_to_end(service: &CimXml, open: &str, params: &str, pulled: &str, count: u32) -> Vec<Element> {
    let mut answers = vec![call_on(service, open, NS, &(params.to_owned() + &max(count)))];
    while output(answers.last().unwrap(), "EndOfSequence") == "FALSE" {
        let context = output(answers.last().unwrap(), "EnumerationContext").to_owned();
        answers.push(pull(service, pulled, &context, count));
        assert!(answers.len() < 10_000, "it ends");
    }
    assert_eq!(output(answers.last().unwrap(), "EnumerationContext"), "");
    assert_eq!(*service.enumerations.count().borrow(), 0, "an enumeration read to its end is closed");
    answers
}

/// The handles of the processes that `answers` tell, each with the number of its answer.
fn handles(answers: &[Element]) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    for (at, answer) in answers.iter().enumerate() {
        for key in answer.find("KEYBINDING") {
            if key.attributes["NAME"] == "Handle" {
                found.push((at, key.one("KEYVALUE").text.clone()));
            }
        }
    }
    found
}

#[test]
fn an_enumeration_is_told_in_pages_as_large_as_asked_for() {
    let service = service();
    let answers =
        read_to_end(&service, "OpenEnumerateInstances", &class_name("CIM_Process"), "PullInstancesWithPath", 3);
    let (last, full) = answers.split_last().unwrap();
    assert!(full.iter().all(|answer| answer.find("VALUE.INSTANCEWITHPATH").len() == 3));
    assert!((1..=3).contains(&last.find("VALUE.INSTANCEWITHPATH").len()));
    let told = handles(&answers);
    let own = std::process::id().to_string();
    assert_eq!(told.iter().filter(|(_, handle)| *handle == own).count(), 1, "this process is told once");
    let first = answers[0].find("VALUE.INSTANCEWITHPATH")[0];
    assert_eq!(first.children[0].name, "INSTANCEPATH");
    assert_eq!(first.one("HOST").text, rustix::system::uname().nodename().to_string_lossy());
    assert_eq!(first.names("NAMESPACE"), ["root", "cimv2"]);
    assert_eq!(first.one("INSTANCE").attributes["CLASSNAME"], "LC_Process");
    let response = answers[0].one("IMETHODRESPONSE");
    let order: Vec<&str> = response.children.iter().map(|child| child.name.as_str()).collect();
    assert_eq!(order, ["IRETURNVALUE", "PARAMVALUE", "PARAMVALUE"]);
    assert!(response.children.iter().all(|child| !child.attributes.contains_key("PARAMTYPE")));
}

#[test]
fn an_open_that_asks_for_nothing_opens_only_and_one_that_asks_for_all_stays_closed() {
    let service = service();
    let open = call_on(&service, "OpenEnumerateInstances", NS, &class_name("LC_Process"));
    assert!(open.find("IRETURNVALUE").is_empty(), "no object was asked for");
    assert_eq!((output(&open, "EndOfSequence"), *service.enumerations.count().borrow()), ("FALSE", 1));
    let context = output(&open, "EnumerationContext").to_owned();
    assert!(context.len() == 32 && context.bytes().all(|byte| byte.is_ascii_hexdigit()), "{context}");
    let waiting = pull(&service, "PullInstancesWithPath", &context, 0);
    assert_eq!(output(&waiting, "EnumerationContext"), context, "a Pull of nothing keeps it open");
    let closed = call_on(&service, "CloseEnumeration", NS, &text("EnumerationContext", &context));
    assert!(closed.one("IMETHODRESPONSE").children.is_empty());
    assert_eq!(*service.enumerations.count().borrow(), 0);
    let whole = call_on(&service, "OpenEnumerateInstances", NS, &(class_name("LC_Process") + &max(u32::MAX)));
    assert_eq!((output(&whole, "EndOfSequence"), output(&whole, "EnumerationContext")), ("TRUE", ""));
    assert_eq!(*service.enumerations.count().borrow(), 0);
    let none = call_on(&service, "OpenEnumerateInstances", NS, &(class_name("LC_Process") + &filter("Handle = 'x'")));
    assert_eq!(output(&none, "EndOfSequence"), "TRUE", "nothing is left of nothing");
}

#[test]
fn what_the_parameters_of_an_open_ask_for_holds_in_every_page() {
    let service = service();
    let few = class_name("LC_Process") + &list(&["Name"]) + &flag("IncludeClassOrigin", true);
    for answer in read_to_end(&service, "OpenEnumerateInstances", &few, "PullInstancesWithPath", 5) {
        for instance in answer.find("INSTANCE") {
            assert_eq!(instance.names("PROPERTY"), ["Name"]);
            assert!(instance.one("PROPERTY").attributes.contains_key("CLASSORIGIN"));
            assert!(!instance.one("PROPERTY").find("VALUE").is_empty());
        }
        assert!(answer.find("INSTANCEPATH").iter().all(|path| path.find("KEYBINDING").len() == 6));
    }
    let shallow = class_name("CIM_OperatingSystem") + &flag("DeepInheritance", false) + &max(1);
    let shallow = call_on(&service, "OpenEnumerateInstances", NS, &shallow);
    assert_eq!(shallow.one("INSTANCE").attributes["CLASSNAME"], "LC_OperatingSystem");
    assert!(!shallow.names("PROPERTY").contains(&"UpTime"));
}

#[test]
fn paths_and_associations_are_pulled_with_their_own_operations() {
    let service = service();
    let own = std::process::id().to_string();
    let paths = read_to_end(&service, "OpenEnumerateInstancePaths", &class_name("LC_Process"), "PullInstancePaths", 7);
    assert!(paths.iter().all(|answer| answer.find("INSTANCE").is_empty()));
    assert!(handles(&paths).iter().any(|(_, handle)| *handle == own));
    assert_eq!(paths[0].one("IRETURNVALUE").children[0].name, "INSTANCEPATH");

    let process = instance_name("LC_Process", &keys_of(&own));
    for (open, pulled, class, holds) in [
        ("OpenAssociatorInstances", "PullInstancesWithPath", "LC_OperatingSystem", 1),
        ("OpenAssociatorInstancePaths", "PullInstancePaths", "LC_OperatingSystem", 0),
        ("OpenReferenceInstances", "PullInstancesWithPath", "LC_OSProcess", 1),
        ("OpenReferenceInstancePaths", "PullInstancePaths", "LC_OSProcess", 0),
    ] {
        let opened = call_on(&service, open, NS, &process);
        let context = output(&opened, "EnumerationContext").to_owned();
        let page = pull(&service, pulled, &context, 9);
        let path = page.one("INSTANCEPATH").children[1].clone();
        assert_eq!((path.attributes["CLASSNAME"].as_str(), page.find("INSTANCE").len()), (class, holds), "{open}");
        assert_eq!(output(&page, "EndOfSequence"), "TRUE");
    }
    let filtered = process.clone() + &filter("OSType = 36") + &max(9);
    assert_eq!(call_on(&service, "OpenAssociatorInstancePaths", NS, &filtered).find("INSTANCEPATH").len(), 1);
    let filtered = process + &filter("OSType = 1") + &max(9);
    assert!(call_on(&service, "OpenAssociatorInstancePaths", NS, &filtered).find("INSTANCEPATH").is_empty());
}

#[test]
fn a_filter_leaves_out_what_it_should_and_its_mistakes_have_their_status() {
    let service = service();
    let own = std::process::id().to_string();
    let of = |condition: &str| class_name("CIM_Process") + &filter(condition);
    for condition in [
        format!("Handle = '{own}'"),
        format!("Handle = '{own}' AND WorkingSetSize > 0 AND TerminationDate IS NULL"),
        format!("NOT (Handle <> '{own}' OR WorkingSetSize = 0)"),
    ] {
        let answers = read_to_end(&service, "OpenEnumerateInstances", &of(&condition), "PullInstancesWithPath", 2);
        assert_eq!(handles(&answers), [(0, own.clone())], "{condition}");
        let paths = read_to_end(&service, "OpenEnumerateInstancePaths", &of(&condition), "PullInstancePaths", 2);
        assert_eq!(handles(&paths), [(0, own.clone())], "{condition}");
    }
    let status =
        |params: String| status_on(&service, "OpenEnumerateInstances", NS, &(class_name("CIM_Process") + &params));
    assert_eq!(status(filter("Handle LIKE '1'")), 15);
    assert_eq!(status(filter("NoSuch = 1")), 15);
    assert_eq!(status(filter("Handle = 1")), 15, "a text is not compared with a number");
    assert_eq!(status(text("FilterQueryLanguage", "DMTF:CQL") + &text("FilterQuery", "Handle = '1'")), 14);
    assert_eq!(status(text("FilterQueryLanguage", "DMTF:FQL")), 4);
    assert_eq!(status(text("FilterQuery", "Handle = '1'")), 4);
}

#[test]
fn each_mistake_about_an_enumeration_has_its_status() {
    let service = service();
    let class = class_name("LC_Process");
    let open = |params: &str| status_on(&service, "OpenEnumerateInstances", NS, &(class.clone() + params));
    assert_eq!(open(&text("OperationTimeout", "301")), 22);
    assert_eq!(open(&text("OperationTimeout", "0")), 22, "no enumeration stays open for ever");
    assert_eq!(open(&text("OperationTimeout", "soon")), 4);
    assert_eq!(open(&text("MaxObjectCount", "-1")), 4);
    assert_eq!(open(&flag("ContinueOnError", true)), 26);
    assert_eq!(open(&flag("LocalOnly", true)), 4, "no parameter of this operation");
    assert_eq!(status_on(&service, "OpenEnumerateInstances", NS, &class_name("No_Such")), 5);
    assert_eq!(status_on(&service, "OpenReferenceInstances", NS, &instance_name("No_Such", "")), 4);
    assert_eq!(*service.enumerations.count().borrow(), 0);

    let opened = call_on(&service, "OpenEnumerateInstances", NS, &(class + &text("OperationTimeout", "300")));
    let context = text("EnumerationContext", output(&opened, "EnumerationContext"));
    let fails = |operation: &str, namespace: &str, params: &str| status_on(&service, operation, namespace, params);
    assert_eq!(fails("PullInstancesWithPath", NS, &context), 4, "MaxObjectCount is needed");
    assert_eq!(fails("PullInstancesWithPath", NS, &max(1)), 4);
    assert_eq!(fails("PullInstancePaths", NS, &(context.clone() + &max(1))), 21, "another operation's context");
    assert_eq!(fails("PullInstances", NS, &(context.clone() + &max(1))), 21);
    assert_eq!(fails("PullInstancesWithPath", "root/interop", &(context.clone() + &max(1))), 21, "another namespace");
    assert_eq!(fails("CloseEnumeration", "root/interop", &context), 21);
    assert_eq!(*service.enumerations.count().borrow(), 1, "a mistake closes nothing");
    call_on(&service, "CloseEnumeration", NS, &context);
    assert_eq!(fails("PullInstancesWithPath", NS, &(context.clone() + &max(1))), 21);
    assert_eq!(fails("CloseEnumeration", NS, &context), 21);
    assert_eq!(fails("CloseEnumeration", NS, &text("EnumerationContext", "")), 4);
}

#[test]
fn one_enumeration_too_many_is_refused_until_another_is_closed() {
    let service = service();
    let class = class_name("LC_Process") + &list(&[]);
    let contexts: Vec<String> = (0..crate::server::enumeration::OPEN_MAX)
        .map(|_| output(&call_on(&service, "OpenEnumerateInstances", NS, &class), "EnumerationContext").to_owned())
        .collect();
    let different: std::collections::HashSet<&String> = contexts.iter().collect();
    assert_eq!(different.len(), contexts.len());
    assert_eq!(status_on(&service, "OpenEnumerateInstances", NS, &class), 27);
    call_on(&service, "CloseEnumeration", NS, &text("EnumerationContext", &contexts[0]));
    call_on(&service, "OpenEnumerateInstances", NS, &class).one("IMETHODRESPONSE");
    assert_eq!(*service.enumerations.count().borrow(), crate::server::enumeration::OPEN_MAX);
}

#[test]
fn a_client_that_leaves_during_an_open_leaves_nothing_open() {
    let service = service();
    let class = class_name("CIM_ManagedElement");
    let whole = call_on(&service, "OpenEnumerateInstances", NS, &(class.clone() + &max(u32::MAX)));
    let all = u32::try_from(whole.find("VALUE.INSTANCEWITHPATH").len()).unwrap();
    let (head, body) = request("OpenEnumerateInstances", NS, &(class + &max(all / 2)));
    assert!(answer_of(&service, &head, body.as_bytes()).unwrap().len() > 2 * PIECE, "long enough to notice");
    assert_eq!(*service.enumerations.count().borrow(), 1, "it goes on when the client stays");
    let (to, from) = mpsc::channel(1);
    drop(from);
    service.answer(&head, body.as_bytes(), Pieces::new(to));
    assert_eq!(*service.enumerations.count().borrow(), 1, "the one of before");
}
