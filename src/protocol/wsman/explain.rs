//! What went wrong, explained: faults, and answers that cannot be read, made [`OpError`]s.
//!
//! Owns: which row of [`crate::op::explain`] an error of this protocol is. Must not know operations, nor hold the words.

use crate::{
    op::{
        OpError, RawExcerpt,
        explain::{
            Explanation,
            answer::{body, soap},
        },
    },
    protocol::xml::{
        explain,
        fault::{DecodeError, Fault},
    },
};

/// An answer that cannot be read on, with the text around the place.
pub fn unreadable(target: String, error: &DecodeError, raw: Option<RawExcerpt>) -> OpError {
    explain::unreadable(target, error, raw, row_of(error.fault))
}

/// The row of a fault of the XML.
pub const fn row_of(fault: Fault) -> Explanation {
    match fault {
        Fault::IllFormed => body::ILL_FORMED,
        Fault::Misplaced => soap::MISPLACED,
        Fault::WrongBytes(_) => body::WRONG_BYTES,
        Fault::Subset => body::SUBSET,
        Fault::Empty => body::EMPTY,
        Fault::NoResponse => soap::NO_RESPONSE,
        Fault::CutShort => body::CUT_SHORT,
        Fault::Html => soap::HTML,
        Fault::Json => soap::JSON,
        Fault::Soap => soap::VERSION,
        Fault::CimXml => soap::CIM_XML,
        Fault::Text => soap::TEXT,
        Fault::OtherXml => soap::OTHER_XML,
    }
}
