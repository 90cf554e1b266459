//! The views: the state as cells on a screen, one file per pane.
//!
//! Owns: what the screen looks like at every size. Must not know: the engine, the terminal, async. A view takes `&State`, a
//! theme and a buffer, and draws only what is visible.

pub mod associations;
pub mod chrome;
pub mod classes;
pub mod commands;
pub mod detail;
pub mod dialogs;
pub mod form;
pub mod lines;
pub mod live;
pub mod log;
pub mod operations;
pub mod paint;
pub mod questions;
pub mod sessions;
pub mod table;
pub mod text;
pub mod timeline;

use ratatui::{
    buffer::Buffer,
    layout::{Position, Rect},
    style::Style,
    text::{Line, Span},
};

use self::paint::{Brush, rect};
use super::theme::Theme;
use crate::{
    app::{Layer, Pane, Spot, State},
    cim::CimName,
};

/// Paints the whole screen; the answer is where the cursor stands, if a field has it.
pub fn paint(state: &State, theme: &Theme, buffer: &mut Buffer) -> Option<Position> {
    let mut brush = Brush { buffer, theme, spots: Vec::new() };
    paint_all(&mut brush, state)
}

/// The place of the topmost layer at a cell of the screen, if it is one to click: where painting puts it.
pub fn spot_at(state: &State, theme: &Theme, x: u16, y: u16) -> Option<Spot> {
    let (width, height) = state.size();
    let mut buffer = Buffer::empty(Rect::new(0, 0, width, height));
    let mut brush = Brush { buffer: &mut buffer, theme, spots: Vec::new() };
    paint_all(&mut brush, state);
    let at = brush.spots.iter().rev().find(|(area, _)| area.contains(Position { x, y }));
    at.map(|(_, spot)| *spot)
}

fn paint_all(brush: &mut Brush<'_>, state: &State) -> Option<Position> {
    let (screen, theme) = (brush.buffer.area, brush.theme);
    brush.clear(screen);
    let layout = state.layout();
    if layout.too_small || (screen.width, screen.height) != state.size() {
        let text = format!("{}x{} is too small", screen.width, screen.height);
        brush.notice(screen, &[(&text, theme.roles.warning), ("make the window larger", theme.roles.dim)]);
        return None;
    }
    chrome::header(brush, rect(layout.header), state);
    for pane in Pane::ALL {
        if let Some(area) = layout.pane(pane) {
            paint_pane(brush, rect(area), state, pane);
        }
    }
    if let Some(area) = layout.newest {
        operations::newest(brush, rect(area), state);
    }
    chrome::footer(brush, rect(layout.footer), state);
    let mut cursor = None;
    for layer in state.layers() {
        // Only the topmost one is clicked.
        brush.spots.clear();
        cursor = paint_layer(brush, screen, state, layer);
    }
    // The pages of errors tell more than their toasts would, and a question must be seen whole.
    let whole = matches!(
        state.layer(),
        Some(
            Layer::Error(_)
                | Layer::Log(_)
                | Layer::ConfirmPin(_)
                | Layer::ConfirmDanger(_)
                | Layer::Conflict(_)
                | Layer::Form(_)
        )
    );
    if !whole {
        chrome::toasts(brush, screen, state);
    }
    let choices = state.which_key();
    if !choices.is_empty() {
        let prefix = crate::app::chord_text(state.pending());
        let choices = choices.into_iter().map(|(keys, told)| (keys, told.to_owned())).collect::<Vec<_>>();
        commands::which_key(brush, screen, &prefix, &choices);
    }
    cursor
}

fn paint_pane(brush: &mut Brush<'_>, area: Rect, state: &State, pane: Pane) {
    let focused = state.focus() == pane && state.layers().is_empty();
    let now = state.now();
    let title = title(brush, state, pane);
    let inner = brush.frame(area, focused, title, operations::frame_note(brush.theme, state, pane));
    if empty(brush, inner, state, pane) {
        return;
    }
    match pane {
        Pane::Sessions => {
            let current = state.classes().map(|classes| (classes.session, &classes.namespace));
            sessions::paint(brush, area, state.sessions(), &sessions::Here { focused, current, now });
        }
        Pane::Classes => {
            let open = state.table().and_then(|table| table.source.class()).map(CimName::as_str);
            if let Some(classes) = state.classes() {
                classes::paint(brush, area, classes, open, focused, now);
                let missing = state.classes_missing();
                missing.into_iter().for_each(|told| below(brush, inner, classes.rows().len(), &told));
            }
        }
        Pane::Table => {
            if let Some(table) = state.table() {
                table::paint(brush, area, table, focused);
            }
        }
        Pane::Detail => match state.associations() {
            Some(tree) => associations::paint(brush, area, tree, focused, now),
            None => detail::paint(brush, area, state.detail(), focused),
        },
        Pane::Operations => operations::paint(brush, area, state, focused),
    }
}

fn paint_layer(brush: &mut Brush<'_>, screen: Rect, state: &State, layer: &Layer) -> Option<Position> {
    match layer {
        Layer::Help(help) => {
            let rows = state.help_rows();
            let title = format!("Help{}{}", brush.theme.symbols.dot, help.pane.name());
            let listing = commands::Listing { title: &title, input: &help.input, rows: &rows, cursor: help.list };
            commands::listing(brush, screen, &listing)
        }
        Layer::Palette(palette) => {
            let rows = state.palette_rows();
            let listing =
                commands::Listing { title: "Commands", input: &palette.input, rows: &rows, cursor: palette.list };
            commands::listing(brush, screen, &listing)
        }
        Layer::CommandLine(line) => lines::command(brush, screen, line),
        Layer::Query(prompt) => lines::query(brush, screen, prompt),
        Layer::Filter(prompt) => lines::filter(brush, screen, prompt),
        Layer::ClassName(input) => lines::class_name(brush, screen, input),
        Layer::Secret(prompt) => dialogs::secret(brush, screen, prompt, state.unkeepable(prompt.session)),
        Layer::Form(form) => form::paint(brush, screen, form),
        Layer::Rename(rename) => lines::rename(brush, screen, &rename.input),
        Layer::ConfirmQuit(confirm) => {
            dialogs::confirm_quit(brush, screen, state.operations().running(), confirm.yes);
            None
        }
        Layer::ConfirmPin(confirm) => {
            dialogs::confirm_pin(brush, screen, confirm);
            None
        }
        Layer::Presets(picker) => {
            form::picker(brush, screen, picker);
            None
        }
        Layer::Question(question) => {
            questions::question(brush, screen, question);
            None
        }
        Layer::Conflict(view) => {
            questions::conflict(brush, screen, view);
            None
        }
        Layer::Log(cursor) => {
            log::paint(brush, screen, state, *cursor);
            None
        }
        Layer::ConfirmDanger(confirm) => {
            dialogs::confirm_danger(brush, screen, confirm);
            None
        }
        Layer::SessionList(cursor) => {
            live::paint(brush, screen, state, *cursor);
            None
        }
        Layer::Error(_) | Layer::Timeline(_) | Layer::Text(_) => {
            paint_page(brush, screen, state, layer);
            None
        }
    }
}

fn paint_page(brush: &mut Brush<'_>, screen: Rect, state: &State, layer: &Layer) {
    let width = state.page_width();
    match layer {
        Layer::Error(view) => {
            let Some(entry) = state.log().get(view.entry) else { return };
            let mut lines = Vec::new();
            match &entry.error {
                Some(error) => timeline::error_lines(&mut lines, error, brush.theme, width),
                None => {
                    let told = entry.lines().join("\n");
                    lines.extend(plain(&text::wrap(&told, width, usize::MAX), brush.theme.roles.text));
                }
            }
            let about = entry.op.and_then(|op| state.operations().get(op));
            let title = about.map_or_else(|| "Error".to_owned(), |row| format!("{} {}", row.id, row.title()));
            dialogs::page(brush, screen, &title, &lines, view.offset);
        }
        Layer::Timeline(view) => {
            let Some(row) = state.operations().get(view.op) else { return };
            let lines = timeline::lines(row, state.now(), brush.theme, width);
            let title = format!("Operation {}", row.id);
            dialogs::page(brush, screen, &title, &lines, view.offset);
        }
        Layer::Text(view) => {
            let lines = plain(view.wrapped(), brush.theme.roles.text);
            dialogs::page(brush, screen, &view.title, &lines, view.offset);
        }
        _ => {}
    }
}

/// Texts as lines of a page.
fn plain(texts: &[String], style: Style) -> Vec<Line<'static>> {
    texts.iter().map(|text| Line::from(Span::styled(text.clone(), style))).collect()
}

/// The title of a pane: what it shows, then how much and how fetching stands, in less weight.
fn title(brush: &Brush<'_>, state: &State, pane: Pane) -> Line<'static> {
    let (roles, symbols) = (&brush.theme.roles, &brush.theme.symbols);
    let mut spans = Vec::new();
    let title = state.title(pane).replace('…', symbols.ellipsis);
    for (at, part) in title.split(" · ").enumerate() {
        if at == 0 {
            spans.push(Span::raw(part.to_owned()));
            continue;
        }
        let style = match part {
            "receiving" => roles.accent,
            "failed" => roles.error,
            "cancelled" | "capped" | "of before the refresh" => roles.warning,
            _ => roles.dim,
        };
        spans.push(Span::styled(symbols.dot, roles.dim));
        spans.push(Span::styled(part.to_owned(), style));
        if part == "receiving" && state.spins() {
            spans.push(Span::styled(format!(" {}", operations::spinner(brush.theme, state.now())), roles.accent));
        }
    }
    Line::from(spans)
}

/// Says below the `rows` rows of a pane why there are not more; nothing where no line is left.
fn below(brush: &mut Brush<'_>, inner: Rect, rows: usize, told: &str) {
    let taken = u16::try_from(rows + 1).unwrap_or(u16::MAX).min(inner.height);
    let rest =
        Rect { x: inner.x + 1, y: inner.y + taken, width: inner.width.saturating_sub(2), height: inner.height - taken };
    let lines = explained(brush, told, usize::from(rest.width), usize::from(rest.height));
    for (row, (text, style)) in (0..rest.height).zip(lines) {
        brush.line(rest, row, Line::from(Span::styled(text, style)));
    }
}

/// What failed, what to try and what else helps, each in its look, as lines of `room` cells.
fn explained(brush: &Brush<'_>, told: &str, room: usize, height: usize) -> Vec<(String, Style)> {
    let roles = &brush.theme.roles;
    let failed = told.contains("\ntry: ");
    let style = |at| match (failed, at) {
        (true, 0) => roles.error,
        (true, 1) => roles.accent,
        _ => roles.dim,
    };
    // What to do next matters more than the end of a long cause, which stands in the log: the last part is kept longest.
    let mut left = height.max(1);
    let mut lines = Vec::new();
    for (at, part) in told.split('\n').enumerate().collect::<Vec<_>>().into_iter().rev() {
        let part = text::wrap_cut(part, room, left.saturating_sub(at));
        left = left.saturating_sub(part.len());
        let part = part.into_iter().map(|line| (line.replace('…', brush.theme.symbols.ellipsis), style(at)));
        lines.splice(0..0, part);
    }
    lines
}

/// Says in an empty pane why it is empty and what to do next; false if it is not empty.
fn empty(brush: &mut Brush<'_>, inner: Rect, state: &State, pane: Pane) -> bool {
    let Some(told) = state.empty_text(pane) else { return false };
    let room = usize::from(inner.width).saturating_sub(2).min(64);
    let lines = explained(brush, &told, room, usize::from(inner.height));
    let lines = lines.iter().map(|(text, style)| (text.as_str(), *style)).collect::<Vec<_>>();
    brush.notice(inner, &lines);
    true
}
