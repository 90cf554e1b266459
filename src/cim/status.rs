//! CIM status codes and the errors servers answer with.
//!
//! Owns: the codes of DSP0200 table 2 with their names. Must not know transports, nor what to do about an error.

use std::fmt;

use super::CimInstance;

/// A CIM status code, known or not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CimStatus(pub u32);

/// An error a CIM server answered an operation with.
#[derive(Clone, Debug, PartialEq)]
pub struct CimError {
    /// The status code.
    pub status: CimStatus,
    /// The server's own words, unescaped; may be empty.
    pub description: String,
    /// `CIM_Error` instances sent along.
    pub details: Vec<CimInstance>,
}

impl fmt::Display for CimError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.status)?;
        if !self.description.is_empty() {
            write!(f, ": {}", self.description)?;
        }
        Ok(())
    }
}

impl std::error::Error for CimError {}

/// Code and symbolic name: DSP0200 table "Status codes returned by the CIM server", 1 to 28.
const CODES: &[(u32, &str)] = &[
    (1, "CIM_ERR_FAILED"),
    (2, "CIM_ERR_ACCESS_DENIED"),
    (3, "CIM_ERR_INVALID_NAMESPACE"),
    (4, "CIM_ERR_INVALID_PARAMETER"),
    (5, "CIM_ERR_INVALID_CLASS"),
    (6, "CIM_ERR_NOT_FOUND"),
    (7, "CIM_ERR_NOT_SUPPORTED"),
    (8, "CIM_ERR_CLASS_HAS_CHILDREN"),
    (9, "CIM_ERR_CLASS_HAS_INSTANCES"),
    (10, "CIM_ERR_INVALID_SUPERCLASS"),
    (11, "CIM_ERR_ALREADY_EXISTS"),
    (12, "CIM_ERR_NO_SUCH_PROPERTY"),
    (13, "CIM_ERR_TYPE_MISMATCH"),
    (14, "CIM_ERR_QUERY_LANGUAGE_NOT_SUPPORTED"),
    (15, "CIM_ERR_INVALID_QUERY"),
    (16, "CIM_ERR_METHOD_NOT_AVAILABLE"),
    (17, "CIM_ERR_METHOD_NOT_FOUND"),
    (20, "CIM_ERR_NAMESPACE_NOT_EMPTY"),
    (21, "CIM_ERR_INVALID_ENUMERATION_CONTEXT"),
    (22, "CIM_ERR_INVALID_OPERATION_TIMEOUT"),
    (23, "CIM_ERR_PULL_HAS_BEEN_ABANDONED"),
    (24, "CIM_ERR_PULL_CANNOT_BE_ABANDONED"),
    (25, "CIM_ERR_FILTERED_ENUMERATION_NOT_SUPPORTED"),
    (26, "CIM_ERR_CONTINUATION_ON_ERROR_NOT_SUPPORTED"),
    (27, "CIM_ERR_SERVER_LIMITS_EXCEEDED"),
    (28, "CIM_ERR_SERVER_IS_SHUTTING_DOWN"),
];

impl CimStatus {
    /// `CIM_ERR_FAILED`
    pub const FAILED: Self = Self(1);
    /// `CIM_ERR_ACCESS_DENIED`
    pub const ACCESS_DENIED: Self = Self(2);
    /// `CIM_ERR_INVALID_NAMESPACE`
    pub const INVALID_NAMESPACE: Self = Self(3);
    /// `CIM_ERR_INVALID_PARAMETER`
    pub const INVALID_PARAMETER: Self = Self(4);
    /// `CIM_ERR_INVALID_CLASS`
    pub const INVALID_CLASS: Self = Self(5);
    /// `CIM_ERR_NOT_FOUND`
    pub const NOT_FOUND: Self = Self(6);
    /// `CIM_ERR_NOT_SUPPORTED`
    pub const NOT_SUPPORTED: Self = Self(7);
    /// `CIM_ERR_QUERY_LANGUAGE_NOT_SUPPORTED`
    pub const QUERY_LANGUAGE_NOT_SUPPORTED: Self = Self(14);
    /// `CIM_ERR_INVALID_QUERY`
    pub const INVALID_QUERY: Self = Self(15);
    /// `CIM_ERR_INVALID_ENUMERATION_CONTEXT`
    pub const INVALID_ENUMERATION_CONTEXT: Self = Self(21);
    /// `CIM_ERR_INVALID_OPERATION_TIMEOUT`
    pub const INVALID_OPERATION_TIMEOUT: Self = Self(22);
    /// `CIM_ERR_CONTINUATION_ON_ERROR_NOT_SUPPORTED`
    pub const CONTINUATION_ON_ERROR_NOT_SUPPORTED: Self = Self(26);
    /// `CIM_ERR_SERVER_LIMITS_EXCEEDED`
    pub const SERVER_LIMITS_EXCEEDED: Self = Self(27);

    /// Its symbolic name, such as `CIM_ERR_NOT_FOUND`.
    pub fn name(self) -> Option<&'static str> {
        CODES.iter().find(|row| row.0 == self.0).map(|row| row.1)
    }
}

impl fmt::Display for CimStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => write!(f, "{name} ({})", self.0),
            None => write!(f, "CIM status {}", self.0),
        }
    }
}
