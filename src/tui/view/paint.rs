//! The brush: frames, lines and bars on a buffer, clipped to an area, never panicking whatever the sizes are.
//!
//! Owns: the primitives every pane is drawn with. Must not know state.

use std::ops::Range;

use ratatui::{
    buffer::Buffer,
    layout::Rect,
    style::{Modifier, Style},
    text::{Line, Span},
};

use super::text;
use crate::{
    app::{Area, Spot},
    tui::theme::Theme,
};

/// An area of the layout as the drawing library has it.
pub fn rect(area: Area) -> Rect {
    Rect::new(area.x, area.y, area.width, area.height)
}

/// What a filter matched inside the bar of the selected row.
const MATCHED: Modifier = Modifier::BOLD.union(Modifier::UNDERLINED);

/// A buffer being painted with a theme.
pub struct Brush<'a> {
    /// The cells.
    pub buffer: &'a mut Buffer,
    /// The look.
    pub theme: &'a Theme,
    /// What can be clicked on the layers, the topmost last.
    pub spots: Vec<(Rect, Spot)>,
}

impl Brush<'_> {
    /// Makes row `row` of `area` a place to click.
    pub fn spot(&mut self, area: Rect, row: u16, spot: Spot) {
        if row < area.height {
            self.spots.push((Rect { y: area.y + row, height: 1, ..area }, spot));
        }
    }

    /// A text in `area` at its row `row`, cut with an ellipsis.
    pub fn text(&mut self, area: Rect, row: u16, content: &str, style: Style) {
        self.line(area, row, Line::from(Span::styled(content, style)));
    }

    /// A line in `area` at its row `row`. What does not fit is cut with an ellipsis.
    pub fn line(&mut self, area: Rect, row: u16, line: Line<'_>) {
        let area = area.intersection(self.buffer.area);
        if row >= area.height || area.width == 0 {
            return;
        }
        let cut = fit_line(line, usize::from(area.width), self.theme.symbols.ellipsis);
        self.buffer.set_line(area.x, area.y + row, &cut, area.width);
    }

    /// A line whose end is at the right edge of `area`; nothing if it does not fit.
    pub fn line_right(&mut self, area: Rect, row: u16, line: Line<'_>) {
        let wide = line_width(&line);
        if wide > usize::from(area.width) {
            return;
        }
        let wide = wide as u16;
        self.line(Rect { x: area.right() - wide, width: wide, ..area }, row, line);
    }

    /// Turns row `row` of `area` into the bar of the selected row: one look from edge to edge, whatever its parts looked
    /// like. Only what a filter matched, which is underlined, still stands out.
    pub fn select(&mut self, area: Rect, row: u16, focused: bool) {
        let roles = &self.theme.roles;
        let bar = if focused { roles.selection } else { roles.selection_unfocused };
        let underlined = bar.add_modifier.contains(Modifier::UNDERLINED);
        let matched = bar.add_modifier(if underlined { Modifier::REVERSED } else { MATCHED });
        if row >= area.height {
            return;
        }
        let area = Rect { y: area.y + row, height: 1, ..area }.intersection(self.buffer.area);
        for x in area.left()..area.right() {
            if let Some(cell) = self.buffer.cell_mut((x, area.y)) {
                let style = if cell.modifier.contains(Modifier::UNDERLINED) { matched } else { bar };
                cell.set_style(Style::reset()).set_style(style);
            }
        }
    }

    /// A note at the right of the lower border of `area`; nothing if it does not fit.
    pub fn bottom_note(&mut self, area: Rect, line: Line<'_>) {
        if area.height < 2 || line_width(&line) + 2 > usize::from(area.width) {
            return;
        }
        self.line_right(Rect { x: area.x + 1, width: area.width - 2, ..area }, area.height - 1, line);
    }

    /// Blanks `area`.
    pub fn clear(&mut self, area: Rect) {
        let area = area.intersection(self.buffer.area);
        for y in area.top()..area.bottom() {
            for x in area.left()..area.right() {
                if let Some(cell) = self.buffer.cell_mut((x, y)) {
                    cell.reset();
                    cell.set_style(self.theme.roles.text);
                }
            }
        }
    }

    /// A frame around `area` with a title, and notes at its right; the answer is the area inside.
    pub fn frame(&mut self, area: Rect, focused: bool, title: Line<'_>, note: Option<Line<'_>>) -> Rect {
        let roles = &self.theme.roles;
        let style = if focused { roles.border_focused } else { roles.border };
        self.boxed(area, style);
        let top = Rect { x: area.x + 1, width: area.width.saturating_sub(2), height: area.height.min(1), ..area };
        let title_style = if focused { roles.title_focused } else { roles.title };
        let mut spans = vec![Span::styled(" ", style)];
        spans.extend(title.spans.into_iter().map(|span| Span::styled(span.content, title_style.patch(span.style))));
        spans.push(Span::styled(" ", style));
        let title = Line::from(spans);
        let taken = line_width(&title);
        self.line(top, 0, title);
        if let Some(note) = note {
            let mut spans = vec![Span::styled(" ", style)];
            spans.extend(note.spans);
            spans.push(Span::styled(" ", style));
            let note = Line::from(spans);
            if taken + line_width(&note) < usize::from(top.width) {
                self.line_right(top, 0, note);
            }
        }
        inside(area)
    }

    /// The border alone.
    pub fn boxed(&mut self, area: Rect, style: Style) {
        let area = area.intersection(self.buffer.area);
        if area.width < 2 || area.height < 2 {
            return;
        }
        let set = self.theme.symbols.border;
        let (left, right, top, bottom) = (area.left(), area.right() - 1, area.top(), area.bottom() - 1);
        for x in left + 1..right {
            self.cell(x, top, set.horizontal_top, style);
            self.cell(x, bottom, set.horizontal_bottom, style);
        }
        for y in top + 1..bottom {
            self.cell(left, y, set.vertical_left, style);
            self.cell(right, y, set.vertical_right, style);
        }
        self.cell(left, top, set.top_left, style);
        self.cell(right, top, set.top_right, style);
        self.cell(left, bottom, set.bottom_left, style);
        self.cell(right, bottom, set.bottom_right, style);
    }

    fn cell(&mut self, x: u16, y: u16, symbol: &str, style: Style) {
        if let Some(cell) = self.buffer.cell_mut((x, y)) {
            cell.set_symbol(symbol).set_style(style);
        }
    }

    /// The thumb of a scroll bar on the right border of `area`, if a list of `len` rows does not fit into `shown`.
    pub fn thumb(&mut self, area: Rect, len: usize, shown: usize, offset: usize, focused: bool) {
        let track = usize::from(area.height.saturating_sub(2));
        if shown == 0 || len <= shown || track < 2 || area.width < 2 {
            return;
        }
        let size = (track * shown / len).clamp(1, track);
        let start = (track - size) * offset.min(len - shown) / (len - shown);
        let style = if focused { self.theme.roles.border_focused } else { self.theme.roles.dim };
        for y in start..start + size {
            self.cell(area.right() - 1, area.y + 1 + y as u16, self.theme.symbols.thumb, style);
        }
    }

    /// A message in the middle of `area`, one line per text.
    pub fn notice(&mut self, area: Rect, lines: &[(&str, Style)]) {
        let start = area.height.saturating_sub(lines.len() as u16) / 2;
        for (at, (content, style)) in lines.iter().enumerate() {
            let cut = text::fit(content, usize::from(area.width), self.theme.symbols.ellipsis);
            let x = (usize::from(area.width).saturating_sub(text::width(&cut)) / 2) as u16;
            let place = Rect { x: area.x + x, width: area.width.saturating_sub(x), ..area };
            self.text(place, start + at as u16, &cut, *style);
        }
    }

    /// Paints a popup of at most `width` by `height` cells in the middle of `screen`; the answer is the area inside.
    pub fn popup(&mut self, screen: Rect, width: u16, height: u16, title: Line<'_>, note: Option<Line<'_>>) -> Rect {
        let area = centered(screen, width, height);
        self.clear(area);
        self.frame(area, true, title, note)
    }
}

/// An area of at most `width` by `height` in the middle of `screen`.
pub fn centered(screen: Rect, width: u16, height: u16) -> Rect {
    let (width, height) = (width.min(screen.width), height.min(screen.height));
    Rect { x: screen.x + (screen.width - width) / 2, y: screen.y + (screen.height - height) / 2, width, height }
}

/// The items of a list that a window of `height` rows beginning at `offset` shows: row on the screen, position, item.
pub fn window<T>(items: &[T], offset: usize, height: u16) -> impl Iterator<Item = (u16, usize, &T)> {
    items
        .iter()
        .enumerate()
        .skip(offset)
        .take(usize::from(height))
        .enumerate()
        .map(|(row, (at, item))| (row as u16, at, item))
}

/// `content` with its `ranges` (byte ranges, in order) in the look of a match.
pub fn highlighted(content: String, ranges: &[Range<usize>], style: Style, matched: Style) -> Vec<Span<'static>> {
    if ranges.is_empty() {
        return vec![Span::styled(content, style)];
    }
    let mut spans = Vec::new();
    let mut done = 0;
    let mut push = |from: usize, to: usize, style| {
        if let Some(part) = content.get(from..to).filter(|part| !part.is_empty()) {
            spans.push(Span::styled(part.to_owned(), style));
        }
    };
    for range in ranges {
        if range.start < done || !content.is_char_boundary(range.start) || !content.is_char_boundary(range.end) {
            continue;
        }
        push(done, range.start, style);
        push(range.start, range.end, style.patch(matched));
        done = range.end;
    }
    push(done, content.len(), style);
    spans
}

/// The area inside a frame.
pub fn inside(area: Rect) -> Rect {
    if area.width < 2 || area.height < 2 {
        return Rect { width: 0, height: 0, ..area };
    }
    Rect { x: area.x + 1, y: area.y + 1, width: area.width - 2, height: area.height - 2 }
}

/// How many cells a line takes.
pub fn line_width(line: &Line<'_>) -> usize {
    line.spans.iter().map(|span| text::width(&span.content)).sum()
}

/// A line cut to `room` cells.
fn fit_line<'a>(line: Line<'a>, room: usize, ellipsis: &str) -> Line<'a> {
    if line_width(&line) <= room {
        return line;
    }
    let mut left = room;
    let mut spans = Vec::new();
    for span in line.spans {
        let wide = text::width(&span.content);
        if wide < left {
            left -= wide;
            spans.push(span);
            continue;
        }
        // This span reaches the edge; something is cut in it or right after it.
        let cut = text::fit(&format!("{}\u{2007}", span.content), left, ellipsis).into_owned();
        spans.push(Span::styled(cut, span.style));
        break;
    }
    Line::from(spans).style(line.style)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;
    use crate::tui::theme::Environment;

    #[test]
    fn a_line_is_cut_across_spans() {
        let line = Line::from(vec![Span::raw("abc"), Span::raw("def"), Span::raw("ghi")]);
        let text = |line: Line<'_>| line.spans.iter().map(|span| span.content.to_string()).collect::<String>();
        assert_eq!(text(fit_line(line.clone(), 9, "…")), "abcdefghi");
        assert_eq!(text(fit_line(line.clone(), 6, "…")), "abcde…");
        assert_eq!(text(fit_line(line.clone(), 5, "…")), "abcd…");
        assert_eq!(text(fit_line(line, 3, "…")), "ab…");
    }

    #[test]
    fn no_size_panics() {
        let theme = Theme::named("mono", false, &Environment::default()).unwrap();
        for width in 0..12 {
            for height in 0..6 {
                let mut buffer = Buffer::empty(Rect::new(0, 0, width, height));
                let mut brush = Brush { buffer: &mut buffer, theme: &theme, spots: Vec::new() };
                for area in [Rect::new(0, 0, width, height), Rect::new(3, 2, 20, 20), Rect::new(width, height, 5, 5)] {
                    let within = brush.frame(area, true, Line::from("title"), Some(Line::from("note")));
                    brush.text(within, 0, "日本語 text", Style::new());
                    brush.thumb(area, 100, 5, 50, true);
                    brush.notice(area, &[("nothing here", Style::new())]);
                    brush.select(area, 3, true);
                    brush.clear(area);
                }
            }
        }
    }
}
