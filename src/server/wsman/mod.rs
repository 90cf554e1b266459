//! WS-Man on the server's side (DSP0226 1.2, DSP0227 1.2), in the dialect of WinRM (MS-WSMV).
//!
//! Owns: from the bytes of a request to the bytes of its answer. Must not know sockets or HTTP beyond a head, nor the
//! client's codec.

mod envelope;
mod fault;
mod filter;
mod operation;
mod request;
mod resource;
mod write;

#[cfg(test)]
mod tests;

use std::sync::Arc;

use super::{enumeration::Enumerations, http::Head, repository::Repository};
use envelope::Element;
use fault::Fault;
use request::Request;

/// The WS-Man service over a repository.
pub(super) struct WsMan {
    repository: Arc<Repository>,
    enumerations: Arc<Enumerations>,
}

/// An answer, faults included.
#[derive(Debug)]
pub(super) struct Reply {
    /// The HTTP status.
    pub(super) status: u16,
    /// Its `Content-Type`.
    pub(super) media: &'static str,
    /// The envelope.
    pub(super) body: Vec<u8>,
}

/// How an envelope is written as bytes; an answer is written as its request was (DSP0226 section 13.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Charset {
    Utf8,
    Utf16Le,
    Utf16Be,
}

impl Charset {
    /// The charset of a document, by its byte order mark or else its first `<` (XML 1.0 appendix F).
    fn of(body: &[u8]) -> Self {
        match body {
            [0xFF, 0xFE, ..] | [b'<', 0, ..] => Self::Utf16Le,
            [0xFE, 0xFF, ..] | [0, b'<', ..] => Self::Utf16Be,
            _ => Self::Utf8,
        }
    }

    fn read(self, body: &[u8]) -> Option<String> {
        let encoding = match self {
            Self::Utf8 => encoding_rs::UTF_8,
            Self::Utf16Le => encoding_rs::UTF_16LE,
            Self::Utf16Be => encoding_rs::UTF_16BE,
        };
        let (text, broken) = encoding.decode_with_bom_removal(body);
        (!broken).then(|| text.into_owned())
    }

    fn write(self, text: &str) -> Vec<u8> {
        let units = || std::iter::once(0xFEFF).chain(text.encode_utf16());
        match self {
            Self::Utf8 => text.as_bytes().to_vec(),
            Self::Utf16Le => units().flat_map(u16::to_le_bytes).collect(),
            Self::Utf16Be => units().flat_map(u16::to_be_bytes).collect(),
        }
    }

    const fn media(self) -> &'static str {
        match self {
            Self::Utf8 => "application/soap+xml;charset=UTF-8",
            Self::Utf16Le | Self::Utf16Be => "application/soap+xml;charset=UTF-16",
        }
    }
}

impl WsMan {
    pub(super) fn new(repository: Arc<Repository>, enumerations: Arc<Enumerations>) -> Self {
        Self { repository, enumerations }
    }

    /// Whether the head announces an envelope (DSP0226 section 13.1); one without `Content-Type` may be one.
    pub(super) fn takes(head: &Head) -> bool {
        let kind = head.header("content-type").and_then(|media| media.split(';').next()).map(str::trim);
        kind.is_none_or(|kind| kind.eq_ignore_ascii_case("application/soap+xml"))
    }

    /// Whether who asks wants to be nobody, which is enough for Identify (MS-WSMV section 3.1.4.1).
    pub(super) fn is_anonymous(head: &Head) -> bool {
        let asks =
            head.header("wsmanidentify").is_some_and(|value| value.trim().eq_ignore_ascii_case("unauthenticated"));
        asks && head.header("authorization").is_none()
    }

    /// Answers a request; `None` where `anonymous` is not enough. Blocks: providers read files.
    pub(super) fn answer(&self, body: &[u8], anonymous: bool) -> Option<Reply> {
        let charset = Charset::of(body);
        let envelope = read(charset, body);
        if anonymous && !envelope.as_ref().is_ok_and(request::is_identify) {
            return None;
        }
        let (status, text) = match envelope.and_then(|envelope| Request::new(envelope, charset)) {
            Err(fault) => (fault::STATUS, fault.envelope(self.repository.host(), None)),
            Ok(request) => match operation::run(self, &request) {
                Ok(text) => (200, text),
                Err(fault) => (fault::STATUS, fault.envelope(self.repository.host(), request.message.as_deref())),
            },
        };
        Some(Reply { status, media: charset.media(), body: charset.write(&text) })
    }
}

fn read(charset: Charset, body: &[u8]) -> Result<Element, Fault> {
    let text = charset.read(body).ok_or_else(|| Fault::schema("the envelope is not in the charset it begins in"))?;
    envelope::read(&text)
}

/// The operation a body asks for, as scenarios name it.
pub(super) fn operation(body: &[u8]) -> Option<&'static str> {
    let envelope = read(Charset::of(body), body).ok()?;
    request::operation(&envelope)
}
