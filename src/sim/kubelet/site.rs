//! Where a container lives while it is looked at: its pod, its node, the time, and what the kubelets of the cluster
//! remember. Tells events with the right source.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde_json::Value;

use super::behaviour::Part;
use crate::sim::actors::{Note, Tone, World};
use crate::sim::fields::{self, controller, fnv, text};
use crate::sim::story::{Attempts, PodRule};

/// What all kubelets remember.
#[derive(Debug, Default)]
pub(super) struct Shared {
    /// How often each rule was used, by its number, scope and container.
    attempts: BTreeMap<(usize, String, String), usize>,
    /// Images that were pulled before.
    pub(super) images: BTreeSet<String>,
    /// How many pods got an address.
    pub(super) addresses: u32,
}

impl Shared {
    /// Counts a use of a rule; returns how many there were before.
    pub(super) fn attempt(&mut self, number: usize, scope: String, what: String) -> usize {
        let count = self.attempts.entry((number, scope, what)).or_default();
        *count += 1;
        *count - 1
    }
}

/// The surroundings of a container.
pub(super) struct Site<'a> {
    pub(super) world: &'a mut World,
    pub(super) shared: &'a mut Shared,
    pub(super) pod: &'a Value,
    pub(super) node: &'a str,
    pub(super) now: Timestamp,
}

impl Site<'_> {
    /// Tells an event about a container.
    pub(super) fn tell(&mut self, container: (&str, Part), tone: Tone, reason: &str, message: &str) {
        let list = match container.1 {
            Part::Init | Part::Sidecar => "initContainers",
            Part::Main => "containers",
        };
        let part = format!("spec.{list}{{{}}}", container.0);
        let note = Note { tone, reason, message, component: "kubelet", host: self.node, part: &part };
        self.world.tell(self.pod, &note);
    }

    /// Tells an event about the pod.
    pub(super) fn tell_pod(&mut self, tone: Tone, reason: &str, message: &str) {
        let note = Note { tone, reason, message, component: "kubelet", host: self.node, part: "" };
        self.world.tell(self.pod, &note);
    }

    /// Over what the attempts of a rule are counted: the Job of the pod, the pod, or the story.
    pub(super) fn scope(&self, rule: &PodRule) -> String {
        match rule.attempts {
            Attempts::PerStory => String::new(),
            Attempts::PerObject => {
                let job = controller(self.pod).filter(|owner| owner["kind"] == "Job");
                job.map_or_else(|| fields::uid(self.pod), |owner| text(owner, "/uid")).to_owned()
            }
        }
    }

    /// A seed that depends on the container and on nothing that happened elsewhere.
    pub(super) fn seed(&self, container: &str, restarts: u32) -> u64 {
        let name = format!("{}/{}/{container}/{restarts}", fields::namespace(self.pod), fields::name(self.pod));
        self.world.seed ^ fnv(name.as_bytes())
    }

    /// `name_namespace(uid)`, as messages of the kubelet name a pod.
    pub(super) fn pod_in_messages(&self) -> String {
        format!("{}_{}({})", fields::name(self.pod), fields::namespace(self.pod), fields::uid(self.pod))
    }
}
