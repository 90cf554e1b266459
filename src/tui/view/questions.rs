//! Questions: Yes and No, and which version of a session is to stay.
//!
//! Owns: how they look. Must not know what an answer does.

use ratatui::{
    layout::Rect,
    text::{Line, Span},
};

use super::{
    dialogs::{answers, buttons, page_area},
    paint::{Brush, inside, line_width},
    text,
};
use crate::{
    app::{ConflictView, Question},
    session::store::Keep,
};

/// A question.
pub fn question(brush: &mut Brush<'_>, screen: Rect, question: &Question) {
    let roles = brush.theme.roles;
    let width = usize::from(screen.width.min(64)).saturating_sub(4);
    let lines = question.lines.iter().flat_map(|line| text::wrap(line, width, 3)).collect::<Vec<_>>();
    let inner = brush.popup(screen, 64, lines.len() as u16 + 5, Line::from(question.title.clone()), None);
    let last = inner.height.saturating_sub(1);
    for (row, line) in lines.iter().enumerate().take(usize::from(last)) {
        brush.text(inner, row as u16 + u16::from(inner.height > 3), &format!(" {line}"), roles.text);
    }
    buttons(brush, inner, last, question.sure, question.yes);
}

/// Two versions of a session, key by key, and the buttons.
pub fn conflict(brush: &mut Brush<'_>, screen: Rect, view: &ConflictView) {
    let roles = brush.theme.roles;
    let whole = page_area(screen);
    let width = whole.width.min(110);
    let height = (view.rows.len() as u16 * 3 + 6).clamp(8, 40).min(whole.height);
    let area = Rect { x: whole.x + (whole.width - width) / 2, y: whole.y + (whole.height - height) / 2, width, height };
    brush.clear(area);
    brush.frame(area, true, Line::from(format!("{} was changed twice", view.id)), None);
    let inner = inside(area);
    let told = text::wrap(view.told(), usize::from(inner.width).saturating_sub(2), 2);
    for (row, line) in told.iter().enumerate() {
        brush.text(inner, row as u16, &format!(" {line}"), roles.text);
    }
    let top = told.len() as u16 + u16::from(inner.height > 6);
    let list = Rect { y: inner.y + top.min(inner.height), height: inner.height.saturating_sub(top + 1), ..inner };
    let lines = rows(brush, view, usize::from(list.width));
    let shown = usize::from(list.height);
    let offset = (view.offset * 3).min(lines.len().saturating_sub(shown));
    for (row, line) in lines.iter().skip(offset).take(shown).enumerate() {
        brush.line(list, row as u16, line.clone());
    }
    brush.thumb(area, lines.len(), shown, offset, true);
    let button = |(keep, key, words): (Keep, char, &'static str), short: bool| {
        let words = if short { words.trim_start_matches("keep ") } else { words };
        let style = if keep == view.keep { roles.selection } else { roles.dim };
        [Span::styled(format!(" {key} {words} "), style), Span::raw(" ")]
    };
    let buttons = |short| Line::from_iter(view.buttons().into_iter().flat_map(|it| button(it, short)));
    let whole = buttons(false);
    let line = if line_width(&whole) <= usize::from(inner.width) { whole } else { buttons(true) };
    let pad = (usize::from(inner.width).saturating_sub(line_width(&line)) / 2) as u16;
    let last = inner.height.saturating_sub(1);
    let place = Rect { x: inner.x + pad, width: inner.width.saturating_sub(pad), ..inner };
    answers(brush, place, last, &line);
    brush.line(place, last, line);
}

/// Of each key that differs three lines: its name with what it was, then both versions.
fn rows(brush: &Brush<'_>, view: &ConflictView, width: usize) -> Vec<Line<'static>> {
    let (roles, ellipsis) = (&brush.theme.roles, brush.theme.symbols.ellipsis);
    let value = |text: &Option<String>| {
        let shown = text.as_ref().map_or("(not said)", String::as_str);
        text::fit(shown, width.saturating_sub(14), ellipsis).into_owned()
    };
    let mut lines = Vec::new();
    for row in &view.rows {
        let was = match &row.base {
            Some(_) => format!(" (was {})", value(&row.base)),
            None => " (was not said)".to_owned(),
        };
        lines
            .push(Line::from(vec![Span::styled(format!(" {}", row.key), roles.heading), Span::styled(was, roles.dim)]));
        for (whose, text, style) in [("mine", &row.ours, roles.accent), ("theirs", &row.theirs, roles.warning)] {
            lines.push(Line::from(vec![
                Span::styled(format!("   {whose:<8}"), style),
                Span::styled(value(text), roles.text),
            ]));
        }
    }
    lines
}
