//! The proof of one request, and the server's own.
//!
//! Owns: hashes and the `Authorization` header of RFC 7616 section 3.4. Must not know challenges.

use md5::Md5;
use sha2::{Sha256, Sha512_256};
use subtle::ConstantTimeEq as _;
use zeroize::Zeroizing;

use super::Session;

/// A hash, and whether the key is one of the session (`-sess`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Algorithm {
    hash: Hash,
    pub(super) session: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Hash {
    Md5,
    Sha256,
    Sha512_256,
}

impl Algorithm {
    /// The algorithm `name`, without regard to case (RFC 7616 section 3.3).
    pub(super) fn named(name: &str) -> Option<Self> {
        let name = name.trim().to_ascii_lowercase();
        let (name, session) = name.strip_suffix("-sess").map_or((name.as_str(), false), |name| (name, true));
        let hash = match name {
            "md5" => Hash::Md5,
            "sha-256" => Hash::Sha256,
            "sha-512-256" => Hash::Sha512_256,
            _ => return None,
        };
        Some(Self { hash, session })
    }

    /// Its name as RFC 7616 has it.
    pub(super) fn name(self) -> String {
        let hash = match self.hash {
            Hash::Md5 => "MD5",
            Hash::Sha256 => "SHA-256",
            Hash::Sha512_256 => "SHA-512-256",
        };
        format!("{hash}{}", if self.session { "-sess" } else { "" })
    }

    /// The larger, the stronger.
    pub(super) const fn strength(self) -> u8 {
        match self.hash {
            Hash::Md5 => 0,
            Hash::Sha256 => 1,
            Hash::Sha512_256 => 2,
        }
    }

    /// The hash of `parts` with colons between them, in hexadecimal digits.
    pub(super) fn hash(self, parts: &[&str]) -> Zeroizing<String> {
        match self.hash {
            Hash::Md5 => hex::<Md5>(parts),
            Hash::Sha256 => hex::<Sha256>(parts),
            Hash::Sha512_256 => hex::<Sha512_256>(parts),
        }
    }
}

fn hex<D: md5::Digest>(parts: &[&str]) -> Zeroizing<String> {
    let mut hasher = D::new();
    for (index, part) in parts.iter().enumerate() {
        if index > 0 {
            hasher.update(b":");
        }
        hasher.update(part.as_bytes());
    }
    let digest = hasher.finalize();
    let mut text = Zeroizing::new(String::with_capacity(2 * digest.len()));
    for byte in digest.iter() {
        for half in [byte >> 4, byte & 15] {
            text.push(char::from_digit(u32::from(half), 16).unwrap_or('0'));
        }
    }
    text
}

/// What was proven of one request, as the server's proof needs it.
pub(super) struct Proof {
    path: String,
    nonce: String,
    count: String,
    response: Zeroizing<String>,
}

impl Proof {
    /// The proof of a request for `path` (RFC 7616 section 3.4.1).
    pub(super) fn new(session: &Session, method: &str, path: &str) -> Self {
        let (path, nonce) = (path.to_owned(), session.offer.nonce.clone());
        let mut proof = Self { path, nonce, count: format!("{:08x}", session.count), response: Zeroizing::default() };
        proof.response = proof.response(session, method);
        proof
    }

    /// The hash of key, nonces and `method:path`; the server proves itself with no method (RFC 7616 section 3.5).
    fn response(&self, session: &Session, method: &str) -> Zeroizing<String> {
        let algorithm = session.offer.algorithm;
        let asked = algorithm.hash(&[method, &self.path]);
        if session.offer.counts {
            let client = &session.client_nonce;
            algorithm.hash(&[&session.key, &self.nonce, &self.count, client, "auth", &asked])
        } else {
            algorithm.hash(&[&session.key, &self.nonce, &asked])
        }
    }

    /// Whether `rspauth` is the server's proof.
    pub(super) fn is_proven_by(&self, session: &Session, rspauth: &str) -> bool {
        let expected = self.response(session, "");
        expected.as_bytes().ct_eq(rspauth.to_ascii_lowercase().as_bytes()).into()
    }

    /// The header that carries it.
    pub(super) fn header(&self, session: &Session, user: &str) -> String {
        let offer = &session.offer;
        let mut header = match offer.hides_user {
            true => format!("Digest username=\"{}\"", *offer.algorithm.hash(&[user, &offer.realm])),
            // RFC 7616 section 3.4: what quotes cannot carry goes as RFC 8187 has it.
            false if offer.is_utf8 && !user.is_ascii() => format!("Digest username*=UTF-8''{}", encoded(user)),
            false => format!("Digest username={}", quoted(user)),
        };
        let (realm, nonce, path) = (quoted(&offer.realm), quoted(&self.nonce), quoted(&self.path));
        header.push_str(&format!(", realm={realm}, nonce={nonce}, uri={path}"));
        if let Some(algorithm) = &offer.written {
            header.push_str(&format!(", algorithm={algorithm}"));
        }
        if offer.counts {
            let client = quoted(&session.client_nonce);
            header.push_str(&format!(", qop=auth, nc={}, cnonce={client}", self.count));
        }
        header.push_str(&format!(", response=\"{}\"", *self.response));
        if let Some(opaque) = &offer.opaque {
            header.push_str(&format!(", opaque={}", quoted(opaque)));
        }
        if offer.hides_user {
            header.push_str(", userhash=true");
        }
        header
    }
}

/// `text` as a `quoted-string` (RFC 9110 section 5.6.4).
fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

/// `text` with everything but `attr-char` percent-encoded (RFC 8187 section 3.2.1).
fn encoded(text: &str) -> String {
    let mut out = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"!#$&+-.^_`|~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}
