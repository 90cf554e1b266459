//! The real loop, state, engine and embedded server on a screen in memory: keys in, and the loop runs until it is idle.

use std::{
    cell::RefCell,
    collections::{HashMap, VecDeque},
    io,
    pin::Pin,
    rc::Rc,
    sync::{Arc, Mutex},
    task::{Context, Poll, Waker},
    time::Duration,
};

use crossterm::event::{Event, KeyCode as Code, KeyEvent, KeyModifiers};
use futures_util::Stream;
use lazycim::{
    app::{Key, KeyCode, Keymap, State, StateOptions},
    config::Config,
    engine::{Engine, Keyring, KeyringError, Settings},
    session::store::SessionsFile,
    tui::{
        run::{Front, Screen, Start, entries},
        signals::Signals,
        theme::{Environment, Theme},
    },
};
use ratatui::{Frame, Terminal, backend::TestBackend};
use secrecy::{ExposeSecret, SecretString};

use super::world::text_of;

/// Keys on their way into the loop.
#[derive(Clone, Default)]
pub struct Keyboard(Rc<RefCell<(VecDeque<Event>, Option<Waker>)>>);

impl Stream for Keyboard {
    type Item = io::Result<Event>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let mut inner = self.0.borrow_mut();
        match inner.0.pop_front() {
            Some(event) => Poll::Ready(Some(Ok(event))),
            None => {
                inner.1 = Some(context.waker().clone());
                Poll::Pending
            }
        }
    }
}

/// A screen in memory.
pub struct MemoryScreen {
    terminal: Terminal<TestBackend>,
    keyboard: Keyboard,
    pub copied: Vec<String>,
    pub suspended: usize,
}

impl Screen for MemoryScreen {
    type Input = Keyboard;

    fn input(&mut self) -> &mut Keyboard {
        &mut self.keyboard
    }

    fn size(&self) -> io::Result<(u16, u16)> {
        let size = self.terminal.size().unwrap();
        Ok((size.width, size.height))
    }

    fn draw(&mut self, paint: impl FnOnce(&mut Frame<'_>)) -> io::Result<()> {
        self.terminal.draw(paint).unwrap();
        Ok(())
    }

    fn copy(&mut self, text: &str) -> io::Result<()> {
        self.copied.push(text.to_owned());
        Ok(())
    }

    fn suspend(&mut self) -> io::Result<()> {
        self.suspended += 1;
        Ok(())
    }

    fn resume(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A keyring in memory, or (`None`) none: no test asks that of the computer it runs on.
#[derive(Clone, Default)]
pub struct Memory(pub Arc<Mutex<Option<HashMap<String, String>>>>);

impl Memory {
    /// One that answers, and has nothing yet.
    pub fn answering() -> Self {
        Self(Arc::new(Mutex::new(Some(HashMap::new()))))
    }

    fn entries<T>(&self, ask: impl FnOnce(&mut HashMap<String, String>) -> T) -> Result<T, KeyringError> {
        self.0.lock().unwrap().as_mut().map(ask).ok_or_else(|| KeyringError::Absent("nobody: is there".to_owned()))
    }
}

impl Keyring for Memory {
    fn get(&self, account: &str) -> Result<Option<SecretString>, KeyringError> {
        self.entries(|entries| entries.get(account).map(|secret| secret.as_str().into()))
    }

    fn set(&self, account: &str, secret: &SecretString) -> Result<(), KeyringError> {
        self.entries(|entries| drop(entries.insert(account.to_owned(), secret.expose_secret().to_owned())))
    }

    fn forget(&self, account: &str) -> Result<bool, KeyringError> {
        self.entries(|entries| entries.remove(account).is_some())
    }
}

/// The front with everything behind it.
pub struct Harness {
    pub front: Front<MemoryScreen>,
    keyboard: Keyboard,
}

/// However busy the machine is, an operation on it is over by then; the bound is the assertion.
const BOUND: Duration = Duration::from_secs(60);

impl Harness {
    /// A front on a screen of `width` by `height`, with an engine that has done nothing.
    pub fn new(width: u16, height: u16) -> Self {
        Self::with_sessions(width, height, SessionsFile::parse("sessions.toml", ""))
    }

    /// The same with saved sessions.
    pub fn with_sessions(width: u16, height: u16, sessions: SessionsFile) -> Self {
        Self::with_keyring(width, height, sessions, Memory::default())
    }

    /// The same with a keyring.
    pub fn with_keyring(width: u16, height: u16, sessions: SessionsFile, keyring: Memory) -> Self {
        let mut settings = Settings::new(&Config::default());
        settings.keyring = Arc::new(keyring);
        settings.sessions_file = Some(sessions.path.clone());
        let limits = settings.limits;
        let engine = Engine::new(settings);
        let (listed, start) = entries(&sessions, &Start::ThisComputer);
        let mut state = State::new(StateOptions {
            sessions: listed,
            ids: engine.ids(),
            keymap: Keymap::default(),
            limits,
            start: Some(start),
            saved: sessions,
        });
        state.resize(width, height);
        let keyboard = Keyboard::default();
        let screen = MemoryScreen {
            terminal: Terminal::new(TestBackend::new(width, height)).unwrap(),
            keyboard: keyboard.clone(),
            copied: Vec::new(),
            suspended: 0,
        };
        let theme = Theme::named("sixteen", false, &Environment::default()).unwrap();
        Self { front: Front::new(screen, state, engine, theme, Signals::none()), keyboard }
    }

    /// Gives the loop an event without running it.
    pub fn send(&self, event: Event) {
        let mut inner = self.keyboard.0.borrow_mut();
        inner.0.push_back(event);
        if let Some(waker) = inner.1.take() {
            waker.wake();
        }
    }

    /// Presses keys (`j`, `enter`, `ctrl-p`; a word in quotes letter by letter) and runs until idle.
    pub async fn press(&mut self, keys: &str) {
        self.send_keys(keys);
        self.run_until_idle().await;
    }

    /// Gives the loop keys, written as for [`Harness::press`], without running it.
    pub fn send_keys(&self, keys: &str) {
        for word in keys.split(' ').filter(|word| !word.is_empty()) {
            match word.strip_prefix('"') {
                Some(text) => text.trim_end_matches('"').chars().for_each(|c| self.send(event_of(Key::char(c)))),
                None => self.send(event_of(word.parse().unwrap())),
            }
        }
    }

    /// Runs the loop until nothing is left to do, or it has ended.
    pub async fn run_until_idle(&mut self) {
        let idle = async {
            while self.front.end().is_none() && !(self.keyboard.0.borrow().0.is_empty() && self.front.is_idle()) {
                self.front.step().await.unwrap();
            }
        };
        tokio::time::timeout(BOUND, idle).await.expect("idle in time");
    }

    /// Runs the loop until `holds` of the state.
    pub async fn run_until(&mut self, mut holds: impl FnMut(&State) -> bool) {
        let reached = async {
            while !holds(self.front.state()) {
                self.front.step().await.unwrap();
            }
        };
        tokio::time::timeout(BOUND, reached).await.expect("the state in time");
    }

    /// The screen as it was last drawn.
    pub fn screen(&self) -> String {
        text_of(self.front.screen().terminal.backend().buffer())
    }
}

fn event_of(key: Key) -> Event {
    let code = match key.code {
        KeyCode::Char(c) => Code::Char(c),
        KeyCode::Enter => Code::Enter,
        KeyCode::Esc => Code::Esc,
        KeyCode::Tab => Code::Tab,
        KeyCode::BackTab => Code::BackTab,
        KeyCode::Backspace => Code::Backspace,
        KeyCode::Delete => Code::Delete,
        KeyCode::Insert => Code::Insert,
        KeyCode::Up => Code::Up,
        KeyCode::Down => Code::Down,
        KeyCode::Left => Code::Left,
        KeyCode::Right => Code::Right,
        KeyCode::Home => Code::Home,
        KeyCode::End => Code::End,
        KeyCode::PageUp => Code::PageUp,
        KeyCode::PageDown => Code::PageDown,
        KeyCode::F(number) => Code::F(number),
    };
    let mut modifiers = KeyModifiers::NONE;
    modifiers.set(KeyModifiers::CONTROL, key.ctrl);
    modifiers.set(KeyModifiers::ALT, key.alt);
    modifiers.set(KeyModifiers::SHIFT, key.shift);
    Event::Key(KeyEvent::new(code, modifiers))
}

/// The event of a key by its name.
pub fn event_of_text(key: &str) -> Event {
    event_of(key.parse().unwrap())
}
