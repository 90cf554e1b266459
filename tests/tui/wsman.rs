//! WS-Man on the screen: what a server without a schema shows, a pull loop in its lane, and every leg of an authentication.

use std::sync::Arc;

use crossterm::event::Event;
use lazycim::{
    auth::Credentials,
    op::{ConnId, ErrorKind, OpError, OpEventKind, OpId, Phase},
    server::{self, Offer, ServerOptions},
    session::store::SessionsFile,
};

use super::{
    harness::{Harness, event_of_text},
    world::World,
};

const NO_LIST: &str = "the server does not list its classes";

fn no_list() -> Arc<OpError> {
    let hint = "name the class: what has a name can be fetched all the same";
    let error = OpError::new(Phase::Receive, "amt.example:16992", ErrorKind::NotSupported, NO_LIST, hint);
    let told = "DestinationUnreachable: No route can be determined to reach the destination role of the addressing.";
    Arc::new(error.because(told).because("the server has nothing at this resource URI and these selectors"))
}

/// A server that lists its namespaces, and no classes.
fn without_classes(width: u16, height: u16) -> World {
    let mut world = World::new(width, height);
    world.press("enter").keys("j enter");
    let op = world.next();
    let mut events = world.life(op);
    events.push((5_000, op, OpEventKind::Failed(no_list())));
    world.tell(events);
    world
}

#[test]
fn where_no_classes_are_listed_the_pane_says_what_to_do_at_every_size() {
    for (width, height) in [(60, 20), (80, 24), (120, 40)] {
        let world = without_classes(width, height);
        let screen = world.screen();
        for part in ["the server does", "try: name", "name."] {
            assert!(screen.contains(part), "{width} {part}: {screen}");
        }
        assert_eq!(world.state.log().toasts().count(), 0, "the pane says it");
        assert!(world.state.log().newest_problem().is_some_and(|entry| entry.text.contains(NO_LIST)));
    }
}

#[test]
fn a_low_screen_shows_one_toast_and_marks_what_it_leaves_out() {
    let mut world = World::new(80, 24);
    for key in ["enter", "j enter"] {
        world.keys(key);
        let op = world.next();
        let error = OpError::new(Phase::Wait, format!("host {key}"), ErrorKind::TimedOut, "word ".repeat(60), "wait");
        world.tell(vec![(1_000, op, OpEventKind::Failed(Arc::new(error)))]);
    }
    assert_eq!(world.state.log().toasts().count(), 2);
    let screen = world.screen();
    assert_eq!(screen.matches("E details").count(), 1, "{screen}");
    assert!(screen.contains("wait: host j enter") && screen.contains("word…"), "{screen}");
    world.state.resize(80, 60);
    assert_eq!(world.screen().matches("E details").count(), 2, "{}", world.screen());
}

fn started(op: OpId, at: u64, phase: Phase) -> (u64, OpId, OpEventKind) {
    let conn = (!matches!(phase, Phase::Pull(_))).then_some(ConnId(9));
    (at, op, OpEventKind::PhaseStarted { conn, phase, detail: None })
}

fn ended(op: OpId, at: u64, phase: Phase) -> (u64, OpId, OpEventKind) {
    let conn = (!matches!(phase, Phase::Pull(_))).then_some(ConnId(9));
    (at, op, OpEventKind::PhaseEnded { conn, phase, error: None })
}

#[test]
fn a_pull_loop_is_one_lane_and_what_its_last_pull_does() {
    let mut world = World::new(120, 30);
    world.press("enter j enter").keys(": \"LC_Process\" enter");
    let (_class, op) = (world.next(), world.next());
    let mut events = vec![started(op, 0, Phase::Connect), ended(op, 2_000, Phase::Connect)];
    for pull in 1..40 {
        let at = u64::from(pull) * 10_000;
        events.extend([started(op, at, Phase::Pull(pull)), started(op, at + 10, Phase::Send)]);
        events.extend([ended(op, at + 20, Phase::Send), started(op, at + 30, Phase::Wait)]);
        if pull < 39 {
            events.extend([ended(op, at + 8_000, Phase::Wait), started(op, at + 8_010, Phase::Receive)]);
            events.extend([ended(op, at + 9_000, Phase::Receive), ended(op, at + 9_500, Phase::Pull(pull))]);
        }
    }
    world.tell(events).wait(650);
    let screen = world.screen();
    let row = screen.lines().find(|line| line.contains("EnumerateInstances")).unwrap().to_owned();
    assert_eq!((row.matches("pull").count(), row.matches("wait").count()), (1, 1), "{row}");
    assert!(row.contains("▕connect 2.0 ms▕pull 39 ") && !row.contains("receive"), "{row}");
}

#[test]
fn the_page_of_an_operation_on_a_long_path_tells_how_it_went() {
    let mut world = World::new(80, 24);
    world.press("enter j enter").press(": \"LC_Process\" enter").press("enter").keys("5 enter");
    let lines = world.screen().lines().map(str::to_owned).collect::<Vec<_>>();
    let title = lines.iter().position(|line| line.contains("GetInstance root/cimv2:LC_Process.")).expect("the title");
    let told = lines.iter().position(|line| line.contains("ok 6.1 ms")).expect("how it went");
    assert!(told > title && told < title + 5, "{}", lines.join("\n"));
    assert!(!lines.last().unwrap().contains("cancel"), "it has ended");
    world.keys("esc");
    assert!(world.screen().contains("GetInstance LC_Process."), "{}", world.screen());
}

/// Every leg by Digest: what was offered, what was proven and how, and how long the user took.
#[tokio::test]
async fn the_legs_of_digest_are_told_with_their_algorithm() {
    let credentials = Credentials { user: "ann".to_owned(), secret: "sesame".into() };
    let options = ServerOptions { offer: Offer::Digest, ..ServerOptions::loopback(credentials) };
    let server = server::start(options).await.unwrap();
    let port = server.addr().port();
    let text = format!(
        "[[session]]\nid = \"lab\"\ncomputer = \"127.0.0.1\"\nprotocol = \"wsman\"\nport = {port}\ntls = {{ use = false }}\n\
         auth = {{ mechanism = \"digest\", user = \"ann\", secret = \"prompt\" }}\n"
    );
    let mut harness = Harness::with_sessions(140, 50, SessionsFile::parse("sessions.toml", &text));
    harness.run_until_idle().await;
    harness.send_keys("j enter");
    for password in ["wrong", "sesame"] {
        harness.run_until(|state| state.wants_secret().is_some_and(|prompt| prompt.length == 0)).await;
        harness.send(Event::Paste(password.to_owned()));
        harness.send(event_of_text("enter"));
        harness.run_until(|state| state.wants_secret().is_none()).await;
    }
    harness.run_until_idle().await;
    harness.press("5 enter").await;
    let screen = harness.screen();
    let rows = |phase: &str, detail: &str| {
        screen.lines().filter(|line| line.contains(&format!("│ {phase} ")) && line.contains(detail)).count()
    };
    assert_eq!(rows("queue", "asked for the password"), 2, "{screen}");
    assert_eq!(rows("receive", "401, offers Digest SHA-256"), 3, "two before a proof, one that refuses it: {screen}");
    assert_eq!(rows("auth", "Digest SHA-256"), 2, "{screen}");
    assert_eq!(rows("auth", "the server refused user"), 1, "{screen}");
    assert!(screen.contains("2 connections, closed"), "{screen}");
}
