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
pub(super) enum Slot {
    Absent,
    Scalar(CellRef<'static>),
    /// Text at this place in the item, or in the scratch string.
    Text {
        at: usize,
        len: usize,
        cooked: bool,
        untyped: bool,
    },
    Value(CimValue),
    /// An array whose items stand at this place among the items.
    Array {
        from: usize,
        count: usize,
    },
    /// A reference, the values of whose keys stand at this place among the items.
    Reference {
        frame: Arc<PathFrame>,
        from: usize,
    },
}

impl Slot {
    /// A scalar that owns nothing and borrows nothing.
    pub(super) fn scalar(cell: CellRef<'_>) -> Option<Self> {
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
    pub(super) fn cell<'t>(&self, item: &'t str, scratch: &'t str) -> CellRef<'t> {
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
