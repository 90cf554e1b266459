//! Key scripts along associations.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::sync::Arc;

use super::{script::Script, *};
use crate::{
    cim::{CimError, CimStatus, ObjectPath},
    op::{ErrorKind, Limits, OpError, OpEventKind, OpId, OperationKind, Phase, SessionId},
};

const RUNS: &str = r#"root/cimv2:LC_OSProcess.GroupComponent="root/cimv2:LC_OS.Name=\"linux\"",PartComponent="root/cimv2:LC_Process.CSName=\"host\",Handle=\"2\"""#;
const PARENT: &str = r#"root/cimv2:LC_Parent.Child="root/cimv2:LC_Process.CSName=\"host\",Handle=\"2\"",Parent="root/cimv2:LC_Process.CSName=\"host\",Handle=\"1\"""#;
const CHILD: &str = r#"root/cimv2:LC_Parent.Child="root/cimv2:LC_Process.CSName=\"host\",Handle=\"3\"",Parent="//elsewhere/root/cimv2:LC_Process.Handle=\"2\",CSName=\"host\"""#;
const UNTOLD: &str = r#"root/cimv2:LC_Group.InstanceID="group 1""#;

/// The associations of the process 2, reached with keys and read.
fn at_associations() -> Script {
    let mut script = Script::in_table();
    script.keys("j A");
    let op = script.last();
    script.paths(op, &[CHILD, UNTOLD, RUNS, PARENT]);
    script.finish(op);
    script
}

fn rows(keys: &str) -> (Script, Vec<String>) {
    let mut script = at_associations();
    script.keys(keys);
    let rows = script.associations();
    (script, rows)
}

#[test]
fn one_operation_tells_roles_classes_and_far_ends() {
    let mut script = at_associations();
    let before = script.runs.len();
    let operation = &script.runs.last().unwrap().2;
    assert_eq!(operation.name(), "ReferenceNames");
    assert!(operation.subject().starts_with("root/cimv2:LC_Process."), "{}", operation.subject());
    assert_eq!(script.state.title(Pane::Detail), "Associations · LC_Process · 4 associations");
    let closed = [
        "-as Child",
        "  +LC_Parent 1 instance",
        "-as Parent",
        "  +LC_Parent 1 instance",
        "-as PartComponent",
        "  +LC_OSProcess 1 instance",
        "-in a role the paths do not tell",
        "  +LC_Group 1 association",
    ];
    assert_eq!(script.associations(), closed);
    script.keys("j l");
    assert_eq!(script.associations()[1..3], ["  -LC_Parent 1 instance", "    LC_Process.Handle=\"1\" as Parent"]);
    script.keys("l");
    assert_eq!(script.state.associations().unwrap().selected().unwrap().text, "LC_Process.Handle=\"1\"");
    script.keys("h h space space right left");
    assert_eq!(script.associations(), closed);
    script.keys("g g h");
    assert_eq!(script.associations()[..2], ["+as Child", "-as Parent"]);
    assert_eq!(script.runs.len(), before, "what the paths told is not asked for again");
}

#[test]
fn far_ends_the_paths_do_not_tell_are_fetched_when_unfolded() {
    let (mut script, _) = rows("G l");
    let (op, _, operation) = script.runs.last().unwrap().clone();
    assert_eq!(operation.name(), "AssociatorNames");
    let OperationKind::AssociatorInstances { assoc_class, role, .. } = operation.kind else { panic!() };
    assert_eq!((assoc_class.unwrap().as_str(), role), ("LC_Group", None));
    assert_eq!(script.associations()[7..], ["  ~LC_Group 1 association", "    loading…"]);
    script.paths(op, &[r#"LC_Account.Name="ann""#, r#"LC_Account.Name="bob""#]);
    script.finish(op);
    let read = ["  -LC_Group 2 instances", "    LC_Account.Name=\"ann\"", "    LC_Account.Name=\"bob\""];
    assert_eq!(script.associations()[7..], read);
    let runs = script.runs.len();
    script.keys("h l");
    assert_eq!((script.associations()[7..].to_vec(), script.runs.len()), (read.map(str::to_owned).to_vec(), runs));
}

#[test]
fn enter_opens_all_far_ends_or_one_with_breadcrumbs_and_the_way_back() {
    let (mut script, _) = rows("j l");
    script.keys("enter");
    let (op, _, operation) = script.runs.last().unwrap().clone();
    assert_eq!(operation.name(), "Associators");
    let OperationKind::AssociatorInstances { assoc_class, role, result_role, .. } = &operation.kind else { panic!() };
    let words = [assoc_class, role, result_role].map(|name| name.as_ref().map(|name| name.as_str()));
    assert_eq!(words, [Some("LC_Parent"), Some("Child"), Some("Parent")]);
    assert_eq!(
        (script.state.focus(), script.state.title(Pane::Table).as_str()),
        (Pane::Table, "via LC_Parent · 0 rows · receiving")
    );
    script.processes(op, &[1]);
    assert_eq!(script.ran().last().unwrap(), "GetClass LC_Process", "only the rows tell what they are");
    script.finish_all();
    let crumbs = ["this-computer", "root/cimv2", "LC_Process", "Handle=\"2\"", "via LC_Parent", "Handle=\"1\""];
    assert_eq!(script.crumbs(), crumbs);

    let runs = script.runs.len();
    script.keys("h");
    assert_eq!(script.crumbs()[2..], ["LC_Process", "Handle=\"2\"", "associations"]);
    assert_eq!(script.associations()[1], "  -LC_Parent 1 instance");
    script.keys("[");
    assert_eq!((script.state.focus(), script.crumbs()[4].as_str()), (Pane::Table, "via LC_Parent"));
    script.keys("] esc esc");
    assert_eq!((script.state.focus(), script.names().len()), (Pane::Table, 5));
    assert_eq!(script.selected(), "2");
    assert_eq!(script.runs.len(), runs, "complete pages and trees were kept");
}

#[test]
fn a_far_end_opens_selected_among_its_like_and_the_walk_goes_on() {
    let mut script = at_associations();
    script.keys("j j j l j enter");
    let op = script.last();
    script.processes(op, &[1, 2]);
    assert!(script.state.detail().instance().is_none(), "the row asked for has not come");
    script.processes(op, &[3, 4]);
    script.finish(op);
    assert_eq!(script.selected(), "3");
    script.keys("A");
    let op = script.last();
    assert!(script.runs.last().unwrap().2.subject().ends_with("Handle=\"3\""));
    script.paths(op, &[CHILD]);
    script.finish(op);
    script.keys("j enter");
    let trail = ["LC_Process", "Handle=\"2\"", "via LC_Parent", "Handle=\"3\"", "via LC_Parent"];
    assert_eq!(script.crumbs()[2..], trail);
    // A breadcrumb of the trail leads where it says.
    script.act(Action::Crumb(4));
    assert_eq!(
        (script.state.focus(), script.crumbs()[2..5].to_vec()),
        (Pane::Table, trail[..3].iter().map(|text| (*text).to_owned()).collect())
    );
    script.act(Action::Crumb(3));
    assert_eq!((script.state.focus(), script.crumbs().len()), (Pane::Detail, 5));
    let rows = script.associations();
    assert_eq!(
        (rows.len(), rows[4].trim()),
        (9, "LC_Process.Handle=\"3\" as Child"),
        "the tree it began at, as it was left"
    );
}

#[test]
fn motion_reads_nothing_and_a_newer_reading_cancels_the_older() {
    let mut script = at_associations();
    let runs = script.runs.len();
    script.keys("j j G k 3 j j 4");
    assert_eq!(script.runs.len(), runs);
    assert!(script.state.associations().is_none());
    assert_eq!(script.state.empty_text(Pane::Detail).unwrap(), "enter lists its associations");
    script.keys("enter");
    let first = script.last();
    script.cancelled();
    script.keys("r");
    assert_eq!(script.cancelled(), [first]);
    let second = script.last();
    script.paths(first, &[RUNS]);
    assert!(script.associations().is_empty());
    script.keys("x");
    assert_eq!(script.cancelled(), [second]);
    script.tell(second, OpEventKind::Cancelled { left_open: None });
    assert!(script.state.empty_text(Pane::Detail).unwrap().starts_with("cancelled"));
}

#[test]
fn a_refresh_keeps_what_is_shown_until_it_answers_and_what_was_unfolded() {
    let (mut script, before) = rows("j l r");
    let op = script.last();
    assert_eq!(script.associations(), before);
    script.paths(op, &[PARENT]);
    script.finish(op);
    let after = ["-as Child", "  -LC_Parent 1 instance", "    LC_Process.Handle=\"1\" as Parent"];
    assert_eq!(script.associations(), after);
    script.keys("r");
    let op = script.last();
    script.fail(op, "the connection ended");
    assert_eq!(script.associations(), after);
    assert!(script.state.title(Pane::Detail).ends_with("failed"));
}

#[test]
fn no_associations_and_no_such_operation_are_told() {
    let mut script = Script::in_table();
    script.keys("A");
    let op = script.last();
    script.finish(op);
    assert_eq!(script.state.empty_text(Pane::Detail).unwrap(), "This instance has no associations.\nr asks again.");
    script.keys("3 j A");
    let op = script.last();
    let error = CimError { status: CimStatus::NOT_SUPPORTED, description: String::new(), details: Vec::new() };
    let kind = ErrorKind::Cim(Arc::new(error));
    let error = OpError::new(Phase::Receive, "web01", kind, "CIM_ERR_NOT_SUPPORTED (7)", "try another");
    script.tell(op, OpEventKind::Failed(Arc::new(error)));
    let told = script.state.empty_text(Pane::Detail).unwrap();
    assert!(told.contains("does not follow associations") && told.contains("\ntry: "), "{told}");
    assert_eq!(script.state.log().toasts().count(), 0, "the pane says it");
    script.keys("3 j A");
    let op = script.last();
    script.fail(op, "the connection ended");
    assert!(script.state.empty_text(Pane::Detail).unwrap().contains("try: try again"));
    assert_eq!(script.state.log().toasts().count(), 1);
}

#[test]
fn the_filter_finds_classes_and_far_ends_and_escape_goes_one_level_out() {
    let mut script = at_associations();
    script.keys("/").type_in("linux").keys("enter");
    let found = ["-as PartComponent", "  -LC_OSProcess 1 instance", "    LC_OS.Name=\"linux\" as GroupComponent"];
    assert_eq!(script.associations(), found);
    script.keys("esc");
    assert_eq!(script.associations().len(), 8);
    script.keys("esc");
    assert_eq!((script.state.focus(), script.state.detail().tab), (Pane::Detail, DetailTab::Properties));
    script.keys("A A esc");
    assert_eq!(script.state.focus(), Pane::Table);
}

#[test]
fn what_is_under_the_cursor_is_copied() {
    let (mut script, _) = rows("j l");
    let object = "root/cimv2:LC_Process.CSName=\"host\",Handle=\"2\"";
    let told = script.keys("Y").copied();
    assert_eq!(told, format!("lazycim associators '{object}' --assoc LC_Parent --role Child --result-role Parent"));
    assert_eq!(
        script.keys("y c").copied(),
        "Get-CimInstance -Namespace 'root/cimv2' -ClassName 'LC_Process' -Filter 'CSName=\"host\" AND Handle=\"2\"' \
         | Get-CimAssociatedInstance -Association 'LC_Parent'"
    );
    let end = "root/cimv2:LC_Process.CSName=\"host\",Handle=\"1\"";
    assert_eq!(script.keys("j y p").copied(), end);
    assert_eq!(script.keys("Y").copied(), format!("lazycim get '{end}'"));
    script.keys("enter");
    assert_eq!(script.keys("Y").copied(), told, "the page it opened is read by the same command");
}

#[test]
fn what_is_kept_is_bounded_and_the_rest_counted() {
    let mut script = Script::with(Limits { retained_rows: 700, ..Limits::default() });
    script.keys(":").type_in("LC_Process").keys("enter");
    let op = script.run_of("EnumerateInstances");
    script.processes(op, &[2]);
    script.finish_all();
    script.keys("A");
    let op = script.last();
    script.cancelled();
    let paths = (0..800).map(|n| PARENT.replace(r#"Handle=\"1\""#, &format!(r#"Handle=\"p{n}\""#)));
    let paths = paths.collect::<Vec<_>>();
    script.paths(op, &paths.iter().map(String::as_str).collect::<Vec<_>>());
    assert!(script.cancelled().contains(&op));
    script.tell(op, OpEventKind::Cancelled { left_open: None });
    assert_eq!(script.state.title(Pane::Detail), "Associations · LC_Process · 700 associations · capped");
    script.keys("j l");
    let rows = script.associations();
    assert_eq!(rows[1], "  -LC_Parent 700 instances");
    assert_eq!(rows.last().unwrap(), "    188 more opening the class lists them all");
    // Trees of other instances take its place one day; those of a closed session go at once.
    script.keys("1 X");
    assert!(!format!("{:?}", script.state).contains("p512"));
}

#[test]
fn an_object_without_a_path_has_no_associations() {
    let mut script = Script::new();
    script.keys("Q").type_in("LC_Process").keys("enter");
    script.keys("A");
    assert_eq!(script.state.focus(), Pane::Table);
    assert_eq!(script.state.greyed(CommandId::Associations), Some("no instance is selected"));
    script.act(Action::Line("associations".to_owned()));
    assert!(script.state.log().newest_problem().unwrap().text.contains("no instance is selected"));
}

#[test]
fn closing_the_namespace_ends_what_is_read_for_it() {
    let mut script = Script::in_table();
    script.keys("A");
    let op: OpId = script.last();
    script.cancelled();
    script.keys(":").type_in("ns root/interop").keys("enter");
    assert!(script.cancelled().contains(&op));
    assert_eq!(script.runs.last().unwrap().1, SessionId(1));
}

#[test]
fn names_of_a_server_are_escaped() {
    let mut script = Script::in_table();
    script.keys("A");
    let op = script.last();
    let hostile = "root/cimv2:LC_X.Far=\"root/cimv2:LC_Y.Name=\\\"\u{1b}[2J\u{202e}\\\"\",\
                   Near=\"root/cimv2:LC_Process.CSName=\\\"host\\\",Handle=\\\"1\\\"\"";
    assert_eq!(hostile.parse::<ObjectPath>().unwrap().keys.len(), 2);
    script.paths(op, &[hostile]);
    script.finish(op);
    script.keys("j l");
    let rows = script.associations();
    assert_eq!(rows.len(), 3, "{rows:?}");
    assert!(!rows.concat().chars().any(|c| c.is_control() || c == '\u{202e}'), "{rows:?}");
}
