//! The log of errors and notices, as a page.
//!
//! Owns: its lines' look. Must not know where entries come from.

use ratatui::{
    layout::Rect,
    text::{Line, Span},
};

use super::{dialogs, paint::Brush, text};
use crate::{
    app::{Level, ListCursor, LogEntry, State},
    tui::theme::Theme,
};

/// Paints the log, newest first, the entry under the cursor selected.
pub fn paint(brush: &mut Brush<'_>, screen: Rect, state: &State, cursor: ListCursor) {
    let area = dialogs::page_area(screen);
    brush.clear(area);
    let inner = brush.frame(area, true, Line::from("Log"), None);
    if state.log().is_empty() {
        let dim = brush.theme.roles.dim;
        brush.notice(inner, &[("nothing happened yet", dim)]);
        return;
    }
    let mut list = cursor;
    list.settle(state.log().len(), usize::from(inner.height));
    let shown = state.log().entries().rev().enumerate().skip(list.offset).take(usize::from(inner.height));
    for (row, (at, entry)) in shown.enumerate() {
        brush.line(inner, row as u16, entry_line(entry, brush.theme));
        if at == list.at {
            brush.select(inner, row as u16, true);
        }
    }
    brush.thumb(area, state.log().len(), usize::from(inner.height), list.offset, true);
}

fn entry_line(entry: &LogEntry, theme: &Theme) -> Line<'static> {
    let roles = &theme.roles;
    let style = match entry.level {
        Level::Notice => roles.dim,
        Level::Warning => roles.warning,
        Level::Error => roles.error,
    };
    let op = entry.op.map_or_else(String::new, |op| op.to_string());
    Line::from(vec![
        Span::styled(format!(" {} ", clock(entry.at)), roles.dim),
        Span::styled(text::right(&op, 5, ""), roles.dim),
        Span::raw("  "),
        Span::styled(entry.text.clone(), style),
    ])
}

/// Time since the start as `0:01:02`.
fn clock(at: std::time::Duration) -> String {
    let seconds = at.as_secs();
    format!("{}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60)
}
