//! What a server sends back of what it was sent.
//!
//! Owns: finding the secrets of an operation, and what proves them, in its errors, which quote the server, and taking them
//! out. Must not touch what else a server says.

use std::sync::Arc;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use secrecy::{ExposeSecret, SecretString};
use zeroize::Zeroizing;

use crate::{
    auth::Credentials,
    op::{OpError, OpEventKind},
};

/// Shorter passwords are words of any text.
const SHORTEST: usize = 6;

/// The texts that must not be shown.
#[derive(Default)]
pub(in crate::engine) struct Hidden(Vec<SecretString>);

impl Hidden {
    /// Adds the password of `credentials` and what Basic sends of them (RFC 7617 section 2).
    pub(in crate::engine) fn add(&mut self, credentials: &Credentials) {
        let Credentials { user, secret } = credentials;
        let pair = Zeroizing::new(format!("{user}:{}", secret.expose_secret()));
        self.0.push(SecretString::from(STANDARD.encode(pair.as_bytes())));
        if secret.expose_secret().len() >= SHORTEST {
            self.0.push(secret.clone());
        }
    }

    /// `kind` without them.
    pub(in crate::engine) fn out_of(&self, kind: OpEventKind) -> OpEventKind {
        match kind {
            OpEventKind::Failed(error) => OpEventKind::Failed(self.out_of_error(error)),
            OpEventKind::Warning(error) => OpEventKind::Warning(self.out_of_error(error)),
            OpEventKind::PhaseEnded { conn, phase, error: Some(error) } => {
                OpEventKind::PhaseEnded { conn, phase, error: Some(self.out_of_error(error)) }
            }
            other => other,
        }
    }

    fn out_of_error(&self, error: Arc<OpError>) -> Arc<OpError> {
        let error =
            self.0.iter().fold(error, |error, secret| error.without(secret.expose_secret()).map_or(error, Arc::new));
        let raw = error.raw.iter().flat_map(|raw| proofs(&raw.text));
        let proofs =
            raw.chain(error.causes.iter().flat_map(|cause| proofs(cause))).map(str::to_owned).collect::<Vec<_>>();
        proofs.iter().fold(error, |error, proof| error.without(proof).map_or(error, Arc::new))
    }
}

/// The shortest part of a hash that is taken for one: an excerpt may begin or end within it.
const HASH: usize = 8;

/// The proofs of Digest in `text` (RFC 7616 section 3.4: `response="..."`), however its quotes are written: whoever reads one can
/// try passwords on it.
fn proofs(text: &str) -> impl Iterator<Item = &str> {
    text.match_indices("response=").filter_map(|(at, name)| {
        let rest = text.get(at + name.len()..)?;
        let rest =
            ["&quot;", "&#34;", "\\\"", "\"", "%22"].iter().find_map(|quote| rest.strip_prefix(quote)).unwrap_or(rest);
        let end = rest.find(|c: char| !c.is_ascii_hexdigit()).unwrap_or(rest.len());
        rest.get(..end).filter(|proof| proof.len() >= HASH)
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::op::{ErrorKind, Phase, RawExcerpt};

    #[test]
    fn a_proof_of_digest_is_hidden_however_it_is_quoted() {
        let proof = "6629fae49393a05397450978507c4ef1";
        for quoted in
            ["\"{}\"", "&quot;{}&quot;", "\\\"{}\\\"", "{}", "%22{}%22"].map(|quotes| quotes.replace("{}", proof))
        {
            let sent = format!("Digest username=\"ann\", qop=auth, response={quoted}, opaque=\"x\"");
            let error = OpError::new(Phase::Wait, "h", ErrorKind::Http(500), format!("you sent {sent}"), "")
                .showing(Some(RawExcerpt::of(sent.as_bytes(), 0, 9)));
            let OpEventKind::Failed(error) = Hidden::default().out_of(OpEventKind::Failed(Arc::new(error))) else {
                unreachable!()
            };
            let raw = &error.raw.as_ref().unwrap().text;
            assert!(!error.cause().contains("6629") && !raw.contains("6629"), "{error:?}");
            assert!(error.cause().contains("username=\"ann\"") && error.cause().contains("(hidden)"), "{error}");
        }
        assert_eq!(proofs("response=ok, response=\"none\", response=").count(), 0);
    }

    #[test]
    fn what_a_server_sends_back_is_hidden_and_the_rest_stays() {
        let mut hidden = Hidden::default();
        hidden.add(&Credentials { user: "ann".to_owned(), secret: "hunter2".into() });
        hidden.add(&Credentials { user: "bob".to_owned(), secret: "at".into() });
        let raw = "<p>Basic YW5uOmh1bnRlcjI= is hunter2</p>";
        let error = OpError::new(Phase::Wait, "h", ErrorKind::Http(500), "not hunter2 at all", "")
            .because("Basic Ym9iOmF0")
            .showing(Some(RawExcerpt::of(raw.as_bytes(), 0, 27)));
        let shown = hidden.out_of(OpEventKind::Failed(Arc::new(error)));
        let OpEventKind::Failed(error) = shown else { unreachable!() };
        assert_eq!(error.causes, ["not (hidden) at all", "Basic (hidden)"]);
        let raw = error.raw.as_ref().unwrap();
        assert_eq!(&*raw.text, "<p>Basic (hidden) is (hidden)</p>");
        assert_eq!(raw.text.get(raw.mark..), Some("s (hidden)</p>"));
    }
}
