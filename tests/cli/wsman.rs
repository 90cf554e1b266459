//! Every command that reads, over WS-Man.

use crate::support::{Home, Ran, Serve, lazycim, nobody, session};

/// Runs a command on the WS-Man side of `serve`.
fn wsman(serve: &Serve, arguments: &[&str]) -> Ran {
    let url = serve.target("ann").replace("cimxml+", "wsman+").replace("/cimom", "/wsman");
    lazycim(&[&["--url", &url, "--password-env", "PW"], arguments].concat())
}

#[test]
fn what_stands_still_is_the_same_as_over_cim_xml() {
    let serve = Serve::start();
    let system = serve.run(&["instances", "LC_OperatingSystem", "--keys-only", "-o", "json"]).expect_code(0).stdout;
    let system: serde_json::Value = serde_json::from_str(&system).unwrap();
    let system = system[0]["path"].as_str().unwrap();
    let commands: &[&[&str]] = &[
        &["classes"],
        &["classes", "--deep", "-o", "json"],
        &["classes", "--of", "CIM_LogicalElement"],
        &["class", "LC_Process"],
        &["class", "LC_Process", "-o", "json"],
        &["instances", "LC_ComputerSystem", "-o", "json"],
        &["instances", "LC_ComputerSystem", "-o", "csv", "-p", "Name,NumberOfLogicalProcessors"],
        &["instances", "CIM_ComputerSystem", "-o", "json", "-p", "NumberOfLogicalProcessors"],
        &["instances", "CIM_ManagedSystemElement", "--limit", "3", "-o", "ndjson", "-p", "Name,ElementName"],
        &["instances", "LC_OperatingSystem", "-o", "ndjson", "-p", "Name,NoSuchProperty"],
        &["instances", "CIM_ComputerSystem", "--shallow", "-o", "ndjson"],
        &["instances", "LC_ComputerSystem", "--shallow", "-o", "ndjson", "-p", "Name,ElementName"],
        &["instances", "LC_RunningOS", "-o", "ndjson"],
        &["instances", "CIM_ManagedElement", "--keys-only", "--limit", "2", "-o", "ndjson"],
        &["associators", system, "--assoc", "CIM_RunningOS", "-o", "ndjson"],
        &["associators", system, "--assoc", "CIM_RunningOS", "--names"],
        &["references", system, "--result", "LC_RunningOS", "-o", "ndjson"],
        &["query", "SELECT * FROM LC_ComputerSystem", "-o", "ndjson"],
        &["instances", "LC_NoSuch", "-o", "json"],
    ];
    for command in commands {
        let (ours, theirs) = (wsman(&serve, command), serve.run(command));
        assert_ne!(ours.code, Some(2), "{command:?}: {}", ours.stderr);
        assert_eq!((ours.code, &ours.stdout), (theirs.code, &theirs.stdout), "{command:?}: {}", ours.stderr);
    }
    let text = ["instances", "LC_OperatingSystem", "-p", "Name", "-o", "ndjson"];
    let filtered = |condition: &str| {
        let filter = ["--filter", condition, "--filter-dialect", "wql"];
        wsman(&serve, &[&text[..], &filter].concat()).expect_code(0).stdout
    };
    assert_eq!(filtered("Name <> 'nobody'"), wsman(&serve, &text).expect_code(0).stdout);
    assert_eq!(filtered("Name = 'nobody'"), "");
    let names = wsman(&serve, &["namespaces"]).expect_code(0).stdout;
    assert_eq!(names, "namespace\nroot\nroot/cimv2\nroot/interop\n");
    wsman(&serve, &["get", system]).expect_code(0);
}

#[test]
fn enough_rows_end_well_with_the_rest_released() {
    let serve = Serve::start();
    let ran = wsman(&serve, &["-v", "instances", "LC_Process", "--limit", "1", "-p", "Handle"]).expect_code(0);
    assert_eq!(ran.stdout.lines().count(), 2, "{}", ran.stdout);
    assert!(!ran.stderr.contains("may stay open"), "{}", ran.stderr);
}

#[test]
fn what_goes_wrong_says_what_to_try() {
    let serve = Serve::start();
    wsman(&serve, &["instances", "LC_NoSuch"]).expect_failure(1, "no class LC_NoSuch", "another one");
    wsman(&serve, &["qualifiers"]).expect_failure(1, "WS-Man does not have this operation", "cimxml");
    wsman(&serve, &["query", "SELECT * FROM"]).expect_failure(1, "", "query");
    let by_hand = ["instances", "LC_ComputerSystem", "--resource-uri", "urn:lazycim:nothing"];
    wsman(&serve, &by_hand).expect_failure(1, "resource URI", "");
    let system = serve.run(&["instances", "LC_OperatingSystem", "--keys-only", "-o", "json"]).expect_code(0).stdout;
    let system: serde_json::Value = serde_json::from_str(&system).unwrap();
    let system = system[0]["path"].as_str().unwrap();
    for command in ["associators", "references"] {
        let ask = |uri| wsman(&serve, &[command, system, "--names", "--resource-uri", uri]);
        ask("urn:lazycim:nothing").expect_failure(1, "resource URI", "");
        let all = ask("http://schemas.dmtf.org/wbem/wscim/1/*").expect_code(0).stdout;
        assert!(all.lines().count() > 1, "{command}: {all}");
    }
}

#[test]
fn a_protocol_left_open_is_found_out() {
    let serve = Serve::start();
    let home = Home::new();
    let open = |id, more| session(id, serve.port(), &format!("protocol = \"auto\"\n{more}"));
    let nobody = session("gone", &nobody(), "protocol = \"auto\"");
    // The second has a path that only CIM-XML knows here.
    home.write("sessions.toml", &(open("either", "") + &open("one", "path = \"/cimom\"") + &nobody));
    let either = home.run(&["-s", "either", "-v", "namespaces"]).expect_code(0);
    assert_eq!(either.stdout, "namespace\nroot\nroot/cimv2\nroot/interop\n", "WS-Man is tried first");
    assert!(!either.stderr.contains("is tried next"), "{}", either.stderr);
    let one = home.run(&["-s", "one", "instances", "LC_ComputerSystem", "--keys-only", "-o", "ndjson"]).expect_code(0);
    assert_eq!(one.stdout.lines().count(), 1, "{}", one.stdout);
    assert!(one.stderr.contains("wsman: ") && one.stderr.contains("cimxml is tried next"), "{}", one.stderr);
    let gone = home.run(&["-s", "gone", "namespaces"]).expect_code(1);
    assert!(gone.stderr.contains("that was wsman: cimxml: connect of 127.0.0.1"), "{}", gone.stderr);
}
