//! Subscriptions: events, pulled as they happen (WS-Eventing 2004/08, DSP0226 section 10).
//!
//! Owns: what is subscribed to and for how long. Must not know XML, nor how events are pulled.
//!
//! Only pull delivery is asked for: the other modes want a listener. A Pull waits on the server for an event; one that came to
//! nothing in its time is asked again. The subscription ends by Unsubscribe, wherever the operation ends: that is what is in
//! the clean-up slot. It is not renewed: OMI has no Renew, and a second one in its place would miss what happens in between
//! without anybody noticing; so the operation ends with an error that says so.

use super::{
    decode::Expect,
    pull::Pulling,
    request::{self, Filter, dialect},
    resource::AllClasses,
    run::{Querying, Running, is_refusal},
};
use crate::op::OpError;

/// The seconds a subscription lasts where nobody ends it: lazycim was killed, or the server not reached.
const LASTS: u32 = 3_600;

impl Running<'_, '_> {
    /// Events that `query` selects, as rows. The class of the query is what most servers want subscriptions to be of.
    pub(super) async fn subscribe(&mut self, query: &str) -> Result<(), OpError> {
        let Querying { mut rows, language, class, known } = self.querying(query).await?;
        let filter = Filter::Query { dialect: dialect(language), text: query };
        let total =
            self.cx.timeouts.total.map(|total| u32::try_from(total.as_secs()).unwrap_or(LASTS).saturating_add(1));
        let lasts = total.map_or(LASTS, |total| total.min(LASTS));
        let resources = match &self.op.options.resource_uri {
            Some(uri) => vec![uri.clone()],
            None => {
                let options = &self.cx.target.wsman;
                let mut ways = AllClasses::of(options.uri_style).to_vec();
                // Most servers want events of a class.
                ways.sort_by_key(|way| *way != AllClasses::OfClass);
                let uri = |way: &AllClasses| way.uri(&self.namespace, class.as_ref(), &options.vendor_namespaces);
                ways.iter().filter_map(uri).collect()
            }
        };
        let mut first = None;
        for resource in resources {
            let open = request::subscribe(&self.namespace, &resource, &filter, lasts);
            let (cx, title, locale) = (self.cx, self.title(), self.op.options.locale.as_deref());
            let (exchange, expect, class) = (&mut *self.exchange, Expect::Instances, known.clone());
            let pulling = Pulling { cx, exchange, title, locale, expect, class, subscription: None };
            match pulling.follow(&open, &mut rows).await {
                Err(error) if rows.delivered == 0 && !self.cx.cleanup.is_open() && is_refusal(&error) => {
                    first = first.or(Some(error));
                }
                result => return result,
            }
        }
        Err(first.unwrap_or_else(|| self.not_here()))
    }
}
