//! The secret of a session: asked for, given, declined, refused.

use std::sync::Arc;

use lazycim::{
    engine::Settings,
    op::{ErrorKind, OpError, OpEvent, OpEventKind},
    session::{HttpProxy, Proxy, SecretCommand, SecretSource, Target},
};
use secrecy::{ExposeSecret, SecretString};
use tokio::sync::mpsc;

use super::{
    fake::*,
    found::{CANARY, assert_nowhere_in, authorization},
};

/// An engine whose server refuses every password but `good`, and whose operations deliver `first` rows before they are refused.
fn bench(good: &'static str, first: usize) -> Bench {
    bench_with(good, first, |_| ())
}

pub fn bench_with(good: &'static str, first: usize, change: impl FnOnce(&mut Settings)) -> Bench {
    let dialled: Arc<std::sync::OnceLock<Dialled>> = Arc::default();
    let known = dialled.clone();
    let run: Run = Box::new(move |_, cx| {
        let known = known.clone();
        Box::pin(async move {
            let right = {
                let requests = known.get().unwrap().lock().unwrap();
                let credentials = requests.last().unwrap().credentials.as_ref();
                credentials.is_none_or(|credentials| credentials.secret.expose_secret() == good)
            };
            if right {
                return Ok(());
            }
            if first > 0 {
                cx.sink.deliver(OpEventKind::Rows(rows(first))).await;
            }
            Err(unauthorized())
        })
    });
    let bench = Bench::with(run, Box::new(|_, _| Box::pin(async { Ok(()) })), change);
    assert!(dialled.set(bench.dialled.clone()).is_ok());
    bench.engine.open(SESSION, with_user(SecretSource::Prompt));
    bench
}

type Dialled = Arc<std::sync::Mutex<Vec<lazycim::engine::DialRequest>>>;

pub fn with_user(secret: SecretSource) -> Target {
    Target { user: Some("ann".to_owned()), secret, ..target() }
}

#[tokio::test]
async fn nobody_is_asked_for_a_secret_that_would_not_be_sent_in_the_clear() {
    let bench = bench("right", 0);
    let exposed = Target { computer: Some("192.0.2.1".to_owned()), ..with_user(SecretSource::Prompt) };
    bench.engine.open(SESSION, exposed);
    let seen = bench.run(operation()).await;
    assert!(!seen.iter().any(|event| matches!(event.kind, OpEventKind::SecretNeeded { .. })), "{seen:#?}");
    let OpEventKind::Failed(error) = &seen.last().unwrap().kind else { panic!("{seen:#?}") };
    assert_eq!(error.kind, ErrorKind::ClearTextRefused);
}

fn give(bench: &Bench, secret: &str) {
    bench.engine.give_secret(SESSION, Some(SecretString::from(secret)));
}

async fn asked(events: &mut mpsc::Receiver<OpEvent>) -> bool {
    let seen = until(events, |kind| matches!(kind, OpEventKind::SecretNeeded { .. } | OpEventKind::Failed(_))).await;
    match &seen.last().unwrap().kind {
        OpEventKind::SecretNeeded { user, again } => {
            assert_eq!(user, "ann");
            *again
        }
        other => panic!("not asked: {other:?}"),
    }
}

#[tokio::test(start_paused = true)]
async fn one_answer_releases_all_who_wait_and_is_kept() {
    let bench = bench("good", 0);
    let mut waiting = (0..6).map(|_| bench.start(operation())).collect::<Vec<_>>();
    for (_, events) in &mut waiting {
        assert!(!asked(events).await);
    }
    tokio::time::sleep(std::time::Duration::from_secs(86_400)).await;
    assert!(bench.dialled.lock().unwrap().is_empty(), "nobody connects without the secret");
    give(&bench, "good");
    for (_, events) in waiting {
        assert!(matches!(end(&rest(events).await), OpEventKind::Finished(_)));
    }
    let events = bench.run(operation()).await;
    assert!(!events.iter().any(|event| matches!(event.kind, OpEventKind::SecretNeeded { .. })));
}

#[tokio::test(start_paused = true)]
async fn declined_fails_those_who_wait() {
    let bench = bench("good", 0);
    let mut waiting = (0..2).map(|_| bench.start(operation())).collect::<Vec<_>>();
    for (_, events) in &mut waiting {
        asked(events).await;
    }
    bench.engine.give_secret(SESSION, None);
    for (_, events) in waiting {
        assert_eq!(failure(&rest(events).await).kind, ErrorKind::SecretMissing);
    }
    let (id, mut events) = bench.start(operation());
    assert!(!asked(&mut events).await, "the next one asks afresh");
    bench.engine.cancel(id);
    assert!(matches!(end(&rest(events).await), OpEventKind::Cancelled { .. }));
}

#[tokio::test(start_paused = true)]
async fn a_refused_secret_is_asked_for_again_once() {
    let bench = bench("good", 0);
    give(&bench, "bad");
    let (id, mut events) = bench.start(operation());
    assert!(asked(&mut events).await);
    give(&bench, "good");
    assert!(matches!(end(&rest(events).await), OpEventKind::Finished(_)));
    give(&bench, "bad");
    let (second, mut events) = bench.start(operation());
    assert_ne!(id, second);
    assert!(asked(&mut events).await);
    give(&bench, "worse");
    let rest = rest(events).await;
    assert_eq!(failure(&rest).kind, ErrorKind::Unauthorized);
    assert!(!rest.iter().any(|event| matches!(event.kind, OpEventKind::SecretNeeded { .. })));
    let (_, mut events) = bench.start(operation());
    assert!(asked(&mut events).await, "what was refused is not tried again");
}

#[tokio::test(start_paused = true)]
async fn declined_the_second_time_names_both_reasons() {
    let bench = bench("good", 0);
    give(&bench, "bad");
    let (_, mut events) = bench.start(operation());
    assert!(asked(&mut events).await);
    bench.engine.give_secret(SESSION, None);
    let error = failure(&rest(events).await);
    assert_eq!(error.kind, ErrorKind::SecretMissing);
    assert!(error.cause().contains("refused"), "{}", error.cause());
}

#[tokio::test(start_paused = true)]
async fn rows_that_came_are_not_fetched_twice() {
    let bench = bench("good", 3);
    give(&bench, "bad");
    let events = bench.run(operation()).await;
    assert_eq!(failure(&events).kind, ErrorKind::Unauthorized);
    assert!(!events.iter().any(|event| matches!(event.kind, OpEventKind::SecretNeeded { .. })));
}

#[tokio::test(start_paused = true)]
async fn several_refused_at_once_are_released_by_one_answer() {
    let bench = bench("good", 0);
    give(&bench, "bad");
    let mut waiting = (0..3).map(|_| bench.start(operation())).collect::<Vec<_>>();
    for (_, events) in &mut waiting {
        assert!(asked(events).await);
    }
    give(&bench, "good");
    for (_, events) in waiting {
        assert!(matches!(end(&rest(events).await), OpEventKind::Finished(_)));
    }
}

#[tokio::test(start_paused = true)]
async fn a_variable_is_read_and_an_unset_one_named() {
    let right: &'static str = std::env::var("CARGO_MANIFEST_DIR").unwrap().leak();
    let bench = bench(right, 0);
    bench.engine.open(SESSION, with_user(SecretSource::Env("CARGO_MANIFEST_DIR".to_owned())));
    assert!(matches!(end(&bench.run(operation()).await), OpEventKind::Finished(_)));
    bench.engine.open(SESSION, with_user(SecretSource::Env("LAZYCIM_TEST_UNSET".to_owned())));
    let error = failure(&bench.run(operation()).await);
    assert_eq!(error.kind, ErrorKind::SecretMissing);
    assert!(error.cause().contains("LAZYCIM_TEST_UNSET"));
}

#[tokio::test(start_paused = true)]
async fn a_refused_variable_is_not_asked_for() {
    let bench = bench("good", 0);
    bench.engine.open(SESSION, with_user(SecretSource::Env("CARGO_MANIFEST_DIR".to_owned())));
    let events = bench.run(operation()).await;
    assert_eq!(failure(&events).kind, ErrorKind::Unauthorized);
    assert!(!events.iter().any(|event| matches!(event.kind, OpEventKind::SecretNeeded { .. })));
}

#[tokio::test(start_paused = true)]
async fn a_closed_session_forgets_its_secret() {
    let bench = bench("good", 0);
    give(&bench, "good");
    assert!(matches!(end(&bench.run(operation()).await), OpEventKind::Finished(_)));
    bench.engine.close(SESSION);
    give(&bench, "for nobody");
    bench.engine.open(SESSION, with_user(SecretSource::Prompt));
    let (_, mut events) = bench.start(operation());
    assert!(!asked(&mut events).await);
}

#[tokio::test(start_paused = true)]
async fn cancelled_while_it_waits_it_ends_at_once() {
    let bench = bench("good", 0);
    let (id, mut events) = bench.start(operation());
    asked(&mut events).await;
    bench.engine.cancel(id);
    assert!(matches!(end(&rest(events).await), OpEventKind::Cancelled { .. }));
    give(&bench, "good");
    settle().await;
    assert!(bench.dialled.lock().unwrap().is_empty());
}

#[tokio::test]
async fn a_session_that_is_changed_keeps_its_secret_and_goes_by_its_new_target() {
    let bench = bench("good", 0);
    let (_, mut events) = bench.start(operation());
    assert!(!asked(&mut events).await);
    give(&bench, "good");
    until(&mut events, OpEventKind::is_terminal).await;
    bench.engine.change(SESSION, Target { port: 7, ..with_user(SecretSource::Prompt) });
    let seen = bench.run(operation()).await;
    assert!(!seen.iter().any(|event| matches!(event.kind, OpEventKind::SecretNeeded { .. })), "{seen:#?}");
    assert!(matches!(seen.last().unwrap().kind, OpEventKind::Finished(_)), "{seen:#?}");
    let ports = bench.dialled.lock().unwrap().iter().map(|request| request.target.port).collect::<Vec<_>>();
    assert_eq!(ports.last(), Some(&7));
}

/// A command that prints `secret` and notes in a file that it ran, and how often it did.
struct Counted {
    dir: tempfile::TempDir,
}

impl Counted {
    fn new() -> Self {
        use std::os::unix::fs::PermissionsExt;
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("sessions.toml"), "").unwrap();
        std::fs::set_permissions(dir.path().join("sessions.toml"), PermissionsExt::from_mode(0o600)).unwrap();
        Self { dir }
    }

    fn allow(&self, settings: &mut Settings) {
        settings.sessions_file = Some(self.dir.path().join("sessions.toml"));
    }

    fn printing(&self, secret: &str) -> SecretSource {
        let line = format!("echo x >> '{}'; echo {secret}", self.dir.path().join("count").display());
        let timeout = SecretCommand::TIMEOUT;
        SecretSource::Command(SecretCommand { words: vec![line], shell: true, timeout, confirmed: true })
    }

    fn count(&self) -> usize {
        std::fs::read_to_string(self.dir.path().join("count")).unwrap_or_default().lines().count()
    }
}

#[tokio::test]
async fn a_command_runs_once_for_a_live_session() {
    let counted = Counted::new();
    let bench = bench_with("good", 0, |settings| counted.allow(settings));
    bench.engine.open(SESSION, with_user(counted.printing("good")));
    assert_eq!(counted.count(), 0, "an open session has asked nobody");
    let held = || bench.engine.live().iter().all(|live| live.holds_secret);
    assert!(!held());
    let waiting = (0..4).map(|_| bench.start(operation())).collect::<Vec<_>>();
    for (_, events) in waiting {
        assert!(matches!(end(&rest(events).await), OpEventKind::Finished(_)));
    }
    assert_eq!(counted.count(), 1);
    bench.engine.change(SESSION, Target { read_only: true, ..with_user(counted.printing("good")) });
    assert!(matches!(end(&bench.run(operation()).await), OpEventKind::Finished(_)));
    assert_eq!(counted.count(), 1, "the same source");
    bench.engine.change(SESSION, Target { computer: Some("h2".to_owned()), ..with_user(counted.printing("good")) });
    assert!(matches!(end(&bench.run(operation()).await), OpEventKind::Finished(_)));
    assert_eq!(counted.count(), 2, "another server");
    assert!(held());
    bench.engine.close(SESSION);
    bench.engine.open(SESSION, with_user(counted.printing("good")));
    assert!(!held(), "it is asked again for the next operation alone");
    assert!(matches!(end(&bench.run(operation()).await), OpEventKind::Finished(_)));
    assert_eq!(counted.count(), 3, "a closed session forgets");
}

#[tokio::test]
async fn a_command_whose_secret_was_refused_runs_again_for_the_next_operation() {
    let counted = Counted::new();
    let bench = bench_with("good", 0, |settings| counted.allow(settings));
    bench.engine.open(SESSION, with_user(counted.printing("bad")));
    for count in 1..=2 {
        let events = bench.run(operation()).await;
        assert_eq!(failure(&events).kind, ErrorKind::Unauthorized);
        assert!(!events.iter().any(|event| matches!(event.kind, OpEventKind::SecretNeeded { .. })));
        assert_eq!(counted.count(), count);
    }
}

#[tokio::test]
async fn a_proxys_secret_is_got_like_the_sessions() {
    let counted = Counted::new();
    let bench = bench_with("good", 0, |settings| counted.allow(settings));
    let secret = counted.printing("theirs");
    let proxy = HttpProxy::at("http://px.example:3128").unwrap();
    let proxy = Proxy::Http(HttpProxy { user: Some("px".to_owned()), secret, ..proxy });
    bench.engine.open(SESSION, Target { proxy, ..with_user(SecretSource::Prompt) });
    give(&bench, "good");
    for _ in 0..2 {
        assert!(matches!(end(&bench.run(operation()).await), OpEventKind::Finished(_)));
    }
    assert_eq!(counted.count(), 1);
    let asked_as = bench.dialled.lock().unwrap().last().unwrap().proxy_credentials.clone().unwrap();
    assert_eq!((asked_as.user.as_str(), asked_as.secret.expose_secret()), ("px", "theirs"));
}

#[tokio::test]
async fn an_operation_is_cancelled_while_its_command_runs() {
    let counted = Counted::new();
    let bench = bench_with("good", 0, |settings| counted.allow(settings));
    let words = vec!["sleep".to_owned(), "1000".to_owned()];
    let hangs = SecretCommand { words, shell: false, timeout: std::time::Duration::MAX, confirmed: true };
    bench.engine.open(SESSION, with_user(SecretSource::Command(hangs)));
    let (id, mut events) = bench.start(operation());
    until(&mut events, |kind| matches!(kind, OpEventKind::PhaseStarted { .. })).await;
    bench.engine.cancel(id);
    assert!(matches!(end(&rest(events).await), OpEventKind::Cancelled { .. }));
    assert!(bench.dialled.lock().unwrap().is_empty());
}

#[tokio::test]
async fn a_secret_is_in_nothing_that_is_told_or_can_be_printed_even_after_a_panic() {
    let ends: [fn() -> OpError; 2] = [unauthorized, || panic!("a defect of the protocol")];
    for end in ends {
        let bench = Bench::new(Box::new(move |_, cx| {
            assert_nowhere_in(&format!("{:?}", cx.target), "the target");
            Box::pin(async move { Err(end()) })
        }));
        bench.engine.open(SESSION, with_user(SecretSource::Prompt));
        give(&bench, CANARY);
        let (_, mut events) = bench.start(operation());
        let told = until(&mut events, |kind| kind.is_terminal() || matches!(kind, OpEventKind::SecretNeeded { .. }));
        assert_nowhere_in(&format!("{:#?}", told.await), "an event");
        let dialled = bench.dialled.lock().unwrap();
        let credentials = dialled.last().unwrap().credentials.as_ref().unwrap();
        assert_eq!(credentials.secret.expose_secret(), CANARY);
        assert_nowhere_in(&format!("{credentials:?}"), "credentials");
        let mut basic = lazycim::auth::authenticator_for("basic", credentials.clone()).unwrap();
        let header = basic.authorization("POST", "/").unwrap();
        assert_eq!(*header.0, authorization().into_bytes());
        assert_nowhere_in(&format!("{header:?}"), "the header");
    }
}
