//! The scenarios in WS-Man, each played as far as it goes.

use super::*;

const OPEN: &str = "Enumerate";
const PULL: &str = "Pull";
const CLOSE: &str = "Release";
const SUBSCRIBE: &str = "Subscribe";
const END: &str = "Unsubscribe";

fn request(operation: &str, more: &str) -> String {
    let actions = match operation {
        SUBSCRIBE | END => "http://schemas.xmlsoap.org/ws/2004/08/eventing",
        _ => "http://schemas.xmlsoap.org/ws/2004/09/enumeration",
    };
    let inner = match operation {
        OPEN => "<w:OptimizeEnumeration/>",
        SUBSCRIBE | END => "",
        _ => "<n:EnumerationContext>uuid:scripted-1</n:EnumerationContext>",
    };
    let body = format!(
        "<s:Envelope xmlns:s=\"http://www.w3.org/2003/05/soap-envelope\" \
         xmlns:a=\"http://schemas.xmlsoap.org/ws/2004/08/addressing\" xmlns:n=\"{actions}\" \
         xmlns:w=\"http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd\"><s:Header><a:Action>{actions}/{operation}</a:Action>\
         <w:ResourceURI>http://schemas.dmtf.org/wbem/wscim/1/cim-schema/2/CIM_ManagedElement</w:ResourceURI>\
         <a:MessageID>uuid:1</a:MessageID><a:ReplyTo><a:Address>http://schemas.xmlsoap.org/ws/2004/08/addressing/role/anonymous\
         </a:Address></a:ReplyTo></s:Header><s:Body><n:{operation}>{inner}</n:{operation}></s:Body></s:Envelope>"
    );
    format!(
        "POST /wsman HTTP/1.1\r\nHost: x\r\nContent-Type: application/soap+xml;charset=UTF-8\r\n{more}Content-Length: {}\
         \r\n\r\n{body}",
        body.len()
    )
}

#[tokio::test]
async fn every_scenario_in_ws_man_plays_what_it_is_about() {
    let (ends, opened_ends) = ("<n:EndOfSequence/>", "<w:EndOfSequence/>");
    let goes_on = "uuid:scripted-1<";
    let (failed, lost, released) = ("the provider died", "n:InvalidEnumerationContext", "ReleaseResponse");
    let plays: &[(&str, &[(&str, &str)])] = &[
        ("read_to_its_end", &[(OPEN, goes_on), (PULL, "two</p:Name>"), (PULL, ends)]),
        ("ends_without_rows", &[(OPEN, goes_on), (PULL, ends)]),
        ("open_not_supported", &[(OPEN, "w:UnsupportedFeature")]),
        ("second_pull_fails", &[(OPEN, goes_on), (PULL, goes_on), (PULL, failed), (CLOSE, released)]),
        ("context_is_lost", &[(OPEN, goes_on), (PULL, goes_on), (PULL, lost)]),
        ("every_pull_fails", &[(OPEN, "EnumerateResponse"), (PULL, failed), (CLOSE, lost)]),
        ("pull_is_cut", &[(OPEN, goes_on), (PULL, goes_on), (PULL, "three</p:Name>"), (CLOSE, released)]),
        ("pull_is_not_answered", &[(OPEN, goes_on), (PULL, ""), (CLOSE, released)]),
        ("makes_no_progress", &[(OPEN, goes_on), (PULL, goes_on), (PULL, goes_on), (CLOSE, released)]),
        ("progress_after_nothing", &[(OPEN, goes_on), (PULL, "<n:Items></n:Items>"), (PULL, ends)]),
        (
            "never_ends",
            &[(OPEN, goes_on), (PULL, "next-1<"), (PULL, "next-2<"), (PULL, "<p:Name>3<"), (CLOSE, released)],
        ),
        ("close_is_refused", &[(OPEN, goes_on), (PULL, goes_on), (PULL, failed), (CLOSE, "not now")]),
        ("close_is_not_answered", &[(OPEN, goes_on), (PULL, goes_on), (PULL, failed), (CLOSE, "")]),
        ("context_after_the_end", &[(OPEN, goes_on), (PULL, goes_on), (PULL, ends), (CLOSE, lost)]),
        ("open_is_not_answered", &[(OPEN, "")]),
        ("many_rows", &[(OPEN, opened_ends)]),
        ("fault_with_http_200", &[(OPEN, failed)]),
        ("fault_with_http_400", &[(OPEN, failed)]),
        ("error_without_body", &[(OPEN, "HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\n\r\n")]),
        ("reason_is_null", &[(OPEN, "HTTP/1.1 200 (null)\r\n")]),
        ("answered_in_utf_16", &[(OPEN, "charset=UTF-16")]),
        ("no_answer_without_credentials", &[(OPEN, "")]),
        (
            "events",
            &[
                (SUBSCRIBE, goes_on),
                (PULL, "w:TimedOut"),
                (PULL, goes_on),
                (PULL, "w:TimedOut"),
                (PULL, "two</p:Name>"),
                (PULL, ""),
                (END, "UnsubscribeResponse"),
            ],
        ),
        ("events_without_end", &[(SUBSCRIBE, goes_on), (PULL, goes_on), (PULL, goes_on), (CLOSE, failed)]),
        ("no_get", &[(OPEN, "EnumerateResponse")]),
        ("no_get_no_filter", &[(OPEN, "two</p:Name>")]),
        ("subscribe_is_not_answered", &[(SUBSCRIBE, "")]),
        ("subscription_is_lost", &[(SUBSCRIBE, goes_on), (PULL, goes_on), (PULL, lost)]),
        ("subscription_ends", &[(SUBSCRIBE, goes_on), (PULL, goes_on), (PULL, ends)]),
        ("events_fail", &[(SUBSCRIBE, goes_on), (PULL, goes_on), (PULL, failed), (END, "not now")]),
        ("no_pulled_events", &[(SUBSCRIBE, "e:DeliveryModeRequestedUnavailable")]),
        ("digest_is_refused", &[(OPEN, "WWW-Authenticate: Digest realm")]),
        ("not_understood_with_http_200", &[(OPEN, "qname=\"w:MaxEnvelopeSize\"")]),
        ("not_understood_with_http_500", &[(OPEN, "HTTP/1.1 500 ")]),
        ("answered_in_broken_utf_16", &[(OPEN, "charset=UTF-16")]),
        ("repeats_its_context", &[(OPEN, goes_on), (PULL, goes_on), (PULL, "two</p:Name>"), (CLOSE, released)]),
        ("context_is_overlong", &[(OPEN, goes_on), (PULL, "01234567890123456789"), (CLOSE, released)]),
        ("pull_answered_as_enumerate", &[(OPEN, goes_on), (PULL, "</n:EnumerateResponse>")]),
        ("answers_another_message", &[(OPEN, "BAD0</a:RelatesTo>")]),
        ("two_bodies", &[(OPEN, "</s:Body><s:Body>")]),
        ("two_answers_in_one_body", &[(OPEN, "</n:EnumerateResponse><n:EnumerateResponse>")]),
        ("instances_after_the_end", &[(OPEN, "<w:EndOfSequence/><w:Items>")]),
        ("fault_in_header", &[(OPEN, "</s:Fault></s:Header>")]),
        ("fault_in_header_alone", &[(OPEN, "<s:Body/>")]),
        ("larger_than_agreed", &[(OPEN, opened_ends)]),
        ("fault_with_many_details", &[(OPEN, "WIPG0228")]),
        ("soap_1_1", &[(OPEN, "http://schemas.xmlsoap.org/soap/envelope/")]),
        ("pull_closes_the_connection", &[(OPEN, goes_on), (PULL, ""), (CLOSE, released)]),
    ];
    for (name, answers) in plays {
        let server = server(&format!("wsman/{name}")).await;
        for (operation, holds) in *answers {
            let answer = pull::ask(&server, &request(operation, "")).await;
            assert!(answer.contains(holds), "{name}, {operation}: {answer}");
            assert_eq!(answer.is_empty(), holds.is_empty(), "{name}, {operation}");
            let is_cut = holds.starts_with("three");
            let has_envelope = answer.contains("<s:Envelope");
            assert_eq!(answer.ends_with("</s:Envelope>"), has_envelope && !is_cut && *name != "many_rows");
        }
    }
    let folder = std::fs::read_dir(folder().join("wsman")).unwrap();
    let all = folder.filter(|entry| entry.as_ref().unwrap().path().extension().is_some_and(|end| end == "toml"));
    assert_eq!(all.count(), plays.len());
}

#[tokio::test]
async fn a_step_can_be_for_one_scheme() {
    let server = server("wsman/digest_is_refused").await;
    let digest = pull::ask(&server, &request(OPEN, "Authorization: Digest username=\"a\"\r\n")).await;
    assert!(digest.starts_with("HTTP/1.1 401 "), "{digest}");
    let basic = pull::ask(&server, &request(OPEN, "Authorization: basic YTpi\r\n")).await;
    assert!(basic.starts_with("HTTP/1.1 200 "), "{basic}");
}
