//! Faults of answers: why one could not be read on, and where.
//!
//! Owns: [`DecodeError`] and the kinds of [`Fault`]. Must not know what is told about them.

/// Why an answer could not be read on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DecodeError {
    /// Where, in bytes of the body after decoding to UTF-8.
    pub offset: u64,
    /// In which item of the result, counted from 0.
    pub item: Option<u64>,
    /// What is wrong.
    pub message: String,
    /// The limit that was reached, by its key in the configuration, if it is one.
    pub limit: Option<&'static str>,
    /// What kind of fault it is.
    pub fault: Fault,
}

/// What is wrong with an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// XML that is not well-formed.
    IllFormed,
    /// Something the protocol does not have there.
    Misplaced,
    /// Bytes the encoding, named here, does not have.
    WrongBytes(&'static str),
    /// A DOCTYPE with an internal subset.
    Subset,
    /// Nothing at all.
    Empty,
    /// The frame of the protocol without a response in it.
    NoResponse,
    /// It ends before its end.
    CutShort,
    /// HTML.
    Html,
    /// JSON.
    Json,
    /// SOAP; of another version, where SOAP was asked for.
    Soap,
    /// CIM-XML, where something else was asked for.
    CimXml,
    /// Text.
    Text,
    /// XML of another kind.
    OtherXml,
}

impl DecodeError {
    /// An error at `offset` that is no limit; the item is filled in by whoever knows it.
    pub fn at(offset: u64, message: impl Into<String>) -> Self {
        Self { offset, item: None, message: message.into(), limit: None, fault: Fault::IllFormed }
    }

    /// The same as a fault of another kind.
    #[must_use]
    pub fn of(mut self, fault: Fault) -> Self {
        self.fault = fault;
        self
    }

    /// A limit reached at `offset`.
    pub fn limit(offset: u64, key: &'static str, message: impl Into<String>) -> Self {
        Self { limit: Some(key), ..Self::at(offset, message) }
    }
}

impl std::fmt::Display for DecodeError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} at byte {}", self.message, self.offset)?;
        match self.item {
            Some(item) => write!(f, ", in item {item}"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for DecodeError {}
