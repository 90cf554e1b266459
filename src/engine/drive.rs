//! One operation, from the queue to its terminal event.
//!
//! Owns: the [`Driver`], the only thing that ends an operation. Dropping what it runs closes the sockets of the operation. Must not know
//! what a protocol says to the server.
//!
//! ```text
//!            +---------------- refused secret, once ----------------+
//!            v                                                      |
//! Queue: secret, turn, embedded server --> dial, Protocol::run --> end --> clean-up
//! cancel, total time-out, a front that left: from anywhere --------^
//! ```

use std::{
    panic::AssertUnwindSafe,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use futures_util::FutureExt;
use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;

use super::{
    Inner,
    auto::{self, Failures},
    class_cache::OperationSchema,
    clean_up::{self, CleaningUp},
    outbox::Outbox,
    secrets::Sources,
    session::{Destination, Got, Need, Session, defect, dial},
    settings::DialRequest,
    turns::{CalledUp, Declined, Given},
};
use crate::{
    auth::Credentials,
    op::{
        ErrorKind, EventSink, OpError, OpEvent, OpEventKind, OpId, Operation, Phase, Summary, Timeouts, explain::start,
    },
    protocol::{CleanupSlot, OpContext, Protocol},
    session::profile::AUTO,
    wire::Trust,
};

/// What the pane shows where the server may keep an enumeration nobody can close.
const MAY_STAY_OPEN: &str = "may stay open on the server until it expires";

/// Runs one operation.
pub(super) struct Driver {
    pub(super) inner: Arc<Inner>,
    pub(super) session: Arc<Session>,
    pub(super) id: OpId,
    pub(super) operation: Operation,
    pub(super) outbox: Arc<Outbox>,
    pub(super) events: mpsc::Sender<OpEvent>,
    pub(super) cancelled: CancellationToken,
    pub(super) need: Result<Need, OpError>,
    pub(super) cleanup: CleanupSlot,
    /// Where it went, for the clean-up.
    pub(super) went: Mutex<Option<Went>>,
}

/// Where an operation went and how.
#[derive(Clone)]
pub(super) struct Went {
    pub(super) protocol: &'static dyn Protocol,
    pub(super) destination: Destination,
}

/// A place in the queue; dropping it gives it up.
struct Ticket<'a> {
    driver: &'a Driver,
    called: oneshot::Receiver<Result<CalledUp, Declined>>,
}

impl Drop for Ticket<'_> {
    fn drop(&mut self) {
        self.driver.inner.state().turns.leave(self.driver.id);
    }
}

/// A place in the queue, taken when the operation was asked for.
pub(super) enum FirstPlace {
    /// Its turn comes from here.
    Taken(oneshot::Receiver<Result<CalledUp, Declined>>),
    /// It takes one when its secrets are there.
    Later,
    /// There is no such session.
    NoSession,
}

impl Driver {
    /// Runs the operation to its end, its events on their way, and hands over to the clean-up where one is needed.
    pub(super) async fn drive(self, first: FirstPlace) {
        let outcome = tokio::select! {
            biased;
            () = self.cancelled.cancelled() => None,
            () = self.events.closed() => None,
            result = AssertUnwindSafe(self.attempts(first)).catch_unwind() => {
                Some(result.unwrap_or_else(|_| Err(defect(self.phase(), self.session.name()))))
            }
        };
        self.inner.forget(self.id);
        let left = self.cleanup.take();
        let told = self.outbox.told();
        let unknown = left.is_none() && told.sent && self.cleanup.may_stay_open();
        if let Some(result) = outcome.as_ref().filter(|_| unknown) {
            let phase = result.as_ref().err().map_or(Phase::Receive, |error| error.phase);
            self.outbox.tell(OpEventKind::Warning(Arc::new(self.may_stay_open(phase))));
        }
        match outcome {
            None => {
                let left_open = unknown.then(|| MAY_STAY_OPEN.to_owned());
                self.outbox.end(OpEventKind::Cancelled { left_open }, None);
            }
            Some(Ok(())) => {
                let most = self.operation.options.max_rows;
                let limited = most.is_some_and(|most| told.items >= most);
                let summary = Summary { rows: told.items, limited };
                self.outbox.end(OpEventKind::Finished(summary), None);
            }
            Some(Err(error)) => {
                let error = Arc::new(error);
                self.outbox.end(OpEventKind::Failed(error.clone()), Some(&error));
            }
        }
        if let Some(what) = left
            && let Some(went) = self.went()
        {
            let (inner, session, events) = (self.inner.clone(), self.session.clone(), self.events.clone());
            clean_up::start(CleaningUp { inner, session, because_of: self.id, went, what, events });
        }
    }

    fn went(&self) -> Option<Went> {
        self.went.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn phase(&self) -> Phase {
        self.outbox.phase().unwrap_or(Phase::Queue)
    }

    fn timeouts(&self) -> Timeouts {
        let of_session = self.session.target.timeouts.over(self.inner.settings.timeouts);
        self.operation.options.timeouts.unwrap_or(of_session)
    }

    /// The operation, and once more if the server refused a secret that a person can give again.
    async fn attempts(&self, first: FirstPlace) -> Result<(), OpError> {
        let prompt = match &self.need {
            Ok(Need::Prompt(user)) => Some(user.clone()),
            Ok(Need::Nothing | Need::Source) => None,
            Err(error) => return Err(error.clone()),
        };
        let (mut called, got) = match first {
            FirstPlace::Taken(called) => (called, Got::default()),
            FirstPlace::Later => {
                let got = self.ask_sources().await?;
                (self.inner.enter(&self.session, self.id, prompt.clone(), &self.outbox), got)
            }
            FirstPlace::NoSession => return Err(self.no_session()),
        };
        let mut refused: Option<OpError> = None;
        loop {
            let CalledUp { slot, secret } = self.turn(called, refused.as_ref()).await?;
            let result = self.attempt(self.credentials(secret.as_ref(), &got)).await;
            drop(slot);
            let Err(error) = result else { return Ok(()) };
            if matches!(error.kind, ErrorKind::Unauthorized | ErrorKind::Http(407)) {
                self.session.forget_secrets().await;
            }
            let Some(given) = secret.filter(|_| error.kind == ErrorKind::Unauthorized) else { return Err(error) };
            self.inner.state().turns.refuse(self.session.id, &given);
            if refused.is_some() || self.outbox.told().content || self.operation.is_write() {
                return Err(error);
            }
            // What was refused is over: nobody's thinking about a password counts as part of it.
            self.outbox.end_phases(&Arc::new(error.clone()));
            self.outbox.tell(OpEventKind::PhaseStarted { conn: None, phase: Phase::Queue, detail: None });
            refused = Some(error);
            called = self.inner.enter(&self.session, self.id, prompt.clone(), &self.outbox);
        }
    }

    async fn turn(
        &self,
        called: oneshot::Receiver<Result<CalledUp, Declined>>,
        refused: Option<&OpError>,
    ) -> Result<CalledUp, OpError> {
        let mut ticket = Ticket { driver: self, called };
        match (&mut ticket.called).await {
            Ok(Ok(turn)) => Ok(turn),
            Ok(Err(Declined)) => {
                let error = start::NO_PASSWORD.error(Phase::Queue, self.session.name(), ErrorKind::SecretMissing);
                Err(match refused {
                    Some(refused) => error.because(format!("the server refused the first: {}", refused.cause())),
                    None => error,
                })
            }
            // Who gave up the place is dropped before it can see this.
            Err(_) => Err(defect(Phase::Queue, self.session.name())),
        }
    }

    fn no_session(&self) -> OpError {
        start::NO_SESSION.error(Phase::Queue, self.session.name(), ErrorKind::Configuration)
    }

    async fn attempt(&self, got: Got) -> Result<(), OpError> {
        let timeouts = self.timeouts();
        self.outbox.watch.start();
        let result = tokio::select! {
            biased;
            result = self.run(got, timeouts) => result,
            // Asked before the run is dropped, which ends its phases.
            phase = self.outbox.watch.spent(timeouts.total).map(|()| self.phase()) => {
                Err(self.took_too_long(phase, timeouts.total))
            }
        };
        self.outbox.watch.stop();
        result
    }

    fn took_too_long(&self, phase: Phase, total: Option<Duration>) -> OpError {
        let limit = format!("{:?}", total.unwrap_or_default());
        start::TOTAL.with(phase, self.session.name(), ErrorKind::TimedOut, &[("limit", &limit)])
    }

    fn may_stay_open(&self, phase: Phase) -> OpError {
        start::MAY_STAY_OPEN.with(phase, self.session.name(), ErrorKind::TimedOut, &[("open", MAY_STAY_OPEN)])
    }

    /// What the sources gave. Takes no part in the operation's time: a person may be asked by a command.
    async fn ask_sources(&self) -> Result<Got, OpError> {
        let Ok(need) = &self.need else { return Ok(Got::default()) };
        let file = self.inner.settings.sessions_file.as_deref();
        self.session.ask_sources(need, Sources { file, keyring: &self.inner.keyring }).await
    }

    /// As whom an attempt asks: with what a person gave, or a source.
    fn credentials(&self, given: Option<&Given>, got: &Got) -> Got {
        let mut all = got.clone();
        if let (Ok(Need::Prompt(user)), Some(given)) = (&self.need, given) {
            all.credentials = Some(Credentials { user: user.clone(), secret: given.secret.clone() });
        }
        all
    }

    /// Runs it with the target's protocol or, where that is to be found out, with each in turn until one is there.
    async fn run(&self, got: Got, timeouts: Timeouts) -> Result<(), OpError> {
        let (inner, session) = (&self.inner, &self.session);
        let destination = session.destination(&inner.local, got).await?;
        let mut attempts = inner.found.order(&destination.target);
        if attempts.iter().any(|attempt| inner.settings.speaks(attempt)) {
            attempts.retain(|attempt| inner.settings.speaks(attempt));
        }
        let trust = session.trust().await?;
        for credentials in [&destination.credentials, &destination.proxy_credentials].into_iter().flatten() {
            self.outbox.hide(credentials);
        }
        let mut failures = Failures::default();
        let mut attempts = attempts.into_iter().peekable();
        loop {
            let Some(attempt) = attempts.next() else { return Err(defect(self.phase(), session.name())) };
            let name = attempt.protocol.clone();
            let aimed = Destination { target: attempt, ..destination.clone() };
            let result = self.with_protocol(aimed, trust.clone(), timeouts).await;
            if result.as_ref().map_or_else(auto::speaks, |()| true) {
                inner.found.remember(&session.target, &name);
            }
            match (result, attempts.peek()) {
                (Err(error), Some(next)) if self.may_go_on(&error) => {
                    let told = failures.add(&name, error, &next.protocol);
                    let told = Arc::new(told);
                    self.outbox.end_phases(&told);
                    self.outbox.tell(OpEventKind::Warning(told));
                }
                (result, _) => return result.map_err(|error| failures.into_error(&name, error)),
            }
        }
    }

    /// Whether another protocol may be tried after `error`. What may have changed something is not asked for twice.
    fn may_go_on(&self, error: &OpError) -> bool {
        let unsent = matches!(error.phase, Phase::Connect | Phase::Tls);
        let untouched = !self.outbox.told().content && !self.cleanup.is_open();
        auto::is_not_there(error) && untouched && (unsent || !self.operation.is_write())
    }

    /// One attempt.
    async fn with_protocol(
        &self,
        destination: Destination,
        trust: Arc<Trust>,
        timeouts: Timeouts,
    ) -> Result<(), OpError> {
        let (inner, session) = (&self.inner, &self.session);
        let protocol = (inner.settings.protocols)(&destination.target.protocol).ok_or_else(|| {
            let known = crate::protocol::names().collect::<Vec<_>>().join(" or ");
            let parts = [("protocol", destination.target.protocol.as_str()), ("protocols", known.as_str())];
            start::NO_PROTOCOL.with(Phase::Queue, session.name(), ErrorKind::Configuration, &parts)
        })?;
        let went = Went { protocol, destination: destination.clone() };
        *self.went.lock().unwrap_or_else(PoisonError::into_inner) = Some(went);
        let request = DialRequest {
            target: destination.target.clone(),
            credentials: destination.credentials,
            proxy_credentials: destination.proxy_credentials,
            trust,
            sink: self.outbox.clone(),
            timeouts,
            limits: session.target.limits.over(inner.settings.limits),
        };
        let dial = dial(&inner.settings, &inner.conn_ids, request)?;
        if self.outbox.phase() == Some(Phase::Queue) {
            self.outbox.tell(OpEventKind::PhaseEnded { conn: None, phase: Phase::Queue, error: None });
        }
        let is_attempt = session.target.protocol == AUTO;
        if is_attempt {
            let detail = format!("{}, port {}", destination.target.protocol, destination.target.port);
            let detail = Some(detail.into_boxed_str());
            self.outbox.tell(OpEventKind::PhaseStarted { conn: None, phase: Phase::Protocol, detail });
        }
        let schema = OperationSchema::new(session.classes.clone(), self.operation.options.refresh);
        let facts = session.facts(protocol.name());
        let context = OpContext {
            target: &destination.target,
            sink: &*self.outbox,
            facts: &facts,
            schema: &schema,
            dial: &*dial,
            cleanup: &self.cleanup,
            limits: session.target.limits.over(inner.settings.limits),
            timeouts,
        };
        let result = protocol.run(&self.operation, &context).await;
        if is_attempt && result.is_ok() {
            self.outbox.tell(OpEventKind::PhaseEnded { conn: None, phase: Phase::Protocol, error: None });
        }
        result
    }
}
