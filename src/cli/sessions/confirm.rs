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
    session::{
        Proxy, SecretCommand, SecretSource, Target,
        store::{Origin, SessionsFile},
    },
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
    for (place, key, command) in unconfirmed(&mut wanted.target) {
        if let Origin::Inherited(parent) = sessions.origin(&wanted.id, key) {
            let parent = parent.to_text();
            let cause = format!("its {place} is inherited from {parent}");
            return Err(fails(&cause, &format!("lazycim sessions confirm {parent}")));
        }
        say(&format!("{place} of {}: {}", wanted.id.as_str(), words_of(command)));
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

/// The commands that must not run yet: what each is for, its key in the file, and itself.
fn unconfirmed(target: &mut Target) -> impl Iterator<Item = (&'static str, &'static str, &mut SecretCommand)> {
    let proxy = match &mut target.proxy {
        Proxy::Http(proxy) => Some(("command for the proxy's password", "proxy", &mut proxy.secret)),
        Proxy::None | Proxy::System => None,
    };
    let own = ("command for the password", "auth.secret", &mut target.secret);
    [Some(own), proxy].into_iter().flatten().filter_map(|(place, key, source)| match source {
        SecretSource::Command(command) if !command.confirmed => Some((place, key, command)),
        _ => None,
    })
}

/// The command such that one word is told from two.
fn words_of(command: &SecretCommand) -> String {
    let words = command.words.iter().map(|word| format!("{word:?}")).collect::<Vec<_>>().join(" ");
    if command.shell { format!("a shell reads {words}") } else { words }
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
