//! 401 answers, and authentication that takes several legs.

use std::sync::Arc;

use super::support::*;
use crate::{
    auth::{Authenticator, Challenge, SecretHeader, Step},
    op::{ErrorKind, Phase},
    wire::AuthenticatorFactory,
};

const WANTS_BASIC: &str =
    "HTTP/1.1 401 Unauthorized\nWWW-Authenticate: Basic realm=\"vm\", Negotiate\nContent-Length: 0\n\n";

#[tokio::test]
async fn without_a_user_a_401_says_what_the_server_wants() {
    let server = Server::start(vec![vec![Do::Read, write(WANTS_BASIC), Do::Hold]]).await;
    let told = Told::new();
    let error = failure(settings(&server, "127.0.0.1", &told), post("x")).await;
    assert_eq!((error.phase, &error.kind), (Phase::Authenticate(1), &ErrorKind::Unauthorized));
    assert!(error.cause().contains("it offers Basic, Negotiate"), "{error}");
    assert!(error.hint.contains("--user"), "{}", error.hint);
    let end = ["1 +authenticate", "1 -authenticate!Unauthorized", "1 +close", "1 -close", "1 closed Us"];
    assert_eq!(told.script()[9..], end);
}

#[tokio::test]
async fn a_wrong_password_is_sent_once() {
    let mut server = Server::start(vec![vec![Do::Read, write(WANTS_BASIC), Do::Hold]]).await;
    let told = Told::new();
    let mut wrong = settings(&server, "127.0.0.1", &told);
    wrong.authenticator = ann();
    let error = failure(wrong, post("x")).await;
    assert_eq!((error.phase, &error.kind), (Phase::Authenticate(1), &ErrorKind::Unauthorized));
    assert!(error.cause().contains(r#"refused user and password for "vm""#), "{error}");
    assert!(server.request().await.contains("authorization: Basic YW5uOnMzY3JldA=="));
    assert_eq!(server.eof().await, 0);
    let everything = format!("{error:?} {:?} {:?}", told.events(), told.script());
    for secret in ["s3cret", "YW5uOnMzY3JldA"] {
        assert!(!everything.contains(secret));
    }
}

#[tokio::test]
async fn a_bare_or_closing_401_does_not_hang() {
    for (bare, words) in [
        ("HTTP/1.1 401 No\n\n", "offers no scheme"),
        (
            "HTTP/1.1 401 No\nConnection: close\nWWW-Authenticate: NTLM\nContent-Length: 2\n\nno",
            "does not take Basic authentication: it offers other schemes alone: it offers NTLM",
        ),
    ] {
        let mut server = Server::start(vec![vec![Do::Read, write(bare), Do::Hold]]).await;
        let mut settings = settings(&server, "127.0.0.1", &Told::new());
        settings.authenticator = ann();
        let error = failure(settings, post("x")).await;
        assert_eq!(error.kind, ErrorKind::Unauthorized);
        assert!(error.cause().contains(words), "{error}");
        assert_eq!(server.eof().await, 0);
    }
}

/// Answers each challenge with its token reversed, three times at most.
struct Parrot {
    bound: bool,
    next: Option<String>,
    legs: usize,
}

impl Authenticator for Parrot {
    fn scheme(&self) -> &'static str {
        "Parrot"
    }

    fn binds_connection(&self) -> bool {
        self.bound
    }

    fn authorization(&mut self, _method: &str, _path: &str) -> Option<SecretHeader> {
        let text = format!("Parrot {}", self.next.take()?);
        Some(SecretHeader(text.into_bytes().into()))
    }

    fn challenged(&mut self, challenges: &[Challenge]) -> Step {
        self.legs += 1;
        match challenges.iter().find(|challenge| challenge.is("Parrot")) {
            Some(found) => {
                self.next = Some(found.token.iter().flat_map(|token| token.chars().rev()).collect());
                Step::Again
            }
            None => Step::Refused("no parrots here".to_owned()),
        }
    }
}

fn parrot(bound: bool) -> AuthenticatorFactory {
    Arc::new(move || Some(Box::new(Parrot { bound, next: Some("hello".to_owned()), legs: 0 })))
}

fn challenge(token: &str, more: &str) -> Do {
    write(&format!("HTTP/1.1 401 No\nWWW-Authenticate: Parrot {token}\n{more}Content-Length: 4\n\nbody"))
}

#[tokio::test]
async fn legs_go_over_one_connection_and_are_counted() {
    let script = vec![Do::Read, challenge("abc", ""), Do::Read, challenge("xyz", ""), Do::Read, ok("in"), Do::Hold];
    let mut server = Server::start(vec![script]).await;
    let told = Told::new();
    let mut settings = settings(&server, "127.0.0.1", &told);
    settings.authenticator = parrot(true);
    let mut exchange = dial(settings);
    assert_eq!(ask(&mut exchange, post("<q/>")).await.unwrap(), (200, "in".to_owned()));
    for token in ["hello", "cba", "zyx"] {
        let request = server.request().await;
        assert!(request.contains(&format!("authorization: Parrot {token}\r\n")), "{request}");
        assert!(request.ends_with("<q/>"));
    }
    let legs: Vec<_> = told.script().into_iter().filter(|line| line.contains("+authenticate")).collect();
    assert_eq!(legs, ["1 +authenticate", "1 +authenticate 2", "1 +authenticate 3"]);
}

#[tokio::test]
async fn authentication_bound_to_a_connection_is_lost_with_it() {
    let script = vec![Do::Read, challenge("abc", "Connection: close\n"), Do::Hold];
    let server = Server::start(vec![script, vec![Do::Read, ok("no"), Do::Hold]]).await;
    let mut settings = settings(&server, "127.0.0.1", &Told::new());
    settings.authenticator = parrot(true);
    let error = failure(settings.clone(), post("x")).await;
    assert_eq!(error.kind, ErrorKind::ConnectionLost);
    assert!(error.cause().contains("bound to"), "{error}");

    settings.authenticator = parrot(false);
    let script = vec![Do::Read, challenge("abc", "Connection: close\n"), Do::Hold];
    let server = Server::start(vec![script, vec![Do::Read, ok("in"), Do::Hold]]).await;
    settings.port = server.address.port();
    assert_eq!(ask(&mut dial(settings), post("x")).await.unwrap().1, "in");
}

#[tokio::test]
async fn legs_without_end_are_ended() {
    let script = (0..20).flat_map(|_| [Do::Read, challenge("abc", "")]).collect();
    let mut server = Server::start(vec![script]).await;
    let mut settings = settings(&server, "127.0.0.1", &Told::new());
    settings.authenticator = parrot(true);
    let error = failure(settings, post("x")).await;
    assert_eq!((error.phase, &error.kind), (Phase::Authenticate(8), &ErrorKind::Unauthorized));
    assert!(error.cause().contains("does not end"), "{error}");
    server.eof().await;
}

#[tokio::test]
async fn debug_shows_no_secret() {
    let server = Server::start(vec![]).await;
    let mut settings = settings(&server, "127.0.0.1", &Told::new());
    settings.authenticator = ann();
    let shown = format!("{settings:?} {:?}", crate::wire::Dialer::new(settings.clone()).unwrap());
    assert!(shown.contains("127.0.0.1") && !shown.contains("s3cret") && !shown.contains("ann"), "{shown}");
}
