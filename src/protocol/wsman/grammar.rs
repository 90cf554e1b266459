//! The grammar of WS-Man answers (SOAP 1.2 part 1 section 5, DSP0226 section 8).
//!
//! Owns: which elements stand around the items. Must not know items.

use super::{
    explain::row_of,
    namespaces::{ENUMERATION, SOAP, WSMAN},
};
use crate::protocol::xml::grammar::{Container, Grammar};

/// `Envelope > Body > EnumerateResponse | PullResponse > Items`; headers, faults and every other body are items beside
/// the result.
pub static SOAP12: Grammar = Grammar {
    name: "WS-Man",
    containers: &[
        &[Container { namespaces: &[SOAP], name: "Envelope" }],
        &[Container { namespaces: &[SOAP], name: "Body" }],
        &[
            Container { namespaces: &[ENUMERATION], name: "EnumerateResponse" },
            Container { namespaces: &[ENUMERATION], name: "PullResponse" },
        ],
        &[Container { namespaces: &[WSMAN, ENUMERATION], name: "Items" }],
    ],
    items_from: 1,
    row: row_of,
};
