//! The sections of the form.
//!
//! Owns: which section a key of a session is shown in. A key nobody placed is shown in the first.

use crate::session::store::{KEYS, Key};

/// A section, in the order they are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Section {
    /// What it is called.
    General,
    /// What it builds on.
    Inheritance,
    /// Where it connects.
    Connection,
    /// How TLS is spoken and checked.
    Tls,
    /// As whom it connects.
    Authentication,
    /// What stands between.
    Proxy,
    /// What operations on it do.
    Behaviour,
    /// What is said to servers of WS-Man.
    WsMan,
    /// How it is found and marked.
    Look,
    /// How long things may take.
    Timeouts,
    /// What a server may send.
    Limits,
}

impl Section {
    /// Its heading.
    pub const fn title(self) -> &'static str {
        match self {
            Self::General => "General",
            Self::Inheritance => "Inheritance",
            Self::Connection => "Connection",
            Self::Tls => "TLS",
            Self::Authentication => "Authentication",
            Self::Proxy => "Proxy",
            Self::Behaviour => "Behaviour",
            Self::WsMan => "WS-Man",
            Self::Look => "Look",
            Self::Timeouts => "Time-outs",
            Self::Limits => "Limits",
        }
    }

    /// The section of a key.
    pub fn of(key: &Key) -> Self {
        match key.name.split_once('.').map_or(key.name, |(table, _)| table) {
            "inherits" => Self::Inheritance,
            "computer" | "protocol" | "auto" | "port" | "path" => Self::Connection,
            "tls" => Self::Tls,
            "auth" | "allow_clear_text" => Self::Authentication,
            "proxy" => Self::Proxy,
            "pull" | "read_only" | "culture" | "namespace" => Self::Behaviour,
            "wsman" => Self::WsMan,
            "tags" | "notes" | "colour" => Self::Look,
            "timeouts" => Self::Timeouts,
            "limits" => Self::Limits,
            _ => Self::General,
        }
    }

    /// What a key is called inside its section.
    pub fn label(key: &Key) -> String {
        key.name.rsplit('.').next().unwrap_or(key.name).replace('_', " ")
    }
}

/// Every key, section by section; the name, which people type first, before the id.
pub(super) fn ordered() -> Vec<&'static Key> {
    let mut keys = KEYS.iter().collect::<Vec<_>>();
    keys.sort_by_key(|key| (Section::of(key), key.name != "name"));
    keys
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_is_shown_once_and_the_name_first() {
        let keys = ordered();
        assert_eq!(keys.len(), KEYS.len());
        assert!(keys.windows(2).all(|pair| pair[0].name != pair[1].name));
        assert_eq!(keys[0].name, "name");
        assert!(keys.is_sorted_by_key(|key| Section::of(key)));
        let ca = keys.iter().find(|key| key.name == "tls.ca_file").copied();
        assert_eq!(ca.map(|key| (Section::of(key), Section::label(key))), Some((Section::Tls, "ca file".to_owned())));
    }
}
