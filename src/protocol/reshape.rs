//! Rows made over after they were decoded: values that had no type when they came, columns nobody asked for.
//!
//! Owns: copying a batch by a plan. Must not know where types come from, nor how a protocol spells values.

use std::{collections::HashMap, sync::Arc};

use crate::cim::{
    CimClass, CimName, CimType, CimValue, KeyBinding, ObjectPath,
    rows::{CellRef, RowBatch, RowWriter, Shape, ShapeId},
};

/// How a protocol reads a value that came without a type, once it is known; what is none of it stays as it is.
pub(super) type Types = fn(CimType, bool, CimValue) -> CimValue;

/// How the rows of one shape are made over.
pub(super) struct Plan {
    /// For each column told: the column it is taken from, its type, and whether it is an array.
    columns: Vec<(usize, Option<CimType>, bool)>,
    keys: Vec<CimName>,
    class: Option<Arc<CimClass>>,
    /// Keys come as texts and are none.
    types_keys: bool,
}

impl Plan {
    /// The plan for rows that came in the shape `came`, and whose shape is told to be `told`.
    pub(super) fn new(came: &Shape, told: &Shape, class: Option<Arc<CimClass>>) -> Self {
        let columns = told.columns.iter().map(|column| {
            let from = came.position(&column.name).unwrap_or(usize::MAX);
            (from, column.ty, column.is_array)
        });
        let types_keys = class.as_deref().is_some_and(|class| types_keys(told, class));
        Self { columns: columns.collect(), keys: told.path_keys.clone(), class, types_keys }
    }

    /// Whether rows that come in the shape told are to be made over all the same: keys told by references have no types, in
    /// whatever shape their rows are.
    pub(super) const fn lasts(&self) -> bool {
        self.types_keys
    }

    fn copy(&self, batch: &RowBatch, row: usize, types: Types, writer: &mut RowWriter) {
        let cells: Vec<CellRef<'_>> = batch.cells(row).collect();
        for (from, ty, is_array) in &self.columns {
            let cell = cells.get(*from).copied().unwrap_or(CellRef::Absent);
            match (ty, cell) {
                (Some(ty), CellRef::Untyped(text)) => {
                    writer.value(types(*ty, *is_array, CimValue::Untyped(Box::from(text))));
                }
                (Some(ty), CellRef::Value(_) | CellRef::Packed(_)) => match cell.to_value() {
                    Some(value @ CimValue::Array(_)) => writer.value(types(*ty, *is_array, value)),
                    _ => writer.cell(cell),
                },
                _ => writer.cell(cell),
            }
        }
        let keys = self.keys.iter().zip(batch.keys(row));
        let keys = keys.map(|(name, value)| KeyBinding { name: name.clone(), value }).collect();
        let path = ObjectPath { host: None, namespace: None, class: CimName::new(""), keys };
        let path = match &self.class {
            Some(class) => path.typed_by(class),
            None => path,
        };
        path.keys.into_iter().for_each(|key| writer.key(key.value));
    }
}

/// Whether a key of `shape` is no text by `class`.
fn types_keys(shape: &Shape, class: &CimClass) -> bool {
    let is_text = |ty| matches!(ty, CimType::String | CimType::DateTime | CimType::Reference | CimType::Char16);
    shape.path_keys.iter().any(|key| class.property(key.as_str()).is_some_and(|property| !is_text(property.ty)))
}

/// `batch` with the rows made over for whose shape there is a plan.
pub(super) fn over(batch: RowBatch, plans: &HashMap<ShapeId, Plan>, types: Types) -> RowBatch {
    if !(0..batch.len()).any(|row| plans.contains_key(&batch.shape(row))) {
        return batch;
    }
    let mut writer = RowWriter::default();
    for row in 0..batch.len() {
        let shape = batch.shape(row);
        writer.begin(shape);
        match plans.get(&shape) {
            Some(plan) => plan.copy(&batch, row, types, &mut writer),
            None => {
                batch.cells(row).for_each(|cell| writer.cell(cell));
                batch.keys(row).into_iter().for_each(|key| writer.key(key));
            }
        }
        writer.end();
    }
    writer.take()
}

/// `shape` without the columns that are not among `wanted`.
pub(super) fn narrowed(mut shape: Shape, wanted: &[CimName]) -> Shape {
    shape.columns.retain(|column| wanted.contains(&column.name));
    shape
}
