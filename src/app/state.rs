//! The state itself: what there is to see, and the questions views ask.
//!
//! Owns: the fields and the reading side. What changes them is in `update`, `open`, `keys` (the user) and `apply` (events).

use std::{
    collections::{HashMap, HashSet, VecDeque},
    sync::Arc,
    time::Duration,
};

use super::{
    Associations, Classes, CommandId, Detail, DetailTab, Effect, Key, Keymap, Layer, Layout, Log, Operations, Place,
    Query, SecretPrompt, Session, SessionEntry, Sessions, Source, Stop, Table, apply::Asked, display,
};
use crate::{
    cim::{CimClass, CimName, Namespace},
    op::{Limits, OpError, OpId, OpIds, SessionId},
    session::store::{Removed, SessionsFile},
};

/// A pane, in the order of its number key.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Pane {
    /// Sessions and their namespaces.
    #[default]
    Sessions,
    /// Classes of a namespace.
    Classes,
    /// Instances of a class.
    Table,
    /// Properties of an instance.
    Detail,
    /// Operations.
    Operations,
}

impl Pane {
    /// Every pane in order.
    pub const ALL: [Self; 5] = [Self::Sessions, Self::Classes, Self::Table, Self::Detail, Self::Operations];

    /// Its name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Sessions => "sessions",
            Self::Classes => "classes",
            Self::Table => "table",
            Self::Detail => "detail",
            Self::Operations => "operations",
        }
    }
}

/// How fetching something stands.
#[derive(Clone, Debug, Default)]
pub enum Load {
    /// Not asked for.
    #[default]
    Idle,
    /// Being fetched by this operation.
    Running(OpId),
    /// Complete.
    Done,
    /// Failed; what had come by then is kept.
    Failed(Arc<OpError>),
    /// Cancelled; what had come by then is kept. The text says what the server may keep open.
    Cancelled(Option<String>),
}

impl Load {
    /// Whether it is being fetched.
    pub const fn is_running(&self) -> bool {
        matches!(self, Self::Running(_))
    }

    /// The operation that fetches it.
    pub const fn operation(&self) -> Option<OpId> {
        match self {
            Self::Running(op) => Some(*op),
            _ => None,
        }
    }
}

/// A breadcrumb.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Crumb {
    /// Its text, escaped.
    pub text: String,
    /// The pane it leads to.
    pub pane: Pane,
    /// Its number in the trail along associations, where it leads to a page that was left.
    pub stop: Option<usize>,
}

/// A key worth knowing here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hint {
    /// The keys.
    pub keys: String,
    /// What they do.
    pub title: &'static str,
    /// The command, where it is one.
    pub command: Option<CommandId>,
}

/// What a state begins with.
#[derive(Debug)]
pub struct StateOptions {
    /// The sessions, in the order they are listed.
    pub sessions: Vec<SessionEntry>,
    /// The operation ids, shared with the engine.
    pub ids: OpIds,
    /// The keys.
    pub keymap: Keymap,
    /// Bounds on what is kept.
    pub limits: Limits,
    /// The session the cursor begins on.
    pub start: Option<SessionId>,
    /// The sessions file; its mistakes are told at the start.
    pub saved: SessionsFile,
}

/// Everything the terminal front shows.
#[derive(Debug)]
pub struct State {
    pub(super) size: (u16, u16),
    pub(super) now: Duration,
    pub(super) ids: OpIds,
    pub(super) keymap: Keymap,
    pub(super) limits: Limits,
    pub(super) focus: Pane,
    pub(super) zoomed: bool,
    pub(super) sessions: Sessions,
    pub(super) classes: Option<Classes>,
    pub(super) table: Option<Table>,
    pub(super) detail: Detail,
    /// Associations read lately, of whichever instances.
    pub(super) trees: Vec<Associations>,
    pub(super) operations: Operations,
    pub(super) layers: Vec<Layer>,
    /// The user has just agreed to read what is dangerous.
    pub(super) agreed: bool,
    pub(super) secrets: VecDeque<SecretPrompt>,
    pub(super) keyring: super::keep::Keyring,
    /// Sessions whose secret is to be kept once their server has accepted it.
    pub(super) keep: HashSet<SessionId>,
    pub(super) log: Log,
    pub(super) pending: Vec<Key>,
    pub(super) pending_since: Duration,
    pub(super) asked: HashMap<OpId, Asked>,
    pub(super) schema: Schema,
    pub(super) history: Vec<Place>,
    /// Where in the history we are; what follows it is forward.
    pub(super) history_at: usize,
    /// How the page shown was reached along associations.
    pub(super) trail: Vec<Stop>,
    /// Complete pages kept for coming back.
    pub(super) kept: Vec<Table>,
    pub(super) lines: VecDeque<String>,
    pub(super) queries: VecDeque<Query>,
    pub(super) effects: Vec<Effect>,
    /// The sessions file as it was last read.
    pub(super) saved: Arc<SessionsFile>,
    /// How many changes of it are on their way.
    pub(super) changing: usize,
    /// Sessions that were removed, the last one last.
    pub(super) removed: Vec<Removed>,
    pub(super) quitting: bool,
}

/// Classes fetched so far, for headings and descriptions. The engine has the real cache.
#[derive(Debug, Default)]
pub(super) struct Schema {
    classes: HashMap<(SessionId, Namespace, CimName), Arc<CimClass>>,
}

/// The most classes the state keeps.
const CLASSES: usize = 256;

impl Schema {
    pub(super) fn get(&self, session: SessionId, namespace: &Namespace, class: &CimName) -> Option<Arc<CimClass>> {
        self.classes.get(&(session, namespace.clone(), class.clone())).cloned()
    }

    pub(super) fn put(&mut self, session: SessionId, namespace: &Namespace, class: Arc<CimClass>) {
        if self.classes.len() >= CLASSES {
            self.classes.clear();
        }
        self.classes.insert((session, namespace.clone(), class.name.clone()), class);
    }

    pub(super) fn forget(&mut self, session: SessionId) {
        self.classes.retain(|key, _| key.0 != session);
    }
}

impl State {
    /// A state at the start. Starts no operation.
    pub fn new(options: StateOptions) -> Self {
        let mut sessions = Sessions::new(options.sessions);
        if let Some(start) = options.start {
            sessions.select(&super::SessionRow::Session(start));
        }
        let mut state = Self {
            size: (80, 24),
            now: Duration::ZERO,
            ids: options.ids,
            keymap: options.keymap,
            limits: options.limits,
            focus: Pane::Sessions,
            zoomed: false,
            sessions,
            classes: None,
            table: None,
            detail: Detail::default(),
            trees: Vec::new(),
            operations: Operations::new(options.limits.logged_operations),
            layers: Vec::new(),
            agreed: false,
            secrets: VecDeque::new(),
            keyring: super::keep::Keyring::default(),
            keep: HashSet::new(),
            log: Log::default(),
            pending: Vec::new(),
            pending_since: Duration::ZERO,
            asked: HashMap::new(),
            schema: Schema::default(),
            history: Vec::new(),
            history_at: 0,
            trail: Vec::new(),
            kept: Vec::new(),
            lines: VecDeque::new(),
            queries: VecDeque::new(),
            effects: Vec::new(),
            saved: Arc::new(options.saved),
            changing: 0,
            removed: Vec::new(),
            quitting: false,
        };
        for problem in state.saved.clone().problems.iter() {
            state.warn(&problem.to_string(), &problem.hint);
        }
        state
    }

    /// The size of the screen in cells: width, height.
    pub const fn size(&self) -> (u16, u16) {
        self.size
    }

    /// The time of the last tick, on a clock that began at the start.
    pub const fn now(&self) -> Duration {
        self.now
    }

    /// Where the panes are.
    pub fn layout(&self) -> Layout {
        Layout::new(self.size.0, self.size.1, self.focus, self.zoomed, self.sessions.rows().len())
    }

    /// The pane with the focus.
    pub const fn focus(&self) -> Pane {
        self.focus
    }

    /// Whether the focused pane has the whole screen.
    pub const fn is_zoomed(&self) -> bool {
        self.zoomed
    }

    /// The sessions pane.
    pub const fn sessions(&self) -> &Sessions {
        &self.sessions
    }

    /// The classes pane; `None` before a namespace was opened.
    pub const fn classes(&self) -> Option<&Classes> {
        self.classes.as_ref()
    }

    /// The table; `None` before a class was opened.
    pub const fn table(&self) -> Option<&Table> {
        self.table.as_ref()
    }

    /// The detail pane.
    pub const fn detail(&self) -> &Detail {
        &self.detail
    }

    /// The operations.
    pub const fn operations(&self) -> &Operations {
        &self.operations
    }

    /// The layers over the panes, the topmost last.
    pub fn layers(&self) -> &[Layer] {
        &self.layers
    }

    /// The topmost layer.
    pub fn layer(&self) -> Option<&Layer> {
        self.layers.last()
    }

    /// Errors and notices, and the toasts that tell of them.
    pub const fn log(&self) -> &Log {
        &self.log
    }

    /// The keys.
    pub const fn keymap(&self) -> &Keymap {
        &self.keymap
    }

    /// Keys pressed of a chord that is not complete.
    pub fn pending(&self) -> &[Key] {
        &self.pending
    }

    /// What may follow the pending keys, for the which-key popup: keys and title. Empty for the first 300 ms.
    pub fn which_key(&self) -> Vec<(String, &'static str)> {
        if self.pending.is_empty() || self.now < self.pending_since + WHICH_KEY_AFTER {
            return Vec::new();
        }
        let following = self.keymap.following(self.focus, &self.pending);
        following.into_iter().map(|(keys, command)| (keys, command.command().description)).collect()
    }

    /// The secret that is asked for. While this is some, the front keeps characters, pastes and backspaces in a field of its
    /// own that it zeroizes, tells [`super::Action::SecretLength`] after each, and on enter hands the secret to the engine
    /// (as an [`Effect::GiveSecret`] it makes itself) and tells [`super::Action::SecretSubmitted`]; on esc it tells
    /// [`super::Action::SecretDeclined`]. `ctrl-c` and `ctrl-q` still go to [`State::key`], which also drops every key
    /// that could be part of a secret.
    pub fn wants_secret(&self) -> Option<&SecretPrompt> {
        match self.layers.last() {
            Some(Layer::Secret(prompt)) => Some(prompt),
            _ => None,
        }
    }

    /// Whether nothing runs and nothing waits to be computed.
    pub fn is_idle(&self) -> bool {
        self.operations.running() == 0 && !self.has_work()
    }

    /// Whether [`State::work`] has something to do.
    pub fn has_work(&self) -> bool {
        self.table.as_ref().is_some_and(Table::has_work)
    }

    /// Whether the program is about to end.
    pub const fn is_quitting(&self) -> bool {
        self.quitting
    }

    /// When [`State::tick`] is due at the latest; `None` if nothing changes with time alone.
    pub fn wake_at(&self) -> Option<Duration> {
        let popup = (!self.pending.is_empty()).then(|| self.pending_since + WHICH_KEY_AFTER);
        let popup = popup.filter(|at| *at > self.now);
        let running = (self.operations.running() > 0).then(|| self.now + ELAPSED_EVERY);
        [popup, running, self.log.wake_at()].into_iter().flatten().min()
    }

    /// Whether an operation has run long enough (150 ms) that a spinner should turn.
    pub fn spins(&self) -> bool {
        self.operations.newest_running().is_some_and(|row| row.elapsed(self.now) >= SPINNER_AFTER)
    }

    /// A session that does not exist yet would get this number.
    pub fn next_session(&self) -> SessionId {
        SessionId(self.sessions.all().iter().map(|session| session.entry.id.0).max().unwrap_or(0) + 1)
    }

    /// The session the panes are about: that of the table, else of the classes, else under the cursor.
    pub fn session(&self) -> Option<&Session> {
        let shown = match (self.focus, &self.table, &self.classes) {
            (Pane::Sessions, ..) => None,
            (_, Some(table), _) if self.shows_tag() => Some(table.selected_place().0),
            (_, _, Some(classes)) => Some(classes.session),
            (_, Some(table), _) => Some(table.session),
            _ => None,
        };
        let under_cursor = || match self.sessions.selected() {
            Some(super::SessionRow::Session(id) | super::SessionRow::Namespace(id, _)) => Some(*id),
            _ => None,
        };
        let about = self.classes.as_ref().map(|classes| classes.session);
        self.sessions.get(shown.or_else(under_cursor).or(about)?)
    }

    /// The breadcrumbs: session, namespace, the trail along associations, class or what else the rows come from, instance.
    pub fn breadcrumbs(&self) -> Vec<Crumb> {
        let crumb = |text: String, pane| Crumb { text, pane, stop: None };
        let Some(classes) = self.classes.as_ref().filter(|_| !self.shows_tag()) else {
            let shown = self.table.as_ref().filter(|_| self.shows_tag());
            if let Some(Source::Tag(tagged)) = shown.map(|table| &table.source) {
                let tag = crumb(format!("tag {}", display::safe(&tagged.tag)), Pane::Sessions);
                let rows = crumb(short_title(&tagged.of), Pane::Table);
                let instance = self.instance_crumb().map(|text| crumb(text, Pane::Detail));
                return [tag, rows].into_iter().chain(instance).collect();
            }
            let session = self.session().map(|session| crumb(session.name(), Pane::Sessions));
            return session.into_iter().collect();
        };
        let mut crumbs = Vec::new();
        crumbs.extend(self.sessions.get(classes.session).map(|session| crumb(session.name(), Pane::Sessions)));
        crumbs.push(crumb(display::safe(classes.namespace.as_str()), Pane::Classes));
        if self.table.as_ref().is_some_and(Table::is_merged) {
            // The rows below are of other sessions as well.
            return crumbs;
        }
        if let Some(table) = &self.table {
            let stops = self.trail.iter().enumerate();
            crumbs.extend(stops.map(|(at, stop)| Crumb { stop: Some(at), ..crumb(stop.text.clone(), stop.pane) }));
            crumbs.push(crumb(short_title(&table.source), Pane::Table));
        }
        crumbs.extend(self.instance_crumb().map(|text| crumb(text, Pane::Detail)));
        if self.focus == Pane::Detail && self.detail.tab == DetailTab::Associations {
            crumbs.push(crumb("associations".to_owned(), Pane::Detail));
        }
        crumbs
    }

    /// Whether the page shown is that of a tag, and looked at.
    pub(super) fn shows_tag(&self) -> bool {
        let of_table = matches!(self.focus, Pane::Table | Pane::Detail | Pane::Operations);
        of_table && self.table.as_ref().is_some_and(Table::is_merged)
    }

    /// The breadcrumb of the instance shown, if one is.
    pub(super) fn instance_crumb(&self) -> Option<String> {
        let Some(table) = &self.table else {
            return self.detail.instance().map(|instance| display::safe(instance.class.as_str()));
        };
        let path = self.detail.path().filter(|_| self.focus == Pane::Detail).cloned();
        let path = path.or_else(|| table.selected_path())?;
        let keys = table.telling_keys(&path).into_iter().map(|(name, value)| format!("{name}={value}"));
        Some(keys.collect::<Vec<_>>().join(","))
    }
}

/// The title of a page as a breadcrumb: the beginning of a query is enough.
pub(super) fn short_title(source: &Source) -> String {
    super::page::cut(&source.title(), CRUMB_CHARS)
}

/// The most characters of a query in a breadcrumb.
const CRUMB_CHARS: usize = 40;
/// How long a prefix waits before what may follow it is shown.
const WHICH_KEY_AFTER: Duration = Duration::from_millis(300);
/// How long an operation runs before a spinner turns.
const SPINNER_AFTER: Duration = Duration::from_millis(150);
/// How often the elapsed time of a running operation is drawn anew.
const ELAPSED_EVERY: Duration = Duration::from_millis(100);
