//! Opening things: the operations behind enter, unfold and refresh.
//!
//! Owns: which operation fetches what, and that a newer one for the same pane cancels the older. Must not know keys.

use std::sync::Arc;

use super::{
    Classes, DetailTab, Effect, Load, Pane, Place, Source, State, Table,
    apply::{Asked, What, not_supported},
};
use crate::{
    cim::{CimClass, CimName, Namespace, ObjectPath},
    op::{OpId, Operation, OperationKind, SessionId},
    session::preset::Preset,
};

impl State {
    pub(super) fn run(
        &mut self,
        session: SessionId,
        namespace: Namespace,
        kind: OperationKind,
        what: What,
        refresh: bool,
    ) -> OpId {
        self.start(session, namespace, Operation::new(kind), what, refresh)
    }

    /// Starts an operation whose answers `what` takes.
    pub(super) fn start(
        &mut self,
        session: SessionId,
        namespace: Namespace,
        mut operation: Operation,
        what: What,
        refresh: bool,
    ) -> OpId {
        self.open_session(session);
        let op = self.ids.next();
        operation.options.namespace = Some(namespace.clone());
        operation.options.refresh = refresh;
        self.operations.add(op, session, &operation, self.now);
        self.asked.insert(op, Asked { session, namespace, what });
        self.effects.push(Effect::Run { session, op, operation: Box::new(operation) });
        op
    }

    /// Cancels the operation a load waits for.
    pub(super) fn supersede(&mut self, load: &Load) {
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
            session.begin_with_known_namespaces();
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
            self.classes = Some(self.classes_of(session, &namespace));
            self.list_subclasses(None, false);
        } else if matches!(
            self.classes.as_ref().map(Classes::load),
            Some(Load::Idle | Load::Failed(_) | Load::Cancelled(_))
        ) {
            self.list_subclasses(None, false);
        }
        self.focus = Pane::Classes;
        self.remember(self.place(session, namespace, None, Pane::Classes));
    }

    /// An empty pane of classes; above them the bookmarks of the session's preset, in the namespaces it begins with.
    fn classes_of(&self, session: SessionId, namespace: &Namespace) -> Classes {
        let known = self.sessions.get(session).and_then(|session| session.entry.profile.target.preset);
        let begins = |preset: &&Preset| preset.namespaces.is_empty() || preset.namespaces.contains(namespace);
        let bookmarks = known.filter(begins).map(|preset| preset.bookmarks.clone()).unwrap_or_default();
        Classes::new(session, namespace.clone()).with_bookmarks(bookmarks)
    }

    pub(super) fn shows_namespace(&self, session: SessionId, namespace: &Namespace) -> bool {
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
        self.leave_page();
        self.trail.clear();
        self.detail.clear();
    }

    /// Makes `namespace` the one the panes are about.
    fn enter_namespace(&mut self, session: SessionId, namespace: &Namespace) {
        if !self.shows_namespace(session, namespace) {
            self.leave_namespace();
            self.classes = Some(self.classes_of(session, namespace));
            self.list_subclasses(None, false);
        }
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
        // A server that lists no top-level classes lists no others.
        let refused = matches!(classes.load(), Load::Failed(error) if not_supported(error));
        if !refresh && (refused || matches!(classes.all_load, Load::Running(_) | Load::Done)) {
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
        self.open_source(session, namespace, Source::Class(class), filter);
    }

    /// Opens the rows of `source`, with `filter`, on a page whose trail is set already.
    pub(super) fn open_page(&mut self, session: SessionId, namespace: Namespace, source: Source, filter: &str) {
        let trail = std::mem::take(&mut self.trail);
        let mut table = self.table_for(session, &namespace, &source);
        table.set_filter(filter);
        if let Some(definition) = source.class().and_then(|class| self.schema.get(session, &namespace, class)) {
            table.define(definition);
        }
        self.leave_place();
        self.show_page(table);
        self.trail = trail;
        if let Some(class) = source.class() {
            self.need_class(session, &namespace, class);
        }
        self.enumerate(false);
        self.remember(self.place(session, namespace, Some(source), Pane::Table));
    }

    /// Puts a page in the place of the one shown.
    pub(super) fn show_page(&mut self, table: Table) {
        // The panes of one session say nothing of several.
        if !table.is_merged() {
            self.enter_namespace(table.session, &table.namespace);
        }
        self.cancel_table();
        self.leave_page();
        self.detail.clear();
        self.detail.tab = DetailTab::Properties;
        if let Some(class) = table.source.class() {
            self.classes.iter_mut().for_each(|classes| classes.follow(class));
        }
        self.table = Some(table);
        self.focus = Pane::Table;
    }

    fn cancel_table(&mut self) {
        self.cancel_rows();
        let load = std::mem::take(&mut self.detail.load);
        self.supersede(&load);
    }

    /// Reads the rows of the table.
    pub(super) fn enumerate(&mut self, refresh: bool) {
        self.cancel_rows();
        let Some(table) = &mut self.table else { return };
        let (session, namespace) = (table.session, table.namespace.clone());
        let operation = table.source.operation();
        if refresh {
            table.refresh();
        }
        if table.is_merged() {
            return self.read_members(refresh);
        }
        let op = self.start(session, namespace, operation, What::Instances { refresh }, refresh);
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
        let known = self.sessions.get(session);
        let refused = known.is_some_and(|session| session.tells_no_classes);
        if coming || refused || self.schema.get(session, namespace, class).is_some() {
            return;
        }
        let kind = OperationKind::GetClass { class: class.clone() };
        self.run(session, namespace.clone(), kind, What::Class(class.clone()), false);
    }

    /// The class of an instance for the detail pane: itself if it is known, else the table's, from which it inherits.
    pub(super) fn class_of(&self, session: SessionId, namespace: &Namespace, class: &CimName) -> Option<Arc<CimClass>> {
        let exact = self.schema.get(session, namespace, class);
        let of_class = self.table.as_ref().filter(|table| table.source.class().is_some() || table.is_merged());
        exact.or_else(|| of_class.and_then(|table| table.definition().cloned()))
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
        let selected = self.table.as_ref().filter(|table| table.selected_path().as_ref() == Some(&path));
        let of_several = selected.is_some_and(|table| table.is_merged() && table.selected_place().0 == session);
        if !of_several && !self.shows_namespace(session, &namespace) {
            self.leave_namespace();
            self.classes = Some(self.classes_of(session, &namespace));
        }
        if self.detail.path() != Some(&path)
            && self.table.as_ref().is_none_or(|table| table.selected_path().as_ref() != Some(&path))
        {
            self.cancel_table();
            self.leave_page();
            self.trail.clear();
            self.detail.clear();
        }
        self.focus = Pane::Detail;
        self.detail.tab = DetailTab::Properties;
        self.need_class(session, &namespace, &path.class);
        self.get_instance(session, namespace.clone(), path.clone(), false);
        let source = self.table.as_ref().map(|table| table.source.clone());
        let place = self.place(session, namespace, source, Pane::Detail);
        self.remember(Place { path: Some(path), ..place });
    }

    /// Fetches an instance into the detail pane.
    pub(super) fn get_instance(&mut self, session: SessionId, namespace: Namespace, path: ObjectPath, refresh: bool) {
        let load = self.detail.load.clone();
        self.supersede(&load);
        let what = What::Instance(path.clone(), Box::default());
        let op = self.run(session, namespace, OperationKind::GetInstance { path }, what, refresh);
        self.detail.load = Load::Running(op);
    }
}
