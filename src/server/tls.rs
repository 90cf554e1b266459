//! TLS for the embedded server.
//!
//! Owns: reading a certificate chain and its key from PEM and building the acceptor. Must not know what is said inside.

use std::{fmt, path::PathBuf, sync::Arc};

use rustls::{
    RootCertStore,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
    server::{VerifierBuilderError, WebPkiClientVerifier},
};
use tokio_rustls::TlsAcceptor;

/// Where certificate and key come from.
#[derive(Clone)]
pub enum TlsIdentity {
    /// Two PEM files.
    Files {
        /// The certificate chain, the server's own first.
        cert: PathBuf,
        /// The private key: PKCS#8, PKCS#1 or SEC1.
        key: PathBuf,
    },
    /// PEM text held in memory.
    Pem {
        /// The certificate chain, the server's own first.
        cert: String,
        /// The private key.
        key: Arc<zeroize::Zeroizing<String>>,
    },
}

impl fmt::Debug for TlsIdentity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Files { cert, key } => f.debug_struct("Files").field("cert", cert).field("key", key).finish(),
            Self::Pem { .. } => f.write_str("Pem(..)"),
        }
    }
}

/// Why a certificate or key cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file cannot be read or is not PEM.
    #[error("{file}: {cause}")]
    Pem {
        /// The file, or `certificate` or `key` for text in memory.
        file: String,
        /// What is wrong with it.
        cause: rustls::pki_types::pem::Error,
    },
    /// A file holds no certificate.
    #[error("{0}: no certificate in it")]
    NoCertificate(String),
    /// Certificate and key do not fit each other, or rustls refuses them.
    #[error("certificate and key cannot be used: {0}")]
    Refused(#[from] rustls::Error),
    /// No client could ever be let in.
    #[error("certificates of clients cannot be checked: {0}")]
    Clients(#[from] VerifierBuilderError),
}

/// Builds the acceptor for `identity`: TLS 1.2 and 1.3, and client certificates signed by one of `clients` where that is
/// given, else none.
pub(super) fn acceptor(identity: &TlsIdentity, clients: Option<&str>) -> Result<TlsAcceptor, TlsError> {
    let (chain, key) = load(identity)?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let verifier = match clients {
        None => WebPkiClientVerifier::no_client_auth(),
        Some(pem) => {
            let mut roots = RootCertStore::empty();
            let broken = |cause| TlsError::Pem { file: "authorities of clients".to_owned(), cause };
            for authority in CertificateDer::pem_slice_iter(pem.as_bytes()) {
                roots.add(authority.map_err(broken)?)?;
            }
            WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider.clone()).build()?
        }
    };
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_client_cert_verifier(verifier)
        .with_single_cert(chain, key)?;
    Ok(TlsAcceptor::from(Arc::new(config)))
}

type Loaded = (Vec<CertificateDer<'static>>, PrivateKeyDer<'static>);

fn load(identity: &TlsIdentity) -> Result<Loaded, TlsError> {
    let broken = |file: &str| {
        let file = file.to_owned();
        move |cause| TlsError::Pem { file, cause }
    };
    let (name, chain, key) = match identity {
        TlsIdentity::Files { cert, key } => {
            let (cert_name, key_name) = (cert.display().to_string(), key.display().to_string());
            let chain = CertificateDer::pem_file_iter(cert)
                .and_then(Iterator::collect::<Result<Vec<_>, _>>)
                .map_err(broken(&cert_name))?;
            (cert_name, chain, PrivateKeyDer::from_pem_file(key).map_err(broken(&key_name))?)
        }
        TlsIdentity::Pem { cert, key } => {
            let chain = CertificateDer::pem_slice_iter(cert.as_bytes())
                .collect::<Result<Vec<_>, _>>()
                .map_err(broken("certificate"))?;
            let key = PrivateKeyDer::from_pem_slice(key.as_bytes()).map_err(broken("key"))?;
            ("certificate".to_owned(), chain, key)
        }
    };
    if chain.is_empty() {
        return Err(TlsError::NoCertificate(name));
    }
    Ok((chain, key))
}
