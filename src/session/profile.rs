//! Profiles and targets.
//!
//! Owns: the description of where and as whom to connect, with the defaults of CLI.md. Must not know files or secrets'
//! values.

use std::path::PathBuf;

use crate::{cim::Namespace, op::Timeouts};

/// The id of a profile: `[a-z0-9._-]{1,64}`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ProfileId(String);

/// The id and name of the session on this computer; never stored.
pub const THIS_COMPUTER: &str = "this-computer";

/// A saved session.
#[derive(Clone, Debug, PartialEq)]
pub struct Profile {
    /// Its id.
    pub id: ProfileId,
    /// Its name for people.
    pub name: String,
    /// Where and as whom it connects.
    pub target: Target,
}

/// Where and as whom to connect.
#[derive(Clone, Debug, PartialEq)]
pub struct Target {
    /// Host name or address; for this computer, `None`: the engine starts the embedded server and fills in the rest.
    pub computer: Option<String>,
    /// The protocol's name in the registry.
    pub protocol: String,
    /// The TCP port.
    pub port: u16,
    /// The HTTP path, beginning with `/`.
    pub path: String,
    /// TLS, or none.
    pub tls: Option<Tls>,
    /// The user; `None` sends no Authorization header.
    pub user: Option<String>,
    /// Where the secret comes from.
    pub secret: SecretSource,
    /// Basic over plain http to another machine is allowed.
    pub allow_clear_text: bool,
    /// The default namespace.
    pub namespace: Namespace,
    /// Time-outs that differ from the configuration's; an operation's own go first.
    pub timeouts: Option<Timeouts>,
    /// Whether enumerations are pulled in batches.
    pub pull: PullUse,
}

/// Whether enumerations are opened and pulled in batches (DSP0200 section 5.4.2.24) or asked for in one answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PullUse {
    /// Pulled where the server can, found out by the first enumeration.
    #[default]
    Auto,
    /// Always pulled; a server that cannot is an error.
    Always,
    /// Never pulled.
    Never,
}

/// How TLS is checked. Chain and name are always checked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tls {
    /// PEM file of the certificates to trust instead of the platform's.
    pub ca_file: Option<PathBuf>,
}

/// Where a secret comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SecretSource {
    /// Asked for once per live session.
    Prompt,
    /// The value of an environment variable.
    Env(String),
}

impl ProfileId {
    /// The id `text` is, if it keeps the rule.
    pub fn new(text: &str) -> Option<Self> {
        let fits = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'.' | b'_' | b'-');
        ((1..=64).contains(&text.len()) && text.bytes().all(fits)).then(|| Self(text.to_owned()))
    }

    /// The id's text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Target {
    /// This computer, through the embedded server.
    pub fn this_computer() -> Self {
        Self {
            computer: None,
            protocol: "cimxml".to_owned(),
            port: 0,
            path: "/cimom".to_owned(),
            tls: None,
            user: None,
            secret: SecretSource::Prompt,
            allow_clear_text: false,
            namespace: Namespace::new("root/cimv2"),
            timeouts: None,
            pull: PullUse::Auto,
        }
    }
}
