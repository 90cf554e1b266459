//! All rows of one result.
//!
//! Owns: the union of the shapes' columns and the way from a row and a column to a cell. Must not know the packing.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use super::{CellRef, Column, RowBatch, Shape, ShapeId, instance_of, pack::Packer, path_of};
use crate::cim::{CimInstance, CimName, CimType, ObjectPath};

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
    /// For each name, the union column.
    by_name: HashMap<CimName, usize>,
    /// For each shape, pairs of union column and position in the shape, ordered by the first.
    positions: Vec<Vec<(u32, u32)>>,
    /// The rows; the last batch still grows.
    batches: Vec<RowBatch>,
    /// For each batch, the number of the first row in it.
    starts: Vec<usize>,
    packer: Packer,
    len: usize,
    size: usize,
    /// For each shape, whom its rows came from; empty unless the result is put together from several answers.
    origins: Vec<Arc<str>>,
    merged: bool,
}

impl UnionColumn {
    /// Takes in what another shape, or the same one sent again, knows about the column.
    fn learn(&mut self, other: &Column) {
        let own = &mut self.column;
        own.is_key |= other.is_key;
        if own.ty.is_none() {
            own.ty = other.ty;
            own.is_array = other.is_array;
        }
        own.embedded = own.embedded.or(other.embedded);
        if own.reference_class.is_none() {
            own.reference_class.clone_from(&other.reference_class);
        }
    }
}

/// The name of the column that says whom a row came from, and its number.
const ORIGIN: &str = "session";
const ORIGIN_AT: usize = 0;

impl RowStore {
    /// A result put together from the answers of several. Its first column says whom each row came from; no shape has it,
    /// nor has an instance or a path made of a row.
    pub fn merged() -> Self {
        let column = Column::new(CimName::new(ORIGIN), CimType::String);
        Self { columns: vec![UnionColumn { column }], merged: true, ..Self::default() }
    }

    /// Whether `column` is the one that says whom a row came from.
    pub fn is_origin(&self, column: usize) -> bool {
        self.merged && column == ORIGIN_AT
    }

    /// Adds the shape of rows that come from `origin` to a merged result; its number for their batches.
    pub fn add_shape_from(&mut self, origin: Arc<str>, shape: Arc<Shape>) -> ShapeId {
        let id = ShapeId(u32::try_from(self.shapes.len()).unwrap_or(u32::MAX));
        self.add_shape(id, shape);
        self.origins.push(origin);
        id
    }

    /// Whom `row` of a merged result came from.
    pub fn origin(&self, row: usize) -> Option<&Arc<str>> {
        let (batch, at) = self.find(row)?;
        self.origins.get(batch.shape(at).0 as usize)
    }

    /// Adds the shape of rows to come. A shape sent again under the same id replaces the first (it may name more columns,
    /// or types that were not known). One whose id leaves a gap is ignored, and its rows with it.
    pub fn add_shape(&mut self, id: ShapeId, shape: Arc<Shape>) {
        let at = id.0 as usize;
        if at > self.shapes.len() {
            return;
        }
        let path_keys = shape.path_keys.iter().collect::<HashSet<_>>();
        let mut positions = Vec::with_capacity(shape.columns.len());
        for (position, column) in shape.columns.iter().enumerate() {
            let union = *self.by_name.entry(column.name.clone()).or_insert(self.columns.len());
            // What stands in the rows' paths is a key, whether or not the class has told so.
            let is_key = column.is_key || path_keys.contains(&column.name);
            let column = Column { is_key, ..column.clone() };
            match self.columns.get_mut(union) {
                Some(known) => known.learn(&column),
                None => self.columns.push(UnionColumn { column }),
            }
            positions.push((union as u32, position as u32));
        }
        // Of two columns of one name the first counts: the sort is stable.
        positions.sort_by_key(|(union, _)| *union);
        positions.dedup_by_key(|(union, _)| *union);
        let size = size_of::<Shape>() + shape.columns.len() * (size_of::<Column>() + 48);
        match (self.shapes.get_mut(at), self.positions.get_mut(at)) {
            (Some(known), Some(old)) => {
                (*known, *old) = (shape, positions);
            }
            _ => {
                self.size += size;
                self.shapes.push(shape);
                self.positions.push(positions);
            }
        }
    }

    /// Appends a batch. Rows of a shape that was never added are dropped; the number dropped is returned.
    pub fn push(&mut self, mut batch: RowBatch) -> usize {
        let mut dropped = 0;
        for row in 0..batch.len() {
            if batch.shape(row).0 as usize >= self.shapes.len() {
                dropped += 1;
                continue;
            }
            if self.batches.last().is_none_or(Packer::is_full) {
                self.begin_batch();
            }
            let Some(kept) = self.batches.last_mut() else { continue };
            self.size += self.packer.append(kept, &mut batch, row);
            self.len += 1;
        }
        dropped
    }

    /// Closes the last batch and begins another.
    fn begin_batch(&mut self) {
        if let Some(full) = self.batches.last_mut() {
            full.bytes.shrink_to_fit();
            full.rows.shrink_to_fit();
            full.values.shrink_to_fit();
            full.frames.shrink_to_fit();
        }
        self.packer.restart();
        self.starts.push(self.len);
        self.batches.push(RowBatch::default());
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
        let at = self.starts.partition_point(|start| *start <= row).checked_sub(1)?;
        Some((self.batches.get(at)?, row - self.starts.get(at)?))
    }

    /// The union column `name`, without regard to case.
    pub fn column(&self, name: &CimName) -> Option<usize> {
        self.by_name.get(name).copied()
    }

    /// The batch `row` lies in, its number there and its shape: what printing a whole row needs.
    pub fn row(&self, row: usize) -> Option<(&Shape, &RowBatch, usize)> {
        let (batch, at) = self.find(row)?;
        Some((self.shapes.get(batch.shape(at).0 as usize)?, batch, at))
    }

    /// The shape of `row`.
    pub fn shape_of(&self, row: usize) -> Option<&Arc<Shape>> {
        self.find(row).and_then(|(batch, at)| self.shapes.get(batch.shape(at).0 as usize))
    }

    /// The cell of `row` in the union column `column`; absent where either does not exist.
    pub fn cell(&self, row: usize, column: usize) -> CellRef<'_> {
        let Some((batch, at)) = self.find(row) else { return CellRef::Absent };
        if self.is_origin(column) {
            return self.origin_cell(batch.shape(at));
        }
        let positions = self.positions.get(batch.shape(at).0 as usize).map(Vec::as_slice).unwrap_or_default();
        match positions.binary_search_by_key(&column, |(union, _)| *union as usize) {
            Ok(found) => batch.cell(at, positions.get(found).map_or(usize::MAX, |found| found.1 as usize)),
            Err(_) => CellRef::Absent,
        }
    }

    /// All cells of `row`, one for each union column: in one pass, where asking for each would read the row each time.
    pub fn cells(&self, row: usize) -> Vec<CellRef<'_>> {
        let mut cells = vec![CellRef::Absent; self.columns.len()];
        let Some((batch, at)) = self.find(row) else { return cells };
        if let Some(cell) = cells.get_mut(ORIGIN_AT).filter(|_| self.merged) {
            *cell = self.origin_cell(batch.shape(at));
        }
        let sent = batch.cells(at).collect::<Vec<_>>();
        for (union, position) in self.positions.get(batch.shape(at).0 as usize).into_iter().flatten() {
            if let (Some(to), Some(cell)) = (cells.get_mut(*union as usize), sent.get(*position as usize)) {
                *to = *cell;
            }
        }
        cells
    }

    fn origin_cell(&self, shape: ShapeId) -> CellRef<'_> {
        self.origins.get(shape.0 as usize).map_or(CellRef::Absent, |origin| CellRef::Text(origin))
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
