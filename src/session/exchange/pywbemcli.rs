//! The connections file of pywbemcli.
//!
//! Owns: its thirteen keys and two top-level keys, of which pywbemcli takes neither more nor, at the top, fewer. Must not
//! write a password, nor a server without its scheme, which pywbemcli misreads.

use std::{
    borrow::Cow,
    fmt::Write as _,
    path::{Path, PathBuf},
    time::Duration,
};

use secrecy::SecretString;

use super::{
    ExchangeError, Export, Import, LeftOut,
    address::Address,
    draft::{Draft, Unchecked},
    outgoing::{Carries, lost},
    yaml::{self, Node},
};
use crate::session::{Profile, PullUse, Tls, url::Scheme};

/// pywbemcli's own time-out, in seconds: a file that says it says nothing.
const USUAL_TIMEOUT: u64 = 30;
/// The longest time-out pywbemcli takes, in seconds.
const MAX_TIMEOUT: u64 = 300;
/// pywbemcli's own count of objects in an answer.
const USUAL_COUNT: &str = "1000";
/// What the file and the variables carry beyond computer, port, TLS and user.
const CARRIED: &[Carries] = &[
    Carries::Namespace,
    Carries::CaFile,
    Carries::ClientCertificate,
    Carries::BothChecks,
    Carries::Pull,
    Carries::AnswerTimeout,
];

/// Reads the file.
pub(super) fn read(text: &str, dir: &Path) -> Result<Import, ExchangeError> {
    let root = yaml::read(text)?;
    let Some(definitions) = root.get("connection_definitions") else {
        let hint = "name the format: --format; a connections file of pywbemcli has the key connection_definitions";
        return Err(ExchangeError::new("the file has no connection_definitions", hint));
    };
    let mut import = Import::default();
    for (key, value) in root.pairs().unwrap_or_default() {
        match key.as_str() {
            "connection_definitions" => {}
            "default_connection_name" if value.is_null() => {}
            "default_connection_name" => {
                import.left_out("the file", key, value.text(), "no session is the default: name one with -s");
            }
            _ => import.left_out("the file", key, None, "it is no key of the format"),
        }
    }
    if definitions.is_null() {
        return Ok(import);
    }
    let Some(definitions) = definitions.pairs() else {
        let hint = "write each under its name";
        return Err(ExchangeError::new("connection_definitions is no map of connections", hint));
    };
    for (key, definition) in definitions {
        match definition.pairs() {
            Some(pairs) => connection(key, pairs, dir, &mut import),
            None => import.left_out(key, "the connection", None, "it is no map of keys"),
        }
    }
    Ok(import)
}

fn connection(key: &str, pairs: &[(String, Node)], dir: &Path, import: &mut Import) {
    let name = pairs.iter().find(|(key, _)| key == "name").and_then(|(_, value)| value.text()).unwrap_or(key);
    let mut draft = Draft::new(name, Scheme::CimXml);
    let (mut is_mock, mut server) = (false, None);
    for (key, value) in pairs {
        // `create(replace_underscores=True)` of older versions wrote the keys with underscores.
        let key = key.replace('_', "-");
        match (key.as_str(), value) {
            ("name", _) => {}
            ("mock-server", Node::List(files)) => is_mock = !files.is_empty(),
            ("mock-server", value) => is_mock = !value.is_null(),
            ("server", value) => server = value.text(),
            (_, value) if value.is_null() => {}
            ("verify", value) => match value.truth() {
                Some(true) => {}
                Some(false) => draft.unchecked(Unchecked::Both),
                None => draft.leave("verify", None, "it is neither true nor false"),
            },
            ("use-pull", value) => match value.truth() {
                Some(pull) => draft.pull = pulled(pull),
                None => draft.leave("use-pull", None, "it is neither true nor false"),
            },
            (key, value) => match value.text() {
                Some(text) => field(key, text, dir, &mut draft),
                None => draft.leave(key, None, "it is no text"),
            },
        }
    }
    if is_mock {
        let reason = "it is no machine: pywbemcli acts a server from these files itself";
        draft.leave("mock-server", None, reason);
        return draft.give_up(import);
    }
    match server {
        Some(server) => finish("server", server, draft, import),
        None => {
            draft.leave("server", None, "the connection names no server");
            draft.give_up(import);
        }
    }
}

/// A field that is a text in the file as in the environment; `key` is as the file has it.
pub(super) fn field(key: &str, text: &str, dir: &Path, draft: &mut Draft) {
    match key {
        "user" => draft.user = Some(text.to_owned()),
        "password" => draft.password(key, SecretString::from(text)),
        "default-namespace" => draft.namespace(key, text),
        "timeout" => match text.parse() {
            Ok(USUAL_TIMEOUT) => {}
            Ok(seconds) if (1..=MAX_TIMEOUT).contains(&seconds) => {
                draft.answer_within(Duration::from_secs(seconds));
            }
            _ => draft.leave(key, Some(text), "it is no number of seconds from 1 to 300"),
        },
        "pull-max-cnt" if text == USUAL_COUNT => {}
        "pull-max-cnt" => draft.leave(key, Some(text), "lazycim chooses itself how many objects an answer has"),
        "certfile" => draft.client_cert(key, text, dir),
        "keyfile" => draft.client_key(key, text, dir),
        "ca-certs" if text == "certifi" => {
            draft.leave(key, Some(text), "the platform's certificates are trusted, not those of a Python package");
        }
        "ca-certs" => draft.ca_file(key, text, dir),
        _ => draft.leave_unknown(key),
    }
}

/// `use-pull`.
pub(super) const fn pulled(pull: bool) -> PullUse {
    if pull { PullUse::Always } else { PullUse::Never }
}

/// Completes a session with its server: a full URL, or a bare host, which means https.
pub(super) fn finish(key: &str, server: &str, mut draft: Draft, import: &mut Import) {
    let address = match Address::parse(server) {
        Ok(address) if address.scheme.is_none() => address,
        Ok(_) => return give_up(key, "its scheme is neither http nor https", draft, import),
        Err(cause) => return give_up(key, cause, draft, import),
    };
    draft.tls = address.tls.unwrap_or(true);
    draft.computer = address.host;
    draft.port = address.port;
    if let Some(path) = address.path.filter(|path| path != Scheme::CimXml.default_path()) {
        draft.leave(key, Some(&path), "pywbem always uses the path /cimom, and so does the session");
    }
    if !address.query.is_empty() {
        draft.leave(key, None, "a query has no place in the address of a server");
    }
    if draft.user.is_none() {
        draft.user = address.user;
    }
    if let Some(password) = address.password {
        draft.password(key, password);
    }
    draft.finish(import);
}

fn give_up(key: &str, cause: &str, mut draft: Draft, import: &mut Import) {
    draft.leave(key, None, cause);
    draft.give_up(import);
}

/// The server's address in full, and whether `profile` has a protocol pywbem speaks; else what to say about it.
pub(super) fn server_of(profile: &Profile) -> Result<String, LeftOut> {
    let target = &profile.target;
    let lost =
        |field: &str, value: &str, reason: &str| Err(LeftOut::new(profile.id.as_str(), field, Some(value), reason));
    if Scheme::from_name(&target.protocol) != Some(Scheme::CimXml) {
        return lost("protocol", &target.protocol, "pywbemcli speaks CIM-XML alone: the session is not in the file");
    }
    let Some(computer) = &target.computer else {
        return lost("computer", "this computer", "it is served by lazycim alone: the session is not in the file");
    };
    let transport = if target.tls.is_some() { "https" } else { "http" };
    let host = if computer.contains(':') { format!("[{computer}]") } else { computer.clone() };
    Ok(format!("{transport}://{host}:{}", target.port))
}

/// The time-out of an answer in whole seconds as pywbemcli takes it; its own where the session has none.
pub(super) fn timeout_of(profile: &Profile) -> u64 {
    let seconds = profile.target.timeouts.first_byte.map_or(USUAL_TIMEOUT, |time| time.as_secs());
    seconds.clamp(1, MAX_TIMEOUT)
}

/// What pywbemcli says about certificates.
pub(super) struct Certificates<'p> {
    /// Whether the server's is checked at all.
    pub(super) verify: bool,
    /// The client's.
    pub(super) certfile: Option<Cow<'p, str>>,
    /// Its key.
    pub(super) keyfile: Option<Cow<'p, str>>,
    /// Those to trust.
    pub(super) ca_certs: Option<Cow<'p, str>>,
}

impl<'p> Certificates<'p> {
    /// What it would say about those of `profile`.
    pub(super) fn of(profile: &'p Profile) -> Self {
        let tls = profile.target.tls.as_ref();
        let file = |of: fn(&Tls) -> &Option<PathBuf>| Some(of(tls?).as_ref()?.to_string_lossy());
        Self {
            verify: !tls.is_some_and(|tls| tls.skip_chain && tls.skip_name),
            certfile: file(|tls| &tls.client_cert),
            keyfile: file(|tls| &tls.client_key),
            ca_certs: file(|tls| &tls.ca_file),
        }
    }
}

/// What of `profile` is lost in the file and in the variables.
pub(super) fn lost_of(profile: &Profile) -> Vec<LeftOut> {
    let mut list = lost(profile, CARRIED);
    let first_byte = profile.target.timeouts.first_byte.map(|time| time.as_secs());
    if let Some(seconds) = first_byte.filter(|seconds| *seconds > MAX_TIMEOUT) {
        let value = format!("{seconds} s");
        list.push(LeftOut::new(profile.id.as_str(), "timeout", Some(&value), "pywbemcli takes 300 seconds at most"));
    }
    list
}

/// Writes the file.
pub(super) fn write(profiles: &[&Profile]) -> Export {
    let mut export = Export::default();
    let mut definitions = String::new();
    for profile in profiles {
        let server = match server_of(profile) {
            Ok(server) => server,
            Err(lost) => {
                export.left_out.push(lost);
                continue;
            }
        };
        export.left_out.append(&mut lost_of(profile));
        let target = &profile.target;
        let text = |text: Option<&str>| text.map_or_else(|| "null".to_owned(), yaml::quoted);
        let Certificates { verify, certfile, keyfile, ca_certs } = Certificates::of(profile);
        let use_pull = match target.pull {
            PullUse::Auto => "null",
            PullUse::Always => "true",
            PullUse::Never => "false",
        };
        let name = yaml::quoted(profile.id.as_str());
        // Writing into a String cannot fail.
        let _ = writeln!(definitions, "    {name}:");
        let pairs = [
            ("name", name.as_str()),
            ("server", &yaml::quoted(&server)),
            ("user", &text(target.user.as_deref())),
            ("password", "null"),
            ("default-namespace", &yaml::quoted(target.namespace.as_str())),
            ("timeout", &timeout_of(profile).to_string()),
            ("use-pull", use_pull),
            ("pull-max-cnt", USUAL_COUNT),
            ("verify", if verify { "true" } else { "false" }),
            ("certfile", &text(certfile.as_deref())),
            ("keyfile", &text(keyfile.as_deref())),
            ("ca-certs", &text(ca_certs.as_deref())),
            ("mock-server", "[]"),
        ];
        for (key, value) in pairs {
            let _ = writeln!(definitions, "        {key}: {value}");
        }
    }
    let empty = if definitions.is_empty() { " {}" } else { "" };
    export.text = format!("connection_definitions:{empty}\n{definitions}default_connection_name: null\n");
    export
}
