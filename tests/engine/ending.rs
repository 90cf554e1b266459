//! How operations end: once, at once, with everything closed; and what is cleaned up after them.

use std::time::Duration;

use lazycim::op::{ConnId, ErrorKind, OpError, OpEvent, OpEventKind, OpId, Operation, Phase, Summary, Timeouts};
use tokio::{sync::mpsc, time::Instant};

use super::fake::*;

/// Every phase an operation of an HTTP protocol can stand in.
const PHASES: [Phase; 9] = [
    Phase::Resolve,
    Phase::Connect,
    Phase::Tls,
    Phase::Authenticate(1),
    Phase::Send,
    Phase::Wait,
    Phase::Receive,
    Phase::Schema,
    Phase::Pull(2),
];

fn stuck_in(phase: Phase) -> Run {
    Box::new(move |_, cx| {
        Box::pin(async move {
            let _open = Connection::open(cx.sink, None);
            begin(cx.sink, phase);
            std::future::pending().await
        })
    })
}

fn within(total: Duration) -> Operation {
    let mut operation = operation();
    operation.options.timeouts = Some(Timeouts { total: Some(total), ..Timeouts::default() });
    operation
}

#[tokio::test(start_paused = true)]
async fn success_failure_and_a_defect_each_end_it_once() {
    let bench = Bench::new(Box::new(|operation, cx| {
        let subject = operation.subject();
        Box::pin(async move {
            let _open = Connection::open(cx.sink, None);
            begin(cx.sink, Phase::Receive);
            cx.sink.deliver(OpEventKind::Rows(rows(3))).await;
            match subject.as_str() {
                "A" => Ok(()),
                "B" => Err(unauthorized()),
                _ => panic!("a defect, made on purpose"),
            }
        })
    }));
    let events = bench.run(about("A")).await;
    assert!(matches!(end(&events), OpEventKind::Finished(Summary { rows: 3, limited: false })), "{events:#?}");
    let mut limited = about("A");
    limited.options.max_rows = Some(3);
    let events = bench.run(limited).await;
    assert!(matches!(end(&events), OpEventKind::Finished(Summary { rows: 3, limited: true })), "{events:#?}");
    assert_eq!(failure(&bench.run(about("B")).await).kind, ErrorKind::Unauthorized);
    let error = failure(&bench.run(about("C")).await);
    assert_eq!((error.kind, error.phase), (ErrorKind::Internal, Phase::Receive));
    assert_eq!(*bench.engine.busy().borrow(), 0);
}

#[tokio::test(start_paused = true)]
async fn nothing_follows_the_end() {
    let bench = Bench::new(Box::new(|_, _| Box::pin(async { Ok(()) })));
    let (id, mut events) = bench.start(operation());
    let seen = until(&mut events, OpEventKind::is_terminal).await;
    ended(id, seen);
    let sink = bench.dialled.lock().unwrap()[0].sink.clone();
    sink.tell(OpEventKind::Queued);
    sink.deliver(OpEventKind::Rows(rows(3))).await;
    assert!(rest(events).await.is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_cancel_in_any_phase_closes_and_ends_at_once() {
    for phase in PHASES {
        let bench = Bench::new(stuck_in(phase));
        let (id, mut events) = bench.start(operation());
        let mut seen = until(
            &mut events,
            |kind| matches!(kind, OpEventKind::PhaseStarted { phase: known, .. } if *known == phase),
        )
        .await;
        let asked = Instant::now();
        bench.engine.cancel(id);
        bench.engine.cancel(id);
        seen.extend(rest(events).await);
        let seen = ended(id, seen);
        assert!(matches!(end(&seen), OpEventKind::Cancelled { left_open: None }), "{phase}");
        assert_eq!(asked.elapsed(), Duration::ZERO, "{phase}");
        assert_eq!(*bench.engine.busy().borrow(), 0);
    }
}

#[tokio::test(start_paused = true)]
async fn a_total_time_out_in_any_phase_names_it() {
    for phase in PHASES {
        let bench = Bench::new(stuck_in(phase));
        let asked = Instant::now();
        let events = bench.run(within(Duration::from_millis(100))).await;
        let error = failure(&events);
        assert_eq!((&error.kind, error.phase), (&ErrorKind::TimedOut, phase));
        assert!(!error.hint.is_empty());
        assert!(asked.elapsed() < Duration::from_millis(110), "{phase}");
        let named = events.iter().any(|event| {
            matches!(&event.kind, OpEventKind::PhaseEnded { phase: known, error: Some(_), .. } if *known == phase)
        });
        assert!(named, "{events:#?}");
    }
}

#[tokio::test(start_paused = true)]
async fn time_outs_of_the_operation_go_before_the_sessions_before_the_settings() {
    let of = |seconds| Timeouts { connect: Duration::from_secs(seconds), ..Timeouts::default() };
    let finished: fn() -> Run = || Box::new(|_, _| Box::pin(async { Ok(()) }));
    let connect = |bench: &Bench| bench.dialled.lock().unwrap().last().unwrap().timeouts.connect.as_secs();
    let bench = Bench::with(finished(), Box::new(|_, _| Box::pin(async { Ok(()) })), |settings| {
        settings.timeouts = of(1);
    });
    bench.run(operation()).await;
    assert_eq!(connect(&bench), 1);
    bench.engine.open(SESSION, lazycim::session::Target { timeouts: of(2).into(), ..target() });
    bench.run(operation()).await;
    assert_eq!(connect(&bench), 2);
    let mut own = operation();
    own.options.timeouts = Some(of(3));
    bench.run(own).await;
    assert_eq!(connect(&bench), 3);
}

#[tokio::test(start_paused = true)]
async fn a_front_that_leaves_cancels() {
    let bench = Bench::new(stuck_in(Phase::Wait));
    let (_, mut events) = bench.start(operation());
    until(&mut events, |kind| matches!(kind, OpEventKind::PhaseStarted { phase: Phase::Wait, .. })).await;
    drop(events);
    bench.engine.busy().wait_for(|busy| *busy == 0).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn closing_a_session_cancels_its_operations_and_no_others() {
    let bench = Bench::new(stuck_in(Phase::Wait));
    let other = lazycim::op::SessionId(2);
    bench.engine.open(other, target());
    let (own, own_events) = bench.start(operation());
    let (neighbour, mut neighbours) = bench.start_in(other, operation(), 64);
    settle().await;
    bench.engine.close(SESSION);
    assert!(matches!(end(&ended(own, rest(own_events).await)), OpEventKind::Cancelled { .. }));
    settle().await;
    while let Ok(event) = neighbours.try_recv() {
        assert!(!event.kind.is_terminal());
    }
    bench.engine.cancel(neighbour);
    until(&mut neighbours, OpEventKind::is_terminal).await;
    let events = bench.run(operation()).await;
    assert_eq!(failure(&events).kind, ErrorKind::Configuration, "the session is not open any more");
}

fn leaves_open(then: Option<ErrorKind>) -> Run {
    Box::new(move |_, cx| {
        let then = then.clone();
        Box::pin(async move {
            cx.cleanup.asked();
            begin(cx.sink, Phase::Send);
            cx.cleanup.arm(left_open());
            begin(cx.sink, Phase::Pull(1));
            match then {
                Some(kind) => Err(OpError::new(Phase::Pull(1), "fake:1", kind, "it broke", "")),
                None => std::future::pending().await,
            }
        })
    })
}

fn release_of(id: OpId, events: &[OpEvent]) -> (OpId, &OpEvent) {
    let started = events.iter().find(|event| matches!(event.kind, OpEventKind::Started { .. })).expect("a clean-up");
    let OpEventKind::Started { title, because_of } = &started.kind else { unreachable!() };
    assert_eq!((title.as_str(), *because_of), ("Release EnumerateInstances A", id));
    assert_ne!(started.op, id);
    (started.op, started)
}

#[tokio::test(start_paused = true)]
async fn what_stays_open_is_released_by_an_operation_of_its_own() {
    for then in [None, Some(ErrorKind::ConnectionLost)] {
        let cancels = then.is_none();
        let release: CleanUp = Box::new(|what, cx| {
            Box::pin(async move {
                assert_eq!(what, left_open());
                let _open = Connection::open(cx.sink, None);
                Ok(())
            })
        });
        let bench = Bench::with(leaves_open(then), release, |_| ());
        let (id, mut events) = bench.start(operation());
        let mut seen =
            until(&mut events, |kind| matches!(kind, OpEventKind::PhaseStarted { phase: Phase::Pull(1), .. })).await;
        if cancels {
            bench.engine.cancel(id);
        }
        seen.extend(rest(events).await);
        let (release, _) = release_of(id, &seen);
        let own = ended(release, seen.clone());
        assert!(matches!(end(&own), OpEventKind::Finished(_)));
        match end(&ended(id, seen)) {
            OpEventKind::Cancelled { left_open: None } => assert!(cancels),
            OpEventKind::Failed(_) => assert!(!cancels),
            other => panic!("{other:?}"),
        }
        assert_eq!(*bench.engine.busy().borrow(), 0);
    }
}

#[tokio::test(start_paused = true)]
async fn an_enumeration_whose_answer_never_came_may_stay_open() {
    let bench = Bench::new(Box::new(|_, cx| {
        Box::pin(async move {
            cx.cleanup.asked();
            begin(cx.sink, Phase::Send);
            std::future::pending().await
        })
    }));
    let (id, mut events) = bench.start(operation());
    until(&mut events, |kind| matches!(kind, OpEventKind::PhaseStarted { phase: Phase::Send, .. })).await;
    bench.engine.cancel(id);
    let seen = rest(events).await;
    let OpEventKind::Cancelled { left_open: Some(text) } = end(&seen) else { panic!("{seen:#?}") };
    assert_eq!(text, "may stay open on the server until it expires");
}

#[tokio::test(start_paused = true)]
async fn an_enumeration_whose_answer_broke_off_may_stay_open() {
    for works_otherwise in [true, false] {
        let bench = Bench::new(Box::new(move |_, cx| {
            Box::pin(async move {
                cx.cleanup.asked();
                begin(cx.sink, Phase::Send);
                let lost = || OpError::new(Phase::Receive, "fake:1", ErrorKind::ConnectionLost, "it broke", "");
                if works_otherwise { Ok(()) } else { Err(lost()) }
            })
        }));
        let (_, events) = bench.start(operation());
        let seen = rest(events).await;
        let warned = seen.iter().filter(|event| {
            matches!(&event.kind, OpEventKind::Warning(warning) if warning.cause().contains("may stay open on the server"))
        });
        assert_eq!(warned.count(), 1, "{seen:#?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_release_that_hangs_is_given_up_after_two_seconds() {
    let stuck: CleanUp = Box::new(|_, cx| {
        Box::pin(async move {
            begin(cx.sink, Phase::Connect);
            std::future::pending().await
        })
    });
    let bench = Bench::with(leaves_open(None), stuck, |_| ());
    let (id, mut events) = bench.start(operation());
    let mut seen =
        until(&mut events, |kind| matches!(kind, OpEventKind::PhaseStarted { phase: Phase::Pull(1), .. })).await;
    let asked = Instant::now();
    bench.engine.shut_down().await;
    assert!((2_000..3_000).contains(&asked.elapsed().as_millis()), "{:?}", asked.elapsed());
    seen.extend(rest(events).await);
    let (release, _) = release_of(id, &seen);
    let error = failure(&ended(release, seen.clone()));
    assert_eq!((error.kind, error.phase), (ErrorKind::TimedOut, Phase::Connect));
    assert!(matches!(end(&ended(id, seen)), OpEventKind::Cancelled { .. }));
    assert_eq!(*bench.engine.busy().borrow(), 0);
    let events = bench.run(operation()).await;
    assert!(matches!(end(&events), OpEventKind::Cancelled { .. }), "nothing starts any more");
}

#[tokio::test(start_paused = true)]
async fn a_front_that_takes_nothing_holds_the_end_up_for_three_seconds_at_most() {
    let bench = Bench::new(stuck_in(Phase::Wait));
    let (_, events) = bench.start_in(SESSION, operation(), 1);
    settle().await;
    let asked = Instant::now();
    bench.engine.shut_down().await;
    assert!((3_000..3_200).contains(&asked.elapsed().as_millis()), "{:?}", asked.elapsed());
    bench.engine.busy().wait_for(|busy| *busy == 0).await.unwrap();
    drop(events);
}

#[tokio::test(start_paused = true)]
async fn events_come_in_the_order_they_happened() {
    let bench = Bench::new(Box::new(|_, cx| {
        Box::pin(async move {
            for received in 0..200 {
                cx.sink.deliver(OpEventKind::Rows(rows(1))).await;
                cx.sink.tell(OpEventKind::Progress { conn: ConnId(1), sent: 0, received });
            }
            Ok(())
        })
    }));
    let (sender, mut events) = mpsc::channel(2);
    let id = bench.engine.ids().next();
    bench.engine.start(SESSION, id, operation(), sender);
    let (mut taken, mut last) = (0, None);
    while let Some(event) = events.recv().await {
        match event.kind {
            OpEventKind::Rows(batch) => taken += batch.len() as u64,
            OpEventKind::Progress { received, .. } => {
                assert_eq!(received + 1, taken);
                last = Some(received);
            }
            _ => {}
        }
    }
    assert_eq!(last, Some(199));
}
