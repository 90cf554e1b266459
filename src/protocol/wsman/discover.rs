//! Finding a server's namespaces.
//!
//! Owns: the ways there are, the order in which they are tried, and how each asks. Must not know who asks.

use super::{
    call::is_elsewhere,
    pull::{Gathering, gather},
    request::{self, Enumeration},
};
use crate::{
    cim::{CimName, CimValue, Namespace, rows::RowStore},
    op::{BoxFuture, ErrorKind, OpError, Operation},
    protocol::{
        OpContext,
        delivery::with_facts,
        discovery::{Gathered, INTEROP, Lists, MAX_NAMESPACES, deliver, no_way, nothing, passable, walk},
    },
    wire::Exchange,
};

/// Where a server keeps its namespaces.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// `__Namespace`, level by level: Windows.
    Nested,
    /// `CIM_Namespace` in an interop namespace.
    Interop,
    /// `OMI_Identify.ConfigNameSpaces`: OMI has no other list.
    Omi,
}

/// The ways, the ones first that cost a single fault where they are wrong.
const WAYS: [Way; 3] = [Way::Nested, Way::Omi, Way::Interop];

/// Where OMI describes itself.
const OMI: (&str, &str, &str) = ("root/omi", "OMI_Identify", "ConfigNameSpaces");

/// Lists the namespaces of the server.
///
/// # Errors
/// Those of the connection at once; the server's last one if no way led to a list.
pub async fn namespaces(op: &Operation, cx: &OpContext<'_>, exchange: &mut dyn Exchange) -> Result<(), OpError> {
    let known = with_facts(cx, |facts| facts.wsman.namespaces);
    let mut asking = Asking { op, cx, exchange };
    let mut refused = None;
    for way in known.into_iter().chain(WAYS.into_iter().filter(|way| Some(*way) != known)) {
        let found = match way {
            Way::Nested => walk(&mut asking).await.map(|names| (names, None)),
            Way::Interop => asking.interop().await,
            Way::Omi => asking.omi().await.map(|names| (names, None)),
        };
        match found {
            Ok((names, interop)) if !names.is_empty() => {
                with_facts(cx, |facts| facts.wsman.namespaces = Some(way));
                return deliver(op, cx, names, interop).await;
            }
            Ok(_) => {}
            Err(error) => refused = Some(survivable(error)?),
        }
    }
    Err(refused.map_or_else(|| nothing(cx), no_way))
}

/// As [`passable`]; a server that fails without words, or does not offer what was asked, only closes this way. Whoever is no
/// WS-Man server closes all of them.
fn survivable(error: OpError) -> Result<OpError, OpError> {
    match error.kind {
        _ if is_elsewhere(&error) => Err(error),
        ErrorKind::NotSupported | ErrorKind::Http(400..) => Ok(error),
        _ => passable(error),
    }
}

/// One operation that lists.
struct Asking<'r, 'c> {
    op: &'r Operation,
    cx: &'r OpContext<'c>,
    exchange: &'r mut dyn Exchange,
}

impl Asking<'_, '_> {
    /// The names in the first interop namespace that has any, and which that was.
    async fn interop(&mut self) -> Result<(Vec<String>, Option<Namespace>), OpError> {
        let known = with_facts(self.cx, |facts| facts.interop.clone());
        let others = INTEROP.iter().map(|name| Namespace::new(name));
        let mut refused = None;
        for interop in known.into_iter().chain(others) {
            match self.list(&interop, "CIM_Namespace").await {
                Ok(names) if names.is_empty() => {}
                Ok(names) => {
                    with_facts(self.cx, |facts| facts.interop = Some(interop.clone()));
                    return Ok((names, Some(interop)));
                }
                Err(error) => refused = Some(survivable(error)?),
            }
        }
        refused.map_or(Ok((Vec::new(), None)), Err)
    }

    /// What OMI is configured with; it writes `-` for `/`.
    async fn omi(&mut self) -> Result<Vec<String>, OpError> {
        let (namespace, class, property) = OMI;
        let (namespace, class) = (Namespace::new(namespace), CimName::new(class));
        let mut store = RowStore::default();
        self.all(&namespace, &class, &mut |arrived| {
            arrived.shapes.into_iter().for_each(|(id, shape)| store.add_shape(id, shape));
            for batch in arrived.rows {
                store.push(batch);
            }
            store.len() < MAX_NAMESPACES
        })
        .await?;
        let Some(column) = store.column(&CimName::new(property)) else { return Ok(Vec::new()) };
        let mut names = Vec::new();
        for row in 0..store.len() {
            let values = match store.cell(row, column).to_value() {
                Some(CimValue::Array(values)) => values,
                Some(value) => vec![value],
                None => Vec::new(),
            };
            names.extend(values.into_iter().filter_map(|value| match value {
                CimValue::String(text) | CimValue::Untyped(text) => Some(text.replace('-', "/")),
                _ => None,
            }));
        }
        names.truncate(MAX_NAMESPACES);
        Ok(names)
    }

    /// Every instance of a class, for as long as `take` wants more.
    async fn all(&mut self, namespace: &Namespace, class: &CimName, take: Gathering<'_>) -> Result<(), OpError> {
        let style = with_facts(self.cx, |facts| facts.wsman.style).unwrap_or_default();
        let resource = style.class(namespace, class);
        let open = request::enumerate(namespace, &resource, &Enumeration::default(), style);
        gather(self.cx, self.exchange, &open, self.op.options.locale.as_deref(), take).await
    }
}

impl Lists for Asking<'_, '_> {
    fn list<'a>(&'a mut self, namespace: &'a Namespace, class: &'a str) -> BoxFuture<'a, Result<Vec<String>, OpError>> {
        Box::pin(async move {
            let mut gathered = Gathered::default();
            self.all(namespace, &CimName::new(class), &mut |arrived| gathered.take_in(arrived)).await?;
            Ok(gathered.names)
        })
    }
}
