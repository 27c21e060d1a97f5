//! Tasks: units of work of an operation (spec 0.4). Plain data: `plan` makes them, `operation` decides about them.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::hook::{DeletePolicy, Part, Traits};
use super::key::{Gvk, ResourceKey};
use super::object::{Object, Origin};
use super::phase::{Phase, Wave};

/// What a task does with its object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub(crate) enum Role {
    Apply,
    Hook,
    Prune,
}

/// Identity of a task within an operation. One object can be a hook task and a prune task at once (spec R124), and one hook a task in two phases (spec R122).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub(crate) struct TaskId {
    pub(crate) phase: Phase,
    pub(crate) key: ResourceKey,
    pub(crate) role: Role,
}

/// One task of a plan.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Task {
    pub(crate) id: TaskId,
    /// API version without the group, for example `v1`.
    pub(crate) version: Arc<str>,
    /// Wave in force: that of the manifest, or the one that a pulled-forward Namespace or definition took over (spec R509).
    pub(crate) wave: Wave,
    /// What annotations say; of the target, or of the live object for a prune task.
    pub(crate) traits: Traits,
    /// What will be sent; `None` for prune tasks.
    pub(crate) target: Option<Object>,
    pub(crate) origin: Option<Origin>,
    /// Uid of the object that a prune task is about; another object of the same name is none of its business.
    pub(crate) uid: Option<Arc<str>>,
    /// Whether the task was pulled forward before the first one that needs it (spec R509).
    pub(crate) pulled_forward: bool,
    /// Made by `CreateNamespace=true`, not by a manifest; there is no task any more once the Namespace is there (spec R515, R516).
    pub(crate) automatic: bool,
    /// The task has failed before its turn, with this message.
    pub(crate) prefailed: Option<String>,
    /// Known to be as it should be, and left out because of `ApplyOutOfSyncOnly=true` (spec R730).
    pub(crate) unmodified: bool,
}

impl Task {
    /// Returns whether the task is a hook.
    pub(crate) fn is_hook(&self) -> bool {
        self.id.role == Role::Hook
    }

    /// Returns whether the task deletes its object.
    pub(crate) fn is_prune(&self) -> bool {
        self.id.role == Role::Prune
    }

    /// Returns the phases that the hook names, empty for other tasks.
    pub(crate) fn hook_types(&self) -> Vec<Phase> {
        match (&self.traits.part, self.is_hook()) {
            (Part::Hook { phases, deletion }, true) => phases.iter().chain(deletion).copied().collect(),
            (Part::Hook { .. } | Part::Resource | Part::Skip, _) => Vec::new(),
        }
    }

    /// Returns the effective delete policies of a hook, empty for other tasks (spec R202).
    pub(crate) fn delete_policies(&self) -> &[DeletePolicy] {
        if self.is_hook() { &self.traits.policies } else { &[] }
    }

    /// Returns group, version and kind.
    pub(crate) fn gvk(&self) -> Gvk {
        Gvk { group: self.id.key.group.clone(), version: self.version.clone(), kind: self.id.key.kind.clone() }
    }
}
