//! Answers: what is of another protocol, what breaks off or is ill-formed, what never ends, what would reach the terminal.

use std::sync::Arc;

use lazycim::{
    cim::{CimError, CimStatus, rows::CellRef},
    op::{ErrorKind, Phase, RawExcerpt},
};

use super::bench::*;

/// What hyper holds of a head, and the pieces in which a body comes.
const SLACK: u64 = 512 << 10;

#[tokio::test]
async fn another_protocol() {
    let where_to_look = "check protocol, port and path";
    for over in SUBJECTS {
        let (other, instead) = match over {
            WSMAN => ("it is CIM-XML", "use cimxml as the protocol"),
            _ => ("SOAP", where_to_look),
        };
        for case in [
            case("sends_html").unreadable(None, "looks like HTML", where_to_look),
            case("sends_json").unreadable(None, "looks like JSON", where_to_look),
            case("sends_the_other").unreadable(None, other, instead),
            case("sends_html_404").fails(Phase::Receive, ErrorKind::Http(404), "HTTP 404 Not Found", "port and path"),
        ] {
            play(&case.over(over)).await;
        }
    }
}

#[tokio::test]
async fn broken_xml() {
    let leave_it_out = "fewer properties";
    for over in SUBJECTS {
        // A class may bring no instances, of names WS-Man has no kind of their own.
        let other = if over == WSMAN { Ask::Class } else { Ask::Names };
        for case in [
            case("sends_nothing").unreadable(None, "the answer is empty", ""),
            case("truncated_xml").rows(2).unreadable(Some(2), "ends in the middle", leave_it_out),
            case("ill_formed_xml").rows(2).unreadable(Some(2), "the server sent something broken", leave_it_out),
            case("bare_ampersand").rows(1).unreadable(Some(1), "reference not closed", "shows its raw text"),
            case("wrong_bytes").rows(1).unreadable(Some(1), "not UTF-8", leave_it_out),
            case("internal_subset").unreadable(None, "internal subset", "check that this is a CIM server"),
            case("wrong_elements").ask(other).unreadable(Some(0), "unexpected element", leave_it_out),
        ] {
            play(&case.over(over)).await;
        }
    }
}

#[tokio::test]
async fn what_never_ends() {
    let limit = |case: Case, key, hint| case.fails(Phase::Receive, ErrorKind::Limit(key), "", hint);
    let buffer = |case: Case| limit(case, "buffer_bytes", "limits.buffer_bytes").at_most((4 << 20) + SLACK);
    for over in SUBJECTS {
        for case in [
            buffer(case("endless_attribute").rows(2)),
            buffer(case("endless_value").rows(2)),
            buffer(case("endless_comment").rows(1)),
            buffer(case("endless_name").rows(1)),
        ] {
            let (_, told) = play(&case.over(over)).await;
            assert!(told.timeline.bytes().1 > 4 << 20, "the bytes are counted");
        }
        let deep = limit(case("deep_nesting").rows(2), "xml_depth", "limits.xml_depth").at_most(SLACK);
        play(&deep.over(over)).await;
    }
}

#[tokio::test]
async fn header_bombs() {
    let bytes =
        |case: Case| case.fails(Phase::Wait, ErrorKind::Limit("header_bytes"), "header block", "limits.header_bytes");
    for over in SUBJECTS {
        for case in [
            bytes(case("header_bytes")),
            bytes(case("header_endless")),
            bytes(case("header_fields_endless")),
            case("header_fields").fails(
                Phase::Wait,
                ErrorKind::Limit("header_fields"),
                "301 header fields, the limit is 256",
                "limits.header_fields",
            ),
        ] {
            play(&case.over(over)).await;
        }
    }
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    for over in SUBJECTS {
        let redirect = case("redirects").over(over).fails(
            Phase::Receive,
            ErrorKind::Redirect,
            "redirected to https://elsewhere.example/cimom",
            "not followed",
        );
        let (bench, _) = play(&redirect).await;
        assert!(bench.server.seen().heads.iter().all(|head| head.target == over.path));
    }
}

#[tokio::test]
async fn odd_lengths() {
    for over in SUBJECTS {
        // Where the server may not know how it was asked for instances, it is asked in another way.
        let ask = if over == WSMAN { Ask::Class } else { Ask::Instances };
        // To who speaks WS-Man, headers of CIM-XML say most.
        let refused = |case: Case, status, cause, hint| {
            let (kind, hint) = match over {
                WSMAN => (ErrorKind::OtherProtocol, "use cimxml as the protocol"),
                _ => (ErrorKind::Http(status), hint),
            };
            case.fails(Phase::Receive, kind, cause, hint)
        };
        for case in [
            refused(case("no_length_400"), 400, "CIMError: request-not-well-formed: bad element", "unusual characters"),
            refused(
                case("no_length_501"),
                501,
                "CIMError: unsupported-cim-version: CIM version \"3.0\" is not supported:",
                "update the server",
            ),
            case("sfcb_detail").fails(
                Phase::Receive,
                ErrorKind::Http(400),
                "HTTP 400 Bad Request, unrecognized content type: no such type",
                "server's log",
            ),
        ] {
            assert_eq!(play(&case.ask(ask).over(over)).await.1.timeline.opened(), 1);
        }
        play(&case("zero_padded_length").rows(2).over(over)).await;
        play(&case("byte_order_mark").rows(2).over(over)).await;
    }
}

#[tokio::test]
async fn what_a_server_says_beyond_its_code() {
    let bench = Bench::new(&case("extended_error")).await;
    let told = bench.run(Ask::Instances, None).await;
    keeps_its_promises("extended_error", &told);
    let error = told.failure().unwrap();
    assert_eq!(
        error.causes,
        [
            "CIM_ERR_FAILED (1): the provider gave up",
            "the server failed for a reason of its own",
            "DMTF WIPG0228: disk 3 does not \u{fffd}[31m answer (hardware error, critical; probable cause: Disk Failure, \
             the motor stands; source: root/cimv2:CIM_DiskDrive.DeviceID=\"3\")",
            "the array is degraded (follow-up)",
        ]
    );
    assert_eq!(error.hint, "the server recommends: replace disk 3; rebuild the array");
    let bench = Bench::new(&case("many_extended_errors")).await;
    let told = bench.run(Ask::Instances, None).await;
    let error = told.failure().unwrap();
    assert!(error.causes.len() < 15 && error.cause().contains("more errors"), "{error:?}");
    let ErrorKind::Cim(cim) = &error.kind else { panic!("{error:?}") };
    assert_eq!(cim.details.len(), 100);
}

#[tokio::test]
async fn the_raw_text_of_what_is_broken_is_kept() {
    let marked = |raw: &RawExcerpt| {
        let lines = raw.lines(10_000);
        let mark = lines.iter().position(|line| line.is_mark).unwrap();
        let at = lines[mark].text.find('^').unwrap();
        lines[mark - 1].text.chars().skip(at).collect::<String>()
    };
    for over in SUBJECTS {
        let (item, rest) = match over {
            WSMAN => ("<w:Item>", "&</p:Letter></p:LC_OperatingSystem></w:Item>"),
            _ => ("<VALUE.NAMEDINSTANCE>", "&</VALUE></PROPERTY></INSTANCE></VALUE.NAMEDINSTANCE>"),
        };
        for (scenario, begins, at_fault) in
            [("bare_ampersand", item, rest), ("truncated_xml", "<", ""), ("sends_html", "<", "<")]
        {
            let case = case(scenario).over(over);
            let told = Bench::new(&case).await.run(case.ask, None).await.of_the_operation();
            let error = told.failure().unwrap();
            let ErrorKind::BadAnswer { offset, .. } = error.kind else { panic!("{error:?}") };
            let raw = error.raw.as_ref().unwrap_or_else(|| panic!("{}: {error:?}", case.name()));
            assert_eq!(raw.fault, offset, "{}", case.name());
            assert!(raw.text.starts_with(begins), "{}: {}", case.name(), raw.text);
            assert!(marked(raw).starts_with(at_fault), "{}: {}", case.name(), marked(raw));
        }
    }
    let bench = Bench::new(&case("sends_nothing")).await;
    let told = bench.run(Ask::Instances, None).await;
    assert!(told.failure().unwrap().raw.is_none(), "there is nothing to show");
}

fn cim_error(description: &str) -> ErrorKind {
    let (status, description) = (CimStatus::FAILED, description.to_owned());
    ErrorKind::Cim(Arc::new(CimError { status, description, details: Vec::new() }))
}

/// Escape sequences as the scenarios send them.
const CONTROLS: &str = "\u{1b}[2J\u{1b}]0;title\u{7}\u{9b}31m\u{8}\u{7f}\u{202e}gnp";

#[tokio::test]
async fn control_characters() {
    for over in SUBJECTS {
        let (_, told) = play(&case("control_characters").rows(3).over(over)).await;
        let column = |name: &str| {
            let found = told.store.columns().iter().position(|column| column.column.name == name);
            found.unwrap_or_else(|| panic!("no column {name:?}"))
        };
        // Of a property its class does not have, WS-Man does not tell the type.
        let text = |row, name| match told.store.cell(row, column(name)) {
            CellRef::Text(text) | CellRef::Untyped(text) => text.to_owned(),
            other => panic!("{other:?}"),
        };
        assert_eq!(text(1, "Name"), format!("v{CONTROLS}\u{85}w"), "values are kept as they were sent");
        assert_eq!(text(1, "Odd\u{1b}[31m"), "x\ny");
        let code = if over == WSMAN { "InternalError" } else { "CIM_ERR_FAILED (1)" };
        let case_of_error = case("control_characters_in_error").ask(Ask::Class).fails(
            Phase::Receive,
            cim_error(&format!("no \u{1b}[2J{CONTROLS} way")),
            code,
            "log",
        );
        play(&case_of_error.over(over)).await;
        let case_of_headers = case("control_characters_in_headers").ask(Ask::Class).fails(
            Phase::Receive,
            if over == WSMAN { ErrorKind::OtherProtocol } else { ErrorKind::Http(400) },
            "HTTP 400 Bad Request",
            "",
        );
        play(&case_of_headers.over(over)).await;
    }
}

#[tokio::test]
async fn an_error_after_rows() {
    for over in SUBJECTS {
        let case = case("error_after_rows").rows(2);
        let error = cim_error("the provider died");
        play(&case.fails(Phase::Receive, error, "the provider died", "log").over(over)).await;
    }
}
