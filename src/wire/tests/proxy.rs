//! Through a proxy: forwarded in the clear, tunnelled over TLS, refused, and with credentials.

use std::{net::Ipv4Addr, sync::Arc};

use ::http::HeaderValue;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional},
    net::{TcpListener, TcpStream},
};

use super::{super::proxy::Proxy, support::*, tls::authority};
use crate::{
    op::{ErrorKind, OpEventKind, Phase, Purpose},
    wire::DialSettings,
};

/// A proxy that tunnels to `server` whatever host is asked for; answers the head of the request it got.
async fn tunnel_to(server: std::net::SocketAddr) -> (u16, tokio::sync::oneshot::Receiver<String>) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let (tell, told) = tokio::sync::oneshot::channel();
    tokio::spawn(async move {
        let (mut client, _) = listener.accept().await.unwrap();
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(client.read_u8().await.unwrap());
        }
        let _ = tell.send(String::from_utf8(head).unwrap());
        client.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await.unwrap();
        let mut server = TcpStream::connect(server).await.unwrap();
        let _ = copy_bidirectional(&mut client, &mut server).await;
    });
    (port, told)
}

fn through(mut settings: DialSettings, port: u16) -> DialSettings {
    settings.proxy = Some(Proxy::new("127.0.0.1", port));
    settings
}

fn with_credentials(mut settings: DialSettings) -> DialSettings {
    let mut value = HeaderValue::from_static("Basic cHg6czNjcmV0");
    value.set_sensitive(true);
    settings.proxy.as_mut().unwrap().authorization = Some(value);
    settings
}

#[tokio::test]
async fn clear_text_is_forwarded_with_the_whole_url_and_the_servers_name_is_not_resolved() {
    let mut proxy = Server::start(vec![vec![Do::Read, ok("<hello/>"), Do::Read, ok("2"), Do::Hold]]).await;
    let told = Told::new();
    let mut forwarded = through(settings(&proxy, "db.example", &told), proxy.address.port());
    forwarded.port = 5988;
    forwarded.resolver = Arc::new(Names::Fail);
    let mut exchange = dial(with_credentials(forwarded));
    assert_eq!(ask(&mut exchange, post("<q/>")).await.unwrap(), (200, "<hello/>".to_owned()));
    let request = proxy.request().await.to_ascii_lowercase();
    assert!(request.starts_with("post http://db.example:5988/cimom http/1.1\r\n"), "{request}");
    assert!(request.contains("\r\nhost: db.example:5988\r\n"), "{request}");
    assert!(request.contains("\r\nproxy-authorization: basic "), "{request}");
    assert_eq!(ask(&mut exchange, post("<q/>")).await.unwrap().1, "2", "the connection carries a second exchange");
    let opened = told.events().into_iter().find_map(|event| match event {
        OpEventKind::ConnectionOpened { purpose, peer, .. } => Some((purpose, peer)),
        _ => None,
    });
    assert_eq!(opened, Some((Purpose::Proxy, proxy.address)));
    assert!(!told.script().iter().any(|line| line.contains("resolve")), "{:?}", told.script());
}

#[tokio::test]
async fn tls_goes_through_a_tunnel_and_is_checked_end_to_end() {
    let authority = authority();
    let server =
        Server::start_tls(authority.serves("localhost", |_| ()), vec![vec![Do::Read, ok("<safe/>"), Do::Hold]]).await;
    let (port, head) = tunnel_to(server.address).await;
    let told = Told::new();
    let tunnelled = through(tls_settings(&server, "localhost", authority.trusted(), &told), port);
    let mut exchange = dial(with_credentials(tunnelled));
    assert_eq!(ask(&mut exchange, post("<q/>")).await.unwrap(), (200, "<safe/>".to_owned()));
    let head = head.await.unwrap();
    assert!(head.starts_with(&format!("CONNECT localhost:{} HTTP/1.1\r\n", server.address.port())), "{head}");
    assert!(head.to_ascii_lowercase().contains("\r\nproxy-authorization: basic "), "{head}");
    assert_eq!(told.script()[..5], ["1 +connect", "1 -connect", "1 opened", "1 +tls", "1 -tls"]);
}

#[tokio::test]
async fn a_refused_tunnel_names_the_proxy() {
    for (answer, kind, cause) in [
        ("HTTP/1.1 403 Forbidden\n\n", ErrorKind::ConnectFailed, "the proxy does not connect to the server"),
        ("HTTP/1.1 407 Who\n\n", ErrorKind::Http(407), "the proxy wants to know who asks"),
    ] {
        let proxy = Server::start(vec![vec![Do::Read, write(answer), Do::Hold]]).await;
        let told = Told::new();
        let trust = authority().trusted();
        let refused = through(tls_settings(&proxy, "db.example", trust, &told), proxy.address.port());
        let error = failure(refused, post("<q/>")).await;
        assert_eq!((error.phase, &error.kind), (Phase::Connect, &kind), "{error}");
        assert!(error.cause().starts_with(cause), "{error}");
        assert!(error.target.contains(&format!("through the proxy {}", proxy.address)), "{error}");
        assert!(error.hint.contains("proxy"), "{}", error.hint);
    }
}

#[tokio::test]
async fn a_proxy_that_wants_credentials_for_clear_text_is_told_as_such() {
    let proxy = Server::start(vec![vec![Do::Read, write("HTTP/1.1 407 Who\ncontent-length: 0\n\n"), Do::Hold]]).await;
    let told = Told::new();
    let error = failure(through(settings(&proxy, "db.example", &told), proxy.address.port()), post("<q/>")).await;
    assert_eq!(error.kind, ErrorKind::Http(407), "{error}");
    assert!(error.cause().starts_with("the proxy wants to know who asks"), "{error}");
}

#[tokio::test]
async fn a_proxy_that_is_not_there_is_the_one_that_is_named() {
    let free = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let address = free.local_addr().unwrap();
    drop(free);
    let server = Server::start(vec![]).await;
    let told = Told::new();
    let error = failure(through(settings(&server, "db.example", &told), address.port()), post("<q/>")).await;
    assert_eq!(error.kind, ErrorKind::ConnectionRefused, "{error}");
    assert!(error.target.contains(&format!("through the proxy {address}")), "{error}");
}

#[tokio::test]
async fn secrets_are_not_shown_to_the_network_before_a_proxy() {
    let mut proxy = Server::start(vec![]).await;
    let told = Told::new();
    // Basic for the server, in the clear through a proxy: the proxy's own address being local does not help.
    let mut basic = through(settings(&proxy, "db.example", &told), proxy.address.port());
    basic.authenticator = ann();
    let error = failure(basic, post("<q/>")).await;
    assert_eq!(error.kind, ErrorKind::ClearTextRefused, "{error}");
    // Credentials for a proxy on another machine.
    let mut far = through(settings(&proxy, "db.example", &told), 3128);
    far.proxy = Some(Proxy::new("192.0.2.1", 3128));
    let error = failure(with_credentials(far), post("<q/>")).await;
    assert_eq!(error.kind, ErrorKind::ClearTextRefused, "{error}");
    assert!(error.hint.contains("allow_clear_text") && error.hint.contains("proxy"), "{}", error.hint);
    assert_eq!(proxy.seen(), []);
}
