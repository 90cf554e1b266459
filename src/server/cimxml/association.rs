//! Associators, AssociatorNames, References and ReferenceNames of instances.
//!
//! Owns: parameters with the defaults of DSP0200 section 5.4, and which associations and ends an object has. Must not know
//! XML syntax or how instances are found. What a class may be associated with is not offered.

use std::{collections::HashSet, ops::ControlFlow};

use super::{
    Gone, Pieces,
    operation::{Given, Stop, fail, named_keys, returned},
    request::Param,
    write::{self, Wanted},
};
use crate::{
    cim::{CimName, CimStatus, ObjectPath},
    server::{
        provider::{Ask, Row, same_keys},
        repository::{Repository, Schema, SchemaClass},
    },
};

/// What of an object's associations is asked for.
struct Asked<'a> {
    object: ObjectPath,
    assoc_class: Option<&'a CimName>,
    result_class: Option<&'a CimName>,
    role: Option<CimName>,
    result_role: Option<CimName>,
    properties: Option<Vec<CimName>>,
    class_origin: bool,
}

impl<'a> Asked<'a> {
    /// Takes the parameters out of `given`: those of Associators if `ends` are asked for, those of References otherwise,
    /// and those of instances unless only names are.
    fn new(schema: &Schema, given: &mut Given<'a>, ends: bool, names: bool) -> Result<Self, Stop> {
        let object = match given.take("ObjectName") {
            Some(Param::Instance(path)) => path,
            Some(Param::Class(_)) => {
                return Err(fail(CimStatus::NOT_SUPPORTED, "this server knows the associations of instances only"));
            }
            Some(_) => return Err(fail(CimStatus::INVALID_PARAMETER, "ObjectName is no object name")),
            None => return Err(fail(CimStatus::INVALID_PARAMETER, "ObjectName is missing")),
        };
        // DSP0200 has no CIM_ERR_INVALID_CLASS for these operations.
        let class = schema.class(&object.class).ok_or_else(|| {
            fail(CimStatus::INVALID_PARAMETER, format!("no class {} in {}", object.class, schema.namespace()))
        })?;
        let mut asked = Self {
            object: named_keys(class, object)?,
            assoc_class: None,
            result_class: given.class("ResultClass")?,
            role: given.name("Role")?,
            result_role: None,
            properties: None,
            class_origin: false,
        };
        if ends {
            asked.assoc_class = given.class("AssocClass")?;
            asked.result_role = given.name("ResultRole")?;
        }
        if !names {
            given.flag("IncludeQualifiers", false)?;
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

pub(super) fn references(
    repository: &Repository,
    schema: &Schema,
    given: &mut Given<'_>,
    out: &mut Pieces,
) -> Result<(), Stop> {
    let asked = Asked::new(schema, given, false, false)?;
    each_reference(repository, schema, &asked, out, |class, row, out| {
        write::object(
            out.text(),
            repository.host(),
            &located(schema, row.path()),
            class,
            row.values(),
            &asked.wanted(),
        );
        Ok(())
    })
}

pub(super) fn reference_names(
    repository: &Repository,
    schema: &Schema,
    given: &mut Given<'_>,
    out: &mut Pieces,
) -> Result<(), Stop> {
    let asked = Asked::new(schema, given, false, true)?;
    each_reference(repository, schema, &asked, out, |_, row, out| {
        write::object_path(out.text(), repository.host(), &located(schema, row.path()));
        Ok(())
    })
}

pub(super) fn associators(
    repository: &Repository,
    schema: &Schema,
    given: &mut Given<'_>,
    out: &mut Pieces,
) -> Result<(), Stop> {
    let asked = Asked::new(schema, given, true, false)?;
    each_end(repository, schema, &asked, out, |path, out| {
        let Some(class) = schema.class(&path.class) else { return Ok(()) };
        let provider = repository.providers(schema, class.name()).find(|(served, _)| served.name() == class.name());
        let Some((_, provider)) = provider else { return Ok(()) };
        // What has gone since the association was read is left out.
        if let Some(row) = provider.get(&Ask { class, keys_only: false }, path).map_err(Stop::Error)? {
            write::object(out.text(), repository.host(), path, class, row.values(), &asked.wanted());
        }
        Ok(())
    })
}

pub(super) fn associator_names(
    repository: &Repository,
    schema: &Schema,
    given: &mut Given<'_>,
    out: &mut Pieces,
) -> Result<(), Stop> {
    let asked = Asked::new(schema, given, true, true)?;
    each_end(repository, schema, &asked, out, |path, out| {
        write::object_path(out.text(), repository.host(), path);
        Ok(())
    })
}

fn located(schema: &Schema, path: ObjectPath) -> ObjectPath {
    ObjectPath { namespace: path.namespace.clone().or_else(|| Some(schema.namespace().clone())), ..path }
}

type Each<'w> = dyn FnMut(&SchemaClass, &Row<'_>, &mut Pieces) -> Result<(), Stop> + 'w;

/// Every association of the class asked for that refers to the object.
fn each_reference(
    repository: &Repository,
    schema: &Schema,
    asked: &Asked<'_>,
    out: &mut Pieces,
    mut write: impl FnMut(&SchemaClass, &Row<'_>, &mut Pieces) -> Result<(), Stop>,
) -> Result<(), Stop> {
    returned(out, |out| {
        each_association(repository, schema, asked.result_class, out, &mut |class, row, out| {
            if asked.roles(row).is_empty() { Ok(()) } else { write(class, row, out) }
        })
    })
}

/// Every instance at the other end of such an association, once.
fn each_end(
    repository: &Repository,
    schema: &Schema,
    asked: &Asked<'_>,
    out: &mut Pieces,
    mut write: impl FnMut(&ObjectPath, &mut Pieces) -> Result<(), Stop>,
) -> Result<(), Stop> {
    let mut told = HashSet::new();
    returned(out, |out| {
        each_association(repository, schema, asked.assoc_class, out, &mut |_, row, out| {
            let roles = asked.roles(row);
            for (name, path) in row.references() {
                let is_other = roles.iter().any(|role| *role != name);
                let is_asked = asked.result_role.as_ref().is_none_or(|role| role == name)
                    && asked.result_class.is_none_or(|class| schema.is_a(&path.class, class));
                if is_other && is_asked && told.insert(path.clone()) {
                    write(&located(schema, path.clone()), out)?;
                }
            }
            Ok(())
        })
    })
}

/// Every instance of every association class below `of`.
fn each_association(
    repository: &Repository,
    schema: &Schema,
    of: Option<&CimName>,
    out: &mut Pieces,
    each: &mut Each<'_>,
) -> Result<(), Stop> {
    for (class, provider) in repository.all_providers(schema) {
        let is_asked = of.is_none_or(|of| schema.is_a(class.name(), of));
        if !class.class().is_association() || !is_asked {
            continue;
        }
        let mut stopped = None;
        provider
            .enumerate(&Ask { class, keys_only: false }, &mut |row| {
                let written = each(class, &row, out).and_then(|()| out.pass_on().map_err(|Gone| Stop::Gone));
                match written {
                    Ok(()) => ControlFlow::Continue(()),
                    Err(stop) => {
                        stopped = Some(stop);
                        ControlFlow::Break(())
                    }
                }
            })
            .map_err(Stop::Error)?;
        if let Some(stop) = stopped {
            return Err(stop);
        }
    }
    Ok(())
}
