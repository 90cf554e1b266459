//! One operation of a headless command: start it, print what it answers while it answers, end it.
//!
//! Owns: the loop over events, signals and stdout; asking for the secret. Must not know formats: a [`Report`] turns events
//! into bytes.
//!
//! ```text
//! Engine::start -> OpEvent -> Report -> bytes -> stdout (awaited: that is the backpressure)
//!                     |                    +- closed: stop, exit 0
//!                     +- SecretNeeded -> prompt -> Engine::give_secret
//! SIGINT, SIGTERM ---> stop, exit 130, 143
//! ```

use std::{io, path::PathBuf, sync::Arc};

use tokio::{
    io::{AsyncWriteExt, Stdout},
    sync::mpsc,
};

use super::{
    failure::{Failure, say},
    prompt,
    signals::Signals,
    target::{self, Chosen},
    verbose::Verbose,
};
use crate::{
    config::Config,
    engine::{Engine, Settings},
    op::{ErrorKind, OpError, OpEvent, OpEventKind, OpId, Operation, Phase, SessionId, explain},
};

/// Events that may wait for stdout. Rows come in batches; the engine bounds those itself.
const WAITING_EVENTS: usize = 16;

/// How long a signal waits for stdout to take the end of the output.
const LAST_WORDS: std::time::Duration = std::time::Duration::from_millis(250);

/// Rows held back for the widths of a table are printed when nothing has come for so long.
const PAUSE: std::time::Duration = std::time::Duration::from_millis(100);

/// The one session of a command.
const SESSION: SessionId = SessionId(1);

/// Turns what an operation answers into bytes.
pub(super) trait Report {
    /// Takes in one event and appends what can be printed now.
    fn event(&mut self, kind: &OpEventKind, out: &mut Vec<u8>);

    /// Nothing has come for a while: appends what was held back.
    fn pause(&mut self, _out: &mut Vec<u8>) {}

    /// The operation has ended, well or not: appends what closes the output.
    fn end(&mut self, out: &mut Vec<u8>);
}

/// Why an operation did not come to its end.
pub(super) enum Stop {
    /// It failed.
    Failed(Arc<OpError>),
    /// A signal came; its exit code.
    Signal(u8),
    /// Nobody reads stdout any more.
    Closed,
    /// Stdout could not be written.
    Output(io::Error),
    /// The secret is missing.
    Secret(Failure),
}

impl Stop {
    /// How the command ends because of this.
    pub(super) fn into_result(self) -> Result<(), Failure> {
        Err(match self {
            Self::Failed(error) => Failure::from(error.as_ref()),
            Self::Signal(code) => Failure::signal(code),
            Self::Closed => return Ok(()),
            Self::Output(error) => Failure::local("output", "stdout", &error.to_string(), "check where stdout goes"),
            Self::Secret(failure) => failure,
        })
    }
}

/// A live session with what a command needs around it.
pub(super) struct Operator {
    engine: Engine,
    chosen: Chosen,
    signals: Signals,
    verbose: Verbose,
    stdout: Stdout,
    /// Kept open so that events of clean-ups are seen by `-v` after the operation itself has ended.
    events: (mpsc::Sender<OpEvent>, mpsc::Receiver<OpEvent>),
}

impl Operator {
    /// Opens the session; connects to nothing.
    pub(super) fn open(
        config: &Config,
        sessions_file: PathBuf,
        chosen: Chosen,
        verbose: bool,
    ) -> Result<Self, Failure> {
        let settings = Settings { sessions_file: Some(sessions_file), ..Settings::new(config) };
        if let Some((preset, missing)) = target::unbuilt(&chosen.target) {
            let cause = format!("its preset {preset} needs {missing}, which this version does not have");
            return Err(Failure::usage("usage", &chosen.name, &cause, "--url URL, or a session without the preset"));
        }
        if !settings.speaks(&chosen.target) {
            let cause = format!("this version does not speak {}", chosen.target.protocol);
            return Err(Failure::usage("usage", &chosen.name, &cause, "cimxml+https://HOST, if the server speaks it"));
        }
        target::check_secret(&chosen.target)?;
        let signals = Signals::catch().map_err(|error| {
            Failure::local("start", "signals", &error.to_string(), "check the limits of the process")
        })?;
        let engine = Engine::new(settings);
        engine.open(SESSION, chosen.target.clone());
        let verbose = Verbose::new(verbose, chosen.target.dangers());
        Ok(Self {
            engine,
            chosen,
            signals,
            verbose,
            stdout: tokio::io::stdout(),
            events: mpsc::channel(WAITING_EVENTS),
        })
    }

    /// The session's target.
    pub(super) const fn target(&self) -> &crate::session::Target {
        &self.chosen.target
    }

    /// Runs `operation` to its end and prints what `report` makes of it.
    pub(super) async fn run(&mut self, operation: Operation, report: &mut dyn Report) -> Result<(), Stop> {
        let id = self.engine.ids().next();
        self.engine.start(SESSION, id, operation, self.events.0.clone());
        match self.follow(id, report).await {
            Err(Stop::Signal(code)) => Err(self.interrupted(code, report).await),
            ended => ended,
        }
    }

    /// Ends `report` because of an operation before its own, so that what it prints is whole all the same.
    pub(super) async fn fail(&mut self, error: Arc<OpError>, report: &mut dyn Report) -> Stop {
        let mut out = Vec::new();
        report.end(&mut out);
        self.print(&mut out).await.err().unwrap_or(Stop::Failed(error))
    }

    /// Prints what operation `id` answers until it ends or a signal comes.
    async fn follow(&mut self, id: OpId, report: &mut dyn Report) -> Result<(), Stop> {
        let mut out = Vec::new();
        loop {
            let event = tokio::select! {
                biased;
                code = self.signals.next() => return Err(Stop::Signal(code)),
                event = tokio::time::timeout(PAUSE, self.events.1.recv()) => event,
            };
            let Ok(event) = event else {
                report.pause(&mut out);
                self.print(&mut out).await?;
                continue;
            };
            let Some(event) = event else { return Err(Stop::Failed(Arc::new(silent(&self.chosen.name)))) };
            self.verbose.event(&event);
            if event.op != id {
                continue;
            }
            match &event.kind {
                OpEventKind::SecretNeeded { user, again } => self.secret(user, *again).await?,
                OpEventKind::Warning(warning) => say(&format!("lazycim: warning: {warning}")),
                kind if !kind.is_terminal() => report.event(kind, &mut out),
                _ => report.end(&mut out),
            }
            self.print(&mut out).await?;
            match event.kind {
                OpEventKind::Failed(error) => return Err(Stop::Failed(error)),
                OpEventKind::Cancelled { .. } => return Err(Stop::Failed(Arc::new(silent(&self.chosen.name)))),
                OpEventKind::Finished(_) => return Ok(()),
                _ => {}
            }
        }
    }

    /// Closes what is printed, as far as stdout takes it: a reader that does not read must not keep a signal from ending us.
    async fn interrupted(&mut self, code: u8, report: &mut dyn Report) -> Stop {
        let mut out = Vec::new();
        report.end(&mut out);
        let _ = tokio::time::timeout(LAST_WORDS, self.print(&mut out)).await;
        Stop::Signal(code)
    }

    async fn secret(&mut self, user: &str, again: bool) -> Result<(), Stop> {
        let name = &self.chosen.name;
        if again {
            say(&format!("lazycim: {}: {name}: the server refused the password of {user}", Phase::Authenticate(1)));
        }
        let question = crate::cim::text::escape_for_terminal(&format!("Password of {user} for {name}: ")).into_owned();
        let answer = tokio::select! {
            biased;
            code = self.signals.next() => return Err(Stop::Signal(code)),
            answer = prompt::ask(&question) => answer,
        };
        if answer.is_none() {
            let cause = format!("no secret for {user}, and no terminal that gave one");
            return Err(Stop::Secret(Failure::usage("secret", name, &cause, "--password-env VAR")));
        }
        self.engine.give_secret(SESSION, answer);
        Ok(())
    }

    /// Writes `out`. A signal lets what was begun come to its end, so that nothing is cut in the middle of a row, but does
    /// not wait long for a reader that does not read.
    async fn print(&mut self, out: &mut Vec<u8>) -> Result<(), Stop> {
        if out.is_empty() {
            return Ok(());
        }
        let written = {
            let writing = write(&mut self.stdout, out);
            tokio::pin!(writing);
            tokio::select! {
                biased;
                code = self.signals.next() => {
                    let _ = tokio::time::timeout(LAST_WORDS, writing).await;
                    return Err(Stop::Signal(code));
                }
                written = &mut writing => written,
            }
        };
        out.clear();
        match written {
            Ok(()) => Ok(()),
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Err(Stop::Closed),
            Err(error) => Err(Stop::Output(error)),
        }
    }

    /// Ends what still runs, waits for the clean-ups and tells of them.
    pub(super) async fn shut_down(mut self) {
        shut_down(&self.engine, &mut self.events.1, &mut self.verbose).await;
    }
}

/// Ends what still runs on `engine`, waits for the clean-ups and tells of what `events` then bring.
pub(super) async fn shut_down(engine: &Engine, events: &mut mpsc::Receiver<OpEvent>, verbose: &mut Verbose) {
    let stopped = engine.shut_down();
    tokio::pin!(stopped);
    loop {
        tokio::select! {
            biased;
            Some(event) = events.recv() => verbose.event(&event),
            () = &mut stopped => break,
        }
    }
    while let Ok(event) = events.try_recv() {
        verbose.event(&event);
    }
}

async fn write(stdout: &mut Stdout, bytes: &[u8]) -> io::Result<()> {
    stdout.write_all(bytes).await?;
    stdout.flush().await
}

/// An operation ended without saying how; only a defect does that.
fn silent(name: &str) -> OpError {
    explain::start::NO_OUTCOME.error(Phase::Queue, name, ErrorKind::Internal)
}
