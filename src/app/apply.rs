//! What events do to the state.
//!
//! Owns: [`State::apply`], which operation was asked for what, and the folding of its answers into the panes. An answer of an
//! operation that is not the one its pane waits for is dropped.

use std::sync::Arc;

use super::{Effect, Layer, Level, Load, LogEntry, SecretPrompt, Source, State, display};
use crate::{
    cim::{
        CimClass, CimName, CimStatus, Namespace, ObjectPath,
        rows::{RowStore, Shape, ShapeId},
    },
    op::{ErrorKind, Names, OpError, OpEvent, OpEventKind, OpId, SessionId},
};

/// What an operation was asked for.
#[derive(Debug)]
pub(super) struct Asked {
    pub(super) session: SessionId,
    pub(super) namespace: Namespace,
    pub(super) what: What,
}

/// The answer a pane waits for.
#[derive(Debug)]
pub(super) enum What {
    /// The namespaces of the session.
    Namespaces,
    /// The subclasses of a class, or the root classes.
    Subclasses(Option<CimName>),
    /// Every class name of the namespace.
    AllNames,
    /// The rows of the table, or those of one session of it.
    Instances {
        /// They replace rows read before.
        refresh: bool,
    },
    /// The instance of the detail pane; its rows arrive here.
    Instance(ObjectPath, Box<RowStore>),
    /// A class, for headings and descriptions.
    Class(CimName),
    /// A class to be shown as MOF.
    Mof,
    /// Whether the session's server answers.
    Test,
    /// Whether what is typed in the form connects.
    Trial,
    /// The associations of an instance, as paths; their shapes.
    References(ObjectPath, Vec<Arc<Shape>>),
    /// The far ends of an instance's associations of a class, as paths; their shapes.
    FarEnds(ObjectPath, CimName, Vec<Arc<Shape>>),
}

/// How an operation ended, for its pane.
pub(super) enum End {
    Done,
    Failed(Arc<OpError>),
    Cancelled(Option<String>),
}

impl End {
    pub(super) fn load(&self) -> Load {
        match self {
            Self::Done => Load::Done,
            Self::Failed(error) => Load::Failed(Arc::clone(error)),
            Self::Cancelled(left_open) => Load::Cancelled(left_open.clone()),
        }
    }
}

const fn of_tree(what: &What) -> bool {
    matches!(what, What::References(..) | What::FarEnds(..))
}

/// Whether the server said that it does not have the operation.
pub(super) fn not_supported(error: &OpError) -> bool {
    match &error.kind {
        ErrorKind::Cim(error) => error.status == CimStatus::NOT_SUPPORTED,
        kind => *kind == ErrorKind::NotSupported,
    }
}

impl State {
    /// Takes in what an operation told. Events of unknown and of ended operations are dropped.
    pub fn apply(&mut self, event: OpEvent) -> Vec<Effect> {
        if self.operations.apply(&event, self.now) {
            self.take_in(event.op, event.kind);
            self.settle();
        }
        std::mem::take(&mut self.effects)
    }

    fn take_in(&mut self, op: OpId, kind: OpEventKind) {
        match kind {
            OpEventKind::SecretNeeded { user, again } => self.secret_needed(op, &user, again),
            OpEventKind::Shape(id, shape) => self.shape_came(op, id, shape),
            OpEventKind::Rows(batch) => match self.asked.get_mut(&op).map(|asked| &mut asked.what) {
                Some(What::Instances { .. }) => {
                    let limits = self.limits;
                    if self.table_of(op, |table| table.add_rows_of(op, batch, &limits)) == Some(true) {
                        self.cancel_rows();
                    }
                }
                Some(What::Instance(_, rows)) if rows.is_empty() => {
                    rows.push(batch);
                    self.instance_came(op);
                }
                Some(What::References(..) | What::FarEnds(..)) => self.paths_came(op, &batch),
                _ => {}
            },
            OpEventKind::Names(Names::Namespaces(names)) => self.namespaces_came(op, names),
            OpEventKind::Names(Names::Classes(names)) => self.classes_came(op, names),
            OpEventKind::Class(class) => self.class_came(op, class),
            OpEventKind::Warning(warning) => self.note_error(op, warning, Level::Warning, false),
            OpEventKind::Finished(_) => self.ended(op, &End::Done),
            OpEventKind::Failed(error) => self.ended(op, &End::Failed(error)),
            OpEventKind::Cancelled { left_open } => self.ended(op, &End::Cancelled(left_open)),
            _ => {}
        }
    }

    /// Does `change` to the table if it waits for `op`.
    fn table_of<T>(&mut self, op: OpId, change: impl FnOnce(&mut super::Table) -> T) -> Option<T> {
        self.table.as_mut().filter(|table| table.waits_for(op)).map(change)
    }

    fn shape_came(&mut self, op: OpId, id: ShapeId, shape: Arc<Shape>) {
        match self.asked.get_mut(&op).map(|asked| &mut asked.what) {
            Some(What::Instances { .. }) => {
                let told = self.table_of(op, |table| {
                    let first = table.class().is_none();
                    let merged = table.is_merged() && table.store.shapes().is_empty();
                    table.add_shape_of(op, id, shape);
                    if let Some(member) = table.member_of(op).filter(|_| merged) {
                        // Of several sessions the first that answers says what the class is.
                        let place = (member.session, member.namespace.clone());
                        (table.session, table.namespace) = place;
                    }
                    let class = table.class().filter(|_| first || merged).cloned();
                    class.map(|class| (table.session, table.namespace.clone(), class))
                });
                // Only now is it known what associated instances are.
                if let Some((session, namespace, class)) = told.flatten() {
                    match self.schema.get(session, &namespace, &class) {
                        Some(known) => self.table.iter_mut().for_each(|table| table.define(Arc::clone(&known))),
                        None => self.need_class(session, &namespace, &class),
                    }
                }
            }
            Some(What::Instance(_, rows)) => rows.add_shape(id, shape),
            // Numbered from 0 in the order they come; one sent again replaces the first.
            Some(What::References(_, shapes) | What::FarEnds(_, _, shapes)) => {
                let at = id.0 as usize;
                if at == shapes.len() {
                    shapes.push(shape);
                } else if let Some(known) = shapes.get_mut(at) {
                    *known = shape;
                }
            }
            _ => {}
        }
    }

    fn namespaces_came(&mut self, op: OpId, names: Vec<Namespace>) {
        let Some(session) = self.asked.get(&op).map(|asked| asked.session) else { return };
        if self.sessions.get(session).is_some_and(|known| known.load.operation() == Some(op)) {
            self.forget_stale_namespaces(session);
            self.sessions.add_namespaces(session, names, self.limits.retained_rows);
        }
    }

    /// The first names of a refresh, or its good end, replace those of before.
    fn forget_stale_namespaces(&mut self, session: SessionId) {
        if let Some(known) = self.sessions.get_mut(session).filter(|known| known.stale) {
            known.stale = false;
            known.namespaces.clear();
        }
    }

    fn classes_came(&mut self, op: OpId, names: Vec<CimName>) {
        let most = self.limits.retained_rows;
        let (Some(asked), Some(classes)) = (self.asked.get(&op), &mut self.classes) else { return };
        match &asked.what {
            What::Subclasses(parent)
                if classes.below(parent.as_ref()).is_some_and(|below| below.load.operation() == Some(op)) =>
            {
                classes.forget_stale(parent.as_ref());
                classes.add(parent.clone(), names, most);
            }
            What::AllNames if classes.all_load.operation() == Some(op) => classes.add_all(names, most),
            _ => {}
        }
    }

    fn class_came(&mut self, op: OpId, class: Arc<CimClass>) {
        let Some(asked) = self.asked.get(&op) else { return };
        if !matches!(&asked.what, What::Class(_) | What::Mof) {
            return;
        }
        let (session, namespace) = (asked.session, asked.namespace.clone());
        self.sessions.get_mut(session).into_iter().for_each(|session| session.tells_no_classes = false);
        if matches!(&asked.what, What::Mof) {
            self.show_class_mof(&class);
        }
        if let Some(table) = &mut self.table
            && (table.session, &table.namespace, table.class()) == (session, &namespace, Some(&class.name))
        {
            table.define(Arc::clone(&class));
        }
        if self.detail.place == Some((session, namespace.clone()))
            && self.detail.instance().is_some_and(|instance| instance.class == class.name)
        {
            self.detail.define(Arc::clone(&class));
        }
        self.schema.put(session, &namespace, class);
    }

    /// Rows whose types are told have a class that is told, whatever the server said of it before.
    fn class_may_be_told(&mut self, id: SessionId) {
        let Some(session) = self.sessions.get_mut(id).filter(|session| session.tells_no_classes) else { return };
        let Some(table) = self.table.as_ref().filter(|table| table.total() > 0 && !table.is_untyped()) else { return };
        if let Source::Class(class) = table.source.clone() {
            session.tells_no_classes = false;
            let namespace = table.namespace.clone();
            self.need_class(id, &namespace, &class);
        }
    }

    fn instance_came(&mut self, op: OpId) {
        if self.detail.load.operation() != Some(op) {
            return;
        }
        let Some(Asked { session, namespace, what: What::Instance(path, rows) }) = self.asked.get(&op) else { return };
        let Some(mut instance) = rows.instance(0) else { return };
        instance.path = Some(path.clone());
        let place = (*session, namespace.clone());
        let class = self.class_of(place.0, &place.1, &instance.class);
        self.detail.show(place, instance, class, true);
    }

    fn ended(&mut self, op: OpId, end: &End) {
        let Some(asked) = self.asked.remove(&op) else { return };
        self.drop_prompts(asked.session);
        if matches!(asked.what, What::Trial) {
            self.trial_ended(op, end);
            return;
        }
        if matches!(end, End::Done)
            && let Some(session) = self.sessions.get_mut(asked.session)
        {
            session.used = true;
            self.secret_accepted(asked.session);
        }
        let current = self.end_load(op, &asked, end);
        match end {
            End::Done => {
                self.mend(op);
                if matches!(asked.what, What::Test) {
                    self.tested(asked.session, op);
                }
            }
            End::Failed(error) => {
                // What only decorates fails quietly: the log and the operations pane have it.
                if matches!(asked.what, What::Class(_) | What::Mof) && not_supported(error) {
                    let session = self.sessions.get_mut(asked.session);
                    session.into_iter().for_each(|session| session.tells_no_classes = true);
                }
                // A list the server does not have is told of in its pane.
                let says_itself = of_tree(&asked.what) || matches!(asked.what, What::Subclasses(None) | What::AllNames);
                let quiet = matches!(asked.what, What::Class(_)) || (says_itself && not_supported(error));
                let level = if quiet { Level::Warning } else { Level::Error };
                // What one of several sessions failed with stands below their table.
                let told = matches!(asked.what, What::Instances { .. })
                    && self.table.as_ref().is_some_and(|table| table.is_merged());
                self.note_error(op, Arc::clone(error), level, quiet || told);
            }
            End::Cancelled(Some(left_open)) => {
                let text = format!("{op} cancelled: {left_open}");
                self.note(Some(asked.session), Some(op), &text, "");
            }
            _ => {}
        }
        if current && matches!(end, End::Done) {
            match &asked.what {
                What::Namespaces => self.forget_stale_namespaces(asked.session),
                What::Subclasses(parent) => {
                    self.classes.iter_mut().for_each(|classes| classes.forget_stale(parent.as_ref()));
                }
                What::Instances { .. } => self.class_may_be_told(asked.session),
                _ => {}
            }
        }
        if current && matches!(asked.what, What::Namespaces) {
            self.namespaces_ended(asked.session, end);
        }
    }

    /// Sets the pane's load; false if the pane waits for another operation by now.
    fn end_load(&mut self, op: OpId, asked: &Asked, end: &End) -> bool {
        let complete = matches!(end, End::Done);
        if let What::Instances { refresh } = asked.what
            && self.table.as_ref().is_some_and(super::Table::is_merged)
        {
            return self.member_ended(op, end, refresh);
        }
        let load = match &asked.what {
            What::Namespaces => self.sessions.get_mut(asked.session).map(|session| &mut session.load),
            What::Subclasses(parent) => {
                self.classes.as_mut().map(|classes| &mut classes.below_mut(parent.clone()).load)
            }
            What::AllNames => self.classes.as_mut().map(|classes| &mut classes.all_load),
            What::Instances { .. } => self.table.as_mut().map(|table| &mut table.load),
            What::Instance(..) => Some(&mut self.detail.load),
            What::References(..) | What::FarEnds(..) => self.tree_load(asked),
            What::Class(_) | What::Mof | What::Test | What::Trial => None,
        };
        let Some(load) = load.filter(|load| load.operation() == Some(op)) else { return false };
        *load = end.load();
        match &asked.what {
            What::Instances { .. } => {
                if let Some(table) = &mut self.table {
                    // A reading ended by its limit is as complete as it gets.
                    table.end(complete || table.capped);
                }
            }
            What::Subclasses(parent) => self.classes.iter_mut().for_each(|classes| classes.tidy(parent.as_ref())),
            What::AllNames => self.classes.iter_mut().for_each(super::Classes::tidy_all),
            What::References(object, _) => {
                let capped = Load::Done;
                if let Some(tree) = self.tree_mut(asked.session, object) {
                    // A reading ended by its limit is as complete as it gets.
                    let load = if tree.capped { capped } else { end.load() };
                    tree.end(load);
                }
            }
            What::FarEnds(object, ..) => {
                self.tree_mut(asked.session, object).into_iter().for_each(super::Associations::lay_out);
            }
            _ => {}
        }
        true
    }

    /// Where the list of namespaces failed, the default one of the profile can still be opened.
    fn namespaces_ended(&mut self, session: SessionId, end: &End) {
        if let (End::Failed(_), Some(known)) = (end, self.sessions.get(session))
            && known.namespaces.is_empty()
        {
            let default = known.entry.profile.target.namespace.clone();
            self.sessions.add_namespaces(session, vec![default], 1);
        }
        self.sessions.lay_out();
    }

    fn secret_needed(&mut self, op: OpId, user: &str, again: bool) {
        let Some(session) = self.asked.get(&op).map(|asked| asked.session) else { return };
        let asked_already = |prompt: &SecretPrompt| prompt.session == session;
        let on_top = self.layers.iter().any(|layer| matches!(layer, Layer::Secret(prompt) if asked_already(prompt)));
        if on_top || self.secrets.iter().any(asked_already) {
            return;
        }
        // Whoever mistyped it still wants it kept.
        let keep = self.keep.remove(&session);
        let Some(profile) = self.profile_of(session) else { return };
        self.secrets.push_back(SecretPrompt {
            session,
            name: display::safe(&profile.name),
            address: super::sessions::address(&profile.target),
            user: display::safe(user),
            again,
            length: 0,
            keep,
        });
        self.look_for_keyring();
        self.show_prompt();
    }

    /// Shows the next prompt for a secret, unless text is being typed elsewhere: it must not end up there.
    pub(super) fn show_prompt(&mut self) {
        let typing = self.layers.last().is_some_and(Layer::is_text);
        let fits = |prompt: &SecretPrompt| !typing || self.is_on_trial(prompt.session);
        if let Some(prompt) = self.secrets.iter().position(fits).and_then(|at| self.secrets.remove(at)) {
            self.pending.clear();
            self.layers.push(Layer::Secret(prompt));
        }
    }

    /// Takes prompts away that no operation waits for any more.
    fn drop_prompts(&mut self, session: SessionId) {
        if self.operations.waiting_for_secret(session) > 0 {
            return;
        }
        self.secrets.retain(|prompt| prompt.session != session);
        let shown = self.layers.len();
        self.layers.retain(|layer| !matches!(layer, Layer::Secret(prompt) if prompt.session == session));
        if self.layers.len() < shown {
            self.deafen_form();
        }
    }

    /// Takes away the toasts of earlier failures of what `op` now did.
    fn mend(&mut self, op: OpId) {
        let Self { log, operations, .. } = self;
        let Some(done) = operations.get(op) else { return };
        log.mend(|earlier| {
            earlier != op
                && operations.get(earlier).is_some_and(|row| {
                    (row.session, &row.name, &row.subject) == (done.session, &done.name, &done.subject)
                })
        });
    }

    fn note_error(&mut self, op: OpId, error: Arc<OpError>, level: Level, quiet: bool) {
        let entry = LogEntry {
            number: 0,
            at: self.now,
            level,
            session: self.operations.get(op).map(|row| row.session),
            op: Some(op),
            text: display::safe(&error.to_string()),
            hint: display::safe(&error.hint),
            error: Some(error),
        };
        self.log.add(entry, quiet);
    }

    pub(super) fn note(&mut self, session: Option<SessionId>, op: Option<OpId>, text: &str, hint: &str) {
        self.log_text(Level::Notice, session, op, text, hint);
    }

    pub(super) fn warn(&mut self, text: &str, hint: &str) {
        self.log_text(Level::Warning, None, None, text, hint);
    }

    pub(super) fn log_text(
        &mut self,
        level: Level,
        session: Option<SessionId>,
        op: Option<OpId>,
        text: &str,
        hint: &str,
    ) {
        let (text, hint) = (display::safe(text), display::safe(hint));
        self.log.add(LogEntry { number: 0, at: self.now, level, session, op, text, hint, error: None }, false);
    }
}
