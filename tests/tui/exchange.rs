//! Sessions from another tool's file and into one, from the `:` line.

use std::{fs, os::unix::fs::PermissionsExt};

use lazycim::app::Layer;

use super::editor::{Desk, SAVED};

/// The lines of the page on top.
fn page(desk: &Desk) -> String {
    match desk.harness.front.state().layer() {
        Some(Layer::Text(view)) => format!("{}\n{}", view.title, view.raw),
        other => panic!("{other:?}\n{}", desk.harness.screen()),
    }
}

#[tokio::test]
async fn an_import_lists_what_came_and_what_could_not() {
    let mut desk = Desk::new(80, 24, SAVED);
    let hosts = desk.folder.path().join("my hosts.csv");
    fs::write(&hosts, "web01,ann\nnew.example\nnot a host!,x\n").unwrap();
    desk.press(
        &format!(": \"import\" space \"{}\" space \"hosts\" enter", hosts.display())
            .replace("my hosts", "my\" space \"hosts"),
    )
    .await;
    let told = page(&desk);
    assert!(told.contains("2 of 2 sessions added") && told.contains("the id `web01` is taken"), "{told}");
    assert!(told.contains("not imported: ") && told.contains("line 3"), "{told}");
    assert_eq!(desk.listed(), ["web01", "esx7", "plain", "web01-2", "new.example"]);
    assert!(desk.text().starts_with(SAVED), "{}", desk.text());
    desk.press("esc").await;
    assert!(desk.harness.front.state().layers().is_empty());
    assert_eq!(desk.harness.front.state().operations().len(), 0, "an import opens no connection");
}

#[tokio::test]
async fn an_import_that_fails_says_where_and_changes_nothing() {
    let mut desk = Desk::new(100, 30, SAVED);
    let screen = desk.press(": \"import\" space \"/nowhere/at/all\" enter").await;
    assert!(screen.contains("/nowhere/at/all cannot be read") && screen.contains("try: "), "{screen}");
    let screen = desk.press(": \"import\" space \"hosts\" enter").await;
    assert!(screen.contains("import wants a file"), "{screen}");
    assert_eq!(desk.text(), SAVED);
}

#[tokio::test]
async fn an_export_lists_what_is_lost_and_never_replaces_a_file_unasked() {
    let mut desk = Desk::new(100, 30, SAVED);
    let out = desk.folder.path().join("out.yaml");
    let line = format!(": \"export\" space \"pywbemcli\" space \"{}\"", out.display());
    desk.press(&format!("{line} enter")).await;
    let told = page(&desk);
    assert!(told.contains("from 3 sessions") && told.contains("not exported: ") && told.contains("colour"), "{told}");
    let first = fs::read_to_string(&out).unwrap();
    assert!(first.contains("web01.example") && first.contains("esx7.example"), "{first}");
    assert_eq!(fs::metadata(&out).unwrap().permissions().mode() & 0o777, 0o600, "for the user alone");
    let asked = desk.press(&format!("esc {line} space \"@web01\" enter")).await;
    assert!(asked.contains("Replace the file?"), "{asked}");
    desk.press("enter").await;
    assert_eq!(fs::read_to_string(&out).unwrap(), first, "No is the button it begins on");
    desk.press(&format!("{line} space \"@web01\" enter")).await;
    desk.press("y").await;
    let second = fs::read_to_string(&out).unwrap();
    assert!(second.contains("web01.example") && !second.contains("esx7.example"), "{second}");
    assert_eq!(desk.text(), SAVED, "an export changes no session");

    let out = desk.folder.path().join("tagged.yaml");
    let line = format!(": \"export\" space \"pywbemcli\" space \"{}\" space", out.display());
    let refused = desk.press(&format!("esc {line} \"#wbe\" enter")).await;
    assert!(refused.contains("no session has the tag `wbe`") && !out.exists(), "{refused}");
    desk.press(&format!("esc {line} \"@esx7\" space \"#we\" tab enter")).await;
    let third = fs::read_to_string(&out).unwrap();
    assert!(["web01.example", "esx7.example"].iter().all(|host| third.contains(host)), "{third}");
    assert!(page(&desk).contains("from 2 sessions"), "{}", page(&desk));
}

#[tokio::test]
async fn commands_begin_the_line_and_formats_are_completed() {
    let mut desk = Desk::new(80, 24, SAVED);
    desk.press("ctrl-p \"export\" enter \"pow\" tab").await;
    let Some(Layer::CommandLine(line)) = desk.harness.front.state().layer() else { panic!() };
    assert_eq!(line.input.text(), "export powershell");
}
