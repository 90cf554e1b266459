//! What can be done here: palette, help, footer hints, titles, and what an empty pane says.
//!
//! Owns: where a command applies and why not elsewhere; all read from the registry and the state. Must not change anything.

use super::{
    COMMANDS, Classes, Command, CommandId, CommandRow, DetailTab, Filter, Fold, Hint, Layer, Load, Pane, SessionRow,
    State, apply::not_supported, display,
};

impl State {
    /// Why a command does not apply here; `None` if it does.
    pub fn greyed(&self, command: CommandId) -> Option<&'static str> {
        use CommandId as Id;
        let table = self.table.is_some();
        let instance = self.detail.instance().is_some() || self.table.as_ref().is_some_and(|table| table.shown() > 0);
        let classes = self.classes.is_some();
        let why = |fits: bool, why: &'static str| (!fits).then_some(why);
        match command {
            Id::Cancel => why(self.operations.running() > 0, "no operation runs"),
            Id::Back => why(self.history_at > 0, "there is nothing to go back to"),
            Id::Forward => why(self.history_at + 1 < self.history.len(), "there is nothing to go forward to"),
            Id::Sort | Id::ColumnLeft | Id::ColumnRight => why(table, "no table is open"),
            Id::Associations => why(self.detail.path().is_some(), "no instance is selected"),
            Id::Details => why(instance, "no instance is selected"),
            Id::ClassName => why(classes, "no namespace is open"),
            Id::Filter if self.focus == Pane::Operations => Some("operations have no filter"),
            Id::Filter if self.focus == Pane::Classes => why(classes, "no namespace is open"),
            Id::Filter if self.focus == Pane::Table => why(table, "no table is open"),
            Id::Mof | Id::CopyPath if self.focus == Pane::Classes => why(classes, "no namespace is open"),
            Id::Mof | Id::CopyPath | Id::CopyJson => why(instance, "no instance is selected"),
            Id::ErrorDetail => why(self.log.newest_problem().is_some(), "nothing went wrong"),
            Id::Pin => why(self.pin_offer(None).is_some(), "no refused certificate to pin"),
            Id::Tag => why(self.tag_here().is_some(), "the session has no tag"),
            Id::CloseSession | Id::TestSession => {
                let session = self.sessions.selected().and_then(SessionRow::session);
                why(session.is_some(), "no session is selected")
            }
            Id::NewSession | Id::NewFromPreset | Id::Import => why(!self.saved.is_broken(), BROKEN),
            Id::ConfirmCommand => self.unconfirmable(),
            Id::EditSession | Id::RenameSession | Id::DuplicateSession | Id::RemoveSession => self.unchangeable(),
            Id::UndoRemove => why(!self.removed.is_empty(), "nothing was removed"),
            Id::MoveUp | Id::MoveDown => self.unmovable(),
            _ => None,
        }
    }

    fn row_of(&self, command: &Command) -> CommandRow {
        CommandRow {
            id: command.id,
            title: command.title,
            description: command.description,
            keys: self.keymap.all(command.id),
            greyed: self.greyed(command.id),
        }
    }

    /// The rows of the palette: every command that fits what is typed, best first.
    pub fn palette_rows(&self) -> Vec<CommandRow> {
        let typed = match self.layers.last() {
            Some(Layer::Palette(layer)) => layer.input.text(),
            _ => "",
        };
        self.searched(typed, COMMANDS.iter().collect())
    }

    /// The rows of the help overlay: the pane's own commands, then those of everywhere, as far as they fit what is typed.
    pub fn help_rows(&self) -> Vec<CommandRow> {
        let Some(Layer::Help(layer)) = self.layers.iter().rev().find(|layer| matches!(layer, Layer::Help(_))) else {
            return Vec::new();
        };
        let mut here = COMMANDS.iter().filter(|command| command.scope.has(layer.pane)).collect::<Vec<_>>();
        here.sort_by_key(|command| matches!(command.scope, super::Scope::Anywhere));
        self.searched(layer.input.text(), here)
    }

    fn searched(&self, typed: &str, commands: Vec<&Command>) -> Vec<CommandRow> {
        if typed.trim().is_empty() {
            return commands.into_iter().map(|command| self.row_of(command)).collect();
        }
        let (filter, mut scratch) = (Filter::new(&format!("~{}", typed.trim())), super::Scratch::default());
        let mut found = commands
            .into_iter()
            .filter_map(|command| {
                let text = format!("{} {} {}", command.name, command.title, command.description);
                let keys = self.keymap.all(command.id);
                let exact = keys.split(", ").any(|keys| keys == typed.trim());
                let score = filter.score(&text, &mut scratch).map(|score| score + u32::from(exact) * 10_000);
                score.or(exact.then_some(10_000)).map(|score| (score, command))
            })
            .collect::<Vec<_>>();
        found.sort_by_key(|found| std::cmp::Reverse(found.0));
        found.into_iter().map(|(_, command)| self.row_of(command)).collect()
    }

    /// The five to seven keys worth knowing for what is under the cursor, most useful first.
    pub fn hints(&self) -> Vec<Hint> {
        if let Some(layer) = self.layers.last() {
            let mut hints = layer_hints(layer);
            if let Layer::Error(view) = layer
                && self.pin_offer(Some(view.entry)).is_some()
            {
                hints.insert(0, Hint { keys: "P".to_owned(), title: "pin", command: Some(CommandId::Pin) });
            }
            if let Layer::Timeline(view) = layer
                && !self.operations.get(view.op).is_some_and(super::OperationRow::is_running)
            {
                hints.retain(|hint| hint.title != "cancel");
            }
            return hints;
        }
        if !self.pending.is_empty() {
            let following = self.keymap.following(self.focus, &self.pending).into_iter();
            return following.map(|(keys, id)| Hint { keys, title: id.command().title, command: Some(id) }).collect();
        }
        let mut wanted = self.wanted_here();
        let running = [CommandId::Cancel].into_iter().filter(|_| self.operations.running() > 0);
        let failed =
            [CommandId::ErrorDetail, CommandId::Pin].into_iter().filter(|_| self.log.toasts().next().is_some());
        wanted.splice(
            1.min(wanted.len())..,
            running.chain(failed).chain(wanted.get(1..).unwrap_or_default().to_vec()).collect::<Vec<_>>(),
        );
        wanted.extend([CommandId::CommandLine, CommandId::Help, CommandId::Close]);
        let known = wanted.into_iter().filter(|id| self.greyed(*id).is_none());
        let hints = known.filter_map(|id| {
            Some(Hint { keys: self.keymap.first(id)?, title: self.hint_title(id), command: Some(id) })
        });
        hints.take(7).collect()
    }

    fn wanted_here(&self) -> Vec<CommandId> {
        use CommandId as Id;
        match self.focus {
            Pane::Sessions => match self.sessions.selected() {
                Some(SessionRow::Namespace(..)) => vec![Id::Open, Id::Filter, Id::Refresh],
                Some(SessionRow::Session(_)) => {
                    vec![
                        Id::Open,
                        Id::UndoRemove,
                        Id::EditSession,
                        Id::NewSession,
                        Id::Tag,
                        Id::RemoveSession,
                        Id::Filter,
                    ]
                }
                Some(SessionRow::Tag(_)) => vec![Id::Tag, Id::GroupByTag],
                _ => vec![Id::Open],
            },
            Pane::Classes => match self.classes.as_ref().and_then(|classes| classes.selected()) {
                Some(_) if self.classes.as_ref().is_some_and(Classes::is_bookmarks_alone) => {
                    vec![Id::Open, Id::ClassName, Id::Filter, Id::Refresh]
                }
                Some(row) if row.fold == Fold::Leaf => vec![Id::Open, Id::Filter, Id::Mof],
                Some(_) => vec![Id::Open, Id::Unfold, Id::Filter, Id::Mof],
                None if self.classes.is_some() => vec![Id::ClassName, Id::Filter, Id::Refresh],
                None => vec![Id::PaneSessions],
            },
            Pane::Table => match self.table.as_ref().map(|table| &table.source) {
                Some(source) if source.query().is_some() => {
                    vec![Id::Open, Id::Query, Id::Filter, Id::Sort, Id::Refresh]
                }
                Some(_) => vec![Id::Open, Id::Filter, Id::Sort, Id::Refresh, Id::Associations],
                None => vec![Id::PaneClasses],
            },
            Pane::Detail if self.detail.tab == DetailTab::Associations => {
                match self.associations().map(|tree| tree.rows().is_empty()) {
                    Some(false) => vec![Id::Open, Id::Unfold, Id::Associations, Id::Filter, Id::Refresh],
                    Some(true) => vec![Id::Refresh, Id::Associations],
                    None => vec![Id::Open, Id::Associations],
                }
            }
            Pane::Detail => vec![Id::Open, Id::Associations, Id::Filter, Id::Mof],
            Pane::Operations => vec![Id::Open, Id::Out],
        }
    }

    fn hint_title(&self, command: CommandId) -> &'static str {
        match (command, self.focus) {
            (CommandId::Open, Pane::Classes) => "instances",
            (CommandId::Associations, Pane::Detail) if self.detail.tab == DetailTab::Associations => "properties",
            (CommandId::Open, Pane::Detail) if self.detail.tab == DetailTab::Associations => {
                match self.associations() {
                    Some(tree) if tree.selected_end().is_some() => "open",
                    Some(tree) if tree.selected_source().is_some() => "open all",
                    Some(tree) if tree.selected().is_some() => "fold",
                    _ => "list them",
                }
            }
            (CommandId::Open, Pane::Detail) => "value",
            (CommandId::Open, Pane::Operations) => "timeline",
            (CommandId::Open, Pane::Sessions) if self.sessions.selected() == Some(&SessionRow::New) => "new session",
            (CommandId::Out, _) if !self.filter_text(self.focus).is_empty() => "clear filter",
            _ => command.command().title,
        }
    }

    /// The title of a pane: what it shows, how much, and how fetching it stands; escaped.
    pub fn title(&self, pane: Pane) -> String {
        let mut parts = Vec::new();
        match pane {
            Pane::Sessions => {
                parts.push("Sessions".to_owned());
                parts.extend(self.sessions.is_grouped().then(|| "by tag".to_owned()));
            }
            Pane::Classes => match &self.classes {
                None => parts.push("Classes".to_owned()),
                Some(classes) => {
                    parts.push(display::safe(classes.namespace.as_str()));
                    parts.push(match classes.is_flat() {
                        true => counted(classes.rows().len(), classes.total(), "class", "classes"),
                        false => "classes".to_owned(),
                    });
                    let load = if classes.is_flat() { &classes.all_load } else { classes.load() };
                    parts.extend(loading(load));
                }
            },
            Pane::Table => match &self.table {
                None => parts.push("Instances".to_owned()),
                Some(table) => {
                    parts.push(table.source.title());
                    parts.push(counted(table.shown(), table.total(), "row", "rows"));
                    if table.is_merged() {
                        let (answered, all) = (table.answered(), table.members().len());
                        parts.push(match answered == all {
                            true => counted(all, all, "session", "sessions"),
                            false => format!("{answered} of {all} sessions"),
                        });
                    }
                    parts.extend(table.is_untyped().then(|| "untyped".to_owned()));
                    parts.extend(table.incoming().map(|rows| format!("refreshing {}", grouped(rows as u64))));
                    parts.extend(table.capped.then(|| "capped".to_owned()));
                    parts.extend(table.stale.then(|| "of before the refresh".to_owned()));
                    let capped = table.capped && matches!(table.load, Load::Cancelled(_));
                    parts.extend(loading(&table.load).filter(|_| !capped));
                    self.shorten(&mut parts);
                }
            },
            Pane::Detail => self.detail_title(&mut parts),
            Pane::Operations => parts.push("Operations".to_owned()),
        }
        parts.join(" · ")
    }

    fn detail_title(&self, parts: &mut Vec<String>) {
        let class = self.detail.instance().map(|instance| display::safe(instance.class.as_str()));
        match (self.detail.tab, self.associations()) {
            (DetailTab::Properties, _) => {
                parts.push("Detail".to_owned());
                parts.extend(class);
                parts.extend(loading(&self.detail.load));
            }
            (DetailTab::Associations, tree) => {
                parts.push("Associations".to_owned());
                parts.extend(class);
                let read = tree.filter(|tree| tree.total() > 0);
                parts.extend(read.map(|tree| counted(tree.total(), tree.total(), "association", "associations")));
                parts.extend(tree.filter(|tree| tree.capped).map(|_| "capped".to_owned()));
                parts.extend(tree.and_then(|tree| loading(&tree.load)));
            }
        }
    }

    fn shows_failed_query(&self) -> bool {
        let is_query = |table: &&super::Table| table.source.query().is_some();
        self.table.as_ref().filter(is_query).is_some_and(|table| matches!(table.load, Load::Failed(_)))
    }

    /// Cuts the first part of the table's title so that the others fit beside it: a query may be long, how much it selects
    /// is still told.
    fn shorten(&self, parts: &mut [String]) {
        let width = self.layout().pane(Pane::Table).map_or(0, |area| usize::from(area.width));
        let Some((first, others)) = parts.split_first_mut() else { return };
        let taken = others.iter().map(|part| part.chars().count() + 3).sum::<usize>();
        *first = super::page::cut(first, width.saturating_sub(taken + TITLE_EDGE).max(12));
    }

    /// What an empty pane says: why it is empty and what to do next; `None` if it is not empty.
    pub fn empty_text(&self, pane: Pane) -> Option<String> {
        if self.rows(pane) > 0 && !(pane == Pane::Table && self.table.is_none()) {
            return None;
        }
        let key =
            |command| self.keymap.first(command).unwrap_or_else(|| format!(":{}", CommandId::command(command).name));
        if !self.filter_text(pane).is_empty() && self.load_of(pane).is_none_or(|load| !load.is_running()) {
            return Some(format!(
                "nothing matches {} ({} clears)",
                display::safe(self.filter_text(pane)),
                key(CommandId::Out)
            ));
        }
        let load = self.load_of(pane);
        if let (Pane::Detail, DetailTab::Associations, Some(Load::Failed(error))) = (pane, self.detail.tab, load)
            && not_supported(error)
        {
            return Some(NO_ASSOCIATIONS.to_owned());
        }
        if let Some(text) = load.and_then(|load| self.load_text(load)) {
            return Some(match (pane, &self.classes) {
                (Pane::Classes, Some(classes)) if classes.wants_typed_name() => self.or_by_name(&text),
                (Pane::Table, _) if self.shows_failed_query() => {
                    format!("{text} {} lets the query be corrected.", key(CommandId::Query))
                }
                _ => text,
            });
        }
        Some(match pane {
            Pane::Sessions => format!("{} adds a session", key(CommandId::NewSession)),
            Pane::Classes if self.classes.is_some() => NO_CLASSES.to_owned(),
            Pane::Classes => format!("{} on a namespace lists its classes", key(CommandId::Open)),
            Pane::Table => match &self.table {
                Some(table) => table.source.nothing(),
                None => format!("{} on a class lists its instances", key(CommandId::Open)),
            },
            Pane::Detail if self.detail.tab == DetailTab::Associations => match self.associations() {
                Some(_) => format!("This instance has no associations.\n{} asks again.", key(CommandId::Refresh)),
                None if self.detail.path().is_none() => "A row without a path has no associations.".to_owned(),
                None => format!("{} lists its associations", key(CommandId::Open)),
            },
            Pane::Detail => format!("{} on a row shows its properties", key(CommandId::Open)),
            Pane::Operations => "No operation ran yet, no connection is open.".to_owned(),
        })
    }

    /// What stands below the bookmarks where they are all there is: why the other classes are missing and what to do;
    /// `None` where nothing is missing.
    pub fn classes_missing(&self) -> Option<String> {
        let classes = self.classes.as_ref().filter(|classes| classes.is_bookmarks_alone())?;
        match classes.load() {
            // Where it failed is in the operations; the pane is narrow.
            Load::Failed(error) => {
                let cause = error.causes.first().map(|cause| display::safe(cause)).unwrap_or_default();
                let text = format!("{cause}\ntry: {}\n", display::safe(&error.hint));
                Some(self.or_by_name(&text))
            }
            Load::Done => Some(NO_CLASSES.to_owned()),
            load => self.load_text(load),
        }
    }

    fn or_by_name(&self, text: &str) -> String {
        let key = self.keymap.first(CommandId::ClassName).unwrap_or_else(|| ":class".to_owned());
        let gap = if text.ends_with('\n') { "" } else { " " };
        format!("{text}{gap}{key} opens a class by its name.")
    }

    fn load_of(&self, pane: Pane) -> Option<&Load> {
        match pane {
            Pane::Classes => {
                self.classes.as_ref().map(|classes| if classes.is_flat() { &classes.all_load } else { classes.load() })
            }
            Pane::Table => self.table.as_ref().map(|table| &table.load),
            Pane::Detail if self.detail.tab == DetailTab::Associations => self.associations().map(|tree| &tree.load),
            Pane::Detail => Some(&self.detail.load),
            Pane::Sessions | Pane::Operations => None,
        }
    }

    fn load_text(&self, load: &Load) -> Option<String> {
        let refresh = self.keymap.first(CommandId::Refresh).unwrap_or_else(|| ":refresh".to_owned());
        match load {
            Load::Running(_) => Some("loading…".to_owned()),
            Load::Failed(error) => Some(format!(
                "{}\ntry: {}\n{refresh} tries again.",
                display::safe(&error.cause()),
                display::safe(&error.hint)
            )),
            Load::Cancelled(_) => Some(format!("cancelled; {refresh} starts again.")),
            Load::Idle | Load::Done => None,
        }
    }

    /// The state of the connections for the footer: `idle, no connections`, or what runs.
    pub fn connection_status(&self) -> String {
        let (running, open) = (self.operations.running(), self.operations.open_connections());
        let connections = match open {
            0 => "no connections".to_owned(),
            1 => "1 connection".to_owned(),
            n => format!("{n} connections"),
        };
        match running {
            0 => format!("idle, {connections}"),
            1 => format!("1 operation, {connections}"),
            n => format!("{n} operations, {connections}"),
        }
    }
}

/// Why nothing can be saved.
pub(super) const BROKEN: &str = "the sessions file has a mistake: correct it and start lazycim again";

/// What an empty list of classes says.
const NO_CLASSES: &str = "This namespace has no classes.";

/// What the associations say of a server that does not follow them.
const NO_ASSOCIATIONS: &str = "This server does not follow associations (CIM_ERR_NOT_SUPPORTED).\ntry: open an association \
                               class from the classes; its instances name both ends";

/// The cells a title leaves free: the frame, a blank at each end, a spinner.
const TITLE_EDGE: usize = 6;

fn loading(load: &Load) -> Option<String> {
    match load {
        Load::Running(_) => Some("receiving".to_owned()),
        Load::Failed(_) => Some("failed".to_owned()),
        Load::Cancelled(_) => Some("cancelled".to_owned()),
        Load::Idle | Load::Done => None,
    }
}

/// `1,204 rows`, or `37 of 1,204`.
fn counted(shown: usize, total: usize, one: &str, many: &str) -> String {
    match (shown == total, total) {
        (true, 1) => format!("1 {one}"),
        (true, _) => format!("{} {many}", grouped(total as u64)),
        (false, _) => format!("{} of {}", grouped(shown as u64), grouped(total as u64)),
    }
}

/// A number with commas between its thousands.
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

fn layer_hints(layer: &Layer) -> Vec<Hint> {
    let hints: &[(&str, &'static str)] = match layer {
        Layer::Help(_) | Layer::Palette(_) => &[("enter", "do it"), ("up/down", "choose"), ("esc", "close")],
        Layer::CommandLine(_) => &[("enter", "open"), ("tab", "complete"), ("up/down", "history"), ("esc", "close")],
        Layer::Query(_) => &[("enter", "run"), ("tab", "language"), ("up/down", "history"), ("esc", "close")],
        Layer::Filter(_) => &[("enter", "keep"), ("esc", "undo"), ("!", "invert"), ("~", "fuzzy"), ("re:", "pattern")],
        Layer::ClassName(_) => &[("enter", "open"), ("esc", "close")],
        Layer::Secret(_) => &[("enter", "send"), ("ctrl-k", "keep"), ("esc", "decline")],
        Layer::Form(form) if form.picker.is_some() => &[("enter", "choose"), ("j/k", "move"), ("esc", "back")],
        Layer::Form(_) => &[
            ("ctrl-s", "save"),
            ("ctrl-t", "test"),
            ("enter", "pick"),
            ("f1", "keys"),
            ("esc", "leave"),
            ("tab", "next"),
            ("pgdn", "section"),
        ],
        Layer::Presets(_) => &[("enter", "choose"), ("j/k", "move"), ("esc", "close")],
        Layer::Rename(_) => &[("enter", "rename"), ("esc", "close")],
        Layer::Question(_) => &[("y", "yes"), ("n", "no")],
        Layer::Conflict(_) => &[("enter", "do it"), ("left/right", "choose"), ("j/k", "scroll"), ("esc", "back")],
        Layer::Error(_) => &[("y", "copy"), ("j/k", "scroll"), ("esc", "close")],
        Layer::Timeline(_) => &[("x", "cancel"), ("j/k", "scroll"), ("esc", "close")],
        Layer::Text(_) => &[("y", "copy"), ("j/k", "scroll"), ("esc", "close")],
        Layer::SessionList(_) => {
            &[("enter", "go to it"), ("X", "close"), ("p", "test"), ("y", "copy instance id"), ("esc", "close")]
        }
        Layer::Log(_) => &[("enter", "details"), ("j/k", "move"), ("esc", "close")],
        Layer::ConfirmQuit(_) => &[("y", "quit"), ("n", "stay")],
        Layer::ConfirmDanger(_) => &[("y", "read it"), ("n", "leave it")],
        Layer::ConfirmPin(_) => &[("y", "pin"), ("n", "refuse")],
    };
    hints.iter().map(|(keys, title)| Hint { keys: (*keys).to_owned(), title, command: None }).collect()
}
