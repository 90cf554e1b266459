//! Live sessions as fronts list them: what `Get-CimSession` shows of them.
//!
//! Owns: the description. Must not know the engine, which holds them, nor a secret: only whether one is held.

use std::fmt;

use crate::op::SessionId;

/// What there is to tell of a live session beside its profile.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LiveSession {
    /// The session it was opened for.
    pub session: SessionId,
    /// Its id: a counter over all sessions opened in this run, from 1.
    pub number: u32,
    /// Its instance id.
    pub instance: InstanceId,
    /// A secret of it is kept in memory.
    pub holds_secret: bool,
}

/// The instance id of a live session: a UUID of version 4 (RFC 9562 section 5.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct InstanceId([u8; 16]);

impl InstanceId {
    /// The id made of 16 random bytes, six bits of which say that it is one.
    pub const fn from_random(mut bytes: [u8; 16]) -> Self {
        bytes[6] = bytes[6] & 0x0f | 0x40;
        bytes[8] = bytes[8] & 0x3f | 0x80;
        Self(bytes)
    }
}

impl fmt::Display for InstanceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, byte) in self.0.iter().enumerate() {
            if matches!(at, 4 | 6 | 8 | 10) {
                f.write_str("-")?;
            }
            write!(f, "{byte:02x}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_instance_id_is_a_uuid_of_version_4() {
        assert_eq!(InstanceId::from_random([0; 16]).to_string(), "00000000-0000-4000-8000-000000000000");
        assert_eq!(InstanceId::from_random([0xff; 16]).to_string(), "ffffffff-ffff-4fff-bfff-ffffffffffff");
    }
}
