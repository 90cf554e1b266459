//! The sessions of a command, so many at once.
//!
//! Owns: which of them run, how a signal or a reader that leaves ends them all, and what failed, told at the end. Must not
//! know what they are asked.
//!
//! ```text
//! sessions -> class of each (where it makes the columns) -> Errand::run, at most --throttle at once -> stdout
//!                 +------------------------------------------+-> failures, by session, at the end
//! SIGINT, SIGTERM, stdout closed -> all of them end -> last words -> clean-ups
//! ```

use std::{cell::RefCell, path::PathBuf, sync::Arc};

use futures_util::{StreamExt, stream};

use super::{
    failure::Failure,
    operate::{LAST_WORDS, Operator, Report, Shared, Stop},
    output::{Columns, SessionColumn},
    signals::Signals,
    target::Choice,
};
use crate::{
    cim::{CimClass, CimName, Namespace},
    config::Config,
    engine::{Engine, Settings},
    op::SessionId,
    session::Target,
};

/// What a command asks of each of its sessions.
pub(super) trait Errand {
    /// The class whose properties are the columns, and its namespace, if the session is asked for it first.
    ///
    /// # Errors
    /// Where the session cannot be asked at all.
    fn columns(&self, _target: &Target) -> Result<Option<(CimName, Option<Namespace>)>, Stop> {
        Ok(None)
    }

    /// What prints the answers of all of them.
    fn report(&self, _columns: Columns, _sessions: SessionColumn) -> Option<Box<dyn Report>> {
        None
    }

    /// Asks one session.
    async fn run(&self, operator: &mut Operator<'_>) -> Result<(), Stop>;
}

/// What a command runs with.
pub(super) struct Means {
    /// Time-outs and limits.
    pub(super) config: Config,
    /// Where commands for secrets stand.
    pub(super) sessions_file: PathBuf,
    /// Whether what happens is told.
    pub(super) verbose: bool,
}

/// Runs `errand` on every session of `choice`.
pub(super) async fn run(choice: Choice, errand: &impl Errand, means: Means) -> Result<(), Failure> {
    let settings = Settings { sessions_file: Some(means.sessions_file), ..Settings::new(&means.config) };
    let mut signals = Signals::catch()
        .map_err(|error| Failure::local("start", "signals", &error.to_string(), "check the limits of the process"))?;
    let shared = Shared::new(Engine::new(settings), means.verbose, choice.throttle.is_some());
    let fan_out = FanOut { choice, shared, failures: RefCell::default(), stopped: RefCell::default() };
    let shared = &fan_out.shared;
    let work = fan_out.work(errand);
    tokio::pin!(work);
    let mut done = tokio::select! {
        biased;
        code = signals.next() => {
            fan_out.stop(Stop::Signal(code));
            false
        }
        () = shared.stopping.cancelled() => false,
        () = &mut work => true,
    };
    let ending = async {
        if shared.stopping.is_cancelled() {
            shared.last_words().await;
        }
        shared.engine.shut_down().await;
    };
    tokio::pin!(ending);
    // Those that end have something to tell, and let go of the output.
    loop {
        tokio::select! {
            biased;
            () = &mut work, if !done => done = true,
            () = &mut ending => break,
        }
    }
    if !done {
        let _ = tokio::time::timeout(LAST_WORDS, work).await;
    }
    fan_out.outcome()
}

struct FanOut {
    choice: Choice,
    shared: Shared,
    /// By the place of the session.
    failures: RefCell<Vec<(usize, Failure)>>,
    /// Why all of them end before their time.
    stopped: RefCell<Option<Stop>>,
}

impl FanOut {
    async fn work(&self, errand: &impl Errand) {
        for (at, one) in self.choice.sessions.iter().enumerate() {
            self.shared.engine.open(session(at), one.target.clone());
        }
        let mut places: Vec<usize> = (0..self.choice.sessions.len()).collect();
        let columns = self.columns(errand, &places).await;
        places.retain(|at| !self.failures.borrow().iter().any(|(failed, _)| failed == at));
        if places.is_empty() || self.shared.stopping.is_cancelled() {
            return;
        }
        let names = self.choice.throttle.map(|_| self.choice.sessions.iter().map(|one| one.name.as_str()));
        let sessions = names.map(SessionColumn::of).unwrap_or_default();
        if let Some(report) = errand.report(columns, sessions) {
            self.shared.begin(report).await;
        }
        self.each(&places, async |at, operator| {
            let ran = errand.run(operator).await;
            self.shared.leave(session(at)).await;
            ran
        })
        .await;
        if let Err(stop) = self.shared.end().await {
            self.stop(stop);
        }
    }

    /// The columns, where those of a class are wanted: the class as each of the sessions declares it, in their order.
    async fn columns(&self, errand: &impl Errand, places: &[usize]) -> Columns {
        let wanted = |at: &usize| match self.choice.sessions.get(*at).map(|one| errand.columns(&one.target)) {
            Some(Ok(Some(class))) => Some((*at, class)),
            Some(Ok(None)) | None => None,
            Some(Err(stop)) => {
                self.failed(*at, stop);
                None
            }
        };
        let wanted: std::collections::BTreeMap<_, _> = places.iter().filter_map(wanted).collect();
        let classes = RefCell::new(Vec::<(usize, Arc<CimClass>)>::new());
        let asked = wanted.keys().copied().collect::<Vec<_>>();
        self.each(&asked, async |at, operator| {
            let Some((class, namespace)) = wanted.get(&at).cloned() else { return Ok(()) };
            let class = operator.class(class, namespace).await?;
            classes.borrow_mut().extend(class.map(|class| (at, class)));
            Ok(())
        })
        .await;
        let mut classes = classes.into_inner();
        classes.sort_by_key(|(at, _)| *at);
        if classes.is_empty() {
            return Columns::FirstShape;
        }
        Columns::Classes(classes.into_iter().map(|(_, class)| class).collect())
    }

    /// Does `ask` for each of `places`, so many at once.
    async fn each(&self, places: &[usize], ask: impl AsyncFn(usize, &mut Operator<'_>) -> Result<(), Stop>) {
        let at_once = self.choice.throttle.unwrap_or(1);
        let ask = &ask;
        let one = async |at: usize| {
            let Some(chosen) = self.choice.sessions.get(at) else { return };
            if self.shared.stopping.is_cancelled() {
                return;
            }
            let mut operator = Operator::new(&self.shared, session(at), chosen);
            if let Err(stop) = ask(at, &mut operator).await {
                self.failed(at, stop);
            }
            operator.leave().await;
        };
        stream::iter(places.iter().copied()).for_each_concurrent(at_once, one).await;
    }

    /// What `stop` means for the session at this place, or for all of them.
    fn failed(&self, at: usize, stop: Stop) {
        let failure = match stop {
            // What is cancelled then is no failure of its own.
            _ if self.shared.stopping.is_cancelled() => return,
            Stop::Failed(error) => Failure::from(error.as_ref()),
            Stop::Refused(failure) => failure,
            stop => return self.stop(stop),
        };
        let name = self.choice.sessions.get(at).map_or("", |one| &one.name);
        let failure = if self.choice.throttle.is_some() { failure.of_session(name) } else { failure };
        self.failures.borrow_mut().push((at, failure));
    }

    fn stop(&self, why: Stop) {
        self.stopped.borrow_mut().get_or_insert(why);
        self.shared.stopping.cancel();
    }

    fn outcome(&self) -> Result<(), Failure> {
        match self.stopped.take() {
            Some(Stop::Signal(code)) => return Err(Failure::signal(code)),
            Some(Stop::Output(error)) => {
                return Err(Failure::local("output", "stdout", &error.to_string(), "check where stdout goes"));
            }
            Some(_) => return Ok(()),
            None => {}
        }
        let mut failures = self.failures.take();
        failures.sort_by_key(|(at, _)| *at);
        failures.into_iter().map(|(_, failure)| failure).reduce(Failure::then).map_or(Ok(()), Err)
    }
}

/// The live session of the one at this place.
fn session(at: usize) -> SessionId {
    SessionId(u32::try_from(at).unwrap_or(u32::MAX))
}
