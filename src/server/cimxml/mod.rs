//! CIM-XML on the server's side (DSP0200 1.3, DSP0201 2.3).
//!
//! Owns: reading requests, writing answers and what each operation answers. Must not know sockets or HTTP framing: it gets
//! a head and a body and gives pieces of an answer.

mod association;
mod operation;
mod pull;
mod qualifier;
mod request;
mod select;
mod write;

#[cfg(test)]
mod tests;

use std::sync::Arc;

use bytes::Bytes;
use tokio::sync::mpsc;

pub(super) use request::percent_decoded;
pub(super) use write::{Wanted, class};

use super::{enumeration::Enumerations, http::Head, instances::Stop, repository::Repository};

/// A piece of an answer is handed on when it has grown to this many bytes. An answer that stays below has one piece and
/// is sent with its length.
pub(super) const PIECE: usize = 16 * 1024;

/// What the producer of an answer tells the HTTP front.
#[derive(Debug)]
pub(super) enum Piece {
    /// The request is answered by HTTP alone.
    Refused(Refusal),
    /// More of the body.
    Bytes(Bytes),
    /// The body is complete.
    End,
}

/// Why a request is not answered with CIM-XML (DSP0200 section 6.3.5, header `CIMError`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    /// `request-not-well-formed`: not XML.
    NotWellFormed(String),
    /// `request-not-valid`: XML, but not a CIM-XML request.
    NotValid(String),
    /// `header-mismatch`: head and body contradict each other.
    HeaderMismatch(String),
    /// `unsupported-operation`: `CIMOperation` is missing or not `MethodCall`.
    UnsupportedOperation,
    /// `unsupported-protocol-version`
    UnsupportedProtocolVersion(String),
    /// `unsupported-cim-version`
    UnsupportedCimVersion(String),
    /// `unsupported-dtd-version`
    UnsupportedDtdVersion(String),
    /// `multiple-requests-unsupported`
    MultipleRequests,
    /// The body is not XML by its `Content-Type`: HTTP status 415.
    MediaType(String),
}

impl Refusal {
    /// The HTTP status.
    pub(super) const fn status(&self) -> u16 {
        match self {
            Self::NotWellFormed(_) | Self::NotValid(_) | Self::HeaderMismatch(_) | Self::UnsupportedOperation => 400,
            Self::UnsupportedProtocolVersion(_)
            | Self::UnsupportedCimVersion(_)
            | Self::UnsupportedDtdVersion(_)
            | Self::MultipleRequests => 501,
            Self::MediaType(_) => 415,
        }
    }

    /// The value of `CIMError`.
    pub(super) const fn cim_error(&self) -> &'static str {
        match self {
            Self::NotWellFormed(_) => "request-not-well-formed",
            Self::NotValid(_) | Self::MediaType(_) => "request-not-valid",
            Self::HeaderMismatch(_) => "header-mismatch",
            Self::UnsupportedOperation => "unsupported-operation",
            Self::UnsupportedProtocolVersion(_) => "unsupported-protocol-version",
            Self::UnsupportedCimVersion(_) => "unsupported-cim-version",
            Self::UnsupportedDtdVersion(_) => "unsupported-dtd-version",
            Self::MultipleRequests => "multiple-requests-unsupported",
        }
    }

    /// What is wrong, in words.
    pub(super) fn detail(&self) -> Option<&str> {
        match self {
            Self::NotWellFormed(text)
            | Self::NotValid(text)
            | Self::HeaderMismatch(text)
            | Self::UnsupportedProtocolVersion(text)
            | Self::UnsupportedCimVersion(text)
            | Self::UnsupportedDtdVersion(text)
            | Self::MediaType(text) => Some(text),
            Self::UnsupportedOperation | Self::MultipleRequests => None,
        }
    }
}

/// The client has left: whoever produces the answer stops.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Gone;

/// The writing end of an answer. Blocks its thread while the client is slower than the producer.
pub(super) struct Pieces {
    text: String,
    sent: bool,
    to: mpsc::Sender<Piece>,
}

impl Pieces {
    pub(super) fn new(to: mpsc::Sender<Piece>) -> Self {
        Self { text: String::with_capacity(PIECE + PIECE / 4), sent: false, to }
    }

    /// Where to write. Call [`Self::pass_on`] between items.
    pub(super) fn text(&mut self) -> &mut String {
        &mut self.text
    }

    /// Hands the text on if there is enough of it.
    pub(super) fn pass_on(&mut self) -> Result<(), Gone> {
        if self.text.len() < PIECE { Ok(()) } else { self.send() }
    }

    fn send(&mut self) -> Result<(), Gone> {
        let text = std::mem::replace(&mut self.text, String::with_capacity(PIECE + PIECE / 4));
        self.sent = true;
        self.to.blocking_send(Piece::Bytes(text.into())).map_err(|_| Gone)
    }

    /// Takes back everything written, if none of it has left yet.
    fn take_back(&mut self) -> bool {
        if !self.sent {
            self.text.clear();
        }
        !self.sent
    }

    fn end(mut self) {
        if (self.text.is_empty() || self.send().is_ok()) && self.to.blocking_send(Piece::End).is_err() {
            // The client has left; nobody is owed an end.
        }
    }

    fn refuse(self, refusal: Refusal) {
        // A client that has left needs no refusal.
        let _ = self.to.blocking_send(Piece::Refused(refusal));
    }
}

/// The CIM-XML service over a repository.
pub(super) struct CimXml {
    repository: Arc<Repository>,
    enumerations: Arc<Enumerations>,
}

impl CimXml {
    pub(super) fn new(repository: Arc<Repository>, enumerations: Arc<Enumerations>) -> Self {
        Self { repository, enumerations }
    }

    /// Checks what can be checked before the body is read.
    #[allow(clippy::unused_self)]
    pub(super) fn check_head(&self, head: &Head) -> Result<(), Refusal> {
        request::check_head(head)
    }

    /// Answers a request. Blocks: providers read files, and a slow client is waited for.
    pub(super) fn answer(&self, head: &Head, body: &[u8], mut pieces: Pieces) {
        let call = match request::parse(body).and_then(|call| request::agree(head, call)) {
            Ok(call) => call,
            Err(refusal) => return pieces.refuse(refusal),
        };
        write::open(pieces.text(), &call);
        let begun = pieces.text().len();
        match operation::run(self, &call, &mut pieces) {
            Ok(()) => {}
            Err(Stop::Gone) => return,
            Err(Stop::Error(error)) => {
                if !pieces.take_back() {
                    // Part of a good answer has left: breaking off is the only honest way to end.
                    return;
                }
                write::open(pieces.text(), &call);
                debug_assert_eq!(pieces.text().len(), begun);
                write::error(pieces.text(), &error);
            }
        }
        write::close(pieces.text(), &call);
        pieces.end();
    }
}
