//! Key scripts about servers that do not tell their classes: values without types, and what becomes of them.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::sync::Arc;

use super::{
    script::{Script, process_class},
    *,
};
use crate::{
    cim::{
        CimName, CimType, KeyValue, Namespace,
        rows::{CellRef, Column, RowWriter, Shape, ShapeId},
    },
    op::{ErrorKind, OpError, OpEventKind, OpId, Phase},
};

fn refuse(script: &mut Script, op: OpId) {
    let error = OpError::new(Phase::Receive, "web01", ErrorKind::NotSupported, "it does not tell its classes", "go on");
    script.tell(op, OpEventKind::Failed(Arc::new(error)));
}

/// Two rows of `LC_Process` whose columns have the type `ty`, or none.
fn rows(script: &mut Script, op: OpId, ty: Option<CimType>) {
    let columns =
        ["Handle", "Priority", "Gone"].map(|name| Column { ty, ..Column::new(CimName::new(name), CimType::String) });
    let shape = Shape {
        class: CimName::new("LC_Process"),
        namespace: Some(Namespace::new("root/cimv2")),
        host: None,
        columns: columns.to_vec(),
        path_keys: vec![CimName::new("Handle")],
    };
    script.tell(op, OpEventKind::Shape(ShapeId(0), Arc::new(shape)));
    let mut writer = RowWriter::default();
    for handle in ["7", "12"] {
        let cell = |text| if ty.is_some() { CellRef::Text(text) } else { CellRef::Untyped(text) };
        writer.begin(ShapeId(0));
        [cell(handle), cell("20"), CellRef::Null].into_iter().for_each(|cell| writer.cell(cell));
        writer.key(KeyValue::String(handle.into()));
        writer.end();
    }
    script.tell(op, OpEventKind::Rows(writer.take()));
    script.finish(op);
}

/// The types in the detail pane.
fn types(script: &Script) -> Vec<(String, bool)> {
    script.state.detail().rows().iter().map(|row| (row.ty.clone(), row.is_typed)).collect()
}

/// The table of such a server, its class refused.
fn untyped() -> Script {
    let mut script = Script::in_classes();
    script.keys("enter");
    let (class, instances) = (script.run_of("GetClass"), script.last());
    refuse(&mut script, class);
    rows(&mut script, instances, None);
    script
}

#[test]
fn what_has_no_type_is_marked_so_null_included_and_the_class_is_not_asked_for_again() {
    let mut script = untyped();
    assert!(script.state.title(Pane::Table).contains("untyped"), "{}", script.state.title(Pane::Table));
    assert_eq!(types(&script), vec![("?".to_owned(), false); 3]);
    assert!(script.state.log().toasts().next().is_none(), "the class only decorates");
    let asked = script.ran().len();
    script.keys(":").type_in("LC_Other").keys("enter");
    assert_eq!(script.ran()[asked..], ["EnumerateInstances LC_Other"]);
}

#[test]
fn a_class_that_comes_gives_types_at_once_and_a_refresh_typed_values() {
    let mut script = untyped();
    script.keys("2 m");
    let op = script.run_of("GetClass");
    script.tell(op, OpEventKind::Class(Arc::new(process_class())));
    script.finish(op);
    script.keys("esc");
    assert!(types(&script).contains(&("uint32".to_owned(), true)), "{:?}", types(&script));
    assert!(script.state.title(Pane::Table).contains("untyped"), "the values are still those of before");
    script.keys("3 r");
    let op = script.last();
    rows(&mut script, op, Some(CimType::String));
    assert!(!script.state.title(Pane::Table).contains("untyped"));
}

#[test]
fn rows_that_come_with_types_show_that_the_server_tells_its_classes_by_now() {
    let mut script = untyped();
    script.keys("r");
    let op = script.last();
    rows(&mut script, op, Some(CimType::String));
    assert_eq!(script.ran().last().unwrap(), "GetClass LC_Process");
}
