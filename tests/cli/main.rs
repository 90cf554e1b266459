//! The command line, from outside: the real binary against `lazycim serve`, scripted servers and this computer.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod canary;
mod config;
mod exchange;
mod fan_out;
mod faults;
#[path = "../support/canary.rs"]
mod found;
mod output;
mod related;
mod secrets;
mod sessions;
mod support;
mod tls;
mod trials;
mod usage;
mod wsman;
