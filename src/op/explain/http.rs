//! Rows of HTTP statuses other than 200, and of the `CIMError` values that come with some.
//!
//! Owns: RFC 9110 section 15 and DSP0200 (HTTP mapping, `CIMError`) in plain words. Must not know headers.

use super::{Explanation, page::Section};

/// A redirect, which is never followed.
pub const REDIRECT: Explanation = Explanation {
    seen: "HTTP 3xx",
    means: "the server says that it is elsewhere",
    hint: "redirects are not followed; if {location} is right, put it into the session",
};

/// Status, what it means, what to try.
const STATUSES: &[(u16, &str, &str)] = &[
    (400, "the server did not take the request", "check protocol, port and path; the server's log may say more"),
    (401, "the server refused user and password", "check user and password"),
    (403, "this user may not use CIM there", "ask for the rights, or use another user"),
    (404, "nothing answers at that path", "check port and path: CIM-XML mostly answers at /cimom, WS-Man at /wsman"),
    (405, "nothing there takes a POST", "check port and path: CIM-XML mostly answers at /cimom, WS-Man at /wsman"),
    (406, "the server cannot answer in XML", "check port and path: another service may listen there"),
    (407, "a proxy in between wants to know who asks", "connect without the proxy"),
    (408, "the server waited too long for the request", "try again; the network may be slow"),
    (411, "the server saw no length, which lazycim always sends", "look for a proxy in between that drops it"),
    (413, "the request is larger than the server takes", "ask for less at a time: fewer properties"),
    (414, "the path is longer than the server takes", "give the session a shorter path"),
    (415, "the server does not take CIM-XML there", "check port and path: another service may listen there"),
    (429, "the server has too many requests", "wait, then try again"),
    (500, "the server failed inside", "look into the server's log"),
    (
        501,
        "the server does not offer this",
        "try another operation for the same data; the server may be of another version",
    ),
    (502, "a gateway in between got no good answer from the server", "check that the CIM server behind it runs"),
    (503, "the server is busy or shutting down", "wait, then try again"),
    (504, "a gateway in between got no answer in time", "check that the CIM server behind it runs"),
];

/// Statuses without a row of their own, by their hundreds.
const OTHERS: &[(u16, &str, &str)] = &[
    (200, "the server answered well, but not with CIM-XML", "check protocol, port and path"),
    (400, "the server did not take the request", "check protocol, port and path; the server's log may say more"),
    (500, "the server failed", "look into the server's log"),
];

/// A `CIMError` value, what it means, what to try.
const CIM_ERRORS: &[(&str, &str, &str)] = &[
    (
        "unsupported-protocol-version",
        "the server speaks another version of CIM-XML",
        "look which versions the server speaks: lazycim sends protocol 1.0",
    ),
    ("unsupported-cim-version", "the server knows another version of CIM", "update the server: lazycim sends CIM 2.0"),
    ("unsupported-dtd-version", "the server knows another DTD", "update the server: lazycim sends DTD 2.0"),
    ("unsupported-operation", "the server does not offer this operation", "try another operation for the same data"),
    (
        "multiple-requests-unsupported",
        "the server takes one request at a time",
        "report it: lazycim sends one request at a time",
    ),
    (
        "request-not-well-formed",
        "the server could not read the XML of the request",
        "look at a name or key with unusual characters: the server may refuse it",
    ),
    (
        "request-not-valid",
        "the server found something in the request that it does not allow",
        "look at the names, keys and values given: the server may refuse one of them",
    ),
    (
        "request-not-loosely-valid",
        "the server misses something in the request",
        "look at the names, keys and values given: the server may refuse one of them",
    ),
    (
        "header-mismatch",
        "the server found that the headers do not fit the XML",
        "look at a class or namespace with unusual characters: the server may read it in another way",
    ),
];

/// A `CIMError` value that DSP0200 does not define.
const OTHER_CIM_ERROR: (&str, &str, &str) = ("any other", "a value of the server's own", "look into the server's log");

/// The row of a status. What is seen is the status and the server's reason.
pub fn status(status: u16) -> Explanation {
    let row = STATUSES.iter().find(|row| row.0 == status);
    let row = row.or_else(|| OTHERS.iter().find(|row| row.0 == status / 100 * 100));
    let other = ("that is no answer a CIM server gives", "check protocol, port and path");
    let (means, hint) = row.map_or(other, |row| (row.1, row.2));
    Explanation { seen: "an HTTP status", means, hint }
}

/// The row of a status that comes with a `CIMError` of this value.
pub fn cim_error(value: &str) -> Explanation {
    let row = CIM_ERRORS.iter().find(|row| row.0.eq_ignore_ascii_case(value)).unwrap_or(&OTHER_CIM_ERROR);
    Explanation { seen: "an HTTP status with a CIMError", means: row.1, hint: row.2 }
}

pub(super) fn sections() -> Vec<Section> {
    let about =
        "The answer's status is not 200. `CIMError`, `PGErrorDetail` and `SFCBErrorDetail` headers are shown decoded.";
    let mut statuses = Section::of("HTTP statuses (receive)", about, [REDIRECT]);
    statuses.extend(Section::keyed("", "", STATUSES, |status| format!("HTTP {status}")));
    statuses.extend(Section::keyed("", "", OTHERS, |status| format!("any other HTTP {}xx", status / 100)));
    let about = "They come with statuses 400 and 501, and say more than these.";
    let values = [CIM_ERRORS, &[OTHER_CIM_ERROR]].concat();
    vec![statuses, Section::keyed("`CIMError` values (receive)", about, &values, |value| format!("CIMError: {value}"))]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_status_and_value_is_explained() {
        for code in 100..=599 {
            let Explanation { means, hint, .. } = status(code);
            assert!(!means.is_empty() && !hint.is_empty(), "{code}");
        }
        assert_eq!(status(404).means, "nothing answers at that path");
        assert_eq!(status(418), status(499));
        assert_eq!(status(599).means, "the server failed");
        assert_eq!(cim_error("Header-Mismatch").means, "the server found that the headers do not fit the XML");
        assert_eq!(cim_error("made-up").means, "a value of the server's own");
    }
}
