//! The reading of one answer.
//!
//! Owns: decoding a body piece by piece as it arrives, and when an error in it is told: after everything that came before it.
//! Must not know requests or what the result is used for.

use super::{delivery::Adopts, xml::fault::DecodeError};
use crate::{
    cim::rows::{Shape, ShapeId},
    op::OpError,
    wire::BodySource,
};

/// A protocol's decoder, as the reading of an answer needs it.
pub trait Decodes: Send {
    /// What it decodes.
    type Decoded: Send;

    /// Takes in the next bytes.
    ///
    /// # Errors
    /// Why the answer cannot be read on.
    fn feed(&mut self, chunk: &[u8]) -> Result<(), DecodeError>;

    /// The body has ended.
    ///
    /// # Errors
    /// As [`Decodes::feed`]; the answer is not complete.
    fn finish(&mut self) -> Result<(), DecodeError>;

    /// What was decoded since the last time.
    fn take(&mut self) -> Self::Decoded;

    /// Takes over a shape completed from its class.
    fn adopt(&mut self, id: ShapeId, shape: Shape);

    /// Whether nothing was decoded.
    fn is_empty(decoded: &Self::Decoded) -> bool;

    /// The error the server answered, taken out.
    fn refused(decoded: &mut Self::Decoded, target: &str) -> Option<OpError>;

    /// Why the answer cannot be read, in words.
    fn unreadable(&mut self, target: &str, error: &DecodeError) -> OpError;
}

/// An answer being read.
pub struct Reply<D> {
    body: Option<Box<dyn BodySource>>,
    decoder: D,
    target: String,
    /// How it ends, once that is known.
    end: Option<OpError>,
    /// What it means if the body is no answer: an HTTP status that is an error by itself.
    otherwise: Option<OpError>,
}

impl<D: Decodes> Reply<D> {
    /// The answer of `target` in `body`.
    pub fn new(body: Box<dyn BodySource>, decoder: D, target: String) -> Self {
        Self { body: Some(body), decoder, target, end: None, otherwise: None }
    }

    /// The same where `error` is what happened if the body does not say more.
    #[must_use]
    pub fn or(mut self, error: OpError) -> Self {
        self.otherwise = Some(error);
        self
    }

    /// What came next, or `None` at the end of a good answer.
    ///
    /// # Errors
    /// Those of the connection, of the XML, and the one the server answered; always after what came before it.
    pub async fn next(&mut self) -> Result<Option<D::Decoded>, OpError> {
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
                let unreadable = self.decoder.unreadable(&self.target, &error);
                self.end = Some(self.otherwise.take().unwrap_or(unreadable));
            }
            let mut decoded = self.decoder.take();
            if let Some(error) = D::refused(&mut decoded, &self.target) {
                // The error stands at the end of an answer; what is broken after it matters less.
                (self.end, self.otherwise) = (Some(error), None);
            }
            if self.body.is_none() && self.end.is_none() {
                self.end = self.otherwise.take();
            }
            if !D::is_empty(&decoded) {
                return Ok(Some(decoded));
            }
        }
    }

    /// The decoder, for the next answer of the same result.
    pub fn into_decoder(self) -> D {
        self.decoder
    }
}

impl<D: Decodes> Adopts for Reply<D> {
    fn adopt(&mut self, id: ShapeId, shape: Shape) {
        self.decoder.adopt(id, shape);
    }
}
