//! CSV by RFC 4180.
//!
//! Owns: the header, quoting, and the difference between NULL (empty) and an empty string (`""`), which the csv crate's
//! writer cannot make. Must not change its columns once the header is out.

use std::collections::HashMap;

use super::{Columns, Printer, Row, RowOptions, Screen, merged, table::key_text};
use crate::cim::{
    CimName, CimType, CimValue, KeyValue,
    json::write_value,
    rows::{CellRef, Shape, ShapeId},
    text::{char16_text, escape_for_terminal, real_text},
};

/// Rows as CSV.
pub(super) struct Csv {
    options: RowOptions,
    columns: Option<Vec<CimName>>,
    positions: HashMap<ShapeId, Vec<Option<usize>>>,
    header_printed: bool,
}

impl Csv {
    /// Nothing printed yet.
    pub(super) fn new(options: RowOptions) -> Self {
        let columns = match &options.columns {
            Columns::Classes(classes) => {
                let properties = merged(classes, options.keys_only);
                Some(properties.into_iter().map(|property| property.name.clone()).collect::<Vec<_>>())
            }
            Columns::Named(names) if !options.keys_only => Some(names.clone()),
            Columns::Named(_) | Columns::FirstShape => None,
        };
        let columns = columns.filter(|columns| !columns.is_empty());
        Self { options, columns, positions: HashMap::new(), header_printed: false }
    }

    fn header(&mut self, out: &mut Vec<u8>) {
        if let (Some(columns), false) = (&self.columns, self.header_printed) {
            let names = self.options.sessions.header().into_iter().chain(columns.iter().map(CimName::as_str));
            put_record(names.map(|name| Some(name.to_owned())), self.options.screen, out);
            self.header_printed = true;
        }
    }
}

impl Printer for Csv {
    fn shape(&mut self, id: ShapeId, shape: &Shape) {
        let keys_only = self.options.keys_only;
        let columns = self.columns.get_or_insert_with(|| {
            if keys_only {
                shape.path_keys.clone()
            } else {
                shape.columns.iter().map(|column| column.name.clone()).collect()
            }
        });
        let positions = columns.iter().map(|name| {
            if keys_only { shape.path_keys.iter().position(|key| key == name) } else { shape.position(name) }
        });
        self.positions.insert(id, positions.collect());
    }

    fn row(&mut self, row: Row<'_>, out: &mut Vec<u8>) {
        let Row { session, id, shape, batch, at: row } = row;
        self.header(out);
        let Some(positions) = self.positions.get(&id) else { return };
        let keys = if self.options.keys_only { batch.keys(row) } else { Vec::new() };
        let fields = positions.iter().map(|position| {
            let at = (*position)?;
            if self.options.keys_only {
                return keys.get(at).map(key_field);
            }
            let ty = shape.columns.get(at).and_then(|column| column.ty);
            field(batch.cell(row, at), ty)
        });
        let session = session.map(|name| Some(name.to_owned()));
        put_record(session.into_iter().chain(fields), self.options.screen, out);
    }

    fn forget(&mut self, id: ShapeId) {
        self.positions.remove(&id);
    }

    fn end(&mut self, out: &mut Vec<u8>) {
        self.header(out);
    }
}

fn key_field(key: &KeyValue) -> String {
    match key {
        KeyValue::String(text) => text.to_string(),
        other => key_text(other),
    }
}

/// The text of a field; `None` is NULL or not there.
fn field(cell: CellRef<'_>, ty: Option<CimType>) -> Option<String> {
    Some(match cell {
        CellRef::Absent | CellRef::Null => return None,
        CellRef::Bool(value) => value.to_string(),
        CellRef::UInt(value) => value.to_string(),
        CellRef::SInt(value) => value.to_string(),
        CellRef::Real(value) => real_text(value, ty.unwrap_or(CimType::Real64)),
        CellRef::Char16(value) => char16_text(value),
        CellRef::Text(text) | CellRef::Untyped(text) => text.to_owned(),
        CellRef::DateTime(value) => value.to_string(),
        CellRef::Value(value) => value_field(value, ty),
        CellRef::Packed(packed) => value_field(&packed.value(), ty),
    })
}

fn value_field(value: &CimValue, ty: Option<CimType>) -> String {
    if let CimValue::Reference(path) = value {
        return path.to_string();
    }
    let mut text = String::new();
    write_value(&mut text, value, ty);
    text
}

/// Prints one record, ended by CRLF.
pub(super) fn put_record(fields: impl Iterator<Item = Option<String>>, screen: Screen, out: &mut Vec<u8>) {
    for (at, field) in fields.enumerate() {
        if at > 0 {
            out.push(b',');
        }
        let Some(text) = field else { continue };
        let text = match screen {
            Screen::Terminal(_) => escape_for_terminal(&text).into_owned(),
            Screen::Stream => text,
        };
        // Spaces at the ends are quoted too: some readers trim what is not.
        let plain = !text.is_empty() && !text.contains([',', '"', '\r', '\n']) && text.trim() == text;
        if plain {
            out.extend_from_slice(text.as_bytes());
        } else {
            out.push(b'"');
            out.extend_from_slice(text.replace('"', "\"\"").as_bytes());
            out.push(b'"');
        }
    }
    out.extend_from_slice(b"\r\n");
}
