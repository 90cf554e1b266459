//! One class, or one instance.
//!
//! Owns: which printer a format takes, and the table of `get`. Must not print before the answer is whole: it is one thing.

use std::{collections::HashMap, sync::Arc};

use super::{Screen, SessionColumn, json, table::Aligned, without_host, xml};
use crate::{
    cim::{
        CimType,
        json::{write_class, write_qualifier_declaration, write_row},
        mof,
        rows::{CellRef, RowBatch, Shape, instance_of},
        text::cell_text,
    },
    cli::{
        args::{ClassFormat, GetFormat},
        operate::{Report, Whose},
    },
    op::{OpEventKind, SessionId},
};

/// Prints classes and qualifier types.
pub(in crate::cli) struct SchemaReport {
    format: ClassFormat,
    screen: Screen,
    frame: json::Writer,
    /// Set where more than one class may come.
    several: Option<xml::Frame>,
}

impl SchemaReport {
    /// A report of one class or qualifier type in `format`.
    pub(in crate::cli) fn new(format: ClassFormat, screen: Screen) -> Self {
        Self { format, screen, frame: json::Writer::new(json::Frame::Array), several: None }
    }

    /// A report of any number of them.
    pub(in crate::cli) fn several(format: ClassFormat, lines: bool, screen: Screen) -> Self {
        let frame = json::Writer::new(if lines { json::Frame::Lines } else { json::Frame::Array });
        Self { format, screen, frame, several: Some(xml::Frame::new(screen)) }
    }
}

impl Report for SchemaReport {
    fn event(&mut self, whose: Whose<'_>, kind: &OpEventKind, out: &mut Vec<u8>) {
        let item = match (kind, self.format) {
            (OpEventKind::Class(class), ClassFormat::Mof) => mof::print::class(class),
            (OpEventKind::Class(class), ClassFormat::Xml) => xml::class(class),
            (OpEventKind::Class(class), ClassFormat::Json) => {
                let mut object = String::new();
                write_class(&mut object, class);
                object
            }
            (OpEventKind::Qualifier(declaration), ClassFormat::Mof) => mof::print::qualifier_declaration(declaration),
            (OpEventKind::Qualifier(declaration), ClassFormat::Xml) => xml::qualifier_declaration(declaration),
            (OpEventKind::Qualifier(declaration), ClassFormat::Json) => {
                let mut object = String::new();
                write_qualifier_declaration(&mut object, declaration);
                object
            }
            _ => return,
        };
        match (self.format, &mut self.several) {
            (ClassFormat::Json, _) => self.frame.item(whose.name, &item, out),
            (ClassFormat::Xml, Some(frame)) => frame.item(&item, out),
            (ClassFormat::Mof, _) => put_mof(whose, &item, self.screen, out),
            (ClassFormat::Xml, None) => put_text(&item, self.screen, out),
        }
    }

    fn end(&mut self, out: &mut Vec<u8>) {
        match (self.format, &mut self.several) {
            (ClassFormat::Json, _) => self.frame.end(out),
            (ClassFormat::Xml, Some(frame)) => frame.end(out),
            _ => {}
        }
    }
}

/// Prints an instance of each session.
pub(in crate::cli) struct InstanceReport {
    format: GetFormat,
    screen: Screen,
    sessions: SessionColumn,
    shapes: HashMap<SessionId, Arc<Shape>>,
    frame: json::Writer,
    table: Aligned,
}

impl InstanceReport {
    /// A report in `format`.
    pub(in crate::cli) fn new(format: GetFormat, screen: Screen, sessions: SessionColumn) -> Self {
        let frame = if format == GetFormat::Ndjson { json::Frame::Lines } else { json::Frame::Array };
        let (shapes, table) = (HashMap::new(), Aligned::default());
        Self { format, screen, sessions, shapes, frame: json::Writer::new(frame), table }
    }

    fn print(&mut self, whose: Whose<'_>, shape: &Shape, batch: &RowBatch, row: usize, out: &mut Vec<u8>) {
        match self.format {
            GetFormat::Table => self.table(whose, shape, batch, row, out),
            GetFormat::Json | GetFormat::Ndjson => {
                let mut object = String::new();
                write_row(&mut object, shape, batch, row);
                self.frame.item(whose.name, &object, out);
            }
            GetFormat::Mof => put_mof(whose, &mof::print::instance(&instance_of(shape, batch, row)), self.screen, out),
            GetFormat::Xml => put_text(&xml::instance(&instance_of(shape, batch, row)), self.screen, out),
        }
    }

    fn table(&mut self, whose: Whose<'_>, shape: &Shape, batch: &RowBatch, row: usize, out: &mut Vec<u8>) {
        let rows = shape.columns.iter().enumerate().map(|(at, column)| {
            let cell = batch.cell(row, at);
            let value = match cell {
                CellRef::Text("") | CellRef::Untyped("") => "\"\"".to_owned(),
                CellRef::Absent => "(not sent)".to_owned(),
                cell => cell_text(cell, column.ty, "NULL", usize::MAX).into_owned(),
            };
            let ty = column.ty.map_or("?", CimType::keyword);
            let array = if column.is_array { "[]" } else { "" };
            let name = format!("{}{}", if column.is_key { "*" } else { "" }, column.name);
            whose.name.map(str::to_owned).into_iter().chain([name, format!("{ty}{array}"), value]).collect()
        });
        let header = self.sessions.header().into_iter().chain(["property", "type", "value"]).collect::<Vec<_>>();
        // A value is never cut here: this is where a person reads it whole.
        self.table.put(&header, &rows.collect::<Vec<_>>(), Screen::Stream, out);
    }
}

impl Report for InstanceReport {
    fn event(&mut self, whose: Whose<'_>, kind: &OpEventKind, out: &mut Vec<u8>) {
        match kind {
            OpEventKind::Shape(_, shape) => {
                self.shapes.insert(whose.session, without_host(shape));
            }
            OpEventKind::Rows(batch) => {
                let Some(shape) = self.shapes.get(&whose.session).cloned() else { return };
                for row in 0..batch.len() {
                    self.print(whose, &shape, batch, row, out);
                }
            }
            _ => {}
        }
    }

    fn leave(&mut self, session: SessionId) {
        self.shapes.remove(&session);
    }

    fn end(&mut self, out: &mut Vec<u8>) {
        if matches!(self.format, GetFormat::Json | GetFormat::Ndjson) {
            self.frame.end(out);
        }
    }
}

/// Prints a declaration in MOF, behind a comment that tells whose it is where several sessions answer.
fn put_mof(whose: Whose<'_>, text: &str, screen: Screen, out: &mut Vec<u8>) {
    if let Some(name) = whose.name {
        put_text(&format!("// session {name}"), screen, out);
    }
    put_text(text, screen, out);
}

/// Prints text of several lines; a terminal gets each line escaped, a stream gets it as it is.
pub(super) fn put_text(text: &str, screen: Screen, out: &mut Vec<u8>) {
    for line in text.trim_end_matches('\n').split('\n') {
        match screen {
            Screen::Terminal(_) => {
                out.extend_from_slice(crate::cim::text::escape_for_terminal(line).as_bytes());
            }
            Screen::Stream => out.extend_from_slice(line.as_bytes()),
        }
        out.push(b'\n');
    }
}
