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
