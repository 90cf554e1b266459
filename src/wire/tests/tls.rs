//! TLS: who is trusted, what is told, and each way it fails.

use std::{io::Write as _, path::Path, sync::Arc};

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

use super::support::*;
use crate::{
    op::{ErrorKind, OpError, Phase},
    wire::{TlsRules, Trust},
};

pub struct Authority {
    pub issuer: Issuer<'static, KeyPair>,
    pub pem: String,
}

pub fn authority() -> Authority {
    authority_named("Lab authority")
}

pub fn authority_named(name: &str) -> Authority {
    let mut params = CertificateParams::new(vec![]).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.distinguished_name.push(DnType::CommonName, name);
    let key = KeyPair::generate().unwrap();
    let pem = params.self_signed(&key).unwrap().pem();
    Authority { issuer: Issuer::new(params, key), pem }
}

impl Authority {
    pub fn serves(&self, name: &str, change: impl FnOnce(&mut CertificateParams)) -> Arc<rustls::ServerConfig> {
        let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        params.distinguished_name.push(DnType::CommonName, "cim server");
        change(&mut params);
        let key = KeyPair::generate().unwrap();
        let certificate: CertificateDer<'static> = params.signed_by(&key, &self.issuer).unwrap().der().clone();
        let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = rustls::ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
        let mut config = config.unwrap().with_no_client_auth().with_single_cert(vec![certificate], key).unwrap();
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Arc::new(config)
    }

    pub(super) fn trusted(&self) -> Arc<Trust> {
        Arc::new(trust(self.pem.as_bytes()).unwrap())
    }
}

fn trust(pem: &[u8]) -> Result<Trust, OpError> {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(pem).unwrap();
    Trust::new(&trusting(file.path()))
}

fn trusting(path: &Path) -> TlsRules {
    TlsRules { authorities: Some(path.to_owned()), ..TlsRules::default() }
}

#[tokio::test]
async fn every_phase_in_order() {
    let authority = authority();
    let script = vec![Do::Read, ok("x"), Do::Hold];
    let mut server = Server::start_tls(authority.serves("127.0.0.1", |_| ()), vec![script]).await;
    let told = Told::new();
    let mut exchange = dial(tls_settings(&server, "127.0.0.1", authority.trusted(), &told));
    assert_eq!(ask(&mut exchange, post("x")).await.unwrap(), (200, "x".to_owned()));
    assert_eq!(
        told.script(),
        [
            "1 +connect",
            "1 -connect",
            "1 opened",
            "1 +tls",
            "1 -tls",
            "1 +send",
            "1 -send",
            "1 +wait",
            "1 -wait",
            "1 +receive",
            "1 -receive"
        ]
    );
    let detail = told.detail("tls").unwrap();
    assert!(detail.starts_with("TLS 1.3, ") && detail.contains("CN=cim server"), "{detail}");
    assert!(
        detail.contains("issued by") && detail.contains("CN=Lab authority") && detail.contains("expires 4096-01-01"),
        "{detail}"
    );
    drop(exchange);
    assert_eq!(server.eof().await, 0);
    assert_eq!(told.script().last().unwrap(), "1 closed Us");
}

#[tokio::test]
async fn a_session_is_resumed_and_its_certificate_is_still_told() {
    let authority = authority();
    let script = vec![Do::Read, ok("x"), Do::Hold];
    let server = Server::start_tls(authority.serves("localhost", |_| ()), vec![script.clone(), script]).await;
    let trusted = authority.trusted();
    for _ in 0..2 {
        let told = Told::new();
        let mut settings = tls_settings(&server, "localhost", trusted.clone(), &told);
        settings.resolver = Arc::new(Names::Are(vec![server.address.ip()]));
        ask(&mut dial(settings), post("x")).await.unwrap();
        assert!(told.detail("tls").unwrap().contains("CN=cim server"));
    }
}

async fn refused(tls: Arc<rustls::ServerConfig>, trust: Arc<Trust>) -> OpError {
    let server = Server::start_tls(tls, vec![]).await;
    let told = Told::new();
    let error = failure(tls_settings(&server, "127.0.0.1", trust, &told), post("x")).await;
    assert_eq!((error.phase, &error.kind), (Phase::Tls, &ErrorKind::Tls), "{error}");
    assert_eq!(told.script()[3..], ["1 +tls", "1 -tls!Tls", "1 +close", "1 -close", "1 closed Us"]);
    error
}

#[tokio::test]
async fn a_strangers_certificate() {
    for name in ["Another authority", "Lab authority"] {
        let error = refused(authority_named(name).serves("127.0.0.1", |_| ()), authority().trusted()).await;
        assert!(error.cause().contains("does not trust"), "{error}");
        assert!(error.hint.contains("ca_file"), "{}", error.hint);
    }
}

#[tokio::test]
async fn a_certificate_for_another_name() {
    let authority = authority();
    let error = refused(authority.serves("other.example", |_| ()), authority.trusted()).await;
    assert!(error.cause().contains("is for another name"), "{error}");
}

#[tokio::test]
async fn an_expired_certificate() {
    let authority = authority();
    let expired = authority.serves("127.0.0.1", |params| params.not_after = rcgen::date_time_ymd(2001, 1, 1));
    let error = refused(expired, authority.trusted()).await;
    assert!(error.cause().contains("has expired"), "{error}");
}

#[tokio::test]
async fn a_server_without_tls() {
    let bad = write("HTTP/1.1 400 Bad Request\n\n");
    for (script, words) in [(vec![bad, Do::Hold], "does not speak TLS"), (vec![Do::Close], "during the TLS handshake")]
    {
        let server = Server::start(vec![script]).await;
        let settings = tls_settings(&server, "127.0.0.1", authority().trusted(), &Told::new());
        let error = failure(settings, post("x")).await;
        assert_eq!((error.phase, &error.kind), (Phase::Tls, &ErrorKind::Tls), "{error}");
        assert!(error.cause().contains(words), "{error}");
        assert!(error.hint.contains("http"), "{}", error.hint);
    }
}

#[test]
fn unusable_files_are_named() {
    let missing = Path::new("no-such-file.pem");
    let error = Trust::new(&trusting(missing)).unwrap_err();
    assert_eq!((&error.kind, error.target.as_str()), (&ErrorKind::Configuration, "no-such-file.pem"));
    let key = KeyPair::generate().unwrap().serialize_pem();
    for (pem, words) in [
        (b"".as_slice(), "is empty"),
        (b"just text", "no certificate in it"),
        (key.as_bytes(), "no certificate in it"),
        (b"-----BEGIN CERTIFICATE-----\n!!\n-----END CERTIFICATE-----\n", "not PEM"),
        (b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "cannot be trusted"),
    ] {
        let error = trust(pem).unwrap_err();
        assert_eq!(error.kind, ErrorKind::Configuration);
        assert!(error.cause().contains(words), "{error}");
    }
}

#[tokio::test]
async fn the_platform_does_not_know_a_stranger() {
    match Trust::new(&TlsRules::default()) {
        Ok(platform) => {
            let error = refused(authority().serves("127.0.0.1", |_| ()), Arc::new(platform)).await;
            assert!(error.cause().contains("does not trust"), "{error}");
        }
        // A machine without certificates.
        Err(error) => assert!(error.kind == ErrorKind::Configuration && error.hint.contains("ca_file"), "{error:?}"),
    }
}

#[tokio::test]
async fn a_refused_handshake_of_the_server() {
    // No suite in common: the fatal alert handshake_failure (RFC 8446 section 6.2).
    let alert = Do::Write(vec![0x15, 3, 3, 0, 2, 2, 40]);
    let server = Server::start(vec![vec![alert, Do::Hold]]).await;
    let told = Told::new();
    let error = failure(tls_settings(&server, "127.0.0.1", authority().trusted(), &told), post("x")).await;
    assert_eq!((error.phase, &error.kind), (Phase::Tls, &ErrorKind::Tls), "{error}");
    assert!(error.cause().contains("nothing in common"), "{error}");
    assert_eq!(told.script().last().unwrap(), "1 closed Peer");
}
