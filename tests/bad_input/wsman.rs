//! What only WS-Man servers do wrong, and what of it is borne.

use lazycim::{
    cim::{CimError, CimStatus},
    op::{ErrorKind, OpEventKind, Phase},
};

use super::{
    bench::*,
    pulls::{pulls, scenario},
    screen::Seat,
};

/// What is taken in beyond a limit at most: the pieces in which a body comes.
const SLACK: u64 = 512 << 10;

fn spoken(scenario: &'static str) -> Case {
    case(scenario).over(WSMAN)
}

fn failed(description: &str) -> ErrorKind {
    let (status, description) = (CimStatus::FAILED, description.to_owned());
    ErrorKind::Cim(std::sync::Arc::new(CimError { status, description, details: Vec::new() }))
}

/// Plays a case after which nothing may have been released: nothing was open, or it had ended.
async fn leaves_nothing(case: &Case) -> Told {
    let (bench, told) = pulls(case).await;
    assert!(told.of_the_clean_up().is_none(), "{}: something is released", case.name());
    drop(bench);
    told
}

#[tokio::test]
async fn a_fault_is_one_whatever_its_status() {
    for scenario in ["fault_with_http_200", "fault_with_http_400"] {
        let died = failed("the provider died");
        let case = spoken(scenario).fails(Phase::Receive, died, "InternalError: the provider died", "log");
        leaves_nothing(&case).await;
    }
    let empty = spoken("error_without_body").fails(
        Phase::Receive,
        ErrorKind::Http(500),
        "HTTP 500 Internal Server Error",
        "log",
    );
    leaves_nothing(&empty).await;
}

#[tokio::test]
async fn no_more_of_a_fault_is_told_than_can_be_read() {
    let case = spoken("fault_with_many_details");
    let bench = Bench::with(&case, scenario(&case)).await;
    let told = bench.run(case.ask, None).await.of_the_operation();
    keeps_its_promises(case.scenario, &told);
    let error = told.failure().unwrap();
    let ErrorKind::Cim(cim) = &error.kind else { panic!("{error:?}") };
    assert_eq!((cim.status, cim.details.len()), (CimStatus::FAILED, 16));
    assert!(error.causes.len() < 30, "{error:?}");
    assert!(error.cause().contains("DMTF WIPG0228: disk 3 does not \u{fffd}[31m answer"), "{error:?}");
}

#[tokio::test]
async fn headers_that_are_not_understood_are_named() {
    for scenario in ["not_understood_with_http_200", "not_understood_with_http_500"] {
        let case = spoken(scenario).fails(
            Phase::Receive,
            ErrorKind::NotSupported,
            "not understood: MaxEnvelopeSize, Odd\u{fffd}[31m",
            "leave out what needs it",
        );
        leaves_nothing(&case).await;
    }
}

#[tokio::test]
async fn odd_reasons_and_encodings_are_read_all_the_same() {
    for scenario in ["reason_is_null", "answered_in_utf_16"] {
        leaves_nothing(&spoken(scenario).rows(1)).await;
    }
    let broken = spoken("answered_in_broken_utf_16").rows(1).unreadable(None, "not UTF-16LE", "fewer properties");
    pulls(&broken).await;
}

#[tokio::test]
async fn envelopes_that_are_none() {
    let old = spoken("soap_1_1").unreadable(None, "not of version 1.2", "check protocol, port and path");
    leaves_nothing(&old).await;
    let empty = spoken("fault_in_header_alone").unreadable(None, "the envelope holds no response", "log");
    leaves_nothing(&empty).await;
}

/// Nothing of this can mislead anybody: it is taken as it comes.
#[tokio::test]
async fn envelopes_that_are_odd() {
    for (scenario, rows) in [
        ("fault_in_header", 1),
        // One connection carries one question at a time: whose answer it is needs no name.
        ("answers_another_message", 1),
        ("instances_after_the_end", 2),
        ("two_bodies", 2),
        ("two_answers_in_one_body", 2),
        ("pull_answered_as_enumerate", 2),
        ("context_after_the_end", 3),
    ] {
        leaves_nothing(&spoken(scenario).rows(rows)).await;
    }
}

#[tokio::test]
async fn a_context_that_is_too_long_is_not_sent_back_and_the_one_before_it_is_released() {
    let overlong = spoken("context_is_overlong").rows(1).fails(
        Phase::Receive,
        ErrorKind::BadAnswer { offset: 0, item: None },
        "more than 65536 bytes",
        "check that this is a WS-Man server",
    );
    pulls(&overlong).await;
}

#[tokio::test]
async fn an_enumeration_that_repeats_its_context_ends_when_nothing_more_is_kept() {
    let case = spoken("repeats_its_context").limited("retained_rows = 7");
    let bench = Bench::with(&case, scenario(&case)).await;
    let mut seat = Seat::new(&bench, 120, 40);
    seat.open_the_table().await;
    let table = seat.state.table().expect("a table");
    assert_eq!((table.total(), table.capped), (7, true));
    let released = seat.state.operations().shown().find(|row| row.because_of.is_some());
    let outcome = released.map(|row| format!("{:?}", row.timeline.outcome)).unwrap_or_default();
    assert!(outcome.contains("Finished"), "it is released: {outcome}");
}

#[tokio::test]
async fn an_answer_far_larger_than_agreed_is_given_up_and_released() {
    let large = spoken("larger_than_agreed").rows(1).at_most(8_192_000 + SLACK).fails(
        Phase::Receive,
        ErrorKind::BadAnswer { offset: 0, item: None },
        "the answer is larger than 8192000 bytes, and 512000 were agreed",
        "wsman.max_envelope_size",
    );
    let (_, told) = pulls(&large).await;
    assert!(told.timeline.bytes().1 > 8_192_000, "up to there it is read");
}

#[tokio::test]
async fn what_was_pulled_once_is_not_pulled_again() {
    let cut = spoken("pull_closes_the_connection").rows(1).fails(
        Phase::Wait,
        ErrorKind::ConnectionLost,
        "closed the connection without answering",
        "log",
    );
    let (bench, told) = pulls(&cut).await;
    let asked = told
        .events
        .iter()
        .filter(|event| matches!(&event.kind, OpEventKind::PhaseStarted { phase: Phase::Pull(_), .. }));
    assert_eq!(asked.count(), 1);
    // GetClass, Enumerate, Pull, Release.
    assert_eq!(bench.server.seen().requests, 4);
}
