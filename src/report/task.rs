//! A task as JSON, the same object in the lines of an operation, in a plan and in a diff (cli.md). Owns its fields; knows nothing of
//! where it stands.

use serde::Serialize;

use crate::model::{DeletePolicy, Phase, Role, Task, TaskId};
use crate::operation::Operation;
use crate::plan::NotRun;

/// The task object of the contract.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct TaskJson<'a> {
    phase: Phase,
    wave: i64,
    group: &'a str,
    version: &'a str,
    kind: &'a str,
    namespace: &'a str,
    name: &'a str,
    hook: bool,
    hook_types: Vec<&'static str>,
    delete_policies: Vec<&'static str>,
}

impl<'a> TaskJson<'a> {
    /// Returns the object of a task of the plan.
    pub(super) fn of(task: &'a Task) -> Self {
        Self {
            wave: task.wave.0,
            version: &task.version,
            hook: task.is_hook(),
            hook_types: task.hook_types().into_iter().map(Phase::as_str).collect(),
            delete_policies: task.delete_policies().iter().copied().map(DeletePolicy::as_str).collect(),
            ..Self::bare(&task.id)
        }
    }

    /// Returns the object of a task by its id; one that the plan does not have has only its name.
    pub(super) fn named(id: &'a TaskId, operation: &'a Operation) -> Self {
        operation.plan().task(id).map_or_else(|| Self::bare(id), Self::of)
    }

    fn bare(id: &'a TaskId) -> Self {
        Self {
            phase: id.phase,
            wave: 0,
            group: &id.key.group,
            version: "",
            kind: &id.key.kind,
            namespace: &id.key.namespace,
            name: &id.key.name,
            hook: id.role == Role::Hook,
            hook_types: Vec::new(),
            delete_policies: Vec::new(),
        }
    }
}

/// A task that does not run.
#[derive(Serialize)]
pub(super) struct NotRunJson<'a> {
    task: TaskJson<'a>,
    reason: &'a str,
    code: &'static str,
}

impl<'a> NotRunJson<'a> {
    /// Returns the object of a task that the plan leaves out, with the reason.
    pub(super) fn of(not_run: &'a NotRun) -> Self {
        Self { task: TaskJson::of(&not_run.task), reason: &not_run.reason, code: not_run.code.as_str() }
    }
}
