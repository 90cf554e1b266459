//! A session's tables in layers: what it says itself, then what its parents say.
//!
//! Owns: which layer a value comes from and where in the file that is told. Must not know what keys mean.

use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

use super::keys::OWN;
use crate::session::{
    preset::{self, Preset},
    profile::Parent,
};

/// Where the value of a key comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// Nobody says anything: the usual value.
    Default,
    /// The session itself.
    Own,
    /// What it inherits from.
    Inherited(Parent),
}

/// One layer.
#[derive(Clone)]
pub(super) struct Layer<'t> {
    pub(super) origin: Origin,
    pub(super) table: &'t DeTable<'t>,
    /// Where a mistake in it is told, if it is not in the file.
    told_at: Option<usize>,
}

/// A table in layers, the strongest first.
#[derive(Clone)]
pub(super) struct Layers<'t>(pub(super) Vec<Layer<'t>>);

/// A value, the number of its layer and its place in the file.
#[derive(Clone, Copy)]
pub(super) struct Found<'t> {
    pub(super) value: &'t DeValue<'t>,
    pub(super) layer: usize,
    pub(super) at: usize,
}

impl<'t> Layer<'t> {
    pub(super) fn own(table: &'t DeTable<'t>) -> Self {
        Self { origin: Origin::Own, table, told_at: None }
    }

    /// What a parent says; mistakes in a preset are told at `told_at`.
    pub(super) fn parent(parent: Parent, table: &'t DeTable<'t>, told_at: usize) -> Self {
        let told_at = matches!(parent, Parent::Preset(_)).then_some(told_at);
        Self { origin: Origin::Inherited(parent), table, told_at }
    }

    fn get(&self, key: &str) -> Option<&'t Spanned<DeValue<'t>>> {
        self.table.get(key)
    }
}

impl<'t> Layers<'t> {
    /// The value of `key` and where it comes from.
    pub(super) fn get(&self, key: &str) -> Option<Found<'t>> {
        self.0.iter().enumerate().find_map(|(layer, it)| {
            if it.origin != Origin::Own && OWN.contains(&key) {
                return None;
            }
            let value = it.get(key)?;
            Some(Found { value: value.get_ref(), layer, at: it.told_at.unwrap_or(value.span().start) })
        })
    }

    /// The table `key` in its layers. A layer where it is something else is left out.
    pub(super) fn table(&self, key: &str) -> Self {
        let below = |layer: &Layer<'t>| {
            let table = layer.get(key)?.get_ref().as_table()?;
            Some(Layer { table, ..layer.clone() })
        };
        Self(self.0.iter().filter_map(below).collect())
    }

    /// The preset at the end of the parents, if there is one.
    pub(super) fn preset(&self) -> Option<&'static Preset> {
        self.0.iter().find_map(|layer| match &layer.origin {
            Origin::Inherited(Parent::Preset(name)) => preset::find(name),
            _ => None,
        })
    }

    /// The strongest layers, down to and with number `last`.
    pub(super) fn down_to(&self, last: usize) -> Self {
        Self(self.0.iter().take(last + 1).cloned().collect())
    }

    /// Where the value of the key called `name` (`auth.user`) comes from.
    pub(super) fn origin(&self, name: &str) -> Origin {
        let (layers, key) = match name.split_once('.') {
            Some((table, key)) => (self.table(table), key),
            None => (self.clone(), name),
        };
        layers
            .get(key)
            .and_then(|found| layers.0.get(found.layer))
            .map_or(Origin::Default, |layer| layer.origin.clone())
    }
}
