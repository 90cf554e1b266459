//! Object paths: what names an instance or a class.
//!
//! Owns: the parts of a path and its two textual forms, the WBEM URI of DSP0207 (`//host/ns:Class.Key="v"`) and the WMI
//! form (`\\host\ns:Class.Key="v"`). Must not know which host a session talks to.

use super::{CimName, Namespace};

/// The path of an instance, or of a class when it has no keys.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ObjectPath {
    /// The host (with port, if one was written). Never connected to.
    pub host: Option<String>,
    /// The namespace.
    pub namespace: Option<Namespace>,
    /// The class.
    pub class: CimName,
    /// The key bindings, in the order written. Equality ignores their order.
    pub keys: Vec<KeyBinding>,
}

/// One `name=value` of a path.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct KeyBinding {
    /// The name of the key property. Empty for the unnamed key of `KEYVALUE` directly below `INSTANCENAME`.
    pub name: CimName,
    /// Its value.
    pub value: KeyValue,
}

/// The value of a key, as far as a path tells its type: strings, datetimes and char16 are all quoted text.
#[derive(Clone, Debug)]
pub enum KeyValue {
    /// `TRUE` or `FALSE`.
    Bool(bool),
    /// A number that is not negative and has no fraction.
    UInt(u64),
    /// A negative number without fraction.
    SInt(i64),
    /// A number with a fraction or an exponent.
    Real(f64),
    /// Quoted text: a string, a datetime or a char16.
    String(Box<str>),
    /// A reference.
    Reference(Box<ObjectPath>),
}

impl PartialEq for KeyValue {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Bool(a), Self::Bool(b)) => a == b,
            (Self::UInt(a), Self::UInt(b)) => a == b,
            (Self::SInt(a), Self::SInt(b)) => a == b,
            (Self::Real(a), Self::Real(b)) => a.to_bits() == b.to_bits(),
            (Self::String(a), Self::String(b)) => a == b,
            (Self::Reference(a), Self::Reference(b)) => a == b,
            _ => false,
        }
    }
}

impl Eq for KeyValue {}

impl std::hash::Hash for KeyValue {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        std::mem::discriminant(self).hash(state);
        match self {
            Self::Bool(value) => value.hash(state),
            Self::UInt(value) => value.hash(state),
            Self::SInt(value) => value.hash(state),
            Self::Real(value) => value.to_bits().hash(state),
            Self::String(value) => value.hash(state),
            Self::Reference(value) => value.hash(state),
        }
    }
}

impl std::fmt::Display for ObjectPath {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.class)
    }
}
