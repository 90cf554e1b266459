//! `--tag` on commands that read: several servers that answer, and some that refuse, stall and are not there.

use std::{
    io::{BufRead, BufReader, Read},
    net::TcpListener,
};

use serde_json::Value;

use crate::support::{Home, Ran, Scripted, Serve, in_process, kill, nobody, ran, session};

/// Two servers that answer, and three sessions that fail, each in its own way.
struct Lab {
    home: Home,
    _serves: [Serve; 2],
    _stalled: TcpListener,
}

impl Lab {
    fn new() -> Self {
        let serves = [Serve::start(), Serve::start()];
        let stalled = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = stalled.local_addr().unwrap().port().to_string();
        let refused = session("refused", serves[0].port(), "").replace("ann", "bob");
        let home = Home::new();
        home.write(
            "sessions.toml",
            &[
                session("silent", &port, "timeouts = { first_byte = 0.2 }"),
                session("web01", serves[0].port(), ""),
                refused,
                session("gone", &nobody(), ""),
                session("web02", serves[1].port(), ""),
                session("unset", serves[1].port(), "").replace("env:PW", "env:LC_NO_SUCH"),
                session("other", serves[1].port(), "").replace("lab", "prod"),
            ]
            .concat(),
        );
        Self { home, _serves: serves, _stalled: stalled }
    }

    /// Runs a command on all of them: its failures must be those of the sessions, told at the end in the order of the file.
    #[track_caller]
    fn run(&self, arguments: &[&str]) -> Ran {
        let ran = self.home.run(&[&["--tag", "lab"], arguments].concat()).expect_code(1);
        let said = ran.stderr.lines().filter(|line| line.starts_with("lazycim: "));
        // What an enumeration leaves behind is told at once.
        let errors: Vec<&str> = said.filter(|line| !line.starts_with("lazycim: warning: silent: wait: ")).collect();
        let begins = [
            "lazycim: silent: wait: 127.0.0.1:",
            "lazycim: refused: authenticate: 127.0.0.1:",
            "lazycim: gone: connect: 127.0.0.1:",
            "lazycim: unset: queue: 127.0.0.1:",
        ];
        assert_eq!(errors.len(), begins.len(), "{ran:?}");
        assert!(errors.iter().zip(begins).all(|(error, begins)| error.starts_with(begins)), "{ran:?}");
        assert_eq!(ran.stderr.lines().filter(|line| line.starts_with("try: ")).count(), begins.len(), "{ran:?}");
        ran
    }
}

fn array(ran: &Ran) -> Vec<Value> {
    serde_json::from_str(&ran.stdout).unwrap_or_else(|error| panic!("{error}: {ran:?}"))
}

/// The different names in the first column of `lines`, in order.
fn firsts<'a>(lines: impl Iterator<Item = &'a str>, end: char) -> Vec<&'a str> {
    let mut names: Vec<&str> = lines.map(|line| line.split(end).next().unwrap()).collect();
    names.sort_unstable();
    names.dedup();
    names
}

const SYSTEM: &[&str] = &["instances", "LC_OperatingSystem", "-p", "Name,OSType"];

#[test]
fn rows_tell_their_session_and_what_failed_is_told_at_the_end() {
    let lab = Lab::new();
    let ndjson = lab.run(&[SYSTEM, &["-o", "ndjson"]].concat()).stdout;
    for line in ndjson.lines() {
        assert!(line.starts_with("{\"session\":\"web0") && line.contains("\",\"path\":\"root/cimv2:"), "{line}");
        assert_eq!(serde_json::from_str::<Value>(line).unwrap()["properties"]["OSType"], 36, "{line}");
    }
    assert_eq!(ndjson.lines().count(), 2, "{ndjson}");

    let rows = array(&lab.run(&[SYSTEM, &["-o", "json"]].concat()));
    let mut names: Vec<&str> = rows.iter().map(|row| row["session"].as_str().unwrap()).collect();
    names.sort_unstable();
    assert_eq!(names, ["web01", "web02"]);

    let csv = lab.run(&[SYSTEM, &["-o", "csv"]].concat()).stdout;
    let rows: Vec<&str> = csv.split_terminator("\r\n").collect();
    assert_eq!((rows[0], firsts(rows[1..].iter().copied(), ',')), ("session,Name,OSType", vec!["web01", "web02"]));

    let table = lab.run(SYSTEM).stdout;
    let mut lines = table.lines();
    assert_eq!(lines.next().unwrap().split_whitespace().collect::<Vec<_>>(), ["session", "*Name", "OSType"]);
    assert_eq!(firsts(lines, ' '), ["web01", "web02"], "{table}");
}

#[test]
fn every_command_that_reads_asks_each_session() {
    let lab = Lab::new();
    let both = |ran: &Ran| {
        let names = firsts(ran.stdout.lines().skip(1), ' ');
        assert_eq!(names, ["web01", "web02"], "{ran:?}");
    };
    let namespaces = lab.run(&["namespaces"]);
    both(&namespaces);
    assert!(namespaces.stdout.starts_with("session  namespace\n"), "{namespaces:?}");
    let classes = lab.run(&["classes"]);
    both(&classes);
    assert!(classes.stdout.contains("\nweb02    CIM_ManagedElement\n"), "{classes:?}");
    let csv = lab.run(&["classes", "-o", "csv"]).stdout;
    assert!(csv.starts_with("session,namespace,class\r\n") && csv.contains("\r\nweb01,root/cimv2,CIM_"), "{csv}");
    let query = lab.run(&["query", "SELECT Name FROM LC_OperatingSystem"]);
    both(&query);
    assert!(query.stdout.starts_with("session  *Name\n"), "{query:?}");

    let class = lab.run(&["class", "LC_Process"]).stdout;
    for name in ["web01", "web02"] {
        assert!(class.contains(&format!("// session {name}\n[")), "{class}");
    }
    assert_eq!(class.matches("\nclass LC_Process : CIM_Process {\n").count(), 2, "{class}");
    let class = array(&lab.run(&["class", "LC_Process", "-o", "json"]));
    assert!(class.len() == 2 && class.iter().all(|class| class["session"].is_string()), "{class:?}");
    let declared = array(&lab.run(&["qualifiers", "key", "-o", "json"]));
    assert!(declared.len() == 2 && declared.iter().all(|one| one["session"].is_string()), "{declared:?}");

    let keys = lab.run(&["instances", "LC_OperatingSystem", "--keys-only", "-o", "json"]);
    let path = array(&keys)[0]["path"].as_str().unwrap().to_owned();
    let get = lab.run(&["get", &path]);
    both(&get);
    assert!(get.stdout.starts_with("session  property "), "{get:?}");
    assert_eq!(get.stdout.matches("property").count(), 1, "one header: {get:?}");
    let mof = lab.run(&["get", &path, "-o", "mof"]).stdout;
    assert_eq!(mof.matches("// session web0").count(), 2, "{mof}");
    let names = lab.run(&["associators", &path, "--names"]);
    both(&names);
    assert!(names.stdout.starts_with("session  path\n"), "{names:?}");
    let references = array(&lab.run(&["references", &path, "-o", "json"]));
    assert_eq!(firsts(references.iter().map(|row| row["session"].as_str().unwrap()), ' '), ["web01", "web02"]);
}

/// A server whose class `T_Disk` has the properties `K` and `also`, and of which it has one instance.
fn with_property(also: &str) -> Scripted {
    let property = |name: &str, value: &str| format!(r#"<PROPERTY NAME=\"{name}\" TYPE=\"string\">{value}</PROPERTY>"#);
    let class = format!(
        r#"<CLASS NAME=\"T_Disk\"><PROPERTY NAME=\"K\" TYPE=\"string\"><QUALIFIER NAME=\"Key\" TYPE=\"boolean\"><VALUE>true</VALUE></QUALIFIER></PROPERTY>{}</CLASS>"#,
        property(also, "")
    );
    let row = format!(
        r#"<VALUE.NAMEDINSTANCE><INSTANCENAME CLASSNAME=\"T_Disk\"><KEYBINDING NAME=\"K\"><KEYVALUE VALUETYPE=\"string\">one</KEYVALUE></KEYBINDING></INSTANCENAME><INSTANCE CLASSNAME=\"T_Disk\">{}{}</INSTANCE></VALUE.NAMEDINSTANCE>"#,
        property("K", "<VALUE>one</VALUE>"),
        property(also, &format!("<VALUE>of {also}</VALUE>"))
    );
    let step = |operation: &str, answer: &str| {
        format!(
            "[[step]]\noperation = \"{operation}\"\nstatus = 200\nheaders = [[\"Content-Type\", \"application/xml\"]]\n\
             body = \"<CIM><MESSAGE ID=\\\"1\\\"><SIMPLERSP><IMETHODRESPONSE NAME=\\\"{operation}\\\"><IRETURNVALUE>{answer}</IRETURNVALUE></IMETHODRESPONSE></SIMPLERSP></MESSAGE></CIM>\"\n"
        )
    };
    Scripted::play(&format!("about = \"One class.\"\n{}{}", step("GetClass", &class), step("EnumerateInstances", &row)))
}

#[test]
fn columns_are_those_of_all_the_classes() {
    let servers = [with_property("Size"), with_property("Room")];
    let home = Home::new();
    let open = |id, server: &Scripted| {
        let session = session(id, server.port(), "pull = \"off\"");
        session.replace("auth = { user = \"ann\", secret = \"env:PW\" }\n", "")
    };
    let silent = session("gone", &nobody(), "");
    home.write("sessions.toml", &[silent, open("a", &servers[0]), open("b", &servers[1])].concat());
    let csv = home.run(&["--tag", "lab", "instances", "T_Disk", "-o", "csv"]).expect_code(1);
    let mut rows: Vec<&str> = csv.stdout.split_terminator("\r\n").collect();
    rows[1..].sort_unstable();
    assert_eq!(rows, ["session,K,Size,Room", "a,one,of Size,", "b,one,,of Room"], "{csv:?}");
    // Its class could not be had, and that is told once.
    assert_eq!(csv.stderr.lines().filter(|line| line.starts_with("lazycim: ")).count(), 1, "{csv:?}");
    let table = home.run(&["--tag", "lab", "instances", "T_Disk"]).expect_code(1).stdout;
    let mut lines: Vec<Vec<&str>> = table.lines().map(|line| line.split_whitespace().collect()).collect();
    lines[1..].sort_unstable();
    assert_eq!(lines[0], ["session", "*K", "Size", "Room"]);
    assert_eq!(lines[1..], [["a", "one", "of", "Size"], ["b", "one", "of", "Room"]], "{table}");
    let place = |text: &str| table.lines().find_map(|line| line.find(text)).unwrap();
    assert_eq!((place("of Size"), place("of Room")), (place("Size"), place("Room")), "{table}");
}

#[test]
fn two_hundred_sessions_are_read() {
    let (server, _runtime) = in_process();
    let port = server.addr().port().to_string();
    let home = Home::new();
    home.write("sessions.toml", &(0..200).map(|n| session(&format!("s{n}"), &port, "")).collect::<String>());
    let ran = home.run(&["--tag", "lab", "instances", "LC_OperatingSystem", "-o", "csv"]).expect_code(0);
    let rows = csv::Reader::from_reader(ran.stdout.as_bytes()).into_records().collect::<Result<Vec<_>, _>>().unwrap();
    let mut names: Vec<&str> = rows.iter().map(|row| &row[0]).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!((rows.len(), names.len(), ran.stderr.as_str()), (200, 200, ""));
    // The limit is each session's own.
    let limited =
        home.run(&["--tag", "lab", "instances", "LC_Process", "-p", "Handle", "--limit", "2", "-o", "ndjson"]);
    let mut counts = std::collections::BTreeMap::new();
    for line in limited.expect_code(0).stdout.lines() {
        let row: Value = serde_json::from_str(line).unwrap();
        *counts.entry(row["session"].as_str().unwrap().to_owned()).or_insert(0) += 1;
    }
    assert!(counts.len() == 200 && counts.values().all(|count| *count == 2), "{counts:?}");
}

#[test]
fn one_at_a_time_keeps_the_order_of_the_file() {
    let lab = Lab::new();
    let arguments = ["classes", "-o", "ndjson", "--throttle", "1"];
    let names: Vec<String> = lab.run(&arguments).stdout.lines().map(|line| line[12..17].to_owned()).collect();
    let second = names.iter().position(|name| name == "web02").unwrap();
    assert!(names[..second].iter().all(|name| name == "web01") && second > 0, "{names:?}");
    assert!(names[second..].iter().all(|name| name == "web02"), "{names:?}");
}

#[test]
fn a_signal_ends_all_sessions_after_the_rows_so_far() {
    let stalled = TcpListener::bind("127.0.0.1:0").unwrap();
    let serve = Serve::start();
    let port = stalled.local_addr().unwrap().port().to_string();
    let home = Home::new();
    let sessions = [session("slow", &port, ""), session("slower", &port, ""), session("web01", serve.port(), "")];
    home.write("sessions.toml", &sessions.concat());
    for (signal, code) in [(rustix::process::Signal::INT, 130), (rustix::process::Signal::TERM, 143)] {
        let mut child = home.command(&[&["--tag", "lab"], SYSTEM, &["-o", "json", "-v"]].concat()).spawn().unwrap();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let mut said = String::new();
        stdout.read_line(&mut said).unwrap();
        assert_eq!(said, "[\n");
        // The others have connected and wait for their answers.
        let _held = [stalled.accept().unwrap(), stalled.accept().unwrap()];
        kill(&child, signal);
        stdout.read_to_string(&mut said).unwrap();
        let rows: Vec<Value> = serde_json::from_str(&said).unwrap();
        assert!(rows.len() == 1 && rows[0]["session"] == "web01", "{rows:?}");
        let ran = ran(child.wait_with_output().unwrap()).expect_code(code);
        assert_eq!(ran.stderr.matches(" cancelled 0 rows, ").count(), 2, "{ran:?}");
        assert!(!ran.stderr.contains("lazycim: "), "{ran:?}");
    }
}

#[test]
fn what_makes_no_sense_with_a_tag_is_refused_before_anything_is_done() {
    let home = Home::new();
    home.write("sessions.toml", &format!("{}{}", session("a", &nobody(), ""), session("b", &nobody(), "")));
    let run = |arguments: &[&str]| home.run(&[&["--tag", "lab"], arguments].concat());
    home.run(&["--tag", "lan", "namespaces"]).expect_failure(2, "--tag lan: no session has it", "lab");
    run(&["namespaces", "-s", "a"]).expect_failure(2, "--tag: -s names another session", "leave -s or --tag out");
    run(&["namespaces", "--url", "cimxml+http://h"]).expect_failure(2, "--url names another session", "");
    home.run(&["-s", "a", "namespaces", "--throttle", "2"]).expect_failure(2, "the sessions of a tag", "--tag TAG");
    run(&["namespaces", "--throttle", "0"]).expect_code(2);
    run(&["instances", "X", "-o", "xml"]).expect_failure(2, "-o xml: an element has no place", "another format");
    run(&["class", "X", "-o", "xml"]).expect_failure(2, "-o xml", "-s NAME");
    run(&["get", "X.k="]).expect_failure(2, "PATH: not an object path", "quote it");
    run(&["get", "//other.example/root/cimv2:X.k=1"]).expect_failure(2, "`other.example` is not the session's", "");
    run(&[]).expect_failure(2, "the terminal UI begins with one session", "-s NAME");
    // A host that is one session's is an error of the others alone.
    let port = nobody();
    home.write("sessions.toml", &[session("a", &port, ""), session("b", &nobody(), "")].concat());
    let ran = run(&["get", &format!("//127.0.0.1:{port}/root/cimv2:X.k=1")]).expect_code(1);
    assert!(
        ran.stderr.contains("lazycim: a: connect: ") && ran.stderr.contains("lazycim: b: usage: PATH: "),
        "{ran:?}"
    );
}
