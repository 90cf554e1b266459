//! What goes wrong on the way: each a clear error, at the right phase, with the right code, and the rows so far.

use std::{
    io::{BufRead, BufReader, Read},
    net::TcpListener,
};

use crate::support::{Home, Scripted, Serve, kill, lazycim, ran};

/// The beginning of an answer with one instance and room for others.
const ONE_ROW: &str = concat!(
    r#"<?xml version=\"1.0\"?><CIM CIMVERSION=\"2.0\" DTDVERSION=\"2.0\"><MESSAGE ID=\"1\" PROTOCOLVERSION=\"1.0\"><SIMPLERSP>"#,
    r#"<IMETHODRESPONSE NAME=\"EnumerateInstances\"><IRETURNVALUE>"#,
    r#"<VALUE.NAMEDINSTANCE><INSTANCENAME CLASSNAME=\"CIM_Dependency\"><KEYBINDING NAME=\"K\"><KEYVALUE VALUETYPE=\"string\">one</KEYVALUE>"#,
    r#"</KEYBINDING></INSTANCENAME><INSTANCE CLASSNAME=\"CIM_Dependency\"><PROPERTY NAME=\"K\" TYPE=\"string\"><VALUE>one</VALUE></PROPERTY>"#,
    r#"<PROPERTY NAME=\"T\" TYPE=\"string\"><VALUE>a&#27;[31m&#x202e;b</VALUE></PROPERTY></INSTANCE></VALUE.NAMEDINSTANCE>"#,
);
/// Its end.
const END: &str = "</IRETURNVALUE></IMETHODRESPONSE></SIMPLERSP></MESSAGE></CIM>";

/// A server that answers this to every enumeration of instances, and then does `then`; the rest it answers truly.
fn answering(body: &str, then: &str) -> Scripted {
    Scripted::play(&format!(
        "about = \"One answer.\"\n[[step]]\noperation = \"EnumerateInstances\"\nstatus = 200\nheaders = [[\"Content-Type\", \"application/xml\"]]\n\
         framing = \"chunked\"\nbody = \"{body}\"\n{then}\n"
    ))
}

const INSTANCES: &[&str] = &["instances", "CIM_Dependency", "-p", "K,T"];

#[test]
fn json_is_closed_also_where_the_class_that_types_a_path_cannot_be_had() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("cimxml+http://{}", listener.local_addr().unwrap());
    drop(listener);
    let path = "X.Ref=\"root/cimv2:Y.k=1\"";
    let ran = lazycim(&["--url", &url, "get", path, "-o", "json"]).expect_code(1);
    assert_eq!(ran.stdout, "[]\n", "{ran:?}");
}

#[test]
fn nobody_home() {
    lazycim(&["--url", "cimxml+http://no-such-host.invalid", "namespaces"]).expect_failure(
        1,
        "resolve: no-such-host.invalid",
        "",
    );
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("cimxml+http://{}", listener.local_addr().unwrap());
    drop(listener);
    lazycim(&["--url", &url, "namespaces"]).expect_failure(1, "connect: 127.0.0.1:", "");
}

#[test]
fn the_wrong_password_is_told_at_authentication() {
    let serve = Serve::start();
    let home = Home::new();
    let url = serve.target("ann");
    let mut command = home.command(&["--url", &url, "--password-env", "LC_WRONG", "namespaces"]);
    let ran = ran(command.env("LC_WRONG", "n0t-it-4711").output().unwrap());
    let ran = ran.expect_failure(1, "authenticate: ", "");
    assert!(!ran.stderr.contains("n0t-it-4711") && ran.stdout == "namespace\n", "{ran:?}");
    // Without a user no credentials are sent.
    lazycim(&["--url", &serve.url, "namespaces"]).expect_failure(1, "authenticate: ", "");
}

#[test]
fn what_a_server_offers_decides_between_basic_and_digest() {
    let serve = Serve::with(&["--auth", "digest"]);
    let legs = |auth: &str| {
        let ran = serve.run(&["--auth", auth, "-v", "namespaces"]).expect_code(0);
        assert!(ran.stdout.contains("root/cimv2"), "{ran:?}");
        let lines = ran.stderr.lines().filter_map(|line| line.split(" authenticate ").nth(1)).map(str::to_owned);
        lines.collect::<Vec<_>>()
    };
    assert_eq!(legs("digest"), ["Digest SHA-256"]);
    assert_eq!(legs("auto"), ["Basic", "2 Digest SHA-256"]);
    let ran = serve.run(&["--auth", "basic", "namespaces"]).expect_failure(1, "authenticate: ", "--auth");
    assert!(ran.stderr.contains("does not take Basic authentication") && ran.stderr.contains("it offers Digest\n"));
    let ran = lazycim(&["--url", &serve.target("bob"), "--password-env", "PW", "--auth", "digest", "namespaces"]);
    let ran = ran.expect_failure(1, "authenticate: ", "check user and password");
    assert!(ran.stderr.contains("refused user and password by Digest for \"lazycim\""), "{ran:?}");
    lazycim(&["--url", &serve.url, "--auth", "certificate", "namespaces"]).expect_failure(2, "client certificate", "");
}

#[test]
fn clear_text_to_another_machine_is_refused_before_connecting() {
    // An address of TEST-NET-1: connecting to it would run into the time-out.
    let url = "cimxml+http://ann@192.0.2.1";
    let arguments = ["--url", url, "--password-env", "PW", "-v", "namespaces"];
    let ran = lazycim(&arguments).expect_code(2);
    assert!(ran.stderr.contains("--allow-clear-text") && ran.stderr.contains("https"), "{ran:?}");
    assert!(ran.stderr.contains(" 0 opened, 0 closed, 0/0 bytes"), "{ran:?}");
}

#[test]
fn errors_of_the_server_are_explained() {
    let serve = Serve::start();
    let ran = serve.run(&["class", "LC_Nothing"]).expect_code(1);
    assert!(ran.stderr.contains("LC_Nothing") || ran.stderr.contains("CIM_ERR_NOT_FOUND"), "{ran:?}");
    let ran = serve.run(&["instances", "LC_Nothing", "-o", "json"]).expect_code(1);
    assert!(ran.stdout == "[]\n" && ran.stderr.contains("CIM_ERR_INVALID_CLASS"), "{ran:?}");
    serve.run(&["-n", "root/nothing", "classes"]).expect_failure(1, "CIM_ERR_INVALID_NAMESPACE", "");
}

#[test]
fn rows_before_a_failure_are_printed_and_the_array_is_closed() {
    for (body, then) in [
        (ONE_ROW.to_owned(), "then = \"close\""),
        (format!("{ONE_ROW}<VALUE.NAMEDINSTANCE></WRONG>"), ""),
        (format!("{ONE_ROW}</IRETURNVALUE>"), ""),
    ] {
        let server = answering(&body, then);
        let ran = server.run(&[INSTANCES, &["-o", "json"]].concat()).expect_code(1);
        let rows: serde_json::Value =
            serde_json::from_str(&ran.stdout).unwrap_or_else(|error| panic!("{error}: {ran:?}"));
        assert_eq!(rows[0]["properties"]["K"], "one", "{ran:?}");
        assert!(ran.stderr.starts_with("lazycim: receive: 127.0.0.1:"), "{ran:?}");
        let ran = server.run(&[INSTANCES, &["-o", "csv"]].concat()).expect_code(1);
        assert!(ran.stdout.starts_with("K,T\r\none,"), "{ran:?}");
    }
}

#[test]
fn the_raw_text_of_what_is_broken_is_printed_with_v() {
    let broken = r#"<VALUE.NAMEDINSTANCE><INSTANCENAME CLASSNAME=\"X\"/><INSTANCE CLASSNAME=\"X\"><PROPERTY NAME=\"C\" TYPE=\"char16\"><VALUE>&</VALUE></PROPERTY></INSTANCE></VALUE.NAMEDINSTANCE>"#;
    let server = answering(&format!("{ONE_ROW}{broken}{END}"), "");
    let quiet = server.run(INSTANCES).expect_code(1);
    assert!(
        quiet.stderr.contains(", in item 1") && !quiet.stderr.lines().any(|line| line.starts_with('#')),
        "{quiet:?}"
    );
    let told = server.run(&[INSTANCES, &["-v"]].concat()).expect_code(1);
    let raw: Vec<&str> = told
        .stderr
        .lines()
        .filter(|line| line.starts_with('#'))
        .filter_map(|line| Some(line.split_once(" raw ")?.1))
        .collect();
    assert!(raw.first().is_some_and(|line| line.starts_with("<VALUE.NAMEDINSTANCE>")), "{told:?}");
    let mark = raw.iter().position(|line| line.trim_start().starts_with('^')).unwrap_or_else(|| panic!("{told:?}"));
    let at = raw[mark].find('^').unwrap();
    assert_eq!(raw[mark - 1].get(at..=at), Some("&"), "{told:?}");
}

#[test]
fn what_a_cim_error_recommends_is_what_to_try() {
    let body = concat!(
        r#"<CIM><MESSAGE ID=\"1\"><SIMPLERSP><IMETHODRESPONSE NAME=\"EnumerateInstances\"><ERROR CODE=\"1\" DESCRIPTION=\"no\"><INSTANCE CLASSNAME=\"CIM_Error\">"#,
        r#"<PROPERTY NAME=\"MessageID\" TYPE=\"string\"><VALUE>X7</VALUE></PROPERTY><PROPERTY.ARRAY NAME=\"RecommendedActions\" TYPE=\"string\"><VALUE.ARRAY>"#,
        r#"<VALUE>turn it off and on</VALUE></VALUE.ARRAY></PROPERTY.ARRAY></INSTANCE></ERROR></IMETHODRESPONSE></SIMPLERSP></MESSAGE></CIM>"#,
    );
    let ran = answering(body, "").run(INSTANCES).expect_code(1);
    assert!(ran.stderr.contains("CIM_ERR_FAILED (1): no: ") && ran.stderr.contains(": X7"), "{ran:?}");
    assert!(ran.stderr.contains("try: the server recommends: turn it off and on"), "{ran:?}");
}

#[test]
fn control_and_bidirectional_characters_do_not_reach_a_table() {
    let server = answering(&format!("{ONE_ROW}{END}"), "");
    let table = server.run(INSTANCES).expect_code(0).stdout;
    assert!(table.contains(r"a\u{1b}[31m\u{202e}b"), "{table}");
    let json = server.run(&[INSTANCES, &["-o", "ndjson"]].concat()).expect_code(0).stdout;
    let row: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(row["properties"]["T"], "a\u{1b}[31m\u{202e}b");
    // A file gets the characters themselves.
    let csv = server.run(&[INSTANCES, &["-o", "csv"]].concat()).expect_code(0).stdout;
    assert_eq!(csv, "K,T\r\none,a\u{1b}[31m\u{202e}b\r\n");
}

#[test]
fn a_server_that_never_answers_runs_into_the_time_outs() {
    let server = Scripted::play("about = \"Silence.\"\n[[step]]\nraw = \"\"\nthen = \"stall\"\n");
    let home = Home::new();
    let arguments = ["--pull", "off", "--url", &server.url, "classes"];
    let output = home.command(&arguments).env("LAZYCIM_TIMEOUTS_FIRST_BYTE", "0.1").output().unwrap();
    ran(output).expect_failure(1, "wait: 127.0.0.1:", "");
    home.run(&[&["--timeout", "0.1"], &arguments[..]].concat()).expect_failure(
        1,
        "longer than 100ms in all",
        "--timeout",
    );
}

#[test]
fn an_interrupt_ends_the_command_after_the_rows_so_far() {
    for (signal, code) in [(rustix::process::Signal::INT, 130), (rustix::process::Signal::TERM, 143)] {
        // Cut in the spaces after the row, before the last chunk.
        let server = answering(&format!("{ONE_ROW}{}", " ".repeat(9_000)), "drop_after = 6000\nthen = \"stall\"");
        let home = Home::new();
        let arguments = [&["--pull", "off", "--url", &server.url], INSTANCES, &["-o", "json"]].concat();
        let mut child = home.command(&arguments).spawn().unwrap();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let mut begun = String::new();
        stdout.read_line(&mut begun).unwrap();
        assert_eq!(begun, "[\n");
        kill(&child, signal);
        let mut rest = String::new();
        stdout.read_to_string(&mut rest).unwrap();
        let rows: serde_json::Value = serde_json::from_str(&format!("{begun}{rest}")).unwrap();
        assert_eq!(rows[0]["properties"]["K"], "one");
        assert_eq!(child.wait().unwrap().code(), Some(code));
    }
}

#[test]
fn a_reader_that_leaves_ends_the_command_well() {
    let endless = format!(
        "about = \"Rows without end.\"\n[[step]]\noperation = \"EnumerateInstances\"\nstatus = 200\nheaders = [[\"Content-Type\", \"application/xml\"]]\n\
         framing = \"chunked\"\nbody_parts = [{{ text = \"{head}\" }}, {{ repeat = \"{row}\", endless = true }}]\n",
        head = ONE_ROW,
        row = &ONE_ROW[ONE_ROW.find("<VALUE.NAMEDINSTANCE>").unwrap()..],
    );
    let server = Scripted::play(&endless);
    let home = Home::new();
    let arguments = [&["--pull", "off", "--url", &server.url], INSTANCES, &["-o", "ndjson"]].concat();
    let mut child = home.command(&arguments).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!((output.status.code(), output.stderr.as_slice()), (Some(0), &b""[..]));
    let limited = [&["--pull", "off", "--url", &server.url], INSTANCES, &["-o", "ndjson", "--limit", "300"]].concat();
    assert_eq!(home.run(&limited).expect_code(0).stdout.lines().count(), 300);
}
