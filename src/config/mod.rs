//! Configuration: defaults, then config.toml, then the environment; flags come last and are the command line's.
//!
//! Owns: the keys of `config/default.toml`, their types, the merge and its errors with line, column and nearest name; the
//! places of lazycim's files. Must not know what the keys do: every front and the engine read them from [`Config`].
//!
//! ```text
//! config/default.toml (embedded) < config.toml | --config FILE < LAZYCIM_<TABLE>_<KEY> < flags
//! ```

mod keys;
mod paths;
mod read;

use std::{
    collections::HashMap,
    fmt,
    path::{Path, PathBuf},
    time::Duration,
};

pub use keys::ValueKind;
pub use paths::{CONFIG_DIR_VARIABLE, Paths};
pub use read::line_and_column;

/// `config/default.toml`: every key with its default, and its documentation.
pub const DEFAULT_TOML: &str = include_str!("../../config/default.toml");

/// The whole configuration.
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    /// How long each step of an operation may take.
    pub timeouts: Timeouts,
    /// What a server may make us hold or do.
    pub limits: Limits,
    /// How the terminal UI looks and behaves.
    pub ui: Ui,
}

/// The table `[timeouts]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timeouts {
    /// Resolve, TCP connect and TLS of one address, each.
    pub connect: Duration,
    /// From the last byte sent to the first byte of the answer.
    pub first_byte: Duration,
    /// Between two pieces of an answer.
    pub idle: Duration,
    /// The whole operation; `None` (written `0`) is without end.
    pub total: Option<Duration>,
}

/// The table `[limits]`. Counts, or bytes where the name says so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Nesting of XML elements.
    pub xml_depth: usize,
    /// Nesting of embedded objects inside embedded objects.
    pub embedded_depth: usize,
    /// Bytes of a name.
    pub name_bytes: usize,
    /// Bytes of one value.
    pub value_bytes: usize,
    /// Bytes of an answer's header block.
    pub header_bytes: usize,
    /// Fields of an answer's header block.
    pub header_fields: usize,
    /// Bytes of an item that is not complete yet.
    pub buffer_bytes: usize,
    /// Rows decoded and not yet taken by the consumer.
    pub undrained_rows: usize,
    /// Rows kept of one result.
    pub retained_rows: usize,
    /// Bytes kept of one result.
    pub retained_bytes: usize,
    /// Operations kept in the log.
    pub logged_operations: usize,
    /// Operations in flight in one session.
    pub in_flight_per_session: usize,
    /// Operations in flight in all.
    pub in_flight: usize,
}

/// The table `[ui]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ui {
    /// `auto`, `dark`, `light` or the name of a theme file.
    pub theme: String,
    /// Whether the mouse is used.
    pub mouse: bool,
    /// Whether borders and signs are plain ASCII.
    pub ascii: bool,
}

/// Why a configuration was not accepted: where, what is wrong, and what to write instead.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigError {
    /// Where the mistake stands.
    pub place: ConfigPlace,
    /// What is wrong.
    pub cause: String,
    /// What to do about it; ends no sentence, names one thing.
    pub hint: String,
}

/// Where a mistake stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ConfigPlace {
    /// In a file, at a line and a column counted from 1, the column in characters.
    File {
        /// The file.
        file: PathBuf,
        /// The line.
        line: usize,
        /// The column.
        column: usize,
    },
    /// The file as a whole.
    WholeFile(PathBuf),
    /// An environment variable.
    Variable(String),
}

impl fmt::Display for ConfigPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File { file, line, column } => write!(f, "{}:{line}:{column}", file.display()),
            Self::WholeFile(file) => write!(f, "{}", file.display()),
            Self::Variable(name) => f.write_str(name),
        }
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.cause)
    }
}

impl std::error::Error for ConfigError {}

impl Default for Config {
    /// What `config/default.toml` says; a test holds the two together.
    fn default() -> Self {
        Self {
            timeouts: Timeouts {
                connect: Duration::from_secs(10),
                first_byte: Duration::from_secs(60),
                idle: Duration::from_secs(60),
                total: None,
            },
            limits: Limits {
                xml_depth: 256,
                embedded_depth: 16,
                name_bytes: 4 << 10,
                value_bytes: 64 << 20,
                header_bytes: 256 << 10,
                header_fields: 256,
                buffer_bytes: 4 << 20,
                undrained_rows: 4_096,
                retained_rows: 1_000_000,
                retained_bytes: 1 << 30,
                logged_operations: 1_000,
                in_flight_per_session: 4,
                in_flight: 64,
            },
            ui: Ui { theme: "auto".to_owned(), mouse: true, ascii: false },
        }
    }
}

/// Where a value of the configuration comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// Nobody said otherwise.
    Default,
    /// A file.
    File(PathBuf),
    /// An environment variable.
    Variable(String),
    /// A flag of the command line.
    Flag(&'static str),
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::File(file) => write!(f, "{}", file.display()),
            Self::Variable(name) => f.write_str(name),
            Self::Flag(flag) => f.write_str(flag),
        }
    }
}

/// A configuration with the source of each value, and the mistakes found on the way.
#[derive(Clone, Debug, Default)]
pub struct Loaded {
    /// The configuration; what was mistaken has the value of before.
    pub config: Config,
    /// The mistakes, in order.
    pub problems: Vec<ConfigError>,
    sources: HashMap<(&'static str, &'static str), Source>,
}

/// A key of config.toml.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigKey {
    /// Its table.
    pub table: &'static str,
    /// Its name.
    pub key: &'static str,
    /// What its value must be.
    pub kind: ValueKind,
    /// Its value, as TOML.
    pub value: String,
    /// Where that comes from.
    pub source: Source,
}

impl Loaded {
    /// The configuration from `config.toml` (or `file`, where one was named) and the variables in `env`.
    ///
    /// A missing `config.toml` is no mistake, a missing `file` is.
    pub fn new(paths: &Paths, file: Option<&Path>, env: impl IntoIterator<Item = (String, String)>) -> Self {
        let mut loaded = Self::default();
        let path = file.map_or_else(|| paths.config_file(), Path::to_owned);
        let mut problems = match std::fs::read_to_string(&path) {
            Ok(text) => read::merge_file(&mut loaded, &path, &text),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound && file.is_none() => Vec::new(),
            Err(error) => vec![ConfigError {
                place: ConfigPlace::WholeFile(path),
                cause: format!("cannot be read: {error}"),
                hint: "check the file's name, its permissions and that it is UTF-8 text".to_owned(),
            }],
        };
        problems.extend(read::merge_environment(&mut loaded, env));
        loaded.problems = problems;
        loaded
    }

    /// Remembers where the value of a key comes from.
    pub fn note(&mut self, table: &'static str, key: &'static str, source: Source) {
        self.sources.insert((table, key), source);
    }

    /// All keys in order, with their values.
    pub fn keys(&self) -> Vec<ConfigKey> {
        let mut config = self.config.clone();
        let names = keys::TABLES.iter().flat_map(|(table, keys)| keys.iter().map(|key| (*table, *key)));
        let told = names.filter_map(|(table, key)| {
            let field = keys::field(&mut config, table, key)?;
            let source = self.sources.get(&(table, key)).cloned().unwrap_or(Source::Default);
            Some(ConfigKey { table, key, kind: field.kind(), value: field.to_toml(), source })
        });
        told.collect()
    }
}

impl Config {
    /// The configuration as [`Loaded::new`] finds it, or the first mistake.
    ///
    /// # Errors
    /// The first mistake.
    pub fn load(
        paths: &Paths,
        file: Option<&Path>,
        env: impl IntoIterator<Item = (String, String)>,
    ) -> Result<Self, ConfigError> {
        let loaded = Loaded::new(paths, file, env);
        loaded.problems.into_iter().next().map_or(Ok(loaded.config), Err)
    }
}

/// A config.toml in which every key is explained and none is set.
pub fn template() -> String {
    let is_set = |line: &&str| line.split_once(" = ").is_some_and(|(key, _)| !key.contains([' ', '#']));
    let commented = |line: &str| if is_set(&line) { format!("# {line}\n") } else { format!("{line}\n") };
    DEFAULT_TOML.lines().map(commented).collect()
}

#[cfg(test)]
mod tests;
