//! Writing rows into batches.
//!
//! Owns: the writing half of the packing. Must not know shapes beyond their ids.

use std::sync::Arc;

use super::{
    CellRef, RowBatch, ShapeId,
    batch::{
        PathFrame, Reader, RowHead, TAG_ABSENT, TAG_ARRAY, TAG_CHAR16, TAG_DATETIME, TAG_FALSE, TAG_NULL, TAG_REAL,
        TAG_REFERENCE, TAG_SAME_AS_COLUMN, TAG_SINT, TAG_TEXT, TAG_TRUE, TAG_UINT, TAG_UNTYPED, TAG_VALUE,
    },
};
use crate::cim::{CimValue, KeyValue, ObjectPath};

/// Writes rows into a [`RowBatch`]: begin, cells in the shape's order, keys, end.
#[derive(Debug, Default)]
pub struct RowWriter {
    batch: RowBatch,
    row: Packing,
    /// Where each cell of the row begins.
    offsets: Vec<usize>,
    keys: Vec<u8>,
    key_count: usize,
    /// For each key of the rows before, the cell that was equal to it: likely that of the next row.
    alike: Vec<usize>,
    shape: Option<ShapeId>,
    /// How many values the batch had when the row began.
    mark: usize,
}

/// Bytes being packed.
#[derive(Debug, Default)]
struct Packing {
    bytes: Vec<u8>,
}

impl RowWriter {
    /// Begins a row of `shape`; an unfinished one before it is dropped.
    pub fn begin(&mut self, shape: ShapeId) {
        self.row.bytes.clear();
        self.offsets.clear();
        self.keys.clear();
        self.key_count = 0;
        if self.shape.replace(shape).is_some() {
            self.batch.values.truncate(self.mark);
        }
        self.mark = self.batch.values.len();
    }

    /// Writes the next cell. [`CellRef::Value`] is cloned; use [`RowWriter::value`] to move one in.
    pub fn cell(&mut self, cell: CellRef<'_>) {
        self.next();
        self.item(cell);
    }

    /// Begins an array of `count` items as the next cell; they follow through [`RowWriter::item`].
    pub fn array(&mut self, count: usize) {
        self.next();
        self.row.array(count);
    }

    /// Begins a reference as the next cell; the values of its keys follow through [`RowWriter::item`].
    pub fn reference(&mut self, frame: &Arc<PathFrame>) {
        self.next();
        let number = frame_number(&mut self.batch, |known| Arc::ptr_eq(known, frame), || frame.clone());
        self.row.reference(number);
    }

    /// Writes the next item of the array, or the value of the next key of the reference, begun before.
    pub fn item(&mut self, cell: CellRef<'_>) {
        match cell {
            CellRef::Value(value) => self.row.value(&mut self.batch, value.clone()),
            CellRef::Packed(packed) => self.row.value(&mut self.batch, packed.value()),
            cell => self.row.plain(cell),
        }
    }

    /// Writes the next cell from an owned value.
    pub fn value(&mut self, value: CimValue) {
        self.next();
        self.row.value(&mut self.batch, value);
    }

    fn next(&mut self) {
        self.offsets.push(self.row.bytes.len());
    }

    /// Writes the next key of the row's path, after all its cells. One equal to a cell takes two bytes.
    pub fn key(&mut self, key: KeyValue) {
        match key {
            KeyValue::Bool(value) => self.plain_key(CellRef::Bool(value)),
            KeyValue::UInt(value) => self.plain_key(CellRef::UInt(value)),
            KeyValue::SInt(value) => self.plain_key(CellRef::SInt(value)),
            KeyValue::Real(value) => self.plain_key(CellRef::Real(value)),
            KeyValue::String(text) => self.plain_key(CellRef::Text(&text)),
            KeyValue::Reference(path) => {
                let equal = self.find(|cell| match cell {
                    CellRef::Value(CimValue::Reference(value)) => *value == path,
                    CellRef::Packed(packed) => packed.is(&path),
                    _ => false,
                });
                let mut packing = Packing { bytes: std::mem::take(&mut self.keys) };
                match equal {
                    Some(at) => packing.same_as(at),
                    None => packing.value(&mut self.batch, CimValue::Reference(path)),
                }
                self.keys = packing.bytes;
                self.key_count += 1;
            }
        }
    }

    /// As [`RowWriter::key`], for a key that is text, a number or a boolean.
    pub fn plain_key(&mut self, key: CellRef<'_>) {
        let equal = self.find(|cell| is_key(cell, key));
        let mut packing = Packing { bytes: std::mem::take(&mut self.keys) };
        match equal {
            Some(at) => packing.same_as(at),
            None => packing.plain(key),
        }
        self.keys = packing.bytes;
        self.key_count += 1;
    }

    /// The cell `is_equal` takes.
    fn find(&mut self, is_equal: impl Fn(CellRef<'_>) -> bool) -> Option<usize> {
        let (bytes, batch) = (self.row.bytes.as_slice(), &self.batch);
        let fits = |at: &usize| is_equal(Reader { bytes, batch, at: *at }.cell());
        let likely = self.alike.get(self.key_count).copied();
        if let Some(likely) = likely.filter(|likely| self.offsets.get(*likely).is_some_and(fits)) {
            return Some(likely);
        }
        let found = self.offsets.iter().position(fits)?;
        if self.alike.len() <= self.key_count {
            self.alike.resize(self.key_count + 1, usize::MAX);
        }
        if let Some(alike) = self.alike.get_mut(self.key_count) {
            *alike = found;
        }
        Some(found)
    }

    /// Ends the row.
    pub fn end(&mut self) {
        let Some(shape) = self.shape.take() else { return };
        // A batch is handed on long before it holds so much.
        let Ok(offset) = u32::try_from(self.batch.bytes.len()) else { return };
        let bytes = &mut self.batch.bytes;
        put_varint(bytes, self.offsets.len() as u64);
        bytes.extend_from_slice(&self.row.bytes);
        put_varint(bytes, self.key_count as u64);
        bytes.extend_from_slice(&self.keys);
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

impl Packing {
    /// Packs a cell that owns nothing elsewhere.
    fn plain(&mut self, cell: CellRef<'_>) {
        let out = &mut self.bytes;
        match cell {
            CellRef::Absent | CellRef::Value(_) | CellRef::Packed(_) => out.push(TAG_ABSENT),
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
            CellRef::Text(text) => put_text(out, TAG_TEXT, text.as_bytes()),
            CellRef::DateTime(value) => {
                out.push(TAG_DATETIME);
                out.extend_from_slice(&value.packed());
            }
            CellRef::Untyped(text) => put_text(out, TAG_UNTYPED, text.as_bytes()),
        }
    }

    fn same_as(&mut self, cell: usize) {
        self.bytes.push(TAG_SAME_AS_COLUMN);
        put_varint(&mut self.bytes, cell as u64);
    }

    fn array(&mut self, count: usize) {
        self.bytes.push(TAG_ARRAY);
        put_varint(&mut self.bytes, count as u64);
    }

    fn reference(&mut self, frame: usize) {
        self.bytes.push(TAG_REFERENCE);
        put_varint(&mut self.bytes, frame as u64);
    }

    /// Packs a value; embedded objects go into `batch`.
    fn value(&mut self, batch: &mut RowBatch, value: CimValue) {
        match value {
            CimValue::Null => self.plain(CellRef::Null),
            CimValue::Bool(value) => self.plain(CellRef::Bool(value)),
            CimValue::UInt(value) => self.plain(CellRef::UInt(value)),
            CimValue::SInt(value) => self.plain(CellRef::SInt(value)),
            CimValue::Real(value) => self.plain(CellRef::Real(value)),
            CimValue::Char16(value) => self.plain(CellRef::Char16(value)),
            CimValue::String(text) => self.plain(CellRef::Text(&text)),
            CimValue::DateTime(value) => self.plain(CellRef::DateTime(value)),
            CimValue::Untyped(text) => self.plain(CellRef::Untyped(&text)),
            CimValue::Reference(path) if is_packable(&path) => self.path(batch, &path),
            CimValue::Array(items) if items.len() <= PACKED_ITEMS && !items.iter().any(is_array) => {
                self.array(items.len());
                items.into_iter().for_each(|item| self.value(batch, item));
            }
            CimValue::Instance(_) | CimValue::Class(_) | CimValue::Reference(_) | CimValue::Array(_) => {
                self.bytes.push(TAG_VALUE);
                put_varint(&mut self.bytes, batch.values.len() as u64);
                batch.values.push(value);
            }
        }
    }

    fn path(&mut self, batch: &mut RowBatch, path: &ObjectPath) {
        let frame = frame_number(batch, |known| known.frames(path), || Arc::new(PathFrame::of(path)));
        self.reference(frame);
        for key in &path.keys {
            match &key.value {
                KeyValue::Bool(value) => self.plain(CellRef::Bool(*value)),
                KeyValue::UInt(value) => self.plain(CellRef::UInt(*value)),
                KeyValue::SInt(value) => self.plain(CellRef::SInt(*value)),
                KeyValue::Real(value) => self.plain(CellRef::Real(*value)),
                KeyValue::String(text) => self.plain(CellRef::Text(text)),
                KeyValue::Reference(_) => self.plain(CellRef::Absent),
            }
        }
    }
}

/// The most items an array, and keys a reference, has in the packed bytes: stepping over a cell takes time with them.
pub const PACKED_ITEMS: usize = 64;

const fn is_array(value: &CimValue) -> bool {
    matches!(value, CimValue::Array(_))
}

fn is_packable(path: &ObjectPath) -> bool {
    path.keys.len() <= PACKED_ITEMS && !path.keys.iter().any(|key| matches!(key.value, KeyValue::Reference(_)))
}

/// How many frames back one is looked for: references of one column mostly have the same.
const FRAMES_LOOKED_AT: usize = 32;

/// The number of the frame in `batch` that `fits`, or of a new one.
pub(super) fn frame_number(
    batch: &mut RowBatch,
    fits: impl Fn(&Arc<PathFrame>) -> bool,
    make: impl FnOnce() -> Arc<PathFrame>,
) -> usize {
    let first = batch.frames.len().saturating_sub(FRAMES_LOOKED_AT);
    let recent = batch.frames.get(first..).unwrap_or_default();
    if let Some(found) = recent.iter().rposition(fits) {
        return first + found;
    }
    batch.frames.push(make());
    batch.frames.len() - 1
}

/// Whether a key read back from this cell would be `key`.
fn is_key(cell: CellRef<'_>, key: CellRef<'_>) -> bool {
    match (cell, key) {
        (CellRef::Text(text) | CellRef::Untyped(text), CellRef::Text(key)) => text == key,
        (CellRef::DateTime(value), CellRef::Text(key)) => value.as_str() == key,
        (CellRef::UInt(value), CellRef::UInt(key)) => value == key,
        (CellRef::SInt(value), CellRef::SInt(key)) => value == key && value < 0,
        (CellRef::SInt(value), CellRef::UInt(key)) => u64::try_from(value) == Ok(key),
        (CellRef::Bool(value), CellRef::Bool(key)) => value == key,
        (CellRef::Real(value), CellRef::Real(key)) => value.to_bits() == key.to_bits(),
        _ => false,
    }
}

pub(super) fn put_text(out: &mut Vec<u8>, tag: u8, text: &[u8]) {
    out.push(tag);
    put_varint(out, text.len() as u64);
    out.extend_from_slice(text);
}

pub(super) fn put_varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push((value as u8) | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

const fn zigzag(value: i64) -> u64 {
    ((value << 1) ^ (value >> 63)) as u64
}
