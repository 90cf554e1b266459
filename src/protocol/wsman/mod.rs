//! WS-Man: CIM operations as SOAP messages over HTTP (DSP0226, DSP0227, DSP0230, MS-WSMV).
//!
//! Owns: everything that is particular to WS-Man. Must not know the engine, the screen, or how connections are made.

pub mod decode;
pub mod envelope;
pub mod explain;
pub mod grammar;
pub mod namespaces;
pub mod request;
pub mod resource;
pub mod uuid;
