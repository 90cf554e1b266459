//! Where the rows of a table come from: a class, the far ends of associations, a query.
//!
//! Owns: [`Source`], which operation reads it again, and what it is called on the screen. Must not know rows.

use super::display;
use crate::{
    cim::{CimName, Namespace, ObjectPath},
    op::{Operation, OperationKind, QueryLanguage},
};

/// Where the rows of a table come from.
#[derive(Clone, Debug, PartialEq)]
pub enum Source {
    /// The instances of a class.
    Class(CimName),
    /// What an instance is associated with through the associations of one class.
    Associators(Associated),
    /// What a query selects.
    Query(Query),
    /// The same of every session with a tag.
    Tag(Tagged),
}

/// What is asked of every session with a tag.
#[derive(Clone, Debug, PartialEq)]
pub struct Tagged {
    /// The tag.
    pub tag: String,
    /// The namespace; `None` is each session's own.
    pub namespace: Option<Namespace>,
    /// What is asked: a class or a query.
    pub of: Box<Source>,
}

/// The far ends of the associations of one class.
#[derive(Clone, Debug, PartialEq)]
pub struct Associated {
    /// The instance they begin at.
    pub object: ObjectPath,
    /// The class of the associations.
    pub association: CimName,
    /// The property by which they refer to the instance, where it is known.
    pub role: Option<CimName>,
    /// The property by which they refer to the far ends, where it is one alone.
    pub result_role: Option<CimName>,
}

/// A query.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Query {
    /// Its text, raw.
    pub text: String,
    /// Its language.
    pub language: QueryLanguage,
}

impl Source {
    /// The class whose instances are read, if it is a class that is read.
    pub const fn class(&self) -> Option<&CimName> {
        match self {
            Self::Class(class) => Some(class),
            Self::Associators(_) | Self::Query(_) => None,
            Self::Tag(_) => None,
        }
    }

    /// The query that is asked, of one session or of several.
    pub fn query(&self) -> Option<&Query> {
        match self {
            Self::Query(query) => Some(query),
            Self::Tag(tagged) => tagged.of.query(),
            Self::Class(_) | Self::Associators(_) => None,
        }
    }

    /// What it is called, escaped: `LC_Process`, `via LC_RunningOS`, the text of the query.
    pub fn title(&self) -> String {
        match self {
            Self::Class(class) => display::safe(class.as_str()),
            Self::Associators(associated) => format!("via {}", display::safe(associated.association.as_str())),
            Self::Query(query) => display::short(&query.text),
            Self::Tag(tagged) => tagged.of.title(),
        }
    }

    /// What an empty table of it says, escaped.
    pub(super) fn nothing(&self) -> String {
        match self {
            Self::Class(_) => format!("{} has no instances.", self.title()),
            Self::Associators(associated) => {
                format!("Nothing is associated through {}.", display::safe(associated.association.as_str()))
            }
            Self::Query(_) => "The query selects nothing.".to_owned(),
            Self::Tag(tagged) => tagged.of.nothing(),
        }
    }

    /// The operation that reads it.
    pub(super) fn operation(&self) -> Operation {
        match self {
            Self::Class(class) => Operation::new(OperationKind::EnumerateInstances { class: class.clone() }),
            Self::Associators(associated) => Operation::new(associated.kind()),
            Self::Query(query) => {
                let mut operation = Operation::new(OperationKind::QueryInstances { query: query.text.clone() });
                operation.options.query_dialect = Some(query.language.identifier().to_owned());
                operation
            }
            Self::Tag(tagged) => tagged.of.operation(),
        }
    }
}

impl Associated {
    /// The operation that reads the far ends. Associators with every filter set: the server follows nothing but the
    /// associations of this class, and the instances arrive whole, where References and a GetInstance for each end would
    /// take an operation a row.
    pub(super) fn kind(&self) -> OperationKind {
        OperationKind::AssociatorInstances {
            object: self.object.clone(),
            assoc_class: Some(self.association.clone()),
            result_class: None,
            role: self.role.clone(),
            result_role: self.result_role.clone(),
        }
    }
}
