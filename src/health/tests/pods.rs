use serde_json::json;

use super::*;

fn pod(policy: &str, status: Value) -> Value {
    object("v1", "Pod", json!({"restartPolicy": policy}), status)
}

fn noted(mut pod: Value, annotations: Value) -> Value {
    pod["metadata"]["annotations"] = annotations;
    pod
}

fn waiting(reason: &str, message: &str) -> Value {
    json!({"name": "main", "state": {"waiting": {"reason": reason, "message": message}}})
}

fn ended(terminated: Value) -> Value {
    json!({"name": "main", "state": {"terminated": terminated}})
}

#[test]
fn r413_the_phase_of_a_pod() {
    check(&[
        ("pending", pod("Never", json!({"phase": "Pending"})), Is(Progressing, "")),
        ("succeeded", pod("Never", json!({"phase": "Succeeded", "message": "bye"})), Is(Healthy, "bye")),
        ("runs to an end", pod("Never", json!({"phase": "Running"})), Is(Progressing, "")),
        ("runs to an end", pod("OnFailure", json!({"phase": "Running"})), Is(Progressing, "")),
        ("no phase", pod("Never", json!({})), Is(Unknown, "")),
        ("no status", fresh("v1", "Pod", json!({"restartPolicy": "Always"})), Is(Unknown, "")),
        ("lost", pod("Always", json!({"phase": "Unknown", "message": "node is gone"})), Is(Unknown, "node is gone")),
        ("no policy", object("v1", "Pod", json!({}), json!({"phase": "Running"})), Is(Unknown, "")),
        ("phase is a number", pod("Never", json!({"phase": 1})), Fails("Pod shop/web: status.phase is a number where a string belongs")),
        ("status is a list", pod("Never", json!([])), Fails("status is a list where an object belongs")),
        ("a container is text", pod("Always", json!({"containerStatuses": ["x"]})), Fails("status.containerStatuses[] is a string")),
        (
            "an exit code is text",
            pod("Never", json!({"phase": "Failed", "containerStatuses": [ended(json!({"exitCode": "1"}))]})),
            Fails("status.containerStatuses[].state.terminated.exitCode is a string"),
        ),
    ]);
}

#[test]
fn r413_a_running_pod_that_restarts_is_judged_by_readiness() {
    let ready = |status: &str| json!([{"type": "Initialized", "status": "True"}, {"type": "Ready", "status": status}]);
    let crashed = json!([{"name": "main", "lastState": {"terminated": {"exitCode": 1}}}]);
    check(&[
        ("ready", pod("Always", json!({"phase": "Running", "conditions": ready("True")})), Is(Healthy, "")),
        ("not yet", pod("Always", json!({"phase": "Running", "conditions": ready("False")})), Is(Progressing, "")),
        (
            "ended before",
            pod("Always", json!({"phase": "Running", "conditions": ready("False"), "containerStatuses": crashed})),
            Is(Degraded, ""),
        ),
        (
            "ended before but ready",
            pod("Always", json!({"phase": "Running", "conditions": ready("True"), "containerStatuses": crashed})),
            Is(Healthy, ""),
        ),
    ]);
}

#[test]
fn r413_waiting_containers_degrade_only_pods_that_restart() {
    let stuck = |reason: &str| json!({"phase": "Pending", "containerStatuses": [waiting(reason, "no such image"), waiting("ErrImagePull", "again")]});
    let init = json!({"phase": "Pending", "initContainerStatuses": [waiting("CrashLoopBackOff", "init")]});
    check(&[
        ("back-off", pod("Always", stuck("ImagePullBackOff")), Is(Degraded, "no such image, again")),
        ("error", pod("Always", stuck("CreateContainerConfigError")), Is(Degraded, "no such image, again")),
        (
            "harmless",
            pod("Always", json!({"phase": "Pending", "containerStatuses": [waiting("ContainerCreating", "")]})),
            Is(Progressing, ""),
        ),
        ("a hook waits for its image", pod("Never", stuck("ImagePullBackOff")), Is(Progressing, "")),
        ("init containers are not looked at", pod("Always", init), Is(Progressing, "")),
    ]);
}

#[test]
fn r413_the_annotation_counts_for_pods_that_are_no_hooks() {
    let stuck = pod("Never", json!({"phase": "Pending", "containerStatuses": [waiting("ErrImagePull", "no such image")]}));
    let ignore = |more: &str| json!({"argocd.argoproj.io/ignore-restart-policy": "true", more: "PreSync"});
    check(&[
        ("plain", noted(stuck.clone(), ignore("other")), Is(Degraded, "no such image")),
        ("hook", noted(stuck.clone(), ignore("argocd.argoproj.io/hook")), Is(Progressing, "")),
        ("helm hook", noted(stuck.clone(), ignore("helm.sh/hook")), Is(Progressing, "")),
        ("false", noted(stuck, json!({"argocd.argoproj.io/ignore-restart-policy": "false"})), Is(Progressing, "")),
        (
            "running",
            noted(
                pod("Never", json!({"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]})),
                json!({"argocd.argoproj.io/ignore-restart-policy": "true"}),
            ),
            Is(Healthy, ""),
        ),
    ]);
}

#[test]
fn r413_a_failed_pod_says_the_first_reason_it_has() {
    let failed = |message: &str, init: Value, main: Value| {
        pod("Never", json!({"phase": "Failed", "message": message, "initContainerStatuses": [init], "containerStatuses": [main]}))
    };
    let fine = || ended(json!({"exitCode": 0}));
    check(&[
        ("pod's own", failed("evicted", fine(), ended(json!({"exitCode": 1}))), Is(Degraded, "evicted")),
        ("termination message", failed("", fine(), ended(json!({"exitCode": 1, "message": "no db"}))), Is(Degraded, "no db")),
        ("memory", failed("", fine(), ended(json!({"exitCode": 137, "reason": "OOMKilled"}))), Is(Degraded, "OOMKilled")),
        ("exit code", failed("", fine(), ended(json!({"exitCode": 1}))), Is(Degraded, "container \"main\" failed with exit code 1")),
        (
            "init first",
            failed("", ended(json!({"exitCode": 3})), ended(json!({"message": "late"}))),
            Is(Degraded, "container \"main\" failed with exit code 3"),
        ),
        ("nothing known", failed("", fine(), json!({})), Is(Degraded, "")),
    ]);
}
