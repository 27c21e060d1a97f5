//! What a test says of the manifests and of the cluster before it begins: built like prose, played by whoever can.
//! Knows no cluster, neither the pretended one nor the embedded one.

use std::collections::BTreeMap;

use serde_json::json;

use crate::model::{Assessment, Health, HealthStatus, Kinds, Object, ResourceKey, annotation};
use crate::operation::Request;
use crate::plan::{Deletion, Kind, NewNamespace, Selector};

/// What becomes of an object after it was applied.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Fate {
    /// Healthy after this many ticks.
    Healthy(u8),
    /// Degraded after this many ticks.
    Degraded(u8),
    /// Progressing for ever.
    Never,
    /// The kind has no health.
    NoRule,
    /// A health that does not change.
    Is(HealthStatus, &'static str),
    /// The rule of the kind fails.
    Unclear(&'static str),
    /// The server refuses the apply.
    Refused,
    /// Vanishes after this many ticks.
    Vanishes(u8),
}

impl Fate {
    /// Returns what is said of an object of a kind so many seconds after its creation, in the words of the kind's own rule.
    pub(crate) fn assess(&self, kind: &str, age: u8) -> Assessment {
        let known = |status, message: &str| Assessment::Known(Health { status, message: message.to_owned(), rule: "batch/Job".to_owned() });
        let [healthy, degraded, progressing] = match kind {
            "Job" => ["Reached expected number of succeeded pods", "Job has reached the specified backoff limit", "not yet"],
            "Pod" => ["", "broken", ""],
            _ => ["ready", "broken", "not yet"],
        };
        match self {
            Self::NoRule | Self::Refused => Assessment::NoRule,
            Self::Is(status, message) => known(*status, message),
            Self::Unclear(error) => Assessment::Error((*error).to_owned()),
            Self::Healthy(after) if age >= *after => known(HealthStatus::Healthy, healthy),
            Self::Degraded(after) if age >= *after => known(HealthStatus::Degraded, degraded),
            Self::Healthy(_) | Self::Degraded(_) | Self::Never | Self::Vanishes(_) => known(HealthStatus::Progressing, progressing),
        }
    }
}

/// One manifest of a test, built like prose.
#[derive(Clone, Debug)]
pub(crate) struct Spec {
    pub(crate) name: String,
    pub(crate) kind: &'static str,
    pub(crate) annotations: BTreeMap<&'static str, String>,
    pub(crate) generated: bool,
    /// The manifest lists the hook finalizer itself.
    locked: bool,
    /// Group and kind that a definition defines.
    pub(crate) defines: Option<(&'static str, &'static str)>,
    pub(crate) fate: Fate,
    /// What becomes of it when it is created the second time, the third time …; the last one stays.
    pub(crate) later: Vec<Fate>,
}

pub(crate) fn resource(kind: &'static str, name: &str) -> Spec {
    let fate = if ["ConfigMap", "Secret", "Namespace"].contains(&kind) { Fate::NoRule } else { Fate::Healthy(1) };
    Spec {
        name: name.to_owned(),
        kind,
        annotations: BTreeMap::new(),
        generated: false,
        locked: false,
        defines: None,
        fate,
        later: Vec::new(),
    }
}

pub(crate) fn hook(name: &str, phases: &str) -> Spec {
    let mut spec = resource("Job", name);
    spec.annotations.insert(annotation::HOOK, phases.to_owned());
    spec
}

/// A Pod that is a hook.
pub(crate) fn pod_hook(name: &str, phases: &str) -> Spec {
    resource("Pod", name).hooked(phases)
}

impl Spec {
    pub(crate) fn hooked(mut self, phases: &str) -> Self {
        self.annotations.insert(annotation::HOOK, phases.to_owned());
        self
    }
    pub(crate) fn wave(mut self, wave: i64) -> Self {
        self.annotations.insert(annotation::SYNC_WAVE, wave.to_string());
        self
    }
    pub(crate) fn policy(mut self, policies: &str) -> Self {
        self.annotations.insert(annotation::HOOK_DELETE_POLICY, policies.to_owned());
        self
    }
    pub(crate) fn annotated(mut self, name: &'static str, value: &str) -> Self {
        self.annotations.insert(name, value.to_owned());
        self
    }
    pub(crate) fn option(mut self, options: &str) -> Self {
        self.annotations.insert(annotation::SYNC_OPTIONS, options.to_owned());
        self
    }
    pub(crate) fn fate(mut self, fate: Fate) -> Self {
        self.fate = fate;
        self
    }
    /// The next creation of it ends otherwise.
    pub(crate) fn then(mut self, fate: Fate) -> Self {
        self.later.push(fate);
        self
    }
    pub(crate) fn generated(mut self) -> Self {
        self.generated = true;
        self
    }
    pub(crate) fn locked(mut self) -> Self {
        self.locked = true;
        self
    }
    pub(crate) fn defines(mut self, group: &'static str, kind: &'static str) -> Self {
        self.defines = Some((group, kind));
        self
    }
    pub(crate) fn api_version(&self) -> &'static str {
        match self.kind {
            "CustomResourceDefinition" => "apiextensions.k8s.io/v1",
            "NetworkPolicy" => "example.com/v1",
            "Job" => "batch/v1",
            "Deployment" => "apps/v1",
            _ => "v1",
        }
    }
    pub(crate) fn object(&self) -> Object {
        let name = if self.generated { json!({"generateName": self.name}) } else { json!({"name": self.name}) };
        let mut metadata = name;
        metadata["annotations"] = json!(self.annotations);
        if self.locked {
            metadata["finalizers"] = json!([annotation::HOOK_FINALIZER]);
        }
        let spec = self.defines.map_or_else(|| json!({}), |(group, kind)| json!({"group": group, "names": {"kind": kind}}));
        Object::new(json!({"apiVersion": self.api_version(), "kind": self.kind, "metadata": metadata, "spec": spec}))
    }
    pub(crate) fn has(&self, option: &str) -> bool {
        self.annotations.get(annotation::SYNC_OPTIONS).is_some_and(|options| options == option)
    }
    pub(crate) fn key(&self) -> ResourceKey {
        let namespace = if ["Namespace", "CustomResourceDefinition"].contains(&self.kind) { "" } else { "shop" };
        let group = self.api_version().split_once('/').map_or("", |(group, _)| group);
        ResourceKey::new(group, self.kind, namespace, &self.name)
    }
}

/// Everything that is there when an operation begins.
#[derive(Clone, Default)]
pub(crate) struct Setup {
    /// A deletion owns the candidates.
    pub(crate) kind: Kind,
    pub(crate) deletion: Deletion,
    pub(crate) specs: Vec<Spec>,
    /// Objects of an earlier sync that are still there, as they ended.
    pub(crate) leftovers: Vec<Spec>,
    /// Objects that no manifest asks for any more.
    pub(crate) candidates: Vec<Spec>,
    pub(crate) request: Request,
    pub(crate) new_namespace: NewNamespace,
    /// Those of the manifests that are as they should be.
    pub(crate) unmodified: Vec<Spec>,
    /// Finalizers that are on an object when it begins.
    pub(crate) held: Vec<(&'static str, &'static str)>,
    /// Objects that somebody has deleted by then.
    pub(crate) leaving: Vec<&'static str>,
    /// What discovery says.
    pub(crate) kinds: Kinds,
}

/// The deletion of an app that owns `owned`, and whose manifests are those of `owned` and `hooks`.
pub(crate) fn deleting(hooks: impl IntoIterator<Item = Spec>, owned: impl IntoIterator<Item = Spec>) -> Setup {
    let candidates: Vec<Spec> = owned.into_iter().collect();
    let specs = hooks.into_iter().chain(candidates.iter().cloned()).collect();
    Setup { kind: Kind::Delete, specs, candidates, request: Request::deletion(), ..Setup::default() }
}

pub(crate) fn selecting(items: &[&str]) -> Request {
    Request { selection: Some(items.iter().map(|item| Selector::parse(item).unwrap()).collect()), ..Request::default() }
}
