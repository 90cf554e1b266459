//! WS-Man: CIM operations as SOAP messages over HTTP (DSP0226, DSP0227, DSP0230, MS-WSMV).
//!
//! Owns: everything that is particular to WS-Man. Must not know the engine, the screen, or how connections are made.
//!
//! ```text
//! Operation -> run -> request -> envelope -> Exchange ~~> BodySource -> decode -> run -> EventSink
//!               +--> discover (namespaces)                       explain (faults) --^
//!               +--> classes (the classes themselves)
//!               +--> pull (everything that is enumerated)
//!               +--> subscription (events)
//!               +--> picking (instances of classes without Get)
//!               +--> narrowing (asking for less than whole instances)
//! ```

mod call;
mod classes;
pub mod decode;
pub mod discover;
#[cfg(test)]
mod discover_tests;
pub mod envelope;
pub mod explain;
pub mod grammar;
pub mod namespaces;
mod narrowing;
#[cfg(test)]
mod narrowing_tests;
#[cfg(test)]
mod option_tests;
mod picking;
mod pull;
#[cfg(test)]
mod pull_tests;
pub mod request;
pub mod resource;
mod run;
#[cfg(test)]
mod run_tests;
mod subscription;
mod typing;
pub mod uuid;

use super::{Capabilities, Cleanup, OpContext, Protocol, ServerFacts};
use crate::op::{BoxFuture, OpError, Operation};

/// The WS-Man protocol.
#[derive(Clone, Copy, Debug)]
pub struct WsMan;

/// What has been learned about a server that only WS-Man needs to know.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Facts {
    /// The session's id, made with its first request.
    pub session: Option<uuid::Uuid>,
    /// It answered a request otherwise than by refusing it.
    pub answered: bool,
    /// The size of answers it takes, where it refused the usual one.
    pub envelope_bytes: Option<u32>,
    /// How it wants classes to be named; `None` until it took one of the ways.
    pub style: Option<resource::Style>,
    /// What queries and associations are asked of; `None` until it took one of the ways.
    pub all_classes: Option<resource::AllClasses>,
    /// It sends no endpoint references without objects.
    pub no_eprs: bool,
    /// It sends no endpoint references along with objects.
    pub no_references: bool,
    /// It does not leave out instances of subclasses.
    pub no_polymorphism: bool,
    /// It does not project, or not so that instances tell their class.
    pub no_projection: bool,
    /// It gets no fragments of instances.
    pub no_fragments: bool,
    /// Where its namespaces were found.
    pub namespaces: Option<discover::Way>,
}

impl Facts {
    /// Whether the server has answered as a WS-Man server does.
    pub fn has_answered(&self) -> bool {
        Self { session: None, ..*self } != Self::default()
    }
}

impl Protocol for WsMan {
    fn name(&self) -> &'static str {
        "wsman"
    }

    fn capabilities(&self, known: &ServerFacts) -> Capabilities {
        let has = |operation| !known.unsupported.contains(&operation);
        Capabilities {
            enumerate_namespaces: true,
            enumerate_classes: has(classes::ENUMERATE),
            get_class: has("GetClass"),
        }
    }

    fn run<'a>(&'a self, op: &'a Operation, cx: &'a OpContext<'a>) -> BoxFuture<'a, Result<(), OpError>> {
        Box::pin(async move { run::run(op, cx).await.map_err(|error| call::encoding_refused(cx, error)) })
    }

    fn clean_up<'a>(&'a self, what: Cleanup, cx: &'a OpContext<'a>) -> BoxFuture<'a, Result<(), OpError>> {
        Box::pin(async move { pull::release(&what, cx).await })
    }
}
