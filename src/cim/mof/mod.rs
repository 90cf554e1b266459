//! Managed Object Format (DSP0004 annex A): parser and printer.
//!
//! Owns: MOF text to domain types and back. The parser reads qualifier declarations, classes, instances with aliases and the
//! pragmas `namespace` and `include`; other pragmas are skipped. Must not know files: included text comes from a
//! [`Library`], which is asked for relative names without `..` only and must keep to its own folder.
//!
//! ```text
//! text -> lexer -> parser (grammar) -> literals (types of values) -> aliases (paths, references) -> Unit
//! ```

mod aliases;
mod features;
mod lexer;
mod literal;
mod parser;
pub mod print;
mod standard;

use std::fmt;

use super::{CimClass, CimInstance, CimName, Namespace, QualifierDeclaration};

/// How deep files may include each other.
pub const MAX_INCLUDE_DEPTH: usize = 16;
/// How many files one unit may include in all.
pub const MAX_INCLUDES: usize = 10_000;
/// The most text one unit may have with all it includes, in bytes.
pub const MAX_TEXT: usize = 256 << 20;
/// How deep instances may stand inside instances.
pub const MAX_NESTING: usize = 16;
/// The longest name, in bytes.
pub const MAX_NAME: usize = 4 << 10;

/// Where a parser gets what is not in its text.
pub trait Library {
    /// The text of the file `path`, which is relative, has `/` between its parts and no `..`.
    ///
    /// # Errors
    /// Why there is no such text, in words for the user.
    fn include(&mut self, path: &str) -> Result<String, String>;

    /// A class declared elsewhere, which types the instances of the unit.
    fn class(&self, namespace: Option<&Namespace>, name: &CimName) -> Option<CimClass> {
        let _ = (namespace, name);
        None
    }
}

/// The library of a text that stands alone: it includes nothing and knows no classes.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoLibrary;

impl Library for NoLibrary {
    fn include(&mut self, _path: &str) -> Result<String, String> {
        Err("files are not included here".to_owned())
    }
}

/// What one MOF text declares, in order.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Unit {
    /// The declarations.
    pub items: Vec<Item>,
}

/// One declaration and the namespace it is for.
#[derive(Clone, Debug, PartialEq)]
pub struct Item {
    /// What `#pragma namespace` last said.
    pub namespace: Option<Namespace>,
    /// What is declared.
    pub declaration: Declaration,
}

/// What a MOF text can declare.
#[derive(Clone, Debug, PartialEq)]
pub enum Declaration {
    /// A qualifier type.
    Qualifier(QualifierDeclaration),
    /// A class.
    Class(CimClass),
    /// An instance. Its path is set where its class is known and all keys have values. Properties it does not name are left
    /// out, whatever their defaults.
    Instance(CimInstance),
}

impl Unit {
    /// The classes, in order.
    pub fn classes(&self) -> impl Iterator<Item = &CimClass> {
        self.items.iter().filter_map(|item| match &item.declaration {
            Declaration::Class(class) => Some(class),
            _ => None,
        })
    }

    /// The instances, in order.
    pub fn instances(&self) -> impl Iterator<Item = &CimInstance> {
        self.items.iter().filter_map(|item| match &item.declaration {
            Declaration::Instance(instance) => Some(instance),
            _ => None,
        })
    }

    /// The qualifier declarations, in order.
    pub fn qualifiers(&self) -> impl Iterator<Item = &QualifierDeclaration> {
        self.items.iter().filter_map(|item| match &item.declaration {
            Declaration::Qualifier(declaration) => Some(declaration),
            _ => None,
        })
    }
}

/// Why a text is not MOF.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MofError {
    /// The name of the file, as it was given or included.
    pub file: String,
    /// The line, counted from 1.
    pub line: u32,
    /// The column in characters, counted from 1.
    pub column: u32,
    /// What is wrong there.
    pub what: String,
}

impl fmt::Display for MofError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}: {}", self.file, self.line, self.column, self.what)
    }
}

impl std::error::Error for MofError {}

/// Parses `text`, which errors call `file`.
///
/// # Errors
/// The first thing that is not MOF, or that breaks a limit, with file, line and column.
pub fn parse(file: &str, text: &str, library: &mut dyn Library) -> Result<Unit, MofError> {
    parser::Parser::new(library).unit(file, text)
}

#[cfg(test)]
mod tests;
