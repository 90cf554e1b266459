//! Tests of the MOF printer: what it prints is read back as the same.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use proptest::prelude::*;

use super::*;
use crate::cim::{
    EmbeddedKind, InstanceProperty, TypedValue,
    mof::{NoLibrary, Unit, parse},
};

fn read(text: &str) -> Unit {
    parse("t.mof", text, &mut NoLibrary).unwrap_or_else(|error| panic!("{error}\n{text}"))
}

fn read_class(text: &str) -> CimClass {
    read(text).classes().next().unwrap().clone()
}

#[test]
fn a_class_is_laid_out_for_reading() {
    let text = r#"[Abstract, Version("2.0"), Description("A text that is certainly too long to stand on one line of eighty columns.\nSecond line.")]
class LC_Thing : CIM_Thing {
   [Key, MaxLen(256), Vendor("x") : DisableOverride Restricted]
   string Name = "a";
   [ValueMap {"0", "1", ".."}, Values {"Zero", "One of them, described at some length", "Reserved for later"}]
   uint16 States[4] = {1, 2};
   CIM_Thing REF Other;
   uint32 Do([In, Out(FALSE)] uint8 What, [In(FALSE), Out] CIM_Thing REF Made[]);
};"#;
    let class = read_class(text);
    let printed = super::class(&class);
    assert_eq!(
        printed,
        r#"[Abstract, Version("2.0"),
 Description(
    "A text that is certainly too long to stand on one line of eighty "
    "columns.\n"
    "Second line.")]
class LC_Thing : CIM_Thing {
   [Key, MaxLen(256), Vendor("x") : DisableOverride Restricted]
   string Name = "a";
   [ValueMap {"0", "1", ".."},
    Values {
       "Zero", "One of them, described at some length", "Reserved for later"}]
   uint16 States[4] = {1, 2};
   CIM_Thing REF Other;
   uint32 Do(
      [In, Out(FALSE)] uint8 What,
      [In(FALSE), Out] CIM_Thing REF Made[]);
};
"#
    );
    assert_eq!(read_class(&printed), class);
}

#[test]
fn a_standard_qualifier_of_another_type_keeps_the_one_it_came_with() {
    let mut class = read_class("class A { string E; };");
    class.properties[0].qualifiers =
        vec![Qualifier::new("EmbeddedInstance", TypedValue::scalar(CimType::Boolean, CimValue::Bool(true)))];
    let printed = super::class(&class);
    assert!(printed.contains("[EmbeddedInstance(TRUE)]"), "{printed}");
    assert_eq!(read_class(&printed), class);
    // A text that declares it is held to its declaration.
    let declared = "Qualifier EmbeddedInstance : string = NULL, Scope(property);\n";
    assert!(parse("t.mof", &format!("{declared}{printed}"), &mut NoLibrary).is_err());
}

#[test]
fn inherited_elements_say_where_they_come_from() {
    let mut class = read_class("class B : A { string Id; string Own; };");
    class.properties[0].propagated = true;
    class.properties[0].origin = Some("A\n}; evil".into());
    assert_eq!(
        super::class(&class),
        "class B : A {\n   // from A\\n}; evil\n   string Id;\n   // its own\n   string Own;\n};\n"
    );
}

#[test]
fn an_instance_and_a_qualifier_declaration_are_read_back() {
    let text = "Qualifier Rank : uint8[] = {1, 2},\n   Scope(class, property),\n   Flavor(DisableOverride, Translatable);\n\
        Qualifier Note : string,\n   Scope(any);\n";
    let unit = read(text);
    assert_eq!(unit.qualifiers().map(qualifier_declaration).collect::<String>(), text);
    let text = "instance of LAB_Types {\n   Id = \"say \\\"hi\\\"\\x001B\";\n   Empty = {};\n   C = 'A';\n   N = NULL;\n   \
        Real = 1.5;\n   Inner = instance of LAB_Inner {\n      Count = 7;\n   };\n   \
        Inners = {instance of LAB_Inner { Count = 1; }};\n};\n";
    let unit = read(text);
    let read_back = unit.instances().next().unwrap();
    assert_eq!(instance(read_back), text);
    assert_eq!(read_back.property("Inners").unwrap().embedded, Some(EmbeddedKind::Instance));
    assert_eq!(literal(&CimValue::Char16(0xd800), CimType::Char16), r"'\xD800'");
    assert_eq!(literal(&CimValue::Real(f64::NEG_INFINITY), CimType::Real64), "-INF");
}

fn arb_name() -> impl Strategy<Value = String> {
    "[A-Za-zä_][A-Za-z0-9_]{0,9}"
}

fn arb_text() -> impl Strategy<Value = Box<str>> {
    prop_oneof![any::<String>(), "[ a-z\"\\\\\n]{0,200}", "[a-z]{150}"].prop_map(String::into)
}

fn arb_scalar(ty: CimType) -> BoxedStrategy<CimValue> {
    match ty {
        CimType::Boolean => any::<bool>().prop_map(CimValue::Bool).boxed(),
        CimType::Real32 => any::<f32>()
            .prop_filter("NaN is not itself", |v| !v.is_nan())
            .prop_map(|value| {
                CimValue::Real(crate::cim::text::parse_real(&real_text(f64::from(value), CimType::Real32)).unwrap())
            })
            .boxed(),
        CimType::Real64 => {
            any::<f64>().prop_filter("NaN is not itself", |v| !v.is_nan()).prop_map(CimValue::Real).boxed()
        }
        CimType::Char16 => any::<u16>().prop_map(CimValue::Char16).boxed(),
        CimType::String => arb_text().prop_map(CimValue::String).boxed(),
        CimType::DateTime => prop_oneof![Just("20261122******.******-480"), Just("00000123010203.000004:000")]
            .prop_map(|text| CimValue::DateTime(text.parse().unwrap()))
            .boxed(),
        CimType::Reference => {
            arb_text()
                .prop_map(|text| {
                    let key = crate::cim::KeyBinding { name: "k".into(), value: crate::cim::KeyValue::String(text) };
                    let path = crate::cim::ObjectPath::new(None, "C".into(), vec![key]);
                    // A text that is itself a path would come back as a reference.
                    CimValue::Reference(Box::new(path.to_string().parse().unwrap()))
                })
                .boxed()
        }
        ty => {
            let (low, high) = ty.integer_range().unwrap();
            (low..=high).prop_map(move |value| crate::cim::text::integer_value(ty, value).unwrap()).boxed()
        }
    }
}

fn arb_value(ty: CimType, is_array: bool) -> BoxedStrategy<CimValue> {
    if !is_array {
        return prop_oneof![1 => Just(CimValue::Null), 3 => arb_scalar(ty)].boxed();
    }
    let item = prop_oneof![1 => Just(CimValue::Null), 5 => arb_scalar(ty)];
    prop_oneof![1 => Just(CimValue::Null), 3 => prop::collection::vec(item, 0..8).prop_map(CimValue::Array)].boxed()
}

fn arb_flavor() -> impl Strategy<Value = Flavor> {
    any::<(bool, bool, bool)>().prop_map(|(overridable, to_subclass, translatable)| Flavor {
        overridable,
        to_subclass,
        translatable,
    })
}

fn arb_qualifiers() -> impl Strategy<Value = Vec<Qualifier>> {
    let standard = prop::sample::select(vec![
        "Key",
        "Description",
        "ValueMap",
        "Values",
        "MaxLen",
        "MinValue",
        "Abstract",
        "Version",
    ])
    .prop_flat_map(|name| {
        let known = standard::qualifier(&CimName::new(name)).unwrap();
        arb_value(known.ty, known.is_array).prop_map(move |value| {
            let value = TypedValue { ty: known.ty, is_array: known.is_array, value };
            Qualifier { flavor: known.flavor, ..Qualifier::new(name, value) }
        })
    });
    let own =
        ("V_[a-z]{1,6}", arb_flavor(), prop::sample::select(vec![CimType::Boolean, CimType::String, CimType::Real64]))
            .prop_flat_map(|(name, flavor, ty)| {
                arb_scalar(ty)
                    .prop_map(move |value| Qualifier { flavor, ..Qualifier::new(&name, TypedValue::scalar(ty, value)) })
            });
    prop::collection::vec(prop_oneof![standard, own], 0..4).prop_map(|list| unique(list, |one| one.name.clone()))
}

fn unique<T>(list: Vec<T>, name: impl Fn(&T) -> CimName) -> Vec<T> {
    let mut seen = std::collections::HashSet::new();
    list.into_iter().filter(|one| seen.insert(name(one))).collect()
}

fn arb_property() -> impl Strategy<Value = ClassProperty> {
    (
        arb_name(),
        prop::sample::select(CimType::ALL.to_vec()),
        any::<bool>(),
        prop::option::of(1_u32..9),
        arb_qualifiers(),
    )
        .prop_flat_map(|(name, ty, is_array, size, qualifiers)| {
            let default = arb_value(ty, is_array);
            (default, prop::option::of(arb_name())).prop_map(move |(default, class)| {
                let mut property = ClassProperty::new(&name, ty);
                property.is_array = is_array;
                property.array_size = size.filter(|_| is_array);
                let is_type =
                    |name: &String| CimType::from_keyword(name).is_some() || name.eq_ignore_ascii_case("object");
                property.reference_class =
                    class.filter(|name| ty == CimType::Reference && !is_type(name)).map(|name| CimName::new(&name));
                property.default = default;
                property.qualifiers = qualifiers.clone();
                property
            })
        })
}

fn arb_class() -> impl Strategy<Value = CimClass> {
    let method = (
        arb_name(),
        prop::option::of(prop::sample::select(CimType::ALL.to_vec())),
        arb_qualifiers(),
        prop::collection::vec(arb_property(), 0..3),
    )
        .prop_map(|(name, return_type, qualifiers, parameters)| ClassMethod {
            name: CimName::new(&name),
            return_type,
            origin: None,
            propagated: false,
            qualifiers,
            parameters: unique(parameters, |one| one.name.clone())
                .into_iter()
                .map(|one| ClassParameter {
                    name: one.name,
                    ty: one.ty,
                    is_array: one.is_array,
                    array_size: one.array_size,
                    reference_class: one.reference_class,
                    qualifiers: one.qualifiers,
                })
                .collect(),
        });
    (
        arb_name(),
        prop::option::of(arb_name()),
        arb_qualifiers(),
        prop::collection::vec(arb_property(), 0..5),
        prop::collection::vec(method, 0..3),
    )
        .prop_map(|(name, superclass, qualifiers, properties, methods)| {
            let mut class = CimClass::new(&name);
            class.superclass = superclass.map(|name| CimName::new(&name));
            class.qualifiers = qualifiers;
            class.properties = unique(properties, |one| one.name.clone());
            class.methods = unique(methods, |one| one.name.clone());
            class
        })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn a_printed_class_is_read_back_as_the_same(class in arb_class()) {
        let text = super::class(&class);
        prop_assert!(!text.chars().any(|c| c != '\n' && is_unsafe_for_terminal(c)));
        let back = read_class(&text);
        prop_assert_eq!(super::class(&back), text, "printing is stable");
        prop_assert_eq!(back, class);
    }

    #[test]
    fn a_printed_instance_is_read_back_as_the_same(class in arb_class(), seed in any::<prop::sample::Index>()) {
        let mut made = CimInstance::new(class.name.as_str());
        for property in &class.properties {
            made.properties.push(InstanceProperty {
                name: property.name.clone(),
                value: TypedValue { ty: property.ty, is_array: property.is_array, value: property.default.clone() },
                is_typed: true,
                embedded: None,
                reference_class: property.reference_class.clone(),
            });
        }
        if !made.properties.is_empty() {
            let by = seed.index(made.properties.len());
            made.properties.rotate_left(by);
        }
        let mut alone = class.clone();
        alone.superclass = None;
        let unit = read(&format!("{}{}", super::class(&alone), instance(&made)));
        let back = unit.instances().next().unwrap();
        prop_assert_eq!(&back.properties, &made.properties);
    }
}
