//! Each limit of `op::Limits`, made small in config.toml, and reached: each with an error or a mark of its own.

use lazycim::op::{ErrorKind, OpEvent, OpEventKind, Phase, SessionId};
use tokio::sync::mpsc;

use super::{
    bench::*,
    screen::{Seat, text_of},
};

/// What is taken in beyond a limit at most: the pieces in which a body comes.
const SLACK: u64 = 512 << 10;

fn reached(case: Case, key: &'static str, cause: &'static str, hint: &'static str) -> Case {
    case.fails(Phase::Receive, ErrorKind::Limit(key), cause, hint)
}

#[tokio::test]
async fn of_what_an_answer_holds() {
    for over in SUBJECTS {
        for case in [
            reached(
                case("deep_nesting").rows(2).limited("xml_depth = 20"),
                "xml_depth",
                "nested deeper than 20",
                "limits.xml_depth",
            ),
            reached(
                case("embedded_deep").rows(1).limited("embedded_depth = 3"),
                "embedded_depth",
                "embedded deeper than 3",
                "limits.embedded_depth",
            ),
            // At the limit, and with what is the limit by default.
            case("embedded_deep").rows(2).limited("embedded_depth = 4"),
            case("embedded_deep").rows(2),
            reached(case("long_name").rows(1), "name_bytes", "longer than 4096 bytes", "limits.name_bytes"),
            case("long_name").rows(2).limited("name_bytes = 5_000"),
            reached(
                case("long_value").rows(1).limited("value_bytes = 49_999"),
                "value_bytes",
                "longer than 49999 bytes",
                "limits.value_bytes",
            ),
            case("long_value").rows(2).limited("value_bytes = 50_000"),
            reached(
                case("endless_value").rows(2).limited("buffer_bytes = 200_000").at_most(200_000 + SLACK),
                "buffer_bytes",
                "longer than 200000 bytes",
                "limits.buffer_bytes",
            ),
        ] {
            play(&case.over(over)).await;
        }
    }
}

#[tokio::test]
async fn of_the_header_block() {
    let in_head = |case: Case, key, cause, hint| case.fails(Phase::Wait, ErrorKind::Limit(key), cause, hint);
    for over in SUBJECTS {
        for case in [
            in_head(
                case("header_fields").limited("header_fields = 20"),
                "header_fields",
                "301 header fields, the limit is 20",
                "limits.header_fields",
            ),
            in_head(
                case("header_bytes").limited("header_bytes = 4_000"),
                "header_bytes",
                "the limit is 4000",
                "limits.header_bytes",
            ),
        ] {
            play(&case.over(over)).await;
        }
    }
}

#[tokio::test]
async fn of_rows_nobody_has_taken() {
    for over in SUBJECTS {
        rows_nobody_has_taken(over).await;
    }
}

async fn rows_nobody_has_taken(over: Subject) {
    let bench = Bench::new(&case("many_rows").limited("undrained_rows = 20").over(over)).await;
    // Room for every event: what holds the rows back is the limit.
    let (sender, mut receiver) = mpsc::channel(10_000);
    bench.engine.start(SESSION, bench.engine.ids().next(), Ask::Instances.operation(), sender);
    let (mut rows, mut most) = (0, 0);
    let rows_of = |event: &OpEvent| match &event.kind {
        OpEventKind::Rows(batch) => batch.len(),
        _ => 0,
    };
    while let Some(event) = receiver.recv().await {
        // Whoever has something to do does it, on this one thread, before what lies there is counted.
        for _ in 0..64 {
            tokio::task::yield_now().await;
        }
        let mut lying = rows_of(&event);
        while let Ok(event) = receiver.try_recv() {
            lying += rows_of(&event);
        }
        rows += lying;
        most = most.max(lying);
    }
    assert_eq!(rows, 2_000);
    assert!((2..=20).contains(&most), "{most} rows lay there");
}

async fn until(events: &mut mpsc::Receiver<OpEvent>, wanted: impl Fn(&OpEventKind) -> bool) -> OpEventKind {
    loop {
        let event = events.recv().await.expect("it comes");
        if wanted(&event.kind) {
            return event.kind;
        }
    }
}

#[tokio::test]
async fn of_operations_in_flight() {
    let full = [
        ("in_flight_per_session = 1", [SESSION, SESSION], "1 in flight in this session"),
        ("in_flight = 1", [SESSION, SessionId(2)], "1 in flight in all"),
    ];
    for (over, (limits, sessions, obstacle)) in SUBJECTS.into_iter().flat_map(|over| full.map(|full| (over, full))) {
        let bench = Bench::new(&case("waits").ask(Ask::Names).limited(limits).over(over)).await;
        bench.engine.open(SessionId(2), bench.target.clone());
        let mut started = sessions.map(|session| {
            let (sender, receiver) = mpsc::channel(64);
            bench.engine.start(session, bench.engine.ids().next(), Ask::Names.operation(), sender);
            receiver
        });
        let [first, second] = &mut started;
        let queued = |kind: &OpEventKind| matches!(kind, OpEventKind::PhaseStarted { phase: Phase::Queue, .. });
        let OpEventKind::PhaseStarted { detail, .. } = until(second, queued).await else { unreachable!() };
        assert_eq!(detail.as_deref(), Some(obstacle));
        let waits = |kind: &OpEventKind| matches!(kind, OpEventKind::PhaseStarted { phase: Phase::Wait, .. });
        until(first, waits).await;
        assert!(second.try_recv().is_err(), "{limits}: it waits for its turn");
        bench.server.open_gate("go");
        for events in &mut started {
            let end = until(events, OpEventKind::is_terminal).await;
            assert!(matches!(end, OpEventKind::Finished(_)), "{limits}: {end:?}");
        }
    }
}

#[tokio::test]
async fn of_what_is_kept_of_a_result() {
    let kept = [("retained_rows = 7", 7), ("retained_bytes = 8_192", 400)];
    for (over, (limits, most)) in SUBJECTS.into_iter().flat_map(|over| kept.map(|kept| (over, kept))) {
        let bench = Bench::new(&case("many_rows").limited(limits).over(over)).await;
        let mut seat = Seat::new(&bench, 120, 40);
        seat.open_the_table().await;
        let table = seat.state.table().expect("a table");
        assert!(table.capped, "{limits}");
        assert!((1..=most).contains(&table.total()), "{limits}: {} rows", table.total());
        assert!(text_of(&seat.buffer()).contains("capped"), "{limits}:\n{}", text_of(&seat.buffer()));
        seat.keys("r").await;
        let table = seat.state.table().expect("a table");
        assert_eq!((table.total(), table.capped), (1, false), "{limits}: the session is usable");
    }
}

#[tokio::test]
async fn of_operations_in_the_log() {
    let bench = Bench::new(&case("as_it_should").limited("logged_operations = 3")).await;
    let mut seat = Seat::new(&bench, 120, 40);
    seat.open_the_table().await;
    let newest = |seat: &Seat<'_>| seat.state.operations().shown().next().map(|row| row.id);
    let before = newest(&seat);
    for _ in 0..4 {
        seat.keys("r").await;
    }
    assert_eq!(seat.state.operations().len(), 3);
    assert_ne!(newest(&seat), before, "the newest stay");
}
