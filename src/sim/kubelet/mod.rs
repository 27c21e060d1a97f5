//! The kubelets of all nodes: pods that have a node are played here, container by container, as the story says.
//! Knows pods, Secrets, ConfigMaps and the logbook; nothing of the controllers that make pods.

mod behaviour;
mod config;
mod container;
mod pod;
mod printer;
mod script;
mod site;
mod status;
mod words;

use std::collections::BTreeMap;
use std::time::Duration;

use pod::PodRun;
use site::{Shared, Site};

use super::actors::{ObjectRef, World, is_finished};
use super::fields::{self, text};

/// All pods that run on some node.
#[derive(Debug, Default)]
pub(super) struct Kubelet {
    pods: BTreeMap<ObjectRef, PodRun>,
    shared: Shared,
}

impl Kubelet {
    /// Looks after one pod; returns when to look again.
    pub(super) fn reconcile(&mut self, world: &mut World, place: &ObjectRef) -> Option<Duration> {
        let pod = world.get(place);
        let uid = pod.as_deref().map(fields::uid).unwrap_or_default();
        if let Some(gone) = self.pods.get(place).filter(|run| run.uid != uid) {
            world.logs.forget(&place.namespace, &place.name, &gone.uid);
            self.pods.remove(place);
        }
        let pod = pod?;
        let node = text(&pod, "/spec/nodeName");
        if node.is_empty() || (is_finished(&pod) && !self.pods.contains_key(place)) {
            return None;
        }
        if !self.pods.contains_key(place) {
            self.shared.addresses += 1;
            self.pods.insert(place.clone(), PodRun::new(world, &pod, self.shared.addresses));
        }
        let now = world.now();
        let run = self.pods.get_mut(place)?;
        let next = run.play(&mut Site { world, shared: &mut self.shared, pod: &pod, node, now })?;
        Some(Duration::try_from(next.duration_since(now)).unwrap_or_default())
    }

    /// A Secret or ConfigMap of a namespace has changed: returns the pods that wait for such a thing.
    pub(super) fn poke(&mut self, world: &World, namespace: &str) -> Vec<ObjectRef> {
        let now = world.now();
        let mut poked = Vec::new();
        for (place, run) in self.pods.iter_mut().filter(|(place, run)| *place.namespace == *namespace && run.is_blocked()) {
            run.poke(now);
            poked.push(place.clone());
        }
        poked
    }
}
