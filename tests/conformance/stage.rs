//! What a case stands on: a server, an engine, one session, and how the events of an operation are heard.

use std::{io, net::SocketAddr, path::Path, sync::Arc};

use lazycim::{
    auth::Credentials,
    cim::CimName,
    config::Config,
    engine::{Engine, Settings},
    op::{BoxFuture, OpError, OpEvent, OpEventKind, OpId, Operation, OperationKind, Phase, SessionId, Timeouts},
    server::{self, RunningServer, Scenario, ServerOptions},
    session::{Target, Tls},
    wire::{ConnectHook, Resolver},
};
use secrecy::SecretString;
use tokio::sync::mpsc;

pub use super::subjects::{CIMXML, SUBJECTS, Subject, WSMAN};

pub const SESSION: SessionId = SessionId(1);

/// Never ends.
struct Never;

impl Resolver for Never {
    fn resolve<'a>(&'a self, _host: &'a str, _port: u16) -> BoxFuture<'a, io::Result<Vec<SocketAddr>>> {
        Box::pin(std::future::pending())
    }
}

impl ConnectHook for Never {
    fn before<'a>(&'a self, _peer: SocketAddr) -> BoxFuture<'a, io::Result<()>> {
        Box::pin(std::future::pending())
    }
}

/// A server, and an engine with one session on it.
pub struct Stage {
    pub engine: Engine,
    pub server: RunningServer,
    _trusted: tempfile::NamedTempFile,
}

impl Stage {
    /// A stage whose server does as `options` say, and where, if at all, it is not the server that stalls.
    pub async fn new(subject: Subject, stalls: Option<Phase>, options: ServerOptions, timeouts: Timeouts) -> Self {
        Self::with(subject, stalls, options, timeouts, |_| ()).await
    }

    /// The same with other settings of the engine.
    pub async fn with(
        subject: Subject,
        stalls: Option<Phase>,
        options: ServerOptions,
        timeouts: Timeouts,
        change: impl FnOnce(&mut Settings),
    ) -> Self {
        let server = server::start(options).await.unwrap();
        let mut settings = Settings::new(&Config::default());
        settings.timeouts = timeouts;
        change(&mut settings);
        let mut target = target_of(&server, subject);
        let trusted = tempfile::NamedTempFile::new().unwrap();
        match stalls {
            Some(Phase::Resolve) => {
                settings.resolver = Arc::new(Never);
                target.computer = Some("stalls.example".to_owned());
            }
            Some(Phase::Connect) => settings.connect_hook = Some(Arc::new(Never)),
            Some(Phase::Tls) => {
                let own = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
                std::fs::write(trusted.path(), own.cert.pem()).unwrap();
                target.tls = Some(Tls { ca_file: Some(trusted.path().to_owned()), ..Tls::default() });
            }
            _ => {}
        }
        let engine = Engine::new(settings);
        engine.open(SESSION, target);
        Self { engine, server, _trusted: trusted }
    }

    pub fn start(&self, operation: Operation) -> (OpId, mpsc::Receiver<OpEvent>) {
        self.start_in(SESSION, operation, 256)
    }

    pub fn start_in(&self, session: SessionId, operation: Operation, room: usize) -> (OpId, mpsc::Receiver<OpEvent>) {
        let (sender, events) = mpsc::channel(room);
        let id = self.engine.ids().next();
        self.engine.start(session, id, operation, sender);
        (id, events)
    }

    /// Runs an operation, and returns its events and those of what it made the engine do.
    pub async fn run(&self, operation: Operation) -> Vec<OpEvent> {
        let (id, events) = self.start(operation);
        ended(id, rest(Vec::new(), events).await)
    }

    /// Returns once the server has seen every connection end, knows no open enumeration, and the engine is idle.
    pub async fn idle(&self) {
        self.engine.busy().wait_for(|busy| *busy == 0).await.unwrap();
        self.server.connections().wait_for(|open| *open == 0).await.unwrap();
        assert_eq!(*self.server.enumerations().borrow(), 0, "an enumeration is left open");
    }
}

/// The session's target for `server`.
pub fn target_of(server: &RunningServer, subject: Subject) -> Target {
    Target {
        computer: Some(server.addr().ip().to_string()),
        port: server.addr().port(),
        protocol: subject.protocol.to_owned(),
        path: subject.path.to_owned(),
        ..Target::this_computer()
    }
}

/// A server that plays `scenario`, named below `tests/scenarios` without its ending.
pub fn scripted(scenario: &str) -> ServerOptions {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/scenarios").join(format!("{scenario}.toml"));
    ServerOptions::scripted(Scenario::load(&file).unwrap())
}

/// A server that plays the scenario of this name in the protocol of `subject`.
pub fn spoken(subject: Subject, scenario: &str) -> ServerOptions {
    scripted(&format!("{}/{scenario}", subject.folder))
}

/// A server that wants `ann` and `right`.
pub fn guarded() -> ServerOptions {
    ServerOptions::loopback(Credentials { user: "ann".to_owned(), secret: right() })
}

pub fn right() -> SecretString {
    SecretString::from("right".to_owned())
}

/// One request.
pub fn class() -> Operation {
    Operation::new(OperationKind::GetClass { class: CimName::new("LC_Process") })
}

/// The instances of a class of which every server here has several.
pub fn instances() -> Operation {
    Operation::new(OperationKind::EnumerateInstances { class: CimName::new("LC_Process") })
}

/// The instances the scenarios that pull tell of.
pub fn pulled() -> Operation {
    Operation::new(OperationKind::EnumerateInstances { class: CimName::new("LC_OperatingSystem") })
}

/// Every event to the end of the channel.
pub async fn rest(mut seen: Vec<OpEvent>, mut events: mpsc::Receiver<OpEvent>) -> Vec<OpEvent> {
    while let Some(event) = events.recv().await {
        seen.push(event);
    }
    seen
}

/// Takes events until `wanted` comes.
pub async fn until(events: &mut mpsc::Receiver<OpEvent>, wanted: impl Fn(&OpEventKind) -> bool) -> Vec<OpEvent> {
    let mut seen = Vec::new();
    while let Some(event) = events.recv().await {
        seen.push(event);
        if wanted(&seen.last().unwrap().kind) {
            return seen;
        }
    }
    panic!("it never came: {seen:#?}")
}

/// `events`, after checking that each operation in them ends once, with nothing after it, every connection closed and every phase over,
/// and that `id` is among them.
pub fn ended(id: OpId, events: Vec<OpEvent>) -> Vec<OpEvent> {
    let mut operations: Vec<OpId> = events.iter().map(|event| event.op).collect();
    operations.sort_unstable();
    operations.dedup();
    assert!(operations.contains(&id));
    for operation in operations {
        let own = of(operation, &events);
        let count = |wanted: fn(&OpEventKind) -> bool| own.iter().filter(|event| wanted(&event.kind)).count();
        assert_eq!(count(OpEventKind::is_terminal), 1, "{own:#?}");
        assert!(own.last().unwrap().kind.is_terminal(), "{own:#?}");
        let opened = count(|kind| matches!(kind, OpEventKind::ConnectionOpened { .. }));
        let closed = count(|kind| matches!(kind, OpEventKind::ConnectionClosed { .. }));
        assert_eq!(opened, closed, "{own:#?}");
        let began = count(|kind| matches!(kind, OpEventKind::PhaseStarted { .. }));
        let over = count(|kind| matches!(kind, OpEventKind::PhaseEnded { .. }));
        assert_eq!(began, over, "{own:#?}");
        assert!(own.is_sorted_by_key(|event| event.at), "{own:#?}");
    }
    events
}

/// The events of one operation.
pub fn of(id: OpId, events: &[OpEvent]) -> Vec<OpEvent> {
    events.iter().filter(|event| event.op == id).cloned().collect()
}

/// How operation `id` ended.
pub fn end(id: OpId, events: &[OpEvent]) -> OpEventKind {
    of(id, events).pop().unwrap().kind
}

/// The operation that cleaned up after `id`, and how it ended.
pub fn clean_up(id: OpId, events: &[OpEvent]) -> Option<(OpId, OpEventKind)> {
    let started = events
        .iter()
        .find(|event| matches!(&event.kind, OpEventKind::Started { because_of, .. } if *because_of == id))?;
    Some((started.op, end(started.op, events)))
}

/// How many rows operation `id` brought.
pub fn rows(id: OpId, events: &[OpEvent]) -> usize {
    let rows = of(id, events).into_iter().map(|event| match event.kind {
        OpEventKind::Rows(batch) => batch.len(),
        _ => 0,
    });
    rows.sum()
}

pub fn failure(id: OpId, events: &[OpEvent]) -> OpError {
    match end(id, events) {
        OpEventKind::Failed(error) => (*error).clone(),
        other => panic!("it did not fail: {other:?}"),
    }
}

/// Whether `kind` is the beginning of `phase`.
pub fn begins(phase: Phase) -> impl Fn(&OpEventKind) -> bool {
    move |kind| matches!(kind, OpEventKind::PhaseStarted { phase: known, .. } if *known == phase)
}
