//! Requests that ask for less, against a scripted server.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use super::{resource::Style, run_tests::*};
use crate::{
    cim::{CimName, KeyBinding, KeyValue, Namespace, ObjectPath, rows::CellRef},
    op::{Operation, OperationKind},
    protocol::fakes::{Asked, Bench, Canned},
};

#[test]
fn instances_of_subclasses_are_left_out_by_the_server_where_it_can_and_here_in_any_case() {
    let shallow = || {
        let mut op = enumerate();
        op.options.shallow = true;
        op
    };
    let none = |asked: &Asked| asked.body.contains("<b:PolymorphismMode>None</b:PolymorphismMode>");
    // A server that ignores it, as Windows does.
    let ignores = Bench::new(|asked| match is_get_class(asked) {
        true => class(asked),
        false => all(&(object("A", "1") + &object("B", "2"))),
    });
    run(&ignores, &shallow()).unwrap();
    assert_eq!(store(&ignores).len(), 1);
    assert!(none(&ignores.asked.lock().unwrap()[1]));
    // A server that refuses it is asked without, from then on.
    for refusal in [unsupported(), fault(500, "b:PolymorphismModeNotSupported", "no", 0)] {
        let refuses = Bench::new(move |asked| match none(asked) {
            true => refusal.clone(),
            _ if is_get_class(asked) => class(asked),
            false => all(&(object("A", "1") + &object("B", "2"))),
        });
        run(&refuses, &shallow()).unwrap();
        run(&refuses, &shallow()).unwrap();
        assert_eq!(store(&refuses).len(), 2);
        let asked = refuses.asked.lock().unwrap();
        assert_eq!(asked.iter().filter(|asked| none(asked)).count(), 1);
    }
    // Windows' own URIs have no such mode, and neither does whoever did not ask for it.
    let wmi = Bench::new(|asked| match is_get_class(asked) {
        true => class(asked),
        false => all(&object("A", "1")),
    });
    wmi.facts.lock().unwrap().wsman.style = Some(Style::Wmi);
    run(&wmi, &shallow()).unwrap();
    let plain = Bench::new(|asked| if is_get_class(asked) { class(asked) } else { all("") });
    run(&plain, &enumerate()).unwrap();
    for bench in [wmi, plain] {
        assert!(!bench.asked.lock().unwrap().iter().any(none));
    }
}

#[test]
fn what_an_abstract_class_is_refused_for_says_nothing_of_others() {
    let abstract_class = || {
        class_text("A").replace(
            "<PROPERTY NAME=\"Id\"",
            "<QUALIFIER NAME=\"Abstract\" TYPE=\"boolean\"><VALUE>TRUE</VALUE></QUALIFIER><PROPERTY NAME=\"Id\"",
        )
    };
    let bench = Bench::new(move |asked| match is_get_class(asked) {
        true => envelope(&abstract_class()),
        false => all(&object("B", "2")),
    });
    let mut op = enumerate();
    op.options.shallow = true;
    run(&bench, &op).unwrap();
    assert_eq!(store(&bench).len(), 0, "it has no instances of its own");
    assert!(!bench.asked.lock().unwrap()[1].body.contains("PolymorphismMode"), "OMI refuses that");
    assert!(!bench.facts.lock().unwrap().wsman.no_polymorphism);
}

#[test]
fn the_refusal_told_is_that_of_the_plain_request() {
    let bench = Bench::new(|asked| match asked.body.contains("PolymorphismMode") {
        _ if is_get_class(asked) => class(asked),
        true => unsupported(),
        false => fault(500, "w:InternalError", "the provider failed", 0),
    });
    let mut op = enumerate();
    op.options.shallow = true;
    let error = run(&bench, &op).unwrap_err();
    assert!(error.cause().contains("the provider failed"), "{error}");
    assert!(!bench.facts.lock().unwrap().wsman.no_polymorphism, "nothing worked, so nothing is known");
}

/// An enumeration of `A` of which `properties` are wanted.
fn wanting(properties: &[&str]) -> Operation {
    let mut op = enumerate();
    op.options.property_list = Some(properties.iter().map(|name| CimName::new(name)).collect());
    op
}

fn selects(asked: &Asked) -> bool {
    asked.body.contains("SELECT ")
}

/// The rest of an enumeration of which `items` come now.
fn open(items: &str) -> Canned {
    envelope(&format!(
        "<n:EnumerateResponse><n:EnumerationContext>c1</n:EnumerationContext><w:Items>{items}</w:Items></n:EnumerateResponse>"
    ))
}

#[test]
fn only_properties_that_are_wanted_and_keys_are_selected() {
    let bench = Bench::new(|asked| match is_get_class(asked) {
        true => class(asked),
        false => all(&object("A", "1").replace("<p:Text xsi:nil=\"true\"/>", "")),
    });
    run(&bench, &wanting(&["count"])).unwrap();
    let store = store(&bench);
    assert_eq!((store.columns().len(), cell(&store, 0, "Count")), (1, CellRef::UInt(7)));
    assert_eq!(store.path(0).unwrap().to_string(), "root/cimv2:A.Id=\"1\"");
    let asked = bench.asked.lock().unwrap();
    let query =
        "<w:Filter Dialect=\"http://schemas.microsoft.com/wbem/wsman/1/WQL\">SELECT Id, Count FROM A</w:Filter>";
    assert!(asked[1].body.contains(query), "{}", asked[1].body);
    assert!(asked[1].body.contains(&format!(">{SCHEMA}A</w:ResourceURI>")), "{}", asked[1].body);
}

#[test]
fn whole_instances_are_asked_for_where_a_projection_would_say_less_or_nothing() {
    let all_of_them = wanting(&["Id", "Text", "Count"]);
    let of_a_subclass = wanting(&["Count", "More"]);
    let mut filtered = wanting(&["Count"]);
    filtered.options.filter =
        Some(crate::op::FilterQuery { language: "WQL".to_owned(), text: "SELECT * FROM A".to_owned() });
    let mut by_hand = wanting(&["Count"]);
    by_hand.options.resource_uri = Some("urn:by-hand".to_owned());
    for op in [all_of_them, of_a_subclass, filtered, by_hand] {
        let bench = Bench::new(|asked| if is_get_class(asked) { class(asked) } else { all(&object("A", "1")) });
        run(&bench, &op).unwrap();
        assert!(!bench.asked.lock().unwrap().iter().any(|asked| asked.body.contains("SELECT Id")), "{op:?}");
    }
    let untyped = Bench::new(|asked| if is_get_class(asked) { unsupported() } else { all(&object("A", "1")) });
    run(&untyped, &wanting(&["Count"])).unwrap();
    assert!(!untyped.asked.lock().unwrap().iter().any(selects), "the keys are not known");
}

#[test]
fn a_server_that_does_not_project_is_asked_for_whole_instances_from_then_on() {
    let refusals =
        [unsupported(), fault(500, "n:CannotProcessFilter", "no", 0x8004_1017), Canned::status(500, Vec::new())];
    for refusal in refusals {
        let bench = Bench::new(move |asked| match selects(asked) {
            true => refusal.clone(),
            _ if is_get_class(asked) => class(asked),
            false => all(&object("A", "1")),
        });
        run(&bench, &wanting(&["Count"])).unwrap();
        run(&bench, &wanting(&["Count"])).unwrap();
        let store = store(&bench);
        assert_eq!((store.len(), store.columns().len()), (2, 1));
        assert_eq!(bench.asked.lock().unwrap().iter().filter(|asked| selects(asked)).count(), 1);
    }
}

#[test]
fn fragments_without_a_class_are_dropped_released_and_not_asked_for_again() {
    let fragment = |id: &str| {
        format!("<w:XmlFragment xmlns:p=\"{SCHEMA}A\"><p:Count>7</p:Count><p:Id>{id}</p:Id></w:XmlFragment>")
    };
    for has_more in [true, false] {
        let fragments = fragment("1") + &fragment("2");
        let bench = Bench::new(move |asked| match asked.operation.as_str() {
            "Enumerate" if selects(asked) && has_more => open(&fragments),
            "Enumerate" if selects(asked) => all(&fragments),
            "Enumerate" => all(&(object("A", "1") + &object("B", "2"))),
            "Release" => envelope(""),
            _ => class(asked),
        });
        run(&bench, &wanting(&["Count"])).unwrap();
        run(&bench, &wanting(&["Count"])).unwrap();
        let store = store(&bench);
        let paths: Vec<_> = (0..store.len()).map(|row| store.path(row).unwrap().to_string()).collect();
        assert_eq!(paths[..2], ["root/cimv2:A.Id=\"1\"", "root/cimv2:B.Id=\"2\""], "each by its own class");
        assert_eq!(paths.len(), 4);
        let asked = bench.asked.lock().unwrap();
        assert_eq!(asked.iter().filter(|asked| selects(asked)).count(), 1);
        assert_eq!(asked.iter().filter(|asked| asked.body.contains(">c1<")).count(), usize::from(has_more));
        assert_eq!(bench.cleanup.take(), None);
    }
}

#[test]
fn a_condition_in_wql_becomes_a_query_of_what_the_server_wants_queries_to_be_of() {
    let of = |properties: Option<&[&str]>, language: &str, text: &str| {
        let mut op = properties.map_or_else(enumerate, wanting);
        op.options.filter = Some(crate::op::FilterQuery { language: language.to_owned(), text: text.to_owned() });
        op
    };
    let cases = [
        (of(None, "wql", "Count > 6"), ">SELECT * FROM A WHERE Count &gt; 6<"),
        (of(Some(&["Count"]), "WQL", "Count = 7"), ">SELECT Id, Count FROM A WHERE Count = 7<"),
        (of(None, "WQL", "select * from A where Count = 7"), ">select * from A where Count = 7<"),
        (of(None, "DMTF:FQL", "Count = 7"), ">Count = 7<"),
    ];
    for (op, filter) in cases {
        let bench = Bench::new(|asked| if is_get_class(asked) { class(asked) } else { all(&object("A", "1")) });
        bench.facts.lock().unwrap().wsman.all_classes = Some(super::resource::AllClasses::Schema);
        run(&bench, &op).unwrap();
        let asked = bench.asked.lock().unwrap();
        assert!(asked[1].body.contains(filter), "{}", asked[1].body);
        let is_query = filter.contains("FROM A WHERE");
        assert_eq!(asked[1].body.contains(">http://schemas.dmtf.org/wbem/wscim/1/*<"), is_query, "{}", asked[1].body);
    }
}

/// Get of the `A` called 1, of which `properties` are wanted.
fn getting(properties: &[&str]) -> Operation {
    let key = KeyBinding { name: CimName::new("Id"), value: KeyValue::String(Box::from("1")) };
    let path = ObjectPath::new(Some(Namespace::new("root/x")), CimName::new("A"), vec![key]);
    let mut op = Operation::new(OperationKind::GetInstance { path });
    op.options.property_list = Some(properties.iter().map(|name| CimName::new(name)).collect());
    op
}

fn is_fragment(asked: &Asked) -> bool {
    asked.body.contains("<w:FragmentTransfer s:mustUnderstand=\"true\">Count</w:FragmentTransfer>")
}

#[test]
fn one_property_of_one_instance_is_a_fragment() {
    let of = |text: &str| envelope(&format!("<w:XmlFragment xmlns:p=\"{SCHEMA}A\">{text}</w:XmlFragment>"));
    for (text, value, asked) in [
        ("<p:Count>7</p:Count>", CellRef::UInt(7), 2),
        ("<p:Count xsi:nil=\"true\"/>", CellRef::Null, 2),
        // Nothing may be NULL, or a name the server does not know: the instance tells.
        ("", CellRef::UInt(7), 3),
    ] {
        let bench = Bench::new(move |asked| match is_fragment(asked) {
            true => of(text),
            _ if is_get_class(asked) => class(asked),
            false => envelope(&object("A", "1")),
        });
        run(&bench, &getting(&["COUNT"])).unwrap();
        let store = store(&bench);
        assert_eq!((store.len(), store.columns().len(), cell(&store, 0, "Count")), (1, 1, value));
        assert_eq!(store.path(0).unwrap().to_string(), "root/x:A.Id=\"1\"");
        assert_eq!(bench.asked.lock().unwrap().len(), asked);
    }
}

#[test]
fn a_server_without_fragments_is_asked_for_the_instance_from_then_on() {
    let not_understood = envelope(
        "<s:Fault><s:Code><s:Value>s:MustUnderstand</s:Value></s:Code><s:Reason><s:Text xml:lang=\"en-US\">Header not \
         understood</s:Text></s:Reason></s:Fault>",
    );
    for refusal in [Canned { status: 500, ..not_understood }, unsupported()] {
        let bench = Bench::new(move |asked| match is_fragment(asked) {
            true => refusal.clone(),
            _ if is_get_class(asked) => class(asked),
            false => envelope(&object("A", "1")),
        });
        run(&bench, &getting(&["Count"])).unwrap();
        run(&bench, &getting(&["Count"])).unwrap();
        assert_eq!(store(&bench).len(), 2);
        assert_eq!(bench.asked.lock().unwrap().iter().filter(|asked| is_fragment(asked)).count(), 1);
    }
    for properties in [&["Id"][..], &["Count", "Text"], &["Nothing"], &[]] {
        let bench = Bench::new(|asked| if is_get_class(asked) { class(asked) } else { envelope(&object("A", "1")) });
        run(&bench, &getting(properties)).unwrap();
        assert!(!bench.asked.lock().unwrap().iter().any(|asked| asked.body.contains("FragmentTransfer")));
    }
}
