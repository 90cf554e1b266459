//! Heads of HTTP messages: their size, and what they say about the body and the connection.
//!
//! Owns: message framing as RFC 9112 and the field's servers have it. Must not know connections.

use ::http::{HeaderMap, Method, StatusCode, Version, header};

use super::fault::plain;
use crate::op::Closer;

/// What follows the head of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Framing {
    /// There is a body to read.
    pub has_body: bool,
    /// Set where the connection cannot carry another exchange: who ends it.
    pub ends: Option<Closer>,
}

/// The framing of `response`: RFC 9112 section 6.3, except that an answer other than 2xx with neither `Content-Length` nor
/// `Transfer-Encoding` has no body. OpenPegasus sends such answers with 400 and 501 and keeps the connection open, so
/// reading to the close would never end.
pub(super) fn framing(response: &reqwest::Response) -> Framing {
    frame(response.status(), response.version(), response.headers())
}

fn frame(status: StatusCode, version: Version, headers: &HeaderMap) -> Framing {
    let delimited = headers.contains_key(header::CONTENT_LENGTH) || headers.contains_key(header::TRANSFER_ENCODING);
    if status == StatusCode::NO_CONTENT || status == StatusCode::NOT_MODIFIED {
        return Framing { has_body: false, ends: Some(Closer::Us) };
    }
    if !delimited {
        let has_body = status.is_success();
        let ends = if has_body { Closer::Peer } else { Closer::Us };
        return Framing { has_body, ends: Some(ends) };
    }
    let closes = says(headers, "close") || (version < Version::HTTP_11 && !says(headers, "keep-alive"));
    Framing { has_body: true, ends: closes.then_some(Closer::Peer) }
}

fn says(headers: &HeaderMap, option: &str) -> bool {
    let values = headers.get_all(header::CONNECTION).iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).any(|said| said.trim().eq_ignore_ascii_case(option))
}

fn fields(headers: &HeaderMap) -> u64 {
    headers.iter().map(|(name, value)| (name.as_str().len() + value.len() + ": \r\n".len()) as u64).sum()
}

/// The bytes of a request's head as it is written.
pub(super) fn request_bytes(method: &Method, path: &str, headers: &HeaderMap) -> u64 {
    let line = method.as_str().len() + path.len() + "  HTTP/1.1\r\n\r\n".len();
    line as u64 + fields(headers)
}

/// The bytes of an answer's head as it was read, with one space after each colon: the library does not tell otherwise.
pub(super) fn answer_bytes(response: &reqwest::Response) -> u64 {
    let reason = match response.extensions().get::<hyper::ext::ReasonPhrase>() {
        Some(reason) => reason.as_bytes().len(),
        None => response.status().canonical_reason().map_or(0, str::len),
    };
    ("HTTP/1.1 200 \r\n\r\n".len() + reason) as u64 + fields(response.headers())
}

/// The reason phrase as sent, in plain text.
pub(super) fn reason(response: &reqwest::Response) -> String {
    match response.extensions().get::<hyper::ext::ReasonPhrase>() {
        Some(reason) => plain(&String::from_utf8_lossy(reason.as_bytes())),
        None => response.status().canonical_reason().unwrap_or_default().to_owned(),
    }
}
