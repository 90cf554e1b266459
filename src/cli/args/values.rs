//! Values of arguments.
//!
//! Owns: the words an argument takes, and how a text becomes a name, a time or a pin. Must not know which argument takes it.

use std::time::Duration;

use clap::ValueEnum;

use crate::{
    cim::{CimName, Namespace},
    op::{Fingerprint, QueryLanguage},
    session::{Mechanism, PullUse, TlsVersion, url::is_host},
};

/// Query languages.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Dialect {
    /// WBEM Query Language
    Wql,
    /// CIM Query Language (DSP0202)
    Cql,
    /// Filter Query Language (DSP0212)
    Fql,
}

impl Dialect {
    /// What servers call it.
    pub const fn language(self) -> &'static str {
        let language = match self {
            Self::Wql => QueryLanguage::Wql,
            Self::Cql => QueryLanguage::Cql,
            Self::Fql => QueryLanguage::Fql,
        };
        language.identifier()
    }
}

/// How users authenticate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Auth {
    /// Basic at once, and Digest where the server offers that alone
    Auto,
    /// Basic alone
    Basic,
    /// The client certificate (--client-cert), without a user, as WinRM takes it
    Certificate,
    /// Digest; Basic only where the server refuses Digest and the password may be shown
    Digest,
}

impl From<Auth> for Mechanism {
    fn from(auth: Auth) -> Self {
        match auth {
            Auth::Auto => Self::Auto,
            Auth::Basic => Self::Basic,
            Auth::Certificate => Self::Certificate,
            Auth::Digest => Self::Digest,
        }
    }
}

/// When enumerations are pulled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Pull {
    /// Where the server can
    Auto,
    /// Always; a server that cannot is an error
    On,
    /// Never
    Off,
}

impl From<Pull> for PullUse {
    fn from(pull: Pull) -> Self {
        match pull {
            Pull::Auto => Self::Auto,
            Pull::On => Self::Always,
            Pull::Off => Self::Never,
        }
    }
}

pub(super) fn namespace(text: &str) -> Result<Namespace, &'static str> {
    let namespace = Namespace::new(text);
    if namespace.is_empty() || text.contains(char::is_control) {
        return Err("a namespace is needed, such as root/cimv2");
    }
    Ok(namespace)
}

pub(super) fn name(text: &str) -> Result<CimName, &'static str> {
    let name = CimName::new(text);
    if !name.is_well_formed() {
        return Err("not a CIM name: a letter or _, then letters, digits and _");
    }
    Ok(name)
}

pub(super) fn tls_version(text: &str) -> Result<TlsVersion, &'static str> {
    TlsVersion::from_text(text).ok_or("1.2 or 1.3 is needed")
}

pub(super) fn tls_name(text: &str) -> Result<String, &'static str> {
    is_host(text).then(|| text.to_owned()).ok_or("a host name or an address is needed")
}

pub(super) fn pin(text: &str) -> Result<Fingerprint, &'static str> {
    Fingerprint::parse(text).ok_or("64 hexadecimal digits are needed, with or without colons, as openssl prints them")
}

pub(super) fn seconds(text: &str) -> Result<Duration, &'static str> {
    let seconds = text.parse().ok().and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    seconds.filter(|time| !time.is_zero()).ok_or("a number of seconds greater than 0 is needed")
}
