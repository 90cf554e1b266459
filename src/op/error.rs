//! Why an operation failed.
//!
//! Owns: [`OpError`]: the phase it died in, the target, the kind, the cause in words and the one thing to try next.
//! Must not hold a secret: everything in it may be shown, logged and copied.

use std::{fmt, sync::Arc};

use super::{Phase, RawExcerpt};
use crate::cim::{CimError, text::is_unsafe_for_terminal};

/// A failed operation, explained.
#[derive(Clone, Debug)]
pub struct OpError {
    /// The phase it died in.
    pub phase: Phase,
    /// What it was aimed at: a host, an address, a class.
    pub target: String,
    /// What kind of failure it is.
    pub kind: ErrorKind,
    /// The cause in words, outermost first. Never empty.
    pub causes: Vec<String>,
    /// The one thing to try next.
    pub hint: String,
    /// The raw text around the fault, where the answer could not be read.
    pub raw: Option<Arc<RawExcerpt>>,
}

/// What kind of failure an [`OpError`] is; decides nothing by itself but lets callers and tests tell them apart.
#[derive(Clone, Debug, PartialEq)]
pub enum ErrorKind {
    /// The name has no address.
    UnknownHost,
    /// Nobody listens there.
    ConnectionRefused,
    /// The connection could not be made for another reason.
    ConnectFailed,
    /// The connection ended before the answer was complete.
    ConnectionLost,
    /// A time-out of ours.
    TimedOut,
    /// The certificate or the handshake was not acceptable.
    Tls,
    /// The server refused the credentials, or wants a scheme we do not have.
    Unauthorized,
    /// Basic over clear text to another machine, which needs the user's consent.
    ClearTextRefused,
    /// No secret where one is needed.
    SecretMissing,
    /// An HTTP status that is not a CIM answer.
    Http(u16),
    /// An HTTP answer by which the server says that it speaks another protocol there.
    OtherProtocol,
    /// A redirect, which is never followed.
    Redirect,
    /// The answer breaks HTTP.
    BadHttp,
    /// The answer is not XML, or not the XML of the protocol.
    BadAnswer {
        /// Offset in the body, in bytes after decoding to UTF-8.
        offset: u64,
        /// The number of the item it happened in, counted from 0, if it was in one.
        item: Option<u64>,
    },
    /// One of our limits, by its key in the configuration.
    Limit(&'static str),
    /// An error the CIM server answered.
    Cim(Arc<CimError>),
    /// The protocol or server cannot do this.
    NotSupported,
    /// Something is wrong with what was asked: a profile, a path, a file.
    Configuration,
    /// A defect or a failure of this machine: no thread, no file handle.
    Internal,
}

impl OpError {
    /// An error with one cause. Its words come from a row of [`super::explain`].
    pub fn new(
        phase: Phase,
        target: impl Into<String>,
        kind: ErrorKind,
        cause: impl Into<String>,
        hint: impl Into<String>,
    ) -> Self {
        Self { phase, target: target.into(), kind, causes: vec![cause.into()], hint: hint.into(), raw: None }
    }

    /// The same with a further cause below the ones it has.
    #[must_use]
    pub fn because(mut self, cause: impl Into<String>) -> Self {
        self.causes.push(cause.into());
        self
    }

    /// The same with the raw text around the fault.
    #[must_use]
    pub fn showing(mut self, raw: Option<RawExcerpt>) -> Self {
        self.raw = raw.map(Arc::new);
        self
    }

    /// The same with `(hidden)` wherever its causes or its raw text quote `secret`; none where they do not.
    pub fn without(&self, secret: &str) -> Option<Self> {
        let raw = self.raw.as_ref().and_then(|raw| raw.without(secret));
        let quoted = |cause: &String| !secret.is_empty() && cause.contains(secret);
        if raw.is_none() && !self.causes.iter().any(quoted) {
            return None;
        }
        let mut error = self.clone();
        for cause in error.causes.iter_mut().filter(|cause| quoted(cause)) {
            *cause = cause.replace(secret, RawExcerpt::HIDDEN);
        }
        error.raw = raw.map(Arc::new).or(error.raw);
        Some(error)
    }

    /// The causes joined by `: `; the full stop that a server's sentence ends with would stand before it.
    pub fn cause(&self) -> String {
        let Some((last, before)) = self.causes.split_last() else { return String::new() };
        let before = before.iter().map(|cause| format!("{}: ", cause.strip_suffix('.').unwrap_or(cause)));
        before.chain([last.clone()]).collect()
    }
}

impl fmt::Display for OpError {
    /// `PHASE: TARGET: CAUSE`, as CLI.md prints it after `lazycim: `.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}: {}", self.phase, self.target, self.cause())
    }
}

impl std::error::Error for OpError {}

/// The text of somebody else on one line: white space made blanks, what is unsafe for a terminal replaced, cut with an ellipsis
/// to `most` characters.
pub fn plain(text: &str, most: usize) -> String {
    let clean = |c: char| match c {
        '\t' | '\n' | '\r' => ' ',
        c if is_unsafe_for_terminal(c) => '\u{fffd}',
        c => c,
    };
    if text.chars().nth(most).is_none() {
        return text.chars().map(clean).collect();
    }
    let cut = text.chars().take(most.saturating_sub(1));
    cut.map(clean).chain(['\u{2026}']).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn foreign_text_is_one_plain_line() {
        assert_eq!(plain("a\r\n\tb\u{1b}[0m\u{202e}", 100), "a   b\u{fffd}[0m\u{fffd}");
        assert_eq!((plain("abc", 3).as_str(), plain("abcd", 3).as_str()), ("abc", "ab\u{2026}"));
    }
}
