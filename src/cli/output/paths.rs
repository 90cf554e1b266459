//! Lists of paths: what stands for instances of any class, whose keys make no common columns.
//!
//! Owns: the one column of such a list. Must not know which operation answered.

use super::{Printer, Row, Screen, SessionColumn, csv::put_record, table::put_cut};
use crate::cim::{
    rows::{Shape, ShapeId, path_of},
    text::escape_for_terminal,
};

/// The header of the column.
const HEADER: &str = "path";

/// Rows as their paths.
pub(super) struct Paths {
    screen: Screen,
    sessions: SessionColumn,
    as_records: bool,
    header_printed: bool,
}

impl Paths {
    /// A line for each path.
    pub(super) const fn lines(screen: Screen, sessions: SessionColumn) -> Self {
        Self { screen, sessions, as_records: false, header_printed: false }
    }

    /// A CSV record for each path.
    pub(super) const fn records(screen: Screen, sessions: SessionColumn) -> Self {
        Self { screen, sessions, as_records: true, header_printed: false }
    }

    fn header(&mut self, out: &mut Vec<u8>) {
        if !std::mem::replace(&mut self.header_printed, true) {
            self.put(self.sessions.header(), HEADER, out);
        }
    }

    fn put(&self, session: Option<&str>, text: &str, out: &mut Vec<u8>) {
        if self.as_records {
            put_record(session.into_iter().chain([text]).map(|field| Some(field.to_owned())), self.screen, out);
        } else {
            put_cut(&escape_for_terminal(&self.sessions.before(session, text)), self.screen, out);
        }
    }
}

impl Printer for Paths {
    fn shape(&mut self, _id: ShapeId, _shape: &Shape) {}

    fn row(&mut self, row: Row<'_>, out: &mut Vec<u8>) {
        self.header(out);
        if let Some(path) = path_of(row.shape, row.batch, row.at) {
            self.put(row.session, &path.to_string(), out);
        }
    }

    fn end(&mut self, out: &mut Vec<u8>) {
        self.header(out);
    }
}
