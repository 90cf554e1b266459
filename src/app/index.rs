//! The order and selection of a table's rows: which rows pass the filter, in which order.
//!
//! Owns: [`RowIndex`], built in slices so that a million rows never hold a key press up: new rows are filtered as they
//! come and merged into the sorted order; a new filter or sort starts over and grows from what it has. Must not know columns
//! beyond the numbers it is given; never moves rows.

use std::cmp::Ordering;

use super::{
    display,
    filter::{Filter, Scratch},
    number::Number,
};
use crate::cim::rows::{CellRef, RowStore};

/// By what a table is sorted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sort {
    /// The column, as the store numbers them.
    pub column: usize,
    /// Largest first. NULL and absent come last either way.
    pub descending: bool,
}

/// How many cells one slice of work may read.
const SLICE_CELLS: usize = 60_000;

/// The rows shown, as numbers of rows in the store.
#[derive(Debug, Default)]
pub struct RowIndex {
    filter: Filter,
    sort: Option<Sort>,
    order: Vec<u32>,
    /// Sort keys by row number, as far as evaluated; empty without a sort.
    keys: Vec<SortKey>,
    /// Rows looked at so far.
    evaluated: usize,
    scratch: Scratch,
}

/// What a cell sorts by: a rank (booleans, numbers, texts, then what is missing), then a value that keeps order. Texts longer than
/// their 15 bytes of it are compared in full.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct SortKey {
    rank: u8,
    value: u128,
}

const MISSING: u8 = u8::MAX;
const TEXT: u8 = 4;

impl RowIndex {
    /// The filter.
    pub const fn filter(&self) -> &Filter {
        &self.filter
    }

    /// The sort.
    pub const fn sort(&self) -> Option<Sort> {
        self.sort
    }

    fn is_identity(&self) -> bool {
        self.sort.is_none() && self.filter.is_all()
    }

    /// How many rows are shown of a store.
    pub fn len(&self, store: &RowStore) -> usize {
        if self.is_identity() { store.len() } else { self.order.len() }
    }

    /// The row at `position`.
    pub fn row(&self, position: usize, store: &RowStore) -> Option<u32> {
        match self.is_identity() {
            true => (position < store.len()).then(|| u32::try_from(position).ok()).flatten(),
            false => self.order.get(position).copied(),
        }
    }

    /// Where `row` is shown; if it is not, where it would be.
    pub fn position(&self, row: u32, store: &RowStore) -> Result<usize, usize> {
        if self.is_identity() {
            return if (row as usize) < store.len() { Ok(row as usize) } else { Err(store.len()) };
        }
        if self.sort.is_some() && row as usize >= self.keys.len() {
            return Err(self.order.len());
        }
        self.order.binary_search_by(|at| self.compare(*at, row, store))
    }

    /// Whether rows wait to be looked at.
    pub fn has_work(&self, store: &RowStore) -> bool {
        !self.is_identity() && self.evaluated < store.len()
    }

    /// Filters by `filter` from now on.
    pub fn set_filter(&mut self, filter: Filter) {
        self.filter = filter;
        self.restart();
    }

    /// Sorts by `sort` from now on.
    pub fn set_sort(&mut self, sort: Option<Sort>) {
        self.sort = sort;
        self.restart();
    }

    /// Starts over, for other rows or columns.
    pub fn restart(&mut self) {
        self.order.clear();
        self.keys.clear();
        self.evaluated = 0;
    }

    /// Looks at the next slice of rows; true if more wait. `columns` are those the filter reads.
    pub fn work(&mut self, store: &RowStore, columns: &[usize]) -> bool {
        if !self.has_work(store) {
            return false;
        }
        // Reading cell n of a packed row walks over the n cells before it.
        let filtered = if self.filter.is_all() { 1 } else { columns.len() * columns.len() / 2 + 1 };
        let slice = (SLICE_CELLS / filtered).clamp(64, 32_768);
        let end = store.len().min(self.evaluated + slice);
        let mut fresh = Vec::with_capacity(end - self.evaluated);
        for row in self.evaluated..end {
            let passes = self.passes(row, store, columns);
            if let Some(sort) = self.sort {
                let key = if passes { sort_key(store.cell(row, sort.column)) } else { SortKey { rank: 0, value: 0 } };
                self.keys.push(key);
            }
            if passes && let Ok(row) = u32::try_from(row) {
                fresh.push(row);
            }
        }
        self.evaluated = end;
        self.merge(fresh, store);
        end < store.len()
    }

    fn passes(&mut self, row: usize, store: &RowStore, columns: &[usize]) -> bool {
        if self.filter.is_all() {
            return true;
        }
        let Self { filter, scratch, .. } = self;
        let mut any = false;
        for column in columns {
            let cell = store.cell(row, *column);
            let matched = match cell {
                CellRef::Absent | CellRef::Null => continue,
                CellRef::Text(text) | CellRef::Untyped(text) => filter.matches(text, scratch),
                other => filter.matches(&display::cell(other, None), scratch),
            };
            if filter.is_inverted() {
                if !matched {
                    return false;
                }
                any = true;
            } else if matched {
                return true;
            }
        }
        any || filter.is_inverted()
    }

    fn merge(&mut self, mut fresh: Vec<u32>, store: &RowStore) {
        if self.sort.is_none() {
            self.order.append(&mut fresh);
            return;
        }
        fresh.sort_unstable_by(|a, b| self.compare(*a, *b, store));
        let mut order = std::mem::take(&mut self.order);
        let mut left = order.len();
        order.resize(left + fresh.len(), 0);
        for (before, row) in fresh.iter().enumerate().rev() {
            let kept = order.get(..left).unwrap_or_default();
            let at = kept.partition_point(|known| self.compare(*known, *row, store) == Ordering::Less);
            order.copy_within(at..left, at + before + 1);
            if let Some(slot) = order.get_mut(at + before) {
                *slot = *row;
            }
            left = at;
        }
        self.order = order;
    }

    /// The order of two evaluated rows; never equal for different rows.
    fn compare(&self, a: u32, b: u32, store: &RowStore) -> Ordering {
        let Some(sort) = self.sort else { return a.cmp(&b) };
        let (Some(left), Some(right)) = (self.keys.get(a as usize), self.keys.get(b as usize)) else {
            return a.cmp(&b);
        };
        let missing = (left.rank == MISSING).cmp(&(right.rank == MISSING));
        let mut by_value = (left.rank, left.value).cmp(&(right.rank, right.value));
        if by_value.is_eq() && left.rank == TEXT && a != b {
            by_value = full_text(store, a, sort.column).cmp(&full_text(store, b, sort.column));
        }
        missing.then(if sort.descending { by_value.reverse() } else { by_value }).then(a.cmp(&b))
    }
}

/// The sort key of a cell: numbers by value, booleans, datetimes, then texts without regard to case.
fn sort_key(cell: CellRef<'_>) -> SortKey {
    match cell {
        CellRef::Absent | CellRef::Null => SortKey { rank: MISSING, value: 0 },
        CellRef::Bool(value) => SortKey { rank: 0, value: u128::from(value) },
        CellRef::UInt(value) => number(Number::Integer(i128::from(value))),
        CellRef::SInt(value) => number(Number::Integer(i128::from(value))),
        CellRef::Real(value) => number(Number::Real(value)),
        CellRef::Char16(value) => SortKey { rank: 3, value: u128::from(value) },
        CellRef::DateTime(value) => text(value.as_str()),
        CellRef::Text(value) => text(value),
        CellRef::Untyped(value) => Number::read(value).map_or_else(|| text(value), number),
        CellRef::Value(_) | CellRef::Packed(_) => text(&display::cell(cell, None)),
    }
}

fn number(number: Number) -> SortKey {
    SortKey { rank: 1, value: number.ordered() }
}

fn text(text: &str) -> SortKey {
    let mut bytes = [0_u8; 16];
    let lower = text.chars().flat_map(char::to_lowercase);
    let mut at = 0;
    for c in lower {
        let mut buffer = [0; 4];
        for byte in c.encode_utf8(&mut buffer).bytes() {
            if let Some(slot) = bytes.get_mut(at) {
                *slot = byte;
            }
            at += 1;
        }
        if at >= bytes.len() {
            break;
        }
    }
    SortKey { rank: TEXT, value: u128::from_be_bytes(bytes) }
}

fn full_text(store: &RowStore, row: u32, column: usize) -> String {
    match store.cell(row as usize, column) {
        CellRef::Text(text) | CellRef::Untyped(text) => text.to_lowercase(),
        CellRef::DateTime(value) => value.as_str().to_owned(),
        other => display::cell(other, None).to_lowercase(),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::sync::Arc;

    use super::*;
    use crate::cim::{
        CimName, CimType,
        rows::{Column, RowWriter, Shape, ShapeId},
    };
    use proptest::prelude::*;

    fn push(store: &mut RowStore, rows: &[CellRef<'_>]) {
        for chunk in rows.chunks(7) {
            let mut writer = RowWriter::default();
            for cell in chunk {
                writer.begin(ShapeId(0));
                writer.cell(*cell);
                writer.end();
            }
            store.push(writer.take());
        }
    }

    fn store(rows: &[CellRef<'_>]) -> RowStore {
        let mut store = RowStore::default();
        let shape = Shape {
            class: CimName::new("C"),
            namespace: None,
            host: None,
            columns: vec![Column::new(CimName::new("P"), CimType::String)],
            path_keys: Vec::new(),
        };
        store.add_shape(ShapeId(0), Arc::new(shape));
        push(&mut store, rows);
        store
    }

    fn all(index: &mut RowIndex, store: &RowStore) -> Vec<u32> {
        while index.work(store, &[0]) {}
        (0..index.len(store)).filter_map(|at| index.row(at, store)).collect()
    }

    #[test]
    fn numbers_sort_as_numbers_and_missing_ones_last() {
        let cells = [CellRef::UInt(10), CellRef::Null, CellRef::SInt(-3), CellRef::UInt(9), CellRef::Untyped("100")];
        let store = store(&cells);
        let mut index = RowIndex::default();
        index.set_sort(Some(Sort { column: 0, descending: false }));
        assert_eq!(all(&mut index, &store), [2, 3, 0, 4, 1]);
        index.set_sort(Some(Sort { column: 0, descending: true }));
        assert_eq!(all(&mut index, &store), [4, 0, 3, 2, 1]);
    }

    #[test]
    fn untyped_texts_that_read_as_numbers_sort_by_value_and_before_the_others() {
        let cells = ["1.5", "10", "many", "-2", "2", "NaN", "1e1", "9"].map(CellRef::Untyped);
        let store = store(&cells);
        let mut index = RowIndex::default();
        index.set_sort(Some(Sort { column: 0, descending: false }));
        assert_eq!(all(&mut index, &store), [3, 0, 4, 7, 1, 6, 2, 5]);
    }

    #[test]
    fn equal_rows_keep_the_order_of_the_server() {
        let store = store(&[CellRef::Text("b"), CellRef::Text("A"), CellRef::Text("a"), CellRef::Text("a")]);
        let mut index = RowIndex::default();
        index.set_sort(Some(Sort { column: 0, descending: false }));
        assert_eq!(all(&mut index, &store), [1, 2, 3, 0]);
        index.set_sort(Some(Sort { column: 0, descending: true }));
        assert_eq!(all(&mut index, &store), [0, 1, 2, 3]);
    }

    #[test]
    fn texts_with_a_long_common_beginning_are_told_apart() {
        let store = store(&[CellRef::Text("the same beginning, z"), CellRef::Text("the same beginning, a")]);
        let mut index = RowIndex::default();
        index.set_sort(Some(Sort { column: 0, descending: false }));
        assert_eq!(all(&mut index, &store), [1, 0]);
    }

    #[test]
    fn an_inverted_filter_keeps_rows_without_a_hit() {
        let store = store(&[CellRef::Text("sshd"), CellRef::Null, CellRef::Text("init")]);
        let mut index = RowIndex::default();
        index.set_filter(Filter::new("!ssh"));
        assert_eq!(all(&mut index, &store), [1, 2]);
        assert_eq!(index.position(0, &store), Err(0));
        assert_eq!(index.position(2, &store), Ok(1));
    }

    proptest! {
        #[test]
        fn rows_that_come_in_slices_end_in_the_order_of_one_sort(
            values in proptest::collection::vec(-20_i64..20, 0..300), cuts in 1_usize..60, descending: bool
        ) {
            let cells = values.iter().map(|value| CellRef::SInt(*value)).collect::<Vec<_>>();
            let mut store = store(&[]);
            let mut index = RowIndex::default();
            index.set_sort(Some(Sort { column: 0, descending }));
            for chunk in cells.chunks(cuts) {
                push(&mut store, chunk);
                index.work(&store, &[0]);
            }
            let mut expected = (0..values.len() as u32).collect::<Vec<_>>();
            expected.sort_by_key(|row| if descending { -values[*row as usize] } else { values[*row as usize] });
            prop_assert_eq!(all(&mut index, &store), expected.clone());
            for (at, row) in expected.into_iter().enumerate() {
                prop_assert_eq!(index.position(row, &store), Ok(at));
            }
        }
    }
}
