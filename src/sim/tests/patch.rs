//! JSON, merge and strategic merge patches: checks M.

use super::*;

#[tokio::test(start_paused = true)]
async fn m01_null_removes_in_a_merge_patch() {
    let rig = Rig::new();
    rig.post(CM, cm("x", json!({"a": "1", "b": "2"}))).await.ok(201);
    assert_eq!(rig.patch(&format!("{CM}/x"), MERGE, json!({"data": {"a": null}})).await.ok(200).at("/data"), json!({"b": "2"}));
}

#[tokio::test(start_paused = true)]
async fn m02_strategic_merge_knows_containers_by_name() {
    let rig = Rig::new();
    rig.post(DEPLOYMENTS, deployment("d", Value::Null)).await.ok(201);
    let path = format!("{DEPLOYMENTS}/d");
    let change = |list: Value| json!({"spec": {"template": {"spec": {"containers": list}}}});
    let env = json!([{"name": "A", "value": "1"}]);
    let with_env = rig.patch(&path, STRATEGIC, change(json!([{"name": "c", "env": env}]))).await.ok(200);
    let container = with_env.at("/spec/template/spec/containers/0");
    assert_eq!((&container["image"], &container["env"]), (&json!("i"), &env));
    let names = |reply: Reply| -> Vec<Value> {
        reply.ok(200).at("/spec/template/spec/containers").as_array().unwrap().iter().map(|c| c["name"].clone()).collect()
    };
    assert_eq!(names(rig.patch(&path, STRATEGIC, change(json!([{"name": "side", "image": "s"}]))).await), [json!("c"), json!("side")]);
    assert_eq!(names(rig.patch(&path, STRATEGIC, change(json!([{"$patch": "delete", "name": "side"}]))).await), [json!("c")]);
}

#[tokio::test(start_paused = true)]
async fn m03_orders_of_strategic_merge() {
    let rig = Rig::new();
    rig.post(DEPLOYMENTS, deployment("d", Value::Null)).await.ok(201);
    let path = format!("{DEPLOYMENTS}/d");
    let keys = json!({"spec": {"strategy": {"$retainKeys": ["type"], "type": "Recreate"}}});
    assert_eq!(rig.patch(&path, STRATEGIC, keys).await.ok(200).at("/spec/strategy"), json!({"type": "Recreate"}));
    let order = json!({"spec": {"template": {"spec": {"$setElementOrder/containers": [{"name": "s2"}, {"name": "c"}], "containers": [{"name": "s2", "image": "x"}]}}}});
    let ordered = rig.patch(&path, STRATEGIC, order).await.ok(200);
    assert_eq!(ordered.at("/spec/template/spec/containers/0/name"), json!("s2"));
    rig.patch(&path, STRATEGIC, json!({"metadata": {"finalizers": ["a.b/c"]}})).await.ok(200);
    let both = rig.patch(&path, STRATEGIC, json!({"metadata": {"finalizers": ["a.b/d"]}})).await.ok(200);
    assert_eq!(both.at("/metadata/finalizers"), json!(["a.b/c", "a.b/d"]));
    let none = json!({"metadata": {"$deleteFromPrimitiveList/finalizers": ["a.b/c", "a.b/d"]}});
    assert_eq!(rig.patch(&path, STRATEGIC, none).await.ok(200).at("/metadata/finalizers"), Value::Null);
    rig.patch(&path, STRATEGIC, json!({"metadata": {"labels": {"x": "1", "y": "2"}}})).await.ok(200);
    let only = json!({"metadata": {"labels": {"$patch": "replace", "only": "1"}}});
    assert_eq!(rig.patch(&path, STRATEGIC, only).await.ok(200).at("/metadata/labels"), json!({"only": "1"}));
}

#[tokio::test(start_paused = true)]
async fn m04_an_item_without_its_key_is_an_internal_error() {
    let rig = Rig::new();
    rig.post(DEPLOYMENTS, deployment("d", Value::Null)).await.ok(201);
    let body = json!({"spec": {"template": {"spec": {"containers": [{"image": "z"}]}}}});
    rig.patch(&format!("{DEPLOYMENTS}/d"), STRATEGIC, body).await.refused(500, "", "does not contain declared merge key: name");
}

#[tokio::test(start_paused = true)]
async fn m05_m06_json_patches_that_do_not_fit() {
    let rig = Rig::new();
    rig.post(CM, cm("x", json!({"x": "1"}))).await.ok(201);
    for operation in [json!([{"op": "test", "path": "/data/x", "value": "9"}]), json!([{"op": "remove", "path": "/data/nope"}])] {
        let refused = rig.patch(&format!("{CM}/x"), JSON_PATCH, operation).await;
        let refused = refused.refused(422, "Invalid", "the server rejected our request due to an error in our request");
        assert_eq!(refused.at("/details"), json!({}));
    }
    rig.patch(&format!("{CM}/x"), JSON_PATCH, json!({"a": 1})).await.refused(400, "BadRequest", "error decoding patch");
    rig.patch_raw(&format!("{CM}/x"), MERGE, "{bad").await.refused(400, "BadRequest", "error decoding patch");
    let fits = json!([{"op": "replace", "path": "/data/x", "value": "2"}]);
    assert_eq!(rig.patch(&format!("{CM}/x"), JSON_PATCH, fits).await.ok(200).at("/data/x"), json!("2"));
}

#[tokio::test(start_paused = true)]
async fn m07_m08_m09_patches_that_are_refused() {
    let rig = Rig::new();
    rig.post(CM, cm("x", json!({}))).await.ok(201);
    let path = format!("{CM}/x");
    rig.patch(&path, "application/json", json!({})).await.refused(415, "UnsupportedMediaType", "application/apply-patch+yaml");
    let stale = json!({"metadata": {"resourceVersion": "1"}, "data": {"q": "1"}});
    rig.patch(&path, MERGE, stale).await.refused(409, "Conflict", "the object has been modified");
    rig.patch(&format!("{CM}/missing"), MERGE, json!({})).await.refused(404, "NotFound", "configmaps \"missing\" not found");
    let forced = rig.patch(&format!("{path}?force=true"), MERGE, json!({})).await;
    drop(forced.refused(422, "Invalid", "may not be specified for non-apply patch").cause("FieldValueForbidden", "force"));
}
