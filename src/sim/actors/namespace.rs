//! The namespace controller: what every namespace has, and how one with contents is deleted.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

use super::queue::ObjectRef;
use super::world::{MANAGER, World};
use crate::sim::Propagation;
use crate::sim::fields::{self, Condition, is_deleting, list};

/// How long the deletion of the contents is put off, and how often it is tried again.
pub(super) const PAUSE: Duration = Duration::from_secs(5);

/// Looks after one namespace; returns when to look again.
pub(super) fn reconcile(world: &World, place: &ObjectRef) -> Option<Duration> {
    let namespace = world.get(place)?;
    if is_deleting(&namespace) { empty(world, place) } else { furnish(world, &place.name) }
}

fn furnish(world: &World, namespace: &str) -> Option<Duration> {
    if world.store.get("", "serviceaccounts", namespace, "default").is_none() {
        let account = json!({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "default", "namespace": namespace}});
        drop(world.create(MANAGER, account));
    }
    if world.store.get("", "configmaps", namespace, "kube-root-ca.crt").is_none() {
        let about = "Contains a CA bundle that can be used to verify the kube-apiserver when using internal endpoints.";
        let config = json!({
            "apiVersion": "v1", "kind": "ConfigMap",
            "metadata": {"name": "kube-root-ca.crt", "namespace": namespace, "annotations": {"kubernetes.io/description": about}},
            "data": {"ca.crt": "-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n"},
        });
        drop(world.create(MANAGER, config));
    }
    None
}

/// Deletes the contents of a namespace; without any, the namespace itself goes.
fn empty(world: &World, place: &ObjectRef) -> Option<Duration> {
    let contents: Vec<ObjectRef> = world.index.contents(&place.name).cloned().collect();
    for content in &contents {
        if let Some(object) = world.get(content).filter(|object| !is_deleting(object)) {
            world.delete(content, fields::uid(&object), Propagation::Background, None);
        }
    }
    let left: Vec<(&ObjectRef, Arc<Value>)> =
        contents.iter().filter_map(|content| world.get(content).map(|object| (content, object))).collect();
    if left.is_empty() {
        world.update(MANAGER, place, |namespace| {
            if let Some(spec) = namespace["spec"].as_object_mut() {
                spec.remove("finalizers");
            }
        });
        return None;
    }
    say_what_is_left(world, place, &left);
    Some(PAUSE)
}

fn say_what_is_left(world: &World, place: &ObjectRef, left: &[(&ObjectRef, Arc<Value>)]) {
    let now = world.now();
    let mut kinds: BTreeMap<String, usize> = BTreeMap::new();
    let mut finalizers: BTreeMap<String, usize> = BTreeMap::new();
    for (content, object) in left {
        let group = if content.group.is_empty() { String::new() } else { format!(".{}", content.group) };
        *kinds.entry(format!("{}{group}", content.plural)).or_default() += 1;
        for finalizer in list(object, "/metadata/finalizers").iter().filter_map(Value::as_str) {
            *finalizers.entry(finalizer.to_owned()).or_default() += 1;
        }
    }
    let sentence = |counts: &BTreeMap<String, usize>, what: &str| {
        let parts: Vec<String> = counts.iter().map(|(name, count)| format!("{name} {what} {count} resource instances")).collect();
        parts.join(", ")
    };
    let content = format!("Some resources are remaining: {}", sentence(&kinds, "has"));
    let held = format!("Some content in the namespace has finalizers remaining: {}", sentence(&finalizers, "in"));
    world.update_status(MANAGER, place, |namespace| {
        let condition = |kind, status, reason, message| Condition { kind, status, reason, message };
        fields::set_condition(namespace, condition("NamespaceContentRemaining", "True", "SomeResourcesRemain", &content), now);
        let remaining = if finalizers.is_empty() {
            condition("NamespaceFinalizersRemaining", "False", "ContentHasNoFinalizers", "All content-preserving finalizers finished")
        } else {
            condition("NamespaceFinalizersRemaining", "True", "SomeFinalizersRemain", &held)
        };
        fields::set_condition(namespace, remaining, now);
    });
}

/// Returns whether a namespace has just begun to be deleted.
pub(super) fn begins_to_go(before: Option<&Value>, after: Option<&Value>) -> bool {
    after.is_some_and(is_deleting) && !before.is_some_and(is_deleting)
}
