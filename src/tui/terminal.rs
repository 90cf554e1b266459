//! The terminal itself: entered once, restored always.
//!
//! Owns: raw mode, alternate screen, bracketed paste, mouse, title, the panic hook, suspension and the clipboard escape.
//! Must not know: what is drawn, the state, the engine.
//!
//! Restoring is idempotent and global (one process has one terminal), so that the panic hook, a signal and an ordinary
//! end all go through [`leave`]. `ratatui::Terminal::clear` is never used: it asks the terminal where the cursor is.

use std::{
    io::{self, IsTerminal, Write},
    panic,
    sync::{
        Mutex, OnceLock,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, ThreadId},
};

use crossterm::{
    QueueableCommand,
    clipboard::CopyToClipboard,
    cursor::{Hide, Show},
    event::{DisableBracketedPaste, DisableMouseCapture, EnableBracketedPaste, EnableMouseCapture, EventStream},
    style::{Attribute, ResetColor, SetAttribute, force_color_output},
    terminal::{
        BeginSynchronizedUpdate, Clear, ClearType, DisableLineWrap, EnableLineWrap, EndSynchronizedUpdate,
        EnterAlternateScreen, LeaveAlternateScreen, SetTitle, disable_raw_mode, enable_raw_mode,
    },
};
use ratatui::{Frame, Terminal, backend::CrosstermBackend};

use super::run::Screen;

/// Whether the terminal is in our hands now.
static ENTERED: AtomicBool = AtomicBool::new(false);
/// The thread that owns the screen; a panic elsewhere must not tear the screen down under it.
static OWNER: OnceLock<ThreadId> = OnceLock::new();
/// What panics on other threads said, told on stderr after leaving.
static ELSEWHERE: Mutex<Vec<String>> = Mutex::new(Vec::new());

/// xterm's "push window title" and "pop window title", which crossterm has no command for.
const PUSH_TITLE: &[u8] = b"\x1b[22;2t";
const POP_TITLE: &[u8] = b"\x1b[23;2t";

/// The most bytes of text copied through OSC 52. Terminals drop longer sequences silently (tmux and xterm near 74,994
/// bytes of base64), which would look like a copy that worked.
pub const CLIPBOARD_BYTES: usize = 56 * 1024;

/// Why there is no terminal to draw on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoTerminal {
    /// Standard input is not a terminal.
    Stdin,
    /// Standard output is not a terminal.
    Stdout,
    /// `TERM=dumb`.
    Dumb,
}

impl std::fmt::Display for NoTerminal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Stdin => "standard input is not a terminal",
            Self::Stdout => "standard output is not a terminal",
            Self::Dumb => "the terminal cannot move its cursor (TERM=dumb)",
        })
    }
}

/// Whether there is a terminal to draw on. Writes nothing.
///
/// # Errors
/// Which requirement is not met.
pub fn check() -> Result<(), NoTerminal> {
    if !io::stdin().is_terminal() {
        return Err(NoTerminal::Stdin);
    }
    if !io::stdout().is_terminal() {
        return Err(NoTerminal::Stdout);
    }
    if std::env::var_os("TERM").is_some_and(|term| term == "dumb") {
        return Err(NoTerminal::Dumb);
    }
    Ok(())
}

/// Makes a panic restore the terminal before its message is printed. Call it on the thread that draws, before entering.
pub fn install_panic_hook() {
    let first = OWNER.set(thread::current().id()).is_ok();
    if !first {
        return;
    }
    let previous = panic::take_hook();
    panic::set_hook(Box::new(move |info| {
        let owner = OWNER.get().is_none_or(|owner| *owner == thread::current().id());
        if owner || !ENTERED.load(Ordering::SeqCst) {
            leave();
            previous(info);
        } else if let Ok(mut told) = ELSEWHERE.lock()
            && told.len() < 100
        {
            told.push(info.to_string());
        }
    }));
}

/// Enters: raw mode, alternate screen, bracketed paste, mouse if wanted, our title, cursor hidden.
///
/// # Errors
/// What the terminal answered; it is restored then.
pub fn enter(mouse: bool, title: &str) -> io::Result<()> {
    // Under NO_COLOR crossterm would drop attributes as well; our own mono theme has no colour to begin with.
    force_color_output(true);
    enable_raw_mode()?;
    let again = ENTERED.swap(true, Ordering::SeqCst);
    let mut bytes = Vec::new();
    write_enter(&mut bytes, mouse, title, again)
        .and_then(|()| {
            let mut out = io::stdout().lock();
            out.write_all(&bytes)?;
            out.flush()
        })
        .inspect_err(|_| leave())
}

fn write_enter(out: &mut Vec<u8>, mouse: bool, title: &str, again: bool) -> io::Result<()> {
    if !again {
        out.extend_from_slice(PUSH_TITLE);
    }
    out.queue(EnterAlternateScreen)?
        .queue(DisableLineWrap)?
        .queue(Clear(ClearType::All))?
        .queue(EnableBracketedPaste)?
        .queue(SetTitle(title))?
        .queue(Hide)?;
    if mouse {
        out.queue(EnableMouseCapture)?;
    }
    Ok(())
}

/// Gives the terminal back as it was. Does nothing if it is not ours. Errors are ignored: the terminal may be gone.
pub fn leave() {
    if !ENTERED.swap(false, Ordering::SeqCst) {
        return;
    }
    let mut bytes = Vec::new();
    if write_leave(&mut bytes).is_ok() {
        let mut out = io::stdout().lock();
        let _ = out.write_all(&bytes).and_then(|()| out.flush());
    }
    let _ = disable_raw_mode();
    if let Ok(mut told) = ELSEWHERE.lock() {
        for text in told.drain(..) {
            let _ = writeln!(io::stderr(), "lazycim: a background task failed: {text}");
        }
    }
}

fn write_leave(out: &mut Vec<u8>) -> io::Result<()> {
    out.queue(EndSynchronizedUpdate)?
        .queue(DisableMouseCapture)?
        .queue(DisableBracketedPaste)?
        .queue(ResetColor)?
        .queue(SetAttribute(Attribute::Reset))?
        .queue(EnableLineWrap)?
        .queue(LeaveAlternateScreen)?
        .queue(Show)?;
    out.extend_from_slice(POP_TITLE);
    Ok(())
}

/// Collects a frame and writes it in one piece; what was not flushed when the terminal was left is dropped, so a panic in
/// the middle of a frame spills nothing on the user's screen.
#[derive(Debug, Default)]
pub struct FrameWriter {
    bytes: Vec<u8>,
}

impl Write for FrameWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.bytes.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.bytes.is_empty() || !ENTERED.load(Ordering::SeqCst) {
            self.bytes.clear();
            return Ok(());
        }
        let mut out = io::stdout().lock();
        let written = out.write_all(&self.bytes).and_then(|()| out.flush());
        self.bytes.clear();
        written
    }
}

/// The user's terminal as the loop sees it.
pub struct Tty {
    terminal: Terminal<CrosstermBackend<FrameWriter>>,
    input: Option<EventStream>,
    mouse: bool,
    title: String,
}

impl Tty {
    /// Enters the terminal.
    ///
    /// # Errors
    /// What the terminal answered; it is restored then.
    pub fn open(mouse: bool, title: &str) -> io::Result<Self> {
        enter(mouse, title)?;
        let terminal = new_terminal().inspect_err(|_| leave())?;
        Ok(Self { terminal, input: Some(EventStream::new()), mouse, title: title.to_owned() })
    }

    fn enter_again(&mut self) -> io::Result<()> {
        enter(self.mouse, &self.title)?;
        self.terminal = new_terminal()?;
        self.input.get_or_insert_with(EventStream::new);
        Ok(())
    }
}

fn new_terminal() -> io::Result<Terminal<CrosstermBackend<FrameWriter>>> {
    Terminal::new(CrosstermBackend::new(FrameWriter::default()))
}

impl Drop for Tty {
    fn drop(&mut self) {
        self.input = None;
        leave();
    }
}

impl Screen for Tty {
    type Input = EventStream;

    fn input(&mut self) -> &mut EventStream {
        self.input.get_or_insert_with(EventStream::new)
    }

    fn size(&self) -> io::Result<(u16, u16)> {
        crossterm::terminal::size()
    }

    fn draw(&mut self, paint: impl FnOnce(&mut Frame<'_>)) -> io::Result<()> {
        self.terminal.backend_mut().queue(BeginSynchronizedUpdate)?;
        let drawn = self.terminal.draw(paint).map(|_| ());
        self.terminal.backend_mut().queue(EndSynchronizedUpdate)?;
        io::Write::flush(self.terminal.backend_mut())?;
        drawn
    }

    fn copy(&mut self, text: &str) -> io::Result<()> {
        self.terminal.backend_mut().queue(CopyToClipboard::to_clipboard_from(text))?;
        io::Write::flush(self.terminal.backend_mut())
    }

    fn suspend(&mut self) -> io::Result<()> {
        // The stream's reader would compete with the shell for the keys.
        self.input = None;
        leave();
        stop_this_job();
        self.enter_again()
    }

    fn resume(&mut self) -> io::Result<()> {
        self.enter_again()
    }
}

/// Stops the job as ctrl-z does and returns when it is continued. In an orphaned process group, which nobody could
/// continue, the system ignores the request and it returns at once. Must be called on the main thread: the system then
/// delivers the signal before the call returns.
#[cfg(unix)]
fn stop_this_job() {
    let _ = rustix::process::kill_current_process_group(rustix::process::Signal::TSTP);
}

#[cfg(not(unix))]
fn stop_this_job() {}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    fn text(write: impl FnOnce(&mut Vec<u8>) -> io::Result<()>) -> String {
        let mut out = Vec::new();
        write(&mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn leaving_undoes_everything_entering_did() {
        let enter = text(|out| write_enter(out, true, "lazycim", false));
        let leave = text(write_leave);
        for (set, reset) in [
            ("\x1b[?1049h", "\x1b[?1049l"),
            ("\x1b[?2004h", "\x1b[?2004l"),
            ("\x1b[?1000h", "\x1b[?1000l"),
            ("\x1b[?25l", "\x1b[?25h"),
            ("\x1b[?7l", "\x1b[?7h"),
            ("\x1b[22;2t", "\x1b[23;2t"),
        ] {
            assert!(enter.contains(set), "{set:?} in {enter:?}");
            assert!(leave.contains(reset), "{reset:?} in {leave:?}");
        }
    }

    #[test]
    fn the_title_is_pushed_once_and_no_mouse_means_no_mouse() {
        let again = text(|out| write_enter(out, false, "lazycim", true));
        assert!(!again.contains("\x1b[22;2t"));
        assert!(!again.contains("\x1b[?1000h"));
    }

    #[test]
    fn nothing_is_written_by_a_frame_after_the_terminal_was_left() {
        let mut writer = FrameWriter::default();
        writer.write_all(b"half a frame").unwrap();
        writer.flush().unwrap();
        assert!(writer.bytes.is_empty());
    }
}
