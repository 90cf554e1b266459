//! What only WS-Man servers do: classes without Get, requests that are never answered without credentials, a Digest offered and
//! refused. What they answer oddly is in `tests/bad_input`.

use std::time::Duration;

use lazycim::{
    cim::rows::RowStore,
    op::{OpEvent, OpEventKind, OpId, Operation, OperationKind, Timeouts},
    server::ServerOptions,
    session::{RequestEncoding, Target, UriStyle, VendorNamespace, WsManOptions},
};

use super::stage::*;

/// A server that lets everybody in.
fn open_to_all() -> ServerOptions {
    ServerOptions { credentials: None, ..guarded() }
}

async fn staged(scenario: &str) -> Stage {
    Stage::new(WSMAN, None, spoken(WSMAN, scenario), Timeouts::default()).await
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
async fn what_a_session_says_to_ws_man_reaches_the_server() {
    let stage = Stage::new(WSMAN, None, open_to_all(), Timeouts::default()).await;
    let wsman = WsManOptions {
        max_envelope_size: Some(64_000),
        operation_timeout: Some(Duration::from_secs(9)),
        encoding: RequestEncoding::Utf16,
        uri_style: UriStyle::Wmi,
        ..WsManOptions::default()
    };
    stage.engine.open(SESSION, Target { wsman, culture: Some("de, en".to_owned()), ..target_of(&stage.server, WSMAN) });
    let (id, events) = stage.start(pulled());
    let seen = ended(id, rest(Vec::new(), events).await);
    assert!(matches!(end(id, &seen), OpEventKind::Finished(_)), "{seen:#?}");
    assert!(rows(id, &seen) > 0, "{seen:#?}");
    let heads = stage.server.seen().heads;
    assert!(!heads.is_empty());
    for head in heads {
        assert_eq!(head.header("content-type"), Some("application/soap+xml;charset=UTF-16"));
    }
    stage.idle().await;
}

#[tokio::test]
async fn a_vendor_s_resource_uri_is_what_the_server_is_asked_for() {
    let stage = Stage::new(WSMAN, None, open_to_all(), Timeouts::default()).await;
    let vendor = |uri| WsManOptions {
        vendor_namespaces: vec![VendorNamespace::new("LC_", uri).unwrap()],
        uri_style: UriStyle::Dmtf,
        ..WsManOptions::default()
    };
    for (uri, is_known) in [("urn:nobody", false), ("http://schemas.dmtf.org/wbem/wscim/1/cim-schema/2", true)] {
        stage.engine.open(SESSION, Target { wsman: vendor(uri), ..target_of(&stage.server, WSMAN) });
        let (id, events) = stage.start(pulled());
        let seen = ended(id, rest(Vec::new(), events).await);
        assert_eq!(matches!(end(id, &seen), OpEventKind::Finished(_)), is_known, "{uri}: {seen:#?}");
        stage.idle().await;
    }
}

#[tokio::test]
async fn credentials_go_with_the_first_request_and_basic_follows_a_digest_that_is_refused() {
    for scenario in ["no_answer_without_credentials", "digest_is_refused"] {
        let options = spoken(WSMAN, scenario);
        let stage = Stage::new(WSMAN, None, options, Timeouts::default()).await;
        let target = target_of(&stage.server, WSMAN);
        stage.engine.open(SESSION, Target { user: Some("ann".to_owned()), ..target });
        stage.engine.give_secret(SESSION, Some(right()));
        let (id, events) = stage.start(class());
        let seen = ended(id, rest(Vec::new(), events).await);
        assert!(matches!(end(id, &seen), OpEventKind::Finished(_)), "{scenario}: {seen:#?}");
        stage.idle().await;
    }
}
