//! Profiles and targets.
//!
//! Owns: the description of where and as whom to connect, with the defaults of CLI.md. Must not know files or secrets'
//! values.

use std::path::PathBuf;

use super::{
    options::{Colour, LimitChanges, Proxy, TimeoutChanges},
    preset::Preset,
    secret::{SecretCommand, SecretSource},
    url::Scheme,
    wsman::WsManOptions,
};
use crate::{cim::Namespace, op::Fingerprint};

/// The id of a profile: `[a-z0-9._-]{1,64}`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ProfileId(String);

/// The id and name of the session on this computer; never stored.
pub const THIS_COMPUTER: &str = "this-computer";

/// What a profile says instead of a protocol when lazycim is to find it out.
pub const AUTO: &str = "auto";

/// A saved session.
#[derive(Clone, Debug, PartialEq)]
pub struct Profile {
    /// Its id.
    pub id: ProfileId,
    /// Its name for people.
    pub name: String,
    /// Where and as whom it connects.
    pub target: Target,
    /// Words it is grouped and found by.
    pub tags: Vec<String>,
    /// What people want to remember about it; empty if nothing.
    pub notes: String,
    /// The colour it is marked with.
    pub colour: Option<Colour>,
    /// What it takes over where it says nothing itself.
    pub inherits: Option<Parent>,
}

/// What a profile takes over where it says nothing itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Parent {
    /// Another profile.
    Profile(ProfileId),
    /// A preset, by its name.
    Preset(String),
}

/// The saved session a target belongs to, as errors name it. It is no part of what a target says: any two are equal.
#[derive(Clone, Debug, Default)]
pub struct Owner(pub Option<ProfileId>);

impl PartialEq for Owner {
    fn eq(&self, _other: &Self) -> bool {
        true
    }
}

/// Where and as whom to connect.
#[derive(Clone, Debug, PartialEq)]
pub struct Target {
    /// Whose it is.
    pub owner: Owner,
    /// Host name or address; for this computer, `None`: the engine starts the embedded server and fills in the rest.
    pub computer: Option<String>,
    /// The protocol's name in the registry, or [`AUTO`].
    pub protocol: String,
    /// The protocols to try in turn where the protocol is [`AUTO`]; empty otherwise. Port and path are those of the first:
    /// the usual ones stand for the usual ones of each.
    pub auto: Vec<Scheme>,
    /// The TCP port.
    pub port: u16,
    /// The HTTP path, beginning with `/`.
    pub path: String,
    /// TLS, or none.
    pub tls: Option<Tls>,
    /// The user; `None` sends no Authorization header.
    pub user: Option<String>,
    /// How the user authenticates.
    pub mechanism: Mechanism,
    /// Where the secret comes from.
    pub secret: SecretSource,
    /// Basic over plain http to another machine is allowed.
    pub allow_clear_text: bool,
    /// The default namespace.
    pub namespace: Namespace,
    /// Time-outs that differ from the configuration's; an operation's own go first.
    pub timeouts: TimeoutChanges,
    /// Bounds that differ from the configuration's.
    pub limits: LimitChanges,
    /// What stands between this computer and the server.
    pub proxy: Proxy,
    /// The language texts are wanted in (RFC 9110 section 12.5.4); an operation's own goes first.
    pub culture: Option<String>,
    /// Nothing may be changed on the server.
    pub read_only: bool,
    /// Whether enumerations are pulled in batches.
    pub pull: PullUse,
    /// What is said to servers of WS-Man.
    pub wsman: WsManOptions,
    /// What is known of this kind of server: the preset it builds on, itself or through the sessions it inherits from.
    pub preset: Option<&'static Preset>,
}

/// How a user authenticates over HTTP.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mechanism {
    /// Basic with the first request, and Digest where the server offers that alone.
    #[default]
    Auto,
    /// Basic (RFC 7617) alone.
    Basic,
    /// The client certificate of TLS, which WinRM wants said (DSP0226); there is no user.
    Certificate,
    /// Digest (RFC 7616); Basic only where the server refuses Digest and the password may be shown.
    Digest,
}

impl Mechanism {
    /// Its name in sessions.toml and on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Basic => "basic",
            Self::Certificate => "certificate",
            Self::Digest => "digest",
        }
    }

    /// The mechanism called `name`.
    pub fn named(name: &str) -> Option<Self> {
        [Self::Auto, Self::Basic, Self::Certificate, Self::Digest]
            .into_iter()
            .find(|mechanism| mechanism.name() == name)
    }
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

/// How TLS is spoken and checked. By default chain, dates and name are checked, by the platform's authorities.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tls {
    /// PEM file, or folder of PEM files, of the certificates to trust instead of the platform's.
    pub ca_file: Option<PathBuf>,
    /// PEM file of the client's certificate chain.
    pub client_cert: Option<PathBuf>,
    /// PEM file of its key; `None` where the key is in the same file.
    pub client_key: Option<PathBuf>,
    /// Who signed the server's certificate is not checked; dates and name are.
    pub skip_chain: bool,
    /// The name the server's certificate is for is not checked; chain and dates are.
    pub skip_name: bool,
    /// The oldest version spoken.
    pub min_version: TlsVersion,
    /// The name to send (SNI) and to check, instead of the computer's.
    pub server_name: Option<String>,
    /// The one certificate of the server that is accepted. It replaces every check of chain, dates and name.
    pub pin: Option<Fingerprint>,
}

/// A version of TLS.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TlsVersion {
    /// TLS 1.2 (RFC 5246).
    #[default]
    Tls12,
    /// TLS 1.3 (RFC 8446).
    Tls13,
}

impl TlsVersion {
    /// As profiles and flags write it.
    pub const fn text(self) -> &'static str {
        match self {
            Self::Tls12 => "1.2",
            Self::Tls13 => "1.3",
        }
    }

    /// The version `text` names.
    pub fn from_text(text: &str) -> Option<Self> {
        [Self::Tls12, Self::Tls13].into_iter().find(|version| version.text() == text)
    }
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

impl Profile {
    /// A profile without tags, notes, colour and parent.
    pub fn new(id: ProfileId, name: String, target: Target) -> Self {
        let target = Target { owner: Owner(Some(id.clone())), ..target };
        Self { id, name, target, tags: Vec::new(), notes: String::new(), colour: None, inherits: None }
    }

    /// Whether it has all of `tags`.
    pub fn has_tags(&self, tags: &[String]) -> bool {
        tags.iter().all(|tag| self.tags.contains(tag))
    }
}

impl Parent {
    /// What begins the name of a preset.
    const PRESET: &str = "preset:";

    /// The parent `text` names, as sessions.toml writes it: `ID` or `preset:NAME`.
    pub fn from_text(text: &str) -> Option<Self> {
        match text.strip_prefix(Self::PRESET) {
            Some(name) => Some(Self::Preset(name.to_owned())),
            None => ProfileId::new(text).map(Self::Profile),
        }
    }

    /// The parent as sessions.toml writes it.
    pub fn to_text(&self) -> String {
        match self {
            Self::Profile(id) => id.as_str().to_owned(),
            Self::Preset(name) => format!("{}{name}", Self::PRESET),
        }
    }
}

impl PullUse {
    /// Every use with its name in sessions.toml.
    pub const NAMES: [(Self, &str); 3] = [(Self::Auto, "auto"), (Self::Always, "on"), (Self::Never, "off")];

    /// Its name in sessions.toml.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Always => "on",
            Self::Never => "off",
        }
    }
}

impl Target {
    /// What is less safe about it than it could be, in words for every place that shows the session. A pin stands in for the
    /// checks it makes needless.
    pub fn dangers(&self) -> Vec<&'static str> {
        let clear = self.allow_clear_text.then_some("clear text");
        let tls = self.tls.as_ref().filter(|tls| tls.pin.is_none());
        let unchecked = tls.and_then(|tls| match (tls.skip_chain, tls.skip_name) {
            (true, true) => Some("chain and name unchecked"),
            (true, false) => Some("chain unchecked"),
            (false, true) => Some("name unchecked"),
            (false, false) => None,
        });
        clear.into_iter().chain(unchecked).collect()
    }

    /// The protocol, or the first of those to try; `None` of one that no URL names.
    pub fn scheme(&self) -> Option<Scheme> {
        Scheme::from_name(&self.protocol).or_else(|| self.auto.first().copied())
    }

    /// The target itself or, where its protocol is to be found out, one for each to try, in that order.
    pub fn attempts(&self) -> Vec<Self> {
        let Some(first) = self.auto.first().filter(|_| self.protocol == AUTO) else { return vec![self.clone()] };
        let tls = self.tls.is_some();
        let attempt = |scheme: &Scheme| Self {
            protocol: scheme.name().to_owned(),
            auto: Vec::new(),
            port: if self.port == first.default_port(tls) { scheme.default_port(tls) } else { self.port },
            path: if self.path == first.default_path() { scheme.default_path().to_owned() } else { self.path.clone() },
            ..self.clone()
        };
        self.auto.iter().map(attempt).collect()
    }

    /// The commands that must not run before somebody has seen and allowed them: what each is for, its key in
    /// sessions.toml, and itself.
    pub fn unconfirmed(&mut self) -> impl Iterator<Item = (&'static str, &'static str, &mut SecretCommand)> {
        let proxy = match &mut self.proxy {
            Proxy::Http(proxy) => Some(("command for the proxy's password", "proxy", &mut proxy.secret)),
            Proxy::None | Proxy::System => None,
        };
        let own = ("command for the password", "auth.secret", &mut self.secret);
        [Some(own), proxy].into_iter().flatten().filter_map(|(place, key, source)| match source {
            SecretSource::Command(command) if !command.confirmed => Some((place, key, command)),
            _ => None,
        })
    }

    /// This computer, through the embedded server.
    pub fn this_computer() -> Self {
        Self {
            owner: Owner::default(),
            computer: None,
            protocol: "cimxml".to_owned(),
            auto: Vec::new(),
            port: 0,
            path: "/cimom".to_owned(),
            tls: None,
            user: None,
            mechanism: Mechanism::Auto,
            secret: SecretSource::Prompt,
            allow_clear_text: false,
            namespace: Namespace::new("root/cimv2"),
            timeouts: TimeoutChanges::default(),
            limits: LimitChanges::default(),
            proxy: Proxy::None,
            culture: None,
            read_only: false,
            pull: PullUse::Auto,
            wsman: WsManOptions::default(),
            preset: None,
        }
    }
}
