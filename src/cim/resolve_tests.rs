//! Tests of inheritance.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use super::*;
use crate::cim::{CimValue, mof, qualifier};

fn classes(text: &str) -> Vec<CimClass> {
    mof::parse("t.mof", text, &mut mof::NoLibrary).unwrap().classes().cloned().collect()
}

fn resolved(text: &str, name: &str) -> Result<CimClass, ResolveError> {
    let all = classes(text);
    let class = all.iter().find(|class| class.name == name).unwrap().clone();
    full(&class, |name| all.iter().find(|class| class.name == *name))
}

const FAMILY: &str = r#"
    [Abstract, Version("1"), Description("Top."), Association]
    class A { [Key, Description("The id."), MaxLen(8)] string Id; uint8 Size = 1; [Static] uint32 Go(uint8 X); };
    [Version("2")] class B : A { [Override("Size"), Description("Bigger.")] uint8 Size = 2; string Extra; };
    class C : B { [Override("Id"), MaxLen(16)] string Id; boolean Go2(); };
"#;

#[test]
fn a_class_has_what_its_ancestors_declare() {
    let class = resolved(FAMILY, "C").unwrap();
    let shown = class
        .properties
        .iter()
        .map(|p| (p.name.as_str(), p.origin.as_ref().unwrap().as_str(), p.propagated))
        .collect::<Vec<_>>();
    assert_eq!(shown, [("Id", "A", false), ("Size", "A", true), ("Extra", "B", true)]);
    assert_eq!(class.property("Size").unwrap().default, CimValue::UInt(2));
    assert_eq!(class.property("Size").unwrap().description(), Some("Bigger."));
    let id = class.property("Id").unwrap();
    assert_eq!(qualifier::find(&id.qualifiers, "MaxLen"), Some(&CimValue::UInt(16)));
    assert!(id.is_key() && id.description() == Some("The id."), "Key and Description propagate into an override");
    let methods = class.methods.iter().map(|m| (m.name.as_str(), m.propagated)).collect::<Vec<_>>();
    assert_eq!(methods, [("Go", true), ("Go2", false)]);
    assert!(class.is_association() && !class.is_abstract(), "Abstract is restricted, Association is not");
    assert_eq!(qualifier::text(&class.qualifiers, "Version"), None, "Version is restricted");
    assert_eq!(class.description(), Some("Top."));
}

#[test]
fn local_only_undoes_it_and_resolving_again_changes_nothing() {
    let all = classes(FAMILY);
    let class = resolved(FAMILY, "C").unwrap();
    let again = full(&class, |name| all.iter().find(|class| class.name == *name)).unwrap();
    assert_eq!(again, class);
    let mut local = local_only(&class);
    local.properties[0].origin = None;
    local.methods[0].origin = None;
    assert_eq!(local, all[2]);
}

#[test]
fn what_breaks_the_rules_is_named() {
    let error = |text, name| resolved(text, name).unwrap_err().to_string();
    assert_eq!(error("class B : A {};", "B"), "the superclass A of B is not known");
    assert_eq!(error("class B : A {}; class A : B {};", "B"), "B inherits from itself or from more than 64 classes");
    assert_eq!(
        error("class A { [Key] string K; }; class B : A { [Key(false)] string K; };", "B"),
        "K of B changes the qualifier Key, which may not be overridden"
    );
    assert_eq!(
        error("[Association] class A {}; [Association(false)] class B : A {};", "B"),
        "B of B changes the qualifier Association, which may not be overridden"
    );
    assert_eq!(
        error("class A { uint8 P; }; class B : A { uint16 P; };", "B"),
        "P of B has another type than the one it overrides"
    );
    let below_a_loop = "class X : A {}; class A : B {}; class B : A {};";
    assert_eq!(error(below_a_loop, "X"), "X inherits from itself or from more than 64 classes");
}
