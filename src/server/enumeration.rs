//! The enumerations that are open: what DSP0200 section 5.4.2.24 calls enumeration sessions and DSP0226 section 8 contexts.
//!
//! Owns: contexts, what is left of each enumeration, when it expires and how many there may be, over both protocols. Must not
//! know XML or what an operation answers.
//!
//! An enumeration is what there was when it was opened: the values asked for, not their text, so that it agrees with
//! itself however slowly it is read. What all of them hold together is bounded; one too many is refused rather than
//! another one's rest thrown away.

use std::{
    collections::{HashMap, VecDeque},
    fmt::Write as _,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::{sync::watch, time::Instant};

use super::repository::Schema;
use crate::cim::{CimName, CimValue, Namespace, ObjectPath};

/// Enumerations open at once.
pub(super) const OPEN_MAX: usize = 64;
/// Values held by all of them together; array items and keys count too.
pub(super) const VALUES_MAX: usize = 1_000_000;

/// What an enumeration tells, and so which operation pulls it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// `PullInstancesWithPath`
    Instances,
    /// `PullInstancePaths`
    Paths,
    /// `PullInstances`
    Query,
    /// Pull of WS-Man.
    WsMan(Told),
}

/// What each item of an enumeration over WS-Man is (DSP0226 section 8.7, MS-WSMV section 3.1.4.8).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Told {
    /// The instance.
    Object,
    /// The endpoint reference of the instance.
    Reference,
    /// Both.
    Both,
    /// The class, with what it inherits and its qualifiers if they are asked for.
    Class { inherited: bool, qualifiers: bool },
}

/// What stays the same from its opening to its end.
#[derive(Debug)]
pub(super) struct Shape {
    pub(super) kind: Kind,
    pub(super) namespace: Namespace,
    pub(super) properties: Option<Vec<CimName>>,
    pub(super) class_origin: bool,
    /// Only properties this class has.
    pub(super) known_to: Option<CimName>,
    /// How long it stays open between two operations on it.
    pub(super) timeout: Duration,
}

impl Shape {
    /// Whether the property `name` is told.
    pub(super) fn takes(&self, schema: &Schema, name: &CimName) -> bool {
        let known_to = self.known_to.as_ref().and_then(|class| schema.class(class));
        self.properties.as_ref().is_none_or(|list| list.contains(name))
            && known_to.is_none_or(|class| class.index(name.as_str()).is_some())
    }
}

/// One instance that is still to be told.
#[derive(Debug)]
pub(super) struct Kept {
    pub(super) path: ObjectPath,
    /// In the order of the properties of its class; none where only paths are told.
    pub(super) values: Vec<CimValue>,
}

impl Kept {
    /// How many values it holds.
    pub(super) fn size(&self) -> usize {
        let items = |value: &CimValue| if let CimValue::Array(items) = value { items.len() } else { 0 };
        1 + self.path.keys.len() + self.values.iter().map(|value| 1 + items(value)).sum::<usize>()
    }
}

#[derive(Debug)]
struct Open {
    shape: Arc<Shape>,
    rest: VecDeque<Kept>,
    expires: Instant,
}

/// Some of an enumeration.
#[derive(Debug)]
pub(super) struct Page {
    pub(super) shape: Arc<Shape>,
    pub(super) rows: Vec<Kept>,
    /// The context it goes on with; `None` at its end.
    pub(super) context: Option<String>,
}

/// Whether one more is told now; it then is.
pub(super) type Takes<'t> = &'t mut dyn FnMut(&Shape, &Kept) -> bool;

/// Takes up to `max`.
pub(super) fn at_most(max: usize) -> impl FnMut(&Shape, &Kept) -> bool {
    let mut left = max;
    move |_, _| {
        let takes = left > 0;
        left = left.saturating_sub(1);
        takes
    }
}

fn taken(rows: &mut VecDeque<Kept>, shape: &Shape, takes: Takes<'_>) -> Vec<Kept> {
    std::iter::from_fn(|| rows.pop_front_if(|row| takes(shape, row))).collect()
}

/// Why an enumeration was not opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refused {
    /// Too many are open, or too much is held.
    Full,
    /// The system gives no random numbers, so no context nobody could guess.
    NoContext,
}

#[derive(Debug, Default)]
struct Table {
    open: HashMap<String, Open>,
    values: usize,
}

impl Table {
    fn remove(&mut self, context: &str) -> bool {
        let Some(open) = self.open.remove(context) else { return false };
        self.values -= open.rest.iter().map(Kept::size).sum::<usize>();
        true
    }

    fn expire(&mut self, now: Instant) {
        let gone: Vec<String> =
            self.open.iter().filter(|(_, open)| open.expires <= now).map(|(context, _)| context.clone()).collect();
        gone.iter().for_each(|context| {
            self.remove(context);
        });
    }

    /// The enumeration, if it is open and was opened in `namespace`, where one is given.
    fn find(&mut self, context: &str, namespace: Option<&Namespace>) -> Option<&mut Open> {
        self.open.get_mut(context).filter(|open| namespace.is_none_or(|namespace| open.shape.namespace == *namespace))
    }
}

/// All enumerations of one server.
#[derive(Debug)]
pub(super) struct Enumerations {
    table: Mutex<Table>,
    count: watch::Sender<usize>,
}

impl Default for Enumerations {
    fn default() -> Self {
        Self { table: Mutex::default(), count: watch::channel(0).0 }
    }
}

impl Enumerations {
    fn table(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many are open.
    pub(super) fn count(&self) -> watch::Receiver<usize> {
        self.count.subscribe()
    }

    fn tell(&self, table: &Table) {
        self.count.send_if_modified(|count| std::mem::replace(count, table.open.len()) != table.open.len());
    }

    /// The first of `rows`, as long as `takes` says so; if there are more, or with `always`, an enumeration is opened for the
    /// rest.
    pub(super) fn open(
        &self,
        shape: Shape,
        mut rows: VecDeque<Kept>,
        takes: Takes<'_>,
        always: bool,
        now: Instant,
    ) -> Result<Page, Refused> {
        let first = taken(&mut rows, &shape, takes);
        let shape = Arc::new(shape);
        if rows.is_empty() && !always {
            return Ok(Page { shape, rows: first, context: None });
        }
        let context = context().ok_or(Refused::NoContext)?;
        let values = rows.iter().map(Kept::size).sum::<usize>();
        let mut table = self.table();
        table.expire(now);
        if table.open.len() < OPEN_MAX && table.values + values <= VALUES_MAX {
            let open = Open { shape: Arc::clone(&shape), rest: rows, expires: now + shape.timeout };
            table.open.insert(context.clone(), open);
            table.values += values;
            self.tell(&table);
            Ok(Page { shape, rows: first, context: Some(context) })
        } else {
            self.tell(&table);
            Err(Refused::Full)
        }
    }

    /// The next of an enumeration, as long as `takes` says so; it ends when none are left. `None` if no such enumeration is
    /// open, in `namespace` if there is one and with a kind that `fits`.
    pub(super) fn pull(
        &self,
        context: &str,
        namespace: Option<&Namespace>,
        fits: impl Fn(Kind) -> bool,
        takes: Takes<'_>,
        now: Instant,
    ) -> Option<Page> {
        let mut table = self.table();
        table.expire(now);
        let page = table.find(context, namespace).filter(|open| fits(open.shape.kind)).map(|open| {
            let rows = taken(&mut open.rest, &open.shape, takes);
            open.expires = now + open.shape.timeout;
            let context = (!open.rest.is_empty()).then(|| context.to_owned());
            Page { shape: Arc::clone(&open.shape), rows, context }
        });
        if let Some(page) = &page {
            table.values -= page.rows.iter().map(Kept::size).sum::<usize>();
            if page.context.is_none() {
                table.remove(context);
            }
        }
        self.tell(&table);
        page
    }

    /// Closes an enumeration; `false` if no such one is open.
    pub(super) fn close(&self, context: &str, namespace: Option<&Namespace>, now: Instant) -> bool {
        let mut table = self.table();
        table.expire(now);
        let closed = table.find(context, namespace).is_some() && table.remove(context);
        self.tell(&table);
        closed
    }

    /// Forgets each enumeration when its time is over, for as long as this is awaited.
    pub(super) async fn forget_in_time(&self) {
        let mut count = self.count();
        loop {
            count.mark_unchanged();
            let next = self.table().open.values().map(|open| open.expires).min();
            let due = async {
                match next {
                    Some(next) => tokio::time::sleep_until(next).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                () = due => {
                    let mut table = self.table();
                    table.expire(Instant::now());
                    self.tell(&table);
                }
                // The sender lives in `self`, so this is only ever a change.
                _ = count.changed() => {}
            }
        }
    }
}

/// 128 random bits in hexadecimal digits.
fn context() -> Option<String> {
    let mut bytes = [0_u8; 16];
    getrandom::fill(&mut bytes).ok()?;
    Some(bytes.iter().fold(String::with_capacity(32), |mut text, byte| {
        // Writing into a `String` cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    }))
}

#[cfg(test)]
#[path = "enumeration_tests.rs"]
mod tests;
