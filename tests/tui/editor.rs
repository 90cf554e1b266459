//! The sessions editor, from the keys to the file: the form, the sessions pane, conflicts, import and export.

use std::{fs, path::PathBuf};

use crossterm::event::{Event, KeyModifiers, MouseButton, MouseEvent, MouseEventKind};

use lazycim::{
    app::{CommandId, Layer, SessionRow},
    auth::Credentials,
    server::{self, ServerOptions},
    session::store::{KEYS, SessionsFile},
};

use super::{harness::Harness, world::World};

pub const SAVED: &str = r#"version = 1

# the web servers
[[session]]
id = "web01"   # in the corner
name = "Web server 1"
computer = "web01.example"
auth = { user = "ann", secret = "prompt" }
tags = ["web", "lab"]
colour = "cyan"
notes = "reboot it weekly"

[[session]]
id = "esx7"
computer = "esx7.example"
inherits = "preset:esxi"
tags = ["lab"]
read_only = true

[[session]]
id = "plain"
computer = "192.0.2.7"
tls = { use = false }
"#;

/// A sessions.toml on disk, and lazycim looking at it.
pub struct Desk {
    pub folder: tempfile::TempDir,
    file: PathBuf,
    pub harness: Harness,
}

impl Desk {
    pub fn new(width: u16, height: u16, text: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("sessions.toml");
        fs::write(&file, text).unwrap();
        let harness = Harness::with_sessions(width, height, SessionsFile::load(&file));
        Self { folder, file, harness }
    }

    pub async fn press(&mut self, keys: &str) -> String {
        self.harness.press(keys).await;
        self.harness.screen()
    }

    pub fn text(&self) -> String {
        fs::read_to_string(&self.file).unwrap()
    }

    /// The ids of the saved sessions, as the pane lists them.
    pub fn listed(&self) -> Vec<String> {
        let all = self.harness.front.state().sessions().all().iter();
        all.skip(1).map(|session| session.entry.profile.id.as_str().to_owned()).collect()
    }
}

#[test]
fn form() {
    for (width, height) in [(80, 24), (120, 40), (40, 10)] {
        let mut world = World::saved(width, height, SAVED);
        world.press("j j e pagedown pagedown pagedown pagedown");
        insta::assert_snapshot!(format!("form_{width}"), world.screen());
    }
}

#[test]
fn form_with_mistakes() {
    let mut world = World::saved(80, 24, SAVED);
    world.press("a \"Web\" pagedown pagedown \"http://web02\" tab tab tab \"70000\" ctrl-s");
    insta::assert_snapshot!(world.screen());
}

#[test]
fn form_choices() {
    let mut world = World::saved(80, 24, SAVED);
    world.press("j e pagedown pagedown pagedown pagedown down down enter j");
    insta::assert_snapshot!("form_choices_80", world.screen());
}

#[test]
fn presets() {
    for (width, height) in [(80, 24), (120, 40)] {
        let mut world = World::saved(width, height, SAVED);
        world.press("A G enter");
        insta::assert_snapshot!(format!("presets_{width}"), world.screen());
    }
}

#[test]
fn sessions_by_tag() {
    for (width, height) in [(80, 24), (120, 40)] {
        let mut world = World::saved(width, height, SAVED);
        world.press("t");
        insta::assert_snapshot!(format!("sessions_by_tag_{width}"), world.screen());
    }
    let mut world = World::saved(80, 24, SAVED);
    insta::assert_snapshot!("sessions_zoomed", world.press("z").screen());
    world.press("t j");
    let rows = world.state.sessions().rows();
    let sessions = rows.iter().filter(|row| matches!(row, SessionRow::Session(_))).count();
    assert_eq!(sessions, 5, "the one with two tags is under both: {rows:?}");
    assert_eq!(rows.iter().filter(|row| matches!(row, SessionRow::Tag(_))).count(), 3);
}

#[test]
fn every_key_of_the_file_can_be_reached() {
    let mut world = World::saved(40, 10, SAVED);
    world.press("a");
    for _ in KEYS {
        let Some(Layer::Form(form)) = world.state.layer() else { panic!("no form") };
        let key = form.field().unwrap().key;
        let label = key.name.rsplit('.').next().unwrap().replace('_', " ");
        let label = label.chars().take(10).collect::<String>();
        let marked = world.screen().lines().any(|line| line.contains(&format!("▸ {label}")));
        assert!(marked, "{}:\n{}", key.name, world.screen());
        world.press("down");
    }
}

#[test]
fn a_password_typed_in_the_wrong_place_is_dots() {
    let mut world = World::saved(80, 24, SAVED);
    world.press("j e pagedown pagedown pagedown pagedown down down ctrl-u \"hunter2\"");
    let screen = world.screen();
    assert!(screen.contains("•••••••") && !screen.contains("hunter2"), "{screen}");
    assert!(screen.contains("says where the secret comes from"), "{screen}");
}

#[tokio::test]
async fn a_new_session_is_saved_and_listed() {
    let mut desk = Desk::new(100, 30, "");
    desk.press("a \"Web\" pagedown pagedown \"web01.example\" ctrl-s").await;
    assert_eq!(desk.listed(), ["web"]);
    let text = desk.text();
    assert!(text.contains("id = \"web\"") && text.contains("computer = \"web01.example\""), "{text}");
    assert_eq!(desk.harness.front.state().operations().len(), 0, "saving opens no connection");
    let preset = desk.press("A j enter").await;
    assert!(preset.contains("from preset:omi"), "{preset}");
    desk.press("\"Omi\" pagedown pagedown \"omi.example\" ctrl-s").await;
    assert!(desk.text().contains("inherits = \"preset:omi\""), "{}", desk.text());
    assert_eq!(desk.listed(), ["web", "omi"]);
}

#[tokio::test]
async fn an_edit_touches_its_keys_alone() {
    let mut desk = Desk::new(100, 30, SAVED);
    desk.press("j e pagedown pagedown ctrl-u \"new.example\" ctrl-s").await;
    assert_eq!(desk.text(), SAVED.replace("web01.example", "new.example"));
    let profile = &desk.harness.front.state().sessions().all()[1].entry.profile;
    assert_eq!(profile.target.computer.as_deref(), Some("new.example"));
    // Renamed, an id inherits and children follow; the pane keeps its place.
    desk.press("f2 ctrl-u \"First\" enter").await;
    desk.press("e tab ctrl-u \"first\" ctrl-s").await;
    assert_eq!(desk.listed(), ["first", "esx7", "plain"]);
    assert!(desk.text().contains("id = \"first\"   # in the corner\nname = \"First\""), "{}", desk.text());
}

#[tokio::test]
async fn what_is_typed_is_left_only_after_a_question() {
    let mut desk = Desk::new(80, 24, SAVED);
    desk.press("j e esc").await;
    assert!(desk.harness.front.state().layers().is_empty(), "nothing was typed");
    let asked = desk.press("e \"x\" esc").await;
    assert!(asked.contains("Leave the form?"), "{asked}");
    assert!(matches!(desk.harness.front.state().layer(), Some(Layer::Question(question)) if !question.yes));
    let back = desk.press("enter").await;
    assert!(back.contains("Web server 1x"), "No is the button it begins on: {back}");
    desk.press("ctrl-c y").await;
    assert!(desk.harness.front.state().layers().is_empty());
    assert_eq!(desk.text(), SAVED);
}

#[tokio::test]
async fn what_is_removed_comes_back_where_it_was() {
    let mut desk = Desk::new(80, 24, SAVED);
    let screen = desk.press("j d d").await;
    assert!(screen.contains("web01 is removed; u puts it back"), "{screen}");
    assert_eq!(desk.listed(), ["esx7", "plain"]);
    assert!(!desk.text().contains("web01"));
    desk.press("u").await;
    assert_eq!(desk.text(), SAVED);
    assert_eq!(desk.listed(), ["web01", "esx7", "plain"]);
}

#[tokio::test]
async fn copies_and_moves_follow_the_keys_however_fast() {
    let mut desk = Desk::new(80, 24, SAVED);
    desk.press("j J J").await;
    assert_eq!(desk.listed(), ["esx7", "plain", "web01"]);
    assert!(desk.text().ends_with("notes = \"reboot it weekly\"\n"), "{}", desk.text());
    desk.press("K K D").await;
    assert_eq!(desk.listed(), ["web01", "web01-2", "esx7", "plain"]);
    assert!(desk.text().contains("# the web servers\n[[session]]\nid = \"web01-2\""), "{}", desk.text());
    let greyed = desk.press("/ \"esx\" enter J").await;
    assert!(greyed.contains("only some sessions are shown"), "{greyed}");
}

/// Two programs change one session: nothing of either is lost without an answer.
#[tokio::test]
async fn two_editors_of_one_session_conflict() {
    for (width, height) in [(80, 24), (120, 40), (40, 10)] {
        let mut desk = Desk::new(width, height, SAVED);
        desk.press("j e pagedown pagedown ctrl-u \"mine.example\"").await;
        let other = SAVED.replace("\"web01.example\"", "\"theirs.example\"\nport = 5990");
        fs::write(&desk.file, &other).unwrap();
        insta::assert_snapshot!(format!("conflict_{width}"), desk.press("ctrl-s").await);
        assert_eq!(desk.text(), other, "nothing is written before the answer");
        let form = desk.press("esc").await;
        assert!(form.contains("mine.example"), "{form}");
        desk.press("ctrl-s").await;
        match width {
            80 => {
                desk.press("m").await;
                assert_eq!(desk.text(), SAVED.replace("web01.example", "mine.example"));
            }
            120 => {
                desk.press("t").await;
                assert_eq!(desk.text(), other);
                let profile = &desk.harness.front.state().sessions().all()[1].entry.profile;
                assert_eq!(profile.target.port, 5990, "the pane shows what the file says");
            }
            _ => {
                desk.press("enter").await;
                assert_eq!(desk.listed(), ["web01", "web01-2", "esx7", "plain"], "both is where it begins");
                assert!(desk.text().starts_with(other.split("\n\n[[session]]\nid = \"esx7\"").next().unwrap()));
                assert!(desk.text().contains("mine.example"));
            }
        }
        assert!(desk.harness.front.state().layers().is_empty());
    }
}

/// What we saved ourselves while the form was open is no conflict, and is shown in it.
#[tokio::test]
async fn a_form_follows_our_own_changes() {
    let mut desk = Desk::new(80, 24, SAVED);
    // The form opens before the new name is saved.
    for key in ["j", "f2", "ctrl-u", "N", "enter", "e", "pagedown", "pagedown", "x"] {
        desk.harness.send(super::harness::event_of_text(key));
    }
    let form = desk.press("pageup").await;
    assert!(form.contains("name                   N ") && form.contains("web01.examplex"), "{form}");
    desk.press("ctrl-s").await;
    assert_eq!(desk.text(), SAVED.replace("Web server 1", "N").replace("web01.example", "web01.examplex"));
}

#[tokio::test]
async fn two_editors_of_different_sessions_both_win() {
    let mut desk = Desk::new(80, 24, SAVED);
    desk.press("j e pagedown pagedown ctrl-u \"mine.example\"").await;
    let other =
        SAVED.replace("192.0.2.7", "192.0.2.8") + "\n[[session]]\nid = \"fresh\"\ncomputer = \"fresh.example\"\n";
    fs::write(&desk.file, &other).unwrap();
    desk.press("ctrl-s").await;
    assert_eq!(desk.text(), other.replace("web01.example", "mine.example"));
    assert_eq!(desk.listed(), ["web01", "esx7", "plain", "fresh"], "what others added is listed");
}

#[tokio::test]
async fn a_session_that_somebody_removed_can_be_put_back() {
    let mut desk = Desk::new(80, 24, SAVED);
    desk.press("G k e pagedown pagedown ctrl-u \"mine.example\"").await;
    let other = SAVED.split("\n[[session]]\nid = \"plain\"").next().unwrap();
    fs::write(&desk.file, other).unwrap();
    let asked = desk.press("ctrl-s").await;
    assert!(asked.contains("Somebody else removed it") && !asked.contains("keep both"), "{asked}");
    desk.press("m").await;
    assert!(desk.text().contains("mine.example"), "{}", desk.text());
    assert_eq!(desk.listed(), ["web01", "esx7", "plain"]);
}

#[tokio::test]
async fn a_save_that_fails_keeps_the_edit_with_the_reason() {
    let mut desk = Desk::new(80, 24, SAVED);
    desk.press("j e pagedown pagedown ctrl-u \"mine.example\"").await;
    // A folder where the new file would be made: no file system makes one there, whoever asks.
    let blocked = desk.folder.path().join(".sessions.toml.new");
    fs::create_dir(&blocked).unwrap();
    let screen = desk.press("ctrl-s").await;
    assert!(screen.contains("not saved") && screen.contains("mine.example") && screen.contains("try: "), "{screen}");
    assert_eq!(desk.text(), SAVED);
    fs::remove_dir(&blocked).unwrap();
    desk.press("ctrl-s").await;
    assert_eq!(desk.text(), SAVED.replace("web01.example", "mine.example"));
}

#[tokio::test]
async fn a_file_with_a_mistake_is_never_written() {
    let broken = SAVED.replace("colour", "color");
    let mut desk = Desk::new(80, 24, &broken);
    for keys in ["a", "A", "j e", "d d", "f2", "D", "J"] {
        let screen = desk.press(keys).await;
        assert!(screen.contains("has a mistake"), "{keys}: {screen}");
        assert!(desk.harness.front.state().layers().is_empty(), "{keys}");
    }
    assert_eq!(desk.text(), broken);
}

#[tokio::test]
async fn quitting_waits_for_what_is_being_saved() {
    let Desk { file, harness, folder: _folder } = Desk::new(80, 24, SAVED);
    for key in ["j", "d", "d", "ctrl-q"] {
        harness.send(super::harness::event_of_text(key));
    }
    harness.front.run().await.unwrap();
    assert!(!fs::read_to_string(&file).unwrap().contains("web01"));
}

/// A session on the embedded server, which wants a password.
fn lab(port: u16) -> String {
    format!(
        "[[session]]\nid = \"lab\"\ncomputer = \"127.0.0.1\"\nport = {port}\ntls = {{ use = false }}\n\
         auth = {{ user = \"ann\", secret = \"prompt\" }}\n"
    )
}

/// Types a password into the prompt that is to come; the screen when what waited for it has ended.
async fn give(desk: &mut Desk, password: &str) -> String {
    desk.harness.run_until(|state| state.wants_secret().is_some()).await;
    desk.harness.send_keys(&format!("\"{password}\""));
    desk.harness.run_until(|state| state.wants_secret().is_some_and(|prompt| prompt.length == password.len())).await;
    desk.press("enter").await
}

#[tokio::test]
async fn what_is_typed_is_tried_without_saving_it() {
    let credentials = Credentials { user: "ann".to_owned(), secret: "hunter2".into() };
    let server = server::start(ServerOptions::loopback(credentials)).await.unwrap();
    let text = lab(1);
    let mut desk = Desk::new(100, 30, &text);
    desk.harness.send_keys("j e ctrl-t");
    let refused = give(&mut desk, "wrong").await;
    assert!(refused.contains("127.0.0.1:1") && refused.contains("try: "), "{refused}");
    // The result was of what was typed then.
    let edited = desk.press("pagedown pagedown tab tab tab ctrl-u").await;
    assert!(!edited.contains("try: "), "{edited}");
    let port = server.addr().port();
    desk.harness.send_keys(&format!("\"{port}\" ctrl-t"));
    let answered = give(&mut desk, "hunter2").await;
    assert!(answered.contains("the server answered in"), "{answered}");
    assert!(answered.contains(&format!("{port}")) && !answered.contains("hunter2"), "{answered}");
    assert_eq!(desk.text(), text, "nothing is saved");
    let state = desk.harness.front.state();
    let ran = state.operations().shown().map(|row| row.name.as_str()).collect::<Vec<_>>();
    assert_eq!(ran, ["TestConnection", "TestConnection"], "each has its row");
    assert!(state.session_list().iter().all(|row| row.live.is_none()) && state.operations().open_connections() == 0);
    assert!(!format!("{state:?}").contains("hunter2"));
}

/// A prompt may go away under the fingers: the rest of the password is not for a field.
#[tokio::test]
async fn what_was_typed_into_a_prompt_that_went_away_stays_out_of_the_form() {
    let credentials = Credentials { user: "ann".to_owned(), secret: "hunter2".into() };
    let server = server::start(ServerOptions::loopback(credentials)).await.unwrap();
    let mut desk = Desk::new(100, 30, &lab(server.addr().port()));
    desk.harness.send_keys("j e ctrl-t");
    desk.harness.run_until(|state| state.wants_secret().is_some()).await;
    desk.harness.send_keys("\"hun\" esc");
    desk.harness.run_until(|state| state.wants_secret().is_none()).await;
    let screen = desk.press("\"ter2\"").await;
    let Some(Layer::Form(form)) = desk.harness.front.state().layer() else { panic!("no form: {screen}") };
    assert!(form.fields().iter().all(|field| !field.input.text().contains("ter2")), "{screen}");
    let typed = desk.press("tab shift-tab \"New\"").await;
    assert!(typed.contains("New"), "another key gives the fields back: {typed}");
}

const IMPORTED: &str = "[[session]]\nid = \"web01\"\ncomputer = \"web01.example\"\n\
    auth = { user = \"ann\", secret = { command = [\"pass\", \"show\", \"web 01\"], confirmed = false } }\n";

#[tokio::test]
async fn a_command_that_came_with_an_import_is_shown_and_runs_only_after_a_yes() {
    let mut desk = Desk::new(80, 24, IMPORTED);
    for keys in ["j enter", "C"] {
        let asked = desk.press(keys).await;
        assert!(asked.contains("May web01 run this command?"), "{asked}");
        assert!(asked.contains("\"pass\" \"show\" \"web 01\""), "{asked}");
        assert!(matches!(desk.harness.front.state().layer(), Some(Layer::Question(question)) if !question.yes));
        desk.press("enter").await;
        assert_eq!(desk.text(), IMPORTED, "No is the button it begins on");
    }
    assert_eq!(desk.harness.front.state().operations().len(), 0);
    let told = desk.press("C y").await;
    assert!(told.contains("the command of web01 may run"), "{told}");
    assert!(!desk.text().contains("confirmed = false"), "{}", desk.text());
    assert!(desk.harness.front.state().greyed(CommandId::ConfirmCommand).is_some());
}

/// The cell where `text` stands on the screen.
fn cell_of(harness: &Harness, text: &str) -> (u16, u16) {
    let screen = harness.screen();
    let at = screen.lines().enumerate().find_map(|(y, line)| Some((line.find(text)?, y, line)));
    let (byte, y, line) = at.unwrap_or_else(|| panic!("no {text}: {screen}"));
    (line[..byte].chars().count() as u16, y as u16)
}

async fn mouse(harness: &mut Harness, text: &str, kind: MouseEventKind) {
    let (column, row) = cell_of(harness, text);
    harness.send(Event::Mouse(MouseEvent { kind, column, row, modifiers: KeyModifiers::NONE }));
    harness.run_until_idle().await;
}

const CLICK: MouseEventKind = MouseEventKind::Down(MouseButton::Left);

#[tokio::test]
async fn fields_choices_and_answers_can_be_clicked() {
    let mut harness = Harness::new(100, 40);
    harness.press("a").await;
    let field = |harness: &Harness| match harness.front.state().layer() {
        Some(Layer::Form(form)) => form.field().map(|field| field.key.name),
        _ => None,
    };
    mouse(&mut harness, "   computer  ", CLICK).await;
    assert_eq!(field(&harness), Some("computer"));
    mouse(&mut harness, "protocol", CLICK).await;
    assert_eq!(field(&harness), Some("protocol"));
    mouse(&mut harness, "protocol", CLICK).await;
    mouse(&mut harness, "wsman  ", CLICK).await;
    mouse(&mut harness, "wsman  ", CLICK).await;
    assert!(harness.screen().contains("protocol               wsman"), "{}", harness.screen());

    // The wheel moves through the fields and ends where they do.
    for _ in 0..50 {
        mouse(&mut harness, "protocol", MouseEventKind::ScrollUp).await;
    }
    assert_eq!(field(&harness), Some("name"));
    mouse(&mut harness, "protocol", MouseEventKind::ScrollDown).await;
    assert_eq!(field(&harness), Some("computer"));

    // Saving goes to the next mistake, from the last to the first; so does a click on their number.
    harness.press("ctrl-s").await;
    let first = field(&harness);
    assert!(harness.screen().contains("mistakes"), "{}", harness.screen());
    mouse(&mut harness, "mistakes", CLICK).await;
    assert_ne!(field(&harness), first);
    while field(&harness) != first {
        harness.press("ctrl-s").await;
    }

    harness.press("esc").await;
    mouse(&mut harness, "  No  ", CLICK).await;
    assert_eq!(field(&harness), first, "the form stays");
    harness.press("esc").await;
    mouse(&mut harness, "Yes, leave", CLICK).await;
    assert!(harness.front.state().layer().is_none(), "{}", harness.screen());
}
