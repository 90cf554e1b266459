//! Places: where the user was, how the page shown was reached, and the way back.
//!
//! Owns: the history behind back and forward, the trail of breadcrumbs along associations, and the few pages kept complete so
//! that going back asks for nothing. Must not know keys or which operation fetches what.

use super::{DetailTab, Pane, Source, State, Table, danger::Risk};
use crate::{
    cim::{Namespace, ObjectPath},
    op::SessionId,
};

/// The most places the history remembers.
const PLACES: usize = 200;
/// The most breadcrumbs a trail along associations has; the oldest go first.
const STOPS: usize = 12;
/// The most pages kept complete, and the most bytes their rows take in all.
const PAGES: usize = 8;
const PAGE_BYTES: usize = 64 << 20;

/// A place the history remembers.
#[derive(Clone, Debug, PartialEq)]
pub struct Place {
    /// The session.
    pub session: SessionId,
    /// The namespace.
    pub namespace: Namespace,
    /// Where the rows shown come from, if any are.
    pub source: Option<Source>,
    /// The instance, if it was opened.
    pub path: Option<ObjectPath>,
    /// The pane with the focus.
    pub pane: Pane,
    /// What the detail pane showed of the instance.
    pub tab: DetailTab,
    /// How it was reached along associations.
    pub trail: Vec<Stop>,
}

/// A breadcrumb of a trail: a page or an instance that was left along an association.
#[derive(Clone, Debug, PartialEq)]
pub struct Stop {
    /// Its text, escaped.
    pub text: String,
    /// Where the rows of its page come from, if it is one.
    pub source: Option<Source>,
    /// The instance left from.
    pub path: Option<ObjectPath>,
    /// The pane it leads to.
    pub pane: Pane,
    /// How many breadcrumbs of the trail lead to its page.
    pub before: usize,
}

impl State {
    /// The place shown, as the page's trail and the focus have it.
    pub(super) fn place(&self, session: SessionId, namespace: Namespace, source: Option<Source>, pane: Pane) -> Place {
        let (tab, trail) = (DetailTab::Properties, self.trail.clone());
        Place { session, namespace, source, path: None, pane, tab, trail }
    }

    /// Adds a place to the history after the present one; what was forward of it is gone.
    pub(super) fn remember(&mut self, place: Place) {
        if self.history.get(self.history_at) == Some(&place) {
            return;
        }
        if !self.history.is_empty() {
            self.history.truncate(self.history_at + 1);
        }
        self.history.push(place);
        if self.history.len() > PLACES {
            self.history.remove(0);
        }
        self.history_at = self.history.len() - 1;
    }

    /// Notes in the history which row of the present place was selected.
    pub(super) fn leave_place(&mut self) {
        let selected = |table: &Table| Some((table.source.clone(), table.selected_place().0, table.selected_path()?));
        let selected = self.table.as_ref().and_then(selected);
        if let (Some(place), Some((source, session, path))) = (self.history.get_mut(self.history_at), selected)
            && place.source == Some(source)
            && place.pane == Pane::Table
        {
            (place.session, place.path) = (session, Some(path));
        }
    }

    /// Goes `by` places through the history.
    pub(super) fn travel(&mut self, by: isize) {
        let Some(at) = self.history_at.checked_add_signed(by) else { return };
        let Some(place) = self.history.get(at).cloned() else { return };
        if self.sessions.get(place.session).is_none() {
            return;
        }
        if self.asks_again(place.session, &place.namespace, place.source.as_ref(), Risk::Travel(by)) {
            return;
        }
        self.leave_place();
        // Opening would add a place; the history is put aside for it.
        let history = std::mem::take(&mut self.history);
        self.arrive(place);
        self.history = history;
        self.history_at = at;
    }

    /// Goes where the breadcrumb `at` of the trail leads, as a new place; an instance is shown with its associations, from
    /// where it was left.
    pub(super) fn return_to(&mut self, at: usize) {
        let (Some(stop), Some(table)) = (self.trail.get(at).cloned(), &self.table) else { return };
        let (session, namespace) = (table.session, table.namespace.clone());
        if self.asks_again(session, &namespace, stop.source.as_ref(), Risk::Return(at)) {
            return;
        }
        let tab = if stop.pane == Pane::Detail { DetailTab::Associations } else { DetailTab::Properties };
        let trail = self.trail.get(..stop.before).unwrap_or_default().to_vec();
        let place = Place { session, namespace, source: stop.source, path: stop.path, pane: stop.pane, tab, trail };
        self.leave_place();
        let history = std::mem::take(&mut self.history);
        self.arrive(place.clone());
        self.history = history;
        self.remember(place);
    }

    fn arrive(&mut self, place: Place) {
        let Place { session, namespace, source, path, pane, tab, trail } = place;
        let shown = self.table.as_ref().zip(source.as_ref());
        let same = shown.is_some_and(|(table, source)| table.shows(session, &namespace, source));
        let mut there = true;
        match (source, path) {
            (None, None) => self.open_namespace(session, namespace),
            (None, Some(path)) => self.open_instance(session, namespace, path),
            (Some(source), path) if !same => {
                there = self.reopen(session, namespace, source, path);
            }
            (Some(_), path) => {
                if let (Some(table), Some(path)) = (&mut self.table, path) {
                    table.seek(session, &path);
                }
            }
        }
        self.trail = trail;
        self.focus = if pane == Pane::Detail && !there { Pane::Table } else { pane };
        self.detail.tab = if self.focus == Pane::Detail { tab } else { DetailTab::Properties };
    }

    /// Shows the page of `source` again: as it was left if it was kept, else read anew. Whether it was kept.
    fn reopen(&mut self, session: SessionId, namespace: Namespace, source: Source, path: Option<ObjectPath>) -> bool {
        let kept = self.kept.iter().position(|table| table.shows(session, &namespace, &source));
        let kept = kept.map(|at| self.kept.remove(at));
        let was_kept = kept.is_some();
        match kept {
            Some(mut table) => {
                if let Some(path) = &path {
                    table.seek(session, path);
                }
                table.show_again();
                self.show_page(table);
            }
            None => {
                self.open_page(session, namespace, source, "");
                if let Some(table) = &mut self.table {
                    table.want(session, path);
                }
            }
        }
        was_kept
    }

    /// Takes the page shown away. If it is complete and not too large, it is kept for coming back.
    pub(super) fn leave_page(&mut self) {
        let Some(table) = self.table.take() else { return };
        self.kept.retain(|kept| !kept.shows(table.session, &table.namespace, &table.source));
        if table.is_complete() && table.size() <= PAGE_BYTES {
            self.kept.push(table);
        }
        while self.kept.len() > PAGES || self.kept.iter().map(Table::size).sum::<usize>() > PAGE_BYTES {
            self.kept.remove(0);
        }
    }

    /// The breadcrumbs of the page shown, as the trail of a page reached from it along an association.
    pub(super) fn trail_from_here(&self) -> Vec<Stop> {
        let mut trail = self.trail.clone();
        let before = trail.len();
        let path = self.detail.path().cloned();
        let source = self.table.as_ref().map(|table| table.source.clone());
        if let Some(table) = &self.table {
            let text = super::state::short_title(&table.source);
            let stop = Stop { text, source: source.clone(), path: path.clone(), pane: Pane::Table, before };
            trail.push(stop);
        }
        if let Some(text) = self.instance_crumb() {
            trail.push(Stop { text, source, path, pane: Pane::Detail, before });
        }
        let dropped = trail.len().saturating_sub(STOPS);
        trail.drain(..dropped);
        trail.iter_mut().for_each(|stop| stop.before = stop.before.saturating_sub(dropped));
        trail
    }
}
