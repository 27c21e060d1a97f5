//! Who is woken by a change, and how soon. The table of the loop; does nothing itself.

use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;

use super::queue::{Actor, ObjectRef};
use super::world::LAG;
use super::{Actors, World, address, apiservice, budget, claims, garbage, job, namespace, pods, scheduler};
use crate::sim::fields::{self, controller, text};
use crate::sim::store::Change;

/// A Job gathers the changes of its pods for this long (`SyncJobBatchPeriod`).
const JOB_BATCH: Duration = Duration::from_secs(1);
/// How long a kubelet takes to notice that a Secret or ConfigMap is there.
const CONFIG_LAG: Duration = Duration::from_secs(1);

impl Actors {
    /// Takes the new changes of the store in.
    pub(super) fn observe(&mut self) {
        match self.world.store.changes_since(self.seen) {
            Ok(changes) => {
                for change in changes {
                    self.seen = change.rev;
                    self.notice(&change);
                }
            }
            Err(_) => self.look_at_everything(),
        }
    }

    /// Starts over from what is there, after changes were compacted.
    fn look_at_everything(&mut self) {
        let (rev, all) = self.world.store.everything();
        self.seen = rev;
        self.world.index = super::index::Index::default();
        let change = |(gr, object): &(crate::sim::Gr, Arc<Value>)| Change {
            rev,
            gr: gr.clone(),
            namespace: fields::namespace(object).into(),
            name: fields::name(object).into(),
            before: None,
            after: Some(Arc::clone(object)),
        };
        let changes: Vec<Change> = all.iter().map(change).collect();
        // Owners first: what they own must not look abandoned.
        for change in &changes {
            self.world.index.observe(&place(change), None, change.after.as_deref());
        }
        changes.iter().for_each(|change| self.notice(change));
    }

    fn notice(&mut self, change: &Change) {
        let place = place(change);
        let (before, after) = (change.before.as_deref(), change.after.as_deref());
        let world = &mut self.world;
        world.index.observe(&place, before, after);
        garbage::observe(world, &place, before, after);
        let Some(object) = after.or(before) else { return };
        match (&*place.group, &*place.plural) {
            ("", _) => self.core_changed(place, object, before, after),
            ("batch", "jobs") => {
                let delay = if job::is_urgent(before, after) { LAG } else { JOB_BATCH };
                world.wake(Actor::Job, place, delay);
            }
            ("networking.k8s.io", "ingresses") => wake_for_address(world, place, object),
            // What it writes itself is no reason to sample the metrics again.
            ("autoscaling", "horizontalpodautoscalers") => {
                if before.map(|before| &before["spec"]) != after.map(|after| &after["spec"]) {
                    world.wake(Actor::Autoscaler, place, LAG);
                }
            }
            ("apps", "replicasets") => {
                wake_controller(world, object, LAG);
                world.wake(Actor::ReplicaSet, place, LAG);
            }
            (group, plural) => {
                if let Some(actor) = actor_of(group, plural).filter(|_| after.is_some()) {
                    world.wake(actor, place, LAG);
                }
            }
        }
    }

    fn core_changed(&mut self, place: ObjectRef, object: &Value, before: Option<&Value>, after: Option<&Value>) {
        let world = &mut self.world;
        match &*place.plural {
            "namespaces" => {
                if namespace::begins_to_go(before, after) {
                    world.wake(Actor::Namespace, place, namespace::PAUSE);
                } else if after.is_some_and(|after| !fields::is_deleting(after)) {
                    world.wake(Actor::Namespace, place, LAG);
                }
            }
            "pods" => self.pod_changed(place, object, before, after),
            "secrets" | "configmaps" => {
                for pod in self.kubelet.poke(world, &place.namespace) {
                    world.wake(Actor::Kubelet, pod, CONFIG_LAG);
                }
            }
            "persistentvolumeclaims" => {
                match after {
                    Some(_) => world.wake(Actor::Claim, place.clone(), claims::PROVISIONING),
                    None => claims::release(world, object),
                }
                scheduler::wake_waiting(world, &place.namespace);
            }
            "nodes" => {
                for set in world.store.list("apps", "daemonsets", None) {
                    world.wake(Actor::DaemonSet, ObjectRef::of("apps", "daemonsets", &set), LAG);
                }
            }
            "services" => {
                apiservice::wake_served_by(world, object);
                wake_for_address(world, place, object);
            }
            _ => {}
        }
    }

    fn pod_changed(&mut self, place: ObjectRef, pod: &Value, before: Option<&Value>, after: Option<&Value>) {
        let world = &mut self.world;
        let is_of_job = controller(pod).is_some_and(|owner| owner["kind"] == "Job");
        wake_controller(world, pod, if is_of_job { JOB_BATCH } else { LAG });
        let readiness = |pod: Option<&Value>| pod.map(|pod| (pods::is_active(pod), pods::is_ready(pod)));
        if readiness(before) != readiness(after) {
            budget::wake_all(world, &place.namespace);
        }
        if after.is_some_and(scheduler::is_waiting) {
            world.wake(Actor::Scheduler, place.clone(), LAG);
        }
        world.wake(Actor::Kubelet, place, LAG);
    }
}

fn place(change: &Change) -> ObjectRef {
    ObjectRef {
        group: Arc::clone(&change.gr.group),
        plural: Arc::clone(&change.gr.plural),
        namespace: Arc::clone(&change.namespace),
        name: Arc::clone(&change.name),
    }
}

fn actor_of(group: &str, plural: &str) -> Option<Actor> {
    match (group, plural) {
        ("apps", "deployments") => Some(Actor::Deployment),
        ("apps", "statefulsets") => Some(Actor::StatefulSet),
        ("apps", "daemonsets") => Some(Actor::DaemonSet),
        ("apiregistration.k8s.io", "apiservices") => Some(Actor::ApiService),
        ("policy", "poddisruptionbudgets") => Some(Actor::Budget),
        ("argoproj.io", "workflows") => Some(Actor::Workflow),
        _ => None,
    }
}

fn wake_for_address(world: &mut World, place: ObjectRef, object: &Value) {
    if let Some(delay) = address::delay(world, object) {
        world.wake(Actor::Address, place, delay);
    }
}

/// Wakes the controller of an object, by what its owner is.
fn wake_controller(world: &mut World, object: &Value, delay: Duration) {
    let Some(owner) = controller(object) else { return };
    let (actor, group, plural) = match text(owner, "/kind") {
        "ReplicaSet" => (Actor::ReplicaSet, "apps", "replicasets"),
        "Deployment" => (Actor::Deployment, "apps", "deployments"),
        "StatefulSet" => (Actor::StatefulSet, "apps", "statefulsets"),
        "DaemonSet" => (Actor::DaemonSet, "apps", "daemonsets"),
        "Job" => (Actor::Job, "batch", "jobs"),
        _ => return,
    };
    let place = ObjectRef::new(group, plural, fields::namespace(object), text(owner, "/name"));
    world.wake(actor, place, delay);
}
