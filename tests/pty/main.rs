//! The real program on a real terminal: it enters, it restores, it survives. Every test waits for what the screen shows.
#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout, clippy::print_stderr)]

#[cfg(target_os = "linux")]
#[path = "../support/canary.rs"]
mod found;
#[path = "../support/sockets.rs"]
mod sockets;
mod terminal;

use portable_pty::CommandBuilder;
use terminal::Terminal;

const SESSION: &str = "this-computer";

fn started(cols: u16, rows: u16, env: &[(&str, &str)]) -> Terminal {
    let terminal = Terminal::product(cols, rows, &[], env);
    terminal.wait_text(SESSION);
    terminal
}

#[test]
fn starts_shows_this_computer_and_quits_cleanly() {
    let mut terminal = started(80, 24, &[]);
    terminal.with_screen(|screen| {
        assert!(screen.alternate_screen());
        assert!(screen.hide_cursor());
        assert!(screen.bracketed_paste());
    });
    assert!(terminal.is_raw());
    terminal.send("\u{11}"); // ctrl-q
    assert_eq!(terminal.wait_end(), 0);
    terminal.assert_restored();
    assert!(terminal.raw().contains("\u{1b}[?2026h"), "frames are synchronized updates");
    assert!(terminal.raw().contains("\u{1b}[23;2t"), "the title is given back");
}

#[test]
fn q_on_a_layer_closes_the_layer_and_then_quits() {
    let mut terminal = started(80, 24, &[]);
    terminal.send("?");
    terminal.wait_text("Help");
    terminal.send("\u{1b}");
    terminal.wait("no help", |screen| !screen.contents().contains("Help"));
    terminal.send("q");
    assert_eq!(terminal.wait_end(), 0);
    terminal.assert_restored();
}

/// The promise of the product, seen from outside the real program: it holds no connection before its first operation, nor
/// after any.
#[cfg(target_os = "linux")]
#[test]
fn no_connection_stands_before_between_and_after_operations() {
    let mut terminal = started(120, 40, &[]);
    let pid = terminal.pid();
    assert_eq!(sockets::tcp_sockets(pid).unwrap(), [], "nothing was asked, so not even the embedded server listens");
    for (keys, shows) in [
        ("\r", "root/interop"),
        ("j\r", "CIM_ManagedElement"),
        (":LC_Process\r", "LC_Process · "),
        ("\r", "Detail · LC_Process"),
    ] {
        terminal.send(keys);
        terminal.wait(shows, |screen| {
            let contents = screen.contents();
            contents.contains(shows) && contents.contains("idle, no connections")
        });
        sockets::wait_for_rest(pid, shows);
    }
    assert!(sockets::tcp_sockets(pid).unwrap().iter().all(sockets::Socket::listens));
    terminal.send("\u{11}");
    assert_eq!(terminal.wait_end(), 0);
}

#[test]
fn sigterm_and_sighup_restore_and_say_why() {
    for (signal, code) in [("TERM", 143), ("HUP", 129)] {
        let mut terminal = started(80, 24, &[]);
        terminal.signal(signal);
        assert_eq!(terminal.wait_end(), code, "{signal}");
        terminal.assert_restored();
        assert!(terminal.with_screen(|screen| screen.contents().contains(&format!("SIG{signal}"))));
    }
}

#[test]
fn ctrl_z_gives_the_terminal_back_and_fg_draws_again() {
    let mut shell = CommandBuilder::new("bash");
    shell.args(["--norc", "--noprofile", "-i"]);
    let mut terminal = Terminal::start(80, 24, shell, &[("PS1", "ready> ")]);
    terminal.wait_text("ready>");
    terminal.send(&format!("{}\n", env!("CARGO_BIN_EXE_lazycim")));
    terminal.wait_text(SESSION);
    terminal.wait("the alternate screen", vt100::Screen::alternate_screen);
    terminal.send("\u{1a}");
    terminal.wait("the shell's screen", |screen| !screen.alternate_screen() && screen.contents().contains("Stopped"));
    terminal.wait("the cursor", |screen| !screen.hide_cursor());
    terminal.send("fg\n");
    terminal.wait("the screen again", |screen| screen.alternate_screen() && screen.contents().contains(SESSION));
    // Keys arrive again, and at the program.
    terminal.send("?");
    terminal.wait_text("Help");
    terminal.send("\u{11}");
    terminal.wait("the shell again", |screen| !screen.alternate_screen());
    terminal.send("exit\n");
    terminal.wait_end();
    terminal.assert_restored();
}

#[test]
fn a_session_is_removed_when_the_answer_is_yes() {
    let home = tempfile::tempdir().unwrap();
    let file = home.path().join("sessions.toml");
    let entry = "[[session]]\nid = \"web01\"\ncomputer = \"h.example\"\n";
    std::fs::write(&file, entry).unwrap();
    let env = [("LAZYCIM_CONFIG_DIR", home.path().to_str().unwrap())];
    for (answer, code, left) in [("\n", 1, entry), ("no\n", 1, entry), ("y\n", 0, "")] {
        let mut terminal = Terminal::product(120, 24, &["sessions", "remove", "web01"], &env);
        terminal.wait_text("Remove the session `web01` (cimxml+https://h.example)? [y/N]");
        terminal.send(answer);
        assert_eq!(terminal.wait_end(), code, "{answer:?}");
        let now = std::fs::read_to_string(&file).unwrap();
        assert_eq!(now.strip_prefix("version = 1\n").unwrap_or(&now).trim(), left.trim(), "{answer:?}");
    }
}

/// A server that lets `ann` in with the password `Sw0rdf1sh`, and what it runs on.
fn served() -> (lazycim::server::RunningServer, tokio::runtime::Runtime) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let credentials = lazycim::server::Credentials { user: "ann".to_owned(), secret: "Sw0rdf1sh".to_owned().into() };
    let options = lazycim::server::ServerOptions::loopback(credentials);
    (runtime.block_on(lazycim::server::start(options)).unwrap(), runtime)
}

/// A home with sessions of these ids on `server`, all with the tag `lab`, whose password is asked for.
fn lab(server: &lazycim::server::RunningServer, ids: &[&str]) -> tempfile::TempDir {
    let home = tempfile::tempdir().unwrap();
    let session = |id: &&str| {
        format!(
            "[[session]]\nid = \"{id}\"\ncomputer = \"127.0.0.1\"\nport = {}\ntls = {{ use = false }}\n\
             auth = {{ user = \"ann\" }}\ntags = [\"lab\"]\n",
            server.addr().port()
        )
    };
    std::fs::write(home.path().join("sessions.toml"), ids.iter().map(session).collect::<String>()).unwrap();
    home
}

/// Answers so many questions as they come, one at a time; that of the session `refused` with the end of the input.
fn give_passwords(terminal: &mut Terminal, count: usize, refused: &str) {
    for asked in 1..=count {
        let is_question = |line: &&str| line.starts_with("Password of ann for ");
        terminal.wait("a question", |screen| {
            let contents = screen.contents();
            contents.lines().filter(is_question).count() == asked && contents.trim_end().ends_with(':')
        });
        let question = terminal.with_screen(|screen| screen.contents().trim_end().lines().last().unwrap().to_owned());
        assert!(is_question(&question.as_str()), "{question}");
        terminal.send(if question.contains(&format!(" {refused}:")) { "\u{4}" } else { "Sw0rdf1sh\n" });
    }
}

#[test]
fn a_password_that_is_not_given_fails_its_own_session_alone() {
    let (server, _runtime) = served();
    let home = lab(&server, &["one", "two"]);
    let env = [("LAZYCIM_CONFIG_DIR", home.path().to_str().unwrap())];
    let mut terminal = Terminal::product(120, 24, &["sessions", "test", "--tag", "lab"], &env);
    give_passwords(&mut terminal, 2, "one");
    assert_eq!(terminal.wait_end(), 1);
    terminal.with_screen(|screen| {
        let contents = screen.contents();
        assert!(contents.contains("one  failed  ") && contents.contains("two  ok  "), "{contents}");
        assert!(contents.contains("lazycim: one: queue: ") && !contents.contains("lazycim: two"), "{contents}");
        assert!(!contents.contains("Sw0rdf1sh"), "{contents}");
    });
}

#[test]
fn a_tag_asks_for_one_password_after_the_other_and_reads_with_those_it_got() {
    let (server, _runtime) = served();
    let home = lab(&server, &["one", "two", "three"]);
    let env = [("LAZYCIM_CONFIG_DIR", home.path().to_str().unwrap())];
    let command = ["--tag", "lab", "instances", "LC_OperatingSystem", "-p", "Name"];
    let mut terminal = Terminal::product(120, 24, &command, &env);
    give_passwords(&mut terminal, 3, "two");
    assert_eq!(terminal.wait_end(), 1);
    terminal.with_screen(|screen| {
        let contents = screen.contents();
        let row = |name: &str| contents.lines().any(|line| line.split_whitespace().eq([name, "Linux"]));
        assert!(row("one") && row("three") && !row("two"), "{contents}");
        assert!(contents.contains("lazycim: two: queue: ") && !contents.contains("lazycim: one"), "{contents}");
        assert!(!contents.contains("Sw0rdf1sh"), "{contents}");
    });
}

/// The program, editing the session `web01` of `home` with the shell commands `editor`, which find the copy in `$1`.
fn editing(home: &std::path::Path, editor: &str) -> Terminal {
    std::fs::write(home.join("editor.sh"), editor).unwrap();
    let editor = format!("sh {}/editor.sh", home.display());
    let env = [
        ("LAZYCIM_CONFIG_DIR", home.to_str().unwrap()),
        ("TMPDIR", home.to_str().unwrap()),
        ("SEEN", home.to_str().unwrap()),
        ("VISUAL", ""),
        ("EDITOR", &editor),
    ];
    Terminal::product(120, 24, &["sessions", "edit", "web01"], &env)
}

#[test]
fn a_session_is_edited_in_the_users_editor() {
    let home = tempfile::tempdir().unwrap();
    let file = home.path().join("sessions.toml");
    let before =
        "# mine\n[[session]]\nid = \"web01\"\ncomputer = \"h.example\"\n\n[[session]]\nid = \"db\"\ncomputer = \"d\"\n";
    std::fs::write(&file, before).unwrap();
    let text = || std::fs::read_to_string(&file).unwrap();
    let copies = || {
        let names = std::fs::read_dir(home.path()).unwrap().map(|entry| entry.unwrap().file_name());
        names.filter(|name| name.to_string_lossy().starts_with("lazycim-")).count()
    };

    let mut terminal = editing(home.path(), "exit 3");
    assert_eq!(terminal.wait_end(), 1);
    assert!(terminal.raw().contains("ended with exit status: 3: nothing is changed"), "{}", terminal.raw());
    let mut terminal = editing(home.path(), "true");
    assert_eq!(terminal.wait_end(), 0);
    assert!(terminal.raw().contains("nothing is changed"), "{}", terminal.raw());
    assert_eq!((text().as_str(), copies()), (before, 0));

    // A mistake is shown with its place and edited away, or given up.
    let wrong_first = "stat -c %a \"$1\" > $SEEN/mode\nif test -e $SEEN/once; then sed -i s/prt/port/ \"$1\"; else echo 'prt = 5990' >> \"$1\"; fi\ntouch $SEEN/once";
    for (answer, code) in [("n\n", 1), ("\n", 0)] {
        let _ = std::fs::remove_file(home.path().join("once"));
        let mut terminal = editing(home.path(), wrong_first);
        terminal.wait_text("Edit it again? [Y/n]");
        assert_eq!(text(), before);
        terminal.with_screen(|screen| {
            let contents = screen.contents();
            assert!(contents.contains(".toml:5:1: unknown key `prt`"), "{contents}");
            assert!(contents.contains("try: did you mean `port`?"), "{contents}");
        });
        terminal.send(answer);
        assert_eq!(terminal.wait_end(), code, "{answer:?}: {}", terminal.raw());
    }
    assert_eq!(text(), before.replacen("h.example\"\n", "h.example\"\nport = 5990\n", 1));
    assert_eq!(std::fs::read_to_string(home.path().join("mode")).unwrap(), "600\n");
    assert_eq!(copies(), 0);

    // Somebody else changed another session meanwhile, and then the same one.
    let elsewhere = "sed -i s/5990/5991/ \"$1\"; sed -i 's/\"d\"/\"d2\"/' $SEEN/sessions.toml";
    assert_eq!(editing(home.path(), elsewhere).wait_end(), 0);
    assert!(text().contains("port = 5991\n") && text().contains("computer = \"d2\"\n"), "{}", text());
    let same = "sed -i s/5991/5992/ \"$1\"; sed -i s/5991/1/ $SEEN/sessions.toml";
    let mut terminal = editing(home.path(), same);
    assert_eq!(terminal.wait_end(), 2);
    assert!(terminal.raw().contains("somebody else changed the session `web01` meanwhile"), "{}", terminal.raw());
    assert!(text().contains("port = 1\n") && terminal.raw().contains("your version is in "), "{}", text());
    assert_eq!(copies(), 1);
}

#[test]
fn without_a_terminal_it_says_so_in_plain_text() {
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_lazycim"))
        .stdin(std::process::Stdio::null())
        .env("LAZYCIM_CONFIG_DIR", tempfile::tempdir().unwrap().path())
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(output.stdout.is_empty());
    let told = String::from_utf8(output.stderr).unwrap();
    assert!(told.contains("not a terminal"), "{told}");
    assert!(!told.contains('\u{1b}'), "{told:?}");
}

#[test]
fn a_dumb_terminal_gets_plain_text() {
    let mut terminal = Terminal::product(80, 24, &[], &[("TERM", "dumb")]);
    assert_eq!(terminal.wait_end(), 2);
    let raw = terminal.raw();
    assert!(raw.contains("TERM=dumb"), "{raw}");
    assert!(!raw.contains('\u{1b}'), "{raw:?}");
}

#[test]
fn no_color_keeps_the_selection_visible_and_uses_no_colour() {
    let terminal = started(80, 24, &[("NO_COLOR", "1")]);
    terminal.wait("a reversed row", |screen| {
        (0..24).any(|row| (0..80).any(|col| screen.cell(row, col).is_some_and(vt100::Cell::inverse)))
    });
    terminal.with_screen(|screen| {
        for row in 0..24 {
            for col in 0..80 {
                let cell = screen.cell(row, col).unwrap();
                assert_eq!(cell.fgcolor(), vt100::Color::Default, "at {row},{col}");
                assert_eq!(cell.bgcolor(), vt100::Color::Default, "at {row},{col}");
            }
        }
    });
}

#[test]
fn a_storm_of_resizes_ends_on_a_whole_screen() {
    let mut terminal = started(80, 24, &[]);
    for step in 0..60_u16 {
        terminal.resize(1 + (step * 37) % 180, 1 + (step * 13) % 50);
    }
    terminal.resize(100, 30);
    terminal.wait("the frame at the right edge", |screen| {
        let contents = screen.contents();
        contents.contains(SESSION) && contents.lines().any(|line| line.chars().count() == 100)
    });
    terminal.send("\u{11}");
    assert_eq!(terminal.wait_end(), 0);
}

#[test]
fn a_pasted_newline_does_not_submit() {
    let mut terminal = started(80, 24, &[]);
    terminal.send(":");
    terminal.send("\u{1b}[200~qui\nt\n\u{1b}[201~");
    // Had the newline submitted, `:qui` would be gone from the screen (and be an unknown command).
    terminal.wait_text("qui t");
    terminal.send("\u{1b}\u{11}");
    assert_eq!(terminal.wait_end(), 0);
}

#[test]
fn a_panic_restores_the_terminal_before_its_message() {
    let mut command = CommandBuilder::new(std::env::current_exe().unwrap());
    command.args(["--exact", "panics_on_the_screen", "--ignored", "--nocapture", "--test-threads=1"]);
    let mut terminal = Terminal::start(80, 24, command, &[]);
    assert_ne!(terminal.wait_end(), 0);
    terminal.assert_restored();
    let raw = terminal.raw();
    let left = raw.find("\u{1b}[?1049l").expect("left the alternate screen");
    let told = raw.find("the screen fell over").expect("the message");
    assert!(left < told, "{raw:?}");
    assert!(!terminal.with_screen(|screen| screen.contents().contains("half a frame")));
    assert!(raw.contains("Credentials(..)"), "{raw:?}");
    found::assert_nowhere_in(&raw, "the panic message");
}

/// The child of the test above: enters the terminal as the program does and panics in the middle of a frame.
#[test]
#[ignore = "run by a_panic_restores_the_terminal_before_its_message on a terminal of its own"]
fn panics_on_the_screen() {
    use lazycim::tui::{run::Screen, terminal::Tty};
    lazycim::tui::terminal::install_panic_hook();
    let credentials = lazycim::auth::Credentials { user: found::USER.to_owned(), secret: found::CANARY.into() };
    let mut tty = Tty::open(true, "lazycim").unwrap();
    tty.draw(|frame| {
        frame.buffer_mut().set_string(0, 0, "half a frame", ratatui::style::Style::new());
        panic!("the screen fell over with {credentials:?}");
    })
    .unwrap();
}
