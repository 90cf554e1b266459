//! Keeps the README honest: its screens are the snapshots, its keys are the registry's, its commands exist.
//!
//! `LAZYCIM_UPDATE_README=1 cargo test --test readme` writes the screens anew.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::{fs, path::PathBuf};

fn at(path: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// The screen a snapshot holds: everything after its second `---`.
fn snapshot(name: &str) -> String {
    let path = at(&format!("tests/tui/snapshots/tui__screens__{name}.snap"));
    let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let body = text.splitn(3, "---\n").nth(2).unwrap();
    body.lines().map(str::trim_end).collect::<Vec<_>>().join("\n").trim_end().to_owned()
}

/// The README with each `<!-- screen: NAME -->` followed by that snapshot in a text block.
fn with_screens(readme: &str) -> (String, usize) {
    let (mut out, mut rest, mut screens) = (String::new(), readme, 0);
    while let Some(start) = rest.find("<!-- screen: ") {
        let (before, marked) = rest.split_at(start);
        let name = marked["<!-- screen: ".len()..].split(" -->").next().unwrap();
        let after = marked.split_once("<!-- end of screen -->").expect("a screen has an end").1;
        out += &format!("{before}<!-- screen: {name} -->\n```text\n{}\n```\n<!-- end of screen -->", snapshot(name));
        (rest, screens) = (after, screens + 1);
    }
    (out + rest, screens)
}

#[test]
fn screens_are_the_snapshots() {
    let readme = fs::read_to_string(at("README.md")).unwrap();
    let (expected, screens) = with_screens(&readme);
    assert!(screens >= 2, "the README shows {screens} screens");
    if std::env::var_os("LAZYCIM_UPDATE_README").is_some() {
        fs::write(at("README.md"), expected).unwrap();
        return;
    }
    assert!(
        readme == expected,
        "the README's screens are out of date: LAZYCIM_UPDATE_README=1 cargo test --test readme"
    );
}

#[test]
fn keys_are_the_registrys() {
    let readme = fs::read_to_string(at("README.md")).unwrap();
    let keys = fs::read_to_string(at("docs/keys.md")).unwrap();
    let table = readme.split_once("<!-- keys -->").unwrap().1.split_once("<!-- end of keys -->").unwrap().0;
    let rows: Vec<_> = table.lines().filter(|line| line.starts_with("| `")).collect();
    assert!(rows.len() >= 8, "the README names {} keys", rows.len());
    for row in rows {
        assert!(keys.lines().any(|line| line == row), "not a row of docs/keys.md: {row}");
    }
}

#[test]
fn links_lead_somewhere() {
    let readme = fs::read_to_string(at("README.md")).unwrap();
    let links: Vec<_> = readme.split("](").skip(1).filter_map(|rest| rest.split(')').next()).collect();
    assert!(!links.is_empty());
    for link in links.into_iter().filter(|link| !link.contains("://") && !link.starts_with('#')) {
        assert!(at(link).exists(), "the README links to {link}, which is not there");
    }
}
