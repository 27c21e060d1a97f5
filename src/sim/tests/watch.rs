//! Watches: checks W.

use super::*;

/// Create, leave the label, come back, change nothing, delete.
async fn life(rig: &Rig, name: &str) {
    let path = format!("{CM}/{name}");
    let label = |value: &str| json!({"metadata": {"labels": {"w": value}}});
    rig.post(CM, cm_with(name, json!({"labels": {"w": "x"}}))).await.ok(201);
    rig.patch(&path, MERGE, label("y")).await.ok(200);
    rig.patch(&path, MERGE, label("x")).await.ok(200);
    rig.patch(&path, MERGE, label("x")).await.ok(200);
    rig.delete(&path).await.ok(200);
}

#[tokio::test(start_paused = true)]
async fn w01_a_life_is_four_events_with_growing_revisions() {
    let rig = Rig::new();
    let mut watch = rig.open(&format!("{CM}?watch=1&resourceVersion={}", rig.revision().await)).await;
    life(&rig, "w").await;
    let events = watch.events().await;
    assert_eq!(kinds(&events), ["ADDED", "MODIFIED", "MODIFIED", "DELETED"]);
    let revisions: Vec<u64> =
        events.iter().map(|event| event["object"]["metadata"]["resourceVersion"].as_str().unwrap().parse().unwrap()).collect();
    assert!(revisions.windows(2).all(|pair| pair[0] < pair[1]), "{revisions:?}");
    assert_eq!(events[3]["object"]["metadata"]["labels"], json!({"w": "x"}));
}

#[tokio::test(start_paused = true)]
async fn w02_without_a_revision_what_exists_is_added_first() {
    let rig = Rig::new();
    rig.post(CM, cm("sel1", json!({}))).await.ok(201);
    rig.post(CM, cm("sel2", json!({}))).await.ok(201);
    let mut watch = rig.open(&format!("{CM}?watch=1&fieldSelector=metadata.name%3Dsel1")).await;
    let events = watch.events().await;
    assert_eq!((kinds(&events), &events[0]["object"]["metadata"]["name"]), (vec!["ADDED"], &json!("sel1")));
}

#[tokio::test(start_paused = true)]
async fn w03_a_filtered_watch_sees_objects_come_and_go() {
    let rig = Rig::new();
    let mut watch = rig.open(&format!("{CM}?watch=1&labelSelector=w%3Dx&resourceVersion={}", rig.revision().await)).await;
    life(&rig, "w").await;
    assert_eq!(kinds(&watch.events().await), ["ADDED", "DELETED", "ADDED", "DELETED"]);
}

#[tokio::test(start_paused = true)]
async fn w04_an_old_revision_replays_what_was_missed() {
    let rig = Rig::new();
    let revision = rig.revision().await;
    life(&rig, "w").await;
    let mut watch = rig.open(&format!("{CM}?watch=1&resourceVersion={revision}")).await;
    assert_eq!(kinds(&watch.events().await), ["ADDED", "MODIFIED", "MODIFIED", "DELETED"]);
}

#[tokio::test(start_paused = true)]
async fn w05_a_watch_ends_when_its_time_is_over() {
    let rig = Rig::new();
    let mut watch = rig.open(&format!("{CM}?watch=1&timeoutSeconds=5&resourceVersion={}", rig.revision().await)).await;
    assert_eq!(watch.event().await, None);
    assert_eq!(rig.clock.now().to_string(), "2026-03-01T09:00:05Z");
}

#[tokio::test(start_paused = true)]
async fn w06_h02_a_compacted_revision_is_an_error_event() {
    let rig = Rig::new();
    for revision in ["1", "104"] {
        life(&rig, "w").await;
        rig.store.compact();
        let mut watch = rig.open(&format!("{CM}?watch=1&resourceVersion={revision}")).await;
        assert_eq!(watch.status, 200);
        let error = watch.event().await.unwrap();
        assert_eq!(
            (&error["type"], &error["object"]["code"], &error["object"]["reason"]),
            (&json!("ERROR"), &json!(410), &json!("Expired"))
        );
        assert!(error["object"]["message"].as_str().unwrap().starts_with(&format!("too old resource version: {revision} (")));
        assert_eq!(watch.event().await, None);
    }
}

#[tokio::test(start_paused = true)]
async fn a_watch_that_is_overtaken_by_compaction_is_told() {
    let rig = Rig::new();
    let mut watch = rig.open(&format!("{CM}?watch=1&resourceVersion={}", rig.revision().await)).await;
    life(&rig, "w").await;
    rig.store.compact();
    assert_eq!(kinds(&watch.events().await), ["ERROR"]);
}

#[tokio::test(start_paused = true)]
async fn w07_w09_watches_that_are_refused() {
    let rig = Rig::new();
    rig.get(&format!("{CM}?watch=1&resourceVersion=abc")).await.refused(500, "InternalError", "Invalid value");
    let refused = rig.get(&format!("{CM}?watch=1&sendInitialEvents=true")).await;
    drop(refused.refused(422, "Invalid", "ListOptions").cause("FieldValueForbidden", "resourceVersionMatch"));
}

#[tokio::test(start_paused = true)]
async fn w08_a_streaming_list_ends_with_a_marked_bookmark() {
    let rig = Rig::new();
    rig.post(CM, cm("a", json!({}))).await.ok(201);
    let more = "sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true";
    let mut watch = rig.open(&format!("{CM}?watch=1&{more}")).await;
    let events = watch.events().await;
    assert_eq!(kinds(&events), ["ADDED", "BOOKMARK"]);
    let metadata = &events[1]["object"]["metadata"];
    assert_eq!(metadata["annotations"], json!({"k8s.io/initial-events-end": "true"}));
    assert_eq!(metadata["resourceVersion"].as_str().unwrap(), rig.revision().await);
}

#[tokio::test(start_paused = true)]
async fn w10_dry_runs_make_no_events() {
    let rig = Rig::new();
    rig.post(CM, cm("a", json!({"k": "1"}))).await.ok(201);
    let mut watch = rig.open(&format!("{CM}?watch=1&resourceVersion={}", rig.revision().await)).await;
    rig.post(&format!("{CM}?dryRun=All"), cm("b", json!({}))).await.ok(201);
    rig.patch(&format!("{CM}/a?dryRun=All"), MERGE, json!({"data": {"k": "2"}})).await.ok(200);
    rig.put(&format!("{CM}/a?dryRun=All"), &cm("a", json!({"k": "3"}))).await.ok(200);
    rig.apply_with(CM, "m", "&dryRun=All&force=true", cm("a", json!({"k": "4"}))).await.ok(200);
    rig.delete(&format!("{CM}/a?dryRun=All")).await.ok(200);
    assert!(watch.events().await.is_empty());
    assert_eq!(rig.get(&format!("{CM}/a")).await.at("/data/k"), json!("1"));
}

#[tokio::test(start_paused = true)]
async fn w11_a_finalizer_shows_as_modified_before_deleted() {
    let rig = Rig::new();
    let mut watch = rig.open(&format!("{CM}?watch=1&resourceVersion={}", rig.revision().await)).await;
    rig.post(CM, cm_with("w", json!({"finalizers": ["ex.com/f"]}))).await.ok(201);
    rig.delete(&format!("{CM}/w")).await.ok(200);
    rig.patch(&format!("{CM}/w"), MERGE, json!({"metadata": {"finalizers": null}})).await.ok(200);
    let events = watch.events().await;
    assert_eq!(kinds(&events), ["ADDED", "MODIFIED", "DELETED"]);
    assert!(events[1]["object"]["metadata"]["deletionTimestamp"].is_string());
}

#[tokio::test(start_paused = true)]
async fn w12_the_parameter_means_nothing_on_an_object() {
    let rig = Rig::new();
    rig.post(CM, cm("a", json!({}))).await.ok(201);
    assert_eq!(rig.get(&format!("{CM}/a?watch=1")).await.ok(200).at("/kind"), json!("ConfigMap"));
}

#[tokio::test(start_paused = true)]
async fn w13_a_quiet_watch_sends_bookmarks_once_a_minute() {
    let rig = Rig::new();
    let mut watch = rig.open(&format!("{CM}?watch=1&allowWatchBookmarks=true&resourceVersion={}", rig.revision().await)).await;
    let bookmark = watch.event().await.unwrap();
    assert_eq!(rig.clock.now().to_string(), "2026-03-01T09:01:00Z");
    assert_eq!(bookmark["type"], "BOOKMARK");
    assert_eq!(bookmark["object"].as_object().unwrap().keys().collect::<Vec<_>>(), ["apiVersion", "kind", "metadata"]);
}

#[tokio::test(start_paused = true)]
async fn a_watch_of_metadata_has_no_data() {
    let rig = Rig::new();
    rig.post(CM, cm("a", json!({"k": "1"}))).await.ok(201);
    let headers = [("accept", "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1")];
    let response = rig.send(Method::GET, &format!("{CM}?watch=1&timeoutSeconds=1"), &headers, "").await;
    let raw = response.into_body().collect().await.unwrap().to_bytes();
    let event: Value = serde_json::from_slice(&raw).unwrap();
    assert_eq!((&event["object"]["kind"], &event["object"]["data"]), (&json!("PartialObjectMetadata"), &Value::Null));
}

#[tokio::test(start_paused = true)]
async fn faults_drop_and_cut_watches() {
    let rig = Rig::new();
    let rule = |then| Rule { when: Match { verbs: vec!["watch".into()], nth: Some(1..=1), ..Match::default() }, then };
    rig.faults.add(rule(Outcome::DropWatch { after: 2 }));
    let mut watch = rig.open(&format!("{CM}?watch=1&resourceVersion={}", rig.revision().await)).await;
    life(&rig, "w").await;
    assert_eq!(kinds(&watch.events().await), ["ADDED", "MODIFIED"]);
    rig.faults.clear();
    rig.faults.add(rule(Outcome::CutStream { after: 10 }));
    rig.post(CM, cm("a", json!({}))).await.ok(201);
    let cut = rig.open(&format!("{CM}?watch=1")).await.rest().await;
    assert_eq!(cut, b"{\"type\":\"A");
}
