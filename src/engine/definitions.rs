//! Kinds that an operation brings itself: whether it does, and the wait until the server has taken them in (spec R523). Applies nothing
//! itself.

use std::time::Duration;

use crate::cluster::apply::Spot;
use crate::cluster::{Cluster, Reporter, Resource};
use crate::model::{Gvk, Object};
use crate::plan::Plan;

/// How long a new definition may take until its kind is served (spec R523).
const ESTABLISHED_WITHIN: Duration = Duration::from_secs(3);
const LOOK_AGAIN: Duration = Duration::from_millis(100);

/// Returns whether a definition of this kind is among the targets, so that it may be served any moment.
pub(super) fn is_planned(plan: &Plan, gvk: &Gvk) -> bool {
    let defines = |target: &Object| {
        target.key().is_definition()
            && target.text(&["spec", "group"]) == &*gvk.group
            && target.text(&["spec", "names", "kind"]) == &*gvk.kind
    };
    plan.tasks.iter().filter_map(|task| task.target.as_ref()).any(defines)
}

/// Looks for a kind until it is served.
///
/// # Errors
/// Why it is not, when its time is over.
pub(super) async fn served_soon(cluster: &Cluster, gvk: &Gvk) -> Result<Resource, String> {
    let clock = cluster.clock();
    let give_up = clock.now() + ESTABLISHED_WITHIN;
    loop {
        match cluster.resource(gvk).await {
            Ok(resource) => return Ok(resource),
            Err(error) if clock.now() >= give_up => return Err(error),
            Err(_) => clock.sleep(LOOK_AGAIN).await,
        }
    }
}

/// Only waited for, never an error; a custom resource that comes too early says so itself.
pub(super) async fn wait_until_established(cluster: &Cluster, spot: Spot<'_>, reporter: &Reporter) {
    let clock = cluster.clock();
    let give_up = clock.now() + ESTABLISHED_WITHIN;
    while clock.now() < give_up {
        if let Ok(Some(definition)) = cluster.get(spot, reporter).await
            && is_established(&definition)
        {
            return;
        }
        clock.sleep(LOOK_AGAIN).await;
    }
    tracing::warn!("{} is not established after 3 s", spot.name);
}

fn is_established(definition: &Object) -> bool {
    let conditions = definition.wire().pointer("/status/conditions").and_then(serde_json::Value::as_array);
    conditions.into_iter().flatten().any(|condition| condition["type"] == "Established" && condition["status"] == "True")
}
