//! The JSON schemas of sessions.toml and config.toml in `assets/` are those of the tables the readers use, and what the
//! documentation shows keeps to them.
//!
//! `LAZYCIM_UPDATE_SCHEMA=1 cargo test --test schema` writes them anew.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::{fs, path::PathBuf};

use lazycim::{
    config::{self, DEFAULT_TOML, Loaded, ValueKind},
    session::{
        store::{self, KEYS, Kind, SessionsFile},
        wsman::MIN_ENVELOPE_SIZE,
    },
};
use serde_json::{Map, Value, json};

fn at(path: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// The schema of a closed table.
fn table(properties: Map<String, Value>, required: &[&str]) -> Value {
    let mut schema = json!({ "type": "object", "properties": properties, "additionalProperties": false });
    if !required.is_empty() {
        schema["required"] = json!(required);
    }
    schema
}

fn object(pairs: Vec<(&str, Value)>) -> Map<String, Value> {
    pairs.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()
}

fn document(title: &str, properties: Map<String, Value>) -> Value {
    let mut schema = table(properties, &[]);
    schema["$schema"] = json!("http://json-schema.org/draft-07/schema#");
    schema["title"] = json!(title);
    schema
}

fn text() -> Value {
    json!({ "type": "string", "minLength": 1 })
}

fn seconds() -> Value {
    json!({ "type": "number", "exclusiveMinimum": 0 })
}

fn secret() -> Value {
    let command = table(
        object(vec![
            ("command", json!({ "type": "array", "items": text(), "minItems": 1 })),
            ("confirmed", json!({ "type": "boolean" })),
            ("shell", json!({ "type": "boolean" })),
            ("timeout", seconds()),
        ]),
        &["command"],
    );
    let named = json!({ "type": "string", "pattern": "^(prompt|keyring|env:[A-Za-z0-9_]+)$" });
    json!({ "oneOf": [named, command] })
}

fn proxy() -> Value {
    let whole = table(
        object(vec![
            ("url", json!({ "type": "string", "pattern": "^http://" })),
            ("user", text()),
            ("secret", secret()),
            ("allow_clear_text", json!({ "type": "boolean" })),
        ]),
        &["url"],
    );
    json!({ "oneOf": [json!({ "type": "string", "pattern": "^(none|system|http://.+)$" }), whole] })
}

fn session_value(kind: Kind) -> Value {
    match kind {
        Kind::Text | Kind::Lines => text(),
        Kind::Choice(texts) => json!({ "enum": texts }),
        Kind::Port => json!({ "type": "integer", "minimum": 1, "maximum": 65535 }),
        Kind::Count => json!({ "type": "integer", "minimum": 1 }),
        Kind::EnvelopeSize => {
            json!({ "type": "integer", "minimum": MIN_ENVELOPE_SIZE, "maximum": u32::MAX })
        }
        Kind::Seconds => seconds(),
        Kind::SecondsOrNone => json!({ "type": "number", "minimum": 0 }),
        Kind::Switch => json!({ "type": "boolean" }),
        Kind::Texts => json!({ "type": "array", "items": text() }),
        Kind::Choices(texts) => {
            json!({ "type": "array", "items": { "enum": texts }, "minItems": 1, "uniqueItems": true })
        }
        Kind::Secret => secret(),
        Kind::UriBases => json!({ "type": "object", "additionalProperties": text() }),
        Kind::Proxy => proxy(),
    }
}

fn sessions_schema() -> Value {
    let mut session = Map::new();
    for key in KEYS {
        let mut value = session_value(key.kind);
        value["description"] = json!(key.about);
        match key.name.split_once('.') {
            None => drop(session.insert(key.name.to_owned(), value)),
            Some((head, name)) => {
                let nested = session.entry(head).or_insert_with(|| table(Map::new(), &[]));
                nested["properties"][name] = value;
            }
        }
    }
    session["id"]["pattern"] = json!("^[a-z0-9._-]{1,64}$");
    let list = json!({ "type": "array", "items": table(session, &["id"]) });
    let properties = object(vec![("version", json!({ "const": 1 })), ("session", list)]);
    document("lazycim sessions.toml", properties)
}

fn config_schema() -> Value {
    let mut tables = Map::new();
    for key in Loaded::default().keys() {
        let mut value = match key.kind {
            ValueKind::Seconds => seconds(),
            ValueKind::SecondsOrNone => json!({ "type": "number", "minimum": 0 }),
            ValueKind::Count => json!({ "type": "integer", "minimum": 1 }),
            ValueKind::Text => text(),
            ValueKind::Switch => json!({ "type": "boolean" }),
        };
        let line = DEFAULT_TOML.lines().find(|line| line.starts_with(&format!("{} = ", key.key))).unwrap();
        value["description"] = json!(line.split_once(" # ").unwrap().1.trim());
        value["default"] = toml_value(&key.value);
        let table = tables.entry(key.table).or_insert_with(|| table(Map::new(), &[]));
        table["properties"][key.key] = value;
    }
    document("lazycim config.toml", tables)
}

fn toml_value(text: &str) -> Value {
    let table: toml::Table = format!("value = {text}").parse().unwrap();
    serde_json::to_value(&table["value"]).unwrap()
}

#[test]
fn the_schemas_are_current() {
    for (file, schema) in [("sessions", sessions_schema()), ("config", config_schema())] {
        let path = at(&format!("assets/{file}.schema.json"));
        let expected = format!("{}\n", serde_json::to_string_pretty(&schema).unwrap());
        if std::env::var_os("LAZYCIM_UPDATE_SCHEMA").is_some() {
            fs::write(&path, expected).unwrap();
            continue;
        }
        let known = fs::read_to_string(&path).unwrap_or_default();
        assert!(known == expected, "{path:?} is out of date: LAZYCIM_UPDATE_SCHEMA=1 cargo test --test schema");
    }
}

/// What of `value` breaks `schema`, of the keywords used above.
fn breaks(schema: &Value, value: &Value, at: &str) -> Vec<String> {
    if let Some(choices) = schema.get("oneOf").and_then(Value::as_array) {
        let fitting = choices.iter().filter(|choice| breaks(choice, value, at).is_empty()).count();
        return if fitting == 1 { vec![] } else { vec![format!("{at}: fits {fitting} of the forms")] };
    }
    let fits = |keyword: &str, holds: &dyn Fn(&Value) -> bool| schema.get(keyword).is_none_or(holds);
    let number = value.as_f64();
    let kind = |kind: &Value| match kind.as_str().unwrap() {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "boolean" => value.is_boolean(),
        "number" => value.is_number(),
        "integer" => value.is_i64(),
        other => panic!("{other}"),
    };
    let pattern = |pattern: &Value| {
        regex::Regex::new(pattern.as_str().unwrap()).unwrap().is_match(value.as_str().unwrap_or_default())
    };
    let checks = [
        ("type", fits("type", &kind)),
        ("enum", fits("enum", &|known| known.as_array().unwrap().contains(value))),
        ("const", fits("const", &|known| known == value)),
        ("minimum", fits("minimum", &|least| number.is_none() || number >= least.as_f64())),
        ("maximum", fits("maximum", &|most| number.is_none() || number <= most.as_f64())),
        ("exclusiveMinimum", fits("exclusiveMinimum", &|least| number.is_none() || number > least.as_f64())),
        ("minLength", fits("minLength", &|_| value != "")),
        ("minItems", fits("minItems", &|_| value.as_array().is_some_and(|list| !list.is_empty()))),
        ("pattern", fits("pattern", &pattern)),
    ];
    let mut broken =
        checks.iter().filter(|check| !check.1).map(|check| format!("{at}: {}", check.0)).collect::<Vec<_>>();
    for (key, value) in value.as_object().into_iter().flatten() {
        match schema.get("properties").and_then(|known| known.get(key)) {
            Some(schema) => broken.extend(breaks(schema, value, &format!("{at}.{key}"))),
            None => match schema.get("additionalProperties").filter(|open| open.is_object()) {
                Some(schema) => broken.extend(breaks(schema, value, &format!("{at}.{key}"))),
                None => broken.push(format!("{at}.{key}: unknown")),
            },
        }
    }
    for (number, value) in value.as_array().into_iter().flatten().enumerate() {
        if let Some(schema) = schema.get("items") {
            broken.extend(breaks(schema, value, &format!("{at}[{number}]")));
        }
    }
    let required = schema.get("required").and_then(Value::as_array);
    let missing = required.into_iter().flatten().filter(|key| value.get(key.as_str().unwrap()).is_none());
    broken.extend(missing.map(|key| format!("{at}: no {key}")));
    broken
}

fn broken(schema: &Value, text: &str) -> Vec<String> {
    let table: toml::Table = text.parse().unwrap();
    breaks(schema, &serde_json::to_value(table).unwrap(), "")
}

#[test]
fn the_check_of_examples_finds_mistakes() {
    let schema = sessions_schema();
    let session = |line: &str| broken(&schema, &format!("[[session]]\nid = \"a\"\ncomputer = \"h\"\n{line}\n"));
    assert_eq!(session("port = 1"), [""; 0]);
    for line in [
        "port = 0",
        "port = \"1\"",
        "prot = 1",
        "colour = \"pink\"",
        "proxy = \"socks5://x\"",
        "tls = true",
        "auth = { secret = \"hunter2\" }",
        "timeouts = { idle = 0 }",
        "wsman = { max_envelope_size = 8191 }",
        "wsman = { vendor_namespaces = { LAB = 1 } }",
        "tags = [1]",
    ] {
        assert_eq!(session(line).len(), 1, "{line}: {:?}", session(line));
    }
    assert_eq!(broken(&schema, "version = 2\n[[session]]\n").len(), 2);
}

/// The TOML blocks of a page.
fn examples(page: &str) -> Vec<String> {
    let text = fs::read_to_string(at(page)).unwrap();
    let blocks = text.split("```toml\n").skip(1).map(|rest| rest.split("```").next().unwrap().to_owned());
    blocks.collect()
}

#[test]
fn what_the_documentation_shows_keeps_to_the_schemas_and_reads() {
    let (sessions, config) = (sessions_schema(), config_schema());
    let mut seen = 0;
    for page in ["README.md", "docs/cli.md"] {
        for example in examples(page) {
            seen += 1;
            if example.contains("[[session]]") {
                assert_eq!(broken(&sessions, &example), [""; 0], "{page}\n{example}");
                assert_eq!(SessionsFile::parse("sessions.toml", &example).problems, [], "{page}");
            } else {
                assert_eq!(broken(&config, &example), [""; 0], "{page}\n{example}");
            }
        }
    }
    assert!(seen >= 2, "the documentation shows {seen} examples");
    assert_eq!(broken(&config, DEFAULT_TOML), [""; 0]);
    assert_eq!(broken(&config, &config::template()), [""; 0]);
    assert_eq!(broken(&sessions, &store::template()), [""; 0]);
    // Every example of a key keeps to its schema.
    for key in KEYS.iter().filter(|key| !matches!(key.name, "id" | "computer")) {
        let text = format!("[[session]]\nid = \"a\"\ncomputer = \"h\"\n{} = {}\n", key.name, key.example);
        assert_eq!(broken(&sessions, &text), [""; 0], "{}", key.name);
    }
}
