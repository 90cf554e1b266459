//! Where events go.
//!
//! Owns: the trait through which a protocol and its connections tell what happens. Must not know how events travel.

use std::{future::Future, pin::Pin};

use super::OpEventKind;

/// A boxed future, as the object-safe traits of lazycim return.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// The sink of one operation. The implementation stamps each event with the time of the call.
pub trait EventSink: Send + Sync {
    /// Tells of a step in the life of a connection. Never blocks and never drops; callable from synchronous callbacks.
    fn tell(&self, kind: OpEventKind);

    /// Hands over content (shapes, rows, names, classes, progress). Awaiting it is the backpressure.
    fn deliver(&self, kind: OpEventKind) -> BoxFuture<'_, ()>;
}
