//! Who may not: wrong passwords and 401 in every form servers give it.

use lazycim::op::{ErrorKind, OpEventKind, Phase};

use super::bench::*;

#[tokio::test]
async fn a_wrong_password() {
    // Asked for once, refused, asked for again, refused: it fails. The next operation asks anew.
    let wrong = case("as_it_should").ask(Ask::Class).secrets(&["wrong", "wrong again", "right"]).fails(
        Phase::Authenticate(1),
        ErrorKind::Unauthorized,
        "it offers Basic",
        "check user and password",
    );
    let (_, told) = play(&wrong).await;
    assert_eq!(told.prompts, 2);
    let again = told.events.iter().filter_map(|event| match event.kind {
        OpEventKind::SecretNeeded { again, .. } => Some(again),
        _ => None,
    });
    assert_eq!(again.collect::<Vec<_>>(), [false, true]);
    for event in &told.events {
        assert!(!format!("{event:?}").contains("wrong"), "a secret in {event:?}");
    }
    // The second one is right: nothing fails.
    let (_, told) = play(&case("refuses_once").rows(1).secrets(&["right", "right"])).await;
    assert_eq!(told.prompts, 2);
}

#[tokio::test]
async fn every_form_of_401() {
    let secrets = ["right", "right", "right"];
    let refused = |case: Case, cause| {
        case.secrets(&secrets).fails(Phase::Authenticate(1), ErrorKind::Unauthorized, cause, "check user and password")
    };
    for case in [
        refused(case("refuses_without_challenge"), "the server refused and offers no scheme"),
        refused(case("refuses_as_sfcb"), "the server refused user and password for \"cimom\""),
        refused(case("refuses_with_broken_challenge"), "it offers Basic"),
        refused(case("refuses_without_length"), "it offers Basic"),
        refused(case("refuses_and_closes"), "it offers Basic"),
        refused(case("refuses_at_length"), "it offers Basic"),
        refused(case("refuses_with_control_characters"), ""),
        case("refuses_with_other_schemes").secrets(&secrets).fails(
            Phase::Authenticate(1),
            ErrorKind::Unauthorized,
            "the server does not take Basic authentication: it offers other schemes alone: it offers Negotiate, NTLM",
            "let the server take Basic",
        ),
        case("refuses_as_pegasus").secrets(&secrets).fails(
            Phase::Authenticate(1),
            ErrorKind::Unauthorized,
            "it offers Basic: User Unauthorized",
            "httpAuthType",
        ),
    ] {
        let (_, told) = play(&case).await;
        assert_eq!(told.prompts, 2, "{}", case.scenario);
    }
}

#[tokio::test]
async fn a_session_without_a_user() {
    let user_wanted = case("wants_a_user").ask(Ask::Class).fails(
        Phase::Authenticate(1),
        ErrorKind::Unauthorized,
        "the session names no user",
        "--user",
    );
    play(&user_wanted).await;
    let forbidden = "ask for the rights";
    play(&case("forbids").fails(Phase::Receive, ErrorKind::Http(403), "HTTP 403", forbidden)).await;
}
