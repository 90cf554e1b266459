//! The house rules a compiler cannot check in one package: who may use whom, and where tokio, sockets, files, clocks and
//! `.await` may appear. Each failure prints the rule it breaks. The rules are drawn in `docs/architecture.md`.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

/// Module path prefix, what of ours it may use. The longest prefix that fits a file wins.
const MAY_USE: &[(&str, &[&str])] = &[
    ("cim", &[]),
    ("op", &["cim"]),
    ("session", &["cim", "op"]),
    ("auth", &[]),
    ("wire", &["op", "auth"]),
    ("protocol", &["cim", "op", "session", "auth", "wire"]),
    ("config", &[]),
    ("engine", &["cim", "op", "session", "auth", "wire", "protocol", "config", "server"]),
    ("server", &["cim", "auth"]),
    ("app", &["cim", "op", "session", "config"]),
    ("tui", &["app", "cim", "op", "session", "config"]),
    ("tui::view", &["app", "cim", "op", "session", "tui"]),
    ("tui::theme", &["app", "cim", "op", "session"]),
    ("tui::run", &["app", "cim", "op", "session", "engine", "server", "config", "tui"]),
    ("cli", &["cim", "op", "session", "engine", "server", "config"]),
    ("main", &["cli", "tui", "config"]),
];

/// Prefixes, what may not appear in their code, and the rule in words.
const FORBIDDEN: &[(&[&str], &[&str], &str)] = &[
    (
        &["cim", "op", "app"],
        &[
            "tokio::",
            "reqwest::",
            "ratatui::",
            "crossterm::",
            "std::fs",
            "std::thread",
            "std::env",
            "Instant::now",
            "SystemTime",
            ".await",
        ],
        "cim, op and app are pure: no runtime, no terminal, no files, no clock; time comes in with events",
    ),
    (
        &["cim", "op", "app"],
        &["TcpStream", "TcpListener", "UdpSocket", "ToSocketAddrs"],
        "cim, op and app have no sockets; an address may be carried as data",
    ),
    (
        &[
            "auth",
            "protocol::xml",
            "protocol::cimxml::grammar",
            "protocol::cimxml::decode",
            "protocol::cimxml::request",
            "protocol::wsman::decode",
            "protocol::wsman::envelope",
            "protocol::wsman::request",
            "protocol::wsman::resource",
        ],
        &["tokio::", "reqwest::", "std::net", ".await", "async "],
        "authenticators, decoders and request builders are sans-IO: bytes in, bytes or rows out",
    ),
    (
        &["cim", "op", "session", "auth", "wire", "protocol", "config", "app", "tui", "cli"],
        &["tokio::spawn", "task::spawn", "spawn_blocking", "thread::spawn"],
        "only engine and server spawn (the front's own event thread excepted, which is in tui::run and tui::terminal)",
    ),
    (
        &["cim", "op", "session", "auth", "wire", "config", "engine", "server", "app", "tui", "main"],
        &["println!", "print!("],
        "only cli writes to stdout",
    ),
    (
        &["cim", "op", "session", "auth", "wire", "protocol", "engine", "app", "cli", "config"],
        &["ratatui::"],
        "only tui draws",
    ),
    (
        &["wire", "protocol", "engine", "cli", "tui"],
        &["OpError::new("],
        "the words of an error come from its row of op::explain, which is the page docs/errors.md as well",
    ),
];

struct Source {
    path: PathBuf,
    module: String,
    code: String,
}

fn sources() -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let (mut found, mut folders) = (Vec::new(), vec![root.clone()]);
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.file_stem().is_some_and(|name| name == "tests") {
                // `#[cfg(test)] mod tests;` in a file or folder of its own.
                continue;
            }
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|ext| ext == "rs") {
                let mut parts: Vec<_> = path
                    .strip_prefix(&root)
                    .unwrap()
                    .with_extension("")
                    .iter()
                    .map(|p| p.to_str().unwrap().to_owned())
                    .collect();
                if parts.last().is_some_and(|last| last == "mod") {
                    parts.pop();
                }
                let text = fs::read_to_string(&path).unwrap();
                found.push(Source { module: parts.join("::"), code: without_tests(&blank(&text)), path });
            }
        }
    }
    found.sort_by(|a, b| a.path.cmp(&b.path));
    assert!(found.len() > 20, "found only {} sources", found.len());
    found
}

/// The text with comments, strings and character literals blanked out, newlines kept.
fn blank(text: &str) -> String {
    let (chars, mut out, mut at) = (text.chars().collect::<Vec<_>>(), String::with_capacity(text.len()), 0);
    let peek = |at: usize| chars.get(at).copied().unwrap_or('\0');
    while at < chars.len() {
        let start = at;
        match (peek(at), peek(at + 1)) {
            ('/', '/') => {
                while at < chars.len() && peek(at) != '\n' {
                    at += 1
                }
            }
            ('/', '*') => {
                let mut depth = 0;
                loop {
                    match (peek(at), peek(at + 1)) {
                        ('/', '*') => {
                            depth += 1;
                            at += 2
                        }
                        ('*', '/') => {
                            depth -= 1;
                            at += 2
                        }
                        _ => at += 1,
                    }
                    if depth == 0 || at >= chars.len() {
                        break;
                    }
                }
            }
            ('r', '"' | '#')
                if !peek(at.wrapping_sub(1)).is_alphanumeric() && peek(at.wrapping_sub(1)) != '_' && {
                    let mut end = at + 1;
                    while peek(end) == '#' {
                        end += 1
                    }
                    peek(end) == '"'
                } =>
            {
                at += 1;
                let mut hashes = 0;
                while peek(at) == '#' {
                    hashes += 1;
                    at += 1
                }
                at += 1;
                while at < chars.len() && !(peek(at) == '"' && (1..=hashes).all(|n| peek(at + n) == '#')) {
                    at += 1
                }
                at += 1 + hashes;
            }
            ('"', _) => {
                at += 1;
                while at < chars.len() && peek(at) != '"' {
                    at += if peek(at) == '\\' { 2 } else { 1 }
                }
                at += 1;
            }
            ('\'', '\\') => {
                at += 3;
                while at < chars.len() && peek(at) != '\'' {
                    at += 1
                }
                at += 1;
            }
            ('\'', _) if peek(at + 2) == '\'' => at += 3,
            (other, _) => {
                out.push(other);
                at += 1;
                continue;
            }
        }
        out.extend(chars[start..at.min(chars.len())].iter().map(|c| if *c == '\n' { '\n' } else { ' ' }));
    }
    out
}

/// The code without items behind `#[cfg(test)]`.
fn without_tests(code: &str) -> String {
    let mut out = code.to_owned();
    while let Some(start) = out.find("#[cfg(test)]") {
        let rest = &out[start..];
        let brace = rest.find('{').unwrap_or(rest.len());
        let semi = rest.find(';').unwrap_or(rest.len());
        let end = if semi < brace {
            semi + 1
        } else {
            let mut depth = 0;
            rest.char_indices()
                .skip_while(|(at, _)| *at < brace)
                .find_map(|(at, c)| {
                    depth += match c {
                        '{' => 1,
                        '}' => -1,
                        _ => 0,
                    };
                    (depth == 0).then_some(at + 1)
                })
                .unwrap_or(rest.len())
        };
        out.replace_range(start..start + end, &"\n".repeat(rest[..end].matches('\n').count()));
    }
    out
}

/// Names of our own top modules that `code` reaches, through `crate::`, `lazycim::` or enough `super::`.
fn reached(source: &Source) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    let depth = if source.module == "main" || source.module == "lib" { 0 } else { source.module.split("::").count() };
    let ups = "super::".repeat(depth.max(1));
    for prefix in ["crate::", "lazycim::", ups.as_str()] {
        for (at, _) in source.code.match_indices(prefix) {
            if source.code[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_') {
                continue;
            }
            let rest = &source.code[at + prefix.len()..];
            match rest.strip_prefix('{') {
                Some(group) => names.extend(group_heads(group)),
                None => names.extend(head(rest)),
            }
        }
    }
    names.retain(|name| MAY_USE.iter().any(|(module, _)| module == name));
    names
}

fn head(text: &str) -> Option<String> {
    let name: String = text.trim_start().chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
    (!name.is_empty()).then_some(name)
}

/// The first segments of the members of a `{...}` group of a `use`.
fn group_heads(group: &str) -> Vec<String> {
    let (mut depth, mut heads, mut member) = (0, Vec::new(), String::new());
    for c in group.chars() {
        match c {
            '{' => depth += 1,
            '}' if depth == 0 => break,
            '}' => depth -= 1,
            ',' if depth == 0 => heads.extend(head(&std::mem::take(&mut member))),
            _ if depth == 0 => member.push(c),
            _ => {}
        }
    }
    heads.extend(head(&member));
    heads
}

fn is_within(module: &str, prefix: &str) -> bool {
    module == prefix || module.strip_prefix(prefix).is_some_and(|rest| rest.starts_with("::"))
}

#[test]
fn modules_use_only_what_they_may() {
    let mut broken = Vec::new();
    for source in sources().iter().filter(|source| source.module != "lib") {
        let (prefix, allowed) = MAY_USE
            .iter()
            .filter(|(prefix, _)| is_within(&source.module, prefix))
            .max_by_key(|(prefix, _)| prefix.len())
            .unwrap_or_else(|| panic!("{} is in no room of the house", source.path.display()));
        let own = prefix.split("::").next().unwrap();
        for name in reached(source) {
            if name != own && !allowed.contains(&name.as_str()) {
                broken.push(format!("{}: `{prefix}` may use {allowed:?}, not `{name}`", source.path.display()));
            }
        }
    }
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

#[test]
fn forbidden_things_stay_out() {
    let mut broken = Vec::new();
    for source in sources() {
        for (prefixes, words, rule) in FORBIDDEN {
            if !prefixes.iter().any(|prefix| is_within(&source.module, prefix)) {
                continue;
            }
            for word in *words {
                for (at, _) in source.code.match_indices(word) {
                    let line = source.code[..at].matches('\n').count() + 1;
                    broken.push(format!("{}:{line}: `{word}`: {rule}", source.path.display()));
                }
            }
        }
    }
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

#[test]
fn only_the_loop_awaits_in_the_terminal_front() {
    let awaiting: Vec<_> = sources()
        .into_iter()
        .filter(|source| {
            is_within(&source.module, "tui") && !is_within(&source.module, "tui::run") && source.code.contains(".await")
        })
        .map(|source| source.path.display().to_string())
        .collect();
    assert!(awaiting.is_empty(), "only tui/run awaits, so that nothing else can block the keyboard: {awaiting:?}");
}

#[test]
fn protocols_know_only_the_target_of_a_session() {
    let broken: Vec<_> = sources()
        .into_iter()
        .filter(|source| is_within(&source.module, "protocol"))
        .filter(|source| {
            ["session::store", "session::Profile", "session::url", "profile::Profile"]
                .iter()
                .any(|word| source.code.contains(word))
        })
        .map(|source| source.path.display().to_string())
        .collect();
    assert!(broken.is_empty(), "of a session a protocol may know the Target alone: {broken:?}");
}

#[test]
fn the_engine_uses_only_the_servers_door() {
    let broken: Vec<_> = sources()
        .into_iter()
        .filter(|source| is_within(&source.module, "engine"))
        .filter(|source| {
            ["server::http", "server::repository", "server::provider", "server::cimxml"]
                .iter()
                .any(|word| source.code.contains(word))
        })
        .map(|source| source.path.display().to_string())
        .collect();
    assert!(broken.is_empty(), "the engine starts the embedded server and looks no further: {broken:?}");
}

#[test]
fn every_module_says_what_it_owns() {
    let silent: Vec<_> = sources()
        .into_iter()
        .filter(|source| !fs::read_to_string(&source.path).unwrap().trim_start().starts_with("//!"))
        .map(|source| source.path.display().to_string())
        .collect();
    assert!(silent.is_empty(), "each module opens with what it owns and must not know: {silent:?}");
}

#[test]
fn no_room_is_a_lumber_room() {
    let names: Vec<_> = sources()
        .into_iter()
        .filter(|source| {
            source
                .module
                .split("::")
                .any(|part| matches!(part, "util" | "utils" | "common" | "manager" | "helper" | "helpers" | "misc"))
        })
        .map(|source| source.path.display().to_string())
        .collect();
    assert!(names.is_empty(), "names are the field's terms: {names:?}");
}

#[test]
fn the_reader_of_sources_works() {
    let text = "use crate::{cim::{A, B}, op};\n// crate::engine\nlet s = \"crate::tui\";\n#[cfg(test)]\nmod tests { use crate::server; }\n";
    let source = Source { path: PathBuf::new(), module: "wire::http".to_owned(), code: without_tests(&blank(text)) };
    assert_eq!(reached(&source).into_iter().collect::<Vec<_>>(), ["cim", "op"]);
    let up = Source {
        path: PathBuf::new(),
        module: "app::table".to_owned(),
        code: "use super::super::engine::Engine;".to_owned(),
    };
    assert_eq!(reached(&up).into_iter().collect::<Vec<_>>(), ["engine"]);
}
