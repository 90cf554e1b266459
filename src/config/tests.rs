//! What the configuration accepts, refuses and says.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::path::Path;

use super::{
    keys::{TABLES, field},
    read::{merge_environment, merge_file},
    *,
};

fn file(text: &str) -> Result<Config, ConfigError> {
    let mut loaded = Loaded::default();
    let problems = merge_file(&mut loaded, Path::new("config.toml"), text);
    problems.into_iter().next().map_or(Ok(loaded.config), Err)
}

fn env(pairs: &[(&str, &str)]) -> Result<Config, ConfigError> {
    let mut loaded = Loaded::default();
    let pairs = pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    merge_environment(&mut loaded, pairs).into_iter().next().map_or(Ok(loaded.config), Err)
}

#[test]
fn the_default_file_says_what_the_defaults_are_and_names_every_key() {
    assert_eq!(file(DEFAULT_TOML).unwrap(), Config::default());
    let document: toml::Table = DEFAULT_TOML.parse().unwrap();
    for (table, keys) in TABLES {
        let written = document[*table].as_table().unwrap().keys().map(String::as_str).collect::<Vec<_>>();
        assert_eq!(written, *keys, "[{table}]");
        assert!(keys.iter().all(|key| field(&mut Config::default(), table, key).is_some()));
    }
    assert_eq!(document.len(), TABLES.len());
}

#[test]
fn a_file_changes_only_what_it_names() {
    let config = file("[timeouts]\nconnect = 2.5\ntotal = 30\n[limits]\nin_flight = 2\n[ui]\nascii = true\n").unwrap();
    let mut expected = Config::default();
    expected.timeouts.connect = Duration::from_millis(2500);
    expected.timeouts.total = Some(Duration::from_secs(30));
    expected.limits.in_flight = 2;
    expected.ui.ascii = true;
    assert_eq!(config, expected);
}

#[test]
fn the_environment_wins_over_the_file_and_names_are_upper_case() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("config.toml"), "[timeouts]\nconnect = 2\nidle = 3\n").unwrap();
    let variables = [("LAZYCIM_TIMEOUTS_CONNECT".to_owned(), "7".to_owned())];
    let config = Config::load(&Paths::in_dir(dir.path()), None, variables).unwrap();
    assert_eq!(config.timeouts.connect, Duration::from_secs(7));
    assert_eq!(config.timeouts.idle, Duration::from_secs(3));
}

#[test]
fn every_value_has_a_source_and_prints_as_toml() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("config.toml");
    std::fs::write(&path, "[timeouts]\nconnect = 2.5\nidle = 3\n[ui]\ntheme = \"a\\\"b\"\n").unwrap();
    let variables = [("LAZYCIM_TIMEOUTS_CONNECT".to_owned(), "7".to_owned())];
    let mut loaded = Loaded::new(&Paths::in_dir(dir.path()), None, variables);
    loaded.note("limits", "in_flight", Source::Flag("--flag"));
    let keys = loaded.keys();
    let source = |table, key| {
        let key = keys.iter().find(|it| (it.table, it.key) == (table, key)).unwrap();
        (key.value.clone(), key.source.clone())
    };
    let variable = Source::Variable("LAZYCIM_TIMEOUTS_CONNECT".to_owned());
    assert_eq!(source("timeouts", "connect"), ("7".to_owned(), variable));
    assert_eq!(source("timeouts", "idle"), ("3".to_owned(), Source::File(path)));
    assert_eq!(source("timeouts", "total"), ("0".to_owned(), Source::Default));
    assert_eq!(source("limits", "in_flight").1, Source::Flag("--flag"));
    let mut printed = String::new();
    for key in &keys {
        printed += &format!("[{}]\n{} = {}\n", key.table, key.key, key.value);
        let one = file(&format!("[{}]\n{} = {}\n", key.table, key.key, key.value));
        assert!(one.is_ok(), "{key:?}");
    }
    assert!(printed.contains("theme = 'a\"b'") || printed.contains("theme = \"a\\\"b\""), "{printed}");
}

#[test]
fn all_mistakes_are_found_at_once() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("config.toml"), "[timeouts]\nconect = 2\nidle = -1\n[x]\n").unwrap();
    let variables = [("LAZYCIM_UI_MOUSE".to_owned(), "maybe".to_owned())];
    let loaded = Loaded::new(&Paths::in_dir(dir.path()), None, variables);
    let causes = loaded.problems.iter().map(|problem| problem.cause.as_str()).collect::<Vec<_>>();
    let expected = ["unknown key `conect`", "`idle` must be", "unknown table `x`", "must be true or false"];
    assert_eq!(causes.len(), expected.len(), "{causes:?}");
    assert!(causes.iter().zip(expected).all(|(cause, expected)| cause.starts_with(expected)), "{causes:?}");
}

#[test]
fn the_template_sets_nothing_and_explains_everything() {
    let template = template();
    let loaded = |text: &str| {
        let mut loaded = Loaded::default();
        assert_eq!(merge_file(&mut loaded, Path::new("config.toml"), text), []);
        loaded
    };
    assert!(loaded(&template).keys().iter().all(|key| key.source == Source::Default));
    let set = template.lines().map(|line| match line.strip_prefix("# ") {
        Some(line) if line.contains(" = ") && !line.contains("LAZYCIM_") => format!("{line}\n"),
        _ => format!("{line}\n"),
    });
    let loaded = loaded(&set.collect::<String>());
    assert_eq!(loaded.config, Config::default());
    assert!(loaded.keys().iter().all(|key| key.source != Source::Default), "{:?}", loaded.keys());
}

#[test]
fn other_variables_are_left_alone() {
    let others = [("LAZYCIM_CONFIG_DIR", "x"), ("LAZYCIM_UIX", "1"), ("LAZYCIM_REQUIRE_CAPTURES", "1"), ("PATH", "/")];
    assert_eq!(env(&others).unwrap(), Config::default());
}

#[test]
fn mistakes_name_line_column_and_the_nearest_name() {
    let cases = [
        (
            "[timeouts]\n  conect = 3\n",
            "config.toml:2:3: unknown key `conect` in [timeouts]",
            "did you mean `connect`?",
        ),
        ("[limit]\n", "config.toml:1:2: unknown table `limit`", "did you mean `limits`?"),
        ("zzz = 1\n", "config.toml:1:1: unknown table `zzz`", "known are timeouts, limits, ui"),
        ("ui = 3\n", "config.toml:1:6: `ui` must be a table", "write `[ui]`"),
        (
            "[timeouts]\nidle = \"soon\"",
            "config.toml:2:8: `idle` must be a number of seconds greater than 0, not \"soon\"",
            "see config/default.toml",
        ),
        (
            "[limits]\nxml_depth = 0",
            "config.toml:2:13: `xml_depth` must be a whole number of at least 1, not 0",
            "see config/default.toml",
        ),
        ("[ui]\nmouse = 1", "config.toml:2:9: `mouse` must be true or false, not 1", "see config/default.toml"),
        (
            "[ui]\ntheme = [1]",
            "config.toml:2:9: `theme` must be a text in quotes, not an array",
            "see config/default.toml",
        ),
    ];
    for (text, message, hint) in cases {
        let error = file(text).unwrap_err();
        assert_eq!((error.to_string().as_str(), error.hint.as_str()), (message, hint), "{text}");
    }
    let error = file("[ui]\nmouse = \n").unwrap_err();
    assert!(error.to_string().starts_with("config.toml:2:9: not TOML: "), "{error}");
}

#[test]
fn variables_with_mistakes_are_named() {
    let error = env(&[("LAZYCIM_TIMEOUTS_CONECT", "3")]).unwrap_err();
    assert_eq!(error.to_string(), "LAZYCIM_TIMEOUTS_CONECT: [timeouts] has no key `conect`");
    assert_eq!(error.hint, "did you mean `LAZYCIM_TIMEOUTS_CONNECT`?");
    let error = env(&[("LAZYCIM_LIMITS_IN_FLIGHT", "-1")]).unwrap_err();
    assert_eq!(error.to_string(), "LAZYCIM_LIMITS_IN_FLIGHT: must be a whole number of at least 1, not \"-1\"");
}

#[test]
fn a_named_file_must_exist_and_the_usual_one_need_not() {
    let dir = tempfile::tempdir().unwrap();
    let paths = Paths::in_dir(dir.path());
    assert_eq!(Config::load(&paths, None, []).unwrap(), Config::default());
    let missing = dir.path().join("missing.toml");
    let error = Config::load(&paths, Some(&missing), []).unwrap_err();
    assert_eq!(error.place, ConfigPlace::WholeFile(missing));
}
