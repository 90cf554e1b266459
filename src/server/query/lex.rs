//! The words of a query.
//!
//! Owns: cutting the text of a query into tokens. Must not know what they mean together.

use super::{LENGTH_MAX, QueryError, wrong};
use crate::cim::CimName;

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Token {
    /// A name or a keyword.
    Word(String),
    /// A text, its quotes and backslashes taken off.
    Text(String),
    Integer(i128),
    Real(f64),
    Symbol(&'static str),
}

/// The longest first, so that `<=` is not read as `<`.
const SYMBOLS: &[&str] = &["<>", "<=", ">=", "!=", "<", ">", "=", "(", ")", ",", "*"];

/// The tokens of a query, taken one by one.
pub(super) struct Tokens(std::iter::Peekable<std::vec::IntoIter<Token>>);

impl Tokens {
    pub(super) fn new(text: &str) -> Result<Self, QueryError> {
        if text.len() > LENGTH_MAX {
            return wrong("a query longer than this server reads");
        }
        let (mut rest, mut tokens) = (text.trim_start(), Vec::new());
        while let Some(first) = rest.chars().next() {
            let (token, after) = match first {
                '\'' | '"' => quoted(rest, first)?,
                '0'..='9' | '-' | '+' | '.' => number(rest)?,
                _ if first.is_alphabetic() || first == '_' => {
                    let (word, after) = split(rest, |c| !(c.is_alphanumeric() || c == '_'));
                    (Token::Word(word.to_owned()), after)
                }
                _ => match SYMBOLS.iter().find_map(|symbol| Some((*symbol, rest.strip_prefix(symbol)?))) {
                    Some((symbol, after)) => (Token::Symbol(symbol), after),
                    None => return wrong(format!("{first:?} means nothing here")),
                },
            };
            tokens.push(token);
            rest = after.trim_start();
        }
        Ok(Self(tokens.into_iter().peekable()))
    }

    pub(super) fn next(&mut self) -> Option<Token> {
        self.0.next()
    }

    /// Takes the next token if it is this one.
    pub(super) fn take(&mut self, token: &Token) -> bool {
        self.0.next_if(|next| next == token).is_some()
    }

    /// Takes the next token if it is this keyword.
    pub(super) fn take_word(&mut self, keyword: &str) -> bool {
        self.0.next_if(|next| matches!(next, Token::Word(word) if word.eq_ignore_ascii_case(keyword))).is_some()
    }

    pub(super) fn keyword(&mut self, keyword: &str) -> Result<(), QueryError> {
        if self.take_word(keyword) { Ok(()) } else { wrong(format!("{keyword} belongs {}", self.place())) }
    }

    pub(super) fn name(&mut self, what: &str) -> Result<CimName, QueryError> {
        match self.0.next_if(|next| matches!(next, Token::Word(_))) {
            Some(Token::Word(word)) => Ok(CimName::new(&word)),
            _ => wrong(format!("the name of {what} belongs {}", self.place())),
        }
    }

    pub(super) fn end(&mut self) -> Result<(), QueryError> {
        if self.0.peek().is_none() {
            Ok(())
        } else {
            wrong(format!("this server does not read further {}", self.place()))
        }
    }

    fn place(&mut self) -> String {
        match self.0.peek() {
            None => "at the end".to_owned(),
            Some(Token::Word(word)) => format!("at {word}"),
            Some(Token::Text(text)) => format!("at {text:?}"),
            Some(Token::Integer(value)) => format!("at {value}"),
            Some(Token::Real(value)) => format!("at {value}"),
            Some(Token::Symbol(symbol)) => format!("at {symbol}"),
        }
    }
}

fn split(text: &str, ends: impl Fn(char) -> bool) -> (&str, &str) {
    text.split_at(text.find(ends).unwrap_or(text.len()))
}

/// A text in quotes; a backslash takes the next character as it is.
fn quoted(text: &str, quote: char) -> Result<(Token, &str), QueryError> {
    let mut inner = String::new();
    let mut characters = text.char_indices().skip(1);
    while let Some((at, character)) = characters.next() {
        match character {
            '\\' => match characters.next() {
                Some((_, escaped)) => inner.push(escaped),
                None => break,
            },
            _ if character == quote => {
                let after = text.get(at + quote.len_utf8()..).unwrap_or_default();
                return Ok((Token::Text(inner), after));
            }
            _ => inner.push(character),
        }
    }
    wrong("a text is not closed")
}

fn number(text: &str) -> Result<(Token, &str), QueryError> {
    let mut before = ' ';
    let end = text.char_indices().find(|(at, character)| {
        let sign = matches!(character, '-' | '+') && (*at == 0 || matches!(before, 'e' | 'E'));
        before = *character;
        !(character.is_ascii_alphanumeric() || *character == '.' || sign)
    });
    let (word, after) = text.split_at(end.map_or(text.len(), |(at, _)| at));
    let token = match (word.parse(), word.parse::<f64>()) {
        (Ok(integer), _) => Token::Integer(integer),
        (_, Ok(real)) if real.is_finite() => Token::Real(real),
        _ => return wrong(format!("{word} is no number")),
    };
    Ok((token, after))
}
