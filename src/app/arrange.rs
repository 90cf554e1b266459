//! Saved sessions in their pane: copying, renaming, removing and putting back, moving, and following the file.
//!
//! Owns: the commands on the session under the cursor, and what the pane becomes when a change was made. Must not know how a
//! change is saved.

use std::sync::Arc;

use super::{
    Change, ChangeError, Changed, CommandId, Effect, Layer, Level, LineEdit, Outcome, Picker, Rename, SessionEntry,
    SessionRow, State, Subject, form::presets, palette::BROKEN,
};
use crate::{
    op::SessionId,
    session::{
        Profile, ProfileId,
        store::{KEYS, Origin, SessionsFile, Setting},
    },
};

/// The most removed sessions that can be put back.
const REMEMBERED: usize = 20;

impl State {
    /// The saved session under the cursor.
    pub(super) fn saved_under_cursor(&self) -> Option<&ProfileId> {
        let id = self.sessions.selected()?.session()?;
        let id = &self.sessions.get(id)?.entry.profile.id;
        self.saved.get(id).map(|profile| &profile.id)
    }

    /// Why the session under the cursor cannot be changed; `None` if it can.
    pub(super) fn unchangeable(&self) -> Option<&'static str> {
        if self.saved.is_broken() {
            return Some(BROKEN);
        }
        self.saved_under_cursor().is_none().then_some("no saved session is selected")
    }

    /// Why sessions cannot be moved now; `None` if they can.
    pub(super) fn unmovable(&self) -> Option<&'static str> {
        let why = |fits: bool, why: &'static str| (!fits).then_some(why);
        let filtered = why(self.sessions.filter().is_all(), "only some sessions are shown: clear the filter first");
        let grouped = why(!self.sessions.is_grouped(), "they are grouped by tag: turn that off first");
        self.unchangeable().or(filtered).or(grouped)
    }

    /// Why there is no command to confirm; `None` if there is one.
    pub(super) fn unconfirmable(&self) -> Option<&'static str> {
        let waits = self.saved_under_cursor().is_some_and(|id| self.waits_for_confirmation(id));
        self.unchangeable().or((!waits).then_some("no command of it waits to be confirmed"))
    }

    /// Whether a saved session has a command that came with an import and that nobody has allowed yet.
    pub(super) fn waits_for_confirmation(&self, id: &ProfileId) -> bool {
        self.saved.get(id).is_some_and(|profile| profile.target.clone().unconfirmed().next().is_some())
    }

    /// Shows the commands of an imported session and asks whether they may run. Those it inherits belong to its parent.
    pub(super) fn ask_to_confirm(&mut self, id: &ProfileId) {
        let Some(mut profile) = self.saved.get(id).cloned() else { return };
        let mut lines = vec!["It came with an import, and has not run yet.".to_owned()];
        for (place, key, command) in profile.target.unconfirmed() {
            if let Origin::Inherited(parent) = self.saved.origin(id, key) {
                let cause = format!("the {place} of {} is inherited from {}", id.as_str(), parent.to_text());
                self.warn(&cause, "confirm it there");
                return;
            }
            lines.push(format!("{place}: {}", command.told()));
            command.confirmed = true;
        }
        if lines.len() > 1 {
            let title = format!("May {} run this command?", id.as_str());
            let change = Change::Confirm { id: id.clone(), profile: Box::new(profile) };
            self.ask(&title, lines, "Yes, it may run", Subject::Change(Box::new(change)));
        }
    }

    /// Asks the front for a change of the sessions as they are known.
    pub(super) fn change(&mut self, change: Change) {
        let base = self.saved.clone();
        self.change_from(base, change);
    }

    /// Asks the front for a change of the sessions as `base` knows them.
    pub(super) fn change_from(&mut self, base: Arc<SessionsFile>, change: Change) {
        self.changing += 1;
        self.effects.push(Effect::Save { base, change: Box::new(change) });
    }

    /// Does a command on the saved sessions; false if it is another one.
    pub(super) fn arrange(&mut self, command: CommandId) -> bool {
        let selected = self.saved_under_cursor().cloned();
        match (command, selected) {
            (CommandId::NewSession, _) => self.open_form(None, None),
            (CommandId::NewFromPreset, _) => self.pick_preset(),
            (CommandId::UndoRemove, _) => self.undo_remove(),
            (CommandId::GroupByTag, _) => self.sessions.group(),
            (CommandId::EditSession, Some(id)) => self.open_form(Some(id), None),
            (CommandId::ConfirmCommand, Some(id)) => self.ask_to_confirm(&id),
            (CommandId::DuplicateSession, Some(id)) => self.change(Change::Duplicate(id)),
            (CommandId::RemoveSession, Some(id)) => self.change(Change::Remove(id)),
            (CommandId::RenameSession, Some(id)) => self.rename_session(id),
            (CommandId::MoveUp, Some(id)) => self.move_session(id, -1),
            (CommandId::MoveDown, Some(id)) => self.move_session(id, 1),
            _ => return false,
        }
        true
    }

    /// Puts back what was removed last.
    fn undo_remove(&mut self) {
        if let Some(removed) = self.removed.pop() {
            self.change(Change::Restore(Box::new(removed)));
        }
    }

    /// Moves the session under the cursor; the pane shows it at once, the file follows.
    fn move_session(&mut self, id: ProfileId, by: isize) {
        let saved = self.sessions.all().iter().map(|known| &known.entry.profile.id);
        let mut ids = saved.filter(|id| self.saved.get(id).is_some()).cloned().collect::<Vec<_>>();
        let Some(at) = ids.iter().position(|known| *known == id) else { return };
        let Some(to) = at.checked_add_signed(by).filter(|to| *to < ids.len()) else { return };
        ids.swap(at, to);
        self.sessions.arrange(&ids);
        self.change(Change::Move { id, to });
    }

    fn rename_session(&mut self, id: ProfileId) {
        let Some(profile) = self.saved.get(&id) else { return };
        let input = LineEdit::new(&profile.name);
        self.layers.push(Layer::Rename(Rename { id, input }));
    }

    pub(super) fn submit_rename(&mut self) {
        let Some(Layer::Rename(Rename { id, input })) = self.layers.pop() else { return };
        let Some(key) = KEYS.iter().find(|key| key.name == "name") else { return };
        if self.saved.get(&id).is_some_and(|profile| profile.name != input.text().trim()) {
            let settings = vec![Setting::typed(key, input.text())];
            self.change(Change::Revise { renamed: id.clone(), id, settings });
        }
    }

    fn pick_preset(&mut self) {
        self.layers.push(Layer::Presets(Picker::new("New session from a preset", presets(), "")));
    }

    pub(super) fn take_preset(&mut self) {
        let Some(Layer::Presets(picker)) = self.layers.last_mut() else { return };
        if let Some(parent) = picker.take() {
            self.layers.pop();
            self.open_form(None, Some(&parent));
        }
    }

    /// A change was tried.
    pub(super) fn changed(&mut self, changed: Changed) {
        self.changing = self.changing.saturating_sub(1);
        let Changed { change, outcome, file } = changed;
        let outcome = match outcome {
            Ok(outcome) => outcome,
            Err(error) => {
                self.not_changed(change, error);
                return;
            }
        };
        if let Change::Revise { id, renamed, .. } = &change {
            self.sessions.rename(id, renamed);
        }
        self.adopt(file);
        self.tell_changed(change, outcome);
    }

    fn tell_changed(&mut self, change: Change, outcome: Outcome) {
        match (change, outcome) {
            (Change::Add { profile, .. }, _) => {
                self.form_saved(profile.id.as_str());
                self.sessions.set_filter("");
                self.select_profile(&profile.id);
            }
            (Change::Duplicate(_), Outcome::Added(id)) => self.select_profile(&id),
            (Change::Revise { renamed, .. }, _) => self.form_saved(renamed.as_str()),
            (Change::Settle { conflict, .. }, _) => self.form_saved(conflict.id.as_str()),
            (Change::Remove(id), Outcome::Removed(removed)) => {
                self.removed.push(*removed);
                let older = self.removed.len().saturating_sub(REMEMBERED);
                self.removed.drain(..older);
                let undo = CommandId::UndoRemove;
                let keys = self.keymap.first(undo).unwrap_or_else(|| format!(":{}", undo.command().name));
                self.note(None, None, &format!("{} is removed; {keys} puts it back", id.as_str()), "");
            }
            (Change::Restore(removed), _) => self.select_profile(&removed.id),
            (Change::Pin { session, pin, .. }, _) => self.pinned(session, pin, true),
            (Change::ReadKeyring(id), _) => {
                let told = format!("the keyring has the password of {}, which reads it there from now on", id.as_str());
                self.note(None, None, &told, "");
            }
            (Change::Confirm { id, .. }, _) => {
                self.note(None, None, &format!("the command of {} may run from now on", id.as_str()), "");
            }
            (change @ Change::Export { .. }, Outcome::IsThere) => self.ask_to_replace(change),
            (change, Outcome::Exchanged { told, lines }) => self.exchanged(&change, &told, lines),
            _ => {}
        }
    }

    fn form_saved(&mut self, id: &str) {
        if self.form().is_some_and(|form| form.saving) {
            self.drop_form();
        }
        self.note(None, None, &format!("{id} is saved"), "");
    }

    /// A change was not made: what was typed stays, and the pane is as the file.
    fn not_changed(&mut self, change: Change, error: ChangeError) {
        match error {
            ChangeError::Conflict(conflict) => {
                if let Some(form) = self.form() {
                    form.saving = false;
                }
                self.show_conflict(conflict);
            }
            ChangeError::Refused { cause, hint } => {
                if let Change::Restore(removed) = &change {
                    self.removed.push((**removed).clone());
                }
                if !self.form_failed(&cause, &hint) {
                    self.log_text(Level::Error, None, None, &cause, &hint);
                }
                if let Change::Pin { session, pin, .. } = change {
                    self.pinned(session, pin, false);
                }
            }
        }
        self.order_as_saved();
    }

    /// Lists the saved sessions in the order of the file, unless changes of it are on their way.
    fn order_as_saved(&mut self) {
        if self.changing == 0 {
            let ids = self.saved.entries.iter().map(|entry| entry.id.clone()).collect::<Vec<_>>();
            self.sessions.arrange(&ids);
        }
    }

    fn select_profile(&mut self, id: &ProfileId) {
        let known = self.sessions.all().iter().find(|known| known.entry.profile.id == *id);
        if let Some(id) = known.map(|known| known.entry.id) {
            self.sessions.select(&SessionRow::Session(id));
            self.focus = super::Pane::Sessions;
        }
    }

    /// Makes the pane what `file` says: sessions come, go and change. While other changes are on their way the order waits.
    fn adopt(&mut self, file: Arc<SessionsFile>) {
        let before = std::mem::replace(&mut self.saved, file.clone());
        let gone = self.sessions.all().iter().filter(|known| {
            let id = &known.entry.profile.id;
            before.get(id).is_some() && file.get(id).is_none()
        });
        for id in gone.map(|known| known.entry.id).collect::<Vec<_>>() {
            self.shut(id);
            self.sessions.remove(id);
        }
        for profile in &file.entries {
            let known = self.sessions.all().iter().find(|known| known.entry.profile.id == profile.id);
            match known.map(|known| (known.entry.id, known.entry.profile == *profile)) {
                Some((_, true)) => {}
                Some((id, false)) => self.replace_profile(id, profile),
                None => self.add_profile(profile),
            }
        }
        self.order_as_saved();
        self.sessions.lay_out();
        if let Some(form) = self.form().filter(|form| !form.saving) {
            form.follow(file);
        }
    }

    fn add_profile(&mut self, profile: &Profile) {
        let id = self.next_session();
        self.sessions.add(SessionEntry { id, read_only: profile.target.read_only, profile: profile.clone() });
    }

    /// Gives a session another profile. One that leads elsewhere, or to another secret, is a new one to the engine.
    fn replace_profile(&mut self, id: SessionId, profile: &Profile) {
        let Some(known) = self.sessions.get_mut(id) else { return };
        let (old, new) = (&known.entry.profile.target, &profile.target);
        let reaches = |target: &crate::session::Target| {
            (target.computer.clone(), target.protocol.clone(), target.port, target.user.clone(), target.secret.clone())
        };
        let (elsewhere, same) = (reaches(old) != reaches(new), old == new);
        known.entry.profile = profile.clone();
        known.entry.read_only = profile.target.read_only;
        match (elsewhere, same || !known.open) {
            (true, _) => self.shut(id),
            (false, true) => {}
            (false, false) => self.effects.push(Effect::Change { session: id, target: profile.target.clone() }),
        }
    }

    fn ask_to_replace(&mut self, change: Change) {
        let Change::Export { file, format, ids, .. } = change else { return };
        let lines = vec![format!("{} is there already.", file.display()), "Its content will be lost.".to_owned()];
        let change = Change::Export { file, format, ids, replace: true };
        self.ask("Replace the file?", lines, "Yes, replace", Subject::Change(Box::new(change)));
    }
}
