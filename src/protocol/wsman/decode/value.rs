//! Values as WS-Man servers write them (DSP0230 section 7), in all the spellings that were seen.
//!
//! Owns: what a text or an element inside a property is, by its type where that is known. Must not know where values stand.
//!
//! ```text
//! xsi:nil                                  NULL
//! text                                     a scalar of the type declared, else of xsi:type, else untyped
//! EndpointReference | Address ...          a reference
//! cim:Datetime | Date | Interval           a datetime
//! any other element                        an embedded instance, of the class xsi:type names
//! ```

use std::borrow::Cow;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use quick_xml::events::BytesStart;

use super::{datetime, epr};
use crate::{
    cim::{
        CimInstance, CimName, CimType, CimValue, ClassProperty, InstanceProperty, KeyValue, Namespace, TypedValue,
        rows::CellRef,
    },
    protocol::{
        wsman::namespaces::{CIM, XSD, XSI},
        xml::{
            fault::DecodeError,
            reader::Read,
            scalar,
            scope::{Qualified, split},
        },
    },
};

/// The most properties of an embedded instance.
const MAX_PROPERTIES: usize = 4_096;

/// What is known of a value before it is read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Declared {
    /// Its type, or that of its items; `None` while it is not known.
    pub ty: Option<CimType>,
    /// Whether it is one item of an array.
    pub is_array: bool,
}

/// What the attributes of a property's element say.
#[derive(Debug, Default)]
pub struct Marks {
    /// `xsi:nil`.
    pub is_nil: bool,
    /// The type `xsi:type` names, if it is one of CIM or XML Schema.
    pub ty: Option<CimType>,
    /// Octets in base64.
    pub is_base64: bool,
    /// The class `xsi:type` names, if it names one.
    pub class: Option<CimName>,
    /// It names it as types of classes are named (DSP0230 section 8.1).
    pub is_instance: bool,
}

impl Marks {
    /// The embedded instance that an element with nothing in it but `text` is: one whose properties were all left out.
    pub fn bare(&self, text: &str) -> Option<CimValue> {
        let class = self.class.as_ref().filter(|_| self.is_instance && text.trim_ascii().is_empty())?.clone();
        let instance = CimInstance { class, path: None, qualifiers: Vec::new(), properties: Vec::new() };
        Some(CimValue::Instance(Box::new(instance)))
    }
}

/// Reads `xsi:nil` and `xsi:type` of `tag`.
///
/// # Errors
/// Ill-formed attributes.
pub fn marks(xml: &Qualified<'_>, tag: &BytesStart<'_>) -> Read<Marks> {
    let mut marks = Marks::default();
    if tag.attributes_raw().trim_ascii().is_empty() {
        return Ok(marks);
    }
    xml.xml.attributes(tag, |key, value| {
        let Some((prefix, local)) = key.split_once(':') else { return Ok(()) };
        if !matches!(local, "nil" | "type") || xml.namespace(prefix) != Some(XSI) {
            return Ok(());
        }
        let value = value.trim_ascii();
        if local == "nil" {
            marks.is_nil = value == "true" || value == "1";
            return Ok(());
        }
        let (prefix, name) = split(value);
        xml.xml.check_name(name)?;
        match xml.namespace(prefix) {
            Some(CIM | XSD) => (marks.ty, marks.is_base64) = named(name),
            _ => {
                let class = name.strip_suffix("_Type");
                marks.is_instance = class.is_some();
                marks.class = Some(CimName::new(class.unwrap_or(name)));
            }
        }
        Ok(())
    })?;
    Ok(marks)
}

/// The CIM type that a type of DSP0230's `common.xsd` or of XML Schema stands for, and whether it is octets in base64.
fn named(name: &str) -> (Option<CimType>, bool) {
    let ty = match name {
        "cimBase64Binary" | "base64Binary" => return (Some(CimType::UInt8), true),
        "cimString" | "string" | "cimAnySimpleType" => CimType::String,
        "cimBoolean" | "boolean" => CimType::Boolean,
        "cimByte" | "byte" => CimType::SInt8,
        "cimUnsignedByte" | "unsignedByte" => CimType::UInt8,
        "cimShort" | "short" => CimType::SInt16,
        "cimUnsignedShort" | "unsignedShort" => CimType::UInt16,
        "cimInt" | "int" => CimType::SInt32,
        "cimUnsignedInt" | "unsignedInt" => CimType::UInt32,
        "cimLong" | "long" => CimType::SInt64,
        "cimUnsignedLong" | "unsignedLong" => CimType::UInt64,
        "cimFloat" | "float" => CimType::Real32,
        "cimDouble" | "double" => CimType::Real64,
        "cimDateTime" | "dateTime" => CimType::DateTime,
        "cimChar16" => CimType::Char16,
        "cimReference" => CimType::Reference,
        _ => return (None, false),
    };
    (Some(ty), false)
}

/// The scalar `text` is, or `None` if it is no value of `ty`. What WS-Man spells otherwise than CIM-XML is read here.
pub fn scalar(ty: CimType, text: &str) -> Option<CellRef<'_>> {
    match ty {
        CimType::Boolean => match text.trim_ascii() {
            "1" => Some(CellRef::Bool(true)),
            "0" => Some(CellRef::Bool(false)),
            text => scalar::of(ty, text),
        },
        CimType::Char16 => match text.trim_ascii().parse() {
            Ok(code) => Some(CellRef::Char16(code)),
            Err(_) => scalar::of(ty, text),
        },
        CimType::DateTime => datetime::parse(text).map(CellRef::DateTime),
        _ => scalar::of(ty, text),
    }
}

/// The octets `text` holds where octets are declared and what stands there is no number: base64 (DSP0230, OctetString).
pub fn octets(text: &str) -> Option<CimValue> {
    let text: Cow<'_, str> = match text.bytes().any(|b| b.is_ascii_whitespace()) {
        true => text.split_ascii_whitespace().collect::<String>().into(),
        false => text.into(),
    };
    let octets = STANDARD.decode(text.as_bytes()).ok()?;
    Some(CimValue::Array(octets.into_iter().map(|octet| CimValue::UInt(u64::from(octet))).collect()))
}

/// Whether `text` is octets in base64 rather than one number: all of them have a length that no octet's number has.
pub fn is_octets(declared: Declared, text: &str) -> bool {
    declared.ty == Some(CimType::UInt8) && declared.is_array && (text.is_empty() || text.trim_ascii().len() >= 4)
}

/// The key `text` is for the property of a class, as far as that tells its type.
pub fn key_of(property: Option<&ClassProperty>, text: &str) -> KeyValue {
    let ty = property.map_or(CimType::String, |property| property.ty);
    let cell = match ty {
        CimType::String | CimType::DateTime | CimType::Char16 => None,
        ty => scalar(ty, text),
    };
    match cell {
        Some(CellRef::Bool(value)) => KeyValue::Bool(value),
        Some(CellRef::UInt(value)) => KeyValue::UInt(value),
        Some(CellRef::SInt(value)) => KeyValue::SInt(value),
        Some(CellRef::Real(value)) => KeyValue::Real(value),
        _ => KeyValue::String(Box::from(text)),
    }
}

/// The value the element `tag` began holds, up to its end, and its type where that came to be known. `namespace` is that of
/// references that name none.
///
/// # Errors
/// Ill-formed XML, a limit.
pub fn element(
    xml: &mut Qualified<'_>,
    tag: &BytesStart<'_>,
    declared: Declared,
    namespace: Option<&Namespace>,
) -> Read<(CimValue, Option<CimType>)> {
    let marks = marks(xml, tag)?;
    if marks.is_nil {
        xml.skip(tag)?;
        return Ok((CimValue::Null, declared.ty.or(marks.ty)));
    }
    if xml.xml.has_child() {
        return structured(xml, marks, namespace);
    }
    let text = xml.content(tag)?;
    if let Some(instance) = marks.bare(&text) {
        return Ok((instance, Some(CimType::String)));
    }
    let ty = declared.ty.or(marks.ty);
    if (marks.is_base64 || is_octets(declared, &text))
        && let Some(octets) = octets(&text)
    {
        return Ok((octets, ty));
    }
    let Some(known) = ty else { return Ok((CimValue::Untyped(Box::from(&*text)), None)) };
    match scalar(known, &text).and_then(CellRef::to_value) {
        Some(value) => Ok((value, ty)),
        None => {
            xml.xml.warn(|| scalar::odd(known, &text));
            Ok((CimValue::Untyped(Box::from(&*text)), ty))
        }
    }
}

/// What an element with elements in it holds, up to its end.
pub fn structured(
    xml: &mut Qualified<'_>,
    marks: Marks,
    namespace: Option<&Namespace>,
) -> Read<(CimValue, Option<CimType>)> {
    let Some(first) = xml.child()? else { return Ok((CimValue::Null, None)) };
    if epr::is_part(xml, &first) {
        let path = epr::read_from(xml, &first)?.path(namespace, None);
        let value = path.map_or(CimValue::Null, |path| CimValue::Reference(Box::new(path)));
        return Ok((value, Some(CimType::Reference)));
    }
    if is_datetime(xml, &first) {
        let text = xml.content(&first)?;
        let value = match datetime::parse(&text) {
            Some(value) => CimValue::DateTime(value),
            None => {
                xml.xml.warn(|| scalar::odd(CimType::DateTime, &text));
                CimValue::Untyped(Box::from(&*text))
            }
        };
        while let Some(tag) = xml.child()? {
            xml.skip(&tag)?;
        }
        return Ok((value, Some(CimType::DateTime)));
    }
    let instance = embedded(xml, marks.class, first, namespace)?;
    Ok((CimValue::Instance(Box::new(instance)), Some(CimType::String)))
}

/// Whether `tag` begins an element around a datetime.
pub fn is_datetime(xml: &Qualified<'_>, tag: &BytesStart<'_>) -> bool {
    ["Datetime", "Date", "Interval", "Time", "CIM_DateTime"].iter().any(|local| xml.is(tag, &[CIM], local))
}

/// An embedded instance from its first property on, up to its end. Without `xsi:type`, the class is what the XML namespace
/// of its properties ends in.
fn embedded(
    xml: &mut Qualified<'_>,
    class: Option<CimName>,
    first: BytesStart<'_>,
    namespace: Option<&Namespace>,
) -> Read<CimInstance> {
    if xml.xml.level >= xml.xml.limits.embedded_depth {
        let message = format!("objects are embedded deeper than {}", xml.xml.limits.embedded_depth);
        return Err(DecodeError::limit(xml.xml.offset(), "embedded_depth", message));
    }
    xml.xml.level += 1;
    let class = match class {
        Some(class) => class,
        None => {
            let name = first.name();
            let uri = xml.namespace(split(name.as_ref()).0).unwrap_or_default();
            CimName::new(uri.rsplit('/').next().unwrap_or_default())
        }
    };
    let mut instance = properties(xml, class, Some(first), namespace)?;
    instance.properties.shrink_to_fit();
    xml.xml.level -= 1;
    Ok(instance)
}

/// An instance's properties, up to its end; `first` is the first one's start tag, if that has been read.
///
/// # Errors
/// Ill-formed XML, a limit.
pub fn properties(
    xml: &mut Qualified<'_>,
    class: CimName,
    first: Option<BytesStart<'_>>,
    namespace: Option<&Namespace>,
) -> Read<CimInstance> {
    let mut instance = CimInstance { class, path: None, qualifiers: Vec::new(), properties: Vec::new() };
    let mut first = first;
    loop {
        let tag = match first.take() {
            Some(tag) => tag.into_owned(),
            None => match xml.child()? {
                Some(tag) => tag,
                None => return Ok(instance),
            },
        };
        let name = tag.name();
        let (_, local) = split(name.as_ref());
        xml.xml.check_name(local)?;
        let (value, ty) = element(xml, &tag, Declared::default(), namespace)?;
        // Items of an array stand beside each other.
        let is_full = instance.properties.len() >= MAX_PROPERTIES;
        match instance.properties.last_mut().filter(|last| last.name.as_str() == local) {
            Some(last) => add(&mut last.value, value),
            None if is_full => {
                let message = format!("an instance has more than {MAX_PROPERTIES} properties");
                return Err(DecodeError::limit(xml.xml.offset(), "shapes", message));
            }
            None => instance.properties.push(InstanceProperty {
                name: CimName::new(local),
                value: TypedValue {
                    ty: ty.unwrap_or(CimType::String),
                    is_array: matches!(value, CimValue::Array(_)),
                    value,
                },
                is_typed: ty.is_some(),
                embedded: None,
                reference_class: None,
            }),
        }
    }
}

/// One more item: what was one value is an array.
pub fn add(value: &mut TypedValue, item: CimValue) {
    if !value.is_array {
        value.is_array = true;
        let first = std::mem::replace(&mut value.value, CimValue::Null);
        value.value = CimValue::Array(vec![first]);
    }
    if let CimValue::Array(items) = &mut value.value {
        items.push(item);
    }
}
