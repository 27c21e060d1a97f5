//! PUT, status, scale and other subresources: checks P and Z.

use super::*;

#[tokio::test(start_paused = true)]
async fn p01_p02_p03_puts_with_current_stale_and_no_revision() {
    let rig = Rig::new();
    let path = format!("{CM}/x");
    let mut object = rig.post(CM, cm("x", json!({"a": "1"}))).await.ok(201).json;
    object["data"]["a"] = "2".into();
    let updated = rig.put(&path, &object).await.ok(200);
    assert_ne!(updated.at("/metadata/resourceVersion"), object["metadata"]["resourceVersion"]);
    object["data"]["a"] = "3".into();
    let text = "Operation cannot be fulfilled on configmaps \"x\": the object has been modified; please apply your changes to the latest version and try again";
    let stale = rig.put(&path, &object).await.refused(409, "Conflict", text);
    assert_eq!(stale.at("/details"), json!({"name": "x", "kind": "configmaps"}));
    assert_eq!(rig.put(&path, &cm("x", json!({"z": "1"}))).await.ok(200).at("/data"), json!({"z": "1"}));
}

#[tokio::test(start_paused = true)]
async fn p04_writes_that_change_nothing_keep_the_revision() {
    let rig = Rig::new();
    let object = rig.post(CM, cm("x", json!({"a": "1"}))).await.ok(201).json;
    let revision = &object["metadata"]["resourceVersion"];
    rig.clock.sleep(std::time::Duration::from_secs(5)).await;
    assert_eq!(&rig.put(&format!("{CM}/x"), &object).await.at("/metadata/resourceVersion"), revision);
    let patched = rig.patch(&format!("{CM}/x"), MERGE, json!({"data": {"a": "1"}})).await;
    assert_eq!(&patched.at("/metadata/resourceVersion"), revision);
}

#[tokio::test(start_paused = true)]
async fn p05_p06_names_and_uids_must_fit() {
    let rig = Rig::new();
    rig.post(CM, cm("x", json!({}))).await.ok(201);
    let text = "the name of the object (zz) does not match the name on the URL (x)";
    rig.put(&format!("{CM}/x"), &cm("zz", json!({}))).await.refused(400, "BadRequest", text);
    rig.put(&format!("{CM}/missing"), &cm("missing", json!({}))).await.refused(404, "NotFound", "configmaps \"missing\" not found");
    let other = cm_with("x", json!({"uid": "00000000-0000-0000-0000-000000000000"}));
    rig.put(&format!("{CM}/x"), &other).await.refused(409, "Conflict", "Precondition failed: UID in precondition");
}

#[tokio::test(start_paused = true)]
async fn p07_p08_generation_counts_specs_and_status_has_its_own_path() {
    let rig = Rig::new();
    rig.post(DEPLOYMENTS, deployment("d", Value::Null)).await.ok(201);
    let path = format!("{DEPLOYMENTS}/d");
    let label = rig.patch(&path, MERGE, json!({"metadata": {"labels": {"z": "1"}}})).await;
    assert_eq!(label.at("/metadata/generation"), json!(1));
    let spec = rig.patch(&path, MERGE, json!({"spec": {"minReadySeconds": 3}})).await;
    assert_eq!(spec.at("/metadata/generation"), json!(2));
    let ignored = rig.patch(&path, MERGE, json!({"status": {"replicas": 77}})).await;
    assert_eq!((ignored.at("/metadata/generation"), ignored.at("/status")), (json!(2), json!({})));
    let body =
        json!({"status": {"observedGeneration": 1, "collisionCount": 4}, "spec": {"replicas": 9}, "metadata": {"labels": {"x": "1"}}});
    let status = rig.patch(&format!("{path}/status"), MERGE, body).await.ok(200);
    assert_eq!((status.at("/status/collisionCount"), status.at("/spec/replicas")), (json!(4), json!(0)));
    assert_eq!((status.at("/metadata/labels"), status.at("/metadata/generation")), (json!({"z": "1"}), json!(2)));
}

#[tokio::test(start_paused = true)]
async fn p09_immutable_fields_are_refused_in_the_servers_words() {
    let rig = Rig::new();
    rig.post(DEPLOYMENTS, deployment("web", Value::Null)).await.ok(201);
    let selector = json!({"spec": {"selector": {"matchLabels": {"app": "web", "tier": "two"}}, "template": {"metadata": {"labels": {"app": "web", "tier": "two"}}}}});
    let text = "Deployment.apps \"web\" is invalid: spec.selector: Invalid value: {\"matchLabels\":{\"a\":\"web\",\"app\":\"web\",\"tier\":\"two\"}}: field is immutable";
    rig.patch(&format!("{DEPLOYMENTS}/web"), MERGE, selector).await.refused(422, "Invalid", text);
    rig.post(JOBS, job("j")).await.ok(201);
    let completions = rig.patch(&format!("{JOBS}/j"), MERGE, json!({"spec": {"completions": 5}})).await;
    completions.refused(422, "Invalid", "spec.completions: Invalid value: 5: field is immutable");
    let mut set = deployment("ss", Value::Null);
    set["kind"] = "StatefulSet".into();
    set["spec"]["serviceName"] = "x".into();
    set["spec"].as_object_mut().unwrap().remove("paused");
    let sets = "/apis/apps/v1/namespaces/cf/statefulsets";
    rig.post(sets, set).await.ok(201);
    let name = rig.patch(&format!("{sets}/ss"), MERGE, json!({"spec": {"serviceName": "y"}})).await;
    name.refused(422, "Invalid", "spec: Forbidden: updates to statefulset spec for fields other than");
    rig.post(SERVICES, service("s", json!([{"port": 80}]))).await.ok(201);
    let address = json!({"spec": {"clusterIP": "10.96.250.250", "clusterIPs": ["10.96.250.250"]}});
    rig.patch(&format!("{SERVICES}/s"), MERGE, address).await.refused(422, "Invalid", "may not change once set");
    let bindings = "/apis/rbac.authorization.k8s.io/v1/namespaces/cf/rolebindings";
    rig.post(bindings, json!({"metadata": {"name": "rb"}, "roleRef": {"kind": "Role", "name": "x"}})).await.ok(201);
    rig.patch(&format!("{bindings}/rb"), MERGE, json!({"roleRef": {"name": "y"}})).await.refused(422, "Invalid", "cannot change roleRef");
    rig.post(CM, json!({"metadata": {"name": "frozen"}, "immutable": true, "data": {"a": "1"}})).await.ok(201);
    let data = rig.patch(&format!("{CM}/frozen"), MERGE, json!({"data": {"a": "2"}})).await;
    data.refused(422, "Invalid", "field is immutable when `immutable` is set");
}

#[tokio::test(start_paused = true)]
async fn a_job_that_runs_refuses_a_new_template_and_a_manifest_in_its_place_but_not_the_same_as_a_patch() {
    let rig = Rig::new();
    let mut body = job("j");
    body["spec"]["suspend"] = false.into();
    rig.post(JOBS, body.clone()).await.ok(201);
    rig.patch(&format!("{JOBS}/j"), STRATEGIC, body.clone()).await.ok(200);
    let text = "Job.batch \"j\" is invalid: [spec.selector: Required value, spec.template.metadata.labels: Invalid value: null: `selector` does not match template `labels`, spec.selector: Invalid value: null: field is immutable, spec.template: Invalid value: {";
    rig.put(&format!("{JOBS}/j"), &body).await.refused(422, "Invalid", text);
    let image = json!({"spec": {"template": {"spec": {"containers": [{"name": "c", "image": "y"}]}}}});
    let refused = rig.patch(&format!("{JOBS}/j"), STRATEGIC, image).await.refused(422, "Invalid", "field is immutable");
    drop(refused.cause("FieldValueInvalid", "spec.template"));
}

#[tokio::test(start_paused = true)]
async fn z01_scale_is_an_object_of_its_own() {
    let rig = Rig::new();
    let parent = rig.post(DEPLOYMENTS, deployment("d", Value::Null)).await.ok(201);
    let path = format!("{DEPLOYMENTS}/d/scale");
    let scale = rig.get(&path).await.ok(200);
    assert_eq!((scale.at("/kind"), scale.at("/apiVersion"), scale.at("/spec")), (json!("Scale"), json!("autoscaling/v1"), json!({})));
    assert_eq!((scale.at("/status/selector"), scale.at("/metadata/uid")), (json!("a=d"), parent.at("/metadata/uid")));
    assert_eq!(rig.patch(&path, MERGE, json!({"spec": {"replicas": 2}})).await.ok(200).at("/spec/replicas"), json!(2));
    assert_eq!(rig.get(&format!("{DEPLOYMENTS}/d")).await.at("/metadata/generation"), json!(2));
    let mut old = scale.json;
    old["spec"]["replicas"] = 5.into();
    rig.put(&path, &old).await.refused(409, "Conflict", "deployments.apps");
    rig.patch(&path, MERGE, json!({"spec": {"replicas": -2}})).await.refused(422, "Invalid", "must be greater than or equal to 0");
}

#[tokio::test(start_paused = true)]
async fn z02_a_pod_is_bound_once() {
    let rig = Rig::new();
    rig.post(PODS, pod("p", json!({}))).await.ok(201);
    let binding = json!({"apiVersion": "v1", "kind": "Binding", "metadata": {"name": "p"}, "target": {"kind": "Node", "name": "nx"}});
    let path = format!("{PODS}/p/binding");
    assert_eq!(rig.post(&path, binding.clone()).await.ok(201).at("/status"), json!("Success"));
    assert_eq!(rig.get(&format!("{PODS}/p")).await.at("/spec/nodeName"), json!("nx"));
    rig.post(&path, binding).await.refused(409, "Conflict", "is already assigned to node");
}

#[tokio::test(start_paused = true)]
async fn z06_a_pod_changes_its_image_and_nothing_else() {
    let rig = Rig::new();
    rig.post(PODS, pod("p", json!({}))).await.ok(201);
    let change = |field: Value| {
        let mut container = json!({"name": "c"});
        json_patch::merge(&mut container, &field);
        json!({"spec": {"containers": [container]}})
    };
    rig.patch(&format!("{PODS}/p"), STRATEGIC, change(json!({"image": "y:1"}))).await.ok(200);
    let command = rig.patch(&format!("{PODS}/p"), STRATEGIC, change(json!({"command": ["x"]}))).await;
    command.refused(422, "Invalid", "pod updates may not change fields other than `spec.containers[*].image`");
}

#[tokio::test(start_paused = true)]
async fn z03_a_disruption_budget_refuses_an_eviction() {
    let rig = Rig::new();
    rig.post(PODS, pod("p", json!({"nodeName": "n"}))).await.ok(201);
    let budgets = "/apis/policy/v1/namespaces/cf/poddisruptionbudgets";
    let budget = json!({"metadata": {"name": "b"}, "spec": {"minAvailable": 1, "selector": {"matchLabels": {"p": "p"}}}});
    rig.post(budgets, budget).await.ok(201);
    let status = json!({"status": {"currentHealthy": 1, "desiredHealthy": 1, "disruptionsAllowed": 0, "expectedPods": 1}});
    rig.patch(&format!("{budgets}/b/status"), MERGE, status).await.ok(200);
    let eviction = json!({"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": "p", "namespace": "cf"}});
    let refused = rig.post(&format!("{PODS}/p/eviction"), eviction).await;
    let refused = refused.refused(429, "TooManyRequests", "Cannot evict pod as it would violate the pod's disruption budget.");
    assert_eq!(refused.header("retry-after"), "");
    assert_eq!(refused.at("/details/causes/0/reason"), json!("DisruptionBudget"));
}
