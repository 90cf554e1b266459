//! Key scripts of the query prompt.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::sync::Arc;

use super::{script::Script, *};
use crate::{
    cim::{
        CimType, KeyValue,
        rows::{CellRef, Column, RowWriter, Shape, ShapeId},
    },
    op::{OpEventKind, QueryLanguage},
};

fn prompt(script: &Script) -> QueryPrompt {
    match script.state.layer() {
        Some(Layer::Query(prompt)) => prompt.clone(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_prompt_is_prefilled_for_the_class_under_the_cursor() {
    let mut script = Script::in_classes();
    script.keys("Q");
    assert_eq!(prompt(&script).input.text(), "SELECT * FROM LC_Process");
    assert_eq!(prompt(&script).place(), "root/cimv2 on this-computer");
    script.keys("esc k Q");
    assert_eq!(prompt(&script).input.text(), "SELECT * FROM CIM_ManagedElement");
    script.keys("esc 1 Q");
    assert_eq!(prompt(&script).input.text(), "SELECT * FROM ");
    let mut script = Script::in_table();
    script.keys("Q");
    assert_eq!(prompt(&script).input.text(), "SELECT * FROM LC_Process");
    assert_eq!(script.runs.len(), 4, "typing asks for nothing");
}

#[test]
fn a_query_is_a_page_of_its_own() {
    let mut script = Script::in_table();
    script.keys("Q tab").type_in(" WHERE Size > 5").keys("enter");
    let (op, _, operation) = script.runs.last().unwrap().clone();
    assert_eq!(operation.name(), "ExecQuery");
    assert_eq!(operation.options.query_dialect.as_deref(), Some("DMTF:CQL"));
    assert_eq!(operation.subject(), "SELECT * FROM LC_Process WHERE Size > 5");
    script.processes(op, &[20, 1, 100]);
    script.finish(op);
    assert!(script.state.title(Pane::Table).ends_with(" · 3 rows"), "{}", script.state.title(Pane::Table));
    assert_eq!(script.crumbs()[2], "SELECT * FROM LC_Process WHERE Size > 5");
    assert_eq!(
        script.keys("Y").copied(),
        "lazycim query 'SELECT * FROM LC_Process WHERE Size > 5' -n root/cimv2 --dialect cql"
    );
    assert_eq!(
        script.keys("y c").copied(),
        "Get-CimInstance -Namespace 'root/cimv2' -Query 'SELECT * FROM LC_Process WHERE Size > 5' -QueryDialect 'CQL'"
    );
    script.keys("right s");
    assert_eq!(script.names(), ["process 1", "process 100", "process 20"]);
    script.keys("/").type_in("process 1").keys("enter");
    assert_eq!(script.names(), ["process 1", "process 100"]);
    script.keys("esc r");
    let again = script.runs.last().unwrap();
    assert_eq!((again.2.subject(), again.2.options.refresh), (operation.subject(), true));
    script.keys("[");
    assert_eq!(script.state.table().unwrap().source, Source::Class("LC_Process".into()));
    script.keys("]");
    assert!(
        matches!(&script.state.table().unwrap().source, Source::Query(query) if query.language == QueryLanguage::Cql)
    );
}

#[test]
fn projected_rows_show_their_columns_alone() {
    let mut script = Script::in_table();
    script.keys("Q enter");
    let op = script.last();
    script.processes(op, &[1]);
    script.finish(op);
    let columns = script.state.table().unwrap().columns().iter().map(|column| column.name.to_string());
    let stored = ["Caption", "Handle", "Name", "Size"];
    let mut columns = columns.collect::<Vec<_>>();
    columns.sort();
    assert_eq!(columns, stored, "nothing of a class that was not selected");
    assert!(script.state.hints().iter().any(|hint| hint.command == Some(CommandId::Query)));
    assert!(script.state.table().unwrap().definition().is_none());
}

#[test]
fn keys_that_were_not_selected_stay_out_of_the_breadcrumbs() {
    let mut script = Script::in_table();
    script.keys("Q enter");
    let op = script.last();
    let columns = vec![Column::new("Handle".into(), CimType::String)];
    let path_keys = vec!["CSName".into(), "Handle".into()];
    let namespace = Some("root/cimv2".into());
    let shape = Shape { class: "LC_Process".into(), namespace, host: None, columns, path_keys };
    script.tell(op, OpEventKind::Shape(ShapeId(0), Arc::new(shape)));
    let mut writer = RowWriter::default();
    for handle in ["7", "8"] {
        writer.begin(ShapeId(0));
        writer.cell(CellRef::Text(handle));
        writer.key(KeyValue::String("host".into()));
        writer.key(KeyValue::String(handle.into()));
        writer.end();
    }
    script.tell(op, OpEventKind::Rows(writer.take()));
    assert_eq!(script.crumbs()[3..], ["Handle=\"7\""]);
}

#[test]
fn a_query_that_failed_is_corrected_in_the_prompt() {
    let mut script = Script::in_table();
    script.keys("Q tab tab").type_in(" WHER x").keys("enter");
    let op = script.last();
    script.fail(op, "CIM_ERR_INVALID_QUERY (15)");
    let told = script.state.empty_text(Pane::Table).unwrap();
    assert!(told.contains("INVALID_QUERY") && told.ends_with("Q lets the query be corrected."), "{told}");
    script.keys("Q");
    assert_eq!(prompt(&script).input.text(), "SELECT * FROM LC_Process WHER x");
    assert_eq!(prompt(&script).language, QueryLanguage::Fql);
}

#[test]
fn the_prompt_has_a_history_of_text_and_language() {
    let mut script = Script::in_classes();
    script.keys("Q ctrl-u tab").type_in("first").keys("enter 2 Q ctrl-u").type_in("second").keys("enter 2 Q");
    script.type_in("!").keys("up");
    assert_eq!((prompt(&script).input.text(), prompt(&script).language), ("second", QueryLanguage::Wql));
    script.keys("up up");
    assert_eq!((prompt(&script).input.text(), prompt(&script).language), ("first", QueryLanguage::Cql));
    script.keys("down down down");
    assert_eq!(prompt(&script).input.text(), "SELECT * FROM LC_Process!");
    script.keys("ctrl-u enter");
    assert!(prompt(&script).error.unwrap().starts_with("type a query"));
    script.keys("backspace");
    assert!(script.state.layers().is_empty());
}

#[test]
fn a_paste_is_one_edit_and_submits_nothing() {
    let mut script = Script::in_classes();
    script.keys("Q ctrl-u");
    let effects = script.state.paste("SELECT *\r\nFROM LC_Process\n");
    assert!(effects.is_empty());
    assert_eq!(prompt(&script).input.text(), "SELECT * FROM LC_Process");
}

#[test]
fn the_command_line_asks_a_query_too() {
    let mut script = Script::in_classes();
    script.keys(":").type_in("query SELECT Name FROM LC_Process WHERE Handle = '1'").keys("enter");
    assert_eq!(script.ran().last().unwrap(), "ExecQuery SELECT Name FROM LC_Process WHERE Handle = '1'");
    script.keys(":").type_in("query").keys("enter");
    assert!(prompt(&script).input.text().starts_with("SELECT Name"), "the query of the page is there to be changed");
}

#[test]
fn a_newer_query_cancels_the_older() {
    let mut script = Script::in_classes();
    script.keys("Q enter");
    let op = script.last();
    script.cancelled();
    script.keys("Q").type_in(" x").keys("enter");
    assert_eq!(script.cancelled(), [op]);
    script.tell(op, OpEventKind::Cancelled { left_open: None });
    assert!(script.state.table().unwrap().load.is_running());
}
