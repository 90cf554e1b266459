//! What a server sends back of what it was sent.
//!
//! Owns: finding the secrets of an operation in its errors, which quote the server, and taking them out.
//! Must not touch what else a server says.

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
        self.0.iter().fold(error, |error, secret| error.without(secret.expose_secret()).map_or(error, Arc::new))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::op::{ErrorKind, Phase, RawExcerpt};

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
