//! Qualifiers: values attached to schema elements, and the declarations of their types.
//!
//! Owns: qualifier values with flavours (DSP0004 section 5.6.3, DSP0201 `QUALIFIER`, `QUALIFIER.DECLARATION`).
//! Must not know which qualifiers mean what; [`super::class`] asks for the few it needs by name.

use super::{CimName, CimType, CimValue, TypedValue};

/// How a qualifier's value propagates (DSP0004, table "Qualifier Flavors").
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Flavor {
    /// `EnableOverride` (true) or `DisableOverride` (false).
    pub overridable: bool,
    /// `ToSubclass` (true) or `Restricted` (false).
    pub to_subclass: bool,
    /// `Translatable`.
    pub translatable: bool,
}

impl Default for Flavor {
    /// The defaults of DSP0004 and of the DSP0201 attributes: EnableOverride, ToSubclass, not Translatable.
    fn default() -> Self {
        Self { overridable: true, to_subclass: true, translatable: false }
    }
}

/// One qualifier on a class, property, method or parameter.
#[derive(Clone, Debug, PartialEq)]
pub struct Qualifier {
    /// Its name.
    pub name: CimName,
    /// Its type and value.
    pub value: TypedValue,
    /// How it propagates.
    pub flavor: Flavor,
    /// Whether it was inherited (`PROPAGATED="true"`).
    pub propagated: bool,
}

impl Qualifier {
    /// A qualifier with default flavour, not propagated.
    pub fn new(name: &str, value: TypedValue) -> Self {
        Self { name: CimName::new(name), value, flavor: Flavor::default(), propagated: false }
    }
}

/// On which elements a qualifier may stand (DSP0004 section 5.6.1, `Scope`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Scopes {
    /// Classes.
    pub class: bool,
    /// Associations.
    pub association: bool,
    /// Indications.
    pub indication: bool,
    /// Properties.
    pub property: bool,
    /// References.
    pub reference: bool,
    /// Methods.
    pub method: bool,
    /// Parameters.
    pub parameter: bool,
}

impl Scopes {
    /// Every scope, what MOF calls `any`.
    pub const ANY: Self = Self {
        class: true,
        association: true,
        indication: true,
        property: true,
        reference: true,
        method: true,
        parameter: true,
    };

    /// The names of the scopes that are set, as MOF writes them.
    pub fn names(self) -> Vec<&'static str> {
        let all = [
            (self.class, "class"),
            (self.association, "association"),
            (self.indication, "indication"),
            (self.property, "property"),
            (self.reference, "reference"),
            (self.method, "method"),
            (self.parameter, "parameter"),
        ];
        all.into_iter().filter_map(|(is_set, name)| is_set.then_some(name)).collect()
    }
}

/// The declaration of a qualifier type.
#[derive(Clone, Debug, PartialEq)]
pub struct QualifierDeclaration {
    /// Its name.
    pub name: CimName,
    /// The type of its values.
    pub ty: CimType,
    /// Whether its values are arrays.
    pub is_array: bool,
    /// The array's fixed size, if it has one.
    pub array_size: Option<u32>,
    /// The default value; NULL if there is none.
    pub default: CimValue,
    /// Where it may stand.
    pub scopes: Scopes,
    /// Its default flavour.
    pub flavor: Flavor,
}

/// The value of the qualifier `name` in `list`, if it stands there.
pub fn find<'a>(list: &'a [Qualifier], name: &str) -> Option<&'a CimValue> {
    list.iter().find(|qualifier| qualifier.name == name).map(|qualifier| &qualifier.value.value)
}

/// Whether the boolean qualifier `name` stands in `list` and is true.
pub fn is_set(list: &[Qualifier], name: &str) -> bool {
    matches!(find(list, name), Some(CimValue::Bool(true)))
}

/// The text of the string qualifier `name` in `list`, if it stands there.
pub fn text<'a>(list: &'a [Qualifier], name: &str) -> Option<&'a str> {
    match find(list, name) {
        Some(CimValue::String(text)) => Some(text),
        _ => None,
    }
}
