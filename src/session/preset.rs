//! Presets: what is known about kinds of servers, for sessions to build on.
//!
//! Owns: `config/presets.toml`, embedded, and its form. Must not know which session builds on which preset, nor connect.
//!
//! ```text
//! [[preset]] name, title, about, needs, namespaces, bookmarks, danger = [{ class, reason }] (with a property; or a namespace
//!            instead), or the preset that lists them
//! [preset.session] the keys of a [[session]], without id and computer
//! ```

use std::{fmt, sync::OnceLock};

use toml::de::{DeTable, DeValue};

use crate::cim::{CimName, Namespace};

/// The presets of this build.
pub const PRESETS_TOML: &str = include_str!("../../config/presets.toml");

/// What presets may need and this build has: protocols and mechanisms, by their names in the registries.
pub const BUILT: &[&str] = &["cimxml", "wsman", "auto", "basic", "certificate", "digest"];

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
    /// What is better asked about before it is read.
    pub danger: Vec<Danger>,
}

/// What does harm or takes very long when it is read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Danger {
    /// What.
    pub what: Dangerous,
    /// Why.
    pub reason: String,
}

/// What may be dangerous to read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Dangerous {
    /// Everything in this namespace and those below it.
    Namespace(Namespace),
    /// The instances of this class.
    Class(CimName),
    /// This property of this class; a query may leave it out.
    Property(CimName, CimName),
}

impl fmt::Display for Dangerous {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Namespace(namespace) => write!(f, "{namespace}"),
            Self::Class(class) => write!(f, "{class}"),
            Self::Property(class, property) => write!(f, "{class}.{property}"),
        }
    }
}

impl Danger {
    /// Whether it is one of the instances of `class`.
    fn is_of(&self, class: &CimName) -> bool {
        matches!(&self.what, Dangerous::Class(name) | Dangerous::Property(name, _) if name == class)
    }
}

impl Preset {
    /// What it needs and this build does not have; with anything here it is not offered for connecting.
    pub fn missing(&self) -> impl Iterator<Item = &str> {
        self.needs.iter().map(String::as_str).filter(|need| !BUILT.contains(need))
    }

    /// What it needs and this build does not have, in words (`wsman and negotiate`); `None` where nothing is missing.
    pub fn missing_in_words(&self) -> Option<String> {
        let missing = self.missing().collect::<Vec<_>>();
        let (last, first) = missing.split_last()?;
        Some(if first.is_empty() { (*last).to_owned() } else { format!("{} and {last}", first.join(", ")) })
    }

    /// Why `namespace` should be asked about before anything in it is read, if it should.
    pub fn danger_in(&self, namespace: &Namespace) -> Option<&Danger> {
        let is_in = |danger: &&Danger| match &danger.what {
            Dangerous::Namespace(above) => {
                let parts = above.parts().count();
                let same = |(a, b): (&str, &str)| a.eq_ignore_ascii_case(b);
                namespace.parts().count() >= parts && namespace.parts().zip(above.parts()).all(same)
            }
            _ => false,
        };
        self.danger.iter().find(is_in)
    }

    /// Why `class` should be asked about before it is enumerated, if it should.
    pub fn danger_of(&self, class: &CimName) -> Option<&Danger> {
        self.danger.iter().find(|danger| danger.is_of(class))
    }

    /// As [`Preset::danger_of`], for the class a query selects from. Only what stands between `SELECT` and `FROM`, which
    /// every query language of CIM has, and the word after it is looked at.
    pub fn danger_of_query(&self, query: &str) -> Option<&Danger> {
        let words = query.split_whitespace().collect::<Vec<_>>();
        let from = words.iter().position(|word| word.eq_ignore_ascii_case("from"))?;
        let (selected, class) = (words.get(1..from)?.concat(), words.get(from + 1)?.trim_end_matches([';', ',']));
        let danger = self.danger_of(&CimName::new(class))?;
        let reads = match &danger.what {
            Dangerous::Property(_, property) => {
                let names = |name: &str| name == "*" || name.rsplit('.').next().is_some_and(|name| *property == name);
                selected.split(',').any(names)
            }
            _ => true,
        };
        reads.then_some(danger)
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
    // Several kinds of server may share one list.
    let listing = match table.get("danger").and_then(|danger| danger.get_ref().as_str()) {
        Some(other) => tables().find(|table| text(table, "name") == Ok(other)).ok_or("danger")?,
        None => table,
    };
    let danger = list(listing, "danger")?.map(|item| read_danger(item.as_table().ok_or("danger")?));
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

fn read_danger(item: &DeTable<'_>) -> Result<Danger, String> {
    const KEYS: [&str; 4] = ["namespace", "class", "property", "reason"];
    if let Some(key) = item.keys().find(|key| !KEYS.contains(&key.get_ref().as_ref())) {
        return Err(format!("unknown key `{}`", key.get_ref()));
    }
    let what = match (item.contains_key("namespace"), item.contains_key("property")) {
        (true, _) => Dangerous::Namespace(Namespace::new(text(item, "namespace")?)),
        (_, true) => Dangerous::Property(CimName::new(text(item, "class")?), CimName::new(text(item, "property")?)),
        _ => Dangerous::Class(CimName::new(text(item, "class")?)),
    };
    Ok(Danger { what, reason: text(item, "reason")?.to_owned() })
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
            let dangerous = preset.danger.iter().flat_map(|danger| match &danger.what {
                Dangerous::Namespace(_) => vec![],
                Dangerous::Class(class) => vec![class],
                Dangerous::Property(class, property) => vec![class, property],
            });
            assert!(preset.bookmarks.iter().chain(dangerous).all(CimName::is_well_formed), "{preset:?}");
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
        assert_eq!(missing("winrm-http"), ["negotiate"]);
        assert_eq!((missing("pegasus"), missing("winrm-https")), (vec![], vec![]));
        assert!(find("toaster").is_none());
        assert_eq!(find("winrm-http").unwrap().missing_in_words().as_deref(), Some("negotiate"));
        assert_eq!(find("pegasus").unwrap().missing_in_words(), None);
    }

    #[test]
    fn every_windows_preset_asks_about_the_same_classes_also_in_queries() {
        let windows = ["winrm-http", "winrm-https", "wmi-dcom", "hyperv", "failover-cluster", "configmgr", "dns-dhcp"];
        for name in windows.into_iter().chain(["sqlserver", "defender", "scvmm", "wmi-persistence"]) {
            let preset = find(name).unwrap();
            let listed = preset.danger.iter().map(|danger| danger.what.to_string()).collect::<Vec<_>>();
            let all = [
                "Win32_Product",
                "CIM_DataFile",
                "Win32_Directory",
                "Win32_NTLogEvent",
                "BatteryStaticData.ManufactureDate",
                "root/directory/LDAP",
            ];
            assert_eq!(listed, all, "{name}");
            assert!(preset.danger_of(&CimName::new("win32_product")).unwrap().reason.contains("MSI"));
            assert!(preset.danger_of(&CimName::new("Win32_Process")).is_none());
            let asked = |query: &str| preset.danger_of_query(query).map(|danger| danger.what.to_string());
            let product = || Some("Win32_Product".to_owned());
            assert_eq!(asked("select Name\nfrom WIN32_Product where Vendor='x'"), product());
            assert_eq!(asked("SELECT * FROM Win32_Product;"), product());
            assert_eq!(asked("SELECT Win32_Product FROM Win32_Process"), None);
            assert_eq!(asked("SELECT * FROM"), None);
            let battery = Some("BatteryStaticData.ManufactureDate".to_owned());
            for query in ["SELECT *", "SELECT Tag, manufacturedate", "SELECT b.ManufactureDate,Tag"] {
                assert_eq!(asked(&format!("{query} FROM BatteryStaticData b")), battery, "{query}");
            }
            assert_eq!(asked("SELECT Tag, DeviceName FROM BatteryStaticData"), None);
            let within = |namespace| preset.danger_in(&Namespace::new(namespace)).is_some();
            assert!(
                within("root/directory/LDAP") && within("ROOT\\Directory\\ldap") && within("root/directory/LDAP/x")
            );
            assert!(!within("root/directory") && !within("root/cimv2") && !within("root/directory/LDAPx"));
        }
        assert_eq!(find("pegasus").unwrap().danger, []);
    }

    /// What was found in a source for each preset: protocol, port, path, whether TLS is turned off or on. A dash where
    /// nothing confirms it.
    const CONFIRMED: &str = "
        winrm-http wsman 5985 /wsman http
        winrm-https wsman - - https
        wmi-dcom - - - -
        hyperv wsman - - -
        failover-cluster wsman - - -
        configmgr wsman - - -
        dns-dhcp wsman - - -
        sqlserver wsman - - -
        defender wsman - - -
        scvmm wsman - - -
        wmi-persistence wsman - - -
        omi wsman - - -
        pegasus cimxml 5989 - https
        sfcb cimxml - - -
        esxi cimxml 5989 - https
        idrac wsman 443 /wsman https
        amt wsman 16993 - https
        emc - - - -
        powervault-me4 cimxml 5989 - https
        netapp - - - -
        hitachi cimxml 5989 - https
        ibm-svc cimxml - - -
        fujitsu-eternus cimxml - - -
        huawei - - - -
        brocade - - - -
        lsi - - - -
        hpe-3par - - - -
        hpe-server - - - -
        lenovo-imm - - - -
        fujitsu-svs - - - -
        zos cimxml 5989 - https";

    #[test]
    fn presets_hold_what_was_confirmed_and_no_more() {
        let dash = || "-".to_owned();
        let rows = all().iter().map(|preset| {
            let session = session_table(&preset.name).unwrap();
            let value = |key: &str| session.get(key).map(toml::Spanned::get_ref);
            let said = |key: &str| value(key).and_then(DeValue::as_str).map_or_else(dash, str::to_owned);
            let port = value("port").and_then(DeValue::as_integer).map_or_else(dash, |port| port.as_str().to_owned());
            let tls = value("tls").and_then(DeValue::as_table).and_then(|tls| tls.get("use")?.get_ref().as_bool());
            let tls = tls.map_or("-", |tls| if tls { "https" } else { "http" });
            format!("{} {} {port} {} {tls}", preset.name, said("protocol"), said("path"))
        });
        let confirmed = CONFIRMED.lines().map(str::trim).filter(|line| !line.is_empty()).collect::<Vec<_>>();
        assert_eq!(rows.collect::<Vec<_>>(), confirmed);
    }

    #[test]
    fn mistakes_in_a_preset_name_the_key() {
        let wrong = |text: &str| read(&DeTable::parse(text).unwrap().into_inner()).unwrap_err();
        let good = "name = \"a\"\ntitle = \"b\"\nabout = \"c\"\n";
        assert_eq!(wrong("name = \"a\"\n"), "title");
        assert_eq!(wrong(&format!("{good}needs = \"x\"\n")), "needs");
        assert_eq!(wrong(&format!("{good}danger = [{{ class = \"A\" }}]\n")), "reason");
        assert_eq!(wrong(&format!("{good}nmae = 1\n")), "unknown key `nmae`");
        let odd = "{ class = \"A\", props = \"B\", reason = \"r\" }";
        assert_eq!(wrong(&format!("{good}danger = [{odd}]\n")), "unknown key `props`");
    }
}
