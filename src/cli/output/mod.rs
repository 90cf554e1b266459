//! Formats: what an operation answers, as bytes for stdout.
//!
//! Owns: one report for each kind of answer and one printer for each format of rows. Must not know where bytes go, except
//! whether that is a terminal, where control and bidirectional characters are escaped.

mod csv;
mod json;
mod names;
mod paths;
mod saved;
mod single;
mod table;
mod xml;

use std::{collections::HashMap, sync::Arc};

pub(super) use names::NamesReport;
pub(super) use saved::{list_sessions, list_values};
pub(super) use single::{InstanceReport, OneClass, SchemaReport};

use super::{args::InstancesFormat, operate::Report};
use crate::{
    cim::{
        CimClass, CimName,
        rows::{RowBatch, Shape, ShapeId},
    },
    op::OpEventKind,
};

/// What stdout is.
#[derive(Clone, Copy, Debug)]
pub(super) enum Screen {
    /// A terminal of this many columns.
    Terminal(usize),
    /// A file or a pipe.
    Stream,
}

impl Screen {
    /// What stdout is now.
    pub(super) fn of_stdout() -> Self {
        if !std::io::IsTerminal::is_terminal(&std::io::stdout()) {
            return Self::Stream;
        }
        #[cfg(unix)]
        let columns = rustix::termios::tcgetwinsize(std::io::stdout()).map_or(0, |size| usize::from(size.ws_col));
        #[cfg(not(unix))]
        let columns = 0;
        Self::Terminal(if columns == 0 { 80 } else { columns })
    }
}

/// The columns of a format that fixes them before the first row.
#[derive(Clone, Debug)]
pub(super) enum Columns {
    /// These properties.
    Named(Vec<CimName>),
    /// The properties of the class that was asked for.
    Class(Arc<CimClass>),
    /// Those of the first shape that comes: the class could not be fetched.
    FirstShape,
}

/// What the rows of an operation are to become.
#[derive(Clone, Debug)]
pub(super) struct RowOptions {
    /// Which columns.
    pub(super) columns: Columns,
    /// Paths only.
    pub(super) keys_only: bool,
    /// Rows may be of any class and lie in any namespace.
    pub(super) located: bool,
    /// At most this many rows.
    pub(super) limit: Option<u64>,
    /// Where it goes.
    pub(super) screen: Screen,
}

/// Prints rows in one format.
trait Printer {
    /// Takes in a shape; the same id again replaces it.
    fn shape(&mut self, id: ShapeId, shape: &Shape);

    /// Prints one row of the shape `id`.
    fn row(&mut self, id: ShapeId, shape: &Shape, batch: &RowBatch, row: usize, out: &mut Vec<u8>);

    /// Nothing has come for a while: prints what was held back.
    fn pause(&mut self, _out: &mut Vec<u8>) {}

    /// No row will follow.
    fn end(&mut self, out: &mut Vec<u8>);
}

/// The report of an operation that answers rows.
pub(super) struct RowsReport {
    printer: Box<dyn Printer>,
    shapes: HashMap<ShapeId, Arc<Shape>>,
    left: Option<u64>,
}

impl RowsReport {
    /// A report in `format`.
    pub(super) fn new(format: InstancesFormat, options: RowOptions) -> Self {
        let left = options.limit;
        let printer: Box<dyn Printer> = match format {
            InstancesFormat::Table if options.located && options.keys_only => {
                Box::new(paths::Paths::lines(options.screen))
            }
            InstancesFormat::Csv if options.located && options.keys_only => {
                Box::new(paths::Paths::records(options.screen))
            }
            InstancesFormat::Table => Box::new(table::Table::new(options)),
            InstancesFormat::Csv => Box::new(csv::Csv::new(options)),
            InstancesFormat::Json => Box::new(json::Rows::new(json::Frame::Array, &options)),
            InstancesFormat::Ndjson => Box::new(json::Rows::new(json::Frame::Lines, &options)),
            InstancesFormat::Xml => Box::new(xml::Rows::new(&options)),
        };
        Self { printer, shapes: HashMap::new(), left }
    }
}

impl Report for RowsReport {
    fn event(&mut self, kind: &OpEventKind, out: &mut Vec<u8>) {
        match kind {
            OpEventKind::Shape(id, shape) => {
                let shape = without_host(shape);
                self.printer.shape(*id, &shape);
                self.shapes.insert(*id, shape);
            }
            OpEventKind::Rows(batch) => {
                for row in 0..batch.len() {
                    if self.left == Some(0) {
                        break;
                    }
                    let id = batch.shape(row);
                    let Some(shape) = self.shapes.get(&id) else { continue };
                    self.printer.row(id, shape, batch, row, out);
                    self.left = self.left.map(|left| left - 1);
                }
            }
            _ => {}
        }
    }

    fn pause(&mut self, out: &mut Vec<u8>) {
        self.printer.pause(out);
    }

    fn end(&mut self, out: &mut Vec<u8>) {
        self.printer.end(out);
    }
}

/// `shape` without the host its paths name: a path that is printed can be given to `get`, whatever the server calls itself.
fn without_host(shape: &Arc<Shape>) -> Arc<Shape> {
    match shape.host {
        None => shape.clone(),
        Some(_) => Arc::new(Shape { host: None, ..shape.as_ref().clone() }),
    }
}
