//! The HTTP front: heads, credentials, limits and framing of answers.
//!
//! Owns: which requests reach CIM-XML at all, and how an answer is framed: with its length when it is small, chunked
//! while it is still being produced otherwise. Must not know what is inside a body.

use std::{borrow::Cow, convert::Infallible, fmt, sync::Arc};

use base64::Engine as _;
use bytes::Bytes;
use http_body_util::{BodyExt, Either, Full, Limited, StreamBody};
use hyper::{body::Frame, body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use secrecy::ExposeSecret;
use subtle::ConstantTimeEq;
use tokio::sync::mpsc;
use zeroize::Zeroizing;

use super::{
    ServerLimits,
    cimxml::{CimXml, PIECE, Piece, Pieces, Refusal},
    listen::{Connection, Stream},
    seen::SeenRequest,
};
use crate::auth::Credentials;

/// The realm of our 401.
const CHALLENGE: &str = "Basic realm=\"lazycim\"";
/// The extension an `M-POST` declares in `Man` (DSP0200 section 6.2, RFC 2774).
const EXTENSION: &str = "http://www.dmtf.org/cim/mapping/http/v1.0";
/// The prefix of the fields of our answers to `M-POST`.
const NUMBER: &str = "27";
/// A refused request's body up to this size is read and thrown away, so that its connection can go on.
const DRAINED: u64 = 64 * 1024;
/// `user:password` in an Authorization header is compared up to this length.
const CREDENTIAL_MAX: usize = 1024;

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

/// What answers requests: the credential check in front of CIM-XML.
pub(super) struct Backend {
    cimxml: Arc<CimXml>,
    expected: Option<Zeroizing<Vec<u8>>>,
    limits: ServerLimits,
}

impl Backend {
    pub(super) fn new(cimxml: CimXml, credentials: Option<Credentials>, limits: ServerLimits) -> Self {
        let expected = credentials.map(|credentials| {
            let secret = credentials.secret.expose_secret();
            let mut text = Zeroizing::new(Vec::with_capacity(credentials.user.len() + 1 + secret.len()));
            text.extend_from_slice(credentials.user.as_bytes());
            text.push(b':');
            text.extend_from_slice(secret.as_bytes());
            text
        });
        Self { cimxml: Arc::new(cimxml), expected, limits }
    }

    /// The answer to a request that must not get further, judged by its head alone: before its body is read.
    pub(super) fn refuse(&self, head: &Head) -> Option<Answer> {
        if !self.authorized(head) {
            return Some(Answer::bare(401).with("WWW-Authenticate", CHALLENGE));
        }
        match head.method.as_str() {
            "POST" => {}
            "M-POST" if head.prefix().is_some() => {}
            "M-POST" => return Some(Answer::bare(510)),
            _ => return Some(Answer::bare(405).with("Allow", "POST, M-POST")),
        }
        let length = head.header("content-length").and_then(|text| text.trim().parse::<u64>().ok());
        if length.is_some_and(|length| length > self.limits.request_bytes as u64) {
            return Some(Answer::bare(413));
        }
        self.cimxml.check_head(head).err().map(|refusal| Answer::refused(&refusal).to(head))
    }

    /// Whether the head carries the right credential. Neither the time it takes nor the answer tells how much was right.
    fn authorized(&self, head: &Head) -> bool {
        let Some(expected) = &self.expected else { return true };
        let Some((scheme, token)) = head.header("authorization").and_then(|value| value.trim().split_once(' ')) else {
            return false;
        };
        let token = Zeroizing::new(base64::engine::general_purpose::STANDARD.decode(token.trim()).unwrap_or_default());
        scheme.eq_ignore_ascii_case("basic") && same(expected, &token)
    }

    /// Answers a request that [`Self::refuse`] let through.
    pub(super) async fn answer(&self, head: Head, body: Bytes) -> Answer {
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

/// Compares without leaving early, also when the lengths differ.
fn same(expected: &[u8], given: &[u8]) -> bool {
    let padded = |bytes: &[u8]| {
        let mut buffer = Zeroizing::new([0_u8; CREDENTIAL_MAX]);
        for (to, from) in buffer.iter_mut().zip(bytes) {
            *to = *from;
        }
        buffer
    };
    let bytes = padded(expected).as_slice().ct_eq(padded(given).as_slice());
    let lengths = (expected.len() as u64).ct_eq(&(given.len() as u64));
    let fits = subtle::Choice::from(u8::from(expected.len() <= CREDENTIAL_MAX));
    (bytes & lengths & fits).into()
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
    if let Some(answer) = backend.refuse(&head) {
        return if drain(body).await { answer } else { answer.with("Connection", "close") };
    }
    match Limited::new(body, connection.limits.request_bytes).collect().await {
        Ok(body) => backend.answer(head, body.to_bytes()).await,
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
