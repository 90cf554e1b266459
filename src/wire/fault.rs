//! Failures of connections explained: what happened, where, and the row of [`crate::op::explain`] that has the words.
//!
//! Owns: reading the error chains of the HTTP and TLS libraries. Must not decide what is done about a failure.

use std::{error::Error, io, net::SocketAddr, time::Duration};

use rustls::{AlertDescription, CertificateError, OtherError};

use super::trust::{Refused, Why, refused};
use crate::op::{
    ErrorKind, OpError, Phase,
    explain::{
        Explanation, answer,
        connection::{connect, proxy, resolve},
        exchange::{self, receive, send, wait},
        tls::{alert, certificate, handshake},
    },
};

/// The most characters of foreign text an error quotes.
const QUOTED: usize = 300;

/// `text` on one line, cut to a length that fits a screen.
pub(super) fn plain(text: &str) -> String {
    crate::op::plain(text, QUOTED)
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
        self.error(phase, ErrorKind::Http(407), &proxy::WANTS_CREDENTIALS)
    }

    /// The refusal to send the proxy's credentials in the clear.
    pub(super) fn shows_proxy_secret(&self) -> OpError {
        self.error(Phase::Connect, ErrorKind::ClearTextRefused, &proxy::SHOWS_SECRET)
    }

    /// The proxy did not make the tunnel (RFC 9110 section 9.3.6).
    fn no_tunnel(&self, said: String) -> OpError {
        if said.contains("authorization required") {
            return self.proxy_wants_credentials(Phase::Connect);
        }
        self.error(Phase::Connect, ErrorKind::ConnectFailed, &proxy::NO_TUNNEL).because(said)
    }

    pub(super) fn error(&self, phase: Phase, kind: ErrorKind, row: &Explanation) -> OpError {
        row.error(phase, self.target(), kind)
    }

    /// The name has no address.
    pub(super) fn unresolved(&self, error: Option<&io::Error>) -> OpError {
        let unknown = self.error(Phase::Resolve, ErrorKind::UnknownHost, &resolve::UNKNOWN_HOST);
        match error {
            Some(error) => unknown.because(plain(&error.to_string())),
            None => unknown,
        }
    }

    /// `phase` took longer than `limit`.
    pub(super) fn timed_out(&self, phase: Phase, limit: Duration) -> OpError {
        let row = match phase {
            Phase::Resolve => resolve::TIMED_OUT,
            Phase::Connect => connect::TIMED_OUT,
            Phase::Tls => handshake::TIMED_OUT,
            Phase::Send => send::TIMED_OUT,
            Phase::Receive => receive::TIMED_OUT,
            _ => wait::TIMED_OUT,
        };
        row.with(phase, self.target(), ErrorKind::TimedOut, &[("limit", &seconds(limit))])
    }

    /// The header block of an answer is larger than `header_bytes` or has more than `header_fields`: `limit` says which.
    pub(super) fn header_block(&self, limit: &'static str, cause: String) -> OpError {
        let mut error =
            answer::limit(limit).with(Phase::Wait, self.target(), ErrorKind::Limit(limit), &[("key", limit)]);
        if let Some(first) = error.causes.first_mut() {
            *first = cause;
        }
        error
    }

    /// The server closed the connection without a byte of answer.
    pub(super) fn silent(&self, phase: Phase) -> OpError {
        let row = if self.is_write { wait::SILENT_WRITE } else { wait::SILENT };
        self.error(phase, ErrorKind::ConnectionLost, &row)
    }

    /// What `error`, which ended `phase`, means.
    pub(super) fn explain(&self, phase: Phase, error: &reqwest::Error) -> OpError {
        if let Some(error) = find::<rustls::Error>(error) {
            return match refused(error) {
                Some(refused) => self.refused(phase, refused),
                None => self.error(phase, ErrorKind::Tls, &tls(error)).because(plain(&error.to_string())),
            };
        }
        match phase {
            Phase::Connect => return self.unconnected(find::<io::Error>(error), error),
            Phase::Tls => return self.error(phase, ErrorKind::Tls, &handshake::CLOSED).because(innermost(error)),
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
                lost.hint.push_str(exchange::MAYBE_CLIENT_CERTIFICATE);
            }
        }
        if !self.tls && !self.is_write {
            lost.hint.push_str(exchange::MAYBE_TLS);
        }
        lost
    }

    fn cut_short(&self, error: &reqwest::Error) -> OpError {
        if let Some(broken) = find::<io::Error>(error)
            && matches!(broken.kind(), io::ErrorKind::InvalidInput | io::ErrorKind::InvalidData)
        {
            return self.not_http(Phase::Receive, plain(&broken.to_string()));
        }
        self.error(Phase::Receive, ErrorKind::ConnectionLost, &receive::CUT_SHORT).because(innermost(error))
    }

    fn not_http(&self, phase: Phase, cause: String) -> OpError {
        let mut error = self.error(phase, ErrorKind::BadHttp, &wait::NOT_HTTP).because(cause);
        if !self.tls {
            error.hint.push_str(exchange::MAYBE_TLS);
        }
        error
    }

    fn unconnected(&self, found: Option<&io::Error>, error: &reqwest::Error) -> OpError {
        let Some(found) = found else {
            if self.proxy.is_some() {
                return self.no_tunnel(innermost(error));
            }
            let failed = self.error(Phase::Connect, ErrorKind::ConnectFailed, &connect::FAILED);
            return failed.because(innermost(error));
        };
        let (kind, row) = match refusal(found) {
            (ErrorKind::ConnectionRefused, _) if self.proxy.is_some() => (ErrorKind::ConnectionRefused, proxy::REFUSED),
            found => found,
        };
        self.error(Phase::Connect, kind, &row).because(plain(&found.to_string()))
    }

    /// The server's certificate was refused: which one it was is what decides what to do.
    fn refused(&self, phase: Phase, refused: &Refused) -> OpError {
        use CertificateError::{NotValidForName, NotValidForNameContext};
        let shown = &refused.certificate;
        match &refused.why {
            Why::Invalid(error) => {
                let row = match error {
                    NotValidForName | NotValidForNameContext { .. } if shown.names.is_empty() => certificate::NO_NAME,
                    error => certificate_fault(error),
                };
                let detail = match error {
                    CertificateError::Other(OtherError(inner)) => inner.to_string(),
                    error => error.to_string(),
                };
                let shown = format!("{}, issued by {}, SHA-256 {}", shown.subject, shown.issuer, shown.fingerprint);
                self.error(phase, ErrorKind::Tls, &row).because(plain(&detail)).because(shown)
            }
            Why::OtherPin(pinned) => self
                .error(phase, ErrorKind::Tls, &certificate::OTHER_PIN)
                .because(format!("pinned {pinned}"))
                .because(format!("shown {}", shown.fingerprint)),
        }
    }
}

/// The kind and the row of a TCP connect that failed.
fn refusal(error: &io::Error) -> (ErrorKind, Explanation) {
    match error.kind() {
        io::ErrorKind::ConnectionRefused => (ErrorKind::ConnectionRefused, connect::REFUSED),
        io::ErrorKind::HostUnreachable | io::ErrorKind::NetworkUnreachable | io::ErrorKind::NetworkDown => {
            (ErrorKind::ConnectFailed, connect::UNREACHABLE)
        }
        io::ErrorKind::ConnectionReset | io::ErrorKind::ConnectionAborted => (ErrorKind::ConnectFailed, connect::RESET),
        io::ErrorKind::PermissionDenied => (ErrorKind::ConnectFailed, connect::NOT_ALLOWED),
        io::ErrorKind::AddrNotAvailable => (ErrorKind::ConnectFailed, connect::NO_ADDRESS_HERE),
        io::ErrorKind::TimedOut => (ErrorKind::ConnectFailed, connect::SYSTEM_TIMED_OUT),
        _ if error.raw_os_error().is_some_and(|code| NO_FILES.contains(&code)) => {
            (ErrorKind::Internal, connect::NO_SOCKET)
        }
        _ => (ErrorKind::ConnectFailed, connect::FAILED),
    }
}

/// `ENFILE` and `EMFILE` on Unix, `WSAEMFILE` on Windows.
#[cfg(unix)]
const NO_FILES: [i32; 2] = [23, 24];
#[cfg(not(unix))]
const NO_FILES: [i32; 1] = [10_024];

/// The row of a failed handshake.
fn tls(error: &rustls::Error) -> Explanation {
    match error {
        rustls::Error::InvalidCertificate(fault) => certificate_fault(fault),
        rustls::Error::AlertReceived(alert) => alerted(*alert),
        rustls::Error::InvalidMessage(_) => handshake::NOT_TLS,
        rustls::Error::PeerIncompatible(_) => handshake::NOTHING_IN_COMMON,
        rustls::Error::NoCertificatesPresented => handshake::NO_CERTIFICATE,
        rustls::Error::PeerMisbehaved(_)
        | rustls::Error::InappropriateMessage { .. }
        | rustls::Error::InappropriateHandshakeMessage { .. }
        | rustls::Error::PeerSentOversizedRecord
        | rustls::Error::DecryptError => handshake::MISBEHAVED,
        _ => handshake::FAILED,
    }
}

/// The row of a certificate that is not accepted.
pub(super) fn certificate_fault(fault: &CertificateError) -> Explanation {
    use CertificateError as Fault;
    match fault {
        // A stranger's authority with the name of one that is trusted shows as a bad signature.
        Fault::UnknownIssuer | Fault::BadSignature => certificate::UNKNOWN_ISSUER,
        Fault::NotValidForName | Fault::NotValidForNameContext { .. } => certificate::OTHER_NAME,
        Fault::Expired | Fault::ExpiredContext { .. } => certificate::EXPIRED,
        Fault::NotValidYet | Fault::NotValidYetContext { .. } => certificate::NOT_YET_VALID,
        Fault::Revoked => certificate::REVOKED,
        Fault::UnknownRevocationStatus
        | Fault::ExpiredRevocationList
        | Fault::ExpiredRevocationListContext { .. }
        | Fault::InvalidOcspResponse => certificate::REVOCATION_UNKNOWN,
        Fault::InvalidPurpose | Fault::InvalidPurposeContext { .. } => certificate::OTHER_PURPOSE,
        Fault::BadEncoding => certificate::BAD_ENCODING,
        Fault::UnsupportedSignatureAlgorithmContext { .. }
        | Fault::UnsupportedSignatureAlgorithmForPublicKeyContext { .. } => certificate::WEAK,
        Fault::UnhandledCriticalExtension => certificate::UNKNOWN_EXTENSION,
        _ => certificate::UNACCEPTABLE,
    }
}

/// The row of an alert (RFC 8446 section 6).
fn alerted(alert: AlertDescription) -> Explanation {
    use AlertDescription as Alert;
    match alert {
        Alert::CertificateRequired | Alert::NoCertificate => alert::CLIENT_CERTIFICATE,
        Alert::BadCertificate
        | Alert::UnsupportedCertificate
        | Alert::CertificateRevoked
        | Alert::CertificateExpired
        | Alert::CertificateUnknown
        | Alert::UnknownCA => alert::CLIENT_CERTIFICATE_REFUSED,
        Alert::ProtocolVersion | Alert::InappropriateFallback => alert::PROTOCOL_VERSION,
        Alert::HandshakeFailure | Alert::InsufficientSecurity => alert::HANDSHAKE_FAILURE,
        Alert::UnrecognisedName => alert::UNKNOWN_NAME,
        Alert::AccessDenied => alert::DENIED,
        Alert::InternalError => alert::SERVER_FAILED,
        _ => alert::OTHER,
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

#[cfg(test)]
mod tests {
    use super::*;

    fn place() -> Place {
        Place { server: "web01:5989".to_owned(), proxy: None, peer: None, tls: true, is_write: false }
    }

    #[test]
    fn every_certificate_fault_and_alert_has_its_row() {
        let fault = |fault| tls(&rustls::Error::InvalidCertificate(fault));
        for (found, row) in [
            (fault(CertificateError::UnknownIssuer), certificate::UNKNOWN_ISSUER),
            (fault(CertificateError::BadSignature), certificate::UNKNOWN_ISSUER),
            (fault(CertificateError::NotValidForName), certificate::OTHER_NAME),
            (fault(CertificateError::Expired), certificate::EXPIRED),
            (fault(CertificateError::NotValidYet), certificate::NOT_YET_VALID),
            (fault(CertificateError::Revoked), certificate::REVOKED),
            (fault(CertificateError::ExpiredRevocationList), certificate::REVOCATION_UNKNOWN),
            (fault(CertificateError::InvalidPurpose), certificate::OTHER_PURPOSE),
            (fault(CertificateError::BadEncoding), certificate::BAD_ENCODING),
            (fault(CertificateError::UnhandledCriticalExtension), certificate::UNKNOWN_EXTENSION),
            (fault(CertificateError::ApplicationVerificationFailure), certificate::UNACCEPTABLE),
            (tls(&rustls::Error::AlertReceived(AlertDescription::CertificateRequired)), alert::CLIENT_CERTIFICATE),
            (tls(&rustls::Error::AlertReceived(AlertDescription::UnknownCA)), alert::CLIENT_CERTIFICATE_REFUSED),
            (tls(&rustls::Error::AlertReceived(AlertDescription::ProtocolVersion)), alert::PROTOCOL_VERSION),
            (tls(&rustls::Error::AlertReceived(AlertDescription::HandshakeFailure)), alert::HANDSHAKE_FAILURE),
            (tls(&rustls::Error::AlertReceived(AlertDescription::UnrecognisedName)), alert::UNKNOWN_NAME),
            (tls(&rustls::Error::AlertReceived(AlertDescription::AccessDenied)), alert::DENIED),
            (tls(&rustls::Error::AlertReceived(AlertDescription::InternalError)), alert::SERVER_FAILED),
            (tls(&rustls::Error::AlertReceived(AlertDescription::UserCanceled)), alert::OTHER),
            (tls(&rustls::Error::NoCertificatesPresented), handshake::NO_CERTIFICATE),
            (tls(&rustls::Error::PeerSentOversizedRecord), handshake::MISBEHAVED),
            (tls(&rustls::Error::FailedToGetCurrentTime), handshake::FAILED),
        ] {
            assert_eq!(found, row);
        }
    }

    #[test]
    fn every_way_a_connect_fails_has_its_row() {
        for (kind, row) in [
            (io::ErrorKind::ConnectionRefused, connect::REFUSED),
            (io::ErrorKind::HostUnreachable, connect::UNREACHABLE),
            (io::ErrorKind::NetworkUnreachable, connect::UNREACHABLE),
            (io::ErrorKind::ConnectionReset, connect::RESET),
            (io::ErrorKind::PermissionDenied, connect::NOT_ALLOWED),
            (io::ErrorKind::AddrNotAvailable, connect::NO_ADDRESS_HERE),
            (io::ErrorKind::TimedOut, connect::SYSTEM_TIMED_OUT),
            (io::ErrorKind::Other, connect::FAILED),
        ] {
            assert_eq!(refusal(&io::Error::from(kind)).1, row, "{kind:?}");
        }
        let full = NO_FILES.map(io::Error::from_raw_os_error);
        assert!(full.iter().all(|error| refusal(error) == (ErrorKind::Internal, connect::NO_SOCKET)));
    }

    #[test]
    fn every_phase_that_times_out_names_its_own_limit() {
        let half = Duration::from_millis(500);
        for (phase, seen, key) in [
            (Phase::Resolve, "no answer from DNS within 500 ms", "timeouts.connect"),
            (Phase::Connect, "no answer to the TCP connect within 500 ms", "timeouts.connect"),
            (Phase::Tls, "the TLS handshake did not end within 500 ms", "timeouts.connect"),
            (Phase::Send, "the server stopped taking the request within 500 ms", "timeouts.idle"),
            (Phase::Wait, "no answer within 500 ms", "timeouts.first_byte"),
            (Phase::Receive, "the answer stopped arriving within 500 ms", "timeouts.idle"),
        ] {
            let error = place().timed_out(phase, half);
            assert_eq!((error.phase, error.causes.first().map(String::as_str)), (phase, Some(seen)));
            assert!(error.hint.contains(key), "{}", error.hint);
        }
    }
}
