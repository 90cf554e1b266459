//! Who knows the instances: one provider for each concrete class.
//!
//! Owns: the trait, the row a provider fills, and the list of providers of this platform. Must not know CIM-XML. Providers
//! block (they read files), so they run on blocking threads only.

mod clock;
mod interop;
#[cfg(target_os = "linux")]
mod linux;
#[cfg_attr(target_os = "linux", allow(dead_code))]
mod portable;

use std::ops::ControlFlow;

use super::repository::{CIMV2, INTEROP, SchemaClass};
use crate::cim::{CimError, CimName, CimType, CimValue, KeyBinding, KeyValue, Namespace, ObjectPath};

/// What is asked of a provider.
#[derive(Clone, Copy)]
pub(super) struct Ask<'a> {
    /// The class it serves, with all inherited properties.
    pub(super) class: &'a SchemaClass,
    /// Only keys are needed; whatever else is dear to find may be left out.
    pub(super) keys_only: bool,
}

/// Takes in one row; `Break` means nobody reads any more.
pub(super) type Each<'e, 'a> = &'e mut dyn FnMut(Row<'a>) -> ControlFlow<()>;

/// Knows the instances of one concrete class.
pub(super) trait Provider: Send + Sync {
    /// The class.
    fn class(&self) -> &'static str;

    /// Tells every instance there is now.
    fn enumerate<'a>(&self, ask: &Ask<'a>, each: Each<'_, 'a>) -> Result<(), CimError>;

    /// Finds one instance. `path` names exactly the keys of the class.
    fn get<'a>(&self, ask: &Ask<'a>, path: &ObjectPath) -> Result<Option<Row<'a>>, CimError> {
        let mut found = None;
        self.enumerate(ask, &mut |row| {
            if row.is_named_by(path) {
                found = Some(row);
                ControlFlow::Break(())
            } else {
                ControlFlow::Continue(())
            }
        })?;
        Ok(found)
    }
}

/// The values of one instance, in the order of the properties of its class.
pub(super) struct Row<'a> {
    class: &'a SchemaClass,
    values: Vec<CimValue>,
}

impl<'a> Row<'a> {
    /// A row that holds the defaults of its class.
    pub(super) fn new(class: &'a SchemaClass) -> Self {
        Self { class, values: class.class().properties.iter().map(|property| property.default.clone()).collect() }
    }

    /// Sets the property `name`. A name the class does not have is a defect that the tests of the providers find.
    pub(super) fn set(&mut self, name: &str, value: impl Into<Cell>) {
        let at = self.class.index(name);
        debug_assert!(at.is_some(), "{} has no property {name}", self.class.name());
        if let Some(held) = at.and_then(|at| self.values.get_mut(at)) {
            *held = value.into().0;
        }
    }

    pub(super) fn values(&self) -> &[CimValue] {
        &self.values
    }

    /// The references it holds, by the names of their properties.
    pub(super) fn references(&self) -> impl Iterator<Item = (&CimName, &ObjectPath)> {
        self.class.class().properties.iter().zip(&self.values).filter_map(|(property, value)| match value {
            CimValue::Reference(path) => Some((&property.name, path.as_ref())),
            _ => None,
        })
    }

    /// Its path: the keys in the order of the class.
    pub(super) fn path(&self) -> ObjectPath {
        let keys = self.class.class().properties.iter().zip(&self.values).filter(|(property, _)| property.is_key());
        ObjectPath {
            host: None,
            namespace: None,
            class: self.class.name().clone(),
            keys: keys
                .map(|(property, value)| KeyBinding { name: property.name.clone(), value: key(property.ty, value) })
                .collect(),
        }
    }

    /// Whether `path` names this instance, by name and value of all keys.
    pub(super) fn is_named_by(&self, path: &ObjectPath) -> bool {
        let own = self.path();
        same_keys(&own, path)
    }
}

/// Compares class and keys; a namespace or host says nothing about an instance that is ours anyway.
pub(super) fn same_keys(left: &ObjectPath, right: &ObjectPath) -> bool {
    let same_value = |left: &KeyValue, right: &KeyValue| match (left, right) {
        (KeyValue::Reference(left), KeyValue::Reference(right)) => same_keys(left, right),
        _ => left == right,
    };
    left.class == right.class
        && left.keys.len() == right.keys.len()
        && left
            .keys
            .iter()
            .all(|key| right.keys.iter().any(|other| other.name == key.name && same_value(&key.value, &other.value)))
}

fn key(ty: CimType, value: &CimValue) -> KeyValue {
    match value {
        CimValue::Bool(value) => KeyValue::Bool(*value),
        CimValue::UInt(value) => KeyValue::UInt(*value),
        CimValue::SInt(value) => KeyValue::SInt(*value),
        CimValue::Real(value) => KeyValue::Real(*value),
        CimValue::String(text) | CimValue::Untyped(text) => KeyValue::String(text.clone()),
        CimValue::DateTime(when) => KeyValue::String(when.as_str().into()),
        CimValue::Reference(path) => KeyValue::Reference(path.clone()),
        CimValue::Char16(unit) => {
            let character = char::from_u32(u32::from(*unit)).unwrap_or('\u{fffd}');
            KeyValue::String(character.to_string().into())
        }
        CimValue::Null | CimValue::Array(_) | CimValue::Instance(_) | CimValue::Class(_) => {
            debug_assert!(false, "a key of type {ty} without a value");
            KeyValue::String("".into())
        }
    }
}

/// A value on its way into a row.
pub(super) struct Cell(CimValue);

impl From<CimValue> for Cell {
    fn from(value: CimValue) -> Self {
        Self(value)
    }
}

impl From<&str> for Cell {
    fn from(text: &str) -> Self {
        Self(CimValue::string(text))
    }
}

impl From<String> for Cell {
    fn from(text: String) -> Self {
        Self(CimValue::String(text.into()))
    }
}

impl From<u64> for Cell {
    fn from(value: u64) -> Self {
        Self(CimValue::UInt(value))
    }
}

impl From<bool> for Cell {
    fn from(value: bool) -> Self {
        Self(CimValue::Bool(value))
    }
}

impl From<crate::cim::CimDateTime> for Cell {
    fn from(value: crate::cim::CimDateTime) -> Self {
        Self(CimValue::DateTime(value))
    }
}

impl<T> From<Option<T>> for Cell
where
    Self: From<T>,
{
    fn from(value: Option<T>) -> Self {
        value.map_or(Self(CimValue::Null), Self::from)
    }
}

impl<T, const N: usize> From<[T; N]> for Cell
where
    Self: From<T>,
{
    fn from(values: [T; N]) -> Self {
        Self(CimValue::Array(values.into_iter().map(|value| Self::from(value).0).collect()))
    }
}

impl<T> From<Vec<T>> for Cell
where
    Self: From<T>,
{
    fn from(values: Vec<T>) -> Self {
        Self(CimValue::Array(values.into_iter().map(|value| Self::from(value).0).collect()))
    }
}

/// The names by which this computer and its operating system are known in every key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Host {
    /// The computer's name.
    pub(super) computer: String,
    /// The operating system's name.
    pub(super) system: String,
}

impl Host {
    /// The path of the computer.
    pub(super) fn computer_path(&self) -> ObjectPath {
        path("LC_ComputerSystem", &[("CreationClassName", "LC_ComputerSystem"), ("Name", &self.computer)])
    }

    /// The path of the operating system.
    pub(super) fn system_path(&self) -> ObjectPath {
        path(
            "LC_OperatingSystem",
            &[
                ("CSCreationClassName", "LC_ComputerSystem"),
                ("CSName", &self.computer),
                ("CreationClassName", "LC_OperatingSystem"),
                ("Name", &self.system),
            ],
        )
    }

    /// The path of the process with this number.
    pub(super) fn process_path(&self, handle: &str) -> ObjectPath {
        path(
            "LC_Process",
            &[
                ("CSCreationClassName", "LC_ComputerSystem"),
                ("CSName", &self.computer),
                ("OSCreationClassName", "LC_OperatingSystem"),
                ("OSName", &self.system),
                ("CreationClassName", "LC_Process"),
                ("Handle", handle),
            ],
        )
    }

    /// Sets the keys of whatever belongs to the computer: `CSCreationClassName`, `CSName`, `CreationClassName`.
    fn own(&self, row: &mut Row<'_>) {
        row.set("CSCreationClassName", "LC_ComputerSystem");
        row.set("CSName", self.computer.as_str());
        let class = row.class.name().as_str();
        row.set("CreationClassName", class);
    }
}

fn path(class: &str, keys: &[(&str, &str)]) -> ObjectPath {
    ObjectPath {
        host: None,
        namespace: Some(Namespace::new(CIMV2)),
        class: class.into(),
        keys: keys
            .iter()
            .map(|(name, value)| KeyBinding { name: (*name).into(), value: KeyValue::String((*value).into()) })
            .collect(),
    }
}

fn reference(path: ObjectPath) -> CimValue {
    CimValue::Reference(Box::new(path))
}

/// A provider and the namespace it serves.
pub(super) type Placed = (Namespace, Box<dyn Provider>);

/// Every provider of this platform with the namespace it serves, and the computer's name.
pub(super) fn all(namespaces: Vec<Namespace>) -> (String, Vec<Placed>) {
    #[cfg(target_os = "linux")]
    let (host, mut providers) = linux::all();
    #[cfg(not(target_os = "linux"))]
    let (host, mut providers) = portable::all();
    let cimv2 = Namespace::new(CIMV2);
    let mut all: Vec<Placed> = providers.drain(..).map(|provider| (cimv2.clone(), provider)).collect();
    let interop = Namespace::new(INTEROP);
    all.extend(interop::all(&host, namespaces).into_iter().map(|provider| (interop.clone(), provider)));
    (host.computer, all)
}
