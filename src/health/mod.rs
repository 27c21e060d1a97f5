//! Judges the health of one object from its JSON, as Argo CD 3.6 does (spec R410–R415, design page health.md).
//! Knows no cluster, no clock and no history: the same object always gets the same verdict, but for a script that asks for the time of
//! day. The words for health live in `crate::model`.
#![deny(clippy::wildcard_enum_match_arm)]

mod argo;
mod batch;
mod extension;
mod heuristic;
mod network;
mod pod;
mod read;
mod rules;
mod scaling;
pub(crate) mod script;
mod storage;
mod workload;

#[cfg(test)]
mod tests;

pub(crate) use rules::Rules;
use serde_json::Value;

use crate::model::{Assessment, Gvk, Health, HealthStatus, Object, UnknownKinds, annotation};

/// What a rule says: a status with its message, or why it cannot say anything.
type Verdict = Result<(HealthStatus, String), String>;

/// One line of the table: which kind, in which versions (none listed: any), is judged by which function.
struct Rule {
    group: &'static str,
    kind: &'static str,
    versions: &'static [&'static str],
    judge: fn(&Value) -> Verdict,
}

const fn rule(group: &'static str, kind: &'static str, versions: &'static [&'static str], judge: fn(&Value) -> Verdict) -> Rule {
    Rule { group, kind, versions, judge }
}

/// Every kind with a notion of health (spec R413). Of a kind that is not here the status may be evidence; else it is done as soon as it
/// exists.
static RULES: &[Rule] = &[
    rule("", "Pod", &["v1"], pod::pod),
    rule("", "Service", &["v1"], network::service),
    rule("", "PersistentVolumeClaim", &["v1"], storage::persistent_volume_claim),
    rule("apps", "Deployment", &["v1"], workload::deployment),
    rule("apps", "StatefulSet", &["v1"], workload::stateful_set),
    rule("apps", "DaemonSet", &["v1"], workload::daemon_set),
    rule("apps", "ReplicaSet", &["v1"], workload::replica_set),
    rule("batch", "Job", &["v1"], batch::job),
    rule("batch", "CronJob", &[], batch::cron_job),
    rule("networking.k8s.io", "Ingress", &[], network::ingress),
    rule("extensions", "Ingress", &[], network::ingress),
    rule("autoscaling", "HorizontalPodAutoscaler", &["v1", "v2"], scaling::horizontal_pod_autoscaler),
    rule("policy", "PodDisruptionBudget", &[], scaling::pod_disruption_budget),
    rule("apiextensions.k8s.io", "CustomResourceDefinition", &[], extension::custom_resource_definition),
    rule("apiregistration.k8s.io", "APIService", &["v1", "v1beta1"], extension::api_service),
    rule("argoproj.io", "Workflow", &[], argo::workflow),
    rule("argoproj.io", "Rollout", &[], argo::rollout),
];

/// Judges by the table; a kind that is not in it by its status, unless that is not wanted.
fn native(object: &Object, unknown_kinds: UnknownKinds) -> Assessment {
    let gvk = object.gvk();
    let Some(rule) = RULES.iter().find(|rule| rule.group == &*gvk.group && rule.kind == &*gvk.kind) else {
        return match unknown_kinds {
            UnknownKinds::Conditions => heuristic::judge(&gvk, object.wire()).map_or(Assessment::NoRule, Assessment::Known),
            UnknownKinds::None => Assessment::NoRule,
        };
    };
    if !rule.versions.is_empty() && !rule.versions.contains(&&*gvk.version) {
        return Assessment::Error(format!("unsupported {} GVK: {}, Kind={}", gvk.kind, gvk.api_version(), gvk.kind));
    }
    match (rule.judge)(object.wire()) {
        Ok((status, message)) => known(status, message, rule_name(&gvk)),
        Err(reason) => Assessment::Error(format!("cannot read the state of {}: {reason}", object.key())),
    }
}

/// Returns `metadata.generation`, and `status.observedGeneration` if it is a number, for the freshness gate of
/// decision 3. Argo Rollouts before 0.10 write a hash there, which says nothing about freshness.
pub(crate) fn observed(object: &Object) -> (Option<i64>, Option<i64>) {
    let number = |path| object.wire().pointer(path).and_then(read::whole);
    (number("/metadata/generation"), number("/status/observedGeneration"))
}

fn known(status: HealthStatus, message: String, rule: String) -> Assessment {
    Assessment::Known(Health { status, message, rule })
}

fn rule_name(gvk: &Gvk) -> String {
    if gvk.group.is_empty() { gvk.kind.to_string() } else { format!("{}/{}", gvk.group, gvk.kind) }
}

/// An object that carries a hook finalizer is judged by its real state while it is being deleted (spec R215), so
/// that a Job removed by its time to live is still read as succeeded.
fn is_pending_deletion(object: &Value) -> bool {
    let Some(metadata) = object.get("metadata") else { return false };
    let is_deleted = metadata.get("deletionTimestamp").and_then(Value::as_str).is_some_and(|at| !at.is_empty());
    is_deleted && !has_hook_finalizer(metadata)
}

fn has_hook_finalizer(metadata: &Value) -> bool {
    let finalizers = metadata.get("finalizers").and_then(Value::as_array);
    finalizers.is_some_and(|names| names.iter().filter_map(Value::as_str).any(annotation::is_hook_finalizer))
}

fn healthy(message: impl Into<String>) -> Verdict {
    Ok((HealthStatus::Healthy, message.into()))
}

fn suspended(message: impl Into<String>) -> Verdict {
    Ok((HealthStatus::Suspended, message.into()))
}

fn progressing(message: impl Into<String>) -> Verdict {
    Ok((HealthStatus::Progressing, message.into()))
}

fn degraded(message: impl Into<String>) -> Verdict {
    Ok((HealthStatus::Degraded, message.into()))
}

fn unknown(message: impl Into<String>) -> Verdict {
    Ok((HealthStatus::Unknown, message.into()))
}
