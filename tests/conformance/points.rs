//! An enumeration over WS-Man, ended at every point of its pull loop in every way there is: what was read of its context is released,
//! what had ended is not, and what cannot be known is said to stay open.
//!
//! That the first request asks for few elements is in `src/protocol/wsman/pull_tests.rs`.

use lazycim::op::{ErrorKind, OpEvent, OpEventKind, OpId, Phase, Timeouts};
use lazycim::server::{Scenario, ServerOptions};
use tokio::sync::mpsc;

use super::stage::*;

/// How it is ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ending {
    Cancel,
    Quit,
    /// The server closes the connection.
    Cut,
}

/// What stands open on the server then.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Left {
    /// Nothing.
    Nothing,
    /// Nobody can know.
    Unknown,
    /// The enumeration of this context.
    Open(&'static str),
}

/// A point of the loop.
struct Point {
    name: &'static str,
    /// The answers before it, as whole steps of a scenario.
    before: String,
    /// The operation that is not answered to its end.
    operation: &'static str,
    /// What comes of its answer, head included.
    answered: String,
    /// Rows that have come when it is reached.
    rows: usize,
    /// Where it stands then.
    phase: Phase,
    left: Left,
}

const HEAD: &str =
    "HTTP/1.1 200 OK\r\nContent-Type: application/soap+xml;charset=UTF-8\r\nContent-Length: 100000\r\n\r\n";

/// A part of the ordinary answers.
fn part(name: &str) -> String {
    let file = format!("{}/tests/scenarios/{}/{name}.xml", env!("CARGO_MANIFEST_DIR"), WSMAN.folder);
    std::fs::read_to_string(file).unwrap().trim_end().to_owned()
}

/// A whole answer.
fn step(operation: &str, body: &str) -> String {
    format!("[[step]]\noperation = \"{operation}\"\ntimes = 1\nstatus = 200\nbody = '''{body}'''\n")
}

/// The beginning of an answer to Pull that goes on at `context`.
fn pull(context: &str) -> String {
    part("pull").replace("uuid:scripted-1", context)
}

fn points() -> Vec<Point> {
    let open = part("open");
    let (before_context, _) = open.split_once("<n:EnumerationContext>").unwrap();
    let pulled = pull("uuid:newer");
    let (before_newer, _) = pulled.split_once("<n:EnumerationContext>").unwrap();
    let first = step("Enumerate", &[&open, &*part("row_one"), &part("opened")].concat());
    let second = first.clone() + &step("Pull", &[&pull("uuid:second"), &*part("row_two"), &part("more")].concat());
    let ended = "</n:Items><n:EndOfSequence/><n:Items>";
    let point = |name, before: &str, operation, answered: &[&str], rows, phase, left| {
        let answered = if answered.is_empty() { String::new() } else { HEAD.to_owned() + &answered.concat() };
        Point { name, before: before.to_owned(), operation, answered, rows, phase, left }
    };
    let (wait, receive) = (Phase::Wait, Phase::Receive);
    let scripted = Left::Open("uuid:scripted-1");
    vec![
        point("Enumerate sent", "", "Enumerate", &[], 0, wait, Left::Unknown),
        point("Enumerate's head", "", "Enumerate", &[""], 0, receive, Left::Unknown),
        point("before its context", "", "Enumerate", &[before_context], 0, receive, Left::Unknown),
        point("behind its context", "", "Enumerate", &[&open, &part("row_one")], 1, receive, scripted),
        point(
            "behind its end",
            "",
            "Enumerate",
            &[&open, "</w:Items><w:EndOfSequence/><w:Items>", &part("row_one")],
            1,
            receive,
            Left::Nothing,
        ),
        point("Pull sent", &first, "Pull", &[], 1, wait, scripted),
        point("Pull's head", &first, "Pull", &[""], 1, receive, scripted),
        point("before Pull's context", &first, "Pull", &[before_newer], 1, receive, scripted),
        point(
            "behind Pull's context",
            &first,
            "Pull",
            &[&pulled, &part("row_two")],
            2,
            receive,
            Left::Open("uuid:newer"),
        ),
        point("behind Pull's end", &first, "Pull", &[&pulled, ended, &part("row_two")], 2, receive, Left::Nothing),
        point("second Pull sent", &second, "Pull", &[], 2, wait, Left::Open("uuid:second")),
        point(
            "behind the second's end",
            &second,
            "Pull",
            &[&pulled, ended, &part("row_three")],
            3,
            receive,
            Left::Nothing,
        ),
    ]
}

/// A server that comes to `point` and, as `then` says, never goes on or closes. It releases the context that is right alone.
fn scripted_to(point: &Point, then: &str) -> ServerOptions {
    let released = match point.left {
        Left::Open(context) => {
            let body = part("released");
            format!("[[step]]\noperation = \"Release\"\ncontains = \"{context}<\"\nstatus = 200\nbody = '''{body}'''\n")
        }
        _ => String::new(),
    };
    let refused = format!("[[step]]\noperation = \"Release\"\nstatus = 500\nbody = '''{}'''\n", part("not_now"));
    let (operation, answered) = (point.operation, toml::Value::from(point.answered.as_str()));
    let stops = format!("[[step]]\noperation = \"{operation}\"\nraw = {answered}\nthen = \"{then}\"\n");
    let text = format!("about = \"{}\"\n{}{stops}{released}{refused}", point.name, point.before);
    ServerOptions::scripted(Scenario::parse(&text, std::path::Path::new(".")).unwrap())
}

/// Hears until `point` is reached.
async fn reach(point: &Point, id: OpId, events: &mut mpsc::Receiver<OpEvent>) -> Vec<OpEvent> {
    let mut seen = match point.operation {
        "Pull" => until(events, begins(Phase::Pull(if point.before.contains("uuid:second") { 2 } else { 1 }))).await,
        _ => until(events, |kind| matches!(kind, OpEventKind::PhaseEnded { phase: Phase::Schema, .. })).await,
    };
    seen.extend(until(events, begins(point.phase)).await);
    while rows(id, &seen) < point.rows {
        seen.extend(until(events, |kind| matches!(kind, OpEventKind::Rows(_))).await);
    }
    seen
}

#[tokio::test]
async fn whatever_is_open_is_released_wherever_the_loop_ends() {
    for point in points() {
        for ending in [Ending::Cancel, Ending::Quit, Ending::Cut] {
            let at = format!("{}, {ending:?}", point.name);
            let then = if ending == Ending::Cut { "close" } else { "stall" };
            let stage = Stage::new(WSMAN, None, scripted_to(&point, then), Timeouts::default()).await;
            let (id, mut events) = stage.start(pulled());
            let seen = match ending {
                Ending::Cut => Vec::new(),
                _ => reach(&point, id, &mut events).await,
            };
            match ending {
                Ending::Cancel => stage.engine.cancel(id),
                Ending::Quit => stage.engine.shut_down().await,
                Ending::Cut => {}
            }
            let seen = ended(id, rest(seen, events).await);
            assert_eq!(rows(id, &seen), point.rows, "{at}: what came stays");
            let is_said = match end(id, &seen) {
                OpEventKind::Cancelled { left_open } => left_open.is_some_and(|text| text.contains("until it expires")),
                OpEventKind::Failed(error) => {
                    assert_eq!((ending, &error.kind), (Ending::Cut, &ErrorKind::ConnectionLost), "{at}: {error}");
                    of(id, &seen).iter().any(|event| {
                        matches!(&event.kind, OpEventKind::Warning(said) if said.cause().contains("until it expires"))
                    })
                }
                other => panic!("{at}: {other:?}"),
            };
            assert_eq!(is_said, point.left == Left::Unknown, "{at}: {seen:#?}");
            match (point.left, clean_up(id, &seen)) {
                (Left::Open(_), Some((_, OpEventKind::Finished(_)))) | (Left::Nothing | Left::Unknown, None) => {}
                (left, found) => panic!("{at}: {left:?}, and {found:?}"),
            }
            stage.idle().await;
        }
    }
}

/// Nothing is asked for before the class is there: nothing can be open.
#[tokio::test]
async fn before_the_first_request_nothing_is_open() {
    for ending in [Ending::Cancel, Ending::Quit] {
        let stage = Stage::new(WSMAN, None, scripted("stall_before_answer"), Timeouts::default()).await;
        let (id, mut events) = stage.start(pulled());
        let seen = until(&mut events, begins(Phase::Wait)).await;
        match ending {
            Ending::Quit => stage.engine.shut_down().await,
            _ => stage.engine.cancel(id),
        }
        let seen = ended(id, rest(seen, events).await);
        assert!(matches!(end(id, &seen), OpEventKind::Cancelled { left_open: None }), "{ending:?}: {seen:#?}");
        assert!(clean_up(id, &seen).is_none(), "{ending:?}");
        stage.idle().await;
    }
}

/// A Release that is not answered does not hold anybody up, and is said to have left it open.
#[tokio::test]
async fn a_release_that_is_ended_itself_is_over() {
    for ending in [Ending::Cancel, Ending::Quit] {
        let stage = Stage::new(WSMAN, None, spoken(WSMAN, "close_is_not_answered"), Timeouts::default()).await;
        let (id, mut events) = stage.start(pulled());
        let mut seen = until(&mut events, |kind| matches!(kind, OpEventKind::Started { .. })).await;
        let release = seen.last().unwrap().op;
        seen.extend(until(&mut events, begins(Phase::Wait)).await);
        match ending {
            Ending::Quit => stage.engine.shut_down().await,
            _ => stage.engine.cancel(release),
        }
        let seen = ended(id, rest(seen, events).await);
        assert!(matches!(end(id, &seen), OpEventKind::Failed(_)), "{ending:?}: {seen:#?}");
        match end(release, &seen) {
            OpEventKind::Failed(error) => assert!(error.cause().contains("stays open on the server"), "{error}"),
            OpEventKind::Cancelled { .. } => assert_eq!(ending, Ending::Cancel),
            other => panic!("{ending:?}: {other:?}"),
        }
        stage.idle().await;
    }
}
