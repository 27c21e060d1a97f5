use serde_json::json;

use super::*;

fn deployment(spec: Value, status: Value) -> Value {
    object("apps/v1", "Deployment", spec, status)
}

fn rolled_out(updated: i64, total: i64, available: i64) -> Value {
    deployment(
        json!({"replicas": 3}),
        json!({"observedGeneration": 2, "updatedReplicas": updated, "replicas": total, "availableReplicas": available}),
    )
}

#[test]
fn r413_deployment() {
    let late =
        json!({"observedGeneration": 2, "conditions": [{"type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded"}]});
    check(&[
        ("rolled out", rolled_out(3, 3, 3), Is(Healthy, "")),
        ("paused", deployment(json!({"paused": true}), json!({})), Is(Suspended, "Deployment is paused")),
        (
            "not observed",
            deployment(json!({}), json!({"observedGeneration": 1})),
            Is(Progressing, "Waiting for rollout to finish: observed deployment generation less than desired generation"),
        ),
        ("late", deployment(json!({"replicas": 1}), late), Is(Degraded, "Deployment \"web\" exceeded its progress deadline")),
        ("half", rolled_out(1, 3, 1), Is(Progressing, "Waiting for rollout to finish: 1 out of 3 new replicas have been updated...")),
        ("old pods", rolled_out(3, 5, 3), Is(Progressing, "Waiting for rollout to finish: 2 old replicas are pending termination...")),
        ("not ready", rolled_out(3, 3, 0), Is(Progressing, "Waiting for rollout to finish: 0 of 3 updated replicas are available...")),
        ("no replicas wanted", deployment(json!({}), json!({"observedGeneration": 2})), Is(Healthy, "")),
        (
            "no status",
            fresh("apps/v1", "Deployment", json!({"replicas": 1})),
            Is(Progressing, "Waiting for rollout to finish: observed deployment generation less than desired generation"),
        ),
        ("status is text", deployment(json!({}), json!("ok")), Fails("Deployment shop/web: status is a string where an object belongs")),
        (
            "replicas are text",
            deployment(json!({"replicas": "3"}), json!({"observedGeneration": 2})),
            Fails("spec.replicas is a string where a whole number belongs"),
        ),
        (
            "conditions are no list",
            deployment(json!({}), json!({"observedGeneration": 2, "conditions": {"type": "Available"}})),
            Fails("status.conditions is an object where a list belongs"),
        ),
        (
            "a condition is a number",
            deployment(json!({}), json!({"observedGeneration": 2, "conditions": [null, 7]})),
            Fails("status.conditions[1] is a number where an object belongs"),
        ),
    ]);
}

fn stateful_set(strategy: Value, status: Value) -> Value {
    object("apps/v1", "StatefulSet", json!({"replicas": 3, "updateStrategy": strategy}), status)
}

#[test]
fn r413_stateful_set() {
    let revisions = |update: &str| json!({"observedGeneration": 2, "readyReplicas": 3, "updatedReplicas": 2, "currentReplicas": 3, "currentRevision": "web-1", "updateRevision": update});
    let rolling = json!({"type": "RollingUpdate", "rollingUpdate": {"partition": 0}});
    check(&[
        (
            "done",
            stateful_set(json!({"type": "RollingUpdate"}), revisions("web-1")),
            Is(Healthy, "statefulset rolling update complete 3 pods at revision web-1..."),
        ),
        (
            "two revisions",
            stateful_set(json!({"type": "RollingUpdate"}), revisions("web-2")),
            Is(Progressing, "waiting for statefulset rolling update to complete 2 pods at revision web-2..."),
        ),
        (
            "partition",
            stateful_set(rolling, revisions("web-2")),
            Is(Progressing, "Waiting for partitioned roll out to finish: 2 out of 3 new pods have been updated..."),
        ),
        (
            "partition reached",
            stateful_set(json!({"type": "RollingUpdate", "rollingUpdate": {"partition": 1}}), revisions("web-2")),
            Is(Healthy, "partitioned roll out complete: 2 new pods have been updated..."),
        ),
        (
            "block without partition",
            stateful_set(json!({"type": "RollingUpdate", "rollingUpdate": {}}), revisions("web-2")),
            Is(Healthy, "partitioned roll out complete: 2 new pods have been updated..."),
        ),
        ("on delete", stateful_set(json!({"type": "OnDelete"}), revisions("web-2")), Is(Healthy, "statefulset has 3 ready pods")),
        (
            "not ready",
            stateful_set(json!({}), json!({"observedGeneration": 2, "readyReplicas": 1})),
            Is(Progressing, "Waiting for 2 pods to be ready..."),
        ),
        (
            "not observed",
            stateful_set(json!({}), json!({"observedGeneration": 1})),
            Is(Progressing, "Waiting for statefulset spec update to be observed..."),
        ),
        ("no status", fresh("apps/v1", "StatefulSet", json!({})), Is(Progressing, "Waiting for statefulset spec update to be observed...")),
        (
            "a count is text",
            stateful_set(json!({}), json!({"observedGeneration": 2, "readyReplicas": "3"})),
            Fails("status.readyReplicas is a string"),
        ),
        ("half a status", stateful_set(json!({}), json!({"observedGeneration": 2})), Is(Progressing, "Waiting for 3 pods to be ready...")),
        ("strategy is text", stateful_set(json!("OnDelete"), revisions("web-1")), Fails("spec.updateStrategy is a string")),
    ]);
}

#[test]
fn r413_daemon_set() {
    let on = |strategy: &str, status: Value| object("apps/v1", "DaemonSet", json!({"updateStrategy": {"type": strategy}}), status);
    let counts = |updated: i64, available: i64| json!({"observedGeneration": 2, "desiredNumberScheduled": 4, "updatedNumberScheduled": updated, "numberAvailable": available});
    check(&[
        ("done", on("RollingUpdate", counts(4, 4)), Is(Healthy, "")),
        ("on delete", on("OnDelete", counts(1, 0)), Is(Healthy, "daemon set 1 out of 4 new pods have been updated")),
        (
            "updating",
            on("RollingUpdate", counts(1, 4)),
            Is(Progressing, "Waiting for daemon set \"web\" rollout to finish: 1 out of 4 new pods have been updated..."),
        ),
        (
            "starting",
            on("RollingUpdate", counts(4, 3)),
            Is(Progressing, "Waiting for daemon set \"web\" rollout to finish: 3 of 4 updated pods are available..."),
        ),
        (
            "not observed",
            on("RollingUpdate", json!({"observedGeneration": 1})),
            Is(Progressing, "Waiting for rollout to finish: observed daemon set generation less than desired generation"),
        ),
        ("half a status", on("RollingUpdate", json!({"observedGeneration": 2})), Is(Healthy, "")),
        (
            "no status",
            fresh("apps/v1", "DaemonSet", json!({})),
            Is(Progressing, "Waiting for rollout to finish: observed daemon set generation less than desired generation"),
        ),
        (
            "a count is true",
            on("RollingUpdate", json!({"observedGeneration": 2, "numberAvailable": true})),
            Fails("status.numberAvailable"),
        ),
    ]);
}

#[test]
fn r413_replica_set() {
    let set = |status: Value| object("apps/v1", "ReplicaSet", json!({"replicas": 2}), status);
    let failure = |status: &str| json!({"observedGeneration": 2, "availableReplicas": 2, "conditions": [{"type": "ReplicaFailure", "status": status, "message": "quota"}]});
    check(&[
        ("done", set(json!({"observedGeneration": 2, "availableReplicas": 2})), Is(Healthy, "")),
        ("failure", set(failure("True")), Is(Degraded, "quota")),
        ("failure is over", set(failure("False")), Is(Healthy, "")),
        (
            "starting",
            set(json!({"observedGeneration": 2, "availableReplicas": 1})),
            Is(Progressing, "Waiting for rollout to finish: 1 out of 2 new replicas are available..."),
        ),
        (
            "no status",
            fresh("apps/v1", "ReplicaSet", json!({})),
            Is(Progressing, "Waiting for rollout to finish: observed replica set generation less than desired generation"),
        ),
        ("a count is text", set(json!({"observedGeneration": 2, "availableReplicas": "2"})), Fails("status.availableReplicas is a string")),
        ("a condition is a number", set(json!({"observedGeneration": 2, "conditions": [4]})), Fails("status.conditions[0] is a number")),
        (
            "not observed",
            set(json!({})),
            Is(Progressing, "Waiting for rollout to finish: observed replica set generation less than desired generation"),
        ),
    ]);
}

#[test]
fn r413_job_looks_at_condition_types() {
    let job = |conditions: Value| object("batch/v1", "Job", json!({}), json!({"conditions": conditions}));
    let of = |kind: &str, status: &str, message: &str| json!({"type": kind, "status": status, "message": message});
    let limit = of("Failed", "True", "Job has reached the specified backoff limit");
    let reached = of("Complete", "True", "Reached expected number of succeeded pods");
    check(&[
        ("running", job(json!([])), Is(Progressing, "")),
        ("no status", fresh("batch/v1", "Job", json!({})), Is(Progressing, "")),
        ("complete", job(json!([of("SuccessCriteriaMet", "True", ""), reached])), Is(Healthy, "Reached expected number of succeeded pods")),
        (
            "failed",
            job(json!([of("FailureTarget", "True", "x"), limit.clone()])),
            Is(Degraded, "Job has reached the specified backoff limit"),
        ),
        ("failed beats complete", job(json!([reached, limit])), Is(Degraded, "Job has reached the specified backoff limit")),
        ("only a target", job(json!([of("FailureTarget", "True", "x")])), Is(Progressing, "")),
        ("suspended", job(json!([of("Suspended", "True", "Job suspended")])), Is(Suspended, "Job suspended")),
        ("r1541: resumed goes on", job(json!([of("Suspended", "False", "Job resumed")])), Is(Progressing, "")),
        ("conditions are text", job(json!("Complete")), Fails("Job shop/web: status.conditions is a string where a list belongs")),
        ("a type is a number", job(json!([{"type": 1}])), Fails("status.conditions[0].type is a number where a string belongs")),
    ]);
}

#[test]
fn r413_cron_job() {
    let cron = |status: Value| object("batch/v1", "CronJob", json!({"schedule": "* * * * *"}), status);
    let (early, late) = ("2026-03-01T09:00:00Z", "2026-03-01T09:05:00Z");
    check(&[
        ("suspended", object("batch/v1", "CronJob", json!({"suspend": true}), json!({})), Is(Healthy, "CronJob is Suspended")),
        ("no status", fresh("batch/v1", "CronJob", json!({})), Is(Progressing, "Waiting for CronJob")),
        ("never scheduled", cron(json!({})), Is(Healthy, "CronJob has not been scheduled yet")),
        (
            "first run",
            cron(json!({"lastScheduleTime": early})),
            Is(Healthy, "The CronJob never completed successfully. It may not be healthy"),
        ),
        (
            "runs",
            cron(json!({"lastScheduleTime": late, "lastSuccessfulTime": early, "active": [{"name": "web-1"}]})),
            Is(Healthy, "The job is running. Its last execution may not have been successful"),
        ),
        (
            "missed",
            cron(json!({"lastScheduleTime": late, "lastSuccessfulTime": early})),
            Is(Degraded, "CronJob has not completed its last execution successfully"),
        ),
        (
            "done",
            cron(json!({"lastScheduleTime": early, "lastSuccessfulTime": late, "active": []})),
            Is(Healthy, "CronJob has completed its last execution successfully"),
        ),
        ("a time is a number", cron(json!({"lastScheduleTime": 5})), Fails("status.lastScheduleTime is a number where a string belongs")),
    ]);
}
