//! Whom TLS trusts, and what is seen of its handshakes.
//!
//! Owns: the TLS configuration of one live session, its session cache, and describing certificates. Must not know HTTP.
//!
//! The verifier is one `Arc` per [`Trust`]; only the session store is wrapped per connection, so that resumption works:
//! rustls refuses to resume with another verifier.

use std::{
    io::Read,
    path::Path,
    sync::{Arc, OnceLock},
};

use rustls::{
    ClientConfig, NamedGroup, RootCertStore,
    client::{
        ClientSessionMemoryCache, ClientSessionStore, Resumption, Tls12ClientSessionValue, Tls13ClientSessionValue,
    },
    crypto::CryptoProvider,
    pki_types::{CertificateDer, ServerName, pem::PemObject},
};

use super::{fault::plain, observer::Observer};
use crate::op::{ErrorKind, OpError, Phase};

/// Servers remembered for resumption.
const CACHED_SERVERS: usize = 32;

/// The most bytes a file of certificates may have.
const CA_FILE_BYTES: u64 = 8 << 20;

/// Whom TLS trusts: one per live session, shared by its operations. Chain and name are always checked.
pub struct Trust {
    config: ClientConfig,
    sessions: Arc<ClientSessionMemoryCache>,
}

impl std::fmt::Debug for Trust {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Trust(..)")
    }
}

fn provider() -> Arc<CryptoProvider> {
    static RING: OnceLock<Arc<CryptoProvider>> = OnceLock::new();
    RING.get_or_init(|| Arc::new(rustls::crypto::ring::default_provider())).clone()
}

fn no_tls(cause: impl std::fmt::Display) -> OpError {
    let hint = "name the certificates to trust with ca_file (--ca-file FILE)";
    OpError::new(Phase::Tls, "this computer", ErrorKind::Configuration, "TLS cannot be set up", hint)
        .because(plain(&cause.to_string()))
}

impl Trust {
    fn with(config: ClientConfig) -> Self {
        Self { config, sessions: Arc::new(ClientSessionMemoryCache::new(CACHED_SERVERS)) }
    }

    /// Trusts nobody: for sessions that speak no TLS.
    ///
    /// # Errors
    /// If the cryptographic provider cannot be set up.
    pub fn nobody() -> Result<Self, OpError> {
        Self::roots(RootCertStore::empty())
    }

    fn roots(roots: RootCertStore) -> Result<Self, OpError> {
        let config = ClientConfig::builder_with_provider(provider()).with_safe_default_protocol_versions();
        Ok(Self::with(config.map_err(no_tls)?.with_root_certificates(roots).with_no_client_auth()))
    }

    /// Trusts what this computer trusts. The certificates are read once in the life of the process.
    ///
    /// # Errors
    /// If the computer has no certificates to trust.
    pub fn platform() -> Result<Self, OpError> {
        static VERIFIER: OnceLock<Arc<rustls_platform_verifier::Verifier>> = OnceLock::new();
        let verifier = match VERIFIER.get() {
            Some(verifier) => verifier.clone(),
            None => {
                let made = Arc::new(rustls_platform_verifier::Verifier::new(provider()).map_err(no_tls)?);
                VERIFIER.get_or_init(|| made).clone()
            }
        };
        let config = ClientConfig::builder_with_provider(provider()).with_safe_default_protocol_versions();
        let config = config.map_err(no_tls)?.dangerous().with_custom_certificate_verifier(verifier);
        Ok(Self::with(config.with_no_client_auth()))
    }

    /// Trusts the certificates in the PEM file at `path` and no others.
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`], naming the file, if it cannot be read, is larger than 8 MiB, is not PEM or holds no
    /// certificate that can be trusted.
    pub fn ca_file(path: &Path) -> Result<Self, OpError> {
        let broken = |cause: String| {
            let hint = "name a PEM file that holds the certificate of the authority that signed the server's";
            let cause = plain(&cause);
            OpError::new(Phase::Tls, path.display().to_string(), ErrorKind::Configuration, "ca_file is unusable", hint)
                .because(cause)
        };
        let mut pem = Vec::new();
        let file = std::fs::File::open(path).map_err(|error| broken(error.to_string()))?;
        file.take(CA_FILE_BYTES + 1).read_to_end(&mut pem).map_err(|error| broken(error.to_string()))?;
        if pem.is_empty() {
            return Err(broken("the file is empty".to_owned()));
        }
        if pem.len() as u64 > CA_FILE_BYTES {
            return Err(broken(format!("the file is larger than {} MiB", CA_FILE_BYTES >> 20)));
        }
        let mut roots = RootCertStore::empty();
        for certificate in CertificateDer::pem_slice_iter(&pem) {
            let certificate = certificate.map_err(|error| broken(format!("not PEM: {error}")))?;
            roots
                .add(certificate)
                .map_err(|error| broken(format!("a certificate in it cannot be trusted: {error}")))?;
        }
        if roots.is_empty() {
            return Err(broken("there is no certificate in it".to_owned()));
        }
        Self::roots(roots)
    }

    /// The TLS configuration of one connection, whose handshake `observer` sees.
    pub(super) fn config(&self, observer: &Arc<Observer>) -> ClientConfig {
        let mut config = self.config.clone();
        let store = SeenStore { observer: observer.clone(), sessions: self.sessions.clone() };
        config.resumption = Resumption::store(Arc::new(store));
        config
    }
}

/// The session's cache as one connection sees it. rustls asks for a key exchange hint exactly when it starts a handshake:
/// the moment TCP is up and TLS begins.
struct SeenStore {
    observer: Arc<Observer>,
    sessions: Arc<ClientSessionMemoryCache>,
}

impl std::fmt::Debug for SeenStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SeenStore(..)")
    }
}

impl ClientSessionStore for SeenStore {
    fn set_kx_hint(&self, server_name: ServerName<'static>, group: NamedGroup) {
        self.sessions.set_kx_hint(server_name, group);
    }

    fn kx_hint(&self, server_name: &ServerName<'_>) -> Option<NamedGroup> {
        self.observer.handshaking();
        self.sessions.kx_hint(server_name)
    }

    fn set_tls12_session(&self, server_name: ServerName<'static>, value: Tls12ClientSessionValue) {
        self.sessions.set_tls12_session(server_name, value);
    }

    fn tls12_session(&self, server_name: &ServerName<'_>) -> Option<Tls12ClientSessionValue> {
        self.sessions.tls12_session(server_name)
    }

    fn remove_tls12_session(&self, server_name: &ServerName<'static>) {
        self.sessions.remove_tls12_session(server_name);
    }

    fn insert_tls13_ticket(&self, server_name: ServerName<'static>, value: Tls13ClientSessionValue) {
        self.sessions.insert_tls13_ticket(server_name, value);
    }

    fn take_tls13_ticket(&self, server_name: &ServerName<'static>) -> Option<Tls13ClientSessionValue> {
        self.sessions.take_tls13_ticket(server_name)
    }
}

/// A TLS session in words: version, and the certificate's subject, issuer and last day.
pub(super) fn describe(info: &reqwest::tls::TlsInfo) -> Box<str> {
    let version = match info.version() {
        Some(version) if version == reqwest::tls::Version::TLS_1_3 => "TLS 1.3",
        Some(version) if version == reqwest::tls::Version::TLS_1_2 => "TLS 1.2",
        _ => "TLS",
    };
    match info.peer_certificate().and_then(certificate) {
        Some(certificate) => format!("{version}, {certificate}").into(),
        None => version.into(),
    }
}

fn certificate(der: &[u8]) -> Option<String> {
    let (_, certificate) = x509_parser::parse_x509_certificate(der).ok()?;
    let subject = plain(&certificate.subject().to_string());
    let issuer = plain(&certificate.issuer().to_string());
    let expires = jiff::Timestamp::from_second(certificate.validity().not_after.timestamp()).ok()?;
    Some(format!("{subject}, issued by {issuer}, expires {}", expires.strftime("%Y-%m-%d")))
}
