//! `lazycim serve`: the embedded server in the foreground.
//!
//! Owns: the command's options and its first line. Must not serve anything itself.

use std::io;

use tokio::io::AsyncWriteExt;

use super::{
    args::{Auth, ServeArguments, TargetArguments},
    failure::Failure,
    signals::Signals,
    target::secret_in,
};
use crate::server::{Credentials, Offer, ServeOptions, ServerError, serve};

/// Serves until a signal comes.
pub(super) async fn run(arguments: ServeArguments, target: TargetArguments) -> Result<(), Failure> {
    let usage = |cause: &str, hint: &str| Failure::usage("usage", "serve", cause, hint);
    target.only("serve", |flag| matches!(flag, "--user" | "--password-env" | "--auth"))?;
    let Some(user) = target.user.filter(|user| !user.is_empty()) else {
        return Err(usage("it needs the user who may read", "--user USER --password-env VAR"));
    };
    let Some(variable) = target.password_env else {
        return Err(usage("it needs the user's password", "--password-env VAR"));
    };
    let offer = match target.auth {
        None | Some(Auth::Auto) => Offer::Both,
        Some(Auth::Basic) => Offer::Basic,
        Some(Auth::Digest) => Offer::Digest,
        Some(Auth::Certificate) => {
            return Err(usage("it knows no users by their certificates", "--auth basic or --auth digest"));
        }
    };
    let secret = secret_in(&variable)?;
    let options = ServeOptions {
        listen: arguments.listen,
        port: arguments.port,
        credentials: Credentials { user, secret },
        offer,
        tls: arguments.tls_cert.zip(arguments.tls_key),
        allow_clear_text_from_the_network: arguments.allow_clear_text_from_the_network,
    };
    let mut signals = Signals::catch()
        .map_err(|error| Failure::local("start", "signals", &error.to_string(), "check the limits of the process"))?;
    let mut code = 0;
    let listening = |server: &crate::server::RunningServer| {
        // The first line; who started us waits for it, so it goes out at once.
        let line = format!("listening on {}\n", server.url());
        let mut stdout = io::stdout().lock();
        let _ = io::Write::write_all(&mut stdout, line.as_bytes());
        let _ = io::Write::flush(&mut stdout);
    };
    let stopped = async { code = signals.next().await };
    serve(options, listening, stopped).await.map_err(|error| failure(&error))?;
    Err(Failure::signal(code))
}

fn failure(error: &ServerError) -> Failure {
    let text = error.to_string();
    match error {
        ServerError::Listen { .. } => Failure::local("serve", "listen", &text, "another --port or --listen"),
        ServerError::ClearText(_) => {
            let hint = "--tls-cert F --tls-key F, or --allow-clear-text-from-the-network";
            Failure::usage("usage", "serve", &text, hint)
        }
        ServerError::Credentials(_) => Failure::usage("usage", "serve", &text, "another --user or password"),
        ServerError::Tls(_) => Failure::usage("usage", "serve", &text, "a PEM certificate chain and its PEM key"),
        ServerError::Repository(_) => Failure::local("serve", "schema", &text, "a build of another version"),
    }
}

/// Prints `bytes`; a reader that has gone away is no failure.
pub(super) async fn print(bytes: &[u8]) -> Result<(), Failure> {
    let mut stdout = tokio::io::stdout();
    let written = match stdout.write_all(bytes).await {
        Ok(()) => stdout.flush().await,
        failed => failed,
    };
    match written {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(Failure::local("output", "stdout", &error.to_string(), "check where stdout goes"))
        }
        _ => Ok(()),
    }
}
