//! Health of a Pod (spec R413). A pod that runs to an end, as hooks do, is never degraded by a container that waits:
//! an image that arrives late would otherwise fail a hook that then runs anyway.

use serde_json::Value;

use super::read::{conditions, count, field, list, text};
use super::{Verdict, degraded, healthy, progressing, unknown};
use crate::model::annotation;

pub(super) fn pod(object: &Value) -> Verdict {
    let containers = list(object, &["status", "containerStatuses"])?;
    let restarts = is_restarted(object)?;
    if restarts && let Some(reasons) = stuck(containers)? {
        return degraded(reasons);
    }
    let message = text(object, &["status", "message"])?;
    match text(object, &["status", "phase"])? {
        "Pending" => progressing(message),
        "Succeeded" => healthy(message),
        "Failed" => degraded(failure(object, message, containers)?),
        "Running" if restarts => running(object, message, containers),
        "Running" if matches!(text(object, &["spec", "restartPolicy"])?, "OnFailure" | "Never") => progressing(message),
        _ => unknown(message),
    }
}

/// Returns whether the pod is judged as one that always runs: by its restart policy, or because the annotation says
/// so; hooks do not listen to the annotation.
fn is_restarted(object: &Value) -> Result<bool, String> {
    let note = |name| object.get("metadata").and_then(|metadata| metadata.get("annotations")).and_then(|all| all.get(name));
    let is_hook = note(annotation::HOOK).is_some() || note(annotation::HELM_HOOK).is_some();
    let is_ignored = note(annotation::IGNORE_RESTART_POLICY).and_then(Value::as_str) == Some("true");
    Ok(text(object, &["spec", "restartPolicy"])? == "Always" || (is_ignored && !is_hook))
}

/// Returns what containers complain about while they wait, if one of them has a reason that means trouble.
fn stuck(containers: &[Value]) -> Result<Option<String>, String> {
    let mut messages = Vec::new();
    for container in containers {
        let reason = text(container, &["state", "waiting", "reason"]).map_err(in_container)?;
        if reason.starts_with("Err") || reason.ends_with("Error") || reason.ends_with("BackOff") {
            messages.push(text(container, &["state", "waiting", "message"]).map_err(in_container)?);
        }
    }
    Ok(if messages.is_empty() { None } else { Some(messages.join(", ")) })
}

fn running(object: &Value, message: &str, containers: &[Value]) -> Verdict {
    if conditions(object)?.iter().find(|condition| condition.kind == "Ready").is_some_and(|ready| ready.status == "True") {
        return healthy(message);
    }
    for container in containers {
        if field(container, &["lastState", "terminated"]).map_err(in_container)?.is_some() {
            return degraded(message);
        }
    }
    progressing(message)
}

/// Returns why a pod failed: its own message, else the first reason that an init or main container left.
fn failure(object: &Value, message: &str, containers: &[Value]) -> Result<String, String> {
    if !message.is_empty() {
        return Ok(message.to_owned());
    }
    for container in list(object, &["status", "initContainerStatuses"])?.iter().chain(containers) {
        let reason = container_failure(container).map_err(in_container)?;
        if !reason.is_empty() {
            return Ok(reason);
        }
    }
    Ok(String::new())
}

fn container_failure(container: &Value) -> Result<String, String> {
    let message = text(container, &["state", "terminated", "message"])?;
    if !message.is_empty() {
        return Ok(message.to_owned());
    }
    if text(container, &["state", "terminated", "reason"])? == "OOMKilled" {
        return Ok("OOMKilled".to_owned());
    }
    let code = count(container, &["state", "terminated", "exitCode"])?;
    let name = text(container, &["name"])?;
    Ok(if code == 0 { String::new() } else { format!("container {name:?} failed with exit code {code}") })
}

fn in_container(reason: String) -> String {
    // A reason that begins with a space speaks of the whole status, any other one of a field in it.
    let dot = if reason.starts_with(' ') { "" } else { "." };
    format!("status.containerStatuses[]{dot}{reason}")
}
