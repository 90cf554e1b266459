//! One line of editable text.
//!
//! Owns: [`LineEdit`]: the text, the cursor on a grapheme boundary, the editing keys of readline. Never used for secrets.

use unicode_segmentation::{GraphemeCursor, UnicodeSegmentation};

use super::{Key, KeyCode};

/// The most bytes a line takes.
pub const LINE_BYTES: usize = 16 << 10;

/// A line being edited.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LineEdit {
    text: String,
    cursor: usize,
}

impl LineEdit {
    /// A line holding `text`, with the cursor at its end.
    pub fn new(text: &str) -> Self {
        let mut line = Self::default();
        line.insert(text);
        line
    }

    /// The text.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The text before and after the cursor.
    pub fn parts(&self) -> (&str, &str) {
        self.text.split_at(self.cursor)
    }

    /// Whether nothing is typed.
    pub fn is_empty(&self) -> bool {
        self.text.is_empty()
    }

    /// Replaces the text; the cursor goes to its end.
    pub fn set(&mut self, text: &str) {
        *self = Self::new(text);
    }

    /// Inserts `text` at the cursor as one edit. Line ends and tabs become spaces, other control characters are dropped, and
    /// what would exceed [`LINE_BYTES`] is cut.
    pub fn insert(&mut self, text: &str) {
        let clean = text.replace("\r\n", " ");
        for c in clean.trim_end_matches(['\r', '\n']).chars() {
            let c = if matches!(c, '\n' | '\r' | '\t') { ' ' } else { c };
            if c.is_control() || self.text.len() + c.len_utf8() > LINE_BYTES {
                continue;
            }
            self.text.insert(self.cursor, c);
            self.cursor += c.len_utf8();
        }
    }

    /// Takes an editing key; false if it is none.
    pub fn key(&mut self, key: Key) -> bool {
        if let Some(c) = key.text() {
            self.insert(c.encode_utf8(&mut [0; 4]));
            return true;
        }
        match (key.code, key.ctrl, key.alt) {
            (KeyCode::Backspace, false, false) | (KeyCode::Char('h'), true, false) => {
                self.cut(self.before(), self.cursor)
            }
            (KeyCode::Delete, false, false) | (KeyCode::Char('d'), true, false) => self.cut(self.cursor, self.after()),
            (KeyCode::Backspace, _, true) | (KeyCode::Char('w'), true, false) => self.cut(self.word(), self.cursor),
            (KeyCode::Char('u'), true, false) => self.cut(0, self.cursor),
            (KeyCode::Char('k'), true, false) => self.cut(self.cursor, self.text.len()),
            (KeyCode::Left, false, false) | (KeyCode::Char('b'), true, false) => self.cursor = self.before(),
            (KeyCode::Right, false, false) | (KeyCode::Char('f'), true, false) => self.cursor = self.after(),
            (KeyCode::Left, true, false) | (KeyCode::Char('b'), false, true) => self.cursor = self.word(),
            (KeyCode::Home, false, false) | (KeyCode::Char('a'), true, false) => self.cursor = 0,
            (KeyCode::End, false, false) | (KeyCode::Char('e'), true, false) => self.cursor = self.text.len(),
            _ => return false,
        }
        true
    }

    fn cut(&mut self, from: usize, to: usize) {
        self.text.replace_range(from..to, "");
        self.cursor = from;
    }

    fn before(&self) -> usize {
        let mut cursor = GraphemeCursor::new(self.cursor, self.text.len(), true);
        cursor.prev_boundary(&self.text, 0).ok().flatten().unwrap_or(0)
    }

    fn after(&self) -> usize {
        let mut cursor = GraphemeCursor::new(self.cursor, self.text.len(), true);
        cursor.next_boundary(&self.text, 0).ok().flatten().unwrap_or(self.text.len())
    }

    fn word(&self) -> usize {
        let mut words = self.text.get(..self.cursor).unwrap_or_default().unicode_word_indices();
        words.next_back().map_or(0, |(at, _)| at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn typed(line: &mut LineEdit, keys: &str) {
        for key in keys.split(' ').filter_map(|text| text.parse::<Key>().ok()) {
            line.key(key);
        }
    }

    #[test]
    fn edits_like_readline() {
        let mut line = LineEdit::new("root cimv2");
        typed(&mut line, "ctrl-w x");
        assert_eq!(line.text(), "root x");
        typed(&mut line, "home delete delete");
        assert_eq!(line.parts(), ("", "ot x"));
        typed(&mut line, "end ctrl-u");
        assert_eq!(line.text(), "");
    }

    #[test]
    fn a_paste_is_one_line_without_control_characters() {
        let mut line = LineEdit::default();
        line.insert("a\r\nb\u{1b}[31m\tc\n");
        assert_eq!(line.text(), "a b[31m c");
        assert_eq!(LineEdit::new(&"x".repeat(LINE_BYTES * 2)).text().len(), LINE_BYTES);
    }

    proptest! {
        #[test]
        fn no_key_breaks_a_line(start in ".{0,20}", keys in proptest::collection::vec(0_usize..12, 0..40)) {
            let names = ["left", "right", "backspace", "delete", "ctrl-w", "ctrl-left", "home", "end", "é", "ctrl-k", "alt-b", "x"];
            let mut line = LineEdit::new(&start);
            for key in keys {
                typed(&mut line, names[key]);
                let (before, after) = line.parts();
                prop_assert_eq!(format!("{before}{after}"), line.text());
            }
        }
    }
}
