//! One request and the reading of its answer.
//!
//! Owns: what every request of an operation says alike, sending one over an exchange, telling WS-Man answers from others.
//! Must not know what the result is used for.

use std::sync::Arc;

use http::header;

use super::{
    decode::{Decoded, Decoder, Expect, Items},
    envelope::{self, Addressing},
    explain,
    request::Request,
    uuid::Uuid,
};
use crate::{
    cim::{CimClass, CimStatus, Namespace},
    op::{
        ErrorKind, OpError, Phase,
        explain::{answer::soap, exchange::send},
    },
    protocol::{
        OpContext,
        delivery::{Arrived, status_of, with_facts},
        explain::http,
        reply::{self, Answer},
        xml::encoding::charset_of,
    },
    session::RequestEncoding,
    wire::{self, Exchange, HttpRequest},
};

/// An answer being read.
pub type Reply = reply::Reply<Items>;

/// The bytes of an answer asked for: what Windows answers unless told otherwise (MS-WSMV section 3.1.4.1.31).
pub(super) const ENVELOPE_BYTES: u32 = 512_000;

/// How many times the size agreed an answer may have before it is given up. A server must not exceed what
/// `wsman:MaxEnvelopeSize` says where that must be understood (DSP0226 section 6.2). Some do not count, and answers are read as
/// they arrive, whatever their size: so there is much room, and an end.
const OVERSIZE: u64 = 16;

/// How an answer is to be decoded.
pub(super) struct Reading {
    /// What it brings.
    pub(super) expect: Expect,
    /// The class asked for, where it is known.
    pub(super) class: Option<Arc<CimClass>>,
    /// The decoder of the answer before it in the same result.
    pub(super) previous: Option<Decoder>,
}

impl Reading {
    /// An answer that brings `expect`, by itself.
    pub(super) const fn of(expect: Expect) -> Self {
        Self { expect, class: None, previous: None }
    }
}

/// Sends `request` and reads the head of its answer.
///
/// # Errors
/// Those of the connection; a status that tells all there is to know.
pub(super) async fn ask(
    cx: &OpContext<'_>,
    exchange: &mut dyn Exchange,
    request: &Request,
    locale: Option<&str>,
    reading: Reading,
) -> Result<Reply, OpError> {
    let built = addressing(cx, locale).and_then(|addressing| {
        let built = envelope::build(request, &addressing, &cx.target.path)?;
        Ok((built, addressing.envelope_bytes))
    });
    let (built, agreed) = built.map_err(|cause| {
        send::BAD_REQUEST.error(Phase::Send, cx.dial.peer_name(), ErrorKind::Configuration).because(cause)
    })?;
    send(cx, exchange, built, Some(request.namespace().clone()), reading, agreed).await
}

/// Asks who is there (DSP0226 section 11).
///
/// # Errors
/// As [`ask`].
pub(super) async fn identify(cx: &OpContext<'_>, exchange: &mut dyn Exchange) -> Result<Reply, OpError> {
    let request = envelope::identify(&cx.target.path, cx.target.user.is_none());
    send(cx, exchange, request, None, Reading::of(Expect::Identify), ENVELOPE_BYTES).await
}

async fn send(
    cx: &OpContext<'_>,
    exchange: &mut dyn Exchange,
    request: HttpRequest,
    namespace: Option<Namespace>,
    reading: Reading,
    agreed: u32,
) -> Result<Reply, OpError> {
    let target = cx.dial.peer_name();
    let request = match cx.target.wsman.encoding {
        RequestEncoding::Utf8 => request,
        RequestEncoding::Utf16 => envelope::in_utf16(request),
    };
    let answer = exchange.exchange(request).await?;
    let refusal = (!(200..300).contains(&answer.status))
        .then(|| http(target.clone(), answer.status, &answer.reason, &answer.headers));
    let refusal = match refusal {
        Some(error) if wire::field(&answer.headers, "CIMError").is_some() => {
            let mut other = soap::CIM_XML.error(Phase::Receive, target, ErrorKind::OtherProtocol);
            other.causes.extend(error.causes);
            return Err(other);
        }
        Some(error) if !matches!(error.kind, ErrorKind::Http(_)) => return Err(error),
        refusal => refusal,
    };
    if refusal.is_none() {
        with_facts(cx, |facts| facts.wsman.answered = true);
    }
    let content_type = answer.headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let charset = content_type.and_then(charset_of);
    let decoder = Decoder::new(reading.expect, cx.limits, namespace, charset);
    let decoder = reading.class.into_iter().fold(decoder, Decoder::with_class);
    let decoder = reading.previous.into_iter().fold(decoder, Decoder::after);
    // A single object may be as large as another limit lets it be.
    let most = (u64::from(agreed) * OVERSIZE).max(u64::from(agreed) + cx.limits.buffer_bytes as u64);
    let reply =
        Reply::new(answer.body, decoder, target.clone()).at_most(most, explain::oversized(target, agreed, most));
    // A fault says more than the status it comes with; whatever the status, it is one.
    Ok(refusal.into_iter().fold(reply, Reply::or))
}

/// Whether a failure says that no WS-Man server answers at that path: no other request there will do better.
pub(super) const fn is_elsewhere(error: &OpError) -> bool {
    matches!(error.kind, ErrorKind::OtherProtocol | ErrorKind::Http(404 | 405 | 410 | 501))
}

/// `error`, where the server has answered nothing yet but that it does not take what it was sent, and that was UTF-16.
pub(super) fn encoding_refused(cx: &OpContext<'_>, error: OpError) -> OpError {
    let is_refusal = match error.kind {
        ErrorKind::Http(status) => matches!(status, 400 | 415 | 500),
        _ => status_of(&error) == Some(CimStatus::SERVER_LIMITS_EXCEEDED),
    };
    let is_new = !with_facts(cx, |facts| facts.wsman.answered);
    if cx.target.wsman.encoding == RequestEncoding::Utf8 || !is_new || !is_refusal {
        return error;
    }
    let mut explained = soap::ENCODING_REFUSED.error(error.phase, error.target, error.kind);
    explained.causes.extend(error.causes);
    explained
}

/// The first of the languages texts are wanted in: a message names one (DSP0226 section 6.3), HTTP a list.
fn first_language(list: &str) -> Option<String> {
    let first = list.split([',', ';']).next().unwrap_or_default().trim();
    (!first.is_empty() && first != "*").then(|| first.to_owned())
}

/// What every request of an operation says alike.
fn addressing(cx: &OpContext<'_>, locale: Option<&str>) -> Result<Addressing, String> {
    let options = &cx.target.wsman;
    let scheme = if cx.target.tls.is_some() { "https" } else { "http" };
    let (session, envelope_bytes) = with_facts(cx, |facts| {
        let session = match facts.wsman.session {
            Some(session) => session,
            None => *facts.wsman.session.insert(Uuid::random()?),
        };
        Ok::<_, String>((session, options.max_envelope_size.or(facts.wsman.envelope_bytes).unwrap_or(ENVELOPE_BYTES)))
    })?;
    // The server need not go on when nobody waits any more; that it came to nothing must arrive before that.
    let waited = cx.timeouts.first_byte - cx.timeouts.first_byte / 10;
    Ok(Addressing {
        to: format!("{scheme}://{}{}", cx.dial.peer_name(), cx.target.path),
        session,
        locale: locale.and_then(first_language),
        timeout: options.operation_timeout.map_or(waited, |timeout| timeout.min(waited)),
        envelope_bytes,
    })
}

impl Answer for Decoded {
    fn is_empty(&self) -> bool {
        self.is_empty()
    }

    fn refused(&mut self, target: &str) -> Option<OpError> {
        self.fault.take().map(|fault| explain::fault(target.to_owned(), fault))
    }
}

impl From<Decoded> for Arrived {
    fn from(decoded: Decoded) -> Self {
        Self { shapes: decoded.shapes, rows: decoded.rows, warning: decoded.warning }
    }
}
