//! Changing one session in the text of a file.
//!
//! Owns: where the text of a session begins and ends, and the small edits on it; everything else stays byte for byte. Must
//! not touch the file system.
//!
//! ```text
//! # a comment above the header belongs to it    <- block
//! [[session]]                                   |
//! ...                                           |
//! last = "value"   # and so does this           <-
//!
//! # this one stands alone and stays where it is
//! ```

use std::ops::Range;

use toml::{
    Spanned,
    de::{DeTable, DeValue},
};
use toml_edit::{DocumentMut, Item, TableLike, Value};

use super::written;
use crate::{
    op::Fingerprint,
    session::{Parent, Profile, ProfileId, Target},
};

/// The text of one session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Block {
    pub(super) id: String,
    pub(super) range: Range<usize>,
}

/// The sessions of `text`, each with where it stands; `None` where they are not written as `[[session]]`.
pub(super) fn blocks(text: &str) -> Option<Vec<Block>> {
    let document = DeTable::parse(text).ok()?.into_inner();
    let Some(list) = document.get("session") else { return Some(Vec::new()) };
    let items = list.get_ref().as_array()?;
    let mut found = Vec::<Block>::new();
    for item in items.iter() {
        let header = item.span().start;
        if !text.get(header..)?.starts_with("[[") {
            return None;
        }
        let from = found.last().map_or(0, |block| block.range.end);
        let start = above(text, from, header);
        let end = line_end(text, last_byte(item));
        let id = item.get_ref().as_table()?.get("id").and_then(|id| id.get_ref().as_str()).unwrap_or_default();
        found.push(Block { id: id.to_owned(), range: start..end });
    }
    Some(found)
}

/// Where the comment lines that stand right above `header` begin, not before `from`.
fn above(text: &str, from: usize, header: usize) -> usize {
    let mut start = text[..header].rfind('\n').map_or(0, |at| at + 1);
    while start > from {
        let line = text[..start - 1].rfind('\n').map_or(0, |at| at + 1);
        if line < from || !text[line..start].trim_start().starts_with('#') {
            break;
        }
        start = line;
    }
    start.max(from)
}

fn last_byte(item: &Spanned<DeValue<'_>>) -> usize {
    let end = item.span().end;
    match item.get_ref() {
        DeValue::Table(table) => {
            table.iter().map(|(key, value)| key.span().end.max(last_byte(value))).fold(end, usize::max)
        }
        DeValue::Array(list) => list.iter().map(last_byte).fold(end, usize::max),
        _ => end,
    }
}

fn line_end(text: &str, at: usize) -> usize {
    text[at..].find('\n').map_or(text.len(), |more| at + more + 1)
}

/// The text of the session `id`.
pub(super) fn block<'t>(text: &'t str, id: &str) -> Option<&'t str> {
    let block = blocks(text)?.into_iter().find(|block| block.id == id)?;
    text.get(block.range)
}

/// Whether two texts of a session say the same, comments and layout aside.
pub(super) fn say_the_same(a: &str, b: &str) -> bool {
    let table = |text: &str| toml::from_str::<toml::Table>(text).ok();
    table(a).is_some_and(|a| Some(a) == table(b))
}

/// `text` with `block` put in the place of the session `id`, or taken out where that is empty.
pub(super) fn replace(text: &str, id: &str, block: &str) -> Option<String> {
    let at = blocks(text)?.into_iter().find(|block| block.id == id)?.range;
    let (mut before, mut after) = (text.get(..at.start)?, text.get(at.end..)?);
    if block.is_empty() {
        // One of the two empty lines around it goes as well.
        match (before.strip_suffix("\n\n"), after.strip_prefix('\n')) {
            (Some(_), Some(rest)) => after = rest,
            (Some(_), None) if after.is_empty() => before = &before[..before.len() - 1],
            _ => {}
        }
    }
    Some([before, block, after].concat())
}

/// `text` with `block` as its session number `at`, at the end where there are fewer.
pub(super) fn insert(text: &str, at: usize, block: &str) -> Option<String> {
    let blocks = blocks(text)?;
    if let Some(next) = blocks.get(at) {
        let (before, after) = text.split_at(next.range.start);
        return Some([before, block, "\n", after].concat());
    }
    let mut out = text.to_owned();
    if out.is_empty() {
        out.push_str("version = 1\n");
    }
    if !out.ends_with('\n') {
        out.push('\n');
    }
    Some(out + "\n" + block)
}

/// The block of a new profile.
pub(super) fn new_block(below: &Profile, profile: &Profile) -> String {
    let mut table = toml_edit::Table::new();
    written::fill(&mut table, below, profile);
    format!("[[session]]\n{table}")
}

/// `block` edited so that it says what `wanted` says otherwise than `now`.
pub(super) fn edited(block: &str, now: &Profile, below: &Profile, wanted: &Profile) -> Option<String> {
    with_table(block, |table| written::edit(table, now, below, wanted))
}

/// `block` with the keys `names` said outright as `wanted` has them.
pub(super) fn insisted(block: &str, names: &[&str], wanted: &Profile) -> Option<String> {
    with_table(block, |table| {
        for name in names {
            written::set(table, name, written::value(wanted, name));
        }
    })
}

/// `block` under another id and, where one is given, another name.
pub(super) fn renamed(block: &str, id: &ProfileId, name: Option<&str>) -> Option<String> {
    with_table(block, |table| {
        written::set(table, "id", Some(id.as_str().into()));
        if let Some(name) = name {
            written::set(table, "name", Some(name.into()));
        }
    })
}

/// `block` pinned to a certificate.
pub(super) fn pinned(block: &str, pin: Fingerprint) -> Option<String> {
    with_table(block, |table| written::set(table, "tls.pin", Some(pin.to_string().into())))
}

/// `text` with every session that inherits from `old` inheriting from `new`.
pub(super) fn reparented(text: &str, old: &ProfileId, new: &ProfileId) -> Option<String> {
    let mut out = text.to_owned();
    for block in blocks(text)? {
        let said = text.get(block.range)?;
        let parent = toml_edit::Document::parse(said).ok()?;
        let parent = session_in(parent.as_item()).and_then(|table| table.get("inherits")?.as_str());
        if parent == Some(Parent::Profile(old.clone()).to_text().as_str()) {
            let changed = with_table(said, |table| written::set(table, "inherits", Some(new.as_str().into())))?;
            out = replace(&out, &block.id, &changed)?;
        }
    }
    Some(out)
}

pub(super) fn session_in(document: &Item) -> Option<&toml_edit::Table> {
    document.get("session")?.as_array_of_tables()?.get(0)
}

/// `block` with `change` made in its table; what stands around the changed keys stays.
pub(super) fn with_table(block: &str, change: impl FnOnce(&mut dyn TableLike)) -> Option<String> {
    let mut document: DocumentMut = block.parse().ok()?;
    change(document.get_mut("session")?.as_array_of_tables_mut()?.get_mut(0)?);
    let mut out = document.to_string();
    if !out.ends_with('\n') {
        out.push('\n');
    }
    if block.contains("\r\n") {
        out = out.replace("\r\n", "\n").replace('\n', "\r\n");
    }
    Some(out)
}

/// `text`, whose sessions stand in a list in brackets, with another one at its end; `None` where it is no such list.
pub(super) fn appended_inline(text: &str, below: &Profile, profile: &Profile) -> Option<String> {
    let mut document: DocumentMut = text.parse().ok()?;
    let list = document.get_mut("session")?.as_array_mut()?;
    let mut table = toml_edit::InlineTable::new();
    written::fill(&mut table, below, profile);
    list.push(Value::InlineTable(table));
    Some(document.to_string())
}

/// The session `id` with nothing said: what is usual.
pub(super) fn nothing_said(id: &ProfileId) -> Profile {
    let target = Target { port: 5989, tls: Some(crate::session::Tls::default()), ..Target::this_computer() };
    Profile::new(id.clone(), id.as_str().to_owned(), target)
}
