//! The classes pane: a namespace's inheritance tree, or its class names flat while a filter is set.
//!
//! Owns: the nodes loaded so far, what is unfolded, the rows shown. Must not know how names are fetched.

use std::collections::HashMap;

use super::{Filter, ListCursor, Load, Scratch};
use crate::{
    cim::{CimName, Namespace},
    op::SessionId,
};

/// The deepest a tree is shown; a server that answers with cycles ends here.
pub const TREE_DEPTH: usize = 64;

/// About the most rows of a tree; beyond, nothing more unfolds.
const TREE_ROWS: usize = 200_000;

/// What is known of the subclasses of a class.
#[derive(Clone, Debug, Default)]
pub struct Subclasses {
    /// How listing them stands.
    pub load: Load,
    /// Their names, sorted.
    pub names: Vec<CimName>,
    /// They are shown.
    pub unfolded: bool,
    /// The names are those of before a refresh that has not answered yet.
    pub stale: bool,
}

/// One row of the pane.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClassRow {
    /// The class.
    pub name: CimName,
    /// How deep it stands in the tree; 0 in the flat list.
    pub depth: usize,
    /// How it can be unfolded.
    pub fold: Fold,
    /// What the row is.
    pub kind: ClassRowKind,
}

/// What a row of the pane is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClassRowKind {
    /// The heading above the bookmarks, no class.
    Heading,
    /// A class the session's preset begins with.
    Bookmark,
    /// A class of the tree or of the flat list.
    Class,
}

/// Whether a row of the tree can be unfolded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fold {
    /// Its subclasses are shown below it.
    Open,
    /// It has, or may have, subclasses.
    Closed,
    /// Its subclasses are being fetched.
    Loading,
    /// It is known to have none, or stands in the flat list.
    Leaf,
}

/// The pane.
#[derive(Debug)]
pub struct Classes {
    /// The session the classes belong to.
    pub session: SessionId,
    /// The namespace.
    pub namespace: Namespace,
    /// How fetching all names, for the flat list, stands.
    pub all_load: Load,
    /// All names, sorted.
    pub(super) all: Vec<CimName>,
    /// What is known below each class; `None` is the root.
    below: HashMap<Option<CimName>, Subclasses>,
    /// Classes to begin with, shown above the tree.
    bookmarks: Vec<CimName>,
    rows: Vec<ClassRow>,
    filter: Filter,
    scratch: Scratch,
    pub(super) list: ListCursor,
    pub(super) wanted: Option<CimName>,
    /// Where the cursor was put for the filter; elsewhere, the user has moved it.
    aimed: Option<usize>,
    total: usize,
    /// Names that came and are not shown yet.
    waiting: usize,
}

impl Classes {
    pub(super) fn new(session: SessionId, namespace: Namespace) -> Self {
        Self {
            session,
            namespace,
            all_load: Load::Idle,
            all: Vec::new(),
            below: HashMap::new(),
            bookmarks: Vec::new(),
            rows: Vec::new(),
            filter: Filter::default(),
            scratch: Scratch::default(),
            list: ListCursor::default(),
            wanted: None,
            aimed: None,
            total: 0,
            waiting: 0,
        }
    }

    /// The same with bookmarks above the tree; the cursor begins on the first of them.
    pub(super) fn with_bookmarks(self, bookmarks: Vec<CimName>) -> Self {
        let mut pane = Self { bookmarks, ..self };
        pane.lay_out();
        pane.list.at = usize::from(!pane.bookmarks.is_empty());
        pane
    }

    /// The rows shown, top to bottom.
    pub fn rows(&self) -> &[ClassRow] {
        &self.rows
    }

    /// The cursor over [`Classes::rows`].
    pub const fn cursor(&self) -> ListCursor {
        self.list
    }

    /// The class under the cursor.
    pub fn selected(&self) -> Option<&ClassRow> {
        self.rows.get(self.list.at).filter(|row| row.kind != ClassRowKind::Heading)
    }

    /// The filter.
    pub const fn filter(&self) -> &Filter {
        &self.filter
    }

    /// Whether matches are listed flat.
    pub const fn is_flat(&self) -> bool {
        !self.filter.is_all()
    }

    /// How many names the filter chooses from, or the tree has loaded.
    pub fn total(&self) -> usize {
        match (self.is_flat(), self.all.len()) {
            (true, 0) => self.total.max(self.bookmarks.len()),
            (true, all) => all,
            (false, _) => self.total,
        }
    }

    /// How listing the root classes stands.
    pub fn load(&self) -> &Load {
        self.below.get(&None).map_or(&Load::Idle, |root| &root.load)
    }

    /// What is known of the subclasses of `class`; `None` is the root.
    pub fn below(&self, class: Option<&CimName>) -> Option<&Subclasses> {
        self.below.get(&class.cloned())
    }

    /// Whether the server cannot list classes, so that a name has to be typed.
    pub fn wants_typed_name(&self) -> bool {
        self.rows.is_empty() && self.filter.is_all() && matches!(self.load(), Load::Failed(_))
    }

    /// Whether the bookmarks are all there is: nothing of the tree has come.
    pub fn is_bookmarks_alone(&self) -> bool {
        !self.bookmarks.is_empty() && !self.is_flat() && self.below(None).is_none_or(|root| root.names.is_empty())
    }

    /// Every class name known, for completion.
    pub fn names(&self) -> impl Iterator<Item = &CimName> {
        let known = self.below.values().flat_map(|below| &below.names);
        self.all.iter().chain(known.filter(|_| self.all.is_empty()))
    }

    pub(super) fn below_mut(&mut self, class: Option<CimName>) -> &mut Subclasses {
        self.below.entry(class).or_default()
    }

    /// Takes names of subclasses in.
    pub(super) fn add(&mut self, parent: Option<CimName>, names: Vec<CimName>, most: usize) {
        let room = most.saturating_sub(self.total);
        let below = self.below.entry(parent.clone()).or_default();
        let before = below.names.len();
        below.names.extend(names.into_iter().take(room));
        let added = below.names.len() - before;
        self.total += added;
        self.waiting += added;
        if self.waiting * 8 >= self.total {
            self.tidy(parent.as_ref());
        }
    }

    /// Takes names of the flat list in.
    pub(super) fn add_all(&mut self, names: Vec<CimName>, most: usize) {
        let room = most.saturating_sub(self.all.len());
        let before = self.all.len();
        self.all.extend(names.into_iter().take(room));
        self.waiting += self.all.len() - before;
        if self.waiting * 8 >= self.all.len() {
            self.tidy_all();
        }
    }

    /// Sorts what is below `parent` and shows it. While names come this happens each time they grew by an eighth, so that
    /// any number of them takes a handful of sorts.
    pub(super) fn tidy(&mut self, parent: Option<&CimName>) {
        if let Some(below) = self.below.get_mut(&parent.cloned()) {
            let before = below.names.len();
            below.names.sort();
            below.names.dedup();
            self.total -= (before - below.names.len()).min(self.total);
        }
        self.waiting = 0;
        self.lay_out();
    }

    /// As [`Classes::tidy`], for the flat list.
    pub(super) fn tidy_all(&mut self) {
        self.all.sort();
        self.all.dedup();
        self.waiting = 0;
        self.lay_out();
    }

    /// The first names of a refresh, or its good end, replace those of before.
    pub(super) fn forget_stale(&mut self, parent: Option<&CimName>) {
        if let Some(below) = self.below.get_mut(&parent.cloned()).filter(|below| below.stale) {
            below.stale = false;
            self.total -= below.names.len().min(self.total);
            below.names.clear();
        }
    }

    pub(super) fn set_filter(&mut self, text: &str) {
        let selected = self.selected().map(|row| row.name.clone());
        self.filter = Filter::new(text);
        self.wanted = None;
        self.aimed = self.is_flat().then_some(self.list.at);
        self.lay_out();
        if !self.is_flat() && selected.is_some() {
            self.wanted = selected;
            self.find_wanted();
        }
    }

    pub(super) fn set_unfolded(&mut self, class: &CimName, unfolded: bool) {
        self.below.entry(Some(class.clone())).or_default().unfolded = unfolded;
        self.lay_out();
    }

    /// Puts the cursor on `class` where it is listed; otherwise it stays.
    pub(super) fn follow(&mut self, class: &CimName) {
        if let Some(at) = self.rows.iter().position(|row| row.name == *class) {
            self.list.at = at;
            self.aimed = None;
        }
    }

    /// Makes the rows anew; the cursor stays on the class it was on, or goes to the best match while the user has not moved
    /// it since the filter was typed.
    pub(super) fn lay_out(&mut self) {
        let selected = self.selected().map(|row| (row.name.clone(), row.kind));
        self.rows = if self.is_flat() { self.matches() } else { self.tree() };
        if self.is_flat() && self.aimed == Some(self.list.at) {
            self.list.at = self.best();
            self.aimed = Some(self.list.at);
            return;
        }
        let same = |(name, kind)| self.rows.iter().position(|row| row.name == name && row.kind == kind);
        if let Some(at) = selected.and_then(same) {
            self.list.at = at;
        }
        self.find_wanted();
    }

    fn find_wanted(&mut self) {
        if let Some(at) = self.wanted.as_ref().and_then(|name| self.rows.iter().position(|row| row.name == *name)) {
            self.list.at = at;
            self.wanted = None;
        }
    }

    /// The match the user most likely means: the name itself; a class of no matter which schema whose name after the schema is
    /// what was typed, or begins with it, those of CIM, which mostly have no instances of their own, last; the first.
    fn best(&self) -> usize {
        let typed = self.filter.text().to_lowercase();
        let rank = |name: &str| {
            let name = name.to_lowercase();
            let (schema, rest) = name.split_once('_').unwrap_or(("", &name));
            match (rest == typed, rest.starts_with(&typed), schema == "cim") {
                _ if name == typed => 0,
                (true, _, false) => 1,
                (_, true, false) => 2,
                (true, _, true) => 3,
                (_, true, true) => 4,
                _ => 5,
            }
        };
        let ranks = self.rows.iter().map(|row| rank(row.name.as_str())).enumerate();
        ranks.min_by_key(|(at, rank)| (*rank, *at)).map_or(0, |(at, _)| at)
    }

    /// The flat matches: best first for a fuzzy filter, by name otherwise. Until all names are known, among those loaded and
    /// the bookmarks.
    fn matches(&mut self) -> Vec<ClassRow> {
        let mut names = match self.all.is_empty() {
            false => self.all.clone(),
            true => self.below.values().flat_map(|below| &below.names).chain(&self.bookmarks).cloned().collect(),
        };
        if self.all.is_empty() {
            names.sort();
            names.dedup();
        }
        let Self { filter, scratch, .. } = self;
        let mut found = names
            .into_iter()
            .filter_map(|name| filter.score(name.as_str(), scratch).map(|score| (score, name)))
            .collect::<Vec<_>>();
        found.sort_by_key(|found| std::cmp::Reverse(found.0));
        found.into_iter().map(|(_, name)| class_row(name, 0, Fold::Leaf)).collect()
    }

    fn tree(&self) -> Vec<ClassRow> {
        let mut rows = self.bookmark_rows();
        let (mut stack, mut above) = (Vec::new(), Vec::<&CimName>::new());
        let Some(root) = self.below.get(&None) else { return rows };
        stack.extend(root.names.iter().rev().map(|name| (name, 0)));
        while let Some((name, depth)) = stack.pop() {
            let below = self.below.get(&Some(name.clone()));
            let fold = match below {
                Some(below) if below.load.is_running() => Fold::Loading,
                Some(below) if below.names.is_empty() && matches!(below.load, Load::Done) => Fold::Leaf,
                Some(below) if below.unfolded && !below.names.is_empty() => Fold::Open,
                _ => Fold::Closed,
            };
            rows.push(class_row(name.clone(), depth, fold));
            above.truncate(depth);
            let turns_in_a_circle = above.contains(&name);
            above.push(name);
            if depth < TREE_DEPTH
                && rows.len() < TREE_ROWS
                && !turns_in_a_circle
                && let Some(below) = below.filter(|below| below.unfolded)
            {
                stack.extend(below.names.iter().rev().map(|name| (name, depth + 1)));
            }
        }
        rows
    }

    /// The bookmarks under their heading; nothing where there are none.
    fn bookmark_rows(&self) -> Vec<ClassRow> {
        let row = |kind| move |name: &CimName| ClassRow { name: name.clone(), depth: 0, fold: Fold::Leaf, kind };
        let heading = CimName::new("bookmarks");
        let heading = Some(&heading).filter(|_| !self.bookmarks.is_empty()).map(row(ClassRowKind::Heading));
        heading.into_iter().chain(self.bookmarks.iter().map(row(ClassRowKind::Bookmark))).collect()
    }

    /// The row of the superclass of the row under the cursor.
    pub(super) fn parent_row(&self) -> Option<usize> {
        let depth = self.selected()?.depth.checked_sub(1)?;
        self.rows.get(..self.list.at)?.iter().rposition(|row| row.depth == depth)
    }
}

const fn class_row(name: CimName, depth: usize, fold: Fold) -> ClassRow {
    ClassRow { name, depth, fold, kind: ClassRowKind::Class }
}
