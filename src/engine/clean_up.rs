//! Releasing what an operation left open on a server.
//!
//! Owns: the clean-up, an operation of its own with its own id, connection and timeline, at most [`CLEAN_UP_LIMIT`]. It takes no turn: it
//! runs also when the queue is full, when its session is closed and when lazycim quits. Must not know how a protocol releases.

use std::{panic::AssertUnwindSafe, sync::Arc, time::Duration};

use futures_util::FutureExt;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::{
    Inner,
    class_cache::OperationSchema,
    drive::Went,
    outbox::Outbox,
    session::{Session, defect, dial},
    settings::DialRequest,
};
use crate::{
    op::{ErrorKind, EventSink, OpError, OpEvent, OpEventKind, OpId, Phase, Summary, explain::start},
    protocol::{Cleanup, CleanupSlot, OpContext},
};

/// How long a clean-up may take in all.
pub(super) const CLEAN_UP_LIMIT: Duration = Duration::from_secs(2);

const STAYS_OPEN: &str = "stays open on the server until it expires";

/// A clean-up about to start.
pub(super) struct CleaningUp {
    pub(super) inner: Arc<Inner>,
    pub(super) session: Arc<Session>,
    pub(super) because_of: OpId,
    pub(super) went: Went,
    pub(super) what: Cleanup,
    pub(super) events: mpsc::Sender<OpEvent>,
}

/// Starts it; counts as busy from now on.
pub(super) fn start(cleaning: CleaningUp) {
    let CleaningUp { inner, session, because_of, went, what, events } = cleaning;
    let id = inner.settings.ids.next();
    let outbox = Outbox::new(id, inner.settings.limits.undrained_rows);
    outbox.tell(OpEventKind::Started { title: format!("Release {}", what.title), because_of });
    let cancelled = inner.register_clean_up(id);
    let run = run(inner.clone(), session, id, went, what, outbox.clone(), cancelled);
    inner.spawn(outbox, events, run);
}

async fn run(
    inner: Arc<Inner>,
    session: Arc<Session>,
    id: OpId,
    went: Went,
    what: Cleanup,
    outbox: Arc<Outbox>,
    cancelled: CancellationToken,
) {
    let open = if what.subscription.is_some() { "subscription" } else { "enumeration" };
    let release = AssertUnwindSafe(release(&inner, &session, went, what, &outbox)).catch_unwind();
    let outcome = tokio::select! {
        biased;
        () = cancelled.cancelled() => None,
        result = release => Some(Ok(result)),
        // Asked before the release is dropped, which ends its phases.
        phase = tokio::time::sleep(CLEAN_UP_LIMIT).map(|()| outbox.phase()) => Some(Err(phase)),
    };
    inner.forget(id);
    let error = match outcome {
        None => return outbox.end(OpEventKind::Cancelled { left_open: Some(STAYS_OPEN.to_owned()) }, None),
        Some(Ok(Ok(Ok(())))) => return outbox.end(OpEventKind::Finished(Summary::default()), None),
        Some(Ok(Ok(Err(error)))) => error.because(format!("the {open} {STAYS_OPEN}")),
        Some(Ok(Err(_))) => defect(outbox.phase().unwrap_or(Phase::Connect), session.name()),
        Some(Err(phase)) => {
            let phase = phase.unwrap_or(Phase::Connect);
            let limit = format!("{CLEAN_UP_LIMIT:?}");
            start::RELEASE_TIMED_OUT
                .with(phase, session.name(), ErrorKind::TimedOut, &[("limit", &limit)])
                .because(format!("the {open} {STAYS_OPEN}"))
        }
    };
    let error = Arc::new(error);
    outbox.end(OpEventKind::Failed(error.clone()), Some(&error));
}

async fn release(
    inner: &Arc<Inner>,
    session: &Session,
    went: Went,
    what: Cleanup,
    outbox: &Arc<Outbox>,
) -> Result<(), OpError> {
    let mut timeouts = session.target.timeouts.over(inner.settings.timeouts);
    timeouts.total = Some(CLEAN_UP_LIMIT);
    for credentials in [&went.destination.credentials, &went.destination.proxy_credentials].into_iter().flatten() {
        outbox.hide(credentials);
    }
    let request = DialRequest {
        target: went.destination.target.clone(),
        credentials: went.destination.credentials,
        proxy_credentials: went.destination.proxy_credentials,
        trust: session.trust().await?,
        sink: outbox.clone(),
        timeouts,
        limits: session.target.limits.over(inner.settings.limits),
    };
    let dial = dial(&inner.settings, &inner.conn_ids, request)?;
    let schema = OperationSchema::new(session.classes.clone(), false);
    let context = OpContext {
        target: &went.destination.target,
        sink: &**outbox,
        facts: &session.facts(went.protocol.name()),
        schema: &schema,
        dial: &*dial,
        cleanup: &CleanupSlot::default(),
        limits: session.target.limits.over(inner.settings.limits),
        timeouts,
    };
    went.protocol.clean_up(what, &context).await
}
