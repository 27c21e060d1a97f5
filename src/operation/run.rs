//! One run of tasks: old finalizers, prunes, old hooks, then applies kind by kind (spec R520), and what follows from its outcome (steps 10
//! and 11 of the chart, spec R626). What becomes of the tasks that it starts is judged in `running`.

use jiff::Timestamp;

use super::event::{Event, RunKind, RunOutcome, Step};
use super::messages::{self, Wait};
use super::pass::{change, conclude};
use super::{Effect, Operation, Run};
use crate::model::{DeletePolicy, OperationPhase, Phase, ResultCode, Task, TaskId, TaskState};
use crate::plan::deletion::effective;
use crate::plan::order::within_group;

/// How often the old object of a hook is deleted before it is clear that somebody else creates it.
const RECREATED: usize = 5;

impl Operation {
    /// Returns the next calls of the run, nothing while calls are out, or its end.
    pub(super) fn drive(&self, run: &Run, now: Timestamp) -> Vec<Effect> {
        if run.in_flight > 0 {
            return Vec::new();
        }
        if run.kind == RunKind::DryRun {
            return self.drive_dry(run, now);
        }
        if run.phase == Phase::Delete {
            return self.drive_cascade(run);
        }
        let before_applies: [&dyn Fn() -> Vec<Effect>; 3] =
            [&|| self.remove_old_finalizers(run), &|| self.prune(run), &|| self.delete_old_hooks(run)];
        for stage in before_applies.iter().filter(|_| run.sent == 0) {
            let calls = stage();
            if !calls.is_empty() {
                return calls;
            }
            if self.has_failed(run) {
                return self.end_run(run, now, RunOutcome::Failed);
            }
        }
        if run.sent == 0 && run.tasks.iter().any(|id| self.is_old_hook_in_deletion(id)) {
            return self.end_run(run, now, RunOutcome::Pending);
        }
        let batch = self.apply_batch(run);
        if !batch.is_empty() {
            return batch;
        }
        self.end_run(run, now, if self.has_failed(run) { RunOutcome::Failed } else { RunOutcome::Successful })
    }

    /// Spec R1318: prunes first, then the rest in order; nothing is removed, deleted or applied.
    fn drive_dry(&self, run: &Run, now: Timestamp) -> Vec<Effect> {
        let open = self.tasks_of(run).filter(|task| task.is_prune() && self.result(&task.id).is_none());
        let pruned: Vec<Effect> = open
            .map(|task| {
                let would = || change(&task.id, ResultCode::Pruned, TaskState::Succeeded, "pruned (dry run)".to_owned());
                self.skip_prune(task).unwrap_or_else(would)
            })
            .collect();
        if !pruned.is_empty() {
            return pruned;
        }
        let batch = self.apply_batch(run);
        if batch.is_empty() {
            return self.end_run(run, now, if self.has_failed(run) { RunOutcome::Failed } else { RunOutcome::Successful });
        }
        batch
    }

    /// No task of a run has a result at its start, so a bad one comes from the run itself.
    fn has_failed(&self, run: &Run) -> bool {
        run.tasks.iter().any(|id| matches!(self.state(id), TaskState::Failed | TaskState::Error))
    }

    fn tasks_of<'a>(&'a self, run: &'a Run) -> impl Iterator<Item = &'a Task> {
        run.tasks.iter().filter_map(|id| self.task(id))
    }

    /// Returns the steps that tasks of the run need and nobody has begun.
    fn needed(&self, run: &Run, need: impl Fn(&Task) -> Option<Step>) -> Vec<Effect> {
        let open = self.tasks_of(run).filter(|task| self.result(&task.id).is_none());
        open.filter_map(|task| need(task).map(|step| (task, step)))
            .filter(|(task, step)| self.step(&task.id, step.clone()).is_none())
            .map(|(task, step)| Effect::Step { task: task.id.clone(), step })
            .collect()
    }

    /// Spec R216.1: whatever its policies, an old object of a hook that is about to run loses the hook finalizer.
    fn remove_old_finalizers(&self, run: &Run) -> Vec<Effect> {
        self.needed(run, |task| {
            let live = self.live.get(&task.id.key).filter(|live| task.is_hook() && live.has_hook_finalizer())?;
            Some(Step::RemoveOldFinalizer { uid: live.uid.clone() })
        })
    }

    /// Spec R631–R635.
    fn prune(&self, run: &Run) -> Vec<Effect> {
        let open = self.tasks_of(run).filter(|task| task.is_prune() && self.result(&task.id).is_none());
        let skipped: Vec<Effect> = open.filter_map(|task| self.skip_prune(task)).collect();
        if !skipped.is_empty() {
            return skipped;
        }
        self.needed(run, |task| {
            let live = self.live.get(&task.id.key).filter(|_| task.is_prune())?;
            Some(Step::Prune { uid: live.uid.clone() })
        })
    }

    fn skip_prune(&self, task: &Task) -> Option<Effect> {
        let skip = |code, message: &str| Some(change(&task.id, code, TaskState::Succeeded, message.to_owned()));
        let Some(live) = self.live.get(&task.id.key) else { return skip(ResultCode::Pruned, "pruned") };
        if task.uid.as_ref().is_some_and(|uid| *uid != live.uid) {
            return skip(ResultCode::PruneSkipped, "ignored (replaced by another object of the same name)");
        }
        if live.traits.is_hook() {
            return skip(ResultCode::PruneSkipped, "ignored (it has become a hook)");
        }
        if !self.request.prune {
            return skip(ResultCode::PruneSkipped, "ignored (requires pruning)");
        }
        if effective(&live.traits, &self.request.options, "Prune") == Some("false") {
            return skip(ResultCode::PruneSkipped, "ignored (no prune)");
        }
        live.deletion.and_then(|_| skip(ResultCode::Pruned, "pruned"))
    }

    /// Spec R204, R205. An old hook that somebody creates again and again is not deleted for ever.
    fn delete_old_hooks(&self, run: &Run) -> Vec<Effect> {
        let restless = self.tasks_of(run).filter(|task| self.result(&task.id).is_none() && self.old_hooks_deleted(&task.id) >= RECREATED);
        let given_up: Vec<Effect> = restless
            .map(|task| {
                let message = format!(
                    "{} was deleted {RECREATED} times before its creation, and somebody else has created it again each time",
                    task.id.key
                );
                change(&task.id, ResultCode::None, TaskState::Error, message)
            })
            .collect();
        if !given_up.is_empty() {
            return given_up;
        }
        self.needed(run, |task| {
            // In a deletion the policies count only after it (spec R1112), and what is left of an earlier hook proves nothing.
            let is_wanted = task.is_hook() && (self.is_deletion() || task.delete_policies().contains(&DeletePolicy::BeforeHookCreation));
            let live = self.live.get(&task.id.key).filter(|_| is_wanted)?;
            Some(Step::DeleteOldHook { uid: live.uid.clone() })
        })
    }

    fn old_hooks_deleted(&self, id: &TaskId) -> usize {
        self.steps.keys().filter(|(task, step)| task == id && matches!(step, Step::DeleteOldHook { .. })).count()
    }

    /// Consecutive tasks of one kind are sent together; the next kind follows when all answers are there, good or bad (spec R520).
    fn apply_batch(&self, run: &Run) -> Vec<Effect> {
        let mut targets = self.tasks_of(run).filter(|task| !task.is_prune()).skip(run.sent).peekable();
        let Some(first) = targets.peek().copied() else { return Vec::new() };
        let group = |task: &Task| (task.id.phase, task.wave);
        // A dry run goes through all groups at once; their results keep the order of the groups.
        let belongs = |task: &&Task| task.id.key.kind == first.id.key.kind && (run.kind != RunKind::DryRun || group(task) == group(first));
        let step = if run.kind == RunKind::DryRun { Step::Try } else { Step::Apply };
        targets.take_while(belongs).map(|task| Effect::Step { task: task.id.clone(), step: step.clone() }).collect()
    }

    fn end_run(&self, run: &Run, now: Timestamp, outcome: RunOutcome) -> Vec<Effect> {
        if self.is_deletion() {
            return self.end_deletion_run(run, outcome, now);
        }
        let follows = match run.kind {
            RunKind::Namespace => self.after_namespace(run, now, outcome),
            RunKind::DryRun => vec![match outcome {
                RunOutcome::Failed => conclude(OperationPhase::Failed, messages::DRY_RUN_FAILED.to_owned(), None),
                RunOutcome::Successful | RunOutcome::Pending => {
                    conclude(OperationPhase::Succeeded, messages::NO_MORE_TASKS.to_owned(), None)
                }
            }],
            RunKind::SyncFail => self.waiting_event(Wait::Completion, &self.tasks_of(run).collect::<Vec<_>>(), now).into_iter().collect(),
            RunKind::Group => match self.after_group(run, now, outcome) {
                Some(effects) => effects,
                None => return self.finalizers_to_remove(),
            },
        };
        let mut effects = vec![Effect::Record(Event::RunFinished { outcome })];
        effects.extend(follows);
        effects
    }

    /// Spec R610, R611; an automatic Namespace makes the list multi-step and is said to be waited for (spec R517).
    fn after_namespace(&self, run: &Run, now: Timestamp, outcome: RunOutcome) -> Vec<Effect> {
        match outcome {
            RunOutcome::Failed => {
                vec![conclude(OperationPhase::Failed, self.with_reason(messages::NAMESPACE_FAILED, run.tasks.iter()), None)]
            }
            RunOutcome::Successful | RunOutcome::Pending => {
                let automatic: Vec<&Task> = self.tasks_of(run).filter(|task| task.automatic).collect();
                self.waiting_event(Wait::Completion, &automatic, now).into_iter().collect()
            }
        }
    }

    /// Steps 10 and 11. `None`: the last group is through, but a finalizer has still to be removed (decision 22), also one that only
    /// turned up meanwhile.
    fn after_group(&self, run: &Run, now: Timestamp, outcome: RunOutcome) -> Option<Vec<Effect>> {
        let tasks: Vec<&Task> = self.tasks_of(run).collect();
        Some(match outcome {
            RunOutcome::Pending => {
                let leaving: Vec<&Task> = tasks.into_iter().filter(|task| self.is_old_hook_in_deletion(&task.id)).collect();
                self.waiting_event(Wait::Deletion, &leaving, now).into_iter().collect()
            }
            RunOutcome::Successful => {
                let waves = self.current_waves();
                let is_last = self.pending(&waves).next().is_none();
                if is_last && self.bad_tasks().is_empty() && !tasks.iter().any(|task| task.is_hook()) {
                    let end = self.succeed(messages::ALL_TASKS_RUN);
                    if end.is_empty() {
                        return None;
                    }
                    end
                } else {
                    // All of the group in its order, its prunes too (spec R418, R626).
                    let mut shown = tasks;
                    shown.sort_by(|one, other| within_group(one, other));
                    self.waiting_event(Wait::Completion, &shown, now).into_iter().collect()
                }
            }
            RunOutcome::Failed => self.after_failed_group(run, now),
        })
    }

    /// Spec R626, first two points.
    fn after_failed_group(&self, run: &Run, now: Timestamp) -> Vec<Effect> {
        let failed: Vec<&TaskId> = run.tasks.iter().collect();
        let running: Vec<&Task> = self.tasks_of(run).filter(|task| self.state(&task.id) == TaskState::Running).collect();
        let has_sync_fail = self.plan.tasks.iter().any(|task| task.id.phase == Phase::SyncFail);
        if running.is_empty() || has_sync_fail {
            return self.sync_fail(messages::APPLY_FAILED, &failed, now);
        }
        self.waiting_event(Wait::Completion, &running, now).into_iter().collect()
    }
}
