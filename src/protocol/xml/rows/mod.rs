//! Rows made of the instances of one result, whatever protocol brought them.
//!
//! Owns: the shapes rows have, gathering cells by column, and writing batches. Must not know elements, nor how shapes are
//! completed from classes; whoever does hands the completed one back ([`Rows::adopt`]).
//!
//! A class has one shape in a result, whatever the order of its properties and whichever were left out (servers do both):
//! cells are gathered by column and a column seen for the first time is appended, after which the shape is told again. Only
//! a property that changes its type makes a second shape.

mod growing;
pub mod predict;
mod slot;

use std::sync::Arc;

pub use self::slot::Slot;
use self::{
    growing::{Growing, shape_fits},
    slot::key_cell,
};
use super::{
    fault::DecodeError,
    reader::{Read, Xml},
    scalar,
};
use crate::cim::{
    CimName, CimType, CimValue, EmbeddedKind, KeyBinding, KeyValue, Namespace, ObjectPath,
    rows::{CellRef, Column, RowBatch, RowWriter, Shape, ShapeId},
};

/// The most shapes one result may have.
pub const MAX_SHAPES: usize = 4_096;
/// The most columns all its shapes may have together.
pub const MAX_COLUMNS: usize = 65_536;

/// The most columns one shape may have: reading a cell takes time with its place in the row.
pub const MAX_WIDTH: usize = 4_096;

/// What is known of the values of a column.
#[derive(Clone, Debug, Default)]
pub struct Kind {
    /// Their type; `None` while it is not known.
    pub ty: Option<CimType>,
    /// Whether they are arrays.
    pub is_array: bool,
    /// Whether their strings hold embedded objects.
    pub embedded: Option<EmbeddedKind>,
    /// The class a reference is declared to point to.
    pub reference_class: Option<CimName>,
    /// Whether the class declares a key.
    pub is_key: bool,
}

/// Rows being decoded.
#[derive(Debug, Default)]
pub struct Rows {
    writer: RowWriter,
    done: Vec<RowBatch>,
    shapes: Vec<Growing>,
    current: usize,
    slots: Vec<Slot>,
    /// Slots whose type is not the column's.
    odd: Vec<(usize, Option<CimType>, bool)>,
    /// What the row taught of columns: their shape and place, what they were, and whether that was told.
    taught: Vec<(usize, usize, Column, bool)>,
    /// Items of arrays and values of keys that slots point to.
    items: Vec<Slot>,
    scratch: String,
    columns: usize,
    count: u64,
    changes: Changes,
}

/// How far shapes are not what they were: markup foreseen before may not fit any more.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Changes {
    /// How often a column changed or a shape was adopted.
    columns: u64,
    /// Which shape a row has depends on those before it, which no markup tells.
    retyped: bool,
}

impl Rows {
    /// How many rows were decoded in all.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// Rows and the shapes they need, taken out. Shapes that grew are told again.
    pub fn take(&mut self) -> (Vec<(ShapeId, Arc<Shape>)>, Vec<RowBatch>) {
        self.untaught();
        let mut shapes = Vec::new();
        for (id, growing) in self.shapes.iter_mut().enumerate().filter(|(_, growing)| !growing.is_told) {
            growing.is_told = true;
            shapes.push((ShapeId(id as u32), Arc::new(growing.shape.clone())));
        }
        let mut rows = std::mem::take(&mut self.done);
        if !self.writer.is_empty() {
            rows.push(self.writer.take());
        }
        (shapes, rows)
    }

    /// Takes over `shape`, which was completed from its class; it counts as told.
    pub fn adopt(&mut self, id: ShapeId, shape: Shape) {
        let Some(growing) = self.shapes.get_mut(id.0 as usize) else { return };
        let first = growing.shape.columns.len();
        let mut shape = shape;
        let appended = shape.columns.split_off(first.min(shape.columns.len()));
        growing.shape = shape;
        for column in appended {
            self.columns += 1;
            growing.push(column);
        }
        growing.is_told = true;
        self.changes.columns += 1;
    }

    /// Writes a row of nothing but a path, whose keys become its columns.
    pub fn name(&mut self, xml: &Xml<'_>, path: ObjectPath, namespace: Option<&Namespace>) -> Read<()> {
        self.begin(xml, path.class.as_str(), Some(&path), namespace)?;
        let mut last = 0;
        for key in &path.keys {
            let (ty, cell) = key_cell(&key.value);
            let name = if key.name.as_str().is_empty() { "Key" } else { key.name.as_str() };
            let place = self.place(xml, last, name, Kind { ty: Some(ty), ..Kind::default() })?;
            if let Some(column) = self.shapes.get_mut(self.current).and_then(|it| it.shape.columns.get_mut(place)) {
                column.is_key = true;
                // A path tells that a key is a number, not of which type.
                column.ty = column.ty.filter(|ty| !ty.is_numeric());
            }
            self.put(place, cell);
            last = place + 1;
        }
        self.odd.clear();
        self.end(xml, path.keys)
    }

    /// Begins a row: finds or makes its shape.
    ///
    /// # Errors
    /// There are too many shapes.
    pub fn begin(
        &mut self,
        xml: &Xml<'_>,
        class: &str,
        path: Option<&ObjectPath>,
        namespace: Option<&Namespace>,
    ) -> Read<()> {
        self.untaught();
        self.slots.clear();
        self.odd.clear();
        self.scratch.clear();
        let fits = |it: &Growing| shape_fits(&it.shape, class, path, namespace);
        if self.shapes.get(self.current).is_some_and(fits) {
            return Ok(());
        }
        if let Some(known) = self.shapes.iter().position(fits) {
            self.current = known;
            return Ok(());
        }
        let shape = Shape {
            class: CimName::new(class),
            namespace: path.and_then(|path| path.namespace.as_ref()).or(namespace.filter(|_| path.is_some())).cloned(),
            host: path.and_then(|path| path.host.clone()),
            columns: Vec::new(),
            path_keys: path.map(|path| path.keys.iter().map(|key| key.name.clone()).collect()).unwrap_or_default(),
        };
        self.add_shape(shape).map_err(|message| DecodeError::limit(xml.offset(), "shapes", message))
    }

    fn add_shape(&mut self, shape: Shape) -> Result<(), String> {
        if self.shapes.len() >= MAX_SHAPES {
            return Err(format!("the rows have more than {MAX_SHAPES} shapes"));
        }
        self.columns += shape.columns.len() + shape.path_keys.len();
        if self.columns > MAX_COLUMNS {
            return Err(format!("the rows have more than {MAX_COLUMNS} columns"));
        }
        self.current = self.shapes.len();
        self.shapes.push(Growing::new(shape));
        Ok(())
    }

    /// The slot of `text`, which is `cell` as a value of `ty`; untyped text, and a warning, where it is none.
    pub fn scalar(&mut self, xml: &mut Xml<'_>, ty: CimType, text: &str, cell: Option<CellRef<'_>>) -> Slot {
        if let Some(slot) = cell.and_then(Slot::scalar) {
            return slot;
        }
        let untyped = cell.is_none();
        if untyped {
            xml.warn(|| scalar::odd(ty, text));
        }
        self.text(xml, text, untyped)
    }

    /// The slot of a text, untyped or a string.
    pub fn text(&mut self, xml: &Xml<'_>, text: &str, untyped: bool) -> Slot {
        match xml.position_of(text) {
            Some(at) => Slot::Text { at, len: text.len(), cooked: false, untyped },
            None => {
                let at = self.scratch.len();
                self.scratch.push_str(text);
                Slot::Text { at, len: text.len(), cooked: true, untyped }
            }
        }
    }

    /// The column of a property whose type was sent, made if there is none; remembers where the type differs.
    pub fn place(&mut self, xml: &Xml<'_>, last: usize, name: &str, kind: Kind) -> Read<usize> {
        let Some(place) = self.find(last, name) else { return self.append(xml, last, name, kind) };
        let Some(growing) = self.shapes.get_mut(self.current) else { return Ok(place) };
        if let Some(column) = growing.shape.columns.get_mut(place) {
            if column.ty != kind.ty || column.is_array != kind.is_array {
                self.odd.push((place, kind.ty, kind.is_array));
            }
            if column.embedded.is_none() && kind.embedded.is_some() {
                column.embedded = kind.embedded;
                growing.is_told = false;
                self.changes.columns += 1;
            }
        }
        Ok(place)
    }

    /// The column called `name`, guessing that it follows the one before `last`.
    pub fn find(&mut self, last: usize, name: &str) -> Option<usize> {
        self.shapes.get_mut(self.current)?.place(last, name)
    }

    /// The column called `name` of the row's shape, wherever it is.
    pub fn known(&self, name: &str) -> Option<usize> {
        self.shapes.get(self.current)?.known(name)
    }

    /// Appends a column, which follows the one before `last`.
    ///
    /// # Errors
    /// There are too many.
    pub fn append(&mut self, xml: &Xml<'_>, last: usize, name: &str, kind: Kind) -> Read<usize> {
        let Some(growing) = self.shapes.get_mut(self.current) else { return Err(xml.error("a row without shape")) };
        if growing.shape.columns.len() >= MAX_WIDTH {
            let message = format!("an instance has more than {MAX_WIDTH} properties");
            return Err(DecodeError::limit(xml.offset(), "shapes", message));
        }
        self.columns += 1;
        if self.columns > MAX_COLUMNS {
            let message = format!("the rows have more than {MAX_COLUMNS} columns");
            return Err(DecodeError::limit(xml.offset(), "shapes", message));
        }
        let Kind { ty, is_array, embedded, reference_class, is_key } = kind;
        let column = Column { name: CimName::new(name), ty, is_array, embedded, reference_class, is_key };
        let place = growing.push(column);
        if let Some(after) = growing.after.get_mut(last) {
            *after = place;
        }
        Ok(place)
    }

    /// A column of the row's shape.
    pub fn column(&self, place: usize) -> Option<&Column> {
        self.shapes.get(self.current)?.shape.columns.get(place)
    }

    /// The shape of the row, and its number.
    pub fn shape(&self) -> Option<(usize, &Shape)> {
        Some((self.current, &self.shapes.get(self.current)?.shape))
    }

    /// Takes in what a value tells of a column whose type is not known; the shape is told again where that is new.
    pub fn learn(&mut self, place: usize, ty: Option<CimType>, is_array: bool, embedded: Option<EmbeddedKind>) {
        let Some(growing) = self.shapes.get_mut(self.current) else { return };
        let Some(column) = growing.shape.columns.get_mut(place) else { return };
        let known = (column.ty.or(ty), column.is_array || is_array, column.embedded.or(embedded));
        if (column.ty, column.is_array, column.embedded) != known {
            self.taught.push((self.current, place, column.clone(), growing.is_told));
            (column.ty, column.is_array, column.embedded) = known;
            growing.is_told = false;
            self.changes.columns += 1;
        }
    }

    /// Takes back what a row taught that was not read to its end: the rows before it came without.
    fn untaught(&mut self) {
        while let Some((shape, place, was, was_told)) = self.taught.pop() {
            let Some(growing) = self.shapes.get_mut(shape) else { continue };
            if let Some(column) = growing.shape.columns.get_mut(place) {
                *column = was;
                growing.is_told = was_told;
                self.changes.columns += 1;
            }
        }
    }

    /// Whether the row has a cell for a column already.
    pub fn has(&self, place: usize) -> bool {
        self.slots.get(place).is_some_and(|slot| !matches!(slot, Slot::Absent))
    }

    /// Adds `slot` to the array in a column, which becomes one if it is none; the item read is `item`.
    pub fn add(&mut self, place: usize, slot: Slot, item: &str) {
        let added = slot.into_value(item, &self.scratch);
        let Some(at) = self.slots.get_mut(place) else {
            return self.put(place, Slot::Value(CimValue::Array(vec![added])));
        };
        match std::mem::replace(at, Slot::Absent) {
            Slot::Absent => *at = Slot::Value(CimValue::Array(vec![added])),
            Slot::Value(CimValue::Array(mut items)) => {
                items.push(added);
                *at = Slot::Value(CimValue::Array(items));
            }
            first => *at = Slot::Value(CimValue::Array(vec![first.into_value(item, &self.scratch), added])),
        }
    }

    /// The value of a column of the row, as a key; `None` where it has none.
    pub fn key(&self, place: usize, item: &str) -> Option<KeyValue> {
        match self.slots.get(place)? {
            Slot::Value(value) => KeyValue::of(value),
            slot => KeyValue::of(&slot.cell(item, &self.scratch).to_value()?),
        }
    }

    /// Puts the cell of a column.
    pub fn put(&mut self, place: usize, slot: Slot) {
        while self.slots.len() <= place {
            self.slots.push(Slot::Absent);
        }
        if let Some(at) = self.slots.get_mut(place) {
            *at = slot;
        }
    }

    /// Writes the row gathered from the item `xml` reads.
    ///
    /// # Errors
    /// There are too many shapes.
    pub fn end(&mut self, xml: &Xml<'_>, keys: Vec<KeyBinding>) -> Read<()> {
        self.write(xml.text(), keys).map_err(|message| DecodeError::limit(xml.offset(), "shapes", message))
    }

    fn write(&mut self, item: &str, keys: Vec<KeyBinding>) -> Result<(), String> {
        if !self.odd.is_empty() {
            self.retype()?;
        }
        self.write_cells(item);
        for key in keys {
            self.writer.key(key.value);
        }
        self.written();
        Ok(())
    }

    /// Begins a row and writes its cells.
    fn write_cells(&mut self, item: &str) {
        let Self { writer, slots, items, scratch, .. } = self;
        writer.begin(ShapeId(self.current as u32));
        for slot in slots.drain(..) {
            match slot {
                Slot::Value(value) => writer.value(value),
                Slot::Array { from, count } => {
                    writer.array(count);
                    let items = items.get(from..from + count).unwrap_or_default();
                    items.iter().for_each(|slot| writer.item(slot.cell(item, scratch)));
                }
                Slot::Reference { frame, from } => {
                    writer.reference(&frame);
                    let keys = items.get(from..from + frame.keys.len()).unwrap_or_default();
                    keys.iter().for_each(|slot| writer.item(slot.cell(item, scratch)));
                }
                slot => writer.cell(slot.cell(item, scratch)),
            }
        }
    }

    /// Ends a row.
    fn written(&mut self) {
        self.writer.end();
        self.taught.clear();
        self.count += 1;
        if self.writer.is_full() {
            self.done.push(self.writer.take());
        }
    }

    /// Moves to the shape that has the types this row came with.
    fn retype(&mut self) -> Result<(), String> {
        self.changes.retyped = true;
        let Some(growing) = self.shapes.get(self.current) else { return Ok(()) };
        let mut wanted = growing.shape.clone();
        for (place, ty, is_array) in self.odd.drain(..) {
            if let Some(column) = wanted.columns.get_mut(place) {
                (column.ty, column.is_array) = (ty, is_array);
            }
        }
        let same = |it: &Growing| {
            it.shape.class == wanted.class
                && it.shape.namespace == wanted.namespace
                && it.shape.host == wanted.host
                && it.shape.path_keys == wanted.path_keys
                && it.shape.columns.len() >= wanted.columns.len()
                && it
                    .shape
                    .columns
                    .iter()
                    .zip(&wanted.columns)
                    .all(|(a, b)| a.name == b.name && a.ty == b.ty && a.is_array == b.is_array)
        };
        match self.shapes.iter().position(same) {
            Some(known) => {
                self.current = known;
                Ok(())
            }
            None => self.add_shape(wanted),
        }
    }
}
