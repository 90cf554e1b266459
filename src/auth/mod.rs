//! Authentication without sockets: bytes and headers in, bytes and headers out.
//!
//! Owns: authenticators and the parsing of challenges. Must not know connections, protocols or where secrets are kept.

pub mod basic;
pub mod challenge;

use secrecy::SecretString;

pub use challenge::Challenge;

/// A user and the secret that proves it. `Debug` shows neither.
#[derive(Clone)]
pub struct Credentials {
    /// The user as the server expects it.
    pub user: String,
    /// The password.
    pub secret: SecretString,
}

impl std::fmt::Debug for Credentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Credentials(..)")
    }
}

/// A header value that carries proof of identity. `Debug` hides it; it is wiped when dropped.
pub struct SecretHeader(pub zeroize::Zeroizing<Vec<u8>>);

impl std::fmt::Debug for SecretHeader {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SecretHeader(..)")
    }
}

/// What to do after a 401.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Ask [`Authenticator::authorization`] again and resend: another leg.
    Again,
    /// The server refused the credentials, or offers no scheme we have. The text says which, without a secret.
    Refused(String),
}

/// One authentication conversation, bound to one operation.
pub trait Authenticator: Send {
    /// The scheme's name as it stands in `WWW-Authenticate`.
    fn scheme(&self) -> &'static str;

    /// Whether it authenticates the connection rather than each request (NTLM, Kerberos).
    fn binds_connection(&self) -> bool;

    /// The `Authorization` header of the next request, or none.
    fn authorization(&mut self, method: &str, path: &str) -> Option<SecretHeader>;

    /// Takes in the challenges of a 401 answer.
    fn challenged(&mut self, challenges: &[Challenge]) -> Step;
}
