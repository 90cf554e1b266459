//! One entry of sessions.toml: from the file and into it.
//!
//! Owns: the keys of `[[session]]`, their types and defaults. Must not touch the file system.

use std::path::Path;

use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

use super::{SessionsError, nearest};
use crate::{
    cim::Namespace,
    op::Fingerprint,
    session::{
        Profile, ProfileId, PullUse, SecretSource, Target, Tls, TlsVersion,
        profile::THIS_COMPUTER,
        url::{Scheme, is_host, is_path_byte},
    },
};

const TOP: &[&str] = &["version", "session"];
const SESSION: &[&str] =
    &["id", "name", "computer", "protocol", "port", "path", "namespace", "tls", "auth", "allow_clear_text"];
const TLS: &[&str] =
    &["use", "ca_file", "client_cert", "client_key", "skip_chain", "skip_name", "min_version", "server_name", "pin"];
const AUTH: &[&str] = &["mechanism", "user", "secret"];
/// Keys people write where they expect to put a password.
const FORBIDDEN: &[&str] = &["password", "passwd", "pass", "pwd"];
const NO_PASSWORDS: &str = "remove it; write secret = \"prompt\", or secret = \"env:VAR\" to read a variable";

/// The entries of `text` without a mistake, and all mistakes in order.
pub(super) fn read(file: &Path, text: &str) -> (Vec<Profile>, Vec<SessionsError>) {
    let (document, errors) = DeTable::parse_recoverable(text);
    let mut reader = Reader { file, text, problems: Vec::new() };
    let mut syntax = Vec::new();
    for error in errors {
        let at = error.span().map_or(0, |span| span.start);
        syntax.push(at);
        reader.problem(at, format!("not TOML: {}", error.message()), "correct the line; the syntax is TOML".to_owned());
    }
    let document = document.get_ref();
    reader.check_keys(document, TOP, "the file");
    let mut entries: Vec<Profile> = Vec::new();
    if reader.version_is_ours(document) {
        let list = document.get("session").map(|value| (value.span().start, value.get_ref()));
        match list {
            None => {}
            Some((_, DeValue::Array(items))) => {
                for (number, item) in items.iter().enumerate() {
                    // A syntax error between this header and the next makes what was read of the entry unreliable.
                    let from = item.span().start;
                    let to = items.get(number + 1).map_or(text.len() + 1, |next| next.span().start);
                    if !syntax.iter().any(|at| (from..to).contains(at)) {
                        let entry = reader.entry(item, &entries);
                        entries.extend(entry);
                    }
                }
            }
            Some((at, _)) => {
                reader.problem(at, "`session` must be a list of tables".to_owned(), "write [[session]]".to_owned());
            }
        }
    }
    let mut problems = reader.problems;
    problems.sort_by_key(|problem| problem.place);
    (entries, problems)
}

struct Reader<'a> {
    file: &'a Path,
    text: &'a str,
    problems: Vec<SessionsError>,
}

type Value<'t, 'i> = &'t Spanned<DeValue<'i>>;

impl Reader<'_> {
    fn problem(&mut self, offset: usize, cause: String, hint: String) {
        let before = self.text.get(..offset).unwrap_or(self.text);
        let start = before.rfind('\n').map_or(0, |at| at + 1);
        let place = (before.matches('\n').count() + 1, before[start..].chars().count() + 1);
        self.problems.push(SessionsError { file: self.file.to_owned(), place: Some(place), cause, hint });
    }

    fn check_keys(&mut self, table: &DeTable<'_>, known: &[&str], whose: &str) {
        for key in table.keys() {
            let name: &str = key.get_ref();
            if known.contains(&name) {
                continue;
            }
            let at = key.span().start;
            if FORBIDDEN.contains(&name.to_ascii_lowercase().as_str()) {
                self.problem(at, "passwords are not kept in this file".to_owned(), NO_PASSWORDS.to_owned());
                continue;
            }
            let hint = match nearest(name, known.iter().copied()) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("known are {}", known.join(", ")),
            };
            self.problem(at, format!("unknown key `{}` in {whose}", name.escape_debug()), hint);
        }
    }

    fn version_is_ours(&mut self, document: &DeTable<'_>) -> bool {
        let Some(version) = document.get("version") else { return true };
        let ours = matches!(version.get_ref(), DeValue::Integer(number) if number.as_str() == "1");
        if !ours {
            let cause = "`version` is not 1: this lazycim cannot read the file".to_owned();
            self.problem(version.span().start, cause, "use the lazycim that wrote it, or write version = 1".to_owned());
        }
        ours
    }

    fn entry(&mut self, item: Value<'_, '_>, before: &[Profile]) -> Option<Profile> {
        let seen = self.problems.len();
        let DeValue::Table(table) = item.get_ref() else {
            self.problem(item.span().start, "a session must be a table".to_owned(), "write [[session]]".to_owned());
            return None;
        };
        self.check_keys(table, SESSION, "[[session]]");
        let id = self.id(table, item.span().start, before);
        let computer = self.required(table, "computer", item.span().start);
        if let Some(computer) = computer.as_deref().filter(|computer| !is_host(computer)) {
            let cause = format!("`computer` is not a host name or an address: {:?}", computer);
            self.problem(place_of(table, "computer"), cause, "write the name or the address alone".to_owned());
        }
        let name = self.text_of(table, "name");
        let target = self.target(table, computer);
        let complete = self.problems.len() == seen;
        let (id, target) = (id?, target?);
        let name = name.unwrap_or_else(|| id.as_str().to_owned());
        complete.then_some(Profile { id, name, target })
    }

    fn id(&mut self, table: &DeTable<'_>, header: usize, before: &[Profile]) -> Option<ProfileId> {
        let text = self.required(table, "id", header)?;
        let at = place_of(table, "id");
        let Some(id) = ProfileId::new(&text) else {
            let cause = format!("`id` must be 1 to 64 of a-z, 0-9, `.`, `_` and `-`, not {text:?}");
            self.problem(at, cause, "the name may have any characters".to_owned());
            return None;
        };
        if text == THIS_COMPUTER {
            let cause = format!("the id `{THIS_COMPUTER}` is reserved and never stored");
            self.problem(at, cause, "choose another id".to_owned());
            return None;
        }
        if before.iter().any(|entry| entry.id == id) {
            self.problem(at, format!("the id `{text}` is used twice"), "give each session its own id".to_owned());
            return None;
        }
        Some(id)
    }

    fn target(&mut self, table: &DeTable<'_>, computer: Option<String>) -> Option<Target> {
        let protocol = self.text_of(table, "protocol").unwrap_or_else(|| Scheme::CimXml.name().to_owned());
        let scheme = Scheme::from_name(&protocol);
        if scheme.is_none() {
            let cause = format!("unknown protocol {protocol:?}");
            self.problem(place_of(table, "protocol"), cause, "write \"cimxml\" or \"wsman\"".to_owned());
        }
        let scheme = scheme.unwrap_or(Scheme::CimXml);
        let tls = self.tls(table);
        let port = self.port(table).unwrap_or_else(|| scheme.default_port(tls.is_some()));
        let path = self.text_of(table, "path").unwrap_or_else(|| scheme.default_path().to_owned());
        if !path.starts_with('/') || !path.bytes().all(is_path_byte) {
            let cause = "`path` must begin with / and be percent-encoded".to_owned();
            self.problem(place_of(table, "path"), cause, format!("usual is {:?}", scheme.default_path()));
        }
        let namespace = self.text_of(table, "namespace").map(|text| Namespace::new(&text));
        if namespace.as_ref().is_some_and(Namespace::is_empty) {
            let at = place_of(table, "namespace");
            self.problem(at, "`namespace` is empty".to_owned(), "write one, such as \"root/cimv2\"".to_owned());
        }
        let (user, secret) = self.auth(table);
        Some(Target {
            computer: Some(computer?),
            protocol,
            port,
            path,
            tls,
            user,
            secret,
            allow_clear_text: self.switch(table, "allow_clear_text").unwrap_or(false),
            namespace: namespace.unwrap_or_else(|| Namespace::new("root/cimv2")),
            timeouts: None,
            pull: PullUse::Auto,
        })
    }

    fn port(&mut self, table: &DeTable<'_>) -> Option<u16> {
        let value = table.get("port")?;
        let port = match value.get_ref() {
            DeValue::Integer(number) => {
                u16::from_str_radix(number.as_str(), number.radix()).ok().filter(|port| *port > 0)
            }
            _ => None,
        };
        if port.is_none() {
            let cause = "`port` must be a number from 1 to 65535".to_owned();
            self.problem(value.span().start, cause, "leave it out for the usual port".to_owned());
        }
        port
    }

    /// TLS is on unless the file says otherwise.
    fn tls(&mut self, table: &DeTable<'_>) -> Option<Tls> {
        let Some(tls) = self.table_of(table, "tls") else { return Some(Tls::default()) };
        self.check_keys(tls, TLS, "tls");
        // A file named relative to nothing would depend on where lazycim is started: it lies beside sessions.toml.
        let dir = self.file.parent().unwrap_or(Path::new(""));
        let mut file = |key| self.text_of(tls, key).map(|file| dir.join(file));
        let (ca_file, client_cert, client_key) = (file("ca_file"), file("client_cert"), file("client_key"));
        if client_key.is_some() && client_cert.is_none() {
            let cause = "`client_key` stands without `client_cert`".to_owned();
            self.problem(place_of(tls, "client_key"), cause, "write client_cert = \"FILE\"".to_owned());
        }
        let min_version = self.read_of(tls, "min_version", "is not a version", "write \"1.2\" or \"1.3\"", |text| {
            TlsVersion::from_text(text)
        });
        let server_name =
            self.read_of(tls, "server_name", "is not a host name or an address", "write the name alone", |text| {
                is_host(text).then(|| text.to_owned())
            });
        let hint = "write the SHA-256 of the server's certificate: 64 hexadecimal digits, colons allowed";
        let pin = self.read_of(tls, "pin", "is not a fingerprint", hint, Fingerprint::parse);
        let (skip_chain, skip_name) = (self.switch(tls, "skip_chain"), self.switch(tls, "skip_name"));
        self.switch(tls, "use").unwrap_or(true).then(|| Tls {
            ca_file,
            client_cert,
            client_key,
            skip_chain: skip_chain.unwrap_or(false),
            skip_name: skip_name.unwrap_or(false),
            min_version: min_version.unwrap_or_default(),
            server_name,
            pin,
        })
    }

    /// The text of `key` as `read` takes it; one it does not take is a problem: the key, `what`, `hint`.
    fn read_of<T>(
        &mut self,
        table: &DeTable<'_>,
        key: &str,
        what: &str,
        hint: &str,
        read: impl Fn(&str) -> Option<T>,
    ) -> Option<T> {
        let text = self.text_of(table, key)?;
        let value = read(&text);
        if value.is_none() {
            self.problem(place_of(table, key), format!("`{key}` {what}"), hint.to_owned());
        }
        value
    }

    fn auth(&mut self, table: &DeTable<'_>) -> (Option<String>, SecretSource) {
        let nobody = (None, SecretSource::Prompt);
        let Some(auth) = self.table_of(table, "auth") else { return nobody };
        self.check_keys(auth, AUTH, "auth");
        let user = self.text_of(auth, "user");
        let mechanism = self.text_of(auth, "mechanism").unwrap_or_else(|| "basic".to_owned());
        match (mechanism.as_str(), &user) {
            ("basic", Some(_)) | ("none", None) => {}
            ("basic", None) => {
                let at = place_of(table, "auth");
                self.problem(
                    at,
                    "`auth` names no user".to_owned(),
                    "write user = \"NAME\", or leave auth out".to_owned(),
                );
            }
            ("none", Some(_)) => {
                let cause = "`auth` has a user and mechanism \"none\"".to_owned();
                self.problem(place_of(auth, "user"), cause, "write mechanism = \"basic\"".to_owned());
            }
            _ => {
                let cause = format!("unknown mechanism {mechanism:?}");
                self.problem(place_of(auth, "mechanism"), cause, "write \"basic\" or \"none\"".to_owned());
            }
        }
        let secret =
            self.text_of(auth, "secret").map_or(Some(SecretSource::Prompt), |text| SecretSource::from_text(&text));
        if secret.is_none() {
            let cause = "`secret` says where the secret comes from; it is not the secret itself".to_owned();
            self.problem(place_of(auth, "secret"), cause, "write \"prompt\" or \"env:VAR\"".to_owned());
        }
        (user, secret.unwrap_or(SecretSource::Prompt))
    }

    fn required(&mut self, table: &DeTable<'_>, key: &str, header: usize) -> Option<String> {
        if !table.contains_key(key) {
            self.problem(header, format!("a session has no `{key}`"), format!("write {key} = \"...\""));
        }
        self.text_of(table, key)
    }

    fn text_of(&mut self, table: &DeTable<'_>, key: &str) -> Option<String> {
        let value = table.get(key)?;
        match value.get_ref() {
            DeValue::String(text) if !text.is_empty() && !text.contains(char::is_control) => Some(text.to_string()),
            DeValue::String(_) => {
                let cause = format!("`{key}` is empty or has a control character");
                self.problem(value.span().start, cause, format!("write {key} = \"...\", or leave it out"));
                None
            }
            _ => {
                self.problem(value.span().start, format!("`{key}` must be a text"), format!("write {key} = \"...\""));
                None
            }
        }
    }

    fn switch(&mut self, table: &DeTable<'_>, key: &str) -> Option<bool> {
        let value = table.get(key)?;
        if let DeValue::Boolean(value) = value.get_ref() {
            return Some(*value);
        }
        self.problem(value.span().start, format!("`{key}` must be true or false"), format!("write {key} = true"));
        None
    }

    fn table_of<'t, 'i>(&mut self, table: &'t DeTable<'i>, key: &str) -> Option<&'t DeTable<'i>> {
        let value = table.get(key)?;
        if let DeValue::Table(table) = value.get_ref() {
            return Some(table);
        }
        self.problem(value.span().start, format!("`{key}` must be a table"), format!("write {key} = {{ ... }}"));
        None
    }
}

fn place_of(table: &DeTable<'_>, key: &str) -> usize {
    let spanned: Option<&Spanned<DeValue<'_>>> = table.get(key);
    spanned.map_or(0, |value| value.span().start)
}

/// `text` with `profile` appended, all else as it was; `None` where `session` is no list of tables.
pub(super) fn appended(text: &str, profile: &Profile) -> Option<String> {
    let mut document: toml_edit::DocumentMut = text.parse().ok()?;
    if document.as_table().is_empty() {
        document["version"] = toml_edit::value(1);
    }
    let table = table_for(profile);
    let list = document.entry("session").or_insert(toml_edit::Item::ArrayOfTables(toml_edit::ArrayOfTables::new()));
    match list {
        toml_edit::Item::ArrayOfTables(list) => list.push(table),
        toml_edit::Item::Value(toml_edit::Value::Array(list)) => list.push(table.into_inline_table()),
        _ => return None,
    }
    Some(document.to_string())
}

fn table_for(profile: &Profile) -> toml_edit::Table {
    let Profile { id, name, target } = profile;
    let mut table = toml_edit::Table::new();
    // What stood at the end of the file, a comment say, goes on standing before the new entry.
    table.decor_mut().set_prefix("\n");
    table["id"] = toml_edit::value(id.as_str());
    if name != id.as_str() {
        table["name"] = toml_edit::value(name);
    }
    if let Some(computer) = &target.computer {
        table["computer"] = toml_edit::value(computer);
    }
    table["protocol"] = toml_edit::value(&target.protocol);
    table["port"] = toml_edit::value(i64::from(target.port));
    let usual = Scheme::from_name(&target.protocol).map(Scheme::default_path);
    if usual != Some(target.path.as_str()) {
        table["path"] = toml_edit::value(&target.path);
    }
    table["namespace"] = toml_edit::value(target.namespace.as_str());
    table["tls"] = toml_edit::value(tls_table(target.tls.as_ref()));
    if let Some(user) = &target.user {
        let mut auth = toml_edit::InlineTable::new();
        auth.insert("mechanism", "basic".into());
        auth.insert("user", user.into());
        auth.insert("secret", target.secret.to_text().into());
        table["auth"] = toml_edit::value(auth);
    }
    if target.allow_clear_text {
        table["allow_clear_text"] = toml_edit::value(true);
    }
    table
}

fn tls_table(tls: Option<&Tls>) -> toml_edit::InlineTable {
    let mut table = toml_edit::InlineTable::new();
    table.insert("use", tls.is_some().into());
    let Some(tls) = tls else { return table };
    let Tls { ca_file, client_cert, client_key, skip_chain, skip_name, min_version, server_name, pin } = tls;
    for (key, file) in [("ca_file", ca_file), ("client_cert", client_cert), ("client_key", client_key)] {
        if let Some(file) = file {
            table.insert(key, file.to_string_lossy().into_owned().into());
        }
    }
    for (key, on) in [("skip_chain", *skip_chain), ("skip_name", *skip_name)] {
        if on {
            table.insert(key, true.into());
        }
    }
    if *min_version != TlsVersion::default() {
        table.insert("min_version", min_version.text().into());
    }
    if let Some(name) = server_name {
        table.insert("server_name", name.into());
    }
    if let Some(pin) = pin {
        table.insert("pin", pin.to_string().into());
    }
    table
}

/// `text` with the pin of session `id` set, all else as it was; `None` where there is no such session.
pub(super) fn pinned(text: &str, id: &ProfileId, pin: Fingerprint) -> Option<String> {
    let mut document: toml_edit::DocumentMut = text.parse().ok()?;
    let named = |table: &dyn toml_edit::TableLike| table.get("id").and_then(|id| id.as_str()) == Some(id.as_str());
    let list = document.get_mut("session")?;
    let session: &mut dyn toml_edit::TableLike = match list {
        toml_edit::Item::ArrayOfTables(list) => list.iter_mut().find(|table| named(*table))?,
        toml_edit::Item::Value(toml_edit::Value::Array(list)) => {
            list.iter_mut().filter_map(|value| value.as_inline_table_mut()).find(|table| named(*table))?
        }
        _ => return None,
    };
    let tls = session.entry("tls").or_insert_with(|| toml_edit::value(toml_edit::InlineTable::new()));
    tls.as_table_like_mut()?.insert("pin", toml_edit::value(pin.to_string()));
    if let Some(tls) = tls.as_inline_table_mut() {
        tls.fmt();
    }
    Some(document.to_string())
}
