//! Fuzzes authentication challenges. What must hold stands in `tests/properties`, which the normal tests use too.
#![no_main]

#[path = "../../tests/properties/challenge.rs"]
mod challenge;

libfuzzer_sys::fuzz_target!(|data: &[u8]| challenge::check(data));
