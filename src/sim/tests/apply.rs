//! Server-side apply: checks S.

use futures::FutureExt as _;

use super::*;

/// The `managedFields` of an answer by manager.
fn managers(reply: &Reply) -> std::collections::BTreeMap<String, Value> {
    let entries = reply.at("/metadata/managedFields");
    let entries = entries.as_array().cloned().unwrap_or_default();
    entries.into_iter().map(|entry| (entry["manager"].as_str().unwrap().to_owned(), entry)).collect()
}

fn fields(reply: &Reply, manager: &str) -> Value {
    managers(reply).get(manager).map_or(Value::Null, |entry| entry["fieldsV1"].clone())
}

#[tokio::test(start_paused = true)]
async fn s01_an_apply_needs_a_manager() {
    let rig = Rig::new();
    let refused = rig.patch(&format!("{CM}/s01"), APPLY, cm("s01", json!({}))).await;
    drop(refused.refused(422, "Invalid", "is required for apply patch").cause("FieldValueRequired", "fieldManager"));
}

#[tokio::test(start_paused = true)]
async fn s02_the_same_apply_again_changes_nothing() {
    let rig = Rig::new();
    let body = cm("s", json!({"a": "1", "b": "1"}));
    let first = rig.apply(CM, "m1", body.clone()).await.ok(201);
    let entry = &managers(&first)["m1"];
    let head = ["operation", "apiVersion", "fieldsType", "time"].map(|key| entry[key].as_str().unwrap());
    assert_eq!(head, ["Apply", "v1", "FieldsV1", "2026-03-01T09:00:00Z"]);
    assert_eq!(entry["fieldsV1"], json!({"f:data": {"f:a": {}, "f:b": {}}}));
    rig.clock.sleep(std::time::Duration::from_secs(5)).await;
    assert_eq!(rig.apply(CM, "m1", body).await.ok(200).at("/metadata"), first.at("/metadata"));
}

#[tokio::test(start_paused = true)]
async fn s03_another_value_is_a_conflict() {
    let rig = Rig::new();
    rig.apply(CM, "m1", cm("s", json!({"a": "1"}))).await.ok(201);
    let text = "Apply failed with 1 conflict: conflict with \"m1\": .data.a";
    let refused = rig.apply(CM, "m2", cm("s", json!({"a": "2"}))).await.refused(409, "Conflict", text);
    let refused = refused.cause("FieldManagerConflict", ".data.a");
    assert_eq!(refused.json["details"].as_object().unwrap().keys().collect::<Vec<_>>(), ["causes"]);
}

#[tokio::test(start_paused = true)]
async fn s04_the_same_value_is_owned_by_both() {
    let rig = Rig::new();
    rig.apply(CM, "m1", cm("s", json!({"a": "1"}))).await.ok(201);
    let both = rig.apply(CM, "m2", cm("s", json!({"a": "1"}))).await.ok(200);
    let owned = json!({"f:data": {"f:a": {}}});
    assert_eq!((fields(&both, "m1"), fields(&both, "m2")), (owned.clone(), owned));
}

#[tokio::test(start_paused = true)]
async fn s05_force_takes_the_field() {
    let rig = Rig::new();
    rig.apply(CM, "m1", cm("s", json!({"a": "1"}))).await.ok(201);
    let taken = rig.apply_with(CM, "m2", "&force=true", cm("s", json!({"a": "2"}))).await.ok(200);
    assert_eq!((taken.at("/data/a"), managers(&taken).contains_key("m1")), (json!("2"), false));
}

#[tokio::test(start_paused = true)]
async fn s06_fields_that_nobody_mentions_any_more_go() {
    let rig = Rig::new();
    rig.apply(CM, "m1", cm("s", json!({"a": "1", "b": "1"}))).await.ok(201);
    rig.apply(CM, "m2", cm("s", json!({"a": "1"}))).await.ok(200);
    let left = rig.apply(CM, "m1", cm("s", json!({}))).await.ok(200);
    assert_eq!((left.at("/data"), fields(&left, "m2")), (json!({"a": "1"}), json!({"f:data": {"f:a": {}}})));
}

#[tokio::test(start_paused = true)]
async fn s07_s08_ports_are_told_apart_by_number_and_protocol() {
    let rig = Rig::new();
    let both = json!([{"name": "u", "port": 53, "protocol": "UDP"}, {"name": "t", "port": 53, "protocol": "TCP"}]);
    let first = rig.apply(SERVICES, "m1", service("s", both.clone())).await.ok(201);
    assert_eq!(first.at("/spec/ports").as_array().unwrap().len(), 2);
    assert!(fields(&first, "m1")["f:spec"]["f:ports"].get("k:{\"port\":53,\"protocol\":\"UDP\"}").is_some());
    let one = rig.apply(SERVICES, "m1", service("s", json!([both[0]]))).await.ok(200);
    let protocols: Vec<_> = one.at("/spec/ports").as_array().unwrap().iter().map(|port| port["protocol"].clone()).collect();
    assert_eq!(protocols, [json!("UDP")]);
    let twice = service("t", json!([{"name": "x", "port": 53}, {"name": "y", "port": 53}]));
    rig.apply(SERVICES, "m1", twice).await.refused(500, "", "duplicate entries for key [port=53,protocol=\"TCP\"]");
}

#[tokio::test(start_paused = true)]
async fn s09_fields_that_do_not_exist_and_wrong_types() {
    let rig = Rig::new();
    let mut body = cm("s", json!({}));
    body["dataz"] = json!({"a": "b"});
    let text = "failed to create typed patch object (cf/s; /v1, Kind=ConfigMap): .dataz: field not declared in schema";
    rig.apply_with(CM, "m1", "&fieldValidation=Ignore", body).await.refused(500, "", text);
    let number = rig.apply(CM, "m1", cm("s", json!({"a": 5}))).await;
    number.refused(500, "", ".data.a: expected string, got &value.valueUnstructured{Value:5}");
    let ports = rig.apply(SERVICES, "m1", service("s", json!("nonsense"))).await;
    ports.refused(500, "", ".spec.ports: expected list, got &value.valueUnstructured{Value:\"nonsense\"}");
}

#[tokio::test(start_paused = true)]
async fn s10_bodies_that_are_no_applies() {
    let rig = Rig::new();
    let managed = cm_with("s", json!({"managedFields": [{"manager": "x"}]}));
    rig.apply(CM, "m1", managed).await.refused(400, "BadRequest", "metadata.managedFields must be nil");
    rig.apply(CM, "m1", json!({"metadata": {"name": "s"}})).await.refused(400, "BadRequest", "invalid object type");
    let other = rig.patch(&format!("{CM}/s?fieldManager=m1"), APPLY, cm("zz", json!({}))).await;
    other.refused(400, "BadRequest", "does not match the name on the URL");
}

#[tokio::test(start_paused = true)]
async fn s11_a_field_of_an_updater_is_a_conflict_too() {
    let rig = Rig::new();
    rig.post(&format!("{CM}?fieldManager=creator"), cm("s", json!({"a": "1"}))).await.ok(201);
    let refused = rig.apply(CM, "m1", cm("s", json!({"a": "2"}))).await;
    refused.refused(409, "Conflict", "conflict with \"creator\" using v1: .data.a");
}

#[tokio::test(start_paused = true)]
async fn s12_a_field_that_is_dropped_returns_to_its_default() {
    let rig = Rig::new();
    let mut body = deployment("d", Value::Null);
    body["spec"]["replicas"] = 2.into();
    rig.apply(DEPLOYMENTS, "m1", body.clone()).await.ok(201);
    body["spec"].as_object_mut().unwrap().remove("replicas");
    assert_eq!(rig.apply(DEPLOYMENTS, "m1", body).await.ok(200).at("/spec/replicas"), json!(1));
}

#[tokio::test(start_paused = true)]
async fn s13_two_managers_share_a_container() {
    let rig = Rig::new();
    let env = |names: &[&str]| names.iter().map(|name| json!({"name": name, "value": "1"})).collect::<Vec<_>>();
    rig.apply(DEPLOYMENTS, "m1", deployment("d", json!([{"name": "c", "image": "i", "env": env(&["A", "B"])}]))).await.ok(201);
    let second = deployment("d", json!([{"name": "c", "env": env(&["C"])}, {"name": "side", "image": "s"}]));
    rig.apply(DEPLOYMENTS, "m2", second).await.ok(200);
    let less = deployment("d", json!([{"name": "c", "image": "i", "env": env(&["B"])}]));
    let merged = rig.apply(DEPLOYMENTS, "m1", less).await.ok(200);
    let list = merged.at("/spec/template/spec/containers");
    let names = |list: &Value| list.as_array().unwrap().iter().map(|item| item["name"].as_str().unwrap().to_owned()).collect::<Vec<_>>();
    assert_eq!((names(&list), names(&list[0]["env"])), (vec!["c".into(), "side".into()], vec!["B".into(), "C".into()]));
}

#[tokio::test(start_paused = true)]
async fn s14_an_atomic_list_conflicts_as_a_whole() {
    let rig = Rig::new();
    rig.apply(DEPLOYMENTS, "m1", deployment("d", json!([{"name": "c", "image": "i", "args": ["a", "b"]}]))).await.ok(201);
    let refused = rig.apply(DEPLOYMENTS, "m2", deployment("d", json!([{"name": "c", "args": ["a", "b", "c"]}]))).await;
    let text = "Apply failed with 1 conflict: conflict with \"m1\": .spec.template.spec.containers[name=\"c\"].args";
    refused.refused(409, "Conflict", text);
}

#[tokio::test(start_paused = true)]
async fn s15_scale_owns_as_a_subresource() {
    let rig = Rig::new();
    let mut body = deployment("d", Value::Null);
    body["spec"]["replicas"] = 1.into();
    rig.apply(DEPLOYMENTS, "m1", body.clone()).await.ok(201);
    rig.patch(&format!("{DEPLOYMENTS}/d/scale?fieldManager=hpa"), MERGE, json!({"spec": {"replicas": 2}})).await.ok(200);
    let entry = managers(&rig.get(&format!("{DEPLOYMENTS}/d")).await)["hpa"].clone();
    assert_eq!((&entry["subresource"], &entry["operation"], &entry["apiVersion"]), (&json!("scale"), &json!("Update"), &json!("apps/v1")));
    let text = "conflict with \"hpa\" with subresource \"scale\" using apps/v1: .spec.replicas";
    rig.apply(DEPLOYMENTS, "m1", body).await.refused(409, "Conflict", text);
}

#[tokio::test(start_paused = true)]
async fn s16_a_dry_run_merges_and_stores_nothing() {
    let rig = Rig::new();
    rig.apply_with(CM, "m1", "&dryRun=All", cm("s", json!({"a": "1"}))).await.ok(201);
    rig.get(&format!("{CM}/s")).await.ok(404);
    rig.apply(CM, "m1", cm("s", json!({"a": "1"}))).await.ok(201);
    let dry = rig.apply_with(CM, "m1", "&dryRun=All", cm("s", json!({"a": "2"}))).await.ok(200);
    assert_eq!(dry.at("/data/a"), json!("2"));
    assert_eq!(rig.get(&format!("{CM}/s")).await.at("/data/a"), json!("1"));
}

#[tokio::test(start_paused = true)]
async fn s17_preconditions_of_an_apply() {
    let rig = Rig::new();
    rig.apply(CM, "m1", cm("s", json!({"a": "1"}))).await.ok(201);
    let stale = cm_with("s", json!({"resourceVersion": "1"}));
    rig.apply(CM, "m1", stale).await.refused(409, "Conflict", "the object has been modified");
    let lost = rig.apply(CM, "m1", cm_with("t", json!({"uid": "abc"}))).await.refused(409, "Conflict", "uid mismatch");
    assert!(lost.json["message"].as_str().unwrap().contains("no existing object was found"));
}

#[tokio::test(start_paused = true)]
async fn s18_managed_fields_can_be_cleared() {
    let rig = Rig::new();
    rig.post(CM, cm("s", json!({"a": "1"}))).await.ok(201);
    let path = format!("{CM}/s");
    let cleared = rig.patch(&path, MERGE, json!({"metadata": {"managedFields": [{}]}})).await.ok(200);
    assert_eq!(cleared.at("/metadata/managedFields"), Value::Null);
    let later = rig.patch(&path, MERGE, json!({"data": {"z": "1"}})).await.ok(200);
    assert_eq!(later.at("/metadata/managedFields"), Value::Null);
    let refused = rig.apply(CM, "m1", cm("s", json!({"a": "2"}))).await;
    refused.refused(409, "Conflict", "conflict with \"before-first-apply\" using v1: .data.a");
}

#[tokio::test(start_paused = true)]
async fn s19_s20_updates_own_what_they_change() {
    let rig = Rig::new();
    let posted = rig.post(CM, cm("u", json!({"a": "1"}))).await.ok(201);
    let entry = &managers(&posted)["conformance"];
    assert_eq!((&entry["operation"], &entry["fieldsV1"]), (&json!("Update"), &json!({"f:data": {".": {}, "f:a": {}}})));
    let mut object = rig.apply(CM, "m1", cm("s", json!({"a": "1", "b": "1"}))).await.ok(201).json;
    object["data"]["a"] = "5".into();
    let edited = rig.put(&format!("{CM}/s?fieldManager=editor"), &object).await.ok(200);
    assert_eq!(fields(&edited, "m1"), json!({"f:data": {"f:b": {}}}));
    assert_eq!(fields(&edited, "editor"), json!({"f:data": {"f:a": {}}}));
}

#[tokio::test(start_paused = true)]
async fn s21_finalizers_are_a_set() {
    let rig = Rig::new();
    rig.apply(CM, "m1", cm_with("s", json!({"finalizers": ["ex.com/a"]}))).await.ok(201);
    let both = rig.apply(CM, "m2", cm_with("s", json!({"finalizers": ["ex.com/b"]}))).await.ok(200);
    assert_eq!(both.at("/metadata/finalizers"), json!(["ex.com/a", "ex.com/b"]));
    assert!(fields(&both, "m1")["f:metadata"]["f:finalizers"].get("v:\"ex.com/a\"").is_some());
    let one = rig.apply(CM, "m1", cm("s", json!({}))).await.ok(200);
    assert_eq!(one.at("/metadata/finalizers"), json!(["ex.com/b"]));
}

#[tokio::test(start_paused = true)]
async fn nulls_and_empty_values_of_manifests_do_not_make_a_new_revision_each_time() {
    let rig = Rig::new();
    let mut body = deployment(
        "d",
        json!([{"name": "c", "image": "i", "env": [{"name": "A", "value": null}, {"name": "B", "value": ""}], "resources": {}, "args": []}]),
    );
    body["metadata"]["creationTimestamp"] = Value::Null;
    body["metadata"]["annotations"] = json!({});
    body["status"] = json!({});
    let first = rig.apply(DEPLOYMENTS, "m1", body.clone()).await.ok(201);
    assert_eq!(first.at("/spec/template/spec/containers/0/env"), json!([{"name": "A"}, {"name": "B"}]));
    let again = rig.apply(DEPLOYMENTS, "m1", body).await.ok(200);
    assert_eq!(again.at("/metadata/resourceVersion"), first.at("/metadata/resourceVersion"));
}

#[tokio::test(start_paused = true)]
async fn an_apply_keeps_what_controllers_wrote() {
    let rig = Rig::new();
    let body = job("j");
    let first = rig.apply(JOBS, "m1", body.clone()).await.ok(201);
    rig.store.update_status("job-controller", "batch", "jobs", "cf", "j", |job| job["status"]["active"] = 1.into()).unwrap();
    rig.store.update("job-controller", "batch", "jobs", "cf", "j", |job| job["metadata"]["annotations"]["x"] = "y".into()).unwrap();
    let again = rig.apply(JOBS, "m1", body).await.ok(200);
    assert_eq!((again.at("/status/active"), again.at("/metadata/annotations/x")), (json!(1), json!("y")));
    assert_eq!(again.at("/spec/selector"), first.at("/spec/selector"));
}

#[tokio::test(start_paused = true)]
async fn fields_of_client_side_apply_can_be_handed_over() {
    let rig = Rig::new();
    rig.post(&format!("{CM}?fieldManager=kubectl-client-side-apply"), cm("s", json!({"a": "1", "b": "1"}))).await.ok(201);
    let entries = rig.get(&format!("{CM}/s")).await.at("/metadata/managedFields");
    let mut entry = entries[0].clone();
    entry["manager"] = "syncwave".into();
    entry["operation"] = "Apply".into();
    let swap = json!([{"op": "replace", "path": "/metadata/managedFields", "value": [entry]}]);
    let handed = rig.patch(&format!("{CM}/s?fieldManager=syncwave"), JSON_PATCH, swap).await.ok(200);
    assert_eq!(managers(&handed).keys().collect::<Vec<_>>(), ["syncwave"]);
    let applied = rig.apply(CM, "syncwave", cm("s", json!({"a": "1"}))).await.ok(200);
    assert_eq!(applied.at("/data"), json!({"a": "1"}));
}

#[tokio::test(start_paused = true)]
async fn applying_to_the_status_owns_the_status_alone() {
    let rig = Rig::new();
    rig.apply(DEPLOYMENTS, "m1", deployment("d", Value::Null)).await.ok(201);
    let status = json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "d"}, "spec": {"replicas": 9}, "status": {"replicas": 3}});
    let applied = rig.patch(&format!("{DEPLOYMENTS}/d/status?fieldManager=ctl"), APPLY, status).await.ok(200);
    assert_eq!((applied.at("/spec/replicas"), applied.at("/status/replicas")), (json!(0), json!(3)));
    let entry = &managers(&applied)["ctl"];
    assert_eq!((&entry["subresource"], &entry["fieldsV1"]), (&json!("status"), &json!({"f:status": {"f:replicas": {}}})));
    let again = rig.apply(DEPLOYMENTS, "m1", deployment("d", Value::Null)).await.ok(200);
    assert_eq!(again.at("/metadata/resourceVersion"), applied.at("/metadata/resourceVersion"));
}

#[tokio::test(start_paused = true)]
async fn several_conflicts_are_listed_by_manager() {
    let rig = Rig::new();
    rig.apply(CM, "m1", cm("s", json!({"a": "1", "b": "1"}))).await.ok(201);
    rig.post(&format!("{CM}?fieldManager=other"), cm("t", json!({}))).await.ok(201);
    let text = "Apply failed with 2 conflicts: conflicts with \"m1\":\n- .data.a\n- .data.b";
    rig.apply(CM, "m2", cm("s", json!({"a": "2", "b": "2"}))).await.refused(409, "Conflict", text);
}

#[tokio::test(start_paused = true)]
async fn s16_a_dry_run_answers_with_the_live_version_and_leaves_no_trace() {
    let service =
        |name: &str| json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": name}, "spec": {"ports": [{"port": 80}]}});
    let web = |image: &str| {
        json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"}, "spec": {"selector": {"matchLabels": {"a": "b"}},
            "template": {"metadata": {"labels": {"a": "b"}}, "spec": {"containers": [{"name": "c", "image": image}]}}}})
    };
    let mut seen = Vec::new();
    for is_looked in [false, true] {
        let rig = Rig::new();
        let made = rig.apply(DEPLOYMENTS, "m1", web("x:1")).await.ok(201);
        let (version, mut revision) = (made.at("/metadata/resourceVersion"), rig.store.revision());
        if is_looked {
            let same = rig.apply_with(DEPLOYMENTS, "m1", "&dryRun=All", web("x:1")).await.ok(200);
            assert_eq!((same.at("/metadata/resourceVersion"), same.at("/metadata/generation")), (version.clone(), json!(1)));
            let dry = rig.apply_with(DEPLOYMENTS, "m1", "&dryRun=All", web("x:2")).await.ok(200);
            assert_eq!((dry.at("/metadata/resourceVersion"), dry.at("/metadata/generation")), (version.clone(), json!(2)));
            assert_eq!(dry.at("/spec/strategy/type"), json!("RollingUpdate"), "with its defaults");
            let put = rig.put(&format!("{DEPLOYMENTS}/web?dryRun=All"), &web("x:3")).await.ok(200);
            assert_eq!(put.at("/metadata/resourceVersion"), version);
            rig.apply_with(SERVICES, "m1", "&dryRun=All", service("dry")).await.ok(201);
            rig.post(&format!("{SERVICES}?dryRun=All"), service("dry")).await.ok(201);
            assert!(revision.changed().now_or_never().is_none(), "nobody is woken");
        }
        let live = rig.get(&format!("{DEPLOYMENTS}/web")).await;
        assert_eq!((live.at("/metadata/resourceVersion"), live.at("/metadata/generation")), (version, json!(1)));
        let next = rig.apply(SERVICES, "m1", service("a")).await.ok(201);
        seen.push((next.at("/metadata/uid"), next.at("/spec/clusterIP")));
    }
    assert_eq!(seen[0], seen[1], "a look draws nothing");
}
