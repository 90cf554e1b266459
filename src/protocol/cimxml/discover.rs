//! Finding a server's namespaces.
//!
//! Owns: the order in which interop namespaces are tried, and how one of them is asked. Must not know who asks.

use super::{call::ask, decode::Expect, request};
use crate::{
    cim::{CimName, CimStatus, Namespace},
    op::{BoxFuture, OpError, Operation, OperationOptions},
    protocol::{
        OpContext,
        delivery::{status_of, with_facts},
        discovery::{Gathered, INTEROP, Listed, Lists, deliver, no_way, nothing, passable, walk},
    },
    wire::Exchange,
};

/// Lists the namespaces of the server.
///
/// # Errors
/// Those of the connection at once; the server's last one if no way led to a list.
pub async fn namespaces(op: &Operation, cx: &OpContext<'_>, exchange: &mut dyn Exchange) -> Result<(), OpError> {
    let known = with_facts(cx, |facts| facts.interop.clone());
    let mut candidates: Vec<Namespace> = known.into_iter().collect();
    for name in INTEROP {
        let name = Namespace::new(name);
        if candidates.iter().all(|known| known.as_str() != name.as_str()) {
            candidates.push(name);
        }
    }
    let (mut refused, mut empty) = (None, None);
    for interop in candidates {
        match list(op, cx, exchange, &interop, "CIM_Namespace").await {
            Ok(listed) if listed.names.is_empty() => empty = empty.or(Some(interop)),
            Ok(listed) => {
                with_facts(cx, |facts| facts.interop = Some(interop.clone()));
                return deliver(op, cx, listed, Some(interop)).await;
            }
            Err(error) => refused = Some(passable(error)?),
        }
    }
    match walk(&mut Asking { op, cx, exchange }).await {
        Ok(listed) if !listed.names.is_empty() => deliver(op, cx, listed, None).await,
        Ok(_) if empty.is_some() => deliver(op, cx, Listed::default(), empty).await,
        Ok(_) => Err(refused.unwrap_or_else(|| nothing(cx))),
        Err(_) if empty.is_some() => deliver(op, cx, Listed::default(), empty).await,
        Err(error) => Err(no_way(passable(error)?)),
    }
}

/// One operation that lists.
struct Asking<'r, 'c> {
    op: &'r Operation,
    cx: &'r OpContext<'c>,
    exchange: &'r mut dyn Exchange,
}

impl Lists for Asking<'_, '_> {
    fn list<'a>(&'a mut self, namespace: &'a Namespace, class: &'a str) -> BoxFuture<'a, Result<Listed, OpError>> {
        Box::pin(list(self.op, self.cx, self.exchange, namespace, class))
    }
}

/// The names the instances of `class` in `namespace` carry.
async fn list(
    op: &Operation,
    cx: &OpContext<'_>,
    exchange: &mut dyn Exchange,
    namespace: &Namespace,
    class: &str,
) -> Result<Listed, OpError> {
    let class = CimName::new(class);
    let options = OperationOptions { property_list: Some(vec![CimName::new("Name")]), ..OperationOptions::default() };
    let request = request::enumerate_instances(namespace, &class, &options);
    let error = match names(op, cx, exchange, request, Expect::Instances).await {
        Err(error) if matches!(status_of(&error), Some(CimStatus::FAILED | CimStatus::NOT_SUPPORTED)) => error,
        other => return other,
    };
    let request = request::enumerate_instance_names(namespace, &class);
    names(op, cx, exchange, request, Expect::InstanceNames).await.map_err(|_| error)
}

async fn names(
    op: &Operation,
    cx: &OpContext<'_>,
    exchange: &mut dyn Exchange,
    request: request::Request,
    expect: Expect,
) -> Result<Listed, OpError> {
    let request = request.locale(op.options.locale.as_deref());
    let mut reply = ask(cx, exchange, &request, expect).await?;
    let mut gathered = Gathered::default();
    while let Some(decoded) = reply.next().await? {
        if !gathered.take_in(decoded.into()) {
            break;
        }
    }
    Ok(gathered.into_listed())
}
