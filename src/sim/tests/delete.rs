//! DELETE and finalizers: checks X.

use super::*;

#[tokio::test(start_paused = true)]
async fn x01_an_object_without_finalizers_goes_at_once() {
    let rig = Rig::new();
    let uid = rig.post(CM, cm("x", json!({}))).await.ok(201).at("/metadata/uid");
    let gone = rig.delete(&format!("{CM}/x")).await.ok(200);
    assert_eq!((gone.at("/kind"), gone.at("/status")), (json!("Status"), json!("Success")));
    assert_eq!(gone.at("/details"), json!({"name": "x", "kind": "configmaps", "uid": uid}));
    rig.get(&format!("{CM}/x")).await.ok(404);
}

#[tokio::test(start_paused = true)]
async fn x02_preconditions_must_hold() {
    let rig = Rig::new();
    rig.post(CM, cm("x", json!({}))).await.ok(201);
    let path = format!("{CM}/x");
    let uid = rig.delete_with(&path, json!({"preconditions": {"uid": "nope"}})).await;
    uid.refused(409, "Conflict", "the UID in the precondition");
    let revision = rig.delete_with(&path, json!({"preconditions": {"resourceVersion": "1"}})).await;
    revision.refused(409, "Conflict", "the ResourceVersion in the precondition");
    rig.get(&path).await.ok(200);
}

#[tokio::test(start_paused = true)]
async fn x03_x04_x05_finalizers_hold_an_object() {
    let rig = Rig::new();
    let path = format!("{CM}/x");
    rig.post(CM, cm_with("x", json!({"finalizers": ["ex.com/f"]}))).await.ok(201);
    let marked = rig.delete(&path).await.ok(200);
    assert_eq!((marked.at("/kind"), marked.at("/metadata/deletionGracePeriodSeconds")), (json!("ConfigMap"), json!(0)));
    assert!(marked.at("/metadata/deletionTimestamp").is_string());
    assert_eq!(rig.delete(&path).await.ok(200).at("/metadata/resourceVersion"), marked.at("/metadata/resourceVersion"));
    rig.patch(&path, MERGE, json!({"data": {"a": "b"}})).await.ok(200);
    let more = rig.patch(&path, MERGE, json!({"metadata": {"finalizers": ["ex.com/f", "ex.com/g"]}})).await;
    let text = "metadata.finalizers: Forbidden: no new finalizers can be added if the object is being deleted, found new finalizers []string{\"ex.com/g\"}";
    drop(more.refused(422, "Invalid", text).cause("FieldValueForbidden", "metadata.finalizers"));
    let kept = rig.patch(&path, MERGE, json!({"metadata": {"deletionTimestamp": null}})).await.ok(200);
    assert!(kept.at("/metadata/deletionTimestamp").is_string());
    let again = rig.post(CM, cm("x", json!({}))).await;
    again.refused(409, "AlreadyExists", "object is being deleted: configmaps \"x\" already exists");
    rig.patch(&path, MERGE, json!({"metadata": {"finalizers": null}})).await.ok(200);
    rig.get(&path).await.ok(404);
}

#[tokio::test(start_paused = true)]
async fn x07_x08_propagation_leaves_its_finalizer_for_the_collector() {
    let rig = Rig::new();
    for (policy, finalizer) in [("Foreground", "foregroundDeletion"), ("Orphan", "orphan")] {
        let name = policy.to_lowercase();
        rig.post(CM, cm(&name, json!({}))).await.ok(201);
        let marked = rig.delete(&format!("{CM}/{name}?propagationPolicy={policy}")).await.ok(200);
        assert_eq!(marked.at("/metadata/finalizers"), json!([finalizer]));
    }
    rig.post(CM, cm("background", json!({}))).await.ok(201);
    assert_eq!(rig.delete(&format!("{CM}/background?propagationPolicy=Background")).await.ok(200).at("/kind"), json!("Status"));
}

#[tokio::test(start_paused = true)]
async fn x10_owner_references_are_checked() {
    let rig = Rig::new();
    let owner =
        |uid: &str, controller: bool| json!({"apiVersion": "v1", "kind": "ConfigMap", "name": "o", "uid": uid, "controller": controller});
    let empty =
        rig.post(CM, cm_with("a", json!({"ownerReferences": [owner("", false)]}))).await.refused(422, "Invalid", "must not be empty");
    drop(empty.cause("FieldValueInvalid", "metadata.ownerReferences.uid"));
    let two = cm_with("a", json!({"ownerReferences": [owner("u1", true), owner("u2", true)]}));
    rig.post(CM, two).await.refused(422, "Invalid", "Only one reference can have Controller set to true");
}

#[tokio::test(start_paused = true)]
async fn x11_policies_that_do_not_exist() {
    let rig = Rig::new();
    rig.post(CM, cm("x", json!({}))).await.ok(201);
    let bogus = rig.delete(&format!("{CM}/x?propagationPolicy=Bogus")).await.refused(422, "Invalid", "DeleteOptions");
    drop(bogus.cause("FieldValueNotSupported", "propagationPolicy"));
    rig.delete(&format!("{CM}/x?propagationPolicy=Orphan&orphanDependents=true")).await.refused(422, "Invalid", "DeleteOptions");
}

#[tokio::test(start_paused = true)]
async fn x12_x13_collections_and_dry_runs() {
    let rig = Rig::new();
    rig.post(CM, cm_with("a", json!({"labels": {"dc": "1"}}))).await.ok(201);
    rig.post(CM, cm("b", json!({}))).await.ok(201);
    rig.delete(&format!("{CM}/b?dryRun=All")).await.ok(200);
    let gone = rig.delete(&format!("{CM}?labelSelector=dc%3D1")).await.ok(200);
    assert_eq!((gone.at("/kind"), names(&gone)), (json!("ConfigMapList"), vec!["a".to_owned()]));
    assert_eq!(names(&rig.get(CM).await), ["b"]);
}

#[tokio::test(start_paused = true)]
async fn x14_jobs_orphan_their_pods_unless_told_otherwise() {
    let rig = Rig::new();
    rig.post(JOBS, job("j")).await.ok(201);
    let marked = rig.delete(&format!("{JOBS}/j")).await.ok(200);
    assert!(marked.header("warning").contains("child pods are preserved by default"));
    assert_eq!(marked.at("/metadata/finalizers"), json!(["orphan"]));
    rig.post(JOBS, job("k")).await.ok(201);
    let gone = rig.delete(&format!("{JOBS}/k?propagationPolicy=Background")).await.ok(200);
    assert_eq!((gone.at("/kind"), gone.header("warning")), (json!("Status"), ""));
}

#[tokio::test(start_paused = true)]
async fn x15_pods_have_a_grace_once_they_are_bound() {
    let rig = Rig::new();
    rig.post(PODS, pod("a", json!({}))).await.ok(201);
    assert_eq!(rig.delete(&format!("{PODS}/a")).await.ok(200).at("/metadata/deletionGracePeriodSeconds"), json!(0));
    rig.get(&format!("{PODS}/a")).await.ok(404);
    rig.post(PODS, pod("b", json!({"nodeName": "n"}))).await.ok(201);
    let marked = rig.delete(&format!("{PODS}/b")).await.ok(200);
    assert_eq!(marked.at("/metadata/deletionGracePeriodSeconds"), json!(30));
    assert_eq!(marked.at("/metadata/deletionTimestamp"), json!("2026-03-01T09:00:30Z"));
    assert_eq!(marked.at("/metadata/generation"), json!(2));
    rig.get(&format!("{PODS}/b")).await.ok(200);
    rig.delete(&format!("{PODS}/b?gracePeriodSeconds=0")).await.ok(200);
    rig.get(&format!("{PODS}/b")).await.ok(404);
}

#[tokio::test(start_paused = true)]
async fn x16_x17_namespaces() {
    let rig = Rig::new();
    rig.delete("/api/v1/namespaces/default").await.refused(403, "Forbidden", "this namespace may not be deleted");
    let marked = rig.delete("/api/v1/namespaces/cf").await.ok(200);
    assert_eq!(marked.at("/status/phase"), json!("Terminating"));
    let text = "configmaps \"late\" is forbidden: unable to create new content in namespace cf because it is being terminated";
    let late = rig.post(CM, cm("late", json!({}))).await.refused(403, "Forbidden", text);
    drop(late.cause("NamespaceTerminating", "metadata.namespace"));
    let mut finalized = rig.get("/api/v1/namespaces/cf").await.json;
    finalized["spec"]["finalizers"] = json!([]);
    rig.put("/api/v1/namespaces/cf/finalize", &finalized).await.ok(200);
    rig.get("/api/v1/namespaces/cf").await.ok(404);
}
