//! Key scripts through the real update function.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::{sync::Arc, time::Duration};

use super::{
    script::{Script, is_deep, process_class},
    *,
};
use crate::{
    cim::Namespace,
    op::{Limits, OpEventKind, OpId, SessionId},
};

#[test]
fn a_walk_from_the_session_to_the_properties() {
    let mut script = Script::in_table();
    assert_eq!(
        script.ran(),
        ["EnumerateNamespaces", "EnumerateClassNames", "GetClass LC_Process", "EnumerateInstances LC_Process"]
    );
    script.keys("j enter");
    assert_eq!(script.state.focus(), Pane::Detail);
    assert!(script.ran().last().unwrap().starts_with("GetInstance"));
    let crumbs = script.state.breadcrumbs().into_iter().map(|crumb| crumb.text).collect::<Vec<_>>();
    assert_eq!(crumbs, ["this-computer", "root/cimv2", "LC_Process", "Handle=\"2\""]);
    let rows = script.state.detail().rows();
    assert_eq!(
        rows.iter().map(|row| row.name.as_str()).collect::<Vec<_>>(),
        ["CSName", "Handle", "Caption", "Name", "Size"]
    );
    assert_eq!(rows[2].state, ValueState::Null);
}

#[test]
fn starting_runs_nothing_and_motion_runs_nothing() {
    let mut script = Script::new();
    assert!(script.state.is_idle() && script.runs.is_empty());
    let mut script2 = Script::in_table();
    let before = script2.runs.len();
    script2.keys("j j k G g g ctrl-d pageup tab j k shift-tab 1 j 2 j 4 j 5 j 3 right left z z");
    assert_eq!(script2.runs.len(), before);
    script.keys("j k G");
    assert!(script.runs.is_empty());
}

#[test]
fn the_detail_pane_follows_the_table_without_an_operation() {
    let mut script = Script::in_table();
    script.keys("G");
    let handle = |script: &Script| script.state.detail().rows()[1].value.clone();
    assert_eq!(handle(&script), "100");
    script.keys("k");
    assert_eq!(handle(&script), "20");
}

#[test]
fn keys_come_first_empty_columns_last_and_constant_keys_are_left_out() {
    let script = Script::in_table();
    let titles = script.state.table().unwrap().columns().iter().map(|column| column.title.clone()).collect::<Vec<_>>();
    assert_eq!(titles, ["*Handle", "Name", "Size", "Caption"]);
}

#[test]
fn the_class_orders_the_columns_and_describes_the_properties() {
    let mut script = Script::in_classes();
    script.keys("enter");
    let (class, rows) = (script.run_of("GetClass"), script.run_of("EnumerateInstances"));
    script.processes(rows, &[1, 2]);
    script.tell(class, OpEventKind::Class(Arc::new(process_class())));
    let titles = script.state.table().unwrap().columns().iter().map(|column| column.title.clone()).collect::<Vec<_>>();
    assert_eq!(titles, ["*Handle", "Name", "Size", "Priority", "Caption"]);
    let row = script.state.detail().rows().iter().find(|row| row.name == "Priority").unwrap();
    assert_eq!((row.state, row.description.as_str()), (ValueState::Absent, "The Priority of it."));
}

#[test]
fn a_newer_operation_of_a_pane_cancels_the_older_and_its_late_rows_are_dropped() {
    let mut script = Script::in_classes();
    script.keys("enter");
    let old = script.run_of("EnumerateInstances");
    script.processes(old, &[1]);
    script.cancelled();
    script.keys("r");
    let new = script.run_of("EnumerateInstances");
    assert_eq!(script.cancelled(), [old]);
    script.processes(old, &[7, 8, 9]);
    script.finish(old);
    assert_eq!(script.names(), ["process 1"]);
    script.processes(new, &[2]);
    script.finish(new);
    assert_eq!(script.names(), ["process 2"]);
}

#[test]
fn events_of_unknown_operations_change_nothing() {
    let mut script = Script::in_table();
    script.processes(OpId(999), &[5]);
    script.fail(OpId(999), "late");
    assert_eq!(script.state.table().unwrap().total(), 5);
    assert!(script.state.log().is_empty());
}

#[test]
fn the_selection_survives_refresh_sort_and_filter() {
    let mut script = Script::in_table();
    script.keys("G k");
    assert_eq!(script.selected(), "20");
    script.keys("right right s s");
    assert_eq!(script.names()[0], "process 100");
    assert_eq!(script.selected(), "20");
    script.keys("r");
    let op = script.last();
    script.processes(op, &[500, 20, 1]);
    assert_eq!(script.selected(), "20", "old rows are shown until as many new ones came");
    script.finish(op);
    assert_eq!(script.names(), ["process 500", "process 20", "process 1"]);
    assert_eq!(script.selected(), "20");
    script.keys("/").type_in("process").keys("enter");
    assert_eq!(script.selected(), "20");
}

#[test]
fn a_refresh_that_fails_leaves_the_rows_and_says_so() {
    let mut script = Script::in_table();
    script.keys("r");
    let op = script.last();
    script.processes(op, &[1]);
    script.fail(op, "the connection ended");
    let table = script.state.table().unwrap();
    assert_eq!((table.total(), table.stale), (5, true));
    assert!(script.state.title(Pane::Table).contains("of before the refresh"));
}

#[test]
fn partial_rows_stay_beside_their_error_which_stays_in_the_log() {
    let mut script = Script::in_classes();
    script.keys("enter");
    let op = script.run_of("EnumerateInstances");
    script.processes(op, &[1, 2, 3]);
    script.fail(op, "the connection ended after 812 bytes");
    assert_eq!(script.names().len(), 3);
    assert_eq!(script.state.title(Pane::Table), "LC_Process · 3 rows · failed");
    assert_eq!(script.state.log().toasts().count(), 1);
    script.state.tick(Duration::from_secs(60));
    assert_eq!(script.state.log().toasts().count(), 0);
    script.keys("E");
    let Some(Layer::Error(view)) = script.state.layer() else { panic!("{:?}", script.state.layer()) };
    let lines = script.state.log().get(view.entry).unwrap().lines().join("\n");
    assert_eq!(
        lines,
        "phase   receive\ntarget  web01\ncause   the connection ended after 812 bytes\ntry     try again"
    );
}

#[test]
fn classes_unfold_lazily_and_fold_again() {
    let mut script = Script::in_classes();
    assert_eq!(script.tree(), ["CIM_ManagedElement", "LC_Process"]);
    script.keys("k l");
    let op = script.last();
    assert_eq!(script.ran().last().unwrap(), "EnumerateClassNames CIM_ManagedElement");
    script.classes(op, &["CIM_LogicalElement"]);
    script.finish(op);
    assert_eq!(script.tree(), ["CIM_ManagedElement", " CIM_LogicalElement", "LC_Process"]);
    let runs = script.runs.len();
    script.keys("l h");
    assert_eq!(script.state.classes().unwrap().selected().unwrap().name, "CIM_ManagedElement");
    script.keys("h");
    assert_eq!(script.tree(), ["CIM_ManagedElement", "LC_Process"]);
    script.keys("space");
    assert_eq!((script.tree().len(), script.runs.len()), (3, runs));
}

#[test]
fn unfolding_another_class_cancels_the_listing_before() {
    let mut script = Script::in_classes();
    script.keys("l");
    let first = script.last();
    script.keys("k l");
    assert_eq!(script.cancelled(), [first]);
    script.classes(first, &["Late"]);
    assert_eq!(script.tree(), ["CIM_ManagedElement", "LC_Process"]);
}

#[test]
fn a_tree_that_turns_in_a_circle_ends() {
    let mut script = Script::in_classes();
    for _ in 0..6 {
        script.keys("G l");
        let op = script.last();
        script.classes(op, &["LC_Process", "LC_Other"]);
        script.finish(op);
    }
    assert!(script.tree().len() < 1_000, "{}", script.tree().len());
}

#[test]
fn the_first_filter_of_classes_fetches_all_names_once_and_lists_them_flat() {
    let mut script = Script::in_classes();
    script.keys("/");
    let op = script.last();
    assert!(is_deep(&script.runs.last().unwrap().2));
    script.classes(op, &["CIM_Process", "LC_Process", "CIM_Thread", "LC_UnixProcess"]);
    script.finish(op);
    script.type_in("proc");
    assert_eq!(script.tree(), ["CIM_Process", "LC_Process", "LC_UnixProcess"]);
    assert_eq!(script.state.title(Pane::Classes), "root/cimv2 · 3 of 4");
    let runs = script.runs.len();
    script.keys("enter esc /").type_in("x").keys("esc");
    assert_eq!((script.runs.len(), script.tree().len()), (runs, 2));
}

#[test]
fn where_classes_cannot_be_listed_a_name_is_typed() {
    let mut script = Script::new();
    script.keys("enter");
    let op = script.last();
    script.fail(op, "not supported");
    assert_eq!(script.state.sessions().get(SessionId(1)).unwrap().namespaces, [Namespace::new("root/cimv2")]);
    script.keys("j enter");
    let op = script.last();
    script.fail(op, "not supported");
    assert!(script.state.empty_text(Pane::Classes).unwrap().contains("opens a class by its name"));
    script.keys("enter").type_in("LC_Process").keys("enter");
    assert_eq!(script.state.focus(), Pane::Table);
    assert_eq!(script.ran().last().unwrap(), "EnumerateInstances LC_Process");
}

#[test]
fn rows_beyond_the_limit_are_not_kept_and_the_operation_is_cancelled() {
    let mut script = Script::with(Limits { retained_rows: 3, ..Limits::default() });
    script.keys(":").type_in("LC_Process").keys("enter");
    let op = script.run_of("EnumerateInstances");
    script.cancelled();
    script.processes(op, &[1, 2, 3, 4, 5]);
    assert_eq!(script.cancelled(), [op]);
    script.tell(op, OpEventKind::Cancelled { left_open: None });
    assert_eq!(script.state.title(Pane::Table), "LC_Process · 3 rows · capped");
}

#[test]
fn the_secret_is_asked_for_and_only_its_length_is_known() {
    let mut script = Script::new();
    script.keys("enter");
    let op = script.last();
    script.tell(op, OpEventKind::SecretNeeded { user: "ann\u{1b}".to_owned(), again: false });
    assert_eq!(script.state.wants_secret().unwrap().user, "ann\\u{1b}");
    script.type_in("hunter2").keys("enter ctrl-u j");
    script.state.paste("hunter2");
    script.act(Action::SecretLength(7));
    assert_eq!(script.state.wants_secret().unwrap().length, 7);
    assert!(!format!("{:?}", script.state).contains("hunter"));
    script.act(Action::SecretSubmitted);
    assert!(script.state.wants_secret().is_none());
    script.tell(op, OpEventKind::SecretNeeded { user: "ann".to_owned(), again: true });
    assert!(script.state.wants_secret().unwrap().again);
    script.keys("esc");
    assert!(matches!(script.effects.last(), Some(Effect::GiveSecret { session: SessionId(1), secret: None })));
    assert!(script.state.wants_secret().is_none());
}

#[test]
fn a_prompt_waits_while_text_is_typed_and_goes_with_its_operation() {
    let mut script = Script::new();
    script.keys("enter :");
    let op = script.last();
    script.tell(op, OpEventKind::SecretNeeded { user: "ann".to_owned(), again: false });
    script.type_in("abc");
    assert!(script.state.wants_secret().is_none());
    script.keys("esc");
    assert!(script.state.wants_secret().is_some());
    script.tell(op, OpEventKind::Cancelled { left_open: None });
    assert!(script.state.wants_secret().is_none());
}

#[test]
fn interrupt_cancels_what_runs_and_asks_when_idle() {
    let mut script = Script::new();
    script.keys("enter ctrl-c");
    let op = script.last();
    assert_eq!(script.cancelled(), [op]);
    script.keys("q");
    assert!(matches!(script.state.layer(), Some(Layer::ConfirmQuit(ConfirmQuit { yes: false }))));
    script.keys("enter");
    assert!(script.state.layers().is_empty() && !script.state.is_quitting());
    script.tell(op, OpEventKind::Cancelled { left_open: Some("may stay open".to_owned()) });
    assert!(script.state.log().newest_problem().is_none());
    assert_eq!(script.state.log().entries().next().unwrap().text, format!("{op} cancelled: may stay open"));
    script.keys("ctrl-c ctrl-c");
    assert!(matches!(script.effects.last(), Some(Effect::Quit)));
}

#[test]
fn q_quits_when_idle_and_ctrl_q_always_does() {
    let mut script = Script::in_table();
    script.keys("? q");
    assert!(!script.state.is_quitting());
    script.keys("esc q");
    assert!(script.state.is_quitting());
    let mut script = Script::new();
    script.keys("enter : ctrl-q");
    assert!(script.state.is_quitting());
}

#[test]
fn enter_on_an_operation_shows_its_timeline_and_x_cancels_it() {
    let mut script = Script::new();
    script.keys("enter 5 enter");
    let op = script.last();
    assert!(matches!(script.state.layer(), Some(Layer::Timeline(view)) if view.op == op));
    script.keys("esc x");
    assert_eq!(script.cancelled(), [op]);
}

#[test]
fn operations_of_the_engine_join_the_log_and_the_log_is_bounded() {
    let mut script = Script::with(Limits { logged_operations: 3, ..Limits::default() });
    script.keys("enter");
    let op = script.last();
    script.tell(OpId(70), OpEventKind::Started { title: "CloseEnumeration".to_owned(), because_of: op });
    assert_eq!(script.state.operations().get(OpId(70)).unwrap().because_of, Some(op));
    script.finish(OpId(70));
    script.finish(op);
    for _ in 0..10 {
        script.keys("r");
        let op = script.last();
        script.finish(op);
    }
    assert_eq!(script.state.operations().len(), 3);
    assert!(script.state.is_idle());
}

#[test]
fn help_and_palette_search_the_registry_and_do_what_is_chosen() {
    let mut script = Script::in_table();
    script.keys("?").type_in("sort");
    assert_eq!(script.state.help_rows()[0].id, CommandId::Sort);
    script.keys("esc ctrl-p").type_in("zoom").keys("enter");
    assert!(script.state.is_zoomed());
    script.keys("ctrl-p");
    let cancel = script.state.palette_rows().into_iter().find(|row| row.id == CommandId::Cancel).unwrap();
    assert_eq!(cancel.greyed, Some("no operation runs"));
}

#[test]
fn which_key_waits_three_hundred_milliseconds() {
    let mut script = Script::in_table();
    script.keys("y");
    assert!(script.state.which_key().is_empty());
    assert_eq!(script.state.wake_at(), Some(Duration::from_millis(300)));
    script.state.tick(Duration::from_millis(300));
    assert_eq!(script.state.which_key().len(), 4);
    script.keys("esc");
    assert!(script.state.which_key().is_empty() && script.state.wake_at().is_none());
}

#[test]
fn copies_of_value_path_json_and_commands() {
    let mut script = Script::in_table();
    let copied = |script: &mut Script, keys: &str| script.keys(keys).copied();
    assert_eq!(copied(&mut script, "right y y"), "process 1");
    assert_eq!(copied(&mut script, "y p"), "root/cimv2:LC_Process.CSName=\"host\",Handle=\"1\"");
    assert_eq!(copied(&mut script, "Y"), "lazycim instances LC_Process -n root/cimv2");
    assert_eq!(copied(&mut script, "y c"), "Get-CimInstance -Namespace 'root/cimv2' -ClassName 'LC_Process'");
    assert!(copied(&mut script, "y j").contains("\"Size\":\"10\""));
    assert_eq!(copied(&mut script, "4 Y"), "lazycim get 'root/cimv2:LC_Process.CSName=\"host\",Handle=\"1\"'");
    assert_eq!(
        copied(&mut script, "y c"),
        "Get-CimInstance -Namespace 'root/cimv2' -ClassName 'LC_Process' -Filter 'CSName=\"host\" AND Handle=\"1\"'"
    );
}

#[test]
fn the_footer_has_five_to_seven_hints_that_apply() {
    for script in [Script::new, Script::in_classes, Script::in_table] {
        for pane in Pane::ALL {
            let mut script = script();
            script.act(Action::Select { pane, row: 0 });
            let hints = script.state.hints();
            assert!((4..=7).contains(&hints.len()), "{pane:?} {hints:?}");
            assert!(hints.iter().all(|hint| script.state.greyed(hint.command.unwrap()).is_none()));
        }
    }
}

#[test]
fn names_from_the_server_cannot_write_to_the_terminal() {
    let mut script = Script::new();
    script.keys("enter");
    let op = script.last();
    script.fail(op, "\u{1b}]0;owned\u{7}");
    let entry = script.state.log().newest_problem().unwrap();
    assert!(!entry.text.chars().any(char::is_control) && !entry.lines().concat().chars().any(char::is_control));
}

#[test]
fn closing_a_session_forgets_its_secret_and_what_it_showed() {
    let mut script = Script::in_table();
    script.keys("1 X");
    assert!(script.effects.iter().any(|effect| matches!(effect, Effect::Close(SessionId(1)))));
    assert!(script.state.table().is_none() && script.state.classes().is_none());
    script.keys("enter");
    assert_eq!(script.ran().last().unwrap(), "EnumerateNamespaces");
}

#[test]
fn a_click_selects_a_double_click_opens_and_the_wheel_scrolls() {
    let mut script = Script::in_table();
    let area = script.state.layout().pane(Pane::Table).unwrap().inner();
    script.act(Action::Click { x: area.x, y: area.y + 3, double: false });
    assert_eq!(script.selected(), "3");
    script.act(Action::Click { x: area.x, y: area.y + 1, double: true });
    assert_eq!(script.state.focus(), Pane::Detail);
    script.act(Action::Scroll { x: area.x, y: area.y, lines: 2 });
    script.act(Action::Crumb(1));
    assert_eq!(script.state.focus(), Pane::Classes);
}

#[test]
fn a_filter_over_many_rows_works_in_slices() {
    let mut script = Script::in_classes();
    script.keys("enter");
    let op = script.run_of("EnumerateInstances");
    let handles = (0..100).collect::<Vec<_>>();
    for _ in 0..2_000 {
        script.processes(op, &handles);
    }
    script.keys("/").type_in("process 99");
    assert!(script.state.has_work());
    let first = script.state.table().unwrap().shown();
    assert!((1..2_000).contains(&first), "{first} rows are shown before the work is done");
    while script.state.work() {}
    assert_eq!(script.state.table().unwrap().shown(), 2_000);
}

#[test]
fn many_names_in_many_answers_are_sorted_once_each() {
    let mut script = Script::in_classes();
    script.keys("/");
    let op = script.last();
    for batch in (0..300).rev() {
        let names = (0..50).map(|n| format!("C_{batch:03}_{n:02}")).collect::<Vec<_>>();
        script.classes(op, &names.iter().map(String::as_str).collect::<Vec<_>>());
    }
    script.classes(op, &["C_000_00"]);
    script.finish(op);
    script.type_in("C_");
    let tree = script.tree();
    assert_eq!((tree.len(), tree[0].as_str()), (15_000, "C_000_00"));
    assert!(tree.is_sorted());
}

#[test]
fn a_toast_goes_when_what_failed_was_done_after_all() {
    let mut script = Script::in_classes();
    script.keys("enter");
    let op = script.run_of("EnumerateInstances");
    script.fail(op, "no answer within 60 s");
    assert_eq!(script.state.log().toasts().count(), 1);
    script.keys("r");
    let again = script.run_of("EnumerateInstances");
    assert_ne!(op, again);
    script.processes(again, &[1, 2]);
    script.finish(again);
    assert_eq!(script.state.log().toasts().count(), 0);
    assert!(script.state.log().entries().any(|entry| entry.op == Some(op)), "the log keeps it");
}

#[test]
fn the_cursor_of_the_detail_pane_goes_where_rows_are_when_the_table_has_none_left() {
    let mut script = Script::in_table();
    script.keys("4 j j 3 /").type_in("no such process");
    assert_eq!((script.state.table().unwrap().shown(), script.state.detail().rows().len()), (0, 0));
    assert_eq!(script.state.detail().cursor().at, 0);
}

#[test]
fn the_same_words_are_one_toast() {
    let mut script = Script::in_classes();
    for _ in 0..2 {
        script.keys("enter");
        let op = script.run_of("EnumerateInstances");
        script.fail(op, "nobody listens there");
        script.keys("r");
        let again = script.run_of("EnumerateInstances");
        script.fail(again, "nobody listens there");
    }
    assert_eq!(script.state.log().toasts().count(), 1);
    assert!(script.state.log().entries().filter(|entry| entry.level == Level::Error).count() >= 2);
}
