//! The operations pane: a live timeline for what runs, a line for what ended.
//!
//! Owns: how an operation looks on one line. Must not know how phases come about.

use std::time::Duration;

use ratatui::{
    layout::Rect,
    style::{Modifier, Style},
    text::{Line, Span},
};

use super::{
    paint::{Brush, inside},
    text,
};
use crate::{
    app::{OperationRow, Pane, State, safe},
    op::{
        Phase, Timeline,
        lifecycle::{Outcome, Span as PhaseSpan},
    },
    tui::theme::Theme,
};

/// A running operation gets its spinner after this long; shorter ones would only flicker.
pub const SPINNER_AFTER: Duration = Duration::from_millis(150);
/// A phase shows its duration in the lane once it took this long.
const WORTH_A_NUMBER: Duration = Duration::from_millis(1);

/// Paints the rows inside the frame `area`.
pub fn paint(brush: &mut Brush<'_>, area: Rect, state: &State, focused: bool) {
    let operations = state.operations();
    let inner = inside(area);
    let cursor = operations.list;
    let shown = operations.shown().skip(cursor.offset).take(usize::from(inner.height)).collect::<Vec<_>>();
    let columns = Columns::for_rows(inner.width, &shown);
    for (at, row) in shown.iter().enumerate() {
        let line = one_line(row, &columns, state.now(), brush.theme);
        brush.line(inner, at as u16, line);
        if focused && cursor.offset + at == cursor.at {
            brush.select(inner, at as u16, true);
        }
    }
    brush.thumb(area, operations.len(), usize::from(inner.height), cursor.offset, focused);
}

/// Paints the newest operation on a line of its own, where the pane has no room.
pub fn newest(brush: &mut Brush<'_>, area: Rect, state: &State) {
    match state.operations().shown().next() {
        Some(row) => {
            let columns = Columns::for_rows(area.width, &[row]);
            brush.line(area, 0, one_line(row, &columns, state.now(), brush.theme));
        }
        None => brush.text(area, 0, " no operation yet", brush.theme.roles.dim),
    }
}

/// The widths all rows of the pane share, so that their parts stand below each other.
pub struct Columns {
    id: usize,
    title: usize,
    rest: usize,
}

impl Columns {
    /// The widths for `shown` in `width` cells.
    pub fn for_rows(width: u16, shown: &[&OperationRow]) -> Self {
        let id = shown.iter().map(|row| row.id.to_string().len()).max().unwrap_or(0).max(3);
        let most = match width {
            ..=59 => 22,
            60..=99 => 32,
            100..=139 => 42,
            _ => 56,
        };
        let wanted = shown.iter().map(|row| text::width(&title(row, most))).max().unwrap_or(0);
        let title = wanted.clamp(12, most);
        let rest = usize::from(width).saturating_sub(2 + id + 1 + title + 2);
        Self { id, title, rest }
    }
}

/// What an operation is; a path is told in short where it does not fit in `most` cells.
fn title(row: &OperationRow, most: usize) -> String {
    let whole = row.title();
    if text::width(&whole) <= most { whole } else { row.brief_title() }
}

/// One operation on one line.
pub fn one_line(row: &OperationRow, columns: &Columns, now: Duration, theme: &Theme) -> Line<'static> {
    let (roles, symbols) = (&theme.roles, &theme.symbols);
    let (mark, mark_style) = match &row.timeline.outcome {
        None if row.waits_for_secret => ("?", roles.warning),
        None if row.elapsed(now) >= SPINNER_AFTER => (spinner(theme, now), roles.accent),
        None => (symbols.live, roles.accent),
        Some((_, Outcome::Finished(_))) => (symbols.marks[0], roles.ok),
        Some((_, Outcome::Failed(_))) => (symbols.marks[1], roles.error),
        Some((_, Outcome::Cancelled(_))) => ("-", roles.warning),
    };
    let ended = row.timeline.outcome.is_some();
    let title_style = if ended { roles.text } else { roles.text.add_modifier(Modifier::BOLD) };
    let mut spans = vec![
        Span::styled(format!("{mark} "), mark_style),
        Span::styled(text::right(&row.id.to_string(), columns.id, ""), roles.dim),
        Span::raw(" "),
        Span::styled(
            text::left(&title(row, columns.title).replace('…', symbols.ellipsis), columns.title, symbols.ellipsis),
            title_style,
        ),
        Span::raw("  "),
    ];
    match &row.timeline.outcome {
        Some((at, outcome)) => spans.extend(ended_spans(&row.timeline, *at, outcome, columns.rest, theme)),
        None => spans.extend(running_spans(row, columns.rest, now, theme)),
    }
    Line::from(spans)
}

/// The frame of the spinner at `now`.
pub fn spinner(theme: &Theme, now: Duration) -> &'static str {
    let frames = theme.symbols.spinner;
    let at = (now.as_millis() / 100) as usize % frames.len().max(1);
    frames.get(at).copied().unwrap_or("")
}

fn ended_spans(timeline: &Timeline, at: Duration, outcome: &Outcome, room: usize, theme: &Theme) -> Vec<Span<'static>> {
    let (roles, dot) = (&theme.roles, theme.symbols.dot);
    let time = text::duration(at);
    let mut connections = connections(timeline);
    if room < 48 {
        connections = connections.replace("connection", "conn");
    }
    match outcome {
        Outcome::Finished(summary) => {
            let limited = if summary.limited { ", more on the server" } else { "" };
            vec![
                Span::styled("ok ", roles.ok),
                Span::styled(text::right(&time, 7, ""), roles.text),
                Span::styled(
                    format!("{dot}{}{dot}{}{limited}", connections, text::bytes(timeline.bytes().1)),
                    roles.dim,
                ),
                Span::styled(
                    match timeline.rows {
                        0 | 1 => String::new(),
                        rows => format!("{dot}{}", text::plural(rows, "row", "rows")),
                    },
                    roles.dim,
                ),
            ]
        }
        Outcome::Failed(error) => vec![
            Span::styled("failed ", roles.error),
            Span::styled(time, roles.text),
            Span::styled(format!("{dot}{}: {}", error.phase, safe(&error.cause())), roles.error),
            Span::styled(format!("{dot}{}", connections), roles.dim),
        ],
        Outcome::Cancelled(left_open) => vec![
            Span::styled("cancelled ", roles.warning),
            Span::styled(time, roles.text),
            Span::styled(format!("{dot}{}{dot}{}", connections, crossed(timeline)), roles.dim),
            Span::styled(
                match timeline.rows {
                    0 | 1 => String::new(),
                    rows => format!("{dot}{}", text::plural(rows, "row", "rows")),
                },
                roles.dim,
            ),
            Span::styled(
                left_open.as_ref().map(|told| format!("{dot}{}", safe(told))).unwrap_or_default(),
                roles.warning,
            ),
        ],
    }
}

/// `1 connection, closed`: how many came up and how many are still up.
pub fn connections(timeline: &Timeline) -> String {
    let (opened, open) = (timeline.opened(), timeline.opened().saturating_sub(timeline.closed()));
    match (opened, open) {
        (0, _) => "no connection".to_owned(),
        (1, 0) => "1 connection, closed".to_owned(),
        (1, _) => "1 connection, open".to_owned(),
        (n, 0) => format!("{n} connections, closed"),
        (n, open) => format!("{n} connections, {open} open"),
    }
}

/// How much came, or went where nothing came.
fn crossed(timeline: &Timeline) -> String {
    match timeline.bytes() {
        (sent, 0) if sent > 0 => format!("{} sent", text::bytes(sent)),
        (_, received) => text::bytes(received),
    }
}

/// The lane of a running operation: its phases as they came, the newest always visible, then bytes, rate and time.
fn running_spans(row: &OperationRow, room: usize, now: Duration, theme: &Theme) -> Vec<Span<'static>> {
    let (roles, symbols) = (&theme.roles, &theme.symbols);
    let elapsed = row.elapsed(now);
    if row.waits_for_secret {
        return vec![Span::styled("waits for the password", roles.warning)];
    }
    let received = row.timeline.bytes().1;
    let mut numbers = Vec::new();
    if received > 0 {
        numbers.push(text::bytes(received));
    }
    if let Some(rate) = row.rate(now) {
        numbers.push(format!("{}/s", text::bytes(rate as u64)));
    }
    if row.timeline.rows > 1 {
        numbers.push(text::plural(row.timeline.rows, "row", "rows"));
    }
    if elapsed >= SPINNER_AFTER {
        numbers.push(text::duration(elapsed));
    }
    let tail = numbers.join(symbols.dot);
    let tail_room = text::width(&tail) + usize::from(!tail.is_empty());
    let merged = merged(&row.timeline.spans);
    let mut quick = merged.iter().map(|lane| !lane.running && lane.took < WORTH_A_NUMBER).collect::<Vec<_>>();
    let mut lanes: Vec<Vec<Span<'static>>> = merged.iter().map(|lane| lane_spans(lane, row, elapsed, theme)).collect();
    if lanes.is_empty() {
        lanes.push(vec![Span::styled("queue", roles.dim)]);
    }
    let width_of = |lane: &[Span<'_>]| lane.iter().map(|span| text::width(&span.content)).sum::<usize>();
    let lane_room = room.saturating_sub(tail_room + 1);
    let mut dropped = false;
    while lanes.len() > 1 && lanes.iter().map(|lane| width_of(lane)).sum::<usize>() + usize::from(dropped) > lane_room {
        // What took no time goes first, then what is longest ago.
        match quick.iter().position(|quick| *quick) {
            Some(at) => {
                lanes.remove(at);
                quick.remove(at);
            }
            None => {
                lanes.remove(0);
                dropped = true;
            }
        }
    }
    let mut spans = Vec::new();
    if dropped {
        spans.push(Span::styled(symbols.ellipsis, roles.dim));
    }
    spans.extend(lanes.into_iter().flatten());
    spans.push(Span::styled(symbols.edge, roles.border));
    if !tail.is_empty() {
        spans.push(Span::raw(" "));
        spans.push(Span::styled(tail, roles.text));
    }
    spans
}

/// A run of phases of one kind.
struct Lane {
    phase: Phase,
    took: Duration,
    running: bool,
    failed: bool,
}

/// Consecutive phases of one kind as one: three attempts to connect, a hundred pulls with what they are made of; only of the
/// pull that runs it is told what it does. What only closes, or lasted no time at all while others did, is left to the
/// full timeline.
fn merged(spans: &[PhaseSpan]) -> Vec<Lane> {
    let mut lanes: Vec<Lane> = Vec::new();
    let mut pulled = None;
    for span in spans {
        if matches!(span.phase, Phase::Pull(_)) {
            pulled = span.end;
        }
        let of_pull = matches!(span.phase, Phase::Send | Phase::Wait | Phase::Receive)
            && pulled.is_some_and(|end| span.start < end);
        if of_pull
            || matches!(span.phase, Phase::Close | Phase::Protocol)
            || (matches!(span.phase, Phase::Queue) && span.end.is_some())
        {
            continue;
        }
        let took = span.end.map_or(Duration::ZERO, |end| end.saturating_sub(span.start));
        let same = |lane: &Lane| std::mem::discriminant(&lane.phase) == std::mem::discriminant(&span.phase);
        match lanes.last_mut() {
            Some(lane) if same(lane) => {
                lane.phase = span.phase;
                lane.took += took;
                lane.running = span.end.is_none();
                lane.failed = span.error.is_some();
            }
            _ => {
                lanes.push(Lane { phase: span.phase, took, running: span.end.is_none(), failed: span.error.is_some() })
            }
        }
    }
    lanes
}

fn lane_spans(lane: &Lane, row: &OperationRow, elapsed: Duration, theme: &Theme) -> Vec<Span<'static>> {
    let (roles, symbols) = (&theme.roles, &theme.symbols);
    let mut style = if lane.failed { roles.error } else { phase_style(lane.phase, theme) };
    if lane.running {
        style = style.add_modifier(Modifier::BOLD);
    }
    let mut label = short(lane.phase);
    let took = if lane.running {
        row.timeline.running().map_or(Duration::ZERO, |span| elapsed.saturating_sub(span.start)) + lane.took
    } else {
        lane.took
    };
    if took >= WORTH_A_NUMBER && !(lane.running && took < SPINNER_AFTER) {
        label.push(' ');
        label.push_str(&text::duration(took));
    }
    let mut spans = vec![Span::styled(symbols.edge, roles.border), Span::styled(label, style)];
    if matches!(lane.phase, Phase::Receive | Phase::Pull(_)) {
        spans.push(Span::raw(" "));
        spans.push(Span::styled(bar(row.timeline.bytes().1, theme), style));
    }
    spans
}

/// The short name of a phase, as the lane has it.
pub fn short(phase: Phase) -> String {
    match phase {
        Phase::Authenticate(leg) if leg > 1 => format!("auth {leg}"),
        Phase::Authenticate(_) => "auth".to_owned(),
        other => other.to_string(),
    }
}

/// The look of a phase.
pub fn phase_style(phase: Phase, theme: &Theme) -> Style {
    match phase {
        Phase::Queue | Phase::Close => theme.roles.dim,
        Phase::Wait | Phase::Send => theme.roles.phase_wait,
        Phase::Receive | Phase::Pull(_) => theme.roles.phase_data,
        _ => theme.roles.phase_open,
    }
}

/// How much arrived, on a logarithmic scale: a cell for each power of ten from 100 bytes on.
fn bar(received: u64, theme: &Theme) -> String {
    let eighths = ((received as f64 / 100.0).max(1.0).log10() * 8.0) as usize;
    cells(eighths.min(8 * 8), theme)
}

/// A bar of `eighths` of a cell.
pub fn cells(eighths: usize, theme: &Theme) -> String {
    let bar = &theme.symbols.bar;
    let mut out = bar[0].repeat(eighths / 8);
    if let Some(part) = bar.get(eighths % 8)
        && !eighths.is_multiple_of(8)
    {
        out.push_str(part);
    }
    out
}

/// What runs and what is open now, for the frame of the operations pane; nothing at rest.
pub fn frame_note(theme: &Theme, state: &State, pane: Pane) -> Option<Line<'static>> {
    let roles = &theme.roles;
    let (open, running) = (state.operations().open_connections(), state.operations().running());
    (pane == Pane::Operations && (running > 0 || open > 0)).then(|| {
        Line::from(vec![
            Span::styled(format!("{running} running"), roles.accent),
            Span::styled(theme.symbols.dot, roles.dim),
            Span::styled(text::plural(open as u64, "connection open", "connections open"), roles.ok),
        ])
    })
}
