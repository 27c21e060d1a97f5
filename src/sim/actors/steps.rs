//! What others do to the cluster: at the times of the story, or at those of a container's run. A step that cannot be
//! done is told in the log and skipped.

use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;

use super::queue::{Actor, ObjectRef};
use super::world::World;
use crate::sim::Propagation;
use crate::sim::fields;
use crate::sim::story::{Event, Step, Target};

/// Who makes the changes of a story.
const MANAGER: &str = "kubectl";

/// A step whose time is known.
#[derive(Debug)]
pub(super) struct Planned {
    what: Event,
    /// The pod whose container does it, and its uid; none if the story does.
    by: Option<(ObjectRef, String)>,
}

/// Asks for the steps of the story at their times.
pub(super) fn plan(world: &mut World) {
    let story = Arc::clone(&world.story);
    story.steps.iter().for_each(|step| add(world, step, None));
}

impl World {
    /// Asks for the steps of a container's run that begins now and ends after `end`.
    pub(in crate::sim) fn plan_run(&mut self, pod: &Value, steps: &[Step], end: Option<Duration>) {
        for step in steps.iter().filter(|step| end.is_none_or(|end| step.at <= end)) {
            add(self, step, Some((ObjectRef::of("", "pods", pod), fields::uid(pod).to_owned())));
        }
    }
}

fn add(world: &mut World, step: &Step, by: Option<(ObjectRef, String)>) {
    world.planned.push(Planned { what: step.what.clone(), by });
    let number = (world.planned.len() - 1).to_string();
    world.wake(Actor::Timeline, ObjectRef::new("", "", "", &number), step.at);
}

/// Does one step.
pub(super) fn perform(world: &World, place: &ObjectRef) {
    let Some(step) = place.name.parse().ok().and_then(|number: usize| world.planned.get(number)) else { return };
    if let Some((pod, uid)) = &step.by
        && world.get(pod).is_none_or(|pod| fields::uid(&pod) != uid || fields::is_deleting(&pod))
    {
        return;
    }
    let homes = homes(world, step);
    let outcome = match &step.what {
        Event::Create(object) => create(world, object, homes[0]),
        Event::Patch(target, patch) => find(world, target, &homes).map(|place| apply(world, &place, patch)),
        Event::Delete(target) => find(world, target, &homes).map(|place| {
            if let Some(object) = world.get(&place) {
                world.delete(&place, fields::uid(&object), Propagation::Background, None);
            }
        }),
        // The API plays faults by itself: `Story::fault_rules`.
        Event::Fault(_) => Ok(()),
    };
    if let Err(problem) = outcome {
        tracing::warn!("a step of the story is not possible: {problem}");
    }
}

/// The namespaces that are meant when a step names none: that of the pod, or that of the sync and `default`.
fn homes<'a>(world: &'a World, step: &'a Planned) -> Vec<&'a str> {
    match &step.by {
        Some((pod, _)) => vec![&*pod.namespace],
        None => world.story.sync.namespace.iter().map(String::as_str).chain(["default"]).collect(),
    }
}

fn create(world: &World, object: &Value, home: &str) -> Result<(), String> {
    let mut object = object.clone();
    let (_, namespaced) = resource(world, fields::text(&object, "/apiVersion"), fields::text(&object, "/kind"))?;
    if namespaced && fields::namespace(&object).is_empty() {
        object["metadata"]["namespace"] = home.into();
    }
    world.create(MANAGER, object).map(|_| ())
}

fn apply(world: &World, place: &ObjectRef, patch: &Value) {
    if patch.as_object().is_some_and(|fields| fields.keys().any(|key| key != "status")) {
        world.update(MANAGER, place, |object| json_patch::merge(object, patch));
    }
    if patch.get("status").is_some() {
        world.update_status(MANAGER, place, |object| json_patch::merge(object, patch));
    }
}

fn find(world: &World, target: &Target, homes: &[&str]) -> Result<ObjectRef, String> {
    let (gr, namespaced) = resource(world, &target.api_version, &target.kind)?;
    let namespaces = match (&target.namespace, namespaced) {
        (_, false) => vec![""],
        (Some(namespace), true) => vec![namespace.as_str()],
        (None, true) => homes.to_vec(),
    };
    let mut places = namespaces.into_iter().map(|namespace| ObjectRef::new(&gr.group, &gr.plural, namespace, &target.name));
    places.find(|place| world.get(place).is_some()).ok_or_else(|| format!("there is no {} {}", target.kind, target.name))
}

fn resource(world: &World, api_version: &str, kind: &str) -> Result<(crate::sim::Gr, bool), String> {
    world.store.resource(api_version, kind).ok_or_else(|| format!("the cluster has no kind {kind} in {api_version}"))
}
