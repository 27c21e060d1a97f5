//! The garbage collector: what nobody owns any more goes, and owners that wait for their dependents go last (trace T08).

use std::time::Duration;

use serde_json::Value;

use super::queue::{Actor, ObjectRef};
use super::world::{MANAGER, World};
use crate::sim::Propagation;
use crate::sim::fields::{self, flag, has_finalizer, is_deleting, owners, text};

const FOREGROUND: &str = "foregroundDeletion";
const ORPHAN: &str = "orphan";
const LAG: Duration = Duration::from_millis(60);

/// Notes what a change means for the collector.
pub(super) fn observe(world: &mut World, place: &ObjectRef, before: Option<&Value>, after: Option<&Value>) {
    match after {
        None => {
            let Some(gone) = before else { return };
            let dependents: Vec<ObjectRef> = world.index.dependents(fields::uid(gone)).cloned().collect();
            dependents.into_iter().for_each(|dependent| world.wake(Actor::Garbage, dependent, LAG));
            wake_waiting_owners(world, gone);
        }
        Some(object) => {
            let waits = is_deleting(object) && (has_finalizer(object, FOREGROUND) || has_finalizer(object, ORPHAN));
            let dangles = before.is_none() && owners(object).iter().any(|owner| world.index.by_uid(text(owner, "/uid")).is_none());
            if waits || dangles {
                world.wake(Actor::Garbage, place.clone(), LAG);
            }
            if let Some(before) = before.filter(|before| owners(before) != owners(object)) {
                wake_waiting_owners(world, before);
            }
        }
    }
}

fn wake_waiting_owners(world: &mut World, dependent: &Value) {
    for owner in owners(dependent) {
        let Some(place) = world.index.by_uid(text(owner, "/uid")).cloned() else { continue };
        if world.get(&place).is_some_and(|owner| is_deleting(&owner)) {
            world.wake(Actor::Garbage, place, LAG);
        }
    }
}

/// Looks at one object: as an owner in deletion, or as a dependent.
pub(super) fn reconcile(world: &World, place: &ObjectRef) {
    let Some(object) = world.get(place) else { return };
    if is_deleting(&object) {
        if has_finalizer(&object, FOREGROUND) {
            delete_dependents(world, place, &object);
        } else if has_finalizer(&object, ORPHAN) {
            orphan_dependents(world, place, &object);
        }
    } else if !owners(&object).is_empty() {
        collect(world, place, &object);
    }
}

/// Deletes an object whose owners are all gone; forgets gone owners of one that has others.
fn collect(world: &World, place: &ObjectRef, object: &Value) {
    let is_gone = |owner: &Value| world.index.by_uid(text(owner, "/uid")).is_none();
    if !owners(object).iter().any(is_gone) {
        return;
    }
    if owners(object).iter().all(is_gone) {
        let way = if has_finalizer(object, ORPHAN) { Propagation::Orphan } else { Propagation::Background };
        world.delete(place, fields::uid(object), way, None);
        return;
    }
    let gone: Vec<String> = owners(object).iter().filter(|owner| is_gone(owner)).map(|owner| text(owner, "/uid").to_owned()).collect();
    world.update(MANAGER, place, |object| forget_owners(object, |uid| gone.iter().any(|one| one == uid)));
}

fn delete_dependents(world: &World, place: &ObjectRef, owner: &Value) {
    let uid = fields::uid(owner);
    let mut blocked = false;
    for dependent in dependents(world, uid) {
        let Some(object) = world.get(&dependent) else { continue };
        let Some(reference) = owners(&object).iter().find(|owner| owner["uid"] == uid) else { continue };
        blocked |= flag(reference, "/blockOwnerDeletion");
        let others = owners(&object).iter().any(|owner| owner["uid"] != uid && world.index.by_uid(text(owner, "/uid")).is_some());
        if others {
            world.update(MANAGER, &dependent, |object| forget_owners(object, |one| one == uid));
        } else if !is_deleting(&object) {
            let has_own = dependents(world, fields::uid(&object)).next().is_some();
            let way = if has_own { Propagation::Foreground } else { Propagation::Background };
            world.delete(&dependent, fields::uid(&object), way, None);
        }
    }
    if !blocked {
        world.update(MANAGER, place, |owner| fields::remove_finalizer(owner, FOREGROUND));
    }
}

fn orphan_dependents(world: &World, place: &ObjectRef, owner: &Value) {
    let uid = fields::uid(owner);
    for dependent in dependents(world, uid) {
        world.update(MANAGER, &dependent, |object| forget_owners(object, |one| one == uid));
    }
    world.update(MANAGER, place, |owner| fields::remove_finalizer(owner, ORPHAN));
}

fn dependents(world: &World, uid: &str) -> impl Iterator<Item = ObjectRef> {
    world.index.dependents(uid).cloned().collect::<Vec<_>>().into_iter()
}

fn forget_owners(object: &mut Value, forget: impl Fn(&str) -> bool) {
    let Some(metadata) = object["metadata"].as_object_mut() else { return };
    if let Some(list) = metadata.get_mut("ownerReferences").and_then(Value::as_array_mut) {
        list.retain(|owner| !forget(text(owner, "/uid")));
        if list.is_empty() {
            metadata.remove("ownerReferences");
        }
    }
}
