//! The requests we build, compared with captured ones the servers accepted, element by element.

use std::path::Path;

use lazycim::{
    cim::{CimName, KeyBinding, KeyValue, Namespace, ObjectPath},
    op::{FilterQuery, OperationOptions},
    protocol::cimxml::request::{self, Filter, Request},
};
use libtest_mimic::{Failed, Trial};

/// What the captured request has that ours says otherwise, or not at all, and the other way round: parameters whose value is
/// the default of DSP0200, or that we ask for on purpose.
const OURS: &[&str] = &[
    "LocalOnly=FALSE",
    "DeepInheritance=TRUE",
    "DeepInheritance=FALSE",
    "IncludeQualifiers=FALSE",
    "IncludeQualifiers=TRUE",
    "IncludeClassOrigin=FALSE",
    "IncludeClassOrigin=TRUE",
];

fn lab() -> Namespace {
    Namespace::new("root/lab")
}

fn cimv2() -> Namespace {
    Namespace::new("root/cimv2")
}

fn provider() -> Namespace {
    Namespace::new("test/TestProvider")
}

fn name(text: &str) -> CimName {
    CimName::new(text)
}

fn path(class: &str, key: &str, value: &str) -> ObjectPath {
    let key = KeyBinding { name: name(key), value: KeyValue::String(Box::from(value)) };
    ObjectPath::new(None, name(class), vec![key])
}

fn listed(list: &[&str]) -> OperationOptions {
    OperationOptions { property_list: Some(list.iter().map(|it| name(it)).collect()), ..OperationOptions::default() }
}

fn plain() -> OperationOptions {
    OperationOptions::default()
}

fn names() -> OperationOptions {
    OperationOptions { keys_only: true, ..OperationOptions::default() }
}

/// Associations and queries: exchange, our request, whether nothing may differ.
fn related(server: &str) -> Vec<(&'static str, Request, bool)> {
    let (max, any) = (path("LAB_Types", "Id", "max"), Filter::default());
    let (link, types, system, from, to) =
        (name("LAB_Link"), name("LAB_Types"), name("CIM_ComputerSystem"), name("From"), name("To"));
    let all =
        Filter { assoc_class: Some(&link), result_class: Some(&types), role: Some(&from), result_role: Some(&to) };
    let running = name("CIM_RunningOS");
    let running = Filter { assoc_class: Some(&running), ..any };
    let class = ObjectPath::class_path(cimv2(), system);
    let (tests, gabi, people) = match server {
        "pegasus" => (provider(), path("TST_Person", "name", "Gabi"), "SELECT * FROM TST_Person"),
        _ => (cimv2(), path("Test_Person", "name", "Gabi"), "SELECT * FROM Test_Person"),
    };
    let chosen = "SELECT Id, U64 FROM LAB_Types WHERE Id = 'max'";
    vec![
        ("009-enumerate-qualifiers", request::enumerate_qualifiers(&cimv2()), true),
        ("010-getqualifier", request::get_qualifier(&cimv2(), &name("Description")), true),
        ("030-lab-associatornames", request::associators(&lab(), &max, &any, &names()), true),
        ("031-lab-associators", request::associators(&lab(), &max, &any, &plain()), true),
        ("032-lab-referencenames", request::references(&lab(), &max, &any, &names()), true),
        ("033-lab-references", request::references(&lab(), &max, &any, &plain()), true),
        ("034-associators-filtered", request::associators(&lab(), &max, &all, &plain()), true),
        ("035-associators-class", request::associators(&cimv2(), &class, &running, &plain()), false),
        ("036-referencenames-class", request::references(&cimv2(), &class, &any, &names()), true),
        ("037-test-associators", request::associators(&tests, &gabi, &any, &plain()), true),
        ("054-execquery-wql", request::exec_query(&tests, "WQL", people), true),
        ("055-execquery-cql", request::exec_query(&tests, "DMTF:CQL", people), true),
        ("057-execquery-where", request::exec_query(&lab(), "WQL", chosen), true),
        ("058-execquery-badlang", request::exec_query(&tests, "XPATH", "//x"), true),
        ("059-execquery-badsyntax", request::exec_query(&tests, "WQL", "SELEKT *"), true),
    ]
}

/// Pulled enumerations, as OpenPegasus took them.
fn pulled() -> Vec<(&'static str, Request, bool)> {
    let (types, max, any) = (name("LAB_Types"), path("LAB_Types", "Id", "max"), Filter::default());
    let most = |request: Request, most: &str| request.value("MaxObjectCount", most);
    let filter = FilterQuery { language: "DMTF:FQL".to_owned(), text: "Id = 'max'".to_owned() };
    let filtered = OperationOptions { filter: Some(filter), ..plain() };
    let (open, samples) = (request::open_instances(&lab(), &types, &plain()), Namespace::new("root/SampleProvider"));
    let select = "SELECT * FROM Sample_InstanceQueryProviderClass";
    vec![
        ("039-open-enum-instances", most(open.clone().value("OperationTimeout", "60"), "2"), false),
        ("040-pull-instances-with-path", request::pull("PullInstancesWithPath", &lab(), "500029", 2), true),
        ("042-close-enumeration", request::close_enumeration(&lab(), "500029"), true),
        ("044-open-enum-zero", most(open, "0"), false),
        ("046-open-enum-paths", most(request::open_instance_paths(&lab(), &types, &plain()), "1"), true),
        ("047-pull-paths", request::pull("PullInstancePaths", &lab(), "500031", 100), true),
        ("048-open-associators", most(request::open_associators(&lab(), &max, &any, &plain()), "100"), true),
        ("049-open-reference-paths", most(request::open_references(&lab(), &max, &any, &names()), "100"), true),
        ("050-open-enum-filter", most(request::open_instances(&lab(), &types, &filtered), "100"), false),
        ("053-openquery-wql", most(request::open_query(&samples, "WQL", select), "100"), true),
    ]
}

/// Exchange, our request, whether nothing may differ.
fn table() -> Vec<(&'static str, Request, bool)> {
    let kaese = path("LAB_Types", "Id", "käse & <Öl> \"日本語\"");
    let max = path("LAB_Types", "Id", "max");
    vec![
        ("001-enumerate-classnames", request::enumerate_class_names(&cimv2(), None, false), true),
        ("002-enumerate-classnames-deep", request::enumerate_class_names(&cimv2(), None, true), true),
        ("003-enumerate-classes-full", request::enumerate_classes(&cimv2(), None, true), true),
        ("005-getclass-qualifiers", request::get_class(&cimv2(), &name("CIM_ComputerSystem")), true),
        ("007-getclass-lab-types", request::get_class(&lab(), &name("LAB_Types")), false),
        ("008-getclass-association", request::get_class(&lab(), &name("LAB_Link")), false),
        (
            "014-enumerate-instances-static",
            request::enumerate_instances(&provider(), &name("TST_Person"), &plain()),
            false,
        ),
        ("016-enumerate-instancenames", request::enumerate_instance_names(&provider(), &name("TST_Person")), true),
        ("017-lab-types-all", request::enumerate_instances(&lab(), &name("LAB_Types"), &plain()), false),
        ("019-lab-keys-names", request::enumerate_instance_names(&lab(), &name("LAB_Keys")), true),
        ("021-lab-getinstance-nonascii-key", request::get_instance(&lab(), &kaese, &plain()), false),
        ("023-getinstance-propertylist", request::get_instance(&lab(), &max, &listed(&["U64", "NoValue"])), false),
        ("024-getinstance-emptylist", request::get_instance(&lab(), &max, &listed(&[])), false),
    ]
}

/// The trials.
pub fn trials(folder: &Path) -> Vec<Trial> {
    let tables =
        [("pegasus", table()), ("pegasus", related("pegasus")), ("pegasus", pulled()), ("sfcb", related("sfcb"))];
    let rows = tables.into_iter().flat_map(|(server, table)| table.into_iter().map(move |row| (server, row)));
    rows.map(|(server, (stem, request, exact))| {
        let file = folder.join(format!("{server}/{stem}.req.http"));
        Trial::test(format!("request {server}/{stem}"), move || compare(&file, &request, exact, false))
    })
    .chain([Trial::test("request pegasus/110-http-mpost", {
        let file = folder.join("pegasus/110-http-mpost.req.http");
        move || compare(&file, &request::enumerate_class_names(&lab(), None, false), false, true)
    })])
    .collect()
}

fn compare(file: &Path, ours: &Request, exact: bool, m_post: bool) -> Result<(), Failed> {
    let captured = super::read(file).ok_or("no request")?;
    let built = ours.build("/cimom", m_post)?;
    for (header, value) in &built.headers {
        let theirs = captured.header(header.as_str()).unwrap_or_default().replace('"', "");
        if header != "accept" && theirs != value.to_str().unwrap() {
            return Err(format!("{header}: {theirs:?} was accepted, {value:?} is ours").into());
        }
    }
    let (theirs, ours) = (elements(&captured.body), elements(&built.body));
    let differing = |from: &[String], of: &[String]| -> Vec<String> {
        from.iter().filter(|element| !of.contains(element)).cloned().collect()
    };
    let mut rest = differing(&ours, &theirs);
    if !exact {
        rest.retain(|element| !OURS.contains(&element.as_str()));
    }
    rest.extend(differing(&theirs, &ours).into_iter().filter(|it| exact || !OURS.contains(&it.as_str())));
    if !rest.is_empty() || exact && theirs != ours {
        return Err(format!("these elements differ: {rest:?}\n{theirs:#?}\n{ours:#?}").into());
    }
    Ok(())
}

/// The document's elements in order, each with its attributes and text; a boolean parameter is one element, `Name=VALUE`.
pub fn elements(body: &[u8]) -> Vec<String> {
    let text = std::str::from_utf8(body).unwrap();
    let mut reader = quick_xml::Reader::from_str(text);
    reader.config_mut().expand_empty_elements = true;
    let (mut elements, mut content) = (Vec::<String>::new(), String::new());
    loop {
        match reader.read_event().unwrap() {
            quick_xml::events::Event::Start(tag) => {
                content.clear();
                let mut element = tag.name().as_ref().to_owned();
                for attribute in tag.attributes() {
                    let attribute = attribute.unwrap();
                    let value = quick_xml::escape::unescape(&attribute.value).unwrap().into_owned();
                    element.push_str(&format!(" {}={value}", attribute.key.as_ref()));
                }
                elements.push(element);
            }
            quick_xml::events::Event::Text(text) => content.push_str(&text),
            quick_xml::events::Event::GeneralRef(name) => {
                content.push_str(&quick_xml::escape::unescape(&format!("&{};", &*name)).unwrap());
            }
            quick_xml::events::Event::End(_) => {
                if !content.trim().is_empty() {
                    elements.push(format!("text {content}"));
                }
                content.clear();
            }
            quick_xml::events::Event::Eof => break,
            _ => {}
        }
    }
    joined(elements)
}

fn joined(elements: Vec<String>) -> Vec<String> {
    let mut out: Vec<String> = Vec::new();
    for element in elements {
        match (element.strip_prefix("text "), out.len()) {
            (Some(value), at) if (value == "TRUE" || value == "FALSE") && at >= 2 && out[at - 1] == "VALUE" => {
                let name = out[at - 2].trim_start_matches("IPARAMVALUE NAME=").to_owned();
                out.truncate(at - 2);
                out.push(format!("{name}={value}"));
            }
            _ => out.push(element),
        }
    }
    out
}
