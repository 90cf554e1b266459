//! The classes pane: a namespace's inheritance tree, or the matches of a filter.
//!
//! Owns: its rows' look. Must not know how names are fetched.

use ratatui::{
    layout::Rect,
    text::{Line, Span},
};

use super::{
    operations::spinner,
    paint::{Brush, highlighted, inside, window},
    text,
};
use crate::app::{ClassRow, ClassRowKind, Classes, Fold, Load, safe};

/// Paints the rows inside the frame `area`; the class whose instances are open stands out.
pub fn paint(
    brush: &mut Brush<'_>,
    area: Rect,
    pane: &Classes,
    open_class: Option<&str>,
    focused: bool,
    now: std::time::Duration,
) {
    let inner = inside(area);
    note(brush, area, pane);
    let cursor = pane.cursor();
    for (row, at, item) in window(pane.rows(), cursor.offset, inner.height) {
        let open = open_class.is_some_and(|open| item.name.as_str().eq_ignore_ascii_case(open));
        brush.line(inner, row, class_line(brush, pane, item, open, now));
        if at == cursor.at {
            brush.select(inner, row, focused);
        }
    }
    brush.thumb(area, pane.rows().len(), usize::from(inner.height), cursor.offset, focused);
}

/// The filter, or how many classes are loaded, on the lower border.
fn note(brush: &mut Brush<'_>, area: Rect, pane: &Classes) {
    let roles = brush.theme.roles;
    let told = if pane.is_flat() {
        Span::styled(format!(" /{} ", safe(pane.filter().text())), roles.accent)
    } else if pane.total() == 0 && matches!(pane.load(), Load::Failed(_)) {
        Span::styled(" not listed ", roles.warning)
    } else {
        Span::styled(format!(" {} ", text::plural(pane.total() as u64, "class", "classes")), roles.dim)
    };
    brush.bottom_note(area, Line::from(told));
}

/// The mark before a row of a tree.
pub(super) fn fold_mark(brush: &Brush<'_>, fold: Fold, now: std::time::Duration) -> &'static str {
    let symbols = &brush.theme.symbols;
    match fold {
        Fold::Open => symbols.open,
        Fold::Closed => symbols.closed,
        Fold::Loading => spinner(brush.theme, now),
        Fold::Leaf => " ",
    }
}

fn class_line(
    brush: &Brush<'_>,
    pane: &Classes,
    row: &ClassRow,
    open: bool,
    now: std::time::Duration,
) -> Line<'static> {
    let roles = &brush.theme.roles;
    if row.kind == ClassRowKind::Heading {
        return Line::from(Span::styled(format!(" {}", safe(row.name.as_str())), roles.dim));
    }
    let fold = fold_mark(brush, row.fold, now);
    let name = safe(row.name.as_str());
    let ranges = pane.filter().ranges(&name);
    let mut spans = Vec::new();
    if row.kind == ClassRowKind::Bookmark {
        spans.push(Span::raw("   "));
    } else if !pane.is_flat() {
        spans.push(Span::raw("  ".repeat(row.depth.min(32))));
        spans.push(Span::styled(format!("{fold} "), roles.dim));
    } else {
        spans.push(Span::raw(" "));
    }
    let style = if open { roles.accent } else { roles.text };
    spans.extend(highlighted(name, &ranges, style, roles.matched));
    Line::from(spans)
}
