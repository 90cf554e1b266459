//! Associators, AssociatorNames, References and ReferenceNames of instances.
//!
//! Owns: parameters with the defaults of DSP0200 section 5.4, and which associations and ends an object has. Must not know
//! XML syntax or how instances are found. What a class may be associated with is not offered.

use std::collections::HashSet;

use super::{
    Pieces,
    operation::{EachRow, Given, On, Stop, fail, named_keys, provided, returned},
    request::Param,
    write::{self, Wanted},
};
use crate::{
    cim::{CimName, CimStatus, ObjectPath},
    server::{
        provider::{Ask, Row, same_keys},
        repository::{Schema, SchemaClass},
    },
};

/// What an operation tells, and so which parameters it has.
#[derive(Clone, Copy)]
pub(super) struct Tell {
    /// The instances at the other ends, not the associations.
    pub(super) ends: bool,
    /// Names only.
    pub(super) names: bool,
    /// It opens an enumeration to be pulled.
    pub(super) pulled: bool,
}

/// What of an object's associations is asked for.
pub(super) struct Asked<'a> {
    object: ObjectPath,
    assoc_class: Option<&'a CimName>,
    result_class: Option<&'a CimName>,
    role: Option<CimName>,
    result_role: Option<CimName>,
    pub(super) properties: Option<Vec<CimName>>,
    pub(super) class_origin: bool,
}

impl<'a> Asked<'a> {
    /// Takes the parameters out of `given`.
    pub(super) fn new(schema: &Schema, given: &mut Given<'a>, tell: Tell) -> Result<Self, Stop> {
        let mut asked = Self {
            object: object(schema, given, if tell.pulled { "InstanceName" } else { "ObjectName" })?,
            assoc_class: None,
            result_class: given.class("ResultClass")?,
            role: given.name("Role")?,
            result_role: None,
            properties: None,
            class_origin: false,
        };
        if tell.ends {
            asked.assoc_class = given.class("AssocClass")?;
            asked.result_role = given.name("ResultRole")?;
        }
        if !tell.names {
            if !tell.pulled {
                given.flag("IncludeQualifiers", false)?;
            }
            asked.class_origin = given.flag("IncludeClassOrigin", false)?;
            asked.properties = given.properties()?;
        }
        given.end()?;
        for class in asked.assoc_class.iter().chain(&asked.result_class) {
            if schema.class(class).is_none() {
                return Err(fail(CimStatus::INVALID_PARAMETER, format!("no class {class} in {}", schema.namespace())));
            }
        }
        Ok(asked)
    }

    fn wanted(&self) -> Wanted<'_> {
        Wanted {
            local_only: false,
            qualifiers: false,
            class_origin: self.class_origin,
            properties: self.properties.as_deref(),
            known_to: None,
        }
    }

    /// Whether the association `row` refers to the object in the role asked for; the names of the properties that do.
    fn roles<'r>(&self, row: &'r Row<'_>) -> Vec<&'r CimName> {
        let refers = row.references().filter(|(name, path)| {
            self.role.as_ref().is_none_or(|role| role == *name) && same_keys(path, &self.object)
        });
        refers.map(|(name, _)| name).collect()
    }
}

/// The instance whose associations are asked for.
fn object(schema: &Schema, given: &mut Given<'_>, parameter: &str) -> Result<ObjectPath, Stop> {
    let object = match given.take(parameter) {
        Some(Param::Instance(path)) => path,
        Some(Param::Class(_)) => {
            return Err(fail(CimStatus::NOT_SUPPORTED, "this server knows the associations of instances only"));
        }
        Some(_) => return Err(fail(CimStatus::INVALID_PARAMETER, format!("{parameter} is no object name"))),
        None => return Err(fail(CimStatus::INVALID_PARAMETER, format!("{parameter} is missing"))),
    };
    // DSP0200 has no CIM_ERR_INVALID_CLASS for these operations.
    let class = schema.class(&object.class).ok_or_else(|| {
        fail(CimStatus::INVALID_PARAMETER, format!("no class {} in {}", object.class, schema.namespace()))
    })?;
    named_keys(class, object)
}

pub(super) fn references(on: On<'_>, given: &mut Given<'_>, out: &mut Pieces) -> Result<(), Stop> {
    let asked = Asked::new(on.schema, given, Tell { ends: false, names: false, pulled: false })?;
    returned(out, |out| {
        each_reference(on, &asked, &mut |class, row| {
            let path = located(on.schema, row.path());
            write::object(out.text(), on.repository.host(), &path, class, row.values(), &asked.wanted());
            Ok(out.pass_on()?)
        })
    })
}

pub(super) fn reference_names(on: On<'_>, given: &mut Given<'_>, out: &mut Pieces) -> Result<(), Stop> {
    let asked = Asked::new(on.schema, given, Tell { ends: false, names: true, pulled: false })?;
    returned(out, |out| {
        each_reference(on, &asked, &mut |_, row| {
            write::object_path(out.text(), on.repository.host(), &located(on.schema, row.path()));
            Ok(out.pass_on()?)
        })
    })
}

pub(super) fn associators(on: On<'_>, given: &mut Given<'_>, out: &mut Pieces) -> Result<(), Stop> {
    let asked = Asked::new(on.schema, given, Tell { ends: true, names: false, pulled: false })?;
    returned(out, |out| {
        each_end_row(on, &asked, &mut |class, row, path| {
            write::object(out.text(), on.repository.host(), &path, class, row.values(), &asked.wanted());
            Ok(out.pass_on()?)
        })
    })
}

pub(super) fn associator_names(on: On<'_>, given: &mut Given<'_>, out: &mut Pieces) -> Result<(), Stop> {
    let asked = Asked::new(on.schema, given, Tell { ends: true, names: true, pulled: false })?;
    returned(out, |out| {
        each_end(on, &asked, &mut |path| {
            write::object_path(out.text(), on.repository.host(), &path);
            Ok(out.pass_on()?)
        })
    })
}

/// The path with the namespace it is in.
pub(super) fn located(schema: &Schema, path: ObjectPath) -> ObjectPath {
    ObjectPath { namespace: path.namespace.clone().or_else(|| Some(schema.namespace().clone())), ..path }
}

/// Every association of the class asked for that refers to the object.
pub(super) fn each_reference(on: On<'_>, asked: &Asked<'_>, each: &mut EachRow<'_>) -> Result<(), Stop> {
    each_association(on, asked.result_class, &mut |class, row| {
        if asked.roles(row).is_empty() { Ok(()) } else { each(class, row) }
    })
}

/// The path of every instance at the other end of such an association, once.
pub(super) fn each_end(
    on: On<'_>,
    asked: &Asked<'_>,
    each: &mut dyn FnMut(ObjectPath) -> Result<(), Stop>,
) -> Result<(), Stop> {
    let mut told = HashSet::new();
    each_association(on, asked.assoc_class, &mut |_, row| {
        let roles = asked.roles(row);
        for (name, path) in row.references() {
            let is_other = roles.iter().any(|role| *role != name);
            let is_asked = asked.result_role.as_ref().is_none_or(|role| role == name)
                && asked.result_class.is_none_or(|class| on.schema.is_a(&path.class, class));
            if is_other && is_asked && told.insert(path.clone()) {
                each(located(on.schema, path.clone()))?;
            }
        }
        Ok(())
    })
}

/// Takes in an instance with the path by which the association refers to it.
type EachEndRow<'w> = dyn FnMut(&SchemaClass, &Row<'_>, ObjectPath) -> Result<(), Stop> + 'w;

/// The same instances themselves. What has gone since the association was read is left out.
pub(super) fn each_end_row(on: On<'_>, asked: &Asked<'_>, each: &mut EachEndRow<'_>) -> Result<(), Stop> {
    each_end(on, asked, &mut |path| {
        let Some(class) = on.schema.class(&path.class) else { return Ok(()) };
        let mut providers = on.repository.providers(on.schema, class.name());
        let Some((_, provider)) = providers.find(|(served, _)| served.name() == class.name()) else { return Ok(()) };
        match provider.get(&Ask { class, keys_only: false }, &path).map_err(Stop::Error)? {
            Some(row) => each(class, &row, path),
            None => Ok(()),
        }
    })
}

/// Every instance of every association class below `of`.
fn each_association(on: On<'_>, of: Option<&CimName>, each: &mut EachRow<'_>) -> Result<(), Stop> {
    let is_asked =
        |class: &SchemaClass| class.class().is_association() && of.is_none_or(|of| on.schema.is_a(class.name(), of));
    on.repository
        .all_providers(on.schema)
        .filter(|(class, _)| is_asked(class))
        .try_for_each(|(class, provider)| provided(provider, &Ask { class, keys_only: false }, each))
}
