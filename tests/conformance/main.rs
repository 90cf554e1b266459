//! What every protocol keeps to, tried on each there is over real connections: one terminal event and nothing after it, a closed
//! socket and a closed enumeration wherever an operation is cancelled, a time-out for each step, bounded memory behind a consumer
//! that stands still, sessions that do not disturb each other, and the same rows whichever protocol brought them.
//!
//! `tests/engine` holds the engine to the same with a protocol that does as it is told, in every phase there is.
//!
//! A protocol joins with a row in [`subjects::SUBJECTS`] and scenarios of the names used here.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod cancel;
mod certificate;
mod ending;
mod events;
mod points;
mod pressure;
mod reads;
mod sessions;
mod stage;
#[path = "../support/subjects.rs"]
mod subjects;
mod timeouts;
mod wsman;
