//! `lazycim config`: where the files are, what is in force and why, and what is wrong with them.
//!
//! Owns: the text of these commands. Must not know how the files are read: `config`, `session` and, through [`CheckFiles`],
//! the terminal front do that.

use std::fmt::Write as _;

use super::{
    args::{CommonArguments, ConfigCommand},
    failure::Failure,
};
use crate::{
    config::{self, Config, ConfigError, Loaded, Paths, Source},
    session::store::{self, SessionsError, SessionsFile},
};

/// Finds the mistakes in the files only the terminal front reads.
pub type CheckFiles = fn(&Config, &Paths) -> Vec<ConfigError>;

/// The text of a command.
///
/// # Errors
/// Of `show`, the first mistake; of `check`, all of them.
pub(super) fn text(
    command: ConfigCommand,
    common: &CommonArguments,
    paths: &Paths,
    check_files: CheckFiles,
) -> Result<String, Vec<Failure>> {
    match command {
        ConfigCommand::Path => Ok(places(common, paths)),
        ConfigCommand::Show => {
            let loaded = super::command::loaded(common, paths);
            match loaded.problems.first() {
                Some(problem) => Err(vec![problem.clone().into()]),
                None => Ok(show(&loaded)),
            }
        }
        ConfigCommand::Check => check(common, paths, check_files),
        ConfigCommand::Template { sessions: true } => Ok(store::template()),
        ConfigCommand::Template { sessions: false } => Ok(config::template()),
    }
}

/// One line a file: what it is and where.
fn places(common: &CommonArguments, paths: &Paths) -> String {
    let config = common.config.clone().unwrap_or_else(|| paths.config_file());
    let files = [
        ("config", config),
        ("sessions", paths.sessions_file()),
        ("keys", paths.keys_file()),
        ("themes", paths.themes_dir()),
    ];
    files.iter().fold(String::new(), |mut out, (name, path)| {
        let _ = writeln!(out, "{name:<9} {}", path.display());
        out
    })
}

/// The configuration in force as TOML, behind each value where it comes from.
fn show(loaded: &Loaded) -> String {
    let (mut out, mut table) = (String::new(), "");
    for key in loaded.keys() {
        if key.table != table {
            let gap = if table.is_empty() { "" } else { "\n" };
            let _ = writeln!(out, "{gap}[{}]", key.table);
            table = key.table;
        }
        let said = format!("{} = {}", key.key, key.value);
        // A file's name may have any characters; a comment ends with its line.
        let source = key.source.to_string().replace(char::is_control, "?");
        let _ = writeln!(out, "{said:<36} # {source}");
    }
    out
}

fn check(common: &CommonArguments, paths: &Paths, check_files: CheckFiles) -> Result<String, Vec<Failure>> {
    let loaded = super::command::loaded(common, paths);
    let sessions = SessionsFile::load(paths.sessions_file());
    let mut failures = loaded.problems.iter().cloned().map(Failure::from).collect::<Vec<_>>();
    failures.extend(sessions.problems.iter().map(Failure::from));
    failures.extend(missing_files(&sessions).iter().map(Failure::from));
    failures.extend(check_files(&loaded.config, paths).into_iter().map(Failure::from));
    if !failures.is_empty() {
        return Err(failures);
    }
    let from_file = loaded.keys().iter().filter(|key| matches!(key.source, Source::File(_))).count();
    let (keys, themes) = (paths.keys_file(), paths.themes_dir());
    let mut out = String::new();
    for (name, path, said) in [
        ("config", common.config.clone().unwrap_or_else(|| paths.config_file()), format!("{from_file} keys set")),
        ("sessions", paths.sessions_file(), format!("{} sessions", sessions.entries.len())),
        ("keys", keys, "no mistakes".to_owned()),
        ("themes", themes, "no mistakes".to_owned()),
    ] {
        let said = if path.exists() { said } else { "not there, which is fine".to_owned() };
        let _ = writeln!(out, "{name:<9} {}: {said}", path.display());
    }
    Ok(out)
}

/// Files that sessions name and that are not there.
fn missing_files(sessions: &SessionsFile) -> Vec<SessionsError> {
    let named = sessions.entries.iter().flat_map(|entry| {
        let files = entry.target.tls.iter().flat_map(|tls| [&tls.ca_file, &tls.client_cert, &tls.client_key]);
        files.flatten().filter_map(|file| {
            let error = std::fs::metadata(file).err()?;
            let cause = format!("session `{}`: the file {} cannot be read: {error}", entry.id.as_str(), file.display());
            let hint = "name a PEM file; a relative name begins beside sessions.toml".to_owned();
            Some(SessionsError { file: sessions.path.clone(), place: None, cause, hint })
        })
    });
    named.collect()
}
