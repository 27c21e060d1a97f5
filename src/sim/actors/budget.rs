//! The status of PodDisruptionBudgets, from the pods that they select.

use std::sync::Arc;

use serde_json::Value;

use super::pods;
use super::queue::{Actor, ObjectRef};
use super::world::{LAG, MANAGER, World};
use crate::sim::fields::{self, Condition, Round, selects};

/// Wakes the budgets of a namespace after one of its pods changed.
pub(super) fn wake_all(world: &mut World, namespace: &str) {
    for budget in world.store.list("policy", "poddisruptionbudgets", Some(namespace)) {
        world.wake(Actor::Budget, ObjectRef::of("policy", "poddisruptionbudgets", &budget), LAG);
    }
}

/// Writes the status of one budget.
pub(super) fn reconcile(world: &World, place: &ObjectRef) {
    let Some(budget) = world.get(place) else { return };
    let selected = |pod: &Arc<Value>| selects(&budget["spec"]["selector"], &pod["metadata"]["labels"]);
    let pods: Vec<Arc<Value>> = world.store.list("", "pods", Some(&place.namespace)).into_iter().filter(selected).collect();
    let expected = pods.iter().filter(|pod| !pods::is_finished(pod)).count() as i64;
    let healthy = pods.iter().filter(|pod| pods::is_active(pod) && pods::is_ready(pod)).count() as i64;
    let least = |field: &str| fields::scaled(&budget["spec"][field], expected, Round::Up);
    let desired = least("minAvailable").or_else(|| least("maxUnavailable").map(|missing| (expected - missing).max(0))).unwrap_or(expected);
    let allowed = (healthy - desired).max(0);
    let now = world.now();
    world.update_status(MANAGER, place, |budget| {
        budget["status"]["observedGeneration"] = fields::generation(budget).into();
        for (name, count) in
            [("currentHealthy", healthy), ("desiredHealthy", desired), ("expectedPods", expected), ("disruptionsAllowed", allowed)]
        {
            budget["status"][name] = count.into();
        }
        let (status, reason) = if allowed > 0 { ("True", "SufficientPods") } else { ("False", "InsufficientPods") };
        fields::set_condition(budget, Condition { kind: "DisruptionAllowed", status, reason, message: "" }, now);
    });
}
