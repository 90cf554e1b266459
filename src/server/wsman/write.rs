//! Writing envelopes, instances and references.
//!
//! Owns: values as DSP0230 has them, in the spelling of WinRM. Must not know where a value came from.

use super::envelope::{
    ADDRESSING, ANONYMOUS, COMMON, ENUMERATION, IDENTITY, INSTANCE, MANAGEMENT, MICROSOFT, SOAP, TRANSFER,
};
use crate::{
    cim::{CimDateTime, CimInstance, CimName, CimType, CimValue, KeyValue, ObjectPath, text::real_text},
    server::{
        repository::SchemaClass,
        xml::{escape, put},
    },
};

/// A new `MessageID`. Where the system has no randomness it is not unique, which nobody here depends on.
pub(super) fn message_id() -> String {
    let mut bytes = [0_u8; 16];
    let _ = getrandom::fill(&mut bytes);
    let number = u128::from_be_bytes(bytes);
    let (a, b, c) = (number >> 96, number >> 80 & 0xFFFF, number >> 64 & 0x0FFF);
    format!("uuid:{a:08X}-{b:04X}-4{c:03X}-{:04X}-{:012X}", number >> 48 & 0x3FFF | 0x8000, number & 0xFFFF_FFFF_FFFF)
}

/// Everything before the body of an answer to `message`; `more` writes further headers.
pub(super) fn open(action: &str, message: Option<&str>, more: impl FnOnce(&mut String)) -> String {
    let mut out = format!(
        "<s:Envelope xml:lang=\"en-US\" xmlns:s=\"{SOAP}\" xmlns:a=\"{ADDRESSING}\" xmlns:x=\"{TRANSFER}\" \
         xmlns:n=\"{ENUMERATION}\" xmlns:w=\"{MANAGEMENT}\" xmlns:p=\"{MICROSOFT}\" xmlns:xsi=\"{INSTANCE}\" \
         xmlns:cim=\"{COMMON}\"><s:Header><a:Action>{action}</a:Action><a:MessageID>{}</a:MessageID>\
         <a:To>{ANONYMOUS}</a:To>",
        message_id()
    );
    if let Some(message) = message {
        out.push_str("<a:RelatesTo>");
        escape(&mut out, message);
        out.push_str("</a:RelatesTo>");
    }
    more(&mut out);
    out.push_str("</s:Header><s:Body>");
    out
}

/// What ends an answer.
pub(super) const CLOSE: &str = "</s:Body></s:Envelope>";

/// The answer to Identify (DSP0226 section 11).
pub(super) fn identity() -> String {
    let version = env!("CARGO_PKG_VERSION");
    format!(
        "<s:Envelope xml:lang=\"en-US\" xmlns:s=\"{SOAP}\"><s:Header/><s:Body><wsmid:IdentifyResponse \
         xmlns:wsmid=\"{IDENTITY}\"><wsmid:ProtocolVersion>{MANAGEMENT}</wsmid:ProtocolVersion>\
         <wsmid:ProductVendor>lazycim</wsmid:ProductVendor><wsmid:ProductVersion>{version}</wsmid:ProductVersion>\
         </wsmid:IdentifyResponse></s:Body></s:Envelope>"
    )
}

/// An element with `text` in it.
pub(super) fn element(out: &mut String, name: &str, text: &str) {
    put!(out, "<{name}>");
    escape(out, text);
    put!(out, "</{name}>");
}

/// The instance of `class`, whose `values` stand in the order of its properties, as the class `name` and with the
/// properties that `takes` lets through.
pub(super) fn instance(
    out: &mut String,
    prefix: &str,
    name: &CimName,
    class: &SchemaClass,
    values: &[CimValue],
    takes: impl Fn(&CimName) -> bool,
) {
    put!(out, "<p:{name} xmlns:p=\"{prefix}{name}\" xsi:type=\"p:{name}_Type\">");
    for (property, held) in class.class().properties.iter().zip(values) {
        if takes(&property.name) {
            value(out, prefix, &format!("p:{}", property.name), property.ty, held);
        }
    }
    put!(out, "</p:{name}>");
}

/// The property `element` with its value: NULL is `xsi:nil`, an array an element for each item, an empty array nothing.
pub(super) fn value(out: &mut String, prefix: &str, element: &str, ty: CimType, held: &CimValue) {
    match held {
        CimValue::Array(items) => items.iter().for_each(|item| value(out, prefix, element, ty, item)),
        CimValue::Null | CimValue::Class(_) => put!(out, "<{element} xsi:nil=\"true\"/>"),
        CimValue::Instance(instance) => embedded(out, prefix, element, instance),
        other => {
            put!(out, "<{element}>");
            scalar(out, prefix, ty, other);
            put!(out, "</{element}>");
        }
    }
}

fn scalar(out: &mut String, prefix: &str, ty: CimType, held: &CimValue) {
    match held {
        CimValue::Bool(value) => put!(out, "{value}"),
        CimValue::UInt(value) => put!(out, "{value}"),
        CimValue::SInt(value) => put!(out, "{value}"),
        CimValue::Real(value) => out.push_str(&real_text(*value, ty)),
        CimValue::Char16(unit) => put!(out, "{unit}"),
        CimValue::String(text) | CimValue::Untyped(text) => escape(out, text),
        CimValue::DateTime(when) => date_time(out, when),
        CimValue::Reference(path) => reference(out, prefix, path),
        CimValue::Null | CimValue::Array(_) | CimValue::Instance(_) | CimValue::Class(_) => {}
    }
}

/// An embedded instance names its class in `xsi:type`, and its properties are in that class's namespace.
fn embedded(out: &mut String, prefix: &str, element: &str, instance: &CimInstance) {
    let class = &instance.class;
    put!(out, "<{element} xmlns:e=\"{prefix}{class}\" xsi:type=\"e:{class}_Type\">");
    for property in &instance.properties {
        value(out, prefix, &format!("e:{}", property.name), property.value.ty, &property.value.value);
    }
    put!(out, "</{element}>");
}

/// A datetime as DSP0230 section 6.2.4 spells it; one with fields nobody knows stays as CIM writes it.
fn date_time(out: &mut String, when: &CimDateTime) {
    match xml_date_time(when).or_else(|| xml_interval(when)) {
        Some(text) => out.push_str(&text),
        None => put!(out, "<cim:CIM_DateTime>{}</cim:CIM_DateTime>", when.as_str()),
    }
}

fn xml_date_time(when: &CimDateTime) -> Option<String> {
    let (year, month, day) = (when.year()?, when.month()?, when.day()?);
    let (hour, minute, second) = (when.hour()?, when.minute()?, when.second()?);
    let (fraction, offset) = (when.microseconds()?, when.utc_offset_minutes()?);
    let zone = match offset {
        0 => "Z".to_owned(),
        _ => format!("{}{:02}:{:02}", if offset < 0 { '-' } else { '+' }, offset.abs() / 60, offset.abs() % 60),
    };
    Some(format!(
        "<cim:Datetime>{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{fraction:06}{zone}</cim:Datetime>"
    ))
}

fn xml_interval(when: &CimDateTime) -> Option<String> {
    let (days, hour, minute, second) = (when.days()?, when.hour()?, when.minute()?, when.second()?);
    let fraction = when.microseconds()?;
    Some(format!("<cim:Interval>P{days}DT{hour}H{minute}M{second}.{fraction:06}S</cim:Interval>"))
}

/// Address and reference parameters of the instance `path` names (DSP0227 section 6).
pub(super) fn reference(out: &mut String, prefix: &str, path: &ObjectPath) {
    let class = &path.class;
    put!(
        out,
        "<a:Address>{ANONYMOUS}</a:Address><a:ReferenceParameters><w:ResourceURI>{prefix}{class}</w:ResourceURI>"
    );
    out.push_str("<w:SelectorSet>");
    if let Some(namespace) = &path.namespace {
        selector(out, "__cimnamespace", |out| escape(out, namespace.as_str()));
    }
    for key in &path.keys {
        selector(out, key.name.as_str(), |out| match &key.value {
            KeyValue::Reference(path) => {
                out.push_str("<a:EndpointReference>");
                reference(out, prefix, path);
                out.push_str("</a:EndpointReference>");
            }
            other => escape(out, &other.plain()),
        });
    }
    out.push_str("</w:SelectorSet></a:ReferenceParameters>");
}

fn selector(out: &mut String, name: &str, inner: impl FnOnce(&mut String)) {
    out.push_str("<w:Selector Name=\"");
    escape(out, name);
    out.push_str("\">");
    inner(out);
    out.push_str("</w:Selector>");
}

/// The namespace `name` as WMI lists it: an instance of `__Namespace`.
pub(super) fn namespace(out: &mut String, prefix: &str, name: &str) {
    put!(out, "<p:__NAMESPACE xmlns:p=\"{prefix}__NAMESPACE\" xsi:type=\"p:__NAMESPACE_Type\">");
    element(out, "p:Name", name);
    out.push_str("</p:__NAMESPACE>");
}

/// `__Namespace` itself, as [`crate::server::cimxml::class`] would write it.
pub(super) const NAMESPACE_CLASS: &str = "<CLASS NAME=\"__NAMESPACE\">\
    <PROPERTY NAME=\"Name\" TYPE=\"string\"><QUALIFIER NAME=\"key\" TYPE=\"boolean\"><VALUE>TRUE</VALUE></QUALIFIER>\
    </PROPERTY></CLASS>";
