//! The same server through the typed and dynamic API of kube-rs, as the engine uses it.

use futures::{AsyncBufReadExt as _, TryStreamExt as _};
use k8s_openapi::api::core::v1::{ConfigMap, Pod};
use kube::api::{Api as Resources, DeleteParams, DynamicObject, ListParams, LogParams, Patch, PatchParams, PostParams};
use kube::core::PartialObjectMeta;
use kube::discovery::{self, Scope};
use kube::runtime::{WatchStreamExt as _, watcher};

use super::*;

#[tokio::test(start_paused = true)]
async fn discovery_finds_every_kind_both_ways() {
    let rig = Rig::new();
    for aggregated in [false, true] {
        let all = discovery::Discovery::new(rig.client.clone());
        let all = if aggregated { all.run_aggregated().await.unwrap() } else { all.run().await.unwrap() };
        let job = kube::core::GroupVersionKind::gvk("batch", "v1", "Job");
        let (resource, capabilities) = all.resolve_gvk(&job).unwrap();
        assert_eq!((resource.plural.as_str(), capabilities.scope), ("jobs", Scope::Namespaced));
    }
    let kind = kube::core::GroupVersionKind::gvk("", "v1", "Namespace");
    let (resource, capabilities) = discovery::oneshot::pinned_kind(&rig.client, &kind).await.unwrap();
    assert_eq!((resource.plural.as_str(), capabilities.scope), ("namespaces", Scope::Cluster));
}

#[tokio::test(start_paused = true)]
async fn a_dynamic_object_is_applied_listed_and_deleted() {
    let rig = Rig::new();
    let kind = kube::core::GroupVersionKind::gvk("apps", "v1", "Deployment");
    let (resource, _) = discovery::oneshot::pinned_kind(&rig.client, &kind).await.unwrap();
    let api: Resources<DynamicObject> = Resources::namespaced_with(rig.client.clone(), "cf", &resource);
    let params = PatchParams::apply("syncwave").force();
    let applied = api.patch("web", &params, &Patch::Apply(deployment("web", Value::Null))).await.unwrap();
    assert_eq!(applied.metadata.generation, Some(1));
    let list = api.list(&ListParams::default()).await.unwrap();
    assert_eq!(list.items.len(), 1);
    let gone = api.delete("web", &DeleteParams::background()).await.unwrap();
    assert!(gone.is_right());
    let error = api.get("web").await.unwrap_err();
    assert!(matches!(error, kube::Error::Api(status) if status.code == 404 && status.reason == "NotFound"));
}

#[tokio::test(start_paused = true)]
async fn the_watcher_survives_drops_and_compaction() {
    let rig = Rig::new();
    let when = Match { verbs: vec!["watch".into()], nth: Some(1..=3), ..Match::default() };
    rig.faults.add(Rule { when, then: Outcome::DropWatch { after: 1 } });
    let api: Resources<ConfigMap> = Resources::namespaced(rig.client.clone(), "cf");
    let mut stream = std::pin::pin!(watcher(api.clone(), watcher::Config::default()).default_backoff().applied_objects());
    let writing = async {
        for name in ["a", "b", "c", "d"] {
            api.create(&PostParams::default(), &serde_json::from_value(cm(name, json!({}))).unwrap()).await.unwrap();
            rig.clock.sleep(std::time::Duration::from_secs(20)).await;
            rig.store.compact();
        }
    };
    let reading = async {
        let mut seen = std::collections::BTreeSet::new();
        while seen.len() < 4 {
            // A compacted revision is an error that the watcher heals by listing again.
            if let Ok(Some(object)) = stream.try_next().await {
                seen.insert(object.metadata.name.unwrap());
            }
        }
        seen
    };
    let (seen, ()) = tokio::join!(reading, writing);
    assert_eq!(seen.into_iter().collect::<Vec<_>>(), ["a", "b", "c", "d"]);
}

#[tokio::test(start_paused = true)]
async fn a_streaming_list_becomes_ready() {
    let rig = Rig::new();
    rig.post(CM, cm("a", json!({}))).await.ok(201);
    let api: Resources<ConfigMap> = Resources::namespaced(rig.client.clone(), "cf");
    let mut stream = std::pin::pin!(watcher(api, watcher::Config::default().streaming_lists()));
    let mut events = Vec::new();
    while let Ok(Some(event)) = stream.try_next().await {
        let is_done = matches!(event, watcher::Event::InitDone);
        events.push(event);
        if is_done {
            break;
        }
    }
    assert_eq!(events.len(), 3, "{events:?}");
}

#[tokio::test(start_paused = true)]
async fn a_log_is_followed_through_the_typed_api() {
    let rig = Rig::new();
    let created = rig.post(PODS, pod("p", json!({"nodeName": "n"}))).await.ok(201);
    let uid = created.at("/metadata/uid").as_str().unwrap().to_owned();
    rig.logs.open("cf", "p", &uid, "c");
    rig.logs.append("cf", "p", &uid, "c", rig.clock.now(), b"one");
    rig.logs.append("cf", "p", &uid, "c", rig.clock.now(), b"two");
    rig.logs.close("cf", "p", &uid, "c");
    let api: Resources<Pod> = Resources::namespaced(rig.client.clone(), "cf");
    let params = LogParams { follow: true, timestamps: true, ..LogParams::default() };
    let lines: Vec<String> = api.log_stream("p", &params).await.unwrap().lines().try_collect().await.unwrap();
    assert_eq!(lines, ["2026-03-01T09:00:00.000000000Z one", "2026-03-01T09:00:00.000000000Z two"]);
}

#[tokio::test(start_paused = true)]
async fn metadata_is_listed_and_watched_without_the_rest() {
    let rig = Rig::new();
    rig.post(CM, cm_with("a", json!({"annotations": {"syncwave.dev/tracking-id": "shop:/ConfigMap:cf/a"}}))).await.ok(201);
    let api: Resources<ConfigMap> = Resources::namespaced(rig.client.clone(), "cf");
    let list = api.list_metadata(&ListParams::default()).await.unwrap();
    assert_eq!(list.items[0].metadata.annotations.as_ref().unwrap().len(), 1);
    let metas: Resources<PartialObjectMeta<ConfigMap>> = Resources::namespaced(rig.client.clone(), "cf");
    let mut stream = std::pin::pin!(watcher(metas, watcher::Config::default()).applied_objects());
    let first = stream.try_next().await.unwrap().unwrap();
    assert_eq!(first.metadata.name.as_deref(), Some("a"));
    rig.post(CM, cm("b", json!({}))).await.ok(201);
    let second = stream.try_next().await.unwrap().unwrap();
    assert_eq!(second.metadata.name.as_deref(), Some("b"));
}

#[tokio::test(start_paused = true)]
async fn a_delete_takes_its_preconditions_and_dry_run_from_the_body() {
    let rig = Rig::new();
    rig.post(CM, cm("a", json!({}))).await.ok(201);
    let api: Resources<ConfigMap> = Resources::namespaced(rig.client.clone(), "cf");
    let wrong = kube::api::Preconditions { uid: Some("other".into()), ..Default::default() };
    let refused = api.delete("a", &DeleteParams { preconditions: Some(wrong), ..DeleteParams::default() }).await.unwrap_err();
    assert!(matches!(refused, kube::Error::Api(status) if status.code == 409));
    api.delete("a", &DeleteParams { dry_run: true, ..DeleteParams::default() }).await.unwrap();
    let uid = api.get("a").await.unwrap().metadata.uid;
    let right = kube::api::Preconditions { uid, ..Default::default() };
    api.delete("a", &DeleteParams { preconditions: Some(right), ..DeleteParams::foreground() }).await.unwrap();
    assert_eq!(api.get("a").await.unwrap().metadata.finalizers.unwrap(), ["foregroundDeletion"]);
}
