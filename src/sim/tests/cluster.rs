//! The whole cluster: a story, its controllers and pods, through `kube::Client` on paused time.

use std::time::Duration;

use futures::{AsyncBufReadExt as _, TryStreamExt as _};
use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::api::core::v1::{Event, Pod};
use kube::api::{Api as Resources, DeleteParams, ListParams, LogParams, Patch, PatchParams};
use kube::runtime::{WatchStreamExt as _, watcher};

use super::*;

const STORY: &str = r#"
apiVersion: sim/v1
kind: Scenario
metadata: {name: test}
pods:
  - match: {owner: Job/migrate}
    pull: {delay: 1s}
    runs:
      - {after: 3s, exit: 1, logs: [{at: 200ms, line: "connecting"}, {at: 2500ms, line: "locked"}]}
      - {after: 2s, exit: 0, logs: [{at: 100ms, line: "done"}]}
faults:
  busy: {match: {verb: create, resource: secrets, first: 1}, overload: 2s}
"#;

fn cluster() -> (SimCluster, Clock) {
    let clock = Clock::starting_at("2026-03-01T09:00:00Z".parse().unwrap(), 1.0);
    (SimCluster::start(&story::Story::parse(STORY, "story.yaml").unwrap(), clock, 7), clock)
}

fn migrate() -> Value {
    let template = json!({"spec": {"restartPolicy": "Never", "containers": [{"name": "main", "image": "acme/db:1"}]}});
    json!({"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "migrate"}, "spec": {"backoffLimit": 2, "template": template}})
}

async fn finished(jobs: Resources<Job>) -> Job {
    let mut stream = std::pin::pin!(watcher(jobs, watcher::Config::default()).applied_objects());
    while let Ok(Some(job)) = stream.try_next().await {
        let conditions = job.status.as_ref().and_then(|status| status.conditions.clone()).unwrap_or_default();
        if conditions.iter().any(|condition| condition.type_ == "Complete" && condition.status == "True") {
            return job;
        }
    }
    panic!("the watch ended");
}

#[tokio::test(start_paused = true)]
async fn a_job_runs_its_pods_prints_and_completes() {
    let (cluster, clock) = cluster();
    let jobs: Resources<Job> = Resources::namespaced(cluster.client(), "default");
    let pods: Resources<Pod> = Resources::namespaced(cluster.client(), "default");
    jobs.patch("migrate", &PatchParams::apply("syncwave").force(), &Patch::Apply(migrate())).await.unwrap();
    let job = tokio::time::timeout(Duration::from_secs(120), finished(jobs.clone())).await.unwrap();
    assert_eq!(job.status.as_ref().unwrap().failed, Some(1));
    assert!(clock.now().to_string().as_str() > "2026-03-01T09:00:15Z", "{}", clock.now());
    let mut list = pods.list(&ListParams::default().labels("batch.kubernetes.io/job-name=migrate")).await.unwrap().items;
    list.sort_by_key(|pod| pod.metadata.creation_timestamp.clone().map(|time| time.0));
    let mut printed = Vec::new();
    for pod in &list {
        let text = pods.logs(pod.metadata.name.as_deref().unwrap(), &LogParams::default()).await.unwrap();
        printed.push((pod.status.as_ref().unwrap().phase.clone().unwrap(), text));
    }
    assert_eq!(printed, [("Failed".to_owned(), "connecting\nlocked\n".to_owned()), ("Succeeded".to_owned(), "done\n".to_owned())]);
    let events: Resources<Event> = Resources::namespaced(cluster.client(), "default");
    let about = ListParams::default().fields("involvedObject.kind=Job,involvedObject.name=migrate");
    let reasons: Vec<_> = events.list(&about).await.unwrap().items.into_iter().filter_map(|event| event.reason).collect();
    assert!(reasons.contains(&"Completed".to_owned()), "{reasons:?}");
}

#[tokio::test(start_paused = true)]
async fn a_log_is_followed_while_the_pod_runs() {
    let (cluster, clock) = cluster();
    let jobs: Resources<Job> = Resources::namespaced(cluster.client(), "default");
    let pods: Resources<Pod> = Resources::namespaced(cluster.client(), "default");
    jobs.patch("migrate", &PatchParams::apply("syncwave"), &Patch::Apply(migrate())).await.unwrap();
    let params = LogParams { follow: true, ..LogParams::default() };
    let stream = loop {
        clock.sleep(Duration::from_millis(100)).await;
        let Some(pod) = pods.list(&ListParams::default()).await.unwrap().items.pop() else { continue };
        if let Ok(stream) = pods.log_stream(pod.metadata.name.as_deref().unwrap(), &params).await {
            break stream;
        }
    };
    let mut lines = stream.lines();
    let mut seen = Vec::new();
    while let Some(line) = lines.try_next().await.unwrap() {
        seen.push(line);
    }
    assert_eq!(seen, ["connecting", "locked"]);
}

#[tokio::test(start_paused = true)]
async fn a_job_deleted_in_the_foreground_takes_its_pods_along() {
    let (cluster, clock) = cluster();
    let jobs: Resources<Job> = Resources::namespaced(cluster.client(), "default");
    let pods: Resources<Pod> = Resources::namespaced(cluster.client(), "default");
    jobs.patch("migrate", &PatchParams::apply("syncwave"), &Patch::Apply(migrate())).await.unwrap();
    clock.sleep(Duration::from_secs(2)).await;
    assert_eq!(pods.list(&ListParams::default()).await.unwrap().items.len(), 1);
    jobs.delete("migrate", &DeleteParams::foreground()).await.unwrap();
    clock.sleep(Duration::from_secs(60)).await;
    assert!(pods.list(&ListParams::default()).await.unwrap().items.is_empty());
    assert!(jobs.get_opt("migrate").await.unwrap().is_none());
}

#[tokio::test(start_paused = true)]
async fn the_faults_of_a_story_are_played() {
    let (cluster, _) = cluster();
    let secrets: Resources<k8s_openapi::api::core::v1::Secret> = Resources::namespaced(cluster.client(), "default");
    let body = serde_json::from_value(json!({"metadata": {"name": "s"}})).unwrap();
    let refused = secrets.create(&kube::api::PostParams::default(), &body).await.unwrap_err();
    assert!(matches!(refused, kube::Error::Api(status) if status.code == 429), "the first is refused");
    secrets.create(&kube::api::PostParams::default(), &body).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_deployment_that_is_applied_becomes_available() {
    let (cluster, clock) = cluster();
    let api: Resources<k8s_openapi::api::apps::v1::Deployment> = Resources::namespaced(cluster.client(), "default");
    let mut body = deployment("web", Value::Null);
    body["spec"]["replicas"] = 2.into();
    body["spec"]["paused"] = false.into();
    let params = PatchParams::apply("syncwave").force();
    api.patch("web", &params, &Patch::Apply(body.clone())).await.unwrap();
    clock.sleep(Duration::from_secs(60)).await;
    let live = api.get("web").await.unwrap();
    assert_eq!(live.status.as_ref().unwrap().available_replicas, Some(2), "{:?}", live.status);
    // The same manifest again changes nothing, whatever the controllers wrote meanwhile.
    let again = api.patch("web", &params, &Patch::Apply(body)).await.unwrap();
    assert_eq!(again.metadata.resource_version, live.metadata.resource_version);
}

#[tokio::test(start_paused = true)]
async fn a_namespace_goes_with_what_is_in_it() {
    let (cluster, clock) = cluster();
    let store = cluster.store();
    store.create("tests", json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop"}})).unwrap();
    store.create("tests", json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c", "namespace": "shop"}})).unwrap();
    let namespaces: Resources<k8s_openapi::api::core::v1::Namespace> = Resources::all(cluster.client());
    namespaces.delete("shop", &DeleteParams::default()).await.unwrap();
    clock.sleep(Duration::from_secs(30)).await;
    assert!(namespaces.get_opt("shop").await.unwrap().is_none());
    assert!(store.list("", "configmaps", Some("shop")).is_empty());
}

#[tokio::test(start_paused = true)]
async fn the_same_seed_plays_the_same_history() {
    let mut histories = Vec::new();
    for _ in 0..2 {
        let (cluster, clock) = cluster();
        let start = cluster.store().revision().update();
        let jobs: Resources<Job> = Resources::namespaced(cluster.client(), "default");
        jobs.patch("migrate", &PatchParams::apply("syncwave"), &Patch::Apply(migrate())).await.unwrap();
        clock.sleep(Duration::from_secs(60)).await;
        let changes = cluster.store().changes_since(start).unwrap();
        histories.push(changes.into_iter().map(|change| (change.rev, change.name, change.after)).collect::<Vec<_>>());
    }
    assert!(histories[0].len() > 10);
    assert_eq!(histories[0], histories[1]);
}

#[tokio::test(start_paused = true)]
async fn x06_x08_x09_dependents_are_collected_or_orphaned() {
    let (cluster, clock) = cluster();
    let store = cluster.store();
    let object = |name: &str, owners: Value| {
        let meta = json!({"name": name, "namespace": "default", "ownerReferences": owners});
        json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta})
    };
    let owned =
        |name: &str, owner: &str, uid: &Value| object(name, json!([{"apiVersion": "v1", "kind": "ConfigMap", "name": owner, "uid": uid}]));
    let api: Resources<k8s_openapi::api::core::v1::ConfigMap> = Resources::namespaced(cluster.client(), "default");
    for (owner, child, params) in [("o1", "c1", DeleteParams::background()), ("o2", "c2", DeleteParams::orphan())] {
        let uid = store.create("tests", object(owner, Value::Null)).unwrap()["metadata"]["uid"].clone();
        store.create("tests", owned(child, owner, &uid)).unwrap();
        clock.sleep(Duration::from_secs(1)).await;
        api.delete(owner, &params).await.unwrap();
    }
    store.create("tests", owned("c3", "nobody", &"6f3e1c2a-0000-4000-8000-000000000000".into())).unwrap();
    clock.sleep(Duration::from_secs(5)).await;
    let left: Vec<_> = api.list(&ListParams::default()).await.unwrap().items.into_iter().map(|object| object.metadata).collect();
    let left: Vec<_> = left.into_iter().filter(|meta| meta.name.as_deref() != Some("kube-root-ca.crt")).collect();
    assert_eq!(left.iter().map(|meta| meta.name.as_deref().unwrap()).collect::<Vec<_>>(), ["c2"]);
    assert_eq!(left[0].owner_references, None);
}
