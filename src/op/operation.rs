//! Operations: what can be asked, by the names of the Management Infrastructure session object.
//!
//! Owns: the kinds of operation, their options, time-outs and limits. Must not know how any protocol spells them.

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use crate::cim::{CimName, Namespace, ObjectPath, TypedValue};

/// The number of an operation, unique in the process: `#12` in the pane.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct OpId(pub u64);

/// The number of a connection attempt, unique in the process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ConnId(pub u64);

/// How many sessions are asked at once where one question goes to many: `-ThrottleLimit` of PowerShell's own cmdlets.
pub const THROTTLE: usize = 15;

/// The number of a live session, counted from 1 as `Get-CimSession` does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SessionId(pub u32);

impl fmt::Display for OpId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "#{}", self.0)
    }
}

/// Where operation ids come from. Clones share the counter, so the interactive state and the engine never collide.
#[derive(Clone, Debug, Default)]
pub struct OpIds(Arc<AtomicU64>);

impl OpIds {
    /// A new id; the first is `#1`.
    pub fn next(&self) -> OpId {
        OpId(self.0.fetch_add(1, Ordering::Relaxed) + 1)
    }
}

/// One request to a session.
#[derive(Clone, Debug, PartialEq)]
pub struct Operation {
    /// What is asked.
    pub kind: OperationKind,
    /// How.
    pub options: OperationOptions,
}

/// What is asked.
#[derive(Clone, Debug, PartialEq)]
pub enum OperationKind {
    /// Whether the server can be reached, takes the credentials and speaks the protocol. Answers nothing.
    TestConnection,
    /// Every namespace of the server. Answers [`super::Names::Namespaces`].
    EnumerateNamespaces,
    /// The classes below `parent` (`None`: the root classes). Answers [`super::Names::Classes`], or `Class` events when
    /// `names_only` is false.
    EnumerateClasses {
        /// The superclass whose subclasses are wanted.
        parent: Option<CimName>,
        /// All descendants instead of direct subclasses.
        deep: bool,
        /// Names instead of whole classes.
        names_only: bool,
    },
    /// One class with inherited elements and qualifiers. Answers one `Class` event.
    GetClass {
        /// Its name.
        class: CimName,
    },
    /// The instances of a class and its subclasses. Answers `Shape` and `Rows`.
    EnumerateInstances {
        /// The class.
        class: CimName,
    },
    /// One instance by its path. Answers one shape and one row.
    GetInstance {
        /// Its path; a host in it is ignored, its namespace wins over the options'.
        path: ObjectPath,
    },
    /// What is associated with an instance or, where the path has no keys, with a class. Answers `Shape` and `Rows`; of a
    /// class `Class` events, or [`super::Names::Classes`] if only keys are wanted.
    AssociatorInstances {
        /// The source. A host in it is ignored, its namespace wins over the options'.
        object: ObjectPath,
        /// Only through associations of this class or its subclasses.
        assoc_class: Option<CimName>,
        /// Only results of this class or its subclasses.
        result_class: Option<CimName>,
        /// Only where the association refers to the source by this property.
        role: Option<CimName>,
        /// Only where the association refers to the result by this property.
        result_role: Option<CimName>,
    },
    /// The associations that refer to an instance or a class. Answers as [`OperationKind::AssociatorInstances`].
    ReferenceInstances {
        /// What is referred to, as in [`OperationKind::AssociatorInstances`].
        object: ObjectPath,
        /// Only associations of this class or its subclasses.
        result_class: Option<CimName>,
        /// Only where the association refers to the object by this property.
        role: Option<CimName>,
    },
    /// What a query selects, in the language of the options (none: WQL). Answers `Shape` and `Rows`.
    QueryInstances {
        /// The query's text.
        query: String,
    },
    /// Events that a query selects, in the language of the options (none: WQL), from now until it is cancelled or there are
    /// as many as are wanted. Answers `Shape` and `Rows`.
    Subscribe {
        /// The query's text.
        query: String,
    },
    /// The qualifier types a namespace declares. Answers `Qualifier` events.
    EnumerateQualifiers,
    /// One qualifier type. Answers one `Qualifier` event.
    GetQualifier {
        /// Its name.
        name: CimName,
    },
}

/// How an operation is to be done. The defaults are those of CLI.md: LocalOnly=false, DeepInheritance=true, no qualifiers.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct OperationOptions {
    /// The namespace; `None` means the session's default.
    pub namespace: Option<Namespace>,
    /// Only these properties; `None` means all, an empty list none.
    pub property_list: Option<Vec<CimName>>,
    /// Paths only, no properties.
    pub keys_only: bool,
    /// Only instances of exactly the class asked for.
    pub shallow: bool,
    /// Stop and release after this many rows.
    pub max_rows: Option<u64>,
    /// The language of a query.
    pub query_dialect: Option<String>,
    /// Only what this filter lets through, judged by the server.
    pub filter: Option<FilterQuery>,
    /// A WS-Man resource URI that replaces the one made from class and namespace.
    pub resource_uri: Option<String>,
    /// The language of texts (`Accept-Language`, `w:Locale`).
    pub locale: Option<String>,
    /// Custom operation options (MI's `SetCustomOption`).
    pub custom: Vec<CustomOption>,
    /// Bypass the class cache and fetch anew.
    pub refresh: bool,
    /// Time-outs that differ from the session's.
    pub timeouts: Option<Timeouts>,
}

/// A filter the server applies to an enumeration (DSP0200 section 5.4.2.24, `FilterQuery`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FilterQuery {
    /// Its language, such as `DMTF:FQL`.
    pub language: String,
    /// Its text.
    pub text: String,
}

/// A query language, by the names DSP0200 and the servers know it by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum QueryLanguage {
    /// The WBEM Query Language, which most servers have.
    #[default]
    Wql,
    /// The CIM Query Language (DSP0202).
    Cql,
    /// The Filter Query Language (DSP0212).
    Fql,
}

impl QueryLanguage {
    /// Every language, the most common first.
    pub const ALL: [Self; 3] = [Self::Wql, Self::Cql, Self::Fql];

    /// What servers call it.
    pub const fn identifier(self) -> &'static str {
        match self {
            Self::Wql => "WQL",
            Self::Cql => "DMTF:CQL",
            Self::Fql => "DMTF:FQL",
        }
    }

    /// The language after it; the first after the last.
    #[must_use]
    pub const fn next(self) -> Self {
        match self {
            Self::Wql => Self::Cql,
            Self::Cql => Self::Fql,
            Self::Fql => Self::Wql,
        }
    }
}

/// A custom operation option.
#[derive(Clone, Debug, PartialEq)]
pub struct CustomOption {
    /// Its name.
    pub name: String,
    /// Its value.
    pub value: TypedValue,
    /// Whether a server that does not know it must refuse.
    pub must_comply: bool,
}

/// How long each step may take. Time spent waiting for our own consumer does not count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timeouts {
    /// Resolve, TCP connect and TLS of one attempt, each.
    pub connect: Duration,
    /// From the last byte sent to the first byte of the answer.
    pub first_byte: Duration,
    /// Between two pieces of an answer.
    pub idle: Duration,
    /// The whole operation; `None` is without end.
    pub total: Option<Duration>,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(10),
            first_byte: Duration::from_secs(60),
            idle: Duration::from_secs(60),
            total: None,
        }
    }
}

/// Bounds on what a server may make us hold or do. Each has its own error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Nesting of XML elements.
    pub xml_depth: usize,
    /// Nesting of embedded objects inside embedded objects.
    pub embedded_depth: usize,
    /// Bytes of a name.
    pub name_bytes: usize,
    /// Bytes of one value.
    pub value_bytes: usize,
    /// Bytes of an answer's header block.
    pub header_bytes: usize,
    /// Fields of an answer's header block.
    pub header_fields: usize,
    /// Bytes of an item (or of the receive buffer) that is not complete yet.
    pub buffer_bytes: usize,
    /// Rows decoded and not yet taken by the consumer.
    pub undrained_rows: usize,
    /// Rows kept of one result.
    pub retained_rows: usize,
    /// Bytes kept of one result.
    pub retained_bytes: usize,
    /// Operations kept in the log.
    pub logged_operations: usize,
    /// Operations in flight in one session.
    pub in_flight_per_session: usize,
    /// Operations in flight in all.
    pub in_flight: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            xml_depth: 256,
            embedded_depth: 16,
            name_bytes: 4 << 10,
            value_bytes: 64 << 20,
            header_bytes: 256 << 10,
            header_fields: 256,
            buffer_bytes: 4 << 20,
            undrained_rows: 4_096,
            retained_rows: 1_000_000,
            retained_bytes: 1 << 30,
            logged_operations: 1_000,
            in_flight_per_session: 4,
            in_flight: 64,
        }
    }
}

impl Operation {
    /// An operation with default options.
    pub fn new(kind: OperationKind) -> Self {
        Self { kind, options: OperationOptions::default() }
    }

    /// The name CIM operations go by in the pane: `EnumerateInstances`, `GetClass` and so on.
    pub fn name(&self) -> &'static str {
        match &self.kind {
            OperationKind::TestConnection => "TestConnection",
            OperationKind::EnumerateNamespaces => "EnumerateNamespaces",
            OperationKind::EnumerateClasses { names_only: true, .. } => "EnumerateClassNames",
            OperationKind::EnumerateClasses { names_only: false, .. } => "EnumerateClasses",
            OperationKind::GetClass { .. } => "GetClass",
            OperationKind::EnumerateInstances { .. } if self.options.keys_only => "EnumerateInstanceNames",
            OperationKind::EnumerateInstances { .. } => "EnumerateInstances",
            OperationKind::GetInstance { .. } => "GetInstance",
            OperationKind::AssociatorInstances { .. } if self.options.keys_only => "AssociatorNames",
            OperationKind::AssociatorInstances { .. } => "Associators",
            OperationKind::ReferenceInstances { .. } if self.options.keys_only => "ReferenceNames",
            OperationKind::ReferenceInstances { .. } => "References",
            OperationKind::QueryInstances { .. } => "ExecQuery",
            OperationKind::Subscribe { .. } => "Subscribe",
            OperationKind::EnumerateQualifiers => "EnumerateQualifiers",
            OperationKind::GetQualifier { .. } => "GetQualifier",
        }
    }

    /// What it is about: a class, a path, a query, or nothing.
    pub fn subject(&self) -> String {
        match &self.kind {
            OperationKind::TestConnection | OperationKind::EnumerateNamespaces | OperationKind::EnumerateQualifiers => {
                String::new()
            }
            OperationKind::EnumerateClasses { parent, .. } => {
                parent.as_ref().map(|name| name.to_string()).unwrap_or_default()
            }
            OperationKind::GetClass { class } | OperationKind::EnumerateInstances { class } => class.to_string(),
            OperationKind::GetInstance { path: object }
            | OperationKind::AssociatorInstances { object, .. }
            | OperationKind::ReferenceInstances { object, .. } => object.clone().without_host().to_string(),
            OperationKind::QueryInstances { query } | OperationKind::Subscribe { query } => query.clone(),
            OperationKind::GetQualifier { name } => name.to_string(),
        }
    }

    /// Whether it can change anything on the server. Writes are never sent twice.
    pub const fn is_write(&self) -> bool {
        false
    }
}
