//! Presets: what is known about kinds of servers, for sessions to build on.
//!
//! Owns: `config/presets.toml`, embedded, and its form. Must not know which session builds on which preset, nor connect.
//!
//! ```text
//! [[preset]] name, title, about, needs, namespaces, bookmarks, danger = [{ class, reason }]
//! [preset.session] the keys of a [[session]], without id and computer
//! ```

use std::sync::OnceLock;

use toml::de::{DeTable, DeValue};

use crate::cim::{CimName, Namespace};

/// The presets of this build.
pub const PRESETS_TOML: &str = include_str!("../../config/presets.toml");

/// What presets may need and this build has.
pub const BUILT: &[&str] = &["cimxml", "basic"];

/// What is known about a kind of server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Preset {
    /// Its name, as `inherits = "preset:NAME"` has it.
    pub name: String,
    /// Its name for people.
    pub title: String,
    /// What to know about it, in a sentence or two.
    pub about: String,
    /// What is needed to talk to it.
    pub needs: Vec<String>,
    /// Namespaces to begin with.
    pub namespaces: Vec<Namespace>,
    /// Classes to begin with.
    pub bookmarks: Vec<CimName>,
    /// Classes that are better asked about before they are enumerated.
    pub danger: Vec<Danger>,
}

/// A class whose enumeration does harm or takes very long.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Danger {
    /// The class.
    pub class: CimName,
    /// Why.
    pub reason: String,
}

impl Preset {
    /// What it needs and this build does not have; with anything here it is not offered for connecting.
    pub fn missing(&self) -> impl Iterator<Item = &str> {
        self.needs.iter().map(String::as_str).filter(|need| !BUILT.contains(need))
    }
}

/// All presets, in the order of the file.
pub fn all() -> &'static [Preset] {
    static ALL: OnceLock<Vec<Preset>> = OnceLock::new();
    ALL.get_or_init(|| tables().filter_map(|table| read(table).ok()).collect())
}

/// The preset called `name`.
pub fn find(name: &str) -> Option<&'static Preset> {
    all().iter().find(|preset| preset.name == name)
}

/// What the preset `name` says in the place of a session.
pub(super) fn session_table(name: &str) -> Option<&'static DeTable<'static>> {
    let table = tables().find(|table| text(table, "name") == Ok(name))?;
    table.get("session").and_then(|session| session.get_ref().as_table())
}

fn tables() -> impl Iterator<Item = &'static DeTable<'static>> {
    static DOCUMENT: OnceLock<DeTable<'static>> = OnceLock::new();
    // A test holds the embedded file to its form.
    let document = DOCUMENT.get_or_init(|| DeTable::parse(PRESETS_TOML).map(|it| it.into_inner()).unwrap_or_default());
    let list = document.get("preset").and_then(|list| list.get_ref().as_array());
    list.into_iter().flat_map(|list| list.iter()).filter_map(|item| item.get_ref().as_table())
}

/// The preset `table` describes, or the key that is missing or wrong.
fn read(table: &DeTable<'_>) -> Result<Preset, String> {
    const KEYS: [&str; 8] = ["name", "title", "about", "needs", "namespaces", "bookmarks", "danger", "session"];
    if let Some(key) = table.keys().find(|key| !KEYS.contains(&key.get_ref().as_ref())) {
        return Err(format!("unknown key `{}`", key.get_ref()));
    }
    let danger = list(table, "danger")?.map(|item| {
        let item = item.as_table().ok_or("danger")?;
        Ok(Danger { class: CimName::new(text(item, "class")?), reason: text(item, "reason")?.to_owned() })
    });
    Ok(Preset {
        name: text(table, "name")?.to_owned(),
        title: text(table, "title")?.to_owned(),
        about: text(table, "about")?.to_owned(),
        needs: texts(table, "needs")?.map(str::to_owned).collect(),
        namespaces: texts(table, "namespaces")?.map(Namespace::new).collect(),
        bookmarks: texts(table, "bookmarks")?.map(CimName::new).collect(),
        danger: danger.collect::<Result<_, String>>()?,
    })
}

fn text<'t>(table: &'t DeTable<'_>, key: &str) -> Result<&'t str, String> {
    let value = table.get(key).and_then(|value| value.get_ref().as_str());
    value.filter(|text| !text.is_empty()).ok_or_else(|| key.to_owned())
}

fn list<'t, 'i>(table: &'t DeTable<'i>, key: &str) -> Result<impl Iterator<Item = &'t DeValue<'i>>, String> {
    let list = match table.get(key) {
        None => None,
        Some(list) => Some(list.get_ref().as_array().ok_or_else(|| key.to_owned())?),
    };
    Ok(list.into_iter().flat_map(|list| list.iter()).map(|item| item.get_ref()))
}

fn texts<'t, 'i>(table: &'t DeTable<'i>, key: &str) -> Result<impl Iterator<Item = &'t str>, String>
where
    'i: 't,
{
    let texts = list(table, key)?.map(DeValue::as_str).collect::<Option<Vec<_>>>();
    Ok(texts.ok_or_else(|| key.to_owned())?.into_iter())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::session::store::SessionsFile;

    #[test]
    fn every_preset_has_the_form_and_a_name_of_its_own() {
        let presets = tables().map(|table| read(table).unwrap()).collect::<Vec<_>>();
        assert!(presets.len() > 10, "{}", presets.len());
        assert_eq!(presets, all());
        for (at, preset) in presets.iter().enumerate() {
            assert!(presets[..at].iter().all(|before| before.name != preset.name), "{} twice", preset.name);
            let names = preset.bookmarks.iter().chain(preset.danger.iter().map(|danger| &danger.class));
            assert!(names.into_iter().all(CimName::is_well_formed), "{preset:?}");
            assert!(preset.namespaces.iter().all(|namespace| !namespace.is_empty()), "{preset:?}");
            let session = session_table(&preset.name).unwrap();
            assert!(!session.contains_key("id") && !session.contains_key("computer"), "{}", preset.name);
        }
    }

    #[test]
    fn every_preset_can_be_built_on() {
        for preset in all() {
            let text = format!("[[session]]\nid = \"a\"\ncomputer = \"h\"\ninherits = \"preset:{}\"\n", preset.name);
            let file = SessionsFile::parse("sessions.toml", &text);
            assert_eq!(file.problems, [], "{}", preset.name);
            assert_eq!(file.entries[0].target.user, None, "{}", preset.name);
        }
    }

    #[test]
    fn what_a_preset_needs_and_is_not_built_is_named() {
        let missing = |name: &str| find(name).unwrap().missing().collect::<Vec<_>>();
        assert_eq!(missing("winrm-http"), ["wsman", "negotiate"]);
        assert_eq!(missing("pegasus"), [""; 0]);
        assert!(find("toaster").is_none());
        assert!(!BUILT.contains(&"wsman") && BUILT.iter().all(|built| *built == "basic" || *built == "cimxml"));
    }

    #[test]
    fn mistakes_in_a_preset_name_the_key() {
        let wrong = |text: &str| read(&DeTable::parse(text).unwrap().into_inner()).unwrap_err();
        let good = "name = \"a\"\ntitle = \"b\"\nabout = \"c\"\n";
        assert_eq!(wrong("name = \"a\"\n"), "title");
        assert_eq!(wrong(&format!("{good}needs = \"x\"\n")), "needs");
        assert_eq!(wrong(&format!("{good}danger = [{{ class = \"A\" }}]\n")), "reason");
        assert_eq!(wrong(&format!("{good}nmae = 1\n")), "unknown key `nmae`");
    }
}
