//! Playing a scenario on a connection.
//!
//! Owns: reading requests and writing answers by hand, so that an answer can be anything at all. Must not know what the
//! bytes mean beyond the framing of HTTP/1.1 (RFC 9112).

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use super::{Answer, At, Framing, Moment, Part, Scenario, Step, Then, parts};
use crate::server::{
    cimxml::Piece,
    http::{self, AnswerBody, Head},
    listen::{Connection, Stream},
    wsman,
};

/// The largest head read.
const HEAD_MAX: usize = 64 * 1024;

/// Why a connection ends.
enum End {
    Close,
    Reset,
}

/// Serves `stream` by `scenario` to its end.
pub(in crate::server) async fn play(scenario: &Scenario, mut stream: TcpStream, connection: &Connection) {
    let moment =
        Moment { at: At::Accept, nth: connection.number, method: "", operation: None, scheme: None, body: &[] };
    if let Some((step, count)) = scenario.step(&moment)
        && let Err(end) = before_anything(step, count, &mut stream, connection).await
    {
        return finish(&stream, &end);
    }
    let end = match &connection.acceptor {
        None => talk(scenario, &mut stream, connection).await,
        Some(acceptor) => match acceptor.accept(&mut stream).await {
            Ok(mut secured) => {
                let end = talk(scenario, &mut secured, connection).await;
                if matches!(end, End::Close) {
                    // Says close_notify; a client that has left does not hear it.
                    let _ = secured.shutdown().await;
                }
                end
            }
            Err(_) => End::Close,
        },
    };
    finish(&stream, &end);
}

fn finish(stream: &TcpStream, end: &End) {
    if matches!(end, End::Reset) {
        // Without this option the system would end the stream politely.
        let _ = stream.set_zero_linger();
    }
}

async fn before_anything(step: &Step, count: u64, stream: &mut TcpStream, connection: &Connection) -> Result<(), End> {
    pause(step, connection).await;
    if let Answer::Raw(raw) = &step.answer {
        write(step, parts::counted(raw, count), stream).await?;
    }
    afterwards(step, stream).await
}

async fn pause(step: &Step, connection: &Connection) {
    if let Some(gate) = &step.wait_for {
        connection.seen.pass_gate(gate).await;
    }
    if step.delay_ms > 0 {
        tokio::time::sleep(Duration::from_millis(step.delay_ms)).await;
    }
}

async fn afterwards<S: Stream>(step: &Step, stream: &mut S) -> Result<(), End> {
    match step.then {
        Then::KeepOpen if step.drop_after.is_none() => Ok(()),
        Then::Stall => {
            until_the_client_leaves(stream).await;
            Err(End::Close)
        }
        Then::Reset => Err(End::Reset),
        Then::Close | Then::KeepOpen => Err(End::Close),
    }
}

/// Never writes; ends when the peer closes.
async fn until_the_client_leaves<S: Stream>(stream: &mut S) {
    let mut ignored = [0_u8; 4096];
    while stream.read(&mut ignored).await.is_ok_and(|read| read > 0) {}
}

async fn talk<S: Stream>(scenario: &Scenario, stream: &mut S, connection: &Connection) -> End {
    let mut unread = BytesMut::new();
    loop {
        let Some(head) = read_head(stream, &mut unread).await else { return End::Close };
        let nth = connection.seen.requested(head.seen(connection.number)) as u64;
        let head = head.without_prefix();
        let Some(body) = read_body(stream, &mut unread, &head, connection.limits.request_bytes).await else {
            return End::Close;
        };
        let moment = Moment {
            at: At::Request,
            nth,
            method: &head.method,
            operation: if head.is_wsman() { wsman::operation(&body) } else { head.header("cimmethod") },
            scheme: head.header("authorization").map(|value| value.split(' ').next().unwrap_or_default()),
            body: &body,
        };
        let step = scenario.step(&moment);
        let closing = head.header("connection").is_some_and(|value| value.eq_ignore_ascii_case("close"));
        let outcome = match step {
            Some((step, count)) => act(step, count, head, body, stream, connection).await,
            None => pass(&Step::plain(), head, body, stream, connection).await,
        };
        match outcome {
            Err(end) => return end,
            Ok(()) if closing => return End::Close,
            Ok(()) => {}
        }
    }
}

impl Step {
    /// The step that changes nothing.
    fn plain() -> Self {
        Self {
            at: At::Request,
            nth: None,
            method: None,
            operation: None,
            authorized: None,
            scheme: None,
            contains: None,
            times: None,
            played: std::sync::atomic::AtomicU64::new(0),
            wait_for: None,
            delay_ms: 0,
            answer: Answer::Pass,
            chunk_sizes: Vec::new(),
            between_ms: 0,
            drop_after: None,
            close_header: false,
            then: Then::KeepOpen,
        }
    }
}

async fn act<S: Stream>(
    step: &Step,
    count: u64,
    head: Head,
    body: Bytes,
    stream: &mut S,
    connection: &Connection,
) -> Result<(), End> {
    pause(step, connection).await;
    match &step.answer {
        Answer::Pass => pass(step, head, body, stream, connection).await?,
        Answer::Raw(raw) => write(step, parts::counted(raw, count), stream).await?,
        Answer::Http { status, reason, headers, framing, body } => {
            let mut text = status_line(*status, reason.as_deref());
            headers.iter().for_each(|(name, value)| text.push_str(&format!("{name}: {value}\r\n")));
            framed(step, text, *framing, parts::counted(body, count), stream).await?;
        }
    }
    afterwards(step, stream).await
}

fn status_line(status: u16, reason: Option<&str>) -> String {
    let known = hyper::StatusCode::from_u16(status).ok().and_then(|status| status.canonical_reason());
    format!("HTTP/1.1 {status} {}\r\n", reason.or(known).unwrap_or_default())
}

/// The real answer, written the way the step wants it.
async fn pass<S: Stream>(
    step: &Step,
    head: Head,
    body: Bytes,
    stream: &mut S,
    connection: &Connection,
) -> Result<(), End> {
    let answer = match connection.backend.admit(&head) {
        Err(answer) => answer,
        Ok(entry) => connection.backend.answer(head, body, entry).await,
    };
    let mut text = status_line(answer.status, None);
    answer.headers.iter().for_each(|(name, value)| text.push_str(&format!("{name}: {value}\r\n")));
    match answer.body {
        AnswerBody::Whole(bytes) => framed(step, text, Framing::Length, vec![Part::Bytes(bytes)], stream).await,
        AnswerBody::Pieces(first, mut made) => {
            let mut parts = vec![Part::Bytes(first)];
            loop {
                match made.recv().await {
                    Some(Piece::Bytes(bytes)) => parts.push(Part::Bytes(bytes)),
                    Some(Piece::End) => break,
                    Some(Piece::Refused(_)) | None => return Err(End::Close),
                }
            }
            framed(step, text, Framing::Chunked, parts, stream).await
        }
    }
}

async fn framed<S: Stream>(
    step: &Step,
    mut head: String,
    framing: Framing,
    body: Vec<Part>,
    stream: &mut S,
) -> Result<(), End> {
    if step.close_header {
        head.push_str("Connection: close\r\n");
    }
    let mut parts = match framing {
        Framing::Length => {
            head.push_str(&format!("Content-Length: {}\r\n", parts::length(&body)));
            body
        }
        Framing::None => body,
        Framing::Chunked => {
            head.push_str("Transfer-Encoding: chunked\r\n");
            chunked(body, &step.chunk_sizes)
        }
    };
    head.push_str("\r\n");
    parts.insert(0, Part::Bytes(head.into()));
    write(step, parts, stream).await?;
    if step.close_header { Err(End::Close) } else { Ok(()) }
}

fn chunked(body: Vec<Part>, sizes: &[usize]) -> Vec<Part> {
    let mut out = Vec::new();
    for piece in parts::Cutter::new(body, sizes) {
        out.push(Part::Bytes(format!("{:x}\r\n", piece.len()).into()));
        out.push(Part::Bytes(piece));
        out.push(Part::Bytes(Bytes::from_static(b"\r\n")));
    }
    out.push(Part::Bytes(Bytes::from_static(b"0\r\n\r\n")));
    out
}

async fn write<S: Stream>(step: &Step, parts: Vec<Part>, stream: &mut S) -> Result<(), End> {
    let mut left = step.drop_after.unwrap_or(u64::MAX);
    let mut first = true;
    for mut piece in parts::Cutter::new(parts, &step.chunk_sizes) {
        if !first && step.between_ms > 0 {
            tokio::time::sleep(Duration::from_millis(step.between_ms)).await;
        }
        first = false;
        piece.truncate(usize::try_from(left).unwrap_or(usize::MAX));
        left -= piece.len() as u64;
        // A client that has left ends the connection, whatever the step wanted.
        stream.write_all(&piece).await.map_err(|_| End::Close)?;
        stream.flush().await.map_err(|_| End::Close)?;
        if left == 0 {
            break;
        }
    }
    Ok(())
}

/// Reads a head; `None` if the client left, or sent none within the limit.
async fn read_head<S: Stream>(stream: &mut S, unread: &mut BytesMut) -> Option<Head> {
    let end = loop {
        if let Some(at) = memchr::memmem::find(unread, b"\r\n\r\n") {
            break at;
        }
        if unread.len() > HEAD_MAX || stream.read_buf(unread).await.ok()? == 0 {
            return None;
        }
    };
    let head = unread.split_to(end + 4);
    let text = String::from_utf8_lossy(head.get(..end)?).into_owned();
    let mut lines = text.split("\r\n");
    let mut start = lines.next()?.split(' ');
    let (method, target) = (start.next()?.to_owned(), start.next()?.to_owned());
    let headers =
        lines.filter_map(|line| line.split_once(':')).map(|(name, value)| (name.to_owned(), value.trim().to_owned()));
    Some(Head { method, target, headers: headers.collect() })
}

/// Reads the body a head announces with `Content-Length`; our own client never sends another kind.
async fn read_body<S: Stream>(stream: &mut S, unread: &mut BytesMut, head: &http::Head, limit: usize) -> Option<Bytes> {
    let length = head.header("content-length").map_or(Some(0), |text| text.parse::<usize>().ok())?;
    if length > limit {
        return None;
    }
    while unread.len() < length {
        if stream.read_buf(unread).await.ok()? == 0 {
            return None;
        }
    }
    Some(unread.split_to(length).freeze())
}
