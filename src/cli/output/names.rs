//! Lists of namespaces and of class names.
//!
//! Owns: their columns and objects in every format. Must not wait for the end: names are printed as they come.

use super::{Screen, SessionColumn, csv::put_record, json, table::put_cut};
use crate::{
    cim::{
        CimName, Namespace,
        json::{write_class_name, write_namespace},
        text::escape_for_terminal,
    },
    cli::{
        args::RowFormat,
        operate::{Report, Whose},
    },
    op::{Names, OpEventKind},
};

/// The report of operations that answer names.
pub(in crate::cli) struct NamesReport {
    format: RowFormat,
    screen: Screen,
    sessions: SessionColumn,
    /// Of classes; else of namespaces.
    of_classes: bool,
    /// Where the classes are, if not in the namespace of their session.
    namespace: Option<Namespace>,
    frame: json::Writer,
    header_printed: bool,
}

impl NamesReport {
    /// A report of namespaces.
    pub(in crate::cli) fn namespaces(format: RowFormat, screen: Screen, sessions: SessionColumn) -> Self {
        let frame = if format == RowFormat::Ndjson { json::Frame::Lines } else { json::Frame::Array };
        let frame = json::Writer::new(frame);
        Self { format, screen, sessions, of_classes: false, namespace: None, frame, header_printed: false }
    }

    /// A report of class names, of `namespace` or else of each session's.
    pub(in crate::cli) fn classes(
        format: RowFormat,
        screen: Screen,
        sessions: SessionColumn,
        namespace: Option<Namespace>,
    ) -> Self {
        Self { of_classes: true, namespace, ..Self::namespaces(format, screen, sessions) }
    }

    fn header(&mut self, out: &mut Vec<u8>) {
        if std::mem::replace(&mut self.header_printed, true) {
            return;
        }
        let last = if self.of_classes { "class" } else { "namespace" };
        let session = self.sessions.header();
        match self.format {
            RowFormat::Table => put_cut(&self.sessions.before(session, last), self.screen, out),
            RowFormat::Csv => {
                let namespace = self.of_classes.then_some("namespace");
                let names = session.into_iter().chain(namespace).chain([last]);
                put_record(names.map(|name| Some(name.to_owned())), self.screen, out);
            }
            RowFormat::Json | RowFormat::Ndjson => {}
        }
    }

    fn name(&mut self, whose: Whose<'_>, name: &str, out: &mut Vec<u8>) {
        self.header(out);
        let namespace = self.namespace.as_ref().unwrap_or(whose.namespace);
        match self.format {
            RowFormat::Table => {
                let line = self.sessions.before(whose.name, name);
                put_cut(&escape_for_terminal(&line), self.screen, out);
            }
            RowFormat::Csv => {
                let namespace = self.of_classes.then_some(namespace.as_str());
                let fields = whose.name.into_iter().chain(namespace).chain([name]);
                put_record(fields.map(|field| Some(field.to_owned())), self.screen, out);
            }
            RowFormat::Json | RowFormat::Ndjson => {
                let mut object = String::new();
                if self.of_classes {
                    write_class_name(&mut object, namespace, &CimName::new(name));
                } else {
                    write_namespace(&mut object, &Namespace::new(name));
                }
                self.frame.item(whose.name, &object, out);
            }
        }
    }
}

impl Report for NamesReport {
    fn event(&mut self, whose: Whose<'_>, kind: &OpEventKind, out: &mut Vec<u8>) {
        match kind {
            OpEventKind::Names(Names::Namespaces(names)) => {
                names.iter().for_each(|name| self.name(whose, name.as_str(), out));
            }
            OpEventKind::Names(Names::Classes(names)) => {
                names.iter().for_each(|name| self.name(whose, name.as_str(), out));
            }
            _ => {}
        }
    }

    fn end(&mut self, out: &mut Vec<u8>) {
        self.header(out);
        if matches!(self.format, RowFormat::Json | RowFormat::Ndjson) {
            self.frame.end(out);
        }
    }
}
