//! Fuzzes datetimes. What must hold stands in `tests/properties`, which the normal tests use too.
#![no_main]

#[path = "../../tests/properties/datetime.rs"]
mod datetime;

libfuzzer_sys::fuzz_target!(|data: &[u8]| datetime::check(data));
