//! Effects: the work outside that the interactive state asks for.
//!
//! Owns: the vocabulary. Must not know who does the work; the loop of the terminal front hands it to the engine, the
//! clipboard, the sessions file.

use std::sync::Arc;

use secrecy::SecretString;

use super::Change;
use crate::{
    op::{OpId, Operation, SessionId},
    session::{Target, store::SessionsFile},
};

/// Something to be done outside.
#[derive(Clone, Debug)]
pub enum Effect {
    /// Open a session: make it known to the engine before its first operation. Opens no connection.
    Open {
        /// Its number.
        session: SessionId,
        /// Where and as whom it connects.
        target: Target,
    },
    /// Give a session another target; what runs goes on, the secret stays.
    Change {
        /// Its number.
        session: SessionId,
        /// Where and as whom it connects.
        target: Target,
    },
    /// Make the engine forget a session, its operations and its secret.
    Close(SessionId),
    /// Start an operation; its events come back with this id.
    Run {
        /// On which session.
        session: SessionId,
        /// Its id.
        op: OpId,
        /// What is asked.
        operation: Box<Operation>,
    },
    /// Cancel an operation; it answers with its terminal event.
    Cancel(OpId),
    /// Give a session its secret, or (`None`) say that the user declined. The state itself emits only `None`: a secret is
    /// typed into a field outside of it, see [`super::State::wants_secret`].
    GiveSecret {
        /// The session that waits.
        session: SessionId,
        /// The secret.
        secret: Option<SecretString>,
    },
    /// Ask whether a keyring answers; answer with [`super::Action::KeyringAnswered`].
    LookForKeyring,
    /// Keep the secret that was given for a session in the keyring; answer with [`super::Action::SecretKept`].
    KeepSecret(SessionId),
    /// Change the saved sessions, after the changes asked for before; answer with [`super::Action::Changed`].
    Save {
        /// The sessions as they were when the change was made up.
        base: Arc<SessionsFile>,
        /// The change.
        change: Box<Change>,
    },
    /// Put a text on the clipboard.
    Copy(String),
    /// Hand the terminal back to the shell until the process is continued.
    Suspend,
    /// Draw everything anew.
    Redraw,
    /// End the program, after clean-ups.
    Quit,
}
