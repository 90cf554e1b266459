//! MOF: the files the captured servers were loaded with, value by value; and every class a server answered, printed and read back.

use std::path::Path;

use lazycim::{
    cim::{
        CimClass, CimInstance, CimName, CimValue, Flavor, Namespace, Qualifier,
        mof::{self, Library, NoLibrary, Unit, print},
    },
    protocol::cimxml::decode::Expect,
};
use libtest_mimic::{Failed, Trial};

use super::{decode, read};

/// Knows the classes of `lab_classes.mof`.
struct Lab(Vec<CimClass>);

impl Library for Lab {
    fn include(&mut self, path: &str) -> Result<String, String> {
        Err(format!("{path} is not to be included"))
    }

    fn class(&self, _namespace: Option<&Namespace>, name: &CimName) -> Option<CimClass> {
        self.0.iter().find(|class| class.name == *name).cloned()
    }
}

/// The trials.
pub fn trials(folder: &Path) -> Vec<Trial> {
    let trial = |name: &'static str, check: fn(&Path) -> Result<(), Failed>| {
        let folder = folder.to_owned();
        Trial::test(name, move || check(&folder))
    };
    vec![
        trial("lab_classes.mof: every property", classes),
        trial("lab_instances.mof: every value", instances),
        trial("lab_links.mof: references and keys", links),
        trial("pegasus/003-enumerate-classes-full: each class printed as MOF is read back the same", |folder| {
            read_back(folder, "pegasus/003-enumerate-classes-full", 1_400, true)
        }),
        trial("sfcb/003-enumerate-classes-full: each class printed as MOF is read back the same", |folder| {
            read_back(folder, "sfcb/003-enumerate-classes-full", 1_000, false)
        }),
    ]
}

fn parse(folder: &Path, file: &str) -> Result<Unit, Failed> {
    let text = |file: &str| std::fs::read_to_string(folder.join(file));
    let classes = mof::parse("lab_classes.mof", &text("lab_classes.mof")?, &mut NoLibrary)?;
    let mut lab = Lab(classes.classes().cloned().collect());
    Ok(mof::parse(file, &text(file)?, &mut lab)?)
}

fn same<T: PartialEq + std::fmt::Debug>(what: &str, found: T, expected: T) -> Result<(), Failed> {
    if found == expected { Ok(()) } else { Err(format!("{what}:\n  {found:?}\nis not\n  {expected:?}").into()) }
}

/// A class on one line: its properties with their types, `*` before keys.
fn outline(class: &CimClass) -> String {
    let properties = class.properties.iter().map(|property| {
        let star = if property.is_key() { "*" } else { "" };
        let array = if property.is_array { "[]" } else { "" };
        match &property.reference_class {
            Some(of) => format!("{star}{} ref {of}", property.name),
            None => format!("{star}{} {}{array}", property.name, property.ty),
        }
    });
    format!("{}: {}", class.name, properties.collect::<Vec<_>>().join(", "))
}

fn classes(folder: &Path) -> Result<(), Failed> {
    let unit = parse(folder, "lab_classes.mof")?;
    let outlines: Vec<String> = unit.classes().map(outline).collect();
    same(
        "classes",
        outlines.iter().map(String::as_str).collect::<Vec<_>>(),
        vec![
            "LAB_Inner: *Name string, Count uint32, Text string",
            "LAB_Types: *Id string, Bool boolean, U8 uint8, U16 uint16, U32 uint32, U64 uint64, S8 sint8, S16 sint16, \
             S32 sint32, S64 sint64, R32 real32, R64 real64, C16 char16, When datetime, HowLong datetime, Text string, \
             Empty string, NoValue string, Octets uint8[], AU8 uint8[], AU64 uint64[], ABool boolean[], AText string[], \
             AC16 char16[], AWhen datetime[], AR64 real64[], AEmpty string[], Inner string, Inners string[], \
             AnyObject string",
            "LAB_Keys: *K1 string, *K2 uint32, *K3 boolean, *K4 sint64, *K5 datetime, *K6 char16, Label string",
            "LAB_Link: *From ref LAB_Types, *To ref LAB_Types, Label string",
            "LAB_BadChar16: *Id string, C16 char16",
            "LAB_BadKey: *Id string",
        ],
    )?;
    let types = unit.classes().find(|class| class.name == "LAB_Types").ok_or("no LAB_Types")?;
    let qualifier = |found: &[Qualifier], name: &str| {
        let found = found.iter().find(|qualifier| qualifier.name == name);
        found.map(|qualifier| print::literal(&qualifier.value.value, qualifier.value.ty)).unwrap_or_default()
    };
    let of = |property: &str, name: &str| {
        types.property(property).map(|property| qualifier(&property.qualifiers, name)).unwrap_or_default()
    };
    let about = "\"One property of every intrinsic CIM type. Has <angle> & \\\"quote\\\" characters,.\"";
    same("the description", qualifier(&types.qualifiers, "description").as_str(), about)?;
    same("ValueMap", of("U32", "ValueMap").as_str(), "{\"0\", \"1\", \"2..9\", \"..\", \"0x8000..\"}")?;
    same("Values", of("U32", "Values").as_str(), "{\"Zero\", \"One\", \"Some\", \"DMTF Reserved\", \"Vendor\"}")?;
    same("MaxLen", of("Text", "MaxLen").as_str(), "256")?;
    same("EmbeddedInstance", of("Inners", "EmbeddedInstance").as_str(), "\"LAB_Inner\"")?;
    same("the default", types.property("Empty").map(|it| it.default.clone()), Some(CimValue::string("")))?;
    same("no default", types.property("NoValue").map(|it| it.default.clone()), Some(CimValue::Null))
}

/// An instance on one line, its values as MOF writes them.
fn written(instance: &CimInstance) -> String {
    let properties = instance.properties.iter();
    let values = properties
        .map(|property| format!("{} = {}", property.name, print::literal(&property.value.value, property.value.ty)));
    format!("{}: {}", instance.class, values.collect::<Vec<_>>().join("; "))
}

fn instances(folder: &Path) -> Result<(), Failed> {
    let unit = parse(folder, "lab_instances.mof")?;
    let lines: Vec<String> = unit.instances().map(written).collect();
    same(
        "instances",
        lines.iter().map(String::as_str).collect::<Vec<_>>(),
        vec![
            "LAB_Types: Id = \"max\"; Bool = TRUE; U8 = 255; U16 = 65535; U32 = 4294967295; \
             U64 = 18446744073709551615; S8 = 127; S16 = 32767; S32 = 2147483647; S64 = 9223372036854775807; \
             R32 = 3.4028235e38; R64 = 1.7976931348623157e308; C16 = 'A'; When = \"20261122174500.123456+060\"; \
             HowLong = \"00000123010203.000004:000\"; Text = \"plain\"; Octets = {0, 0, 0, 7, 1, 2, 255}; \
             AU8 = {0, 1, 255}; AU64 = {0, 18446744073709551615}; ABool = {TRUE, FALSE}; \
             AText = {\"one\", \"\", \"three\"}; AC16 = {'a', 'Z'}; \
             AWhen = {\"20261122174500.000000+000\", \"00000001000000.000000:000\"}; AR64 = {0.0, -1.5, 1.0e-10}",
            "LAB_Types: Id = \"min\"; Bool = FALSE; U8 = 0; U16 = 0; U32 = 0; U64 = 0; S8 = -128; S16 = -32768; \
             S32 = -2147483648; S64 = -9223372036854775808; R32 = -1.5; R64 = 0.1; C16 = 'z'; \
             When = \"20261122******.******-480\"; HowLong = \"99999999235959.999999:000\"; \
             Text = \"<a href=\\\"x\\\">&amp; 'q' ]]> \\t tab \\n newline</a>\"",
            "LAB_Types: Id = \"käse & <Öl> 日本語\"; Text = \"Grüße, 世界 — ✓ 𝄞\"; C16 = 'y'; \
             AText = {\"<b>\", \"ключ\", \"]]>\"}; AnyObject = NULL",
            "LAB_Types: Id = \"nulls\"",
            "LAB_Keys: K1 = \"a\\\\b\\\"c\"; K2 = 7; K3 = TRUE; K4 = -9223372036854775808; \
             K5 = \"20261122174500.000000+000\"; K6 = 'k'; Label = \"mixed keys\"",
            "LAB_Keys: K1 = \" lead and trail \"; K2 = 4294967295; K3 = FALSE; K4 = 9223372036854775807; \
             K5 = \"00000001000000.000000:000\"; K6 = '\"'; Label = \"second\"",
            "LAB_BadChar16: Id = \"amp\"; C16 = '&'",
            "LAB_BadChar16: Id = \"lt\"; C16 = '<'",
            "LAB_BadKey: Id = \"say \\\"hi\\\"\"",
            "LAB_BadKey: Id = \"plain\"",
        ],
    )?;
    let path = |at: usize| unit.instances().nth(at).and_then(|it| it.path.as_ref()).map(ToString::to_string);
    same("a path", path(0).as_deref(), Some("LAB_Types.Id=\"max\""))?;
    same("an awkward path", path(8).as_deref(), Some("LAB_BadKey.Id=\"say \\\"hi\\\"\""))?;
    let keys =
        "LAB_Keys.K1=\"a\\\\b\\\"c\",K2=7,K3=TRUE,K4=-9223372036854775808,K5=\"20261122174500.000000+000\",K6=\"k\"";
    same("a path of keys of every type", path(4).as_deref(), Some(keys))
}

fn links(folder: &Path) -> Result<(), Failed> {
    let unit = parse(folder, "lab_links.mof")?;
    let ends = |instance: &CimInstance| -> Vec<String> {
        ["From", "To", "Label"]
            .map(|name| match instance.property(name).map(|property| &property.value.value) {
                Some(CimValue::Reference(path)) => format!("-> {path}"),
                Some(CimValue::String(text)) => text.to_string(),
                other => format!("{other:?}"),
            })
            .to_vec()
    };
    same(
        "links",
        unit.instances().map(ends).collect::<Vec<_>>(),
        vec![
            vec!["-> LAB_Types.Id=\"max\"".to_owned(), "-> LAB_Types.Id=\"min\"".to_owned(), "max->min".to_owned()],
            vec!["-> LAB_Types.Id=\"max\"".to_owned(), "-> LAB_Types.Id=\"nulls\"".to_owned(), "max->nulls".to_owned()],
        ],
    )?;
    match unit.instances().find(|instance| instance.path.as_ref().is_none_or(|path| path.keys.len() != 2)) {
        Some(odd) => Err(format!("{odd:?} has no path of two keys").into()),
        None => Ok(()),
    }
}

/// What MOF has no words for taken away, and flavours where they do not count.
fn sayable(mut class: CimClass, flavours: bool) -> CimClass {
    let plain = |qualifiers: &mut Vec<Qualifier>| {
        for qualifier in qualifiers {
            qualifier.propagated = false;
            if !flavours {
                qualifier.flavor = Flavor::default();
            }
        }
    };
    class.namespace = None;
    plain(&mut class.qualifiers);
    for property in &mut class.properties {
        (property.origin, property.propagated) = (None, false);
        plain(&mut property.qualifiers);
    }
    for method in &mut class.methods {
        (method.origin, method.propagated) = (None, false);
        plain(&mut method.qualifiers);
        for parameter in &mut method.parameters {
            plain(&mut parameter.qualifiers);
        }
    }
    class
}

/// Prints and reads every class of a capture. SFCB sends no flavours, and a standard qualifier without one is read with its own.
fn read_back(folder: &Path, capture: &str, at_least: usize, flavours: bool) -> Result<(), Failed> {
    let answer = read(&folder.join(format!("{capture}.resp.http"))).ok_or("no answer")?;
    let classes = decode(&answer, &Expect::Classes, std::iter::empty()).classes;
    if classes.len() < at_least {
        return Err(format!("only {} classes", classes.len()).into());
    }
    let mut odd = Vec::new();
    for class in classes {
        let class = sayable(class, flavours);
        let printed = print::class(&class);
        let back: Vec<CimClass> = match mof::parse("printed.mof", &printed, &mut NoLibrary) {
            Ok(unit) => unit.classes().map(|class| sayable(class.clone(), flavours)).collect(),
            Err(error) => {
                odd.push(format!("{}: {error}", class.name));
                continue;
            }
        };
        if back != [class.clone()] {
            odd.push(format!("{}: {}", class.name, difference(&class, back.first())));
        }
    }
    let count = odd.len();
    odd.truncate(10);
    if count == 0 { Ok(()) } else { Err(format!("{count} classes:\n{}", odd.join("\n")).into()) }
}

/// The first thing in which two classes differ.
fn difference(class: &CimClass, back: Option<&CimClass>) -> String {
    let Some(back) = back else { return "no class".to_owned() };
    for (one, other) in class.qualifiers.iter().zip(&back.qualifiers) {
        if one != other {
            return format!("{one:?}\n  {other:?}");
        }
    }
    for (one, other) in class.properties.iter().zip(&back.properties) {
        let pair = one.qualifiers.iter().zip(&other.qualifiers).find(|(one, other)| one != other);
        if let Some(pair) = pair {
            return format!("{}: {pair:?}", one.name);
        }
        if one != other {
            return format!("{one:?}\n  {other:?}");
        }
    }
    for (one, other) in class.methods.iter().zip(&back.methods) {
        if one != other {
            return format!("{one:?}\n  {other:?}");
        }
    }
    "another number of things".to_owned()
}
