//! `lazycim sessions confirm`.
//!
//! Owns: showing the commands of a session that came with an import, and allowing them. Must not run one.

use std::io::{self, IsTerminal};

use super::ConfirmArguments;
use crate::{
    cli::{
        failure::{Failure, say},
        target::by_name,
    },
    config::Paths,
    session::store::{Origin, SessionsFile},
};

/// Confirms the commands of one session.
pub(super) fn run(arguments: &ConfirmArguments, paths: &Paths) -> Result<(), Failure> {
    let mut sessions = SessionsFile::load(paths.sessions_file());
    if let Some(problem) = sessions.problems.first() {
        return Err(problem.into());
    }
    let name = arguments.name.as_str();
    let fails = |cause: &str, hint: &str| Failure::usage("confirm", name, cause, hint);
    let Some(known) = by_name(name, name, &sessions, false)? else {
        return Err(fails("this computer needs no password", "name a saved session"));
    };
    let mut wanted = known.clone();
    let mut shown = 0;
    for (place, key, command) in wanted.target.unconfirmed() {
        if let Origin::Inherited(parent) = sessions.origin(&wanted.id, key) {
            let parent = parent.to_text();
            let cause = format!("its {place} is inherited from {parent}");
            return Err(fails(&cause, &format!("lazycim sessions confirm {parent}")));
        }
        say(&format!("{place} of {}: {}", wanted.id.as_str(), command.told()));
        command.confirmed = true;
        shown += 1;
    }
    if shown == 0 {
        return Err(fails("it has no command that waits to be confirmed", "nothing need be done"));
    }
    if !arguments.yes && !agreed(&fails)? {
        return Err(fails("it was not confirmed", "correct or remove the command in sessions.toml"));
    }
    let id = wanted.id.clone();
    sessions.update(&id, &wanted).map_err(|error| fails(&error.to_string(), &error.hint()))?;
    say(&format!("confirmed: {}", id.as_str()));
    Ok(())
}

fn agreed(fails: &dyn Fn(&str, &str) -> Failure) -> Result<bool, Failure> {
    if !io::stdin().is_terminal() {
        return Err(fails("there is no terminal to ask on", "read the command, then run this again with --yes"));
    }
    say("May lazycim run it for the password? y or n");
    let mut answer = String::new();
    let read = io::stdin().read_line(&mut answer);
    read.map_err(|error| fails(&format!("the answer cannot be read: {error}"), "run it again with --yes"))?;
    Ok(matches!(answer.trim(), "y" | "yes"))
}
