//! The protocols that are tested alike.

/// A protocol under test.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Subject {
    /// Its name in the registry.
    pub protocol: &'static str,
    /// The path its server answers at.
    pub path: &'static str,
    /// The folder of the scenarios that enumerate in it, below `tests/scenarios`.
    pub folder: &'static str,
}

/// CIM-XML.
pub const CIMXML: Subject = Subject { protocol: "cimxml", path: "/cimom", folder: "pull" };

/// WS-Man.
pub const WSMAN: Subject = Subject { protocol: "wsman", path: "/wsman", folder: "wsman" };

/// Every protocol.
pub const SUBJECTS: [Subject; 2] = [CIMXML, WSMAN];
