//! The full timeline of one operation: every phase, every connection, the error in full.
//!
//! Owns: the lines of that page. Must not know how it is scrolled.

use std::time::Duration;

use ratatui::{
    style::{Modifier, Style},
    text::{Line, Span},
};

use super::{
    operations::{cells, connections, phase_style, short},
    text,
};
use crate::{
    app::{
        ERROR_LABEL, ErrorPart, OperationRow,
        phase_columns::{self, CONN, PHASE, TIME},
        phase_details, safe, timeline_title,
    },
    op::{
        Closer, OpError, PeerCertificate, Phase, Purpose, RowTone, Verdict,
        lifecycle::{Outcome, Span as PhaseSpan},
    },
    tui::theme::Theme,
};

/// The page as lines for `width` cells.
pub fn lines(row: &OperationRow, now: Duration, theme: &Theme, width: usize) -> Vec<Line<'static>> {
    let roles = &theme.roles;
    let title = timeline_title(row, width).into_iter();
    let title = title.map(|line| Line::from(Span::styled(line, roles.text.add_modifier(Modifier::BOLD))));
    let mut out = title.chain([summary(row, now, theme), Line::default()]).collect();
    phases(&mut out, row, now, theme, width);
    for (conn, certificate) in &row.timeline.certificates {
        out.push(Line::default());
        out.push(Line::from(Span::styled(format!("certificate, connection {}", conn.0), roles.heading)));
        out.extend(certificate_spans(certificate, theme, width));
    }
    out.push(Line::default());
    if row.timeline.connections.is_empty() {
        out.push(Line::from(Span::styled("No connection was opened.", roles.dim)));
    } else {
        connection_lines(&mut out, row, theme, width);
    }
    if let Some((_, Outcome::Failed(error))) = &row.timeline.outcome {
        out.push(Line::default());
        error_lines(&mut out, error, theme, width);
    }
    if let Some((_, Outcome::Cancelled(Some(told)))) = &row.timeline.outcome {
        out.push(Line::default());
        let told = text::wrap(&safe(told), width, 2_000);
        out.extend(told.into_iter().map(|line| Line::from(Span::styled(line, roles.warning))));
    }
    for warning in &row.timeline.warnings {
        out.push(Line::default());
        out.push(Line::from(Span::styled("Warning", roles.warning)));
        error_lines(&mut out, warning, theme, width);
    }
    out
}

fn summary(row: &OperationRow, now: Duration, theme: &Theme) -> Line<'static> {
    let (roles, dot) = (&theme.roles, theme.symbols.dot);
    let (word, style) = match &row.timeline.outcome {
        None if row.waits_for_secret => ("waits for the password", roles.warning),
        None => ("running", roles.accent),
        Some((_, Outcome::Finished(_))) => ("ok", roles.ok),
        Some((_, Outcome::Failed(_))) => ("failed", roles.error),
        Some((_, Outcome::Cancelled(_))) => ("cancelled", roles.warning),
    };
    let (sent, received) = row.timeline.bytes();
    Line::from(vec![
        Span::styled(word, style),
        Span::styled(format!(" {}", text::duration(row.elapsed(now))), roles.text),
        Span::styled(
            format!(
                "{dot}{}{dot}{} sent, {} received{dot}{}",
                text::plural(row.timeline.rows, "row", "rows"),
                text::bytes(sent),
                text::bytes(received),
                connections(&row.timeline),
            ),
            roles.dim,
        ),
    ])
}

fn phases(out: &mut Vec<Line<'static>>, row: &OperationRow, now: Duration, theme: &Theme, width: usize) {
    let roles = &theme.roles;
    let total = row.elapsed(now).max(Duration::from_micros(1));
    let bar = phase_columns::bar(width);
    let mut heading = format!(
        "{}{}{}{}",
        text::left("phase", PHASE, ""),
        text::right("start", TIME, ""),
        text::right("took", TIME, ""),
        text::right("conn", CONN, ""),
    );
    heading.push_str("  ");
    heading.push_str(&text::left("", bar + usize::from(bar > 0), ""));
    heading.push_str("detail");
    out.push(Line::from(Span::styled(heading, roles.heading)));
    if row.timeline.spans.is_empty() {
        out.push(Line::from(Span::styled("nothing yet", roles.dim)));
    }
    let unchecked = |shown: &PeerCertificate| matches!(shown.verdict, Verdict::Unchecked { .. });
    let unchecked = row.timeline.certificates.iter().any(|(_, shown)| unchecked(shown));
    for span in &row.timeline.spans {
        let detail = if unchecked && span.phase == Phase::Tls { roles.danger } else { roles.dim };
        out.extend(phase_lines(span, total, width, theme, detail));
    }
}

/// A phase, and what more it tells below.
fn phase_lines(span: &PhaseSpan, total: Duration, width: usize, theme: &Theme, told: Style) -> Vec<Line<'static>> {
    let roles = &theme.roles;
    let bar = phase_columns::bar(width);
    let failed = span.error.is_some();
    let style = if failed { roles.error } else { phase_style(span.phase, theme) };
    let end = span.end.unwrap_or(total);
    let took = match span.end {
        Some(end) => text::duration(end.saturating_sub(span.start)),
        None => theme.symbols.ellipsis.to_owned(),
    };
    let conn = span.conn.map_or_else(|| "-".to_owned(), |conn| conn.0.to_string());
    let mut spans = vec![
        Span::styled(text::left(&short(span.phase), PHASE, theme.symbols.ellipsis), style),
        Span::styled(text::right(&text::duration(span.start), TIME, ""), roles.dim),
        Span::styled(text::right(&took, TIME, ""), roles.text),
        Span::styled(text::right(&conn, CONN, ""), roles.dim),
        Span::raw("  "),
    ];
    if bar > 0 {
        spans.push(Span::styled(waterfall(span.start, end, total, bar, theme), style));
        spans.push(Span::raw(" "));
    }
    let told = if failed { roles.error } else { told };
    let mut details = phase_details(span, width)
        .into_iter()
        .map(|detail| Span::styled(detail.replace('…', theme.symbols.ellipsis), told));
    spans.extend(details.next());
    let indent = " ".repeat(phase_columns::before_details(width));
    let more = details.map(|detail| Line::from(vec![Span::raw(indent.clone()), detail]));
    [Line::from(spans)].into_iter().chain(more).collect()
}

/// Where `start..end` lies in `total`, as a bar in `room` cells; never empty.
fn waterfall(start: Duration, end: Duration, total: Duration, room: usize, theme: &Theme) -> String {
    let scale =
        |time: Duration| ((time.as_secs_f64() / total.as_secs_f64()).clamp(0.0, 1.0) * room as f64 * 8.0) as usize;
    let (from, to) = (scale(start) / 8, scale(end));
    let from = from.min(room.saturating_sub(1));
    let eighths = to.saturating_sub(from * 8).clamp(2, (room - from) * 8);
    text::left(&format!("{}{}", " ".repeat(from), cells(eighths, theme)), room, "")
}

fn connection_lines(out: &mut Vec<Line<'static>>, row: &OperationRow, theme: &Theme, width: usize) {
    let roles = &theme.roles;
    let wide = width >= 70;
    let mut heading = format!(
        "{}{}{}",
        text::left("connection", PHASE, ""),
        text::right("opened", TIME, ""),
        text::right("closed", TIME, ""),
    );
    if wide {
        heading.push_str("  by    ");
        heading.push_str(&text::right("sent", TIME, ""));
        heading.push_str(&text::right("received", TIME + 1, ""));
    }
    heading.push_str("  peer");
    out.push(Line::from(Span::styled(heading, roles.heading)));
    for connection in &row.timeline.connections {
        let (closed, by) = match connection.closed {
            Some((at, Closer::Us)) => (text::duration(at), "us"),
            Some((at, Closer::Peer)) => (text::duration(at), "peer"),
            None => ("open".to_owned(), ""),
        };
        let name = format!("{} {}", connection.id.0, purpose(connection.purpose));
        let style = if connection.closed.is_some() { roles.text } else { roles.ok };
        let mut line = vec![
            Span::styled(text::left(&name, PHASE, theme.symbols.ellipsis), style),
            Span::styled(text::right(&text::duration(connection.opened), TIME, ""), roles.dim),
            Span::styled(text::right(&closed, TIME, ""), style),
        ];
        if wide {
            line.push(Span::styled(format!("  {by:<6}"), roles.dim));
            line.push(Span::styled(text::right(&text::bytes(connection.sent), TIME, ""), roles.text));
            line.push(Span::styled(text::right(&text::bytes(connection.received), TIME + 1, ""), roles.text));
        }
        line.push(Span::styled(format!("  {}", connection.peer), roles.dim));
        out.push(Line::from(line));
    }
}

/// A certificate in full; what must not be overlooked is red, and says so in words.
pub fn certificate_spans(certificate: &PeerCertificate, theme: &Theme, width: usize) -> Vec<Line<'static>> {
    let roles = &theme.roles;
    let line = |(label, text, tone): (&str, String, RowTone)| {
        let style = if tone == RowTone::Danger { roles.danger } else { roles.text };
        Line::from(vec![Span::styled(text::left(label, ERROR_LABEL, ""), roles.dim), Span::styled(text, style)])
    };
    crate::app::certificate_lines(certificate, width).into_iter().map(line).collect()
}

const fn purpose(purpose: Purpose) -> &'static str {
    match purpose {
        Purpose::Server => "server",
        Purpose::Schema => "schema",
        Purpose::Kdc => "kdc",
        Purpose::EndpointMapper => "epmap",
        Purpose::Proxy => "proxy",
    }
}

/// An error in full: where, why, and what to try.
pub fn error_lines(out: &mut Vec<Line<'static>>, error: &OpError, theme: &Theme, width: usize) {
    let roles = &theme.roles;
    for (part, label, line) in crate::app::error_lines(error, width) {
        let style = match part {
            ErrorPart::Phase | ErrorPart::Target => roles.text,
            ErrorPart::Cause | ErrorPart::Mark => roles.error,
            ErrorPart::Hint => roles.accent,
            ErrorPart::Raw => roles.dim,
        };
        let label = Span::styled(text::left(label, ERROR_LABEL, ""), roles.dim);
        out.push(Line::from(vec![label, Span::styled(line, style)]));
    }
}
