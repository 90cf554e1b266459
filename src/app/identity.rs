//! Which paths name the same instance, though servers spell them differently.
//!
//! Owns: the comparison of a path one operation told with one another did. Must not know where either came from.

use super::display;
use crate::cim::{CimName, KeyValue, ObjectPath};

/// The properties by which an association with these references refers to `object`. Where several have the same keys, those
/// that name its class as well.
pub(super) fn roles_of(references: &[(&CimName, &ObjectPath)], object: &ObjectPath) -> Vec<CimName> {
    let same = references.iter().filter(|(_, path)| same_keys(path, object)).collect::<Vec<_>>();
    let exact = same.iter().filter(|(_, path)| path.class == object.class).collect::<Vec<_>>();
    match exact.is_empty() {
        true => same.iter().map(|(name, _)| (*name).clone()).collect(),
        false => exact.iter().map(|(name, _)| (*name).clone()).collect(),
    }
}

/// Whether two paths name the same instance of a namespace. Servers write hosts, namespaces and the types of keys in one
/// place and leave them out in another, so these do not count.
pub(super) fn same_instance(left: &ObjectPath, right: &ObjectPath) -> bool {
    left.class == right.class && same_keys(left, right)
}

fn same_keys(left: &ObjectPath, right: &ObjectPath) -> bool {
    let same = |name: &CimName, value: &KeyValue| {
        let other = match right.keys.as_slice() {
            // DSP0201 lets a single key go without its name.
            [only] if only.name.as_str().is_empty() || name.as_str().is_empty() => Some(&only.value),
            _ => right.key(name.as_str()),
        };
        other.is_some_and(|other| same_value(value, other))
    };
    left.keys.len() == right.keys.len() && left.keys.iter().all(|key| same(&key.name, &key.value))
}

fn same_value(left: &KeyValue, right: &KeyValue) -> bool {
    match (left, right) {
        (KeyValue::Reference(left), KeyValue::Reference(right)) => same_instance(left, right),
        (KeyValue::String(left), KeyValue::String(right)) => left == right,
        (KeyValue::String(text), other) | (other, KeyValue::String(text)) => {
            display::key_value(other).eq_ignore_ascii_case(text)
        }
        _ => left == right,
    }
}
