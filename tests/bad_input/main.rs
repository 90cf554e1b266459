//! Bad input, end to end: each line of it is a scenario of the embedded server (or a fault of the network), met by a real engine in
//! one session, over every protocol. What is asserted of each: the phase, the kind, the target, the cause and the hint; the rows that
//! came before; exactly one terminal event; that no more was taken in than the limits let; that every connection is closed and every
//! enumeration released; and that the same session then works.
//!
//! A scenario stands for every protocol: what differs lies in a folder for each (`bench::Case::played`).
//!
//! The limits of `op::Limits`, and where each is reached with an error or a mark of its own:
//!
//! | limit | where |
//! | --- | --- |
//! | `xml_depth`, `embedded_depth`, `name_bytes`, `value_bytes`, `buffer_bytes` | `limits.rs` here |
//! | `header_bytes`, `header_fields` | `limits.rs` here; `src/wire/tests/faults.rs` at the exact bound |
//! | `undrained_rows` | `limits.rs` here; `src/engine/outbox.rs`, `tests/engine/limits.rs` |
//! | `retained_rows`, `retained_bytes` | `limits.rs` here |
//! | `logged_operations` | `limits.rs` here |
//! | `in_flight_per_session`, `in_flight` | `limits.rs` here; `src/engine/turns.rs`, `tests/engine/limits.rs` |
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod answers;
mod ask;
mod bench;
mod between;
mod limits;
mod network;
mod operations;
mod pulls;
mod refusals;
mod screen;
#[path = "../support/subjects.rs"]
mod subjects;
mod wsman;

use std::collections::BTreeSet;

/// A scenario nobody plays proves nothing.
#[test]
fn every_scenario_is_played() {
    let sources = [
        include_str!("answers.rs"),
        include_str!("limits.rs"),
        include_str!("network.rs"),
        include_str!("operations.rs"),
        include_str!("refusals.rs"),
        include_str!("screen.rs"),
        include_str!("wsman.rs"),
    ];
    let files = std::fs::read_dir(bench::folder()).unwrap().map(|entry| entry.unwrap().path());
    let scenarios: BTreeSet<String> = files
        .filter(|path| path.extension().is_some_and(|extension| extension == "toml"))
        .map(|path| path.file_stem().unwrap().to_str().unwrap().to_owned())
        .collect();
    assert!(!scenarios.is_empty());
    let unplayed: Vec<_> = scenarios
        .iter()
        .filter(|name| !sources.iter().any(|source| source.contains(&format!("case(\"{name}\")"))))
        .collect();
    assert!(unplayed.is_empty(), "{unplayed:?}");
}
