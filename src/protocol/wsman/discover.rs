//! Finding a server's namespaces.
//!
//! Owns: the ways there are, the order in which they are tried, and how each asks. Must not know who asks.

use super::{
    call::is_elsewhere,
    pull::{Gathering, gather},
    request::{self, Enumeration},
    resource::{Naming, Style},
};
use crate::{
    cim::{CimName, CimValue, Namespace, rows::RowStore},
    op::{BoxFuture, ErrorKind, OpError, Operation, Phase, explain::answer::content},
    protocol::{
        OpContext,
        delivery::{Arrived, with_facts},
        discovery::{Gathered, INTEROP, Listed, Lists, MAX_NAMESPACES, deliver, no_way, nothing, passable, walk},
        xml::explain::plain,
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
    let mut asking = Asking { op, cx, exchange, confuses: false };
    let mut refused = None;
    for way in known.into_iter().chain(WAYS.into_iter().filter(|way| Some(*way) != known)) {
        let found = match way {
            Way::Nested => walk(&mut asking).await.map(|listed| (listed, None)),
            Way::Interop => asking.interop().await,
            Way::Omi => asking.omi().await.map(|names| (Listed::whole(names), None)),
        };
        match found {
            Ok((listed, interop)) if !listed.names.is_empty() => {
                with_facts(cx, |facts| facts.wsman.namespaces = Some(way));
                return deliver(op, cx, listed, interop).await;
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

/// Whether instances of `came` may be what was asked for: of the class, or, of namespaces, of one that a vendor derived.
fn may_stand_for(came: &CimName, class: &CimName) -> bool {
    let last = came.as_str().rsplit('_').next().unwrap_or_default().to_ascii_lowercase();
    came == class || (class == "CIM_Namespace" && last.ends_with("namespace"))
}

/// One operation that lists.
struct Asking<'r, 'c> {
    op: &'r Operation,
    cx: &'r OpContext<'c>,
    exchange: &'r mut dyn Exchange,
    /// The server answered with instances of another class.
    confuses: bool,
}

impl Asking<'_, '_> {
    /// The names in the first interop namespace that has any, and which that was.
    async fn interop(&mut self) -> Result<(Listed, Option<Namespace>), OpError> {
        let known = with_facts(self.cx, |facts| facts.interop.clone());
        let others = INTEROP.iter().map(|name| Namespace::new(name));
        let mut refused = None;
        for interop in known.into_iter().chain(others) {
            match self.list(&interop, "CIM_Namespace").await {
                Ok(listed) if listed.names.is_empty() => {}
                Ok(listed) => {
                    with_facts(self.cx, |facts| facts.interop = Some(interop.clone()));
                    return Ok((listed, Some(interop)));
                }
                Err(error) if self.confuses => return Err(error),
                Err(error) => refused = Some(survivable(error)?),
            }
        }
        refused.map_or(Ok((Listed::default(), None)), Err)
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

    /// Every instance of a class, for as long as `take` wants more and it is that class which comes. What stays open is
    /// released before another way is asked, or with the end of the operation.
    ///
    /// # Errors
    /// Those of the requests; NotSupported where instances of another class come.
    async fn all(&mut self, namespace: &Namespace, class: &CimName, take: Gathering<'_>) -> Result<(), OpError> {
        let options = &self.cx.target.wsman;
        let known = Style::fixed(options.uri_style).or_else(|| with_facts(self.cx, |facts| facts.wsman.style));
        let naming = Naming { style: known.unwrap_or_default(), vendors: &options.vendor_namespaces };
        let resource = naming.class(namespace, class);
        let open = request::enumerate(namespace, &resource, &Enumeration::default(), naming);
        let (mut other, locale) = (None, self.op.options.locale.as_deref());
        let mut take_own = |arrived: Arrived| {
            let mut came = arrived.shapes.iter().map(|(_, shape)| &shape.class);
            other = came.find(|came| !may_stand_for(came, class)).cloned();
            other.is_none() && take(arrived)
        };
        let result = gather(self.cx, self.exchange, &open, locale, &mut take_own).await;
        self.confuses = other.is_some();
        match other {
            Some(other) => {
                let parts = [("other", plain(other.as_str())), ("class", class.to_string())];
                let parts = parts.each_ref().map(|(name, text)| (*name, text.as_str()));
                let target = self.cx.dial.peer_name();
                Err(content::OTHER_CLASS.with(Phase::Receive, target, ErrorKind::NotSupported, &parts))
            }
            None => result,
        }
    }
}

impl Lists for Asking<'_, '_> {
    fn list<'a>(&'a mut self, namespace: &'a Namespace, class: &'a str) -> BoxFuture<'a, Result<Listed, OpError>> {
        Box::pin(async move {
            let mut gathered = Gathered::default();
            self.all(namespace, &CimName::new(class), &mut |arrived| gathered.take_in(arrived)).await?;
            Ok(gathered.into_listed())
        })
    }
}
