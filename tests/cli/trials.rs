//! `sessions test`, from outside: servers that answer, refuse, stall and are not there.

use std::{
    io::{BufRead, BufReader, Read},
    net::TcpListener,
};

use crate::support::{Home, Serve, in_process, kill, nobody, ran, session};

#[test]
fn one_session_is_tested_in_one_line() {
    let serve = Serve::start();
    let home = Home::new();
    home.write("sessions.toml", &format!("{}{}", session("web01", serve.port(), ""), session("gone", &nobody(), "")));
    let good = home.run(&["sessions", "test", "web", "-v"]).expect_code(0);
    assert!(good.stdout.starts_with("web01  ok      ") && good.stdout.ends_with(" ms\n"), "{good:?}");
    for phase in [" connect ", " send\n", " wait", " receive", " finished 0 rows, "] {
        assert!(good.stderr.contains(phase), "{phase}: {good:?}");
    }
    assert!(good.stderr.contains(", 1 opened, 1 closed, "), "{good:?}");
    let gone = home.run(&["sessions", "test", "gone"]).expect_failure(1, "lazycim: connect: 127.0.0.1:", "");
    assert!(gone.stdout.starts_with("gone  failed  ") && gone.stdout.ends_with(" ms  connect\n"), "{gone:?}");
    let here = home.run(&["sessions", "test", "this-computer"]).expect_code(0);
    assert!(here.stdout.starts_with("this-computer  ok "), "{here:?}");
    // A namespace the server has not got is an answer as well.
    home.run(&["sessions", "test", "web01", "-n", "root/nothing"]).expect_code(0);
    home.run(&["sessions", "test", "web01", "--password-env", "LC_NO_SUCH"]).expect_failure(2, "LC_NO_SUCH", "");
    home.run(&["sessions", "test"]).expect_failure(2, "one of NAME and --tag", "");
    home.run(&["sessions", "test", "web01", "--tag", "lab"]).expect_failure(2, "one of NAME and --tag", "");
    home.run(&["sessions", "test", "wbe01"]).expect_failure(2, "no session is called that", "`web01`");
}

#[test]
fn what_is_wrong_with_one_session_of_a_tag_is_told_at_the_end() {
    let serve = Serve::start();
    let home = Home::new();
    let good = serve.port();
    let wrong = "auth = { user = \"bob\", secret = \"env:PW\" }\n";
    let refused = session("refused", good, "").replace("auth = { user = \"ann\", secret = \"env:PW\" }\n", wrong);
    let unset = session("unset", good, "").replace("env:PW", "env:LC_NO_SUCH");
    let other = session("other", good, "").replace("lab", "prod");
    let text = [session("gone", &nobody(), ""), refused, unset, session("web01", good, ""), other].concat();
    home.write("sessions.toml", &text);
    let ran = home.run(&["sessions", "test", "--tag", "lab", "--throttle", "2"]).expect_code(1);
    let mut lines: Vec<&str> = ran.stdout.lines().map(|line| line.split(" ms").next().unwrap()).collect();
    lines.sort_unstable();
    let begins: Vec<String> =
        lines.iter().map(|line| line.split_whitespace().take(2).collect::<Vec<_>>().join(" ")).collect();
    assert_eq!(begins, ["gone failed", "refused failed", "unset failed", "web01 ok"]);
    for error in ["lazycim: gone: connect: ", "lazycim: refused: authenticate: ", "lazycim: unset: queue: "] {
        assert!(ran.stderr.contains(error), "{error}: {ran:?}");
    }
    assert_eq!(ran.stderr.lines().filter(|line| line.starts_with("try: ")).count(), 3, "{ran:?}");
    home.run(&["sessions", "test", "--tag", "lan"]).expect_failure(2, "--tag lan: no session has it", "lab, prod");
    home.run(&["sessions", "test", "--tag", "lab", "--throttle", "0"]).expect_code(2);
}

#[test]
fn two_hundred_sessions_are_tested() {
    let (server, _runtime) = in_process();
    let port = server.addr().port().to_string();
    let home = Home::new();
    home.write("sessions.toml", &(0..200).map(|n| session(&format!("s{n}"), &port, "")).collect::<String>());
    let ran = home.run(&["sessions", "test", "--tag", "lab"]).expect_code(0);
    let mut ids: Vec<&str> = ran.stdout.lines().map(|line| line.split_whitespace().next().unwrap()).collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!((ran.stdout.lines().count(), ids.len()), (200, 200));
}

#[test]
fn a_signal_ends_all_tests() {
    let stalled = TcpListener::bind("127.0.0.1:0").unwrap();
    let serve = Serve::start();
    let home = Home::new();
    let port = stalled.local_addr().unwrap().port().to_string();
    home.write("sessions.toml", &format!("{}{}", session("slow", &port, ""), session("web01", serve.port(), "")));
    let mut child = home.command(&["sessions", "test", "--tag", "lab"]).spawn().unwrap();
    let mut stdout = BufReader::new(child.stdout.take().unwrap());
    let mut line = String::new();
    stdout.read_line(&mut line).unwrap();
    assert!(line.starts_with("web01  ok"), "{line:?}");
    // The other one has connected and waits for its answer.
    let _held = stalled.accept().unwrap();
    kill(&child, rustix::process::Signal::INT);
    let ran = ran(child.wait_with_output().unwrap()).expect_code(130);
    stdout.read_to_string(&mut line).unwrap();
    assert!(line.lines().count() == 1 && ran.stderr.is_empty(), "{line:?} {ran:?}");
}
