//! The queries the embedded server understands.
//!
//! Owns: reading `SELECT * | p, q FROM Class [WHERE condition]` (WQL) and bare conditions (FQL, DSP0212), and whether a
//! condition holds for an instance. Must not know operations or XML. A condition compares properties with literals,
//! joined by AND, OR, NOT and parentheses:
//!
//! ```text
//! condition  = and { "OR" and }          and = not { "AND" not }          not = "NOT" not | "(" condition ")" | term
//! term       = property ( "=" | "<>" | "!=" | "<" | "<=" | ">" | ">=" ) literal | property "IS" [ "NOT" ] "NULL"
//! literal    = number | 'text' | "text" | TRUE | FALSE
//! ```
//!
//! Whatever else those languages have (LIKE, ISA, functions, joins) is refused. Comparing with NULL is neither true nor
//! false, so such a row is left out, under NOT as well. Texts are compared by their characters, case included.

mod lex;

#[cfg(test)]
mod tests;

use std::{cmp::Ordering, fmt};

use lex::{Token, Tokens};

use super::repository::SchemaClass;
use crate::cim::{CimDateTime, CimName, CimType, CimValue};

/// Longer queries are refused, in bytes.
const LENGTH_MAX: usize = 16 * 1024;
/// Parentheses and NOTs deeper than this are refused.
const DEPTH_MAX: usize = 32;

/// What is wrong with a query.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct QueryError(String);

impl fmt::Display for QueryError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

fn wrong<T>(what: impl Into<String>) -> Result<T, QueryError> {
    Err(QueryError(what.into()))
}

/// A whole query.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Select {
    /// The properties asked for; `None` is all of them.
    pub(super) properties: Option<Vec<CimName>>,
    pub(super) class: CimName,
    pub(super) condition: Option<Condition>,
}

/// What an instance must be like.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Condition {
    /// All of them hold.
    All(Vec<Condition>),
    /// One of them holds.
    Any(Vec<Condition>),
    /// It does not hold.
    Not(Box<Condition>),
    /// The property has no value.
    IsNull(CimName),
    /// The property compares with the literal so.
    Compare(CimName, Comparison, Literal),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Comparison {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

impl Comparison {
    const fn accepts(self, order: Ordering) -> bool {
        match self {
            Self::Equal => order.is_eq(),
            Self::NotEqual => order.is_ne(),
            Self::Less => order.is_lt(),
            Self::LessOrEqual => order.is_le(),
            Self::Greater => order.is_gt(),
            Self::GreaterOrEqual => order.is_ge(),
        }
    }
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Literal {
    Bool(bool),
    Integer(i128),
    Real(f64),
    Text(String),
}

/// Reads a condition that stands alone.
pub(super) fn condition(text: &str) -> Result<Condition, QueryError> {
    let mut tokens = Tokens::new(text)?;
    let condition = any(&mut tokens, 0)?;
    tokens.end()?;
    Ok(condition)
}

/// Reads a whole query.
pub(super) fn select(text: &str) -> Result<Select, QueryError> {
    let mut tokens = Tokens::new(text)?;
    tokens.keyword("SELECT")?;
    let properties = if tokens.take(&Token::Symbol("*")) {
        None
    } else {
        let mut names = vec![tokens.name("a property")?];
        while tokens.take(&Token::Symbol(",")) {
            names.push(tokens.name("a property")?);
        }
        Some(names)
    };
    tokens.keyword("FROM")?;
    let class = tokens.name("a class")?;
    let condition = tokens.take_word("WHERE").then(|| any(&mut tokens, 0)).transpose()?;
    tokens.end()?;
    Ok(Select { properties, class, condition })
}

fn any(tokens: &mut Tokens, depth: usize) -> Result<Condition, QueryError> {
    let mut parts = vec![all(tokens, depth)?];
    while tokens.take_word("OR") {
        parts.push(all(tokens, depth)?);
    }
    Ok(one_or(parts, Condition::Any))
}

fn all(tokens: &mut Tokens, depth: usize) -> Result<Condition, QueryError> {
    let mut parts = vec![not(tokens, depth)?];
    while tokens.take_word("AND") {
        parts.push(not(tokens, depth)?);
    }
    Ok(one_or(parts, Condition::All))
}

fn one_or(mut parts: Vec<Condition>, many: fn(Vec<Condition>) -> Condition) -> Condition {
    match (parts.pop(), parts.is_empty()) {
        (Some(only), true) => only,
        (last, _) => {
            parts.extend(last);
            many(parts)
        }
    }
}

fn not(tokens: &mut Tokens, depth: usize) -> Result<Condition, QueryError> {
    if depth > DEPTH_MAX {
        return wrong("a condition deeper than this server reads");
    }
    if tokens.take_word("NOT") {
        return Ok(Condition::Not(Box::new(not(tokens, depth + 1)?)));
    }
    if tokens.take(&Token::Symbol("(")) {
        let inner = any(tokens, depth + 1)?;
        return if tokens.take(&Token::Symbol(")")) { Ok(inner) } else { wrong("a parenthesis is not closed") };
    }
    term(tokens)
}

fn term(tokens: &mut Tokens) -> Result<Condition, QueryError> {
    let property = tokens.name("a property")?;
    if tokens.take_word("IS") {
        let negated = tokens.take_word("NOT");
        tokens.keyword("NULL")?;
        let is_null = Condition::IsNull(property);
        return Ok(if negated { Condition::Not(Box::new(is_null)) } else { is_null });
    }
    let comparison = match tokens.next() {
        Some(Token::Symbol("=")) => Comparison::Equal,
        Some(Token::Symbol("<>" | "!=")) => Comparison::NotEqual,
        Some(Token::Symbol("<")) => Comparison::Less,
        Some(Token::Symbol("<=")) => Comparison::LessOrEqual,
        Some(Token::Symbol(">")) => Comparison::Greater,
        Some(Token::Symbol(">=")) => Comparison::GreaterOrEqual,
        _ => return wrong(format!("after {property}: one of = <> < <= > >= IS belongs there")),
    };
    let literal = match tokens.next() {
        Some(Token::Text(text)) => Literal::Text(text),
        Some(Token::Integer(value)) => Literal::Integer(value),
        Some(Token::Real(value)) => Literal::Real(value),
        Some(Token::Word(word)) if word.eq_ignore_ascii_case("TRUE") => Literal::Bool(true),
        Some(Token::Word(word)) if word.eq_ignore_ascii_case("FALSE") => Literal::Bool(false),
        _ => return wrong(format!("{property} is compared with something else than a literal")),
    };
    Ok(Condition::Compare(property, comparison, literal))
}

impl Condition {
    /// Whether every property is one of `class` and can be compared so.
    pub(super) fn check(&self, class: &SchemaClass) -> Result<(), QueryError> {
        let declared = |name: &CimName| {
            let at = class.index(name.as_str());
            let property = at.and_then(|at| class.class().properties.get(at));
            property.ok_or_else(|| QueryError(format!("{} has no property {name}", class.name())))
        };
        match self {
            Self::All(parts) | Self::Any(parts) => parts.iter().try_for_each(|part| part.check(class)),
            Self::Not(inner) => inner.check(class),
            Self::IsNull(name) => declared(name).map(|_| ()),
            Self::Compare(name, comparison, literal) => {
                let property = declared(name)?;
                let fits = !property.is_array
                    && match literal {
                        Literal::Bool(_) => {
                            property.ty == CimType::Boolean
                                && matches!(comparison, Comparison::Equal | Comparison::NotEqual)
                        }
                        Literal::Integer(_) | Literal::Real(_) => {
                            property.ty.integer_range().is_some()
                                || matches!(property.ty, CimType::Real32 | CimType::Real64)
                        }
                        Literal::Text(text) if property.ty == CimType::DateTime => text.parse::<CimDateTime>().is_ok(),
                        Literal::Text(_) => matches!(property.ty, CimType::String | CimType::Char16),
                    };
                let array = if property.is_array { " array" } else { "" };
                if fits {
                    Ok(())
                } else {
                    wrong(format!("{name} is a {}{array}: it cannot be compared so", property.ty))
                }
            }
        }
    }

    /// Whether an instance of `class` with these `values` is like that.
    pub(super) fn holds(&self, class: &SchemaClass, values: &[CimValue]) -> bool {
        self.truth(class, values) == Some(true)
    }

    /// True, false, or neither.
    fn truth(&self, class: &SchemaClass, values: &[CimValue]) -> Option<bool> {
        let value =
            |name: &CimName| class.index(name.as_str()).and_then(|at| values.get(at)).unwrap_or(&CimValue::Null);
        match self {
            Self::All(parts) => settled(parts.iter().map(|part| part.truth(class, values)), false),
            Self::Any(parts) => settled(parts.iter().map(|part| part.truth(class, values)), true),
            Self::Not(inner) => inner.truth(class, values).map(|truth| !truth),
            Self::IsNull(name) => Some(matches!(value(name), CimValue::Null)),
            Self::Compare(name, comparison, literal) => {
                order(value(name), literal).map(|order| comparison.accepts(order))
            }
        }
    }
}

/// `by` as soon as one part is; otherwise its contrary, or neither if one part is neither.
fn settled(parts: impl Iterator<Item = Option<bool>>, by: bool) -> Option<bool> {
    let mut unknown = false;
    for part in parts {
        match part {
            Some(truth) if truth == by => return Some(by),
            Some(_) => {}
            None => unknown = true,
        }
    }
    (!unknown).then_some(!by)
}

fn order(value: &CimValue, literal: &Literal) -> Option<Ordering> {
    match (value, literal) {
        (CimValue::Bool(value), Literal::Bool(other)) => Some(value.cmp(other)),
        (CimValue::UInt(value), Literal::Integer(other)) => Some(i128::from(*value).cmp(other)),
        (CimValue::SInt(value), Literal::Integer(other)) => Some(i128::from(*value).cmp(other)),
        (CimValue::UInt(value), Literal::Real(other)) => (*value as f64).partial_cmp(other),
        (CimValue::SInt(value), Literal::Real(other)) => (*value as f64).partial_cmp(other),
        (CimValue::Real(value), Literal::Integer(other)) => value.partial_cmp(&(*other as f64)),
        (CimValue::Real(value), Literal::Real(other)) => value.partial_cmp(other),
        (CimValue::String(value) | CimValue::Untyped(value), Literal::Text(other)) => {
            Some((**value).cmp(other.as_str()))
        }
        (CimValue::Char16(unit), Literal::Text(other)) => {
            let mut units = other.encode_utf16();
            let first = units.next()?;
            Some(unit.cmp(&first).then(if units.next().is_some() { Ordering::Less } else { Ordering::Equal }))
        }
        (CimValue::DateTime(when), Literal::Text(other)) => when_order(when.as_str(), other),
        _ => None,
    }
}

/// Two timestamps of the same offset from UTC, or two intervals, are in the order of their digits. Others are compared
/// for being the same only.
fn when_order(left: &str, right: &str) -> Option<Ordering> {
    const DIGITS: usize = 21;
    let same_kind = left.get(DIGITS..)? == right.get(DIGITS..)?;
    match left.cmp(right) {
        Ordering::Equal => Some(Ordering::Equal),
        order if same_kind && !left.contains('*') && !right.contains('*') => Some(order),
        _ => None,
    }
}
