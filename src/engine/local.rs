//! The embedded server of this computer, as the engine uses it.
//!
//! Owns: starting it for the first operation on this computer and not before, with a credential made for this run and kept in memory alone;
//! stopping it. Must not know what it answers.

use std::{net::SocketAddr, sync::Arc};

use secrecy::{ExposeSecret, SecretString};
use tokio::sync::{Mutex, watch};

use super::busy::Busy;
use crate::{
    auth::Credentials,
    op::{BoxFuture, ErrorKind, OpError, Phase, explain::start},
    server::{self, RunningServer, ServerOptions},
};

/// Bytes of the secret of a run.
const SECRET_BYTES: usize = 32;

/// Starts the embedded server. Tests put another in its place.
pub trait StartServer: Send + Sync {
    /// Starts a server on an ephemeral port of 127.0.0.1 that answers nobody but `access`; the error is the cause in words.
    fn start(&self, access: Credentials) -> BoxFuture<'_, Result<Box<dyn LocalServer>, String>>;
}

/// A server that runs. Dropping it stops it.
pub trait LocalServer: Send + Sync {
    /// Where it listens.
    fn addr(&self) -> SocketAddr;

    /// How many connections it has open.
    fn connections(&self) -> watch::Receiver<usize>;

    /// Stops listening and closes what is open; returns when that is done.
    fn shut_down(self: Box<Self>) -> BoxFuture<'static, ()>;
}

/// The embedded server.
#[derive(Clone, Copy, Debug)]
pub(super) struct Embedded;

impl StartServer for Embedded {
    fn start(&self, access: Credentials) -> BoxFuture<'_, Result<Box<dyn LocalServer>, String>> {
        Box::pin(async {
            let started = server::start(ServerOptions::loopback(access)).await;
            started.map(|server| Box::new(server) as Box<dyn LocalServer>).map_err(|error| error.to_string())
        })
    }
}

impl LocalServer for RunningServer {
    fn addr(&self) -> SocketAddr {
        Self::addr(self)
    }

    fn connections(&self) -> watch::Receiver<usize> {
        Self::connections(self)
    }

    fn shut_down(self: Box<Self>) -> BoxFuture<'static, ()> {
        Box::pin(Self::shut_down(*self))
    }
}

/// The server of this run, once it is there.
pub(super) struct Local {
    start: Arc<dyn StartServer>,
    running: Mutex<Option<Running>>,
    busy: Busy,
}

struct Running {
    server: Box<dyn LocalServer>,
    access: Credentials,
}

impl Local {
    /// No server yet.
    pub(super) fn new(start: Arc<dyn StartServer>, busy: Busy) -> Self {
        Self { start, running: Mutex::new(None), busy }
    }

    /// Where the server listens and who may ask it; starts it if it does not run. If whoever starts it is cancelled, the next one does.
    pub(super) async fn access(&self) -> Result<(SocketAddr, Credentials), OpError> {
        let mut running = self.running.lock().await;
        if let Some(running) = &*running {
            return Ok((running.server.addr(), running.access.clone()));
        }
        let access = Credentials { user: "lazycim".to_owned(), secret: random_secret()? };
        let server = self.start.start(access.clone()).await.map_err(cannot_start)?;
        tokio::spawn(self.busy.follow(server.connections()));
        let addr = server.addr();
        *running = Some(Running { server, access: access.clone() });
        Ok((addr, access))
    }

    /// Stops the server, if it runs.
    pub(super) async fn stop(&self) {
        let running = self.running.lock().await.take();
        if let Some(running) = running {
            running.server.shut_down().await;
        }
    }
}

fn cannot_start(cause: String) -> OpError {
    start::NO_LOCAL_SERVER.error(Phase::Queue, "this computer", ErrorKind::Internal).because(cause)
}

fn random_secret() -> Result<SecretString, OpError> {
    let mut bytes = zeroize::Zeroizing::new([0_u8; SECRET_BYTES]);
    getrandom::fill(bytes.as_mut_slice()).map_err(|error| cannot_start(format!("no random numbers: {error}")))?;
    let text = SecretString::from(bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>());
    debug_assert_eq!(text.expose_secret().len(), 2 * SECRET_BYTES);
    Ok(text)
}
