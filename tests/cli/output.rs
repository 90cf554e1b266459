//! Every command in every format, read back.

use serde_json::Value;

use crate::support::{Ran, Serve, lazycim};

const PROPERTIES: &[&str] = &["-p", "Handle,Name,Priority,KernelModeTime"];

fn json(ran: &Ran) -> Vec<Value> {
    let value = serde_json::from_str(&ran.stdout).unwrap_or_else(|error| panic!("{error}: {ran:?}"));
    let Value::Array(items) = value else { panic!("no array: {ran:?}") };
    items
}

fn ndjson(ran: &Ran) -> Vec<Value> {
    ran.stdout
        .lines()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}")))
        .collect()
}

fn csv(ran: &Ran) -> Vec<Vec<String>> {
    let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(ran.stdout.as_bytes());
    reader.records().map(|record| record.unwrap().iter().map(str::to_owned).collect()).collect()
}

fn texts<'a>(items: &'a [Value], key: &str) -> Vec<&'a str> {
    items.iter().map(|item| item[key].as_str().unwrap()).collect()
}

#[test]
fn this_computer_answers_without_any_set_up() {
    let ran = lazycim(&["namespaces"]).expect_code(0);
    assert!(ran.stderr.is_empty(), "{ran:?}");
    let lines = ran.stdout.lines().collect::<Vec<_>>();
    assert_eq!(lines[0], "namespace");
    assert!(lines.contains(&"root/cimv2") && lines.contains(&"root/interop"), "{ran:?}");
}

#[test]
fn namespaces_are_the_same_in_every_format() {
    let serve = Serve::start();
    let table = serve.run(&["namespaces"]).expect_code(0);
    let names = table.stdout.lines().skip(1).collect::<Vec<_>>();
    assert!(names.contains(&"root/cimv2"));
    let array = json(&serve.run(&["namespaces", "-o", "json"]).expect_code(0));
    assert_eq!(texts(&array, "namespace"), names);
    assert_eq!(ndjson(&serve.run(&["namespaces", "-o", "ndjson"]).expect_code(0)), array);
    let records = csv(&serve.run(&["namespaces", "-o", "csv"]).expect_code(0));
    assert_eq!(records.concat(), [&["namespace"], &names[..]].concat());
}

#[test]
fn classes_are_the_same_in_every_format() {
    let serve = Serve::start();
    let table = serve.run(&["classes"]).expect_code(0);
    let top = table.stdout.lines().skip(1).collect::<Vec<_>>();
    assert!(top.contains(&"CIM_ManagedElement") && !top.contains(&"LC_Process"), "{top:?}");
    let array = json(&serve.run(&["classes", "-o", "json"]).expect_code(0));
    assert_eq!(texts(&array, "class"), top);
    assert!(texts(&array, "namespace").iter().all(|namespace| *namespace == "root/cimv2"));
    let records = csv(&serve.run(&["classes", "-o", "csv"]).expect_code(0));
    assert_eq!(records[0], ["namespace", "class"]);
    assert_eq!(records.len(), top.len() + 1);
    let below = serve.run(&["classes", "--of", "CIM_EnabledLogicalElement"]).expect_code(0).stdout;
    assert!(below.contains("CIM_Process\n") && !below.contains("LC_Process\n"), "{below}");
    let deep = serve.run(&["classes", "--of", "CIM_EnabledLogicalElement", "--deep"]).expect_code(0).stdout;
    assert!(deep.contains("LC_Process\n"), "{deep}");
}

#[test]
fn a_class_prints_as_mof_json_and_xml() {
    let serve = Serve::start();
    let mof = serve.run(&["class", "LC_Process"]).expect_code(0).stdout;
    assert!(mof.contains("class LC_Process : CIM_Process"), "{mof}");
    let array = json(&serve.run(&["class", "LC_Process", "-o", "json"]).expect_code(0));
    let [class] = array.as_slice() else { panic!("{array:?}") };
    assert_eq!((&class["class"], &class["superclass"]), (&"LC_Process".into(), &"CIM_Process".into()));
    assert_eq!(class["namespace"], "root/cimv2");
    let handle = class["properties"].as_array().unwrap().iter().find(|one| one["name"] == "Handle").unwrap();
    assert_eq!((&handle["type"], &handle["key"], &handle["array"]), (&"string".into(), &true.into(), &false.into()));
    assert_eq!(handle["qualifiers"]["Key"]["value"], true);
    let xml = serve.run(&["class", "LC_Process", "-o", "xml"]).expect_code(0).stdout;
    assert!(xml.starts_with("<CLASS NAME=\"LC_Process\" SUPERCLASS=\"CIM_Process\">\n"), "{xml}");
    well_formed(&xml);
}

fn well_formed(xml: &str) {
    let mut reader = quick_xml::Reader::from_str(xml);
    loop {
        match reader.read_event() {
            Ok(quick_xml::events::Event::Eof) => return,
            Ok(_) => {}
            Err(error) => panic!("{error}: {xml}"),
        }
    }
}

#[test]
fn instances_have_the_documented_json() {
    let serve = Serve::start();
    let instances = [&["instances", "LC_Process", "-o", "json"], PROPERTIES].concat();
    let array = json(&serve.run(&instances).expect_code(0));
    let first = array.iter().find(|item| item["properties"]["Handle"] == "1").expect("there is a process 1");
    assert_eq!(first["namespace"], "root/cimv2");
    assert_eq!(first["class"], "LC_Process");
    let path = first["path"].as_str().unwrap();
    assert!(path.starts_with("root/cimv2:LC_Process.") && path.contains("Handle=\"1\""), "{path}");
    let properties = first["properties"].as_object().unwrap();
    // 64 bits are text, fewer are numbers; what was not asked for has no key.
    assert!(properties["KernelModeTime"].is_string() || properties["KernelModeTime"].is_null(), "{properties:?}");
    assert!(properties["Priority"].is_u64() || properties["Priority"].is_null(), "{properties:?}");
    assert!(!properties.contains_key("Caption"), "{properties:?}");
    let keys = serve.run(&["instances", "LC_Process", "--keys-only", "-o", "ndjson", "--limit", "1"]).expect_code(0);
    let keys = ndjson(&keys);
    let object = keys[0].as_object().unwrap();
    assert_eq!(object["keys"]["CreationClassName"], "LC_Process");
    assert!(object["path"].is_string() && !object.contains_key("properties"));
}

#[test]
fn instances_print_as_table_and_csv_with_the_columns_asked_for() {
    let serve = Serve::start();
    let table = serve.run(&[&["instances", "LC_Process"], PROPERTIES].concat()).expect_code(0).stdout;
    let header = table.lines().next().unwrap().split_whitespace().collect::<Vec<_>>();
    assert_eq!(header, ["*Handle", "Name", "Priority", "KernelModeTime"]);
    let records = csv(&serve.run(&[&["instances", "LC_Process", "-o", "csv"], PROPERTIES].concat()).expect_code(0));
    assert_eq!(records[0], ["Handle", "Name", "Priority", "KernelModeTime"]);
    assert!(records.iter().any(|record| record[0] == "1"), "{records:?}");
    // Without -p: the class's, in its order.
    let records = csv(&serve.run(&["instances", "LC_OperatingSystem", "-o", "csv"]).expect_code(0));
    let array = json(&serve.run(&["class", "LC_OperatingSystem", "-o", "json"]).expect_code(0));
    let declared = array[0]["properties"].as_array().unwrap().iter().map(|one| one["name"].as_str().unwrap());
    assert_eq!(records[0], declared.collect::<Vec<_>>());
    assert_eq!(records.len(), 2);
    let keys = csv(&serve.run(&["instances", "LC_OperatingSystem", "-o", "csv", "--keys-only"]).expect_code(0));
    let mut names = keys[0].clone();
    names.sort();
    assert_eq!(names, ["CSCreationClassName", "CSName", "CreationClassName", "Name"]);
}

#[test]
fn limits_and_shallow_hold_in_every_format() {
    let serve = Serve::start();
    let limited = |format| {
        let arguments = ["instances", "LC_Process", "--limit", "2", "-o", format];
        serve.run(&[&arguments, PROPERTIES].concat()).expect_code(0)
    };
    assert_eq!(limited("table").stdout.lines().count(), 3);
    assert_eq!(csv(&limited("csv")).len(), 3);
    assert_eq!(json(&limited("json")).len(), 2);
    assert_eq!(ndjson(&limited("ndjson")).len(), 2);
    assert_eq!(json(&serve.run(&["instances", "CIM_Process", "--shallow", "-o", "json"]).expect_code(0)).len(), 0);
    let deep = ["instances", "CIM_Process", "--limit", "1", "-o", "json"];
    assert_eq!(json(&serve.run(&deep).expect_code(0))[0]["class"], "LC_Process");
}

#[test]
fn a_printed_path_can_be_got_in_every_format() {
    let serve = Serve::start();
    let listed = json(&serve.run(&["instances", "LC_OperatingSystem", "-o", "json"]).expect_code(0));
    let path = listed[0]["path"].as_str().unwrap();
    let got = json(&serve.run(&["get", path, "-o", "json"]).expect_code(0));
    assert_eq!(got[0]["path"], listed[0]["path"]);
    assert_eq!(got[0]["properties"]["Name"], listed[0]["properties"]["Name"]);
    assert_eq!(ndjson(&serve.run(&["get", path, "-o", "ndjson"]).expect_code(0)).len(), 1);
    let table = serve.run(&["get", path]).expect_code(0).stdout;
    let mut lines = table.lines();
    assert_eq!(lines.next().unwrap().split_whitespace().collect::<Vec<_>>(), ["property", "type", "value"]);
    assert!(lines.any(|line| line.starts_with("*Name ") && line.contains(" string ")), "{table}");
    let mof = serve.run(&["get", path, "-o", "mof"]).expect_code(0).stdout;
    assert!(mof.starts_with("instance of LC_OperatingSystem"), "{mof}");
    let xml = serve.run(&["get", path, "-o", "xml"]).expect_code(0).stdout;
    assert!(xml.starts_with("<VALUE.NAMEDINSTANCE>\n"), "{xml}");
    well_formed(&xml);
    // The session's own host may stand in it, the dot of WMI too.
    let hosted = format!("//127.0.0.1/{path}");
    assert_eq!(json(&serve.run(&["get", &hosted, "-o", "json"]).expect_code(0))[0]["path"], listed[0]["path"]);
}

#[test]
fn verbose_tells_the_life_of_each_operation_on_stderr() {
    let serve = Serve::start();
    let ran = serve.run(&["-v", "class", "LC_Process", "-o", "json"]).expect_code(0);
    assert_eq!(json(&ran).len(), 1);
    let lines = ran.stderr.lines().collect::<Vec<_>>();
    for phase in ["connect 127.0.0.1:", "send", "wait", "receive", "close by "] {
        let told = lines.iter().any(|line| {
            let mut words = line.splitn(3, ' ');
            let (id, at, rest) = (words.next(), words.next().unwrap_or_default(), words.next().unwrap_or_default());
            id == Some("#1")
                && at.strip_prefix('+').is_some_and(|ms| ms.parse::<f64>().is_ok())
                && rest.starts_with(phase)
        });
        assert!(told, "no {phase:?} in {ran:?}");
    }
    let last = lines.last().unwrap();
    assert!(last.starts_with("#1 finished 1 rows, ") && last.contains(" ms, 1 opened, 1 closed, "), "{last}");
    assert!(last.ends_with(" bytes"), "{last}");
}

#[test]
fn serve_ends_with_the_code_of_its_signal_and_says_nothing_more() {
    let serve = Serve::start();
    assert!(serve.url.starts_with("cimxml+http://127.0.0.1:") && serve.url.ends_with("/cimom"), "{}", serve.url);
    assert_eq!(serve.end(rustix::process::Signal::INT), (Some(130), String::new()));
    assert_eq!(Serve::start().end(rustix::process::Signal::TERM), (Some(143), String::new()));
}
