//! Associations, queries and qualifier types against a scripted server.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use super::CimXml;
use crate::{
    cim::{
        CimName, CimType, Namespace, ObjectPath,
        rows::{CellRef, RowStore},
    },
    op::{Names, OpError, OpEventKind, Operation, OperationKind},
    protocol::fakes::{Asked, Bench, Canned},
};

fn answer(asked: &Asked, inner: &str) -> Canned {
    let name = &asked.operation;
    Canned::xml(format!(
        "<CIM CIMVERSION=\"2.0\" DTDVERSION=\"2.0\"><MESSAGE ID=\"1\" PROTOCOLVERSION=\"1.0\"><SIMPLERSP>\
         <IMETHODRESPONSE NAME=\"{name}\">{inner}</IMETHODRESPONSE></SIMPLERSP></MESSAGE></CIM>"
    ))
}

fn result(asked: &Asked, inner: &str) -> Canned {
    answer(asked, &format!("<IRETURNVALUE>{inner}</IRETURNVALUE>"))
}

/// Any class: a numeric key, and a text servers leave out.
fn class(asked: &Asked) -> Canned {
    let name = if asked.body.contains("CLASSNAME NAME=\"B\"") { "B" } else { "A" };
    result(
        asked,
        &format!(
            "<CLASS NAME=\"{name}\"><PROPERTY NAME=\"Id\" TYPE=\"uint8\"><QUALIFIER NAME=\"Key\" TYPE=\"boolean\">\
             <VALUE>TRUE</VALUE></QUALIFIER></PROPERTY><PROPERTY NAME=\"Text\" TYPE=\"string\"></PROPERTY></CLASS>"
        ),
    )
}

fn instance_path(namespace: &str, id: &str) -> String {
    format!(
        "<INSTANCEPATH><NAMESPACEPATH><HOST>vm</HOST><LOCALNAMESPACEPATH><NAMESPACE NAME=\"root\"/><NAMESPACE \
         NAME=\"{namespace}\"/></LOCALNAMESPACEPATH></NAMESPACEPATH><INSTANCENAME CLASSNAME=\"B\"><KEYBINDING \
         NAME=\"Id\"><KEYVALUE VALUETYPE=\"numeric\">{id}</KEYVALUE></KEYBINDING></INSTANCENAME></INSTANCEPATH>"
    )
}

fn with_path(namespace: &str, id: &str) -> String {
    let path = instance_path(namespace, id);
    format!(
        "<VALUE.OBJECTWITHPATH>{path}<INSTANCE CLASSNAME=\"B\"><PROPERTY NAME=\"Id\" TYPE=\"uint8\"><VALUE>{id}</VALUE>\
         </PROPERTY></INSTANCE></VALUE.OBJECTWITHPATH>"
    )
}

fn class_path(class: &str) -> String {
    format!(
        "<CLASSPATH><NAMESPACEPATH><HOST>vm</HOST><LOCALNAMESPACEPATH><NAMESPACE NAME=\"root\"/></LOCALNAMESPACEPATH>\
         </NAMESPACEPATH><CLASSNAME NAME=\"{class}\"/></CLASSPATH>"
    )
}

fn associators(path: &str) -> Operation {
    Operation::new(OperationKind::AssociatorInstances {
        object: path.parse().unwrap(),
        assoc_class: None,
        result_class: None,
        role: None,
        result_role: None,
    })
}

fn references(path: &str) -> Operation {
    Operation::new(OperationKind::ReferenceInstances { object: path.parse().unwrap(), result_class: None, role: None })
}

fn run(bench: &Bench, op: &Operation) -> Result<(), OpError> {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(bench.run(&CimXml, op))
}

fn store(bench: &Bench) -> RowStore {
    let mut store = RowStore::default();
    for event in bench.events.lock().unwrap().iter() {
        match event {
            OpEventKind::Shape(id, shape) => store.add_shape(*id, shape.clone()),
            OpEventKind::Rows(batch) => assert_eq!(store.push(batch.clone()), 0),
            _ => {}
        }
    }
    store
}

fn names(bench: &Bench) -> Vec<String> {
    let events = bench.events.lock().unwrap();
    let names = events.iter().filter_map(|event| match event {
        OpEventKind::Names(Names::Classes(names)) => Some(names.iter().map(ToString::to_string).collect::<Vec<_>>()),
        _ => None,
    });
    names.flatten().collect()
}

#[test]
fn associators_are_asked_for_with_typed_keys_and_completed_in_their_own_namespaces() {
    let bench = Bench::new(|asked| match asked.operation.as_str() {
        "GetClass" => class(asked),
        _ => result(asked, &(with_path("x", "1") + &with_path("y", "2"))),
    });
    let mut op = associators("root/x:A=\"7\"");
    if let OperationKind::AssociatorInstances { role, result_class, .. } = &mut op.kind {
        (*role, *result_class) = (Some(CimName::new("From")), Some(CimName::new("B")));
    }
    run(&bench, &op).unwrap();
    assert_eq!(
        bench.operations(),
        ["GetClass root/x", "Associators root/x", "GetClass root/x", "GetClass root/y"],
        "the source's class types its keys, each result's class its columns"
    );
    let body = bench.asked.lock().unwrap()[1].body.clone();
    assert!(body.contains("<KEYBINDING NAME=\"Id\"><KEYVALUE VALUETYPE=\"numeric\">7</KEYVALUE>"), "{body}");
    assert!(body.contains("<IPARAMVALUE NAME=\"Role\"><VALUE>From</VALUE></IPARAMVALUE>"), "{body}");
    let store = store(&bench);
    let paths: Vec<String> = (0..store.len()).map(|row| store.path(row).unwrap().to_string()).collect();
    assert_eq!(paths, ["//vm/root/x:B.Id=1", "//vm/root/y:B.Id=2"]);
    assert_eq!(store.columns().len(), 2, "Text was left out and is a column all the same");
    assert_eq!(store.cell(0, 1), CellRef::Absent);
}

#[test]
fn names_of_instances_are_rows_and_the_limit_holds() {
    let bench = Bench::new(|asked| match asked.operation.as_str() {
        "GetClass" => class(asked),
        _ => {
            let path = |id| format!("<OBJECTPATH>{}</OBJECTPATH>", instance_path("x", id));
            result(asked, &(path("1") + &path("2") + &path("3")))
        }
    });
    let mut op = references("root/x:A.Id=7");
    (op.options.keys_only, op.options.max_rows) = (true, Some(2));
    run(&bench, &op).unwrap();
    assert_eq!(bench.operations(), ["GetClass root/x", "ReferenceNames root/x"]);
    assert_eq!(store(&bench).len(), 2);
    assert!(names(&bench).is_empty());
}

#[test]
fn a_class_has_classes_associated_with_it() {
    let bench = Bench::new(|asked| {
        let path = |class| format!("<OBJECTPATH>{}</OBJECTPATH>", class_path(class));
        match asked.operation.as_str() {
            "AssociatorNames" => result(asked, &(path("B") + &path("C") + &path("D"))),
            _ => {
                let object = |class| {
                    format!(
                        "<VALUE.OBJECTWITHPATH>{}<CLASS NAME=\"{class}\"/></VALUE.OBJECTWITHPATH>",
                        class_path(class)
                    )
                };
                result(asked, &(object("B") + &object("C")))
            }
        }
    });
    let mut op = associators("root/x:A");
    op.options.keys_only = true;
    op.options.max_rows = Some(2);
    run(&bench, &op).unwrap();
    assert_eq!(names(&bench), ["B", "C"]);
    assert_eq!(store(&bench).len(), 0);
    op.options = Default::default();
    run(&bench, &op).unwrap();
    assert_eq!(bench.operations(), ["AssociatorNames root/x", "Associators root/x"], "a class needs no class first");
    let events = bench.events.lock().unwrap();
    let classes = events.iter().filter_map(|event| match event {
        OpEventKind::Class(class) => Some((class.name.to_string(), class.namespace.clone().unwrap())),
        _ => None,
    });
    let root = || Namespace::new("root");
    assert_eq!(classes.collect::<Vec<_>>(), [("B".to_owned(), root()), ("C".to_owned(), root())]);
    assert!(bench.classes.lock().unwrap().is_empty(), "they may have been cut by a property list");
}

#[test]
fn a_query_says_its_language_and_only_a_star_misses_properties() {
    for (query, language, columns) in [("select  * from B", None, 2), ("SELECT Id FROM B", Some("DMTF:CQL"), 1)] {
        let bench = Bench::new(|asked| match asked.operation.as_str() {
            "GetClass" => class(asked),
            _ => result(asked, &with_path("cimv2", "1")),
        });
        let mut op = Operation::new(OperationKind::QueryInstances { query: query.to_owned() });
        op.options.query_dialect = language.map(str::to_owned);
        run(&bench, &op).unwrap();
        assert_eq!(bench.operations(), ["ExecQuery root/cimv2", "GetClass root/cimv2"]);
        let sent = format!("<VALUE>{}</VALUE>", language.unwrap_or("WQL"));
        assert!(bench.asked.lock().unwrap()[0].body.contains(&sent));
        let store = store(&bench);
        assert_eq!((store.len(), store.columns().len()), (1, columns), "{query}");
        assert!(store.columns()[0].column.is_key);
    }
}

#[test]
fn a_selection_without_paths_has_rows_without_paths() {
    let bench = Bench::new(|asked| match asked.operation.as_str() {
        "GetClass" => answer(asked, "<ERROR CODE=\"6\"/>"),
        _ => {
            let row = "<VALUE.OBJECT><INSTANCE CLASSNAME=\"Result\"><PROPERTY NAME=\"n\" TYPE=\"uint32\"><VALUE>3</VALUE>\
                       </PROPERTY></INSTANCE></VALUE.OBJECT>";
            result(asked, row)
        }
    });
    run(&bench, &Operation::new(OperationKind::QueryInstances { query: "SELECT COUNT(*) FROM B".to_owned() })).unwrap();
    let store = store(&bench);
    assert_eq!((store.len(), store.path(0)), (1, None));
    assert_eq!(store.cell(0, 0), CellRef::UInt(3));
}

#[test]
fn qualifier_types_are_told_and_none_is_an_error() {
    let declared = "<QUALIFIER.DECLARATION NAME=\"Max\" TYPE=\"sint64\" ISARRAY=\"true\" ARRAYSIZE=\"2\" \
                    TOSUBCLASS=\"false\"><SCOPE PROPERTY=\"true\"/><VALUE.ARRAY><VALUE>-1</VALUE></VALUE.ARRAY>\
                    </QUALIFIER.DECLARATION>";
    let bench = Bench::new(move |asked| result(asked, &declared.repeat(3)));
    run(&bench, &Operation::new(OperationKind::EnumerateQualifiers)).unwrap();
    let events = bench.events.lock().unwrap();
    let told = events.iter().filter_map(|event| match event {
        OpEventKind::Qualifier(one) => Some(one.clone()),
        _ => None,
    });
    let told: Vec<_> = told.collect();
    assert_eq!((told.len(), told[0].ty, told[0].array_size), (3, CimType::SInt64, Some(2)));
    assert!(told[0].is_array && !told[0].flavor.to_subclass && told[0].scopes.property && !told[0].scopes.class);

    let bench = Bench::new(|asked| result(asked, ""));
    let op = Operation::new(OperationKind::GetQualifier { name: CimName::new("Max") });
    assert!(run(&bench, &op).unwrap_err().cause().contains("no qualifier type"));
}

#[test]
fn what_a_server_does_not_have_is_remembered_by_its_name() {
    let bench = Bench::new(|asked| match asked.operation.as_str() {
        "GetClass" => class(asked),
        _ => answer(asked, "<ERROR CODE=\"7\"/>"),
    });
    let mut op = references("root/x:A.Id=7");
    op.options.keys_only = true;
    run(&bench, &op).unwrap_err();
    run(&bench, &associators("root/x:A.Id=7")).unwrap_err();
    run(&bench, &Operation::new(OperationKind::QueryInstances { query: "x".to_owned() })).unwrap_err();
    assert_eq!(bench.facts.lock().unwrap().unsupported, ["ReferenceNames", "Associators", "ExecQuery"]);
}

#[test]
fn subjects_are_what_was_asked_about() {
    assert_eq!(
        (associators("root/x:A").name(), associators("root/x:A").subject().as_str()),
        ("Associators", "root/x:A")
    );
    let query = Operation::new(OperationKind::QueryInstances { query: "SELECT * FROM A".to_owned() });
    assert_eq!((query.name(), query.subject().as_str()), ("ExecQuery", "SELECT * FROM A"));
    let path: ObjectPath = "A.Id=1".parse().unwrap();
    let kind = OperationKind::ReferenceInstances { object: path, result_class: None, role: None };
    assert_eq!(Operation::new(kind).name(), "References");
}
