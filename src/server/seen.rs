//! What a running server has seen, for tests, and the gates tests open.
//!
//! Owns: a bounded record of requests with secrets removed, and counters one can wait on. Must not know HTTP beyond a head.

use std::{
    collections::{HashSet, VecDeque},
    sync::{Mutex, MutexGuard, PoisonError},
};

use tokio::sync::watch;

/// The most requests remembered; older ones are forgotten first.
const REMEMBERED: usize = 256;

/// A request as it arrived.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SeenRequest {
    /// The number of its connection, from 1.
    pub connection: u64,
    /// The method, such as `POST`.
    pub method: String,
    /// The request target, such as `/cimom`.
    pub target: String,
    /// Header fields in order; of `Authorization` only the scheme is kept.
    pub headers: Vec<(String, String)>,
}

impl SeenRequest {
    /// The first header field `name`, without regard to case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }
}

/// A snapshot of what a server has seen.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Seen {
    /// Connections accepted since the start.
    pub connections: u64,
    /// Requests read since the start.
    pub requests: usize,
    /// The latest requests, oldest first, at most 256.
    pub heads: Vec<SeenRequest>,
}

#[derive(Debug, Default)]
struct Record {
    connections: u64,
    heads: VecDeque<SeenRequest>,
}

/// The record itself, shared by all connections.
#[derive(Debug)]
pub(super) struct Log {
    record: Mutex<Record>,
    requests: watch::Sender<usize>,
    gates: watch::Sender<HashSet<String>>,
}

impl Default for Log {
    fn default() -> Self {
        Self { record: Mutex::default(), requests: watch::channel(0).0, gates: watch::channel(HashSet::new()).0 }
    }
}

impl Log {
    fn record(&self) -> MutexGuard<'_, Record> {
        self.record.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes a connection; returns its number, from 1.
    pub(super) fn connected(&self) -> u64 {
        let mut record = self.record();
        record.connections += 1;
        record.connections
    }

    /// Notes a request; returns its number on this server, from 1.
    pub(super) fn requested(&self, mut request: SeenRequest) -> usize {
        for (name, value) in &mut request.headers {
            if name.eq_ignore_ascii_case("authorization") {
                let end = value.find(' ').unwrap_or(value.len());
                value.truncate(end);
            }
        }
        let mut record = self.record();
        if record.heads.len() == REMEMBERED {
            record.heads.pop_front();
        }
        record.heads.push_back(request);
        drop(record);
        let mut number = 0;
        self.requests.send_modify(|count| {
            *count += 1;
            number = *count;
        });
        number
    }

    pub(super) fn snapshot(&self) -> Seen {
        let record = self.record();
        Seen {
            connections: record.connections,
            requests: *self.requests.borrow(),
            heads: record.heads.iter().cloned().collect(),
        }
    }

    pub(super) fn requests(&self) -> watch::Receiver<usize> {
        self.requests.subscribe()
    }

    pub(super) fn open_gate(&self, name: &str) {
        self.gates.send_modify(|open| {
            open.insert(name.to_owned());
        });
    }

    /// Waits until the gate `name` is open.
    pub(super) async fn pass_gate(&self, name: &str) {
        let mut gates = self.gates.subscribe();
        // The sender lives in `self`, so this cannot fail while we wait.
        let _ = gates.wait_for(|open| open.contains(name)).await;
    }
}
