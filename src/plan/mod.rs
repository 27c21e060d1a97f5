//! Turns manifests into ordered tasks (spec topics 1, 3, 5). Pure: knows no clock, no cluster and no I/O; what the cluster
//! says of kinds and live objects is handed in.
#![deny(clippy::wildcard_enum_match_arm)]

mod action;
mod build;
pub(crate) mod deletion;
pub(crate) mod diff;
pub(crate) mod ignore;
pub(crate) mod impact;
pub(crate) mod kin;
pub(crate) mod order;
pub(crate) mod provision;
pub(crate) mod rbac;
pub(crate) mod references;
pub(crate) mod schema;
pub(crate) mod selection;
mod target;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::Timestamp;
use serde::Serialize;

pub(crate) use action::Action;
pub(crate) use deletion::Deletion;
pub(crate) use provision::{Circumstances, Findings};
pub(crate) use selection::{HookSelector, Hooks, Selector};

use crate::model::{Gvk, Kinds, Live, Object, Options, Origin, ResourceKey, Task, TaskId};

/// A manifest and where it came from.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Manifest {
    pub(crate) object: Object,
    pub(crate) origin: Origin,
}

/// An object that the app owns in the cluster although no manifest asks for it (any more).
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Candidate {
    pub(crate) key: ResourceKey,
    /// API version without the group.
    pub(crate) version: Arc<str>,
    pub(crate) live: Live,
}

impl Candidate {
    /// Returns group, version and kind.
    pub(crate) fn gvk(&self) -> Gvk {
        Gvk { group: self.key.group.clone(), version: self.version.clone(), kind: self.key.kind.clone() }
    }
}

/// Everything that a plan is made of.
#[derive(Clone, Debug)]
pub(crate) struct PlanInput<'a> {
    pub(crate) app: &'a str,
    /// Namespace of objects that name none (spec R312).
    pub(crate) namespace: &'a str,
    pub(crate) revision: &'a str,
    /// Id of the operation; goes into the label of hooks (decision 5).
    pub(crate) operation: &'a str,
    /// When the operation starts; generated names need it (spec R302).
    pub(crate) started_at: Timestamp,
    pub(crate) manifests: &'a [Manifest],
    pub(crate) kinds: &'a Kinds,
    /// Objects that could be pruned: owned by the app, without a manifest.
    pub(crate) candidates: &'a [Candidate],
    /// `None`: everything. Otherwise only these, and no hooks (spec R801–R803).
    pub(crate) selection: Option<&'a [Selector]>,
    pub(crate) shape: &'a Shape,
}

/// What else of a request shapes the plan.
#[derive(Clone, Debug, Default)]
pub(crate) struct Shape {
    /// Options of the operation (spec R701).
    pub(crate) options: Options,
    pub(crate) hooks: Hooks,
    /// Hooks that are left out.
    pub(crate) skip_hooks: Vec<HookSelector>,
    /// With `CreateNamespace=true`: whether the destination Namespace has to be made (spec R515).
    pub(crate) new_namespace: NewNamespace,
    /// Objects that are as they should be, with `ApplyOutOfSyncOnly=true` (spec R730).
    pub(crate) unmodified: BTreeSet<ResourceKey>,
    /// Whether differences are configured to be ignored.
    pub(crate) ignores: bool,
}

/// What `CreateNamespace=true` comes to (spec R515).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) enum NewNamespace {
    /// It was not asked for, or the Namespace is there.
    #[default]
    No,
    Yes,
    /// Whether it is there could not be found out, with the server's sentence.
    Unclear(String),
}

/// Why an object does nothing in an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum NotRunCode {
    /// The hook annotation is `Skip`, or the hook was left out by the person.
    Skip,
    /// Not among the selected objects, or a hook in a selective sync.
    Selection,
    /// The operation ended before its turn.
    Blocked,
    /// A hook annotation without any known type.
    UnknownHook,
    /// A PreDelete or PostDelete hook: runs when the app is deleted.
    DeleteHook,
    /// The operation was terminated before its turn.
    Terminated,
    /// A SyncFail hook of an operation that did not fail, or an object that is as it should be.
    NotNeeded,
}

impl NotRunCode {
    /// Returns the word of the JSON contract.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Skip => "skip",
            Self::Selection => "selection",
            Self::Blocked => "blocked",
            Self::UnknownHook => "unknownHook",
            Self::DeleteHook => "deleteHook",
            Self::Terminated => "terminated",
            Self::NotNeeded => "notNeeded",
        }
    }
}

/// A task that does not run, and why.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct NotRun {
    pub(crate) task: Task,
    pub(crate) reason: String,
    pub(crate) code: NotRunCode,
}

/// Something that the person should know before pressing the key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct PlanWarning {
    /// The object, as `Job shop/migrate`; empty if it concerns the whole plan.
    pub(crate) about: Option<ResourceKey>,
    pub(crate) message: String,
    pub(crate) origin: Option<Origin>,
}

/// A task that makes the whole operation invalid (spec R525, R608).
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Invalid {
    pub(crate) task: TaskId,
    /// Text of the task's result.
    pub(crate) message: String,
    /// Text of the operation's message.
    pub(crate) summary: String,
}

/// What an operation does with an app.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Kind {
    #[default]
    Sync,
    /// Deletes everything that the app owns (spec topic 11).
    Delete,
}

impl Kind {
    /// Returns the word of the JSON contract.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Sync => "sync",
            Self::Delete => "delete",
        }
    }
}

/// Tasks of an operation, in order. Tasks that prune stand where they run if nothing changes until then;
/// their real place is computed anew in each pass (spec R505).
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Plan {
    pub(crate) kind: Kind,
    pub(crate) app: Arc<str>,
    pub(crate) namespace: Arc<str>,
    pub(crate) revision: Arc<str>,
    pub(crate) tasks: Vec<Task>,
    pub(crate) not_run: Vec<NotRun>,
    pub(crate) invalid: Vec<Invalid>,
    pub(crate) warnings: Vec<PlanWarning>,
    /// Whether this is a selective sync (spec topic 8).
    pub(crate) selective: bool,
    /// Objects whose manifests want their deletion to be confirmed; only of a deletion (spec R1110).
    pub(crate) confirm: BTreeSet<ResourceKey>,
    #[serde(skip)]
    index: std::collections::HashMap<TaskId, usize>,
}

impl Plan {
    /// Makes the plan (spec R101–R126, R201–R203, R301–R312, R501–R513, R801–R806).
    pub(crate) fn build(input: &PlanInput<'_>) -> Self {
        build::build(input)
    }

    /// Makes the plan of the deletion of an app: `input.candidates` are all live objects that it owns (spec R1109, R1111).
    pub(crate) fn of_deletion(input: &PlanInput<'_>, deletion: &Deletion) -> Self {
        deletion::build(input, deletion)
    }

    /// Returns a task by its id.
    pub(crate) fn task(&self, id: &TaskId) -> Option<&Task> {
        self.index.get(id).map(|at| &self.tasks[*at])
    }

    /// Returns the position of a task in the order of the plan.
    pub(crate) fn position(&self, id: &TaskId) -> Option<usize> {
        self.index.get(id).copied()
    }
}
