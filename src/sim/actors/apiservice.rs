//! The condition of APIServices: whether the Service behind one exists. Forwards no requests.

use serde_json::Value;

use super::queue::{Actor, ObjectRef};
use super::world::{LAG, MANAGER, World};
use crate::sim::fields::{self, Condition, text};

/// Looks at one APIService.
pub(super) fn reconcile(world: &World, place: &ObjectRef) {
    let Some(object) = world.get(place) else { return };
    let (namespace, name) = (text(&object, "/spec/service/namespace"), text(&object, "/spec/service/name"));
    let absent = format!("service/{name} in \"{namespace}\" is not present");
    let (status, reason, message) = if name.is_empty() {
        ("True", "Local", "Local APIServices are always available")
    } else if world.store.get("", "services", namespace, name).is_some() {
        ("True", "Passed", "all checks passed")
    } else {
        ("False", "ServiceNotFound", absent.as_str())
    };
    let now = world.now();
    world.update_status(MANAGER, place, |object| {
        fields::set_condition(object, Condition { kind: "Available", status, reason, message }, now);
    });
}

/// Wakes the APIServices that a Service is behind.
pub(super) fn wake_served_by(world: &mut World, service: &Value) {
    for object in world.store.list("apiregistration.k8s.io", "apiservices", None) {
        let behind = &object["spec"]["service"];
        if behind["name"] == service["metadata"]["name"] && behind["namespace"] == service["metadata"]["namespace"] {
            world.wake(Actor::ApiService, ObjectRef::of("apiregistration.k8s.io", "apiservices", &object), LAG);
        }
    }
}
