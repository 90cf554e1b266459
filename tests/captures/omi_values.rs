//! What single WS-Man answers hold, value by value: with the class known, and without it.

use std::{path::Path, sync::Arc};

use lazycim::{
    cim::{CimClass, CimInstance, CimName, CimType, CimValue, ClassProperty, KeyValue, Qualifier, TypedValue},
    protocol::wsman::decode::{Expect, fault::FaultKind},
};
use libtest_mimic::{Failed, Trial};

use super::{
    omi::{Outcome, decode, decoder},
    read,
};

/// The trials.
pub fn trials(folder: &Path) -> Vec<Trial> {
    let trial = |file: &'static str, expect: Expect, class: fn() -> Option<CimClass>, check: fn(Outcome)| {
        let folder = folder.join("omi");
        Trial::test(format!("omi/{file}: {}", if class().is_some() { "typed values" } else { "values" }), move || {
            let answer = read(&folder.join(format!("{file}.resp.http"))).ok_or("no answer")?;
            let decoder = decoder(&answer, expect.clone());
            let decoder = match class() {
                Some(class) => decoder.with_class(Arc::new(class)),
                None => decoder,
            };
            let outcome = decode(decoder, &answer.body, std::iter::empty());
            if let Some(error) = &outcome.end {
                return Err(Failed::from(error.to_string()));
            }
            check(outcome);
            Ok(())
        })
    };
    vec![
        trial("01-identify-basic-http", Expect::Identify, none, |it| {
            let identity = it.identity.unwrap();
            assert_eq!(identity.vendor.as_deref(), Some("Open Management Infrastructure"));
            assert_eq!(identity.version.as_deref(), Some("1.0.8-6"));
            assert_eq!(identity.protocols, ["http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd"]);
            assert_eq!(identity.security_profiles.len(), 1);
        }),
        trial("20-getclass-X_SmallNumber-all-options", Expect::Class, none, |it| {
            let class = &it.classes[0];
            assert_eq!(class.superclass.as_ref().unwrap().as_str(), "X_Number");
            assert_eq!(class.keys().map(|key| key.name.as_str()).collect::<Vec<_>>(), ["Number"]);
            assert_eq!(class.method("GetFactors").unwrap().parameters.len(), 2);
        }),
        trial("40-enumerate-SingletonWithAllTypes", Expect::Instances, none, untyped),
        trial("40-enumerate-SingletonWithAllTypes", Expect::Instances, || Some(singleton()), typed),
        trial("41-enumerate-AllDMTFTypes", Expect::Instances, none, |it| {
            let octets = [65, 66, 67].map(CimValue::UInt).to_vec();
            assert_eq!(value(&it.instances[0], "v_octetUint8"), &CimValue::Array(octets));
            assert_eq!(datetime(&it.instances[0], "v_DATETIME"), "00002000000000.000000:000");
            assert_eq!(datetime(&it.instances[1], "v_DATETIME"), "20010101010101.000001+830");
        }),
        trial("42-enumerate-AllDMTFArrays", Expect::Instances, none, |it| {
            let first = &it.instances[0];
            let texts = ["0", "-1", "-2", "-3"].map(|text| CimValue::Untyped(text.into())).to_vec();
            assert_eq!(value(first, "a_sint8"), &CimValue::Array(texts));
            let CimValue::Array(times) = value(first, "a_DATETIME") else { panic!("no array") };
            assert_eq!(times.len(), 4, "points and intervals mixed");
            let CimValue::Reference(path) = value(first, "embeddedReference") else { panic!("no reference") };
            assert_eq!(path.to_string(), "test/cpp:TestClass_ForEmbedded.embeddedStringValue=\"embedded string\"");
            assert_eq!(value(first, "a_embeddedObject"), &CimValue::Null);
        }),
        trial("43-enumerate-XYZ_Widget-datetime-interval-null-arrays", Expect::Instances, none, |it| {
            assert_eq!(datetime(&it.instances[0], "Timestamp"), "20261122181107.959253+000");
            assert_eq!(value(&it.instances[0], "Colors"), &CimValue::Null);
        }),
        trial("47-get-TestEmbeddedOperations-embedded-instances", Expect::Anything, none, |it| {
            let CimValue::Instance(person) = value(&it.instances[0], "person") else { panic!("no instance") };
            assert_eq!((person.class.as_str(), text(person, "Last")), ("MSFT_Person", "Smith"));
            let CimValue::Array(people) = value(&it.instances[0], "threePersons") else { panic!("no array") };
            let last = people.iter().map(|person| match person {
                CimValue::Instance(person) => text(person, "Last"),
                _ => "",
            });
            assert_eq!(last.collect::<Vec<_>>(), ["Black", "White", "Brown"]);
        }),
        trial("60-enumerate-EPR", Expect::InstanceNames, none, |it| {
            let path = it.instances[1].path.as_ref().unwrap();
            assert_eq!(path.to_string(), "test/cpp:XYZ_Widget.SerialNumber=\"2\"", "the request's namespace");
        }),
        trial(
            "60-enumerate-EPR",
            Expect::InstanceNames,
            || Some(widget()),
            |it| {
                assert_eq!(it.instances[1].path.as_ref().unwrap().key("SerialNumber"), Some(&KeyValue::UInt(2)));
            },
        ),
        trial("61-enumerate-ObjectAndEPR", Expect::ObjectsAndEprs, none, |it| {
            let row = &it.instances[1];
            assert_eq!(row.path.as_ref().unwrap().to_string(), "test/cpp:XYZ_Widget.SerialNumber=\"2\"");
            assert_eq!(text(row, "Color"), "Green");
        }),
        trial(
            "43-enumerate-XYZ_Widget-datetime-interval-null-arrays",
            Expect::Instances,
            || Some(widget()),
            |it| {
                let path = it.instances[0].path.as_ref().unwrap();
                assert_eq!(path.to_string(), "test/cpp:XYZ_Widget.SerialNumber=1", "from the class's keys");
            },
        ),
        trial("62-polymorphism-base-class-IncludeSubClassProperties", Expect::Instances, none, |it| {
            let mut classes: Vec<_> = it.instances.iter().map(|it| it.class.to_string()).collect();
            classes.sort();
            classes.dedup();
            assert!(!classes.is_empty() && classes.len() == it.shapes.len(), "each row has its own class: {classes:?}");
        }),
        trial("85-enumerate-association-with-references", Expect::Instances, none, |it| {
            let CimValue::Reference(path) = value(&it.instances[0], "Profile") else { panic!("no reference") };
            assert_eq!(path.to_string(), "interop:X_Profile.InstanceID=\"world\"", "its own namespace");
        }),
        trial("96-create-MSFT_Person", Expect::Anything, none, |it| {
            let path = it.epr.unwrap().path(None, None).unwrap();
            assert_eq!(path.to_string(), "MSFT_Person.Key=\"7\"");
        }),
        trial("99-delete-MSFT_Person", Expect::Release, none, |it| assert_eq!(it, Outcome::default())),
        trial("110-invoke-instance-SpellNumber", Expect::Values, none, |it| {
            assert_eq!(it.value.unwrap().value, CimValue::Untyped("one hundred twenty three".into()));
        }),
        trial("111-invoke-static-Add", Expect::Values, none, |it| {
            assert_eq!(it.value.unwrap().value, CimValue::Untyped("0".into()));
            assert_eq!(it.parameters[0].1.value, CimValue::Untyped("42".into()));
        }),
        trial("112-invoke-out-embedded-instance-PrimeFactors", Expect::Values, none, |it| {
            let CimValue::Instance(factors) = &it.parameters[0].1.value else { panic!("no instance") };
            let numbers = ["2", "3", "5"].map(|text| CimValue::Untyped(text.into())).to_vec();
            assert_eq!((factors.class.as_str(), value(factors, "numbers")), ("Numbers", &CimValue::Array(numbers)));
        }),
        trial("117-invoke-embedded-return-TestEmbedded", Expect::Values, none, |it| {
            let Some(TypedValue { value: CimValue::Instance(returned), .. }) = &it.value else { panic!("no instance") };
            assert_eq!(text(returned, "id"), "20100609");
        }),
        trial("119-invoke-getfactors-array-out", Expect::Values, none, |it| {
            let names: Vec<_> = it.parameters.iter().map(|(name, value)| (name.as_str(), value.is_array)).collect();
            assert_eq!(names, [("numbers", true), ("spelled_numbers", true)]);
        }),
        trial("170-subscribe-pull", Expect::Subscribed, none, |it| {
            assert_eq!(it.context.as_deref(), Some("1164378112"));
            assert_eq!(it.epr.unwrap().identifier.as_deref(), Some("1164378112"));
        }),
        trial("171-event-pull-1", Expect::Instances, none, |it| {
            let CimValue::Array(items) = value(&it.instances[0], "CorrelatedIndications") else { panic!("no array") };
            assert_eq!(items[0], CimValue::Untyped("Indication Id - <>&;'\" - 0".into()));
        }),
        trial("53-fault-pull-after-release-InvalidEnumerationContext", Expect::Instances, none, |it| {
            assert_eq!(it.fault.unwrap().kind(), FaultKind::EnumerationGone);
        }),
        trial("58-enumerate-MaxEnvelopeSize-511-fault-or-not", Expect::Instances, none, |it| {
            assert_eq!(it.fault.unwrap().kind(), FaultKind::EnvelopeSize);
        }),
        trial("95-get-fragment-mustUnderstand", Expect::Anything, none, |it| {
            let fault = it.fault.unwrap();
            assert_eq!(
                (fault.kind(), fault.not_understood),
                (FaultKind::NotUnderstood, vec!["FragmentTransfer".into()])
            );
        }),
        trial("123-fault-unknown-mustUnderstand-header", Expect::Anything, none, |it| {
            assert_eq!(it.fault.unwrap().not_understood, ["Nonsense"]);
        }),
        trial("114-invoke-HardError-fault", Expect::Values, none, |it| {
            let fault = it.fault.unwrap();
            assert_eq!(
                (fault.status().map(|it| it.0), text(&fault.details[0], "Message")),
                (Some(1), "Hard error message")
            );
        }),
        trial("174-fault-renew", Expect::Anything, none, |it| {
            assert_eq!(it.fault.unwrap().kind(), FaultKind::Unsupported);
        }),
    ]
}

fn none() -> Option<CimClass> {
    None
}

fn class(name: &str, properties: &[(&str, CimType, bool)]) -> CimClass {
    let properties = properties
        .iter()
        .map(|(name, ty, is_array)| ClassProperty { is_array: *is_array, ..ClassProperty::new(name, *ty) });
    CimClass { properties: properties.collect(), ..CimClass::new(name) }
}

fn widget() -> CimClass {
    let mut class = class("XYZ_Widget", &[("SerialNumber", CimType::UInt32, false), ("Colors", CimType::String, true)]);
    let value = TypedValue::scalar(CimType::Boolean, CimValue::Bool(true));
    let flavor = lazycim::cim::Flavor::default();
    class.properties[0].qualifiers.push(Qualifier { name: CimName::new("Key"), value, flavor, propagated: false });
    class
}

fn singleton() -> CimClass {
    let scalars = [
        ("b", CimType::Boolean),
        ("u8", CimType::UInt8),
        ("s8", CimType::SInt8),
        ("u64", CimType::UInt64),
        ("s64", CimType::SInt64),
        ("r32", CimType::Real32),
        ("dt", CimType::DateTime),
        ("s", CimType::String),
        ("c16", CimType::Char16),
    ];
    let arrays =
        [("bA", CimType::Boolean), ("u8A", CimType::UInt8), ("s16A", CimType::SInt16), ("c16A", CimType::Char16)];
    let arrays = arrays.into_iter().map(|(name, ty)| (name, ty, true));
    let all: Vec<_> = scalars.into_iter().map(|(name, ty)| (name, ty, false)).chain(arrays).collect();
    class("X_SingletonWithAllTypes", &all)
}

fn typed(it: Outcome) {
    let row = &it.instances[0];
    let expected = [
        ("b", CimValue::Bool(true)),
        ("u8", CimValue::UInt(172)),
        ("s8", CimValue::SInt(-123)),
        ("u64", CimValue::UInt(18_446_744_073_709_551_613)),
        ("s64", CimValue::SInt(-9_223_372_036_854_775_805)),
        ("r32", CimValue::Real(32.319_999_694_824_2)),
        ("s", CimValue::string("string value")),
        ("c16", CimValue::Char16(1_044)),
        ("bA", CimValue::Array([true, false].map(CimValue::Bool).to_vec())),
        ("u8A", CimValue::Array([0, 255, 128].map(CimValue::UInt).to_vec())),
        ("s16A", CimValue::Array([0, -1_216, 258].map(CimValue::SInt).to_vec())),
        ("c16A", CimValue::Array([38, 9, 60].map(CimValue::Char16).to_vec())),
        ("u32A", CimValue::Null),
        ("u16", CimValue::Untyped("1745".into())),
    ];
    for (name, wanted) in expected {
        assert_eq!(value(row, name), &wanted, "{name}");
    }
    assert_eq!(datetime(row, "dt"), "20100714113511.900675-007");
    assert_eq!(it.warning, None);
}

fn untyped(it: Outcome) {
    let row = &it.instances[0];
    assert_eq!(value(row, "u64"), &CimValue::Untyped("18446744073709551613".into()));
    assert_eq!(value(row, "bA"), &CimValue::Array(["TRUE", "FALSE"].map(|it| CimValue::Untyped(it.into())).to_vec()));
    assert_eq!(value(row, "sA"), &CimValue::Null);
    assert_eq!(datetime(row, "dt"), "20100714113511.900675-007", "the element says what it is");
    assert_eq!(row.path, None, "nobody knows the keys");
}

fn value<'i>(instance: &'i CimInstance, name: &str) -> &'i CimValue {
    &instance.property(name).unwrap_or_else(|| panic!("no {name}")).value.value
}

fn text<'i>(instance: &'i CimInstance, name: &str) -> &'i str {
    match value(instance, name) {
        CimValue::String(text) | CimValue::Untyped(text) => text,
        other => panic!("{name} is {other:?}"),
    }
}

fn datetime(instance: &CimInstance, name: &str) -> String {
    match value(instance, name) {
        CimValue::DateTime(value) => value.as_str().to_owned(),
        other => panic!("{name} is {other:?}"),
    }
}
