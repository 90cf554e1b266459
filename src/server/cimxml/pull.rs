//! The pulled enumerations of DSP0200 section 5.4.2.24: Open, Pull and Close.
//!
//! Owns: their parameters and status codes, and what an enumeration is opened with. Must not know XML syntax, how
//! instances are found or how long an enumeration is kept.

use std::time::Duration;

use tokio::time::Instant;

use super::{
    Pieces,
    association::{Asked, Tell},
    operation::{Given, returned},
    write::{self, Wanted},
};
use crate::{
    cim::{CimStatus, ObjectPath},
    server::{
        enumeration::{Kept, Kind, Page, Shape, at_most},
        gathering::Gathering,
        instances::{On, Stop, each_end, each_end_row, each_reference, each_row, fail, of_class},
        query::{self, Condition},
    },
};

/// The longest time between two operations on an enumeration that a client may ask for.
const TIMEOUT_MAX: u32 = 300;
/// The time where the client asks for none.
const TIMEOUT: u32 = 60;

/// The parameters every Open has.
pub(super) struct Opening {
    max: usize,
    timeout: Duration,
}

impl Opening {
    pub(super) fn new(given: &mut Given<'_>) -> Result<Self, Stop> {
        if given.flag("ContinueOnError", false)? {
            return Err(fail(
                CimStatus::CONTINUATION_ON_ERROR_NOT_SUPPORTED,
                "this server ends an enumeration at its first error",
            ));
        }
        let seconds = given.count("OperationTimeout")?.unwrap_or(TIMEOUT);
        if !(1..=TIMEOUT_MAX).contains(&seconds) {
            return Err(fail(
                CimStatus::INVALID_OPERATION_TIMEOUT,
                format!("OperationTimeout is from 1 to {TIMEOUT_MAX} seconds here"),
            ));
        }
        let max = given.count("MaxObjectCount")?.unwrap_or(0) as usize;
        Ok(Self { max, timeout: Duration::from_secs(seconds.into()) })
    }

    /// The shape of an enumeration of everything.
    pub(super) fn shape(&self, on: On<'_>, kind: Kind) -> Shape {
        let namespace = on.schema.namespace().clone();
        Shape { kind, namespace, properties: None, class_origin: false, known_to: None, timeout: self.timeout }
    }
}

/// `FilterQueryLanguage` and `FilterQuery` of every Open but that of a query.
fn filter(given: &mut Given<'_>) -> Result<Option<Condition>, Stop> {
    match (given.text("FilterQueryLanguage")?, given.text("FilterQuery")?) {
        (None, None) => Ok(None),
        (Some(language), Some(text)) if language.trim().eq_ignore_ascii_case("DMTF:FQL") => {
            query::condition(text).map(Some).map_err(|wrong| fail(CimStatus::INVALID_QUERY, wrong.to_string()))
        }
        (Some(language), Some(_)) => Err(unknown_language(language, "DMTF:FQL")),
        (Some(_), None) => Err(fail(CimStatus::INVALID_PARAMETER, "FilterQueryLanguage without FilterQuery")),
        (None, Some(_)) => Err(fail(CimStatus::INVALID_PARAMETER, "FilterQuery without FilterQueryLanguage")),
    }
}

pub(super) fn unknown_language(language: &str, known: &str) -> Stop {
    let text = format!("the query language here is {known}, not {}", language.trim());
    fail(CimStatus::QUERY_LANGUAGE_NOT_SUPPORTED, text)
}

/// Answers with the first of what was gathered, and keeps the rest to be pulled. `more` writes further output parameters.
pub(super) fn open(
    found: Gathering<'_>,
    opening: &Opening,
    out: &mut Pieces,
    more: impl FnOnce(&mut String),
) -> Result<(), Stop> {
    let on = found.on;
    let page = found.open(&mut at_most(opening.max), false)?;
    let told = tell(on, &page, out).map(|()| more(out.text()));
    if let (Err(_), Some(context)) = (&told, &page.context) {
        // Nobody will ever know the context.
        on.enumerations.close(context, Some(&page.shape.namespace), Instant::now());
    }
    told
}

fn wanted<'a>(on: On<'a>, shape: &'a Shape) -> Wanted<'a> {
    Wanted {
        local_only: false,
        qualifiers: false,
        class_origin: shape.class_origin,
        properties: shape.properties.as_deref(),
        known_to: shape.known_to.as_ref().and_then(|name| on.schema.class(name)),
    }
}

/// Writes a page and the output parameters `EndOfSequence` and `EnumerationContext`.
fn tell(on: On<'_>, page: &Page, out: &mut Pieces) -> Result<(), Stop> {
    let (host, wanted) = (on.repository.host(), wanted(on, &page.shape));
    if !page.rows.is_empty() {
        returned(out, |out| {
            for kept in &page.rows {
                match (page.shape.kind, on.schema.class(&kept.path.class)) {
                    (Kind::Paths, _) => write::instance_path(out.text(), host, &kept.path),
                    (_, Some(class)) => {
                        write::instance_with_path(out.text(), host, &kept.path, class, &kept.values, &wanted);
                    }
                    (_, None) => {}
                }
                out.pass_on()?;
            }
            Ok(())
        })?;
    }
    write::output(out.text(), "EndOfSequence", |out| write::text_value(out, write::boolean(page.context.is_none())));
    let context = page.context.as_deref().unwrap_or_default();
    write::output(out.text(), "EnumerationContext", |out| write::text_value(out, context));
    Ok(())
}

pub(super) fn open_enumerate_instances(on: On<'_>, given: &mut Given<'_>, out: &mut Pieces) -> Result<(), Stop> {
    let (opening, filter) = (Opening::new(given)?, filter(given)?);
    let (name, properties) = (given.required_class()?, given.properties()?);
    let deep = given.flag("DeepInheritance", true)?;
    let class_origin = given.flag("IncludeClassOrigin", false)?;
    given.end()?;
    let asked = of_class(on, name, filter.as_ref())?;
    let known_to = (!deep).then(|| asked.name().clone());
    let shape = Shape { properties, class_origin, known_to, ..opening.shape(on, Kind::Instances) };
    let mut found = Gathering::new(on, shape, filter);
    each_row(on, asked, false, &mut |class, row| found.row(class, row))?;
    open(found, &opening, out, |_| {})
}

pub(super) fn open_enumerate_instance_paths(on: On<'_>, given: &mut Given<'_>, out: &mut Pieces) -> Result<(), Stop> {
    let (opening, filter) = (Opening::new(given)?, filter(given)?);
    let name = given.required_class()?;
    given.end()?;
    let asked = of_class(on, name, filter.as_ref())?;
    let keys_only = filter.is_none();
    let mut found = Gathering::new(on, opening.shape(on, Kind::Paths), filter);
    each_row(on, asked, keys_only, &mut |class, row| found.row(class, row))?;
    open(found, &opening, out, |_| {})
}

pub(super) fn open_reference_instances(on: On<'_>, given: &mut Given<'_>, out: &mut Pieces) -> Result<(), Stop> {
    open_along(on, given, Tell { ends: false, names: false, pulled: true }, out)
}

pub(super) fn open_reference_instance_paths(on: On<'_>, given: &mut Given<'_>, out: &mut Pieces) -> Result<(), Stop> {
    open_along(on, given, Tell { ends: false, names: true, pulled: true }, out)
}

pub(super) fn open_associator_instances(on: On<'_>, given: &mut Given<'_>, out: &mut Pieces) -> Result<(), Stop> {
    open_along(on, given, Tell { ends: true, names: false, pulled: true }, out)
}

pub(super) fn open_associator_instance_paths(on: On<'_>, given: &mut Given<'_>, out: &mut Pieces) -> Result<(), Stop> {
    open_along(on, given, Tell { ends: true, names: true, pulled: true }, out)
}

fn open_along(on: On<'_>, given: &mut Given<'_>, tell: Tell, out: &mut Pieces) -> Result<(), Stop> {
    let (opening, filter) = (Opening::new(given)?, filter(given)?);
    let asked = Asked::new(on.schema, given, tell)?;
    let kind = if tell.names { Kind::Paths } else { Kind::Instances };
    let needs_rows = !tell.names || filter.is_some();
    let (properties, class_origin) = (asked.properties.clone(), asked.class_origin);
    let shape = Shape { properties, class_origin, ..opening.shape(on, kind) };
    let mut found = Gathering::new(on, shape, filter);
    match (tell.ends, needs_rows) {
        (false, _) => each_reference(on, &asked.along, &mut |class, row| found.row(class, row))?,
        (true, true) => each_end_row(on, &asked.along, &mut |class, row, path| found.row_at(class, row, path))?,
        (true, false) => {
            each_end(on, &asked.along, &mut |path: ObjectPath| found.keep(Kept { path, values: Vec::new() }))?
        }
    }
    open(found, &opening, out, |_| {})
}

pub(super) fn pull_instances_with_path(on: On<'_>, given: &mut Given<'_>, out: &mut Pieces) -> Result<(), Stop> {
    pull(on, given, Kind::Instances, out)
}

pub(super) fn pull_instance_paths(on: On<'_>, given: &mut Given<'_>, out: &mut Pieces) -> Result<(), Stop> {
    pull(on, given, Kind::Paths, out)
}

pub(super) fn pull_instances(on: On<'_>, given: &mut Given<'_>, out: &mut Pieces) -> Result<(), Stop> {
    pull(on, given, Kind::Query, out)
}

fn pull(on: On<'_>, given: &mut Given<'_>, kind: Kind, out: &mut Pieces) -> Result<(), Stop> {
    let context = given.required_text("EnumerationContext")?;
    let max = given.count("MaxObjectCount")?;
    given.end()?;
    let max = max.ok_or_else(|| fail(CimStatus::INVALID_PARAMETER, "MaxObjectCount is missing"))? as usize;
    let fits = |open| open == kind;
    let page = on.enumerations.pull(context, Some(on.schema.namespace()), fits, &mut at_most(max), Instant::now());
    tell(on, &page.ok_or_else(not_open)?, out)
}

pub(super) fn close_enumeration(on: On<'_>, given: &mut Given<'_>, _: &mut Pieces) -> Result<(), Stop> {
    let context = given.required_text("EnumerationContext")?;
    given.end()?;
    if on.enumerations.close(context, Some(on.schema.namespace()), Instant::now()) { Ok(()) } else { Err(not_open()) }
}

fn not_open() -> Stop {
    fail(
        CimStatus::INVALID_ENUMERATION_CONTEXT,
        "no such enumeration is open: it was closed, read to its end, or not read in time",
    )
}
