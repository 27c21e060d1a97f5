//! What controllers of pods have in common: making a pod from a template, choosing which one goes, and judging
//! readiness. Knows no controller.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::queue::ObjectRef;
use super::world::{MANAGER, World};
use crate::sim::Propagation;
use crate::sim::fields::{self, condition, controlled_by, text};

/// How long a controller waits before it tries to create a refused pod again.
pub(super) const REFUSED: Duration = Duration::from_secs(2);

/// The name of a new pod.
#[derive(Clone, Copy)]
pub(super) enum PodName<'a> {
    Exactly(&'a str),
    /// The owner's name, a dash and a random suffix.
    Generated,
}

/// Makes a pod from the template of its controller.
pub(super) fn from_template(owner: &Value, name: PodName<'_>) -> Value {
    let template = &owner["spec"]["template"];
    let mut pod = json!({
        "apiVersion": "v1", "kind": "Pod",
        "metadata": {"namespace": fields::namespace(owner), "ownerReferences": [controlled_by(owner)]},
        "spec": template["spec"],
    });
    for map in ["labels", "annotations"] {
        if template["metadata"][map].is_object() {
            pod["metadata"][map] = template["metadata"][map].clone();
        }
    }
    if let Some(finalizers) = template["metadata"].get("finalizers") {
        pod["metadata"]["finalizers"] = finalizers.clone();
    }
    match name {
        PodName::Exactly(name) => pod["metadata"]["name"] = name.into(),
        PodName::Generated => pod["metadata"]["generateName"] = format!("{}-", fields::name(owner)).into(),
    }
    pod
}

/// Creates a pod for its controller and tells about it; a refusal is told and returned.
pub(super) fn create(world: &mut World, owner: &Value, pod: Value, component: &str) -> Result<Arc<Value>, String> {
    let created = world.create(MANAGER, pod);
    match &created {
        Ok(pod) => world.normal(owner, component, "SuccessfulCreate", &format!("Created pod: {}", fields::name(pod))),
        Err(problem) => world.warning(owner, component, "FailedCreate", &format!("Error creating: {problem}")),
    }
    created
}

/// Deletes a pod for its controller and tells about it.
pub(super) fn delete(world: &mut World, owner: &Value, pod: &Value, component: &str) {
    world.delete(&ObjectRef::of("", "pods", pod), fields::uid(pod), Propagation::Background, None);
    world.normal(owner, component, "SuccessfulDelete", &format!("Deleted pod: {}", fields::name(pod)));
}

/// Returns whether a pod has ended for good.
pub(in crate::sim) fn is_finished(pod: &Value) -> bool {
    matches!(text(pod, "/status/phase"), "Succeeded" | "Failed")
}

/// Returns whether a pod counts as running: neither ended nor being deleted.
pub(super) fn is_active(pod: &Value) -> bool {
    !is_finished(pod) && !fields::is_deleting(pod)
}

/// Returns whether a pod is ready.
pub(super) fn is_ready(pod: &Value) -> bool {
    fields::holds(pod, "Ready")
}

/// Returns since when a pod has been ready.
fn ready_since(pod: &Value) -> Option<Timestamp> {
    condition(pod, "Ready").filter(|ready| ready["status"] == "True").and_then(|ready| fields::time(ready, "/lastTransitionTime"))
}

/// Returns whether a pod has been ready for `min_ready` seconds, or how long that still takes.
pub(super) fn availability(pod: &Value, min_ready: i64, now: Timestamp) -> Result<(), Option<Duration>> {
    let since = ready_since(pod).ok_or(None)?;
    let due = since.saturating_add(Duration::from_secs(min_ready.unsigned_abs())).unwrap_or(Timestamp::MAX);
    if min_ready <= 0 || due <= now { Ok(()) } else { Err(Duration::try_from(due.duration_since(now)).ok()) }
}

/// Numbers of the active pods of a controller.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Counts {
    pub(super) total: i64,
    pub(super) ready: i64,
    pub(super) available: i64,
    /// When one more becomes available by itself.
    pub(super) again: Option<Duration>,
}

/// Counts pods.
pub(super) fn count<'a>(pods: impl IntoIterator<Item = &'a Arc<Value>>, min_ready: i64, now: Timestamp) -> Counts {
    let mut counts = Counts::default();
    for pod in pods {
        counts.total += 1;
        counts.ready += i64::from(is_ready(pod));
        match availability(pod, min_ready, now) {
            Ok(()) => counts.available += 1,
            Err(wait) => counts.again = [counts.again, wait].into_iter().flatten().min(),
        }
    }
    counts
}

/// Orders pods so that those that are missed least come first: unscheduled, not running, not ready, youngest.
pub(super) fn least_missed(pods: &mut [Arc<Value>]) {
    pods.sort_by_cached_key(|pod| {
        (
            !text(pod, "/spec/nodeName").is_empty(),
            text(pod, "/status/phase") == "Running",
            is_ready(pod),
            std::cmp::Reverse(text(pod, "/metadata/creationTimestamp").to_owned()),
            fields::name(pod).to_owned(),
        )
    });
}
