//! Enumerations that are pulled from servers that do it wrong: what came stays, the error is at the end, and the session goes on.

use std::path::Path;

use lazycim::{
    op::{ErrorKind, OpEventKind, Phase},
    server::Scenario,
};

use super::bench::*;

/// The scenario of this name in the folder of the case's protocol.
pub fn scenario(case: &Case) -> Scenario {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/scenarios").join(case.over.folder);
    Scenario::load(&folder.join(case.scenario).with_extension("toml")).unwrap()
}

/// Plays it; the operation's own events.
pub async fn pulls(case: &Case) -> (Bench, Told) {
    let bench = Bench::with(case, scenario(case)).await;
    let told = bench.meets(case).await;
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
    for over in SUBJECTS {
        let stuck = broken(pulled("makes_no_progress").rows(1), "no object and no end");
        for case in [stuck, pulled("progress_after_nothing").rows(2), pulled("ends_without_rows").rows(1)] {
            pulls(&case.over(over)).await;
        }
    }
}

#[tokio::test]
async fn an_enumeration_that_never_ends_ends_when_enough_came() {
    for over in SUBJECTS {
        let case = pulled("never_ends").over(over);
        let bench = Bench::with(&case, scenario(&case)).await;
        let mut operation = Ask::Instances.operation();
        operation.options.max_rows = Some(40);
        let told = bench.run_operation(operation).await;
        let own = told.of_the_operation();
        assert_eq!((own.store.len(), own.failure().is_none()), (40, true));
        let released = told.of_the_clean_up().expect("what is open is closed");
        assert!(matches!(released.last().unwrap().kind, OpEventKind::Finished(_)), "{released:?}");
    }
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
    for over in SUBJECTS {
        pulls(&failed(pulled("second_pull_fails").rows(2)).over(over)).await;
        let cut = pulled("pull_is_cut").rows(3);
        let lost = ErrorKind::ConnectionLost;
        pulls(&cut.fails(Phase::Receive, lost, "before the answer was complete", "").over(over)).await;
    }
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
