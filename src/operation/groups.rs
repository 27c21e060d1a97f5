//! The group that comes next: which waves are due, what has to be waited for before it starts, and its start (spec 17, steps 7 to 9).
//! Decides nothing about tasks that run.

use std::sync::Arc;

use jiff::Timestamp;

use super::event::{Event, RunKind, Step, StepOutcome};
use super::messages::Wait;
use super::next::Closing;
use super::{Effect, Operation};
use crate::model::{DeletePolicy, Live, Phase, Role, Task, TaskId, TaskState, Wave};
use crate::plan::order::{self, prune_waves};

impl Operation {
    /// Step 9: the first pending group, unless it has to wait for a person, for an old hook, or for the wave delay.
    pub(super) fn start_group(&self, now: Timestamp, phase: Phase, wave: Wave, group: Vec<usize>) -> Vec<Effect> {
        if let Some(effects) = self.stop_before(phase, wave) {
            return effects;
        }
        let tasks: Vec<&Task> = group.iter().map(|at| &self.plan.tasks[*at]).collect();
        let unconfirmed: Vec<&Task> = tasks.iter().copied().filter(|task| self.needs_confirmation(task)).collect();
        if !unconfirmed.is_empty() {
            return self.wait_before(Wait::Confirmation, &unconfirmed, wave, now);
        }
        let leaving: Vec<&Task> = tasks.iter().copied().filter(|task| self.is_old_hook_in_deletion(&task.id)).collect();
        if !leaving.is_empty() {
            return self.wait_before(Wait::Deletion, &leaving, wave, now);
        }
        if self.pause_until().is_some_and(|end| now < end) {
            return Vec::new();
        }
        // Applies keep the order of the plan, in which definitions have been pulled forward; prunes go first in any case.
        let (prunes, applies): (Vec<&Task>, Vec<&Task>) = tasks.into_iter().partition(|task| task.is_prune());
        let tasks = prunes.into_iter().chain(applies);
        self.start_run(RunKind::Group, phase, wave, tasks.map(|task| task.id.clone()).collect())
    }

    /// What a group waits for before its first write: old hooks that go, a person who confirms. It has begun with that, so that the limit of
    /// its phase counts (spec R1505, R1513).
    pub(super) fn wait_before(&self, wait: Wait, tasks: &[&Task], wave: Wave, now: Timestamp) -> Vec<Effect> {
        if let Some(phase) = tasks.iter().map(|task| task.id.phase).find(|phase| !self.phases.contains_key(phase)) {
            return self.open_group(phase, wave).into_iter().map(Effect::Record).collect();
        }
        self.wait_or(self.fail_late(tasks, now), wait, tasks, now)
    }

    /// Waits, unless the time is up.
    pub(super) fn wait_or(&self, late: Vec<Effect>, wait: Wait, tasks: &[&Task], now: Timestamp) -> Vec<Effect> {
        if late.is_empty() { self.waiting_event(wait, tasks, now).into_iter().collect() } else { late }
    }

    /// An unconfirmed prune with `Prune=confirm` holds its whole group (spec R634); nobody is asked when nothing is pruned (R1518).
    fn needs_confirmation(&self, task: &Task) -> bool {
        let asks = || {
            let live = self.live.get(&task.id.key);
            live.is_some_and(|live| self.plan.asks_first(&task.id.key, &live.traits, &self.request.options))
        };
        task.is_prune() && self.request.prune && asks() && !self.approved.contains(&task.id.key)
    }

    /// Returns whether the old object of a pending hook has been deleted and is not gone yet: by this operation (spec R206, R207), also by
    /// its policy (R209), or by somebody else. Neither can a hook be created beside it, nor would the server take our finalizer on it (spec R1503).
    pub(super) fn is_old_hook_in_deletion(&self, id: &TaskId) -> bool {
        let Some(live) = self.live.get(&id.key) else { return false };
        let is_going = || live.deletion.is_some() && !live.has_hook_finalizer() || self.goes_by_policy(id, &live.uid);
        matches!(self.step(id, Step::DeleteOldHook { uid: live.uid.clone() }), Some(Some(StepOutcome::Done { .. })))
            || (id.role == Role::Hook && self.result(id).is_none() && is_going())
    }

    /// Returns whether an object is being deleted by a policy of its hook, in this phase or in another one, from the removal of the finalizer
    /// that an earlier operation left.
    fn goes_by_policy(&self, id: &TaskId, uid: &Arc<str>) -> bool {
        let is_on = |task: &TaskId, step: Step| matches!(self.step(task, step), Some(None | Some(StepOutcome::Done { .. })));
        let policies = [DeletePolicy::HookSucceeded, DeletePolicy::HookFailed];
        let is_deleted = |task: &TaskId| policies.into_iter().any(|policy| is_on(task, Step::DeleteHook { uid: uid.clone(), policy }));
        is_on(id, Step::RemoveLeftFinalizer { uid: uid.clone() })
            || Phase::OF_HOOKS.into_iter().any(|phase| is_deleted(&TaskId { phase, ..id.clone() }))
    }

    pub(super) fn start_run(&self, kind: RunKind, phase: Phase, wave: Wave, tasks: Vec<TaskId>) -> Vec<Effect> {
        let mut events = self.open_group(phase, wave);
        events.push(Event::RunStarted { kind, phase, wave, tasks });
        events.into_iter().map(Effect::Record).collect()
    }

    /// What begins and ends with a group.
    pub(super) fn open_group(&self, phase: Phase, wave: Wave) -> Vec<Event> {
        let mut events = self.closing_before(phase, wave);
        if !self.phases.contains_key(&phase) {
            events.push(Event::PhaseStarted { phase });
        }
        if !self.waves.contains_key(&(phase, wave)) {
            events.push(Event::WaveStarted { phase, wave });
        }
        events
    }

    /// What ends before a group.
    pub(super) fn closing_before(&self, phase: Phase, wave: Wave) -> Vec<Event> {
        let mut events = self.closing_events(Closing::Before(phase));
        events.retain(|event| !matches!(event, Event::WaveFinished { phase: closed, wave: number } if (*closed, *number) == (phase, wave)));
        events
    }

    /// Wave of each task in this pass: prune tasks swap theirs among those that still exist (spec R505).
    pub(super) fn current_waves(&self) -> Vec<Wave> {
        let mut waves: Vec<Wave> = self.plan.tasks.iter().map(|task| task.wave).collect();
        let prunes: Vec<usize> = (0..waves.len()).filter(|at| self.plan.tasks[*at].is_prune() && self.exists(*at)).collect();
        if prunes.is_empty() {
            return waves;
        }
        let all_last = self.request.options.has("PruneLast=true");
        let own: Vec<(Wave, bool)> = prunes
            .iter()
            .map(|at| &self.plan.tasks[*at].traits)
            .map(|traits| (traits.wave, all_last || traits.has_option("PruneLast=true")))
            .collect();
        for (at, wave) in prunes.into_iter().zip(prune_waves(&own, order::highest_sync_wave(&self.plan.tasks))) {
            waves[at] = wave;
        }
        waves
    }

    /// A pruned object that is gone has no task any more (spec R505), nor has an automatic Namespace that is there (R516).
    fn exists(&self, position: usize) -> bool {
        let task = &self.plan.tasks[position];
        let is_done_with = || self.result_at(position).is_some() || self.is_there_already(task);
        !(task.automatic && is_done_with()) && (!task.is_prune() || self.is_there_to_prune(task))
    }

    /// What a hook of this operation has been created in place of is gone (spec R124).
    pub(super) fn is_there_to_prune(&self, task: &Task) -> bool {
        let is_another = |live: &Live| task.uid.as_ref().is_some_and(|uid| *uid != live.uid);
        let is_own_hook = |live: &Live| live.operation.as_ref() == Some(&self.id) && is_another(live);
        self.live.get(&task.id.key).is_some_and(|live| !is_own_hook(live))
    }

    /// Made by an earlier attempt, or by somebody else: there is no task for such a Namespace (spec R515).
    pub(super) fn is_there_already(&self, task: &Task) -> bool {
        task.automatic && task.prefailed.is_none() && self.live.contains_key(&task.id.key)
    }

    /// Tasks whose turn may come: without a result, and not SyncFail.
    pub(super) fn pending<'a>(&'a self, waves: &'a [Wave]) -> impl Iterator<Item = (usize, Wave)> + 'a {
        let is_pending = |at: &usize| {
            self.plan.tasks[*at].id.phase != Phase::SyncFail
                && self.state_at(*at) == TaskState::Pending
                && self.result_at(*at).is_none()
                && !self.plan.tasks[*at].unmodified
                && self.exists(*at)
        };
        (0..self.plan.tasks.len()).filter(is_pending).map(|at| (at, waves[at]))
    }

    /// The group whose turn it is, of those in these waves.
    pub(super) fn first_group(&self, waves: &[Wave]) -> Option<(Phase, Wave)> {
        self.pending(waves).map(|(at, wave)| (self.plan.tasks[at].id.phase, wave)).min()
    }

    /// First and last task of the whole list differ in phase or wave (spec R604).
    pub(super) fn is_multi_step(&self) -> bool {
        let waves = self.current_waves();
        let mut groups = (0..waves.len()).filter(|at| self.exists(*at)).map(|at| (self.plan.tasks[at].id.phase, waves[at]));
        let first = groups.next();
        groups.any(|group| Some(group) != first)
    }
}
