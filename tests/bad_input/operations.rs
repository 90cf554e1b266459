//! The same bad input on every operation there is, asked for at once and pulled.

use lazycim::{
    cim::{CimError, CimStatus},
    op::{ErrorKind, OpEventKind},
    server::Scenario,
};

use super::bench::*;

/// The scenario `name` with `operation` where it names the operation that goes wrong.
fn aimed(name: &str, operation: &str) -> Scenario {
    let text = std::fs::read_to_string(folder().join(name).with_extension("toml")).unwrap();
    let text = text.replace("operation = \"EnumerateInstances\"", &format!("operation = \"{operation}\""));
    Scenario::parse(&text, &folder()).unwrap()
}

/// Runs `ask` against `case` and answers how it failed, after holding it to what every operation promises and after seeing that
/// the session goes on.
async fn meets(case: &Case, ask: Ask) -> Option<ErrorKind> {
    let pulls = case.pull != lazycim::session::PullUse::Never;
    let name = format!("{} of {ask:?}, pulled: {pulls}", case.scenario);
    let bench = Bench::with(case, aimed(case.scenario, ask.wire_name(pulls))).await;
    let told = bench.run(ask, None).await;
    keeps_its_promises(&name, &told);
    bench.is_usable(&name).await;
    let end = told.events.last().map(|event| &event.kind);
    assert!(matches!(end, Some(OpEventKind::Failed(_) | OpEventKind::Finished(_))), "{name}: {end:?}");
    told.failure().map(|error| error.kind.clone())
}

fn bad_answer() -> ErrorKind {
    ErrorKind::BadAnswer { offset: 0, item: None }
}

/// What goes wrong, and how that is told whatever was asked.
fn inputs() -> Vec<(Case, ErrorKind)> {
    vec![
        (case("sends_html"), bad_answer()),
        (case("sends_json"), bad_answer()),
        (case("sends_soap"), bad_answer()),
        (case("sends_nothing"), bad_answer()),
        (case("internal_subset"), bad_answer()),
        (case("header_fields"), ErrorKind::Limit("header_fields")),
        (case("header_bytes"), ErrorKind::Limit("header_bytes")),
        (case("redirects"), ErrorKind::Redirect),
        (case("forbids"), ErrorKind::Http(403)),
        (case("sends_no_http"), ErrorKind::BadHttp),
    ]
}

/// The same for what a server may also do that does not know how to open an enumeration.
fn ambiguous() -> Vec<(Case, ErrorKind)> {
    vec![
        (case("closes_without_answer"), ErrorKind::ConnectionLost),
        (case("sends_html_404"), ErrorKind::Http(404)),
        (case("no_length_400"), ErrorKind::Http(400)),
    ]
}

#[tokio::test]
async fn each_is_told_alike_whatever_was_asked() {
    for (case, kind) in inputs().into_iter().chain(ambiguous()) {
        for ask in EVERYTHING {
            let found = meets(&case, ask).await;
            // One interop namespace that does not answer is no reason to give up: the next ones are asked, and say no.
            let passed = matches!(ask, Ask::Namespaces) && kind == ErrorKind::ConnectionLost;
            let kind = if passed { no_such_namespace() } else { kind.clone() };
            assert!(found.as_ref().is_some_and(|found| same(&kind, found)), "{} of {ask:?}: {found:?}", case.scenario);
        }
    }
}

fn no_such_namespace() -> ErrorKind {
    let (status, description) = (CimStatus::INVALID_NAMESPACE, "no namespace root".to_owned());
    ErrorKind::Cim(std::sync::Arc::new(CimError { status, description, details: Vec::new() }))
}

/// What can be pulled.
const PULLED: [Ask; 5] = [Ask::Instances, Ask::Names, Ask::Associators, Ask::ReferenceNames, Ask::Query];

#[tokio::test]
async fn each_is_told_alike_where_an_enumeration_is_opened() {
    for (case, kind) in inputs() {
        let case = case.pulls();
        for ask in PULLED {
            let found = meets(&case, ask).await;
            assert!(found.as_ref().is_some_and(|found| same(&kind, found)), "{} of {ask:?}: {found:?}", case.scenario);
        }
    }
}

#[tokio::test]
async fn what_may_mean_that_nothing_is_opened_there_is_followed_by_the_plain_question() {
    for (case, _) in ambiguous() {
        let case = case.pulls();
        for ask in [Ask::Instances, Ask::Names, Ask::Query] {
            assert_eq!(meets(&case, ask).await, None, "{} of {ask:?}", case.scenario);
        }
    }
}

#[tokio::test]
async fn none_waits_beyond_its_time_out() {
    for ask in EVERYTHING {
        let case = case("stalls_before_answer").timed(|timeouts| timeouts.first_byte = SHORT);
        assert_eq!(meets(&case, ask).await, Some(ErrorKind::TimedOut), "{ask:?}");
    }
}
