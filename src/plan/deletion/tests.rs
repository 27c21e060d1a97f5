//! Plans of deletions, and what annotations say of them.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::*;
use crate::model::{Kinds, Live, Object, Origin, annotation};
use crate::plan::{Manifest, Shape};

fn object(kind: &str, name: &str, annotations: &[(&str, &str)]) -> Object {
    let annotations: serde_json::Map<String, Value> = annotations.iter().map(|(key, value)| ((*key).to_owned(), json!(value))).collect();
    let version = if kind == "Job" { "batch/v1" } else { "v1" };
    Object::new(json!({"apiVersion": version, "kind": kind, "metadata": {"name": name, "annotations": annotations}}))
}

fn traits(options: &str) -> Traits {
    Traits::of(&object("ConfigMap", "a", &[(annotation::SYNC_OPTIONS, options)]))
}

fn options(items: &[&str]) -> Options {
    Options::new(items.iter().map(|item| (*item).to_owned()))
}

fn plan(objects: &[Object], owned: &[Object]) -> Plan {
    let origin = |line| Origin { file: "app.yaml".into(), line };
    let manifests: Vec<Manifest> =
        objects.iter().enumerate().map(|(at, object)| Manifest { object: object.clone(), origin: origin(at + 1) }).collect();
    let live = |object: &Object| Live::still(&format!("uid-{}", object.name()), object);
    let candidates: Vec<Candidate> = owned
        .iter()
        .map(|object| Candidate { key: ResourceKey { namespace: "prod".into(), ..object.key() }, version: "v1".into(), live: live(object) })
        .collect();
    let input = PlanInput {
        app: "shop",
        namespace: "prod",
        revision: "foobarbaz",
        operation: "op-1",
        started_at: Timestamp::from_second(1_700_000_000).unwrap(),
        manifests: &manifests,
        kinds: &Kinds::default(),
        candidates: &candidates,
        selection: None,
        shape: &Shape::default(),
    };
    Plan::of_deletion(&input, &Deletion::default())
}

fn order(plan: &Plan) -> Vec<String> {
    plan.tasks.iter().map(|task| format!("{} {} {}", task.id.phase, task.wave, task.id.key.short())).collect()
}

#[test]
fn t171_r705_r706_which_objects_stay() {
    let map = ResourceKey::new("", "ConfigMap", "prod", "a");
    for (own, operation, stays) in [
        ("", &[][..], false),
        ("Delete=false", &[], true),
        ("", &["Delete=false"], true),
        ("Delete=foo", &["Delete=false"], false),
        ("Prune=false", &["Prune=false"], false),
    ] {
        assert_eq!(reason_to_stay(&map, &traits(own), &options(operation)).is_some(), stays, "{own} {operation:?}");
    }
    let kept = Traits::of(&object("ConfigMap", "a", &[(annotation::HELM_RESOURCE_POLICY, "keep")]));
    assert!(reason_to_stay(&map, &kept, &Options::default()).is_some());
    let definition = ResourceKey::new("apiextensions.k8s.io", "CustomResourceDefinition", "", "w");
    assert!(reason_to_stay(&definition, &traits(""), &Options::default()).is_some());
}

#[test]
fn t180_r1110_whose_deletion_has_to_be_confirmed() {
    for (own, operation, asks) in [
        ("", &[][..], false),
        ("Delete=confirm", &[], true),
        ("", &["Delete=confirm"], true),
        ("", &["Prune=confirm"], true),
        ("Delete=confirm", &["Delete=confirm"], true),
        ("Delete=foo", &["Delete=confirm"], false),
        ("Delete=confirm", &["Prune=confirm"], true),
        ("Prune=foo", &["Prune=confirm"], false),
        ("Delete=foo", &["Delete=confirm", "Prune=confirm"], true),
    ] {
        assert_eq!(needs_confirmation(&traits(own), &options(operation)), asks, "{own} {operation:?}");
    }
}

#[test]
fn t170_r1109_objects_go_from_the_highest_wave_down_between_the_hooks() {
    let wave = |number| (annotation::SYNC_WAVE, number);
    let hook = |phase| (annotation::HOOK, phase);
    let objects = [
        object("ConfigMap", "a", &[wave("1")]),
        object("Job", "bye", &[hook("PreDelete"), wave("2")]),
        object("Job", "after", &[hook("PostDelete")]),
        object("Job", "migrate", &[hook("PreSync")]),
    ];
    let owned =
        [("a", "1"), ("b", "5"), ("c", "7"), ("d", "7"), ("e", "4")].map(|(name, number)| object("ConfigMap", name, &[wave(number)]));
    assert_eq!(
        order(&plan(&objects, &owned)),
        [
            "PreDelete 0 Job/bye",
            "Delete 7 ConfigMap/c",
            "Delete 7 ConfigMap/d",
            "Delete 5 ConfigMap/b",
            "Delete 4 ConfigMap/e",
            "Delete 2 Job/bye",
            "Delete 1 ConfigMap/a",
            "PostDelete 0 Job/after"
        ]
    );
    assert!(order(&plan(&[], &[])).is_empty());
}

#[test]
fn r214_r1111_r1536_a_hook_carries_our_label_no_finalizer_and_the_same_generated_name_each_time() {
    let mut job = object("Job", "", &[(annotation::HOOK, "PreDelete")]);
    job = job.with(|value| value["metadata"] = json!({"generateName": "bye-", "annotations": value["metadata"]["annotations"]}));
    let plan = plan(&[job], &[]);
    let target = plan.tasks[0].target.as_ref().unwrap().wire();
    assert_eq!(target["metadata"]["name"], "bye-foobarb-predelete");
    assert_eq!(target["metadata"]["labels"], json!({annotation::OPERATION_LABEL: "op-1"}));
    assert_eq!(target["metadata"]["finalizers"], Value::Null);
}

#[test]
fn r1111_waves_of_deletion_hooks_have_no_effect_and_the_person_is_told() {
    let hook = |name, wave| object("Job", name, &[(annotation::HOOK, "PreDelete"), (annotation::SYNC_WAVE, wave)]);
    let told = |objects: &[Object]| plan(objects, &[]).warnings.into_iter().map(|warning| warning.message).collect::<Vec<_>>().join("; ");
    assert!(told(&[hook("a", "0"), hook("b", "1")]).contains("all of them start together"));
    assert_eq!(told(&[hook("a", "1"), hook("b", "1")]), "");
}
