//! Failures of connections in words: what happened, where, and the one thing to try next.
//!
//! Owns: reading the error chains of the HTTP and TLS libraries. Must not decide what is done about a failure.

use std::{error::Error, io, net::SocketAddr, time::Duration};

use rustls::{AlertDescription, CertificateError, OtherError};

use super::trust::{Refused, Why, refused};
use crate::op::{ErrorKind, OpError, Phase};

/// The most characters of foreign text an error quotes.
const QUOTED: usize = 300;

/// `text` without control and bidirectional characters, cut to a length that fits a screen.
pub(super) fn plain(text: &str) -> String {
    let unsafe_on_screen = |c: &char| {
        c.is_control() || matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    text.chars().filter(|c| !unsafe_on_screen(c)).take(QUOTED).collect()
}

/// What an attempt is aimed at, for its errors.
#[derive(Clone, Debug)]
pub(super) struct Place {
    /// `host:port` as the user wrote it.
    pub server: String,
    /// The address tried, if one was.
    pub peer: Option<SocketAddr>,
    /// The proxy before it, `host:port`.
    pub proxy: Option<String>,
    /// TLS is spoken.
    pub tls: bool,
    /// The request in flight changes something on the server.
    pub is_write: bool,
}

impl Place {
    /// The server, and the address where it is not the same.
    pub(super) fn target(&self) -> String {
        let hop = self.proxy.as_ref().unwrap_or(&self.server);
        let hop = match self.peer {
            Some(peer) if peer.to_string() != *hop => format!("{hop} ({peer})"),
            _ => hop.clone(),
        };
        if self.proxy.is_some() { format!("{} through the proxy {hop}", self.server) } else { hop }
    }

    /// The proxy asks for credentials, or does not take those it got.
    pub(super) fn proxy_wants_credentials(&self, phase: Phase) -> OpError {
        let cause = "the proxy wants to know who asks, or refuses who does";
        let hint = "give the session's proxy a user and a secret: proxy = { url, user, secret }";
        self.error(phase, ErrorKind::Http(407), cause, hint)
    }

    /// The refusal to send the proxy's credentials in the clear.
    pub(super) fn shows_proxy_secret(&self) -> OpError {
        let cause = "Basic over plain http would show the proxy's password to the network";
        let hint = "allow it: proxy = { url, user, secret, allow_clear_text = true } in the session";
        self.error(Phase::Connect, ErrorKind::ClearTextRefused, cause, hint)
    }

    /// The proxy did not make the tunnel (RFC 9110 section 9.3.6).
    fn no_tunnel(&self, said: String) -> OpError {
        if said.contains("authorization required") {
            return self.proxy_wants_credentials(Phase::Connect);
        }
        let cause = "the proxy does not connect to the server";
        let hint = "check that the proxy allows CONNECT to this host and port";
        self.error(Phase::Connect, ErrorKind::ConnectFailed, cause, hint).because(said)
    }

    pub(super) fn error(&self, phase: Phase, kind: ErrorKind, cause: impl Into<String>, hint: &str) -> OpError {
        OpError::new(phase, self.target(), kind, cause, hint)
    }

    /// The name has no address.
    pub(super) fn unresolved(&self, error: Option<&io::Error>) -> OpError {
        let hint = "check the name for typing errors, and that this computer's DNS knows it";
        let unknown = self.error(Phase::Resolve, ErrorKind::UnknownHost, "the host name has no address", hint);
        match error {
            Some(error) => unknown.because(plain(&error.to_string())),
            None => unknown,
        }
    }

    /// `phase` took longer than `limit`.
    pub(super) fn timed_out(&self, phase: Phase, limit: Duration) -> OpError {
        let (what, hint) = match phase {
            Phase::Resolve => {
                ("no answer from DNS", "check this computer's DNS, use an address, or raise timeouts.connect")
            }
            Phase::Connect => (
                "no answer to the TCP connect",
                "check address, port and firewalls, or raise timeouts.connect (--connect-timeout)",
            ),
            Phase::Tls => (
                "the TLS handshake did not end",
                "check that the port speaks TLS, or raise timeouts.connect (--connect-timeout)",
            ),
            Phase::Send => ("the server stopped taking the request", "try again, or raise timeouts.idle"),
            Phase::Receive => ("the answer stopped arriving", "try again, or raise timeouts.idle"),
            _ => ("no answer", "the server may be busy: try again, or raise timeouts.first_byte"),
        };
        self.error(phase, ErrorKind::TimedOut, format!("{what} within {}", seconds(limit)), hint)
    }

    /// The header block of an answer is larger than `bytes` or has more than `fields`.
    pub(super) fn header_block(&self, limit: &'static str, cause: String) -> OpError {
        let hint = if limit == "header_fields" {
            "is this a CIM server? If so, raise limits.header_fields"
        } else {
            "is this a CIM server? If so, raise limits.header_bytes"
        };
        self.error(Phase::Wait, ErrorKind::Limit(limit), cause, hint)
    }

    /// The server closed the connection without a byte of answer.
    pub(super) fn silent(&self, phase: Phase) -> OpError {
        let hint = if self.is_write {
            "it may have been carried out: look before you try again"
        } else {
            "look at the server's log: its handler may have died; then try again"
        };
        self.error(phase, ErrorKind::ConnectionLost, "the server closed the connection without answering", hint)
    }

    /// What `error`, which ended `phase`, means.
    pub(super) fn explain(&self, phase: Phase, error: &reqwest::Error) -> OpError {
        if let Some(error) = find::<rustls::Error>(error) {
            return self.tls(phase, error);
        }
        match phase {
            Phase::Connect => return self.unconnected(find::<io::Error>(error), error),
            Phase::Tls => {
                let hint = "check that the port speaks TLS; for clear text use http";
                let cause = "the server closed the connection during the TLS handshake";
                return self.error(phase, ErrorKind::Tls, cause, hint).because(innermost(error));
            }
            _ => {}
        }
        if let Some(http) = find::<hyper::Error>(error) {
            if http.is_parse_too_large() {
                let cause = "the header block of the answer is larger than lazycim takes";
                let mut error = self.header_block("header_bytes", cause.to_owned());
                error.hint.push_str(" and limits.header_fields");
                return error;
            }
            if http.is_parse() {
                return self.not_http(phase, innermost(error));
            }
        }
        if phase == Phase::Receive { self.cut_short(error) } else { self.lost(phase, error) }
    }

    fn lost(&self, phase: Phase, error: &reqwest::Error) -> OpError {
        let reset = find::<io::Error>(error).is_some_and(|error| error.kind() == io::ErrorKind::ConnectionReset);
        let mut lost = self.silent(phase);
        if reset {
            lost.causes.push("the connection was reset".to_owned());
            // With TLS 1.3 a server refuses a client after its own handshake is over, and the reset may overtake its alert.
            if self.tls {
                lost.hint = format!("{}; it may want a client certificate (--client-cert FILE)", lost.hint);
            }
        }
        if !self.tls && !self.is_write {
            lost.hint = format!("{}; if the port speaks TLS, use https", lost.hint);
        }
        lost
    }

    fn cut_short(&self, error: &reqwest::Error) -> OpError {
        if let Some(broken) = find::<io::Error>(error)
            && matches!(broken.kind(), io::ErrorKind::InvalidInput | io::ErrorKind::InvalidData)
        {
            return self.not_http(Phase::Receive, plain(&broken.to_string()));
        }
        let hint = "what arrived before is kept: try again, and look at the server's log if it happens again";
        let cause = "the connection ended before the answer was complete";
        self.error(Phase::Receive, ErrorKind::ConnectionLost, cause, hint).because(innermost(error))
    }

    fn not_http(&self, phase: Phase, cause: String) -> OpError {
        let hint = if self.tls {
            "check that this is the port of a CIM server"
        } else {
            "check that this is the port of a CIM server; if it speaks TLS, use https"
        };
        self.error(phase, ErrorKind::BadHttp, "the answer is not HTTP", hint).because(cause)
    }

    fn unconnected(&self, found: Option<&io::Error>, error: &reqwest::Error) -> OpError {
        let Some(found) = found else {
            if self.proxy.is_some() {
                return self.no_tunnel(innermost(error));
            }
            let hint = "check address and port, then try again";
            return self.error(Phase::Connect, ErrorKind::ConnectFailed, innermost(error), hint);
        };
        let (kind, cause, hint) = match found.kind() {
            io::ErrorKind::ConnectionRefused => (
                ErrorKind::ConnectionRefused,
                "connection refused: nobody listens there",
                if self.proxy.is_some() {
                    "check the proxy's host and port, and that it runs"
                } else {
                    "check the port, and that the CIM server runs"
                },
            ),
            io::ErrorKind::HostUnreachable | io::ErrorKind::NetworkUnreachable => (
                ErrorKind::ConnectFailed,
                "there is no way to that address",
                "check the network, a VPN perhaps, and the address",
            ),
            io::ErrorKind::PermissionDenied => (
                ErrorKind::ConnectFailed,
                "this computer does not allow the connection",
                "check this computer's firewall",
            ),
            io::ErrorKind::TimedOut => (
                ErrorKind::ConnectFailed,
                "the operating system gave up connecting",
                "check address, port and firewalls",
            ),
            _ => {
                (ErrorKind::ConnectFailed, "the connection could not be made", "check address and port, then try again")
            }
        };
        self.error(Phase::Connect, kind, cause, hint).because(plain(&found.to_string()))
    }

    /// The server's certificate was refused: which one it was is what decides what to do.
    fn refused(&self, phase: Phase, refused: &Refused) -> OpError {
        use CertificateError::{NotValidForName, NotValidForNameContext};
        let shown = &refused.certificate;
        match &refused.why {
            Why::Invalid(error) => {
                let (cause, hint) = match certificate_fault(error) {
                    (cause, _)
                        if matches!(error, NotValidForName | NotValidForNameContext { .. })
                            && shown.names.is_empty() =>
                    {
                        (cause, "it has no name at all: skip the name check (--skip-name), or pin it: --pin SHA256")
                    }
                    fault => fault,
                };
                let detail = match error {
                    CertificateError::Other(OtherError(inner)) => inner.to_string(),
                    error => error.to_string(),
                };
                let shown = format!("{}, issued by {}, SHA-256 {}", shown.subject, shown.issuer, shown.fingerprint);
                self.error(phase, ErrorKind::Tls, cause, hint).because(plain(&detail)).because(shown)
            }
            Why::OtherPin(pinned) => {
                let cause = "the server's certificate is not the one the session is pinned to";
                let hint =
                    "find out why it changed; if the new one is right, replace pin in the session (--pin SHA256)";
                self.error(phase, ErrorKind::Tls, cause, hint)
                    .because(format!("pinned {pinned}"))
                    .because(format!("shown {}", shown.fingerprint))
            }
        }
    }

    fn tls(&self, phase: Phase, error: &rustls::Error) -> OpError {
        if let Some(refused) = refused(error) {
            return self.refused(phase, refused);
        }
        let (cause, hint) = match error {
            rustls::Error::InvalidCertificate(certificate) => certificate_fault(certificate),
            rustls::Error::InvalidMessage(_) => (
                "the server does not speak TLS on this port",
                "check the port (5989 is usual), or use http for clear text",
            ),
            rustls::Error::PeerIncompatible(_) => (
                "the server and lazycim have no TLS version and cipher suite in common",
                "let the server offer TLS 1.2 or 1.3 (the session's min_version) with ECDHE and AES-GCM or ChaCha20",
            ),
            rustls::Error::AlertReceived(alert) => alert_fault(*alert),
            _ => ("the TLS handshake failed", "look at the server's TLS settings and log"),
        };
        self.error(phase, ErrorKind::Tls, cause, hint).because(plain(&error.to_string()))
    }
}

/// What the server's alert (RFC 8446 section 6.2) means.
const fn alert_fault(alert: AlertDescription) -> (&'static str, &'static str) {
    use AlertDescription as Alert;
    match alert {
        Alert::CertificateRequired | Alert::NoCertificate => (
            "the server wants a client certificate",
            "name one with client_cert and client_key (--client-cert FILE --client-key FILE)",
        ),
        Alert::BadCertificate
        | Alert::UnsupportedCertificate
        | Alert::CertificateRevoked
        | Alert::CertificateExpired
        | Alert::CertificateUnknown
        | Alert::UnknownCA
        | Alert::AccessDenied => (
            "the server refused the client certificate",
            "name a certificate whose authority the server trusts as client_cert (--client-cert FILE)",
        ),
        Alert::ProtocolVersion => (
            "the server does not speak a TLS version this session allows",
            "let the server offer it, or lower min_version (--tls-min-version 1.2)",
        ),
        _ => ("the server refused the TLS handshake", "look at the server's log; it may want a client certificate"),
    }
}

/// Why a certificate is not acceptable, and what to do about it.
pub(super) fn certificate_fault(error: &CertificateError) -> (&'static str, &'static str) {
    match error {
        // A stranger's authority with the name of one that is trusted shows as a bad signature.
        CertificateError::UnknownIssuer | CertificateError::BadSignature => (
            "the certificate is signed by an authority this session does not trust",
            "name its authority's certificate as ca_file (--ca-file PATH), or pin it if it is the server's: --pin SHA256",
        ),
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => (
            "the certificate is for another name",
            "connect by a name the certificate has, or give that as server_name (--tls-server-name NAME)",
        ),
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
            ("the certificate has expired", "renew it and check this computer's clock, or pin it: --pin SHA256")
        }
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            ("the certificate is not valid yet", "check the clocks of this computer and of the server")
        }
        CertificateError::Revoked => ("the certificate was revoked", "renew the server's certificate"),
        _ => ("the certificate is not acceptable", "look at it with -v, or pin it if it is the server's: --pin SHA256"),
    }
}

/// A duration as people write time-outs.
fn seconds(limit: Duration) -> String {
    if limit.subsec_millis() == 0 { format!("{} s", limit.as_secs()) } else { format!("{} ms", limit.as_millis()) }
}

/// The first error of type `T` in the chain, looking into `io::Error`s, which hide what they wrap from the chain.
pub(super) fn find<'a, T: Error + 'static>(error: &'a (dyn Error + 'static)) -> Option<&'a T> {
    let mut next = Some(error);
    // A chain is as long as the libraries' layers; the bound only guards against a cycle.
    for _ in 0..32 {
        let error = next?;
        if let Some(found) = error.downcast_ref::<T>() {
            return Some(found);
        }
        if let Some(inner) = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
            let inner: &(dyn Error + 'static) = inner;
            if let Some(found) = find::<T>(inner) {
                return Some(found);
            }
        }
        next = error.source();
    }
    None
}

/// The innermost error of a chain, in plain text. The outer ones only repeat what our own words say.
fn innermost(error: &(dyn Error + 'static)) -> String {
    let mut error = error;
    for _ in 0..32 {
        match error.source() {
            Some(source) => error = source,
            None => break,
        }
    }
    plain(&error.to_string())
}
