//! The embedded CIM server: this computer over CIM-XML and WS-Man, and the server our own tests talk to.
//!
//! Owns: the listening socket, its connections, the HTTP front, its own codecs of CIM-XML and WS-Man, the repository of classes and the
//! providers of live instances. Must not know the client side of lazycim (`op`, `protocol`, `engine`), so that a mistake in
//! one codec cannot hide behind the same mistake in the other.
//!
//! ```text
//! accept (listen) -> TLS (tls) -+- no scenario -> hyper (http) ------+-> Backend (http, guard) -+-> CimXml (cimxml)
//!                               +- scenario ----> play (scenario) ---+                          +-> WsMan (wsman)
//!                                                                                                    |
//!                                                             instances, gathering, enumeration <----+
//!                                                                  Repository, provider
//! ```
//!
//! Everything ends when [`RunningServer`] is dropped: the listener, every connection and every answer under way.

mod cimxml;
mod enumeration;
mod gathering;
mod guard;
mod http;
mod idle;
mod instances;
mod listen;
mod provider;
mod query;
mod repository;
pub mod scenario;
mod seen;
mod serve;
mod tls;
mod wsman;
mod xml;

#[cfg(test)]
mod tests;

use std::{
    fmt,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use tokio::sync::watch;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

pub use crate::auth::Credentials;
use crate::auth::basic::Basic;

pub use guard::Offer;
pub use repository::RepositoryError;
pub use scenario::{Scenario, ScenarioError};
pub use seen::{Seen, SeenRequest};
pub use serve::{ServeOptions, serve};
pub use tls::{TlsError, TlsIdentity};

/// What one server process allows its clients.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ServerLimits {
    /// Connections served at once; further ones wait in the listen queue.
    pub connections: usize,
    /// The largest request body, in bytes. A larger one is answered 413.
    pub request_bytes: usize,
    /// How long a connection may move no byte in either direction.
    pub idle: Duration,
}

impl Default for ServerLimits {
    fn default() -> Self {
        Self { connections: 64, request_bytes: 16 * 1024 * 1024, idle: Duration::from_secs(30) }
    }
}

/// How to start a server.
#[derive(Clone, Debug)]
pub struct ServerOptions {
    /// Where to listen; port 0 takes a free one.
    pub listen: SocketAddr,
    /// Who may read; `None` lets everybody in (tests only).
    pub credentials: Option<Credentials>,
    /// How who reads may prove it.
    pub offer: Offer,
    /// Certificate and key for https; `None` speaks plain http.
    pub tls: Option<TlsIdentity>,
    /// PEM text of the authorities one of which must have signed a client's certificate; `None` asks for none. Of use with
    /// TLS alone (tests only).
    pub client_authorities: Option<String>,
    /// Lets the server listen on a non-loopback address without TLS.
    pub allow_clear_text_from_the_network: bool,
    /// Its limits.
    pub limits: ServerLimits,
    /// A script for tests that delays, replaces or breaks answers.
    pub scenario: Option<Arc<Scenario>>,
}

impl ServerOptions {
    /// Plain http on a free port of 127.0.0.1, for exactly one credential.
    pub fn loopback(credentials: Credentials) -> Self {
        Self {
            listen: SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0),
            credentials: Some(credentials),
            offer: Offer::default(),
            tls: None,
            client_authorities: None,
            allow_clear_text_from_the_network: false,
            limits: ServerLimits::default(),
            scenario: None,
        }
    }

    /// Plain http on a free port of 127.0.0.1 without credential, playing `scenario`.
    pub fn scripted(scenario: Scenario) -> Self {
        Self {
            listen: SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0),
            credentials: None,
            offer: Offer::default(),
            tls: None,
            client_authorities: None,
            allow_clear_text_from_the_network: false,
            limits: ServerLimits::default(),
            scenario: Some(Arc::new(scenario)),
        }
    }
}

/// Why a server did not start.
#[derive(Debug, thiserror::Error)]
pub enum ServerError {
    /// The address could not be listened on.
    #[error("cannot listen on {addr}: {cause}")]
    Listen {
        /// The address asked for.
        addr: SocketAddr,
        /// What the system said.
        cause: std::io::Error,
    },
    /// Clear text would leave this machine.
    #[error("{0} is reachable from the network: give a certificate and its key, or allow clear text explicitly")]
    ClearText(SocketAddr),
    /// The certificate or its key cannot be used.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// No client could ever send the credential.
    #[error("nobody could authenticate: {0}")]
    Credentials(#[from] crate::auth::Unusable),
    /// The embedded schema is broken: a defect of this build.
    #[error(transparent)]
    Repository(#[from] RepositoryError),
}

/// A server that is listening. It stops when this is dropped.
pub struct RunningServer {
    addr: SocketAddr,
    https: bool,
    connections: watch::Receiver<usize>,
    enumerations: watch::Receiver<usize>,
    seen: Arc<seen::Log>,
    stop: CancellationToken,
    tasks: TaskTracker,
}

impl fmt::Debug for RunningServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RunningServer").field("addr", &self.addr).finish_non_exhaustive()
    }
}

/// Starts a server. Returns when it is listening; must be called inside a tokio runtime, which then runs it.
///
/// # Errors
/// [`ServerError`] when it cannot listen, would speak clear text to the network without leave, or has no usable
/// certificate or credential.
pub async fn start(options: ServerOptions) -> Result<RunningServer, ServerError> {
    if options.tls.is_none() && !options.listen.ip().is_loopback() && !options.allow_clear_text_from_the_network {
        return Err(ServerError::ClearText(options.listen));
    }
    if let Some(credentials) = &options.credentials
        && options.offer != Offer::Digest
    {
        Basic::new(credentials.clone())?;
    }
    let acceptor =
        options.tls.as_ref().map(|own| tls::acceptor(own, options.client_authorities.as_deref())).transpose()?;
    let repository = Arc::new(repository::Repository::embedded()?);
    let listener = listen::bind(options.listen).await?;
    let addr = listener.local_addr().map_err(|cause| ServerError::Listen { addr: options.listen, cause })?;
    let (count, connections) = watch::channel(0);
    let (stop, tasks, seen) = (CancellationToken::new(), TaskTracker::new(), Arc::new(seen::Log::default()));
    let enumerations = Arc::new(enumeration::Enumerations::default());
    let open_enumerations = enumerations.count();
    let cimxml = cimxml::CimXml::new(Arc::clone(&repository), Arc::clone(&enumerations));
    let wsman = wsman::WsMan::new(repository, Arc::clone(&enumerations));
    let guard = options.credentials.map(|credentials| guard::Guard::new(credentials, options.offer));
    let backend = http::Backend::new(cimxml, wsman, guard, options.limits);
    let front = listen::Front {
        listener,
        acceptor: acceptor.clone(),
        backend: Arc::new(backend),
        limits: options.limits,
        scenario: options.scenario,
        count,
        seen: Arc::clone(&seen),
        stop: stop.clone(),
        tasks: tasks.clone(),
    };
    tasks.spawn(front.run());
    let forgetting = stop.clone();
    tasks.spawn(async move {
        tokio::select! {
            () = forgetting.cancelled() => {}
            () = enumerations.forget_in_time() => {}
        }
    });
    tasks.close();
    let https = acceptor.is_some();
    Ok(RunningServer { addr, https, connections, enumerations: open_enumerations, seen, stop, tasks })
}

impl RunningServer {
    /// The address it listens on, with the port it was given.
    pub const fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Its URL as CLI.md writes targets: `cimxml+http://127.0.0.1:PORT/cimom`.
    pub fn url(&self) -> String {
        format!("cimxml+{}/cimom", self.origin())
    }

    /// The same for WS-Man: `wsman+http://127.0.0.1:PORT/wsman`.
    pub fn wsman_url(&self) -> String {
        format!("wsman+{}/wsman", self.origin())
    }

    fn origin(&self) -> String {
        format!("{}://{}", if self.https { "https" } else { "http" }, self.addr)
    }

    /// How many connections are open now.
    pub fn connections(&self) -> watch::Receiver<usize> {
        self.connections.clone()
    }

    /// How many pulled enumerations are open now: neither closed, nor read to their end, nor expired.
    pub fn enumerations(&self) -> watch::Receiver<usize> {
        self.enumerations.clone()
    }

    /// What it has seen so far, secrets removed.
    pub fn seen(&self) -> Seen {
        self.seen.snapshot()
    }

    /// How many requests have been read so far, to wait on.
    pub fn requests(&self) -> watch::Receiver<usize> {
        self.seen.requests()
    }

    /// Opens the gate `name`: steps of the scenario that wait for it go on, now and later.
    pub fn open_gate(&self, name: &str) {
        self.seen.open_gate(name);
    }

    /// Stops listening, drops every connection and waits until all of it has ended.
    pub async fn shut_down(self) {
        self.stop.cancel();
        self.tasks.wait().await;
    }
}

impl Drop for RunningServer {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}
