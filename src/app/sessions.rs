//! The sessions pane: a tree of sessions and their namespaces.
//!
//! Owns: what is unfolded, what is known of each session's namespaces, the rows shown. Must not know connections.

use super::{Filter, ListCursor, Load, Scratch, display};
use crate::{
    cim::Namespace,
    op::SessionId,
    session::{LiveSession, Profile, ProfileId, Target},
};

/// The most namespaces of a session that are kept.
const NAMESPACES: usize = 10_000;

/// A session the state is told of.
#[derive(Clone, Debug)]
pub struct SessionEntry {
    /// Its number for the engine.
    pub id: SessionId,
    /// Its profile.
    pub profile: Profile,
    /// Nothing may be written through it.
    pub read_only: bool,
}

/// A session as the pane knows it.
#[derive(Clone, Debug)]
pub struct Session {
    /// Its number, profile and rights.
    pub entry: SessionEntry,
    /// Its namespaces are shown.
    pub unfolded: bool,
    /// How listing the namespaces stands.
    pub load: Load,
    /// The namespaces known, sorted. Where the server's list failed, the profile's default alone.
    pub namespaces: Vec<Namespace>,
    /// It is open: operations run on it. No connection is.
    pub open: bool,
    /// What the engine says of it, or last said before it was closed.
    pub live: Option<LiveSession>,
    /// An operation of it has succeeded.
    pub used: bool,
    /// The server does not tell its classes: they are not asked for until one comes.
    pub(super) tells_no_classes: bool,
    /// The namespaces are those of before a refresh that has not answered yet.
    pub stale: bool,
}

impl Session {
    /// Its name, escaped.
    pub fn name(&self) -> String {
        display::safe(&self.entry.profile.name)
    }

    /// Until the server has listed its namespaces, those its preset begins with are shown.
    pub(super) fn begin_with_known_namespaces(&mut self) {
        if let (true, Some(preset)) = (self.namespaces.is_empty(), self.entry.profile.target.preset) {
            self.namespaces.clone_from(&preset.namespaces);
        }
    }

    /// Its target in short, escaped: `cimxml`, `cimxml clear text`.
    pub fn summary(&self) -> String {
        display::safe(&self.entry.profile.target.protocol)
    }

    /// Where it connects to in full, escaped: `ann@web01.example:5989 cimxml over https`.
    pub fn address(&self) -> String {
        address(&self.entry.profile.target)
    }
}

pub(super) fn address(target: &Target) -> String {
    let Some(computer) = &target.computer else { return "this computer, embedded server on loopback".to_owned() };
    let user = target.user.as_ref().map(|user| format!("{user}@")).unwrap_or_default();
    let host = if computer.contains(':') { format!("[{computer}]") } else { computer.clone() };
    let scheme = if target.tls.is_some() { "https" } else { "http" };
    display::safe(&format!("{user}{host}:{} {} over {scheme}", target.port, target.protocol))
}

/// One row of the pane.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SessionRow {
    /// A session.
    Session(SessionId),
    /// A namespace of an unfolded session.
    Namespace(SessionId, Namespace),
    /// The line that begins a new session.
    New,
    /// A tag, above the sessions that have it; `None` above those without any.
    Tag(Option<String>),
}

impl SessionRow {
    /// The session it is about.
    pub const fn session(&self) -> Option<SessionId> {
        match self {
            Self::Session(id) | Self::Namespace(id, _) => Some(*id),
            Self::New | Self::Tag(_) => None,
        }
    }
}

/// The pane.
#[derive(Debug, Default)]
pub struct Sessions {
    sessions: Vec<Session>,
    rows: Vec<SessionRow>,
    filter: Filter,
    grouped: bool,
    pub(super) list: ListCursor,
}

impl Sessions {
    pub(super) fn new(entries: Vec<SessionEntry>) -> Self {
        let mut pane = Self::default();
        entries.into_iter().for_each(|entry| pane.add(entry));
        pane
    }

    /// The rows shown, top to bottom.
    pub fn rows(&self) -> &[SessionRow] {
        &self.rows
    }

    /// The cursor over [`Sessions::rows`].
    pub const fn cursor(&self) -> ListCursor {
        self.list
    }

    /// The filter.
    pub const fn filter(&self) -> &Filter {
        &self.filter
    }

    /// The row under the cursor.
    pub fn selected(&self) -> Option<&SessionRow> {
        self.rows.get(self.list.at)
    }

    /// All sessions.
    pub fn all(&self) -> &[Session] {
        &self.sessions
    }

    /// The session `id`.
    pub fn get(&self, id: SessionId) -> Option<&Session> {
        self.sessions.iter().find(|session| session.entry.id == id)
    }

    pub(super) fn get_mut(&mut self, id: SessionId) -> Option<&mut Session> {
        self.sessions.iter_mut().find(|session| session.entry.id == id)
    }

    /// Does `change` to each session.
    pub(super) fn each(&mut self, change: impl FnMut(&mut Session)) {
        self.sessions.iter_mut().for_each(change);
    }

    pub(super) fn add(&mut self, entry: SessionEntry) {
        self.sessions.push(Session {
            entry,
            unfolded: false,
            load: Load::Idle,
            namespaces: Vec::new(),
            open: false,
            live: None,
            used: false,
            tells_no_classes: false,
            stale: false,
        });
        self.lay_out();
    }

    /// Whether the sessions are grouped by their tags.
    pub const fn is_grouped(&self) -> bool {
        self.grouped
    }

    pub(super) fn group(&mut self) {
        self.grouped = !self.grouped;
        self.lay_out();
    }

    pub(super) fn remove(&mut self, id: SessionId) {
        self.sessions.retain(|session| session.entry.id != id);
        self.lay_out();
    }

    /// The session with the id `old` has another.
    pub(super) fn rename(&mut self, old: &ProfileId, new: &ProfileId) {
        let named = self.sessions.iter_mut().filter(|session| session.entry.profile.id == *old);
        named.for_each(|session| session.entry.profile.id = new.clone());
    }

    /// Puts the sessions with these ids in their order. The others keep their places: this computer before them, one given
    /// for this run behind.
    pub(super) fn arrange(&mut self, ids: &[ProfileId]) {
        let place = |session: &Session| ids.iter().position(|id| *id == session.entry.profile.id);
        let (saved, others) =
            std::mem::take(&mut self.sessions).into_iter().partition::<Vec<_>, _>(|session| place(session).is_some());
        let mut saved = saved;
        saved.sort_by_key(place);
        let (first, last) =
            others.into_iter().partition::<Vec<_>, _>(|session| session.entry.profile.target.computer.is_none());
        self.sessions = first.into_iter().chain(saved).chain(last).collect();
        self.lay_out();
    }

    pub(super) fn set_filter(&mut self, text: &str) {
        self.filter = Filter::new(text);
        self.lay_out();
    }

    /// Adds namespaces to those known, sorted, each once.
    pub(super) fn add_namespaces(&mut self, id: SessionId, names: Vec<Namespace>, most: usize) {
        if let Some(session) = self.get_mut(id) {
            session.namespaces.extend(names);
            session.namespaces.sort();
            session.namespaces.dedup();
            // Those its preset begins with come first.
            let first = session.entry.profile.target.preset.map_or(&[][..], |preset| &preset.namespaces);
            let rank = |name: &Namespace| first.iter().position(|first| first == name).unwrap_or(usize::MAX);
            session.namespaces.sort_by_key(rank);
            session.namespaces.truncate(most.min(NAMESPACES));
        }
        self.lay_out();
    }

    /// Makes the rows anew; the cursor stays on what it was on.
    pub(super) fn lay_out(&mut self) {
        let selected = self.selected().cloned();
        let mut scratch = Scratch::default();
        let below = self.sessions.iter().filter_map(|session| {
            let rows = self.rows_of(session, &mut scratch);
            (!rows.is_empty()).then_some((session, rows))
        });
        let below = below.collect::<Vec<_>>();
        let mut rows = Vec::new();
        if self.grouped {
            for tag in tags(below.iter().map(|(session, _)| *session)) {
                rows.push(SessionRow::Tag(tag.clone()));
                for (session, below) in &below {
                    let own = &session.entry.profile.tags;
                    if tag.as_ref().map_or(own.is_empty(), |tag| own.contains(tag)) {
                        rows.extend(below.iter().cloned());
                    }
                }
            }
        } else {
            rows.extend(below.into_iter().flat_map(|(_, below)| below));
        }
        if self.filter.is_all() {
            rows.push(SessionRow::New);
        }
        self.rows = rows;
        if let Some(selected) = selected {
            self.select(&selected);
        }
    }

    /// The rows of a session, as far as they pass the filter.
    fn rows_of(&self, session: &Session, scratch: &mut Scratch) -> Vec<SessionRow> {
        let profile = &session.entry.profile;
        let mut shown = |text: &str| self.filter.matches(text, scratch);
        let itself = shown(&profile.name) || shown(profile.id.as_str()) || profile.tags.iter().any(|tag| shown(tag));
        let below = session.namespaces.iter().filter(|_| session.unfolded);
        let below = below.filter(|name| itself && self.filter.is_all() || shown(name.as_str()));
        let below = below.map(|name| SessionRow::Namespace(session.entry.id, name.clone())).collect::<Vec<_>>();
        let own = (itself || !below.is_empty()).then_some(SessionRow::Session(session.entry.id));
        own.into_iter().chain(below).collect()
    }

    /// Puts the cursor on `row`; where there are several, on the one next to the cursor.
    pub(super) fn select(&mut self, row: &SessionRow) {
        let same = self.rows.iter().enumerate().filter(|(_, known)| *known == row).map(|(at, _)| at);
        if let Some(at) = same.min_by_key(|at| at.abs_diff(self.list.at)) {
            self.list.at = at;
        }
    }
}

/// The tags of `sessions` in the order of the alphabet, `None` last where one has none.
fn tags<'a>(sessions: impl Iterator<Item = &'a Session> + Clone) -> Vec<Option<String>> {
    let mut tags = sessions.clone().flat_map(|session| session.entry.profile.tags.iter().cloned()).collect::<Vec<_>>();
    tags.sort();
    tags.dedup();
    let untagged = sessions.clone().any(|session| session.entry.profile.tags.is_empty());
    tags.into_iter().map(Some).chain(untagged.then_some(None)).collect()
}
