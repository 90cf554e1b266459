//! The page of sessions: what it shows and what can be done from it.

use lazycim::{
    app::{Action, Effect, Layer, Pane, SessionRow},
    op::{OpEventKind, SessionId, Summary},
    session::{InstanceId, LiveSession},
};

use super::{harness::Harness, world::World};

/// This computer and web01 opened, web01 closed again, an operation in flight on esx7.
fn three(width: u16, height: u16) -> World {
    let mut world = World::new(width, height);
    world.press("enter j j j enter j j j enter");
    let live = |session, byte, holds_secret| LiveSession {
        session: SessionId(session),
        number: session,
        instance: InstanceId::from_random([byte; 16]),
        holds_secret,
    };
    world.act(Action::Live(vec![live(1, 0x11, false), live(2, 0x22, true), live(3, 0x33, true)]));
    world.keys("g g j j j X");
    world.act(Action::Live(vec![live(1, 0x11, false), live(3, 0x33, true)]));
    world.keys("j r S");
    world
}

#[test]
fn live_sessions_80() {
    insta::assert_snapshot!(three(80, 24).screen());
}

#[test]
fn live_sessions_120() {
    let mut world = three(120, 40);
    insta::assert_snapshot!(world.screen());
    let closed = world.screen().lines().find(|line| line.contains("web01")).unwrap().to_owned();
    assert!(closed.contains("22222222-2222-4222-a222-222222222222") && closed.contains("Closed"), "{closed}");
    world.keys("j j y");
    assert!(matches!(world.effects.last(), Some(Effect::Copy(text)) if text.starts_with("33333333-3333-4333")));
}

#[test]
fn from_the_page_a_session_is_closed_tested_and_gone_to() {
    let mut world = three(80, 24);
    world.asked.clear();
    world.keys("p");
    let (op, session, operation) = world.asked.front().expect("a test").clone();
    assert_eq!((session, operation.name()), (SessionId(1), "TestConnection"));
    assert!(world.screen().contains("Sessions · 2 open"), "the page stays");
    world.tell(vec![(2_500, op, OpEventKind::Finished(Summary::default()))]);
    assert!(world.screen().contains("this-computer answers after 2.5 ms"), "{}", world.screen());

    world.keys("X");
    assert!(world.effects.iter().any(|effect| matches!(effect, Effect::Close(SessionId(1)))));
    assert!(!world.state.sessions().get(SessionId(1)).unwrap().open);

    world.keys("j j enter");
    assert!(world.state.layer().is_none());
    assert_eq!(world.state.focus(), Pane::Sessions);
    assert_eq!(world.state.sessions().selected(), Some(&SessionRow::Session(SessionId(3))));
}

#[tokio::test]
async fn sessions_open_with_their_first_operation_and_close_with_everything_they_hold() {
    let mut harness = Harness::new(120, 40);
    harness.press("S").await;
    let line = harness.screen().lines().find(|line| line.contains("Unused")).unwrap_or_default().to_owned();
    assert!(harness.screen().contains("0 open") && line.contains("this-computer"), "{}", harness.screen());
    harness.press("esc enter").await;
    harness.press("S").await;
    let row = |harness: &Harness| harness.front.state().session_list().first().and_then(|row| row.live).unwrap();
    let first = row(&harness);
    assert_eq!((first.number, first.holds_secret), (1, false));
    let line = harness.screen().lines().find(|line| line.contains(&first.instance.to_string())).unwrap().to_owned();
    assert!(line.contains("this-computer") && line.contains("Opened") && line.contains("localhost"), "{line}");

    harness.press("X").await;
    assert!(harness.screen().contains("Closed"), "{}", harness.screen());
    harness.press("p").await;
    assert!(harness.screen().contains("this-computer answers"), "{}", harness.screen());
    let second = row(&harness);
    assert_eq!(second.number, 2);
    assert_ne!(second.instance, first.instance);
    assert!(matches!(harness.front.state().layer(), Some(Layer::SessionList(_))));
}

#[test]
fn the_command_of_that_name_lists_every_session_also_those_not_opened() {
    let mut world = World::new(80, 24);
    world.keys(": s e s s i o n s enter");
    assert!(matches!(world.state.layer(), Some(Layer::SessionList(_))));
    let screen = world.screen();
    assert!(["this-computer", "web01", "esx7"].iter().all(|name| screen.contains(name)), "{screen}");
    world.keys("j X");
    assert!(world.screen().contains("there is nothing to close"), "{}", world.screen());
    assert!(world.effects.iter().all(|effect| !matches!(effect, Effect::Close(_))));
    world.keys("enter");
    assert_eq!((world.state.focus(), world.state.layer().is_none()), (Pane::Sessions, true));
}
