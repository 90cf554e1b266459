//! Reading config.toml and the environment into a [`super::Config`].
//!
//! Owns: the walk over what was written, the errors it makes and which source each value has. Must not know where the file lies.

use std::path::Path;

use toml::de::{DeTable, DeValue};

use super::{
    ConfigError, ConfigPlace, Loaded, Source,
    keys::{Given, TABLES, field},
};

/// What every variable of ours begins with.
const PREFIX: &str = "LAZYCIM_";

/// Takes in `text`, which is what `path` holds, and gives all mistakes in it, in order.
pub(super) fn merge_file(loaded: &mut Loaded, path: &Path, text: &str) -> Vec<ConfigError> {
    let mut problems = Vec::new();
    let mut tell = |offset: usize, cause: String, hint: String| {
        let (line, column) = line_and_column(text, offset);
        problems.push(ConfigError { place: ConfigPlace::File { file: path.to_owned(), line, column }, cause, hint });
    };
    let (document, errors) = DeTable::parse_recoverable(text);
    if !errors.is_empty() {
        for error in errors {
            let offset = error.span().map_or(0, |span| span.start);
            tell(offset, format!("not TOML: {}", error.message()), "correct the file; its syntax is TOML".to_owned());
        }
        return problems;
    }
    for (table, value) in document.get_ref() {
        let name: &str = table.get_ref();
        let Some((name, keys)) = TABLES.iter().find(|known| known.0 == name) else {
            let hint = did_you_mean(name, TABLES.iter().map(|known| known.0));
            tell(table.span().start, format!("unknown table `{}`", name.escape_debug()), hint);
            continue;
        };
        let DeValue::Table(entries) = value.get_ref() else {
            tell(value.span().start, format!("`{name}` must be a table"), format!("write `[{name}]`"));
            continue;
        };
        for (key, value) in entries {
            let written: &str = key.get_ref();
            let known = keys.iter().find(|known| **known == written);
            let Some((key, field)) = known.and_then(|key| Some((*key, field(&mut loaded.config, name, key)?))) else {
                let cause = format!("unknown key `{}` in [{name}]", written.escape_debug());
                tell(key.span().start, cause, did_you_mean(written, keys.iter().copied()));
                continue;
            };
            match field.set(given(value.get_ref())) {
                Ok(()) => loaded.note(name, key, Source::File(path.to_owned())),
                Err(wrong) => {
                    tell(value.span().start, format!("`{key}` {wrong}"), "see config/default.toml".to_owned());
                }
            }
        }
    }
    problems
}

/// Takes in the variables named `LAZYCIM_<TABLE>_<KEY>` and gives all mistakes in them. Other names beginning with
/// `LAZYCIM_` are not ours to judge.
pub(super) fn merge_environment(
    loaded: &mut Loaded,
    env: impl IntoIterator<Item = (String, String)>,
) -> Vec<ConfigError> {
    let mut problems = Vec::new();
    for (variable, value) in env {
        let Some(rest) = variable.strip_prefix(PREFIX) else { continue };
        let rest = rest.to_ascii_lowercase();
        let Some((table, keys, written)) =
            TABLES.iter().find_map(|(table, keys)| Some((*table, *keys, rest.strip_prefix(table)?.strip_prefix('_')?)))
        else {
            continue;
        };
        let mut tell = |cause, hint| {
            problems.push(ConfigError { place: ConfigPlace::Variable(variable.clone()), cause, hint });
        };
        let known = keys.iter().find(|known| **known == written);
        let Some((key, field)) = known.and_then(|key| Some((*key, field(&mut loaded.config, table, key)?))) else {
            let names =
                keys.iter().map(|key| format!("{PREFIX}{table}_{key}").to_ascii_uppercase()).collect::<Vec<_>>();
            let hint = did_you_mean(&variable, names.iter().map(String::as_str));
            tell(format!("[{table}] has no key `{written}`"), hint);
            continue;
        };
        match field.set(Given::Any(&value)) {
            Ok(()) => loaded.note(table, key, Source::Variable(variable.clone())),
            Err(wrong) => tell(wrong, "correct the variable or unset it".to_owned()),
        }
    }
    problems
}

fn given<'a>(value: &'a DeValue<'_>) -> Given<'a> {
    match value {
        DeValue::Integer(number) => i64::from_str_radix(number.as_str(), number.radix())
            .map_or(Given::Other("a number out of range"), Given::Integer),
        DeValue::Float(number) => number.as_str().parse().map_or(Given::Other("a float"), Given::Float),
        DeValue::Boolean(value) => Given::Boolean(*value),
        DeValue::String(text) => Given::Text(text),
        DeValue::Datetime(_) => Given::Other("a date"),
        DeValue::Array(_) => Given::Other("an array"),
        DeValue::Table(_) => Given::Other("a table"),
    }
}

/// `did you mean ...`, or the list of what is known where nothing is near.
fn did_you_mean<'a>(name: &str, known: impl Iterator<Item = &'a str> + Clone) -> String {
    let near = known
        .clone()
        .map(|known| (strsim::jaro_winkler(&name.to_ascii_lowercase(), &known.to_ascii_lowercase()), known))
        .filter(|(likeness, _)| *likeness > 0.7)
        .max_by(|a, b| a.0.total_cmp(&b.0));
    match near {
        Some((_, known)) => format!("did you mean `{known}`?"),
        None => format!("known are {}", known.collect::<Vec<_>>().join(", ")),
    }
}

/// The line and the column, both counted from 1, of the byte `offset` in `text`.
pub fn line_and_column(text: &str, offset: usize) -> (usize, usize) {
    let before = text.get(..offset).unwrap_or(text);
    let start = before.rfind('\n').map_or(0, |at| at + 1);
    (before.matches('\n').count() + 1, before[start..].chars().count() + 1)
}
