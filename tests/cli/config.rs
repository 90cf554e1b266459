//! Configuration files: what is read, what is refused and where.

use crate::support::{Home, Serve};

#[test]
fn mistakes_in_config_toml_name_the_place() {
    let home = Home::new();
    home.write("config.toml", "[timeouts]\nconect = 1\n");
    let ran = home.run(&["namespaces"]).expect_failure(2, "config.toml:2:1: unknown key `conect`", "`connect`");
    assert!(ran.stderr.starts_with("lazycim: config: "), "{ran:?}");
    // `--config` reads another file instead.
    home.write("good.toml", "[ui]\nascii = true\n");
    let good = home.path().join("good.toml");
    home.run(&["--config", good.to_str().unwrap(), "-s", "x", "namespaces"]).expect_failure(2, "-s x", "");
    home.run(&["--config", "missing.toml", "namespaces"]).expect_failure(2, "missing.toml: cannot be read", "name");
}

#[test]
fn variables_with_mistakes_are_named() {
    let home = Home::new();
    let mut command = home.command(&["namespaces"]);
    let output = command.env("LAZYCIM_LIMITS_XML_DEPTH", "deep").output().unwrap();
    crate::support::ran(output).expect_failure(2, "LAZYCIM_LIMITS_XML_DEPTH: must be a whole number", "unset");
}

#[test]
fn a_broken_sessions_file_stops_only_those_who_need_it() {
    let serve = Serve::start();
    let home = Home::new();
    let broken = "[[session]]\nid = \"a\"\ncomputer = \"h\"\nprot = \"x\"\n";
    home.write("sessions.toml", broken);
    home.run(&["-s", "a", "namespaces"]).expect_failure(2, "sessions.toml:4:1: unknown key `prot`", "`port`");
    let url = serve.target("ann");
    let ran = home.run(&["--url", &url, "--password-env", "PW", "namespaces"]).expect_code(0);
    assert!(ran.stderr.contains("warning: sessions: ") && ran.stderr.contains(":4:1: unknown key `prot`"), "{ran:?}");
    assert!(ran.stdout.contains("root/cimv2"), "{ran:?}");
    assert_eq!(std::fs::read_to_string(home.path().join("sessions.toml")).unwrap(), broken);
}

#[test]
fn a_session_is_found_by_id_name_and_prefix_and_has_its_namespace() {
    let serve = Serve::start();
    let port = serve.url.trim_end_matches("/cimom").rsplit_once(':').unwrap().1.to_owned();
    let home = Home::new();
    let entry = |id: &str, name: &str| {
        format!(
            "[[session]]\nid = \"{id}\"\nname = \"{name}\"\ncomputer = \"127.0.0.1\"\nport = {port}\ntls = {{ use = false }}\n\
             namespace = \"root\\\\interop\"\nauth = {{ user = \"ann\", secret = \"env:PW\" }}\n"
        )
    };
    home.write("sessions.toml", &format!("version = 1\n{}{}", entry("web01", "The server"), entry("web02", "Other")));
    for name in ["web01", "The server", "The"] {
        let ran = home.run(&["-s", name, "classes", "-o", "ndjson"]).expect_code(0);
        assert!(ran.stdout.starts_with("{\"namespace\":\"root/interop\",\"class\":\""), "{name}: {ran:?}");
    }
    let ran = home.run(&["-s", "web01", "-n", r"root\cimv2", "classes", "-o", "ndjson"]).expect_code(0);
    assert!(ran.stdout.starts_with("{\"namespace\":\"root/cimv2\","), "{ran:?}");
    home.run(&["-s", "web", "namespaces"]).expect_failure(2, "2 sessions answer", "web01, web02");
    home.run(&["-s", "wbe01", "namespaces"]).expect_failure(2, "no session is called that", "`web01`");
}

#[test]
fn paths_are_printed_one_a_line() {
    let home = Home::new();
    let dir = home.path().display();
    let expected = format!(
        "config    {dir}/config.toml\nsessions  {dir}/sessions.toml\nkeys      {dir}/keys.toml\nthemes    {dir}/themes\n"
    );
    assert_eq!(home.run(&["config", "path"]).expect_code(0).stdout, expected);
    let other = home.run(&["--config", "/x/y.toml", "config", "path"]).expect_code(0);
    assert!(other.stdout.starts_with("config    /x/y.toml\n"), "{other:?}");
}

#[test]
fn what_is_in_force_is_shown_with_its_sources_and_reads_back() {
    let home = Home::new();
    home.write("config.toml", "[timeouts]\nidle = 2.5\nconnect = 3\n[ui]\ntheme = \"mono\"\n");
    let mut command = home.command(&["--timeout", "9", "config", "show"]);
    let ran = crate::support::ran(command.env("LAZYCIM_TIMEOUTS_CONNECT", "7").output().unwrap()).expect_code(0);
    let file = home.path().join("config.toml");
    for line in [
        "connect = 7 # LAZYCIM_TIMEOUTS_CONNECT".to_owned(),
        "first_byte = 60 # default".to_owned(),
        format!("idle = 2.5 # {}", file.display()),
        "total = 9 # --timeout".to_owned(),
        format!("theme = \"mono\" # {}", file.display()),
    ] {
        let found = ran.stdout.lines().any(|it| it.split_whitespace().collect::<Vec<_>>().join(" ") == line);
        assert!(found, "{line:?} is not in\n{}", ran.stdout);
    }
    // What it prints is a configuration.
    home.write("shown.toml", &ran.stdout);
    let shown = home.path().join("shown.toml");
    let again = home.run(&["--config", shown.to_str().unwrap(), "config", "show"]).expect_code(0);
    let values = |text: &str| {
        text.lines().map(|line| line.split(" #").next().unwrap().trim_end().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(values(&again.stdout), values(&ran.stdout));
    home.write("config.toml", "[timeouts]\nidle = 0\n");
    home.run(&["config", "show"]).expect_failure(2, "config.toml:2:8: `idle` must be", "default.toml");
}

#[test]
fn check_tells_every_mistake_in_every_file() {
    let home = Home::new();
    home.run(&["config", "check"]).expect_code(0);
    home.write("config.toml", "[timeouts]\nconect = 1\nidle = 0\n[ui]\ntheme = \"gone\"\n");
    let sessions = "[[session]]\nid = \"a\"\ncomputer = \"h\"\nport = 70000\n[[session]]\nid = \"b\"\ncomputer = \"h\"\n\
                    tls = { ca_file = \"missing.pem\" }\n[[session]]\nid = \"b\"\ninherits = \"b\"\n";
    home.write("sessions.toml", sessions);
    home.write("keys.toml", "[keys]\nrefesh = \"r\"\n");
    std::fs::create_dir(home.path().join("themes")).unwrap();
    home.write("themes/mine.toml", "[roles]\ntext = 3\n");
    let ran = home.run(&["config", "check"]).expect_failure(2, "config.toml:2:1: unknown key `conect`", "`connect`");
    let dir = home.path().display();
    for line in [
        format!("lazycim: config: {dir}/config.toml:3:8: `idle` must be"),
        format!("lazycim: sessions: {dir}/sessions.toml:4:8: `port` must be a number from 1 to 65535"),
        format!("lazycim: sessions: {dir}/sessions.toml:10:6: the id `b` is used twice"),
        format!("lazycim: sessions: {dir}/sessions.toml: session `b`: the file {dir}/missing.pem cannot be read"),
        format!("lazycim: config: {dir}/keys.toml:2:1: there is no command `refesh`; did you mean `refresh`?"),
        format!("lazycim: config: {dir}/themes/mine.toml:2:8: "),
        format!("lazycim: config: {dir}/themes/gone.toml: the theme cannot be read"),
    ] {
        assert!(ran.stderr.lines().any(|it| it.starts_with(&line)), "{line:?} is not in\n{}", ran.stderr);
    }
    let (told, hints) = ran.stderr.lines().partition::<Vec<_>, _>(|line| line.starts_with("lazycim: "));
    assert_eq!(told.len(), hints.len(), "each has a hint: {ran:?}");
    assert_eq!(ran.stdout, "");
}

#[test]
fn templates_can_be_used_as_they_are() {
    let home = Home::new();
    for (arguments, name) in
        [(["config", "template"].as_slice(), "config.toml"), (&["config", "template", "--sessions"], "sessions.toml")]
    {
        let template = home.run(arguments).expect_code(0).stdout;
        assert!(template.lines().count() > 20, "{template}");
        home.write(name, &template);
    }
    let ran = home.run(&["config", "check"]).expect_code(0);
    assert!(
        ran.stdout.contains("config.toml: 0 keys set\n") && ran.stdout.contains("sessions.toml: 0 sessions\n"),
        "{ran:?}"
    );
}

#[test]
fn a_session_that_inherits_connects_and_a_flag_wins_over_it() {
    let serve = Serve::start();
    let port = serve.url.trim_end_matches("/cimom").rsplit_once(':').unwrap().1.to_owned();
    let home = Home::new();
    home.write(
        "sessions.toml",
        &format!(
            "[[session]]\nid = \"base\"\ncomputer = \"127.0.0.1\"\nport = {port}\ntls = {{ use = false }}\n\
             timeouts = {{ total = 0.000001 }}\nauth = {{ user = \"ann\", secret = \"env:PW\" }}\n\
             [[session]]\nid = \"kid\"\ninherits = \"base\"\ntimeouts = {{ total = 0 }}\n"
        ),
    );
    home.run(&["-s", "kid", "namespaces"]).expect_code(0);
    home.run(&["-s", "base", "namespaces"]).expect_failure(1, "it took longer than", "--timeout");
    home.run(&["-s", "base", "--timeout", "60", "namespaces"]).expect_code(0);
}

#[test]
fn a_missing_ca_file_is_told_when_connecting() {
    let home = Home::new();
    let entry = "[[session]]\nid = \"a\"\ncomputer = \"127.0.0.1\"\ntls = { ca_file = \"missing.pem\" }\n";
    home.write("sessions.toml", entry);
    let file = home.path().join("missing.pem");
    let ran = home.run(&["-s", "a", "namespaces"]).expect_failure(2, &file.display().to_string(), "PEM");
    assert!(ran.stderr.contains("for the session a on 127.0.0.1:5989"), "{ran:?}");
}

#[test]
fn the_environments_proxy_is_used_by_those_who_say_so() {
    let proxy = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = proxy.local_addr().unwrap();
    drop(proxy);
    let home = Home::new();
    let session = |proxy: &str| {
        format!("[[session]]\nid = \"a\"\ncomputer = \"db.invalid\"\nport = 5988\ntls.use = false\n{proxy}\n")
    };
    let run = |proxy: &str| {
        home.write("sessions.toml", &session(proxy));
        let mut command = home.command(&["-s", "a", "namespaces"]);
        command.env("http_proxy", format!("http://{address}")).env_remove("no_proxy").env_remove("NO_PROXY");
        command.env_remove("HTTP_PROXY").env_remove("REQUEST_METHOD");
        crate::support::ran(command.output().unwrap())
    };
    let refused = format!("db.invalid:5988 through the proxy {address}");
    run("proxy = \"system\"").expect_failure(1, &refused, "port");
    run(&format!("proxy = \"http://{address}\"")).expect_failure(1, &refused, "port");
    // Nobody says so: the environment is not looked at.
    let direct = run("").expect_code(1);
    assert!(!direct.stderr.contains("proxy"), "{direct:?}");
}
