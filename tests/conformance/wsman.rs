//! What only WS-Man servers do: faults with any status, a context after the end, reasons that are none, requests that are never
//! answered without credentials.

use lazycim::{
    op::{ErrorKind, OpEventKind, Timeouts},
    session::Target,
};

use super::stage::*;

fn subject() -> Subject {
    SUBJECTS.into_iter().find(|subject| subject.protocol == "wsman").unwrap()
}

async fn staged(scenario: &str) -> Stage {
    Stage::new(subject(), None, spoken(subject(), scenario), Timeouts::default()).await
}

#[tokio::test]
async fn a_fault_is_one_whatever_its_status_and_nothing_stays_open() {
    for scenario in ["fault_with_http_200", "fault_with_http_400"] {
        let stage = staged(scenario).await;
        let (id, events) = stage.start(pulled());
        let seen = ended(id, rest(Vec::new(), events).await);
        let error = failure(id, &seen);
        assert!(matches!(error.kind, ErrorKind::Cim(_)), "{scenario}: {error}");
        assert!(clean_up(id, &seen).is_none(), "{scenario}: {seen:#?}");
        stage.idle().await;
    }
    let stage = staged("error_without_body").await;
    let (id, events) = stage.start(pulled());
    let seen = ended(id, rest(Vec::new(), events).await);
    assert_eq!(failure(id, &seen).kind, ErrorKind::Http(500));
    stage.idle().await;
}

#[tokio::test]
async fn a_context_after_the_end_is_neither_pulled_nor_released() {
    let stage = staged("context_after_the_end").await;
    let (id, events) = stage.start(pulled());
    let seen = ended(id, rest(Vec::new(), events).await);
    assert!(matches!(end(id, &seen), OpEventKind::Finished(_)), "{seen:#?}");
    assert_eq!(rows(id, &seen), 3);
    assert!(clean_up(id, &seen).is_none(), "{seen:#?}");
    stage.idle().await;
}

#[tokio::test]
async fn odd_reasons_and_encodings_are_read_all_the_same() {
    for scenario in ["reason_is_null", "answered_in_utf_16"] {
        let stage = staged(scenario).await;
        let (id, events) = stage.start(pulled());
        let seen = ended(id, rest(Vec::new(), events).await);
        assert!(matches!(end(id, &seen), OpEventKind::Finished(_)), "{scenario}: {seen:#?}");
        assert!(rows(id, &seen) > 0, "{scenario}: {seen:#?}");
        stage.idle().await;
    }
}

#[tokio::test]
async fn credentials_go_with_the_first_request_and_basic_follows_a_digest_that_is_refused() {
    for scenario in ["no_answer_without_credentials", "digest_is_refused"] {
        let options = spoken(subject(), scenario);
        let stage = Stage::new(subject(), None, options, Timeouts::default()).await;
        let target = target_of(&stage.server, subject());
        stage.engine.open(SESSION, Target { user: Some("ann".to_owned()), ..target });
        stage.engine.give_secret(SESSION, Some(right()));
        let (id, events) = stage.start(class());
        let seen = ended(id, rest(Vec::new(), events).await);
        assert!(matches!(end(id, &seen), OpEventKind::Finished(_)), "{scenario}: {seen:#?}");
        stage.idle().await;
    }
}
