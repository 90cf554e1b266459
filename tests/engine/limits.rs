//! What is bounded: operations in flight, rows nobody has taken; and that one session's trouble is not another's.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use lazycim::op::{ErrorKind, OpEventKind, Phase, SessionId, Timeouts};
use tokio::sync::Semaphore;

use super::fake::*;

#[tokio::test(start_paused = true)]
async fn four_of_a_session_run_the_others_wait_their_turn() {
    let (gate, running) = (Arc::new(Semaphore::new(0)), Arc::new(AtomicUsize::new(0)));
    let bench = Bench::new(gated(gate.clone(), running.clone()));
    let mut started = (0..10).map(|_| bench.start(operation())).collect::<Vec<_>>();
    settle().await;
    assert_eq!(running.load(Ordering::SeqCst), 4);
    let (_, fifth) = &mut started[4];
    let seen = until(fifth, |kind| matches!(kind, OpEventKind::PhaseStarted { .. })).await;
    let OpEventKind::PhaseStarted { phase: Phase::Queue, detail, .. } = &seen.last().unwrap().kind else { panic!() };
    assert_eq!(detail.as_deref(), Some("4 in flight in this session"));
    gate.add_permits(1);
    settle().await;
    assert_eq!(running.load(Ordering::SeqCst), 4);
    let (_, fifth) = &mut started[4];
    assert!(fifth.try_recv().is_ok(), "it was the fifth's turn");
    let (_, sixth) = &mut started[5];
    while let Ok(event) = sixth.try_recv() {
        assert!(!matches!(event.kind, OpEventKind::PhaseEnded { .. }), "and not yet the sixth's");
    }
    gate.add_permits(9);
    bench.engine.busy().wait_for(|busy| *busy == 0).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn sixty_four_run_in_all() {
    let (gate, running) = (Arc::new(Semaphore::new(0)), Arc::new(AtomicUsize::new(0)));
    let bench = Bench::new(gated(gate.clone(), running.clone()));
    let mut started = Vec::new();
    for session in 1..=20 {
        bench.engine.open(SessionId(session), target());
        started.extend((0..4).map(|_| bench.start_in(SessionId(session), operation(), 64)));
    }
    settle().await;
    assert_eq!(running.load(Ordering::SeqCst), 64);
    // One that waits can be cancelled, and its place is not lost to the others.
    let (id, events) = started.remove(70);
    bench.engine.cancel(id);
    assert!(matches!(end(&ended(id, rest(events).await)), OpEventKind::Cancelled { .. }));
    gate.add_permits(79);
    bench.engine.busy().wait_for(|busy| *busy == 0).await.unwrap();
    for (id, events) in started {
        assert!(matches!(end(&ended(id, rest(events).await)), OpEventKind::Finished(_)));
    }
}

#[tokio::test(start_paused = true)]
async fn a_front_that_stalls_holds_back_rows_and_neither_memory_nor_time_runs_away() {
    for capacity in [1, 8, 32, 1_024] {
        let delivered = Arc::new(AtomicUsize::new(0));
        let counter = delivered.clone();
        let bench = Bench::new(Box::new(move |_, cx| {
            let counter = counter.clone();
            Box::pin(async move {
                for _ in 0..400 {
                    cx.sink.deliver(OpEventKind::Rows(rows(128))).await;
                    counter.fetch_add(128, Ordering::SeqCst);
                }
                Ok(())
            })
        }));
        let mut operation = operation();
        operation.options.timeouts = Some(Timeouts { total: Some(Duration::from_secs(1)), ..Timeouts::default() });
        let (id, mut events) = bench.start_in(SESSION, operation, capacity);
        tokio::time::sleep(Duration::from_secs(3_600)).await;
        let (mut seen, mut taken) = (Vec::new(), 0);
        loop {
            settle().await;
            let undrained = delivered.load(Ordering::SeqCst) - taken;
            assert!(undrained <= 4_096, "{undrained} rows undrained with a channel of {capacity}");
            let Some(event) = events.recv().await else { break };
            if let OpEventKind::Rows(batch) = &event.kind {
                taken += batch.len();
            }
            seen.push(event);
        }
        assert_eq!(taken, 400 * 128);
        let seen = ended(id, seen);
        assert!(matches!(end(&seen), OpEventKind::Finished(_)), "waiting for the front is no time-out");
    }
}

#[tokio::test(start_paused = true)]
async fn a_stalled_front_can_be_cancelled() {
    let bench = Bench::new(Box::new(|_, cx| {
        Box::pin(async move {
            let _open = Connection::open(cx.sink, None);
            loop {
                cx.sink.deliver(OpEventKind::Rows(rows(128))).await;
            }
        })
    }));
    let (id, events) = bench.start_in(SESSION, operation(), 2);
    settle().await;
    bench.engine.cancel(id);
    assert!(matches!(end(&ended(id, rest(events).await)), OpEventKind::Cancelled { .. }));
}

#[tokio::test(start_paused = true)]
async fn a_session_that_hangs_does_not_disturb_another() {
    let bench = Bench::new(Box::new(|operation, cx| {
        let hangs = operation.subject() == "Hangs";
        Box::pin(async move {
            cx.facts.lock().unwrap().unsupported.push("GetClass");
            if hangs {
                std::future::pending().await
            }
            assert_eq!(cx.facts.lock().unwrap().unsupported.len(), 1, "facts of another session");
            Ok(())
        })
    }));
    let hanging = (0..8).map(|_| bench.start(about("Hangs"))).collect::<Vec<_>>();
    let other = SessionId(2);
    bench.engine.open(other, target());
    let (id, events) = bench.start_in(other, operation(), 64);
    assert!(matches!(end(&ended(id, rest(events).await)), OpEventKind::Finished(_)));
    bench.engine.shut_down().await;
    for (id, events) in hanging {
        assert!(matches!(end(&ended(id, rest(events).await)), OpEventKind::Cancelled { .. }));
    }
}

#[tokio::test(start_paused = true)]
async fn an_unknown_protocol_names_those_there_are() {
    let bench = Bench::new(Box::new(|_, _| Box::pin(async { Ok(()) })));
    bench.engine.open(SESSION, lazycim::session::Target { protocol: "snmp".to_owned(), ..target() });
    let error = failure(&bench.run(operation()).await);
    assert_eq!(error.kind, ErrorKind::Configuration);
    assert!(error.hint.contains("cimxml"), "{}", error.hint);
}
