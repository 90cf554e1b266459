//! Why an operation failed.
//!
//! Owns: [`OpError`]: the phase it died in, the target, the kind, the cause in words and the one thing to try next.
//! Must not hold a secret: everything in it may be shown, logged and copied.

use std::{fmt, sync::Arc};

use super::Phase;
use crate::cim::CimError;

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
    /// An error with one cause.
    pub fn new(
        phase: Phase,
        target: impl Into<String>,
        kind: ErrorKind,
        cause: impl Into<String>,
        hint: impl Into<String>,
    ) -> Self {
        Self { phase, target: target.into(), kind, causes: vec![cause.into()], hint: hint.into() }
    }

    /// The same with a further cause below the ones it has.
    #[must_use]
    pub fn because(mut self, cause: impl Into<String>) -> Self {
        self.causes.push(cause.into());
        self
    }

    /// The causes joined by `: `.
    pub fn cause(&self) -> String {
        self.causes.join(": ")
    }
}

impl fmt::Display for OpError {
    /// `PHASE: TARGET: CAUSE`, as CLI.md prints it after `lazycim: `.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}: {}", self.phase, self.target, self.cause())
    }
}

impl std::error::Error for OpError {}
