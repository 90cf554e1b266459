//! How a command ends when it does not end well: the two lines on stderr and the exit code.
//!
//! Owns: the exit codes of CLI.md. Must not print anything but what is safe on a terminal.

use std::{
    io::{IsTerminal, Write},
    process::ExitCode,
};

use crate::{
    cim::text::escape_for_terminal,
    config::ConfigError,
    op::{ErrorKind, OpError},
    session::store::SessionsError,
};

/// An operation failed; the rows so far are printed.
const FAILED: u8 = 1;
/// Usage, bad configuration, no terminal, secret missing.
const USAGE: u8 = 2;

/// Why a command did not end well.
#[derive(Debug)]
pub(super) struct Failure {
    code: u8,
    said: Vec<Said>,
}

#[derive(Debug)]
struct Said {
    /// `PHASE: TARGET: CAUSE`
    what: String,
    hint: String,
}

impl Failure {
    /// A mistake of the user's: exit 2. `phase` says what was being read.
    pub(super) fn usage(phase: &str, target: &str, cause: &str, hint: &str) -> Self {
        Self { code: USAGE, said: vec![Said { what: format!("{phase}: {target}: {cause}"), hint: hint.to_owned() }] }
    }

    /// A failure of this machine: exit 1.
    pub(super) fn local(phase: &str, target: &str, cause: &str, hint: &str) -> Self {
        Self { code: FAILED, ..Self::usage(phase, target, cause, hint) }
    }

    /// The same as that of the session `name` among several: exit 1.
    pub(super) fn of_session(mut self, name: &str) -> Self {
        self.said.iter_mut().for_each(|said| said.what = format!("{name}: {}", said.what));
        Self { code: FAILED, ..self }
    }

    /// A signal that ended the command after clean-up.
    pub(super) const fn signal(code: u8) -> Self {
        Self { code, said: Vec::new() }
    }

    /// This one, and then another to tell; the exit code is the first's.
    pub(super) fn then(mut self, other: Self) -> Self {
        self.said.extend(other.said);
        self
    }

    /// Prints the failure, if there is something to say, and gives the exit code.
    pub(super) fn report(self) -> ExitCode {
        for said in self.said {
            say(&format!("lazycim: {}", said.what));
            if !said.hint.is_empty() {
                say(&format!("try: {}", said.hint));
            }
        }
        ExitCode::from(self.code)
    }
}

impl From<&OpError> for Failure {
    fn from(error: &OpError) -> Self {
        let code = match error.kind {
            ErrorKind::SecretMissing | ErrorKind::ClearTextRefused | ErrorKind::Configuration => USAGE,
            _ => FAILED,
        };
        Self { code, said: vec![Said { what: error.to_string(), hint: error.hint.clone() }] }
    }
}

impl From<ConfigError> for Failure {
    fn from(error: ConfigError) -> Self {
        Self::usage("config", &error.place.to_string(), &error.cause, &error.hint)
    }
}

impl From<&SessionsError> for Failure {
    fn from(error: &SessionsError) -> Self {
        Self { code: USAGE, said: vec![Said { what: format!("sessions: {error}"), hint: error.hint.clone() }] }
    }
}

/// One line on stderr, safe for a terminal. Where stderr is closed there is nobody to tell.
pub(super) fn say(line: &str) {
    let _ = writeln!(std::io::stderr().lock(), "{}", escape_for_terminal(line));
}

/// One line on stderr that must not be overlooked: red on a terminal, unless `NO_COLOR` asks for none.
pub(super) fn say_danger(line: &str) {
    let mut stderr = std::io::stderr().lock();
    let colour = stderr.is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
    let (on, off) = if colour { ("\u{1b}[31m", "\u{1b}[0m") } else { ("", "") };
    let _ = writeln!(stderr, "{on}{}{off}", escape_for_terminal(line));
}
