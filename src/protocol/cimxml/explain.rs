//! What went wrong, explained: CIM status codes, HTTP answers that are none, and XML that cannot be read, made [`OpError`]s.
//!
//! Owns: which row of [`crate::op::explain`] an error of this protocol is. Must not know operations, nor hold the words.

use std::sync::Arc;

use http::HeaderMap;

use crate::{
    cim::CimError,
    op::{
        ErrorKind, OpError, Phase, RawExcerpt,
        explain::{self, Explanation, answer::body, detail},
    },
    protocol::xml::{
        self,
        explain::plain,
        fault::{DecodeError, Fault},
    },
    wire,
};

/// The error a server answered, with what its `CIM_Error` instances say and recommend.
pub fn cim(target: String, error: CimError) -> OpError {
    let name = error.status.name().unwrap_or_default();
    // OpenPegasus repeats the code's name in its text.
    let text = error.description.trim();
    let text = text.strip_prefix(name).map_or(text, |rest| rest.trim_start_matches([':', ' ']));
    let first = match text {
        "" => error.status.to_string(),
        text => format!("{}: {}", error.status, plain(text)),
    };
    let (details, recommended) = (detail::told(&error.details), detail::recommended(&error.details));
    let row = explain::cim::status(error.status);
    let mut explained = row.told(Phase::Receive, target, ErrorKind::Cim(Arc::new(error)), first);
    explained.causes.extend(details);
    if let Some(recommended) = recommended {
        explained.hint = recommended;
    }
    explained
}

/// An answer that cannot be read on, with the text around the place.
pub fn unreadable(target: String, error: &DecodeError, raw: Option<RawExcerpt>) -> OpError {
    xml::explain::unreadable(target, error, raw, row_of(error.fault))
}

/// The row of a fault.
pub const fn row_of(fault: Fault) -> Explanation {
    match fault {
        Fault::IllFormed => body::ILL_FORMED,
        Fault::Misplaced => body::MISPLACED,
        Fault::WrongBytes(_) => body::WRONG_BYTES,
        Fault::Subset => body::SUBSET,
        Fault::Empty => body::EMPTY,
        Fault::NoResponse => body::NO_RESPONSE,
        Fault::CutShort => body::CUT_SHORT,
        Fault::Html => body::HTML,
        Fault::Json => body::JSON,
        Fault::Soap => body::SOAP,
        Fault::Text => body::TEXT,
        Fault::OtherXml | Fault::CimXml => body::OTHER_XML,
    }
}

/// A status that is not 200, with what the headers tell (DSP0200, HTTP mapping: `CIMError`; OpenPegasus: `PGErrorDetail`).
pub fn http(target: String, status: u16, reason: &str, headers: &HeaderMap) -> OpError {
    let seen = format!("HTTP {status} {}", plain(reason)).trim_end().to_owned();
    let kind = match status {
        401 => ErrorKind::Unauthorized,
        300..=399 => ErrorKind::Redirect,
        _ => ErrorKind::Http(status),
    };
    if kind == ErrorKind::Redirect {
        let location = wire::field(headers, "Location").unwrap_or_else(|| "nowhere".to_owned());
        let parts = [("location", location.as_str())];
        let mut error = explain::http::REDIRECT.with(Phase::Receive, target, kind, &parts);
        error.causes.splice(..1, [seen, format!("redirected to {location}")]);
        return error;
    }
    let value = wire::field(headers, "CIMError");
    // A CIMError says more than the status it comes with.
    let row = value.as_deref().map_or_else(|| explain::http::status(status), explain::http::cim_error);
    let mut error = row.told(Phase::Receive, target, kind, seen);
    let value = value.map(|value| format!("CIMError: {value}"));
    error.causes.splice(1..1, value.into_iter().chain(wire::details(headers)));
    error
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
        let error = unreadable("h:1".to_owned(), &DecodeError::limit(7, "xml_depth", "too deep"), None);
        assert!(error.hint.contains("limits.xml_depth"));
        let error = unreadable("h:1".to_owned(), &DecodeError::limit(7, "shapes", "too many"), None);
        assert_eq!(error.kind, ErrorKind::Limit("shapes"));
        assert!(!error.hint.contains("limits.") && error.hint.contains("--shallow"));
    }

    #[test]
    fn headers_of_refusals_are_decoded() {
        let mut headers = HeaderMap::new();
        headers.insert("CIMError", "header-mismatch".parse().unwrap());
        headers.insert("PGErrorDetail", "User%20%1BUnauthorized%zz".parse().unwrap());
        let error = http("h:1".to_owned(), 400, "Bad Request", &headers);
        let Explanation { means, hint, .. } = explain::http::cim_error("header-mismatch");
        let seen = ["HTTP 400 Bad Request", "CIMError: header-mismatch", "User \u{fffd}Unauthorized%zz", means];
        assert_eq!(error.hint, hint);
        assert_eq!(error.causes, seen);
        assert_eq!(error.kind, ErrorKind::Http(400));
        // As an answer to M-POST has them.
        let mut prefixed = HeaderMap::new();
        prefixed.insert("94-CIMError", "header-mismatch".parse().unwrap());
        prefixed.insert("94-PGErrorDetail", "User%20%1BUnauthorized%zz".parse().unwrap());
        prefixed.insert("x94-CIMError", "unsupported-operation".parse().unwrap());
        assert_eq!(http("h:1".to_owned(), 400, "Bad Request", &prefixed).causes, seen);
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
