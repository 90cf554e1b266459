//! The page of sessions: what `Get-CimSession` shows of those that live, and what they do at the moment; then the others.
//!
//! Owns: its columns. Must not know how a session is held.

use ratatui::{
    layout::Rect,
    style::{Modifier, Style},
    text::{Line, Span},
};

use super::{dialogs, paint::Brush, text};
use crate::{
    app::{ListCursor, LiveRow, State, safe},
    session::SecretSource,
};

/// From this width on the instance ids are shown whole.
const WIDE: u16 = 118;

/// Paints the sessions: those opened in this run in the order they were, then the others.
pub fn paint(brush: &mut Brush<'_>, screen: Rect, state: &State, cursor: ListCursor) {
    let area = dialogs::page_area(screen);
    brush.clear(area);
    let rows = state.session_list();
    let open = rows.iter().filter(|row| row.session.open).count();
    let told = Span::styled(format!("{}{open} open", brush.theme.symbols.dot), brush.theme.roles.dim);
    let inner = brush.frame(area, true, Line::from(vec![Span::raw("Sessions"), told]), None);
    let shown = rows.iter().map(|row| cells(row, inner.width >= WIDE)).collect::<Vec<_>>();
    let widths = widths(&shown, usize::from(inner.width));
    brush.line(inner, 0, heading(brush, &widths));
    let body = Rect { y: inner.y + inner.height.min(1), height: inner.height.saturating_sub(1), ..inner };
    let mut list = cursor;
    list.settle(rows.len(), usize::from(body.height));
    for (at, (row, cells)) in rows.iter().zip(&shown).enumerate().skip(list.offset).take(usize::from(body.height)) {
        let on = (at - list.offset) as u16;
        brush.line(body, on, line(brush, row, cells, &widths));
        if at == list.at {
            brush.select(body, on, true);
        }
    }
    brush.thumb(area, rows.len(), usize::from(body.height), list.offset, true);
}

const HEADINGS: [&str; 8] = ["Id", "Name", "InstanceId", "ComputerName", "Protocol", "State", "Ops", "Secret"];
/// Digits of an instance id where there is no room for all.
const INSTANCE: usize = 8;
/// Cells between two columns.
const GAP: usize = 2;
/// The columns that give way on a narrow screen.
const YIELDING: [usize; 3] = [2, 3, 1];
/// Where the state stands.
const STATE: usize = 5;

/// What stands for what a session has only once it was opened.
const NOTHING: &str = "-";

fn cells(row: &LiveRow<'_>, wide: bool) -> [String; HEADINGS.len()] {
    let target = &row.session.entry.profile.target;
    let instance = row.live.map_or_else(|| NOTHING.to_owned(), |live| live.instance.to_string());
    let secret = match (&target.user, row.live, &target.secret) {
        (_, None, _) => NOTHING,
        (None, ..) => "none",
        (Some(_), Some(live), _) if live.holds_secret => "held",
        (Some(_), Some(_), SecretSource::Prompt) => "not given",
        (Some(_), Some(_), _) => "not read",
    };
    let state = match (row.session.open, row.live) {
        (true, _) => "Opened",
        (false, Some(_)) => "Closed",
        (false, None) => "Unused",
    };
    [
        row.live.map_or_else(|| NOTHING.to_owned(), |live| live.number.to_string()),
        row.session.name(),
        if wide { instance } else { instance.chars().take(INSTANCE).collect() },
        safe(target.computer.as_deref().unwrap_or("localhost")),
        safe(&target.protocol),
        state.to_owned(),
        row.in_flight.to_string(),
        secret.to_owned(),
    ]
}

/// As wide as the cells ask, names cut to what is left.
fn widths(rows: &[[String; HEADINGS.len()]], room: usize) -> [usize; HEADINGS.len()] {
    let mut widths = HEADINGS.map(text::width);
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = text::width(cell).max(*width);
        }
    }
    let taken = widths.iter().map(|width| width + GAP).sum::<usize>();
    let mut over = taken.saturating_sub(room);
    for at in YIELDING {
        if let (Some(width), Some(heading)) = (widths.get_mut(at), HEADINGS.get(at)) {
            let least = text::width(heading).min(INSTANCE);
            let less = over.min(width.saturating_sub(least));
            *width -= less;
            over -= less;
        }
    }
    widths
}

fn heading(brush: &Brush<'_>, widths: &[usize]) -> Line<'static> {
    let style = brush.theme.roles.heading.add_modifier(Modifier::BOLD);
    let spans = HEADINGS.iter().zip(widths).map(|(heading, width)| cell(brush, heading, *width, style));
    Line::from(spans.collect::<Vec<_>>())
}

fn line(brush: &Brush<'_>, row: &LiveRow<'_>, cells: &[String], widths: &[usize]) -> Line<'static> {
    let roles = &brush.theme.roles;
    let spans = cells.iter().zip(widths).enumerate().map(|(at, (text, width))| {
        let style = match (row.session.open, at) {
            (true, STATE) => roles.ok,
            (true, _) => roles.text,
            (false, _) => roles.dim,
        };
        cell(brush, text, *width, style)
    });
    Line::from(spans.collect::<Vec<_>>())
}

/// A cell with the gap before the next one.
fn cell(brush: &Brush<'_>, text: &str, width: usize, style: Style) -> Span<'static> {
    Span::styled(format!(" {} ", text::left(text, width, brush.theme.symbols.ellipsis)), style)
}
