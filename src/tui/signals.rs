//! Signals the terminal front hears.
//!
//! Owns: which ones, and their exit codes. Must not act on them; the loop does. Waiting is the loop's as well: this file only
//! says how to ask.

use std::{
    io,
    task::{Context, Poll},
};

/// What was heard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Caught {
    /// SIGINT, sent from outside: ctrl-c is a key here.
    Interrupt,
    /// SIGTERM.
    Terminate,
    /// SIGHUP, or the terminal went away.
    HangUp,
    /// SIGCONT: the process was stopped and goes on.
    Continued,
}

impl Caught {
    /// The exit code: 128 and the signal's number.
    pub const fn exit_code(self) -> u8 {
        match self {
            Self::HangUp => 129,
            Self::Interrupt => 130,
            Self::Terminate => 143,
            Self::Continued => 0,
        }
    }

    /// Its name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::HangUp => "SIGHUP",
            Self::Interrupt => "SIGINT",
            Self::Terminate => "SIGTERM",
            Self::Continued => "SIGCONT",
        }
    }
}

/// The signals heard; none at all in tests.
#[derive(Debug, Default)]
pub struct Signals {
    #[cfg(unix)]
    heard: Vec<(Caught, tokio::signal::unix::Signal)>,
}

impl Signals {
    /// Hears nothing.
    pub fn none() -> Self {
        Self::default()
    }

    /// From now on the process's signals are heard; must be called inside a runtime.
    ///
    /// # Errors
    /// What the system answered.
    #[cfg(unix)]
    pub fn of_process() -> io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        let kinds = [
            (Caught::Terminate, SignalKind::terminate()),
            (Caught::HangUp, SignalKind::hangup()),
            (Caught::Interrupt, SignalKind::interrupt()),
            (Caught::Continued, SignalKind::from_raw(signal_hook::consts::SIGCONT)),
        ];
        let heard = kinds.into_iter().map(|(caught, kind)| Ok((caught, signal(kind)?)));
        Ok(Self { heard: heard.collect::<io::Result<_>>()? })
    }

    /// From now on the process's signals are heard; this system has none.
    ///
    /// # Errors
    /// None.
    #[cfg(not(unix))]
    pub fn of_process() -> io::Result<Self> {
        Ok(Self::none())
    }

    /// Asks whether one was heard.
    #[cfg(unix)]
    pub fn poll_next(&mut self, context: &mut Context<'_>) -> Poll<Caught> {
        for (caught, signal) in &mut self.heard {
            if let Poll::Ready(Some(())) = signal.poll_recv(context) {
                return Poll::Ready(*caught);
            }
        }
        Poll::Pending
    }

    /// Asks whether one was heard; never on this system.
    #[cfg(not(unix))]
    pub fn poll_next(&mut self, _context: &mut Context<'_>) -> Poll<Caught> {
        Poll::Pending
    }
}
