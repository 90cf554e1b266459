//! The operating system's keyring.
//!
//! Owns: the door to it, which tests replace; under which account a secret lies there; and asking it bounded in time, off
//! the threads that run operations. Must not know a platform's own keyring.
//!
//! ```text
//! service "lazycim", account "USER@HOST:PORT" of the server (or of the proxy), host in lower case
//! ```
//! The account names where the secret goes, and not the session: a session that is renamed or copied keeps it, and one that is
//! pointed at another server does not take it there.

use std::{sync::Arc, time::Duration};

use secrecy::SecretString;
use tokio::sync::{Semaphore, oneshot};

use super::Missing;
use crate::{
    op::{
        OpError,
        explain::{secret::keyring, start},
    },
    session::{Proxy, Target},
};

/// How long it may take, unlocking by a person included.
const LIMIT: Duration = Duration::from_secs(30);

/// How many questions may be unanswered at once: each holds a thread, and one that hangs keeps it.
const UNANSWERED: usize = 4;

/// A keyring. Its calls block, and may wait for a person to unlock it.
pub trait Keyring: Send + Sync {
    /// The secret of `account`; `None` where there is none.
    ///
    /// # Errors
    /// If the keyring does not give it.
    fn get(&self, account: &str) -> Result<Option<SecretString>, KeyringError>;

    /// Keeps the secret of `account`, in the place of an older one.
    ///
    /// # Errors
    /// If the keyring does not take it.
    fn set(&self, account: &str, secret: &SecretString) -> Result<(), KeyringError>;

    /// Forgets the secret of `account`; false where there is none.
    ///
    /// # Errors
    /// If the keyring does not let go of it.
    fn forget(&self, account: &str) -> Result<bool, KeyringError>;
}

/// Why a keyring did not do what was asked. None of it holds a secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeyringError {
    /// There is none, or it cannot be reached; the system's words.
    Absent(String),
    /// This lazycim was built without it.
    NotBuilt,
    /// It is locked and was not unlocked; the system's words.
    Locked(String),
    /// The entry is not a text.
    NotText,
    /// Several entries answer to the account.
    Several,
    /// Anything else; the system's words.
    Failed(String),
}

impl KeyringError {
    fn missing(self, parts: [(&'static str, String); 3]) -> Missing {
        let (row, error) = match self {
            Self::Absent(error) => (keyring::ABSENT, error),
            Self::NotBuilt => (keyring::NOT_BUILT, String::new()),
            Self::Locked(error) => (keyring::LOCKED, error),
            Self::NotText => (keyring::NOT_TEXT, String::new()),
            Self::Several => (keyring::SEVERAL, String::new()),
            Self::Failed(error) => (keyring::FAILED, error),
        };
        let [account, fix, own] = parts;
        Missing::new(row, [account, fix, own, ("error", error)])
    }
}

/// Where a secret lies in the keyring.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    name: String,
    /// What errors call the server or the proxy.
    target: String,
    /// The command that puts it there.
    fix: String,
    /// The key of sessions.toml that says where the secret comes from.
    key: &'static str,
}

impl Account {
    /// That of the session's user on its server, or of the proxy's user; `None` where there is no such user.
    pub fn of(target: &Target, of_proxy: bool) -> Option<Self> {
        let saved = target.owner.0.as_ref().map_or("NAME", |id| id.as_str());
        let (host, port, user) = match (&target.computer, &target.proxy) {
            (Some(computer), _) if !of_proxy => (computer, target.port, target.user.as_ref()?),
            (Some(_), Proxy::Http(proxy)) if of_proxy => (&proxy.host, proxy.port, proxy.user.as_ref()?),
            _ => return None,
        };
        let host = if host.contains(':') { format!("[{host}]:{port}") } else { format!("{host}:{port}") };
        let (target, flag, key) = if of_proxy {
            (format!("the proxy {host}"), " --proxy", "proxy.secret")
        } else {
            (host.clone(), "", "auth.secret")
        };
        let fix = format!("lazycim sessions secret set {saved}{flag}");
        Some(Self { name: format!("{user}@{}", host.to_lowercase()), target, fix, key })
    }

    /// Its name in the keyring.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The key of sessions.toml that says where this secret comes from.
    pub const fn key(&self) -> &'static str {
        self.key
    }

    /// That of nobody: no secret lies there.
    fn of_nobody() -> Self {
        let (name, target) = ("nobody".to_owned(), "the keyring".to_owned());
        Self { name, target, fix: "try again".to_owned(), key: "auth.secret" }
    }

    fn parts(&self) -> [(&'static str, String); 3] {
        [("account", self.name.clone()), ("fix", self.fix.clone()), ("key", self.key.to_owned())]
    }
}

/// Asks a keyring. Clones share the bound on what is unanswered.
#[derive(Clone)]
pub struct KeyringClient {
    keyring: Arc<dyn Keyring>,
    unanswered: Arc<Semaphore>,
}

impl KeyringClient {
    /// A client that has asked nothing yet.
    pub fn new(keyring: Arc<dyn Keyring>) -> Self {
        Self { keyring, unanswered: Arc::new(Semaphore::new(UNANSWERED)) }
    }

    /// The secret of `account`.
    pub(super) async fn get(&self, account: &Account) -> Result<SecretString, Missing> {
        let found = self.ask(account, |keyring, name| keyring.get(name)).await?;
        found.ok_or_else(|| Missing::new(keyring::NO_ENTRY, account.parts()))
    }

    /// Keeps `secret` as that of `account`.
    ///
    /// # Errors
    /// `SecretMissing`: the keyring is absent, locked, slow or failed.
    pub async fn set(&self, account: &Account, secret: SecretString) -> Result<(), OpError> {
        let set = self.ask(account, move |keyring, name| keyring.set(name, &secret)).await;
        set.map_err(|missing| missing.error(account.target.clone()))
    }

    /// Whether the keyring answers, to a question about nobody.
    pub(in crate::engine) async fn answers(&self) -> Result<(), OpError> {
        let nobody = Account::of_nobody();
        let asked = self.ask(&nobody, |keyring, name| keyring.get(name)).await;
        asked.map(drop).map_err(|missing| missing.error(nobody.target))
    }

    /// The secret that was to be kept is not there any more.
    pub(in crate::engine) fn nothing_to_keep(&self) -> OpError {
        let nobody = Account::of_nobody();
        Missing::new(keyring::NOTHING_TO_KEEP, nobody.parts()).error(nobody.target)
    }

    /// Forgets the secret of `account`.
    ///
    /// # Errors
    /// `SecretMissing`: as for [`KeyringClient::set`], and where there is none.
    pub async fn forget(&self, account: &Account) -> Result<(), OpError> {
        let forgotten = match self.ask(account, |keyring, name| keyring.forget(name)).await {
            Ok(true) => Ok(()),
            Ok(false) => Err(Missing::new(keyring::NOTHING_TO_FORGET, account.parts())),
            Err(missing) => Err(missing),
        };
        forgotten.map_err(|missing| missing.error(account.target.clone()))
    }

    /// Asks on a thread of its own, which nobody waits for when the program ends: a call that hangs cannot be ended.
    async fn ask<T: Send + 'static>(
        &self,
        account: &Account,
        question: impl FnOnce(&dyn Keyring, &str) -> Result<T, KeyringError> + Send + 'static,
    ) -> Result<T, Missing> {
        let answered = tokio::time::timeout(LIMIT, async {
            let turn = self.unanswered.clone().acquire_owned().await;
            let (keyring, name) = (self.keyring.clone(), account.name.clone());
            let (answer, answered) = oneshot::channel();
            let asking = std::thread::Builder::new().name("keyring".to_owned()).spawn(move || {
                // One that nobody waits for any more is dropped, and wiped with that.
                drop(answer.send(question(&*keyring, &name)));
                drop(turn);
            });
            match asking {
                Ok(_) => answered.await.ok(),
                Err(error) => Some(Err(KeyringError::Failed(error.to_string()))),
            }
        });
        match answered.await {
            Ok(Some(answer)) => answer.map_err(|error| error.missing(account.parts())),
            // It panicked.
            Ok(None) => Err(Missing::new(start::DEFECT, [])),
            Err(_) => {
                let [own, fix, key] = account.parts();
                Err(Missing::new(keyring::SLOW, [own, fix, key, ("limit", format!("{LIMIT:?}"))]))
            }
        }
    }
}
