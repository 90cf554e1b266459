//! Lists of namespaces and of class names.
//!
//! Owns: their columns and objects in every format. Must not wait for the end: names are printed as they come.

use super::{Screen, csv::put_record, json, table::put_cut};
use crate::{
    cim::{
        CimName, Namespace,
        json::{write_class_name, write_namespace},
        text::escape_for_terminal,
    },
    cli::{args::RowFormat, operate::Report},
    op::{Names, OpEventKind},
};

/// The report of an operation that answers names.
pub(in crate::cli) struct NamesReport {
    format: RowFormat,
    screen: Screen,
    /// The namespace of class names; `None` where namespaces are listed.
    namespace: Option<Namespace>,
    frame: json::Writer,
    header_printed: bool,
}

impl NamesReport {
    /// A report of class names of `namespace`, or of namespaces where there is none.
    pub(in crate::cli) fn new(format: RowFormat, screen: Screen, namespace: Option<Namespace>) -> Self {
        let frame = if format == RowFormat::Ndjson { json::Frame::Lines } else { json::Frame::Array };
        Self { format, screen, namespace, frame: json::Writer::new(frame), header_printed: false }
    }

    fn header(&mut self, out: &mut Vec<u8>) {
        if std::mem::replace(&mut self.header_printed, true) {
            return;
        }
        let last = if self.namespace.is_some() { "class" } else { "namespace" };
        match self.format {
            RowFormat::Table => put_cut(last, self.screen, out),
            RowFormat::Csv => {
                let first = self.namespace.is_some().then_some("namespace");
                put_record(first.into_iter().chain([last]).map(|name| Some(name.to_owned())), self.screen, out);
            }
            RowFormat::Json | RowFormat::Ndjson => {}
        }
    }

    fn name(&mut self, name: &str, out: &mut Vec<u8>) {
        self.header(out);
        match self.format {
            RowFormat::Table => put_cut(&escape_for_terminal(name), self.screen, out),
            RowFormat::Csv => {
                let first = self.namespace.as_ref().map(|namespace| namespace.to_string());
                put_record(first.into_iter().chain([name.to_owned()]).map(Some), self.screen, out);
            }
            RowFormat::Json | RowFormat::Ndjson => {
                let mut object = String::new();
                match &self.namespace {
                    Some(namespace) => write_class_name(&mut object, namespace, &CimName::new(name)),
                    None => write_namespace(&mut object, &Namespace::new(name)),
                }
                self.frame.item(&object, out);
            }
        }
    }
}

impl Report for NamesReport {
    fn event(&mut self, kind: &OpEventKind, out: &mut Vec<u8>) {
        match kind {
            OpEventKind::Names(Names::Namespaces(names)) => {
                names.iter().for_each(|name| self.name(name.as_str(), out));
            }
            OpEventKind::Names(Names::Classes(names)) => names.iter().for_each(|name| self.name(name.as_str(), out)),
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
