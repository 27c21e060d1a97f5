//! The log of a pod: checks Z04 and Z05 and the filters.

use super::*;

const LOG: &str = "/api/v1/namespaces/cf/pods/p/log";

/// A bound pod and its uid.
async fn bound(rig: &Rig, spec: Value) -> String {
    let mut all = json!({"nodeName": "n"});
    json_patch::merge(&mut all, &spec);
    let created = rig.post(PODS, pod("p", all)).await.ok(201);
    created.at("/metadata/uid").as_str().unwrap().to_owned()
}

fn print(rig: &Rig, uid: &str, line: &[u8]) {
    rig.logs.append("cf", "p", uid, "c", rig.clock.now(), line);
}

async fn text(rig: &Rig, query: &str) -> String {
    String::from_utf8(rig.get(&format!("{LOG}?{query}")).await.ok(200).raw.to_vec()).unwrap()
}

#[tokio::test(start_paused = true)]
async fn z04_a_log_that_cannot_be_had() {
    let rig = Rig::new();
    let containers =
        json!({"containers": [{"name": "a", "image": "x"}, {"name": "b", "image": "x"}], "initContainers": [{"name": "i", "image": "x"}]});
    rig.post(PODS, pod("p", containers)).await.ok(201);
    rig.get("/api/v1/namespaces/cf/pods/nope/log").await.refused(404, "NotFound", "pods \"nope\" not found");
    let choose = "a container name must be specified for pod p, choose one of: [i a b]";
    rig.get(LOG).await.refused(400, "BadRequest", choose);
    rig.get(&format!("{LOG}?container=zz")).await.refused(400, "BadRequest", "container zz is not valid for pod p");
    for (query, field) in [("tailLines=-1", "tailLines"), ("sinceSeconds=0", "sinceSeconds"), ("limitBytes=0", "limitBytes")] {
        let refused = rig.get(&format!("{LOG}?container=a&{query}")).await.refused(422, "Invalid", "PodLogOptions");
        drop(refused.cause("FieldValueInvalid", field));
    }
    let both = format!("{LOG}?container=a&sinceSeconds=1&sinceTime=2020-01-01T00:00:00Z");
    rig.get(&both).await.refused(422, "Invalid", "at most one of");
}

#[tokio::test(start_paused = true)]
async fn z05_a_pod_without_a_node_has_an_empty_log() {
    let rig = Rig::new();
    rig.post(PODS, pod("p", json!({}))).await.ok(201);
    assert!(rig.get(LOG).await.ok(204).raw.is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_container_that_waits_says_for_what() {
    let rig = Rig::new();
    bound(&rig, json!({})).await;
    rig.get(LOG).await.refused(400, "BadRequest", "container \"c\" in pod \"p\" is waiting to start: ContainerCreating");
    let waiting = json!({"status": {"containerStatuses": [{"name": "c", "state": {"waiting": {"reason": "ImagePullBackOff"}}}]}});
    rig.patch(&format!("{PODS}/p/status"), MERGE, waiting).await.ok(200);
    rig.get(LOG).await.refused(400, "BadRequest", "is waiting to start: ImagePullBackOff");
    rig.get(&format!("{LOG}?previous=true")).await.refused(400, "BadRequest", "previous terminated container \"c\" in pod \"p\" not found");
}

#[tokio::test(start_paused = true)]
async fn filters_work_in_the_order_of_the_kubelet() {
    let rig = Rig::new();
    let uid = bound(&rig, json!({})).await;
    rig.logs.open("cf", "p", &uid, "c");
    for line in ["one", "two", "three"] {
        print(&rig, &uid, line.as_bytes());
        rig.clock.sleep(std::time::Duration::from_secs(10)).await;
    }
    assert_eq!(text(&rig, "").await, "one\ntwo\nthree\n");
    assert_eq!(text(&rig, "sinceSeconds=20").await, "two\nthree\n");
    assert_eq!(text(&rig, "sinceTime=2026-03-01T09:00:20Z").await, "three\n");
    assert_eq!(text(&rig, "tailLines=2&limitBytes=6").await, "two\nth");
    assert_eq!(text(&rig, "tailLines=1&timestamps=true").await, "2026-03-01T09:00:20.000000000Z three\n");
    assert_eq!(text(&rig, "tailLines=0").await, "");
}

#[tokio::test(start_paused = true)]
async fn a_restart_moves_the_log_to_previous() {
    let rig = Rig::new();
    let uid = bound(&rig, json!({})).await;
    for line in ["first", "second"] {
        rig.logs.open("cf", "p", &uid, "c");
        print(&rig, &uid, line.as_bytes());
        rig.logs.close("cf", "p", &uid, "c");
    }
    assert_eq!((text(&rig, "previous=true").await, text(&rig, "").await), ("first\n".to_owned(), "second\n".to_owned()));
}

#[tokio::test(start_paused = true)]
async fn following_ends_with_the_container_and_passes_any_bytes() {
    let rig = Rig::new();
    let uid = bound(&rig, json!({})).await;
    rig.logs.open("cf", "p", &uid, "c");
    print(&rig, &uid, b"before");
    let mut log = rig.open(&format!("{LOG}?follow=true")).await;
    assert_eq!(log.line().await.unwrap(), b"before");
    let printing = async {
        rig.clock.sleep(std::time::Duration::from_secs(5)).await;
        print(&rig, &uid, b"\x1b[31mred \xff\xfe\x00");
        rig.clock.sleep(std::time::Duration::from_secs(5)).await;
        print(&rig, &uid, b"last");
        rig.logs.forget("cf", "p", &uid);
    };
    let reading = async { (log.line().await, log.line().await, log.line().await) };
    let ((odd, last, end), ()) = tokio::join!(reading, printing);
    assert_eq!((odd.unwrap(), last.unwrap(), end), (b"\x1b[31mred \xff\xfe\x00".to_vec(), b"last".to_vec(), None));
    assert_eq!(rig.clock.now().to_string(), "2026-03-01T09:00:10Z");
}

#[tokio::test(start_paused = true)]
async fn a_stream_can_be_cut_in_the_middle_of_a_line() {
    let rig = Rig::new();
    let uid = bound(&rig, json!({})).await;
    rig.logs.open("cf", "p", &uid, "c");
    print(&rig, &uid, b"hello");
    let when = Match { resource: Some("pods/log".into()), nth: Some(1..=1), ..Match::default() };
    rig.faults.add(Rule { when, then: Outcome::CutStream { after: 3 } });
    assert_eq!(text(&rig, "").await, "hel");
    assert_eq!(text(&rig, "").await, "hello\n");
}
