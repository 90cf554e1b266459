//! The terminal front, seen whole: what is on the screen after which keys.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod canary;
mod editor;
mod exchange;
#[path = "../support/canary.rs"]
mod found;
mod harness;
mod keep;
mod live;
mod live_sessions;
mod screens;
mod tag;
mod tls;
mod world;
mod wsman;
