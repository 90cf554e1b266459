//! The decoder of one answer: bytes of its body in, what the protocol makes of them out.
//!
//! Owns: the way of every piece from the bytes to the protocol's [`Items`], when instances are read by prediction, where an
//! answer ends, what is kept of an error. Sans-IO: bytes come in pieces of any size and the result does not depend on where
//! they were cut. Must not know what an item means, nor requests, connections or who takes the result.
//!
//! ```text
//! bytes -> Transcoder -> Framer -> Item -> Items -> Decoded
//!                          +-> row, where an instance looks like those before it (Predictor)
//! ```

use super::{
    encoding::Transcoder,
    fault::{DecodeError, Fault},
    framer::{Framer, Piece},
    grammar::Grammar,
    reader::{Read, Xml},
    rows::{
        Rows,
        predict::{Markup, Outcome, Predictor},
    },
    scope::Scope,
};
use crate::{
    cim::rows::{Shape, ShapeId},
    op::{Limits, RawExcerpt},
};

/// The depth of elements a limit must allow for instances to be read by prediction; the protocols need half of it.
const PREDICTED_DEPTH: usize = 32;

/// A whole element, and where it stands.
#[derive(Clone, Copy, Debug)]
pub struct Item<'a> {
    /// Its text, from `<` to `>`.
    pub text: &'a str,
    /// Where it begins in the body, in bytes.
    pub offset: u64,
    /// Its number among the items of the result; `None` for what stands beside the result.
    pub index: Option<u64>,
    /// How many containers are open around it.
    pub level: usize,
    /// The namespaces in force around it; empty where the grammar knows none.
    pub scope: &'a Scope,
    /// The limits in force.
    pub limits: Limits,
}

impl<'a> Item<'a> {
    /// A cursor before it.
    pub fn xml(&self) -> Xml<'a> {
        Xml::new(self.text, self.offset, 0, self.limits)
    }
}

/// What a protocol makes of the items of one answer.
pub trait Items: Send {
    /// What instances look like that can be foreseen.
    type Markup: Markup + Send + std::fmt::Debug;
    /// What is made of items.
    type Decoded: Send;

    /// The grammar of the protocol's answers.
    fn grammar() -> &'static Grammar;

    /// Whether the result is of instances whose markup can be foreseen.
    fn are_alike(&self) -> bool;

    /// The rows made so far.
    fn rows(&self) -> &Rows;

    /// The rows made so far, to add to.
    fn rows_mut(&mut self) -> &mut Rows;

    /// A container opened, inside `level` others.
    fn opened(&mut self, level: usize, name: &[u8]);

    /// Makes of `item` what it means; answers what is worth telling of it.
    ///
    /// # Errors
    /// Why it cannot be read, or has no place in this answer.
    fn item(&mut self, item: &Item<'_>) -> Read<Option<String>>;

    /// The markup of `item`, of which the last row was made; `None` where it is unusual.
    fn markup(&self, item: &Item<'_>) -> Option<Self::Markup>;

    /// Whether a complete document is an answer to what was asked.
    fn is_answer(&self) -> bool;

    /// Goes on with the result of the answer before.
    fn go_on(&mut self, previous: Self);

    /// What was made since the last time, with what is worth telling of it.
    fn take(&mut self, warning: Option<String>) -> Self::Decoded;
}

/// Decodes one answer.
#[derive(Debug)]
pub struct Decoder<I: Items> {
    transcoder: Transcoder,
    framer: Framer,
    reading: Reading<I>,
    failed: Option<DecodeError>,
}

#[derive(Debug)]
struct Reading<I: Items> {
    items: I,
    limits: Limits,
    predictor: Predictor<I::Markup>,
    /// The namespaces in force where the markup was learned.
    scope: Scope,
    /// Instances are read by what those before them were like, where that can be.
    predicts: bool,
    warning: Option<String>,
    warned: bool,
    /// The text around what could not be read.
    excerpt: Option<RawExcerpt>,
}

impl<I: Items> Decoder<I> {
    /// A decoder that has `items` made of an answer whose Content-Type names `charset`.
    pub fn over(items: I, limits: Limits, charset: Option<&str>) -> Self {
        // Markup that is foreseen is not measured: its depth must be far from the limit.
        let predicts = items.are_alike() && limits.xml_depth >= PREDICTED_DEPTH;
        Self {
            transcoder: Transcoder::new(charset),
            framer: Framer::new(I::grammar(), limits),
            reading: Reading {
                items,
                limits,
                predictor: Predictor::default(),
                scope: Scope::default(),
                predicts,
                warning: None,
                warned: false,
                excerpt: None,
            },
            failed: None,
        }
    }

    /// The same where `change` was made to what makes something of items. Before any byte.
    #[must_use]
    pub fn with(mut self, change: impl FnOnce(&mut I)) -> Self {
        change(&mut self.reading.items);
        self
    }

    /// The same for an answer that goes on with the result of `previous`: its rows have the shapes that are known.
    #[must_use]
    pub fn after(mut self, previous: Self) -> Self {
        let Reading { items, predictor, scope, warned, .. } = previous.reading;
        self.reading.items.go_on(items);
        self.reading = Reading { predictor, scope, warned, ..self.reading };
        self
    }

    /// The same decoder without prediction: every item goes the general way. Slower, and the measure of what is right.
    #[must_use]
    pub fn general(mut self) -> Self {
        self.reading.predicts = false;
        self
    }

    /// Takes in the next bytes of the body.
    ///
    /// # Errors
    /// Why the answer cannot be read on; what was decoded before can still be taken. The same error comes again.
    pub fn feed(&mut self, chunk: &[u8]) -> Result<(), DecodeError> {
        if let Some(error) = &self.failed {
            return Err(error.clone());
        }
        let Self { transcoder, framer, reading, .. } = self;
        let result = transcoder.feed(chunk, &mut |text| reading.take_in(framer, text, false));
        self.settle(result)
    }

    /// The body has ended.
    ///
    /// # Errors
    /// As [`Decoder::feed`]; the document is not complete or holds no response.
    pub fn finish(&mut self) -> Result<(), DecodeError> {
        if let Some(error) = &self.failed {
            return Err(error.clone());
        }
        let Self { transcoder, framer, reading, .. } = self;
        let result = transcoder
            .finish(&mut |text| reading.take_in(framer, text, false))
            .and_then(|()| reading.take_in(framer, &[], true))
            .and_then(|()| reading.ended(framer));
        self.settle(result)
    }

    /// Keeps an error, and the text around it where nobody has yet.
    fn settle(&mut self, result: Result<(), DecodeError>) -> Result<(), DecodeError> {
        if let Err(error) = &result {
            let held = self.framer.held_at(error.offset);
            self.reading.excerpt.get_or_insert_with(|| self.framer.excerpt(held, error.offset));
            self.failed = Some(error.clone());
        }
        result
    }

    /// The text around what could not be read, once that has happened: of the item where it was in one. How much follows the
    /// fault depends on how much had arrived.
    pub fn take_excerpt(&mut self) -> Option<RawExcerpt> {
        self.reading.excerpt.take().filter(|excerpt| !excerpt.text.is_empty())
    }

    /// What was decoded since the last time.
    pub fn take(&mut self) -> I::Decoded {
        let warning = self.reading.warning.take();
        self.reading.items.take(warning)
    }

    /// Takes over a shape completed from its class, so that columns the rows bring later are looked for in it.
    pub fn adopt(&mut self, id: ShapeId, shape: Shape) {
        self.reading.items.rows_mut().adopt(id, shape);
    }

    /// What makes something of the items.
    pub fn items(&self) -> &I {
        &self.reading.items
    }

    /// How many rows were decoded in all.
    pub fn rows(&self) -> u64 {
        self.items().rows().count()
    }

    /// How many of them were read by prediction.
    pub fn predicted(&self) -> u64 {
        self.reading.predictor.count()
    }

    /// Bytes held because their item is not complete.
    pub fn held(&self) -> usize {
        self.framer.held()
    }
}

impl<I: Items> Reading<I> {
    /// Takes in `text`; with `last`, nothing follows it, and what was held back for prediction is read at last.
    fn take_in(&mut self, framer: &mut Framer, text: &[u8], last: bool) -> Result<(), DecodeError> {
        framer.push(text);
        loop {
            if self.predicts && self.predict(framer) == Outcome::More && !last && !framer.is_overfull() {
                return Ok(());
            }
            let Some(piece) = framer.piece()? else { return Ok(()) };
            match piece {
                Piece::Open { level, name } => {
                    self.items.opened(level, name);
                    if level + 1 == I::grammar().containers.len() {
                        self.within(framer.scope());
                    }
                }
                Piece::Close { .. } => {}
                Piece::Item { bytes, offset, index, level, scope } => {
                    let range = offset..offset + bytes.len() as u64;
                    let read = text_of(bytes, offset).and_then(|text| {
                        let limits = self.limits;
                        self.item(&Item { text, offset, index, level, scope, limits })
                    });
                    if let Err(mut error) = read {
                        error.item = index;
                        self.excerpt = Some(framer.excerpt(range, error.offset));
                        return Err(error);
                    }
                }
            }
        }
    }

    /// The result begins where `scope` is in force: markup learned elsewhere may mean something else there.
    fn within(&mut self, scope: &Scope) {
        if self.scope != *scope {
            self.scope = scope.clone();
            self.predictor.forget();
        }
    }

    /// Reads items by prediction as far as that goes.
    fn predict(&mut self, framer: &mut Framer) -> Outcome {
        loop {
            let ahead = framer.ahead();
            if ahead.is_empty() {
                return Outcome::Surprise;
            }
            match self.predictor.predict(self.items.rows_mut(), ahead, &self.limits) {
                Outcome::Row(length) => framer.pass(length),
                other => return other,
            }
        }
    }

    /// Reads one item the general way.
    fn item(&mut self, item: &Item<'_>) -> Read<()> {
        let rows = self.items.rows().count();
        if let Some(warning) = self.items.item(item)?.filter(|_| !self.warned) {
            self.warned = true;
            self.warning = Some(warning);
        }
        let is_row = item.index.is_some() && self.items.rows().count() == rows + 1;
        if self.predicts && is_row {
            let Self { items, predictor, .. } = self;
            predictor.learn(items.rows(), || items.markup(item));
        }
        Ok(())
    }

    fn ended(&self, framer: &Framer) -> Result<(), DecodeError> {
        if framer.is_complete() && self.items.is_answer() {
            return Ok(());
        }
        let fault = match framer.offset() {
            0 => Fault::Empty,
            _ if framer.is_complete() => Fault::NoResponse,
            _ => Fault::CutShort,
        };
        let error = DecodeError::at(framer.offset(), (I::grammar().row)(fault).seen).of(fault);
        Err(DecodeError { item: framer.item(), ..error })
    }
}

fn text_of(bytes: &[u8], offset: u64) -> Read<&str> {
    std::str::from_utf8(bytes).map_err(|error| {
        let at = offset + error.valid_up_to() as u64;
        DecodeError::at(at, "bytes that are not UTF-8").of(Fault::WrongBytes("UTF-8"))
    })
}
