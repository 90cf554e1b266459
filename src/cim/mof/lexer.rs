//! MOF text to tokens.
//!
//! Owns: white space, both comment forms, names, literals with their escapes, positions. Must not know the grammar.

use std::{borrow::Cow, rc::Rc};

use super::{MAX_NAME, MofError};

/// Where a token begins.
#[derive(Clone, Debug)]
pub(super) struct Position {
    pub(super) file: Rc<str>,
    pub(super) line: u32,
    pub(super) column: u32,
}

impl Position {
    pub(super) fn error<T>(&self, what: impl Into<String>) -> Result<T, MofError> {
        Err(self.mof_error(what))
    }

    pub(super) fn mof_error(&self, what: impl Into<String>) -> MofError {
        MofError { file: self.file.to_string(), line: self.line, column: self.column, what: what.into() }
    }
}

/// What a token is.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Token {
    /// A name or a keyword.
    Name(String),
    /// `$name`
    Alias(String),
    /// A quoted text, not yet joined with its neighbours.
    Text(String),
    /// A quoted char16.
    Char(u16),
    /// An integer of any base.
    Int(i128),
    /// A real.
    Real(f64),
    /// `#pragma`
    Pragma,
    /// Any other single character.
    Sign(char),
    /// The end of the text.
    End,
}

impl Token {
    /// The token in an error message, short and without its text where that could be anything.
    pub(super) fn describe(&self) -> Cow<'static, str> {
        match self {
            Self::Name(name) if name.len() <= 64 => Cow::Owned(format!("`{name}`")),
            Self::Name(_) => Cow::Borrowed("a name"),
            Self::Alias(_) => Cow::Borrowed("an alias"),
            Self::Text(_) => Cow::Borrowed("a quoted text"),
            Self::Char(_) => Cow::Borrowed("a character"),
            Self::Int(_) | Self::Real(_) => Cow::Borrowed("a number"),
            Self::Pragma => Cow::Borrowed("`#pragma`"),
            Self::Sign(sign) => Cow::Owned(format!("`{}`", sign.escape_default())),
            Self::End => Cow::Borrowed("the end of the text"),
        }
    }
}

pub(super) struct Lexer {
    text: Rc<str>,
    at: usize,
    here: Position,
}

impl Lexer {
    pub(super) fn new(file: &str, text: &str) -> Self {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        Self { text: Rc::from(text), at: 0, here: Position { file: Rc::from(file), line: 1, column: 1 } }
    }

    pub(super) fn file(&self) -> &str {
        &self.here.file
    }

    fn rest(&self) -> &str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn peek_second(&self) -> Option<char> {
        self.rest().chars().nth(1)
    }

    fn bump(&mut self) -> Option<char> {
        let c = self.peek()?;
        self.at += c.len_utf8();
        if c == '\n' {
            self.here.line = self.here.line.saturating_add(1);
            self.here.column = 1;
        } else {
            self.here.column = self.here.column.saturating_add(1);
        }
        Some(c)
    }

    fn take_while(&mut self, fits: impl Fn(char) -> bool) -> String {
        let mut out = String::new();
        while let Some(c) = self.peek().filter(|c| fits(*c)) {
            out.push(c);
            self.bump();
        }
        out
    }

    fn skip_blank(&mut self) -> Result<(), MofError> {
        loop {
            match (self.peek(), self.peek_second()) {
                (Some(c), _) if c.is_whitespace() => {
                    self.bump();
                }
                (Some('/'), Some('/')) => while self.bump().is_some_and(|c| c != '\n') {},
                (Some('/'), Some('*')) => {
                    let start = self.here.clone();
                    self.bump();
                    self.bump();
                    loop {
                        match self.bump() {
                            None => return start.error("a comment that is not closed"),
                            Some('*') if self.peek() == Some('/') => {
                                self.bump();
                                break;
                            }
                            Some(_) => {}
                        }
                    }
                }
                _ => return Ok(()),
            }
        }
    }

    /// The next token and where it begins.
    pub(super) fn next(&mut self) -> Result<(Token, Position), MofError> {
        self.skip_blank()?;
        let start = self.here.clone();
        let Some(c) = self.peek() else { return Ok((Token::End, start)) };
        let token = match c {
            '"' => self.text(&start)?,
            '\'' => self.character(&start)?,
            '$' => {
                self.bump();
                match self.name(&start)? {
                    name if name.is_empty() => return start.error("an alias without a name"),
                    name => Token::Alias(name),
                }
            }
            '#' => {
                self.bump();
                if !self.name(&start)?.eq_ignore_ascii_case("pragma") {
                    return start.error("only `#pragma` begins with `#`");
                }
                Token::Pragma
            }
            c if is_name_start(c) => Token::Name(self.name(&start)?),
            c if c.is_ascii_digit() => self.number(&start)?,
            '+' | '-' | '.' => match self.peek_second() {
                Some(next) if next.is_ascii_digit() || next == '.' => self.number(&start)?,
                Some(next) if c != '.' && next.is_ascii_alphabetic() => self.signed_word(&start)?,
                _ => return start.error("a sign without a number"),
            },
            c => {
                self.bump();
                Token::Sign(c)
            }
        };
        Ok((token, start))
    }

    fn name(&mut self, start: &Position) -> Result<String, MofError> {
        let name = self.take_while(|c| is_name_start(c) || c.is_ascii_digit());
        if name.len() > MAX_NAME {
            return start.error(format!("a name longer than {MAX_NAME} bytes"));
        }
        Ok(name)
    }

    /// `-INF`, which DSP0004 2.x has no literal for but servers hold.
    fn signed_word(&mut self, start: &Position) -> Result<Token, MofError> {
        let negative = self.bump() == Some('-');
        if !self.name(start)?.eq_ignore_ascii_case("inf") {
            return start.error("a sign without a number");
        }
        Ok(Token::Real(if negative { f64::NEG_INFINITY } else { f64::INFINITY }))
    }

    /// `10`, `-0x1F`, `017` (octal), `101b`, `1.5e-3`.
    fn number(&mut self, start: &Position) -> Result<Token, MofError> {
        let sign = self.take_while(|c| matches!(c, '+' | '-'));
        let mut body = self.take_while(|c| c.is_ascii_alphanumeric() || c == '.');
        let hexadecimal = body.get(..2).is_some_and(|prefix| prefix.eq_ignore_ascii_case("0x"));
        if !hexadecimal && body.ends_with(['e', 'E']) && matches!(self.peek(), Some('+' | '-')) {
            body.push_str(&self.take_while(|c| matches!(c, '+' | '-')));
            body.push_str(&self.take_while(|c| c.is_ascii_digit()));
        }
        let integer = if sign.len() > 1 { None } else { integer(&body) };
        if let Some(value) = integer {
            return Ok(Token::Int(if sign == "-" { -value } else { value }));
        }
        let fraction = body.split_once('.').is_some_and(|(_, after)| after.starts_with(|c: char| c.is_ascii_digit()));
        let exponent = !hexadecimal && body.contains(['e', 'E']);
        match crate::cim::text::parse_real(&format!("{sign}{body}")) {
            Some(value) if sign.len() < 2 && (fraction || exponent) => Ok(Token::Real(value)),
            _ => start.error("not a number MOF can write, or one too large"),
        }
    }

    fn text(&mut self, start: &Position) -> Result<Token, MofError> {
        self.bump();
        let (mut out, mut high) = (String::new(), None);
        loop {
            let here = self.here.clone();
            let unit = match self.bump() {
                None | Some('\n' | '\r') => return start.error("a quoted text that is not closed in its line"),
                Some('"') if high.is_some() => return here.error("half of a surrogate pair in a text"),
                Some('"') => return Ok(Token::Text(out)),
                Some('\\') => self.escape(&here)?,
                Some(c) if high.is_none() => {
                    out.push(c);
                    continue;
                }
                Some(_) => return here.error("half of a surrogate pair in a text"),
            };
            let units = high.take().into_iter().chain([unit]);
            match char::decode_utf16(units).collect::<Result<String, _>>() {
                Ok(text) => out.push_str(&text),
                Err(_) if (0xd800..0xdc00).contains(&unit) => high = Some(unit),
                Err(_) => return here.error("half of a surrogate pair in a text"),
            }
        }
    }

    fn character(&mut self, start: &Position) -> Result<Token, MofError> {
        self.bump();
        let here = self.here.clone();
        let unit = match self.bump() {
            None | Some('\n' | '\r') => return start.error("a character that is not closed"),
            Some('\'') => return start.error("a character is missing between the quotes"),
            Some('\\') => self.escape(&here)?,
            Some(c) => match u16::try_from(u32::from(c)) {
                Ok(unit) => unit,
                Err(_) => return here.error("a character that takes more than one UTF-16 code unit"),
            },
        };
        if self.bump() != Some('\'') {
            return start.error("a character that is not closed, or more than one of them");
        }
        Ok(Token::Char(unit))
    }

    /// What stands after a backslash (DSP0004 annex A, `escapeSequence`).
    fn escape(&mut self, start: &Position) -> Result<u16, MofError> {
        let unit = match self.bump() {
            Some('b') => 0x08,
            Some('t') => 0x09,
            Some('n') => 0x0a,
            Some('f') => 0x0c,
            Some('r') => 0x0d,
            Some('"') => u16::from(b'"'),
            Some('\'') => u16::from(b'\''),
            Some('\\') => u16::from(b'\\'),
            Some('x' | 'X') => {
                let mut digits = String::new();
                while let Some(c) = self.peek().filter(|c| digits.len() < 4 && c.is_ascii_hexdigit()) {
                    digits.push(c);
                    self.bump();
                }
                match u16::from_str_radix(&digits, 16) {
                    Ok(unit) => unit,
                    Err(_) => return start.error("`\\x` needs one to four hexadecimal digits"),
                }
            }
            _ => return start.error("an escape that MOF does not have"),
        };
        Ok(unit)
    }
}

fn is_name_start(c: char) -> bool {
    c.is_ascii_alphabetic() || c == '_' || (!c.is_ascii() && c.is_alphanumeric())
}

/// The value of an integer literal without its sign.
fn integer(body: &str) -> Option<i128> {
    let octal = body.len() > 1 && body.starts_with('0') && body.bytes().all(|b| b.is_ascii_digit());
    if octal { i128::from_str_radix(body, 8).ok() } else { crate::cim::text::parse_integer(body) }
}
