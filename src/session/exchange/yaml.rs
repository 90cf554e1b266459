//! YAML as other tools write it.
//!
//! Owns: a reader that holds a bounded tree, whatever the file says, and the writing of a text so that no YAML reader takes
//! it for anything else. Must not know what the keys mean.

use std::{collections::HashMap, fmt::Write as _};

use saphyr_parser::{Event, Parser, ScalarStyle};

use super::ExchangeError;

/// Maps and lists may nest this deep.
const MAX_DEPTH: usize = 32;
/// A file may have this many values, those an alias repeats counted each time.
const MAX_NODES: usize = 200_000;

/// A value.
#[derive(Clone, Debug)]
pub(super) enum Node {
    /// A scalar: its text, whether it is plain (without quotes), and its tag.
    Scalar { text: String, plain: bool, tag: Option<String> },
    /// A sequence.
    List(Vec<Node>),
    /// A mapping, in the order of the file.
    Map(Vec<(String, Node)>),
}

impl Node {
    /// Whether nothing stands there: `null`, `~` or no text at all.
    pub(super) fn is_null(&self) -> bool {
        matches!(self, Self::Scalar { text, plain: true, .. } if matches!(text.as_str(), "" | "~" | "null" | "Null" | "NULL"))
    }

    /// The text of a scalar that is not null.
    pub(super) fn text(&self) -> Option<&str> {
        match self {
            Self::Scalar { text, .. } if !self.is_null() => Some(text),
            _ => None,
        }
    }

    /// The scalar as YAML 1.1, which Python's tools read, takes a truth value.
    pub(super) fn truth(&self) -> Option<bool> {
        let Self::Scalar { text, plain: true, .. } = self else { return None };
        match text.to_ascii_lowercase().as_str() {
            "true" | "yes" | "on" => Some(true),
            "false" | "no" | "off" => Some(false),
            _ => None,
        }
    }

    /// The pairs of a mapping.
    pub(super) fn pairs(&self) -> Option<&[(String, Node)]> {
        match self {
            Self::Map(pairs) => Some(pairs),
            _ => None,
        }
    }

    /// The value of `key` in a mapping.
    pub(super) fn get(&self, key: &str) -> Option<&Node> {
        self.pairs()?.iter().find(|(name, _)| name == key).map(|(_, value)| value)
    }

    fn count(&self) -> usize {
        match self {
            Self::Scalar { .. } => 1,
            Self::List(items) => 1 + items.iter().map(Self::count).sum::<usize>(),
            Self::Map(pairs) => 1 + pairs.iter().map(|(_, value)| value.count()).sum::<usize>(),
        }
    }

    fn depth(&self) -> usize {
        match self {
            Self::Scalar { .. } => 0,
            Self::List(items) => 1 + items.iter().map(Self::depth).max().unwrap_or(0),
            Self::Map(pairs) => 1 + pairs.iter().map(|(_, value)| value.depth()).max().unwrap_or(0),
        }
    }
}

/// A collection whose end has not come yet.
enum Open {
    List(Vec<Node>, usize),
    Map { pairs: Vec<(String, Node)>, key: Option<String>, merged: Vec<(String, Node)>, anchor: usize },
}

/// The first document of `text`.
///
/// # Errors
/// The place where the text is not YAML, or is deeper or larger than a list of sessions can be.
pub(super) fn read(text: &str) -> Result<Node, ExchangeError> {
    let mut builder = Builder { open: Vec::new(), anchors: HashMap::new(), nodes: 0 };
    for event in Parser::new_from_str(text) {
        let (event, span) = event.map_err(|error| {
            let place = (error.marker().line(), error.marker().col() + 1);
            ExchangeError::at(place, "the text is not YAML", "correct the line")
        })?;
        let place = (span.start.line(), span.start.col() + 1);
        let wrong = |cause: &str| ExchangeError::at(place, cause, "write it plainly, as the tool itself does");
        if let Some(root) = builder.take(event).map_err(wrong)? {
            return Ok(root);
        }
    }
    Ok(Node::Scalar { text: String::new(), plain: true, tag: None })
}

struct Builder {
    open: Vec<Open>,
    anchors: HashMap<usize, Node>,
    nodes: usize,
}

impl Builder {
    fn take(&mut self, event: Event<'_>) -> Result<Option<Node>, &'static str> {
        match event {
            Event::SequenceStart(anchor, _) => self.begin(Open::List(Vec::new(), anchor)),
            Event::MappingStart(anchor, _) => {
                self.begin(Open::Map { pairs: Vec::new(), key: None, merged: Vec::new(), anchor })
            }
            Event::SequenceEnd | Event::MappingEnd => match self.open.pop() {
                Some(Open::List(items, anchor)) => self.end(Node::List(items), anchor),
                Some(Open::Map { mut pairs, merged, anchor, .. }) => {
                    // What a merge key brings gives way to what stands there itself.
                    for (key, value) in merged {
                        if pairs.iter().all(|(known, _)| *known != key) {
                            pairs.push((key, value));
                        }
                    }
                    self.end(Node::Map(pairs), anchor)
                }
                None => Ok(None),
            },
            Event::Scalar(text, style, anchor, tag) => {
                self.counted(1)?;
                let tag = tag.map(|tag| format!("{}{}", tag.handle, tag.suffix));
                self.end(Node::Scalar { text: text.into_owned(), plain: style == ScalarStyle::Plain, tag }, anchor)
            }
            Event::Alias(anchor) => {
                let node =
                    self.anchors.get(&anchor).ok_or("an alias stands for something that is not there yet")?.clone();
                self.counted(node.count())?;
                if self.open.len() + node.depth() > MAX_DEPTH {
                    return Err("lists and maps are nested too deep");
                }
                self.end(node, 0)
            }
            Event::Nothing | Event::StreamStart | Event::StreamEnd | Event::DocumentStart(_) | Event::DocumentEnd => {
                Ok(None)
            }
        }
    }

    fn counted(&mut self, more: usize) -> Result<(), &'static str> {
        self.nodes += more;
        if self.nodes > MAX_NODES { Err("the file has too many values") } else { Ok(()) }
    }

    fn begin(&mut self, open: Open) -> Result<Option<Node>, &'static str> {
        self.counted(1)?;
        if self.open.len() >= MAX_DEPTH {
            return Err("lists and maps are nested too deep");
        }
        if matches!(self.open.last(), Some(Open::Map { key: None, .. })) {
            return Err("a key must be a text");
        }
        self.open.push(open);
        Ok(None)
    }

    /// Puts a complete value where it belongs; the root is handed out.
    fn end(&mut self, node: Node, anchor: usize) -> Result<Option<Node>, &'static str> {
        if anchor > 0 {
            self.counted(node.count())?;
            self.anchors.insert(anchor, node.clone());
        }
        match self.open.last_mut() {
            None => return Ok(Some(node)),
            Some(Open::List(items, _)) => items.push(node),
            Some(Open::Map { pairs, key, merged, .. }) => match (key.take(), node) {
                (None, Node::Scalar { text, .. }) => {
                    if pairs.iter().any(|(known, _)| *known == text) {
                        return Err("the key stands here a second time");
                    }
                    *key = Some(text);
                }
                (None, _) => return Err("a key must be a text"),
                (Some(key), Node::Map(more)) if key == "<<" => merged.extend(more),
                (Some(key), node) => pairs.push((key, node)),
            },
        }
        Ok(None)
    }
}

/// `text` in double quotes: no reader takes it for a number, a truth value or null.
pub(super) fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            ' '..='~' => out.push(c),
            c if u32::from(c) <= 0xff => {
                // Writing into a String cannot fail.
                let _ = write!(out, "\\x{:02x}", u32::from(c));
            }
            c if u32::from(c) <= 0xffff => {
                let _ = write!(out, "\\u{:04x}", u32::from(c));
            }
            c => {
                let _ = write!(out, "\\U{:08x}", u32::from(c));
            }
        }
    }
    out.push('"');
    out
}
