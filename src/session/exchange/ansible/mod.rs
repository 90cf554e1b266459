//! Inventories of Ansible.
//!
//! Owns: groups, their variables in the order Ansible gives them weight, and what the `ansible_*` variables of winrm and
//! psrp connections mean for a session. Must not fill in templates or open a vault.

mod ini;
mod range;
mod yaml;

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
    time::Duration,
};

use secrecy::SecretString;

use super::{
    ExchangeError, Import,
    draft::{Draft, Unchecked},
};
use crate::session::url::Scheme;

/// An inventory may have this many hosts, ranges written out.
const MAX_HOSTS: usize = 5_000;
/// An inventory may have this many groups.
const MAX_GROUPS: usize = 500;

/// The value of a variable.
#[derive(Clone, Debug)]
enum Variable {
    /// A text.
    Text(String),
    /// A text with `{{ }}` in it, which Ansible alone can fill in.
    Template,
    /// A text in a vault, or something that is no text.
    Closed,
}

impl Variable {
    fn new(text: &str) -> Self {
        if text.contains("{{") || text.contains("{%") { Self::Template } else { Self::Text(text.to_owned()) }
    }
}

/// Variables that are about connections; the others are counted.
type Variables = BTreeMap<String, Variable>;

#[derive(Debug, Default)]
struct Group {
    variables: Variables,
    children: BTreeSet<String>,
}

#[derive(Debug, Default)]
struct Host {
    groups: BTreeSet<String>,
    variables: Variables,
}

/// What the file says.
#[derive(Debug, Default)]
struct Inventory {
    groups: BTreeMap<String, Group>,
    /// In the order of the file.
    names: Vec<String>,
    hosts: BTreeMap<String, Host>,
    /// How many variables are not about connections.
    others: usize,
}

impl Inventory {
    fn group(&mut self, name: &str) -> Result<&mut Group, &'static str> {
        if !self.groups.contains_key(name) && self.groups.len() >= MAX_GROUPS {
            return Err("the inventory has too many groups");
        }
        Ok(self.groups.entry(name.to_owned()).or_default())
    }

    fn host(&mut self, name: &str, group: &str) -> Result<&mut Host, &'static str> {
        self.group(group)?;
        if !self.hosts.contains_key(name) {
            if self.hosts.len() >= MAX_HOSTS {
                return Err("the inventory has too many hosts");
            }
            self.names.push(name.to_owned());
        }
        let host = self.hosts.entry(name.to_owned()).or_default();
        host.groups.insert(group.to_owned());
        Ok(host)
    }

    /// How far each group is below `all`, at most as many steps as there are groups.
    fn depths(&self) -> BTreeMap<&str, usize> {
        let mut depths: BTreeMap<&str, usize> = self.groups.keys().map(|name| (name.as_str(), 1)).collect();
        depths.insert("all", 0);
        for _ in 0..self.groups.len() {
            let mut changed = false;
            for (name, group) in &self.groups {
                let below = depths.get(name.as_str()).copied().unwrap_or(1) + 1;
                for child in &group.children {
                    if let Some(depth) = depths.get_mut(child.as_str()).filter(|depth| **depth < below) {
                        (*depth, changed) = (below, true);
                    }
                }
            }
            if !changed {
                break;
            }
        }
        depths
    }

    /// The groups `host` is in, directly or through other groups, and `all`.
    fn groups_of<'a>(&'a self, host: &'a Host, parents: &BTreeMap<&'a str, Vec<&'a str>>) -> BTreeSet<&'a str> {
        let mut found = BTreeSet::from(["all"]);
        let mut open: Vec<&str> = host.groups.iter().map(String::as_str).collect();
        while let Some(group) = open.pop() {
            if found.insert(group) {
                open.extend(parents.get(group).into_iter().flatten());
            }
        }
        found
    }

    fn parents(&self) -> BTreeMap<&str, Vec<&str>> {
        let mut parents: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for (name, group) in &self.groups {
            for child in &group.children {
                parents.entry(child).or_default().push(name);
            }
        }
        parents
    }
}

fn is_about_connections(name: &str) -> bool {
    name.starts_with("ansible_")
}

/// Whether `text` looks like an inventory, INI or YAML.
pub(super) fn is_inventory(text: &str) -> bool {
    let lines = || text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with(['#', ';']));
    let has_hosts = lines().any(|line| line == "hosts:") && lines().any(|line| line == "all:" || line == "children:");
    has_hosts || lines().any(|line| ini::section(line).is_some() || line.contains("ansible_"))
}

/// Reads the inventory.
pub(super) fn read(text: &str, dir: &Path) -> Result<Import, ExchangeError> {
    let first = text.lines().map(str::trim).find(|line| !line.is_empty() && !line.starts_with(['#', ';']));
    let is_yaml = first.is_some_and(|line| line == "---" || (line.ends_with(':') && !line.starts_with('[')));
    let inventory = if is_yaml { yaml::read(text)? } else { ini::read(text)? };
    let (depths, parents) = (inventory.depths(), inventory.parents());
    let (mut import, mut elsewhere) = (Import::default(), 0);
    for name in &inventory.names {
        let Some(host) = inventory.hosts.get(name) else { continue };
        let groups = inventory.groups_of(host, &parents);
        let mut ordered: Vec<&str> = groups.iter().copied().collect();
        ordered.sort_by_key(|group| (depths.get(group).copied().unwrap_or(1), *group));
        let of_groups = ordered.iter().filter_map(|group| inventory.groups.get(*group)).map(|group| &group.variables);
        let mut variables = BTreeMap::new();
        for (variable, value) in of_groups.chain([&host.variables]).flatten() {
            variables.insert(variable.as_str(), value);
        }
        if is_windows(&variables) {
            let tags = groups.into_iter().filter(|group| !matches!(*group, "all" | "ungrouped"));
            session(name, &variables, tags.map(str::to_owned).collect(), dir, &mut import);
        } else {
            elsewhere += 1;
        }
    }
    if elsewhere > 0 {
        let reason = "Ansible does not reach them over winrm or psrp, and nothing says that they serve CIM";
        import.left_out("the inventory", "hosts", Some(&elsewhere.to_string()), reason);
    }
    if inventory.others > 0 {
        let count = inventory.others.to_string();
        import.left_out("the inventory", "variables", Some(&count), "they are not about connections");
    }
    Ok(import)
}

fn is_windows(variables: &BTreeMap<&str, &Variable>) -> bool {
    let Some(Variable::Text(connection)) = variables.get("ansible_connection") else { return false };
    // The name may be a full one: ansible.builtin.winrm.
    matches!(connection.rsplit('.').next(), Some("winrm" | "psrp"))
}

fn session(name: &str, variables: &BTreeMap<&str, &Variable>, tags: Vec<String>, dir: &Path, import: &mut Import) {
    let mut draft = Draft::new(name, Scheme::WsMan);
    name.clone_into(&mut draft.computer);
    let mut scheme = None;
    for (variable, value) in variables {
        match value {
            Variable::Text(text) => {
                if *variable == "ansible_winrm_scheme" || *variable == "ansible_psrp_protocol" {
                    scheme = Some(text.as_str());
                } else {
                    connection(variable, text, dir, &mut draft);
                }
            }
            Variable::Template | Variable::Closed => {
                let reason = match value {
                    Variable::Template => "it is a template that Ansible alone can fill in",
                    _ => "it is in a vault, or no text",
                };
                if is_address(variable) {
                    draft.computer.clear();
                }
                draft.leave(variable, None, reason);
            }
        }
    }
    draft.tls = match scheme {
        Some("http") => false,
        Some(_) => true,
        // Ansible's own rule.
        None => draft.port != Some(5985),
    };
    draft.tags("groups", tags);
    draft.finish(import);
}

fn is_address(variable: &str) -> bool {
    matches!(variable, "ansible_host" | "ansible_winrm_host" | "ansible_psrp_host")
}

fn connection(variable: &str, text: &str, dir: &Path, draft: &mut Draft) {
    // What both kinds of connection have is named alike.
    let short = variable.trim_start_matches("ansible_").trim_start_matches("winrm_").trim_start_matches("psrp_");
    match short {
        "connection" => {}
        "host" => text.clone_into(&mut draft.computer),
        "port" => match text.parse() {
            Ok(port) if port > 0 => draft.port = Some(port),
            _ => draft.leave(variable, Some(text), "it is no number from 1 to 65535"),
        },
        "user" => draft.user = Some(text.to_owned()),
        "pass" | "password" | "become_pass" | "become_password" if text.is_empty() => {}
        "pass" | "password" => draft.password(variable, SecretString::from(text)),
        "transport" | "auth" => text.split(',').for_each(|one| draft.mechanism(variable, one.trim())),
        "server_cert_validation" | "cert_validation" => {
            if matches!(text.to_ascii_lowercase().as_str(), "ignore" | "false" | "no") {
                draft.unchecked(Unchecked::Both);
            }
        }
        "path" => draft.path(variable, text),
        "proxy" => draft.proxy(variable, text),
        "ca_trust_path" | "ca_cert" => draft.ca_file(variable, text, dir),
        "cert_pem" | "certificate_pem" => draft.client_cert(variable, text, dir),
        "cert_key_pem" | "certificate_key_pem" => draft.client_key(variable, text, dir),
        "operation_timeout_sec" | "operation_timeout" => match text.parse() {
            Ok(seconds) => draft.operation_within(variable, Duration::from_secs(seconds)),
            Err(_) => draft.leave(variable, Some(text), "it is no number of seconds"),
        },
        "message_encryption" => draft.leave(variable, Some(text), "there is no sealing of messages yet"),
        "kerberos_hostname_override" | "negotiate_hostname_override" => {
            draft.leave(variable, Some(text), "there is no Kerberos yet");
        }
        _ if short.contains("pass") => draft.leave(variable, None, "passwords are not kept in sessions.toml"),
        _ => draft.leave_unknown(variable),
    }
}
