//! The engine: runs operations on live sessions and tells what happens to them.
//!
//! Owns: starting, queueing, cancelling, timing and cleaning up; the secrets of live sessions; the class cache; the embedded server of
//! this computer. It alone ends an operation: exactly one of `Finished`, `Failed`, `Cancelled`, and nothing after it.
//! Must not know a protocol's spelling, the screen or the command line.
//!
//! ```text
//! start -> Queue (secret, turn) -> Protocol::run -> terminal event -> clean-up, as an operation of its own
//! ```

mod aside;
mod auto;
mod busy;
mod class_cache;
mod clean_up;
mod drive;
mod local;
mod outbox;
mod proxy;
mod secrets;
mod session;
mod settings;
mod stopwatch;
mod turns;

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use secrecy::SecretString;
use tokio::sync::{mpsc, oneshot, watch};
use tokio_util::sync::CancellationToken;

pub use self::{
    aside::aside,
    local::{LocalServer, StartServer},
    secrets::keyring::{Account, Keyring, KeyringClient, KeyringError},
    settings::{DialRequest, FindProtocol, MakeDial, Settings},
};
use self::{
    auto::Found,
    busy::Busy,
    drive::{Driver, FirstPlace},
    local::Local,
    outbox::Outbox,
    session::{Need, Session},
    turns::{CalledUp, Declined, Turns},
};
use crate::{
    op::{EventSink, OpError, OpEvent, OpEventKind, OpId, OpIds, Operation, Phase, SessionId},
    protocol::CleanupSlot,
    session::{LiveSession, Target},
    wire::ConnIds,
};

/// How long [`Engine::shut_down`] waits for operations and clean-ups.
const SHUT_DOWN_LIMIT: Duration = Duration::from_secs(3);

/// Runs operations. Clones are the same engine.
#[derive(Clone)]
pub struct Engine(Arc<Inner>);

struct Inner {
    settings: Settings,
    conn_ids: ConnIds,
    state: Mutex<State>,
    busy: Busy,
    local: Local,
    found: Found,
    keyring: KeyringClient,
    /// Ends even what does not end by itself.
    killed: CancellationToken,
}

struct State {
    sessions: HashMap<SessionId, Arc<Session>>,
    turns: Turns,
    running: HashMap<OpId, Running>,
    /// How many sessions were opened.
    opened: u32,
    /// Nothing starts any more.
    down: bool,
}

/// An operation or clean-up that has not ended.
struct Running {
    /// Its session; none for a clean-up, which outlives it.
    session: Option<SessionId>,
    cancelled: CancellationToken,
}

/// The place among those in flight of one operation; dropping it makes it the next one's turn.
struct Slot {
    inner: Arc<Inner>,
    session: SessionId,
}

impl Drop for Slot {
    fn drop(&mut self) {
        self.inner.state().turns.leave_slot(self.session);
        self.inner.call_up();
    }
}

impl Inner {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Tells everybody whose turn it is now.
    fn call_up(self: &Arc<Self>) {
        loop {
            // The lock must be free again when a slot nobody wants is dropped.
            let next = self.state().turns.next();
            let Some((session, call, secret)) = next else { return };
            let slot = Box::new(Slot { inner: self.clone(), session });
            // An operation that has ended meanwhile drops the slot, which is then the next one's.
            drop(call.send(Ok(CalledUp { slot, secret })));
        }
    }

    fn enter(
        self: &Arc<Self>,
        session: &Session,
        id: OpId,
        prompt: Option<String>,
        outbox: &Arc<Outbox>,
    ) -> oneshot::Receiver<Result<CalledUp, Declined>> {
        let called = self.state().turns.enter(id, session.id, prompt, outbox.clone());
        self.call_up();
        called
    }

    /// An operation or clean-up has ended.
    fn forget(&self, id: OpId) {
        let mut state = self.state();
        state.running.remove(&id);
        state.turns.leave(id);
    }

    fn register_clean_up(&self, id: OpId) -> CancellationToken {
        let cancelled = CancellationToken::new();
        self.state().running.insert(id, Running { session: None, cancelled: cancelled.clone() });
        cancelled
    }

    /// Runs an operation and carries its events; it counts as busy until the terminal one is handed over.
    fn spawn(
        self: &Arc<Self>,
        outbox: Arc<Outbox>,
        events: mpsc::Sender<OpEvent>,
        run: impl Future<Output = ()> + Send + 'static,
    ) {
        let Ok(runtime) = tokio::runtime::Handle::try_current() else { return };
        let working = self.busy.work();
        let run = runtime.spawn(run);
        let killed = self.killed.clone();
        runtime.spawn(async move {
            let abort = run.abort_handle();
            let all = async {
                outbox.pump(&events).await;
                // Cancelling catches its panics; what is left is to wait until everything of it is dropped.
                let _ = run.await;
            };
            tokio::select! {
                () = all => {}
                () = killed.cancelled() => abort.abort(),
            }
            drop(working);
        });
    }
}

impl Engine {
    /// An engine that has done nothing yet: no task, no socket, no server.
    pub fn new(settings: Settings) -> Self {
        let busy = Busy::new();
        let state = State {
            sessions: HashMap::new(),
            turns: Turns::new(&settings.limits),
            running: HashMap::new(),
            opened: 0,
            down: false,
        };
        Self(Arc::new(Inner {
            conn_ids: ConnIds::default(),
            state: Mutex::new(state),
            local: Local::new(settings.server.clone(), busy.clone()),
            busy,
            found: Found::default(),
            keyring: KeyringClient::new(settings.keyring.clone()),
            killed: CancellationToken::new(),
            settings,
        }))
    }

    /// Where operation ids come from; the ids given to [`Engine::start`] must come from here.
    pub fn ids(&self) -> OpIds {
        self.0.settings.ids.clone()
    }

    /// Registers a live session. Opens no connection. A session that had this id is closed.
    pub fn open(&self, id: SessionId, target: Target) {
        self.close(id);
        let mut state = self.0.state();
        state.turns.set_bound(id, target.limits.in_flight_per_session);
        state.opened = state.opened.saturating_add(1);
        let session = Session::new(id, state.opened, target);
        state.sessions.insert(id, Arc::new(session));
    }

    /// Gives a live session another target for the operations to come, which may trust otherwise. Its secret stays, and what
    /// runs goes on as it began. A session that is not open stays closed.
    pub fn change(&self, id: SessionId, target: Target) {
        let mut state = self.0.state();
        let Some(changed) = state.sessions.get(&id).map(|known| known.changed(target)) else { return };
        state.turns.set_bound(id, changed.target.limits.in_flight_per_session);
        state.sessions.insert(id, Arc::new(changed));
    }

    /// The live sessions, in the order they were opened.
    pub fn live(&self) -> Vec<LiveSession> {
        let state = self.0.state();
        let mut live = state.sessions.iter().map(|(id, known)| known.live(state.turns.holds(*id))).collect::<Vec<_>>();
        live.sort_by_key(|session| session.number);
        live
    }

    /// Cancels the session's operations and forgets (wipes) its secret. Clean-ups go on.
    pub fn close(&self, id: SessionId) {
        let mut state = self.0.state();
        state.sessions.remove(&id);
        state.turns.forget(id);
        for running in state.running.values().filter(|running| running.session == Some(id)) {
            running.cancelled.cancel();
        }
    }

    /// Starts `operation`; `events` receives what happens to it, in order, ending in one terminal event. Must be called inside a
    /// tokio runtime. Dropping the receiver cancels the operation.
    pub fn start(&self, session: SessionId, id: OpId, operation: Operation, events: mpsc::Sender<OpEvent>) {
        let inner = &self.0;
        let outbox = Outbox::new(id, inner.settings.limits.undrained_rows);
        outbox.tell(OpEventKind::Queued);
        if inner.state().down {
            outbox.end(OpEventKind::Cancelled { left_open: None }, None);
            if let Ok(runtime) = tokio::runtime::Handle::try_current() {
                runtime.spawn(async move { outbox.pump(&events).await });
            }
            return;
        }
        let cancelled = CancellationToken::new();
        let (session, need, first) = self.line_up(session, id, &outbox, &cancelled);
        let mut operation = operation;
        if operation.options.locale.is_none() {
            operation.options.locale.clone_from(&session.target.culture);
        }
        let driver = Driver {
            inner: inner.clone(),
            session,
            id,
            operation,
            outbox: outbox.clone(),
            events: events.clone(),
            cancelled,
            need,
            cleanup: CleanupSlot::default(),
            went: Mutex::default(),
        };
        inner.spawn(outbox, events, driver.drive(first));
    }

    /// Takes the place in the queue at once, so that operations get their turn in the order they were asked for.
    fn line_up(
        &self,
        id: SessionId,
        op: OpId,
        outbox: &Arc<Outbox>,
        cancelled: &CancellationToken,
    ) -> (Arc<Session>, Result<Need, OpError>, FirstPlace) {
        let started = |detail| OpEventKind::PhaseStarted { conn: None, phase: Phase::Queue, detail };
        let mut state = self.0.state();
        if state.down {
            cancelled.cancel();
        }
        let Some(session) = state.sessions.get(&id).cloned() else {
            outbox.tell(started(None));
            let unknown = Target { computer: Some(format!("session {}", id.0)), ..Target::this_computer() };
            return (Arc::new(Session::new(id, 0, unknown)), Ok(Need::Nothing), FirstPlace::NoSession);
        };
        outbox.tell(started(state.turns.obstacle(id)));
        state.running.insert(op, Running { session: Some(id), cancelled: cancelled.clone() });
        let need = session.need();
        let prompt = match &need {
            Ok(need) if session.asks_sources(need) => None,
            Ok(Need::Prompt(user)) => Some(Some(user.clone())),
            Ok(Need::Nothing | Need::Source) => Some(None),
            Err(_) => None,
        };
        let Some(prompt) = prompt else { return (session, need, FirstPlace::Later) };
        let first = state.turns.enter(op, id, prompt, outbox.clone());
        drop(state);
        self.0.call_up();
        (session, need, FirstPlace::Taken(first))
    }

    /// Cancels an operation: its socket closes, `Cancelled` follows. Does nothing if it has ended.
    pub fn cancel(&self, id: OpId) {
        if let Some(running) = self.0.state().running.get(&id) {
            running.cancelled.cancel();
        }
    }

    /// Gives the secret the session's operations wait for. `None`: the user declined, and they fail with `SecretMissing`.
    pub fn give_secret(&self, session: SessionId, secret: Option<SecretString>) {
        let mut state = self.0.state();
        if !state.sessions.contains_key(&session) {
            return;
        }
        let declined = match secret {
            Some(secret) => {
                state.turns.give(session, secret);
                Vec::new()
            }
            None => state.turns.decline(session),
        };
        drop(state);
        for call in declined {
            drop(call.send(Err(Declined)));
        }
        self.0.call_up();
    }

    /// Whether a keyring answers. It is asked for what nobody keeps, so that it has nothing to unlock.
    ///
    /// # Errors
    /// `SecretMissing`: why it does not.
    pub fn keyring_answers(&self) -> impl Future<Output = Result<(), OpError>> + Send + 'static {
        let keyring = self.0.keyring.clone();
        async move { keyring.answers().await }
    }

    /// Keeps the secret that was given for the session in the keyring, where it is found for the same user on the same server.
    ///
    /// # Errors
    /// `SecretMissing`: the keyring did not take it, or none was given that was not refused.
    pub fn keep_secret(&self, session: SessionId) -> impl Future<Output = Result<(), OpError>> + Send + 'static {
        let state = self.0.state();
        let target = state.sessions.get(&session).map(|known| known.target.clone());
        let account = target.and_then(|target| Account::of(&target, false));
        let kept = account.zip(state.turns.secret(session));
        let keyring = self.0.keyring.clone();
        async move {
            let Some((account, secret)) = kept else { return Err(keyring.nothing_to_keep()) };
            keyring.set(&account, secret).await
        }
    }

    /// Operations not ended, clean-ups, and open connections of the embedded server, together. An operation has ended when its terminal
    /// event lies in the channel given to [`Engine::start`] (or nobody listens to it).
    pub fn busy(&self) -> watch::Receiver<usize> {
        self.0.busy.all()
    }

    /// Cancels everything, waits for the clean-ups (at most 3 s) and stops the embedded server. Operations started afterwards are
    /// cancelled at once.
    pub async fn shut_down(&self) {
        {
            let mut state = self.0.state();
            state.down = true;
            for running in state.running.values().filter(|running| running.session.is_some()) {
                running.cancelled.cancel();
            }
        }
        let ends = tokio::time::Instant::now() + SHUT_DOWN_LIMIT;
        let _ = tokio::time::timeout_at(ends, self.0.busy.no_tasks()).await;
        self.0.killed.cancel();
        let _ = tokio::time::timeout_at(ends + Duration::from_millis(100), self.0.local.stop()).await;
    }
}
