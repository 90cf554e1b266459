//! Aliases of instances and the paths they stand for.
//!
//! Owns: which instance an alias names, the path of an instance whose class is known, references put in place of aliases.
//! Aliases may be used before they are declared (DSP0004 section 7.9). Must not know tokens or grammar.

use std::collections::HashMap;

use super::{Declaration, Item, MAX_NESTING, MofError, lexer::Position};
use crate::cim::{CimClass, CimInstance, CimValue, KeyBinding, KeyValue, Namespace, ObjectPath};

/// A use of an alias: which value of which item it is for.
#[derive(Debug)]
pub(super) struct AliasUse {
    /// The item, by number.
    pub(super) item: usize,
    /// The property, by number.
    pub(super) property: usize,
    /// The item of an array, by number.
    pub(super) element: Option<usize>,
    /// The alias.
    pub(super) alias: String,
    /// Where it stands.
    pub(super) at: Position,
}

/// What is known about the instances of a unit besides the instances.
#[derive(Debug, Default)]
pub(super) struct Aliases {
    /// Item by alias, in lower case.
    pub(super) declared: HashMap<String, usize>,
    /// Every use.
    pub(super) uses: Vec<AliasUse>,
    /// The full class of each instance item whose class is known.
    pub(super) classes: HashMap<usize, std::rc::Rc<CimClass>>,
}

impl Aliases {
    /// Gives every instance its path where it can have one, and every alias its reference.
    pub(super) fn resolve(self, items: &mut [Item]) -> Result<(), MofError> {
        let mut waiting: HashMap<usize, Vec<&AliasUse>> = HashMap::new();
        for alias in &self.uses {
            if !self.declared.contains_key(&alias.alias.to_ascii_lowercase()) {
                return alias.at.error("an alias that no instance declares");
            }
            waiting.entry(alias.item).or_default().push(alias);
        }
        let mut resolver = Resolver { aliases: &self, waiting, done: vec![false; items.len()], items };
        // Keys first, for an instance may refer to one that refers back to it through a property that is no key.
        for item in 0..resolver.items.len() {
            resolver.path(item, MAX_NESTING)?;
        }
        for alias in &self.uses {
            resolver.put(alias)?;
        }
        Ok(())
    }
}

struct Resolver<'a> {
    aliases: &'a Aliases,
    waiting: HashMap<usize, Vec<&'a AliasUse>>,
    done: Vec<bool>,
    items: &'a mut [Item],
}

impl Resolver<'_> {
    fn instance(&mut self, item: usize) -> Option<&mut CimInstance> {
        match &mut self.items.get_mut(item)?.declaration {
            Declaration::Instance(instance) => Some(instance),
            _ => None,
        }
    }

    /// Sets the path of the instance `item`, after those its keys refer to.
    fn path(&mut self, item: usize, nesting: usize) -> Result<(), MofError> {
        if self.done.get(item).is_none_or(|done| *done) {
            return Ok(());
        }
        let Some(class) = self.aliases.classes.get(&item).cloned() else { return Ok(()) };
        for alias in self.waiting.get(&item).cloned().unwrap_or_default() {
            let name = self
                .instance(item)
                .and_then(|instance| instance.properties.get(alias.property))
                .map(|property| property.name.clone());
            let is_key = name.and_then(|name| class.property(name.as_str())).is_some_and(|property| property.is_key());
            if is_key {
                if nesting == 0 {
                    return alias.at.error("aliases whose keys refer to each other in a circle or too deep");
                }
                let target = self.aliases.declared.get(&alias.alias.to_ascii_lowercase()).copied();
                self.path(target.unwrap_or(item), nesting - 1)?;
                self.put(alias)?;
            }
        }
        let namespace = self.items.get(item).and_then(|item| item.namespace.clone());
        if let Some(instance) = self.instance(item) {
            instance.path = path_of(instance, &class, namespace);
        }
        if let Some(done) = self.done.get_mut(item) {
            *done = true;
        }
        Ok(())
    }

    /// Puts the reference in the place of one alias.
    fn put(&mut self, alias: &AliasUse) -> Result<(), MofError> {
        let target = self.aliases.declared.get(&alias.alias.to_ascii_lowercase()).copied();
        let path = target.and_then(|target| self.instance(target)).and_then(|instance| instance.path.clone());
        let Some(path) = path else {
            return alias
                .at
                .error("an alias of an instance whose class is not known here or whose keys are not all set");
        };
        let value = self.instance(alias.item).and_then(|instance| instance.properties.get_mut(alias.property));
        match (value.map(|property| &mut property.value.value), alias.element) {
            (Some(CimValue::Array(items)), Some(element)) => {
                if let Some(place) = items.get_mut(element) {
                    *place = CimValue::Reference(Box::new(path));
                }
            }
            (Some(place), None) => *place = CimValue::Reference(Box::new(path)),
            _ => {}
        }
        Ok(())
    }
}

/// The path of `instance` in `namespace`, if `class` has keys and all of them have values, its own or their defaults.
pub fn path_of(instance: &CimInstance, class: &CimClass, namespace: Option<Namespace>) -> Option<ObjectPath> {
    let keys = class
        .keys()
        .map(|key| {
            let value = instance.property(key.name.as_str()).map_or(&key.default, |own| &own.value.value);
            Some(KeyBinding { name: key.name.clone(), value: KeyValue::of(value)? })
        })
        .collect::<Option<Vec<_>>>()?;
    if keys.is_empty() {
        return None;
    }
    Some(ObjectPath::new(namespace, instance.class.clone(), keys))
}
