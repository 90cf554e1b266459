//! The column that tells whose a row is.
//!
//! Owns: its name, its width and whether there is one. Must not know which sessions there are, beyond their names.

use unicode_width::UnicodeWidthStr;

/// The name of the column, and of the key in JSON.
pub(super) const SESSION: &str = "session";

/// The first column, where several sessions answer; there is none where one does.
#[derive(Clone, Copy, Debug, Default)]
pub(in crate::cli) struct SessionColumn(Option<usize>);

impl SessionColumn {
    /// The column of sessions with these names.
    pub(in crate::cli) fn of<'n>(names: impl Iterator<Item = &'n str>) -> Self {
        Self(Some(names.chain([SESSION]).map(UnicodeWidthStr::width).max().unwrap_or(0)))
    }

    /// Its header, if it is there.
    pub(super) fn header(self) -> Option<&'static str> {
        self.0.map(|_| SESSION)
    }

    /// Its cells, in characters of a terminal; 0 where it is not there.
    pub(super) fn width(self) -> usize {
        self.0.unwrap_or(0)
    }

    /// `line` of a list behind the name `session` or the header.
    pub(super) fn before(self, session: Option<&str>, line: &str) -> String {
        match (self.0, session) {
            (Some(width), Some(session)) => {
                format!("{session}{}  {line}", " ".repeat(width.saturating_sub(session.width())))
            }
            _ => line.to_owned(),
        }
    }
}
