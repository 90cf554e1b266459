//! What a server showed of itself: its TLS certificate, and what was checked of it.
//!
//! Owns: [`PeerCertificate`] in words for the pane and `-v`, and the [`Fingerprint`] a session can be pinned to. Must not know
//! how certificates are read or checked. Its texts are plain: no control characters, bounded.

use std::fmt;

/// The SHA-256 of a certificate's DER.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Fingerprint(pub [u8; 32]);

impl Fingerprint {
    /// The fingerprint `text` is: 64 hexadecimal digits, with or without colons between the bytes.
    pub fn parse(text: &str) -> Option<Self> {
        let digits = match text.len() {
            64 => text.to_owned(),
            95 if text.bytes().skip(2).step_by(3).all(|b| b == b':') => text.replace(':', ""),
            _ => return None,
        };
        let mut bytes = [0; 32];
        for (byte, pair) in bytes.iter_mut().zip(digits.as_bytes().chunks(2)) {
            let digit = |at: usize| pair.get(at).and_then(|b| char::from(*b).to_digit(16));
            *byte = u8::try_from(digit(0)? * 16 + digit(1)?).ok()?;
        }
        (digits.len() == 64).then_some(Self(bytes))
    }
}

impl fmt::Display for Fingerprint {
    /// As `openssl x509 -fingerprint -sha256` prints it: `AB:CD:...`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, byte) in self.0.iter().enumerate() {
            write!(f, "{}{byte:02X}", if at == 0 { "" } else { ":" })?;
        }
        Ok(())
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// What was checked of a certificate, and what came of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Chain, dates and name were checked and are good.
    Trusted,
    /// It is the one the session is pinned to; nothing else was checked.
    Pinned,
    /// The session skips one check or both; the others are good.
    Unchecked {
        /// Who signed it was not checked.
        chain: bool,
        /// Which name it is for was not checked.
        name: bool,
    },
    /// It was refused.
    Refused {
        /// Why, in words.
        why: Box<str>,
        /// The session is not pinned, and pinning it to this certificate would make it acceptable.
        pinnable: bool,
    },
}

/// The certificate a server showed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PeerCertificate {
    /// Whom it names.
    pub subject: Box<str>,
    /// The names and addresses it is for (RFC 5280 section 4.2.1.6), the first few.
    pub names: Vec<Box<str>>,
    /// How many more there are.
    pub more_names: usize,
    /// Who signed it.
    pub issuer: Box<str>,
    /// The last day it is good on, UTC, `YYYY-MM-DD`.
    pub expires: Box<str>,
    /// Its fingerprint.
    pub fingerprint: Fingerprint,
    /// What was checked.
    pub verdict: Verdict,
}

/// How a row of a certificate is to be taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RowTone {
    /// For information.
    Plain,
    /// Must not be overlooked.
    Danger,
}

impl PeerCertificate {
    /// The names on one line.
    pub fn names_text(&self) -> String {
        match (self.names.is_empty(), self.more_names) {
            (true, _) => "none".to_owned(),
            (false, 0) => self.names.join(", "),
            (false, more) => format!("{} and {more} more", self.names.join(", ")),
        }
    }

    /// Everything as rows: label, text, tone. The pane and `-v` show the same.
    pub fn rows(&self) -> [(&'static str, String, RowTone); 6] {
        let (checks, tone) = match &self.verdict {
            Verdict::Trusted => ("chain, dates and name are good".to_owned(), RowTone::Plain),
            Verdict::Pinned => ("the fingerprint is the pinned one".to_owned(), RowTone::Plain),
            Verdict::Unchecked { chain: true, name: true } => {
                ("chain NOT checked, name NOT checked".to_owned(), RowTone::Danger)
            }
            Verdict::Unchecked { chain: true, .. } => ("chain NOT checked, name is good".to_owned(), RowTone::Danger),
            Verdict::Unchecked { .. } => ("name NOT checked, chain is good".to_owned(), RowTone::Danger),
            Verdict::Refused { why, .. } => (format!("REFUSED: {why}"), RowTone::Danger),
        };
        [
            ("subject", self.subject.to_string(), RowTone::Plain),
            ("names", self.names_text(), RowTone::Plain),
            ("issuer", self.issuer.to_string(), RowTone::Plain),
            ("expires", self.expires.to_string(), RowTone::Plain),
            ("sha-256", self.fingerprint.to_string(), RowTone::Plain),
            ("checks", checks, tone),
        ]
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_fingerprint_reads_what_it_prints_and_plain_digits() {
        let mut bytes = [0; 32];
        (bytes[0], bytes[1], bytes[31]) = (0xab, 0x01, 0xff);
        let text = Fingerprint(bytes).to_string();
        assert!(text.starts_with("AB:01:00:") && text.ends_with(":FF") && text.len() == 95, "{text}");
        assert_eq!(Fingerprint::parse(&text), Some(Fingerprint(bytes)));
        assert_eq!(Fingerprint::parse(&text.replace(':', "").to_lowercase()), Some(Fingerprint(bytes)));
        for wrong in ["", "AB", &text[1..], &text.replace(':', "-"), &"é".repeat(32), &format!("{text}0")] {
            assert_eq!(Fingerprint::parse(wrong), None, "{wrong}");
        }
        assert_eq!(Fingerprint::parse(&"zz".repeat(32)), None);
    }
}
