//! Key scripts about lines that text is typed in: the filter's and the one of commands.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use super::{script::Script, *};
use crate::op::SessionId;

#[test]
fn escape_clears_the_filter_before_it_goes_out() {
    let mut script = Script::in_table();
    script.keys("/").type_in("process 1").keys("enter");
    assert_eq!(script.names(), ["process 1", "process 100"]);
    assert_eq!(script.state.title(Pane::Table), "LC_Process · 2 of 5");
    script.keys("n n");
    assert_eq!(script.selected(), "1");
    script.keys("esc");
    assert_eq!((script.names().len(), script.state.focus()), (5, Pane::Table));
    script.keys("esc");
    assert_eq!(script.state.focus(), Pane::Classes);
    script.keys("esc");
    assert_eq!(script.state.focus(), Pane::Sessions);
}

#[test]
fn escape_in_the_filter_line_returns_to_the_filter_before() {
    let mut script = Script::in_table();
    script.keys("/").type_in("process 20").keys("enter /").type_in("zzz");
    assert_eq!(script.names().len(), 0);
    assert!(script.state.empty_text(Pane::Table).unwrap().starts_with("nothing matches process 20zzz"));
    script.keys("esc");
    assert_eq!(script.names(), ["process 20"]);
}

#[test]
fn the_command_line_opens_classes_namespaces_paths_and_commands() {
    let mut script = Script::in_classes();
    script.keys(":").type_in("LC_Process /20 @web").keys("enter");
    assert_eq!(script.runs.last().unwrap().1, SessionId(2));
    let op = script.run_of("EnumerateInstances");
    script.processes(op, &[1, 20]);
    assert_eq!(script.names(), ["process 20"]);
    script.keys(":").type_in("ns root/interop").keys("enter");
    assert_eq!(script.state.classes().unwrap().namespace, "root/interop");
    script.keys(":").type_in("root/cimv2:LC_Process.Handle=\"7\"").keys("enter");
    assert_eq!(script.ran().last().unwrap().split_whitespace().next(), Some("GetInstance"));
    assert_eq!(script.state.focus(), Pane::Detail);
    script.keys(":").type_in("log").keys("enter");
    assert!(matches!(script.state.layer(), Some(Layer::Log(_))), "{:?}", script.state.layers());
    script.keys("q :").type_in("quit").keys("enter");
    assert!(script.state.is_quitting());
}

#[test]
fn a_path_on_another_host_is_refused() {
    let mut script = Script::new();
    script.keys(":").type_in("//evil.example/root/cimv2:LC_Process.Handle=\"7\"").keys("enter");
    let Some(Layer::CommandLine(line)) = script.state.layer() else { panic!() };
    assert!(line.error.as_ref().unwrap().contains("never connected to"));
    assert!(script.runs.is_empty());
}

#[test]
fn unknown_names_offer_the_nearest_and_the_line_has_history_and_completion() {
    let mut script = Script::in_classes();
    script.keys("/");
    let op = script.last();
    script.classes(op, &["LC_Process", "LC_Thread"]);
    script.finish(op);
    script.keys("esc :").type_in("LC_Proces").keys("enter");
    let Some(Layer::CommandLine(line)) = script.state.layer() else { panic!() };
    assert!(line.error.as_ref().unwrap().ends_with("did you mean LC_Process?"), "{:?}", line.error);
    script.keys("ctrl-u").type_in("lc_t").keys("tab enter");
    assert_eq!(script.state.table().unwrap().class().unwrap(), "LC_Thread");
    script.keys(": up");
    let Some(Layer::CommandLine(line)) = script.state.layer() else { panic!() };
    assert_eq!(line.input.text(), "LC_Thread");
}

#[test]
fn history_goes_back_and_forward() {
    let mut script = Script::in_table();
    script.keys("G :").type_in("LC_Thread").keys("enter");
    script.keys("[");
    let op = script.run_of("EnumerateInstances");
    assert_eq!(script.state.table().unwrap().class().unwrap(), "LC_Process");
    script.processes(op, &[1, 2, 3, 20, 100]);
    assert_eq!(script.selected(), "100");
    script.keys("]");
    assert_eq!(script.state.table().unwrap().class().unwrap(), "LC_Thread");
    script.keys("[ [ [ [");
    assert_eq!(script.state.focus(), Pane::Classes);
}
