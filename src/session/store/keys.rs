//! The keys of a session in sessions.toml.
//!
//! Owns: the one table of them: name, type, an example and what they are for. The reader, the writer, the template and the
//! JSON schema all go by it. Must not know files.

use crate::session::{
    options::{Colour, LimitChanges},
    profile::{AUTO, PullUse, TlsVersion},
    url::Scheme,
    wsman::{RequestEncoding, UriStyle},
};

/// A key of `[[session]]`.
#[derive(Clone, Copy, Debug)]
pub struct Key {
    /// Its name; inside a table with the table's before it: `auth.user`.
    pub name: &'static str,
    /// What its value must be.
    pub kind: Kind,
    /// A value, as TOML.
    pub example: &'static str,
    /// What it is for, in a few words.
    pub about: &'static str,
}

/// What the value of a key must be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A text without control characters, not empty.
    Text,
    /// A text of several lines.
    Lines,
    /// One of these texts.
    Choice(&'static [&'static str]),
    /// A whole number from 1 to 65535.
    Port,
    /// A whole number of at least 1.
    Count,
    /// A whole number of bytes from [`MIN_ENVELOPE_SIZE`](crate::session::wsman::MIN_ENVELOPE_SIZE) to 4294967295.
    EnvelopeSize,
    /// A number of seconds greater than 0.
    Seconds,
    /// A number of seconds; 0 is without end.
    SecondsOrNone,
    /// true or false.
    Switch,
    /// A list of texts.
    Texts,
    /// A list of one or more of these texts, each once.
    Choices(&'static [&'static str]),
    /// Where a secret comes from: a text, or a table with `command`, `shell` and `timeout`.
    Secret,
    /// A table of URIs, each under what the names of classes begin with.
    UriBases,
    /// `none`, `system`, a URL, or a table with `url`, `user`, `secret` and `allow_clear_text`.
    Proxy,
}

const fn key(name: &'static str, kind: Kind, example: &'static str, about: &'static str) -> Key {
    Key { name, kind, example, about }
}

/// Protocols a session can name.
pub(super) const PROTOCOLS: &[&str] = &["cimxml", "wsman", AUTO];
const TRIED: &[&str] = &[Scheme::ALL[0].name(), Scheme::ALL[1].name()];
/// Mechanisms of authentication a session can name.
pub(super) const MECHANISMS: &[&str] = &["auto", "basic", "certificate", "digest", "none"];
const PULLS: &[&str] = &[PullUse::NAMES[0].1, PullUse::NAMES[1].1, PullUse::NAMES[2].1];
const ENCODINGS: &[&str] = &[RequestEncoding::NAMES[0].1, RequestEncoding::NAMES[1].1];
const URI_STYLES: &[&str] = &[UriStyle::NAMES[0].1, UriStyle::NAMES[1].1, UriStyle::NAMES[2].1];
const TLS_VERSIONS: &[&str] = &[TlsVersion::Tls12.text(), TlsVersion::Tls13.text()];
const PIN: &str = "\"4E:D0:45:50:9E:E4:62:F5:8B:3F:37:F9:1A:6A:51:11:A6:A6:9B:33:A5:E2:3C:BE:44:E5:AD:1C:E5:FC:8D:3A\"";
const VENDOR: &str = "{ LAB_ = \"http://lab.example/wbem/wscim/1/cim-schema/2\" }";
const DEPTH: &str = "nesting of XML elements in an answer";

/// All keys, in the order they are written.
pub const KEYS: &[Key] = &[
    key("id", Kind::Text, "\"web01\"", "1 to 64 of a-z, 0-9, '.', '_' and '-', unlike any other"),
    key(
        "inherits",
        Kind::Text,
        "\"preset:pegasus\"",
        "what is not said here is as in that preset, or in the session of that id",
    ),
    key("name", Kind::Text, "\"Web server 1\"", "the name for people; without it the id"),
    key("computer", Kind::Text, "\"web01.example\"", "host name or address"),
    key("protocol", Kind::Choice(PROTOCOLS), "\"cimxml\"", "the protocol"),
    key(
        "auto",
        Kind::Choices(TRIED),
        "[\"wsman\", \"cimxml\"]",
        "what is tried in turn where the protocol is \"auto\"",
    ),
    key("port", Kind::Port, "5989", "the TCP port; without it the protocol's usual one"),
    key("path", Kind::Text, "\"/cimom\"", "the HTTP path; without it the protocol's usual one"),
    key("namespace", Kind::Text, "\"root/cimv2\"", "the default namespace"),
    key("tls.use", Kind::Switch, "true", "whether TLS is used"),
    key(
        "tls.ca_file",
        Kind::Text,
        "\"ca.pem\"",
        "PEM file or folder of authorities to trust instead of the computer's",
    ),
    key(
        "tls.client_cert",
        Kind::Text,
        "\"me.pem\"",
        "PEM file of the client's certificate chain; files lie beside this one",
    ),
    key("tls.client_key", Kind::Text, "\"me.key\"", "PEM file of its key; without it the key is in the same file"),
    key("tls.skip_chain", Kind::Switch, "false", "do not check who signed the server's certificate"),
    key("tls.skip_name", Kind::Switch, "false", "do not check whose name the server's certificate is for"),
    key("tls.min_version", Kind::Choice(TLS_VERSIONS), "\"1.2\"", "the oldest version of TLS that is spoken"),
    key("tls.server_name", Kind::Text, "\"real.example\"", "the name to send and to check instead of the computer's"),
    key("tls.pin", Kind::Text, PIN, "SHA-256 of the one certificate to accept, instead of every other check"),
    key("auth.mechanism", Kind::Choice(MECHANISMS), "\"auto\"", "how the user authenticates"),
    key("auth.user", Kind::Text, "\"ann\"", "the user: NAME, DOMAIN\\NAME or NAME@REALM, sent as written"),
    key("auth.secret", Kind::Secret, "\"prompt\"", "where the password comes from; it is never in this file"),
    key("allow_clear_text", Kind::Switch, "false", "allow Basic over plain http to another machine"),
    key("proxy", Kind::Proxy, "\"none\"", "an HTTP proxy: \"none\", \"system\" for the environment's, or a URL"),
    key(
        "culture",
        Kind::Text,
        "\"de-DE, en\"",
        "the languages texts are wanted in (Accept-Language); WS-Man takes the first (Locale)",
    ),
    key("pull", Kind::Choice(PULLS), "\"auto\"", "whether enumerations are pulled in batches"),
    key(
        "wsman.max_envelope_size",
        Kind::EnvelopeSize,
        "512_000",
        "bytes of an answer over WS-Man, from 8192; without it what the server takes (MaxEnvelopeSize)",
    ),
    key(
        "wsman.operation_timeout",
        Kind::Seconds,
        "60",
        "seconds a WS-Man server may work on a request, at most timeouts.first_byte (OperationTimeout)",
    ),
    key("wsman.encoding", Kind::Choice(ENCODINGS), "\"utf-8\"", "how the characters of WS-Man requests are encoded"),
    key("wsman.uri_style", Kind::Choice(URI_STYLES), "\"auto\"", "how classes are named to a WS-Man server"),
    key(
        "wsman.vendor_namespaces",
        Kind::UriBases,
        VENDOR,
        "the resource URIs of classes by what their names begin with, before AMT_, IPS_ and DCIM_",
    ),
    key("read_only", Kind::Switch, "false", "change nothing on the server"),
    key("timeouts.connect", Kind::Seconds, "10", "seconds for resolve, TCP connect and TLS of one address, each"),
    key("timeouts.first_byte", Kind::Seconds, "60", "seconds from the last byte sent to the first of the answer"),
    key("timeouts.idle", Kind::Seconds, "60", "seconds between two pieces of an answer"),
    key("timeouts.total", Kind::SecondsOrNone, "0", "seconds for the whole operation; 0: without end"),
    key("limits.xml_depth", Kind::Count, "256", DEPTH),
    key("limits.embedded_depth", Kind::Count, "16", "nesting of embedded objects inside embedded objects"),
    key("limits.name_bytes", Kind::Count, "4_096", "bytes of a name"),
    key("limits.value_bytes", Kind::Count, "67_108_864", "bytes of one value"),
    key("limits.header_bytes", Kind::Count, "262_144", "bytes of the header block of an answer"),
    key("limits.header_fields", Kind::Count, "256", "fields of the header block of an answer"),
    key("limits.buffer_bytes", Kind::Count, "4_194_304", "bytes of an item that has not arrived completely yet"),
    key("limits.in_flight_per_session", Kind::Count, "4", "operations that run at once in the session"),
    key("tags", Kind::Texts, "[\"web\", \"lab\"]", "words to group and find sessions by"),
    key("notes", Kind::Lines, "\"the one in the corner\"", "what you want to remember"),
    key("colour", Kind::Choice(&Colour::NAMES), "\"cyan\"", "the colour it is marked with"),
];

/// What the choices of a key mean: key, choice, meaning. A colour is its own explanation.
const CHOICES: &[(&str, &str, &str)] = &[
    ("protocol", "cimxml", "CIM-XML over HTTP (DSP0200): SFCB, OpenPegasus, ESXi, storage and blade controllers"),
    ("protocol", "wsman", "WS-Man (DSP0226): Windows (WinRM), AMT, OMI, openwsman"),
    ("protocol", AUTO, "whichever the server speaks, found out by the first operation"),
    ("tls.min_version", "1.2", "TLS 1.2 or 1.3, whichever the server speaks"),
    ("tls.min_version", "1.3", "TLS 1.3 alone"),
    (
        "auth.mechanism",
        "auto",
        "what the server offers: Basic at once where that is safe or allowed, Digest where it asks for it",
    ),
    ("auth.mechanism", "basic", "user and password in a header, readable unless TLS is used"),
    ("auth.mechanism", "certificate", "the client certificate of tls.client_cert stands for the user"),
    ("auth.mechanism", "digest", "a proof that the password is known (RFC 7616); it never crosses the wire"),
    ("auth.mechanism", "none", "no user; also turns off the one that is inherited"),
    ("pull", "auto", "pulled in batches where the server can, found out by the first enumeration"),
    ("pull", "on", "always pulled; a server that cannot is an error"),
    ("pull", "off", "one answer with everything in it"),
    ("wsman.encoding", "utf-8", "what every server takes"),
    ("wsman.encoding", "utf-16", "little-endian with a byte order mark; OMI and OpenPegasus refuse it"),
    ("wsman.uri_style", "auto", "as the server takes it, found out by the first operation"),
    ("wsman.uri_style", "dmtf", "by the URI of their schema, the namespace beside it (DSP0227)"),
    ("wsman.uri_style", "wmi", "by namespace and class, as old versions of Windows want it"),
    ("auth.secret", "prompt", "asked for once per run, kept in memory"),
    ("auth.secret", "env:", "read from an environment variable: env:NAME"),
    ("auth.secret", "keyring", "kept by the keyring of the operating system"),
    (
        "auth.secret",
        "{ command = [\"pass\", \"show\", \"NAME\"] }",
        "what a program prints; no shell unless shell = true",
    ),
    ("proxy", "none", "straight to the server"),
    ("proxy", "system", "as https_proxy, http_proxy and no_proxy of the environment say"),
    ("proxy", "http://", "this proxy: http://HOST:PORT, without a user"),
    ("proxy", "{ url = \"http://HOST:PORT\", user = \"NAME\", secret = \"prompt\" }", "this proxy, with a user"),
];

impl Key {
    /// What its value may be, or may begin with, each with what it means; empty where there is nothing to choose from.
    pub fn choices(&self) -> Vec<(&'static str, &'static str)> {
        let about = |choice: &str| {
            let known = CHOICES.iter().find(|known| (known.0, known.1) == (self.name, choice));
            known.map_or("", |known| known.2)
        };
        match self.kind {
            Kind::Choice(choices) => choices.iter().map(|choice| (*choice, about(choice))).collect(),
            Kind::Switch => vec![("true", "yes"), ("false", "no")],
            Kind::Secret | Kind::Proxy => {
                CHOICES.iter().filter(|known| known.0 == self.name).map(|known| (known.1, known.2)).collect()
            }
            _ => Vec::new(),
        }
    }
}

/// Keys that say who a session is: never taken over from a parent.
pub(super) const OWN: &[&str] = &["id", "name", "inherits", "notes"];

const _: () = assert!(LimitChanges::KEYS.len() == 8);

/// The names of the keys of `table` (`""`: of the session itself, tables included), in order.
pub(super) fn names_in(table: &str) -> Vec<&'static str> {
    let mut names = Vec::new();
    for key in KEYS {
        let name = match (table, key.name.split_once('.')) {
            ("", None) => key.name,
            ("", Some((head, _))) => head,
            (_, Some((head, rest))) if head == table => rest,
            _ => continue,
        };
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names
}
