//! The scheduler: gives pods a node, and says why it cannot. Also answers which nodes fit a pod.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

use super::events::{Note, Tone};
use super::queue::{Actor, ObjectRef};
use super::world::{LAG, World};
use crate::sim::fields::{self, Condition, flag, list, text};

const NAME: &str = "default-scheduler";
/// How often a pod that fits nowhere is looked at again.
const AGAIN: Duration = Duration::from_secs(60);

/// Spreads pods over the nodes.
#[derive(Debug, Default)]
pub(super) struct Scheduler {
    placed: usize,
}

impl Scheduler {
    /// Looks at one pod; returns when to look again.
    pub(super) fn reconcile(&mut self, world: &mut World, place: &ObjectRef) -> Option<Duration> {
        let pod = world.get(place)?;
        if !is_waiting(&pod) {
            return None;
        }
        match self.choose(world, &pod) {
            Ok(node) => {
                bind(world, place, &node);
                let message = format!("Successfully assigned {}/{} to {node}", place.namespace, place.name);
                world.tell(&pod, &Note::new(Tone::Normal, NAME, "Scheduled", &message));
                None
            }
            Err(problem) => {
                let now = world.now();
                world.update_status(NAME, place, |pod| {
                    let condition = Condition { kind: "PodScheduled", status: "False", reason: "Unschedulable", message: &problem };
                    fields::set_condition(pod, condition, now);
                });
                world.tell(&pod, &Note::new(Tone::Warning, NAME, "FailedScheduling", &problem));
                Some(AGAIN)
            }
        }
    }

    fn choose(&mut self, world: &World, pod: &Value) -> Result<String, String> {
        check_claims(world, pod)?;
        let nodes = fitting(world, &pod["spec"]);
        if nodes.is_empty() {
            let all = world.store.list("", "nodes", None).len();
            return Err(format!(
                "0/{all} nodes are available: {all} node(s) didn't match Pod's node affinity/selector. preemption: 0/{all} nodes are available: {all} Preemption is not helpful for scheduling."
            ));
        }
        self.placed += 1;
        Ok(nodes[(self.placed - 1) % nodes.len()].clone())
    }
}

/// A pod waits for the volumes of its claims.
fn check_claims(world: &World, pod: &Value) -> Result<(), String> {
    for name in list(pod, "/spec/volumes").iter().filter_map(|volume| volume.pointer("/persistentVolumeClaim/claimName")?.as_str()) {
        let Some(claim) = world.store.get("", "persistentvolumeclaims", fields::namespace(pod), name) else {
            return Err(format!("persistentvolumeclaim \"{name}\" not found"));
        };
        if text(&claim, "/status/phase") != "Bound" {
            let all = world.store.list("", "nodes", None).len();
            return Err(format!("0/{all} nodes are available: pod has unbound immediate PersistentVolumeClaims."));
        }
    }
    Ok(())
}

fn bind(world: &World, place: &ObjectRef, node: &str) {
    let now = world.now();
    let bound = world.store.bind(NAME, &place.namespace, &place.name, |pod| {
        pod["spec"]["nodeName"] = node.into();
        fields::set_condition(pod, Condition { kind: "PodScheduled", status: "True", reason: "", message: "" }, now);
    });
    if let Err(problem) = bound {
        tracing::debug!("pods {}: {problem}", place.name);
    }
}

/// Returns whether a pod has no node yet.
pub(super) fn is_waiting(pod: &Value) -> bool {
    text(pod, "/spec/nodeName").is_empty() && !fields::is_deleting(pod) && list(pod, "/spec/schedulingGates").is_empty()
}

/// Wakes the waiting pods of a namespace, after one of its claims changed.
pub(super) fn wake_waiting(world: &mut World, namespace: &str) {
    for pod in world.store.list("", "pods", Some(namespace)).iter().filter(|pod| is_waiting(pod)) {
        world.wake(Actor::Scheduler, ObjectRef::of("", "pods", pod), LAG);
    }
}

/// Returns the names of the nodes that fit the spec of a pod.
pub(super) fn fitting(world: &World, spec: &Value) -> Vec<String> {
    let selector = json!({"matchLabels": spec["nodeSelector"]});
    let fits = |node: &&Arc<Value>| {
        !flag(node, "/spec/unschedulable")
            && fields::selects(&selector, &node["metadata"]["labels"])
            && pinned(spec).is_none_or(|name| name == fields::name(node))
    };
    world.store.list("", "nodes", None).iter().filter(fits).map(|node| fields::name(node).to_owned()).collect()
}

/// Returns the node that the spec of a pod insists on.
pub(super) fn pinned(spec: &Value) -> Option<&str> {
    let field = list(spec, "/affinity/nodeAffinity/requiredDuringSchedulingIgnoredDuringExecution/nodeSelectorTerms")
        .iter()
        .flat_map(|term| list(term, "/matchFields"))
        .find(|field| field["key"] == "metadata.name")?;
    field.pointer("/values/0")?.as_str()
}
