//! Object paths as text: printed and parsed.
//!
//! Owns: the WBEM URI of DSP0207 in its untyped form (`//host/ns:Class.Key="v"`) and the WMI form
//! (`\\host\ns:Class.Key="v"`). Both are accepted by [`ObjectPath`]'s `FromStr`; `Display` prints the first,
//! [`ObjectPath::to_wmi`] the second. Must not know hosts, schemas or sessions.
//!
//! Inside quotes `\"` and `\\` are the only escapes; any other backslash stands for itself. Quoted text that is exactly
//! what a path with keys prints as is read as a reference (text cannot tell; [`ObjectPath::typed_by`] can).

use std::{fmt, str::FromStr};

use super::{CimDateTime, CimName, CimType, KeyBinding, KeyValue, Namespace, ObjectPath, text};

/// How deep references may stand inside references.
pub const MAX_NESTING: usize = 16;
/// The most text references inside one printed path may take, since escaping doubles it with each level. What is longer
/// is printed as `...`.
const MAX_NESTED_TEXT: usize = 4 << 20;

/// Why a text is not an object path.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not an object path: {what} (character {at})")]
pub struct PathError {
    /// Where: the number of the character, counted from 1.
    pub at: usize,
    /// What is wrong there.
    pub what: &'static str,
}

/// Which of the two forms to print.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    Wbem,
    Wmi,
}

impl fmt::Display for ObjectPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&print(self, Form::Wbem, MAX_NESTING))
    }
}

impl ObjectPath {
    /// The path in the form WMI prints: `\\host\root\cimv2:Class.Key="v"`.
    pub fn to_wmi(&self) -> String {
        print(self, Form::Wmi, MAX_NESTING)
    }
}

impl FromStr for ObjectPath {
    type Err = PathError;

    fn from_str(text: &str) -> Result<Self, PathError> {
        Parser { text, at: 0 }.path(MAX_NESTING)
    }
}

fn print(path: &ObjectPath, form: Form, nesting: usize) -> String {
    let mut out = String::new();
    if let Some(host) = &path.host {
        out.push_str(if form == Form::Wmi { r"\\" } else { "//" });
        out.push_str(host);
        out.push(if form == Form::Wmi { '\\' } else { '/' });
    }
    match &path.namespace {
        Some(namespace) if form == Form::Wmi => out.push_str(&namespace.as_str().replace('/', r"\")),
        Some(namespace) => out.push_str(namespace.as_str()),
        None => {}
    }
    if path.host.is_some() || path.namespace.is_some() {
        out.push(':');
    }
    out.push_str(path.class.as_str());
    let unnamed = matches!(path.keys.as_slice(), [only] if only.name.as_str().is_empty());
    let mut nested_text = 0;
    for (at, key) in path.keys.iter().enumerate() {
        if at > 0 {
            out.push(',');
        } else if !unnamed {
            out.push('.');
        }
        out.push_str(key.name.as_str());
        out.push('=');
        match &key.value {
            KeyValue::String(text) => quote(&mut out, text),
            KeyValue::Reference(inner) => {
                let allowed = nesting > 0 && nested_text < MAX_NESTED_TEXT;
                let inner = if allowed { print(inner, form, nesting - 1) } else { "...".to_owned() };
                nested_text = nested_text.saturating_add(inner.len());
                quote(&mut out, if nested_text > MAX_NESTED_TEXT { "..." } else { &inner });
            }
            KeyValue::Real(value) => out.push_str(&text::real_text(*value, CimType::Real64)),
            other => out.push_str(&other.plain()),
        }
    }
    out
}

fn quote(out: &mut String, text: &str) {
    out.reserve(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        if matches!(c, '"' | '\\') {
            out.push('\\');
        }
        out.push(c);
    }
    out.push('"');
}

struct Parser<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Parser<'a> {
    fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn error<T>(&self, what: &'static str) -> Result<T, PathError> {
        let before = self.text.get(..self.at).unwrap_or(self.text);
        Err(PathError { at: before.chars().count() + 1, what })
    }

    /// Steps over `token` if it stands here.
    fn skip(&mut self, token: &str) -> bool {
        let found = self.rest().starts_with(token);
        if found {
            self.at += token.len();
        }
        found
    }

    /// What stands before the first character of `stops`, or before the end.
    fn until(&mut self, stops: &[char]) -> &'a str {
        let rest = self.rest();
        let end = rest.find(stops).unwrap_or(rest.len());
        self.at += end;
        rest.get(..end).unwrap_or_default()
    }

    fn path(mut self, nesting: usize) -> Result<ObjectPath, PathError> {
        let host = self.host()?;
        let namespace = self.namespace()?;
        let class = self.class()?;
        let keys = if self.skip("=@") {
            Vec::new()
        } else if self.skip("=") {
            vec![KeyBinding { name: CimName::new(""), value: self.value(nesting)? }]
        } else if self.skip(".") {
            self.keys(nesting)?
        } else {
            Vec::new()
        };
        if !self.rest().is_empty() {
            return self.error("more text after the end of the path");
        }
        Ok(ObjectPath { host, namespace, class, keys })
    }

    fn host(&mut self) -> Result<Option<String>, PathError> {
        if !self.skip("//") && !self.skip(r"\\") {
            return Ok(None);
        }
        let host = self.until(&['/', '\\', '"', '=']);
        if host.is_empty() {
            return self.error("a host is missing");
        }
        if !self.skip("/") && !self.skip(r"\") {
            return self.error("after the host a namespace is missing");
        }
        // `\\.\` is WMI's way to say "this host", `//./` too.
        Ok(Some(host).filter(|host| *host != ".").map(str::to_owned))
    }

    fn namespace(&mut self) -> Result<Option<Namespace>, PathError> {
        let start = self.at;
        let before = self.until(&[':', '"', '=']);
        if !self.skip(":") {
            self.at = start;
            return Ok(None);
        }
        if before.chars().any(char::is_control) {
            self.at = start;
            return self.error("a control character in the namespace");
        }
        Ok(Some(Namespace::new(before)).filter(|namespace| !namespace.is_empty()))
    }

    fn class(&mut self) -> Result<CimName, PathError> {
        let start = self.at;
        let class = self.until(&['.', '=']);
        if class.is_empty() {
            return self.error("a class name is missing");
        }
        if let Some(offset) = class.find(in_no_name) {
            self.at = start + offset;
            return self.error("a character that no class name can have");
        }
        Ok(CimName::new(class))
    }

    fn keys(&mut self, nesting: usize) -> Result<Vec<KeyBinding>, PathError> {
        let mut keys: Vec<KeyBinding> = Vec::new();
        let mut names = std::collections::HashSet::new();
        loop {
            let start = self.at;
            let name = self.until(&['=', ',', '"']);
            if name.is_empty() {
                return self.error("a key name is missing");
            }
            if let Some(offset) = name.find(in_no_name) {
                self.at = start + offset;
                return self.error("a character that no key name can have");
            }
            if !self.skip("=") {
                return self.error("after a key name `=` is missing");
            }
            let name = CimName::new(name);
            if !names.insert(name.clone()) {
                self.at = start;
                return self.error("the same key twice");
            }
            let value = self.value(nesting)?;
            keys.push(KeyBinding { name, value });
            if !self.skip(",") {
                return Ok(keys);
            }
        }
    }

    fn value(&mut self, nesting: usize) -> Result<KeyValue, PathError> {
        if self.rest().starts_with('"') {
            let text = self.quoted('"')?;
            return Ok(match reference(&text, nesting) {
                Some(path) => KeyValue::Reference(Box::new(path)),
                None => KeyValue::String(text.into()),
            });
        }
        if self.rest().starts_with('\'') {
            return Ok(KeyValue::String(self.quoted('\'')?.into()));
        }
        let start = self.at;
        let bare = self.until(&[',']);
        match bare_value(bare) {
            Some(value) => Ok(value),
            None => {
                self.at = start;
                self.error("neither a quoted text nor a number, TRUE or FALSE")
            }
        }
    }

    fn quoted(&mut self, quote: char) -> Result<String, PathError> {
        let start = self.at;
        self.at += 1;
        let mut out = String::new();
        let mut chars = self.rest().char_indices().peekable();
        while let Some((offset, c)) = chars.next() {
            if c == quote {
                self.at += offset + 1;
                return Ok(out);
            }
            match chars.peek() {
                Some((_, next)) if c == '\\' && (*next == quote || *next == '\\') => {
                    out.push(*next);
                    chars.next();
                }
                _ => out.push(c),
            }
        }
        self.at = start;
        self.error("a quote that is not closed")
    }
}

/// Whether no name of a class or key has this character; without a namespace before them a colon would end one.
fn in_no_name(c: char) -> bool {
    c.is_whitespace() || c.is_control() || matches!(c, '/' | '\\' | '"' | ':' | ',' | '\'')
}

/// The path `text` prints as, if it is one with keys.
fn reference(text: &str, nesting: usize) -> Option<ObjectPath> {
    if nesting == 0 || !text.contains('=') {
        return None;
    }
    let path = Parser { text, at: 0 }.path(nesting - 1).ok()?;
    let named = !path.keys.is_empty() && path.keys.iter().all(|key| !key.name.as_str().is_empty());
    let exact = || print(&path, Form::Wbem, nesting) == text || print(&path, Form::Wmi, nesting) == text;
    (named && exact()).then_some(path)
}

/// A key value that is not quoted.
fn bare_value(bare: &str) -> Option<KeyValue> {
    if bare.eq_ignore_ascii_case("true") || bare.eq_ignore_ascii_case("false") {
        return Some(KeyValue::Bool(bare.eq_ignore_ascii_case("true")));
    }
    if bare.parse::<CimDateTime>().is_ok() {
        return Some(KeyValue::String(bare.into()));
    }
    if let Some(value) = text::parse_integer(bare) {
        return match u64::try_from(value) {
            Ok(value) => Some(KeyValue::UInt(value)),
            Err(_) => i64::try_from(value).ok().map(KeyValue::SInt),
        };
    }
    text::parse_real(bare).map(KeyValue::Real)
}

#[cfg(test)]
#[path = "path_tests.rs"]
mod tests;
