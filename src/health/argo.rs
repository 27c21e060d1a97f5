//! Health of Argo's own kinds: Workflow and Rollout (spec R413, R415, design page health.md). A Rollout is judged by
//! the phase that its controller writes since version 1.0, and without one by what older controllers wrote.

use serde_json::Value;

use super::read::{Condition, conditions, count, field, flag, integer, list, text};
use super::{Verdict, degraded, healthy, progressing, suspended, unknown};

pub(super) fn workflow(object: &Value) -> Verdict {
    let message = text(object, &["status", "message"])?;
    match text(object, &["status", "phase"])? {
        "" | "Pending" | "Running" => progressing(message),
        "Succeeded" => healthy(message),
        "Failed" | "Error" => degraded(message),
        _ => unknown(message),
    }
}

pub(super) fn rollout(object: &Value) -> Verdict {
    if field(object, &["status"])?.is_none() || !is_observed(object)? || !is_workload_observed(object)? {
        return progressing("Waiting for rollout spec update to be observed");
    }
    let message = text(object, &["status", "message"])?;
    match text(object, &["status", "phase"])? {
        "Healthy" => healthy(message),
        "Paused" => suspended(message),
        "Progressing" => progressing(message),
        "Degraded" => degraded(message),
        "" => rollout_without_phase(object),
        // A phase is taken for a status word for word, and this is none.
        _ => unknown("Lua returned an invalid health status"),
    }
}

/// Controllers before 1.0 wrote conditions, pauses and counters, but no phase.
fn rollout_without_phase(object: &Value) -> Verdict {
    let is_over = |condition: &Condition<'_>| match condition.kind {
        "InvalidSpec" => condition.status == "True",
        "Progressing" => matches!(condition.reason, "RolloutAborted" | "ProgressDeadlineExceeded"),
        _ => false,
    };
    if let Some(condition) = conditions(object)?.iter().find(|condition| is_over(condition)) {
        return degraded(condition.message);
    }
    if flag(object, &["spec", "paused"])? || !list(object, &["status", "pauseConditions"])?.is_empty() {
        return suspended("Rollout is paused");
    }
    let pods = text(object, &["status", "currentPodHash"])?;
    if pods.is_empty() {
        return progressing("Waiting for the rollout controller to report a phase");
    }
    if let Some(waiting) = waits_for_pods(object)? {
        return progressing(waiting);
    }
    if field(object, &["spec", "strategy", "blueGreen"])?.is_some() {
        let is_switched = text(object, &["status", "blueGreen", "activeSelector"])? == pods;
        return if is_switched { healthy("") } else { progressing("Waiting for the active service to select the new pods") };
    }
    let stable = [text(object, &["status", "stableRS"])?, text(object, &["status", "canary", "stableRS"])?];
    if stable.contains(&pods) { healthy("") } else { progressing("Waiting for the canary to take its last step") }
}

/// A blue-green rollout keeps its old pods for a while after the switch, so they are not waited for.
fn waits_for_pods(object: &Value) -> Result<Option<String>, String> {
    let desired = integer(object, &["spec", "replicas"])?.unwrap_or(1);
    let [total, updated, available] = ["replicas", "updatedReplicas", "availableReplicas"].map(|name| count(object, &["status", name]));
    let (total, updated, available) = (total?, updated?, available?);
    let is_canary = field(object, &["spec", "strategy", "canary"])?.is_some();
    Ok(if updated < desired {
        Some(format!("Waiting for rollout to finish: {updated} out of {desired} new replicas have been updated..."))
    } else if is_canary && total > updated {
        Some(format!("Waiting for rollout to finish: {} old replicas are pending termination...", total.saturating_sub(updated)))
    } else if available < updated {
        Some(format!("Waiting for rollout to finish: {available} of {updated} updated replicas are available..."))
    } else {
        None
    })
}

/// The controller writes the generation as text. What is no number comes from a controller before 0.10, which wrote a hash.
fn is_observed(object: &Value) -> Result<bool, String> {
    let generation = integer(object, &["metadata", "generation"])?.unwrap_or(0);
    let observed = field(object, &["status", "observedGeneration"])?.and_then(number);
    Ok(observed.is_none_or(|observed| observed == generation))
}

/// A rollout that borrows its pods from a Deployment has that Deployment's generation in an annotation.
fn is_workload_observed(object: &Value) -> Result<bool, String> {
    if field(object, &["spec", "workloadRef"])?.is_none() {
        return Ok(true);
    }
    let wanted = field(object, &["metadata", "annotations", "rollout.argoproj.io/workload-generation"])?.and_then(number);
    let observed = field(object, &["status", "workloadObservedGeneration"])?.and_then(number);
    Ok(wanted.zip(observed).is_none_or(|(wanted, observed)| wanted == observed))
}

fn number(value: &Value) -> Option<i64> {
    super::read::whole(value).or_else(|| value.as_str()?.trim().parse().ok())
}
