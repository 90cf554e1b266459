//! Sessions: what is needed to connect, saved or given for one run. A session holds no socket.
//!
//! Owns: profiles, their file, the presets they may build on, the target they describe and where their secret comes from.
//! Must not know how a connection is made.

pub mod exchange;
pub mod foreign;
pub mod live;
pub mod options;
pub mod preset;
pub mod profile;
pub mod secret;
pub mod store;
pub mod url;
pub mod wsman;

pub use live::{InstanceId, LiveSession};
pub use options::{Colour, HttpProxy, LimitChanges, Proxy, TimeoutChanges};
pub use profile::{Mechanism, Parent, Profile, ProfileId, PullUse, Target, Tls, TlsVersion};
pub use secret::{SecretCommand, SecretSource};
pub use wsman::{RequestEncoding, UriStyle, VendorNamespace, WsManOptions};
