//! A program that prints a secret.
//!
//! Owns: running it bounded in time and output, and ending it with all it started when nobody waits any more. Must not
//! show what it printed.

use std::{
    io,
    process::{ExitStatus, Stdio},
};

use secrecy::SecretString;
use tokio::{
    io::AsyncReadExt,
    process::{Child, ChildStdout, Command},
};
use zeroize::Zeroizing;

use super::Missing;
use crate::{op::explain::secret::command as words, session::SecretCommand};

/// The most a command may print, in bytes.
const MAX_OUTPUT: usize = 16_384;

/// How errors call the command: its program, or the beginning of its line. Arguments may say too much.
pub(super) fn name(command: &SecretCommand) -> String {
    let first = command.words.first().map_or("", String::as_str);
    if !command.shell {
        return format!("the command {first:?}");
    }
    let mut words = first.split_whitespace();
    let (word, more) = (words.next().unwrap_or_default(), words.next().is_some());
    format!("the shell command {:?}", if more { format!("{word} ...") } else { word.to_owned() })
}

/// Runs `command` and takes the first line it prints. Dropped before its end, it kills the command and what that started.
pub(super) async fn run(command: &SecretCommand) -> Result<SecretString, Missing> {
    let name = || ("command", name(command));
    let because = |row, error: io::Error| Missing::new(row, [name(), ("error", error.to_string())]);
    let mut running = start(command).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => Missing::new(words::MISSING, [name()]),
        _ => because(words::NOT_STARTED, error),
    })?;
    let Ok(ended) = tokio::time::timeout(command.timeout, output(&mut running)).await else {
        return Err(Missing::new(words::SLOW, [name(), ("limit", format!("{:?}", command.timeout))]));
    };
    let printed = match ended.map_err(|error| because(words::UNREADABLE, error))? {
        Output::TooMuch => return Err(Missing::new(words::TOO_MUCH, [name(), ("limit", MAX_OUTPUT.to_string())])),
        Output::Whole(_, status) if !status.success() => {
            return Err(Missing::new(words::FAILED, [name(), ("status", status.to_string())]));
        }
        Output::Whole(printed, _) => printed,
    };
    let line = printed.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    match std::str::from_utf8(line) {
        Ok("") => Err(Missing::new(words::SILENT, [name()])),
        Ok(secret) => Ok(SecretString::from(secret)),
        // The error would show where, not what; neither helps.
        Err(_) => Err(Missing::new(words::NOT_UTF8, [name()])),
    }
}

/// What came of a command.
enum Output {
    /// All it printed, and how it ended.
    Whole(Zeroizing<Vec<u8>>, ExitStatus),
    /// More than is read.
    TooMuch,
}

async fn output(running: &mut Running) -> io::Result<Output> {
    // As large as it may become: growing would leave copies behind.
    let mut printed = Zeroizing::new(vec![0; MAX_OUTPUT + 1]);
    let mut filled = 0;
    while let Some(room) = printed.get_mut(filled..).filter(|room| !room.is_empty()) {
        match running.stdout.read(room).await? {
            0 => break,
            count => filled += count,
        }
    }
    if filled > MAX_OUTPUT {
        return Ok(Output::TooMuch);
    }
    printed.truncate(filled);
    // Until here it was not waited for, so that its number could be nobody else's.
    let status = running.child.wait().await?;
    running.ended = true;
    Ok(Output::Whole(printed, status))
}

/// A command that runs; dropping it kills it and what it started.
struct Running {
    child: Child,
    stdout: ChildStdout,
    ended: bool,
}

fn start(command: &SecretCommand) -> io::Result<Running> {
    let mut words = command.words.iter();
    let first = words.next().map_or("", String::as_str);
    let mut process = if command.shell { shell(first) } else { Command::new(first) };
    process.args(words).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).kill_on_drop(true);
    #[cfg(unix)]
    process.process_group(0);
    let mut child = process.spawn()?;
    let stdout = child.stdout.take().ok_or_else(|| io::Error::other("it has no output"))?;
    Ok(Running { child, stdout, ended: false })
}

#[cfg(unix)]
fn shell(line: &str) -> Command {
    let mut shell = Command::new("/bin/sh");
    shell.args(["-c", line]);
    shell
}

#[cfg(not(unix))]
fn shell(line: &str) -> Command {
    let mut shell = Command::new("cmd");
    shell.args(["/C", line]);
    shell
}

impl Drop for Running {
    fn drop(&mut self) {
        #[cfg(unix)]
        if !self.ended
            && let Some(id) = self.child.id().and_then(|id| rustix::process::Pid::from_raw(id.cast_signed()))
        {
            // It leads a group of its own. One that is gone needs no killing.
            let _ = rustix::process::kill_process_group(id, rustix::process::Signal::KILL);
        }
    }
}
