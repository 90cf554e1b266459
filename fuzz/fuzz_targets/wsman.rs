//! Fuzzes the decoder of WS-Man answers. What must hold stands in `tests/properties`, which the normal tests use too.
#![no_main]

#[path = "../../tests/properties/decoding.rs"]
mod decoding;
#[path = "../../tests/properties/pieces.rs"]
mod pieces;
#[path = "../../tests/properties/wsman.rs"]
mod wsman;

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let _ = wsman::check(data);
});
