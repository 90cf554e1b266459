//! What went wrong, in words: CIM status codes, HTTP answers that are none, and XML that cannot be read, made [`OpError`]s.
//!
//! Owns: the tables of causes and hints. Must not know operations; texts of servers are shown without control characters.

use std::sync::Arc;

use http::HeaderMap;

use super::framer::DecodeError;
use crate::{
    cim::{CimError, CimInstance, CimValue},
    op::{ErrorKind, OpError, Phase},
};

/// The most characters shown of a server's text.
const SHOWN: usize = 2_000;

/// Status code and the one thing to try.
const HINTS: &[(u32, &str)] = &[
    (1, "Look into the server's log: it says why the provider failed."),
    (2, "Ask for the rights of this user on the namespace, or use another user."),
    (3, "List the namespaces and pick one of them."),
    (4, "Check the names and values given; an older server may not know a parameter."),
    (5, "List the classes of the namespace: the class may live in another one."),
    (6, "Refresh: the object may have gone since it was listed."),
    (7, "Try another operation for the same data; this server does not have this one."),
    (11, "Choose another key."),
    (12, "Look at the class for its properties."),
    (13, "Look at the class for the property's type."),
    (14, "Try another query language: WQL, DMTF:CQL or DMTF:FQL."),
    (15, "Check the query's syntax and the names in it."),
    (16, "Look whether a provider for the class is registered."),
    (17, "Look at the class for its methods."),
    (21, "Start the enumeration again."),
    (22, "Ask with a shorter operation time-out."),
    (25, "Enumerate without a filter and filter here."),
    (27, "Ask for less: fewer properties, or a narrower class."),
    (28, "Wait until the server is back."),
];

/// The error a server answered.
pub fn cim(target: String, error: CimError) -> OpError {
    let name = error.status.name().unwrap_or_default();
    // OpenPegasus repeats the code's name in its text.
    let text = error.description.trim();
    let text = text.strip_prefix(name).map_or(text, |rest| rest.trim_start_matches([':', ' ']));
    let first = match text {
        "" => error.status.to_string(),
        text => format!("{}: {}", error.status, plain(text)),
    };
    let hint = HINTS.iter().find(|row| row.0 == error.status.0).map_or("Look into the server's log.", |row| row.1);
    let meaning = error.status.meaning();
    let details: Vec<String> = error.details.iter().filter_map(detail).collect();
    let mut explained = OpError::new(Phase::Receive, target, ErrorKind::Cim(Arc::new(error)), first, hint);
    explained = explained.because(meaning);
    for detail in details {
        explained = explained.because(detail);
    }
    explained
}

/// What a CIM_Error instance says: its message and, where there is one, its id.
fn detail(instance: &CimInstance) -> Option<String> {
    let text = |name: &str| match instance.property(name).map(|property| &property.value.value) {
        Some(CimValue::String(text)) if !text.is_empty() => Some(plain(text)),
        _ => None,
    };
    match (text("MessageID"), text("Message")) {
        (Some(id), Some(message)) => Some(format!("{id}: {message}")),
        (id, message) => message.or(id),
    }
}

/// An answer that cannot be read on.
pub fn unreadable(target: String, error: &DecodeError) -> OpError {
    let (kind, hint) = match error.limit {
        // The one limit that is no key of the configuration.
        Some("shapes") => {
            let hint = "Ask for the instances of one class alone (--shallow), or of a class with fewer below it.";
            (ErrorKind::Limit("shapes"), hint.to_owned())
        }
        Some(key) => {
            (ErrorKind::Limit(key), format!("Raise limits.{key} in config.toml if the answer is to be trusted."))
        }
        None if error.foreign => (
            ErrorKind::BadAnswer { offset: error.offset, item: error.item },
            "Check protocol, port and path: CIM-XML servers mostly listen on 5989 (https) or 5988 (http) at /cimom."
                .to_owned(),
        ),
        None => (
            ErrorKind::BadAnswer { offset: error.offset, item: error.item },
            "The server sent something broken; ask for fewer properties to leave the broken one out.".to_owned(),
        ),
    };
    OpError::new(Phase::Receive, target, kind, plain(&error.to_string()), hint)
}

/// A status that is not 200, with what the headers tell (DSP0200 section 7.3: CIMError; OpenPegasus: PGErrorDetail).
pub fn http(target: String, status: u16, reason: &str, headers: &HeaderMap) -> OpError {
    let header = |name: &str| {
        let value = String::from_utf8_lossy(headers.get(name)?.as_bytes()).into_owned();
        Some(plain(&decoded(&value)))
    };
    let first = format!("HTTP {status} {}", plain(reason)).trim_end().to_owned();
    let cim_error = header("CIMError");
    let (kind, hint) = match status {
        401 => (ErrorKind::Unauthorized, "Check user and password.".to_owned()),
        403 => {
            (ErrorKind::Http(status), "This user may not use CIM there; ask for the rights or use another.".to_owned())
        }
        300..=399 => {
            let location = header("Location").unwrap_or_else(|| "nowhere".to_owned());
            (
                ErrorKind::Redirect,
                format!("Redirects are not followed; if {location} is right, put it into the session."),
            )
        }
        404 | 405 => (ErrorKind::Http(status), "Check port and path: CIM-XML mostly answers at /cimom.".to_owned()),
        _ => (ErrorKind::Http(status), http_hint(cim_error.as_deref()).to_owned()),
    };
    let mut error = OpError::new(Phase::Receive, target, kind, first, hint);
    if let Some(location) = header("Location").filter(|_| (300..=399).contains(&status)) {
        error = error.because(format!("redirected to {location}"));
    }
    if let Some(cim_error) = cim_error {
        error = error.because(format!("CIMError: {cim_error}"));
    }
    if let Some(text) = header("PGErrorDetail").or_else(|| header("SFCBErrorDetail")) {
        error = error.because(text);
    }
    error
}

fn http_hint(cim_error: Option<&str>) -> &'static str {
    match cim_error {
        Some("unsupported-protocol-version" | "unsupported-cim-version" | "unsupported-dtd-version") => {
            "The server speaks another version of CIM-XML."
        }
        Some("unsupported-operation") => "The server does not offer this operation.",
        Some(_) => "The server did not take the request: a name or key may hold something it refuses.",
        None => "Check protocol, port and path; the server's log may say more.",
    }
}

/// `text` with percent-encoding undone.
fn decoded(text: &str) -> String {
    let (mut out, mut rest) = (Vec::with_capacity(text.len()), text.as_bytes());
    while let Some((first, tail)) = rest.split_first() {
        let pair = tail.get(..2).and_then(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok());
        match pair.filter(|_| *first == b'%') {
            Some(byte) => {
                out.push(byte);
                rest = tail.get(2..).unwrap_or_default();
            }
            None => {
                out.push(*first);
                rest = tail;
            }
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

/// `text` for people: white space made blanks, other control characters replaced, long text cut.
pub fn plain(text: &str) -> String {
    let clean = |c: char| match c {
        '\t' | '\n' | '\r' => ' ',
        c if c.is_control() => '\u{fffd}',
        c => c,
    };
    let mut out: String = text.chars().take(SHOWN).map(clean).collect();
    if text.chars().nth(SHOWN).is_some() {
        out.push('\u{2026}');
    }
    out
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::cim::CimStatus;

    #[test]
    fn a_status_is_named_once_and_explained() {
        let description = "CIM_ERR_INVALID_CLASS: No\u{1b}_Such".to_owned();
        let error = CimError { status: CimStatus::INVALID_CLASS, description, details: Vec::new() };
        let error = cim("host:5988".to_owned(), error);
        assert_eq!(error.causes[0], "CIM_ERR_INVALID_CLASS (5): No\u{fffd}_Such");
        assert_eq!(error.causes[1], "the class does not exist in this namespace");
        assert!(error.hint.contains("another one"));
    }

    #[test]
    fn a_limit_that_is_no_key_of_the_configuration_is_not_told_to_be_raised() {
        let error = unreadable("h:1".to_owned(), &DecodeError::limit(7, "xml_depth", "too deep"));
        assert!(error.hint.contains("limits.xml_depth"));
        let error = unreadable("h:1".to_owned(), &DecodeError::limit(7, "shapes", "too many"));
        assert_eq!(error.kind, ErrorKind::Limit("shapes"));
        assert!(!error.hint.contains("limits.") && error.hint.contains("--shallow"));
    }

    #[test]
    fn headers_of_refusals_are_decoded() {
        let mut headers = HeaderMap::new();
        headers.insert("CIMError", "header-mismatch".parse().unwrap());
        headers.insert("PGErrorDetail", "User%20%1BUnauthorized%zz".parse().unwrap());
        let error = http("h:1".to_owned(), 400, "Bad Request", &headers);
        assert_eq!(error.causes, ["HTTP 400 Bad Request", "CIMError: header-mismatch", "User \u{fffd}Unauthorized%zz"]);
        assert_eq!(error.kind, ErrorKind::Http(400));
    }

    #[test]
    fn a_redirect_names_where_to() {
        let mut headers = HeaderMap::new();
        headers.insert("Location", "https://other/cimom".parse().unwrap());
        let error = http("h:1".to_owned(), 302, "Found", &headers);
        assert_eq!(error.kind, ErrorKind::Redirect);
        assert!(error.cause().contains("https://other/cimom") && error.hint.contains("https://other/cimom"));
    }
}
