//! A profile that leaves its protocol open.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicBool, Ordering},
};

use lazycim::{
    op::{ErrorKind, OpError, OpEvent, OpEventKind, Phase, SessionId},
    session::{Target, profile::AUTO, url::Scheme},
};

use crate::fake::{Bench, Connection, Run, begin, end, ended, failure, operation, rest, rows, until};

const OPEN: SessionId = SessionId(2);

const ASKS: SessionId = SessionId(3);

/// What each protocol does when it is asked.
type Answers = Arc<dyn Fn(&str) -> Answer + Send + Sync>;

#[derive(Clone, Copy)]
enum Answer {
    Works,
    Fails(Phase, ErrorKindOf),
    FailsAfterRows,
}

type ErrorKindOf = fn() -> ErrorKind;

/// An engine whose protocols `wsman` and `cimxml` answer as told, and the session of a target that names neither.
fn bench(answers: Answers) -> (Bench, Arc<Mutex<Vec<String>>>) {
    let asked = Arc::new(Mutex::new(Vec::new()));
    let log = asked.clone();
    let run: Run = Box::new(move |_, cx| {
        let (log, answers) = (log.clone(), answers.clone());
        Box::pin(async move {
            let name = cx.target.protocol.clone();
            log.lock().unwrap().push(format!("{name}:{}{}", cx.target.port, cx.target.path));
            let lost = |phase, kind| Err(OpError::new(phase, "host:1", kind, format!("{name} broke"), "try this"));
            match answers(&name) {
                Answer::Works => Ok(()),
                Answer::Fails(phase, kind) => {
                    let _connection = (phase != Phase::Connect).then(|| Connection::open(cx.sink, None));
                    begin(cx.sink, phase);
                    lost(phase, kind())
                }
                Answer::FailsAfterRows => {
                    cx.sink.deliver(OpEventKind::Rows(rows(1))).await;
                    lost(Phase::Receive, ErrorKind::ConnectionLost)
                }
            }
        })
    });
    let bench = Bench::with(run, Box::new(|_, _| Box::pin(async { Ok(()) })), |settings| {
        let fake = (settings.protocols)("fake").unwrap();
        settings.protocols = Arc::new(move |name| matches!(name, "wsman" | "cimxml").then_some(fake));
    });
    let target = Target {
        computer: Some("host".to_owned()),
        protocol: AUTO.to_owned(),
        auto: Scheme::ALL.to_vec(),
        port: 5985,
        path: "/wsman".to_owned(),
        ..Target::this_computer()
    };
    bench.engine.open(OPEN, target.clone());
    // The same where somebody is asked for a password.
    bench.engine.open(ASKS, Target { user: Some("ann".to_owned()), allow_clear_text: true, ..target });
    (bench, asked)
}

async fn run(bench: &Bench) -> Vec<OpEvent> {
    let (id, events) = bench.start_in(OPEN, operation(), 4_096);
    ended(id, rest(events).await)
}

/// The rows of the attempts: what was tried, and why it came to nothing.
fn attempts(events: &[OpEvent]) -> Vec<(&str, Option<&str>)> {
    let mut attempts = Vec::new();
    for event in events {
        match &event.kind {
            OpEventKind::PhaseStarted { phase: Phase::Protocol, detail, .. } => {
                attempts.push((detail.as_deref().unwrap(), None));
            }
            OpEventKind::PhaseEnded { phase: Phase::Protocol, error, .. } => {
                attempts.last_mut().unwrap().1 = error.as_ref().map(|error| error.causes[0].as_str());
            }
            _ => {}
        }
    }
    attempts
}

fn warnings(events: &[OpEvent]) -> Vec<Arc<OpError>> {
    let warning = |event: &OpEvent| match &event.kind {
        OpEventKind::Warning(warning) => Some(warning.clone()),
        _ => None,
    };
    events.iter().filter_map(warning).collect()
}

#[tokio::test]
async fn the_next_is_tried_each_failure_is_told_and_what_worked_is_remembered() {
    let (bench, asked) = bench(Arc::new(|name| match name {
        "wsman" => Answer::Fails(Phase::Wait, || ErrorKind::Http(404)),
        _ => Answer::Works,
    }));
    let seen = run(&bench).await;
    assert!(matches!(end(&seen), OpEventKind::Finished(_)), "{seen:#?}");
    let told = warnings(&seen);
    assert_eq!(told.len(), 1, "{seen:#?}");
    assert_eq!(told[0].causes[0], "wsman: wsman broke; cimxml is tried next");
    assert_eq!((told[0].phase, &told[0].kind), (Phase::Wait, &ErrorKind::Http(404)));
    let died_in = seen.iter().find_map(|event| match &event.kind {
        OpEventKind::PhaseEnded { phase, error: Some(_), .. } => Some(*phase),
        _ => None,
    });
    assert_eq!(died_in, Some(Phase::Wait), "the row of the phase says where it died");
    assert_eq!(
        attempts(&seen),
        [("wsman, port 5985", Some("wsman: wsman broke; cimxml is tried next")), ("cimxml, port 5988", None)],
        "a row for each attempt"
    );
    assert_eq!(*asked.lock().unwrap(), ["wsman:5985/wsman", "cimxml:5988/cimom"]);
    let again = run(&bench).await;
    assert!(warnings(&again).is_empty());
    assert_eq!(asked.lock().unwrap()[2..], ["cimxml:5988/cimom"]);
    assert_eq!(attempts(&again), [("cimxml, port 5988", None)]);
}

#[tokio::test]
async fn where_none_works_the_first_that_answered_is_the_cause() {
    let (bench, _) = bench(Arc::new(|name| match name {
        "wsman" => Answer::Fails(Phase::Connect, || ErrorKind::ConnectionRefused),
        _ => Answer::Fails(Phase::Tls, || ErrorKind::Tls),
    }));
    let seen = run(&bench).await;
    let error = failure(&seen);
    assert_eq!((error.phase, &error.kind), (Phase::Tls, &ErrorKind::Tls));
    assert_eq!(error.causes, ["cimxml broke", "that was cimxml", "wsman: connect of host:1: wsman broke"]);
    let told: Vec<_> = attempts(&seen).into_iter().map(|(attempt, error)| (attempt, error.is_some())).collect();
    assert_eq!(told, [("wsman, port 5985", true), ("cimxml, port 5988", true)]);
}

#[tokio::test]
async fn an_attempt_that_was_refused_ends_before_another_password_is_waited_for() {
    let refused = Arc::new(AtomicBool::new(false));
    let (bench, _) = bench(Arc::new(move |_| match refused.swap(true, Ordering::SeqCst) {
        false => Answer::Fails(Phase::Wait, || ErrorKind::Unauthorized),
        true => Answer::Works,
    }));
    let (id, mut events) = bench.start_in(ASKS, operation(), 4_096);
    let mut seen = Vec::new();
    for password in ["wrong", "right"] {
        seen.extend(until(&mut events, |kind| matches!(kind, OpEventKind::SecretNeeded { .. })).await);
        bench.engine.give_secret(ASKS, Some(password.into()));
    }
    assert_eq!(attempts(&seen).len(), 1);
    let is_over = seen.iter().any(|it| matches!(it.kind, OpEventKind::PhaseEnded { phase: Phase::Protocol, .. }));
    assert!(is_over, "{seen:#?}");
    seen.extend(rest(events).await);
    let seen = ended(id, seen);
    assert!(matches!(end(&seen), OpEventKind::Finished(_)), "{seen:#?}");
    assert!(matches!(attempts(&seen)[..], [("wsman, port 5985", Some(_)), ("wsman, port 5985", None)]), "{seen:#?}");
}

#[tokio::test]
async fn an_answer_of_the_protocol_is_never_hidden_by_the_next() {
    for kind in [|| ErrorKind::Unauthorized, || ErrorKind::NotSupported, || ErrorKind::UnknownHost] {
        let kind: ErrorKindOf = kind;
        let (bench, asked) = bench(Arc::new(move |_| Answer::Fails(Phase::Wait, kind)));
        assert_eq!(failure(&run(&bench).await).kind, kind());
        assert_eq!(asked.lock().unwrap().len(), 1);
    }
}

#[tokio::test]
async fn what_has_delivered_rows_is_not_begun_again() {
    let (bench, asked) = bench(Arc::new(|_| Answer::FailsAfterRows));
    assert_eq!(failure(&run(&bench).await).kind, ErrorKind::ConnectionLost);
    assert_eq!(*asked.lock().unwrap(), ["wsman:5985/wsman"]);
}
