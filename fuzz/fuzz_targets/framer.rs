//! Fuzzes the framer of CIM-XML answers. What must hold stands in `tests/properties`, which the normal tests use too.
#![no_main]

#[path = "../../tests/properties/framer.rs"]
mod framer;
#[path = "../../tests/properties/pieces.rs"]
mod pieces;

libfuzzer_sys::fuzz_target!(|data: &[u8]| framer::check(data));
