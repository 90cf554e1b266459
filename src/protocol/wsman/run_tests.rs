//! Whole operations against a scripted server.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use super::{WsMan, resource::Style};
use crate::{
    cim::{
        CimName, CimStatus, CimValue, KeyBinding, KeyValue, Namespace, ObjectPath,
        rows::{CellRef, RowStore},
    },
    op::{ErrorKind, Names, OpError, OpEventKind, Operation, OperationKind, Phase, Purpose},
    protocol::{
        Protocol as _,
        delivery::status_of,
        fakes::{Asked, Bench, Canned},
    },
};

pub const SCHEMA: &str = "http://schemas.dmtf.org/wbem/wscim/1/cim-schema/2/";
const CLASSES: &str = "http://schemas.dmtf.org/wbem/cim-xml/2/cim-schema/2/*";

/// An envelope around `body`, with every prefix the answers here use.
pub fn envelope(body: &str) -> Canned {
    let canned = Canned::xml(format!(
        "<s:Envelope xmlns:s=\"http://www.w3.org/2003/05/soap-envelope\" \
         xmlns:a=\"http://schemas.xmlsoap.org/ws/2004/08/addressing\" \
         xmlns:w=\"http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd\" \
         xmlns:n=\"http://schemas.xmlsoap.org/ws/2004/09/enumeration\" \
         xmlns:b=\"http://schemas.dmtf.org/wbem/wsman/1/cimbinding.xsd\" \
         xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\"><s:Header/><s:Body>{body}</s:Body></s:Envelope>"
    ));
    Canned { headers: vec![("content-type", "application/soap+xml;charset=UTF-8")], ..canned }
}

/// A fault with HTTP status `status`, a subcode of WS-Man, and Windows' code `code` if it is not 0.
pub fn fault(status: u16, subcode: &str, reason: &str, code: u32) -> Canned {
    let detail = match code {
        0 => String::new(),
        code => format!(
            "<s:Detail><f:WSManFault xmlns:f=\"http://schemas.microsoft.com/wbem/wsman/1/wsmanfault\" \
             Code=\"{code}\" Machine=\"h\"/></s:Detail>"
        ),
    };
    let canned = envelope(&format!(
        "<s:Fault><s:Code><s:Value>s:Sender</s:Value><s:Subcode><s:Value>{subcode}</s:Value></s:Subcode></s:Code>\
         <s:Reason><s:Text xml:lang=\"en-US\">{reason}</s:Text></s:Reason>{detail}</s:Fault>"
    ));
    Canned { status, ..canned }
}

/// `WBEM_E_INVALID_CLASS`, as Windows answers it.
pub fn no_class() -> Canned {
    fault(500, "a:DestinationUnreachable", "no such class", 0x8004_1010)
}

pub fn unsupported() -> Canned {
    fault(500, "w:UnsupportedFeature", "not here", 0)
}

pub fn is_get_class(asked: &Asked) -> bool {
    asked.body.contains(CLASSES) && asked.operation == "Get"
}

/// `A` with the key `Id`, `Text` and `Count`; `B` is a subclass with `More`.
pub fn class(asked: &Asked) -> Canned {
    let name = if asked.body.contains("Name=\"ClassName\">B<") { "B" } else { "A" };
    envelope(&class_text(name))
}

pub fn class_text(name: &str) -> String {
    let more = if name == "B" { "<PROPERTY NAME=\"More\" TYPE=\"uint8\"></PROPERTY>" } else { "" };
    let above = if name == "B" { " SUPERCLASS=\"A\"" } else { "" };
    let key = "<QUALIFIER NAME=\"Key\" TYPE=\"boolean\"><VALUE>TRUE</VALUE></QUALIFIER>";
    format!(
        "<CLASS NAME=\"{name}\"{above}><PROPERTY NAME=\"Id\" TYPE=\"string\">{key}</PROPERTY>\
         <PROPERTY NAME=\"Text\" TYPE=\"string\"></PROPERTY><PROPERTY NAME=\"Count\" TYPE=\"uint32\"></PROPERTY>\
         {more}</CLASS>"
    )
}

pub fn object(class: &str, id: &str) -> String {
    format!(
        "<p:{class} xmlns:p=\"{SCHEMA}{class}\"><p:Count>7</p:Count><p:Id>{id}</p:Id><p:Text xsi:nil=\"true\"/></p:{class}>"
    )
}

fn reference(class: &str, id: &str) -> String {
    format!(
        "<a:EndpointReference><a:Address>x</a:Address><a:ReferenceParameters><w:ResourceURI>{SCHEMA}{class}\
         </w:ResourceURI><w:SelectorSet><w:Selector Name=\"Id\">{id}</w:Selector></w:SelectorSet>\
         </a:ReferenceParameters></a:EndpointReference>"
    )
}

/// Everything at once.
pub fn all(items: &str) -> Canned {
    envelope(&format!(
        "<n:EnumerateResponse><w:Items>{items}</w:Items><n:EnumerationContext/><w:EndOfSequence/></n:EnumerateResponse>"
    ))
}

pub fn enumerate() -> Operation {
    Operation::new(OperationKind::EnumerateInstances { class: CimName::new("A") })
}

pub fn run(bench: &Bench, op: &Operation) -> Result<(), OpError> {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(bench.run(&WsMan, op))
}

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

pub fn cell<'s>(store: &'s RowStore, row: usize, name: &str) -> CellRef<'s> {
    store.cell(row, store.column(&CimName::new(name)).expect(name))
}

pub fn warnings(bench: &Bench) -> Vec<String> {
    let events = bench.events.lock().unwrap();
    let told = events.iter().filter_map(|event| match event {
        OpEventKind::Warning(error) => Some(error.cause()),
        _ => None,
    });
    told.collect()
}

pub fn names(bench: &Bench) -> Vec<String> {
    let mut found = Vec::new();
    for event in bench.events.lock().unwrap().iter() {
        match event {
            OpEventKind::Names(Names::Namespaces(names)) => found.extend(names.iter().map(|it| it.as_str().to_owned())),
            OpEventKind::Names(Names::Classes(names)) => found.extend(names.iter().map(|it| it.as_str().to_owned())),
            _ => {}
        }
    }
    found
}

#[test]
fn the_class_is_fetched_before_and_types_values_and_keys() {
    let bench = Bench::new(|asked| match is_get_class(asked) {
        true => class(asked),
        false => all(&(object("A", "1") + &object("A", "2"))),
    });
    run(&bench, &enumerate()).unwrap();
    assert_eq!(bench.operations(), ["Get root/cimv2", "Enumerate root/cimv2"]);
    let store = store(&bench);
    assert_eq!(cell(&store, 0, "Count"), CellRef::UInt(7));
    assert_eq!(cell(&store, 1, "Text"), CellRef::Null);
    assert_eq!(store.path(1).unwrap().to_string(), "root/cimv2:A.Id=\"2\"");
    let events = bench.events.lock().unwrap();
    assert!(matches!(events[0], OpEventKind::PhaseStarted { phase: Phase::Schema, .. }));
    drop(events);
    let asked = bench.asked.lock().unwrap();
    assert!(asked[1].body.contains("<w:MaxElements>64</w:MaxElements>"), "the first request asks for few");
    assert!(!asked[1].body.contains("EnumerationMode"), "the class tells the keys: {}", asked[1].body);
    assert_eq!(bench.facts.lock().unwrap().wsman.style, Some(Style::Schema));
}

#[test]
fn rows_of_a_class_first_seen_among_them_are_typed_all_the_same() {
    let bench = Bench::new(|asked| match is_get_class(asked) {
        true => class(asked),
        false => all(&(object("A", "1") + &object("B", "2").replace("</p:B>", "<p:More>3</p:More></p:B>"))),
    });
    run(&bench, &enumerate()).unwrap();
    assert_eq!(*bench.dialled.lock().unwrap(), [Purpose::Server, Purpose::Schema]);
    let store = store(&bench);
    assert_eq!((cell(&store, 1, "Count"), cell(&store, 1, "More")), (CellRef::UInt(7), CellRef::UInt(3)));
}

#[test]
fn keys_told_by_references_are_typed_in_every_batch() {
    // A class whose key is a number, of which nothing is known before the first instance came.
    let numbered = || class_text("A").replace("NAME=\"Id\" TYPE=\"string\"", "NAME=\"Id\" TYPE=\"uint32\"");
    let wrapped = |id: &str| format!("<w:Item>{}{}</w:Item>", object("A", id), reference("A", id));
    let bench = Bench::new(move |asked| match asked.operation.as_str() {
        "Enumerate" => envelope(&format!(
            "<n:EnumerateResponse><n:EnumerationContext>c</n:EnumerationContext><w:Items>{}</w:Items></n:EnumerateResponse>",
            wrapped("1")
        )),
        "Pull" => envelope(&format!(
            "<n:PullResponse><n:Items>{}{}</n:Items><n:EndOfSequence/></n:PullResponse>",
            wrapped("2"),
            wrapped("3")
        )),
        _ => envelope(&numbered()),
    });
    let object = ObjectPath::new(
        None,
        CimName::new("B"),
        vec![KeyBinding { name: CimName::new("K"), value: KeyValue::UInt(9) }],
    );
    let object_of = OperationKind::AssociatorInstances {
        object,
        assoc_class: None,
        result_class: None,
        role: None,
        result_role: None,
    };
    run(&bench, &Operation::new(object_of)).unwrap();
    let store = store(&bench);
    let paths: Vec<_> = (0..store.len()).map(|row| store.path(row).unwrap().to_string()).collect();
    assert_eq!(paths, ["root/cimv2:A.Id=1", "root/cimv2:A.Id=2", "root/cimv2:A.Id=3"]);
    assert_eq!((0..3).map(|row| cell(&store, row, "Id")).collect::<Vec<_>>(), [1, 2, 3].map(CellRef::UInt));
}

#[test]
fn only_the_properties_asked_for_are_told_and_the_path_stays() {
    let bench = Bench::new(|asked| match is_get_class(asked) {
        true => class(asked),
        false => all(&object("A", "1")),
    });
    let mut op = enumerate();
    op.options.property_list = Some(vec![CimName::new("Count")]);
    run(&bench, &op).unwrap();
    let store = store(&bench);
    let columns: Vec<_> = store.columns().iter().map(|it| it.column.name.to_string()).collect();
    assert_eq!(columns, ["Count"]);
    assert_eq!(store.path(0).unwrap().to_string(), "root/cimv2:A.Id=\"1\"");
}

#[test]
fn without_a_class_references_are_wanted_too_and_one_warning_says_why_values_have_no_types() {
    let bench = Bench::new(|asked| match is_get_class(asked) {
        true => unsupported(),
        false => all(&format!("<w:Item>{}{}</w:Item>", object("A", "1"), reference("A", "1"))),
    });
    run(&bench, &enumerate()).unwrap();
    run(&bench, &enumerate()).unwrap();
    assert_eq!(bench.operations().iter().filter(|it| it.starts_with("Get ")).count(), 1, "it is remembered");
    assert!(!WsMan.capabilities(&bench.facts.lock().unwrap()).get_class);
    let store = store(&bench);
    assert_eq!(cell(&store, 0, "Count"), CellRef::Untyped("7"));
    assert_eq!(store.path(0).unwrap().to_string(), "root/cimv2:A.Id=\"1\"");
    let told = warnings(&bench);
    assert_eq!(told.len(), 2, "{told:?}");
    assert!(told.iter().all(|warning| warning.contains("without their types")), "{told:?}");
    assert!(bench.asked.lock().unwrap()[1].body.contains("EnumerateObjectAndEPR"));
}

#[test]
fn why_values_have_no_types_is_told_once_with_its_cause_however_many_classes_come() {
    let denied = fault(500, "w:AccessDenied", "not you", 0);
    for (refusal, cause) in
        [(no_class(), "no such class"), (denied, "not you"), (Canned::status(500, Vec::new()), "500")]
    {
        let items = format!(
            "<w:Item>{}{}</w:Item><w:Item>{}{}</w:Item>",
            object("A", "1"),
            reference("A", "1"),
            object("B", "2"),
            reference("B", "2")
        );
        let bench = Bench::new(move |asked| if is_get_class(asked) { refusal.clone() } else { all(&items) });
        run(&bench, &enumerate()).unwrap();
        assert_eq!(store(&bench).len(), 2);
        let told = warnings(&bench);
        assert_eq!(told.len(), 1, "{told:?}");
        assert!(told[0].contains("without their types") && told[0].contains(cause), "{told:?}");
    }
}

#[test]
fn a_refresh_asks_for_the_class_again_and_one_that_came_otherwise_types_what_is_read_next() {
    let tells = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(false));
    let told = tells.clone();
    let bench = Bench::new(move |asked| match is_get_class(asked) {
        true if told.load(std::sync::atomic::Ordering::Relaxed) => class(asked),
        true => unsupported(),
        false => all(&object("A", "1")),
    });
    let count = |bench: &Bench| {
        let cell = cell(&store(bench), 0, "Count").to_value();
        bench.events.lock().unwrap().clear();
        cell
    };
    run(&bench, &enumerate()).unwrap();
    assert_eq!(count(&bench), Some(CimValue::Untyped("7".into())));
    tells.store(true, std::sync::atomic::Ordering::Relaxed);
    run(&bench, &enumerate()).unwrap();
    assert_eq!(count(&bench), Some(CimValue::Untyped("7".into())), "it is not asked each time");
    let mut refresh = enumerate();
    refresh.options.refresh = true;
    run(&bench, &refresh).unwrap();
    assert_eq!(count(&bench), Some(CimValue::UInt(7)));
    assert!(WsMan.capabilities(&bench.facts.lock().unwrap()).get_class);

    bench.facts.lock().unwrap().lacks("GetClass");
    bench.classes.lock().unwrap().clear();
    run(&bench, &Operation::new(OperationKind::GetClass { class: CimName::new("A") })).unwrap();
    run(&bench, &enumerate()).unwrap();
    assert_eq!(count(&bench), Some(CimValue::UInt(7)));
    assert!(WsMan.capabilities(&bench.facts.lock().unwrap()).get_class);
}

#[test]
fn a_server_that_sends_no_references_is_asked_for_objects_and_remembered() {
    let bench = Bench::new(|asked| match asked.body.contains("EnumerateObjectAndEPR") || is_get_class(asked) {
        true => unsupported(),
        false => all(&object("A", "1")),
    });
    run(&bench, &enumerate()).unwrap();
    assert!(bench.facts.lock().unwrap().wsman.no_references);
    assert_eq!(store(&bench).len(), 1);
}

#[test]
fn keys_alone_come_as_references_or_from_objects_whatever_the_server_sends() {
    let both = || format!("<w:Item>{}{}</w:Item>", object("A", "1"), reference("A", "1"));
    let cases = [("EnumerateEPR", reference("A", "1")), ("EnumerateObjectAndEPR", both()), ("", object("A", "1"))];
    for (at, (takes, items)) in cases.into_iter().enumerate() {
        let bench = Bench::new(move |asked| match asked.body.contains("EnumerationMode") {
            _ if is_get_class(asked) => class(asked),
            has_mode if has_mode == (takes.is_empty()) => unsupported(),
            _ if asked.body.contains(&format!(">{takes}<")) || takes.is_empty() => all(&items),
            _ => unsupported(),
        });
        let mut op = enumerate();
        op.options.keys_only = true;
        run(&bench, &op).unwrap();
        assert_eq!(bench.operations().len(), 2 + at, "the modes before it are refused: {takes}");
        run(&bench, &op).unwrap();
        assert_eq!(bench.operations().len(), 2 + at + 1, "what was refused is not asked for again: {takes}");
        let store = store(&bench);
        let columns: Vec<_> = store.columns().iter().map(|it| it.column.name.to_string()).collect();
        assert_eq!((store.len(), columns), (2, vec!["Id".to_owned()]), "{takes}");
        assert_eq!(store.path(1).unwrap().to_string(), "root/cimv2:A.Id=\"1\"", "{takes}");
    }
}

#[test]
fn a_server_that_wants_the_uris_of_wmi_gets_them_from_then_on() {
    let wmi = "http://schemas.microsoft.com/wbem/wsman/1/wmi/root/cimv2/A";
    let bench = Bench::new(move |asked| match (is_get_class(asked), asked.body.contains(wmi)) {
        (true, _) => class(asked),
        (_, true) => all(&object("A", "1")),
        _ => fault(500, "a:DestinationUnreachable", "no such resource", 0),
    });
    run(&bench, &enumerate()).unwrap();
    run(&bench, &enumerate()).unwrap();
    let asked = bench.asked.lock().unwrap();
    assert_eq!(asked.iter().filter(|asked| asked.operation == "Enumerate").count(), 3);
    assert_eq!(bench.facts.lock().unwrap().wsman.style, Some(Style::Wmi));
}

#[test]
fn a_class_the_server_does_not_have_is_asked_for_once() {
    let bench = Bench::new(|_| no_class());
    let error = run(&bench, &enumerate()).unwrap_err();
    assert_eq!(status_of(&error), Some(CimStatus::INVALID_CLASS));
    assert_eq!(bench.operations(), ["Get root/cimv2", "Enumerate root/cimv2"]);
}

#[test]
fn a_uri_given_by_hand_is_the_only_one() {
    let bench = Bench::new(|asked| match is_get_class(asked) {
        true => class(asked),
        false => unsupported(),
    });
    let mut op = enumerate();
    op.options.resource_uri = Some("urn:by-hand".to_owned());
    assert_eq!(run(&bench, &op).unwrap_err().kind, ErrorKind::NotSupported);
    let asked = bench.asked.lock().unwrap();
    assert_eq!(asked.len(), 2);
    assert!(asked[1].body.contains(">urn:by-hand</w:ResourceURI>"), "{}", asked[1].body);
}

#[test]
fn one_instance_is_asked_for_by_its_keys() {
    let bench = Bench::new(|asked| match is_get_class(asked) {
        true => class(asked),
        false => envelope(&object("A", "1")),
    });
    let key = KeyBinding { name: CimName::new("Id"), value: KeyValue::String(Box::from("1")) };
    let path = ObjectPath::new(Some(Namespace::new("root/x")), CimName::new("A"), vec![key]);
    run(&bench, &Operation::new(OperationKind::GetInstance { path })).unwrap();
    let store = store(&bench);
    assert_eq!(store.path(0).unwrap().to_string(), "root/x:A.Id=\"1\"");
    let asked = bench.asked.lock().unwrap();
    assert!(asked[1].body.contains("<w:Selector Name=\"Id\">1</w:Selector>"), "{}", asked[1].body);
}

#[test]
fn queries_and_associations_are_asked_of_what_the_server_takes() {
    let of_class = format!(">{SCHEMA}A</w:ResourceURI><a:ReplyTo>");
    let bench = Bench::new(move |asked| match (is_get_class(asked), asked.body.contains(&of_class)) {
        (true, _) => class(asked),
        (_, true) => all(&object("A", "1")),
        _ => fault(400, "a:DestinationUnreachable", "Class not found", 0),
    });
    run(&bench, &Operation::new(OperationKind::QueryInstances { query: "SELECT * FROM A".to_owned() })).unwrap();
    let key = KeyBinding { name: CimName::new("Id"), value: KeyValue::String(Box::from("1")) };
    let object = ObjectPath::new(None, CimName::new("A"), vec![key]);
    run(&bench, &Operation::new(OperationKind::ReferenceInstances { object, result_class: None, role: None })).unwrap();
    assert_eq!(store(&bench).len(), 2);
    let enumerated = bench.operations().iter().filter(|it| it.starts_with("Enumerate")).count();
    assert_eq!(enumerated, 3, "what the first query found out holds for the associations");
}

#[test]
fn classes_are_chosen_from_all_those_the_server_lists() {
    let bench = Bench::new(|_| all(&(class_text("A") + &class_text("B"))));
    let classes = |parent: Option<&str>, deep| {
        let parent = parent.map(CimName::new);
        Operation::new(OperationKind::EnumerateClasses { parent, deep, names_only: true })
    };
    for (op, expected) in [
        (classes(None, false), &["A"][..]),
        (classes(None, true), &["A", "B"]),
        (classes(Some("a"), false), &["B"]),
        (classes(Some("B"), true), &["A"]),
    ] {
        bench.events.lock().unwrap().clear();
        run(&bench, &op).unwrap();
        assert_eq!(names(&bench), expected, "{op:?}");
    }
}

#[test]
fn a_server_without_a_list_of_classes_is_known_by_whatever_it_answers() {
    let op = Operation::new(OperationKind::EnumerateClasses { parent: None, deep: false, names_only: true });
    for answer in [no_class(), unsupported(), Canned::status(500, Vec::new()), all(&object("A", "1"))] {
        let bench = Bench::new(move |_| answer.clone());
        bench.facts.lock().unwrap().wsman.style = Some(Style::Schema);
        let error = run(&bench, &op).unwrap_err();
        assert_eq!(error.kind, ErrorKind::NotSupported, "{error}");
        assert!(error.cause().starts_with("the server does not list its classes"), "{error}");
        assert!(!WsMan.capabilities(&bench.facts.lock().unwrap()).enumerate_classes);
    }
    let refused = Bench::new(|_| fault(500, "w:AccessDenied", "no", 0));
    assert_eq!(status_of(&run(&refused, &op).unwrap_err()), Some(CimStatus::ACCESS_DENIED));
    // Where no WS-Man server has answered yet, a status alone proves none.
    let unknown = Bench::new(|_| Canned::status(500, Vec::new()));
    assert_eq!(run(&unknown, &op).unwrap_err().kind, ErrorKind::Http(500));
    assert!(WsMan.capabilities(&unknown.facts.lock().unwrap()).enumerate_classes);
    assert!(WsMan.capabilities(&refused.facts.lock().unwrap()).enumerate_classes);
}

#[test]
fn a_test_of_the_connection_is_identify_and_a_fault_is_proof_unless_it_refuses_the_user() {
    let identity = envelope(
        "<i:IdentifyResponse xmlns:i=\"http://schemas.dmtf.org/wbem/wsman/identity/1/wsmanidentity.xsd\">\
         <i:ProductVendor>V</i:ProductVendor></i:IdentifyResponse>",
    );
    let op = Operation::new(OperationKind::TestConnection);
    for (answer, is_well) in [
        (identity, true),
        (unsupported(), true),
        (fault(500, "w:InternalError", "no", 0), true),
        (fault(500, "w:AccessDenied", "no", 0), false),
        (Canned::status(404, Vec::new()), false),
        (Canned::xml("<html>"), false),
    ] {
        let bench = Bench::new(move |_| answer.clone());
        assert_eq!(run(&bench, &op).is_ok(), is_well);
        assert!(bench.asked.lock().unwrap()[0].body.contains("<wsmid:Identify/>"));
    }
}

#[test]
fn whatever_the_status_a_fault_says_more_than_it_and_an_empty_body_says_nothing() {
    for status in [200, 400, 500] {
        let bench = Bench::new(move |_| fault(status, "w:InternalError", "out of order", 0x8004_1001));
        let error = run(&bench, &enumerate()).unwrap_err();
        assert!(error.cause().contains("out of order"), "{status}: {error}");
    }
    for answer in [Canned::status(500, Vec::new()), Canned { status: 500, ..Canned::xml("<html>oh</html>") }] {
        let bench = Bench::new(move |_| answer.clone());
        let error = run(&bench, &enumerate()).unwrap_err();
        assert_eq!(error.kind, ErrorKind::Http(500), "{error}");
    }
    let bench = Bench::new(|_| Canned::status(302, vec![("location", "https://elsewhere/")]));
    assert_eq!(run(&bench, &enumerate()).unwrap_err().kind, ErrorKind::Redirect);
}

#[test]
fn what_ws_man_does_not_have_is_said_without_asking() {
    let class = ObjectPath::class_path(Namespace::new("root"), CimName::new("A"));
    for kind in [
        OperationKind::EnumerateQualifiers,
        OperationKind::GetQualifier { name: CimName::new("Key") },
        OperationKind::ReferenceInstances { object: class, result_class: None, role: None },
    ] {
        let bench = Bench::new(|_| unsupported());
        assert_eq!(run(&bench, &Operation::new(kind)).unwrap_err().kind, ErrorKind::NotSupported);
        assert!(bench.asked.lock().unwrap().is_empty());
    }
}
