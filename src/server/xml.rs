//! XML as both codecs of the server read and write it.
//!
//! Owns: a document as a tree, within the limits a hostile client needs, and escaping. Must not know what elements mean.

use quick_xml::{Reader, XmlVersion, events::Event};

/// Writes formatted text into a `String`, which cannot fail.
macro_rules! put {
    ($out:expr, $($arg:tt)*) => {{
        use std::fmt::Write as _;
        let _ = write!($out, $($arg)*);
    }};
}
pub(super) use put;

/// Elements deeper than this refuse the document.
const DEPTH: usize = 64;
/// More elements than this refuse the document.
const ELEMENTS: usize = 100_000;

/// Why a document was not read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Unread {
    /// It is not XML.
    NotWellFormed(String),
    /// It is XML that nobody needs.
    TooMuch(&'static str),
}

/// An element with all that is in it.
#[derive(Debug, Default)]
pub(super) struct Node {
    pub(super) name: String,
    pub(super) attributes: Vec<(String, String)>,
    pub(super) children: Vec<Node>,
    pub(super) text: String,
}

impl Node {
    pub(super) fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }
}

/// Escapes `text` for content and for attributes in double quotes. White space other than blanks is written as character
/// references, so that no parser normalises it away; what XML 1.0 cannot carry becomes U+FFFD.
pub(super) fn escape(out: &mut String, text: &str) {
    let mut plain = 0;
    for (at, character) in text.char_indices() {
        let replacement = match character {
            '&' => "&amp;",
            '<' => "&lt;",
            '>' => "&gt;",
            '"' => "&quot;",
            '\t' => "&#9;",
            '\n' => "&#10;",
            '\r' => "&#13;",
            '\0'..='\u{1f}' | '\u{fffe}' | '\u{ffff}' => "\u{fffd}",
            _ => continue,
        };
        out.push_str(&text[plain..at]);
        out.push_str(replacement);
        plain = at + character.len_utf8();
    }
    out.push_str(&text[plain..]);
}

/// Writes the attribute `name`.
pub(super) fn attribute(out: &mut String, name: &str, value: &str) {
    out.push(' ');
    out.push_str(name);
    out.push_str("=\"");
    escape(out, value);
    out.push('"');
}

/// Reads the document into a tree, iteratively and within the limits.
pub(super) fn tree(text: &str) -> Result<Node, Unread> {
    let mut reader = Reader::from_str(text);
    let broken = |reader: &Reader<&[u8]>, what: &str| {
        Unread::NotWellFormed(format!("{what} at byte {}", reader.error_position().max(reader.buffer_position())))
    };
    let mut open: Vec<Node> = Vec::new();
    let mut root = None;
    let mut elements = 0_usize;
    loop {
        let event = reader.read_event().map_err(|error| broken(&reader, &error.to_string()))?;
        let empty = matches!(event, Event::Empty(_));
        match event {
            Event::Start(tag) | Event::Empty(tag) => {
                elements += 1;
                if elements > ELEMENTS || open.len() >= DEPTH {
                    return Err(Unread::TooMuch("more or deeper elements than any request needs"));
                }
                if root.is_some() {
                    return Err(broken(&reader, "a second root element"));
                }
                let mut node = Node { name: tag.name().as_ref().to_owned(), ..Node::default() };
                for attribute in tag.attributes() {
                    let attribute = attribute.map_err(|error| broken(&reader, &error.to_string()))?;
                    let value = attribute
                        .normalized_value(XmlVersion::Explicit1_0)
                        .map_err(|error| broken(&reader, &error.to_string()))?;
                    node.attributes.push((attribute.key.as_ref().to_owned(), value.into_owned()));
                }
                if empty { shut(node, &mut open, &mut root) } else { open.push(node) }
            }
            Event::End(_) => match open.pop() {
                Some(node) => shut(node, &mut open, &mut root),
                None => return Err(broken(&reader, "an end tag too many")),
            },
            Event::Text(text) => add(&mut open, &text.xml10_content()).map_err(|what| broken(&reader, what))?,
            Event::CData(text) => add(&mut open, &text.xml10_content()).map_err(|what| broken(&reader, what))?,
            Event::GeneralRef(entity) => {
                let resolved = match entity.resolve_char_ref().map_err(|error| broken(&reader, &error.to_string()))? {
                    Some(character) => character,
                    None => named(&entity.xml10_content()).ok_or_else(|| broken(&reader, "an unknown entity"))?,
                };
                add(&mut open, resolved.encode_utf8(&mut [0; 4])).map_err(|what| broken(&reader, what))?;
            }
            Event::DocType(text) if text.contains('[') => {
                return Err(Unread::TooMuch("a document type with an internal subset"));
            }
            Event::Eof => break,
            Event::DocType(_) | Event::Comment(_) | Event::PI(_) | Event::Decl(_) => {}
        }
    }
    match root {
        Some(root) if open.is_empty() => Ok(root),
        _ => Err(broken(&reader, "the document ends too early")),
    }
}

fn shut(node: Node, open: &mut [Node], root: &mut Option<Node>) {
    match open.last_mut() {
        Some(parent) => parent.children.push(node),
        None => *root = Some(node),
    }
}

fn add(open: &mut [Node], text: &str) -> Result<(), &'static str> {
    match open.last_mut() {
        Some(node) => {
            node.text.push_str(text);
            Ok(())
        }
        None if text.trim().is_empty() => Ok(()),
        None => Err("text outside the root element"),
    }
}

fn named(entity: &str) -> Option<char> {
    Some(match entity {
        "lt" => '<',
        "gt" => '>',
        "amp" => '&',
        "quot" => '"',
        "apos" => '\'',
        _ => return None,
    })
}
