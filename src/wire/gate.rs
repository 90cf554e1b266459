//! The gate in front of the connector: one client, one connection.
//!
//! Owns: letting the first connect through, observed, and holding back any further one. Must not know requests.
//!
//! The HTTP library races a second connect against the first connection's return to its pool. Here the second one waits:
//! if the connection comes back in time, the library takes it and forgets the wait; if not, the wait ends with [`Shut`],
//! nothing has been sent, and the exchange dials anew with a client and a connection id of its own.

use std::{
    future::Future,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll},
    time::Duration,
};

use tower::{Layer, Service};

use super::{observer::Observer, resolver::ConnectHook};

type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// The connection did not come back: the request was not sent.
#[derive(Debug)]
pub(super) struct Shut;

impl std::fmt::Display for Shut {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the connection is used up")
    }
}

impl std::error::Error for Shut {}

/// The layer around the connector of one client.
#[derive(Clone)]
pub(super) struct Gate {
    pub observer: Arc<Observer>,
    pub hook: Option<Arc<dyn ConnectHook>>,
    /// How long a second connect waits for the first connection to come back.
    pub grace: Duration,
    passed: Arc<AtomicBool>,
}

impl Gate {
    pub(super) fn new(observer: Arc<Observer>, hook: Option<Arc<dyn ConnectHook>>, grace: Duration) -> Self {
        Self { observer, hook, grace, passed: Arc::default() }
    }
}

impl<S> Layer<S> for Gate {
    type Service = Gated<S>;

    fn layer(&self, inner: S) -> Gated<S> {
        Gated { inner, gate: self.clone() }
    }
}

/// The connector behind the gate.
#[derive(Clone)]
pub(super) struct Gated<S> {
    inner: S,
    gate: Gate,
}

impl<S, R> Service<R> for Gated<S>
where
    S: Service<R, Error = BoxError> + Clone + Send + 'static,
    S::Future: Send + 'static,
    R: Send + 'static,
{
    type Response = S::Response;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<S::Response, BoxError>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: R) -> Self::Future {
        let gate = self.gate.clone();
        if gate.passed.swap(true, Ordering::SeqCst) {
            return Box::pin(async move {
                tokio::select! {
                    () = gate.observer.over.cancelled() => {}
                    () = tokio::time::sleep(gate.grace) => {}
                }
                Err(Shut.into())
            });
        }
        // The service that answered `poll_ready` is the one to call; its clone stays behind.
        let clone = self.inner.clone();
        let mut inner = std::mem::replace(&mut self.inner, clone);
        Box::pin(async move {
            gate.observer.connecting();
            if let Some(hook) = &gate.hook {
                hook.before(gate.observer.peer).await?;
            }
            let stream = inner.call(request).await?;
            gate.observer.ready();
            Ok(stream)
        })
    }
}
