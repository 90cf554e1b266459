//! Cancelled wherever it stands: the socket closes, what is open on the server is closed, and the session goes on.

use lazycim::op::{OpEventKind, Phase, Timeouts};

use super::stage::*;

/// Where things stall: the phase, and the scenario of the server if it is the server's doing.
pub const STALLS: [(Phase, &str); 5] = [
    (Phase::Resolve, "close_in_answer"),
    (Phase::Connect, "close_in_answer"),
    (Phase::Tls, "stall_at_accept"),
    (Phase::Wait, "stall_before_answer"),
    (Phase::Receive, "stall_in_answer"),
];

#[tokio::test]
async fn the_socket_closes_wherever_it_stalls() {
    for subject in SUBJECTS {
        for (phase, scenario) in STALLS {
            let stage = Stage::new(subject, Some(phase), scripted(scenario), Timeouts::default()).await;
            let (id, mut events) = stage.start(class());
            let seen = until(&mut events, begins(phase)).await;
            stage.engine.cancel(id);
            let seen = ended(id, rest(seen, events).await);
            assert!(matches!(end(id, &seen), OpEventKind::Cancelled { left_open: None }), "{phase}: {seen:#?}");
            stage.idle().await;
        }
    }
}

#[tokio::test]
async fn a_class_is_fetched_for_the_rows_and_the_socket_closes_all_the_same() {
    for subject in SUBJECTS {
        let stage = Stage::new(subject, None, scripted("stall_before_answer"), Timeouts::default()).await;
        let (id, mut events) = stage.start(instances());
        let mut seen = until(&mut events, begins(Phase::Schema)).await;
        seen.extend(until(&mut events, begins(Phase::Wait)).await);
        stage.engine.cancel(id);
        let seen = ended(id, rest(seen, events).await);
        assert!(matches!(end(id, &seen), OpEventKind::Cancelled { left_open: None }), "{seen:#?}");
        stage.idle().await;
    }
}

#[tokio::test]
async fn a_pull_in_flight_is_closed_with_the_last_context() {
    for subject in SUBJECTS {
        let stage = Stage::new(subject, None, spoken(subject, "pull_is_not_answered"), Timeouts::default()).await;
        let (id, mut events) = stage.start(pulled());
        let mut seen = until(&mut events, begins(Phase::Pull(1))).await;
        seen.extend(until(&mut events, begins(Phase::Wait)).await);
        stage.engine.cancel(id);
        let seen = ended(id, rest(seen, events).await);
        assert!(matches!(end(id, &seen), OpEventKind::Cancelled { left_open: None }), "{seen:#?}");
        assert_eq!(rows(id, &seen), 1, "what came before stays");
        let (release, outcome) = clean_up(id, &seen).expect("it is closed");
        assert!(matches!(outcome, OpEventKind::Finished(_)), "{seen:#?}");
        let opened = |event: &&lazycim::op::OpEvent| matches!(event.kind, OpEventKind::ConnectionOpened { .. });
        assert_eq!(of(release, &seen).iter().filter(opened).count(), 1, "over a connection of its own");
        stage.idle().await;
    }
}

#[tokio::test]
async fn rows_that_arrive_are_closed_behind_at_each_point_of_an_endless_loop() {
    for subject in SUBJECTS {
        for pulls in 1..=5 {
            let stage = Stage::new(subject, None, spoken(subject, "never_ends"), Timeouts::default()).await;
            let (id, mut events) = stage.start(pulled());
            let seen = until(&mut events, begins(Phase::Pull(pulls))).await;
            stage.engine.cancel(id);
            let seen = ended(id, rest(seen, events).await);
            assert!(matches!(end(id, &seen), OpEventKind::Cancelled { left_open: None }), "{seen:#?}");
            assert!(rows(id, &seen) >= pulls as usize);
            let (_, outcome) = clean_up(id, &seen).expect("it is closed");
            assert!(matches!(outcome, OpEventKind::Finished(_)), "{seen:#?}");
            stage.idle().await;
        }
    }
}

#[tokio::test]
async fn an_enumeration_whose_opening_is_not_answered_is_said_to_stay_open() {
    for subject in SUBJECTS {
        let stage = Stage::new(subject, None, spoken(subject, "open_is_not_answered"), Timeouts::default()).await;
        let (id, mut events) = stage.start(pulled());
        let mut seen =
            until(&mut events, |kind| matches!(kind, OpEventKind::PhaseEnded { phase: Phase::Schema, .. })).await;
        seen.extend(until(&mut events, begins(Phase::Wait)).await);
        stage.engine.cancel(id);
        let seen = ended(id, rest(seen, events).await);
        let OpEventKind::Cancelled { left_open: Some(text) } = end(id, &seen) else { panic!("{seen:#?}") };
        assert!(text.contains("until it expires"), "{text}");
        assert!(clean_up(id, &seen).is_none(), "there is nothing to close it with");
        stage.idle().await;
    }
}

#[tokio::test]
async fn a_front_that_leaves_closes_the_socket_and_what_is_open() {
    for subject in SUBJECTS {
        for (scenario, operation) in [("stall_before_answer", class()), ("pull", pulled())] {
            let options = match scenario {
                "pull" => spoken(subject, "pull_is_not_answered"),
                scenario => scripted(scenario),
            };
            let stage = Stage::new(subject, None, options, Timeouts::default()).await;
            let (_, mut events) = stage.start(operation);
            if scenario == "pull" {
                until(&mut events, begins(Phase::Pull(1))).await;
            }
            until(&mut events, begins(Phase::Wait)).await;
            drop(events);
            stage.idle().await;
        }
    }
}

#[tokio::test]
async fn quitting_closes_everything() {
    for subject in SUBJECTS {
        let stage = Stage::new(subject, None, spoken(subject, "pull_is_not_answered"), Timeouts::default()).await;
        let (id, mut events) = stage.start(pulled());
        let mut seen = until(&mut events, begins(Phase::Pull(1))).await;
        seen.extend(until(&mut events, begins(Phase::Wait)).await);
        stage.engine.shut_down().await;
        let seen = ended(id, rest(seen, events).await);
        let (_, outcome) = clean_up(id, &seen).expect("it is closed");
        assert!(matches!(outcome, OpEventKind::Finished(_)), "{seen:#?}");
        stage.idle().await;
    }
}
