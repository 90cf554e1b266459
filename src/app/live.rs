//! Live sessions: the page that lists all sessions and which of them live, opening them, closing them, testing them.
//!
//! Owns: which sessions are open and what closing one takes along. Must not hold a secret: it knows whether there is one.

use super::{CommandId, Effect, Layer, Load, Session, SessionRow, State, apply::What};
use crate::{
    op::{OpId, OperationKind, SessionId},
    session::LiveSession,
};

/// A session on the page of sessions.
#[derive(Clone, Copy, Debug)]
pub struct LiveRow<'a> {
    /// The session.
    pub session: &'a Session,
    /// Its id, its instance id and whether a secret is held; `None` where it was not opened in this run.
    pub live: Option<LiveSession>,
    /// Its operations that have not ended.
    pub in_flight: usize,
}

impl State {
    /// The sessions: first those opened in this run, by their ids (a closed one stays until it is opened again), then the
    /// others as the pane lists them.
    pub fn session_list(&self) -> Vec<LiveRow<'_>> {
        let row = |session: &'_ Session| (session.live, self.operations.running_on(session.entry.id));
        let rows = self.sessions.all().iter().map(|session| (session, row(session)));
        let mut rows =
            rows.map(|(session, (live, in_flight))| LiveRow { session, live, in_flight }).collect::<Vec<_>>();
        rows.sort_by_key(|row| row.live.map_or(u32::MAX, |live| live.number));
        rows
    }

    /// Takes in what the engine says of the sessions that are open.
    pub(super) fn told_of_live(&mut self, told: &[LiveSession]) {
        let selected = self.selected_live();
        self.sessions.each(|session| match told.iter().find(|live| live.session == session.entry.id) {
            Some(live) => session.live = Some(*live),
            None => session.live.iter_mut().for_each(|live| live.holds_secret = false),
        });
        // One that was opened again has another place by now.
        let at = self.session_list().iter().position(|row| Some(row.session.entry.id) == selected);
        if let (Some(Layer::SessionList(list)), Some(at)) = (self.layers.last_mut(), at) {
            list.at = at;
        }
    }

    /// The session under the cursor of the page.
    fn selected_live(&self) -> Option<SessionId> {
        let Some(Layer::SessionList(list)) = self.layers.last() else { return None };
        self.session_list().get(list.at).map(|row| row.session.entry.id)
    }

    /// Makes a session known to the engine before its first operation. Opens no connection.
    pub(super) fn open_session(&mut self, id: SessionId) {
        if let Some(session) = self.sessions.get_mut(id).filter(|session| !session.open) {
            session.open = true;
            let target = session.entry.profile.target.clone();
            self.effects.push(Effect::Open { session: id, target });
        }
    }

    /// Closes the session under the cursor.
    pub(super) fn close_selected_session(&mut self) {
        if let Some(SessionRow::Session(id) | SessionRow::Namespace(id, _)) = self.sessions.selected().cloned() {
            self.close_session(id);
            self.sessions.select(&SessionRow::Session(id));
        }
    }

    /// Closes a session: its operations are cancelled, its secret is forgotten. The next operation on it opens it again,
    /// and asks for the secret then.
    fn close_session(&mut self, id: SessionId) {
        let Some(name) = self.sessions.get(id).map(Session::name) else { return };
        self.shut(id);
        self.note(Some(id), None, &format!("{name} closed; its secret is forgotten"), "");
    }

    /// Makes the engine forget a session, and the panes what it has shown.
    pub(super) fn shut(&mut self, id: SessionId) {
        let Some(session) = self.sessions.get_mut(id) else { return };
        (session.unfolded, session.load, session.used, session.open) = (false, Load::Idle, false, false);
        session.tells_no_classes = false;
        session.namespaces.clear();
        self.effects.push(Effect::Close(id));
        if self.classes.as_ref().is_some_and(|classes| classes.session == id) {
            self.classes = None;
            // What others answered as well stays.
            if self.table.as_ref().is_none_or(|table| !table.is_merged()) {
                self.table = None;
                self.trail.clear();
                self.detail.clear();
            }
        }
        self.keep.remove(&id);
        self.schema.forget(id);
        self.trees.retain(|tree| tree.session != id);
        self.kept.retain(|table| table.session != id && table.members.iter().all(|member| member.session != id));
        self.sessions.lay_out();
    }

    /// Tests the session under the cursor.
    pub(super) fn test_selected_session(&mut self) {
        if let Some(SessionRow::Session(id) | SessionRow::Namespace(id, _)) = self.sessions.selected() {
            self.test_session(*id);
        }
    }

    /// Connects, authenticates and asks one question every server can answer, as an operation of its own.
    fn test_session(&mut self, id: SessionId) {
        let Some(session) = self.sessions.get(id) else { return };
        let namespace = session.entry.profile.target.namespace.clone();
        self.run(id, namespace, OperationKind::TestConnection, What::Test, false);
    }

    /// A test has ended well.
    pub(super) fn tested(&mut self, session: SessionId, op: OpId) {
        let Some(name) = self.sessions.get(session).map(Session::name) else { return };
        let took = self
            .operations
            .get(op)
            .map_or_else(String::new, |row| format!(" after {:.1} ms", row.elapsed(self.now).as_secs_f64() * 1_000.0));
        self.note(Some(session), Some(op), &format!("{name} answers{took}"), "");
    }

    /// What the page of sessions does with the one under its cursor.
    pub(super) fn do_with_live(&mut self, command: CommandId) {
        let Some(id) = self.selected_live() else { return };
        match command {
            CommandId::CloseSession if self.sessions.get(id).is_some_and(|session| !session.open) => {
                self.note(Some(id), None, "it is not open: there is nothing to close", "");
            }
            CommandId::CloseSession => self.close_session(id),
            CommandId::TestSession => self.test_session(id),
            CommandId::CopyValue => {
                let instance = self.sessions.get(id).and_then(|session| session.live).map(|live| live.instance);
                self.effects.extend(instance.map(|instance| Effect::Copy(instance.to_string())));
            }
            _ => {
                self.layers.pop();
                self.sessions.set_filter("");
                self.sessions.select(&SessionRow::Session(id));
                self.focus = super::Pane::Sessions;
            }
        }
    }
}
