//! Grammars: which elements of an answer are opened and closed by themselves, and which are items.
//!
//! Owns: [`Grammar`], as data. Must not know how bytes are framed.

use super::fault::Fault;
use crate::op::explain::Explanation;

/// The most containers that stand inside each other.
pub const MAX_LEVELS: usize = 5;

/// The containers of a protocol's answers. Every other element that stands in one is an item, framed as a whole.
#[derive(Debug)]
pub struct Grammar {
    /// The protocol's name, as errors tell it.
    pub name: &'static str,
    /// The containers by depth, from the root; at most [`MAX_LEVELS`] deep. What stands in the deepest is the result.
    pub containers: &'static [&'static [Container]],
    /// How many containers must be open for items to stand there.
    pub items_from: usize,
    /// The row that explains a fault of an answer.
    pub row: fn(Fault) -> Explanation,
}

/// An element whose children are framed one by one.
#[derive(Debug)]
pub struct Container {
    /// The XML namespaces it may be in; none where names are compared as they are written.
    pub namespaces: &'static [&'static str],
    /// Its local name, or the name as written.
    pub name: &'static str,
}

impl Container {
    /// A container of a protocol that knows no namespaces.
    pub const fn plain(name: &'static str) -> Self {
        Self { namespaces: &[], name }
    }

    /// Whether an element is this container. `namespace` is asked for only where it matters.
    pub fn is<'n>(&self, name: &str, namespace: impl FnOnce() -> Option<&'n str>) -> bool {
        if self.namespaces.is_empty() {
            return self.name == name;
        }
        let local = name.split_once(':').map_or(name, |(_, local)| local);
        self.name == local && namespace().is_some_and(|namespace| self.namespaces.contains(&namespace))
    }
}
