//! The words of PowerShell command lines.
//!
//! Owns: quotes, escapes, comments and continued lines (about_Quoting_Rules, about_Special_Characters, about_Parsing).
//! Must not know cmdlets. Anything that is not literal becomes [`Token::Dynamic`].

use std::{iter::Peekable, str::Chars};

/// A word, and the line it begins on.
#[derive(Clone, Debug)]
pub(super) struct Word {
    /// Counted from 1.
    pub(super) line: usize,
    /// What it is.
    pub(super) token: Token,
}

/// What a word is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Token {
    /// A literal without quotes.
    Bare(String),
    /// A literal in quotes.
    Quoted(String),
    /// `-Name`, or `-Name:` where its value follows.
    Parameter { name: String, colon: bool },
    /// `$name`.
    Variable(String),
    /// Something that only a running PowerShell can tell.
    Dynamic,
    /// `,`
    Comma,
    /// `(`, `@(` or `{`
    Open,
    /// `)` or `}`
    Close,
    /// `=`
    Assign,
    /// The end of a statement or of a step of a pipeline.
    End,
}

/// PowerShell takes typographic single quotes for single quotes.
pub(super) const fn is_single_quote(c: char) -> bool {
    matches!(c, '\'' | '\u{2018}'..='\u{201b}')
}

const fn is_double_quote(c: char) -> bool {
    matches!(c, '"' | '\u{201c}'..='\u{201e}')
}

/// And typographic dashes for the one before a parameter.
const fn is_dash(c: char) -> bool {
    matches!(c, '-' | '\u{2013}'..='\u{2015}')
}

/// The words of `text`.
pub(super) fn tokens(text: &str) -> Vec<Word> {
    let mut lexer = Lexer { chars: text.chars().peekable(), line: 1, depth: 0, words: Vec::new() };
    while lexer.word() {}
    lexer.push(Token::End);
    lexer.words
}

struct Lexer<'t> {
    chars: Peekable<Chars<'t>>,
    line: usize,
    depth: usize,
    words: Vec<Word>,
}

impl Lexer<'_> {
    fn push(&mut self, token: Token) {
        self.words.push(Word { line: self.line, token });
    }

    fn next(&mut self) -> Option<char> {
        let c = self.chars.next()?;
        self.line += usize::from(c == '\n');
        Some(c)
    }

    fn peek(&mut self) -> char {
        self.chars.peek().copied().unwrap_or('\n')
    }

    /// Reads one word; false at the end.
    fn word(&mut self) -> bool {
        let Some(c) = self.chars.peek().copied() else { return false };
        match c {
            '\n' => {
                // Inside parentheses, after a comma or in the middle of a pipeline a line goes on.
                let goes_on = matches!(self.words.last(), None | Some(Word { token: Token::Comma | Token::End, .. }));
                if self.depth == 0 && !goes_on {
                    self.push(Token::End);
                }
                self.next();
            }
            c if c.is_whitespace() => drop(self.next()),
            '`' => {
                self.next();
                self.skip_line_end();
            }
            '#' => self.skip_while(|c| c != '\n'),
            ';' | '|' => self.one(Token::End),
            ',' => self.one(Token::Comma),
            '=' => self.one(Token::Assign),
            '(' | '{' => {
                self.depth += 1;
                self.one(Token::Open);
            }
            ')' | '}' => {
                self.depth = self.depth.saturating_sub(1);
                self.one(Token::Close);
            }
            '@' => self.at(),
            '$' => self.variable(),
            c if is_single_quote(c) => {
                let text = self.single_quoted();
                self.push(Token::Quoted(text));
            }
            c if is_double_quote(c) => {
                let token = self.double_quoted().map_or(Token::Dynamic, Token::Quoted);
                self.push(token);
            }
            '<' => self.angle(),
            c if is_dash(c) => self.dash(),
            _ => self.bare(String::new()),
        }
        true
    }

    fn one(&mut self, token: Token) {
        self.push(token);
        self.next();
    }

    fn skip_while(&mut self, more: impl Fn(char) -> bool) {
        while self.chars.peek().is_some_and(|c| more(*c)) {
            self.next();
        }
    }

    fn skip_line_end(&mut self) {
        if self.peek() == '\r' {
            self.next();
        }
        if self.chars.peek() == Some(&'\n') {
            self.next();
        }
    }

    /// A block comment, or redirected input, which does not exist.
    fn angle(&mut self) {
        self.next();
        if self.peek() != '#' {
            return self.push(Token::Dynamic);
        }
        let mut last = '\0';
        while let Some(c) = self.next() {
            if (last, c) == ('#', '>') {
                return;
            }
            last = c;
        }
    }

    /// `@(...)`, a here-string, a hash table or splatted arguments.
    fn at(&mut self) {
        self.next();
        match self.peek() {
            '(' => {}
            c if is_single_quote(c) || is_double_quote(c) => {
                self.push(Token::Dynamic);
                let mut last = ['\0', '\0'];
                self.next();
                while let Some(c) = self.next() {
                    if last[0] == '\n' && (is_single_quote(last[1]) || is_double_quote(last[1])) && c == '@' {
                        break;
                    }
                    last = [last[1], c];
                }
            }
            '{' => self.push(Token::Dynamic),
            _ => {
                self.push(Token::Dynamic);
                self.skip_while(|c| c.is_alphanumeric() || c == '_');
            }
        }
    }

    fn variable(&mut self) {
        self.next();
        let mut name = String::new();
        if self.peek() == '{' {
            self.next();
            while let Some(c) = self.next().filter(|c| *c != '}') {
                name.push(c);
            }
        } else {
            while let Some(c) = self.chars.next_if(|c| c.is_alphanumeric() || matches!(c, '_' | ':')) {
                name.push(c);
            }
        }
        match self.peek() {
            '.' | '[' => {
                self.skip_while(|c| !c.is_whitespace() && !",;|(){}".contains(c));
                self.push(Token::Dynamic);
            }
            // `$(...)`
            '(' if name.is_empty() => self.push(Token::Dynamic),
            _ => self.push(Token::Variable(name.to_lowercase())),
        }
    }

    fn single_quoted(&mut self) -> String {
        self.next();
        let mut text = String::new();
        while let Some(c) = self.next() {
            if is_single_quote(c) && self.chars.next_if(|next| is_single_quote(*next)).is_none() {
                break;
            }
            text.push(c);
        }
        text
    }

    /// `None` where the text has a variable in it.
    fn double_quoted(&mut self) -> Option<String> {
        self.next();
        let (mut text, mut is_literal) = (String::new(), true);
        while let Some(c) = self.next() {
            match c {
                '`' => match self.next() {
                    Some('n') => text.push('\n'),
                    Some('t') => text.push('\t'),
                    Some('0') => text.push('\0'),
                    Some('\r') => drop(self.chars.next_if_eq(&'\n')),
                    Some('\n') | None => {}
                    Some(c) => text.push(c),
                },
                '$' if self.chars.peek().is_some_and(|c| c.is_alphanumeric() || "_({:?^$".contains(*c)) => {
                    is_literal = false;
                }
                c if is_double_quote(c) && self.chars.next_if(|next| is_double_quote(*next)).is_none() => break,
                c => text.push(c),
            }
        }
        is_literal.then_some(text)
    }

    fn dash(&mut self) {
        self.next();
        if !self.peek().is_alphabetic() {
            return self.bare("-".to_owned());
        }
        let mut name = String::new();
        while let Some(c) = self.chars.next_if(|c| c.is_alphanumeric() || *c == '_') {
            name.push(c);
        }
        let colon = self.chars.next_if_eq(&':').is_some();
        self.push(Token::Parameter { name, colon });
    }

    fn bare(&mut self, mut text: String) {
        let mut is_literal = true;
        while let Some(c) = self.chars.peek().copied().filter(|c| !c.is_whitespace() && !",;|(){}".contains(*c)) {
            self.next();
            match c {
                '`' => text.extend(self.next()),
                '$' => is_literal = false,
                c if is_single_quote(c) || is_double_quote(c) => is_literal = false,
                c => text.push(c),
            }
        }
        self.push(if is_literal { Token::Bare(text) } else { Token::Dynamic });
    }
}
