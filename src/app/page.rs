//! Pages of text over the panes: how their lines break at the width there is.
//!
//! Owns: wrapping, and the lines of an error in full, so that the state can count what the view shows and the end of a page
//! can always be reached. Must not know styles.

use unicode_segmentation::UnicodeSegmentation;
use unicode_width::UnicodeWidthStr;

use super::{OperationRow, display};
use crate::op::{
    OpError, PeerCertificate, RowTone,
    lifecycle::{Outcome, Span},
};

/// The cells the labels of an error's parts take.
pub const ERROR_LABEL: usize = 8;
/// The most lines one part of an error takes.
const PART_LINES: usize = 2_000;

/// Which part of an error a line is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorPart {
    /// The phase it died in.
    Phase,
    /// What was talked to.
    Target,
    /// Why, and why that.
    Cause,
    /// What to try.
    Hint,
    /// The raw text around the fault.
    Raw,
    /// The mark of the fault in the raw text.
    Mark,
}

/// An error as lines of at most `width` cells, escaped: the part, its label (on its first line), the text.
pub fn error_lines(error: &OpError, width: usize) -> Vec<(ErrorPart, &'static str, String)> {
    let mut lines = Vec::new();
    let mut part = |part, label: &'static str, text: &str| {
        let text = text.lines().map(display::safe).collect::<Vec<_>>().join("\n");
        for (at, line) in wrap(&text, width.saturating_sub(ERROR_LABEL), PART_LINES).into_iter().enumerate() {
            lines.push((part, if at == 0 { label } else { "" }, line));
        }
    };
    part(ErrorPart::Phase, "phase", &error.phase.to_string());
    part(ErrorPart::Target, "target", &error.target);
    for (at, cause) in error.causes.iter().enumerate() {
        part(ErrorPart::Cause, if at == 0 { "cause" } else { "" }, cause);
    }
    part(ErrorPart::Hint, "try", &error.hint);
    let raw = error.raw.iter().flat_map(|raw| raw.lines(width.saturating_sub(ERROR_LABEL)));
    for (at, line) in raw.enumerate() {
        let part = if line.is_mark { ErrorPart::Mark } else { ErrorPart::Raw };
        lines.push((part, if at == 0 { "raw" } else { "" }, line.text));
    }
    lines
}

/// A certificate as lines of at most `width` cells, escaped: the label (on the first line of a row), the text, its tone.
pub fn certificate_lines(certificate: &PeerCertificate, width: usize) -> Vec<(&'static str, String, RowTone)> {
    let room = width.saturating_sub(ERROR_LABEL);
    let mut lines = Vec::new();
    for (label, text, tone) in certificate.rows() {
        let text =
            if text == certificate.fingerprint.to_string() { by_bytes(&text, room) } else { display::safe(&text) };
        for (at, line) in wrap(&text, room, PART_LINES).into_iter().enumerate() {
            lines.push((if at == 0 { label } else { "" }, line, tone));
        }
    }
    lines
}

/// A fingerprint broken into equal lines between its bytes, so that they can be compared.
fn by_bytes(fingerprint: &str, room: usize) -> String {
    let bytes = [32, 16, 8].into_iter().find(|bytes| bytes * 3 - 1 <= room).unwrap_or(4);
    let bytes = fingerprint.split(':').collect::<Vec<_>>().chunks(bytes).map(|line| line.join(":")).collect::<Vec<_>>();
    bytes.join("\n")
}

/// The columns of a timeline's table of phases, in cells; the details take the rest of the line.
pub mod phase_columns {
    /// The name of the phase.
    pub const PHASE: usize = 14;
    /// When it began, and how long it took.
    pub const TIME: usize = 9;
    /// The number of its connection.
    pub const CONN: usize = 6;

    /// The waterfall in a page of `width` cells; none where that is narrow.
    pub const fn bar(width: usize) -> usize {
        if width >= 90 {
            30
        } else if width >= 64 {
            14
        } else {
            0
        }
    }

    /// Where the details begin.
    pub const fn before_details(width: usize) -> usize {
        let bar = bar(width);
        PHASE + 2 * TIME + CONN + 2 + if bar > 0 { bar + 1 } else { 0 }
    }
}

/// The most lines what a phase tells takes.
const DETAIL_LINES: usize = 3;

/// What a phase tells in a page of `width` cells, escaped: its detail, or why it failed. The end of a long one is left out;
/// an error is told in full elsewhere.
pub fn phase_details(span: &Span, width: usize) -> Vec<String> {
    let told = match (&span.error, &span.detail) {
        (Some(error), _) => error.cause(),
        (None, Some(detail)) => detail.to_string(),
        (None, None) => return vec![String::new()],
    };
    wrap_cut(&display::safe(&told), width.saturating_sub(phase_columns::before_details(width)), DETAIL_LINES)
}

/// The title of an operation in a page of `width` cells, escaped.
pub fn timeline_title(row: &OperationRow, width: usize) -> Vec<String> {
    wrap(&row.title(), width, PART_LINES)
}

/// How many lines the page of a timeline has in `width` cells: its title and how it went, a table of phases, the certificates,
/// a table of connections, and what went wrong, each after an empty line.
pub fn timeline_height(row: &OperationRow, width: usize) -> usize {
    let timeline = &row.timeline;
    let ended = match &timeline.outcome {
        Some((_, Outcome::Failed(error))) => 1 + error_lines(error, width).len(),
        Some((_, Outcome::Cancelled(Some(told)))) => 1 + wrap(&display::safe(told), width, PART_LINES).len(),
        _ => 0,
    };
    let warnings = timeline.warnings.iter().map(|warning| 2 + error_lines(warning, width).len()).sum::<usize>();
    let certificates = timeline.certificates.iter().map(|(_, shown)| 2 + certificate_lines(shown, width).len());
    let certificates = certificates.sum::<usize>();
    let phases = timeline.spans.iter().map(|span| phase_details(span, width).len()).sum::<usize>();
    let title = timeline_title(row, width).len() + 2;
    title + 1 + phases.max(1) + certificates + 1 + 1 + timeline.connections.len() + ended + warnings
}

/// `text` broken into lines of at most `room` cells, at spaces where possible; at most `most` lines.
pub fn wrap(text: &str, room: usize, most: usize) -> Vec<String> {
    let room = room.max(1);
    let mut lines = Vec::new();
    for paragraph in text.split('\n') {
        let (mut line, mut taken) = (String::new(), 0);
        for word in paragraph.split(' ') {
            let gap = usize::from(!line.is_empty());
            if taken + gap + word.width() <= room {
                line.extend(std::iter::repeat_n(' ', gap));
                line.push_str(word);
                taken += gap + word.width();
                continue;
            }
            if !line.is_empty() {
                lines.push(std::mem::take(&mut line));
                taken = 0;
            }
            for grapheme in word.graphemes(true) {
                let cells = grapheme.width().min(2);
                if taken + cells > room && !line.is_empty() {
                    lines.push(std::mem::take(&mut line));
                    taken = 0;
                }
                line.push_str(grapheme);
                taken += cells;
                if lines.len() >= most {
                    break;
                }
            }
            if lines.len() >= most {
                break;
            }
        }
        lines.push(line);
        if lines.len() >= most {
            break;
        }
    }
    lines.truncate(most);
    lines
}

/// The same; where there would be more than `most` lines, the last ends with an ellipsis.
pub fn wrap_cut(text: &str, room: usize, most: usize) -> Vec<String> {
    let most = most.max(1);
    let mut lines = wrap(text, room, most + 1);
    if lines.len() > most {
        lines.truncate(most);
        for last in lines.iter_mut().skip(most - 1) {
            while last.width() >= room.max(1) && last.pop().is_some() {}
            last.truncate(last.trim_end().len());
            last.push('…');
        }
    }
    lines
}

/// At most `room` characters of an escaped `text`, the last an ellipsis if there are more.
pub(super) fn cut(text: &str, room: usize) -> String {
    match text.char_indices().nth(room) {
        Some(_) => text.chars().take(room.saturating_sub(1)).chain(['…']).collect(),
        None => text.to_owned(),
    }
}

/// The lines of a text of which each may be long: what follows the first part of a line is indented as the line is.
pub fn wrap_lines(texts: &[String], room: usize) -> Vec<String> {
    let mut lines = Vec::with_capacity(texts.len());
    for text in texts {
        if text.len() <= room {
            lines.push(text.clone());
            continue;
        }
        let body = text.trim_start_matches(' ');
        let indent = " ".repeat((text.len() - body.len()).min(room / 2));
        let parts = wrap(body, room.saturating_sub(indent.len()), usize::MAX);
        lines.extend(parts.into_iter().map(|part| format!("{indent}{part}")));
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_wrap_and_long_ones_break() {
        assert_eq!(wrap("the one thing to try", 9, 9), ["the one", "thing to", "try"]);
        assert_eq!(wrap("abcdefgh", 3, 9), ["abc", "def", "gh"]);
        assert_eq!(wrap("a b c d e f", 1, 3), ["a", "b", "c"]);
    }

    #[test]
    fn what_is_left_out_is_marked() {
        assert_eq!(wrap_cut("the one thing to try", 9, 3), ["the one", "thing to", "try"]);
        assert_eq!(wrap_cut("the one thing to try", 9, 2), ["the one", "thing to…"]);
        assert_eq!(wrap_cut("abcdefgh", 4, 1), ["abc…"]);
        assert_eq!((wrap_cut("ab cd", 0, 0), wrap_cut("", 4, 2)), (vec!["…".to_owned()], vec![String::new()]));
    }

    #[test]
    fn what_is_indented_stays_indented() {
        let lines = ["  uint32 Priority; // how urgent".to_owned(), "}".to_owned()];
        assert_eq!(wrap_lines(&lines, 20), ["  uint32 Priority;", "  // how urgent", "}"]);
    }
}
