//! What is read is the same, whichever protocol brought it and however it was brought.

use lazycim::{
    cim::{CimName, rows::RowStore},
    op::{OpEvent, OpEventKind, Operation, OperationKind, Timeouts},
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

#[tokio::test]
async fn rows_and_paths_are_the_same_pulled_or_not_over_every_protocol() {
    let mut seen: Vec<Vec<(Option<String>, Vec<String>)>> = Vec::new();
    for subject in SUBJECTS {
        for pull in [PullUse::Never, PullUse::Always] {
            for keys_only in [false, true] {
                let stage = Stage::new(subject, None, guarded(), Timeouts::default()).await;
                let target = target_of(&stage.server, subject);
                stage.engine.open(SESSION, Target { user: Some("ann".to_owned()), pull, ..target });
                stage.engine.give_secret(SESSION, Some(right()));
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
