//! Arguments: what is refused, how, and what the help says.

use crate::support::{Home, PASSWORD, has_terminal, lazycim, ran};

#[test]
fn help_is_what_the_snapshot_says() {
    insta::assert_snapshot!("help", lazycim(&["--help"]).expect_code(0).stdout);
    insta::assert_snapshot!("help_instances", lazycim(&["instances", "-h"]).expect_code(0).stdout);
    insta::assert_snapshot!("help_get", lazycim(&["get", "-h"]).expect_code(0).stdout);
    insta::assert_snapshot!("help_query", lazycim(&["query", "-h"]).expect_code(0).stdout);
    insta::assert_snapshot!("help_associators", lazycim(&["associators", "-h"]).expect_code(0).stdout);
    insta::assert_snapshot!("help_references", lazycim(&["references", "-h"]).expect_code(0).stdout);
    insta::assert_snapshot!("help_sessions_import", lazycim(&["sessions", "import", "-h"]).expect_code(0).stdout);
    insta::assert_snapshot!("help_sessions_export", lazycim(&["sessions", "export", "-h"]).expect_code(0).stdout);
    insta::assert_snapshot!("help_serve", lazycim(&["serve", "-h"]).expect_code(0).stdout);
}

#[test]
fn completions_know_the_commands() {
    insta::assert_snapshot!("completions_fish", lazycim(&["completions", "fish"]).expect_code(0).stdout);
    for shell in ["bash", "zsh", "elvish", "powershell"] {
        let script = lazycim(&["completions", shell]).expect_code(0).stdout;
        for word in ["namespaces", "instances", "--password-env", "--keys-only"] {
            assert!(script.contains(word), "{shell} does not know {word}");
        }
    }
    lazycim(&["completions", "sh"]).expect_code(2);
}

#[test]
fn the_version_names_commit_and_tls() {
    let version = lazycim(&["--version"]).expect_code(0).stdout;
    let rest = version.strip_prefix(concat!("lazycim ", env!("CARGO_PKG_VERSION"), " (")).expect(&version);
    let (commit, tls) = rest.trim_end().split_once(')').expect(&version);
    let is_hash = (7..=40).contains(&commit.len()) && commit.bytes().all(|b| b.is_ascii_hexdigit());
    assert!(is_hash || commit == "no commit", "{version}");
    assert_eq!(tls, ", TLS: rustls 0.23 with ring");
}

#[test]
fn urls_that_may_hold_a_password_are_never_repeated() {
    for url in [
        format!("cimxml+http://ann:{PASSWORD}@h"),
        format!("cimxml+http://h/?{PASSWORD}"),
        format!("cimxml+http://h/#{PASSWORD}"),
        format!("http://ann:{PASSWORD}@h"),
    ] {
        let ran = lazycim(&["--url", &url, "namespaces"]).expect_code(2);
        assert!(ran.stdout.is_empty() && ran.stderr.starts_with("lazycim: usage: --url: "), "{ran:?}");
        // Not even in the wrong place.
        lazycim(&[&url]).expect_failure(2, "where no URL is expected", "--url URL");
        lazycim(&["-s", &url, "namespaces"]).expect_failure(2, "a URL stands where a name is expected", "--url URL");
    }
}

#[test]
fn targets_that_cannot_be_are_usage_errors() {
    let url = "cimxml+https://h";
    lazycim(&["-s", "a", "--url", url, "namespaces"]).expect_code(2);
    lazycim(&["--tag", "web", "namespaces"]).expect_failure(2, "--tag web: no session has it", "no session has a tag");
    lazycim(&["--user", "ann", "namespaces"]).expect_failure(2, "this-computer: it takes no user", "--url URL");
    lazycim(&["--url", url, "--password-env", "PW", "namespaces"]).expect_failure(2, "no user", "--user USER");
    lazycim(&["--url", "cimxml+http://h", "--ca-file", "x", "namespaces"]).expect_failure(2, "has no TLS", "https");
    lazycim(&["-s", "nobody", "namespaces"]).expect_failure(2, "-s nobody: no session is called that", "sessions.toml");
}

#[test]
fn flags_about_a_server_are_refused_where_none_is_asked() {
    let serve = ["serve", "--user", "u", "--password-env", "PW"];
    let commands = [&["config", "path"][..], &["config", "check"], &["completions", "bash"], &serve];
    let flags: &[&[&str]] = &[
        &["-s", "x"],
        &["--url", "cimxml+https://h"],
        &["--tag", "lab"],
        &["--throttle", "2"],
        &["--pull", "on"],
        &["--allow-clear-text"],
        &["-n", "root/x"],
        &["--ca-file", "x"],
        &["--pin", "00"],
    ];
    for command in commands {
        for flag in flags {
            let pin = "00".repeat(32);
            let flag = if flag[0] == "--pin" { vec!["--pin", pin.as_str()] } else { flag.to_vec() };
            let ran = lazycim(&[command, &flag].concat());
            ran.expect_failure(2, &format!("{}: it takes no {}", command[0], flag[0]), "leave it out");
        }
    }
    for flag in [["--user", "u"], ["--password-env", "PW"], ["--auth", "basic"]] {
        let ran = lazycim(&[&["config", "show"], &flag[..]].concat());
        ran.expect_failure(2, &format!("config: it takes no {}", flag[0]), "leave it out");
    }
}

#[test]
fn arguments_are_checked_before_anything_is_done() {
    for arguments in [
        &["instances"][..],
        &["instances", "a b"],
        &["instances", "X", "--limit", "0"],
        &["instances", "X", "-p", "A,,B"],
        &["instances", "X", "-o", "mof"],
        &["namespaces", "-o", "xml"],
        &["instances", "X", "--filter-dialect", "cql"],
        &["instances", "X", "--pull", "sometimes"],
        &["instances", "X", "-p", "A", "--keys-only"],
        &["class", "X", "-o", "table"],
        &["namespaces", "--timeout", "0"],
        &["namespaces", "--connect-timeout", "soon"],
        &["namespaces", "-n", "//"],
        &["invoke", "X"],
    ] {
        let ran = lazycim(arguments).expect_code(2);
        assert!(ran.stdout.is_empty() && !ran.stderr.is_empty(), "{arguments:?}: {ran:?}");
    }
}

#[test]
fn paths_are_checked_before_anything_is_done() {
    let url = ["--url", "cimxml+https://web01.example:15989"];
    let get = |more: &[&str]| lazycim(&[&url, more].concat());
    get(&["get", "X.k="]).expect_failure(2, "PATH: not an object path", "quote it");
    get(&["get", "//other.example/root/cimv2:X.k=1"]).expect_failure(2, "`other.example` is not the session's", "-s");
    get(&["get", r"\\other.example\root\cimv2:X.k=1"]).expect_failure(2, "`other.example`", "leave the host out");
    get(&["get", "//web01.example:1/root/cimv2:X.k=1"]).expect_failure(2, "`web01.example:1`", "leave the host out");
    get(&["-n", "root/x", "get", "root/y:X.k=1"]).expect_failure(2, "namespace is root/y, but -n says root/x", "-n");
}

#[test]
fn secrets_that_are_missing_end_the_command() {
    let url = ["--url", "cimxml+https://ann@h.invalid"];
    lazycim(&[&url[..], &["--password-env", "LC_NO_SUCH_VARIABLE", "namespaces"]].concat()).expect_failure(
        2,
        "LC_NO_SUCH_VARIABLE: the environment variable is not set",
        "export",
    );
    // With a terminal it would ask there; tests/pty sees to that.
    if !has_terminal() {
        lazycim(&[&url[..], &["namespaces"]].concat()).expect_failure(2, "no secret for ann", "--password-env VAR");
    }
}

#[test]
fn the_terminal_ui_wants_a_terminal() {
    lazycim(&[]).expect_failure(2, "terminal", "");
}

#[test]
fn serve_needs_a_credential_and_tls_for_the_network() {
    lazycim(&["serve"]).expect_failure(2, "the user who may read", "--user USER --password-env VAR");
    lazycim(&["serve", "--user", "u"]).expect_failure(2, "password", "--password-env VAR");
    lazycim(&["serve", "--user", "u", "--password-env", "LC_NO_SUCH_VARIABLE"]).expect_failure(
        2,
        "is not set",
        "export",
    );
    lazycim(&["serve", "--user", "u:v", "--password-env", "PW"]).expect_failure(2, "cannot have a colon", "--user");
    lazycim(&["serve", "--user", "u", "--password-env", "PW", "-s", "x"]).expect_failure(2, "takes no -s", "leave");
    let open = ["serve", "--user", "u", "--password-env", "PW", "--listen", "0.0.0.0"];
    lazycim(&open).expect_failure(2, "reachable from the network", "--tls-cert F --tls-key F");
    lazycim(&["serve", "--user", "u", "--password-env", "PW", "--tls-cert", "x"]).expect_code(2);
}

#[test]
fn an_empty_password_variable_is_a_password() {
    // It gets past the secret and fails at the host.
    let home = Home::new();
    let arguments = ["--url", "cimxml+https://ann@h.invalid", "--password-env", "LC_EMPTY", "namespaces"];
    let ran = ran(home.command(&arguments).env("LC_EMPTY", "").output().unwrap()).expect_code(1);
    assert!(ran.stderr.starts_with("lazycim: resolve: h.invalid"), "{ran:?}");
}
