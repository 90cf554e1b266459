//! Sessions do not disturb each other.

use lazycim::{
    op::{OpEventKind, Phase, SessionId, Timeouts},
    server,
    session::Target,
};

use super::stage::*;

const OTHER: SessionId = SessionId(2);

#[tokio::test]
async fn one_that_stalls_slows_no_other_down() {
    for subject in SUBJECTS {
        let stage = Stage::new(subject, None, scripted("stall_before_answer"), Timeouts::default()).await;
        let good = server::start(guarded()).await.unwrap();
        stage.engine.open(OTHER, Target { user: Some("ann".to_owned()), ..target_of(&good, subject) });
        stage.engine.give_secret(OTHER, Some(right()));
        // As many as may be in flight in one session, and one that waits for its turn.
        let mut stuck = Vec::new();
        for _ in 0..5 {
            stuck.push(stage.start(class()));
        }
        until(&mut stuck[0].1, begins(Phase::Wait)).await;
        for _ in 0..3 {
            let (id, events) = stage.start_in(OTHER, instances(), 256);
            let seen = ended(id, rest(Vec::new(), events).await);
            assert!(matches!(end(id, &seen), OpEventKind::Finished(_)), "{seen:#?}");
        }
        // Closing the one that stalls ends what is its own and nothing else.
        let (id, mut events) = stage.start_in(OTHER, instances(), 256);
        let seen = until(&mut events, begins(Phase::Connect)).await;
        stage.engine.close(SESSION);
        for (id, events) in stuck {
            let seen = rest(Vec::new(), events).await;
            assert!(matches!(end(id, &seen), OpEventKind::Cancelled { .. }), "{seen:#?}");
        }
        let seen = ended(id, rest(seen, events).await);
        assert!(matches!(end(id, &seen), OpEventKind::Finished(_)), "{seen:#?}");
        stage.idle().await;
        good.connections().wait_for(|open| *open == 0).await.unwrap();
    }
}

#[tokio::test]
async fn what_one_learns_of_its_server_the_other_does_not_believe_of_its_own() {
    for subject in SUBJECTS {
        let stage = Stage::new(subject, None, spoken(subject, "open_not_supported"), Timeouts::default()).await;
        let good = server::start(guarded()).await.unwrap();
        stage.engine.open(OTHER, Target { user: Some("ann".to_owned()), ..target_of(&good, subject) });
        stage.engine.give_secret(OTHER, Some(right()));
        stage.run(pulled()).await;
        let mut limited = instances();
        limited.options.max_rows = Some(2);
        let (id, events) = stage.start_in(OTHER, limited, 256);
        let seen = ended(id, rest(Vec::new(), events).await);
        assert!(clean_up(id, &seen).is_some(), "the other one pulls: {seen:#?}");
        stage.idle().await;
        good.enumerations().wait_for(|open| *open == 0).await.unwrap();
    }
}
