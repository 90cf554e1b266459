//! What can be asked of a CIM server and what is told about it while it happens.
//!
//! Owns: [`Operation`] (asked), [`OpEvent`] (told), [`Phase`] and [`Timeline`] (the life of its connections), [`OpError`]
//! (why it failed, where, and what to try) and [`explain`] (in which words). Pure: no async, no sockets, no clock; time comes in with events.
//!
//! ```text
//! Operation --> engine --> Protocol::run --> OpEvent* --> exactly one of Finished | Failed | Cancelled
//! ```

pub mod certificate;
pub mod error;
pub mod event;
pub mod explain;
pub mod lifecycle;
pub mod operation;
pub mod raw;
pub mod sink;

pub use certificate::{Fingerprint, PeerCertificate, RowTone, Verdict};
pub use error::{ErrorKind, OpError, plain};
pub use event::{Closer, Names, OpEvent, OpEventKind, PhaseDetail, Purpose, Summary};
pub use lifecycle::{Phase, Timeline};
pub use operation::{
    ConnId, FilterQuery, Limits, OpId, OpIds, Operation, OperationKind, OperationOptions, QueryLanguage, SessionId,
    THROTTLE, Timeouts,
};
pub use raw::{RawExcerpt, RawLine};
pub use sink::{BoxFuture, EventSink};
