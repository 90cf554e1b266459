//! CIM datetime values.
//!
//! Owns: the 25-character form of DSP0004 section 5.2.4 (timestamps, intervals, asterisks), kept byte for byte so that it
//! prints as it was read. Must not know calendars beyond field ranges; no clock.

use std::{fmt, str::FromStr};

/// A `datetime` of either kind, exactly as written.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CimDateTime([u8; 25]);

/// Why a text is not a CIM datetime.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a CIM datetime: {0}")]
pub struct DateTimeError(pub &'static str);

impl CimDateTime {
    /// The 25 characters.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or_default()
    }

    /// A datetime from its 25 bytes; `None` if they break the form.
    pub fn from_bytes(bytes: [u8; 25]) -> Option<Self> {
        std::str::from_utf8(&bytes).ok()?.parse().ok()
    }

    /// Whether this is an interval (`:` before the last three digits).
    pub const fn is_interval(&self) -> bool {
        self.0[21] == b':'
    }
}

impl FromStr for CimDateTime {
    type Err = DateTimeError;

    fn from_str(text: &str) -> Result<Self, DateTimeError> {
        let bytes: [u8; 25] = text.as_bytes().try_into().map_err(|_| DateTimeError("not 25 characters"))?;
        if bytes[14] != b'.' || !matches!(bytes[21], b'+' | b'-' | b':') {
            return Err(DateTimeError("no `.` at 15 or no `+`, `-` or `:` at 22"));
        }
        if !bytes
            .iter()
            .enumerate()
            .all(|(at, b)| at == 14 || at == 21 || b.is_ascii_digit() || (*b == b'*' && at < 21))
        {
            return Err(DateTimeError("something that is neither a digit nor an asterisk"));
        }
        Ok(Self(bytes))
    }
}

impl fmt::Display for CimDateTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl fmt::Debug for CimDateTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
