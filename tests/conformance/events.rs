//! Subscriptions whose events are pulled: they come as rows, nothing stays subscribed wherever it ends, and a server that has none
//! says so.

use lazycim::{
    op::{ErrorKind, OpEvent, OpEventKind, OpId, Operation, OperationKind, Phase, Summary, Timeouts},
    server::ServerOptions,
};

use tokio::sync::mpsc;

use super::stage::*;

async fn staged(scenario: &str) -> Stage {
    Stage::new(WSMAN, None, spoken(WSMAN, scenario), Timeouts::default()).await
}

fn events() -> Operation {
    Operation::new(OperationKind::Subscribe { query: "SELECT * FROM LC_OperatingSystem".to_owned() })
}

/// Starts a subscription of few events and waits until its fifth Pull is in flight.
async fn waiting() -> (Stage, OpId, mpsc::Receiver<OpEvent>, Vec<OpEvent>) {
    let stage = staged("events").await;
    let (id, mut events) = stage.start(events());
    let mut seen = until(&mut events, begins(Phase::Pull(5))).await;
    seen.extend(until(&mut events, begins(Phase::Wait)).await);
    (stage, id, events, seen)
}

/// How each Pull of `id` ended: whether well.
fn pulls(id: OpId, seen: &[OpEvent]) -> Vec<bool> {
    let ended = of(id, seen).into_iter().filter_map(|event| match event.kind {
        OpEventKind::PhaseEnded { phase: Phase::Pull(_), error, .. } => Some(error.is_none()),
        _ => None,
    });
    ended.collect()
}

/// That the subscription of `id` was ended. The scenarios take a Release of it for a fault.
fn is_ended(id: OpId, seen: &[OpEvent]) {
    let (end, outcome) = clean_up(id, seen).expect("the subscription is ended");
    assert!(matches!(outcome, OpEventKind::Finished(_)), "{seen:#?}");
    let opened = |event: &&OpEvent| matches!(event.kind, OpEventKind::ConnectionOpened { .. });
    assert_eq!(of(end, seen).iter().filter(opened).count(), 1, "over a connection of its own");
}

#[tokio::test]
async fn events_come_as_rows_and_a_pull_that_came_to_nothing_is_asked_again() {
    let (stage, id, events, seen) = waiting().await;
    assert_eq!((rows(id, &seen), pulls(id, &seen)), (2, vec![false, true, false, true]));
    stage.engine.cancel(id);
    let seen = ended(id, rest(seen, events).await);
    assert!(matches!(end(id, &seen), OpEventKind::Cancelled { left_open: None }), "{seen:#?}");
    is_ended(id, &seen);
    stage.idle().await;
}

#[tokio::test]
async fn nothing_stays_subscribed_wherever_it_is_cancelled() {
    for number in 1..=4 {
        let stage = staged("events_without_end").await;
        let (id, mut events) = stage.start(events());
        let seen = until(&mut events, begins(Phase::Pull(number))).await;
        stage.engine.cancel(id);
        let seen = ended(id, rest(seen, events).await);
        assert!(matches!(end(id, &seen), OpEventKind::Cancelled { left_open: None }), "{seen:#?}");
        is_ended(id, &seen);
        stage.idle().await;
    }
}

#[tokio::test]
async fn a_subscribe_that_is_not_answered_is_said_to_stay() {
    let stage = staged("subscribe_is_not_answered").await;
    let (id, mut events) = stage.start(events());
    let mut seen =
        until(&mut events, |kind| matches!(kind, OpEventKind::PhaseEnded { phase: Phase::Schema, .. })).await;
    seen.extend(until(&mut events, begins(Phase::Wait)).await);
    stage.engine.cancel(id);
    let seen = ended(id, rest(seen, events).await);
    let OpEventKind::Cancelled { left_open: Some(text) } = end(id, &seen) else { panic!("{seen:#?}") };
    assert!(text.contains("until it expires"), "{text}");
    assert!(clean_up(id, &seen).is_none(), "there is nothing to end it with");
    stage.idle().await;
}

#[tokio::test]
async fn enough_events_end_it_well_and_so_does_quitting() {
    let stage = staged("events_without_end").await;
    let mut operation = events();
    operation.options.max_rows = Some(3);
    let (id, limited) = stage.start(operation);
    let seen = ended(id, rest(Vec::new(), limited).await);
    assert!(matches!(end(id, &seen), OpEventKind::Finished(Summary { rows: 3, limited: true })), "{seen:#?}");
    is_ended(id, &seen);
    stage.idle().await;
    let (stage, id, quit, seen) = waiting().await;
    stage.engine.shut_down().await;
    let seen = ended(id, rest(seen, quit).await);
    is_ended(id, &seen);
    stage.idle().await;
}

#[tokio::test]
async fn a_subscription_that_is_over_on_the_server_says_what_is_missed() {
    for scenario in ["subscription_is_lost", "subscription_ends"] {
        let stage = staged(scenario).await;
        let (id, events) = stage.start(events());
        let seen = ended(id, rest(Vec::new(), events).await);
        let error = failure(id, &seen);
        assert!(error.cause().contains("does not know the subscription any more"), "{scenario}: {error}");
        assert!(error.hint.contains("subscribe again"), "{scenario}: {error}");
        assert_eq!((rows(id, &seen), clean_up(id, &seen).is_none()), (1, true), "{scenario}");
        stage.idle().await;
    }
}

#[tokio::test]
async fn events_that_fail_keep_what_came_and_what_cannot_be_ended_is_said_to_stay() {
    let stage = staged("events_fail").await;
    let (id, events) = stage.start(events());
    let seen = ended(id, rest(Vec::new(), events).await);
    failure(id, &seen);
    assert_eq!(rows(id, &seen), 1);
    let (end, _) = clean_up(id, &seen).expect("it is tried");
    let error = failure(end, &seen);
    let told = error.causes.iter().any(|cause| cause.contains("the subscription stays open on the server"));
    assert!(told, "{error:#?}");
    stage.idle().await;
}

#[tokio::test]
async fn a_server_or_a_protocol_without_pulled_events_says_so() {
    let cases: [(Subject, ServerOptions, &str); 3] = [
        (WSMAN, spoken(WSMAN, "no_pulled_events"), "DeliveryModeRequestedUnavailable"),
        // The embedded server has no events.
        (WSMAN, scripted("wsman/read_to_its_end"), "ActionNotSupported"),
        (CIMXML, scripted("close_in_answer"), "CIM-XML has no subscriptions"),
    ];
    for (subject, options, cause) in cases {
        let stage = Stage::new(subject, None, options, Timeouts::default()).await;
        let (id, events) = stage.start(events());
        let seen = ended(id, rest(Vec::new(), events).await);
        let error = failure(id, &seen);
        assert_eq!(error.kind, ErrorKind::NotSupported, "{error}");
        assert!(error.cause().contains(cause) && !error.hint.is_empty(), "{error}");
        assert!(clean_up(id, &seen).is_none(), "nothing was subscribed to: {seen:#?}");
        stage.idle().await;
    }
}
