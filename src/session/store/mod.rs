//! The sessions.toml file.
//!
//! Owns: reading it so that one mistake costs one entry, and appending to it and pinning in it without losing a comment, a change somebody
//! else made, or the file. Must not know a secret's value: none is ever in the file.
//!
//! ```text
//! load -> entries + problems          append, pin: lock -> load again -> refuse if broken -> temp file, fsync, rename
//! ```

mod entry;

use std::{
    fmt, fs,
    io::{self, Write},
    path::{Path, PathBuf},
};

use super::{Profile, ProfileId, SecretSource, profile::THIS_COMPUTER};
use crate::op::Fingerprint;

/// What sessions.toml says.
#[derive(Clone, Debug)]
pub struct SessionsFile {
    /// Where it is.
    pub path: PathBuf,
    /// The entries without a mistake, in the order of the file.
    pub entries: Vec<Profile>,
    /// The mistakes, in the order of the file.
    pub problems: Vec<SessionsError>,
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
        let path = path.into();
        match fs::read_to_string(&path) {
            Ok(text) => Self::parse(path, &text),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                Self { path, entries: Vec::new(), problems: Vec::new() }
            }
            Err(error) => {
                let problem =
                    whole(&path, format!("cannot be read: {error}"), "check its permissions and its encoding");
                Self { path, entries: Vec::new(), problems: vec![problem] }
            }
        }
    }

    /// Reads `text`, which is what `path` holds.
    pub fn parse(path: impl Into<PathBuf>, text: &str) -> Self {
        let path = path.into();
        let (entries, problems) = entry::read(&path, text);
        Self { path, entries, problems }
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

    /// Appends `profile` to the file and to `entries`; comments and layout stay as they are.
    ///
    /// The file is read again first, under an advisory lock, so that what others wrote meanwhile is kept.
    ///
    /// # Errors
    /// Nothing is written where the file has a mistake (the error names its place), where the id is taken or reserved, or
    /// where the new file could not be put in place whole.
    pub fn append(&mut self, profile: &Profile) -> Result<(), SessionsError> {
        self.rewrite(|file, text, now| {
            if profile.id.as_str() == THIS_COMPUTER || now.iter().any(|entry| entry.id == profile.id) {
                let cause = format!("not saved, because the id `{}` is taken", profile.id.as_str());
                return Err(whole(file, cause, "choose another id"));
            }
            entry::appended(text, profile)
                .ok_or_else(|| whole(file, "not saved: `session` is no list".to_owned(), "write [[session]]"))
        })
    }

    /// Pins the session `id` to the certificate with the fingerprint `pin`; comments and layout stay as they are.
    ///
    /// # Errors
    /// As [`SessionsFile::append`]; also where the session is gone or speaks no TLS, and where it is pinned to another
    /// certificate by now: a pin is never replaced.
    pub fn pin(&mut self, id: &ProfileId, pin: Fingerprint) -> Result<(), SessionsError> {
        self.rewrite(|file, text, now| {
            let fails = |cause: &str, hint| Err(whole(file, format!("not saved, because {cause}"), hint));
            match now.iter().find(|entry| entry.id == *id).map(|entry| &entry.target.tls) {
                None => return fails("the session is gone from it", "start lazycim again"),
                Some(None) => return fails("the session speaks no TLS any more", "start lazycim again"),
                Some(Some(tls)) if tls.pin.is_some_and(|old| old != pin) => {
                    return fails("it pins the session to another certificate", "look at who changed it, and why");
                }
                Some(Some(_)) => {}
            }
            entry::pinned(text, id, pin)
                .ok_or_else(|| whole(file, "not saved: the session cannot be found".to_owned(), "write [[session]]"))
        })
    }

    /// Puts what `change` makes of the file's text, and of the entries in it, in its place.
    fn rewrite(
        &mut self,
        change: impl FnOnce(&Path, &str, &[Profile]) -> Result<String, SessionsError>,
    ) -> Result<(), SessionsError> {
        let fails = |cause: &str, error: io::Error| {
            whole(&self.path, format!("{cause}: {error}"), "check the directory's permissions and free space")
        };
        // A link is followed, so that the file it points to is replaced and not the link.
        let real = fs::canonicalize(&self.path).unwrap_or_else(|_| self.path.clone());
        let dir = real.parent().map_or_else(|| PathBuf::from("."), Path::to_owned);
        create_private_dir(&dir).map_err(|error| fails("its directory cannot be made", error))?;
        let _lock = lock(&real).map_err(|error| fails("cannot be locked", error))?;
        let text = match fs::read_to_string(&real) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
            Err(error) => return Err(fails("cannot be read", error)),
        };
        let now = Self::parse(self.path.clone(), &text);
        if let Some(problem) = now.problems.first() {
            let mut problem = problem.clone();
            problem.cause = format!("not saved, because the file has a mistake: {}", problem.cause);
            return Err(problem);
        }
        let new = change(&self.path, &text, &now.entries)?;
        replace(&real, &dir, new.as_bytes()).map_err(|error| fails("cannot be written", error))?;
        *self = Self::parse(self.path.clone(), &new);
        Ok(())
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

impl SecretSource {
    /// The source as sessions.toml writes it: `prompt` or `env:VAR`.
    pub fn to_text(&self) -> String {
        match self {
            Self::Prompt => "prompt".to_owned(),
            Self::Env(variable) => format!("env:{variable}"),
        }
    }

    /// The source `text` describes.
    pub fn from_text(text: &str) -> Option<Self> {
        let is_name = |b: u8| b.is_ascii_alphanumeric() || b == b'_';
        match text.strip_prefix("env:") {
            Some(variable) if !variable.is_empty() && variable.bytes().all(is_name) => {
                Some(Self::Env(variable.to_owned()))
            }
            Some(_) => None,
            None => (text == "prompt").then_some(Self::Prompt),
        }
    }
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

fn create_private_dir(dir: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(dir)
}

fn private_file() -> fs::OpenOptions {
    let mut options = fs::OpenOptions::new();
    options.write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

/// The advisory lock of `file`, released when dropped. It lies beside the file, because the file itself is replaced.
fn lock(file: &Path) -> io::Result<fs::File> {
    let lock = private_file().create(true).truncate(false).open(beside(file, ".lock"))?;
    lock.lock()?;
    Ok(lock)
}

fn beside(file: &Path, suffix: &str) -> PathBuf {
    let mut name = std::ffi::OsString::from(".");
    name.push(file.file_name().unwrap_or_default());
    name.push(suffix);
    file.with_file_name(name)
}

/// Puts `bytes` in the place of `file`: all of them or none.
fn replace(file: &Path, dir: &Path, bytes: &[u8]) -> io::Result<()> {
    let temp = beside(file, ".new");
    // Nobody else writes it while we hold the lock: what lies there was left by a crash.
    match fs::remove_file(&temp) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let written = (|| {
        let mut out = private_file().create_new(true).open(&temp)?;
        out.write_all(bytes)?;
        out.sync_all()?;
        fs::rename(&temp, file)
    })();
    if written.is_err() {
        // The first error is the one to tell; a temporary file left behind is removed by the next save.
        let _ = fs::remove_file(&temp);
        return written;
    }
    // Not every file system can sync a directory; the file itself is safe on disk already.
    if let Ok(dir) = fs::File::open(dir) {
        let _ = dir.sync_all();
    }
    Ok(())
}

#[cfg(test)]
mod tests;
