//! Profiles as TOML: the value each key has, and setting it in a table.
//!
//! Owns: the way from a profile's fields to the keys of [`super::keys`]. Must not know where in a file a table stands.

use std::{path::PathBuf, time::Duration};

use toml_edit::{Array, InlineTable, Item, TableLike, Value};

use super::keys::KEYS;
use crate::session::{
    Mechanism, Profile, Target, Tls,
    options::{HttpProxy, LimitChanges, Proxy},
    secret::{SecretCommand, SecretSource},
    url::Scheme,
    wsman::{RequestEncoding, UriStyle, WsManOptions},
};

/// Keys that a new entry says even where their value is the usual one, for whoever reads the file.
const ALWAYS: &[&str] = &["id", "computer", "protocol", "port", "namespace", "tls.use"];

/// The value `profile` has for the key `name`; `None` where there is nothing to write.
pub(super) fn value(profile: &Profile, name: &str) -> Option<Value> {
    let target = &profile.target;
    let text = |text: &str| Some(Value::from(text));
    match name {
        "id" => text(profile.id.as_str()),
        "inherits" => profile.inherits.as_ref().map(|parent| parent.to_text().into()),
        "name" => Some(&profile.name).filter(|name| *name != profile.id.as_str()).and_then(|name| text(name)),
        "computer" => target.computer.as_deref().and_then(text),
        "protocol" => text(&target.protocol),
        "auto" => Some(&target.auto)
            .filter(|auto| !auto.is_empty() && **auto != Scheme::ALL)
            .map(|auto| Value::Array(auto.iter().map(|scheme| scheme.name()).collect::<Array>())),
        "port" => Some(i64::from(target.port).into()),
        "path" => text(&target.path),
        "namespace" => text(target.namespace.as_str()),
        "tls.use" => Some(target.tls.is_some().into()),
        "auth.mechanism" => text(match target.mechanism {
            Mechanism::Certificate => Mechanism::Certificate.name(),
            _ if target.user.is_none() => "none",
            mechanism => mechanism.name(),
        }),
        "auth.user" => target.user.as_deref().and_then(text),
        "auth.secret" => target.user.as_ref().map(|_| secret(&target.secret)),
        "allow_clear_text" => Some(target.allow_clear_text.into()),
        "proxy" => Some(proxy(&target.proxy)),
        "culture" => target.culture.as_deref().and_then(text),
        "pull" => text(target.pull.name()),
        "read_only" => Some(target.read_only.into()),
        "timeouts.connect" => target.timeouts.connect.map(seconds),
        "timeouts.first_byte" => target.timeouts.first_byte.map(seconds),
        "timeouts.idle" => target.timeouts.idle.map(seconds),
        "timeouts.total" => target.timeouts.total.map(|total| seconds(total.unwrap_or_default())),
        "tags" => Some(Value::Array(profile.tags.iter().collect::<Array>())).filter(|_| !profile.tags.is_empty()),
        "notes" => Some(profile.notes.as_str()).filter(|notes| !notes.is_empty()).and_then(text),
        "colour" => profile.colour.and_then(|colour| text(colour.name())),
        _ => match name.split_once('.')? {
            ("tls", key) => tls(target.tls.as_ref()?, key),
            ("wsman", key) => wsman(target, key),
            ("limits", key) => limit(target.limits, key),
            _ => None,
        },
    }
}

fn tls(tls: &Tls, key: &str) -> Option<Value> {
    let path = |file: &Option<PathBuf>| file.as_ref().map(|file| file.to_string_lossy().into_owned().into());
    match key {
        "ca_file" => path(&tls.ca_file),
        "client_cert" => path(&tls.client_cert),
        "client_key" => path(&tls.client_key),
        "skip_chain" => Some(tls.skip_chain.into()),
        "skip_name" => Some(tls.skip_name.into()),
        "min_version" => Some(tls.min_version.text().into()),
        "server_name" => tls.server_name.as_deref().map(Value::from),
        "pin" => tls.pin.map(|pin| pin.to_string().into()),
        _ => None,
    }
}

fn limit(mut limits: LimitChanges, key: &str) -> Option<Value> {
    let count = (*limits.field(key)?)?;
    i64::try_from(count).ok().map(Value::from)
}

/// What only WS-Man knows; of a session that speaks CIM-XML what is not usual.
fn wsman(target: &Target, key: &str) -> Option<Value> {
    let WsManOptions { max_envelope_size, operation_timeout, encoding, uri_style, vendor_namespaces } = &target.wsman;
    let speaks = target.protocol != Scheme::CimXml.name();
    match key {
        "max_envelope_size" => max_envelope_size.map(|bytes| i64::from(bytes).into()),
        "operation_timeout" => operation_timeout.map(seconds),
        "encoding" => Some(encoding.name().into()).filter(|_| speaks || *encoding != RequestEncoding::default()),
        "uri_style" => Some(uri_style.name().into()).filter(|_| speaks || *uri_style != UriStyle::default()),
        "vendor_namespaces" if !vendor_namespaces.is_empty() => {
            let vendors = vendor_namespaces.iter().map(|vendor| (vendor.prefix(), Value::from(vendor.uri())));
            Some(Value::InlineTable(vendors.collect::<InlineTable>()))
        }
        _ => None,
    }
}

fn seconds(time: Duration) -> Value {
    if time.subsec_nanos() == 0 {
        i64::try_from(time.as_secs()).unwrap_or(i64::MAX).into()
    } else {
        time.as_secs_f64().into()
    }
}

fn secret(source: &SecretSource) -> Value {
    let SecretSource::Command(SecretCommand { words, shell, timeout, confirmed }) = source else {
        return source.to_text().unwrap_or_default().into();
    };
    let mut table = InlineTable::new();
    table.insert("command", Value::Array(words.iter().collect()));
    if *shell {
        table.insert("shell", true.into());
    }
    if *timeout != SecretCommand::TIMEOUT {
        table.insert("timeout", seconds(*timeout));
    }
    if !*confirmed {
        table.insert("confirmed", false.into());
    }
    table.into()
}

fn proxy(proxy: &Proxy) -> Value {
    let HttpProxy { user, secret: source, allow_clear_text, .. } = match proxy {
        Proxy::None => return "none".into(),
        Proxy::System => return "system".into(),
        Proxy::Http(proxy) if proxy.user.is_none() && !proxy.allow_clear_text => return proxy.url().into(),
        Proxy::Http(proxy) => proxy,
    };
    let mut table = InlineTable::new();
    if let Proxy::Http(proxy) = proxy {
        table.insert("url", proxy.url().into());
    }
    if let Some(user) = user {
        table.insert("user", user.as_str().into());
        table.insert("secret", secret(source));
    }
    if *allow_clear_text {
        table.insert("allow_clear_text", true.into());
    }
    table.into()
}

/// Whether two values are the same, their layout aside.
pub(super) fn same(a: Option<&Value>, b: Option<&Value>) -> bool {
    match (a, b) {
        (None, None) => true,
        (Some(a), Some(b)) => plain(a) == plain(b),
        _ => false,
    }
}

fn plain(value: &Value) -> String {
    let mut value = value.clone();
    value.decor_mut().clear();
    value.to_string()
}

/// Sets the key `name` (`auth.user`) of `table` to `value`, or takes it out. What stands around it stays.
pub(super) fn set(table: &mut dyn TableLike, name: &str, value: Option<Value>) {
    match (name.split_once('.'), value) {
        (None, None) => drop(table.remove(name)),
        (None, Some(value)) => put(table, name, value),
        (Some((head, key)), value) => {
            let missing = table.get(head).is_none_or(|item| !item.is_table_like());
            if missing && value.is_none() {
                return;
            }
            if missing {
                table.insert(head, toml_edit::value(InlineTable::new()));
            }
            let Some(nested) = table.get_mut(head).and_then(Item::as_table_like_mut) else { return };
            match value {
                None => drop(nested.remove(key)),
                Some(value) => put(nested, key, value),
            }
            if nested.is_empty() {
                table.remove(head);
            }
        }
    }
}

/// Whether `table` itself has the key `name`.
fn says(table: &dyn TableLike, name: &str) -> bool {
    match name.split_once('.') {
        None => table.contains_key(name),
        Some((head, key)) => {
            table.get(head).and_then(Item::as_table_like).is_some_and(|nested| nested.contains_key(key))
        }
    }
}

fn put(table: &mut dyn TableLike, key: &str, mut value: Value) {
    match table.get_mut(key) {
        Some(Item::Value(known)) => {
            *value.decor_mut() = known.decor().clone();
            *known = value;
        }
        _ => drop(table.insert(key, Item::Value(value))),
    }
}

/// Sets in `table` what `wanted` says otherwise than `now`. `below` is what the session would be if it said nothing
/// itself: a value that is the same there is taken out. With another parent, what came from the old one is said.
pub(super) fn edit(table: &mut dyn TableLike, now: &Profile, below: &Profile, wanted: &Profile) {
    let moved = now.inherits != wanted.inherits;
    for key in KEYS {
        let (have, want) = (value(now, key.name), value(wanted, key.name));
        let stays = same(have.as_ref(), want.as_ref());
        if stays && (!moved || says(table, key.name)) {
            continue;
        }
        let usual = usual(wanted, below, key.name);
        let kept = want.filter(|want| !same(Some(want), usual.as_ref()));
        set(table, key.name, kept);
    }
}

/// The entry of a new profile; `below` as for [`edit`].
pub(super) fn fill(table: &mut dyn TableLike, below: &Profile, profile: &Profile) {
    for key in KEYS {
        let Some(want) = value(profile, key.name) else { continue };
        let always = profile.inherits.is_none() && ALWAYS.contains(&key.name);
        let user = profile.target.user.is_some() && matches!(key.name, "auth.mechanism" | "auth.user" | "auth.secret");
        if always || user || !same(Some(&want), usual(profile, below, key.name).as_ref()) {
            set(table, key.name, Some(want));
        }
    }
}

/// The value of a key that is not written. The usual port and path follow protocol and TLS; what only WS-Man knows is
/// usual where it is spoken.
fn usual(wanted: &Profile, below: &Profile, name: &str) -> Option<Value> {
    let (scheme, usual) = (wanted.target.scheme()?, below.target.scheme()?);
    let (wanted_tls, below_tls) = (wanted.target.tls.is_some(), below.target.tls.is_some());
    match name {
        "id" | "inherits" => None,
        "port" if below.target.port == usual.default_port(below_tls) => {
            Some(i64::from(scheme.default_port(wanted_tls)).into())
        }
        "path" if below.target.path == usual.default_path() => Some(scheme.default_path().into()),
        _ => match name.strip_prefix("wsman.") {
            Some(key) => wsman(&Target { wsman: below.target.wsman.clone(), ..wanted.target.clone() }, key),
            None => value(below, name),
        },
    }
}
