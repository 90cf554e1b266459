//! The secret being typed: held here and nowhere else, wiped when it leaves.
//!
//! Owns: the buffer. Must not be part of the state, and never printed.

use secrecy::SecretString;
use unicode_segmentation::UnicodeSegmentation;
use zeroize::Zeroizing;

use crate::op::SessionId;

/// The most bytes of a secret. The buffer has this capacity from the start, so that growing never leaves a copy behind.
const SECRET_BYTES: usize = 4096;

/// The field behind the masked prompt.
pub struct SecretField {
    typed: Zeroizing<String>,
    session: Option<SessionId>,
}

impl Default for SecretField {
    fn default() -> Self {
        Self { typed: Zeroizing::new(String::with_capacity(SECRET_BYTES)), session: None }
    }
}

impl SecretField {
    /// Makes the field that of `session`; what was typed for another session, or for none, is wiped.
    pub fn belongs_to(&mut self, session: Option<SessionId>) {
        if self.session != session {
            self.clear();
            self.session = session;
        }
    }

    /// Appends what was typed or pasted; line ends and other control characters are left out.
    pub fn push(&mut self, text: &str) {
        for c in text.chars().filter(|c| !c.is_control()) {
            if self.typed.len() + c.len_utf8() <= SECRET_BYTES {
                self.typed.push(c);
            }
        }
    }

    /// Takes the last character away.
    pub fn backspace(&mut self) {
        let end = self.typed.grapheme_indices(true).next_back().map_or(0, |(at, _)| at);
        let kept = Zeroizing::new(self.typed.get(..end).unwrap_or_default().to_owned());
        self.clear();
        self.typed.push_str(&kept);
    }

    /// Wipes it.
    pub fn clear(&mut self) {
        // Zeroizing wipes only on drop; this wipes now and keeps the capacity.
        self.typed = Zeroizing::new(String::with_capacity(SECRET_BYTES));
    }

    /// How many characters are typed.
    pub fn length(&self) -> usize {
        self.typed.graphemes(true).count()
    }

    /// The secret, handed over; the field is wiped.
    pub fn take(&mut self) -> SecretString {
        let mut exact = String::with_capacity(self.typed.len());
        exact.push_str(&self.typed);
        self.clear();
        SecretString::from(exact)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use secrecy::ExposeSecret;

    use super::*;

    #[test]
    fn edits_like_a_field() {
        let mut field = SecretField::default();
        field.belongs_to(Some(SessionId(1)));
        field.push("pä\u{1b}s\ns");
        assert_eq!(field.length(), 4);
        field.backspace();
        assert_eq!(field.take().expose_secret(), "päs");
        assert_eq!(field.length(), 0);
    }

    #[test]
    fn another_session_never_gets_what_was_typed_for_the_first() {
        let mut field = SecretField::default();
        field.belongs_to(Some(SessionId(1)));
        field.push("first");
        field.belongs_to(Some(SessionId(2)));
        assert_eq!(field.take().expose_secret(), "");
    }

    #[test]
    fn the_buffer_never_grows() {
        let mut field = SecretField::default();
        let capacity = field.typed.capacity();
        field.push(&"x".repeat(SECRET_BYTES * 2));
        assert_eq!(field.typed.capacity(), capacity);
        assert_eq!(field.length(), SECRET_BYTES);
    }
}
