//! Ids of messages, operations and sessions.
//!
//! Owns: random UUIDs (RFC 9562 section 5.4) and how WS-Man writes them. Must not know what they name.

use std::fmt;

/// A random UUID.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Uuid([u8; 16]);

impl Uuid {
    /// A new one.
    ///
    /// # Errors
    /// Where the system has no random numbers: in words.
    pub fn random() -> Result<Self, String> {
        let mut bytes = [0; 16];
        getrandom::fill(&mut bytes).map_err(|error| format!("no random numbers: {error}"))?;
        Ok(Self::of(bytes))
    }

    /// The one made of these random bytes.
    pub const fn of(mut random: [u8; 16]) -> Self {
        random[6] = random[6] & 0x0f | 0x40;
        random[8] = random[8] & 0x3f | 0x80;
        Self(random)
    }
}

impl fmt::Display for Uuid {
    /// `uuid:XXXXXXXX-XXXX-4XXX-XXXX-XXXXXXXXXXXX`, as Windows writes it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("uuid:")?;
        for (at, byte) in self.0.iter().enumerate() {
            let dash = if matches!(at, 4 | 6 | 8 | 10) { "-" } else { "" };
            write!(f, "{dash}{byte:02X}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn ids_say_that_they_are_random() {
        assert_eq!(Uuid::of([0xff; 16]).to_string(), "uuid:FFFFFFFF-FFFF-4FFF-BFFF-FFFFFFFFFFFF");
        assert_eq!(Uuid::of([0; 16]).to_string(), "uuid:00000000-0000-4000-8000-000000000000");
        assert_ne!(Uuid::random().unwrap(), Uuid::random().unwrap());
    }
}
