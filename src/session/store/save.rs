//! Saving: one change at a time, on the file as it is now.
//!
//! Owns: the changes there are, what becomes of a change when somebody else changed the same session, and undo. Must not
//! know how a change looks in the text, nor which file system it is on.
//!
//! A session is merged as a whole, of three versions: as it was when we read the file, ours, and as it is now. Only where
//! both others differ from the first, and from one another, is that a [`Conflict`].

use std::{fmt, io, path::Path};

use super::{
    SessionsError, SessionsFile,
    disk::{self, Failed},
    edit,
    keys::KEYS,
    trial, whole, written,
};
use crate::{
    op::Fingerprint,
    session::{Profile, ProfileId, profile::THIS_COMPUTER},
};

/// Why a change was not saved; the file is as it was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SaveError {
    /// It could not be, and why.
    Refused(SessionsError),
    /// Somebody else changed the same session.
    Conflict(Box<Conflict>),
}

/// Two versions of one session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Conflict {
    /// The session, by the id it had when the file was read.
    pub id: ProfileId,
    /// Its text when the file was read.
    pub base: String,
    /// Its text as it was to become; `None` if it was to be removed.
    pub ours: Option<String>,
    /// Its text in the file; `None` if somebody removed it.
    pub theirs: Option<String>,
}

/// A key that the versions of a conflict say differently. A version that does not say it has none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// The key, as in [`KEYS`].
    pub key: &'static str,
    /// Its value when the file was read.
    pub base: Option<String>,
    /// Our value.
    pub ours: Option<String>,
    /// Their value.
    pub theirs: Option<String>,
}

impl Conflict {
    /// The keys that the two versions say differently.
    pub fn differences(&self) -> Vec<Difference> {
        let said = |block: &str| trial::texts_in(block);
        let base = said(&self.base);
        let ours = self.ours.as_deref().map(said).unwrap_or_default();
        let theirs = self.theirs.as_deref().map(said).unwrap_or_default();
        let of = |said: &[(&str, String)], key| said.iter().find(|known| known.0 == key).map(|known| known.1.clone());
        let all = KEYS.iter().map(|key| Difference {
            key: key.name,
            base: of(&base, key.name),
            ours: of(&ours, key.name),
            theirs: of(&theirs, key.name),
        });
        all.filter(|difference| difference.ours != difference.theirs).collect()
    }
}

/// What to do about a [`Conflict`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keep {
    /// Our version takes the place of the other.
    Ours,
    /// The file stays as it is.
    Theirs,
    /// Ours is added under a new id.
    Both,
}

/// A session that was removed, for undo.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Removed {
    /// Its id.
    pub id: ProfileId,
    block: String,
    at: usize,
    /// The file before and after.
    texts: (String, String),
}

impl SaveError {
    /// What to do about it.
    pub fn hint(&self) -> String {
        match self {
            Self::Refused(error) => error.hint.clone(),
            Self::Conflict(_) => "keep your version, theirs, or both".to_owned(),
        }
    }
}

impl fmt::Display for SaveError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused(error) => error.fmt(f),
            Self::Conflict(conflict) => {
                let did = if conflict.theirs.is_some() { "changed" } else { "removed" };
                write!(f, "not saved, because somebody else {did} the session `{}` meanwhile", conflict.id.as_str())
            }
        }
    }
}

impl std::error::Error for SaveError {}

impl From<SessionsError> for SaveError {
    fn from(error: SessionsError) -> Self {
        Self::Refused(error)
    }
}

impl SessionsFile {
    /// Adds `profile`, as the session number `at` or at the end.
    ///
    /// # Errors
    /// Nothing is written where the file has a mistake, the id is taken, or the new file could not be put in place whole.
    pub fn add(&mut self, profile: &Profile, at: Option<usize>) -> Result<(), SaveError> {
        self.save(|now| Ok((now.with_new(profile, at)?, ())))
    }

    /// The text with `profile` in it.
    pub(super) fn with_new(&self, profile: &Profile, at: Option<usize>) -> Result<String, SaveError> {
        self.must_be_free(&profile.id)?;
        let below = self.below(profile);
        if edit::blocks(&self.text).is_none() {
            return self.changed(edit::appended_inline(&self.text, &below, profile));
        }
        let block = edit::new_block(&below, profile);
        let text = self.changed(edit::insert(&self.text, at.unwrap_or(usize::MAX), &block))?;
        // A parent may say outright what else would follow from what the profile says.
        Changes { known: &below, wanted: profile }.insisted_on(self, text)
    }

    /// Makes the session `id` what `wanted` says; where the ids differ it is renamed, in those that inherit from it too.
    /// Only what differs from the session as it was read is touched.
    ///
    /// # Errors
    /// As [`Self::add`]; a conflict if somebody else changed or removed the session.
    pub fn update(&mut self, id: &ProfileId, wanted: &Profile) -> Result<(), SaveError> {
        let (base, known) = (self.block(id)?.to_owned(), self.get(id).cloned().ok_or_else(|| self.unknown(id))?);
        let changes = Changes { known: &known, wanted };
        let ours = self.changed(edit::edited(&base, &known, &self.below(wanted), wanted))?;
        self.save(|now| {
            if wanted.id != *id {
                now.must_be_free(&wanted.id)?;
            }
            let theirs = edit::block(&now.text, id.as_str());
            let says = |text: &str| theirs.is_some_and(|theirs| edit::say_the_same(theirs, text));
            if says(&ours) && !says(&base) {
                return Ok((now.text.clone(), ()));
            }
            let theirs = now.unless_changed(id, &base, Some(&ours), theirs)?;
            let block = edit::edited(theirs, &known, &now.below(wanted), wanted);
            let text = now.changed(edit::replace(&now.text, id.as_str(), &now.changed(block)?))?;
            let text = changes.insisted_on(now, text)?;
            let text = if wanted.id == *id { Some(text) } else { edit::reparented(&text, id, &wanted.id) };
            Ok((now.changed(text)?, ()))
        })
    }

    /// Pins the session `id` to the certificate with the fingerprint `pin`; comments and layout stay as they are.
    ///
    /// # Errors
    /// As [`Self::add`]; also where the session is gone or speaks no TLS, and where it is pinned to another certificate by
    /// now: a pin is never replaced.
    pub fn pin(&mut self, id: &ProfileId, pin: Fingerprint) -> Result<(), SaveError> {
        self.save(|now| {
            let fails =
                |cause: &str, hint| Err(SaveError::from(whole(&now.path, format!("not saved, because {cause}"), hint)));
            match now.get(id).map(|entry| &entry.target.tls) {
                None => return fails("the session is gone from it", "start lazycim again"),
                Some(None) => return fails("the session speaks no TLS any more", "start lazycim again"),
                Some(Some(tls)) if tls.pin.is_some_and(|old| old != pin) => {
                    return fails("it pins the session to another certificate", "look at who changed it, and why");
                }
                Some(Some(_)) => {}
            }
            let block = now.changed(edit::pinned(now.block(id)?, pin))?;
            Ok((now.changed(edit::replace(&now.text, id.as_str(), &block))?, ()))
        })
    }

    /// Removes the session `id`, its comments with it.
    ///
    /// # Errors
    /// As [`Self::update`]; also where another session inherits from it.
    pub fn remove(&mut self, id: &ProfileId) -> Result<Removed, SaveError> {
        let base = self.block(id)?.to_owned();
        self.save(|now| {
            now.unless_changed(id, &base, None, edit::block(&now.text, id.as_str()))?;
            let blocks = edit::blocks(&now.text).unwrap_or_default();
            let at = blocks.iter().position(|block| block.id == id.as_str()).unwrap_or_default();
            let block = edit::block(&now.text, id.as_str()).unwrap_or_default().to_owned();
            let text = now.changed(edit::replace(&now.text, id.as_str(), ""))?;
            let removed = Removed { id: id.clone(), block, at, texts: (now.text.clone(), text.clone()) };
            Ok((text, removed))
        })
    }

    /// Puts a removed session back in its place, comments and all.
    ///
    /// # Errors
    /// As [`Self::add`].
    pub fn restore(&mut self, removed: &Removed) -> Result<(), SaveError> {
        self.save(|now| {
            now.must_be_free(&removed.id)?;
            if now.text == removed.texts.1 {
                return Ok((removed.texts.0.clone(), ()));
            }
            Ok((now.changed(edit::insert(&now.text, removed.at, &removed.block))?, ()))
        })
    }

    /// Adds a copy of the session `id` right behind it and gives the copy's id.
    ///
    /// # Errors
    /// As [`Self::add`].
    pub fn duplicate(&mut self, id: &ProfileId) -> Result<ProfileId, SaveError> {
        self.save(|now| {
            let block = now.block(id)?;
            let copy = now.free_id(id.as_str());
            let text = now.with_copy(id, block, &copy)?;
            Ok((text, copy))
        })
    }

    /// Makes the session `id` number `to`, counted from 0 among the others.
    ///
    /// # Errors
    /// As [`Self::add`].
    pub fn move_to(&mut self, id: &ProfileId, to: usize) -> Result<(), SaveError> {
        self.save(|now| {
            let block = now.block(id)?;
            let without = now.changed(edit::replace(&now.text, id.as_str(), ""))?;
            Ok((now.changed(edit::insert(&without, to, block))?, ()))
        })
    }

    /// Ends a conflict and reads the file again.
    ///
    /// # Errors
    /// As [`Self::add`].
    pub fn settle(&mut self, conflict: &Conflict, keep: Keep) -> Result<(), SaveError> {
        let id = &conflict.id;
        self.save(|now| {
            let theirs = edit::block(&now.text, id.as_str());
            let text = match (keep, &conflict.ours, theirs) {
                (Keep::Theirs, ..) | (Keep::Both, None, _) | (Keep::Ours, None, None) => now.text.clone(),
                (Keep::Ours, None, Some(_)) => now.changed(edit::replace(&now.text, id.as_str(), ""))?,
                (Keep::Ours, Some(ours), Some(_)) => now.changed(edit::replace(&now.text, id.as_str(), ours))?,
                (_, Some(ours), None) => now.changed(edit::insert(&now.text, usize::MAX, ours))?,
                (Keep::Both, Some(ours), Some(_)) => now.with_copy(id, ours, &now.free_id(id.as_str()))?,
            };
            Ok((text, ()))
        })
    }

    /// The text with `block` behind the session `id`, under the id `copy`.
    fn with_copy(&self, id: &ProfileId, block: &str, copy: &ProfileId) -> Result<String, SaveError> {
        let name = self.get(id).filter(|entry| entry.name != id.as_str()).map(|entry| format!("{} (copy)", entry.name));
        let block = self.changed(edit::renamed(block, copy, name.as_deref()))?;
        let blocks = edit::blocks(&self.text).unwrap_or_default();
        let at = blocks.iter().position(|block| block.id == id.as_str()).map_or(usize::MAX, |at| at + 1);
        self.changed(edit::insert(&self.text, at, &block))
    }

    /// What `wanted` would be if it said nothing but whom it inherits from.
    pub(super) fn below(&self, wanted: &Profile) -> Profile {
        let without = edit::replace(&self.text, wanted.id.as_str(), "").unwrap_or_else(|| self.text.clone());
        let bare = |more: &str| {
            let mut only = edit::nothing_said(&wanted.id);
            only.inherits.clone_from(&wanted.inherits);
            let block = edit::new_block(&edit::nothing_said(&wanted.id), &only);
            let text = edit::insert(&without, usize::MAX, &format!("{block}{more}"))?;
            self.with_text(text).get(&wanted.id).cloned()
        };
        if wanted.inherits.is_none() {
            return edit::nothing_said(&wanted.id);
        }
        let without_computer = || {
            let mut below = bare("computer = \"localhost\"\n")?;
            below.target.computer = None;
            Some(below)
        };
        bare("").or_else(without_computer).unwrap_or_else(|| edit::nothing_said(&wanted.id))
    }

    pub(super) fn block(&self, id: &ProfileId) -> Result<&str, SaveError> {
        edit::block(&self.text, id.as_str()).ok_or_else(|| match edit::blocks(&self.text) {
            Some(_) => self.unknown(id),
            None => self.changed(None).err().unwrap_or_else(|| self.unknown(id)),
        })
    }

    fn unknown(&self, id: &ProfileId) -> SaveError {
        let cause = format!("not saved: there is no session `{}`", id.as_str());
        whole(&self.path, cause, "read the file again").into()
    }

    fn must_be_free(&self, id: &ProfileId) -> Result<(), SaveError> {
        if id.as_str() != THIS_COMPUTER && self.get(id).is_none() {
            return Ok(());
        }
        let cause = format!("not saved, because the id `{}` is taken", id.as_str());
        Err(whole(&self.path, cause, "choose another id").into())
    }

    /// A text that was made by an edit, which only a list in brackets does not take.
    pub(super) fn changed(&self, text: Option<String>) -> Result<String, SaveError> {
        text.ok_or_else(|| {
            let cause = "not saved, because its sessions stand in a list in brackets".to_owned();
            whole(&self.path, cause, "write each session under a [[session]] of its own").into()
        })
    }

    /// Their version, if it still says what ours was made from.
    pub(super) fn unless_changed<'t>(
        &self,
        id: &ProfileId,
        base: &str,
        ours: Option<&str>,
        theirs: Option<&'t str>,
    ) -> Result<&'t str, SaveError> {
        match theirs {
            Some(theirs) if edit::say_the_same(theirs, base) => Ok(theirs),
            _ => Err(conflict(id, base, ours, theirs)),
        }
    }

    /// Changes the file as it is now, under its lock.
    pub(super) fn save<T>(
        &mut self,
        change: impl FnOnce(&Self) -> Result<(String, T), SaveError>,
    ) -> Result<T, SaveError> {
        let fails = |Failed { step, error }| {
            let cause = format!("not saved, because {step}: {error}");
            SaveError::from(whole(&self.path, cause, disk::hint(&error)))
        };
        let disk = self.disk.clone();
        // A link is followed, so that the file it points to is replaced and not the link.
        let real = disk.locate(&self.path);
        let dir = real.parent().filter(|dir| !dir.as_os_str().is_empty()).unwrap_or(Path::new("."));
        disk::at("its directory cannot be made", disk.make_dir(dir)).map_err(fails)?;
        let lock = disk.lock(&disk::beside(&real, ".lock"));
        let _lock = disk::at("it cannot be locked", lock).map_err(fails)?;
        let text = match disk.read(&real) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
            read => disk::at("it cannot be read", read).map_err(fails)?,
        };
        let now = self.with_text(text);
        refuse(&now, "not saved, because the file has a mistake")?;
        let (text, done) = change(&now)?;
        let new = self.with_text(text);
        refuse(&new, "not saved, because the file would have a mistake")?;
        if new.text != now.text {
            disk::replace(&*disk, &real, dir, new.text.as_bytes()).map_err(fails)?;
        }
        *self = new;
        Ok(done)
    }
}

pub(super) fn conflict(id: &ProfileId, base: &str, ours: Option<&str>, theirs: Option<&str>) -> SaveError {
    let [ours, theirs] = [ours, theirs].map(|text| text.map(str::to_owned));
    SaveError::Conflict(Box::new(Conflict { id: id.clone(), base: base.to_owned(), ours, theirs }))
}

fn refuse(file: &SessionsFile, why: &str) -> Result<(), SaveError> {
    let Some(problem) = file.problems.first() else { return Ok(()) };
    let cause = format!("{why}: {}", problem.cause);
    Err(SessionsError { cause, ..problem.clone() }.into())
}

/// What an update changes.
struct Changes<'a> {
    known: &'a Profile,
    wanted: &'a Profile,
}

impl Changes<'_> {
    fn has(&self, name: &str) -> bool {
        let (known, wanted) = (written::value(self.known, name), written::value(self.wanted, name));
        // The usual port and path move when what they follow does.
        let follows = matches!(name, "port" | "path") && (self.has_moved("protocol") || self.has_moved("tls.use"));
        let moved = self.known.inherits != self.wanted.inherits;
        follows || moved || !written::same(known.as_ref(), wanted.as_ref())
    }

    fn has_moved(&self, name: &str) -> bool {
        !written::same(written::value(self.known, name).as_ref(), written::value(self.wanted, name).as_ref())
    }

    /// `text` with everything said outright that does not come out as wanted.
    fn insisted_on(&self, now: &SessionsFile, text: String) -> Result<String, SaveError> {
        let differing = |text: &str| {
            let file = now.with_text(text.to_owned());
            let came_out = file.get(&self.wanted.id)?.clone();
            let differs = |name: &str| {
                let (have, want) = (written::value(&came_out, name), written::value(self.wanted, name));
                !written::same(have.as_ref(), want.as_ref())
            };
            let names = KEYS.iter().map(|key| key.name).filter(|name| self.has(name) && differs(name));
            Some(names.collect::<Vec<_>>())
        };
        // A text with a mistake is refused later, in the words of the mistake.
        let Some(names) = differing(&text).filter(|names| !names.is_empty()) else { return Ok(text) };
        let block = edit::block(&text, self.wanted.id.as_str()).unwrap_or_default();
        let block = now.changed(edit::insisted(block, &names, self.wanted))?;
        let text = now.changed(edit::replace(&text, self.wanted.id.as_str(), &block))?;
        match differing(&text).and_then(|names| names.first().copied()) {
            None => Ok(text),
            Some(name) => {
                let cause = format!("not saved, because `{name}` is inherited and cannot be left out");
                Err(whole(&now.path, cause, "give it a value, or inherit from something else").into())
            }
        }
    }
}
