//! The grammar inside classes: qualifiers, properties, methods, parameters.
//!
//! Owns: the second half of [`super::parser`], and the declaration of qualifier types. Must not know pragmas or instances.

use super::{
    MofError,
    lexer::{Position, Token},
    literal::Literal,
    parser::Parser,
    standard::{self, QualifierType},
};
use crate::cim::{
    CimClass, CimName, CimType, CimValue, ClassMethod, ClassParameter, ClassProperty, Flavor, Qualifier,
    QualifierDeclaration, Scopes, TypedValue,
};

/// How a property, method or parameter begins: its type and name.
struct Head {
    /// `None` for `void`.
    ty: Option<CimType>,
    reference_class: Option<CimName>,
    name: CimName,
    at: Position,
}

impl Parser<'_> {
    pub(super) fn qualifier_list(&mut self) -> Result<Vec<Qualifier>, MofError> {
        let mut list: Vec<Qualifier> = Vec::new();
        if !self.skip('[')? || self.skip(']')? {
            return Ok(list);
        }
        loop {
            let at = self.at.clone();
            let qualifier = self.qualifier()?;
            if list.iter().any(|known| known.name == qualifier.name) {
                return at.error("the same qualifier twice");
            }
            list.push(qualifier);
            if self.skip(']')? {
                return Ok(list);
            }
            self.expect(',')?;
        }
    }

    fn qualifier(&mut self) -> Result<Qualifier, MofError> {
        let name = self.name("a qualifier name")?;
        let declared = self.qualifiers.get(&name.to_lower()).cloned();
        let default = declared.as_ref().map(|declared| declared.1.clone());
        let ty = declared.map(|declared| declared.0).or_else(|| standard::qualifier(&name));
        let at = self.at.clone();
        let literal = if self.skip('(')? {
            let literal = self.literal(0)?;
            self.expect(')')?;
            Some(literal)
        } else if self.token == Token::Sign('{') {
            Some(self.literal(0)?)
        } else {
            None
        };
        let value = qualifier_value(ty, default, literal, &at)?;
        let mut flavor = ty.map(|ty| ty.flavor).unwrap_or_default();
        if self.skip(':')? {
            self.flavor(&mut flavor)?;
            while matches!(self.token, Token::Name(_)) {
                self.flavor(&mut flavor)?;
            }
        }
        Ok(Qualifier { name, value, flavor, propagated: false })
    }

    fn flavor(&mut self, flavor: &mut Flavor) -> Result<(), MofError> {
        let at = self.at.clone();
        match self.name("a flavor")?.to_lower().as_str() {
            "enableoverride" => flavor.overridable = true,
            "disableoverride" => flavor.overridable = false,
            "tosubclass" => flavor.to_subclass = true,
            "restricted" => flavor.to_subclass = false,
            "translatable" => flavor.translatable = true,
            // Flavors of WMI's MOF that CIM does not have.
            "toinstance" | "nottoinstance" | "amended" => {}
            _ => return at.error("not a flavor"),
        }
        Ok(())
    }

    /// `Qualifier NAME : TYPE [= DEFAULT], Scope(...) [, Flavor(...)];`
    pub(super) fn qualifier_declaration(&mut self) -> Result<QualifierDeclaration, MofError> {
        self.advance()?;
        let name = self.name("a qualifier name")?;
        self.expect(':')?;
        let at = self.at.clone();
        let word = self.name("a type")?;
        let Some(ty) = CimType::from_keyword(word.as_str()).filter(|ty| *ty != CimType::Reference) else {
            return at.error("not a type of a qualifier");
        };
        let (is_array, array_size) = self.array()?;
        let mut default = CimValue::Null;
        if self.skip('=')? {
            let at = self.at.clone();
            default = self.literal(0)?.typed(ty, is_array, &at)?;
        }
        let (mut scopes, mut flavor) = (Scopes::default(), Flavor::default());
        while self.skip(',')? {
            let at = self.at.clone();
            let word = self.name("`Scope` or `Flavor`")?;
            self.expect('(')?;
            loop {
                if word == "scope" {
                    self.scope(&mut scopes)?;
                } else if word == "flavor" {
                    self.flavor(&mut flavor)?;
                } else {
                    return at.error("neither `Scope` nor `Flavor`");
                }
                if !self.skip(',')? {
                    break;
                }
            }
            self.expect(')')?;
        }
        self.expect(';')?;
        let declaration = QualifierDeclaration { name, ty, is_array, array_size, default, scopes, flavor };
        let value = TypedValue { ty, is_array, value: declaration.default.clone() };
        self.qualifiers.insert(declaration.name.to_lower(), (QualifierType { ty, is_array, flavor }, value));
        Ok(declaration)
    }

    fn scope(&mut self, scopes: &mut Scopes) -> Result<(), MofError> {
        let at = self.at.clone();
        match self.name("a scope")?.to_lower().as_str() {
            "any" => *scopes = Scopes::ANY,
            "class" => scopes.class = true,
            "association" => scopes.association = true,
            "indication" => scopes.indication = true,
            "property" => scopes.property = true,
            "reference" => scopes.reference = true,
            "method" => scopes.method = true,
            "parameter" => scopes.parameter = true,
            _ => return at.error("not a scope"),
        }
        Ok(())
    }

    /// `[]` or `[n]` after a name.
    fn array(&mut self) -> Result<(bool, Option<u32>), MofError> {
        if !self.skip('[')? {
            return Ok((false, None));
        }
        let mut size = None;
        if let Token::Int(value) = self.token {
            match u32::try_from(value) {
                Ok(value) if value > 0 => size = Some(value),
                _ => return self.at.error("an array size that is not 1 to 4294967295"),
            }
            self.advance()?;
        }
        self.expect(']')?;
        Ok((true, size))
    }

    fn head(&mut self) -> Result<Head, MofError> {
        let at = self.at.clone();
        let word = self.name("a type or the class of a reference")?;
        let intrinsic = CimType::from_keyword(word.as_str()).filter(|ty| *ty != CimType::Reference);
        let (ty, reference_class) = if intrinsic.is_some() {
            (intrinsic, None)
        } else if self.is_word("ref") {
            self.advance()?;
            // `object ref` is what WMI writes for a reference to anything.
            (Some(CimType::Reference), Some(word).filter(|word| *word != "object"))
        } else if word == "void" {
            (None, None)
        } else {
            return at.error("not a type (a reference needs `REF` after its class)");
        };
        let name_at = self.at.clone();
        let name = self.name("a name")?;
        Ok(Head { ty, reference_class, name, at: name_at })
    }

    pub(super) fn feature(&mut self, class: &mut CimClass) -> Result<(), MofError> {
        let qualifiers = self.qualifier_list()?;
        let head = self.head()?;
        if self.token == Token::Sign('(') {
            if class.method(head.name.as_str()).is_some() {
                return head.at.error("a method that is declared already");
            }
            let parameters = self.parameters()?;
            self.expect(';')?;
            class.methods.push(ClassMethod {
                name: head.name,
                return_type: head.ty,
                origin: None,
                propagated: false,
                qualifiers,
                parameters,
            });
            return Ok(());
        }
        let Some(ty) = head.ty else { return head.at.error("a property cannot be void") };
        if class.property(head.name.as_str()).is_some() {
            return head.at.error("a property that is declared already");
        }
        let mut property = ClassProperty::new(head.name.as_str(), ty);
        property.name = head.name;
        (property.is_array, property.array_size) = self.array()?;
        property.reference_class = head.reference_class;
        property.qualifiers = qualifiers;
        if self.skip('=')? {
            let at = self.at.clone();
            let literal = self.literal(super::MAX_NESTING)?;
            if matches!(literal, Literal::Alias(_)) {
                return at.error("a default cannot be an alias");
            }
            property.default = literal.typed(ty, property.is_array, &at)?;
        }
        self.expect(';')?;
        class.properties.push(property);
        Ok(())
    }

    fn parameters(&mut self) -> Result<Vec<ClassParameter>, MofError> {
        let mut parameters: Vec<ClassParameter> = Vec::new();
        self.expect('(')?;
        if self.skip(')')? {
            return Ok(parameters);
        }
        loop {
            let qualifiers = self.qualifier_list()?;
            let head = self.head()?;
            let Some(ty) = head.ty else { return head.at.error("a parameter cannot be void") };
            if parameters.iter().any(|known| known.name == head.name) {
                return head.at.error("the same parameter twice");
            }
            let (is_array, array_size) = self.array()?;
            parameters.push(ClassParameter {
                name: head.name,
                ty,
                is_array,
                array_size,
                reference_class: head.reference_class,
                qualifiers,
            });
            if self.skip(')')? {
                return Ok(parameters);
            }
            self.expect(',')?;
        }
    }
}

/// The value of a qualifier of a type that may be known, whose literal and declared default may be there.
fn qualifier_value(
    ty: Option<QualifierType>,
    default: Option<TypedValue>,
    literal: Option<Literal>,
    at: &Position,
) -> Result<TypedValue, MofError> {
    match (ty, literal) {
        // What SFCB makes of EmbeddedInstance; a text that declares its qualifiers is held to them.
        (Some(ty), Some(Literal::Bool(value))) if ty.ty == CimType::String && default.is_none() => {
            Ok(TypedValue::scalar(CimType::Boolean, CimValue::Bool(value)))
        }
        (Some(ty), Some(literal)) => {
            // One value for an array of one is common in texts that are not DSP0004's own.
            let literal = if ty.is_array && !literal.is_array() && !matches!(literal, Literal::Null) {
                Literal::Array(vec![(literal, at.clone())])
            } else {
                literal
            };
            Ok(TypedValue { ty: ty.ty, is_array: ty.is_array, value: literal.typed(ty.ty, ty.is_array, at)? })
        }
        (None, Some(literal)) => literal.natural(at),
        (Some(ty), None) if ty.ty == CimType::Boolean && !ty.is_array => {
            Ok(TypedValue::scalar(CimType::Boolean, CimValue::Bool(true)))
        }
        (Some(ty), None) => {
            Ok(default.unwrap_or(TypedValue { ty: ty.ty, is_array: ty.is_array, value: CimValue::Null }))
        }
        (None, None) => Ok(TypedValue::scalar(CimType::Boolean, CimValue::Bool(true))),
    }
}
