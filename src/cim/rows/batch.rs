//! Batches of packed rows.
//!
//! Owns: how a cell lies in memory and how it is read back. Must not know shapes beyond their ids.
//!
//! ```text
//! row: count of cells, cells, count of keys, keys     cell: tag, bytes     key: as a cell, or the number of an equal cell
//! ```

use super::{CellRef, ShapeId};
use crate::cim::{CimDateTime, CimValue, KeyValue, ObjectPath, Qualifier};

/// Rows on their way from a decoder to whoever keeps or prints them.
#[derive(Clone, Debug, Default)]
pub struct RowBatch {
    pub(super) bytes: Vec<u8>,
    pub(super) values: Vec<CimValue>,
    pub(super) rows: Vec<RowHead>,
}

/// Where a row begins in the bytes of its batch, and its shape.
#[derive(Clone, Copy, Debug)]
pub(super) struct RowHead {
    pub(super) offset: usize,
    pub(super) shape: ShapeId,
}

pub(super) const TAG_NULL: u8 = 0;
pub(super) const TAG_ABSENT: u8 = 1;
pub(super) const TAG_FALSE: u8 = 2;
pub(super) const TAG_TRUE: u8 = 3;
pub(super) const TAG_UINT: u8 = 4;
pub(super) const TAG_SINT: u8 = 5;
pub(super) const TAG_REAL: u8 = 6;
pub(super) const TAG_CHAR16: u8 = 7;
pub(super) const TAG_TEXT: u8 = 8;
pub(super) const TAG_DATETIME: u8 = 9;
pub(super) const TAG_VALUE: u8 = 10;
pub(super) const TAG_UNTYPED: u8 = 11;
pub(super) const TAG_SAME_AS_COLUMN: u8 = 12;

/// The most rows one batch holds, so that a bounded channel of batches bounds rows.
pub const BATCH_ROWS: usize = 128;
/// A batch is handed on once it holds this many bytes.
pub const BATCH_BYTES: usize = 256 * 1024;

impl RowBatch {
    /// How many rows it holds.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether it holds no row.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Whether it should be handed on before another row is written.
    pub fn is_full(&self) -> bool {
        self.rows.len() >= BATCH_ROWS || self.bytes.len() >= BATCH_BYTES
    }

    /// Drops all rows from position `len` on.
    pub fn truncate(&mut self, len: usize) {
        if let Some(first) = self.rows.get(len) {
            self.bytes.truncate(first.offset);
        }
        self.rows.truncate(len);
    }

    /// Keeps the rows whose shape `keep` takes.
    pub fn retain(&mut self, mut keep: impl FnMut(ShapeId) -> bool) {
        self.rows.retain(|row| keep(row.shape));
    }

    /// Adds `by` to the shape ids of all rows: for a result put together from two answers.
    pub fn shift_shapes(&mut self, by: u32) {
        self.rows.iter_mut().for_each(|row| row.shape.0 = row.shape.0.saturating_add(by));
    }

    /// Memory held, in bytes, not counting what values own on the heap beyond a flat estimate.
    pub fn size(&self) -> usize {
        self.bytes.len() + self.values.iter().map(value_size).sum::<usize>() + self.rows.len() * size_of::<RowHead>()
    }

    /// The shape of row `row`; for a row that is not there, an id no shape has.
    pub fn shape(&self, row: usize) -> ShapeId {
        self.rows.get(row).map_or(ShapeId(u32::MAX), |head| head.shape)
    }

    /// The cell of `row` in the column at `position` of its shape; absent where either does not exist.
    pub fn cell(&self, row: usize, position: usize) -> CellRef<'_> {
        let Some(mut reader) = self.reader(row) else { return CellRef::Absent };
        let cells = reader.varint() as usize;
        if position >= cells {
            return CellRef::Absent;
        }
        for _ in 0..position {
            reader.skip();
        }
        reader.cell()
    }

    /// All cells written for `row`, in the order of its shape's columns. Columns beyond them are absent.
    pub fn cells(&self, row: usize) -> impl Iterator<Item = CellRef<'_>> {
        let mut reader = self.reader(row);
        let count = reader.as_mut().map_or(0, Reader::varint);
        (0..count).map_while(move |_| reader.as_mut().map(Reader::cell))
    }

    /// The values of the path's keys of `row`, in the order of its shape's `path_keys`; empty if it has no path.
    pub fn keys(&self, row: usize) -> Vec<KeyValue> {
        let Some(mut reader) = self.reader(row) else { return Vec::new() };
        let cells = reader.varint() as usize;
        let read = (0..cells).map(|_| reader.cell()).collect::<Vec<_>>();
        (0..reader.varint()).map(|_| reader.key(&read)).collect()
    }

    fn reader(&self, row: usize) -> Option<Reader<'_>> {
        self.rows.get(row).map(|head| Reader { batch: self, at: head.offset })
    }
}

/// Memory `value` holds, in bytes, roughly.
pub(super) fn value_size(value: &CimValue) -> usize {
    size_of::<CimValue>()
        + match value {
            CimValue::String(text) | CimValue::Untyped(text) => text.len(),
            CimValue::Array(items) => items.iter().map(value_size).sum(),
            CimValue::Reference(path) => path_size(path),
            CimValue::Instance(instance) => {
                let properties = instance.properties.iter();
                let path = instance.path.as_ref().map_or(0, path_size);
                128 + path + properties.map(|property| 96 + value_size(&property.value.value)).sum::<usize>()
            }
            CimValue::Class(class) => {
                let qualifiers = |list: &[Qualifier]| {
                    list.iter().map(|qualifier| 64 + value_size(&qualifier.value.value)).sum::<usize>()
                };
                let properties = class.properties.iter().map(|one| 256 + qualifiers(&one.qualifiers));
                let methods = class.methods.iter().map(|one| 256 + qualifiers(&one.qualifiers));
                qualifiers(&class.qualifiers) + properties.sum::<usize>() + methods.sum::<usize>()
            }
            _ => 0,
        }
}

fn path_size(path: &ObjectPath) -> usize {
    let keys = path.keys.iter().map(|key| {
        64 + match &key.value {
            KeyValue::String(text) => text.len(),
            KeyValue::Reference(inner) => path_size(inner),
            _ => 0,
        }
    });
    128 + keys.sum::<usize>()
}

/// The key value a path would hold for a property with this cell.
pub(super) fn key_of(cell: CellRef<'_>) -> Option<KeyValue> {
    Some(match cell {
        CellRef::Bool(value) => KeyValue::Bool(value),
        CellRef::UInt(value) => KeyValue::UInt(value),
        CellRef::SInt(value) if value < 0 => KeyValue::SInt(value),
        CellRef::SInt(value) => KeyValue::UInt(value.unsigned_abs()),
        CellRef::Real(value) => KeyValue::Real(value),
        CellRef::Text(text) | CellRef::Untyped(text) => KeyValue::String(Box::from(text)),
        CellRef::DateTime(value) => KeyValue::String(Box::from(value.as_str())),
        CellRef::Value(CimValue::Reference(path)) => KeyValue::Reference(path.clone()),
        _ => return None,
    })
}

const fn unzigzag(value: u64) -> i64 {
    ((value >> 1) as i64) ^ -((value & 1) as i64)
}

/// Reads what a writer packed. Offsets come from writers of this folder alone, so they fit.
pub(super) struct Reader<'a> {
    pub(super) batch: &'a RowBatch,
    pub(super) at: usize,
}

impl<'a> Reader<'a> {
    pub(super) fn varint(&mut self) -> u64 {
        let (mut value, mut shift) = (0, 0);
        loop {
            let byte = self.batch.bytes[self.at];
            self.at += 1;
            value |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return value;
            }
            shift += 7;
        }
    }

    fn bytes<const N: usize>(&mut self) -> [u8; N] {
        let mut out = [0; N];
        out.copy_from_slice(&self.batch.bytes[self.at..self.at + N]);
        self.at += N;
        out
    }

    fn text(&mut self) -> &'a str {
        let len = self.varint() as usize;
        let slice = &self.batch.bytes[self.at..self.at + len];
        self.at += len;
        std::str::from_utf8(slice).unwrap_or_default()
    }

    pub(super) fn cell(&mut self) -> CellRef<'a> {
        let tag = self.batch.bytes[self.at];
        self.at += 1;
        match tag {
            TAG_FALSE => CellRef::Bool(false),
            TAG_TRUE => CellRef::Bool(true),
            TAG_UINT => CellRef::UInt(self.varint()),
            TAG_SINT => CellRef::SInt(unzigzag(self.varint())),
            TAG_REAL => CellRef::Real(f64::from_le_bytes(self.bytes())),
            TAG_CHAR16 => CellRef::Char16(u16::from_le_bytes(self.bytes())),
            TAG_TEXT => CellRef::Text(self.text()),
            TAG_DATETIME => CellRef::DateTime(CimDateTime::from_stored(self.bytes())),
            TAG_VALUE => {
                let at = self.varint() as usize;
                CellRef::Value(&self.batch.values[at])
            }
            TAG_UNTYPED => CellRef::Untyped(self.text()),
            TAG_NULL => CellRef::Null,
            _ => CellRef::Absent,
        }
    }

    /// Steps over a cell.
    fn skip(&mut self) {
        let tag = self.batch.bytes[self.at];
        self.at += 1;
        self.at += match tag {
            TAG_UINT | TAG_SINT | TAG_VALUE => {
                self.varint();
                0
            }
            TAG_REAL => 8,
            TAG_CHAR16 => 2,
            TAG_DATETIME => 25,
            TAG_TEXT | TAG_UNTYPED => self.varint() as usize,
            _ => 0,
        };
    }

    fn key(&mut self, cells: &[CellRef<'a>]) -> KeyValue {
        if self.batch.bytes[self.at] == TAG_SAME_AS_COLUMN {
            self.at += 1;
            let at = self.varint() as usize;
            return key_of(cells[at]).unwrap_or(KeyValue::String(Box::from("")));
        }
        key_of(self.cell()).unwrap_or(KeyValue::String(Box::from("")))
    }
}
