//! The MOF grammar (DSP0004 annex A).
//!
//! Owns: declarations in their order, pragmas, included texts. Must not know escapes ([`super::lexer`]) nor which literal
//! fits which type ([`super::literal`]).

use std::{collections::HashMap, rc::Rc};

use super::{
    Declaration, Item, Library, MAX_INCLUDE_DEPTH, MAX_INCLUDES, MAX_NESTING, MAX_TEXT, MofError, Unit,
    aliases::{AliasUse, Aliases},
    lexer::{Lexer, Position, Token},
    literal::Literal,
    standard::QualifierType,
};
use crate::cim::{
    CimClass, CimInstance, CimName, EmbeddedKind, InstanceProperty, Namespace, Qualifier, TypedValue, resolve,
};

type ClassKey = (String, String);

/// Reads one unit. Texts being included lie on a stack; tokens come from the topmost.
pub(super) struct Parser<'l> {
    library: &'l mut dyn Library,
    stack: Vec<Lexer>,
    pub(super) token: Token,
    pub(super) at: Position,
    items: Vec<Item>,
    namespace: Option<Namespace>,
    classes: HashMap<ClassKey, Rc<CimClass>>,
    pub(super) qualifiers: HashMap<String, (QualifierType, TypedValue)>,
    aliases: Aliases,
    includes: usize,
    text: usize,
}

/// An instance and what is not settled about it yet.
struct Body {
    instance: CimInstance,
    aliases: Vec<(usize, Option<usize>, String, Position)>,
    class: Option<Rc<CimClass>>,
}

impl<'l> Parser<'l> {
    pub(super) fn new(library: &'l mut dyn Library) -> Self {
        Self {
            library,
            stack: Vec::new(),
            token: Token::End,
            at: Position { file: Rc::from(""), line: 1, column: 1 },
            items: Vec::new(),
            namespace: None,
            classes: HashMap::new(),
            qualifiers: HashMap::new(),
            aliases: Aliases::default(),
            includes: 0,
            text: 0,
        }
    }

    pub(super) fn unit(mut self, file: &str, text: &str) -> Result<Unit, MofError> {
        self.at.file = Rc::from(file);
        self.push(file, text)?;
        self.advance()?;
        while self.token != Token::End {
            self.declaration()?;
        }
        self.aliases.resolve(&mut self.items)?;
        Ok(Unit { items: self.items })
    }

    fn push(&mut self, file: &str, text: &str) -> Result<(), MofError> {
        self.text = self.text.saturating_add(text.len());
        if self.text > MAX_TEXT {
            return self.at.error(format!("more than {MAX_TEXT} bytes of text with all that is included"));
        }
        self.stack.push(Lexer::new(file, text));
        Ok(())
    }

    pub(super) fn advance(&mut self) -> Result<(), MofError> {
        while let Some(lexer) = self.stack.last_mut() {
            (self.token, self.at) = lexer.next()?;
            if self.token != Token::End || self.stack.len() == 1 {
                break;
            }
            self.stack.pop();
        }
        Ok(())
    }

    pub(super) fn expected<T>(&self, what: &str) -> Result<T, MofError> {
        self.at.error(format!("expected {what}, found {}", self.token.describe()))
    }

    pub(super) fn skip(&mut self, sign: char) -> Result<bool, MofError> {
        let found = self.token == Token::Sign(sign);
        if found {
            self.advance()?;
        }
        Ok(found)
    }

    pub(super) fn expect(&mut self, sign: char) -> Result<(), MofError> {
        if self.skip(sign)? { Ok(()) } else { self.expected(&format!("`{sign}`")) }
    }

    pub(super) fn is_word(&self, word: &str) -> bool {
        matches!(&self.token, Token::Name(name) if name.eq_ignore_ascii_case(word))
    }

    pub(super) fn word(&mut self, word: &str) -> Result<(), MofError> {
        if self.is_word(word) { self.advance() } else { self.expected(&format!("`{word}`")) }
    }

    pub(super) fn name(&mut self, what: &str) -> Result<CimName, MofError> {
        let Token::Name(name) = &self.token else { return self.expected(what) };
        let name = CimName::new(name);
        self.advance()?;
        Ok(name)
    }

    fn push_item(&mut self, declaration: Declaration) {
        self.items.push(Item { namespace: self.namespace.clone(), declaration });
    }

    fn declaration(&mut self) -> Result<(), MofError> {
        if self.token == Token::Pragma {
            return self.pragma();
        }
        if self.is_word("qualifier") {
            let declaration = self.qualifier_declaration()?;
            self.push_item(Declaration::Qualifier(declaration));
            return Ok(());
        }
        let qualifiers = self.qualifier_list()?;
        if self.is_word("class") {
            self.class(qualifiers)
        } else if self.is_word("instance") {
            self.instance_declaration(qualifiers)
        } else {
            self.expected("`class`, `instance`, `qualifier` or `#pragma`")
        }
    }

    fn pragma(&mut self) -> Result<(), MofError> {
        self.advance()?;
        let at = self.at.clone();
        let name = self.name("the name of a pragma")?;
        self.expect('(')?;
        let Token::Text(_) = &self.token else { return self.expected("a quoted text") };
        let text = self.joined_text()?;
        if self.token != Token::Sign(')') {
            return self.expected("`)`");
        }
        // The token after `)` is read only now: it may come from the included text.
        if name == "include" {
            self.include(&text, &at)?;
        } else if name == "namespace" {
            self.namespace = Some(Namespace::new(&text)).filter(|namespace| !namespace.is_empty());
        }
        self.advance()
    }

    fn include(&mut self, named: &str, at: &Position) -> Result<(), MofError> {
        let outer = self.stack.last().map(|lexer| lexer.file().to_owned()).unwrap_or_default();
        let Some(path) = included_path(&outer, named) else {
            return at.error("an include must be a relative path without `..`");
        };
        if self.stack.iter().any(|lexer| lexer.file() == path) {
            return at.error("a file that includes itself, directly or through others");
        }
        self.includes += 1;
        if self.stack.len() > MAX_INCLUDE_DEPTH || self.includes > MAX_INCLUDES {
            return at
                .error(format!("more than {MAX_INCLUDE_DEPTH} includes inside each other, or {MAX_INCLUDES} in all"));
        }
        let text = self.library.include(&path).map_err(|cause| at.mof_error(format!("cannot include: {cause}")))?;
        self.push(&path, &text)
    }

    fn class(&mut self, qualifiers: Vec<Qualifier>) -> Result<(), MofError> {
        self.advance()?;
        let at = self.at.clone();
        let mut class = CimClass::new("");
        class.name = self.name("a class name")?;
        class.namespace = self.namespace.clone();
        class.qualifiers = qualifiers;
        if self.is_word("as") {
            self.advance()?;
            self.alias()?;
        }
        if self.skip(':')? {
            class.superclass = Some(self.name("the name of the superclass")?);
        }
        self.expect('{')?;
        while !self.skip('}')? {
            self.feature(&mut class)?;
        }
        self.expect(';')?;
        let key = class_key(self.namespace.as_ref(), &class.name);
        if self.classes.insert(key, Rc::new(class.clone())).is_some() {
            return at.error("a class that is declared already");
        }
        self.push_item(Declaration::Class(class));
        Ok(())
    }

    fn alias(&mut self) -> Result<(String, Position), MofError> {
        let Token::Alias(alias) = &self.token else { return self.expected("an alias such as `$a`") };
        let found = (alias.clone(), self.at.clone());
        self.advance()?;
        Ok(found)
    }

    fn instance_declaration(&mut self, qualifiers: Vec<Qualifier>) -> Result<(), MofError> {
        let item = self.items.len();
        let mut body = self.instance(MAX_NESTING, Some(item))?;
        body.instance.qualifiers = qualifiers;
        self.expect(';')?;
        if let Some(class) = body.class {
            self.aliases.classes.insert(item, class);
        }
        for (property, element, alias, at) in body.aliases {
            self.aliases.uses.push(AliasUse { item, property, element, alias, at });
        }
        self.push_item(Declaration::Instance(body.instance));
        Ok(())
    }

    /// `instance of CLASS [as $alias] { ... }`. Only a declaration of its own (`item`) can have an alias or use one.
    fn instance(&mut self, nesting: usize, item: Option<usize>) -> Result<Body, MofError> {
        if nesting == 0 {
            return self.at.error(format!("more than {MAX_NESTING} instances inside each other"));
        }
        self.word("instance")?;
        self.word("of")?;
        let name = self.name("a class name")?;
        let (class, complete) = match self.full_class(&name) {
            Some((class, complete)) => (Some(class), complete),
            None => (None, false),
        };
        let mut body = Body { instance: CimInstance::new(name.as_str()), aliases: Vec::new(), class: None };
        if self.is_word("as") {
            self.advance()?;
            let (alias, at) = self.alias()?;
            let Some(item) = item else { return at.error("an instance inside a value cannot have an alias") };
            if self.aliases.declared.insert(alias.to_ascii_lowercase(), item).is_some() {
                return at.error("an alias that is declared already");
            }
        }
        self.expect('{')?;
        while !self.skip('}')? {
            self.instance_property(&mut body, class.as_deref().map(|class| (class, complete)), nesting, item)?;
        }
        body.class = class.filter(|_| complete);
        Ok(body)
    }

    fn instance_property(
        &mut self,
        body: &mut Body,
        class: Option<(&CimClass, bool)>,
        nesting: usize,
        item: Option<usize>,
    ) -> Result<(), MofError> {
        // Qualifiers on the properties of instances are deprecated and say nothing the class does not.
        self.qualifier_list()?;
        let at = self.at.clone();
        let name = self.name("a property name or `}`")?;
        if body.instance.property(name.as_str()).is_some() {
            return at.error("a property that has a value already");
        }
        self.expect('=')?;
        let value_at = self.at.clone();
        let literal = self.literal(nesting)?;
        self.expect(';')?;
        let declared = match class {
            Some((class, complete)) => match class.property(name.as_str()) {
                None if complete => return at.error(format!("{} has no such property", class.name)),
                declared => declared,
            },
            None => None,
        };
        let value = match declared {
            Some(property) => TypedValue {
                ty: property.ty,
                is_array: property.is_array,
                value: literal.typed(property.ty, property.is_array, &value_at)?,
            },
            None => literal.natural(&value_at)?,
        };
        let property = body.instance.properties.len();
        for (element, alias, at) in aliases_in(&literal, &value_at) {
            if item.is_none() {
                return at.error("an instance inside a value cannot use an alias");
            }
            body.aliases.push((property, element, alias, at));
        }
        body.instance.properties.push(InstanceProperty {
            name,
            value,
            is_typed: true,
            embedded: declared
                .and_then(|property| property.embedded())
                .or_else(|| holds_instance(&literal).then_some(EmbeddedKind::Instance)),
            reference_class: declared.and_then(|property| property.reference_class.clone()),
        });
        Ok(())
    }

    /// The class `name` with what it inherits, and whether its superclasses were all found.
    fn full_class(&mut self, name: &CimName) -> Option<(Rc<CimClass>, bool)> {
        let namespace = self.namespace.clone();
        let find = |name: &CimName| -> Option<Rc<CimClass>> {
            let own = self.classes.get(&class_key(namespace.as_ref(), name)).cloned();
            own.or_else(|| self.library.class(namespace.as_ref(), name).map(Rc::new))
        };
        let class = find(name)?;
        match resolve::full(&class, find) {
            Ok(full) => Some((Rc::new(full), true)),
            Err(_) => Some((class, false)),
        }
    }

    /// Quoted texts side by side are one (DSP0004 annex A, `stringValue`).
    pub(super) fn joined_text(&mut self) -> Result<String, MofError> {
        let mut out = String::new();
        while let Token::Text(text) = &mut self.token {
            if out.is_empty() {
                out = std::mem::take(text);
            } else {
                out.push_str(text);
            }
            self.advance()?;
        }
        Ok(out)
    }

    /// A value; `nesting` is how deep instances may still stand in it.
    pub(super) fn literal(&mut self, nesting: usize) -> Result<Literal, MofError> {
        if !self.skip('{')? {
            return self.scalar(nesting);
        }
        let mut items = Vec::new();
        if self.skip('}')? {
            return Ok(Literal::Array(items));
        }
        loop {
            let at = self.at.clone();
            items.push((self.scalar(nesting)?, at));
            if self.skip('}')? {
                return Ok(Literal::Array(items));
            }
            self.expect(',')?;
        }
    }

    fn scalar(&mut self, nesting: usize) -> Result<Literal, MofError> {
        let literal = match &self.token {
            Token::Text(_) => return Ok(Literal::Text(self.joined_text()?)),
            Token::Char(unit) => Literal::Char(*unit),
            Token::Int(value) => Literal::Int(*value),
            Token::Real(value) => Literal::Real(*value),
            Token::Alias(alias) => Literal::Alias(alias.clone()),
            Token::Name(name) => match name.to_ascii_lowercase().as_str() {
                "null" => Literal::Null,
                "true" => Literal::Bool(true),
                "false" => Literal::Bool(false),
                "inf" => Literal::Real(f64::INFINITY),
                "nan" => Literal::Real(f64::NAN),
                "instance" => {
                    return Ok(Literal::Instance(Box::new(self.instance(nesting.saturating_sub(1), None)?.instance)));
                }
                _ => return self.expected("a value"),
            },
            _ => return self.expected("a value"),
        };
        self.advance()?;
        Ok(literal)
    }
}

fn class_key(namespace: Option<&Namespace>, name: &CimName) -> ClassKey {
    (namespace.map(|namespace| namespace.as_str().to_ascii_lowercase()).unwrap_or_default(), name.to_lower())
}

fn aliases_in(literal: &Literal, at: &Position) -> Vec<(Option<usize>, String, Position)> {
    match literal {
        Literal::Alias(alias) => vec![(None, alias.clone(), at.clone())],
        Literal::Array(items) => items
            .iter()
            .enumerate()
            .filter_map(|(element, (item, at))| match item {
                Literal::Alias(alias) => Some((Some(element), alias.clone(), at.clone())),
                _ => None,
            })
            .collect(),
        _ => Vec::new(),
    }
}

fn holds_instance(literal: &Literal) -> bool {
    match literal {
        Literal::Instance(_) => true,
        Literal::Array(items) => items.iter().any(|(item, _)| matches!(item, Literal::Instance(_))),
        _ => false,
    }
}

/// The file `named` in an include inside the file `outer`: relative to the folder of that one. `None` if it could lead out
/// of where the first text lies.
fn included_path(outer: &str, named: &str) -> Option<String> {
    let named = named.replace('\\', "/");
    let leads_out = named.is_empty()
        || named.starts_with('/')
        || named.contains(':')
        || named.chars().any(char::is_control)
        || named.split('/').any(|part| part == "..");
    if leads_out {
        return None;
    }
    let named = named.split('/').filter(|part| !matches!(*part, "" | ".")).collect::<Vec<_>>().join("/");
    if named.is_empty() {
        return None;
    }
    // The first text may have any name, also an absolute one: only folders of included texts count.
    match outer.rsplit_once('/') {
        Some((folder, _)) if !outer.starts_with('/') && !folder.split('/').any(|part| part == "..") => {
            Some(format!("{folder}/{named}"))
        }
        _ => Some(named),
    }
}
