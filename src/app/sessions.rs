//! The sessions pane: a tree of sessions and their namespaces.
//!
//! Owns: what is unfolded, what is known of each session's namespaces, the rows shown. Must not know connections.

use super::{Filter, ListCursor, Load, Scratch, display};
use crate::{
    cim::Namespace,
    op::SessionId,
    session::{LiveSession, Profile, Target},
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

fn address(target: &Target) -> String {
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
}

/// The pane.
#[derive(Debug, Default)]
pub struct Sessions {
    sessions: Vec<Session>,
    rows: Vec<SessionRow>,
    filter: Filter,
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
            stale: false,
        });
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
        self.rows.clear();
        for session in &self.sessions {
            let profile = &session.entry.profile;
            let shown = |text: &str, scratch: &mut Scratch| self.filter.matches(text, scratch);
            let itself = shown(&profile.name, &mut scratch) || shown(profile.id.as_str(), &mut scratch);
            let below = session.namespaces.iter().filter(|_| session.unfolded);
            let below = below.filter(|name| itself && self.filter.is_all() || shown(name.as_str(), &mut scratch));
            let below = below.map(|name| SessionRow::Namespace(session.entry.id, name.clone())).collect::<Vec<_>>();
            if itself || !below.is_empty() {
                self.rows.push(SessionRow::Session(session.entry.id));
                self.rows.extend(below);
            }
        }
        if self.filter.is_all() {
            self.rows.push(SessionRow::New);
        }
        if let Some(at) = selected.and_then(|selected| self.rows.iter().position(|row| *row == selected)) {
            self.list.at = at;
        }
    }

    pub(super) fn select(&mut self, row: &SessionRow) {
        if let Some(at) = self.rows.iter().position(|known| known == row) {
            self.list.at = at;
        }
    }
}
