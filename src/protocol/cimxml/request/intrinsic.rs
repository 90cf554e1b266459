//! The intrinsic operations, each with its parameters (DSP0200 section 5.4.2).
//!
//! Owns: which parameters an operation is sent with. Must not know how they are written.

use super::Request;
use crate::{
    cim::{CimName, Namespace, ObjectPath},
    op::OperationOptions,
};

/// EnumerateClassNames below `parent`.
pub fn enumerate_class_names(namespace: &Namespace, parent: Option<&CimName>, deep: bool) -> Request {
    let request = Request::new("EnumerateClassNames", namespace);
    below(request, parent).flag("DeepInheritance", deep)
}

/// EnumerateClasses below `parent`, whole: with inherited elements, qualifiers and class origins.
pub fn enumerate_classes(namespace: &Namespace, parent: Option<&CimName>, deep: bool) -> Request {
    let request = below(Request::new("EnumerateClasses", namespace), parent).flag("DeepInheritance", deep);
    request.flag("LocalOnly", false).flag("IncludeQualifiers", true).flag("IncludeClassOrigin", true)
}

fn below(request: Request, parent: Option<&CimName>) -> Request {
    match parent {
        Some(parent) => request.class("ClassName", parent),
        None => request,
    }
}

/// GetClass, whole.
pub fn get_class(namespace: &Namespace, class: &CimName) -> Request {
    let request = Request::new("GetClass", namespace).class("ClassName", class);
    request.flag("LocalOnly", false).flag("IncludeQualifiers", true).flag("IncludeClassOrigin", true)
}

/// EnumerateInstances of a class and its subclasses, with all their properties or those of the list.
pub fn enumerate_instances(namespace: &Namespace, class: &CimName, options: &OperationOptions) -> Request {
    let request = Request::new("EnumerateInstances", namespace).class("ClassName", class);
    let request = request.flag("LocalOnly", false).flag("DeepInheritance", true).flag("IncludeQualifiers", false);
    listed(request, options)
}

/// EnumerateInstanceNames.
pub fn enumerate_instance_names(namespace: &Namespace, class: &CimName) -> Request {
    Request::new("EnumerateInstanceNames", namespace).class("ClassName", class)
}

/// GetInstance.
pub fn get_instance(namespace: &Namespace, path: &ObjectPath, options: &OperationOptions) -> Request {
    let request = Request::new("GetInstance", namespace).instance("InstanceName", path);
    listed(request.flag("LocalOnly", false).flag("IncludeQualifiers", false), options)
}

/// Associators (DSP0200 section 5.4.2.14) or AssociatorNames of `object`; the parameters are those of
/// [`Filter`]. Classes are asked for whole.
pub fn associators(
    namespace: &Namespace,
    object: &ObjectPath,
    filter: &Filter<'_>,
    options: &OperationOptions,
) -> Request {
    let name = if options.keys_only { "AssociatorNames" } else { "Associators" };
    related(Request::new(name, namespace).object("ObjectName", object), object, filter, options)
}

/// References (DSP0200 section 5.4.2.16) or ReferenceNames of `object`; of the filter, class and role of the result alone.
pub fn references(
    namespace: &Namespace,
    object: &ObjectPath,
    filter: &Filter<'_>,
    options: &OperationOptions,
) -> Request {
    let name = if options.keys_only { "ReferenceNames" } else { "References" };
    let filter = Filter { assoc_class: None, result_role: None, ..*filter };
    related(Request::new(name, namespace).object("ObjectName", object), object, &filter, options)
}

/// What of an object's associations is wanted; DSP0200 has no default but everything.
#[derive(Clone, Copy, Debug, Default)]
pub struct Filter<'a> {
    /// `AssocClass`
    pub assoc_class: Option<&'a CimName>,
    /// `ResultClass`
    pub result_class: Option<&'a CimName>,
    /// `Role`
    pub role: Option<&'a CimName>,
    /// `ResultRole`
    pub result_role: Option<&'a CimName>,
}

fn related(mut request: Request, object: &ObjectPath, filter: &Filter<'_>, options: &OperationOptions) -> Request {
    for (name, class) in [("AssocClass", filter.assoc_class), ("ResultClass", filter.result_class)] {
        request = class.into_iter().fold(request, |request, class| request.class(name, class));
    }
    for (name, role) in [("Role", filter.role), ("ResultRole", filter.result_role)] {
        request = role.into_iter().fold(request, |request, role| request.value(name, role.as_str()));
    }
    if options.keys_only {
        return request;
    }
    if object.keys.is_empty() {
        request = request.flag("IncludeQualifiers", true).flag("IncludeClassOrigin", true);
    }
    listed(request, options)
}

/// ExecQuery (DSP0200 section 5.4.2.13): `query` in `language`.
pub fn exec_query(namespace: &Namespace, language: &str, query: &str) -> Request {
    Request::new("ExecQuery", namespace).value("QueryLanguage", language).value("Query", query)
}

/// EnumerateQualifiers.
pub fn enumerate_qualifiers(namespace: &Namespace) -> Request {
    Request::new("EnumerateQualifiers", namespace)
}

/// GetQualifier.
pub fn get_qualifier(namespace: &Namespace, name: &CimName) -> Request {
    Request::new("GetQualifier", namespace).value("QualifierName", name.as_str())
}

fn listed(request: Request, options: &OperationOptions) -> Request {
    match &options.property_list {
        Some(list) => request.list("PropertyList", list),
        None => request,
    }
}

/// OpenEnumerateInstances (DSP0200 section 5.4.2.24.3) of a class and its subclasses. Time-out and count are added by whoever
/// pulls.
pub fn open_instances(namespace: &Namespace, class: &CimName, options: &OperationOptions) -> Request {
    let request = Request::new("OpenEnumerateInstances", namespace).class("ClassName", class);
    filtered(listed(request.flag("DeepInheritance", true), options), options)
}

/// OpenEnumerateInstancePaths (DSP0200 section 5.4.2.24.4).
pub fn open_instance_paths(namespace: &Namespace, class: &CimName, options: &OperationOptions) -> Request {
    filtered(Request::new("OpenEnumerateInstancePaths", namespace).class("ClassName", class), options)
}

/// OpenAssociatorInstances (DSP0200 section 5.4.2.24.7) or OpenAssociatorInstancePaths of an instance.
pub fn open_associators(
    namespace: &Namespace,
    instance: &ObjectPath,
    filter: &Filter<'_>,
    options: &OperationOptions,
) -> Request {
    let name = if options.keys_only { "OpenAssociatorInstancePaths" } else { "OpenAssociatorInstances" };
    let request = Request::new(name, namespace).instance("InstanceName", instance);
    filtered(related(request, instance, filter, options), options)
}

/// OpenReferenceInstances (DSP0200 section 5.4.2.24.5) or OpenReferenceInstancePaths of an instance; of the filter, class and
/// role of the result alone.
pub fn open_references(
    namespace: &Namespace,
    instance: &ObjectPath,
    filter: &Filter<'_>,
    options: &OperationOptions,
) -> Request {
    let name = if options.keys_only { "OpenReferenceInstancePaths" } else { "OpenReferenceInstances" };
    let request = Request::new(name, namespace).instance("InstanceName", instance);
    let filter = Filter { assoc_class: None, result_role: None, ..*filter };
    filtered(related(request, instance, &filter, options), options)
}

/// OpenQueryInstances (DSP0200 section 5.4.2.24.9): `query` in `language`.
pub fn open_query(namespace: &Namespace, language: &str, query: &str) -> Request {
    Request::new("OpenQueryInstances", namespace).value("FilterQueryLanguage", language).value("FilterQuery", query)
}

/// `operation`, one of the Pull operations: at most `most` objects of the enumeration `context`.
pub fn pull(operation: &'static str, namespace: &Namespace, context: &str, most: u32) -> Request {
    let request = Request::new(operation, namespace).value("EnumerationContext", context);
    request.value("MaxObjectCount", &most.to_string())
}

/// CloseEnumeration (DSP0200 section 5.4.2.24.12).
pub fn close_enumeration(namespace: &Namespace, context: &str) -> Request {
    Request::new("CloseEnumeration", namespace).value("EnumerationContext", context)
}

fn filtered(request: Request, options: &OperationOptions) -> Request {
    match &options.filter {
        Some(filter) => request.value("FilterQueryLanguage", &filter.language).value("FilterQuery", &filter.text),
        None => request,
    }
}
