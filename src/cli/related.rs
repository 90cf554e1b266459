//! The commands `query`, `associators` and `references`.
//!
//! Owns: the way from their arguments to operations, and what is printed of instances, of classes and of paths. Must not
//! know how either is parsed or run.

use super::{
    args::{
        AssociatorsArguments, ClassFormat, FilterArguments, InstancesFormat, QueryArguments, ReferencesArguments,
        RowFormat,
    },
    failure::Failure,
    operate::Report,
    output::{Columns, NamesReport, RowOptions, RowsReport, SchemaReport, Screen, SessionColumn},
};
use crate::{
    cim::{CimName, Namespace, ObjectPath},
    op::{Operation, OperationKind, OperationOptions},
};

/// Checks that what is asked for has a form in `output`.
pub(super) fn check(path: &ObjectPath, names: bool, output: InstancesFormat) -> Result<(), Failure> {
    if !(path.keys.is_empty() && names && output == InstancesFormat::Xml) {
        return Ok(());
    }
    let cause = "names of classes are not printed as XML";
    Err(Failure::usage("usage", "-o xml", cause, "leave --names out, or -o json"))
}

/// `query`
pub(super) fn query(arguments: QueryArguments) -> Operation {
    let mut operation = Operation::new(OperationKind::QueryInstances { query: arguments.text });
    operation.options.query_dialect = Some(arguments.dialect.language().to_owned());
    operation.options.resource_uri = arguments.resource_uri;
    operation
}

/// `associators`
pub(super) fn associators(object: ObjectPath, arguments: AssociatorsArguments) -> Operation {
    let AssociatorsArguments { assoc: assoc_class, result: result_class, role, result_role, .. } = arguments;
    let AssociatorsArguments { names, filter, resource_uri, output, .. } = arguments;
    let keys_only = only_names(&object, names, output);
    let kind = OperationKind::AssociatorInstances { object, assoc_class, result_class, role, result_role };
    Operation { kind, options: OperationOptions { keys_only, resource_uri, ..filtered(filter) } }
}

/// `references`
pub(super) fn references(object: ObjectPath, arguments: ReferencesArguments) -> Operation {
    let ReferencesArguments { result: result_class, role, names, filter, resource_uri, output, .. } = arguments;
    let keys_only = only_names(&object, names, output);
    let kind = OperationKind::ReferenceInstances { object, result_class, role };
    Operation { kind, options: OperationOptions { keys_only, resource_uri, ..filtered(filter) } }
}

fn filtered(filter: FilterArguments) -> OperationOptions {
    OperationOptions { filter: filter.into_query(), ..OperationOptions::default() }
}

/// Whether nothing but names or paths is asked for: of a class, lists name the classes.
fn only_names(object: &ObjectPath, names: bool, output: InstancesFormat) -> bool {
    names || (object.keys.is_empty() && matches!(output, InstancesFormat::Table | InstancesFormat::Csv))
}

/// The class whose properties are the columns.
pub(super) fn columns(
    object: &ObjectPath,
    result: Option<&CimName>,
    names: bool,
    output: InstancesFormat,
) -> Option<(CimName, Option<Namespace>)> {
    let fixed = matches!(output, InstancesFormat::Table | InstancesFormat::Csv);
    let class = result.filter(|_| fixed && !names && !object.keys.is_empty())?;
    Some((class.clone(), object.namespace.clone()))
}

/// What prints what is associated with `object`. Of a class, lists name the classes, other formats hold them whole.
pub(super) fn report(object: &ObjectPath, output: InstancesFormat, options: RowOptions) -> Box<dyn Report> {
    let RowOptions { keys_only: names, sessions, screen, .. } = options;
    if !object.keys.is_empty() {
        return Box::new(RowsReport::new(output, options));
    }
    let format = match output {
        InstancesFormat::Table => Some(RowFormat::Table),
        InstancesFormat::Csv => Some(RowFormat::Csv),
        InstancesFormat::Json if names => Some(RowFormat::Json),
        InstancesFormat::Ndjson if names => Some(RowFormat::Ndjson),
        InstancesFormat::Json | InstancesFormat::Ndjson | InstancesFormat::Xml => None,
    };
    if let Some(format) = format {
        return Box::new(NamesReport::classes(format, screen, sessions, object.namespace.clone()));
    }
    let format = if output == InstancesFormat::Xml { ClassFormat::Xml } else { ClassFormat::Json };
    Box::new(SchemaReport::several(format, output == InstancesFormat::Ndjson, screen))
}

/// Rows of any class and namespace.
pub(super) const fn rows(columns: Columns, keys_only: bool, sessions: SessionColumn, screen: Screen) -> RowOptions {
    RowOptions { columns, keys_only, located: true, limit: None, sessions, screen }
}
