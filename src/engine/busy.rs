//! How much is going on.
//!
//! Owns: the count fronts and tests watch to know that the engine is at rest: operations not ended, clean-ups, and open connections of the
//! embedded server. Must not know what any of them does.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;

/// The count. Clones are the same count.
#[derive(Clone, Debug)]
pub(super) struct Busy(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    parts: Mutex<Parts>,
    /// Everything.
    all: watch::Sender<usize>,
    /// Operations and clean-ups alone.
    tasks: watch::Sender<usize>,
}

#[derive(Debug, Default)]
struct Parts {
    tasks: usize,
    connections: Option<watch::Receiver<usize>>,
}

/// One operation or clean-up that has not ended; dropping it says it has.
pub(super) struct Working(Busy);

impl Busy {
    /// Nothing goes on.
    pub(super) fn new() -> Self {
        Self(Arc::new(Shared { parts: Mutex::default(), all: watch::Sender::new(0), tasks: watch::Sender::new(0) }))
    }

    fn parts(&self) -> MutexGuard<'_, Parts> {
        self.0.parts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn count(&self, change: impl FnOnce(&mut Parts)) {
        let mut parts = self.parts();
        change(&mut parts);
        // Read anew each time, so that an operation's end and its connection's end never show as rest in between.
        let connections = parts.connections.as_mut().map_or(0, |known| *known.borrow_and_update());
        let tasks = parts.tasks;
        self.0.tasks.send_if_modified(|known| std::mem::replace(known, tasks) != tasks);
        self.0.all.send_if_modified(|known| std::mem::replace(known, tasks + connections) != tasks + connections);
    }

    /// Something more goes on until the guard is dropped.
    pub(super) fn work(&self) -> Working {
        self.count(|parts| parts.tasks += 1);
        Working(self.clone())
    }

    /// Counts the embedded server's connections in from now on. The future follows them and ends when the server is gone.
    pub(super) fn follow(&self, connections: watch::Receiver<usize>) -> impl Future<Output = ()> + Send + use<> {
        let mut changes = connections.clone();
        self.count(|parts| parts.connections = Some(connections));
        let busy = self.clone();
        async move {
            while changes.changed().await.is_ok() {
                busy.count(|_| ());
            }
            busy.count(|parts| {
                if parts.connections.as_ref().is_some_and(|known| known.same_channel(&changes)) {
                    parts.connections = None;
                }
            });
        }
    }

    /// Everything that goes on.
    pub(super) fn all(&self) -> watch::Receiver<usize> {
        self.0.all.subscribe()
    }

    /// Returns once no operation and no clean-up goes on.
    pub(super) async fn no_tasks(&self) {
        // The sender lives in self, so the wait cannot fail.
        let _ = self.0.tasks.subscribe().wait_for(|tasks| *tasks == 0).await;
    }
}

impl Drop for Working {
    fn drop(&mut self) {
        self.0.count(|parts| parts.tasks -= 1);
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]

    use super::*;

    #[tokio::test]
    async fn connections_of_the_server_keep_it_busy() {
        let busy = Busy::new();
        let mut all = busy.all();
        let connections = watch::Sender::new(0);
        let follow = tokio::spawn(busy.follow(connections.subscribe()));
        let working = busy.work();
        connections.send_replace(1);
        drop(working);
        assert_eq!(*all.borrow_and_update(), 1, "the connection counts although its report has not been read");
        busy.no_tasks().await;
        connections.send_replace(0);
        all.wait_for(|count| *count == 0).await.unwrap();
        connections.send_replace(3);
        drop(connections);
        follow.await.unwrap();
        assert_eq!(*all.borrow(), 0);
    }
}
