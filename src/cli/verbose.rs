//! `-v`: what each operation does, a line at a time.
//!
//! Owns: the form `#ID +MS PHASE DETAIL`, `#ID raw TEXT` around what could not be read, and the last line of each operation. Must not count anything itself: the numbers
//! are those of the [`Timeline`], which the status pane shows as well.

use std::{collections::BTreeMap, time::Duration};

use super::failure::{say, say_danger};
use crate::op::{Closer, OpEvent, OpEventKind, OpId, Phase, RowTone, Timeline, lifecycle::Outcome};

/// The cells a line of raw text takes at most.
const RAW_WIDTH: usize = 100;

/// Tells on stderr what operations do, if asked to.
pub(super) struct Verbose {
    on: bool,
    /// What is less safe about the session than it could be.
    dangers: Vec<&'static str>,
    running: BTreeMap<OpId, Timeline>,
}

impl Verbose {
    /// Silent unless `on`. Every operation begins with the `dangers` of its session.
    pub(super) const fn new(on: bool, dangers: Vec<&'static str>) -> Self {
        Self { on, dangers, running: BTreeMap::new() }
    }

    /// Takes one event in.
    pub(super) fn event(&mut self, event: &OpEvent) {
        if !self.on {
            return;
        }
        let timeline = self.running.entry(event.op).or_default();
        let known = timeline.certificates.len();
        timeline.apply(event);
        let start = format!("{} +{}", event.op, milliseconds(event.at));
        if let Some(text) = words(&event.kind) {
            say(&format!("{start} {text}"));
        }
        if matches!(event.kind, OpEventKind::Queued) {
            self.dangers.iter().for_each(|danger| say_danger(&format!("{start} queue WARNING: {danger}")));
        }
        // One that is shown again, on another connection, is told once.
        for (_, certificate) in timeline.certificates.iter().skip(known) {
            for (label, text, tone) in certificate.rows() {
                let line = format!("{start} {} {label}: {text}", Phase::Tls);
                if tone == RowTone::Danger { say_danger(&line) } else { say(&line) }
            }
        }
        if let OpEventKind::Failed(error) = &event.kind {
            for line in error.raw.iter().flat_map(|raw| raw.lines(RAW_WIDTH)) {
                say(&format!("{} raw {}", event.op, line.text));
            }
        }
        if event.kind.is_terminal() {
            say(&format!("{} {}", event.op, last_line(timeline)));
            self.running.remove(&event.op);
        }
    }
}

fn words(kind: &OpEventKind) -> Option<String> {
    Some(match kind {
        OpEventKind::Started { title, because_of } => format!("queue {title}, because of {because_of}"),
        OpEventKind::SecretNeeded { user, again: false } => format!("queue waits for the secret of {user}"),
        OpEventKind::SecretNeeded { user, again: true } => format!("queue waits for another secret of {user}"),
        // Told once the connection is closed, and then by whom.
        OpEventKind::PhaseStarted { phase: Phase::Close, .. } => return None,
        OpEventKind::PhaseStarted { phase, detail: Some(detail), .. } => format!("{phase} {detail}"),
        OpEventKind::PhaseStarted { phase, detail: None, .. } => phase.to_string(),
        OpEventKind::PhaseEnded { phase, error: Some(error), .. } => format!("{phase} failed: {}", error.cause()),
        OpEventKind::ConnectionOpened { peer, .. } => format!("connect opened {peer}"),
        OpEventKind::ConnectionClosed { by: Closer::Us, .. } => "close by us".to_owned(),
        OpEventKind::ConnectionClosed { by: Closer::Peer, .. } => "close by the server".to_owned(),
        _ => return None,
    })
}

/// `OUTCOME ROWS rows, MS ms, N opened, N closed, SENT/RECEIVED bytes`
fn last_line(timeline: &Timeline) -> String {
    let (at, outcome) = match &timeline.outcome {
        Some((at, Outcome::Finished(_))) => (*at, "finished"),
        Some((at, Outcome::Failed(_))) => (*at, "failed"),
        Some((at, Outcome::Cancelled(_))) => (*at, "cancelled"),
        None => (timeline.at, "running"),
    };
    let (sent, received) = timeline.bytes();
    format!(
        "{outcome} {} rows, {} ms, {} opened, {} closed, {sent}/{received} bytes",
        timeline.rows,
        milliseconds(at),
        timeline.opened(),
        timeline.closed()
    )
}

/// Milliseconds with one decimal.
pub(super) fn milliseconds(time: Duration) -> String {
    let tenths = time.as_micros() / 100;
    format!("{}.{}", tenths / 10, tenths % 10)
}
