//! What instances look like in WS-Man, foreseen.
//!
//! Owns: [`Markup`] and reading an item by it. Must not know how it is found ([`super::learn`]), nor when it is tried
//! ([`crate::protocol::xml::rows::predict`]).

use std::sync::Arc;

use super::value::{self, Declared};
use crate::{
    cim::{
        CimType,
        rows::{CellRef, PACKED_ITEMS, PathFrame},
    },
    protocol::xml::rows::{
        self, Slot,
        predict::{Reading, Stop},
    },
};

/// The most properties an instance may leave out in one place.
const MAX_GAP: usize = 32;
/// The most ways one property was seen written in.
const MAX_FORMS: usize = 4;

/// The markup of the instances of one class.
#[derive(Debug)]
pub struct Markup {
    pub(super) shape: usize,
    /// The start tag.
    pub(super) open: Box<[u8]>,
    /// In the order they were seen in.
    pub(super) properties: Vec<Property>,
    /// The end tag.
    pub(super) close: Box<[u8]>,
    pub(super) keys: Keys,
}

/// Where the keys of the row's path stand.
#[derive(Debug, PartialEq)]
pub(super) enum Keys {
    /// In these columns.
    Columns(Vec<usize>),
    /// In the reference behind the object, with which it is wrapped in an element whose end tag is the last.
    Behind(Selectors, Box<[u8]>),
}

/// A reference: what stands before the text of each selector and after the last.
#[derive(Debug, PartialEq)]
pub(super) struct Selectors {
    pub(super) before: Vec<Box<[u8]>>,
    pub(super) after: Box<[u8]>,
}

impl Selectors {
    /// The texts of the selectors, as items.
    fn read(&self, reading: &mut Reading<'_>) -> Result<(), Stop> {
        for before in &self.before {
            reading.expect(before)?;
            let key = reading.text()?;
            reading.push(key);
        }
        reading.expect(&self.after)
    }
}

#[derive(Debug)]
pub(super) struct Property {
    /// The start tag up to the end of its name.
    pub(super) head: Box<[u8]>,
    /// The end tag.
    pub(super) tail: Box<[u8]>,
    pub(super) place: usize,
    pub(super) is_array: bool,
    pub(super) forms: Vec<Form>,
}

/// What follows a property's name.
#[derive(Debug, PartialEq)]
pub(super) enum Form {
    /// NULL, with the end of the tag.
    Null(Box<[u8]>),
    /// The end of the start tag, then text of a type, untyped without one.
    Text(Box<[u8]>, Option<CimType>),
    /// The same with an element around a datetime.
    DateTime(Box<[u8]>, Box<[u8]>),
    /// A reference, and its path but for the values of its keys.
    Reference(Selectors, Arc<PathFrame>),
}

impl rows::predict::Markup for Markup {
    fn shape(&self) -> usize {
        self.shape
    }

    fn opening(&self) -> &[u8] {
        &self.open
    }

    fn read(&self, reading: &mut Reading<'_>) -> Result<std::ops::Range<usize>, Stop> {
        reading.expect(&self.open)?;
        let mut next = 0;
        loop {
            reading.space();
            match self.find(reading, next)? {
                Some((at, property)) => {
                    property.read(reading)?;
                    next = at + 1;
                }
                None => break,
            }
        }
        reading.expect(&self.close)?;
        let from = reading.items();
        match &self.keys {
            Keys::Columns(places) => {
                for place in places {
                    let key = reading.plain(*place).ok_or(Stop::Surprise)?;
                    reading.push(key);
                }
            }
            Keys::Behind(selectors, close) => {
                reading.space();
                selectors.read(reading)?;
                reading.space();
                reading.expect(close)?;
            }
        }
        Ok(from..reading.items())
    }

    fn merge(&mut self, other: Self) -> Option<Self> {
        let are_behind = matches!((&self.keys, &other.keys), (Keys::Behind(..), Keys::Behind(..)));
        if self.shape != other.shape || self.open != other.open || (self.keys != other.keys && !are_behind) {
            return Some(other);
        }
        // A reference is known by what it looks like as a whole: the last one seen is the likely one.
        self.keys = other.keys;
        let mut next = 0;
        for property in other.properties {
            match self.properties.iter_mut().position(|known| known.head == property.head) {
                Some(at) => {
                    if let Some(known) = self.properties.get_mut(at) {
                        known.forms(property.forms);
                    }
                    next = at + 1;
                }
                // The same property spelled in another way would be read twice where both come.
                None if self.properties.iter().any(|known| known.place == property.place) => {}
                None => {
                    self.properties.insert(next, property);
                    next += 1;
                }
            }
        }
        None
    }
}

impl Markup {
    /// The property that begins here, not before `next`, its name passed; `None` if none does.
    fn find(&self, reading: &mut Reading<'_>, next: usize) -> Result<Option<(usize, &Property)>, Stop> {
        let left = self.properties.get(next..).unwrap_or_default();
        let mut more = false;
        for (at, property) in left.iter().take(MAX_GAP).enumerate() {
            match property.begins(reading) {
                Ok(true) => return Ok(Some((next + at, property))),
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

impl Property {
    /// Whether this property begins here; then its name is passed.
    fn begins(&self, reading: &mut Reading<'_>) -> Result<bool, Stop> {
        // A longer name may begin with this one.
        match reading.rest().get(self.head.len()) {
            Some(b'>' | b' ' | b'/') => reading.passes(&self.head),
            Some(_) => Ok(false),
            None => match reading.rest() {
                rest if self.head.starts_with(rest) => Err(Stop::More),
                _ => Ok(false),
            },
        }
    }

    /// What the property holds, and for an array all its elements.
    fn read(&self, reading: &mut Reading<'_>) -> Result<(), Stop> {
        let from = reading.items();
        let first = self.form(reading)?;
        let is_null = matches!(first, Slot::Scalar(CellRef::Null));
        if !self.is_array || is_null {
            reading.put(self.place, first);
            return Ok(());
        }
        let mut item = first;
        loop {
            if !matches!(item, Slot::Text { .. } | Slot::Scalar(_)) {
                return Err(Stop::Surprise);
            }
            reading.push(item);
            reading.space();
            if !self.begins(reading)? {
                break;
            }
            item = self.form(reading)?;
        }
        let count = reading.items() - from;
        if count > PACKED_ITEMS {
            return Err(Stop::Surprise);
        }
        reading.put(self.place, Slot::Array { from, count });
        Ok(())
    }

    /// One element, behind its name.
    fn form(&self, reading: &mut Reading<'_>) -> Result<Slot, Stop> {
        for form in &self.forms {
            let slot = match form {
                Form::Null(end) => {
                    if !reading.passes(end)? {
                        continue;
                    }
                    return Ok(Slot::Scalar(CellRef::Null));
                }
                Form::Text(end, ty) => {
                    if !reading.passes(end)? {
                        continue;
                    }
                    self.text(reading, *ty)?
                }
                Form::DateTime(before, after) => {
                    if !reading.passes(before)? {
                        continue;
                    }
                    let slot = self.text(reading, Some(CimType::DateTime))?;
                    reading.expect(after)?;
                    slot
                }
                Form::Reference(selectors, frame) => {
                    let from = reading.items();
                    selectors.read(reading)?;
                    Slot::Reference { frame: frame.clone(), from }
                }
            };
            reading.expect(&self.tail)?;
            return Ok(slot);
        }
        Err(Stop::Surprise)
    }

    fn text(&self, reading: &mut Reading<'_>, ty: Option<CimType>) -> Result<Slot, Stop> {
        let Some(ty) = ty else {
            return Ok(match reading.text()? {
                Slot::Text { at, len, cooked, .. } => Slot::Text { at, len, cooked, untyped: true },
                slot => slot,
            });
        };
        if ty == CimType::String {
            return reading.text();
        }
        let declared = Declared { ty: Some(ty), is_array: self.is_array };
        let parse = |text: &str| match value::is_octets(declared, text) {
            true => None,
            false => value::scalar(ty, text).and_then(Slot::scalar),
        };
        match reading.text_as(parse)? {
            Slot::Text { .. } => Err(Stop::Surprise),
            scalar => Ok(scalar),
        }
    }

    /// Takes in ways the property is written in.
    pub(super) fn forms(&mut self, forms: Vec<Form>) {
        for form in forms {
            // A reference is known by what it looks like as a whole: the last one seen is the likely one.
            if matches!(form, Form::Reference(..)) {
                self.forms.retain(|known| !matches!(known, Form::Reference(..)));
            }
            if self.forms.len() < MAX_FORMS && !self.forms.contains(&form) {
                // What a longer tag end begins with must not hide it.
                let is_plain = matches!(form, Form::Text(..));
                if is_plain { self.forms.push(form) } else { self.forms.insert(0, form) }
            }
        }
    }
}
