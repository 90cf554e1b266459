//! Classes with their properties, methods and parameters.
//!
//! Owns: the shape of a class declaration (DSP0004 section 5.1) and questions about it: keys, inheritance, embedded kinds.
//! Must not know where a class came from; inheritance is resolved by whoever holds the schema.

use super::{CimName, CimType, CimValue, EmbeddedKind, Namespace, Qualifier, qualifier};

/// A class as a server returns it: with its inherited elements when they were asked for.
#[derive(Clone, Debug, PartialEq)]
pub struct CimClass {
    /// The namespace it lives in; `None` for a class outside any (freshly parsed, embedded).
    pub namespace: Option<Namespace>,
    /// Its name.
    pub name: CimName,
    /// Its superclass, `None` for a root class.
    pub superclass: Option<CimName>,
    /// The qualifiers of the class itself.
    pub qualifiers: Vec<Qualifier>,
    /// Properties and references in the order they were declared or sent.
    pub properties: Vec<ClassProperty>,
    /// Methods in the order they were declared or sent.
    pub methods: Vec<ClassMethod>,
}

/// A property or a reference of a class.
#[derive(Clone, Debug, PartialEq)]
pub struct ClassProperty {
    /// Its name.
    pub name: CimName,
    /// Its type; [`CimType::Reference`] for a reference.
    pub ty: CimType,
    /// Whether it is an array.
    pub is_array: bool,
    /// The fixed size of the array, if declared.
    pub array_size: Option<u32>,
    /// The class a reference points to.
    pub reference_class: Option<CimName>,
    /// The default value; NULL if there is none.
    pub default: CimValue,
    /// The class that declared it (`CLASSORIGIN`), if told.
    pub origin: Option<CimName>,
    /// Whether it is inherited unchanged (`PROPAGATED`).
    pub propagated: bool,
    /// Its qualifiers.
    pub qualifiers: Vec<Qualifier>,
}

/// A method of a class.
#[derive(Clone, Debug, PartialEq)]
pub struct ClassMethod {
    /// Its name.
    pub name: CimName,
    /// The type it returns; `None` for `void`, which DSP0201 allows though DSP0004 does not.
    pub return_type: Option<CimType>,
    /// The class that declared it, if told.
    pub origin: Option<CimName>,
    /// Whether it is inherited unchanged.
    pub propagated: bool,
    /// Its qualifiers.
    pub qualifiers: Vec<Qualifier>,
    /// Its parameters in order.
    pub parameters: Vec<ClassParameter>,
}

/// A parameter of a method.
#[derive(Clone, Debug, PartialEq)]
pub struct ClassParameter {
    /// Its name.
    pub name: CimName,
    /// Its type; [`CimType::Reference`] for a reference.
    pub ty: CimType,
    /// Whether it is an array.
    pub is_array: bool,
    /// The fixed size of the array, if declared.
    pub array_size: Option<u32>,
    /// The class a reference points to.
    pub reference_class: Option<CimName>,
    /// Its qualifiers.
    pub qualifiers: Vec<Qualifier>,
}

impl CimClass {
    /// A class with a name and nothing else.
    pub fn new(name: &str) -> Self {
        Self {
            namespace: None,
            name: CimName::new(name),
            superclass: None,
            qualifiers: Vec::new(),
            properties: Vec::new(),
            methods: Vec::new(),
        }
    }

    /// The property `name`, without regard to case.
    pub fn property(&self, name: &str) -> Option<&ClassProperty> {
        self.properties.iter().find(|property| property.name == name)
    }

    /// The method `name`, without regard to case.
    pub fn method(&self, name: &str) -> Option<&ClassMethod> {
        self.methods.iter().find(|method| method.name == name)
    }

    /// The key properties in order.
    pub fn keys(&self) -> impl Iterator<Item = &ClassProperty> {
        self.properties.iter().filter(|property| property.is_key())
    }

    /// Whether this is an association (qualifier `Association`, or any reference property among the keys).
    pub fn is_association(&self) -> bool {
        qualifier::is_set(&self.qualifiers, "Association")
    }

    /// Whether no instance of exactly this class can exist (qualifier `Abstract`).
    pub fn is_abstract(&self) -> bool {
        qualifier::is_set(&self.qualifiers, "Abstract")
    }

    /// The text of the `Description` qualifier.
    pub fn description(&self) -> Option<&str> {
        qualifier::text(&self.qualifiers, "Description")
    }
}

impl ClassProperty {
    /// A scalar property of type `ty` with no qualifiers and no default.
    pub fn new(name: &str, ty: CimType) -> Self {
        Self {
            name: CimName::new(name),
            ty,
            is_array: false,
            array_size: None,
            reference_class: None,
            default: CimValue::Null,
            origin: None,
            propagated: false,
            qualifiers: Vec::new(),
        }
    }

    /// Whether it carries the `Key` qualifier.
    pub fn is_key(&self) -> bool {
        qualifier::is_set(&self.qualifiers, "Key")
    }

    /// The text of the `Description` qualifier.
    pub fn description(&self) -> Option<&str> {
        qualifier::text(&self.qualifiers, "Description")
    }

    /// Whether its strings hold embedded instances or objects.
    pub fn embedded(&self) -> Option<EmbeddedKind> {
        if qualifier::find(&self.qualifiers, "EmbeddedInstance").is_some_and(|value| !value.is_null()) {
            Some(EmbeddedKind::Instance)
        } else if qualifier::is_set(&self.qualifiers, "EmbeddedObject") {
            Some(EmbeddedKind::Object)
        } else {
            None
        }
    }
}

impl ClassParameter {
    /// Whether it goes in: qualifier `In`, which is true unless set to false (DSP0004 section 5.6.3.23).
    pub fn is_in(&self) -> bool {
        !matches!(qualifier::find(&self.qualifiers, "In"), Some(CimValue::Bool(false)))
    }

    /// Whether it comes out: qualifier `Out` set to true.
    pub fn is_out(&self) -> bool {
        qualifier::is_set(&self.qualifiers, "Out")
    }
}
