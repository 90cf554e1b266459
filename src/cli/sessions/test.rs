//! `lazycim sessions test`: whether servers answer.
//!
//! Owns: one test a session, so many at once, a line for each as it ends. Must not know what a test does: that is the
//! protocol's.
//!
//! ```text
//! sessions -> waiting -> running (at most --throttle) -> OpEvent -> a line on stdout
//!                                                          +-> failures, told at the end
//! ```

use std::collections::HashMap;

use tokio::sync::mpsc;

use crate::{
    cim::text::escape_for_terminal,
    cli::{
        args::{CommonArguments, TargetArguments},
        failure::{Failure, say},
        operate, prompt,
        serve::print,
        signals::Signals,
        target::{self, Chosen},
        verbose::{Verbose, milliseconds},
    },
    config::{Config, Paths},
    engine::{Engine, Settings},
    op::{OpEvent, OpEventKind, OpId, Operation, OperationKind, Phase, SessionId},
    session::store::SessionsFile,
};

/// Events that may wait.
const WAITING_EVENTS: usize = 64;

/// The session called `name`, or those with the tags.
pub(super) fn choose(
    name: Option<String>,
    mut flags: TargetArguments,
    common: &CommonArguments,
    paths: &Paths,
) -> Result<Vec<Chosen>, Failure> {
    let sessions = SessionsFile::load(paths.sessions_file());
    match (name, flags.tags.is_empty()) {
        (Some(name), true) => {
            flags.session = Some(name);
            target::choose(&flags, common, &sessions).map(|chosen| vec![chosen])
        }
        (None, false) => target::tagged(&flags, common, &sessions),
        _ => Err(Failure::usage("usage", "sessions test", "it takes one of NAME and --tag", "sessions test NAME")),
    }
}

/// Tests `chosen` and tells how each did.
pub(super) async fn run(
    chosen: Vec<Chosen>,
    throttle: u16,
    verbose: bool,
    config: &Config,
    paths: &Paths,
) -> Result<(), Failure> {
    let sessions_file = Some(paths.sessions_file());
    let signals = Signals::catch()
        .map_err(|error| Failure::local("start", "signals", &error.to_string(), "check the limits of the process"))?;
    let dangers = match &chosen[..] {
        [one] => one.target.dangers(),
        _ => Vec::new(),
    };
    let mut trials = Trials {
        engine: Engine::new(Settings { sessions_file, ..Settings::new(config) }),
        width: chosen.iter().map(|one| one.name.chars().count()).max().unwrap_or(0),
        chosen,
        next: 0,
        running: HashMap::new(),
        signals,
        told: verbose,
        verbose: Verbose::new(verbose, dangers),
        events: mpsc::channel(WAITING_EVENTS),
        failures: Vec::new(),
    };
    let ran = trials.run(usize::from(throttle)).await;
    operate::shut_down(&trials.engine, &mut trials.events.1, &mut trials.verbose).await;
    ran?;
    trials.failures.into_iter().reduce(Failure::then).map_or(Ok(()), Err)
}

struct Trials {
    engine: Engine,
    chosen: Vec<Chosen>,
    width: usize,
    /// The first that has not begun.
    next: usize,
    /// The sessions that are being tested, by their place.
    running: HashMap<OpId, usize>,
    signals: Signals,
    told: bool,
    verbose: Verbose,
    events: (mpsc::Sender<OpEvent>, mpsc::Receiver<OpEvent>),
    failures: Vec<Failure>,
}

impl Trials {
    async fn run(&mut self, most: usize) -> Result<(), Failure> {
        loop {
            while self.running.len() < most && self.next < self.chosen.len() {
                self.begin();
            }
            if self.running.is_empty() {
                return Ok(());
            }
            let event = tokio::select! {
                biased;
                code = self.signals.next() => return Err(Failure::signal(code)),
                event = self.events.1.recv() => event,
            };
            let Some(event) = event else { return Ok(()) };
            self.verbose.event(&event);
            let Some(&at) = self.running.get(&event.op) else { continue };
            if let OpEventKind::SecretNeeded { user, again } = &event.kind {
                self.secret(at, user, *again).await?;
            }
            if event.kind.is_terminal() {
                self.running.remove(&event.op);
                self.engine.close(session(at));
                self.ended(at, &event).await?;
            }
        }
    }

    fn begin(&mut self) {
        let at = self.next;
        self.next += 1;
        let Some(Chosen { name, target }) = self.chosen.get(at) else { return };
        let id = self.engine.ids().next();
        if self.told {
            say(&format!("{id} is {name}"));
        }
        self.engine.open(session(at), target.clone());
        self.running.insert(id, at);
        self.engine.start(session(at), id, Operation::new(OperationKind::TestConnection), self.events.0.clone());
    }

    /// Asks for a secret; without one that session fails, and no other.
    async fn secret(&mut self, at: usize, user: &str, again: bool) -> Result<(), Failure> {
        let name = self.chosen.get(at).map_or("", |chosen| &chosen.name);
        if again {
            say(&format!("lazycim: {}: {name}: the server refused the password of {user}", Phase::Authenticate(1)));
        }
        let question = escape_for_terminal(&format!("Password of {user} for {name}: ")).into_owned();
        let answer = tokio::select! {
            biased;
            code = self.signals.next() => return Err(Failure::signal(code)),
            answer = prompt::ask(&question) => answer,
        };
        self.engine.give_secret(session(at), answer);
        Ok(())
    }

    async fn ended(&mut self, at: usize, event: &OpEvent) -> Result<(), Failure> {
        let name = self.chosen.get(at).map_or("", |chosen| &chosen.name);
        let took = milliseconds(event.at);
        let said = match &event.kind {
            OpEventKind::Failed(error) => {
                let several = self.chosen.len() > 1;
                let failure = if several { Failure::of_session(name, error) } else { Failure::from(error.as_ref()) };
                self.failures.push(failure);
                format!("failed  {took} ms  {}", error.phase)
            }
            OpEventKind::Cancelled { .. } => {
                let cause = "the test ended without an outcome";
                self.failures.push(Failure::local("sessions", name, cause, "run it again with -v"));
                "failed".to_owned()
            }
            _ => format!("ok      {took} ms"),
        };
        let line = format!("{name:width$}  {said}\n", width = self.width);
        print(line.as_bytes()).await
    }
}

/// The live session of the one at this place.
fn session(at: usize) -> SessionId {
    SessionId(u32::try_from(at).unwrap_or(u32::MAX))
}
