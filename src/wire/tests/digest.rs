//! Digest, and the choice between it and Basic, over connections.

use super::{super::proxy::Proxy, support::*};
use crate::op::{ErrorKind, Phase};

const DIGEST: &str = "WWW-Authenticate: Digest realm=\"r\", nonce=\"n1\", qop=\"auth\", algorithm=SHA-256\n";
const BASIC: &str = "WWW-Authenticate: Basic realm=\"r\"\n";

fn refusing(offers: &[&str]) -> Do {
    write(&format!("HTTP/1.1 401 No\n{}Content-Length: 4\n\nbody", offers.concat()))
}

/// What stood in the Authorization fields of the requests, up to the first blank; `-` where there was none.
async fn schemes(server: &mut Server, count: usize) -> Vec<String> {
    let mut schemes = Vec::new();
    for _ in 0..count {
        let request = server.request().await;
        let field = request.lines().find_map(|line| line.strip_prefix("authorization: "));
        schemes.push(field.map_or("-", |value| value.split(' ').next().unwrap()).to_owned());
    }
    schemes
}

fn legs(told: &Told) -> Vec<String> {
    told.script().into_iter().filter(|line| line.contains("authenticate")).collect()
}

#[tokio::test]
async fn a_proof_goes_with_every_request_after_the_first_refusal() {
    let script = vec![Do::Read, refusing(&[BASIC, DIGEST]), Do::Read, ok("one"), Do::Read, ok("two"), Do::Hold];
    let mut server = Server::start(vec![script]).await;
    let told = Told::new();
    let mut settings = settings(&server, "127.0.0.1", &told);
    settings.authenticator = ann_by("digest");
    let mut exchange = dial(settings);
    assert_eq!(ask(&mut exchange, post("<q/>")).await.unwrap().1, "one");
    assert_eq!(ask(&mut exchange, post("<q/>")).await.unwrap().1, "two");
    assert!(!server.request().await.contains("authorization"), "nothing is known of the server yet");
    for count in ["00000001", "00000002"] {
        let request = server.request().await;
        assert!(request.contains("authorization: Digest username=\"ann\", realm=\"r\", nonce=\"n1\", uri=\"/cimom\""));
        assert!(request.contains(&format!("nc={count}")) && request.ends_with("<q/>"), "{request}");
    }
    assert_eq!(legs(&told), ["1 +authenticate", "1 -authenticate"]);
    assert_eq!(told.detail("authenticate").as_deref(), Some("Digest SHA-256"));
    assert_eq!(told.detail("receive").as_deref(), Some("401, offers Basic, Digest SHA-256"));
}

#[tokio::test]
async fn basic_goes_first_and_digest_where_that_alone_is_offered() {
    let script = vec![Do::Read, refusing(&[DIGEST]), Do::Read, ok("in"), Do::Hold];
    let mut server = Server::start(vec![script]).await;
    let told = Told::new();
    let mut settings = settings(&server, "127.0.0.1", &told);
    settings.authenticator = ann_by("auto");
    assert_eq!(ask(&mut dial(settings), post("x")).await.unwrap().1, "in");
    assert_eq!(schemes(&mut server, 2).await, ["Basic", "Digest"]);
    assert_eq!(legs(&told), ["1 +authenticate", "1 -authenticate", "1 +authenticate 2", "1 -authenticate 2"]);
}

/// openwsman offers both and refuses every Digest.
#[tokio::test]
async fn a_server_that_refuses_its_own_digest_gets_basic_where_that_may_be_shown() {
    let both = refusing(&[BASIC, DIGEST]);
    let script = vec![Do::Read, both.clone(), Do::Read, both.clone(), Do::Read, ok("in"), Do::Hold];
    let mut server = Server::start(vec![script]).await;
    let told = Told::new();
    let mut settings = settings(&server, "127.0.0.1", &told);
    settings.authenticator = ann_by("digest");
    assert_eq!(ask(&mut dial(settings), post("x")).await.unwrap().1, "in");
    assert_eq!(schemes(&mut server, 3).await, ["-", "Digest", "Basic"]);
    let shown: Vec<_> = legs(&told).into_iter().filter(|line| line.contains('+')).collect();
    assert_eq!(shown, ["1 +authenticate", "1 +authenticate 2"]);
}

#[tokio::test]
async fn what_was_tried_and_offered_is_told() {
    let both = refusing(&[BASIC, DIGEST]);
    let script = vec![Do::Read, both.clone(), Do::Read, both.clone(), Do::Read, both, Do::Hold];
    let server = Server::start(vec![script]).await;
    let mut settings = settings(&server, "127.0.0.1", &Told::new());
    settings.authenticator = ann_by("digest");
    let error = failure(settings, post("x")).await;
    assert_eq!((error.phase, &error.kind), (Phase::Authenticate(2), &ErrorKind::Unauthorized));
    let cause = error.cause();
    assert!(cause.contains("refused user and password by Digest for \"r\"; the server refused user and password for"));
    assert!(cause.contains("it offers Basic, Digest"), "{cause}");
}

/// The other machine is behind a proxy on this one.
#[tokio::test]
async fn in_clear_text_to_another_machine_the_password_is_not_shown() {
    for (offers, answer) in [(vec![BASIC, DIGEST], Some("in")), (vec![BASIC], None)] {
        let script = vec![Do::Read, refusing(&offers), Do::Read, ok("in"), Do::Hold];
        let mut server = Server::start(vec![script]).await;
        let mut settings = settings(&server, "192.0.2.1", &Told::new());
        settings.proxy = Some(Proxy::new("127.0.0.1", server.address.port()));
        settings.authenticator = ann_by("digest");
        let asked = ask(&mut dial(settings), post("x")).await;
        match answer {
            Some(answer) => {
                assert_eq!(asked.unwrap().1, answer);
                assert_eq!(schemes(&mut server, 2).await, ["-", "Digest"]);
            }
            None => {
                let error = asked.unwrap_err();
                assert_eq!((error.phase, &error.kind), (Phase::Authenticate(1), &ErrorKind::ClearTextRefused));
                assert!(error.cause().contains("Basic over plain http") && error.cause().contains("it offers Basic"));
                assert_eq!(schemes(&mut server, 1).await, ["-"]);
                assert_eq!(server.eof().await, 0);
            }
        }
    }
}

#[tokio::test]
async fn a_server_that_closes_between_legs_is_dialled_again() {
    let closing = write(&format!("HTTP/1.1 401 No\n{DIGEST}Connection: close\nContent-Length: 0\n\n"));
    let mut server = Server::start(vec![vec![Do::Read, closing, Do::Close], vec![Do::Read, ok("in"), Do::Hold]]).await;
    let told = Told::new();
    let mut settings = settings(&server, "127.0.0.1", &told);
    settings.authenticator = ann_by("digest");
    assert_eq!(ask(&mut dial(settings), post("x")).await.unwrap().1, "in");
    assert_eq!(schemes(&mut server, 2).await, ["-", "Digest"]);
    assert_eq!(legs(&told), ["2 +authenticate", "2 -authenticate"]);
}

#[tokio::test]
async fn a_stale_nonce_is_replaced_however_often_and_stale_without_end_is_ended() {
    let stale = |nonce: usize| {
        let offer = format!("WWW-Authenticate: Digest realm=\"r\", nonce=\"n{nonce}\", qop=\"auth\", stale=true\n");
        refusing(&[&offer])
    };
    // One refusal a request, twenty requests: more than one authentication may have legs.
    let script = (0..20).flat_map(|n| [Do::Read, stale(n), Do::Read, ok("in")]).chain([Do::Hold]).collect();
    let server = Server::start(vec![script]).await;
    let told = Told::new();
    let mut patient = settings(&server, "127.0.0.1", &told);
    patient.authenticator = ann_by("digest");
    let mut exchange = dial(patient);
    for _ in 0..20 {
        assert_eq!(ask(&mut exchange, post("x")).await.unwrap().1, "in");
    }
    assert_eq!(told.detail("authenticate 20").as_deref(), Some("Digest MD5, new nonce: the last was stale"));
    let endless = Server::start(vec![(0..20).flat_map(|n| [Do::Read, stale(n)]).collect()]).await;
    let mut settings = settings(&endless, "127.0.0.1", &Told::new());
    settings.authenticator = ann_by("digest");
    let error = failure(settings, post("x")).await;
    assert!(error.kind == ErrorKind::Unauthorized && error.cause().contains("does not end"), "{error}");
}

#[tokio::test]
async fn a_server_that_proves_itself_wrongly_is_not_believed() {
    let forged = write("HTTP/1.1 200 OK\nAuthentication-Info: rspauth=\"00\", qop=auth\nContent-Length: 4\n\nlies");
    let mut server = Server::start(vec![vec![Do::Read, refusing(&[DIGEST]), Do::Read, forged, Do::Hold]]).await;
    let mut settings = settings(&server, "127.0.0.1", &Told::new());
    settings.authenticator = ann_by("digest");
    let error = failure(settings, post("x")).await;
    assert_eq!((error.phase, &error.kind), (Phase::Authenticate(1), &ErrorKind::BadHttp));
    assert!(error.cause().contains("did not prove that it knows the password"), "{error}");
    assert_eq!(server.eof().await, 0);
}

#[tokio::test]
async fn a_certificate_is_said_to_be_all_the_proof() {
    let mut server = Server::start(vec![vec![Do::Read, refusing(&[BASIC]), Do::Hold]]).await;
    let mut settings = settings(&server, "127.0.0.1", &Told::new());
    settings.authenticator = ann_by("certificate");
    let error = failure(settings, post("x")).await;
    let request = server.request().await;
    assert!(request.contains("authorization: http://schemas.dmtf.org/wbem/wsman/1/wsman/secprofile/https/mutual\r\n"));
    assert_eq!((error.phase, &error.kind), (Phase::Authenticate(1), &ErrorKind::Unauthorized));
    assert!(error.cause().contains("it offers Basic"), "{error}");
}

#[tokio::test]
async fn a_digest_that_cannot_be_answered_is_told_and_basic_is_tried() {
    let odd = "WWW-Authenticate: Digest realm=\"r\", nonce=\"n\", qop=\"auth-int\"\n";
    for (offers, taken) in [(vec![odd, BASIC], true), (vec![odd], false)] {
        let script = vec![Do::Read, refusing(&offers), Do::Read, ok("in"), Do::Hold];
        let mut server = Server::start(vec![script]).await;
        let mut settings = settings(&server, "127.0.0.1", &Told::new());
        settings.authenticator = ann_by("digest");
        let asked = ask(&mut dial(settings), post("x")).await;
        assert_eq!(asked.is_ok(), taken);
        match asked {
            Ok(_) => assert_eq!(schemes(&mut server, 2).await, ["-", "Basic"]),
            Err(error) => {
                assert!(error.cause().contains("cannot be answered (algorithm none, qop auth-int)"), "{error}")
            }
        }
    }
}
