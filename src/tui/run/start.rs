//! The start and the end: from options to a loop on the user's terminal, and from its end to an exit code.
//!
//! Owns: what is told on standard error, and the order in which things are set up: nothing touches the terminal before
//! everything else is known to be in order. Must not wait for anything itself.

use std::{
    fs,
    io::{self, Write},
    path::Path,
};

use super::{End, Front};
use crate::{
    app::{Keymap, SessionEntry, State, StateOptions},
    config::{Config, ConfigError, ConfigPlace, Paths, line_and_column},
    engine::{Engine, Settings},
    op::SessionId,
    session::{Profile, ProfileId, Target, profile::THIS_COMPUTER, store::SessionsFile},
    tui::{
        signals::Signals,
        terminal::{self, Tty},
        theme::{Environment, NAMES, Theme, ThemeError},
    },
};

/// What the terminal front is started with.
#[derive(Debug)]
pub struct TuiOptions {
    /// The configuration.
    pub config: Config,
    /// Where `keys.toml` and `themes/` lie.
    pub paths: Paths,
    /// The saved sessions, mistakes included.
    pub sessions: SessionsFile,
    /// Where the cursor begins.
    pub start: Start,
}

/// The session the cursor begins on.
#[derive(Clone, Debug, Default)]
pub enum Start {
    /// This computer.
    #[default]
    ThisComputer,
    /// A saved one.
    Saved(ProfileId),
    /// One given on the command line, for this run.
    Given(Box<Profile>),
}

/// Runs the terminal front to its end on the process's terminal; the answer is the exit code. What went wrong is told on
/// standard error, after the terminal is restored. Must be called on the main thread, outside any runtime.
pub fn run(options: TuiOptions) -> u8 {
    if let Err(missing) = terminal::check() {
        return fail(2, &missing.to_string(), "run lazycim in a terminal, or give it a command: lazycim --help");
    }
    let (theme, keymap) =
        match theme(&options.config, &options.paths).and_then(|theme| Ok((theme, keymap(&options.paths)?))) {
            Ok(both) => both,
            Err(error) => return fail(2, &error.to_string(), &error.hint),
        };
    terminal::install_panic_hook();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return fail(1, &format!("no threads to run on: {error}"), "close other programs"),
    };
    let ended = runtime.block_on(async { front(options, theme, keymap)?.run().await });
    runtime.shutdown_timeout(std::time::Duration::from_millis(200));
    match ended {
        Ok(End::Quit) => 0,
        Ok(End::Caught(caught)) => {
            let _ = writeln!(io::stderr(), "lazycim: ended by {}", caught.name());
            caught.exit_code()
        }
        Err(error) => fail(1, &format!("the terminal cannot be drawn on: {error}"), "check that it is still there"),
    }
}

fn fail(code: u8, cause: &str, hint: &str) -> u8 {
    let _ = writeln!(io::stderr(), "lazycim: {cause}\ntry: {hint}");
    code
}

/// All mistakes in `keys.toml` and in the files of `themes/`, and a theme the configuration names that is not there.
pub fn problems(config: &Config, paths: &Paths) -> Vec<ConfigError> {
    let mut problems = Vec::from_iter(keymap(paths).err());
    let mut files = fs::read_dir(paths.themes_dir()).map_or_else(
        |_| Vec::new(),
        |entries| {
            entries
                .flatten()
                .map(|entry| entry.path())
                .filter(|path| path.extension() == Some("toml".as_ref()))
                .collect()
        },
    );
    files.sort();
    problems.extend(files.iter().filter_map(|file| theme_in(file, false).err()));
    problems.extend(theme(config, paths).err());
    // The theme in use is one of the files.
    let mut told = Vec::new();
    problems.retain(|problem| {
        let new = !told.contains(problem);
        told.push(problem.clone());
        new
    });
    problems
}

fn wrong_in(file: &Path, place: Option<(usize, usize)>, cause: String, hint: &str) -> ConfigError {
    let file = file.to_owned();
    let place = match place {
        Some((line, column)) => ConfigPlace::File { file, line, column },
        None => ConfigPlace::WholeFile(file),
    };
    ConfigError { place, cause, hint: hint.to_owned() }
}

/// The theme the configuration names: a built-in one, or a file of `themes/`.
fn theme(config: &Config, paths: &Paths) -> Result<Theme, ConfigError> {
    let ui = &config.ui;
    if ui.theme == "auto" || NAMES.contains(&ui.theme.as_str()) {
        let named = Theme::named(&ui.theme, ui.ascii, &Environment::of_process());
        return named.map_err(|error| wrong_in(&paths.config_file(), None, error.to_string(), THEMES));
    }
    theme_in(&paths.themes_dir().join(format!("{}.toml", ui.theme)), ui.ascii)
}

fn theme_in(file: &Path, ascii: bool) -> Result<Theme, ConfigError> {
    let text = fs::read_to_string(file)
        .map_err(|error| wrong_in(file, None, format!("the theme cannot be read: {error}"), THEMES))?;
    Theme::parse(&text, ascii).map_err(|error| {
        let place = match &error {
            ThemeError::Syntax(at, _) => Some(line_and_column(&text, *at)),
            _ => None,
        };
        wrong_in(file, place, error.to_string(), THEMES)
    })
}

const THEMES: &str = "correct the file, or set [ui] theme in config.toml to auto, dark, light, sixteen or mono";

/// The keys: those of the registry, changed by `keys.toml` where there is one.
fn keymap(paths: &Paths) -> Result<Keymap, ConfigError> {
    let file = paths.keys_file();
    let wrong = |place, cause| wrong_in(&file, place, cause, "correct the file, or move it away");
    match fs::read_to_string(&file) {
        Ok(text) => Keymap::with(&text).map_err(|error| wrong(error.place(), error.to_string())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Keymap::default()),
        Err(error) => Err(wrong(None, format!("cannot be read: {error}"))),
    }
}

fn front(options: TuiOptions, theme: Theme, keymap: Keymap) -> io::Result<Front<Tty>> {
    let sessions_file = Some(options.sessions.path.clone());
    let settings = Settings { sessions_file, ..Settings::new(&options.config) };
    let limits = settings.limits;
    let engine = Engine::new(settings);
    let (entries, start) = entries(&options.sessions, &options.start);
    let state = State::new(StateOptions {
        sessions: entries,
        ids: engine.ids(),
        keymap,
        limits,
        start: Some(start),
        saved: options.sessions,
    });
    let signals = Signals::of_process()?;
    let tty = Tty::open(options.config.ui.mouse, "lazycim")?;
    Ok(Front::new(tty, state, engine, theme, signals))
}

/// The sessions to list, numbered from 1, and the one to begin on.
pub fn entries(saved: &SessionsFile, start: &Start) -> (Vec<SessionEntry>, SessionId) {
    let mut profiles = ProfileId::new(THIS_COMPUTER)
        .map(|id| Profile::new(id, THIS_COMPUTER.to_owned(), Target::this_computer()))
        .into_iter()
        .chain(saved.entries.iter().cloned())
        .collect::<Vec<_>>();
    let at = match start {
        Start::ThisComputer => 0,
        Start::Saved(id) => profiles.iter().position(|profile| profile.id == *id).unwrap_or(0),
        Start::Given(profile) => {
            profiles.push((**profile).clone());
            profiles.len() - 1
        }
    };
    let number = |at: usize| SessionId(u32::try_from(at + 1).unwrap_or(u32::MAX));
    let entries = profiles.into_iter().enumerate().map(|(at, profile)| SessionEntry {
        id: number(at),
        read_only: profile.target.read_only,
        profile,
    });
    (entries.collect(), number(at))
}
