//! One request and the reading of its answer.
//!
//! Owns: sending a [`Request`] over an exchange, telling CIM-XML answers from others, and the errors of all that. Must not know what the result is used for.
//!
//! ```text
//! ask(Request, Expect) -> Reply -> next() -> Decoded ... -> None | OpError (what was decoded before it has been handed out)
//! ```

use http::header;

use super::{
    decode::{Decoded, Decoder, Expect, Items},
    explain,
    request::Request,
};
use crate::{
    op::{ErrorKind, OpError, Phase, explain::exchange::send},
    protocol::{
        OpContext,
        delivery::with_facts,
        explain::http,
        reply::{self, Answer},
        xml::encoding::charset_of,
    },
    wire::{Exchange, HttpAnswer},
};

/// The most bytes read of an answer that refuses the method.
const REFUSAL_BYTES: usize = 64 << 10;

/// An answer being read.
pub type Reply = reply::Reply<Items>;

/// Sends `request` and reads the head of its answer.
///
/// # Errors
/// Those of the connection; an answer that is no CIM-XML.
pub async fn ask(
    cx: &OpContext<'_>,
    exchange: &mut dyn Exchange,
    request: &Request,
    expect: Expect,
) -> Result<Reply, OpError> {
    ask_on(cx, exchange, request, expect, None).await
}

/// As [`ask`]; the rows of the answer go on with the shapes `previous` knows.
///
/// # Errors
/// As [`ask`].
pub async fn ask_on(
    cx: &OpContext<'_>,
    exchange: &mut dyn Exchange,
    request: &Request,
    expect: Expect,
    previous: Option<Decoder>,
) -> Result<Reply, OpError> {
    let target = cx.dial.peer_name();
    let answer = post(cx, exchange, request, &target).await?;
    if answer.status != 200 {
        return Err(http(target, answer.status, &answer.reason, &answer.headers));
    }
    let content_type = answer.headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let charset = content_type.and_then(charset_of);
    let decoder = Decoder::new(expect, cx.limits, Some(request.namespace().clone()), charset);
    let decoder = previous.into_iter().fold(decoder, Decoder::after);
    Ok(Reply::new(answer.body, decoder, target))
}

/// Sends `request` with POST or, where the server refuses that method, with M-POST (DSP0200 section 6.2.2), which is
/// remembered. A refusal that says why (`CIMError`) is not one of the method.
async fn post(
    cx: &OpContext<'_>,
    exchange: &mut dyn Exchange,
    request: &Request,
    target: &str,
) -> Result<HttpAnswer, OpError> {
    let built = |m_post| {
        request
            .build(&cx.target.path, m_post)
            .map_err(|cause| send::BAD_REQUEST.error(Phase::Send, target, ErrorKind::Configuration).because(cause))
    };
    let m_post = with_facts(cx, |facts| facts.m_post);
    let mut first = exchange.exchange(built(m_post)?).await?;
    if !refuses_method(&first) {
        return Ok(first);
    }
    // The connection can only be used again when the refusal has been read.
    let mut read = 0;
    while let Some(chunk) = first.body.chunk().await? {
        read += chunk.len();
        if read > REFUSAL_BYTES {
            break;
        }
    }
    let HttpAnswer { status, reason, headers, .. } = first;
    let second = exchange.exchange(built(!m_post)?).await?;
    if refuses_method(&second) || second.status == 510 {
        return Err(http(target.to_owned(), status, &reason, &headers));
    }
    with_facts(cx, |facts| facts.m_post = !m_post);
    Ok(second)
}

/// Whether an answer refuses the HTTP method and nothing else.
fn refuses_method(answer: &HttpAnswer) -> bool {
    matches!(answer.status, 405 | 501 | 510) && !answer.headers.contains_key("cimerror")
}

impl Answer for Decoded {
    fn is_empty(&self) -> bool {
        self.is_empty()
    }

    fn refused(&mut self, target: &str) -> Option<OpError> {
        self.error.take().map(|error| explain::cim(target.to_owned(), error))
    }
}
