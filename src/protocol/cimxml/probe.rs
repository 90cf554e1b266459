//! Whether a server can be reached and speaks CIM-XML.
//!
//! Owns: the one request that proves it, and which answers do. Must not learn anything about the server.

use super::{call::ask, decode::Expect, request};
use crate::{
    cim::{CimName, CimStatus, Namespace},
    op::{OpError, Operation},
    protocol::{OpContext, delivery::status_of},
    wire::Exchange,
};

/// A class servers have that follow DSP1071, asked for because its answer is small either way.
const CLASS: &str = "CIM_ObjectManager";

/// Asks for one class. The class is proof, and so is a status (DSP0200 section 5.2): only a CIM server answers that. The one
/// that refuses the user is not.
///
/// # Errors
/// Those of the connection and of the authentication, an answer that is no CIM-XML, CIM_ERR_ACCESS_DENIED.
pub async fn test(
    op: &Operation,
    cx: &OpContext<'_>,
    exchange: &mut dyn Exchange,
    namespace: &Namespace,
) -> Result<(), OpError> {
    let request = request::get_class(namespace, &CimName::new(CLASS)).locale(op.options.locale.as_deref());
    let answered = async {
        let mut reply = ask(cx, exchange, &request, Expect::Classes).await?;
        while reply.next().await?.is_some() {}
        Ok(())
    };
    match answered.await {
        Err(error) if status_of(&error).is_some_and(|status| status != CimStatus::ACCESS_DENIED) => Ok(()),
        answered => answered,
    }
}
