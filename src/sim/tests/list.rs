//! GET of objects and lists: checks L, G and H.

use super::*;

async fn with_labels() -> Rig {
    let rig = Rig::new();
    rig.post(CM, cm_with("sel1", json!({"labels": {"app": "x", "n": "1"}}))).await.ok(201);
    rig.post(CM, cm_with("sel2", json!({"labels": {"app": "y"}}))).await.ok(201);
    rig.post(CM, cm_with("sel3", json!({}))).await.ok(201);
    rig
}

fn escape(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

#[tokio::test(start_paused = true)]
async fn l01_l02_a_list_has_a_revision_and_bare_items() {
    let rig = with_labels().await;
    let list = rig.get(CM).await.ok(200);
    assert_eq!(list.at("/kind"), json!("ConfigMapList"));
    assert!(list.at("/metadata/resourceVersion").as_str().unwrap().parse::<u64>().is_ok());
    assert!(list.json["items"].as_array().unwrap().iter().all(|item| item.get("kind").is_none()));
    assert_eq!(rig.get("/api/v1/namespaces/nope-ns/configmaps").await.ok(200).at("/items"), json!([]));
}

#[tokio::test(start_paused = true)]
async fn l03_items_are_sorted_by_namespace_and_name() {
    let rig = with_labels().await;
    rig.post("/api/v1/namespaces/default/configmaps", cm("zzz", json!({}))).await.ok(201);
    let list = rig.get("/api/v1/configmaps").await;
    assert_eq!(names(&list), ["sel1", "sel2", "sel3", "zzz"]);
}

#[tokio::test(start_paused = true)]
async fn l04_l05_pages_show_one_moment() {
    let rig = with_labels().await;
    let first = rig.get(&format!("{CM}?limit=2")).await.ok(200);
    assert_eq!(first.at("/metadata/remainingItemCount"), json!(1));
    rig.post(CM, cm("sel4", json!({}))).await.ok(201);
    rig.delete(&format!("{CM}/sel3")).await.ok(200);
    let token = first.at("/metadata/continue").as_str().unwrap().to_owned();
    let second = rig.get(&format!("{CM}?limit=50&continue={}", escape(&token))).await.ok(200);
    assert_eq!(second.at("/metadata/resourceVersion"), first.at("/metadata/resourceVersion"));
    assert_eq!((names(&first), names(&second)), (vec!["sel1".to_owned(), "sel2".to_owned()], vec!["sel3".to_owned()]));
    let chosen = rig.get(&format!("{CM}?labelSelector=app&limit=1")).await.ok(200);
    assert!(chosen.at("/metadata/continue").is_string() && chosen.at("/metadata/remainingItemCount").is_null());
}

#[tokio::test(start_paused = true)]
async fn l06_l07_h01_tokens_that_cannot_be_used() {
    let rig = with_labels().await;
    rig.get(&format!("{CM}?limit=2&continue=bogus")).await.refused(400, "BadRequest", "continue key is not valid");
    let token = rig.get(&format!("{CM}?limit=1")).await.at("/metadata/continue").as_str().unwrap().to_owned();
    let both = format!("{CM}?limit=1&resourceVersion=1&continue={}", escape(&token));
    rig.get(&both).await.refused(400, "BadRequest", "not allowed when using continue");
    rig.post(CM, cm("more", json!({}))).await.ok(201);
    rig.store.compact();
    let old = rig.get(&format!("{CM}?limit=1&continue={}", escape(&token))).await;
    old.refused(410, "Expired", "The provided continue parameter is too old to display a consistent list result");
}

#[tokio::test(start_paused = true)]
async fn l08_l09_label_selectors() {
    let rig = with_labels().await;
    let table: &[(&str, &[&str])] = &[
        ("app=x", &["sel1"]),
        ("app==x", &["sel1"]),
        ("app!=x", &["sel2", "sel3"]),
        ("app in (x,y)", &["sel1", "sel2"]),
        ("app notin (x)", &["sel2", "sel3"]),
        ("app", &["sel1", "sel2"]),
        ("!app", &["sel3"]),
        ("app,n=1", &["sel1"]),
    ];
    for (selector, wanted) in table {
        let list = rig.get(&format!("{CM}?labelSelector={}", escape(selector))).await;
        assert_eq!(names(&list), *wanted, "{selector}");
    }
    rig.get(&format!("{CM}?labelSelector=a%20b%3Dc")).await.refused(400, "BadRequest", "unable to parse requirement");
}

#[tokio::test(start_paused = true)]
async fn l10_l11_l12_field_selectors() {
    let rig = with_labels().await;
    assert_eq!(names(&rig.get(&format!("{CM}?fieldSelector=metadata.name%3Dsel1")).await), ["sel1"]);
    assert_eq!(names(&rig.get(&format!("{CM}?fieldSelector=metadata.name%21%3Dsel1")).await), ["sel2", "sel3"]);
    let text = "\"data.k\" is not a known field selector: only \"metadata.name\", \"metadata.namespace\"";
    rig.get(&format!("{CM}?fieldSelector=data.k%3Dv")).await.refused(400, "BadRequest", text);
    rig.get(&format!("{DEPLOYMENTS}?fieldSelector=status.replicas%3D1")).await.ok(400);
    let table = [
        (PODS, "status.phase=Running"),
        (PODS, "spec.nodeName="),
        ("/api/v1/namespaces/cf/events", "involvedObject.name=x,involvedObject.kind=Pod,involvedObject.uid=u,reason=r,type=Normal"),
        (JOBS, "status.successful=1"),
        ("/api/v1/namespaces/cf/secrets", "type=Opaque"),
        ("/api/v1/namespaces", "status.phase=Active"),
    ];
    for (path, selector) in table {
        rig.get(&format!("{path}?fieldSelector={}", escape(selector))).await.ok(200);
    }
    rig.post(PODS, pod("p", json!({}))).await.ok(201);
    assert_eq!(names(&rig.get(&format!("{PODS}?fieldSelector=status.phase%3DPending,spec.nodeName%3D")).await), ["p"]);
    assert!(names(&rig.get(&format!("{PODS}?fieldSelector=status.phase%3DRunning")).await).is_empty());
}

#[tokio::test(start_paused = true)]
async fn l13_l14_l15_h03_lists_at_revisions() {
    let rig = with_labels().await;
    rig.get(&format!("{CM}?resourceVersion=0")).await.ok(200);
    let future = rig.get(&format!("{CM}?resourceVersion=999999999")).await.refused(504, "Timeout", "Too large resource version");
    assert_eq!((future.header("retry-after"), future.at("/details/retryAfterSeconds")), ("1", json!(1)));
    assert_eq!(rig.clock.now().to_string(), "2026-03-01T09:00:03Z");
    drop(future.cause("ResourceVersionTooLarge", ""));
    let alone = rig.get(&format!("{CM}?resourceVersionMatch=Exact")).await;
    drop(alone.refused(422, "Invalid", "ListOptions").cause("FieldValueForbidden", "resourceVersionMatch"));
    rig.get(&format!("{CM}?resourceVersion=abc")).await.refused(400, "BadRequest", "invalid resource version");
    let revision = rig.revision().await;
    rig.delete(&format!("{CM}/sel1")).await.ok(200);
    let exact = format!("{CM}?resourceVersion={revision}&resourceVersionMatch=Exact");
    assert_eq!(names(&rig.get(&exact).await.ok(200)), ["sel1", "sel2", "sel3"]);
    rig.store.compact();
    rig.get(&exact).await.refused(410, "Expired", "The resourceVersion for the provided list is too old.");
}

#[tokio::test(start_paused = true)]
async fn a_list_waits_for_a_revision_that_is_about_to_come() {
    let rig = with_labels().await;
    let next: u64 = rig.revision().await.parse::<u64>().unwrap() + 1;
    let path = format!("{CM}?resourceVersion={next}");
    let write = async {
        rig.clock.sleep(std::time::Duration::from_secs(1)).await;
        rig.post(CM, cm("late", json!({}))).await
    };
    let (list, _) = tokio::join!(rig.get(&path), write);
    assert!(names(&list.ok(200)).contains(&"late".to_owned()));
}

#[tokio::test(start_paused = true)]
async fn l18_l19_l20_forms_and_media_types() {
    let rig = with_labels().await;
    let one = rig.get_as(&format!("{CM}/sel1"), "application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io").await;
    assert_eq!(one.at("/kind"), json!("PartialObjectMetadata"));
    assert_eq!(one.json.as_object().unwrap().keys().collect::<Vec<_>>(), ["apiVersion", "kind", "metadata"]);
    let list = rig.get_as(CM, "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io").await;
    assert_eq!((list.at("/kind"), list.at("/items/0/kind")), (json!("PartialObjectMetadataList"), json!("PartialObjectMetadata")));
    rig.get_as(&format!("{CM}/sel1"), "text/html").await.refused(406, "NotAcceptable", "");
    rig.get_as(&format!("{CM}/sel1"), "application/vnd.kubernetes.protobuf,application/json").await.ok(200);
    assert!(rig.get_as(&format!("{CM}/sel1"), "application/yaml").await.header("content-type").contains("yaml"));
    let missing = rig.get(&format!("{CM}/missing")).await.refused(404, "NotFound", "configmaps \"missing\" not found");
    assert_eq!(missing.at("/details"), json!({"name": "missing", "kind": "configmaps"}));
}

#[tokio::test(start_paused = true)]
async fn g01_there_is_one_revision_for_everything() {
    let rig = Rig::new();
    let revision = |reply: Reply| reply.ok(201).at("/metadata/resourceVersion").as_str().unwrap().parse::<u64>().unwrap();
    let first = revision(rig.post(CM, cm("a", json!({}))).await);
    let second = revision(rig.post("/api/v1/namespaces/cf/secrets", json!({"metadata": {"name": "a"}})).await);
    let third = revision(rig.post(CM, cm("b", json!({}))).await);
    assert!(first < second && second < third);
}
