//! Changes to the saved sessions, made apart from the loop and one after the other.
//!
//! Owns: their queue, and how each is made on the files. Must not know what the user sees of it.

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
    waiting: VecDeque<(Arc<SessionsFile>, Change)>,
    making: Option<Making>,
}

impl Saves {
    /// Makes `change` on the sessions as `base` knows them, after those before.
    pub(super) fn push(&mut self, base: Arc<SessionsFile>, change: Change) {
        self.waiting.push_back((base, change));
    }

    /// Whether none is left to be made.
    pub(super) fn is_empty(&self) -> bool {
        self.waiting.is_empty() && self.making.is_none()
    }

    /// Waits for the next change to be made; for ever where there is none. Dropped and called again it goes on waiting.
    pub(super) async fn next(&mut self) -> Changed {
        if self.making.is_none() {
            let Some((base, change)) = self.waiting.pop_front() else { return std::future::pending().await };
            self.making = Some(Box::pin(made(base, change)));
        }
        let Some(making) = &mut self.making else { return std::future::pending().await };
        let changed = making.await;
        self.making = None;
        changed
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
