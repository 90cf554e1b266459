//! The engine: runs operations on live sessions and tells what happens to them.
//!
//! Owns: starting, queueing, cancelling, timing and cleaning up; the secrets of live sessions; the class cache; the embedded server of
//! this computer. It alone ends an operation: exactly one of `Finished`, `Failed`, `Cancelled`, and nothing after it.
//! Must not know a protocol's spelling, the screen or the command line.
//!
//! ```text
//! start -> Queue (secret, turn) -> Protocol::run -> terminal event -> clean-up, as an operation of its own
//! ```

mod settings;

use std::sync::Arc;

use secrecy::SecretString;
use tokio::sync::{mpsc, watch};

pub use settings::{FindProtocol, Settings};

use crate::{
    op::{OpEvent, OpId, OpIds, Operation, SessionId},
    session::Target,
};

/// Runs operations. Clones are the same engine.
#[derive(Clone)]
pub struct Engine(Arc<Inner>);

struct Inner {
    settings: Settings,
    busy: watch::Sender<usize>,
}

impl Engine {
    /// An engine that has done nothing yet: no task, no socket, no server.
    pub fn new(settings: Settings) -> Self {
        Self(Arc::new(Inner { settings, busy: watch::Sender::new(0) }))
    }

    /// Where operation ids come from; the ids given to [`Engine::start`] must come from here.
    pub fn ids(&self) -> OpIds {
        self.0.settings.ids.clone()
    }

    /// Registers a live session. Opens no connection.
    pub fn open(&self, id: SessionId, target: Target) {
        let _ = (id, target);
    }

    /// Cancels the session's operations and forgets (wipes) its secret.
    pub fn close(&self, id: SessionId) {
        let _ = id;
    }

    /// Starts `operation`; `events` receives what happens to it, in order, ending in one terminal event. Must be called inside a
    /// tokio runtime. Dropping the receiver cancels the operation.
    pub fn start(&self, session: SessionId, id: OpId, operation: Operation, events: mpsc::Sender<OpEvent>) {
        let _ = (session, id, operation, events);
    }

    /// Cancels an operation: its socket closes, `Cancelled` follows. Does nothing if it has ended.
    pub fn cancel(&self, id: OpId) {
        let _ = id;
    }

    /// Gives the secret the session's operations wait for. `None`: the user declined, and they fail with `SecretMissing`.
    pub fn give_secret(&self, session: SessionId, secret: Option<SecretString>) {
        let _ = (session, secret);
    }

    /// Operations not ended, clean-ups, and open connections of the embedded server, together.
    pub fn busy(&self) -> watch::Receiver<usize> {
        self.0.busy.subscribe()
    }

    /// Cancels everything, waits for the clean-ups (at most 3 s) and stops the embedded server.
    pub async fn shut_down(&self) {}
}
