//! Protocols: how operations are spelt on the wire.
//!
//! Owns: the trait every protocol implements, what it is given to work with, and the registry. Must not know the engine,
//! the screen or the command line; of a session it knows only the [`Target`].
//!
//! ```text
//! engine --Operation, OpContext--> Protocol::run --EventSink--> engine
//!                                     |  dial (wire), schema (class cache), facts (learned), cleanup (armed, disarmed)
//! ```

pub mod cimxml;
mod delivery;
mod discovery;
mod explain;
#[cfg(test)]
pub mod fakes;
mod pulling;
mod reply;
mod reshape;
pub mod wsman;
pub mod xml;

use std::sync::{Arc, Mutex};

use crate::{
    cim::{CimClass, CimName, Namespace},
    op::{BoxFuture, EventSink, Limits, OpError, Operation, Timeouts},
    session::Target,
    wire::Dial,
};

/// A CIM protocol.
pub trait Protocol: Send + Sync {
    /// Its name in profiles and URLs, such as `cimxml`.
    fn name(&self) -> &'static str;

    /// What it can do with a server about which `known` was learned.
    fn capabilities(&self, known: &ServerFacts) -> Capabilities;

    /// Runs one operation. Cannot emit a terminal event: the engine does, from the result. Dropping the future cancels.
    fn run<'a>(&'a self, op: &'a Operation, cx: &'a OpContext<'a>) -> BoxFuture<'a, Result<(), OpError>>;

    /// Releases what an operation left open on the server.
    fn clean_up<'a>(&'a self, what: Cleanup, cx: &'a OpContext<'a>) -> BoxFuture<'a, Result<(), OpError>>;
}

/// What a protocol is given for one operation.
pub struct OpContext<'a> {
    /// What the operation is aimed at.
    pub target: &'a Target,
    /// Where events go.
    pub sink: &'a dyn EventSink,
    /// What has been learned about this server; shared by the operations of a session.
    pub facts: &'a Mutex<ServerFacts>,
    /// The class cache.
    pub schema: &'a dyn SchemaSource,
    /// Connections, with the session's credentials and trust.
    pub dial: &'a dyn Dial,
    /// What must be released if the operation ends early.
    pub cleanup: &'a CleanupSlot,
    /// Bounds.
    pub limits: Limits,
    /// Time-outs in force for this operation.
    pub timeouts: Timeouts,
}

/// What has been learned about a server. Kept by the engine for the life of a session.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ServerFacts {
    /// The interop namespace that answered.
    pub interop: Option<Namespace>,
    /// Operations (by name) the server answered with CIM_ERR_NOT_SUPPORTED.
    pub unsupported: Vec<&'static str>,
    /// How it pulls enumerations.
    pub pull: PullFacts,
    /// It wants `M-POST` (DSP0200 section 6.2.2) instead of `POST`.
    pub m_post: bool,
    /// What only WS-Man asks of it.
    pub wsman: wsman::Facts,
}

impl ServerFacts {
    /// The server does not have `operation`.
    pub fn lacks(&mut self, operation: &'static str) {
        if !self.unsupported.contains(&operation) {
            self.unsupported.push(operation);
        }
    }

    /// The server has `operation` after all.
    pub fn has(&mut self, operation: &str) {
        self.unsupported.retain(|other| *other != operation);
    }
}

/// What has been learned about a server's pulled enumerations.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PullFacts {
    /// Whether it has them; `None` until the first one was asked for.
    pub works: Option<bool>,
    /// It does not let the client say how long an enumeration is kept.
    pub no_timeout: bool,
    /// The largest batch it takes, where it refused a larger one.
    pub largest: Option<u32>,
}

/// What a protocol can do with a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Capabilities {
    /// Namespaces can be listed.
    pub enumerate_namespaces: bool,
    /// Classes can be listed.
    pub enumerate_classes: bool,
    /// A class can be fetched by name.
    pub get_class: bool,
}

/// Where classes come from while rows are decoded.
pub trait SchemaSource: Send + Sync {
    /// The class if it is known already.
    fn known(&self, key: &ClassKey) -> Option<Arc<CimClass>>;

    /// The class from the cache, from a fetch another operation has in flight, or else by running `fetch` (which is not
    /// polled otherwise). If the operation that fetches ends, a waiter takes over. Failures are shared and remembered for
    /// the session until a refresh.
    fn class<'a>(
        &'a self,
        key: ClassKey,
        fetch: BoxFuture<'a, Result<Arc<CimClass>, OpError>>,
    ) -> BoxFuture<'a, Result<Arc<CimClass>, Arc<OpError>>>;

    /// Keeps a class that arrived by another way (GetClass, EnumerateClasses).
    fn learned(&self, key: ClassKey, class: Arc<CimClass>);
}

/// The key of a class in a session's cache. Both parts compare without regard to case.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ClassKey {
    /// The namespace.
    pub namespace: Namespace,
    /// The class.
    pub class: CimName,
}

/// What an operation left open on a server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cleanup {
    /// What it was, for the pane: `EnumerateInstances LC_Process`.
    pub title: String,
    /// The namespace of the enumeration.
    pub namespace: Namespace,
    /// The enumeration context.
    pub context: String,
    /// The identifier of the subscription behind it, where there is one: that is ended, and the enumeration with it.
    pub subscription: Option<String>,
    /// The WS-Man resource URI, where there is one.
    pub resource_uri: Option<String>,
}

/// The place where a protocol keeps what must be released. Armed by each answer that leaves an enumeration open, disarmed
/// at its end; taken by the engine when the operation ends early.
#[derive(Debug, Default)]
pub struct CleanupSlot(Mutex<CleanupState>);

#[derive(Debug, Default)]
struct CleanupState {
    open: Option<Cleanup>,
    asked: bool,
}

impl CleanupSlot {
    fn with<T>(&self, act: impl FnOnce(&mut CleanupState) -> T) -> T {
        act(&mut self.0.lock().unwrap_or_else(|poisoned| poisoned.into_inner()))
    }

    /// Says that a request which opens an enumeration is on its way: until it is answered, nothing can be released.
    pub fn asked(&self) {
        self.with(|state| state.asked = true);
    }

    /// Remembers what is open now; replaces what was.
    pub fn arm(&self, what: Cleanup) {
        self.with(|state| (state.open, state.asked) = (Some(what), false));
    }

    /// Says that nothing is open any more.
    pub fn disarm(&self) {
        self.with(|state| (state.open, state.asked) = (None, false));
    }

    /// Whether an enumeration is known to be open.
    pub fn is_open(&self) -> bool {
        self.with(|state| state.open.is_some())
    }

    /// What is open; it stays remembered.
    pub fn open(&self) -> Option<Cleanup> {
        self.with(|state| state.open.clone())
    }

    /// What is open, taken out.
    pub fn take(&self) -> Option<Cleanup> {
        self.with(|state| state.open.take())
    }

    /// Whether an enumeration was asked for and its answer has not come: it may stay open until the server expires it.
    pub fn may_stay_open(&self) -> bool {
        self.with(|state| state.asked)
    }
}

/// The protocol called `name`, if there is one.
pub fn find(name: &str) -> Option<&'static dyn Protocol> {
    REGISTRY.iter().copied().find(|protocol| protocol.name() == name)
}

/// The names of all protocols.
pub fn names() -> impl Iterator<Item = &'static str> {
    REGISTRY.iter().map(|protocol| protocol.name())
}

static REGISTRY: &[&dyn Protocol] = &[&cimxml::CimXml, &wsman::WsMan];
