use serde_json::json;

use super::*;

#[test]
fn r413_service_and_ingress_wait_for_an_address() {
    let service = |kind: &str, status: Value| object("v1", "Service", json!({"type": kind}), status);
    let ingress = |status: Value| object("networking.k8s.io/v1", "Ingress", json!({}), status);
    let address = json!({"loadBalancer": {"ingress": [{"ip": "192.0.2.1"}]}});
    check(&[
        ("cluster address", service("ClusterIP", json!({"loadBalancer": {}})), Is(Healthy, "")),
        ("no type", fresh("v1", "Service", json!({})), Is(Healthy, "")),
        ("pending", service("LoadBalancer", json!({"loadBalancer": {}})), Is(Progressing, "")),
        ("given", service("LoadBalancer", address.clone()), Is(Healthy, "")),
        (
            "no list",
            service("LoadBalancer", json!({"loadBalancer": {"ingress": "192.0.2.1"}})),
            Fails("status.loadBalancer.ingress is a string"),
        ),
        ("ingress pending", ingress(json!({})), Is(Progressing, "")),
        ("ingress given", ingress(address.clone()), Is(Healthy, "")),
        ("ingress, no list", ingress(json!({"loadBalancer": {"ingress": "x"}})), Is(Progressing, "")),
        ("old group", object("extensions/v1beta1", "Ingress", json!({}), address), Is(Healthy, "")),
    ]);
}

#[test]
fn r413_persistent_volume_claim() {
    let claim = |phase: Value| object("v1", "PersistentVolumeClaim", json!({}), json!({"phase": phase}));
    check(&[
        ("bound", claim(json!("Bound")), Is(Healthy, "")),
        ("pending", claim(json!("Pending")), Is(Progressing, "")),
        ("lost", claim(json!("Lost")), Is(Degraded, "")),
        ("other", claim(json!("Resizing")), Is(Unknown, "")),
        ("no status", fresh("v1", "PersistentVolumeClaim", json!({})), Is(Unknown, "")),
        ("list", claim(json!(["Bound"])), Fails("status.phase is a list where a string belongs")),
    ]);
}

fn condition(kind: &str, status: &str, reason: &str, message: &str) -> Value {
    json!({"type": kind, "status": status, "reason": reason, "message": message})
}

#[test]
fn r413_horizontal_pod_autoscaler_v2() {
    let scaler = |conditions: Value| object("autoscaling/v2", "HorizontalPodAutoscaler", json!({}), json!({"conditions": conditions}));
    let able = condition("AbleToScale", "True", "ReadyForNewScale", "ready");
    let blind = condition("ScalingActive", "False", "FailedGetResourceMetric", "no metrics");
    check(&[
        ("able", scaler(json!([able])), Is(Healthy, "ready")),
        ("limited", scaler(json!([condition("ScalingLimited", "True", "TooFewReplicas", "few")])), Is(Healthy, "few")),
        ("failed", scaler(json!([blind])), Is(Degraded, "no metrics")),
        (
            "failed, whatever the status",
            scaler(json!([condition("AbleToScale", "True", "FailedUpdateScale", "denied")])),
            Is(Degraded, "denied"),
        ),
        ("a failure decides wherever it stands", scaler(json!([able, blind])), Is(Degraded, "no metrics")),
        (
            "nothing said",
            scaler(json!([condition("ScalingActive", "True", "ValidMetricFound", "x")])),
            Is(Progressing, "Waiting to Autoscale"),
        ),
        ("no conditions", scaler(json!([])), Is(Progressing, "Waiting to Autoscale")),
        ("no status", fresh("autoscaling/v2", "HorizontalPodAutoscaler", json!({})), Is(Progressing, "Waiting to Autoscale")),
    ]);
}

#[test]
fn r413_horizontal_pod_autoscaler_v1_reads_its_annotation() {
    let scaler = |noted: Value| {
        let mut scaler = fresh("autoscaling/v1", "HorizontalPodAutoscaler", json!({}));
        scaler["metadata"]["annotations"] = json!({"autoscaling.alpha.kubernetes.io/conditions": noted});
        scaler
    };
    check(&[
        ("able", scaler(json!(r#"[{"type":"AbleToScale","status":"True","message":"ready"}]"#)), Is(Healthy, "ready")),
        ("failed", scaler(json!(r#"[{"type":"AbleToScale","reason":"FailedGetScale","message":"gone"}]"#)), Is(Degraded, "gone")),
        ("empty", scaler(json!("[]")), Is(Progressing, "Waiting to Autoscale")),
        ("absent", fresh("autoscaling/v1", "HorizontalPodAutoscaler", json!({})), Is(Progressing, "Waiting to Autoscale")),
        ("broken", scaler(json!("[{")), Fails("annotation autoscaling.alpha.kubernetes.io/conditions is not JSON")),
        ("no list", scaler(json!("{}")), Fails("is not a list")),
        ("a number in it", scaler(json!("[4]")), Fails("conditions[0] is a number where an object belongs")),
    ]);
}

#[test]
fn pod_disruption_budget() {
    let budget = |conditions: Value| object("policy/v1", "PodDisruptionBudget", json!({}), json!({"conditions": conditions}));
    let enough = condition("DisruptionAllowed", "True", "SufficientPods", "");
    let few = condition("DisruptionAllowed", "False", "InsufficientPods", "");
    let broken = condition("DisruptionAllowed", "False", "SyncFailed", "");
    check(&[
        ("enough", budget(json!([enough])), Is(Healthy, "PodDisruptionBudget has SufficientPods")),
        ("few", budget(json!([few])), Is(Healthy, "PodDisruptionBudget has InsufficientPods")),
        ("broken", budget(json!([broken, enough])), Is(Degraded, "PodDisruptionBudget has SyncFailed")),
        ("no conditions", budget(json!([])), Is(Progressing, "Waiting for status")),
        ("no status", fresh("policy/v1", "PodDisruptionBudget", json!({})), Is(Progressing, "Waiting for status")),
        ("conditions are text", budget(json!("DisruptionAllowed")), Fails("status.conditions is a string where a list belongs")),
    ]);
}

#[test]
fn custom_resource_definition() {
    let crd =
        |conditions: Value| object("apiextensions.k8s.io/v1", "CustomResourceDefinition", json!({}), json!({"conditions": conditions}));
    let named = condition("NamesAccepted", "True", "NoConflicts", "");
    let established = condition("Established", "True", "InitialNamesAccepted", "");
    check(&[
        ("established", crd(json!([named, established])), Is(Healthy, "CRD is healthy")),
        (
            "names taken",
            crd(json!([condition("NamesAccepted", "False", "", "taken")])),
            Is(Degraded, "CRD names have not been accepted: taken"),
        ),
        ("installing", crd(json!([condition("Established", "False", "Installing", "")])), Is(Progressing, "CRD is being installed")),
        ("not established", crd(json!([named])), Is(Degraded, "CRD is not established")),
        (
            "schema",
            crd(json!([established, condition("NonStructuralSchema", "True", "", "x")])),
            Is(Degraded, "Schema violations found: x"),
        ),
        ("terminating", crd(json!([condition("Terminating", "True", "", "y")])), Is(Progressing, "CRD is terminating: y")),
        (
            "the worst counts, wherever it stands",
            crd(json!([condition("Established", "False", "Installing", ""), condition("NamesAccepted", "False", "", "taken")])),
            Is(Degraded, "CRD names have not been accepted: taken"),
        ),
        ("no conditions", crd(json!([])), Is(Progressing, "Status conditions not found")),
        (
            "no status",
            fresh("apiextensions.k8s.io/v1", "CustomResourceDefinition", json!({})),
            Is(Progressing, "Status conditions not found"),
        ),
        (
            "in deletion as a hook",
            deleted(crd(json!([established])), json!(["syncwave.dev/hook-finalizer"])),
            Is(Progressing, "CRD is terminating"),
        ),
    ]);
}

#[test]
fn r413_api_service() {
    let service = |status: Value| object("apiregistration.k8s.io/v1", "APIService", json!({}), status);
    check(&[
        ("available", service(json!({"conditions": [condition("Available", "True", "Passed", "ok")]})), Is(Healthy, "Passed: ok")),
        (
            "not yet",
            service(json!({"conditions": [condition("Available", "False", "MissingEndpoints", "none")]})),
            Is(Progressing, "MissingEndpoints: none"),
        ),
        ("absent", service(json!({})), Is(Progressing, "Waiting to be processed")),
        ("no status", fresh("apiregistration.k8s.io/v1", "APIService", json!({})), Is(Progressing, "Waiting to be processed")),
        ("half", service(json!({"conditions": [{"type": "Available"}]})), Is(Progressing, ": ")),
        ("a condition is text", service(json!({"conditions": ["Available"]})), Fails("status.conditions[0] is a string")),
    ]);
}

#[test]
fn r413_argo_workflow() {
    let workflow = |status: Value| object("argoproj.io/v1alpha1", "Workflow", json!({}), status);
    check(&[
        ("new", workflow(json!({})), Is(Progressing, "")),
        ("no status", fresh("argoproj.io/v1alpha1", "Workflow", json!({})), Is(Progressing, "")),
        ("running", workflow(json!({"phase": "Running", "message": "step 1"})), Is(Progressing, "step 1")),
        ("done", workflow(json!({"phase": "Succeeded"})), Is(Healthy, "")),
        ("failed", workflow(json!({"phase": "Failed", "message": "step 2"})), Is(Degraded, "step 2")),
        ("error", workflow(json!({"phase": "Error"})), Is(Degraded, "")),
        ("other", workflow(json!({"phase": "Odd"})), Is(Unknown, "")),
        ("a phase is a number", workflow(json!({"phase": 1})), Fails("status.phase is a number where a string belongs")),
        ("a message is a list", workflow(json!({"phase": "Running", "message": []})), Fails("status.message is a list")),
    ]);
}

#[test]
fn argo_rollout_says_its_phase() {
    let rollout = |status: Value| object("argoproj.io/v1alpha1", "Rollout", json!({}), status);
    let lag = "Waiting for rollout spec update to be observed";
    check(&[
        ("healthy", rollout(json!({"observedGeneration": "2", "phase": "Healthy"})), Is(Healthy, "")),
        ("paused", rollout(json!({"observedGeneration": "2", "phase": "Paused", "message": "step"})), Is(Suspended, "step")),
        ("degraded", rollout(json!({"observedGeneration": "2", "phase": "Degraded", "message": "aborted"})), Is(Degraded, "aborted")),
        ("not observed", rollout(json!({"observedGeneration": "1", "phase": "Healthy"})), Is(Progressing, lag)),
        ("of a later generation", rollout(json!({"observedGeneration": "3", "phase": "Healthy"})), Is(Progressing, lag)),
        ("no word for health", rollout(json!({"phase": "Odd"})), Is(Unknown, "Lua returned an invalid health status")),
        ("a hash is accepted", rollout(json!({"observedGeneration": "7d9f8", "phase": "Healthy"})), Is(Healthy, "")),
        ("no status", fresh("argoproj.io/v1alpha1", "Rollout", json!({})), Is(Progressing, lag)),
    ]);
    let mut borrowed = object(
        "argoproj.io/v1alpha1",
        "Rollout",
        json!({"workloadRef": {"name": "web"}}),
        json!({"phase": "Healthy", "workloadObservedGeneration": "3"}),
    );
    borrowed["metadata"]["annotations"] = json!({"rollout.argoproj.io/workload-generation": "4"});
    check(&[("workload not observed", borrowed, Is(Progressing, lag))]);
}

/// Controllers before 1.0 write no phase.
fn old_rollout(strategy: Value, status: Value) -> Value {
    let mut rollout = object("argoproj.io/v1alpha1", "Rollout", json!({"replicas": 3, "strategy": strategy}), status);
    let fields = rollout["status"].as_object_mut().unwrap();
    fields.entry("observedGeneration").or_insert(json!("66d9f7f8c"));
    fields.entry("currentPodHash").or_insert(json!("new"));
    rollout
}

fn counters(updated: i64, total: i64, available: i64, more: Value) -> Value {
    let mut status = json!({"updatedReplicas": updated, "replicas": total, "availableReplicas": available});
    status.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    status
}

#[test]
fn an_argo_rollout_without_a_phase_is_judged_by_its_conditions_and_pauses() {
    let canary = |status: Value| old_rollout(json!({"canary": {}}), status);
    let with = |item: Value| canary(counters(3, 3, 3, json!({"stableRS": "new", "conditions": [item]})));
    check(&[
        ("spec", with(condition("InvalidSpec", "True", "InvalidSpec", "no selector")), Is(Degraded, "no selector")),
        ("spec was invalid", with(condition("InvalidSpec", "False", "", "")), Is(Healthy, "")),
        ("aborted", with(condition("Progressing", "False", "RolloutAborted", "by an analysis")), Is(Degraded, "by an analysis")),
        ("late", with(condition("Progressing", "False", "ProgressDeadlineExceeded", "too late")), Is(Degraded, "too late")),
        ("progresses", with(condition("Progressing", "True", "NewReplicaSetAvailable", "")), Is(Healthy, "")),
        (
            "paused by a step",
            canary(json!({"pauseConditions": [{"reason": "CanaryPauseStep", "startTime": "2026-03-01T09:00:00Z"}]})),
            Is(Suspended, "Rollout is paused"),
        ),
        ("no pauses", canary(counters(3, 3, 3, json!({"stableRS": "new", "pauseConditions": null}))), Is(Healthy, "")),
        ("pauses are text", canary(json!({"pauseConditions": "BlueGreenPause"})), Fails("status.pauseConditions is a string")),
        ("conditions are text", canary(json!({"conditions": "InvalidSpec"})), Fails("status.conditions is a string")),
    ]);
    let mut paused = canary(counters(1, 3, 3, json!({})));
    paused["spec"]["paused"] = json!(true);
    check(&[("paused by a person", paused, Is(Suspended, "Rollout is paused"))]);
}

#[test]
fn an_argo_rollout_without_a_phase_is_judged_by_its_pods_and_its_switch() {
    let canary = |status: Value| old_rollout(json!({"canary": {}}), status);
    let blue_green = |status: Value| old_rollout(json!({"blueGreen": {"activeService": "web"}}), status);
    check(&[
        ("nothing known", canary(json!({"currentPodHash": ""})), Is(Progressing, "Waiting for the rollout controller to report a phase")),
        (
            "new pods",
            canary(counters(1, 3, 3, json!({}))),
            Is(Progressing, "Waiting for rollout to finish: 1 out of 3 new replicas have been updated..."),
        ),
        ("no counters", canary(json!({})), Is(Progressing, "Waiting for rollout to finish: 0 out of 3 new replicas have been updated...")),
        (
            "old pods",
            canary(counters(3, 4, 3, json!({}))),
            Is(Progressing, "Waiting for rollout to finish: 1 old replicas are pending termination..."),
        ),
        (
            "not available",
            canary(counters(3, 3, 2, json!({}))),
            Is(Progressing, "Waiting for rollout to finish: 2 of 3 updated replicas are available..."),
        ),
        (
            "steps left",
            canary(counters(3, 3, 3, json!({"stableRS": "old"}))),
            Is(Progressing, "Waiting for the canary to take its last step"),
        ),
        ("no stable set", canary(counters(3, 3, 3, json!({}))), Is(Progressing, "Waiting for the canary to take its last step")),
        ("all steps", canary(counters(3, 3, 3, json!({"stableRS": "new"}))), Is(Healthy, "")),
        ("all steps, in the older place", canary(counters(3, 3, 3, json!({"canary": {"stableRS": "new"}}))), Is(Healthy, "")),
        ("old pods stay a while", blue_green(counters(3, 6, 3, json!({"blueGreen": {"activeSelector": "new"}}))), Is(Healthy, "")),
        (
            "not switched",
            blue_green(counters(3, 6, 3, json!({"blueGreen": {"activeSelector": "old"}}))),
            Is(Progressing, "Waiting for the active service to select the new pods"),
        ),
        (
            "never switched",
            blue_green(counters(3, 3, 3, json!({}))),
            Is(Progressing, "Waiting for the active service to select the new pods"),
        ),
        (
            "a counter is text",
            canary(json!({"updatedReplicas": "3"})),
            Fails("status.updatedReplicas is a string where a whole number belongs"),
        ),
        ("a phase beats all of this", canary(counters(0, 0, 0, json!({"phase": "Healthy"}))), Is(Healthy, "")),
    ]);
}
