//! Sessions: what is needed to connect, saved or given for one run. A session holds no socket.
//!
//! Owns: profiles, their file, the target they describe and where their secret comes from. Must not know how a connection
//! is made.

pub mod profile;
pub mod store;
pub mod url;

pub use profile::{Profile, ProfileId, PullUse, SecretSource, Target, Tls, TlsVersion};
