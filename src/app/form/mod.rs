//! The form of a session.
//!
//! Owns: its fields, one for each key of sessions.toml, what is typed in them, and what that comes to, as the store reads
//! it. Must not know files: it is checked against the sessions as they were last read.

mod picker;
mod section;

use std::sync::Arc;

use super::{LineEdit, Motion, display};
use crate::{
    op::{OpError, OpId},
    session::{
        Profile, ProfileId,
        profile::AUTO,
        store::{Effective, Key, Kind, LINE_BREAK, Mistake, Origin, SaveError, SessionsFile, Setting, Trial},
    },
};

pub use picker::{Choice, Picker};
pub use section::Section;

pub(super) use picker::presets;

/// A field: a key and what is typed for it.
#[derive(Clone, Debug)]
pub struct Field {
    /// The key.
    pub key: &'static Key,
    /// What is typed; empty where the session itself says nothing.
    pub input: LineEdit,
    /// What it said when the form was opened.
    before: String,
}

/// A row of the form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FormRow {
    /// A heading.
    Heading(Section),
    /// A field, by its number.
    Field(usize),
}

/// How trying to connect from inside the form stands.
#[derive(Clone, Debug, Default)]
pub enum FormTest {
    /// Not tried.
    #[default]
    None,
    /// It runs.
    Running(OpId),
    /// The server answered; how long it took.
    Passed(std::time::Duration),
    /// It did not.
    Failed(Arc<OpError>),
    /// It was cancelled.
    Cancelled,
}

/// The form.
#[derive(Clone, Debug)]
pub struct Form {
    /// The session that is edited; `None` for a new one.
    pub id: Option<ProfileId>,
    /// The sessions it is checked against, as they were when the form was opened.
    pub(super) file: Arc<SessionsFile>,
    fields: Vec<Field>,
    /// The field with the cursor.
    at: usize,
    trial: Trial,
    /// It was to be saved or tested: what is missing is told from now on.
    tried: bool,
    /// It is being saved.
    pub saving: bool,
    /// Why it could not be saved, escaped: cause and what to try.
    pub error: Option<(String, String)>,
    /// Trying to connect.
    pub test: FormTest,
    /// The session that connects then.
    pub(super) on_trial: Option<Box<Profile>>,
    /// The choices of the field, while they are shown.
    pub picker: Option<Picker>,
    /// A prompt for a secret has just gone away: what is typed is not for a field until another key is pressed.
    pub(super) deaf: bool,
}

impl Form {
    /// The form of the session `id`, or of a new one.
    ///
    /// # Errors
    /// Where the file has no such session, or it cannot be changed one by one.
    pub(super) fn new(file: Arc<SessionsFile>, id: Option<ProfileId>) -> Result<Self, SaveError> {
        let said = id.as_ref().map_or(Ok(Vec::new()), |id| file.said(id))?;
        let field = |key: &'static Key| {
            let text = said.iter().find(|known| known.0 == key.name).map_or("", |known| known.1.as_str());
            let input = LineEdit::new(text);
            Field { key, before: input.text().to_owned(), input }
        };
        let fields = section::ordered().into_iter().map(field).collect();
        let mut form = Self {
            id,
            file,
            fields,
            at: 0,
            trial: Trial::default(),
            tried: false,
            saving: false,
            error: None,
            test: FormTest::None,
            on_trial: None,
            picker: None,
            deaf: false,
        };
        form.check();
        Ok(form)
    }

    /// Takes in what was saved meanwhile, unless it is what is being typed about: that is a conflict, told when this is saved.
    pub(super) fn follow(&mut self, file: Arc<SessionsFile>) {
        let Ok(said) = self.id.as_ref().map_or(Ok(Vec::new()), |id| file.said(id)) else { return };
        let text = |field: &Field| said.iter().find(|known| known.0 == field.key.name).map_or("", |known| &known.1);
        let clashes = |field: &Field| field.is_changed() && LineEdit::new(text(field)).text() != field.before;
        if self.fields.iter().any(clashes) {
            return;
        }
        for field in self.fields.iter_mut().filter(|field| !field.is_changed()) {
            field.input.set(text(field));
            field.input.text().clone_into(&mut field.before);
        }
        self.file = file;
        let failed = self.error.take();
        self.check();
        self.error = failed;
    }

    /// The fields, in the order they are shown.
    pub fn fields(&self) -> &[Field] {
        &self.fields
    }

    /// The field with the cursor.
    pub fn field(&self) -> Option<&Field> {
        self.fields.get(self.at)
    }

    /// The number of the field with the cursor.
    pub const fn at(&self) -> usize {
        self.at
    }

    /// The rows: each section's heading, then its fields.
    pub fn rows(&self) -> Vec<FormRow> {
        let mut rows = Vec::new();
        let mut last = None;
        for (at, field) in self.shown() {
            let section = Section::of(field.key);
            if last.replace(section) != Some(section) {
                rows.push(FormRow::Heading(section));
            }
            rows.push(FormRow::Field(at));
        }
        rows
    }

    /// The fields that are shown, with their numbers: what only WS-Man knows where it may be spoken, or something is said.
    fn shown(&self) -> impl Iterator<Item = (usize, &Field)> {
        let protocol = self.effective("protocol").map_or_else(|| self.text("protocol"), |known| &known.value);
        let speaks = matches!(protocol, "wsman" | AUTO);
        let wanted = move |field: &Field| Section::of(field.key) != Section::WsMan || !field.input.text().is_empty();
        self.fields.iter().enumerate().filter(move |(_, field)| speaks || wanted(field))
    }

    /// What the key `name` comes to where nothing is typed for it: its value and where that is from.
    pub fn effective(&self, name: &str) -> Option<&Effective> {
        self.trial.effective.iter().find(|known| known.key == name)
    }

    /// What is wrong with the field of the key `name`. What is missing from a new session is told only when it is wanted.
    pub fn mistake(&self, name: &str) -> Option<&Mistake> {
        let typed = self.fields.iter().any(|field| field.key.name == name && !field.input.text().trim().is_empty());
        let mut known = self.trial.mistakes.iter();
        known.find(|mistake| mistake.key == name).filter(|_| typed || self.tried)
    }

    /// How many mistakes are told.
    pub fn mistakes(&self) -> usize {
        self.trial.mistakes.iter().filter(|mistake| self.mistake(mistake.key).is_some()).count()
    }

    /// Whether something is typed that is not saved.
    pub fn is_changed(&self) -> bool {
        self.fields.iter().any(Field::is_changed)
    }

    /// The id the session will have.
    pub(super) fn wanted_id(&self) -> String {
        let text = |name| self.text(name).trim();
        let named = [text("name"), text("computer")].into_iter().find(|text| !text.is_empty());
        match (text("id"), &self.id) {
            ("", None) => named.map_or_else(String::new, |name| self.file.free_id(name).as_str().to_owned()),
            (typed, _) => typed.to_owned(),
        }
    }

    fn text(&self, name: &str) -> &str {
        self.fields.iter().find(|field| field.key.name == name).map_or("", |field| field.input.text())
    }

    /// What every field says.
    fn settings(&self) -> Vec<Setting> {
        let id = self.wanted_id();
        let text = |field: &Field| if field.key.name == "id" { id.clone() } else { field.input.text().to_owned() };
        self.fields.iter().map(|field| Setting::typed(field.key, &text(field))).collect()
    }

    /// What the fields that were changed say.
    pub(super) fn changes(&self) -> Vec<Setting> {
        let changed = self.fields.iter().filter(|field| field.is_changed());
        changed.map(|field| Setting::typed(field.key, field.input.text())).collect()
    }

    /// Reads what is typed.
    fn check(&mut self) {
        self.trial = self.file.try_out(self.id.as_ref(), &self.settings());
        self.error = None;
        // What was tried is not what is typed now.
        if !matches!(self.test, FormTest::Running(_)) {
            self.test = FormTest::None;
        }
    }

    /// The session as it is typed; without one the cursor goes to the next mistake.
    pub(super) fn profile(&mut self) -> Option<Profile> {
        self.tried = true;
        self.go_to_mistake();
        self.trial.profile.clone()
    }

    /// Goes to the next field with a mistake, from the last to the first again.
    pub(super) fn go_to_mistake(&mut self) {
        let mistaken = |field: &Field| self.trial.mistakes.iter().any(|mistake| mistake.key == field.key.name);
        let behind = (self.at + 1..self.fields.len()).chain(0..=self.at);
        let next = behind.into_iter().find(|at| self.fields.get(*at).is_some_and(mistaken));
        self.at = next.unwrap_or(self.at);
    }

    /// Goes to the field with this number.
    pub(super) fn go_to(&mut self, at: usize) {
        self.at = at.min(self.fields.len().saturating_sub(1));
    }

    /// Changes the field under the cursor.
    pub(super) fn edit(&mut self, change: impl FnOnce(&mut LineEdit)) {
        let Some(field) = self.fields.get_mut(self.at) else { return };
        let before = field.input.text().len();
        let old = field.input.clone();
        change(&mut field.input);
        if field.input.text().len() != before || field.input.text() != old.text() {
            self.check();
        }
    }

    /// Takes a pasted text in, as one edit.
    pub(super) fn paste(&mut self, text: &str) {
        let Some(field) = self.field() else { return };
        if field.is_choice() {
            return;
        }
        let lines = matches!(field.key.kind, Kind::Lines);
        let joined = text.trim_end_matches(['\r', '\n']).replace("\r\n", "\n");
        let joined = if lines { joined.replace('\n', &LINE_BREAK.to_string()) } else { joined };
        self.edit(|input| input.insert(&joined));
    }

    /// Types `text` into the field of the key `name` and goes there.
    pub(super) fn put(&mut self, name: &str, text: &str) {
        if let Some(at) = self.fields.iter().position(|field| field.key.name == name) {
            self.at = at;
            self.edit(|input| input.set(text));
        }
    }

    /// Goes to another field; a page is a section.
    pub(super) fn go(&mut self, motion: Motion) {
        let shown = self.shown().map(|(at, field)| (at, Section::of(field.key))).collect::<Vec<_>>();
        let last = shown.len().saturating_sub(1);
        let here = shown.iter().position(|(at, _)| *at >= self.at).unwrap_or(last);
        let section = |row: usize| shown.get(row).map(|(_, section)| *section);
        let first_of = |row: usize| (0..=row).rev().take_while(|before| section(*before) == section(row)).last();
        let row = match motion {
            Motion::Up => here.checked_sub(1).unwrap_or(last),
            Motion::Down if here == last => 0,
            Motion::Down => here + 1,
            Motion::PageDown | Motion::HalfDown => {
                (here..=last).find(|row| section(*row) != section(here)).unwrap_or(last)
            }
            Motion::PageUp | Motion::HalfUp => match first_of(here).unwrap_or(0) {
                first if first < here => first,
                first => first_of(first.saturating_sub(1)).unwrap_or(0),
            },
            Motion::First => 0,
            Motion::Last => last,
        };
        self.at = shown.get(row).map_or(0, |(at, _)| *at);
    }

    /// Takes the next or the previous choice of the field under the cursor; the first is to say nothing.
    pub(super) fn cycle(&mut self, forward: bool) {
        let Some(field) = self.field() else { return };
        let choices = picker::of_key(field.key, &self.file, self.id.as_ref());
        let now = choices.iter().position(|choice| choice.text == field.input.text()).unwrap_or(0);
        let step = if forward { 1 } else { choices.len().saturating_sub(1) };
        if let Some(next) = choices.get((now + step) % choices.len().max(1)) {
            self.edit(|input| input.set(&next.text));
        }
    }

    /// Shows the choices of the field under the cursor; false if it has none.
    pub(super) fn pick(&mut self) -> bool {
        let Some(field) = self.field() else { return false };
        let choices = picker::of_key(field.key, &self.file, self.id.as_ref());
        if choices.is_empty() {
            return false;
        }
        self.picker = Some(Picker::new(field.key.name, choices, field.input.text()));
        true
    }
}

impl Field {
    /// Whether it is chosen rather than typed.
    pub const fn is_choice(&self) -> bool {
        matches!(self.key.kind, Kind::Choice(_) | Kind::Switch)
    }

    /// Whether enter shows a list of what it may be.
    pub fn has_choices(&self) -> bool {
        self.key.name == "inherits" || !self.key.choices().is_empty()
    }

    /// Whether something else is typed than was said.
    pub fn is_changed(&self) -> bool {
        self.input.text().trim() != self.before
    }

    /// Whether what is typed is not to be seen: it could be a password put where only its source belongs.
    pub fn is_hidden(&self) -> bool {
        let text = self.input.text().trim();
        let source = ["prompt", "keyring", "env:"].into_iter().any(|known| known.starts_with(text));
        match self.key.kind {
            Kind::Secret => !source && !text.starts_with("env:") && !text.starts_with('{'),
            Kind::Proxy => text.contains('@') && !text.starts_with('{'),
            _ => false,
        }
    }
}

/// Where a value comes from, in words, escaped.
pub fn origin_text(origin: &Origin) -> String {
    match origin {
        Origin::Default => "usual".to_owned(),
        Origin::Own => "said here".to_owned(),
        Origin::Inherited(parent) => display::safe(&format!("from {}", parent.to_text())),
    }
}

#[cfg(test)]
mod tests;
