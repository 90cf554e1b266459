//! Asking for a password on the controlling terminal.
//!
//! Owns: the prompt, with echo off while it is read and the terminal as it was afterwards, whatever happens. Must not
//! keep what was typed anywhere but in the secret it returns.

use secrecy::SecretString;

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
#[cfg(unix)]
const MAX_LINE: usize = 4_096;

#[cfg(unix)]
async fn read_line(terminal: &mut tokio::fs::File) -> Option<SecretString> {
    use tokio::io::AsyncReadExt;
    use zeroize::Zeroizing;

    let mut line = Zeroizing::new(Vec::with_capacity(MAX_LINE));
    let mut piece = Zeroizing::new([0_u8; 256]);
    while line.last() != Some(&b'\n') {
        let read = terminal.read(&mut piece[..]).await.ok()?;
        if read == 0 || line.len() + read > MAX_LINE {
            return None;
        }
        line.extend_from_slice(piece.get(..read)?);
    }
    let text = std::str::from_utf8(&line).ok()?.trim_end_matches(['\r', '\n']);
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
