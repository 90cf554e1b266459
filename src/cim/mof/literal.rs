//! Literals and the values they are of a given type.
//!
//! Owns: which literal fits which CIM type, and the type of a value nothing declares. Must not know tokens or grammar.

use super::{MofError, lexer::Position};
use crate::cim::{
    CimInstance, CimType, CimValue, TypedValue,
    text::{integer_value, parse_value, real_value},
};

/// A value as written, before its type is known.
#[derive(Clone, Debug)]
pub(super) enum Literal {
    Null,
    Bool(bool),
    Int(i128),
    Real(f64),
    Char(u16),
    Text(String),
    Alias(String),
    Instance(Box<CimInstance>),
    Array(Vec<(Literal, Position)>),
}

impl Literal {
    pub(super) const fn is_array(&self) -> bool {
        matches!(self, Self::Array(_))
    }

    /// The type of this literal where nothing declares one: what DSP0004 would need at least.
    pub(super) fn natural_type(&self) -> CimType {
        match self {
            Self::Bool(_) => CimType::Boolean,
            Self::Int(value) if (0..=i128::from(u32::MAX)).contains(value) => CimType::UInt32,
            Self::Int(value) if *value > i128::from(i64::MAX) => CimType::UInt64,
            Self::Int(_) => CimType::SInt64,
            Self::Real(_) => CimType::Real64,
            Self::Char(_) => CimType::Char16,
            Self::Alias(_) => CimType::Reference,
            Self::Null | Self::Text(_) | Self::Instance(_) => CimType::String,
            Self::Array(items) => {
                let types = items.iter().filter(|item| !matches!(item.0, Self::Null)).map(|item| item.0.natural_type());
                // The widest integer type named decides; other types must agree anyway.
                types.reduce(wider).unwrap_or(CimType::String)
            }
        }
    }

    /// The value with the type it shows by itself.
    pub(super) fn natural(&self, at: &Position) -> Result<TypedValue, MofError> {
        let ty = self.natural_type();
        Ok(TypedValue { ty, is_array: self.is_array(), value: self.typed(ty, self.is_array(), at)? })
    }

    /// The value of type `ty` this literal is. An alias becomes NULL: whoever resolves aliases puts its reference there.
    pub(super) fn typed(&self, ty: CimType, is_array: bool, at: &Position) -> Result<CimValue, MofError> {
        match self {
            Self::Null => Ok(CimValue::Null),
            Self::Array(items) if is_array => {
                items.iter().map(|(item, at)| item.scalar(ty, at)).collect::<Result<_, _>>().map(CimValue::Array)
            }
            Self::Array(_) => at.error("an array where one value is declared"),
            _ if is_array => at.error("one value where an array is declared"),
            _ => self.scalar(ty, at),
        }
    }

    fn scalar(&self, ty: CimType, at: &Position) -> Result<CimValue, MofError> {
        let wrong = |what: String| at.mof_error(what);
        match (self, ty) {
            (Self::Null, _) => Ok(CimValue::Null),
            (Self::Bool(value), CimType::Boolean) => Ok(CimValue::Bool(*value)),
            (Self::Int(value), CimType::Real32 | CimType::Real64) => {
                real_value(ty, *value as f64).map_err(|error| wrong(error.to_string()))
            }
            (Self::Int(value), CimType::Char16) => match u16::try_from(*value) {
                Ok(unit) => Ok(CimValue::Char16(unit)),
                Err(_) => at.error("not a char16: outside 0 to 65535"),
            },
            (Self::Int(value), _) if ty.is_integer() => {
                integer_value(ty, *value).map_err(|error| wrong(error.to_string()))
            }
            (Self::Real(value), CimType::Real32 | CimType::Real64) => {
                real_value(ty, *value).map_err(|error| wrong(error.to_string()))
            }
            (Self::Char(unit), CimType::Char16) => Ok(CimValue::Char16(*unit)),
            (Self::Text(text), CimType::String) => Ok(CimValue::string(text)),
            (Self::Text(text), CimType::DateTime | CimType::Reference | CimType::Char16) => {
                parse_value(ty, text).map_err(|error| wrong(error.to_string()))
            }
            (Self::Alias(_), CimType::Reference) => Ok(CimValue::Null),
            (Self::Instance(instance), CimType::String) => Ok(CimValue::Instance(instance.clone())),
            (Self::Array(_), _) => at.error("an array inside an array"),
            _ => at.error(format!("{} where a {ty} is declared", self.describe())),
        }
    }

    const fn describe(&self) -> &'static str {
        match self {
            Self::Null => "NULL",
            Self::Bool(_) => "a boolean",
            Self::Int(_) => "an integer",
            Self::Real(_) => "a real",
            Self::Char(_) => "a character",
            Self::Text(_) => "a quoted text",
            Self::Alias(_) => "an alias",
            Self::Instance(_) => "an instance",
            Self::Array(_) => "an array",
        }
    }
}

fn wider(left: CimType, right: CimType) -> CimType {
    match (left, right) {
        (CimType::UInt32, other) | (other, CimType::UInt32) if other.is_integer() => other,
        (CimType::Real64, other) | (other, CimType::Real64) if other.is_integer() => CimType::Real64,
        _ => left,
    }
}
