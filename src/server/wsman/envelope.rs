//! Envelopes as trees of elements with their namespaces.
//!
//! Owns: the XML namespaces of WS-Man and resolving prefixes. Must not know what a header means.

use super::fault::Fault;
use crate::server::xml::{self, Node, Unread};

/// SOAP 1.2.
pub(super) const SOAP: &str = "http://www.w3.org/2003/05/soap-envelope";
/// WS-Addressing of August 2004.
pub(super) const ADDRESSING: &str = "http://schemas.xmlsoap.org/ws/2004/08/addressing";
/// Who asks, in WS-Addressing.
pub(super) const ANONYMOUS: &str = "http://schemas.xmlsoap.org/ws/2004/08/addressing/role/anonymous";
/// WS-Transfer.
pub(super) const TRANSFER: &str = "http://schemas.xmlsoap.org/ws/2004/09/transfer";
/// WS-Enumeration.
pub(super) const ENUMERATION: &str = "http://schemas.xmlsoap.org/ws/2004/09/enumeration";
/// WS-Eventing.
pub(super) const EVENTING: &str = "http://schemas.xmlsoap.org/ws/2004/08/eventing";
/// WS-Management (DSP0226).
pub(super) const MANAGEMENT: &str = "http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd";
/// The binding to CIM (DSP0227).
pub(super) const BINDING: &str = "http://schemas.dmtf.org/wbem/wsman/1/cimbinding.xsd";
/// Identify (DSP0226 section 11).
pub(super) const IDENTITY: &str = "http://schemas.dmtf.org/wbem/wsman/identity/1/wsmanidentity.xsd";
/// What WinRM adds (MS-WSMV).
pub(super) const MICROSOFT: &str = "http://schemas.microsoft.com/wbem/wsman/1/wsman.xsd";
/// `xsi:nil` and `xsi:type`.
pub(super) const INSTANCE: &str = "http://www.w3.org/2001/XMLSchema-instance";
/// The common types of DSP0230.
pub(super) const COMMON: &str = "http://schemas.dmtf.org/wbem/wscim/1/common";
const XML: &str = "http://www.w3.org/XML/1998/namespace";

/// An element whose prefixes are resolved.
#[derive(Clone, Debug)]
pub(super) struct Element {
    pub(super) namespace: String,
    pub(super) name: String,
    attributes: Vec<(String, String, String)>,
    pub(super) children: Vec<Element>,
    pub(super) text: String,
}

impl Element {
    pub(super) fn is(&self, namespace: &str, name: &str) -> bool {
        self.name == name && self.namespace == namespace
    }

    /// The first child of that name.
    pub(super) fn child(&self, namespace: &str, name: &str) -> Option<&Self> {
        self.children.iter().find(|child| child.is(namespace, name))
    }

    /// An attribute without a namespace.
    pub(super) fn attribute(&self, name: &str) -> Option<&str> {
        self.attribute_in("", name)
    }

    pub(super) fn attribute_in(&self, namespace: &str, name: &str) -> Option<&str> {
        let mut found = self.attributes.iter().filter(|(space, local, _)| space == namespace && local == name);
        found.next().map(|(_, _, value)| value.as_str())
    }

    /// Its text without the blanks around it.
    pub(super) fn trimmed(&self) -> &str {
        self.text.trim()
    }
}

/// Reads an envelope. Whatever is not SOAP 1.2 is refused.
pub(super) fn read(text: &str) -> Result<Element, Fault> {
    let tree = xml::tree(text).map_err(|unread| match unread {
        Unread::NotWellFormed(what) => Fault::schema(&what),
        Unread::TooMuch(what) => Fault::schema(what),
    })?;
    let root = resolved(tree, &mut vec![("xml".to_owned(), XML.to_owned())])?;
    if root.name == "Envelope" && root.namespace != SOAP {
        return Err(Fault::version());
    }
    if root.is(SOAP, "Envelope") { Ok(root) } else { Err(Fault::schema("the document is no envelope")) }
}

/// The tree is as deep as [`xml::tree`] lets it be, so this recursion is bounded.
fn resolved(node: Node, scope: &mut Vec<(String, String)>) -> Result<Element, Fault> {
    let outer = scope.len();
    let declares = |name: &str| name == "xmlns" || name.starts_with("xmlns:");
    for (name, value) in node.attributes.iter().filter(|(name, _)| declares(name)) {
        let prefix = name.strip_prefix("xmlns:").unwrap_or_default();
        scope.push((prefix.to_owned(), value.clone()));
    }
    let (namespace, name) = qualified(&node.name, true, scope)?;
    let mut attributes = Vec::new();
    for (written, value) in node.attributes.into_iter().filter(|(name, _)| !declares(name)) {
        let (namespace, name) = qualified(&written, false, scope)?;
        attributes.push((namespace, name, value));
    }
    let children = node.children.into_iter().map(|child| resolved(child, scope)).collect::<Result<_, _>>()?;
    scope.truncate(outer);
    Ok(Element { namespace, name, attributes, children, text: node.text })
}

/// Namespace and local name; an element without a prefix is in the default namespace, an attribute in none.
fn qualified(name: &str, element: bool, scope: &[(String, String)]) -> Result<(String, String), Fault> {
    let (prefix, local) = name.split_once(':').unwrap_or(("", name));
    if prefix.is_empty() && !element {
        return Ok((String::new(), local.to_owned()));
    }
    let found = scope.iter().rev().find(|(known, _)| known == prefix).map(|(_, uri)| uri.clone());
    match found {
        Some(uri) => Ok((uri, local.to_owned())),
        None if prefix.is_empty() => Ok((String::new(), local.to_owned())),
        None => Err(Fault::schema("a prefix is not declared")),
    }
}
