//! What the engine promises of every operation, whatever its protocol: tried with a protocol that does as it is told, in paused time.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod auto;
mod ending;
mod fake;
#[path = "../support/canary.rs"]
mod found;
mod keyring;
mod limits;
mod live;
mod local;
mod secret;
