//! Writing answers.
//!
//! Owns: the CIM-XML elements of DSP0201 as text: escaping, values, paths, instances, errors; classes are
//! [`schema`]'s. Must not know where a value came from or where the text goes.

mod schema;

use super::request::Call;
use crate::{
    cim::{
        CimError, CimInstance, CimName, CimType, CimValue, ClassProperty, EmbeddedKind, KeyValue, Namespace,
        ObjectPath, text::real_text,
    },
    server::{
        repository::SchemaClass,
        xml::{attribute, escape, put},
    },
};

pub(in crate::server) use schema::class;
pub(super) use schema::qualifier_declaration;

/// What of a class or an instance is asked for.
#[derive(Clone, Copy, Debug)]
pub(in crate::server) struct Wanted<'a> {
    /// Only what the class itself declares or overrides.
    pub(in crate::server) local_only: bool,
    /// Qualifiers too.
    pub(in crate::server) qualifiers: bool,
    /// `CLASSORIGIN` too.
    pub(in crate::server) class_origin: bool,
    /// Only these properties.
    pub(in crate::server) properties: Option<&'a [CimName]>,
    /// Only properties this class has (`DeepInheritance` false).
    pub(in crate::server) known_to: Option<&'a SchemaClass>,
}

impl Wanted<'_> {
    /// Whether the property `name` is asked for.
    pub(super) fn takes(&self, name: &CimName) -> bool {
        self.properties.is_none_or(|list| list.contains(name))
            && self.known_to.is_none_or(|class| class.index(name.as_str()).is_some())
    }
}

/// Everything before what an operation answers.
pub(super) fn open(out: &mut String, call: &Call) {
    out.push_str("<?xml version=\"1.0\" encoding=\"utf-8\" ?>\n<CIM CIMVERSION=\"2.0\" DTDVERSION=\"2.0\">\n<MESSAGE");
    attribute(out, "ID", &call.message);
    out.push_str(" PROTOCOLVERSION=\"1.0\">\n<SIMPLERSP>\n<");
    out.push_str(response(call));
    attribute(out, "NAME", &call.name);
    out.push_str(">\n");
}

/// Everything after what an operation answers.
pub(super) fn close(out: &mut String, call: &Call) {
    put!(out, "</{}>\n</SIMPLERSP>\n</MESSAGE>\n</CIM>\n", response(call));
}

const fn response(call: &Call) -> &'static str {
    if call.extrinsic { "METHODRESPONSE" } else { "IMETHODRESPONSE" }
}

/// `ERROR` in place of a return value.
pub(super) fn error(out: &mut String, error: &CimError) {
    put!(out, "<ERROR CODE=\"{}\"", error.status.0);
    attribute(out, "DESCRIPTION", &error.description);
    out.push_str("></ERROR>\n");
}

/// `CLASSNAME`
pub(super) fn class_name(out: &mut String, name: &CimName) {
    out.push_str("<CLASSNAME");
    attribute(out, "NAME", name.as_str());
    out.push_str("/>\n");
}

/// `INSTANCENAME`
pub(super) fn instance_name(out: &mut String, path: &ObjectPath) {
    out.push_str("<INSTANCENAME");
    attribute(out, "CLASSNAME", path.class.as_str());
    out.push('>');
    for key in &path.keys {
        out.push_str("<KEYBINDING");
        attribute(out, "NAME", key.name.as_str());
        out.push('>');
        let kind = match &key.value {
            KeyValue::Reference(path) => {
                reference(out, path);
                out.push_str("</KEYBINDING>");
                continue;
            }
            KeyValue::Bool(_) => "boolean",
            KeyValue::String(_) => "string",
            KeyValue::UInt(_) | KeyValue::SInt(_) | KeyValue::Real(_) => "numeric",
        };
        put!(out, "<KEYVALUE VALUETYPE=\"{kind}\">");
        match &key.value {
            KeyValue::Bool(value) => out.push_str(boolean(*value)),
            KeyValue::UInt(value) => put!(out, "{value}"),
            KeyValue::SInt(value) => put!(out, "{value}"),
            KeyValue::Real(value) => real(out, CimType::Real64, *value),
            KeyValue::String(text) => escape(out, text),
            KeyValue::Reference(_) => {}
        }
        out.push_str("</KEYVALUE></KEYBINDING>");
    }
    out.push_str("</INSTANCENAME>\n");
}

/// `VALUE.REFERENCE`: the longest form the path allows; a host of ours is never told.
fn reference(out: &mut String, path: &ObjectPath) {
    out.push_str("<VALUE.REFERENCE>");
    match &path.namespace {
        Some(namespace) => {
            out.push_str("<LOCALINSTANCEPATH>");
            namespace_path(out, namespace);
            instance_name(out, path);
            out.push_str("</LOCALINSTANCEPATH>");
        }
        None => instance_name(out, path),
    }
    out.push_str("</VALUE.REFERENCE>");
}

/// `INSTANCEPATH`, which needs a host.
pub(super) fn instance_path(out: &mut String, host: &str, path: &ObjectPath) {
    out.push_str("<INSTANCEPATH><NAMESPACEPATH><HOST>");
    escape(out, host);
    out.push_str("</HOST>");
    if let Some(namespace) = &path.namespace {
        namespace_path(out, namespace);
    }
    out.push_str("</NAMESPACEPATH>\n");
    instance_name(out, path);
    out.push_str("</INSTANCEPATH>\n");
}

/// `OBJECTPATH` of an instance.
pub(super) fn object_path(out: &mut String, host: &str, path: &ObjectPath) {
    out.push_str("<OBJECTPATH>");
    instance_path(out, host, path);
    out.push_str("</OBJECTPATH>\n");
}

/// `VALUE.OBJECTWITHPATH` of an instance of `class`, whose `values` stand in the order of its properties.
pub(super) fn object(
    out: &mut String,
    host: &str,
    path: &ObjectPath,
    class: &SchemaClass,
    values: &[CimValue],
    wanted: &Wanted<'_>,
) {
    out.push_str("<VALUE.OBJECTWITHPATH>\n");
    instance_path(out, host, path);
    instance(out, class, values, wanted);
    out.push_str("</VALUE.OBJECTWITHPATH>\n");
}

/// `VALUE.INSTANCEWITHPATH`, otherwise as [`object`].
pub(super) fn instance_with_path(
    out: &mut String,
    host: &str,
    path: &ObjectPath,
    class: &SchemaClass,
    values: &[CimValue],
    wanted: &Wanted<'_>,
) {
    out.push_str("<VALUE.INSTANCEWITHPATH>\n");
    instance_path(out, host, path);
    instance(out, class, values, wanted);
    out.push_str("</VALUE.INSTANCEWITHPATH>\n");
}

/// `PARAMVALUE` of an output parameter, with what `inner` writes in it.
pub(super) fn output(out: &mut String, name: &str, inner: impl FnOnce(&mut String)) {
    out.push_str("<PARAMVALUE");
    attribute(out, "NAME", name);
    out.push_str(">\n");
    inner(out);
    out.push_str("</PARAMVALUE>\n");
}

/// `VALUE` of a text.
pub(super) fn text_value(out: &mut String, text: &str) {
    out.push_str("<VALUE>");
    escape(out, text);
    out.push_str("</VALUE>\n");
}

fn namespace_path(out: &mut String, namespace: &Namespace) {
    out.push_str("<LOCALNAMESPACEPATH>");
    for part in namespace.parts() {
        out.push_str("<NAMESPACE");
        attribute(out, "NAME", part);
        out.push_str("/>");
    }
    out.push_str("</LOCALNAMESPACEPATH>");
}

pub(super) const fn boolean(value: bool) -> &'static str {
    if value { "TRUE" } else { "FALSE" }
}

/// A real, with the digits that bring the same value back and always a point in it (DSP0004 annex A, `realValue`).
fn real(out: &mut String, ty: CimType, value: f64) {
    out.push_str(&real_text(value, ty));
}

/// A value, in `VALUE`, `VALUE.ARRAY` or `VALUE.REFERENCE`; nothing for NULL.
pub(super) fn value(out: &mut String, ty: CimType, value: &CimValue) {
    match value {
        CimValue::Null => {}
        CimValue::Array(items) if ty == CimType::Reference => {
            out.push_str("<VALUE.REFARRAY>");
            items.iter().for_each(|item| scalar(out, ty, item));
            out.push_str("</VALUE.REFARRAY>");
        }
        CimValue::Array(items) => {
            out.push_str("<VALUE.ARRAY>");
            items.iter().for_each(|item| scalar(out, ty, item));
            out.push_str("</VALUE.ARRAY>");
        }
        other => scalar(out, ty, other),
    }
}

fn scalar(out: &mut String, ty: CimType, value: &CimValue) {
    match value {
        CimValue::Null | CimValue::Array(_) => return out.push_str("<VALUE.NULL/>"),
        CimValue::Reference(path) => return reference(out, path),
        _ => {}
    }
    out.push_str("<VALUE>");
    match value {
        CimValue::Bool(value) => out.push_str(boolean(*value)),
        CimValue::UInt(value) => put!(out, "{value}"),
        CimValue::SInt(value) => put!(out, "{value}"),
        CimValue::Real(value) => real(out, ty, *value),
        CimValue::Char16(unit) => {
            let character = char::from_u32(u32::from(*unit)).unwrap_or('\u{fffd}');
            escape(out, character.encode_utf8(&mut [0; 4]));
        }
        CimValue::String(text) | CimValue::Untyped(text) => escape(out, text),
        CimValue::DateTime(when) => out.push_str(when.as_str()),
        CimValue::Instance(instance) => {
            let mut inner = String::new();
            embedded_instance(&mut inner, instance);
            escape(out, &inner);
        }
        CimValue::Class(class) => {
            let mut inner = String::new();
            let all =
                Wanted { local_only: false, qualifiers: true, class_origin: true, properties: None, known_to: None };
            schema::class(&mut inner, class, &all);
            escape(out, &inner);
        }
        CimValue::Null | CimValue::Array(_) | CimValue::Reference(_) => {}
    }
    out.push_str("</VALUE>");
}

fn embedded_instance(out: &mut String, instance: &CimInstance) {
    out.push_str("<INSTANCE");
    attribute(out, "CLASSNAME", instance.class.as_str());
    out.push('>');
    for property in &instance.properties {
        let declared = ClassProperty {
            is_array: property.value.is_array,
            reference_class: property.reference_class.clone(),
            ..ClassProperty::new(property.name.as_str(), property.value.ty)
        };
        property_element(out, &declared, &property.value.value, property.embedded, None);
    }
    out.push_str("</INSTANCE>");
}

/// `INSTANCE` of `class`, whose `values` stand in the order of its properties.
pub(super) fn instance(out: &mut String, class: &SchemaClass, values: &[CimValue], wanted: &Wanted<'_>) {
    out.push_str("<INSTANCE");
    attribute(out, "CLASSNAME", class.name().as_str());
    out.push_str(">\n");
    for (property, value) in class.class().properties.iter().zip(values) {
        if wanted.takes(&property.name) {
            let origin = property.origin.as_ref().filter(|_| wanted.class_origin);
            property_element(out, property, value, property.embedded(), origin);
        }
    }
    out.push_str("</INSTANCE>\n");
}

/// A property with its value. NULL is an element with a start and an end tag and nothing between: never self-closed,
/// because wbemcli fails on that.
fn property_element(
    out: &mut String,
    property: &ClassProperty,
    held: &CimValue,
    embedded: Option<EmbeddedKind>,
    origin: Option<&CimName>,
) {
    let element = property_open(out, property, embedded);
    if let Some(origin) = origin {
        attribute(out, "CLASSORIGIN", origin.as_str());
    }
    out.push('>');
    value(out, property.ty, held);
    put!(out, "</{element}>\n");
}

/// `<PROPERTY NAME=.. TYPE=..`, still open for more attributes. Returns the element's name.
fn property_open(out: &mut String, property: &ClassProperty, embedded: Option<EmbeddedKind>) -> &'static str {
    let element = match (property.ty, property.is_array) {
        (CimType::Reference, false) => "PROPERTY.REFERENCE",
        (_, false) => "PROPERTY",
        (_, true) => "PROPERTY.ARRAY",
    };
    put!(out, "<{element}");
    attribute(out, "NAME", property.name.as_str());
    if property.ty == CimType::Reference {
        if let Some(class) = &property.reference_class {
            attribute(out, "REFERENCECLASS", class.as_str());
        }
    } else {
        attribute(out, "TYPE", property.ty.keyword());
    }
    if let Some(size) = property.array_size.filter(|_| property.is_array) {
        put!(out, " ARRAYSIZE=\"{size}\"");
    }
    match embedded {
        Some(EmbeddedKind::Instance) => attribute(out, "EmbeddedObject", "instance"),
        Some(EmbeddedKind::Object) => attribute(out, "EmbeddedObject", "object"),
        None => {}
    }
    element
}
