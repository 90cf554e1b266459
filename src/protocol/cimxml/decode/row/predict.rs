//! What instances look like in CIM-XML, foreseen.
//!
//! Owns: [`Markup`] and reading an item by it. Must not know how markup is learned ([`super::learn`]), nor when it is tried
//! ([`crate::protocol::xml::rows::predict`]).

use std::{ops::Range, sync::Arc};

use crate::{
    cim::{
        CimType,
        rows::{CellRef, PACKED_ITEMS, PathFrame},
    },
    protocol::{
        cimxml::decode::path,
        xml::rows::{
            self, Slot,
            predict::{Reading, Stop},
        },
    },
};

/// Text that is expected as it is, then a value of a key.
#[derive(Debug)]
pub(super) struct Key {
    pub(super) before: Box<[u8]>,
    pub(super) kind: path::KeyKind,
}

/// The markup of a path, or of what leads to one: keys in their order, and what follows the last.
#[derive(Debug, Default)]
pub(super) struct PathMarkup {
    pub(super) keys: Vec<Key>,
    pub(super) after: Box<[u8]>,
}

/// What a property can hold.
#[derive(Debug)]
pub(super) enum Content {
    /// One value.
    Scalar,
    /// An array of values.
    Array,
    /// A reference whose markup is known, or not yet.
    Reference(Option<(PathMarkup, Arc<PathFrame>)>),
    /// Embedded objects: only NULL is read here.
    Embedded,
}

/// One property of the instances of a [`Markup`].
#[derive(Debug)]
pub(super) struct Property {
    /// Its start tag without the end of it.
    pub(super) head: Box<[u8]>,
    /// The end tag.
    pub(super) tail: &'static [u8],
    /// Its column.
    pub(super) place: usize,
    pub(super) ty: CimType,
    pub(super) content: Content,
}

/// The markup of the instances of one class.
#[derive(Debug)]
pub struct Markup {
    /// Which shape their rows have.
    pub(super) shape: usize,
    /// From the item's beginning to the end of INSTANCE's start tag.
    pub(super) path: PathMarkup,
    /// In the order they were seen in.
    pub(super) properties: Vec<Property>,
    /// From INSTANCE's end tag to the item's end.
    pub(super) close: Box<[u8]>,
}

/// The most properties an instance may leave out in one place.
const MAX_GAP: usize = 32;

impl rows::predict::Markup for Markup {
    fn shape(&self) -> usize {
        self.shape
    }

    fn opening(&self) -> &[u8] {
        self.path.keys.first().map_or(&self.path.after, |key| &key.before)
    }

    fn read(&self, reading: &mut Reading<'_>) -> Result<Range<usize>, Stop> {
        self.path.read(reading)?;
        let keys = reading.items();
        let mut next = 0;
        loop {
            reading.space();
            match self.find(reading, next)? {
                Some(found) => {
                    let Some(property) = self.properties.get(found) else { return Err(Stop::Surprise) };
                    let slot = property.read(reading)?;
                    reading.put(property.place, slot);
                    next = found + 1;
                }
                None => {
                    reading.expect(&self.close)?;
                    return Ok(0..keys);
                }
            }
        }
    }

    fn merge(&mut self, other: Self) -> Option<Self> {
        if !self.is_like(&other) {
            return Some(other);
        }
        self.take_in(other);
        None
    }
}

impl Markup {
    /// Which property begins here, not before `next`; `None` if none does.
    fn find(&self, reading: &mut Reading<'_>, next: usize) -> Result<Option<usize>, Stop> {
        let left = self.properties.get(next..).unwrap_or_default();
        let mut more = false;
        for (at, property) in left.iter().take(MAX_GAP).enumerate() {
            match reading.passes(&property.head) {
                Ok(true) => return Ok(Some(next + at)),
                Ok(false) => {}
                Err(_) => more = true,
            }
            // Most likely nothing follows the last property; then the others need not be tried.
            if at == 0 && reading.rest().starts_with(b"</") {
                return Ok(None);
            }
        }
        if more { Err(Stop::More) } else { Ok(None) }
    }
}

impl PathMarkup {
    /// The values of the keys and the markup around them; they become items.
    fn read(&self, reading: &mut Reading<'_>) -> Result<(), Stop> {
        for key in &self.keys {
            reading.expect(&key.before)?;
            let slot = reading.text_as(|text| key.kind.typed(text).map(Slot::Scalar))?;
            reading.push(slot);
        }
        reading.expect(&self.after)
    }
}

impl Property {
    /// What the property holds, up to its end.
    fn read(&self, reading: &mut Reading<'_>) -> Result<Slot, Stop> {
        if reading.passes(b"/>")? {
            return Ok(Slot::Scalar(CellRef::Null));
        }
        reading.expect(b">")?;
        reading.space();
        if reading.passes(self.tail)? {
            return Ok(Slot::Scalar(CellRef::Null));
        }
        let slot = match &self.content {
            Content::Scalar => {
                reading.expect(b"<VALUE>")?;
                let slot = reading.value(self.ty)?;
                reading.expect(b"</VALUE>")?;
                slot
            }
            Content::Array => array(reading, self.ty)?,
            Content::Reference(Some((path, frame))) => {
                let from = reading.items();
                path.read(reading)?;
                Slot::Reference { frame: frame.clone(), from }
            }
            Content::Reference(None) | Content::Embedded => return Err(Stop::Surprise),
        };
        reading.space();
        reading.expect(self.tail)?;
        Ok(slot)
    }
}

fn array(reading: &mut Reading<'_>, ty: CimType) -> Result<Slot, Stop> {
    reading.expect(b"<VALUE.ARRAY>")?;
    let from = reading.items();
    loop {
        reading.space();
        if reading.passes(b"</VALUE.ARRAY>")? {
            let count = reading.items() - from;
            return if count > PACKED_ITEMS { Err(Stop::Surprise) } else { Ok(Slot::Array { from, count }) };
        }
        reading.expect(b"<VALUE>")?;
        let slot = reading.value(ty)?;
        reading.expect(b"</VALUE>")?;
        reading.push(slot);
    }
}
