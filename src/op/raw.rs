//! The raw text around a fault.
//!
//! Owns: [`RawExcerpt`], a bounded piece of an answer with the fault marked in it, and how it is laid out in lines. Holds what a server
//! sent and nothing else: never a request, never credentials. Must not know what the text means.

use std::fmt;

use unicode_width::UnicodeWidthChar as _;

use crate::cim::text::escape_for_terminal;

/// A piece of an answer around the place it could not be read at.
#[derive(Clone, PartialEq, Eq)]
pub struct RawExcerpt {
    /// Where the fault stands, in bytes of the body after decoding to UTF-8.
    pub fault: u64,
    /// The text, bytes that are not UTF-8 replaced, otherwise as it was sent: not safe for a terminal.
    pub text: Box<str>,
    /// Where in `text` the fault stands, in bytes.
    pub mark: usize,
}

/// A line of an excerpt, safe for a terminal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RawLine {
    /// Its text.
    pub text: String,
    /// It only marks the place of the fault in the line above it.
    pub is_mark: bool,
}

impl RawExcerpt {
    /// The most bytes kept before the fault.
    pub const BEFORE: usize = 2 << 10;
    /// The most bytes kept from the fault on.
    pub const AFTER: usize = 1 << 10;

    /// The excerpt of `item`, which begins at `offset` in the body, around the fault at `fault`.
    pub fn of(item: &[u8], offset: u64, fault: u64) -> Self {
        let at = usize::try_from(fault.saturating_sub(offset)).unwrap_or(usize::MAX).min(item.len());
        let mut from = at.saturating_sub(Self::BEFORE);
        while from > 0 && from < at && is_inside(item, from) {
            from += 1;
        }
        let mut to = at.saturating_add(Self::AFTER).min(item.len());
        while to < item.len() && to > at && is_inside(item, to) {
            to -= 1;
        }
        let part = |range| String::from_utf8_lossy(item.get(range).unwrap_or_default());
        let mut text = part(from..at).into_owned();
        if from > 0 {
            text.insert(0, '\u{2026}');
        }
        let mark = text.len();
        text.push_str(&part(at..to));
        if to < item.len() {
            text.push('\u{2026}');
        }
        Self { fault, text: text.into_boxed_str(), mark }
    }

    /// What stands in the place of a secret.
    pub(super) const HIDDEN: &str = "(hidden)";

    /// The same with [`Self::HIDDEN`] in the place of `secret`; none where it is not in it.
    pub(super) fn without(&self, secret: &str) -> Option<Self> {
        if secret.is_empty() || !self.text.contains(secret) {
            return None;
        }
        let mut mark = self.mark;
        for (at, _) in self.text.match_indices(secret).filter(|found| found.0 < self.mark) {
            // One that the fault stands in is marked at its end.
            let before = secret.len().min(self.mark - at);
            mark = mark + Self::HIDDEN.len() - before;
        }
        let text = self.text.replace(secret, Self::HIDDEN).into_boxed_str();
        Some(Self { fault: self.fault, text, mark })
    }

    /// The excerpt in lines of at most `width` cells, escaped for a terminal; below the line that holds the fault, one that marks it.
    pub fn lines(&self, width: usize) -> Vec<RawLine> {
        let width = width.max(8);
        let (mut lines, mut line, mut cells, mut mark) = (Vec::new(), String::new(), 0, None);
        for (at, c) in self.text.char_indices() {
            if c == '\n' {
                if at == self.mark {
                    mark = Some(cells);
                }
                self.push(&mut lines, std::mem::take(&mut line), mark.take(), width);
                cells = 0;
                continue;
            }
            let mut buffer = [0; 4];
            let shown = escape_for_terminal(c.encode_utf8(&mut buffer));
            let wide = shown.chars().map(|c| c.width().unwrap_or(0)).sum::<usize>();
            if cells + wide > width {
                self.push(&mut lines, std::mem::take(&mut line), mark.take(), width);
                cells = 0;
            }
            if at == self.mark {
                mark = Some(cells);
            }
            line.push_str(&shown);
            cells += wide;
        }
        if self.mark >= self.text.len() {
            mark = Some(cells.min(width - 1));
        }
        self.push(&mut lines, line, mark, width);
        lines
    }

    fn push(&self, lines: &mut Vec<RawLine>, text: String, mark: Option<usize>, width: usize) {
        lines.push(RawLine { text, is_mark: false });
        let Some(cells) = mark else { return };
        let told = format!(" byte {}", self.fault);
        let told = if cells + 1 + told.len() <= width { told.as_str() } else { "" };
        lines.push(RawLine { text: format!("{}^{told}", " ".repeat(cells)), is_mark: true });
    }
}

/// Whether `at` is inside a sequence of UTF-8.
fn is_inside(bytes: &[u8], at: usize) -> bool {
    bytes.get(at).is_some_and(|byte| byte & 0xc0 == 0x80)
}

impl fmt::Debug for RawExcerpt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RawExcerpt")
            .field("fault", &self.fault)
            .field("bytes", &self.text.len())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use proptest::prelude::*;

    use super::*;

    fn texts(raw: &RawExcerpt, width: usize) -> Vec<String> {
        raw.lines(width).into_iter().map(|line| line.text).collect()
    }

    #[test]
    fn the_fault_is_marked_below_its_line() {
        let item = b"<VALUE>ok</VALUE>\n<VALUE>&</VALUE>\n</X>";
        let raw = RawExcerpt::of(item, 100, 125);
        assert_eq!(texts(&raw, 40), ["<VALUE>ok</VALUE>", "<VALUE>&</VALUE>", "       ^ byte 125", "</X>"]);
        assert_eq!(texts(&raw, 10)[2..6], ["<VALUE>&</", "       ^", "VALUE>", "</X>"]);
        let end = RawExcerpt::of(item, 100, 100 + item.len() as u64);
        assert_eq!(texts(&end, 40).last().unwrap(), "    ^ byte 139");
    }

    #[test]
    fn it_is_bounded_and_cut_between_characters() {
        let item = "\u{e4}".repeat(10_000);
        let raw = RawExcerpt::of(item.as_bytes(), 0, 10_001);
        assert!(raw.text.starts_with("\u{2026}\u{e4}") && raw.text.ends_with("\u{e4}\u{2026}"), "{}", raw.text);
        assert!(raw.text.len() <= RawExcerpt::BEFORE + RawExcerpt::AFTER + 16);
        let short = RawExcerpt::of(b"a\xff\xfeb", 7, 8);
        assert_eq!((&*short.text, short.mark), ("a\u{fffd}\u{fffd}b", 1));
        assert_eq!(&*RawExcerpt::of(b"", 0, 12).text, "");
    }

    #[test]
    fn nothing_in_it_reaches_the_terminal_as_it_is() {
        let raw = RawExcerpt::of(b"a\x1b[31m\xe2\x80\xaeb\tc\r\n", 0, 1);
        assert_eq!(texts(&raw, 60)[..2], ["a\\u{1b}[31m\\u{202e}b\\tc\\r", " ^ byte 1"]);
        assert!(!format!("{raw:?}").contains("31m"), "logs do not hold answers");
    }

    proptest! {
        #[test]
        fn every_line_fits_and_one_marks_the_fault(
            bytes in prop::collection::vec(any::<u8>(), 0..200),
            fault in 0_u64..250,
            width in 0_usize..60,
        ) {
            let lines = RawExcerpt::of(&bytes, 20, fault).lines(width);
            prop_assert_eq!(lines.iter().filter(|line| line.is_mark).count(), 1);
            for line in lines {
                let cells = line.text.chars().map(|c| c.width().unwrap_or(0)).sum::<usize>();
                prop_assert!(cells <= width.max(12), "{:?}", line);
                prop_assert!(!line.text.chars().any(crate::cim::text::is_unsafe_for_terminal));
            }
        }
    }
}
