//! Lists of commands: the help overlay, the palette, the which-key popup.
//!
//! Owns: how a command, its keys and its reason for being greyed are shown. Must not know the registry.

use ratatui::{
    layout::{Position, Rect},
    text::{Line, Span},
};

use super::{
    lines,
    paint::{Brush, window},
    text,
};
use crate::app::{CommandRow, LineEdit, ListCursor};

/// What a searchable list of commands is made of.
pub struct Listing<'a> {
    /// Its title.
    pub title: &'a str,
    /// What is searched for.
    pub input: &'a LineEdit,
    /// The commands found.
    pub rows: &'a [CommandRow],
    /// The cursor over them.
    pub cursor: ListCursor,
}

/// Paints a searchable list of commands in the middle of the screen.
pub fn listing(brush: &mut Brush<'_>, screen: Rect, listing: &Listing<'_>) -> Option<Position> {
    let roles = brush.theme.roles;
    let (width, height) = (screen.width.min(92), screen.height.saturating_sub(2));
    let inner = brush.popup(screen, width, height, Line::from(listing.title.to_owned()), None);
    let cursor = lines::edit(brush, inner, 0, Span::styled(" / ", roles.hint_key), listing.input, "type to search");
    let body = Rect { y: inner.y + inner.height.min(2), height: inner.height.saturating_sub(2), ..inner };
    if listing.rows.is_empty() {
        brush.notice(body, &[("nothing found", roles.dim)]);
        return cursor;
    }
    let keys = listing.rows.iter().map(|row| text::width(&row.keys)).max().unwrap_or(0).clamp(4, 16);
    let titles = listing.rows.iter().map(|row| text::width(row.title)).max().unwrap_or(0).clamp(8, 28);
    let mut list = listing.cursor;
    list.settle(listing.rows.len(), usize::from(body.height));
    for (row, at, command) in window(listing.rows, list.offset, body.height) {
        brush.line(body, row, command_line(brush, command, keys, titles));
        if at == list.at {
            brush.select(body, row, true);
        }
    }
    cursor
}

fn command_line(brush: &Brush<'_>, command: &CommandRow, keys: usize, titles: usize) -> Line<'static> {
    let (roles, ellipsis) = (&brush.theme.roles, brush.theme.symbols.ellipsis);
    let (title, description) = match command.greyed {
        Some(_) => (roles.dim, roles.dim),
        None => (roles.text, roles.dim),
    };
    let told = match command.greyed {
        Some(reason) => format!("({reason})"),
        None => command.description.to_owned(),
    };
    Line::from(vec![
        Span::raw(" "),
        Span::styled(text::right(&command.keys, keys, ellipsis), roles.hint_key),
        Span::raw("  "),
        Span::styled(text::left(command.title, titles, ellipsis), title),
        Span::raw("  "),
        Span::styled(told, description),
    ])
}

/// What may follow the keys pressed so far, at the lower right.
pub fn which_key(brush: &mut Brush<'_>, screen: Rect, prefix: &str, choices: &[(String, String)]) {
    let roles = brush.theme.roles;
    let keys = choices.iter().map(|choice| text::width(&choice.0)).max().unwrap_or(1);
    let widest = choices.iter().map(|choice| text::width(&choice.1)).max().unwrap_or(8);
    let width = ((keys + widest + 5) as u16).max(16).min(screen.width);
    let height = (choices.len() as u16 + 2).min(screen.height.saturating_sub(1));
    let area =
        Rect { x: screen.right().saturating_sub(width), y: screen.bottom().saturating_sub(height + 1), width, height };
    brush.clear(area);
    let inner = brush.frame(area, true, Line::from(prefix.to_owned()), None);
    for (row, (key, told)) in choices.iter().enumerate() {
        let line = Line::from(vec![
            Span::raw(" "),
            Span::styled(text::left(key, keys, ""), roles.hint_key),
            Span::styled(format!("  {told}"), roles.text),
        ]);
        brush.line(inner, row as u16, line);
    }
}
