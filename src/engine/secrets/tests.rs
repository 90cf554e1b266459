#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::{os::unix::fs::PermissionsExt, path::PathBuf, sync::Arc, time::Duration};

use secrecy::ExposeSecret;

use super::{system::NoKeyring, *};
use crate::session::{HttpProxy, Proxy, Target};

/// A configuration directory of the user's alone.
struct Bench {
    dir: tempfile::TempDir,
    file: PathBuf,
}

impl Bench {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("sessions.toml");
        std::fs::write(&file, "version = 1\n").unwrap();
        let bench = Self { dir, file };
        bench.allow(0o600, 0o700);
        bench
    }

    fn allow(&self, file: u32, dir: u32) {
        std::fs::set_permissions(&self.file, PermissionsExt::from_mode(file)).unwrap();
        std::fs::set_permissions(self.dir.path(), PermissionsExt::from_mode(dir)).unwrap();
    }

    async fn get(&self, command: SecretCommand) -> Result<String, OpError> {
        let source = SecretSource::Command(command);
        let wanted = Wanted { source: &source, user: "ann", target: "h:1".to_owned(), account: None };
        wanted
            .get(Sources { file: Some(&self.file), keyring: &no_keyring() })
            .await
            .map(|secret| secret.expose_secret().to_owned())
    }

    /// Why `command` gives no secret: what is seen and the hint.
    async fn refused(&self, command: SecretCommand) -> (String, String) {
        let error = self.get(command).await.unwrap_err();
        assert_eq!((&error.kind, error.target.as_str()), (&ErrorKind::SecretMissing, "h:1"));
        (error.causes[0].clone(), error.hint)
    }

    /// A pipe with a name, which tells when all who hold it open are gone.
    fn pipe(&self) -> PathBuf {
        let pipe = self.dir.path().join("pipe");
        let made = std::process::Command::new("mkfifo").arg(&pipe).status().unwrap();
        assert!(made.success());
        pipe
    }
}

/// What a lazycim without the keyring asks.
fn no_keyring() -> KeyringClient {
    KeyringClient::new(Arc::new(NoKeyring))
}

fn words(words: &[&str]) -> SecretCommand {
    let words = words.iter().map(|word| (*word).to_owned()).collect();
    SecretCommand { words, shell: false, timeout: SecretCommand::TIMEOUT, confirmed: true }
}

fn line(line: &str) -> SecretCommand {
    SecretCommand { shell: true, ..words(&[line]) }
}

#[tokio::test]
async fn the_first_line_is_the_secret_and_only_a_shell_reads_more_into_the_words() {
    let bench = Bench::new();
    let literal = "a b;$(id)'\"";
    assert_eq!(bench.get(words(&["printf", "%s", literal])).await.unwrap(), literal);
    assert_eq!(bench.get(words(&["printf", " s p \\r\\nuser: ann\\n"])).await.unwrap(), " s p ");
    assert_eq!(bench.get(line("x=one; echo $x | tr a-z A-Z")).await.unwrap(), "ONE");
    assert_eq!(bench.get(line("cat; echo no input")).await.unwrap(), "no input");
}

#[tokio::test]
async fn a_command_that_gives_no_secret_is_named_and_what_it_printed_is_not() {
    let bench = Bench::new();
    let missing = bench.refused(words(&["lazycim-no-such", "x"])).await;
    assert_eq!(missing.0, "the command \"lazycim-no-such\" was not found");
    assert!(missing.1.contains("install it"), "{missing:?}");
    let cases = [
        (words(&["true"]), "the command \"true\" printed nothing in its first line"),
        (line("echo; echo hunter2"), "the shell command \"echo; ...\" printed nothing in its first line"),
        (line("echo hunter2; echo hunter2 >&2; exit 3"), "the shell command \"echo ...\" failed: exit status: 3"),
        (line("kill -9 $$"), "the shell command \"kill ...\" failed: signal: 9 (SIGKILL)"),
        (words(&["printf", "hunter2\\377"]), "the command \"printf\" printed what is not UTF-8"),
        (line("yes hunter2"), "the shell command \"yes ...\" printed more than 16384 bytes"),
    ];
    for (command, expected) in cases {
        let (cause, hint) = bench.refused(command).await;
        assert_eq!(cause, expected);
        assert!(hint.contains("in a shell") && !hint.contains("hunter2"), "{hint}");
    }
    let directory = bench.refused(words(&["/"])).await;
    assert!(directory.0.starts_with("the command \"/\" cannot be started: "), "{directory:?}");
}

#[tokio::test(start_paused = true)]
async fn a_command_that_hangs_is_ended_with_all_it_started() {
    let bench = Bench::new();
    let pipe = bench.pipe();
    let command = line(&format!("exec 3> {}; sleep 1000 & sleep 1000", pipe.display()));
    // Time stands still while somebody waits for the pipe, which is until the command runs.
    let opened = tokio::task::spawn_blocking(move || std::fs::File::open(pipe));
    let (refused, opened) = tokio::join!(bench.refused(command), opened);
    assert_eq!(refused.0, "the shell command \"exec ...\" took longer than 10s and was ended");
    assert!(refused.1.contains("timeout"), "{refused:?}");
    everybody_is_gone(opened.unwrap().unwrap());
}

#[tokio::test(start_paused = true)]
async fn a_command_nobody_waits_for_is_ended_with_all_it_started() {
    let bench = Bench::new();
    let pipe = bench.pipe();
    let command = line(&format!("exec 3> {}; sleep 1000 & sleep 1000", pipe.display()));
    let opened = tokio::task::spawn_blocking(move || std::fs::File::open(pipe));
    let opened = tokio::select! {
        biased;
        opened = opened => opened,
        got = bench.get(command) => panic!("it ended: {got:?}"),
    };
    everybody_is_gone(opened.unwrap().unwrap());
}

/// The pipe ends when the last process that can write into it has died.
fn everybody_is_gone(mut pipe: std::fs::File) {
    assert_eq!(std::io::Read::read_to_end(&mut pipe, &mut Vec::new()).unwrap(), 0);
}

#[tokio::test]
async fn no_command_runs_from_a_file_that_others_may_write() {
    let bench = Bench::new();
    let (file, dir) = (bench.file.display().to_string(), bench.dir.path().display().to_string());
    let ran = bench.dir.path().join("ran");
    let command = || line(&format!("touch {}; echo s", ran.display()));
    let cases = [
        ((0o620, 0o700), &file, "its group may write it"),
        ((0o606, 0o700), &file, "everybody may write it"),
        ((0o600, 0o770), &dir, "its group may write it"),
        ((0o600, 0o777), &dir, "everybody may write it"),
    ];
    for ((of_file, of_dir), place, cause) in cases {
        bench.allow(of_file, of_dir);
        let (said, hint) = bench.refused(command()).await;
        assert_eq!(said, format!("the shell command \"touch ...\" is not run: {place}: {cause}"));
        assert_eq!(hint, format!("chmod go-w {place}"));
    }
    assert!(!ran.exists());
    // What the hint says helps at once.
    bench.allow(0o644, 0o755);
    assert_eq!(bench.get(command()).await.unwrap(), "s");
    assert!(ran.exists());
}

#[tokio::test]
async fn a_linked_file_is_as_safe_as_what_it_leads_to() {
    let (bench, far) = (Bench::new(), Bench::new());
    std::fs::remove_file(&bench.file).unwrap();
    std::os::unix::fs::symlink(&far.file, &bench.file).unwrap();
    assert_eq!(bench.get(words(&["echo", "s"])).await.unwrap(), "s");
    far.allow(0o600, 0o777);
    assert!(bench.refused(words(&["echo", "s"])).await.0.contains("everybody may write it"));
    far.allow(0o600, 0o700);
    std::fs::set_permissions(bench.dir.path(), PermissionsExt::from_mode(0o777)).unwrap();
    assert!(bench.refused(words(&["echo", "s"])).await.0.contains("everybody may write it"));
}

#[tokio::test]
async fn a_command_that_was_not_confirmed_or_stands_in_no_file_does_not_run() {
    let bench = Bench::new();
    let ran = bench.dir.path().join("ran");
    let touch = words(&["touch", ran.to_str().unwrap()]);
    let (cause, hint) = bench.refused(SecretCommand { confirmed: false, ..touch.clone() }).await;
    assert_eq!(cause, "the command \"touch\" is inactive");
    assert!(hint.contains("lazycim sessions confirm"), "{hint}");
    let source = SecretSource::Command(touch);
    for (file, why) in [(None, "it stands in no sessions.toml"), (Some(ran.as_path()), "cannot be found out")] {
        let wanted = Wanted { source: &source, user: "ann", target: "h:1".to_owned(), account: None };
        let error = wanted.get(Sources { file, keyring: &no_keyring() }).await.unwrap_err();
        assert!(error.cause().contains(why), "{}", error.cause());
    }
    assert!(!ran.exists());
}

#[tokio::test]
async fn a_proxys_secret_that_would_have_to_be_asked_for_says_what_can_be_written() {
    let wanted = Wanted { source: &SecretSource::Prompt, user: "ann", target: "h:1".to_owned(), account: None };
    let error = wanted.get(Sources { file: None, keyring: &no_keyring() }).await.unwrap_err();
    assert!(error.kind == ErrorKind::SecretMissing && error.hint.contains("env:VAR"), "{error:?}");
}

#[test]
fn an_account_names_where_the_secret_goes() {
    let proxy = HttpProxy { user: Some("px".to_owned()), ..HttpProxy::at("http://PX.example:3128").unwrap() };
    let target = |computer: Option<&str>, user: Option<&str>| Target {
        computer: computer.map(str::to_owned),
        port: 5989,
        user: user.map(str::to_owned),
        proxy: Proxy::Http(proxy.clone()),
        ..Target::this_computer()
    };
    let name = |target: &Target, of_proxy| Account::of(target, of_proxy).map(|account| account.name().to_owned());
    let web = target(Some("Web01"), Some("CORP\\Ann"));
    assert_eq!(name(&web, false).unwrap(), "CORP\\Ann@web01:5989");
    assert_eq!(name(&web, true).unwrap(), "px@px.example:3128");
    assert_eq!(name(&target(Some("::1"), Some("ann")), false).unwrap(), "ann@[::1]:5989");
    assert_eq!(name(&target(Some("h"), None), false), None);
    assert_eq!(name(&Target { proxy: Proxy::System, ..web }, true), None);
    assert_eq!(name(&target(None, Some("ann")), false), None, "this computer has no password");
}

#[tokio::test(start_paused = true)]
async fn those_who_wait_together_share_one_answer() {
    let (kept, count) = (Kept::default(), AtomicU64::new(0));
    let fails = || async {
        tokio::time::sleep(Duration::from_secs(1)).await;
        let number = count.fetch_add(1, Ordering::Relaxed).to_string();
        Err(OpError::new(Phase::Queue, "h", ErrorKind::SecretMissing, number, ""))
    };
    let (a, b) = tokio::join!(kept.get(fails()), kept.get(fails()));
    assert_eq!((a.unwrap_err().cause(), b.unwrap_err().cause()), ("0".to_owned(), "0".to_owned()));
    assert_eq!(kept.get(fails()).await.unwrap_err().cause(), "1", "later ones try again");
    let gives = |text: &'static str| async move { Ok(SecretString::from(text)) };
    for (text, known) in [("one", "one"), ("two", "one")] {
        assert_eq!(kept.get(gives(text)).await.unwrap().expose_secret(), known);
    }
    kept.forget().await;
    assert_eq!(kept.get(gives("three")).await.unwrap().expose_secret(), "three");
}
