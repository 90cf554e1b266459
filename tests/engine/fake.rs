//! A protocol that does as it is told, and an engine around it.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicUsize, Ordering},
};

use lazycim::{
    cim::{
        CimName, Namespace,
        rows::{RowBatch, RowWriter, ShapeId},
    },
    config::Config,
    engine::{DialRequest, Engine, Settings},
    op::{
        BoxFuture, Closer, ConnId, ErrorKind, EventSink, OpError, OpEvent, OpEventKind, OpId, Operation, OperationKind,
        Phase, Purpose, SessionId,
    },
    protocol::{Capabilities, Cleanup, OpContext, Protocol, ServerFacts},
    session::Target,
    wire::{Dial, Exchange},
};
use tokio::sync::{Semaphore, mpsc};

pub const SESSION: SessionId = SessionId(1);

pub type Run =
    Box<dyn for<'a> Fn(&'a Operation, &'a OpContext<'a>) -> BoxFuture<'a, Result<(), OpError>> + Send + Sync>;
pub type CleanUp = Box<dyn for<'a> Fn(Cleanup, &'a OpContext<'a>) -> BoxFuture<'a, Result<(), OpError>> + Send + Sync>;

/// The protocol.
pub struct Fake {
    run: Run,
    clean_up: CleanUp,
}

impl Protocol for Fake {
    fn name(&self) -> &'static str {
        "fake"
    }

    fn capabilities(&self, _known: &ServerFacts) -> Capabilities {
        Capabilities { enumerate_namespaces: true, enumerate_classes: true, get_class: true }
    }

    fn run<'a>(&'a self, op: &'a Operation, cx: &'a OpContext<'a>) -> BoxFuture<'a, Result<(), OpError>> {
        (self.run)(op, cx)
    }

    fn clean_up<'a>(&'a self, what: Cleanup, cx: &'a OpContext<'a>) -> BoxFuture<'a, Result<(), OpError>> {
        (self.clean_up)(what, cx)
    }
}

struct NoDial;

impl Dial for NoDial {
    fn dial(&self, _purpose: Purpose) -> Box<dyn Exchange> {
        unreachable!("the fake protocol never dials")
    }

    fn peer_name(&self) -> String {
        "fake:1".to_owned()
    }
}

/// An engine, what its operations dialled with, and how many of them run.
pub struct Bench {
    pub engine: Engine,
    pub dialled: Arc<Mutex<Vec<DialRequest>>>,
}

impl Bench {
    /// An engine whose protocol runs `run` for each operation, with one open session.
    pub fn new(run: Run) -> Self {
        Self::with(run, Box::new(|_, _| Box::pin(async { Ok(()) })), |_| ())
    }

    pub fn with(run: Run, clean_up: CleanUp, change: impl FnOnce(&mut Settings)) -> Self {
        let fake: &'static Fake = Box::leak(Box::new(Fake { run, clean_up }));
        let dialled = Arc::new(Mutex::new(Vec::new()));
        let mut settings = Settings::new(&Config::default());
        settings.protocols = Arc::new(move |name| (name == "fake").then_some(fake as &dyn Protocol));
        let requests = dialled.clone();
        settings.dial = Some(Arc::new(move |request| {
            requests.lock().unwrap().push(request);
            Ok(Box::new(NoDial) as Box<dyn Dial>)
        }));
        change(&mut settings);
        let engine = Engine::new(settings);
        engine.open(SESSION, target());
        Self { engine, dialled }
    }

    /// Starts an operation in the bench's session.
    pub fn start(&self, operation: Operation) -> (OpId, mpsc::Receiver<OpEvent>) {
        self.start_in(SESSION, operation, 4_096)
    }

    pub fn start_in(
        &self,
        session: SessionId,
        operation: Operation,
        capacity: usize,
    ) -> (OpId, mpsc::Receiver<OpEvent>) {
        let (sender, events) = mpsc::channel(capacity);
        let id = self.engine.ids().next();
        self.engine.start(session, id, operation, sender);
        (id, events)
    }

    /// Runs an operation and returns its events, after checking that they end as they must.
    pub async fn run(&self, operation: Operation) -> Vec<OpEvent> {
        let (id, events) = self.start(operation);
        ended(id, rest(events).await)
    }
}

/// A target the fake protocol answers for.
pub fn target() -> Target {
    Target { computer: Some("fake".to_owned()), port: 1, protocol: "fake".to_owned(), ..Target::this_computer() }
}

pub fn operation() -> Operation {
    about("A")
}

pub fn about(class: &str) -> Operation {
    Operation::new(OperationKind::EnumerateInstances { class: CimName::new(class) })
}

/// Every event until the channel closes.
pub async fn rest(mut events: mpsc::Receiver<OpEvent>) -> Vec<OpEvent> {
    let mut seen = Vec::new();
    while let Some(event) = events.recv().await {
        seen.push(event);
    }
    seen
}

/// The events of `id`, after checking that exactly the last one ends it, that time does not run backwards, that every phase which began
/// has ended and every connection which opened is closed. Other events belong to its clean-up.
pub fn ended(id: OpId, events: Vec<OpEvent>) -> Vec<OpEvent> {
    let own = events.into_iter().filter(|event| event.op == id).collect::<Vec<_>>();
    let ends = own.iter().filter(|event| event.kind.is_terminal()).count();
    assert_eq!(ends, 1, "{own:#?}");
    assert!(own.last().unwrap().kind.is_terminal(), "{own:#?}");
    assert!(own.is_sorted_by_key(|event| event.at));
    let count = |wanted: fn(&OpEventKind) -> bool| own.iter().filter(|event| wanted(&event.kind)).count();
    assert_eq!(
        count(|kind| matches!(kind, OpEventKind::PhaseStarted { .. })),
        count(|kind| matches!(kind, OpEventKind::PhaseEnded { .. })),
        "{own:#?}"
    );
    assert_eq!(
        count(|kind| matches!(kind, OpEventKind::ConnectionOpened { .. })),
        count(|kind| matches!(kind, OpEventKind::ConnectionClosed { .. })),
        "{own:#?}"
    );
    own
}

/// How the events end.
pub fn end(events: &[OpEvent]) -> &OpEventKind {
    &events.last().unwrap().kind
}

/// The error of a failed operation.
pub fn failure(events: &[OpEvent]) -> OpError {
    match end(events) {
        OpEventKind::Failed(error) => (**error).clone(),
        other => panic!("it did not fail: {other:?}"),
    }
}

/// Takes events until `wanted` comes.
pub async fn until(events: &mut mpsc::Receiver<OpEvent>, wanted: impl Fn(&OpEventKind) -> bool) -> Vec<OpEvent> {
    let mut seen = Vec::new();
    loop {
        let event = events.recv().await.unwrap_or_else(|| panic!("it never came: {seen:#?}"));
        seen.push(event);
        if wanted(&seen.last().unwrap().kind) {
            return seen;
        }
    }
}

/// In paused time: lets every task run until all of them wait.
pub async fn settle() {
    tokio::time::sleep(std::time::Duration::from_millis(1)).await;
}

/// An open connection as wire tells of it: closed when dropped.
pub struct Connection<'a> {
    sink: &'a dyn EventSink,
    open: Option<Arc<AtomicUsize>>,
}

impl<'a> Connection<'a> {
    pub fn open(sink: &'a dyn EventSink, open: Option<Arc<AtomicUsize>>) -> Self {
        let peer = "127.0.0.1:1".parse().unwrap();
        sink.tell(OpEventKind::ConnectionOpened { conn: ConnId(1), purpose: Purpose::Server, peer });
        if let Some(open) = &open {
            open.fetch_add(1, Ordering::SeqCst);
        }
        Self { sink, open }
    }
}

impl Drop for Connection<'_> {
    fn drop(&mut self) {
        if let Some(open) = &self.open {
            open.fetch_sub(1, Ordering::SeqCst);
        }
        self.sink.tell(OpEventKind::ConnectionClosed { conn: ConnId(1), by: Closer::Us });
    }
}

pub fn begin(sink: &dyn EventSink, phase: Phase) {
    sink.tell(OpEventKind::PhaseStarted { conn: Some(ConnId(1)), phase, detail: None });
}

pub fn rows(count: usize) -> RowBatch {
    let mut writer = RowWriter::default();
    for _ in 0..count {
        writer.begin(ShapeId(0));
        writer.end();
    }
    writer.take()
}

pub fn unauthorized() -> OpError {
    OpError::new(Phase::Authenticate(1), "fake:1", ErrorKind::Unauthorized, "the server refused the password", "")
}

pub fn left_open() -> Cleanup {
    Cleanup {
        title: "EnumerateInstances A".to_owned(),
        namespace: Namespace::new("root/cimv2"),
        context: "7".to_owned(),
        subscription: None,
        resource_uri: None,
    }
}

/// A run that waits for a permit of `gate` and counts how many do at once.
pub fn gated(gate: Arc<Semaphore>, running: Arc<AtomicUsize>) -> Run {
    Box::new(move |_, cx| {
        let (gate, running) = (gate.clone(), running.clone());
        Box::pin(async move {
            let _open = Connection::open(cx.sink, Some(running));
            gate.acquire().await.unwrap().forget();
            Ok(())
        })
    })
}
