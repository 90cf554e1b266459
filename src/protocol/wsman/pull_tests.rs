//! Pulled enumerations against a scripted server.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use super::{WsMan, call::ENVELOPE_BYTES, run_tests::*};
use crate::{
    cim::{CimStatus, Namespace},
    op::{ErrorKind, OpEventKind, Operation, OperationKind, Phase},
    protocol::{
        Cleanup,
        delivery::status_of,
        fakes::{Asked, Bench, Canned},
    },
};

/// What an element of the request says.
pub fn given(asked: &Asked, element: &str) -> Option<String> {
    let rest = asked.body.split_once(&format!("<{element}"))?.1.split_once('>')?.1;
    Some(rest.split_once('<')?.0.to_owned())
}

/// An answer with `items` that goes on at `context`, or has ended.
fn batch(asked: &Asked, items: &str, context: Option<&str>) -> Canned {
    let (response, prefix) = if asked.operation == "Pull" { ("PullResponse", "n") } else { ("EnumerateResponse", "w") };
    // A context comes with the end marker too: the marker decides.
    let end = if context.is_none() { format!("<{prefix}:EndOfSequence/>") } else { String::new() };
    let context = context.unwrap_or("over");
    envelope(&format!(
        "<n:{response}><n:EnumerationContext>{context}</n:EnumerationContext><{prefix}:Items>{items}</{prefix}:Items>{end}\
         </n:{response}>"
    ))
}

/// A server of `total` instances that answers as many as it is asked for.
fn counting(total: u32) -> impl Fn(&Asked) -> Canned + Send + Sync + 'static {
    move |asked| {
        if is_get_class(asked) {
            return class(asked);
        }
        let (from, most) = match asked.operation.as_str() {
            "Enumerate" => (0, given(asked, "w:MaxElements")),
            "Pull" => (given(asked, "n:EnumerationContext").unwrap().parse().unwrap(), given(asked, "n:MaxElements")),
            _ => return envelope(""),
        };
        let to = total.min(from + most.unwrap().parse::<u32>().unwrap());
        let items: String = (from..to).map(|id| object("A", &id.to_string())).collect();
        let next = to.to_string();
        batch(asked, &items, (to < total).then_some(next.as_str()))
    }
}

fn asked(bench: &Bench) -> Vec<String> {
    bench.asked.lock().unwrap().iter().map(|asked| asked.operation.clone()).collect()
}

#[test]
fn batches_grow_until_the_end_and_nothing_stays_open() {
    let bench = Bench::pulling(counting(700));
    run(&bench, &enumerate()).unwrap();
    assert_eq!(store(&bench).len(), 700);
    assert_eq!(asked(&bench), ["Get", "Enumerate", "Pull", "Pull"]);
    let sizes: Vec<_> = bench.asked.lock().unwrap()[1..]
        .iter()
        .map(|asked| given(asked, "w:MaxElements").or(given(asked, "n:MaxElements")).unwrap())
        .collect();
    assert_eq!(sizes, ["64", "256", "1024"]);
    assert_eq!(bench.cleanup.take(), None);
    assert!(!bench.cleanup.may_stay_open());
    let events = bench.events.lock().unwrap();
    let pulls = events.iter().filter(|event| matches!(event, OpEventKind::PhaseStarted { phase: Phase::Pull(_), .. }));
    assert_eq!(pulls.count(), 2);
}

#[test]
fn enough_rows_end_it_and_leave_what_is_open_to_be_released() {
    let bench = Bench::pulling(counting(700));
    let mut op = enumerate();
    op.options.max_rows = Some(3);
    run(&bench, &op).unwrap();
    assert_eq!(store(&bench).len(), 3);
    let open = bench.cleanup.take().unwrap();
    assert_eq!((open.context.as_str(), open.title.as_str()), ("3", "EnumerateInstances A"));
    assert_eq!(open.resource_uri.as_deref(), Some(&*format!("{SCHEMA}A")));
}

#[test]
fn a_pull_that_fails_keeps_its_rows_and_the_last_context() {
    let bench = Bench::pulling(|asked| match asked.operation.as_str() {
        "Pull" => fault(500, "w:InternalError", "no", 0),
        _ if is_get_class(asked) => class(asked),
        _ => batch(asked, &object("A", "1"), Some("c1")),
    });
    run(&bench, &enumerate()).unwrap_err();
    assert_eq!(store(&bench).len(), 1);
    assert_eq!(bench.cleanup.take().unwrap().context, "c1");
    assert_eq!(asked(&bench), ["Get", "Enumerate", "Pull"], "what was pulled once is not pulled again");
}

#[test]
fn a_context_the_server_lost_is_an_error_with_the_rows_so_far_and_is_not_released() {
    let spellings = [
        fault(500, "n:InvalidEnumerationContext", "gone", 0),
        fault(500, "a:DestinationUnreachable", "Enumeration context not found", 0),
    ];
    for gone in spellings {
        let bench = Bench::pulling(move |asked| match asked.operation.as_str() {
            "Pull" => gone.clone(),
            _ if is_get_class(asked) => class(asked),
            _ => batch(asked, &object("A", "1"), Some("c1")),
        });
        let error = run(&bench, &enumerate()).unwrap_err();
        assert_eq!(status_of(&error), Some(CimStatus::INVALID_ENUMERATION_CONTEXT));
        assert_eq!((store(&bench).len(), bench.cleanup.take()), (1, None));
    }
}

#[test]
fn an_enumeration_without_progress_is_given_up() {
    let bench = Bench::pulling(|asked| match is_get_class(asked) {
        true => class(asked),
        false => batch(asked, "", Some("same")),
    });
    let error = run(&bench, &enumerate()).unwrap_err();
    assert!(error.cause().contains("32 batches in a row"), "{error}");
    assert_eq!(bench.cleanup.take().unwrap().context, "same");
}

#[test]
fn a_pull_that_came_to_nothing_in_time_is_asked_again_and_each_is_told() {
    let pulls = std::sync::atomic::AtomicU32::new(0);
    let bench = Bench::pulling(move |asked| match asked.operation.as_str() {
        "Pull" => match pulls.fetch_add(1, std::sync::atomic::Ordering::Relaxed) {
            0 => fault(500, "w:TimedOut", "nothing yet", 0),
            1 => batch(asked, &object("A", "2"), Some("c1")),
            2 => fault(500, "w:InternalError", "nothing yet", 0x8033_8029),
            _ => batch(asked, &object("A", "3"), None),
        },
        _ if is_get_class(asked) => class(asked),
        _ => batch(asked, &object("A", "1"), Some("c1")),
    });
    run(&bench, &enumerate()).unwrap();
    let paths: Vec<_> = (0..3).map(|row| store(&bench).path(row).unwrap().to_string()).collect();
    assert_eq!(paths, ["1", "2", "3"].map(|id| format!("root/cimv2:A.Id=\"{id}\"")));
    assert_eq!(asked(&bench), ["Get", "Enumerate", "Pull", "Pull", "Pull", "Pull"]);
    let events = bench.events.lock().unwrap();
    let ended = events.iter().filter_map(|event| match event {
        OpEventKind::PhaseEnded { phase: Phase::Pull(number), error, .. } => Some((*number, error.is_some())),
        _ => None,
    });
    assert_eq!(ended.collect::<Vec<_>>(), [(1, true), (2, false), (3, true), (4, false)]);
    assert_eq!(bench.cleanup.take(), None);
}

#[test]
fn a_server_that_says_at_once_and_for_ever_that_its_time_is_over_makes_no_progress() {
    let bench = Bench::pulling(|asked| match asked.operation.as_str() {
        "Pull" => fault(500, "w:TimedOut", "nothing yet", 0),
        _ if is_get_class(asked) => class(asked),
        _ => batch(asked, &object("A", "1"), Some("c1")),
    });
    let error = run(&bench, &enumerate()).unwrap_err();
    assert!(error.cause().contains("32 batches in a row"), "{error}");
    assert_eq!(bench.cleanup.take().unwrap().context, "c1");
}

#[test]
fn an_answer_that_neither_ends_nor_goes_on_is_an_error() {
    let bench = Bench::pulling(|asked| match is_get_class(asked) {
        true => class(asked),
        false => envelope("<n:EnumerateResponse><w:Items/></n:EnumerateResponse>"),
    });
    let error = run(&bench, &enumerate()).unwrap_err();
    assert!(error.cause().contains("neither an enumeration context"), "{error}");
}

#[test]
fn what_does_not_fit_is_asked_for_in_an_envelope_of_another_size() {
    let sizes = |bench: &Bench| -> Vec<String> {
        let asked = bench.asked.lock().unwrap();
        asked
            .iter()
            .filter(|asked| asked.operation == "Enumerate")
            .map(|it| given(it, "w:MaxEnvelopeSize").unwrap())
            .collect()
    };
    let bench = Bench::pulling(|asked| match given(asked, "w:MaxEnvelopeSize").unwrap().as_str() {
        _ if is_get_class(asked) => class(asked),
        "153600" => batch(asked, &object("A", "1"), None),
        _ => fault(500, "w:EncodingLimit", "too large", 0),
    });
    run(&bench, &enumerate()).unwrap();
    assert_eq!(sizes(&bench), [ENVELOPE_BYTES.to_string(), "153600".to_owned()]);
    assert_eq!(bench.facts.lock().unwrap().wsman.envelope_bytes, Some(153_600));
    let never = Bench::pulling(|asked| match is_get_class(asked) {
        true => class(asked),
        false => fault(500, "w:EncodingLimit", "too large", 0),
    });
    let error = run(&never, &enumerate()).unwrap_err();
    assert_eq!(status_of(&error), Some(CimStatus::SERVER_LIMITS_EXCEEDED));
    assert_eq!(sizes(&never).len(), 3);
}

#[test]
fn a_server_without_room_is_not_asked_again() {
    for busy in ["w:QuotaLimit", "w:Concurrency"] {
        let bench = Bench::pulling(move |asked| match asked.operation.as_str() {
            "Pull" => fault(500, busy, "no room", 0),
            _ if is_get_class(asked) => class(asked),
            _ => batch(asked, &object("A", "1"), Some("c1")),
        });
        let error = run(&bench, &enumerate()).unwrap_err();
        assert_eq!(status_of(&error), Some(CimStatus::SERVER_LIMITS_EXCEEDED));
        assert_eq!(asked(&bench), ["Get", "Enumerate", "Pull"], "{busy}");
        assert_eq!(bench.facts.lock().unwrap().wsman.envelope_bytes, None);
    }
}

#[test]
fn what_is_open_is_released_where_it_was_opened_and_a_lost_context_is_released() {
    let what = Cleanup {
        title: "EnumerateInstances A".to_owned(),
        namespace: Namespace::new("root/x"),
        context: "c<1".to_owned(),
        subscription: None,
        resource_uri: Some("urn:x".to_owned()),
    };
    let release = |bench: &Bench| {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(bench.clean_up(&WsMan, what.clone()))
    };
    let bench = Bench::pulling(|_| envelope(""));
    release(&bench).unwrap();
    let text = bench.asked.lock().unwrap()[0].body.clone();
    assert!(text.contains("<n:Release><n:EnumerationContext>c&lt;1</n:EnumerationContext></n:Release>"), "{text}");
    assert!(text.contains(">urn:x</w:ResourceURI>") && text.contains(">root/x</w:Selector>"), "{text}");
    release(&Bench::pulling(|_| fault(500, "n:InvalidEnumerationContext", "gone", 0))).unwrap();
    let error = release(&Bench::pulling(|_| fault(500, "w:InternalError", "no", 0))).unwrap_err();
    assert!(matches!(error.kind, ErrorKind::Cim(_)));
}

#[test]
fn an_enumerate_that_is_not_answered_may_stay_open() {
    let lost =
        || crate::op::explain::exchange::receive::CUT_SHORT.error(Phase::Receive, "h", ErrorKind::ConnectionLost);
    let bench = Bench::pulling(move |asked| match is_get_class(asked) {
        true => class(asked),
        false => Canned { chunks: Vec::new(), lost: Some(lost()), ..envelope("") },
    });
    run(&bench, &enumerate()).unwrap_err();
    assert!(bench.cleanup.may_stay_open());
    let refused = Bench::pulling(|_| fault(500, "w:AccessDenied", "no", 0));
    run(&refused, &enumerate()).unwrap_err();
    assert!(!refused.cleanup.may_stay_open(), "the server says that nothing is open");
}

/// An answer to Enumerate or Pull in pieces, cut off after them.
fn cut(asked: &Asked, pieces: &[&str]) -> Canned {
    let lost = crate::op::explain::exchange::receive::CUT_SHORT.error(Phase::Receive, "h", ErrorKind::ConnectionLost);
    let whole = batch(asked, "", Some("unused")).chunks.remove(0);
    let (head, _) = whole.split_once("<n:EnumerationContext>").unwrap();
    let chunks = [head].iter().chain(pieces).map(|piece| (*piece).to_owned()).collect();
    Canned { chunks, lost: Some(lost), ..envelope("") }
}

#[test]
fn a_context_is_released_from_the_moment_it_was_read() {
    const CONTEXT: &str = "<n:EnumerationContext>early</n:EnumerationContext>";
    const END: &str = "<w:Items/><w:EndOfSequence/>";
    const NEARLY: [&str; 1] = ["<n:EnumerationContext>ear"];
    for (pieces, open, unknown) in [
        (&[][..], None, true),
        (&NEARLY, None, true),
        (&const { [CONTEXT] }, Some("early"), false),
        (&const { [CONTEXT, END] }, None, false),
        (&const { [END, CONTEXT] }, None, false),
    ] {
        let bench = Bench::pulling(move |asked| if is_get_class(asked) { class(asked) } else { cut(asked, pieces) });
        let error = run(&bench, &enumerate()).unwrap_err();
        assert_eq!(error.kind, ErrorKind::ConnectionLost);
        let held = bench.cleanup.open().map(|open| open.context);
        assert_eq!((held.as_deref(), bench.cleanup.may_stay_open()), (open, unknown), "{pieces:?}");
    }
    let bench = Bench::pulling(move |asked| match asked.operation.as_str() {
        "Pull" => cut(asked, &["<n:EnumerationContext>newer</n:EnumerationContext>"]),
        _ if is_get_class(asked) => class(asked),
        _ => batch(asked, "", Some("older")),
    });
    run(&bench, &enumerate()).unwrap_err();
    assert_eq!(bench.cleanup.take().unwrap().context, "newer");
}

#[test]
fn what_one_way_left_open_is_released_before_the_next_opens_another() {
    // It opens whatever is asked, and refuses each Pull: every way to the namespaces is tried.
    let with = |released: Canned| {
        Bench::pulling(move |asked| match asked.operation.as_str() {
            "Pull" => fault(500, "w:UnsupportedFeature", "not like that", 0),
            "Release" => released.clone(),
            _ => batch(asked, "", Some("open")),
        })
    };
    let bench = with(envelope(""));
    run(&bench, &Operation::new(OperationKind::EnumerateNamespaces)).unwrap_err();
    let asked = asked(&bench);
    let count = |operation: &str| asked.iter().filter(|asked| *asked == operation).count();
    assert!(count("Enumerate") > 2, "{asked:?}");
    assert_eq!(count("Release") + 1, count("Enumerate"), "{asked:?}");
    assert!(bench.cleanup.is_open(), "the last one is the engine's to release");
    // Nobody waits for a server again and again that does not answer.
    let late = crate::op::explain::exchange::receive::CUT_SHORT.error(Phase::Wait, "h", ErrorKind::TimedOut);
    let bench = with(Canned { chunks: Vec::new(), lost: Some(late), ..envelope("") });
    let error = run(&bench, &Operation::new(OperationKind::EnumerateNamespaces)).unwrap_err();
    assert_eq!(error.kind, ErrorKind::TimedOut);
    assert_eq!(self::asked(&bench), ["Enumerate", "Pull", "Release"]);
    assert!(bench.cleanup.is_open());
}

#[test]
fn an_answer_may_be_larger_than_agreed_but_not_without_end() {
    let most = usize::try_from(ENVELOPE_BYTES).unwrap() * 16;
    let sized = |size: usize| {
        Bench::pulling(move |asked| {
            if is_get_class(asked) {
                return class(asked);
            }
            let mut canned = batch(asked, &object("A", "1"), Some("c1"));
            if asked.operation == "Pull" {
                canned = batch(asked, &object("A", "2"), None);
                let text = &mut canned.chunks[0];
                let at = text.rfind("</n:Items>").unwrap();
                text.insert_str(at, &" ".repeat(size - text.len()));
            }
            canned
        })
    };
    let bench = sized(most);
    run(&bench, &enumerate()).unwrap();
    assert_eq!((store(&bench).len(), bench.cleanup.take()), (2, None));
    // Where the end marker came, nothing is left to release.
    for (beyond, open) in [(1, None), (1_000, Some("over"))] {
        let bench = sized(most + beyond);
        let error = run(&bench, &enumerate()).unwrap_err();
        let said = error.cause();
        assert!(said.contains("larger than 8192000 bytes") && said.contains("512000 were agreed"), "{said}");
        assert!(matches!(error.kind, ErrorKind::BadAnswer { offset: 8_192_000, item: None }), "{error:?}");
        assert_eq!(store(&bench).len(), 2, "what came before is kept");
        assert_eq!(bench.cleanup.take().map(|open| open.context).as_deref(), open);
    }
}

#[test]
fn a_server_that_does_not_count_bytes_is_asked_for_no_more_objects_than_fit() {
    // Each object takes 10,000 bytes: 1,024 of them would be 10 MB.
    let bench = Bench::pulling({
        let counting = counting(2_000);
        move |asked| {
            let mut canned = counting(asked);
            let large = format!("<p:Text>{}</p:Text>", "x".repeat(10_000));
            canned.chunks[0] = canned.chunks[0].replace("<p:Text xsi:nil=\"true\"/>", &large);
            canned
        }
    });
    run(&bench, &enumerate()).unwrap();
    assert_eq!(store(&bench).len(), 2_000);
    let pulls: Vec<u32> = bench.asked.lock().unwrap()[2..]
        .iter()
        .map(|asked| given(asked, "n:MaxElements").unwrap().parse().unwrap())
        .collect();
    assert_eq!(pulls[0], 256);
    assert!(pulls[1..].iter().all(|asked| (190..=210).contains(asked)), "{pulls:?}");
}
