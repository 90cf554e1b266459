//! `query`, `associators` and `references`, in every format.

use serde_json::Value;

use crate::support::{Ran, Serve, lazycim};

fn json(ran: &Ran) -> Vec<Value> {
    serde_json::from_str(&ran.stdout).unwrap_or_else(|error| panic!("{error}: {ran:?}"))
}

fn system(serve: &Serve) -> String {
    let ran = serve.run(&["instances", "LC_OperatingSystem", "--keys-only", "-o", "json"]).expect_code(0);
    json(&ran)[0]["path"].as_str().unwrap().to_owned()
}

#[test]
fn what_is_associated_is_the_same_in_every_format() {
    let serve = Serve::start();
    let system = system(&serve);
    let run = |more: &[&str]| {
        serve.run(&[&["associators", &system, "--assoc", "CIM_RunningOS"], more].concat()).expect_code(0)
    };
    let array = json(&run(&["-o", "json"]));
    assert_eq!((array.len(), array[0]["class"].as_str()), (1, Some("LC_ComputerSystem")));
    let lines = run(&["-o", "ndjson"]).stdout;
    let line: Value = serde_json::from_str(lines.trim_end()).unwrap();
    assert_eq!(line["path"], array[0]["path"]);
    let path = array[0]["path"].as_str().unwrap();
    assert!(path.starts_with("root/cimv2:LC_ComputerSystem."), "no host: {path}");

    let name = array[0]["properties"]["Name"].as_str().unwrap();
    let table = run(&["--result", "CIM_ComputerSystem"]).stdout;
    assert!(table.lines().next().unwrap().starts_with("*") && table.contains(name), "{table}");
    let csv = run(&["--result-role", "Dependent", "-o", "csv"]).stdout;
    assert_eq!(csv.lines().count(), 2, "{csv}");
    assert!(csv.contains(name), "{csv}");
    assert_eq!(run(&["--names"]).stdout, format!("path\n{path}\n"));
    assert_eq!(run(&["--names", "-o", "csv"]).stdout, format!("path\r\n\"{}\"\r\n", path.replace('"', "\"\"")));
    let names = json(&run(&["--names", "-o", "json"]));
    assert_eq!((names[0]["path"].as_str(), names[0].get("properties")), (Some(path), None));
    // What is printed can be given back.
    serve.run(&["get", path]).expect_code(0);
    assert_eq!(run(&["--role", "Dependent", "-o", "json"]).stdout, "[]\n");
    assert_eq!(run(&["--role", "Dependent", "--names"]).stdout, "path\n");
}

#[test]
fn references_are_the_associations_themselves() {
    let serve = Serve::start();
    let system = system(&serve);
    let run = |more: &[&str]| serve.run(&[&["references", &system], more].concat()).expect_code(0);
    let array = json(&run(&["--result", "CIM_Dependency", "-o", "json"]));
    assert_eq!((array.len(), array[0]["class"].as_str()), (1, Some("LC_RunningOS")));
    assert!(array[0]["properties"]["Antecedent"].as_str().unwrap().contains("LC_OperatingSystem."));
    let all = run(&["--names"]).stdout;
    assert!(all.contains("root/cimv2:LC_RunningOS.") && all.contains("root/cimv2:LC_OSProcess."), "{all}");
    assert_eq!(run(&["--role", "antecedent", "--names"]).stdout.lines().count(), 2);
}

#[test]
fn a_query_answers_what_it_selects() {
    let serve = Serve::start();
    let query = "SELECT Name, OSType FROM CIM_OperatingSystem WHERE OSType = 36";
    let found = json(&serve.run(&["query", query, "-o", "json"]).expect_code(0));
    let properties = found[0]["properties"].as_object().unwrap();
    assert_eq!((found.len(), properties.len(), properties["OSType"].as_u64()), (1, 2, Some(36)));
    serve.run(&["query", "SELEKT *"]).expect_failure(1, "CIM_ERR_INVALID_QUERY", "");
}

/// The elements at the top of a document, with those below them.
fn elements(text: &str) -> Vec<String> {
    let mut reader = quick_xml::Reader::from_str(text);
    reader.config_mut().expand_empty_elements = true;
    let mut found = Vec::new();
    loop {
        match reader.read_event().unwrap() {
            quick_xml::events::Event::Start(tag) => found.push(tag.name().as_ref().to_owned()),
            quick_xml::events::Event::Eof => return found,
            _ => {}
        }
    }
}

#[test]
fn xml_is_one_document_whatever_comes() {
    let serve = Serve::start();
    let system = system(&serve);
    let names = ["associators", &system, "--assoc", "LC_RunningOS", "-o", "xml"];
    let found = elements(&serve.run(&names).expect_code(0).stdout);
    let head = ["IRETURNVALUE", "VALUE.OBJECTWITHLOCALPATH", "LOCALINSTANCEPATH", "LOCALNAMESPACEPATH"];
    assert_eq!(found[..4], head);
    assert!(found.iter().any(|name| name == "INSTANCE") && found.iter().any(|name| name == "PROPERTY.ARRAY"));
    let found = elements(&serve.run(&[&names[..], &["--names"]].concat()).expect_code(0).stdout);
    assert_eq!(found[..2], ["IRETURNVALUE", "LOCALINSTANCEPATH"]);
    let found = elements(&serve.run(&["instances", "LC_OperatingSystem", "-o", "xml"]).expect_code(0).stdout);
    assert_eq!(found[..3], ["IRETURNVALUE", "VALUE.NAMEDINSTANCE", "INSTANCENAME"]);
    let keys = ["instances", "LC_OperatingSystem", "--keys-only", "-o", "xml"];
    assert_eq!(elements(&serve.run(&keys).expect_code(0).stdout)[..2], ["IRETURNVALUE", "INSTANCENAME"]);
    let failed = serve.run(&["instances", "No_Such", "-o", "xml"]).expect_code(1);
    assert_eq!(failed.stdout, "<IRETURNVALUE>\n</IRETURNVALUE>\n", "closed after a failure as well");
}

#[test]
fn what_the_server_does_not_offer_is_said() {
    let serve = Serve::start();
    serve.run(&["query", "SELECT * FROM LC_Process", "--dialect", "cql"]).expect_failure(1, "query language", "");
    serve.run(&["associators", "LC_Process"]).expect_failure(1, "of instances only", "");
}

#[test]
fn paths_and_languages_are_checked_before_anything_is_done() {
    let url = ["--url", "cimxml+https://web01.example:15989"];
    let run = |more: &[&str]| lazycim(&[&url, more].concat());
    run(&["associators", "X.k="]).expect_failure(2, "PATH: not an object path", "quote it");
    run(&["references", "//other.example/root/cimv2:X.k=1"]).expect_failure(2, "`other.example`", "-s");
    run(&["-n", "root/x", "references", "root/y:X.k=1"]).expect_failure(2, "but -n says root/x", "-n");
    run(&["associators", "X", "--names", "-o", "xml"]).expect_failure(2, "not printed as XML", "-o json");
    for arguments in [
        &["query"][..],
        &["query", "x", "--dialect", "sql"],
        &["associators", "X.k=1", "--assoc", "a b"],
        &["references", "X.k=1", "--assoc", "A"],
    ] {
        run(arguments).expect_code(2);
    }
}

#[test]
fn what_a_filter_lets_through_is_the_servers_to_say() {
    let serve = Serve::start();
    let all = json(&serve.run(&["instances", "LC_Process", "--keys-only", "-o", "json"]).expect_code(0));
    let handle = all[0]["keys"]["Handle"].as_str().unwrap().to_owned();
    let filter = format!("Handle = '{handle}'");
    let filtered = ["instances", "LC_Process", "-p", "Handle", "-o", "json", "--filter", &filter];
    let found = json(&serve.run(&filtered).expect_code(0));
    assert_eq!((found.len(), found[0]["properties"]["Handle"].as_str()), (1, Some(handle.as_str())));
    let system = system(&serve);
    let none = serve.run(&["associators", &system, "--names", "--filter", "Name = 'nobody'", "-o", "json"]);
    assert_eq!(none.expect_code(0).stdout, "[]\n");
    serve.run(&[&filtered[..], &["--pull", "off"]].concat()).expect_failure(
        1,
        "the session pulls none",
        "pull = \"auto\"",
    );
    serve.run(&["instances", "LC_Process", "--filter", "Handle ="]).expect_failure(1, "CIM_ERR_INVALID_QUERY", "");
}

#[test]
fn pulled_or_not_the_rows_are_the_same() {
    let serve = Serve::start();
    let run = |pull| serve.run(&["instances", "LC_ComputerSystem", "--pull", pull, "-o", "xml"]).expect_code(0).stdout;
    let (on, off) = (run("on"), run("off"));
    assert!(on.contains("<INSTANCE CLASSNAME=\"LC_ComputerSystem\">"), "{on}");
    assert_eq!((&on, &on), (&off, &run("auto")));
}

#[test]
fn what_a_limit_leaves_open_is_closed() {
    let serve = Serve::start();
    let ran = serve.run(&["-v", "instances", "LC_Process", "-p", "Handle", "--limit", "2"]).expect_code(0);
    assert_eq!(ran.stdout.lines().count(), 3, "{ran:?}");
    assert!(ran.stderr.contains("Release EnumerateInstances LC_Process, because of #"), "{ran:?}");
}

#[test]
fn qualifier_types_are_printed_in_every_format() {
    let serve = Serve::start();
    let run = |more: &[&str]| serve.run(&[&["qualifiers"], more].concat()).expect_code(0).stdout;
    let mof = "Qualifier Key : boolean = FALSE,\n   Scope(property, reference),\n   Flavor(DisableOverride);\n";
    assert_eq!(run(&["key"]), mof);
    let all = run(&[]);
    assert!(all.contains(mof) && all.matches("Qualifier ").count() > 10, "{all}");
    let list: Vec<Value> = serde_json::from_str(&run(&["-o", "json"])).unwrap();
    let key = list.iter().find(|one| one["name"] == "Key").unwrap();
    assert_eq!(
        (&key["scopes"], &key["overridable"]),
        (&serde_json::json!(["property", "reference"]), &Value::Bool(false))
    );
    let xml = run(&["Key", "-o", "xml"]);
    assert!(
        xml.starts_with(
            "<QUALIFIER.DECLARATION NAME=\"Key\" TYPE=\"boolean\" OVERRIDABLE=\"false\">\n  <SCOPE PROPERTY"
        )
    );
    assert_eq!(run(&["-o", "xml"]).matches("<QUALIFIER.DECLARATION").count(), list.len());
    serve.run(&["qualifiers", "Nothing"]).expect_failure(1, "CIM_ERR_NOT_FOUND", "");
}

#[test]
fn classes_can_be_had_whole() {
    let serve = Serve::start();
    let run = |more: &[&str]| serve.run(&[&["classes", "--of", "CIM_Process"], more].concat()).expect_code(0).stdout;
    assert!(run(&["-o", "mof"]).contains("class LC_Process : CIM_Process {"));
    let xml = run(&["-o", "xml"]);
    assert!(
        xml.starts_with("<IRETURNVALUE>\n") && xml.contains("<CLASS NAME=\"LC_Process\" SUPERCLASS=\"CIM_Process\">")
    );
}
