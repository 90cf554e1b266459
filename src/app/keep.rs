//! Keeping a typed secret in the keyring.
//!
//! Owns: whether it can be kept, that it is kept only once a server has accepted it, and that its session reads it there from
//! then on. Must not hold a secret: the engine does.

use super::{Change, Effect, State, display, palette::BROKEN};
use crate::{op::SessionId, session::SecretSource};

/// What is known of the keyring.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) enum Keyring {
    /// Nobody asked.
    #[default]
    Unknown,
    /// It is being asked.
    Asked,
    /// It answers.
    There,
    /// It does not; why, escaped.
    Missing(String),
}

impl State {
    /// Why the secret of `session` cannot be kept in the keyring; `None` if it can.
    pub fn unkeepable(&self, session: SessionId) -> Option<&str> {
        let saved = self.sessions.get(session).is_some_and(|known| self.saved.get(&known.entry.profile.id).is_some());
        match &self.keyring {
            _ if !saved => Some("the session is not saved"),
            _ if self.saved.is_broken() => Some(BROKEN),
            Keyring::Unknown | Keyring::Asked => Some("the keyring has not answered yet"),
            Keyring::Missing(why) => Some(why),
            Keyring::There => None,
        }
    }

    /// Asks once in a run whether there is a keyring: when a secret is first asked for.
    pub(super) fn look_for_keyring(&mut self) {
        if self.keyring == Keyring::Unknown {
            self.keyring = Keyring::Asked;
            self.effects.push(Effect::LookForKeyring);
        }
    }

    /// The keyring answered, or why it does not, raw.
    pub(super) fn keyring_answered(&mut self, answered: Result<(), String>) {
        self.keyring = match answered {
            Ok(()) => Keyring::There,
            Err(why) => Keyring::Missing(display::safe(&why)),
        };
    }

    /// Turns over whether the secret being typed is to be kept.
    pub(super) fn toggle_keep(&mut self) {
        let Some(session) = self.wants_secret().map(|prompt| prompt.session) else { return };
        let can = self.unkeepable(session).is_none();
        if let Some(super::Layer::Secret(prompt)) = self.layers.last_mut() {
            prompt.keep = can && !prompt.keep;
        }
    }

    /// The secret given for `session` is to be kept, or is not.
    pub(super) fn keep_when_accepted(&mut self, session: SessionId, keep: bool) {
        match keep && self.unkeepable(session).is_none() {
            true => drop(self.keep.insert(session)),
            false => drop(self.keep.remove(&session)),
        }
    }

    /// An operation of `session` has succeeded with the secret.
    pub(super) fn secret_accepted(&mut self, session: SessionId) {
        if self.keep.remove(&session) {
            self.effects.push(Effect::KeepSecret(session));
        }
    }

    /// The keyring has the secret of `session`, or did not take it: why and what to try, raw.
    pub(super) fn secret_kept(&mut self, session: SessionId, kept: Result<(), (String, String)>) {
        if let Err((cause, hint)) = kept {
            self.log_text(super::Level::Error, Some(session), None, &cause, &hint);
            return;
        }
        let Some(known) = self.sessions.get_mut(session) else { return };
        // What is on the screen was read with the same secret: it stays.
        known.entry.profile.target.secret = SecretSource::Keyring;
        let (id, target) = (known.entry.profile.id.clone(), known.entry.profile.target.clone());
        if known.open {
            self.effects.push(Effect::Change { session, target });
        }
        self.change(Change::ReadKeyring(id));
    }
}
