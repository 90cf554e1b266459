//! A session being read from a foreign format, and what of it finds no place.
//!
//! Owns: the one mapping from what foreign formats say to what a profile has. Where a profile has no key for something, the
//! method that takes it puts it on the list instead. Must not know any format.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use secrecy::SecretString;

use super::{Found, Import, LeftOut};
use crate::{
    cim::Namespace,
    session::{
        HttpProxy, LimitChanges, Mechanism, Parent, Proxy, PullUse, SecretSource, Target, TimeoutChanges, Tls,
        preset::{self, Preset},
        store::SessionsFile,
        url::{Scheme, is_host, is_path_byte},
        wsman::{MIN_ENVELOPE_SIZE, WsManOptions},
    },
};

/// The longest time-out sessions.toml takes, in seconds: a year.
const MAX_SECONDS: u64 = 31_536_000;
/// A name may have this many characters.
const MAX_NAME: usize = 200;

/// A session in the making.
#[derive(Debug)]
pub(super) struct Draft {
    /// Its name; the computer's where it is empty.
    pub(super) name: String,
    /// Host name or address.
    pub(super) computer: String,
    /// The protocol.
    pub(super) scheme: Scheme,
    /// Whether TLS is used.
    pub(super) tls: bool,
    /// The port, where it is not the usual one.
    pub(super) port: Option<u16>,
    /// The user.
    pub(super) user: Option<String>,
    mechanism: Mechanism,
    path: Option<String>,
    namespace: Option<Namespace>,
    rules: Tls,
    timeouts: TimeoutChanges,
    proxy: Proxy,
    culture: Option<String>,
    tags: Vec<String>,
    inherits: Option<Parent>,
    /// What is said to servers of WS-Man.
    pub(super) wsman: WsManOptions,
    /// Whether enumerations are pulled.
    pub(super) pull: PullUse,
    password: Option<SecretString>,
    left_out: Vec<LeftOut>,
}

impl Draft {
    /// A session called `name` over `scheme`, with TLS.
    pub(super) fn new(name: &str, scheme: Scheme) -> Self {
        Self {
            name: name.to_owned(),
            computer: String::new(),
            scheme,
            tls: true,
            port: None,
            user: None,
            mechanism: Mechanism::Auto,
            path: None,
            namespace: None,
            rules: Tls::default(),
            timeouts: TimeoutChanges::default(),
            proxy: Proxy::None,
            culture: None,
            tags: Vec::new(),
            inherits: None,
            wsman: WsManOptions::default(),
            pull: PullUse::Auto,
            password: None,
            left_out: Vec::new(),
        }
    }

    /// Puts something on the list.
    pub(super) fn leave(&mut self, field: &str, value: Option<&str>, reason: &str) {
        self.left_out.push(LeftOut::new(&self.name, field, value, reason));
    }

    /// A field nobody knows. Its value may be anything, a secret too, and is not shown.
    pub(super) fn leave_unknown(&mut self, field: &str) {
        self.leave(field, None, "lazycim has nothing like it");
    }

    /// A password that stood in the file: on the list without its value, and kept as a secret.
    pub(super) fn password(&mut self, field: &str, password: SecretString) {
        self.leave(field, None, "passwords are not kept in sessions.toml: it is asked for when the session connects");
        self.password = Some(password);
    }

    /// The path of the protocol.
    pub(super) fn path(&mut self, field: &str, text: &str) {
        let path = if text.starts_with('/') { text.to_owned() } else { format!("/{text}") };
        if path.bytes().all(is_path_byte) {
            self.path = Some(path);
        } else {
            self.leave(field, Some(text), "it has a character that must be percent-encoded");
        }
    }

    /// The default namespace.
    pub(super) fn namespace(&mut self, field: &str, text: &str) {
        let namespace = Namespace::new(text);
        if namespace.is_empty() || text.contains(char::is_control) {
            self.leave(field, Some(text), "it is no namespace");
        } else {
            self.namespace = Some(namespace);
        }
    }

    /// A file, or folder, of certificates to trust; relative to nothing it lies in `dir`.
    pub(super) fn ca_file(&mut self, field: &str, text: &str, dir: &Path) {
        self.rules.ca_file = self.file(field, text, dir);
    }

    /// A client certificate.
    pub(super) fn client_cert(&mut self, field: &str, text: &str, dir: &Path) {
        self.rules.client_cert = self.file(field, text, dir);
    }

    /// The key of a client certificate.
    pub(super) fn client_key(&mut self, field: &str, text: &str, dir: &Path) {
        self.rules.client_key = self.file(field, text, dir);
    }

    fn file(&mut self, field: &str, text: &str, dir: &Path) -> Option<PathBuf> {
        if text.is_empty() || text.contains(char::is_control) {
            self.leave(field, None, "it is no file name");
            return None;
        }
        Some(dir.join(text))
    }

    /// Checks of the server's certificate are turned off.
    pub(super) fn unchecked(&mut self, what: Unchecked) {
        self.rules.skip_chain |= what != Unchecked::Name;
        self.rules.skip_name |= what != Unchecked::Chain;
    }

    /// How long one answer may take.
    pub(super) fn answer_within(&mut self, time: Duration) {
        (self.timeouts.first_byte, self.timeouts.idle) = (Some(time), Some(time));
    }

    /// How long a whole operation may take.
    pub(super) fn operation_within(&mut self, field: &str, time: Duration) {
        if (1..=MAX_SECONDS).contains(&time.as_secs()) {
            self.timeouts.total = Some(Some(time));
        } else {
            self.leave(field, Some(&time.as_secs().to_string()), "it is no number of seconds from 1 to a year's");
        }
    }

    /// Words the session can be found by.
    pub(super) fn tags(&mut self, field: &str, tags: impl IntoIterator<Item = String>) {
        for tag in tags.into_iter().filter(|tag| !tag.is_empty()) {
            if tag.contains(char::is_control) {
                self.leave(field, Some(&tag), "it has a control character");
            } else {
                self.tags.push(tag);
            }
        }
    }

    /// A preset the session takes over. What it says about the connection holds unless the address says so itself.
    pub(super) fn preset(&mut self, field: &str, name: &str, is_url: bool) {
        let Some(Target { protocol, port, path, tls, namespace, .. }) = preset::find(name).and_then(target_of) else {
            return self.leave(field, Some(name), "there is no preset called that");
        };
        self.inherits = Some(Parent::Preset(name.to_owned()));
        self.namespace.get_or_insert(namespace);
        if !is_url && let Some(scheme) = Scheme::from_name(&protocol) {
            (self.scheme, self.tls) = (scheme, tls.is_some());
            self.port.get_or_insert(port);
            self.path.get_or_insert(path);
        }
    }

    /// The languages of texts.
    pub(super) fn culture(&mut self, field: &str, culture: &str) {
        // As sessions.toml takes it.
        let fits = |b: u8| b.is_ascii_alphanumeric() || b == b'-';
        if !culture.is_empty() && culture.bytes().all(fits) {
            self.culture = Some(culture.to_owned());
        } else {
            self.leave(field, Some(culture), "it is no language");
        }
    }

    /// The most kilobytes of an answer over WS-Man.
    pub(super) fn envelope_kilobytes(&mut self, field: &str, text: &str) {
        let bytes = text.parse::<u32>().ok().and_then(|kilobytes| kilobytes.checked_mul(1024));
        match bytes.filter(|bytes| *bytes >= MIN_ENVELOPE_SIZE) {
            Some(bytes) => self.wsman.max_envelope_size = Some(bytes),
            None => self.leave(field, Some(text), "it is no number of kilobytes from 8 to 4194303"),
        }
    }

    /// A proxy, as a URL.
    pub(super) fn proxy(&mut self, field: &str, url: &str) {
        match HttpProxy::at(url) {
            Some(proxy) => self.proxy = Proxy::Http(proxy),
            // A password may stand in it.
            None => self.leave(field, None, "it is no http://HOST:PORT without a user"),
        }
    }

    /// How the user is authenticated, in words any format uses.
    pub(super) fn mechanism(&mut self, field: &str, mechanism: &str) {
        match Mechanism::named(&mechanism.to_ascii_lowercase()) {
            // Basic goes first unless Digest is asked for.
            Some(Mechanism::Digest) => self.mechanism = Mechanism::Digest,
            Some(_) => {}
            None => {
                self.leave(field, Some(mechanism), "Basic and Digest are what lazycim can do yet: it would use these");
            }
        }
    }

    /// Ends a session that is none: its list is all that stays.
    pub(super) fn give_up(self, import: &mut Import) {
        import.leave(self.left_out);
    }

    /// Ends the session: with `import` it goes, and so does its list. Nothing that sessions.toml would refuse gets through.
    pub(super) fn finish(mut self, import: &mut Import) {
        if !is_host(&self.computer) {
            let reason = "its computer is not a host name or an address: write international names in their xn-- form";
            self.leave("the session", None, reason);
            return self.give_up(import);
        }
        if self.user.as_deref().is_some_and(|user| user.is_empty() || user.contains(char::is_control)) {
            self.user = None;
            self.leave("user", None, "it is empty or has a control character");
        }
        if self.rules.client_cert.is_none() && self.rules.client_key.take().is_some() {
            self.leave("client_key", None, "there is no client certificate it could be for");
        }
        if !self.tls && self.rules != Tls::default() {
            self.leave("certificates", None, "the session has no TLS they could be for");
        }
        let mut name = self.name.trim().to_owned();
        if name.contains(char::is_control) || name.chars().count() > MAX_NAME {
            self.leave("name", None, "it has a control character or is longer than 200 characters");
            name.clear();
        }
        if name.is_empty() {
            name.clone_from(&self.computer);
        }
        let target = Target {
            owner: crate::session::profile::Owner::default(),
            computer: Some(self.computer),
            auto: Vec::new(),
            protocol: self.scheme.name().to_owned(),
            port: self.port.unwrap_or_else(|| self.scheme.default_port(self.tls)),
            path: self.path.unwrap_or_else(|| self.scheme.default_path().to_owned()),
            tls: self.tls.then_some(self.rules),
            user: self.user,
            mechanism: self.mechanism,
            secret: SecretSource::Prompt,
            allow_clear_text: false,
            namespace: self.namespace.unwrap_or_else(|| Namespace::new("root/cimv2")),
            timeouts: self.timeouts,
            limits: LimitChanges::default(),
            proxy: self.proxy,
            culture: self.culture,
            read_only: false,
            pull: self.pull,
            wsman: self.wsman,
            preset: match &self.inherits {
                Some(Parent::Preset(name)) => preset::find(name),
                _ => None,
            },
        };
        let Self { tags, inherits, password, left_out, .. } = self;
        import.leave(left_out);
        import.sessions.push(Found { name, target, tags, notes: String::new(), colour: None, inherits, password });
    }
}

/// The target of a session that says nothing but that it takes `preset` over.
fn target_of(preset: &Preset) -> Option<Target> {
    let text = format!("[[session]]\nid = \"a\"\ncomputer = \"a\"\ninherits = \"preset:{}\"\n", preset.name);
    SessionsFile::parse("sessions.toml", &text).entries.into_iter().next().map(|entry| entry.target)
}

/// Which checks of a certificate are turned off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unchecked {
    /// Who issued it.
    Chain,
    /// Whom it names.
    Name,
    /// Both.
    Both,
}
