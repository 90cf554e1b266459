//! A session at rest has no socket: this process, which runs engine and embedded server, is looked at from outside. It has this one test
//! only, so that every socket in the process is the engine's.

#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use std::time::Duration;

use lazycim::{
    cim::CimName,
    config::Config,
    engine::{Engine, Settings},
    op::{OpEvent, OpEventKind, Operation, OperationKind, SessionId},
    session::{HttpProxy, Proxy, Target, Tls},
};
use support::sockets::{tcp_sockets, wait_for_rest};
use tokio::sync::mpsc;

const SESSION: SessionId = SessionId(1);

async fn run(engine: &Engine, kind: OperationKind) -> Vec<OpEvent> {
    let (sender, mut events) = mpsc::channel(64);
    engine.start(SESSION, engine.ids().next(), Operation::new(kind), sender);
    let mut seen = Vec::new();
    while let Some(event) = events.recv().await {
        seen.push(event);
    }
    seen
}

async fn rest(engine: &Engine, when: &str) {
    let idle = engine.busy().wait_for(|busy| *busy == 0).await.map(|_| ());
    idle.unwrap();
    wait_for_rest(std::process::id(), when);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn none_stands_before_the_first_operation_after_each_one_and_when_idle() {
    let engine = Engine::new(Settings::new(&Config::default()));
    engine.open(SESSION, Target::this_computer());
    // Several at once, one of them with a proxy and one that is changed: none of them stands for a connection.
    let remote = |host: &str| Target { computer: Some(host.to_owned()), port: 5989, ..Target::this_computer() };
    let proxy = HttpProxy::at("http://127.0.0.1:3128").unwrap();
    for id in 2..40 {
        engine.open(SessionId(id), remote("127.0.0.1"));
    }
    engine.open(SessionId(40), Target { proxy: Proxy::Http(proxy), ..remote("web01.example") });
    engine.change(SessionId(39), Target { tls: Some(Tls::default()), ..remote("localhost") });
    let own = std::process::id();
    assert_eq!(tcp_sockets(own).unwrap(), [], "not even one that listens before the first operation");
    assert_eq!(engine.live().len(), 40);

    let class = CimName::new("LC_OperatingSystem");
    let names = OperationKind::EnumerateClasses { parent: None, deep: true, names_only: true };
    let operations = [
        OperationKind::EnumerateNamespaces,
        names,
        OperationKind::GetClass { class: class.clone() },
        OperationKind::EnumerateInstances { class },
        OperationKind::EnumerateInstances { class: CimName::new("LC_Process") },
        OperationKind::GetClass { class: CimName::new("No_Such_Class") },
    ];
    for kind in operations {
        let events = run(&engine, kind.clone()).await;
        let fails = matches!(&kind, OperationKind::GetClass { class } if *class == "No_Such_Class");
        match events.last().map(|event| &event.kind) {
            Some(OpEventKind::Finished(_)) => assert!(!fails),
            Some(OpEventKind::Failed(error)) => assert!(fails, "{kind:?}: {error}"),
            other => panic!("{kind:?}: {other:?}"),
        }
        let opened = events.iter().filter(|event| matches!(event.kind, OpEventKind::ConnectionOpened { .. })).count();
        assert!(opened >= 1, "{kind:?} opened none, so the look proves nothing");
        rest(&engine, &format!("after {kind:?}")).await;
    }

    // Closed and opened again.
    engine.close(SessionId(40));
    engine.open(SESSION, Target::this_computer());
    rest(&engine, "after sessions were closed and opened").await;

    // Cancelled in the middle: nothing stands either.
    let (sender, mut events) = mpsc::channel(1);
    let id = engine.ids().next();
    let kind = OperationKind::EnumerateInstances { class: CimName::new("LC_Process") };
    engine.start(SESSION, id, Operation::new(kind), sender);
    while let Some(event) = events.recv().await {
        if matches!(event.kind, OpEventKind::ConnectionOpened { .. }) {
            engine.cancel(id);
        }
    }
    rest(&engine, "after a cancel").await;

    let listening = tcp_sockets(own).unwrap();
    assert!(matches!(listening.as_slice(), [one] if one.listens()), "{listening:?}");
    tokio::time::timeout(Duration::from_secs(4), engine.shut_down()).await.expect("within its three seconds");
    assert_eq!(tcp_sockets(own).unwrap(), [], "not even one that listens at the end");
}
