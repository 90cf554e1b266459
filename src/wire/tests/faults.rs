//! Answers that break off, break HTTP or break the limits.

use super::support::*;
use crate::op::{ErrorKind, OpError, Phase};

async fn answered(script: Vec<Do>) -> OpError {
    let server = Server::start(vec![[vec![Do::Read], script].concat()]).await;
    failure(settings(&server, "127.0.0.1", &Told::new()), post("x")).await
}

fn is(error: &OpError, phase: Phase, kind: ErrorKind, words: &str) {
    assert_eq!((error.phase, &error.kind), (phase, &kind), "{error}");
    assert!(error.cause().contains(words), "{error}");
    assert!(!error.hint.is_empty() && error.target.starts_with("127.0.0.1:"), "{error:?}");
}

#[tokio::test]
async fn closed_before_the_answer() {
    is(&answered(vec![Do::Close]).await, Phase::Wait, ErrorKind::ConnectionLost, "without answering");
    let half = vec![write("HTTP/1.1 200 O"), Do::Close];
    assert_eq!(answered(half).await.kind, ErrorKind::ConnectionLost);
}

#[tokio::test]
async fn reset_before_the_answer() {
    let server = Server::start(vec![vec![Do::Reset]]).await;
    let error = failure(settings(&server, "127.0.0.1", &Told::new()), post("x")).await;
    is(&error, Phase::Wait, ErrorKind::ConnectionLost, "without answering");
    assert!(error.cause().contains("reset"), "{error}");
}

#[tokio::test]
async fn closed_amid_the_answer() {
    for half in [
        "content-length: 10\n\nhalf",
        "transfer-encoding: chunked\n\n4\nhalf\n",
        "transfer-encoding: chunked\n\n9\nhalf",
    ] {
        let server = Server::start(vec![vec![Do::Read, write(&format!("HTTP/1.1 200 OK\n{half}")), Do::Close]]).await;
        let told = Told::new();
        let mut exchange = dial(settings(&server, "127.0.0.1", &told));
        let mut answer = exchange.exchange(post("x")).await.unwrap();
        assert_eq!(answer.body.chunk().await.unwrap().unwrap(), "half", "what came before is kept");
        let error = answer.body.chunk().await.unwrap_err();
        is(&error, Phase::Receive, ErrorKind::ConnectionLost, "before the answer was complete");
        assert_eq!(told.script()[8..], ["1 -receive!ConnectionLost", "1 +close", "1 -close", "1 closed Peer"]);
    }
}

#[tokio::test]
async fn not_http() {
    for text in ["SSH-2.0-OpenSSH_9.9\n", "HTTP/1.1 abc\n\n", "HTTP/1.1 200 OK\nbad header\n\n", "<html></html>\n\n"] {
        let error = answered(vec![write(text), Do::Hold]).await;
        is(&error, Phase::Wait, ErrorKind::BadHttp, "the answer is not HTTP");
        assert!(error.hint.contains("https"), "{}", error.hint);
    }
    let lengths = write("HTTP/1.1 200 OK\ncontent-length: 1\ncontent-length: 2\n\nx");
    is(&answered(vec![lengths, Do::Hold]).await, Phase::Wait, ErrorKind::BadHttp, "");
    let chunks = write("HTTP/1.1 200 OK\ntransfer-encoding: chunked\n\nnot a size\n");
    is(&answered(vec![chunks, Do::Hold]).await, Phase::Receive, ErrorKind::BadHttp, "");
}

#[tokio::test]
async fn a_tls_server_asked_in_clear_text() {
    // The alert of RFC 8446 section 6: fatal, unexpected_message.
    let alert = Do::Write(vec![0x15, 3, 3, 0, 2, 2, 10]);
    let error = answered(vec![alert, Do::Close]).await;
    is(&error, Phase::Wait, ErrorKind::BadHttp, "not HTTP");
    assert!(error.hint.contains("use https"), "{}", error.hint);
    let error = answered(vec![Do::Close]).await;
    assert!(error.hint.contains("use https"), "{}", error.hint);
}

fn with_fields(count: usize, bytes: usize) -> Do {
    let fields: String = (0..count).map(|n| format!("x-{n}: {}\n", "v".repeat(bytes))).collect();
    write(&format!("HTTP/1.1 200 OK\n{fields}content-length: 1\n\n1"))
}

#[tokio::test]
async fn header_blocks_have_limits() {
    let server = Server::start(vec![vec![Do::Read, with_fields(255, 900), Do::Hold]]).await;
    let mut exchange = dial(settings(&server, "127.0.0.1", &Told::new()));
    assert_eq!(ask(&mut exchange, post("x")).await.unwrap().1, "1", "at the limit");

    let fields = answered(vec![with_fields(256, 1), Do::Hold]).await;
    is(&fields, Phase::Wait, ErrorKind::Limit("header_fields"), "257 header fields, the limit is 256");
    let bytes = answered(vec![with_fields(1, 256 << 10), Do::Hold]).await;
    is(&bytes, Phase::Wait, ErrorKind::Limit("header_bytes"), "the limit is 262144");
    // Beyond these the HTTP library itself gives up.
    for far in [with_fields(2_000, 1), with_fields(1, 1 << 20)] {
        let error = answered(vec![far, Do::Hold]).await;
        is(&error, Phase::Wait, ErrorKind::Limit("header_bytes"), "header block");
    }
}

#[tokio::test]
async fn an_error_in_plain_text_shows_no_control_characters() {
    let reason = "HTTP/1.1 500 \u{1b}[31mred\u{7}\nx: y\ncontent-length: 0\n\n";
    let server = Server::start(vec![vec![Do::Read, write(reason), Do::Hold]]).await;
    let mut exchange = dial(settings(&server, "127.0.0.1", &Told::new()));
    match exchange.exchange(post("x")).await {
        Ok(answer) => assert!(!answer.reason.chars().any(char::is_control), "{:?}", answer.reason),
        Err(error) => assert!(!error.to_string().chars().any(char::is_control), "{error:?}"),
    }
}
