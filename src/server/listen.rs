//! The accept loop and the life of a connection.
//!
//! Owns: the listening socket, the number of connections, TLS handshakes and the choice who reads a connection: hyper, or
//! the scenario. Must not know CIM.

use std::{net::SocketAddr, sync::Arc};

use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpListener, TcpStream},
    sync::{Semaphore, watch},
};
use tokio_rustls::TlsAcceptor;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use super::{ServerError, ServerLimits, http, http::Backend, idle::IdleLimit, scenario, scenario::Scenario, seen};

/// How long the accept loop rests when it could not accept.
const ACCEPT_PAUSE: std::time::Duration = std::time::Duration::from_millis(50);

/// Binds `addr`.
pub(super) async fn bind(addr: SocketAddr) -> Result<TcpListener, ServerError> {
    TcpListener::bind(addr).await.map_err(|cause| ServerError::Listen { addr, cause })
}

/// A byte stream a connection is spoken over.
pub(super) trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<S: AsyncRead + AsyncWrite + Send + Unpin> Stream for S {}

/// All the accept loop needs.
pub(super) struct Front {
    pub(super) listener: TcpListener,
    pub(super) acceptor: Option<TlsAcceptor>,
    pub(super) backend: Arc<Backend>,
    pub(super) limits: ServerLimits,
    pub(super) scenario: Option<Arc<Scenario>>,
    pub(super) count: watch::Sender<usize>,
    pub(super) seen: Arc<seen::Log>,
    pub(super) stop: CancellationToken,
    pub(super) tasks: TaskTracker,
}

/// What one connection needs.
pub(super) struct Connection {
    /// Its number on this server, from 1.
    pub(super) number: u64,
    pub(super) acceptor: Option<TlsAcceptor>,
    pub(super) backend: Arc<Backend>,
    pub(super) limits: ServerLimits,
    pub(super) seen: Arc<seen::Log>,
}

/// Counts a connection as open while it lives.
struct Open(watch::Sender<usize>);

impl Open {
    fn new(count: &watch::Sender<usize>) -> Self {
        count.send_modify(|open| *open += 1);
        Self(count.clone())
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.0.send_modify(|open| *open = open.saturating_sub(1));
    }
}

impl Front {
    /// Accepts until told to stop. A permit is taken before each accept, so connections beyond the limit wait in the
    /// listen queue of the system.
    pub(super) async fn run(self) {
        let permits = Arc::new(Semaphore::new(self.limits.connections));
        loop {
            let accepted = tokio::select! {
                biased;
                () = self.stop.cancelled() => return,
                accepted = async {
                    let permit = Arc::clone(&permits).acquire_owned().await;
                    (permit, self.listener.accept().await)
                } => accepted,
            };
            let (Ok(permit), Ok((stream, _))) = accepted else {
                // Out of descriptors, or a peer that left before it was accepted: a pause, not a spin, until one is free.
                tokio::time::sleep(ACCEPT_PAUSE).await;
                continue;
            };
            let open = Open::new(&self.count);
            let connection = Connection {
                number: self.seen.connected(),
                acceptor: self.acceptor.clone(),
                backend: Arc::clone(&self.backend),
                limits: self.limits,
                seen: Arc::clone(&self.seen),
            };
            let (stop, scenario) = (self.stop.clone(), self.scenario.clone());
            self.tasks.spawn(async move {
                let _held = (permit, open);
                tokio::select! {
                    biased;
                    () = stop.cancelled() => {}
                    () = connection.serve(stream, scenario) => {}
                }
            });
        }
    }
}

impl Connection {
    /// Serves `stream` to its end. The scenario, if there is one, reads it; otherwise hyper does.
    async fn serve(self, stream: TcpStream, scenario: Option<Arc<Scenario>>) {
        // A socket that cannot switch Nagle off still works.
        let _ = stream.set_nodelay(true);
        if let Some(scenario) = scenario {
            return scenario::play(&scenario, stream, &self).await;
        }
        let stream = IdleLimit::new(stream, self.limits.idle);
        match self.acceptor.clone() {
            None => http::serve(stream, &self).await,
            Some(acceptor) => {
                if let Ok(stream) = acceptor.accept(stream).await {
                    http::serve(stream, &self).await;
                }
            }
        }
    }
}
