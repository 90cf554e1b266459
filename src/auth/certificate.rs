//! The client certificate of TLS as the only proof, as WinRM wants it said.
//!
//! Owns: the header that says so. Must not know the certificate, which TLS has shown already.

use zeroize::Zeroizing;

use super::{Authenticator, Challenge, SecretHeader, Step};

/// What WinRM expects in `Authorization` of whoever is known by a certificate (DSP0226, security profiles).
const PROFILE: &str = "http://schemas.dmtf.org/wbem/wsman/1/wsman/secprofile/https/mutual";

/// Nobody but the certificate says who asks.
#[derive(Debug)]
pub struct Certificate;

impl Authenticator for Certificate {
    fn scheme(&self) -> &'static str {
        "certificate"
    }

    fn binds_connection(&self) -> bool {
        false
    }

    fn authorization(&mut self, _method: &str, _path: &str) -> Option<SecretHeader> {
        Some(SecretHeader(Zeroizing::new(PROFILE.as_bytes().to_vec())))
    }

    fn challenged(&mut self, _challenges: &[Challenge]) -> Step {
        Step::Refused("the server knows no user by the client certificate".to_owned())
    }
}
