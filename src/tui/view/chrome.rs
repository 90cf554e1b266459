//! The first and last line of the screen, and the toasts: where we are, what the keys do, what just happened.
//!
//! Owns: breadcrumbs with the session's flags, footer hints with the connection state, toasts. Must not know panes' contents.

use ratatui::{
    layout::Rect,
    text::{Line, Span},
};

use super::{
    paint::{Brush, line_width},
    text,
};
use crate::{
    app::{Level, Pane, State},
    tui::theme::Theme,
};

const NAME: &str = " lazycim  ";

/// The breadcrumbs of the header with the cell each begins and ends at, as painted in `width` cells.
fn crumbs(state: &State, theme: &Theme, width: usize) -> Vec<(usize, String)> {
    let gap = text::width(theme.symbols.crumb);
    let crumbs = state.breadcrumbs();
    let flags = flags(state, theme).map_or(0, |line| line_width(&line) + 2);
    let room = width.saturating_sub(text::width(NAME) + flags);
    let wanted = crumbs.iter().map(|crumb| text::width(&crumb.text) + gap).sum::<usize>().saturating_sub(gap);
    // Where not all fit, the last ones matter most: they take what they want, and leave a cell to each before them.
    let mut left = room.saturating_sub(gap * crumbs.len().saturating_sub(1));
    let mut shares = vec![0; crumbs.len()];
    for (number, (share, crumb)) in shares.iter_mut().zip(&crumbs).enumerate().rev() {
        let last = number + 1 == crumbs.len() && wanted > room;
        let most = if last { left * 3 / 5 } else { left.saturating_sub(number) };
        *share = text::width(&crumb.text).min(most);
        left -= *share;
    }
    let mut placed = Vec::new();
    let mut at = text::width(NAME);
    for (number, crumb) in crumbs.iter().enumerate() {
        let share = shares.get(number).copied().unwrap_or_default();
        let cut = text::fit(&crumb.text, share, theme.symbols.ellipsis).into_owned();
        let taken = text::width(&cut) + gap;
        placed.push((at, cut));
        at += taken;
    }
    placed
}

/// The breadcrumb at cell `x` of the header, counted from 0.
pub fn crumb_at(state: &State, theme: &Theme, width: usize, x: usize) -> Option<usize> {
    crumbs(state, theme, width).iter().position(|(at, text)| x >= *at && x < at + text::width(text))
}

/// Settings of the session that must not be overlooked.
fn flags(state: &State, theme: &Theme) -> Option<Line<'static>> {
    let session = state.session()?;
    let mut told = Vec::new();
    if session.entry.read_only {
        told.push("read-only");
    }
    told.extend(session.entry.profile.target.dangers());
    (!told.is_empty()).then(|| {
        let spans = told.into_iter().flat_map(|flag| [Span::styled(flag, theme.roles.danger), Span::raw(" ")]);
        Line::from(spans.collect::<Vec<_>>())
    })
}

/// Paints the header.
pub fn header(brush: &mut Brush<'_>, area: Rect, state: &State) {
    let (roles, symbols) = (brush.theme.roles, brush.theme.symbols);
    let mut spans = vec![Span::styled(NAME, roles.accent.add_modifier(ratatui::style::Modifier::BOLD))];
    let placed = crumbs(state, brush.theme, usize::from(area.width));
    let last = placed.len().saturating_sub(1);
    for (at, (_, crumb)) in placed.into_iter().enumerate() {
        if at > 0 {
            spans.push(Span::styled(symbols.crumb, roles.dim));
        }
        spans.push(Span::styled(crumb, if at == last { roles.title } else { roles.text }));
    }
    brush.line(area, 0, Line::from(spans));
    if let Some(flags) = flags(state, brush.theme) {
        brush.line_right(area, 0, flags);
    }
}

/// What the connections are doing now: `idle, no connections`.
fn connections(state: &State, theme: &Theme) -> Line<'static> {
    let roles = &theme.roles;
    if state.is_quitting() {
        return Line::from(Span::styled("closing… ".replace('…', theme.symbols.ellipsis), roles.warning));
    }
    let at_rest = state.operations().running() == 0 && state.operations().open_connections() == 0;
    Line::from(Span::styled(format!("{} ", state.connection_status()), if at_rest { roles.dim } else { roles.ok }))
}

/// Paints the footer: as many hints as fit beside the connection state.
pub fn footer(brush: &mut Brush<'_>, area: Rect, state: &State) {
    let roles = brush.theme.roles;
    let status = connections(state, brush.theme);
    let status_width = line_width(&status);
    let show_status = status_width + 12 <= usize::from(area.width);
    let room = usize::from(area.width).saturating_sub(if show_status { status_width + 1 } else { 0 });
    let mut spans = Vec::new();
    let mut taken = 0;
    for hint in state.hints() {
        let wide = text::width(&hint.keys) + text::width(hint.title) + 3;
        if taken + wide > room {
            break;
        }
        taken += wide;
        spans.push(Span::raw(" "));
        spans.push(Span::styled(hint.keys, roles.hint_key));
        spans.push(Span::styled(format!(" {} ", hint.title), roles.dim));
    }
    brush.line(area, 0, Line::from(spans));
    if show_status {
        brush.line_right(area, 0, status);
    }
}

/// The part of the screen's height that toasts may take beside the first, which is always told.
const TOASTS: u16 = 3;
/// From this height on a toast has room for three lines of its text.
const HIGH: u16 = 30;

/// Paints the toasts at the right, above the operations, which tell what is going on meanwhile; the newest is the lowest.
pub fn toasts(brush: &mut Brush<'_>, screen: Rect, state: &State) {
    let operations = state.layout().pane(Pane::Operations).filter(|_| state.focus() != Pane::Operations);
    let mut bottom = operations.map_or(screen.bottom().saturating_sub(1), |area| area.y);
    let width = screen.width.saturating_sub(2).min(64);
    let toasts = state.log().toasts().collect::<Vec<_>>();
    let (lines, hints) = if screen.height < HIGH { (2, 2) } else { (3, 2) };
    let (mut left, mut first) = (screen.height / TOASTS, true);
    for entry in toasts.into_iter().rev() {
        let roles = brush.theme.roles;
        let (style, title) = match entry.level {
            Level::Notice => (roles.accent, "notice"),
            Level::Warning => (roles.warning, "warning"),
            Level::Error => (roles.error, "error"),
        };
        let room = usize::from(width.saturating_sub(4));
        let mut told =
            text::wrap_cut(&entry.text, room, lines).into_iter().map(|line| (line, roles.text)).collect::<Vec<_>>();
        if !entry.hint.is_empty() {
            let hint = format!("try: {}", entry.hint);
            told.extend(text::wrap_cut(&hint, room, hints).into_iter().map(|line| (line, roles.dim)));
        }
        let height = told.len() as u16 + 2;
        if bottom < screen.y + 1 + height || width < 16 || (height > left && !first) {
            return;
        }
        bottom -= height;
        (left, first) = (left.saturating_sub(height), false);
        let area = Rect { x: screen.right().saturating_sub(width + 1), y: bottom, width, height };
        brush.clear(area);
        brush.boxed(area, style);
        let top = Rect { x: area.x + 1, width: width - 2, height: 1, ..area };
        brush.line(top, 0, Line::from(Span::styled(format!(" {title} "), style)));
        if entry.level > Level::Notice {
            let mut more = vec![Span::styled(" E", roles.hint_key), Span::styled(" details ", roles.dim)];
            if state.pin_offer(Some(entry.number)).is_some() {
                more.extend([Span::styled(" P", roles.hint_key), Span::styled(" pin ", roles.dim)]);
            }
            brush.line_right(top, 0, Line::from(more));
        }
        let inner = super::paint::inside(area);
        for (row, (line, style)) in told.iter().enumerate() {
            brush.line(
                inner,
                row as u16,
                Line::from(vec![Span::raw(" "), Span::styled(line.replace('…', brush.theme.symbols.ellipsis), *style)]),
            );
        }
    }
}
