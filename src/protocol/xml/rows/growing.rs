//! Shapes that grow while rows are decoded.
//!
//! Owns: finding the column of a property by its name, fast where rows are alike, and which shape rows of a class have. Must
//! not know how rows are read.

use std::collections::HashMap;

use crate::cim::{
    Namespace, ObjectPath,
    rows::{Column, Shape},
};

/// The shape of one class's rows, growing.
#[derive(Debug)]
pub(super) struct Growing {
    pub(super) shape: Shape,
    /// For each column, the column that followed it in the row before: the guess for the next row.
    pub(super) after: Vec<usize>,
    /// Columns by name as written; by lower-case name, too, where that differs.
    places: HashMap<Box<str>, usize>,
    pub(super) is_told: bool,
}

impl Growing {
    pub(super) fn new(shape: Shape) -> Self {
        let mut growing = Self {
            after: vec![0],
            places: HashMap::new(),
            is_told: false,
            shape: Shape { columns: Vec::new(), ..shape.clone() },
        };
        for column in shape.columns {
            growing.push(column);
        }
        growing
    }

    pub(super) fn push(&mut self, column: Column) -> usize {
        let place = self.shape.columns.len();
        self.places.insert(Box::from(column.name.as_str()), place);
        self.places.entry(column.name.to_lower().into_boxed_str()).or_insert(place);
        self.shape.columns.push(column);
        self.after.push(place + 1);
        self.is_told = false;
        place
    }

    /// The column called `name`.
    pub(super) fn known(&self, name: &str) -> Option<usize> {
        match self.places.get(name) {
            Some(place) => Some(*place),
            None => self.places.get(name.to_ascii_lowercase().as_str()).copied(),
        }
    }

    /// The column called `name`, guessing that it follows `last`.
    pub(super) fn place(&mut self, last: usize, name: &str) -> Option<usize> {
        let guess = self.after.get(last).copied().unwrap_or_default();
        if self.shape.columns.get(guess).is_some_and(|column| column.name.as_str() == name) {
            return Some(guess);
        }
        let place = self.known(name)?;
        if let Some(after) = self.after.get_mut(last) {
            *after = place;
        }
        Some(place)
    }
}

/// Whether rows of `class` with `path` have this shape.
pub(super) fn shape_fits(shape: &Shape, class: &str, path: Option<&ObjectPath>, namespace: Option<&Namespace>) -> bool {
    if shape.class.as_str() != class && shape.class != class {
        return false;
    }
    let Some(path) = path else { return shape.namespace.is_none() && shape.path_keys.is_empty() };
    shape.namespace.as_ref() == path.namespace.as_ref().or(namespace)
        && shape.host == path.host
        && shape.path_keys.len() == path.keys.len()
        && shape.path_keys.iter().zip(&path.keys).all(|(name, key)| *name == key.name)
}
