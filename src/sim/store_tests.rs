//! Tests of the store by itself, as the controllers use it.

use serde_json::json;

use super::*;
use crate::sim::Propagation;

fn store() -> Store {
    Store::new(Clock::starting_at("2026-03-01T09:00:00Z".parse().unwrap(), 1.0), 7)
}

fn job(name: &str) -> Value {
    let template = json!({"spec": {"restartPolicy": "Never", "containers": [{"name": "main", "image": "busybox"}]}});
    json!({"apiVersion": "batch/v1", "kind": "Job", "metadata": {"namespace": "default", "name": name}, "spec": {"template": template}})
}

#[tokio::test(start_paused = true)]
async fn a_controller_creates_updates_and_deletes_without_http() {
    let store = store();
    let created = store.create("tests", job("migrate")).unwrap();
    assert_eq!(created["metadata"]["creationTimestamp"], "2026-03-01T09:00:00Z");
    assert_eq!((&created["metadata"]["generation"], &created["spec"]["backoffLimit"]), (&json!(1), &json!(6)));
    let scaled = store.update("tests", "batch", "jobs", "default", "migrate", |job| job["spec"]["suspend"] = true.into()).unwrap();
    assert_eq!(scaled["metadata"]["generation"], 2);
    let change = |job: &mut Value| {
        job["status"]["active"] = 1.into();
        job["spec"]["suspend"] = false.into();
    };
    let running = store.update_status("tests", "batch", "jobs", "default", "migrate", change).unwrap();
    assert_eq!((&running["status"]["active"], &running["spec"]["suspend"]), (&json!(1), &json!(true)));
    let options = DeleteOptions { propagation: Some(Propagation::Background), ..DeleteOptions::default() };
    store.delete("batch", "jobs", "default", "migrate", &options).unwrap();
    assert!(store.get("batch", "jobs", "default", "migrate").is_none());
}

#[tokio::test(start_paused = true)]
async fn changes_come_in_revision_order_with_both_states() {
    let store = store();
    let start = store.revision().update();
    let mut revision = store.revision();
    revision.update();
    store.create("tests", job("a")).unwrap();
    store.update("tests", "batch", "jobs", "default", "a", |job| job["metadata"]["labels"]["x"] = "1".into()).unwrap();
    store
        .delete("batch", "jobs", "default", "a", &DeleteOptions { propagation: Some(Propagation::Background), ..Default::default() })
        .unwrap();
    assert!(futures::FutureExt::now_or_never(revision.changed()).is_some());
    let changes = store.changes_since(start).unwrap();
    let shape: Vec<_> = changes.iter().map(|change| (change.rev - start, change.before.is_some(), change.after.is_some())).collect();
    assert_eq!(shape, [(1, false, true), (2, true, true), (3, true, false)]);
    store.compact();
    assert_eq!(store.changes_since(start).unwrap_err(), Compacted { floor: start + 3 });
}

#[tokio::test(start_paused = true)]
async fn a_write_that_changes_nothing_is_no_change() {
    let store = store();
    let before = store.create("tests", job("a")).unwrap();
    let after = store.update("tests", "batch", "jobs", "default", "a", |_| {}).unwrap();
    assert_eq!(before, after);
}

#[tokio::test(start_paused = true)]
async fn a_pod_that_runs_keeps_its_grace_and_goes_with_the_kubelets_second_delete() {
    let store = store();
    let spec = json!({"nodeName": "n1", "containers": [{"name": "main", "image": "busybox"}]});
    let pod = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"namespace": "default", "name": "p"}, "spec": spec});
    store.create("tests", pod).unwrap();
    let marked = store.delete("", "pods", "default", "p", &DeleteOptions::default()).unwrap();
    assert_eq!(marked["metadata"]["deletionTimestamp"], "2026-03-01T09:00:30Z");
    store.delete("", "pods", "default", "p", &DeleteOptions { grace_seconds: Some(0), ..Default::default() }).unwrap();
    assert!(store.get("", "pods", "default", "p").is_none());
}

#[tokio::test(start_paused = true)]
async fn a_namespace_goes_when_its_finalizer_goes() {
    let store = store();
    store.create("tests", json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop"}})).unwrap();
    let marked = store.delete("", "namespaces", "", "shop", &DeleteOptions::default()).unwrap();
    assert_eq!(marked["status"]["phase"], "Terminating");
    let late = store.create("tests", json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c", "namespace": "shop"}}));
    assert_eq!(late.unwrap_err().code, 403);
    store.update("tests", "", "namespaces", "", "shop", |namespace| namespace["spec"]["finalizers"] = json!([])).unwrap();
    assert!(store.get("", "namespaces", "", "shop").is_none());
}
