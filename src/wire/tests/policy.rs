//! What is never done, tried by servers that ask for it.

use super::support::*;

#[tokio::test]
async fn a_request_is_exactly_this() {
    let mut server = Server::start(vec![vec![Do::Read, ok("x"), Do::Hold]]).await;
    let mut request = post("<q/>");
    request.headers.push(("cimoperation".parse().unwrap(), "MethodCall".parse().unwrap()));
    request.headers.push(("content-type".parse().unwrap(), "application/xml; charset=utf-8".parse().unwrap()));
    ask(&mut dial(settings(&server, "127.0.0.1", &Told::new())), request).await.unwrap();
    // No TE, no Transfer-Encoding, no Accept-Encoding, no Referer, no Cookie, no User-Agent.
    let expected = format!(
        "POST /cimom HTTP/1.1\r\nhost: 127.0.0.1:{}\r\naccept: */*\r\ncimoperation: MethodCall\r\n\
         content-type: application/xml; charset=utf-8\r\ncontent-length: 4\r\n\r\n<q/>",
        server.address.port()
    );
    assert_eq!(server.request().await, expected);
}

#[tokio::test]
async fn a_large_body_has_a_length_too() {
    let mut server = Server::start(vec![vec![Do::Read, ok("x"), Do::Hold]]).await;
    let mut request = post("");
    request.body = vec![b'x'; 100_000].into();
    ask(&mut dial(settings(&server, "127.0.0.1", &Told::new())), request).await.unwrap();
    let seen = server.request().await;
    assert!(seen.contains("content-length: 100000\r\n") && !seen.contains("transfer-encoding"));
    assert!(seen.ends_with(&"x".repeat(100_000)));
}

#[tokio::test]
async fn redirects_are_not_followed() {
    for status in [301, 302, 303, 307, 308] {
        let mut elsewhere = Server::start(vec![vec![Do::Read, ok("gotcha"), Do::Hold]]).await;
        let answer =
            format!("HTTP/1.1 {status} Moved\nlocation: http://{}/cimom\ncontent-length: 0\n\n", elsewhere.address);
        let server = Server::start(vec![vec![Do::Read, write(&answer), Do::Hold]]).await;
        let mut exchange = dial(settings(&server, "127.0.0.1", &Told::new()));
        let mut answer = exchange.exchange(post("x")).await.unwrap();
        assert_eq!(answer.status, status);
        assert!(answer.headers["location"].to_str().unwrap().contains(&elsewhere.address.to_string()));
        assert_eq!(read(&mut answer).await.unwrap(), "");
        assert_eq!(elsewhere.seen(), []);
    }
}

#[tokio::test]
async fn nothing_is_retried() {
    for answer in ["503 Busy\nretry-after: 0", "408 Slow", "425 Early", "429 Many\nretry-after: 0"] {
        let answer = write(&format!("HTTP/1.1 {answer}\ncontent-length: 0\n\n"));
        let mut server = Server::start(vec![vec![Do::Read, answer, Do::Hold]]).await;
        let mut exchange = dial(settings(&server, "127.0.0.1", &Told::new()));
        assert!(ask(&mut exchange, post("x")).await.unwrap().0 >= 400);
        drop(exchange);
        assert_eq!(server.next().await, Saw::Accepted(0));
        assert!(matches!(server.next().await, Saw::Request(0, _)));
        assert_eq!(server.next().await, Saw::Eof(0, vec![]));
    }
}

#[tokio::test]
async fn cookies_are_not_kept_and_no_referer_is_sent() {
    let cookie = write("HTTP/1.1 200 OK\nset-cookie: a=b; Path=/\ncontent-length: 0\n\n");
    let mut server = Server::start(vec![vec![Do::Read, cookie, Do::Read, ok("x"), Do::Hold]]).await;
    let mut exchange = dial(settings(&server, "127.0.0.1", &Told::new()));
    ask(&mut exchange, post("x")).await.unwrap();
    let first = server.request().await;
    ask(&mut exchange, post("x")).await.unwrap();
    assert_eq!(server.request().await, first);
}

#[tokio::test]
async fn nothing_is_decompressed() {
    let packed = write("HTTP/1.1 200 OK\ncontent-encoding: gzip\ncontent-length: 4\n\nabcd");
    let server = Server::start(vec![vec![Do::Read, packed, Do::Hold]]).await;
    let mut exchange = dial(settings(&server, "127.0.0.1", &Told::new()));
    assert_eq!(ask(&mut exchange, post("x")).await.unwrap().1, "abcd");
}

#[tokio::test]
async fn an_error_with_neither_length_nor_chunking_has_no_body() {
    for status in [400, 404, 501] {
        let bare = write(&format!("HTTP/1.1 {status} No\nCIMError: request-not-valid\n\n"));
        let mut server = Server::start(vec![vec![Do::Read, bare, Do::Hold]]).await;
        let mut exchange = dial(settings(&server, "127.0.0.1", &Told::new()));
        assert_eq!(ask(&mut exchange, post("x")).await.unwrap(), (status, String::new()));
        assert_eq!(server.eof().await, 0);
    }
}

#[tokio::test]
async fn a_reason_of_the_servers_own_is_handed_on() {
    let answer = write("HTTP/1.1 400 Bad Request, unrecognized content type\ncontent-length: 0\n\n");
    let server = Server::start(vec![vec![Do::Read, answer, Do::Hold]]).await;
    let mut exchange = dial(settings(&server, "127.0.0.1", &Told::new()));
    let answer = exchange.exchange(post("x")).await.unwrap();
    assert_eq!(answer.reason, "Bad Request, unrecognized content type");
}

#[tokio::test]
async fn paths_that_would_say_something_else_are_refused() {
    for path in ["cimom", "/a?b", "/a#b", "/a\r\nx: y"] {
        let server = Server::start(vec![]).await;
        let mut request = post("x");
        request.path = path.to_owned();
        let error = failure(settings(&server, "127.0.0.1", &Told::new()), request).await;
        assert_eq!(error.kind, crate::op::ErrorKind::Configuration, "{path}");
    }
}

/// The variables are the process's, so another process of this test binary runs a plain exchange with them set to a proxy
/// where nobody listens.
#[test]
fn proxy_variables_are_not_obeyed() {
    let mut run = std::process::Command::new(std::env::current_exe().unwrap());
    run.args(["--exact", "wire::tests::life::every_phase_in_order"]).env_remove("NO_PROXY").env_remove("no_proxy");
    for variable in ["http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"] {
        run.env(variable, "http://127.0.0.1:9");
    }
    let output = run.output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && said.contains("1 passed"), "{said}");
}
