//! Filters: which rows of a list are shown.
//!
//! Owns: the four modes (plain with smart case, `!` inverted, `~` fuzzy, `re:`) and which letters matched. Must not know
//! what is filtered.

use nucleo_matcher::{
    Config, Matcher, Utf32Str,
    pattern::{CaseMatching, Normalization, Pattern},
};
use regex::{Regex, RegexBuilder};

/// The most bytes of a haystack a filter looks at.
const LOOKED_AT: usize = 4 << 10;

/// A filter as typed, ready to be asked.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    text: String,
    kind: Kind,
}

#[derive(Clone, Debug, Default)]
enum Kind {
    #[default]
    All,
    Plain {
        needle: String,
        fold: bool,
        invert: bool,
    },
    Fuzzy(Pattern),
    Pattern(Regex),
    /// A pattern that does not compile yet matches everything, and says why.
    Broken(String),
}

impl Filter {
    /// The filter `text` describes. Capital letters make plain and fuzzy filters mind the case.
    pub fn new(text: &str) -> Self {
        let kind = if let Some(fuzzy) = text.strip_prefix('~') {
            match fuzzy.is_empty() {
                true => Kind::All,
                false => Kind::Fuzzy(Pattern::parse(fuzzy, CaseMatching::Smart, Normalization::Smart)),
            }
        } else if let Some(pattern) = text.strip_prefix("re:") {
            let fold = !pattern.chars().any(char::is_uppercase);
            match RegexBuilder::new(pattern).case_insensitive(fold).size_limit(1 << 20).build() {
                Ok(_) if pattern.is_empty() => Kind::All,
                Ok(regex) => Kind::Pattern(regex),
                Err(error) => Kind::Broken(last_line(&error.to_string())),
            }
        } else {
            let (invert, needle) = text.strip_prefix('!').map_or((false, text), |rest| (true, rest));
            let fold = !needle.chars().any(char::is_uppercase);
            match needle.is_empty() {
                true => Kind::All,
                false => Kind::Plain { needle: needle.to_owned(), fold, invert },
            }
        };
        Self { text: text.to_owned(), kind }
    }

    /// The filter as it was typed.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Whether it lets everything through.
    pub const fn is_all(&self) -> bool {
        matches!(self.kind, Kind::All | Kind::Broken(_))
    }

    /// Whether it shows what does not match.
    pub const fn is_inverted(&self) -> bool {
        matches!(self.kind, Kind::Plain { invert: true, .. })
    }

    /// Why a `re:` filter is not valid.
    pub fn error(&self) -> Option<&str> {
        match &self.kind {
            Kind::Broken(error) => Some(error),
            _ => None,
        }
    }

    /// Whether `text` passes.
    pub fn matches(&self, text: &str, scratch: &mut Scratch) -> bool {
        let text = head(text);
        match &self.kind {
            Kind::All | Kind::Broken(_) => true,
            Kind::Plain { needle, fold, invert } => scratch.contains(text, needle, *fold) != *invert,
            Kind::Fuzzy(pattern) => scratch.score(pattern, text).is_some(),
            Kind::Pattern(regex) => regex.is_match(text),
        }
    }

    /// How well `text` fits a fuzzy filter, higher is better; 0 for the other modes; `None` if it does not pass.
    pub fn score(&self, text: &str, scratch: &mut Scratch) -> Option<u32> {
        match &self.kind {
            Kind::Fuzzy(pattern) => scratch.score(pattern, head(text)),
            _ => self.matches(text, scratch).then_some(0),
        }
    }

    /// The byte ranges of `text` that matched, in order, for highlighting.
    pub fn ranges(&self, text: &str) -> Vec<std::ops::Range<usize>> {
        let text = head(text);
        match &self.kind {
            Kind::Plain { needle, fold, invert: false } => occurrences(text, needle, *fold),
            Kind::Fuzzy(pattern) => fuzzy_ranges(pattern, text),
            Kind::Pattern(regex) => {
                regex.find_iter(text).map(|found| found.range()).filter(|r| !r.is_empty()).collect()
            }
            _ => Vec::new(),
        }
    }
}

/// What filters reuse between haystacks.
pub struct Scratch {
    matcher: Matcher,
    chars: Vec<char>,
    folded: String,
}

impl Default for Scratch {
    fn default() -> Self {
        Self { matcher: Matcher::new(Config::DEFAULT), chars: Vec::new(), folded: String::new() }
    }
}

impl std::fmt::Debug for Scratch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Scratch")
    }
}

impl Scratch {
    fn contains(&mut self, text: &str, needle: &str, fold: bool) -> bool {
        if !fold {
            return text.contains(needle);
        }
        self.folded.clear();
        self.folded.extend(text.chars().flat_map(char::to_lowercase));
        self.folded.contains(needle)
    }

    fn score(&mut self, pattern: &Pattern, text: &str) -> Option<u32> {
        pattern.score(Utf32Str::new(text, &mut self.chars), &mut self.matcher)
    }
}

fn last_line(text: &str) -> String {
    let line = text.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or(text);
    line.trim().trim_start_matches("error: ").to_owned()
}

fn head(text: &str) -> &str {
    match text.char_indices().find(|(at, _)| *at >= LOOKED_AT) {
        Some((at, _)) if text.len() > LOOKED_AT => text.get(..at).unwrap_or(text),
        _ => text,
    }
}

/// Where `needle` stands in `text`; with `fold`, `needle` is in lower case and the text's case is ignored.
fn occurrences(text: &str, needle: &str, fold: bool) -> Vec<std::ops::Range<usize>> {
    if !fold {
        return text.match_indices(needle).map(|(at, found)| at..at + found.len()).collect();
    }
    // Lower-casing can change lengths, so each folded byte remembers the character it came from.
    let mut folded = String::with_capacity(text.len());
    let mut origin = Vec::with_capacity(text.len());
    for (at, c) in text.char_indices() {
        for lower in c.to_lowercase() {
            origin.resize(folded.len() + lower.len_utf8(), at..at + c.len_utf8());
            folded.push(lower);
        }
    }
    let found = folded
        .match_indices(needle)
        .filter_map(|(at, hit)| Some(origin.get(at)?.start..origin.get(at + hit.len().saturating_sub(1))?.end));
    found.collect()
}

fn fuzzy_ranges(pattern: &Pattern, text: &str) -> Vec<std::ops::Range<usize>> {
    let (mut chars, mut found) = (Vec::new(), Vec::new());
    let mut matcher = Matcher::new(Config::DEFAULT);
    if pattern.indices(Utf32Str::new(text, &mut chars), &mut matcher, &mut found).is_none() {
        return Vec::new();
    }
    found.sort_unstable();
    found.dedup();
    // nucleo counts graphemes where the text is not ASCII.
    let pieces = unicode_segmentation::UnicodeSegmentation::grapheme_indices(text, true);
    let mut wanted = found.into_iter().peekable();
    pieces
        .enumerate()
        .filter_map(|(number, (at, piece))| wanted.next_if_eq(&(number as u32)).map(|_| at..at + piece.len()))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn passing<'a>(filter: &str, rows: &[&'a str]) -> Vec<&'a str> {
        let (filter, mut scratch) = (Filter::new(filter), Scratch::default());
        rows.iter().copied().filter(|row| filter.matches(row, &mut scratch)).collect()
    }

    const ROWS: [&str; 4] = ["CIM_Process", "LC_Process", "cim_thread", "CIM_DiskDrive"];

    #[test]
    fn the_four_modes() {
        assert_eq!(passing("proc", &ROWS), ["CIM_Process", "LC_Process"]);
        assert_eq!(passing("CIM", &ROWS), ["CIM_Process", "CIM_DiskDrive"]);
        assert_eq!(passing("!cim", &ROWS), ["LC_Process"]);
        assert_eq!(passing("~cdd", &ROWS), ["CIM_DiskDrive"]);
        assert_eq!(passing("re:^cim_(t|d)", &ROWS), ["cim_thread", "CIM_DiskDrive"]);
        for all in ["", "!", "~", "re:", "re:("] {
            assert_eq!(passing(all, &ROWS), ROWS, "{all}");
        }
        assert!(Filter::new("re:(").error().is_some_and(|why| why.contains("unclosed")));
    }

    #[test]
    fn matched_letters_are_found_whatever_lower_casing_does_to_their_length() {
        assert_eq!(Filter::new("st").ranges("İST est"), vec![2..4, 6..8]);
        assert_eq!(Filter::new("~cdd").ranges("CIM_DiskDrive").len(), 3);
        assert!(Filter::new("!x").ranges("x").is_empty());
    }

    proptest! {
        #[test]
        fn ranges_are_slices_of_the_text(filter in "(~|!|re:)?.{0,6}", text in ".{0,40}") {
            for range in Filter::new(&filter).ranges(&text) {
                prop_assert!(text.get(range).is_some());
            }
        }
    }
}
