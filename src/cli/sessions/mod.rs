//! `lazycim sessions`: the saved sessions from the command line.
//!
//! Owns: the command's grammar, which part of it runs, and whom it is about. Must not connect to
//! anything: `test` alone does, through the engine.

mod change;
mod confirm;
mod editor;
mod export;
mod import;
mod list;
mod secret;
mod test;

use std::path::PathBuf;

use clap::{
    Args, Subcommand, ValueEnum,
    builder::{PossibleValuesParser, TypedValueParser},
};

use super::{
    args::{CommonArguments, RowFormat, TargetArguments},
    failure::Failure,
    serve::print,
};
use crate::{
    config::{Config, Paths},
    engine::{KeyringClient, Settings},
    session::{
        ProfileId,
        exchange::Format,
        profile::THIS_COMPUTER,
        store::{SaveError, SessionsFile},
    },
};

/// What to do with the saved sessions.
#[derive(Debug, Subcommand)]
pub enum SessionsCommand {
    /// List the saved sessions; --tag TAG: those with the tag
    List {
        /// The output format
        #[arg(short, long, value_enum, default_value_t = RowFormat::Table)]
        output: RowFormat,
    },
    /// Print what a session comes to, each value with where it comes from
    Show {
        /// Its id, its name, or the beginning of either
        name: String,
        /// The output format
        #[arg(short, long, value_enum, default_value_t = ShowFormat::Toml)]
        output: ShowFormat,
    },
    /// Add a session: --url URL, and --user, --tag, -n and the TLS flags as for any command
    Add(AddArguments),
    /// Change what a session says: by --set and --unset, else in $VISUAL or $EDITOR
    Edit(EditArguments),
    /// Remove a session
    Remove {
        /// Its id or its name, in full
        name: String,
        /// Do not ask
        #[arg(long)]
        yes: bool,
    },
    /// Connect to a session, or with --tag TAG to several, and say whether its server answers
    Test {
        /// Its id, its name, or the beginning of either
        name: Option<String>,
    },
    /// Print where sessions.toml is
    Path,
    /// Add the sessions of another tool's file; what cannot be carried over is listed
    Import(ImportArguments),
    /// Print sessions as another tool's file; what cannot be carried over is listed
    Export(ExportArguments),
    /// Show the command that gets a session's password and came with an import, and allow it to run
    Confirm(ConfirmArguments),
    /// Keep a session's password in the operating system's keyring, or take it out
    #[command(subcommand)]
    Secret(SecretCommands),
}

/// What to do with a password in the keyring.
#[derive(Debug, Subcommand)]
pub enum SecretCommands {
    /// Read a password, on the terminal or from stdin, and keep it in the keyring
    Set(SetSecretArguments),
    /// Take a password out of the keyring
    Forget(SecretArguments),
}

/// Whose password it is.
#[derive(Clone, Debug, Args)]
pub struct SecretArguments {
    /// The session's id or its name, in full
    pub name: String,
    /// The password of its proxy's user instead
    #[arg(long)]
    pub proxy: bool,
}

/// Arguments of `sessions secret set`.
#[derive(Clone, Debug, Args)]
pub struct SetSecretArguments {
    /// Whose password it is.
    #[command(flatten)]
    pub whose: SecretArguments,
    /// Also write auth.secret = "keyring" into the session, so that it is read there from now on
    #[arg(long = "use", conflicts_with = "proxy")]
    pub read_it: bool,
}

/// Arguments of `sessions add`.
#[derive(Clone, Debug, Args)]
pub struct AddArguments {
    /// The new session's id: 1 to 64 of a-z, 0-9, `.`, `_` and `-`
    pub id: String,
    /// Its name for people
    #[arg(long)]
    pub name: Option<String>,
    /// The preset it takes over what it does not say itself
    #[arg(long, value_name = "PRESET")]
    pub preset: Option<String>,
    /// A key of sessions.toml and its value as TOML, such as read_only=true; may be repeated
    #[arg(long, value_name = "KEY=VALUE")]
    pub key: Vec<String>,
}

/// Arguments of `sessions edit`.
#[derive(Clone, Debug, Args)]
pub struct EditArguments {
    /// Its id or its name, in full
    pub name: String,
    /// A key of sessions.toml and its value as TOML, such as port=5988; may be repeated
    #[arg(long, value_name = "KEY=VALUE")]
    pub set: Vec<String>,
    /// A key the session is to say nothing about any more; may be repeated
    #[arg(long, value_name = "KEY")]
    pub unset: Vec<String>,
}

/// Formats of one session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ShowFormat {
    /// TOML, behind each value where it comes from
    Toml,
    /// A JSON array of an object for each key
    Json,
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

/// Arguments of `sessions confirm`.
#[derive(Clone, Debug, Args)]
pub struct ConfirmArguments {
    /// The session, by id or name
    pub name: String,
    /// Do not ask: the command was read
    #[arg(long)]
    pub yes: bool,
}

/// Runs the command.
pub(super) async fn run(
    command: SessionsCommand,
    target: TargetArguments,
    common: CommonArguments,
    config: Config,
    paths: Paths,
) -> Result<(), Failure> {
    target.only("sessions", |flag| takes(&command, flag))?;
    match command {
        SessionsCommand::List { output } => list::list(output, &target.tags, &paths).await,
        SessionsCommand::Show { name, output } => list::show(&name, output, &paths).await,
        SessionsCommand::Add(arguments) => change::add(arguments, &target, &config, &paths),
        SessionsCommand::Edit(EditArguments { name, set, unset }) if set.is_empty() && unset.is_empty() => {
            editor::edit(&name, &paths).await
        }
        SessionsCommand::Edit(arguments) => change::edit(&arguments, &paths),
        SessionsCommand::Remove { name, yes } => change::remove(&name, yes, &paths),
        SessionsCommand::Test { name } => {
            let choice = test::choose(name, target, &common, &paths)?;
            test::run(choice, common.verbose, config, &paths).await
        }
        SessionsCommand::Path => print(format!("{}\n", paths.sessions_file().display()).as_bytes()).await,
        SessionsCommand::Import(arguments) => import::run(arguments, &config, &paths).await,
        SessionsCommand::Export(arguments) => export::run(arguments, &paths).await,
        SessionsCommand::Confirm(arguments) => confirm::run(&arguments, &paths),
        SessionsCommand::Secret(command) => {
            let keyring = KeyringClient::new(Settings::new(&config).keyring);
            match command {
                SecretCommands::Set(arguments) => secret::set(&arguments, &keyring, &paths).await,
                SecretCommands::Forget(arguments) => secret::forget(&arguments, &keyring, &paths).await,
            }
        }
    }
}

/// Whether `command` has a use for the target's flag `flag`.
fn takes(command: &SessionsCommand, flag: &str) -> bool {
    match command {
        SessionsCommand::Add(_) => !matches!(flag, "-s" | "--throttle"),
        SessionsCommand::Test { .. } => !matches!(flag, "-s" | "--url"),
        SessionsCommand::List { .. } => flag == "--tag",
        _ => false,
    }
}

/// The saved sessions, without a mistake in their file.
fn loaded(paths: &Paths) -> Result<SessionsFile, Failure> {
    let sessions = SessionsFile::load(paths.sessions_file());
    match sessions.problems.first() {
        Some(problem) => Err(problem.into()),
        None => Ok(sessions),
    }
}

/// The id of the saved session called `name`, or by the beginning of its name where `prefix` allows it.
fn id_of(name: &str, sessions: &SessionsFile, prefix: bool) -> Result<ProfileId, Failure> {
    match super::target::by_name(name, &name.escape_debug().to_string(), sessions, prefix)? {
        Some(profile) => Ok(profile.id.clone()),
        None => {
            let cause = "it is always there and not in sessions.toml";
            Err(Failure::usage("sessions", THIS_COMPUTER, cause, "name a saved session"))
        }
    }
}

fn not_saved(id: &ProfileId, error: &SaveError) -> Failure {
    Failure::usage("sessions", id.as_str(), &error.to_string(), &error.hint())
}

fn one_of(formats: &'static [Format]) -> impl TypedValueParser<Value = Format> {
    PossibleValuesParser::new(formats.iter().map(|format| format.name()))
        .try_map(|name| Format::from_name(&name).ok_or("unknown format"))
}
