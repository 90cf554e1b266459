//! A password that is typed once and kept in the keyring: only after the server has accepted it, and where there is a keyring.

use crossterm::event::Event;
use lazycim::{
    app::{Action, SessionRow},
    auth::Credentials,
    op::{OpEventKind, SessionId},
    server::{self, RunningServer, ServerOptions},
    session::{SecretSource, store::SessionsFile},
};

use super::{
    harness::{Harness, Memory, event_of_text},
    world::World,
};

/// A server that takes `sesame`, and a saved session on it.
async fn lab(directory: &std::path::Path) -> (RunningServer, SessionsFile, String) {
    let credentials = Credentials { user: "ann".to_owned(), secret: "sesame".into() };
    let server = server::start(ServerOptions::loopback(credentials)).await.unwrap();
    let port = server.addr().port();
    let text = format!(
        "[[session]]\nid = \"lab\"\ncomputer = \"127.0.0.1\"\nport = {port}\ntls = {{ use = false }}\n\
         auth = {{ user = \"ann\", secret = \"prompt\" }}\n"
    );
    let path = directory.join("sessions.toml");
    std::fs::write(&path, text).unwrap();
    (server, SessionsFile::load(&path), format!("ann@127.0.0.1:{port}"))
}

/// Types a password at the next prompt, turning over before whether it is kept.
async fn give(harness: &mut Harness, password: &str, keys: &str) {
    let waits = |state: &lazycim::app::State| {
        let prompt = state.wants_secret().filter(|prompt| prompt.length == 0);
        // The prompt is there before the keyring has answered.
        prompt.is_some_and(|prompt| state.unkeepable(prompt.session) != Some("the keyring has not answered yet"))
    };
    harness.run_until(waits).await;
    harness.send_keys(keys);
    harness.send(Event::Paste(password.to_owned()));
    harness.run_until(|state| state.wants_secret().is_some_and(|prompt| prompt.length > 0)).await;
    harness.send(event_of_text("enter"));
    harness.run_until(|state| state.wants_secret().is_none_or(|prompt| prompt.length == 0)).await;
}

#[tokio::test]
async fn a_password_is_kept_once_the_server_has_accepted_it() {
    let directory = tempfile::tempdir().unwrap();
    let (_server, sessions, account) = lab(directory.path()).await;
    let file = sessions.path.clone();
    let keyring = Memory::answering();
    let mut harness = Harness::with_keyring(100, 30, sessions, keyring.clone());
    harness.run_until_idle().await;
    harness.send_keys("j enter");
    give(&mut harness, "wrong", "ctrl-k").await;
    harness.run_until(|state| state.wants_secret().is_some_and(|prompt| prompt.again && prompt.keep)).await;
    assert_eq!(keyring.0.lock().unwrap().as_ref().unwrap().len(), 0, "a refused password is not kept");
    give(&mut harness, "sesame", "").await;
    harness.run_until_idle().await;
    assert_eq!(keyring.0.lock().unwrap().as_ref().unwrap().get(&account).map(String::as_str), Some("sesame"));
    let saved = std::fs::read_to_string(&file).unwrap();
    assert!(saved.contains("secret = \"keyring\"") && !saved.contains("sesame"), "{saved}");
    assert!(harness.screen().contains("the keyring has the password of lab"), "{}", harness.screen());
    assert!(harness.screen().contains("root/cimv2"), "what was read stays: {}", harness.screen());

    // Closed and opened again it asks nobody; nor does another run.
    harness.press("1 g g j X").await;
    harness.press("enter").await;
    assert!(harness.screen().contains("root/cimv2"), "{}", harness.screen());
    let mut other = Harness::with_keyring(100, 30, SessionsFile::load(&file), keyring);
    other.press("j enter").await;
    assert!(other.screen().contains("root/cimv2"), "{}", other.screen());
}

#[tokio::test]
async fn a_password_nobody_wants_kept_is_not() {
    let directory = tempfile::tempdir().unwrap();
    let (_server, sessions, _) = lab(directory.path()).await;
    let keyring = Memory::answering();
    let mut harness = Harness::with_keyring(100, 30, sessions, keyring.clone());
    harness.run_until_idle().await;
    harness.send_keys("j enter");
    give(&mut harness, "sesame", "ctrl-k ctrl-k").await;
    harness.run_until_idle().await;
    assert!(harness.screen().contains("root/cimv2"), "{}", harness.screen());
    assert_eq!(keyring.0.lock().unwrap().as_ref().unwrap().len(), 0);
    let id = SessionId(2);
    let secret = &harness.front.state().sessions().get(id).unwrap().entry.profile.target.secret;
    assert_eq!(*secret, SecretSource::Prompt);
}

#[tokio::test]
async fn without_a_keyring_the_prompt_says_so_and_keeps_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let (_server, sessions, _) = lab(directory.path()).await;
    let file = sessions.path.clone();
    let mut harness = Harness::with_keyring(100, 30, sessions, Memory::default());
    harness.run_until_idle().await;
    harness.send_keys("j enter");
    harness.run_until(|state| state.unkeepable(SessionId(2)) == Some("no keyring answers")).await;
    give(&mut harness, "sesame", "ctrl-k").await;
    harness.run_until_idle().await;
    assert!(harness.screen().contains("root/cimv2"), "{}", harness.screen());
    assert!(std::fs::read_to_string(&file).unwrap().contains("\"prompt\""));
}

/// The prompt of a saved session, before the keyring has answered.
fn prompted(width: u16, height: u16) -> World {
    let lab = "[[session]]\nid = \"web01\"\ncomputer = \"web01.example\"\nauth = { user = \"ann\" }\n";
    let mut world = World::saved(width, height, lab);
    world.keys("j enter");
    let op = world.next();
    world.tell(vec![(5, op, OpEventKind::SecretNeeded { user: "ann".to_owned(), again: false })]);
    world
}

#[test]
fn the_prompt_greys_what_cannot_be_kept_and_tells_why() {
    let mut world = prompted(80, 24);
    assert!(world.screen().contains("[-] not in the keyring: the keyring has not answered yet"), "{}", world.screen());
    world.act(Action::ToggleKeep);
    assert!(world.state.wants_secret().is_some_and(|prompt| !prompt.keep), "it cannot be chosen");
    world.act(Action::KeyringAnswered(Err("no keyring\u{1b} answers".to_owned())));
    assert!(world.screen().contains("[-] not in the keyring: no keyring"), "{}", world.screen());
    world.act(Action::KeyringAnswered(Ok(())));
    insta::assert_snapshot!("keep_offered_80", world.screen());
    world.act(Action::ToggleKeep);
    insta::assert_snapshot!("keep_chosen_80", world.screen());
    let mut low = prompted(40, 10);
    low.act(Action::KeyringAnswered(Ok(())));
    insta::assert_snapshot!("keep_offered_40", low.screen());
    // One given for this run alone has nowhere to say so.
    let mut world = World::new(80, 24);
    world.keys("j enter");
    let op = world.next();
    world.tell(vec![(5, op, OpEventKind::SecretNeeded { user: "ann".to_owned(), again: false })]);
    assert_eq!(world.state.unkeepable(SessionId(2)), Some("the session is not saved"));
    assert_eq!(world.state.sessions().selected(), Some(&SessionRow::Session(SessionId(2))));
}
