//! Classes as CIM-XML writes them (DSP0201 section 5.2.3).
//!
//! Owns: CLASS with its properties, methods, parameters and qualifiers, and QUALIFIER.DECLARATION. Must not know whether the schema was asked for or
//! came embedded.

use quick_xml::events::BytesStart;

use super::value::{self, Declared};
use crate::{
    cim::{
        CimClass, CimName, CimType, CimValue, ClassMethod, ClassParameter, ClassProperty, EmbeddedKind, Flavor,
        Qualifier, QualifierDeclaration, Scopes, TypedValue,
    },
    protocol::xml::reader::{Read, Xml},
};

/// What the attributes of a class element say, as far as they are there.
#[derive(Default)]
struct Attributes {
    name: Option<CimName>,
    superclass: Option<CimName>,
    ty: Option<CimType>,
    reference_class: Option<CimName>,
    origin: Option<CimName>,
    array_size: Option<u32>,
    is_array: Option<bool>,
    propagated: bool,
    flavor: Flavor,
    embedded: Option<EmbeddedKind>,
}

impl Attributes {
    fn of(xml: &Xml<'_>, tag: &BytesStart<'_>) -> Read<Self> {
        let mut found = Self::default();
        let is_true = |text: &str| text.eq_ignore_ascii_case("true");
        let named = |text: &str| xml.check_name(text).map(|()| CimName::new(text));
        xml.attributes(tag, |name, value| {
            match name {
                "NAME" => found.name = Some(named(&value)?),
                "SUPERCLASS" => found.superclass = Some(named(&value)?).filter(|name| !name.as_str().is_empty()),
                "TYPE" => found.ty = CimType::from_keyword(&value),
                "REFERENCECLASS" => found.reference_class = Some(named(&value)?),
                "CLASSORIGIN" => found.origin = Some(named(&value)?),
                "ARRAYSIZE" => found.array_size = value.trim().parse().ok(),
                "ISARRAY" => found.is_array = Some(is_true(&value)),
                "PROPAGATED" => found.propagated = is_true(&value),
                "OVERRIDABLE" => found.flavor.overridable = is_true(&value),
                "TOSUBCLASS" => found.flavor.to_subclass = is_true(&value),
                "TRANSLATABLE" => found.flavor.translatable = is_true(&value),
                _ if name.eq_ignore_ascii_case("EmbeddedObject") => {
                    found.embedded = value::embedded_kind(&value).or(found.embedded);
                }
                _ => {}
            }
            Ok(())
        })?;
        Ok(found)
    }

    fn name(&mut self, xml: &Xml<'_>, tag: &BytesStart<'_>) -> Read<CimName> {
        self.name.take().ok_or_else(|| xml.error(format!("{} without NAME", tag.name().as_ref())))
    }
}

/// The class `tag` began, up to its end.
pub fn class(xml: &mut Xml<'_>, tag: &BytesStart<'_>) -> Read<CimClass> {
    let mut attributes = Attributes::of(xml, tag)?;
    let mut class = CimClass {
        namespace: None,
        name: attributes.name(xml, tag)?,
        superclass: attributes.superclass,
        qualifiers: Vec::new(),
        properties: Vec::new(),
        methods: Vec::new(),
    };
    while let Some(tag) = xml.child()? {
        match tag.name().as_ref() {
            "QUALIFIER" => class.qualifiers.push(qualifier(xml, &tag)?),
            "PROPERTY" | "PROPERTY.ARRAY" | "PROPERTY.REFERENCE" => class.properties.push(property(xml, &tag)?),
            "METHOD" => class.methods.push(method(xml, &tag)?),
            _ => xml.skip(&tag)?,
        }
    }
    Ok(class)
}

/// The qualifier `tag` began, up to its end.
pub fn qualifier(xml: &mut Xml<'_>, tag: &BytesStart<'_>) -> Read<Qualifier> {
    let mut attributes = Attributes::of(xml, tag)?;
    let name = attributes.name(xml, tag)?;
    let declared = Declared { ty: attributes.ty.unwrap_or(CimType::String), embedded: None };
    let mut value = CimValue::Null;
    while let Some(tag) = xml.child()? {
        value = value::element(xml, &tag, declared)?.unwrap_or(value);
    }
    let is_array = matches!(value, CimValue::Array(_));
    let value = TypedValue { ty: declared.ty, is_array, value };
    Ok(Qualifier { name, value, flavor: attributes.flavor, propagated: attributes.propagated })
}

/// The declaration of a qualifier type `tag` began, up to its end (DSP0201, QUALIFIER.DECLARATION and SCOPE).
pub fn declaration(xml: &mut Xml<'_>, tag: &BytesStart<'_>) -> Read<QualifierDeclaration> {
    let mut attributes = Attributes::of(xml, tag)?;
    let name = attributes.name(xml, tag)?;
    let declared = Declared { ty: attributes.ty.unwrap_or(CimType::String), embedded: None };
    let (mut scopes, mut default) = (Scopes::default(), CimValue::Null);
    while let Some(tag) = xml.child()? {
        if tag.name().as_ref() == "SCOPE" {
            scopes = self::scopes(xml, &tag)?;
            xml.skip(&tag)?;
        } else {
            default = value::element(xml, &tag, declared)?.unwrap_or(default);
        }
    }
    let is_array = attributes.is_array.unwrap_or(matches!(default, CimValue::Array(_)));
    let array_size = attributes.array_size;
    Ok(QualifierDeclaration { name, ty: declared.ty, is_array, array_size, default, scopes, flavor: attributes.flavor })
}

/// The attributes of a SCOPE; what is not named is not in it.
fn scopes(xml: &Xml<'_>, tag: &BytesStart<'_>) -> Read<Scopes> {
    let mut scopes = Scopes::default();
    xml.attributes(tag, |name, value| {
        let is_in = value.eq_ignore_ascii_case("true");
        match name {
            "CLASS" => scopes.class = is_in,
            "ASSOCIATION" => scopes.association = is_in,
            "INDICATION" => scopes.indication = is_in,
            "PROPERTY" => scopes.property = is_in,
            "REFERENCE" => scopes.reference = is_in,
            "METHOD" => scopes.method = is_in,
            "PARAMETER" => scopes.parameter = is_in,
            _ => {}
        }
        Ok(())
    })?;
    Ok(scopes)
}

fn property(xml: &mut Xml<'_>, tag: &BytesStart<'_>) -> Read<ClassProperty> {
    let mut attributes = Attributes::of(xml, tag)?;
    let name = attributes.name(xml, tag)?;
    let (is_array, is_reference) =
        (tag.name().as_ref() == "PROPERTY.ARRAY", tag.name().as_ref() == "PROPERTY.REFERENCE");
    let ty = if is_reference { CimType::Reference } else { attributes.ty.unwrap_or(CimType::String) };
    let declared = Declared { ty, embedded: attributes.embedded };
    let (mut qualifiers, mut default) = (Vec::new(), CimValue::Null);
    while let Some(tag) = xml.child()? {
        if tag.name().as_ref() == "QUALIFIER" {
            qualifiers.push(qualifier(xml, &tag)?);
        } else {
            default = value::element(xml, &tag, declared)?.unwrap_or(default);
        }
    }
    Ok(ClassProperty {
        name,
        ty,
        is_array,
        array_size: attributes.array_size,
        reference_class: attributes.reference_class,
        default,
        origin: attributes.origin,
        propagated: attributes.propagated,
        qualifiers,
    })
}

fn method(xml: &mut Xml<'_>, tag: &BytesStart<'_>) -> Read<ClassMethod> {
    let mut attributes = Attributes::of(xml, tag)?;
    let name = attributes.name(xml, tag)?;
    let (mut qualifiers, mut parameters) = (Vec::new(), Vec::new());
    while let Some(tag) = xml.child()? {
        match tag.name().as_ref() {
            "QUALIFIER" => qualifiers.push(qualifier(xml, &tag)?),
            "PARAMETER" | "PARAMETER.ARRAY" | "PARAMETER.REFERENCE" | "PARAMETER.REFARRAY" => {
                parameters.push(parameter(xml, &tag)?);
            }
            _ => xml.skip(&tag)?,
        }
    }
    Ok(ClassMethod {
        name,
        return_type: attributes.ty,
        origin: attributes.origin,
        propagated: attributes.propagated,
        qualifiers,
        parameters,
    })
}

fn parameter(xml: &mut Xml<'_>, tag: &BytesStart<'_>) -> Read<ClassParameter> {
    let mut attributes = Attributes::of(xml, tag)?;
    let name = attributes.name(xml, tag)?;
    let (is_array, is_reference) = match tag.name().as_ref() {
        "PARAMETER.ARRAY" => (true, false),
        "PARAMETER.REFERENCE" => (false, true),
        "PARAMETER.REFARRAY" => (true, true),
        _ => (false, false),
    };
    let mut qualifiers = Vec::new();
    while let Some(tag) = xml.child()? {
        if tag.name().as_ref() == "QUALIFIER" {
            qualifiers.push(qualifier(xml, &tag)?);
        } else {
            xml.skip(&tag)?;
        }
    }
    Ok(ClassParameter {
        name,
        ty: if is_reference { CimType::Reference } else { attributes.ty.unwrap_or(CimType::String) },
        is_array,
        array_size: attributes.array_size,
        reference_class: attributes.reference_class,
        qualifiers,
    })
}
