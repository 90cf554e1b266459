//! The server over real loopback connections, without a scenario: hyper reads them.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::sync::Arc;

use base64::Engine as _;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::*;

fn credentials() -> Credentials {
    Credentials { user: "ann".to_owned(), secret: "p:w".to_owned().into() }
}

fn basic(text: &str) -> String {
    format!("Authorization: Basic {}\r\n", base64::engine::general_purpose::STANDARD.encode(text))
}

fn request(more: &str) -> String {
    let body = "<?xml version=\"1.0\"?><CIM CIMVERSION=\"2.0\" DTDVERSION=\"2.0\"><MESSAGE ID=\"1\" \
        PROTOCOLVERSION=\"1.0\"><SIMPLEREQ><IMETHODCALL NAME=\"EnumerateClasses\"><LOCALNAMESPACEPATH>\
        <NAMESPACE NAME=\"root\"/><NAMESPACE NAME=\"cimv2\"/></LOCALNAMESPACEPATH><IPARAMVALUE NAME=\"DeepInheritance\">\
        <VALUE>TRUE</VALUE></IPARAMVALUE></IMETHODCALL></SIMPLEREQ></MESSAGE></CIM>";
    format!(
        "POST /cimom HTTP/1.1\r\nHost: x\r\nContent-Type: application/xml\r\nCIMOperation: MethodCall\r\n\
         CIMMethod: EnumerateClasses\r\nCIMObject: root/cimv2\r\n{more}Content-Length: {}\r\n\r\n{body}",
        body.len()
    )
}

async fn exchange<S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin>(mut stream: S, request: &str) -> String {
    stream.write_all(request.as_bytes()).await.expect("written");
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.expect("the server closes");
    String::from_utf8_lossy(&answer).into_owned()
}

async fn plain(server: &RunningServer, request: &str) -> String {
    exchange(tokio::net::TcpStream::connect(server.addr()).await.unwrap(), request).await
}

#[tokio::test]
async fn only_the_right_credential_reads_and_large_answers_are_chunked() {
    let server = start(ServerOptions::loopback(credentials())).await.unwrap();
    assert!(server.addr().ip().is_loopback());
    for wrong in
        ["", &basic("ann:"), &basic("ann:p:"), &basic("ann:p:wx"), &basic("Ann:p:w"), "Authorization: Basic ?\r\n"]
    {
        let answer = plain(&server, &request(&format!("{wrong}Connection: close\r\n"))).await.to_ascii_lowercase();
        assert!(answer.starts_with("http/1.1 401"), "{wrong}: {answer}");
        assert!(answer.contains("www-authenticate: basic realm=\"lazycim\""), "{answer}");
    }
    let answer = plain(&server, &request(&format!("{}Connection: close\r\n", basic("ann:p:w")))).await;
    assert!(answer.starts_with("HTTP/1.1 200 OK"), "{answer}");
    assert!(answer.contains("transfer-encoding: chunked") && answer.ends_with("0\r\n\r\n"));
    let old = request(&basic("ann:p:w")).replacen("HTTP/1.1", "HTTP/1.0", 1);
    let answer = plain(&server, &old).await;
    assert!(!answer.contains("chunked") && answer.trim_end().ends_with("</CIM>"), "an old client is sent no chunks");
}

#[tokio::test]
async fn what_is_too_large_or_no_post_is_refused_before_its_body_is_read() {
    let mut options = ServerOptions::loopback(credentials());
    options.limits.request_bytes = 1000;
    let server = start(options).await.unwrap();
    let head = |method: &str, length: usize| {
        format!("{method} /cimom HTTP/1.1\r\nHost: x\r\n{}Content-Length: {length}\r\n\r\n", basic("ann:p:w"))
    };
    assert!(plain(&server, &head("POST", 1_000_000)).await.starts_with("HTTP/1.1 413"));
    assert!(plain(&server, &head("GET", 1_000_000)).await.starts_with("HTTP/1.1 405"));
    assert!(plain(&server, &head("M-POST", 1_000_000)).await.starts_with("HTTP/1.1 510"), "no extension is declared");
}

#[tokio::test]
async fn an_m_post_is_read_by_the_prefix_it_declares_and_answered_with_ours() {
    let server = start(ServerOptions::loopback(credentials())).await.unwrap();
    let more = format!("{}Connection: close\r\n", basic("ann:p:w"));
    let with = |man: &str| {
        let plain = request(&format!("{more}Man: {man}\r\n")).replacen("POST", "M-POST", 1);
        plain.replace("CIMOperation:", "73-CIMOperation:").replace("CIMMethod:", "73-CIMMethod:")
    };
    for man in
        ["http://www.dmtf.org/cim/mapping/http/v1.0 ; ns=73", "\"http://www.dmtf.org/cim/mapping/http/v1.0\";ns=73"]
    {
        let answer = plain(&server, &with(man)).await.to_ascii_lowercase();
        assert!(
            answer.starts_with("http/1.1 200 ok") && answer.contains("\r\n27-cimoperation: methodresponse"),
            "{answer}"
        );
        assert!(answer.contains("\r\next:") && !answer.contains("\r\ncimoperation"), "{answer}");
    }
    let other_number = with("http://www.dmtf.org/cim/mapping/http/v1.0; ns=74");
    let answer = plain(&server, &other_number).await.to_ascii_lowercase();
    assert!(answer.starts_with("http/1.1 400") && answer.contains("27-cimerror: unsupported-operation"), "{answer}");
    for man in ["http://example.org/other; ns=73", "http://www.dmtf.org/cim/mapping/http/v1.0", ""] {
        assert!(plain(&server, &with(man)).await.starts_with("HTTP/1.1 510"), "{man}");
    }
}

#[tokio::test]
async fn connections_are_counted_limited_and_gone_after_the_end() {
    let mut options = ServerOptions::loopback(credentials());
    options.limits.connections = 2;
    let server = start(options).await.unwrap();
    let mut connections = server.connections();
    let first = tokio::net::TcpStream::connect(server.addr()).await.unwrap();
    let mut second = tokio::net::TcpStream::connect(server.addr()).await.unwrap();
    connections.wait_for(|open| *open == 2).await.unwrap();
    let third = tokio::net::TcpStream::connect(server.addr()).await.unwrap();
    let waiting =
        tokio::spawn(
            async move { exchange(third, &request(&format!("{}Connection: close\r\n", basic("ann:p:w")))).await },
        );
    // The third is answered only because the first leaves.
    assert_eq!(server.seen().connections, 2);
    drop(first);
    assert!(waiting.await.unwrap().starts_with("HTTP/1.1 200 OK"));
    server.shut_down().await;
    assert_eq!(*connections.borrow(), 0);
    let mut byte = [0];
    assert!(!matches!(second.read(&mut byte).await, Ok(1..)), "the second was closed");
}

#[tokio::test]
async fn tls_speaks_with_the_certificate_it_was_given() {
    let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    let mut options = ServerOptions::loopback(credentials());
    let key = zeroize::Zeroizing::new(made.signing_key.serialize_pem());
    options.tls = Some(TlsIdentity::Pem { cert: made.cert.pem(), key: Arc::new(key) });
    let server = start(options).await.unwrap();
    assert!(server.url().starts_with("cimxml+https://127.0.0.1:"));
    let mut roots = rustls::RootCertStore::empty();
    roots.add(made.cert.der().clone()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let stream = tokio::net::TcpStream::connect(server.addr()).await.unwrap();
    let name = "localhost".to_owned().try_into().unwrap();
    let stream = tokio_rustls::TlsConnector::from(Arc::new(config)).connect(name, stream).await.unwrap();
    let answer = exchange(stream, &request(&format!("{}Connection: close\r\n", basic("ann:p:w")))).await;
    assert!(answer.starts_with("HTTP/1.1 200 OK"), "{answer}");
}

#[tokio::test]
async fn clear_text_does_not_leave_the_machine_by_accident() {
    let mut options = ServerOptions::loopback(credentials());
    options.listen = "0.0.0.0:0".parse().unwrap();
    assert!(matches!(start(options).await, Err(ServerError::ClearText(_))));
}

#[tokio::test]
async fn serving_as_a_command_tells_where_and_ends_when_told() {
    let (tell, told) = tokio::sync::oneshot::channel();
    let served = serve(ServeOptions::new(credentials()), |server| tell.send(server.addr()).unwrap(), async {});
    served.await.unwrap();
    assert!(told.await.unwrap().ip().is_loopback());
}

const IDENTIFY: &str = "<s:Envelope xmlns:s=\"http://www.w3.org/2003/05/soap-envelope\" \
    xmlns:i=\"http://schemas.dmtf.org/wbem/wsman/identity/1/wsmanidentity.xsd\"><s:Body><i:Identify/></s:Body></s:Envelope>";

fn envelope(body: &str, more: &str) -> String {
    format!(
        "POST /wsman HTTP/1.1\r\nHost: x\r\nContent-Type: application/soap+xml;charset=UTF-8\r\nConnection: close\r\n{more}\
         Content-Length: {}\r\n\r\n{body}",
        body.len()
    )
}

#[tokio::test]
async fn ws_man_is_served_on_the_same_port() {
    let server = start(ServerOptions::loopback(credentials())).await.unwrap();
    assert_eq!(server.wsman_url(), format!("wsman+http://{}/wsman", server.addr()));
    let answer = plain(&server, &envelope(IDENTIFY, &basic("ann:p:w"))).await;
    assert!(answer.starts_with("HTTP/1.1 200 OK") && answer.contains("<wsmid:ProductVendor>lazycim<"), "{answer}");
    assert!(answer.contains("content-type: application/soap+xml;charset=UTF-8"), "{answer}");
    assert!(plain(&server, &envelope(IDENTIFY, "")).await.starts_with("HTTP/1.1 401"));
    let anonymous = "WSMANIDENTIFY: unauthenticated\r\n";
    assert!(plain(&server, &envelope(IDENTIFY, anonymous)).await.starts_with("HTTP/1.1 200"));
    let nosy = plain(&server, &envelope("<a/>", anonymous)).await.to_ascii_lowercase();
    assert!(nosy.starts_with("http/1.1 401") && nosy.contains("www-authenticate: digest"), "{nosy}");
    let fault = plain(&server, &envelope("<a/>", &basic("ann:p:w"))).await;
    assert!(fault.starts_with("HTTP/1.1 500") && fault.contains("<f:WSManFault"), "{fault}");
    let with = |from: &str, to: &str| envelope(IDENTIFY, &basic("ann:p:w")).replacen(from, to, 1);
    assert!(plain(&server, &with("application/soap+xml", "application/xml")).await.starts_with("HTTP/1.1 415"));
    let get = plain(&server, &with("POST", "GET")).await.to_ascii_lowercase();
    assert!(get.starts_with("http/1.1 405") && get.contains("allow: post\r\n"), "{get}");
}

#[tokio::test]
async fn a_server_offers_the_schemes_it_is_told_to() {
    for (offer, count, has_basic) in [(Offer::Both, 3, true), (Offer::Basic, 1, true), (Offer::Digest, 2, false)] {
        let server = start(ServerOptions { offer, ..ServerOptions::loopback(credentials()) }).await.unwrap();
        let answer = plain(&server, &request("Connection: close\r\n")).await.to_ascii_lowercase();
        let fields: Vec<&str> = answer.lines().filter(|line| line.starts_with("www-authenticate:")).collect();
        assert_eq!((fields.len(), fields[0].contains(": basic")), (count, has_basic), "{fields:?}");
        let let_in = plain(&server, &request(&format!("{}Connection: close\r\n", basic("ann:p:w")))).await;
        assert_eq!(let_in.starts_with("HTTP/1.1 200"), has_basic, "{let_in}");
    }
}

/// The client's side of Digest against the server's: neither knows the other's hashes.
#[tokio::test]
async fn our_own_digest_is_let_in_and_told_that_we_know_the_password() {
    let options = ServerOptions { offer: Offer::Digest, ..ServerOptions::loopback(credentials()) };
    let server = start(options).await.unwrap();
    let mut client = crate::auth::authenticator_for("digest", credentials()).unwrap();
    let fields = |answer: &str, name: &str| -> Vec<String> {
        let wanted = format!("{name}: ");
        answer.lines().filter_map(|line| line.strip_prefix(&wanted)).map(str::to_owned).collect()
    };
    let refused = plain(&server, &envelope(IDENTIFY, "")).await;
    let offers = fields(&refused, "www-authenticate");
    let challenges = crate::auth::challenge::parse(offers.iter().map(String::as_bytes));
    assert_eq!(client.challenged(&challenges), crate::auth::Step::Again);
    for _ in 0..3 {
        let proof = client.authorization("POST", "/wsman").unwrap();
        let header = format!("Authorization: {}\r\n", String::from_utf8(proof.0.to_vec()).unwrap());
        let answer = plain(&server, &envelope(IDENTIFY, &header)).await;
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
        let info = fields(&answer, "authentication-info");
        assert!(info[0].contains("rspauth="));
        assert_eq!(client.accepted(Some(info[0].as_bytes())), Ok(()));
        let replayed = plain(&server, &envelope(IDENTIFY, &header)).await;
        assert!(replayed.starts_with("HTTP/1.1 401") && replayed.contains("stale=true"), "{replayed}");
    }
}
