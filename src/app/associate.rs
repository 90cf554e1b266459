//! Following associations: the second tab of the detail pane and what its rows open.
//!
//! Owns: which trees are kept, which operations fill them, what enter and unfold do on their rows. Must not know how an
//! association's path is read ([`super::associations`]) or drawn.

use super::{
    AssociationNode, Associations, DetailTab, Effect, Fold, Load, Motion, Pane, Place, Source, State,
    apply::{Asked, What},
};
use crate::{
    cim::{
        CimName, ObjectPath,
        rows::{RowBatch, path_of},
    },
    op::{OpId, Operation, OperationKind, SessionId},
};

/// The most trees kept, so that going back to an instance, or to the row beside it, asks for nothing.
const TREES: usize = 8;

impl State {
    /// The tree of the instance in the detail pane while its associations are shown; `None` if it was not read.
    pub fn associations(&self) -> Option<&Associations> {
        let at = self.tree_shown()?;
        self.trees.get(at)
    }

    fn tree_shown(&self) -> Option<usize> {
        if self.detail.tab != DetailTab::Associations {
            return None;
        }
        let (session, object) = (self.detail.place.as_ref()?.0, self.detail.path()?);
        self.tree_of(session, object)
    }

    fn tree_of(&self, session: SessionId, object: &ObjectPath) -> Option<usize> {
        self.trees.iter().position(|tree| tree.session == session && tree.object == *object)
    }

    pub(super) fn associations_mut(&mut self) -> Option<&mut Associations> {
        let at = self.tree_shown()?;
        self.trees.get_mut(at)
    }

    pub(super) fn tree_mut(&mut self, session: SessionId, object: &ObjectPath) -> Option<&mut Associations> {
        let at = self.tree_of(session, object)?;
        self.trees.get_mut(at)
    }

    /// Turns the detail pane to the associations of the instance, or back to its properties; reads them the first time.
    pub(super) fn show_associations(&mut self) {
        if self.focus == Pane::Detail && self.detail.tab == DetailTab::Associations {
            self.detail.tab = DetailTab::Properties;
            return;
        }
        let (Some((session, namespace)), Some(path)) = (self.detail.place.clone(), self.detail.path().cloned()) else {
            self.note(None, None, "a row without a path has no associations", "");
            return;
        };
        self.leave_place();
        self.focus = Pane::Detail;
        self.detail.tab = DetailTab::Associations;
        if self.associations().is_none_or(|tree| !matches!(tree.load, Load::Done | Load::Running(_))) {
            self.list_associations(false);
        }
        let source = self.table.as_ref().map(|table| table.source.clone());
        let place = self.place(session, namespace, source, Pane::Detail);
        self.remember(Place { path: Some(path), tab: DetailTab::Associations, ..place });
    }

    /// Reads the associations of the instance in the detail pane.
    pub(super) fn list_associations(&mut self, refresh: bool) {
        let (Some((session, home)), Some(object)) = (self.detail.place.clone(), self.detail.path().cloned()) else {
            return;
        };
        self.cancel_trees();
        let at = self.tree_of(session, &object).map(|at| self.trees.remove(at));
        self.trees.push(at.unwrap_or_else(|| Associations::new(session, object.clone(), home.clone())));
        let over = self.trees.len().saturating_sub(TREES);
        self.trees.drain(..over);
        // Paths alone: the properties of an association are seldom more than its ends, which its path holds already.
        let kind = OperationKind::ReferenceInstances { object: object.clone(), result_class: None, role: None };
        let mut operation = Operation::new(kind);
        operation.options.keys_only = true;
        let what = What::References(object.clone(), Vec::new());
        let op = self.start(session, home, operation, what, refresh);
        if let Some(tree) = self.tree_mut(session, &object) {
            tree.begin(Load::Running(op));
        }
    }

    /// Cancels what is being read for any tree.
    fn cancel_trees(&mut self) {
        let of_tree = |asked: &Asked| matches!(asked.what, What::References(..) | What::FarEnds(..));
        let mut running = self.asked.iter().filter(|known| of_tree(known.1)).map(|known| *known.0).collect::<Vec<_>>();
        running.sort_unstable();
        self.effects.extend(running.into_iter().map(Effect::Cancel));
    }

    /// Fetches the far ends of the class under the cursor, which the paths of its associations do not tell.
    fn list_far_ends(&mut self) {
        let Some(tree) = self.associations() else { return };
        let (Some(associated), session) = (tree.wants_ends(), tree.session) else { return };
        let Some(home) = self.detail.place.as_ref().map(|place| place.1.clone()) else { return };
        self.cancel_trees();
        let (object, class) = (associated.object.clone(), associated.association.clone());
        let mut operation = Operation::new(associated.kind());
        operation.options.keys_only = true;
        let what = What::FarEnds(object.clone(), class.clone(), Vec::new());
        let op = self.start(session, home, operation, what, false);
        if let Some(tree) = self.tree_mut(session, &object) {
            tree.begin_ends(&class, Load::Running(op));
        }
    }

    /// Takes in the paths an operation sent for a tree.
    pub(super) fn paths_came(&mut self, op: OpId, batch: &RowBatch) {
        let most = self.limits.retained_rows;
        let Some(Asked { session, what, .. }) = self.asked.get(&op) else { return };
        let (object, shapes) = match what {
            What::References(object, shapes) | What::FarEnds(object, _, shapes) => (object, shapes),
            _ => return,
        };
        let paths = (0..batch.len()).filter_map(|row| {
            let shape = shapes.get(batch.shape(row).0 as usize)?;
            path_of(shape, batch, row)
        });
        let Some(tree) = self.trees.iter_mut().find(|tree| tree.session == *session && tree.object == *object) else {
            return;
        };
        let full = match what {
            What::References(..) if tree.load.operation() == Some(op) => tree.add(paths, most),
            What::FarEnds(_, class, _) if tree.load_of_ends(class).is_some_and(|load| load.operation() == Some(op)) => {
                tree.add_ends(class, paths, most)
            }
            _ => false,
        };
        if full {
            self.effects.push(Effect::Cancel(op));
        }
    }

    /// Enter on a row: a role folds, a class opens all its far ends in the table, a far end opens there among its like.
    pub(super) fn open_association(&mut self) {
        let Some(tree) = self.associations() else {
            self.list_associations(false);
            return;
        };
        let (source, end) = (tree.selected_source(), tree.selected_end().cloned());
        match (tree.selected().map(|row| row.node), source) {
            (Some(AssociationNode::Role(_)), _) => self.toggle_association(),
            (Some(_), Some(source)) => self.open_far_ends(source, end),
            (None, _) if !matches!(tree.load, Load::Done | Load::Running(_)) => self.list_associations(false),
            _ => {}
        }
    }

    fn open_far_ends(&mut self, source: Source, end: Option<ObjectPath>) {
        let Some((session, namespace)) = self.detail.place.clone() else { return };
        self.trail = self.trail_from_here();
        self.open_page(session, namespace, source, "");
        if let Some(table) = &mut self.table {
            table.want(session, end);
        }
    }

    /// Unfolds the row under the cursor; goes in where it is unfolded.
    pub(super) fn unfold_association(&mut self) {
        let Some(row) = self.associations().and_then(Associations::selected) else {
            self.open_association();
            return;
        };
        match row.fold {
            Fold::Open => self.go(Motion::Down),
            Fold::Closed => self.set_association_unfolded(true),
            Fold::Loading => {}
            Fold::Leaf => self.open_association(),
        }
    }

    /// Folds the row under the cursor, or goes to what it hangs below; false at the root.
    pub(super) fn fold_association(&mut self) -> bool {
        let Some(tree) = self.associations_mut() else { return false };
        if tree.selected().is_some_and(|row| row.fold == Fold::Open) && tree.filter().is_all() {
            tree.set_unfolded(false);
            return true;
        }
        match tree.parent_row() {
            Some(row) => {
                tree.list.at = row;
                true
            }
            None => false,
        }
    }

    pub(super) fn toggle_association(&mut self) {
        let fold = self.associations().and_then(Associations::selected).map(|row| row.fold);
        match fold {
            Some(Fold::Open) => self.set_association_unfolded(false),
            Some(Fold::Closed) => self.set_association_unfolded(true),
            _ => {}
        }
    }

    fn set_association_unfolded(&mut self, unfolded: bool) {
        if unfolded && self.associations().is_some_and(|tree| tree.wants_ends().is_some()) {
            self.list_far_ends();
        } else if let Some(tree) = self.associations_mut() {
            tree.set_unfolded(unfolded);
        }
    }

    /// The load an operation of a tree ends.
    pub(super) fn tree_load(&mut self, asked: &Asked) -> Option<&mut Load> {
        match &asked.what {
            What::References(object, _) => self.tree_mut(asked.session, object).map(|tree| &mut tree.load),
            What::FarEnds(object, class, _) => self.load_of_ends(asked.session, object, class),
            _ => None,
        }
    }

    fn load_of_ends(&mut self, session: SessionId, object: &ObjectPath, class: &CimName) -> Option<&mut Load> {
        self.tree_mut(session, object)?.load_of_ends(class)
    }
}
