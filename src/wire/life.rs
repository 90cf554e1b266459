//! The life of one connection: the handles that keep its socket open.
//!
//! Owns: the client of one attempt, from before its connection to after its end. Must not know requests.

use std::sync::{Arc, Mutex};

use super::observer::Observer;
use crate::op::Closer;

/// The client of one attempt. When the last clone of its `Arc` goes, or at [`Life::close`], the socket goes too.
pub(super) struct Life {
    client: Mutex<Option<reqwest::Client>>,
    pub observer: Arc<Observer>,
    /// Who ends it when the last handle goes.
    ends: Mutex<Closer>,
}

impl Life {
    pub(super) fn new(client: reqwest::Client, observer: Arc<Observer>) -> Self {
        Self { client: Mutex::new(Some(client)), observer, ends: Mutex::new(Closer::Us) }
    }

    /// The client, unless closed.
    pub(super) fn client(&self) -> Option<reqwest::Client> {
        self.client.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).clone()
    }

    /// Remembers who ended it, for when the last handle goes.
    pub(super) fn ended_by(&self, by: Closer) {
        *self.ends.lock().unwrap_or_else(|poisoned| poisoned.into_inner()) = by;
    }

    /// Drops the client and tells so, once.
    pub(super) fn close(&self, by: Closer) {
        let client = self.client.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).take();
        self.observer.close(by, || drop(client));
    }
}

impl Drop for Life {
    fn drop(&mut self) {
        let by = *self.ends.get_mut().unwrap_or_else(|poisoned| poisoned.into_inner());
        self.close(by);
    }
}
