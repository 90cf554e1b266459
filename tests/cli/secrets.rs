//! Passwords from commands, from outside.

use std::{io::Write, os::unix::fs::PermissionsExt, process::Stdio};

use crate::support::{Home, PASSWORD, Ran, Serve, ran};

/// A home with the session `web` on `serve`, whose password comes from `secret`.
fn home(serve: &Serve, secret: &str) -> Home {
    let home = Home::new();
    let port = serve.url.rsplit(':').next().unwrap().trim_end_matches('/');
    let port = port.split('/').next().unwrap();
    home.write(
        "sessions.toml",
        &format!(
            "# mine\n[[session]]\nid = \"web\"\ncomputer = \"127.0.0.1\"\nport = {port}\ntls = {{ use = false }}\n\
             auth = {{ user = \"ann\", secret = {secret} }} # theirs\n"
        ),
    );
    allow(&home, 0o600);
    home
}

fn allow(home: &Home, mode: u32) {
    std::fs::set_permissions(home.path().join("sessions.toml"), PermissionsExt::from_mode(mode)).unwrap();
}

#[test]
fn a_command_gives_the_password() {
    let serve = Serve::start();
    let ran = home(&serve, "{ command = [\"printenv\", \"PW\"] }").run(&["-s", "web", "namespaces"]).expect_code(0);
    assert!(ran.stdout.contains("root/cimv2"), "{ran:?}");
    home(&serve, "{ command = [\"printenv\", \"PW\"] }").run(&["sessions", "test", "web"]).expect_code(0);
}

#[test]
fn a_command_that_gives_none_ends_with_2_and_says_what_to_do() {
    let serve = Serve::start();
    let run = |secret| home(&serve, secret).run(&["-s", "web", "-v", "namespaces"]);
    let shell = run("{ command = [\"printenv PW; exit 4\"], shell = true }").expect_code(2);
    let said = "the shell command \"printenv ...\" failed: exit status: 4: what it printed is not shown: it may be a password\ntry: run it in a shell";
    assert!(shell.stderr.contains(said), "{shell:?}");
    let slow = run("{ command = [\"sleep\", \"1000\"], timeout = 0.05 }").expect_code(2);
    let said = "the command \"sleep\" took longer than 50ms and was ended: it hangs, or waits for somebody\ntry: ";
    assert!(slow.stderr.contains(said), "{slow:?}");
}

#[test]
fn no_command_runs_from_a_file_that_others_may_write() {
    let serve = Serve::start();
    let home = home(&serve, "{ command = [\"printenv\", \"PW\"] }");
    allow(&home, 0o666);
    let ran = home.run(&["-s", "web", "namespaces"]);
    ran.expect_failure(2, "sessions.toml: everybody may write it", "chmod go-w ");
    // The other sources are as good as before.
    home.run(&["-s", "web", "--password-env", "PW", "namespaces"]).expect_code(0);
}

#[test]
fn a_command_that_came_with_an_import_runs_when_it_was_confirmed() {
    let serve = Serve::start();
    let home = home(&serve, "{ command = [\"printenv\", \"PW\"], confirmed = false }");
    let file = home.path().join("sessions.toml");
    let before = std::fs::read_to_string(&file).unwrap();
    let confirm = "lazycim sessions confirm";
    home.run(&["-s", "web", "namespaces"]).expect_failure(
        2,
        "the command \"printenv\" is inactive: it came with an import",
        confirm,
    );

    let shown = "command for the password of web: \"printenv\" \"PW\"\n";
    let asked = home.run(&["sessions", "confirm", "web"]).expect_code(2);
    assert!(
        asked.stderr.starts_with(shown) && asked.stderr.contains("try: read the command, then run this"),
        "{asked:?}"
    );
    assert_eq!(std::fs::read_to_string(&file).unwrap(), before);

    let confirmed = home.run(&["sessions", "confirm", "web", "--yes"]).expect_code(0);
    assert_eq!(confirmed.stderr, format!("{shown}confirmed: web\n"));
    let after = std::fs::read_to_string(&file).unwrap();
    assert!(after.contains("# mine") && !after.contains("confirmed"), "{after}");
    home.run(&["-s", "web", "namespaces"]).expect_code(0);

    let again = home.run(&["sessions", "confirm", "web", "--yes"]);
    again.expect_failure(2, "it has no command that waits to be confirmed", "nothing need be done");
    home.run(&["sessions", "confirm", "this-computer"]).expect_failure(2, "needs no password", "a saved session");
}

#[test]
fn an_inherited_command_is_confirmed_where_it_stands() {
    let home = Home::new();
    let auth = "auth = { user = \"ann\", secret = { command = [\"x\"], confirmed = false } }";
    let proxy = "proxy = { url = \"http://px:1\", user = \"p\", secret = { command = [\"y\"], confirmed = false } }";
    let below = "[[session]]\nid = \"kid\"\ninherits = \"web\"\n";
    home.write("sessions.toml", &format!("[[session]]\nid = \"web\"\ncomputer = \"h\"\n{auth}\n{proxy}\n{below}"));
    let kid = home.run(&["sessions", "confirm", "kid", "--yes"]);
    kid.expect_failure(2, "is inherited from web", "lazycim sessions confirm web");
    let both = home.run(&["sessions", "confirm", "web", "--yes"]).expect_code(0);
    assert!(both.stderr.contains("\"x\"\n") && both.stderr.contains("proxy's password of web: \"y\"\n"), "{both:?}");
    let after = std::fs::read_to_string(home.path().join("sessions.toml")).unwrap();
    assert!(!after.contains("confirmed"), "{after}");
}

#[test]
fn a_password_in_the_file_is_refused_with_the_fix() {
    for key in ["secret", "password", "passwd", "pass", "pwd"] {
        let home = Home::new();
        let auth = format!("auth = {{ user = \"ann\", {key} = \"{PASSWORD}\" }}");
        home.write("sessions.toml", &format!("[[session]]\nid = \"web\"\ncomputer = \"h\"\n{auth}\n"));
        let ran = home.run(&["-s", "web", "namespaces"]).expect_code(2);
        assert!(ran.stderr.contains("env:VAR") && ran.stderr.contains("prompt"), "{key}: {ran:?}");
    }
}

/// A home with the session `web`, whose password comes from `secret`, on a computer nobody connects to.
fn kept(secret: &str) -> Home {
    let home = Home::new();
    let auth = format!("auth = {{ user = \"ann\", secret = {secret} }}");
    home.write("sessions.toml", &format!("[[session]]\nid = \"web\"\ncomputer = \"192.0.2.1\"\n{auth}\n"));
    home
}

/// Runs a command with `text` on its stdin.
fn told(home: &Home, arguments: &[&str], text: &[u8]) -> Ran {
    let mut child = home.command(arguments).stdin(Stdio::piped()).spawn().unwrap();
    // One that does not read it has closed it.
    let _ = child.stdin.take().unwrap().write_all(text);
    ran(child.wait_with_output().unwrap())
}

#[cfg(target_os = "linux")]
#[test]
fn where_no_keyring_answers_the_error_says_what_else_there_is() {
    let others = "auth.secret = \"prompt\", \"env:VAR\" or { command = [...] } in the session";
    let home = kept("\"keyring\"");
    let before = std::fs::read(home.path().join("sessions.toml")).unwrap();
    home.run(&["-s", "web", "namespaces"]).expect_failure(2, "queue: 192.0.2.1:5989: no keyring answers", others);
    home.run(&["sessions", "secret", "forget", "web"]).expect_failure(2, "no keyring answers", others);
    let line = format!("{PASSWORD}\n");
    for more in [&[][..], &["--use"]] {
        let set = [&["sessions", "secret", "set", "web"], more].concat();
        told(&home, &set, line.as_bytes()).expect_failure(2, "no keyring answers", others);
    }
    assert_eq!(std::fs::read(home.path().join("sessions.toml")).unwrap(), before);
}

#[test]
fn a_password_for_the_keyring_is_one_line_of_text_for_a_user() {
    let home = kept("\"prompt\"");
    let set = ["sessions", "secret", "set", "web"];
    let how = "one line on a terminal or on stdin";
    told(&home, &set, b"").expect_failure(2, "ann@192.0.2.1:5989: no password was given", how);
    told(&home, &set, b"\n").expect_failure(2, "the password is empty", how);
    told(&home, &set, b"\xff\n").expect_failure(2, "UTF-8", how);
    told(&home, &set, &[b'a'; 5000]).expect_failure(2, "at most 4096 bytes", how);
    home.run(&["sessions", "secret", "set", "we"]).expect_failure(2, "no session is called that", "web");
    home.run(&["sessions", "secret", "set", "web", "--proxy"]).expect_failure(2, "knows no user", "in its proxy");
    home.run(&["sessions", "secret", "forget", "this-computer"]).expect_failure(2, "always there", "a saved session");
    home.write("sessions.toml", "[[session]]\nid = \"web\"\ncomputer = \"192.0.2.1\"\n");
    home.run(&set).expect_failure(2, "it has no user", "lazycim sessions edit web --set auth.user=USER");
}
