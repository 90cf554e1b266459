//! What a case of bad input stands on: a scripted server, an engine, one session, and everything that is told of an operation.

use std::{
    path::{Path, PathBuf},
    sync::{Arc, Mutex, atomic::AtomicUsize},
    time::Duration,
};

use lazycim::{
    auth::Credentials,
    cim::rows::RowStore,
    config::{Config, Paths},
    engine::{Engine, Settings},
    op::{ErrorKind, Limits, OpError, OpEvent, OpEventKind, Operation, Phase, SessionId, Timeline, Timeouts},
    server::{RunningServer, Scenario, ServerOptions},
    session::{PullUse, Target, Tls},
};
use tokio::sync::mpsc;

use super::between::{Authority, Script, StallsFirst, stranger};
pub use super::{
    ask::*,
    between::{Resolves, Signed},
    subjects::*,
};

/// A time-out against servers that never answer.
pub const SHORT: Duration = Duration::from_millis(100);

pub const SESSION: SessionId = SessionId(1);

/// However busy the machine is, an operation is over by then; that bound is the assertion.
const BOUND: Duration = Duration::from_secs(60);

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
    /// Over which protocol.
    pub over: Subject,
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

/// A case that asks for the instances over CIM-XML and goes as usual but for what the scenario does.
pub fn case(scenario: &'static str) -> Case {
    Case {
        scenario,
        over: CIMXML,
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

    /// The same over another protocol.
    pub fn over(mut self, over: Subject) -> Self {
        self.over = over;
        self
    }

    /// The protocol, the scenario and what is asked, for who reads a failure.
    pub fn name(&self) -> String {
        let pulls = if self.pull == PullUse::Never { "" } else { ", pulled" };
        format!("{} of {:?} over {}{pulls}", self.scenario, self.ask, self.over.protocol)
    }

    /// The scenario, aimed at the operation that is asked for, in the protocol's words.
    ///
    /// Its text stands for every protocol: it names EnumerateInstances for what is asked, the media type of CIM-XML, and
    /// files that lie in a folder for each protocol.
    fn played(&self) -> Scenario {
        let text = std::fs::read_to_string(folder().join(self.scenario).with_extension("toml")).unwrap();
        let operation = self.ask.wire_name(self.over, self.pull != PullUse::Never);
        let mut text = text.replace("operation = \"EnumerateInstances\"", &format!("operation = \"{operation}\""));
        if self.over == WSMAN {
            text = text.replace("\"application/xml", "\"application/soap+xml");
        }
        Scenario::parse(&text, &folder().join(self.over.protocol)).unwrap()
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

    /// What was told of the clean-up after it, where there was one.
    pub fn of_the_clean_up(&self) -> Option<Vec<&OpEvent>> {
        let op = self.events[0].op;
        let after =
            |event: &&OpEvent| matches!(event.kind, OpEventKind::Started { because_of, .. } if because_of == op);
        let cleaning = self.events.iter().find(after)?.op;
        Some(self.events.iter().filter(|event| event.op == cleaning).collect())
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
        Self::with(case, case.played()).await
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
            protocol: case.over.protocol.to_owned(),
            path: case.over.path.to_owned(),
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

/// Plays `case`, checks how it ends, that what was open is released, and that the same session then works.
pub async fn play(case: &Case) -> (Bench, Told) {
    let bench = Bench::new(case).await;
    let told = bench.meets(case).await;
    bench.is_usable(&case.name()).await;
    (bench, told)
}

/// Checks that `told` ended as the case has it.
fn ends_as_it_should(case: &Case, told: &Told, port: u16) {
    let name = case.name();
    match (&case.fails, told.failure()) {
        (None, None) => {}
        (Some(fails), Some(error)) => {
            let where_and_what = format!("{name}: {error:?}");
            assert_eq!(error.phase, fails.phase, "{where_and_what}");
            assert!(same(&fails.kind, &error.kind), "{where_and_what}");
            assert!(error.cause().contains(fails.cause), "{where_and_what}: no {:?} in the cause", fails.cause);
            assert!(error.hint.contains(fails.hint), "{where_and_what}: no {:?} in the hint", fails.hint);
            let server = format!("{}:{port}", case.host);
            assert!(error.target.starts_with(&server), "{where_and_what}: the target is {server}");
        }
        (expected, found) => panic!("{name}: expected {expected:?}, found {found:?}"),
    }
    let rows = told.events.iter().map(|event| match &event.kind {
        OpEventKind::Rows(batch) => batch.len() as u64,
        _ => 0,
    });
    assert_eq!(
        (rows.sum(), told.store.len() as u64),
        (case.rows, case.rows),
        "{name}: the rows that came before are kept"
    );
    let (_, received) = told.timeline.bytes();
    assert!(received <= case.at_most, "{name}: {received} bytes were taken in, {} at most", case.at_most);
}

impl Bench {
    /// Asks, and checks how it ends and that what was open is released. What was told of the operation alone.
    pub async fn meets(&self, case: &Case) -> Told {
        let name = case.name();
        let told = self.run(case.ask, None).await;
        let own = told.of_the_operation();
        keeps_its_promises(&name, &own);
        ends_as_it_should(case, &own, self.target.port);
        let released = told.of_the_clean_up().map(|events| events.last().unwrap().kind.clone());
        let is_released = matches!(released, Some(OpEventKind::Finished(_)));
        assert!(released.is_none() || is_released, "{name}: {released:?}");
        // Answers of WS-Man begin with the context: where rows came, something was open.
        let was_open = case.over == WSMAN && case.fails.is_some() && case.rows > 0;
        assert!(is_released || !was_open, "{name}: it is not released");
        own
    }

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
