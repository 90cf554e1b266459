//! A known password goes through every source and every end of a command, and is found in nothing it leaves.

use std::{os::unix::fs::PermissionsExt, path::Path};

use lazycim::{
    auth::Credentials,
    server::{self, RunningServer, Scenario, ServerOptions},
};

use crate::{
    found::{CANARY, USER, assert_nowhere_in, authorization},
    support::{Home, ran},
};

/// A server in this process.
struct Served {
    port: u16,
    // Dropped in this order.
    _server: RunningServer,
    _runtime: tokio::runtime::Runtime,
}

impl Served {
    fn start(options: ServerOptions) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let server = runtime.block_on(server::start(options)).unwrap();
        Self { port: server.addr().port(), _server: server, _runtime: runtime }
    }

    /// One that takes `password`.
    fn taking(password: &str) -> Self {
        let credentials = Credentials { user: USER.to_owned(), secret: password.into() };
        Self::start(ServerOptions::loopback(credentials))
    }

    fn playing(scenario: &str) -> Self {
        let scenario =
            Scenario::parse(scenario, &Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/scenarios")).unwrap();
        Self::start(ServerOptions::scripted(scenario))
    }
}

/// The sources that need no terminal.
const SOURCES: [&str; 3] = [
    "\"env:CANARY\"",
    "{ command = [\"printenv\", \"CANARY\"] }",
    "{ command = [\"printenv CANARY; echo more\"], shell = true, timeout = 20 }",
];

fn home(port: u16, secret: &str) -> Home {
    home_of(port, secret, "auto", "cimxml")
}

fn home_of(port: u16, secret: &str, mechanism: &str, protocol: &str) -> Home {
    let home = Home::new();
    let auth = format!(
        "auth = {{ mechanism = \"{mechanism}\", user = \"{USER}\", secret = {secret} }}\nprotocol = \"{protocol}\""
    );
    let rest = "tls = { use = false }\npull = \"off\"\ntimeouts = { first_byte = 0.2 }\n";
    home.write(
        "sessions.toml",
        &format!("[[session]]\nid = \"web\"\ncomputer = \"127.0.0.1\"\nport = {port}\n{auth}\n{rest}"),
    );
    std::fs::set_permissions(home.path().join("sessions.toml"), PermissionsExt::from_mode(0o600)).unwrap();
    home
}

/// Runs a command, which ends with `code`, and looks through all it printed and wrote. What it said on stderr.
#[track_caller]
fn run(home: &Home, code: i32, arguments: &[&str]) -> String {
    let ran = ran(home.command(arguments).env("CANARY", CANARY).output().unwrap());
    assert_nowhere_in(&ran.stdout, "stdout");
    assert_nowhere_in(&ran.stderr, "stderr");
    for file in std::fs::read_dir(home.path()).unwrap() {
        let text = std::fs::read(file.unwrap().path()).unwrap();
        assert_nowhere_in(&String::from_utf8_lossy(&text), "a file");
    }
    assert_eq!(ran.code, Some(code), "{ran:?}");
    ran.stderr
}

#[test]
fn no_operation_shows_the_password_however_it_ends() {
    let echo = format!(
        "about = \"It says what it was sent.\"
[[step]]
status = 200
\
         headers = [[\"Content-Type\", \"text/html\"]]
body = \"<p>You sent {}</p>\"
",
        authorization()
    );
    let file = |name: &str| std::fs::read_to_string(format!("tests/scenarios/{name}.toml")).unwrap();
    let cases = [
        (Served::taking(CANARY), 0, "Finished", "finished"),
        (Served::taking("another"), 1, "refused", "refused"),
        (Served::playing(&file("reset_mid_answer")), 1, "reset", "reset"),
        (Served::playing(&file("stall_before_answer")), 1, "time-out", "200 ms"),
        (Served::playing(&file("ill_formed_xml")), 1, "raw text", " raw "),
        (Served::playing(&file("html")), 1, "HTML", "html"),
        (Served::playing(&echo), 1, "an echo", "you sent basic (hidden)"),
    ];
    for (served, code, name, said) in cases {
        for source in SOURCES {
            let home = home(served.port, source);
            let class = if code == 0 { "LC_OperatingSystem" } else { "LC_Process" };
            let stderr = run(&home, code, &["-s", "web", "-v", "instances", class, "-o", "ndjson"]);
            assert!(stderr.to_lowercase().contains(said), "{name}: {stderr}");
        }
    }
}

#[test]
fn digest_over_wsman_shows_neither_the_password_nor_what_is_made_of_it() {
    for (password, code, said) in [(CANARY, 0, "finished"), ("another", 1, "refused user and password by digest")] {
        let served = Served::taking(password);
        for source in SOURCES {
            let home = home_of(served.port, source, "digest", "wsman");
            let stderr = run(&home, code, &["-s", "web", "-v", "instances", "LC_OperatingSystem", "-o", "ndjson"]);
            assert!(stderr.to_lowercase().contains(said), "{stderr}");
            assert!(stderr.contains("Digest SHA-256") && !stderr.contains("response="), "{stderr}");
        }
    }
}

#[test]
fn no_command_about_sessions_shows_the_password() {
    for source in SOURCES {
        let home = home(1, source);
        for format in ["pywbemcli", "pywbemcli-env", "powershell"] {
            run(&home, 0, &["sessions", "export", "--format", format]);
        }
        run(&home, 0, &["config", "check"]);
        run(&home, 0, &["config", "show"]);
        run(&home, 1, &["-s", "web", "-v", "namespaces"]);
    }
    // Where nothing was asked for it, a variable of another tool's brings no password along either.
    let home = home(1, "\"prompt\"");
    let mut command = home.command(&["sessions", "import", "--format", "pywbemcli-env"]);
    command.env("PYWBEMCLI_SERVER", "http://h").env("PYWBEMCLI_USER", USER).env("PYWBEMCLI_PASSWORD", CANARY);
    let imported = ran(command.output().unwrap()).expect_code(0);
    assert_nowhere_in(&imported.stderr, "stderr");
    assert_nowhere_in(&std::fs::read_to_string(home.path().join("sessions.toml")).unwrap(), "sessions.toml");
}

#[test]
fn a_command_that_fails_after_it_printed_the_password_does_not_show_it() {
    for line in
        ["printenv CANARY; exit 3", "printenv CANARY >&2", "echo; printenv CANARY", "printenv CANARY; sleep 9999"]
    {
        let home = home(1, &format!("{{ command = [\"{line}\"], shell = true, timeout = 0.2 }}"));
        let stderr = run(&home, 2, &["-s", "web", "-v", "namespaces"]);
        assert!(stderr.contains("the shell command"), "{stderr}");
    }
}
