//! The associations of an instance: roles, association classes, the instances at the far ends.
//!
//! Owns: its rows' look. Must not know how associations are read.

use ratatui::{
    layout::Rect,
    text::{Line, Span},
};

use super::{
    classes::fold_mark,
    paint::{Brush, highlighted, inside, window},
    text,
};
use crate::app::{AssociationNode, AssociationRow, Associations, safe};

/// Cells a note leaves at least to the name before it.
const LEAST: usize = 16;

/// Paints the rows inside the frame `area`.
pub fn paint(brush: &mut Brush<'_>, area: Rect, pane: &Associations, focused: bool, now: std::time::Duration) {
    let inner = inside(area);
    if !pane.filter().text().is_empty() {
        let told = format!(" /{} ", safe(pane.filter().text()));
        brush.bottom_note(area, Line::from(Span::styled(told, brush.theme.roles.accent)));
    }
    let cursor = pane.cursor();
    for (row, at, item) in window(pane.rows(), cursor.offset, inner.height) {
        brush.line(inner, row, line(brush, pane, item, usize::from(inner.width), now));
        if at == cursor.at {
            brush.select(inner, row, focused);
        }
    }
    brush.thumb(area, pane.rows().len(), usize::from(inner.height), cursor.offset, focused);
}

fn line(
    brush: &Brush<'_>,
    pane: &Associations,
    row: &AssociationRow,
    room: usize,
    now: std::time::Duration,
) -> Line<'static> {
    let (roles, symbols) = (&brush.theme.roles, &brush.theme.symbols);
    let fold = fold_mark(brush, row.fold, now);
    let style = match row.node {
        AssociationNode::Role(_) => roles.key,
        AssociationNode::Class(_) | AssociationNode::End(..) => roles.text,
        AssociationNode::Told(_) => roles.null,
    };
    let lead = format!("{}{fold} ", "  ".repeat(row.node.depth()));
    let left = room.saturating_sub(text::width(&lead));
    // The note goes first where there is no room for both; a path is worth more than its role to its last letter.
    let note = text::width(&row.note) + 2;
    let least = if matches!(row.node, AssociationNode::End(..)) { text::width(&row.text) } else { LEAST };
    let note = if row.note.is_empty() || left < note + least { 0 } else { note };
    let shown = text::fit(&row.text.replace('…', symbols.ellipsis), left - note, symbols.ellipsis).into_owned();
    let ranges = pane.filter().ranges(&shown);
    let mut spans = vec![Span::styled(lead, roles.dim)];
    spans.extend(highlighted(shown, &ranges, style, roles.matched));
    if note > 0 {
        spans.push(Span::styled(format!("  {}", row.note), roles.dim));
    }
    Line::from(spans)
}
