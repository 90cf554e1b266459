//! `lazycim sessions`: the saved sessions from the command line.
//!
//! Owns: the command's grammar and which part of it runs. Must not connect to anything.

mod export;
mod import;

use std::path::PathBuf;

use clap::{
    Args, Subcommand,
    builder::{PossibleValuesParser, TypedValueParser},
};

use super::{args::TargetArguments, failure::Failure};
use crate::{
    config::{Config, Paths},
    session::exchange::Format,
};

/// What to do with the saved sessions.
#[derive(Debug, Subcommand)]
pub enum SessionsCommand {
    /// Add the sessions of another tool's file; what cannot be carried over is listed
    Import(ImportArguments),
    /// Print sessions as another tool's file; what cannot be carried over is listed
    Export(ExportArguments),
}

/// Arguments of `sessions import`.
#[derive(Clone, Debug, Args)]
pub struct ImportArguments {
    /// The file; - is stdin. Only pywbemcli-env does without: it then reads the environment
    #[arg(required_unless_present = "format")]
    pub file: Option<PathBuf>,
    /// The file's format; without it the one it looks like
    #[arg(long, value_name = "F", value_parser = one_of(&Format::ALL))]
    pub format: Option<Format>,
    /// Only say what would be added
    #[arg(long)]
    pub dry_run: bool,
}

/// Arguments of `sessions export`.
#[derive(Clone, Debug, Args)]
pub struct ExportArguments {
    /// The format
    #[arg(long, value_name = "F", value_parser = one_of(&Format::WRITTEN))]
    pub format: Format,
    /// The sessions, by id or name; without any, all of them
    pub ids: Vec<String>,
}

/// Runs the command.
pub(super) async fn run(
    command: SessionsCommand,
    target: TargetArguments,
    config: Config,
    paths: Paths,
) -> Result<(), Failure> {
    if target.session.is_some() || target.url.is_some() || target.tag.is_some() {
        let cause = "it takes no -s, --url or --tag";
        return Err(Failure::usage("usage", "sessions", cause, "leave them out"));
    }
    match command {
        SessionsCommand::Import(arguments) => import::run(arguments, &config, &paths).await,
        SessionsCommand::Export(arguments) => export::run(arguments, &paths).await,
    }
}

fn one_of(formats: &'static [Format]) -> impl TypedValueParser<Value = Format> {
    PossibleValuesParser::new(formats.iter().map(|format| format.name()))
        .try_map(|name| Format::from_name(&name).ok_or("unknown format"))
}
