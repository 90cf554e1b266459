//! Opening things: the operations behind enter, unfold and refresh, and the history of places.
//!
//! Owns: which operation fetches what, and that a newer one for the same pane cancels the older. Must not know keys.

use std::sync::Arc;

use super::{
    Classes, Effect, Load, Pane, Place, State, Table,
    apply::{Asked, What},
};
use crate::{
    cim::{CimClass, CimName, Namespace, ObjectPath},
    op::{OpId, Operation, OperationKind, SessionId},
};

/// The most places the history remembers.
const PLACES: usize = 200;

impl State {
    fn run(
        &mut self,
        session: SessionId,
        namespace: Namespace,
        kind: OperationKind,
        what: What,
        refresh: bool,
    ) -> OpId {
        let op = self.ids.next();
        let mut operation = Operation::new(kind);
        operation.options.namespace = Some(namespace.clone());
        operation.options.refresh = refresh;
        self.operations.add(op, session, &operation, self.now);
        self.asked.insert(op, Asked { session, namespace, what });
        self.effects.push(Effect::Run { session, op, operation: Box::new(operation) });
        op
    }

    /// Cancels the operation a load waits for.
    fn supersede(&mut self, load: &Load) {
        if let Some(op) = load.operation() {
            self.effects.push(Effect::Cancel(op));
        }
    }

    /// Unfolds a session and lists its namespaces.
    pub(super) fn list_namespaces(&mut self, id: SessionId, refresh: bool) {
        let others = self
            .sessions
            .all()
            .iter()
            .filter_map(|session| session.load.operation().map(|_| (session.entry.id, session.load.clone())));
        for (other, load) in others.collect::<Vec<_>>() {
            self.supersede(&load);
            if let Some(session) = self.sessions.get_mut(other) {
                session.load = Load::Idle;
            }
        }
        let Some(default) = self.sessions.get(id).map(|session| session.entry.profile.target.namespace.clone()) else {
            return;
        };
        let op = self.run(id, default, OperationKind::EnumerateNamespaces, What::Namespaces, refresh);
        if let Some(session) = self.sessions.get_mut(id) {
            session.load = Load::Running(op);
            session.unfolded = true;
            session.stale = true;
        }
        self.sessions.lay_out();
    }

    /// Opens a namespace: its root classes are listed, unless they are there already.
    pub(super) fn open_namespace(&mut self, session: SessionId, namespace: Namespace) {
        self.leave_place();
        if !self.shows_namespace(session, &namespace) {
            self.leave_namespace();
            self.classes = Some(Classes::new(session, namespace.clone()));
            self.list_subclasses(None, false);
        } else if matches!(
            self.classes.as_ref().map(Classes::load),
            Some(Load::Idle | Load::Failed(_) | Load::Cancelled(_))
        ) {
            self.list_subclasses(None, false);
        }
        self.focus = Pane::Classes;
        self.remember(Place { session, namespace, class: None, path: None, pane: Pane::Classes });
    }

    fn shows_namespace(&self, session: SessionId, namespace: &Namespace) -> bool {
        self.classes.as_ref().is_some_and(|classes| (classes.session, &classes.namespace) == (session, namespace))
    }

    /// Cancels what the panes of the namespace shown wait for, and empties them.
    fn leave_namespace(&mut self) {
        let of_namespace = |asked: &Asked| !matches!(asked.what, What::Namespaces);
        let mut running =
            self.asked.iter().filter(|known| of_namespace(known.1)).map(|known| *known.0).collect::<Vec<_>>();
        running.sort_unstable();
        self.effects.extend(running.into_iter().map(Effect::Cancel));
        self.classes = None;
        self.table = None;
        self.detail.clear();
    }

    /// Lists the subclasses of `parent`, or the root classes.
    pub(super) fn list_subclasses(&mut self, parent: Option<CimName>, refresh: bool) {
        let Some(classes) = &mut self.classes else { return };
        let (session, namespace) = (classes.session, classes.namespace.clone());
        // Unfolding another class cancels the listing of the one before; the root's is only superseded by itself.
        let running = self.asked.iter().filter_map(|(op, asked)| match &asked.what {
            What::Subclasses(other) if other.is_some() == parent.is_some() => Some((*op, other.clone())),
            _ => None,
        });
        for (op, other) in running.collect::<Vec<_>>() {
            let below = classes.below_mut(other);
            if below.load.operation() == Some(op) {
                below.load = Load::Idle;
                self.effects.push(Effect::Cancel(op));
            }
        }
        let kind = OperationKind::EnumerateClasses { parent: parent.clone(), deep: false, names_only: true };
        let op = self.run(session, namespace, kind, What::Subclasses(parent.clone()), refresh);
        if let Some(classes) = &mut self.classes {
            let below = classes.below_mut(parent);
            below.load = Load::Running(op);
            below.unfolded = true;
            below.stale = true;
            classes.lay_out();
        }
    }

    /// Fetches every class name of the namespace for the flat list, once.
    pub(super) fn fetch_all_names(&mut self, refresh: bool) {
        let Some(classes) = &self.classes else { return };
        if !refresh && matches!(classes.all_load, Load::Running(_) | Load::Done) {
            return;
        }
        let (session, namespace, load) = (classes.session, classes.namespace.clone(), classes.all_load.clone());
        self.supersede(&load);
        let kind = OperationKind::EnumerateClasses { parent: None, deep: true, names_only: true };
        let op = self.run(session, namespace, kind, What::AllNames, refresh);
        if let Some(classes) = &mut self.classes {
            classes.all_load = Load::Running(op);
            classes.all.clear();
        }
    }

    /// Opens the instances of a class, with `filter`, and fetches the class for headings and descriptions.
    pub(super) fn open_class(&mut self, session: SessionId, namespace: Namespace, class: CimName, filter: &str) {
        self.leave_place();
        if !self.shows_namespace(session, &namespace) {
            self.leave_namespace();
            self.classes = Some(Classes::new(session, namespace.clone()));
            self.list_subclasses(None, false);
        }
        self.cancel_table();
        let mut table = Table::new(session, namespace.clone(), class.clone());
        table.set_filter(filter);
        if let Some(definition) = self.schema.get(session, &namespace, &class) {
            table.define(definition);
        }
        self.table = Some(table);
        self.detail.clear();
        self.classes.iter_mut().for_each(|classes| classes.follow(&class));
        self.focus = Pane::Table;
        self.need_class(session, &namespace, &class);
        self.enumerate(false);
        self.remember(Place { session, namespace, class: Some(class), path: None, pane: Pane::Table });
    }

    fn cancel_table(&mut self) {
        let loads = [self.table.as_ref().map(|table| table.load.clone()), Some(self.detail.load.clone())];
        for load in loads.into_iter().flatten() {
            self.supersede(&load);
        }
        self.detail.load = Load::Idle;
    }

    /// Enumerates the instances of the table's class.
    pub(super) fn enumerate(&mut self, refresh: bool) {
        let Some(table) = &mut self.table else { return };
        let (session, namespace, class, load) =
            (table.session, table.namespace.clone(), table.class.clone(), table.load.clone());
        if refresh {
            table.refresh();
        }
        self.supersede(&load);
        let kind = OperationKind::EnumerateInstances { class };
        let op = self.run(session, namespace, kind, What::Instances, refresh);
        if let Some(table) = &mut self.table {
            table.load = Load::Running(op);
        }
    }

    /// Fetches a class, unless it is known or on its way.
    pub(super) fn need_class(&mut self, session: SessionId, namespace: &Namespace, class: &CimName) {
        let coming = self.asked.values().any(|asked| {
            asked.session == session
                && asked.namespace == *namespace
                && matches!(&asked.what, What::Class(name) if name == class)
        });
        if coming || self.schema.get(session, namespace, class).is_some() {
            return;
        }
        let kind = OperationKind::GetClass { class: class.clone() };
        self.run(session, namespace.clone(), kind, What::Class(class.clone()), false);
    }

    /// The class of an instance for the detail pane: itself if it is known, else the table's, from which it inherits.
    pub(super) fn class_of(&self, session: SessionId, namespace: &Namespace, class: &CimName) -> Option<Arc<CimClass>> {
        let exact = self.schema.get(session, namespace, class);
        exact.or_else(|| self.table.as_ref().and_then(|table| table.definition().cloned()))
    }

    /// Fetches a class to show it as MOF.
    pub(super) fn fetch_mof(&mut self, class: CimName) {
        let Some(classes) = &self.classes else { return };
        let (session, namespace) = (classes.session, classes.namespace.clone());
        match self.schema.get(session, &namespace, &class) {
            Some(known) => self.show_class_mof(&known),
            None => {
                let kind = OperationKind::GetClass { class };
                self.run(session, namespace, kind, What::Mof, false);
            }
        }
    }

    /// Opens the instance at `path`: what the table has of it is shown at once, then fetched.
    pub(super) fn open_instance(&mut self, session: SessionId, namespace: Namespace, path: ObjectPath) {
        self.leave_place();
        if !self.shows_namespace(session, &namespace) {
            self.leave_namespace();
            self.classes = Some(Classes::new(session, namespace.clone()));
        }
        if self.detail.path() != Some(&path)
            && self.table.as_ref().is_none_or(|table| table.selected_path().as_ref() != Some(&path))
        {
            self.cancel_table();
            self.table = None;
            self.detail.clear();
        }
        self.focus = Pane::Detail;
        self.need_class(session, &namespace, &path.class);
        self.get_instance(session, namespace.clone(), path.clone(), false);
        let class = self.table.as_ref().map(|table| table.class.clone());
        self.remember(Place { session, namespace, class, path: Some(path), pane: Pane::Detail });
    }

    /// Fetches an instance into the detail pane.
    pub(super) fn get_instance(&mut self, session: SessionId, namespace: Namespace, path: ObjectPath, refresh: bool) {
        let load = self.detail.load.clone();
        self.supersede(&load);
        let what = What::Instance(path.clone(), Box::default());
        let op = self.run(session, namespace, OperationKind::GetInstance { path }, what, refresh);
        self.detail.load = Load::Running(op);
    }

    /// Adds a place to the history after the present one; what was forward of it is gone.
    fn remember(&mut self, place: Place) {
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
    fn leave_place(&mut self) {
        let selected = self.table.as_ref().and_then(|table| Some((table.class.clone(), table.selected_path()?)));
        if let (Some(place), Some((class, path))) = (self.history.get_mut(self.history_at), selected)
            && place.class == Some(class)
            && place.pane == Pane::Table
        {
            place.path = Some(path);
        }
    }

    /// Goes `by` places through the history.
    pub(super) fn travel(&mut self, by: isize) {
        let Some(at) = self.history_at.checked_add_signed(by) else { return };
        let Some(place) = self.history.get(at).cloned() else { return };
        if self.sessions.get(place.session).is_none() {
            return;
        }
        self.leave_place();
        // Opening would add a place; the history is put aside for it.
        let history = std::mem::take(&mut self.history);
        self.arrive(place);
        self.history = history;
        self.history_at = at;
    }

    fn arrive(&mut self, place: Place) {
        let same = self.table.as_ref().is_some_and(|table| {
            (table.session, &table.namespace, Some(&table.class))
                == (place.session, &place.namespace, place.class.as_ref())
        });
        match (place.class, place.path) {
            (None, None) => self.open_namespace(place.session, place.namespace),
            (None, Some(path)) => self.open_instance(place.session, place.namespace, path),
            (Some(class), path) if !same => {
                self.open_class(place.session, place.namespace, class, "");
                if let Some(table) = &mut self.table {
                    table.want(path);
                }
            }
            (Some(_), _) => {}
        }
        self.focus = if place.pane == Pane::Detail && !same { Pane::Table } else { place.pane };
    }
}
