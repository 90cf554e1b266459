//! What happens on one connection attempt, seen from outside the HTTP library, and told to the operation's sink.
//!
//! Owns: the phases of one attempt, its bytes and the promise that each phase that begins ends and each connection that
//! opens closes, once. Must not know time-outs, errors' words or who listens.
//!
//! ```text
//! connecting -> [handshaking] -> ready -> queued -> handed* -> answered -> received* -> done   -> over
//!    connect         tls                  authenticate  send  wait           receive              close
//! ```

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard},
};

use tokio::{sync::watch, time::Instant};
use tokio_util::sync::CancellationToken;

use crate::op::{Closer, ConnId, EventSink, OpError, OpEventKind, PeerCertificate, Phase, PhaseDetail, Purpose};

/// What an attempt is doing and since when: time-outs are counted from here.
#[derive(Clone, Copy, Debug)]
pub(super) struct Step {
    pub phase: Phase,
    pub since: Instant,
}

/// The observer of one connection attempt.
pub(super) struct Observer {
    sink: Arc<dyn EventSink>,
    pub conn: ConnId,
    pub peer: SocketAddr,
    purpose: Purpose,
    /// The name TLS is spoken to; `None` for clear text.
    tls_name: Option<Box<str>>,
    step: watch::Sender<Step>,
    ledger: Mutex<Ledger>,
    /// Cancelled when the connection is over, so that nothing of the HTTP library outlives it.
    pub over: CancellationToken,
}

#[derive(Default)]
struct Ledger {
    /// The phase that was told to have begun and not yet to have ended.
    open: Option<Phase>,
    opened: bool,
    closed: bool,
    sent: u64,
    received: u64,
    /// Sent and received as last told.
    told: (u64, u64),
    /// The request that waits for its connection.
    queued: Option<Queued>,
    secured: bool,
    /// The answer's head is there: what is sent from now on belongs to no phase.
    answered: bool,
}

/// A request about to be sent.
#[derive(Clone, Debug)]
pub(super) struct Queued {
    /// Bytes of its head.
    pub head: u64,
    /// Whether it has no body.
    pub empty: bool,
    /// The leg of the authentication that goes with it and what is told of it, once a connection.
    pub authenticates: Option<(u32, Box<str>)>,
}

impl Observer {
    pub(super) fn new(
        sink: Arc<dyn EventSink>,
        conn: ConnId,
        peer: SocketAddr,
        purpose: Purpose,
        tls_name: Option<&str>,
    ) -> Self {
        let (step, _) = watch::channel(Step { phase: Phase::Connect, since: Instant::now() });
        let (ledger, over) = (Mutex::default(), CancellationToken::new());
        Self { sink, conn, peer, purpose, tls_name: tls_name.map(Into::into), step, ledger, over }
    }

    fn ledger(&self) -> MutexGuard<'_, Ledger> {
        self.ledger.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    fn end(&self, ledger: &mut Ledger, error: Option<Arc<OpError>>) {
        if let Some(phase) = ledger.open.take() {
            self.sink.tell(OpEventKind::PhaseEnded { conn: Some(self.conn), phase, error });
        }
    }

    fn begin(&self, ledger: &mut Ledger, phase: Phase, detail: PhaseDetail) {
        self.end(ledger, None);
        ledger.open = Some(phase);
        self.sink.tell(OpEventKind::PhaseStarted { conn: Some(self.conn), phase, detail });
        self.step(phase);
    }

    fn step(&self, phase: Phase) {
        self.step.send_replace(Step { phase, since: Instant::now() });
    }

    /// Follows the steps.
    pub(super) fn steps(&self) -> watch::Receiver<Step> {
        self.step.subscribe()
    }

    /// The TCP connect begins.
    pub(super) fn connecting(&self) {
        self.begin(&mut self.ledger(), Phase::Connect, Some(self.peer.to_string().into()));
    }

    fn opened(&self, ledger: &mut Ledger) {
        self.end(ledger, None);
        if !ledger.opened {
            ledger.opened = true;
            let (conn, purpose, peer) = (self.conn, self.purpose, self.peer);
            self.sink.tell(OpEventKind::ConnectionOpened { conn, purpose, peer });
        }
    }

    /// TCP is up and the TLS handshake begins.
    pub(super) fn handshaking(&self) {
        let mut ledger = self.ledger();
        if ledger.open == Some(Phase::Connect) {
            self.opened(&mut ledger);
            self.begin(&mut ledger, Phase::Tls, self.tls_name.clone());
        }
    }

    /// The connection is ready for requests.
    pub(super) fn ready(&self) {
        let mut ledger = self.ledger();
        self.opened(&mut ledger);
        self.step(Phase::Send);
        self.dispatch_if_empty(&mut ledger);
    }

    /// A request waits for the connection; with `ready`, the connection is there already.
    pub(super) fn queue(&self, request: Queued, ready: bool) {
        let mut ledger = self.ledger();
        ledger.queued = Some(request);
        ledger.answered = false;
        if ready {
            self.step(Phase::Send);
            self.dispatch_if_empty(&mut ledger);
        }
    }

    /// An empty body is never asked for, so such a request counts as sent when it is dispatched.
    fn dispatch_if_empty(&self, ledger: &mut Ledger) {
        if ledger.queued.as_ref().is_some_and(|request| request.empty) {
            self.dispatch(ledger);
            self.begin(ledger, Phase::Wait, None);
        }
    }

    fn dispatch(&self, ledger: &mut Ledger) {
        let Some(request) = ledger.queued.take() else { return };
        if let Some((leg, told)) = request.authenticates {
            self.begin(ledger, Phase::Authenticate(leg), Some(told));
        }
        self.begin(ledger, Phase::Send, None);
        ledger.sent = ledger.sent.saturating_add(request.head);
    }

    /// A piece of the request's body was handed over.
    pub(super) fn handed(&self, bytes: usize, last: bool) {
        let mut ledger = self.ledger();
        self.dispatch(&mut ledger);
        ledger.sent = ledger.sent.saturating_add(bytes as u64);
        match (ledger.answered, last) {
            (true, _) => {}
            (false, true) => self.begin(&mut ledger, Phase::Wait, None),
            (false, false) => self.step(Phase::Send),
        }
    }

    /// The head of an answer is there, of so many bytes.
    pub(super) fn read_head(&self, bytes: u64) {
        let mut ledger = self.ledger();
        ledger.answered = true;
        ledger.received = ledger.received.saturating_add(bytes);
    }

    /// The head is taken: its body is received.
    pub(super) fn answered(&self) {
        let mut ledger = self.ledger();
        self.begin(&mut ledger, Phase::Receive, None);
    }

    /// The answer asks for a proof: what it offers.
    pub(super) fn asked(&self, offers: &str) {
        let (conn, phase) = (Some(self.conn), Phase::Receive);
        self.sink.tell(OpEventKind::PhaseDetailed { conn, phase, detail: Some(offers.into()) });
    }

    /// A piece of the answer's body arrived.
    pub(super) fn received(&self, bytes: usize) {
        let mut ledger = self.ledger();
        ledger.received = ledger.received.saturating_add(bytes as u64);
    }

    /// The phase that runs ended well.
    pub(super) fn done(&self) {
        self.end(&mut self.ledger(), None);
    }

    /// The phase that runs ended with `error`.
    pub(super) fn failed(&self, error: &OpError) {
        self.end(&mut self.ledger(), Some(Arc::new(error.clone())));
    }

    /// The server refused what authenticated leg `leg`.
    pub(super) fn refused(&self, leg: u32, scheme: Option<&str>, error: &OpError) {
        let mut ledger = self.ledger();
        self.begin(&mut ledger, Phase::Authenticate(leg), scheme.map(Into::into));
        self.end(&mut ledger, Some(Arc::new(error.clone())));
    }

    /// Whether TCP came up and the connection is not closed.
    pub(super) fn is_open(&self) -> bool {
        let ledger = self.ledger();
        ledger.opened && !ledger.closed
    }

    /// Tells what was learned about the TLS session, the first time only.
    pub(super) fn secured_once(&self, describe: impl FnOnce() -> (Box<str>, Option<PeerCertificate>)) {
        if std::mem::replace(&mut self.ledger().secured, true) {
            return;
        }
        let (detail, certificate) = describe();
        let (conn, phase) = (Some(self.conn), Phase::Tls);
        self.sink.tell(OpEventKind::PhaseDetailed { conn, phase, detail: Some(detail) });
        if let Some(certificate) = certificate {
            self.showed(Arc::new(certificate));
        }
    }

    /// The server showed `certificate`.
    pub(super) fn showed(&self, certificate: Arc<PeerCertificate>) {
        self.sink.tell(OpEventKind::Certificate { conn: self.conn, certificate });
    }

    fn news(&self) -> Option<OpEventKind> {
        let mut ledger = self.ledger();
        let now = (ledger.sent, ledger.received);
        if ledger.closed || ledger.told == now {
            return None;
        }
        ledger.told = now;
        Some(OpEventKind::Progress { conn: self.conn, sent: now.0, received: now.1 })
    }

    /// Delivers the bytes so far, if they changed.
    pub(super) async fn report(&self) {
        if let Some(progress) = self.news() {
            self.sink.deliver(progress).await;
        }
    }

    /// Closes: `release` drops what holds the socket. Told once, and as a connection only if one was opened.
    pub(super) fn close(&self, by: Closer, release: impl FnOnce()) {
        if let Some(progress) = self.news() {
            self.sink.tell(progress);
        }
        let mut ledger = self.ledger();
        if std::mem::replace(&mut ledger.closed, true) {
            return;
        }
        self.end(&mut ledger, None);
        if ledger.opened {
            self.begin(&mut ledger, Phase::Close, None);
        }
        release();
        self.over.cancel();
        self.end(&mut ledger, None);
        if ledger.opened {
            self.sink.tell(OpEventKind::ConnectionClosed { conn: self.conn, by });
        }
    }
}
