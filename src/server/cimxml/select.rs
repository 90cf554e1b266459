//! Queries: ExecQuery, and OpenQueryInstances, whose results are pulled.
//!
//! Owns: their parameters and status codes. Must not know the grammar of a query or XML syntax.

use super::{
    Pieces,
    operation::{Given, returned},
    pull::{self, Opening, unknown_language},
    write::{self, Wanted},
};
use crate::server::{
    enumeration::Kind,
    gathering::Gathering,
    instances::{On, Stop, each_row, located, selected},
    query::Select,
    repository::SchemaClass,
};

/// Takes out the query and its language, and checks it against the class it is of.
fn query<'a>(on: On<'a>, given: &mut Given<'_>, language: &str, text: &str) -> Result<(&'a SchemaClass, Select), Stop> {
    let (language, text) = (given.required_text(language)?, given.required_text(text)?);
    if !language.eq_ignore_ascii_case("WQL") {
        return Err(unknown_language(language, "WQL"));
    }
    selected(on, text)
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
                let path = located(on.schema, row.path());
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
    let mut shape = opening.shape(on, Kind::Query);
    shape.properties.clone_from(&select.properties);
    let mut found = Gathering::new(on, shape, select.condition.clone());
    each_row(on, asked, false, &mut |class, row| found.row(class, row))?;
    pull::open(found, &opening, out, |out| {
        if told_class {
            write::output(out, "QueryResultClass", |out| write::class(out, asked.class(), &wanted(&select)));
        }
    })
}
