//! Key scripts about tags: one question, several sessions, one table.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use super::{
    script::{Script, entry},
    *,
};
use crate::op::{OpId, SessionId, THROTTLE};

/// This computer and `count` sessions `web3`, `web4` and so on with the tag `web`.
fn tagged(count: u32) -> Script {
    let mut script = Script::new();
    for id in 3..3 + count {
        let name = format!("web{id}");
        let mut entry = entry(id, &name, Some(&name));
        entry.profile.tags = vec!["web".to_owned(), "all my hosts".to_owned()];
        script.add(entry);
    }
    script
}

fn line(script: &mut Script, text: &str) {
    script.keys(":").type_in(text).keys("enter");
}

/// The newest enumeration on a session.
fn on(script: &Script, session: u32) -> OpId {
    let of = |run: &&(OpId, SessionId, crate::op::Operation)| {
        run.1 == SessionId(session) && run.2.name() == "EnumerateInstances"
    };
    script.runs.iter().rev().find(of).expect("it was asked").0
}

fn column(script: &Script, title: &str) -> Vec<String> {
    let table = script.state.table().unwrap();
    let at = table.columns().iter().position(|column| column.title == title).unwrap();
    (0..table.shown()).map(|row| table.cell(row, at).unwrap_or_default()).collect()
}

/// Three sessions of a tag; web5 has not answered yet.
fn answered() -> Script {
    let mut script = tagged(3);
    line(&mut script, "tag web LC_Process");
    for session in [4, 3] {
        let op = on(&script, session);
        script.processes(op, &[1, 2]);
        script.finish(op);
    }
    script
}

#[test]
fn every_session_of_the_tag_is_asked_and_the_rows_say_whose_they_are() {
    let mut script = answered();
    let asked = script.runs.iter().filter(|run| run.2.name() == "EnumerateInstances");
    assert_eq!(asked.map(|run| run.1.0).collect::<Vec<_>>(), [3, 4, 5]);
    assert_eq!(script.state.table().unwrap().columns()[0].title, "session");
    assert_eq!(column(&script, "session"), ["web4", "web4", "web3", "web3"]);
    assert_eq!(script.names(), ["process 1", "process 2", "process 1", "process 2"]);
    assert!(script.state.title(Pane::Table).contains("LC_Process · 4 rows · 2 of 3 sessions · receiving"));
    assert_eq!(script.crumbs(), ["tag web", "LC_Process", "Handle=\"1\""]);
    let rows = script.state.operations().shown().filter(|row| row.name == "EnumerateInstances");
    let names = rows.map(|row| row.on.as_deref().unwrap_or_default()).collect::<Vec<_>>();
    assert_eq!(names, ["web5", "web4", "web3"]);

    script.keys("s");
    assert_eq!(column(&script, "session"), ["web3", "web3", "web4", "web4"]);
    script.keys("/").type_in("web4").keys("enter");
    assert_eq!(column(&script, "session"), ["web4", "web4"]);
    assert_eq!(script.state.classes().map(|classes| classes.session), None, "no session's classes are listed");
    script.keys("1 g g enter");
    let op = script.last();
    script.namespaces(op, &["root/cimv2"]);
    script.finish(op);
    assert_eq!(script.crumbs()[0], "this-computer", "the crumbs follow the pane");
    script.keys("3");
    assert_eq!(script.crumbs()[..2], ["tag web", "LC_Process"]);
}

#[test]
fn a_row_opens_on_its_own_session_and_the_way_back_reads_nothing() {
    let mut script = answered();
    let last = on(&script, 5);
    script.finish(last);
    script.keys("j j j enter");
    let (_, session, operation) = script.runs.last().unwrap();
    assert_eq!((*session, operation.name()), (SessionId(3), "GetInstance"));
    assert_eq!(script.state.detail().place.as_ref().unwrap().0, SessionId(3));
    assert!(script.state.table().unwrap().is_merged(), "the table stays beside it");
    let ran = script.runs.len();
    script.keys("esc k");
    assert_eq!(script.state.detail().place.as_ref().unwrap().0, SessionId(3));
    script.keys("k");
    assert_eq!(script.state.detail().place.as_ref().unwrap().0, SessionId(4));
    script.keys("] [ ]");
    assert_eq!(script.selected(), "2");
    assert_eq!(script.runs.len(), ran);

    script.keys("3 y c");
    assert_eq!(
        script.copied(),
        "Get-CimInstance -Namespace 'root/cimv2' -ClassName 'LC_Process' -ComputerName 'web3','web4','web5'"
    );
    script.keys("Y");
    assert_eq!(script.copied(), "lazycim instances LC_Process --tag web");
    line(&mut script, "tag \"all my hosts\" query SELECT Name FROM LC_Process");
    script.keys("Y");
    assert_eq!(script.copied(), "lazycim query 'SELECT Name FROM LC_Process' --tag 'all my hosts'");
    script.keys("[");
    assert_eq!(script.state.table().unwrap().source.title(), "LC_Process", "kept, and shown again");
    assert_eq!(column(&script, "session").len(), 4);
}

#[test]
fn the_same_path_on_two_sessions_is_two_rows_also_after_a_refresh() {
    let mut script = answered();
    let last = on(&script, 5);
    script.finish(last);
    script.keys("j j j r");
    assert_eq!(column(&script, "session").len(), 4, "the old rows stay until new ones come");
    for session in [3, 4, 5] {
        let op = on(&script, session);
        script.processes(op, &[2]);
        script.finish(op);
    }
    assert_eq!(column(&script, "session"), ["web3", "web4", "web5"]);
    let table = script.state.table().unwrap();
    assert_eq!((table.cursor().at, table.selected_place().0), (0, SessionId(3)));
}

#[test]
fn a_session_that_fails_is_told_below_the_rows_of_the_others_and_stays() {
    let mut script = answered();
    let failing = on(&script, 5);
    script.processes(failing, &[7]);
    script.fail(failing, "reset by peer");
    let table = script.state.table().unwrap();
    assert_eq!(column(&script, "session").len(), 5, "what it sent by then stays");
    assert!(matches!(table.load, Load::Done) && !table.stale);
    let troubles = table.troubles().map(|(member, error)| (&*member.name, error.cause())).collect::<Vec<_>>();
    assert_eq!(troubles, [("web5", "reset by peer".to_owned())]);
    assert_eq!(script.state.log().toasts().count(), 0, "the table tells it");
    assert!(script.state.log().newest_problem().unwrap().text.contains("reset by peer"));
    script.keys("j k s");
    assert_eq!(script.state.table().unwrap().troubles().count(), 1);

    script.keys("r");
    for session in [3, 4, 5] {
        let op = on(&script, session);
        script.fail(op, "gone");
    }
    let table = script.state.table().unwrap();
    assert!(matches!(table.load, Load::Failed(_)) && table.stale, "rows of before, and it says so");
    assert_eq!((column(&script, "session").len(), table.troubles().count()), (5, 3));
}

#[test]
fn at_most_so_many_at_once_and_a_cancel_ends_all_of_them() {
    let mut script = tagged(20);
    line(&mut script, "tag web LC_Process");
    let running = |script: &Script| script.state.table().unwrap().operations().len();
    assert_eq!((running(&script), script.runs.len()), (THROTTLE, THROTTLE));
    let first = on(&script, 3);
    script.finish(first);
    assert_eq!((running(&script), script.runs.len()), (THROTTLE, THROTTLE + 1));
    let op = on(&script, 4);
    script.processes(op, &[1]);
    script.cancelled();
    script.keys("x");
    let cancelled = script.cancelled();
    // The class is read as well, for headings; it is no part of the table.
    assert_eq!(cancelled.len(), THROTTLE);
    let ran = script.runs.len();
    for op in cancelled {
        script.tell(op, crate::op::OpEventKind::Cancelled { left_open: None });
    }
    assert_eq!(script.runs.len(), ran, "nobody else's turn comes");
    let table = script.state.table().unwrap();
    assert!(matches!(table.load, Load::Cancelled(None)) && table.total() == 1);
    script.keys("r");
    assert_eq!(running(&script), THROTTLE, "and all can be asked again");
}

#[test]
fn closing_a_session_leaves_what_the_others_answered() {
    let mut script = answered();
    let op = on(&script, 5);
    script.keys("1 G k X");
    assert!(script.effects.iter().any(|effect| matches!(effect, Effect::Close(SessionId(5)))));
    script.tell(op, crate::op::OpEventKind::Cancelled { left_open: None });
    assert_eq!(script.state.table().unwrap().total(), 4);
    assert!(matches!(script.state.table().unwrap().load, Load::Cancelled(_)));
}

#[test]
fn the_line_completes_tags_classes_and_says_what_is_missing() {
    let mut script = tagged(2);
    let completions = |script: &Script| match script.state.layer() {
        Some(Layer::CommandLine(line)) => (line.completions.clone(), line.error.clone().unwrap_or_default()),
        other => panic!("{other:?}"),
    };
    script.keys(":").type_in("tag ");
    assert_eq!(completions(&script).0, ["\"all my hosts\"", "web"]);
    script.type_in("web ");
    script.type_in("qu");
    assert_eq!(completions(&script).0, ["query"]);
    script.keys("ctrl-u").type_in("tag web").keys("enter");
    assert_eq!(completions(&script).1, "2 sessions have the tag web; go on with CLASS /FILTER or query TEXT");
    script.keys("ctrl-u").type_in("tag wbe C").keys("enter");
    assert!(completions(&script).1.contains("no session has the tag `wbe`; did you mean web?"));
    script.keys("esc 1 G k T");
    assert!(matches!(script.state.layer(), Some(Layer::CommandLine(line)) if line.input.text() == "tag web "));
    script.keys("esc g g");
    assert!(script.state.greyed(CommandId::Tag).is_some(), "this computer has no tag");
    assert_eq!(script.runs.len(), 0);
}
