//! The operations a client may call; everything else is `CIM_ERR_NOT_SUPPORTED`.
//!
//! Owns: parameters with the defaults of DSP0200 section 5.4, status codes, and which classes and instances an operation
//! answers; those along associations are [`super::association`]'s. Must not know XML syntax or how instances are found.
//!
//! For instances DSP0200 lets a server treat `LocalOnly` and `IncludeQualifiers` as false; this one does. The namespaces
//! are instances of `CIM_Namespace` in the interop namespace.

use super::{
    CimXml, Gone, Pieces, association, pull, qualifier,
    request::{Call, Param},
    select,
    write::{self, Wanted},
};
use crate::{
    cim::{CimName, CimStatus},
    server::{
        instances::{self, On, Stop, each_row, fail, no_class},
        repository::Schema,
    },
};

impl From<Gone> for Stop {
    fn from(_: Gone) -> Self {
        Self::Gone
    }
}

type Operation = for<'a> fn(On<'_>, &mut Given<'a>, &mut Pieces) -> Result<(), Stop>;

/// What is offered, by the names of DSP0200.
const OPERATIONS: &[(&str, Operation)] = &[
    ("EnumerateClassNames", enumerate_class_names),
    ("EnumerateClasses", enumerate_classes),
    ("GetClass", get_class),
    ("EnumerateInstances", enumerate_instances),
    ("EnumerateInstanceNames", enumerate_instance_names),
    ("GetInstance", get_instance),
    ("Associators", association::associators),
    ("AssociatorNames", association::associator_names),
    ("References", association::references),
    ("ReferenceNames", association::reference_names),
    ("EnumerateQualifiers", qualifier::enumerate),
    ("GetQualifier", qualifier::get),
    ("ExecQuery", select::exec_query),
    ("OpenEnumerateInstances", pull::open_enumerate_instances),
    ("OpenEnumerateInstancePaths", pull::open_enumerate_instance_paths),
    ("OpenAssociatorInstances", pull::open_associator_instances),
    ("OpenAssociatorInstancePaths", pull::open_associator_instance_paths),
    ("OpenReferenceInstances", pull::open_reference_instances),
    ("OpenReferenceInstancePaths", pull::open_reference_instance_paths),
    ("OpenQueryInstances", select::open_query_instances),
    ("PullInstancesWithPath", pull::pull_instances_with_path),
    ("PullInstancePaths", pull::pull_instance_paths),
    ("PullInstances", pull::pull_instances),
    ("CloseEnumeration", pull::close_enumeration),
];

/// Runs `call` and writes what it returns, without the elements around it.
pub(super) fn run(service: &CimXml, call: &Call, out: &mut Pieces) -> Result<(), Stop> {
    let offered = OPERATIONS.iter().find(|(name, _)| !call.extrinsic && *name == call.name);
    let (_, operation) = offered.ok_or_else(|| {
        fail(CimStatus::NOT_SUPPORTED, format!("this server reads only; it does not offer {}", call.name))
    })?;
    let schema = service
        .repository
        .schema(&call.namespace)
        .ok_or_else(|| fail(CimStatus::INVALID_NAMESPACE, format!("no namespace {}", call.namespace)))?;
    let on = On { repository: &service.repository, schema, enumerations: &service.enumerations };
    operation(on, &mut Given::new(call)?, out)
}

/// The parameters given, taken out one by one; what is left over is unknown to the operation.
pub(super) struct Given<'a>(Vec<(&'a str, &'a Param)>);

impl<'a> Given<'a> {
    fn new(call: &'a Call) -> Result<Self, Stop> {
        let mut given: Vec<(&str, &Param)> = Vec::with_capacity(call.params.len().min(16));
        for (name, param) in &call.params {
            if given.iter().any(|(other, _)| other.eq_ignore_ascii_case(name)) {
                return Err(fail(CimStatus::INVALID_PARAMETER, format!("{name} is given twice")));
            }
            if given.len() == 16 {
                return Err(fail(CimStatus::INVALID_PARAMETER, "more parameters than any operation has"));
            }
            given.push((name, param));
        }
        Ok(Self(given))
    }

    pub(super) fn take(&mut self, name: &str) -> Option<&'a Param> {
        let at = self.0.iter().position(|(given, _)| given.eq_ignore_ascii_case(name))?;
        Some(self.0.swap_remove(at).1).filter(|param| **param != Param::Null)
    }

    pub(super) fn flag(&mut self, name: &str, default: bool) -> Result<bool, Stop> {
        match self.take(name) {
            None => Ok(default),
            Some(Param::Value(text)) if text.trim().eq_ignore_ascii_case("true") => Ok(true),
            Some(Param::Value(text)) if text.trim().eq_ignore_ascii_case("false") => Ok(false),
            Some(_) => Err(fail(CimStatus::INVALID_PARAMETER, format!("{name} is no boolean"))),
        }
    }

    pub(super) fn class(&mut self, parameter: &str) -> Result<Option<&'a CimName>, Stop> {
        match self.take(parameter) {
            None => Ok(None),
            Some(Param::Class(name)) if name.as_str().is_empty() => Ok(None),
            Some(Param::Class(name)) => Ok(Some(name)),
            Some(_) => Err(fail(CimStatus::INVALID_PARAMETER, format!("{parameter} is no class name"))),
        }
    }

    /// A text that is a name; an empty one says nothing.
    pub(super) fn name(&mut self, parameter: &str) -> Result<Option<CimName>, Stop> {
        let text = self.text(parameter)?.map(str::trim).filter(|text| !text.is_empty());
        Ok(text.map(CimName::new))
    }

    /// A text that must not be empty.
    pub(super) fn required_text(&mut self, parameter: &str) -> Result<&'a str, Stop> {
        match self.text(parameter)?.map(str::trim) {
            Some(text) if !text.is_empty() => Ok(text),
            _ => Err(fail(CimStatus::INVALID_PARAMETER, format!("{parameter} is missing"))),
        }
    }

    pub(super) fn text(&mut self, parameter: &str) -> Result<Option<&'a str>, Stop> {
        match self.take(parameter) {
            None => Ok(None),
            Some(Param::Value(text)) => Ok(Some(text)),
            Some(_) => Err(fail(CimStatus::INVALID_PARAMETER, format!("{parameter} is no text"))),
        }
    }

    /// A `uint32`.
    pub(super) fn count(&mut self, parameter: &str) -> Result<Option<u32>, Stop> {
        let wrong = |_| fail(CimStatus::INVALID_PARAMETER, format!("{parameter} is no number from 0 to {}", u32::MAX));
        self.text(parameter)?.map(|text| text.trim().parse().map_err(wrong)).transpose()
    }

    pub(super) fn required_class(&mut self) -> Result<&'a CimName, Stop> {
        self.class("ClassName")?.ok_or_else(|| fail(CimStatus::INVALID_PARAMETER, "ClassName is missing"))
    }

    pub(super) fn properties(&mut self) -> Result<Option<Vec<CimName>>, Stop> {
        match self.take("PropertyList") {
            None => Ok(None),
            Some(Param::Array(items)) => {
                Ok(Some(items.iter().flatten().map(|name| CimName::new(name.trim())).collect()))
            }
            Some(_) => Err(fail(CimStatus::INVALID_PARAMETER, "PropertyList is no array")),
        }
    }

    pub(super) fn end(&self) -> Result<(), Stop> {
        match self.0.first() {
            None => Ok(()),
            Some((name, _)) => {
                Err(fail(CimStatus::INVALID_PARAMETER, format!("the operation has no parameter {name}")))
            }
        }
    }
}

/// Writes `IRETURNVALUE` around what `inner` writes.
pub(super) fn returned(out: &mut Pieces, inner: impl FnOnce(&mut Pieces) -> Result<(), Stop>) -> Result<(), Stop> {
    out.text().push_str("<IRETURNVALUE>\n");
    inner(out)?;
    out.text().push_str("</IRETURNVALUE>\n");
    Ok(())
}

fn enumerate_class_names(on: On<'_>, given: &mut Given<'_>, out: &mut Pieces) -> Result<(), Stop> {
    let schema = on.schema;
    let (of, deep) = (given.class("ClassName")?, given.flag("DeepInheritance", false)?);
    given.end()?;
    let classes = schema.below(of, deep).ok_or_else(|| invalid(schema, of))?;
    returned(out, |out| {
        for class in classes {
            write::class_name(out.text(), class.name());
            out.pass_on()?;
        }
        Ok(())
    })
}

fn invalid(schema: &Schema, name: Option<&CimName>) -> Stop {
    no_class(CimStatus::INVALID_CLASS, schema, name.unwrap_or(&CimName::new("")))
}

fn enumerate_classes(on: On<'_>, given: &mut Given<'_>, out: &mut Pieces) -> Result<(), Stop> {
    let schema = on.schema;
    let (of, deep) = (given.class("ClassName")?, given.flag("DeepInheritance", false)?);
    let wanted = Wanted {
        local_only: given.flag("LocalOnly", true)?,
        qualifiers: given.flag("IncludeQualifiers", true)?,
        class_origin: given.flag("IncludeClassOrigin", false)?,
        properties: None,
        known_to: None,
    };
    given.end()?;
    let classes = schema.below(of, deep).ok_or_else(|| invalid(schema, of))?;
    returned(out, |out| {
        for class in classes {
            write::class(out.text(), class.class(), &wanted);
            out.pass_on()?;
        }
        Ok(())
    })
}

fn get_class(on: On<'_>, given: &mut Given<'_>, out: &mut Pieces) -> Result<(), Stop> {
    let schema = on.schema;
    let (name, properties) = (given.required_class()?, given.properties()?);
    let wanted = Wanted {
        local_only: given.flag("LocalOnly", true)?,
        qualifiers: given.flag("IncludeQualifiers", true)?,
        class_origin: given.flag("IncludeClassOrigin", false)?,
        properties: properties.as_deref(),
        known_to: None,
    };
    given.end()?;
    let class = schema.class(name).ok_or_else(|| no_class(CimStatus::NOT_FOUND, schema, name))?;
    returned(out, |out| {
        write::class(out.text(), class.class(), &wanted);
        Ok(())
    })
}

fn enumerate_instances(on: On<'_>, given: &mut Given<'_>, out: &mut Pieces) -> Result<(), Stop> {
    let schema = on.schema;
    let (name, properties) = (given.required_class()?, given.properties()?);
    given.flag("LocalOnly", true)?;
    given.flag("IncludeQualifiers", false)?;
    let deep = given.flag("DeepInheritance", true)?;
    let class_origin = given.flag("IncludeClassOrigin", false)?;
    given.end()?;
    let asked = schema.class(name).ok_or_else(|| no_class(CimStatus::INVALID_CLASS, schema, name))?;
    let wanted = Wanted {
        local_only: false,
        qualifiers: false,
        class_origin,
        properties: properties.as_deref(),
        known_to: (!deep).then_some(asked),
    };
    returned(out, |out| {
        each_row(on, asked, false, &mut |class, row| {
            out.text().push_str("<VALUE.NAMEDINSTANCE>\n");
            write::instance_name(out.text(), &row.path());
            write::instance(out.text(), class, row.values(), &wanted);
            out.text().push_str("</VALUE.NAMEDINSTANCE>\n");
            Ok(out.pass_on()?)
        })
    })
}

fn enumerate_instance_names(on: On<'_>, given: &mut Given<'_>, out: &mut Pieces) -> Result<(), Stop> {
    let schema = on.schema;
    let name = given.required_class()?;
    given.end()?;
    let asked = schema.class(name).ok_or_else(|| no_class(CimStatus::INVALID_CLASS, schema, name))?;
    returned(out, |out| {
        each_row(on, asked, true, &mut |_, row| {
            write::instance_name(out.text(), &row.path());
            Ok(out.pass_on()?)
        })
    })
}

fn get_instance(on: On<'_>, given: &mut Given<'_>, out: &mut Pieces) -> Result<(), Stop> {
    let path = match given.take("InstanceName") {
        Some(Param::Instance(path)) => path,
        Some(_) => return Err(fail(CimStatus::INVALID_PARAMETER, "InstanceName is no instance name")),
        None => return Err(fail(CimStatus::INVALID_PARAMETER, "InstanceName is missing")),
    };
    let properties = given.properties()?;
    given.flag("LocalOnly", true)?;
    given.flag("IncludeQualifiers", false)?;
    let wanted = Wanted {
        local_only: false,
        qualifiers: false,
        class_origin: given.flag("IncludeClassOrigin", false)?,
        properties: properties.as_deref(),
        known_to: None,
    };
    given.end()?;
    let (class, row) = instances::instance(on, path)?;
    returned(out, |out| {
        write::instance(out.text(), class, row.values(), &wanted);
        Ok(())
    })
}
