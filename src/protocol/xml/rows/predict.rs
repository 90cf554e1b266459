//! The fast way through instances that look like those before.
//!
//! Owns: [`Predictor`], which keeps the markup of instances already decoded and when it is worth trying, and [`Reading`], which
//! compares bytes with it and takes values out. Must not know what markup a protocol has ([`Markup`]), nor decide what a value
//! is: texts become values by the same functions as on the general way.
//!
//! ```text
//! bytes from the beginning of an item -> read -> Row(length)   every byte was foreseen; the row is written
//!                                            -> More           so far foreseen, but it does not end
//!                                            -> Surprise       nothing is written: the general way reads it
//! ```
//!
//! Nothing is accepted that the general way would not accept, and nothing is read differently: where markup is not the
//! expected to the byte (white space between elements excepted), it is a surprise.

use std::ops::Range;

use memchr::{memchr, memchr2};

use super::{Changes, Rows, Slot};
use crate::{
    cim::{CimType, rows::CellRef},
    op::Limits,
    protocol::xml::{reader::resolve, scalar},
};

/// What came of reading an item.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// A row was written; the item has so many bytes.
    Row(usize),
    /// The item is not all there.
    More,
    /// The item is not as expected.
    Surprise,
}

/// The markup of the instances of one class, as a protocol writes it.
pub trait Markup: Sized {
    /// Which shape their rows have.
    fn shape(&self) -> usize;

    /// What every item begins with.
    fn opening(&self) -> &[u8];

    /// Reads one item and puts its cells; answers which of the items are the keys of its path.
    ///
    /// # Errors
    /// Why it cannot.
    fn read(&self, reading: &mut Reading<'_>) -> Result<Range<usize>, Stop>;

    /// Takes in what another instance of the same class had; gives it back if it is of another.
    fn merge(&mut self, other: Self) -> Option<Self>;
}

/// How many classes' markup is known at most.
const MAX_MARKUPS: usize = 64;
/// How often reading an item may end in [`Outcome::More`] before it is left to the general way.
const MAX_TRIES: u32 = 2;
/// Trust lost by a surprise; a row read earns 1.
const SURPRISE: u32 = 4;
/// The most trust there is.
const TRUST: u32 = 32;
/// Without trust, so many items go the general way.
const REST: u32 = 64;

/// What is known, and how well it did.
#[derive(Debug)]
pub struct Predictor<M> {
    markups: Vec<M>,
    /// The rows' changes that the markup takes into account.
    changes: Changes,
    current: usize,
    trust: u32,
    rest: u32,
    tries: u32,
    read: u64,
}

impl<M> Default for Predictor<M> {
    fn default() -> Self {
        Self {
            markups: Vec::new(),
            changes: Changes::default(),
            current: 0,
            trust: TRUST / 2,
            rest: 0,
            tries: 0,
            read: 0,
        }
    }
}

impl<M: Markup> Predictor<M> {
    /// How many rows were read.
    pub fn count(&self) -> u64 {
        self.read
    }

    /// Reads the item at the beginning of `bytes`, if it is like one before, into a row.
    pub fn predict(&mut self, rows: &mut Rows, bytes: &[u8], limits: &Limits) -> Outcome {
        self.keep_up(rows);
        if self.changes.retyped || self.rest > 0 || self.markups.is_empty() || self.tries >= MAX_TRIES {
            return Outcome::Surprise;
        }
        let Some((which, markup)) = self.choose(bytes) else {
            self.surprised();
            return Outcome::Surprise;
        };
        rows.slots.clear();
        rows.items.clear();
        rows.scratch.clear();
        let mut reading = Reading { bytes, at: 0, limits, rows };
        let read = markup.read(&mut reading).map(|keys| (reading.at, keys));
        let shape = markup.shape();
        self.current = which;
        match read {
            Ok((length, keys)) => {
                rows.current = shape;
                rows.write_predicted(keys);
                self.tries = 0;
                self.read += 1;
                self.trust = (self.trust + 1).min(TRUST);
                Outcome::Row(length)
            }
            Err(Stop::More) => {
                self.tries += 1;
                Outcome::More
            }
            Err(Stop::Surprise) => {
                self.surprised();
                Outcome::Surprise
            }
        }
    }

    /// The row decoded last went the general way: takes in what `learn` finds in its item, if that is worth it.
    pub fn learn(&mut self, rows: &Rows, learn: impl FnOnce() -> Option<M>) {
        self.keep_up(rows);
        self.tries = 0;
        if self.rest > 0 {
            self.rest -= 1;
            self.trust = if self.rest == 0 { SURPRISE } else { 0 };
        }
        if self.changes.retyped || self.rest > 0 {
            return;
        }
        let Some(mut learned) = learn() else { return };
        for known in &mut self.markups {
            match known.merge(learned) {
                None => return,
                Some(other) => learned = other,
            }
        }
        if self.markups.len() < MAX_MARKUPS {
            self.markups.push(learned);
        }
    }

    /// Forgets all markup: it stands in another place, where the same bytes may mean something else.
    pub fn forget(&mut self) {
        self.markups.clear();
    }

    /// Forgets all markup where columns have changed.
    fn keep_up(&mut self, rows: &Rows) {
        if self.changes != rows.changes {
            self.changes = rows.changes;
            self.markups.clear();
        }
    }

    fn surprised(&mut self) {
        self.trust = self.trust.saturating_sub(SURPRISE);
        if self.trust == 0 {
            self.rest = REST;
        }
    }

    /// The markup that begins as `bytes` do, looking at the last one first.
    fn choose(&self, bytes: &[u8]) -> Option<(usize, &M)> {
        let begins = |markup: &M| {
            let open = markup.opening();
            let length = open.len().min(bytes.len());
            open.get(..length) == bytes.get(..length)
        };
        if let Some(markup) = self.markups.get(self.current).filter(|markup| begins(markup)) {
            return Some((self.current, markup));
        }
        self.markups.iter().enumerate().find(|(_, markup)| begins(markup))
    }
}

impl Rows {
    /// Writes the row whose cells lie in the slots and whose keys are the items `keys`.
    fn write_predicted(&mut self, keys: Range<usize>) {
        self.write_cells("");
        for key in self.items.get(keys).unwrap_or_default() {
            self.writer.plain_key(key.cell("", &self.scratch));
        }
        self.written();
    }
}

/// Why reading stopped.
#[derive(Clone, Copy, Debug)]
pub enum Stop {
    /// The item does not end here.
    More,
    /// The item is not as expected.
    Surprise,
}

/// One item being read.
#[derive(Debug)]
pub struct Reading<'r> {
    bytes: &'r [u8],
    at: usize,
    limits: &'r Limits,
    rows: &'r mut Rows,
}

impl<'r> Reading<'r> {
    /// What has not been read.
    pub fn rest(&self) -> &'r [u8] {
        self.bytes.get(self.at..).unwrap_or_default()
    }

    /// Whether `text` comes next; then it is passed.
    ///
    /// # Errors
    /// It cannot be told yet.
    pub fn passes(&mut self, text: &[u8]) -> Result<bool, Stop> {
        let rest = self.rest();
        if rest.starts_with(text) {
            self.at += text.len();
            return Ok(true);
        }
        if rest.len() < text.len() && text.starts_with(rest) { Err(Stop::More) } else { Ok(false) }
    }

    /// Passes `text`, which must come next.
    ///
    /// # Errors
    /// It does not, or it cannot be told yet.
    pub fn expect(&mut self, text: &[u8]) -> Result<(), Stop> {
        if self.passes(text)? { Ok(()) } else { Err(Stop::Surprise) }
    }

    /// Passes white space.
    pub fn space(&mut self) {
        while let Some(b' ' | b'\t' | b'\r' | b'\n') = self.bytes.get(self.at) {
            self.at += 1;
        }
    }

    /// The character data up to the next markup, as a text in the scratch string.
    ///
    /// # Errors
    /// It has no end yet, or cannot be taken as it is.
    pub fn text(&mut self) -> Result<Slot, Stop> {
        let rest = self.rest();
        let Some(length) = memchr(b'<', rest) else { return Err(Stop::More) };
        self.at += length;
        let raw = rest.get(..length).unwrap_or_default();
        if length > self.limits.value_bytes {
            return Err(Stop::Surprise);
        }
        let Ok(text) = std::str::from_utf8(raw) else { return Err(Stop::Surprise) };
        let at = self.rows.scratch.len();
        if memchr2(b'&', b'\r', raw).is_none() {
            self.rows.scratch.push_str(text);
        } else {
            let Ok(resolved) = resolve(text, false) else { return Err(Stop::Surprise) };
            self.rows.scratch.push_str(&resolved);
        }
        Ok(Slot::Text { at, len: self.rows.scratch.len() - at, cooked: true, untyped: false })
    }

    /// The character data up to the next markup, as what `parse` makes of it; as a text where that is nothing.
    ///
    /// # Errors
    /// As [`Reading::text`].
    pub fn text_as(&mut self, parse: impl FnOnce(&str) -> Option<Slot>) -> Result<Slot, Stop> {
        let slot = self.text()?;
        let Slot::Text { at, .. } = slot else { return Err(Stop::Surprise) };
        let Some(parsed) = parse(self.rows.scratch.get(at..).unwrap_or_default()) else { return Ok(slot) };
        self.rows.scratch.truncate(at);
        Ok(parsed)
    }

    /// The character data up to the next markup, as a value of type `ty`.
    ///
    /// # Errors
    /// As [`Reading::text`]; it is no such value.
    pub fn value(&mut self, ty: CimType) -> Result<Slot, Stop> {
        if ty == CimType::String {
            return self.text();
        }
        match self.text_as(|text| scalar::of(ty, text).and_then(Slot::scalar))? {
            Slot::Text { .. } => Err(Stop::Surprise),
            scalar => Ok(scalar),
        }
    }

    /// How many items there are.
    pub fn items(&self) -> usize {
        self.rows.items.len()
    }

    /// Adds an item of an array, or the value of a key.
    pub fn push(&mut self, item: Slot) {
        self.rows.items.push(item);
    }

    /// The cell put for a column, if a key can be told by it: a text, a number or a boolean.
    pub fn plain(&self, place: usize) -> Option<Slot> {
        Some(match self.rows.slots.get(place)? {
            Slot::Scalar(cell @ (CellRef::Bool(_) | CellRef::UInt(_) | CellRef::SInt(_))) => Slot::Scalar(*cell),
            Slot::Text { at, len, cooked, untyped: false } => {
                Slot::Text { at: *at, len: *len, cooked: *cooked, untyped: false }
            }
            _ => return None,
        })
    }

    /// Puts the cell of a column.
    pub fn put(&mut self, place: usize, slot: Slot) {
        self.rows.put(place, slot);
    }
}
