//! Inventories in INI form.
//!
//! Owns: sections, host lines and the quotes in them. Must not know what a variable means.

use super::{Inventory, MAX_HOSTS, Variable, is_about_connections, range};
use crate::session::exchange::ExchangeError;

/// What a section holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Holds {
    /// Hosts of the group.
    Hosts,
    /// The group's variables.
    Variables,
    /// The names of groups in the group.
    Children,
}

/// The group and kind of a section's line: `[web]`, `[web:vars]`, `[web:children]`.
pub(super) fn section(line: &str) -> Option<(&str, Holds)> {
    let inside = line.strip_prefix('[')?.split_once(']').filter(|(_, rest)| {
        let rest = rest.trim_start();
        rest.is_empty() || rest.starts_with(['#', ';'])
    })?;
    let (name, kind) = inside.0.split_once(':').unwrap_or((inside.0, "hosts"));
    let holds = match kind {
        "hosts" => Holds::Hosts,
        "vars" => Holds::Variables,
        "children" => Holds::Children,
        _ => return None,
    };
    let is_name = !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '-' | '.'));
    is_name.then_some((name, holds))
}

/// Reads the inventory.
pub(super) fn read(text: &str) -> Result<Inventory, ExchangeError> {
    let mut inventory = Inventory::default();
    let (mut group, mut holds) = ("ungrouped", Holds::Hosts);
    for (number, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with(['#', ';']) {
            continue;
        }
        let done = if let Some(section) = section(line) {
            (group, holds) = section;
            inventory.group(group).map(drop)
        } else {
            match holds {
                Holds::Hosts => host(&mut inventory, group, line),
                Holds::Variables => group_variable(&mut inventory, group, line),
                Holds::Children => {
                    let child = line.split([' ', '\t', '#']).next().unwrap_or(line);
                    inventory.group(child).map(drop).and_then(|()| {
                        inventory.group(group)?.children.insert(child.to_owned());
                        Ok(())
                    })
                }
            }
        };
        done.map_err(|cause| ExchangeError::at((number + 1, 1), cause, "correct the line"))?;
    }
    Ok(inventory)
}

fn group_variable(inventory: &mut Inventory, group: &str, line: &str) -> Result<(), &'static str> {
    let (name, value) = line.split_once('=').ok_or("a variable has no =")?;
    let (name, value) = (name.trim(), value.trim());
    if !is_about_connections(name) {
        inventory.others += 1;
        return Ok(());
    }
    let quoted = ['"', '\''].iter().find_map(|quote| value.strip_prefix(*quote)?.strip_suffix(*quote));
    inventory.group(group)?.variables.insert(name.to_owned(), Variable::new(quoted.unwrap_or(value)));
    Ok(())
}

fn host(inventory: &mut Inventory, group: &str, line: &str) -> Result<(), &'static str> {
    let mut words = words(line)?.into_iter();
    let pattern = words.next().ok_or("the line names no host")?;
    // A port after the name; a colon inside a range or an IPv6 address is none.
    let (pattern, port) = match pattern.rsplit_once(':') {
        Some((name, port))
            if !name.contains(':')
                && !name.is_empty()
                && !port.is_empty()
                && port.bytes().all(|b| b.is_ascii_digit()) =>
        {
            (name, Some(port))
        }
        Some((name, port)) if name.ends_with(']') && port.bytes().all(|b| b.is_ascii_digit()) => (name, Some(port)),
        _ => (pattern.as_str(), None),
    };
    let mut variables: Vec<_> = port.map(|port| ("ansible_port".to_owned(), Variable::new(port))).into_iter().collect();
    let mut others = 0;
    for word in words {
        let (name, value) = word.split_once('=').ok_or("a variable has no =")?;
        if is_about_connections(name) {
            variables.push((name.to_owned(), Variable::new(value)));
        } else {
            others += 1;
        }
    }
    for name in range::expand(pattern, MAX_HOSTS)? {
        inventory.host(&name, group)?.variables.extend(variables.iter().cloned());
        inventory.others += others;
    }
    Ok(())
}

/// The words of a line as a shell takes them, to a comment.
fn words(line: &str) -> Result<Vec<String>, &'static str> {
    let (mut words, mut word, mut quote) = (Vec::new(), None::<String>, None);
    let mut chars = line.chars();
    while let Some(c) = chars.next() {
        match (quote, c) {
            (None, '#') if word.is_none() => break,
            (None, c) if c.is_whitespace() => words.extend(word.take()),
            (None, '"' | '\'') => {
                quote = Some(c);
                word.get_or_insert_default();
            }
            (Some(open), c) if open == c => quote = None,
            (None | Some('"'), '\\') => word.get_or_insert_default().extend(chars.next()),
            (_, c) => word.get_or_insert_default().push(c),
        }
    }
    if quote.is_some() {
        return Err("a quote is not closed");
    }
    words.extend(word);
    Ok(words)
}
