//! Tests of the timeline: the fold of an operation's events.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use super::*;
use crate::{
    cim::{
        CimClass, CimName, Namespace,
        rows::{CellRef, RowWriter, ShapeId},
    },
    op::{ErrorKind, Names, OpId, Summary},
};

const CONN: ConnId = ConnId(7);

fn ms(at: u64) -> Duration {
    Duration::from_millis(at)
}

fn told(timeline: &mut Timeline, at: u64, kind: OpEventKind) {
    timeline.apply(&OpEvent { op: OpId(1), at: ms(at), kind });
}

fn started(phase: Phase, conn: Option<ConnId>) -> OpEventKind {
    OpEventKind::PhaseStarted { conn, phase, detail: None }
}

fn ended(phase: Phase, conn: Option<ConnId>) -> OpEventKind {
    OpEventKind::PhaseEnded { conn, phase, error: None }
}

fn opened() -> OpEventKind {
    OpEventKind::ConnectionOpened { conn: CONN, purpose: Purpose::Server, peer: "127.0.0.1:5988".parse().unwrap() }
}

fn error() -> Arc<OpError> {
    Arc::new(OpError::new(Phase::Wait, "host", ErrorKind::TimedOut, "no answer", "try again"))
}

#[test]
fn phases_have_a_beginning_and_an_end() {
    let mut timeline = Timeline::default();
    told(&mut timeline, 0, started(Phase::Queue, None));
    told(&mut timeline, 2, ended(Phase::Queue, None));
    told(&mut timeline, 2, started(Phase::Connect, Some(CONN)));
    assert_eq!(timeline.running().map(|span| span.phase), Some(Phase::Connect));
    told(&mut timeline, 3, ended(Phase::Connect, Some(ConnId(8))));
    assert_eq!(timeline.running().map(|span| span.phase), Some(Phase::Connect), "another attempt's end");
    let failed = OpEventKind::PhaseEnded { conn: Some(CONN), phase: Phase::Connect, error: Some(error()) };
    told(&mut timeline, 5, failed);
    let spans = timeline.spans.iter().map(|span| (span.phase, span.start, span.end)).collect::<Vec<_>>();
    assert_eq!(spans, [(Phase::Queue, ms(0), Some(ms(2))), (Phase::Connect, ms(2), Some(ms(5)))]);
    assert!(timeline.spans[0].error.is_none() && timeline.spans[1].error.is_some());
    assert!(timeline.running().is_none());
}

#[test]
fn only_connections_that_came_up_count() {
    let mut timeline = Timeline::default();
    told(&mut timeline, 1, started(Phase::Connect, Some(ConnId(6))));
    told(&mut timeline, 1, OpEventKind::Progress { conn: CONN, sent: 10, received: 0 });
    told(&mut timeline, 2, opened());
    assert_eq!((timeline.opened(), timeline.closed()), (1, 0));
    assert_eq!(timeline.connections[0].sent, 10, "bytes told before the connection was");
    told(&mut timeline, 3, OpEventKind::Progress { conn: CONN, sent: 30, received: 400 });
    told(&mut timeline, 3, OpEventKind::Progress { conn: ConnId(9), sent: 1, received: 2 });
    assert_eq!(timeline.bytes(), (31, 402));
    told(&mut timeline, 4, OpEventKind::ConnectionClosed { conn: CONN, by: Closer::Peer });
    told(&mut timeline, 5, OpEventKind::ConnectionClosed { conn: CONN, by: Closer::Us });
    told(&mut timeline, 5, OpEventKind::ConnectionClosed { conn: ConnId(6), by: Closer::Us });
    assert_eq!((timeline.opened(), timeline.closed()), (1, 1));
    assert_eq!(timeline.connections[0].closed, Some((ms(4), Closer::Peer)), "the first close counts");
}

#[test]
fn rows_names_and_classes_are_counted() {
    let mut writer = RowWriter::default();
    for number in 0..3 {
        writer.begin(ShapeId(0));
        writer.cell(CellRef::UInt(number));
        writer.end();
    }
    let mut timeline = Timeline::default();
    told(&mut timeline, 1, OpEventKind::Rows(writer.take()));
    told(&mut timeline, 1, OpEventKind::Names(Names::Classes(vec![CimName::new("A"), CimName::new("B")])));
    told(&mut timeline, 1, OpEventKind::Names(Names::Namespaces(vec![Namespace::new("root")])));
    told(&mut timeline, 1, OpEventKind::Class(Arc::new(CimClass::new("A"))));
    assert_eq!(timeline.rows, 7);
}

#[test]
fn nothing_counts_after_the_end() {
    let mut timeline = Timeline::default();
    told(&mut timeline, 1, started(Phase::Receive, Some(CONN)));
    told(&mut timeline, 4, OpEventKind::Cancelled { left_open: Some("may stay open".to_owned()) });
    assert_eq!(timeline.spans[0].end, Some(ms(4)), "what was running ends with the operation");
    told(&mut timeline, 9, OpEventKind::Finished(Summary::default()));
    told(&mut timeline, 9, opened());
    told(&mut timeline, 9, started(Phase::Close, None));
    assert!(matches!(&timeline.outcome, Some((at, Outcome::Cancelled(Some(_)))) if *at == ms(4)));
    assert_eq!((timeline.at, timeline.spans.len(), timeline.opened()), (ms(4), 1, 0));
}

#[test]
fn a_server_cannot_make_it_grow_without_end() {
    let mut timeline = Timeline::default();
    for number in 0..10_000 {
        told(&mut timeline, 1, started(Phase::Pull(number), Some(CONN)));
        told(&mut timeline, 1, OpEventKind::Warning(error()));
    }
    assert_eq!(timeline.spans.len(), MAX_SPANS);
    assert_eq!(timeline.running().map(|span| span.phase), Some(Phase::Pull(9_999)), "the newest is kept");
    assert_eq!(timeline.warnings.len(), MAX_WARNINGS);
}

#[test]
fn phases_are_named_as_the_pane_shows_them() {
    let names = [Phase::Authenticate(1), Phase::Authenticate(2), Phase::Pull(3), Phase::Kdc(1), Phase::Tls]
        .map(|p| p.to_string());
    assert_eq!(names, ["authenticate", "authenticate 2", "pull 3", "kdc", "tls"]);
}
