//! The headless front: one operation of the engine for one command, on one session or on several.
//!
//! Owns: arguments, the choice of a target, output formats, exit codes. Must not know protocols, connections or the
//! terminal UI; data goes to stdout alone, everything else to stderr.
//!
//! ```text
//! args -> target -> engine -> OpEvent -> output -> stdout
//!                                 +----> verbose, failure -> stderr
//! ```

pub mod args;
mod command;
mod config;
mod failure;
mod fan_out;
mod operate;
mod output;
mod prompt;
mod related;
mod serve;
mod sessions;
mod signals;
mod target;
mod verbose;

use std::process::ExitCode;

use clap::Parser;

pub use args::Arguments;
pub use config::CheckFiles;
pub use target::Preselect;

use crate::{
    config::{Config, Paths},
    session::store::SessionsFile,
};

/// What the arguments ask for.
#[derive(Debug)]
pub enum Front {
    /// The command has run; the exit code.
    Done(ExitCode),
    /// The terminal UI is wanted.
    Tui(Box<Start>),
}

/// What the terminal UI starts with.
#[derive(Clone, Debug)]
pub struct Start {
    /// The configuration, flags included.
    pub config: Config,
    /// The places of the files.
    pub paths: Paths,
    /// The saved sessions, mistakes included.
    pub sessions: SessionsFile,
    /// Where it begins.
    pub preselect: Preselect,
}

/// Reads the arguments of the process and runs the command they ask for, if they ask for one. Usage errors, `--help` and
/// `--version` end the process. `check_files` finds the mistakes in the files the terminal UI alone reads.
pub fn run(check_files: CheckFiles) -> Front {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => {
            // A URL in the wrong place would be repeated, and a password may stand in it.
            if error.use_stderr() && error.to_string().contains("://") {
                let cause = "something with :// stands where no URL is expected";
                let failure = failure::Failure::usage("usage", "arguments", cause, "--url URL, or --help");
                return Front::Done(failure.report());
            }
            error.exit()
        }
    };
    match command::dispatch(arguments, check_files) {
        Ok(front) => front,
        Err(failure) => Front::Done(failure.report()),
    }
}
