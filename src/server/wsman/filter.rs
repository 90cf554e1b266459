//! Filters of an enumeration.
//!
//! Owns: the dialects that are read (DSP0226 section 8.3, DSP0227 sections 10 and 16, MS-WSMV section 2.2.4.36) and the paths
//! in endpoint references. Must not know how instances are found.

use super::{
    envelope::{ADDRESSING, BINDING, Element, MANAGEMENT},
    fault::{Fault, number},
    request::{Selected, Selector, selectors},
    resource::{self, Resource},
};
use crate::{
    cim::{CimName, CimType, KeyBinding, KeyValue, Namespace, ObjectPath, text::parse_value},
    server::{
        instances::Along,
        query::{Comparison, Condition, Literal},
        repository::{Repository, SchemaClass},
    },
};

/// Queries in WQL.
const WQL: &str = "http://schemas.microsoft.com/wbem/wsman/1/WQL";
/// Queries in CQL (DSP0202), of which the grammar of our queries is a part.
const CQL: &str = "http://schemas.dmtf.org/wbem/cql/1/dsp0202.pdf";
/// Selectors that are properties.
const SELECTORS: &str = "http://schemas.dmtf.org/wbem/wsman/1/wsman/SelectorFilter";
/// Along associations.
const ASSOCIATION: &str = "http://schemas.dmtf.org/wbem/wsman/1/cimbinding/associationFilter";

/// What an enumeration is narrowed to.
pub(super) enum Filter {
    /// A query, which names its class.
    Query(String),
    /// Properties with their values.
    Selectors(Vec<Selector>),
    /// The instances at the other ends of an object's associations, or the associations, in the namespace of the object.
    Along { ends: bool, along: Along, namespace: Option<Namespace> },
}

impl Filter {
    /// The filter of `Enumerate`, if it has one.
    pub(super) fn of(enumerate: &Element, repository: &Repository) -> Result<Option<Self>, Fault> {
        let Some(filter) = enumerate.child(MANAGEMENT, "Filter") else { return Ok(None) };
        Ok(Some(match filter.attribute("Dialect").unwrap_or_default() {
            WQL | CQL => Self::Query(filter.text.clone()),
            SELECTORS => {
                let set = filter.child(MANAGEMENT, "SelectorSet");
                let set = set.ok_or_else(|| Fault::filter("A selector filter has a SelectorSet."))?;
                Self::Selectors(selectors(set)?.1)
            }
            ASSOCIATION => association(filter, repository)?,
            other => {
                let reason = format!("The filter dialect {other} is not known here.");
                let subcode = "n:FilterDialectRequestedUnavailable";
                return Err(Fault::sender(subcode, number::FILTER_DIALECT, reason));
            }
        }))
    }
}

fn association(filter: &Element, repository: &Repository) -> Result<Filter, Fault> {
    let found = [("AssociatedInstances", true), ("AssociationInstances", false)]
        .into_iter()
        .find_map(|(name, ends)| filter.child(BINDING, name).map(|asked| (asked, ends)));
    let (asked, ends) = found.ok_or_else(|| Fault::filter("An association filter says what it wants."))?;
    let object =
        asked.child(BINDING, "Object").ok_or_else(|| Fault::filter("An association filter names an object."))?;
    let name = |name: &str| {
        let text = asked.child(BINDING, name).map(Element::trimmed).filter(|text| !text.is_empty());
        text.map(CimName::new)
    };
    if asked.child(BINDING, "IncludeResultProperty").is_some() {
        return Err(Fault::unsupported("IncludeResultProperty", "Instances are always told whole."));
    }
    let object = endpoint(object, repository)?;
    let namespace = object.namespace.clone();
    let along = Along {
        object,
        assoc_class: if ends { name("AssociationClassName") } else { None },
        result_class: name("ResultClassName"),
        role: name("Role"),
        result_role: if ends { name("ResultRole") } else { None },
    };
    Ok(Filter::Along { ends, along, namespace })
}

/// The instance an endpoint reference names.
pub(super) fn endpoint(reference: &Element, repository: &Repository) -> Result<ObjectPath, Fault> {
    let broken = || Fault::filter("An endpoint reference names a class and its keys.");
    let parameters = reference.child(ADDRESSING, "ReferenceParameters").ok_or_else(broken)?;
    let uri = parameters.child(MANAGEMENT, "ResourceURI").ok_or_else(broken)?;
    let named = resource::read(uri.trimmed()).ok_or_else(broken)?;
    let Resource::Class(class) = named.resource else { return Err(broken()) };
    let set = parameters.child(MANAGEMENT, "SelectorSet").ok_or_else(broken)?;
    let (namespace, selectors) = selectors(set)?;
    let namespace = named.namespace.or(namespace);
    let schema = namespace.as_ref().and_then(|namespace| repository.schema(namespace));
    let known = schema.and_then(|schema| schema.class(&class));
    path(namespace, &class, selectors.iter(), known, repository)
}

/// The path of an instance of `class`, its keys as `known` declares them.
pub(super) fn path<'s>(
    namespace: Option<Namespace>,
    class: &CimName,
    selectors: impl Iterator<Item = &'s Selector>,
    known: Option<&SchemaClass>,
    repository: &Repository,
) -> Result<ObjectPath, Fault> {
    let mut keys = Vec::new();
    for (name, value) in selectors {
        let value = match value {
            Selected::Text(text) => KeyValue::String(text.as_str().into()),
            Selected::Reference(reference) => KeyValue::Reference(Box::new(endpoint(reference, repository)?)),
        };
        keys.push(KeyBinding { name: CimName::new(name), value });
    }
    let path = ObjectPath { host: None, namespace, class: class.clone(), keys };
    match known {
        Some(known) => checked(path.typed_by(known.class()), known),
        None => Ok(path),
    }
}

/// Whether the selectors are the keys of the class and of their types (DSP0226 section 14, InvalidSelectors).
fn checked(path: ObjectPath, class: &SchemaClass) -> Result<ObjectPath, Fault> {
    let keys = || class.class().keys();
    for binding in &path.keys {
        let Some(key) = keys().find(|key| key.name == binding.name) else {
            let reason = format!("{} has no key {}.", class.name(), binding.name);
            return Err(Fault::selectors("UnexpectedSelectors", reason));
        };
        let is_text = matches!(key.ty, CimType::String | CimType::DateTime | CimType::Char16);
        if matches!(binding.value, KeyValue::String(_)) && !is_text {
            let reason = format!("The key {} is a {}.", key.name, key.ty);
            return Err(Fault::selectors("TypeMismatch", reason));
        }
    }
    match keys().find(|key| path.key(key.name.as_str()).is_none()) {
        Some(missing) => {
            let reason = format!("The key {} is not among the selectors.", missing.name);
            Err(Fault::selectors("InsufficientSelectors", reason))
        }
        None => Ok(path),
    }
}

/// The condition that properties of `class` have these values.
pub(super) fn condition(selectors: &[Selector], class: &SchemaClass) -> Result<Condition, Fault> {
    let mut parts = Vec::new();
    for (name, value) in selectors {
        let property = class.index(name).and_then(|at| class.class().properties.get(at));
        let property = property.ok_or_else(|| Fault::filter(format!("{} has no property {name}.", class.name())))?;
        let Selected::Text(text) = value else { return Err(Fault::filter("References cannot be filtered by.")) };
        let literal = match parse_value(property.ty, text.trim()) {
            Ok(crate::cim::CimValue::Bool(value)) => Literal::Bool(value),
            Ok(crate::cim::CimValue::UInt(value)) => Literal::Integer(value.into()),
            Ok(crate::cim::CimValue::SInt(value)) => Literal::Integer(value.into()),
            Ok(crate::cim::CimValue::Real(value)) => Literal::Real(value),
            Ok(_) => Literal::Text(text.clone()),
            Err(_) => return Err(Fault::filter(format!("{name} is a {}.", property.ty))),
        };
        parts.push(Condition::Compare(property.name.clone(), Comparison::Equal, literal));
    }
    let condition = Condition::All(parts);
    condition.check(class).map_err(|wrong| Fault::filter(wrong.to_string()))?;
    Ok(condition)
}
