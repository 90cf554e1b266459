//! Writing classes and the declarations of qualifiers.
//!
//! Owns: the elements `CLASS` and `QUALIFIER.DECLARATION` of DSP0201 and all that stands in them. Must not know which of
//! them an operation answers.

use super::{Wanted, property_open, value};
use crate::{
    cim::{CimClass, CimName, CimType, ClassMethod, ClassParameter, Flavor, Qualifier, QualifierDeclaration},
    server::xml::{attribute, put},
};

/// `CLASS`
pub(in crate::server) fn class(out: &mut String, class: &CimClass, wanted: &Wanted<'_>) {
    out.push_str("<CLASS");
    attribute(out, "NAME", class.name.as_str());
    if let Some(superclass) = &class.superclass {
        attribute(out, "SUPERCLASS", superclass.as_str());
    }
    out.push_str(">\n");
    qualifiers(out, &class.qualifiers, wanted);
    for property in &class.properties {
        if wanted.takes(&property.name) && !(wanted.local_only && property.propagated) {
            let element = property_open(out, property, property.embedded());
            origin_and_propagated(out, property.origin.as_ref(), property.propagated, wanted);
            out.push('>');
            qualifiers(out, &property.qualifiers, wanted);
            value(out, property.ty, &property.default);
            put!(out, "</{element}>\n");
        }
    }
    for method in &class.methods {
        if !(wanted.local_only && method.propagated) {
            self::method(out, method, wanted);
        }
    }
    out.push_str("</CLASS>\n");
}

fn origin_and_propagated(out: &mut String, origin: Option<&CimName>, propagated: bool, wanted: &Wanted<'_>) {
    if let Some(origin) = origin.filter(|_| wanted.class_origin) {
        attribute(out, "CLASSORIGIN", origin.as_str());
    }
    if propagated {
        attribute(out, "PROPAGATED", "true");
    }
}

fn method(out: &mut String, method: &ClassMethod, wanted: &Wanted<'_>) {
    out.push_str("<METHOD");
    attribute(out, "NAME", method.name.as_str());
    if let Some(ty) = method.return_type {
        attribute(out, "TYPE", ty.keyword());
    }
    origin_and_propagated(out, method.origin.as_ref(), method.propagated, wanted);
    out.push_str(">\n");
    qualifiers(out, &method.qualifiers, wanted);
    method.parameters.iter().for_each(|parameter| self::parameter(out, parameter, wanted));
    out.push_str("</METHOD>\n");
}

fn parameter(out: &mut String, parameter: &ClassParameter, wanted: &Wanted<'_>) {
    let element = match (parameter.ty, parameter.is_array) {
        (CimType::Reference, false) => "PARAMETER.REFERENCE",
        (CimType::Reference, true) => "PARAMETER.REFARRAY",
        (_, false) => "PARAMETER",
        (_, true) => "PARAMETER.ARRAY",
    };
    put!(out, "<{element}");
    attribute(out, "NAME", parameter.name.as_str());
    match &parameter.reference_class {
        Some(class) if parameter.ty == CimType::Reference => attribute(out, "REFERENCECLASS", class.as_str()),
        _ if parameter.ty == CimType::Reference => {}
        _ => attribute(out, "TYPE", parameter.ty.keyword()),
    }
    if let Some(size) = parameter.array_size.filter(|_| parameter.is_array) {
        put!(out, " ARRAYSIZE=\"{size}\"");
    }
    out.push('>');
    qualifiers(out, &parameter.qualifiers, wanted);
    put!(out, "</{element}>\n");
}

fn qualifiers(out: &mut String, list: &[Qualifier], wanted: &Wanted<'_>) {
    if !wanted.qualifiers {
        return;
    }
    for qualifier in list {
        if wanted.local_only && qualifier.propagated {
            continue;
        }
        out.push_str("<QUALIFIER");
        attribute(out, "NAME", qualifier.name.as_str());
        attribute(out, "TYPE", qualifier.value.ty.keyword());
        if qualifier.propagated {
            attribute(out, "PROPAGATED", "true");
        }
        flavor(out, qualifier.flavor);
        out.push('>');
        value(out, qualifier.value.ty, &qualifier.value.value);
        out.push_str("</QUALIFIER>\n");
    }
}

/// Only what differs from the defaults of DSP0201.
fn flavor(out: &mut String, flavor: Flavor) {
    if !flavor.overridable {
        attribute(out, "OVERRIDABLE", "false");
    }
    if !flavor.to_subclass {
        attribute(out, "TOSUBCLASS", "false");
    }
    if flavor.translatable {
        attribute(out, "TRANSLATABLE", "true");
    }
}

/// `QUALIFIER.DECLARATION`
pub(in crate::server::cimxml) fn qualifier_declaration(out: &mut String, declaration: &QualifierDeclaration) {
    out.push_str("<QUALIFIER.DECLARATION");
    attribute(out, "NAME", declaration.name.as_str());
    attribute(out, "TYPE", declaration.ty.keyword());
    attribute(out, "ISARRAY", if declaration.is_array { "true" } else { "false" });
    if let Some(size) = declaration.array_size {
        put!(out, " ARRAYSIZE=\"{size}\"");
    }
    flavor(out, declaration.flavor);
    out.push_str(">\n<SCOPE");
    let scopes = declaration.scopes;
    for (name, stands) in [
        ("CLASS", scopes.class),
        ("ASSOCIATION", scopes.association),
        ("REFERENCE", scopes.reference),
        ("PROPERTY", scopes.property),
        ("METHOD", scopes.method),
        ("PARAMETER", scopes.parameter),
        ("INDICATION", scopes.indication),
    ] {
        attribute(out, name, if stands { "true" } else { "false" });
    }
    out.push_str("/>\n");
    value(out, declaration.ty, &declaration.default);
    out.push_str("</QUALIFIER.DECLARATION>\n");
}
