//! A known password goes through every source, protocol and mechanism, and is found on no screen and in no file.

use std::{fs, os::unix::fs::PermissionsExt, path::Path};

use crossterm::event::Event;
use lazycim::{
    auth::Credentials,
    server::{self, ServerOptions},
    session::store::SessionsFile,
};

use super::{
    found::{CANARY, USER, assert_nowhere_in},
    harness::{Harness, Memory, event_of_text},
};

/// Where the password comes from, and for whom.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Source {
    Prompt,
    /// From the prompt, kept in the keyring.
    Kept,
    Keyring,
    Command,
    /// The proxy's, from a command.
    ProxyCommand,
    /// The proxy's, from the keyring.
    ProxyKeyring,
}

impl Source {
    const fn prompts(self) -> bool {
        matches!(self, Self::Prompt | Self::Kept)
    }

    /// The keys of the session that say so.
    fn keys(self, mechanism: &str, directory: &Path, proxy: u16) -> String {
        let command = format!("{{ command = [\"cat\", \"{}\"] }}", directory.join("password").display());
        let own =
            |secret: &str| format!("auth = {{ mechanism = \"{mechanism}\", user = \"{USER}\", secret = {secret} }}\n");
        let of_proxy = |secret: &str| {
            format!("proxy = {{ url = \"http://127.0.0.1:{proxy}\", user = \"{USER}\", secret = {secret} }}\n")
        };
        match self {
            Self::Prompt | Self::Kept => own("\"prompt\""),
            Self::Keyring => own("\"keyring\""),
            Self::Command => own(&command),
            Self::ProxyCommand => of_proxy(&command),
            Self::ProxyKeyring => of_proxy("\"keyring\""),
        }
    }
}

/// Types the password at the next prompt.
async fn give(harness: &mut Harness, source: Source) {
    let answered = |state: &lazycim::app::State| {
        let prompt = state.wants_secret().filter(|prompt| prompt.length == 0);
        prompt.is_some_and(|prompt| state.unkeepable(prompt.session).is_none())
    };
    harness.run_until(answered).await;
    if source == Source::Kept {
        harness.send_keys("ctrl-k");
    }
    harness.send(Event::Paste(CANARY.to_owned()));
    harness.run_until(|state| state.wants_secret().is_some_and(|prompt| prompt.length == CANARY.len())).await;
    assert_nowhere_in(&harness.screen(), "the prompt");
    harness.send(event_of_text("enter"));
    harness.run_until(|state| state.wants_secret().is_none()).await;
}

/// Signs in on a server that takes `password`, with the one that must be found nowhere, and looks at every pane and dialog.
async fn look_everywhere(password: &str, protocol: &str, mechanism: &str, source: Source) -> String {
    let credentials = Credentials { user: USER.to_owned(), secret: password.into() };
    let server = server::start(ServerOptions::loopback(credentials)).await.unwrap();
    let port = server.addr().port();
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("sessions.toml");
    let keys = source.keys(mechanism, directory.path(), port);
    let text = format!(
        "[[session]]\nid = \"lab\"\ncomputer = \"127.0.0.1\"\nprotocol = \"{protocol}\"\nport = {port}\n\
         tls = {{ use = false }}\n{keys}"
    );
    fs::write(&path, text).unwrap();
    fs::set_permissions(&path, PermissionsExt::from_mode(0o600)).unwrap();
    fs::write(directory.path().join("password"), format!("{CANARY}\n")).unwrap();
    let keyring = Memory::answering();
    if matches!(source, Source::Keyring | Source::ProxyKeyring) {
        keyring.0.lock().unwrap().as_mut().unwrap().insert(format!("{USER}@127.0.0.1:{port}"), CANARY.to_owned());
    }
    let mut harness = Harness::with_keyring(120, 40, SessionsFile::load(&path), keyring.clone());
    harness.run_until_idle().await;
    harness.send_keys("j enter");
    // The first is refused where the server takes another; so is the second.
    for _ in 0..if source.prompts() { 1 + usize::from(password != CANARY) } else { 0 } {
        give(&mut harness, source).await;
    }
    harness.run_until_idle().await;
    let mut screens = String::new();
    for keys in [
        "1", "1 y c", "1 Y", "2", "3", "4", "5", "5 enter", "z", "z", "L", "esc", "E", "esc", "?", "esc", "S", "esc",
        "1 e", "esc", "1 a", "esc",
    ] {
        harness.press(keys).await;
        assert_nowhere_in(&harness.screen(), keys);
        assert_nowhere_in(&format!("{:?}", harness.front.state()), "the state");
        screens.push_str(&harness.screen());
    }
    assert_nowhere_in(&harness.front.screen().copied.join("\n"), "the clipboard");
    assert_nowhere_in(&fs::read_to_string(&path).unwrap(), "sessions.toml");
    let kept = keyring.0.lock().unwrap().as_ref().unwrap().len();
    let holds =
        matches!(source, Source::Keyring | Source::ProxyKeyring) || (source == Source::Kept && password == CANARY);
    assert_eq!(kept, usize::from(holds), "{source:?}");
    screens
}

#[tokio::test]
async fn no_pane_shows_the_password_whether_it_is_taken_or_refused() {
    for (protocol, mechanism) in [("cimxml", "basic"), ("cimxml", "digest"), ("wsman", "basic"), ("wsman", "digest")] {
        for source in [Source::Prompt, Source::Kept, Source::Keyring, Source::Command] {
            let place = format!("{protocol} {mechanism} {source:?}");
            let taken = look_everywhere(CANARY, protocol, mechanism, source).await;
            assert!(taken.contains("EnumerateNamespaces  ok"), "{place}: {taken}");
            let refused = look_everywhere("another", protocol, mechanism, source).await;
            assert!(refused.contains("refused user and password") || source.prompts(), "{place}: {refused}");
            assert!(refused.contains("refused"), "{place}: {refused}");
        }
    }
}

/// The server itself stands where the proxy should: it is no proxy, and says so in its way.
#[tokio::test]
async fn no_pane_shows_the_password_of_a_proxy() {
    for protocol in ["cimxml", "wsman"] {
        for source in [Source::ProxyCommand, Source::ProxyKeyring] {
            let seen = look_everywhere(CANARY, protocol, "basic", source).await;
            assert!(seen.contains("EnumerateNamespaces  "), "{protocol} {source:?}: {seen}");
            assert!(!seen.contains("has no password"), "the proxy's was got: {seen}");
        }
    }
}
