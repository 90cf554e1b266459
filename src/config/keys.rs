//! The keys: their names, their types and the field each one sets.
//!
//! Owns: the one table of keys. Must not know files or the environment.

use std::time::Duration;

use super::Config;

/// The field behind a key, by the type its value must have.
pub(super) enum Field<'a> {
    /// A time in seconds, more than nothing.
    Seconds(&'a mut Duration),
    /// A time in seconds; 0 is without end.
    SecondsOrNone(&'a mut Option<Duration>),
    /// A count or a number of bytes, at least 1.
    Count(&'a mut usize),
    /// Text without control characters.
    Text(&'a mut String),
    /// true or false.
    Switch(&'a mut bool),
}

/// What the value of a key of config.toml must be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ValueKind {
    /// A number of seconds greater than 0.
    Seconds,
    /// A number of seconds; 0 is without end.
    SecondsOrNone,
    /// A whole number of at least 1.
    Count,
    /// A text.
    Text,
    /// true or false.
    Switch,
}

/// A value on its way into a field.
#[derive(Clone, Copy, Debug)]
pub(super) enum Given<'a> {
    Integer(i64),
    Float(f64),
    Boolean(bool),
    Text(&'a str),
    /// From the environment: text that is read as whatever the field wants.
    Any(&'a str),
    /// A TOML type no key has.
    Other(&'static str),
}

/// Tables and keys, in the order of `config/default.toml`.
pub(super) const TABLES: &[(&str, &[&str])] = &[
    ("timeouts", &["connect", "first_byte", "idle", "total"]),
    (
        "limits",
        &[
            "xml_depth",
            "embedded_depth",
            "name_bytes",
            "value_bytes",
            "header_bytes",
            "header_fields",
            "buffer_bytes",
            "undrained_rows",
            "retained_rows",
            "retained_bytes",
            "logged_operations",
            "in_flight_per_session",
            "in_flight",
        ],
    ),
    ("ui", &["theme", "mouse", "ascii"]),
];

/// The field of `config` that the key `key` of `table` sets.
pub(super) fn field<'a>(config: &'a mut Config, table: &str, key: &str) -> Option<Field<'a>> {
    let Config { timeouts, limits, ui } = config;
    Some(match (table, key) {
        ("timeouts", "connect") => Field::Seconds(&mut timeouts.connect),
        ("timeouts", "first_byte") => Field::Seconds(&mut timeouts.first_byte),
        ("timeouts", "idle") => Field::Seconds(&mut timeouts.idle),
        ("timeouts", "total") => Field::SecondsOrNone(&mut timeouts.total),
        ("limits", "xml_depth") => Field::Count(&mut limits.xml_depth),
        ("limits", "embedded_depth") => Field::Count(&mut limits.embedded_depth),
        ("limits", "name_bytes") => Field::Count(&mut limits.name_bytes),
        ("limits", "value_bytes") => Field::Count(&mut limits.value_bytes),
        ("limits", "header_bytes") => Field::Count(&mut limits.header_bytes),
        ("limits", "header_fields") => Field::Count(&mut limits.header_fields),
        ("limits", "buffer_bytes") => Field::Count(&mut limits.buffer_bytes),
        ("limits", "undrained_rows") => Field::Count(&mut limits.undrained_rows),
        ("limits", "retained_rows") => Field::Count(&mut limits.retained_rows),
        ("limits", "retained_bytes") => Field::Count(&mut limits.retained_bytes),
        ("limits", "logged_operations") => Field::Count(&mut limits.logged_operations),
        ("limits", "in_flight_per_session") => Field::Count(&mut limits.in_flight_per_session),
        ("limits", "in_flight") => Field::Count(&mut limits.in_flight),
        ("ui", "theme") => Field::Text(&mut ui.theme),
        ("ui", "mouse") => Field::Switch(&mut ui.mouse),
        ("ui", "ascii") => Field::Switch(&mut ui.ascii),
        _ => return None,
    })
}

impl Field<'_> {
    /// What the field wants, for an error.
    const fn wants(&self) -> &'static str {
        match self {
            Self::Seconds(_) => "a number of seconds greater than 0",
            Self::SecondsOrNone(_) => "a number of seconds, 0 for without end",
            Self::Count(_) => "a whole number of at least 1",
            Self::Text(_) => "a text in quotes",
            Self::Switch(_) => "true or false",
        }
    }

    /// What its value must be.
    pub(super) const fn kind(&self) -> ValueKind {
        match self {
            Self::Seconds(_) => ValueKind::Seconds,
            Self::SecondsOrNone(_) => ValueKind::SecondsOrNone,
            Self::Count(_) => ValueKind::Count,
            Self::Text(_) => ValueKind::Text,
            Self::Switch(_) => ValueKind::Switch,
        }
    }

    /// Its value as config.toml writes it.
    pub(super) fn to_toml(&self) -> String {
        let seconds = |time: &Duration| time.as_secs_f64().to_string();
        match self {
            Self::Seconds(time) => seconds(time),
            Self::SecondsOrNone(time) => seconds(&time.unwrap_or_default()),
            Self::Count(count) => count.to_string(),
            Self::Text(text) => toml_edit::Value::from(text.as_str()).to_string(),
            Self::Switch(value) => value.to_string(),
        }
    }

    /// Puts `given` into the field; otherwise says what it wants and what it was given.
    pub(super) fn set(self, given: Given<'_>) -> Result<(), String> {
        let wants = self.wants();
        let wrong = || format!("must be {wants}, not {given}");
        match self {
            Self::Seconds(field) => {
                *field = given.seconds().filter(|time| !time.is_zero()).ok_or_else(wrong)?;
            }
            Self::SecondsOrNone(field) => {
                let time = given.seconds().ok_or_else(wrong)?;
                *field = Some(time).filter(|time| !time.is_zero());
            }
            Self::Count(field) => *field = given.count().ok_or_else(wrong)?,
            Self::Text(field) => match given {
                Given::Text(text) | Given::Any(text) if !text.is_empty() && !text.contains(char::is_control) => {
                    text.clone_into(field);
                }
                _ => return Err(wrong()),
            },
            Self::Switch(field) => {
                *field = match given {
                    Given::Boolean(value) => value,
                    Given::Any(text) => text.trim().parse().map_err(|_| wrong())?,
                    _ => return Err(wrong()),
                }
            }
        }
        Ok(())
    }
}

impl Given<'_> {
    fn seconds(self) -> Option<Duration> {
        let seconds = match self {
            Self::Integer(value) => value as f64,
            Self::Float(value) => value,
            Self::Any(text) => text.trim().parse().ok()?,
            Self::Boolean(_) | Self::Text(_) | Self::Other(_) => return None,
        };
        Duration::try_from_secs_f64(seconds).ok()
    }

    fn count(self) -> Option<usize> {
        match self {
            Self::Integer(value) => usize::try_from(value).ok(),
            Self::Any(text) => text.trim().parse().ok(),
            _ => None,
        }
        .filter(|count| *count > 0)
    }
}

impl std::fmt::Display for Given<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Integer(value) => write!(f, "{value}"),
            Self::Float(value) => write!(f, "{value}"),
            Self::Boolean(value) => write!(f, "{value}"),
            Self::Text(text) => write!(f, "{text:?}"),
            Self::Any(text) => write!(f, "{text:?}"),
            Self::Other(name) => f.write_str(name),
        }
    }
}
