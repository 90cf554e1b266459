//! What only WS-Man servers do: faults with any status, a context after the end, reasons that are none, requests that are never
//! answered without credentials.

use lazycim::{
    cim::rows::RowStore,
    op::{ErrorKind, OpEvent, OpEventKind, OpId, Operation, OperationKind, Timeouts},
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

/// The only row of `id`, by its path.
fn only(id: OpId, seen: &[OpEvent]) -> String {
    let mut store = RowStore::default();
    for event in of(id, seen) {
        match event.kind {
            OpEventKind::Shape(shape, of) => store.add_shape(shape, of),
            OpEventKind::Rows(batch) => assert_eq!(store.push(batch), 0, "rows without shape"),
            _ => {}
        }
    }
    assert_eq!(store.len(), 1, "{seen:#?}");
    store.path(0).unwrap().to_string()
}

#[tokio::test]
async fn an_instance_of_a_class_without_get_is_picked_by_its_keys() {
    // The embedded server applies the filter.
    let stage = staged("no_get").await;
    let mut keys = instances();
    (keys.options.keys_only, keys.options.max_rows) = (true, Some(1));
    let (id, events) = stage.start(keys);
    let path = only(id, &rest(Vec::new(), events).await);
    let get = |path: &str| Operation::new(OperationKind::GetInstance { path: path.parse().unwrap() });
    let (id, events) = stage.start(get(&path));
    let seen = ended(id, rest(Vec::new(), events).await);
    assert!(matches!(end(id, &seen), OpEventKind::Finished(_)), "{seen:#?}");
    assert_eq!((only(id, &seen), clean_up(id, &seen).is_none()), (path, true), "nothing else came");
    stage.idle().await;
    // OMI takes it and does not.
    let stage = staged("no_get_no_filter").await;
    let two = "root/cimv2:LC_OperatingSystem.Name=\"two\"";
    let (id, events) = stage.start(get(two));
    let seen = ended(id, rest(Vec::new(), events).await);
    assert!(matches!(end(id, &seen), OpEventKind::Finished(_)), "{seen:#?}");
    assert_eq!(only(id, &seen), two);
    // Where it is not among them, there still is no Get.
    let (id, events) = stage.start(get("root/cimv2:LC_OperatingSystem.Name=\"three\""));
    let seen = ended(id, rest(Vec::new(), events).await);
    let error = failure(id, &seen);
    assert!(error.cause().contains("UnsupportedFeature"), "{error}");
    assert_eq!(rows(id, &seen), 0);
    stage.idle().await;
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
