//! `sessions list`, `show`, `add`, `edit`, `remove` and `path`, from outside.

use crate::support::{Home, PASSWORD, ran};

const TWO: &str = "# mine\n[[session]]\nid = \"web01\"\nname = \"Web, the first\"\ncomputer = \"web01.example\"\n\
     auth = { user = \"ann\", secret = \"env:PW\" }\ntags = [\"web\", \"lab\"]\n\n\
     [[session]]\nid = \"web02\"\ninherits = \"web01\"\ncomputer = \"web02.example\"\ntls = { skip_name = true }\n\
     tags = [\"web\"]\nread_only = true\n";

fn two() -> Home {
    let home = Home::new();
    home.write("sessions.toml", TWO);
    home
}

fn text_of(home: &Home) -> String {
    std::fs::read_to_string(home.path().join("sessions.toml")).unwrap_or_default()
}

#[test]
fn sessions_are_listed_in_every_format_and_by_tag() {
    let home = two();
    let table = home.run(&["sessions", "list"]).expect_code(0).stdout;
    let mut lines = table.lines();
    let header = lines.next().unwrap();
    assert_eq!(
        header.split_whitespace().collect::<Vec<_>>(),
        ["id", "computer", "protocol", "port", "tls", "dangers", "read_only", "user", "tags", "name"]
    );
    let second = lines.nth(1).unwrap();
    assert!(
        second.starts_with("web02") && second.contains("yes  name unchecked  yes") && second.ends_with("web02"),
        "{table}"
    );

    let json = home.run(&["sessions", "list", "-o", "json", "--tag", "lab"]).expect_code(0).stdout;
    assert_eq!(
        json,
        "[\n{\"id\":\"web01\",\"computer\":\"web01.example\",\"protocol\":\"cimxml\",\"port\":5989,\"tls\":true,\"dangers\":[],\
         \"read_only\":false,\"user\":\"ann\",\"tags\":[\"web\",\"lab\"],\"name\":\"Web, the first\"}\n]\n"
    );
    let ndjson = home.run(&["sessions", "list", "-o", "ndjson", "--tag", "web"]).expect_code(0).stdout;
    assert_eq!(ndjson.lines().count(), 2);
    assert_eq!(
        home.run(&["sessions", "list", "-o", "ndjson", "--tag", "web", "--tag", "lab"]).stdout.lines().count(),
        1
    );
    let csv = home.run(&["sessions", "list", "-o", "csv"]).expect_code(0).stdout;
    let row = "web01,web01.example,cimxml,5989,true,[],false,ann,\"[\"\"web\"\",\"\"lab\"\"]\",\"Web, the first\"\r\n";
    assert!(csv.contains(row), "{csv}");
    home.run(&["sessions", "list", "--tag", "prod"]).expect_failure(2, "--tag prod: no session has it", "lab, web");
    assert_eq!(Home::new().run(&["sessions", "list", "-o", "json"]).expect_code(0).stdout, "[]\n");
    home.run(&["-s", "web01", "sessions", "list"]).expect_failure(2, "takes no -s", "leave it out");
    // Whom and how a session is asked is nothing to those that ask none.
    for command in
        [&["list"][..], &["show", "web01"], &["edit", "web01", "--set", "port=1"], &["remove", "web02", "--yes"]]
    {
        let flags: [&[&str]; 7] = [
            &["--url", "cimxml+http://h"],
            &["--user", "bob"],
            &["--password-env", "PW"],
            &["--pull", "off"],
            &["-n", "root/x"],
            &["--skip-name"],
            &["--throttle", "2"],
        ];
        for flag in flags {
            let told = format!("sessions: it takes no {}", flag[0]);
            home.run(&[&["sessions"], command, flag].concat()).expect_failure(2, &told, "leave it out");
        }
    }
    assert_eq!(text_of(&home), TWO);
}

#[test]
fn a_mistake_costs_its_own_entry_and_is_told() {
    let home = Home::new();
    home.write("sessions.toml", &format!("{TWO}[[session]]\nid = \"bad\"\nport = 1\n"));
    let ran = home.run(&["sessions", "list", "-o", "ndjson"]).expect_failure(2, "has no `computer`", "computer");
    assert_eq!(ran.stdout.lines().count(), 2);
}

#[test]
fn a_session_shows_what_it_comes_to_and_why() {
    let home = two();
    let toml = home.run(&["sessions", "show", "web02"]).expect_code(0).stdout;
    let has = |key: &str, source: &str| {
        let line = toml.lines().find(|line| line.starts_with(key));
        assert!(line.is_some_and(|line| line.ends_with(&format!("# {source}"))), "{key} # {source}: {toml}");
    };
    has("computer = \"web02.example\"", "sessions.toml");
    has("auth.user = \"ann\"", "session web01");
    has("auth.secret = \"env:PW\"", "session web01");
    has("port = 5989", "default");
    has("tls.skip_name = true", "sessions.toml");
    let read = toml::from_str::<toml::Table>(&toml).unwrap();
    assert_eq!(read["auth"]["user"].as_str(), Some("ann"));
    // Reading takes the beginning of a name.
    assert!(home.run(&["sessions", "show", "Web, the"]).expect_code(0).stdout.contains("id = \"web01\""));
    home.run(&["sessions", "show", "we"]).expect_failure(2, "2 sessions answer to that", "web01, web02");
    home.run(&["sessions", "show", "this-computer"]).expect_failure(2, "not in sessions.toml", "saved session");
    let json = home.run(&["sessions", "show", "web02", "-o", "json"]).expect_code(0).stdout;
    let read: serde_json::Value = serde_json::from_str(&json).unwrap();
    let user = read.as_array().unwrap().iter().find(|said| said["key"] == "auth.user").unwrap();
    assert_eq!(*user, serde_json::json!({"key": "auth.user", "value": "ann", "source": "session web01"}));
}

#[test]
fn a_session_is_added_with_what_the_arguments_say() {
    let home = two();
    let added = home.run(&[
        "sessions",
        "add",
        "db1",
        "--url",
        "cimxml+http://bob@db1.example",
        "--name",
        "Data",
        "--tag",
        "db",
        "--tag",
        "lab",
        "-n",
        "root/x",
        "--password-env",
        "PW",
        "--key",
        "read_only=true",
        "--key",
        "timeouts.total=2.5",
        "--key",
        "culture=de",
        "--allow-clear-text",
    ]);
    let added = added.expect_code(0);
    assert_eq!(added.stdout, "");
    assert!(added.stderr.starts_with("added `db1`: ") && added.stderr.contains("clear text"), "{added:?}");
    let text = text_of(&home);
    let block = text.strip_prefix(TWO).unwrap();
    assert_eq!(
        block,
        "\n[[session]]\nid = \"db1\"\nname = \"Data\"\ncomputer = \"db1.example\"\nprotocol = \"cimxml\"\nport = 5988\n\
         namespace = \"root/x\"\ntls = { use = false }\nauth = { mechanism = \"auto\", user = \"bob\", secret = \"env:PW\" }\n\
         allow_clear_text = true\ntags = [\"db\", \"lab\"]\nread_only = true\ntimeouts = { total = 2.5 }\nculture = \"de\"\n"
    );
    home.run(&["sessions", "add", "db1", "--url", "cimxml+http://h"]).expect_failure(2, "`db1` is taken", "another id");
    assert_eq!(text_of(&home), text);
}

#[test]
fn what_only_ws_man_is_told_is_said_inherited_and_shown_with_its_source() {
    let home = Home::new();
    let keys = ["wsman.max_envelope_size=65536", "wsman.vendor_namespaces={ LAB_ = 'http://lab.example/2' }"];
    let add = ["sessions", "add", "lab", "--url", "wsman+http://lab.example", "--key", keys[0], "--key", keys[1]];
    home.run(&add).expect_code(0);
    let child = "[[session]]\nid = \"child\"\ninherits = \"lab\"\nwsman = { encoding = \"utf-16\" }\n";
    home.write("sessions.toml", &(text_of(&home) + child));
    let shown = home.run(&["sessions", "show", "child"]).expect_code(0).stdout;
    for (line, source) in [
        ("wsman.max_envelope_size = 65536", "session lab"),
        ("wsman.vendor_namespaces = { LAB_ = \"http://lab.example/2\" }", "session lab"),
        ("wsman.encoding = \"utf-16\"", "sessions.toml"),
        ("wsman.uri_style = \"auto\"", "default"),
    ] {
        let found = shown.lines().find(|shown| shown.starts_with(line));
        assert!(found.is_some_and(|found| found.ends_with(&format!("# {source}"))), "{line}: {shown}");
    }
    let wrong = home.run(&["sessions", "edit", "lab", "--set", "wsman.max_envelope_size=1"]);
    wrong.expect_failure(2, "`max_envelope_size` must be a whole number from 8192", "leave it out");
    let cim = ["sessions", "add", "cim", "--url", "cimxml+http://lab.example"];
    home.run(&cim).expect_code(0);
    let shown = home.run(&["sessions", "show", "cim"]).expect_code(0).stdout;
    assert!(!shown.contains("wsman"), "{shown}");
}

#[test]
fn a_preset_says_what_the_url_does_not() {
    let home = Home::new();
    let url = ["sessions", "add", "peg", "--url", "cimxml+https://h", "--preset", "pegasus"];
    home.run(&url).expect_code(0);
    let text = text_of(&home);
    assert!(text.contains("inherits = \"preset:pegasus\""), "{text}");
    let shown = home.run(&["sessions", "show", "peg"]).expect_code(0).stdout;
    assert!(shown.contains("# preset pegasus"), "{shown}");
    home.run(&["sessions", "add", "x", "--url", "cimxml+https://h", "--preset", "pegasos"]).expect_failure(
        2,
        "no `preset:pegasos` to inherit from",
        "`pegasus`",
    );
}

#[test]
fn a_preset_that_needs_what_is_not_built_says_so_and_connects_nowhere() {
    let home = Home::new();
    let add = ["sessions", "add", "win", "--url", "cimxml+http://127.0.0.1:1", "--preset", "wmi-dcom"];
    let told = home.run(&add).expect_code(0).stderr;
    assert!(told.contains("it cannot connect yet: the preset wmi-dcom needs dcom and negotiate"), "{told}");
    let refused = "its preset wmi-dcom needs dcom and negotiate, which this version does not have";
    let ran = home.run(&["-s", "win", "instances", "Win32_Product"]).expect_code(2);
    assert!(ran.stderr.contains(refused) && ran.stderr.contains("try: --url URL"), "{}", ran.stderr);
    let warning = "lazycim: warning: win: Win32_Product: each enumeration makes Windows check";
    assert!(ran.stderr.starts_with(warning), "{}", ran.stderr);
    let ran = home.run(&["-s", "win", "query", "SELECT * FROM Win32_Product"]).expect_code(2);
    assert!(ran.stderr.starts_with(warning), "{}", ran.stderr);
    assert!(!home.run(&["-s", "win", "instances", "Win32_Process"]).stderr.contains("warning"));
    let ran = home.run(&["-s", "win", "-n", "root/directory/LDAP", "classes"]).expect_code(2);
    assert!(ran.stderr.starts_with("lazycim: warning: win: root/directory/LDAP: it is made of"), "{}", ran.stderr);

    // Also where the preset is that of a session it inherits from, and where several are tested.
    let text = format!("{}\n[[session]]\nid = \"kid\"\ncomputer = \"127.0.0.1\"\ninherits = \"win\"\n", text_of(&home));
    home.write("sessions.toml", &text);
    home.run(&["-s", "kid", "namespaces"]).expect_failure(2, "its preset wmi-dcom needs", "without the preset");
    let tested = home.run(&["sessions", "test", "kid"]).expect_failure(2, "the preset wmi-dcom needs dcom", "preset");
    assert!(tested.stdout.contains("failed"), "{}", tested.stdout);
}

#[test]
fn what_cannot_be_added_says_why_and_shows_no_password() {
    let home = two();
    let add = |more: &[&str]| home.run(&[&["sessions", "add"], more].concat());
    add(&["new"]).expect_failure(2, "where to connect", "--url URL");
    add(&["New", "--url", "cimxml+http://h"]).expect_failure(2, "ID: an id is", "--name NAME");
    add(&["new", "--url", &format!("cimxml+http://a:{PASSWORD}@h")]).expect_failure(2, "--url: ", "");
    let key = |key: &str| add(&["new", "--url", "cimxml+https://ann@h", "--key", key]);
    key("port=70000").expect_failure(2, "not saved: `port` must be", "");
    key("prot=1").expect_failure(2, "--key: there is no key `prot`", "did you mean `port`?");
    key("tags=[").expect_failure(2, "--key: the value of `tags` is not TOML", "tags=[");
    key(PASSWORD).expect_failure(2, "--key: KEY=VALUE is needed", "read_only=true");
    key(&format!("auth.secret={PASSWORD}")).expect_failure(2, "not saved: ", "prompt");
    key("id=other").expect_failure(2, "--key id", "leave it out");
    add(&["new", "--url", "cimxml+http://h", "--skip-name"]).expect_failure(
        2,
        "--skip-name: the target has no TLS",
        "https",
    );
    assert_eq!(text_of(&home), TWO);
    let wsman = add(&["win", "--url", "wsman+https://h"]).expect_code(0);
    assert_eq!(wsman.stderr.lines().count(), 1, "{wsman:?}");
    let certificate = add(&["tls", "--url", "cimxml+https://h", "--ca-file", "ca.pem"]).expect_code(0);
    assert!(certificate.stderr.starts_with("added"), "{certificate:?}");
    let here = std::env::current_dir().unwrap().join("ca.pem");
    assert!(text_of(&home).contains(&format!("ca_file = \"{}\"", here.display())), "{}", text_of(&home));
}

#[test]
fn a_session_is_edited_by_keys() {
    let home = two();
    let edit = |more: &[&str]| home.run(&[&["sessions", "edit"], more].concat());
    edit(&["web01", "--set", "port=5990", "--set", "tls.min_version=1.3", "--unset", "tags"]).expect_code(0);
    let text = text_of(&home);
    let first = "# mine\n[[session]]\nid = \"web01\"\nname = \"Web, the first\"\ncomputer = \"web01.example\"\n\
         auth = { user = \"ann\", secret = \"env:PW\" }\nport = 5990\ntls = { min_version = \"1.3\" }\n\n";
    assert_eq!(text.strip_prefix(first), TWO.split_once("\n\n").map(|two| two.1));
    // By its name, in full; sessions that inherit from it follow its new id.
    edit(&["Web, the first", "--set", "id=web"]).expect_code(0);
    assert!(text_of(&home).contains("id = \"web02\"\ninherits = \"web\"\n"), "{}", text_of(&home));
    let text = text_of(&home);
    edit(&["web02"]).expect_failure(2, "nothing is to change", "--set KEY=VALUE");
    edit(&["web0", "--set", "port=1"]).expect_failure(2, "no session is called that", "`web02`");
    edit(&["web02", "--set", "computer=a b"]).expect_failure(2, "not saved: `computer` is not a host name", "");
    edit(&["web02", "--set", "id=web"]).expect_failure(2, "not saved: the id `web` is used twice", "");
    edit(&["web02", "--unset", "computr"]).expect_failure(2, "--unset: there is no key `computr`", "`computer`");
    edit(&["web", "--unset", "computer"]).expect_failure(2, "not saved: a session has no `computer`", "");
    edit(&["this-computer", "--set", "port=1"]).expect_failure(2, "not in sessions.toml", "");
    assert_eq!(text_of(&home), text);
}

#[test]
fn a_session_is_removed_only_by_its_whole_name_and_with_yes() {
    let home = two();
    home.run(&["sessions", "remove", "web02"]).expect_failure(2, "no terminal to ask on", "--yes");
    home.run(&["sessions", "remove", "web", "--yes"]).expect_failure(2, "no session is called that", "web0");
    home.run(&["sessions", "remove", "web01", "--yes"]).expect_failure(2, "no `web01` to inherit from", "");
    assert_eq!(text_of(&home), TWO);
    home.run(&["sessions", "remove", "web02", "--yes"]).expect_code(0);
    assert_eq!(Some(text_of(&home).trim_end()), TWO.split_once("\n\n").map(|two| two.0));
}

#[test]
fn the_place_of_the_file_is_printed() {
    let home = Home::new();
    let path = home.run(&["sessions", "path"]).expect_code(0).stdout;
    assert_eq!(path, format!("{}\n", home.path().join("sessions.toml").display()));
}

/// The command that adds the session `new`.
const ADD: [&str; 5] = ["sessions", "add", "new", "--url", "cimxml+https://new.example"];

#[cfg(target_os = "linux")]
#[test]
fn a_directory_nobody_may_write_is_named() {
    let home = Home::new();
    let mut command = home.command(&ADD);
    command.env("LAZYCIM_CONFIG_DIR", "/proc/lazycim");
    let failed = ran(command.output().unwrap()).expect_code(2);
    assert!(failed.stderr.contains("/proc/lazycim") && failed.stderr.contains("\ntry: "), "{failed:?}");
    assert!(!std::path::Path::new("/proc/lazycim").exists());
}

#[cfg(unix)]
#[test]
fn a_write_that_is_cut_short_leaves_the_file_as_it_was() {
    let home = Home::new();
    let notes = "n".repeat(3_000);
    let before = format!("# mine\n[[session]]\nid = \"old\"\ncomputer = \"h\"\nnotes = \"{notes}\"\n");
    home.write("sessions.toml", &before);
    let binary = assert_cmd::cargo::cargo_bin("lazycim");
    // A signal that would end the process is ignored, so that the write itself fails, as on a full disk.
    let line = format!("trap '' XFSZ; ulimit -f 1; exec '{}' \"$@\"", binary.display());
    let mut shell = std::process::Command::new("bash");
    shell.args(["-c", &line, "bash"]).args(ADD).env("LAZYCIM_CONFIG_DIR", home.path());
    let failed = ran(shell.stdin(std::process::Stdio::null()).output().unwrap()).expect_code(2);
    assert!(failed.stderr.contains("sessions: new: ") && failed.stderr.contains("\ntry: "), "{failed:?}");
    let left = std::fs::read_dir(home.path()).unwrap().map(|file| file.unwrap().file_name()).collect::<Vec<_>>();
    assert!(left.iter().all(|name| !name.to_string_lossy().contains("tmp")), "{left:?}");
    assert_eq!(std::fs::read_to_string(home.path().join("sessions.toml")).unwrap(), before);
}
