//! Reading config.toml and the environment into a [`Config`].
//!
//! Owns: the walk over what was written and the errors it makes. Must not know where the file lies.

use std::path::Path;

use toml::de::{DeTable, DeValue};

use super::{
    Config, ConfigError, ConfigPlace,
    keys::{Given, TABLES, field},
};

/// What every variable of ours begins with.
const PREFIX: &str = "LAZYCIM_";

/// Takes in `text`, which is what `path` holds.
pub(super) fn merge_file(config: &mut Config, path: &Path, text: &str) -> Result<(), ConfigError> {
    let at = |offset: usize, cause: String, hint: String| {
        let (line, column) = line_and_column(text, offset);
        ConfigError { place: ConfigPlace::File { file: path.to_owned(), line, column }, cause, hint }
    };
    let document = DeTable::parse(text).map_err(|error| {
        let offset = error.span().map_or(0, |span| span.start);
        at(offset, format!("not TOML: {}", error.message()), "correct the file; its syntax is TOML".to_owned())
    })?;
    for (table, value) in document.get_ref() {
        let name: &str = table.get_ref();
        let Some((_, keys)) = TABLES.iter().find(|known| known.0 == name) else {
            let known = TABLES.iter().map(|known| known.0);
            return Err(at(
                table.span().start,
                format!("unknown table `{}`", name.escape_debug()),
                did_you_mean(name, known),
            ));
        };
        let DeValue::Table(entries) = value.get_ref() else {
            return Err(at(value.span().start, format!("`{name}` must be a table"), format!("write `[{name}]`")));
        };
        for (key, value) in entries {
            let key_name: &str = key.get_ref();
            let Some(field) = field(config, name, key_name) else {
                let cause = format!("unknown key `{}` in [{name}]", key_name.escape_debug());
                return Err(at(key.span().start, cause, did_you_mean(key_name, keys.iter().copied())));
            };
            field.set(given(value.get_ref())).map_err(|wrong| {
                at(value.span().start, format!("`{key_name}` {wrong}"), "see config/default.toml".to_owned())
            })?;
        }
    }
    Ok(())
}

/// Takes in the variables named `LAZYCIM_<TABLE>_<KEY>`. Other names beginning with `LAZYCIM_` are not ours to judge.
pub(super) fn merge_environment(
    config: &mut Config,
    env: impl IntoIterator<Item = (String, String)>,
) -> Result<(), ConfigError> {
    for (variable, value) in env {
        let Some(rest) = variable.strip_prefix(PREFIX) else { continue };
        let rest = rest.to_ascii_lowercase();
        let Some((table, keys, key)) =
            TABLES.iter().find_map(|(table, keys)| Some((*table, *keys, rest.strip_prefix(table)?.strip_prefix('_')?)))
        else {
            continue;
        };
        let fails = |cause, hint| Err(ConfigError { place: ConfigPlace::Variable(variable.clone()), cause, hint });
        let Some(field) = field(config, table, key) else {
            let names =
                keys.iter().map(|key| format!("{PREFIX}{table}_{key}").to_ascii_uppercase()).collect::<Vec<_>>();
            let hint = did_you_mean(&variable, names.iter().map(String::as_str));
            return fails(format!("[{table}] has no key `{key}`"), hint);
        };
        if let Err(wrong) = field.set(Given::Any(&value)) {
            return fails(wrong, "correct the variable or unset it".to_owned());
        }
    }
    Ok(())
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
fn line_and_column(text: &str, offset: usize) -> (usize, usize) {
    let before = text.get(..offset).unwrap_or(text);
    let start = before.rfind('\n').map_or(0, |at| at + 1);
    (before.matches('\n').count() + 1, before[start..].chars().count() + 1)
}
