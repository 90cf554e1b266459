//! Tables read from several sessions at once: the rows of each, marked with where they came from.
//!
//! Owns: [`Member`], which session a row belongs to, how reading all of them stands. Must not know which operations run.

use std::sync::Arc;

use super::{Load, Source, Table};
use crate::{
    cim::{
        Namespace,
        rows::{RowBatch, RowStore, Shape, ShapeId},
    },
    op::{Limits, OpError, OpId, SessionId},
};

/// A session a table is read from.
#[derive(Clone, Debug)]
pub struct Member {
    /// The session.
    pub session: SessionId,
    /// The namespace it is asked in.
    pub namespace: Namespace,
    /// Its id, as the first column shows it; raw.
    pub name: Arc<str>,
    /// How reading from it stands. Idle: its turn has not come.
    pub load: Load,
    /// The shapes of its answer by the numbers they have in the table.
    shapes: Vec<ShapeId>,
}

impl Member {
    pub(super) fn new(session: SessionId, namespace: Namespace, name: &str) -> Self {
        Self { session, namespace, name: name.into(), load: Load::Idle, shapes: Vec::new() }
    }
}

impl Table {
    /// An empty table of `source`, read from `members`: at least one.
    pub(super) fn of_members(source: Source, members: Vec<Member>) -> Option<Self> {
        let first = members.first()?;
        let mut table = Self::new(first.session, first.namespace.clone(), source);
        table.members = members;
        table.store = table.empty_store();
        Some(table)
    }

    /// The sessions it is read from; none where it is read from one alone.
    pub fn members(&self) -> &[Member] {
        &self.members
    }

    /// Whether it is read from several sessions.
    pub const fn is_merged(&self) -> bool {
        matches!(self.source, Source::Tag(_))
    }

    /// Whether it is the page of `source`. Of a tag there is one, whichever of its sessions is meant.
    pub(super) fn shows(&self, session: SessionId, namespace: &Namespace, source: &Source) -> bool {
        self.source == *source && (self.is_merged() || (self.session, &self.namespace) == (session, namespace))
    }

    pub(super) fn empty_store(&self) -> RowStore {
        if self.is_merged() { RowStore::merged() } else { RowStore::default() }
    }

    /// Where the row was read.
    pub(super) fn place_of(&self, row: usize) -> (SessionId, Namespace) {
        let origin = self.store.origin(row);
        let member = origin.and_then(|name| self.members.iter().find(|member| member.name == *name));
        let place = member.map_or((self.session, &self.namespace), |member| (member.session, &member.namespace));
        (place.0, place.1.clone())
    }

    /// Where the selected row was read; of a table without rows, where the first would be.
    pub fn selected_place(&self) -> (SessionId, Namespace) {
        match self.selected_row() {
            Some(row) => self.place_of(row as usize),
            None => (self.session, self.namespace.clone()),
        }
    }

    /// The operations that read it.
    pub(super) fn operations(&self) -> Vec<OpId> {
        match self.is_merged() {
            true => self.members.iter().filter_map(|member| member.load.operation()).collect(),
            false => self.load.operation().into_iter().collect(),
        }
    }

    /// Whether `op` reads it.
    pub(super) fn waits_for(&self, op: OpId) -> bool {
        match self.is_merged() {
            true => self.members.iter().any(|member| member.load.operation() == Some(op)),
            false => self.load.operation() == Some(op),
        }
    }

    pub(super) fn member_of(&mut self, op: OpId) -> Option<&mut Member> {
        self.members.iter_mut().find(|member| member.load.operation() == Some(op))
    }

    /// Takes in a shape of the rows `op` reads.
    pub(super) fn add_shape_of(&mut self, op: OpId, id: ShapeId, shape: Arc<Shape>) {
        if !self.is_merged() {
            self.add_shape(id, shape);
            return;
        }
        let store = self.incoming.as_mut().unwrap_or(&mut self.store);
        let Some(member) = self.members.iter_mut().find(|member| member.load.operation() == Some(op)) else { return };
        match member.shapes.get(id.0 as usize) {
            Some(known) => store.add_shape(*known, shape),
            // One that leaves a gap is ignored, and its rows with it, as in any result.
            None if id.0 as usize == member.shapes.len() => {
                member.shapes.push(store.add_shape_from(Arc::clone(&member.name), shape));
            }
            None => {}
        }
        self.shape_added();
    }

    /// Takes in rows `op` read; true once a limit is reached and no more are kept.
    pub(super) fn add_rows_of(&mut self, op: OpId, mut batch: RowBatch, limits: &Limits) -> bool {
        if let Some(member) = self.member_of(op) {
            batch.renumber(&member.shapes);
        }
        self.add_rows(batch, limits)
    }

    /// Begins reading all members: each waits for its turn.
    pub(super) fn begin_members(&mut self) {
        for member in &mut self.members {
            (member.load, member.shapes) = (Load::Idle, Vec::new());
        }
    }

    /// Members whose turn has not come are not read any more.
    pub(super) fn stop_members(&mut self) {
        if !self.is_merged() {
            return;
        }
        let waiting = self.members.iter_mut().filter(|member| matches!(member.load, Load::Idle));
        waiting.for_each(|member| member.load = Load::Cancelled(None));
        self.sum_up();
    }

    /// How reading stands in all: running while any member is; failed if all have; cancelled if any was; else done.
    pub(super) fn sum_up(&mut self) {
        let loads = || self.members.iter().map(|member| &member.load);
        let running = loads().find(|load| load.is_running());
        let cancelled = loads().find(|load| matches!(load, Load::Cancelled(_)));
        let good = loads().find(|load| !matches!(load, Load::Failed(_)));
        let load = running.or(cancelled).or(good).or_else(|| loads().next());
        self.load = load.cloned().unwrap_or_default();
    }

    /// How many members have answered, well or not.
    pub fn answered(&self) -> usize {
        self.members.iter().filter(|member| !matches!(member.load, Load::Idle | Load::Running(_))).count()
    }

    /// The members that could not be read to the end, and why.
    pub fn troubles(&self) -> impl Iterator<Item = (&Member, &Arc<OpError>)> {
        self.members.iter().filter_map(|member| match &member.load {
            Load::Failed(error) => Some((member, error)),
            _ => None,
        })
    }

    /// How many lines below the rows tell of troubles, where rows and they have `height` lines.
    pub fn trouble_lines(&self, height: usize) -> usize {
        self.troubles().count().min(TROUBLES).min(height / 3)
    }
}

/// The most lines that tell of troubles.
const TROUBLES: usize = 3;
