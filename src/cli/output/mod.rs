//! Formats: what an operation answers, as bytes for stdout.
//!
//! Owns: one report for each kind of answer and one printer for each format of rows. Must not know where bytes go, except
//! whether that is a terminal, where control and bidirectional characters are escaped.

mod csv;
mod json;
mod names;
mod paths;
mod saved;
mod session_column;
mod single;
mod table;
mod xml;

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

pub(super) use names::NamesReport;
pub(super) use saved::{list_sessions, list_values};
pub(super) use session_column::SessionColumn;
pub(super) use single::{InstanceReport, SchemaReport};

use super::{
    args::InstancesFormat,
    operate::{Report, Whose},
};
use crate::{
    cim::{
        CimClass, CimName, ClassProperty,
        rows::{RowBatch, Shape, ShapeId},
    },
    op::{OpEventKind, SessionId},
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
    /// The properties of the class that was asked for, as each server declares it.
    Classes(Vec<Arc<CimClass>>),
    /// Those of the first shape that comes: the class could not be fetched.
    FirstShape,
}

/// The properties of the first of `classes`, then those that only the others have; `keys_only` leaves out the rest.
fn merged(classes: &[Arc<CimClass>], keys_only: bool) -> Vec<&ClassProperty> {
    let mut known = HashSet::new();
    let all = classes.iter().flat_map(|class| &class.properties);
    all.filter(|property| (!keys_only || property.is_key()) && known.insert(&property.name)).collect()
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
    /// At most this many rows of each session.
    pub(super) limit: Option<u64>,
    /// The column that tells whose a row is.
    pub(super) sessions: SessionColumn,
    /// Where it goes.
    pub(super) screen: Screen,
}

/// One row of an answer.
#[derive(Clone, Copy)]
struct Row<'a> {
    /// The session it is of, where several answer.
    session: Option<&'a str>,
    id: ShapeId,
    shape: &'a Shape,
    batch: &'a RowBatch,
    /// Its place in the batch.
    at: usize,
}

/// Prints rows in one format.
trait Printer {
    /// Takes in a shape; the same id again replaces it.
    fn shape(&mut self, id: ShapeId, shape: &Shape);

    /// Prints one row of a shape that was taken in.
    fn row(&mut self, row: Row<'_>, out: &mut Vec<u8>);

    /// No row of the shape `id` will follow.
    fn forget(&mut self, _id: ShapeId) {}

    /// Nothing has come for a while: prints what was held back.
    fn pause(&mut self, _out: &mut Vec<u8>) {}

    /// No row will follow.
    fn end(&mut self, out: &mut Vec<u8>);
}

/// The report of operations that answer rows.
pub(super) struct RowsReport {
    printer: Box<dyn Printer>,
    limit: Option<u64>,
    answers: HashMap<SessionId, Answer>,
    /// The shapes taken in so far, which number them for the printer: two sessions may give theirs the same id.
    shapes: u32,
}

/// What one session has answered so far.
#[derive(Default)]
struct Answer {
    shapes: HashMap<ShapeId, (ShapeId, Arc<Shape>)>,
    printed: u64,
}

impl RowsReport {
    /// A report in `format`.
    pub(super) fn new(format: InstancesFormat, options: RowOptions) -> Self {
        let limit = options.limit;
        let printer: Box<dyn Printer> = match format {
            InstancesFormat::Table if options.located && options.keys_only => {
                Box::new(paths::Paths::lines(options.screen, options.sessions))
            }
            InstancesFormat::Csv if options.located && options.keys_only => {
                Box::new(paths::Paths::records(options.screen, options.sessions))
            }
            InstancesFormat::Table => Box::new(table::Table::new(options)),
            InstancesFormat::Csv => Box::new(csv::Csv::new(options)),
            InstancesFormat::Json => Box::new(json::Rows::new(json::Frame::Array, &options)),
            InstancesFormat::Ndjson => Box::new(json::Rows::new(json::Frame::Lines, &options)),
            InstancesFormat::Xml => Box::new(xml::Rows::new(&options)),
        };
        Self { printer, limit, answers: HashMap::new(), shapes: 0 }
    }
}

impl Report for RowsReport {
    fn event(&mut self, whose: Whose<'_>, kind: &OpEventKind, out: &mut Vec<u8>) {
        let answer = self.answers.entry(whose.session).or_default();
        match kind {
            OpEventKind::Shape(id, shape) => {
                let shape = without_host(shape);
                let known = answer.shapes.get(id).map(|(known, _)| *known);
                let ours = known.unwrap_or_else(|| {
                    self.shapes = self.shapes.wrapping_add(1);
                    ShapeId(self.shapes)
                });
                self.printer.shape(ours, &shape);
                answer.shapes.insert(*id, (ours, shape));
            }
            OpEventKind::Rows(batch) => {
                for at in 0..batch.len() {
                    if self.limit.is_some_and(|limit| answer.printed >= limit) {
                        break;
                    }
                    let Some((id, shape)) = answer.shapes.get(&batch.shape(at)) else { continue };
                    self.printer.row(Row { session: whose.name, id: *id, shape, batch, at }, out);
                    answer.printed += 1;
                }
            }
            _ => {}
        }
    }

    fn pause(&mut self, out: &mut Vec<u8>) {
        self.printer.pause(out);
    }

    fn leave(&mut self, session: SessionId) {
        let answer = self.answers.remove(&session).unwrap_or_default();
        answer.shapes.values().for_each(|(id, _)| self.printer.forget(*id));
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
