//! Whose turn it is.
//!
//! Owns: the queue of operations that wait for a secret or for others to end, first come first served by [`OpId`], with the limits per
//! session and in all; and the secrets of live sessions. Must not know what an operation does with its turn.
//!
//! ```text
//! enter --> waits (SecretNeeded, limits) --> Turn (a slot, the secret) --dropped--> the next one's turn
//!                 |-- declined --> Declined
//! ```

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use secrecy::SecretString;
use tokio::sync::oneshot;

use super::outbox::Outbox;
use crate::op::{EventSink, Limits, OpEventKind, OpId, SessionId};

/// A secret a user gave, numbered so that a refusal is not held against a newer one.
#[derive(Clone)]
pub(super) struct Given {
    pub(super) secret: SecretString,
    number: u64,
}

/// The user declined to give the secret.
#[derive(Debug)]
pub(super) struct Declined;

/// What is sent to an operation whose turn it is; the slot is the caller's to wrap.
pub(super) type Call = oneshot::Sender<Result<CalledUp, Declined>>;

/// An operation's turn has come.
pub(super) struct CalledUp {
    pub(super) slot: Box<dyn Send>,
    pub(super) secret: Option<Given>,
}

/// Operations that wait and the count of those that do not.
pub(super) struct Turns {
    per_session: usize,
    /// Of sessions that have a limit of their own.
    bounds: HashMap<SessionId, usize>,
    in_all: usize,
    running: HashMap<SessionId, usize>,
    waiting: BTreeMap<OpId, Waiting>,
    secrets: HashMap<SessionId, Secret>,
    given: u64,
}

struct Waiting {
    session: SessionId,
    /// The user whose secret it needs from a prompt, if it does.
    prompt: Option<String>,
    /// It has told that it needs it.
    told: bool,
    outbox: Arc<Outbox>,
    call: Call,
}

#[derive(Default)]
struct Secret {
    given: Option<Given>,
    /// The server refused the last one.
    refused: bool,
}

impl Turns {
    /// Nobody waits, nothing runs.
    pub(super) fn new(limits: &Limits) -> Self {
        Self {
            per_session: limits.in_flight_per_session.max(1),
            in_all: limits.in_flight.max(1),
            bounds: HashMap::new(),
            running: HashMap::new(),
            waiting: BTreeMap::new(),
            secrets: HashMap::new(),
            given: 0,
        }
    }

    /// Gives a session a limit of its own, or takes it away.
    pub(super) fn set_bound(&mut self, session: SessionId, in_flight: Option<usize>) {
        match in_flight {
            Some(count) => drop(self.bounds.insert(session, count.max(1))),
            None => drop(self.bounds.remove(&session)),
        }
    }

    fn bound(&self, session: SessionId) -> usize {
        self.bounds.get(&session).copied().unwrap_or(self.per_session)
    }

    fn running_in(&self, session: SessionId) -> usize {
        self.running.get(&session).copied().unwrap_or(0)
    }

    fn running_in_all(&self) -> usize {
        self.running.values().sum()
    }

    /// Why an operation of `session` has to wait for others, in words for the pane.
    pub(super) fn obstacle(&self, session: SessionId) -> Option<Box<str>> {
        if self.running_in(session) >= self.bound(session) {
            Some(format!("{} in flight in this session", self.bound(session)).into())
        } else if self.running_in_all() >= self.in_all {
            Some(format!("{} in flight in all", self.in_all).into())
        } else {
            None
        }
    }

    /// Lines an operation up. Call [`Turns::next`] until it answers nothing afterwards.
    pub(super) fn enter(
        &mut self,
        id: OpId,
        session: SessionId,
        prompt: Option<String>,
        outbox: Arc<Outbox>,
    ) -> oneshot::Receiver<Result<CalledUp, Declined>> {
        let (call, called) = oneshot::channel();
        self.waiting.insert(id, Waiting { session, prompt, told: false, outbox, call });
        called
    }

    /// Forgets an operation that waits no more.
    pub(super) fn leave(&mut self, id: OpId) {
        self.waiting.remove(&id);
    }

    /// The next operation to run, counted as running from now on, its secret, and where to tell it. Those that lack a secret are asked
    /// for it, whether or not it would be their turn.
    pub(super) fn next(&mut self) -> Option<(SessionId, Call, Option<Given>)> {
        let mut chosen = None;
        let in_all = self.running_in_all() < self.in_all;
        for (id, waiting) in &mut self.waiting {
            let secret = self.secrets.get(&waiting.session);
            let given = secret.and_then(|secret| secret.given.clone());
            if let (Some(user), None) = (&waiting.prompt, &given) {
                if !std::mem::replace(&mut waiting.told, true) {
                    let again = secret.is_some_and(|secret| secret.refused);
                    waiting.outbox.tell(OpEventKind::SecretNeeded { user: user.clone(), again });
                }
                continue;
            }
            let here = self.running.get(&waiting.session).copied().unwrap_or(0);
            let bound = self.bounds.get(&waiting.session).copied().unwrap_or(self.per_session);
            if chosen.is_none() && in_all && here < bound {
                chosen = Some((*id, given.filter(|_| waiting.prompt.is_some())));
            }
        }
        let (id, given) = chosen?;
        let waiting = self.waiting.remove(&id)?;
        *self.running.entry(waiting.session).or_default() += 1;
        Some((waiting.session, waiting.call, given))
    }

    /// An operation of `session` runs no more.
    pub(super) fn leave_slot(&mut self, session: SessionId) {
        if let Some(count) = self.running.get_mut(&session) {
            *count -= 1;
            if *count == 0 {
                self.running.remove(&session);
            }
        }
    }

    /// Keeps the secret of a session.
    pub(super) fn give(&mut self, session: SessionId, secret: SecretString) {
        self.given += 1;
        let given = Some(Given { secret, number: self.given });
        self.secrets.insert(session, Secret { given, refused: false });
        for waiting in self.waiting.values_mut().filter(|waiting| waiting.session == session) {
            waiting.told = false;
        }
    }

    /// Whether somebody gave the secret of `session`, and it was not refused.
    pub(super) fn holds(&self, session: SessionId) -> bool {
        self.secrets.get(&session).is_some_and(|secret| secret.given.is_some())
    }

    /// The secret somebody gave for `session`, unless it was refused.
    pub(super) fn secret(&self, session: SessionId) -> Option<SecretString> {
        Some(self.secrets.get(&session)?.given.as_ref()?.secret.clone())
    }

    /// Takes those out of the queue that wait for the secret of `session`, which will not come.
    pub(super) fn decline(&mut self, session: SessionId) -> Vec<Call> {
        if self.secrets.get(&session).is_some_and(|secret| secret.given.is_some()) {
            return Vec::new();
        }
        self.waiting
            .extract_if(.., |_, waiting| waiting.session == session && waiting.prompt.is_some())
            .map(|(_, waiting)| waiting.call)
            .collect()
    }

    /// The server refused `given`: it is forgotten, unless a newer one took its place.
    pub(super) fn refuse(&mut self, session: SessionId, given: &Given) {
        if let Some(secret) = self.secrets.get_mut(&session)
            && secret.given.as_ref().is_some_and(|known| known.number == given.number)
        {
            *secret = Secret { given: None, refused: true };
        }
    }

    /// Forgets (and thereby wipes) the secret of a session.
    pub(super) fn forget(&mut self, session: SessionId) {
        self.secrets.remove(&session);
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]

    use super::*;

    fn turns(per_session: usize, in_all: usize) -> Turns {
        Turns::new(&Limits { in_flight_per_session: per_session, in_flight: in_all, ..Limits::default() })
    }

    fn enter(turns: &mut Turns, id: u64, session: u32, prompt: bool) -> Arc<Outbox> {
        let outbox = Outbox::new(OpId(id), 10);
        drop(turns.enter(OpId(id), SessionId(session), prompt.then(|| "ann".to_owned()), outbox.clone()));
        outbox
    }

    #[test]
    fn a_session_may_have_a_limit_of_its_own() {
        let mut turns = turns(2, 9);
        turns.set_bound(SessionId(1), Some(1));
        for id in 1..=3 {
            enter(&mut turns, id, 1, false);
            enter(&mut turns, id + 10, 2, false);
        }
        assert_eq!(called(&mut turns), [1, 2, 2]);
        assert_eq!(turns.obstacle(SessionId(1)).as_deref(), Some("1 in flight in this session"));
        turns.set_bound(SessionId(1), None);
        assert_eq!(called(&mut turns), [1]);
    }

    /// The sessions of those whose turn it is now.
    fn called(turns: &mut Turns) -> Vec<u32> {
        std::iter::from_fn(|| turns.next().map(|(session, ..)| session.0)).collect()
    }

    #[tokio::test]
    async fn limits_hold_per_session_and_in_all_and_order_is_by_id() {
        let mut turns = turns(2, 3);
        for (id, session) in [(5, 1), (4, 1), (3, 1), (6, 2), (7, 3)] {
            enter(&mut turns, id, session, false);
        }
        assert_eq!(called(&mut turns), [1, 1, 2]);
        assert_eq!(turns.waiting.keys().map(|id| id.0).collect::<Vec<_>>(), [5, 7]);
        assert_eq!(turns.obstacle(SessionId(1)).as_deref(), Some("2 in flight in this session"));
        assert_eq!(turns.obstacle(SessionId(3)).as_deref(), Some("3 in flight in all"));
        turns.leave_slot(SessionId(2));
        assert_eq!(called(&mut turns), [3], "session 1 is still full");
        turns.leave_slot(SessionId(1));
        assert_eq!(called(&mut turns), [1]);
    }

    #[tokio::test]
    async fn who_lacks_a_secret_takes_no_slot() {
        let mut turns = turns(1, 1);
        enter(&mut turns, 1, 1, true);
        enter(&mut turns, 2, 2, false);
        assert_eq!(called(&mut turns), [2]);
        turns.leave_slot(SessionId(2));
        assert_eq!(called(&mut turns), [0; 0]);
        turns.give(SessionId(1), SecretString::from("s"));
        assert_eq!(called(&mut turns), [1]);
    }

    #[tokio::test]
    async fn a_refused_secret_does_not_take_the_newer_one_along() {
        let mut turns = turns(4, 4);
        turns.give(SessionId(1), SecretString::from("old"));
        enter(&mut turns, 1, 1, true);
        let old = turns.next().unwrap().2.unwrap();
        turns.give(SessionId(1), SecretString::from("new"));
        turns.refuse(SessionId(1), &old);
        enter(&mut turns, 2, 1, true);
        let new = turns.next().unwrap().2.unwrap();
        turns.refuse(SessionId(1), &new);
        enter(&mut turns, 3, 1, true);
        assert!(turns.next().is_none());
        assert_eq!(turns.decline(SessionId(1)).len(), 1);
    }
}
