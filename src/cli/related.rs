//! The commands `query`, `associators` and `references`.
//!
//! Owns: the way from their arguments to operations, and what is printed of instances, of classes and of paths. Must not
//! know how either is parsed or run.

use super::{
    args::{AssociatorsArguments, ClassFormat, InstancesFormat, QueryArguments, ReferencesArguments, RowFormat},
    command::columns_of,
    failure::Failure,
    operate::{Operator, Stop},
    output::{Columns, NamesReport, RowOptions, RowsReport, SchemaReport, Screen},
};
use crate::{
    cim::{CimName, ObjectPath},
    op::{FilterQuery, Operation, OperationKind, OperationOptions},
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
pub(super) async fn query(operator: &mut Operator, arguments: QueryArguments) -> Result<(), Stop> {
    let QueryArguments { text, dialect, output } = arguments;
    let mut operation = Operation::new(OperationKind::QueryInstances { query: text });
    operation.options.query_dialect = Some(dialect.language().to_owned());
    let mut report = RowsReport::new(output, rows(Columns::FirstShape, false));
    operator.run(operation, &mut report).await
}

/// `associators`
pub(super) async fn associators(
    operator: &mut Operator,
    object: ObjectPath,
    arguments: AssociatorsArguments,
) -> Result<(), Stop> {
    let AssociatorsArguments { assoc: assoc_class, result: result_class, role, result_role, .. } = arguments;
    let AssociatorsArguments { names, filter, output, .. } = arguments;
    let filter = filter.into_query();
    let asked = Asked { object: object.clone(), result: result_class.clone(), names, filter, output };
    let kind = OperationKind::AssociatorInstances { object, assoc_class, result_class, role, result_role };
    asked.run(operator, kind).await
}

/// `references`
pub(super) async fn references(
    operator: &mut Operator,
    object: ObjectPath,
    arguments: ReferencesArguments,
) -> Result<(), Stop> {
    let ReferencesArguments { result: result_class, role, names, filter, output, .. } = arguments;
    let filter = filter.into_query();
    let asked = Asked { object: object.clone(), result: result_class.clone(), names, filter, output };
    asked.run(operator, OperationKind::ReferenceInstances { object, result_class, role }).await
}

/// What both commands have in common.
struct Asked {
    object: ObjectPath,
    result: Option<CimName>,
    names: bool,
    filter: Option<FilterQuery>,
    output: InstancesFormat,
}

impl Asked {
    async fn run(self, operator: &mut Operator, kind: OperationKind) -> Result<(), Stop> {
        if self.object.keys.is_empty() {
            return self.classes(operator, kind).await;
        }
        let columns = match (&self.result, self.output) {
            (Some(class), InstancesFormat::Table | InstancesFormat::Csv) if !self.names => {
                columns_of(operator, class, self.object.namespace.clone()).await?
            }
            _ => Columns::FirstShape,
        };
        let options = OperationOptions { keys_only: self.names, filter: self.filter, ..OperationOptions::default() };
        let mut report = RowsReport::new(self.output, rows(columns, self.names));
        operator.run(Operation { kind, options }, &mut report).await
    }

    /// The classes a class is associated with: lists name them, other formats hold them whole.
    async fn classes(self, operator: &mut Operator, kind: OperationKind) -> Result<(), Stop> {
        let screen = Screen::of_stdout();
        let names = |format| NamesReport::new(format, screen, self.object.namespace.clone());
        let mut operation = Operation::new(kind);
        operation.options.filter = self.filter;
        let format = match self.output {
            InstancesFormat::Table => Some(RowFormat::Table),
            InstancesFormat::Csv => Some(RowFormat::Csv),
            InstancesFormat::Json if self.names => Some(RowFormat::Json),
            InstancesFormat::Ndjson if self.names => Some(RowFormat::Ndjson),
            InstancesFormat::Json | InstancesFormat::Ndjson | InstancesFormat::Xml => None,
        };
        if let Some(format) = format {
            operation.options.keys_only = true;
            return operator.run(operation, &mut names(format)).await;
        }
        let format = if self.output == InstancesFormat::Xml { ClassFormat::Xml } else { ClassFormat::Json };
        let mut report = SchemaReport::several(format, self.output == InstancesFormat::Ndjson, screen);
        operator.run(operation, &mut report).await
    }
}

fn rows(columns: Columns, keys_only: bool) -> RowOptions {
    RowOptions { columns, keys_only, located: true, limit: None, screen: Screen::of_stdout() }
}
