//! What manifests need, field by field, and that no manifest is too broken to be read.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

fn found(kind: &str, spec: Value) -> Vec<String> {
    let api_version = match kind {
        "Pod" | "ReplicationController" => "v1",
        "Job" | "CronJob" => "batch/v1",
        _ => "apps/v1",
    };
    let object =
        Object::new(json!({"apiVersion": api_version, "kind": kind, "metadata": {"name": "a", "namespace": "shop"}, "spec": spec}));
    let all = references(&object).into_iter().map(|reference| {
        let Reference { to, strength, path, key } = reference;
        let strength = match strength {
            Strength::Required => "",
            Strength::ForImages => " for images",
            Strength::Optional => " optional",
        };
        format!("{to} {path}{}{strength}", key.map(|key| format!(" {key}")).unwrap_or_default())
    });
    let mut all: Vec<String> = all.collect();
    assert_eq!(all.remove(0), "Namespace shop metadata.namespace");
    all
}

fn container(fields: Value) -> Value {
    let mut container = json!({"name": "main", "image": "x"});
    container.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
    json!({"containers": [container]})
}

#[test]
fn a_pod_needs_what_its_containers_volumes_account_and_images_name() {
    let mount = |name: &str| json!({"volumeMounts": [{"name": name, "mountPath": "/v"}]});
    let with = |mut spec: Value, field: &str, value: Value| {
        spec[field] = value;
        spec
    };
    let volume = |volume: Value| with(container(mount("v")), "volumes", json!([volume]));
    for (spec, expected) in [
        (container(json!({})), vec![]),
        (
            container(
                json!({"env": [{"name": "A", "value": "1"}, {"name": "B", "valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}}}]}),
            ),
            vec!["Secret shop/s spec.containers[0].env[1].valueFrom.secretKeyRef k"],
        ),
        (
            container(json!({"env": [{"name": "B", "valueFrom": {"configMapKeyRef": {"name": "c", "key": "k", "optional": true}}}]})),
            vec!["ConfigMap shop/c spec.containers[0].env[0].valueFrom.configMapKeyRef k optional"],
        ),
        (container(json!({"env": [{"name": "B", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}}]})), vec![]),
        (
            container(
                json!({"envFrom": [{"prefix": "x", "secretRef": {"name": "s"}}, {"configMapRef": {"name": "c", "optional": false}}]}),
            ),
            vec!["Secret shop/s spec.containers[0].envFrom[0].secretRef", "ConfigMap shop/c spec.containers[0].envFrom[1].configMapRef"],
        ),
        (
            json!({"initContainers": [{"envFrom": [{"secretRef": {"name": "s"}}]}]}),
            vec!["Secret shop/s spec.initContainers[0].envFrom[0].secretRef"],
        ),
        (volume(json!({"name": "v", "secret": {"secretName": "s"}})), vec!["Secret shop/s spec.volumes[0].secret"]),
        (
            volume(json!({"name": "v", "secret": {"secretName": "s", "optional": true}})),
            vec!["Secret shop/s spec.volumes[0].secret optional"],
        ),
        (volume(json!({"name": "v", "configMap": {"name": "c"}})), vec!["ConfigMap shop/c spec.volumes[0].configMap"]),
        (volume(json!({"name": "unmounted", "configMap": {"name": "c"}})), vec![]),
        (
            volume(json!({"name": "v", "projected": {"sources": [
                {"secret": {"name": "s"}}, {"configMap": {"name": "c", "optional": true}}, {"serviceAccountToken": {"path": "token"}},
            ]}})),
            vec![
                "Secret shop/s spec.volumes[0].projected.sources[0].secret",
                "ConfigMap shop/c spec.volumes[0].projected.sources[1].configMap optional",
            ],
        ),
        (
            volume(json!({"name": "v", "persistentVolumeClaim": {"claimName": "p"}})),
            vec!["PersistentVolumeClaim shop/p spec.volumes[0].persistentVolumeClaim"],
        ),
        (
            volume(json!({"name": "v", "secret": {"secretName": "s", "items": [{"key": "a", "path": "x"}, {"path": "y"}, {"key": "b"}]}})),
            vec![
                "Secret shop/s spec.volumes[0].secret",
                "Secret shop/s spec.volumes[0].secret.items[0] a",
                "Secret shop/s spec.volumes[0].secret.items[2] b",
            ],
        ),
        (
            volume(
                json!({"name": "v", "projected": {"sources": [{"configMap": {"name": "c", "optional": true, "items": [{"key": "k"}]}}]}}),
            ),
            vec![
                "ConfigMap shop/c spec.volumes[0].projected.sources[0].configMap optional",
                "ConfigMap shop/c spec.volumes[0].projected.sources[0].configMap.items[0] k optional",
            ],
        ),
        (
            volume(json!({"name": "v", "csi": {"driver": "d", "nodePublishSecretRef": {"name": "s"}}})),
            vec!["Secret shop/s spec.volumes[0].csi.nodePublishSecretRef"],
        ),
        (
            volume(json!({"name": "v", "azureFile": {"secretName": "s", "shareName": "x"}})),
            vec!["Secret shop/s spec.volumes[0].azureFile.secretName"],
        ),
        (volume(json!({"name": "v", "rbd": {"secretRef": {"name": "s"}}})), vec!["Secret shop/s spec.volumes[0].rbd.secretRef"]),
        (volume(json!({"name": "w", "csi": {"driver": "d", "nodePublishSecretRef": {"name": "s"}}})), vec![]),
        (volume(json!({"name": "v", "csi": {"driver": "d"}})), vec![]),
        (volume(json!({"name": "v", "ephemeral": {"volumeClaimTemplate": {"spec": {}}}})), vec![]),
        (with(container(json!({})), "imagePullSecrets", json!([{"name": "r"}])), vec!["Secret shop/r spec.imagePullSecrets[0] for images"]),
        (with(container(json!({})), "serviceAccountName", json!("runner")), vec!["ServiceAccount shop/runner spec.serviceAccountName"]),
        (with(container(json!({})), "serviceAccount", json!("runner")), vec!["ServiceAccount shop/runner spec.serviceAccount"]),
        (with(container(json!({})), "serviceAccountName", json!("default")), vec![]),
    ] {
        assert_eq!(found("Pod", spec.clone()), expected, "{spec}");
    }
}

#[test]
fn a_pod_is_found_in_every_kind_that_makes_pods() {
    let pod = || container(json!({"envFrom": [{"secretRef": {"name": "s"}}]}));
    for kind in ["Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "Job", "ReplicationController"] {
        let expected = ["Secret shop/s spec.template.spec.containers[0].envFrom[0].secretRef"];
        assert_eq!(found(kind, json!({"template": {"spec": pod()}})), expected, "{kind}");
    }
    let expected = ["Secret shop/s spec.jobTemplate.spec.template.spec.containers[0].envFrom[0].secretRef"];
    assert_eq!(found("CronJob", json!({"jobTemplate": {"spec": {"template": {"spec": pod()}}}})), expected);
    assert_eq!(found("Widget", json!({"template": {"spec": pod()}})), [""; 0]);
}

#[test]
fn a_claim_that_a_stateful_set_makes_is_not_needed() {
    let mut pod = container(json!({"volumeMounts": [{"name": "data", "mountPath": "/d"}]}));
    pod["volumes"] = json!([{"name": "data", "persistentVolumeClaim": {"claimName": "p"}}]);
    let claims = json!([{"metadata": {"name": "data"}}]);
    assert_eq!(found("StatefulSet", json!({"template": {"spec": pod}, "volumeClaimTemplates": claims})), [""; 0]);
}

#[test]
fn what_belongs_to_no_namespace_needs_none() {
    let role = json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole", "metadata": {"name": "r"}});
    assert_eq!(references(&Object::new(role)), []);
}

/// Anything, with a liking for the words that are looked for.
fn anything() -> impl Strategy<Value = Value> {
    const WORDS: [&str; 24] = [
        "spec",
        "template",
        "jobTemplate",
        "containers",
        "initContainers",
        "env",
        "envFrom",
        "valueFrom",
        "secretKeyRef",
        "configMapRef",
        "name",
        "optional",
        "key",
        "volumes",
        "volumeMounts",
        "secret",
        "secretName",
        "projected",
        "sources",
        "persistentVolumeClaim",
        "claimName",
        "imagePullSecrets",
        "serviceAccountName",
        "volumeClaimTemplates",
    ];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        "\\PC{0,6}".prop_map(Value::from),
    ];
    leaf.prop_recursive(10, 120, 5, |inner| {
        let word = prop::sample::select(&WORDS[..]).prop_map(str::to_owned);
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec((word, inner), 0..6).prop_map(|fields| fields.into_iter().collect::<Value>()),
        ]
    })
}

/// Puts anything in the place of one part of a manifest that is right.
fn broken() -> impl Strategy<Value = Value> {
    const PLACES: [&str; 12] = [
        "/metadata",
        "/spec",
        "/spec/template",
        "/spec/template/spec",
        "/spec/template/spec/containers",
        "/spec/template/spec/containers/0",
        "/spec/template/spec/containers/0/env",
        "/spec/template/spec/containers/0/env/0",
        "/spec/template/spec/containers/0/env/0/valueFrom",
        "/spec/template/spec/volumes",
        "/spec/template/spec/volumes/0",
        "/spec/template/spec/volumes/0/secret",
    ];
    (prop::sample::select(&PLACES[..]), anything()).prop_map(|(place, anything)| {
        let mut pod = container(json!({"env": [{"name": "a", "valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}}}]}));
        pod["volumes"] = json!([{"name": "v", "secret": {"secretName": "s"}}]);
        let mut job = json!({"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "j"}, "spec": {"template": {"spec": pod}}});
        *job.pointer_mut(place).unwrap() = anything;
        job
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn no_manifest_is_too_broken_to_be_read(spec in anything(), part in broken()) {
        for kind in ["Pod", "Job", "CronJob", "StatefulSet"] {
            let api_version = if kind == "Pod" { "v1" } else if kind == "StatefulSet" { "apps/v1" } else { "batch/v1" };
            let object = Object::new(json!({"apiVersion": api_version, "kind": kind, "metadata": {"name": "a"}, "spec": spec}));
            prop_assert!(references(&object).iter().all(|reference| !reference.to.name.is_empty()));
        }
        prop_assert!(references(&Object::new(part)).iter().all(|reference| !reference.to.name.is_empty()));
    }
}
