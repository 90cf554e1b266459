//! The log of errors and notices, and the toasts that tell of the newest.
//!
//! Owns: entries, bounded, and how long a toast stays. Must not hold secrets; errors never do.

use std::{collections::VecDeque, sync::Arc, time::Duration};

use super::display;
use crate::op::{OpError, OpId, SessionId};

/// The most entries kept.
const ENTRIES: usize = 1_000;
/// The most toasts shown at a time.
const TOASTS: usize = 3;

/// How grave an entry is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Good to know.
    Notice,
    /// Something did not go as it should, and work goes on.
    Warning,
    /// Something failed.
    Error,
}

/// One entry.
#[derive(Clone, Debug)]
pub struct LogEntry {
    /// Its number, from 1.
    pub number: u64,
    /// When, on the clock of [`super::State::now`].
    pub at: Duration,
    /// How grave.
    pub level: Level,
    /// The session it is about.
    pub session: Option<SessionId>,
    /// The operation it is about.
    pub op: Option<OpId>,
    /// What happened on one line, escaped.
    pub text: String,
    /// What to try, escaped; may be empty.
    pub hint: String,
    /// The whole error.
    pub error: Option<Arc<OpError>>,
}

impl LogEntry {
    /// The entry in full, a line each, escaped: phase, target, the chain of causes, what to try, the raw text around a fault.
    pub fn lines(&self) -> Vec<String> {
        let mut lines = Vec::new();
        match &self.error {
            Some(error) => {
                lines.push(format!("phase   {}", error.phase));
                lines.push(format!("target  {}", display::safe(&error.target)));
                for (depth, cause) in error.causes.iter().enumerate() {
                    let label = if depth == 0 { "cause   " } else { "because " };
                    let mut parts = cause.lines().map(display::safe);
                    lines.push(format!("{label}{}", parts.next().unwrap_or_default()));
                    lines.extend(parts.map(|part| format!("        {part}")));
                }
            }
            None => lines.push(self.text.clone()),
        }
        if !self.hint.is_empty() {
            lines.push(format!("try     {}", self.hint));
        }
        let raw = self.error.iter().filter_map(|error| error.raw.as_ref()).flat_map(|raw| raw.lines(usize::MAX));
        for (at, line) in raw.enumerate() {
            lines.push(format!("{}{}", if at == 0 { "raw     " } else { "        " }, line.text));
        }
        lines
    }
}

/// A message that lies over the panes for a while.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Toast {
    /// The number of its entry.
    pub entry: u64,
    /// When it goes, on the clock of [`super::State::now`].
    pub until: Duration,
}

/// The log.
#[derive(Debug, Default)]
pub struct Log {
    entries: VecDeque<LogEntry>,
    toasts: VecDeque<Toast>,
    last: u64,
}

impl Log {
    /// The entries, oldest first.
    pub fn entries(&self) -> impl DoubleEndedIterator<Item = &LogEntry> + ExactSizeIterator {
        self.entries.iter()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether nothing happened yet.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The entry with a number.
    pub fn get(&self, number: u64) -> Option<&LogEntry> {
        let first = self.entries.front()?.number;
        self.entries.get(usize::try_from(number.checked_sub(first)?).ok()?)
    }

    /// The toasts shown, oldest first, with their entries.
    pub fn toasts(&self) -> impl Iterator<Item = &LogEntry> {
        self.toasts.iter().filter_map(|toast| self.get(toast.entry))
    }

    /// The newest entry that tells of an error or a warning.
    pub fn newest_problem(&self) -> Option<&LogEntry> {
        self.entries.iter().rev().find(|entry| entry.level > Level::Notice)
    }

    pub(super) fn wake_at(&self) -> Option<Duration> {
        self.toasts.iter().map(|toast| toast.until).min()
    }

    pub(super) fn tick(&mut self, now: Duration) {
        self.toasts.retain(|toast| toast.until > now);
    }

    /// Takes the toasts away whose operation is one of those `mended` says succeeded since. Their entries stay.
    pub(super) fn mend(&mut self, mended: impl Fn(OpId) -> bool) {
        let Self { entries, toasts, .. } = self;
        let first = entries.front().map_or(0, |entry| entry.number);
        toasts.retain(|toast| {
            let at = usize::try_from(toast.entry.saturating_sub(first)).unwrap_or(usize::MAX);
            let of = entries.get(at).and_then(|entry| entry.op);
            !of.is_some_and(&mended)
        });
    }

    /// Adds an entry, its `number` given here; with a toast unless `quiet`.
    pub(super) fn add(&mut self, mut entry: LogEntry, quiet: bool) {
        self.last += 1;
        entry.number = self.last;
        if !quiet {
            let stays = if entry.level == Level::Notice { 3 } else { 8 };
            // The same words again need no second place.
            let says_so = |toast: &Toast| self.get(toast.entry).is_some_and(|shown| shown.text == entry.text);
            let others = self.toasts.iter().filter(|toast| !says_so(toast)).copied().collect();
            self.toasts = others;
            self.toasts.push_back(Toast { entry: self.last, until: entry.at + Duration::from_secs(stays) });
            while self.toasts.len() > TOASTS {
                self.toasts.pop_front();
            }
        }
        self.entries.push_back(entry);
        while self.entries.len() > ENTRIES {
            self.entries.pop_front();
        }
    }
}
