//! What is answered: Identify, Get, Enumerate, Pull and Release; of instances and of classes.
//!
//! Owns: which instances and classes an operation answers, and how much fits into one answer. Must not know headers or how
//! instances are found.

use std::{collections::BTreeSet, time::Duration};

use tokio::time::Instant;

use super::{
    WsMan,
    envelope::{BINDING, ENUMERATION, Element, MANAGEMENT, TRANSFER},
    fault::{Fault, number},
    filter::{self, Filter},
    request::{Action, Request, Selected},
    resource::{Named, Resource},
    write,
};
use crate::{
    cim::{CimName, CimStatus, KeyBinding, KeyValue, Namespace, ObjectPath},
    server::{
        cimxml::{self, Wanted},
        enumeration::{Kept, Kind, Page, Shape, Told},
        gathering::{Gathering, opened},
        instances::{
            On, Stop, each_end, each_end_row, each_reference, each_row, fail, instance, no_class, of_class, selected,
        },
        query::Condition,
        repository::{Schema, SchemaClass},
        xml::{escape, put},
    },
};

/// How long an enumeration stays open between two requests.
const TIMEOUT: Duration = Duration::from_secs(60);
/// More elements are never told at once, whatever is asked for: WinRM's bound.
const ELEMENTS_MAX: usize = 32_000;
/// The bytes of an answer beside its items.
const AROUND: usize = 2_048;
/// The class by which WMI lists namespaces.
const NAMESPACE: &str = "__NAMESPACE";
/// What stands before the digits of a context.
const CONTEXT: &str = "uuid:";

/// Does what `request` asks; the text of its answer.
pub(super) fn run(service: &WsMan, request: &Request) -> Result<String, Fault> {
    match (request.action, &request.named) {
        (Action::Identify, _) => Ok(write::identity()),
        (_, None) => Err(Fault::schema("the request names no resource")),
        (Action::Get, Some(named)) => get(service, request, named),
        (Action::Enumerate, Some(named)) => enumerate(service, request, named),
        (Action::Pull, Some(named)) => pull(service, request, named),
        (Action::Release, _) => release(service, request),
    }
}

impl WsMan {
    fn on(&self, namespace: &Namespace) -> Result<On<'_>, Fault> {
        let schema = self.repository.schema(namespace).ok_or_else(|| match self.children(namespace) {
            Some(_) => fail(CimStatus::INVALID_CLASS, format!("{namespace} holds namespaces alone")).into(),
            None => no_namespace(namespace),
        })?;
        Ok(On { repository: &self.repository, schema, enumerations: &self.enumerations })
    }

    /// The names of the namespaces right below `namespace`; `None` if there is no such one.
    fn children(&self, namespace: &Namespace) -> Option<Vec<String>> {
        let parts: Vec<&str> = namespace.parts().collect();
        let below = |known: &Namespace| {
            let mut all = known.parts();
            let is_below = parts.iter().all(|part| all.next().is_some_and(|own| own.eq_ignore_ascii_case(part)));
            is_below.then(|| all.next().map(str::to_owned))
        };
        let found: Vec<Option<String>> = self.repository.namespaces().filter_map(below).collect();
        let names: BTreeSet<String> = found.iter().flatten().cloned().collect();
        (!found.is_empty()).then(|| names.into_iter().collect())
    }
}

fn no_namespace(namespace: &Namespace) -> Fault {
    fail(CimStatus::INVALID_NAMESPACE, format!("no namespace {namespace}")).into()
}

/// The answer, if it fits into the envelope that was asked for.
fn fitting(request: &Request, mut text: String) -> Result<String, Fault> {
    text.push_str(write::CLOSE);
    if text.len() > request.envelope {
        return Err(Fault::too_large("The answer is larger than MaxEnvelopeSize."));
    }
    Ok(text)
}

fn get(service: &WsMan, request: &Request, named: &Named) -> Result<String, Fault> {
    let name = match &named.resource {
        Resource::Schema(name) => return get_class(service, request, name.as_ref()),
        Resource::Class(name) => name,
        Resource::All => {
            return Err(Fault::no_resource("An instance is got by the URI of its class."));
        }
    };
    let on = service.on(&request.namespace)?;
    let known = on.schema.class(name).ok_or_else(|| no_class(CimStatus::INVALID_CLASS, on.schema, name))?;
    let path =
        filter::path(Some(request.namespace.clone()), name, request.selectors.iter(), Some(known), on.repository)?;
    let (class, row) = instance(on, &path)?;
    let action = format!("{TRANSFER}/GetResponse");
    let Some(fragment) = &request.fragment else {
        let mut out = write::open(&action, request.message.as_deref(), |_| {});
        write::instance(&mut out, &named.prefix, class.name(), class, row.values(), |_| true);
        return fitting(request, out);
    };
    let at = class.index(fragment).ok_or_else(|| {
        let reason = format!("{fragment} is no property of {}; a fragment is the name of one.", class.name());
        Fault::sender("w:InvalidParameter", number::INVALID_PARAMETER, reason).about("FragmentLevel")
    })?;
    let mut out = write::open(&action, request.message.as_deref(), |out| {
        out.push_str("<w:FragmentTransfer s:mustUnderstand=\"true\">");
        escape(out, fragment);
        out.push_str("</w:FragmentTransfer>");
    });
    put!(out, "<w:XmlFragment xmlns:p=\"{}{}\">", named.prefix, class.name());
    if let (Some(property), Some(held)) = (class.class().properties.get(at), row.values().get(at)) {
        write::value(&mut out, &named.prefix, &format!("p:{}", property.name), property.ty, held);
    }
    out.push_str("</w:XmlFragment>");
    fitting(request, out)
}

/// The class whose name the selector `ClassName` holds; an empty one names none.
fn class_selector(request: &Request) -> Result<Option<CimName>, Fault> {
    let found = request.selectors.iter().find(|(name, _)| name.eq_ignore_ascii_case("ClassName"));
    match found {
        None => Ok(None),
        Some((_, Selected::Text(text))) => Ok(Some(text.trim()).filter(|name| !name.is_empty()).map(CimName::new)),
        Some((_, Selected::Reference(_))) => Err(Fault::selectors("TypeMismatch", "ClassName is the name of a class.")),
    }
}

/// How much of a class is told (MS-WSMV section 2.2.4.30).
fn class_told(request: &Request) -> Told {
    Told::Class {
        inherited: request.has_option("IncludeInheritedElements"),
        qualifiers: request.has_option("IncludeQualifiers"),
    }
}

fn get_class(service: &WsMan, request: &Request, name: Option<&CimName>) -> Result<String, Fault> {
    let selected = class_selector(request)?;
    let name = selected.as_ref().or(name);
    let name = name.ok_or_else(|| Fault::selectors("InsufficientSelectors", "The selector ClassName is missing."))?;
    let mut out = write::open(&format!("{TRANSFER}/GetResponse"), request.message.as_deref(), |_| {});
    if *name == NAMESPACE && service.children(&request.namespace).is_some() {
        out.push_str(write::NAMESPACE_CLASS);
        return fitting(request, out);
    }
    let on = service.on(&request.namespace)?;
    let class = on.schema.class(name).ok_or_else(|| no_class(CimStatus::NOT_FOUND, on.schema, name))?;
    write_class(&mut out, class, class_told(request));
    fitting(request, out)
}

fn write_class(out: &mut String, class: &SchemaClass, told: Told) {
    let Told::Class { inherited, qualifiers } = told else { return };
    let wanted = Wanted { local_only: !inherited, qualifiers, class_origin: true, properties: None, known_to: None };
    cimxml::class(out, class.class(), &wanted);
}

/// What an `Enumerate` asks for besides its filter.
struct Asked {
    told: Told,
    max: usize,
    optimized: bool,
    depth: Depth,
}

/// Which instances of subclasses are told, and how (DSP0227 section 8.2).
#[derive(Clone, Copy, PartialEq, Eq)]
enum Depth {
    /// As what they are.
    Whole,
    /// As instances of the class asked for.
    Cut,
    /// Not at all.
    None,
}

impl Asked {
    fn new(enumerate: &Element) -> Result<Self, Fault> {
        let told = match enumerate.child(MANAGEMENT, "EnumerationMode").map(Element::trimmed) {
            None | Some("EnumerateObject") => Told::Object,
            Some("EnumerateEPR") => Told::Reference,
            Some("EnumerateObjectAndEPR") => Told::Both,
            Some(_) => return Err(Fault::unsupported("EnumerationMode", "There is no such mode of enumeration.")),
        };
        let depth = match enumerate.child(BINDING, "PolymorphismMode").map(Element::trimmed) {
            None | Some("IncludeSubClassProperties") => Depth::Whole,
            Some("ExcludeSubClassProperties") => Depth::Cut,
            Some("None") => Depth::None,
            Some(_) => return Err(Fault::unsupported("PolymorphismMode", "There is no such mode of polymorphism.")),
        };
        let optimized = enumerate.child(MANAGEMENT, "OptimizeEnumeration").is_some();
        let max = if optimized { elements(enumerate.child(MANAGEMENT, "MaxElements"))? } else { 0 };
        Ok(Self { told, max, optimized, depth })
    }
}

/// `MaxElements`; one where none is asked for (DSP0226 R8.2.3).
fn elements(element: Option<&Element>) -> Result<usize, Fault> {
    let Some(element) = element else { return Ok(1) };
    let count: usize = element.trimmed().parse().map_err(|_| Fault::schema("MaxElements is no number"))?;
    if count == 0 { Err(Fault::schema("MaxElements is 0")) } else { Ok(count.min(ELEMENTS_MAX)) }
}

fn enumerate(service: &WsMan, request: &Request, named: &Named) -> Result<String, Fault> {
    let body = request.body.as_ref().filter(|body| body.is(ENUMERATION, "Enumerate"));
    let body = body.ok_or_else(|| Fault::schema("the body has no Enumerate"))?;
    let asked = Asked::new(body)?;
    let mut taking = Taking::new(service, request, named, asked.max);
    let page = match &named.resource {
        Resource::Class(name) if *name == NAMESPACE => open_namespaces(service, request, &asked, &mut taking)?,
        Resource::Schema(name) => open_classes(service, request, name.as_ref(), &asked, &mut taking)?,
        Resource::Class(name) => {
            let filter = Filter::of(body, &service.repository)?;
            open_instances(service, request, Some(name), filter, &asked, &mut taking)?
        }
        Resource::All => {
            let filter = Filter::of(body, &service.repository)?;
            open_instances(service, request, None, filter, &asked, &mut taking)?
        }
    };
    if let Some(fault) = taking.too_large(&page) {
        if let Some(context) = &page.context {
            // Nobody will ever know the context.
            service.enumerations.close(context, None, Instant::now());
        }
        return Err(fault);
    }
    let action = format!("{ENUMERATION}/EnumerateResponse");
    let mut out = write::open(&action, request.message.as_deref(), |_| {});
    out.push_str("<n:EnumerateResponse>");
    let context = page.context.as_deref().map(|context| format!("{CONTEXT}{context}")).unwrap_or_default();
    write::element(&mut out, "n:EnumerationContext", &context);
    if asked.optimized {
        put!(out, "<w:Items>{}</w:Items>", taking.items);
        if page.context.is_none() {
            out.push_str("<w:EndOfSequence/>");
        }
    }
    out.push_str("</n:EnumerateResponse>");
    out.push_str(write::CLOSE);
    Ok(out)
}

fn shape(namespace: &Namespace, told: Told) -> Shape {
    Shape {
        kind: Kind::WsMan(told),
        namespace: namespace.clone(),
        properties: None,
        class_origin: false,
        known_to: None,
        timeout: TIMEOUT,
    }
}

fn open_instances(
    service: &WsMan,
    request: &Request,
    name: Option<&CimName>,
    filter: Option<Filter>,
    asked: &Asked,
    taking: &mut Taking<'_>,
) -> Result<Page, Fault> {
    let at = match &filter {
        Some(Filter::Along { namespace: Some(namespace), .. }) => namespace,
        _ => &request.namespace,
    };
    let on = service.on(at)?;
    let mut shape = shape(at, asked.told);
    let found = match (filter, name) {
        (Some(Filter::Along { ends, along, .. }), _) => {
            let along = along.checked(on.schema)?;
            let mut found = Gathering::new(on, shape, None);
            match (ends, asked.told) {
                (false, _) => each_reference(on, &along, &mut |class, row| found.row(class, row))?,
                (true, Told::Reference) => {
                    each_end(on, &along, &mut |path| found.keep(Kept { path, values: Vec::new() }))?;
                }
                (true, _) => each_end_row(on, &along, &mut |class, row, path| found.row_at(class, row, path))?,
            }
            found
        }
        (Some(Filter::Query(text)), name) => {
            let (class, select) = selected(on, &text)?;
            if name.is_some_and(|name| !on.schema.is_a(class.name(), name)) {
                let reason = format!("The query is of {}, the resource is another class.", class.name());
                return Err(Fault::filter(reason));
            }
            shape.properties = select.properties;
            gathered(on, class, shape, select.condition, Depth::Whole)?
        }
        (None, None) => {
            return Err(Fault::no_resource("All classes are enumerated by a filter only."));
        }
        (Some(Filter::Selectors(_)), None) => {
            return Err(Fault::filter("A selector filter is of one class."));
        }
        (filter, Some(name)) => {
            let class = of_class(on, name, None)?;
            let condition = match filter {
                Some(Filter::Selectors(selectors)) => Some(filter::condition(&selectors, class)?),
                _ => None,
            };
            shape.known_to = (asked.depth == Depth::Cut).then(|| class.name().clone());
            gathered(on, class, shape, condition, asked.depth)?
        }
    };
    Ok(found.open(&mut |shape, kept| taking.takes(shape, kept), !asked.optimized)?)
}

fn gathered<'a>(
    on: On<'a>,
    asked: &SchemaClass,
    shape: Shape,
    condition: Option<Condition>,
    depth: Depth,
) -> Result<Gathering<'a>, Stop> {
    let mut found = Gathering::new(on, shape, condition);
    each_row(on, asked, false, &mut |class, row| {
        if depth == Depth::None && class.name() != asked.name() { Ok(()) } else { found.row(class, row) }
    })?;
    Ok(found)
}

/// All classes below the one selected, or all there are (MS-WSMV section 3.1.4.8).
fn open_classes(
    service: &WsMan,
    request: &Request,
    name: Option<&CimName>,
    asked: &Asked,
    taking: &mut Taking<'_>,
) -> Result<Page, Fault> {
    let selected = class_selector(request)?;
    let of = selected.as_ref().or(name);
    if of.is_none() && holds_namespaces_alone(service, &request.namespace) {
        let path = ObjectPath::class_path(request.namespace.clone(), CimName::new(NAMESPACE));
        return opened_at_once(service, shape(&request.namespace, class_told(request)), vec![path], asked, taking);
    }
    let on = service.on(&request.namespace)?;
    let wrong = || no_class(CimStatus::INVALID_CLASS, on.schema, of.unwrap_or(&CimName::new("")));
    let classes = on.schema.below(of, true).ok_or_else(wrong)?;
    let mut found = Gathering::new(on, shape(&request.namespace, class_told(request)), None);
    for class in classes {
        let path = ObjectPath::class_path(request.namespace.clone(), class.name().clone());
        found.keep(Kept { path, values: Vec::new() })?;
    }
    Ok(found.open(&mut |shape, kept| taking.takes(shape, kept), !asked.optimized)?)
}

/// The namespaces right below that of the request, as WMI lists them.
fn open_namespaces(service: &WsMan, request: &Request, asked: &Asked, taking: &mut Taking<'_>) -> Result<Page, Fault> {
    let names = service.children(&request.namespace).ok_or_else(|| no_namespace(&request.namespace))?;
    let paths = names.into_iter().map(|name| {
        let key = KeyBinding { name: CimName::new("Name"), value: KeyValue::String(name.into()) };
        ObjectPath::new(Some(request.namespace.clone()), CimName::new(NAMESPACE), vec![key])
    });
    opened_at_once(service, shape(&request.namespace, asked.told), paths.collect(), asked, taking)
}

/// Whether `namespace` has no classes but the one by which those below it are listed.
fn holds_namespaces_alone(service: &WsMan, namespace: &Namespace) -> bool {
    service.repository.schema(namespace).is_none() && service.children(namespace).is_some()
}

/// An enumeration of what is known by its paths alone.
fn opened_at_once(
    service: &WsMan,
    shape: Shape,
    paths: Vec<ObjectPath>,
    asked: &Asked,
    taking: &mut Taking<'_>,
) -> Result<Page, Fault> {
    let rows = paths.into_iter().map(|path| Kept { path, values: Vec::new() });
    let (rows, now) = (rows.collect(), Instant::now());
    let page =
        service.enumerations.open(shape, rows, &mut |shape, kept| taking.takes(shape, kept), !asked.optimized, now);
    Ok(opened(page)?)
}

/// The context an element of the body names.
fn context<'r>(request: &'r Request, name: &str) -> Result<(&'r Element, &'r str), Fault> {
    let body = request.body.as_ref().filter(|body| body.is(ENUMERATION, name));
    let body = body.ok_or_else(|| Fault::schema("the body is not of its action"))?;
    let text = body.child(ENUMERATION, "EnumerationContext").map(Element::trimmed).unwrap_or_default();
    text.strip_prefix(CONTEXT).map(|context| (body, context)).ok_or_else(Fault::no_context)
}

fn pull(service: &WsMan, request: &Request, named: &Named) -> Result<String, Fault> {
    let (body, context) = context(request, "Pull")?;
    let max = elements(body.child(ENUMERATION, "MaxElements"))?;
    let mut taking = Taking::new(service, request, named, max);
    let fits = |kind| matches!(kind, Kind::WsMan(_));
    let takes = &mut |shape: &Shape, kept: &Kept| taking.takes(shape, kept);
    let page = service.enumerations.pull(context, None, fits, takes, Instant::now()).ok_or_else(Fault::no_context)?;
    if let Some(fault) = taking.too_large(&page) {
        return Err(fault);
    }
    let mut out = write::open(&format!("{ENUMERATION}/PullResponse"), request.message.as_deref(), |_| {});
    out.push_str("<n:PullResponse>");
    if let Some(context) = &page.context {
        write::element(&mut out, "n:EnumerationContext", &format!("{CONTEXT}{context}"));
    }
    put!(out, "<n:Items>{}</n:Items>", taking.items);
    out.push_str(if page.context.is_none() { "<n:EndOfSequence/>" } else { "" });
    out.push_str("</n:PullResponse>");
    out.push_str(write::CLOSE);
    Ok(out)
}

fn release(service: &WsMan, request: &Request) -> Result<String, Fault> {
    let (_, context) = context(request, "Release")?;
    if !service.enumerations.close(context, None, Instant::now()) {
        return Err(Fault::no_context());
    }
    let mut out = write::open(&format!("{ENUMERATION}/ReleaseResponse"), request.message.as_deref(), |_| {});
    out.push_str(write::CLOSE);
    Ok(out)
}

/// Items on their way into an answer: as many as were asked for and as fit.
struct Taking<'a> {
    service: &'a WsMan,
    prefix: &'a str,
    items: String,
    left: usize,
    room: usize,
    is_full: bool,
}

impl<'a> Taking<'a> {
    fn new(service: &'a WsMan, request: &Request, named: &'a Named, max: usize) -> Self {
        let room = request.envelope.saturating_sub(AROUND);
        Self { service, prefix: &named.prefix, items: String::new(), left: max, room, is_full: false }
    }

    /// Takes `kept` in, if it was asked for and fits.
    fn takes(&mut self, shape: &Shape, kept: &Kept) -> bool {
        if self.left == 0 {
            return false;
        }
        let before = self.items.len();
        item(&mut self.items, self.prefix, self.service.repository.schema(&shape.namespace), shape, kept);
        self.is_full = self.items.len() > self.room;
        if self.is_full {
            self.items.truncate(before);
            return false;
        }
        self.left -= 1;
        true
    }

    /// The fault of an enumeration whose next item alone is larger than an envelope.
    fn too_large(&self, page: &Page) -> Option<Fault> {
        let is_stuck = self.is_full && page.rows.is_empty();
        is_stuck.then(|| Fault::too_large("One item alone is larger than MaxEnvelopeSize."))
    }
}

/// Writes one item as its enumeration tells it.
fn item(out: &mut String, prefix: &str, schema: Option<&Schema>, shape: &Shape, kept: &Kept) {
    let Kind::WsMan(told) = shape.kind else { return };
    let class = schema.and_then(|schema| schema.class(&kept.path.class));
    let both = told == Told::Both;
    if both {
        out.push_str("<w:Item>");
    }
    match (told, class, schema) {
        (Told::Class { .. }, Some(class), _) => write_class(out, class, told),
        (Told::Class { .. }, None, _) => out.push_str(write::NAMESPACE_CLASS),
        (Told::Object | Told::Both, Some(class), Some(schema)) => {
            let name = shape.known_to.as_ref().unwrap_or(class.name());
            write::instance(out, prefix, name, class, &kept.values, |name| shape.takes(schema, name));
        }
        (Told::Object | Told::Both, None, _) => {
            let name = kept.path.key("Name").map(KeyValue::plain).unwrap_or_default();
            write::namespace(out, prefix, &name);
        }
        _ => {}
    }
    if both || told == Told::Reference {
        out.push_str("<a:EndpointReference>");
        write::reference(out, prefix, &kept.path);
        out.push_str("</a:EndpointReference>");
    }
    if both {
        out.push_str("</w:Item>");
    }
}
