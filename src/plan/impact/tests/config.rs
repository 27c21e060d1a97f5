//! Who uses a ConfigMap or a Secret that changes.

use serde_json::{Value, json};

use super::{Stage, object, with};
use crate::model::Object;
use crate::plan::Action;

fn settings(kind: &str, value: &str) -> Value {
    object(kind, json!({"metadata": {"name": "settings"}, "data": {"a": value, "b": "1"}}))
}

fn user(spec: &Value, image: &str) -> Value {
    let mut spec = spec.clone();
    spec["containers"][0]["image"] = json!(image);
    object("apps/v1/Deployment", json!({"spec": {"replicas": 2, "template": {"spec": spec}}}))
}

fn container(fields: &Value) -> Value {
    let mut container = json!({"name": "app"});
    container.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
    json!({"containers": [container]})
}

fn mounted(volume: &Value, mount: &Value) -> Value {
    let mut spec = container(&json!({"volumeMounts": [mount]}));
    spec["volumes"] = json!([volume]);
    spec
}

/// What is said of a map whose key `a` changes, used by a Deployment that does not.
fn told(kind: &str, spec: &Value) -> Vec<String> {
    let web = user(spec, "app:1");
    Stage::changed(&settings(kind, "1"), &settings(kind, "2")).with(&web, &web, Action::Unchanged).told()
}

const KEPT: &str = "Deployment/web has it in its environment: its pods keep the old value until they restart";
const SEEN: &str = "Deployment/web mounts it: its pods see the new value within a minute or so";
const CUT: &str = "Deployment/web mounts it by subPath: its pods keep the old value until they restart";

#[test]
fn how_a_changed_map_reaches_its_users_depends_on_how_they_use_it() {
    let env = |key: &str| container(&json!({"env": [{"name": "A", "valueFrom": {"configMapKeyRef": {"name": "settings", "key": key}}}]}));
    let volume = json!({"name": "v", "configMap": {"name": "settings"}});
    let items = json!({"name": "v", "configMap": {"name": "settings", "items": [{"key": "b", "path": "b"}]}});
    let projected = json!({"name": "v", "projected": {"sources": [{"configMap": {"name": "settings"}}]}});
    let mount = json!({"name": "v", "mountPath": "/v"});
    let by_path = json!({"name": "v", "mountPath": "/v/a", "subPath": "a"});
    for (spec, expected) in [
        (env("a"), Some(KEPT)),
        (env("b"), None),
        (container(&json!({"envFrom": [{"configMapRef": {"name": "settings"}}]})), Some(KEPT)),
        (container(&json!({"envFrom": [{"secretRef": {"name": "settings"}}]})), None),
        (container(&json!({"envFrom": [{"configMapRef": {"name": "other"}}]})), None),
        (mounted(&volume, &mount), Some(SEEN)),
        (mounted(&projected, &mount), Some(SEEN)),
        (mounted(&volume, &by_path), Some(CUT)),
        (mounted(&items, &mount), None),
        (mounted(&volume, &json!({"name": "other", "mountPath": "/v"})), None),
    ] {
        assert_eq!(told("ConfigMap", &spec), expected.as_slice(), "{spec}");
    }
}

#[test]
fn a_secret_is_used_in_the_same_ways_and_never_printed() {
    let secret = container(&json!({"env": [{"name": "A", "valueFrom": {"secretKeyRef": {"name": "settings", "key": "a"}}}]}));
    assert_eq!(told("Secret", &secret), [KEPT]);
    let volume = mounted(&json!({"name": "v", "secret": {"secretName": "settings"}}), &json!({"name": "v", "mountPath": "/v"}));
    assert_eq!(told("Secret", &volume), [SEEN]);
}

#[test]
fn workloads_outside_of_the_app_that_read_it_are_counted_and_named() {
    let spec = container(&json!({"env": [{"name": "A", "valueFrom": {"configMapKeyRef": {"name": "settings", "key": "a"}}}]}));
    let other_key = container(&json!({"env": [{"name": "A", "valueFrom": {"configMapKeyRef": {"name": "settings", "key": "b"}}}]}));
    let outside = |name: &str, namespace: &str, spec: &Value| {
        let metadata = json!({"name": name, "namespace": namespace});
        Object::new(json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata, "spec": {"template": {"spec": spec}}}))
    };
    let mut stage = Stage::changed(&settings("ConfigMap", "1"), &settings("ConfigMap", "2"));
    assert_eq!(stage.told(), [""; 0]);
    stage.outside.workloads = vec![outside("b", "prod", &spec), outside("far", "other", &spec), outside("c", "prod", &other_key)];
    assert_eq!(stage.told(), ["1 workload outside of this app reads it: Deployment/b"]);
    stage.outside.workloads.push(outside("a", "prod", &spec));
    stage.outside.cut.insert("prod".into());
    assert_eq!(stage.told(), ["at least 2 workloads outside of this app read it: Deployment/a and Deployment/b"]);
    for odd in [json!(null), json!([]), json!({"containers": {}, "volumes": "x"}), json!({"containers": [null], "volumes": [null]})] {
        stage.outside.workloads = vec![outside("b", "prod", &odd)];
        assert_eq!(stage.told(), [""; 0], "{odd}");
    }
}

fn waves(map: i64, web: i64) -> Vec<String> {
    let at = |object: Value, wave: i64| with(&object, "/metadata/annotations", json!({"argocd.argoproj.io/sync-wave": wave.to_string()}));
    let spec = container(&json!({"envFrom": [{"configMapRef": {"name": "settings"}}]}));
    let stage = Stage::changed(&at(settings("ConfigMap", "1"), map), &at(settings("ConfigMap", "2"), map));
    stage.with(&at(user(&spec, "app:1"), web), &at(user(&spec, "app:2"), web), Action::Configure).told()
}

#[test]
fn pods_that_roll_after_the_change_roll_once_and_those_that_roll_before_keep_the_old_value() {
    let rolls = "image changed: rolls 2 pods (+1 surge, 0 down)";
    let once = |wave: i64| format!("Deployment/web rolls later in this sync (Sync wave {wave}): its pods roll once, with the new value");
    assert_eq!(waves(0, 0), [once(0), rolls.to_owned()]);
    assert_eq!(waves(0, 1), [once(1), rolls.to_owned()]);
    let early = "Deployment/web rolls earlier in this sync (Sync wave 0): its new pods start with the old value and keep it";
    assert_eq!(waves(1, 0), [early, rolls]);
}

#[test]
fn only_what_runs_already_and_in_the_same_namespace_is_said_to_use_it() {
    let spec = container(&json!({"envFrom": [{"configMapRef": {"name": "settings"}}]}));
    let (before, after) = (settings("ConfigMap", "1"), settings("ConfigMap", "2"));
    let web = user(&spec, "app:1");
    for action in [Action::Create, Action::Refused("no".to_owned()), Action::Unknown("no".to_owned())] {
        assert_eq!(Stage::changed(&before, &after).with(&web, &web, action).told(), [""; 0]);
    }
    let elsewhere = with(&web, "/metadata/namespace", json!("other"));
    assert_eq!(Stage::changed(&before, &after).with(&elsewhere, &elsewhere, Action::Unchanged).told(), [""; 0]);
    let cron = object("batch/v1/CronJob", json!({"spec": {"jobTemplate": {"spec": {"template": {"spec": spec}}}}}));
    let told = Stage::changed(&before, &after).with(&cron, &cron, Action::Unchanged).told();
    assert_eq!(told, ["CronJob/web uses it: its next run has the new value"]);
    let labelled = with(&before, "/metadata/labels", json!({"a": "b"}));
    assert_eq!(Stage::changed(&before, &labelled).with(&web, &web, Action::Unchanged).told(), ["only metadata changes"]);
}
