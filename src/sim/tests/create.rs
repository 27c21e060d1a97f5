//! POST: checks C and E.

use super::*;

#[tokio::test(start_paused = true)]
async fn c01_a_new_object_has_kind_uid_revision_and_time() {
    let rig = Rig::new();
    let created = rig.post(CM, cm("x", json!({}))).await.ok(201);
    assert_eq!((created.at("/kind"), created.at("/metadata/generation")), (json!("ConfigMap"), Value::Null));
    assert_eq!(created.at("/metadata/creationTimestamp"), json!("2026-03-01T09:00:00Z"));
    assert!(created.at("/metadata/resourceVersion").as_str().unwrap().parse::<u64>().is_ok());
    assert_eq!(created.at("/metadata/uid").as_str().unwrap().len(), 36);
}

#[tokio::test(start_paused = true)]
async fn c02_the_same_name_again_already_exists() {
    let rig = Rig::new();
    rig.post(CM, cm("x", json!({}))).await.ok(201);
    let again = rig.post(CM, cm("x", json!({}))).await.refused(409, "AlreadyExists", "configmaps \"x\" already exists");
    assert_eq!(again.at("/details"), json!({"name": "x", "kind": "configmaps"}));
}

#[tokio::test(start_paused = true)]
async fn c03_c04_c05_names_are_required_generated_and_checked() {
    let rig = Rig::new();
    let none = rig.post(CM, json!({"metadata": {}})).await.refused(422, "Invalid", "name or generateName is required");
    assert_eq!(none.cause("FieldValueRequired", "metadata.name").at("/details/kind"), json!("ConfigMap"));
    let made = rig.post(CM, json!({"metadata": {"generateName": "gen-"}})).await.ok(201);
    let name = made.at("/metadata/name").as_str().unwrap().to_owned();
    assert!(name.len() == 9 && name[4..].chars().all(|c| "bcdfghjklmnpqrstvwxz2456789".contains(c)), "{name}");
    assert_eq!(made.at("/metadata/generateName"), json!("gen-"));
    let bad = rig.post(CM, cm("Bad_Name", json!({}))).await.refused(422, "Invalid", "a lowercase RFC 1123 subdomain");
    drop(bad.cause("FieldValueInvalid", "metadata.name"));
}

#[tokio::test(start_paused = true)]
async fn c06_c07_c08_c09_a_body_that_does_not_fit_the_path() {
    let rig = Rig::new();
    let elsewhere = cm_with("x", json!({"namespace": "other"}));
    rig.post(CM, elsewhere).await.refused(400, "BadRequest", "does not match the namespace sent on the request");
    let secret = json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "x"}});
    rig.post(CM, secret).await.refused(400, "BadRequest", "cannot be handled as a ConfigMap");
    let broken = rig.post_as(CM, "application/json", "{bad json").await;
    broken.refused(400, "BadRequest", "the object provided is unrecognized (must be of type ConfigMap)");
    let number = rig.post(CM, cm("x", json!({"k": 5}))).await;
    let text = "json: cannot unmarshal number into Go struct field ConfigMap.data of type string";
    number.refused(400, "BadRequest", text);
    let ports = rig.post(SERVICES, service("s", json!("nonsense"))).await;
    let text = "Service in version \"v1\" cannot be handled as a Service: json: cannot unmarshal string into Go struct field ServiceSpec.spec.ports of type []v1.ServicePort";
    ports.refused(400, "BadRequest", text);
    let labels = cm_with("x", json!({"labels": {"a": 1}}));
    rig.post(CM, labels).await.refused(
        400,
        "BadRequest",
        "cannot unmarshal number into Go struct field ObjectMeta.metadata.labels of type string",
    );
}

#[tokio::test(start_paused = true)]
async fn c10_c11_c12_unknown_fields_warn_fail_or_are_ignored() {
    let rig = Rig::new();
    let body = |name: &str| json!({"metadata": {"name": name}, "dataz": {"k": "5"}});
    let warned = rig.post(CM, body("a")).await.ok(201);
    assert_eq!((warned.header("warning"), warned.at("/dataz")), ("299 - \"unknown field \\\"dataz\\\"\"", Value::Null));
    let strict = rig.post(&format!("{CM}?fieldValidation=Strict"), body("b")).await;
    strict.refused(400, "BadRequest", "strict decoding error: unknown field \"dataz\"");
    assert_eq!(rig.post(&format!("{CM}?fieldValidation=Ignore"), body("c")).await.ok(201).header("warning"), "");
}

#[tokio::test(start_paused = true)]
async fn c14_c15_a_dry_run_answers_and_stores_nothing() {
    let rig = Rig::new();
    let dry = rig.post(&format!("{CM}?dryRun=All"), cm("x", json!({}))).await.ok(201);
    assert!(dry.at("/metadata/uid").is_string() && dry.at("/metadata/resourceVersion").is_null());
    rig.get(&format!("{CM}/x")).await.ok(404);
    let bad = rig.post(&format!("{CM}?dryRun=foo"), cm("x", json!({}))).await.refused(422, "Invalid", "CreateOptions.meta.k8s.io");
    drop(bad.cause("FieldValueNotSupported", "dryRun"));
}

#[tokio::test(start_paused = true)]
async fn c16_c20_system_fields_are_refused_or_overwritten() {
    let rig = Rig::new();
    let versioned = cm_with("x", json!({"resourceVersion": "5"}));
    rig.post(CM, versioned).await.refused(500, "", "resourceVersion should not be set on objects to be created");
    let old = "2020-01-01T00:00:00Z";
    let lying = cm_with("x", json!({"uid": "x", "creationTimestamp": old, "deletionTimestamp": old, "selfLink": "/x"}));
    let created = rig.post(CM, lying).await.ok(201);
    assert_ne!(created.at("/metadata/uid"), json!("x"));
    assert_eq!(created.at("/metadata/creationTimestamp"), json!("2026-03-01T09:00:00Z"));
    assert_eq!((created.at("/metadata/deletionTimestamp"), created.at("/metadata/selfLink")), (Value::Null, Value::Null));
}

#[tokio::test(start_paused = true)]
async fn c17_c18_media_types_of_bodies() {
    let rig = Rig::new();
    rig.post_as(CM, "text/plain", "x").await.refused(415, "UnsupportedMediaType", "application/yaml");
    let yaml = rig.post_as(CM, "application/yaml", "metadata:\n  name: y\ndata:\n  k: v\n").await.ok(201);
    assert_eq!(yaml.at("/data"), json!({"k": "v"}));
}

#[tokio::test(start_paused = true)]
async fn c19_a_namespace_that_does_not_exist_is_not_found() {
    let rig = Rig::new();
    let lost = rig.post("/api/v1/namespaces/nope-ns/configmaps", cm("x", json!({}))).await;
    let lost = lost.refused(404, "NotFound", "namespaces \"nope-ns\" not found");
    assert_eq!(lost.at("/details/kind"), json!("namespaces"));
}

#[tokio::test(start_paused = true)]
async fn c21_c22_a_deployment_gets_no_status_and_all_defaults() {
    let rig = Rig::new();
    let mut body = deployment("d", json!([{"name": "c", "image": "i"}, {"name": "e", "image": "i:1"}]));
    body["status"] = json!({"replicas": 9});
    let created = rig.post(DEPLOYMENTS, body.clone()).await.ok(201);
    assert_eq!((created.at("/status"), created.at("/metadata/generation")), (json!({}), json!(1)));
    body["metadata"]["name"] = "e".into();
    body["spec"].as_object_mut().unwrap().remove("replicas");
    let spec = rig.post(&format!("{DEPLOYMENTS}?dryRun=All"), body).await.ok(201).at("/spec");
    let rolling = json!({"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": "25%", "maxSurge": "25%"}});
    assert_eq!((&spec["replicas"], &spec["strategy"]), (&json!(1), &rolling));
    assert_eq!((&spec["revisionHistoryLimit"], &spec["progressDeadlineSeconds"]), (&json!(10), &json!(600)));
    let pods = &spec["template"]["spec"];
    let texts = ["restartPolicy", "dnsPolicy", "schedulerName"].map(|field| pods[field].as_str().unwrap());
    assert_eq!((texts, &pods["terminationGracePeriodSeconds"]), (["Always", "ClusterFirst", "default-scheduler"], &json!(30)));
    let pulls: Vec<_> = pods["containers"].as_array().unwrap().iter().map(|c| c["imagePullPolicy"].clone()).collect();
    assert_eq!(pulls, [json!("Always"), json!("IfNotPresent")]);
}

#[tokio::test(start_paused = true)]
async fn c23_a_namespace_carries_its_label_finalizer_and_phase() {
    let rig = Rig::new();
    let namespace = rig.get("/api/v1/namespaces/cf").await.ok(200);
    assert_eq!(namespace.at("/metadata/labels/kubernetes.io~1metadata.name"), json!("cf"));
    assert_eq!((namespace.at("/spec/finalizers"), namespace.at("/status/phase")), (json!(["kubernetes"]), json!("Active")));
}

#[tokio::test(start_paused = true)]
async fn c24_c25_wrong_labels_selectors_and_missing_containers() {
    let rig = Rig::new();
    let label = rig.post(CM, cm_with("x", json!({"labels": {"a b": "c"}}))).await.refused(422, "Invalid", "name part must consist of");
    drop(label.cause("FieldValueInvalid", "metadata.labels"));
    let mut body = deployment("z", json!([]));
    body["spec"]["template"]["metadata"]["labels"] = json!({"a": "other"});
    let both = rig.post(DEPLOYMENTS, body).await.refused(422, "Invalid", "Deployment.apps \"z\" is invalid: [");
    let both =
        both.cause("FieldValueInvalid", "spec.template.metadata.labels").cause("FieldValueRequired", "spec.template.spec.containers");
    assert_eq!(both.at("/details/group"), json!("apps"));
}

#[tokio::test(start_paused = true)]
async fn c26_string_data_becomes_data() {
    let rig = Rig::new();
    let secret = rig.post("/api/v1/namespaces/cf/secrets", json!({"metadata": {"name": "s"}, "stringData": {"a": "b"}})).await.ok(201);
    assert_eq!((secret.at("/data"), secret.at("/stringData"), secret.at("/type")), (json!({"a": "Yg=="}), Value::Null, json!("Opaque")));
    let plain = json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "u"}, "data": {"a": "pass word"}});
    let posted = rig.post("/api/v1/namespaces/cf/secrets", plain.clone()).await;
    posted.refused(400, "BadRequest", "Secret in version \"v1\" cannot be handled as a Secret: illegal base64 data at input byte 4");
    rig.apply("/api/v1/namespaces/cf/secrets", "m", plain).await.refused(500, "", "illegal base64 data at input byte 4");
    let data = json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "t"}, "data": {"a": "Yg=="}});
    assert_eq!(rig.apply("/api/v1/namespaces/cf/secrets", "m", data).await.ok(201).at("/data"), json!({"a": "Yg=="}));
}

#[tokio::test(start_paused = true)]
async fn c27_c28_a_job_selects_by_its_uid_and_needs_a_restart_policy() {
    let rig = Rig::new();
    let created = rig.post(JOBS, job("j")).await.ok(201);
    let uid = created.at("/metadata/uid");
    assert_eq!(created.at("/spec/selector/matchLabels"), json!({"batch.kubernetes.io/controller-uid": uid}));
    let labels = created.at("/spec/template/metadata/labels");
    assert_eq!((&labels["job-name"], &labels["batch.kubernetes.io/job-name"], &labels["controller-uid"]), (&json!("j"), &json!("j"), &uid));
    let spec = created.at("/spec");
    assert_eq!(
        [&spec["backoffLimit"], &spec["completions"], &spec["parallelism"], &spec["completionMode"]],
        [6, 1, 1].map(Value::from).iter().chain(&[json!("NonIndexed")]).collect::<Vec<_>>()[..]
    );
    let mut body = job("k");
    body["spec"]["template"]["spec"].as_object_mut().unwrap().remove("restartPolicy");
    let text = "spec.template.spec.restartPolicy: Required value: valid values: \"OnFailure\", \"Never\"";
    drop(rig.post(JOBS, body).await.refused(422, "Invalid", text).cause("FieldValueRequired", "spec.template.spec.restartPolicy"));
}

#[tokio::test(start_paused = true)]
async fn c29_a_service_gets_an_address_unless_headless() {
    let rig = Rig::new();
    let plain = rig.post(SERVICES, service("a", json!([{"port": 80}]))).await.ok(201);
    assert!(plain.at("/spec/clusterIP").as_str().unwrap().starts_with("10.96."));
    assert_eq!(plain.at("/spec/clusterIP"), plain.at("/spec/clusterIPs/0"));
    let port = plain.at("/spec/ports/0");
    assert_eq!((&port["targetPort"], &port["protocol"], plain.at("/spec/type")), (&json!(80), &json!("TCP"), json!("ClusterIP")));
    let mut headless = service("b", json!([{"port": 80}]));
    headless["spec"]["clusterIP"] = "None".into();
    assert_eq!(rig.post(SERVICES, headless).await.ok(201).at("/spec/clusterIP"), json!("None"));
}

#[tokio::test(start_paused = true)]
async fn c30_c31_wrong_methods_and_large_bodies() {
    let rig = Rig::new();
    rig.post(&format!("{CM}/a"), cm("a", json!({}))).await.refused(405, "MethodNotAllowed", "does not allow this method");
    rig.put(CM, &cm("a", json!({}))).await.refused(405, "MethodNotAllowed", "does not allow this method");
    rig.post(CM, cm("a", json!({"a": "x".repeat(3_400_000)}))).await.ok(413);
    rig.post(CM, cm("a", json!({"a": "x".repeat(1_048_600)}))).await.refused(422, "Invalid", "1048576");
}

#[tokio::test(start_paused = true)]
async fn c32_a_pod_is_pending_and_has_a_class_and_tolerations() {
    let rig = Rig::new();
    let created = rig.post(PODS, pod("p", json!({}))).await.ok(201);
    assert_eq!((created.at("/status/phase"), created.at("/status/qosClass")), (json!("Pending"), json!("BestEffort")));
    assert_eq!(created.at("/spec/serviceAccountName"), json!("default"));
    assert_eq!(created.at("/spec/tolerations").as_array().unwrap().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_pod_whose_service_account_is_missing_is_forbidden() {
    let rig = Rig::new();
    let body = pod("p", json!({"serviceAccountName": "deployer"}));
    let text = "pods \"p\" is forbidden: error looking up service account cf/deployer: serviceaccount \"deployer\" not found";
    rig.post(PODS, body.clone()).await.refused(403, "Forbidden", text);
    rig.post("/api/v1/namespaces/cf/serviceaccounts", json!({"metadata": {"name": "deployer"}})).await.ok(201);
    rig.post(PODS, body).await.ok(201);
}

#[tokio::test(start_paused = true)]
async fn e01_e02_events_are_one_thing_under_two_names() {
    let rig = Rig::new();
    let body = json!({"metadata": {"name": "e"}, "regarding": {"kind": "Pod", "namespace": "cf", "name": "two"}, "reason": "R", "note": "m", "type": "Normal", "action": "A", "eventTime": "2026-01-01T00:00:00.000000Z", "reportingController": "ex.com/c", "reportingInstance": "i"});
    let posted = rig.post("/apis/events.k8s.io/v1/namespaces/cf/events", body).await.ok(201);
    assert_eq!((posted.at("/note"), posted.at("/apiVersion")), (json!("m"), json!("events.k8s.io/v1")));
    let read = rig.get("/api/v1/namespaces/cf/events/e").await.ok(200);
    assert_eq!((read.at("/involvedObject/name"), read.at("/message"), read.at("/apiVersion")), (json!("two"), json!("m"), json!("v1")));
    assert_eq!(read.at("/metadata/uid"), posted.at("/metadata/uid"));
    let stray = json!({"metadata": {"name": "f"}, "involvedObject": {"kind": "Pod", "namespace": "other", "name": "x"}, "reason": "R", "message": "m", "type": "Normal"});
    let refused = rig.post("/api/v1/namespaces/cf/events", stray).await.refused(422, "Invalid", "does not match event.namespace");
    drop(refused.cause("FieldValueInvalid", "involvedObject.namespace"));
}

#[tokio::test(start_paused = true)]
async fn a_quota_on_objects_is_kept_in_the_servers_words() {
    let rig = Rig::new();
    let quota = json!({"metadata": {"name": "q"}, "spec": {"hard": {"count/secrets": "1", "count/deployments.apps": "0"}}});
    rig.post("/api/v1/namespaces/cf/resourcequotas", quota).await.ok(201);
    let secret = |name: &str| json!({"metadata": {"name": name}});
    rig.post("/api/v1/namespaces/cf/secrets", secret("a")).await.ok(201);
    let text = "secrets \"b\" is forbidden: exceeded quota: q, requested: count/secrets=1, used: count/secrets=1, limited: count/secrets=1";
    rig.post("/api/v1/namespaces/cf/secrets", secret("b")).await.refused(403, "Forbidden", text);
    let web = rig.apply(DEPLOYMENTS, "m", deployment("web", Value::Null)).await;
    web.refused(403, "Forbidden", "deployments.apps \"web\" is forbidden: exceeded quota: q, requested: count/deployments.apps=1");
}

#[tokio::test(start_paused = true)]
async fn paths_that_do_not_fit_the_scope_lead_nowhere() {
    let rig = Rig::new();
    rig.post("/api/v1/configmaps", cm("x", json!({}))).await.ok(405);
    rig.get("/api/v1/configmaps/x").await.ok(404);
    rig.get("/api/v1/namespaces/cf/nodes").await.ok(404);
    rig.post(CM, cm("x", json!({}))).await.ok(201);
    rig.get(&format!("{CM}/x/status")).await.ok(404);
    rig.get(&format!("{CM}/x/log")).await.ok(404);
}

#[tokio::test(start_paused = true)]
async fn a_service_that_changes_its_type_gets_what_it_needs() {
    let rig = Rig::new();
    let first = rig.post(SERVICES, service("s", json!([{"port": 80}]))).await.ok(201);
    let path = format!("{SERVICES}/s");
    let opened = rig.patch(&path, MERGE, json!({"spec": {"type": "NodePort"}})).await.ok(200);
    let port = opened.at("/spec/ports/0/nodePort");
    assert!((30_000..32_768).contains(&port.as_i64().unwrap()));
    assert_eq!(opened.at("/spec/clusterIP"), first.at("/spec/clusterIP"));
    let same = rig.patch(&path, STRATEGIC, json!({"spec": {"ports": [{"port": 80, "name": "http"}]}})).await.ok(200);
    assert_eq!(same.at("/spec/ports/0/nodePort"), port);
}
