//! Queries: ExecQuery, and OpenQueryInstances, whose results are pulled.
//!
//! Owns: their parameters and status codes. Must not know the grammar of a query or XML syntax.

use super::{
    Pieces, association,
    enumeration::Kind,
    operation::{Given, On, Stop, each_row, fail, returned},
    pull::{Gathering, Opening, unknown_language},
    write::{self, Wanted},
};
use crate::{
    cim::CimStatus,
    server::{
        query::{self, Select},
        repository::SchemaClass,
    },
};

/// Takes out the query and its language, and checks it against the class it is of.
fn query<'a>(on: On<'a>, given: &mut Given<'_>, language: &str, text: &str) -> Result<(&'a SchemaClass, Select), Stop> {
    let (language, text) = (given.required_text(language)?, given.required_text(text)?);
    if !language.eq_ignore_ascii_case("WQL") {
        return Err(unknown_language(language, "WQL"));
    }
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

fn wanted<'a>(select: &'a Select) -> Wanted<'a> {
    Wanted {
        local_only: false,
        qualifiers: false,
        class_origin: false,
        properties: select.properties.as_deref(),
        known_to: None,
    }
}

pub(super) fn exec_query(on: On<'_>, given: &mut Given<'_>, out: &mut Pieces) -> Result<(), Stop> {
    let (asked, select) = query(on, given, "QueryLanguage", "Query")?;
    given.end()?;
    let wanted = wanted(&select);
    returned(out, |out| {
        each_row(on, asked, false, &mut |class, row| {
            if select.condition.as_ref().is_none_or(|condition| condition.holds(class, row.values())) {
                let path = association::located(on.schema, row.path());
                write::object(out.text(), on.repository.host(), &path, class, row.values(), &wanted);
            }
            Ok(out.pass_on()?)
        })
    })
}

pub(super) fn open_query_instances(on: On<'_>, given: &mut Given<'_>, out: &mut Pieces) -> Result<(), Stop> {
    let opening = Opening::new(given)?;
    let (asked, select) = query(on, given, "FilterQueryLanguage", "FilterQuery")?;
    let told_class = given.flag("ReturnQueryResultClass", false)?;
    given.end()?;
    let mut found =
        Gathering::new(on, Kind::Query, &opening, select.condition.clone()).with(select.properties.clone(), false);
    each_row(on, asked, false, &mut |class, row| found.row(class, row))?;
    found.open(&opening, out, |out| {
        if told_class {
            write::output(out, "QueryResultClass", |out| write::class(out, asked.class(), &wanted(&select)));
        }
    })
}
