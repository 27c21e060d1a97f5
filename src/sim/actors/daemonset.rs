//! The DaemonSet controller: one pod on every node that fits (trace T07).

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

use super::pods::{self, PodName};
use super::queue::ObjectRef;
use super::scheduler;
use super::world::{MANAGER, World};
use crate::sim::fields::{self, Round, int, set_entry, text};

const NAME: &str = "daemonset-controller";
const REVISION: &str = "controller-revision-hash";

/// Looks after one DaemonSet; returns when to look again.
pub(super) fn reconcile(world: &mut World, place: &ObjectRef) -> Option<Duration> {
    let set = world.get(place)?;
    let nodes: Vec<String> = scheduler::fitting(world, &set["spec"]["template"]["spec"]);
    let revision = fields::hash(&set["spec"]["template"]);
    let mut refused = false;
    if !fields::is_deleting(&set) {
        refused = place_pods(world, &set, &nodes, &revision).is_err();
        replace_old(world, &set, &revision, nodes.len());
    }
    let again = write_status(world, place, &set, nodes.len(), &revision);
    if refused { Some(pods::REFUSED) } else { again }
}

/// The node that a pod is meant for.
fn node_of(pod: &Value) -> &str {
    match text(pod, "/spec/nodeName") {
        "" => scheduler::pinned(&pod["spec"]).unwrap_or_default(),
        node => node,
    }
}

fn place_pods(world: &mut World, set: &Value, nodes: &[String], revision: &str) -> Result<(), String> {
    let owned = world.controlled(set, "", "pods");
    for pod in owned.iter().filter(|pod| !fields::is_deleting(pod)) {
        if pods::is_finished(pod) || !nodes.iter().any(|node| node == node_of(pod)) {
            pods::delete(world, set, pod, NAME);
        }
    }
    for node in nodes.iter().filter(|node| !owned.iter().any(|pod| node_of(pod) == node.as_str())) {
        let mut pod = pods::from_template(set, PodName::Generated);
        set_entry(&mut pod, "labels", REVISION, revision);
        pod["spec"]["affinity"]["nodeAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"] = json!({
            "nodeSelectorTerms": [{"matchFields": [{"key": "metadata.name", "operator": "In", "values": [node]}]}],
        });
        pods::create(world, set, pod, NAME)?;
    }
    Ok(())
}

/// Deletes pods of an old template while few enough are missing.
fn replace_old(world: &mut World, set: &Value, revision: &str, desired: usize) {
    if text(set, "/spec/updateStrategy/type") == "OnDelete" {
        return;
    }
    let value = &set["spec"]["updateStrategy"]["rollingUpdate"]["maxUnavailable"];
    let allowed = fields::scaled(value, desired as i64, Round::Up).unwrap_or(1).max(1);
    let owned = world.controlled(set, "", "pods");
    let ready = owned.iter().filter(|pod| pods::is_active(pod) && pods::is_ready(pod)).count();
    let mut room = allowed - (desired.saturating_sub(ready)) as i64;
    for pod in owned.iter().filter(|pod| pods::is_active(pod) && fields::label(pod, REVISION) != revision) {
        let counted = pods::is_ready(pod);
        if counted && room <= 0 {
            continue;
        }
        room -= i64::from(counted);
        pods::delete(world, set, pod, NAME);
    }
}

fn write_status(world: &World, place: &ObjectRef, set: &Value, desired: usize, revision: &str) -> Option<Duration> {
    let alive: Vec<Arc<Value>> = world.controlled(set, "", "pods").into_iter().filter(|pod| pods::is_active(pod)).collect();
    let counts = pods::count(&alive, int(set, "/spec/minReadySeconds").unwrap_or(0), world.now());
    let updated = alive.iter().filter(|pod| fields::label(pod, REVISION) == revision).count();
    world.update_status(MANAGER, place, |live| {
        live["status"]["observedGeneration"] = fields::generation(set).into();
        for (name, count) in [
            ("desiredNumberScheduled", desired as i64),
            ("currentNumberScheduled", counts.total),
            ("numberMisscheduled", 0),
            ("numberReady", counts.ready),
        ] {
            live["status"][name] = count.into();
        }
        fields::set_counts(
            live,
            &[
                ("numberAvailable", counts.available),
                ("numberUnavailable", desired as i64 - counts.available),
                ("updatedNumberScheduled", updated as i64),
            ],
        );
    });
    counts.again
}
