//! Text that fits: cut by display width, escaped, padded.
//!
//! Owns: the one place that decides how many cells a text takes. Must not know what the text says.

use std::{borrow::Cow, time::Duration};

use unicode_segmentation::UnicodeSegmentation;
use unicode_width::UnicodeWidthStr;

use crate::app::grouped;
pub use crate::app::{wrap, wrap_cut};

/// How many cells `text` takes.
pub fn width(text: &str) -> usize {
    UnicodeWidthStr::width(text)
}

/// How many cells a grapheme takes on the screen; never more than two.
fn cells(grapheme: &str) -> usize {
    width(grapheme).min(2)
}

/// The longest beginning of `text` that takes at most `room` cells; with `ellipsis` at its end if something was cut.
pub fn fit<'a>(text: &'a str, room: usize, ellipsis: &str) -> Cow<'a, str> {
    // Every cell takes at least a byte, so a short text fits without a look at it; a long one is looked at only so far.
    let mut taken = 0;
    let mut cut = 0;
    let reserve = room.saturating_sub(width(ellipsis));
    for (at, grapheme) in text.grapheme_indices(true) {
        let next = taken + cells(grapheme);
        if next > room {
            if room < width(ellipsis) {
                return Cow::Borrowed("");
            }
            return Cow::Owned(format!("{}{ellipsis}", text.get(..cut).unwrap_or_default()));
        }
        if next <= reserve {
            cut = at + grapheme.len();
        }
        taken = next;
    }
    Cow::Borrowed(text)
}

/// The longest end of `text` that takes at most `room` cells, with `ellipsis` before it if something was cut.
pub fn fit_end<'a>(text: &'a str, room: usize, ellipsis: &str) -> Cow<'a, str> {
    if width(text) <= room {
        return Cow::Borrowed(text);
    }
    let reserve = room.saturating_sub(width(ellipsis));
    let mut taken = 0;
    let mut cut = text.len();
    for (at, grapheme) in text.grapheme_indices(true).rev() {
        taken += cells(grapheme);
        if taken > reserve {
            break;
        }
        cut = at;
    }
    if room < width(ellipsis) {
        return Cow::Borrowed("");
    }
    Cow::Owned(format!("{ellipsis}{}", text.get(cut..).unwrap_or_default()))
}

/// `text` cut to `room` cells and filled with spaces on the right.
pub fn left(text: &str, room: usize, ellipsis: &str) -> String {
    let mut out = fit(text, room, ellipsis).into_owned();
    let taken = width(&out);
    out.extend(std::iter::repeat_n(' ', room.saturating_sub(taken)));
    out
}

/// `text` cut to `room` cells and filled with spaces on the left.
pub fn right(text: &str, room: usize, ellipsis: &str) -> String {
    let cut = fit(text, room, ellipsis);
    let mut out = " ".repeat(room.saturating_sub(width(&cut)));
    out.push_str(&cut);
    out
}

/// `1 row`, `2 rows`.
pub fn plural(number: u64, one: &str, many: &str) -> String {
    format!("{} {}", grouped(number), if number == 1 { one } else { many })
}

/// Bytes for people, three digits: `14.2 kB` (of 1000).
pub fn bytes(number: u64) -> String {
    const UNITS: [&str; 5] = ["B", "kB", "MB", "GB", "TB"];
    if number < 1000 {
        return format!("{number} B");
    }
    let mut value = number as f64;
    let mut unit = 0;
    while value >= 999.5 && unit + 1 < UNITS.len() {
        value /= 1000.0;
        unit += 1;
    }
    let digits = if value < 9.995 { 2 } else { usize::from(value < 99.95) };
    format!("{value:.digits$} {}", UNITS[unit])
}

/// A duration for people, three digits: `6.1 ms`, `1.20 s`, `2 m 05 s`.
pub fn duration(time: Duration) -> String {
    let micros = time.as_micros() as u64;
    match micros {
        ..1_000 => format!("{micros} µs"),
        1_000..10_000 => format!("{:.1} ms", micros as f64 / 1e3),
        10_000..999_500 => format!("{:.0} ms", micros as f64 / 1e3),
        999_500..9_995_000 => format!("{:.2} s", micros as f64 / 1e6),
        9_995_000..59_950_000 => format!("{:.1} s", micros as f64 / 1e6),
        _ => format!("{} m {:02} s", time.as_secs() / 60, time.as_secs() % 60),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn text_is_cut_by_cells_not_by_letters() {
        assert_eq!(fit("Ünïcode", 4, "…"), "Ünï…");
        assert_eq!(fit("日本語", 6, "…"), "日本語");
        assert_eq!(fit("日本語", 5, "…"), "日本…");
        assert_eq!(fit("日本語", 4, "…"), "日…");
        assert_eq!(fit("e\u{301}e\u{301}e\u{301}", 2, "…"), "e\u{301}…");
        assert_eq!(fit("abc", 0, "…"), "");
        assert_eq!(fit_end("root/cimv2", 6, "…"), "…cimv2");
        assert_eq!(left("日本", 6, "…"), "日本  ");
        assert_eq!(right("12", 4, "…"), "  12");
    }

    #[test]
    fn numbers_for_people() {
        assert_eq!(grouped(1_204), "1,204");
        assert_eq!(grouped(12), "12");
        assert_eq!(bytes(999), "999 B");
        assert_eq!(bytes(14_230), "14.2 kB");
        assert_eq!(bytes(999_600), "1.00 MB");
        assert_eq!(duration(Duration::from_micros(6_130)), "6.1 ms");
        assert_eq!(duration(Duration::from_micros(999_600)), "1.00 s");
        assert_eq!(duration(Duration::from_secs(125)), "2 m 05 s");
    }

    proptest! {
        #[test]
        fn what_fits_never_takes_more_room(text in "\\PC{0,30}", room in 0_usize..20) {
            let taken = fit(&text, room, "…").graphemes(true).map(cells).sum::<usize>();
            prop_assert!(taken <= room);
            for line in wrap(&text, room, 50) {
                prop_assert!(line.graphemes(true).count() <= text.len());
            }
        }
    }
}
