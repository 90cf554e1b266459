//! The one-line prompts above the footer: `:` command line, a query, `/` filter, a class or a session's name to type.
//!
//! Owns: how a line being edited looks, and where the cursor stands. Must not know what the line does.

use ratatui::{
    layout::{Position, Rect},
    style::Style,
    text::{Line, Span},
};

use super::{paint::Brush, text};
use crate::{
    app::{CommandLine, FilterPrompt, LineEdit, QueryPrompt, safe},
    op::QueryLanguage,
};

/// The most completions shown above the command line.
const COMPLETIONS: u16 = 8;

/// Paints `prompt` and the line after it on row `row` of `area`, scrolled so that the cursor is seen; the answer is where the
/// cursor stands.
pub fn edit(
    brush: &mut Brush<'_>,
    area: Rect,
    row: u16,
    prompt: Span<'_>,
    input: &LineEdit,
    hint: &str,
) -> Option<Position> {
    let taken = text::width(&prompt.content);
    let room = usize::from(area.width).checked_sub(taken + 1).filter(|room| *room > 0)?;
    if row >= area.height {
        return None;
    }
    let (before, after) = input.parts();
    let before = text::fit_end(before, room, brush.theme.symbols.ellipsis).into_owned();
    let at = text::width(&before);
    let after = text::fit(after, room.saturating_sub(at), brush.theme.symbols.ellipsis).into_owned();
    let mut spans = vec![
        Span::styled(prompt.content.into_owned(), prompt.style),
        Span::styled(format!("{before}{after}"), brush.theme.roles.text),
    ];
    if input.is_empty() {
        spans.push(Span::styled(format!(" {hint}"), brush.theme.roles.dim));
    }
    brush.line(area, row, Line::from(spans));
    Some(Position::new(area.x + (taken + at) as u16, area.y + row))
}

/// The `:` line, on the footer, with its completions above it.
pub fn command(brush: &mut Brush<'_>, screen: Rect, line: &CommandLine) -> Option<Position> {
    let roles = brush.theme.roles;
    let footer = footer_of(screen);
    brush.clear(footer);
    let cursor =
        edit(brush, footer, 0, Span::styled(":", roles.hint_key), &line.input, "class, path or command; tab completes");
    if let Some(error) = &line.error {
        above(brush, screen, &[Line::from(Span::styled(safe(error), roles.error))], None);
    } else if !line.completions.is_empty() {
        let shown = usize::from(COMPLETIONS.min(screen.height.saturating_sub(4)));
        let chosen = line.chosen.unwrap_or(0);
        let offset = chosen.saturating_sub(shown.saturating_sub(1));
        let rows = line
            .completions
            .iter()
            .skip(offset)
            .take(shown)
            .map(|text| Line::from(Span::styled(safe(text), roles.text)))
            .collect::<Vec<_>>();
        above(brush, screen, &rows, line.chosen.map(|chosen| chosen - offset));
    }
    cursor
}

/// The line of a query, on the footer; above it the languages and where it will be asked, or why it was not sent.
pub fn query(brush: &mut Brush<'_>, screen: Rect, prompt: &QueryPrompt) -> Option<Position> {
    let roles = brush.theme.roles;
    let footer = footer_of(screen);
    brush.clear(footer);
    let label = Span::styled("query: ", roles.hint_key);
    let cursor = edit(brush, footer, 0, label, &prompt.input, "SELECT * FROM CIM_Process");
    let mut languages = vec![Span::styled("tab ", roles.hint_key)];
    for language in QueryLanguage::ALL {
        let (before, after) = if language == prompt.language { ("[", "] ") } else { (" ", "  ") };
        let style = if language == prompt.language { roles.accent } else { roles.dim };
        languages.push(Span::styled(format!("{before}{}{after}", language.identifier()), style));
    }
    let place = Line::from(Span::styled(prompt.place(), roles.text));
    let keys = [("enter", "run"), ("up", "older"), ("esc", "close")];
    let hints = keys.iter().flat_map(|(key, told)| {
        [Span::styled((*key).to_owned(), roles.hint_key), Span::styled(format!(" {told}  "), roles.dim)]
    });
    let mut lines = vec![place, Line::from(languages), Line::from(hints.collect::<Vec<_>>())];
    if let Some(error) = &prompt.error {
        lines.insert(0, Line::from(Span::styled(error.clone(), roles.error)));
    }
    above(brush, screen, &lines, None);
    cursor
}

/// The `/` line, on the footer.
pub fn filter(brush: &mut Brush<'_>, screen: Rect, prompt: &FilterPrompt) -> Option<Position> {
    let footer = footer_of(screen);
    brush.clear(footer);
    let style = brush.theme.roles.hint_key;
    edit(brush, footer, 0, Span::styled("/", style), &prompt.input, "text, !not, ~fuzzy or re:pattern; enter keeps it")
}

/// The line for a class name, on the footer.
pub fn class_name(brush: &mut Brush<'_>, screen: Rect, input: &LineEdit) -> Option<Position> {
    let footer = footer_of(screen);
    brush.clear(footer);
    let style = brush.theme.roles.hint_key;
    edit(brush, footer, 0, Span::styled("class: ", style), input, "the name of a class")
}

/// The line for another name of a session, on the footer.
pub fn rename(brush: &mut Brush<'_>, screen: Rect, input: &LineEdit) -> Option<Position> {
    let footer = footer_of(screen);
    brush.clear(footer);
    let style = brush.theme.roles.hint_key;
    edit(brush, footer, 0, Span::styled("name: ", style), input, "empty: the id")
}

fn footer_of(screen: Rect) -> Rect {
    Rect { y: screen.bottom().saturating_sub(1), height: screen.height.min(1), ..screen }
}

/// A box of lines just above the footer, the row `chosen` selected.
fn above(brush: &mut Brush<'_>, screen: Rect, lines: &[Line<'static>], chosen: Option<usize>) {
    let widest = lines.iter().map(super::paint::line_width).max().unwrap_or(0);
    let width = (widest as u16 + 4).clamp(24, 80).min(screen.width);
    let height = (lines.len() as u16 + 2).min(screen.height.saturating_sub(1));
    let area = Rect { x: screen.x, y: screen.bottom().saturating_sub(height + 1), width, height };
    brush.clear(area);
    let style: Style = brush.theme.roles.border_focused;
    brush.boxed(area, style);
    let inner = super::paint::inside(area);
    for (row, line) in lines.iter().enumerate() {
        let mut padded = vec![Span::raw(" ")];
        padded.extend(line.spans.clone());
        brush.line(inner, row as u16, Line::from(padded));
        if chosen == Some(row) {
            brush.select(inner, row as u16, true);
        }
    }
}
