//! Rows of a result: how instances are kept in bulk.
//!
//! Owns: the storage. Rows arrive as [`RowBatch`]es written by a decoder through [`RowWriter`], are appended to a
//! [`RowStore`] and keep their numbers; everybody reads through [`RowStore::cell`] and [`CellRef`]. A row is packed:
//! a tag byte and the value's bytes for each cell; how is known to this folder alone, so storage can be replaced here.
//! Must not know who draws rows or where they came from.
//!
//! ```text
//! decoder -> RowWriter -> RowBatch -> (bounded channel) -> RowStore, packed closer -> cell(row, column) -> CellRef
//! ```

mod batch;
mod pack;
mod store;
#[cfg(test)]
mod tests;
mod writer;

use std::collections::{HashMap, HashSet};

pub use self::{
    batch::{BATCH_BYTES, BATCH_ROWS, Packed, PathFrame, RowBatch},
    store::{RowStore, UnionColumn},
    writer::{PACKED_ITEMS, RowWriter},
};
use super::{
    CimClass, CimDateTime, CimInstance, CimName, CimType, CimValue, EmbeddedKind, InstanceProperty, KeyBinding,
    Namespace, ObjectPath, TypedValue,
};

/// Which [`Shape`] of a result a row has. Numbered from 0 within one operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ShapeId(pub u32);

/// What the rows of one class in one result look like.
#[derive(Clone, Debug, PartialEq)]
pub struct Shape {
    /// The class of the instances.
    pub class: CimName,
    /// The namespace they were read from; `None` where rows have no path of their own (embedded, projected).
    pub namespace: Option<Namespace>,
    /// The host their paths name, if any. Shown, never connected to.
    pub host: Option<String>,
    /// The columns: first those sent, in the server's order, then those of the class the server left out.
    pub columns: Vec<Column>,
    /// The names of the keys of the rows' paths, in the server's order; empty where rows have no path.
    pub path_keys: Vec<CimName>,
}

/// One column of a [`Shape`].
#[derive(Clone, Debug, PartialEq)]
pub struct Column {
    /// The property's name.
    pub name: CimName,
    /// Its type; `None` while it is not known (values are then `Untyped`).
    pub ty: Option<CimType>,
    /// Whether it is an array.
    pub is_array: bool,
    /// Whether its strings hold embedded instances or objects.
    pub embedded: Option<EmbeddedKind>,
    /// The class a reference is declared to point to.
    pub reference_class: Option<CimName>,
    /// Whether the class declares it a key.
    pub is_key: bool,
}

impl Column {
    /// A column of known scalar type.
    pub fn new(name: CimName, ty: CimType) -> Self {
        Self { name, ty: Some(ty), is_array: false, embedded: None, reference_class: None, is_key: false }
    }
}

impl Shape {
    /// The position of the column `name`.
    pub fn position(&self, name: &CimName) -> Option<usize> {
        self.columns.iter().position(|column| column.name == *name)
    }

    /// This shape completed from its class: keys marked, and the class's properties that were not sent appended, so that
    /// rows show them as absent. `wanted` limits what is appended to the property list that was asked for.
    pub fn completed(mut self, class: &CimClass, wanted: Option<&[CimName]>) -> Self {
        let known: HashMap<CimName, usize> =
            self.columns.iter().enumerate().rev().map(|(at, column)| (column.name.clone(), at)).collect();
        let wanted: Option<HashSet<&CimName>> = wanted.map(|wanted| wanted.iter().collect());
        for property in &class.properties {
            match known.get(&property.name).and_then(|at| self.columns.get_mut(*at)) {
                Some(column) => {
                    column.is_key |= property.is_key();
                    column.embedded = column.embedded.or_else(|| property.embedded());
                    column.reference_class = column.reference_class.take().or_else(|| property.reference_class.clone());
                    if column.ty.is_none() {
                        column.ty = Some(property.ty);
                        column.is_array = property.is_array;
                    }
                }
                None if wanted.as_ref().is_none_or(|wanted| wanted.contains(&property.name)) => {
                    self.columns.push(Column {
                        name: property.name.clone(),
                        ty: Some(property.ty),
                        is_array: property.is_array,
                        embedded: property.embedded(),
                        reference_class: property.reference_class.clone(),
                        is_key: property.is_key(),
                    });
                }
                None => {}
            }
        }
        self
    }
}

/// A borrowed view of one cell.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum CellRef<'a> {
    /// The row's class has the property, the server did not send it (or the class has no such property).
    Absent,
    /// NULL.
    Null,
    /// `boolean`
    Bool(bool),
    /// An unsigned integer.
    UInt(u64),
    /// A signed integer.
    SInt(i64),
    /// A real.
    Real(f64),
    /// One UCS-2 code unit.
    Char16(u16),
    /// `string`
    Text(&'a str),
    /// `datetime`
    DateTime(CimDateTime),
    /// An embedded instance or class, a long array, or a reference with references in its keys.
    Value(&'a CimValue),
    /// Any other reference or array; [`Packed::value`] takes it out.
    Packed(Packed<'a>),
    /// Text whose type is not known.
    Untyped(&'a str),
}

impl CellRef<'_> {
    /// The path of a reference; `None` for anything else.
    pub fn to_reference(self) -> Option<ObjectPath> {
        let value = match self {
            Self::Value(CimValue::Reference(path)) => return Some(ObjectPath::clone(path)),
            Self::Packed(packed) => packed.value(),
            _ => return None,
        };
        if let CimValue::Reference(path) = value { Some(*path) } else { None }
    }

    /// The cell as an owned value; `None` for an absent one.
    pub fn to_value(self) -> Option<CimValue> {
        Some(match self {
            Self::Absent => return None,
            Self::Null => CimValue::Null,
            Self::Bool(value) => CimValue::Bool(value),
            Self::UInt(value) => CimValue::UInt(value),
            Self::SInt(value) => CimValue::SInt(value),
            Self::Real(value) => CimValue::Real(value),
            Self::Char16(value) => CimValue::Char16(value),
            Self::Text(text) => CimValue::string(text),
            Self::DateTime(value) => CimValue::DateTime(value),
            Self::Value(value) => value.clone(),
            Self::Packed(packed) => packed.value(),
            Self::Untyped(text) => CimValue::Untyped(Box::from(text)),
        })
    }
}

/// The path of row `row` of `batch`, whose shape is `shape`. `None` where rows have none: without namespace or keys.
pub fn path_of(shape: &Shape, batch: &RowBatch, row: usize) -> Option<ObjectPath> {
    shape.namespace.as_ref()?;
    let values = batch.keys(row);
    if values.is_empty() || values.len() != shape.path_keys.len() {
        return None;
    }
    let keys = shape.path_keys.iter().cloned().zip(values).map(|(name, value)| KeyBinding { name, value }).collect();
    Some(ObjectPath { host: shape.host.clone(), namespace: shape.namespace.clone(), class: shape.class.clone(), keys })
}

/// Row `row` of `batch`, whose shape is `shape`, as an instance. Absent properties are left out.
pub fn instance_of(shape: &Shape, batch: &RowBatch, row: usize) -> CimInstance {
    let properties = shape.columns.iter().zip(batch.cells(row)).filter_map(|(column, cell)| {
        Some(InstanceProperty {
            name: column.name.clone(),
            value: TypedValue {
                ty: column.ty.unwrap_or(CimType::String),
                is_array: column.is_array,
                value: cell.to_value()?,
            },
            is_typed: column.ty.is_some(),
            embedded: column.embedded,
            reference_class: column.reference_class.clone(),
        })
    });
    CimInstance {
        class: shape.class.clone(),
        path: path_of(shape, batch, row),
        qualifiers: Vec::new(),
        properties: properties.collect(),
    }
}
