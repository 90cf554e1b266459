//! One request and the reading of its answer.
//!
//! Owns: sending a [`Request`] over an exchange, telling CIM-XML answers from others, decoding the body piece by piece, and
//! the errors of all that. Must not know what the result is used for.
//!
//! ```text
//! ask(Request, Expect) -> Reply -> next() -> Decoded ... -> None | OpError (what was decoded before it has been handed out)
//! ```

use http::header;

use super::{
    decode::{Decoded, Decoder, Expect},
    encoding::charset_of,
    explain,
    request::Request,
};
use crate::{
    cim::rows::{Shape, ShapeId},
    op::{ErrorKind, OpError, Phase},
    protocol::OpContext,
    wire::{BodySource, Exchange},
};

/// An answer being read.
pub struct Reply {
    body: Option<Box<dyn BodySource>>,
    decoder: Decoder,
    target: String,
    /// How it ends, once that is known.
    end: Option<OpError>,
}

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
    let target = cx.dial.peer_name();
    let http = request.build(&cx.target.path).map_err(|cause| {
        OpError::new(Phase::Send, target.clone(), ErrorKind::Configuration, cause, "Correct the name or the key.")
    })?;
    let answer = exchange.exchange(http).await?;
    if answer.status != 200 {
        return Err(explain::http(target, answer.status, &answer.reason, &answer.headers));
    }
    let content_type = answer.headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let charset = content_type.and_then(charset_of);
    let decoder = Decoder::new(expect, cx.limits, Some(request.namespace().clone()), charset);
    Ok(Reply { body: Some(answer.body), decoder, target, end: None })
}

impl Reply {
    /// What came next, or `None` at the end of a good answer.
    ///
    /// # Errors
    /// Those of the connection, of the XML, and the one the server answered; always after what came before it.
    pub async fn next(&mut self) -> Result<Option<Decoded>, OpError> {
        loop {
            let Some(body) = &mut self.body else { return self.end.take().map_or(Ok(None), Err) };
            let result = match body.chunk().await {
                Ok(Some(chunk)) => self.decoder.feed(&chunk),
                Ok(None) => {
                    self.body = None;
                    self.decoder.finish()
                }
                Err(error) => {
                    self.body = None;
                    return Err(error);
                }
            };
            if let Err(error) = result {
                self.body = None;
                self.end = Some(explain::unreadable(self.target.clone(), &error));
            }
            let mut decoded = self.decoder.take();
            if let Some(error) = decoded.error.take() {
                // The error stands at the end of an answer; what is broken after it matters less.
                self.end = Some(explain::cim(self.target.clone(), error));
            }
            if !decoded.is_empty() {
                return Ok(Some(decoded));
            }
        }
    }

    /// Takes over a shape completed from its class.
    pub fn adopt(&mut self, id: ShapeId, shape: Shape) {
        self.decoder.adopt(id, shape);
    }
}
