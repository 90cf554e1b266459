//! Tables for people.
//!
//! Owns: columns, widths and alignment. Widths come from the header and the first rows, held back until there are some or
//! nothing has come for a moment, so that rows appear while others are still on their way; a later value that is wider moves
//! the rest of its line. Must not wrap a line: a pipe gets it whole, a terminal gets it cut.

use std::{borrow::Cow, collections::HashMap};

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use super::{Columns, Printer, Row, RowOptions, Screen, SessionColumn, merged};
use crate::cim::{
    CimName, CimType, CimValue, KeyValue,
    rows::{CellRef, Shape, ShapeId},
    text::{cell_text, escape_for_terminal},
};

/// Bytes of an array after which a cell shows no more of it.
const MOST_OF_AN_ARRAY: usize = 200;
/// Rows the widths are taken from.
const ROWS_FOR_WIDTHS: usize = 100;
/// The widest a column is padded to; wider values are still printed.
const WIDEST_PADDING: usize = 40;

/// Rows as a table.
pub(super) struct Table {
    options: RowOptions,
    columns: Option<Vec<Column>>,
    positions: HashMap<ShapeId, Vec<Option<usize>>>,
    /// Rows that wait for the widths.
    waiting: Vec<Vec<String>>,
    widths: Option<Vec<usize>>,
}

struct Column {
    name: CimName,
    key: bool,
    /// Numbers stand at the right.
    right: bool,
}

impl Table {
    /// An empty table.
    pub(super) fn new(options: RowOptions) -> Self {
        let mut table = Self { options, columns: None, positions: HashMap::new(), waiting: Vec::new(), widths: None };
        table.columns = match &table.options.columns {
            Columns::Classes(classes) => {
                let columns = merged(classes, table.options.keys_only).into_iter().map(|property| Column {
                    name: property.name.clone(),
                    key: property.is_key(),
                    right: property.ty.is_numeric() && !property.is_array,
                });
                Some(keys_first(columns.collect())).filter(|columns| !columns.is_empty())
            }
            Columns::Named(names) if !table.options.keys_only => {
                Some(names.iter().map(|name| Column { name: name.clone(), key: false, right: false }).collect())
            }
            Columns::Named(_) | Columns::FirstShape => None,
        };
        let sessions = table.options.sessions;
        table.columns = table.columns.map(|columns| behind_sessions(sessions, columns));
        table
    }

    fn flush(&mut self, out: &mut Vec<u8>) {
        let Some(columns) = &self.columns else { return };
        let screen = self.options.screen;
        let rows = std::mem::take(&mut self.waiting);
        let header = || columns.iter().map(|column| format!("{}{}", if column.key { "*" } else { "" }, column.name));
        let header = header().map(|text| escape_for_terminal(&text).into_owned()).collect::<Vec<_>>();
        let widths = match self.widths.take() {
            Some(widths) => widths,
            None => {
                let mut widths = widths_of(&header, &rows);
                if let (Some(first), true) = (widths.first_mut(), self.options.sessions.width() > 0) {
                    *first = self.options.sessions.width().min(WIDEST_PADDING);
                }
                put_line(&header, columns, &widths, screen, out);
                widths
            }
        };
        for row in rows {
            put_line(&row, columns, &widths, screen, out);
        }
        self.widths = Some(widths);
    }
}

/// The widest cell of each column, as far as cells are padded.
fn widths_of(header: &[String], rows: &[Vec<String>]) -> Vec<usize> {
    let widest = |(at, name): (usize, &String)| {
        let cells = rows.iter().filter_map(|row| row.get(at)).map(|cell| cell.width());
        cells.chain([name.width()]).max().unwrap_or(0).min(WIDEST_PADDING)
    };
    header.iter().enumerate().map(widest).collect()
}

/// `columns`, the one that tells whose a row is before them where there is one.
fn behind_sessions(sessions: SessionColumn, columns: Vec<Column>) -> Vec<Column> {
    let named = |name: &str| Column { name: CimName::new(name), key: false, right: false };
    sessions.header().map(named).into_iter().chain(columns).collect()
}

fn keys_first(mut columns: Vec<Column>) -> Vec<Column> {
    columns.sort_by_key(|column| !column.key);
    columns
}

impl Printer for Table {
    fn shape(&mut self, id: ShapeId, shape: &Shape) {
        let (keys_only, sessions) = (self.options.keys_only, self.options.sessions);
        let columns = self.columns.get_or_insert_with(|| {
            if keys_only {
                let named = |name: &CimName| Column { name: name.clone(), key: true, right: false };
                return behind_sessions(sessions, shape.path_keys.iter().map(named).collect());
            }
            let columns = shape.columns.iter().map(|column| Column {
                name: column.name.clone(),
                key: column.is_key,
                right: column.ty.is_some_and(CimType::is_numeric) && !column.is_array,
            });
            behind_sessions(sessions, keys_first(columns.collect()))
        });
        let before = usize::from(sessions.header().is_some());
        for column in columns.iter_mut().skip(before) {
            // What `-p` names has no type before the first shape.
            if self.widths.is_none()
                && let Some(known) = shape.columns.iter().find(|known| known.name == column.name)
            {
                column.key |= known.is_key;
                column.right = known.ty.is_some_and(CimType::is_numeric) && !known.is_array;
            }
        }
        let positions = columns.iter().skip(before).map(|column| {
            if keys_only {
                shape.path_keys.iter().position(|key| *key == column.name)
            } else {
                shape.position(&column.name)
            }
        });
        self.positions.insert(id, positions.collect());
    }

    fn row(&mut self, row: Row<'_>, out: &mut Vec<u8>) {
        let Row { session, id, shape, batch, at: row } = row;
        let Some(positions) = self.positions.get(&id) else { return };
        let keys = if self.options.keys_only { batch.keys(row) } else { Vec::new() };
        let cells = positions.iter().map(|position| match position {
            None => String::new(),
            Some(at) if self.options.keys_only => keys.get(*at).map(key_text).unwrap_or_default(),
            Some(at) => {
                let ty = shape.columns.get(*at).and_then(|column| column.ty);
                shown(batch.cell(row, *at), ty).into_owned()
            }
        });
        let cells = session.map(str::to_owned).into_iter().chain(cells);
        self.waiting.push(cells.map(|cell| escape_for_terminal(&cell).into_owned()).collect());
        if self.widths.is_some() || self.waiting.len() >= ROWS_FOR_WIDTHS {
            self.flush(out);
        }
    }

    fn forget(&mut self, id: ShapeId) {
        self.positions.remove(&id);
    }

    fn pause(&mut self, out: &mut Vec<u8>) {
        if !self.waiting.is_empty() {
            self.flush(out);
        }
    }

    fn end(&mut self, out: &mut Vec<u8>) {
        self.flush(out);
    }
}

/// A cell in a table: NULL and an empty string look different, what was not sent is empty.
fn shown<'a>(cell: CellRef<'a>, ty: Option<CimType>) -> Cow<'a, str> {
    match cell {
        CellRef::Text("") | CellRef::Untyped("") => Cow::Borrowed("\"\""),
        cell => cell_text(cell, ty, "NULL", MOST_OF_AN_ARRAY),
    }
}

/// A key's value as a person reads it.
pub(super) fn key_text(key: &KeyValue) -> String {
    let value = match key {
        KeyValue::String(text) if text.is_empty() => return "\"\"".to_owned(),
        KeyValue::String(text) => return text.to_string(),
        KeyValue::Bool(value) => CimValue::Bool(*value),
        KeyValue::UInt(value) => CimValue::UInt(*value),
        KeyValue::SInt(value) => CimValue::SInt(*value),
        KeyValue::Real(value) => CimValue::Real(*value),
        KeyValue::Reference(path) => CimValue::Reference(path.clone()),
    };
    crate::cim::text::value_text(&value, CimType::Real64, "NULL", MOST_OF_AN_ARRAY)
}

fn put_line(cells: &[String], columns: &[Column], widths: &[usize], screen: Screen, out: &mut Vec<u8>) {
    let mut line = String::new();
    for (at, ((cell, column), width)) in cells.iter().zip(columns).zip(widths).enumerate() {
        if at > 0 {
            line.push_str("  ");
        }
        let padding = " ".repeat(width.saturating_sub(cell.width()));
        if column.right {
            line.push_str(&padding);
            line.push_str(cell);
        } else {
            line.push_str(cell);
            line.push_str(&padding);
        }
    }
    put_cut(line.trim_end(), screen, out);
}

/// Prints `line` whole, or on a terminal as far as it fits.
pub(super) fn put_cut(line: &str, screen: Screen, out: &mut Vec<u8>) {
    match screen {
        Screen::Terminal(columns) if line.width() > columns => {
            let mut room = columns.saturating_sub(1);
            for c in line.chars() {
                let Some(left) = room.checked_sub(c.width().unwrap_or(0)) else { break };
                room = left;
                out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
            }
            out.extend_from_slice("…".as_bytes());
        }
        _ => out.extend_from_slice(line.as_bytes()),
    }
    out.push(b'\n');
}

/// Prints rows of `header.len()` cells each, aligned; every row is known.
pub(super) fn put_aligned(header: &[&str], rows: &[Vec<String>], screen: Screen, out: &mut Vec<u8>) {
    Aligned::default().put(header, rows, screen, out);
}

/// Rows that come in pieces, each known whole: the first brings the header, later ones make columns wider.
#[derive(Default)]
pub(super) struct Aligned {
    widths: Vec<usize>,
}

impl Aligned {
    /// Prints rows of `header.len()` cells each.
    pub(super) fn put(&mut self, header: &[&str], rows: &[Vec<String>], screen: Screen, out: &mut Vec<u8>) {
        let columns =
            header.iter().map(|name| Column { name: CimName::new(name), key: false, right: false }).collect::<Vec<_>>();
        let header = header.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        let escaped =
            |row: &Vec<String>| row.iter().map(|cell| escape_for_terminal(cell).into_owned()).collect::<Vec<_>>();
        let rows = rows.iter().map(escaped).collect::<Vec<_>>();
        let before = std::mem::take(&mut self.widths);
        let known = before.iter().copied().chain(std::iter::repeat(0));
        self.widths = widths_of(&header, &rows).into_iter().zip(known).map(|(width, known)| width.max(known)).collect();
        for row in before.is_empty().then_some(&header).into_iter().chain(&rows) {
            put_line(row, &columns, &self.widths, screen, out);
        }
    }
}
