//! Key scripts about what a session's preset knows: dangerous classes, bookmarks, namespaces to begin with.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use super::{
    script::{Script, entry},
    *,
};
use crate::{
    op::SessionId,
    session::preset::{self, Preset},
};

/// This computer, web01, and sessions on presets with the tag `lab`.
fn on_presets(presets: &[&str]) -> Script {
    let mut script = Script::new();
    for (id, name) in (3..).zip(presets) {
        let host = format!("host{id}");
        let mut entry = entry(id, &host, Some(&host));
        entry.profile.target.preset = Some(preset::find(name).unwrap());
        entry.profile.tags = vec!["lab".to_owned()];
        script.add(entry);
    }
    script
}

fn line(script: &mut Script, text: &str) {
    script.keys(":").type_in(text).keys("enter");
}

fn asked(script: &Script) -> Option<(&str, &[String], bool)> {
    match script.state.layer() {
        Some(Layer::ConfirmDanger(confirm)) => Some((&confirm.what, &confirm.sessions, confirm.yes)),
        _ => None,
    }
}

fn reads(script: &Script) -> usize {
    let read = |run: &&(_, _, crate::op::Operation)| matches!(run.2.name(), "EnumerateInstances" | "ExecQuery");
    script.runs.iter().filter(read).count()
}

#[test]
fn a_dangerous_class_is_read_only_after_a_yes_and_no_is_the_default() {
    for no in ["enter", "n", "esc", "q", "tab tab enter"] {
        let mut script = on_presets(&["winrm-http"]);
        line(&mut script, "win32_product @host3");
        let (class, sessions, yes) = asked(&script).expect("a question");
        assert_eq!((class, sessions, yes), ("Win32_Product", &["host3".to_owned()][..], false));
        script.keys(no);
        assert_eq!((asked(&script), reads(&script), script.state.table().is_some()), (None, 0, false), "{no}");
    }
    let mut script = on_presets(&["winrm-http"]);
    for yes in ["y", "tab enter", "l enter"] {
        let before = reads(&script);
        line(&mut script, "Win32_Product @host3");
        script.keys(yes);
        assert_eq!((asked(&script), reads(&script)), (None, before + 1), "{yes}");
    }
    line(&mut script, "Win32_Process @host3");
    assert_eq!(asked(&script), None, "the answer held for one reading of one class");
    line(&mut script, "Win32_Product @web01");
    assert_eq!(asked(&script), None, "only the preset of the session counts");
}

#[test]
fn a_refresh_and_going_back_to_what_was_not_kept_ask_again() {
    let mut script = on_presets(&["winrm-http"]);
    line(&mut script, "Win32_Product @host3");
    script.keys("y");
    let read = script.last();
    script.keys("3 r");
    assert!(asked(&script).is_some());
    script.keys("n");
    assert_eq!(reads(&script), 1);
    script.keys("r y");
    assert_eq!(reads(&script), 2);
    script.finish(read);
    // The page is left unfinished and so not kept.
    line(&mut script, "Win32_Process @host3");
    let crumbs = script.crumbs();
    script.keys("[");
    assert!(asked(&script).is_some());
    script.keys("n");
    assert_eq!(script.crumbs(), crumbs, "still where it was");
    script.keys("[ y");
    assert_eq!(script.state.table().unwrap().source.title(), "Win32_Product");
    // Read to its end, it is kept and asks for nothing.
    script.finish_all();
    let before = reads(&script);
    script.keys("] [");
    assert_eq!((asked(&script), reads(&script)), (None, before + 1), "only the other page was read again");
}

#[test]
fn a_query_and_a_tag_ask_too_and_the_tag_names_its_sessions() {
    let mut script = on_presets(&["winrm-http", "pegasus", "hyperv"]);
    script.keys("1 g g j j");
    line(&mut script, "query SELECT Name FROM Win32_Product");
    assert_eq!(asked(&script).expect("a question").0, "Win32_Product");
    script.keys("n");
    line(&mut script, "tag lab CIM_DataFile");
    let (class, sessions, _) = asked(&script).expect("one question");
    assert_eq!((class, sessions), ("CIM_DataFile", &["host3".to_owned(), "host5".to_owned()][..]));
    script.keys("n");
    assert_eq!(reads(&script), 0);
    line(&mut script, "tag lab CIM_DataFile");
    script.keys("y");
    assert_eq!((asked(&script), reads(&script)), (None, 3), "asked once for all");
    script.keys("r");
    assert_eq!(asked(&script).expect("again for a refresh").1.len(), 2);
}

#[test]
fn a_dangerous_namespace_is_entered_only_after_a_yes_whichever_way() {
    let mut script = on_presets(&["winrm-http"]);
    script.keys("1 g g j j");
    let ran = script.runs.len();
    line(&mut script, "ns root/directory/LDAP");
    assert_eq!(asked(&script).expect("a question").0, "root/directory/LDAP");
    script.keys("n");
    assert_eq!((script.runs.len(), script.state.classes().is_some()), (ran, false));
    line(&mut script, "root/directory/ldap:ds_user @host3");
    assert_eq!(asked(&script).expect("for a class in it too").0, "root/directory/LDAP");
    script.keys("n");
    line(&mut script, "ns root/directory/LDAP");
    script.keys("y");
    assert_eq!(script.state.classes().unwrap().namespace.as_str(), "root/directory/LDAP");
    let there = script.runs.len();
    line(&mut script, "ns root/directory/LDAP");
    assert_eq!((asked(&script), script.runs.len()), (None, there), "it is shown already");
    line(&mut script, "ns root/cimv2");
    assert_eq!(asked(&script), None);
    script.keys("[");
    assert!(asked(&script).is_some(), "the way back asks again");
    script.keys("y");
    assert_eq!(script.state.classes().unwrap().namespace.as_str(), "root/directory/LDAP");
    assert_eq!(asked(&script), None, "one answer does");
}

#[test]
fn bookmarks_stand_above_the_classes_and_are_completed_first() {
    let mut script = on_presets(&["idrac"]);
    script.keys("1 g g j j enter");
    let Preset { bookmarks, .. } = preset::find("idrac").unwrap();
    let rows = script.state.sessions().rows().iter();
    let shown = rows.filter_map(|row| match row {
        SessionRow::Namespace(_, name) => Some(name.as_str().to_owned()),
        _ => None,
    });
    assert_eq!(shown.collect::<Vec<_>>(), ["root/dcim"], "before the server has said anything");
    let op = script.last();
    script.namespaces(op, &["root/aaa", "root/dcim", "root/interop"]);
    script.finish(op);
    let listed = &script.state.sessions().get(SessionId(3)).unwrap().namespaces;
    assert_eq!(listed.iter().map(|name| name.as_str()).collect::<Vec<_>>(), ["root/dcim", "root/aaa", "root/interop"]);

    script.keys("j enter");
    let tree = script.tree();
    assert_eq!((tree[0].as_str(), tree.len()), ("bookmarks", bookmarks.len() + 1));
    assert_eq!(script.state.classes().unwrap().selected().unwrap().name, bookmarks[0]);
    let op = script.last();
    script.fail(op, "this server lists no classes");
    script.keys("k");
    assert!(script.state.classes().unwrap().selected().is_none(), "the heading is no class");
    let ran = script.runs.len();
    script.keys("enter l m space");
    assert_eq!(script.runs.len(), ran);
    script.keys("j j enter");
    assert!(script.ran().contains(&format!("EnumerateInstances {}", bookmarks[1])));

    script.keys(":");
    script.type_in("DCIM_S");
    let Some(Layer::CommandLine(prompt)) = script.state.layer() else { panic!() };
    assert_eq!(prompt.completions, ["DCIM_SystemView", "DCIM_SoftwareIdentity"]);
    script.keys("ctrl-u").type_in("tag lab DCIM_L");
    let Some(Layer::CommandLine(prompt)) = script.state.layer() else { panic!() };
    assert_eq!(prompt.completions, ["DCIM_LifecycleJob", "DCIM_LCLogEntry"]);
    script.keys("esc");
    line(&mut script, "ns root/interop");
    assert_eq!(script.tree(), [""; 0], "the preset begins elsewhere");
}
