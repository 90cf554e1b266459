//! The form at work: its keys, saving what is typed, trying to connect with it.
//!
//! Owns: opening and leaving the form, and what becomes of it when a change is saved or is not. Must not know how the form
//! checks what is typed, nor how a change is saved.

use std::{sync::Arc, time::Duration};

use super::{
    Change, Effect, Form, FormTest, Key, KeyCode, Layer, Level, Motion, State, Subject,
    apply::{End, What},
    display,
    keys::motion,
};
use crate::{
    op::{OpId, Operation, OperationKind, SessionId},
    session::{Profile, ProfileId},
};

/// The live session that the form tries to connect with. It is never listed.
const TRIAL: SessionId = SessionId(u32::MAX);

impl State {
    /// Opens the form: of the session `id`, or of a new one, which builds on `parent`.
    pub(super) fn open_form(&mut self, id: Option<ProfileId>, parent: Option<&str>) {
        match Form::new(self.saved.clone(), id) {
            Ok(mut form) => {
                if let Some(parent) = parent {
                    form.put("inherits", parent);
                    form.go(Motion::First);
                }
                self.layers.push(Layer::Form(Box::new(form)));
            }
            Err(error) => self.log_text(Level::Error, None, None, &error.to_string(), &error.hint()),
        }
    }

    pub(super) fn form(&mut self) -> Option<&mut Form> {
        self.layers.iter_mut().rev().find_map(|layer| match layer {
            Layer::Form(form) => Some(form.as_mut()),
            _ => None,
        })
    }

    pub(super) fn form_key(&mut self, key: Key) {
        let Some(form) = self.form() else { return };
        if form.picker.is_some() {
            self.picker_key(key);
            return;
        }
        if std::mem::take(&mut form.deaf) && key.text().is_some() {
            form.deaf = true;
            return;
        }
        match (key.code, key.ctrl) {
            (KeyCode::Char('s'), true) => self.submit_form(),
            (KeyCode::Char('t'), true) => self.try_form(),
            (KeyCode::F(1), _) => self.form_help(),
            (KeyCode::Tab, _) => form.go(Motion::Down),
            (KeyCode::BackTab, _) => form.go(Motion::Up),
            (KeyCode::Enter, _) => {
                if !form.pick() {
                    form.go(Motion::Down);
                }
            }
            _ => match motion(key, true) {
                Some(motion) => form.go(motion),
                None => field_key(form, key),
            },
        }
    }

    fn picker_key(&mut self, key: Key) {
        let height = self.layer_height();
        let Some(form) = self.form() else { return };
        let Some(picker) = &mut form.picker else { return };
        match (key.code, motion(key, false)) {
            (KeyCode::Enter, _) => self.take_choice(),
            (KeyCode::Backspace | KeyCode::Char('q'), _) => form.picker = None,
            (_, Some(motion)) => picker.go(motion, height),
            _ => {}
        }
    }

    /// Types the choice under the cursor into its field, if it can be taken.
    pub(super) fn take_choice(&mut self) {
        let Some(form) = self.form() else { return };
        if let Some(text) = form.picker.as_mut().and_then(super::Picker::take) {
            form.picker = None;
            form.edit(|input| input.set(&text));
        }
    }

    /// Saves what is typed, if it is in order; what could not be saved stays on the screen.
    fn submit_form(&mut self) {
        let Some(form) = self.form() else { return };
        if form.saving {
            return;
        }
        let Some(profile) = form.profile() else { return };
        let changes = form.changes();
        let change = match form.id.clone() {
            Some(_) if changes.is_empty() => {
                self.layers.retain(|layer| !matches!(layer, Layer::Form(_)));
                return;
            }
            Some(id) => Change::Revise { id, renamed: profile.id, settings: changes },
            None => Change::Add { profile: Box::new(profile), settings: changes },
        };
        form.saving = true;
        let base = form.file.clone();
        self.change_from(base, change);
    }

    /// Tries to connect with what is typed; nothing is saved.
    fn try_form(&mut self) {
        let Some(form) = self.form() else { return };
        if let FormTest::Running(op) = form.test {
            self.effects.push(Effect::Cancel(op));
            return;
        }
        let Some(profile) = form.profile() else { return };
        let (target, namespace) = (profile.target.clone(), profile.target.namespace.clone());
        form.on_trial = Some(Box::new(profile));
        self.effects.push(Effect::Open { session: TRIAL, target });
        let op = self.start(TRIAL, namespace, Operation::new(OperationKind::TestConnection), What::Trial, false);
        if let Some(form) = self.form() {
            form.test = FormTest::Running(op);
        }
    }

    /// The operation that tried to connect has ended.
    pub(super) fn trial_ended(&mut self, op: OpId, end: &End) {
        let took = self.operations.get(op).map_or(Duration::ZERO, |row| row.elapsed(self.now));
        let ended = match end {
            End::Done => FormTest::Passed(took),
            End::Failed(error) => FormTest::Failed(Arc::clone(error)),
            End::Cancelled(_) => FormTest::Cancelled,
        };
        if let Some(form) = self.form().filter(|form| matches!(form.test, FormTest::Running(running) if running == op))
        {
            form.test = ended;
            self.effects.push(Effect::Close(TRIAL));
        }
    }

    /// Who connects as `session`: its profile.
    pub(super) fn profile_of(&self, session: SessionId) -> Option<&Profile> {
        if session == TRIAL {
            return self.layers.iter().rev().find_map(|layer| match layer {
                Layer::Form(form) => form.on_trial.as_deref(),
                _ => None,
            });
        }
        self.sessions.get(session).map(|known| &known.entry.profile)
    }

    /// Whether `session` is the one the form tries to connect with, and the form waits for it.
    pub(super) fn is_on_trial(&self, session: SessionId) -> bool {
        let waits = matches!(self.layers.last(), Some(Layer::Form(form)) if matches!(form.test, FormTest::Running(_)));
        session == TRIAL && waits
    }

    /// Leaves the form, or the list of choices over it. What was typed is not thrown away without asking.
    pub(super) fn leave_form(&mut self) {
        let Some(Layer::Form(form)) = self.layers.last_mut() else { return };
        if form.picker.take().is_some() || form.saving {
            return;
        }
        if form.is_changed() {
            let lines = vec!["What you typed is not saved.".to_owned()];
            self.ask("Leave the form?", lines, "Yes, leave", Subject::Discard);
            return;
        }
        self.drop_form();
    }

    /// Takes the form away, and what it began.
    pub(super) fn drop_form(&mut self) {
        if self.form().is_some_and(|form| matches!(form.test, FormTest::Running(_))) {
            self.effects.push(Effect::Close(TRIAL));
        }
        self.layers.retain(|layer| !matches!(layer, Layer::Form(_)));
    }

    /// A change of the form could not be saved: it stays, with the reason.
    pub(super) fn form_failed(&mut self, cause: &str, hint: &str) -> bool {
        let Some(form) = self.form().filter(|form| form.saving) else { return false };
        form.saving = false;
        form.error = Some((display::safe(cause), display::safe(hint)));
        true
    }

    /// A prompt over the form has gone away.
    pub(super) fn deafen_form(&mut self) {
        if let Some(Layer::Form(form)) = self.layers.last_mut() {
            form.deaf = true;
        }
    }

    fn form_help(&mut self) {
        let lines = FORM_KEYS.iter().map(|(key, told)| format!("{key:<16}{told}")).collect::<Vec<_>>();
        let raw = lines.join("\n");
        self.layers.push(Layer::Text(super::TextView::new("Keys of the form".to_owned(), lines, raw)));
    }
}

/// A key for the field under the cursor.
fn field_key(form: &mut Form, key: Key) {
    let Some(field) = form.field() else { return };
    if !field.is_choice() {
        form.edit(|input| {
            input.key(key);
        });
        return;
    }
    match key.code {
        KeyCode::Char(' ') | KeyCode::Right => form.cycle(true),
        KeyCode::Left => form.cycle(false),
        KeyCode::Backspace | KeyCode::Delete => form.edit(|input| input.set("")),
        _ => {}
    }
}

/// The keys of the form, for its help.
const FORM_KEYS: &[(&str, &str)] = &[
    ("ctrl-s", "save; where something is wrong: go to the next mistake"),
    ("ctrl-t", "try to connect with what is typed, without saving; again: cancel"),
    ("enter", "show the choices of the field, or go to the next"),
    ("tab, down", "next field"),
    ("shift-tab, up", "previous field"),
    ("pgdn, pgup", "next and previous section"),
    ("space, left, right", "next and previous choice"),
    ("click", "go to the field; again: show its choices. The wheel moves through the fields"),
    ("ctrl-u", "empty the field: what is inherited, or usual"),
    ("esc", "leave; what is not saved is asked about"),
    ("", ""),
    ("", "What is typed is checked as sessions.toml is read. A grey value is inherited, or the usual one; its"),
    ("", "origin stands behind it. In the notes, ↵ is a line break. Passwords are never typed here: `secret`"),
    ("", "says where the password comes from."),
];
