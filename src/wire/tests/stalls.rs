//! A server that stalls at each phase is given up with an error that names phase, target, limit and what to try.

use std::{sync::Arc, time::Duration};

use super::support::*;
use crate::{
    op::{ErrorKind, OpError, Phase},
    wire::{DialSettings, Trust},
};

fn short(mut settings: DialSettings) -> DialSettings {
    settings.timeouts.connect = SHORT;
    settings.timeouts.first_byte = SHORT;
    settings.timeouts.idle = SHORT;
    settings
}

fn is_time_out(error: &OpError, phase: Phase, key: &str, target: &str) {
    assert_eq!((error.phase, &error.kind), (phase, &ErrorKind::TimedOut), "{error}");
    assert!(error.cause().contains("within 100 ms"), "{error}");
    assert!(error.hint.contains(key), "{}", error.hint);
    assert!(error.target.starts_with(target), "{}", error.target);
}

#[tokio::test]
async fn resolve() {
    let (server, told) = (Server::start(vec![]).await, Told::new());
    let mut stalling = short(settings(&server, "cim.example", &told));
    stalling.resolver = Arc::new(Names::Stall);
    is_time_out(&failure(stalling, post("x")).await, Phase::Resolve, "timeouts.connect", "cim.example:");
    assert_eq!(told.script(), ["- +resolve", "- -resolve!TimedOut"]);
}

#[tokio::test]
async fn connect() {
    let (server, told) = (Server::start(vec![]).await, Told::new());
    let mut stalling = short(settings(&server, "127.0.0.1", &told));
    stalling.connect_hook = Some(Arc::new(Faulty(vec![(server.address.ip(), None)])));
    is_time_out(&failure(stalling, post("x")).await, Phase::Connect, "timeouts.connect", "127.0.0.1:");
    assert_eq!(told.script(), ["1 +connect", "1 -connect!TimedOut"]);
}

#[tokio::test]
async fn tls() {
    let (mut server, told) = (Server::start(vec![vec![Do::Hold]]).await, Told::new());
    let stalling = short(tls_settings(&server, "127.0.0.1", Arc::new(Trust::nobody().unwrap()), &told));
    is_time_out(&failure(stalling, post("x")).await, Phase::Tls, "timeouts.connect", "127.0.0.1:");
    assert_eq!(told.script()[3..], ["1 +tls", "1 -tls!TimedOut", "1 +close", "1 -close", "1 closed Us"]);
    assert_eq!(server.eof().await, 0);
}

#[tokio::test]
async fn send() {
    let (mut server, told) = (Server::start(vec![vec![Do::Wait, Do::Hold]]).await, Told::new());
    let mut request = post("");
    request.body = vec![b'x'; 32 << 20].into();
    let error = failure(short(settings(&server, "127.0.0.1", &told)), request).await;
    is_time_out(&error, Phase::Send, "timeouts.idle", "127.0.0.1:");
    server.go();
    assert_eq!(server.eof().await, 0);
}

#[tokio::test]
async fn wait() {
    for stalled in [vec![], vec![write("HTTP/1.1 200 OK\nhalf")]] {
        let script = [vec![Do::Read], stalled, vec![Do::Hold]].concat();
        let (mut server, told) = (Server::start(vec![script]).await, Told::new());
        let error = failure(short(settings(&server, "127.0.0.1", &told)), post("x")).await;
        is_time_out(&error, Phase::Wait, "timeouts.first_byte", "127.0.0.1:");
        assert_eq!(told.script()[6..], ["1 -wait!TimedOut", "1 +close", "1 -close", "1 closed Us"]);
        assert_eq!(server.eof().await, 0);
    }
}

#[tokio::test]
async fn receive() {
    for half in
        ["HTTP/1.1 200 OK\ncontent-length: 10\n\nhalf", "HTTP/1.1 200 OK\ntransfer-encoding: chunked\n\n4\nhalf\n"]
    {
        let (mut server, told) = (Server::start(vec![vec![Do::Read, write(half), Do::Hold]]).await, Told::new());
        let mut exchange = dial(short(settings(&server, "127.0.0.1", &told)));
        let mut answer = exchange.exchange(post("x")).await.unwrap();
        assert_eq!(answer.body.chunk().await.unwrap().unwrap(), "half");
        let error = answer.body.chunk().await.unwrap_err();
        is_time_out(&error, Phase::Receive, "timeouts.idle", "127.0.0.1:");
        assert_eq!(told.script()[8..], ["1 -receive!TimedOut", "1 +close", "1 -close", "1 closed Us"]);
        assert_eq!(server.eof().await, 0);
    }
}

#[tokio::test]
async fn time_our_own_consumer_takes_does_not_count() {
    let script = vec![Do::Read, write("HTTP/1.1 200 OK\ncontent-length: 8\n\nhalf"), Do::Wait, write("rest"), Do::Hold];
    let (server, told) = (Server::start(vec![script]).await, Told::new());
    let mut exchange = dial(settings(&server, "127.0.0.1", &told));
    let mut answer = exchange.exchange(post("x")).await.unwrap();
    assert_eq!(answer.body.chunk().await.unwrap().unwrap(), "half");
    tokio::time::pause();
    tokio::time::advance(Duration::from_secs(3_600)).await;
    tokio::time::resume();
    server.go();
    assert_eq!(read(&mut answer).await.unwrap(), "rest");
}
