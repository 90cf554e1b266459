//! Instances outside tables: embedded instances, one instance in detail, MOF.
//!
//! Owns: an instance as a list of named, typed values plus its path. Must not know how instances are stored in bulk;
//! that is [`super::rows`].

use super::{CimName, EmbeddedKind, ObjectPath, Qualifier, TypedValue};

/// One instance.
#[derive(Clone, Debug, PartialEq)]
pub struct CimInstance {
    /// The class it is an instance of.
    pub class: CimName,
    /// Its path; `None` for an embedded instance or one without keys.
    pub path: Option<ObjectPath>,
    /// Qualifiers, which servers hardly ever send.
    pub qualifiers: Vec<Qualifier>,
    /// Its properties in the order they were sent.
    pub properties: Vec<InstanceProperty>,
}

/// One property of an instance.
#[derive(Clone, Debug, PartialEq)]
pub struct InstanceProperty {
    /// Its name.
    pub name: CimName,
    /// Its type and value.
    pub value: TypedValue,
    /// Whether a class or the answer told the type; where neither did, it is given as `string`.
    pub is_typed: bool,
    /// Set when the string was declared to hold an embedded instance or object.
    pub embedded: Option<EmbeddedKind>,
    /// The class a reference is declared to point to (`REFERENCECLASS`), if told.
    pub reference_class: Option<CimName>,
}

impl CimInstance {
    /// An instance of `class` without properties.
    pub fn new(class: &str) -> Self {
        Self { class: CimName::new(class), path: None, qualifiers: Vec::new(), properties: Vec::new() }
    }

    /// The property `name`, without regard to case.
    pub fn property(&self, name: &str) -> Option<&InstanceProperty> {
        self.properties.iter().find(|property| property.name == name)
    }
}
