//! Batches of packed rows.
//!
//! Owns: how a cell lies in memory and how it is read back. Must not know shapes beyond their ids.
//!
//! ```text
//! row:   count of cells, cells, count of keys, keys     cell: tag, bytes     key: as a cell, or the number of an equal cell
//! array: count, items as cells     reference: number of its frame, values of its keys as cells
//! ```

use std::sync::Arc;

use super::{CellRef, ShapeId};
use crate::cim::{CimDateTime, CimName, CimValue, KeyBinding, KeyValue, Namespace, ObjectPath, Qualifier};

/// Rows on their way from a decoder to whoever keeps or prints them.
#[derive(Clone, Debug, Default)]
pub struct RowBatch {
    pub(super) bytes: Vec<u8>,
    /// Embedded objects.
    pub(super) values: Vec<CimValue>,
    pub(super) frames: Vec<Arc<PathFrame>>,
    pub(super) rows: Vec<RowHead>,
}

/// A path without the values of its keys: what the references in one column have in common.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PathFrame {
    /// The host, if the paths name one.
    pub host: Option<String>,
    /// The namespace, if they name one.
    pub namespace: Option<Namespace>,
    /// The class.
    pub class: CimName,
    /// The names of the keys, in the order written.
    pub keys: Vec<CimName>,
}

impl PathFrame {
    /// The frame of `path`.
    pub fn of(path: &ObjectPath) -> Self {
        Self {
            host: path.host.clone(),
            namespace: path.namespace.clone(),
            class: path.class.clone(),
            keys: path.keys.iter().map(|key| key.name.clone()).collect(),
        }
    }

    /// Memory it holds, in bytes, roughly.
    pub(super) fn size(&self) -> usize {
        size_of::<Self>() + self.keys.len() * 48
    }

    /// Whether this is the frame of `path`, in the case it is written in.
    pub(super) fn frames(&self, path: &ObjectPath) -> bool {
        self.class.as_str() == path.class.as_str()
            && self.host == path.host
            && self.namespace.as_ref().map(Namespace::as_str) == path.namespace.as_ref().map(Namespace::as_str)
            && self.keys.len() == path.keys.len()
            && self.keys.iter().zip(&path.keys).all(|(name, key)| name.as_str() == key.name.as_str())
    }
}

/// Where a row begins in the bytes of its batch, and its shape.
#[derive(Clone, Copy, Debug)]
pub(super) struct RowHead {
    pub(super) offset: u32,
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
pub(super) const TAG_ARRAY: u8 = 13;
pub(super) const TAG_REFERENCE: u8 = 14;
/// A text that stands before it: where its length begins in the bytes of the batch.
pub(super) const TAG_TEXT_BEFORE: u8 = 15;

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
            self.bytes.truncate(first.offset as usize);
        }
        self.rows.truncate(len);
    }

    /// Keeps the rows whose shape `keep` takes.
    pub fn retain(&mut self, mut keep: impl FnMut(ShapeId) -> bool) {
        self.rows.retain(|row| keep(row.shape));
    }

    /// Keeps the rows whose position `keep` takes.
    pub fn retain_at(&mut self, mut keep: impl FnMut(usize) -> bool) {
        let mut positions = 0..;
        self.rows.retain(|_| positions.next().is_some_and(&mut keep));
    }

    /// Gives the rows of shape `n` the shape `shapes[n]`; rows of another shape get one that no result has.
    pub fn renumber(&mut self, shapes: &[ShapeId]) {
        let known = |shape: ShapeId| shapes.get(shape.0 as usize).copied();
        self.rows.iter_mut().for_each(|row| row.shape = known(row.shape).unwrap_or(ShapeId(u32::MAX)));
    }

    /// Adds `by` to the shape ids of all rows: for a result put together from two answers.
    pub fn shift_shapes(&mut self, by: u32) {
        self.rows.iter_mut().for_each(|row| row.shape.0 = row.shape.0.saturating_add(by));
    }

    /// Memory held, in bytes, not counting what values own on the heap beyond a flat estimate.
    pub fn size(&self) -> usize {
        let values = self.values.iter().map(value_size).sum::<usize>();
        let frames = self.frames.iter().map(|frame| frame.size()).sum::<usize>();
        self.bytes.len() + values + frames + self.rows.len() * size_of::<RowHead>()
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

    pub(super) fn reader(&self, row: usize) -> Option<Reader<'_>> {
        self.rows.get(row).map(|head| Reader { bytes: &self.bytes, batch: self, at: head.offset as usize })
    }
}

/// An array or a reference, as it lies in memory.
#[derive(Clone, Copy)]
pub struct Packed<'a>(Reader<'a>);

impl Packed<'_> {
    /// The value.
    pub fn value(mut self) -> CimValue {
        self.0.value()
    }

    /// Whether it is a reference to `path`.
    pub(super) fn is(self, path: &ObjectPath) -> bool {
        matches!(self.value(), CimValue::Reference(own) if *own == *path)
    }
}

impl PartialEq for Packed<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.value() == other.value()
    }
}

impl std::fmt::Debug for Packed<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.value().fmt(f)
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
        CellRef::Value(value) => KeyValue::of(value)?,
        CellRef::Packed(packed) => KeyValue::of(&packed.value())?,
        CellRef::Absent | CellRef::Null | CellRef::Char16(_) => return None,
    })
}

const fn unzigzag(value: u64) -> i64 {
    ((value >> 1) as i64) ^ -((value & 1) as i64)
}

/// Reads what a writer packed. Offsets come from writers of this folder alone, so they fit.
#[derive(Clone, Copy)]
pub(super) struct Reader<'a> {
    pub(super) bytes: &'a [u8],
    pub(super) batch: &'a RowBatch,
    pub(super) at: usize,
}

impl<'a> Reader<'a> {
    pub(super) fn tag(&mut self) -> u8 {
        let tag = self.bytes[self.at];
        self.at += 1;
        tag
    }

    pub(super) fn varint(&mut self) -> u64 {
        let (mut value, mut shift) = (0, 0);
        loop {
            let byte = self.tag();
            value |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return value;
            }
            shift += 7;
        }
    }

    fn array<const N: usize>(&mut self) -> [u8; N] {
        let mut out = [0; N];
        out.copy_from_slice(&self.bytes[self.at..self.at + N]);
        self.at += N;
        out
    }

    /// The bytes of a text, after its tag.
    pub(super) fn text_bytes(&mut self) -> &'a [u8] {
        let len = self.varint() as usize;
        let slice = &self.bytes[self.at..self.at + len];
        self.at += len;
        slice
    }

    fn text(&mut self) -> &'a str {
        std::str::from_utf8(self.text_bytes()).unwrap_or_default()
    }

    fn text_before(&mut self) -> &'a str {
        let at = self.varint() as usize;
        Reader { at, ..*self }.text()
    }

    pub(super) fn cell(&mut self) -> CellRef<'a> {
        let begin = self.at;
        match self.tag() {
            TAG_FALSE => CellRef::Bool(false),
            TAG_TRUE => CellRef::Bool(true),
            TAG_UINT => CellRef::UInt(self.varint()),
            TAG_SINT => CellRef::SInt(unzigzag(self.varint())),
            TAG_REAL => CellRef::Real(f64::from_le_bytes(self.array())),
            TAG_CHAR16 => CellRef::Char16(u16::from_le_bytes(self.array())),
            TAG_TEXT => CellRef::Text(self.text()),
            TAG_TEXT_BEFORE => CellRef::Text(self.text_before()),
            TAG_DATETIME => CellRef::DateTime(CimDateTime::from_packed(self.array())),
            TAG_VALUE => {
                let at = self.varint() as usize;
                CellRef::Value(&self.batch.values[at])
            }
            TAG_UNTYPED => CellRef::Untyped(self.text()),
            TAG_ARRAY | TAG_REFERENCE => {
                self.at = begin;
                self.skip();
                CellRef::Packed(Packed(Reader { at: begin, ..*self }))
            }
            TAG_NULL => CellRef::Null,
            _ => CellRef::Absent,
        }
    }

    /// The next cell as a value; NULL for an absent one.
    fn value(&mut self) -> CimValue {
        match self.bytes[self.at] {
            TAG_ARRAY => {
                self.at += 1;
                let count = self.varint();
                CimValue::Array((0..count).map(|_| self.value()).collect())
            }
            TAG_REFERENCE => {
                self.at += 1;
                let number = self.varint() as usize;
                let frame = &self.batch.frames[number];
                let keys = frame.keys.iter().map(|name| KeyBinding { name: name.clone(), value: self.key_value() });
                let keys = keys.collect();
                let (host, namespace, class) = (frame.host.clone(), frame.namespace.clone(), frame.class.clone());
                CimValue::Reference(Box::new(ObjectPath { host, namespace, class, keys }))
            }
            _ => self.cell().to_value().unwrap_or(CimValue::Null),
        }
    }

    fn key_value(&mut self) -> KeyValue {
        key_of(self.cell()).unwrap_or(KeyValue::String(Box::from("")))
    }

    /// Steps over a cell.
    pub(super) fn skip(&mut self) {
        match self.tag() {
            TAG_UINT | TAG_SINT | TAG_VALUE | TAG_TEXT_BEFORE => {
                self.varint();
            }
            TAG_REAL => self.at += 8,
            TAG_CHAR16 => self.at += 2,
            TAG_DATETIME => self.at += 12,
            TAG_TEXT | TAG_UNTYPED => {
                let len = self.varint() as usize;
                self.at += len;
            }
            TAG_ARRAY => (0..self.varint()).for_each(|_| self.skip()),
            TAG_REFERENCE => {
                let frame = self.varint() as usize;
                let keys = self.batch.frames[frame].keys.len();
                (0..keys).for_each(|_| self.skip());
            }
            _ => {}
        }
    }

    fn key(&mut self, cells: &[CellRef<'a>]) -> KeyValue {
        if self.bytes[self.at] == TAG_SAME_AS_COLUMN {
            self.at += 1;
            let at = self.varint() as usize;
            return key_of(cells[at]).unwrap_or(KeyValue::String(Box::from("")));
        }
        self.key_value()
    }
}
