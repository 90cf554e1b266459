//! This computer: the server behind it is started by the first operation, once, and stopped at the end.

use std::{
    net::SocketAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

use lazycim::{
    auth::Credentials,
    engine::{LocalServer, StartServer},
    op::{BoxFuture, ErrorKind, OpEventKind},
    session::Target,
};
use secrecy::ExposeSecret;
use tokio::sync::{Semaphore, watch};

use super::fake::*;

/// Counts its starts; starts only with a permit.
struct Servers {
    gate: Semaphore,
    started: AtomicUsize,
    stopped: Arc<AtomicUsize>,
    connections: watch::Sender<usize>,
    access: Mutex<Vec<Credentials>>,
    broken: bool,
}

impl Servers {
    fn new(permits: usize, broken: bool) -> Arc<Self> {
        Arc::new(Self {
            gate: Semaphore::new(permits),
            started: AtomicUsize::new(0),
            stopped: Arc::default(),
            connections: watch::Sender::new(0),
            access: Mutex::default(),
            broken,
        })
    }
}

struct Server {
    connections: watch::Receiver<usize>,
    stopped: Arc<AtomicUsize>,
}

impl LocalServer for Server {
    fn addr(&self) -> SocketAddr {
        "127.0.0.1:40123".parse().unwrap()
    }

    fn connections(&self) -> watch::Receiver<usize> {
        self.connections.clone()
    }

    fn shut_down(self: Box<Self>) -> BoxFuture<'static, ()> {
        self.stopped.fetch_add(1, Ordering::SeqCst);
        Box::pin(async {})
    }
}

impl StartServer for Servers {
    fn start(&self, access: Credentials) -> BoxFuture<'_, Result<Box<dyn LocalServer>, String>> {
        Box::pin(async move {
            self.gate.acquire().await.unwrap().forget();
            if self.broken {
                return Err("no port is free".to_owned());
            }
            self.started.fetch_add(1, Ordering::SeqCst);
            self.access.lock().unwrap().push(access);
            let server = Server { connections: self.connections.subscribe(), stopped: self.stopped.clone() };
            Ok(Box::new(server) as Box<dyn LocalServer>)
        })
    }
}

fn bench(servers: &Arc<Servers>) -> Bench {
    let run: Run = Box::new(|_, _| Box::pin(async { Ok(()) }));
    let servers = servers.clone();
    let bench = Bench::with(run, Box::new(|_, _| Box::pin(async { Ok(()) })), |settings| settings.server = servers);
    bench.engine.open(SESSION, Target { protocol: "fake".to_owned(), ..Target::this_computer() });
    bench
}

#[tokio::test(start_paused = true)]
async fn the_first_operation_starts_it_and_all_share_it() {
    let servers = Servers::new(1, false);
    let bench = bench(&servers);
    settle().await;
    assert_eq!(servers.started.load(Ordering::SeqCst), 0);
    let both = [bench.start(operation()), bench.start(operation())];
    for (id, events) in both {
        assert!(matches!(end(&ended(id, rest(events).await)), OpEventKind::Finished(_)));
    }
    assert_eq!(servers.started.load(Ordering::SeqCst), 1);
    {
        let dialled = bench.dialled.lock().unwrap();
        assert_eq!(dialled[0].target.computer.as_deref(), Some("127.0.0.1"));
        assert_eq!(dialled[0].target.port, 40_123);
        let secret = dialled[0].credentials.as_ref().unwrap().secret.expose_secret();
        assert_eq!(secret.len(), 64);
        assert_eq!(servers.access.lock().unwrap()[0].secret.expose_secret(), secret);
    }
    bench.engine.shut_down().await;
    assert_eq!(servers.stopped.load(Ordering::SeqCst), 1);
}

#[tokio::test(start_paused = true)]
async fn each_run_has_its_own_secret() {
    let servers = Servers::new(2, false);
    bench(&servers).run(operation()).await;
    bench(&servers).run(operation()).await;
    let access = servers.access.lock().unwrap();
    assert_ne!(access[0].secret.expose_secret(), access[1].secret.expose_secret());
}

#[tokio::test(start_paused = true)]
async fn if_the_first_is_cancelled_the_second_starts_it() {
    let servers = Servers::new(0, false);
    let bench = bench(&servers);
    let (first, first_events) = bench.start(operation());
    let (second, second_events) = bench.start(operation());
    settle().await;
    bench.engine.cancel(first);
    assert!(matches!(end(&ended(first, rest(first_events).await)), OpEventKind::Cancelled { .. }));
    servers.gate.add_permits(1);
    assert!(matches!(end(&ended(second, rest(second_events).await)), OpEventKind::Finished(_)));
}

#[tokio::test(start_paused = true)]
async fn its_open_connections_count_as_busy() {
    let servers = Servers::new(1, false);
    let bench = bench(&servers);
    bench.run(operation()).await;
    let mut busy = bench.engine.busy();
    busy.wait_for(|busy| *busy == 0).await.unwrap();
    servers.connections.send_replace(2);
    busy.wait_for(|busy| *busy == 2).await.unwrap();
    servers.connections.send_replace(0);
    busy.wait_for(|busy| *busy == 0).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn one_that_cannot_start_fails_the_operation_and_is_tried_again() {
    let servers = Servers::new(2, true);
    let bench = bench(&servers);
    for _ in 0..2 {
        let error = failure(&bench.run(operation()).await);
        assert_eq!(error.kind, ErrorKind::Internal);
        assert!(error.cause().contains("no port is free"), "{}", error.cause());
    }
    assert_eq!(servers.gate.available_permits(), 0);
}
