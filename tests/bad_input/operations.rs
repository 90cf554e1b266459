//! The same bad input on every operation there is, over every protocol, asked for at once and pulled.

use lazycim::{
    cim::{CimError, CimStatus},
    op::{ErrorKind, OpEventKind, Phase},
};

use super::bench::*;

/// Runs `case` and answers how it failed, after holding it to what every operation promises and after seeing that the session
/// goes on.
async fn meets(case: &Case) -> Option<ErrorKind> {
    let name = case.name();
    let bench = Bench::new(case).await;
    let told = bench.run(case.ask, None).await.of_the_operation();
    keeps_its_promises(&name, &told);
    bench.is_usable(&name).await;
    let end = told.events.last().map(|event| &event.kind);
    assert!(matches!(end, Some(OpEventKind::Failed(_) | OpEventKind::Finished(_))), "{name}: {end:?}");
    told.failure().map(|error| error.kind.clone())
}

fn is_as_told(expected: Option<&ErrorKind>, found: Option<&ErrorKind>) -> bool {
    match (expected, found) {
        (None, None) => true,
        (Some(expected), Some(found)) => same(expected, found),
        _ => false,
    }
}

const BAD_ANSWER: ErrorKind = ErrorKind::BadAnswer { offset: 0, item: None };

/// What goes wrong, and how that is told whatever was asked.
const INPUTS: [(&str, ErrorKind); 10] = [
    ("sends_html", BAD_ANSWER),
    ("sends_json", BAD_ANSWER),
    ("sends_the_other", BAD_ANSWER),
    ("sends_nothing", BAD_ANSWER),
    ("internal_subset", BAD_ANSWER),
    ("header_fields", ErrorKind::Limit("header_fields")),
    ("header_bytes", ErrorKind::Limit("header_bytes")),
    ("redirects", ErrorKind::Redirect),
    ("forbids", ErrorKind::Http(403)),
    ("sends_no_http", ErrorKind::BadHttp),
];

/// The same for what a server may also do that does not know how to open an enumeration.
const AMBIGUOUS: [(&str, ErrorKind); 3] = [
    ("closes_without_answer", ErrorKind::ConnectionLost),
    ("sends_html_404", ErrorKind::Http(404)),
    ("no_length_400", ErrorKind::Http(400)),
];

/// What comes of `kind` where it may only mean that one way of asking is closed.
fn told(over: Subject, ask: Ask, kind: ErrorKind) -> Option<ErrorKind> {
    match (over, ask, &kind) {
        // One interop namespace that does not answer is no reason to give up: the next ones are asked, and say no.
        (CIMXML, Ask::Namespaces, ErrorKind::ConnectionLost) => Some(no_such_namespace()),
        // The answer has a header of CIM-XML: no other question will do better.
        (WSMAN, _, ErrorKind::Http(400)) => Some(ErrorKind::OtherProtocol),
        // WS-Man has more ways to the namespaces than one, and the others are open.
        (WSMAN, Ask::Namespaces, ErrorKind::ConnectionLost | ErrorKind::Http(403)) => None,
        _ => Some(kind),
    }
}

#[tokio::test]
async fn each_is_told_alike_whatever_was_asked() {
    for over in SUBJECTS {
        for (scenario, kind) in INPUTS.into_iter().chain(AMBIGUOUS) {
            for ask in Ask::everything(over) {
                let case = case(scenario).ask(ask).over(over);
                let (expected, found) = (told(over, ask, kind.clone()), meets(&case).await);
                assert!(is_as_told(expected.as_ref(), found.as_ref()), "{}: {found:?}", case.name());
            }
        }
    }
}

fn no_such_namespace() -> ErrorKind {
    let (status, description) = (CimStatus::INVALID_NAMESPACE, "no namespace root".to_owned());
    ErrorKind::Cim(std::sync::Arc::new(CimError { status, description, details: Vec::new() }))
}

/// What can be pulled over CIM-XML; over WS-Man it always is.
const PULLED: [Ask; 5] = [Ask::Instances, Ask::Names, Ask::Associators, Ask::ReferenceNames, Ask::Query];

#[tokio::test]
async fn each_is_told_alike_where_an_enumeration_is_opened() {
    for (scenario, kind) in INPUTS {
        for ask in PULLED {
            let case = case(scenario).pulls().ask(ask);
            let found = meets(&case).await;
            assert!(is_as_told(Some(&kind), found.as_ref()), "{}: {found:?}", case.name());
        }
    }
}

#[tokio::test]
async fn what_may_mean_that_nothing_is_opened_there_is_followed_by_the_plain_question() {
    for (scenario, _) in AMBIGUOUS {
        for ask in [Ask::Instances, Ask::Names, Ask::Query] {
            let case = case(scenario).pulls().ask(ask);
            assert_eq!(meets(&case).await, None, "{}", case.name());
        }
    }
}

#[tokio::test]
async fn none_waits_beyond_its_time_out() {
    for over in SUBJECTS {
        for ask in Ask::everything(over) {
            let case = case("stalls_before_answer").ask(ask).over(over).timed(|timeouts| timeouts.first_byte = SHORT);
            assert_eq!(meets(&case).await, Some(ErrorKind::TimedOut), "{}", case.name());
        }
    }
}

#[tokio::test]
async fn what_a_protocol_does_not_have_is_not_asked() {
    for ask in CIMXML_ALONE {
        let case = case("as_it_should").ask(ask).over(WSMAN).fails(
            Phase::Send,
            ErrorKind::NotSupported,
            "WS-Man does not have this operation",
            "use cimxml",
        );
        assert_eq!(play(&case).await.1.timeline.opened(), 0, "{}", case.name());
    }
}
