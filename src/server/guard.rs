//! Who may come in: Basic and Digest on the server's side (RFC 7617, RFC 7616).
//!
//! Owns: challenges, nonces and the comparison of what a client proves. Must not know what is asked, nor the client's side of
//! either scheme: its hashes are made here.

use std::{
    collections::VecDeque,
    sync::{Mutex, PoisonError},
};

use base64::Engine as _;
use md5::{Digest, Md5};
use secrecy::ExposeSecret as _;
use sha2::Sha256;
use subtle::ConstantTimeEq as _;
use zeroize::Zeroizing;

use super::http::Head;
use crate::auth::{Credentials, challenge};

/// The realm of our challenges.
const REALM: &str = "lazycim";
/// `user:password` in an Authorization header is compared up to this length.
const CREDENTIAL_MAX: usize = 1024;
/// Nonces remembered; a client whose nonce was forgotten is told that it is stale.
const NONCES: usize = 1024;
/// Counts behind the highest one that may still come, for clients that use one nonce on several connections.
const WINDOW: u32 = 64;

/// Which schemes a server offers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Offer {
    /// Basic, then Digest.
    #[default]
    Both,
    /// Basic alone.
    Basic,
    /// Digest alone: SHA-256, then MD5.
    Digest,
}

impl Offer {
    const fn basic(self) -> bool {
        matches!(self, Self::Both | Self::Basic)
    }

    const fn digest(self) -> bool {
        matches!(self, Self::Both | Self::Digest)
    }
}

/// A hash of Digest. The strongest is offered first (RFC 7616 section 3.7).
#[derive(Clone, Copy)]
enum Algorithm {
    Sha256,
    Md5,
}

impl Algorithm {
    const ALL: [Self; 2] = [Self::Sha256, Self::Md5];

    const fn name(self) -> &'static str {
        match self {
            Self::Sha256 => "SHA-256",
            Self::Md5 => "MD5",
        }
    }

    /// The hash of `text`, in hexadecimal digits.
    fn hex(self, text: &str) -> Zeroizing<String> {
        match self {
            Self::Sha256 => hex(&Sha256::digest(text)),
            Self::Md5 => hex(&Md5::digest(text)),
        }
    }
}

fn hex(bytes: &[u8]) -> Zeroizing<String> {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digit = |half: u8| DIGITS.get(usize::from(half)).copied().map_or('0', char::from);
    Zeroizing::new(bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect())
}

/// A nonce and the counts it was used with.
struct Nonce {
    text: String,
    highest: u32,
    /// Bit n: the count `highest - n` was used.
    used: u64,
}

impl Nonce {
    /// Whether `count` was not used before; it is from now on.
    fn takes(&mut self, count: u32) -> bool {
        if count > self.highest {
            self.used = self.used.checked_shl(count - self.highest).unwrap_or(0) | 1;
            self.highest = count;
            return true;
        }
        let behind = self.highest - count;
        let is_new = count > 0 && behind < WINDOW && self.used >> behind & 1 == 0;
        if is_new {
            self.used |= 1 << behind;
        }
        is_new
    }
}

/// What a head was let in with.
#[derive(Debug)]
pub(super) struct Admitted {
    /// `Authentication-Info`: that the server knows the password too (RFC 7616 section 3.5).
    pub(super) info: Option<String>,
}

/// Why a head was not let in.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Refused {
    /// The challenges of the 401.
    pub(super) challenges: Vec<String>,
}

/// The check of credentials.
pub(super) struct Guard {
    credentials: Credentials,
    offer: Offer,
    nonces: Mutex<VecDeque<Nonce>>,
}

impl Guard {
    pub(super) fn new(credentials: Credentials, offer: Offer) -> Self {
        Self { credentials, offer, nonces: Mutex::default() }
    }

    /// Whether the head proves the right credential. Neither the time it takes nor the answer tells how much was right.
    pub(super) fn admit(&self, head: &Head) -> Result<Admitted, Refused> {
        let given = head.header("authorization").map(str::trim).unwrap_or_default();
        let (scheme, rest) = given.split_once(' ').unwrap_or_default();
        let mut stale = false;
        if self.offer.basic() && scheme.eq_ignore_ascii_case("basic") && self.is_right(rest) {
            return Ok(Admitted { info: None });
        }
        if self.offer.digest() && scheme.eq_ignore_ascii_case("digest") {
            match self.digest(head, given) {
                Some((info, true)) => return Ok(Admitted { info: Some(info) }),
                Some((_, false)) => stale = true,
                None => {}
            }
        }
        Err(Refused { challenges: self.challenges(stale) })
    }

    /// The refusal of whoever proves nothing.
    pub(super) fn refuse(&self) -> Refused {
        Refused { challenges: self.challenges(false) }
    }

    fn challenges(&self, stale: bool) -> Vec<String> {
        let basic = self.offer.basic().then(|| format!("Basic realm=\"{REALM}\", charset=\"UTF-8\""));
        let nonce = if self.offer.digest() { self.nonce() } else { None };
        let stale = if stale { ", stale=true" } else { "" };
        let digests = nonce.iter().flat_map(|nonce| {
            Algorithm::ALL.map(|algorithm| {
                let name = algorithm.name();
                format!(
                    "Digest realm=\"{REALM}\", qop=\"auth\", algorithm={name}, nonce=\"{nonce}\", charset=UTF-8{stale}"
                )
            })
        });
        basic.into_iter().chain(digests).collect()
    }

    /// A new nonce; without randomness Digest is not offered.
    fn nonce(&self) -> Option<String> {
        let mut bytes = [0_u8; 16];
        getrandom::fill(&mut bytes).ok()?;
        let text = hex(&bytes).to_string();
        let mut nonces = self.nonces.lock().unwrap_or_else(PoisonError::into_inner);
        if nonces.len() == NONCES {
            nonces.pop_front();
        }
        nonces.push_back(Nonce { text: text.clone(), highest: 0, used: 0 });
        Some(text)
    }

    /// Whether `token` is the user and the password of Basic.
    fn is_right(&self, token: &str) -> bool {
        let given = Zeroizing::new(base64::engine::general_purpose::STANDARD.decode(token.trim()).unwrap_or_default());
        let secret = self.credentials.secret.expose_secret();
        let mut expected = Zeroizing::new(Vec::with_capacity(self.credentials.user.len() + 1 + secret.len()));
        expected.extend_from_slice(self.credentials.user.as_bytes());
        expected.push(b':');
        expected.extend_from_slice(secret.as_bytes());
        same(&expected, &given)
    }

    /// Whether `given` proves the password of a request: then our own proof, and whether its nonce is good.
    fn digest(&self, head: &Head, given: &str) -> Option<(String, bool)> {
        let found = challenge::parse([given.as_bytes()]);
        let given = found.first()?;
        let text = |name| given.param(name);
        let wanted = text("algorithm").unwrap_or("MD5");
        let algorithm = Algorithm::ALL.into_iter().find(|known| known.name().eq_ignore_ascii_case(wanted))?;
        let (nonce, client, count) = (text("nonce")?, text("cnonce")?, text("nc")?);
        let is_ours = text("realm") == Some(REALM) && text("qop") == Some("auth") && text("uri") == Some(&head.target);
        let is_count = count.len() == 8 && count.bytes().all(|byte| byte.is_ascii_hexdigit());
        if !is_ours || !is_count || nonce.len() > CREDENTIAL_MAX || client.len() > CREDENTIAL_MAX {
            return None;
        }
        let user = &self.credentials.user;
        let named = text("username").map(str::to_owned).or_else(|| extended(text("username*")?))?;
        let key = Zeroizing::new(format!("{user}:{REALM}:{}", self.credentials.secret.expose_secret()));
        let key = algorithm.hex(&key);
        let proof = |method: &str| {
            let asked = algorithm.hex(&format!("{method}:{}", head.target));
            let text = format!("{}:{nonce}:{count}:{client}:auth:{}", *key, *asked);
            algorithm.hex(&Zeroizing::new(text))
        };
        let is_user = same(user.as_bytes(), named.as_bytes());
        let is_right = same(proof(&head.method).as_bytes(), text("response")?.to_ascii_lowercase().as_bytes());
        if !(is_user & is_right) {
            return None;
        }
        let info = format!("qop=auth, rspauth=\"{}\", cnonce=\"{}\", nc={count}", *proof(""), escaped(client));
        Some((info, self.uses(nonce, u32::from_str_radix(count, 16).ok()?)))
    }

    /// Whether `nonce` is one of ours and was not used with `count` before.
    fn uses(&self, nonce: &str, count: u32) -> bool {
        let mut nonces = self.nonces.lock().unwrap_or_else(PoisonError::into_inner);
        nonces.iter_mut().find(|known| known.text == nonce).is_some_and(|known| known.takes(count))
    }
}

/// The text of a quoted string (RFC 9110 section 5.6.4).
fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"")
}

/// The value of `username*` (RFC 8187 section 3.2), of UTF-8 alone.
fn extended(value: &str) -> Option<String> {
    let rest = value.get(..7).filter(|set| set.eq_ignore_ascii_case("UTF-8''")).and_then(|_| value.get(7..))?;
    super::cimxml::percent_decoded(rest)
}

/// Compares without leaving early, also when the lengths differ.
fn same(expected: &[u8], given: &[u8]) -> bool {
    let padded = |bytes: &[u8]| {
        let mut buffer = Zeroizing::new([0_u8; CREDENTIAL_MAX]);
        for (to, from) in buffer.iter_mut().zip(bytes) {
            *to = *from;
        }
        buffer
    };
    let bytes = padded(expected).as_slice().ct_eq(padded(given).as_slice());
    let lengths = (expected.len() as u64).ct_eq(&(given.len() as u64));
    let fits = subtle::Choice::from(u8::from(expected.len() <= CREDENTIAL_MAX));
    (bytes & lengths & fits).into()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn guard(offer: Offer) -> Guard {
        Guard::new(Credentials { user: "ann".to_owned(), secret: "p:w".to_owned().into() }, offer)
    }

    fn head(authorization: &str) -> Head {
        let headers = vec![("Authorization".to_owned(), authorization.to_owned())];
        Head { method: "POST".to_owned(), target: "/wsman".to_owned(), headers }
    }

    /// The challenge of a bare request that names `algorithm`, read by the parser of challenges.
    fn offered(guard: &Guard, algorithm: &str) -> challenge::Challenge {
        let refused = guard.admit(&head("")).unwrap_err();
        let found = challenge::parse(refused.challenges.iter().map(String::as_bytes));
        found.into_iter().find(|one| one.param("algorithm") == Some(algorithm)).unwrap()
    }

    /// An answer to `nonce`, with the hashes put together here.
    fn answer(nonce: &str, count: u32, secret: &str, sha: bool) -> String {
        let hash = |text: &str| if sha { hex(&Sha256::digest(text)) } else { hex(&Md5::digest(text)) };
        let (key, asked) = (hash(&format!("ann:lazycim:{secret}")), hash("POST:/wsman"));
        let response = hash(&format!("{}:{nonce}:{count:08x}:cc:auth:{}", *key, *asked));
        let name = if sha { "SHA-256" } else { "MD5" };
        format!(
            "Digest username=\"ann\", realm=\"lazycim\", nonce=\"{nonce}\", uri=\"/wsman\", algorithm={name}, qop=auth, \
             nc={count:08x}, cnonce=\"cc\", response=\"{}\"",
            *response
        )
    }

    #[test]
    fn each_offer_names_its_schemes() {
        let names = |offer| -> Vec<String> {
            let refused = guard(offer).admit(&head("")).unwrap_err();
            refused.challenges.iter().map(|text| text.split(',').next().unwrap().to_owned()).collect()
        };
        assert_eq!(names(Offer::Basic), ["Basic realm=\"lazycim\""]);
        assert_eq!(names(Offer::Digest), ["Digest realm=\"lazycim\"", "Digest realm=\"lazycim\""]);
        assert_eq!(names(Offer::Both).len(), 3);
    }

    #[test]
    fn the_right_password_is_let_in_by_each_algorithm_and_each_count_once() {
        for (name, sha) in [("SHA-256", true), ("MD5", false)] {
            let guard = guard(Offer::Digest);
            let nonce = offered(&guard, name).param("nonce").unwrap().to_owned();
            for count in [1, 2, 5, 3] {
                let admitted = guard.admit(&head(&answer(&nonce, count, "p:w", sha))).unwrap();
                assert!(admitted.info.unwrap().starts_with("qop=auth, rspauth=\""));
                let replayed = guard.admit(&head(&answer(&nonce, count, "p:w", sha))).unwrap_err();
                assert!(replayed.challenges.iter().all(|one| one.ends_with("stale=true")), "{count}: {replayed:?}");
            }
            for wrong in ["p:x", "", "P:w"] {
                let refused = guard.admit(&head(&answer(&nonce, 9, wrong, sha))).unwrap_err();
                assert!(refused.challenges.iter().all(|one| !one.contains("stale")), "{wrong}");
            }
        }
    }

    #[test]
    fn a_nonce_that_is_not_ours_is_stale_and_another_requests_proof_is_wrong() {
        let guard = guard(Offer::Both);
        let made_up = guard.admit(&head(&answer("00", 1, "p:w", true))).unwrap_err();
        assert!(made_up.challenges[1].ends_with("stale=true"), "{made_up:?}");
        let nonce = offered(&guard, "SHA-256").param("nonce").unwrap().to_owned();
        let mut elsewhere = head(&answer(&nonce, 1, "p:w", true));
        elsewhere.target = "/cimom".to_owned();
        let refused = guard.admit(&elsewhere).unwrap_err();
        assert!(refused.challenges.iter().all(|one| !one.contains("stale")));
    }

    #[test]
    fn basic_is_taken_where_it_is_offered_alone() {
        let token = format!("Basic {}", base64::engine::general_purpose::STANDARD.encode("ann:p:w"));
        assert!(guard(Offer::Both).admit(&head(&token)).is_ok());
        assert!(guard(Offer::Basic).admit(&head(&token)).is_ok());
        assert!(guard(Offer::Digest).admit(&head(&token)).is_err());
    }

    #[test]
    fn nonces_are_bounded() {
        let guard = guard(Offer::Digest);
        for _ in 0..2 * NONCES {
            let _ = guard.admit(&head(""));
        }
        assert_eq!(guard.nonces.lock().unwrap().len(), NONCES);
    }
}
