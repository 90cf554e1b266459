//! Finding namespaces, and finding out that nobody there speaks WS-Man.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::sync::atomic::{AtomicUsize, Ordering};

use super::{
    discover::Way,
    run_tests::{SCHEMA, all, envelope, fault, names, no_class, object, run, warnings},
};
use crate::{
    cim::{CimName, KeyBinding, KeyValue, ObjectPath},
    op::{ErrorKind, Operation, OperationKind},
    protocol::fakes::{Asked, Bench, Canned},
};

#[test]
fn namespaces_are_found_on_windows_on_interop_servers_and_on_omi() {
    let nested = |asked: &Asked| match (asked.body.contains("__Namespace</w:ResourceURI>"), asked.namespace.as_str()) {
        (true, "root") => all(&space("__Namespace", "cimv2")),
        (true, "root/cimv2") => all(&space("__Namespace", "ms")),
        (true, _) => all(""),
        _ => no_class(),
    };
    let interop =
        |asked: &Asked| match asked.body.contains("CIM_Namespace</w:ResourceURI>") && asked.namespace == "interop" {
            true => all(&(space("CIM_Namespace", "root/a") + &space("CIM_Namespace", "root/b"))),
            false => no_class(),
        };
    let omi = |asked: &Asked| match asked.namespace.as_str() {
        "root/omi" => all(&format!(
            "<p:OMI_Identify xmlns:p=\"{SCHEMA}OMI_Identify\"><p:ConfigNameSpaces>root-check</p:ConfigNameSpaces>\
             <p:ConfigNameSpaces>interop</p:ConfigNameSpaces></p:OMI_Identify>"
        )),
        _ => fault(500, "w:InternalError", "no", 0x8004_100E),
    };
    type Script = fn(&Asked) -> Canned;
    let cases: [(Script, Way, &[&str]); 3] = [
        (nested, Way::Nested, &["root", "root/cimv2", "root/cimv2/ms"]),
        (interop, Way::Interop, &["root/a", "root/b", "interop"]),
        (omi, Way::Omi, &["root/check", "interop"]),
    ];
    for (script, way, expected) in cases {
        let bench = Bench::new(script);
        let op = Operation::new(OperationKind::EnumerateNamespaces);
        run(&bench, &op).unwrap();
        assert_eq!(names(&bench), expected, "{way:?}");
        let first = bench.asked.lock().unwrap().len();
        run(&bench, &op).unwrap();
        assert_eq!(bench.facts.lock().unwrap().wsman.namespaces, Some(way));
        let again = bench.asked.lock().unwrap().len() - first;
        assert!(again < first || way == Way::Nested, "{way:?}: {again} requests where {first} were needed to find it");
    }
}

fn space(class: &str, name: &str) -> String {
    format!("<p:{class} xmlns:p=\"{SCHEMA}{class}\"><p:Name>{name}</p:Name></p:{class}>")
}

/// One operation of each kind.
fn every_kind() -> Vec<Operation> {
    let class = CimName::new("A");
    let key = KeyBinding { name: CimName::new("Id"), value: KeyValue::String("1".into()) };
    let path = ObjectPath::new(None, class.clone(), vec![key]);
    let kinds = [
        OperationKind::TestConnection,
        OperationKind::EnumerateNamespaces,
        OperationKind::EnumerateClasses { parent: None, deep: false, names_only: true },
        OperationKind::GetClass { class: class.clone() },
        OperationKind::EnumerateInstances { class },
        OperationKind::GetInstance { path: path.clone() },
        OperationKind::ReferenceInstances { object: path, result_class: None, role: None },
        OperationKind::QueryInstances { query: "SELECT * FROM A".to_owned() },
    ];
    kinds.map(Operation::new).into()
}

#[test]
fn whoever_is_no_ws_man_server_is_asked_once() {
    let cim_xml = Canned::status(400, vec![("cimerror", "unsupported-operation")]);
    let nobody = [404, 405, 410, 501].map(|status| (Canned::status(status, Vec::new()), ErrorKind::Http(status)));
    for (answer, kind) in nobody.into_iter().chain([(cim_xml, ErrorKind::OtherProtocol)]) {
        for op in every_kind() {
            let answer = answer.clone();
            let bench = Bench::new(move |_| answer.clone());
            let error = run(&bench, &op).unwrap_err();
            assert_eq!((&error.kind, bench.operations().len()), (&kind, 1), "{}: {error}", op.name());
            assert!(!bench.cleanup.is_open(), "{}", op.name());
        }
    }
    // A fault with such a status is an answer all the same.
    let bench = Bench::new(|_| fault(404, "a:DestinationUnreachable", "no such resource", 0));
    assert!(matches!(run(&bench, &every_kind()[3]).unwrap_err().kind, ErrorKind::Cim(_)));
}

/// A server that answers everything with `item`, a hundred at a time, without an end.
fn endless(item: fn(usize) -> String) -> impl Fn(&Asked) -> Canned + Send + Sync + 'static {
    let count = AtomicUsize::new(0);
    move |asked| {
        let response = match asked.operation.as_str() {
            "Enumerate" => "EnumerateResponse",
            "Pull" => "PullResponse",
            _ => return envelope(""),
        };
        let prefix = if response == "PullResponse" { "n" } else { "w" };
        let items: String = (0..100).map(|_| item(count.fetch_add(1, Ordering::Relaxed))).collect();
        envelope(&format!(
            "<n:{response}><n:EnumerationContext>more</n:EnumerationContext><{prefix}:Items>{items}</{prefix}:Items>\
             </n:{response}>"
        ))
    }
}

/// How often the operations called `name` were asked for.
fn count(bench: &Bench, name: &str) -> usize {
    bench.operations().iter().filter(|it| it.starts_with(name)).count()
}

#[test]
fn instances_of_another_class_end_a_way_at_once() {
    let bench = Bench::new(endless(|number| object("A", &number.to_string())));
    let error = run(&bench, &Operation::new(OperationKind::EnumerateNamespaces)).unwrap_err();
    let told = error.causes.join("; ");
    assert!(told.contains("namespaces cannot be listed") && told.contains("answers with A where"), "{told}");
    let asked = ["Enumerate", "Pull", "Release"].map(|name| count(&bench, name));
    // What the last way left open is left to clean-up.
    assert_eq!((asked, bench.cleanup.is_open()), ([3, 0, 2], true), "{:?}", bench.operations());
}

#[test]
fn a_list_of_namespaces_without_an_end_is_cut() {
    let bench = Bench::new(endless(|number| space("__Namespace", &format!("n{number}"))));
    run(&bench, &Operation::new(OperationKind::EnumerateNamespaces)).unwrap();
    let told = warnings(&bench);
    assert!(told.len() == 1 && told[0].starts_with("not all namespaces are listed"), "{told:?}");
    assert_eq!(names(&bench).len(), 10_000);
    assert!(count(&bench, "Enumerate") == 1 && count(&bench, "Pull") <= 100, "{}", bench.operations().len());
    assert!(bench.cleanup.is_open(), "clean-up releases it");
}

#[test]
fn namespaces_that_nest_without_an_end_are_not_all_walked_to() {
    let number = AtomicUsize::new(0);
    let bench = Bench::new(move |_| {
        let next = || space("__Namespace", &format!("n{}", number.fetch_add(1, Ordering::Relaxed)));
        all(&(next() + &next()))
    });
    run(&bench, &Operation::new(OperationKind::EnumerateNamespaces)).unwrap();
    assert_eq!(bench.operations().len(), 1_000);
    assert_eq!(warnings(&bench).len(), 1);
}

#[test]
fn a_vendors_own_class_of_namespaces_is_one() {
    let bench = Bench::new(|asked| match asked.body.contains("CIM_Namespace</w:ResourceURI>") {
        true => all(&space("PG_Namespace", "root/a")),
        false => no_class(),
    });
    run(&bench, &Operation::new(OperationKind::EnumerateNamespaces)).unwrap();
    assert_eq!(names(&bench), ["root/a", "root/interop"]);
}
