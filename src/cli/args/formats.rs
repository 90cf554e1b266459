//! Formats of output, as arguments.
//!
//! Owns: which formats each kind of answer has, and their help. Must not print anything.

use clap::ValueEnum;

/// Formats of instances.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum InstancesFormat {
    /// Columns for people
    Table,
    /// One JSON array
    Json,
    /// One JSON object a line
    Ndjson,
    /// RFC 4180, with a header
    Csv,
    /// An IRETURNVALUE element of CIM-XML
    Xml,
}

/// Formats of names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum RowFormat {
    /// Columns for people
    Table,
    /// One JSON array
    Json,
    /// One JSON object a line
    Ndjson,
    /// RFC 4180, with a header
    Csv,
}

/// Formats of classes: their names, or the classes whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ClassesFormat {
    /// The names, a line each
    Table,
    /// One JSON array of the names
    Json,
    /// One JSON object a line
    Ndjson,
    /// RFC 4180, with a header
    Csv,
    /// The classes in Managed Object Format
    Mof,
    /// An IRETURNVALUE element of the classes
    Xml,
}

/// Formats of a class or a qualifier type.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ClassFormat {
    /// Managed Object Format
    Mof,
    /// A JSON array of the class
    Json,
    /// The CLASS element of CIM-XML
    Xml,
}

/// Formats of one instance.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum GetFormat {
    /// Property, type and value for people
    Table,
    /// A JSON array of the instance
    Json,
    /// One JSON object on a line
    Ndjson,
    /// Managed Object Format
    Mof,
    /// The VALUE.NAMEDINSTANCE element of CIM-XML
    Xml,
}
