//! Finding namespaces, and finding out that nobody there speaks WS-Man.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use super::{
    discover::Way,
    run_tests::{SCHEMA, all, fault, names, no_class, run},
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
