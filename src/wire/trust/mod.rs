//! Whom TLS trusts, and what is seen of its handshakes.
//!
//! Owns: the TLS configuration of one live session, its session cache, checking and describing certificates. Must not know
//! HTTP.
//!
//! Verifier and client-certificate resolver are one `Arc` per [`Trust`]; only the session store is wrapped per connection,
//! so that resumption works: rustls refuses to resume with others. A session is resumed only through the cache of the
//! `Trust` that made it, whose rules never change: no resumption gets round a pin or a check.
//!
//! ```text
//! TlsRules --> Trust --> ClientConfig --> handshake --> verify: pin, or chain and dates and name --> describe
//!    files: authorities, identity                          +-- Refused, with the certificate
//! ```

mod describe;
mod files;
mod verify;

use std::{
    path::PathBuf,
    sync::{Arc, OnceLock},
};

use rustls::{
    ClientConfig, NamedGroup,
    client::{
        ClientSessionMemoryCache, ClientSessionStore, Resumption, Tls12ClientSessionValue, Tls13ClientSessionValue,
    },
    crypto::CryptoProvider,
    pki_types::ServerName,
    version::{TLS12, TLS13},
};

use super::{fault::plain, observer::Observer};
use crate::op::{ErrorKind, Fingerprint, OpError, PeerCertificate, Phase, Verdict, explain::tls::handshake};

pub(super) use verify::{Refused, Why, refused};

/// Servers remembered for resumption.
const CACHED_SERVERS: usize = 32;

/// How the TLS of a session is checked. The default trusts what this computer trusts, and checks everything.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TlsRules {
    /// A file or a folder of the certificates to trust instead of the platform's.
    pub authorities: Option<PathBuf>,
    /// The client's certificate chain, and the file of its key where that is another.
    pub identity: Option<(PathBuf, Option<PathBuf>)>,
    /// Who signed the server's certificate is not checked; dates and name are.
    pub skip_chain: bool,
    /// The name the server's certificate is for is not checked; chain and dates are.
    pub skip_name: bool,
    /// TLS 1.2 is not spoken.
    pub only_tls13: bool,
    /// The name to send (SNI, RFC 6066 section 3; an address is not sent) and to check, instead of the host's.
    pub server_name: Option<String>,
    /// The one certificate that is accepted. It replaces chain, dates and name.
    pub pin: Option<Fingerprint>,
}

/// Whom TLS trusts: one per live session, shared by its operations.
pub struct Trust {
    config: ClientConfig,
    sessions: Arc<ClientSessionMemoryCache>,
    /// The host name of the URL instead of the server's own, so that it is sent as SNI.
    host: Option<String>,
    verdict: Verdict,
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

/// TLS cannot be set up with these rules.
fn no_tls(cause: impl std::fmt::Display) -> OpError {
    handshake::NOT_SET_UP
        .error(Phase::Tls, "this computer", ErrorKind::Configuration)
        .because(plain(&cause.to_string()))
}

impl Trust {
    /// Trusts nobody: for sessions that speak no TLS.
    ///
    /// # Errors
    /// If the cryptographic provider cannot be set up.
    pub fn nobody() -> Result<Self, OpError> {
        Self::with(&TlsRules::default(), verify::Chain::Roots(Arc::new(verify::Authorities::none())))
    }

    /// Trusts as `rules` say. Reads files; the platform's certificates are read once in the life of the process.
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`], naming the file: if a certificate or key cannot be read, is too large, is not PEM, is
    /// encrypted, cannot be trusted or does not fit; if the computer has no certificates to trust; if the name is none.
    pub fn new(rules: &TlsRules) -> Result<Self, OpError> {
        let chain = match &rules.authorities {
            // Nobody is asked who signed it.
            _ if rules.skip_chain || rules.pin.is_some() => verify::Chain::Skipped,
            Some(path) => verify::Chain::Roots(Arc::new(files::authorities(path)?)),
            None => verify::Chain::Platform(platform()?),
        };
        Self::with(rules, chain)
    }

    fn with(rules: &TlsRules, chain: verify::Chain) -> Result<Self, OpError> {
        let name = rules.server_name.as_deref().map(server_name).transpose()?;
        let is_address = matches!(name, Some(ServerName::IpAddress(_)));
        let host = rules.server_name.clone().filter(|_| !is_address);
        let versions: &[_] = if rules.only_tls13 { &[&TLS13] } else { &[&TLS13, &TLS12] };
        let verifier = verify::Verifier {
            chain,
            skip_name: rules.skip_name,
            name,
            pin: rules.pin,
            algorithms: provider().signature_verification_algorithms,
        };
        let config =
            ClientConfig::builder_with_provider(provider()).with_protocol_versions(versions).map_err(no_tls)?;
        let config = config.dangerous().with_custom_certificate_verifier(Arc::new(verifier));
        let mut config = match &rules.identity {
            Some((certificate, key)) => {
                config.with_client_cert_resolver(files::identity(certificate, key.as_deref().unwrap_or(certificate))?)
            }
            None => config.with_no_client_auth(),
        };
        config.enable_sni = !is_address;
        let verdict = match (rules.pin, rules.skip_chain, rules.skip_name) {
            (Some(_), ..) => Verdict::Pinned,
            (None, false, false) => Verdict::Trusted,
            (None, chain, name) => Verdict::Unchecked { chain, name },
        };
        Ok(Self { config, sessions: Arc::new(ClientSessionMemoryCache::new(CACHED_SERVERS)), host, verdict })
    }

    /// The TLS configuration of one connection, whose handshake `observer` sees.
    pub(super) fn config(&self, observer: &Arc<Observer>) -> ClientConfig {
        let mut config = self.config.clone();
        let store = SeenStore { observer: observer.clone(), sessions: self.sessions.clone() };
        config.resumption = Resumption::store(Arc::new(store));
        config
    }

    /// The name to speak TLS to, where it is not the server's own.
    pub(super) fn host(&self) -> Option<&str> {
        self.host.as_deref()
    }

    /// An accepted TLS session in words, and its certificate.
    pub(super) fn describe(&self, info: &reqwest::tls::TlsInfo) -> (Box<str>, Option<PeerCertificate>) {
        let certificate = info.peer_certificate().map(|der| describe::certificate(der, self.verdict.clone()));
        (describe::session(info, certificate.as_ref()), certificate)
    }
}

fn platform() -> Result<Arc<rustls_platform_verifier::Verifier>, OpError> {
    static VERIFIER: OnceLock<Arc<rustls_platform_verifier::Verifier>> = OnceLock::new();
    Ok(match VERIFIER.get() {
        Some(verifier) => verifier.clone(),
        None => {
            let made = Arc::new(rustls_platform_verifier::Verifier::new(provider()).map_err(no_tls)?);
            VERIFIER.get_or_init(|| made).clone()
        }
    })
}

fn server_name(text: &str) -> Result<ServerName<'static>, OpError> {
    let name = ServerName::try_from(text.to_owned());
    name.map_err(|_| handshake::SERVER_NAME.error(Phase::Tls, plain(text), ErrorKind::Configuration))
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
