//! TLS sessions and certificates in words.
//!
//! Owns: what is told of a certificate, bounded and without control characters. Must not decide what is acceptable.

use x509_parser::{certificate::X509Certificate, extensions::GeneralName};

use super::super::fault::plain;
use crate::op::{Fingerprint, PeerCertificate, Verdict};

/// The most names of a certificate that are told.
const NAMES: usize = 16;

/// The fingerprint of the certificate `der`.
pub(super) fn fingerprint(der: &[u8]) -> Fingerprint {
    let mut bytes = [0; 32];
    let digest = ring::digest::digest(&ring::digest::SHA256, der);
    bytes.iter_mut().zip(digest.as_ref()).for_each(|(byte, digest)| *byte = *digest);
    Fingerprint(bytes)
}

/// The certificate `der` in words; one that cannot be read has its fingerprint all the same.
pub(super) fn certificate(der: &[u8], verdict: Verdict) -> PeerCertificate {
    let fingerprint = fingerprint(der);
    let unreadable = || Box::<str>::from("unreadable");
    let Ok((_, read)) = x509_parser::parse_x509_certificate(der) else {
        let (subject, issuer, expires) = (unreadable(), unreadable(), unreadable());
        return PeerCertificate { subject, names: Vec::new(), more_names: 0, issuer, expires, fingerprint, verdict };
    };
    let all = names(&read);
    let more_names = all.len().saturating_sub(NAMES);
    let expires = jiff::Timestamp::from_second(read.validity().not_after.timestamp());
    PeerCertificate {
        subject: plain(&read.subject().to_string()).into(),
        names: all.into_iter().take(NAMES).collect(),
        more_names,
        issuer: plain(&read.issuer().to_string()).into(),
        expires: expires.map_or_else(|_| unreadable(), |at| at.strftime("%Y-%m-%d").to_string().into()),
        fingerprint,
        verdict,
    }
}

/// RFC 5280 section 4.2.1.6: the DNS names and addresses; others name no server.
fn names(certificate: &X509Certificate<'_>) -> Vec<Box<str>> {
    let Ok(Some(extension)) = certificate.subject_alternative_name() else { return Vec::new() };
    let name = |name: &GeneralName<'_>| match name {
        GeneralName::DNSName(name) => Some(plain(name).into()),
        GeneralName::IPAddress(bytes) => match **bytes {
            [a, b, c, d] => Some(std::net::Ipv4Addr::new(a, b, c, d).to_string().into()),
            _ => <[u8; 16]>::try_from(*bytes).ok().map(|bytes| std::net::Ipv6Addr::from(bytes).to_string().into()),
        },
        _ => None,
    };
    extension.value.general_names.iter().filter_map(name).collect()
}

/// A TLS session on one line: version, what was not checked, and the certificate's subject, issuer and last day.
pub(super) fn session(info: &reqwest::tls::TlsInfo, certificate: Option<&PeerCertificate>) -> Box<str> {
    let version = match info.version() {
        Some(version) if version == reqwest::tls::Version::TLS_1_3 => "TLS 1.3",
        Some(version) if version == reqwest::tls::Version::TLS_1_2 => "TLS 1.2",
        _ => "TLS",
    };
    let Some(PeerCertificate { subject, issuer, expires, verdict, .. }) = certificate else { return version.into() };
    let checks = match verdict {
        Verdict::Unchecked { chain: true, name: true } => ", chain and name NOT checked",
        Verdict::Unchecked { chain: true, .. } => ", chain NOT checked",
        Verdict::Unchecked { .. } => ", name NOT checked",
        Verdict::Pinned => ", pinned",
        Verdict::Trusted | Verdict::Refused { .. } => "",
    };
    format!("{version}{checks}, {subject}, issued by {issuer}, expires {expires}").into()
}
