//! The loop: one place that waits, for the terminal, the engine, time and signals.
//!
//! Owns: `&mut State`, the order in which things are handled, when a frame is drawn, the effects. Must not know what keys mean
//! or how panes look.
//!
//! ```text
//! loop { wait; take what has come, input first; work a slice; draw if something changed and 16 ms have passed }
//! ```
//! At rest nothing is drawn and no timer runs. Everything is generic over [`Screen`], so that tests drive this loop, with the
//! real state and engine, on a screen in memory.

mod saves;
mod start;
mod typed;

use std::{
    io,
    pin::{Pin, pin},
    task::Poll,
    time::Duration,
};

use crossterm::event::Event;
use futures_util::{Stream, StreamExt, stream::FuturesUnordered};
use ratatui::Frame;
use tokio::{
    sync::{mpsc, watch},
    time::{Instant, sleep_until},
};

use super::{
    input::Translator,
    secret::SecretField,
    signals::{Caught, Signals},
    terminal::CLIPBOARD_BYTES,
    theme::Theme,
    view,
};
use crate::{
    app::{Action, Effect, Layer, State},
    engine::Engine,
    op::{OpError, OpEvent},
};

use saves::Saves;
pub use start::{Start, TuiOptions, entries, problems, run};

/// A screen to draw on, and the input that comes with it.
pub trait Screen {
    /// The events of the terminal.
    type Input: Stream<Item = io::Result<Event>> + Unpin;

    /// The input; the same stream until the screen is suspended.
    fn input(&mut self) -> &mut Self::Input;
    /// Its size in cells: width, height.
    ///
    /// # Errors
    /// What the terminal answered.
    fn size(&self) -> io::Result<(u16, u16)>;
    /// Draws a frame.
    ///
    /// # Errors
    /// What the terminal answered.
    fn draw(&mut self, paint: impl FnOnce(&mut Frame<'_>)) -> io::Result<()>;
    /// Puts text on the clipboard.
    ///
    /// # Errors
    /// What the terminal answered.
    fn copy(&mut self, text: &str) -> io::Result<()>;
    /// Hands the terminal back to the shell until the process is continued.
    ///
    /// # Errors
    /// What the terminal answered.
    fn suspend(&mut self) -> io::Result<()>;
    /// Takes the terminal (again), with nothing on it.
    ///
    /// # Errors
    /// What the terminal answered.
    fn resume(&mut self) -> io::Result<()>;
}

/// Two frames are at least this far apart.
const FRAME: Duration = Duration::from_millis(16);
/// Events of the engine wait in a queue this long; a full one is the backpressure on every operation.
const EVENTS: usize = 256;
/// Engine events are taken for so long before input is looked at again.
const SLICE: Duration = Duration::from_millis(8);
/// How long clean-ups may take after quitting, in all.
const CLOSING: Duration = Duration::from_millis(3_500);

/// Why the loop ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// The user quit.
    Quit,
    /// A signal, or the terminal went away.
    Caught(Caught),
}

/// The loop's belongings.
pub struct Front<S: Screen> {
    screen: S,
    state: State,
    engine: Engine,
    theme: Theme,
    saves: Saves,
    /// What is asked of the keyring; each ends in an action.
    asides: FuturesUnordered<Pin<Box<dyn Future<Output = Action> + Send>>>,
    signals: Signals,
    events: mpsc::Receiver<OpEvent>,
    sender: mpsc::Sender<OpEvent>,
    busy: watch::Receiver<usize>,
    translator: Translator,
    secret: SecretField,
    started: Instant,
    next_frame: Instant,
    dirty: bool,
    frames: u64,
    end: Option<End>,
}

impl<S: Screen> Front<S> {
    /// A loop that has not begun, and no session is open.
    pub fn new(screen: S, state: State, engine: Engine, theme: Theme, signals: Signals) -> Self {
        let (sender, events) = mpsc::channel(EVENTS);
        let busy = engine.busy();
        let now = Instant::now();
        Self {
            screen,
            state,
            engine,
            theme,
            saves: Saves::default(),
            asides: FuturesUnordered::new(),
            signals,
            events,
            sender,
            busy,
            translator: Translator::default(),
            secret: SecretField::default(),
            started: now,
            next_frame: now,
            dirty: true,
            frames: 0,
            end: None,
        }
    }

    /// What is shown.
    pub fn state(&self) -> &State {
        &self.state
    }

    /// The screen.
    pub fn screen(&self) -> &S {
        &self.screen
    }

    /// How many frames were drawn.
    pub fn frames(&self) -> u64 {
        self.frames
    }

    /// Whether it has ended.
    pub fn end(&self) -> Option<End> {
        self.end
    }

    /// Whether nothing is left to do until something happens outside: no operation, no event, no work, no frame owed.
    pub fn is_idle(&self) -> bool {
        let waits =
            self.saves.is_empty() && self.asides.is_empty() && self.events.is_empty() && *self.busy.borrow() == 0;
        waits && !self.dirty && !self.state.has_work()
    }

    /// Runs to the end, clean-ups included.
    ///
    /// # Errors
    /// What the terminal answered when it could not be drawn on.
    pub async fn run(mut self) -> io::Result<End> {
        let ended = loop {
            if let Some(end) = self.end {
                break Ok(end);
            }
            if let Err(error) = self.step().await {
                break Err(error);
            }
        };
        self.close().await;
        ended
    }

    /// Waits for one thing, takes everything that has come by then, and draws if a frame is owed and due.
    ///
    /// # Errors
    /// What the terminal answered.
    pub async fn step(&mut self) -> io::Result<()> {
        let due = self.due();
        let timer = async {
            match due {
                Some(due) => sleep_until(due).await,
                None => std::future::pending().await,
            }
        };
        let timer = pin!(timer);
        tokio::select! {
            biased;
            event = self.screen.input().next() => {
                self.tick();
                self.input(event)?;
            }
            caught = std::future::poll_fn(|context| self.signals.poll_next(context)) => self.caught(caught)?,
            event = self.events.recv() => {
                self.tick();
                if let Some(event) = event {
                    self.apply(event)?;
                }
            }
            changed = self.saves.next() => {
                self.tick();
                self.act(Action::Changed(Box::new(changed)))?;
            }
            Some(action) = self.asides.next(), if !self.asides.is_empty() => {
                self.tick();
                self.act(action)?;
            }
            // Only wakes the loop: what ended told so by events.
            _ = self.busy.changed() => {}
            () = timer => {}
        }
        self.tick();
        self.drain().await?;
        if self.dirty && Instant::now() >= self.next_frame {
            self.draw()?;
        }
        Ok(())
    }

    /// When the loop has to wake without anything happening.
    fn due(&self) -> Option<Instant> {
        if self.state.has_work() {
            return Some(Instant::now());
        }
        let frame = self.dirty.then_some(self.next_frame);
        let wake = self.state.wake_at().map(|at| self.started + at);
        [frame, wake].into_iter().flatten().min()
    }

    fn tick(&mut self) {
        let now = self.started.elapsed();
        self.dirty |= self.state.wake_at().is_some_and(|at| at <= now);
        self.state.tick(now);
    }

    /// Takes what has come by now: all input, then engine events for a slice of time, then a slice of the state's own work.
    async fn drain(&mut self) -> io::Result<()> {
        let until = Instant::now() + SLICE;
        loop {
            while self.end.is_none()
                && let Some(event) = ready(self.screen.input()).await
            {
                self.input(event)?;
            }
            if self.end.is_some() {
                return Ok(());
            }
            match self.events.try_recv() {
                Ok(event) => self.apply(event)?,
                Err(_) => break,
            }
            if Instant::now() >= until {
                return Ok(());
            }
        }
        if self.state.has_work() {
            self.state.work();
            self.dirty = true;
        }
        Ok(())
    }

    fn apply(&mut self, event: OpEvent) -> io::Result<()> {
        self.dirty = true;
        let effects = self.state.apply(event);
        self.perform(effects)
    }

    fn act(&mut self, action: Action) -> io::Result<()> {
        self.dirty = true;
        let effects = self.state.act(action);
        self.perform(effects)
    }

    fn caught(&mut self, caught: Caught) -> io::Result<()> {
        if caught == Caught::Continued {
            self.dirty = true;
            return self.screen.resume();
        }
        self.end = Some(End::Caught(caught));
        Ok(())
    }

    fn perform(&mut self, effects: Vec<Effect>) -> io::Result<()> {
        for effect in effects {
            match effect {
                Effect::Open { session, target } => {
                    self.engine.open(session, target);
                    self.act(Action::Live(self.engine.live()))?;
                }
                Effect::Change { session, target } => self.engine.change(session, target),
                Effect::Close(session) => {
                    self.engine.close(session);
                    self.act(Action::Live(self.engine.live()))?;
                }
                Effect::Run { session, op, operation } => {
                    self.engine.start(session, op, *operation, self.sender.clone());
                }
                Effect::Cancel(op) => self.engine.cancel(op),
                Effect::GiveSecret { session, secret } => self.engine.give_secret(session, secret),
                Effect::LookForKeyring => {
                    let answers = self.engine.keyring_answers();
                    // What the system says of it has no room in a prompt.
                    let short = |cause: &String| cause.split(": ").next().unwrap_or_default().to_owned();
                    let told = move |error: OpError| error.causes.first().map(short).unwrap_or_default();
                    self.asides.push(Box::pin(async move { Action::KeyringAnswered(answers.await.map_err(told)) }));
                }
                Effect::KeepSecret(session) => {
                    let kept = self.engine.keep_secret(session);
                    let told = |error: OpError| (error.to_string(), error.hint);
                    self.asides
                        .push(Box::pin(async move { Action::SecretKept { session, kept: kept.await.map_err(told) } }));
                }
                Effect::Save { base, change } => self.saves.push(base, *change),
                Effect::Copy(text) => self.copy(&text)?,
                Effect::Suspend => {
                    self.screen.suspend()?;
                    self.dirty = true;
                }
                Effect::Redraw => {
                    self.screen.resume()?;
                    self.dirty = true;
                }
                Effect::Quit => self.end = Some(End::Quit),
            }
        }
        Ok(())
    }

    fn copy(&mut self, text: &str) -> io::Result<()> {
        if text.len() > CLIPBOARD_BYTES {
            let told = view::text::bytes(text.len() as u64);
            return self.act(Action::Problem {
                cause: format!("not copied: {told} is more than terminals take ({} kB)", CLIPBOARD_BYTES / 1024),
                hint: "copy a smaller part, or use the command line: lazycim get".to_owned(),
            });
        }
        self.screen.copy(text)
    }

    fn draw(&mut self) -> io::Result<()> {
        let size = self.screen.size()?;
        if size != self.state.size() {
            self.state.resize(size.0, size.1);
        }
        if matches!(self.state.layer(), Some(Layer::SessionList(_))) {
            // Whether a secret is held is known to the engine alone.
            self.act(Action::Live(self.engine.live()))?;
        }
        let (state, theme) = (&self.state, &self.theme);
        self.screen.draw(|frame| {
            if let Some(cursor) = view::paint(state, theme, frame.buffer_mut()) {
                frame.set_cursor_position(cursor);
            }
        })?;
        self.dirty = false;
        self.frames += 1;
        self.next_frame = Instant::now() + FRAME;
        Ok(())
    }

    /// Ends every operation and waits, bounded, for the clean-ups and for what is being saved; the screen goes on telling how they do.
    async fn close(&mut self) {
        let engine = self.engine.clone();
        let mut done = pin!(engine.shut_down());
        let deadline = Instant::now() + CLOSING;
        let _ = self.draw();
        loop {
            tokio::select! {
                biased;
                () = &mut done => break,
                event = self.events.recv() => {
                    if let Some(event) = event {
                        self.state.tick(self.started.elapsed());
                        // Its effects would start something new; it is too late for that.
                        drop(self.state.apply(event));
                        if Instant::now() >= self.next_frame {
                            let _ = self.draw();
                        }
                    }
                }
                () = sleep_until(deadline) => break,
            }
        }
        // What was to be saved is saved, however soon after that the user quit.
        let saved = async {
            while !self.saves.is_empty() {
                self.saves.next().await;
            }
        };
        let _ = tokio::time::timeout_at(deadline, saved).await;
    }
}

/// The next item of `stream` if it is there already. It is polled with the waker of this task: the terminal's stream keeps
/// the first waker it is given, and one that wakes nobody would put the keyboard to sleep.
async fn ready<I: Stream + Unpin>(stream: &mut I) -> Option<Option<I::Item>> {
    std::future::poll_fn(|context| {
        Poll::Ready(match stream.poll_next_unpin(context) {
            Poll::Ready(item) => Some(item),
            Poll::Pending => None,
        })
    })
    .await
}
