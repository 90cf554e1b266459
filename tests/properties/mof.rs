//! What must hold of MOF, whatever is read as it.
//!
//! Reading ends without a panic and says where it failed. What was read prints as text that is read as the same and prints
//! the same again, but for what the printer says MOF cannot tell.

use lazycim::cim::{
    CimClass, CimInstance, CimName, CimType, CimValue, Namespace, ObjectPath,
    mof::{self, Declaration, Item, Library, MofError, Unit, print},
};

/// Gives the same few lines whatever is included, and knows one class.
struct Shelf(usize);

impl Library for Shelf {
    fn include(&mut self, path: &str) -> Result<String, String> {
        self.0 += 1;
        assert!(!path.is_empty() && !path.starts_with('/') && !path.split('/').any(|part| part == ".."), "{path:?}");
        Ok(format!("#pragma namespace(\"root/included\")\nclass Included_{} {{ [Key] uint32 Id; }};", self.0))
    }

    fn class(&self, _: Option<&Namespace>, name: &CimName) -> Option<CimClass> {
        let text = "class Shelf_Thing { [Key] string Name; uint8 Small = 7; real32 Real[]; Shelf_Thing REF Next; };";
        let unit = mof::parse("shelf", text, &mut mof::NoLibrary).ok()?;
        unit.classes().find(|class| class.name == *name).cloned()
    }
}

/// Reads `data` as MOF.
///
/// # Errors
/// Why it is not MOF.
pub fn check(data: &[u8]) -> Result<(), MofError> {
    let text = String::from_utf8_lossy(data);
    let unit = match mof::parse("input", &text, &mut Shelf(0)) {
        Ok(unit) => unit,
        Err(error) => {
            assert!(error.line >= 1 && error.column >= 1 && !error.what.is_empty());
            assert!(error.line as usize <= text.lines().count().max(5) + 1, "{error}");
            assert!(!error.to_string().contains(|c: char| c.is_control()), "{error:?}");
            return Err(error);
        }
    };
    let printed = printed(&unit);
    assert!(!printed.contains(|c: char| c.is_control() && c != '\n'), "{printed:?}");
    let back = match mof::parse("printed", &printed, &mut Shelf(0)) {
        Ok(back) => back,
        Err(error) => panic!("{error}, in what was printed:\n{printed}"),
    };
    assert_eq!(printed, self::printed(&back), "printing is stable");
    let (unit, back) = (told(unit), told(back));
    // Debug too, for NaN is not equal to itself.
    assert!(
        unit == back || format!("{unit:?}") == format!("{back:?}"),
        "{unit:#?}\nread back as\n{back:#?}\nfrom\n{printed}"
    );
    Ok(())
}

/// The text of a unit, namespaces as pragmas.
fn printed(unit: &Unit) -> String {
    let (mut out, mut namespace) = (String::new(), &None);
    for item in &unit.items {
        if item.namespace != *namespace {
            namespace = &item.namespace;
            let name = namespace.as_ref().map_or("", Namespace::as_str);
            let name = print::literal(&CimValue::string(name), CimType::String);
            out.push_str(&format!("#pragma namespace({name})\n"));
        }
        out.push_str(&match &item.declaration {
            Declaration::Qualifier(declaration) => print::qualifier_declaration(declaration),
            Declaration::Class(class) => print::class(class),
            Declaration::Instance(instance) => print::instance(instance),
        });
    }
    out
}

/// The unit without what MOF cannot tell. A reference is a text there: which of the texts inside it were references too, and
/// whether it was one at all where no class says so, is lost.
fn told(mut unit: Unit) -> Unit {
    for Item { declaration, .. } in &mut unit.items {
        match declaration {
            Declaration::Instance(instance) => flatten(instance),
            Declaration::Class(class) => class.properties.iter_mut().for_each(|one| flatten_value(&mut one.default)),
            Declaration::Qualifier(_) => {}
        }
    }
    unit
}

fn flatten(instance: &mut CimInstance) {
    let path = instance.path.take().map(|path| path.to_string());
    instance.path = path.map(|text| ObjectPath::new(None, CimName::new(&text), Vec::new()));
    for property in &mut instance.properties {
        if property.value.ty == CimType::Reference && property.reference_class.is_none() {
            property.value.ty = CimType::String;
        }
        flatten_value(&mut property.value.value);
    }
}

fn flatten_value(value: &mut CimValue) {
    match value {
        CimValue::Reference(path) => *value = CimValue::string(&path.to_string()),
        CimValue::Instance(inner) => flatten(inner),
        CimValue::Array(items) => items.iter_mut().for_each(flatten_value),
        _ => {}
    }
}
