//! Fuzzes the details of WS-Man faults, up to what is told of them. What must hold stands in `tests/properties`.
#![no_main]

#[path = "../../tests/properties/decoding.rs"]
mod decoding;
#[path = "../../tests/properties/pieces.rs"]
mod pieces;
#[path = "../../tests/properties/wsman.rs"]
mod wsman;

libfuzzer_sys::fuzz_target!(|data: &[u8]| wsman::fault(data));
