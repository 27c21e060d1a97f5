//! Ending an operation on request (spec topic 9). Always ends; asking again changes nothing.

use std::ops::ControlFlow::{self, Break, Continue};

use super::event::{Event, RunOutcome, Step, StepOutcome};
use super::messages;
use super::pass::{change, conclude};
use super::running::hook_outcome;
use super::{Effect, Operation, StepState};
use crate::model::{Assessment, DeletePolicy, HealthStatus, Live, OperationPhase, ResultCode, Task, TaskId, TaskState};

/// Returns whether a hook that a terminate ends is deleted too: if it still runs, if that is unclear, or if it goes by its policy (spec
/// R905.4).
pub(crate) fn is_deleted_by_terminate(assessment: &Assessment, policies: &[DeletePolicy]) -> bool {
    let may_run = match assessment {
        Assessment::NoRule => false,
        Assessment::Error(_) => true,
        Assessment::Known(health) => matches!(health.status, HealthStatus::Progressing | HealthStatus::Suspended),
    };
    may_run || policies.contains(&DeletePolicy::HookFailed)
}

impl Operation {
    /// Completed hooks lose their finalizer, running ones are ended; nothing else is touched (spec R903–R905), but for finalizers that an
    /// earlier attempt has left (spec R1502).
    pub(super) fn terminating(&self) -> Vec<Effect> {
        if let Some(run) = &self.run {
            return if run.in_flight > 0 { Vec::new() } else { vec![Effect::Record(Event::RunFinished { outcome: RunOutcome::Failed })] };
        }
        let mut effects = self.finalizers_to_remove();
        let running: Vec<&Task> = self.running_tasks().filter(|task| task.is_hook()).collect();
        effects.extend(running.iter().filter_map(|task| self.end_hook(task, "Terminated")));
        if !effects.is_empty() || !running.is_empty() || self.in_flight > 0 {
            return effects;
        }
        let forgotten = self.forgotten_finalizers();
        if !forgotten.is_empty() {
            return forgotten;
        }
        let (phase, message) = if self.had_termination_errors() {
            (OperationPhase::Error, messages::TERMINATION_HAD_ERRORS)
        } else {
            (OperationPhase::Failed, if self.timed_out { messages::TIMED_OUT } else { messages::TERMINATED })
        };
        let message = if self.timed_out && self.is_deletion() { self.out_of_time() } else { message.to_owned() };
        vec![conclude(phase, message, None)]
    }

    /// Returns whether a hook step failed (spec R903). Of a finalizer whose removal had failed before and that is still on, a terminate of
    /// Argo CD would say the same again.
    fn had_termination_errors(&self) -> bool {
        let is_locked = |id: &TaskId, uid: &str| self.live.get(&id.key).is_some_and(|live| *live.uid == *uid && live.has_hook_finalizer());
        let since = self.terminate.as_ref().map(|(at, _)| *at);
        let counts = |id: &TaskId, step: &Step, state: &StepState| match step {
            Step::TerminateFinalizer { .. } | Step::TerminateDelete { .. } | Step::Look => Some(state.started_at) >= since,
            Step::RemoveFinalizer { uid } => is_locked(id, uid),
            Step::RemoveOldFinalizer { .. }
            | Step::Prune { .. }
            | Step::DeleteOldHook { .. }
            | Step::Apply
            | Step::Try
            | Step::Discover
            | Step::Adopt { .. }
            | Step::RemoveLeftFinalizer { .. }
            | Step::DeleteHook { .. } => false,
        };
        let has_failed = |state: &StepState| matches!(state.outcome, Some(StepOutcome::Failed { .. }));
        self.steps.iter().any(|((id, step), state)| has_failed(state) && counts(id, step, state))
    }

    /// The next thing to end one running hook: look, finalizer, deletion, result (spec R905). `None` while a call is out. `why` is the
    /// result's text, unless the hook has come to an outcome of its own.
    pub(super) fn end_hook(&self, task: &Task, why: &str) -> Option<Effect> {
        let id = &task.id;
        let ended = |live: &&Live| self.step(id, Step::TerminateDelete { uid: live.uid.clone() }).is_some();
        let Some(live) = self.live.get(&id.key).or_else(|| self.graves.get(&id.key).filter(ended)) else {
            return match self.step(id, Step::Look) {
                Some(Some(StepOutcome::Gone)) => Some(change(id, ResultCode::Synced, TaskState::Succeeded, why.to_owned())),
                Some(None) => None,
                _ => Some(Effect::Step { task: id.clone(), step: Step::Look }),
            };
        };
        if self.progress(id).and_then(|progress| progress.applied.as_ref()).is_some_and(|applied| applied.uid != live.uid) {
            let message = format!("{why}; another object of the same name is there now and was left alone");
            return Some(change(id, ResultCode::Synced, TaskState::Failed, message));
        }
        let assessment = self.last_word(&id.key, live);
        let (outcome, message) = hook_outcome(task, assessment);
        let finalizer = Step::TerminateFinalizer { uid: live.uid.clone() };
        if live.has_hook_finalizer() || self.step(id, finalizer.clone()).is_some() {
            match self.over(id, finalizer) {
                Continue(None) => {}
                Continue(Some(error)) => {
                    return Some(change(id, ResultCode::Synced, TaskState::Error, format!("Failed to remove hook finalizer: {error}")));
                }
                Break(effect) => return effect,
            }
        }
        if is_deleted_by_terminate(assessment, task.delete_policies()) {
            match self.over(id, Step::TerminateDelete { uid: live.uid.clone() }) {
                Continue(None) => {}
                Continue(Some(error)) => {
                    return Some(change(id, ResultCode::Synced, TaskState::Failed, format!("Failed to delete: {error}")));
                }
                Break(effect) => return effect,
            }
        }
        Some(last_result(id, outcome, message, why))
    }

    /// Returns why a step has failed that must be over first; as long as it is not over, what begins it, or nothing if it runs.
    fn over(&self, id: &TaskId, step: Step) -> ControlFlow<Option<Effect>, Option<&str>> {
        match self.step(id, step.clone()) {
            None => Break(Some(Effect::Step { task: id.clone(), step })),
            Some(None) => Break(None),
            Some(Some(StepOutcome::Failed { error } | StepOutcome::Unsettled { error })) => Continue(Some(error)),
            Some(Some(StepOutcome::Done { .. } | StepOutcome::Gone | StepOutcome::Unsent)) => Continue(None),
        }
    }
}

/// The result of a hook that has been ended.
fn last_result(id: &TaskId, outcome: TaskState, message: String, why: &str) -> Effect {
    match outcome {
        TaskState::Running => change(id, ResultCode::Synced, TaskState::Failed, why.to_owned()),
        TaskState::Error => {
            let message = message.replacen("failed to get resource health", "Failed to get hook health", 1);
            change(id, ResultCode::Synced, TaskState::Error, message)
        }
        TaskState::Pending | TaskState::Succeeded | TaskState::Failed | TaskState::Terminating => {
            change(id, ResultCode::Synced, outcome, message)
        }
    }
}
