//! How operations end without being cancelled, and what is closed behind them.

use lazycim::{
    op::{ErrorKind, OpEventKind, Phase, Summary, Timeouts},
    session::{Target, Tls},
};

use super::stage::*;

#[tokio::test]
async fn a_session_goes_on_after_a_server_that_closed_in_the_middle() {
    for subject in SUBJECTS {
        let stage = Stage::new(subject, None, scripted("close_in_answer"), Timeouts::default()).await;
        let (id, events) = stage.start(class());
        let seen = ended(id, rest(Vec::new(), events).await);
        assert_eq!(failure(id, &seen).kind, ErrorKind::ConnectionLost, "{seen:#?}");
        let seen = stage.run(class()).await;
        assert!(matches!(seen.last().unwrap().kind, OpEventKind::Finished(_)), "{seen:#?}");
        stage.idle().await;
    }
}

#[tokio::test]
async fn a_wrong_password_is_asked_for_again_and_the_right_one_goes_through() {
    for subject in SUBJECTS {
        let stage = Stage::new(subject, None, guarded(), Timeouts::default()).await;
        let target = target_of(&stage.server, subject);
        stage.engine.open(SESSION, Target { user: Some("ann".to_owned()), ..target });
        stage.engine.give_secret(SESSION, Some("wrong".to_owned().into()));
        let (id, mut events) = stage.start(class());
        let seen = until(&mut events, |kind| matches!(kind, OpEventKind::SecretNeeded { .. })).await;
        assert!(matches!(seen.last().unwrap().kind, OpEventKind::SecretNeeded { again: true, .. }));
        stage.server.connections().wait_for(|open| *open == 0).await.unwrap();
        stage.engine.give_secret(SESSION, Some(right()));
        let seen = ended(id, rest(seen, events).await);
        assert!(matches!(end(id, &seen), OpEventKind::Finished(_)), "{seen:#?}");
        stage.idle().await;
    }
}

#[tokio::test]
async fn enough_rows_end_it_well_and_the_rest_is_closed_on_the_server() {
    for subject in SUBJECTS {
        let stage = Stage::new(subject, None, guarded(), Timeouts::default()).await;
        let target = target_of(&stage.server, subject);
        stage.engine.open(SESSION, Target { user: Some("ann".to_owned()), ..target });
        stage.engine.give_secret(SESSION, Some(right()));
        let mut operation = instances();
        operation.options.max_rows = Some(2);
        let (id, events) = stage.start(operation);
        let seen = ended(id, rest(Vec::new(), events).await);
        assert!(matches!(end(id, &seen), OpEventKind::Finished(Summary { rows: 2, limited: true })), "{seen:#?}");
        let (_, outcome) = clean_up(id, &seen).expect("this computer runs more than two processes");
        assert!(matches!(outcome, OpEventKind::Finished(_)), "{seen:#?}");
        stage.idle().await;
    }
}

#[tokio::test]
async fn a_pull_that_fails_keeps_its_rows_and_is_closed() {
    for subject in SUBJECTS {
        for (scenario, kept) in [("second_pull_fails", 2), ("pull_is_cut", 3)] {
            let stage = Stage::new(subject, None, spoken(subject, scenario), Timeouts::default()).await;
            let (id, events) = stage.start(pulled());
            let seen = ended(id, rest(Vec::new(), events).await);
            let error = failure(id, &seen);
            assert_eq!((rows(id, &seen), error.phase), (kept, Phase::Receive), "{scenario}: {error}");
            let (_, outcome) = clean_up(id, &seen).expect("it is closed");
            assert!(matches!(outcome, OpEventKind::Finished(_)), "{scenario}: {seen:#?}");
            stage.idle().await;
        }
    }
}

#[tokio::test]
async fn a_server_that_does_not_close_is_said_to_keep_it_open() {
    for subject in SUBJECTS {
        for scenario in ["close_is_refused", "close_is_not_answered"] {
            let short = Timeouts { first_byte: std::time::Duration::from_millis(100), ..Timeouts::default() };
            let stage = Stage::new(subject, None, spoken(subject, scenario), short).await;
            let (id, events) = stage.start(pulled());
            let seen = ended(id, rest(Vec::new(), events).await);
            failure(id, &seen);
            let (release, _) = clean_up(id, &seen).expect("it is tried");
            let error = failure(release, &seen);
            assert!(error.cause().contains("stays open on the server"), "{scenario}: {error}");
            stage.idle().await;
        }
    }
}

#[tokio::test]
async fn an_enumeration_without_progress_is_given_up_and_closed() {
    for subject in SUBJECTS {
        let stage = Stage::new(subject, None, spoken(subject, "makes_no_progress"), Timeouts::default()).await;
        let (id, events) = stage.start(pulled());
        let seen = ended(id, rest(Vec::new(), events).await);
        let error = failure(id, &seen);
        assert!(matches!(error.kind, ErrorKind::BadAnswer { .. }) && !error.hint.is_empty(), "{error}");
        assert!(matches!(clean_up(id, &seen), Some((_, OpEventKind::Finished(_)))), "{seen:#?}");
        stage.idle().await;
    }
}

#[tokio::test]
async fn a_context_the_server_lost_is_not_closed_again() {
    for subject in SUBJECTS {
        let stage = Stage::new(subject, None, spoken(subject, "context_is_lost"), Timeouts::default()).await;
        let (id, events) = stage.start(pulled());
        let seen = ended(id, rest(Vec::new(), events).await);
        assert!(failure(id, &seen).hint.contains("again"));
        assert_eq!((rows(id, &seen), clean_up(id, &seen).is_none()), (2, true));
        stage.idle().await;
    }
}

#[tokio::test]
async fn a_file_of_certificates_that_is_none_fails_the_operation_before_it_connects() {
    for subject in SUBJECTS {
        let stage = Stage::new(subject, None, scripted("close_in_answer"), Timeouts::default()).await;
        let file = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml");
        let tls = Some(Tls { ca_file: Some(file), ..Tls::default() });
        stage.engine.open(SESSION, Target { tls, ..target_of(&stage.server, subject) });
        let (id, events) = stage.start(class());
        let seen = ended(id, rest(Vec::new(), events).await);
        assert_eq!(failure(id, &seen).kind, ErrorKind::Configuration, "{seen:#?}");
        assert_eq!(stage.server.seen().connections, 0);
    }
}
