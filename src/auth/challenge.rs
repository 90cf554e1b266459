//! Challenges: the `WWW-Authenticate` header (RFC 9110 section 11.6.1).
//!
//! Owns: splitting it into schemes and parameters. Must not know what a scheme does with them.

/// One challenge of a 401 answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Challenge {
    /// The scheme as written.
    pub scheme: String,
    /// Parameters in order, quotes and escapes removed.
    pub params: Vec<(String, String)>,
    /// The token68 that follows the scheme instead of parameters, if any.
    pub token: Option<String>,
}
