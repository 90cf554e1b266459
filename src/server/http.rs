//! The HTTP front: heads, credentials, limits and framing of answers.
//!
//! Owns: which requests reach CIM-XML or WS-Man at all, and how an answer is framed: with its length when it is small, chunked
//! while it is still being produced otherwise. Must not know what is inside a body.

use std::{borrow::Cow, convert::Infallible, fmt, sync::Arc};

use bytes::Bytes;
use http_body_util::{BodyExt, Either, Full, Limited, StreamBody};
use hyper::{body::Frame, body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::sync::mpsc;

use super::{
    ServerLimits,
    cimxml::{CimXml, PIECE, Piece, Pieces, Refusal},
    guard::{Guard, Refused},
    listen::{Connection, Stream},
    seen::SeenRequest,
    wsman::WsMan,
};

/// The extension an `M-POST` declares in `Man` (DSP0200 section 6.2, RFC 2774).
const EXTENSION: &str = "http://www.dmtf.org/cim/mapping/http/v1.0";
/// The prefix of the fields of our answers to `M-POST`.
const NUMBER: &str = "27";
/// A refused request's body up to this size is read and thrown away, so that its connection can go on.
const DRAINED: u64 = 64 * 1024;

/// A request's head, whoever read it. It holds the credential as sent, so it has no `Debug`.
#[derive(Clone)]
pub(super) struct Head {
    pub(super) method: String,
    pub(super) target: String,
    pub(super) headers: Vec<(String, String)>,
}

impl Head {
    /// The first field `name`, without regard to case.
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// Whether it is for WS-Man: everything else is for CIM-XML.
    pub(super) fn is_wsman(&self) -> bool {
        self.target == "/wsman"
    }

    /// Whether the fields of CIM-XML come with the prefix that `Man` declares.
    fn is_extended(&self) -> bool {
        self.method == "M-POST"
    }

    /// The prefix that `Man` declares for the fields of CIM-XML, such as `73-`.
    fn prefix(&self) -> Option<String> {
        let mut parts = self.header("man")?.split(';').map(str::trim);
        let extension = parts.next()?.trim_matches('"');
        let number = parts.find_map(|part| part.strip_prefix("ns="))?;
        let is_number = number.len() == 2 && number.bytes().all(|byte| byte.is_ascii_digit());
        (extension == EXTENSION && is_number).then(|| format!("{number}-"))
    }

    /// The head with the fields of an `M-POST` under their own names.
    pub(super) fn without_prefix(mut self) -> Self {
        if self.is_extended()
            && let Some(prefix) = self.prefix()
        {
            for (name, _) in &mut self.headers {
                if let Some(own) = name.strip_prefix(&prefix) {
                    *name = own.to_owned();
                }
            }
        }
        self
    }

    fn of<B>(request: &hyper::Request<B>) -> Self {
        Self {
            method: request.method().to_string(),
            target: request.uri().to_string(),
            headers: request
                .headers()
                .iter()
                .map(|(name, value)| (name.to_string(), String::from_utf8_lossy(value.as_bytes()).into_owned()))
                .collect(),
        }
    }

    /// The form in which a server remembers it; the log takes the credential out.
    pub(super) fn seen(&self, connection: u64) -> SeenRequest {
        SeenRequest {
            connection,
            method: self.method.clone(),
            target: self.target.clone(),
            headers: self.headers.clone(),
        }
    }
}

/// An answer, not yet framed.
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) headers: Vec<(Cow<'static, str>, String)>,
    pub(super) body: AnswerBody,
}

/// The body of an answer.
pub(super) enum AnswerBody {
    /// All of it.
    Whole(Bytes),
    /// Its beginning, and where the rest comes from.
    Pieces(Bytes, mpsc::Receiver<Piece>),
}

/// The producer of an answer ended before its end: the connection must break, or the client would take it for complete.
#[derive(Debug)]
pub(super) struct Broken;

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the answer could not be completed")
    }
}

impl std::error::Error for Broken {}

impl Answer {
    fn bare(status: u16) -> Self {
        Self { status, headers: Vec::new(), body: AnswerBody::Whole(Bytes::new()) }
    }

    fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    /// The answer to `head`: for an `M-POST` the fields of CIM-XML have a prefix, which `Man` declares.
    fn to(mut self, head: &Head) -> Self {
        if !head.is_extended() {
            return self;
        }
        for (name, _) in self.headers.iter_mut().filter(|(name, _)| name.starts_with("CIM")) {
            *name = format!("{NUMBER}-{name}").into();
        }
        self.with("Ext", "").with("Cache-Control", "no-cache").with("Man", format!("{EXTENSION}; ns={NUMBER}"))
    }

    fn challenged(refused: Refused) -> Self {
        refused.challenges.into_iter().fold(Self::bare(401), |answer, one| answer.with("WWW-Authenticate", one))
    }

    fn refused(refusal: &Refusal) -> Self {
        let answer = Self::bare(refusal.status()).with("CIMError", refusal.cim_error());
        match refusal.detail() {
            Some(detail) => answer.with("LazycimErrorDetail", percent_encoded(detail)),
            None => answer,
        }
    }
}

fn percent_encoded(text: &str) -> String {
    url::form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>().replace('+', "%20")
}

/// What answers requests: the credential check in front of CIM-XML and WS-Man.
pub(super) struct Backend {
    cimxml: Arc<CimXml>,
    wsman: Arc<WsMan>,
    guard: Option<Guard>,
    limits: ServerLimits,
}

/// As whom a request was let in.
pub(super) struct Entry {
    /// `Authentication-Info` of its answer.
    info: Option<String>,
    /// Nobody: it may only ask who is there.
    anonymous: bool,
}

impl Backend {
    pub(super) fn new(cimxml: CimXml, wsman: WsMan, guard: Option<Guard>, limits: ServerLimits) -> Self {
        Self { cimxml: Arc::new(cimxml), wsman: Arc::new(wsman), guard, limits }
    }

    /// Lets a request in, or answers one that must not get further. Judged by its head alone: before its body is read.
    pub(super) fn admit(&self, head: &Head) -> Result<Entry, Answer> {
        let entry = self.enter(head)?;
        let methods = if head.is_wsman() { "POST" } else { "POST, M-POST" };
        match head.method.as_str() {
            "POST" => {}
            "M-POST" if !head.is_wsman() && head.prefix().is_some() => {}
            "M-POST" if !head.is_wsman() => return Err(Answer::bare(510)),
            _ => return Err(Answer::bare(405).with("Allow", methods)),
        }
        let length = head.header("content-length").and_then(|text| text.trim().parse::<u64>().ok());
        if length.is_some_and(|length| length > self.limits.request_bytes as u64) {
            return Err(Answer::bare(413));
        }
        if head.is_wsman() {
            return if WsMan::takes(head) { Ok(entry) } else { Err(Answer::bare(415)) };
        }
        match self.cimxml.check_head(head) {
            Ok(()) => Ok(entry),
            Err(refusal) => Err(Answer::refused(&refusal).to(head)),
        }
    }

    fn enter(&self, head: &Head) -> Result<Entry, Answer> {
        let Some(guard) = &self.guard else { return Ok(Entry { info: None, anonymous: false }) };
        match guard.admit(head) {
            Ok(admitted) => Ok(Entry { info: admitted.info, anonymous: false }),
            Err(_) if head.is_wsman() && WsMan::is_anonymous(head) => Ok(Entry { info: None, anonymous: true }),
            Err(refused) => Err(Answer::challenged(refused)),
        }
    }

    /// Answers a request that was let in.
    pub(super) async fn answer(&self, head: Head, body: Bytes, entry: Entry) -> Answer {
        let answer =
            if head.is_wsman() { self.wsman(body, entry.anonymous).await } else { self.cimxml(head, body).await };
        match entry.info {
            Some(info) => answer.with("Authentication-Info", info),
            None => answer,
        }
    }

    async fn wsman(&self, body: Bytes, anonymous: bool) -> Answer {
        let wsman = Arc::clone(&self.wsman);
        match tokio::task::spawn_blocking(move || wsman.answer(&body, anonymous)).await {
            Ok(Some(reply)) => {
                let body = AnswerBody::Whole(reply.body.into());
                Answer { status: reply.status, headers: Vec::new(), body }.with("Content-Type", reply.media)
            }
            // Without credentials nothing but Identify is answered.
            Ok(None) => self.guard.as_ref().map_or(Answer::bare(500), |guard| Answer::challenged(guard.refuse())),
            Err(_) => Answer::bare(500),
        }
    }

    async fn cimxml(&self, head: Head, body: Bytes) -> Answer {
        let (pieces, mut made) = mpsc::channel(4);
        let cimxml = Arc::clone(&self.cimxml);
        let asked = head.clone();
        tokio::task::spawn_blocking(move || cimxml.answer(&asked, &body, Pieces::new(pieces)));
        let answer = match made.recv().await {
            Some(Piece::Refused(refusal)) => Answer::refused(&refusal),
            // Passed on early because there is a lot of it: more is being made.
            Some(Piece::Bytes(first)) if first.len() >= PIECE => success(AnswerBody::Pieces(first, made)),
            Some(Piece::Bytes(all)) => match made.recv().await {
                Some(Piece::End) => success(AnswerBody::Whole(all)),
                _ => Answer::bare(500),
            },
            Some(Piece::End) | None => Answer::bare(500),
        };
        answer.to(&head)
    }
}

fn success(body: AnswerBody) -> Answer {
    Answer { status: 200, headers: Vec::new(), body }
        .with("Content-Type", "application/xml; charset=\"utf-8\"")
        .with("CIMOperation", "MethodResponse")
}

type BoxedStream = std::pin::Pin<Box<dyn futures_util::Stream<Item = Result<Frame<Bytes>, Broken>> + Send>>;
type OutBody = Either<Full<Bytes>, StreamBody<BoxedStream>>;

/// Speaks HTTP/1.1 on `stream` until either side has had enough.
pub(super) async fn serve<S: Stream + 'static>(stream: S, connection: &Connection) {
    let service = service_fn(|request: hyper::Request<Incoming>| async {
        let head = Head::of(&request);
        connection.seen.requested(head.seen(connection.number));
        Ok::<_, Infallible>(framed(respond(head, request.into_body(), connection).await))
    });
    // Errors here are the peer's: it left, sent no HTTP, or went silent. There is nobody to tell.
    let _ = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(connection.limits.idle)
        .max_headers(100)
        .serve_connection(TokioIo::new(stream), service)
        .await;
}

async fn respond(head: Head, body: Incoming, connection: &Connection) -> Answer {
    let (head, backend) = (head.without_prefix(), &connection.backend);
    let entry = match backend.admit(&head) {
        Ok(entry) => entry,
        Err(answer) => return if drain(body).await { answer } else { answer.with("Connection", "close") },
    };
    match Limited::new(body, connection.limits.request_bytes).collect().await {
        Ok(body) => backend.answer(head, body.to_bytes(), entry).await,
        Err(error) if error.is::<http_body_util::LengthLimitError>() => Answer::bare(413).with("Connection", "close"),
        Err(_) => Answer::bare(400).with("Connection", "close"),
    }
}

/// Reads a small body and throws it away; `false` if it is too long for that.
async fn drain(body: Incoming) -> bool {
    use hyper::body::Body as _;
    if body.size_hint().upper().is_none_or(|length| length > DRAINED) {
        return false;
    }
    Limited::new(body, DRAINED as usize).collect().await.is_ok()
}

fn framed(answer: Answer) -> hyper::Response<OutBody> {
    let body = match answer.body {
        AnswerBody::Whole(bytes) => Either::Left(Full::new(bytes)),
        AnswerBody::Pieces(first, made) => Either::Right(StreamBody::new(frames(first, made))),
    };
    let mut response = hyper::Response::new(body);
    *response.status_mut() =
        hyper::StatusCode::from_u16(answer.status).unwrap_or(hyper::StatusCode::INTERNAL_SERVER_ERROR);
    for (name, value) in answer.headers {
        if let (Ok(name), Ok(value)) =
            (hyper::header::HeaderName::from_bytes(name.as_bytes()), hyper::header::HeaderValue::from_str(&value))
        {
            response.headers_mut().append(name, value);
        }
    }
    response
}

fn frames(first: Bytes, mut made: mpsc::Receiver<Piece>) -> BoxedStream {
    let mut first = Some(first);
    let mut ended = false;
    Box::pin(futures_util::stream::poll_fn(move |cx| {
        use std::task::Poll;
        if let Some(first) = first.take() {
            return Poll::Ready(Some(Ok(Frame::data(first))));
        }
        if ended {
            return Poll::Ready(None);
        }
        made.poll_recv(cx).map(|piece| match piece {
            Some(Piece::Bytes(bytes)) => Some(Ok(Frame::data(bytes))),
            Some(Piece::End) => {
                ended = true;
                None
            }
            Some(Piece::Refused(_)) | None => {
                ended = true;
                Some(Err(Broken))
            }
        })
    }))
}
