//! Binds PersistentVolumeClaims to volumes of the story's storage classes; a claim of no class waits (trace T06).

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

use super::queue::ObjectRef;
use super::world::{MANAGER, World};
use crate::sim::Propagation;
use crate::sim::fields::{self, has_finalizer, is_deleting, list, text};

const NAME: &str = "persistentvolume-controller";
const PROTECTION: &str = "kubernetes.io/pvc-protection";
/// How long a provisioner takes.
pub(super) const PROVISIONING: Duration = Duration::from_millis(500);
/// How often a claim that cannot be bound says so.
const AGAIN: Duration = Duration::from_secs(15);

/// Looks after one claim; returns when to look again.
pub(super) fn reconcile(world: &mut World, place: &ObjectRef) -> Option<Duration> {
    let claim = world.get(place)?;
    if is_deleting(&claim) {
        if has_finalizer(&claim, PROTECTION) && !is_used(world, &claim) {
            world.update(MANAGER, place, |claim| fields::remove_finalizer(claim, PROTECTION));
        }
        return None;
    }
    if text(&claim, "/status/phase") == "Bound" {
        return None;
    }
    match class(world, &claim) {
        Ok(class) => bind(world, place, &claim, &class),
        Err((reason, message)) => {
            let tone = if reason == "FailedBinding" { World::normal } else { World::warning };
            tone(world, &claim, NAME, reason, &message);
            Some(AGAIN)
        }
    }
}

/// The storage class of a claim, or why there is none.
fn class(world: &World, claim: &Value) -> Result<String, (&'static str, String)> {
    let named = claim.pointer("/spec/storageClassName").and_then(Value::as_str);
    let exists = |name: &str| world.store.get("storage.k8s.io", "storageclasses", "", name).is_some();
    match named {
        Some("") => Err(("FailedBinding", "no persistent volumes available for this claim and no storage class is set".into())),
        Some(name) if exists(name) => Ok(name.to_owned()),
        Some(name) => Err(("ProvisioningFailed", format!("storageclass.storage.k8s.io \"{name}\" not found"))),
        None => default_class(world)
            .ok_or_else(|| ("FailedBinding", "no persistent volumes available for this claim and no storage class is set".into())),
    }
}

fn default_class(world: &World) -> Option<String> {
    let classes = world.store.list("storage.k8s.io", "storageclasses", None);
    let is_default = |class: &&Arc<Value>| class["metadata"]["annotations"]["storageclass.kubernetes.io/is-default-class"] == "true";
    classes.iter().find(is_default).map(|class| fields::name(class).to_owned())
}

fn bind(world: &mut World, place: &ObjectRef, claim: &Value, class: &str) -> Option<Duration> {
    let volume = format!("pvc-{}", fields::uid(claim));
    let capacity = claim["spec"]["resources"]["requests"].clone();
    let modes = claim["spec"]["accessModes"].clone();
    let made = world.create(
        NAME,
        json!({
            "apiVersion": "v1", "kind": "PersistentVolume", "metadata": {"name": volume},
            "spec": {
                "capacity": capacity, "accessModes": modes, "storageClassName": class, "persistentVolumeReclaimPolicy": "Delete",
                "volumeMode": claim["spec"]["volumeMode"], "hostPath": {"path": format!("/var/lib/volumes/{volume}")},
                "claimRef": {
                    "apiVersion": "v1", "kind": "PersistentVolumeClaim", "namespace": fields::namespace(claim),
                    "name": fields::name(claim), "uid": fields::uid(claim),
                },
            },
        }),
    );
    if let Err(problem) = made {
        world.warning(claim, NAME, "ProvisioningFailed", &problem);
        return Some(AGAIN);
    }
    world.update_status(NAME, &ObjectRef::new("", "persistentvolumes", "", &volume), |volume| volume["status"]["phase"] = "Bound".into());
    world.update(NAME, place, |claim| {
        claim["spec"]["volumeName"] = volume.as_str().into();
        fields::set_entry(claim, "annotations", "pv.kubernetes.io/bind-completed", "yes");
    });
    world.update_status(NAME, place, |claim| claim["status"] = json!({"phase": "Bound", "accessModes": modes, "capacity": capacity}));
    world.normal(claim, NAME, "ProvisioningSucceeded", &format!("Successfully provisioned volume {volume}"));
    None
}

/// Removes the volume of a claim that is gone.
pub(super) fn release(world: &World, claim: &Value) {
    let volume = ObjectRef::new("", "persistentvolumes", "", text(claim, "/spec/volumeName"));
    if let Some(object) = world.get(&volume) {
        world.delete(&volume, fields::uid(&object), Propagation::Background, None);
    }
}

fn is_used(world: &World, claim: &Value) -> bool {
    let pods = world.store.list("", "pods", Some(fields::namespace(claim)));
    pods.iter().any(|pod| {
        let name = fields::name(claim);
        list(pod, "/spec/volumes").iter().any(|volume| text(volume, "/persistentVolumeClaim/claimName") == name)
    })
}
