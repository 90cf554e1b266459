//! The decoder: the body of an answer in, rows, classes, names, errors and parameters out.
//!
//! Owns: which item means what ([`Decoder`]); the parts are [`row`], [`class`], [`path`] and [`value`].
//! Sans-IO: bytes come in pieces of any size and the result does not depend on where they were cut. Must not know requests,
//! connections or who takes the result.
//!
//! ```text
//! bytes -> Transcoder -> Framer -> item -> Xml -> row | class | name | error | parameter -> Decoded
//!                          +-> row, where an instance looks like those before it (Predictor)
//! ```

pub mod class;
pub mod path;
pub mod row;
#[cfg(test)]
mod tests;
pub mod value;

use std::sync::Arc;

use quick_xml::events::BytesStart;

use self::{path::Named, row::Markup, value::Declared};
use super::grammar::CIMXML;
use crate::{
    cim::{
        CimClass, CimError, CimName, CimStatus, CimType, CimValue, EmbeddedKind, Namespace, ObjectPath,
        QualifierDeclaration, TypedValue,
        rows::{RowBatch, Shape, ShapeId},
    },
    op::{Limits, RawExcerpt, explain::answer::body},
    protocol::xml::{
        encoding::Transcoder,
        framer::{DecodeError, Fault, Framer, Piece},
        reader::{Read, Token, Xml},
        rows::{
            Rows,
            predict::{Outcome, Predictor},
        },
    },
};

/// The depth of elements a limit must allow for instances to be read by prediction; CIM-XML itself needs half of it.
const PREDICTED_DEPTH: usize = 32;

/// What a request calls for. Items of another kind are an error.
#[derive(Clone, Debug, PartialEq)]
pub enum Expect {
    /// Instances, with or without paths.
    Instances,
    /// One instance, which is answered without its path.
    Instance(ObjectPath),
    /// Paths of instances; they become rows of their keys.
    InstanceNames,
    /// Instances of which only the paths are wanted: rows as of [`Expect::InstanceNames`].
    PathsOf,
    /// Instances or classes with their paths, as associations and queries answer them.
    Objects,
    /// Paths of instances, which become rows of their keys, or of classes, which become names.
    ObjectPaths,
    /// Classes.
    Classes,
    /// Names of classes.
    ClassNames,
    /// Declarations of qualifier types.
    Qualifiers,
    /// A return value and parameters.
    Values,
    /// Whatever comes.
    Anything,
}

impl Expect {
    fn takes(&self, name: &str) -> bool {
        match self {
            Self::Instances | Self::PathsOf => is_object(name) || name == "INSTANCE",
            Self::Objects => is_object(name) || name == "INSTANCE" || name == "CLASS",
            Self::ObjectPaths => is_path(name),
            Self::Instance(_) => name == "INSTANCE" || name == "VALUE.NAMEDINSTANCE",
            Self::InstanceNames => matches!(name, "INSTANCENAME" | "INSTANCEPATH" | "LOCALINSTANCEPATH" | "OBJECTPATH"),
            Self::Classes => name == "CLASS" || name == "VALUE.OBJECTWITHPATH" || name == "VALUE.OBJECT",
            Self::ClassNames => matches!(name, "CLASSNAME" | "CLASSPATH" | "OBJECTPATH"),
            Self::Qualifiers => name == "QUALIFIER.DECLARATION",
            Self::Values => name == "VALUE" || name == "VALUE.ARRAY" || name == "VALUE.REFERENCE" || is_path(name),
            Self::Anything => true,
        }
    }
}

fn is_object(name: &str) -> bool {
    matches!(
        name,
        "VALUE.NAMEDINSTANCE"
            | "VALUE.INSTANCEWITHPATH"
            | "VALUE.OBJECTWITHPATH"
            | "VALUE.OBJECTWITHLOCALPATH"
            | "VALUE.NAMEDOBJECT"
            | "VALUE.OBJECT"
    )
}

fn is_path(name: &str) -> bool {
    matches!(
        name,
        "INSTANCENAME"
            | "INSTANCEPATH"
            | "LOCALINSTANCEPATH"
            | "OBJECTPATH"
            | "CLASSNAME"
            | "CLASSPATH"
            | "LOCALCLASSPATH"
    )
}

/// What was decoded since it was last taken.
#[derive(Debug, Default)]
pub struct Decoded {
    /// Shapes of rows to come, and such that grew.
    pub shapes: Vec<(ShapeId, Arc<Shape>)>,
    /// Rows in order.
    pub rows: Vec<RowBatch>,
    /// Classes in order.
    pub classes: Vec<CimClass>,
    /// Names of classes in order.
    pub class_names: Vec<CimName>,
    /// Declarations of qualifier types in order.
    pub qualifiers: Vec<QualifierDeclaration>,
    /// The error the server answered.
    pub error: Option<CimError>,
    /// The return value.
    pub value: Option<TypedValue>,
    /// Output parameters.
    pub parameters: Vec<(CimName, TypedValue)>,
    /// Something worth telling once.
    pub warning: Option<String>,
}

impl Decoded {
    /// Whether nothing was decoded.
    pub fn is_empty(&self) -> bool {
        self.shapes.is_empty()
            && self.rows.is_empty()
            && self.classes.is_empty()
            && self.class_names.is_empty()
            && self.qualifiers.is_empty()
            && self.error.is_none()
            && self.value.is_none()
            && self.parameters.is_empty()
            && self.warning.is_none()
    }
}

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
    namespace: Option<Namespace>,
    rows: Rows,
    predictor: Predictor<Markup>,
    decoded: Decoded,
    /// The text around what could not be read.
    excerpt: Option<RawExcerpt>,
    /// A response element was there.
    responded: bool,
    warned: bool,
    /// Instances are read by what those before them were like, where that can be.
    predicts: bool,
}

impl Decoder {
    /// A decoder for an answer that brings `expect`, whose Content-Type names `charset`. `namespace` is that of the request:
    /// most paths come without one.
    pub fn new(expect: Expect, limits: Limits, namespace: Option<Namespace>, charset: Option<&str>) -> Self {
        // Markup that is foreseen is not measured: its depth must be far from the limit.
        let predicts = matches!(expect, Expect::Instances | Expect::Objects | Expect::Anything)
            && limits.xml_depth >= PREDICTED_DEPTH;
        Self {
            transcoder: Transcoder::new(charset),
            framer: Framer::new(&CIMXML, limits),
            items: Items {
                expect,
                limits,
                namespace,
                rows: Rows::default(),
                predictor: Predictor::default(),
                decoded: Decoded::default(),
                excerpt: None,
                responded: false,
                warned: false,
                predicts,
            },
            failed: None,
        }
    }

    /// The same for an answer that goes on with the result of `previous`: its rows have the shapes that are known.
    #[must_use]
    pub fn after(mut self, previous: Self) -> Self {
        let Items { rows, predictor, warned, .. } = previous.items;
        (self.items.rows, self.items.predictor, self.items.warned) = (rows, predictor, warned);
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

    /// The text around what could not be read, once that has happened: of the item where it was in one. How much follows the fault
    /// depends on how much had arrived.
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
                Piece::Open { name, .. } => self.responded |= name.ends_with(b"METHODRESPONSE"),
                Piece::Close { .. } => {}
                Piece::Item { bytes, offset, index, .. } => {
                    let range = offset..offset + bytes.len() as u64;
                    if let Err(mut error) = self.item(bytes, offset, index) {
                        error.item = index;
                        self.excerpt = Some(framer.excerpt(range, error.offset));
                        return Err(error);
                    }
                }
            }
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
        if framer.is_complete() && self.responded {
            return Ok(());
        }
        let (row, fault) = match framer.offset() {
            0 => (body::EMPTY, Fault::Empty),
            _ if framer.is_complete() => (body::NO_RESPONSE, Fault::NoResponse),
            _ => (body::CUT_SHORT, Fault::CutShort),
        };
        Err(DecodeError { item: framer.item(), ..DecodeError::at(framer.offset(), row.seen).of(fault) })
    }

    fn item(&mut self, bytes: &[u8], offset: u64, index: Option<u64>) -> Result<(), DecodeError> {
        let text = std::str::from_utf8(bytes).map_err(|error| {
            let at = offset + error.valid_up_to() as u64;
            DecodeError::at(at, "bytes that are not UTF-8").of(Fault::WrongBytes("UTF-8"))
        })?;
        let rows = self.rows.count();
        let mut xml = Xml::new(text, offset, 0, self.limits);
        let result = match xml.token()? {
            Token::Start(tag) if index.is_some() => self.result_item(&mut xml, &tag),
            Token::Start(tag) => self.beside(&mut xml, &tag),
            _ => Ok(()),
        };
        result?;
        if !matches!(xml.token()?, Token::Eof) {
            return Err(xml.error("something follows the item"));
        }
        if let Some(warning) = xml.warning.take().filter(|_| !self.warned) {
            self.warned = true;
            self.decoded.warning = Some(warning);
        }
        if self.predicts && self.rows.count() == rows + 1 {
            let Self { rows, predictor, limits, .. } = self;
            predictor.learn(rows, || row::markup(rows, text, limits));
        }
        Ok(())
    }

    /// A child of IRETURNVALUE.
    fn result_item(&mut self, xml: &mut Xml<'_>, tag: &BytesStart<'_>) -> Read<()> {
        let name = tag.name();
        let name = name.as_ref();
        if !self.expect.takes(name) {
            return Err(xml.error(format!("unexpected element {name:?} in the result")));
        }
        match name {
            "INSTANCE" => {
                let path = match &self.expect {
                    Expect::Instance(path) => Some(ObjectPath { host: None, ..path.clone() }),
                    _ => None,
                };
                row::row(&mut self.rows, xml, tag, path, self.namespace.as_ref())
            }
            _ if is_object(name) => self.object(xml),
            "QUALIFIER.DECLARATION" => {
                self.decoded.qualifiers.push(class::declaration(xml, tag)?);
                Ok(())
            }
            "CLASS" => {
                let mut class = class::class(xml, tag)?;
                class.namespace.clone_from(&self.namespace);
                self.decoded.classes.push(class);
                Ok(())
            }
            "VALUE" | "VALUE.ARRAY" | "VALUE.REFERENCE" => {
                let declared = Declared { ty: CimType::String, embedded: None };
                let is_array = name == "VALUE.ARRAY";
                let value = value::element(xml, tag, declared)?.unwrap_or(CimValue::Null);
                self.decoded.value = Some(TypedValue { ty: CimType::String, is_array, value });
                Ok(())
            }
            _ => self.path(xml, tag),
        }
    }

    fn path(&mut self, xml: &mut Xml<'_>, tag: &BytesStart<'_>) -> Read<()> {
        let Some(Named { path, is_class }) = path::named(xml, tag)? else { return xml.skip(tag) };
        match self.expect {
            Expect::Values => {
                let value = CimValue::Reference(Box::new(path));
                self.decoded.value = Some(TypedValue::scalar(CimType::Reference, value));
                Ok(())
            }
            Expect::ClassNames => {
                self.decoded.class_names.push(path.class);
                Ok(())
            }
            _ if is_class => {
                self.decoded.class_names.push(path.class);
                Ok(())
            }
            _ => self.rows.name(xml, path, self.namespace.as_ref()),
        }
    }

    /// A path and what it leads to.
    fn object(&mut self, xml: &mut Xml<'_>) -> Read<()> {
        let mut path = None;
        while let Some(tag) = xml.child()? {
            match tag.name().as_ref() {
                "INSTANCE" if self.expect == Expect::PathsOf => {
                    xml.skip(&tag)?;
                    if let Some(path) = path.take() {
                        self.rows.name(xml, path, self.namespace.as_ref())?;
                    }
                }
                "INSTANCE" => row::row(&mut self.rows, xml, &tag, path.take(), self.namespace.as_ref())?,
                "CLASS" => {
                    let mut class = class::class(xml, &tag)?;
                    class.namespace = path.take().and_then(|path| path.namespace).or_else(|| self.namespace.clone());
                    self.decoded.classes.push(class);
                }
                _ => match path::element(xml, &tag)? {
                    Some(found) => path = Some(found),
                    None => xml.skip(&tag)?,
                },
            }
        }
        Ok(())
    }

    /// A child of the response element that is not its result.
    fn beside(&mut self, xml: &mut Xml<'_>, tag: &BytesStart<'_>) -> Read<()> {
        match tag.name().as_ref() {
            "ERROR" => {
                self.decoded.error = Some(error(xml, tag)?);
                Ok(())
            }
            "PARAMVALUE" | "IPARAMVALUE" => {
                let name = xml.name(tag, "NAME")?;
                let value = parameter(xml, tag)?;
                self.decoded.parameters.push((name, value));
                Ok(())
            }
            "RETURNVALUE" => {
                self.decoded.value = Some(parameter(xml, tag)?);
                Ok(())
            }
            _ => xml.skip(tag),
        }
    }
}

/// The most `CIM_Error` instances kept of one error.
const MAX_DETAILS: usize = 100;

/// An ERROR (DSP0201 section 5.2.6.11), up to its end.
fn error(xml: &mut Xml<'_>, tag: &BytesStart<'_>) -> Read<CimError> {
    let (mut code, mut description) = (None, String::new());
    xml.attributes(tag, |name, value| {
        match name {
            "CODE" => code = value.trim().parse().ok(),
            "DESCRIPTION" => description = value.into_owned(),
            _ => {}
        }
        Ok(())
    })?;
    let mut details = Vec::new();
    while let Some(tag) = xml.child()? {
        match tag.name().as_ref() {
            "INSTANCE" if details.len() < MAX_DETAILS => details.push(row::instance(xml, &tag)?),
            _ => xml.skip(&tag)?,
        }
    }
    // A code that is missing or no number is an error all the same.
    Ok(CimError { status: CimStatus(code.unwrap_or(CimStatus::FAILED.0)), description, details })
}

/// A PARAMVALUE or RETURNVALUE, up to its end. Pull parameters come without a type and stay text.
fn parameter(xml: &mut Xml<'_>, tag: &BytesStart<'_>) -> Read<TypedValue> {
    let (mut ty, mut embedded): (Option<CimType>, Option<EmbeddedKind>) = (None, None);
    xml.attributes(tag, |name, value| {
        match name {
            "PARAMTYPE" => ty = CimType::from_keyword(&value),
            _ if name.eq_ignore_ascii_case("EmbeddedObject") => embedded = value::embedded_kind(&value).or(embedded),
            _ => {}
        }
        Ok(())
    })?;
    let (mut found, mut is_array) = (CimValue::Null, false);
    let declared = Declared { ty: ty.unwrap_or(CimType::String), embedded };
    while let Some(tag) = xml.child()? {
        is_array |= tag.name().as_ref().ends_with("ARRAY");
        if is_path(tag.name().as_ref()) {
            found = path::element(xml, &tag)?.map_or(CimValue::Null, |path| CimValue::Reference(Box::new(path)));
        } else {
            found = value::element(xml, &tag, declared)?.unwrap_or(found);
        }
    }
    let is_reference = matches!(found, CimValue::Reference(_));
    Ok(TypedValue { ty: if is_reference { CimType::Reference } else { declared.ty }, is_array, value: found })
}
