//! Answers that cannot be read, made [`OpError`]s.
//!
//! Owns: the kind of such an error and what it carries. Must not hold the words, nor know which row a protocol chooses.

use super::fault::{DecodeError, Fault};
use crate::op::{
    self, ErrorKind, OpError, Phase, RawExcerpt,
    explain::{Explanation, answer},
};

/// The most characters shown of a server's text.
const SHOWN: usize = 2_000;

/// An answer that cannot be read on, which `row` explains unless a limit was reached, with the text around the place.
pub fn unreadable(target: String, error: &DecodeError, raw: Option<RawExcerpt>, row: Explanation) -> OpError {
    let (kind, row, part) = match error.limit {
        Some(key) => (ErrorKind::Limit(key), answer::limit(key), ("key", key)),
        None => {
            let kind = ErrorKind::BadAnswer { offset: error.offset, item: error.item };
            let encoding = if let Fault::WrongBytes(encoding) = error.fault { encoding } else { "" };
            (kind, row, ("encoding", encoding))
        }
    };
    let mut explained = row.with(Phase::Receive, target, kind, &[part]).showing(raw);
    if let Some(first) = explained.causes.first_mut() {
        *first = plain(&error.to_string());
    }
    explained
}

/// The text of a server for people.
pub fn plain(text: &str) -> String {
    op::plain(text, SHOWN)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_that_is_no_key_of_the_configuration_is_not_told_to_be_raised() {
        let error = unreadable(
            "h:1".to_owned(),
            &DecodeError::limit(7, "xml_depth", "too deep"),
            None,
            answer::body::ILL_FORMED,
        );
        assert!(error.hint.contains("limits.xml_depth"));
        let error =
            unreadable("h:1".to_owned(), &DecodeError::limit(7, "shapes", "too many"), None, answer::body::ILL_FORMED);
        assert_eq!(error.kind, ErrorKind::Limit("shapes"));
        assert!(!error.hint.contains("limits.") && error.hint.contains("--shallow"));
    }
}
