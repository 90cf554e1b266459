//! The instances of one class, or of another source, in a table.
//!
//! Owns: the rows kept, their order, selection and state. Must not know how it is drawn; what it hands out for drawing is
//! escaped.

use std::sync::Arc;

use super::{
    Filter, ListCursor, Load, Member, Motion, RowIndex, Sort, Source,
    columns::{Columns, TableColumn},
    display,
    identity::same_instance,
};
use crate::{
    cim::{
        CimClass, CimInstance, CimName, Namespace, ObjectPath,
        rows::{RowBatch, RowStore, Shape, ShapeId},
    },
    op::{Limits, SessionId},
};

/// Up to so many columns a table is laid out anew for each shape; beyond, only when a sixteenth of them is new, or at the
/// end: a server may send thousands of shapes.
const LAID_OUT_AT_ONCE: usize = 256;

/// The most rows looked through for one that is to be selected.
const SOUGHT: usize = 100_000;

/// The table.
#[derive(Debug)]
pub struct Table {
    /// The session it was read from.
    pub session: SessionId,
    /// The namespace.
    pub namespace: Namespace,
    /// Where its rows come from.
    pub source: Source,
    /// How reading it stands.
    pub load: Load,
    /// The rows are those of an earlier reading: the last refresh failed or was cancelled.
    pub stale: bool,
    /// A limit of what is kept was reached.
    pub capped: bool,
    /// The column under the cursor, over [`Table::columns`].
    pub column: usize,
    /// The first column shown.
    pub first_column: usize,
    pub(super) list: ListCursor,
    /// The sessions it is read from, where it is read from several.
    pub(super) members: Vec<Member>,
    definition: Option<Arc<CimClass>>,
    pub(super) store: RowStore,
    pub(super) incoming: Option<RowStore>,
    pub(super) index: RowIndex,
    columns: Columns,
    /// Changes since the columns were laid out, and how many there were then.
    owed: usize,
    laid_out: usize,
    /// The row the user chose; `None` keeps the cursor at the top.
    chosen: Option<u32>,
    /// The row to choose again once it comes: its session and its path.
    wanted: Option<(SessionId, ObjectPath)>,
    /// How often the rows were replaced, and the row last told by [`Table::selection_changed`].
    reading: u32,
    told: Option<(u32, Option<u32>)>,
}

impl Table {
    pub(super) fn new(session: SessionId, namespace: Namespace, source: Source) -> Self {
        Self {
            session,
            namespace,
            source,
            load: Load::Idle,
            stale: false,
            capped: false,
            column: 0,
            first_column: 0,
            list: ListCursor::default(),
            members: Vec::new(),
            definition: None,
            store: RowStore::default(),
            incoming: None,
            index: RowIndex::default(),
            columns: Columns::default(),
            owed: 0,
            laid_out: 0,
            chosen: None,
            wanted: None,
            reading: 0,
            told: None,
        }
    }

    /// The columns in the order they are shown: keys that differ between rows, the name, properties that hold anything, those
    /// of the most derived class first, then those that are the same in every row or repeat another, then the empty ones.
    /// Keys that are the same in every row are left out; the detail pane has them.
    pub fn columns(&self) -> &[TableColumn] {
        self.columns.shown()
    }

    /// The cursor: position among the rows shown, first row of the window.
    pub const fn cursor(&self) -> ListCursor {
        self.list
    }

    /// How many rows pass the filter, as far as it has looked.
    pub fn shown(&self) -> usize {
        self.index.len(&self.store)
    }

    /// How many rows are kept.
    pub fn total(&self) -> usize {
        self.store.len()
    }

    /// How many rows have come of a refresh whose rows are not shown yet.
    pub fn incoming(&self) -> Option<usize> {
        self.incoming.as_ref().map(RowStore::len)
    }

    /// Whether nobody has told the types of most of what is shown: values are then texts as they were sent.
    pub fn is_untyped(&self) -> bool {
        let columns = self.store.columns().iter().enumerate().filter(|(at, _)| !self.store.is_origin(*at));
        let (mut all, mut untyped) = (0, 0);
        for (_, union) in columns {
            all += 1;
            untyped += usize::from(union.column.ty.is_none());
        }
        !self.store.is_empty() && untyped * 2 > all
    }

    /// Memory the rows take, in bytes.
    pub fn size(&self) -> usize {
        self.store.size() + self.incoming.as_ref().map_or(0, RowStore::size)
    }

    /// The filter.
    pub const fn filter(&self) -> &Filter {
        self.index.filter()
    }

    /// The number in [`Table::columns`] of the column it is sorted by, and whether largest come first.
    pub fn sorted_by(&self) -> Option<(usize, bool)> {
        let sort = self.index.sort()?;
        let at = self.columns().iter().position(|column| column.store == Some(sort.column))?;
        Some((at, sort.descending))
    }

    /// Whether filter or sort have rows left to look at.
    pub fn has_work(&self) -> bool {
        self.index.has_work(&self.store)
    }

    /// The text of the cell in shown row `position` and column `column` of [`Table::columns`]; `None` if NULL or absent.
    pub fn cell(&self, position: usize, column: usize) -> Option<String> {
        let row = self.index.row(position, &self.store)?;
        let at = self.columns().get(column)?.store?;
        self.columns.text(&self.store, row as usize, at, &self.namespace)
    }

    /// The selected row as an instance.
    pub fn selected(&self) -> Option<CimInstance> {
        self.store.instance(self.selected_row()? as usize)
    }

    /// The path of the selected row.
    pub fn selected_path(&self) -> Option<ObjectPath> {
        self.store.path(self.selected_row()? as usize)
    }

    /// The class that describes the rows: the one whose instances they are, or that of the first of associated ones. What
    /// a query selects is described by nothing: its rows hold what it names.
    pub fn class(&self) -> Option<&CimName> {
        match &self.source {
            Source::Class(class) => Some(class),
            Source::Associators(_) => self.store.shapes().first().map(|shape| &shape.class),
            Source::Query(_) => None,
            Source::Tag(tagged) => tagged.of.class(),
        }
    }

    /// Whether every row has come and none is of before a refresh.
    pub(super) fn is_complete(&self) -> bool {
        let whole = self.members.iter().all(|member| matches!(member.load, Load::Done));
        matches!(self.load, Load::Done) && whole && !self.stale && !self.capped
    }

    /// The class, once it is known.
    pub const fn definition(&self) -> Option<&Arc<CimClass>> {
        self.definition.as_ref()
    }

    /// The keys of `path` that tell it from the other rows; all of them where nothing is known.
    pub fn telling_keys(&self, path: &ObjectPath) -> Vec<(String, String)> {
        let told = path.keys.iter().map(|binding| self.columns.varies(&binding.name, &self.store)).collect::<Vec<_>>();
        // What a query selects need not hold every key: those it left out tell nothing beside one that does.
        let unknown = told.iter().all(Option::is_none);
        let text = |binding: &crate::cim::KeyBinding| {
            let value = self.columns.key_text(&binding.name, &binding.value, &self.store, &self.namespace);
            (display::safe(binding.name.as_str()), value)
        };
        let some = path.keys.iter().zip(&told).filter(|(_, varies)| varies.unwrap_or(unknown));
        let some = some.map(|(binding, _)| text(binding)).collect::<Vec<_>>();
        match some.is_empty() {
            true => path.keys.last().map(text).into_iter().collect(),
            false => some,
        }
    }

    pub(super) fn selected_row(&self) -> Option<u32> {
        self.index.row(self.list.at, &self.store)
    }

    pub(super) fn go(&mut self, motion: Motion, height: usize) {
        self.list.go(motion, self.shown(), height);
        self.choose();
    }

    pub(super) fn select(&mut self, position: usize, height: usize) {
        self.list.at = position;
        self.list.settle(self.shown(), height);
        self.choose();
    }

    pub(super) fn scroll(&mut self, lines: isize, height: usize) {
        self.list.scroll(lines, self.shown(), height);
        self.choose();
    }

    fn choose(&mut self) {
        self.wanted = None;
        self.chosen = (self.list.at > 0).then(|| self.selected_row()).flatten();
    }

    /// The detail pane is told of the selection again.
    pub(super) fn show_again(&mut self) {
        self.told = None;
    }

    /// Whether the row is that of `path` on `session`.
    fn is_row(&self, row: usize, session: SessionId, path: &ObjectPath) -> bool {
        self.store.path(row).is_some_and(|other| same_instance(&other, path)) && self.place_of(row).0 == session
    }

    /// Puts the cursor on the row of `path` on `session`, if it is among the first hundred thousand shown.
    pub(super) fn seek(&mut self, session: SessionId, path: &ObjectPath) {
        let is_it = |row: &u32| self.is_row(*row as usize, session, path);
        if self.selected_row().as_ref().is_some_and(is_it) {
            return;
        }
        let mut shown = (0..self.shown().min(SOUGHT)).filter_map(|at| self.index.row(at, &self.store));
        if let Some(row) = shown.find(is_it) {
            (self.wanted, self.chosen) = (None, Some(row));
        }
    }

    /// Whether another row is selected than when this was asked last. While a certain row is waited for, nothing is
    /// selected yet.
    pub(super) fn selection_changed(&mut self) -> bool {
        if self.wanted.is_some() && self.load.is_running() {
            return false;
        }
        let now = Some((self.reading, self.selected_row()));
        std::mem::replace(&mut self.told, now) != now && (now.is_some_and(|(_, row)| row.is_some()) || self.total() > 0)
    }

    /// Scrolls sideways until the column under the cursor fits into `width` cells.
    pub(super) fn show_column(&mut self, width: u16) {
        self.first_column = self.first_column.min(self.column);
        let needed = |from: usize, to: usize, columns: &[TableColumn]| {
            let shown = columns.get(from..=to).unwrap_or_default();
            shown.iter().map(|column| usize::from(column.width) + 1).sum::<usize>()
        };
        while self.first_column < self.column
            && needed(self.first_column, self.column, self.columns.shown()) > usize::from(width) + 1
        {
            self.first_column += 1;
        }
    }

    /// Puts the cursor on the chosen row, wherever it is now.
    pub(super) fn settle(&mut self, height: usize) {
        if let Some(chosen) = self.chosen {
            self.list.at = self.index.position(chosen, &self.store).unwrap_or_else(|near| near);
        }
        self.list.settle(self.shown(), height);
        self.column = self.column.min(self.columns().len().saturating_sub(1));
        self.first_column = self.first_column.min(self.column);
    }

    pub(super) fn set_filter(&mut self, text: &str) {
        if self.chosen.is_none() && !text.is_empty() {
            self.list = ListCursor::default();
        }
        self.index.set_filter(Filter::new(text));
        self.work();
    }

    /// Sorts by the column `at`; the same column again turns the order over, a third time drops it.
    pub(super) fn sort_by(&mut self, at: usize) {
        let Some(column) = self.columns().get(at).and_then(|column| column.store) else { return };
        self.columns.keep_order();
        let sort = match self.index.sort() {
            Some(sort) if sort.column == column && sort.descending => None,
            Some(sort) if sort.column == column => Some(Sort { column, descending: true }),
            _ => Some(Sort { column, descending: false }),
        };
        self.column = at;
        self.index.set_sort(sort);
        self.work();
    }

    /// Does a slice of filtering and sorting; true if more is left.
    pub(super) fn work(&mut self) -> bool {
        self.index.work(&self.store, &self.columns.stored())
    }

    pub(super) fn define(&mut self, class: Arc<CimClass>) {
        self.definition = Some(class);
        self.lay_out(true);
    }

    /// Begins a refresh: the rows stay until as many new ones have come, or all.
    pub(super) fn refresh(&mut self) {
        let moved = self.list.at > 0 || self.chosen.is_some();
        self.wanted = self.selected_path().filter(|_| moved).map(|path| (self.selected_place().0, path));
        self.capped = false;
        self.incoming = Some(self.empty_store());
    }

    pub(super) fn want(&mut self, session: SessionId, path: Option<ObjectPath>) {
        self.wanted = path.map(|path| (session, path));
    }

    pub(super) fn add_shape(&mut self, id: ShapeId, shape: Arc<Shape>) {
        self.incoming.as_mut().unwrap_or(&mut self.store).add_shape(id, shape);
        self.shape_added();
    }

    /// Columns may have come with a shape.
    pub(super) fn shape_added(&mut self) {
        if self.incoming.is_none() {
            self.columns.resize(self.store.columns().len());
            self.lay_out_when_due();
        }
    }

    /// Takes rows in; true once a limit is reached and no more are kept.
    pub(super) fn add_rows(&mut self, mut batch: RowBatch, limits: &Limits) -> bool {
        let kept = self.incoming.as_ref().unwrap_or(&self.store);
        let room = limits.retained_rows.saturating_sub(kept.len());
        if batch.len() > room || kept.size().saturating_add(batch.size()) > limits.retained_bytes {
            batch.truncate(if batch.len() > room { room } else { 0 });
            self.capped = true;
        }
        match &mut self.incoming {
            Some(incoming) => {
                incoming.push(batch);
                if incoming.len() >= self.store.len() {
                    self.swap();
                }
            }
            None => {
                self.store.push(batch);
                self.sample();
            }
        }
        self.capped
    }

    /// Ends a reading. A refresh that came to its end replaces the rows; one that did not leaves the older, fuller ones.
    pub(super) fn end(&mut self, complete: bool) {
        let fuller = self.incoming.as_ref().is_some_and(|incoming| incoming.len() < self.store.len());
        if complete || !fuller {
            self.swap();
            self.stale = false;
        } else {
            self.stale = self.incoming.take().is_some();
        }
        if self.owed > 0 {
            self.lay_out(false);
            self.work();
        }
        self.wanted = None;
        self.columns.settle_order();
    }

    fn swap(&mut self) {
        let Some(incoming) = self.incoming.take() else { return };
        let sort = self.index.sort().and_then(|sort| {
            let name = &self.store.columns().get(sort.column)?.column.name;
            let same = |at: &usize| incoming.is_origin(*at) == self.store.is_origin(sort.column);
            let named = |at: &usize| incoming.columns().get(*at).is_some_and(|union| union.column.name == *name);
            let column = (0..incoming.columns().len()).find(|at| same(at) && named(at))?;
            Some(Sort { column, ..sort })
        });
        self.store = incoming;
        self.reading += 1;
        self.chosen = None;
        self.stale = false;
        self.columns.restart(self.store.columns().len());
        self.lay_out(false);
        self.sample();
        self.index.set_sort(sort);
        self.work();
    }

    /// Looks at rows not looked at yet: for the columns, and for the row wanted.
    fn sample(&mut self) {
        if self.wanted.is_some() {
            let mut fresh = self.columns.fresh(&self.store);
            let wanted = self.wanted.as_ref();
            let is_wanted = |row: usize| wanted.is_some_and(|(session, path)| self.is_row(row, *session, path));
            if let Some(row) = fresh.find(|row| is_wanted(*row)) {
                self.wanted = None;
                self.chosen = u32::try_from(row).ok();
            }
        }
        if self.columns.sample(&self.store, &self.namespace) {
            self.lay_out_when_due();
        }
        self.work();
    }

    /// Makes the columns anew, if enough has changed.
    fn lay_out_when_due(&mut self) {
        self.owed += 1;
        let columns = self.store.columns().len();
        if columns <= LAID_OUT_AT_ONCE || self.owed.max(columns.saturating_sub(self.laid_out)) > columns / 16 {
            self.lay_out(false);
        }
    }

    /// Makes the columns anew; `by_class`, because the class has just come. The cursor stays on its column.
    fn lay_out(&mut self, by_class: bool) {
        (self.owed, self.laid_out) = (0, self.store.columns().len());
        let under_cursor = self.columns().get(self.column).map(|column| column.name.clone());
        let before = self.columns.stored();
        self.columns.lay_out(&self.store, self.definition.as_deref(), by_class);
        if self.column > 0
            && let Some(at) = self.columns().iter().position(|column| Some(&column.name) == under_cursor.as_ref())
        {
            self.column = at;
        }
        // The filter reads what is shown.
        if !self.index.filter().is_all() && self.columns.stored().iter().any(|at| !before.contains(at)) {
            self.index.restart();
        }
    }

    /// Moves the cursor `by` columns.
    pub(super) fn step_column(&mut self, by: isize) {
        let last = self.columns().len().saturating_sub(1);
        self.column = self.column.saturating_add_signed(by).min(last);
        self.columns.keep_order();
    }
}
