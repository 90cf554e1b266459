//! Dialogs: the secret, pinning a certificate, quitting, and pages of text over the panes.
//!
//! Owns: how they look. Must not know what they decide. A secret is never here: only how long it is.

use ratatui::{
    layout::{Position, Rect},
    text::{Line, Span},
};

use super::{
    paint::{Brush, line_width},
    text, timeline,
};
use crate::app::{ConfirmDanger, ConfirmPin, SecretPrompt, Spot};

/// The masked field of a secret.
pub fn secret(
    brush: &mut Brush<'_>,
    screen: Rect,
    prompt: &SecretPrompt,
    unkeepable: Option<&str>,
) -> Option<Position> {
    let roles = brush.theme.roles;
    let title = Line::from(format!("Password for {}", prompt.user));
    let inner = brush.popup(screen, 64, 10, title, None);
    let mut row = 0;
    let mut say = |brush: &mut Brush<'_>, line: Line<'_>| {
        brush.line(inner, row, line);
        row += 1;
    };
    say(brush, Line::from(vec![Span::raw(" "), Span::styled(prompt.name.clone(), roles.text)]));
    say(brush, Line::from(vec![Span::raw(" "), Span::styled(prompt.address.clone(), roles.dim)]));
    let refused = if prompt.again { " the server refused the last one" } else { "" };
    say(brush, Line::from(Span::styled(refused, roles.error)));
    let room = usize::from(inner.width).saturating_sub(4);
    let dots = prompt.length.min(room);
    let mark = if brush.theme.symbols.ellipsis == "~" { "*" } else { "•" };
    say(brush, Line::from(vec![Span::styled(" > ", roles.hint_key), Span::styled(mark.repeat(dots), roles.text)]));
    say(brush, Line::default());
    let told = match prompt.keep {
        true => " kept in the keyring once the server has accepted it",
        false => " kept in memory for this run, never written down",
    };
    say(brush, Line::from(Span::styled(told, roles.dim)));
    say(brush, keep(brush, prompt, unkeepable, usize::from(inner.width)));
    brush.spot(inner, 6, Spot::Keep);
    say(brush, keys(brush, &[("enter", "send"), ("ctrl-u", "clear"), ("esc", "decline")]));
    (inner.height > 3 && inner.width > 4).then(|| Position::new(inner.x + 3 + dots as u16, inner.y + 3))
}

/// Whether the secret is to be kept; greyed with the reason where it cannot be.
fn keep(brush: &Brush<'_>, prompt: &SecretPrompt, unkeepable: Option<&str>, room: usize) -> Line<'static> {
    let (roles, ellipsis) = (&brush.theme.roles, brush.theme.symbols.ellipsis);
    if let Some(why) = unkeepable {
        let told = format!(" [-] not in the keyring: {why}");
        return Line::from(Span::styled(text::fit(&told, room, ellipsis).into_owned(), roles.dim));
    }
    let mark = if prompt.keep { " [x] " } else { " [ ] " };
    let style = if prompt.keep { roles.accent } else { roles.text };
    let told = Span::styled("keep in the keyring   ", style);
    Line::from(vec![Span::styled(mark, style), told, Span::styled("ctrl-k", roles.hint_key)])
}

/// Keys and what they do, as the last line of a dialog.
fn keys(brush: &Brush<'_>, keys: &[(&str, &str)]) -> Line<'static> {
    let roles = &brush.theme.roles;
    let mut spans = vec![Span::raw(" ")];
    for (key, told) in keys {
        spans.push(Span::styled((*key).to_owned(), roles.hint_key));
        spans.push(Span::styled(format!(" {told}   "), roles.dim));
    }
    Line::from(spans)
}

/// Really quit?
pub fn confirm_quit(brush: &mut Brush<'_>, screen: Rect, running: usize, yes: bool) {
    let roles = brush.theme.roles;
    let inner = brush.popup(screen, 60, 7, Line::from("Quit"), None);
    let told = if running == 1 {
        " one operation is still running; quitting cancels it".to_owned()
    } else {
        format!(" {running} operations are still running; quitting cancels them")
    };
    brush.text(inner, 1, &told, roles.text);
    buttons(brush, inner, 3, "Yes, quit", yes);
}

/// No and Yes side by side in the middle of `row`.
pub fn buttons(brush: &mut Brush<'_>, inner: Rect, row: u16, sure: &str, yes: bool) {
    let roles = brush.theme.roles;
    let button =
        |label: &str, on: bool| Span::styled(format!("  {label}  "), if on { roles.selection } else { roles.dim });
    let line = Line::from(vec![button("No", !yes), Span::raw("   "), button(sure, yes)]);
    let pad = (usize::from(inner.width).saturating_sub(line_width(&line)) / 2) as u16;
    let place = Rect { x: inner.x + pad, width: inner.width.saturating_sub(pad), ..inner };
    answers(brush, place, row, &line);
    brush.line(place, row, line);
}

/// Makes the buttons of `line`, which blanks part, places to click.
pub fn answers(brush: &mut Brush<'_>, place: Rect, row: u16, line: &Line<'_>) {
    let (mut x, mut number) = (place.x, 0);
    for span in &line.spans {
        let wide = text::width(&span.content) as u16;
        if !span.content.trim().is_empty() {
            let width = wide.min(place.right().saturating_sub(x));
            brush.spot(Rect { x, width, ..place }, row, Spot::Answer(number));
            number += 1;
        }
        x = x.saturating_add(wide).min(place.right());
    }
}

/// Really pin the session to the certificate that was refused?
pub fn confirm_pin(brush: &mut Brush<'_>, screen: Rect, confirm: &ConfirmPin) {
    let roles = brush.theme.roles;
    let width = usize::from(screen.width.min(76)).saturating_sub(4);
    let rows = timeline::certificate_spans(&confirm.certificate, brush.theme, width);
    let advice = "Pin it only if the fingerprint is the one the server itself shows. Then this session accepts no other \
                  certificate, and nothing else is checked.";
    let advice = text::wrap(advice, width, 4);
    let wanted = (rows.len() + advice.len()) as u16 + 5;
    let title = Line::from(format!("Pin {} to this certificate?", confirm.name));
    let inner = brush.popup(screen, 76, wanted, title, None);
    let place = Rect { x: inner.x + 1, width: inner.width.saturating_sub(2), ..inner };
    // On a low screen the buttons stay, and the end of the certificate: its fingerprint is what is asked about.
    let last = inner.height.saturating_sub(1);
    let above = rows.len().saturating_sub(usize::from(last));
    let advice = advice.into_iter().map(|line| Line::from(Span::styled(line, roles.dim)));
    let lines = rows.into_iter().chain([Line::default()]).chain(advice);
    for (row, line) in lines.skip(above).take(usize::from(last)).enumerate() {
        brush.line(place, row as u16, line);
    }
    buttons(brush, inner, last, "Yes, pin", confirm.yes);
}

/// Really read what is dangerous to read?
pub fn confirm_danger(brush: &mut Brush<'_>, screen: Rect, confirm: &ConfirmDanger) {
    let roles = brush.theme.roles;
    let width = usize::from(screen.width.min(72)).saturating_sub(4);
    let where_to = format!("on {}", confirm.sessions.join(", "));
    let lines = text::wrap(&confirm.reason, width, 6).into_iter().map(|line| (line, roles.text));
    let lines = lines.chain(text::wrap(&where_to, width, 4).into_iter().map(|line| (line, roles.dim)));
    let lines = lines.collect::<Vec<_>>();
    let title = Line::from(vec![
        Span::styled("Dangerous: ", roles.danger),
        Span::raw(format!("read {} all the same?", confirm.what)),
    ]);
    let inner = brush.popup(screen, 72, lines.len() as u16 + 6, title, None);
    let place = Rect { x: inner.x + 1, width: inner.width.saturating_sub(2), ..inner };
    let last = inner.height.saturating_sub(2);
    for (row, (line, style)) in (1..last).zip(lines) {
        brush.line(place, row, Line::from(Span::styled(line, style)));
    }
    buttons(brush, inner, last, "Yes, read it", confirm.yes);
}

/// A page of lines with a title, from line `offset` on.
pub fn page(brush: &mut Brush<'_>, screen: Rect, title: &str, lines: &[Line<'static>], offset: usize) {
    let roles = brush.theme.roles;
    let area = page_area(screen);
    brush.clear(area);
    let inner = brush.frame(area, true, Line::from(title.to_owned()), None);
    let inner = Rect { x: inner.x + inner.width.min(1), width: inner.width.saturating_sub(2), ..inner };
    let shown = usize::from(inner.height);
    let offset = offset.min(lines.len().saturating_sub(shown));
    for (row, line) in lines.iter().skip(offset).take(shown).enumerate() {
        brush.line(inner, row as u16, line.clone());
    }
    brush.thumb(area, lines.len(), shown, offset, true);
    if lines.len() > shown {
        let told = format!(" {}-{} of {} ", offset + 1, (offset + shown).min(lines.len()), lines.len());
        brush.bottom_note(area, Line::from(Span::styled(told, roles.dim)));
    }
}

/// Where a page lies: between header and footer, as the state counts its lines.
pub fn page_area(screen: Rect) -> Rect {
    Rect { y: screen.y + screen.height.min(1), height: screen.height.saturating_sub(2), ..screen }
}
