//! The life of an operation: its phases and the timeline they make.
//!
//! Owns: [`Phase`] and [`Timeline`], the fold of an operation's events that the status pane and the CLI's `-v` both print.
//! Must not know how either prints it.

use std::{fmt, net::SocketAddr, sync::Arc, time::Duration};

use super::{Closer, ConnId, OpError, OpEvent, OpEventKind, PeerCertificate, Purpose};

/// A step in the life of an operation or of one of its connections.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Phase {
    /// Waiting for its turn, or for a secret.
    Queue,
    /// One protocol tried, where the session leaves open which: around everything that is done for it.
    Protocol,
    /// Host name to addresses.
    Resolve,
    /// TCP connect to one address.
    Connect,
    /// TLS handshake.
    Tls,
    /// One leg of authentication, counted from 1.
    Authenticate(u32),
    /// Request head and body, until the last byte is handed over.
    Send,
    /// Until the first byte of the answer.
    Wait,
    /// Until the last byte of the answer.
    Receive,
    /// The n-th pull of an open enumeration, counted from 1.
    Pull(u32),
    /// Fetching a class this operation needs.
    Schema,
    /// One leg with a Kerberos key distribution centre.
    Kdc(u32),
    /// DCE/RPC bind.
    Bind,
    /// DCOM activation.
    Activate,
    /// Dropping every handle.
    Close,
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Authenticate(leg) if *leg > 1 => return f.pad(&format!("authenticate {leg}")),
            Self::Pull(n) => return f.pad(&format!("pull {n}")),
            Self::Kdc(leg) if *leg > 1 => return f.pad(&format!("kdc {leg}")),
            _ => {}
        }
        f.pad(match self {
            Self::Queue => "queue",
            Self::Protocol => "protocol",
            Self::Resolve => "resolve",
            Self::Connect => "connect",
            Self::Tls => "tls",
            Self::Authenticate(_) => "authenticate",
            Self::Send => "send",
            Self::Wait => "wait",
            Self::Receive => "receive",
            Self::Pull(_) => "pull",
            Self::Schema => "schema",
            Self::Kdc(_) => "kdc",
            Self::Bind => "bind",
            Self::Activate => "activate",
            Self::Close => "close",
        })
    }
}

/// One phase of a timeline.
#[derive(Clone, Debug)]
pub struct Span {
    /// Which phase.
    pub phase: Phase,
    /// The connection attempt it belongs to, if any.
    pub conn: Option<ConnId>,
    /// When it began, counted from when the operation was asked for.
    pub start: Duration,
    /// When it ended; `None` while it runs.
    pub end: Option<Duration>,
    /// What it is about.
    pub detail: Option<Box<str>>,
    /// Why it failed.
    pub error: Option<Arc<OpError>>,
}

/// One connection attempt of a timeline.
#[derive(Clone, Debug)]
pub struct Connection {
    /// Its number.
    pub id: ConnId,
    /// What it is for.
    pub purpose: Purpose,
    /// The other end.
    pub peer: SocketAddr,
    /// When TCP came up.
    pub opened: Duration,
    /// When it was closed, and by whom.
    pub closed: Option<(Duration, Closer)>,
    /// Bytes sent so far.
    pub sent: u64,
    /// Bytes received so far.
    pub received: u64,
}

/// How an operation ended.
#[derive(Clone, Debug)]
pub enum Outcome {
    /// Complete.
    Finished(super::Summary),
    /// Failed.
    Failed(Arc<OpError>),
    /// Cancelled; the text says what the server may keep open.
    Cancelled(Option<String>),
}

/// The fold of an operation's events.
#[derive(Clone, Debug, Default)]
pub struct Timeline {
    /// Phases in the order they began.
    pub spans: Vec<Span>,
    /// Connections in the order they opened.
    pub connections: Vec<Connection>,
    /// The certificates servers showed, each once, with the connection it was first seen on.
    pub certificates: Vec<(ConnId, Arc<PeerCertificate>)>,
    /// Bytes of attempts, by number: what `Progress` last said.
    progress: Vec<(ConnId, u64, u64)>,
    /// Rows, names and classes received so far.
    pub rows: u64,
    /// Warnings, in order.
    pub warnings: Vec<Arc<OpError>>,
    /// When the last event happened.
    pub at: Duration,
    /// When and how it ended.
    pub outcome: Option<(Duration, Outcome)>,
}

/// The most spans a timeline keeps; a server cannot make it grow without end. The last one is overwritten beyond.
const MAX_SPANS: usize = 4_096;
/// The most certificates a timeline keeps; later ones are dropped.
const MAX_CERTIFICATES: usize = 16;
/// The most warnings a timeline keeps; later ones are dropped.
const MAX_WARNINGS: usize = 1_000;

impl Timeline {
    /// Takes one event in. Anything after the terminal event is dropped.
    pub fn apply(&mut self, event: &OpEvent) {
        if self.outcome.is_some() {
            return;
        }
        self.at = self.at.max(event.at);
        let at = event.at;
        match &event.kind {
            OpEventKind::PhaseStarted { conn, phase, detail } => self.start(*conn, *phase, detail.clone(), at),
            OpEventKind::PhaseEnded { conn, phase, error } => self.end(*conn, *phase, error.clone(), at),
            OpEventKind::PhaseDetailed { conn, phase, detail } => {
                let latest = self.spans.iter_mut().rev().find(|span| span.phase == *phase && span.conn == *conn);
                if let Some(span) = latest {
                    span.detail = detail.clone();
                }
            }
            OpEventKind::Certificate { conn, certificate } => {
                let known = self.certificates.iter().any(|(_, known)| known == certificate);
                if !known && self.certificates.len() < MAX_CERTIFICATES {
                    self.certificates.push((*conn, certificate.clone()));
                }
            }
            OpEventKind::ConnectionOpened { conn, purpose, peer } => {
                let (sent, received) = self.bytes_of(*conn);
                self.connections.push(Connection {
                    id: *conn,
                    purpose: *purpose,
                    peer: *peer,
                    opened: at,
                    closed: None,
                    sent,
                    received,
                });
            }
            OpEventKind::Progress { conn, sent, received } => self.progress(*conn, *sent, *received),
            OpEventKind::ConnectionClosed { conn, by } => {
                let open = self.connections.iter_mut().find(|known| known.id == *conn && known.closed.is_none());
                if let Some(connection) = open {
                    connection.closed = Some((at, *by));
                }
            }
            OpEventKind::Rows(batch) => self.rows += batch.len() as u64,
            OpEventKind::Names(super::Names::Namespaces(names)) => self.rows += names.len() as u64,
            OpEventKind::Names(super::Names::Classes(names)) => self.rows += names.len() as u64,
            OpEventKind::Class(_) | OpEventKind::Qualifier(_) => self.rows += 1,
            OpEventKind::Warning(warning) if self.warnings.len() < MAX_WARNINGS => self.warnings.push(warning.clone()),
            OpEventKind::Warning(_) => {}
            OpEventKind::Finished(summary) => self.finish(at, Outcome::Finished(*summary)),
            OpEventKind::Failed(error) => self.finish(at, Outcome::Failed(error.clone())),
            OpEventKind::Cancelled { left_open } => self.finish(at, Outcome::Cancelled(left_open.clone())),
            OpEventKind::SecretNeeded { .. } => {
                // Its turn waits for the user from here on.
                let waiting = self.spans.last_mut().filter(|span| span.phase == Phase::Queue && span.end.is_none());
                waiting.into_iter().for_each(|span| span.detail = Some("asked for the password".into()));
            }
            OpEventKind::Queued | OpEventKind::Started { .. } | OpEventKind::Shape(..) | OpEventKind::Return { .. } => {
            }
        }
    }

    fn start(&mut self, conn: Option<ConnId>, phase: Phase, detail: Option<Box<str>>, at: Duration) {
        if self.spans.len() >= MAX_SPANS {
            self.spans.pop();
        }
        self.spans.push(Span { phase, conn, start: at, end: None, detail, error: None });
    }

    fn end(&mut self, conn: Option<ConnId>, phase: Phase, error: Option<Arc<OpError>>, at: Duration) {
        let open =
            self.spans.iter_mut().rev().find(|span| span.phase == phase && span.conn == conn && span.end.is_none());
        if let Some(span) = open {
            span.end = Some(at);
            span.error = error;
        }
    }

    fn bytes_of(&self, conn: ConnId) -> (u64, u64) {
        self.progress.iter().find(|known| known.0 == conn).map_or((0, 0), |known| (known.1, known.2))
    }

    fn progress(&mut self, conn: ConnId, sent: u64, received: u64) {
        match self.progress.iter_mut().find(|known| known.0 == conn) {
            Some(known) => (known.1, known.2) = (sent, received),
            None => self.progress.push((conn, sent, received)),
        }
        if let Some(connection) = self.connections.iter_mut().find(|known| known.id == conn) {
            (connection.sent, connection.received) = (sent, received);
        }
    }

    fn finish(&mut self, at: Duration, outcome: Outcome) {
        for span in self.spans.iter_mut().filter(|span| span.end.is_none()) {
            span.end = Some(at);
        }
        self.outcome = Some((at, outcome));
    }

    /// The phase that runs now, if any.
    pub fn running(&self) -> Option<&Span> {
        self.spans.iter().rev().find(|span| span.end.is_none())
    }

    /// Bytes sent and received over all connections so far.
    pub fn bytes(&self) -> (u64, u64) {
        self.progress.iter().fold((0, 0), |sum, known| (sum.0 + known.1, sum.1 + known.2))
    }

    /// How many connections came up.
    pub fn opened(&self) -> usize {
        self.connections.len()
    }

    /// How many of them are closed again.
    pub fn closed(&self) -> usize {
        self.connections.iter().filter(|connection| connection.closed.is_some()).count()
    }
}

#[cfg(test)]
#[path = "lifecycle_tests.rs"]
mod tests;
