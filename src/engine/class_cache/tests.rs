#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::oneshot;

use super::*;
use crate::{
    cim::{CimError, CimName, CimStatus, Namespace},
    op::Phase,
};

fn key(class: &str) -> ClassKey {
    ClassKey { namespace: Namespace::new("root/cimv2"), class: CimName::new(class) }
}

fn class(name: &str) -> Arc<CimClass> {
    Arc::new(CimClass::new(name))
}

fn view(cache: &Arc<ClassCache>) -> Arc<OperationSchema> {
    Arc::new(OperationSchema::new(cache.clone(), false))
}

fn refused() -> OpError {
    let error = CimError { status: CimStatus(6), description: String::new(), details: Vec::new() };
    OpError::new(Phase::Schema, "LC_Process", ErrorKind::Cim(Arc::new(error)), "not found", "")
}

fn broken() -> OpError {
    OpError::new(Phase::Receive, "LC_Process", ErrorKind::ConnectionLost, "reset", "")
}

async fn never() -> Result<Arc<CimClass>, OpError> {
    std::future::pending().await
}

async fn must_not_be_polled() -> Result<Arc<CimClass>, OpError> {
    panic!("this fetch must not be polled")
}

/// Starts a task that wants `key`, and lets it run until it waits.
async fn ask(
    schema: Arc<OperationSchema>,
    key: ClassKey,
    fetch: impl Future<Output = Result<Arc<CimClass>, OpError>> + Send + 'static,
) -> tokio::task::JoinHandle<Answer> {
    let task = tokio::spawn(async move { schema.class(key, Box::pin(fetch)).await });
    tokio::task::yield_now().await;
    task
}

#[tokio::test]
async fn one_fetch_serves_all_who_wait_and_all_who_come_later() {
    let cache = ClassCache::new();
    let (arrive, arrived) = oneshot::channel::<()>();
    let first = ask(view(&cache), key("LC_Process"), async move {
        arrived.await.unwrap();
        Ok(class("LC_Process"))
    })
    .await;
    let second = ask(view(&cache), key("lc_PROCESS"), must_not_be_polled()).await;
    arrive.send(()).unwrap();
    let (first, second) = (first.await.unwrap().unwrap(), second.await.unwrap().unwrap());
    assert!(Arc::ptr_eq(&first, &second));
    let later = view(&cache).class(key("LC_Process"), Box::pin(must_not_be_polled())).await.unwrap();
    assert!(Arc::ptr_eq(&first, &later));
    assert!(view(&cache).known(&key("LC_PROCESS")).is_some());
    assert!(cache.kept().flights.is_empty());
}

#[tokio::test]
async fn a_waiter_takes_over_when_the_fetching_operation_ends() {
    let cache = ClassCache::new();
    let first = ask(view(&cache), key("A"), never()).await;
    let (arrive, arrived) = oneshot::channel::<()>();
    let second = ask(view(&cache), key("A"), async move {
        arrived.await.unwrap();
        Ok(class("A"))
    })
    .await;
    first.abort();
    assert!(first.await.unwrap_err().is_cancelled());
    // The one who took over is still the only one who fetches.
    let third = ask(view(&cache), key("A"), must_not_be_polled()).await;
    arrive.send(()).unwrap();
    assert!(Arc::ptr_eq(&second.await.unwrap().unwrap(), &third.await.unwrap().unwrap()));
    assert!(cache.kept().flights.is_empty());
}

#[tokio::test]
async fn a_refusal_is_shared_and_remembered_until_a_refresh() {
    let cache = ClassCache::new();
    let error = view(&cache).class(key("A"), Box::pin(async { Err(refused()) })).await.unwrap_err();
    let again = view(&cache).class(key("A"), Box::pin(must_not_be_polled())).await.unwrap_err();
    assert!(Arc::ptr_eq(&error, &again));
    assert!(view(&cache).known(&key("A")).is_none());
    let refresh = OperationSchema::new(cache.clone(), true);
    assert!(refresh.class(key("A"), Box::pin(async { Ok(class("A")) })).await.is_ok());
    assert!(view(&cache).class(key("A"), Box::pin(must_not_be_polled())).await.is_ok());
}

#[tokio::test]
async fn a_broken_connection_is_told_to_who_waits_and_forgotten() {
    let cache = ClassCache::new();
    let (fail, failed) = oneshot::channel::<()>();
    let first = ask(view(&cache), key("A"), async move {
        failed.await.unwrap();
        Err(broken())
    })
    .await;
    let second = ask(view(&cache), key("A"), must_not_be_polled()).await;
    fail.send(()).unwrap();
    assert_eq!(first.await.unwrap().unwrap_err().kind, ErrorKind::ConnectionLost);
    assert_eq!(second.await.unwrap().unwrap_err().kind, ErrorKind::ConnectionLost);
    assert!(view(&cache).class(key("A"), Box::pin(async { Ok(class("A")) })).await.is_ok());
}

#[tokio::test]
async fn refresh_fetches_each_class_once() {
    let cache = ClassCache::new();
    view(&cache).learned(key("A"), class("A"));
    let refresh = OperationSchema::new(cache.clone(), true);
    assert!(refresh.known(&key("A")).is_none());
    let fetches = Arc::new(AtomicUsize::new(0));
    for _ in 0..3 {
        let fetches = fetches.clone();
        let fetch = async move {
            fetches.fetch_add(1, Ordering::Relaxed);
            Ok(class("A"))
        };
        refresh.class(key("A"), Box::pin(fetch)).await.unwrap();
    }
    assert_eq!(fetches.load(Ordering::Relaxed), 1);
    assert!(refresh.known(&key("A")).is_some());
}

#[tokio::test]
async fn the_classes_longest_unused_leave_first() {
    let one = size_of_class(&class("Class_0"));
    let cache = ClassCache::bounded(one * 8);
    let schema = view(&cache);
    for number in 0..8 {
        schema.learned(key(&format!("Class_{number}")), class(&format!("Class_{number}")));
    }
    assert!(schema.known(&key("Class_0")).is_some(), "all eight fit");
    schema.learned(key("Class_8"), class("Class_8"));
    assert!(schema.known(&key("Class_0")).is_some(), "it was used last");
    assert!(schema.known(&key("Class_1")).is_none());
    assert!(schema.known(&key("Class_8")).is_some());
    assert!(cache.kept().bytes <= one * 8);
}

#[tokio::test]
async fn two_namespaces_do_not_share_a_class() {
    let cache = ClassCache::new();
    view(&cache).learned(key("A"), class("A"));
    let other = ClassKey { namespace: Namespace::new("root/interop"), class: CimName::new("A") };
    assert!(view(&cache).known(&other).is_none());
}
