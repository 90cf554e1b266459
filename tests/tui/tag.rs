//! The table of a tag: what it looks like while some sessions answer, others fail and others are still waited for.

use std::sync::Arc;

use lazycim::{
    auth::Credentials,
    cim::rows::ShapeId,
    op::{ErrorKind, OpError, OpEventKind, OpId, Phase, Summary},
    server::{self, ServerOptions},
    session::{Profile, ProfileId, Target, store::SessionsFile},
};
use ratatui::style::Modifier;

use super::{
    harness::Harness,
    world::{World, process_shape, processes},
};

/// A world of `count` more sessions with the tag `lab`, whose table is open.
fn asked(world: &mut World, count: u32) -> Vec<OpId> {
    let lab = |id| {
        let target = Target {
            computer: Some(format!("lab{id}.example")),
            port: 5989,
            user: Some("ann".to_owned()),
            ..Target::this_computer()
        };
        let mut profile = Profile::new(ProfileId::new(&format!("lab{id}")).unwrap(), format!("lab {id}"), target);
        profile.tags = vec!["lab".to_owned()];
        profile
    };
    world.list((4..4 + count).map(lab).collect());
    world.keys(": \"tag\" space \"lab\" space \"LC_Process\" enter");
    world.asked.drain(..).map(|(op, ..)| op).collect()
}

fn rows(world: &mut World, op: OpId) {
    let mut events = world.life(op);
    events.push((5_000, op, OpEventKind::Shape(ShapeId(0), Arc::new(process_shape(&"LC_Process".into())))));
    events.push((5_000, op, OpEventKind::Rows(processes())));
    world.tell(events);
}

/// Two have answered, one of them not to the end; two have failed; one is waited for.
pub fn some_answered(width: u16, height: u16, theme: &str) -> World {
    let mut world = World::themed(width, height, theme, theme == "mono");
    let ops = asked(&mut world, 5);
    rows(&mut world, ops[0]);
    world.tell(vec![(6_000, ops[0], OpEventKind::Finished(Summary { rows: 37, limited: false }))]);
    rows(&mut world, ops[1]);
    let refused = |host: &str| {
        let cause = format!("{host}:5989 refused the connection");
        Arc::new(OpError::new(Phase::Connect, host, ErrorKind::ConnectionRefused, cause, "check that it listens"))
    };
    world.tell(vec![
        (900, ops[2], OpEventKind::Failed(refused("lab6.example"))),
        (900, ops[3], OpEventKind::Failed(refused("lab7.example"))),
    ]);
    world.answer_all();
    world
}

#[test]
fn tag_80() {
    insta::assert_snapshot!(some_answered(80, 24, "sixteen").screen());
}

#[test]
fn tag_120() {
    let mut world = some_answered(120, 40, "sixteen");
    insta::assert_snapshot!(world.screen());
    // The last row can be reached above the troubles.
    world.keys("G");
    let screen = world.screen();
    assert!(screen.contains("2029") && screen.contains("lab6: connect: lab6.example:5989 refused"), "{screen}");
}

#[test]
fn tag_without_colour() {
    let world = some_answered(80, 24, "mono");
    let screen = world.screen();
    insta::assert_snapshot!(screen);
    let reversed = world.buffer().content.iter().filter(|cell| cell.modifier.contains(Modifier::REVERSED)).count();
    assert!(reversed > 10, "the selection is seen");
}

#[test]
fn more_troubles_than_there_is_room_for_are_counted() {
    let mut world = World::new(80, 24);
    let ops = asked(&mut world, 9);
    rows(&mut world, ops[0]);
    let error = OpError::new(Phase::Resolve, "lab", ErrorKind::ConnectionRefused, "no such host", "check the name");
    let error = Arc::new(error);
    world.tell(ops.iter().map(|op| (900, *op, OpEventKind::Failed(error.clone()))).collect());
    let screen = world.screen();
    assert!(screen.contains("lab4: resolve: no such host") && screen.contains("7 more failed"), "{screen}");
}

#[test]
fn the_line_for_a_tag() {
    let mut world = World::new(80, 24);
    asked(&mut world, 2);
    world.keys("1 G k T");
    insta::assert_snapshot!(world.screen());
}

#[tokio::test]
async fn two_servers_answer_and_a_third_is_not_there() {
    let credentials = || Credentials { user: "ann".to_owned(), secret: "hunter2".into() };
    let first = server::start(ServerOptions::loopback(credentials())).await.unwrap();
    let second = server::start(ServerOptions::loopback(credentials())).await.unwrap();
    let session = |id: &str, port: u16| {
        format!(
            "[[session]]\nid = \"{id}\"\ncomputer = \"127.0.0.1\"\nprotocol = \"cimxml\"\nport = {port}\ntls = {{ use = false }}\n\
             auth = {{ user = \"ann\", secret = \"prompt\" }}\ntags = [\"lab\"]\n"
        )
    };
    let text = [session("one", first.addr().port()), session("two", second.addr().port()), session("gone", 1)].concat();
    let mut harness = Harness::with_sessions(120, 40, SessionsFile::parse("sessions.toml", &text));
    harness.run_until_idle().await;
    assert!(
        harness.front.state().session_list().iter().all(|row| row.live.is_none()),
        "nothing is open before it is used"
    );
    // Each of the three asks for its own password.
    for c in ":tag lab LC_OperatingSystem".chars() {
        harness.send(super::harness::event_of_text(&if c == ' ' { "space".to_owned() } else { c.to_string() }));
    }
    harness.send(super::harness::event_of_text("enter"));
    for _ in 0..3 {
        harness.run_until(|state| state.wants_secret().is_some_and(|prompt| prompt.length == 0)).await;
        harness.send(crossterm::event::Event::Paste("hunter2".to_owned()));
        harness.run_until(|state| state.wants_secret().is_some_and(|prompt| prompt.length == 7)).await;
        harness.send(super::harness::event_of_text("enter"));
        harness.run_until(|state| state.wants_secret().is_none_or(|prompt| prompt.length == 0)).await;
    }
    harness.run_until_idle().await;
    let screen = harness.screen();
    let table = harness.front.state().table().expect("a table");
    let mut whose = (0..table.shown()).map(|row| table.cell(row, 0).unwrap()).collect::<Vec<_>>();
    whose.sort();
    assert_eq!(whose, ["one", "two"], "{screen}");
    assert!(screen.contains("gone: connect: connection refused"), "{screen}");
    assert!(screen.contains("3 sessions") && screen.contains("idle, no connections"), "{screen}");
    let operations = harness.front.state().operations();
    for name in ["one", "two", "gone"] {
        let row = operations.shown().find(|row| row.on.as_deref() == Some(name)).expect("a row of its own");
        let connections = (row.timeline.opened(), row.timeline.closed());
        assert_eq!(connections, if name == "gone" { (0, 0) } else { (1, 1) }, "{name}");
    }

    // The row of the other session opens there, not on the first.
    let place = |harness: &Harness| {
        let (session, _) = harness.front.state().table().unwrap().selected_place();
        let known = harness.front.state().sessions().get(session).unwrap();
        (known.entry.profile.id.as_str().to_owned(), session)
    };
    harness.press("G").await;
    let (name, session) = place(&harness);
    assert!(["one", "two"].contains(&name.as_str()));
    harness.press("enter").await;
    let got = harness.front.state().operations().shown().next().map(|row| (row.name.clone(), row.session));
    assert_eq!(got, Some(("GetInstance".to_owned(), session)), "{}", harness.screen());
    assert!(harness.front.state().detail().instance().is_some());
}
