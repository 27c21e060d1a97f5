//! What to do now. The same state always gives the same effects; with every begun fact applied there is nothing left to do.

use std::collections::BTreeSet;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::event::{Event, Step, StepOutcome};
use super::{Conclusion, Effect, LogKey, LogState, Operation};
use crate::model::{ContainerState, DeletePolicy, Live, OperationPhase, Phase, PodView, ResourceKey, Role, Task, TaskId, TaskState, Wave};

/// How long the end of an operation waits for the last lines of a log whose container is over.
pub(super) const LOG_GRACE: SignedDuration = SignedDuration::from_secs(2);
/// How long a running hook that a third party deletes may stay in deletion before it fails (decision 21, spec R1504).
pub(super) const DELETED_HOOK_LIMIT: SignedDuration = SignedDuration::from_secs(20);

impl Step {
    /// Returns whether the step belongs to a run of tasks, so that the run waits for it (spec R520).
    pub(super) fn is_of_run(&self) -> bool {
        match self {
            Self::RemoveOldFinalizer { .. } | Self::Prune { .. } | Self::DeleteOldHook { .. } | Self::Apply | Self::Try => true,
            Self::Look
            | Self::Discover
            | Self::Adopt { .. }
            | Self::RemoveFinalizer { .. }
            | Self::RemoveLeftFinalizer { .. }
            | Self::DeleteHook { .. }
            | Self::TerminateFinalizer { .. }
            | Self::TerminateDelete { .. } => false,
        }
    }
}

impl Operation {
    /// Returns what to do now. Pure and level-triggered.
    pub(crate) fn next(&self, now: Timestamp) -> Vec<Effect> {
        if self.finished_at.is_some() {
            return Vec::new();
        }
        if self.is_out_of_time(now) {
            return vec![Effect::Record(Event::TimedOut)];
        }
        let terminating = self.phase == OperationPhase::Terminating;
        if !(self.watches_open || terminating) {
            return self.stall(now).into_iter().collect();
        }
        let mut effects = self.logs_to_follow();
        effects.extend(match (&self.conclusion, &self.run) {
            (Some(conclusion), _) => self.finish(conclusion, now),
            (None, _) if terminating => self.terminating(),
            (None, None) if self.respite.is_some() => self.begin_attempt(now),
            (None, None) if self.paused.is_some() => Vec::new(),
            (None, Some(run)) => self.drive(run, now),
            (None, None) if self.is_deletion() => self.deletion(now),
            (None, None) => self.held_by_window(now).unwrap_or_else(|| self.pass(now)),
        });
        if effects.is_empty() {
            effects.extend(self.stall(now));
        }
        effects
    }

    /// Returns when, after `now`, `next` would answer differently without any new fact.
    pub(crate) fn wake_at(&self, now: Timestamp) -> Option<Timestamp> {
        if self.finished_at.is_some() {
            return None;
        }
        let conclusion = self.conclusion.as_ref().and_then(|conclusion| later(conclusion.at, LOG_GRACE));
        let moments = [conclusion, self.times_out_at(), self.stalls_at()].into_iter().flatten();
        let moments = moments.chain(self.respite.as_ref().map(|respite| respite.until));
        let is_at_work = self.conclusion.is_none() && self.respite.is_none() && self.paused.is_none();
        let at_work = is_at_work.then(|| self.moments_at_work(now)).into_iter().flatten();
        moments.chain(at_work).filter(|at| *at > now).min()
    }

    fn moments_at_work(&self, now: Timestamp) -> Vec<Timestamp> {
        let deletion = |task: &Task| later(*self.deletions.get(&self.live.get(&task.id.key)?.uid)?, DELETED_HOOK_LIMIT);
        let deleted = self.running_tasks().filter(|task| task.is_hook()).filter_map(deletion);
        deleted.chain(self.pause_until()).chain(self.waiting_until()).chain(self.deadlines()).chain(self.window_changes_at(now)).collect()
    }

    /// Returns until when the next group has to wait because of `--wave-delay` (decision 3).
    pub(super) fn pause_until(&self) -> Option<Timestamp> {
        let delay = self.request.wave_delay;
        if delay == Duration::ZERO || self.run.is_some() {
            return None;
        }
        later(self.run_finished_at?, SignedDuration::try_from(delay).ok()?)
    }

    pub(super) fn running_tasks(&self) -> impl Iterator<Item = &Task> {
        self.running.iter().map(|position| &self.plan.tasks[*position])
    }

    pub(super) fn step(&self, task: &TaskId, step: Step) -> Option<Option<&StepOutcome>> {
        self.steps.get(&(task.clone(), step)).map(|state| state.outcome.as_ref())
    }

    /// Logs of hook pods whose container has run and that nobody follows yet.
    fn logs_to_follow(&self) -> Vec<Effect> {
        let mut effects = Vec::new();
        for pod in self.hook_pods.iter().filter_map(|uid| self.pods.get(uid)) {
            let missing = |name: &std::sync::Arc<str>| !self.logs.contains_key(&LogKey { uid: pod.uid.clone(), container: name.clone() });
            let containers: Vec<_> = pod.containers.iter().filter(|container| container.has_log() && missing(&container.name)).collect();
            if containers.is_empty() || self.gone_pods.contains(&pod.uid) {
                continue;
            }
            let Some(task) = self.hook_of_pod(pod) else { continue };
            let pod_attempt = self.pod_attempt(&task, pod);
            effects.extend(containers.into_iter().map(|container| Effect::FollowLog {
                task: task.clone(),
                namespace: pod.namespace.clone(),
                pod: pod.name.clone(),
                uid: pod.uid.clone(),
                container: container.name.clone(),
                pod_attempt,
            }));
        }
        effects
    }

    /// Returns the hook that a pod runs for: of a hook with several phases the one that was applied last.
    fn hook_of_pod(&self, pod: &PodView) -> Option<TaskId> {
        let candidates = Phase::OF_HOOKS.into_iter().map(|phase| TaskId { phase, key: pod.owner.clone(), role: Role::Hook });
        candidates
            .filter(|id| self.progress(id).is_some_and(|progress| progress.applied_at.is_some()))
            .max_by_key(|id| self.progress(id).and_then(|progress| progress.applied_at))
    }

    /// Counts the pods of this run of the hook: those of the same object in an earlier phase (spec R122) are not its attempts.
    fn pod_attempt(&self, task: &TaskId, pod: &PodView) -> u32 {
        let is_another_run = |log: &LogState| log.task != *task || log.attempt != self.attempt;
        let is_of_another = |other: &&&PodView| self.logs.iter().any(|(key, log)| key.uid == other.uid && is_another_run(log));
        let pods = self.pods_of(&pod.owner);
        let before = pods.iter().take_while(|other| other.uid != pod.uid).filter(|other| !is_of_another(other)).count();
        u32::try_from(before).unwrap_or(u32::MAX).saturating_add(1)
    }

    /// The end is decided: clean up hooks, keep the last log lines, then it is final.
    fn finish(&self, conclusion: &Conclusion, now: Timestamp) -> Vec<Effect> {
        let mut effects = self.finalizers_to_remove();
        if let Some(policy) = conclusion.cleanup {
            let patient = later(conclusion.at, LOG_GRACE).is_none_or(|end| now < end);
            effects.extend(self.hooks_to_delete(policy, patient));
            let waits = patient && self.plan.tasks.iter().any(|task| self.is_hook_to_delete(task, policy) && self.has_open_log(&task.id));
            if waits {
                return effects;
            }
        }
        if effects.is_empty() && self.in_flight == 0 {
            effects = self.forgotten_finalizers();
        }
        let logs_open = self.logs.iter().any(|(key, log)| self.is_ending(key, log));
        let patient = later(conclusion.at, LOG_GRACE).is_none_or(|end| now < end);
        if !effects.is_empty() || self.in_flight > 0 || (logs_open && patient) {
            return effects;
        }
        effects.extend(self.logs.iter().filter(|(key, log)| self.is_ending(key, log)).map(|(_, log)| {
            let text = format!("the log of pod {} was still open when the operation ended; its last lines may be missing", log.pod);
            Effect::Record(Event::Warned { task: Some(log.task.clone()), text })
        }));
        effects.extend(self.closing_events(Closing::All).into_iter().map(Effect::Record));
        effects.push(Effect::Record(self.end_or_retry(conclusion, now)));
        effects
    }

    /// Returns whether a log is still open although its container is over, so that its end is near. The containers of a hook that
    /// is no Job (a Deployment, say) go on after the hook has succeeded.
    fn is_ending(&self, key: &LogKey, log: &LogState) -> bool {
        let is_over = log.task.role == Role::Hook && self.state(&log.task) != TaskState::Running;
        let ends_with_hook = ["Job", "Pod"].contains(&&*log.task.key.kind);
        log.open && is_over && (ends_with_hook || self.is_container_over(key))
    }

    fn is_container_over(&self, key: &LogKey) -> bool {
        let Some(pod) = self.pods.get(&key.uid) else { return true };
        let is_terminated = |state: &ContainerState| matches!(state, ContainerState::Terminated { .. });
        self.gone_pods.contains(&key.uid)
            || pod.containers.iter().any(|container| container.name == key.container && is_terminated(&container.state))
    }

    pub(super) fn has_open_log(&self, task: &TaskId) -> bool {
        self.logs.iter().any(|(key, log)| log.task == *task && self.is_ending(key, log))
    }

    /// Finalizers of completed hooks that are still on (spec R216.2). Runs beside the next group (decision 22).
    pub(super) fn finalizers_to_remove(&self) -> Vec<Effect> {
        if self.request.dry_run {
            return Vec::new();
        }
        let completed = self.hooks().filter(|task| self.state(&task.id).is_completed());
        completed.filter_map(|task| self.finalizer_to_remove(task)).collect()
    }

    /// Finalizers that an earlier attempt has left on hooks whose turn did not come again (spec R1502). Only the end takes them, after
    /// everything else: until then the hook may still run, or go by its policy.
    pub(super) fn forgotten_finalizers(&self) -> Vec<Effect> {
        if self.request.dry_run {
            return Vec::new();
        }
        // One object may be a hook of several phases.
        let mut seen: BTreeSet<&ResourceKey> =
            self.hooks().map(|task| &task.id).filter(|id| self.state(id).is_completed()).map(|id| &id.key).collect();
        self.hooks().filter(|task| seen.insert(&task.id.key)).filter_map(|task| self.finalizer_to_remove(task)).collect()
    }

    fn finalizer_to_remove(&self, task: &Task) -> Option<Effect> {
        let Some(live) = self.live.get(&task.id.key) else { return self.look_for_lost_finalizer(task) };
        let step = Step::RemoveFinalizer { uid: live.uid.clone() };
        let is_wanted = self.is_own_object(task, live) && live.has_hook_finalizer() && self.step(&task.id, step.clone()).is_none();
        is_wanted.then(|| Effect::Step { task: task.id.clone(), step })
    }

    fn is_own_object(&self, task: &Task, live: &Live) -> bool {
        match self.progress(&task.id).and_then(|progress| progress.applied.as_ref()) {
            Some(applied) => applied.uid == live.uid,
            // An earlier attempt has made it, or the answer to its creation was lost. The same object may be a hook of another phase, whose
            // affair it is while it runs.
            None => live.operation.as_ref() == Some(&self.id) && !self.running_tasks().any(|other| other.id.key == task.id.key),
        }
    }

    /// An object cannot go while our finalizer is on it, so before it counts as gone with it, it is asked for (spec R1502).
    fn look_for_lost_finalizer(&self, task: &Task) -> Option<Effect> {
        let lost = self.graves.get(&task.id.key)?;
        let is_strange = self.is_own_object(task, lost) && lost.has_hook_finalizer();
        let is_open = matches!(self.step(&task.id, Step::Look), None | Some(Some(StepOutcome::Done { .. })));
        (is_strange && is_open).then(|| Effect::Step { task: task.id.clone(), step: Step::Look })
    }

    pub(super) fn hooks(&self) -> impl Iterator<Item = &Task> {
        self.plan.tasks.iter().filter(|task| task.is_hook())
    }

    fn is_hook_to_delete(&self, task: &Task, policy: DeletePolicy) -> bool {
        let Some(live) = self.live.get(&task.id.key) else { return false };
        let step = Step::DeleteHook { uid: live.uid.clone(), policy };
        task.is_hook()
            && task.delete_policies().contains(&policy)
            && self.state(&task.id) != TaskState::Running
            && live.deletion.is_none()
            && self.step(&task.id, step).is_none()
    }

    /// Hooks that go by a policy: not running, whatever their own outcome was, leftovers included (spec R210). The last lines of their logs come first.
    pub(super) fn hooks_to_delete(&self, policy: DeletePolicy, patient: bool) -> Vec<Effect> {
        let ready = |task: &&Task| {
            self.is_hook_to_delete(task, policy) && !(patient && self.has_open_log(&task.id)) && !self.is_finalizer_leaving(&task.id)
        };
        let delete = |task: &Task| {
            let live = self.live.get(&task.id.key)?;
            let uid = live.uid.clone();
            let step = match self.step(&task.id, Step::RemoveLeftFinalizer { uid: uid.clone() }) {
                // A leftover that its own operation left with a finalizer would hang in its deletion (spec R220, R1502).
                None if live.has_hook_finalizer() && self.result(&task.id).is_none() => Step::RemoveLeftFinalizer { uid },
                None | Some(Some(StepOutcome::Done { .. } | StepOutcome::Gone)) => Step::DeleteHook { uid, policy },
                Some(None | Some(StepOutcome::Failed { .. } | StepOutcome::Unsettled { .. } | StepOutcome::Unsent)) => return None,
            };
            Some(Effect::Step { task: task.id.clone(), step })
        };
        self.hooks().filter(ready).filter_map(delete).collect()
    }

    /// Hooks with the policy HookSucceeded that have succeeded in this operation, once their logs are complete (decision 9).
    pub(super) fn succeeded_hooks_to_delete(&self) -> Vec<Effect> {
        let has_succeeded = |task: &TaskId| self.state(task) == TaskState::Succeeded && self.finalizer_is_off(task);
        let mut effects = self.hooks_to_delete(DeletePolicy::HookSucceeded, true);
        effects.retain(|effect| matches!(effect, Effect::Step { task, .. } if has_succeeded(task)));
        effects
    }

    fn finalizer_is_off(&self, task: &TaskId) -> bool {
        self.live.get(&task.key).is_some_and(|live| !live.has_hook_finalizer())
    }

    /// The finalizer goes first, so that the deletion is immediate (spec R220).
    pub(super) fn is_finalizer_leaving(&self, task: &TaskId) -> bool {
        let Some(live) = self.live.get(&task.key) else { return false };
        matches!(self.step(task, Step::RemoveFinalizer { uid: live.uid.clone() }), Some(None))
    }

    /// Ends of waves and phases that are over.
    pub(super) fn closing_events(&self, closing: Closing) -> Vec<Event> {
        let mut events = Vec::new();
        let open_waves: Vec<(Phase, Wave)> = self.waves.iter().filter(|(_, span)| span.finished_at.is_none()).map(|(at, _)| *at).collect();
        for (phase, wave) in &open_waves {
            let busy = || self.running_tasks().any(|task| task.id.phase == *phase && task.wave == *wave);
            if closing == Closing::All || !busy() {
                events.push(Event::WaveFinished { phase: *phase, wave: *wave });
            }
        }
        let open_phases = self.phases.iter().filter(|(_, span)| span.finished_at.is_none()).map(|(phase, _)| *phase);
        for phase in open_phases {
            let busy = || self.running_tasks().any(|task| task.id.phase == phase);
            let goes_on = match closing {
                Closing::All => false,
                Closing::Before(next) => phase == next || busy(),
            };
            if !goes_on {
                events.push(Event::PhaseFinished { phase, result: self.phase_result(phase) });
            }
        }
        events
    }

    fn phase_result(&self, phase: Phase) -> TaskState {
        let bad = |result: &super::TaskResult| result.task.phase == phase && matches!(result.state, TaskState::Failed | TaskState::Error);
        let cut =
            self.terminate.is_some() && self.conclusion.as_ref().is_some_and(|conclusion| conclusion.phase != OperationPhase::Succeeded);
        if cut || self.results.iter().any(bad) { TaskState::Failed } else { TaskState::Succeeded }
    }
}

/// Which waves and phases end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Closing {
    /// Those without a running task, because a group of this phase starts.
    Before(Phase),
    /// Every open one, because the operation ends.
    All,
}

pub(super) fn later(at: Timestamp, time: SignedDuration) -> Option<Timestamp> {
    at.checked_add(time).ok()
}
