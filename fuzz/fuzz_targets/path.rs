//! Fuzzes object paths. What must hold stands in `tests/properties`, which the normal tests use too.
#![no_main]

#[path = "../../tests/properties/path.rs"]
mod path;

libfuzzer_sys::fuzz_target!(|data: &[u8]| path::check(data));
