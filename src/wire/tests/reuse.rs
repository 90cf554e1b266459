//! One connection carries what it may, and nothing is sent twice that must not be.

use std::time::Duration;

use super::support::*;
use crate::{
    op::{ErrorKind, Phase},
    wire::HttpRequest,
};

fn accepted(server: &mut Server) -> usize {
    server.seen().iter().filter(|saw| matches!(saw, Saw::Accepted(_))).count()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn several_exchanges_are_one_connection() {
    for _ in 0..50 {
        let script = vec![Do::Read, ok("1"), Do::Read, ok("2"), Do::Read, ok("3"), Do::Hold];
        let mut server = Server::start(vec![script]).await;
        let told = Told::new();
        let mut patient = settings(&server, "127.0.0.1", &told);
        // Neither is the connection replaced after a while, nor does a held back connect keep it open at the end.
        patient.reuse_grace = Duration::from_secs(3_600);
        let mut exchange = dial(patient);
        for n in ["1", "2", "3"] {
            assert_eq!(ask(&mut exchange, post("x")).await.unwrap().1, n);
        }
        drop(exchange);
        assert_eq!(server.eof().await, 0);
        assert_eq!(told.script().iter().filter(|line| line.contains("opened")).count(), 1);
    }
}

/// After `first`, the next exchange must dial anew; answers who closed the first connection.
async fn dials_anew(first: Vec<Do>, expected: &str) -> String {
    let server = Server::start(vec![first, vec![Do::Read, ok("new"), Do::Hold]]).await;
    let told = Told::new();
    let mut exchange = dial(settings(&server, "127.0.0.1", &told));
    assert_eq!(ask(&mut exchange, post("x")).await.unwrap().1, expected);
    let closed = told.script().into_iter().find(|line| line.starts_with("1 closed"));
    assert_eq!(ask(&mut exchange, post("x")).await.unwrap().1, "new");
    assert_eq!(exchange.connection().map(|conn| conn.0), Some(2));
    closed.expect("closed as soon as the answer was read")
}

#[tokio::test]
async fn an_answer_that_ends_its_connection_is_followed_by_a_new_one() {
    let close = write("HTTP/1.1 200 OK\nConnection: x, Close\nContent-Length: 1\n\n1");
    assert_eq!(dials_anew(vec![Do::Read, close, Do::Hold], "1").await, "1 closed Peer");
    let old = write("HTTP/1.0 200 OK\nContent-Length: 1\n\n1");
    assert_eq!(dials_anew(vec![Do::Read, old, Do::Hold], "1").await, "1 closed Peer");
    let endless = write("HTTP/1.1 200 OK\n\nuntil the end");
    assert_eq!(dials_anew(vec![Do::Read, endless, Do::Close], "until the end").await, "1 closed Peer");
    let bare = write("HTTP/1.1 400 Bad Request\nCIMError: header-mismatch\n\n");
    assert_eq!(dials_anew(vec![Do::Read, bare, Do::Hold], "").await, "1 closed Us");
}

/// SFCB answers ten requests on a connection and says so with the tenth.
#[tokio::test]
async fn a_server_that_closes_after_ten_requests_is_asked_on() {
    let closing = write("HTTP/1.1 200 OK\nConnection: close\nContent-Length: 2\n\n10");
    let answers = (1..10).map(|n| ok(&n.to_string())).chain([closing]);
    let first: Vec<Do> = answers.flat_map(|answer| [Do::Read, answer]).chain([Do::Close]).collect();
    let second = vec![Do::Read, ok("11"), Do::Read, ok("12"), Do::Hold];
    let server = Server::start(vec![first, second]).await;
    let mut exchange = dial(settings(&server, "127.0.0.1", &Told::new()));
    for n in 1..=12 {
        assert_eq!(ask(&mut exchange, post("x")).await.unwrap().1, n.to_string());
    }
    assert_eq!(exchange.connection().map(|conn| conn.0), Some(2));
}

#[tokio::test]
async fn http_1_0_with_keep_alive_and_chunked_answers_keep_their_connection() {
    let kept = write("HTTP/1.0 200 OK\nConnection: keep-alive\nContent-Length: 1\n\n1");
    let chunked = write("HTTP/1.1 200 OK\nTransfer-Encoding: chunked\n\n3\nabc\n0\n\n");
    let trailed = write("HTTP/1.1 200 OK\nTransfer-Encoding: chunked\n\n3\nxyz\n0\nCIMStatusCode: 0\n\n");
    let script = vec![Do::Read, chunked, Do::Read, trailed, Do::Read, kept, Do::Read, ok("3"), Do::Hold];
    let server = Server::start(vec![script]).await;
    let mut exchange = dial(settings(&server, "127.0.0.1", &Told::new()));
    for n in ["abc", "xyz", "1", "3"] {
        assert_eq!(ask(&mut exchange, post("x")).await.unwrap().1, n);
        assert_eq!(exchange.connection().map(|conn| conn.0), Some(1));
    }
}

#[tokio::test]
async fn a_body_dropped_before_its_end_closes_its_connection() {
    let half = write("HTTP/1.1 200 OK\nContent-Length: 10\n\nhalf");
    let mut server = Server::start(vec![vec![Do::Read, half, Do::Hold], vec![Do::Read, ok("new"), Do::Hold]]).await;
    let told = Told::new();
    let mut exchange = dial(settings(&server, "127.0.0.1", &told));
    drop(exchange.exchange(post("x")).await.unwrap());
    assert_eq!(told.script().last().unwrap(), "1 closed Us");
    assert_eq!(server.eof().await, 0);
    assert_eq!(ask(&mut exchange, post("x")).await.unwrap().1, "new");
}

#[tokio::test]
async fn a_body_still_read_keeps_its_connection_while_the_next_exchange_dials_anew() {
    let half = write("HTTP/1.1 200 OK\nContent-Length: 8\n\nhalf");
    let first = vec![Do::Read, half, Do::Wait, write("rest"), Do::Hold];
    let mut server = Server::start(vec![first, vec![Do::Read, ok("new"), Do::Hold]]).await;
    let told = Told::new();
    let mut hasty = settings(&server, "127.0.0.1", &told);
    hasty.reuse_grace = Duration::ZERO;
    let mut exchange = dial(hasty);
    let mut slow = exchange.exchange(post("x")).await.unwrap();
    assert_eq!(ask(&mut exchange, post("x")).await.unwrap().1, "new");
    assert_eq!(exchange.connection().map(|conn| conn.0), Some(2));
    assert!(!told.script().iter().any(|line| line.starts_with("1 closed")));
    server.go();
    assert_eq!(read(&mut slow).await.unwrap(), "halfrest");
    drop(slow);
    assert_eq!(server.eof().await, 0);
    assert!(told.script().iter().any(|line| line.starts_with("1 closed")));
}

#[tokio::test]
async fn a_connection_the_server_closed_while_idle_is_replaced_for_a_read() {
    let mut server =
        Server::start(vec![vec![Do::Read, ok("old"), Do::Close], vec![Do::Read, ok("new"), Do::Hold]]).await;
    let mut hasty = settings(&server, "127.0.0.1", &Told::new());
    hasty.reuse_grace = Duration::ZERO;
    let mut exchange = dial(hasty);
    ask(&mut exchange, post("x")).await.unwrap();
    assert_eq!(ask(&mut exchange, post("x")).await.unwrap().1, "new");
    assert_eq!(accepted(&mut server), 2);
}

#[tokio::test]
async fn a_read_is_sent_again_once_when_a_used_connection_stays_silent() {
    let silent = vec![Do::Read, ok("old"), Do::Read, Do::Close];
    let mut server = Server::start(vec![silent, vec![Do::Read, ok("new"), Do::Hold]]).await;
    let told = Told::new();
    let mut exchange = dial(settings(&server, "127.0.0.1", &told));
    ask(&mut exchange, post("x")).await.unwrap();
    assert_eq!(ask(&mut exchange, post("x")).await.unwrap().1, "new");
    assert_eq!(accepted(&mut server), 2);
    assert!(told.script().contains(&"1 -wait!ConnectionLost".to_owned()));
    assert!(told.script().contains(&"1 closed Peer".to_owned()));
}

#[tokio::test]
async fn a_read_is_not_sent_a_third_time() {
    let silent = vec![Do::Read, ok("old"), Do::Read, Do::Close];
    let mut server = Server::start(vec![silent, vec![Do::Read, Do::Close], vec![Do::Read, ok("no"), Do::Hold]]).await;
    let mut exchange = dial(settings(&server, "127.0.0.1", &Told::new()));
    ask(&mut exchange, post("x")).await.unwrap();
    let error = ask(&mut exchange, post("x")).await.unwrap_err();
    assert_eq!((error.phase, &error.kind), (Phase::Wait, &ErrorKind::ConnectionLost));
    assert_eq!(accepted(&mut server), 2);
}

#[tokio::test]
async fn what_changes_or_takes_something_is_never_sent_again() {
    for (is_write, hint) in [(true, "may have been carried out"), (false, "the server's log")] {
        let silent = vec![Do::Read, ok("old"), Do::Read, Do::Close];
        let mut server = Server::start(vec![silent, vec![Do::Read, ok("new"), Do::Hold]]).await;
        let mut exchange = dial(settings(&server, "127.0.0.1", &Told::new()));
        ask(&mut exchange, post("x")).await.unwrap();
        let request = HttpRequest { is_write, takes: !is_write, ..post("x") };
        let error = ask(&mut exchange, request).await.unwrap_err();
        assert_eq!((error.phase, &error.kind), (Phase::Wait, &ErrorKind::ConnectionLost));
        assert!(error.hint.contains(hint), "{}", error.hint);
        assert_eq!(accepted(&mut server), 1);
    }
}

#[tokio::test]
async fn a_first_connection_that_stays_silent_is_an_error_at_once() {
    let mut server = Server::start(vec![vec![Do::Read, Do::Close], vec![Do::Read, ok("no"), Do::Hold]]).await;
    let error = failure(settings(&server, "127.0.0.1", &Told::new()), post("x")).await;
    assert_eq!((error.phase, &error.kind), (Phase::Wait, &ErrorKind::ConnectionLost));
    assert!(error.cause().contains("without answering"));
    assert_eq!(accepted(&mut server), 1);
}
