//! Object paths: what names an instance or a class.
//!
//! Owns: the parts of a path and when two paths are the same. The textual forms are [`super::path_text`]'s.
//! Must not know which host a session talks to.

use std::{
    borrow::Cow,
    collections::hash_map::DefaultHasher,
    hash::{Hash, Hasher},
};

use super::{CimClass, CimName, CimType, CimValue, Namespace, text};

/// The path of an instance, or of a class when it has no keys.
///
/// Two paths are equal when host (without regard to case), namespace, class and the set of key bindings are: the order of
/// the keys does not matter (DSP0004 section 8.2.5).
#[derive(Clone, Debug)]
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
    /// A negative number without fraction; one that is not negative equals the same [`KeyValue::UInt`].
    SInt(i64),
    /// A number with a fraction or an exponent.
    Real(f64),
    /// Quoted text: a string, a datetime or a char16.
    String(Box<str>),
    /// A reference.
    Reference(Box<ObjectPath>),
}

impl ObjectPath {
    /// The path of an instance without a host.
    pub fn new(namespace: Option<Namespace>, class: CimName, keys: Vec<KeyBinding>) -> Self {
        Self { host: None, namespace, class, keys }
    }

    /// The path of a class in a namespace.
    pub fn class_path(namespace: Namespace, class: CimName) -> Self {
        Self { host: None, namespace: Some(namespace), class, keys: Vec::new() }
    }

    /// The same path without its host.
    #[must_use]
    pub fn without_host(mut self) -> Self {
        self.host = None;
        self
    }

    /// The value of the key `name`, without regard to case.
    pub fn key(&self, name: &str) -> Option<&KeyValue> {
        self.keys.iter().find(|key| key.name == name).map(|key| &key.value)
    }

    /// The same path with its keys as `class` declares them. A text alone cannot tell a string that looks like a path
    /// from a reference, nor whose the unnamed key is; the class can.
    #[must_use]
    pub fn typed_by(mut self, class: &CimClass) -> Self {
        for key in &mut self.keys {
            let declared = if key.name.as_str().is_empty() {
                let mut keys = class.keys();
                keys.next().filter(|_| keys.next().is_none())
            } else {
                class.property(key.name.as_str())
            };
            let Some(property) = declared else { continue };
            if key.name.as_str().is_empty() {
                key.name = property.name.clone();
            }
            if let Some(typed) = key.value.typed(property.ty) {
                key.value = typed;
            }
        }
        self
    }

    /// The keys in an order that does not depend on how they were written.
    fn sorted_keys(&self) -> Vec<&KeyBinding> {
        let mut keys = self.keys.iter().collect::<Vec<_>>();
        keys.sort_by(|left, right| left.name.cmp(&right.name));
        keys
    }
}

impl KeyValue {
    /// The same value as a property of type `ty` has it; `None` where it is that already, or cannot be.
    fn typed(&self, ty: CimType) -> Option<Self> {
        let is_text = matches!(ty, CimType::String | CimType::DateTime | CimType::Char16);
        let is_real = matches!(ty, CimType::Real32 | CimType::Real64);
        Some(match self {
            Self::Reference(path) if ty != CimType::Reference => Self::String(path.to_string().into()),
            Self::UInt(value) if is_text => Self::String(value.to_string().into()),
            Self::SInt(value) if is_text => Self::String(value.to_string().into()),
            Self::Real(value) if is_text => Self::String(value.to_string().into()),
            Self::Bool(value) if is_text => Self::String(if *value { "TRUE" } else { "FALSE" }.into()),
            Self::UInt(value) if is_real => Self::Real(*value as f64),
            Self::SInt(value) if is_real => Self::Real(*value as f64),
            Self::String(text) if ty == CimType::Reference => Self::Reference(Box::new(text.parse().ok()?)),
            Self::String(text) if ty == CimType::Boolean && text.eq_ignore_ascii_case("true") => Self::Bool(true),
            Self::String(text) if ty == CimType::Boolean && text.eq_ignore_ascii_case("false") => Self::Bool(false),
            Self::String(text) if ty.is_integer() => {
                let value = text::parse_integer(text)?;
                u64::try_from(value).map(Self::UInt).or_else(|_| i64::try_from(value).map(Self::SInt)).ok()?
            }
            Self::String(text) if is_real => Self::Real(text::parse_real(text)?),
            _ => return None,
        })
    }
}

impl PartialEq for ObjectPath {
    fn eq(&self, other: &Self) -> bool {
        let same_host = match (&self.host, &other.host) {
            (Some(left), Some(right)) => left.eq_ignore_ascii_case(right),
            (None, None) => true,
            _ => false,
        };
        same_host
            && self.class == other.class
            && self.namespace == other.namespace
            && self.keys.len() == other.keys.len()
            && (self.keys == other.keys || self.sorted_keys() == other.sorted_keys())
    }
}

impl Eq for ObjectPath {}

impl Hash for ObjectPath {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.host.as_ref().map(|host| host.to_ascii_lowercase()).hash(state);
        self.namespace.hash(state);
        self.class.hash(state);
        // A sum, so that the order of the keys does not matter.
        let sum = self.keys.iter().fold(0_u64, |sum, key| {
            let mut one = DefaultHasher::new();
            key.hash(&mut one);
            sum.wrapping_add(one.finish())
        });
        state.write_u64(sum);
    }
}

impl KeyValue {
    /// The key value a path holds for a property with this value; `None` if no key can have it.
    pub fn of(value: &CimValue) -> Option<Self> {
        Some(match value {
            CimValue::Bool(value) => Self::Bool(*value),
            CimValue::UInt(value) => Self::UInt(*value),
            CimValue::SInt(value) => u64::try_from(*value).map_or(Self::SInt(*value), Self::UInt),
            CimValue::Real(value) => Self::Real(*value),
            CimValue::Char16(unit) => Self::String(text::char16_text(*unit).into()),
            CimValue::String(text) | CimValue::Untyped(text) => Self::String(text.clone()),
            CimValue::DateTime(value) => Self::String(value.as_str().into()),
            CimValue::Reference(path) => Self::Reference(path.clone()),
            CimValue::Null | CimValue::Instance(_) | CimValue::Class(_) | CimValue::Array(_) => return None,
        })
    }

    /// The value as a person reads it: text without quotes, numbers plain, a reference as its path.
    pub fn plain(&self) -> Cow<'_, str> {
        match self {
            Self::String(text) => Cow::Borrowed(text),
            Self::Bool(value) => Cow::Borrowed(if *value { "TRUE" } else { "FALSE" }),
            Self::UInt(value) => Cow::Owned(value.to_string()),
            Self::SInt(value) => Cow::Owned(value.to_string()),
            Self::Real(value) => Cow::Owned(text::real_text(*value, CimType::Real64)),
            Self::Reference(path) => Cow::Owned(path.to_string()),
        }
    }

    /// An integer, whichever sign it was stored with.
    fn integer(&self) -> Option<i128> {
        match self {
            Self::UInt(value) => Some(i128::from(*value)),
            Self::SInt(value) => Some(i128::from(*value)),
            _ => None,
        }
    }
}

impl PartialEq for KeyValue {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Bool(a), Self::Bool(b)) => a == b,
            (Self::UInt(_) | Self::SInt(_), Self::UInt(_) | Self::SInt(_)) => self.integer() == other.integer(),
            (Self::Real(a), Self::Real(b)) => a.to_bits() == b.to_bits(),
            (Self::String(a), Self::String(b)) => a == b,
            (Self::Reference(a), Self::Reference(b)) => a == b,
            _ => false,
        }
    }
}

impl Eq for KeyValue {}

impl Hash for KeyValue {
    fn hash<H: Hasher>(&self, state: &mut H) {
        match self {
            Self::Bool(value) => (0_u8, value).hash(state),
            Self::UInt(_) | Self::SInt(_) => (1_u8, self.integer()).hash(state),
            Self::Real(value) => (2_u8, value.to_bits()).hash(state),
            Self::String(value) => (3_u8, value).hash(state),
            Self::Reference(value) => (4_u8, value).hash(state),
        }
    }
}
