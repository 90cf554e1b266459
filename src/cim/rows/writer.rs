//! Writing rows into batches.
//!
//! Owns: the writing half of the packing. Must not know shapes beyond their ids.

use super::{
    CellRef, RowBatch, ShapeId,
    batch::{
        Reader, RowHead, TAG_ABSENT, TAG_CHAR16, TAG_DATETIME, TAG_FALSE, TAG_NULL, TAG_REAL, TAG_SAME_AS_COLUMN,
        TAG_SINT, TAG_TEXT, TAG_TRUE, TAG_UINT, TAG_UNTYPED, TAG_VALUE,
    },
};
use crate::cim::{CimValue, KeyValue};

/// Writes rows into a [`RowBatch`]: begin, cells in the shape's order, keys, end.
#[derive(Debug, Default)]
pub struct RowWriter {
    batch: RowBatch,
    cells: Vec<u8>,
    count: u64,
    keys: Vec<KeyValue>,
    shape: Option<ShapeId>,
    /// How many values the batch had when the row began.
    mark: usize,
}

impl RowWriter {
    /// Begins a row of `shape`; an unfinished one before it is dropped.
    pub fn begin(&mut self, shape: ShapeId) {
        self.cells.clear();
        self.keys.clear();
        self.count = 0;
        if self.shape.replace(shape).is_some() {
            self.batch.values.truncate(self.mark);
        }
        self.mark = self.batch.values.len();
    }

    /// Writes the next cell. [`CellRef::Value`] is cloned; use [`RowWriter::value`] to move one in.
    pub fn cell(&mut self, cell: CellRef<'_>) {
        self.count += 1;
        let out = &mut self.cells;
        match cell {
            CellRef::Absent => out.push(TAG_ABSENT),
            CellRef::Null => out.push(TAG_NULL),
            CellRef::Bool(value) => out.push(if value { TAG_TRUE } else { TAG_FALSE }),
            CellRef::UInt(value) => {
                out.push(TAG_UINT);
                put_varint(out, value);
            }
            CellRef::SInt(value) => {
                out.push(TAG_SINT);
                put_varint(out, zigzag(value));
            }
            CellRef::Real(value) => {
                out.push(TAG_REAL);
                out.extend_from_slice(&value.to_le_bytes());
            }
            CellRef::Char16(value) => {
                out.push(TAG_CHAR16);
                out.extend_from_slice(&value.to_le_bytes());
            }
            CellRef::Text(text) => put_text(out, TAG_TEXT, text),
            CellRef::DateTime(value) => {
                out.push(TAG_DATETIME);
                out.extend_from_slice(value.as_str().as_bytes());
            }
            CellRef::Value(value) => {
                self.count -= 1;
                self.value(value.clone());
            }
            CellRef::Untyped(text) => put_text(out, TAG_UNTYPED, text),
        }
    }

    /// Writes the next cell from an owned value.
    pub fn value(&mut self, value: CimValue) {
        match &value {
            CimValue::Null => self.cell(CellRef::Null),
            CimValue::Bool(value) => self.cell(CellRef::Bool(*value)),
            CimValue::UInt(value) => self.cell(CellRef::UInt(*value)),
            CimValue::SInt(value) => self.cell(CellRef::SInt(*value)),
            CimValue::Real(value) => self.cell(CellRef::Real(*value)),
            CimValue::Char16(value) => self.cell(CellRef::Char16(*value)),
            CimValue::String(text) => self.cell(CellRef::Text(text)),
            CimValue::DateTime(value) => self.cell(CellRef::DateTime(*value)),
            CimValue::Untyped(text) => self.cell(CellRef::Untyped(text)),
            CimValue::Reference(_) | CimValue::Instance(_) | CimValue::Class(_) | CimValue::Array(_) => {
                self.count += 1;
                self.cells.push(TAG_VALUE);
                put_varint(&mut self.cells, self.batch.values.len() as u64);
                self.batch.values.push(value);
            }
        }
    }

    /// Writes the next key of the row's path.
    pub fn key(&mut self, key: KeyValue) {
        self.keys.push(key);
    }

    /// Ends the row. Keys equal to one of its cells take two bytes.
    pub fn end(&mut self) {
        let Some(shape) = self.shape.take() else { return };
        let offset = self.batch.bytes.len();
        put_varint(&mut self.batch.bytes, self.count);
        let start = self.batch.bytes.len();
        self.batch.bytes.append(&mut self.cells);
        let (count, keys) = (self.count as usize, std::mem::take(&mut self.keys));
        let mut tail = Vec::with_capacity(keys.len() * 2 + 1);
        put_varint(&mut tail, keys.len() as u64);
        let mut reader = Reader { batch: &self.batch, at: start };
        let read = if keys.is_empty() { Vec::new() } else { (0..count).map(|_| reader.cell()).collect::<Vec<_>>() };
        let mut references = Vec::new();
        for key in keys {
            match read.iter().position(|cell| is_key(*cell, &key)) {
                Some(at) => {
                    tail.push(TAG_SAME_AS_COLUMN);
                    put_varint(&mut tail, at as u64);
                }
                None => put_key(&mut tail, key, self.batch.values.len(), &mut references),
            }
        }
        self.batch.values.append(&mut references);
        self.batch.bytes.append(&mut tail);
        self.batch.rows.push(RowHead { offset, shape });
    }

    /// Rows finished and not yet taken.
    pub fn len(&self) -> usize {
        self.batch.len()
    }

    /// Whether no finished row waits.
    pub fn is_empty(&self) -> bool {
        self.batch.is_empty()
    }

    /// Whether the finished rows should be taken now.
    pub fn is_full(&self) -> bool {
        self.batch.is_full()
    }

    /// Takes the finished rows. Must not be called between `begin` and `end`.
    pub fn take(&mut self) -> RowBatch {
        std::mem::take(&mut self.batch)
    }
}

fn put_key(out: &mut Vec<u8>, key: KeyValue, values: usize, references: &mut Vec<CimValue>) {
    match key {
        KeyValue::Bool(value) => out.push(if value { TAG_TRUE } else { TAG_FALSE }),
        KeyValue::UInt(value) => {
            out.push(TAG_UINT);
            put_varint(out, value);
        }
        KeyValue::SInt(value) => {
            out.push(TAG_SINT);
            put_varint(out, zigzag(value));
        }
        KeyValue::Real(value) => {
            out.push(TAG_REAL);
            out.extend_from_slice(&value.to_le_bytes());
        }
        KeyValue::String(text) => put_text(out, TAG_TEXT, &text),
        KeyValue::Reference(path) => {
            out.push(TAG_VALUE);
            put_varint(out, (values + references.len()) as u64);
            references.push(CimValue::Reference(path));
        }
    }
}

/// Whether a key read back from this cell would be `key`.
fn is_key(cell: CellRef<'_>, key: &KeyValue) -> bool {
    match (cell, key) {
        (CellRef::Text(text) | CellRef::Untyped(text), KeyValue::String(key)) => *text == **key,
        (CellRef::DateTime(value), KeyValue::String(key)) => value.as_str() == &**key,
        (CellRef::UInt(value), KeyValue::UInt(key)) => value == *key,
        (CellRef::SInt(value), KeyValue::SInt(key)) => value == *key && value < 0,
        (CellRef::SInt(value), KeyValue::UInt(key)) => u64::try_from(value) == Ok(*key),
        (CellRef::Bool(value), KeyValue::Bool(key)) => value == *key,
        (CellRef::Real(value), KeyValue::Real(key)) => value.to_bits() == key.to_bits(),
        (CellRef::Value(CimValue::Reference(value)), KeyValue::Reference(key)) => value == key,
        _ => false,
    }
}

fn put_text(out: &mut Vec<u8>, tag: u8, text: &str) {
    out.push(tag);
    put_varint(out, text.len() as u64);
    out.extend_from_slice(text.as_bytes());
}

fn put_varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push((value as u8) | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

const fn zigzag(value: i64) -> u64 {
    ((value << 1) ^ (value >> 63)) as u64
}
