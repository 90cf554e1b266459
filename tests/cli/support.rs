//! Running the binary, and servers for it to talk to.

use std::{
    io::{BufRead, BufReader, Read},
    net::TcpListener,
    path::Path,
    process::{Child, Command, Stdio},
};

use lazycim::server::{self, Credentials, RunningServer, Scenario, ServerOptions};
use tempfile::TempDir;

/// The password of every server here; it must never be printed.
pub const PASSWORD: &str = "Sw0rdf1sh-9c1";

/// What a run of the binary gave.
#[derive(Debug)]
pub struct Ran {
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl Ran {
    /// The run must have ended with `code`.
    #[track_caller]
    pub fn expect_code(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "{self:?}");
        assert!(!self.stdout.contains(PASSWORD) && !self.stderr.contains(PASSWORD), "the password is shown: {self:?}");
        self
    }

    /// The run must have failed with `code`, nothing on stdout but `stdout`, and these two lines on stderr.
    #[track_caller]
    pub fn expect_failure(self, code: i32, error: &str, hint: &str) -> Self {
        let ran = self.expect_code(code);
        let mut lines = ran.stderr.lines();
        let (first, second) = (lines.next().unwrap_or_default(), lines.next().unwrap_or_default());
        assert!(first.starts_with("lazycim: ") && first.contains(error), "{error:?} is not in {ran:?}");
        assert!(second.starts_with("try: ") && second.contains(hint), "{hint:?} is not in {ran:?}");
        ran
    }
}

/// A configuration directory of its own.
pub struct Home(TempDir);

impl Home {
    pub fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub fn path(&self) -> &Path {
        self.0.path()
    }

    pub fn write(&self, name: &str, text: &str) {
        std::fs::write(self.0.path().join(name), text).unwrap();
    }

    /// The binary with `arguments`, without a terminal and without variables of ours from outside.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(assert_cmd::cargo::cargo_bin("lazycim"));
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("LAZYCIM_") {
                command.env_remove(name);
            }
        }
        command.args(arguments).env("LAZYCIM_CONFIG_DIR", self.0.path()).env("PW", PASSWORD).env("COLUMNS", "100");
        // The keyring of whoever runs the tests is left alone.
        command.env("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nonexistent/bus");
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    pub fn run(&self, arguments: &[&str]) -> Ran {
        ran(self.command(arguments).output().unwrap())
    }
}

pub fn ran(output: std::process::Output) -> Ran {
    Ran {
        code: output.status.code(),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

/// Runs the binary in a fresh home.
pub fn lazycim(arguments: &[&str]) -> Ran {
    Home::new().run(arguments)
}

/// Whether the tests were started from a terminal, which the binary then finds as well.
pub fn has_terminal() -> bool {
    std::fs::File::open("/dev/tty").is_ok()
}

/// A `lazycim serve` that is listening. It is ended when this is dropped.
pub struct Serve {
    child: Child,
    pub url: String,
    _home: Home,
}

impl Serve {
    /// Serves the user `ann`.
    pub fn start() -> Self {
        Self::with(&[])
    }

    pub fn with(more: &[&str]) -> Self {
        let home = Home::new();
        let arguments = [&["serve", "--user", "ann", "--password-env", "PW"], more].concat();
        let mut command = Command::new(assert_cmd::cargo::cargo_bin("lazycim"));
        command.args(arguments).env("LAZYCIM_CONFIG_DIR", home.path()).env("PW", PASSWORD);
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
        let url = line.trim_end().strip_prefix("listening on ").unwrap_or_else(|| panic!("{line:?}")).to_owned();
        Self { child, url, _home: home }
    }

    /// Its port.
    pub fn port(&self) -> &str {
        port_of(&self.url)
    }

    /// The URL for lazycim, with the user `user`.
    pub fn target(&self, user: &str) -> String {
        self.url.replace("://", &format!("://{user}@"))
    }

    /// Runs a command on this server as `ann`.
    pub fn run(&self, arguments: &[&str]) -> Ran {
        let target = self.target("ann");
        lazycim(&[&["--url", &target, "--password-env", "PW"], arguments].concat())
    }

    /// Sends `signal` and gives the exit code and what was still on stdout.
    pub fn end(mut self, signal: rustix::process::Signal) -> (Option<i32>, String) {
        kill(&self.child, signal);
        let mut rest = String::new();
        self.child.stdout.as_mut().unwrap().read_to_string(&mut rest).unwrap();
        (self.child.wait().unwrap().code(), rest)
    }
}

impl Drop for Serve {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A session of `id` on this port of this machine with the tag `lab`; its secret is that of the variable PW.
pub fn session(id: &str, port: &str, more: &str) -> String {
    format!(
        "[[session]]\nid = \"{id}\"\ncomputer = \"127.0.0.1\"\nport = {port}\ntls = {{ use = false }}\n\
         auth = {{ user = \"ann\", secret = \"env:PW\" }}\ntags = [\"lab\"]\n{more}\n"
    )
}

fn port_of(url: &str) -> &str {
    url.rsplit_once(':').unwrap().1.split('/').next().unwrap()
}

/// A port on which nobody listens.
pub fn nobody() -> String {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port().to_string()
}

/// A server in this process that lets the user `ann` in, and what it runs on.
pub fn in_process() -> (RunningServer, tokio::runtime::Runtime) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let credentials = Credentials { user: "ann".to_owned(), secret: PASSWORD.to_owned().into() };
    let server = runtime.block_on(server::start(ServerOptions::loopback(credentials))).unwrap();
    (server, runtime)
}

/// Sends `signal` to a child.
pub fn kill(child: &Child, signal: rustix::process::Signal) {
    let pid = rustix::process::Pid::from_raw(i32::try_from(child.id()).unwrap()).unwrap();
    rustix::process::kill_process(pid, signal).unwrap();
}

/// A server that plays a scenario, in this process.
pub struct Scripted {
    pub url: String,
    // Dropped in this order.
    _server: RunningServer,
    _runtime: tokio::runtime::Runtime,
}

impl Scripted {
    /// Plays the scenario `toml`.
    pub fn play(toml: &str) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let scenario = Scenario::parse(toml, Path::new(env!("CARGO_MANIFEST_DIR"))).unwrap();
        let server = runtime.block_on(server::start(ServerOptions::scripted(scenario))).unwrap();
        let url = format!("cimxml+http://127.0.0.1:{}", server.addr().port());
        Self { url, _server: server, _runtime: runtime }
    }

    /// Its port.
    pub fn port(&self) -> &str {
        port_of(&self.url)
    }

    /// Runs a command on it, without a user and without pulling: the scenarios script the plain operations.
    pub fn run(&self, arguments: &[&str]) -> Ran {
        lazycim(&[&["--pull", "off", "--url", &self.url], arguments].concat())
    }
}
