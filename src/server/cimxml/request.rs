//! Reading requests.
//!
//! Owns: from the bytes of a body to a [`Call`], with every limit a hostile client needs, and the agreement between head
//! and body. Must not know which operations exist.

use super::{Head, Refusal};
use crate::{
    cim::{CimName, KeyBinding, KeyValue, Namespace, ObjectPath},
    server::xml::{Node, Unread, tree},
};

/// One operation asked for.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Call {
    /// `ID` of the message, echoed in the answer.
    pub(super) message: String,
    /// The name of the operation or method.
    pub(super) name: String,
    /// Whether it is a method of the schema (`METHODCALL`) rather than an operation (`IMETHODCALL`).
    pub(super) extrinsic: bool,
    /// The namespace it is for.
    pub(super) namespace: Namespace,
    /// Its parameters in order.
    pub(super) params: Vec<(String, Param)>,
}

/// The value of a parameter.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Param {
    /// Nothing inside: NULL.
    Null,
    /// `VALUE`
    Value(String),
    /// `VALUE.ARRAY`; `None` is `VALUE.NULL`.
    Array(Vec<Option<String>>),
    /// `CLASSNAME`
    Class(CimName),
    /// `INSTANCENAME`
    Instance(ObjectPath),
    /// Anything else DSP0201 allows, which no operation here takes.
    Other,
}

impl From<Unread> for Refusal {
    fn from(unread: Unread) -> Self {
        match unread {
            Unread::NotWellFormed(what) => Self::NotWellFormed(what),
            Unread::TooMuch(what) => Self::NotValid(what.to_owned()),
        }
    }
}

impl Node {
    fn required(&self, name: &str) -> Result<&str, Refusal> {
        self.attribute(name).ok_or_else(|| Refusal::NotValid(format!("{} without {name}", self.name)))
    }

    fn expect(self, name: &str) -> Result<Self, Refusal> {
        if self.name == name { Ok(self) } else { Err(Refusal::NotValid(format!("{} where {name} belongs", self.name))) }
    }

    fn only_child(self) -> Result<Self, Refusal> {
        let Self { name, children, .. } = self;
        let mut children = children.into_iter();
        match (children.next(), children.next()) {
            (Some(child), None) => Ok(child),
            (None, _) => Err(Refusal::NotValid(format!("{name} is empty"))),
            (Some(_), Some(_)) => Err(Refusal::NotValid(format!("{name} holds more than one element"))),
        }
    }
}

/// Judges a head: what a request must say before its body is worth reading (DSP0200 section 6.3).
pub(super) fn check_head(head: &Head) -> Result<(), Refusal> {
    match head.header("cimoperation") {
        Some(operation) if operation.trim().eq_ignore_ascii_case("MethodCall") => {}
        _ => return Err(Refusal::UnsupportedOperation),
    }
    if let Some(version) = head.header("cimprotocolversion").map(str::trim)
        && !version.starts_with("1.")
    {
        return Err(Refusal::UnsupportedProtocolVersion(version.to_owned()));
    }
    let media = head.header("content-type").unwrap_or("application/xml");
    let mut parts = media.split(';').map(str::trim);
    let kind = parts.next().unwrap_or_default();
    if !kind.eq_ignore_ascii_case("application/xml") && !kind.eq_ignore_ascii_case("text/xml") {
        return Err(Refusal::MediaType(format!("Content-Type {kind} is not XML")));
    }
    let charset =
        parts.filter_map(|part| part.split_once('=')).find(|(key, _)| key.trim().eq_ignore_ascii_case("charset"));
    match charset.map(|(_, value)| value.trim().trim_matches('"')) {
        Some(set) if !set.eq_ignore_ascii_case("utf-8") && !set.eq_ignore_ascii_case("us-ascii") => {
            Err(Refusal::MediaType(format!("charset {set} is not UTF-8")))
        }
        _ => Ok(()),
    }
}

/// Checks that `CIMMethod` and `CIMObject` say what the body says (DSP0200 sections 6.3.7 and 6.3.8).
pub(super) fn agree(head: &Head, call: Call) -> Result<Call, Refusal> {
    let decoded = |name: &str| {
        let value = head.header(name).ok_or_else(|| Refusal::HeaderMismatch(format!("no {name} header")))?;
        percent_decoded(value.trim()).ok_or_else(|| Refusal::HeaderMismatch(format!("{name} is not UTF-8")))
    };
    let method = decoded("CIMMethod")?;
    if method != call.name {
        return Err(Refusal::HeaderMismatch(format!("CIMMethod is {method}, the body calls {}", call.name)));
    }
    let object = decoded("CIMObject")?;
    if !call.extrinsic && Namespace::new(&object) != call.namespace {
        return Err(Refusal::HeaderMismatch(format!("CIMObject is {object}, the body names {}", call.namespace)));
    }
    Ok(call)
}

pub(in crate::server) fn percent_decoded(text: &str) -> Option<String> {
    let mut bytes = text.bytes();
    let mut out = Vec::with_capacity(text.len());
    while let Some(byte) = bytes.next() {
        if byte == b'%' {
            let digit = |byte: Option<u8>| byte.and_then(|byte| char::from(byte).to_digit(16));
            let (high, low) = (digit(bytes.next())?, digit(bytes.next())?);
            out.push(u8::try_from(high * 16 + low).ok()?);
        } else {
            out.push(byte);
        }
    }
    String::from_utf8(out).ok()
}

/// Reads a body.
pub(super) fn parse(body: &[u8]) -> Result<Call, Refusal> {
    let text = std::str::from_utf8(body)
        .map_err(|error| Refusal::NotWellFormed(format!("not UTF-8 at byte {}", error.valid_up_to())))?;
    let cim = tree(text.trim_start_matches('\u{feff}'))?.expect("CIM")?;
    if let Some(version) = cim.attribute("CIMVERSION").filter(|version| !version.starts_with("2.")) {
        return Err(Refusal::UnsupportedCimVersion(version.to_owned()));
    }
    if let Some(version) = cim.attribute("DTDVERSION").filter(|version| !version.starts_with("2.")) {
        return Err(Refusal::UnsupportedDtdVersion(version.to_owned()));
    }
    cim.required("CIMVERSION")?;
    cim.required("DTDVERSION")?;
    let message = cim.only_child()?.expect("MESSAGE")?;
    let protocol = message.required("PROTOCOLVERSION")?;
    if !protocol.starts_with("1.") {
        return Err(Refusal::UnsupportedProtocolVersion(protocol.to_owned()));
    }
    let id = message.required("ID")?.to_owned();
    let request = message.only_child()?;
    if request.name == "MULTIREQ" {
        return Err(Refusal::MultipleRequests);
    }
    let call = request.expect("SIMPLEREQ")?.only_child()?;
    match call.name.as_str() {
        "IMETHODCALL" => intrinsic(id, call),
        "METHODCALL" => extrinsic(id, &call),
        other => Err(Refusal::NotValid(format!("{other} where IMETHODCALL belongs"))),
    }
}

fn intrinsic(message: String, call: Node) -> Result<Call, Refusal> {
    let name = call.required("NAME")?.to_owned();
    let mut children = call.children.into_iter();
    let path = children.next().ok_or_else(|| Refusal::NotValid("IMETHODCALL is empty".to_owned()))?;
    let namespace = namespace(&path.expect("LOCALNAMESPACEPATH")?)?;
    let mut params: Vec<(String, Param)> = Vec::new();
    for child in children {
        let child = child.expect("IPARAMVALUE")?;
        let name = child.required("NAME")?.to_owned();
        params.push((name, param(child)?));
    }
    Ok(Call { message, name, extrinsic: false, namespace, params })
}

/// A method call is read only as far as its refusal needs.
fn extrinsic(message: String, call: &Node) -> Result<Call, Refusal> {
    let name = call.required("NAME")?.to_owned();
    let mut path = call.children.first();
    let mut found = None;
    while let Some(node) = path {
        if node.name == "LOCALNAMESPACEPATH" {
            found = Some(namespace(node)?);
            break;
        }
        path = node.children.first();
    }
    let namespace = found.ok_or_else(|| Refusal::NotValid("METHODCALL without a namespace".to_owned()))?;
    Ok(Call { message, name, extrinsic: true, namespace, params: Vec::new() })
}

fn namespace(path: &Node) -> Result<Namespace, Refusal> {
    let mut parts = Vec::new();
    for child in &path.children {
        if child.name != "NAMESPACE" {
            return Err(Refusal::NotValid(format!("{} where NAMESPACE belongs", child.name)));
        }
        parts.push(child.required("NAME")?);
    }
    let namespace = Namespace::new(&parts.join("/"));
    if namespace.is_empty() { Err(Refusal::NotValid("an empty namespace path".to_owned())) } else { Ok(namespace) }
}

fn param(node: Node) -> Result<Param, Refusal> {
    if node.children.is_empty() {
        return Ok(Param::Null);
    }
    let child = node.only_child()?;
    Ok(match child.name.as_str() {
        "VALUE" => Param::Value(child.text),
        "VALUE.ARRAY" => Param::Array(array(child)?),
        "CLASSNAME" => Param::Class(CimName::new(child.required("NAME")?)),
        "INSTANCENAME" => Param::Instance(instance_name(&child, None)?),
        "VALUE.REFERENCE" | "CLASS" | "INSTANCE" | "VALUE.NAMEDINSTANCE" | "QUALIFIER.DECLARATION" => Param::Other,
        other => return Err(Refusal::NotValid(format!("{other} in IPARAMVALUE"))),
    })
}

fn array(node: Node) -> Result<Vec<Option<String>>, Refusal> {
    node.children
        .into_iter()
        .map(|item| match item.name.as_str() {
            "VALUE" => Ok(Some(item.text)),
            "VALUE.NULL" => Ok(None),
            other => Err(Refusal::NotValid(format!("{other} in VALUE.ARRAY"))),
        })
        .collect()
}

fn instance_name(node: &Node, namespace: Option<Namespace>) -> Result<ObjectPath, Refusal> {
    let class = CimName::new(node.required("CLASSNAME")?);
    let mut keys = Vec::with_capacity(node.children.len());
    for child in &node.children {
        let (name, value) = match child.name.as_str() {
            "KEYBINDING" => {
                let value = child
                    .children
                    .first()
                    .filter(|_| child.children.len() == 1)
                    .ok_or_else(|| Refusal::NotValid("KEYBINDING without exactly one value".to_owned()))?;
                (child.required("NAME")?, value)
            }
            _ => ("", child),
        };
        keys.push(KeyBinding { name: CimName::new(name), value: key_value(value)? });
    }
    Ok(ObjectPath { host: None, namespace, class, keys })
}

fn key_value(node: &Node) -> Result<KeyValue, Refusal> {
    match node.name.as_str() {
        "KEYVALUE" => {}
        "VALUE.REFERENCE" => return reference(node).map(|path| KeyValue::Reference(Box::new(path))),
        other => return Err(Refusal::NotValid(format!("{other} as a key"))),
    }
    let text = node.text.trim();
    match node.attribute("VALUETYPE").unwrap_or("string") {
        "string" => Ok(KeyValue::String(node.text.as_str().into())),
        "boolean" if text.eq_ignore_ascii_case("true") => Ok(KeyValue::Bool(true)),
        "boolean" if text.eq_ignore_ascii_case("false") => Ok(KeyValue::Bool(false)),
        "numeric" => number(text).ok_or_else(|| Refusal::NotValid("a numeric key that is no number".to_owned())),
        _ => Err(Refusal::NotValid("VALUETYPE and the key's text do not fit".to_owned())),
    }
}

fn number(text: &str) -> Option<KeyValue> {
    let hex = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X"));
    if let Some(value) = hex.and_then(|digits| u64::from_str_radix(digits, 16).ok()) {
        return Some(KeyValue::UInt(value));
    }
    let plain = text.strip_prefix('+').unwrap_or(text);
    plain
        .parse()
        .map(KeyValue::UInt)
        .or_else(|_| plain.parse().map(KeyValue::SInt))
        .ok()
        .or_else(|| plain.parse().ok().filter(|real: &f64| real.is_finite()).map(KeyValue::Real))
}

fn reference(node: &Node) -> Result<ObjectPath, Refusal> {
    let wrong = || Refusal::NotValid("VALUE.REFERENCE without an instance".to_owned());
    let inner = node.children.first().ok_or_else(wrong)?;
    match inner.name.as_str() {
        "INSTANCENAME" => instance_name(inner, None),
        "LOCALINSTANCEPATH" | "INSTANCEPATH" => {
            let mut path = inner.children.first().ok_or_else(wrong)?;
            if path.name == "NAMESPACEPATH" {
                path = path.children.last().ok_or_else(wrong)?;
            }
            let name = inner.children.get(1).filter(|name| name.name == "INSTANCENAME").ok_or_else(wrong)?;
            instance_name(name, Some(namespace(path)?))
        }
        _ => Err(wrong()),
    }
}
