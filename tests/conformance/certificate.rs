//! Known by a client certificate: the server lets in only who shows one, and over WS-Man the requests say that it is the proof.

use lazycim::{
    op::{ErrorKind, OpError, OpEventKind, Phase, Timeouts},
    server::{ServerOptions, TlsIdentity},
    session::{Mechanism, Target, Tls},
};
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};

use super::stage::*;

const MUTUAL: &str = "http://schemas.dmtf.org/wbem/wsman/1/wsman/secprofile/https/mutual";

/// An authority, and what it signs.
struct Authority {
    issuer: Issuer<'static, KeyPair>,
    pem: String,
}

impl Authority {
    fn called(name: &str) -> Self {
        let mut params = CertificateParams::new(vec![]).unwrap();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        let pem = params.self_signed(&key).unwrap().pem();
        Self { issuer: Issuer::new(params, key), pem }
    }

    /// A certificate for `name`, and its key.
    fn signs(&self, name: &str) -> (String, String) {
        let key = KeyPair::generate().unwrap();
        let made = CertificateParams::new(vec![name.to_owned()]).unwrap().signed_by(&key, &self.issuer).unwrap();
        (made.pem(), key.serialize_pem())
    }
}

/// A server that lets in whoever shows a certificate of an authority, and a client's files.
struct Door {
    stage: Stage,
    files: tempfile::TempDir,
    ours: Authority,
    target: Target,
}

async fn door(subject: Subject) -> Door {
    let ours = Authority::called("ours");
    let (cert, key) = ours.signs("127.0.0.1");
    let options = ServerOptions {
        credentials: None,
        tls: Some(TlsIdentity::Pem { cert, key: std::sync::Arc::new(key.into()) }),
        client_authorities: Some(ours.pem.clone()),
        ..guarded()
    };
    let stage = Stage::new(subject, None, options, Timeouts::default()).await;
    let files = tempfile::tempdir().unwrap();
    let ca_file = files.path().join("ca.pem");
    std::fs::write(&ca_file, &ours.pem).unwrap();
    let tls = Some(Tls { ca_file: Some(ca_file), ..Tls::default() });
    let target = Target { tls, mechanism: Mechanism::Certificate, ..target_of(&stage.server, subject) };
    Door { stage, files, ours, target }
}

impl Door {
    /// The session with the certificate that `authority` signed for it.
    fn known_by(&self, authority: &Authority) -> Target {
        let path = self.files.path().join("client.pem");
        let (cert, key) = authority.signs("ann");
        std::fs::write(&path, cert + &key).unwrap();
        let mut target = self.target.clone();
        target.tls.as_mut().unwrap().client_cert = Some(path);
        target
    }

    async fn failure(&self, target: Target) -> OpError {
        self.stage.engine.open(SESSION, target);
        let (id, events) = self.stage.start(class());
        let error = failure(id, &ended(id, rest(Vec::new(), events).await)).clone();
        self.stage.idle().await;
        error
    }
}

#[tokio::test]
async fn whoever_shows_a_certificate_is_let_in_and_ws_man_says_that_it_is_the_proof() {
    for subject in SUBJECTS {
        let door = door(subject).await;
        door.stage.engine.open(SESSION, door.known_by(&door.ours));
        let (id, events) = door.stage.start(pulled());
        let seen = ended(id, rest(Vec::new(), events).await);
        assert!(matches!(end(id, &seen), OpEventKind::Finished(_)), "{subject:?}: {seen:#?}");
        assert!(rows(id, &seen) > 0, "{subject:?}: {seen:#?}");
        let heads = door.stage.server.seen().heads;
        assert!(!heads.is_empty());
        for head in heads {
            let proof = (subject.protocol == "wsman").then_some(MUTUAL);
            assert_eq!(head.header("authorization"), proof, "{subject:?}: {head:?}");
        }
        door.stage.idle().await;
    }
}

#[tokio::test]
async fn a_certificate_nobody_signed_that_counts_is_refused_and_told() {
    for subject in SUBJECTS {
        let door = door(subject).await;
        let error = door.failure(door.known_by(&Authority::called("theirs"))).await;
        assert!(error.cause().contains("the server refused the client certificate"), "{subject:?}: {error}");
        assert!(error.hint.contains("--client-cert"), "{subject:?}: {error}");
        assert_eq!(door.stage.server.seen().requests, 0, "{subject:?}: nothing was asked");
    }
}

#[tokio::test]
async fn without_a_certificate_nothing_is_connected_and_a_server_that_wants_one_says_so() {
    for subject in SUBJECTS {
        let door = door(subject).await;
        let error = door.failure(door.target.clone()).await;
        assert_eq!((error.phase, &error.kind), (Phase::Authenticate(1), &ErrorKind::Configuration), "{subject:?}");
        assert!(error.hint.contains("--client-cert"), "{subject:?}: {error}");
        assert_eq!(door.stage.server.seen().connections, 0, "{subject:?}");
        let error = door.failure(Target { mechanism: Mechanism::Auto, ..door.target.clone() }).await;
        assert!(error.cause().contains("the server wants a client certificate"), "{subject:?}: {error}");
        assert_eq!(door.stage.server.seen().requests, 0, "{subject:?}: nothing was asked");
    }
}
