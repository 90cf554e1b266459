//! Values as one line of text for a cell.
//!
//! Owns: how a value looks in a table or the detail pane. The texts are safe for a terminal: what a server sent is escaped
//! here and nowhere later. Must not know widths or colours.

use crate::cim::{
    CimName, CimType, CimValue, KeyValue, Namespace, ObjectPath,
    rows::CellRef,
    text::{cell_text, escape_for_terminal, value_text},
};

/// The most characters a cell's text has; the rest is told by an ellipsis and shown in full elsewhere.
pub const CELL_CHARS: usize = 512;

/// `text` with control and bidirectional characters escaped.
pub fn safe(text: &str) -> String {
    escape_for_terminal(text).into_owned()
}

/// At most [`CELL_CHARS`] characters of `text`, escaped, with an ellipsis for what is left out.
pub fn short(text: &str) -> String {
    match text.char_indices().nth(CELL_CHARS) {
        Some((at, _)) => format!("{}…", escape_for_terminal(text.get(..at).unwrap_or_default())),
        None => safe(text),
    }
}

/// A cell on one line, at most [`CELL_CHARS`] characters before escaping. NULL and absent are empty: [`is_missing`] tells
/// them.
pub fn cell(cell: CellRef<'_>, ty: Option<CimType>) -> String {
    short(&cell_text(cell, ty, "", CELL_CHARS * 2))
}

/// Whether a cell is NULL or absent.
pub const fn is_missing(cell: CellRef<'_>) -> bool {
    matches!(cell, CellRef::Null | CellRef::Absent)
}

/// A value on one line, as in a table.
pub fn value(value: &CimValue, ty: CimType) -> String {
    short(&value_text(value, ty, "NULL", CELL_CHARS * 2))
}

/// A value in full, over as many lines as it takes: arrays an item a line, embedded instances a property a line.
pub fn value_lines(value: &CimValue, ty: CimType) -> Vec<String> {
    let mut lines = Vec::new();
    push_lines(&mut lines, value, ty, 0);
    lines
}

fn push_lines(lines: &mut Vec<String>, value: &CimValue, ty: CimType, indent: usize) {
    let pad = "  ".repeat(indent.min(32));
    match value {
        CimValue::Null => lines.push(format!("{pad}NULL")),
        CimValue::Array(items) if items.is_empty() => lines.push(format!("{pad}(empty array)")),
        CimValue::Array(items) => items.iter().for_each(|item| push_lines(lines, item, ty, indent)),
        CimValue::Instance(instance) => {
            lines.push(format!("{pad}{}", safe(instance.class.as_str())));
            for property in &instance.properties {
                lines.push(format!("{pad}  {} =", safe(property.name.as_str())));
                push_lines(lines, &property.value.value, property.value.ty, indent + 2);
            }
        }
        CimValue::String(text) | CimValue::Untyped(text) if text.is_empty() => {
            lines.push(format!("{pad}(empty string)"))
        }
        CimValue::String(text) | CimValue::Untyped(text) => {
            lines.extend(text.split('\n').map(|line| format!("{pad}{}", safe(line.trim_end_matches('\r')))));
        }
        other => lines.push(format!("{pad}{}", safe(&value_text(other, ty, "NULL", usize::MAX)))),
    }
}

/// A type with the mark of an array.
pub fn type_name(ty: Option<CimType>, is_array: bool) -> String {
    format!("{}{}", ty.map_or("?", CimType::keyword), if is_array { "[]" } else { "" })
}

/// A path, escaped.
pub fn path(path: &ObjectPath) -> String {
    safe(&path.to_string())
}

/// A path in few words: its class and the keys that tell it from its like, the last where none does; its namespace only
/// where it is not `home`.
pub fn short_path(path: &ObjectPath, home: &Namespace, tells: impl Fn(&CimName) -> bool) -> String {
    let mut out = String::new();
    if let Some(namespace) = path.namespace.as_ref().filter(|namespace| *namespace != home) {
        out.push_str(&format!("{namespace}:"));
    }
    out.push_str(path.class.as_str());
    let told = path.keys.iter().filter(|key| tells(&key.name)).take(SHORT_KEYS).collect::<Vec<_>>();
    let told = if told.is_empty() { path.keys.last().into_iter().collect() } else { told };
    let mut out = short(&out);
    for (at, key) in told.into_iter().enumerate() {
        let before = if at == 0 { '.' } else { ',' };
        out.push_str(&format!("{before}{}={}", safe(key.name.as_str()), key_value(&key.value)));
    }
    match out.char_indices().nth(CELL_CHARS) {
        Some((at, _)) => format!("{}…", out.get(..at).unwrap_or_default()),
        None => out,
    }
}

/// The most keys a path in few words has.
const SHORT_KEYS: usize = 8;

/// The value of a key as a path writes it, escaped.
pub fn key_value(value: &KeyValue) -> String {
    match value {
        KeyValue::Bool(value) => if *value { "TRUE" } else { "FALSE" }.to_owned(),
        KeyValue::UInt(value) => value.to_string(),
        KeyValue::SInt(value) => value.to_string(),
        KeyValue::Real(value) => value.to_string(),
        KeyValue::String(text) => format!("\"{}\"", safe(text)),
        KeyValue::Reference(target) => format!("\"{}\"", path(target)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn values_look_right_and_cannot_write_to_the_terminal() {
        assert_eq!(cell(CellRef::UInt(u64::MAX), Some(CimType::UInt64)), "18446744073709551615");
        assert_eq!(cell(CellRef::Text("a\u{1b}[2Jb\n\u{202e}c"), None), "a\\u{1b}[2Jb\\n\\u{202e}c");
        let array = CimValue::Array(vec![CimValue::string("a"), CimValue::Null, CimValue::string("b\nc")]);
        assert_eq!(value(&array, CimType::String), "{a, NULL, b\\nc}");
        assert_eq!(value_lines(&array, CimType::String), ["a", "NULL", "b", "c"]);
    }

    #[test]
    #[allow(clippy::unwrap_used)]
    fn a_path_in_few_words_names_what_tells_it_apart() {
        let path = "root/cimv2:LC_Process.CSName=\"vm\",Handle=\"12\"".parse::<ObjectPath>().unwrap();
        let home = Namespace::new("root/cimv2");
        assert_eq!(short_path(&path, &home, |_| false), "LC_Process.Handle=\"12\"");
        assert_eq!(short_path(&path, &home, |key| key.as_str() == "CSName"), "LC_Process.CSName=\"vm\"");
        let other = short_path(&path, &Namespace::new("root/interop"), |_| true);
        assert_eq!(other, "root/cimv2:LC_Process.CSName=\"vm\",Handle=\"12\"");
    }

    #[test]
    fn a_cell_is_short() {
        assert_eq!(cell(CellRef::Text(&"x".repeat(1 << 20)), None).chars().count(), CELL_CHARS + 1);
        let many = CimValue::Array(vec![CimValue::string("\u{7}"); 100_000]);
        assert!(value(&many, CimType::String).len() < CELL_CHARS * 8);
    }

    proptest! {
        #[test]
        fn no_text_keeps_a_control_character(text in any::<String>()) {
            prop_assert!(!safe(&text).chars().any(crate::cim::text::is_unsafe_for_terminal));
        }
    }
}
