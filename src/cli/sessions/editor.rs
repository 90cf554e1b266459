//! `lazycim sessions edit NAME` on a terminal: one session in the user's editor.
//!
//! Owns: the copy that is edited, the editor, and asking whether to go on after a mistake. Must not judge what was written:
//! the store does.

use std::{
    ffi::OsString,
    io::{self, IsTerminal, Write},
    path::Path,
};

use tempfile::NamedTempFile;
use tokio::io::{AsyncBufReadExt, AsyncReadExt};

use super::{id_of, loaded, not_saved};
use crate::{
    cli::{
        failure::{Failure, say},
        signals::Signals,
    },
    config::Paths,
    session::{ProfileId, store::SessionsError},
};

/// The longest answer to a question.
const MAX_ANSWER: u64 = 64;

/// Lets the user edit the session called `name`. The file is as it was until the whole of it can be saved.
pub(super) async fn edit(name: &str, paths: &Paths) -> Result<(), Failure> {
    if ![io::stdin().is_terminal(), io::stdout().is_terminal(), io::stderr().is_terminal()].into_iter().all(|it| it) {
        let hint = "--set KEY=VALUE or --unset KEY; an editor needs a terminal";
        return Err(Failure::usage("usage", "sessions edit", "nothing is to change", hint));
    }
    let mut sessions = loaded(paths)?;
    let id = id_of(name, &sessions, false)?;
    let before = sessions.text_of(&id).map_err(|error| not_saved(&id, &error))?.to_owned();
    let copy = copy_of(&before).map_err(|error| unusable("no copy can be made of it", &error))?;
    let mut signals = Signals::catch()
        .map_err(|error| Failure::local("start", "signals", &error.to_string(), "check the limits of the process"))?;
    loop {
        run_editor(copy.path(), &id, &mut signals).await?;
        let text = std::fs::read_to_string(copy.path()).map_err(|error| unusable("the copy cannot be read", &error))?;
        if text == before {
            say(&format!("`{}` says what it said: nothing is changed", id.as_str()));
            return Ok(());
        }
        let Err(mistake) = sessions.check(&id, &text) else {
            return match sessions.rewrite(&id, &text) {
                Ok(()) => {
                    say(&format!("changed `{}`: {}", id.as_str(), sessions.path.display()));
                    Ok(())
                }
                Err(error) => {
                    let kept =
                        copy.into_temp_path().keep().map(|path| format!("your version is in {}", path.display()));
                    let hint = kept.unwrap_or_else(|_| error.hint());
                    Err(Failure::usage("sessions", id.as_str(), &error.to_string(), &hint))
                }
            };
        };
        tell(copy.path(), &mistake);
        if !goes_on(&mut signals).await? {
            let hint = "edit it again, or --set KEY=VALUE";
            return Err(Failure::local("sessions", id.as_str(), "given up: nothing is changed", hint));
        }
    }
}

/// A copy that nobody else can read, removed when it is dropped.
fn copy_of(text: &str) -> io::Result<NamedTempFile> {
    // An editor knows by the ending what it shows.
    let mut copy = tempfile::Builder::new().prefix("lazycim-").suffix(".toml").tempfile()?;
    copy.write_all(text.as_bytes())?;
    copy.flush()?;
    Ok(copy)
}

fn unusable(what: &str, error: &io::Error) -> Failure {
    Failure::usage("sessions", "edit", &format!("{what}: {error}"), "check the directory for temporary files, TMPDIR")
}

/// `FILE:LINE:COLUMN: CAUSE`, as editors and people read it.
fn tell(copy: &Path, mistake: &SessionsError) {
    let mistake = match mistake.place {
        Some(_) => SessionsError { file: copy.to_owned(), ..mistake.clone() },
        None => mistake.clone(),
    };
    say(&format!("lazycim: sessions: {mistake}"));
    say(&format!("try: {}", mistake.hint));
}

/// Runs the editor to its end.
async fn run_editor(copy: &Path, id: &ProfileId, signals: &mut Signals) -> Result<(), Failure> {
    let named = ["VISUAL", "EDITOR"].into_iter().filter_map(std::env::var_os).find(|editor| !editor.is_empty());
    let editor = named.unwrap_or_else(|| OsString::from("vi"));
    let shown = editor.to_string_lossy().into_owned();
    let fails = |cause: String| {
        let hint = "set VISUAL or EDITOR to an editor that waits";
        Failure::local("sessions", id.as_str(), &format!("the editor `{shown}` {cause}: nothing is changed"), hint)
    };
    let mut command = command(&editor, copy);
    let mut child = command.kill_on_drop(true).spawn().map_err(|error| fails(format!("cannot be started: {error}")))?;
    let status = loop {
        tokio::select! {
            biased;
            // An interrupt is the editor's, which has the terminal.
            code = signals.next() => if code != 130 {
                return Err(Failure::signal(code));
            },
            status = child.wait() => break status,
        }
    };
    let status = status.map_err(|error| fails(format!("cannot be waited for: {error}")))?;
    if status.success() { Ok(()) } else { Err(fails(format!("ended with {status}"))) }
}

/// The variable may hold arguments, and is what a shell makes of it.
#[cfg(unix)]
fn command(editor: &OsString, copy: &Path) -> tokio::process::Command {
    let mut script = editor.clone();
    script.push(" \"$@\"");
    let mut command = tokio::process::Command::new("/bin/sh");
    command.arg("-c").arg(script).arg(editor).arg(copy);
    command
}

#[cfg(not(unix))]
fn command(editor: &OsString, copy: &Path) -> tokio::process::Command {
    let mut command = tokio::process::Command::new(editor);
    command.arg(copy);
    command
}

/// Asks whether to edit again. What cannot be read is a no.
async fn goes_on(signals: &mut Signals) -> Result<bool, Failure> {
    let _ = write!(io::stderr().lock(), "Edit it again? [Y/n] ");
    let mut answer = String::new();
    let mut lines = tokio::io::BufReader::new(tokio::io::stdin().take(MAX_ANSWER));
    let read = tokio::select! {
        biased;
        code = signals.next() => return Err(Failure::signal(code)),
        read = lines.read_line(&mut answer) => read,
    };
    let yes = matches!(answer.trim().to_lowercase().as_str(), "" | "y" | "yes");
    Ok(yes && read.is_ok_and(|bytes| bytes > 0))
}
