//! The columns of a table: which there are, in which order, how wide.
//!
//! Owns: [`TableColumn`], what samples of the rows say of each column, and the order. Must not know filters, cursors or
//! how a column is drawn; the texts it hands out are escaped.

use std::collections::{HashMap, HashSet};

use unicode_width::UnicodeWidthStr;

use super::{display, number::Number};
use crate::cim::{CimClass, CimName, CimType, KeyValue, Namespace, ObjectPath, rows::RowStore};

/// The widest a column asks to be, in cells, while others follow it.
pub const COLUMN_WIDTH: u16 = 32;
/// The widest the last column on the screen may become, in cells.
const LAST_WIDTH: u16 = 240;
/// Rows whose cells all decide widths and order; beyond, one in 64 does.
const SAMPLED: usize = 256;
/// Once so many rows were looked at, more rows do not change the order of the columns.
const SCREENFUL: usize = 64;
/// The most keys of a reference that are compared.
const COMPARED_KEYS: usize = 32;

/// A column as the table shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TableColumn {
    /// Its name, escaped, with `*` before a key.
    pub title: String,
    /// The property.
    pub name: CimName,
    /// Whether it is a key.
    pub is_key: bool,
    /// Whether its values are numbers, which stand at the right of their column.
    pub numeric: bool,
    /// The width it asks for, in cells: what its sampled values need, at most [`COLUMN_WIDTH`].
    pub width: u16,
    /// The width that shows its sampled values in full, in cells, for the last column on the screen.
    pub full: u16,
    /// Its number in the store; `None` while only the class names it.
    pub(super) store: Option<usize>,
}

/// What the samples say of one column of the store.
#[derive(Clone, Debug, Default)]
struct Sampled {
    width: u16,
    filled: bool,
    /// In how many of the rows looked at there was a value.
    present: usize,
    looked: usize,
    varies: bool,
    /// There was a value that does not read as a number.
    wordy: bool,
    first: Option<String>,
    /// Columns before it whose sampled cells are all the same as its own.
    same: Vec<usize>,
    /// The keys of its first references, and those that differ between references.
    keys: Vec<(CimName, KeyValue)>,
    telling: Vec<CimName>,
}

/// Who has decided the order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
enum Order {
    /// Nobody: rows and class may change it.
    #[default]
    Free,
    /// The first screenful of rows; only the class may change it.
    Settled,
    /// The user works with it: it stays.
    Chosen,
}

/// The columns whose cells are looked at; of later ones only the headings count. Comparing takes the square of it.
const COMPARED_COLUMNS: usize = 512;

/// The columns.
#[derive(Debug, Default)]
pub(super) struct Columns {
    shown: Vec<TableColumn>,
    sampled: Vec<Sampled>,
    /// Rows of the store looked at so far.
    looked: usize,
    order: Order,
}

/// Where a column stands, best first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Rank {
    /// Whom the row came from.
    Origin,
    Key,
    /// A reference that is the same in every row: an association is about both its ends.
    SameEnd,
    /// `Name`, by which people know things.
    Name,
    Filled,
    /// Missing in most rows.
    Sparse,
    /// The same in every row.
    Constant,
    /// The same as a column before it.
    Copy,
    Empty,
    /// A key that is the same in every row is not shown.
    SameKey,
}

impl Columns {
    pub(super) fn shown(&self) -> &[TableColumn] {
        &self.shown
    }

    /// The numbers in the store of the columns shown.
    pub(super) fn stored(&self) -> Vec<usize> {
        self.shown.iter().filter_map(|column| column.store).collect()
    }

    /// The user works with the order: it stays.
    pub(super) fn keep_order(&mut self) {
        self.order = Order::Chosen;
    }

    /// Enough rows were seen: only the class may still change the order.
    pub(super) fn settle_order(&mut self) {
        self.order = self.order.max(Order::Settled);
    }

    /// There are `count` columns in the store.
    pub(super) fn resize(&mut self, count: usize) {
        self.sampled.resize_with(count.min(COMPARED_COLUMNS), Sampled::default);
    }

    /// Other rows take the place of those looked at.
    pub(super) fn restart(&mut self, count: usize) {
        self.sampled = vec![Sampled::default(); count.min(COMPARED_COLUMNS)];
        self.looked = 0;
    }

    /// The numbers of the rows not looked at yet.
    pub(super) fn fresh(&self, store: &RowStore) -> std::ops::Range<usize> {
        self.looked..store.len()
    }

    /// Whether the key `name` has different values in different rows; `None` where no column holds it.
    pub(super) fn varies(&self, name: &CimName, store: &RowStore) -> Option<bool> {
        self.sampled.get(store.column(name)?).map(|sampled| sampled.varies)
    }

    /// The text of a cell. Of a reference, the class and the keys that differ between the references of the column.
    pub(super) fn text(&self, store: &RowStore, row: usize, at: usize, home: &Namespace) -> Option<String> {
        let cell = store.cell(row, at);
        if display::is_missing(cell) {
            return None;
        }
        Some(match cell.to_reference() {
            Some(path) => self.short_path(&path, Some(at), home),
            None => display::cell(cell, store.columns().get(at).and_then(|union| union.column.ty)),
        })
    }

    /// A key of a row's path as text: a reference as in its column.
    pub(super) fn key_text(&self, name: &CimName, value: &KeyValue, store: &RowStore, home: &Namespace) -> String {
        match value {
            KeyValue::Reference(path) => self.short_path(path, store.column(name), home),
            other => display::key_value(other),
        }
    }

    fn short_path(&self, path: &ObjectPath, at: Option<usize>, home: &Namespace) -> String {
        let telling = at.and_then(|at| self.sampled.get(at)).map_or(&[][..], |sampled| &sampled.telling);
        display::short_path(path, home, |key| telling.contains(key))
    }

    /// Looks at the rows that are new; true if something changed that the layout depends on.
    pub(super) fn sample(&mut self, store: &RowStore, home: &Namespace) -> bool {
        let (mut changed, mut retold) = (false, false);
        for row in self.fresh(store) {
            if row < SAMPLED || row % 64 == 0 {
                retold |= self.sample_references(store, row);
                changed |= self.sample_row(store, row, home);
            }
        }
        self.looked = store.len();
        if retold {
            // More keys are shown of references than when their widths were taken.
            for row in 0..self.looked.min(SAMPLED) {
                self.sample_row(store, row, home);
            }
        }
        changed | retold
    }

    fn sample_references(&mut self, store: &RowStore, row: usize) -> bool {
        let mut changed = false;
        for (at, sampled) in self.sampled.iter_mut().enumerate() {
            let Some(path) = store.cell(row, at).to_reference() else { continue };
            for key in path.keys.iter().take(COMPARED_KEYS) {
                match sampled.keys.iter().find(|(name, _)| *name == key.name) {
                    Some((_, first)) if *first == key.value || sampled.telling.contains(&key.name) => {}
                    Some(_) => {
                        sampled.telling.push(key.name.clone());
                        changed = true;
                    }
                    None if sampled.keys.len() < COMPARED_KEYS => {
                        sampled.keys.push((key.name.clone(), key.value.clone()));
                    }
                    None => {}
                }
            }
        }
        changed
    }

    fn sample_row(&mut self, store: &RowStore, row: usize, home: &Namespace) -> bool {
        let texts = (0..self.sampled.len())
            .map(|at| self.text(store, row, at, home))
            .map(|text| (text.is_some(), text.unwrap_or_default()))
            .collect::<Vec<_>>();
        let is_known = |at: usize| store.columns().get(at).is_none_or(|union| union.column.ty.is_some());
        let mut changed = false;
        let first_row = row == 0;
        for (at, sampled) in self.sampled.iter_mut().enumerate() {
            let Some((present, text)) = texts.get(at) else { continue };
            let as_before = |other: &usize| texts.get(*other).is_some_and(|(_, other)| other == text);
            let same = sampled.same.len();
            match first_row && sampled.first.is_none() {
                true => sampled.same = (0..at).filter(as_before).collect(),
                false => sampled.same.retain(as_before),
            }
            let width = u16::try_from(text.width()).unwrap_or(u16::MAX).min(LAST_WIDTH).max(sampled.width);
            let filled = sampled.filled || *present;
            let wordy = sampled.wordy || is_known(at) || (*present && Number::read(text).is_none());
            let varies = sampled.varies || sampled.first.as_ref().is_some_and(|first| first != text);
            let before = (sampled.width, sampled.filled, sampled.varies, sampled.wordy, same);
            changed |= (width, filled, varies, wordy, sampled.same.len()) != before;
            (sampled.width, sampled.filled, sampled.varies, sampled.wordy) = (width, filled, varies, wordy);
            let sparse = |sampled: &Sampled| sampled.present * 2 < sampled.looked;
            let before = sparse(sampled);
            sampled.looked += 1;
            sampled.present += usize::from(*present);
            changed |= before != sparse(sampled);
            sampled.first.get_or_insert_with(|| text.clone());
        }
        if row + 1 >= SCREENFUL {
            self.settle_order();
        }
        changed
    }

    /// Makes the columns anew from the class, the shapes and the samples; `by_class`, because the class has just come.
    pub(super) fn lay_out(&mut self, store: &RowStore, class: Option<&CimClass>, by_class: bool) {
        let mut ranked = self.ranked(store, class);
        ranked.sort_by_key(|(rank, at, _)| (*rank, *at));
        self.rank_copies(&mut ranked);
        let free = self.order == Order::Free || (self.order == Order::Settled && by_class);
        let columns = ranked.into_iter().filter(|(rank, ..)| *rank != Rank::SameKey).map(|(.., column)| column);
        let mut columns = columns.collect::<Vec<_>>();
        if !free {
            let before = self.shown.iter().enumerate().rev().map(|(at, column)| (&column.name, at));
            let before = before.collect::<HashMap<_, _>>();
            let last_key = self.shown.iter().rposition(|column| column.is_key).map_or(0, |at| at + 1);
            columns.sort_by_key(|column| match before.get(&column.name).copied() {
                Some(at) => (at, 1),
                None if column.is_key => (last_key, 0),
                None => (usize::MAX, 0),
            });
        }
        self.shown = columns;
    }

    /// The columns with their ranks, and their places among those of the same rank: those of the most derived class first.
    fn ranked(&self, store: &RowStore, class: Option<&CimClass>) -> Vec<(Rank, usize, TableColumn)> {
        let known = store.columns();
        let mut ranked = Vec::new();
        let declared = class.iter().flat_map(|class| &class.properties).map(|property| &property.name);
        let declared = declared.collect::<HashSet<_>>();
        let in_class = class.map_or(&[][..], |class| &class.properties);
        let depths = class.map(derived_first).unwrap_or_default();
        for (at, property) in in_class.iter().enumerate() {
            let stored = store.column(&property.name);
            let key = property.is_key() || stored.is_some_and(|at| known.get(at).is_some_and(|u| u.column.is_key));
            let column = self.column_of(&property.name, stored, key, Some(property.ty), property.is_array);
            // Keys stand as the class declares them: what scopes comes before what is scoped.
            let depth = if key { 0 } else { depths.get(at).copied().unwrap_or_default() };
            ranked.push((self.rank(store, &column), depth * in_class.len() + at, column));
        }
        for (at, union) in known.iter().enumerate() {
            let column = &union.column;
            if store.is_origin(at) || !declared.contains(&column.name) {
                let column = self.column_of(&column.name, Some(at), column.is_key, column.ty, column.is_array);
                ranked.push((self.rank(store, &column), usize::MAX / 2 + at, column));
            }
        }
        // A single row has no key that differs; the last key is the one that names it among its like.
        if ranked.iter().all(|(rank, ..)| *rank != Rank::Key)
            && let Some(last) = ranked.iter_mut().rfind(|(rank, ..)| *rank == Rank::SameKey)
        {
            last.0 = Rank::Key;
        }
        ranked
    }

    /// Puts columns that only repeat one before them behind those that do not.
    fn rank_copies(&self, ranked: &mut [(Rank, usize, TableColumn)]) {
        let mut before = Vec::new();
        for (rank, _, column) in ranked.iter_mut() {
            let Some(at) = column.store.filter(|_| (Rank::Key..Rank::Constant).contains(rank)) else { continue };
            let same = |a: usize, b: usize| self.sampled.get(a).is_some_and(|sampled| sampled.same.contains(&b));
            match *rank > Rank::Key && before.iter().any(|other| same(at, *other) || same(*other, at)) {
                true => *rank = Rank::Copy,
                false => before.push(at),
            }
        }
        ranked.sort_by_key(|(rank, at, _)| (*rank, *at));
    }

    fn rank(&self, store: &RowStore, column: &TableColumn) -> Rank {
        let sampled = column.store.and_then(|at| self.sampled.get(at));
        let is_reference = sampled.is_some_and(|sampled| !sampled.keys.is_empty());
        let named = if column.name.as_str().eq_ignore_ascii_case("Name") { Rank::Name } else { Rank::Filled };
        match (column.is_key, sampled) {
            _ if column.store.is_some_and(|at| store.is_origin(at)) => Rank::Origin,
            (true, Some(sampled)) if store.len() > 1 && !sampled.varies && is_reference => Rank::SameEnd,
            (true, Some(sampled)) if !store.is_empty() && !sampled.varies && !is_reference => Rank::SameKey,
            (true, _) => Rank::Key,
            (false, _) if store.is_empty() => named,
            (false, Some(sampled)) if sampled.filled && !sampled.varies && store.len() > 1 => Rank::Constant,
            (false, Some(sampled)) if sampled.filled && sampled.present * 2 < sampled.looked => Rank::Sparse,
            (false, Some(sampled)) if sampled.filled => named,
            (false, _) => Rank::Empty,
        }
    }

    fn column_of(
        &self,
        name: &CimName,
        store: Option<usize>,
        is_key: bool,
        ty: Option<CimType>,
        is_array: bool,
    ) -> TableColumn {
        let title = format!("{}{}", if is_key { "*" } else { "" }, display::safe(name.as_str()));
        let heading = u16::try_from(title.width()).unwrap_or(u16::MAX).min(COLUMN_WIDTH);
        let sampled = store.and_then(|at| self.sampled.get(at));
        // Without a type, what only holds numbers stands as numbers do.
        let reads_as_numbers = || sampled.is_some_and(|sampled| sampled.filled && !sampled.wordy);
        let numeric = ty.map_or_else(reads_as_numbers, CimType::is_numeric) && !is_array;
        let full = heading.max(sampled.map_or(0, |sampled| sampled.width));
        TableColumn { title, name: name.clone(), is_key, numeric, width: full.min(COLUMN_WIDTH), full, store }
    }
}

/// For each property of `class`, how far from it in its ancestry the class is that declared the property: 0 is the nearest.
///
/// Servers send inherited properties either before or after the class's own; which of the two shows where the class itself, or
/// the root of the schema, stands. What was declared between them keeps the order the server has.
fn derived_first(class: &CimClass) -> Vec<usize> {
    let mut origins = Vec::new();
    let of = |at: &crate::cim::ClassProperty| at.origin.clone().unwrap_or_else(|| class.name.clone());
    for property in &class.properties {
        let origin = of(property);
        if origins.len() < COMPARED_KEYS * 8 && !origins.contains(&origin) {
            origins.push(origin);
        }
    }
    let last = origins.len().saturating_sub(1);
    let place = |name: &CimName| origins.iter().position(|origin| origin == name);
    let root = CimName::new("CIM_ManagedElement");
    let nearest_first = match (place(&class.name), place(&root)) {
        (Some(own), _) if own == 0 || own == last => own == 0,
        (_, Some(root)) => root == last,
        _ => false,
    };
    let depth = |at: usize| if nearest_first { at } else { last - at };
    class.properties.iter().map(|property| place(&of(property)).map_or(0, depth)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cim::ClassProperty;

    fn class(properties: &[(&str, &str)]) -> CimClass {
        let mut class = CimClass::new("LC_Process");
        for (name, origin) in properties {
            let mut property = ClassProperty::new(name, CimType::String);
            property.origin = Some(CimName::new(origin));
            class.properties.push(property);
        }
        class
    }

    #[test]
    fn the_most_derived_properties_come_first_whichever_way_the_server_lists_them() {
        let root = ("Caption", "CIM_ManagedElement");
        let (middle, own) = (("Priority", "CIM_Process"), ("UserName", "LC_Process"));
        assert_eq!(derived_first(&class(&[root, middle, own])), [2, 1, 0]);
        assert_eq!(derived_first(&class(&[own, middle, root])), [0, 1, 2]);
        assert_eq!(derived_first(&class(&[root, middle])), [1, 0]);
        assert_eq!(derived_first(&class(&[middle, root])), [0, 1]);
        assert!(derived_first(&class(&[])).is_empty());
    }
}
