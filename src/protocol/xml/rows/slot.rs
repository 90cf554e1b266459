//! Cells before their row is written.
//!
//! Owns: [`Slot`]: properties come in any order, cells are written in that of the columns. Must not know shapes.

use std::sync::Arc;

use crate::cim::{
    CimType, CimValue, KeyValue,
    rows::{CellRef, PathFrame},
};

/// A cell before its row is written.
#[derive(Debug)]
pub enum Slot {
    /// The property was not sent.
    Absent,
    /// A scalar that borrows nothing.
    Scalar(CellRef<'static>),
    /// Text at this place in the item, or in the scratch string.
    Text {
        /// Where it begins, in bytes.
        at: usize,
        /// How many bytes it has.
        len: usize,
        /// Whether it stands in the scratch string.
        cooked: bool,
        /// Whether its type is not known.
        untyped: bool,
    },
    /// A value of its own.
    Value(CimValue),
    /// An array whose items stand at this place among the items.
    Array {
        /// The first.
        from: usize,
        /// How many.
        count: usize,
    },
    /// A reference, the values of whose keys stand at this place among the items.
    Reference {
        /// The path but for the values of its keys.
        frame: Arc<PathFrame>,
        /// The first of those.
        from: usize,
    },
}

impl Slot {
    /// A scalar that owns nothing and borrows nothing.
    pub fn scalar(cell: CellRef<'_>) -> Option<Self> {
        Some(Self::Scalar(match cell {
            CellRef::Bool(value) => CellRef::Bool(value),
            CellRef::UInt(value) => CellRef::UInt(value),
            CellRef::SInt(value) => CellRef::SInt(value),
            CellRef::Real(value) => CellRef::Real(value),
            CellRef::Char16(value) => CellRef::Char16(value),
            CellRef::DateTime(value) => CellRef::DateTime(value),
            _ => return None,
        }))
    }

    /// The cell of a slot that is neither a value nor an array or reference.
    pub fn cell<'t>(&self, item: &'t str, scratch: &'t str) -> CellRef<'t> {
        match self {
            Self::Scalar(cell) => *cell,
            Self::Text { at, len, cooked, untyped } => {
                let source = if *cooked { scratch } else { item };
                let text = source.get(*at..*at + *len).unwrap_or_default();
                if *untyped { CellRef::Untyped(text) } else { CellRef::Text(text) }
            }
            _ => CellRef::Absent,
        }
    }
}

impl Slot {
    /// The slot as a value of its own; NULL where there is nothing.
    pub(super) fn into_value(self, item: &str, scratch: &str) -> CimValue {
        match self {
            Self::Value(value) => value,
            slot => slot.cell(item, scratch).to_value().unwrap_or(CimValue::Null),
        }
    }
}

/// A key as a cell, with the type as far as a path tells it.
pub(super) fn key_cell(key: &KeyValue) -> (CimType, Slot) {
    match key {
        KeyValue::Bool(value) => (CimType::Boolean, Slot::Scalar(CellRef::Bool(*value))),
        KeyValue::UInt(value) => (CimType::UInt64, Slot::Scalar(CellRef::UInt(*value))),
        KeyValue::SInt(value) => (CimType::SInt64, Slot::Scalar(CellRef::SInt(*value))),
        KeyValue::Real(value) => (CimType::Real64, Slot::Scalar(CellRef::Real(*value))),
        KeyValue::String(text) => (CimType::String, Slot::Value(CimValue::String(text.clone()))),
        KeyValue::Reference(path) => (CimType::Reference, Slot::Value(CimValue::Reference(path.clone()))),
    }
}
