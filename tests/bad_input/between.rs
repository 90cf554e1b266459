//! What stands between a session and its server, and goes wrong as it is told: names, connects, certificates.

use std::{
    io,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    path::Path,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

use lazycim::{
    op::BoxFuture,
    server::{RunningServer, Scenario, ServerOptions, TlsIdentity},
    wire::{ConnectHook, Resolver},
};

/// What the resolver answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Resolves {
    /// The address.
    To(Ipv4Addr),
    /// That there is none.
    Nothing,
    /// Never.
    Never,
}

/// Who signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signed {
    /// The authority the session trusts.
    Trusted,
    /// First another authority, at 127.0.0.2; then the trusted one.
    Stranger,
}

/// A server at 127.0.0.2 whose certificate nobody trusts.
pub async fn stranger(host: &str, port: u16) -> RunningServer {
    let scenario = Scenario::parse("about = \"nothing\"\nstep = []", Path::new(".")).unwrap();
    let mut options = ServerOptions::scripted(scenario);
    options.listen = SocketAddr::from((Ipv4Addr::new(127, 0, 0, 2), port));
    options.tls = Some(Authority::new("Another authority").serves(host));
    lazycim::server::start(options).await.unwrap()
}

/// Who signs certificates.
pub struct Authority {
    issuer: rcgen::Issuer<'static, rcgen::KeyPair>,
    /// Its own.
    pub certificate: rcgen::Certificate,
}

impl Authority {
    /// One of its own name.
    pub fn new(name: &str) -> Self {
        let mut params = rcgen::CertificateParams::default();
        params.distinguished_name.push(rcgen::DnType::CommonName, name);
        params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        let key = rcgen::KeyPair::generate().unwrap();
        let certificate = params.self_signed(&key).unwrap();
        Self { issuer: rcgen::Issuer::new(params, key), certificate }
    }

    /// A certificate for a server at `host`.
    pub fn serves(&self, host: &str) -> TlsIdentity {
        let params = rcgen::CertificateParams::new(vec![host.to_owned()]).unwrap();
        let key = rcgen::KeyPair::generate().unwrap();
        let cert = params.signed_by(&key, &self.issuer).unwrap().pem();
        TlsIdentity::Pem { cert, key: Arc::new(key.serialize_pem().into()) }
    }
}

/// Answers what it is told, the last of it for good.
pub struct Script {
    /// What is left to answer.
    pub answers: Mutex<Vec<Resolves>>,
}

impl Resolver for Script {
    fn resolve<'a>(&'a self, host: &'a str, port: u16) -> BoxFuture<'a, io::Result<Vec<SocketAddr>>> {
        let answer = {
            let mut answers = self.answers.lock().unwrap();
            if answers.len() > 1 { answers.remove(0) } else { answers[0] }
        };
        Box::pin(async move {
            match answer {
                Resolves::To(address) => Ok(vec![SocketAddr::new(IpAddr::V4(address), port)]),
                Resolves::Nothing => Err(io::Error::other(format!("nobody knows {host}"))),
                Resolves::Never => std::future::pending().await,
            }
        })
    }
}

/// The first connects stall for good.
pub struct StallsFirst(pub AtomicUsize);

impl ConnectHook for StallsFirst {
    fn before<'a>(&'a self, _peer: SocketAddr) -> BoxFuture<'a, io::Result<()>> {
        let stalls = self.0.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1)).is_ok();
        Box::pin(async move { if stalls { std::future::pending().await } else { Ok(()) } })
    }
}
