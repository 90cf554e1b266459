//! `lazycim sessions import`.
//!
//! Owns: reading the file, bounded, and saving what it brings. Must not know any format.

use std::{io, path::Path};

use super::{super::serve::print, ImportArguments};
use crate::{
    cim::text::escape_for_terminal,
    cli::failure::{Failure, say},
    config::{Config, Paths},
    engine::Settings,
    session::{
        exchange::{self, ExchangeError, Format, Import, Placed},
        foreign,
        store::SessionsFile,
    },
};

/// Imports a file, or the environment.
pub(super) async fn run(arguments: ImportArguments, config: &Config, paths: &Paths) -> Result<(), Failure> {
    let mut sessions = super::loaded(paths)?;
    let (from, import) = read(&arguments)?;
    let left_out = exchange::summed_up(&import.left_out);
    let placed = import.place(&sessions);
    let saved = if arguments.dry_run { Ok(()) } else { save(&mut sessions, &placed) };
    let count = saved.as_ref().map_or_else(|(count, _)| *count, |()| placed.len());
    print(list(&placed[..count]).as_bytes()).await?;
    for line in &left_out {
        say(&format!("not imported: {line}"));
    }
    tell(&placed[..count], config);
    let done = if arguments.dry_run { "would be added" } else { "added" };
    say(&format!("{count} of {} sessions {done}: {}", placed.len(), sessions.path.display()));
    match saved {
        Err((_, failure)) => Err(failure),
        Ok(()) if placed.is_empty() => {
            let cause = "it brought no session";
            Err(Failure::local("import", &from, cause, "another file, or another --format"))
        }
        Ok(()) => Ok(()),
    }
}

/// Where the sessions come from, and the sessions.
fn read(arguments: &ImportArguments) -> Result<(String, Import), Failure> {
    let Some(file) = &arguments.file else {
        if arguments.format != Some(Format::PywbemcliVariables) {
            return Err(Failure::usage("usage", "import", "it needs a file", "lazycim sessions import FILE"));
        }
        let from = "the environment".to_owned();
        // Variables that are not UTF-8 cannot be pywbemcli's.
        let variables =
            std::env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
        // Names of files in variables are relative to where the command runs.
        let dir = std::env::current_dir().unwrap_or_default();
        let import = exchange::import_variables(&variables.collect(), &dir).map_err(|error| failure(&from, &error))?;
        return Ok((from, import));
    };
    let from = if is_stdin(file) { "stdin".to_owned() } else { file.display().to_string() };
    let text = if is_stdin(file) { foreign::text_of(io::stdin().lock()) } else { foreign::read(file) };
    let text = text.map_err(|error| {
        let hint = "check its name, its permissions and its encoding";
        Failure::usage("import", &from, &format!("cannot be read: {error}"), hint)
    })?;
    let dir = file.parent().filter(|_| !is_stdin(file)).unwrap_or(Path::new(""));
    let dir = std::path::absolute(dir).or_else(|_| std::env::current_dir()).unwrap_or_default();
    let import = exchange::import(&text, arguments.format, &dir).map_err(|error| failure(&from, &error))?;
    Ok((from, import))
}

fn failure(from: &str, error: &ExchangeError) -> Failure {
    let place = error.place.map_or_else(|| from.to_owned(), |(line, column)| format!("{from}:{line}:{column}"));
    Failure::usage("import", &place, &error.cause, &error.hint)
}

fn is_stdin(file: &Path) -> bool {
    file == Path::new("-")
}

/// Saves the sessions; on failure, how many are saved, and why no more.
fn save(sessions: &mut SessionsFile, placed: &[Placed]) -> Result<(), (usize, Failure)> {
    for (number, one) in placed.iter().enumerate() {
        sessions.add(&one.profile, None).map_err(|error| (number, super::not_saved(&one.profile.id, &error)))?;
    }
    Ok(())
}

/// A line for each session: its id and where it connects.
fn list(placed: &[Placed]) -> String {
    exchange::listed(placed).iter().map(|line| format!("{}\n", escape_for_terminal(line))).collect()
}

/// Tells which ids were taken, which sessions check less, and which cannot connect yet.
fn tell(placed: &[Placed], config: &Config) {
    for line in exchange::remarks(placed) {
        say(&line);
    }
    let settings = Settings::new(config);
    let mut unspoken: Vec<&str> = placed.iter().map(|one| one.profile.target.protocol.as_str()).collect();
    unspoken.retain(|protocol| (settings.protocols)(protocol).is_none());
    unspoken.sort_unstable();
    unspoken.dedup();
    for protocol in unspoken {
        let count = placed.iter().filter(|one| one.profile.target.protocol == protocol).count();
        say(&format!("{count} of them cannot connect yet: this version does not speak {protocol}"));
    }
}
