//! Character data as XML can carry it, for the requests of every protocol that sends XML.
//!
//! Owns: which characters are written how, and which cannot be written at all. Must not know any vocabulary.

/// Escapes character data for elements and attributes alike, with entities only: servers refuse CDATA. White space that an
/// attribute or a server would change goes as a character reference. `unsendable` keeps the first character that no XML
/// document can hold (XML 1.0 section 2.2).
pub fn escape(text: &str, out: &mut String, unsendable: &mut Option<char>) {
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&apos;"),
            '\t' => out.push_str("&#9;"),
            '\n' => out.push_str("&#10;"),
            '\r' => out.push_str("&#13;"),
            '\0'..='\u{1f}' | '\u{fffe}' | '\u{ffff}' => *unsendable = unsendable.or(Some(c)),
            _ => out.push(c),
        }
    }
}

/// Why a request that holds `odd` cannot be made.
pub fn refusal(odd: char) -> String {
    format!("the character U+{:04X} cannot be sent in XML", u32::from(odd))
}
