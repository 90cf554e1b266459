//! Authentication without sockets: bytes and headers in, bytes and headers out.
//!
//! Owns: authenticators and the parsing of challenges. Must not know connections, protocols or where secrets are kept.

pub mod basic;
pub mod certificate;
pub mod challenge;
pub mod choice;
pub mod digest;

use secrecy::SecretString;

pub use challenge::Challenge;

use basic::Basic;
use certificate::Certificate;
use choice::{Choice, First};
use digest::Digest;

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
    /// What the server offers and was not tried would show the secret where that is not allowed.
    Exposed {
        /// The scheme that would.
        scheme: &'static str,
        /// What was tried before and why it did not do; empty if nothing was.
        tried: String,
    },
}

/// One authentication conversation, bound to one operation.
pub trait Authenticator: Send {
    /// The scheme's name as it stands in `WWW-Authenticate`.
    fn scheme(&self) -> &'static str;

    /// The scheme and what was agreed on with the server, in words, without anything that proves.
    fn told(&self) -> String {
        self.scheme().to_owned()
    }

    /// Whether it authenticates the connection rather than each request (NTLM, Kerberos).
    fn binds_connection(&self) -> bool;

    /// Told before each connection whether whoever reads what is sent may learn the secret. False if it cannot do without:
    /// then no connection is made.
    fn may_reveal(&mut self, _allowed: bool) -> bool {
        true
    }

    /// The `Authorization` header of the next request, or none.
    fn authorization(&mut self, method: &str, path: &str) -> Option<SecretHeader>;

    /// Takes in the challenges of a 401 answer.
    fn challenged(&mut self, challenges: &[Challenge]) -> Step;

    /// Takes in an answer that is no 401, with the value of its `Authentication-Info` (RFC 7615).
    ///
    /// # Errors
    /// In words, if the server proves itself wrongly.
    fn accepted(&mut self, _info: Option<&[u8]>) -> Result<(), String> {
        Ok(())
    }
}

/// Why credentials cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unusable {
    /// There is no such mechanism.
    #[error("there is no authentication mechanism {0:?}; there is {names}", names = mechanisms().collect::<Vec<_>>().join(", "))]
    Mechanism(String),
    /// A Basic user with a colon (RFC 7617 section 2).
    #[error("a user of Basic authentication cannot have a colon in its name")]
    Colon,
    /// User or password with a control character (RFC 7617 section 2).
    #[error("user and password cannot have control characters")]
    ControlCharacter,
}

type Make = fn(Credentials) -> Result<Box<dyn Authenticator>, Unusable>;

/// Every mechanism by its name in profiles.
static REGISTRY: &[(&str, Make)] = &[
    ("auto", |credentials| choice(First::Basic, credentials)),
    ("basic", |credentials| Ok(Box::new(Basic::new(credentials)?))),
    ("certificate", |_| Ok(Box::new(Certificate))),
    ("digest", |credentials| choice(First::Nothing, credentials)),
];

/// A choice, of credentials that at least Digest can carry.
fn choice(first: First, credentials: Credentials) -> Result<Box<dyn Authenticator>, Unusable> {
    Digest::new(credentials.clone())?;
    Ok(Box::new(Choice::new(first, credentials)))
}

/// The names of all mechanisms, as profiles spell them.
pub fn mechanisms() -> impl Iterator<Item = &'static str> {
    REGISTRY.iter().map(|(name, _)| *name)
}

/// The authenticator of `mechanism` (as profiles name it, such as `basic`) with `credentials`.
///
/// # Errors
/// If there is no such mechanism, or it cannot send these credentials.
pub fn authenticator_for(mechanism: &str, credentials: Credentials) -> Result<Box<dyn Authenticator>, Unusable> {
    match REGISTRY.iter().find(|(name, _)| name.eq_ignore_ascii_case(mechanism)) {
        Some((_, make)) => make(credentials),
        None => Err(Unusable::Mechanism(mechanism.to_owned())),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]

    use super::*;

    fn ann() -> Credentials {
        Credentials { user: "ann".to_owned(), secret: "s3cret".to_owned().into() }
    }

    #[test]
    fn the_registry_knows_basic_and_says_what_it_knows() {
        assert_eq!(authenticator_for("Basic", ann()).unwrap().scheme(), "Basic");
        let error = authenticator_for("kerberos", ann()).err().unwrap();
        assert_eq!(
            error.to_string(),
            "there is no authentication mechanism \"kerberos\"; there is auto, basic, certificate, digest"
        );
    }
}
