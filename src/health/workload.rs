//! Health of Deployment, StatefulSet, DaemonSet and ReplicaSet (spec R413). Judges what the controller reports and
//! never looks at pods.

use serde_json::Value;

use super::read::{conditions, count, field, flag, integer, text};
use super::{Verdict, degraded, healthy, progressing, suspended};

pub(super) fn deployment(object: &Value) -> Verdict {
    if flag(object, &["spec", "paused"])? {
        return suspended("Deployment is paused");
    }
    if !is_observed(object)? {
        return progressing("Waiting for rollout to finish: observed deployment generation less than desired generation");
    }
    let late = |condition: &super::read::Condition<'_>| condition.reason == "ProgressDeadlineExceeded";
    if conditions(object)?.iter().find(|condition| condition.kind == "Progressing").is_some_and(late) {
        return degraded(format!("Deployment {:?} exceeded its progress deadline", text(object, &["metadata", "name"])?));
    }
    let updated = count(object, &["status", "updatedReplicas"])?;
    let total = count(object, &["status", "replicas"])?;
    let available = count(object, &["status", "availableReplicas"])?;
    match integer(object, &["spec", "replicas"])? {
        Some(desired) if updated < desired => {
            progressing(format!("Waiting for rollout to finish: {updated} out of {desired} new replicas have been updated..."))
        }
        _ if total > updated => {
            let old = total.saturating_sub(updated);
            progressing(format!("Waiting for rollout to finish: {old} old replicas are pending termination..."))
        }
        _ if available < updated => {
            progressing(format!("Waiting for rollout to finish: {available} of {updated} updated replicas are available..."))
        }
        _ => healthy(""),
    }
}

pub(super) fn stateful_set(object: &Value) -> Verdict {
    if count(object, &["status", "observedGeneration"])? == 0 || !is_observed(object)? {
        return progressing("Waiting for statefulset spec update to be observed...");
    }
    let desired = integer(object, &["spec", "replicas"])?;
    let ready = count(object, &["status", "readyReplicas"])?;
    if let Some(missing) = desired.map(|desired| desired.saturating_sub(ready)).filter(|missing| *missing > 0) {
        return progressing(format!("Waiting for {missing} pods to be ready..."));
    }
    match text(object, &["spec", "updateStrategy", "type"])? {
        "RollingUpdate" if field(object, &["spec", "updateStrategy", "rollingUpdate"])?.is_some() => partitioned(object, desired),
        "OnDelete" => healthy(format!("statefulset has {ready} ready pods")),
        _ => revisions(object),
    }
}

/// A rolling update with a `rollingUpdate` block: only the pods above the partition are counted, revisions are not compared.
fn partitioned(object: &Value, desired: Option<i64>) -> Verdict {
    let updated = count(object, &["status", "updatedReplicas"])?;
    let partition = integer(object, &["spec", "updateStrategy", "rollingUpdate", "partition"])?;
    if let (Some(desired), Some(partition)) = (desired, partition) {
        let wanted = desired.saturating_sub(partition);
        if updated < wanted {
            return progressing(format!(
                "Waiting for partitioned roll out to finish: {updated} out of {wanted} new pods have been updated..."
            ));
        }
    }
    healthy(format!("partitioned roll out complete: {updated} new pods have been updated..."))
}

fn revisions(object: &Value) -> Verdict {
    let update = text(object, &["status", "updateRevision"])?;
    let current = text(object, &["status", "currentRevision"])?;
    if update != current {
        let updated = count(object, &["status", "updatedReplicas"])?;
        return progressing(format!("waiting for statefulset rolling update to complete {updated} pods at revision {update}..."));
    }
    let pods = count(object, &["status", "currentReplicas"])?;
    healthy(format!("statefulset rolling update complete {pods} pods at revision {current}..."))
}

pub(super) fn daemon_set(object: &Value) -> Verdict {
    if !is_observed(object)? {
        return progressing("Waiting for rollout to finish: observed daemon set generation less than desired generation");
    }
    let updated = count(object, &["status", "updatedNumberScheduled"])?;
    let desired = count(object, &["status", "desiredNumberScheduled"])?;
    let available = count(object, &["status", "numberAvailable"])?;
    let name = text(object, &["metadata", "name"])?;
    if text(object, &["spec", "updateStrategy", "type"])? == "OnDelete" {
        healthy(format!("daemon set {updated} out of {desired} new pods have been updated"))
    } else if updated < desired {
        progressing(format!("Waiting for daemon set {name:?} rollout to finish: {updated} out of {desired} new pods have been updated..."))
    } else if available < desired {
        progressing(format!("Waiting for daemon set {name:?} rollout to finish: {available} of {desired} updated pods are available..."))
    } else {
        healthy("")
    }
}

pub(super) fn replica_set(object: &Value) -> Verdict {
    if !is_observed(object)? {
        return progressing("Waiting for rollout to finish: observed replica set generation less than desired generation");
    }
    if let Some(failure) = conditions(object)?.iter().find(|condition| condition.kind == "ReplicaFailure")
        && failure.status == "True"
    {
        return degraded(failure.message);
    }
    let available = count(object, &["status", "availableReplicas"])?;
    match integer(object, &["spec", "replicas"])? {
        Some(desired) if available < desired => {
            progressing(format!("Waiting for rollout to finish: {available} out of {desired} new replicas are available..."))
        }
        _ => healthy(""),
    }
}

fn is_observed(object: &Value) -> Result<bool, String> {
    Ok(count(object, &["metadata", "generation"])? <= count(object, &["status", "observedGeneration"])?)
}
