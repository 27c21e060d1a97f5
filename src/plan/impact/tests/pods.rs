//! Which changes replace pods, and how.

use serde_json::{Value, json};

use super::{Facts, Stage, object, with};
use crate::plan::diff::{IgnoreFields, IgnoreRule, Pair};
use crate::plan::impact::impacts;

fn pod(image: &str) -> Value {
    json!({"spec": {"containers": [{"name": "app", "image": image}]}})
}

/// What a new image does to an object with this spec.
fn rolled(kind: &str, spec: &Value) -> String {
    rolled_with(kind, spec, |_| {})
}

fn rolled_with(kind: &str, spec: &Value, facts: impl Fn(&mut Facts)) -> String {
    let before = with(&object(kind, json!({"spec": spec})), "/spec/template", pod("app:1"));
    let after = with(&before, "/spec/template", pod("app:2"));
    let told = Stage::changed(&before, &after).facts(facts).told();
    assert_eq!(told.len(), 1, "{told:?}");
    told[0].clone()
}

#[test]
fn a_deployment_rolls_as_many_pods_as_it_asks_for_in_the_manner_of_its_strategy() {
    let rolling = |surge: Value, down: Value| json!({"rollingUpdate": {"maxSurge": surge, "maxUnavailable": down}});
    for (spec, expected) in [
        (json!({"replicas": 3}), "rolls 3 pods (+1 surge, 0 down)"),
        (json!({}), "rolls 1 pod (+1 surge, 0 down)"),
        (json!({"replicas": 10, "strategy": rolling(json!("25%"), json!("25%"))}), "rolls 10 pods (+3 surge, 2 down)"),
        (json!({"replicas": 3, "strategy": rolling(json!(0), json!(1))}), "rolls 3 pods (+0 surge, 1 down)"),
        (json!({"replicas": 3, "strategy": rolling(json!(0), json!("1%"))}), "rolls 3 pods (+0 surge, 1 down)"),
        (json!({"replicas": 2, "strategy": rolling(json!(5), json!(9))}), "rolls 2 pods (+5 surge, 2 down)"),
        (json!({"replicas": 3, "strategy": {"type": "Recreate"}}), "rolls 3 pods, which all go down first (Recreate)"),
        (json!({"replicas": 1, "strategy": {"type": "Recreate"}}), "rolls 1 pod, which goes down first (Recreate)"),
        (json!({"replicas": 0}), "rolls nothing, it has no pods"),
        (json!({"replicas": 3, "paused": true}), "rolls nothing until it is resumed (spec.paused)"),
    ] {
        assert_eq!(rolled("apps/v1/Deployment", &spec), format!("image changed: {expected}"), "{spec}");
    }
}

#[test]
fn a_stateful_set_rolls_from_the_highest_number_down_to_its_partition() {
    let strategy = |fields: Value| json!({"replicas": 5, "updateStrategy": {"rollingUpdate": fields}});
    for (spec, expected) in [
        (json!({"replicas": 3}), "rolls 3 pods one by one, the highest number first"),
        (strategy(json!({"partition": 0})), "rolls 5 pods one by one, the highest number first"),
        (strategy(json!({"partition": 3})), "rolls 2 pods one by one, the highest number first, down to number 3 (partition)"),
        (strategy(json!({"partition": 5})), "rolls nothing, all pods are below the partition of 5"),
        (strategy(json!({"maxUnavailable": "40%"})), "rolls 5 pods 2 at a time, the highest number first"),
        (
            json!({"replicas": 3, "ordinals": {"start": 10}, "updateStrategy": {"rollingUpdate": {"partition": 12}}}),
            "rolls 1 pod one by one, the highest number first, down to number 12 (partition)",
        ),
        (json!({"replicas": 3, "updateStrategy": {"type": "OnDelete"}}), "rolls nothing until the pods are deleted (OnDelete)"),
        (json!({"replicas": 0}), "rolls nothing, it has no pods"),
    ] {
        assert_eq!(rolled("apps/v1/StatefulSet", &spec), format!("image changed: {expected}"), "{spec}");
    }
}

#[test]
fn a_daemon_set_rolls_one_pod_for_each_node_that_it_is_for() {
    let percent = json!({"updateStrategy": {"rollingUpdate": {"maxUnavailable": "30%", "maxSurge": 0}}});
    for (spec, nodes, expected) in [
        (json!({}), Some(4), "rolls 4 pods (+0 surge, 1 down)"),
        (percent.clone(), Some(4), "rolls 4 pods (+0 surge, 2 down)"),
        (percent, None, "rolls its pods"),
        (json!({}), Some(0), "rolls nothing, it has no pods"),
        (json!({"updateStrategy": {"type": "OnDelete"}}), Some(4), "rolls nothing until the pods are deleted (OnDelete)"),
    ] {
        let told = rolled_with("apps/v1/DaemonSet", &spec, |facts| facts.scheduled = nodes);
        assert_eq!(told, format!("image changed: {expected}"), "{spec} {nodes:?}");
    }
    let live = json!({"status": {"desiredNumberScheduled": 7}});
    assert_eq!(Facts::of(&live).scheduled, Some(7));
}

#[test]
fn other_objects_with_pods_have_manners_of_their_own() {
    let blue_green = |by_hand: bool| json!({"replicas": 2, "strategy": {"blueGreen": {"autoPromotionEnabled": !by_hand}}});
    for (kind, spec, expected) in [
        (
            "argoproj.io/v1alpha1/Rollout",
            json!({"replicas": 4, "strategy": {"canary": {"steps": [{}, {}]}}}),
            "rolls 4 pods in 2 steps (canary)",
        ),
        ("argoproj.io/v1alpha1/Rollout", json!({"replicas": 4}), "rolls 4 pods (canary without steps)"),
        ("argoproj.io/v1alpha1/Rollout", blue_green(false), "rolls 2 pods, the new ones beside the old ones first (blueGreen)"),
        ("argoproj.io/v1alpha1/Rollout", blue_green(true), "starts 2 pods beside the old ones and waits for a promotion (blueGreen)"),
        ("argoproj.io/v1alpha1/Rollout", json!({"paused": true}), "rolls nothing until it is resumed (spec.paused)"),
        ("apps/v1/ReplicaSet", json!({"replicas": 2}), "rolls nothing, only new pods have it"),
        ("v1/ReplicationController", json!({"replicas": 2}), "rolls nothing, only new pods have it"),
    ] {
        assert_eq!(rolled(kind, &spec), format!("image changed: {expected}"), "{kind} {spec}");
    }
}

#[test]
fn a_cron_job_changes_its_future_runs_and_a_pod_its_containers() {
    let cron = object("batch/v1/CronJob", json!({"spec": {"schedule": "* * * * *", "jobTemplate": {"spec": {"template": pod("app:1")}}}}));
    let image = with(&cron, "/spec/jobTemplate/spec/template", pod("app:2"));
    assert_eq!(Stage::changed(&cron, &image).told(), ["image changed: concerns future runs only"]);
    let hourly = with(&cron, "/spec/schedule", json!("0 * * * *"));
    assert_eq!(Stage::changed(&cron, &hourly).told(), ["no pod restarts"]);

    let pod = object("Pod", json!({"spec": {"containers": [{"name": "a", "image": "x:1"}, {"name": "b", "image": "x:1"}]}}));
    let told = Stage::changed(&pod, &with(&pod, "/spec/containers/1/image", json!("x:2"))).told();
    assert_eq!(told, ["image changed: restarts container b in place"]);
}

#[test]
fn what_rolls_the_pods_is_an_image_or_something_else_of_the_template() {
    let before = object("apps/v1/Deployment", json!({"spec": {"replicas": 2, "template": pod("app:1")}}));
    let env = with(&before, "/spec/template/spec/containers/0/env", json!([{"name": "A", "value": "1"}]));
    let annotated = with(&before, "/spec/template/metadata", json!({"annotations": {"checksum/config": "1"}}));
    for after in [env, annotated] {
        assert_eq!(Stage::changed(&before, &after).told(), ["pod template changed: rolls 2 pods (+1 surge, 0 down)"]);
    }
}

#[test]
fn replicas_scale_and_an_autoscaler_is_named_that_scales_again() {
    let web = |replicas: u64| object("apps/v1/Deployment", json!({"spec": {"replicas": replicas, "template": pod("app:1")}}));
    let told = |from, to| Stage::changed(&web(from), &web(to)).told();
    assert_eq!(told(3, 5), ["scales from 3 to 5 pods"]);
    assert_eq!(told(3, 1), ["scales from 3 to 1 pod"]);
    assert_eq!(told(3, 0), ["scales from 3 to 0 pods, none is left"]);

    let autoscaler = |most: u64| {
        let target = json!({"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"});
        object("autoscaling/v2/HorizontalPodAutoscaler", json!({"spec": {"scaleTargetRef": target, "maxReplicas": most}}))
    };
    let stage = Stage::changed(&web(7), &web(3)).with(&autoscaler(9), &autoscaler(12), crate::plan::Action::Configure);
    assert_eq!(
        stage.told(),
        ["scales from 7 to 3 pods; HorizontalPodAutoscaler/web scales it again", "keeps 1 to 12 pods instead of 1 to 9"]
    );
}

#[test]
fn a_pause_and_its_end_are_told() {
    for (kind, field, [on, off]) in [
        (
            "apps/v1/Deployment",
            "paused",
            ["paused: changes of the pod template roll nothing from now on", "resumed: rolls what has changed while it was paused"],
        ),
        ("batch/v1/CronJob", "suspend", ["suspended: no more runs start", "resumed: runs start again"]),
        ("batch/v1/Job", "suspend", ["suspended: its running pods are deleted", "resumed: its pods start"]),
    ] {
        let at = |is_on: bool| object(kind, json!({"spec": {field: is_on}}));
        assert_eq!(Stage::changed(&at(false), &at(true)).told(), [on], "{kind}");
        assert_eq!(Stage::changed(&at(true), &at(false)).told(), [off], "{kind}");
    }
}

#[test]
fn that_no_pod_restarts_is_said_only_of_fields_that_are_known_to_spare_them() {
    for (kind, field, is_said) in [
        ("apps/v1/Deployment", "revisionHistoryLimit", true),
        ("apps/v1/Deployment", "strategy", true),
        ("apps/v1/Deployment", "somethingNew", false),
        ("apps/v1/StatefulSet", "minReadySeconds", true),
        // A lower partition lets a roll go on that has waited.
        ("apps/v1/StatefulSet", "updateStrategy", false),
        ("argoproj.io/v1alpha1/Rollout", "restartAt", false),
        ("example.com/v1/Widget", "minReadySeconds", false),
    ] {
        let at = |value: u64| object(kind, json!({"spec": {field: {"a": value}}}));
        let expected: &[&str] = if is_said { &["no pod restarts"] } else { &[] };
        assert_eq!(Stage::changed(&at(1), &at(2)).told(), expected, "{kind} {field}");
    }
}

/// Hides what is below one field.
struct Hidden(&'static str);

impl IgnoreFields for Hidden {
    fn rules(&self) -> Vec<&dyn IgnoreRule> {
        vec![self]
    }
}

impl IgnoreRule for Hidden {
    fn name(&self) -> String {
        "ignore_differences[0]".to_owned()
    }

    fn strip(&self, pair: &mut Pair<'_>) -> Result<bool, String> {
        for side in [&mut *pair.before, &mut *pair.after] {
            side["spec"].as_object_mut().unwrap().remove(self.0);
        }
        Ok(true)
    }
}

#[test]
fn what_is_ignored_is_not_shown_and_still_written() {
    let before = object("apps/v1/Deployment", json!({"spec": {"replicas": 2, "minReadySeconds": 1, "template": pod("app:1")}}));
    let told = |after: &Value, hidden| {
        let stage = Stage::changed(&before, after);
        stage.play(&Hidden(hidden), |scene| impacts(scene).into_values().flatten().map(|impact| impact.to_string()).collect::<Vec<_>>())
    };
    let only = "only ignored fields differ; the sync writes them all the same, unless RespectIgnoreDifferences=true is set";
    assert_eq!(told(&with(&before, "/spec/minReadySeconds", json!(2)), "minReadySeconds"), [only]);
    let rolled = told(&with(&before, "/spec/template", pod("app:2")), "template");
    assert_eq!(rolled.last().map(String::as_str), Some(only));
    assert!(rolled[0].contains("rolls 2 pods"), "{rolled:?}");
}
