//! Plays Argo Workflows as far as a sync sees them: a phase that ends as the story's rule for `Workflow/name` says, and
//! a time to live after that. Makes no pods.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::queue::ObjectRef;
use super::world::World;
use crate::sim::Propagation;
use crate::sim::fields::{self, int, stamp, text, time};
use crate::sim::story::{Run, fits};

const NAME: &str = "workflow-controller";
/// How long a workflow runs of which the story says nothing.
const USUAL: Duration = Duration::from_secs(3);

/// Looks after one workflow; returns when to look again.
pub(super) fn reconcile(world: &World, place: &ObjectRef) -> Option<Duration> {
    let workflow = world.get(place)?;
    let now = world.now();
    let run = rule(world, &workflow);
    match text(&workflow, "/status/phase") {
        "" | "Pending" => {
            write(world, place, |workflow| workflow["status"] = json!({"phase": "Running", "startedAt": stamp(now)}));
            length(run.as_ref())
        }
        "Running" => {
            let length = length(run.as_ref())?;
            let due = time(&workflow, "/status/startedAt")?.saturating_add(length).unwrap_or(Timestamp::MAX);
            if let Ok(wait) = Duration::try_from(due.duration_since(now))
                && !wait.is_zero()
            {
                return Some(wait);
            }
            let run = run.unwrap_or_default();
            let phase = if run.exit == 0 { "Succeeded" } else { "Failed" };
            write(world, place, |workflow| {
                workflow["status"]["phase"] = phase.into();
                workflow["status"]["finishedAt"] = stamp(now).into();
                if let Some(message) = &run.message {
                    workflow["status"]["message"] = message.as_str().into();
                }
            });
            None
        }
        _ => expire(world, place, &workflow, now),
    }
}

/// Deletes a workflow when its time to live is over.
fn expire(world: &World, place: &ObjectRef, workflow: &Value, now: Timestamp) -> Option<Duration> {
    let outcome = if text(workflow, "/status/phase") == "Succeeded" {
        "/spec/ttlStrategy/secondsAfterSuccess"
    } else {
        "/spec/ttlStrategy/secondsAfterFailure"
    };
    let seconds = int(workflow, outcome).or_else(|| int(workflow, "/spec/ttlStrategy/secondsAfterCompletion"))?;
    let ended = time(workflow, "/status/finishedAt")?;
    let due = ended.saturating_add(Duration::from_secs(seconds.unsigned_abs())).ok()?;
    match Duration::try_from(due.duration_since(now)) {
        Ok(wait) if !wait.is_zero() => Some(wait),
        Ok(_) | Err(_) => {
            world.delete(place, fields::uid(workflow), Propagation::Background, None);
            None
        }
    }
}

fn length(run: Option<&Run>) -> Option<Duration> {
    match run {
        Some(run) if run.hang => None,
        Some(run) => Some(run.after.unwrap_or(USUAL)),
        None => Some(USUAL),
    }
}

fn rule(world: &World, workflow: &Value) -> Option<Run> {
    let name = format!("Workflow/{}", fields::name(workflow));
    let rule = world.story.pods.iter().find(|rule| rule.matches.owner.as_deref().is_some_and(|owner| fits(owner, &name)))?;
    if rule.hang { Some(Run { hang: true, ..Run::default() }) } else { rule.run(0).cloned() }
}

/// The definition decides whether the status is a part of its own.
fn write(world: &World, place: &ObjectRef, change: impl Fn(&mut Value)) {
    let written = world.update_status(NAME, place, &change);
    if written.is_none_or(|written| written["status"]["phase"].is_null()) {
        world.update(NAME, place, &change);
    }
}
