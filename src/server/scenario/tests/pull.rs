//! The scenarios of pulled enumerations and of M-POST, each played as far as it goes.

use super::*;

const OPEN: &str = "OpenEnumerateInstances";
const PULL: &str = "PullInstancesWithPath";
const CLOSE: &str = "CloseEnumeration";

fn request(method: &str, operation: &str, prefix: &str) -> String {
    let class = "<IPARAMVALUE NAME=\"ClassName\"><CLASSNAME NAME=\"CIM_ManagedElement\"/></IPARAMVALUE>";
    let body = format!(
        "<CIM CIMVERSION=\"2.0\" DTDVERSION=\"2.0\"><MESSAGE ID=\"1\" PROTOCOLVERSION=\"1.0\"><SIMPLEREQ>\
         <IMETHODCALL NAME=\"{operation}\"><LOCALNAMESPACEPATH><NAMESPACE NAME=\"root\"/><NAMESPACE NAME=\"cimv2\"/>\
         </LOCALNAMESPACEPATH>{class}</IMETHODCALL></SIMPLEREQ></MESSAGE></CIM>"
    );
    format!(
        "{method} /cimom HTTP/1.1\r\nHost: x\r\nContent-Type: application/xml\r\n\
         Man: http://www.dmtf.org/cim/mapping/http/v1.0 ; ns=73\r\n{prefix}CIMOperation: MethodCall\r\n\
         {prefix}CIMMethod: {operation}\r\n{prefix}CIMObject: root/cimv2\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
}

/// Sends `text` on a connection of its own and reads the answer until its end, or until the server closes.
pub async fn ask(server: &RunningServer, text: &str) -> String {
    let mut stream = connect(server).await;
    stream.write_all(text.as_bytes()).await.unwrap();
    stream.shutdown().await.unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.expect("the server closes in the end");
    String::from_utf8_lossy(&answer).into_owned()
}

#[tokio::test]
async fn every_scenario_of_pulling_plays_what_it_is_about() {
    let ends = "EndOfSequence\"><VALUE>TRUE";
    let goes_on = "EndOfSequence\"><VALUE>FALSE";
    let failed = "<ERROR CODE=\"1\"";
    let refused = "<ERROR CODE=\"7\"";
    let closed = "NAME=\"CloseEnumeration\"></IMETHODRESPONSE>";
    let plays: &[(&str, &[(&str, &str)])] = &[
        ("open_answers_all", &[(OPEN, "VALUE.NAMEDINSTANCE"), (PULL, refused), (CLOSE, refused)]),
        ("open_not_supported", &[(OPEN, refused), ("EnumerateInstances", "<VALUE.NAMEDINSTANCE>")]),
        ("read_to_its_end", &[(OPEN, goes_on), (PULL, goes_on), (PULL, ends)]),
        ("ends_without_rows", &[(OPEN, goes_on), (PULL, ends)]),
        ("second_pull_fails", &[(OPEN, goes_on), (PULL, goes_on), (PULL, failed), (CLOSE, closed)]),
        ("context_is_lost", &[(OPEN, goes_on), (PULL, goes_on), (PULL, "<ERROR CODE=\"21\"")]),
        ("every_pull_fails", &[(OPEN, "<VALUE>FALSE"), (PULL, failed), (CLOSE, "<ERROR CODE=\"4\"")]),
        ("pull_is_cut", &[(OPEN, goes_on), (PULL, goes_on), (PULL, "three</VALUE>"), (CLOSE, closed)]),
        ("pull_is_not_answered", &[(OPEN, goes_on), (PULL, ""), (CLOSE, closed)]),
        ("makes_no_progress", &[(OPEN, goes_on), (PULL, "scripted-1"), (PULL, "scripted-1"), (CLOSE, closed)]),
        ("progress_after_nothing", &[(OPEN, goes_on), (PULL, goes_on), (PULL, ends)]),
        (
            "never_ends",
            &[(OPEN, "scripted-1"), (PULL, "next-1<"), (PULL, "next-2<"), (PULL, "<VALUE>3<"), (CLOSE, closed)],
        ),
        ("close_is_refused", &[(OPEN, goes_on), (PULL, goes_on), (PULL, failed), (CLOSE, "<ERROR CODE=\"24\"")]),
        ("close_is_not_answered", &[(OPEN, goes_on), (PULL, goes_on), (PULL, failed), (CLOSE, "")]),
        ("timeout_too_long", &[(OPEN, "<ERROR CODE=\"22\""), (OPEN, "<VALUE>FALSE")]),
        ("open_is_not_answered", &[(OPEN, "")]),
        ("many_rows", &[("EnumerateInstances", "chunked"), (OPEN, "chunked")]),
        ("filter_not_supported", &[(OPEN, "<ERROR CODE=\"25\"")]),
    ];
    for (name, answers) in plays {
        let server = server(&format!("pull/{name}")).await;
        for (operation, holds) in *answers {
            let answer = ask(&server, &request("POST", operation, "")).await;
            assert!(answer.contains(holds), "{name}, {operation}: {answer}");
            assert_eq!(answer.is_empty(), holds.is_empty(), "{name}, {operation}");
            assert_eq!(answer.contains("</CIM>"), !(holds.is_empty() || holds.starts_with("three")));
        }
    }
    let folder = std::fs::read_dir(folder().join("pull")).unwrap();
    let all = folder.filter(|entry| entry.as_ref().unwrap().path().extension().is_some_and(|end| end == "toml"));
    assert_eq!(all.count(), plays.len() + 4, "the other four are about M-POST");
}

#[tokio::test]
async fn m_post_is_answered_where_post_is_not_and_its_fields_have_a_prefix() {
    for (name, status, allow) in [
        ("m_post_demanded_405", "HTTP/1.1 405 ", true),
        ("m_post_demanded_405_without_allow", "HTTP/1.1 405 ", false),
        ("m_post_demanded_501", "HTTP/1.1 501 ", false),
    ] {
        let server = server(&format!("pull/{name}")).await;
        let refused = ask(&server, &request("POST", OPEN, "")).await;
        assert!(refused.starts_with(status), "{refused}");
        assert_eq!(refused.contains("Allow: M-POST\r\n"), allow, "{refused}");
        let answer = ask(&server, &request("M-POST", OPEN, "73-")).await;
        assert!(answer.starts_with("HTTP/1.1 200 OK\r\n") && answer.contains("EnumerationContext"), "{answer}");
        for field in ["Ext: \r\n", "Man: http://www.dmtf.org/cim/mapping/http/v1.0; ns=27\r\n", "\r\n27-CIMOperation: "]
        {
            assert!(answer.contains(field), "{field}: {answer}");
        }
        assert_eq!(*server.enumerations().borrow(), 1);
    }
    let never = server("pull/no_m_post_either").await;
    assert!(ask(&never, &request("M-POST", OPEN, "73-")).await.starts_with("HTTP/1.1 405 "));
}
