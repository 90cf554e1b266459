//! HTTP Basic authentication (RFC 7617).
//!
//! Owns: the header that carries user and password. Must not know whether the connection is safe enough for it.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use secrecy::ExposeSecret as _;
use zeroize::Zeroizing;

use super::{Authenticator, Challenge, Credentials, SecretHeader, Step, Unusable};

/// The scheme's name.
pub const SCHEME: &str = "Basic";

/// Basic: user and password with every request, from the first one on.
pub struct Basic {
    credentials: Credentials,
}

impl std::fmt::Debug for Basic {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Basic(..)")
    }
}

impl Basic {
    /// Basic with `credentials`, sent as UTF-8 (RFC 7617 section 2.1).
    ///
    /// # Errors
    /// RFC 7617 section 2: a user with a colon, a user or password with control characters cannot be sent.
    pub fn new(credentials: Credentials) -> Result<Self, Unusable> {
        if credentials.user.contains(':') {
            return Err(Unusable::Colon);
        }
        let secret = credentials.secret.expose_secret();
        if credentials.user.chars().chain(secret.chars()).any(|c| c.is_ascii_control()) {
            return Err(Unusable::ControlCharacter);
        }
        Ok(Self { credentials })
    }
}

impl Authenticator for Basic {
    fn scheme(&self) -> &'static str {
        SCHEME
    }

    fn binds_connection(&self) -> bool {
        false
    }

    fn may_reveal(&mut self, allowed: bool) -> bool {
        allowed
    }

    fn authorization(&mut self, _method: &str, _path: &str) -> Option<SecretHeader> {
        let secret = self.credentials.secret.expose_secret();
        // With room for all of it from the start, no copy is left behind by growing.
        let mut pair = Zeroizing::new(Vec::with_capacity(self.credentials.user.len() + 1 + secret.len()));
        pair.extend_from_slice(self.credentials.user.as_bytes());
        pair.push(b':');
        pair.extend_from_slice(secret.as_bytes());
        let mut header = Zeroizing::new(Vec::from(b"Basic "));
        let start = header.len();
        let mut encoded = Zeroizing::new(vec![0; pair.len().div_ceil(3) * 4]);
        let length = STANDARD.encode_slice(pair.as_slice(), &mut encoded).ok()?;
        header.reserve_exact(length);
        header.extend_from_slice(encoded.get(..length)?);
        debug_assert_eq!(header.len(), start + length);
        Some(SecretHeader(header))
    }

    fn challenged(&mut self, challenges: &[Challenge]) -> Step {
        // The credentials went with the request already: sending them again would only lock the account sooner.
        match challenges.iter().find(|challenge| challenge.is(SCHEME)) {
            Some(basic) => {
                let realm = basic.param("realm").map(|realm| format!(" for {realm:?}")).unwrap_or_default();
                Step::Refused(format!("the server refused user and password{realm}"))
            }
            None => Step::Refused("the server does not take Basic authentication".to_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]

    use super::*;

    fn basic(user: &str, secret: &str) -> Result<Basic, Unusable> {
        Basic::new(Credentials { user: user.to_owned(), secret: secret.to_owned().into() })
    }

    fn header(user: &str, secret: &str) -> String {
        let header = basic(user, secret).unwrap().authorization("POST", "/cimom").unwrap();
        String::from_utf8(header.0.to_vec()).unwrap()
    }

    #[test]
    fn examples_of_the_rfc() {
        assert_eq!(header("Aladdin", "open sesame"), "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==");
        assert_eq!(header("test", "123\u{a3}"), "Basic dGVzdDoxMjPCow==");
        assert_eq!(header("", ""), "Basic Og==");
        assert_eq!(header("u", "a:b"), "Basic dTphOmI=");
    }

    #[test]
    fn what_cannot_be_sent_is_refused() {
        assert_eq!(basic("a:b", "x").unwrap_err(), Unusable::Colon);
        assert_eq!(basic("a\n", "x").unwrap_err(), Unusable::ControlCharacter);
        assert_eq!(basic("a", "x\u{7f}").unwrap_err(), Unusable::ControlCharacter);
    }

    #[test]
    fn a_challenge_after_the_credentials_went_is_a_refusal() {
        let mut basic = basic("ann", "s3cret").unwrap();
        let offered = super::super::challenge::parse([br#"Basic realm="vm""#.as_slice()]);
        assert_eq!(
            basic.challenged(&offered),
            Step::Refused(r#"the server refused user and password for "vm""#.into())
        );
        let other = super::super::challenge::parse([b"Negotiate".as_slice()]);
        assert!(matches!(basic.challenged(&other), Step::Refused(text) if text.contains("does not take Basic")));
    }

    #[test]
    fn debug_shows_no_secret() {
        let credentials = Credentials { user: "ann".to_owned(), secret: "s3cret".to_owned().into() };
        let shown = format!("{credentials:?}");
        let mut basic = Basic::new(credentials).unwrap();
        let shown = format!("{shown}{basic:?}{:?}", basic.authorization("POST", "/"));
        assert_eq!(shown, "Credentials(..)Basic(..)Some(SecretHeader(..))");
    }
}
