//! Changes to the saved sessions, made apart from the loop and one after the other.
//!
//! Owns: their queue, that one never conflicts with ours before it, and how each is made on the files. Must not know what the
//! user sees of it.

use std::{
    collections::VecDeque,
    future::Future,
    io,
    path::{Path, PathBuf},
    pin::Pin,
    sync::Arc,
};

use crate::{
    app::{Change, ChangeError, Changed, Outcome},
    engine::aside,
    session::{
        Profile, ProfileId,
        exchange::{self, ExchangeError, Format},
        foreign,
        store::{KEYS, SessionsFile, Setting},
    },
};

type Making = Pin<Box<dyn Future<Output = Changed> + Send>>;

/// The changes that are waiting, and the one that is being made.
#[derive(Default)]
pub(super) struct Saves {
    waiting: VecDeque<Waiting>,
    making: Option<Making>,
    /// How many changes have been told of.
    told: u64,
    /// What those that wait do not know of yet.
    own: Vec<Own>,
}

/// A change that waits.
struct Waiting {
    base: Arc<SessionsFile>,
    change: Change,
    /// How many changes had been told of when it was asked for.
    knows: u64,
}

/// A session as our own last change left it.
struct Own {
    /// The number of the change.
    number: u64,
    /// The session, and the id it has since.
    id: (ProfileId, ProfileId),
    file: Arc<SessionsFile>,
}

impl Saves {
    /// Makes `change` on the sessions as `base` knows them, after those before.
    pub(super) fn push(&mut self, base: Arc<SessionsFile>, change: Change) {
        self.waiting.push_back(Waiting { base, change, knows: self.told });
    }

    /// Whether none is left to be made.
    pub(super) fn is_empty(&self) -> bool {
        self.waiting.is_empty() && self.making.is_none()
    }

    /// Waits for the next change to be made; for ever where there is none. Dropped and called again it goes on waiting.
    pub(super) async fn next(&mut self) -> Changed {
        if self.making.is_none() {
            let Some(next) = self.waiting.pop_front() else { return std::future::pending().await };
            let (base, change) = self.rebased(next);
            self.making = Some(Box::pin(made(base, change)));
        }
        let Some(making) = &mut self.making else { return std::future::pending().await };
        let changed = making.await;
        self.making = None;
        self.told += 1;
        self.remember(&changed);
        changed
    }

    /// A change on the session as our own changes before it left that, where it was asked for before they were told of. What
    /// somebody else did to the session meanwhile stays a conflict.
    fn rebased(&self, next: Waiting) -> (Arc<SessionsFile>, Change) {
        let Waiting { mut base, mut change, knows } = next;
        for own in self.own.iter().filter(|own| own.number > knows) {
            let Some(id) = session_of(&mut change).filter(|id| **id == own.id.0) else { continue };
            id.clone_from(&own.id.1);
            base = own.file.clone();
            if let Change::Revise { renamed, .. } = &mut change
                && *renamed == own.id.0
            {
                renamed.clone_from(&own.id.1);
            }
        }
        (base, change)
    }

    fn remember(&mut self, changed: &Changed) {
        if self.waiting.is_empty() {
            self.own.clear();
            return;
        }
        let after = match &changed.change {
            Change::Revise { renamed, .. } => Some(renamed.clone()),
            Change::Settle { conflict, .. } => Some(conflict.id.clone()),
            _ => None,
        };
        let mut change = changed.change.clone();
        let before = session_of(&mut change).cloned().or_else(|| after.clone());
        if let (Ok(_), Some(before)) = (&changed.outcome, before) {
            let id = (before.clone(), after.unwrap_or(before));
            self.own.push(Own { number: self.told, id, file: changed.file.clone() });
        }
    }
}

/// The one session a change is about, if it is there already.
const fn session_of(change: &mut Change) -> Option<&mut ProfileId> {
    match change {
        Change::Revise { id, .. } | Change::Pin { id, .. } | Change::Confirm { id, .. } | Change::Move { id, .. } => {
            Some(id)
        }
        Change::Remove(id) | Change::Duplicate(id) | Change::ReadKeyring(id) => Some(id),
        Change::Add { .. }
        | Change::Restore(_)
        | Change::Settle { .. }
        | Change::Import { .. }
        | Change::Export { .. } => None,
    }
}

async fn made(base: Arc<SessionsFile>, change: Change) -> Changed {
    let (file, asked) = (base.clone(), change.clone());
    let made = aside(move || make((*base).clone(), &asked)).await;
    match made {
        Some(Ok((file, outcome))) => Changed { change, outcome: Ok(outcome), file: Arc::new(file) },
        Some(Err(error)) => Changed { change, outcome: Err(error), file },
        None => Changed { change, outcome: Err(refused("saving ended before its end", "look at the file")), file },
    }
}

fn refused(cause: impl Into<String>, hint: impl Into<String>) -> ChangeError {
    ChangeError::Refused { cause: cause.into(), hint: hint.into() }
}

/// Makes a change; the answer is the file as it is then.
fn make(mut file: SessionsFile, change: &Change) -> Result<(SessionsFile, Outcome), ChangeError> {
    let outcome = match change {
        Change::Add { profile, settings } => file.add_with(profile, settings).map(|()| Outcome::Saved),
        Change::Revise { id, settings, .. } => file.revise(id, settings).map(|()| Outcome::Saved),
        Change::Remove(id) => file.remove(id).map(|removed| Outcome::Removed(Box::new(removed))),
        Change::Restore(removed) => file.restore(removed).map(|()| Outcome::Saved),
        Change::Duplicate(id) => file.duplicate(id).map(Outcome::Added),
        Change::Move { id, to } => file.move_to(id, *to).map(|()| Outcome::Saved),
        Change::Pin { id, pin, .. } => file.pin(id, *pin).map(|()| Outcome::Saved),
        Change::Confirm { id, profile } => file.update(id, profile).map(|()| Outcome::Saved),
        Change::ReadKeyring(id) => {
            let key = KEYS.iter().find(|key| key.name == "auth.secret");
            let settings = key.map(|key| Setting::typed(key, "keyring")).into_iter().collect::<Vec<_>>();
            file.revise(id, &settings).map(|()| Outcome::Saved)
        }
        Change::Settle { conflict, keep } => file.settle(conflict, *keep).map(|()| Outcome::Saved),
        Change::Import { file: from, format } => return import(&file, from, *format),
        Change::Export { file: to, format, ids, replace } => {
            let outcome = export(&file, to, *format, ids, *replace)?;
            return Ok((file, outcome));
        }
    };
    Ok((file, outcome?))
}

/// `file` with the home directory in the place of a `~` before it.
fn at_home(file: &Path) -> PathBuf {
    match (file.strip_prefix("~"), std::env::var_os("HOME")) {
        (Ok(rest), Some(home)) => Path::new(&home).join(rest),
        _ => file.to_owned(),
    }
}

fn misread(file: &Path, error: &ExchangeError) -> ChangeError {
    refused(format!("{}: {error}", file.display()), error.hint.clone())
}

fn import(base: &SessionsFile, from: &Path, format: Option<Format>) -> Result<(SessionsFile, Outcome), ChangeError> {
    let path = at_home(from);
    let text = foreign::read(&path).map_err(|error| {
        refused(
            format!("{} cannot be read: {error}", path.display()),
            "check its name, its permissions and its encoding",
        )
    })?;
    let dir = path.parent().unwrap_or(Path::new(""));
    let dir = std::path::absolute(dir).or_else(|_| std::env::current_dir()).unwrap_or_default();
    let import = exchange::import(&text, format, &dir).map_err(|error| misread(&path, &error))?;
    let left_out = exchange::summed_up(&import.left_out);
    // Somebody else may have added sessions meanwhile: ids are given by what is there now.
    let mut file = SessionsFile::load(&base.path);
    let placed = import.place(&file);
    let (mut added, mut failed) = (0, None);
    for one in &placed {
        match file.add(&one.profile, None) {
            Ok(()) => added += 1,
            Err(error) => {
                failed = Some(error);
                break;
            }
        }
    }
    if let (0, Some(error)) = (added, &failed) {
        return Err(error.clone().into());
    }
    let mut lines = exchange::listed(&placed[..added]);
    lines.extend(exchange::remarks(&placed[..added]));
    lines.extend(failed.map(|error| format!("no more were added: {error}; try: {}", error.hint())));
    lines.extend(left_out.iter().map(|line| format!("not imported: {line}")));
    let told = format!("{added} of {} sessions added to {}", placed.len(), file.path.display());
    Ok((file, Outcome::Exchanged { told, lines }))
}

fn export(
    file: &SessionsFile,
    to: &Path,
    format: Format,
    ids: &[ProfileId],
    replace: bool,
) -> Result<Outcome, ChangeError> {
    let path = at_home(to);
    let wanted = |profile: &&Profile| ids.is_empty() || ids.contains(&profile.id);
    let chosen = file.entries.iter().filter(wanted).collect::<Vec<_>>();
    let export = exchange::export(&chosen, format).map_err(|error| misread(&path, &error))?;
    match foreign::write(&path, &export.text, replace) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => return Ok(Outcome::IsThere),
        Err(error) => {
            let cause = format!("{} cannot be written: {error}", path.display());
            return Err(refused(cause, "check its directory and your rights there, or name another file"));
        }
        Ok(()) => {}
    }
    let told = format!("{} is written, as {}, from {} sessions", path.display(), format.name(), chosen.len());
    let lines = exchange::summed_up(&export.left_out).iter().map(|line| format!("not exported: {line}")).collect();
    Ok(Outcome::Exchanged { told, lines })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;

    const TWO: &str =
        "[[session]]\nid = \"a\"\ncomputer = \"a.example\"\n\n[[session]]\nid = \"b\"\ncomputer = \"b.example\"\n";

    fn id(text: &str) -> ProfileId {
        ProfileId::new(text).unwrap()
    }

    fn revise(of: &str, renamed: &str, settings: &[(&str, &str)]) -> Change {
        let key = |name: &str| KEYS.iter().find(|key| key.name == name).unwrap();
        let settings = settings.iter().map(|(name, text)| Setting::typed(key(name), text)).collect();
        Change::Revise { id: id(of), renamed: id(renamed), settings }
    }

    fn file(directory: &tempfile::TempDir) -> Arc<SessionsFile> {
        let path = directory.path().join("sessions.toml");
        std::fs::write(&path, TWO).unwrap();
        Arc::new(SessionsFile::load(&path))
    }

    #[tokio::test]
    async fn changes_asked_for_before_the_first_was_answered_do_not_conflict_with_it() {
        let directory = tempfile::tempdir().unwrap();
        let base = file(&directory);
        let mut saves = Saves::default();
        saves.push(base.clone(), revise("a", "lab", &[("id", "lab"), ("name", "Lab")]));
        // As somebody asks who still sees the session as it was.
        saves.push(base.clone(), revise("a", "a", &[("port", "7000")]));
        saves.push(base.clone(), Change::Move { id: id("a"), to: 1 });
        saves.push(base.clone(), revise("b", "b", &[("port", "7001")]));
        for _ in 0..4 {
            let changed = saves.next().await;
            assert!(changed.outcome.is_ok(), "{changed:?}");
        }
        assert!(saves.is_empty() && saves.own.is_empty());
        let saved = SessionsFile::load(&base.path);
        let told = saved.entries.iter().map(|one| (one.id.as_str(), one.name.as_str(), one.target.port));
        assert_eq!(told.collect::<Vec<_>>(), [("b", "b", 7001), ("lab", "Lab", 7000)]);
    }

    #[tokio::test]
    async fn what_somebody_else_changed_meanwhile_is_still_a_conflict() {
        let directory = tempfile::tempdir().unwrap();
        let base = file(&directory);
        let mut saves = Saves::default();
        saves.push(base.clone(), revise("a", "a", &[("port", "7000")]));
        saves.push(base.clone(), revise("b", "b", &[("port", "7001")]));
        saves.push(base.clone(), revise("a", "a", &[("port", "7002")]));
        assert!(saves.next().await.outcome.is_ok());
        let others = std::fs::read_to_string(&base.path).unwrap();
        let others = others.replace("a.example", "other.example").replace("b.example", "other.example");
        std::fs::write(&base.path, others).unwrap();
        for of in ["b", "a"] {
            let changed = saves.next().await;
            let Err(ChangeError::Conflict(conflict)) = changed.outcome else { panic!("{of}: {changed:?}") };
            assert_eq!(conflict.id.as_str(), of);
        }
    }
}
