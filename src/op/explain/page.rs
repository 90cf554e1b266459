//! The table as a page for people: `docs/errors.md` is this text.
//!
//! Owns: the order of the sections and their form in Markdown. Must not hold a row.

use super::{Explanation, answer, cim, connection, exchange, http, secret, start, tls, wsman};

/// A part of the page.
pub(super) struct Section {
    title: &'static str,
    about: &'static str,
    rows: Vec<Row>,
}

/// What is seen, what it means, what to try.
pub(super) type Row = [String; 3];

impl Section {
    /// A section of rows with a name each.
    pub(super) fn of<const N: usize>(title: &'static str, about: &'static str, rows: [Explanation; N]) -> Self {
        let rows = rows.iter().map(|row| [row.seen, row.means, row.hint].map(str::to_owned)).collect();
        Self { title, about, rows }
    }

    /// A section of rows in words.
    pub(super) fn told(title: &'static str, about: &'static str, rows: impl Iterator<Item = Row>) -> Self {
        Self { title, about, rows: rows.collect() }
    }

    /// A section of rows that are found by a code or a word; `seen` tells what is seen of one.
    pub(super) fn keyed<K: Copy>(
        title: &'static str,
        about: &'static str,
        rows: &[(K, &'static str, &'static str)],
        seen: impl Fn(K) -> String,
    ) -> Self {
        let rows = rows.iter().map(|(key, means, hint)| [seen(*key), (*means).to_owned(), (*hint).to_owned()]);
        Self::told(title, about, rows)
    }

    /// Adds the rows of `other`.
    pub(super) fn extend(&mut self, other: Self) {
        self.rows.extend(other.rows);
    }
}

fn sections() -> Vec<Section> {
    let mut sections = vec![
        start::section(),
        secret::command::section(),
        secret::keyring::section(),
        connection::resolve::section(),
        connection::connect::section(),
        connection::proxy::section(),
        tls::handshake::section(),
        tls::certificate::section(),
        tls::alert::section(),
        exchange::authenticate::section(),
        exchange::send::section(),
        exchange::wait::section(),
        exchange::receive::section(),
    ];
    sections.extend(http::sections());
    sections.extend([
        answer::body::section(),
        answer::soap::section(),
        answer::content::section(),
        answer::limits(),
        cim::section(),
    ]);
    sections.extend(wsman::sections());
    sections
}

/// The table as a page.
pub fn errors_markdown() -> String {
    let mut out = String::from(
        "# Errors\n\nAn error says in which phase of the operation it happened, to which target, why, and the one thing to try:\n\n\
         ```text\nlazycim: PHASE: TARGET: WHAT YOU SEE: WHAT IT MEANS: further causes\ntry: WHAT TO TRY\n```\n\n\
         The terminal shows the same with `E`. Words in capitals stand for what differs each time. Where an answer could not be\n\
         read, `E` and `-v` also show the text around the fault.\n",
    );
    for Section { title, about, rows } in sections() {
        out.push_str(&format!("\n## {title}\n\n{about}\n\n| you see | it means | try |\n| --- | --- | --- |\n"));
        for row in rows {
            let [seen, means, hint] = row.map(|text| cell(&text));
            out.push_str(&format!("| {seen} | {means} | {hint} |\n"));
        }
    }
    out
}

/// A text as a cell of a table: `{name}` in capitals, and nothing that Markdown takes for its own.
fn cell(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut is_part = false;
    for c in text.chars() {
        match c {
            '{' => is_part = true,
            '}' => is_part = false,
            c if is_part => out.extend(c.to_uppercase()),
            '|' | '<' | '*' => out.extend(['\\', c]),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    /// The page generated from the table; `LAZYCIM_UPDATE_ERRORS=1` writes it.
    #[test]
    fn the_generated_page_equals_the_table() {
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/errors.md");
        let text = errors_markdown();
        if std::env::var_os("LAZYCIM_UPDATE_ERRORS").is_some() {
            std::fs::write(&path, &text).unwrap();
        }
        let written = std::fs::read_to_string(&path).unwrap_or_default();
        assert!(written == text, "{} is out of date: LAZYCIM_UPDATE_ERRORS=1 writes it", path.display());
    }

    #[test]
    fn every_row_is_whole_and_of_one_style() {
        for section in sections() {
            let mut seen = std::collections::BTreeSet::new();
            for row in &section.rows {
                assert!(seen.insert(row[0].clone()), "{}: {:?} twice", section.title, row[0]);
                for text in row {
                    let first = text.split(' ').next().unwrap_or_default();
                    let name = first.chars().skip(1).any(|c| c.is_uppercase() || c == '_');
                    let lower = text.starts_with(|c: char| !c.is_uppercase());
                    assert!(!text.is_empty() && (lower || name), "{}: {text:?}", section.title);
                    assert!(!text.ends_with('.'), "{}: {text:?}", section.title);
                }
            }
        }
    }
}
