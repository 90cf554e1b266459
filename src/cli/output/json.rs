//! JSON output: what stands around the objects.
//!
//! Owns: the array that is always closed, and one object a line. Must not know the objects themselves: [`crate::cim::json`]
//! writes them.

use super::{Printer, Row, RowOptions, session_column::SESSION};
use crate::cim::{
    json::{write_keys, write_row, write_text},
    rows::{Shape, ShapeId},
};

/// What stands around the objects.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Frame {
    /// One array.
    Array,
    /// One object a line.
    Lines,
}

/// Prints objects in their frame.
pub(super) struct Writer {
    frame: Frame,
    begun: bool,
    ended: bool,
}

impl Writer {
    /// Nothing printed yet.
    pub(super) const fn new(frame: Frame) -> Self {
        Self { frame, begun: false, ended: false }
    }

    /// Prints one object, each on a line of its own. The name of its session, where several answer, is its first key.
    pub(super) fn item(&mut self, session: Option<&str>, object: &str, out: &mut Vec<u8>) {
        let first = !std::mem::replace(&mut self.begun, true);
        if self.frame == Frame::Array {
            out.extend_from_slice(if first { b"[\n" } else { b",\n" });
        }
        match (session, object.strip_prefix('{')) {
            (Some(session), Some(rest)) => {
                let mut head = format!("{{\"{SESSION}\":");
                write_text(&mut head, session);
                head.push_str(if rest == "}" { "" } else { "," });
                out.extend_from_slice(head.as_bytes());
                out.extend_from_slice(rest.as_bytes());
            }
            _ => out.extend_from_slice(object.as_bytes()),
        }
        if self.frame == Frame::Lines {
            out.push(b'\n');
        }
    }

    /// Closes the frame; a second call closes nothing.
    pub(super) fn end(&mut self, out: &mut Vec<u8>) {
        if std::mem::replace(&mut self.ended, true) {
            return;
        }
        match (self.frame, self.begun) {
            (Frame::Array, true) => out.extend_from_slice(b"\n]\n"),
            (Frame::Array, false) => out.extend_from_slice(b"[]\n"),
            (Frame::Lines, _) => {}
        }
    }
}

/// Rows as JSON.
pub(super) struct Rows {
    writer: Writer,
    keys_only: bool,
}

impl Rows {
    /// Nothing printed yet.
    pub(super) const fn new(frame: Frame, options: &RowOptions) -> Self {
        Self { writer: Writer::new(frame), keys_only: options.keys_only }
    }
}

impl Printer for Rows {
    fn shape(&mut self, _id: ShapeId, _shape: &Shape) {}

    fn row(&mut self, row: Row<'_>, out: &mut Vec<u8>) {
        let write = if self.keys_only { write_keys } else { write_row };
        let mut object = String::new();
        write(&mut object, row.shape, row.batch, row.at);
        self.writer.item(row.session, &object, out);
    }

    fn end(&mut self, out: &mut Vec<u8>) {
        self.writer.end(out);
    }
}
