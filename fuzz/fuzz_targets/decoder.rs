//! Fuzzes the decoder of CIM-XML answers. What must hold stands in `tests/properties`, which the normal tests use too.
#![no_main]

#[path = "../../tests/properties/decoder.rs"]
mod decoder;
#[path = "../../tests/properties/decoding.rs"]
mod decoding;
#[path = "../../tests/properties/pieces.rs"]
mod pieces;

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let _ = decoder::check(data);
});
