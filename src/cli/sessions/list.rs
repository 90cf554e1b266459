//! `lazycim sessions list` and `show`.
//!
//! Owns: which sessions and which of their values are printed. Must not connect to anything, and must not know a secret.

use std::fmt::Write as _;

use super::{ShowFormat, id_of};
use crate::{
    cim::text::escape_for_terminal,
    cli::{
        args::RowFormat,
        failure::Failure,
        output::{Screen, list_sessions, list_values},
        serve::print,
        target::with_tags,
    },
    config::Paths,
    session::{
        Parent,
        store::{Effective, Origin, SessionsFile},
    },
};

/// Where the values of `show -o toml` are told from.
const COLUMN: usize = 36;

/// Lists the sessions that have all of `tags`. A mistake costs its own entry; all are told at the end.
pub(super) async fn list(format: RowFormat, tags: &[String], paths: &Paths) -> Result<(), Failure> {
    let sessions = SessionsFile::load(paths.sessions_file());
    let failure = sessions.problems.iter().map(Failure::from).reduce(Failure::then);
    let (chosen, failure) = match (with_tags(tags, &sessions), failure) {
        // The one with the tag may be the one with the mistake.
        (Err(_), Some(failure)) => return Err(failure),
        (chosen, failure) => (chosen?, failure),
    };
    print(&list_sessions(format, &chosen, Screen::of_stdout())).await?;
    failure.map_or(Ok(()), Err)
}

/// Prints what a session comes to.
pub(super) async fn show(name: &str, format: ShowFormat, paths: &Paths) -> Result<(), Failure> {
    let sessions = super::loaded(paths)?;
    let values = sessions.effective(&id_of(name, &sessions, true)?);
    let out = match format {
        ShowFormat::Toml => toml(&values).into_bytes(),
        ShowFormat::Json => {
            let values = values.iter().map(|value| (value.key, json(&value.value), source(&value.origin)));
            list_values(values)
        }
    };
    print(&out).await
}

fn toml(values: &[Effective]) -> String {
    let screen = Screen::of_stdout();
    let mut out = String::new();
    for Effective { key, value, origin } in values {
        let said = format!("{key} = {value}");
        let line = format!("{said:<COLUMN$} # {}", source(origin));
        let line = match screen {
            Screen::Terminal(_) => escape_for_terminal(&line),
            Screen::Stream => line.into(),
        };
        // Writing into a String cannot fail.
        let _ = writeln!(out, "{line}");
    }
    out
}

/// A value in TOML as one in JSON, which has everything that a session's values are made of.
fn json(value: &str) -> serde_json::Value {
    let table = toml::from_str::<toml::Table>(&format!("value = {value}")).ok();
    let value = table.and_then(|mut table| table.remove("value"));
    value.and_then(|value| serde_json::to_value(value).ok()).unwrap_or(serde_json::Value::Null)
}

fn source(origin: &Origin) -> String {
    match origin {
        Origin::Default => "default".to_owned(),
        Origin::Own => "sessions.toml".to_owned(),
        Origin::Inherited(Parent::Profile(id)) => format!("session {}", id.as_str()),
        Origin::Inherited(Parent::Preset(name)) => format!("preset {name}"),
    }
}
