//! The ReplicaSet controller: keeps a number of pods, and counts them.

use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;

use super::pods::{self, PodName};
use super::queue::ObjectRef;
use super::world::{MANAGER, World};
use crate::sim::fields::{self, Condition, int};

const NAME: &str = "replicaset-controller";

/// Looks after one ReplicaSet; returns when to look again.
pub(super) fn reconcile(world: &mut World, place: &ObjectRef) -> Option<Duration> {
    let set = world.get(place)?;
    let owned = world.controlled(&set, "", "pods");
    let mut active: Vec<Arc<Value>> = owned.iter().filter(|pod| pods::is_active(pod)).cloned().collect();
    let terminating = owned.iter().filter(|pod| fields::is_deleting(pod) && !pods::is_finished(pod)).count();
    let mut refused = None;
    if !fields::is_deleting(&set) {
        refused = scale(world, &set, &mut active).err();
    }
    let again = write_status(world, place, &set, &active, terminating, refused.as_deref());
    if refused.is_some() { Some(pods::REFUSED) } else { again }
}

/// Creates or deletes pods until their number is right.
fn scale(world: &mut World, set: &Value, active: &mut Vec<Arc<Value>>) -> Result<(), String> {
    let wanted = usize::try_from(int(set, "/spec/replicas").unwrap_or(1)).unwrap_or(0);
    while active.len() < wanted {
        let pod = pods::from_template(set, PodName::Generated);
        active.push(pods::create(world, set, pod, NAME)?);
    }
    if active.len() > wanted {
        pods::least_missed(active);
        for pod in active.drain(..active.len() - wanted) {
            pods::delete(world, set, &pod, NAME);
        }
    }
    Ok(())
}

fn write_status(
    world: &World,
    place: &ObjectRef,
    set: &Value,
    active: &[Arc<Value>],
    terminating: usize,
    refused: Option<&str>,
) -> Option<Duration> {
    let now = world.now();
    // A pod that was created a moment ago is counted like the others, but is never ready yet.
    let counts = pods::count(active, int(set, "/spec/minReadySeconds").unwrap_or(0), now);
    world.update_status(MANAGER, place, |set| {
        let generation = fields::generation(set);
        fields::set_counts(
            set,
            &[("fullyLabeledReplicas", counts.total), ("readyReplicas", counts.ready), ("availableReplicas", counts.available)],
        );
        set["status"]["replicas"] = counts.total.into();
        set["status"]["terminatingReplicas"] = terminating.into();
        set["status"]["observedGeneration"] = generation.into();
        match refused {
            Some(message) => {
                let failure = Condition { kind: "ReplicaFailure", status: "True", reason: "FailedCreate", message };
                fields::set_condition(set, failure, now);
            }
            None => {
                if let Some(status) = set["status"].as_object_mut() {
                    status.remove("conditions");
                }
            }
        }
    });
    counts.again
}
