//! Values of sessions.toml by their types, and the mistakes in them with their places.
//!
//! Owns: what a text, a switch, a time, a secret's source or a proxy looks like in the file, and the words of the errors.
//! Must not know which keys there are beyond [`super::keys`], and must never repeat a value that could be a password.

use std::{path::Path, time::Duration};

use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

use super::{
    SessionsError,
    keys::{KEYS, Kind, names_in},
    layers::{Found, Layer, Layers},
    suggest,
};
use crate::session::{
    options::{HttpProxy, LimitChanges, Proxy, TimeoutChanges},
    profile::PullUse,
    secret::{SecretCommand, SecretSource},
    wsman::{MIN_ENVELOPE_SIZE, RequestEncoding, UriStyle, VendorNamespace, WsManOptions},
};

/// Keys people write where they expect to put a password.
const FORBIDDEN: &[&str] = &["password", "passwd", "pass", "pwd"];
const NO_PASSWORDS: &str = "remove it; write secret = \"prompt\", or secret = \"env:VAR\" to read a variable";
const NO_SECRETS: &str = "`secret` says where the secret comes from; it is not the secret itself";
const SECRETS: &str = "write \"prompt\", \"env:VAR\", \"keyring\" or { command = [\"PROGRAM\", \"ARGUMENT\"] }";
const PROXIES: &str =
    "write \"none\", \"system\", \"http://HOST:PORT\" or { url = \"http://HOST:PORT\", user = \"NAME\" }";
/// The most a time-out may be: a year.
const MAX_SECONDS: f64 = 31_536_000.0;

/// Reads values and collects mistakes.
pub(super) struct Reader<'a> {
    pub(super) file: &'a Path,
    text: &'a str,
    pub(super) problems: Vec<SessionsError>,
}

impl<'a> Reader<'a> {
    pub(super) fn new(file: &'a Path, text: &'a str) -> Self {
        Self { file, text, problems: Vec::new() }
    }

    pub(super) fn problem(&mut self, offset: usize, cause: String, hint: &str) {
        let before = self.text.get(..offset).unwrap_or(self.text);
        let start = before.rfind('\n').map_or(0, |at| at + 1);
        let place = (before.matches('\n').count() + 1, before[start..].chars().count() + 1);
        let (file, hint) = (self.file.to_owned(), hint.to_owned());
        self.problems.push(SessionsError { file, place: Some(place), cause, hint });
    }

    /// Takes in what is no TOML, and gives the places.
    pub(super) fn syntax(&mut self, errors: &[toml::de::Error]) -> Vec<usize> {
        let mut places = Vec::new();
        for error in errors {
            let at = error.span().map_or(0, |span| span.start);
            places.push(at);
            self.problem(at, format!("not TOML: {}", error.message()), "correct the line; the syntax is TOML");
        }
        places
    }

    pub(super) fn check_keys(&mut self, table: &DeTable<'_>, known: &[&str], whose: &str) {
        for key in table.keys() {
            let name: &str = key.get_ref();
            if known.contains(&name) {
                continue;
            }
            let at = key.span().start;
            if FORBIDDEN.contains(&name.to_ascii_lowercase().as_str()) {
                self.problem(at, "passwords are not kept in this file".to_owned(), NO_PASSWORDS);
                continue;
            }
            let hint = suggest(name, known.iter().copied());
            self.problem(at, format!("unknown key `{}` in {whose}", name.escape_debug()), &hint);
        }
    }

    /// Checks that the value of `key` is a table, and its keys.
    pub(super) fn check_table(&mut self, value: &Spanned<DeValue<'_>>, key: &str) {
        match value.get_ref() {
            DeValue::Table(table) => self.check_keys(table, &names_in(key), key),
            _ => {
                let (cause, hint) = (format!("`{key}` must be a table"), format!("write {key} = {{ ... }}"));
                self.problem(value.span().start, cause, &hint);
            }
        }
    }

    pub(super) fn version_is_ours(&mut self, document: &DeTable<'_>) -> bool {
        let Some(version) = document.get("version") else { return true };
        let ours = matches!(version.get_ref(), DeValue::Integer(number) if number.as_str() == "1");
        if !ours {
            let cause = "`version` is not 1: this lazycim cannot read the file".to_owned();
            let hint = "use the lazycim that wrote it, or write version = 1";
            self.problem(version.span().start, cause, hint);
        }
        ours
    }

    pub(super) fn required(&mut self, table: &Layers<'_>, key: &str, header: usize) -> Option<String> {
        if table.get(key).is_none() {
            self.problem(header, format!("a session has no `{key}`"), &format!("write {key} = \"...\""));
        }
        self.text_of(table, key)
    }

    pub(super) fn text_of(&mut self, table: &Layers<'_>, key: &str) -> Option<String> {
        self.text(table.get(key)?, key, |c| c.is_control())
    }

    /// A text that may have several lines.
    pub(super) fn lines(&mut self, table: &Layers<'_>, key: &str) -> Option<String> {
        self.text(table.get(key)?, key, |c| c.is_control() && !matches!(c, '\n' | '\t' | '\r'))
    }

    fn text(&mut self, found: Found<'_>, key: &str, unfit: fn(char) -> bool) -> Option<String> {
        let cause = match found.value {
            DeValue::String(text) if !text.is_empty() && !text.contains(unfit) => return Some(text.to_string()),
            DeValue::String(_) => format!("`{key}` is empty or has a control character"),
            _ => format!("`{key}` must be a text"),
        };
        let hint = format!("write {key} = \"...\"{}", if found.value.is_str() { ", or leave it out" } else { "" });
        self.problem(found.at, cause, &hint);
        None
    }

    /// One of the texts that [`KEYS`] lists for the key whose last part is `key`.
    pub(super) fn choice(&mut self, table: &Layers<'_>, key: &str) -> Option<String> {
        let text = self.text_of(table, key)?;
        let known = KEYS.iter().find_map(|known| match known.kind {
            Kind::Choice(texts) if known.name.rsplit('.').next() == Some(key) => Some(texts),
            _ => None,
        })?;
        if known.contains(&text.as_str()) {
            return Some(text);
        }
        let at = table.get(key).map_or(0, |found| found.at);
        let quoted = known.iter().map(|text| format!("{text:?}")).collect::<Vec<_>>();
        let hint = match quoted.as_slice() {
            [first, last] => format!("write {first} or {last}"),
            _ => format!("write one of {}", quoted.join(", ")),
        };
        self.problem(at, format!("unknown {key} {text:?}"), &hint);
        None
    }

    pub(super) fn texts(&mut self, table: &Layers<'_>, key: &str) -> Option<Vec<String>> {
        let found = table.get(key)?;
        let texts = texts_in(found.value);
        if texts.is_none() {
            self.problem(found.at, format!("`{key}` must be a list of texts"), &format!("write {key} = [\"...\"]"));
        }
        texts
    }

    pub(super) fn switch(&mut self, table: &Layers<'_>, key: &str) -> Option<bool> {
        let found = table.get(key)?;
        if let DeValue::Boolean(value) = found.value {
            return Some(*value);
        }
        self.problem(found.at, format!("`{key}` must be true or false"), &format!("write {key} = true"));
        None
    }

    pub(super) fn port(&mut self, table: &Layers<'_>) -> Option<u16> {
        let found = table.get("port")?;
        let port = whole(found.value).and_then(|number| u16::try_from(number).ok()).filter(|port| *port > 0);
        if port.is_none() {
            let cause = "`port` must be a number from 1 to 65535".to_owned();
            self.problem(found.at, cause, "leave it out for the usual port");
        }
        port
    }

    /// A time in seconds; without `or_none` more than nothing.
    fn seconds(&mut self, table: &Layers<'_>, key: &str, or_none: bool) -> Option<Duration> {
        let found = table.get(key)?;
        let time = seconds_in(found.value).filter(|time| or_none || !time.is_zero());
        if time.is_none() {
            let more = if or_none { ", 0 for without end" } else { " greater than 0" };
            self.problem(found.at, format!("`{key}` must be a number of seconds{more}"), &format!("write {key} = 10"));
        }
        time
    }

    pub(super) fn timeouts(&mut self, table: &Layers<'_>) -> TimeoutChanges {
        let table = table.table("timeouts");
        TimeoutChanges {
            connect: self.seconds(&table, "connect", false),
            first_byte: self.seconds(&table, "first_byte", false),
            idle: self.seconds(&table, "idle", false),
            total: self.seconds(&table, "total", true).map(|time| Some(time).filter(|time| !time.is_zero())),
        }
    }

    pub(super) fn limits(&mut self, table: &Layers<'_>) -> LimitChanges {
        let (table, mut limits) = (table.table("limits"), LimitChanges::default());
        for key in LimitChanges::KEYS {
            let (Some(found), Some(field)) = (table.get(key), limits.field(key)) else { continue };
            *field = whole(found.value).and_then(|number| usize::try_from(number).ok()).filter(|count| *count > 0);
            if field.is_none() {
                let cause = format!("`{key}` must be a whole number of at least 1");
                self.problem(found.at, cause, "leave it out for the configuration's");
            }
        }
        limits
    }

    pub(super) fn pull(&mut self, table: &Layers<'_>) -> PullUse {
        let name = self.choice(table, "pull");
        PullUse::NAMES
            .into_iter()
            .find(|known| Some(known.1) == name.as_deref())
            .map(|known| known.0)
            .unwrap_or_default()
    }

    pub(super) fn wsman(&mut self, table: &Layers<'_>) -> WsManOptions {
        let table = &table.table("wsman");
        WsManOptions {
            max_envelope_size: self.envelope_size(table),
            operation_timeout: self.seconds(table, "operation_timeout", false),
            encoding: self.choice(table, "encoding").and_then(|name| RequestEncoding::named(&name)).unwrap_or_default(),
            uri_style: self.choice(table, "uri_style").and_then(|name| UriStyle::named(&name)).unwrap_or_default(),
            vendor_namespaces: self.vendor_namespaces(table),
        }
    }

    fn envelope_size(&mut self, table: &Layers<'_>) -> Option<u32> {
        let found = table.get("max_envelope_size")?;
        let size = whole(found.value).and_then(|bytes| u32::try_from(bytes).ok());
        let size = size.filter(|bytes| *bytes >= MIN_ENVELOPE_SIZE);
        if size.is_none() {
            let cause = format!("`max_envelope_size` must be a whole number from {MIN_ENVELOPE_SIZE} to {}", u32::MAX);
            self.problem(found.at, cause, "leave it out for what the server takes");
        }
        size
    }

    /// The vendors of the strongest layer that names any.
    fn vendor_namespaces(&mut self, table: &Layers<'_>) -> Vec<VendorNamespace> {
        const VENDORS: &str = "write vendor_namespaces = { LAB_ = \"http://lab.example/wbem/wscim/1/cim-schema/2\" }";
        let Some(found) = table.get("vendor_namespaces") else { return Vec::new() };
        let DeValue::Table(vendors) = found.value else {
            self.problem(found.at, "`vendor_namespaces` must be a table".to_owned(), VENDORS);
            return Vec::new();
        };
        let mut read = Vec::new();
        for (prefix, uri) in vendors {
            let prefix: &str = prefix.get_ref();
            match uri.get_ref().as_str().and_then(|uri| VendorNamespace::new(prefix, uri)) {
                Some(vendor) => read.push(vendor),
                None => {
                    let shown = prefix.escape_debug();
                    let cause = format!("`vendor_namespaces` has no beginning of classes with a URI in `{shown}`");
                    self.problem(found.at, cause, VENDORS);
                }
            }
        }
        read
    }

    /// A value of `Accept-Language` (RFC 9110 section 12.5.4): what a header can hold and languages are written in.
    pub(super) fn culture(&mut self, table: &Layers<'_>) -> Option<String> {
        let text = self.text_of(table, "culture")?;
        let fits = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'*' | b',' | b';' | b'=' | b'.' | b' ');
        if text.bytes().all(fits) {
            return Some(text);
        }
        let at = table.get("culture").map_or(0, |found| found.at);
        self.problem(at, "`culture` is no list of languages".to_owned(), "write culture = \"de-DE, en\"");
        None
    }

    pub(super) fn secret(&mut self, table: &Layers<'_>, key: &str) -> Option<SecretSource> {
        let found = table.get(key)?;
        let source = match found.value {
            DeValue::String(text) => SecretSource::from_text(text),
            DeValue::Table(command) => secret_command(command),
            _ => None,
        };
        if source.is_none() {
            self.problem(found.at, NO_SECRETS.to_owned(), SECRETS);
        }
        source
    }

    pub(super) fn proxy(&mut self, table: &Layers<'_>) -> Proxy {
        let Some(found) = table.get("proxy") else { return Proxy::None };
        let proxy = match found.value {
            DeValue::String(text) => match text.as_ref() {
                "none" => Some(Proxy::None),
                "system" => Some(Proxy::System),
                url => HttpProxy::at(url).map(Proxy::Http),
            },
            DeValue::Table(_) => return self.proxy_table(table, found.at).map_or(Proxy::None, Proxy::Http),
            _ => None,
        };
        if proxy.is_none() {
            // Not repeated: a password may stand in it.
            self.problem(found.at, "`proxy` is no proxy lazycim can use".to_owned(), PROXIES);
        }
        proxy.unwrap_or_default()
    }

    fn proxy_table(&mut self, table: &Layers<'_>, at: usize) -> Option<HttpProxy> {
        // A proxy is taken over whole or not at all.
        let layer = table.get("proxy")?.layer;
        let strongest = Layers(table.0.get(layer).cloned().into_iter().collect::<Vec<Layer<'_>>>()).table("proxy");
        if let Some(layer) = strongest.0.first() {
            self.check_keys(layer.table, &["url", "user", "secret", "allow_clear_text"], "proxy");
        }
        let proxy = strongest.get("url").and_then(|url| HttpProxy::at(url.value.as_str()?));
        let Some(proxy) = proxy else {
            let at = strongest.get("url").map_or(at, |url| url.at);
            self.problem(at, "`proxy` names no `url` lazycim can use".to_owned(), PROXIES);
            return None;
        };
        let user = self.text_of(&strongest, "user");
        let secret = self.secret(&strongest, "secret").unwrap_or(SecretSource::Prompt);
        let allow_clear_text = self.switch(&strongest, "allow_clear_text").unwrap_or(false);
        Some(HttpProxy { user, secret, allow_clear_text, ..proxy })
    }
}

fn whole(value: &DeValue<'_>) -> Option<i64> {
    match value {
        DeValue::Integer(number) => i64::from_str_radix(number.as_str(), number.radix()).ok(),
        _ => None,
    }
}

fn seconds_in(value: &DeValue<'_>) -> Option<Duration> {
    let seconds = match value {
        DeValue::Float(number) => number.as_str().parse::<f64>().ok()?,
        _ => whole(value)? as f64,
    };
    Duration::try_from_secs_f64(seconds).ok().filter(|_| seconds <= MAX_SECONDS)
}

fn texts_in(value: &DeValue<'_>) -> Option<Vec<String>> {
    let fits = |text: &&str| !text.is_empty() && !text.contains(char::is_control);
    value.as_array()?.iter().map(|item| item.get_ref().as_str().filter(fits).map(str::to_owned)).collect()
}

fn secret_command(table: &DeTable<'_>) -> Option<SecretSource> {
    if !table.keys().all(|key| matches!(key.get_ref().as_ref(), "command" | "shell" | "timeout" | "confirmed")) {
        return None;
    }
    let words = texts_in(table.get("command")?.get_ref())?;
    let switch = |key: &str, usual| match table.get(key).map(|value| value.get_ref()) {
        None => Some(usual),
        Some(DeValue::Boolean(switch)) => Some(*switch),
        Some(_) => None,
    };
    let (shell, confirmed) = (switch("shell", false)?, switch("confirmed", true)?);
    let timeout = match table.get("timeout") {
        None => SecretCommand::TIMEOUT,
        Some(value) => seconds_in(value.get_ref()).filter(|time| !time.is_zero())?,
    };
    let fits = if shell { words.len() == 1 } else { !words.is_empty() };
    fits.then_some(SecretSource::Command(SecretCommand { words, shell, timeout, confirmed }))
}
