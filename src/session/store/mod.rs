//! The sessions.toml file.
//!
//! Owns: reading it so that one mistake costs one entry, and changing it without losing a comment, a change somebody
//! else made, or the file. Must not know a secret's value: none is ever in the file.
//!
//! ```text
//! load: text -> entry (layers, reader, keys) -> entries + problems
//! save: lock -> read again -> refuse if broken, conflict if both changed one session -> edit -> temp file, fsync, rename
//! ```

mod disk;
mod edit;
mod entry;
mod keys;
mod layers;
mod reader;
mod rewrite;
mod save;
mod settings;
mod template;
mod trial;
mod writers;
mod written;

use std::{
    collections::HashMap,
    fmt, io,
    path::{Path, PathBuf},
    sync::Arc,
};

pub(super) use self::disk::{private_file, replace_file};
pub use self::{
    disk::{Disk, RealDisk},
    keys::{KEYS, Key, Kind},
    layers::Origin,
    save::{Conflict, Difference, Keep, Removed, SaveError},
    settings::{Effective, Setting, SettingError},
    template::template,
    trial::{LINE_BREAK, Mistake, Trial},
    writers::check_writers,
};
use super::{Profile, ProfileId, profile::THIS_COMPUTER};

/// What sessions.toml says.
#[derive(Clone, Debug)]
pub struct SessionsFile {
    /// Where it is.
    pub path: PathBuf,
    /// The entries without a mistake, in the order of the file.
    pub entries: Vec<Profile>,
    /// The mistakes, in the order of the file.
    pub problems: Vec<SessionsError>,
    /// Of each entry, where the values of [`KEYS`] come from.
    origins: HashMap<ProfileId, Vec<Origin>>,
    /// What was read: saves compare with it what others wrote meanwhile.
    text: String,
    disk: Arc<dyn Disk>,
}

/// A mistake in sessions.toml, or the reason why it could not be read or written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionsError {
    /// The file.
    pub file: PathBuf,
    /// Line and column of the mistake, counted from 1, the column in characters; `None` for the file as a whole.
    pub place: Option<(usize, usize)>,
    /// What is wrong. Never repeats a value that could be a password.
    pub cause: String,
    /// What to do about it.
    pub hint: String,
}

impl fmt::Display for SessionsError {
    /// `FILE:LINE:COLUMN: CAUSE`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.file.display())?;
        if let Some((line, column)) = self.place {
            write!(f, ":{line}:{column}")?;
        }
        write!(f, ": {}", self.cause)
    }
}

impl std::error::Error for SessionsError {}

/// Why no session answers to a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NotFound {
    /// Nothing is called that; the nearest name, if one is near.
    Unknown(Option<String>),
    /// Several are; their ids.
    Ambiguous(Vec<String>),
}

impl SessionsFile {
    /// Reads the file. A missing one is an empty one; one that cannot be read is one problem and no entries.
    pub fn load(path: impl Into<PathBuf>) -> Self {
        Self::load_from(Arc::new(RealDisk), path.into())
    }

    /// Reads the file from `disk`, which later saves use as well.
    pub fn load_from(disk: Arc<dyn Disk>, path: PathBuf) -> Self {
        let (text, problem) = match disk.read(&path) {
            Ok(text) => (text, None),
            Err(error) if error.kind() == io::ErrorKind::NotFound => (String::new(), None),
            Err(error) => {
                let cause = format!("cannot be read: {error}");
                (String::new(), Some(whole(&path, cause, disk::hint(&error))))
            }
        };
        let mut file = Self::read(disk, path, text);
        file.problems.extend(problem);
        file
    }

    /// Reads `text`, which is what `path` holds.
    pub fn parse(path: impl Into<PathBuf>, text: &str) -> Self {
        Self::read(Arc::new(RealDisk), path.into(), text.to_owned())
    }

    fn read(disk: Arc<dyn Disk>, path: PathBuf, text: String) -> Self {
        let entry::Read { entries, origins, problems } = entry::read(&path, &text);
        Self { path, entries, problems, origins, text, disk }
    }

    /// The same file with another text.
    fn with_text(&self, text: String) -> Self {
        Self::read(self.disk.clone(), self.path.clone(), text)
    }

    /// The session with this id.
    pub fn get(&self, id: &ProfileId) -> Option<&Profile> {
        self.entries.iter().find(|entry| entry.id == *id)
    }

    /// Where the value of the key `name` of [`KEYS`], such as `auth.user`, comes from in the session `id`.
    pub fn origin(&self, id: &ProfileId, name: &str) -> Origin {
        let at = KEYS.iter().position(|key| key.name == name);
        let known = at.and_then(|at| self.origins.get(id)?.get(at));
        known.cloned().unwrap_or(Origin::Default)
    }

    /// Whether the file has a mistake; then it is not written.
    pub fn is_broken(&self) -> bool {
        !self.problems.is_empty()
    }

    /// The session called `text`: exact id, else exact name, else, where `prefix` allows it, the one whose id or name
    /// begins with it. `Ok(None)` is this computer, which is never in the file.
    pub fn find(&self, text: &str, prefix: bool) -> Result<Option<&Profile>, NotFound> {
        if text == THIS_COMPUTER {
            return Ok(None);
        }
        if let Some(entry) = self.entries.iter().find(|entry| entry.id.as_str() == text) {
            return Ok(Some(entry));
        }
        let named = self.entries.iter().filter(|entry| entry.name == text).map(Some).collect::<Vec<_>>();
        let found = if named.is_empty() && prefix && !text.is_empty() {
            let this = THIS_COMPUTER.starts_with(text).then_some(None);
            let begins = |entry: &&Profile| entry.id.as_str().starts_with(text) || entry.name.starts_with(text);
            this.into_iter().chain(self.entries.iter().filter(begins).map(Some)).collect()
        } else {
            named
        };
        match found.as_slice() {
            [] => Err(NotFound::Unknown(self.nearest(text))),
            [one] => Ok(*one),
            several => Err(NotFound::Ambiguous(several.iter().map(|entry| id_of(*entry).to_owned()).collect())),
        }
    }

    fn nearest(&self, text: &str) -> Option<String> {
        let names = self.entries.iter().flat_map(|entry| [entry.id.as_str(), entry.name.as_str()]);
        nearest(text, names.chain([THIS_COMPUTER])).map(str::to_owned)
    }

    /// An id for a new session called `name` that no entry has: its letters and digits, then a number where needed.
    pub fn free_id(&self, name: &str) -> ProfileId {
        let mut base = String::new();
        for c in name.to_lowercase().chars() {
            match c {
                'a'..='z' | '0'..='9' | '.' | '_' | '-' => base.push(c),
                _ if base.ends_with('-') || base.is_empty() => {}
                _ => base.push('-'),
            }
        }
        let base = base.trim_matches('-');
        let base = if base.is_empty() { "session" } else { base.get(..48).unwrap_or(base) };
        let taken = |id: &ProfileId| id.as_str() == THIS_COMPUTER || self.entries.iter().any(|entry| entry.id == *id);
        let mut number = 1_u32;
        loop {
            let text = if number == 1 { base.to_owned() } else { format!("{base}-{number}") };
            match ProfileId::new(&text) {
                Some(id) if !taken(&id) => return id,
                _ => number += 1,
            }
        }
    }
}

/// The id `entry` goes by; `None` is this computer.
pub fn id_of(entry: Option<&Profile>) -> &str {
    entry.map_or(THIS_COMPUTER, |entry| entry.id.as_str())
}

fn whole(file: &Path, cause: String, hint: &str) -> SessionsError {
    SessionsError { file: file.to_owned(), place: None, cause, hint: hint.to_owned() }
}

/// The name in `known` that is most like `name`, if one is near.
fn nearest<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let name = name.to_lowercase();
    known
        .map(|known| (strsim::jaro_winkler(&name, &known.to_lowercase()), known))
        .filter(|(likeness, _)| *likeness > 0.7)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, known)| known)
}

/// `did you mean ...?`, or the list of what is known where nothing is near.
fn suggest<'a>(name: &str, known: impl Iterator<Item = &'a str> + Clone) -> String {
    match nearest(name, known.clone()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("known are {}", known.collect::<Vec<_>>().join(", ")),
    }
}

#[cfg(test)]
mod tests;
