//! Which flags about a server were given.
//!
//! Owns: their names as they are written, and refusing those a command has no use for. Must not know commands.

use super::{TargetArguments, TlsArguments};
use crate::cli::failure::Failure;

impl TargetArguments {
    /// Refuses the first flag given that `command` has no use for.
    ///
    /// # Errors
    /// Names it.
    pub(in crate::cli) fn only(&self, command: &str, takes: impl Fn(&str) -> bool) -> Result<(), Failure> {
        match self.given().find(|flag| !takes(flag)) {
            Some(flag) => Err(Failure::usage("usage", command, &format!("it takes no {flag}"), "leave it out")),
            None => Ok(()),
        }
    }

    /// The flags that were given.
    fn given(&self) -> impl Iterator<Item = &'static str> {
        let given = [
            ("-s", self.session.is_some()),
            ("--url", self.url.is_some()),
            ("--tag", !self.tags.is_empty()),
            ("--throttle", self.throttle.is_some()),
            ("--user", self.user.is_some()),
            ("--password-env", self.password_env.is_some()),
            ("--pull", self.pull.is_some()),
            ("--auth", self.auth.is_some()),
            ("--allow-clear-text", self.allow_clear_text),
            ("-n", self.namespace.is_some()),
        ];
        given.into_iter().filter(|(_, given)| *given).map(|(flag, _)| flag).chain(self.tls.given())
    }
}

impl TlsArguments {
    /// The flags that were given.
    pub(in crate::cli) fn given(&self) -> impl Iterator<Item = &'static str> {
        let given = [
            ("--ca-file", self.ca_file.is_some()),
            ("--client-cert", self.client_cert.is_some()),
            ("--client-key", self.client_key.is_some()),
            ("--skip-chain", self.skip_chain),
            ("--skip-name", self.skip_name),
            ("--tls-min-version", self.tls_min_version.is_some()),
            ("--tls-server-name", self.tls_server_name.is_some()),
            ("--pin", self.pin.is_some()),
        ];
        given.into_iter().filter(|(_, given)| *given).map(|(flag, _)| flag)
    }
}
