//! The events of one operation on their way to whoever asked for it.
//!
//! Owns: stamping, order, and the bound on rows that nobody has taken yet. A step is told without waiting; content waits for room.
//! After the terminal event nothing is taken in. Must not know what the events mean to anybody.
//!
//! ```text
//! Protocol, wire --tell, deliver--> Outbox (half of the rows' bound) --pump--> mpsc (the other half) --> front
//! ```

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::{
    sync::{Notify, Semaphore, mpsc},
    time::Instant,
};

use super::{secrets::hide::Hidden, stopwatch::Stopwatch};
use crate::{
    auth::Credentials,
    op::{BoxFuture, ConnId, EventSink, Names, OpError, OpEvent, OpEventKind, OpId, Phase},
};

/// The sink of one operation and the queue behind it.
pub(super) struct Outbox {
    op: OpId,
    asked: Instant,
    queue: Mutex<Queue>,
    /// A new event lies in the queue.
    wake: Notify,
    /// Rows that still may lie in the queue; as many again may lie in the channel.
    room: Semaphore,
    half: usize,
    /// The time that counts; stands while content waits for room.
    pub(super) watch: Stopwatch,
}

#[derive(Default)]
struct Queue {
    /// Events, each with the room it takes.
    events: VecDeque<(OpEvent, usize)>,
    /// The terminal event is in.
    ended: bool,
    /// Nobody listens any more.
    deaf: bool,
    /// Phases that have begun and not ended, outermost first.
    running: Vec<(Option<ConnId>, Phase)>,
    told: Told,
    /// What no error may quote.
    hidden: Hidden,
}

/// What has been told so far.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Told {
    /// Rows, names and classes.
    pub(super) items: u64,
    /// Anything that answers what was asked, shapes and progress excepted.
    pub(super) content: bool,
    /// A request began to go out.
    pub(super) sent: bool,
}

impl Outbox {
    /// An outbox for `op`, asked for now; at most `undrained` rows lie in it and in the channel together (but always a batch in each).
    pub(super) fn new(op: OpId, undrained: usize) -> Arc<Self> {
        let half = (undrained / 2).clamp(1, Semaphore::MAX_PERMITS.min(u32::MAX as usize));
        Arc::new(Self {
            op,
            asked: Instant::now(),
            queue: Mutex::default(),
            wake: Notify::new(),
            room: Semaphore::new(half),
            half,
            watch: Stopwatch::default(),
        })
    }

    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What has been told so far.
    pub(super) fn told(&self) -> Told {
        self.queue().told
    }

    /// From now on no error quotes `credentials`, which go to the server and may come back.
    pub(super) fn hide(&self, credentials: &Credentials) {
        self.queue().hidden.add(credentials);
    }

    /// The phase that runs now: the innermost, where several do.
    pub(super) fn phase(&self) -> Option<Phase> {
        self.queue().running.iter().rev().map(|running| running.1).find(|phase| *phase != Phase::Protocol)
    }

    /// Ends every phase that still runs, the innermost and the attempt with `error`, then the operation. Only the first call does anything.
    pub(super) fn end(&self, terminal: OpEventKind, error: Option<&Arc<OpError>>) {
        {
            let mut queue = self.queue();
            if queue.ended {
                return;
            }
            self.end_running(&mut queue, error);
            self.push(&mut queue, terminal, 0);
            queue.ended = true;
        }
        self.wake.notify_one();
    }

    /// Ends every phase that still runs, the innermost and the attempt with `error`; the operation goes on.
    pub(super) fn end_phases(&self, error: &Arc<OpError>) {
        self.end_running(&mut self.queue(), Some(error));
        self.wake.notify_one();
    }

    fn end_running(&self, queue: &mut Queue, error: Option<&Arc<OpError>>) {
        let mut innermost = error.cloned();
        for (conn, phase) in std::mem::take(&mut queue.running).into_iter().rev() {
            // Which attempt came to nothing is told of the attempt too.
            let error = innermost.take().or_else(|| error.filter(|_| phase == Phase::Protocol).cloned());
            self.push(queue, OpEventKind::PhaseEnded { conn, phase, error }, 0);
        }
    }

    fn push(&self, queue: &mut Queue, kind: OpEventKind, weight: usize) {
        if queue.ended || queue.deaf {
            self.room.add_permits(weight);
            return;
        }
        queue.note(&kind);
        let kind = queue.hidden.out_of(kind);
        let event = OpEvent { op: self.op, at: self.asked.elapsed(), kind };
        // Bytes are told as they come; what the next report replaces need not be kept.
        if let (OpEventKind::Progress { conn, .. }, Some(last)) = (&event.kind, queue.events.back_mut())
            && matches!(&last.0.kind, OpEventKind::Progress { conn: known, .. } if known == conn)
        {
            last.0 = event;
            return;
        }
        queue.events.push_back((event, weight));
    }

    /// Carries events to `events` until the terminal one has been handed over or nobody listens. Called once.
    pub(super) async fn pump(&self, events: &mpsc::Sender<OpEvent>) {
        let mut handed = Handed::default();
        loop {
            let next = self.queue().events.pop_front();
            let Some((event, weight)) = next else {
                self.wake.notified().await;
                continue;
            };
            let terminal = event.kind.is_terminal();
            if !handed.over(events, event, weight, self.half).await {
                return self.fall_deaf(weight);
            }
            self.room.add_permits(weight);
            if terminal {
                return;
            }
        }
    }

    /// Nobody listens: what lies in the queue is dropped and whoever waits for room goes on.
    fn fall_deaf(&self, weight: usize) {
        let mut queue = self.queue();
        queue.deaf = true;
        let lying = std::mem::take(&mut queue.events);
        self.room.add_permits(weight + lying.iter().map(|event| event.1).sum::<usize>());
    }
}

impl Queue {
    fn note(&mut self, kind: &OpEventKind) {
        self.told.items += items_of(kind) as u64;
        match kind {
            OpEventKind::PhaseStarted { conn, phase, .. } => {
                self.told.sent |= *phase == Phase::Send;
                self.running.push((*conn, *phase));
            }
            OpEventKind::PhaseEnded { conn, phase, .. } => {
                if let Some(at) = self.running.iter().rposition(|running| *running == (*conn, *phase)) {
                    self.running.remove(at);
                }
            }
            OpEventKind::Rows(_)
            | OpEventKind::Names(_)
            | OpEventKind::Class(_)
            | OpEventKind::Qualifier(_)
            | OpEventKind::Return { .. } => {
                self.told.content = true;
            }
            _ => {}
        }
    }
}

/// How many rows, names, classes or qualifier types an event carries.
fn items_of(kind: &OpEventKind) -> usize {
    match kind {
        OpEventKind::Rows(batch) => batch.len(),
        OpEventKind::Names(Names::Namespaces(names)) => names.len(),
        OpEventKind::Names(Names::Classes(names)) => names.len(),
        OpEventKind::Class(_) | OpEventKind::Qualifier(_) => 1,
        _ => 0,
    }
}

/// What lies in the channel, as far as it can be told from outside: of the last events handed over, at most as many as the channel
/// has places taken.
#[derive(Default)]
struct Handed {
    weights: VecDeque<usize>,
}

impl Handed {
    /// Hands `event` over once the channel holds few enough rows of ours; false if nobody listens.
    async fn over(&mut self, events: &mpsc::Sender<OpEvent>, event: OpEvent, weight: usize, most: usize) -> bool {
        let capacity = events.max_capacity();
        let mut sum = weight;
        let fits = self.weights.iter().rev().take_while(|weight| {
            sum += **weight;
            sum <= most
        });
        // With `free` places free, none but the last `capacity - free` events can still lie there.
        let free = match fits.count() {
            all if weight == 0 || all == self.weights.len() => 1,
            fitting => capacity.saturating_sub(fitting).max(1),
        };
        let Ok(mut places) = events.reserve_many(free).await else { return false };
        let Some(place) = places.next() else { return false };
        place.send(event);
        self.weights.push_back(weight);
        if self.weights.len() > capacity {
            self.weights.pop_front();
        }
        true
    }
}

impl EventSink for Outbox {
    fn tell(&self, kind: OpEventKind) {
        self.push(&mut self.queue(), kind, 0);
        self.wake.notify_one();
    }

    fn deliver(&self, kind: OpEventKind) -> BoxFuture<'_, ()> {
        Box::pin(async move {
            let weight = items_of(&kind).min(self.half);
            let wanted = u32::try_from(weight).unwrap_or(u32::MAX);
            let room = match self.room.try_acquire_many(wanted) {
                Ok(room) => room,
                Err(_) => {
                    let _hold = self.watch.hold();
                    let Ok(room) = self.room.acquire_many(wanted).await else { return };
                    room
                }
            };
            room.forget();
            self.push(&mut self.queue(), kind, weight);
            self.wake.notify_one();
        })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]

    use super::*;
    use crate::{
        cim::rows::{RowBatch, RowWriter, ShapeId},
        op::Summary,
    };

    fn rows(count: usize) -> RowBatch {
        let mut writer = RowWriter::default();
        for _ in 0..count {
            writer.begin(ShapeId(0));
            writer.end();
        }
        writer.take()
    }

    fn progress(conn: u64, received: u64) -> OpEventKind {
        OpEventKind::Progress { conn: ConnId(conn), sent: 0, received }
    }

    #[tokio::test]
    async fn order_is_kept_and_nothing_follows_the_end() {
        let outbox = Outbox::new(OpId(7), 4_096);
        outbox.tell(OpEventKind::PhaseStarted { conn: None, phase: Phase::Queue, detail: None });
        outbox.deliver(OpEventKind::Rows(rows(3))).await;
        outbox.end(OpEventKind::Finished(Summary::default()), None);
        outbox.end(OpEventKind::Cancelled { left_open: None }, None);
        outbox.tell(OpEventKind::Queued);
        outbox.deliver(OpEventKind::Rows(rows(1))).await;
        let (sender, mut events) = mpsc::channel(16);
        outbox.pump(&sender).await;
        drop(sender);
        let mut seen = Vec::new();
        while let Some(event) = events.recv().await {
            assert_eq!(event.op, OpId(7));
            seen.push(event.kind);
        }
        assert!(matches!(
            seen.as_slice(),
            [
                OpEventKind::PhaseStarted { .. },
                OpEventKind::Rows(_),
                OpEventKind::PhaseEnded { phase: Phase::Queue, .. },
                OpEventKind::Finished(_)
            ]
        ));
    }

    #[tokio::test]
    async fn progress_nobody_has_seen_is_replaced() {
        let outbox = Outbox::new(OpId(1), 4_096);
        for received in 0..1_000 {
            outbox.tell(progress(1, received));
        }
        outbox.tell(progress(2, 5));
        assert_eq!(outbox.queue().events.len(), 2);
        assert!(matches!(outbox.queue().events[0].0.kind, OpEventKind::Progress { received: 999, .. }));
    }

    #[tokio::test]
    async fn a_wide_channel_does_not_widen_the_bound() {
        let outbox = Outbox::new(OpId(1), 1_000);
        let (sender, mut events) = mpsc::channel(512);
        let pump = tokio::spawn({
            let outbox = outbox.clone();
            async move { outbox.pump(&sender).await }
        });
        let producer = tokio::spawn({
            let outbox = outbox.clone();
            async move {
                for _ in 0..100 {
                    outbox.deliver(OpEventKind::Rows(rows(100))).await;
                }
                outbox.end(OpEventKind::Finished(Summary::default()), None);
            }
        });
        let mut taken = 0;
        while let Some(event) = events.recv().await {
            taken += items_of(&event.kind);
            // Let both tasks run as far as they can before the next event is taken.
            for _ in 0..32 {
                tokio::task::yield_now().await;
            }
            let told = outbox.told().items as usize;
            assert!(told - taken <= 1_000, "{} rows undrained", told - taken);
            if event.kind.is_terminal() {
                break;
            }
        }
        assert_eq!(taken, 10_000);
        pump.await.unwrap();
        producer.await.unwrap();
    }

    #[tokio::test]
    async fn a_consumer_that_leaves_frees_the_producer() {
        let outbox = Outbox::new(OpId(1), 10);
        let (sender, events) = mpsc::channel(1);
        let pump = tokio::spawn({
            let outbox = outbox.clone();
            async move { outbox.pump(&sender).await }
        });
        let producer = tokio::spawn({
            let outbox = outbox.clone();
            async move {
                for _ in 0..100 {
                    outbox.deliver(OpEventKind::Rows(rows(10))).await;
                }
            }
        });
        drop(events);
        pump.await.unwrap();
        producer.await.unwrap();
    }
}
