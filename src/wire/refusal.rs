//! What a server says when it refuses: the 401 nobody has an answer to, and the header fields that tell more.
//!
//! Owns: telling the forms of 401 apart, and reading `PGErrorDetail` and its like. Must not know mechanisms.

use ::http::{HeaderMap, HeaderValue, header};

use super::fault::{Place, plain};
use crate::{
    auth::{Challenge, challenge},
    op::{self, ErrorKind, OpError, Phase, explain::exchange::authenticate},
};

/// The most characters shown of a header field.
const SHOWN: usize = 2_000;

/// Fields in which servers say more about an error, percent-encoded: OpenPegasus and SFCB.
const DETAILS: [&str; 2] = ["PGErrorDetail", "SFCBErrorDetail"];

/// What OpenPegasus says of a request whose scheme it does not take; of a wrong password it says nothing.
const NOT_TAKEN_UP: &str = "User Unauthorized";

/// The header field `name` in words: percent-encoding undone (DSP0200, HTTP mapping), on one line.
pub fn field(headers: &HeaderMap, name: &str) -> Option<String> {
    let value = headers.get(name).or_else(|| prefixed(headers, name))?;
    let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
    Some(op::plain(&decoded(&value), SHOWN))
}

/// The field as an answer to M-POST has it: with the two digits of its `Man` before the name (RFC 2774 section 3).
fn prefixed<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h HeaderValue> {
    let is_it = |field: &str| {
        let Some((digits, rest)) = field.split_once('-') else { return false };
        digits.len() == 2 && digits.bytes().all(|b| b.is_ascii_digit()) && rest.eq_ignore_ascii_case(name)
    };
    headers.iter().find(|(field, _)| is_it(field.as_str())).map(|(_, value)| value)
}

/// What the fields in which servers say more about an error hold.
pub fn details(headers: &HeaderMap) -> Vec<String> {
    DETAILS.iter().filter_map(|name| field(headers, name)).filter(|text| !text.trim().is_empty()).collect()
}

/// `text` with percent-encoding undone.
fn decoded(text: &str) -> String {
    let (mut out, mut rest) = (Vec::with_capacity(text.len()), text.as_bytes());
    while let Some((first, tail)) = rest.split_first() {
        let pair = tail.get(..2).filter(|pair| pair.iter().all(u8::is_ascii_hexdigit));
        let byte = pair.and_then(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok());
        match byte.filter(|_| *first == b'%') {
            Some(byte) => {
                out.push(byte);
                rest = tail.get(2..).unwrap_or_default();
            }
            None => {
                out.push(*first);
                rest = tail;
            }
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

/// A 401.
pub(super) struct Refusal {
    /// What the server wants instead.
    pub challenges: Vec<Challenge>,
    details: Vec<String>,
}

impl Refusal {
    /// The refusal in the head of an answer.
    pub(super) fn of(headers: &HeaderMap) -> Self {
        let values = headers.get_all(header::WWW_AUTHENTICATE);
        let challenges = challenge::parse(values.iter().map(HeaderValue::as_bytes));
        let cim_error = field(headers, "CIMError").map(|value| format!("CIMError: {value}"));
        Self { challenges, details: cim_error.into_iter().chain(details(headers)).collect() }
    }

    /// The error it ends an operation with. `scheme` is what was spoken, if the session has a user; `cause` is why the
    /// authenticator gave up, `None` where the server asks without end.
    pub(super) fn error(&self, place: &Place, leg: u32, scheme: Option<&str>, cause: Option<&str>) -> OpError {
        let offers = |scheme| self.challenges.iter().any(|challenge| challenge.is(scheme));
        let mut seen = None;
        let row = match (scheme, cause) {
            (None, _) => authenticate::NO_USER,
            (Some(_), None) => authenticate::ENDLESS,
            _ if self.challenges.is_empty() => authenticate::NO_SCHEME,
            (Some(scheme), _) if !offers(scheme) => authenticate::OTHER_SCHEMES,
            _ if self.details.iter().any(|detail| detail == NOT_TAKEN_UP) => authenticate::NOT_TAKEN_UP,
            (_, Some(cause)) => {
                seen = Some(plain(cause));
                authenticate::REFUSED
            }
        };
        let parts = [("scheme", scheme.unwrap_or_default())];
        let mut error = row.with(Phase::Authenticate(leg), place.target(), ErrorKind::Unauthorized, &parts);
        if let (Some(first), Some(seen)) = (error.causes.first_mut(), seen) {
            *first = seen;
        }
        error = self.offered(error);
        error.causes.extend(self.details.iter().cloned());
        error
    }

    /// `error` with what the server offers.
    pub(super) fn offered(&self, error: OpError) -> OpError {
        if self.challenges.is_empty() {
            return error;
        }
        // One scheme may be offered several times, Digest with each of its algorithms.
        error.because(format!("it offers {}", self.offers(|challenge| challenge.scheme.clone())))
    }

    /// What a timeline tells of it: what the server offers, each Digest with its algorithm.
    pub(super) fn told(&self) -> String {
        let name = |challenge: &Challenge| match challenge.param("algorithm") {
            Some(algorithm) => format!("{} {algorithm}", challenge.scheme),
            None => challenge.scheme.clone(),
        };
        if self.challenges.is_empty() { "401".to_owned() } else { format!("401, offers {}", self.offers(name)) }
    }

    /// The challenges by `name`, each name once.
    fn offers(&self, name: impl Fn(&Challenge) -> String) -> String {
        let mut offered: Vec<String> = Vec::new();
        for name in self.challenges.iter().map(name) {
            if !offered.iter().any(|known| known.eq_ignore_ascii_case(&name)) {
                offered.push(name);
            }
        }
        op::plain(&offered.join(", "), SHOWN)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn refused(fields: &[(&'static str, &str)], scheme: Option<&str>) -> OpError {
        let mut headers = HeaderMap::new();
        for (name, value) in fields {
            headers.append(*name, value.parse().unwrap());
        }
        let place = Place { server: "h:5988".to_owned(), proxy: None, peer: None, tls: false, is_write: false };
        Refusal::of(&headers).error(&place, 1, scheme, Some("the server refused user and password for \"vm\""))
    }

    const PEGASUS: (&str, &str) = ("WWW-Authenticate", "Basic realm=\"vm\"");
    const NO_SCHEME: (&str, &str) = ("PGErrorDetail", "User%20Unauthorized");

    /// The answers of pegasus 107 to 109 and sfcb 101 to 103 in the captures, and those of servers that break HTTP.
    #[test]
    fn every_form_of_401_has_its_row() {
        let basic = Some("Basic");
        let wrong = refused(&[PEGASUS], basic);
        assert_eq!(
            wrong.causes,
            ["the server refused user and password for \"vm\"", authenticate::REFUSED.means, "it offers Basic"]
        );
        assert_eq!(wrong.hint, authenticate::REFUSED.hint);
        let not_taken_up = refused(&[PEGASUS, NO_SCHEME], basic);
        assert_eq!(not_taken_up.hint, authenticate::NOT_TAKEN_UP.hint);
        assert_eq!(not_taken_up.causes[3], "User Unauthorized");
        for fields in [&[PEGASUS, NO_SCHEME][..], &[("WWW-Authenticate", "Basic realm=\"cimom\"")]] {
            let nobody = refused(fields, None);
            assert_eq!(
                (nobody.causes[0].as_str(), nobody.hint.as_str()),
                (authenticate::NO_USER.seen, authenticate::NO_USER.hint)
            );
        }
        let others = refused(&[("WWW-Authenticate", "Negotiate, NTLM")], basic);
        assert_eq!(others.causes[0], "the server does not take Basic authentication");
        assert_eq!(others.causes[2], "it offers Negotiate, NTLM");
        assert_eq!(refused(&[], basic).causes[0], authenticate::NO_SCHEME.seen);
        let told = refused(&[PEGASUS, ("CIMError", "request-not-valid"), ("SFCBErrorDetail", "no%0A%1bway")], basic);
        assert_eq!(told.causes[3..], ["CIMError: request-not-valid", "no \u{fffd}way"]);
    }

    #[test]
    fn an_authentication_without_end_is_told() {
        let place = Place { server: "h:5988".to_owned(), proxy: None, peer: None, tls: false, is_write: false };
        let error = Refusal::of(&HeaderMap::new()).error(&place, 8, Some("Negotiate"), None);
        assert_eq!((error.phase, error.causes[0].as_str()), (Phase::Authenticate(8), authenticate::ENDLESS.seen));
    }

    #[test]
    fn percent_encoding_is_undone_where_it_is_some() {
        assert_eq!(decoded("a%20b%C3%A4%zz%+1%4"), "a b\u{e4}%zz%+1%4");
    }
}
