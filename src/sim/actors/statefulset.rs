//! The StatefulSet controller: numbered pods with claims of their own, created and replaced one after the other
//! (trace T06).

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

use super::pods::{self, PodName};
use super::queue::ObjectRef;
use super::world::{MANAGER, World};
use crate::sim::Propagation;
use crate::sim::fields::{self, controlled_by, int, list, set_entry, text};

const NAME: &str = "statefulset-controller";
const REVISION: &str = "controller-revision-hash";

/// Looks after one StatefulSet; returns when to look again.
pub(super) fn reconcile(world: &mut World, place: &ObjectRef) -> Option<Duration> {
    let set = world.get(place)?;
    let mut numbered = numbered(world, &set);
    let update = format!("{}-{}", fields::name(&set), fields::hash(&set["spec"]["template"]));
    let current = match text(&set, "/status/currentRevision") {
        "" => update.clone(),
        revision => revision.to_owned(),
    };
    let outcome = if fields::is_deleting(&set) { Ok(()) } else { act(world, &set, &mut numbered, (&current, &update)) };
    let again = write_status(world, place, &set, &numbered, (&current, &update));
    if outcome.is_err() { Some(pods::REFUSED) } else { again }
}

/// The pods with their numbers, lowest first.
type Numbered = Vec<(i64, Arc<Value>)>;

fn numbered(world: &World, set: &Value) -> Numbered {
    let prefix = format!("{}-", fields::name(set));
    let number = |pod: &Arc<Value>| fields::name(pod).strip_prefix(&prefix)?.parse().ok();
    let mut numbered: Numbered =
        world.controlled(set, "", "pods").into_iter().filter_map(|pod| number(&pod).map(|number| (number, pod))).collect();
    numbered.sort_by_key(|(number, _)| *number);
    numbered
}

/// Does the next steps: missing pods, then surplus ones, then those of an old template.
fn act(world: &mut World, set: &Value, numbered: &mut Numbered, (current, update): (&str, &str)) -> Result<(), String> {
    let ordered = text(set, "/spec/podManagementPolicy") != "Parallel";
    let (first, wanted) = (int(set, "/spec/ordinals/start").unwrap_or(0), int(set, "/spec/replicas").unwrap_or(1));
    let partition = int(set, "/spec/updateStrategy/rollingUpdate/partition").unwrap_or(0);
    for number in first..first + wanted {
        let found = numbered.iter().find(|(of, _)| *of == number).map(|(_, pod)| Arc::clone(pod));
        match found {
            Some(pod) if pods::is_finished(&pod) && !fields::is_deleting(&pod) => {
                remove(world, set, &pod);
                return Ok(());
            }
            Some(pod) if ordered && (fields::is_deleting(&pod) || !pods::is_ready(&pod)) => return Ok(()),
            Some(_) => {}
            None => {
                let revision = if number - first < partition { current } else { update };
                let pod = create(world, set, number, revision)?;
                numbered.push((number, pod));
                numbered.sort_by_key(|(number, _)| *number);
                if ordered {
                    return Ok(());
                }
            }
        }
    }
    let surplus = |number: i64| number < first || number >= first + wanted;
    for (_, pod) in numbered.iter().rev().filter(|(number, _)| surplus(*number)) {
        if !fields::is_deleting(pod) {
            remove(world, set, pod);
        }
        if ordered {
            return Ok(());
        }
    }
    replace_old(world, set, numbered, (first + partition, update));
    Ok(())
}

/// Deletes the highest pod of an old template once all above it are ready again.
fn replace_old(world: &mut World, set: &Value, numbered: &Numbered, (lowest, update): (i64, &str)) {
    if text(set, "/spec/updateStrategy/type") == "OnDelete" {
        return;
    }
    for (_, pod) in numbered.iter().rev().filter(|(number, _)| *number >= lowest) {
        if fields::is_deleting(pod) {
            return;
        }
        if fields::label(pod, REVISION) != update {
            return remove(world, set, pod);
        }
        if !pods::is_ready(pod) {
            return;
        }
    }
}

fn create(world: &mut World, set: &Value, number: i64, revision: &str) -> Result<Arc<Value>, String> {
    let name = format!("{}-{number}", fields::name(set));
    let mut pod = pods::from_template(set, PodName::Exactly(&name));
    for (label, value) in
        [(REVISION, revision), ("statefulset.kubernetes.io/pod-name", &name), ("apps.kubernetes.io/pod-index", &number.to_string())]
    {
        set_entry(&mut pod, "labels", label, value);
    }
    pod["spec"]["hostname"] = name.as_str().into();
    pod["spec"]["subdomain"] = set["spec"]["serviceName"].clone();
    for template in list(set, "/spec/volumeClaimTemplates") {
        claim(world, set, template, &name, &mut pod);
    }
    let set_name = fields::name(set).to_owned();
    match world.create(MANAGER, pod) {
        Ok(pod) => {
            world.normal(set, NAME, "SuccessfulCreate", &format!("Create Pod {name} in StatefulSet {set_name} successful"));
            Ok(pod)
        }
        Err(problem) => {
            let message = format!("Create Pod {name} in StatefulSet {set_name} failed error: {problem}");
            world.warning(set, NAME, "FailedCreate", &message);
            Err(problem)
        }
    }
}

/// Makes sure that a pod's claim exists, and mounts it.
fn claim(world: &mut World, set: &Value, template: &Value, pod_name: &str, pod: &mut Value) {
    let volume = text(template, "/metadata/name");
    let name = format!("{volume}-{pod_name}");
    let namespace = fields::namespace(set).to_owned();
    if world.store.get("", "persistentvolumeclaims", &namespace, &name).is_none() {
        let mut claim = json!({
            "apiVersion": "v1", "kind": "PersistentVolumeClaim",
            "metadata": {"name": name, "namespace": namespace, "labels": set["spec"]["selector"]["matchLabels"]},
            "spec": template["spec"],
        });
        if text(set, "/spec/persistentVolumeClaimRetentionPolicy/whenDeleted") == "Delete" {
            claim["metadata"]["ownerReferences"] = json!([controlled_by(set)]);
        }
        let set_name = fields::name(set).to_owned();
        match world.create(MANAGER, claim) {
            Ok(_) => {
                let message = format!("Create Claim {name} Pod {pod_name} in StatefulSet {set_name} success");
                world.normal(set, NAME, "SuccessfulCreate", &message);
            }
            Err(problem) => {
                let message = format!("Create Claim {name} for Pod {pod_name} in StatefulSet {set_name} failed error: {problem}");
                world.warning(set, NAME, "FailedCreate", &message);
            }
        }
    }
    let volumes = &mut pod["spec"]["volumes"];
    if !volumes.is_array() {
        *volumes = json!([]);
    }
    if let Some(volumes) = volumes.as_array_mut() {
        volumes.retain(|of| of["name"] != volume);
        volumes.push(json!({"name": volume, "persistentVolumeClaim": {"claimName": name}}));
    }
}

fn remove(world: &mut World, set: &Value, pod: &Value) {
    world.delete(&ObjectRef::of("", "pods", pod), fields::uid(pod), Propagation::Background, None);
    let message = format!("Delete Pod {} in StatefulSet {} successful", fields::name(pod), fields::name(set));
    world.normal(set, NAME, "SuccessfulDelete", &message);
}

fn write_status(world: &World, place: &ObjectRef, set: &Value, numbered: &Numbered, (current, update): (&str, &str)) -> Option<Duration> {
    let alive: Vec<Arc<Value>> = numbered.iter().map(|(_, pod)| Arc::clone(pod)).filter(|pod| pods::is_active(pod)).collect();
    let counts = pods::count(&alive, int(set, "/spec/minReadySeconds").unwrap_or(0), world.now());
    let of = |revision: &str| alive.iter().filter(|pod| fields::label(pod, REVISION) == revision).count() as i64;
    let (updated, wanted) = (of(update), int(set, "/spec/replicas").unwrap_or(1));
    let rolling = text(set, "/spec/updateStrategy/type") != "OnDelete";
    // The new template becomes the current one when every pod has it and is ready.
    let done = rolling && updated == wanted && counts.total == wanted && counts.ready == wanted && alive.len() == numbered.len();
    let now_current = if done { update } else { current };
    world.update_status(MANAGER, place, |live| {
        live["status"]["observedGeneration"] = fields::generation(set).into();
        live["status"]["replicas"] = counts.total.into();
        live["status"]["availableReplicas"] = counts.available.into();
        live["status"]["collisionCount"] = 0.into();
        live["status"]["currentRevision"] = now_current.into();
        live["status"]["updateRevision"] = update.into();
        fields::set_counts(live, &[("readyReplicas", counts.ready), ("currentReplicas", of(now_current)), ("updatedReplicas", updated)]);
    });
    counts.again
}
