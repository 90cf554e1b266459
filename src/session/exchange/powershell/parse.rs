//! Calls of the two cmdlets, from the words of a script.
//!
//! Owns: literal values, and variables that hold some. Must not know what a parameter means for a session.

use std::{collections::HashMap, sync::Arc};

use super::{
    lexer::{Token, Word},
    parameters::{Cmdlet, Parameter},
};

/// Parentheses may nest this deep.
const MAX_DEPTH: usize = 16;
/// A script may keep this many variables; those after them count as unknown.
const MAX_VARIABLES: usize = 1_000;
/// The arrays of a script may have this many elements in all; an array after them counts as unknown.
const MAX_ELEMENTS: usize = 100_000;

/// A value.
#[derive(Clone, Debug)]
pub(super) enum Value {
    /// One literal, or several of an array.
    Literal(Arc<[Arc<str>]>),
    /// What a `New-CimSessionOption` gave.
    Options(Arc<Call>),
    /// What a `Get-Credential` would ask for; the user, if it names one.
    Credential(Option<Arc<str>>),
    /// A switch without a value, or a parameter whose value is missing.
    Nothing,
    /// Something only a running PowerShell can tell.
    Dynamic,
}

/// A parameter and its value.
#[derive(Clone, Debug)]
pub(super) struct Argument {
    /// The parameter's name in full.
    pub(super) name: &'static str,
    /// Its value; `true` of a switch.
    pub(super) value: Value,
}

impl Argument {
    /// The literal, or nothing.
    pub(super) fn text(&self) -> &str {
        match &self.value {
            Value::Literal(texts) => texts.first().map_or("", |text| &**text),
            _ => "",
        }
    }

    /// Whether it is a switch turned off with `:$false`.
    pub(super) fn is_off(&self) -> bool {
        matches!(&self.value, Value::Literal(texts) if matches!(&**texts, [text] if &**text == FALSE))
    }
}

/// How `$false` and `$true` are held: no literal of a script begins like that.
const FALSE: &str = "\0false";
const TRUE: &str = "\0true";

/// A call of one of the cmdlets.
#[derive(Clone, Debug)]
pub(super) struct Call {
    /// The line it begins on.
    pub(super) line: usize,
    /// Its arguments.
    pub(super) arguments: Vec<Argument>,
    /// What could not be read.
    pub(super) problems: Vec<Problem>,
}

/// A part of a call that could not be read.
#[derive(Clone, Debug)]
pub(super) struct Problem {
    /// The part.
    pub(super) what: String,
    /// Why.
    pub(super) reason: &'static str,
}

impl Call {
    /// The value of the parameter called `name`.
    pub(super) fn value(&self, name: &str) -> Option<&Value> {
        self.arguments.iter().find(|argument| argument.name == name).map(|argument| &argument.value)
    }
}

/// What a script holds for us.
#[derive(Debug, Default)]
pub(super) struct Script {
    /// The calls of `New-CimSession`.
    pub(super) sessions: Vec<Call>,
    /// The other statements.
    pub(super) skipped: Vec<Skipped>,
}

/// A statement that is not read.
#[derive(Debug)]
pub(super) struct Skipped {
    /// The line it begins on.
    pub(super) line: usize,
    /// Its command, where it has one.
    pub(super) command: Option<String>,
}

/// Reads the statements.
pub(super) fn script(words: Vec<Word>) -> Script {
    let mut script = Script::default();
    let mut reader = Reader { words: &words, at: 0, variables: HashMap::new(), elements: 0 };
    while reader.at < words.len() {
        if matches!(reader.token(), Some(Token::End | Token::Close)) {
            reader.at += 1;
            continue;
        }
        reader.statement(&mut script);
        reader.skip_statement();
    }
    script
}

struct Reader<'w> {
    words: &'w [Word],
    at: usize,
    variables: HashMap<String, Value>,
    /// How many elements the arrays have so far.
    elements: usize,
}

impl<'w> Reader<'w> {
    fn token(&self) -> Option<&'w Token> {
        self.words.get(self.at).map(|word| &word.token)
    }

    fn line(&self) -> usize {
        self.words.get(self.at).map_or(0, |word| word.line)
    }

    /// Goes to the end of the statement, over whatever it holds.
    fn skip_statement(&mut self) {
        let mut depth = 0_usize;
        while let Some(token) = self.token() {
            match token {
                Token::Open => depth += 1,
                Token::Close => depth = depth.saturating_sub(1),
                Token::End if depth == 0 => break,
                _ => {}
            }
            self.at += 1;
        }
    }

    fn statement(&mut self, script: &mut Script) {
        let line = self.line();
        let assigned = match (self.token(), self.words.get(self.at + 1).map(|word| &word.token)) {
            (Some(Token::Variable(name)), Some(Token::Assign)) => {
                self.at += 2;
                Some(name.clone())
            }
            _ => None,
        };
        if let Some(Token::Bare(word)) = self.token()
            && Cmdlet::from_name(word) == Some(Cmdlet::Session)
        {
            self.at += 1;
            let call = self.call(Cmdlet::Session, line, 0);
            script.sessions.push(call);
            return;
        }
        let command = match self.token() {
            // What is no name of a command may be anything, a password too.
            Some(Token::Bare(word)) if is_verb_noun(word) => Some(word.clone()),
            _ => None,
        };
        let value = self.expression(0);
        match (assigned, value) {
            (Some(name), value) => {
                if matches!(value, Value::Dynamic) && command.is_some() {
                    script.skipped.push(Skipped { line, command });
                }
                if self.variables.len() < MAX_VARIABLES {
                    self.variables.insert(name, value);
                } else {
                    self.variables.remove(&name);
                }
            }
            (None, Value::Options(_)) => {}
            (None, _) => script.skipped.push(Skipped { line, command }),
        }
    }

    /// The call of `cmdlet`, whose name has been read, to the end of the statement or the parenthesis.
    fn call(&mut self, cmdlet: Cmdlet, line: usize, depth: usize) -> Call {
        let mut call = Call { line, arguments: Vec::new(), problems: Vec::new() };
        while let Some(token) = self.token() {
            match token {
                Token::End | Token::Close => break,
                Token::Parameter { name, colon } => {
                    self.at += 1;
                    self.named(cmdlet, name, *colon, depth, &mut call);
                }
                _ => self.positional(cmdlet, depth, &mut call),
            }
        }
        call
    }

    fn named(&mut self, cmdlet: Cmdlet, name: &str, colon: bool, depth: usize, call: &mut Call) {
        let Parameter(full, _, takes_value) = match cmdlet.parameter(name) {
            Ok(parameter) => parameter,
            Err(reason) => {
                // What follows it is its value, whatever it is.
                if !matches!(self.token(), None | Some(Token::End | Token::Close | Token::Parameter { .. })) {
                    self.value(depth);
                }
                return call.problems.push(Problem { what: format!("-{name}"), reason });
            }
        };
        let value = if *takes_value || colon { self.value(depth) } else { literal(TRUE) };
        if call.value(full).is_some() {
            return call.problems.push(Problem { what: format!("-{full}"), reason: "it is there twice" });
        }
        call.arguments.push(Argument { name: full, value });
    }

    fn positional(&mut self, cmdlet: Cmdlet, depth: usize, call: &mut Call) {
        let name = cmdlet.positional().0;
        let before = self.at;
        let value = self.value(depth);
        // Whatever stands there, it is passed.
        self.at = self.at.max(before + 1);
        if matches!(value, Value::Dynamic) || call.value(name).is_some() {
            let reason = "only literal arguments of known parameters are read";
            return call.problems.push(Problem { what: "an argument".to_owned(), reason });
        }
        call.arguments.push(Argument { name, value });
    }

    /// What stands where a command may: what the one we know gives, or a value.
    fn expression(&mut self, depth: usize) -> Value {
        let line = self.line();
        let Some(Token::Bare(word)) = self.token() else { return self.value(depth) };
        self.at += 1;
        if Cmdlet::from_name(word) == Some(Cmdlet::Option) {
            Value::Options(Arc::new(self.call(Cmdlet::Option, line, depth)))
        } else if word.eq_ignore_ascii_case("Get-Credential") {
            self.credential(depth)
        } else if word.bytes().all(|b| b.is_ascii_digit()) {
            literal(word)
        } else {
            Value::Dynamic
        }
    }

    /// An argument: one value, or an array of them.
    fn value(&mut self, depth: usize) -> Value {
        let first = self.single(depth);
        if self.token() != Some(&Token::Comma) {
            return first;
        }
        let mut all = vec![first];
        while self.token() == Some(&Token::Comma) {
            self.at += 1;
            all.push(self.single(depth));
        }
        self.joined(&all)
    }

    fn joined(&mut self, all: &[Value]) -> Value {
        let mut texts = Vec::new();
        for value in all {
            let Value::Literal(more) = value else { return Value::Dynamic };
            self.elements += more.len();
            if self.elements > MAX_ELEMENTS {
                return Value::Dynamic;
            }
            texts.extend(more.iter().cloned());
        }
        Value::Literal(texts.into())
    }

    fn single(&mut self, depth: usize) -> Value {
        let Some(token) = self.token() else { return Value::Nothing };
        match token {
            Token::End | Token::Close | Token::Comma | Token::Parameter { .. } => Value::Nothing,
            Token::Bare(word) => {
                self.at += 1;
                literal(word)
            }
            Token::Quoted(text) => {
                self.at += 1;
                literal(text)
            }
            Token::Variable(name) => {
                self.at += 1;
                match name.as_str() {
                    "true" => literal(TRUE),
                    "false" => literal(FALSE),
                    name => self.variables.get(name).cloned().unwrap_or(Value::Dynamic),
                }
            }
            Token::Open => self.parenthesis(depth),
            Token::Dynamic | Token::Assign => {
                self.at += 1;
                if self.token() == Some(&Token::Open) {
                    self.parenthesis(depth);
                }
                Value::Dynamic
            }
        }
    }

    fn parenthesis(&mut self, depth: usize) -> Value {
        let start = self.at;
        self.at += 1;
        let value = if depth < MAX_DEPTH { self.expression(depth + 1) } else { Value::Dynamic };
        if self.token() == Some(&Token::Close) {
            self.at += 1;
            return value;
        }
        // More stands in it than a value.
        self.at = start;
        let mut open = 0_usize;
        while let Some(token) = self.token() {
            match token {
                Token::Open => open += 1,
                Token::Close => open = open.saturating_sub(1),
                _ => {}
            }
            self.at += 1;
            if open == 0 {
                break;
            }
        }
        Value::Dynamic
    }

    /// The arguments of `Get-Credential`: the user alone matters.
    fn credential(&mut self, depth: usize) -> Value {
        let mut user = None;
        while let Some(token) = self.token() {
            let name = match token {
                Token::End | Token::Close | Token::Comma => break,
                Token::Parameter { name, .. } => {
                    self.at += 1;
                    name.to_ascii_lowercase()
                }
                _ => "username".to_owned(),
            };
            let before = self.at;
            let value = self.value(depth);
            let is_user = !name.is_empty() && ["username", "credential"].iter().any(|full| full.starts_with(&name));
            if let (true, Value::Literal(texts)) = (is_user, value) {
                user = texts.first().cloned();
            }
            if self.at == before && !matches!(self.token(), Some(Token::Parameter { .. })) {
                break;
            }
        }
        Value::Credential(user)
    }
}

fn literal(text: &str) -> Value {
    Value::Literal([Arc::from(text)].into())
}

fn is_verb_noun(word: &str) -> bool {
    let is_name = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphabetic());
    word.split_once('-').is_some_and(|(verb, noun)| {
        is_name(verb) && is_name(noun) && VERBS.iter().any(|known| known.eq_ignore_ascii_case(verb))
    })
}

/// The verbs that scripts around sessions use (Get-Verb).
const VERBS: &[&str] = &[
    "Add",
    "Clear",
    "Connect",
    "ConvertFrom",
    "ConvertTo",
    "Disconnect",
    "Enter",
    "Exit",
    "Export",
    "ForEach",
    "Format",
    "Get",
    "Import",
    "Install",
    "Invoke",
    "Join",
    "Measure",
    "New",
    "Out",
    "Read",
    "Register",
    "Remove",
    "Restart",
    "Select",
    "Set",
    "Sort",
    "Start",
    "Stop",
    "Test",
    "Unregister",
    "Update",
    "Wait",
    "Where",
    "Write",
];
