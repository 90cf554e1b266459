//! Tables for people.
//!
//! Owns: columns, widths and alignment. Widths come from the header and the first rows, held back until there are some or
//! nothing has come for a moment, so that rows appear while others are still on their way; a later value that is wider moves
//! the rest of its line. Must not wrap a line: a pipe gets it whole, a terminal gets it cut.

use std::{borrow::Cow, collections::HashMap};

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use super::{Columns, Printer, RowOptions, Screen};
use crate::cim::{
    CimName, CimType, CimValue, KeyValue,
    rows::{CellRef, RowBatch, Shape, ShapeId},
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
            Columns::Class(class) => {
                let wanted = |property: &&crate::cim::ClassProperty| !table.options.keys_only || property.is_key();
                let columns = class.properties.iter().filter(wanted).map(|property| Column {
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
                let widths = (0..columns.len()).map(|at| {
                    let cells = rows.iter().chain([&header]).filter_map(|row| row.get(at));
                    cells.map(|cell| cell.width()).max().unwrap_or(0).min(WIDEST_PADDING)
                });
                let widths = widths.collect::<Vec<_>>();
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

fn keys_first(mut columns: Vec<Column>) -> Vec<Column> {
    columns.sort_by_key(|column| !column.key);
    columns
}

impl Printer for Table {
    fn shape(&mut self, id: ShapeId, shape: &Shape) {
        let keys_only = self.options.keys_only;
        let columns = self.columns.get_or_insert_with(|| {
            if keys_only {
                let named = |name: &CimName| Column { name: name.clone(), key: true, right: false };
                return shape.path_keys.iter().map(named).collect();
            }
            let columns = shape.columns.iter().map(|column| Column {
                name: column.name.clone(),
                key: column.is_key,
                right: column.ty.is_some_and(CimType::is_numeric) && !column.is_array,
            });
            keys_first(columns.collect())
        });
        for column in columns.iter_mut() {
            // What `-p` names has no type before the first shape.
            if self.widths.is_none()
                && let Some(known) = shape.columns.iter().find(|known| known.name == column.name)
            {
                column.key |= known.is_key;
                column.right = known.ty.is_some_and(CimType::is_numeric) && !known.is_array;
            }
        }
        let positions = columns.iter().map(|column| {
            if keys_only {
                shape.path_keys.iter().position(|key| *key == column.name)
            } else {
                shape.position(&column.name)
            }
        });
        self.positions.insert(id, positions.collect());
    }

    fn row(&mut self, id: ShapeId, shape: &Shape, batch: &RowBatch, row: usize, out: &mut Vec<u8>) {
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
        self.waiting.push(cells.map(|cell| escape_for_terminal(&cell).into_owned()).collect());
        if self.widths.is_some() || self.waiting.len() >= ROWS_FOR_WIDTHS {
            self.flush(out);
        }
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
    let columns =
        header.iter().map(|name| Column { name: CimName::new(name), key: false, right: false }).collect::<Vec<_>>();
    let header = header.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
    let escaped = |row: &Vec<String>| row.iter().map(|cell| escape_for_terminal(cell).into_owned()).collect::<Vec<_>>();
    let rows = rows.iter().map(escaped).collect::<Vec<_>>();
    let widths = (0..columns.len()).map(|at| {
        let cells = rows.iter().chain([&header]).filter_map(|row| row.get(at));
        cells.map(|cell| cell.width()).max().unwrap_or(0).min(WIDEST_PADDING)
    });
    let widths = widths.collect::<Vec<_>>();
    for row in std::iter::once(&header).chain(&rows) {
        put_line(row, &columns, &widths, screen, out);
    }
}
