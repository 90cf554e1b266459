//! Names with several addresses, and Basic over clear text.

use std::{io, net::IpAddr, sync::Arc};

use super::support::*;
use crate::{
    op::{ErrorKind, Phase},
    wire::DialSettings,
};

fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

fn named(server: &Server, told: &Arc<Told>, addresses: &[&str]) -> DialSettings {
    let mut settings = settings(server, "cim.example", told);
    settings.resolver = Arc::new(Names::Are(addresses.iter().map(|text| ip(text)).collect()));
    settings
}

fn refusing(addresses: &[&str], kind: io::ErrorKind) -> Option<Arc<dyn crate::wire::ConnectHook>> {
    Some(Arc::new(Faulty(addresses.iter().map(|text| (ip(text), Some(kind))).collect())))
}

#[tokio::test]
async fn the_next_address_is_tried_and_each_has_its_own_phase_and_error() {
    let mut server = Server::start(vec![vec![Do::Read, ok("x"), Do::Hold]]).await;
    let told = Told::new();
    let mut settings = named(&server, &told, &["192.0.2.1", "192.0.2.2", "127.0.0.1"]);
    settings.attempt_limit = SHORT;
    settings.connect_hook = Some(Arc::new(Faulty(vec![
        (ip("192.0.2.1"), Some(io::ErrorKind::ConnectionRefused)),
        (ip("192.0.2.2"), None),
    ])));
    let mut exchange = dial(settings);
    ask(&mut exchange, post("x")).await.unwrap();
    assert_eq!(
        told.script()[..9],
        [
            "- +resolve",
            "- -resolve",
            "1 +connect",
            "1 -connect!ConnectionRefused",
            "2 +connect",
            "2 -connect!TimedOut",
            "3 +connect",
            "3 -connect",
            "3 opened"
        ]
    );
    let host = format!("host: cim.example:{}", server.address.port());
    assert!(server.request().await.contains(&host));
}

#[tokio::test]
async fn when_all_fail_the_last_error_tells_of_the_others() {
    let (server, told) = (Server::start(vec![]).await, Told::new());
    let mut settings = named(&server, &told, &["192.0.2.1", "192.0.2.1", "192.0.2.2"]);
    settings.connect_hook = refusing(&["192.0.2.1", "192.0.2.2"], io::ErrorKind::NetworkUnreachable);
    let error = failure(settings, post("x")).await;
    assert_eq!((error.phase, &error.kind), (Phase::Connect, &ErrorKind::ConnectFailed));
    let port = server.address.port();
    assert_eq!(error.target, format!("cim.example:{port} (192.0.2.2:{port})"));
    assert!(error.cause().contains("no way to that address"), "{error}");
    assert!(error.cause().contains(&format!("before it, cim.example:{port} (192.0.2.1:{port})")), "{error}");
    let connects = told.script().iter().filter(|line| line.ends_with("+connect")).count();
    assert_eq!(connects, 2, "the same address is tried once");
}

#[tokio::test]
async fn names_without_address() {
    for names in [Names::Fail, Names::Are(vec![])] {
        let (server, told) = (Server::start(vec![]).await, Told::new());
        let mut settings = settings(&server, "cim.example", &told);
        settings.resolver = Arc::new(names);
        let error = failure(settings, post("x")).await;
        assert_eq!((error.phase, &error.kind), (Phase::Resolve, &ErrorKind::UnknownHost));
        assert_eq!(error.target, format!("cim.example:{}", server.address.port()));
        assert!(error.hint.contains("check the name"));
        assert_eq!(told.script(), ["- +resolve", "- -resolve!UnknownHost"]);
    }
}

#[tokio::test]
async fn a_refused_port() {
    // A port that was free a moment ago and on which nobody listens.
    let server = Server::start(vec![]).await;
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let mut settings = settings(&server, "127.0.0.1", &Told::new());
    settings.port = free.local_addr().unwrap().port();
    drop(free);
    let error = failure(settings, post("x")).await;
    assert_eq!((error.phase, &error.kind), (Phase::Connect, &ErrorKind::ConnectionRefused));
    assert!(error.hint.contains("check the port"));
}

#[tokio::test]
async fn basic_in_clear_text_to_another_machine_is_refused_before_connecting() {
    let mut server = Server::start(vec![]).await;
    for (host, addresses) in [("192.0.2.1", vec![]), ("cim.example", vec!["127.0.0.1", "192.0.2.1"])] {
        let told = Told::new();
        let mut clear = settings(&server, host, &told);
        clear.resolver = Arc::new(Names::Are(addresses.iter().map(|text| ip(text)).collect()));
        clear.authenticator = ann();
        let error = failure(clear, post("x")).await;
        assert_eq!(error.kind, ErrorKind::ClearTextRefused);
        assert!(error.hint.contains("https") && error.hint.contains("allow_clear_text"), "{}", error.hint);
        assert!(told.script().iter().all(|line| line.contains("resolve")), "{:?}", told.script());
    }
    assert_eq!(server.seen(), []);
}

#[tokio::test]
async fn basic_in_clear_text_goes_to_this_computer_or_where_it_is_allowed() {
    for (host, allowed) in [("127.0.0.1", false), ("[::1]", false), ("::ffff:127.0.0.1", false), ("192.0.2.1", true)] {
        let server = Server::start(vec![]).await;
        let mut clear = settings(&server, host, &Told::new());
        clear.authenticator = ann();
        clear.allow_clear_text = allowed;
        let anywhere = ["127.0.0.1", "::1", "::ffff:127.0.0.1", "192.0.2.1"];
        clear.connect_hook = refusing(&anywhere, io::ErrorKind::ConnectionRefused);
        assert_eq!(failure(clear, post("x")).await.kind, ErrorKind::ConnectionRefused, "{host}");
    }
}

#[tokio::test]
async fn localhost_is_this_computer() {
    use crate::wire::{Resolver as _, SystemResolver};
    for name in ["localhost", "LocalHost.", "cim.localhost"] {
        let found = SystemResolver.resolve(name, 5988).await.unwrap();
        assert!(!found.is_empty());
        assert!(found.iter().all(|found| found.ip().is_loopback() && found.port() == 5988), "{found:?}");
    }
}

#[tokio::test]
async fn what_is_no_host_is_a_configuration_error() {
    let server = Server::start(vec![]).await;
    for host in ["", "a b", "host/path", "user@host", "[::1", "fe80::1%eth0", "a?b"] {
        let made = crate::wire::Dialer::new(settings(&server, host, &Told::new()));
        let refused = made.err().is_some_and(|error| error.kind == ErrorKind::Configuration);
        assert!(refused || host == "[::1", "{host}");
    }
}
