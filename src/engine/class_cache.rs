//! The classes a live session knows.
//!
//! Owns: [`ClassCache`], in memory, at most 64 MiB by estimate, the classes longest unused leave first; one fetch of a class at a time,
//! shared by everybody who wants it. Must not know how a class is fetched.
//!
//! ```text
//! class(key) --known--> answer
//!            --nobody fetches--> fetch --ok, refused--> kept, answered to all who wait
//!            --somebody fetches--> wait --he ended (cancelled)--> fetch
//! ```

use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use crate::{
    cim::{CimClass, CimValue, Qualifier},
    op::{BoxFuture, ErrorKind, OpError},
    protocol::{ClassKey, SchemaSource},
};

/// The most bytes of classes one session keeps, by estimate.
const MAX_BYTES: usize = 64 << 20;

type Answer = Result<Arc<CimClass>, Arc<OpError>>;

/// The classes of one live session.
pub(super) struct ClassCache {
    kept: Mutex<Kept>,
    max_bytes: usize,
}

#[derive(Default)]
struct Kept {
    entries: HashMap<ClassKey, Entry>,
    flights: HashMap<ClassKey, Arc<Flight>>,
    bytes: usize,
    clock: u64,
}

struct Entry {
    answer: Answer,
    bytes: usize,
    used: u64,
}

/// A fetch under way. Whoever holds the lock fetches; a result in it is for all who wait.
#[derive(Default)]
struct Flight(tokio::sync::Mutex<Option<Answer>>);

impl ClassCache {
    /// An empty cache.
    pub(super) fn new() -> Arc<Self> {
        Self::bounded(MAX_BYTES)
    }

    fn bounded(max_bytes: usize) -> Arc<Self> {
        Arc::new(Self { kept: Mutex::default(), max_bytes })
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn get(&self, key: &ClassKey) -> Option<Answer> {
        let mut kept = self.kept();
        kept.clock += 1;
        let now = kept.clock;
        let entry = kept.entries.get_mut(key)?;
        entry.used = now;
        Some(entry.answer.clone())
    }

    fn keep(&self, key: ClassKey, answer: Answer) {
        let bytes = answer.as_ref().map_or(1024, |class| size_of_class(class));
        let mut kept = self.kept();
        kept.clock += 1;
        let entry = Entry { answer, bytes, used: kept.clock };
        kept.bytes += bytes;
        if let Some(old) = kept.entries.insert(key, entry) {
            kept.bytes -= old.bytes;
        }
        if kept.bytes > self.max_bytes {
            kept.make_room(self.max_bytes - self.max_bytes / 8);
        }
    }

    async fn fetch(&self, key: ClassKey, again: bool, fetch: BoxFuture<'_, Result<Arc<CimClass>, OpError>>) -> Answer {
        let flight = {
            let mut kept = self.kept();
            if !again && let Some(entry) = kept.entries.get(&key) {
                return entry.answer.clone();
            }
            kept.flights.entry(key.clone()).or_default().clone()
        };
        let mut leaving = Leaving { cache: self, key: &key, flight: &flight, landed: false };
        let mut landed = flight.0.lock().await;
        if let Some(answer) = &*landed {
            return answer.clone();
        }
        if !again && let Some(answer) = self.get(&key) {
            return answer;
        }
        // From here on this operation fetches. If it is dropped, the lock opens with nothing in it and the next one fetches.
        let answer = fetch.await.map_err(Arc::new);
        if is_lasting(&answer) {
            self.keep(key.clone(), answer.clone());
        }
        *landed = Some(answer.clone());
        leaving.landed = true;
        answer
    }
}

/// A class, and a refusal by the server, hold until a refresh. A connection that broke says nothing about the class: those who waited are
/// told, the next to ask fetches.
fn is_lasting(answer: &Answer) -> bool {
    answer.as_ref().map_or_else(|error| matches!(error.kind, ErrorKind::Cim(_) | ErrorKind::NotSupported), |_| true)
}

/// Takes a flight off the list when its fetch is over, or when nobody else waits for it.
struct Leaving<'a> {
    cache: &'a ClassCache,
    key: &'a ClassKey,
    flight: &'a Arc<Flight>,
    landed: bool,
}

impl Drop for Leaving<'_> {
    fn drop(&mut self) {
        let mut kept = self.cache.kept();
        // Two hold it when we are the last: the list and we.
        let over = self.landed || Arc::strong_count(self.flight) <= 2;
        if over && kept.flights.get(self.key).is_some_and(|known| Arc::ptr_eq(known, self.flight)) {
            kept.flights.remove(self.key);
        }
    }
}

impl Kept {
    fn make_room(&mut self, bytes: usize) {
        let mut by_use = self.entries.iter().map(|(key, entry)| (entry.used, key.clone())).collect::<Vec<_>>();
        by_use.sort_unstable_by_key(|(used, _)| *used);
        // The newest stays, however large: somebody asked for it just now.
        by_use.pop();
        for (_, key) in by_use {
            if self.bytes <= bytes {
                return;
            }
            if let Some(entry) = self.entries.remove(&key) {
                self.bytes -= entry.bytes;
            }
        }
    }
}

/// The cache as one operation sees it: with `refresh` it fetches each class it needs once more.
pub(super) struct OperationSchema {
    cache: Arc<ClassCache>,
    /// The classes this operation has fetched; `None` without `refresh`.
    fresh: Option<Mutex<HashSet<ClassKey>>>,
}

impl OperationSchema {
    /// The view of an operation.
    pub(super) fn new(cache: Arc<ClassCache>, refresh: bool) -> Self {
        Self { cache, fresh: refresh.then(Mutex::default) }
    }

    fn is_stale(&self, key: &ClassKey) -> bool {
        self.fresh.as_ref().is_some_and(|fresh| !fresh.lock().unwrap_or_else(PoisonError::into_inner).contains(key))
    }

    fn freshen(&self, key: &ClassKey) {
        if let Some(fresh) = &self.fresh {
            fresh.lock().unwrap_or_else(PoisonError::into_inner).insert(key.clone());
        }
    }
}

impl SchemaSource for OperationSchema {
    fn known(&self, key: &ClassKey) -> Option<Arc<CimClass>> {
        if self.is_stale(key) { None } else { self.cache.get(key)?.ok() }
    }

    fn class<'a>(
        &'a self,
        key: ClassKey,
        fetch: BoxFuture<'a, Result<Arc<CimClass>, OpError>>,
    ) -> BoxFuture<'a, Result<Arc<CimClass>, Arc<OpError>>> {
        Box::pin(async move {
            let stale = self.is_stale(&key);
            if !stale && let Some(answer) = self.cache.get(&key) {
                return answer;
            }
            let answer = self.cache.fetch(key.clone(), stale, fetch).await;
            self.freshen(&key);
            answer
        })
    }

    fn learned(&self, key: ClassKey, class: Arc<CimClass>) {
        self.freshen(&key);
        self.cache.keep(key, Ok(class));
    }
}

fn size_of_class(class: &CimClass) -> usize {
    let properties = class.properties.iter().map(|property| {
        size_of_val(property)
            + property.name.as_str().len()
            + size_of_qualifiers(&property.qualifiers)
            + size_of_value(&property.default)
    });
    let methods = class.methods.iter().map(|method| {
        let parameters = method.parameters.iter().map(|parameter| {
            size_of_val(parameter) + parameter.name.as_str().len() + size_of_qualifiers(&parameter.qualifiers)
        });
        size_of_val(method)
            + method.name.as_str().len()
            + size_of_qualifiers(&method.qualifiers)
            + parameters.sum::<usize>()
    });
    size_of::<CimClass>()
        + class.name.as_str().len()
        + size_of_qualifiers(&class.qualifiers)
        + properties.sum::<usize>()
        + methods.sum::<usize>()
}

fn size_of_qualifiers(qualifiers: &[Qualifier]) -> usize {
    qualifiers
        .iter()
        .map(|qualifier| size_of_val(qualifier) + qualifier.name.as_str().len() + size_of_value(&qualifier.value.value))
        .sum()
}

fn size_of_value(value: &CimValue) -> usize {
    size_of_val(value)
        + match value {
            CimValue::String(text) | CimValue::Untyped(text) => text.len(),
            CimValue::Array(items) => items.iter().map(size_of_value).sum(),
            CimValue::Class(class) => size_of_class(class),
            CimValue::Reference(_) | CimValue::Instance(_) => 512,
            _ => 0,
        }
}

#[cfg(test)]
mod tests;
