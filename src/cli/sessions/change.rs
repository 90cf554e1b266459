//! `lazycim sessions add`, `edit` and `remove`.
//!
//! Owns: what the arguments make of a session, and asking before one is removed. Must not know how the file is written.

use std::io::{BufRead, IsTerminal, Write};

use super::{AddArguments, EditArguments, id_of, loaded, not_saved};
use crate::{
    cim::text::escape_for_terminal,
    cli::{
        args::TargetArguments,
        failure::{Failure, say},
        target,
    },
    config::{Config, Paths},
    engine::Settings,
    session::{
        Parent, Profile, ProfileId, Target, Tls,
        store::{SessionsFile, Setting, SettingError},
        url::TargetUrl,
    },
};

/// The longest answer to a question.
const MAX_ANSWER: u64 = 64;

/// Adds a session.
pub(super) fn add(
    arguments: AddArguments,
    flags: &TargetArguments,
    config: &Config,
    paths: &Paths,
) -> Result<(), Failure> {
    let usage = |what: &str, cause: &str, hint: &str| Failure::usage("usage", what, cause, hint);
    let mut sessions = loaded(paths)?;
    let Some(id) = ProfileId::new(&arguments.id) else {
        let cause = "an id is 1 to 64 of a-z, 0-9, `.`, `_` and `-`";
        return Err(usage("ID", cause, "--name NAME may have any characters"));
    };
    let Some(url) = &flags.url else {
        return Err(usage("sessions add", "it needs to know where to connect", "--url URL"));
    };
    let url = TargetUrl::parse(url).map_err(|error| usage("--url", error.cause, error.hint))?;
    let settings = settings(&arguments.key, "--key", Setting::set)?;
    if settings.iter().any(|setting| setting.key() == "id") {
        return Err(usage("--key id", "the id is told already", "leave it out"));
    }
    let mut profile = sessions.blank(&id, arguments.preset.map(Parent::Preset));
    point_at(&mut profile.target, url, profile.inherits.is_none());
    target::adapt(&mut profile.target, flags)?;
    profile.target.tls.iter_mut().try_for_each(from_here)?;
    profile.name = arguments.name.unwrap_or(profile.name);
    profile.tags.extend(flags.tags.iter().cloned());
    sessions.add_with(&profile, &settings).map_err(|error| not_saved(&id, &error))?;
    say(&format!("added `{}`: {}", id.as_str(), sessions.path.display()));
    tell(&sessions, &id, config);
    Ok(())
}

/// Puts what `url` says into `target`; `all` with what follows from its protocol.
fn point_at(target: &mut Target, url: TargetUrl, all: bool) {
    if all || url.path != url.scheme.default_path() || target.protocol != url.scheme.name() {
        target.path = url.path;
    }
    target.computer = Some(url.host);
    target.protocol = url.scheme.name().to_owned();
    target.port = url.port;
    target.tls = url.tls.then(|| target.tls.take().unwrap_or_default());
    target.user = url.user.or(target.user.take());
}

/// Names of files on the command line are relative to where it runs, those in sessions.toml to where that is.
fn from_here(tls: &mut Tls) -> Result<(), Failure> {
    for file in [&mut tls.ca_file, &mut tls.client_cert, &mut tls.client_key].into_iter().flatten() {
        *file = std::path::absolute(&*file).map_err(|error| {
            Failure::usage(
                "usage",
                &file.display().to_string(),
                &error.to_string(),
                "name the file with its whole path",
            )
        })?;
    }
    Ok(())
}

/// Tells what is less safe about a new session, and what keeps it from connecting.
fn tell(sessions: &SessionsFile, id: &ProfileId, config: &Config) {
    let Some(Profile { target, .. }) = sessions.get(id) else { return };
    for danger in target.dangers() {
        say(&format!("less safe than it could be: {danger}"));
    }
    if let Some((preset, missing)) = target::unbuilt(target) {
        say(&format!("it cannot connect yet: the preset {preset} needs {missing}, which this version does not have"));
    } else if !Settings::new(config).speaks(target) {
        say(&format!("it cannot connect yet: this version does not speak {}", target.protocol));
    }
}

/// Changes a session.
pub(super) fn edit(arguments: &EditArguments, paths: &Paths) -> Result<(), Failure> {
    let mut changes = settings(&arguments.set, "--set", Setting::set)?;
    changes.extend(settings(&arguments.unset, "--unset", Setting::unset)?);
    let mut sessions = loaded(paths)?;
    let id = id_of(&arguments.name, &sessions, false)?;
    sessions.set(&id, &changes).map_err(|error| not_saved(&id, &error))?;
    say(&format!("changed `{}`: {}", id.as_str(), sessions.path.display()));
    Ok(())
}

fn settings(
    texts: &[String],
    flag: &str,
    read: fn(&str) -> Result<Setting, SettingError>,
) -> Result<Vec<Setting>, Failure> {
    let read = |text: &String| read(text).map_err(|error| Failure::usage("usage", flag, &error.cause, &error.hint));
    texts.iter().map(read).collect()
}

/// Removes a session, once that is certain.
pub(super) fn remove(name: &str, yes: bool, paths: &Paths) -> Result<(), Failure> {
    let mut sessions = loaded(paths)?;
    let id = id_of(name, &sessions, false)?;
    if !yes && !agreed(&sessions, &id)? {
        return Err(Failure::local("sessions", id.as_str(), "not removed", "answer y, or --yes"));
    }
    sessions.remove(&id).map_err(|error| not_saved(&id, &error))?;
    say(&format!("removed `{}`: {}", id.as_str(), sessions.path.display()));
    Ok(())
}

/// Asks whether the session may go.
fn agreed(sessions: &SessionsFile, id: &ProfileId) -> Result<bool, Failure> {
    if !std::io::stdin().is_terminal() || !std::io::stderr().is_terminal() {
        let cause = "there is no terminal to ask on";
        return Err(Failure::usage("usage", "sessions remove", cause, "--yes, if you are certain"));
    }
    let url = sessions.get(id).and_then(|profile| TargetUrl::of(&profile.target));
    let url = url.map(|url| format!(" ({url})")).unwrap_or_default();
    let question = format!("Remove the session `{}`{}? [y/N] ", id.as_str(), escape_for_terminal(&url));
    let mut answer = String::new();
    let _ = write!(std::io::stderr().lock(), "{question}");
    // Whatever cannot be read is no yes.
    let _ = std::io::Read::take(std::io::stdin().lock(), MAX_ANSWER).read_line(&mut answer);
    Ok(matches!(answer.trim().to_lowercase().as_str(), "y" | "yes"))
}
