//! The decoder: the body of an answer in, rows, classes, names, errors and parameters out.
//!
//! Owns: which item means what ([`Items`]); the parts are [`row`], [`class`], [`path`] and [`value`]. Sans-IO. Must not know
//! how bytes become items ([`crate::protocol::xml::decoder`]), requests, connections or who takes the result.
//!
//! ```text
//! item -> Xml -> row | class | name | error | parameter -> Decoded
//! ```

pub mod class;
mod decoded;
pub mod path;
pub mod row;
#[cfg(test)]
mod tests;
pub mod value;

use quick_xml::events::BytesStart;

pub use self::decoded::{Decoded, Expect};
use self::{path::Named, row::Markup, value::Declared};
use super::grammar::CIMXML;
use crate::{
    cim::{CimError, CimStatus, CimType, CimValue, EmbeddedKind, Namespace, ObjectPath, TypedValue},
    op::Limits,
    protocol::xml::{
        decoder::{self, Item},
        grammar::Grammar,
        reader::{Read, Token, Xml},
        rows::Rows,
    },
};

/// Decodes one answer.
pub type Decoder = decoder::Decoder<Items>;

/// What is made of the items of one answer.
#[derive(Debug)]
pub struct Items {
    expect: Expect,
    namespace: Option<Namespace>,
    rows: Rows,
    decoded: Decoded,
    /// A response element was there.
    responded: bool,
}

impl Decoder {
    /// A decoder for an answer that brings `expect`, whose Content-Type names `charset`. `namespace` is that of the request:
    /// most paths come without one.
    pub fn new(expect: Expect, limits: Limits, namespace: Option<Namespace>, charset: Option<&str>) -> Self {
        let (rows, decoded) = (Rows::default(), Decoded::default());
        Self::over(Items { expect, namespace, rows, decoded, responded: false }, limits, charset)
    }
}

impl decoder::Items for Items {
    type Markup = Markup;
    type Decoded = Decoded;

    fn grammar() -> &'static Grammar {
        &CIMXML
    }

    fn are_alike(&self) -> bool {
        matches!(self.expect, Expect::Instances | Expect::Objects | Expect::Anything)
    }

    fn rows(&self) -> &Rows {
        &self.rows
    }

    fn rows_mut(&mut self) -> &mut Rows {
        &mut self.rows
    }

    fn opened(&mut self, _: usize, name: &[u8]) {
        self.responded |= name.ends_with(b"METHODRESPONSE");
    }

    fn item(&mut self, item: &Item<'_>) -> Read<Option<String>> {
        let mut xml = item.xml();
        match xml.token()? {
            Token::Start(tag) if item.index.is_some() => self.result_item(&mut xml, &tag)?,
            Token::Start(tag) => self.beside(&mut xml, &tag)?,
            _ => {}
        }
        if !matches!(xml.token()?, Token::Eof) {
            return Err(xml.error("something follows the item"));
        }
        Ok(xml.warning)
    }

    fn markup(&self, item: &Item<'_>) -> Option<Markup> {
        row::markup(&self.rows, item.text, &item.limits)
    }

    fn is_answer(&self) -> bool {
        self.responded
    }

    fn go_on(&mut self, previous: Self) {
        self.rows = previous.rows;
    }

    fn take(&mut self, warning: Option<String>) -> Decoded {
        let (shapes, rows) = self.rows.take();
        Decoded { shapes, rows, warning, ..std::mem::take(&mut self.decoded) }
    }
}

impl Items {
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
