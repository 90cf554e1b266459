//! Keys as lazycim names them.
//!
//! Owns: [`Key`], its spelling (`ctrl-d`, `G`, `enter`, `f5`, `<`) and chords (`g g`). Must not know terminals; the input
//! layer of the terminal front turns its events into these.

use std::{fmt, str::FromStr};

/// What was pressed, without its modifiers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum KeyCode {
    /// A character as it arrives, shift already applied: `G`, `?`, `é`. The space bar is `Char(' ')`.
    Char(char),
    /// Enter.
    Enter,
    /// Escape.
    Esc,
    /// Tab; with shift it is [`KeyCode::BackTab`].
    Tab,
    /// Shift-tab.
    BackTab,
    /// Backspace.
    Backspace,
    /// Delete.
    Delete,
    /// Insert.
    Insert,
    /// Arrow up.
    Up,
    /// Arrow down.
    Down,
    /// Arrow left.
    Left,
    /// Arrow right.
    Right,
    /// Home.
    Home,
    /// End.
    End,
    /// Page up.
    PageUp,
    /// Page down.
    PageDown,
    /// A function key, counted from 1.
    F(u8),
}

/// One key press. Shift is kept only for keys that are not characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Key {
    /// Which key.
    pub code: KeyCode,
    /// Control was held.
    pub ctrl: bool,
    /// Alt was held.
    pub alt: bool,
    /// Shift was held; always false for characters.
    pub shift: bool,
}

/// Why a text names no key.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is not a key: write a character, a name such as `enter` or `f5`, with `ctrl-`, `alt-`, `shift-` before it"
)]
pub struct KeyError(pub String);

const NAMES: &[(&str, KeyCode)] = &[
    ("enter", KeyCode::Enter),
    ("esc", KeyCode::Esc),
    ("tab", KeyCode::Tab),
    ("shift-tab", KeyCode::BackTab),
    ("backspace", KeyCode::Backspace),
    ("delete", KeyCode::Delete),
    ("insert", KeyCode::Insert),
    ("up", KeyCode::Up),
    ("down", KeyCode::Down),
    ("left", KeyCode::Left),
    ("right", KeyCode::Right),
    ("home", KeyCode::Home),
    ("end", KeyCode::End),
    ("pageup", KeyCode::PageUp),
    ("pagedown", KeyCode::PageDown),
    ("space", KeyCode::Char(' ')),
];

impl Key {
    /// A key without modifiers.
    pub const fn new(code: KeyCode) -> Self {
        Self { code, ctrl: false, alt: false, shift: false }
    }

    /// A character.
    pub const fn char(c: char) -> Self {
        Self::new(KeyCode::Char(c))
    }

    /// Control and a character.
    pub const fn ctrl(c: char) -> Self {
        Self { code: KeyCode::Char(c), ctrl: true, alt: false, shift: false }
    }

    /// The key in the one form the keymap knows: control letters in lower case, shift only where no character carries it.
    pub const fn normal(mut self) -> Self {
        match self.code {
            KeyCode::Char(c) => {
                self.shift = false;
                if self.ctrl {
                    self.code = KeyCode::Char(c.to_ascii_lowercase());
                }
            }
            KeyCode::Tab if self.shift => {
                self.code = KeyCode::BackTab;
                self.shift = false;
            }
            KeyCode::BackTab => self.shift = false,
            _ => {}
        }
        self
    }

    /// The character this key would type into a field; `None` with control or alt.
    pub const fn text(&self) -> Option<char> {
        match self.code {
            KeyCode::Char(c) if !self.ctrl && !self.alt && !c.is_ascii_control() => Some(c),
            _ => None,
        }
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = String::new();
        for (held, name) in [(self.ctrl, "ctrl-"), (self.alt, "alt-"), (self.shift, "shift-")] {
            if held {
                text.push_str(name);
            }
        }
        match (NAMES.iter().find(|named| named.1 == self.code), self.code) {
            (Some(named), _) => text.push_str(named.0),
            (None, KeyCode::Char(c)) => text.push(c),
            (None, KeyCode::F(n)) => text.push_str(&format!("f{n}")),
            (None, _) => {}
        }
        f.pad(&text)
    }
}

impl FromStr for Key {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<Self, KeyError> {
        let mut key = Self::new(KeyCode::Esc);
        let mut rest = text;
        loop {
            if let Some(code) = code_of(rest) {
                key.code = code;
                return Ok(key.normal());
            }
            let (held, after) = [("ctrl-", 0), ("alt-", 1), ("shift-", 2)]
                .into_iter()
                .find_map(|(name, which)| rest.strip_prefix(name).map(|after| (which, after)))
                .ok_or_else(|| KeyError(text.to_owned()))?;
            let flag = match held {
                0 => &mut key.ctrl,
                1 => &mut key.alt,
                _ => &mut key.shift,
            };
            if std::mem::replace(flag, true) {
                return Err(KeyError(text.to_owned()));
            }
            rest = after;
        }
    }
}

fn code_of(text: &str) -> Option<KeyCode> {
    let mut chars = text.chars();
    if let (Some(c), None) = (chars.next(), chars.next()) {
        return (!c.is_control() && c != ' ').then_some(KeyCode::Char(c));
    }
    if let Some(named) = NAMES.iter().find(|named| named.0 == text) {
        return Some(named.1);
    }
    let number = text.strip_prefix('f')?.parse::<u8>().ok()?;
    (1..=24).contains(&number).then_some(KeyCode::F(number))
}

/// The keys of a chord written with spaces between them: `g g`.
pub fn chord(text: &str) -> Result<Vec<Key>, KeyError> {
    let keys = text.split(' ').filter(|part| !part.is_empty()).map(str::parse).collect::<Result<Vec<Key>, _>>()?;
    if keys.is_empty() { Err(KeyError(text.to_owned())) } else { Ok(keys) }
}

/// A chord as it is written.
pub fn chord_text(keys: &[Key]) -> String {
    keys.iter().map(Key::to_string).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn keys_read_as_they_are_written() {
        for text in [
            "a",
            "G",
            "?",
            "-",
            "ctrl-d",
            "ctrl--",
            "alt-x",
            "shift-up",
            "shift-tab",
            "space",
            "f12",
            "pagedown",
            "<",
            "é",
        ] {
            assert_eq!(text.parse::<Key>().unwrap().to_string(), text);
        }
        assert_eq!("ctrl-D".parse::<Key>().unwrap(), Key::ctrl('d'));
        assert_eq!(chord("g g").unwrap(), vec![Key::char('g'), Key::char('g')]);
        for bad in ["", "ctrl-", "ctrl-ctrl-a", "entr", "f99", "\u{7}", "hyper-x"] {
            assert!(bad.parse::<Key>().is_err(), "{bad:?}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_a_key_or_an_error(text in ".{0,12}") {
            if let Ok(key) = text.parse::<Key>() {
                prop_assert_eq!(key.to_string().parse::<Key>().unwrap(), key);
            }
        }
    }
}
