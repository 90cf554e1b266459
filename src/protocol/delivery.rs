//! Rows on their way from an answer to the sink.
//!
//! Owns: which rows of an answer are delivered, how shapes are completed from classes, how classes are fetched for that and
//! what becomes of an operation where they cannot be. Must not know how any protocol spells a row or a request.
//!
//! ```text
//! Decoded -> Arrived -> Rows::deliver -> [class: cache | phase Schema] -> Shape, Rows -> EventSink
//! ```

use std::{collections::HashMap, sync::Arc};

use super::{
    ClassKey, OpContext, ServerFacts,
    reshape::{self, Plan, Types},
    xml::explain::plain,
};
use crate::{
    cim::{
        CimClass, CimName, CimStatus, Namespace,
        rows::{RowBatch, Shape, ShapeId},
    },
    op::{BoxFuture, ErrorKind, OpError, OpEventKind, Operation, Phase, Purpose, explain::answer::content},
    wire::Exchange,
};

/// How a protocol fetches a class, in the language named.
pub(super) type FetchClass = for<'f> fn(
    &'f OpContext<'f>,
    &'f mut dyn Exchange,
    &'f ClassKey,
    Option<&'f str>,
) -> BoxFuture<'f, Result<Arc<CimClass>, OpError>>;

/// What takes over shapes that were completed from their class.
pub(super) trait Adopts: Send {
    /// Takes over `shape` as the one called `id`.
    fn adopt(&mut self, id: ShapeId, shape: Shape);
}

/// What is remembered of a server that does not tell its classes.
pub(super) const GET_CLASS: &str = "GetClass";

/// What came of an answer.
pub(super) struct Arrived {
    /// Shapes of rows to come, and such that grew.
    pub(super) shapes: Vec<(ShapeId, Arc<Shape>)>,
    /// Rows in order.
    pub(super) rows: Vec<RowBatch>,
    /// Something worth telling once.
    pub(super) warning: Option<String>,
}

/// The status a server answered, if `error` is one.
pub(super) fn status_of(error: &OpError) -> Option<CimStatus> {
    match &error.kind {
        ErrorKind::Cim(error) => Some(error.status),
        _ => None,
    }
}

/// What is known about the server, under its lock.
pub(super) fn with_facts<T>(cx: &OpContext<'_>, act: impl FnOnce(&mut ServerFacts) -> T) -> T {
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

/// Rows on their way to the sink, their shapes completed from classes.
pub(super) struct Rows<'r, 'c> {
    op: &'r Operation,
    cx: &'r OpContext<'c>,
    namespace: Namespace,
    fetch: FetchClass,
    /// Only rows of exactly this class.
    pub(super) only: Option<CimName>,
    pub(super) names_only: bool,
    /// Rows hold what a query selected: properties of the class are not missing in them.
    pub(super) projected: bool,
    /// How values are read that came without a type; `None` where none does.
    pub(super) types: Option<Types>,
    /// Which failures say that nobody there speaks the protocol: no row will come either.
    pub(super) is_elsewhere: fn(&OpError) -> bool,
    /// Only these properties: the server sends others too.
    pub(super) narrowed: Option<Vec<CimName>>,
    /// How rows are made over, by the shapes they came in.
    plans: HashMap<ShapeId, Plan>,
    /// Shapes of other classes, whose rows are left out.
    left_out: Vec<ShapeId>,
    left: Option<u64>,
    pub(super) delivered: u64,
    /// Shapes of an answer that was given up; ids go on after them.
    shapes: u32,
    shifted: u32,
    /// The second connection, for classes first seen while rows arrive.
    schema: Option<Box<dyn Exchange>>,
    /// Classes are not fetched any more.
    given_up: bool,
    /// Classes that this operation could not get.
    missing: Vec<ClassKey>,
    /// Why the first of them could not be got, where their values then have no types.
    unread: Option<Arc<OpError>>,
    /// It was told that values have no types.
    told_untyped: bool,
    warning: Option<Arc<OpError>>,
}

impl<'r, 'c> Rows<'r, 'c> {
    pub(super) fn new(op: &'r Operation, cx: &'r OpContext<'c>, namespace: Namespace, fetch: FetchClass) -> Self {
        // A refresh asks anew: the server may tell its classes by now.
        let given_up = !op.options.refresh && with_facts(cx, |facts| facts.unsupported.contains(&GET_CLASS));
        Self {
            op,
            cx,
            namespace,
            fetch,
            only: None,
            names_only: false,
            projected: false,
            types: None,
            is_elsewhere: |_| false,
            narrowed: None,
            plans: HashMap::new(),
            left_out: Vec::new(),
            left: op.options.max_rows,
            delivered: 0,
            shapes: 0,
            shifted: 0,
            schema: None,
            given_up,
            missing: Vec::new(),
            unread: None,
            told_untyped: false,
            warning: None,
        }
    }

    /// Another answer takes the place of the one that failed.
    pub(super) fn restart(&mut self) {
        self.shifted = self.shapes;
        self.left_out.clear();
        self.plans.clear();
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
        let result = schema(self.cx, exchange, key.clone(), self.op, self.fetch).await;
        self.judge(key, result)
    }

    fn judge(
        &mut self,
        key: ClassKey,
        result: Result<Arc<CimClass>, Arc<OpError>>,
    ) -> Result<Option<Arc<CimClass>>, OpError> {
        let error = match result {
            Ok(class) => {
                with_facts(self.cx, |facts| facts.has(GET_CLASS));
                return Ok(Some(class));
            }
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
        if !is_survivable || (self.is_elsewhere)(&error) {
            return Err(OpError::clone(&error));
        }
        if status_of(&error) == Some(CimStatus::NOT_SUPPORTED) || error.kind == ErrorKind::NotSupported {
            self.given_up = true;
            with_facts(self.cx, |facts| facts.lacks(GET_CLASS));
        } else {
            // A connection that was lost says nothing of the class: it is asked for once more.
            if error.kind != ErrorKind::ConnectionLost {
                self.missing.push(key);
            }
            // Where values have types of their own, the class alone is missing.
            let told = if self.types.is_some() { &mut self.unread } else { &mut self.warning };
            told.get_or_insert(error);
        }
        Ok(None)
    }

    /// Says once, before the first row, that values have no types, and why nobody can tell them.
    fn note_untyped(&mut self, shape: &Shape) {
        if self.types.is_none() || self.told_untyped || shape.columns.iter().all(|column| column.ty.is_some()) {
            return;
        }
        self.told_untyped = true;
        let target = self.cx.dial.peer_name();
        let warning = match &self.unread {
            Some(error) => {
                let cause = error.cause();
                content::CLASS_NOT_TOLD.with(Phase::Schema, target, error.kind.clone(), &[("cause", cause.as_ref())])
            }
            None => content::NO_TYPES.error(Phase::Schema, target, ErrorKind::NotSupported),
        };
        self.warning.get_or_insert(Arc::new(warning));
    }

    /// Delivers what was decoded; false once no more rows are wanted.
    pub(super) async fn deliver(&mut self, reply: &mut dyn Adopts, arrived: Arrived) -> Result<bool, OpError> {
        for (id, shape) in arrived.shapes {
            self.shape(reply, id, shape).await?;
        }
        if let Some(text) = arrived.warning {
            let kind = ErrorKind::BadAnswer { offset: 0, item: None };
            let (target, seen) = (self.cx.dial.peer_name(), plain(&text));
            self.warn(Arc::new(content::ODD_VALUE.told(Phase::Receive, target, kind, seen))).await;
        }
        for batch in arrived.rows {
            let batch = match self.types {
                Some(types) => reshape::over(batch, &self.plans, types),
                None => batch,
            };
            if !self.batch(batch).await {
                return Ok(false);
            }
        }
        if self.narrowed.is_none() {
            // Rows to come are of the shapes that were adopted.
            self.plans.retain(|_, plan| plan.lasts());
        }
        Ok(true)
    }

    async fn warn(&mut self, warning: Arc<OpError>) {
        self.cx.sink.deliver(OpEventKind::Warning(warning)).await;
    }

    async fn shape(&mut self, reply: &mut dyn Adopts, id: ShapeId, shape: Arc<Shape>) -> Result<(), OpError> {
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
        let class = self.class_of(&shape).await?;
        let completed = match &class {
            Some(class) => {
                let wanted = self.op.options.property_list.as_deref();
                let wanted = if self.names_only || self.projected { Some(&[][..]) } else { wanted };
                let completed = Shape::clone(&shape).completed(class, wanted);
                reply.adopt(id, completed.clone());
                Arc::new(completed)
            }
            None => {
                if !self.names_only {
                    self.note_untyped(&shape);
                }
                shape.clone()
            }
        };
        let told = self.planned(id, &shape, completed, class);
        self.cx.sink.deliver(OpEventKind::Shape(shifted, told)).await;
        Ok(())
    }

    /// The shape that is told instead of `completed`, after planning how rows get there that came in `came`.
    fn planned(
        &mut self,
        id: ShapeId,
        came: &Shape,
        completed: Arc<Shape>,
        class: Option<Arc<CimClass>>,
    ) -> Arc<Shape> {
        let told = match &self.narrowed {
            Some(wanted) => Arc::new(reshape::narrowed(Shape::clone(&completed), wanted)),
            None => completed.clone(),
        };
        let is_typed = came.columns.iter().all(|column| column.ty.is_some());
        if self.types.is_some() && (self.narrowed.is_some() || class.is_some() && !is_typed) {
            // The shape that is adopted begins as the one before: the plan fits the rows of both.
            self.plans.insert(id, Plan::new(&completed, &told, class));
        }
        told
    }

    /// The class of a shape: known, or fetched over the second connection.
    async fn class_of(&mut self, shape: &Shape) -> Result<Option<Arc<CimClass>>, OpError> {
        let namespace = shape.namespace.clone().unwrap_or_else(|| self.namespace.clone());
        let key = ClassKey { namespace, class: shape.class.clone() };
        let known = self.cx.schema.known(&key);
        if known.is_some() || self.names_only || self.given_up || self.missing.contains(&key) {
            return Ok(known);
        }
        let cx = self.cx;
        let exchange = self.schema.get_or_insert_with(|| cx.dial.dial(Purpose::Schema));
        let result = schema(cx, &mut **exchange, key.clone(), self.op, self.fetch).await;
        match self.judge(key, result) {
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
    fetch: FetchClass,
) -> Result<Arc<CimClass>, Arc<OpError>> {
    let fetched = {
        let key = key.clone();
        let locale = op.options.locale.as_deref();
        Box::pin(async move {
            let conn = exchange.connection();
            let detail = Some(Box::from(format!("GetClass {}", plain(key.class.as_str()))));
            cx.sink.tell(OpEventKind::PhaseStarted { conn, phase: Phase::Schema, detail });
            let result = fetch(cx, exchange, &key, locale).await;
            let error = result.as_ref().err().map(|error| Arc::new(error.clone()));
            cx.sink.tell(OpEventKind::PhaseEnded { conn, phase: Phase::Schema, error });
            result
        })
    };
    cx.schema.class(key, fetched).await
}
