//! A session while it is edited.
//!
//! Owns: what a session itself says for each key, as a form shows and takes it, and what it comes to, by the reader's own
//! rules and in its words. Must not touch the file system, nor know what a form looks like.
//!
//! ```text
//! text of a field -> Setting -> one line of a block at the end of the file -> reader -> profile, mistakes by line, values
//! ```

use toml_edit::{Array, InlineTable, Item, Value};

use super::{
    Effective, KEYS, Key, Kind, Origin, SaveError, SessionsError, SessionsFile, Setting, edit,
    settings::{applied, one_line},
    written,
};
use crate::session::{Profile, ProfileId, profile::THIS_COMPUTER};

/// What stands for a line break where a text of several lines is edited on one.
pub const LINE_BREAK: char = '↵';

/// What a session being edited comes to.
#[derive(Clone, Debug, Default)]
pub struct Trial {
    /// The session; `None` while it has a mistake.
    pub profile: Option<Profile>,
    /// What is wrong, in the order of the keys.
    pub mistakes: Vec<Mistake>,
    /// Every key that has a value, keys with a mistake left out. The values are texts as [`SessionsFile::said`] gives them.
    pub effective: Vec<Effective>,
}

/// A mistake of a session being edited. Never repeats a value that could be a password.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistake {
    /// The key it is about, as in [`KEYS`].
    pub key: &'static str,
    /// What is wrong.
    pub cause: String,
    /// What to do about it.
    pub hint: String,
}

impl Setting {
    /// What `text`, typed into the field of `key`, sets; without text the key is taken out. A text that is no value of the
    /// key's kind is set as it stands, so that the reader says what is wrong with it.
    pub fn typed(key: &Key, text: &str) -> Self {
        let text = text.trim();
        let as_toml = || text.parse::<Value>().ok();
        let value = match key.kind {
            Kind::Lines => Some(text.replace(LINE_BREAK, "\n").into()),
            Kind::Text | Kind::Choice(_) => None,
            Kind::Texts | Kind::Choices(_) if !text.starts_with('[') => Some(Value::Array(listed(text).collect())),
            Kind::Secret | Kind::Proxy if !text.starts_with('{') => None,
            _ => as_toml(),
        };
        let value = (!text.is_empty()).then(|| value.unwrap_or_else(|| text.into()));
        Self { key: key.name, value }
    }
}

/// The texts of a list with commas between them.
fn listed(text: &str) -> impl Iterator<Item = &str> {
    text.split(',').map(str::trim).filter(|text| !text.is_empty())
}

/// A value as the field of `key` shows it; [`Setting::typed`] takes it back.
fn shown(key: &Key, value: &Value) -> String {
    match (key.kind, value) {
        (Kind::Texts | Kind::Choices(_), Value::Array(list)) => {
            let texts = list.iter().filter_map(Value::as_str).collect::<Vec<_>>();
            let joined = texts.join(", ");
            if listed(&joined).eq(texts.iter().copied()) { joined } else { flat(value).to_string() }
        }
        (Kind::Lines, Value::String(text)) => text.value().replace("\r\n", "\n").replace('\n', &LINE_BREAK.to_string()),
        (_, Value::String(text)) => text.value().clone(),
        _ => flat(value).to_string(),
    }
}

/// `value` on one line, without comments.
fn flat(value: &Value) -> Value {
    let mut out = match value {
        Value::Array(list) => {
            let mut list = list.iter().map(flat).collect::<Array>();
            list.fmt();
            list.into()
        }
        Value::InlineTable(table) => {
            let mut table = table.iter().map(|(key, value)| (key, flat(value))).collect::<InlineTable>();
            table.fmt();
            table.into()
        }
        // JSON's way to write a text is one of TOML's, and always one line.
        Value::String(text) => one_line(value.clone()).parse().unwrap_or_else(|_| Value::from(text.value())),
        plain => plain.clone(),
    };
    out.decor_mut().clear();
    out
}

/// What the session in `block` says itself: each key with its value.
pub(super) fn said_in(block: &str) -> Vec<(&'static Key, Value)> {
    let Ok(document) = toml_edit::Document::parse(block) else { return Vec::new() };
    let Some(table) = edit::session_in(document.as_item()) else { return Vec::new() };
    let value = |key: &'static Key| {
        let item = match key.name.split_once('.') {
            None => table.get(key.name),
            Some((head, rest)) => table.get(head).and_then(Item::as_table_like).and_then(|nested| nested.get(rest)),
        };
        Some((key, flat(&item?.clone().into_value().ok()?)))
    };
    KEYS.iter().filter_map(value).collect()
}

/// As [`said_in`], as texts.
pub(super) fn texts_in(block: &str) -> Vec<(&'static str, String)> {
    said_in(block).iter().map(|(key, value)| (key.name, shown(key, value))).collect()
}

impl SessionsFile {
    /// What the session `id` says itself: each key with the text its field shows.
    ///
    /// # Errors
    /// Where the file has no such session, or its sessions stand in a list in brackets.
    pub fn said(&self, id: &ProfileId) -> Result<Vec<(&'static str, String)>, SaveError> {
        Ok(texts_in(self.block(id)?))
    }

    /// What a session that says `settings` would come to, in the place of the session `id` or as a new one.
    pub fn try_out(&self, id: Option<&ProfileId>, settings: &[Setting]) -> Trial {
        let others = id.and_then(|id| edit::replace(&self.text, id.as_str(), ""));
        let others = others.as_deref().unwrap_or(&self.text);
        let (file, mut mistakes) = self.with_last(others, settings);
        let profile = wanted_id(settings).and_then(|id| file.get(&id)).filter(|_| mistakes.is_empty()).cloned();
        if let Some(profile) = &profile {
            let effective = file.texts(&profile.id, &[]);
            return Trial { profile: Some(profile.clone()), mistakes, effective };
        }
        let effective = self.without(others, settings, &mistakes);
        if mistakes.is_empty() {
            let cause = "what it inherits from has a mistake itself".to_owned();
            mistakes.push(Mistake { key: "inherits", cause, hint: "correct that one first".to_owned() });
        }
        Trial { profile: None, mistakes, effective }
    }

    /// The file with a session that says `settings` behind `others`, and what is wrong with that one.
    fn with_last(&self, others: &str, settings: &[Setting]) -> (Self, Vec<Mistake>) {
        let mut text = others.to_owned();
        if !text.is_empty() && !text.ends_with('\n') {
            text.push('\n');
        }
        text.push_str("[[session]]\n");
        let header = text.lines().count();
        let said = settings.iter().filter_map(|setting| Some((setting.key, setting.value.as_ref()?)));
        let mut lines = Vec::new();
        for (key, value) in said {
            text.push_str(&format!("{key} = {}\n", flat(value)));
            lines.push(key);
        }
        let file = self.with_text(text);
        let mistake = |problem: &SessionsError| {
            let line = problem.place?.0.checked_sub(header)?;
            let key = match line.checked_sub(1) {
                Some(line) => lines.get(line).copied()?,
                None => KEYS.iter().map(|key| key.name).find(|name| problem.cause.contains(&format!("`{name}`")))?,
            };
            Some(Mistake { key, cause: problem.cause.clone(), hint: problem.hint.clone() })
        };
        let mut mistakes = file.problems.iter().filter_map(mistake).collect::<Vec<_>>();
        mistakes.sort_by_key(|mistake| KEYS.iter().position(|key| key.name == mistake.key));
        (file, mistakes)
    }

    /// What `settings` come to without those that have a mistake.
    fn without(&self, others: &str, settings: &[Setting], mistakes: &[Mistake]) -> Vec<Effective> {
        let wrong = |name: &str| mistakes.iter().any(|mistake| mistake.key == name);
        let right = |setting: &&Setting| setting.value.is_some() && !wrong(setting.key);
        let mut kept = settings.iter().filter(right).cloned().collect::<Vec<_>>();
        let mut lent = Vec::new();
        let free = self.free_id("session");
        for (key, value) in [("id", free.as_str()), ("computer", "localhost")] {
            let inherited = key == "computer" && !wrong(key) && kept.iter().any(|setting| setting.key == "inherits");
            if !inherited && kept.iter().all(|setting| setting.key != key) {
                kept.push(Setting { key, value: Some(value.into()) });
                lent.push(key);
            }
        }
        let file = self.with_last(others, &kept).0;
        if let Some(id) = wanted_id(&kept).filter(|id| file.get(id).is_some()) {
            return file.texts(&id, &lent);
        }
        // A preset names no computer.
        lent.push("computer");
        kept.push(Setting { key: "computer", value: Some("localhost".into()) });
        let file = self.with_last(others, &kept).0;
        wanted_id(&kept).map(|id| file.texts(&id, &lent)).unwrap_or_default()
    }

    /// The values of the session `id` as fields show them, those of the keys `lent` left out.
    fn texts(&self, id: &ProfileId, lent: &[&str]) -> Vec<Effective> {
        let Some(profile) = self.get(id) else { return Vec::new() };
        let known = KEYS.iter().filter(|key| !lent.contains(&key.name)).filter_map(|key| {
            let value = match key.name {
                "name" => Some(Value::from(profile.name.as_str())),
                // A preset knows the mechanism and not the user; without one nobody authenticates.
                "auth.mechanism" if profile.target.user.is_none() && self.origin(id, key.name) != Origin::Own => None,
                name => written::value(profile, name),
            };
            Some(Effective { key: key.name, value: shown(key, &value?), origin: self.origin(id, key.name) })
        });
        known.collect()
    }

    /// Makes `settings` in what the session `id` says, as it was when this file was read. Sessions that inherit from it follow
    /// a new id.
    ///
    /// # Errors
    /// As for [`SessionsFile::update`]; a setting the reader does not take is told in the reader's words.
    pub fn revise(&mut self, id: &ProfileId, settings: &[Setting]) -> Result<(), SaveError> {
        let base = self.block(id)?.to_owned();
        let ours = self.changed(applied(&base, settings))?;
        self.save(|now| {
            let theirs = edit::block(&now.text, id.as_str());
            let says = |text: &str| theirs.is_some_and(|theirs| edit::say_the_same(theirs, text));
            if says(&ours) && !says(&base) {
                return Ok((now.text.clone(), ()));
            }
            let theirs = now.unless_changed(id, &base, Some(&ours), theirs)?;
            Ok((now.with_settings(id, theirs, settings)?, ()))
        })
    }
}

/// The id `settings` give.
fn wanted_id(settings: &[Setting]) -> Option<ProfileId> {
    let id = settings.iter().rev().find(|setting| setting.key == "id")?;
    ProfileId::new(id.value.as_ref()?.as_str()?).filter(|id| id.as_str() != THIS_COMPUTER)
}
