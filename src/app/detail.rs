//! The detail pane: the properties of one instance. Its associations are the other tab ([`super::Associations`]).
//!
//! Owns: which instance is shown, where its values come from, the rows shown. Must not know the table.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use super::{Filter, ListCursor, Load, Scratch, display};
use crate::{
    cim::{CimClass, CimInstance, CimName, CimType, CimValue, ClassProperty, Namespace, ObjectPath},
    op::SessionId,
};

/// One property as the pane shows it; every text is escaped.
#[derive(Clone, Debug, PartialEq)]
pub struct DetailRow {
    /// Its name; empty on the rows after the first of a value that takes several.
    pub name: String,
    /// Whether it is a key.
    pub is_key: bool,
    /// Its type: `uint64`, `string[]`; `?` where nobody has told it.
    pub ty: String,
    /// Whether the type is known.
    pub is_typed: bool,
    /// Its value on one line; what the state says where there is none.
    pub value: String,
    /// Whether there is a value, NULL, or nothing at all.
    pub state: ValueState,
    /// The description of its class, on one line; empty while unknown.
    pub description: String,
    /// The property.
    pub property: CimName,
}

/// The four ways of having no text, kept apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ValueState {
    /// A value.
    Present,
    /// NULL.
    Null,
    /// An empty string.
    EmptyString,
    /// An empty array.
    EmptyArray,
    /// The class has the property, the server did not send it.
    Absent,
}

/// What the pane shows of the instance.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum DetailTab {
    /// Its properties.
    #[default]
    Properties,
    /// Its associations.
    Associations,
}

/// The pane.
#[derive(Debug, Default)]
pub struct Detail {
    /// How fetching the instance stands.
    pub load: Load,
    /// What it shows of the instance.
    pub tab: DetailTab,
    instance: Option<CimInstance>,
    class: Option<Arc<CimClass>>,
    /// Where it comes from.
    pub(super) place: Option<(SessionId, Namespace)>,
    /// The values were fetched for this pane, not copied from the table.
    pub fresh: bool,
    /// The values are those a query selected: what else the class has is not missing.
    pub(super) projected: bool,
    rows: Vec<DetailRow>,
    filter: Filter,
    pub(super) list: ListCursor,
}

impl Detail {
    /// The instance shown.
    pub const fn instance(&self) -> Option<&CimInstance> {
        self.instance.as_ref()
    }

    /// Its path.
    pub fn path(&self) -> Option<&ObjectPath> {
        self.instance.as_ref().and_then(|instance| instance.path.as_ref())
    }

    /// The rows shown.
    pub fn rows(&self) -> &[DetailRow] {
        &self.rows
    }

    /// The cursor over [`Detail::rows`].
    pub const fn cursor(&self) -> ListCursor {
        self.list
    }

    /// The filter.
    pub const fn filter(&self) -> &Filter {
        &self.filter
    }

    /// The row under the cursor.
    pub fn selected(&self) -> Option<&DetailRow> {
        self.rows.get(self.list.at)
    }

    /// The value under the cursor; `None` if absent.
    pub fn selected_value(&self) -> Option<&CimValue> {
        let name = &self.selected()?.property;
        Some(&self.instance.as_ref()?.property(name.as_str())?.value.value)
    }

    pub(super) fn show(
        &mut self,
        place: (SessionId, Namespace),
        instance: CimInstance,
        class: Option<Arc<CimClass>>,
        fresh: bool,
    ) {
        self.place = Some(place);
        self.fresh = fresh;
        self.projected &= !fresh;
        self.class = class;
        self.instance = Some(instance);
        self.lay_out();
    }

    pub(super) fn clear(&mut self) {
        *self = Self { filter: std::mem::take(&mut self.filter), list: self.list, tab: self.tab, ..Self::default() };
    }

    pub(super) fn define(&mut self, class: Arc<CimClass>) {
        self.class = Some(class);
        self.lay_out();
    }

    pub(super) fn set_filter(&mut self, text: &str) {
        self.filter = Filter::new(text);
        self.lay_out();
    }

    /// Makes the rows: properties in the server's order, keys first, then what the class has and the server did not send.
    fn lay_out(&mut self) {
        let Some(instance) = &self.instance else {
            self.rows.clear();
            return;
        };
        let keys = instance.path.iter().flat_map(|path| &path.keys).map(|key| &key.name).collect::<Vec<_>>();
        let properties = self.class.iter().flat_map(|class| &class.properties).rev();
        let by_name: HashMap<&CimName, &ClassProperty> =
            properties.map(|property| (&property.name, property)).collect();
        let sent: HashSet<&CimName> = instance.properties.iter().map(|property| &property.name).collect();
        let declared = |name: &CimName| by_name.get(name).copied();
        let describe = |name: &CimName| {
            let text = declared(name).and_then(|property| property.description()).unwrap_or_default();
            display::safe(&text.split_whitespace().collect::<Vec<_>>().join(" "))
        };
        let mut rows = Vec::with_capacity(instance.properties.len());
        for property in &instance.properties {
            let (value, state) = value_text(&property.value.value, property.value.ty);
            let ty = match declared(&property.name).filter(|_| !property.is_typed) {
                Some(known) => Some((known.ty, known.is_array)),
                None => property.is_typed.then_some((property.value.ty, property.value.is_array)),
            };
            let is_array = ty.map_or(property.value.is_array, |(_, is_array)| is_array);
            rows.push(DetailRow {
                name: display::safe(property.name.as_str()),
                is_key: keys.contains(&&property.name) || declared(&property.name).is_some_and(|known| known.is_key()),
                ty: display::type_name(ty.map(|(ty, _)| ty), is_array),
                is_typed: ty.is_some(),
                value,
                state,
                description: describe(&property.name),
                property: property.name.clone(),
            });
            if let CimValue::Reference(path) = &property.value.value {
                spread(&mut rows, path);
            }
        }
        let not_sent = self.class.iter().filter(|_| !self.projected).flat_map(|class| &class.properties);
        for property in not_sent.filter(|property| !sent.contains(&property.name)) {
            rows.push(DetailRow {
                name: display::safe(property.name.as_str()),
                is_key: property.is_key(),
                ty: display::type_name(Some(property.ty), property.is_array),
                is_typed: true,
                value: "not sent".to_owned(),
                state: ValueState::Absent,
                description: describe(&property.name),
                property: property.name.clone(),
            });
        }
        rows.sort_by_key(|row| !row.is_key);
        let mut scratch = Scratch::default();
        let filter = &self.filter;
        let mut passes = |row: &DetailRow| {
            let (name, value) = (filter.matches(&row.name, &mut scratch), filter.matches(&row.value, &mut scratch));
            if filter.is_inverted() { name && value } else { name || value }
        };
        rows.retain(|row| passes(row));
        self.rows = rows;
    }
}

/// Spreads a path over rows: the class on the row of its property, then a key a row.
fn spread(rows: &mut Vec<DetailRow>, path: &ObjectPath) {
    let Some(row) = rows.last_mut() else { return };
    let keys = path.keys.iter().map(|key| (display::safe(key.name.as_str()), display::key_value(&key.value)));
    let mut class = path.clone();
    class.keys.clear();
    row.value = display::path(&class);
    let like = DetailRow { name: String::new(), ty: String::new(), description: String::new(), ..row.clone() };
    rows.extend(keys.map(|(name, value)| DetailRow { value: format!("  {name}={value}"), ..like.clone() }));
}

fn value_text(value: &CimValue, ty: CimType) -> (String, ValueState) {
    match value {
        CimValue::Null => ("NULL".to_owned(), ValueState::Null),
        CimValue::String(text) | CimValue::Untyped(text) if text.is_empty() => {
            ("empty string".to_owned(), ValueState::EmptyString)
        }
        CimValue::Array(items) if items.is_empty() => ("empty array".to_owned(), ValueState::EmptyArray),
        other => (display::value(other, ty), ValueState::Present),
    }
}
