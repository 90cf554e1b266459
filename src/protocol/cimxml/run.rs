//! Operations as sequences of requests, and their answers as events.
//!
//! Owns: which requests an operation takes, what is delivered and when, fall-backs, what is learned about the server. Must
//! not know XML.

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
    cim::{
        CimClass, CimName, CimStatus, Namespace, ObjectPath,
        rows::{RowBatch, Shape, ShapeId},
    },
    op::{ErrorKind, Names, OpError, OpEventKind, Operation, OperationKind, Phase, Purpose, explain::answer::content},
    protocol::{ClassKey, OpContext, xml::explain::plain},
    wire::Exchange,
};

/// The status a server answered, if `error` is one.
pub fn status_of(error: &OpError) -> Option<CimStatus> {
    match &error.kind {
        ErrorKind::Cim(error) => Some(error.status),
        _ => None,
    }
}

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
            with_facts(self.cx, |facts| {
                if !facts.unsupported.contains(&operation) {
                    facts.unsupported.push(operation);
                }
            });
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
        let mut rows = Rows::new(self.op, self.cx, self.namespace.clone());
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
        let mut rows = Rows::new(self.op, self.cx, self.namespace.clone());
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
        rows.deliver_all(reply).await.map_err(|second| if status_of(&second).is_some() { error } else { second })
    }

    async fn instance(&mut self, path: &ObjectPath) -> Result<(), OpError> {
        self.namespace = path.namespace.clone().unwrap_or_else(|| self.namespace.clone());
        let mut rows = Rows::new(self.op, self.cx, self.namespace.clone());
        let class = rows.before(self.exchange, &path.class).await?;
        let path = match &class {
            Some(class) => path.clone().typed_by(class),
            None => path.clone(),
        };
        let path = ObjectPath { host: None, namespace: Some(self.namespace.clone()), ..path };
        let request = request::get_instance(&self.namespace, &path, &self.op.options);
        let result = async {
            let reply = self.ask(request, Expect::Instance(path)).await?;
            rows.deliver_all(reply).await
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

/// What is known about the server, under its lock.
pub fn with_facts<T>(cx: &OpContext<'_>, act: impl FnOnce(&mut crate::protocol::ServerFacts) -> T) -> T {
    act(&mut cx.facts.lock().unwrap_or_else(|poisoned| poisoned.into_inner()))
}

/// How many rows may still be delivered.
pub(super) fn room(left: Option<u64>) -> usize {
    left.map_or(usize::MAX, |left| usize::try_from(left).unwrap_or(usize::MAX))
}

/// Counts `rows` off; false once nothing more is wanted.
pub(super) fn take(left: &mut Option<u64>, rows: usize) -> bool {
    match left {
        Some(left) => {
            *left = left.saturating_sub(rows as u64);
            *left > 0
        }
        None => true,
    }
}

/// Fetches a class with GetClass over `exchange`.
///
/// # Errors
/// Those of the request; an answer without a class.
pub async fn fetch_class(
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

/// Rows on their way to the sink, their shapes completed from classes.
pub(super) struct Rows<'r, 'c> {
    op: &'r Operation,
    cx: &'r OpContext<'c>,
    namespace: Namespace,
    /// Only rows of exactly this class.
    pub(super) only: Option<CimName>,
    pub(super) names_only: bool,
    /// Rows hold what a query selected: properties of the class are not missing in them.
    pub(super) projected: bool,
    /// Shapes of other classes, whose rows are left out.
    left_out: Vec<ShapeId>,
    left: Option<u64>,
    pub(super) delivered: u64,
    /// Shapes of an answer that was given up; ids go on after them.
    shapes: u32,
    shifted: u32,
    /// The second connection, for classes first seen while rows arrive.
    schema: Option<Box<dyn Exchange>>,
    /// Why classes are not fetched any more.
    given_up: bool,
    warning: Option<Arc<OpError>>,
}

impl<'r, 'c> Rows<'r, 'c> {
    pub(super) fn new(op: &'r Operation, cx: &'r OpContext<'c>, namespace: Namespace) -> Self {
        let given_up = with_facts(cx, |facts| facts.unsupported.contains(&"GetClass"));
        Self {
            op,
            cx,
            namespace,
            only: None,
            names_only: false,
            projected: false,
            left_out: Vec::new(),
            left: op.options.max_rows,
            delivered: 0,
            shapes: 0,
            shifted: 0,
            schema: None,
            given_up,
            warning: None,
        }
    }

    /// Another answer takes the place of the one that failed.
    pub(super) fn restart(&mut self) {
        self.shifted = self.shapes;
        self.left_out.clear();
    }

    /// How many more objects are worth asking for; `None` where that can't be told.
    pub(super) fn wanted(&self) -> Option<u64> {
        self.left.filter(|_| self.only.is_none())
    }

    /// Fetches the class asked for, over the operation's own connection. Not having it is no failure; not reaching the
    /// server is.
    pub(super) async fn before(
        &mut self,
        exchange: &mut dyn Exchange,
        class: &CimName,
    ) -> Result<Option<Arc<CimClass>>, OpError> {
        let key = ClassKey { namespace: self.namespace.clone(), class: class.clone() };
        if self.given_up {
            return Ok(self.cx.schema.known(&key));
        }
        let result = schema(self.cx, exchange, key, self.op).await;
        self.judge(result)
    }

    fn judge(&mut self, result: Result<Arc<CimClass>, Arc<OpError>>) -> Result<Option<Arc<CimClass>>, OpError> {
        let error = match result {
            Ok(class) => return Ok(Some(class)),
            Err(error) => error,
        };
        let is_survivable = matches!(
            error.kind,
            ErrorKind::Cim(_)
                | ErrorKind::BadAnswer { .. }
                | ErrorKind::Limit(_)
                | ErrorKind::ConnectionLost
                | ErrorKind::NotSupported
                | ErrorKind::Http(_)
        );
        if !is_survivable {
            return Err(OpError::clone(&error));
        }
        if status_of(&error) == Some(CimStatus::NOT_SUPPORTED) {
            self.given_up = true;
            with_facts(self.cx, |facts| {
                if !facts.unsupported.contains(&"GetClass") {
                    facts.unsupported.push("GetClass");
                }
            });
        } else if self.warning.is_none() {
            self.warning = Some(error);
        }
        Ok(None)
    }

    pub(super) async fn deliver_all(&mut self, mut reply: Reply) -> Result<(), OpError> {
        while let Some(decoded) = reply.next().await? {
            if !self.deliver(&mut reply, decoded).await? {
                return Ok(());
            }
        }
        Ok(())
    }

    /// Delivers what was decoded; false once no more rows are wanted.
    pub(super) async fn deliver(&mut self, reply: &mut Reply, decoded: Decoded) -> Result<bool, OpError> {
        for (id, shape) in decoded.shapes {
            self.shape(reply, id, shape).await?;
        }
        if let Some(text) = decoded.warning {
            let kind = ErrorKind::BadAnswer { offset: 0, item: None };
            let (target, seen) = (self.cx.dial.peer_name(), plain(&text));
            self.warn(Arc::new(content::ODD_VALUE.told(Phase::Receive, target, kind, seen))).await;
        }
        for batch in decoded.rows {
            if !self.batch(batch).await {
                return Ok(false);
            }
        }
        Ok(true)
    }

    async fn warn(&mut self, warning: Arc<OpError>) {
        self.cx.sink.deliver(OpEventKind::Warning(warning)).await;
    }

    async fn shape(&mut self, reply: &mut Reply, id: ShapeId, shape: Arc<Shape>) -> Result<(), OpError> {
        let shifted = ShapeId(id.0 + self.shifted);
        self.shapes = self.shapes.max(shifted.0 + 1);
        if self.only.as_ref().is_some_and(|only| shape.class != *only) {
            if !self.left_out.contains(&id) {
                self.left_out.push(id);
            }
            // The ids of a result are its shapes' numbers: none may be missing.
            self.cx.sink.deliver(OpEventKind::Shape(shifted, shape)).await;
            return Ok(());
        }
        let shape = match self.class_of(&shape).await? {
            Some(class) => {
                let wanted = self.op.options.property_list.as_deref();
                let wanted = if self.names_only || self.projected { Some(&[][..]) } else { wanted };
                let completed = Shape::clone(&shape).completed(&class, wanted);
                reply.adopt(id, completed.clone());
                Arc::new(completed)
            }
            None => shape,
        };
        self.cx.sink.deliver(OpEventKind::Shape(shifted, shape)).await;
        Ok(())
    }

    /// The class of a shape: known, or fetched over the second connection.
    async fn class_of(&mut self, shape: &Shape) -> Result<Option<Arc<CimClass>>, OpError> {
        let namespace = shape.namespace.clone().unwrap_or_else(|| self.namespace.clone());
        let key = ClassKey { namespace, class: shape.class.clone() };
        let known = self.cx.schema.known(&key);
        if known.is_some() || self.names_only || self.given_up {
            return Ok(known);
        }
        let cx = self.cx;
        let exchange = self.schema.get_or_insert_with(|| cx.dial.dial(Purpose::Schema));
        let result = schema(cx, &mut **exchange, key, self.op).await;
        match self.judge(result) {
            Ok(class) => Ok(class),
            // The rows go on arriving over their own connection.
            Err(error) => {
                self.given_up = true;
                self.schema = None;
                self.warning.get_or_insert(Arc::new(error));
                Ok(None)
            }
        }
    }

    async fn batch(&mut self, mut batch: RowBatch) -> bool {
        if !self.left_out.is_empty() {
            batch.retain(|shape| !self.left_out.contains(&shape));
        }
        batch.shift_shapes(self.shifted);
        batch.truncate(room(self.left));
        if batch.is_empty() {
            return self.left != Some(0);
        }
        if let Some(warning) = self.warning.take() {
            self.warn(warning).await;
        }
        let rows = batch.len();
        self.delivered += rows as u64;
        self.cx.sink.deliver(OpEventKind::Rows(batch)).await;
        take(&mut self.left, rows)
    }
}

/// A class from the cache, or fetched over `exchange` as phase Schema. What a refresh means is the cache's to know.
async fn schema(
    cx: &OpContext<'_>,
    exchange: &mut dyn Exchange,
    key: ClassKey,
    op: &Operation,
) -> Result<Arc<CimClass>, Arc<OpError>> {
    let fetch = {
        let key = key.clone();
        let locale = op.options.locale.as_deref();
        Box::pin(async move {
            let conn = exchange.connection();
            let detail = Some(Box::from(format!("GetClass {}", plain(key.class.as_str()))));
            cx.sink.tell(OpEventKind::PhaseStarted { conn, phase: Phase::Schema, detail });
            let result = fetch_class(cx, exchange, &key, locale).await;
            let error = result.as_ref().err().map(|error| Arc::new(error.clone()));
            cx.sink.tell(OpEventKind::PhaseEnded { conn, phase: Phase::Schema, error });
            result
        })
    };
    cx.schema.class(key, fetch).await
}
