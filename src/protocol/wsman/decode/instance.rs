//! Instances as WS-Man writes them, made rows.
//!
//! Owns: an element named after its class with an element for each property, what is known of the class before
//! ([`Schema`]), and where a row's path comes from. Must not know how rows get their shapes.

use std::{collections::HashMap, sync::Arc};

use quick_xml::events::BytesStart;

use super::value::{self, Declared};
use crate::{
    cim::{
        CimClass, CimName, CimType, CimValue, EmbeddedKind, KeyBinding, KeyValue, Namespace, ObjectPath, rows::CellRef,
    },
    protocol::xml::{
        reader::Read,
        rows::{Kind, Rows, Slot},
        scalar,
        scope::{Qualified, split},
    },
};

/// What is known before the answer is read: the class asked for, and where it lives.
#[derive(Debug, Default)]
pub struct Schema {
    /// The namespace of the request.
    pub namespace: Option<Namespace>,
    /// The class asked for; those below it have its properties and keys.
    pub class: Option<Arc<CimClass>>,
    properties: HashMap<CimName, usize>,
    /// A path with the class's keys and no values.
    template: Option<ObjectPath>,
}

impl Schema {
    /// Nothing but the namespace of the request.
    pub fn new(namespace: Option<Namespace>) -> Self {
        Self { namespace, ..Self::default() }
    }

    /// Takes in the class asked for.
    pub fn know(&mut self, class: Arc<CimClass>) {
        let named = class.properties.iter().enumerate().rev();
        self.properties = named.map(|(at, property)| (property.name.clone(), at)).collect();
        let keys = class.keys().map(|key| {
            let value = KeyValue::String(Box::default());
            KeyBinding { name: key.name.clone(), value }
        });
        let keys = keys.collect::<Vec<_>>();
        self.template = self.namespace.clone().filter(|_| !keys.is_empty()).map(|namespace| ObjectPath {
            host: None,
            namespace: Some(namespace),
            class: class.name.clone(),
            keys,
        });
        self.class = Some(class);
    }

    /// What is known of the property `name`; else what its first value tells.
    fn kind(&self, name: &str, marks: &value::Marks) -> Kind {
        let property = self.properties.get(&CimName::new(name)).and_then(|at| self.class.as_ref()?.properties.get(*at));
        match property {
            Some(property) => Kind {
                ty: Some(property.ty),
                is_array: property.is_array,
                embedded: property.embedded(),
                reference_class: property.reference_class.clone(),
                is_key: property.is_key(),
            },
            None => Kind { ty: marks.ty, is_array: marks.is_base64, ..Kind::default() },
        }
    }

    /// Whether the class asked for has the property `name`.
    fn declares(&self, name: &str) -> bool {
        self.properties.contains_key(&CimName::new(name))
    }
}

/// Decodes the element the cursor is in, an instance of `class`, into a row: with `path`, else with one of the keys among
/// its properties where the class tells which they are.
///
/// # Errors
/// Ill-formed XML, a limit.
pub fn row(
    rows: &mut Rows,
    xml: &mut Qualified<'_>,
    class: &str,
    path: Option<ObjectPath>,
    schema: &Schema,
) -> Read<()> {
    xml.xml.check_name(class)?;
    let found = path.as_ref().or(schema.template.as_ref());
    rows.begin(&xml.xml, class, found, schema.namespace.as_ref())?;
    let mut last = 0;
    while let Some(tag) = xml.child()? {
        last = 1 + property(rows, xml, &tag, last, schema)?;
    }
    let keys = match path {
        Some(path) => path.keys,
        None => own_keys(rows, xml.xml.text(), schema).unwrap_or_default(),
    };
    rows.end(&xml.xml, keys)
}

/// Reads the element the cursor is in, an instance of `class`, for the path its keys make.
///
/// # Errors
/// Ill-formed XML, a limit; the class does not tell the keys, or the instance does not have them all.
pub fn path(xml: &mut Qualified<'_>, class: &str, schema: &Schema) -> Read<ObjectPath> {
    xml.xml.check_name(class)?;
    let instance = value::properties(xml, CimName::new(class), None, schema.namespace.as_ref())?;
    let keys = schema.template.as_ref().and_then(|template| {
        let keys = template.keys.iter().map(|key| {
            let value = KeyValue::of(&instance.property(key.name.as_str())?.value.value)?;
            Some(KeyBinding { name: key.name.clone(), value })
        });
        keys.collect::<Option<Vec<_>>>()
    });
    let Some(keys) = keys else {
        return Err(xml.error("an instance without its keys, where only keys were asked for"));
    };
    let path = ObjectPath { host: None, namespace: schema.namespace.clone(), class: instance.class, keys };
    Ok(schema.class.iter().fold(path, |path, class| path.typed_by(class)))
}

/// The keys of the row's path, all of them or none.
fn own_keys(rows: &Rows, item: &str, schema: &Schema) -> Option<Vec<KeyBinding>> {
    let template = schema.template.as_ref()?;
    let keys = template.keys.iter().map(|key| {
        let value = rows.key(rows.known(key.name.as_str())?, item)?;
        Some(KeyBinding { name: key.name.clone(), value })
    });
    keys.collect()
}

/// Reads one property into its slot, or one more item of an array into the array's, and answers the column.
fn property(
    rows: &mut Rows,
    xml: &mut Qualified<'_>,
    tag: &BytesStart<'_>,
    last: usize,
    schema: &Schema,
) -> Read<usize> {
    let name = tag.name();
    let (_, local) = split(name.as_ref());
    xml.xml.check_name(local)?;
    let marks = value::marks(xml, tag)?;
    let place = match rows.find(last, local) {
        Some(place) => place,
        None => rows.append(&xml.xml, last, local, schema.kind(local, &marks))?,
    };
    let (ty, is_array) = rows.column(place).map_or((None, false), |column| (column.ty, column.is_array));
    let is_repeated = rows.has(place);
    let slot = if marks.is_nil {
        xml.skip(tag)?;
        Slot::Scalar(CellRef::Null)
    } else if xml.xml.has_child() {
        let (value, told) = value::structured(xml, marks, schema.namespace.as_ref())?;
        learned(rows, place, ty, told, value)
    } else {
        let text = xml.content(tag)?;
        match marks.bare(&text) {
            Some(instance) => learned(rows, place, ty, Some(CimType::String), instance),
            None => self::text(rows, xml, &text, Declared { ty, is_array }, &marks),
        }
    };
    match &slot {
        _ if is_repeated => {
            if !is_array && schema.declares(local) {
                xml.xml.warn(|| format!("{} comes more than once; all its values are shown", scalar::shown(local)));
            } else {
                rows.learn(place, None, true, None);
            }
            rows.add(place, slot, xml.xml.text());
        }
        Slot::Scalar(CellRef::Null) | Slot::Value(CimValue::Array(_)) => rows.put(place, slot),
        _ if is_array => rows.add(place, slot, xml.xml.text()),
        _ => rows.put(place, slot),
    }
    Ok(place)
}

/// The slot of a value that tells its type itself, `told`, where the column's, `ty`, is not known.
fn learned(rows: &mut Rows, place: usize, ty: Option<CimType>, told: Option<CimType>, value: CimValue) -> Slot {
    let embedded = matches!(value, CimValue::Instance(_)).then_some(EmbeddedKind::Instance);
    if ty.is_none() {
        rows.learn(place, told, false, embedded);
    }
    Slot::Value(value)
}

/// The slot of a text.
fn text(rows: &mut Rows, xml: &mut Qualified<'_>, text: &str, declared: Declared, marks: &value::Marks) -> Slot {
    if (marks.is_base64 || value::is_octets(declared, text))
        && let Some(octets) = value::octets(text)
    {
        return Slot::Value(octets);
    }
    match declared.ty.or(marks.ty) {
        None => rows.text(&xml.xml, text, true),
        Some(CimType::String) => rows.text(&xml.xml, text, false),
        Some(ty) => rows.scalar(&mut xml.xml, ty, text, value::scalar(ty, text)),
    }
}
