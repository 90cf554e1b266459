//! How long an operation has worked.
//!
//! Owns: the time that counts towards the total time-out: neither waiting in the queue nor waiting for our own consumer does.
//! Must not know what is being timed.

use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::{
    sync::Notify,
    time::{Instant, sleep},
};

/// A watch that stands until it is started, and while anything holds it.
#[derive(Debug, Default)]
pub(super) struct Stopwatch {
    laps: Mutex<Laps>,
    changed: Notify,
}

#[derive(Debug, Default)]
struct Laps {
    spent: Duration,
    /// Since when it runs.
    since: Option<Instant>,
    started: bool,
    held: usize,
}

/// Keeps a [`Stopwatch`] standing until it is dropped.
pub(super) struct Hold<'a>(&'a Stopwatch);

impl Stopwatch {
    fn laps(&self) -> MutexGuard<'_, Laps> {
        self.laps.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn turn(&self, act: impl FnOnce(&mut Laps)) {
        {
            let mut laps = self.laps();
            if let Some(since) = laps.since.take() {
                laps.spent += since.elapsed();
            }
            act(&mut laps);
            laps.since = (laps.started && laps.held == 0).then(Instant::now);
        }
        self.changed.notify_one();
    }

    /// Lets it run.
    pub(super) fn start(&self) {
        self.turn(|laps| laps.started = true);
    }

    /// Stops it until the next start.
    pub(super) fn stop(&self) {
        self.turn(|laps| laps.started = false);
    }

    /// Holds it until the guard is dropped.
    pub(super) fn hold(&self) -> Hold<'_> {
        self.turn(|laps| laps.held += 1);
        Hold(self)
    }

    /// Returns once `total` has been spent; never for `None`. At most one task may wait.
    pub(super) async fn spent(&self, total: Option<Duration>) {
        let Some(total) = total else { return std::future::pending().await };
        loop {
            let (spent, since) = {
                let laps = self.laps();
                (laps.spent + laps.since.map_or(Duration::ZERO, |since| since.elapsed()), laps.since)
            };
            if spent >= total {
                return;
            }
            match since {
                Some(_) => {
                    tokio::select! {
                        () = sleep(total - spent) => {}
                        () = self.changed.notified() => {}
                    }
                }
                None => self.changed.notified().await,
            }
        }
    }
}

impl Drop for Hold<'_> {
    fn drop(&mut self) {
        self.0.turn(|laps| laps.held -= 1);
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn time_held_and_time_stopped_do_not_count() {
        let watch = Stopwatch::default();
        let begun = Instant::now();
        watch.start();
        tokio::time::advance(Duration::from_secs(1)).await;
        let hold = watch.hold();
        tokio::time::advance(Duration::from_secs(100)).await;
        drop(hold);
        tokio::time::advance(Duration::from_secs(1)).await;
        watch.stop();
        tokio::time::advance(Duration::from_secs(100)).await;
        watch.start();
        watch.spent(Some(Duration::from_secs(5))).await;
        assert_eq!(begun.elapsed().as_secs(), 205);
    }

    #[tokio::test(start_paused = true)]
    async fn a_hold_that_begins_while_waiting_prolongs_the_wait() {
        let watch = Stopwatch::default();
        let begun = Instant::now();
        watch.start();
        let held = async {
            sleep(Duration::from_secs(2)).await;
            let _hold = watch.hold();
            sleep(Duration::from_secs(10)).await;
        };
        tokio::join!(watch.spent(Some(Duration::from_secs(3))), held);
        assert_eq!(begun.elapsed().as_secs(), 13);
    }

    #[tokio::test(start_paused = true)]
    async fn without_a_total_it_never_ends() {
        let watch = Stopwatch::default();
        watch.start();
        let ended = tokio::time::timeout(Duration::from_secs(1_000_000), watch.spent(None)).await;
        assert!(ended.is_err());
    }
}
