//! Changing single keys of a session by name, as a command line does.
//!
//! Owns: `KEY=VALUE` and what every key of a session comes out as. Must not judge values: the reader does, when the text
//! with the change in it is read again.

use toml_edit::Value;

use super::{
    KEYS, Kind, Origin, SaveError, SessionsError, SessionsFile, edit, suggest, whole,
    written::{self, value},
};
use crate::session::{Parent, Profile, ProfileId};

/// A key of a session, and the value it gets or that it is taken out.
#[derive(Clone, Debug)]
pub struct Setting {
    pub(super) key: &'static str,
    pub(super) value: Option<Value>,
}

/// Why a text sets nothing. Repeats no value: a password may stand in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SettingError {
    /// What is wrong.
    pub cause: String,
    /// What to write instead.
    pub hint: String,
}

/// What a session comes to for one key.
#[derive(Clone, Debug)]
pub struct Effective {
    /// The key, as in [`KEYS`].
    pub key: &'static str,
    /// Its value, as TOML on one line.
    pub value: String,
    /// Where that comes from.
    pub origin: Origin,
}

impl Setting {
    /// What `KEY=VALUE` sets. VALUE is TOML; a text may stand without its quotes.
    ///
    /// # Errors
    /// Where there is no `=`, no such key, or VALUE is no TOML.
    pub fn set(text: &str) -> Result<Self, SettingError> {
        let Some((key, value)) = text.split_once('=') else {
            let hint = "such as read_only=true or culture=de".to_owned();
            return Err(SettingError { cause: "KEY=VALUE is needed".to_owned(), hint });
        };
        let known = known_key(key.trim())?;
        let value = value.trim();
        let quoted = match known.kind {
            Kind::Text | Kind::Lines | Kind::Choice(_) => value.starts_with(['"', '\'']),
            Kind::Secret | Kind::Proxy => value.starts_with(['"', '\'', '{']),
            _ => true,
        };
        let value = if quoted { value.parse::<Value>().ok() } else { Some(Value::from(value)) };
        let value = value.ok_or_else(|| {
            let hint = format!("such as '{}={}'", known.name, known.example);
            SettingError { cause: format!("the value of `{}` is not TOML", known.name), hint }
        })?;
        Ok(Self { key: known.name, value: Some(value) })
    }

    /// Takes out what the session itself says for `key`.
    ///
    /// # Errors
    /// Where there is no such key.
    pub fn unset(key: &str) -> Result<Self, SettingError> {
        Ok(Self { key: known_key(key.trim())?.name, value: None })
    }

    /// The key.
    pub const fn key(&self) -> &'static str {
        self.key
    }
}

fn known_key(name: &str) -> Result<&'static super::Key, SettingError> {
    KEYS.iter().find(|key| key.name == name).ok_or_else(|| {
        let names = KEYS.iter().map(|key| key.name);
        let shown = name.escape_debug();
        SettingError { cause: format!("there is no key `{shown}`"), hint: suggest(name, names) }
    })
}

/// The block of a session with `settings` in it.
pub(super) fn applied(block: &str, settings: &[Setting]) -> Option<String> {
    edit::with_table(block, |table| {
        for setting in settings {
            written::set(table, setting.key, setting.value.clone());
        }
    })
}

impl SessionsFile {
    /// What a new session would be if it said nothing but what it inherits from.
    pub fn blank(&self, id: &ProfileId, inherits: Option<Parent>) -> Profile {
        let wanted = Profile { inherits, ..edit::nothing_said(id) };
        let below = self.below(&wanted);
        Profile { id: wanted.id, name: wanted.name, inherits: wanted.inherits, ..below }
    }

    /// Adds `profile` at the end, with `settings` made in what it says.
    ///
    /// # Errors
    /// As for [`SessionsFile::add`]; a setting the reader does not take is told in the reader's words.
    pub fn add_with(&mut self, profile: &Profile, settings: &[Setting]) -> Result<(), SaveError> {
        self.save(|now| {
            let text = now.with_new(profile, None)?;
            if settings.is_empty() {
                return Ok((now.accepted(text)?, ()));
            }
            let id = profile.id.as_str();
            let block = now.changed(edit::block(&text, id).and_then(|block| applied(block, settings)))?;
            Ok((now.accepted(now.changed(edit::replace(&text, id, &block))?)?, ()))
        })
    }

    /// Makes `settings` in what the session `id` says, whatever others changed in it meanwhile. Sessions that inherit from
    /// it follow a new id.
    ///
    /// # Errors
    /// As for [`SessionsFile::update`]; a setting the reader does not take is told in the reader's words.
    pub fn set(&mut self, id: &ProfileId, settings: &[Setting]) -> Result<(), SaveError> {
        self.save(|now| Ok((now.with_settings(id, now.block(id)?, settings)?, ())))
    }

    /// The text with `settings` made in `block`, which is that of the session `id`.
    pub(super) fn with_settings(&self, id: &ProfileId, block: &str, settings: &[Setting]) -> Result<String, SaveError> {
        let block = self.changed(applied(block, settings))?;
        let mut text = self.changed(edit::replace(&self.text, id.as_str(), &block))?;
        let renamed = settings.iter().rev().find(|setting| setting.key == "id");
        if let Some(new) = renamed.and_then(|setting| ProfileId::new(setting.value.as_ref()?.as_str()?)) {
            text = self.changed(edit::reparented(&text, id, &new))?;
        }
        self.accepted(text)
    }

    /// `text`, if it has no mistake. What is wrong in it has no place yet that anybody could look at.
    fn accepted(&self, text: String) -> Result<String, SaveError> {
        match self.with_text(text.clone()).problems.into_iter().next() {
            None => Ok(text),
            Some(SessionsError { cause, hint, .. }) => {
                Err(whole(&self.path, format!("not saved: {cause}"), &hint).into())
            }
        }
    }

    /// What the session `id` comes to: every key that has a value.
    pub fn effective(&self, id: &ProfileId) -> Vec<Effective> {
        let Some(profile) = self.get(id) else { return Vec::new() };
        let known = KEYS.iter().filter_map(|key| {
            let value = match key.name {
                "name" => Some(Value::from(profile.name.as_str())),
                name => value(profile, name),
            };
            Some(Effective { key: key.name, value: one_line(value?), origin: self.origin(id, key.name) })
        });
        known.collect()
    }
}

/// A value on one line: only a text is ever written on several.
pub(super) fn one_line(mut value: Value) -> String {
    value.decor_mut().clear();
    match &value {
        // JSON's way to write a text is one of TOML's, and always one line.
        Value::String(text) => serde_json::Value::from(text.value().as_str()).to_string().replace('\u{7f}', "\\u007F"),
        _ => value.to_string(),
    }
}
