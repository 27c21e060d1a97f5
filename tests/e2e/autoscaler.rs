//! A real HorizontalPodAutoscaler beside a manifest that asks for a number of replicas. Nobody measures anything here; the controller all the
//! same brings a workload to its minimum, and where it would need metrics, the tests scale in its name.

use std::path::PathBuf;

use serde_json::{Value, json};

use crate::support::{Object, ObjectExt, SOON, Space, assert_same, changes, config_map, deployment, eventually, field};

const ALL_RUN: &str = "successfully synced (all tasks run)";
const RESPECT: [&str; 2] = ["--sync-option", "RespectIgnoreDifferences=true"];

fn web() -> Object {
    deployment("web", "touch /tmp/ready; exec sleep 600")
}

fn scaler(minimum: u64) -> Object {
    json!({
        "apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler", "metadata": {"name": "web"},
        "spec": {
            "minReplicas": minimum, "maxReplicas": 4, "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"},
            "metrics": [{"type": "Resource", "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 70}}}],
        },
    })
}

fn replicas(space: &Space) -> Value {
    space.get("deployment/web").unwrap()["spec"]["replicas"].clone()
}

/// Scales as the autoscaler's controller does.
fn scale(space: &Space, replicas: u64) {
    let patch = json!({"spec": {"replicas": replicas}}).to_string();
    let manager = "--field-manager=kube-controller-manager";
    space.kubectl(&["patch", "deployment/web", "--subresource=scale", manager, "--type=merge", "-p", &patch]);
}

fn configured(space: &Space, name: &str, rule: &str) -> PathBuf {
    let text = "[apps.app]\nsource = \"unused\"\n[[apps.app.ignore_differences]]\ngroup = \"apps\"\nkind = \"Deployment\"\n";
    space.write_text(name, &format!("{text}{rule}\n"))
}

/// R722, decision 6: replicas that an autoscaler has set are told as taken from it, and a sync would set them back; ignored, they are no
/// difference, whether a rule names the field or the controller; respected, they stay through a sync that changes the rest.
#[test]
fn r722_replicas_of_a_real_autoscaler_are_taken_ignored_or_kept() {
    let Some(space) = Space::open("scaler") else { return };
    let target = space.write("target", &[web(), scaler(2)]);
    space.sync(&target).run().assert_end(0, "Succeeded", ALL_RUN);
    eventually("the autoscaler scales", SOON, || (replicas(&space) == 2).then_some(()));

    let (code, diff) = space.diff(&target, &[]);
    let found = field(&diff, "web", "spec.replicas");
    assert_eq!((code, changes(&diff)), (Some(1), vec!["Deployment/web configure spec.replicas".to_owned()]));
    assert_eq!(
        (&found["before"], &found["after"], &found["cause"], &found["manager"]),
        (&json!(2), &json!(1), &json!("taken"), &json!("kube-controller-manager"))
    );
    let pointer = configured(&space, "pointer", "json_pointers = [\"/spec/replicas\"]");
    let manager = configured(&space, "manager", "managed_fields_managers = [\"kube-controller-manager\"]");
    let [pointer, manager] = [&pointer, &manager].map(|path| ["--config", path.to_str().unwrap()]);
    for rule in [pointer, manager] {
        assert_same(space.diff(&target, &rule));
    }

    let begin = space.history("apis/apps/v1", "deployments").len();
    let changed = space.write("changed", &[web().with("/metadata/labels", json!({"team": "a"})), scaler(2)]);
    space.sync(&changed).args(&RESPECT).args(&pointer).run().assert_end(0, "Succeeded", ALL_RUN);
    assert_same(space.diff(&changed, &[&RESPECT[..], &pointer].concat()));
    scale(&space, 3);
    for rule in [pointer, manager] {
        assert_same(space.diff(&changed, &rule));
    }
    let again = web().with("/metadata/labels", json!({"team": "b"}));
    space.sync(&space.write("again", &[again, scaler(2)])).args(&RESPECT).args(&pointer).run().assert_end(0, "Succeeded", ALL_RUN);
    let history = space.history("apis/apps/v1", "deployments");
    let counts: Vec<&Value> = history[begin..].iter().map(|change| &change.object["spec"]["replicas"]).collect();
    assert!(counts.iter().all(|count| **count == 2 || **count == 3), "never set back: {counts:?}");
    let live = space.get("deployment/web").unwrap();
    assert_eq!((&live["spec"]["replicas"], &live["metadata"]["labels"]["team"]), (&json!(3), &json!("b")));
}

/// decision 6: without a rule the sync sets them back, as its plan says.
#[test]
fn decision_6_a_sync_without_a_rule_sets_the_replicas_back_and_its_plan_says_so() {
    let Some(space) = Space::open("scaler-back") else { return };
    let target = space.write("target", &[web(), scaler(1)]);
    space.sync(&target).run().assert_end(0, "Succeeded", ALL_RUN);
    scale(&space, 3);
    let plan = space.plan(&target, &[]);
    let task = plan["tasks"].as_array().unwrap().iter().find(|task| task["kind"] == "Deployment").unwrap();
    let effects = task["effects"].to_string();
    assert!(task["action"] == "configure" && effects.contains("scales from 3 to 1 pod"), "{task:#}");
    assert!(effects.contains("HorizontalPodAutoscaler/web") && effects.contains("kube-controller-manager"), "{task:#}");
    space.sync(&target).run().assert_end(0, "Succeeded", ALL_RUN);
    assert_eq!(replicas(&space), 1);
}

/// R413: an autoscaler whose workload is switched off needs no metrics: able to scale, and so Healthy.
#[test]
fn r413_an_autoscaler_of_a_workload_that_is_off_is_healthy() {
    let Some(space) = Space::open("scaler-off") else { return };
    let target = space.write("target", &[web().with("/spec/replicas", 0), scaler(1), config_map("next", "1").wave(1)]);
    let outcome = space.sync(&target).run();
    outcome.assert_end(0, "Succeeded", ALL_RUN);
    let events = outcome.events("task.changed");
    let judged: Vec<&Value> = events.into_iter().filter(|line| line["task"]["kind"] == "HorizontalPodAutoscaler").collect();
    assert!(judged.iter().any(|line| line["health"] == "Progressing"), "it was waited for: {judged:#?}");
    let last = judged.last().unwrap();
    assert_eq!(
        (&last["health"], &last["message"]),
        (&json!("Healthy"), &json!("the HPA controller was able to get the target's current scale"))
    );
}
