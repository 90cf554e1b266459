//! Whole operations against a scripted server.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use super::CimXml;
use crate::{
    cim::{
        CimName, CimType, KeyBinding, KeyValue, Namespace, ObjectPath,
        rows::{CellRef, RowStore},
    },
    op::{
        ErrorKind, Names, OpError, OpEventKind, Operation, OperationKind, Phase, Purpose,
        explain::exchange::receive::CUT_SHORT,
    },
    protocol::fakes::{Asked, Bench, Canned},
};

pub fn response(operation: &str, inner: &str) -> String {
    format!(
        "<?xml version=\"1.0\" encoding=\"utf-8\" ?>\n<CIM CIMVERSION=\"2.0\" DTDVERSION=\"2.0\">\n\
         <MESSAGE ID=\"1001\" PROTOCOLVERSION=\"1.0\"><SIMPLERSP><IMETHODRESPONSE NAME=\"{operation}\">{inner}\
         </IMETHODRESPONSE></SIMPLERSP></MESSAGE></CIM>\n"
    )
}

pub fn result(asked: &Asked, inner: &str) -> Canned {
    Canned::xml(response(&asked.operation, &format!("<IRETURNVALUE>{inner}</IRETURNVALUE>")))
}

pub fn refusal(asked: &Asked, code: u32) -> Canned {
    Canned::xml(response(&asked.operation, &format!("<ERROR CODE=\"{code}\" DESCRIPTION=\"no &amp; no\"/>")))
}

/// `A` with the key `Id` and `Text`; `B` is a subclass with `More`.
pub fn class(asked: &Asked) -> Canned {
    let name = if asked.body.contains("CLASSNAME NAME=\"B\"") { "B" } else { "A" };
    let more = if name == "B" { "<PROPERTY NAME=\"More\" TYPE=\"uint8\"></PROPERTY>" } else { "" };
    let key = "<QUALIFIER NAME=\"Key\" TYPE=\"boolean\"><VALUE>TRUE</VALUE></QUALIFIER>";
    result(
        asked,
        &format!(
            "<CLASS NAME=\"{name}\"><PROPERTY NAME=\"Id\" TYPE=\"string\">{key}</PROPERTY>\
             <PROPERTY NAME=\"Text\" TYPE=\"string\"></PROPERTY>{more}</CLASS>"
        ),
    )
}

pub fn named(class: &str, id: &str) -> String {
    format!(
        "<VALUE.NAMEDINSTANCE><INSTANCENAME CLASSNAME=\"{class}\"><KEYBINDING NAME=\"Id\"><KEYVALUE \
         VALUETYPE=\"string\">{id}</KEYVALUE></KEYBINDING></INSTANCENAME><INSTANCE CLASSNAME=\"{class}\"><PROPERTY \
         NAME=\"Id\" TYPE=\"string\"><VALUE>{id}</VALUE></PROPERTY></INSTANCE></VALUE.NAMEDINSTANCE>"
    )
}

pub fn enumerate() -> Operation {
    Operation::new(OperationKind::EnumerateInstances { class: CimName::new("A") })
}

pub fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().build().unwrap()
}

pub fn run(bench: &Bench, op: &Operation) -> Result<(), OpError> {
    runtime().block_on(bench.run(&CimXml, op))
}

/// The rows delivered, through the store fronts keep them in; fails where rows came before their shape.
pub fn store(bench: &Bench) -> RowStore {
    let mut store = RowStore::default();
    for event in bench.events.lock().unwrap().iter() {
        match event {
            OpEventKind::Shape(id, shape) => store.add_shape(*id, shape.clone()),
            OpEventKind::Rows(batch) => assert_eq!(store.push(batch.clone()), 0, "rows without shape"),
            _ => {}
        }
    }
    store
}

fn warnings(bench: &Bench) -> usize {
    bench.events.lock().unwrap().iter().filter(|event| matches!(event, OpEventKind::Warning(_))).count()
}

pub fn ids(store: &RowStore) -> Vec<String> {
    let id = store.columns().iter().position(|column| column.column.name == "Id").unwrap();
    let text = |row| match store.cell(row, id).to_value() {
        Some(crate::cim::CimValue::String(text)) => text.to_string(),
        other => format!("{other:?}"),
    };
    (0..store.len()).map(text).collect()
}

#[test]
fn the_class_is_fetched_before_and_completes_the_shape() {
    let bench = Bench::new(|asked| match asked.operation.as_str() {
        "GetClass" => class(asked),
        _ => result(asked, &(named("A", "1") + &named("a", "2"))),
    });
    run(&bench, &enumerate()).unwrap();
    assert_eq!(bench.operations(), ["GetClass root/cimv2", "EnumerateInstances root/cimv2"]);
    assert_eq!(*bench.dialled.lock().unwrap(), [Purpose::Server]);
    let store = store(&bench);
    let columns: Vec<_> = store.columns().iter().map(|it| (it.column.name.to_string(), it.column.is_key)).collect();
    assert_eq!(columns, [("Id".to_owned(), true), ("Text".to_owned(), false)]);
    assert_eq!(ids(&store), ["1", "2"]);
    assert_eq!(store.cell(0, 1), CellRef::Absent);
    assert_eq!(store.path(1).unwrap().to_string(), "root/cimv2:A.Id=\"2\"");
    let events = bench.events.lock().unwrap();
    assert!(matches!(events[0], OpEventKind::PhaseStarted { phase: Phase::Schema, .. }));
    assert!(matches!(events[1], OpEventKind::PhaseEnded { phase: Phase::Schema, error: None, .. }));
}

#[test]
fn a_class_first_seen_among_rows_comes_over_a_second_connection_before_its_shape() {
    let bench = Bench::new(|asked| match asked.operation.as_str() {
        "GetClass" => class(asked),
        _ => result(asked, &(named("A", "1") + &named("B", "2") + &named("A", "3") + &named("B", "4"))),
    });
    run(&bench, &enumerate()).unwrap();
    assert_eq!(*bench.dialled.lock().unwrap(), [Purpose::Server, Purpose::Schema]);
    let asked: Vec<_> = bench.asked.lock().unwrap().iter().map(|it| (it.purpose, it.operation.clone())).collect();
    let expected =
        [(Purpose::Server, "GetClass"), (Purpose::Server, "EnumerateInstances"), (Purpose::Schema, "GetClass")];
    assert_eq!(asked, expected.map(|(purpose, name)| (purpose, name.to_owned())));
    let store = store(&bench);
    assert_eq!(ids(&store), ["1", "2", "3", "4"]);
    assert!(store.shapes()[1].position(&CimName::new("More")).is_some());
}

#[test]
fn a_server_without_get_class_is_remembered_and_not_asked_again() {
    let bench = Bench::new(|asked| match asked.operation.as_str() {
        "GetClass" => refusal(asked, 7),
        _ => result(asked, &named("A", "1")),
    });
    run(&bench, &enumerate()).unwrap();
    run(&bench, &enumerate()).unwrap();
    assert_eq!(bench.facts.lock().unwrap().unsupported, ["GetClass"]);
    assert_eq!(bench.operations().iter().filter(|it| it.starts_with("GetClass")).count(), 1);
    assert_eq!(warnings(&bench), 0);
    assert_eq!(ids(&store(&bench)), ["1", "1"]);
}

#[test]
fn rows_come_without_their_class_and_one_warning_says_so() {
    let bench = Bench::new(|asked| match asked.operation.as_str() {
        "GetClass" => refusal(asked, 1),
        _ => result(asked, &(named("A", "1") + &named("B", "2"))),
    });
    run(&bench, &enumerate()).unwrap();
    assert_eq!(warnings(&bench), 1);
    assert_eq!(ids(&store(&bench)), ["1", "2"]);
}

#[test]
fn enough_rows_end_the_reading() {
    let bench = Bench::new(|asked| match asked.operation.as_str() {
        "GetClass" => class(asked),
        _ => {
            let mut canned = result(asked, &(1..=6).map(|id| named("A", &id.to_string())).collect::<String>());
            let text = canned.chunks.remove(0);
            canned.chunks = text.split_inclusive("</VALUE.NAMEDINSTANCE>").map(str::to_owned).collect();
            canned
        }
    });
    let mut op = enumerate();
    op.options.max_rows = Some(3);
    run(&bench, &op).unwrap();
    assert_eq!(ids(&store(&bench)), ["1", "2", "3"]);
    assert_eq!(*bench.read.lock().unwrap(), 1 + 3, "the class, and a chunk for each row");
}

#[test]
fn shallow_leaves_subclasses_out_and_does_not_fetch_them() {
    let bench = Bench::new(|asked| match asked.operation.as_str() {
        "GetClass" => class(asked),
        _ => result(asked, &(named("B", "1") + &named("A", "2") + &named("B", "3"))),
    });
    let mut op = enumerate();
    op.options.shallow = true;
    run(&bench, &op).unwrap();
    assert_eq!(ids(&store(&bench)), ["2"]);
    assert_eq!(*bench.dialled.lock().unwrap(), [Purpose::Server]);
}

#[test]
fn names_fall_back_to_instances_and_the_first_error_stays_if_they_fail_too() {
    let mut op = enumerate();
    op.options.keys_only = true;
    let bench = Bench::new(|asked| match asked.operation.as_str() {
        "EnumerateInstanceNames" => refusal(asked, 1),
        _ => result(asked, &(named("A", "1") + &named("A", "2"))),
    });
    run(&bench, &op).unwrap();
    assert_eq!(bench.operations(), ["EnumerateInstanceNames root/cimv2", "EnumerateInstances root/cimv2"]);
    let store = store(&bench);
    assert_eq!(ids(&store), ["1", "2"]);
    assert_eq!(store.path(1).unwrap().key("Id"), Some(&KeyValue::String("2".into())));

    let bench = Bench::new(|asked| refusal(asked, if asked.operation == "EnumerateInstanceNames" { 1 } else { 7 }));
    let error = run(&bench, &op).unwrap_err();
    assert_eq!(error.causes[0], "CIM_ERR_FAILED (1): no & no");
}

#[test]
fn namespaces_are_found_in_the_interop_namespace_which_is_added_and_remembered() {
    let bench = Bench::new(|asked| match asked.namespace.as_str() {
        "root/interop" | "interop" => refusal(asked, 3),
        "root/PG_InterOp" => {
            let row = |name: &str| named("CIM_Namespace", name).replace("\"Id\"", "\"Name\"");
            result(asked, &(row("root/cimv2") + &row("/root/lab/") + &row("ROOT/CIMV2")))
        }
        _ => panic!("{} was asked", asked.namespace),
    });
    run(&bench, &Operation::new(OperationKind::EnumerateNamespaces)).unwrap();
    let events = bench.events.lock().unwrap();
    let Some(OpEventKind::Names(Names::Namespaces(names))) = events.last() else { panic!("no names") };
    assert_eq!(names.iter().map(Namespace::as_str).collect::<Vec<_>>(), ["root/cimv2", "root/lab", "root/PG_InterOp"]);
    assert_eq!(bench.facts.lock().unwrap().interop, Some(Namespace::new("root/PG_InterOp")));
}

#[test]
fn servers_without_interop_namespace_are_walked() {
    let bench = Bench::new(|asked| {
        let row = |name: &str| {
            format!(
                "<INSTANCENAME CLASSNAME=\"__Namespace\"><KEYBINDING NAME=\"Name\"><KEYVALUE \
                 VALUETYPE=\"string\">{name}</KEYVALUE></KEYBINDING></INSTANCENAME>"
            )
        };
        match (asked.operation.as_str(), asked.namespace.as_str()) {
            ("EnumerateInstances", _) if asked.body.contains("__Namespace") => refusal(asked, 7),
            ("EnumerateInstanceNames", "root") => result(asked, &(row("a") + &row("b"))),
            ("EnumerateInstanceNames", "root/a") => result(asked, &row("c")),
            ("EnumerateInstanceNames", _) => result(asked, ""),
            _ => refusal(asked, 5),
        }
    });
    run(&bench, &Operation::new(OperationKind::EnumerateNamespaces)).unwrap();
    let events = bench.events.lock().unwrap();
    let Some(OpEventKind::Names(Names::Namespaces(names))) = events.last() else { panic!("no names") };
    assert_eq!(names.iter().map(Namespace::as_str).collect::<Vec<_>>(), ["root", "root/a", "root/a/c", "root/b"]);
}

#[test]
fn rows_without_end_and_without_a_name_do_not_keep_the_search_going() {
    let bench = Bench::new(|asked| match asked.namespace.as_str() {
        "root/interop" => {
            let row = named("CIM_Namespace", "x").replace("\"Id\"", "\"Nameless\"");
            let whole = response(&asked.operation, "<IRETURNVALUE>@</IRETURNVALUE>");
            let (head, end) = whole.split_once('@').unwrap();
            let mut answer = Canned::xml(head);
            answer.chunks.extend((0..300).map(|_| row.repeat(100)));
            answer.chunks.push(end.to_owned());
            answer
        }
        _ => refusal(asked, 3),
    });
    run(&bench, &Operation::new(OperationKind::EnumerateNamespaces)).unwrap();
    assert!(*bench.read.lock().unwrap() < 200, "{} pieces were read", bench.read.lock().unwrap());
}

#[test]
fn a_refresh_is_left_to_the_cache() {
    let bench = Bench::new(|asked| if asked.operation == "GetClass" { class(asked) } else { result(asked, "") });
    let mut op = enumerate();
    op.options.refresh = true;
    run(&bench, &op).unwrap();
    // This cache has the class and does not know of refreshing; the engine's fetches once more, one fetch for all.
    run(&bench, &op).unwrap();
    assert_eq!(bench.operations().iter().filter(|asked| asked.starts_with("GetClass")).count(), 1);
}

#[test]
fn namespaces_that_cannot_be_listed_say_what_to_do() {
    let bench = Bench::new(|asked| refusal(asked, 3));
    let error = run(&bench, &Operation::new(OperationKind::EnumerateNamespaces)).unwrap_err();
    assert_eq!(error.causes[0], "namespaces cannot be listed");
    assert!(error.hint.contains("namespace"));
    let bench = Bench::new(|_| Canned::status(401, vec![("pgerrordetail", "User%20Unauthorized")]));
    let error = run(&bench, &Operation::new(OperationKind::EnumerateNamespaces)).unwrap_err();
    assert_eq!(error.kind, ErrorKind::Unauthorized);
    assert_eq!(bench.asked.lock().unwrap().len(), 1, "a wrong password is not tried on");
}

#[test]
fn refusals_and_foreign_answers_are_told_apart() {
    let cases: [(Canned, ErrorKind, &str); 4] = [
        (
            Canned::status(400, vec![("cimerror", "request-not-valid")]),
            ErrorKind::Http(400),
            "CIMError: request-not-valid",
        ),
        (Canned::status(302, vec![("location", "/x")]), ErrorKind::Redirect, "redirected to /x"),
        (
            Canned::xml("<!DOCTYPE html><html><body>hi</body></html>"),
            ErrorKind::BadAnswer { offset: 15, item: None },
            "looks like HTML",
        ),
        (Canned::xml(""), ErrorKind::BadAnswer { offset: 0, item: None }, "the answer is empty"),
    ];
    for (canned, kind, words) in cases {
        let bench = Bench::new(move |_| canned.clone());
        let op = Operation::new(OperationKind::GetClass { class: CimName::new("A") });
        let error = run(&bench, &op).unwrap_err();
        assert_eq!(error.kind, kind);
        assert!(error.cause().contains(words), "{words} not in {}", error.cause());
        assert!(!error.hint.is_empty() && error.target == "host:5988");
    }
}

#[test]
fn rows_before_a_break_stay_and_the_error_names_the_place() {
    let full = named("A", "1");
    let half = full.len() / 2;
    let broken = format!("{full}{}", &named("A", "2")[..half]);
    let bench = Bench::new(move |asked| match asked.operation.as_str() {
        "GetClass" => class(asked),
        _ => {
            let text = response(&asked.operation, &format!("<IRETURNVALUE>{broken}"));
            Canned::xml(&text[..text.find("</IMETHODRESPONSE>").unwrap()])
        }
    });
    let error = run(&bench, &enumerate()).unwrap_err();
    assert!(matches!(error.kind, ErrorKind::BadAnswer { item: Some(1), .. }), "{error:?}");
    assert_eq!(ids(&store(&bench)), ["1"]);
}

#[test]
fn a_lost_connection_keeps_rows_too() {
    let bench = Bench::new(|asked| match asked.operation.as_str() {
        "GetClass" => class(asked),
        _ => {
            let mut canned = result(asked, &named("A", "1"));
            let cut = canned.chunks[0].find("</IRETURNVALUE>").unwrap();
            canned.chunks[0].truncate(cut);
            canned.lost = Some(CUT_SHORT.told(Phase::Receive, "host:5988", ErrorKind::ConnectionLost, "gone"));
            canned
        }
    });
    assert_eq!(run(&bench, &enumerate()).unwrap_err().kind, ErrorKind::ConnectionLost);
    assert_eq!(ids(&store(&bench)), ["1"]);
}

#[test]
fn one_instance_has_the_path_it_was_asked_by() {
    let instance =
        "<INSTANCE CLASSNAME=\"A\"><PROPERTY NAME=\"Id\" TYPE=\"string\"><VALUE>7</VALUE></PROPERTY></INSTANCE>";
    let bench = Bench::new(move |asked| match asked.operation.as_str() {
        "GetClass" => class(asked),
        _ => result(asked, instance),
    });
    let key = KeyBinding { name: CimName::new("Id"), value: KeyValue::String("7".into()) };
    let mut path = ObjectPath::new(Some(Namespace::new("root/x")), CimName::new("A"), vec![key]);
    path.host = Some("elsewhere".to_owned());
    let op = Operation::new(OperationKind::GetInstance { path });
    run(&bench, &op).unwrap();
    assert_eq!(bench.operations(), ["GetClass root/x", "GetInstance root/x"]);
    assert!(!bench.asked.lock().unwrap()[1].body.contains("elsewhere"));
    assert_eq!(store(&bench).path(0).unwrap().to_string(), "root/x:A.Id=\"7\"");

    let bench = Bench::new(|asked| if asked.operation == "GetClass" { class(asked) } else { result(asked, "") });
    assert!(run(&bench, &op).unwrap_err().cause().contains("no instance"));
}

#[test]
fn a_path_somebody_typed_goes_out_as_the_class_types_its_keys() {
    for (typed, sent) in [
        ("A.Id=\"B.k=1\"", "<KEYVALUE VALUETYPE=\"string\">B.k=1</KEYVALUE>"),
        ("A.Id=1204", "<KEYVALUE VALUETYPE=\"string\">1204</KEYVALUE>"),
        ("A=true", "<KEYBINDING NAME=\"Id\"><KEYVALUE VALUETYPE=\"string\">TRUE</KEYVALUE></KEYBINDING>"),
    ] {
        let bench = Bench::new(move |asked| match asked.operation.as_str() {
            "GetClass" => class(asked),
            _ if asked.body.contains(sent) => result(asked, "<INSTANCE CLASSNAME=\"A\"></INSTANCE>"),
            _ => refusal(asked, 6),
        });
        let op = Operation::new(OperationKind::GetInstance { path: typed.parse().unwrap() });
        assert!(run(&bench, &op).is_ok(), "{typed}");
    }
}

#[test]
fn classes_are_told_one_by_one_and_learned() {
    let bench = Bench::new(class);
    let kind = OperationKind::EnumerateClasses { parent: None, deep: true, names_only: false };
    run(&bench, &Operation::new(kind)).unwrap();
    let events = bench.events.lock().unwrap();
    let Some(OpEventKind::Class(class)) = events.last() else { panic!("no class") };
    assert_eq!((class.name.as_str(), class.namespace.clone()), ("A", Some(Namespace::new("root/cimv2"))));
    assert_eq!(class.property("Id").unwrap().ty, CimType::String);
    assert_eq!(bench.classes.lock().unwrap().len(), 1);
}

#[test]
fn a_test_of_the_connection_takes_one_request_and_any_status_but_a_refusal_of_the_user() {
    let test = Operation::new(OperationKind::TestConnection);
    let ran = |answer: fn(&Asked) -> Canned| {
        let bench = Bench::new(answer);
        let ran = run(&bench, &test);
        assert_eq!(bench.operations(), ["GetClass root/cimv2"]);
        assert!(bench.events.lock().unwrap().is_empty());
        ran
    };
    ran(class).unwrap();
    // Failed, no such namespace, no such class, not supported: a CIM server said so.
    for code in [1, 3, 6, 7] {
        run(&Bench::new(move |asked| refusal(asked, code)), &test).unwrap();
    }
    assert!(matches!(ran(|asked| refusal(asked, 2)).unwrap_err().kind, ErrorKind::Cim(_)));
    assert_eq!(ran(|_| Canned::status(401, Vec::new())).unwrap_err().kind, ErrorKind::Unauthorized);
    assert_eq!(ran(|_| Canned::status(404, Vec::new())).unwrap_err().kind, ErrorKind::Http(404));
    let page = |_: &Asked| Canned::xml("<html><body>It works!</body></html>");
    assert!(matches!(ran(page).unwrap_err().kind, ErrorKind::BadAnswer { .. }));
}
