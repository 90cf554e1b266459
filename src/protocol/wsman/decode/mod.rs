//! The decoder: the body of an answer in, rows, classes, facts and faults out.
//!
//! Owns: which item means what ([`Items`]); the parts are [`instance`], [`value`], [`epr`], [`fault`], [`answer`] and
//! [`datetime`]. Sans-IO. Must not know how bytes become items ([`crate::protocol::xml::decoder`]), requests, connections or
//! who takes the result.
//!
//! ```text
//! item -> Qualified -> row | class | fault | output | context -> Decoded
//! ```
//!
//! Elements are told by namespace and local name, never by prefix (protocols differ in both, servers in prefixes).

pub mod answer;
pub mod datetime;
mod decoded;
pub mod epr;
pub mod fault;
pub mod instance;
mod learn;
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
use self::{fault::FaultKind, instance::Schema, predict::Markup};
use super::{
    grammar::SOAP12,
    namespaces::{ADDRESSING, ENUMERATION, EVENTING, SOAP, TRANSFER, WSMAN},
};
use crate::{
    cim::{CimClass, CimName, Namespace, ObjectPath},
    op::Limits,
    protocol::{
        cimxml::decode::class,
        xml::{
            decoder::{self, Item},
            fault::DecodeError,
            grammar::Grammar,
            reader::{Read, Token},
            rows::Rows,
            scope::{Qualified, split},
        },
    },
};

/// How many containers are open around a child of Body, and around one of EnumerateResponse or PullResponse.
const IN_BODY: usize = 2;
const IN_RESPONSE: usize = 3;

/// Decodes one answer.
pub type Decoder = decoder::Decoder<Items>;

/// What is made of the items of one answer.
#[derive(Debug)]
pub struct Items {
    expect: Expect,
    schema: Schema,
    /// The method that was invoked.
    method: Option<CimName>,
    rows: Rows,
    decoded: Decoded,
    /// What was asked for, or a fault, was there.
    answered: bool,
    /// What kind of fault it was.
    fault: Option<FaultKind>,
    /// Headers of the request the server does not understand.
    not_understood: Vec<String>,
}

impl Decoder {
    /// A decoder for an answer that brings `expect`, whose Content-Type names `charset`. `namespace` is that of the request:
    /// many references come without one.
    pub fn new(expect: Expect, limits: Limits, namespace: Option<Namespace>, charset: Option<&str>) -> Self {
        let items = Items {
            expect,
            schema: Schema::new(namespace),
            method: None,
            rows: Rows::default(),
            decoded: Decoded::default(),
            answered: false,
            fault: None,
            not_understood: Vec::new(),
        };
        Self::over(items, limits, charset)
    }

    /// The same where the class asked for is known: values and keys are typed, and rows have paths. Before any row.
    #[must_use]
    pub fn with_class(self, class: Arc<CimClass>) -> Self {
        self.with(|items| items.schema.know(class))
    }

    /// The same for the answer of `method`, which types its output where the class is known.
    #[must_use]
    pub fn with_method(self, method: CimName) -> Self {
        self.with(|items| items.method = Some(method))
    }

    /// What kind of fault the answer was, if it was one.
    pub fn fault(&self) -> Option<FaultKind> {
        self.items().fault
    }
}

impl decoder::Items for Items {
    type Markup = Markup;
    type Decoded = Decoded;

    fn grammar() -> &'static Grammar {
        &SOAP12
    }

    fn are_alike(&self) -> bool {
        // Objects stand bare also where a server does not know the mode that wraps them.
        matches!(self.expect, Expect::Instances | Expect::ObjectsAndEprs | Expect::Anything)
    }

    fn rows(&self) -> &Rows {
        &self.rows
    }

    fn rows_mut(&mut self) -> &mut Rows {
        &mut self.rows
    }

    fn opened(&mut self, level: usize, _: &[u8]) {
        // Whoever asked for something of another kind gets it, or a fault, as an item.
        self.answered |= level == IN_BODY;
    }

    fn item(&mut self, item: &Item<'_>) -> Read<Option<String>> {
        let mut xml = Qualified::new(item.xml(), item.scope);
        let Some(tag) = xml.child()? else { return Ok(None) };
        if fault::is_fault(&xml, &tag) {
            self.fault(&mut xml)?;
            return Ok(None);
        }
        match item.level {
            _ if item.index.is_some() => self.result_item(&mut xml, &tag, item)?,
            IN_RESPONSE => self.beside(&mut xml, &tag)?,
            IN_BODY => self.body(&mut xml, &tag)?,
            _ if xml.is(&tag, &[SOAP], "Header") => self.not_understood = fault::not_understood(&mut xml)?,
            _ => xml.skip(&tag)?,
        }
        if !matches!(xml.xml.token()?, Token::Eof) {
            return Err(xml.error("something follows the item"));
        }
        Ok(xml.xml.warning)
    }

    fn markup(&self, item: &Item<'_>) -> Option<Markup> {
        learn::markup(&self.rows, item, &self.schema)
    }

    fn is_answer(&self) -> bool {
        // An empty body is all that some requests are answered with.
        self.answered || matches!(self.expect, Expect::Release | Expect::Values | Expect::Anything)
    }

    fn go_on(&mut self, previous: Self) {
        (self.rows, self.schema) = (previous.rows, previous.schema);
    }

    fn take(&mut self, warning: Option<String>) -> Decoded {
        let (shapes, rows) = self.rows.take();
        Decoded { shapes, rows, warning, ..std::mem::take(&mut self.decoded) }
    }
}

impl Items {
    /// A fault, of which as much is taken as can be read.
    fn fault(&mut self, xml: &mut Qualified<'_>) -> Read<()> {
        let not_understood = std::mem::take(&mut self.not_understood);
        let mut fault = SoapFault { not_understood, ..SoapFault::default() };
        let read = fault::read(xml, &mut fault);
        if let Err(error) = read
            && (error.limit.is_some() || fault.code.is_empty())
        {
            return Err(error);
        }
        self.answered = true;
        self.fault = Some(fault.kind());
        self.decoded.fault = Some(fault);
        Ok(())
    }

    /// A child of Items.
    fn result_item(&mut self, xml: &mut Qualified<'_>, tag: &BytesStart<'_>, item: &Item<'_>) -> Read<()> {
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
            return self.wrapped(xml, item);
        }
        self.object(xml, tag, None)
    }

    /// A `wsman:Item` up to its end: an object and its reference, which stands behind it and so is read first.
    fn wrapped(&mut self, xml: &mut Qualified<'_>, item: &Item<'_>) -> Read<()> {
        let mut path = None;
        let mut ahead = Qualified::new(item.xml(), item.scope);
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
            } else if self.expect == Expect::InstanceNames && path.is_some() {
                xml.skip(&tag)?;
                let namespace = self.schema.namespace.as_ref();
                path.take().map_or(Ok(()), |path| self.rows.name(&xml.xml, path, namespace))?;
            } else {
                self.object(xml, &tag, path.take())?;
            }
        }
        Ok(())
    }

    /// An instance with the path that came with it.
    fn object(&mut self, xml: &mut Qualified<'_>, tag: &BytesStart<'_>, path: Option<ObjectPath>) -> Read<()> {
        let Self { rows, schema, expect, .. } = self;
        if *expect == Expect::InstanceNames {
            let path = instance::path(xml, split(tag.name().as_ref()).1, schema)?;
            return rows.name(&xml.xml, path, schema.namespace.as_ref());
        }
        let path = match (path, &*expect) {
            (Some(path), _) => Some(path),
            (None, Expect::Instance(path)) => Some(ObjectPath { host: None, ..path.clone() }),
            (None, _) => None,
        };
        if xml.is(tag, &[WSMAN], "XmlFragment") {
            if !xml.xml.has_child() {
                return xml.skip(tag);
            }
            self.decoded.has_fragments = true;
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

    /// An enumeration context; an empty one is none. How long it may be is for whoever sends it back to say.
    fn context(&mut self, xml: &mut Qualified<'_>, tag: &BytesStart<'_>) -> Read<()> {
        let text = xml.content(tag)?;
        let text = text.trim_ascii();
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
            // A method answers once: what stands behind an answer is none of its output.
            if self.answered {
                return xml.skip(tag);
            }
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
