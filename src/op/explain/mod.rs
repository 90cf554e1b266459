//! The table of errors: what is seen, what it means, and the one thing to try next.
//!
//! Owns: the words of every [`OpError`], a section for each part of an operation's life, and the page made of them
//! (`docs/errors.md`). Must not know how a failure is found out: whoever finds one names its row and fills in the rest.
//!
//! ```text
//! failure -> row -> Explanation::error | with | told -> OpError { causes: [seen, means, ...], hint }
//! ```

/// Defines rows by name, and the section of the page they make.
macro_rules! section {
    ($title:literal, $about:literal, $($name:ident = $seen:literal, $means:literal, $hint:literal;)+) => {
        $(
            #[doc = concat!("`", $seen, "`: ", $means, ".")]
            pub const $name: $crate::op::explain::Explanation =
                $crate::op::explain::Explanation { seen: $seen, means: $means, hint: $hint };
        )+

        /// The rows as a section of the page.
        pub(in $crate::op::explain) fn section() -> $crate::op::explain::page::Section {
            $crate::op::explain::page::Section::of($title, $about, [$($name),+])
        }
    };
}

pub mod answer;
pub mod cim;
pub mod connection;
pub mod detail;
pub mod exchange;
pub mod http;
mod page;
pub mod secret;
pub mod start;
pub mod tls;
pub mod wsman;

pub use self::page::errors_markdown;
use super::{ErrorKind, OpError, Phase};

/// One row of the table. Where a text holds `{name}`, what differs each time is filled in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Explanation {
    /// What is seen: the first words of the error.
    pub seen: &'static str,
    /// The cause, in a sentence.
    pub means: &'static str,
    /// The one thing to try next.
    pub hint: &'static str,
}

impl Explanation {
    /// An error of this row.
    pub fn error(&self, phase: Phase, target: impl Into<String>, kind: ErrorKind) -> OpError {
        self.told(phase, target, kind, self.seen)
    }

    /// An error of this row that begins with the words of whoever saw it.
    pub fn told(&self, phase: Phase, target: impl Into<String>, kind: ErrorKind, seen: impl Into<String>) -> OpError {
        OpError::new(phase, target, kind, seen, self.hint).because(self.means)
    }

    /// An error of this row with each `{name}` of `parts` filled in.
    pub fn with(&self, phase: Phase, target: impl Into<String>, kind: ErrorKind, parts: &[(&str, &str)]) -> OpError {
        let filled = |text: &str| fill(text, parts);
        OpError::new(phase, target, kind, filled(self.seen), filled(self.hint)).because(filled(self.means))
    }
}

/// `text` with each `{name}` replaced by its part. What is filled in is not looked at again.
fn fill(text: &str, parts: &[(&str, &str)]) -> String {
    let (mut out, mut rest) = (String::with_capacity(text.len()), text);
    while let Some((before, tail)) = rest.split_once('{') {
        out.push_str(before);
        let found = tail.split_once('}').and_then(|(name, after)| {
            let part = parts.iter().find(|part| part.0 == name)?;
            Some((part.1, after))
        });
        match found {
            Some((part, after)) => {
                out.push_str(part);
                rest = after;
            }
            None => {
                out.push('{');
                rest = tail;
            }
        }
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_differs_is_filled_in_and_not_looked_at_again() {
        let filled = fill("a {x} b {y}{x} {", &[("x", "{y}"), ("y", "2")]);
        assert_eq!(filled, "a {y} b 2{y} {");
    }

    #[test]
    fn an_error_has_the_words_of_its_row() {
        let row = Explanation { seen: "no {what}", means: "nobody has {what}", hint: "get {what}" };
        let error = row.with(Phase::Wait, "h:1", ErrorKind::NotSupported, &[("what", "tea")]);
        assert_eq!((error.cause().as_str(), error.hint.as_str()), ("no tea: nobody has tea", "get tea"));
        let error = row.told(Phase::Wait, "h:1", ErrorKind::NotSupported, "not a drop");
        assert_eq!(error.causes, ["not a drop", "nobody has {what}"]);
    }
}
