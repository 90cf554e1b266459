//! One session of a command: its operations, and what is printed while they answer.
//!
//! Owns: the way from an event to stdout, which all sessions of a command share; asking for the secret. Must not know
//! formats: a [`Report`] turns events into bytes.
//!
//! ```text
//! Engine::start -> OpEvent -> Report -> bytes -> stdout (awaited: that is the backpressure)
//!                     |                    +- closed: the command ends, exit 0
//!                     +- SecretNeeded -> prompt -> Engine::give_secret
//! ```

use std::{io, sync::Arc, time::Duration};

use tokio::{
    io::{AsyncWriteExt, Stdout},
    sync::{Mutex, mpsc},
    time::Instant,
};
use tokio_util::sync::CancellationToken;

use super::{
    failure::{Failure, say},
    prompt,
    target::Chosen,
    verbose::Verbose,
};
use crate::{
    cim::{CimClass, CimName, CimStatus, Namespace, text::escape_for_terminal},
    engine::Engine,
    op::{
        ErrorKind, OpError, OpEvent, OpEventKind, OpId, Operation, OperationKind, OperationOptions, Phase, SessionId,
        explain,
    },
    session::Target,
};

/// Events of one session that may wait for stdout. Rows come in batches; the engine bounds those itself.
const WAITING_EVENTS: usize = 16;

/// How long the end of a command waits for stdout to take the end of the output.
pub(super) const LAST_WORDS: Duration = Duration::from_millis(250);

/// Rows held back for the widths of a table are printed when nothing has come for so long.
const PAUSE: Duration = Duration::from_millis(100);

/// Whose answer it is.
#[derive(Clone, Copy, Debug)]
pub(super) struct Whose<'a> {
    /// The live session.
    pub(super) session: SessionId,
    /// What it is called, where several answer.
    pub(super) name: Option<&'a str>,
    /// The namespace it was asked in.
    pub(super) namespace: &'a Namespace,
}

/// Turns what operations answer into bytes.
pub(super) trait Report {
    /// Takes in one event and appends what can be printed now: whole rows.
    fn event(&mut self, whose: Whose<'_>, kind: &OpEventKind, out: &mut Vec<u8>);

    /// Nothing has come for a while: appends what was held back.
    fn pause(&mut self, _out: &mut Vec<u8>) {}

    /// Nothing more will come from a session.
    fn leave(&mut self, _session: SessionId) {}

    /// Every session has ended, well or not: appends what closes the output. Called once.
    fn end(&mut self, out: &mut Vec<u8>);
}

/// Why a session did not come to its end.
pub(super) enum Stop {
    /// Its operation failed.
    Failed(Arc<OpError>),
    /// It cannot be asked.
    Refused(Failure),
    /// A signal came; its exit code.
    Signal(u8),
    /// Nobody reads stdout any more.
    Closed,
    /// Stdout could not be written.
    Output(io::Error),
    /// The whole command ends, for a reason that is known.
    Ending,
}

/// What the sessions of a command share.
pub(super) struct Shared {
    /// Runs the operations.
    pub(super) engine: Engine,
    /// Set once the whole command ends before its time.
    pub(super) stopping: CancellationToken,
    /// Whether what happens is told.
    pub(super) verbose: bool,
    /// Whether there may be several sessions, which are told apart.
    pub(super) several: bool,
    output: Mutex<Output>,
}

/// Stdout, and what is to go there.
struct Output {
    stdout: Stdout,
    /// Set once it is known what is printed.
    report: Option<Box<dyn Report>>,
    waiting: Vec<u8>,
    /// The bytes of `waiting` that stdout has taken.
    taken: usize,
    /// When something came last.
    last: Instant,
}

impl Output {
    /// Writes what waits. Can be dropped at any time: the next call goes on where this one was.
    async fn write(&mut self) -> io::Result<()> {
        while let Some(rest) = self.waiting.get(self.taken..).filter(|rest| !rest.is_empty()) {
            match self.stdout.write(rest).await? {
                0 => return Err(io::ErrorKind::WriteZero.into()),
                taken => self.taken += taken,
            }
        }
        self.stdout.flush().await?;
        self.waiting.clear();
        self.taken = 0;
        Ok(())
    }

    fn end(&mut self) {
        if let Some(mut report) = self.report.take() {
            report.end(&mut self.waiting);
        }
    }
}

impl Shared {
    /// Nothing printed yet.
    pub(super) fn new(engine: Engine, verbose: bool, several: bool) -> Self {
        let output =
            Output { stdout: tokio::io::stdout(), report: None, waiting: Vec::new(), taken: 0, last: Instant::now() };
        Self { engine, stopping: CancellationToken::new(), verbose, several, output: Mutex::new(output) }
    }

    /// From now on `report` prints what comes.
    pub(super) async fn begin(&self, report: Box<dyn Report>) {
        self.output.lock().await.report = Some(report);
    }

    /// Nothing more will come from `session`.
    pub(super) async fn leave(&self, session: SessionId) {
        if let Some(report) = &mut self.output.lock().await.report {
            report.leave(session);
        }
    }

    /// Prints what closes the output.
    pub(super) async fn end(&self) -> Result<(), Stop> {
        let mut output = self.output.lock().await;
        output.end();
        self.write(&mut output).await
    }

    /// Prints what closes the output, as far as stdout takes it: a reader that does not read must not keep a signal from
    /// ending us. What was begun comes to its end first, so that nothing is cut in the middle of a row.
    pub(super) async fn last_words(&self) {
        let words = async {
            let mut output = self.output.lock().await;
            output.end();
            let _ = output.write().await;
        };
        let _ = tokio::time::timeout(LAST_WORDS, words).await;
    }

    /// Prints `bytes`, which are whole lines.
    pub(super) async fn put(&self, bytes: &[u8]) -> Result<(), Stop> {
        let mut output = self.output.lock().await;
        output.waiting.extend_from_slice(bytes);
        self.write(&mut output).await
    }

    async fn event(&self, whose: Whose<'_>, kind: &OpEventKind) -> Result<(), Stop> {
        let mut output = self.output.lock().await;
        let Output { report, waiting, last, .. } = &mut *output;
        *last = Instant::now();
        if let Some(report) = report {
            report.event(whose, kind, waiting);
        }
        self.write(&mut output).await
    }

    /// Prints what was held back, if nothing has come from any session for a while.
    async fn pause(&self) -> Result<(), Stop> {
        let mut output = self.output.lock().await;
        let Output { report: Some(report), waiting, last, .. } = &mut *output else { return Ok(()) };
        if last.elapsed() >= PAUSE {
            report.pause(waiting);
        }
        self.write(&mut output).await
    }

    async fn write(&self, output: &mut Output) -> Result<(), Stop> {
        if output.waiting.is_empty() {
            return Ok(());
        }
        let written = tokio::select! {
            biased;
            () = self.stopping.cancelled() => return Err(Stop::Ending),
            written = output.write() => written,
        };
        written.map_err(|error| match error.kind() {
            io::ErrorKind::BrokenPipe => Stop::Closed,
            _ => Stop::Output(error),
        })
    }
}

/// A live session of a command.
pub(super) struct Operator<'s> {
    shared: &'s Shared,
    session: SessionId,
    chosen: &'s Chosen,
    verbose: Verbose,
    events: (mpsc::Sender<OpEvent>, mpsc::Receiver<OpEvent>),
    /// How long its last operation has taken so far.
    took: Duration,
}

impl<'s> Operator<'s> {
    /// Begins nothing: `session` is open already.
    pub(super) fn new(shared: &'s Shared, session: SessionId, chosen: &'s Chosen) -> Self {
        let verbose = Verbose::new(shared.verbose, chosen.target.dangers());
        Self { shared, session, chosen, verbose, events: mpsc::channel(WAITING_EVENTS), took: Duration::ZERO }
    }

    /// What the session is called.
    pub(super) fn name(&self) -> &str {
        &self.chosen.name
    }

    /// The session's target.
    pub(super) const fn target(&self) -> &Target {
        &self.chosen.target
    }

    /// How long the last operation took, from when it was asked for.
    pub(super) const fn took(&self) -> Duration {
        self.took
    }

    /// Runs `operation` to its end and prints what the report makes of it.
    pub(super) async fn run(&mut self, operation: Operation) -> Result<(), Stop> {
        let id = self.start(operation);
        while let Some(kind) = self.next(id).await? {
            let name = self.shared.several.then_some(self.chosen.name.as_str());
            let whose = Whose { session: self.session, name, namespace: &self.chosen.target.namespace };
            self.shared.event(whose, &kind).await?;
        }
        Ok(())
    }

    /// The class `class`; `None` where instances may be readable though the class is not.
    pub(super) async fn class(
        &mut self,
        class: CimName,
        namespace: Option<Namespace>,
    ) -> Result<Option<Arc<CimClass>>, Stop> {
        let options = OperationOptions { namespace, ..OperationOptions::default() };
        let id = self.start(Operation { kind: OperationKind::GetClass { class }, options });
        let mut found = None;
        loop {
            match self.next(id).await {
                Ok(Some(OpEventKind::Class(class))) => found = Some(class),
                Ok(Some(_)) => {}
                Ok(None) => return Ok(found),
                Err(Stop::Failed(error)) if can_do_without(&error.kind) => return Ok(None),
                Err(stop) => return Err(stop),
            }
        }
    }

    /// Prints `line` and ends it.
    pub(super) async fn put(&self, line: &str) -> Result<(), Stop> {
        self.shared.put(format!("{}\n", escape_for_terminal(line)).as_bytes()).await
    }

    fn start(&self, operation: Operation) -> OpId {
        let id = self.shared.engine.ids().next();
        if self.shared.verbose && self.shared.several {
            say(&format!("{id} is {}", self.chosen.name));
        }
        self.shared.engine.start(self.session, id, operation, self.events.0.clone());
        id
    }

    /// What operation `id` answers next, `None` once it is complete.
    async fn next(&mut self, id: OpId) -> Result<Option<OpEventKind>, Stop> {
        loop {
            let Ok(event) = tokio::time::timeout(PAUSE, self.events.1.recv()).await else {
                self.shared.pause().await?;
                continue;
            };
            let Some(event) = event else { return Err(Stop::Failed(Arc::new(silent(&self.chosen.name)))) };
            self.verbose.event(&event);
            if event.op != id {
                continue;
            }
            self.took = event.at;
            match event.kind {
                OpEventKind::SecretNeeded { user, again } => self.secret(&user, again).await?,
                OpEventKind::Warning(warning) if self.shared.several => {
                    say(&format!("lazycim: warning: {}: {warning}", self.chosen.name));
                }
                OpEventKind::Warning(warning) => say(&format!("lazycim: warning: {warning}")),
                OpEventKind::Finished(_) => return Ok(None),
                OpEventKind::Failed(error) => return Err(Stop::Failed(error)),
                OpEventKind::Cancelled { .. } => return Err(Stop::Failed(Arc::new(silent(&self.chosen.name)))),
                kind => return Ok(Some(kind)),
            }
        }
    }

    /// Asks for the secret. Whoever holds the output has the terminal to himself: one question comes after the other, and
    /// no row stands in the middle of one.
    async fn secret(&mut self, user: &str, again: bool) -> Result<(), Stop> {
        let _terminal = self.shared.output.lock().await;
        let name = &self.chosen.name;
        if again {
            say(&format!("lazycim: {}: {name}: the server refused the password of {user}", Phase::Authenticate(1)));
        }
        let question = escape_for_terminal(&format!("Password of {user} for {name}: ")).into_owned();
        let answer = tokio::select! {
            biased;
            () = self.shared.stopping.cancelled() => return Err(Stop::Ending),
            answer = prompt::ask(&question) => answer,
        };
        let refused = answer.is_none() && !self.shared.several;
        self.shared.engine.give_secret(self.session, answer);
        if refused {
            let cause = format!("no secret for {user}, and no terminal that gave one");
            return Err(Stop::Refused(Failure::usage("secret", name, &cause, "--password-env VAR")));
        }
        Ok(())
    }

    /// Waits until everything that was begun for the session has ended, clean-ups too, and tells of it.
    pub(super) async fn leave(self) {
        let Self { mut verbose, events: (sender, mut events), .. } = self;
        drop(sender);
        while let Some(event) = events.recv().await {
            verbose.event(&event);
        }
    }
}

/// Whether instances may be readable though the class was not.
fn can_do_without(kind: &ErrorKind) -> bool {
    match kind {
        ErrorKind::NotSupported => true,
        ErrorKind::Cim(error) => {
            let hopeless = [CimStatus::INVALID_CLASS, CimStatus::INVALID_NAMESPACE, CimStatus::ACCESS_DENIED];
            !hopeless.contains(&error.status)
        }
        _ => false,
    }
}

/// An operation ended without saying how; only a defect does that.
fn silent(name: &str) -> OpError {
    explain::start::NO_OUTCOME.error(Phase::Queue, name, ErrorKind::Internal)
}
