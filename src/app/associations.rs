//! The associations of one instance: roles, the association classes that refer to it in them, the instances at the far ends.
//!
//! Owns: the tree, what is unfolded, the rows shown, and how an association's path is read. Must not know how paths are
//! fetched.
//!
//! One ReferenceNames fills the tree: it sends paths and no properties, and the keys of nearly every association class are
//! its references, so that a path tells class, role and far ends at once; unfolding then asks for nothing. Only where keys
//! are no references do the far ends take an AssociatorNames of their own, when their class is unfolded.

use super::{
    Filter, Fold, ListCursor, Load, Scratch, Source, display, grouped, identity::roles_of, source::Associated,
};
use crate::{
    cim::{CimName, KeyValue, Namespace, ObjectPath},
    op::SessionId,
};

/// The most pairs of role and association class that are kept.
const GROUPS: usize = 1_024;
/// The most far ends kept of one association class; the table has the others.
const ENDS_OF_GROUP: usize = 512;
/// The most far ends kept in all.
const ENDS: usize = 8_192;
/// The most bytes their paths take, as text.
const END_BYTES: usize = 4 << 20;

/// The tree of one instance.
#[derive(Debug)]
pub struct Associations {
    /// The session it was read from.
    pub session: SessionId,
    /// The instance.
    pub object: ObjectPath,
    /// How reading it stands.
    pub load: Load,
    /// A limit of what is kept was reached.
    pub capped: bool,
    /// The rows are those of before a refresh that has not answered yet.
    pub(super) stale: bool,
    home: Namespace,
    groups: Vec<Group>,
    folded: Vec<Option<CimName>>,
    /// Classes unfolded before the refresh.
    reopened: Vec<(Option<CimName>, CimName)>,
    /// Associations read, far ends kept, and bytes these take.
    read: usize,
    kept: usize,
    bytes: usize,
    /// Associations read since the rows were made.
    waiting: usize,
    rows: Vec<AssociationRow>,
    filter: Filter,
    pub(super) list: ListCursor,
}

/// The associations of one class in one role.
#[derive(Debug)]
struct Group {
    /// The property that refers to the instance; `None` where the paths do not tell.
    role: Option<CimName>,
    class: CimName,
    /// How many associations.
    count: usize,
    /// How many far ends they have, and those that are kept.
    far: usize,
    ends: Vec<End>,
    unfolded: bool,
    /// How fetching the far ends stands, where the paths do not tell them.
    load: Load,
}

/// A far end.
#[derive(Debug)]
struct End {
    /// The property that refers to it.
    role: Option<CimName>,
    path: ObjectPath,
}

/// One row of the tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AssociationRow {
    /// What it is about.
    pub node: AssociationNode,
    /// Its text, escaped: a role, a class, a path in few words.
    pub text: String,
    /// What stands beside it in less weight, escaped: a number, the role of a far end.
    pub note: String,
    /// How it can be unfolded.
    pub fold: Fold,
    /// The role and the class it hangs below.
    home: (Option<CimName>, Option<CimName>),
}

impl AssociationRow {
    fn new(node: AssociationNode, group: &Group, text: String, note: String, fold: Fold) -> Self {
        let class = if matches!(node, AssociationNode::Role(_)) { None } else { Some(group.class.clone()) };
        Self { node, text, note, fold, home: (group.role.clone(), class) }
    }

    /// Whether it is about the same as `other`, whatever their numbers are.
    fn is(&self, other: &Self) -> bool {
        (self.node.depth(), &self.home, &self.text) == (other.node.depth(), &other.home, &other.text)
    }
}

/// What a row is about; numbers are those of the tree.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AssociationNode {
    /// A role: the associations that refer to the instance by one property.
    Role(usize),
    /// An association class in a role.
    Class(usize),
    /// An instance at the far end.
    End(usize, usize),
    /// Why a class shows no far ends, or not all.
    Told(usize),
}

impl AssociationNode {
    /// How deep it stands.
    pub const fn depth(self) -> usize {
        match self {
            Self::Role(_) => 0,
            Self::Class(_) => 1,
            Self::End(..) | Self::Told(_) => 2,
        }
    }

    const fn group(self) -> usize {
        match self {
            Self::Role(group) | Self::Class(group) | Self::End(group, _) | Self::Told(group) => group,
        }
    }
}

impl Associations {
    pub(super) fn new(session: SessionId, object: ObjectPath, home: Namespace) -> Self {
        Self {
            session,
            object,
            load: Load::Idle,
            capped: false,
            stale: false,
            home,
            groups: Vec::new(),
            folded: Vec::new(),
            reopened: Vec::new(),
            read: 0,
            kept: 0,
            bytes: 0,
            waiting: 0,
            rows: Vec::new(),
            filter: Filter::default(),
            list: ListCursor::default(),
        }
    }

    /// The rows shown.
    pub fn rows(&self) -> &[AssociationRow] {
        &self.rows
    }

    /// The cursor over [`Associations::rows`].
    pub const fn cursor(&self) -> ListCursor {
        self.list
    }

    /// The filter.
    pub const fn filter(&self) -> &Filter {
        &self.filter
    }

    /// How many associations were read.
    pub const fn total(&self) -> usize {
        self.read
    }

    /// The row under the cursor.
    pub fn selected(&self) -> Option<&AssociationRow> {
        self.rows.get(self.list.at)
    }

    fn selected_group(&self) -> Option<&Group> {
        self.groups.get(self.selected()?.node.group())
    }

    /// The far end under the cursor.
    pub fn selected_end(&self) -> Option<&ObjectPath> {
        match self.selected()?.node {
            AssociationNode::End(group, end) => Some(&self.groups.get(group)?.ends.get(end)?.path),
            _ => None,
        }
    }

    /// Where all far ends of the class under the cursor are read from; `None` on a role.
    pub fn selected_source(&self) -> Option<Source> {
        let group = match self.selected()?.node {
            AssociationNode::Role(_) => return None,
            _ => self.selected_group()?,
        };
        let mut roles = group.ends.iter().map(|end| &end.role);
        // Of an association between more than two, one far role alone would leave the others out.
        let result_role =
            roles.next().cloned().flatten().filter(|first| roles.all(|role| role.as_ref() == Some(first)));
        Some(Source::Associators(Associated {
            object: self.object.clone(),
            association: group.class.clone(),
            role: group.role.clone(),
            result_role: result_role.filter(|_| group.ends.len() == group.far),
        }))
    }

    pub(super) fn set_filter(&mut self, text: &str) {
        self.filter = Filter::new(text);
        self.lay_out();
    }

    /// Begins reading anew; what is shown stays until the first rows come, or all.
    pub(super) fn begin(&mut self, load: Load) {
        (self.load, self.stale, self.capped) = (load, true, false);
    }

    /// The first paths of a reading, or its good end, replace those of before; what was unfolded stays so.
    pub(super) fn forget_stale(&mut self) {
        if !std::mem::take(&mut self.stale) {
            return;
        }
        let unfolded = self.groups.drain(..).filter(|group| group.unfolded);
        self.reopened = unfolded.map(|group| (group.role, group.class)).collect();
        (self.read, self.kept, self.bytes, self.waiting) = (0, 0, 0, 0);
    }

    /// Takes paths of associations in; true once `most` were read. The rows are made anew each time the tree grew by an
    /// eighth, so that any number of paths takes a handful of layouts.
    pub(super) fn add(&mut self, associations: impl Iterator<Item = ObjectPath>, most: usize) -> bool {
        self.forget_stale();
        for association in associations {
            if self.read >= most {
                self.capped = true;
                break;
            }
            (self.read, self.waiting) = (self.read + 1, self.waiting + 1);
            self.add_one(association);
        }
        if self.waiting * 8 >= self.read {
            self.lay_out();
        }
        self.capped && self.read >= most
    }

    fn add_one(&mut self, association: ObjectPath) {
        let references = association.keys.iter().filter_map(|key| match &key.value {
            KeyValue::Reference(path) => Some((&key.name, path.as_ref())),
            _ => None,
        });
        let references = references.collect::<Vec<_>>();
        let roles = roles_of(&references, &self.object);
        if roles.is_empty() {
            self.count(None, &association.class);
        }
        for role in &roles {
            let Some(group) = self.count(Some(role), &association.class) else { continue };
            for (name, path) in references.iter().filter(|(name, _)| *name != role) {
                self.keep(group, Some((*name).clone()), (*path).clone());
            }
        }
    }

    /// Counts an association of `class` in `role`; its group, unless there are too many.
    fn count(&mut self, role: Option<&CimName>, class: &CimName) -> Option<usize> {
        let key = |group: &Group| (group.role.is_none(), group.role.clone(), group.class.clone());
        let wanted = (role.is_none(), role.cloned(), class.clone());
        let at = match self.groups.binary_search_by(|group| key(group).cmp(&wanted)) {
            Ok(at) => at,
            Err(_) if self.groups.len() >= GROUPS => {
                self.capped = true;
                return None;
            }
            Err(at) => {
                let (_, role, class) = wanted;
                let unfolded = self.reopened.iter().any(|known| (&known.0, &known.1) == (&role, &class));
                // Without far ends in its paths they would have to be fetched first.
                let unfolded = unfolded && role.is_some();
                let group = Group { role, class, count: 0, far: 0, ends: Vec::new(), unfolded, load: Load::Idle };
                self.groups.insert(at, group);
                at
            }
        };
        if let Some(group) = self.groups.get_mut(at) {
            group.count += 1;
        }
        Some(at)
    }

    fn keep(&mut self, at: usize, role: Option<CimName>, path: ObjectPath) {
        let Some(group) = self.groups.get_mut(at) else { return };
        group.far += 1;
        if group.ends.len() >= ENDS_OF_GROUP || self.kept >= ENDS {
            return;
        }
        let bytes = self.bytes.saturating_add(path.to_string().len());
        if bytes <= END_BYTES {
            (self.kept, self.bytes) = (self.kept + 1, bytes);
            group.ends.push(End { role, path });
        }
    }

    /// Ends a reading.
    pub(super) fn end(&mut self, load: Load) {
        if matches!(load, Load::Done) {
            self.forget_stale();
        }
        self.stale = false;
        self.load = load;
        self.lay_out();
    }

    /// Whether the far ends of the class under the cursor have to be fetched before they can be shown; then the operation's
    /// source.
    pub(super) fn wants_ends(&self) -> Option<Associated> {
        let group = self.selected_group()?;
        let told = group.role.is_some() || matches!(group.load, Load::Done | Load::Running(_));
        match (self.selected()?.node, self.selected_source()?) {
            (AssociationNode::Class(_), Source::Associators(associated)) if !told => Some(associated),
            _ => None,
        }
    }

    /// The far ends of `class`, whose role is not told, are being fetched.
    pub(super) fn begin_ends(&mut self, class: &CimName, load: Load) {
        let Some(at) = self.untold(class) else { return };
        if let Some(group) = self.groups.get_mut(at) {
            (group.load, group.unfolded, group.far) = (load, true, 0);
            self.kept -= group.ends.len().min(self.kept);
            group.ends.clear();
        }
        self.lay_out();
    }

    /// Takes far ends of `class` in; true once `most` were read.
    pub(super) fn add_ends(&mut self, class: &CimName, ends: impl Iterator<Item = ObjectPath>, most: usize) -> bool {
        let Some(at) = self.untold(class) else { return false };
        ends.for_each(|path| self.keep(at, None, path));
        self.lay_out();
        self.groups.get(at).is_some_and(|group| group.far >= most)
    }

    /// How fetching the far ends of `class` stands.
    pub(super) fn load_of_ends(&mut self, class: &CimName) -> Option<&mut Load> {
        let at = self.untold(class)?;
        self.groups.get_mut(at).map(|group| &mut group.load)
    }

    fn untold(&self, class: &CimName) -> Option<usize> {
        self.groups.iter().position(|group| group.role.is_none() && group.class == *class)
    }

    /// The operation that fetches something for the tree.
    pub(super) fn operation(&self) -> Option<crate::op::OpId> {
        self.load.operation().or_else(|| self.groups.iter().find_map(|group| group.load.operation()))
    }

    /// Folds or unfolds the role or class under the cursor.
    pub(super) fn set_unfolded(&mut self, unfolded: bool) {
        let Some(node) = self.selected().map(|row| row.node) else { return };
        let Some(group) = self.groups.get_mut(node.group()) else { return };
        match node {
            AssociationNode::Role(_) => {
                let role = group.role.clone();
                self.folded.retain(|folded| *folded != role);
                self.folded.extend((!unfolded).then_some(role));
            }
            AssociationNode::Class(_) => group.unfolded = unfolded,
            AssociationNode::End(..) | AssociationNode::Told(_) => {}
        }
        self.lay_out();
    }

    /// The row the row under the cursor hangs below.
    pub(super) fn parent_row(&self) -> Option<usize> {
        let depth = self.selected()?.node.depth().checked_sub(1)?;
        self.rows.get(..self.list.at)?.iter().rposition(|row| row.node.depth() == depth)
    }

    /// Makes the rows anew; the cursor stays on what it was on, or at the top.
    pub(super) fn lay_out(&mut self) {
        let before = self.selected().filter(|_| self.list.at > 0).cloned();
        let mut scratch = Scratch::default();
        self.rows.clear();
        self.waiting = 0;
        let mut role = None;
        for at in 0..self.groups.len() {
            let mut rows = self.rows_of(at, &mut scratch);
            let Some(group) = self.groups.get(at).filter(|_| !rows.is_empty()) else { continue };
            let folded = self.filter.is_all() && self.folded.contains(&group.role);
            if role.as_ref() != Some(&group.role) {
                role = Some(group.role.clone());
                self.rows.push(role_row(at, group, folded));
            }
            if !folded {
                self.rows.append(&mut rows);
            }
        }
        let at = before.and_then(|before| self.rows.iter().position(|row| row.is(&before)));
        self.list.at = at.unwrap_or(self.list.at);
    }

    /// The rows of a class and what is unfolded below it, as far as they pass the filter.
    fn rows_of(&self, at: usize, scratch: &mut Scratch) -> Vec<AssociationRow> {
        let Some(group) = self.groups.get(at) else { return Vec::new() };
        let all = self.filter.is_all();
        let class = class_row(at, group);
        let class_passes = all || self.filter.matches(&class.text, scratch);
        let mut rows = Vec::new();
        if group.unfolded || !all {
            let told = telling(&group.ends);
            for (number, end) in group.ends.iter().enumerate() {
                let text = display::short_path(&end.path, &self.home, |key| told.contains(&key));
                if all || self.filter.matches(&text, scratch) {
                    let note = end.role.as_ref().map(|role| format!("as {}", display::safe(role.as_str())));
                    let node = AssociationNode::End(at, number);
                    rows.push(AssociationRow::new(node, group, text, note.unwrap_or_default(), Fold::Leaf));
                }
            }
        }
        if group.unfolded && all {
            rows.extend(told_row(at, group));
        }
        if class_passes || !rows.is_empty() {
            let fold = match (class.fold, rows.is_empty()) {
                (Fold::Closed, false) => Fold::Open,
                (fold, _) => fold,
            };
            rows.insert(0, AssociationRow { fold, ..class });
        }
        rows
    }
}

fn role_row(at: usize, group: &Group, folded: bool) -> AssociationRow {
    let text = match &group.role {
        Some(role) => format!("as {}", display::safe(role.as_str())),
        None => "in a role the paths do not tell".to_owned(),
    };
    let fold = if folded { Fold::Closed } else { Fold::Open };
    AssociationRow::new(AssociationNode::Role(at), group, text, String::new(), fold)
}

fn class_row(at: usize, group: &Group) -> AssociationRow {
    let (count, one, many) = match group.far {
        0 => (group.count, "association", "associations"),
        far => (far, "instance", "instances"),
    };
    let note = format!("{} {}", grouped(count as u64), if count == 1 { one } else { many });
    let fold = match (&group.load, group.unfolded) {
        (Load::Running(_), _) => Fold::Loading,
        (_, true) => Fold::Open,
        (_, false) => Fold::Closed,
    };
    AssociationRow::new(AssociationNode::Class(at), group, display::safe(group.class.as_str()), note, fold)
}

/// Why an unfolded class shows no far ends, or not all of them.
fn told_row(at: usize, group: &Group) -> Option<AssociationRow> {
    let more = group.far.saturating_sub(group.ends.len());
    let (text, note) = match &group.load {
        Load::Failed(error) => (display::safe(&error.cause()), format!("try: {}", display::safe(&error.hint))),
        Load::Cancelled(_) => ("cancelled".to_owned(), String::new()),
        Load::Running(_) => ("loading…".to_owned(), String::new()),
        Load::Idle | Load::Done if more > 0 => {
            (format!("{} more", grouped(more as u64)), "opening the class lists them all".to_owned())
        }
        Load::Idle | Load::Done if group.ends.is_empty() => ("nothing at the far end".to_owned(), String::new()),
        Load::Idle | Load::Done => return None,
    };
    Some(AssociationRow::new(AssociationNode::Told(at), group, text, note, Fold::Leaf))
}

/// The keys whose values differ between the far ends.
fn telling(ends: &[End]) -> Vec<&CimName> {
    let Some((first, others)) = ends.split_first() else { return Vec::new() };
    let differs = |name: &CimName, value: &KeyValue| {
        others.iter().any(|end| end.path.key(name.as_str()).is_some_and(|other| other != value))
    };
    first.path.keys.iter().filter(|key| differs(&key.name, &key.value)).map(|key| &key.name).collect()
}
