//! CIM-XML: CIM operations over HTTP (DSP0200) in XML (DSP0201).
//!
//! Owns: everything that is particular to CIM-XML. Must not know the engine, the screen, or how connections are made.
//!
//! ```text
//! Operation -> run -> request -> Exchange ~~> BodySource -> xml -> decode -> run -> EventSink
//!               +--> discover (namespaces)                                explain (errors) --^
//!               +--> related (associations, queries, qualifier types)
//!               +--> pull (the same and instances, in batches)
//! ```

mod call;
pub mod decode;
mod discover;
mod explain;
pub mod grammar;
mod probe;
mod pull;
#[cfg(test)]
mod pull_tests;
mod related;
#[cfg(test)]
mod related_tests;
pub mod request;
mod run;
#[cfg(test)]
mod run_tests;

use super::{Capabilities, Cleanup, OpContext, Protocol, ServerFacts};
use crate::op::{BoxFuture, OpError, Operation};

/// The CIM-XML protocol.
#[derive(Clone, Copy, Debug)]
pub struct CimXml;

impl Protocol for CimXml {
    fn name(&self) -> &'static str {
        "cimxml"
    }

    fn capabilities(&self, known: &ServerFacts) -> Capabilities {
        let has = |operation| !known.unsupported.contains(&operation);
        Capabilities {
            enumerate_namespaces: true,
            enumerate_classes: has("EnumerateClassNames"),
            get_class: has("GetClass"),
        }
    }

    fn run<'a>(&'a self, op: &'a Operation, cx: &'a OpContext<'a>) -> BoxFuture<'a, Result<(), OpError>> {
        Box::pin(run::run(op, cx))
    }

    fn clean_up<'a>(&'a self, what: Cleanup, cx: &'a OpContext<'a>) -> BoxFuture<'a, Result<(), OpError>> {
        Box::pin(async move { pull::close(&what, cx).await })
    }
}
