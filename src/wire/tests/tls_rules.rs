//! TLS as a session rules it: authorities, identity, what is skipped, versions, names and pins; and that a resumed session
//! gets round none of it.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use rcgen::{BasicConstraints, CertificateParams, IsCa, KeyPair};
use rustls::{
    pki_types::{CertificateDer, PrivateKeyDer},
    server::WebPkiClientVerifier,
};

use super::{
    support::*,
    tls::{Authority, authority, authority_named},
};
use crate::{
    op::{ErrorKind, Fingerprint, OpError, OpEventKind, PeerCertificate, Verdict},
    wire::{TlsRules, Trust},
};

fn rules() -> TlsRules {
    TlsRules::default()
}

fn trust(rules: &TlsRules) -> Arc<Trust> {
    Arc::new(Trust::new(rules).unwrap())
}

fn fingerprint(certificate: &CertificateDer<'_>) -> Fingerprint {
    let digest = ring::digest::digest(&ring::digest::SHA256, certificate);
    Fingerprint(digest.as_ref().try_into().unwrap())
}

/// A server's certificate and the configuration that shows it.
struct Shown {
    der: CertificateDer<'static>,
    config: Arc<rustls::ServerConfig>,
}

fn builder(
    only: Option<&'static rustls::SupportedProtocolVersion>,
) -> rustls::ConfigBuilder<rustls::ServerConfig, rustls::WantsVerifier> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = rustls::ServerConfig::builder_with_provider(provider);
    match only {
        Some(only) => builder.with_protocol_versions(&[only]).unwrap(),
        None => builder.with_safe_default_protocol_versions().unwrap(),
    }
}

/// A certificate for `name` that nobody but itself vouches for, as `openssl req -x509` makes it: an authority of its own.
fn self_signed(name: &str, change: impl FnOnce(&mut CertificateParams)) -> Shown {
    let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    change(&mut params);
    let key = KeyPair::generate().unwrap();
    let der = params.self_signed(&key).unwrap().der().clone();
    let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
    let config = builder(None).with_no_client_auth().with_single_cert(vec![der.clone()], key).unwrap();
    Shown { der, config: Arc::new(config) }
}

struct Asked {
    answer: Result<(u16, String), OpError>,
    told: Arc<Told>,
}

impl Asked {
    /// The certificates told.
    fn certificates(&self) -> Vec<Arc<PeerCertificate>> {
        let certificate = |event| match event {
            OpEventKind::Certificate { certificate, .. } => Some(certificate),
            _ => None,
        };
        self.told.events().into_iter().filter_map(certificate).collect()
    }

    #[track_caller]
    fn accepted(self) -> Arc<PeerCertificate> {
        assert_eq!(self.answer.as_ref().unwrap(), &(200, "x".to_owned()));
        let [certificate] = self.certificates().try_into().unwrap();
        certificate
    }

    /// The error, of a certificate that was shown.
    #[track_caller]
    fn refused(self) -> (OpError, Arc<PeerCertificate>) {
        let error = self.answer.as_ref().unwrap_err().clone();
        assert_eq!(error.kind, ErrorKind::Tls, "{error}");
        let [certificate] = self.certificates().try_into().unwrap();
        assert!(matches!(certificate.verdict, Verdict::Refused { .. }), "{certificate:?}");
        (error, certificate)
    }
}

/// One request to a server of this configuration, at 127.0.0.1.
async fn ask_of(config: &Arc<rustls::ServerConfig>, trust: Arc<Trust>) -> Asked {
    let server = Server::start_tls(config.clone(), vec![vec![Do::Read, ok("x"), Do::Hold]]).await;
    ask_at(&server, trust).await
}

async fn ask_at(server: &Server, trust: Arc<Trust>) -> Asked {
    let told = Told::new();
    let mut exchange = dial(tls_settings(server, "127.0.0.1", trust, &told));
    let answer = ask(&mut exchange, post("x")).await;
    drop(exchange);
    Asked { answer, told }
}

fn write(folder: &Path, name: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
    let path = folder.join(name);
    fs::write(&path, bytes).unwrap();
    path
}

fn key_pem() -> String {
    KeyPair::generate().unwrap().serialize_pem()
}

#[tokio::test]
async fn a_folder_of_authorities() {
    let (known, other) = (authority(), authority_named("Other authority"));
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    write(path, "other.pem", &other.pem);
    write(path, "known.CRT", &known.pem);
    write(path, "only-a-key.pem", key_pem());
    write(path, "README.txt", "not a certificate");
    write(path, ".hidden.pem", "not a certificate either");
    write(path, "list.srl", [0, 1, 2]);
    fs::create_dir(path.join("folder.pem")).unwrap();
    #[cfg(unix)]
    std::os::unix::fs::symlink("known.CRT", path.join("0a1b2c3d.0")).unwrap();
    let trusting = TlsRules { authorities: Some(path.to_owned()), ..rules() };
    for authority in [&known, &other] {
        let shown = ask_of(&authority.serves("127.0.0.1", |_| ()), trust(&trusting)).await.accepted();
        assert_eq!((&shown.verdict, &*shown.names), (&Verdict::Trusted, &["127.0.0.1".into()][..]));
    }
    let stranger = authority_named("A stranger").serves("127.0.0.1", |_| ());
    assert!(ask_of(&stranger, trust(&trusting)).await.refused().0.cause().contains("does not trust"));
}

#[test]
fn an_unusable_file_of_a_folder_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let refusal = || Trust::new(&TlsRules { authorities: Some(path.to_owned()), ..rules() }).unwrap_err();
    assert!(refusal().cause().contains("no certificate in the folder"), "{}", refusal());
    write(path, "good.pem", authority().pem);
    let broken = write(path, "broken.pem", "-----BEGIN CERTIFICATE-----\n!!\n-----END CERTIFICATE-----\n");
    let error = refusal();
    assert_eq!((&error.kind, error.target.as_str()), (&ErrorKind::Configuration, broken.to_str().unwrap()));
    assert!(error.cause().contains("ca_file is unusable: not PEM"), "{error}");
    fs::write(&broken, "").unwrap();
    assert!(refusal().cause().contains("is empty"), "{}", refusal());
    fs::remove_file(&broken).unwrap();
    #[cfg(unix)]
    {
        std::os::unix::fs::symlink("nowhere.pem", path.join("dangling.pem")).unwrap();
        assert!(refusal().target.ends_with("dangling.pem"), "{}", refusal());
    }
}

#[tokio::test]
async fn a_certificate_that_vouches_for_itself_is_trusted_where_it_is_named() {
    let shown = self_signed("127.0.0.1", |_| ());
    let folder = tempfile::tempdir().unwrap();
    // DER is read as well.
    let file = write(folder.path(), "server.cer", &shown.der);
    let trusting = TlsRules { authorities: Some(file), ..rules() };
    assert_eq!(ask_of(&shown.config, trust(&trusting)).await.accepted().verdict, Verdict::Trusted);
    // Its name and dates still count.
    for (wrong, words) in [
        (self_signed("other.example", |_| ()), "another name"),
        (self_signed("127.0.0.1", |params| params.not_after = rcgen::date_time_ymd(2001, 1, 1)), "has expired"),
        (self_signed("127.0.0.1", |params| params.not_before = rcgen::date_time_ymd(4000, 1, 1)), "not valid yet"),
    ] {
        let file = write(folder.path(), "server.cer", &wrong.der);
        let (error, _) = ask_of(&wrong.config, trust(&TlsRules { authorities: Some(file), ..rules() })).await.refused();
        assert!(error.cause().contains(words), "{error}");
    }
}

/// A server that wants a certificate, and what the client needs: one of the authority it wants, or of another.
struct Mutual {
    config: Arc<rustls::ServerConfig>,
    folder: tempfile::TempDir,
    rules: TlsRules,
}

fn mutual(only: Option<&'static rustls::SupportedProtocolVersion>, signer: Option<&Authority>) -> Mutual {
    let wanted = authority();
    let mut roots = rustls::RootCertStore::empty();
    roots.add(rustls::pki_types::pem::PemObject::from_pem_slice(wanted.pem.as_bytes()).unwrap()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider).build().unwrap();
    let key = KeyPair::generate().unwrap();
    let der = CertificateParams::new(vec!["127.0.0.1".to_owned()]).unwrap().self_signed(&key).unwrap().der().clone();
    let pin = Some(fingerprint(&der));
    let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
    let config = builder(only).with_client_cert_verifier(verifier).with_single_cert(vec![der], key).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let key = KeyPair::generate().unwrap();
    let certificate =
        CertificateParams::new(vec![]).unwrap().signed_by(&key, &signer.unwrap_or(&wanted).issuer).unwrap();
    write(folder.path(), "client.pem", certificate.pem());
    write(folder.path(), "client.key", key.serialize_pem());
    Mutual { config: Arc::new(config), folder, rules: TlsRules { pin, ..rules() } }
}

#[tokio::test]
async fn a_client_certificate_the_server_wants() {
    for only in [None, Some(&rustls::version::TLS12)] {
        let Mutual { config, folder, rules } = mutual(only, None);
        let file = |name: &str| folder.path().join(name);
        let identity = Some((file("client.pem"), Some(file("client.key"))));
        ask_of(&config, trust(&TlsRules { identity, ..rules.clone() })).await.accepted();
        // Certificate and key in one file.
        let both = [fs::read(file("client.key")).unwrap(), fs::read(file("client.pem")).unwrap()].concat();
        let identity = Some((write(folder.path(), "both.pem", both), None));
        ask_of(&config, trust(&TlsRules { identity, ..rules.clone() })).await.accepted();
        let error = ask_of(&config, trust(&rules)).await.answer.unwrap_err();
        assert_eq!(error.kind, ErrorKind::Tls, "{error}");
        assert!(error.cause().contains("wants a client certificate"), "{only:?} {error}");
        assert!(error.hint.contains("--client-cert"), "{}", error.hint);
    }
}

#[tokio::test]
async fn a_client_certificate_the_server_does_not_trust() {
    let Mutual { config, folder, rules } = mutual(None, Some(&authority_named("A stranger")));
    let identity = Some((folder.path().join("client.pem"), Some(folder.path().join("client.key"))));
    let error = ask_of(&config, trust(&TlsRules { identity, ..rules })).await.answer.unwrap_err();
    assert!(error.cause().contains("refused the client certificate"), "{error}");
    assert!(error.hint.contains("client_cert"), "{}", error.hint);
}

#[test]
fn an_unusable_identity_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str, text: &str| write(folder.path(), name, text);
    let made = rcgen::generate_simple_self_signed(vec!["me".to_owned()]).unwrap();
    let cert = at("cert.pem", &made.cert.pem());
    let encrypted = "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n";
    let older = "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: X,0\n\nAAAA\n-----END RSA PRIVATE KEY-----\n";
    let broken = "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n";
    let cases = [
        (
            cert.clone(),
            at("other.key", &key_pem()),
            "other.key",
            "client_key is unusable: the key does not fit the certificate in",
        ),
        (cert.clone(), at("enc.key", encrypted), "enc.key", "client_key is unusable: the key is encrypted"),
        (cert.clone(), at("old.key", older), "old.key", "client_key is unusable: the key is encrypted"),
        (cert.clone(), at("broken.key", broken), "broken.key", "client_key is unusable: the key cannot be used"),
        (cert.clone(), folder.path().join("none.key"), "none.key", "client_key is unusable: No such file"),
        (cert.clone(), cert.clone(), "cert.pem", "client_key is unusable: there is no private key in it"),
        (folder.path().join("none.pem"), cert.clone(), "none.pem", "client_cert is unusable: No such file"),
        (at("key.pem", &key_pem()), cert, "key.pem", "client_cert is unusable: there is no certificate in it"),
    ];
    for (certificate, key, file, words) in cases {
        let error = Trust::new(&TlsRules { identity: Some((certificate, Some(key))), skip_chain: true, ..rules() });
        let error = error.unwrap_err();
        assert!(error.target.ends_with(file) && error.cause().contains(words), "{error}");
        assert!(error.kind == ErrorKind::Configuration && error.hint.contains("client_"), "{error:?}");
        assert!(!format!("{error:?}").contains("BEGIN"), "{error:?}");
    }
}

#[tokio::test]
async fn without_the_chain_name_and_dates_still_count() {
    let skipping = TlsRules { skip_chain: true, ..rules() };
    let asked = ask_of(&self_signed("127.0.0.1", |_| ()).config, trust(&skipping)).await;
    assert!(asked.told.detail("tls").unwrap().contains("chain NOT checked"));
    assert_eq!(asked.accepted().verdict, Verdict::Unchecked { chain: true, name: false });
    let (error, _) = ask_of(&self_signed("other.example", |_| ()).config, trust(&skipping)).await.refused();
    assert!(error.cause().contains("another name"), "{error}");
    let old = self_signed("127.0.0.1", |params| params.not_after = rcgen::date_time_ymd(2001, 1, 1));
    let (error, _) = ask_of(&old.config, trust(&skipping)).await.refused();
    assert!(error.cause().contains("has expired"), "{error}");
    let neither = TlsRules { skip_name: true, ..skipping };
    let shown = ask_of(&self_signed("other.example", |_| ()).config, trust(&neither)).await.accepted();
    assert_eq!(shown.verdict, Verdict::Unchecked { chain: true, name: true });
}

#[tokio::test]
async fn without_the_name_the_chain_still_counts() {
    let known = authority();
    let folder = tempfile::tempdir().unwrap();
    let file = write(folder.path(), "ca.pem", &known.pem);
    let skipping = TlsRules { authorities: Some(file), skip_name: true, ..rules() };
    let asked = ask_of(&known.serves("other.example", |_| ()), trust(&skipping)).await;
    assert!(asked.told.detail("tls").unwrap().contains("name NOT checked"));
    assert_eq!(asked.accepted().verdict, Verdict::Unchecked { chain: false, name: true });
    let stranger = authority_named("A stranger").serves("127.0.0.1", |_| ());
    let (error, _) = ask_of(&stranger, trust(&skipping)).await.refused();
    assert!(error.cause().contains("does not trust"), "{error}");
}

#[tokio::test]
async fn an_old_version_is_spoken_only_if_the_session_allows() {
    let key = KeyPair::generate().unwrap();
    let der = CertificateParams::new(vec!["127.0.0.1".to_owned()]).unwrap().self_signed(&key).unwrap().der().clone();
    let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
    let old = builder(Some(&rustls::version::TLS12)).with_no_client_auth().with_single_cert(vec![der], key).unwrap();
    let (old, rules) = (Arc::new(old), TlsRules { skip_chain: true, ..rules() });
    let asked = ask_of(&old, trust(&rules)).await;
    assert!(asked.told.detail("tls").unwrap().starts_with("TLS 1.2, "));
    asked.accepted();
    let error = ask_of(&old, trust(&TlsRules { only_tls13: true, ..rules })).await.answer.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Tls, "{error}");
    assert!(error.hint.contains("min_version"), "{error:?}");
}

#[tokio::test]
async fn another_name_is_sent_and_checked() {
    let known = authority();
    let folder = tempfile::tempdir().unwrap();
    let authorities = Some(write(folder.path(), "ca.pem", &known.pem));
    for (name, sent) in [("real.example", Some("real.example")), ("10.1.2.3", None)] {
        let rules = TlsRules { authorities: authorities.clone(), server_name: Some(name.to_owned()), ..rules() };
        let script = vec![Do::Read, ok("x"), Do::Hold];
        let mut server = Server::start_tls(known.serves(name, |_| ()), vec![script]).await;
        let asked = ask_at(&server, trust(&rules)).await;
        assert_eq!(asked.accepted().verdict, Verdict::Trusted);
        assert_eq!(server.handshakes(), [(sent.map(str::to_owned), false)]);
        // The request is still for the computer the session names.
        let (host, port) = (server.request().await, server.address.port());
        assert!(host.contains(&format!("host: 127.0.0.1:{port}")), "{host}");
        let (error, _) = ask_of(&known.serves("127.0.0.1", |_| ()), trust(&rules)).await.refused();
        assert!(error.cause().contains("another name") && error.hint.contains("server_name"), "{error:?}");
    }
    let error = Trust::new(&TlsRules { server_name: Some("no name".to_owned()), skip_chain: true, ..rules() });
    assert_eq!(error.unwrap_err().kind, ErrorKind::Configuration);
}

#[tokio::test]
async fn a_pin_accepts_one_certificate_whatever_else_is_wrong_with_it() {
    let mine = self_signed("other.example", |params| params.not_after = rcgen::date_time_ymd(2001, 1, 1));
    let pin = fingerprint(&mine.der);
    let pinned = TlsRules { pin: Some(pin), ..rules() };
    let shown = ask_of(&mine.config, trust(&pinned)).await.accepted();
    assert_eq!((&shown.verdict, shown.fingerprint), (&Verdict::Pinned, pin));
    // Another one is a hard stop, also if everything else is good or skipped.
    let known = authority();
    let folder = tempfile::tempdir().unwrap();
    let authorities = Some(write(folder.path(), "ca.pem", &known.pem));
    for rules in
        [TlsRules { authorities, ..pinned.clone() }, TlsRules { skip_chain: true, skip_name: true, ..pinned.clone() }]
    {
        let (error, shown) = ask_of(&known.serves("127.0.0.1", |_| ()), trust(&rules)).await.refused();
        let cause = error.cause();
        assert!(cause.contains("not the one the session is pinned to"), "{error}");
        assert!(cause.contains(&format!("pinned {pin}")), "{error}");
        assert!(cause.contains(&format!("shown {}", shown.fingerprint)) && shown.fingerprint != pin, "{error}");
        assert!(matches!(shown.verdict, Verdict::Refused { pinnable: false, .. }), "{shown:?}");
    }
}

#[tokio::test]
async fn a_refused_certificate_is_told_before_the_failure() {
    let shown = self_signed("127.0.0.1", |_| ());
    let folder = tempfile::tempdir().unwrap();
    let authorities = Some(write(folder.path(), "ca.pem", authority().pem));
    let asked = ask_of(&shown.config, trust(&TlsRules { authorities, ..rules() })).await;
    let events = asked.told.events();
    let at = |wanted: fn(&OpEventKind) -> bool| events.iter().position(wanted).unwrap();
    let told = at(|event| matches!(event, OpEventKind::Certificate { .. }));
    assert!(told < at(|event| matches!(event, OpEventKind::PhaseEnded { error: Some(_), .. })), "{events:?}");
    let (error, certificate) = asked.refused();
    assert!(error.cause().contains("does not trust"), "{error}");
    assert_eq!(certificate.fingerprint, fingerprint(&shown.der));
    assert!(matches!(certificate.verdict, Verdict::Refused { pinnable: true, .. }), "{certificate:?}");
    assert!(error.cause().contains(&certificate.fingerprint.to_string()), "{error}");
    assert!(error.hint.contains("--pin SHA256"), "{}", error.hint);
}

#[tokio::test]
async fn hostile_names_are_bounded_and_harmless() {
    let shown = self_signed("127.0.0.1", |params| {
        params.distinguished_name.push(rcgen::DnType::CommonName, format!("a\u{1b}[2J\u{202e}{}", "b".repeat(9_000)));
        let name = |n: usize| rcgen::SanType::DnsName(format!("n{n}.example").try_into().unwrap());
        params.subject_alt_names.extend((0..300).map(name));
    });
    let told = ask_of(&shown.config, trust(&TlsRules { skip_chain: true, ..rules() })).await.accepted();
    assert_eq!((told.names.len(), told.more_names), (16, 285));
    assert!(told.subject.chars().count() <= 300 && told.subject.contains("a\u{fffd}[2J\u{fffd}b"), "{}", told.subject);
    let rows = told.rows().into_iter().map(|row| row.1).collect::<String>();
    assert!(!rows.chars().any(|c| c.is_control() || c == '\u{202e}'), "{rows}");
}

#[tokio::test]
async fn a_resumed_session_shows_its_certificate_and_gets_round_no_rule() {
    let shown = self_signed("127.0.0.1", |_| ());
    let script = vec![Do::Read, ok("x"), Do::Hold];
    let server = Server::start_tls(shown.config.clone(), vec![script; 6]).await;
    let skipping = TlsRules { skip_chain: true, ..rules() };
    let loose = trust(&skipping);
    for _ in 0..2 {
        assert_eq!(ask_at(&server, loose.clone()).await.accepted().fingerprint, fingerprint(&shown.der));
    }
    let resumed = |server: &Server| server.handshakes().iter().map(|handshake| handshake.1).collect::<Vec<_>>();
    assert_eq!(resumed(&server), [false, true]);
    // The same rules or others: another session resumes nothing of the first.
    ask_at(&server, trust(&skipping)).await.accepted();
    let pinned = trust(&TlsRules { pin: Some(fingerprint(&shown.der)), ..rules() });
    for _ in 0..2 {
        assert_eq!(ask_at(&server, pinned.clone()).await.accepted().verdict, Verdict::Pinned);
    }
    assert_eq!(resumed(&server), [false, true, false, false, true]);
    let other = trust(&TlsRules { pin: Some(Fingerprint([7; 32])), ..rules() });
    ask_at(&server, other).await.refused();
    assert_eq!(resumed(&server).len(), 5);
}
