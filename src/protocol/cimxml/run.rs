//! Operations as sequences of requests, and their answers as events.
//!
//! Owns: which requests an operation takes, fall-backs, what is learned about the server. Must not know XML, or how rows are
//! completed.

use std::sync::Arc;

use super::{
    call::{Reply, ask},
    decode::{Decoded, Expect},
    discover, probe,
    pull::Ways,
    request,
    request::Request,
};
use crate::{
    cim::{CimClass, CimName, CimStatus, Namespace, ObjectPath},
    op::{
        BoxFuture, ErrorKind, Names, OpError, OpEventKind, Operation, OperationKind, Phase, Purpose,
        explain::answer::content,
    },
    protocol::{
        ClassKey, OpContext,
        delivery::{Arrived, Rows, room, status_of, take, with_facts},
    },
    wire::Exchange,
};

/// Runs `op`.
///
/// # Errors
/// Why it failed; what was delivered before stays.
pub async fn run(op: &Operation, cx: &OpContext<'_>) -> Result<(), OpError> {
    let mut exchange = cx.dial.dial(Purpose::Server);
    let namespace = op.options.namespace.clone().unwrap_or_else(|| cx.target.namespace.clone());
    let mut running = Running { op, cx, namespace, exchange: &mut *exchange };
    match &op.kind {
        OperationKind::TestConnection => probe::test(op, cx, running.exchange, &running.namespace).await,
        OperationKind::EnumerateNamespaces => discover::namespaces(op, cx, running.exchange).await,
        OperationKind::EnumerateClasses { parent, deep, names_only: true } => {
            running.class_names(parent.as_ref(), *deep).await
        }
        OperationKind::EnumerateClasses { parent, deep, names_only: false } => {
            running.classes(parent.as_ref(), *deep).await
        }
        OperationKind::GetClass { class } => running.class(class).await,
        OperationKind::EnumerateInstances { class } if op.options.keys_only => running.names(class).await,
        OperationKind::EnumerateInstances { class } => running.instances(class).await,
        OperationKind::GetInstance { path } => running.instance(path).await,
        OperationKind::AssociatorInstances { object, result_class, .. }
        | OperationKind::ReferenceInstances { object, result_class, .. } => {
            running.associations(object, result_class.as_ref()).await
        }
        OperationKind::QueryInstances { query } => running.query(query).await,
        OperationKind::Subscribe { .. } => {
            let kind = ErrorKind::NotSupported;
            Err(content::NOT_IN_CIMXML.error(Phase::Send, cx.dial.peer_name(), kind))
        }
        OperationKind::EnumerateQualifiers => {
            let request = request::enumerate_qualifiers(&running.namespace);
            running.qualifiers(request).await.map(|_| ())
        }
        OperationKind::GetQualifier { name } => running.qualifier(name).await,
    }
}

/// One operation on its way.
pub(super) struct Running<'r, 'c> {
    pub(super) op: &'r Operation,
    pub(super) cx: &'r OpContext<'c>,
    pub(super) namespace: Namespace,
    pub(super) exchange: &'r mut dyn Exchange,
}

impl Running<'_, '_> {
    pub(super) async fn ask(&mut self, request: Request, expect: Expect) -> Result<Reply, OpError> {
        let request = request.locale(self.op.options.locale.as_deref());
        ask(self.cx, self.exchange, &request, expect).await
    }

    /// Remembers that the server does not have an operation.
    pub(super) fn learn<T>(&self, operation: &'static str, result: Result<T, OpError>) -> Result<T, OpError> {
        if let Err(error) = &result
            && status_of(error) == Some(CimStatus::NOT_SUPPORTED)
        {
            with_facts(self.cx, |facts| facts.lacks(operation));
        }
        result
    }

    async fn class_names(&mut self, parent: Option<&CimName>, deep: bool) -> Result<(), OpError> {
        let request = request::enumerate_class_names(&self.namespace, parent, deep);
        let result = async {
            let mut left = self.op.options.max_rows;
            let mut reply = self.ask(request, Expect::ClassNames).await?;
            while let Some(decoded) = reply.next().await? {
                let mut names = decoded.class_names;
                names.truncate(room(left));
                if !take(&mut left, names.len()) {
                    self.cx.sink.deliver(OpEventKind::Names(Names::Classes(names))).await;
                    return Ok(());
                }
                if !names.is_empty() {
                    self.cx.sink.deliver(OpEventKind::Names(Names::Classes(names))).await;
                }
            }
            Ok(())
        }
        .await;
        self.learn("EnumerateClassNames", result)
    }

    async fn classes(&mut self, parent: Option<&CimName>, deep: bool) -> Result<(), OpError> {
        let request = request::enumerate_classes(&self.namespace, parent, deep);
        let result = async {
            let mut left = self.op.options.max_rows;
            let mut reply = self.ask(request, Expect::Classes).await?;
            while let Some(decoded) = reply.next().await? {
                for class in decoded.classes {
                    self.deliver_class(class).await;
                    if !take(&mut left, 1) {
                        return Ok(());
                    }
                }
            }
            Ok(())
        }
        .await;
        self.learn("EnumerateClasses", result)
    }

    async fn deliver_class(&mut self, mut class: CimClass) {
        class.namespace.get_or_insert_with(|| self.namespace.clone());
        let class = Arc::new(class);
        self.cx.schema.learned(self.key(&class.name), class.clone());
        self.cx.sink.deliver(OpEventKind::Class(class)).await;
    }

    fn key(&self, class: &CimName) -> ClassKey {
        ClassKey { namespace: self.namespace.clone(), class: class.clone() }
    }

    /// GetClass as an operation of its own: from the cache where the class is there, else asked, also where an earlier fetch
    /// failed; with `refresh` asked in any case.
    async fn class(&mut self, class: &CimName) -> Result<(), OpError> {
        let key = self.key(class);
        if !self.op.options.refresh
            && let Some(known) = self.cx.schema.known(&key)
        {
            self.cx.sink.deliver(OpEventKind::Class(known)).await;
            return Ok(());
        }
        let result = fetch_class(self.cx, self.exchange, &key, self.op.options.locale.as_deref()).await;
        let class = self.learn("GetClass", result)?;
        self.cx.schema.learned(key, class.clone());
        self.cx.sink.deliver(OpEventKind::Class(class)).await;
        Ok(())
    }

    async fn instances(&mut self, class: &CimName) -> Result<(), OpError> {
        let mut rows = Rows::new(self.op, self.cx, self.namespace.clone(), fetch);
        rows.only = self.op.options.shallow.then(|| class.clone());
        rows.before(self.exchange, class).await?;
        let ways = Ways {
            open: Some(request::open_instances(&self.namespace, class, &self.op.options)),
            pull: "PullInstancesWithPath",
            plain: request::enumerate_instances(&self.namespace, class, &self.op.options),
            expect: Expect::Instances,
        };
        self.enumerate(&ways, &mut rows).await
    }

    async fn names(&mut self, class: &CimName) -> Result<(), OpError> {
        let mut rows = Rows::new(self.op, self.cx, self.namespace.clone(), fetch);
        rows.only = self.op.options.shallow.then(|| class.clone());
        rows.names_only = true;
        let ways = Ways {
            open: Some(request::open_instance_paths(&self.namespace, class, &self.op.options)),
            pull: "PullInstancePaths",
            plain: request::enumerate_instance_names(&self.namespace, class),
            expect: Expect::InstanceNames,
        };
        let error = match self.enumerate(&ways, &mut rows).await {
            Err(error) if rows.delivered == 0 && falls_back(&error) => error,
            other => return other,
        };
        // SFCB fails so where a key holds a quote; the instances, which carry their names, can still be had.
        let request = request::enumerate_instances(&self.namespace, class, &self.op.options);
        let reply = match self.ask(request, Expect::PathsOf).await {
            Ok(reply) => reply,
            Err(second) if status_of(&second).is_some() => return Err(error),
            Err(second) => return Err(second),
        };
        rows.restart();
        deliver_all(&mut rows, reply).await.map_err(|second| if status_of(&second).is_some() { error } else { second })
    }

    async fn instance(&mut self, path: &ObjectPath) -> Result<(), OpError> {
        self.namespace = path.namespace.clone().unwrap_or_else(|| self.namespace.clone());
        let mut rows = Rows::new(self.op, self.cx, self.namespace.clone(), fetch);
        let class = rows.before(self.exchange, &path.class).await?;
        let path = match &class {
            Some(class) => path.clone().typed_by(class),
            None => path.clone(),
        };
        let path = ObjectPath { host: None, namespace: Some(self.namespace.clone()), ..path };
        let request = request::get_instance(&self.namespace, &path, &self.op.options);
        let result = async {
            let reply = self.ask(request, Expect::Instance(path)).await?;
            deliver_all(&mut rows, reply).await
        }
        .await;
        self.learn("GetInstance", result)?;
        if rows.delivered > 0 {
            return Ok(());
        }
        let kind = ErrorKind::BadAnswer { offset: 0, item: None };
        Err(content::NO_INSTANCE.error(Phase::Receive, self.cx.dial.peer_name(), kind))
    }
}

/// Whether an error of EnumerateInstanceNames may be one of names alone.
fn falls_back(error: &OpError) -> bool {
    matches!(status_of(error), Some(CimStatus::FAILED | CimStatus::NOT_SUPPORTED))
}

/// [`fetch_class`] as what completes rows calls it.
pub(super) fn fetch<'f>(
    cx: &'f OpContext<'f>,
    exchange: &'f mut dyn Exchange,
    key: &'f ClassKey,
    locale: Option<&'f str>,
) -> BoxFuture<'f, Result<Arc<CimClass>, OpError>> {
    Box::pin(fetch_class(cx, exchange, key, locale))
}

/// Fetches a class with GetClass over `exchange`.
///
/// # Errors
/// Those of the request; an answer without a class.
async fn fetch_class(
    cx: &OpContext<'_>,
    exchange: &mut dyn Exchange,
    key: &ClassKey,
    locale: Option<&str>,
) -> Result<Arc<CimClass>, OpError> {
    let request = request::get_class(&key.namespace, &key.class).locale(locale);
    let mut reply = ask(cx, exchange, &request, Expect::Classes).await?;
    let mut class = None;
    while let Some(decoded) = reply.next().await? {
        class = decoded.classes.into_iter().next().or(class);
    }
    let Some(class) = class else {
        let kind = ErrorKind::BadAnswer { offset: 0, item: None };
        return Err(content::NO_CLASS.error(Phase::Receive, cx.dial.peer_name(), kind));
    };
    Ok(Arc::new(class))
}

/// Delivers the rows of an answer to its end, or until no more are wanted.
pub(super) async fn deliver_all(rows: &mut Rows<'_, '_>, mut reply: Reply) -> Result<(), OpError> {
    while let Some(decoded) = reply.next().await? {
        if !rows.deliver(&mut reply, decoded.into()).await? {
            return Ok(());
        }
    }
    Ok(())
}

impl From<Decoded> for Arrived {
    fn from(decoded: Decoded) -> Self {
        Self { shapes: decoded.shapes, rows: decoded.rows, warning: decoded.warning }
    }
}
