//! The grammar of CIM-XML answers (DSP0201 section 5: message elements).
//!
//! Owns: which elements stand around the items, and what is told of an answer that is no CIM-XML. Must not know items.

use super::explain::row_of;
use crate::protocol::xml::grammar::{Container, Grammar};

/// `CIM > MESSAGE > SIMPLERSP > IMETHODRESPONSE > IRETURNVALUE`; items stand in the response element and deeper.
pub static CIMXML: Grammar = Grammar {
    name: "CIM-XML",
    containers: &[
        &[Container::plain("CIM")],
        &[Container::plain("MESSAGE")],
        &[Container::plain("SIMPLERSP")],
        &[Container::plain("IMETHODRESPONSE"), Container::plain("METHODRESPONSE")],
        &[Container::plain("IRETURNVALUE")],
    ],
    items_from: 4,
    row: row_of,
};
