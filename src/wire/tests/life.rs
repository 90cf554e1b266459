//! The life of connections: phases in order, one connection for several exchanges, closed once, on whatever way out.

use super::support::*;
use crate::op::{OpEventKind, Purpose};

const ONE_EXCHANGE: [&str; 10] = [
    "1 +connect",
    "1 -connect",
    "1 opened",
    "1 +send",
    "1 -send",
    "1 +wait",
    "1 -wait",
    "1 +receive",
    "1 -receive",
    "1 +close",
];

#[tokio::test]
async fn every_phase_in_order() {
    let mut server = Server::start(vec![vec![Do::Read, ok("<hello/>"), Do::Hold]]).await;
    let told = Told::new();
    let mut exchange = dial(settings(&server, "127.0.0.1", &told));
    assert_eq!(told.script(), [""; 0], "nothing happens before the first exchange");
    assert_eq!(ask(&mut exchange, post("<q/>")).await.unwrap(), (200, "<hello/>".to_owned()));
    assert_eq!(told.script(), ONE_EXCHANGE[..9]);
    assert_eq!(exchange.connection().map(|conn| conn.0), Some(1));
    drop(exchange);
    assert_eq!(told.script()[9..], ["1 +close", "1 -close", "1 closed Us"]);
    assert_eq!(server.eof().await, 0);
    assert!(told.events().iter().any(|event| matches!(event,
        OpEventKind::ConnectionOpened { purpose: Purpose::Server, peer, .. } if *peer == server.address)));
}

#[tokio::test]
async fn a_name_is_resolved_first_and_basic_goes_with_the_first_request_of_a_connection() {
    let server = Server::start(vec![vec![Do::Read, ok("1"), Do::Read, ok("2"), Do::Hold]]).await;
    let told = Told::new();
    let mut with_ann = settings(&server, "localhost", &told);
    with_ann.resolver = std::sync::Arc::new(Names::Are(vec![server.address.ip()]));
    with_ann.authenticator = ann();
    let mut exchange = dial(with_ann);
    ask(&mut exchange, post("<q/>")).await.unwrap();
    let first = [
        "- +resolve",
        "- -resolve",
        "1 +connect",
        "1 -connect",
        "1 opened",
        "1 +authenticate",
        "1 -authenticate",
        "1 +send",
        "1 -send",
        "1 +wait",
        "1 -wait",
        "1 +receive",
        "1 -receive",
    ];
    assert_eq!(told.script(), first);
    assert_eq!(told.detail("authenticate").as_deref(), Some("Basic"));
    ask(&mut exchange, post("<q/>")).await.unwrap();
    assert_eq!(told.script()[first.len()..], ["1 +send", "1 -send", "1 +wait", "1 -wait", "1 +receive", "1 -receive"]);
}

#[tokio::test]
async fn bytes_are_those_of_the_messages() {
    let answer = "HTTP/1.1 200 OK\r\ncontent-type: text/xml\r\ncontent-length: 0000000005\r\n\r\nabcde";
    let mut server =
        Server::start(vec![vec![Do::Read, Do::Write(answer.into()), Do::Read, Do::Write(answer.into()), Do::Hold]])
            .await;
    let told = Told::new();
    let mut plain = settings(&server, "127.0.0.1", &told);
    plain.authenticator = ann();
    let mut exchange = dial(plain);
    assert_eq!(ask(&mut exchange, post("<one/>")).await.unwrap(), (200, "abcde".to_owned()));
    let first = server.request().await;
    assert_eq!(told.bytes(1), (first.len() as u64, answer.len() as u64));
    ask(&mut exchange, post("<another/>")).await.unwrap();
    let both = first.len() + server.request().await.len();
    assert_eq!(told.bytes(1), (both as u64, 2 * answer.len() as u64));
}

#[tokio::test]
async fn an_empty_post_says_so_and_has_every_phase() {
    let mut server = Server::start(vec![vec![Do::Read, ok(""), Do::Read, ok(""), Do::Hold]]).await;
    let told = Told::new();
    let mut exchange = dial(settings(&server, "127.0.0.1", &told));
    for _ in 0..2 {
        assert_eq!(ask(&mut exchange, post("")).await.unwrap(), (200, String::new()));
        assert!(server.request().await.contains("\r\ncontent-length: 0\r\n"));
    }
    let send = ["1 +send", "1 -send", "1 +wait", "1 -wait", "1 +receive", "1 -receive"];
    assert_eq!(told.script()[3..], [send, send].concat());
}

/// A body larger than what the system takes at once.
fn large() -> crate::wire::HttpRequest {
    let mut request = post("");
    request.body = vec![b'x'; 32 << 20].into();
    request
}

/// Drops the exchange of `request` when `line` was told; the server must then see the end.
async fn cancelled(settings: crate::wire::DialSettings, told: &Told, request: crate::wire::HttpRequest, line: &str) {
    let mut exchange = dial(settings);
    tokio::select! {
        answer = exchange.exchange(request) => panic!("answered {:?}", answer.map(|answer| answer.status)),
        () = told.until(line) => {}
    }
    assert!(exchange.connection().is_none(), "dropping the future alone closes the connection");
}

fn closed(told: &Told) -> usize {
    told.script().iter().filter(|line| line.contains("closed")).count()
}

#[tokio::test]
async fn cancelled_before_tcp_is_up_nothing_was_opened() {
    let mut server = Server::start(vec![]).await;
    let told = Told::new();
    let mut resolving = settings(&server, "cim.example", &told);
    resolving.resolver = std::sync::Arc::new(Names::Stall);
    cancelled(resolving, &told, post("x"), "- +resolve").await;
    let mut connecting = settings(&server, "127.0.0.1", &told);
    connecting.connect_hook = Some(std::sync::Arc::new(Faulty(vec![(server.address.ip(), None)])));
    cancelled(connecting, &told, post("x"), "1 +connect").await;
    assert_eq!(told.script(), ["- +resolve", "1 +connect", "1 -connect"]);
    assert_eq!(server.seen(), []);
}

#[tokio::test]
async fn cancelled_at_each_later_phase_the_peer_reads_the_end_and_it_is_told_once() {
    for (phase, script, request) in
        [("send", vec![Do::Wait, Do::Hold], large()), ("wait", vec![Do::Read, Do::Hold], post("x"))]
    {
        let mut server = Server::start(vec![script]).await;
        let told = Told::new();
        cancelled(settings(&server, "127.0.0.1", &told), &told, request, &format!("1 +{phase}")).await;
        server.go();
        assert_eq!(server.eof().await, 0);
        let script = told.script();
        assert_eq!(script[script.len() - 4..], [&format!("1 -{phase}"), "1 +close", "1 -close", "1 closed Us"]);
        assert_eq!(closed(&told), 1);
    }
}

#[tokio::test]
async fn cancelled_while_tls_begins() {
    let mut server = Server::start(vec![vec![Do::Hold]]).await;
    let told = Told::new();
    let trust = std::sync::Arc::new(crate::wire::Trust::nobody().unwrap());
    cancelled(tls_settings(&server, "127.0.0.1", trust, &told), &told, post("x"), "1 +tls").await;
    assert_eq!(server.eof().await, 0);
    let script = ["1 +connect", "1 -connect", "1 opened", "1 +tls", "1 -tls", "1 +close", "1 -close", "1 closed Us"];
    assert_eq!(told.script(), script);
}

#[tokio::test]
async fn cancelled_while_receiving() {
    let half = write("HTTP/1.1 200 OK\ncontent-length: 10\n\nhalf");
    let mut server = Server::start(vec![vec![Do::Read, half, Do::Hold]]).await;
    let told = Told::new();
    let mut exchange = dial(settings(&server, "127.0.0.1", &told));
    let mut answer = exchange.exchange(post("x")).await.unwrap();
    assert_eq!(answer.body.chunk().await.unwrap().unwrap(), "half");
    drop(exchange);
    assert_eq!(closed(&told), 0, "the body still holds the connection");
    drop(answer);
    assert_eq!(server.eof().await, 0);
    assert_eq!(told.script()[8..], ["1 -receive", "1 +close", "1 -close", "1 closed Us"]);
    assert_eq!(told.bytes(1).1, "HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhalf".len() as u64);
}

#[tokio::test]
async fn close_closes() {
    let mut server = Server::start(vec![vec![Do::Read, ok("x"), Do::Hold]]).await;
    let told = Told::new();
    let mut exchange = dial(settings(&server, "127.0.0.1", &told));
    ask(&mut exchange, post("x")).await.unwrap();
    exchange.close();
    assert_eq!(server.eof().await, 0);
    assert_eq!(closed(&told), 1);
}

/// Sockets of this process whose other end is `port`, as `/proc/net/tcp` has them: state and inode. A socket nobody holds
/// any more has inode 0.
#[cfg(target_os = "linux")]
fn held_sockets(port: u16) -> Vec<(String, String)> {
    let table = std::fs::read_to_string("/proc/self/net/tcp").unwrap();
    let lines = table.lines().skip(1).map(|line| line.split_whitespace().map(str::to_owned).collect::<Vec<_>>());
    let to_port = lines.filter(|line| line[2].ends_with(&format!(":{port:04X}")));
    to_port.map(|line| (line[3].clone(), line[9].clone())).filter(|(_, inode)| inode != "0").collect()
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn closed_means_that_the_process_holds_no_socket() {
    let mut server = Server::start(vec![vec![Do::Read, ok("x"), Do::Hold]]).await;
    let mut exchange = dial(settings(&server, "127.0.0.1", &Told::new()));
    assert_eq!(held_sockets(server.address.port()), []);
    ask(&mut exchange, post("x")).await.unwrap();
    let held = held_sockets(server.address.port());
    assert!(matches!(held.as_slice(), [(state, _)] if state == "01"), "{held:?}");
    drop(exchange);
    server.eof().await;
    assert_eq!(held_sockets(server.address.port()), []);
}
