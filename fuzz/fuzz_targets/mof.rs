//! Fuzzes the MOF parser and printer. What must hold stands in `tests/properties`, which the normal tests use too.
#![no_main]

#[path = "../../tests/properties/mof.rs"]
mod mof;

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let _ = mof::check(data);
});
