//! What a case of bad input stands on: a scripted server, an engine, one session, and everything that is told of an operation.

use std::{
    io,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use lazycim::{
    auth::Credentials,
    cim::{CimName, KeyBinding, KeyValue, ObjectPath, rows::RowStore},
    config::{Config, Paths},
    engine::{Engine, Settings},
    op::{
        BoxFuture, ErrorKind, Limits, OpError, OpEvent, OpEventKind, Operation, OperationKind, Phase, SessionId,
        Timeline, Timeouts,
    },
    server::{RunningServer, Scenario, ServerOptions, TlsIdentity},
    session::{PullUse, Target, Tls},
    wire::{ConnectHook, Resolver},
};
use tokio::sync::mpsc;

/// A time-out against servers that never answer.
pub const SHORT: Duration = Duration::from_millis(100);

/// What the server of every case knows one instance of.
pub const CLASS: &str = "LC_OperatingSystem";

pub const SESSION: SessionId = SessionId(1);

/// However busy the machine is, an operation is over by then; that bound is the assertion.
const BOUND: Duration = Duration::from_secs(60);

/// What is asked.
#[derive(Clone, Copy, Debug)]
pub enum Ask {
    /// GetClass: one request.
    Class,
    /// EnumerateInstanceNames: one request.
    Names,
    /// EnumerateInstances: GetClass before it.
    Instances,
    /// GetInstance: GetClass before it.
    Instance,
    /// Associators: GetClass of the source before it.
    Associators,
    /// ReferenceNames: GetClass of the source before it.
    ReferenceNames,
    /// Associators of a class: one request.
    ClassAssociators,
    /// ExecQuery: one request.
    Query,
    /// EnumerateClassNames: one request.
    ClassNames,
    /// EnumerateClasses: one request.
    Classes,
    /// EnumerateQualifiers: one request.
    Qualifiers,
    /// GetQualifier: one request.
    Qualifier,
    /// The namespaces: several requests.
    Namespaces,
}

/// All of them.
pub const EVERYTHING: [Ask; 13] = [
    Ask::Class,
    Ask::Names,
    Ask::Instances,
    Ask::Instance,
    Ask::Associators,
    Ask::ReferenceNames,
    Ask::ClassAssociators,
    Ask::Query,
    Ask::ClassNames,
    Ask::Classes,
    Ask::Qualifiers,
    Ask::Qualifier,
    Ask::Namespaces,
];

/// A path of the class every case knows.
fn path() -> ObjectPath {
    let key = KeyBinding { name: CimName::new("Name"), value: KeyValue::String("one".into()) };
    ObjectPath::new(None, CimName::new(CLASS), vec![key])
}

fn associators(object: ObjectPath) -> OperationKind {
    OperationKind::AssociatorInstances { object, assoc_class: None, result_class: None, role: None, result_role: None }
}

impl Ask {
    /// The operation of CIM-XML that is asked for, where the session pulls or does not; the first of the namespaces'.
    pub fn wire_name(self, pulls: bool) -> &'static str {
        match (self, pulls) {
            (Self::Class, _) => "GetClass",
            (Self::Names, false) => "EnumerateInstanceNames",
            (Self::Names, true) => "OpenEnumerateInstancePaths",
            (Self::Instances, false) => "EnumerateInstances",
            (Self::Instances, true) => "OpenEnumerateInstances",
            (Self::Instance, _) => "GetInstance",
            (Self::Associators, true) => "OpenAssociatorInstances",
            (Self::Associators, false) | (Self::ClassAssociators, _) => "Associators",
            (Self::ReferenceNames, false) => "ReferenceNames",
            (Self::ReferenceNames, true) => "OpenReferenceInstancePaths",
            (Self::Query, false) => "ExecQuery",
            (Self::Query, true) => "OpenQueryInstances",
            (Self::ClassNames, _) => "EnumerateClassNames",
            (Self::Classes, _) => "EnumerateClasses",
            (Self::Qualifiers, _) => "EnumerateQualifiers",
            (Self::Qualifier, _) => "GetQualifier",
            (Self::Namespaces, _) => "EnumerateInstances",
        }
    }

    /// The operation.
    pub fn operation(self) -> Operation {
        let class = CimName::new(CLASS);
        let mut operation = Operation::new(match self {
            Self::Class => OperationKind::GetClass { class },
            Self::Names | Self::Instances => OperationKind::EnumerateInstances { class },
            Self::Instance => OperationKind::GetInstance { path: path() },
            Self::Associators => associators(path()),
            Self::ReferenceNames => {
                OperationKind::ReferenceInstances { object: path(), result_class: None, role: None }
            }
            Self::ClassAssociators => associators(ObjectPath::new(None, class, Vec::new())),
            Self::Query => OperationKind::QueryInstances { query: format!("SELECT * FROM {CLASS}") },
            Self::ClassNames => OperationKind::EnumerateClasses { parent: None, deep: false, names_only: true },
            Self::Classes => OperationKind::EnumerateClasses { parent: None, deep: true, names_only: false },
            Self::Qualifiers => OperationKind::EnumerateQualifiers,
            Self::Qualifier => OperationKind::GetQualifier { name: CimName::new("Key") },
            Self::Namespaces => OperationKind::EnumerateNamespaces,
        });
        operation.options.keys_only = matches!(self, Self::Names | Self::ReferenceNames);
        // GetClass and EnumerateClasses would otherwise be answered from what an earlier operation learned.
        operation.options.refresh = matches!(self, Self::Class);
        operation
    }
}

/// How the operation is to fail.
#[derive(Clone, Debug)]
pub struct Fails {
    /// The phase it dies in.
    pub phase: Phase,
    /// The kind; of a bad answer the offset is not compared.
    pub kind: ErrorKind,
    /// Words of the cause.
    pub cause: &'static str,
    /// Words of the hint.
    pub hint: &'static str,
}

/// One line of bad input.
pub struct Case {
    /// The scenario in `tests/scenarios/bad_input`, without `.toml`.
    pub scenario: &'static str,
    /// What is asked.
    pub ask: Ask,
    /// How it fails; `None`: it does not.
    pub fails: Option<Fails>,
    /// Rows that arrive all the same.
    pub rows: u64,
    /// The most bytes taken in before it is given up.
    pub at_most: u64,
    /// The host the session is aimed at; the server listens on 127.0.0.1.
    pub host: &'static str,
    /// Which connection attempts answer, in turn; the last one for good.
    pub resolves: Vec<Resolves>,
    /// How many connects stall before they go through.
    pub stalled_connects: usize,
    /// TLS, and whether another authority signed the first server's certificate.
    pub tls: Option<Signed>,
    /// Whether the session pulls enumerations.
    pub pull: PullUse,
    /// Time-outs of the session.
    pub timeouts: Timeouts,
    /// The table `[limits]` of the configuration.
    pub limits: &'static str,
    /// Secrets the user gives, one each time the session asks. With any, the session has a user and the server wants `right`.
    pub secrets: Vec<&'static str>,
}

/// What the resolver answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Resolves {
    /// The address.
    To(Ipv4Addr),
    /// That there is none.
    Nothing,
    /// Never.
    Never,
}

/// Who signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signed {
    /// The authority the session trusts.
    Trusted,
    /// First another authority, at 127.0.0.2; then the trusted one.
    Stranger,
}

/// A case that asks for the instances and goes as usual but for what the scenario does.
pub fn case(scenario: &'static str) -> Case {
    Case {
        scenario,
        ask: Ask::Instances,
        fails: None,
        rows: 0,
        at_most: 1 << 20,
        host: "127.0.0.1",
        resolves: Vec::new(),
        stalled_connects: 0,
        tls: None,
        pull: PullUse::Never,
        timeouts: Timeouts::default(),
        limits: "",
        secrets: Vec::new(),
    }
}

impl Case {
    /// The session pulls enumerations where the server can.
    pub fn pulls(mut self) -> Self {
        self.pull = PullUse::Auto;
        self
    }

    /// Asks for something else.
    pub fn ask(mut self, ask: Ask) -> Self {
        self.ask = ask;
        self
    }

    /// It fails so.
    pub fn fails(mut self, phase: Phase, kind: ErrorKind, cause: &'static str, hint: &'static str) -> Self {
        self.fails = Some(Fails { phase, kind, cause, hint });
        self
    }

    /// It fails while the answer is read, in item `item`.
    pub fn unreadable(self, item: Option<u64>, cause: &'static str, hint: &'static str) -> Self {
        self.fails(Phase::Receive, ErrorKind::BadAnswer { offset: 0, item }, cause, hint)
    }

    /// So many rows arrive before.
    pub fn rows(mut self, rows: u64) -> Self {
        self.rows = rows;
        self
    }

    /// It is given up before more bytes are taken in.
    pub fn at_most(mut self, bytes: u64) -> Self {
        self.at_most = bytes;
        self
    }

    /// The session is aimed at a name that resolves so.
    pub fn named(mut self, resolves: &[Resolves]) -> Self {
        (self.host, self.resolves) = ("cim.example", resolves.to_vec());
        self
    }

    /// Changes the session's time-outs.
    pub fn timed(mut self, change: impl FnOnce(&mut Timeouts)) -> Self {
        change(&mut self.timeouts);
        self
    }

    /// The configuration says so under `[limits]`, such as `xml_depth = 20`.
    pub fn limited(mut self, limits: &'static str) -> Self {
        self.limits = limits;
        self
    }

    /// TLS.
    pub fn tls(mut self, signed: Signed) -> Self {
        self.tls = Some(signed);
        self
    }

    /// The user gives these secrets in turn.
    pub fn secrets(mut self, secrets: &[&'static str]) -> Self {
        self.secrets = secrets.to_vec();
        self
    }
}

/// Everything told of one operation.
pub struct Told {
    /// The events in order.
    pub events: Vec<OpEvent>,
    /// Their fold.
    pub timeline: Timeline,
    /// The rows as a front keeps them.
    pub store: RowStore,
    /// How often a secret was asked for.
    pub prompts: usize,
}

impl Told {
    /// Without what was told of the clean-up after it.
    pub fn of_the_operation(&self) -> Self {
        let op = self.events[0].op;
        let mut told = Self {
            events: Vec::new(),
            timeline: Timeline::default(),
            store: RowStore::default(),
            prompts: self.prompts,
        };
        self.events.iter().filter(|event| event.op == op).for_each(|event| told.hear(event.clone()));
        told
    }

    fn hear(&mut self, event: OpEvent) {
        self.timeline.apply(&event);
        match &event.kind {
            OpEventKind::Shape(id, shape) => self.store.add_shape(*id, shape.clone()),
            OpEventKind::Rows(batch) => drop(self.store.push(batch.clone())),
            _ => {}
        }
        self.events.push(event);
    }

    /// The failure, if it failed.
    pub fn failure(&self) -> Option<&OpError> {
        match self.events.last().map(|event| &event.kind) {
            Some(OpEventKind::Failed(error)) => Some(error),
            _ => None,
        }
    }
}

/// A server (or two), an engine and a session to it.
pub struct Bench {
    /// The engine.
    pub engine: Engine,
    /// The server.
    pub server: RunningServer,
    /// What the session is aimed at.
    pub target: Target,
    /// The limits in force.
    pub limits: Limits,
    secrets: Mutex<Vec<&'static str>>,
    /// The server with the stranger's certificate, and the folder of certificates and configuration.
    _held: (Option<RunningServer>, tempfile::TempDir),
}

/// The folder of the scenarios.
pub fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/scenarios/bad_input")
}

impl Bench {
    /// Everything `case` needs, at rest.
    pub async fn new(case: &Case) -> Self {
        let scenario = Scenario::load(&folder().join(case.scenario).with_extension("toml")).unwrap();
        Self::with(case, scenario).await
    }

    /// The same with a scenario made on the spot.
    pub async fn with(case: &Case, scenario: Scenario) -> Self {
        let mut options = ServerOptions::scripted(scenario);
        let files = tempfile::tempdir().unwrap();
        let trusted = Authority::new("Lab authority");
        let ca_file = files.path().join("ca.pem");
        std::fs::write(&ca_file, trusted.certificate.pem()).unwrap();
        options.tls = case.tls.map(|_| trusted.serves(case.host));
        options.credentials = (!case.secrets.is_empty())
            .then(|| Credentials { user: "ann".to_owned(), secret: "right".to_owned().into() });
        let server = lazycim::server::start(options).await.unwrap();
        let stranger = match case.tls {
            Some(Signed::Stranger) => Some(stranger(case.host, server.addr().port()).await),
            _ => None,
        };
        let config = files.path().join("config.toml");
        std::fs::write(&config, format!("[limits]\n{}\n", case.limits)).unwrap();
        let config = Config::load(&Paths::in_dir(files.path()), Some(&config), []).unwrap();
        let mut settings = Settings::new(&config);
        let limits = settings.limits;
        settings.resolver = Arc::new(Script { answers: Mutex::new(case.resolves.clone()) });
        settings.connect_hook = Some(Arc::new(StallsFirst(AtomicUsize::new(case.stalled_connects))));
        let engine = Engine::new(settings);
        let target = Target {
            computer: Some(case.host.to_owned()),
            port: server.addr().port(),
            tls: case.tls.map(|_| Tls { ca_file: Some(ca_file), ..Tls::default() }),
            user: (!case.secrets.is_empty()).then(|| "ann".to_owned()),
            timeouts: case.timeouts.into(),
            pull: case.pull,
            ..Target::this_computer()
        };
        engine.open(SESSION, target.clone());
        let secrets = Mutex::new(case.secrets.iter().rev().copied().collect());
        Self { engine, server, target, limits, secrets, _held: (stranger, files) }
    }

    /// Asks and hears it out.
    pub async fn run(&self, ask: Ask, timeouts: Option<Timeouts>) -> Told {
        let mut operation = ask.operation();
        operation.options.timeouts = timeouts;
        self.run_operation(operation).await
    }

    /// Runs an operation in the session and hears it out, and what is cleaned up after it.
    pub async fn run_operation(&self, operation: Operation) -> Told {
        let (sender, mut receiver) = mpsc::channel(64);
        self.engine.start(SESSION, self.engine.ids().next(), operation, sender);
        let mut told =
            Told { events: Vec::new(), timeline: Timeline::default(), store: RowStore::default(), prompts: 0 };
        let all = async {
            while let Some(event) = receiver.recv().await {
                self.hear(event, &mut told);
            }
        };
        tokio::time::timeout(BOUND, all).await.expect("the operation ends");
        told
    }

    fn hear(&self, event: OpEvent, told: &mut Told) {
        if matches!(event.kind, OpEventKind::SecretNeeded { .. }) {
            told.prompts += 1;
            let secret = self.secrets.lock().unwrap().pop().expect("no more secrets than there are");
            self.engine.give_secret(SESSION, Some(secret.to_owned().into()));
        }
        told.hear(event);
    }
}

async fn stranger(host: &str, port: u16) -> RunningServer {
    let scenario = Scenario::parse("about = \"nothing\"\nstep = []", Path::new(".")).unwrap();
    let mut options = ServerOptions::scripted(scenario);
    options.listen = SocketAddr::from((Ipv4Addr::new(127, 0, 0, 2), port));
    options.tls = Some(Authority::new("Another authority").serves(host));
    lazycim::server::start(options).await.unwrap()
}

struct Authority {
    issuer: rcgen::Issuer<'static, rcgen::KeyPair>,
    certificate: rcgen::Certificate,
}

impl Authority {
    fn new(name: &str) -> Self {
        let mut params = rcgen::CertificateParams::default();
        params.distinguished_name.push(rcgen::DnType::CommonName, name);
        params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        let key = rcgen::KeyPair::generate().unwrap();
        let certificate = params.self_signed(&key).unwrap();
        Self { issuer: rcgen::Issuer::new(params, key), certificate }
    }

    fn serves(&self, host: &str) -> TlsIdentity {
        let params = rcgen::CertificateParams::new(vec![host.to_owned()]).unwrap();
        let key = rcgen::KeyPair::generate().unwrap();
        let cert = params.signed_by(&key, &self.issuer).unwrap().pem();
        TlsIdentity::Pem { cert, key: Arc::new(key.serialize_pem().into()) }
    }
}

/// Answers what it is told, the last of it for good.
struct Script {
    answers: Mutex<Vec<Resolves>>,
}

impl Resolver for Script {
    fn resolve<'a>(&'a self, host: &'a str, port: u16) -> BoxFuture<'a, io::Result<Vec<SocketAddr>>> {
        let answer = {
            let mut answers = self.answers.lock().unwrap();
            if answers.len() > 1 { answers.remove(0) } else { answers[0] }
        };
        Box::pin(async move {
            match answer {
                Resolves::To(address) => Ok(vec![SocketAddr::new(IpAddr::V4(address), port)]),
                Resolves::Nothing => Err(io::Error::other(format!("nobody knows {host}"))),
                Resolves::Never => std::future::pending().await,
            }
        })
    }
}

/// The first connects stall for good.
struct StallsFirst(AtomicUsize);

impl ConnectHook for StallsFirst {
    fn before<'a>(&'a self, _peer: SocketAddr) -> BoxFuture<'a, io::Result<()>> {
        let stalls = self.0.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1)).is_ok();
        Box::pin(async move { if stalls { std::future::pending().await } else { Ok(()) } })
    }
}

/// Holds an operation to what every operation promises.
pub fn keeps_its_promises(name: &str, told: &Told) {
    let terminal = told.events.iter().filter(|event| event.kind.is_terminal()).count();
    assert_eq!(terminal, 1, "{name}: exactly one terminal event");
    assert!(told.events.last().unwrap().kind.is_terminal(), "{name}: nothing follows the end");
    for connection in &told.timeline.connections {
        assert!(connection.closed.is_some(), "{name}: connection {:?} is not closed", connection.id);
    }
    let open = |event: &&OpEvent| matches!(event.kind, OpEventKind::ConnectionOpened { .. });
    let closed = |event: &&OpEvent| matches!(event.kind, OpEventKind::ConnectionClosed { .. });
    let count = |which: &dyn Fn(&&OpEvent) -> bool| told.events.iter().filter(|event| which(event)).count();
    assert_eq!(count(&open), count(&closed), "{name}: as many closed as opened");
    let started = |event: &&OpEvent| matches!(event.kind, OpEventKind::PhaseStarted { .. });
    let ended = |event: &&OpEvent| matches!(event.kind, OpEventKind::PhaseEnded { .. });
    assert_eq!(count(&started), count(&ended), "{name}: every phase that began has ended");
    for event in &told.events {
        if let OpEventKind::PhaseEnded { error: Some(error), .. }
        | OpEventKind::Warning(error)
        | OpEventKind::Failed(error) = &event.kind
        {
            is_explained(name, error);
        }
        if let OpEventKind::PhaseStarted { detail: Some(detail), .. }
        | OpEventKind::PhaseDetailed { detail: Some(detail), .. } = &event.kind
        {
            assert!(!detail.chars().any(char::is_control), "{name}: {detail:?}");
        }
    }
}

fn is_explained(name: &str, error: &OpError) {
    assert!(!error.target.is_empty() && !error.causes.is_empty() && !error.hint.is_empty(), "{name}: {error:?}");
    let text = format!("{} {} {}", error.target, error.cause(), error.hint);
    assert!(!text.chars().any(char::is_control), "{name}: {text:?}");
}

/// Whether two kinds are the same but for where in the body.
pub fn same(expected: &ErrorKind, found: &ErrorKind) -> bool {
    match (expected, found) {
        (ErrorKind::BadAnswer { item, .. }, ErrorKind::BadAnswer { item: found, .. }) => item == found,
        _ => expected == found,
    }
}

/// Plays `case`, checks how it ends, and that the same session then works.
pub async fn play(case: &Case) -> (Bench, Told) {
    let name = case.scenario;
    let bench = Bench::new(case).await;
    let told = bench.run(case.ask, None).await;
    keeps_its_promises(name, &told);
    match (&case.fails, told.failure()) {
        (None, None) => {}
        (Some(fails), Some(error)) => {
            let where_and_what = format!("{name}: {error:?}");
            assert_eq!(error.phase, fails.phase, "{where_and_what}");
            assert!(same(&fails.kind, &error.kind), "{where_and_what}");
            assert!(error.cause().contains(fails.cause), "{where_and_what}: no {:?} in the cause", fails.cause);
            assert!(error.hint.contains(fails.hint), "{where_and_what}: no {:?} in the hint", fails.hint);
            let server = format!("{}:{}", case.host, bench.target.port);
            assert!(error.target.starts_with(&server), "{where_and_what}: the target is {server}");
        }
        (expected, found) => panic!("{name}: expected {expected:?}, found {found:?}"),
    }
    let rows = told.events.iter().map(|event| match &event.kind {
        OpEventKind::Rows(batch) => batch.len() as u64,
        _ => 0,
    });
    assert_eq!(rows.sum::<u64>(), case.rows, "{name}: the rows that came before are kept");
    assert_eq!(told.store.len() as u64, case.rows, "{name}");
    let (_, received) = told.timeline.bytes();
    assert!(received <= case.at_most, "{name}: {received} bytes were taken in, {} at most", case.at_most);
    bench.is_usable(name).await;
    (bench, told)
}

impl Bench {
    /// The session answers a good operation, and then holds no connection.
    pub async fn is_usable(&self, name: &str) {
        let told = self.run(Ask::Instances, Some(Timeouts::default())).await;
        keeps_its_promises(name, &told);
        let end = told.events.last().map(|event| &event.kind);
        assert!(matches!(end, Some(OpEventKind::Finished(_))), "{name}: the next operation ended in {end:?}");
        assert_eq!(told.store.len(), 1, "{name}: the next operation's rows");
        let mut open = self.server.connections();
        let none = tokio::time::timeout(BOUND, open.wait_for(|open| *open == 0)).await;
        assert!(none.is_ok(), "{name}: the server still has a connection");
    }
}
