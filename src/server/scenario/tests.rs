//! Scenarios parsed, and played to a bare socket.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod pull;
mod wsman;

use std::path::PathBuf;

use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::*;
use crate::server::{RunningServer, ServerOptions, start};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/scenarios")
}

fn load(name: &str) -> Scenario {
    Scenario::load(&folder().join(name).with_extension("toml")).unwrap_or_else(|error| panic!("{name}: {error}"))
}

fn parse(text: &str) -> Result<Scenario, ScenarioError> {
    Scenario::parse(text, &folder())
}

#[test]
fn every_scenario_of_the_house_is_read() {
    let mut seen = 0;
    for entry in std::fs::read_dir(folder()).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "toml") {
            let scenario = Scenario::load(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
            assert!(!scenario.about().is_empty());
            seen += 1;
        }
    }
    assert!(seen >= 40, "{seen} scenarios");
}

#[test]
fn unknown_keys_and_contradictions_are_errors() {
    let step = |text: &str| parse(&format!("about = \"x\"\n[[step]]\n{text}"));
    for (text, says) in [
        ("statsu = 200", "statsu"),
        ("then = \"explode\"", "explode"),
        ("raw_parts = [{ txt = \"a\" }]", "txt"),
        ("status = 200\nraw = \"x\"", "raw bytes stand alone"),
        ("body = \"x\"", "needs a status"),
        ("status = 200\nbody = \"x\"\nbody_file = \"begin.xml\"", "two ways"),
        ("at = \"accept\"\nstatus = 200", "before any request"),
        ("chunk_sizes = [1, 0]", "chunk size"),
        ("raw_file = \"../../Cargo.toml\"", "outside"),
        ("raw_file = \"no_such_file\"", "no_such_file"),
        ("raw_parts = [{ repeat = \"x\" }]", "a part is"),
        ("raw_parts = [{ repeat = \"\", endless = true }]", "a part is"),
        ("raw_parts = [{ text = \"x\", count = true }]", "a count stands alone"),
        ("at = \"accept\"\nmethod = \"POST\"", "before any request"),
        ("at = \"accept\"\nscheme = \"Basic\"", "before any request"),
        ("at = \"accept\"\ncontains = \"x\"", "before any request"),
        ("raw_parts = [{ file = \"begin.xml\", endless = true }]", "a part is"),
    ] {
        let error = step(text).expect_err(text).to_string();
        assert!(error.contains(says), "{text}: {error}");
    }
    assert!(parse("step = []").is_err(), "a scenario says what it is about");
}

proptest::proptest! {
    #[test]
    fn cutting_changes_no_byte(
        texts in proptest::collection::vec(("[a-z]{0,9}", 0_u64..5), 0..6),
        sizes in proptest::collection::vec(1_usize..7, 0..4),
    ) {
        let mut whole = String::new();
        let mut given = Vec::new();
        for (text, times) in texts {
            whole.push_str(&text);
            given.push(Part::Bytes(text.clone().into()));
            if !text.is_empty() {
                whole.push_str(&text.repeat(usize::try_from(times).unwrap()));
                given.push(Part::Repeat { unit: text.into(), times });
            }
        }
        proptest::prop_assert_eq!(parts::length(&given), whole.len() as u64);
        let pieces: Vec<Bytes> = parts::Cutter::new(given, &sizes).collect();
        proptest::prop_assert_eq!(pieces.concat(), whole.as_bytes());
        if let Some(last) = sizes.last() {
            proptest::prop_assert!(pieces.iter().skip(sizes.len()).all(|piece| piece.len() <= *last));
        }
    }
}

const REQUEST: &str = "<?xml version=\"1.0\"?><CIM CIMVERSION=\"2.0\" DTDVERSION=\"2.0\"><MESSAGE ID=\"1\" \
    PROTOCOLVERSION=\"1.0\"><SIMPLEREQ><IMETHODCALL NAME=\"EnumerateInstances\"><LOCALNAMESPACEPATH>\
    <NAMESPACE NAME=\"root\"/><NAMESPACE NAME=\"interop\"/></LOCALNAMESPACEPATH><IPARAMVALUE NAME=\"ClassName\">\
    <CLASSNAME NAME=\"CIM_Namespace\"/></IPARAMVALUE></IMETHODCALL></SIMPLEREQ></MESSAGE></CIM>";

fn request(more: &str) -> String {
    format!(
        "POST /cimom HTTP/1.1\r\nHost: x\r\nContent-Type: application/xml\r\nCIMOperation: MethodCall\r\n\
         CIMMethod: EnumerateInstances\r\nCIMObject: root/interop\r\n{more}Content-Length: {}\r\n\r\n{REQUEST}",
        REQUEST.len()
    )
}

async fn server(name: &str) -> RunningServer {
    start(ServerOptions::scripted(load(name))).await.expect("a server")
}

async fn connect(server: &RunningServer) -> tokio::net::TcpStream {
    tokio::net::TcpStream::connect(server.addr()).await.expect("a connection")
}

/// Sends one request and reads until the server closes.
async fn exchange(server: &RunningServer, more: &str) -> std::io::Result<String> {
    let mut stream = connect(server).await;
    stream.write_all(request(more).as_bytes()).await.expect("written");
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await?;
    Ok(String::from_utf8_lossy(&answer).into_owned())
}

/// Reads until `mark` has arrived; the connection stays open.
async fn read_until(stream: &mut tokio::net::TcpStream, mark: &str) -> String {
    let mut all = Vec::new();
    while memchr::memmem::find(&all, mark.as_bytes()).is_none() {
        assert_ne!(stream.read_buf(&mut all).await.expect("readable"), 0, "closed before {mark}");
    }
    String::from_utf8_lossy(&all).into_owned()
}

#[tokio::test]
async fn answers_break_off_where_the_script_says() {
    for (name, end) in [("close_in_answer", Ok(400)), ("close_without_bytes", Ok(0)), ("reset_mid_answer", Err(()))] {
        let outcome = exchange(&server(name).await, "").await;
        assert_eq!(outcome.map(|text| text.len()).map_err(|_| ()), end, "{name}");
    }
}

#[tokio::test]
async fn a_stalled_answer_neither_goes_on_nor_ends() {
    let server = server("stall_mid_body").await;
    let mut stream = connect(&server).await;
    stream.write_all(request("").as_bytes()).await.unwrap();
    let mut begun = vec![0; 1500];
    stream.read_exact(&mut begun).await.expect("what comes before the stall");
    let mut connections = server.connections();
    assert_eq!(*connections.borrow(), 1);
    stream.shutdown().await.unwrap();
    connections.wait_for(|open| *open == 0).await.expect("the server notices that the client left");
    assert_eq!(stream.read(&mut begun).await.unwrap(), 0, "nothing more was sent");
}

#[tokio::test]
async fn challenges_stand_before_the_real_answer_and_secrets_are_not_remembered() {
    let server = server("challenge_once").await;
    let first = exchange(&server, "Connection: close\r\n").await.unwrap();
    assert!(first.starts_with("HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Basic realm=\"lab\"\r\n"), "{first}");
    let second = exchange(&server, "Authorization: Basic c2VjcmV0\r\nConnection: close\r\n").await.unwrap();
    assert!(second.starts_with("HTTP/1.1 200 OK\r\n") && second.contains("root/interop"), "{second}");
    let seen = server.seen();
    assert_eq!((seen.connections, seen.requests), (2, 2));
    assert_eq!(seen.heads[0].header("authorization"), None);
    assert_eq!(seen.heads[1].header("authorization"), Some("Basic"));
}

#[tokio::test]
async fn endless_answers_end_when_the_client_leaves() {
    let server = server("endless_attribute").await;
    let mut stream = connect(&server).await;
    stream.write_all(request("").as_bytes()).await.unwrap();
    read_until(&mut stream, "CIMVERSION=\"2222").await;
    drop(stream);
    server.connections().wait_for(|open| *open == 0).await.unwrap();
}

#[tokio::test]
async fn a_gate_holds_the_answer_until_the_test_opens_it() {
    let server = server("held_at_the_gate").await;
    let mut stream = connect(&server).await;
    stream.write_all(request("").as_bytes()).await.unwrap();
    server.requests().wait_for(|count| *count == 1).await.unwrap();
    let mut byte = [0];
    assert!(stream.try_read(&mut byte).is_err(), "nothing before the gate opens");
    server.open_gate("go");
    assert!(read_until(&mut stream, "</CIM>").await.starts_with("HTTP/1.1 200 OK"));
}

#[tokio::test]
async fn what_the_server_says_is_framed_as_the_script_wants() {
    let padded = exchange(&server("zero_padded_length").await, "Connection: close\r\n").await.unwrap();
    let (head, body) = padded.split_once("\r\n\r\n").unwrap();
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")).unwrap();
    assert_eq!((length.len(), length.parse::<usize>().unwrap()), (10, body.len()));
    let closing = exchange(&server("close_after_each_answer").await, "").await.unwrap();
    assert!(closing.contains("\r\nConnection: close\r\n") && closing.contains("root/interop"), "{closing}");
    let pieces = exchange(&server("slow_pieces").await, "Connection: close\r\n").await.unwrap();
    assert!(pieces.trim_end().ends_with("</CIM>"), "{pieces}");
    let bare = server("bad_request_without_length").await;
    let mut stream = connect(&bare).await;
    stream.write_all(request("").as_bytes()).await.unwrap();
    let head = read_until(&mut stream, "\r\n\r\n").await.to_ascii_lowercase();
    assert!(head.starts_with("http/1.1 400") && !head.contains("content-length") && !head.contains("encoding"));
}

#[tokio::test]
async fn a_capture_is_sent_as_it_was_recorded() {
    let capture = tempfile::tempdir().unwrap();
    std::fs::write(capture.path().join("x.resp.http"), "HTTP/1.1 200 OK\r\ncontent-length: 0002\r\n\r\nhi").unwrap();
    let text = "about = \"a capture\"\n[[step]]\nraw_file = \"x.resp.http\"\nthen = \"close\"\n";
    let scenario = Scenario::parse(text, capture.path()).unwrap();
    let server = start(ServerOptions::scripted(scenario)).await.unwrap();
    assert_eq!(exchange(&server, "").await.unwrap(), "HTTP/1.1 200 OK\r\ncontent-length: 0002\r\n\r\nhi");
}
