//! HTTP answers that are none of a protocol's.
//!
//! Owns: which row of [`crate::op::explain`] such an error is. Must not know a protocol, nor hold the words.

use http::HeaderMap;

use super::xml::explain::plain;
use crate::{
    op::{ErrorKind, OpError, Phase, explain},
    wire,
};

/// A status that is not 200, with what the headers tell (DSP0200, HTTP mapping: `CIMError`; OpenPegasus: `PGErrorDetail`).
pub(super) fn http(target: String, status: u16, reason: &str, headers: &HeaderMap) -> OpError {
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
    use crate::op::explain::Explanation;

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
