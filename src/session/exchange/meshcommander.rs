//! The computer list of MeshCommander: machines with Intel AMT.
//!
//! Owns: its columns, in JSON and in CSV, and refusing the encrypted form. Must not know AMT beyond its ports.

use secrecy::SecretString;
use serde_json::Value;

use super::{ExchangeError, Import, draft::Draft};
use crate::session::url::Scheme;

/// What marks the encrypted form.
const MAGIC: &str = "3209ruwpcoinaT4r9w347t0e4ug";
/// The ports of AMT, without and with TLS.
const PORTS: [u16; 2] = [16_992, 16_993];
/// What the program remembers about a machine rather than what somebody entered.
const STATE: &[&str] = &["conn", "date", "icon", "id", "pstate", "pmode", "ver", "h", "hx", "digest", "realm"];

/// Whether `text` looks like such a list.
pub(super) fn is_list(text: &str) -> bool {
    let text = text.trim_start();
    if text.starts_with(['{', '[']) {
        return text.contains(MAGIC) || (text.contains("\"computers\"") && text.contains("\"host\""));
    }
    let header: Vec<_> = text.lines().next().unwrap_or_default().split(',').map(unquoted).collect();
    header.iter().any(|name| name == "host") && header.iter().any(|name| matches!(name.as_str(), "tls" | "pass"))
}

fn unquoted(name: &str) -> String {
    name.trim().trim_matches('"').to_ascii_lowercase()
}

/// Reads the list.
pub(super) fn read(text: &str) -> Result<Import, ExchangeError> {
    let mut import = Import::default();
    if !text.trim_start().starts_with(['{', '[']) {
        csv_list(text, &mut import)?;
        return Ok(import);
    }
    let root: Value = serde_json::from_str(text).map_err(|error| {
        ExchangeError::at((error.line().max(1), error.column().max(1)), "the text is not JSON", "correct the line")
    })?;
    if root.get("magic").is_some() || text.contains(MAGIC) {
        let hint = "open it in MeshCommander with its password and save it again without one";
        return Err(ExchangeError::new("the list is encrypted, and only MeshCommander can open it", hint));
    }
    let list = match &root {
        Value::Array(list) => Some(list),
        root => root.get("computers").and_then(Value::as_array),
    };
    let Some(list) = list else {
        let hint = "save the list in MeshCommander again, or name another --format";
        return Err(ExchangeError::new("the file has no list of computers", hint));
    };
    for (number, computer) in list.iter().enumerate() {
        let Some(fields) = computer.as_object() else {
            import.left_out(&format!("computer {}", number + 1), "the entry", None, "it is no object");
            continue;
        };
        let fields = fields.iter().filter_map(|(key, value)| {
            let text = match value {
                Value::Null => return None,
                Value::String(text) => text.clone(),
                Value::Bool(yes) => u8::from(*yes).to_string(),
                Value::Number(number) => number.to_string(),
                Value::Array(_) | Value::Object(_) => return Some((key.to_ascii_lowercase(), None)),
            };
            Some((key.to_ascii_lowercase(), Some(text)))
        });
        computer_of(fields.collect(), number + 1, &mut import);
    }
    Ok(import)
}

fn csv_list(text: &str, import: &mut Import) -> Result<(), ExchangeError> {
    let wrong = |error: &csv::Error| {
        let line = error.position().map_or(1, |position| usize::try_from(position.line()).unwrap_or(usize::MAX));
        ExchangeError::at((line, 1), "the line is not CSV", "save the list in MeshCommander again")
    };
    let mut reader = csv::ReaderBuilder::new().flexible(true).trim(csv::Trim::All).from_reader(text.as_bytes());
    let header: Vec<_> = reader.headers().map_err(|error| wrong(&error))?.iter().map(str::to_ascii_lowercase).collect();
    for (number, record) in reader.records().enumerate() {
        let record = record.map_err(|error| wrong(&error))?;
        let fields = header.iter().zip(record.iter()).map(|(name, value)| (name.clone(), Some(value.to_owned())));
        computer_of(fields.collect(), number + 1, import);
    }
    Ok(())
}

/// One computer; a value that is no scalar is `None`.
fn computer_of(fields: Vec<(String, Option<String>)>, number: usize, import: &mut Import) {
    let of = |key: &str| fields.iter().find(|(name, _)| name == key).and_then(|(_, value)| value.as_deref());
    let host = of("host").unwrap_or_default();
    let fallback = if host.is_empty() { format!("computer {number}") } else { host.to_owned() };
    let mut draft = Draft::new(of("name").filter(|name| !name.is_empty()).unwrap_or(&fallback), Scheme::WsMan);
    host.clone_into(&mut draft.computer);
    draft.tls = matches!(of("tls"), Some("1" | "2" | "true"));
    draft.preset("preset", "amt", true);
    draft.port = Some(PORTS[usize::from(draft.tls)]);
    for (key, value) in &fields {
        let Some(value) = value else {
            draft.leave_unknown(key);
            continue;
        };
        match key.as_str() {
            _ if value.is_empty() => {}
            "name" | "host" | "tls" => {}
            "user" => draft.user = Some(value.clone()),
            "pass" => draft.password(key, SecretString::from(value.as_str())),
            "tags" => draft.tags(key, value.split(',').map(|tag| tag.trim().to_owned())),
            "tlscerthash" => draft.leave(key, Some(value), "only the fingerprint lazycim shows itself can be trusted"),
            key if STATE.contains(&key) => {}
            key => draft.leave_unknown(key),
        }
    }
    if draft.user.is_some() {
        draft.mechanism("authentication", "Digest");
    }
    draft.finish(import);
}
