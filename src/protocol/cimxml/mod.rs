//! CIM-XML: CIM operations over HTTP (DSP0200) in XML (DSP0201).

pub mod decode;
pub mod encoding;
pub mod framer;

use super::{Capabilities, Cleanup, OpContext, Protocol, ServerFacts};
use crate::op::{BoxFuture, ErrorKind, OpError, Operation, Phase};

/// The CIM-XML protocol.
#[derive(Clone, Copy, Debug)]
pub struct CimXml;

impl Protocol for CimXml {
    fn name(&self) -> &'static str {
        "cimxml"
    }

    fn capabilities(&self, _known: &ServerFacts) -> Capabilities {
        Capabilities { enumerate_namespaces: true, enumerate_classes: true, get_class: true }
    }

    fn run<'a>(&'a self, op: &'a Operation, cx: &'a OpContext<'a>) -> BoxFuture<'a, Result<(), OpError>> {
        let error = OpError::new(Phase::Send, cx.dial.peer_name(), ErrorKind::NotSupported, op.name(), "");
        Box::pin(async move { Err(error) })
    }

    fn clean_up<'a>(&'a self, _what: Cleanup, _cx: &'a OpContext<'a>) -> BoxFuture<'a, Result<(), OpError>> {
        Box::pin(async { Ok(()) })
    }
}
