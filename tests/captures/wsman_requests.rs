//! The WS-Man requests we build, compared with captured ones OMI accepted, element by element and in order.

use std::{path::Path, time::Duration};

use lazycim::{
    cim::{CimName, KeyBinding, KeyValue, Namespace, ObjectPath},
    protocol::wsman::{
        envelope::{self, Addressing},
        request::{self, Along, Enumeration, Filter, Mode, Polymorphism, Request},
        resource::{ALL_CLASSES, Naming, Style},
        uuid::Uuid,
    },
};
use libtest_mimic::{Failed, Trial};

/// Elements whose text is each message's own.
const OWN: &[&str] = &["a:MessageID", "p:SessionId", "p:OperationID"];

/// Options of the captured client alone: they ask for streams of messages, which we don't read.
const THEIRS: &[&str] = &["__MI_", "wmiarray:", "wmi:", "msftwinrm:"];

fn test() -> Namespace {
    Namespace::new("root/test")
}

fn cimv2() -> Namespace {
    Namespace::new("root/cimv2")
}

fn class(name: &str) -> String {
    Naming::default().class(&test(), &CimName::new(name))
}

fn path(class: &str, key: &str, value: KeyValue) -> ObjectPath {
    let key = KeyBinding { name: CimName::new(key), value };
    ObjectPath::new(Some(test()), CimName::new(class), vec![key])
}

fn all(namespace: Namespace, name: &str, how: &Enumeration<'_>) -> Request {
    request::enumerate(&namespace, &class(name), how, Style::Schema).most(32_000)
}

fn filtered(namespace: Namespace, resource: &str, filter: Filter<'_>) -> Request {
    let how = Enumeration { filter: Some(filter), ..Enumeration::default() };
    request::enumerate(&namespace, resource, &how, Style::Schema).most(32_000)
}

fn enumerations() -> Vec<(&'static str, Request)> {
    let plain = Enumeration::default();
    let epr = Enumeration { mode: Mode::Epr, ..plain.clone() };
    let both = Enumeration { mode: Mode::ObjectAndEpr, ..plain.clone() };
    let poly = |mode| Enumeration { polymorphism: Some(mode), ..plain.clone() };
    let types = all(test(), "TestClass_AllDMTFTypes", &plain);
    vec![
        ("41-enumerate-AllDMTFTypes", types.clone()),
        ("54-enumerate-optimized-maxelements-3", types.clone().most(3)),
        ("55-pull-until-end-1", types.pull("1656881152", 4)),
        ("52-release", request::release(&test(), &class("X_SmallNumber"), "8126464")),
        ("60-enumerate-EPR", all(test(), "XYZ_Widget", &epr)),
        ("61-enumerate-ObjectAndEPR", all(test(), "XYZ_Widget", &both)),
        (
            "62-polymorphism-base-class-IncludeSubClassProperties",
            all(test(), "X_Number", &poly(Polymorphism::Include)).most(2),
        ),
        ("63-polymorphism-ExcludeSubClassProperties", all(test(), "X_Number", &poly(Polymorphism::Exclude)).most(2)),
        ("64-polymorphism-None", all(test(), "X_Number", &poly(Polymorphism::Without)).most(2)),
    ]
}

fn filters() -> Vec<(&'static str, Request)> {
    let wql = |text| Filter::Query { dialect: request::dialect("WQL"), text };
    let cql = |text| Filter::Query { dialect: request::dialect("DMTF:CQL"), text };
    let world = path("X_NumberWorld", "Name", KeyValue::String(Box::from("theWorld")));
    let [ten, eleven] = [10, 11].map(|number| path("X_SmallNumber", "Number", KeyValue::UInt(number)));
    let (profile, halves) = (CimName::new("X_NumberWorldConformsToProfile"), CimName::new("X_Halves"));
    let along = |object| Along { object, association: None, role: None, result: None, result_role: None };
    let halved = Filter::Associated(Along { association: Some(&halves), ..along(&ten) });
    let both = Enumeration { mode: Mode::ObjectAndEpr, filter: Some(halved.clone()), ..Enumeration::default() };
    vec![
        ("70-filter-WQL", filtered(cimv2(), &class("XYZ_Color"), wql("select * from XYZ_Color where Id = 1002"))),
        ("71-filter-WQL-star-uri", filtered(cimv2(), ALL_CLASSES, wql("select Name from XYZ_Color where Id > 1001"))),
        ("73-filter-CQL", filtered(cimv2(), &class("XYZ_Color"), cql("select * from XYZ_Color where Id = 1002"))),
        ("74-filter-selector-dialect", filtered(cimv2(), &class("XYZ_Color"), Filter::Selectors(&[("Id", "1002")]))),
        (
            "80-associators-NumberWorld-to-profile",
            filtered(test(), ALL_CLASSES, Filter::Associated(Along { association: Some(&profile), ..along(&world) })),
        ),
        ("81-associators-SmallNumber-Halves-role", filtered(test(), ALL_CLASSES, halved.clone())),
        ("82-associators-all-no-filter", filtered(test(), ALL_CLASSES, Filter::Associated(along(&eleven))).most(5)),
        (
            "83-references-SmallNumber",
            filtered(test(), ALL_CLASSES, Filter::Associations(Along { result: Some(&halves), ..along(&ten) })),
        ),
        ("84-associators-EPR-mode", request::enumerate(&test(), ALL_CLASSES, &both, Style::Schema).most(32_000)),
        ("86-references-NumberWorld", filtered(test(), ALL_CLASSES, Filter::Associations(along(&world)))),
    ]
}

fn others() -> Vec<(&'static str, Request)> {
    let seventeen = path("X_SmallNumber", "Number", KeyValue::UInt(17));
    let number = class("X_SmallNumber");
    let events = Namespace::new("root/indication");
    let event = class("L_IndicationC3");
    let wql = Filter::Query { dialect: request::dialect("WQL"), text: "select * from L_IndicationC3" };
    vec![
        ("90-get-instance", request::get(&test(), &number, &seventeen, Style::Schema)),
        (
            "95-get-fragment-mustUnderstand",
            request::get_fragment(&test(), &number, &seventeen, &CimName::new("SpelledNumber"), Style::Schema),
        ),
        ("20-getclass-X_SmallNumber-all-options", request::get_class(&test(), &CimName::new("X_SmallNumber"))),
        (
            "29-fault-enumerate-classes-empty-ClassName-as-PowerShell-sends",
            request::enumerate_classes(&test(), None).most(32_000),
        ),
        ("170-subscribe-pull", request::subscribe(&events, &event, &wql, 60)),
        ("172-unsubscribe", request::unsubscribe(&events, &event, "1164378112")),
    ]
}

/// The trials.
pub fn trials(folder: &Path) -> Vec<Trial> {
    let mut table = enumerations();
    table.extend(filters());
    table.extend(others());
    let mut trials: Vec<Trial> = table
        .into_iter()
        .map(|(stem, request)| {
            let file = folder.join(format!("omi/{stem}.req.http"));
            Trial::test(format!("request omi/{stem}"), move || {
                compare(&file, &envelope::build(&request, &addressing(), "/wsman")?)
            })
        })
        .collect();
    let identify = folder.join("omi/01-identify-basic-http.req.http");
    trials.push(Trial::test("request omi/01-identify-basic-http", move || {
        compare(&identify, &envelope::identify("/wsman", false))
    }));
    trials
}

fn addressing() -> Addressing {
    Addressing {
        to: "http://127.0.0.1:5985/wsman".to_owned(),
        session: Uuid::of([1; 16]),
        locale: Some("en-US".to_owned()),
        timeout: Duration::from_secs(60),
        envelope_bytes: 512_000,
    }
}

fn compare(file: &Path, ours: &lazycim::wire::HttpRequest) -> Result<(), Failed> {
    let captured = super::read(file).ok_or("no request")?;
    for (header, value) in &ours.headers {
        let theirs = captured.header(header.as_str()).unwrap_or_default();
        if theirs != value.to_str().unwrap() {
            return Err(format!("{header}: {theirs:?} was accepted, {value:?} is ours").into());
        }
    }
    let (theirs, ours) = (comparable(&captured.body), comparable(&ours.body));
    if theirs != ours {
        return Err(format!("accepted was\n{theirs:#?}\nours is\n{ours:#?}").into());
    }
    Ok(())
}

/// The elements of a request without what differs each time, what only the captured client says, and where prefixes are
/// declared.
fn comparable(body: &[u8]) -> Vec<String> {
    let mut out: Vec<String> = Vec::new();
    let mut skipped = false;
    for element in super::requests::elements(body) {
        if let Some(text) = element.strip_prefix("text ") {
            let owner = out.last().map(|element| element.split(' ').next().unwrap().to_owned()).unwrap_or_default();
            if !skipped {
                out.push(if OWN.contains(&owner.as_str()) { "its own".to_owned() } else { format!("text {text}") });
            }
            continue;
        }
        skipped = THEIRS.iter().any(|name| element.starts_with(&format!("w:Option Name={name}")));
        if !skipped {
            out.push(element.split(" xmlns:").next().unwrap().to_owned() + must_understand(&element));
        }
    }
    out
}

/// What follows the declarations cut off.
fn must_understand(element: &str) -> &str {
    match element.split_once(" xmlns:") {
        Some((_, rest)) if rest.ends_with(" s:mustUnderstand=true") => " s:mustUnderstand=true",
        _ => "",
    }
}
