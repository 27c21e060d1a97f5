//! Tables of good, bad, half-written and absent states for every kind.

mod every_kind;
mod extensions;
mod heuristic;
mod hostile;
mod pods;
mod workloads;

use serde_json::{Value, json};

use super::{Rules, observed};
use crate::model::{Assessment, HealthStatus, Object};

/// A row of a table: what it is about, the object, the expected verdict.
type Row<'a> = (&'a str, Value, Expected<'a>);

#[derive(Debug, PartialEq)]
enum Expected<'a> {
    Is(HealthStatus, &'a str),
    /// The verdict is an error whose text contains this.
    Fails(&'a str),
    NoRule,
}

use Expected::{Fails, Is, NoRule};
use HealthStatus::{Degraded, Healthy, Progressing, Suspended, Unknown};

fn check(rows: &[Row<'_>]) {
    for (about, object, expected) in rows {
        let found = Rules::default().assess(&Object::new(object.clone()));
        let fits = match (&found, expected) {
            (Assessment::Known(health), Is(status, message)) => health.status == *status && health.message == *message,
            (Assessment::Error(error), Fails(part)) => error.contains(part),
            (Assessment::NoRule, NoRule) => true,
            _ => false,
        };
        assert!(fits, "{about}: expected {expected:?}, found {found:?}");
    }
}

fn object(api_version: &str, kind: &str, spec: Value, status: Value) -> Value {
    json!({"apiVersion": api_version, "kind": kind, "metadata": {"name": "web", "namespace": "shop", "generation": 2}, "spec": spec, "status": status})
}

/// An object whose status field is not there at all.
fn fresh(api_version: &str, kind: &str, spec: Value) -> Value {
    json!({"apiVersion": api_version, "kind": kind, "metadata": {"name": "web", "generation": 1}, "spec": spec})
}

fn deleted(mut object: Value, finalizers: Value) -> Value {
    object["metadata"]["deletionTimestamp"] = json!("2026-03-01T09:00:00Z");
    object["metadata"]["finalizers"] = finalizers;
    object
}

#[test]
fn r411_an_object_in_deletion_is_progressing_whatever_its_kind() {
    let job = object("batch/v1", "Job", json!({}), json!({"conditions": [{"type": "Complete", "status": "True", "message": "done"}]}));
    let config = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c"}});
    check(&[
        ("job", deleted(job.clone(), json!(null)), Is(Progressing, "Pending deletion")),
        ("foreign finalizer", deleted(job.clone(), json!(["example.com/guard"])), Is(Progressing, "Pending deletion")),
        ("kind without rule", deleted(config, json!([])), Is(Progressing, "Pending deletion")),
        ("r215 our hook finalizer", deleted(job.clone(), json!(["syncwave.dev/hook-finalizer"])), Is(Healthy, "done")),
        ("r215 Argo's hook finalizer", deleted(job.clone(), json!(["x", "argocd.argoproj.io/hook-finalizer"])), Is(Healthy, "done")),
        ("finalizers are no list", deleted(job, json!("syncwave.dev/hook-finalizer")), Is(Progressing, "Pending deletion")),
    ]);
}

#[test]
fn r413_kinds_without_a_notion_of_health_have_no_rule() {
    for (version, kind) in
        [("v1", "ConfigMap"), ("v1", "Namespace"), ("example.com/v1", "Deployment"), ("extensions/v1beta1", "Deployment")]
    {
        check(&[(kind, fresh(version, kind, json!({})), NoRule)]);
    }
}

#[test]
fn r413_another_version_of_a_known_kind_is_an_error() {
    for (version, kind) in [
        ("apps/v1beta1", "Deployment"),
        ("apps/v1beta2", "StatefulSet"),
        ("batch/v2alpha1", "Job"),
        ("autoscaling/v2beta2", "HorizontalPodAutoscaler"),
        ("apiregistration.k8s.io/v2", "APIService"),
    ] {
        check(&[(kind, fresh(version, kind, json!({})), Fails(&format!("unsupported {kind} GVK: {version}, Kind={kind}")))]);
    }
}

#[test]
fn the_rule_that_decided_is_named() {
    let rule = |object: Value| match Rules::default().assess(&Object::new(object)) {
        Assessment::Known(health) => health.rule,
        other @ (Assessment::NoRule | Assessment::Error(_)) => panic!("{other:?}"),
    };
    assert_eq!(rule(fresh("apps/v1", "Deployment", json!({}))), "apps/Deployment");
    assert_eq!(rule(fresh("v1", "Pod", json!({}))), "Pod");
    assert_eq!(rule(deleted(fresh("v1", "Pod", json!({})), json!([]))), "deletion");
}

#[test]
fn decision_3_generations_are_read_only_where_they_are_numbers() {
    let read = |generation: Value, seen: Value| {
        observed(&Object::new(json!({"metadata": {"generation": generation}, "status": {"observedGeneration": seen}})))
    };
    assert_eq!(read(json!(3), json!(2)), (Some(3), Some(2)));
    assert_eq!(read(json!(3), json!("7d9f")), (Some(3), None));
    assert_eq!(read(json!("3"), json!("3")), (None, None));
    assert_eq!(observed(&Object::new(json!({"status": "none"}))), (None, None));
}
