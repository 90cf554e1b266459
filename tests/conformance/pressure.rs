//! A consumer that stands still bounds what is held, on the way and in the engine.

use lazycim::{
    op::{OpEvent, OpEventKind, Timeouts},
    session::{PullUse, Target},
};

use super::stage::*;

/// Rows that may lie where nobody has taken them.
const UNDRAINED: usize = 20;

fn rows_in(event: &OpEvent) -> usize {
    match &event.kind {
        OpEventKind::Rows(batch) => batch.len(),
        _ => 0,
    }
}

#[tokio::test]
async fn rows_nobody_takes_are_not_read() {
    for subject in SUBJECTS {
        for pull in [PullUse::Never, PullUse::Auto] {
            let stage = Stage::with(subject, None, spoken(subject, "many_rows"), Timeouts::default(), |settings| {
                settings.limits.undrained_rows = UNDRAINED;
            })
            .await;
            stage.engine.open(SESSION, Target { pull, ..target_of(&stage.server, subject) });
            // Room for every event: what holds the rows back is the limit.
            let (id, mut events) = stage.start_in(SESSION, pulled(), 10_000);
            let (mut all, mut most, mut seen) = (0, 0, Vec::new());
            while let Some(event) = events.recv().await {
                // Whoever has something to do does it, on this one thread, before what lies there is counted.
                for _ in 0..64 {
                    tokio::task::yield_now().await;
                }
                let mut lying = rows_in(&event);
                seen.push(event);
                while let Ok(event) = events.try_recv() {
                    lying += rows_in(&event);
                    seen.push(event);
                }
                all += lying;
                most = most.max(lying);
            }
            ended(id, seen);
            assert_eq!(all, 2_000);
            assert!((2..=UNDRAINED).contains(&most), "{most} rows lay there");
            stage.idle().await;
        }
    }
}

#[tokio::test]
async fn what_is_held_when_nobody_takes_anything_is_dropped_with_the_operation() {
    for subject in SUBJECTS {
        let stage = Stage::with(subject, None, spoken(subject, "many_rows"), Timeouts::default(), |settings| {
            settings.limits.undrained_rows = UNDRAINED;
        })
        .await;
        let (id, mut events) = stage.start_in(SESSION, pulled(), 10_000);
        let seen = until(&mut events, |kind| matches!(kind, OpEventKind::Rows(_))).await;
        // The consumer stands still here; the operation waits for it and can be cancelled all the same.
        stage.engine.cancel(id);
        let seen = ended(id, rest(seen, events).await);
        assert!(matches!(end(id, &seen), OpEventKind::Cancelled { .. }), "{seen:#?}");
        assert!(rows(id, &seen) < 2_000);
        stage.idle().await;
    }
}
