//! Instances as CIM-XML writes them, made rows.
//!
//! Owns: INSTANCE with PROPERTY, PROPERTY.ARRAY and PROPERTY.REFERENCE, and what they look like (`predict`). Must not know
//! how rows get their shapes.

mod learn;
mod predict;
#[cfg(test)]
mod tests;

use std::borrow::Cow;

use quick_xml::events::BytesStart;

pub use self::{learn::markup, predict::Markup};
use super::{value, value::Declared};
use crate::{
    cim::{
        CimInstance, CimName, CimType, CimValue, EmbeddedKind, InstanceProperty, Namespace, ObjectPath, TypedValue,
        rows::CellRef,
    },
    protocol::xml::{
        reader::{Read, Xml},
        rows::{Kind, Rows, Slot},
        scalar,
    },
};

/// What the attributes of a property say. The name borrows from the tag.
struct Head<'t> {
    name: Cow<'t, str>,
    ty: Option<CimType>,
    is_array: bool,
    embedded: Option<EmbeddedKind>,
    reference_class: Option<CimName>,
}

fn head<'t>(xml: &Xml<'_>, tag: &'t BytesStart<'_>) -> Read<Head<'t>> {
    let element = tag.name();
    let element = element.as_ref();
    let mut head = Head {
        name: Cow::Borrowed(""),
        ty: (element == "PROPERTY.REFERENCE").then_some(CimType::Reference),
        is_array: element == "PROPERTY.ARRAY",
        embedded: None,
        reference_class: None,
    };
    for attribute in tag.attributes().with_checks(false) {
        let attribute = attribute.map_err(|error| xml.error(format!("ill-formed attribute: {error}")))?;
        let key: &str = attribute.key.as_ref();
        match key {
            "NAME" => {
                xml.check_name(&attribute.value)?;
                head.name = xml.attribute_value(attribute.value)?;
            }
            "TYPE" if head.ty.is_none() => head.ty = CimType::from_keyword(&attribute.value),
            "REFERENCECLASS" => {
                let class = xml.attribute_value(attribute.value)?;
                xml.check_name(&class)?;
                head.reference_class = Some(CimName::new(&class)).filter(|class| !class.as_str().is_empty());
            }
            _ if key.eq_ignore_ascii_case("EmbeddedObject") => {
                head.embedded = value::embedded_kind(&attribute.value).or(head.embedded);
            }
            _ => {}
        }
    }
    if head.name.is_empty() {
        return Err(xml.error(format!("{element} without NAME")));
    }
    Ok(head)
}

/// The instance `tag` began, up to its end, as a value of its own.
pub fn instance(xml: &mut Xml<'_>, tag: &BytesStart<'_>) -> Read<CimInstance> {
    let mut instance =
        CimInstance { class: xml.name(tag, "CLASSNAME")?, path: None, qualifiers: Vec::new(), properties: Vec::new() };
    while let Some(tag) = xml.child()? {
        match tag.name().as_ref() {
            "PROPERTY" | "PROPERTY.ARRAY" | "PROPERTY.REFERENCE" => {
                let head = head(xml, &tag)?;
                let ty = head.ty.unwrap_or(CimType::String);
                let declared = Declared { ty, embedded: head.embedded };
                let value = property_value(xml, declared)?;
                instance.properties.push(InstanceProperty {
                    name: CimName::new(&head.name),
                    value: TypedValue { ty, is_array: head.is_array, value },
                    is_typed: head.ty.is_some(),
                    embedded: head.embedded,
                    reference_class: head.reference_class,
                });
            }
            "QUALIFIER" => instance.qualifiers.push(super::class::qualifier(xml, &tag)?),
            _ => xml.skip(&tag)?,
        }
    }
    Ok(instance)
}

/// The value of a property, up to the property's end; NULL if it has none.
fn property_value(xml: &mut Xml<'_>, declared: Declared) -> Read<CimValue> {
    let mut value = CimValue::Null;
    while let Some(tag) = xml.child()? {
        if tag.name().as_ref() == "QUALIFIER" {
            xml.skip(&tag)?;
        } else {
            value = value::element(xml, &tag, declared)?.unwrap_or(value);
        }
    }
    Ok(value)
}

/// Decodes the INSTANCE `tag` began into a row with `path`, or without one.
pub fn row(
    rows: &mut Rows,
    xml: &mut Xml<'_>,
    tag: &BytesStart<'_>,
    path: Option<ObjectPath>,
    namespace: Option<&Namespace>,
) -> Read<()> {
    let mut class = None;
    for attribute in tag.attributes().with_checks(false) {
        let attribute = attribute.map_err(|error| xml.error(format!("ill-formed attribute: {error}")))?;
        if attribute.key.as_ref() == "CLASSNAME" {
            class = Some(xml.attribute_value(attribute.value)?);
        }
    }
    let Some(class) = class else { return Err(xml.error("INSTANCE without CLASSNAME")) };
    xml.check_name(&class)?;
    rows.begin(xml, &class, path.as_ref(), namespace)?;
    let mut last = 0;
    while let Some(tag) = xml.child()? {
        match tag.name().as_ref() {
            "PROPERTY" | "PROPERTY.ARRAY" | "PROPERTY.REFERENCE" => last = 1 + property(rows, xml, &tag, last)?,
            _ => xml.skip(&tag)?,
        }
    }
    rows.end(xml, path.map(|path| path.keys).unwrap_or_default())
}

/// Reads one property into its slot and answers the column.
fn property(rows: &mut Rows, xml: &mut Xml<'_>, tag: &BytesStart<'_>, last: usize) -> Read<usize> {
    let Head { name, ty, is_array, embedded, reference_class } = head(xml, tag)?;
    let ty = ty.unwrap_or(CimType::String);
    let mut declared = Declared { ty, embedded };
    let kind = Kind { ty: Some(ty), is_array, embedded, reference_class, is_key: false };
    let place = rows.place(xml, last, &name, kind)?;
    if declared.embedded.is_none() {
        declared.embedded = rows.column(place).and_then(|column| column.embedded);
    }
    let mut slot = Slot::Scalar(CellRef::Null);
    while let Some(tag) = xml.child()? {
        match tag.name().as_ref() {
            "VALUE" if declared.embedded.is_none() => {
                let text = xml.content(&tag)?;
                slot = rows.scalar(xml, declared.ty, &text, scalar::of(declared.ty, &text));
            }
            "QUALIFIER" => xml.skip(&tag)?,
            _ => {
                if let Some(value) = value::element(xml, &tag, declared)? {
                    slot = Slot::Value(value);
                }
            }
        }
    }
    rows.put(place, slot);
    Ok(place)
}
