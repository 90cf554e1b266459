//! The list of what a field may be.
//!
//! Owns: the choices of a key, each with what it means, and those that cannot be taken. Must not know how they are drawn.

use super::super::{ListCursor, Motion, display};
use crate::session::{
    Parent, ProfileId,
    preset::{self, Preset},
    store::{Key, SessionsFile},
};

/// A list of choices.
#[derive(Clone, Debug)]
pub struct Picker {
    /// What is chosen, escaped.
    pub title: String,
    /// The choices.
    pub choices: Vec<Choice>,
    /// The cursor over them.
    pub list: ListCursor,
    /// Why the choice under the cursor was not taken.
    pub refused: Option<String>,
}

/// One choice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Choice {
    /// What is typed into the field for it.
    pub text: String,
    /// What it is called, escaped.
    pub label: String,
    /// What it means, escaped.
    pub about: String,
    /// Why it cannot be taken.
    pub greyed: Option<String>,
}

impl Picker {
    pub(in super::super) fn new(title: &str, choices: Vec<Choice>, now: &str) -> Self {
        let at = choices.iter().position(|choice| choice.text == now).unwrap_or(0);
        let list = ListCursor { at, ..ListCursor::default() };
        Self { title: title.to_owned(), choices, list, refused: None }
    }

    /// Moves the cursor; `height` choices are shown.
    pub(in super::super) fn go(&mut self, motion: Motion, height: usize) {
        self.refused = None;
        self.list.go(motion, self.choices.len(), height);
    }

    /// The choice under the cursor, if it can be taken; else why not is told.
    pub(in super::super) fn take(&mut self) -> Option<String> {
        let choice = self.choices.get(self.list.at)?;
        self.refused = choice.greyed.clone();
        choice.greyed.is_none().then(|| choice.text.clone())
    }
}

fn choice(text: &str, about: &str) -> Choice {
    Choice { text: text.to_owned(), label: display::safe(text), about: display::safe(about), greyed: None }
}

/// What the field of `key` may be, the first being to say nothing; empty where there is nothing to choose from.
pub(super) fn of_key(key: &Key, file: &SessionsFile, itself: Option<&ProfileId>) -> Vec<Choice> {
    let mut choices = match key.name {
        "inherits" => {
            let others = file.entries.iter().filter(|entry| Some(&entry.id) != itself);
            let others = others.map(|entry| choice(entry.id.as_str(), &format!("the session {}", entry.name)));
            presets().into_iter().chain(others).collect()
        }
        _ => key.choices().into_iter().map(|(text, about)| choice(text, about)).collect::<Vec<_>>(),
    };
    if !choices.is_empty() {
        let about = if key.name == "inherits" { "nothing is inherited" } else { "what is inherited, or usual" };
        choices.insert(0, Choice { label: "(not said)".to_owned(), ..choice("", about) });
    }
    choices
}

/// The presets; last those that need what is not built, with what that is.
pub(in super::super) fn presets() -> Vec<Choice> {
    let shown = |preset: &Preset| {
        let missing = preset.missing().collect::<Vec<_>>().join(", ");
        let greyed = (!missing.is_empty()).then(|| format!("needs {missing}, which this version does not have"));
        let text = Parent::Preset(preset.name.clone()).to_text();
        Choice { label: preset.name.clone(), greyed, ..choice(&text, &format!("{}: {}", preset.title, preset.about)) }
    };
    let mut choices = preset::all().iter().map(shown).collect::<Vec<_>>();
    choices.sort_by_key(|choice| choice.greyed.is_some());
    choices
}
