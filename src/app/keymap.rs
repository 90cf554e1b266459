//! Which keys mean which command.
//!
//! Owns: [`Keymap`]: the chords of the registry with a user's `keys.toml` over them, looked up per pane; its errors. Must
//! not know where that file lies: its text comes in.
//!
//! ```text
//! keys -> lookup(pane) -> Found(command) | Pending(what may follow) | Unknown
//! ```

use std::{collections::HashMap, fmt::Write as _};

use super::{
    COMMANDS, CommandId, Key, Pane,
    key::{chord, chord_text},
};
use crate::config::line_and_column;

/// The keys, ready for look-up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Keymap {
    chords: Vec<(CommandId, Vec<Vec<Key>>)>,
    /// For each pane, every beginning of every chord.
    tries: [HashMap<Vec<Key>, Node>; 5],
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Node {
    Inner,
    Leaf(CommandId),
}

/// What keys mean.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lookup {
    /// This command.
    Found(CommandId),
    /// The beginning of a chord.
    Pending,
    /// Nothing.
    Unknown,
}

/// What is wrong with a `keys.toml`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeymapError {
    /// It is not TOML, or not a table `[keys]` of texts or lists of texts.
    #[error("{text}")]
    Toml {
        /// Line and column, from 1, where they are known.
        place: Option<(usize, usize)>,
        /// What is wrong.
        text: String,
    },
    /// A command nobody knows.
    #[error("there is no command `{name}`{nearest}")]
    Command {
        /// Its line and column, from 1.
        place: (usize, usize),
        /// What is written there.
        name: String,
        /// `; did you mean ...?`, or nothing.
        nearest: String,
    },
    /// A key nobody knows.
    #[error("{error}")]
    Key {
        /// Its line and column, from 1.
        place: (usize, usize),
        /// What is wrong with it.
        error: super::KeyError,
    },
    /// Two commands of one pane want the same keys, or one's keys begin another's.
    #[error("`{chord}` is both `{first}` and `{second}` in the {pane} pane")]
    Conflict {
        /// The keys.
        chord: String,
        /// A command.
        first: &'static str,
        /// Another.
        second: &'static str,
        /// Where.
        pane: &'static str,
    },
}

impl KeymapError {
    /// Line and column of the mistake, from 1, where it has one.
    pub const fn place(&self) -> Option<(usize, usize)> {
        match self {
            Self::Toml { place, .. } => *place,
            Self::Command { place, .. } | Self::Key { place, .. } => Some(*place),
            Self::Conflict { .. } => None,
        }
    }
}

impl Default for Keymap {
    /// The keys of the registry.
    fn default() -> Self {
        let parsed = COMMANDS.iter().map(|command| {
            let chords = command.keys.iter().filter_map(|keys| chord(keys).ok()).collect();
            (command.id, chords)
        });
        let chords = parsed.collect::<Vec<(CommandId, Vec<Vec<Key>>)>>();
        // The registry has no conflicts: a test holds it to that.
        let tries = tries(&chords).unwrap_or_default();
        Self { chords, tries }
    }
}

impl Keymap {
    /// The keys of the registry with those of a `keys.toml` in the place of the commands it names; an empty list takes a
    /// command's keys away.
    pub fn with(text: &str) -> Result<Self, KeymapError> {
        let document = toml_edit::Document::parse(text);
        let place = |span: Option<std::ops::Range<usize>>| line_and_column(text, span.map_or(0, |span| span.start));
        let document = document.map_err(|error| KeymapError::Toml {
            place: Some(place(error.span())),
            text: format!("not TOML: {}", error.message()),
        })?;
        let mut chords = Self::default().chords;
        for (name, item) in document.iter() {
            let Some(table) = item.as_table_like().filter(|_| name == "keys") else {
                let place = document.key(name).and_then(toml_edit::Key::span).map(|span| place(Some(span)));
                return Err(KeymapError::Toml { place, text: format!("`{name}`: the file has one table, `[keys]`") });
            };
            for (name, item) in table.iter() {
                let (key, item) = table.get_key_value(name).map_or((None, item), |(key, item)| (key.span(), item));
                let id = CommandId::named(name).ok_or_else(|| KeymapError::Command {
                    place: place(key),
                    name: name.to_owned(),
                    nearest: nearest(name),
                })?;
                let keys = texts(item).ok_or_else(|| KeymapError::Toml {
                    place: Some(place(item.span())),
                    text: format!("`{name}` is a text or a list of texts"),
                })?;
                let parsed = keys.into_iter().map(chord).collect::<Result<Vec<_>, _>>();
                let parsed = parsed.map_err(|error| KeymapError::Key { place: place(item.span()), error })?;
                chords.iter_mut().filter(|known| known.0 == id).for_each(|known| known.1.clone_from(&parsed));
            }
        }
        let tries = tries(&chords)?;
        Ok(Self { chords, tries })
    }

    /// What `keys` mean in `pane`.
    pub fn lookup(&self, pane: Pane, keys: &[Key]) -> Lookup {
        match self.tries[pane as usize].get(keys) {
            Some(Node::Leaf(command)) => Lookup::Found(*command),
            Some(Node::Inner) => Lookup::Pending,
            None => Lookup::Unknown,
        }
    }

    /// What may follow the keys `prefix` in `pane`: the keys left and their command.
    pub fn following(&self, pane: Pane, prefix: &[Key]) -> Vec<(String, CommandId)> {
        let mut found = Vec::new();
        for (command, chords) in self.chords.iter().filter(|known| known.0.command().scope.has(pane)) {
            for keys in chords {
                if let Some(rest) = keys.strip_prefix(prefix).filter(|rest| !rest.is_empty()) {
                    found.push((chord_text(rest), *command));
                }
            }
        }
        found
    }

    /// The first keys of a command as they are written; `None` if it has none.
    pub fn first(&self, command: CommandId) -> Option<String> {
        self.of(command).first().map(|keys| chord_text(keys))
    }

    /// All keys of a command, joined by `, `.
    pub fn all(&self, command: CommandId) -> String {
        self.of(command).iter().map(|keys| chord_text(keys)).collect::<Vec<_>>().join(", ")
    }

    fn of(&self, command: CommandId) -> &[Vec<Key>] {
        self.chords.iter().find(|known| known.0 == command).map_or(&[], |known| known.1.as_slice())
    }
}

fn texts(item: &toml_edit::Item) -> Option<Vec<&str>> {
    match item.as_array() {
        Some(list) => list.iter().map(toml_edit::Value::as_str).collect(),
        None => item.as_str().map(|text| vec![text]),
    }
}

fn nearest(name: &str) -> String {
    let names = COMMANDS.iter().map(|command| command.name);
    super::nearest::nearest(name, names, 1).first().map(|name| format!("; did you mean `{name}`?")).unwrap_or_default()
}

fn tries(chords: &[(CommandId, Vec<Vec<Key>>)]) -> Result<[HashMap<Vec<Key>, Node>; 5], KeymapError> {
    let mut tries: [HashMap<Vec<Key>, Node>; 5] = Default::default();
    for (pane, trie) in Pane::ALL.into_iter().zip(&mut tries) {
        let here = chords.iter().filter(|known| known.0.command().scope.has(pane));
        for (command, keys) in here.flat_map(|known| known.1.iter().map(|keys| (known.0, keys))) {
            for len in 1..=keys.len() {
                let (part, whole) = (keys.get(..len).unwrap_or_default(), len == keys.len());
                let node = if whole { Node::Leaf(command) } else { Node::Inner };
                match trie.insert(part.to_vec(), node) {
                    None => {}
                    Some(known) if known == node => {}
                    Some(known) => {
                        let other = |node| match node {
                            Node::Leaf(command) => command.command().name,
                            Node::Inner => "the beginning of a longer one",
                        };
                        let (chord, pane) = (chord_text(part), pane.name());
                        return Err(KeymapError::Conflict { chord, first: other(known), second: other(node), pane });
                    }
                }
            }
        }
    }
    Ok(tries)
}

/// The registry's keys as a `keys.toml`: `config/keys.toml` is this text.
pub fn keys_toml() -> String {
    let mut out = String::from(
        "# The keys of lazycim. Copy lines into a keys.toml beside your config.toml to change them.\n\
         # A key is a character, or enter, esc, tab, space, up, pagedown, f5 and so on, with ctrl-, alt-, shift- before it;\n\
         # a chord has spaces between its keys. An empty list takes a command's keys away.\n\n[keys]\n",
    );
    for command in COMMANDS {
        let keys = command.keys.iter().map(|key| format!("\"{key}\"")).collect::<Vec<_>>().join(", ");
        let _ = writeln!(out, "{} = [{keys}] # {}", command.name, command.description);
    }
    out
}

/// The registry as a page: `docs/keys.md` is this text.
pub fn keys_markdown() -> String {
    let mut out = String::from("# Keys\n\nChange them in `keys.toml` beside your `config.toml`.\n");
    let sections = std::iter::once(None).chain(Pane::ALL.into_iter().map(Some));
    for section in sections {
        let here = |command: &&super::Command| match (section, command.scope) {
            (None, super::Scope::Anywhere) => true,
            (Some(pane), super::Scope::Panes(panes)) => panes.contains(&pane),
            _ => false,
        };
        let rows = COMMANDS.iter().filter(here).collect::<Vec<_>>();
        if rows.is_empty() {
            continue;
        }
        let heading = section.map_or_else(|| "Everywhere".to_owned(), |pane| format!("In the {} pane", pane.name()));
        let _ = write!(out, "\n## {heading}\n\n| keys | `:` name | what it does |\n| --- | --- | --- |\n");
        for command in rows {
            let keys = command.keys.iter().map(|key| format!("`{key}`")).collect::<Vec<_>>().join(" ");
            let _ = writeln!(out, "| {keys} | `{}` | {} |", command.name, command.description);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    /// The files generated from the registry; `LAZYCIM_UPDATE_KEYS=1` writes them.
    #[test]
    fn the_generated_files_equal_the_registry() {
        for (path, text) in [("config/keys.toml", keys_toml()), ("docs/keys.md", keys_markdown())] {
            let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
            if std::env::var_os("LAZYCIM_UPDATE_KEYS").is_some() {
                std::fs::create_dir_all(path.parent().unwrap()).unwrap();
                std::fs::write(&path, &text).unwrap();
            }
            let written = std::fs::read_to_string(&path).unwrap_or_default();
            assert!(written == text, "{} is out of date: LAZYCIM_UPDATE_KEYS=1 writes it", path.display());
        }
    }

    #[test]
    fn the_registry_has_no_conflicts_and_its_file_is_the_default() {
        tries(&Keymap::default().chords).unwrap();
        assert_eq!(Keymap::with(&keys_toml()).unwrap(), Keymap::default());
        for command in COMMANDS {
            assert_eq!(Keymap::default().of(command.id).len(), command.keys.len(), "{}", command.name);
        }
    }

    #[test]
    fn chords_wait_for_their_end() {
        let keymap = Keymap::default();
        let g = Key::char('g');
        assert_eq!(keymap.lookup(Pane::Table, &[g]), Lookup::Pending);
        assert_eq!(keymap.lookup(Pane::Table, &[g, g]), Lookup::Found(CommandId::First));
        assert_eq!(keymap.lookup(Pane::Table, &[g, Key::char('x')]), Lookup::Unknown);
        assert_eq!(keymap.lookup(Pane::Sessions, &[Key::char('s')]), Lookup::Unknown);
        let after = keymap.following(Pane::Table, &[Key::char('y')]);
        assert_eq!(after.iter().map(|known| known.0.as_str()).collect::<Vec<_>>(), ["y", "p", "c", "j"]);
    }

    #[test]
    fn a_users_file_changes_keys_and_its_mistakes_are_named() {
        let keymap = Keymap::with("[keys]\nrefresh = \"R\"\nsort = []\n").unwrap();
        assert_eq!(keymap.lookup(Pane::Table, &[Key::char('R')]), Lookup::Found(CommandId::Refresh));
        assert_eq!(keymap.lookup(Pane::Table, &[Key::char('r')]), Lookup::Unknown);
        assert_eq!(keymap.first(CommandId::Sort), None);
        let error = |text| Keymap::with(text).unwrap_err().to_string();
        assert_eq!(error("[keys]\n\nrefesh = \"R\"\n"), "there is no command `refesh`; did you mean `refresh`?");
        assert!(error("[keys]\nrefresh = \"hyper-r\"\n").starts_with("`hyper-r` is not a key"));
        assert_eq!(error("[keys]\nsort = \"r\"\n"), "`r` is both `refresh` and `sort` in the table pane");
        assert!(error("[keys]\nsort = \"g\"\n").contains("`g` is both"));
        assert!(error("[keyz]\n").contains("[keys]"));
        assert!(error("[keys\n").contains("not TOML"));
    }
}
