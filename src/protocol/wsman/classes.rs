//! The classes themselves: one by name, or all of a namespace (MS-WSMV section 3.1.4.8).
//!
//! Owns: which of them are delivered, and what it means where a server has no such list. Must not know XML.

use std::sync::Arc;

use super::{
    call::{Reading, Reply, ask},
    decode::{Decoded, Expect},
    pull::{Pulling, Takes},
    request,
    run::Running,
};
use crate::{
    cim::{CimClass, CimName, CimStatus, Namespace},
    op::{BoxFuture, ErrorKind, Names, OpError, OpEventKind, Phase, explain::answer::content},
    protocol::{
        ClassKey, OpContext,
        delivery::{GET_CLASS, room, status_of, take, with_facts},
    },
    wire::Exchange,
};

/// What is remembered of a server that has no list of its classes.
pub(super) const ENUMERATE: &str = "EnumerateClasses";

/// Fetches a class over `exchange`.
pub(super) fn fetch<'f>(
    cx: &'f OpContext<'f>,
    exchange: &'f mut dyn Exchange,
    key: &'f ClassKey,
    locale: Option<&'f str>,
) -> BoxFuture<'f, Result<Arc<CimClass>, OpError>> {
    Box::pin(async move {
        let request = request::get_class(&key.namespace, &key.class);
        let mut reply = ask(cx, exchange, &request, locale, Reading::of(Expect::Class)).await?;
        let mut class = None;
        while let Some(decoded) = reply.next().await? {
            class = decoded.classes.into_iter().next().or(class);
        }
        class.map(Arc::new).ok_or_else(|| {
            let kind = ErrorKind::BadAnswer { offset: 0, item: None };
            content::NO_CLASS.error(Phase::Receive, cx.dial.peer_name(), kind)
        })
    })
}

impl Running<'_, '_> {
    /// GetClass as an operation of its own: from the cache where the class is there, else asked.
    pub(super) async fn class(&mut self, class: &CimName) -> Result<(), OpError> {
        let key = ClassKey { namespace: self.namespace.clone(), class: class.clone() };
        let known = self.cx.schema.known(&key).filter(|_| !self.op.options.refresh);
        let class = match known {
            Some(known) => known,
            None => {
                let class = fetch(self.cx, self.exchange, &key, self.op.options.locale.as_deref()).await?;
                self.cx.schema.learned(key, class.clone());
                with_facts(self.cx, |facts| facts.has(GET_CLASS));
                class
            }
        };
        self.cx.sink.deliver(OpEventKind::Class(class)).await;
        Ok(())
    }

    /// The classes below `parent`, whole or by name. Servers answer all descendants: those wanted are chosen here.
    pub(super) async fn classes(
        &mut self,
        parent: Option<&CimName>,
        deep: bool,
        names_only: bool,
    ) -> Result<(), OpError> {
        let open = request::enumerate_classes(&self.namespace, parent);
        let (op, cx, title) = (self.op, self.cx, self.title());
        let (namespace, left) = (&self.namespace, op.options.max_rows);
        let mut chosen = Chosen { cx, namespace, parent, deep, names_only, left, told: 0 };
        let (locale, expect) = (op.options.locale.as_deref(), Expect::Classes);
        let exchange = &mut *self.exchange;
        let pulling = Pulling { cx, exchange, title, locale, expect, class: None, subscription: None };
        let result = pulling.run(&open, &mut chosen).await;
        let told = chosen.told;
        result.map_err(|error| if told == 0 { self.no_list(error) } else { error })
    }

    /// OMI parses the request wrongly, takes `*` for a class, or answers instances: it has no list, whatever it says.
    fn no_list(&self, error: OpError) -> OpError {
        let is_of_the_list = match (&error.kind, status_of(&error)) {
            (_, Some(status)) => !matches!(status, CimStatus::ACCESS_DENIED | CimStatus::INVALID_NAMESPACE),
            (ErrorKind::NotSupported | ErrorKind::Http(400 | 500), _) => true,
            (ErrorKind::BadAnswer { item, .. }, _) => item.is_some(),
            _ => false,
        };
        if !is_of_the_list {
            return error;
        }
        // A status without words is no proof of a WS-Man server where none has answered yet.
        let is_known = with_facts(self.cx, |facts| facts.wsman.has_answered());
        let kind = match error.kind {
            ErrorKind::Http(_) if !is_known => error.kind.clone(),
            _ => ErrorKind::NotSupported,
        };
        if kind == ErrorKind::NotSupported {
            with_facts(self.cx, |facts| facts.lacks(ENUMERATE));
        }
        let mut explained = content::NO_CLASS_LIST.error(error.phase, error.target.clone(), kind);
        explained.causes.extend(error.causes);
        explained
    }
}

/// The classes that are wanted, on their way to the sink.
struct Chosen<'a, 'c> {
    cx: &'a OpContext<'c>,
    namespace: &'a Namespace,
    parent: Option<&'a CimName>,
    deep: bool,
    names_only: bool,
    left: Option<u64>,
    told: u64,
}

impl Chosen<'_, '_> {
    /// Whether `class` is among those asked for: a descendant that is not the parent itself, unless only children are wanted.
    fn wants(&self, class: &CimClass) -> bool {
        match self.parent {
            Some(parent) if self.deep => class.name != *parent,
            parent => self.deep || class.superclass.as_ref() == parent,
        }
    }

    async fn tell(&mut self, classes: Vec<CimClass>) -> bool {
        let mut classes: Vec<CimClass> = classes.into_iter().filter(|class| self.wants(class)).collect();
        classes.truncate(room(self.left));
        let count = classes.len();
        self.told += count as u64;
        if self.names_only && count > 0 {
            let names = classes.into_iter().map(|class| class.name).collect();
            self.cx.sink.deliver(OpEventKind::Names(Names::Classes(names))).await;
            return take(&mut self.left, count);
        }
        for class in classes {
            let class = Arc::new(CimClass { namespace: Some(self.namespace.clone()), ..class });
            let key = ClassKey { namespace: self.namespace.clone(), class: class.name.clone() };
            self.cx.schema.learned(key, class.clone());
            self.cx.sink.deliver(OpEventKind::Class(class)).await;
        }
        take(&mut self.left, count)
    }
}

impl Takes for Chosen<'_, '_> {
    fn take<'a>(&'a mut self, _reply: &'a mut Reply, decoded: Decoded) -> BoxFuture<'a, Result<bool, OpError>> {
        Box::pin(async move { Ok(self.tell(decoded.classes).await) })
    }
}
