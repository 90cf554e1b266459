//! Finding a server's namespaces.
//!
//! Owns: the order in which interop namespaces are tried, and the walk along `__Namespace` of servers that have none. Must
//! not know who asks.

use super::{call::ask, decode::Expect, request};
use crate::{
    cim::{
        CimName, CimStatus, Namespace,
        rows::{CellRef, RowStore},
    },
    op::{ErrorKind, Names, OpError, OpEventKind, Operation, OperationOptions, Phase, explain::answer::content},
    protocol::{
        OpContext,
        delivery::{status_of, with_facts},
    },
    wire::Exchange,
};

/// Where CIM_Namespace may live (DSP1033 and what servers do; protocols differ in the case of `PG_InterOp`).
const INTEROP: &[&str] = &["root/interop", "interop", "root/PG_InterOp", "root/PG_Interop", "root/cimv2", "root"];
/// The most namespaces listed.
const MAX_NAMESPACES: usize = 10_000;
/// The deepest namespace walked to.
const MAX_DEPTH: usize = 16;

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
            Ok(names) if names.is_empty() => empty = empty.or(Some(interop)),
            Ok(names) => {
                with_facts(cx, |facts| facts.interop = Some(interop.clone()));
                return deliver(op, cx, names, Some(interop)).await;
            }
            Err(error) => refused = Some(passable(error)?),
        }
    }
    match walk(op, cx, exchange).await {
        Ok(names) if !names.is_empty() => deliver(op, cx, names, None).await,
        Ok(_) if empty.is_some() => deliver(op, cx, Vec::new(), empty).await,
        Ok(_) => Err(refused.unwrap_or_else(|| nothing(cx))),
        Err(_) if empty.is_some() => deliver(op, cx, Vec::new(), empty).await,
        Err(error) => Err(no_way(passable(error)?)),
    }
}

fn nothing(cx: &OpContext<'_>) -> OpError {
    content::NO_NAMESPACES.error(Phase::Receive, cx.dial.peer_name(), ErrorKind::NotSupported)
}

fn no_way(mut error: OpError) -> OpError {
    error.causes.insert(0, content::NO_NAMESPACES.seen.to_owned());
    error.hint = content::NO_NAMESPACES.hint.to_owned();
    error
}

/// An error that says no more than that this way is closed; any other ends the search.
fn passable(error: OpError) -> Result<OpError, OpError> {
    match (&error.kind, status_of(&error)) {
        (_, Some(status)) if status != CimStatus::ACCESS_DENIED => Ok(error),
        // A server whose provider dies over the class says nothing at all.
        (ErrorKind::ConnectionLost, _) if error.phase == Phase::Wait => Ok(error),
        _ => Err(error),
    }
}

/// The names the instances of `class` in `namespace` carry.
async fn list(
    op: &Operation,
    cx: &OpContext<'_>,
    exchange: &mut dyn Exchange,
    namespace: &Namespace,
    class: &str,
) -> Result<Vec<String>, OpError> {
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
) -> Result<Vec<String>, OpError> {
    let request = request.locale(op.options.locale.as_deref());
    let mut reply = ask(cx, exchange, &request, expect).await?;
    let (mut store, mut found) = (RowStore::default(), Vec::new());
    while let Some(decoded) = reply.next().await? {
        for (id, shape) in decoded.shapes {
            store.add_shape(id, shape);
        }
        for batch in decoded.rows {
            let first = store.len();
            store.push(batch);
            found.extend((first..store.len()).filter_map(|row| name_of(&store, row)));
        }
        found.truncate(MAX_NAMESPACES);
        // Rows are counted, not names: there may be none in them.
        if store.len() >= MAX_NAMESPACES {
            break;
        }
    }
    Ok(found)
}

/// The name an instance carries: in its property or, where it was not sent, in its path.
fn name_of(store: &RowStore, row: usize) -> Option<String> {
    let column = store.columns().iter().position(|column| column.column.name == "Name");
    match column.map(|column| store.cell(row, column)) {
        Some(CellRef::Text(text)) if !text.is_empty() => Some(text.to_owned()),
        _ => match store.path(row)?.key("Name")? {
            crate::cim::KeyValue::String(text) => Some(text.to_string()),
            _ => None,
        },
    }
}

/// Walks from `root` along `__Namespace`, as servers of the first generation have it.
async fn walk(op: &Operation, cx: &OpContext<'_>, exchange: &mut dyn Exchange) -> Result<Vec<String>, OpError> {
    let root = Namespace::new("root");
    let children = list(op, cx, exchange, &root, "__Namespace").await?;
    let mut found = vec![root.as_str().to_owned()];
    let mut open: Vec<Namespace> = children.iter().map(|name| root.child(name)).collect();
    while let Some(namespace) = open.pop() {
        if found.len() >= MAX_NAMESPACES || found.iter().any(|known| *known == namespace.as_str()) {
            continue;
        }
        found.push(namespace.as_str().to_owned());
        if namespace.parts().count() >= MAX_DEPTH {
            continue;
        }
        match list(op, cx, exchange, &namespace, "__Namespace").await {
            Ok(children) => {
                let room = MAX_NAMESPACES.saturating_sub(found.len() + open.len());
                open.extend(children.iter().take(room).map(|name| namespace.child(name)));
            }
            Err(error) => drop(passable(error)?),
        }
    }
    found.sort();
    Ok(found)
}

async fn deliver(
    op: &Operation,
    cx: &OpContext<'_>,
    names: Vec<String>,
    interop: Option<Namespace>,
) -> Result<(), OpError> {
    let mut seen = std::collections::HashSet::new();
    let names = names.iter().map(|name| Namespace::new(name)).chain(interop);
    let mut names: Vec<Namespace> = names.filter(|name| !name.is_empty() && seen.insert(name.clone())).collect();
    if let Some(most) = op.options.max_rows {
        names.truncate(usize::try_from(most).unwrap_or(usize::MAX));
    }
    cx.sink.deliver(OpEventKind::Names(Names::Namespaces(names))).await;
    Ok(())
}
