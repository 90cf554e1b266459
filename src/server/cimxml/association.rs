//! Associators, AssociatorNames, References and ReferenceNames of instances.
//!
//! Owns: parameters with the defaults of DSP0200 section 5.4, and which associations and ends an object has. Must not know
//! XML syntax or how instances are found. What a class may be associated with is not offered.

use super::{
    Pieces,
    operation::{Given, returned},
    request::Param,
    write::{self, Wanted},
};
use crate::{
    cim::{CimName, CimStatus, ObjectPath},
    server::{
        instances::{Along, On, Stop, each_end, each_end_row, each_reference, fail, located},
        repository::Schema,
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

/// What of an object's associations is asked for, and of what is found.
pub(super) struct Asked {
    pub(super) along: Along,
    pub(super) properties: Option<Vec<CimName>>,
    pub(super) class_origin: bool,
}

impl Asked {
    /// Takes the parameters out of `given`.
    pub(super) fn new(schema: &Schema, given: &mut Given<'_>, tell: Tell) -> Result<Self, Stop> {
        let mut along = Along {
            object: object(given, if tell.pulled { "InstanceName" } else { "ObjectName" })?,
            assoc_class: None,
            result_class: given.class("ResultClass")?.cloned(),
            role: given.name("Role")?,
            result_role: None,
        };
        if tell.ends {
            along.assoc_class = given.class("AssocClass")?.cloned();
            along.result_role = given.name("ResultRole")?;
        }
        let (mut properties, mut class_origin) = (None, false);
        if !tell.names {
            if !tell.pulled {
                given.flag("IncludeQualifiers", false)?;
            }
            class_origin = given.flag("IncludeClassOrigin", false)?;
            properties = given.properties()?;
        }
        given.end()?;
        Ok(Self { along: along.checked(schema)?, properties, class_origin })
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
}

/// The instance whose associations are asked for.
fn object(given: &mut Given<'_>, parameter: &str) -> Result<ObjectPath, Stop> {
    match given.take(parameter) {
        Some(Param::Instance(path)) => Ok(path.clone()),
        Some(Param::Class(_)) => {
            Err(fail(CimStatus::NOT_SUPPORTED, "this server knows the associations of instances only"))
        }
        Some(_) => Err(fail(CimStatus::INVALID_PARAMETER, format!("{parameter} is no object name"))),
        None => Err(fail(CimStatus::INVALID_PARAMETER, format!("{parameter} is missing"))),
    }
}

pub(super) fn references(on: On<'_>, given: &mut Given<'_>, out: &mut Pieces) -> Result<(), Stop> {
    let asked = Asked::new(on.schema, given, Tell { ends: false, names: false, pulled: false })?;
    returned(out, |out| {
        each_reference(on, &asked.along, &mut |class, row| {
            let path = located(on.schema, row.path());
            write::object(out.text(), on.repository.host(), &path, class, row.values(), &asked.wanted());
            Ok(out.pass_on()?)
        })
    })
}

pub(super) fn reference_names(on: On<'_>, given: &mut Given<'_>, out: &mut Pieces) -> Result<(), Stop> {
    let asked = Asked::new(on.schema, given, Tell { ends: false, names: true, pulled: false })?;
    returned(out, |out| {
        each_reference(on, &asked.along, &mut |_, row| {
            write::object_path(out.text(), on.repository.host(), &located(on.schema, row.path()));
            Ok(out.pass_on()?)
        })
    })
}

pub(super) fn associators(on: On<'_>, given: &mut Given<'_>, out: &mut Pieces) -> Result<(), Stop> {
    let asked = Asked::new(on.schema, given, Tell { ends: true, names: false, pulled: false })?;
    returned(out, |out| {
        each_end_row(on, &asked.along, &mut |class, row, path| {
            write::object(out.text(), on.repository.host(), &path, class, row.values(), &asked.wanted());
            Ok(out.pass_on()?)
        })
    })
}

pub(super) fn associator_names(on: On<'_>, given: &mut Given<'_>, out: &mut Pieces) -> Result<(), Stop> {
    let asked = Asked::new(on.schema, given, Tell { ends: true, names: true, pulled: false })?;
    returned(out, |out| {
        each_end(on, &asked.along, &mut |path| {
            write::object_path(out.text(), on.repository.host(), &path);
            Ok(out.pass_on()?)
        })
    })
}
