//! What went wrong, explained: CIM status codes, and XML that is not what it should be, made [`OpError`]s.
//!
//! Owns: which row of [`crate::op::explain`] an error of this protocol is. Must not know operations, nor hold the words.

use std::sync::Arc;

use crate::{
    cim::CimError,
    op::{
        ErrorKind, OpError, Phase,
        explain::{self, Explanation, answer::body, detail},
    },
    protocol::xml::{explain::plain, fault::Fault},
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
}
