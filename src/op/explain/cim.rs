//! Rows of the CIM status codes.
//!
//! Owns: DSP0200 table "Status codes returned by the CIM server" in plain words. Must not know protocols.

use super::{Explanation, page::Section};
use crate::cim::CimStatus;

/// Status code, what it means, what to try.
const STATUSES: &[(u32, &str, &str)] = &[
    (1, "the server failed for a reason of its own", "look into the server's log: it says why the provider failed"),
    (2, "this user may not do that", "ask for the rights of this user on the namespace, or use another user"),
    (3, "the namespace does not exist", "list the namespaces and pick one of them"),
    (
        4,
        "a parameter is missing, misspelt or wrong",
        "check the names and values given; an older server may not know a parameter",
    ),
    (
        5,
        "the class does not exist in this namespace",
        "list the classes of the namespace: the class may live in another one",
    ),
    (6, "the object does not exist", "refresh: the object may have gone since it was listed"),
    (
        7,
        "the server does not offer this operation here",
        "try another operation for the same data; this server does not have this one",
    ),
    (8, "the class has subclasses", "delete its subclasses first"),
    (9, "the class has instances", "delete its instances first"),
    (10, "the superclass does not exist", "create the superclass first, or name another"),
    (11, "the object exists already", "choose another key, or modify the object that is there"),
    (12, "the property does not exist", "look at the class for its properties"),
    (13, "the value does not have the property's type", "look at the class for the property's type"),
    (14, "the server does not know the query language", "try another query language: WQL, DMTF:CQL or DMTF:FQL"),
    (15, "the query is not valid", "check the query's syntax and the names in it"),
    (16, "the method is not available", "look whether a provider for the class is registered"),
    (17, "the method does not exist", "look at the class for its methods"),
    (20, "the namespace is not empty", "delete what is in the namespace first"),
    (21, "the enumeration is not open any more", "start the enumeration again"),
    (22, "the server does not allow this operation time-out", "ask with a shorter operation time-out"),
    (23, "the enumeration was abandoned", "start the enumeration again"),
    (24, "the enumeration cannot be abandoned", "wait: it ends by itself when it is complete"),
    (25, "the server does not filter enumerations", "enumerate without a filter and filter here"),
    (26, "the server cannot go on after an error", "enumerate without asking it to go on after errors"),
    (27, "a limit of the server was reached", "ask for less: fewer properties, or a narrower class"),
    (28, "the server is shutting down", "wait until the server is back"),
];

/// What a code that DSP0200 does not define means, and what to try.
const UNKNOWN: (&str, &str) = ("a status code DSP0200 does not define", "look into the server's log");

/// The row of `status`. What is seen is the code and the server's words.
pub fn status(status: CimStatus) -> Explanation {
    let row = STATUSES.iter().find(|row| row.0 == status.0);
    let (means, hint) = row.map_or(UNKNOWN, |row| (row.1, row.2));
    Explanation { seen: "an error the CIM server answered", means, hint }
}

pub(super) fn section() -> Section {
    let about = "The server took the request and answered with an error. Its own words follow the code; where it sends \
                 `CIM_Error` instances, what they say follows too, and the actions they recommend are what to try.";
    let mut section = Section::keyed("CIM status codes (receive)", about, STATUSES, |code| CimStatus(code).to_string());
    section.extend(Section::keyed("", "", &[(0, UNKNOWN.0, UNKNOWN.1)], |_| "any other CIM status".to_owned()));
    section
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_has_a_name_and_a_row() {
        let defined = (1..=17).chain(20..=28);
        for code in 0..100 {
            let is_defined = defined.clone().any(|known| known == code);
            assert_eq!(CimStatus(code).name().is_some(), is_defined, "{code}");
            assert_eq!(status(CimStatus(code)).means != UNKNOWN.0, is_defined, "{code}");
        }
        assert_eq!(CimStatus(20).name(), Some("CIM_ERR_NAMESPACE_NOT_EMPTY"));
    }
}
