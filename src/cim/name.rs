//! Names of CIM elements and of namespaces.
//!
//! Owns: the rule that names compare without regard to case and keep the case they were written in
//! (DSP0004 2.7, section 5.1.2 and annex on identifiers). Must not know what a name belongs to.

use std::{
    cmp::Ordering,
    fmt,
    hash::{Hash, Hasher},
    sync::Arc,
};

/// The name of a class, property, method, parameter or qualifier.
///
/// Equality, ordering and hashing ignore ASCII case; the written case is kept for display.
#[derive(Clone)]
pub struct CimName(Arc<str>);

impl CimName {
    /// Wraps `text` as a name; no check is made, because servers send names that break DSP0004's rules.
    pub fn new(text: &str) -> Self {
        Self(Arc::from(text))
    }

    /// The name as it was written.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether this is a name DSP0004 allows: a letter or underscore (or a non-ASCII character), then those or digits.
    pub fn is_well_formed(&self) -> bool {
        let mut chars = self.0.chars();
        chars.next().is_some_and(|c| c.is_ascii_alphabetic() || c == '_' || !c.is_ascii())
            && chars.all(|c| c.is_ascii_alphanumeric() || c == '_' || !c.is_ascii())
    }

    /// The schema prefix of a class name: what stands before its first underscore, if anything does.
    pub fn schema(&self) -> Option<&str> {
        self.0.split_once('_').map(|(schema, _)| schema).filter(|schema| !schema.is_empty())
    }

    /// The name in ASCII lower case, for keys of caches that must be plain strings.
    pub fn to_lower(&self) -> String {
        self.0.to_ascii_lowercase()
    }
}

fn cmp_ignore_case(left: &str, right: &str) -> Ordering {
    left.bytes().map(|b| b.to_ascii_lowercase()).cmp(right.bytes().map(|b| b.to_ascii_lowercase()))
}

macro_rules! case_insensitive {
    ($name:ident) => {
        impl PartialEq for $name {
            fn eq(&self, other: &Self) -> bool {
                Arc::ptr_eq(&self.0, &other.0) || self.0.eq_ignore_ascii_case(&other.0)
            }
        }
        impl Eq for $name {}
        impl PartialEq<str> for $name {
            fn eq(&self, other: &str) -> bool {
                self.0.eq_ignore_ascii_case(other)
            }
        }
        impl PartialEq<&str> for $name {
            fn eq(&self, other: &&str) -> bool {
                self.0.eq_ignore_ascii_case(other)
            }
        }
        impl PartialOrd for $name {
            fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
                Some(self.cmp(other))
            }
        }
        impl Ord for $name {
            fn cmp(&self, other: &Self) -> Ordering {
                cmp_ignore_case(&self.0, &other.0)
            }
        }
        impl Hash for $name {
            fn hash<H: Hasher>(&self, state: &mut H) {
                for byte in self.0.bytes() {
                    state.write_u8(byte.to_ascii_lowercase());
                }
                state.write_u8(0xff);
            }
        }
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(&self.0)
            }
        }
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{:?}", &*self.0)
            }
        }
        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }
        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                Self::new(text)
            }
        }
        impl From<String> for $name {
            fn from(text: String) -> Self {
                Self::new(&text)
            }
        }
    };
}

case_insensitive!(CimName);
case_insensitive!(Namespace);

/// A namespace path such as `root/cimv2`: `/` between its parts, none at its ends. Compared without regard to case.
#[derive(Clone)]
pub struct Namespace(Arc<str>);

impl Namespace {
    /// Normalises `text`: backslashes become slashes, empty parts and those at the ends are dropped.
    pub fn new(text: &str) -> Self {
        let clean =
            text.split(['/', '\\']).map(str::trim).filter(|part| !part.is_empty()).collect::<Vec<_>>().join("/");
        Self(Arc::from(clean))
    }

    /// The namespace with `/` between its parts.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The parts between the slashes, outermost first.
    pub fn parts(&self) -> impl Iterator<Item = &str> {
        self.0.split('/').filter(|part| !part.is_empty())
    }

    /// True for a namespace with no part at all.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The namespace `name` directly below this one.
    pub fn child(&self, name: &str) -> Self {
        Self::new(&format!("{}/{}", self.0, name))
    }
}
