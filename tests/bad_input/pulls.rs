//! Enumerations that are pulled from servers that do it wrong: what came stays, the error is at the end, and the session goes on.

use std::path::Path;

use lazycim::{
    op::{ErrorKind, OpEventKind, Phase},
    server::Scenario,
};

use super::bench::*;

/// Plays the scenario of this name in `tests/scenarios/pull`.
async fn pulls(case: &Case) -> (Bench, Told) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/scenarios/pull");
    let scenario = Scenario::load(&folder.join(case.scenario).with_extension("toml")).unwrap();
    let bench = Bench::with(case, scenario).await;
    let told = bench.run(case.ask, None).await;
    let own = told.of_the_operation();
    keeps_its_promises(case.scenario, &own);
    assert_eq!(own.store.len() as u64, case.rows, "{}: rows", case.scenario);
    match (&case.fails, own.failure()) {
        (None, None) => {}
        (Some(fails), Some(error)) => {
            let found = format!("{}: {error:?}", case.scenario);
            assert!(same(&fails.kind, &error.kind) && fails.phase == error.phase, "{found}");
            assert!(error.cause().contains(fails.cause) && error.hint.contains(fails.hint), "{found}");
        }
        (expected, found) => panic!("{}: expected {expected:?}, found {found:?}", case.scenario),
    }
    (bench, told)
}

fn pulled(scenario: &'static str) -> Case {
    case(scenario).pulls()
}

fn broken(case: Case, cause: &'static str) -> Case {
    case.fails(Phase::Receive, ErrorKind::BadAnswer { offset: 0, item: None }, cause, "")
}

#[tokio::test]
async fn batches_that_bring_nothing() {
    pulls(&broken(pulled("makes_no_progress").rows(1), "no object and no end")).await;
    pulls(&pulled("progress_after_nothing").rows(2)).await;
    pulls(&pulled("ends_without_rows").rows(1)).await;
}

#[tokio::test]
async fn an_enumeration_that_never_ends_ends_when_enough_came() {
    let case = pulled("never_ends").rows(40);
    let bench = {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/scenarios/pull");
        Bench::with(&case, Scenario::load(&folder.join("never_ends.toml")).unwrap()).await
    };
    let mut operation = Ask::Instances.operation();
    operation.options.max_rows = Some(40);
    let told = bench.run_operation(operation).await;
    let own = told.of_the_operation();
    assert_eq!((own.store.len(), own.failure().is_none()), (40, true));
    assert!(
        told.events.iter().any(|event| matches!(event.kind, OpEventKind::Started { .. })),
        "what is open is closed"
    );
}

#[tokio::test]
async fn an_opening_that_works_and_a_pull_that_does_not() {
    let failed = |case: Case| {
        let error = lazycim::cim::CimError {
            status: lazycim::cim::CimStatus::FAILED,
            description: "the provider died".to_owned(),
            details: Vec::new(),
        };
        case.fails(Phase::Receive, ErrorKind::Cim(std::sync::Arc::new(error)), "the provider died", "log")
    };
    pulls(&failed(pulled("second_pull_fails").rows(2))).await;
    let lost = (Phase::Receive, ErrorKind::ConnectionLost);
    pulls(&pulled("pull_is_cut").rows(3).fails(lost.0, lost.1, "before the answer was complete", "")).await;
}

#[tokio::test]
async fn a_server_that_does_not_know_how() {
    pulls(&pulled("open_answers_all").rows(2)).await;
    let (bench, _) = pulls(&pulled("open_not_supported").rows(1)).await;
    bench.is_usable("open_not_supported").await;
    let seen = bench.server.seen();
    let opened = seen.heads.iter().filter(|head| head.header("cimmethod") == Some("OpenEnumerateInstances"));
    assert_eq!(opened.count(), 1, "it is asked once");
    let (bench, _) = pulls(&pulled("timeout_too_long").rows(1)).await;
    bench.is_usable("timeout_too_long").await;
}

#[tokio::test]
async fn a_server_that_wants_m_post() {
    for scenario in ["m_post_demanded_405", "m_post_demanded_405_without_allow", "m_post_demanded_501"] {
        let (bench, _) = pulls(&pulled(scenario).rows(1)).await;
        bench.is_usable(scenario).await;
    }
    pulls(&pulled("no_m_post_either").fails(Phase::Receive, ErrorKind::Http(405), "HTTP 405", "")).await;
}
