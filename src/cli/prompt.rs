//! Asking for a password on the controlling terminal.
//!
//! Owns: the prompt, with echo off while it is read and the terminal as it was afterwards, whatever happens. Must not
//! keep what was typed anywhere but in the secret it returns.

use secrecy::SecretString;
use tokio::io::{AsyncRead, AsyncReadExt};
use zeroize::Zeroizing;

/// Asks `text` and reads one line without showing it. `None` where there is no terminal, at its end, or where the line is
/// not UTF-8. Can be dropped at any time: the terminal is then as it was.
#[cfg(unix)]
pub(super) async fn ask(text: &str) -> Option<SecretString> {
    use tokio::io::AsyncWriteExt;

    let mut terminal = tokio::fs::OpenOptions::new().read(true).write(true).open("/dev/tty").await.ok()?;
    let quiet = Quiet::start(terminal.try_clone().await.ok()?.into_std().await).ok()?;
    terminal.write_all(text.as_bytes()).await.ok()?;
    terminal.flush().await.ok()?;
    let secret = read_line(&mut terminal).await;
    drop(quiet);
    // The newline that was typed was not shown either.
    let _ = terminal.write_all(b"\n").await;
    let _ = terminal.flush().await;
    secret
}

/// There is no prompt on this platform yet.
#[cfg(not(unix))]
pub(super) async fn ask(_text: &str) -> Option<SecretString> {
    None
}

/// The longest line that is read.
const MAX_LINE: usize = 4_096;

/// One line of `from`, without its end. `None` where it is too long, not UTF-8, or reading fails. The end of what there is ends a
/// line as well, unless nothing stands on it.
pub(super) async fn read_line(from: &mut (impl AsyncRead + Unpin)) -> Option<SecretString> {
    let mut line = Zeroizing::new(Vec::with_capacity(MAX_LINE));
    let mut piece = Zeroizing::new([0_u8; 256]);
    while !line.contains(&b'\n') {
        let read = from.read(&mut piece[..]).await.ok()?;
        match piece.get(..read)? {
            [] if line.is_empty() => return None,
            [] => break,
            more if line.len() + more.len() > MAX_LINE => return None,
            more => line.extend_from_slice(more),
        }
    }
    let line = line.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let text = std::str::from_utf8(line).ok()?.trim_end_matches('\r');
    Some(SecretString::from(text.to_owned()))
}

/// Echo is off until this is dropped.
#[cfg(unix)]
struct Quiet {
    terminal: std::fs::File,
    before: rustix::termios::Termios,
}

#[cfg(unix)]
impl Quiet {
    fn start(terminal: std::fs::File) -> rustix::io::Result<Self> {
        use rustix::termios::{LocalModes, OptionalActions, tcgetattr, tcsetattr};
        let before = tcgetattr(&terminal)?;
        let mut quiet = before.clone();
        quiet.local_modes.remove(LocalModes::ECHO | LocalModes::ECHONL);
        tcsetattr(&terminal, OptionalActions::Flush, &quiet)?;
        Ok(Self { terminal, before })
    }
}

#[cfg(unix)]
impl Drop for Quiet {
    fn drop(&mut self) {
        // Nothing better can be done where this fails.
        let _ = rustix::termios::tcsetattr(&self.terminal, rustix::termios::OptionalActions::Flush, &self.before);
    }
}
