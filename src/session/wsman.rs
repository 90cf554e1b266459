//! What a session says to servers of WS-Man alone.
//!
//! Owns: these options, their names in sessions.toml, and which values they take. Must not know requests.

use std::time::Duration;

/// The least size of answers a server need take (DSP0226, `MaxEnvelopeSize`), in bytes.
pub const MIN_ENVELOPE_SIZE: u32 = 8_192;

/// What every request over WS-Man of a session says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WsManOptions {
    /// The most bytes of an answer (`MaxEnvelopeSize`), at least [`MIN_ENVELOPE_SIZE`]; `None` is what servers are used to,
    /// and another size where one refuses it.
    pub max_envelope_size: Option<u32>,
    /// How long the server may work on a request (`OperationTimeout`); never longer than anybody waits for the answer, which
    /// is also what `None` is.
    pub operation_timeout: Option<Duration>,
    /// How the characters of requests are encoded.
    pub encoding: RequestEncoding,
    /// How classes are named to the server.
    pub uri_style: UriStyle,
    /// Vendors whose classes have resource URIs of their own; they go before those that are known anyway.
    pub vendor_namespaces: Vec<VendorNamespace>,
}

/// How the characters of a request are encoded (DSP0226 section 13.1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RequestEncoding {
    /// UTF-8, which every server takes.
    #[default]
    Utf8,
    /// UTF-16, little-endian with a byte order mark.
    Utf16,
}

/// How classes are named to a server.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum UriStyle {
    /// In the way it takes, found out by the first operation.
    #[default]
    Auto,
    /// By the URI of their schema, the namespace as a selector (DSP0227 section 6).
    Dmtf,
    /// By namespace and class (MS-WSMV section 3.1.4.1.1).
    Wmi,
}

/// The resource URIs of a vendor's classes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VendorNamespace {
    prefix: String,
    uri: String,
}

impl RequestEncoding {
    /// Every encoding with its name in sessions.toml.
    pub const NAMES: [(Self, &str); 2] = [(Self::Utf8, "utf-8"), (Self::Utf16, "utf-16")];

    /// Its name in sessions.toml.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Utf8 => "utf-8",
            Self::Utf16 => "utf-16",
        }
    }

    /// The encoding called `name`.
    pub fn named(name: &str) -> Option<Self> {
        Self::NAMES.into_iter().find(|known| known.1 == name).map(|known| known.0)
    }
}

impl UriStyle {
    /// Every style with its name in sessions.toml.
    pub const NAMES: [(Self, &str); 3] = [(Self::Auto, "auto"), (Self::Dmtf, "dmtf"), (Self::Wmi, "wmi")];

    /// Its name in sessions.toml.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Dmtf => "dmtf",
            Self::Wmi => "wmi",
        }
    }

    /// The style called `name`.
    pub fn named(name: &str) -> Option<Self> {
        Self::NAMES.into_iter().find(|known| known.1 == name).map(|known| known.0)
    }
}

impl VendorNamespace {
    /// Classes whose names begin with `prefix` (`LAB_`; the underscore may be left out), below the URI `uri`. `None` where
    /// no class can begin with `prefix`, or `uri` is none.
    pub fn new(prefix: &str, uri: &str) -> Option<Self> {
        let schema = prefix.strip_suffix('_').unwrap_or(prefix);
        let fits = |c: char| c.is_alphanumeric();
        let named = schema.starts_with(char::is_alphabetic) && schema.chars().all(fits);
        let scheme = uri.split_once(':').map_or("", |(scheme, _)| scheme);
        // RFC 3986 section 2: what else stands in a URI is percent-encoded.
        let in_uri = |b: u8| b.is_ascii_graphic() && !b"\"<>\\^`{|}#".contains(&b);
        let is_uri = scheme.starts_with(|c: char| c.is_ascii_alphabetic()) && uri.len() > scheme.len() + 1;
        (named && is_uri && uri.bytes().all(in_uri)).then(|| Self { prefix: prefix.to_owned(), uri: uri.to_owned() })
    }

    /// What the classes' names begin with, as it was written.
    pub fn prefix(&self) -> &str {
        &self.prefix
    }

    /// The URI before the name of a class, as it was written.
    pub fn uri(&self) -> &str {
        &self.uri
    }

    /// Whether the classes of the schema `schema` (what stands before the `_` of their names) are this vendor's.
    pub fn has(&self, schema: &str) -> bool {
        self.prefix.strip_suffix('_').unwrap_or(&self.prefix).eq_ignore_ascii_case(schema)
    }

    /// The URI of `class`, which stands behind a slash whether or not one was written.
    pub fn class(&self, class: &str) -> String {
        format!("{}/{class}", self.uri.trim_end_matches('/'))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn vendors_have_a_prefix_and_a_uri_with_or_without_what_stands_between() {
        for (prefix, uri) in [("LAB_", "http://lab.example.com/2"), ("Lab", "http://lab.example.com/2/")] {
            let vendor = VendorNamespace::new(prefix, uri).unwrap();
            assert_eq!((vendor.prefix(), vendor.uri()), (prefix, uri));
            assert!(vendor.has("LAB") && vendor.has("lab") && !vendor.has("LABX") && !vendor.has("LA"));
            assert_eq!(vendor.class("LAB_Disk"), "http://lab.example.com/2/LAB_Disk");
        }
        assert!(VendorNamespace::new("LAB", "urn:lab").is_some());
        for (prefix, uri) in [
            ("", "http://lab"),
            ("_", "http://lab"),
            ("LAB__", "http://lab"),
            ("LAB_Disk", "http://lab"),
            ("1LAB", "http://lab"),
            ("LAB", ""),
            ("LAB", "http:"),
            ("LAB", "lab.example.com"),
            ("LAB", "://lab"),
            ("LAB", "http://l<ab"),
            ("LAB", "http://l ab"),
            ("LAB", "http://l\u{e4}b"),
        ] {
            assert_eq!(VendorNamespace::new(prefix, uri), None, "{prefix} {uri}");
        }
    }

    #[test]
    fn encodings_and_styles_have_the_names_of_the_file() {
        for (encoding, name) in RequestEncoding::NAMES {
            assert_eq!((encoding.name(), RequestEncoding::named(name)), (name, Some(encoding)));
        }
        for (style, name) in UriStyle::NAMES {
            assert_eq!((style.name(), UriStyle::named(name)), (name, Some(style)));
        }
        assert_eq!((RequestEncoding::named("UTF-8"), UriStyle::named("cim")), (None, None));
    }
}
