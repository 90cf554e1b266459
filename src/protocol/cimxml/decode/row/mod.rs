//! Instances as CIM-XML writes them, made rows.
//!
//! Owns: INSTANCE with PROPERTY, PROPERTY.ARRAY and PROPERTY.REFERENCE, and the shapes rows have. Must not know how shapes
//! are completed from classes; whoever does hands the completed one back ([`Rows::adopt`]).
//!
//! A class has one shape in a result, whatever the order of its properties and whichever were left out (servers do both):
//! cells are gathered by column and a column seen for the first time is appended, after which the shape is told again. Only
//! a property that changes its type makes a second shape.

mod growing;
mod learn;
mod predict;
mod slot;
#[cfg(test)]
mod tests;

use std::{borrow::Cow, sync::Arc};

use quick_xml::events::BytesStart;

pub use self::predict::Outcome;
use self::{
    growing::{Growing, shape_fits},
    predict::Predictor,
    slot::{Slot, key_cell},
};
use super::{
    value,
    value::Declared,
    xml::{Read, Xml},
};
use crate::{
    cim::{
        CimInstance, CimName, CimType, CimValue, EmbeddedKind, InstanceProperty, Namespace, ObjectPath, TypedValue,
        rows::{CellRef, Column, RowBatch, RowWriter, Shape, ShapeId},
    },
    protocol::cimxml::framer::DecodeError,
};

/// The most shapes one result may have.
pub const MAX_SHAPES: usize = 4_096;
/// The most columns all its shapes may have together.
pub const MAX_COLUMNS: usize = 65_536;

/// The most columns one shape may have: reading a cell takes time with its place in the row.
pub const MAX_WIDTH: usize = 4_096;

/// What the attributes of a property say. The name borrows from the tag.
struct Head<'t> {
    name: Cow<'t, str>,
    ty: Option<CimType>,
    is_array: bool,
    embedded: Option<EmbeddedKind>,
    reference_class: Option<CimName>,
}

fn head<'t>(xml: &Xml<'_>, tag: &'t BytesStart<'_>) -> Read<Head<'t>> {
    let element = tag.name();
    let element = element.as_ref();
    let mut head = Head {
        name: Cow::Borrowed(""),
        ty: (element == "PROPERTY.REFERENCE").then_some(CimType::Reference),
        is_array: element == "PROPERTY.ARRAY",
        embedded: None,
        reference_class: None,
    };
    for attribute in tag.attributes().with_checks(false) {
        let attribute = attribute.map_err(|error| xml.error(format!("ill-formed attribute: {error}")))?;
        let key: &str = attribute.key.as_ref();
        match key {
            "NAME" => {
                xml.check_name(&attribute.value)?;
                head.name = xml.attribute_value(attribute.value)?;
            }
            "TYPE" if head.ty.is_none() => head.ty = CimType::from_keyword(&attribute.value),
            "REFERENCECLASS" => {
                let class = xml.attribute_value(attribute.value)?;
                xml.check_name(&class)?;
                head.reference_class = Some(CimName::new(&class)).filter(|class| !class.as_str().is_empty());
            }
            _ if key.eq_ignore_ascii_case("EmbeddedObject") => {
                head.embedded = value::embedded_kind(&attribute.value).or(head.embedded);
            }
            _ => {}
        }
    }
    if head.name.is_empty() {
        return Err(xml.error(format!("{element} without NAME")));
    }
    Ok(head)
}

/// The instance `tag` began, up to its end, as a value of its own.
pub fn instance(xml: &mut Xml<'_>, tag: &BytesStart<'_>) -> Read<CimInstance> {
    let mut instance =
        CimInstance { class: xml.name(tag, "CLASSNAME")?, path: None, qualifiers: Vec::new(), properties: Vec::new() };
    while let Some(tag) = xml.child()? {
        match tag.name().as_ref() {
            "PROPERTY" | "PROPERTY.ARRAY" | "PROPERTY.REFERENCE" => {
                let head = head(xml, &tag)?;
                let ty = head.ty.unwrap_or(CimType::String);
                let declared = Declared { ty, embedded: head.embedded };
                let value = property_value(xml, declared)?;
                instance.properties.push(InstanceProperty {
                    name: CimName::new(&head.name),
                    value: TypedValue { ty, is_array: head.is_array, value },
                    embedded: head.embedded,
                    reference_class: head.reference_class,
                });
            }
            "QUALIFIER" => instance.qualifiers.push(super::class::qualifier(xml, &tag)?),
            _ => xml.skip(&tag)?,
        }
    }
    Ok(instance)
}

/// The value of a property, up to the property's end; NULL if it has none.
fn property_value(xml: &mut Xml<'_>, declared: Declared) -> Read<CimValue> {
    let mut value = CimValue::Null;
    while let Some(tag) = xml.child()? {
        if tag.name().as_ref() == "QUALIFIER" {
            xml.skip(&tag)?;
        } else {
            value = value::element(xml, &tag, declared)?.unwrap_or(value);
        }
    }
    Ok(value)
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
    odd: Vec<(usize, CimType, bool)>,
    /// Items of arrays and values of keys that slots point to.
    items: Vec<Slot>,
    scratch: String,
    columns: usize,
    count: u64,
    predictor: Predictor,
}

impl Rows {
    /// How many rows were decoded in all.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// How many of them were read by prediction.
    pub fn predicted(&self) -> u64 {
        self.predictor.read
    }

    /// Rows and the shapes they need, taken out. Shapes that grew are told again.
    pub fn take(&mut self) -> (Vec<(ShapeId, Arc<Shape>)>, Vec<RowBatch>) {
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
        self.predictor.forget();
    }

    /// Decodes the INSTANCE `tag` began into a row with `path`, or without one.
    pub fn instance(
        &mut self,
        xml: &mut Xml<'_>,
        tag: &BytesStart<'_>,
        path: Option<ObjectPath>,
        namespace: Option<&Namespace>,
    ) -> Read<()> {
        let mut class = None;
        for attribute in tag.attributes().with_checks(false) {
            let attribute = attribute.map_err(|error| xml.error(format!("ill-formed attribute: {error}")))?;
            if attribute.key.as_ref() == "CLASSNAME" {
                class = Some(xml.attribute_value(attribute.value)?);
            }
        }
        let Some(class) = class else { return Err(xml.error("INSTANCE without CLASSNAME")) };
        xml.check_name(&class)?;
        self.begin(xml, &class, path.as_ref(), namespace)?;
        let mut last = 0;
        while let Some(tag) = xml.child()? {
            match tag.name().as_ref() {
                "PROPERTY" | "PROPERTY.ARRAY" | "PROPERTY.REFERENCE" => last = 1 + self.property(xml, &tag, last)?,
                _ => xml.skip(&tag)?,
            }
        }
        self.end(xml.text(), path.map(|path| path.keys).unwrap_or_default())
            .map_err(|message| DecodeError::limit(xml.offset(), "shapes", message))
    }

    /// Writes a row of nothing but a path, whose keys become its columns.
    pub fn name(&mut self, xml: &Xml<'_>, path: ObjectPath, namespace: Option<&Namespace>) -> Read<()> {
        self.begin(xml, path.class.as_str(), Some(&path), namespace)?;
        let mut last = 0;
        for key in &path.keys {
            let (ty, cell) = key_cell(&key.value);
            let declared = Declared { ty, embedded: None };
            let name = if key.name.as_str().is_empty() { "Key" } else { key.name.as_str() };
            let place = self.place(xml, last, name, declared, false, None)?;
            if let Some(column) = self.shapes.get_mut(self.current).and_then(|it| it.shape.columns.get_mut(place)) {
                column.is_key = true;
                // A path tells that a key is a number, not of which type.
                column.ty = column.ty.filter(|ty| !ty.is_numeric());
            }
            self.put(place, cell);
            last = place + 1;
        }
        self.odd.clear();
        self.end(xml.text(), path.keys).map_err(|message| DecodeError::limit(xml.offset(), "shapes", message))
    }

    /// Finds or makes the shape of the row to come.
    fn begin(
        &mut self,
        xml: &Xml<'_>,
        class: &str,
        path: Option<&ObjectPath>,
        namespace: Option<&Namespace>,
    ) -> Read<()> {
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

    /// Reads one property into its slot and answers the column.
    fn property(&mut self, xml: &mut Xml<'_>, tag: &BytesStart<'_>, last: usize) -> Read<usize> {
        let head = head(xml, tag)?;
        let ty = head.ty.unwrap_or(CimType::String);
        let mut declared = Declared { ty, embedded: head.embedded };
        let place = self.place(xml, last, &head.name, declared, head.is_array, head.reference_class)?;
        if declared.embedded.is_none() {
            let column = self.shapes.get(self.current).and_then(|it| it.shape.columns.get(place));
            declared.embedded = column.and_then(|column| column.embedded);
        }
        let mut slot = Slot::Scalar(CellRef::Null);
        while let Some(tag) = xml.child()? {
            match tag.name().as_ref() {
                "VALUE" if declared.embedded.is_none() => {
                    let text = xml.content(&tag)?;
                    slot = self.scalar(xml, declared.ty, &text);
                }
                "QUALIFIER" => xml.skip(&tag)?,
                _ => {
                    if let Some(value) = value::element(xml, &tag, declared)? {
                        slot = Slot::Value(value);
                    }
                }
            }
        }
        self.put(place, slot);
        Ok(place)
    }

    fn scalar(&mut self, xml: &mut Xml<'_>, ty: CimType, text: &str) -> Slot {
        let cell = value::scalar(ty, text);
        if let Some(slot) = cell.and_then(Slot::scalar) {
            return slot;
        }
        let untyped = cell.is_none();
        if untyped {
            xml.warn(|| value::odd(ty, text));
        }
        match xml.position_of(text) {
            Some(at) => Slot::Text { at, len: text.len(), cooked: false, untyped },
            None => {
                let at = self.scratch.len();
                self.scratch.push_str(text);
                Slot::Text { at, len: text.len(), cooked: true, untyped }
            }
        }
    }

    /// The column of a property, made if there is none; remembers where the type differs.
    fn place(
        &mut self,
        xml: &Xml<'_>,
        last: usize,
        name: &str,
        declared: Declared,
        is_array: bool,
        reference_class: Option<CimName>,
    ) -> Read<usize> {
        let Some(growing) = self.shapes.get_mut(self.current) else { return Err(xml.error("a row without shape")) };
        let Some(place) = growing.place(last, name) else {
            if growing.shape.columns.len() >= MAX_WIDTH {
                let message = format!("an instance has more than {MAX_WIDTH} properties");
                return Err(DecodeError::limit(xml.offset(), "shapes", message));
            }
            self.columns += 1;
            if self.columns > MAX_COLUMNS {
                let message = format!("the rows have more than {MAX_COLUMNS} columns");
                return Err(DecodeError::limit(xml.offset(), "shapes", message));
            }
            let place = growing.push(Column {
                name: CimName::new(name),
                ty: Some(declared.ty),
                is_array,
                embedded: declared.embedded,
                reference_class,
                is_key: false,
            });
            if let Some(after) = growing.after.get_mut(last) {
                *after = place;
            }
            return Ok(place);
        };
        if let Some(column) = growing.shape.columns.get_mut(place) {
            if column.ty != Some(declared.ty) || column.is_array != is_array {
                self.odd.push((place, declared.ty, is_array));
            }
            if column.embedded.is_none() && declared.embedded.is_some() {
                column.embedded = declared.embedded;
                growing.is_told = false;
                self.predictor.forget();
            }
        }
        Ok(place)
    }

    fn put(&mut self, place: usize, slot: Slot) {
        while self.slots.len() <= place {
            self.slots.push(Slot::Absent);
        }
        if let Some(at) = self.slots.get_mut(place) {
            *at = slot;
        }
    }

    /// Writes the row gathered.
    fn end(&mut self, item: &str, keys: Vec<crate::cim::KeyBinding>) -> Result<(), String> {
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
        self.count += 1;
        if self.writer.is_full() {
            self.done.push(self.writer.take());
        }
    }

    /// Moves to the shape that has the types this row came with.
    fn retype(&mut self) -> Result<(), String> {
        // Which shape a row has now depends on those before it, which no markup tells.
        self.predictor.is_off = true;
        let Some(growing) = self.shapes.get(self.current) else { return Ok(()) };
        let mut wanted = growing.shape.clone();
        for (place, ty, is_array) in self.odd.drain(..) {
            if let Some(column) = wanted.columns.get_mut(place) {
                (column.ty, column.is_array) = (Some(ty), is_array);
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
