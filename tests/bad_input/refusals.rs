//! Who may not: wrong passwords and 401 in every form servers give it.

use std::path::Path;

use lazycim::{
    op::{ErrorKind, OpEventKind, Phase},
    server::Scenario,
};

use super::bench::*;

#[tokio::test]
async fn a_wrong_password() {
    for over in SUBJECTS {
        // Asked for once, refused, asked for again, refused: it fails. The next operation asks anew.
        let wrong = case("as_it_should").over(over).ask(Ask::Class).secrets(&["wrong", "wrong again", "right"]).fails(
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
        let (_, told) = play(&case("refuses_once").over(over).rows(1).secrets(&["right", "right"])).await;
        assert_eq!(told.prompts, 2);
    }
}

#[tokio::test]
async fn every_form_of_401() {
    for over in SUBJECTS {
        let secrets = ["right", "right", "right"];
        let refused = |case: Case, cause| {
            case.secrets(&secrets).fails(
                Phase::Authenticate(1),
                ErrorKind::Unauthorized,
                cause,
                "check user and password",
            )
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
        let case = case.over(over);
        let (_, told) = play(&case).await;
        assert_eq!(told.prompts, 2, "{}", case.name());
    }
    }
}

#[tokio::test]
async fn a_session_without_a_user() {
    for over in SUBJECTS {
        let user_wanted = case("wants_a_user").over(over).ask(Ask::Class).fails(
            Phase::Authenticate(1),
            ErrorKind::Unauthorized,
            "the session names no user",
            "--user",
        );
        play(&user_wanted).await;
        let forbidden = "ask for the rights";
        play(&case("forbids").over(over).fails(Phase::Receive, ErrorKind::Http(403), "HTTP 403", forbidden)).await;
    }
}

/// A redirect that leads from https to http, and one that leads elsewhere, are told and not followed: what the session holds stays where
/// it was meant for.
#[tokio::test]
async fn secrets_follow_no_redirect() {
    for over in SUBJECTS {
        let trap = Bench::new(&case("as_it_should").over(over)).await;
        let about = "about = \"A redirect to another server, without TLS.\"\n";
        let redirect = format!(
            "{about}[[step]]\ntimes = 1\nstatus = 307\nheaders = [[\"Location\", \"http://{}{}\"]]\n",
            trap.server.addr(),
            over.path
        );
        let case = case("as_it_should").over(over).ask(Ask::Class).tls(Signed::Trusted).secrets(&["right"]).fails(
            Phase::Receive,
            ErrorKind::Redirect,
            "redirected to http://127.0.0.1",
            "not followed",
        );
        let bench = Bench::with(&case, Scenario::parse(&redirect, Path::new(".")).unwrap()).await;
        let told = bench.meets(&case).await;
        assert_eq!(told.timeline.opened(), 1, "{}", case.name());
        assert_eq!(trap.server.seen().connections, 0, "{}", case.name());
    }
}
