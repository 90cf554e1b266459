//! What is read is the same, whichever protocol brought it and however it was brought.

use lazycim::{
    cim::{CimName, ObjectPath, rows::RowStore},
    op::{OpEvent, OpEventKind, Operation, OperationKind, Phase, Timeouts},
    session::{PullUse, Target},
};

use super::stage::*;

/// A class whose instances stay the same while they are compared.
const CLASS: &str = "CIM_ComputerSystem";

fn store(events: &[OpEvent]) -> RowStore {
    let mut store = RowStore::default();
    for event in events {
        match &event.kind {
            OpEventKind::Shape(id, shape) => store.add_shape(*id, shape.clone()),
            OpEventKind::Rows(batch) => assert_eq!(store.push(batch.clone()), 0, "a row without its shape"),
            _ => {}
        }
    }
    store
}

/// Paths without host, and cells by their column's name.
fn told(store: &RowStore) -> Vec<(Option<String>, Vec<String>)> {
    let names: Vec<String> = store.columns().iter().map(|column| column.column.name.to_string()).collect();
    let row = |at| {
        let path = store.path(at).map(|path| lazycim::cim::ObjectPath { host: None, ..path }.to_string());
        let mut cells: Vec<String> =
            names.iter().enumerate().map(|(column, name)| format!("{name}={:?}", store.cell(at, column))).collect();
        cells.sort_unstable();
        (path, cells)
    };
    (0..store.len()).map(row).collect()
}

/// A stage whose session asks as `pull` says.
async fn signed_in(subject: Subject, pull: PullUse) -> Stage {
    let stage = Stage::new(subject, None, guarded(), Timeouts::default()).await;
    let target = target_of(&stage.server, subject);
    stage.engine.open(SESSION, Target { user: Some("ann".to_owned()), pull, ..target });
    stage.engine.give_secret(SESSION, Some(right()));
    stage
}

#[tokio::test]
async fn rows_and_paths_are_the_same_pulled_or_not_over_every_protocol() {
    let mut seen: Vec<Vec<(Option<String>, Vec<String>)>> = Vec::new();
    for subject in SUBJECTS {
        for pull in [PullUse::Never, PullUse::Always] {
            for keys_only in [false, true] {
                let stage = signed_in(subject, pull).await;
                let mut operation = Operation::new(OperationKind::EnumerateInstances { class: CimName::new(CLASS) });
                operation.options.keys_only = keys_only;
                let events = stage.run(operation).await;
                let found = told(&store(&events));
                assert!(!found.is_empty() && found.iter().all(|row| row.0.is_some()), "{events:#?}");
                match seen.get(usize::from(keys_only)) {
                    Some(known) => assert_eq!(*known, found, "{subject:?} {pull:?}"),
                    None => seen.push(found),
                }
                stage.idle().await;
            }
        }
    }
}

/// Operations of which less than everything is wanted, on the instances of a class and on the first of them, and how many rows
/// each brings.
fn narrowed(path: &ObjectPath) -> Vec<(Operation, usize)> {
    let of = |class: &str| OperationKind::EnumerateInstances { class: CimName::new(class) };
    let get = || OperationKind::GetInstance { path: path.clone() };
    let wanted = |kind, names: &[&str]| {
        let mut operation = Operation::new(kind);
        operation.options.property_list = Some(names.iter().map(|name| CimName::new(name)).collect());
        operation
    };
    let shallow = |mut operation: Operation| {
        operation.options.shallow = true;
        operation
    };
    vec![
        (wanted(of(CLASS), &["elementname"]), 1),
        (wanted(of(CLASS), &["Name", "ElementName"]), 1),
        // A property of a subclass alone, one nobody has, and none.
        (wanted(of(CLASS), &["NumberOfLogicalProcessors"]), 1),
        (wanted(of(CLASS), &["NoSuchProperty"]), 1),
        (wanted(of(CLASS), &[]), 1),
        (shallow(Operation::new(of(CLASS))), 0),
        (shallow(Operation::new(of(path.class.as_str()))), 1),
        (shallow(wanted(of(path.class.as_str()), &["ElementName"])), 1),
        (wanted(get(), &["NumberOfLogicalProcessors"]), 1),
        // An array, NULL, a key, several, one nobody has.
        (wanted(get(), &["OperationalStatus"]), 1),
        (wanted(get(), &["InstallDate"]), 1),
        (wanted(get(), &["Name"]), 1),
        (wanted(get(), &["Name", "ElementName"]), 1),
        (wanted(get(), &["NoSuchProperty"]), 1),
    ]
}

#[tokio::test]
async fn what_is_not_wanted_is_left_out_alike_over_every_protocol() {
    let mut seen: Vec<Vec<(Option<String>, Vec<String>)>> = Vec::new();
    for subject in SUBJECTS {
        let stage = signed_in(subject, PullUse::Auto).await;
        let all = stage.run(Operation::new(OperationKind::EnumerateInstances { class: CimName::new(CLASS) })).await;
        let path = store(&all).path(0).unwrap();
        for (at, (operation, rows)) in narrowed(&path).into_iter().enumerate() {
            let events = stage.run(operation.clone()).await;
            assert!(matches!(events.last().unwrap().kind, OpEventKind::Finished(_)), "{operation:?}: {events:#?}");
            let found = told(&store(&events));
            assert_eq!(found.len(), rows, "{operation:?}: {events:#?}");
            let sends = events.iter().filter(|event| begins(Phase::Send)(&event.kind)).count();
            assert_eq!(sends, 1, "nothing is refused and asked for again: {operation:?}: {events:#?}");
            match seen.get(at) {
                Some(known) => assert_eq!(*known, found, "{subject:?} {operation:?}"),
                None => seen.push(found),
            }
        }
        stage.idle().await;
    }
}
