//! Finding a server's namespaces, where a protocol has no operation for it.
//!
//! Owns: which classes hold them, the walk along `__Namespace` of servers that nest them, what of a failure ends the search.
//! Must not know how any protocol asks.

use std::{
    collections::{BTreeSet, HashSet},
    sync::Arc,
};

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
/// The most namespaces asked what is below them.
const MAX_ASKED: usize = 1_000;

/// How a protocol lists the names instances carry.
pub(super) trait Lists: Send {
    /// The names of the instances of `class` in `namespace`.
    fn list<'a>(&'a mut self, namespace: &'a Namespace, class: &'a str) -> BoxFuture<'a, Result<Listed, OpError>>;
}

/// What a list brought.
#[derive(Default)]
pub(super) struct Listed {
    /// The names.
    pub(super) names: Vec<String>,
    /// There are, or may be, more of them.
    pub(super) cut: bool,
    /// How many rows were read for them.
    rows: usize,
}

impl Listed {
    /// All there is.
    pub(super) fn whole(names: Vec<String>) -> Self {
        Self { rows: names.len(), names, cut: false }
    }
}

/// Names, gathered from rows.
#[derive(Default)]
pub(super) struct Gathered {
    store: RowStore,
    names: Vec<String>,
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
        self.store.len() <= MAX_NAMESPACES
    }

    /// The names of the rows taken in.
    pub(super) fn into_listed(mut self) -> Listed {
        let rows = self.store.len();
        self.names.truncate(MAX_NAMESPACES);
        Listed { names: self.names, cut: rows > MAX_NAMESPACES, rows }
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
///
/// It ends, cut, with enough namespaces, rows or questions, whatever a server makes of them.
pub(super) async fn walk(lists: &mut dyn Lists) -> Result<Listed, OpError> {
    let root = Namespace::new("root");
    let Listed { names, mut cut, mut rows } = lists.list(&root, "__Namespace").await?;
    let mut found = BTreeSet::from([root.as_str().to_owned()]);
    let mut open: Vec<Namespace> = names.iter().map(|name| root.child(name)).collect();
    let mut asked = 1;
    while let Some(namespace) = open.pop() {
        if found.len() >= MAX_NAMESPACES {
            cut = true;
            break;
        }
        if !found.insert(namespace.as_str().to_owned()) || namespace.parts().count() >= MAX_DEPTH {
            continue;
        }
        if asked >= MAX_ASKED || rows >= MAX_NAMESPACES {
            cut = true;
            continue;
        }
        asked += 1;
        match lists.list(&namespace, "__Namespace").await {
            Ok(below) => {
                (cut, rows) = (cut | below.cut, rows + below.rows);
                open.extend(below.names.iter().map(|name| namespace.child(name)));
            }
            Err(error) => drop(passable(error)?),
        }
    }
    Ok(Listed { names: found.into_iter().collect(), cut, rows })
}

/// Tells the namespaces found, and the one they were found in.
pub(super) async fn deliver(
    op: &Operation,
    cx: &OpContext<'_>,
    listed: Listed,
    interop: Option<Namespace>,
) -> Result<(), OpError> {
    if listed.cut {
        let (limit, kind) = (MAX_NAMESPACES.to_string(), ErrorKind::Limit("namespaces"));
        let warning =
            content::CUT_NAMESPACES.with(Phase::Receive, cx.dial.peer_name(), kind, &[("limit", limit.as_str())]);
        cx.sink.deliver(OpEventKind::Warning(Arc::new(warning))).await;
    }
    let mut seen = HashSet::new();
    let names = listed.names.iter().map(|name| Namespace::new(name)).chain(interop);
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
