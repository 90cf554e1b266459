//! Work that blocks, apart from what must not.
//!
//! Owns: the one way for a front to have files read and written while its loop goes on. Must not know what the work is.

/// Runs `work`, which may block, on a thread of its own; `None` where it panicked. Must be called inside a tokio runtime.
pub async fn aside<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Option<T> {
    tokio::task::spawn_blocking(work).await.ok()
}
