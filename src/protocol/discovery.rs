//! Finding a server's namespaces, where a protocol has no operation for it.
//!
//! Owns: which classes hold them, the walk along `__Namespace` of servers that nest them, what of a failure ends the search.
//! Must not know how any protocol asks.

use super::{
    OpContext,
    delivery::{Arrived, status_of},
};
use crate::{
    cim::{
        CimStatus, KeyValue, Namespace,
        rows::{CellRef, RowStore},
    },
    op::{BoxFuture, ErrorKind, Names, OpError, OpEventKind, Operation, Phase, explain::answer::content},
};

/// Where CIM_Namespace may live (DSP1033 and what servers do; protocols differ in the case of `PG_InterOp`).
pub(super) const INTEROP: &[&str] =
    &["root/interop", "interop", "root/PG_InterOp", "root/PG_Interop", "root/cimv2", "root"];
/// The most namespaces listed.
pub(super) const MAX_NAMESPACES: usize = 10_000;
/// The deepest namespace walked to.
const MAX_DEPTH: usize = 16;

/// How a protocol lists the names instances carry.
pub(super) trait Lists: Send {
    /// The names of the instances of `class` in `namespace`.
    fn list<'a>(&'a mut self, namespace: &'a Namespace, class: &'a str) -> BoxFuture<'a, Result<Vec<String>, OpError>>;
}

/// Names, gathered from rows.
#[derive(Default)]
pub(super) struct Gathered {
    store: RowStore,
    /// The names so far.
    pub(super) names: Vec<String>,
}

impl Gathered {
    /// Takes in rows; false once there are enough of them. Rows are counted, not names: there may be none in them.
    pub(super) fn take_in(&mut self, arrived: Arrived) -> bool {
        for (id, shape) in arrived.shapes {
            self.store.add_shape(id, shape);
        }
        for batch in arrived.rows {
            let first = self.store.len();
            self.store.push(batch);
            self.names.extend((first..self.store.len()).filter_map(|row| name_of(&self.store, row)));
        }
        self.names.truncate(MAX_NAMESPACES);
        self.store.len() < MAX_NAMESPACES
    }
}

/// The name an instance carries: in its property or, where it was not sent, in its path.
fn name_of(store: &RowStore, row: usize) -> Option<String> {
    let column = store.columns().iter().position(|column| column.column.name == "Name");
    match column.map(|column| store.cell(row, column)) {
        Some(CellRef::Text(text) | CellRef::Untyped(text)) if !text.is_empty() => Some(text.to_owned()),
        _ => match store.path(row)?.key("Name")? {
            KeyValue::String(text) => Some(text.to_string()),
            _ => None,
        },
    }
}

/// Walks from `root` along `__Namespace`, as servers of the first generation and Windows have it.
pub(super) async fn walk(lists: &mut dyn Lists) -> Result<Vec<String>, OpError> {
    let root = Namespace::new("root");
    let children = lists.list(&root, "__Namespace").await?;
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
        match lists.list(&namespace, "__Namespace").await {
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

/// Tells the namespaces found, and the one they were found in.
pub(super) async fn deliver(
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

/// No way led to a list, and none failed.
pub(super) fn nothing(cx: &OpContext<'_>) -> OpError {
    content::NO_NAMESPACES.error(Phase::Receive, cx.dial.peer_name(), ErrorKind::NotSupported)
}

/// The last way failed with `error`.
pub(super) fn no_way(mut error: OpError) -> OpError {
    error.causes.insert(0, content::NO_NAMESPACES.seen.to_owned());
    error.hint = content::NO_NAMESPACES.hint.to_owned();
    error
}

/// An error that says no more than that this way is closed; any other ends the search.
pub(super) fn passable(error: OpError) -> Result<OpError, OpError> {
    match (&error.kind, status_of(&error)) {
        (_, Some(status)) if status != CimStatus::ACCESS_DENIED => Ok(error),
        // A server whose provider dies over the class says nothing at all.
        (ErrorKind::ConnectionLost, _) if error.phase == Phase::Wait => Ok(error),
        _ => Err(error),
    }
}
