//! What actions do to the state.
//!
//! Owns: [`State::act`] and the commands of the panes. Must not know which key or click meant an action.

use std::time::Duration;

use super::{
    Action, CommandId, ConfirmQuit, DetailTab, Effect, ErrorView, FilterPrompt, Fold, Help, Layer, Level, LineEdit,
    ListCursor, Motion, Palette, Pane, SessionRow, State, TextView, TimelineView, display,
};
use crate::cim::{CimName, CimType};

impl State {
    /// Does what the user means; the answer is the work to be done outside.
    pub fn act(&mut self, action: Action) -> Vec<Effect> {
        self.perform(action);
        self.settle();
        std::mem::take(&mut self.effects)
    }

    /// Takes the time in, on a clock that began at the start and never goes back.
    pub fn tick(&mut self, now: Duration) {
        self.now = self.now.max(now);
        self.log.tick(self.now);
    }

    /// Takes the size of the screen in, in cells.
    pub fn resize(&mut self, width: u16, height: u16) {
        self.size = (width, height);
        self.settle();
    }

    /// Does a slice of filtering and sorting, a few milliseconds long; true if more is left.
    pub fn work(&mut self) -> bool {
        let more = self.table.as_mut().is_some_and(super::Table::work);
        self.settle();
        more
    }

    fn perform(&mut self, action: Action) {
        match action {
            Action::Do(command) => self.command(command),
            Action::Click { x, y, double } => self.click(x, y, double),
            Action::Spot { spot, double } => self.click_spot(spot, double),
            Action::Scroll { x, y, lines } => self.scroll(x, y, lines),
            Action::SortBy(column) => self.table.iter_mut().for_each(|table| table.sort_by(column)),
            Action::Crumb(at) => {
                if let Some(crumb) = self.breadcrumbs().get(at) {
                    match crumb.stop {
                        Some(stop) => self.return_to(stop),
                        None => self.focus = crumb.pane,
                    }
                }
            }
            Action::Select { pane, row } => {
                self.focus = pane;
                self.select(pane, row);
            }
            Action::Line(line) => {
                if let Err(error) = self.obey(&line) {
                    self.log_text(Level::Error, None, None, &error, "");
                }
            }
            Action::SecretLength(length) => {
                if let Some(Layer::Secret(prompt)) = self.layers.last_mut() {
                    prompt.length = length;
                }
            }
            Action::ToggleKeep => self.toggle_keep(),
            Action::KeyringAnswered(answered) => self.keyring_answered(answered),
            Action::SecretKept { session, kept } => self.secret_kept(session, kept),
            Action::SecretSubmitted => self.answer_prompt(true),
            Action::SecretDeclined => self.answer_prompt(false),
            Action::Live(told) => self.told_of_live(&told),
            Action::Changed(changed) => self.changed(*changed),
            Action::Notice(text) => self.note(None, None, &text, ""),
            Action::Problem { cause, hint } => self.log_text(Level::Error, None, None, &cause, &hint),
        }
    }

    fn answer_prompt(&mut self, given: bool) {
        let Some(Layer::Secret(prompt)) = self.layers.last() else { return };
        let (session, keep) = (prompt.session, prompt.keep && given);
        self.layers.pop();
        self.keep_when_accepted(session, keep);
        self.operations.secret_given(session);
        self.deafen_form();
        if !given {
            self.effects.push(Effect::GiveSecret { session, secret: None });
        }
    }

    /// Does a command, whether or not its keys are heard here.
    pub(super) fn command(&mut self, command: CommandId) {
        use CommandId as Id;
        if let Some(why) = self.greyed(command) {
            self.note(None, None, &format!("{}: {why}", command.command().name), "");
            return;
        }
        match command {
            Id::Up => self.go(Motion::Up),
            Id::Down => self.go(Motion::Down),
            Id::HalfUp => self.go(Motion::HalfUp),
            Id::HalfDown => self.go(Motion::HalfDown),
            Id::PageUp => self.go(Motion::PageUp),
            Id::PageDown => self.go(Motion::PageDown),
            Id::First => self.go(Motion::First),
            Id::Last => self.go(Motion::Last),
            Id::NextMatch => self.go_around(Motion::Down),
            Id::PreviousMatch => self.go_around(Motion::Up),
            Id::ColumnLeft => self.step_column(-1),
            Id::ColumnRight => self.step_column(1),
            Id::Open | Id::Enter | Id::Details => self.open_selected(),
            Id::Unfold => self.unfold(),
            Id::Fold => self.fold(),
            Id::Toggle => self.toggle(),
            Id::Out | Id::Leave => self.out(),
            Id::NextPane => self.step_pane(1),
            Id::PreviousPane => self.step_pane(-1),
            Id::PaneSessions => self.focus = Pane::Sessions,
            Id::PaneClasses => self.focus = Pane::Classes,
            Id::PaneTable => self.focus = Pane::Table,
            Id::PaneDetail => self.focus = Pane::Detail,
            Id::PaneOperations => self.focus = Pane::Operations,
            Id::Zoom => self.zoomed = !self.zoomed,
            Id::Back => self.travel(-1),
            Id::Forward => self.travel(1),
            Id::Refresh => self.refresh(),
            Id::Sort => self.table.iter_mut().for_each(|table| table.sort_by(table.column)),
            Id::Cancel => self.cancel(),
            Id::Interrupt => self.interrupt(),
            Id::Close => self.close(),
            Id::Quit => self.quit(),
            Id::Redraw => self.effects.push(Effect::Redraw),
            Id::Suspend => self.effects.push(Effect::Suspend),
            Id::CloseSession => self.close_selected_session(),
            Id::TestSession => self.test_selected_session(),
            Id::Pin => self.confirm_pin(None),
            Id::Tag => self.tag_line(),
            Id::Mof => self.show_mof(),
            Id::Associations => self.show_associations(),
            Id::CopyValue | Id::CopyPath | Id::CopyPowerShell | Id::CopyJson | Id::CopyCommand => self.copy(command),
            _ if self.arrange(command) => {}
            _ => self.open_layer(command),
        }
    }

    fn open_layer(&mut self, command: CommandId) {
        let layer = match command {
            CommandId::Filter => self.filter_prompt(),
            CommandId::CommandLine => Layer::CommandLine(super::CommandLine::default()),
            CommandId::Query => match self.query_prompt() {
                Some(prompt) => Layer::Query(prompt),
                None => return,
            },
            CommandId::Palette => Layer::Palette(Palette::default()),
            CommandId::Help => {
                Layer::Help(Help { pane: self.focus, input: LineEdit::default(), list: ListCursor::default() })
            }
            CommandId::ClassName => Layer::ClassName(LineEdit::default()),
            CommandId::SessionList => Layer::SessionList(ListCursor::default()),
            CommandId::Import | CommandId::Export => self.exchange_line(command),
            CommandId::Log => {
                // The newest is on top.
                Layer::Log(ListCursor::default())
            }
            CommandId::ErrorDetail => match self.log.newest_problem() {
                Some(entry) => Layer::Error(ErrorView { entry: entry.number, offset: 0 }),
                None => return,
            },
            _ => return,
        };
        self.layers.push(layer);
    }

    fn filter_prompt(&mut self) -> Layer {
        if self.focus == Pane::Classes {
            self.fetch_all_names(false);
        }
        let before = self.filter_text(self.focus).to_owned();
        Layer::Filter(FilterPrompt { pane: self.focus, input: LineEdit::new(&before), before })
    }

    /// The filter of a pane as typed.
    pub fn filter_text(&self, pane: Pane) -> &str {
        match pane {
            Pane::Sessions => self.sessions.filter().text(),
            Pane::Classes => self.classes.as_ref().map_or("", |classes| classes.filter().text()),
            Pane::Table => self.table.as_ref().map_or("", |table| table.filter().text()),
            Pane::Detail if self.detail.tab == DetailTab::Associations => {
                self.associations().map_or("", |tree| tree.filter().text())
            }
            Pane::Detail => self.detail.filter().text(),
            Pane::Operations => "",
        }
    }

    pub(super) fn set_filter(&mut self, pane: Pane, text: &str) {
        match pane {
            Pane::Sessions => self.sessions.set_filter(text),
            Pane::Classes => self.classes.iter_mut().for_each(|classes| classes.set_filter(text)),
            Pane::Table => self.table.iter_mut().for_each(|table| table.set_filter(text)),
            Pane::Detail if self.detail.tab == DetailTab::Associations => {
                self.associations_mut().into_iter().for_each(|tree| tree.set_filter(text));
            }
            Pane::Detail => self.detail.set_filter(text),
            Pane::Operations => {}
        }
    }

    pub(super) fn open_selected(&mut self) {
        match self.focus {
            Pane::Sessions => match self.sessions.selected().cloned() {
                Some(SessionRow::Session(_)) => match self.saved_under_cursor().cloned() {
                    Some(id) if self.waits_for_confirmation(&id) => self.ask_to_confirm(&id),
                    _ => self.toggle(),
                },
                Some(SessionRow::Namespace(session, namespace)) => self.visit_namespace(session, namespace),
                Some(SessionRow::New) => self.open_form(None, None),
                Some(SessionRow::Tag(_)) => self.tag_line(),
                None => {}
            },
            Pane::Classes => {
                let Some(classes) = &self.classes else { return };
                match classes.selected() {
                    Some(row) => {
                        let (session, namespace) = (classes.session, classes.namespace.clone());
                        let class = row.name.clone();
                        self.open_class(session, namespace, class, "");
                    }
                    None if classes.wants_typed_name() => self.open_layer(CommandId::ClassName),
                    None => {}
                }
            }
            Pane::Table => {
                let Some(table) = &self.table else { return };
                let (session, namespace) = table.selected_place();
                match table.selected_path() {
                    Some(path) => self.open_instance(session, namespace, path),
                    None => self.focus = Pane::Detail,
                }
            }
            Pane::Detail if self.detail.tab == DetailTab::Associations => self.open_association(),
            Pane::Detail => self.show_value(),
            Pane::Operations => {
                if let Some(op) = self.operations.selected().map(|row| row.id) {
                    self.layers.push(Layer::Timeline(TimelineView { op, offset: 0 }));
                }
            }
        }
    }

    fn show_value(&mut self) {
        let (Some(row), Some(value)) = (self.detail.selected(), self.detail.selected_value()) else { return };
        let instance = self.detail.instance();
        let ty = instance.and_then(|known| known.property(row.property.as_str())).map(|property| property.value.ty);
        let mut lines = display::value_lines(value, ty.unwrap_or(CimType::String));
        if !row.description.is_empty() {
            lines.extend([String::new(), row.description.clone()]);
        }
        let raw = super::copy::value_raw(value, ty.unwrap_or(CimType::String));
        let title = format!("{} {}", row.name, row.ty);
        self.layers.push(Layer::Text(TextView::new(title, lines, raw)));
    }

    fn unfold(&mut self) {
        match self.focus {
            Pane::Sessions => match self.sessions.selected().cloned() {
                Some(SessionRow::Session(id)) if self.sessions.get(id).is_some_and(|known| known.unfolded) => {
                    self.go(Motion::Down);
                }
                _ => self.open_selected(),
            },
            Pane::Classes => match self.class_under_cursor() {
                Some((_, Fold::Leaf)) => self.open_selected(),
                Some((_, Fold::Open)) => self.go(Motion::Down),
                Some((name, Fold::Closed)) => self.unfold_class(name),
                _ => {}
            },
            Pane::Detail if self.detail.tab == DetailTab::Associations => self.unfold_association(),
            _ => self.open_selected(),
        }
    }

    fn class_under_cursor(&self) -> Option<(CimName, Fold)> {
        let row = self.classes.as_ref()?.selected()?;
        Some((row.name.clone(), row.fold))
    }

    fn unfold_class(&mut self, class: CimName) {
        let Some(classes) = &mut self.classes else { return };
        let known = classes.below(Some(&class)).is_some_and(|below| matches!(below.load, super::Load::Done));
        match known {
            true => classes.set_unfolded(&class, true),
            false => self.list_subclasses(Some(class), false),
        }
    }

    fn fold(&mut self) {
        match (self.focus, self.sessions.selected().cloned()) {
            (Pane::Sessions, Some(SessionRow::Namespace(id, _))) => self.sessions.select(&SessionRow::Session(id)),
            (Pane::Sessions, Some(SessionRow::Session(id))) => self.set_session_unfolded(id, false),
            (Pane::Classes, _) => match (self.class_under_cursor(), &mut self.classes) {
                (Some((name, Fold::Open)), Some(classes)) => classes.set_unfolded(&name, false),
                (_, Some(classes)) => match classes.parent_row() {
                    Some(row) => classes.list.at = row,
                    None => self.focus = Pane::Sessions,
                },
                (_, None) => self.focus = Pane::Sessions,
            },
            (Pane::Detail, _) if self.detail.tab == DetailTab::Associations && self.fold_association() => {}
            (Pane::Detail, _) => self.out(),
            _ => {}
        }
    }

    fn set_session_unfolded(&mut self, id: crate::op::SessionId, unfolded: bool) {
        if let Some(session) = self.sessions.get_mut(id) {
            session.unfolded = unfolded;
        }
        self.sessions.lay_out();
    }

    fn toggle(&mut self) {
        match (self.focus, self.sessions.selected().cloned()) {
            (Pane::Sessions, Some(SessionRow::Session(id))) => {
                let Some(session) = self.sessions.get(id) else { return };
                let known = matches!(session.load, super::Load::Done | super::Load::Running(_));
                match (session.unfolded, known) {
                    (true, true) => self.set_session_unfolded(id, false),
                    (false, true) => self.set_session_unfolded(id, true),
                    (_, false) => self.list_namespaces(id, false),
                }
            }
            (Pane::Classes, _) => match (self.class_under_cursor(), &mut self.classes) {
                (Some((name, Fold::Open)), Some(classes)) => classes.set_unfolded(&name, false),
                (Some((name, Fold::Closed)), _) => self.unfold_class(name),
                _ => {}
            },
            (Pane::Detail, _) => self.toggle_association(),
            _ => {}
        }
    }

    /// Clears the filter; without one, goes one level out.
    fn out(&mut self) {
        if !self.filter_text(self.focus).is_empty() {
            self.set_filter(self.focus, "");
            return;
        }
        if self.focus == Pane::Detail && self.detail.tab == DetailTab::Associations {
            self.detail.tab = DetailTab::Properties;
            return;
        }
        if let (Pane::Table, Some(last)) = (self.focus, self.trail.len().checked_sub(1)) {
            self.return_to(last);
            return;
        }
        self.focus = match self.focus {
            Pane::Sessions => {
                self.fold();
                Pane::Sessions
            }
            Pane::Classes => Pane::Sessions,
            Pane::Table => Pane::Classes,
            Pane::Detail if self.table.is_some() => Pane::Table,
            Pane::Detail => Pane::Classes,
            Pane::Operations if self.table.is_some() => Pane::Table,
            Pane::Operations if self.classes.is_some() => Pane::Classes,
            Pane::Operations => Pane::Sessions,
        };
    }

    fn refresh(&mut self) {
        match self.focus {
            Pane::Sessions => {
                let selected = self.sessions.selected().cloned();
                if let Some(SessionRow::Session(id) | SessionRow::Namespace(id, _)) = selected {
                    self.list_namespaces(id, true);
                }
            }
            Pane::Classes => self.refresh_classes(),
            Pane::Table => self.refresh_table(),
            Pane::Detail if self.detail.tab == DetailTab::Associations => self.list_associations(true),
            Pane::Detail => {
                let place = self.detail.place.clone();
                if let (Some((session, namespace)), Some(path)) = (place, self.detail.path().cloned()) {
                    self.get_instance(session, namespace, path, true);
                }
            }
            Pane::Operations => {}
        }
    }

    /// Lists again what the row under the cursor is part of: its subclasses if they are shown, else those of its superclass.
    fn refresh_classes(&mut self) {
        let Some(classes) = &self.classes else { return };
        if classes.is_flat() {
            self.fetch_all_names(true);
            return;
        }
        let parent = match self.class_under_cursor() {
            Some((name, Fold::Open)) => Some(name),
            _ => classes.parent_row().and_then(|row| classes.rows().get(row)).map(|row| row.name.clone()),
        };
        self.list_subclasses(parent, true);
    }

    fn cancel(&mut self) {
        let selected = self.operations.selected().filter(|row| self.focus == Pane::Operations && row.is_running());
        if self.focus == Pane::Table && self.table.as_ref().is_some_and(|table| table.load.is_running()) {
            self.cancel_rows();
            return;
        }
        let of_pane = match self.focus {
            Pane::Detail => {
                let of_tree = self.associations().and_then(super::Associations::operation);
                of_tree.or_else(|| self.detail.load.operation())
            }
            _ => None,
        };
        let newest = || self.operations.newest_running().map(|row| row.id);
        if let Some(op) = selected.map(|row| row.id).or(of_pane).or_else(newest) {
            self.effects.push(Effect::Cancel(op));
        }
    }

    pub(super) fn interrupt(&mut self) {
        match self.layers.last() {
            Some(Layer::ConfirmQuit(_)) => self.quit(),
            Some(Layer::Secret(_)) => self.answer_prompt(false),
            Some(_) => {
                self.close_layer();
            }
            None if self.operations.running() > 0 => self.cancel(),
            None => self.layers.push(Layer::ConfirmQuit(ConfirmQuit::default())),
        }
    }

    /// Closes the topmost layer, undoing what it previewed; false if there is none.
    pub(super) fn close_layer(&mut self) -> bool {
        match self.layers.last() {
            None => return false,
            Some(Layer::Secret(_)) => {
                self.answer_prompt(false);
                return true;
            }
            Some(Layer::Form(_)) => {
                self.leave_form();
                return true;
            }
            Some(Layer::Filter(prompt)) => {
                let (pane, before) = (prompt.pane, prompt.before.clone());
                self.set_filter(pane, &before);
            }
            Some(_) => {}
        }
        self.layers.pop();
        true
    }

    fn close(&mut self) {
        if self.close_layer() {
            return;
        }
        match self.operations.running() {
            0 => self.quit(),
            _ => self.layers.push(Layer::ConfirmQuit(ConfirmQuit::default())),
        }
    }

    pub(super) fn quit(&mut self) {
        self.quitting = true;
        self.effects.push(Effect::Quit);
    }
}
