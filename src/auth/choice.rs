//! Choosing between Basic and Digest by what a server offers.
//!
//! Owns: which of them is tried first and which one next. Must not know how either proves anything.

use super::{
    Authenticator, Challenge, Credentials, SecretHeader, Step,
    basic::{self, Basic},
    digest::{self, Digest},
};

/// What goes with the first request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum First {
    /// Basic, as servers expect it that never answer a request without credentials. Digest follows where that alone is offered.
    Basic,
    /// Nothing: Digest follows, and Basic only where the server refuses Digest and the secret may be shown.
    Nothing,
}

/// Basic or Digest.
pub struct Choice {
    credentials: Credentials,
    first: First,
    may_reveal: bool,
    now: Option<Box<dyn Authenticator>>,
    /// Why each one tried was given up.
    given_up: Vec<(&'static str, String)>,
}

impl std::fmt::Debug for Choice {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Choice(..)")
    }
}

impl Choice {
    /// A choice that begins with `first`.
    pub fn new(first: First, credentials: Credentials) -> Self {
        Self { credentials, first, may_reveal: false, now: None, given_up: Vec::new() }
    }

    fn has_tried(&self, scheme: &str) -> bool {
        self.given_up.iter().any(|(tried, _)| *tried == scheme)
    }

    /// Why what was tried did not do.
    fn tried(&self) -> String {
        self.given_up.iter().map(|(_, why)| why.as_str()).collect::<Vec<_>>().join("; ")
    }

    /// Goes on with Digest where it is offered and new, else with Basic.
    fn next(&mut self, challenges: &[Challenge]) -> Option<Step> {
        let offers = |scheme: &str| challenges.iter().any(|challenge| challenge.is(scheme));
        if !self.has_tried(digest::SCHEME) && offers(digest::SCHEME) {
            let mut digest = Digest::new(self.credentials.clone()).ok()?;
            match digest.challenged(challenges) {
                Step::Refused(why) => self.given_up.push((digest::SCHEME, why)),
                step => {
                    self.now = Some(Box::new(digest));
                    return Some(step);
                }
            }
        }
        if self.has_tried(basic::SCHEME) || !offers(basic::SCHEME) {
            return None;
        }
        if !self.may_reveal {
            return Some(Step::Exposed { scheme: basic::SCHEME, tried: self.tried() });
        }
        match Basic::new(self.credentials.clone()) {
            Ok(basic) => {
                self.now = Some(Box::new(basic));
                Some(Step::Again)
            }
            Err(unusable) => {
                self.given_up.push((basic::SCHEME, unusable.to_string()));
                None
            }
        }
    }
}

impl Authenticator for Choice {
    fn scheme(&self) -> &'static str {
        match (&self.now, self.first) {
            (Some(now), _) => now.scheme(),
            (None, First::Basic) => basic::SCHEME,
            (None, First::Nothing) => digest::SCHEME,
        }
    }

    fn told(&self) -> String {
        self.now.as_ref().map_or_else(|| self.scheme().to_owned(), |now| now.told())
    }

    fn binds_connection(&self) -> bool {
        false
    }

    fn may_reveal(&mut self, allowed: bool) -> bool {
        self.may_reveal = allowed;
        if self.first == First::Basic && self.now.is_none() && self.given_up.is_empty() {
            // Digest can carry a user that Basic cannot.
            match Basic::new(self.credentials.clone()) {
                Ok(basic) if allowed => self.now = Some(Box::new(basic)),
                Ok(_) => return false,
                Err(_) => {}
            }
        }
        let revealing = self.now.as_mut().is_some_and(|now| !now.may_reveal(allowed));
        !revealing
    }

    fn authorization(&mut self, method: &str, path: &str) -> Option<SecretHeader> {
        self.now.as_mut()?.authorization(method, path)
    }

    fn challenged(&mut self, challenges: &[Challenge]) -> Step {
        if let Some(now) = &mut self.now {
            match now.challenged(challenges) {
                Step::Refused(why) => self.given_up.push((now.scheme(), why)),
                step => return step,
            }
        }
        // Where Basic was offered and refused the password is wrong: trying it again would only lock the account sooner.
        let is_wrong = self.has_tried(basic::SCHEME) && challenges.iter().any(|one| one.is(basic::SCHEME));
        let next = if is_wrong { None } else { self.next(challenges) };
        next.unwrap_or_else(|| {
            let tried = self.tried();
            let nothing = "the server takes neither Basic nor Digest authentication";
            Step::Refused(if tried.is_empty() { nothing.to_owned() } else { tried })
        })
    }

    fn accepted(&mut self, info: Option<&[u8]>) -> Result<(), String> {
        self.now.as_mut().map_or(Ok(()), |now| now.accepted(info))
    }
}
