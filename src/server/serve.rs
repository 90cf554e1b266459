//! `lazycim serve`: the embedded server as a command.
//!
//! Owns: the life of a server that runs until it is told to stop. Must not know arguments or standard output: the command
//! line reads the former and prints the URL.

use std::{
    future::Future,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    path::PathBuf,
};

use super::{Offer, RunningServer, ServerError, ServerLimits, ServerOptions, TlsIdentity};
use crate::auth::Credentials;

/// What `lazycim serve` was asked for.
#[derive(Clone, Debug)]
pub struct ServeOptions {
    /// `--listen`; loopback by default.
    pub listen: IpAddr,
    /// `--port`; 0 takes a free one.
    pub port: u16,
    /// `--user` and the password from `--password-env`.
    pub credentials: Credentials,
    /// `--auth`
    pub offer: Offer,
    /// `--tls-cert` and `--tls-key`.
    pub tls: Option<(PathBuf, PathBuf)>,
    /// `--allow-clear-text-from-the-network`
    pub allow_clear_text_from_the_network: bool,
}

impl ServeOptions {
    /// Plain http on a free port of 127.0.0.1.
    pub const fn new(credentials: Credentials) -> Self {
        Self {
            listen: IpAddr::V4(Ipv4Addr::LOCALHOST),
            port: 0,
            credentials,
            offer: Offer::Both,
            tls: None,
            allow_clear_text_from_the_network: false,
        }
    }
}

/// Serves until `stop` is ready. `listening` is called once, with the running server, before the first request.
///
/// # Errors
/// [`ServerError`] when the server cannot start.
pub async fn serve(
    options: ServeOptions,
    listening: impl FnOnce(&RunningServer),
    stop: impl Future<Output = ()>,
) -> Result<(), ServerError> {
    let server = super::start(ServerOptions {
        listen: SocketAddr::new(options.listen, options.port),
        credentials: Some(options.credentials),
        offer: options.offer,
        tls: options.tls.map(|(cert, key)| TlsIdentity::Files { cert, key }),
        client_authorities: None,
        allow_clear_text_from_the_network: options.allow_clear_text_from_the_network,
        limits: ServerLimits::default(),
        scenario: None,
    })
    .await?;
    listening(&server);
    stop.await;
    server.shut_down().await;
    Ok(())
}
