//! The life of real connections under the engine, for every protocol there is: cancelled and timed out where a server, a name or a network
//! stalls, the socket closes, the server sees it, and the session goes on.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::{io, net::SocketAddr, path::Path, sync::Arc, time::Duration};

use lazycim::{
    auth::Credentials,
    cim::CimName,
    config::Config,
    engine::{Engine, Settings},
    op::{
        BoxFuture, ErrorKind, OpError, OpEvent, OpEventKind, OpId, Operation, OperationKind, Phase, SessionId, Timeouts,
    },
    server::{self, RunningServer, Scenario, ServerOptions},
    session::{Target, Tls},
    wire::{ConnectHook, Resolver},
};
use secrecy::SecretString;
use tokio::sync::mpsc;

const SESSION: SessionId = SessionId(1);
const PROTOCOLS: [&str; 1] = ["cimxml"];

/// Where things stall: the phase, and the scenario of the server if it is the server's doing.
const STALLS: [(Phase, &str); 5] = [
    (Phase::Resolve, "close_in_answer"),
    (Phase::Connect, "close_in_answer"),
    (Phase::Tls, "stall_at_accept"),
    (Phase::Wait, "stall_before_answer"),
    (Phase::Receive, "stall_in_answer"),
];

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
struct Stage {
    engine: Engine,
    server: RunningServer,
    _trusted: tempfile::NamedTempFile,
}

impl Stage {
    async fn new(protocol: &str, stalls: Option<Phase>, options: ServerOptions, timeouts: Timeouts) -> Self {
        let server = server::start(options).await.unwrap();
        let mut settings = Settings::new(&Config::default());
        settings.timeouts = timeouts;
        let mut target = target_of(&server, protocol);
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
                target.tls = Some(Tls { ca_file: Some(trusted.path().to_owned()) });
            }
            _ => {}
        }
        let engine = Engine::new(settings);
        engine.open(SESSION, target);
        Self { engine, server, _trusted: trusted }
    }

    fn start(&self) -> (OpId, mpsc::Receiver<OpEvent>) {
        let (sender, events) = mpsc::channel(256);
        let id = self.engine.ids().next();
        let kind = OperationKind::GetClass { class: CimName::new("LC_Process") };
        self.engine.start(SESSION, id, Operation::new(kind), sender);
        (id, events)
    }

    async fn run(&self) -> Vec<OpEvent> {
        rest(Vec::new(), self.start().1).await
    }

    /// Returns once the server has seen every connection end and the engine is idle.
    async fn idle(&self) {
        self.server.connections().wait_for(|open| *open == 0).await.unwrap();
        self.engine.busy().wait_for(|busy| *busy == 0).await.unwrap();
    }
}

fn target_of(server: &RunningServer, protocol: &str) -> Target {
    Target {
        computer: Some(server.addr().ip().to_string()),
        port: server.addr().port(),
        protocol: protocol.to_owned(),
        ..Target::this_computer()
    }
}

fn scripted(scenario: &str) -> ServerOptions {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/scenarios").join(format!("{scenario}.toml"));
    ServerOptions::scripted(Scenario::load(&file).unwrap())
}

/// All events to the end, after checking that they end once, with every connection closed and every phase over.
async fn rest(mut seen: Vec<OpEvent>, mut events: mpsc::Receiver<OpEvent>) -> Vec<OpEvent> {
    while let Some(event) = events.recv().await {
        seen.push(event);
    }
    let count = |wanted: fn(&OpEventKind) -> bool| seen.iter().filter(|event| wanted(&event.kind)).count();
    assert_eq!(count(OpEventKind::is_terminal), 1, "{seen:#?}");
    assert!(seen.last().unwrap().kind.is_terminal(), "{seen:#?}");
    let opened = count(|kind| matches!(kind, OpEventKind::ConnectionOpened { .. }));
    let closed = count(|kind| matches!(kind, OpEventKind::ConnectionClosed { .. }));
    assert_eq!(opened, closed, "{seen:#?}");
    let began = count(|kind| matches!(kind, OpEventKind::PhaseStarted { .. }));
    let over = count(|kind| matches!(kind, OpEventKind::PhaseEnded { .. }));
    assert_eq!(began, over, "{seen:#?}");
    assert!(seen.is_sorted_by_key(|event| event.at), "{seen:#?}");
    seen
}

async fn until(events: &mut mpsc::Receiver<OpEvent>, wanted: impl Fn(&OpEventKind) -> bool) -> Vec<OpEvent> {
    let mut seen = Vec::new();
    while let Some(event) = events.recv().await {
        seen.push(event);
        if wanted(&seen.last().unwrap().kind) {
            return seen;
        }
    }
    panic!("it never came: {seen:#?}")
}

fn failure(seen: &[OpEvent]) -> &OpError {
    match &seen.last().unwrap().kind {
        OpEventKind::Failed(error) => error,
        other => panic!("it did not fail: {other:?}"),
    }
}

#[tokio::test]
async fn a_cancel_closes_the_socket_wherever_it_stalls() {
    for protocol in PROTOCOLS {
        for (phase, scenario) in STALLS {
            let stage = Stage::new(protocol, Some(phase), scripted(scenario), Timeouts::default()).await;
            let (id, mut events) = stage.start();
            let begins =
                |kind: &OpEventKind| matches!(kind, OpEventKind::PhaseStarted { phase: known, .. } if *known == phase);
            let seen = until(&mut events, begins).await;
            stage.engine.cancel(id);
            let seen = rest(seen, events).await;
            assert!(matches!(seen.last().unwrap().kind, OpEventKind::Cancelled { .. }), "{phase}: {seen:#?}");
            stage.idle().await;
        }
    }
}

#[tokio::test]
async fn each_step_has_its_own_time_out() {
    let short = Duration::from_millis(100);
    let long = Timeouts::default();
    for protocol in PROTOCOLS {
        for (phase, scenario) in STALLS {
            let timeouts = match phase {
                Phase::Wait => Timeouts { first_byte: short, ..long },
                Phase::Receive => Timeouts { idle: short, ..long },
                _ => Timeouts { connect: short, ..long },
            };
            for timeouts in [timeouts, Timeouts { total: Some(short), ..long }] {
                let stage = Stage::new(protocol, Some(phase), scripted(scenario), timeouts).await;
                let seen = stage.run().await;
                let error = failure(&seen);
                assert_eq!(error.kind, ErrorKind::TimedOut, "{error}");
                // The total may run out earlier on a machine that is busy; paused time proves its phase in tests/engine.
                assert!(timeouts.total.is_some() || error.phase == phase, "{error}");
                assert!(!error.hint.is_empty());
                stage.idle().await;
            }
        }
    }
}

#[tokio::test]
async fn a_front_that_leaves_closes_the_socket() {
    for protocol in PROTOCOLS {
        let stage = Stage::new(protocol, None, scripted("stall_before_answer"), Timeouts::default()).await;
        let (_, mut events) = stage.start();
        until(&mut events, |kind| matches!(kind, OpEventKind::PhaseStarted { phase: Phase::Wait, .. })).await;
        drop(events);
        stage.idle().await;
    }
}

#[tokio::test]
async fn a_session_goes_on_after_a_server_that_closed_in_the_middle() {
    for protocol in PROTOCOLS {
        let stage = Stage::new(protocol, None, scripted("close_in_answer"), Timeouts::default()).await;
        let seen = stage.run().await;
        assert_eq!(failure(&seen).kind, ErrorKind::ConnectionLost, "{seen:#?}");
        let seen = stage.run().await;
        assert!(matches!(seen.last().unwrap().kind, OpEventKind::Finished(_)), "{seen:#?}");
        stage.idle().await;
    }
}

#[tokio::test]
async fn a_wrong_password_is_asked_for_again_and_the_right_one_goes_through() {
    for protocol in PROTOCOLS {
        let right = || SecretString::from("right".to_owned());
        let options = ServerOptions::loopback(Credentials { user: "ann".to_owned(), secret: right() });
        let stage = Stage::new(protocol, None, options, Timeouts::default()).await;
        let target = target_of(&stage.server, protocol);
        stage.engine.open(SESSION, Target { user: Some("ann".to_owned()), ..target });
        stage.engine.give_secret(SESSION, Some(SecretString::from("wrong".to_owned())));
        let (_, mut events) = stage.start();
        let seen = until(&mut events, |kind| matches!(kind, OpEventKind::SecretNeeded { .. })).await;
        assert!(matches!(seen.last().unwrap().kind, OpEventKind::SecretNeeded { again: true, .. }));
        stage.server.connections().wait_for(|open| *open == 0).await.unwrap();
        stage.engine.give_secret(SESSION, Some(right()));
        let seen = rest(seen, events).await;
        assert!(matches!(seen.last().unwrap().kind, OpEventKind::Finished(_)), "{seen:#?}");
        stage.idle().await;
    }
}

#[tokio::test]
async fn a_file_of_certificates_that_is_none_fails_the_operation_before_it_connects() {
    let stage = Stage::new("cimxml", None, scripted("close_in_answer"), Timeouts::default()).await;
    let broken = Tls { ca_file: Some(Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml")) };
    stage.engine.open(SESSION, Target { tls: Some(broken), ..target_of(&stage.server, "cimxml") });
    let seen = stage.run().await;
    assert_eq!(failure(&seen).kind, ErrorKind::Configuration, "{seen:#?}");
    assert_eq!(stage.server.seen().connections, 0);
}
