//! Inventories in YAML form.
//!
//! Owns: the keys `hosts`, `vars` and `children` of a group. Must not know what a variable means.

use super::{Inventory, MAX_HOSTS, Variable, is_about_connections, range};
use crate::session::exchange::{
    ExchangeError,
    yaml::{self, Node},
};

/// Reads the inventory.
pub(super) fn read(text: &str) -> Result<Inventory, ExchangeError> {
    let wrong = |cause: &str| ExchangeError::new(cause, "write groups with hosts, vars and children, as Ansible does");
    let root = yaml::read(text)?;
    let groups = root.pairs().ok_or_else(|| wrong("the inventory is no map of groups"))?;
    let mut inventory = Inventory::default();
    for (name, body) in groups {
        group(&mut inventory, name, body).map_err(wrong)?;
    }
    Ok(inventory)
}

/// Reads one group; the depth of the tree bounds how deep this goes.
fn group(inventory: &mut Inventory, name: &str, body: &Node) -> Result<(), &'static str> {
    inventory.group(name)?;
    if body.is_null() {
        return Ok(());
    }
    for (key, value) in body.pairs().ok_or("a group is no map")? {
        if value.is_null() {
            continue;
        }
        let pairs = value.pairs().ok_or("hosts, vars and children are maps")?;
        match key.as_str() {
            "hosts" => {
                for (pattern, variables) in pairs {
                    for host in range::expand(pattern, MAX_HOSTS)? {
                        inventory.host(&host, name)?;
                        for (variable, value) in variables.pairs().unwrap_or_default() {
                            match (is_about_connections(variable), variable_of(value)) {
                                (false, _) => inventory.others += 1,
                                (true, value) => {
                                    drop(inventory.host(&host, name)?.variables.insert(variable.clone(), value))
                                }
                            }
                        }
                    }
                }
            }
            "vars" => {
                for (variable, value) in pairs {
                    if is_about_connections(variable) {
                        inventory.group(name)?.variables.insert(variable.clone(), variable_of(value));
                    } else {
                        inventory.others += 1;
                    }
                }
            }
            "children" => {
                for (child, body) in pairs {
                    group(inventory, child, body)?;
                    inventory.group(name)?.children.insert(child.clone());
                }
            }
            _ => return Err("a group has a key that is none of hosts, vars and children"),
        }
    }
    Ok(())
}

fn variable_of(node: &Node) -> Variable {
    match node {
        Node::Scalar { tag: Some(tag), .. } if tag.contains("vault") => Variable::Closed,
        Node::Scalar { text, .. } => Variable::new(text),
        Node::List(_) | Node::Map(_) => Variable::Closed,
    }
}
