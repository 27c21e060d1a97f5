//! What is known of objects in the cluster: the parts that decisions and screens need, never the whole object.

use std::sync::Arc;

use jiff::Timestamp;
use serde::Serialize;

use super::hang::Unscheduled;
use super::health::Assessment;
use super::hook::Traits;
use super::key::ResourceKey;

/// A live object as it was seen at one resource version.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Live {
    pub(crate) uid: Arc<str>,
    /// The resource version as a number; 0 if the server's is not one.
    pub(crate) resource_version: u64,
    pub(crate) generation: Option<i64>,
    pub(crate) observed_generation: Option<i64>,
    /// `metadata.deletionTimestamp`.
    pub(crate) deletion: Option<Timestamp>,
    pub(crate) finalizers: Vec<String>,
    pub(crate) traits: Traits,
    /// Id of the operation that has made it as one of its hooks, by our label (decision 5).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) operation: Option<Arc<str>>,
    /// The app whose object it is, by our tracking id (spec R1202).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) app: Option<Arc<str>>,
    pub(crate) assessment: Assessment,
}

impl Live {
    /// Returns whether the controller has not yet seen what was last asked of the object (decision 3).
    pub(crate) fn is_behind(&self) -> bool {
        matches!((self.generation, self.observed_generation), (Some(generation), Some(observed)) if observed < generation)
    }

    /// Returns whether a hook finalizer is on the object, ours or Argo CD's.
    pub(crate) fn has_hook_finalizer(&self) -> bool {
        self.finalizers.iter().any(|name| super::annotation::is_hook_finalizer(name))
    }

    /// Returns whether the object is in deletion and says only that of its health (spec R215).
    pub(crate) fn is_leaving(&self) -> bool {
        self.deletion.is_some() && !self.has_hook_finalizer()
    }
}

#[cfg(test)]
impl Live {
    /// Returns what is seen of an object that does nothing, for tests that need one to be there: of resource version 1, judged by no rule.
    pub(crate) fn still(uid: &str, object: &super::Object) -> Self {
        Self {
            uid: uid.into(),
            resource_version: 1,
            generation: None,
            observed_generation: None,
            deletion: None,
            finalizers: Vec::new(),
            traits: Traits::of(object),
            operation: None,
            app: None,
            assessment: Assessment::NoRule,
        }
    }
}

/// What a container does.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) enum ContainerState {
    /// Not started yet, with the kubelet's reason and message (both may be empty).
    Waiting {
        reason: String,
        message: String,
    },
    Running {
        since: Option<Timestamp>,
    },
    Terminated {
        exit_code: i32,
        reason: String,
        at: Option<Timestamp>,
    },
}

/// A container of a pod, init containers first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Container {
    pub(crate) name: Arc<str>,
    pub(crate) init: bool,
    pub(crate) state: ContainerState,
    pub(crate) ready: bool,
    pub(crate) restarts: u32,
}

impl Container {
    /// Returns whether the container has run, so that it has a log.
    pub(crate) fn has_log(&self) -> bool {
        match &self.state {
            ContainerState::Waiting { .. } => self.restarts > 0,
            ContainerState::Running { .. } | ContainerState::Terminated { .. } => true,
        }
    }
}

/// A pod that belongs to an object of the plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct PodView {
    pub(crate) namespace: Arc<str>,
    pub(crate) name: Arc<str>,
    pub(crate) uid: Arc<str>,
    /// The object of the plan that it belongs to (a Job, a Deployment, or the pod itself).
    pub(crate) owner: ResourceKey,
    /// `status.phase`.
    pub(crate) phase: String,
    pub(crate) created: Option<Timestamp>,
    pub(crate) deleting: bool,
    /// `None` once a node has it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) unscheduled: Option<Unscheduled>,
    pub(crate) containers: Vec<Container>,
}

/// An Event of the cluster about an object of the plan or one of its pods.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Occurrence {
    /// The object that the Event is about, for example `Pod migrate-x2x1m`.
    pub(crate) about: ResourceKey,
    /// The object of the plan that it belongs to.
    pub(crate) owner: ResourceKey,
    pub(crate) warning: bool,
    pub(crate) reason: String,
    pub(crate) message: String,
    pub(crate) count: u32,
    pub(crate) at: Option<Timestamp>,
}
