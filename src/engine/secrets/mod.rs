//! Secrets that nobody is asked for.
//!
//! Owns: getting a secret from its source, once for all operations of a live session, and why there is none. Must not
//! show a secret, nor what a program printed.

mod command;
pub(super) mod hide;
pub(super) mod keyring;
pub(super) mod system;
#[cfg(test)]
mod tests;

use std::{
    ffi::OsString,
    path::Path,
    sync::atomic::{AtomicU64, Ordering},
};

use secrecy::SecretString;
use tokio::sync::Mutex;

use self::keyring::{Account, KeyringClient};
use crate::{
    op::{
        ErrorKind, OpError, Phase,
        explain::{Explanation, secret::command as words, start},
    },
    session::{SecretCommand, SecretSource, store::check_writers},
};

/// A secret of a live session, got once and kept until that closes or the server refuses it. Whoever asks while it is
/// being got waits for the same answer.
#[derive(Default)]
pub(super) struct Kept {
    got: AtomicU64,
    last: Mutex<Option<Result<SecretString, OpError>>>,
}

impl Kept {
    /// The secret, from `get` where there is none yet.
    pub(super) async fn get(
        &self,
        get: impl Future<Output = Result<SecretString, OpError>>,
    ) -> Result<SecretString, OpError> {
        let before = self.got.load(Ordering::Acquire);
        let mut last = self.last.lock().await;
        match &*last {
            Some(Ok(secret)) => return Ok(secret.clone()),
            // Whoever waited for it shares a failure; whoever comes later tries again.
            Some(Err(error)) if self.got.load(Ordering::Acquire) != before => return Err(error.clone()),
            _ => {}
        }
        let got = get.await;
        self.got.fetch_add(1, Ordering::Release);
        *last = Some(got.clone());
        got
    }

    /// Whether there is one. While it is being got there is none yet.
    pub(super) fn is_held(&self) -> bool {
        self.last.try_lock().is_ok_and(|last| matches!(*last, Some(Ok(_))))
    }

    /// Forgets (and thereby wipes) it: the server refused it, and the source may know another by now.
    pub(super) async fn forget(&self) {
        *self.last.lock().await = None;
    }
}

/// Whose secret is wanted, and for what.
pub(super) struct Wanted<'a> {
    /// Where it comes from.
    pub(super) source: &'a SecretSource,
    /// The user.
    pub(super) user: &'a str,
    /// What errors call the server.
    pub(super) target: String,
    /// Where it lies in the keyring.
    pub(super) account: Option<Account>,
}

/// What the sources that ask nobody need.
#[derive(Clone, Copy)]
pub(super) struct Sources<'a> {
    /// The file commands stand in: they are run only if it is the user's alone.
    pub(super) file: Option<&'a Path>,
    /// The keyring.
    pub(super) keyring: &'a KeyringClient,
}

impl Wanted<'_> {
    /// The secret, from a source that asks nobody.
    pub(super) async fn get(self, sources: Sources<'_>) -> Result<SecretString, OpError> {
        let failed = match self.source {
            SecretSource::Env(variable) => {
                let row = match std::env::var_os(variable).map(OsString::into_string) {
                    Some(Ok(secret)) => return Ok(SecretString::from(secret)),
                    Some(Err(_)) => start::VARIABLE_BROKEN,
                    None => start::VARIABLE_UNSET,
                };
                Missing::new(row, [("variable", variable.clone()), ("user", self.user.to_owned())])
            }
            SecretSource::Prompt => Missing::new(start::NOBODY_TO_ASK, []),
            SecretSource::Keyring => match self.account {
                Some(account) => match sources.keyring.get(&account).await {
                    Ok(secret) => return Ok(secret),
                    Err(failed) => failed,
                },
                None => Missing::new(start::DEFECT, []),
            },
            SecretSource::Command(command) => match from_command(command, sources.file).await {
                Ok(secret) => return Ok(secret),
                Err(failed) => failed,
            },
        };
        Err(failed.error(self.target))
    }
}

/// Why there is no secret.
struct Missing {
    row: Explanation,
    parts: Vec<(&'static str, String)>,
}

impl Missing {
    fn new<const N: usize>(row: Explanation, parts: [(&'static str, String); N]) -> Self {
        Self { row, parts: parts.into() }
    }

    /// It as an error of what wanted the secret for `target`.
    fn error(self, target: String) -> OpError {
        let parts = self.parts.iter().map(|(name, part)| (*name, part.as_str())).collect::<Vec<_>>();
        self.row.with(Phase::Queue, target, ErrorKind::SecretMissing, &parts)
    }
}

async fn from_command(command: &SecretCommand, file: Option<&Path>) -> Result<SecretString, Missing> {
    allowed(command, file).await?;
    command::run(command).await
}

/// Whether the command may run.
async fn allowed(command: &SecretCommand, file: Option<&Path>) -> Result<(), Missing> {
    let name = ("command", command::name(command));
    if !command.confirmed {
        return Err(Missing::new(words::UNCONFIRMED, [name]));
    }
    let Some(file) = file.map(Path::to_owned) else { return Err(Missing::new(words::NO_FILE, [name])) };
    // Files are asked for elsewhere: a network's may take long.
    match tokio::task::spawn_blocking(move || check_writers(&file)).await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(found)) => Err(Missing::new(words::WRITABLE, [name, ("found", found.to_string()), ("fix", found.hint)])),
        Err(_) => Err(Missing::new(start::DEFECT, [])),
    }
}
