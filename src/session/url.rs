//! Target URLs: `(cimxml|wsman)+(http|https)://[USER@]HOST[:PORT][/PATH]`.
//!
//! Owns: their grammar, their defaults and their errors. Must not know which protocols this build speaks, and must never
//! repeat any part of a URL in an error: a password may stand in it.

use std::{fmt, net::Ipv6Addr};

use super::{Target, Tls};
use crate::cim::Namespace;

/// A parsed target URL, its defaults filled in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TargetUrl {
    /// The protocol.
    pub scheme: Scheme,
    /// Whether TLS is used (`https`).
    pub tls: bool,
    /// The user, percent-decoded.
    pub user: Option<String>,
    /// Host name or address; an IPv6 address without its brackets.
    pub host: String,
    /// The TCP port.
    pub port: u16,
    /// The HTTP path, beginning with `/`, as written.
    pub path: String,
}

/// The protocols a URL can name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Scheme {
    /// CIM-XML (DSP0200).
    CimXml,
    /// WS-Management (DSP0226).
    WsMan,
}

impl Scheme {
    /// All of them, in the order they are tried where a profile names none.
    pub const ALL: [Self; 2] = [Self::WsMan, Self::CimXml];

    /// The protocol's name in profiles, URLs and the registry.
    pub const fn name(self) -> &'static str {
        match self {
            Self::CimXml => "cimxml",
            Self::WsMan => "wsman",
        }
    }

    /// The protocol called `name`.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|scheme| scheme.name() == name)
    }

    /// The registered port: DSP0200 and IANA `wbem-http`, `wbem-https`, `wsman`, `wsmans`.
    pub const fn default_port(self, tls: bool) -> u16 {
        match (self, tls) {
            (Self::CimXml, false) => 5988,
            (Self::CimXml, true) => 5989,
            (Self::WsMan, false) => 5985,
            (Self::WsMan, true) => 5986,
        }
    }

    /// The usual HTTP path.
    pub const fn default_path(self) -> &'static str {
        match self {
            Self::CimXml => "/cimom",
            Self::WsMan => "/wsman",
        }
    }
}

/// Why a text is not a target URL. Repeats nothing of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UrlError {
    /// What is wrong.
    pub cause: &'static str,
    /// What to write instead.
    pub hint: &'static str,
}

impl fmt::Display for UrlError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.cause)
    }
}

impl std::error::Error for UrlError {}

const fn wrong<T>(cause: &'static str, hint: &'static str) -> Result<T, UrlError> {
    Err(UrlError { cause, hint })
}

const FORM: &str = "write cimxml+https://[USER@]HOST[:PORT][/PATH], with http for a connection without TLS";

impl TargetUrl {
    /// Reads `text`.
    ///
    /// # Errors
    /// A [`UrlError`] that says which part is wrong without repeating it.
    pub fn parse(text: &str) -> Result<Self, UrlError> {
        let Some((scheme, rest)) = text.split_once("://") else { return wrong("the URL has no scheme", FORM) };
        let (scheme, tls) = parse_scheme(scheme)?;
        if rest.contains('#') {
            return wrong("a fragment (#) has no place in the URL", "leave out what begins with #, or write %23");
        }
        if rest.contains('?') {
            return wrong("a query (?) has no place in the URL", "leave out what begins with ?, or write %3F");
        }
        let (authority, path) = match rest.find('/') {
            Some(at) => rest.split_at(at),
            None => (rest, scheme.default_path()),
        };
        let (user, host_port) = match authority.rsplit_once('@') {
            Some((user, host_port)) => (Some(parse_user(user)?), host_port),
            None => (None, authority),
        };
        let (host, port) = parse_host_port(host_port)?;
        if !path.bytes().all(is_path_byte) {
            return wrong("the path has a character that must be percent-encoded", "write it as %XX");
        }
        let port = port.unwrap_or_else(|| scheme.default_port(tls));
        Ok(Self { scheme, tls, user, host, port, path: path.to_owned() })
    }

    /// The URL of `target`; `None` of this computer, and of a protocol no URL names.
    pub fn of(target: &Target) -> Option<Self> {
        Some(Self {
            scheme: Scheme::from_name(&target.protocol)?,
            tls: target.tls.is_some(),
            user: target.user.clone(),
            host: target.computer.clone()?,
            port: target.port,
            path: target.path.clone(),
        })
    }

    /// The target this URL describes, with the given default namespace.
    pub fn into_target(self, namespace: Namespace) -> Target {
        Target {
            computer: Some(self.host),
            protocol: self.scheme.name().to_owned(),
            port: self.port,
            path: self.path,
            tls: self.tls.then(Tls::default),
            user: self.user,
            namespace,
            ..Target::this_computer()
        }
    }
}

fn parse_scheme(text: &str) -> Result<(Scheme, bool), UrlError> {
    let lower = text.to_ascii_lowercase();
    let Some((protocol, transport)) = lower.split_once('+') else {
        return wrong("the URL does not name a protocol and a transport", FORM);
    };
    let Some(scheme) = Scheme::from_name(protocol) else {
        return wrong("the URL's protocol is neither cimxml nor wsman", FORM);
    };
    match transport {
        "http" => Ok((scheme, false)),
        "https" => Ok((scheme, true)),
        _ => wrong("the URL's transport is neither http nor https", FORM),
    }
}

fn parse_user(text: &str) -> Result<String, UrlError> {
    if text.contains(':') {
        return wrong(
            "a password has no place in the URL: others could see it",
            "leave it out and type it when asked, or use --password-env VAR",
        );
    }
    let Some(user) = percent_decode(text) else {
        return wrong("the user is not percent-encoded UTF-8", "encode it, such as CORP%5Cann for CORP\\ann");
    };
    if user.is_empty() || user.contains(char::is_control) {
        return wrong("the user is empty or has a control character", "leave out the @ or name a user before it");
    }
    Ok(user)
}

/// Host, without the brackets of an IPv6 address, and port.
pub(super) fn parse_host_port(text: &str) -> Result<(String, Option<u16>), UrlError> {
    let (host, port) = match text.strip_prefix('[') {
        Some(rest) => {
            let Some((address, rest)) = rest.split_once(']') else {
                return wrong("the bracket around the IPv6 address is not closed", "write [ADDRESS]:PORT");
            };
            if address.parse::<Ipv6Addr>().is_err() {
                return wrong("what stands in brackets is not an IPv6 address", "write [ADDRESS], such as [fe80::1]");
            }
            match rest.strip_prefix(':') {
                Some(port) => (address, Some(port)),
                None if rest.is_empty() => (address, None),
                None => return wrong("something stands between the IPv6 address and the port", "write [ADDRESS]:PORT"),
            }
        }
        None => match text.split_once(':') {
            Some((_, rest)) if rest.contains(':') => {
                return wrong("an IPv6 address must stand in brackets", "write [ADDRESS] or [ADDRESS]:PORT");
            }
            Some((host, port)) => (host, Some(port)),
            None => (text, None),
        },
    };
    if !is_host(host) {
        return wrong("the URL has no valid host", "name a host or an address; international names in their xn-- form");
    }
    let Some(port) = port else { return Ok((host.to_owned(), None)) };
    match port.parse::<u16>() {
        Ok(number) if number > 0 && port.bytes().all(|b| b.is_ascii_digit()) => Ok((host.to_owned(), Some(number))),
        _ => wrong("the port is not a number from 1 to 65535", "write HOST:PORT, or leave the port out"),
    }
}

/// Whether `text` can be a host: an IPv6 address, or letters, digits, `.`, `-` and `_`, at most 253 bytes.
pub fn is_host(text: &str) -> bool {
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_');
    let named = (1..=253).contains(&text.len()) && text.bytes().all(plain) && !text.starts_with(['.', '-']);
    named || text.parse::<Ipv6Addr>().is_ok()
}

/// The bytes RFC 3986 lets stand in a path (`pchar`, `/` and `%`).
pub(super) const fn is_path_byte(b: u8) -> bool {
    is_unreserved(b) || matches!(b, b'/' | b'%' | b':' | b'@' | b'!' | b'$' | b'&'..=b',' | b';' | b'=')
}

const fn is_unreserved(b: u8) -> bool {
    b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_' | b'~')
}

/// `text` with `%XX` replaced; `None` where a `%` has no two hex digits or the result is not UTF-8.
pub(super) fn percent_decode(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte == b'%' {
            let mut digit = || (rest.next()? as char).to_digit(16);
            bytes.push(u8::try_from(digit()? * 16 + digit()?).ok()?);
        } else {
            bytes.push(byte);
        }
    }
    String::from_utf8(bytes).ok()
}

impl fmt::Display for TargetUrl {
    /// The URL, with port and path only where they are not the usual ones.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}+{}://", self.scheme.name(), if self.tls { "https" } else { "http" })?;
        if let Some(user) = &self.user {
            for byte in user.bytes() {
                if is_unreserved(byte) { write!(f, "{}", byte as char)? } else { write!(f, "%{byte:02X}")? }
            }
            f.write_str("@")?;
        }
        if self.host.contains(':') {
            write!(f, "[{}]", self.host)?
        } else {
            f.write_str(&self.host)?
        }
        if self.port != self.scheme.default_port(self.tls) {
            write!(f, ":{}", self.port)?;
        }
        if self.path != self.scheme.default_path() {
            f.write_str(&self.path)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]

    use proptest::prelude::*;

    use super::*;

    fn url(text: &str) -> TargetUrl {
        TargetUrl::parse(text).unwrap()
    }

    #[test]
    fn defaults_are_those_of_the_protocol_and_the_transport() {
        let cases = [
            ("cimxml+http://h", 5988, "/cimom", false),
            ("cimxml+https://h", 5989, "/cimom", true),
            ("wsman+http://h", 5985, "/wsman", false),
            ("wsman+https://h", 5986, "/wsman", true),
            ("CIMXML+HTTPS://h:1/x/y", 1, "/x/y", true),
        ];
        for (text, port, path, tls) in cases {
            let url = url(text);
            assert_eq!((url.port, url.path.as_str(), url.tls, url.host.as_str()), (port, path, tls, "h"), "{text}");
        }
    }

    #[test]
    fn users_are_decoded_and_addresses_lose_their_brackets() {
        let url = url("cimxml+https://CORP%5Cann@[fe80::1]:15989/");
        assert_eq!(url.user.as_deref(), Some("CORP\\ann"));
        assert_eq!((url.host.as_str(), url.port, url.path.as_str()), ("fe80::1", 15989, "/"));
        assert_eq!(url.to_string(), "cimxml+https://CORP%5Cann@[fe80::1]:15989/");
    }

    #[test]
    fn what_has_no_place_is_refused_without_being_repeated() {
        let secret = "Sw0rdf1sh";
        let cases = [
            "cimxml+http://ann:Sw0rdf1sh@h",
            "cimxml+http://ann:Sw0rdf1sh@x@h",
            "cimxml+http://ann:Sw0rdf1sh/@h",
            "cimxml+http://ann:Sw0rdf1sh#@h",
            "cimxml+http://h/Sw0rdf1sh?x",
            "cimxml+http://h?Sw0rdf1sh",
            "cimxml+http://h#Sw0rdf1sh",
            "Sw0rdf1sh+http://h",
            "cimxml+Sw0rdf1sh://h",
            "http://Sw0rdf1sh",
            "Sw0rdf1sh",
            "cimxml+http://Sw0rdf1sh h",
            "cimxml+http://h:Sw0rdf1sh",
            "cimxml+http://[Sw0rdf1sh]",
            "cimxml+http://[::1]Sw0rdf1sh",
            "cimxml+http://%zzSw0rdf1sh@h",
        ];
        for text in cases {
            let error = TargetUrl::parse(text).unwrap_err();
            assert!(!format!("{error} {} {error:?}", error.hint).contains(secret), "{text}: {error}");
            assert!(!error.cause.is_empty() && !error.hint.is_empty());
        }
        assert!(TargetUrl::parse("cimxml+http://ann:x@h").unwrap_err().cause.starts_with("a password"));
    }

    #[test]
    fn malformed_parts_are_refused() {
        for text in [
            "cimxml+http://",
            "cimxml+http:///cimom",
            "cimxml+http://@h",
            "cimxml+http://h:0",
            "cimxml+http://h:65536",
            "cimxml+http://h:+80",
            "cimxml+http://h:",
            "cimxml+http://::1",
            "cimxml+http://[::1",
            "cimxml+http://h/a b",
            "cimxml+http://h/\u{202e}",
            "cimxml+http://a%00b@h",
            "cimxml+ftp://h",
            "dcom+http://h",
        ] {
            assert!(TargetUrl::parse(text).is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_text_makes_the_parser_panic_and_what_parses_prints_back(text in ".{0,80}", mangled in "(cimxml|wsman)\\+https?://[a-z%0-9@:\\[\\]/?#.]{0,40}") {
            for text in [text, mangled] {
                if let Ok(url) = TargetUrl::parse(&text) {
                    prop_assert_eq!(TargetUrl::parse(&url.to_string()).unwrap(), url);
                }
            }
        }

        #[test]
        fn printing_and_parsing_gives_the_same(
            wsman: bool, tls: bool, user in proptest::option::of("[^\\x00-\\x1f\\x7f-\\x9f]{1,20}"),
            host in "[a-z0-9][a-z0-9.-]{0,20}|fe80::[1-9a-f]{1,4}", port in 1u16.., path in "/[a-z%/]{0,10}",
        ) {
            let scheme = if wsman { Scheme::WsMan } else { Scheme::CimXml };
            let url = TargetUrl { scheme, tls, user, host, port, path };
            prop_assert_eq!(TargetUrl::parse(&url.to_string()).unwrap(), url);
        }
    }
}
