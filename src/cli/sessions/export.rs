//! `lazycim sessions export`.
//!
//! Owns: the choice of sessions. Must not know any format.

use super::{super::serve::print, ExportArguments};
use crate::{
    cim::text::escape_for_terminal,
    cli::{
        failure::{Failure, say},
        output::Screen,
        target::by_name,
    },
    config::Paths,
    session::{Profile, exchange, profile::THIS_COMPUTER},
};

/// Prints sessions in the format asked for.
pub(super) async fn run(arguments: ExportArguments, paths: &Paths) -> Result<(), Failure> {
    let sessions = super::loaded(paths)?;
    let mut chosen: Vec<&Profile> = Vec::new();
    for name in &arguments.ids {
        match by_name(name, name, &sessions, false)? {
            Some(profile) if chosen.iter().any(|known| known.id == profile.id) => {}
            Some(profile) => chosen.push(profile),
            None => {
                let cause = "it is served by lazycim alone: no other tool could connect";
                return Err(Failure::usage("export", THIS_COMPUTER, cause, "name a saved session"));
            }
        }
    }
    if arguments.ids.is_empty() {
        chosen.extend(&sessions.entries);
    }
    let export = exchange::export(&chosen, arguments.format)
        .map_err(|error| Failure::usage("export", arguments.format.name(), &error.cause, &error.hint))?;
    let text = match Screen::of_stdout() {
        Screen::Stream => export.text,
        Screen::Terminal(_) => export.text.lines().map(|line| format!("{}\n", escape_for_terminal(line))).collect(),
    };
    print(text.as_bytes()).await?;
    for line in exchange::summed_up(&export.left_out) {
        say(&format!("not exported: {line}"));
    }
    Ok(())
}
