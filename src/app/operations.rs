//! The log of operations: what ran, what runs, and the timeline of each.
//!
//! Owns: one [`OperationRow`] per operation, bounded. Must not know what an operation was for; [`super::State`] does.

use std::{collections::VecDeque, sync::Arc, time::Duration};

use super::{ListCursor, display};
use crate::{
    cim::ObjectPath,
    op::{OpEvent, OpEventKind, OpId, Operation, SessionId, Timeline},
};

/// One operation of the log.
#[derive(Clone, Debug)]
pub struct OperationRow {
    /// Its number.
    pub id: OpId,
    /// The session it ran on.
    pub session: SessionId,
    /// The operation's name: `EnumerateInstances`. For operations of the engine's own, all it says of them.
    pub name: String,
    /// What it is about, raw: a class, a path, or nothing.
    pub subject: String,
    /// A path in short, raw: what names the instance without what it shares with its neighbours.
    brief: Option<String>,
    /// The session, where one question went to several; raw.
    pub on: Option<Arc<str>>,
    /// The operation it cleans up after, for operations of the engine's own.
    pub because_of: Option<OpId>,
    /// When it was asked for, on the clock of [`super::State::now`].
    pub asked: Duration,
    /// It waits for its session's secret.
    pub waits_for_secret: bool,
    /// Everything told about it.
    pub timeline: Timeline,
}

impl OperationRow {
    /// What it is, escaped: its name, its subject and what it cleans up after.
    pub fn title(&self) -> String {
        self.titled(&self.subject)
    }

    /// The same with a path in short.
    pub fn brief_title(&self) -> String {
        self.titled(self.brief.as_ref().unwrap_or(&self.subject))
    }

    fn titled(&self, subject: &str) -> String {
        // Where several sessions do the same, which of them it is comes first.
        let mut out = self.on.as_ref().map(|session| format!("@{} ", display::safe(session))).unwrap_or_default();
        out.push_str(&display::safe(&self.name));
        if !subject.is_empty() {
            out.push(' ');
            out.push_str(&display::safe(subject));
        }
        if let Some(cause) = self.because_of {
            out.push_str(&format!(" after {cause}"));
        }
        out
    }

    /// Whether it has not ended yet.
    pub const fn is_running(&self) -> bool {
        self.timeline.outcome.is_none()
    }

    /// How long it ran, or runs at `now`.
    pub fn elapsed(&self, now: Duration) -> Duration {
        match &self.timeline.outcome {
            Some((at, _)) => *at,
            None => now.saturating_sub(self.asked).max(self.timeline.at),
        }
    }

    /// Bytes received a second over the whole operation so far; `None` before there is a rate worth the name (100 ms).
    pub fn rate(&self, now: Duration) -> Option<f64> {
        let seconds = self.elapsed(now).as_secs_f64();
        let received = self.timeline.bytes().1;
        (seconds >= 0.1 && received > 0).then(|| received as f64 / seconds)
    }
}

/// The path `subject` in short: class and value of the last key, which those before it only place. `None` for anything else.
fn brief(subject: &str) -> Option<String> {
    let path = subject.parse::<ObjectPath>().ok()?;
    let last = path.keys.last()?;
    let key = if path.keys.len() > 1 { "…" } else { last.name.as_str() };
    Some(format!("{}.{key}={}", path.class, display::key_value(&last.value)))
}

/// All operations of the log.
#[derive(Debug)]
pub struct Operations {
    /// Oldest first.
    rows: VecDeque<OperationRow>,
    limit: usize,
    /// The cursor of the pane, over [`Operations::shown`].
    pub list: ListCursor,
}

impl Operations {
    /// A log of at most `limit` operations. Running ones are never dropped.
    pub fn new(limit: usize) -> Self {
        Self { rows: VecDeque::new(), limit: limit.max(1), list: ListCursor::default() }
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether nothing ran yet.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The operations as the pane lists them: running ones first, then the others, newest first in both.
    pub fn shown(&self) -> impl Iterator<Item = &OperationRow> {
        let running = self.rows.iter().rev().filter(|row| row.is_running());
        running.chain(self.rows.iter().rev().filter(|row| !row.is_running()))
    }

    /// The operation under the pane's cursor.
    pub fn selected(&self) -> Option<&OperationRow> {
        self.shown().nth(self.list.at)
    }

    /// The operation `id`.
    pub fn get(&self, id: OpId) -> Option<&OperationRow> {
        self.rows.iter().rev().find(|row| row.id == id)
    }

    /// How many have not ended.
    pub fn running(&self) -> usize {
        self.rows.iter().filter(|row| row.is_running()).count()
    }

    /// How many on `session` have not ended.
    pub fn running_on(&self, session: SessionId) -> usize {
        self.rows.iter().filter(|row| row.session == session && row.is_running()).count()
    }

    /// The newest operation that has not ended.
    pub fn newest_running(&self) -> Option<&OperationRow> {
        self.rows.iter().rev().find(|row| row.is_running())
    }

    /// Connections open now, over all operations.
    pub fn open_connections(&self) -> usize {
        self.rows.iter().map(|row| row.timeline.opened() - row.timeline.closed()).sum()
    }

    /// Operations on `session` that wait for its secret.
    pub fn waiting_for_secret(&self, session: SessionId) -> usize {
        self.rows.iter().filter(|row| row.is_running() && row.session == session && row.waits_for_secret).count()
    }

    pub(super) fn add(&mut self, id: OpId, session: SessionId, operation: &Operation, asked: Duration) {
        self.push(OperationRow {
            id,
            session,
            name: operation.name().to_owned(),
            brief: brief(&operation.subject()),
            subject: operation.subject(),
            on: None,
            because_of: None,
            asked,
            waits_for_secret: false,
            timeline: Timeline::default(),
        });
    }

    /// Says on which of several sessions `id` runs.
    pub(super) fn name_session(&mut self, id: OpId, name: Arc<str>) {
        if let Some(row) = self.rows.iter_mut().rev().find(|row| row.id == id) {
            row.on = Some(name);
        }
    }

    fn push(&mut self, row: OperationRow) {
        while self.rows.len() >= self.limit {
            let Some(at) = self.rows.iter().position(|row| !row.is_running()) else { break };
            self.rows.remove(at);
        }
        self.rows.push_back(row);
    }

    /// Takes an event in; false if its operation is unknown, or had ended before.
    pub(super) fn apply(&mut self, event: &OpEvent, now: Duration) -> bool {
        if let OpEventKind::Started { title, because_of } = &event.kind
            && self.get(event.op).is_none()
            && let Some(session) = self.get(*because_of).map(|row| row.session)
        {
            self.push(OperationRow {
                id: event.op,
                session,
                name: title.clone(),
                subject: String::new(),
                brief: None,
                on: None,
                because_of: Some(*because_of),
                asked: now.saturating_sub(event.at),
                waits_for_secret: false,
                timeline: Timeline::default(),
            });
        }
        let Some(row) = self.rows.iter_mut().rev().find(|row| row.id == event.op) else { return false };
        if !row.is_running() {
            return false;
        }
        match &event.kind {
            OpEventKind::SecretNeeded { .. } => row.waits_for_secret = true,
            OpEventKind::PhaseStarted { .. } | OpEventKind::PhaseEnded { .. } => row.waits_for_secret = false,
            _ => {}
        }
        row.timeline.apply(event);
        if row.timeline.outcome.is_some() {
            row.waits_for_secret = false;
        }
        true
    }

    pub(super) fn secret_given(&mut self, session: SessionId) {
        for row in self.rows.iter_mut().filter(|row| row.session == session) {
            row.waits_for_secret = false;
        }
    }
}
