//! Inheritance: a class with everything it inherits, and back to what it declares itself.
//!
//! Owns: the rules of DSP0004 section 5.1.2.3 (inheritance) and 5.6.3 (qualifier flavours). Must not know where
//! superclasses are kept: they come from a lookup.

use std::borrow::Borrow;

use super::{CimClass, CimName, ClassMethod, ClassProperty, Qualifier};

/// How many superclasses a class may have above it.
pub const MAX_ANCESTORS: usize = 64;

/// Why a class cannot be resolved.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ResolveError {
    /// A superclass is nowhere to be found.
    #[error("the superclass {superclass} of {class} is not known")]
    UnknownSuperclass {
        /// The class that names it.
        class: CimName,
        /// Its name.
        superclass: CimName,
    },
    /// A class is its own ancestor, or has too many.
    #[error("{0} inherits from itself or from more than {MAX_ANCESTORS} classes")]
    Endless(CimName),
    /// A subclass gives another value to a qualifier that may not be overridden.
    #[error("{element} of {class} changes the qualifier {qualifier}, which may not be overridden")]
    FixedQualifier {
        /// The subclass.
        class: CimName,
        /// The class itself, or its property or method.
        element: CimName,
        /// The qualifier.
        qualifier: CimName,
    },
    /// A subclass declares a property or method of another type than the one it overrides.
    #[error("{element} of {class} has another type than the one it overrides")]
    OtherType {
        /// The subclass.
        class: CimName,
        /// The property or method.
        element: CimName,
    },
}

/// `class` with what it inherits: elements of its superclasses first, in their order, then its own; inherited elements
/// and qualifiers are marked propagated, and every element tells the class that first declared it. `lookup` finds a class by
/// name, as declared or already resolved.
///
/// # Errors
/// If a superclass is missing, the chain has no end, or the class breaks what it overrides.
pub fn full<C: Borrow<CimClass>>(
    class: &CimClass,
    mut lookup: impl FnMut(&CimName) -> Option<C>,
) -> Result<CimClass, ResolveError> {
    let mut chain = Vec::new();
    let mut lowest = class.clone();
    let mut next = lowest.superclass.clone();
    let mut below = class.name.clone();
    while let Some(name) = next {
        if chain.len() >= MAX_ANCESTORS || name == class.name {
            return Err(ResolveError::Endless(class.name.clone()));
        }
        let Some(found) = lookup(&name) else {
            return Err(ResolveError::UnknownSuperclass { class: below, superclass: name });
        };
        next = found.borrow().superclass.clone();
        below = name;
        chain.push(found);
    }
    let mut parent: Option<CimClass> = None;
    for ancestor in chain.iter().rev() {
        parent = Some(derive(parent.as_ref(), ancestor.borrow().clone())?);
    }
    lowest = derive(parent.as_ref(), lowest)?;
    Ok(lowest)
}

/// What `class` declares itself: without inherited elements and qualifiers (`LocalOnly=true`, DSP0200).
pub fn local_only(class: &CimClass) -> CimClass {
    let own = |list: &[Qualifier]| list.iter().filter(|qualifier| !qualifier.propagated).cloned().collect();
    let mut local = class.clone();
    local.qualifiers = own(&class.qualifiers);
    local.properties.retain(|property| !property.propagated);
    for property in &mut local.properties {
        property.qualifiers = own(&property.qualifiers);
    }
    local.methods.retain(|method| !method.propagated);
    for method in &mut local.methods {
        method.qualifiers = own(&method.qualifiers);
    }
    local
}

/// `class` below `parent`, which is resolved already.
fn derive(parent: Option<&CimClass>, mut class: CimClass) -> Result<CimClass, ResolveError> {
    let name = class.name.clone();
    let own_properties = std::mem::take(&mut class.properties);
    let own_methods = std::mem::take(&mut class.methods);
    if let Some(parent) = parent {
        check_fixed(&name, &name, &class.qualifiers, &parent.qualifiers)?;
        inherit_qualifiers(&mut class.qualifiers, &parent.qualifiers);
        class.properties = parent.properties.iter().map(inherited_property).collect();
        class.methods = parent.methods.iter().map(inherited_method).collect();
    }
    for mut property in own_properties {
        match class.properties.iter_mut().find(|known| known.name == property.name) {
            // A class that came resolved already: what it inherited stays as its superclass has it now.
            Some(_) if property.propagated => {}
            Some(known) => {
                if (known.ty, known.is_array) != (property.ty, property.is_array) {
                    return Err(ResolveError::OtherType { class: name, element: property.name });
                }
                check_fixed(&name, &property.name, &property.qualifiers, &known.qualifiers)?;
                inherit_qualifiers(&mut property.qualifiers, &known.qualifiers);
                property.origin = known.origin.clone();
                *known = property;
            }
            None => {
                property.origin.get_or_insert_with(|| name.clone());
                class.properties.push(property);
            }
        }
    }
    for mut method in own_methods {
        match class.methods.iter_mut().find(|known| known.name == method.name) {
            Some(_) if method.propagated => {}
            Some(known) => {
                if known.return_type != method.return_type {
                    return Err(ResolveError::OtherType { class: name, element: method.name });
                }
                check_fixed(&name, &method.name, &method.qualifiers, &known.qualifiers)?;
                inherit_qualifiers(&mut method.qualifiers, &known.qualifiers);
                method.origin = known.origin.clone();
                *known = method;
            }
            None => {
                method.origin.get_or_insert_with(|| name.clone());
                class.methods.push(method);
            }
        }
    }
    Ok(class)
}

fn inherited_property(property: &ClassProperty) -> ClassProperty {
    let mut property = property.clone();
    property.propagated = true;
    propagate(&mut property.qualifiers);
    property
}

fn inherited_method(method: &ClassMethod) -> ClassMethod {
    let mut method = method.clone();
    method.propagated = true;
    propagate(&mut method.qualifiers);
    method
}

/// Marks the qualifiers of an inherited element. An element inherited unchanged keeps them all, restricted ones too: it is
/// the same element (as Pegasus and SFCB answer); Restricted counts where a subclass overrides it.
fn propagate(qualifiers: &mut [Qualifier]) {
    for qualifier in qualifiers {
        qualifier.propagated = true;
    }
}

fn find<'a>(list: &'a [Qualifier], name: &CimName) -> Option<&'a Qualifier> {
    list.iter().find(|qualifier| qualifier.name == *name)
}

fn check_fixed(
    class: &CimName,
    element: &CimName,
    own: &[Qualifier],
    inherited: &[Qualifier],
) -> Result<(), ResolveError> {
    let broken = inherited.iter().find(|above| {
        let fixed = above.flavor.to_subclass && !above.flavor.overridable;
        fixed && find(own, &above.name).is_some_and(|below| !below.propagated && below.value != above.value)
    });
    match broken {
        Some(qualifier) => Err(ResolveError::FixedQualifier {
            class: class.clone(),
            element: element.clone(),
            qualifier: qualifier.name.clone(),
        }),
        None => Ok(()),
    }
}

/// Adds the qualifiers that propagate and that `own` does not give anew.
fn inherit_qualifiers(own: &mut Vec<Qualifier>, above: &[Qualifier]) {
    for qualifier in above.iter().filter(|qualifier| qualifier.flavor.to_subclass) {
        match own.iter_mut().find(|known| known.name == qualifier.name) {
            Some(known) if known.propagated => known.value = qualifier.value.clone(),
            Some(_) => {}
            None => own.push(Qualifier { propagated: true, ..qualifier.clone() }),
        }
    }
}

#[cfg(test)]
#[path = "resolve_tests.rs"]
mod tests;
