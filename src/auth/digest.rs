//! HTTP Digest authentication (RFC 7616, and servers of RFC 2617 and RFC 2069).
//!
//! Owns: choosing one of the offered challenges, the proof that goes with each request, and the server's own proof. Must
//! not know connections, nor what else a server offers.

mod proof;

#[cfg(test)]
mod tests;

use secrecy::ExposeSecret as _;
use zeroize::Zeroizing;

use super::{Authenticator, Challenge, Credentials, SecretHeader, Step, Unusable, challenge};
use proof::{Algorithm, Proof};

/// The scheme's name.
pub const SCHEME: &str = "Digest";

/// Makes a client nonce, which is never the same twice; `None` where the system has no randomness.
type Nonces = Box<dyn FnMut() -> Option<String> + Send>;

/// Digest: nothing with the first request, then a proof with each.
pub struct Digest {
    credentials: Credentials,
    nonces: Nonces,
    session: Option<Session>,
    /// The proof of the last request, which the server's own is compared with.
    sent: Option<Proof>,
    /// The server took a proof since the session began: a 401 then means that its nonce is used up.
    taken: bool,
}

/// What one challenge began.
struct Session {
    offer: Offer,
    /// Of the user, with the user and realm it belongs to.
    key: Zeroizing<String>,
    client_nonce: String,
    /// Requests sent with the nonce of the offer.
    count: u32,
    /// Why the nonce before it is of no use any more.
    renewed: Option<&'static str>,
}

/// A challenge that can be answered.
struct Offer {
    realm: String,
    nonce: String,
    opaque: Option<String>,
    algorithm: Algorithm,
    /// The algorithm as the server wrote it; it is repeated so.
    written: Option<String>,
    /// Whether `qop=auth` is spoken; without it RFC 2069 is.
    counts: bool,
    hides_user: bool,
    is_utf8: bool,
}

impl Offer {
    /// The challenge, if it is one of Digest that can be answered.
    fn of(challenge: &Challenge) -> Option<Self> {
        if !challenge.is(SCHEME) {
            return None;
        }
        let text = |name| challenge.param(name).map(str::to_owned);
        let written = text("algorithm");
        let algorithm = Algorithm::named(written.as_deref().unwrap_or("MD5"))?;
        let qop = challenge.param("qop").filter(|qop| !qop.trim().is_empty());
        let counts = match qop {
            Some(qop) => qop.split(',').any(|one| one.trim().eq_ignore_ascii_case("auth")).then_some(true)?,
            // A session key needs a client nonce, which only goes with qop (RFC 7616 section 3.4).
            None if algorithm.session => return None,
            None => false,
        };
        Some(Self {
            realm: text("realm").unwrap_or_default(),
            nonce: text("nonce")?,
            opaque: text("opaque"),
            algorithm,
            written,
            counts,
            hides_user: challenge.param("userhash").is_some_and(|value| value.eq_ignore_ascii_case("true")),
            is_utf8: challenge.param("charset").is_some_and(|value| value.eq_ignore_ascii_case("UTF-8")),
        })
    }
}

impl std::fmt::Debug for Digest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Digest(..)")
    }
}

/// 128 random bits in hexadecimal digits.
fn random_nonce() -> Option<String> {
    let mut bytes = [0_u8; 16];
    getrandom::fill(&mut bytes).ok()?;
    Some(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

impl Digest {
    /// Digest with `credentials`.
    ///
    /// # Errors
    /// A user with control characters cannot stand in a header.
    pub fn new(credentials: Credentials) -> Result<Self, Unusable> {
        if credentials.user.chars().any(|c| c.is_ascii_control()) {
            return Err(Unusable::ControlCharacter);
        }
        Ok(Self { credentials, nonces: Box::new(random_nonce), session: None, sent: None, taken: false })
    }

    /// Begins anew with the strongest of the challenges; of equal ones with the first.
    fn begin(&mut self, challenges: &[Challenge], renewed: Option<&'static str>) -> Option<()> {
        let offers = challenges.iter().filter_map(Offer::of);
        let offer = offers.reduce(
            |best, next| {
                if next.algorithm.strength() > best.algorithm.strength() { next } else { best }
            },
        )?;
        let client_nonce = (self.nonces)()?;
        let secret = self.credentials.secret.expose_secret();
        let mut key = offer.algorithm.hash(&[&self.credentials.user, &offer.realm, secret]);
        if offer.algorithm.session {
            key = offer.algorithm.hash(&[&key, &offer.nonce, &client_nonce]);
        }
        self.session = Some(Session { offer, key, client_nonce, count: 0, renewed });
        (self.sent, self.taken) = (None, false);
        Some(())
    }
}

impl Authenticator for Digest {
    fn scheme(&self) -> &'static str {
        SCHEME
    }

    fn told(&self) -> String {
        let Some(Session { offer, renewed, .. }) = &self.session else { return SCHEME.to_owned() };
        let why = renewed.map(|why| format!(", {why}")).unwrap_or_default();
        format!("{SCHEME} {}{why}", offer.algorithm.name())
    }

    fn binds_connection(&self) -> bool {
        false
    }

    fn authorization(&mut self, method: &str, path: &str) -> Option<SecretHeader> {
        let session = self.session.as_mut()?;
        session.count = session.count.checked_add(1)?;
        let proof = Proof::new(session, method, path);
        let header = proof.header(session, &self.credentials.user);
        self.sent = Some(proof);
        Some(SecretHeader(Zeroizing::new(header.into_bytes())))
    }

    fn challenged(&mut self, challenges: &[Challenge]) -> Step {
        let digests = || challenges.iter().filter(|challenge| challenge.is(SCHEME));
        let Some(first) = digests().next() else {
            return Step::Refused("the server does not take Digest authentication".to_owned());
        };
        // RFC 7616 section 3.3: a stale nonce is no refusal. Nor is the end of one that was good before, which many servers do
        // not call stale. A nonce that is called stale again and again is ended by the number of legs.
        let is_stale = digests().any(|one| one.param("stale").is_some_and(|value| value.eq_ignore_ascii_case("true")));
        if self.sent.is_some() && !is_stale && !self.taken {
            let realm = first.param("realm").map(|realm| format!(" for {realm:?}")).unwrap_or_default();
            return Step::Refused(format!("the server refused user and password by Digest{realm}"));
        }
        let renewed = match (self.sent.is_some(), is_stale) {
            (false, _) => None,
            (true, true) => Some("new nonce: the last was stale"),
            (true, false) => Some("new nonce: the last ended"),
        };
        match self.begin(challenges, renewed) {
            Some(()) => Step::Again,
            None => {
                let shown = |name| first.param(name).unwrap_or("none").to_owned();
                let (algorithm, qop) = (shown("algorithm"), shown("qop"));
                Step::Refused(format!("its Digest cannot be answered (algorithm {algorithm}, qop {qop})"))
            }
        }
    }

    fn accepted(&mut self, info: Option<&[u8]>) -> Result<(), String> {
        let Some(proof) = self.sent.take() else { return Ok(()) };
        self.taken = true;
        let fields = info.map(challenge::parameters).unwrap_or_default();
        let field = |wanted: &str| {
            fields.iter().find(|(name, _)| name.eq_ignore_ascii_case(wanted)).map(|(_, value)| value.as_str())
        };
        let Some(session) = &mut self.session else { return Ok(()) };
        if let Some(proven) = field("rspauth")
            && !proof.is_proven_by(session, proven)
        {
            return Err("the server did not prove that it knows the password".to_owned());
        }
        if let Some(next) = field("nextnonce").filter(|next| !next.is_empty() && **next != *session.offer.nonce) {
            next.clone_into(&mut session.offer.nonce);
            session.count = 0;
        }
        Ok(())
    }
}
