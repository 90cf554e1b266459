//! Cursors: moving them, clicking, scrolling, and keeping them where they can be seen.
//!
//! Owns: the motions of every pane and what follows from them without an operation: the detail pane shows the row under the
//! table's cursor. Must not start anything.

use super::{DetailTab, Effect, ListCursor, Motion, Pane, State};

impl State {
    /// How many rows a pane lists.
    pub fn rows(&self, pane: Pane) -> usize {
        match pane {
            Pane::Sessions => self.sessions.rows().len(),
            Pane::Classes => self.classes.as_ref().map_or(0, |classes| classes.rows().len()),
            Pane::Table => self.table.as_ref().map_or(0, super::Table::shown),
            Pane::Detail if self.detail.tab == DetailTab::Associations => {
                self.associations().map_or(0, |tree| tree.rows().len())
            }
            Pane::Detail => self.detail.rows().len(),
            Pane::Operations => self.operations.len(),
        }
    }

    /// How many rows of its list a pane shows at once.
    fn list_height(&self, pane: Pane) -> usize {
        let height = self.layout().rows(pane);
        let told = self.table.as_ref().filter(|_| pane == Pane::Table).map_or(0, |table| table.trouble_lines(height));
        height - told
    }

    fn list_mut(&mut self, pane: Pane) -> Option<&mut ListCursor> {
        match pane {
            Pane::Sessions => Some(&mut self.sessions.list),
            Pane::Classes => self.classes.as_mut().map(|classes| &mut classes.list),
            Pane::Table => None,
            Pane::Detail if self.detail.tab == DetailTab::Associations => {
                self.associations_mut().map(|tree| &mut tree.list)
            }
            Pane::Detail => Some(&mut self.detail.list),
            Pane::Operations => Some(&mut self.operations.list),
        }
    }

    pub(super) fn go(&mut self, motion: Motion) {
        let (pane, len, height) = (self.focus, self.rows(self.focus), self.list_height(self.focus));
        match (&mut self.table, pane) {
            (Some(table), Pane::Table) => table.go(motion, height),
            _ => self.list_mut(pane).into_iter().for_each(|list| list.go(motion, len, height)),
        }
    }

    /// As [`State::go`], from the last row to the first and back.
    pub(super) fn go_around(&mut self, motion: Motion) {
        let at = match (&self.table, self.focus) {
            (Some(table), Pane::Table) => table.cursor().at,
            (_, pane) => self.list_mut(pane).map_or(0, |list| list.at),
        };
        self.go(match motion {
            Motion::Down if at + 1 >= self.rows(self.focus) => Motion::First,
            Motion::Up if at == 0 => Motion::Last,
            other => other,
        });
    }

    pub(super) fn select(&mut self, pane: Pane, row: usize) {
        let (len, height) = (self.rows(pane), self.list_height(pane));
        match (&mut self.table, pane) {
            (Some(table), Pane::Table) => table.select(row, height),
            _ => self.list_mut(pane).into_iter().for_each(|list| {
                list.at = row;
                list.settle(len, height);
            }),
        }
    }

    pub(super) fn step_column(&mut self, by: isize) {
        if let Some(table) = &mut self.table {
            table.step_column(by);
        }
    }

    pub(super) fn step_pane(&mut self, by: isize) {
        let at = (self.focus as isize + by).rem_euclid(Pane::ALL.len() as isize);
        self.focus = Pane::ALL.get(at as usize).copied().unwrap_or_default();
    }

    pub(super) fn click(&mut self, x: u16, y: u16, double: bool) {
        if !self.layers.is_empty() {
            return;
        }
        let layout = self.layout();
        let Some((pane, area)) = layout.pane_at(x, y).and_then(|pane| Some((pane, layout.pane(pane)?))) else { return };
        self.focus = pane;
        let inner = area.inner();
        let heading = u16::from(pane == Pane::Table);
        if !inner.contains(x, y) || y < inner.y + heading {
            return;
        }
        let offset = match (&self.table, pane) {
            (Some(table), Pane::Table) => table.cursor().offset,
            _ => self.list_mut(pane).map_or(0, |list| list.offset),
        };
        let row = offset + usize::from(y - inner.y - heading);
        if row < self.rows(pane) {
            self.select(pane, row);
            if double {
                self.open_selected();
            }
        }
    }

    pub(super) fn scroll(&mut self, x: u16, y: u16, lines: isize) {
        if !self.layers.is_empty() {
            self.scroll_layer(lines);
            return;
        }
        let layout = self.layout();
        let Some(pane) = layout.pane_at(x, y) else { return };
        let (len, height) = (self.rows(pane), self.list_height(pane));
        match (&mut self.table, pane) {
            (Some(table), Pane::Table) => table.scroll(lines, height),
            _ => self.list_mut(pane).into_iter().for_each(|list| list.scroll(lines, len, height)),
        }
    }

    /// Puts every cursor where it can be seen and lets the detail pane follow the table.
    pub(super) fn settle(&mut self) {
        self.show_prompt();
        let layout = self.layout();
        for pane in Pane::ALL {
            let (len, height) = (self.rows(pane), self.list_height(pane));
            match (&mut self.table, pane) {
                (Some(table), Pane::Table) => {
                    table.settle(height);
                    let width = layout.pane(pane).map_or(0, |area| area.inner().width);
                    table.show_column(width);
                }
                _ => self.list_mut(pane).into_iter().for_each(|list| list.settle(len, height)),
            }
            // What the detail pane lists follows from the table's cursor, and comes after it.
            if pane == Pane::Table {
                self.follow_table();
            }
        }
        self.settle_layers();
    }

    /// Shows the row under the table's cursor in the detail pane, from what the table keeps.
    fn follow_table(&mut self) {
        let Some(table) = &mut self.table else { return };
        if !table.selection_changed() {
            return;
        }
        let place = table.selected_place();
        self.detail.projected = table.source.query().is_some();
        let selected = table.selected();
        let here = self.detail.place.as_ref().is_some_and(|shown| shown.0 == place.0);
        let same = selected.as_ref().is_some_and(|row| row.path.is_some() && row.path.as_ref() == self.detail.path());
        let same = same && (here || !table.is_merged());
        if !same {
            if let Some(op) = self.detail.load.operation() {
                self.effects.push(Effect::Cancel(op));
            }
            self.detail.load = super::Load::Idle;
        }
        match selected {
            Some(instance) => {
                let class = self.class_of(place.0, &place.1, &instance.class);
                self.detail.show(place, instance, class, false);
            }
            None => self.detail.clear(),
        }
    }
}
