//! The command line, from outside: the real binary against `lazycim serve`, scripted servers and this computer.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod config;
mod exchange;
mod faults;
mod output;
mod related;
mod secrets;
mod sessions;
mod support;
mod tls;
mod trials;
mod usage;
