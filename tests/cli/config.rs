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
