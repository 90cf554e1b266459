//! Lists of paths: what stands for instances of any class, whose keys make no common columns.
//!
//! Owns: the one column of such a list. Must not know which operation answered.

use super::{Printer, Screen, csv::put_record, table::put_cut};
use crate::cim::{
    rows::{RowBatch, Shape, ShapeId, path_of},
    text::escape_for_terminal,
};

/// The header of the column.
const HEADER: &str = "path";

/// Rows as their paths.
pub(super) struct Paths {
    screen: Screen,
    as_records: bool,
    header_printed: bool,
}

impl Paths {
    /// A line for each path.
    pub(super) const fn lines(screen: Screen) -> Self {
        Self { screen, as_records: false, header_printed: false }
    }

    /// A CSV record for each path.
    pub(super) const fn records(screen: Screen) -> Self {
        Self { screen, as_records: true, header_printed: false }
    }

    fn header(&mut self, out: &mut Vec<u8>) {
        if !std::mem::replace(&mut self.header_printed, true) {
            self.put(HEADER, out);
        }
    }

    fn put(&self, text: &str, out: &mut Vec<u8>) {
        if self.as_records {
            put_record(std::iter::once(Some(text.to_owned())), self.screen, out);
        } else {
            put_cut(&escape_for_terminal(text), self.screen, out);
        }
    }
}

impl Printer for Paths {
    fn shape(&mut self, _id: ShapeId, _shape: &Shape) {}

    fn row(&mut self, _id: ShapeId, shape: &Shape, batch: &RowBatch, row: usize, out: &mut Vec<u8>) {
        self.header(out);
        if let Some(path) = path_of(shape, batch, row) {
            self.put(&path.to_string(), out);
        }
    }

    fn end(&mut self, out: &mut Vec<u8>) {
        self.header(out);
    }
}
