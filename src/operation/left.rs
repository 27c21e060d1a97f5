//! What a deletion leaves behind when it is over, and why; how much of the app is gone. Decides nothing.

use super::{Operation, TaskResult};
use crate::model::{Live, Phase, ResultCode, Task, TaskId, TaskState};

/// What outlives the app, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct LeftBehind {
    pub(crate) task: TaskId,
    /// A sentence for people.
    pub(crate) reason: String,
}

impl Operation {
    /// Returns what outlives the app, with the reason: objects that say so, and hooks whose policies do not fit (spec R706, R1113).
    pub(crate) fn left_behind(&self) -> Vec<LeftBehind> {
        if !self.is_deletion() {
            return Vec::new();
        }
        self.plan.tasks.iter().filter_map(|task| Some(LeftBehind { task: task.id.clone(), reason: self.why_left(task)? })).collect()
    }

    fn why_left(&self, task: &Task) -> Option<String> {
        let result = self.result(&task.id)?;
        if task.id.phase == Phase::Delete {
            return (result.code == ResultCode::PruneSkipped).then(|| result.message.clone());
        }
        let live = self.own_hook(task)?;
        let is_same = |other: &Task| other.id.key == task.id.key && self.own_uid(other) == Some(&live.uid);
        let is_told = self.tasks_in(Phase::Delete).any(|other| is_same(other) && self.result(&other.id).is_some());
        (!is_told).then(|| self.why_hook_stays(task, live, result))
    }

    fn why_hook_stays(&self, task: &Task, live: &Live, result: &TaskResult) -> String {
        let policies: Vec<&str> = task.delete_policies().iter().map(|policy| policy.as_str()).collect();
        match result.state {
            TaskState::Error => result.message.clone(),
            TaskState::Failed => "it failed, and stays to be looked at".to_owned(),
            TaskState::Pending | TaskState::Running | TaskState::Terminating => "it has not come to its end".to_owned(),
            TaskState::Succeeded if live.deletion.is_some() => "it is being deleted".to_owned(),
            TaskState::Succeeded => format!(
                "nothing deletes a {} hook with the delete policy {} after it has succeeded; HookSucceeded would",
                task.id.phase,
                policies.join(", ")
            ),
        }
    }

    /// Returns how many objects of the cascade are gone, and how many there were to delete.
    pub(crate) fn deleted(&self) -> (usize, usize) {
        let is_gone =
            |task: &&Task| self.result(&task.id).is_some_and(|result| result.code == ResultCode::Pruned) && !self.is_leaving(task);
        (self.tasks_in(Phase::Delete).filter(is_gone).count(), self.tasks_in(Phase::Delete).count())
    }
}
