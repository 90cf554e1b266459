//! Which classes and instances an operation is about, whoever asks.
//!
//! Owns: instances of a class, by their path, along associations and by query, with the status codes of what does not exist.
//! Must not know XML, protocols or how instances are found.

use std::{collections::HashSet, ops::ControlFlow};

use super::{
    enumeration::Enumerations,
    provider::{Ask, Provider, Row, same_keys},
    query::{self, Condition, Select},
    repository::{Repository, Schema, SchemaClass},
};
use crate::cim::{CimError, CimName, CimStatus, KeyValue, ObjectPath};

/// Why an operation stopped before its end.
#[derive(Debug)]
pub(super) enum Stop {
    /// Nobody reads any more.
    Gone,
    /// The client is told this.
    Error(CimError),
}

pub(super) fn fail(status: CimStatus, description: impl Into<String>) -> Stop {
    Stop::Error(CimError { status, description: description.into(), details: Vec::new() })
}

/// What an operation runs on.
#[derive(Clone, Copy)]
pub(super) struct On<'a> {
    pub(super) repository: &'a Repository,
    /// The classes of the namespace that was named.
    pub(super) schema: &'a Schema,
    pub(super) enumerations: &'a Enumerations,
}

/// Takes in an instance; an error ends the enumeration.
pub(super) type EachRow<'w> = dyn FnMut(&SchemaClass, &Row<'_>) -> Result<(), Stop> + 'w;

pub(super) fn no_class(status: CimStatus, schema: &Schema, name: &CimName) -> Stop {
    fail(status, format!("no class {name} in {}", schema.namespace()))
}

/// Tells every instance of `asked` and of the classes below it, as the providers find them.
pub(super) fn each_row(on: On<'_>, asked: &SchemaClass, keys_only: bool, each: &mut EachRow<'_>) -> Result<(), Stop> {
    on.repository
        .providers(on.schema, asked.name())
        .try_for_each(|(class, provider)| provided(provider, &Ask { class, keys_only }, each))
}

/// Tells every instance `provider` knows.
fn provided(provider: &dyn Provider, ask: &Ask<'_>, each: &mut EachRow<'_>) -> Result<(), Stop> {
    let mut stopped = None;
    provider
        .enumerate(ask, &mut |row| match each(ask.class, &row) {
            Ok(()) => ControlFlow::Continue(()),
            Err(stop) => {
                stopped = Some(stop);
                ControlFlow::Break(())
            }
        })
        .map_err(Stop::Error)?;
    stopped.map_or(Ok(()), Err)
}

/// The instance `path` names, and its class.
pub(super) fn instance<'a>(on: On<'a>, path: &ObjectPath) -> Result<(&'a SchemaClass, Row<'a>), Stop> {
    let schema = on.schema;
    let class = schema.class(&path.class).ok_or_else(|| no_class(CimStatus::INVALID_CLASS, schema, &path.class))?;
    let path = named_keys(class, path)?;
    let not_found = || fail(CimStatus::NOT_FOUND, format!("no such instance of {}", class.name()));
    let provider = on
        .repository
        .providers(schema, class.name())
        .find(|(served, _)| served.name() == class.name())
        .map(|(_, provider)| provider)
        .ok_or_else(not_found)?;
    let row = provider.get(&Ask { class, keys_only: false }, &path).map_err(Stop::Error)?.ok_or_else(not_found)?;
    Ok((class, row))
}

/// Checks that the path names exactly the keys of its class; a single key may go unnamed (DSP0201 `INSTANCENAME`).
pub(super) fn named_keys(class: &SchemaClass, path: &ObjectPath) -> Result<ObjectPath, Stop> {
    let mut path = path.clone();
    let keys: Vec<&CimName> = class.class().keys().map(|key| &key.name).collect();
    if let ([name], [binding]) = (keys.as_slice(), path.keys.as_mut_slice())
        && binding.name.as_str().is_empty()
    {
        binding.name = (*name).clone();
    }
    let all_named = keys.iter().all(|key| path.keys.iter().filter(|binding| binding.name == **key).count() == 1);
    if !all_named || path.keys.len() != keys.len() {
        let names: Vec<&str> = keys.iter().map(|key| key.as_str()).collect();
        return Err(fail(
            CimStatus::INVALID_PARAMETER,
            format!("the keys of {} are {}", class.name(), names.join(", ")),
        ));
    }
    let too_long = path.keys.iter().any(|key| matches!(&key.value, KeyValue::String(text) if text.len() > 64 * 1024));
    if too_long { Err(fail(CimStatus::INVALID_PARAMETER, "a key longer than any key here")) } else { Ok(path) }
}

/// The path with the namespace it is in.
pub(super) fn located(schema: &Schema, path: ObjectPath) -> ObjectPath {
    ObjectPath { namespace: path.namespace.clone().or_else(|| Some(schema.namespace().clone())), ..path }
}

/// The class `name`, whose properties the filter can be about.
pub(super) fn of_class<'a>(on: On<'a>, name: &CimName, filter: Option<&Condition>) -> Result<&'a SchemaClass, Stop> {
    let class = on.schema.class(name).ok_or_else(|| no_class(CimStatus::INVALID_CLASS, on.schema, name))?;
    let wrong = filter.and_then(|filter| {
        let below = on.schema.below(Some(name), true).unwrap_or_default();
        let fits = |class: &SchemaClass| filter.check(class);
        // A property may be one of a subclass only.
        fits(class).err().filter(|_| below.into_iter().all(|class| fits(class).is_err()))
    });
    wrong.map_or(Ok(class), |wrong| Err(fail(CimStatus::INVALID_QUERY, wrong.to_string())))
}

/// The query `text` in WQL, checked against the class it is of.
pub(super) fn selected<'a>(on: On<'a>, text: &str) -> Result<(&'a SchemaClass, Select), Stop> {
    let invalid = |what: String| fail(CimStatus::INVALID_QUERY, what);
    let select = query::select(text).map_err(|wrong| invalid(wrong.to_string()))?;
    let class = on
        .schema
        .class(&select.class)
        .ok_or_else(|| invalid(format!("no class {} in {}", select.class, on.schema.namespace())))?;
    if let Some(unknown) = select.properties.iter().flatten().find(|name| class.index(name.as_str()).is_none()) {
        return Err(invalid(format!("{} has no property {unknown}", class.name())));
    }
    if let Some(condition) = &select.condition {
        condition.check(class).map_err(|wrong| invalid(wrong.to_string()))?;
    }
    Ok((class, select))
}

/// What of an object's associations is asked for.
pub(super) struct Along {
    /// The object, its keys named.
    pub(super) object: ObjectPath,
    pub(super) assoc_class: Option<CimName>,
    pub(super) result_class: Option<CimName>,
    pub(super) role: Option<CimName>,
    pub(super) result_role: Option<CimName>,
}

impl Along {
    /// Checks that its object can be and that its classes exist.
    pub(super) fn checked(mut self, schema: &Schema) -> Result<Self, Stop> {
        // DSP0200 has no CIM_ERR_INVALID_CLASS for these operations.
        let known = |class: &CimName| {
            let wrong = || fail(CimStatus::INVALID_PARAMETER, format!("no class {class} in {}", schema.namespace()));
            schema.class(class).ok_or_else(wrong)
        };
        self.object = named_keys(known(&self.object.class)?, &self.object)?;
        self.assoc_class.iter().chain(&self.result_class).try_for_each(|class| known(class).map(|_| ()))?;
        Ok(self)
    }

    /// Whether the association `row` refers to the object in the role asked for; the names of the properties that do.
    fn roles<'r>(&self, row: &'r Row<'_>) -> Vec<&'r CimName> {
        let refers = row.references().filter(|(name, path)| {
            self.role.as_ref().is_none_or(|role| role == *name) && same_keys(path, &self.object)
        });
        refers.map(|(name, _)| name).collect()
    }
}

/// Every association of the class asked for that refers to the object.
pub(super) fn each_reference(on: On<'_>, along: &Along, each: &mut EachRow<'_>) -> Result<(), Stop> {
    each_association(on, along.result_class.as_ref(), &mut |class, row| {
        if along.roles(row).is_empty() { Ok(()) } else { each(class, row) }
    })
}

/// The path of every instance at the other end of such an association, once.
pub(super) fn each_end(
    on: On<'_>,
    along: &Along,
    each: &mut dyn FnMut(ObjectPath) -> Result<(), Stop>,
) -> Result<(), Stop> {
    let mut told = HashSet::new();
    each_association(on, along.assoc_class.as_ref(), &mut |_, row| {
        let roles = along.roles(row);
        for (name, path) in row.references() {
            let is_other = roles.iter().any(|role| *role != name);
            let is_asked = along.result_role.as_ref().is_none_or(|role| role == name)
                && along.result_class.as_ref().is_none_or(|class| on.schema.is_a(&path.class, class));
            if is_other && is_asked && told.insert(path.clone()) {
                each(located(on.schema, path.clone()))?;
            }
        }
        Ok(())
    })
}

/// Takes in an instance with the path by which the association refers to it.
pub(super) type EachEndRow<'w> = dyn FnMut(&SchemaClass, &Row<'_>, ObjectPath) -> Result<(), Stop> + 'w;

/// The same instances themselves. What has gone since the association was read is left out.
pub(super) fn each_end_row(on: On<'_>, along: &Along, each: &mut EachEndRow<'_>) -> Result<(), Stop> {
    each_end(on, along, &mut |path| {
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
