//! Gathering what an enumeration will tell, before it is opened.
//!
//! Owns: which instances and values are kept, and how many may be. Must not know XML or protocols.

use std::collections::VecDeque;

use tokio::time::Instant;

use super::{
    enumeration::{Kept, Kind, Page, Refused, Shape, Takes, Told, VALUES_MAX},
    instances::{On, Stop, fail, located},
    provider::Row,
    query::Condition,
    repository::SchemaClass,
};
use crate::cim::{CimStatus, CimValue, ObjectPath};

/// An enumeration in the making.
pub(super) struct Gathering<'a> {
    pub(super) on: On<'a>,
    pub(super) shape: Shape,
    filter: Option<Condition>,
    rows: VecDeque<Kept>,
    values: usize,
}

impl<'a> Gathering<'a> {
    pub(super) fn new(on: On<'a>, shape: Shape, filter: Option<Condition>) -> Self {
        Self { on, shape, filter, rows: VecDeque::new(), values: 0 }
    }

    /// Keeps `row`, if the filter lets it through.
    pub(super) fn row(&mut self, class: &SchemaClass, row: &Row<'_>) -> Result<(), Stop> {
        self.row_at(class, row, located(self.on.schema, row.path()))
    }

    /// The same of a row that is known by `path`.
    pub(super) fn row_at(&mut self, class: &SchemaClass, row: &Row<'_>, path: ObjectPath) -> Result<(), Stop> {
        if self.filter.as_ref().is_some_and(|filter| !filter.holds(class, row.values())) {
            return Ok(());
        }
        let needs_none = matches!(self.shape.kind, Kind::Paths | Kind::WsMan(Told::Reference));
        let values = if needs_none { Vec::new() } else { self.asked_for(class, row) };
        self.keep(Kept { path, values })
    }

    /// The values of the properties that will be told; NULL stands in for the others.
    fn asked_for(&self, class: &SchemaClass, row: &Row<'_>) -> Vec<CimValue> {
        let properties = class.class().properties.iter().zip(row.values());
        let takes = |property: &crate::cim::ClassProperty| self.shape.takes(self.on.schema, &property.name);
        properties.map(|(property, value)| if takes(property) { value.clone() } else { CimValue::Null }).collect()
    }

    pub(super) fn keep(&mut self, kept: Kept) -> Result<(), Stop> {
        self.values += kept.size();
        if self.values > VALUES_MAX {
            return Err(full("the enumeration is larger than this server holds; enumerate without pulling"));
        }
        self.rows.push_back(kept);
        Ok(())
    }

    /// Opens it: the first of it as `takes` says, and the rest to be pulled.
    pub(super) fn open(self, takes: Takes<'_>, always: bool) -> Result<Page, Stop> {
        opened(self.on.enumerations.open(self.shape, self.rows, takes, always, Instant::now()))
    }
}

/// What a client is told of an enumeration that was not opened.
pub(super) fn opened(opened: Result<Page, Refused>) -> Result<Page, Stop> {
    opened.map_err(|refused| match refused {
        Refused::Full => full("too many enumerations are open here; close one, or wait until one expires"),
        Refused::NoContext => fail(CimStatus::FAILED, "no random numbers for an enumeration context"),
    })
}

fn full(what: &str) -> Stop {
    fail(CimStatus::SERVER_LIMITS_EXCEEDED, what)
}
