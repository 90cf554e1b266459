//! How a result is pulled in batches.
//!
//! Owns: how large a batch is, and the bounds on a server that does not come to an end. Must not know how any protocol pulls.

use std::time::Duration;

use super::PullFacts;

/// Objects asked for first: a screenful, so that it comes quickly.
const FIRST: u32 = 64;
/// How much larger the next batch is after a quick one.
const GROWTH: u32 = 4;
/// The most objects asked for at once.
const LARGEST: u32 = 16_384;
/// A batch that came within this time lets the next one be larger.
const QUICK: Duration = Duration::from_millis(500);
/// A batch that took longer than this makes the next one smaller.
const SLOW: Duration = Duration::from_secs(2);
/// The most batches in a row without an object and without an end. One such batch is allowed (DSP0200 section 5.4.2.24.1).
pub(super) const MAX_EMPTY: u32 = 32;
/// The most objects that are read behind the last one wanted, for the context that stands behind them.
pub(super) const MAX_SURPLUS: u64 = 4_096;
/// The most bytes of an enumeration context.
pub(super) const CONTEXT_BYTES: usize = 64 << 10;

/// How many objects to ask for.
pub(super) struct Batch {
    size: u32,
    /// The largest size the server took.
    taken: u32,
    /// The largest it is thought to take.
    pub(super) largest: u32,
}

impl Batch {
    pub(super) fn new(facts: &PullFacts) -> Self {
        let largest = facts.largest.unwrap_or(LARGEST).max(1);
        Self { size: FIRST.min(largest), taken: 0, largest }
    }

    /// The next size; no more than is still wanted.
    pub(super) fn next(&self, wanted: Option<u64>) -> u32 {
        let wanted = wanted.map_or(u32::MAX, |wanted| u32::try_from(wanted).unwrap_or(u32::MAX));
        self.size.min(wanted).max(1)
    }

    /// A batch of `asked` came, `took` after it was asked for.
    pub(super) fn came(&mut self, asked: u32, took: Duration) {
        self.taken = self.taken.max(asked);
        if took < QUICK && asked == self.size {
            self.size = self.size.saturating_mul(GROWTH).min(self.largest);
        } else if took > SLOW {
            self.size = (self.size / 2).max(1);
        }
    }

    /// A batch of `asked` came in `bytes`: where those are more than `welcome`, as many objects as fit are asked for from now on.
    pub(super) fn filled(&mut self, asked: u32, bytes: u64, welcome: u64) {
        if bytes > welcome {
            let fitting = u64::from(asked).saturating_mul(welcome) / bytes;
            self.largest = u32::try_from(fitting).unwrap_or(u32::MAX).clamp(1, self.largest);
            self.size = self.size.min(self.largest);
        }
    }

    /// The server refused a batch of `asked`; false if it took that many before.
    pub(super) fn refused(&mut self, asked: u32) -> bool {
        if self.taken == 0 || asked <= self.taken {
            return false;
        }
        (self.size, self.largest) = (self.taken, self.taken);
        true
    }
}
