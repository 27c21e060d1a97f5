//! The texts of an operation, word for word as Argo CD writes them (spec R417, R418, R628). Texts alone; when one is due is decided by who
//! asks for it.

use std::collections::BTreeSet;

use super::Operation;
use crate::model::{Phase, ResultCode, Task, TaskId};

/// What a waiting message is about (spec R418).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wait {
    Completion,
    Deletion,
    Confirmation,
}

/// Returns the message for a list of tasks in order; empty for an empty list.
pub(super) fn waiting(wait: Wait, tasks: &[&Task]) -> String {
    let Some(first) = tasks.first() else { return String::new() };
    let hook = tasks.iter().find(|task| task.is_hook());
    let verb = match (wait, hook) {
        (Wait::Confirmation, _) if first.id.phase == Phase::Delete => "deletion confirmation of",
        (Wait::Confirmation, _) => "pruning confirmation of",
        (Wait::Deletion, Some(_)) => "deletion of hook",
        (Wait::Deletion, None) => "deletion of",
        (Wait::Completion, Some(_)) => "completion of hook",
        (Wait::Completion, None) => "healthy state of",
    };
    let named = if wait == Wait::Confirmation { first } else { hook.unwrap_or(first) };
    let noun = if tasks.iter().all(|task| task.is_hook()) { "hooks" } else { "resources" };
    let more = match tasks.len() - 1 {
        0 => String::new(),
        count => format!(" and {count} more {noun}"),
    };
    format!("waiting for {verb} {}{more}", named.id.key.in_message())
}

/// Returns the message at the beginning of a retry (spec R1007).
pub(super) fn retrying(number: u32) -> String {
    format!("Retrying operation. Attempt #{number}")
}

/// Returns whether a message says that a person has to confirm something.
pub(super) fn is_confirmation(message: &str) -> bool {
    ["waiting for pruning confirmation of ", "waiting for deletion confirmation of "].iter().any(|words| message.starts_with(words))
}

pub(super) const NO_MORE_TASKS: &str = "successfully synced (no more tasks)";
pub(super) const ALL_TASKS_RUN: &str = "successfully synced (all tasks run)";
pub(super) const DELETED: &str = "successfully deleted";
pub(super) const DELETE_FAILED: &str = "one or more objects could not be deleted";
pub(super) const DELETION_NOT_VALID: &str = "one or more hooks of the deletion cannot run, so nothing was deleted";
pub(super) const NOT_VALID: &str = "one or more synchronization tasks are not valid";
pub(super) const DRY_RUN_FAILED: &str = "one or more objects failed to apply (dry run)";
pub(super) const NAMESPACE_FAILED: &str = "the namespace failed to apply";
pub(super) const APPLY_FAILED: &str = "one or more objects failed to apply";
pub(super) const UNSUCCESSFUL: &str = "one or more synchronization tasks completed unsuccessfully";
pub(super) const SYNC_FAIL_FAILED: &str = "one or more SyncFail hooks failed";
pub(super) const TERMINATED: &str = "Operation terminated";
pub(super) const TERMINATION_HAD_ERRORS: &str = "Operation termination had errors";
pub(super) const DELETION_TIMED_OUT: &str = "the deletion is not complete, and its time limit has passed";
pub(super) const TIMED_OUT: &str = "Operation terminated, triggered by controller sync timeout";
pub(super) const BLOCKED_BY_WINDOW: &str = "Sync operation blocked by sync window";
pub(super) const GENERATE_NAME: &str = "cannot use generate name with apply";

impl Operation {
    /// Returns `base` and the distinct messages of those tasks that could not be applied; sorted, where Argo CD leaves the order to chance (spec R628, R1520).
    pub(super) fn with_reason<'a>(&self, base: &str, tasks: impl Iterator<Item = &'a TaskId>) -> String {
        let reasons: BTreeSet<&str> = tasks
            .filter_map(|id| self.result(id))
            .filter(|result| result.code == ResultCode::SyncFailed)
            .map(|result| result.message.as_str())
            .collect();
        if reasons.is_empty() {
            return base.to_owned();
        }
        format!("{base}, reason: {}", reasons.into_iter().collect::<Vec<_>>().join(","))
    }
}
