//! Finding out the protocol of a server where a profile leaves it open.
//!
//! Owns: in which order the protocols of a target are tried, which failures let the next one be tried, which one worked last,
//! and what the error says where none did. Must not know how an attempt is made.
//!
//! ```text
//! Found::order -> attempt -> Ok | an answer of the protocol --> Found::remember
//!                    +-----> nobody there, or somebody else --> Failures --> the next
//! ```

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use crate::{
    op::{ErrorKind, OpError, Phase, explain::start},
    session::{Target, profile::AUTO, url::Scheme},
};

/// The most servers whose protocol is remembered.
const REMEMBERED: usize = 4_096;

/// What tells one server from another.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Server {
    computer: String,
    port: u16,
    tls: bool,
    order: Vec<Scheme>,
}

impl Server {
    fn of(target: &Target) -> Option<Self> {
        let computer = target.computer.as_ref().filter(|_| target.protocol == AUTO)?.to_lowercase();
        Some(Self { computer, port: target.port, tls: target.tls.is_some(), order: target.auto.clone() })
    }
}

/// The protocols that were found out, for all sessions.
#[derive(Default)]
pub(super) struct Found(Mutex<HashMap<Server, String>>);

impl Found {
    fn known(&self) -> MutexGuard<'_, HashMap<Server, String>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What to try for `target`: what worked last, then the others in their order.
    pub(super) fn order(&self, target: &Target) -> Vec<Target> {
        let mut attempts = target.attempts();
        if let Some(server) = Server::of(target)
            && let Some(last) = self.known().get(&server)
        {
            attempts.sort_by_key(|attempt| attempt.protocol != *last);
        }
        attempts
    }

    /// Remembers that the server of `target` speaks `protocol`.
    pub(super) fn remember(&self, target: &Target, protocol: &str) {
        let Some(server) = Server::of(target) else { return };
        let mut known = self.known();
        if known.len() < REMEMBERED || known.contains_key(&server) {
            known.insert(server, protocol.to_owned());
        }
    }
}

/// Whether a failed attempt still proves that the server speaks the protocol.
pub(super) fn speaks(error: &OpError) -> bool {
    matches!(error.kind, ErrorKind::Cim(_) | ErrorKind::NotSupported)
}

/// Whether another protocol may do better: nobody answered, or somebody who does not speak this one. A name without address,
/// a refused password or an error of a CIM server would be the same, or be hidden, by the next.
pub(super) const fn is_not_there(error: &OpError) -> bool {
    matches!(
        error.kind,
        ErrorKind::ConnectionRefused
            | ErrorKind::ConnectFailed
            | ErrorKind::ConnectionLost
            | ErrorKind::TimedOut
            | ErrorKind::Tls
            | ErrorKind::Http(_)
            | ErrorKind::OtherProtocol
            | ErrorKind::Redirect
            | ErrorKind::BadHttp
            | ErrorKind::BadAnswer { .. }
    )
}

/// The attempts that came to nothing, in order.
#[derive(Default)]
pub(super) struct Failures(Vec<(String, OpError)>);

impl Failures {
    /// Keeps the failure of `protocol`; what to tell of it while `next` is tried.
    pub(super) fn add(&mut self, protocol: &str, error: OpError, next: &str) -> OpError {
        // The other causes follow in lines of their own.
        let cause = error.causes.first().map_or("", String::as_str);
        let parts = [("protocol", protocol), ("cause", cause), ("next", next)];
        let told = start::NEXT_PROTOCOL.with(error.phase, error.target.clone(), error.kind.clone(), &parts);
        let told = error.causes.iter().skip(1).fold(told, |told, cause| told.because(cause.clone()));
        self.0.push((protocol.to_owned(), error));
        told
    }

    /// The error of them all, `last` included. The first that somebody answered comes first; what nobody answered says less.
    pub(super) fn into_error(mut self, protocol: &str, last: OpError) -> OpError {
        if self.0.is_empty() {
            return last;
        }
        self.0.push((protocol.to_owned(), last));
        let answered = |error: &OpError| !matches!(error.phase, Phase::Queue | Phase::Resolve | Phase::Connect);
        let first = self.0.iter().position(|(_, error)| answered(error)).unwrap_or(0);
        let (protocol, error) = self.0.remove(first);
        let error = error.because(format!("that was {protocol}"));
        self.0.into_iter().fold(error, |error, (protocol, other)| {
            error.because(format!("{protocol}: {} of {}: {}", other.phase, other.target, other.cause()))
        })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn target(port: u16) -> Target {
        let auto = Scheme::ALL.to_vec();
        let computer = Some("Host".to_owned());
        Target { computer, protocol: AUTO.to_owned(), auto, port, path: "/wsman".to_owned(), ..Target::this_computer() }
    }

    fn places(targets: &[Target]) -> Vec<(&str, u16, &str)> {
        targets.iter().map(|one| (one.protocol.as_str(), one.port, one.path.as_str())).collect()
    }

    fn error(phase: Phase, kind: ErrorKind, cause: &str) -> OpError {
        OpError::new(phase, "host:1", kind, cause, "")
    }

    #[test]
    fn each_protocol_has_its_usual_port_and_path_and_what_worked_comes_first() {
        let found = Found::default();
        let usual = target(5985);
        assert_eq!(places(&found.order(&usual)), [("wsman", 5985, "/wsman"), ("cimxml", 5988, "/cimom")]);
        found.remember(&usual, "cimxml");
        assert_eq!(places(&found.order(&usual)), [("cimxml", 5988, "/cimom"), ("wsman", 5985, "/wsman")]);
        // Another port is another server, and is meant for all of them.
        assert_eq!(places(&found.order(&target(7000))), [("wsman", 7000, "/wsman"), ("cimxml", 7000, "/cimom")]);
    }

    #[test]
    fn a_named_protocol_is_the_only_one_and_nothing_is_remembered_of_it() {
        let found = Found::default();
        let named = Target { protocol: "cimxml".to_owned(), ..target(5988) };
        found.remember(&named, "wsman");
        assert_eq!(found.order(&named), [named]);
        assert!(found.known().is_empty());
    }

    #[test]
    fn the_first_that_answered_is_the_cause_and_the_others_stand_below() {
        let mut failures = Failures::default();
        let refused = error(Phase::Connect, ErrorKind::ConnectionRefused, "the connection was refused");
        let told = failures.add("wsman", refused, "cimxml");
        assert!(told.to_string().contains("refused") && told.to_string().contains("cimxml"), "{told}");
        let all = failures.into_error("cimxml", error(Phase::Wait, ErrorKind::Http(404), "404 Not Found"));
        assert_eq!((all.phase, &all.kind), (Phase::Wait, &ErrorKind::Http(404)));
        assert_eq!(
            all.causes,
            ["404 Not Found", "that was cimxml", "wsman: connect of host:1: the connection was refused"]
        );
    }

    #[test]
    fn where_nobody_answers_the_first_is_the_cause() {
        let mut failures = Failures::default();
        failures.add("wsman", error(Phase::Connect, ErrorKind::TimedOut, "no answer"), "cimxml");
        let all = failures.into_error("cimxml", error(Phase::Connect, ErrorKind::ConnectionRefused, "refused"));
        assert_eq!(all.causes[0], "no answer");
        let alone = error(Phase::Connect, ErrorKind::TimedOut, "no answer");
        assert_eq!(Failures::default().into_error("cimxml", alone).causes, ["no answer"]);
    }
}
