//! CIM types and values.
//!
//! Owns: the intrinsic types of DSP0004 table 2, exact values (64-bit integers never pass through a float), and the
//! difference between NULL, an empty string, an empty array and an absent property. Must not know any wire format.

use std::fmt;

use super::{CimClass, CimDateTime, CimInstance, ObjectPath};

/// An intrinsic CIM type (DSP0004, table "Intrinsic Data Types"), plus `reference`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum CimType {
    /// `boolean`
    Boolean,
    /// `uint8`
    UInt8,
    /// `uint16`
    UInt16,
    /// `uint32`
    UInt32,
    /// `uint64`
    UInt64,
    /// `sint8`
    SInt8,
    /// `sint16`
    SInt16,
    /// `sint32`
    SInt32,
    /// `sint64`
    SInt64,
    /// `real32`
    Real32,
    /// `real64`
    Real64,
    /// `char16`
    Char16,
    /// `string`
    String,
    /// `datetime`
    DateTime,
    /// `<class> REF`, written `reference` in CIM-XML
    Reference,
}

impl CimType {
    /// Every type, in the order DSP0004 lists them.
    pub const ALL: [Self; 15] = [
        Self::Boolean,
        Self::UInt8,
        Self::UInt16,
        Self::UInt32,
        Self::UInt64,
        Self::SInt8,
        Self::SInt16,
        Self::SInt32,
        Self::SInt64,
        Self::Real32,
        Self::Real64,
        Self::Char16,
        Self::String,
        Self::DateTime,
        Self::Reference,
    ];

    /// The DSP0004 keyword of the type, in lower case.
    pub const fn keyword(self) -> &'static str {
        match self {
            Self::Boolean => "boolean",
            Self::UInt8 => "uint8",
            Self::UInt16 => "uint16",
            Self::UInt32 => "uint32",
            Self::UInt64 => "uint64",
            Self::SInt8 => "sint8",
            Self::SInt16 => "sint16",
            Self::SInt32 => "sint32",
            Self::SInt64 => "sint64",
            Self::Real32 => "real32",
            Self::Real64 => "real64",
            Self::Char16 => "char16",
            Self::String => "string",
            Self::DateTime => "datetime",
            Self::Reference => "reference",
        }
    }

    /// The type a keyword names, without regard to case.
    pub fn from_keyword(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|ty| ty.keyword().eq_ignore_ascii_case(text))
    }

    /// True for the integer and real types.
    pub const fn is_numeric(self) -> bool {
        self.is_integer() || matches!(self, Self::Real32 | Self::Real64)
    }

    /// True for the signed and unsigned integer types.
    pub const fn is_integer(self) -> bool {
        self.is_unsigned() || matches!(self, Self::SInt8 | Self::SInt16 | Self::SInt32 | Self::SInt64)
    }

    /// True for the unsigned integer types.
    pub const fn is_unsigned(self) -> bool {
        matches!(self, Self::UInt8 | Self::UInt16 | Self::UInt32 | Self::UInt64)
    }

    /// The smallest and the largest value of an integer type; `None` for any other.
    pub const fn integer_range(self) -> Option<(i128, i128)> {
        Some(match self {
            Self::UInt8 => (0, u8::MAX as i128),
            Self::UInt16 => (0, u16::MAX as i128),
            Self::UInt32 => (0, u32::MAX as i128),
            Self::UInt64 => (0, u64::MAX as i128),
            Self::SInt8 => (i8::MIN as i128, i8::MAX as i128),
            Self::SInt16 => (i16::MIN as i128, i16::MAX as i128),
            Self::SInt32 => (i32::MIN as i128, i32::MAX as i128),
            Self::SInt64 => (i64::MIN as i128, i64::MAX as i128),
            _ => return None,
        })
    }
}

impl fmt::Display for CimType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.keyword())
    }
}

/// What a `string` property holds when its class marks it as embedded (qualifiers EmbeddedInstance, EmbeddedObject).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum EmbeddedKind {
    /// An instance of a known class.
    Instance,
    /// An instance or a class of any kind.
    Object,
}

/// One CIM value without its type. Width and signedness live beside it, in [`TypedValue`] or in a column.
#[derive(Clone, Debug, PartialEq)]
pub enum CimValue {
    /// No value. Not the same as an empty string or array, nor as a property that was not sent.
    Null,
    /// `boolean`
    Bool(bool),
    /// Any unsigned integer, exact.
    UInt(u64),
    /// Any signed integer, exact.
    SInt(i64),
    /// Either real; a `real32` holds the nearest double of its written text.
    Real(f64),
    /// One UCS-2 code unit; a server can send an unpaired surrogate.
    Char16(u16),
    /// `string`
    String(Box<str>),
    /// `datetime`, timestamp or interval
    DateTime(CimDateTime),
    /// `<class> REF`
    Reference(Box<ObjectPath>),
    /// An embedded instance.
    Instance(Box<CimInstance>),
    /// An embedded class (EmbeddedObject only).
    Class(Box<CimClass>),
    /// An array. Its items are scalars of one type, or Null.
    Array(Vec<CimValue>),
    /// Text whose type is not known (a protocol that sends no types, before the schema has arrived).
    Untyped(Box<str>),
}

impl CimValue {
    /// A string value.
    pub fn string(text: &str) -> Self {
        Self::String(Box::from(text))
    }

    /// Whether this is NULL.
    pub const fn is_null(&self) -> bool {
        matches!(self, Self::Null)
    }
}

/// A value outside a table (key, parameter, default, qualifier) together with its type.
#[derive(Clone, Debug, PartialEq)]
pub struct TypedValue {
    /// The declared type of the value or of the array's items.
    pub ty: CimType,
    /// Whether an array is declared; `value` is then `Array` or `Null`.
    pub is_array: bool,
    /// The value.
    pub value: CimValue,
}

impl TypedValue {
    /// A scalar of type `ty`.
    pub const fn scalar(ty: CimType, value: CimValue) -> Self {
        Self { ty, is_array: false, value }
    }

    /// An array with items of type `ty`.
    pub const fn array(ty: CimType, items: Vec<CimValue>) -> Self {
        Self { ty, is_array: true, value: CimValue::Array(items) }
    }
}
