//! Endpoint references: how WS-Man names an instance (WS-Addressing 2004/08, DSP0226 section 5.4, DSP0227 section 7).
//!
//! Owns: `Address`, `ReferenceParameters`, `ReferenceProperties`, `ResourceURI`, `SelectorSet`, and the path they make. Must
//! not know which namespace a request named; the caller gives it.
//!
//! An address is mostly the anonymous role, and never connected to: whoever uses a reference asks its own endpoint.

use quick_xml::events::BytesStart;

use super::value::key_of;
use crate::{
    cim::{CimClass, CimName, KeyBinding, KeyValue, Namespace, ObjectPath},
    protocol::{
        wsman::{
            namespaces::{ADDRESSING, EVENTING, WSMAN},
            resource::{NAMESPACE, WMI},
        },
        xml::{
            fault::DecodeError,
            reader::Read,
            scope::{Qualified, split},
        },
    },
};

/// The most selectors of a reference.
const MAX_SELECTORS: usize = 256;

/// An endpoint reference.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Epr {
    /// Its address, as sent.
    pub address: String,
    /// Its resource URI, as sent.
    pub resource_uri: String,
    /// Its selectors in order.
    pub selectors: Vec<(String, Selector)>,
    /// The identifier of a subscription (WS-Eventing).
    pub identifier: Option<String>,
}

/// The value of a selector.
#[derive(Clone, Debug, PartialEq)]
pub enum Selector {
    /// Text; its type is not told.
    Text(String),
    /// A reference.
    Reference(Box<Epr>),
}

impl Epr {
    /// The class it names: what the resource URI ends in.
    pub fn class(&self) -> Option<CimName> {
        let uri = self.resource_uri.split(['?', '#']).next().unwrap_or_default();
        let last = uri.trim_end_matches('/').rsplit('/').next().unwrap_or_default();
        (!last.is_empty() && last != "*").then(|| CimName::new(last))
    }

    /// The CIM namespace it names: that of the selector, or of a Windows resource URI.
    pub fn namespace(&self) -> Option<Namespace> {
        let selector = self.selectors.iter().find(|(name, _)| name.eq_ignore_ascii_case(NAMESPACE));
        if let Some((_, Selector::Text(text))) = selector {
            return Some(Namespace::new(text)).filter(|namespace| !namespace.is_empty());
        }
        let path = self.resource_uri.get(..WMI.len()).filter(|start| start.eq_ignore_ascii_case(WMI))?;
        let (namespace, _) = self.resource_uri.get(path.len()..)?.rsplit_once('/')?;
        Some(Namespace::new(namespace)).filter(|namespace| !namespace.is_empty())
    }

    /// The path it makes, in `namespace` where it names none; keys are typed where `class` tells their types. `None` if it
    /// names no class.
    pub fn path(&self, namespace: Option<&Namespace>, class: Option<&CimClass>) -> Option<ObjectPath> {
        let keys = self.selectors.iter().filter(|(name, _)| !name.eq_ignore_ascii_case(NAMESPACE));
        let keys = keys.map(|(name, value)| {
            let value = match value {
                Selector::Text(text) => key_of(class.and_then(|class| class.property(name)), text),
                Selector::Reference(epr) => match epr.path(namespace, None) {
                    Some(path) => KeyValue::Reference(Box::new(path)),
                    None => KeyValue::String(Box::default()),
                },
            };
            KeyBinding { name: CimName::new(name), value }
        });
        let keys = keys.collect();
        let namespace = self.namespace().or_else(|| namespace.cloned());
        Some(ObjectPath { host: None, namespace, class: self.class()?, keys })
    }
}

/// Whether `tag` stands in an endpoint reference, or is one: a property that holds such an element is a reference.
pub fn is_part(xml: &Qualified<'_>, tag: &BytesStart<'_>) -> bool {
    ["EndpointReference", "Address", "ReferenceParameters", "ReferenceProperties"]
        .iter()
        .any(|local| xml.is(tag, &[ADDRESSING], local))
}

/// The reference that the element the cursor is in holds, up to its end: inside EndpointReference, or directly.
///
/// # Errors
/// Ill-formed XML, a limit.
pub fn read(xml: &mut Qualified<'_>) -> Read<Epr> {
    let mut epr = Epr::default();
    read_into(xml, &mut epr, 0)?;
    Ok(epr)
}

/// As [`read`], where the start tag of the first child, `tag`, has been read.
pub fn read_from(xml: &mut Qualified<'_>, tag: &BytesStart<'_>) -> Read<Epr> {
    let mut epr = Epr::default();
    part(xml, tag, &mut epr, 0)?;
    read_into(xml, &mut epr, 0)?;
    Ok(epr)
}

/// As [`read_from`], up to the end of the first child that is no part of a reference.
pub fn read_inside(xml: &mut Qualified<'_>, tag: &BytesStart<'_>) -> Read<Epr> {
    let mut epr = Epr::default();
    part(xml, tag, &mut epr, 0)?;
    while let Ok(Some(tag)) = xml.child() {
        part(xml, &tag, &mut epr, 0)?;
    }
    Ok(epr)
}

fn read_into(xml: &mut Qualified<'_>, epr: &mut Epr, depth: usize) -> Read<()> {
    if depth > xml.xml.limits.embedded_depth {
        let message = format!("objects are embedded deeper than {}", xml.xml.limits.embedded_depth);
        return Err(DecodeError::limit(xml.xml.offset(), "embedded_depth", message));
    }
    while let Some(tag) = xml.child()? {
        part(xml, &tag, epr, depth)?;
    }
    Ok(())
}

fn part(xml: &mut Qualified<'_>, tag: &BytesStart<'_>, epr: &mut Epr, depth: usize) -> Read<()> {
    let name = tag.name();
    let (_, local) = split(name.as_ref());
    match local {
        "EndpointReference" | "ReferenceParameters" | "ReferenceProperties" if xml.is(tag, &[ADDRESSING], local) => {
            read_into(xml, epr, depth + 1)
        }
        "Address" if xml.is(tag, &[ADDRESSING], local) => {
            epr.address = text(xml, tag)?;
            Ok(())
        }
        "ResourceURI" if xml.is(tag, &[WSMAN], local) => {
            epr.resource_uri = text(xml, tag)?;
            Ok(())
        }
        "SelectorSet" if xml.is(tag, &[WSMAN], local) => selectors(xml, epr, depth),
        "Identifier" if xml.is(tag, &[EVENTING], local) => {
            epr.identifier = Some(text(xml, tag)?);
            Ok(())
        }
        _ => xml.skip(tag),
    }
}

/// What identifies something: text bounded as names are.
fn text(xml: &mut Qualified<'_>, tag: &BytesStart<'_>) -> Read<String> {
    let text = xml.content(tag)?.trim_ascii().to_owned();
    xml.xml.check_name(&text)?;
    Ok(text)
}

fn selectors(xml: &mut Qualified<'_>, epr: &mut Epr, depth: usize) -> Read<()> {
    while let Some(tag) = xml.child()? {
        if !xml.is(&tag, &[WSMAN], "Selector") {
            xml.skip(&tag)?;
            continue;
        }
        if epr.selectors.len() >= MAX_SELECTORS {
            return Err(xml.error(format!("a reference has more than {MAX_SELECTORS} selectors")));
        }
        let name = xml.xml.name(&tag, "Name")?.as_str().to_owned();
        let value = if xml.xml.has_child() {
            let mut inner = Epr::default();
            read_into(xml, &mut inner, depth + 1)?;
            Selector::Reference(Box::new(inner))
        } else {
            Selector::Text(xml.content(&tag)?.into_owned())
        };
        epr.selectors.push((name, value));
    }
    Ok(())
}
