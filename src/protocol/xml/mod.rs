//! What the protocols that speak XML share: bytes of an answer in, whole items and rows out.
//!
//! Owns: the way of an answer through them ([`decoder`]); encodings, finding items while it arrives ([`framer`], by the
//! [`grammar`] of its protocol), reading one item ([`reader`], with namespaces in [`scope`]), scalars, and making rows
//! ([`rows`]); how character data is written ([`escape`]). Sans-IO. Must not know what an element of any protocol means, nor
//! hold words for people.
//!
//! ```text
//! bytes -> Transcoder -> Framer (Grammar) -> item -> Xml | Qualified -> Rows -> shapes, batches
//! ```

pub mod decoder;
pub mod encoding;
pub mod escape;
pub mod explain;
pub mod fault;
pub mod framer;
pub mod grammar;
pub mod reader;
pub mod rows;
pub mod scalar;
pub mod scope;
