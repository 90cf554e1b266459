//! Host names to addresses, and the door through which tests make connecting fail.
//!
//! Owns: [`Resolver`], the system's one, and [`ConnectHook`]. Must not know phases, time-outs or which address is tried when.

use std::{
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
};

use crate::op::BoxFuture;

/// Turns a host name into addresses. Never asked about IP literals.
pub trait Resolver: Send + Sync {
    /// The addresses of `host` in the order to try them, each with `port`. An unknown name is an error or an empty list.
    fn resolve<'a>(&'a self, host: &'a str, port: u16) -> BoxFuture<'a, io::Result<Vec<SocketAddr>>>;
}

/// The resolver of the operating system.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemResolver;

impl Resolver for SystemResolver {
    fn resolve<'a>(&'a self, host: &'a str, port: u16) -> BoxFuture<'a, io::Result<Vec<SocketAddr>>> {
        Box::pin(async move {
            let found = tokio::net::lookup_host((host, port)).await.map(|found| found.collect::<Vec<_>>());
            if is_localhost(host) { Ok(loopback(found.unwrap_or_default(), port)) } else { found }
        })
    }
}

/// Whether `host` is `localhost` or below it (RFC 6761 section 6.3: such names never leave the machine).
fn is_localhost(host: &str) -> bool {
    let host = host.strip_suffix('.').unwrap_or(host).to_ascii_lowercase();
    host == "localhost" || host.ends_with(".localhost")
}

fn loopback(found: Vec<SocketAddr>, port: u16) -> Vec<SocketAddr> {
    let mut kept: Vec<_> = found.into_iter().filter(|address| is_loopback(address.ip())).collect();
    if kept.is_empty() {
        kept.push(SocketAddr::from((Ipv4Addr::LOCALHOST, port)));
        kept.push(SocketAddr::from((Ipv6Addr::LOCALHOST, port)));
    }
    kept
}

/// Whether packets to `address` never leave this machine. An IPv4 address mapped into IPv6 counts as what it maps.
pub fn is_loopback(address: IpAddr) -> bool {
    address.to_canonical().is_loopback()
}

/// Called before each TCP connect. Nothing in the product sets one; tests stall or refuse through it.
pub trait ConnectHook: Send + Sync {
    /// Connecting goes on when this answers `Ok`, and fails with what it answers otherwise.
    fn before<'a>(&'a self, peer: SocketAddr) -> BoxFuture<'a, io::Result<()>>;
}
