//! The status of a Deployment: counters, and the conditions Available and Progressing as the real controller writes
//! them (traces T04 and T05). Moves no pods.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::deployment::{Sets, replicas, unavailable};
use super::queue::ObjectRef;
use super::world::{MANAGER, World};
use crate::sim::fields::{self, condition, int, stamp, text, time};

/// What is said about the progress of a rollout.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Progress {
    /// Judge it by the counters.
    Judge,
    /// Say that the rollout is paused.
    Paused,
    /// Say nothing new.
    Leave,
}

struct Counters {
    total: i64,
    updated: i64,
    ready: i64,
    available: i64,
    terminating: i64,
}

impl Counters {
    fn of(sets: &Sets) -> Self {
        let sum = |name: &str| sets.all().map(|set| int(set, &format!("/status/{name}")).unwrap_or(0)).sum();
        let updated = sets.new.as_ref().and_then(|new| int(new, "/status/replicas")).unwrap_or(0);
        let (total, ready) = (sum("replicas"), sum("readyReplicas"));
        Self { total, updated, ready, available: sum("availableReplicas"), terminating: sum("terminatingReplicas") }
    }
}

/// Writes that a ReplicaSet was created. Nothing is observed yet: there is no observedGeneration (trace T04).
pub(super) fn say_created(world: &World, place: &ObjectRef, set: &str) {
    let now = world.now();
    world.update_status(MANAGER, place, |deployment| {
        set_progress(deployment, "True", "NewReplicaSetCreated", &format!("Created new replica set \"{set}\""), now);
    });
}

/// Writes the status; returns when the deadline of the progress has to be looked at again.
pub(super) fn write_status(world: &World, place: &ObjectRef, deployment: &Value, sets: &Sets, progress: Progress) -> Option<Duration> {
    let now = world.now();
    let counters = Counters::of(sets);
    let written = world.update_status(MANAGER, place, |live| {
        let moved = has_moved(live, &counters);
        // What is judged is what was looked at: a change that came meanwhile is not observed yet.
        live["status"]["observedGeneration"] = fields::generation(deployment).into();
        fields::set_counts(
            live,
            &[
                ("replicas", counters.total),
                ("updatedReplicas", counters.updated),
                ("readyReplicas", counters.ready),
                ("availableReplicas", counters.available),
                ("unavailableReplicas", (replicas(deployment).max(counters.total) - counters.available).max(0)),
            ],
        );
        live["status"]["terminatingReplicas"] = counters.terminating.into();
        set_available(live, deployment, &counters, now);
        match progress {
            Progress::Judge => judge(live, deployment, sets, moved, now),
            Progress::Paused => set_progress(live, "Unknown", "DeploymentPaused", "Deployment is paused", now),
            Progress::Leave => {}
        }
        set_failure(live, sets, now);
    })?;
    deadline(&written).filter(|_| !is_complete(&written, sets)).and_then(|due| Duration::try_from(due.duration_since(now)).ok())
}

/// Returns whether all pods are of the present template and available.
pub(super) fn is_complete(deployment: &Value, sets: &Sets) -> bool {
    let counters = Counters::of(sets);
    let wanted = replicas(deployment);
    counters.updated == wanted && counters.total == wanted && counters.available == wanted
}

fn has_moved(live: &Value, counters: &Counters) -> bool {
    let before = |name: &str| int(live, &format!("/status/{name}")).unwrap_or(0);
    counters.updated > before("updatedReplicas")
        || counters.ready > before("readyReplicas")
        || counters.available > before("availableReplicas")
        || counters.total - counters.updated < before("replicas") - before("updatedReplicas")
}

fn judge(live: &mut Value, deployment: &Value, sets: &Sets, moved: bool, now: Timestamp) {
    let Some(set) = sets.new.as_ref().map(|set| fields::name(set).to_owned()) else { return };
    let reason = condition(live, "Progressing").map(|progress| text(progress, "/reason").to_owned()).unwrap_or_default();
    if is_complete(deployment, sets) {
        if reason != "NewReplicaSetAvailable" {
            set_progress(live, "True", "NewReplicaSetAvailable", &format!("ReplicaSet \"{set}\" has successfully progressed."), now);
        }
    } else if moved || reason == "DeploymentPaused" {
        set_progress(live, "True", "ReplicaSetUpdated", &format!("ReplicaSet \"{set}\" is progressing."), now);
    } else if reason.is_empty() {
        set_progress(live, "True", "FoundNewReplicaSet", &format!("Found new replica set \"{set}\""), now);
    } else if deadline(live).is_some_and(|due| due <= now) && reason != "ProgressDeadlineExceeded" && reason != "NewReplicaSetAvailable" {
        set_progress(live, "False", "ProgressDeadlineExceeded", &format!("ReplicaSet \"{set}\" has timed out progressing."), now);
    }
}

/// Returns when the rollout has made no progress for too long.
fn deadline(deployment: &Value) -> Option<Timestamp> {
    let seconds = int(deployment, "/spec/progressDeadlineSeconds").unwrap_or(600);
    let progress = condition(deployment, "Progressing").filter(|progress| progress["status"] == "True")?;
    let since = time(progress, "/lastUpdateTime")?;
    // The stamp has whole seconds; counting from its end, the deadline is never early.
    since.saturating_add(Duration::from_secs(seconds.unsigned_abs())).ok()
}

fn set_available(live: &mut Value, deployment: &Value, counters: &Counters, now: Timestamp) {
    if counters.available >= replicas(deployment) - unavailable(deployment) {
        set(live, ["Available", "True", "MinimumReplicasAvailable", "Deployment has minimum availability."], now);
    } else {
        set(live, ["Available", "False", "MinimumReplicasUnavailable", "Deployment does not have minimum availability."], now);
    }
}

fn set_failure(live: &mut Value, sets: &Sets, now: Timestamp) {
    let failure = sets.new.iter().chain(&sets.old).find_map(|set| condition(set, "ReplicaFailure"));
    match failure.map(|failure| text(failure, "/message").to_owned()) {
        Some(message) => set(live, ["ReplicaFailure", "True", "FailedCreate", &message], now),
        None => {
            if let Some(conditions) = live["status"]["conditions"].as_array_mut() {
                conditions.retain(|condition| condition["type"] != "ReplicaFailure");
            }
        }
    }
}

/// Sets the condition Progressing even if only its time changes: that is what the deadline is counted from.
fn set_progress(live: &mut Value, status: &str, reason: &str, message: &str, now: Timestamp) {
    if let Some(conditions) = live["status"]["conditions"].as_array_mut()
        && let Some(progress) = conditions.iter_mut().find(|condition| condition["type"] == "Progressing")
    {
        progress["reason"] = "".into();
    }
    set(live, ["Progressing", status, reason, message], now);
}

/// Sets a condition: nothing changes while status and reason stay; else it moves to the end of the list.
fn set(live: &mut Value, [kind, status, reason, message]: [&str; 4], now: Timestamp) {
    let former = condition(live, kind).cloned().unwrap_or_default();
    if former["status"] == status && former["reason"] == reason {
        return;
    }
    let since = if former["status"] == status { former["lastTransitionTime"].clone() } else { stamp(now).into() };
    let fresh = json!({
        "type": kind, "status": status, "reason": reason, "message": message, "lastUpdateTime": stamp(now), "lastTransitionTime": since,
    });
    if !live["status"]["conditions"].is_array() {
        live["status"]["conditions"] = json!([]);
    }
    if let Some(conditions) = live["status"]["conditions"].as_array_mut() {
        conditions.retain(|condition| condition["type"] != kind);
        conditions.push(fresh);
    }
}
