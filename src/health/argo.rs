//! Health of Argo's own kinds: Workflow and Rollout (spec R413, R415, design page health.md). A Rollout is judged by
//! the phase that its controller writes since version 1.0.

use serde_json::Value;

use super::read::{field, integer, text};
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
        "" => progressing("Waiting for the rollout controller to report a phase"),
        // A phase is taken for a status word for word, and this is none.
        _ => unknown("Lua returned an invalid health status"),
    }
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
