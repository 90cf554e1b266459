//! The environment variables of pywbemcli.
//!
//! Owns: their names, reading `export` lines as pywbemcli prints them (without quotes) and as a shell takes them, and writing
//! them so that a shell takes them as they are. Must not read the environment.

use std::{collections::BTreeMap, fmt::Write as _, path::Path};

use super::{
    ExchangeError, Export, Import,
    draft::{Draft, Unchecked},
    pywbemcli::{Certificates, field, finish, lost_of, pulled, server_of, timeout_of},
};
use crate::session::{Profile, PullUse, url::Scheme};

/// What the names begin with.
pub(super) const PREFIX: &str = "PYWBEMCLI_";
/// The name of a session that comes from variables which name none.
const NAME: &str = "pywbemcli";

/// The variables that `text` sets, one a line.
///
/// # Errors
/// The line that sets none.
pub(super) fn of_lines(text: &str) -> Result<BTreeMap<String, String>, ExchangeError> {
    let mut variables = BTreeMap::new();
    for (number, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let line = line.strip_prefix("export ").unwrap_or(line).trim_start();
        let set = line.split_once('=').filter(|(name, _)| name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_'));
        let Some((name, value)) = set else {
            let hint = "write export PYWBEMCLI_SERVER='https://HOST', as pywbemcli connection export does";
            return Err(ExchangeError::at((number + 1, 1), "the line sets no variable", hint));
        };
        variables.insert(name.to_owned(), unquoted(value));
    }
    Ok(variables)
}

/// `value` as a shell takes it, where it is quoted; as it stands, where it is not: pywbemcli quotes nothing.
fn unquoted(value: &str) -> String {
    if !value.starts_with(['\'', '"']) {
        return value.to_owned();
    }
    let (mut out, mut quote, mut chars) = (String::new(), None, value.chars());
    while let Some(c) = chars.next() {
        match (quote, c) {
            (None, '\'' | '"') => quote = Some(c),
            (Some(open), c) if c == open => quote = None,
            (None | Some('"'), '\\') => out.extend(chars.next()),
            (None, ' ' | '\t' | ';') => break,
            (_, c) => out.push(c),
        }
    }
    out
}

/// Reads the session `variables` describe.
pub(super) fn read(variables: &BTreeMap<String, String>, dir: &Path) -> Result<Import, ExchangeError> {
    let mut import = Import::default();
    let of = |key: &str| variables.get(&format!("{PREFIX}{key}")).map(String::as_str).filter(|text| !text.is_empty());
    let name = of("NAME");
    let Some(server) = of("SERVER") else {
        let (cause, hint) = match (name, of("MOCK_SERVER")) {
            (_, Some(_)) => ("they name a server that pywbemcli acts itself", "set PYWBEMCLI_SERVER to a machine"),
            (Some(_), None) => {
                ("they name a connection of pywbemcli's file", "import that file: --format pywbemcli FILE")
            }
            (None, None) => ("PYWBEMCLI_SERVER is not set", "set it to the server's URL and export it"),
        };
        return Err(ExchangeError::new(cause, hint));
    };
    let mut draft = Draft::new(name.unwrap_or(NAME), Scheme::CimXml);
    for (variable, value) in variables.iter().filter(|(_, value)| !value.is_empty()) {
        let Some(key) = variable.strip_prefix(PREFIX) else { continue };
        match (key, value.to_ascii_lowercase().as_str()) {
            ("SERVER" | "NAME", _) => {}
            ("VERIFY", "true" | "1" | "yes" | "on" | "t" | "y") => {}
            ("VERIFY", "false" | "0" | "no" | "off" | "f" | "n") => draft.unchecked(Unchecked::Both),
            ("USE_PULL", "either" | "none") => {}
            // `connection export` prints what its file has: True and False.
            ("USE_PULL", "yes" | "true") => draft.pull = pulled(true),
            ("USE_PULL", "no" | "false") => draft.pull = pulled(false),
            ("VERIFY" | "USE_PULL", _) => draft.leave(variable, None, "its value is none of pywbemcli's"),
            ("CONNECTIONS_FILE", _) => {
                draft.leave(variable, Some(value), "the sessions of that file come with --format pywbemcli FILE");
            }
            ("MOCK_SERVER", _) => draft.leave(variable, None, "it is no machine: pywbemcli acts a server itself"),
            (
                key @ ("USER" | "PASSWORD" | "DEFAULT_NAMESPACE" | "TIMEOUT" | "PULL_MAX_CNT" | "CERTFILE" | "KEYFILE"
                | "CA_CERTS"),
                _,
            ) => {
                field(&key.to_ascii_lowercase().replace('_', "-"), value, dir, &mut draft);
            }
            _ => draft.leave(variable, None, "it says how pywbemcli runs, not where it connects"),
        }
    }
    finish("server", server, draft, &mut import);
    Ok(import)
}

/// Writes the variables of one session as lines for a shell.
pub(super) fn write(profiles: &[&Profile]) -> Result<Export, ExchangeError> {
    let [profile] = profiles else {
        let cause = format!("variables describe one session, not {}", profiles.len());
        return Err(ExchangeError::new(cause, "name one: lazycim sessions export --format pywbemcli-env ID"));
    };
    let target = &profile.target;
    let server = server_of(profile).map_err(|lost| ExchangeError::new(lost.to_string(), "export another session"))?;
    let mut export = Export { text: String::new(), left_out: lost_of(profile) };
    let Certificates { verify, certfile, keyfile, ca_certs } = Certificates::of(profile);
    let use_pull = match target.pull {
        PullUse::Auto => None,
        PullUse::Always => Some("yes"),
        PullUse::Never => Some("no"),
    };
    let timeout = target.timeouts.first_byte.map(|_| timeout_of(profile).to_string());
    let pairs = [
        ("SERVER", Some(server.as_str())),
        ("DEFAULT_NAMESPACE", Some(target.namespace.as_str())),
        ("USER", target.user.as_deref()),
        ("TIMEOUT", timeout.as_deref()),
        ("USE_PULL", use_pull),
        ("VERIFY", (!verify).then_some("false")),
        ("CERTFILE", certfile.as_deref()),
        ("KEYFILE", keyfile.as_deref()),
        ("CA_CERTS", ca_certs.as_deref()),
    ];
    for (key, value) in pairs {
        if let Some(value) = value {
            // Writing into a String cannot fail.
            let _ = writeln!(export.text, "export {PREFIX}{key}='{}'", value.replace('\'', r"'\''"));
        }
    }
    Ok(export)
}
