//! The sessions pane: sessions and, unfolded, their namespaces.
//!
//! Owns: its rows' look. Must not know connections.

use ratatui::{
    layout::Rect,
    text::{Line, Span},
};

use super::{
    form,
    operations::spinner,
    paint::{Brush, highlighted, inside, line_width, window},
    text,
};
use crate::{
    app::{Session, SessionRow, Sessions, safe},
    cim::Namespace,
    op::SessionId,
};

/// What the pane needs besides its own state.
pub struct Here<'a> {
    /// The pane has the focus.
    pub focused: bool,
    /// The session and namespace whose classes are shown.
    pub current: Option<(SessionId, &'a Namespace)>,
    /// Now, on the state's clock.
    pub now: std::time::Duration,
}

/// Paints the rows inside the frame `area`.
pub fn paint(brush: &mut Brush<'_>, area: Rect, pane: &Sessions, here: &Here<'_>) {
    let inner = inside(area);
    let cursor = pane.cursor();
    for (row, at, item) in window(pane.rows(), cursor.offset, inner.height) {
        let line = match item {
            SessionRow::Session(id) => pane.get(*id).map(|session| session_line(brush, inner, pane, session, here)),
            SessionRow::Namespace(id, name) => Some(namespace_line(brush, pane, *id, name, here)),
            SessionRow::Tag(tag) => Some(tag_line(brush, tag.as_deref())),
            SessionRow::New => Some(Line::from(vec![
                Span::styled("+ new", brush.theme.roles.accent),
                Span::styled(" (a)", brush.theme.roles.dim),
            ])),
        };
        if let Some(line) = line {
            brush.line(inner, row, line);
        }
        if let Some(SessionRow::Session(id)) = pane.rows().get(at) {
            protocol_note(brush, inner, row, pane.get(*id));
        }
        if at == cursor.at {
            brush.select(inner, row, here.focused);
        }
    }
    brush.thumb(area, pane.rows().len(), usize::from(inner.height), cursor.offset, here.focused);
}

fn session_line(brush: &Brush<'_>, inner: Rect, pane: &Sessions, session: &Session, here: &Here<'_>) -> Line<'static> {
    let (roles, symbols) = (&brush.theme.roles, &brush.theme.symbols);
    let fold = match (session.load.is_running(), session.unfolded) {
        (true, _) => spinner(brush.theme, here.now),
        (false, true) => symbols.open,
        (false, false) => symbols.closed,
    };
    let (mark, style) = if session.used { (symbols.live, roles.ok) } else { (symbols.rest, roles.dim) };
    let profile = &session.entry.profile;
    let style = profile.colour.map_or(style, |colour| form::colour(brush, colour));
    let mut spans = vec![Span::styled(fold, roles.dim), Span::styled(mark, style), Span::raw(" ")];
    let room = usize::from(inner.width).saturating_sub(3);
    let name = text::fit(&session.name(), room, symbols.ellipsis).into_owned();
    let ranges = pane.filter().ranges(&name);
    spans.extend(highlighted(name, &ranges, roles.text, roles.matched));
    if !profile.target.dangers().is_empty() {
        spans.push(Span::styled(" !", roles.danger));
    }
    // What people wrote about it, as far as the pane has room; a narrow one only shows that there are notes.
    let noted = text::width(&note(session)) + 3;
    let room = usize::from(inner.width).saturating_sub(line_width(&Line::from(spans.clone())) + noted);
    let tags = profile.tags.iter().map(|tag| format!("#{}", safe(tag))).collect::<Vec<_>>().join(" ");
    let first = safe(profile.notes.lines().next().unwrap_or_default());
    let words = [tags, first].into_iter().filter(|words| !words.is_empty()).collect::<Vec<_>>().join("  ");
    if room > MARKS && !words.is_empty() {
        let words = text::fit(&words, room - 2, symbols.ellipsis).into_owned();
        spans.extend([Span::raw("  "), Span::styled(words, roles.dim)]);
    } else if !profile.notes.is_empty() {
        spans.push(Span::styled(" \"", roles.dim));
    }
    Line::from(spans)
}

/// The cells that tags and notes need at least.
const MARKS: usize = 6;

/// A tag above the sessions that have it.
fn tag_line(brush: &Brush<'_>, tag: Option<&str>) -> Line<'static> {
    let told = tag.map_or_else(|| "without a tag".to_owned(), |tag| format!("#{}", safe(tag)));
    Line::from(Span::styled(told, brush.theme.roles.heading))
}

/// What is told of a session at the right.
fn note(session: &Session) -> String {
    if session.entry.read_only { "read-only".to_owned() } else { session.summary() }
}

/// The protocol at the right, where the name leaves room.
fn protocol_note(brush: &mut Brush<'_>, inner: Rect, row: u16, session: Option<&Session>) {
    let Some(session) = session else { return };
    let note = note(session);
    if text::width(&session.name()) + text::width(&note) + 6 > usize::from(inner.width) {
        return;
    }
    let style = if session.entry.read_only { brush.theme.roles.danger } else { brush.theme.roles.dim };
    brush.line_right(inner, row, Line::from(Span::styled(note, style)));
}

fn namespace_line(
    brush: &Brush<'_>,
    pane: &Sessions,
    id: SessionId,
    name: &Namespace,
    here: &Here<'_>,
) -> Line<'static> {
    let (roles, symbols) = (&brush.theme.roles, &brush.theme.symbols);
    let shown = safe(name.as_str());
    let ranges = pane.filter().ranges(&shown);
    let current = here.current.is_some_and(|(session, namespace)| session == id && namespace == name);
    let mark = if current { symbols.closed } else { " " };
    let style = if current { roles.accent } else { roles.text };
    let mut spans = vec![Span::raw("  "), Span::styled(mark, roles.accent), Span::raw(" ")];
    spans.extend(highlighted(shown, &ranges, style, roles.matched));
    Line::from(spans)
}
