//! Checking a server's certificate by the rules of its session.
//!
//! Owns: the order of the checks and the refusal, which carries the certificate so that it can be shown. Must not know
//! files, nor what is told about a refusal.

use std::{fmt, sync::Arc};

use rustls::{
    CertificateError, DigitallySignedStruct, Error, OtherError, RootCertStore, SignatureScheme,
    client::{
        danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
        verify_server_cert_signed_by_trust_anchor, verify_server_name,
    },
    crypto::{WebPkiSupportedAlgorithms, verify_tls12_signature, verify_tls13_signature},
    pki_types::{CertificateDer, ServerName, UnixTime},
    server::ParsedCertificate,
};
use x509_parser::extensions::GeneralName;

use super::{
    super::fault::certificate_fault,
    describe::{certificate, fingerprint},
};
use crate::op::{Fingerprint, PeerCertificate, Verdict};

/// Certificates a session trusts instead of the platform's.
#[derive(Debug)]
pub(super) struct Authorities {
    /// As issuers.
    pub(super) roots: RootCertStore,
    /// As they are: a server that shows one of them itself is trusted, as self-signed certificates are meant to be.
    pub(super) exact: Vec<CertificateDer<'static>>,
}

impl Authorities {
    /// None yet.
    pub(super) fn none() -> Self {
        Self { roots: RootCertStore::empty(), exact: Vec::new() }
    }
}

/// Who vouches for a certificate.
#[derive(Debug)]
pub(super) enum Chain {
    /// The authorities of this computer.
    Platform(Arc<rustls_platform_verifier::Verifier>),
    /// These.
    Roots(Arc<Authorities>),
    /// Nobody has to.
    Skipped,
}

/// The checks of one live session.
#[derive(Debug)]
pub(super) struct Verifier {
    pub(super) chain: Chain,
    pub(super) skip_name: bool,
    /// The name to check instead of the one spoken to.
    pub(super) name: Option<ServerName<'static>>,
    pub(super) pin: Option<Fingerprint>,
    pub(super) algorithms: WebPkiSupportedAlgorithms,
}

/// Why a certificate was refused.
#[derive(Clone, Debug)]
pub(in crate::wire) enum Why {
    /// A check failed.
    Invalid(CertificateError),
    /// The session is pinned to another.
    OtherPin(Fingerprint),
}

/// A refused certificate, as it travels through the error chains of the libraries.
#[derive(Clone, Debug)]
pub(in crate::wire) struct Refused {
    /// The certificate.
    pub certificate: Arc<PeerCertificate>,
    /// Why.
    pub why: Why,
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.why {
            Why::Invalid(error) => error.fmt(f),
            Why::OtherPin(_) => f.write_str("not the pinned certificate"),
        }
    }
}

impl std::error::Error for Refused {}

/// The refusal inside `error`, if it is one.
pub(in crate::wire) fn refused(error: &Error) -> Option<&Refused> {
    match error {
        Error::InvalidCertificate(CertificateError::Other(OtherError(inner))) => inner.downcast_ref(),
        _ => None,
    }
}

impl Verifier {
    fn check(&self, shown: &Shown<'_>) -> Result<(), Why> {
        match self.pin {
            // Somebody looked at exactly this certificate: who signed it, for whom and for how long adds nothing.
            Some(pin) if pin == fingerprint(shown.leaf) => Ok(()),
            Some(pin) => Err(Why::OtherPin(pin)),
            None => self.check_all(shown).map_err(Why::Invalid),
        }
    }

    fn check_all(&self, shown: &Shown<'_>) -> Result<(), CertificateError> {
        let name = self.name.as_ref().unwrap_or(shown.name);
        match &self.chain {
            Chain::Platform(platform) => return self.check_by(platform.as_ref(), shown, name),
            Chain::Roots(known) if known.exact.contains(shown.leaf) => check_dates(shown.leaf, shown.now)?,
            Chain::Roots(known) => {
                let (roots, leaf) = (&known.roots, ParsedCertificate::try_from(shown.leaf).map_err(invalid)?);
                let (between, algorithms) = (shown.between, self.algorithms.all);
                verify_server_cert_signed_by_trust_anchor(&leaf, roots, between, shown.now, algorithms)
                    .map_err(|error| untrusted(invalid(error), shown.leaf))?;
            }
            Chain::Skipped => check_dates(shown.leaf, shown.now)?,
        }
        if self.skip_name {
            return Ok(());
        }
        let leaf = ParsedCertificate::try_from(shown.leaf).map_err(invalid)?;
        verify_server_name(&leaf, name).map_err(invalid)
    }

    /// The platform checks chain and name in one. Without the name, it is asked for one the certificate has.
    fn check_by(
        &self,
        platform: &rustls_platform_verifier::Verifier,
        shown: &Shown<'_>,
        name: &ServerName<'_>,
    ) -> Result<(), CertificateError> {
        let own = if self.skip_name { own_name(shown.leaf) } else { None };
        let asked = own.as_ref().unwrap_or(name);
        let checked = platform.verify_server_cert(shown.leaf, shown.between, asked, &[], shown.now);
        match checked.map_err(invalid) {
            Ok(_) => Ok(()),
            // Where webpki is the platform's verifier, the name comes last: all else is good.
            Err(CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. })
                if self.skip_name && cfg!(all(unix, not(target_vendor = "apple"), not(target_os = "android"))) =>
            {
                Ok(())
            }
            Err(error) => Err(untrusted(error, shown.leaf)),
        }
    }
}

/// Certificates made with `openssl req -x509` are authorities of their own, which no server should be: what is the matter
/// is that nobody vouches for them.
fn untrusted(error: CertificateError, leaf: &[u8]) -> CertificateError {
    let read = x509_parser::parse_x509_certificate(leaf);
    let alone = read.is_ok_and(|(_, read)| read.subject().as_raw() == read.issuer().as_raw());
    match error {
        CertificateError::Other(_) if alone => CertificateError::UnknownIssuer,
        error => error,
    }
}

/// What a server showed, and when.
struct Shown<'a> {
    leaf: &'a CertificateDer<'a>,
    between: &'a [CertificateDer<'a>],
    name: &'a ServerName<'a>,
    now: UnixTime,
}

fn invalid(error: Error) -> CertificateError {
    match error {
        Error::InvalidCertificate(error) => error,
        other => CertificateError::Other(OtherError(Arc::new(other))),
    }
}

/// RFC 5280 section 4.1.2.5.
fn check_dates(der: &[u8], now: UnixTime) -> Result<(), CertificateError> {
    let (_, read) = x509_parser::parse_x509_certificate(der).map_err(|_| CertificateError::BadEncoding)?;
    let now = i64::try_from(now.as_secs()).unwrap_or(i64::MAX);
    match () {
        () if now < read.validity().not_before.timestamp() => Err(CertificateError::NotValidYet),
        () if now > read.validity().not_after.timestamp() => Err(CertificateError::Expired),
        () => Ok(()),
    }
}

/// A DNS name the certificate is for, a wildcard made concrete.
fn own_name(der: &[u8]) -> Option<ServerName<'static>> {
    let (_, read) = x509_parser::parse_x509_certificate(der).ok()?;
    let names = read.subject_alternative_name().ok()??;
    names.value.general_names.iter().find_map(|name| match name {
        GeneralName::DNSName(name) => ServerName::try_from(name.replacen('*', "any", 1)).ok(),
        _ => None,
    })
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        leaf: &CertificateDer<'_>,
        between: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        _ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let why = match self.check(&Shown { leaf, between, name, now }) {
            Ok(()) => return Ok(ServerCertVerified::assertion()),
            Err(why) => why,
        };
        let (words, pinnable) = match &why {
            Why::Invalid(error @ (CertificateError::Revoked | CertificateError::BadEncoding)) => {
                (certificate_fault(error).seen, false)
            }
            Why::Invalid(error) => (certificate_fault(error).seen, true),
            Why::OtherPin(_) => ("it is not the pinned one", false),
        };
        let verdict = Verdict::Refused { why: words.into(), pinnable };
        let refused = Refused { certificate: Arc::new(certificate(leaf, verdict)), why };
        Err(Error::InvalidCertificate(CertificateError::Other(OtherError(Arc::new(refused)))))
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, certificate, signed, &self.algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, certificate, signed, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}
