//! What a session may say besides where and as whom: time-outs, bounds, a proxy, a colour.
//!
//! Owns: these options and how they lie over the configuration's. Must not know files or connections.

use std::time::Duration;

use super::secret::SecretSource;
use crate::op::{Limits, Timeouts};

/// Time-outs of a session that differ from the configuration's.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TimeoutChanges {
    /// Resolve, TCP connect and TLS of one attempt, each.
    pub connect: Option<Duration>,
    /// From the last byte sent to the first byte of the answer.
    pub first_byte: Option<Duration>,
    /// Between two pieces of an answer.
    pub idle: Option<Duration>,
    /// The whole operation; `Some(None)` is without end.
    pub total: Option<Option<Duration>>,
}

impl TimeoutChanges {
    /// `base` with what differs.
    pub fn over(&self, base: Timeouts) -> Timeouts {
        Timeouts {
            connect: self.connect.unwrap_or(base.connect),
            first_byte: self.first_byte.unwrap_or(base.first_byte),
            idle: self.idle.unwrap_or(base.idle),
            total: self.total.unwrap_or(base.total),
        }
    }
}

impl From<Timeouts> for TimeoutChanges {
    /// All of them differ.
    fn from(all: Timeouts) -> Self {
        Self {
            connect: Some(all.connect),
            first_byte: Some(all.first_byte),
            idle: Some(all.idle),
            total: Some(all.total),
        }
    }
}

/// Bounds of a session that differ from the configuration's: those on what its server may send, and on how much it is
/// asked at once. Those on what is kept belong to the program as a whole.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LimitChanges {
    /// Nesting of XML elements.
    pub xml_depth: Option<usize>,
    /// Nesting of embedded objects inside embedded objects.
    pub embedded_depth: Option<usize>,
    /// Bytes of a name.
    pub name_bytes: Option<usize>,
    /// Bytes of one value.
    pub value_bytes: Option<usize>,
    /// Bytes of an answer's header block.
    pub header_bytes: Option<usize>,
    /// Fields of an answer's header block.
    pub header_fields: Option<usize>,
    /// Bytes of an item that is not complete yet.
    pub buffer_bytes: Option<usize>,
    /// Operations in flight in the session.
    pub in_flight_per_session: Option<usize>,
}

impl LimitChanges {
    /// The keys, in the order of the fields.
    pub const KEYS: [&str; 8] = [
        "xml_depth",
        "embedded_depth",
        "name_bytes",
        "value_bytes",
        "header_bytes",
        "header_fields",
        "buffer_bytes",
        "in_flight_per_session",
    ];

    /// The field of the key `key`.
    pub fn field(&mut self, key: &str) -> Option<&mut Option<usize>> {
        Some(match key {
            "xml_depth" => &mut self.xml_depth,
            "embedded_depth" => &mut self.embedded_depth,
            "name_bytes" => &mut self.name_bytes,
            "value_bytes" => &mut self.value_bytes,
            "header_bytes" => &mut self.header_bytes,
            "header_fields" => &mut self.header_fields,
            "buffer_bytes" => &mut self.buffer_bytes,
            "in_flight_per_session" => &mut self.in_flight_per_session,
            _ => return None,
        })
    }

    /// `base` with what differs.
    pub fn over(&self, base: Limits) -> Limits {
        Limits {
            xml_depth: self.xml_depth.unwrap_or(base.xml_depth),
            embedded_depth: self.embedded_depth.unwrap_or(base.embedded_depth),
            name_bytes: self.name_bytes.unwrap_or(base.name_bytes),
            value_bytes: self.value_bytes.unwrap_or(base.value_bytes),
            header_bytes: self.header_bytes.unwrap_or(base.header_bytes),
            header_fields: self.header_fields.unwrap_or(base.header_fields),
            buffer_bytes: self.buffer_bytes.unwrap_or(base.buffer_bytes),
            in_flight_per_session: self.in_flight_per_session.unwrap_or(base.in_flight_per_session),
            ..base
        }
    }
}

/// What stands between this computer and a server.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Proxy {
    /// Nothing.
    #[default]
    None,
    /// What the environment says: `https_proxy`, `http_proxy`, `all_proxy`, `no_proxy`.
    System,
    /// This proxy.
    Http(HttpProxy),
}

/// An HTTP proxy (RFC 9110 sections 7.6 and 9.3.6).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HttpProxy {
    /// Host name or address; an IPv6 address without its brackets.
    pub host: String,
    /// The TCP port.
    pub port: u16,
    /// The user it wants to know; `None` sends no Proxy-Authorization header.
    pub user: Option<String>,
    /// Where the secret of that user comes from.
    pub secret: SecretSource,
    /// The user's secret may be shown to the network between this computer and the proxy.
    pub allow_clear_text: bool,
}

impl HttpProxy {
    /// The port of a proxy that names none.
    pub const PORT: u16 = 80;

    /// The proxy at `http://HOST[:PORT]`, without a user. `None` for anything else, a user in the URL above all.
    pub fn at(url: &str) -> Option<Self> {
        let rest = url.strip_prefix("http://")?;
        let authority = rest.strip_suffix('/').unwrap_or(rest);
        let (host, port) = match authority.strip_prefix('[') {
            Some(rest) => rest.split_once(']').map(|(host, rest)| (host, rest.strip_prefix(':')))?,
            None => authority.split_once(':').map_or((authority, None), |(host, port)| (host, Some(port))),
        };
        let closed = authority.starts_with('[') && port.is_none() && !authority.ends_with(']');
        let port = match port {
            Some(port) if port.bytes().all(|b| b.is_ascii_digit()) => port.parse().ok().filter(|port| *port > 0)?,
            Some(_) => return None,
            None => Self::PORT,
        };
        let fits = super::url::is_host(host) && !closed && host.contains(':') == authority.starts_with('[');
        let host = host.to_owned();
        fits.then_some(Self { host, port, user: None, secret: SecretSource::Prompt, allow_clear_text: false })
    }

    /// `http://HOST[:PORT]`
    pub fn url(&self) -> String {
        let host = if self.host.contains(':') { format!("[{}]", self.host) } else { self.host.clone() };
        if self.port == Self::PORT { format!("http://{host}") } else { format!("http://{host}:{}", self.port) }
    }
}

/// The sixteen colours of a terminal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Colour(u8);

impl Colour {
    /// Their names, in the order of the terminal's palette.
    pub const NAMES: [&str; 16] = [
        "black",
        "red",
        "green",
        "yellow",
        "blue",
        "magenta",
        "cyan",
        "gray",
        "darkgray",
        "lightred",
        "lightgreen",
        "lightyellow",
        "lightblue",
        "lightmagenta",
        "lightcyan",
        "white",
    ];

    /// The colour called `name`.
    pub fn named(name: &str) -> Option<Self> {
        let at = Self::NAMES.iter().position(|known| *known == name)?;
        u8::try_from(at).ok().map(Self)
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        Self::NAMES.get(usize::from(self.0)).copied().unwrap_or("white")
    }

    /// Its place in the terminal's palette, 0 to 15.
    pub const fn index(self) -> u8 {
        self.0
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn what_differs_lies_over_the_configuration() {
        let second = Duration::from_secs(1);
        let changes = TimeoutChanges { idle: Some(second), total: Some(Some(second)), ..TimeoutChanges::default() };
        let base = Timeouts { total: Some(Duration::from_secs(9)), ..Timeouts::default() };
        let expected = Timeouts { idle: second, total: Some(second), ..base };
        assert_eq!(changes.over(base), expected);
        let endless = TimeoutChanges { total: Some(None), ..TimeoutChanges::default() };
        assert_eq!(endless.over(base).total, None);
        assert_eq!(TimeoutChanges::from(expected).over(Timeouts::default()), expected);
        for (number, key) in LimitChanges::KEYS.into_iter().enumerate() {
            let mut changes = LimitChanges::default();
            *changes.field(key).unwrap() = Some(number + 1_000_000_007);
            let changed = changes.over(Limits::default());
            assert_ne!(changed, Limits::default(), "{key}");
            assert!(format!("{changed:?}").contains(&format!("{key}: {}", number + 1_000_000_007)), "{key}");
        }
        assert!(LimitChanges::default().field("in_flight").is_none());
    }

    #[test]
    fn proxies_are_written_as_urls_without_a_user() {
        for (url, host, port) in [
            ("http://px", "px", 80),
            ("http://px.example:3128", "px.example", 3128),
            ("http://[fe80::1]:8080", "fe80::1", 8080),
            ("http://[fe80::1]", "fe80::1", 80),
        ] {
            let proxy = HttpProxy::at(url).unwrap();
            assert_eq!((proxy.host.as_str(), proxy.port, proxy.url().as_str()), (host, port, url));
        }
        assert_eq!(HttpProxy::at("http://px:80/").unwrap().url(), "http://px");
        for url in [
            "px:3128",
            "https://px",
            "socks5://px",
            "http://ann@px",
            "http://ann:pw@px",
            "http://px:0",
            "http://px:65536",
            "http://px:+1",
            "http://px/path",
            "http://",
            "http://fe80::1",
            "http://[fe80::1]x",
            "http://[px]",
        ] {
            assert_eq!(HttpProxy::at(url), None, "{url}");
        }
    }

    #[test]
    fn colours_have_the_names_of_the_palette() {
        for (index, name) in Colour::NAMES.into_iter().enumerate() {
            let colour = Colour::named(name).unwrap();
            assert_eq!((colour.name(), usize::from(colour.index())), (name, index));
        }
        assert_eq!(Colour::named("pink"), None);
    }
}
