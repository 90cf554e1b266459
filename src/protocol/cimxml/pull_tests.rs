//! Pulled enumerations against a scripted server.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::sync::atomic::{AtomicU32, Ordering};

use super::{CimXml, run_tests::*};
use crate::{
    cim::{CimName, KeyBinding, KeyValue, Namespace, ObjectPath},
    op::{ErrorKind, FilterQuery, OpError, OpEventKind, Operation, OperationKind, Phase},
    protocol::{
        Cleanup, PullFacts,
        fakes::{Asked, Bench, Canned},
    },
    session::PullUse,
};

fn with_path(id: &str) -> String {
    named("A", id)
        .replace("VALUE.NAMEDINSTANCE", "VALUE.INSTANCEWITHPATH")
        .replacen(
            "<INSTANCENAME CLASSNAME=\"A\">",
            "<INSTANCEPATH><NAMESPACEPATH><HOST>vm</HOST><LOCALNAMESPACEPATH><NAMESPACE NAME=\"root\"/><NAMESPACE \
         NAME=\"cimv2\"/></LOCALNAMESPACEPATH></NAMESPACEPATH><INSTANCENAME CLASSNAME=\"A\">",
            1,
        )
        .replace("</INSTANCENAME>", "</INSTANCENAME></INSTANCEPATH>")
}

fn parameter(name: &str, value: &str) -> String {
    format!("<PARAMVALUE NAME=\"{name}\">\n<VALUE>{value}</VALUE>\n</PARAMVALUE>")
}

/// An answer with `items` that goes on at `context`, or has ended.
fn batch(asked: &Asked, items: &str, context: Option<&str>) -> Canned {
    let end = if context.is_none() { "TRUE" } else { "FALSE" };
    let rest = parameter("EndOfSequence", end) + &parameter("EnumerationContext", context.unwrap_or_default());
    Canned::xml(response(&asked.operation, &format!("<IRETURNVALUE>{items}</IRETURNVALUE>{rest}")))
}

/// The text of a parameter of the request.
fn given(asked: &Asked, name: &str) -> Option<String> {
    let (_, rest) = asked.body.split_once(&format!("<IPARAMVALUE NAME=\"{name}\"><VALUE>"))?;
    Some(rest.split_once("</VALUE>")?.0.to_owned())
}

fn most(asked: &Asked) -> u32 {
    given(asked, "MaxObjectCount").unwrap().parse().unwrap()
}

/// A server of `total` instances that answers as many as it is asked for.
fn counting(total: u32) -> impl Fn(&Asked) -> Canned + Send + Sync + 'static {
    move |asked| {
        let from: u32 = match asked.operation.as_str() {
            "GetClass" => return class(asked),
            "CloseEnumeration" => return Canned::xml(response(&asked.operation, "")),
            operation if operation.starts_with("Open") => 0,
            operation if !operation.starts_with("Pull") => return result(asked, &named("A", "plain")),
            _ => given(asked, "EnumerationContext").unwrap().parse().unwrap(),
        };
        let to = total.min(from + most(asked));
        let items: String = (from..to).map(|id| with_path(&id.to_string())).collect();
        batch(asked, &items, (to < total).then(|| to.to_string()).as_deref())
    }
}

fn asked(bench: &Bench) -> Vec<String> {
    bench.asked.lock().unwrap().iter().map(|asked| asked.operation.clone()).collect()
}

/// What is left open, taken out.
fn left(bench: &Bench) -> Option<String> {
    bench.cleanup.take().map(|what| what.context)
}

fn facts(bench: &Bench) -> PullFacts {
    bench.facts.lock().unwrap().pull
}

fn fails(bench: &Bench, op: &Operation) -> OpError {
    run(bench, op).unwrap_err()
}

#[test]
fn batches_grow_and_their_rows_share_one_shape() {
    let bench = Bench::pulling(counting(1_000));
    run(&bench, &enumerate()).unwrap();
    let sizes: Vec<u32> = bench.asked.lock().unwrap().iter().skip(1).map(most).collect();
    assert_eq!(sizes, [64, 256, 1_024]);
    assert_eq!(asked(&bench)[1..], ["OpenEnumerateInstances", "PullInstancesWithPath", "PullInstancesWithPath"]);
    let store = store(&bench);
    assert_eq!((store.len(), store.path(999).unwrap().to_string().as_str()), (1_000, "//vm/root/cimv2:A.Id=\"999\""));
    let events = bench.events.lock().unwrap();
    assert_eq!(events.iter().filter(|event| matches!(event, OpEventKind::Shape(..))).count(), 1);
    let phases: Vec<Phase> = events
        .iter()
        .filter_map(|event| match event {
            OpEventKind::PhaseEnded { phase, error: None, .. } => Some(*phase),
            _ => None,
        })
        .collect();
    assert_eq!(phases, [Phase::Schema, Phase::Pull(1), Phase::Pull(2)]);
    drop(events);
    assert_eq!((left(&bench), bench.cleanup.may_stay_open()), (None, false));
    assert_eq!(facts(&bench), PullFacts { works: Some(true), ..PullFacts::default() });
    assert_eq!(given(&bench.asked.lock().unwrap()[1], "OperationTimeout").as_deref(), Some("60"));
}

#[test]
fn the_limit_of_rows_is_what_is_asked_for_and_the_rest_is_left_to_be_closed() {
    let bench = Bench::pulling(counting(1_000));
    let mut op = enumerate();
    op.options.max_rows = Some(70);
    run(&bench, &op).unwrap();
    let sizes: Vec<u32> = bench.asked.lock().unwrap().iter().skip(1).map(most).collect();
    assert_eq!((sizes, store(&bench).len()), (vec![64, 6], 70));
    let open = bench.cleanup.take().unwrap();
    assert_eq!(open.title, "EnumerateInstances A");
    runtime().block_on(bench.clean_up(&CimXml, open)).unwrap();
    let closed = bench.asked.lock().unwrap().last().cloned().unwrap();
    assert_eq!((closed.operation.as_str(), closed.namespace.as_str()), ("CloseEnumeration", "root/cimv2"));
    assert_eq!(given(&closed, "EnumerationContext").as_deref(), Some("70"));
}

#[test]
fn a_server_that_ignores_the_limit_is_read_on_only_so_far() {
    for (total, open) in [(3_000_u32, Some("7")), (9_000, None)] {
        let bench = Bench::pulling(move |asked| match asked.operation.as_str() {
            "GetClass" => class(asked),
            _ => {
                let mut canned = batch(asked, "", Some("7"));
                let items = (0..total).map(|id| with_path(&id.to_string()));
                let whole = canned.chunks.pop().unwrap();
                let (head, tail) = whole.split_once("</IRETURNVALUE>").unwrap();
                canned.chunks = [head.to_owned()].into_iter().chain(items).collect();
                canned.chunks.push(format!("</IRETURNVALUE>{tail}"));
                canned
            }
        });
        let mut op = enumerate();
        op.options.max_rows = Some(10);
        run(&bench, &op).unwrap();
        assert_eq!((store(&bench).len(), left(&bench).as_deref()), (10, open));
        assert!(*bench.read.lock().unwrap() < 5_000);
    }
}

#[test]
fn an_answer_with_everything_and_no_word_of_pulling_is_taken_and_remembered() {
    let bench = Bench::pulling(|asked| match asked.operation.as_str() {
        "GetClass" => class(asked),
        _ => result(asked, &(named("A", "1") + &named("A", "2"))),
    });
    run(&bench, &enumerate()).unwrap();
    assert_eq!((ids(&store(&bench)), left(&bench)), (vec!["1".to_owned(), "2".to_owned()], None));
    run(&bench, &enumerate()).unwrap();
    assert_eq!(asked(&bench), ["GetClass", "OpenEnumerateInstances", "EnumerateInstances"]);
    assert_eq!(facts(&bench).works, Some(false));
}

#[test]
fn a_server_that_cannot_is_asked_once() {
    let bench = Bench::pulling(|asked| match asked.operation.as_str() {
        "GetClass" => class(asked),
        operation if operation.starts_with("Open") => refusal(asked, 7),
        _ => result(asked, &named("A", "1")),
    });
    run(&bench, &enumerate()).unwrap();
    run(&bench, &enumerate()).unwrap();
    let mut names = enumerate();
    names.options.keys_only = true;
    run(&bench, &names).unwrap_err();
    let expected =
        ["GetClass", "OpenEnumerateInstances", "EnumerateInstances", "EnumerateInstances", "EnumerateInstanceNames"];
    assert_eq!(asked(&bench), expected);
}

#[test]
fn other_words_for_not_knowing_the_operation_are_believed_once_the_plain_one_works() {
    for (status, code) in [(501, 0), (400, 0), (200, 1), (200, 4)] {
        let bench = Bench::pulling(move |asked| match asked.operation.as_str() {
            "GetClass" => class(asked),
            operation if operation.starts_with("Open") && status == 200 => refusal(asked, code),
            operation if operation.starts_with("Open") => {
                Canned::status(status, vec![("cimerror", "request-not-valid")])
            }
            _ => result(asked, &named("A", "1")),
        });
        run(&bench, &enumerate()).unwrap();
        assert_eq!(facts(&bench).works, Some(false), "{status} {code}");
        assert!(!bench.cleanup.may_stay_open());

        let bench = Bench::pulling(move |asked| match asked.operation.as_str() {
            "GetClass" => class(asked),
            operation if operation.starts_with("Open") => refusal(asked, 1),
            _ => refusal(asked, 2),
        });
        let error = fails(&bench, &enumerate());
        assert!(error.cause().contains("CIM_ERR_ACCESS_DENIED"), "{error}");
        assert_eq!(facts(&bench).works, None);
    }
}

#[test]
fn a_failure_of_a_server_that_pulls_is_a_failure() {
    let bench = Bench::pulling(|asked| match asked.operation.as_str() {
        "OpenEnumerateInstances" if asked.body.contains("CLASSNAME NAME=\"B\"") => refusal(asked, 1),
        "OpenQueryInstances" => refusal(asked, 1),
        _ => counting(1)(asked),
    });
    run(&bench, &enumerate()).unwrap();
    let broken = Operation::new(OperationKind::EnumerateInstances { class: CimName::new("B") });
    assert!(fails(&bench, &broken).cause().contains("CIM_ERR_FAILED"));
    run(&bench, &Operation::new(OperationKind::QueryInstances { query: "SELECT * FROM A".to_owned() })).unwrap();
    let seen: Vec<String> = asked(&bench).into_iter().filter(|name| name != "GetClass").collect();
    let expected = ["OpenEnumerateInstances", "OpenEnumerateInstances", "OpenQueryInstances", "ExecQuery"];
    assert_eq!(seen, expected);
}

#[test]
fn a_refusal_that_is_not_about_pulling_is_the_answer() {
    let bench = Bench::pulling(|asked| match asked.operation.as_str() {
        "GetClass" => class(asked),
        _ => refusal(asked, 5),
    });
    assert!(fails(&bench, &enumerate()).cause().contains("CIM_ERR_INVALID_CLASS"));
    assert_eq!(asked(&bench), ["GetClass", "OpenEnumerateInstances"]);
}

#[test]
fn a_time_out_the_server_does_not_allow_is_left_out_from_then_on() {
    let bench = Bench::pulling(|asked| match given(asked, "OperationTimeout") {
        Some(_) => refusal(asked, 22),
        None => counting(1)(asked),
    });
    run(&bench, &enumerate()).unwrap();
    run(&bench, &enumerate()).unwrap();
    assert_eq!(asked(&bench)[1..], ["OpenEnumerateInstances"; 3]);
    assert!(facts(&bench).no_timeout);
}

#[test]
fn a_batch_that_is_too_large_is_made_smaller_and_the_size_remembered() {
    let bench = Bench::pulling(|asked| match asked.operation.as_str() {
        "PullInstancesWithPath" if most(asked) > 100 => refusal(asked, 4),
        _ => counting(300)(asked),
    });
    run(&bench, &enumerate()).unwrap();
    assert_eq!(store(&bench).len(), 300);
    assert_eq!(facts(&bench).largest, Some(64));
    run(&bench, &enumerate()).unwrap();
    let sizes: Vec<u32> = bench.asked.lock().unwrap().iter().skip(1).map(most).collect();
    assert_eq!(sizes, [64, 256, 64, 64, 64, 64, 64, 64, 64, 64, 64]);
}

#[test]
fn a_pull_that_fails_keeps_the_rows_and_leaves_the_last_context_to_be_closed() {
    let bench = Bench::pulling(|asked| match asked.operation.as_str() {
        "PullInstancesWithPath" => refusal(asked, 1),
        _ => counting(300)(asked),
    });
    let error = fails(&bench, &enumerate());
    assert!(error.cause().contains("CIM_ERR_FAILED"), "{error}");
    assert_eq!((store(&bench).len(), left(&bench).as_deref()), (64, Some("64")));
    let ended = bench
        .events
        .lock()
        .unwrap()
        .iter()
        .any(|event| matches!(event, OpEventKind::PhaseEnded { phase: Phase::Pull(1), error: Some(_), .. }));
    assert!(ended);
}

#[test]
fn an_enumeration_the_server_has_forgotten_need_not_be_closed() {
    let bench = Bench::pulling(|asked| match asked.operation.as_str() {
        "PullInstancesWithPath" => refusal(asked, 21),
        _ => counting(300)(asked),
    });
    assert!(fails(&bench, &enumerate()).hint.contains("again"));
    assert_eq!(left(&bench), None);
}

#[test]
fn batches_without_objects_do_not_go_on_for_ever() {
    let pulls = AtomicU32::new(0);
    let bench = Bench::pulling(move |asked| match asked.operation.as_str() {
        "GetClass" => class(asked),
        _ => batch(asked, "", Some(&(pulls.fetch_add(1, Ordering::SeqCst) / 3).to_string())),
    });
    let error = fails(&bench, &enumerate());
    assert!(error.cause().contains("32 batches in a row"), "{error}");
    assert_eq!(asked(&bench).len(), 1 + 33);
    assert!(left(&bench).is_some());
}

#[test]
fn a_context_may_stay_the_same_and_an_end_may_be_missing() {
    let pulls = AtomicU32::new(0);
    let bench = Bench::pulling(move |asked| {
        let next = pulls.fetch_add(1, Ordering::SeqCst);
        match asked.operation.as_str() {
            "GetClass" => class(asked),
            _ if next < 5 => batch(asked, &with_path(&next.to_string()), Some("500029"))
                .without(&parameter("EndOfSequence", "FALSE")),
            _ => batch(asked, "", None),
        }
    });
    run(&bench, &enumerate()).unwrap();
    assert_eq!(ids(&store(&bench)), ["1", "2", "3", "4"]);
}

#[test]
fn an_answer_that_names_neither_context_nor_end_in_the_middle_is_broken() {
    let bench = Bench::pulling(|asked| match asked.operation.as_str() {
        "PullInstancesWithPath" => result(asked, &with_path("x")),
        _ => counting(300)(asked),
    });
    let error = fails(&bench, &enumerate());
    assert!(error.cause().contains("PullInstancesWithPath") && error.hint.contains("pull = \"off\""), "{error}");
    assert_eq!(store(&bench).len(), 65);
}

#[test]
fn each_enumeration_has_its_own_operations() {
    let path = ObjectPath::new(
        None,
        CimName::new("A"),
        vec![KeyBinding { name: CimName::new("Id"), value: KeyValue::String("1".into()) }],
    );
    let associators = OperationKind::AssociatorInstances {
        object: path.clone(),
        assoc_class: None,
        result_class: None,
        role: None,
        result_role: None,
    };
    let references = OperationKind::ReferenceInstances { object: path, result_class: None, role: None };
    let instances = OperationKind::EnumerateInstances { class: CimName::new("A") };
    let query = OperationKind::QueryInstances { query: "SELECT * FROM A".to_owned() };
    for (kind, keys_only, open, pull) in [
        (instances, true, "OpenEnumerateInstancePaths", "PullInstancePaths"),
        (associators.clone(), false, "OpenAssociatorInstances", "PullInstancesWithPath"),
        (associators, true, "OpenAssociatorInstancePaths", "PullInstancePaths"),
        (references.clone(), false, "OpenReferenceInstances", "PullInstancesWithPath"),
        (references, true, "OpenReferenceInstancePaths", "PullInstancePaths"),
        (query, false, "OpenQueryInstances", "PullInstances"),
    ] {
        let bench = Bench::pulling(move |asked| {
            let mut canned = counting(65)(asked);
            if keys_only && asked.operation != "GetClass" {
                let paths = |text: &str| -> String {
                    let items = text.split("<INSTANCEPATH>").skip(1);
                    items
                        .map(|it| {
                            format!("<INSTANCEPATH>{}</INSTANCEPATH>", it.split_once("</INSTANCEPATH>").unwrap().0)
                        })
                        .collect()
                };
                let text = canned.chunks.remove(0);
                let rest = text.split_once("</IRETURNVALUE>").unwrap().1;
                let rest = rest.split_once("</IMETHODRESPONSE>").unwrap().0;
                let inner = format!("<IRETURNVALUE>{}</IRETURNVALUE>{rest}", paths(&text));
                canned = Canned::xml(response(&asked.operation, &inner));
            }
            canned
        });
        let mut op = Operation::new(kind);
        op.options.keys_only = keys_only;
        run(&bench, &op).unwrap();
        let seen: Vec<String> = asked(&bench).into_iter().filter(|name| name != "GetClass").collect();
        assert_eq!((seen, store(&bench).len()), (vec![open.to_owned(), pull.to_owned()], 65));
    }
}

#[test]
fn a_filter_is_the_servers_or_an_error() {
    let mut op = enumerate();
    op.options.filter = Some(FilterQuery { language: "DMTF:FQL".to_owned(), text: "Id = '1' AND Id < 'z'".to_owned() });
    let bench = Bench::pulling(counting(1));
    run(&bench, &op).unwrap();
    let open = bench.asked.lock().unwrap()[1].clone();
    assert_eq!(given(&open, "FilterQueryLanguage").as_deref(), Some("DMTF:FQL"));
    assert_eq!(given(&open, "FilterQuery").as_deref(), Some("Id = &apos;1&apos; AND Id &lt; &apos;z&apos;"));

    let bench = Bench::pulling(|asked| match asked.operation.as_str() {
        "GetClass" => class(asked),
        operation if operation.starts_with("Open") => refusal(asked, 7),
        _ => result(asked, &named("A", "1")),
    });
    assert!(fails(&bench, &op).cause().contains("CIM_ERR_NOT_SUPPORTED"));
    assert_eq!(fails(&bench, &op).kind, ErrorKind::NotSupported);
    assert_eq!(asked(&bench), ["GetClass", "OpenEnumerateInstances"]);

    // SFCB ignores the filter and answers everything.
    let bench = Bench::pulling(|asked| match asked.operation.as_str() {
        "GetClass" => class(asked),
        _ => result(asked, &named("A", "1")),
    });
    assert_eq!(fails(&bench, &op).kind, ErrorKind::NotSupported);
}

#[test]
fn a_session_says_whether_to_pull() {
    let mut bench = Bench::pulling(counting(1));
    bench.target.pull = PullUse::Never;
    run(&bench, &enumerate()).unwrap();
    let mut filtered = enumerate();
    filtered.options.filter = Some(FilterQuery { language: "DMTF:FQL".to_owned(), text: "Id = '1'".to_owned() });
    assert!(fails(&bench, &filtered).hint.contains("pull = \"auto\""));
    assert_eq!(asked(&bench), ["GetClass", "EnumerateInstances"]);

    let mut bench = Bench::pulling(|asked| match asked.operation.as_str() {
        "GetClass" => class(asked),
        operation if operation.starts_with("Open") => refusal(asked, 7),
        _ => result(asked, &named("A", "1")),
    });
    bench.target.pull = PullUse::Always;
    // Of a class nothing can be opened.
    let object = ObjectPath::new(None, CimName::new("A"), Vec::new());
    run(&bench, &Operation::new(OperationKind::ReferenceInstances { object, result_class: None, role: None })).unwrap();
    assert_eq!(asked(&bench)[0], "References");
    bench.asked.lock().unwrap().clear();
    fails(&bench, &enumerate());
    assert_eq!(fails(&bench, &enumerate()).kind, ErrorKind::NotSupported);
    assert_eq!(asked(&bench), ["OpenEnumerateInstances"]);
}

#[test]
fn only_queries_may_be_what_a_server_does_not_pull() {
    let bench = Bench::pulling(|asked| match asked.operation.as_str() {
        "OpenQueryInstances" => refusal(asked, 7),
        "ExecQuery" => result(asked, &format!("<VALUE.OBJECT>{}</VALUE.OBJECT>", "<INSTANCE CLASSNAME=\"A\"/>")),
        _ => counting(1)(asked),
    });
    let query = Operation::new(OperationKind::QueryInstances { query: "SELECT * FROM A".to_owned() });
    run(&bench, &query).unwrap();
    run(&bench, &enumerate()).unwrap();
    run(&bench, &query).unwrap();
    let seen: Vec<String> = asked(&bench).into_iter().filter(|name| name != "GetClass").collect();
    assert_eq!(seen, ["OpenQueryInstances", "ExecQuery", "OpenEnumerateInstances", "ExecQuery"]);
}

#[test]
fn closing_what_is_closed_is_no_failure() {
    let what = || Cleanup {
        title: "x".to_owned(),
        namespace: Namespace::new("root/x"),
        context: "<7>".to_owned(),
        subscription: None,
        resource_uri: None,
    };
    let bench = Bench::pulling(|asked| refusal(asked, 21));
    runtime().block_on(bench.clean_up(&CimXml, what())).unwrap();
    assert_eq!(given(&bench.asked.lock().unwrap()[0], "EnumerationContext").as_deref(), Some("&lt;7&gt;"));
    let bench = Bench::pulling(|asked| refusal(asked, 7));
    runtime().block_on(bench.clean_up(&CimXml, what())).unwrap_err();
}

#[test]
fn m_post_goes_out_where_post_is_refused_and_is_remembered() {
    for status in [405, 501] {
        let bench = Bench::pulling(move |asked| match asked.method.as_str() {
            "POST" => Canned::status(status, vec![]),
            _ => counting(1)(asked),
        });
        run(&bench, &enumerate()).unwrap();
        let methods: Vec<String> = bench.asked.lock().unwrap().iter().map(|asked| asked.method.clone()).collect();
        assert_eq!(methods, ["POST", "M-POST", "M-POST"]);
        assert_eq!(bench.asked.lock().unwrap()[2].namespace, "root/cimv2");
    }
    // Neither: the first refusal is the answer. One that says why is not about the method.
    for (headers, expected) in [(vec![], 2), (vec![("cimerror", "unsupported-cim-version")], 1)] {
        let bench = Bench::pulling(move |_| Canned::status(501, headers.clone()));
        let names = OperationKind::EnumerateClasses { parent: None, deep: false, names_only: true };
        assert_eq!(fails(&bench, &Operation::new(names)).kind, ErrorKind::Http(501));
        assert_eq!(asked(&bench).len(), expected);
    }
}
