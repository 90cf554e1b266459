//! Live sessions: their ids, and what closing one takes along.

use lazycim::{
    op::{OpEventKind, SessionId},
    session::{SecretSource, Target},
};
use secrecy::SecretString;

use super::fake::*;

const OTHER: SessionId = SessionId(2);

fn with_user() -> Target {
    Target { user: Some("ann".to_owned()), secret: SecretSource::Prompt, ..target() }
}

/// An engine whose operations never end by themselves.
fn endless() -> Bench {
    let bench = Bench::new(Box::new(|_, _| Box::pin(std::future::pending())));
    bench.engine.open(SESSION, with_user());
    bench.engine.open(OTHER, with_user());
    bench
}

#[tokio::test]
async fn each_opening_has_its_own_id_and_instance_and_a_change_keeps_both() {
    let bench = endless();
    let numbers = |bench: &Bench| {
        bench.engine.live().iter().map(|live| (live.session, live.number, live.instance)).collect::<Vec<_>>()
    };
    let first = numbers(&bench);
    // The bench itself had opened the session once.
    assert_eq!(first.iter().map(|live| (live.0, live.1)).collect::<Vec<_>>(), [(SESSION, 2), (OTHER, 3)]);
    assert_ne!(first[0].2, first[1].2);
    bench.engine.change(SESSION, Target { port: 7, ..with_user() });
    bench.engine.change(SessionId(9), with_user());
    assert_eq!(numbers(&bench), first, "a change neither renames a session nor opens one");
    bench.engine.close(SESSION);
    assert_eq!(numbers(&bench), first[1..]);
    bench.engine.open(SESSION, with_user());
    let again = numbers(&bench);
    assert_eq!((again[1].0, again[1].1), (SESSION, 4));
    assert_ne!(again[1].2, first[0].2);
}

#[tokio::test(start_paused = true)]
async fn closing_one_cancels_its_operations_forgets_its_secret_and_touches_no_other() {
    let bench = endless();
    let held = |bench: &Bench, session| {
        bench.engine.live().iter().find(|live| live.session == session).map(|live| live.holds_secret)
    };
    let mut running = Vec::new();
    for session in [SESSION, SESSION, OTHER] {
        running.push(bench.start_in(session, operation(), 64));
    }
    settle().await;
    assert_eq!([held(&bench, SESSION), held(&bench, OTHER)], [Some(false); 2]);
    for session in [SESSION, OTHER] {
        bench.engine.give_secret(session, Some(SecretString::from("good")));
    }
    settle().await;
    assert_eq!([held(&bench, SESSION), held(&bench, OTHER)], [Some(true); 2]);
    assert_eq!(bench.dialled.lock().unwrap().len(), 3, "all of them run");

    bench.engine.close(SESSION);
    let (other, mut of_other) = running.pop().unwrap();
    for (id, events) in running {
        assert!(matches!(end(&ended(id, rest(events).await)), OpEventKind::Cancelled { .. }));
    }
    assert_eq!([held(&bench, SESSION), held(&bench, OTHER)], [None, Some(true)]);
    while let Ok(event) = of_other.try_recv() {
        assert!(!event.kind.is_terminal(), "the other session's goes on: {event:?}");
    }

    bench.engine.open(SESSION, with_user());
    let (asking, mut events) = bench.start_in(SESSION, operation(), 64);
    until(&mut events, |kind| matches!(kind, OpEventKind::SecretNeeded { again: false, .. })).await;
    assert_eq!(held(&bench, SESSION), Some(false));
    for id in [asking, other] {
        bench.engine.cancel(id);
    }
}
