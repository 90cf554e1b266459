//! The decoder: the body of an answer in, rows, classes, facts and faults out.
//!
//! Owns: which item means what ([`Decoder`]); the parts are [`instance`], [`value`], [`epr`], [`fault`], [`answer`] and
//! [`datetime`]. Sans-IO: bytes come in pieces of any size and the result does not depend on where they were cut. Must not know
//! requests, connections or who takes the result.
//!
//! ```text
//! bytes -> Transcoder -> Framer -> item -> Qualified -> row | class | fault | output | context -> Decoded
//!                          +-> row, where an instance looks like those before it (Predictor)
//! ```
//!
//! Elements are told by namespace and local name, never by prefix (protocols differ in both, servers in prefixes).

pub mod answer;
pub mod datetime;
mod decoded;
pub mod epr;
pub mod fault;
pub mod instance;
mod predict;
#[cfg(test)]
mod tests;
pub mod value;

use std::sync::Arc;

use quick_xml::events::BytesStart;

pub use self::{
    answer::Identity,
    decoded::{Decoded, Expect},
    epr::Epr,
    fault::SoapFault,
};
use self::{instance::Schema, predict::Markup};
use super::{
    explain::row_of,
    grammar::SOAP12,
    namespaces::{ADDRESSING, ENUMERATION, EVENTING, TRANSFER, WSMAN},
};
use crate::{
    cim::{
        CimClass, CimName, Namespace, ObjectPath,
        rows::{Shape, ShapeId},
    },
    op::{Limits, RawExcerpt},
    protocol::{
        cimxml::decode::class,
        xml::{
            encoding::Transcoder,
            framer::{DecodeError, Fault, Framer, Piece},
            reader::{Read, Token, Xml},
            rows::{
                Rows,
                predict::{Outcome, Predictor},
            },
            scope::{Qualified, Scope, split},
        },
    },
};

/// The depth of elements a limit must allow for instances to be read by prediction; WS-Man itself needs half of it.
const PREDICTED_DEPTH: usize = 32;
/// How many containers are open around a child of Body, and around one of EnumerateResponse or PullResponse.
const IN_BODY: usize = 2;
const IN_RESPONSE: usize = 3;

/// Decodes one answer.
#[derive(Debug)]
pub struct Decoder {
    transcoder: Transcoder,
    framer: Framer,
    items: Items,
    failed: Option<DecodeError>,
}

#[derive(Debug)]
struct Items {
    expect: Expect,
    limits: Limits,
    schema: Schema,
    /// The method that was invoked.
    method: Option<CimName>,
    rows: Rows,
    predictor: Predictor<Markup>,
    /// The namespaces in force where the markup was learned.
    scope: Scope,
    /// Instances are read by what those before them were like, where that can be.
    predicts: bool,
    decoded: Decoded,
    /// The text around what could not be read.
    excerpt: Option<RawExcerpt>,
    /// What was asked for, or a fault, was there.
    answered: bool,
    warned: bool,
}

impl Decoder {
    /// A decoder for an answer that brings `expect`, whose Content-Type names `charset`. `namespace` is that of the request:
    /// many references come without one.
    pub fn new(expect: Expect, limits: Limits, namespace: Option<Namespace>, charset: Option<&str>) -> Self {
        // Objects stand bare also where a server does not know the mode that wraps them. Markup that is foreseen is not
        // measured: its depth must be far from the limit.
        let are_objects = matches!(expect, Expect::Instances | Expect::ObjectsAndEprs | Expect::Anything);
        let predicts = are_objects && limits.xml_depth >= PREDICTED_DEPTH;
        Self {
            transcoder: Transcoder::new(charset),
            framer: Framer::new(&SOAP12, limits),
            items: Items {
                expect,
                limits,
                schema: Schema::new(namespace),
                method: None,
                rows: Rows::default(),
                predictor: Predictor::default(),
                scope: Scope::default(),
                predicts,
                decoded: Decoded::default(),
                excerpt: None,
                answered: false,
                warned: false,
            },
            failed: None,
        }
    }

    /// The same where the class asked for is known: values and keys are typed, and rows have paths. Before any row.
    #[must_use]
    pub fn with_class(mut self, class: Arc<CimClass>) -> Self {
        self.items.schema.know(class);
        self
    }

    /// The same for the answer of `method`, which types its output where the class is known.
    #[must_use]
    pub fn with_method(mut self, method: CimName) -> Self {
        self.items.method = Some(method);
        self
    }

    /// The same for an answer that goes on with the result of `previous`: its rows have the shapes that are known, and what
    /// is known of the class holds.
    #[must_use]
    pub fn after(mut self, previous: Self) -> Self {
        let Items { rows, predictor, scope, schema, warned, .. } = previous.items;
        self.items = Items { rows, predictor, scope, schema, warned, ..self.items };
        self
    }

    /// The same decoder without prediction: every item goes the general way. Slower, and the measure of what is right.
    #[must_use]
    pub fn general(mut self) -> Self {
        self.items.predicts = false;
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
        let Self { transcoder, framer, items, .. } = self;
        let result = transcoder.feed(chunk, &mut |text| items.take_in(framer, text, false));
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
        let Self { transcoder, framer, items, .. } = self;
        let result = transcoder
            .finish(&mut |text| items.take_in(framer, text, false))
            .and_then(|()| items.take_in(framer, &[], true))
            .and_then(|()| items.ended(framer));
        self.settle(result)
    }

    /// Keeps an error, and the text around it where nobody has yet.
    fn settle(&mut self, result: Result<(), DecodeError>) -> Result<(), DecodeError> {
        if let Err(error) = &result {
            let held = self.framer.held_at(error.offset);
            self.items.excerpt.get_or_insert_with(|| self.framer.excerpt(held, error.offset));
            self.failed = Some(error.clone());
        }
        result
    }

    /// The text around what could not be read, once that has happened: of the item where it was in one. How much follows the
    /// fault depends on how much had arrived.
    pub fn take_excerpt(&mut self) -> Option<RawExcerpt> {
        self.items.excerpt.take().filter(|excerpt| !excerpt.text.is_empty())
    }

    /// What was decoded since the last time.
    pub fn take(&mut self) -> Decoded {
        let mut decoded = std::mem::take(&mut self.items.decoded);
        (decoded.shapes, decoded.rows) = self.items.rows.take();
        decoded
    }

    /// Takes over a shape completed from its class, so that columns the rows bring later are looked for in it.
    pub fn adopt(&mut self, id: ShapeId, shape: Shape) {
        self.items.rows.adopt(id, shape);
    }

    /// How many rows were decoded in all.
    pub fn rows(&self) -> u64 {
        self.items.rows.count()
    }

    /// How many of them were read by prediction.
    pub fn predicted(&self) -> u64 {
        self.items.predictor.count()
    }

    /// Bytes held because their item is not complete.
    pub fn held(&self) -> usize {
        self.framer.held()
    }
}

impl Items {
    /// Takes in `text`; with `last`, nothing follows it, and what was held back for prediction is read at last.
    fn take_in(&mut self, framer: &mut Framer, text: &[u8], last: bool) -> Result<(), DecodeError> {
        framer.push(text);
        loop {
            if self.predicts && self.predict(framer) == Outcome::More && !last && !framer.is_overfull() {
                return Ok(());
            }
            let Some(piece) = framer.piece()? else { return Ok(()) };
            match piece {
                // Whoever asked for something of another kind gets it, or a fault, as an item.
                Piece::Open { level: IN_BODY, .. } => self.answered = true,
                Piece::Open { level: IN_RESPONSE, .. } => self.within(framer.scope()),
                Piece::Open { .. } | Piece::Close { .. } => {}
                Piece::Item { bytes, offset, index, level, scope } => {
                    let range = offset..offset + bytes.len() as u64;
                    if let Err(mut error) = self.item(bytes, offset, (level, index), scope) {
                        error.item = index;
                        self.excerpt = Some(framer.excerpt(range, error.offset));
                        return Err(error);
                    }
                }
            }
        }
    }

    /// Items begin where `scope` is in force: markup learned elsewhere may mean something else there.
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
            match self.predictor.predict(&mut self.rows, ahead, &self.limits) {
                Outcome::Row(length) => framer.pass(length),
                other => return other,
            }
        }
    }

    fn ended(&self, framer: &Framer) -> Result<(), DecodeError> {
        // An empty body is all that some requests are answered with.
        let may_be_empty = matches!(self.expect, Expect::Release | Expect::Values | Expect::Anything);
        if framer.is_complete() && (self.answered || may_be_empty) {
            return Ok(());
        }
        let fault = match framer.offset() {
            0 => Fault::Empty,
            _ if framer.is_complete() => Fault::NoResponse,
            _ => Fault::CutShort,
        };
        let error = DecodeError::at(framer.offset(), row_of(fault).seen).of(fault);
        Err(DecodeError { item: framer.item(), ..error })
    }

    fn item(
        &mut self,
        bytes: &[u8],
        offset: u64,
        (level, index): (usize, Option<u64>),
        scope: &Scope,
    ) -> Result<(), DecodeError> {
        let text = std::str::from_utf8(bytes).map_err(|error| {
            let at = offset + error.valid_up_to() as u64;
            DecodeError::at(at, "bytes that are not UTF-8").of(Fault::WrongBytes("UTF-8"))
        })?;
        let mut xml = Qualified::new(Xml::new(text, offset, 0, self.limits), scope);
        let Some(tag) = xml.child()? else { return Ok(()) };
        if fault::is_fault(&xml, &tag) {
            return self.fault(&mut xml);
        }
        let rows = self.rows.count();
        let is_special = xml.is(&tag, &[WSMAN], "Item")
            || xml.is(&tag, &[WSMAN], "XmlFragment")
            || xml.is(&tag, &[ADDRESSING], "EndpointReference");
        match level {
            _ if index.is_some() => self.result_item(&mut xml, &tag, text)?,
            IN_RESPONSE => self.beside(&mut xml, &tag)?,
            IN_BODY => self.body(&mut xml, &tag)?,
            _ => xml.skip(&tag)?,
        }
        if !matches!(xml.xml.token()?, Token::Eof) {
            return Err(xml.error("something follows the item"));
        }
        let is_object = index.is_some() && self.rows.count() == rows + 1;
        if self.predicts && is_object && !is_special {
            let Self { rows, predictor, schema, limits, .. } = self;
            predictor.learn(rows, || predict::markup(rows, text, scope, schema, *limits));
        }
        if let Some(warning) = xml.xml.warning.take().filter(|_| !self.warned) {
            self.warned = true;
            self.decoded.warning = Some(warning);
        }
        Ok(())
    }

    /// A fault, of which as much is taken as can be read.
    fn fault(&mut self, xml: &mut Qualified<'_>) -> Read<()> {
        let mut fault = SoapFault::default();
        let read = fault::read(xml, &mut fault);
        if let Err(error) = read
            && (error.limit.is_some() || fault.code.is_empty())
        {
            return Err(error);
        }
        self.answered = true;
        self.decoded.fault = Some(fault);
        Ok(())
    }

    /// A child of Items.
    fn result_item(&mut self, xml: &mut Qualified<'_>, tag: &BytesStart<'_>, text: &str) -> Read<()> {
        let may_be_class = matches!(self.expect, Expect::Class | Expect::Classes | Expect::Anything);
        if is_class(xml, tag) && may_be_class {
            return self.class(xml, tag);
        }
        let may_be_object = !matches!(self.expect, Expect::Class | Expect::Classes | Expect::Identify);
        if !may_be_object {
            return Err(unexpected(xml, tag));
        }
        if xml.is(tag, &[ADDRESSING], "EndpointReference") {
            let epr = epr::read(xml)?;
            let path = epr.path(self.schema.namespace.as_ref(), self.schema.class.as_deref());
            let Some(path) = path else { return Err(xml.error("a reference without a class")) };
            return self.rows.name(&xml.xml, path, self.schema.namespace.as_ref());
        }
        if xml.is(tag, &[WSMAN], "Item") {
            return self.wrapped(xml, text);
        }
        self.object(xml, tag, None)
    }

    /// A `wsman:Item` up to its end: an object and its reference, which stands behind it and so is read first.
    fn wrapped(&mut self, xml: &mut Qualified<'_>, text: &str) -> Read<()> {
        let mut path = None;
        let outer = xml.outer();
        let mut ahead = Qualified::new(Xml::new(text, xml.xml.base(), 0, self.limits), outer);
        ahead.child()?;
        while let Some(tag) = ahead.child()? {
            if ahead.is(&tag, &[ADDRESSING], "EndpointReference") {
                let epr = epr::read(&mut ahead)?;
                path = epr.path(self.schema.namespace.as_ref(), self.schema.class.as_deref());
            } else {
                ahead.skip(&tag)?;
            }
        }
        while let Some(tag) = xml.child()? {
            if xml.is(&tag, &[ADDRESSING], "EndpointReference") {
                xml.skip(&tag)?;
            } else {
                self.object(xml, &tag, path.take())?;
            }
        }
        Ok(())
    }

    /// An instance with the path that came with it.
    fn object(&mut self, xml: &mut Qualified<'_>, tag: &BytesStart<'_>, path: Option<ObjectPath>) -> Read<()> {
        let Self { rows, schema, expect, .. } = self;
        let path = match (path, &*expect) {
            (Some(path), _) => Some(path),
            (None, Expect::Instance(path)) => Some(ObjectPath { host: None, ..path.clone() }),
            (None, _) => None,
        };
        if xml.is(tag, &[WSMAN], "XmlFragment") {
            if !xml.xml.has_child() {
                return xml.skip(tag);
            }
            let asked = path.as_ref().map(|path| path.class.clone());
            let class = asked.or_else(|| schema.class.as_ref().map(|class| class.name.clone()));
            let class = class.unwrap_or_else(|| CimName::new("XmlFragment"));
            return instance::row(rows, xml, class.as_str(), path, schema);
        }
        let name = tag.name();
        instance::row(rows, xml, split(name.as_ref()).1, path, schema)
    }

    /// A bare CIM-XML class (MS-WSMV section 3.1.4.8).
    fn class(&mut self, xml: &mut Qualified<'_>, tag: &BytesStart<'_>) -> Read<()> {
        let mut class = xml.plainly(|xml| class::class(xml, tag))?;
        class.namespace.clone_from(&self.schema.namespace);
        self.answered = true;
        self.decoded.classes.push(class);
        Ok(())
    }

    /// A child of EnumerateResponse or PullResponse that is not its result.
    fn beside(&mut self, xml: &mut Qualified<'_>, tag: &BytesStart<'_>) -> Read<()> {
        if xml.is(tag, &[ENUMERATION], "EnumerationContext") {
            self.context(xml, tag)
        } else {
            self.decoded.end_of_sequence |= xml.is(tag, &[ENUMERATION, WSMAN], "EndOfSequence");
            xml.skip(tag)
        }
    }

    /// An enumeration context; an empty one is none.
    fn context(&mut self, xml: &mut Qualified<'_>, tag: &BytesStart<'_>) -> Read<()> {
        let text = xml.content(tag)?;
        let text = text.trim_ascii();
        xml.xml.check_name(text)?;
        self.decoded.context = Some(text.to_owned()).filter(|context| !context.is_empty());
        Ok(())
    }

    /// A child of Body that is no response to Enumerate or Pull.
    fn body(&mut self, xml: &mut Qualified<'_>, tag: &BytesStart<'_>) -> Read<()> {
        let name = tag.name();
        let (_, local) = split(name.as_ref());
        let takes_anything = self.expect == Expect::Anything;
        if local == "IdentifyResponse" && (takes_anything || self.expect == Expect::Identify) {
            self.decoded.identity = Some(answer::identity(xml)?);
        } else if is_class(xml, tag) && (takes_anything || matches!(self.expect, Expect::Class | Expect::Classes)) {
            self.class(xml, tag)?;
        } else if xml.is(tag, &[EVENTING], "SubscribeResponse") && (takes_anything || self.expect == Expect::Subscribed)
        {
            self.subscribed(xml)?;
        } else if xml.is(tag, &[TRANSFER], "ResourceCreated") {
            self.decoded.epr = Some(epr::read(xml)?);
        } else if self.expect == Expect::Values || takes_anything && local.ends_with("_OUTPUT") {
            let Self { schema, method, .. } = self;
            let class = schema.class.as_deref();
            let output = answer::output(xml, local, class, method.as_ref(), schema.namespace.as_ref())?;
            (self.decoded.value, self.decoded.parameters) = (output.value, output.parameters);
        } else if matches!(self.expect, Expect::Instance(_)) || takes_anything {
            self.object(xml, tag, None)?;
        } else if self.expect == Expect::Release {
            xml.skip(tag)?;
        } else {
            return Err(unexpected(xml, tag));
        }
        self.answered = true;
        Ok(())
    }

    fn subscribed(&mut self, xml: &mut Qualified<'_>) -> Read<()> {
        while let Some(tag) = xml.child()? {
            if xml.is(&tag, &[EVENTING], "SubscriptionManager") {
                self.decoded.epr = Some(epr::read(xml)?);
            } else if xml.is(&tag, &[ENUMERATION], "EnumerationContext") {
                self.context(xml, &tag)?;
            } else {
                xml.skip(&tag)?;
            }
        }
        Ok(())
    }
}

/// Whether `tag` is a class as CIM-XML writes it, in no namespace.
fn is_class(xml: &Qualified<'_>, tag: &BytesStart<'_>) -> bool {
    tag.name().as_ref() == "CLASS" && xml.namespace("").is_none()
}

fn unexpected(xml: &Qualified<'_>, tag: &BytesStart<'_>) -> DecodeError {
    xml.error(format!("unexpected element {:?} in the answer", tag.name().as_ref()))
}
