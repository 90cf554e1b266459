//! Questions with Yes and No, and a conflict with its three answers.
//!
//! Owns: what is asked, and what an answer leads to. The button a question begins on harms nothing.

use super::{Change, Key, KeyCode, Layer, Motion, State, display, keys::motion};
use crate::session::store::{Conflict, Difference, Keep};

/// A question.
#[derive(Clone, Debug)]
pub struct Question {
    /// What is asked, escaped.
    pub title: String,
    /// What to know before answering, escaped.
    pub lines: Vec<String>,
    /// What Yes is called.
    pub sure: &'static str,
    /// The cursor is on Yes.
    pub yes: bool,
    pub(super) subject: Subject,
}

/// What a question is about.
#[derive(Clone, Debug)]
pub(super) enum Subject {
    /// Leaving the form with something typed.
    Discard,
    /// A change that does harm.
    Change(Box<Change>),
}

/// Two versions of a session, and which is to stay.
#[derive(Clone, Debug)]
pub struct ConflictView {
    conflict: Box<Conflict>,
    /// The session's id.
    pub id: String,
    /// The keys that differ; the values escaped.
    pub rows: Vec<Difference>,
    /// The button with the cursor.
    pub keep: Keep,
    /// The first row shown.
    pub offset: usize,
}

impl ConflictView {
    fn new(conflict: Box<Conflict>) -> Self {
        let safe = |text: Option<String>| text.map(|text| display::safe(&text));
        let shown = |row: Difference| Difference {
            base: safe(row.base),
            ours: safe(row.ours),
            theirs: safe(row.theirs),
            ..row
        };
        let rows = conflict.differences().into_iter().map(shown).collect();
        let id = conflict.id.as_str().to_owned();
        let mut view = Self { conflict, id, rows, keep: Keep::Both, offset: 0 };
        if !view.buttons().iter().any(|button| button.0 == Keep::Both) {
            view.keep = Keep::Theirs;
        }
        view
    }

    /// What somebody else did to the session.
    pub fn told(&self) -> &'static str {
        match (&self.conflict.ours, &self.conflict.theirs) {
            (None, _) => "Somebody else changed it while you removed it.",
            (_, None) => "Somebody else removed it while you changed it.",
            _ => "Somebody else changed it while you did. Only these keys differ:",
        }
    }

    /// The answers there are: which version stays, its key and its words.
    pub fn buttons(&self) -> Vec<(Keep, char, &'static str)> {
        let (mine, theirs) = match (&self.conflict.ours, &self.conflict.theirs) {
            (None, _) => ("remove it", "keep it"),
            (_, None) => ("put mine back", "leave it removed"),
            _ => ("keep mine", "keep theirs"),
        };
        let mut buttons = vec![(Keep::Ours, 'm', mine), (Keep::Theirs, 't', theirs)];
        if self.conflict.ours.is_some() && self.conflict.theirs.is_some() {
            buttons.push((Keep::Both, 'b', "keep both"));
        }
        buttons
    }

    fn step(&mut self, forward: bool) {
        let buttons = self.buttons();
        let at = buttons.iter().position(|button| button.0 == self.keep).unwrap_or(0);
        let next = if forward { at + 1 } else { at + buttons.len() - 1 } % buttons.len();
        self.keep = buttons.get(next).map_or(self.keep, |button| button.0);
    }
}

impl State {
    pub(super) fn ask(&mut self, title: &str, lines: Vec<String>, sure: &'static str, subject: Subject) {
        let (title, lines) = (display::safe(title), lines.iter().map(|line| display::safe(line)).collect());
        self.layers.push(Layer::Question(Question { title, lines, sure, yes: false, subject }));
    }

    /// The answer to a question is Yes.
    pub(super) fn agreed(&mut self) {
        let Some(Layer::Question(question)) = self.layers.pop() else { return };
        match question.subject {
            Subject::Discard => self.drop_form(),
            Subject::Change(change) => self.change(*change),
        }
    }

    pub(super) fn show_conflict(&mut self, conflict: Box<Conflict>) {
        self.layers.push(Layer::Conflict(Box::new(ConflictView::new(conflict))));
    }

    pub(super) fn conflict_key(&mut self, key: Key) {
        let Some(Layer::Conflict(view)) = self.layers.last_mut() else { return };
        let last = view.rows.len().saturating_sub(1);
        let pressed = view.buttons().into_iter().find(|button| key.text() == Some(button.1)).map(|button| button.0);
        match key.code {
            _ if pressed.is_some() => self.settle_conflict(pressed),
            KeyCode::Enter => self.settle_conflict(None),
            KeyCode::Right | KeyCode::Tab | KeyCode::Char('l') => view.step(true),
            KeyCode::Left | KeyCode::BackTab | KeyCode::Char('h') => view.step(false),
            KeyCode::Char('q') => drop(self.layers.pop()),
            _ => match motion(key, false) {
                Some(Motion::Up) => view.offset = view.offset.saturating_sub(1),
                Some(Motion::Down) => view.offset = (view.offset + 1).min(last),
                Some(Motion::First | Motion::PageUp | Motion::HalfUp) => view.offset = 0,
                Some(Motion::Last | Motion::PageDown | Motion::HalfDown) => view.offset = last,
                None => {}
            },
        }
    }

    /// Ends the conflict: the version of the button pressed stays, else of the one under the cursor.
    pub(super) fn settle_conflict(&mut self, pressed: Option<Keep>) {
        let Some(Layer::Conflict(view)) = self.layers.pop() else { return };
        let ConflictView { conflict, keep, .. } = *view;
        if let Some(form) = self.form() {
            form.saving = true;
        }
        self.change(Change::Settle { conflict, keep: pressed.unwrap_or(keep) });
    }
}
