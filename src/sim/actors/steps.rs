//! What others do to the cluster, at the times of the story. A step that cannot be done is told in the log and skipped.

use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;

use super::queue::{Actor, ObjectRef};
use super::world::World;
use crate::sim::Propagation;
use crate::sim::fields;
use crate::sim::story::{Event, Target};

/// Who makes the changes of a story.
const MANAGER: &str = "kubectl-edit";

/// Asks for all steps of the story at their times.
pub(super) fn plan(world: &mut World) {
    let times: Vec<Duration> = world.story.steps.iter().map(|step| step.at).collect();
    for (number, at) in times.into_iter().enumerate() {
        world.wake(Actor::Timeline, ObjectRef::new("", "", "", &number.to_string()), at);
    }
}

/// Does one step.
pub(super) fn perform(world: &World, place: &ObjectRef) {
    let story = Arc::clone(&world.story);
    let Some(step) = place.name.parse().ok().and_then(|number: usize| story.steps.get(number)) else { return };
    let outcome = match &step.what {
        Event::Create(object) => world.create(MANAGER, object.clone()).map(|_| ()),
        Event::Patch(target, patch) => find(world, target).map(|place| apply(world, &place, patch)),
        Event::Delete(target) => find(world, target).map(|place| {
            if let Some(object) = world.get(&place) {
                world.delete(&place, fields::uid(&object), Propagation::Background, None);
            }
        }),
        // The API plays faults by itself: `Story::fault_times`.
        Event::Fault(_) => Ok(()),
    };
    if let Err(problem) = outcome {
        tracing::warn!("step {} of the story at {:?} is not possible: {problem}", place.name, step.at);
    }
}

fn apply(world: &World, place: &ObjectRef, patch: &Value) {
    if patch.as_object().is_some_and(|fields| fields.keys().any(|key| key != "status")) {
        world.update(MANAGER, place, |object| json_patch::merge(object, patch));
    }
    if patch.get("status").is_some() {
        world.update_status(MANAGER, place, |object| json_patch::merge(object, patch));
    }
}

/// Finds the object of a step; without a namespace it is looked for in the namespace of the sync, then in `default`.
fn find(world: &World, target: &Target) -> Result<ObjectRef, String> {
    let (gr, namespaced) = world.store.resource(&target.api_version, &target.kind).ok_or("the cluster has no such kind")?;
    let namespaces: Vec<&str> = match (&target.namespace, namespaced) {
        (_, false) => vec![""],
        (Some(namespace), true) => vec![namespace],
        (None, true) => world.story.sync.namespace.iter().map(String::as_str).chain(["default"]).collect(),
    };
    let places = namespaces.into_iter().map(|namespace| ObjectRef::new(&gr.group, &gr.plural, namespace, &target.name));
    places.into_iter().find(|place| world.get(place).is_some()).ok_or_else(|| format!("there is no {} {}", target.kind, target.name))
}
