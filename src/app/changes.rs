//! Changes to the saved sessions, as the state asks for them and is told of them.
//!
//! Owns: the vocabulary. Must not know who makes them: the front does, apart from the loop, one after the other.

use std::{path::PathBuf, sync::Arc};

use crate::{
    op::{Fingerprint, SessionId},
    session::{
        Profile, ProfileId,
        exchange::Format,
        store::{Conflict, Keep, Removed, SaveError, SessionsFile, Setting},
    },
};

/// A change to the saved sessions, or a way of theirs in or out.
#[derive(Clone, Debug)]
pub enum Change {
    /// Add a session, with settings made in what it says.
    Add {
        /// The session.
        profile: Box<Profile>,
        /// What it says itself.
        settings: Vec<Setting>,
    },
    /// Make settings in what a session says.
    Revise {
        /// Which.
        id: ProfileId,
        /// The id it has then.
        renamed: ProfileId,
        /// What it is to say.
        settings: Vec<Setting>,
    },
    /// Remove a session.
    Remove(ProfileId),
    /// Put a removed session back.
    Restore(Box<Removed>),
    /// Add a copy of a session behind it.
    Duplicate(ProfileId),
    /// Make a session number `to` among the others, counted from 0.
    Move {
        /// Which.
        id: ProfileId,
        /// Its place.
        to: usize,
    },
    /// Pin a session to a certificate.
    Pin {
        /// The live session.
        session: SessionId,
        /// Its profile.
        id: ProfileId,
        /// The fingerprint of the certificate to accept from now on.
        pin: Fingerprint,
    },
    /// Make settings that let the commands of a session run, which were shown.
    Confirm {
        /// Which.
        id: ProfileId,
        /// The session with its commands confirmed.
        profile: Box<Profile>,
    },
    /// Make a session take its password from the keyring, where it now lies.
    ReadKeyring(ProfileId),
    /// End a conflict.
    Settle {
        /// The conflict.
        conflict: Box<Conflict>,
        /// Which version stays.
        keep: Keep,
    },
    /// Add the sessions of another tool's file.
    Import {
        /// The file, as typed.
        file: PathBuf,
        /// Its format; without one the format it looks like.
        format: Option<Format>,
    },
    /// Write sessions into a file of another tool's.
    Export {
        /// The file, as typed.
        file: PathBuf,
        /// Its format.
        format: Format,
        /// Which; all where there are none.
        ids: Vec<ProfileId>,
        /// A file that is there may be replaced.
        replace: bool,
    },
}

/// A change that was tried.
#[derive(Clone, Debug)]
pub struct Changed {
    /// The change.
    pub change: Change,
    /// What became of it.
    pub outcome: Result<Outcome, ChangeError>,
    /// The sessions as they are now.
    pub file: Arc<SessionsFile>,
}

/// What a change did.
#[derive(Clone, Debug)]
pub enum Outcome {
    /// It is saved.
    Saved,
    /// A session was added under this id.
    Added(ProfileId),
    /// A session was removed.
    Removed(Box<Removed>),
    /// Sessions were imported or exported: a line to tell, and the lines of the list, raw.
    Exchanged {
        /// What was done.
        told: String,
        /// What was added, and what could not be carried over.
        lines: Vec<String>,
    },
    /// The file to write is there already.
    IsThere,
}

/// Why a change was not made.
#[derive(Clone, Debug)]
pub enum ChangeError {
    /// Somebody else changed the same session.
    Conflict(Box<Conflict>),
    /// It could not be, raw.
    Refused {
        /// Why.
        cause: String,
        /// What to try.
        hint: String,
    },
}

impl From<SaveError> for ChangeError {
    fn from(error: SaveError) -> Self {
        let (cause, hint) = (error.to_string(), error.hint());
        match error {
            SaveError::Conflict(conflict) => Self::Conflict(conflict),
            SaveError::Refused(_) => Self::Refused { cause, hint },
        }
    }
}
