//! Tests of the wire against servers that follow scripts.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod support;

mod addresses;
mod authentication;
mod digest;
mod faults;
mod life;
mod policy;
mod proxy;
mod reuse;
mod stalls;
mod tls;
mod tls_rules;
