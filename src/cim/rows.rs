//! Rows of a result: how instances are kept in bulk.
//!
//! Owns: the storage. Rows arrive as [`RowBatch`]es written by a decoder through [`RowWriter`], are appended to a
//! [`RowStore`] and never move again; everybody reads through [`RowStore::cell`] and [`CellRef`]. A row is packed:
//! a tag byte and the value's bytes for each cell, so storage can be replaced in this file alone.
//! Must not know who draws rows or where they came from.
//!
//! ```text
//! decoder -> RowWriter -> RowBatch -> (bounded channel) -> RowStore -> cell(row, column) -> CellRef
//! ```

use std::sync::Arc;

use super::{
    CimClass, CimDateTime, CimInstance, CimName, CimType, CimValue, EmbeddedKind, InstanceProperty, KeyBinding,
    KeyValue, Namespace, ObjectPath, TypedValue,
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
        for property in &class.properties {
            match self.position(&property.name) {
                Some(at) => {
                    let column = &mut self.columns[at];
                    column.is_key |= property.is_key();
                    column.embedded = column.embedded.or_else(|| property.embedded());
                    column.reference_class = column.reference_class.take().or_else(|| property.reference_class.clone());
                    if column.ty.is_none() {
                        column.ty = Some(property.ty);
                        column.is_array = property.is_array;
                    }
                }
                None if wanted.is_none_or(|wanted| wanted.contains(&property.name)) => self.columns.push(Column {
                    name: property.name.clone(),
                    ty: Some(property.ty),
                    is_array: property.is_array,
                    embedded: property.embedded(),
                    reference_class: property.reference_class.clone(),
                    is_key: property.is_key(),
                }),
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
    /// A reference, an embedded instance or class, or an array.
    Value(&'a CimValue),
    /// Text whose type is not known.
    Untyped(&'a str),
}

impl CellRef<'_> {
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
            Self::Untyped(text) => CimValue::Untyped(Box::from(text)),
        })
    }
}

/// Rows on their way from a decoder to whoever keeps or prints them.
#[derive(Clone, Debug, Default)]
pub struct RowBatch {
    bytes: Vec<u8>,
    values: Vec<CimValue>,
    rows: Vec<RowHead>,
}

#[derive(Clone, Copy, Debug)]
struct RowHead {
    offset: u32,
    shape: ShapeId,
}

const TAG_NULL: u8 = 0;
const TAG_ABSENT: u8 = 1;
const TAG_FALSE: u8 = 2;
const TAG_TRUE: u8 = 3;
const TAG_UINT: u8 = 4;
const TAG_SINT: u8 = 5;
const TAG_REAL: u8 = 6;
const TAG_CHAR16: u8 = 7;
const TAG_TEXT: u8 = 8;
const TAG_DATETIME: u8 = 9;
const TAG_VALUE: u8 = 10;
const TAG_UNTYPED: u8 = 11;
const TAG_SAME_AS_COLUMN: u8 = 12;

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
        self.rows.truncate(len);
    }

    /// Keeps the rows whose shape `keep` takes.
    pub fn retain(&mut self, mut keep: impl FnMut(ShapeId) -> bool) {
        self.rows.retain(|row| keep(row.shape));
    }

    /// Adds `by` to the shape ids of all rows: for a result put together from two answers.
    pub fn shift_shapes(&mut self, by: u32) {
        if by > 0 {
            self.rows.iter_mut().for_each(|row| row.shape.0 += by);
        }
    }

    /// Memory held, in bytes, not counting what values own on the heap beyond a flat estimate.
    pub fn size(&self) -> usize {
        self.bytes.len() + self.values.iter().map(value_size).sum::<usize>() + self.rows.len() * size_of::<RowHead>()
    }

    /// The shape of row `row`.
    pub fn shape(&self, row: usize) -> ShapeId {
        self.rows[row].shape
    }

    /// The cell of `row` in the column at `position` of its shape.
    pub fn cell(&self, row: usize, position: usize) -> CellRef<'_> {
        let mut reader = self.reader(row);
        let cells = reader.varint() as usize;
        if position >= cells {
            return CellRef::Absent;
        }
        for _ in 0..position {
            reader.cell();
        }
        reader.cell()
    }

    /// The values of the path's keys of `row`, in the order of its shape's `path_keys`; empty if it has no path.
    pub fn keys(&self, row: usize) -> Vec<KeyValue> {
        let mut reader = self.reader(row);
        let cells = reader.varint() as usize;
        let read = (0..cells).map(|_| reader.cell()).collect::<Vec<_>>();
        (0..reader.varint()).map(|_| reader.key(&read)).collect()
    }

    fn reader(&self, row: usize) -> Reader<'_> {
        Reader { batch: self, at: self.rows[row].offset as usize }
    }
}

fn value_size(value: &CimValue) -> usize {
    size_of::<CimValue>()
        + match value {
            CimValue::String(text) | CimValue::Untyped(text) => text.len(),
            CimValue::Array(items) => items.iter().map(value_size).sum(),
            CimValue::Reference(path) => 64 + path.keys.len() * 64,
            CimValue::Instance(instance) => {
                128 + instance.properties.iter().map(|property| 64 + value_size(&property.value.value)).sum::<usize>()
            }
            CimValue::Class(class) => 1024 + class.properties.len() * 256,
            _ => 0,
        }
}

/// Writes rows into a [`RowBatch`]: begin, cells in the shape's order, keys, end.
#[derive(Debug, Default)]
pub struct RowWriter {
    batch: RowBatch,
    cells: Vec<u8>,
    count: u64,
    keys: Vec<KeyValue>,
    shape: Option<ShapeId>,
}

impl RowWriter {
    /// Begins a row of `shape`; an unfinished one before it is dropped.
    pub fn begin(&mut self, shape: ShapeId) {
        self.cells.clear();
        self.keys.clear();
        self.count = 0;
        self.shape = Some(shape);
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
        let offset = self.batch.bytes.len() as u32;
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
            match read.iter().position(|cell| key_of(*cell).as_ref() == Some(&key)) {
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

/// The key value a path would hold for a property with this cell.
fn key_of(cell: CellRef<'_>) -> Option<KeyValue> {
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

const fn unzigzag(value: u64) -> i64 {
    ((value >> 1) as i64) ^ -((value & 1) as i64)
}

struct Reader<'a> {
    batch: &'a RowBatch,
    at: usize,
}

impl<'a> Reader<'a> {
    fn varint(&mut self) -> u64 {
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

    fn cell(&mut self) -> CellRef<'a> {
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

    fn key(&mut self, cells: &[CellRef<'a>]) -> KeyValue {
        if self.batch.bytes[self.at] == TAG_SAME_AS_COLUMN {
            self.at += 1;
            let at = self.varint() as usize;
            return key_of(cells[at]).unwrap_or(KeyValue::String(Box::from("")));
        }
        key_of(self.cell()).unwrap_or(KeyValue::String(Box::from("")))
    }
}

/// A column of the whole result: the union of its shapes' columns, by name.
#[derive(Clone, Debug, PartialEq)]
pub struct UnionColumn {
    /// The column as the first shape that has it declares it; a key if any shape says so.
    pub column: Column,
}

/// All rows kept of one result.
#[derive(Debug, Default)]
pub struct RowStore {
    shapes: Vec<Arc<Shape>>,
    columns: Vec<UnionColumn>,
    /// For each shape, for each union column: the position in the shape, or `u32::MAX`.
    positions: Vec<Vec<u32>>,
    batches: Vec<RowBatch>,
    /// For each batch, the number of the first row in it.
    starts: Vec<usize>,
    len: usize,
    size: usize,
}

const NO_POSITION: u32 = u32::MAX;

impl RowStore {
    /// Adds the shape of rows to come. A shape sent again under the same id replaces the first (it may name more columns).
    pub fn add_shape(&mut self, id: ShapeId, shape: Arc<Shape>) {
        let at = id.0 as usize;
        for column in &shape.columns {
            match self.columns.iter_mut().find(|known| known.column.name == column.name) {
                Some(known) => known.column.is_key |= column.is_key,
                None => self.columns.push(UnionColumn { column: column.clone() }),
            }
        }
        if at < self.shapes.len() {
            self.shapes[at] = shape;
        } else if at == self.shapes.len() {
            self.shapes.push(shape);
            self.positions.push(Vec::new());
        } else {
            return;
        }
        // Older shapes lack the new columns by definition (a read past their list is Absent); only this one is mapped anew.
        let shape = &self.shapes[at];
        self.positions[at] = self
            .columns
            .iter()
            .map(|union| shape.position(&union.column.name).map_or(NO_POSITION, |at| at as u32))
            .collect();
    }

    /// Appends a batch. Rows of a shape that was never added are dropped; the number dropped is returned.
    pub fn push(&mut self, batch: RowBatch) -> usize {
        let known = batch.rows.iter().filter(|row| (row.shape.0 as usize) < self.shapes.len()).count();
        let dropped = batch.rows.len() - known;
        if known == 0 {
            return dropped;
        }
        let mut batch = batch;
        if dropped > 0 {
            let shapes = self.shapes.len();
            batch.rows.retain(|row| (row.shape.0 as usize) < shapes);
        }
        batch.bytes.shrink_to_fit();
        batch.rows.shrink_to_fit();
        self.size += batch.size();
        self.starts.push(self.len);
        self.len += batch.rows.len();
        self.batches.push(batch);
        dropped
    }

    /// How many rows are kept.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there is no row.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Memory kept for the rows, in bytes.
    pub fn size(&self) -> usize {
        self.size
    }

    /// The union of the columns of all shapes, in the order they became known.
    pub fn columns(&self) -> &[UnionColumn] {
        &self.columns
    }

    /// The shapes, by id.
    pub fn shapes(&self) -> &[Arc<Shape>] {
        &self.shapes
    }

    fn find(&self, row: usize) -> Option<(&RowBatch, usize)> {
        if row >= self.len {
            return None;
        }
        let at = self.starts.partition_point(|start| *start <= row) - 1;
        Some((&self.batches[at], row - self.starts[at]))
    }

    /// The shape of `row`.
    pub fn shape_of(&self, row: usize) -> Option<&Arc<Shape>> {
        self.find(row).and_then(|(batch, at)| self.shapes.get(batch.shape(at).0 as usize))
    }

    /// The cell of `row` in the union column `column`; absent where either does not exist.
    pub fn cell(&self, row: usize, column: usize) -> CellRef<'_> {
        let Some((batch, at)) = self.find(row) else { return CellRef::Absent };
        match self.positions[batch.shape(at).0 as usize].get(column) {
            Some(&position) if position != NO_POSITION => batch.cell(at, position as usize),
            _ => CellRef::Absent,
        }
    }

    /// The path of `row`, if its rows have one.
    pub fn path(&self, row: usize) -> Option<ObjectPath> {
        let (batch, at) = self.find(row)?;
        path_of(self.shapes.get(batch.shape(at).0 as usize)?, batch, at)
    }

    /// The whole instance at `row`. Absent properties are left out.
    pub fn instance(&self, row: usize) -> Option<CimInstance> {
        let (batch, at) = self.find(row)?;
        Some(instance_of(self.shapes.get(batch.shape(at).0 as usize)?, batch, at))
    }
}

/// The path of row `row` of `batch`, whose shape is `shape`.
pub fn path_of(shape: &Shape, batch: &RowBatch, row: usize) -> Option<ObjectPath> {
    shape.namespace.as_ref()?;
    let keys =
        shape.path_keys.iter().cloned().zip(batch.keys(row)).map(|(name, value)| KeyBinding { name, value }).collect();
    Some(ObjectPath { host: shape.host.clone(), namespace: shape.namespace.clone(), class: shape.class.clone(), keys })
}

/// Row `row` of `batch`, whose shape is `shape`, as an instance. Absent properties are left out.
pub fn instance_of(shape: &Shape, batch: &RowBatch, row: usize) -> CimInstance {
    let properties = shape.columns.iter().enumerate().filter_map(|(at, column)| {
        Some(InstanceProperty {
            name: column.name.clone(),
            value: TypedValue {
                ty: column.ty.unwrap_or(CimType::String),
                is_array: column.is_array,
                value: batch.cell(row, at).to_value()?,
            },
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
