//! The reading of one answer.
//!
//! Owns: decoding a body piece by piece as it arrives, and when an error in it is told: after everything that came before it.
//! Must not know requests or what the result is used for.

use super::{
    delivery::Adopts,
    xml::{
        decoder::{Decoder, Items},
        explain::unreadable,
    },
};
use crate::{
    cim::rows::{Shape, ShapeId},
    op::OpError,
    wire::BodySource,
};

/// What a protocol decodes, as the reading of an answer needs it.
pub trait Answer {
    /// Whether nothing was decoded.
    fn is_empty(&self) -> bool;

    /// The error the server answered, taken out.
    fn refused(&mut self, target: &str) -> Option<OpError>;
}

/// An answer being read.
pub struct Reply<I: Items> {
    body: Option<Box<dyn BodySource>>,
    decoder: Decoder<I>,
    target: String,
    /// How it ends, once that is known.
    end: Option<OpError>,
    /// What it means if the body is no answer: an HTTP status that is an error by itself.
    otherwise: Option<OpError>,
    /// Bytes that came.
    received: u64,
    /// The most bytes there may be, and what it means if there are more.
    bound: Option<(u64, OpError)>,
}

impl<I: Items<Decoded: Answer>> Reply<I> {
    /// The answer of `target` in `body`.
    pub fn new(body: Box<dyn BodySource>, decoder: Decoder<I>, target: String) -> Self {
        Self { body: Some(body), decoder, target, end: None, otherwise: None, received: 0, bound: None }
    }

    /// The same where no more than `most` bytes may come, and `error` is what happened if there are more. What stands in those
    /// bytes is read.
    #[must_use]
    pub fn at_most(mut self, most: u64, error: OpError) -> Self {
        self.bound = Some((most, error));
        self
    }

    /// Bytes that came so far.
    pub fn received(&self) -> u64 {
        self.received
    }

    /// The most bytes there may be.
    pub fn most(&self) -> u64 {
        self.bound.as_ref().map_or(u64::MAX, |bound| bound.0)
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
    pub async fn next(&mut self) -> Result<Option<I::Decoded>, OpError> {
        loop {
            let Some(body) = &mut self.body else { return self.end.take().map_or(Ok(None), Err) };
            let result = match body.chunk().await {
                Ok(Some(chunk)) => {
                    let room = usize::try_from(self.most() - self.received).unwrap_or(usize::MAX);
                    let fitting = chunk.get(..room).unwrap_or(&chunk);
                    self.received += fitting.len() as u64;
                    let fed = self.decoder.feed(fitting);
                    if fed.is_ok() && fitting.len() < chunk.len() {
                        self.body = None;
                        self.end = self.bound.take().map(|bound| bound.1);
                    }
                    fed
                }
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
                let (excerpt, row) = (self.decoder.take_excerpt(), (I::grammar().row)(error.fault));
                let unreadable = || unreadable(self.target.clone(), &error, excerpt, row);
                self.end = Some(self.otherwise.take().unwrap_or_else(unreadable));
            }
            let mut decoded = self.decoder.take();
            if let Some(error) = decoded.refused(&self.target) {
                // The error stands at the end of an answer; what is broken after it matters less.
                (self.end, self.otherwise) = (Some(error), None);
            }
            if self.body.is_none() && self.end.is_none() {
                self.end = self.otherwise.take();
            }
            if !decoded.is_empty() {
                return Ok(Some(decoded));
            }
        }
    }

    /// The decoder, for the next answer of the same result.
    pub fn into_decoder(self) -> Decoder<I> {
        self.decoder
    }
}

impl<I: Items> Adopts for Reply<I> {
    fn adopt(&mut self, id: ShapeId, shape: Shape) {
        self.decoder.adopt(id, shape);
    }
}
