//! Where secrets come from.
//!
//! Owns: the sources and their grammar in sessions.toml. Must not know a secret's value, nor how a source is asked.
//!
//! ```text
//! secret = "prompt" | "env:VAR" | "keyring" | { command = ["pass", "show", "web01"], shell = false, timeout = 10 }
//!          a command that came with an import has confirmed = false, and is inactive
//! ```

use std::time::Duration;

/// Where a secret comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SecretSource {
    /// Asked for once per live session.
    Prompt,
    /// The value of an environment variable.
    Env(String),
    /// The operating system's keyring.
    Keyring,
    /// What a program prints.
    Command(SecretCommand),
}

/// A program that prints a secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecretCommand {
    /// The program and its arguments; with a shell, the one line it is given.
    pub words: Vec<String>,
    /// Whether a shell reads the line.
    pub shell: bool,
    /// How long it may take.
    pub timeout: Duration,
    /// False where it came with somebody else's sessions: it must not run until its words were seen and allowed.
    pub confirmed: bool,
}

impl SecretCommand {
    /// How long a program may take that says nothing else.
    pub const TIMEOUT: Duration = Duration::from_secs(10);

    /// The command in words, such that one word is told from two.
    pub fn told(&self) -> String {
        let words = self.words.iter().map(|word| format!("{word:?}")).collect::<Vec<_>>().join(" ");
        if self.shell { format!("a shell reads {words}") } else { words }
    }
}

impl SecretSource {
    /// The source `text` describes, where it is one that is written as a text.
    pub fn from_text(text: &str) -> Option<Self> {
        let is_name = |b: u8| b.is_ascii_alphanumeric() || b == b'_';
        match (text, text.strip_prefix("env:")) {
            ("prompt", _) => Some(Self::Prompt),
            ("keyring", _) => Some(Self::Keyring),
            (_, Some(variable)) if !variable.is_empty() && variable.bytes().all(is_name) => {
                Some(Self::Env(variable.to_owned()))
            }
            _ => None,
        }
    }

    /// The source as a text, where it is written as one; a command is a table.
    pub fn to_text(&self) -> Option<String> {
        match self {
            Self::Prompt => Some("prompt".to_owned()),
            Self::Env(variable) => Some(format!("env:{variable}")),
            Self::Keyring => Some("keyring".to_owned()),
            Self::Command(_) => None,
        }
    }
}
