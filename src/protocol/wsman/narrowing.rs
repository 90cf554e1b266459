//! Asking for less than whole instances, where that is no condition: lazycim leaves out the rest in any case.
//!
//! Owns: what a request may spare the server and the wire, how it is asked for, and what shows that a server does not do it.
//! Must not know XML.
//!
//! - Instances of subclasses: PolymorphismMode (DSP0227).
//! - Properties of an enumeration: a projection in WQL. It goes to the class, which most servers want for a query, unless a
//!   query has told otherwise. Windows answers projections as fragments (`w:XmlFragment`), which do not tell the class of an
//!   instance and so not its path: such an answer is dropped, and instances are asked for whole from then on.
//! - All but one property of an instance: a fragment (DSP0226 section 7.7). More than one cannot be named without XPath,
//!   which hardly any server has.

use super::{
    call::Reply,
    decode::Decoded,
    pull::Takes,
    request::dialect,
    resource::{AllClasses, Style},
    run::Running,
};
use crate::{
    cim::{CimClass, CimName},
    op::{BoxFuture, ErrorKind, OpError, QueryLanguage},
    protocol::delivery::{Rows, with_facts},
};

/// What a request spares.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Spares {
    /// Instances of subclasses. Whether the refusal is one of all such requests is known where the class could have
    /// instances of its own: OMI refuses those of abstract classes alone.
    Subclasses {
        /// It could.
        tells: bool,
    },
    /// Properties nobody wants.
    Properties,
}

impl Running<'_, '_> {
    /// Whether the server is asked to leave out instances of subclasses. Windows ignores it, and is not to be
    /// asked by its own URIs (MS-WSMV); an abstract class has no instances but those.
    pub(super) fn subclasses_spared(&self, style: Style, class: Option<&CimClass>) -> Option<Spares> {
        let never = style == Style::Wmi || class.is_some_and(CimClass::is_abstract);
        let is_worth_it =
            self.op.options.shallow && !never && !with_facts(self.cx, |facts| facts.wsman.no_polymorphism);
        is_worth_it.then_some(Spares::Subclasses { tells: class.is_some() })
    }

    /// The condition of a filter in WQL, which is a whole query over WS-Man: of one that is not, the rest is known.
    pub(super) fn condition(&self, class: &CimName) -> Option<&str> {
        let filter = self.op.options.filter.as_ref()?;
        let is_wql = dialect(&filter.language) == dialect(QueryLanguage::Wql.identifier());
        let first = filter.text.split_whitespace().next()?;
        let is_whole = first.eq_ignore_ascii_case("select");
        Some(filter.text.as_str()).filter(|_| is_wql && !is_whole && class.is_well_formed())
    }

    /// The query that selects of `class` what is wanted, with the keys a path needs, and the URI it is asked of. Not where a
    /// property may be one of a subclass, which cannot be selected, nor where all are wanted.
    pub(super) fn projection(&self, class: &CimClass) -> Option<(String, String)> {
        let options = &self.op.options;
        let condition = self.condition(&class.name);
        let is_ours = options.filter.is_none() || condition.is_some();
        let wanted = options.property_list.as_ref().filter(|_| !options.keys_only && is_ours)?;
        let (refuses, all) = with_facts(self.cx, |facts| (facts.wsman.no_projection, facts.wsman.all_classes));
        let of = all.unwrap_or(AllClasses::OfClass);
        if refuses || options.resource_uri.is_some() || self.style() == Some(Style::Wmi) || of == AllClasses::Wmi {
            return None;
        }
        let mut selected: Vec<&CimName> = class.keys().map(|key| &key.name).collect();
        if selected.is_empty() {
            return None;
        }
        for name in wanted {
            let name = &class.property(name.as_str())?.name;
            if !selected.contains(&name) {
                selected.push(name);
            }
        }
        let is_fewer = selected.len() < class.properties.len();
        let can_be_named = selected.iter().all(|name| name.is_well_formed()) && class.name.is_well_formed();
        let names: Vec<&str> = selected.into_iter().map(CimName::as_str).collect();
        let condition = condition.map(|condition| format!(" WHERE {condition}")).unwrap_or_default();
        let query = format!("SELECT {} FROM {}{condition}", names.join(", "), class.name);
        let uri = of.uri(&self.namespace, Some(&class.name), &self.cx.target.wsman.vendor_namespaces);
        uri.filter(|_| is_fewer && can_be_named).map(|uri| (uri, query))
    }

    /// The one property of `class` that is wanted, if it is one and the path does not tell it already.
    pub(super) fn fragment(&self, class: &CimClass) -> Option<CimName> {
        let [wanted] = self.op.options.property_list.as_deref()? else { return None };
        let property = class.property(wanted.as_str()).filter(|property| !property.is_key())?;
        let is_refused = with_facts(self.cx, |facts| facts.wsman.no_fragments);
        Some(property.name.clone()).filter(|_| !is_refused)
    }
}

/// Whether it is the server that says no, in whatever words: asked for more, it may say yes.
pub(super) const fn says_no(error: &OpError) -> bool {
    matches!(error.kind, ErrorKind::Cim(_) | ErrorKind::NotSupported | ErrorKind::Http(_))
}

/// Rows of a projection, as long as they tell their classes.
pub(super) struct Projected<'p, 'r, 'c> {
    pub(super) rows: &'p mut Rows<'r, 'c>,
    /// Fragments came.
    pub(super) is_nameless: bool,
}

impl<'p, 'r, 'c> Projected<'p, 'r, 'c> {
    pub(super) fn new(rows: &'p mut Rows<'r, 'c>) -> Self {
        Self { rows, is_nameless: false }
    }
}

impl Takes for Projected<'_, '_, '_> {
    fn take<'a>(&'a mut self, reply: &'a mut Reply, decoded: Decoded) -> BoxFuture<'a, Result<bool, OpError>> {
        self.is_nameless |= decoded.has_fragments && self.rows.delivered == 0;
        match self.is_nameless {
            true => Box::pin(std::future::ready(Ok(false))),
            false => self.rows.take(reply, decoded),
        }
    }

    fn wanted(&self) -> Option<u64> {
        self.rows.wanted()
    }
}
