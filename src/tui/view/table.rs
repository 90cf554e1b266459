//! The table pane: the instances of a class, of which only the visible window is drawn.
//!
//! Owns: which columns fit and how cells look. Must not know how rows are kept.

use ratatui::{
    layout::Rect,
    style::Modifier,
    text::{Line, Span},
};

use super::{
    paint::{Brush, highlighted, inside},
    text,
};
use crate::app::{Table, TableColumn, safe};

/// Cells between two columns.
const GAP: usize = 2;
/// A column that would get fewer cells than this is not begun.
const LEAST: usize = 5;

/// Paints heading and rows inside the frame `area`.
pub fn paint(brush: &mut Brush<'_>, area: Rect, pane: &Table, focused: bool) {
    let inner = inside(area);
    filter_note(brush, area, pane);
    let columns = fitting(pane, usize::from(inner.width));
    heading(brush, inner, pane, &columns, focused);
    let body = Rect { y: inner.y + inner.height.min(1), height: inner.height.saturating_sub(1), ..inner };
    let told = pane.trouble_lines(usize::from(body.height)) as u16;
    let body = Rect { height: body.height - told, ..body };
    troubles(brush, Rect { y: body.bottom(), height: told, ..inner }, pane);
    let cursor = pane.cursor();
    for row in 0..body.height {
        let position = cursor.offset + usize::from(row);
        if position >= pane.shown() {
            break;
        }
        let line = row_line(brush, pane, position, &columns);
        brush.line(body, row, line);
        if position == cursor.at {
            brush.select(body, row, focused);
        }
    }
    brush.thumb(area, pane.shown(), usize::from(body.height), cursor.offset, focused);
}

/// The sessions that failed, and why; where there is no room for all, the last line counts the others.
fn troubles(brush: &mut Brush<'_>, area: Rect, pane: &Table) {
    let (roles, symbols) = (brush.theme.roles, brush.theme.symbols);
    let more = pane.troubles().count().saturating_sub(usize::from(area.height));
    for (row, (member, error)) in pane.troubles().take(usize::from(area.height)).enumerate() {
        let text = format!("{} {}: {}: {}", symbols.marks[1], safe(&member.name), error.phase, safe(&error.cause()));
        let others = if more > 0 && row + 1 == usize::from(area.height) {
            format!("{}{more} more failed", symbols.dot)
        } else {
            String::new()
        };
        let room = usize::from(area.width).saturating_sub(text::width(&others));
        let text = text::fit(&text, room, symbols.ellipsis).into_owned();
        let line = Line::from(vec![Span::styled(text, roles.error), Span::styled(others, roles.warning)]);
        brush.line(area, row as u16, line);
    }
}

/// The filter on the lower border, or what is wrong with it.
fn filter_note(brush: &mut Brush<'_>, area: Rect, pane: &Table) {
    let filter = pane.filter();
    if filter.text().is_empty() {
        return;
    }
    let told = match filter.error() {
        Some(error) => Span::styled(format!(" {} ", safe(error)), brush.theme.roles.error),
        None => {
            let more = if pane.has_work() { brush.theme.symbols.ellipsis } else { "" };
            Span::styled(format!(" /{}{more} ", safe(filter.text())), brush.theme.roles.accent)
        }
    };
    brush.bottom_note(area, Line::from(told));
}

/// A column with the cells it gets.
struct Placed {
    at: usize,
    width: usize,
}

/// The columns from the first one shown on that fit into `room` cells; the last may be narrower than it wants.
fn fitting(pane: &Table, room: usize) -> Vec<Placed> {
    let mut placed = Vec::new();
    let mut left = room;
    let sorted = pane.sorted_by().map(|(at, _)| at);
    for (at, column) in pane.columns().iter().enumerate().skip(pane.first_column) {
        // The arrow of a sorted column wants a cell of its own.
        let arrow = sorted == Some(at) && text::width(&column.title) >= usize::from(column.width);
        let wanted = usize::from(column.width).max(1) + usize::from(arrow);
        let width = wanted.min(left);
        if width < wanted.min(LEAST) || (width < wanted && width < LEAST) {
            break;
        }
        placed.push(Placed { at, width });
        left = left.saturating_sub(width + GAP);
        if left == 0 {
            break;
        }
    }
    // What nobody else needs widens the last one.
    let taken = placed.iter().map(|place| place.width + GAP).sum::<usize>().saturating_sub(GAP);
    if let Some(last) = placed.last_mut()
        && let Some(column) = pane.columns().get(last.at)
    {
        last.width = last.width.max(usize::from(column.full).min(last.width + room.saturating_sub(taken)));
    }
    placed
}

fn heading(brush: &mut Brush<'_>, inner: Rect, pane: &Table, columns: &[Placed], focused: bool) {
    let (roles, symbols) = (brush.theme.roles, brush.theme.symbols);
    let sorted = pane.sorted_by();
    let mut spans = Vec::new();
    for place in columns {
        let Some(column) = pane.columns().get(place.at) else { continue };
        let mut style = if column.is_key { roles.key.add_modifier(Modifier::BOLD) } else { roles.heading };
        if focused && pane.column == place.at {
            style = style.add_modifier(Modifier::UNDERLINED);
        }
        let arrow =
            sorted.filter(|(at, _)| *at == place.at).map(|(_, descending)| symbols.sorted[usize::from(descending)]);
        let title = match arrow {
            Some(arrow) => {
                format!("{}{arrow}", text::fit(&column.title, place.width.saturating_sub(1), symbols.ellipsis))
            }
            None => text::fit(&column.title, place.width, symbols.ellipsis).into_owned(),
        };
        let pad = " ".repeat(place.width.saturating_sub(text::width(&title)));
        if column.numeric {
            spans.extend([Span::raw(pad), Span::styled(title, style)]);
        } else {
            spans.extend([Span::styled(title, style), Span::raw(pad)]);
        }
        spans.push(Span::raw(" ".repeat(GAP)));
    }
    brush.line(inner, 0, trimmed(spans));
}

fn row_line(brush: &Brush<'_>, pane: &Table, position: usize, columns: &[Placed]) -> Line<'static> {
    let mut spans = Vec::new();
    for place in columns {
        let Some(column) = pane.columns().get(place.at) else { continue };
        cell_spans(brush, pane, column, pane.cell(position, place.at), place.width, &mut spans);
        spans.push(Span::raw(" ".repeat(GAP)));
    }
    trimmed(spans)
}

fn cell_spans(
    brush: &Brush<'_>,
    pane: &Table,
    column: &TableColumn,
    cell: Option<String>,
    room: usize,
    spans: &mut Vec<Span<'static>>,
) {
    let (roles, symbols) = (&brush.theme.roles, &brush.theme.symbols);
    let (content, style) = match cell {
        Some(content) => (content, if column.is_key { roles.key } else { roles.text }),
        None => ("-".to_owned(), roles.null),
    };
    let cut = text::fit(&content, room, symbols.ellipsis).into_owned();
    let pad = " ".repeat(room.saturating_sub(text::width(&cut)));
    let ranges = pane.filter().ranges(&cut);
    let shown = highlighted(cut, &ranges, style, roles.matched);
    if column.numeric {
        spans.push(Span::raw(pad));
        spans.extend(shown);
    } else {
        spans.extend(shown);
        spans.push(Span::raw(pad));
    }
}

/// The line without the gap at its end, which would otherwise count as text that does not fit.
fn trimmed(mut spans: Vec<Span<'static>>) -> Line<'static> {
    spans.pop();
    Line::from(spans)
}

/// The column of [`Table::columns`] at cell `x` of the pane's inside, for clicks on the heading.
pub fn column_at(pane: &Table, room: usize, x: usize) -> Option<usize> {
    let mut start = 0;
    for place in fitting(pane, room) {
        if x < start + place.width + GAP {
            return Some(place.at);
        }
        start += place.width + GAP;
    }
    None
}
