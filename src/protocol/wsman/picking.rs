//! Instances whose class cannot be asked for one: picked from its enumeration by their keys.
//!
//! Owns: the selector filter (DSP0226 annex E) and which of the rows is the one. Must not know XML.
//!
//! Providers may enumerate and yet have no Get (OMI's and WMI's say so with `NOT_SUPPORTED`). The filter spares the wire what
//! is not asked for, where the server applies it; OMI takes it and sends everything, so keys are compared here in any case.

use std::{collections::HashMap, sync::Arc};

use super::{
    call::Reply,
    decode::Decoded,
    pull::{Pulling, Takes},
    request::{self, Enumeration, Filter},
    resource::Style,
    run::{Running, is_refusal},
};
use crate::{
    cim::{
        CimClass, CimStatus, KeyValue, ObjectPath,
        rows::{RowBatch, Shape, ShapeId, path_of},
    },
    op::{BoxFuture, ErrorKind, OpError},
    protocol::delivery::{Rows, status_of},
};

impl Running<'_, '_> {
    /// Looks for the instance `path` names among those of its class; whether it was found. References in keys cannot be
    /// filtered by.
    pub(super) async fn picked(
        &mut self,
        (resource, style): (String, Style),
        path: &ObjectPath,
        class: &Option<Arc<CimClass>>,
        rows: &mut Rows<'_, '_>,
    ) -> Result<bool, OpError> {
        let keys = path.keys.iter().filter(|key| !matches!(key.value, KeyValue::Reference(_)));
        let keys: Vec<_> = keys.map(|key| (key.name.as_str(), key.value.plain())).collect();
        if keys.is_empty() || keys.len() < path.keys.len() {
            return Ok(false);
        }
        let selectors: Vec<_> = keys.iter().map(|(name, value)| (*name, value.as_ref())).collect();
        for (mode, expect) in self.modes(class.as_ref().is_some_and(|class| class.keys().next().is_some())) {
            let filter = Some(Filter::Selectors(&selectors));
            let open = request::enumerate(
                &self.namespace,
                &resource,
                &Enumeration { mode, filter, ..Enumeration::default() },
                self.naming(style),
            );
            let (cx, title, locale) = (self.cx, self.title(), self.op.options.locale.as_deref());
            let (exchange, class) = (&mut *self.exchange, class.clone());
            let pulling = Pulling { cx, exchange, title, locale, expect, class, subscription: None };
            let mut picking = Picking { rows, path, shapes: HashMap::new() };
            match pulling.run(&open, &mut picking).await {
                Ok(()) => return Ok(rows.delivered > 0),
                Err(error) if rows.delivered == 0 && !self.cx.cleanup.is_open() && is_refusal(&error) => {}
                Err(error) => return Err(error),
            }
            rows.restart();
        }
        Ok(false)
    }
}

/// Whether the class of what was asked for has no Get.
pub(super) fn has_no_get(error: &OpError) -> bool {
    error.kind == ErrorKind::NotSupported || status_of(error) == Some(CimStatus::NOT_SUPPORTED)
}

/// Takes the row of one path.
struct Picking<'p, 'r, 'c> {
    rows: &'p mut Rows<'r, 'c>,
    path: &'p ObjectPath,
    shapes: HashMap<ShapeId, Arc<Shape>>,
}

impl Picking<'_, '_, '_> {
    /// Whether row `row` has the keys of the path. A reference tells them without their types: texts are compared.
    fn is_it(&self, batch: &RowBatch, row: usize) -> bool {
        let path = self.shapes.get(&batch.shape(row)).and_then(|shape| path_of(shape, batch, row));
        path.is_some_and(|path| {
            path.keys.len() == self.path.keys.len()
                && self.path.keys.iter().all(|wanted| {
                    path.key(wanted.name.as_str()).is_some_and(|value| value.plain() == wanted.value.plain())
                })
        })
    }
}

impl Takes for Picking<'_, '_, '_> {
    fn take<'a>(&'a mut self, reply: &'a mut Reply, mut decoded: Decoded) -> BoxFuture<'a, Result<bool, OpError>> {
        self.shapes.extend(decoded.shapes.iter().cloned());
        for batch in &mut decoded.rows {
            let found: Vec<bool> = (0..batch.len()).map(|row| self.is_it(batch, row)).collect();
            batch.retain_at(|row| found.get(row).copied().unwrap_or_default());
        }
        Box::pin(async move {
            let wants_more = self.rows.take(reply, decoded).await?;
            Ok(wants_more && self.rows.delivered == 0)
        })
    }
}
