//! The detail pane: the properties of one instance.
//!
//! Owns: its rows' look. Must not know the table.

use ratatui::{
    layout::Rect,
    text::{Line, Span},
};

use super::{
    paint::{Brush, highlighted, inside, window},
    text,
};
use crate::app::{Detail, DetailRow, ValueState, safe};

/// Paints the rows inside the frame `area`.
pub fn paint(brush: &mut Brush<'_>, area: Rect, pane: &Detail, focused: bool) {
    let roles = brush.theme.roles;
    let inner = inside(area);
    if !pane.filter().text().is_empty() {
        let told = format!(" /{} ", safe(pane.filter().text()));
        brush.bottom_note(area, Line::from(Span::styled(told, roles.accent)));
    }
    let widths = Widths::of(pane.rows(), usize::from(inner.width));
    let cursor = pane.cursor();
    for (row, at, item) in window(pane.rows(), cursor.offset, inner.height) {
        brush.line(inner, row, property_line(brush, pane, item, &widths));
        if at == cursor.at {
            brush.select(inner, row, focused);
        }
    }
    brush.thumb(area, pane.rows().len(), usize::from(inner.height), cursor.offset, focused);
}

struct Widths {
    name: usize,
    ty: usize,
    value: usize,
    description: usize,
}

impl Widths {
    fn of(rows: &[DetailRow], room: usize) -> Self {
        let widest = |of: fn(&DetailRow) -> &str| rows.iter().map(|row| text::width(of(row))).max().unwrap_or(0);
        let name = (widest(|row| &row.name) + 1).clamp(8, (room / 3).max(12));
        let ty = if room >= 44 { widest(|row| &row.ty).clamp(6, 12) + 2 } else { 0 };
        let left = room.saturating_sub(name + 2 + ty);
        let described = rows.iter().any(|row| !row.description.is_empty());
        if !described || left < 28 {
            return Self { name, ty, value: left, description: 0 };
        }
        let value = (widest(|row| &row.value) + 2).clamp(10, (left / 2).max(10));
        Self { name, ty, value, description: left - value }
    }
}

fn property_line(brush: &Brush<'_>, pane: &Detail, row: &DetailRow, widths: &Widths) -> Line<'static> {
    let (roles, symbols) = (&brush.theme.roles, &brush.theme.symbols);
    let mark = if row.is_key && !row.name.is_empty() { "*" } else { " " };
    let name = text::left(&format!("{mark}{}", row.name), widths.name, symbols.ellipsis);
    let ranges = pane.filter().ranges(&name);
    let style = if row.is_key { roles.key } else { roles.text };
    let mut spans = highlighted(name, &ranges, style, roles.matched);
    spans.push(Span::raw("  "));
    if widths.ty > 0 {
        let style = if row.is_typed { roles.kind } else { roles.null };
        spans.push(Span::styled(text::left(&row.ty, widths.ty, symbols.ellipsis), style));
    }
    let value_style = if row.state == ValueState::Present { roles.text } else { roles.null };
    let room = if widths.description > 0 { widths.value - 2 } else { widths.value };
    let value = text::fit(&row.value, room, symbols.ellipsis).into_owned();
    let pad = widths.value.saturating_sub(text::width(&value));
    let ranges = pane.filter().ranges(&value);
    spans.extend(highlighted(value, &ranges, value_style, roles.matched));
    if widths.description > 0 {
        spans.push(Span::raw(" ".repeat(pad)));
        let told = text::fit(&row.description, widths.description, symbols.ellipsis).into_owned();
        spans.push(Span::styled(told, roles.dim));
    }
    Line::from(spans)
}
