//! The secret of a session that lies in a keyring: there, absent, locked, hanging, wrong.

use std::{
    collections::HashMap,
    sync::{Arc, Condvar, Mutex, mpsc},
};

use lazycim::{
    engine::{Account, Keyring, KeyringClient, KeyringError},
    op::{ErrorKind, OpError, OpEventKind},
    session::{HttpProxy, Profile, ProfileId, Proxy, SecretSource, Target},
};
use secrecy::{ExposeSecret, SecretString};

use super::{
    fake::*,
    secret::{bench_with, with_user},
};

/// A keyring in memory that counts what it is asked.
#[derive(Default)]
pub struct Memory {
    entries: Mutex<HashMap<String, SecretString>>,
    asked: Mutex<Vec<String>>,
    was_asked: Condvar,
    /// What it answers instead.
    fails: Option<KeyringError>,
    /// It answers only when the other end is dropped.
    hangs: Option<Mutex<mpsc::Receiver<()>>>,
}

impl Memory {
    pub fn with(account: &str, secret: &str) -> Arc<Self> {
        let memory = Self::default();
        memory.entries.lock().unwrap().insert(account.to_owned(), secret.into());
        Arc::new(memory)
    }

    fn failing(error: KeyringError) -> Arc<Self> {
        Arc::new(Self { fails: Some(error), ..Self::default() })
    }

    fn hanging() -> (mpsc::Sender<()>, Arc<Self>) {
        let (alive, hangs) = mpsc::channel();
        (alive, Arc::new(Self { hangs: Some(Mutex::new(hangs)), ..Self::default() }))
    }

    fn count(&self) -> usize {
        self.asked.lock().unwrap().len()
    }

    fn ask(&self, account: &str) -> Result<(), KeyringError> {
        self.asked.lock().unwrap().push(account.to_owned());
        self.was_asked.notify_all();
        if let Some(hangs) = &self.hangs {
            let _ = hangs.lock().unwrap().recv();
        }
        self.fails.clone().map_or(Ok(()), Err)
    }
}

impl Keyring for Memory {
    fn get(&self, account: &str) -> Result<Option<SecretString>, KeyringError> {
        self.ask(account)?;
        Ok(self.entries.lock().unwrap().get(account).cloned())
    }

    fn set(&self, account: &str, secret: &SecretString) -> Result<(), KeyringError> {
        self.ask(account)?;
        self.entries.lock().unwrap().insert(account.to_owned(), secret.clone());
        Ok(())
    }

    fn forget(&self, account: &str) -> Result<bool, KeyringError> {
        self.ask(account)?;
        Ok(self.entries.lock().unwrap().remove(account).is_some())
    }
}

/// The saved session `web`, whose secret is in the keyring.
fn web() -> Target {
    Profile::new(ProfileId::new("web").unwrap(), String::new(), with_user(SecretSource::Keyring)).target
}

fn account() -> Account {
    Account::of(&web(), false).unwrap()
}

fn bench(memory: &Arc<Memory>) -> Bench {
    let keyring = memory.clone();
    let bench = bench_with("good", 0, |settings| settings.keyring = keyring);
    bench.engine.open(SESSION, web());
    bench
}

#[tokio::test]
async fn a_keyring_is_asked_once_for_a_live_session() {
    let memory = Memory::with(account().name(), "good");
    let bench = bench(&memory);
    assert_eq!(memory.count(), 0, "an open session has asked nobody");
    let waiting = (0..4).map(|_| bench.start(operation())).collect::<Vec<_>>();
    for (_, events) in waiting {
        assert!(matches!(end(&rest(events).await), OpEventKind::Finished(_)));
    }
    assert_eq!(*memory.asked.lock().unwrap(), [account().name()]);
    bench.engine.change(SESSION, Target { read_only: true, ..web() });
    assert!(matches!(end(&bench.run(operation()).await), OpEventKind::Finished(_)));
    assert_eq!(memory.count(), 1, "the same server");
    bench.engine.close(SESSION);
    bench.engine.open(SESSION, web());
    assert!(matches!(end(&bench.run(operation()).await), OpEventKind::Finished(_)));
    assert_eq!(memory.count(), 2, "a closed session forgets");
    bench.engine.change(SESSION, Target { port: 7, ..web() });
    let error = failure(&bench.run(operation()).await);
    assert!(error.cause().contains("has no password for ann@") && error.cause().contains(":7"), "{error:?}");
}

#[tokio::test]
async fn a_refused_secret_is_looked_up_again_by_the_next_operation_and_nobody_is_asked_for_it() {
    let memory = Memory::with(account().name(), "bad");
    let bench = bench(&memory);
    let events = bench.run(operation()).await;
    assert_eq!(failure(&events).kind, ErrorKind::Unauthorized);
    assert!(!events.iter().any(|event| matches!(event.kind, OpEventKind::SecretNeeded { .. })));
    memory.entries.lock().unwrap().insert(account().name().to_owned(), "good".into());
    assert!(matches!(end(&bench.run(operation()).await), OpEventKind::Finished(_)));
    assert_eq!(memory.count(), 2);
}

async fn refused(memory: Arc<Memory>) -> OpError {
    let bench = bench(&memory);
    let error = failure(&bench.run(operation()).await);
    assert!(bench.dialled.lock().unwrap().is_empty(), "nobody connects without the secret");
    assert_eq!((error.phase, &error.kind), (lazycim::op::Phase::Queue, &ErrorKind::SecretMissing));
    error
}

#[tokio::test]
async fn each_failure_of_a_keyring_says_what_else_to_do() {
    let others = "auth.secret = \"prompt\", \"env:VAR\" or { command = [...] } in the session";
    let told = |text: &str| text.to_owned();
    for (fails, seen, hint) in [
        (KeyringError::Absent(told("no bus")), "no keyring answers: no bus", others),
        (KeyringError::NotBuilt, "was built without the keyring", others),
        (KeyringError::Locked(told("dismissed")), "the keyring is locked: dismissed", others),
        (KeyringError::Failed(told("broken")), "the keyring failed: broken", others),
        (KeyringError::NotText, "is no text", "lazycim sessions secret set web"),
        (KeyringError::Several, "several passwords for ann@", "remove all but one"),
    ] {
        let error = refused(Memory::failing(fails)).await;
        assert!(error.causes[0].contains(seen) && error.hint.contains(hint), "{error:?}");
    }
    let error = refused(Arc::default()).await;
    assert!(error.causes[0].contains("has no password for ann@"), "{error:?}");
    assert_eq!(error.hint, "lazycim sessions secret set web");
}

#[tokio::test(start_paused = true)]
async fn a_keyring_that_hangs_is_left_after_a_while_and_does_not_take_ever_more_threads() {
    let (alive, memory) = Memory::hanging();
    let bench = bench(&memory);
    for _ in 0..6 {
        let error = failure(&bench.run(operation()).await);
        assert_eq!(error.causes[0], "the keyring did not answer within 30s");
        assert!(error.hint.contains("\"prompt\", \"env:VAR\" or { command"), "{error:?}");
    }
    let asked = memory.was_asked.wait_while(memory.asked.lock().unwrap(), |asked| asked.len() < 4).unwrap();
    assert_eq!(asked.len(), 4);
    drop((asked, alive));
}

#[tokio::test]
async fn an_operation_is_cancelled_while_its_keyring_hangs() {
    let (alive, memory) = Memory::hanging();
    let bench = bench(&memory);
    let (id, mut events) = bench.start(operation());
    until(&mut events, |kind| matches!(kind, OpEventKind::PhaseStarted { .. })).await;
    bench.engine.cancel(id);
    assert!(matches!(end(&rest(events).await), OpEventKind::Cancelled { .. }));
    drop(alive);
    settle().await;
    assert!(bench.dialled.lock().unwrap().is_empty());
}

#[tokio::test]
async fn what_was_set_is_there_until_it_is_forgotten() {
    let memory = Arc::<Memory>::default();
    let client = KeyringClient::new(memory.clone());
    client.set(&account(), "good".into()).await.unwrap();
    assert!(matches!(end(&bench(&memory).run(operation()).await), OpEventKind::Finished(_)));
    client.forget(&account()).await.unwrap();
    let error = client.forget(&account()).await.unwrap_err();
    assert!(error.cause().contains("has no password for ann@"), "{error:?}");
    assert_eq!(error.hint, "nothing need be done");
}

#[tokio::test]
async fn a_proxys_secret_lies_under_the_proxys_own_account() {
    let proxy = HttpProxy::at("http://px.example:3128").unwrap();
    let proxy = HttpProxy { user: Some("px".to_owned()), secret: SecretSource::Keyring, ..proxy };
    let through = Target { proxy: Proxy::Http(proxy), secret: SecretSource::Prompt, ..web() };
    let memory = Memory::with("px@px.example:3128", "theirs");
    let bench = bench(&memory);
    bench.engine.open(SESSION, through.clone());
    bench.engine.give_secret(SESSION, Some("good".into()));
    assert!(matches!(end(&bench.run(operation()).await), OpEventKind::Finished(_)));
    let asked_as = bench.dialled.lock().unwrap().last().unwrap().proxy_credentials.clone().unwrap();
    assert_eq!((asked_as.user.as_str(), asked_as.secret.expose_secret()), ("px", "theirs"));
    KeyringClient::new(memory).forget(&Account::of(&through, true).unwrap()).await.unwrap();
    bench.engine.open(SESSION, through);
    bench.engine.give_secret(SESSION, Some("good".into()));
    let error = failure(&bench.run(operation()).await);
    assert_eq!((&error.kind, error.target.as_str()), (&ErrorKind::SecretMissing, "the proxy px.example:3128"));
    assert_eq!(error.hint, "lazycim sessions secret set web --proxy");
}
