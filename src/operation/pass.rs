//! One pass of the chart in spec 17, one function for each step.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use super::event::{Event, RunKind, Step, StepOutcome};
use super::messages::{self, Wait};
use super::next::{Closing, DELETED_HOOK_LIMIT, later};
use super::{Effect, Operation};
use crate::model::{
    Assessment, DeletePolicy, HealthStatus, Live, Mode, OperationPhase, Phase, ResourceKey, ResultCode, Role, Task, TaskId, TaskState,
    Verb, Wave,
};
use crate::plan::Invalid;
use crate::plan::order::{self, prune_waves};

impl Operation {
    /// Steps 1 to 9 of the chart. Each step either has something to do, or the next one is looked at.
    pub(super) fn pass(&self, now: Timestamp) -> Vec<Effect> {
        let any = |effects: Vec<Effect>| (!effects.is_empty()).then_some(effects);
        let steps: [&dyn Fn() -> Option<Vec<Effect>>; 5] = [
            &|| any(self.refuse_shared()),
            &|| self.refuse_invalid_tasks(),
            &|| self.create_namespace(),
            &|| any(self.dry_pass()),
            &|| any(self.evaluate_running()),
        ];
        if let Some(effects) = steps.iter().find_map(|step| step()) {
            return effects;
        }
        if self.request.dry_run {
            return self.dry_run();
        }
        let waited = self.waited();
        if !waited.is_empty() {
            return self.wait_for_running(&waited, now);
        }
        let leaving = self.pruned_in_deletion();
        if !leaving.is_empty() {
            return self.wait_or(self.fail_late(&leaving, now), Wait::Deletion, &leaving, now);
        }
        let mut effects = self.finalizers_to_remove();
        if self.request.delete_succeeded_hooks_early {
            effects.extend(self.succeeded_hooks_to_delete());
        }
        effects.extend(self.fail_or_go_on(now));
        not_paused_with_calls(effects)
    }

    /// Step 1 (spec R608). What made an earlier attempt invalid may have come in the meantime; until that is known, nothing may start.
    /// `None`: nothing is invalid.
    pub(super) fn refuse_invalid_tasks(&self) -> Option<Vec<Effect>> {
        let invalid: Vec<&Invalid> = self.plan.invalid.iter().filter(|invalid| !self.is_served_now(invalid)).collect();
        if self.attempt > 1 {
            let unasked = invalid.iter().filter(|invalid| self.step(&invalid.task, Step::Discover).is_none());
            let asks: Vec<Effect> = unasked.map(|invalid| Effect::Step { task: invalid.task.clone(), step: Step::Discover }).collect();
            if !asks.is_empty() || invalid.iter().any(|invalid| self.step(&invalid.task, Step::Discover) == Some(None)) {
                return Some(asks);
            }
        }
        if invalid.is_empty() {
            return None;
        }
        let mut effects: Vec<Effect> = invalid
            .iter()
            .map(|invalid| change(&invalid.task, ResultCode::SyncFailed, TaskState::Pending, invalid.message.clone()))
            .collect();
        let summaries: std::collections::BTreeSet<&str> = invalid.iter().map(|invalid| invalid.summary.as_str()).collect();
        let base = if self.is_deletion() { messages::DELETION_NOT_VALID } else { messages::NOT_VALID };
        let message = format!("{base}: {}", summaries.into_iter().collect::<Vec<_>>().join("; "));
        effects.push(conclude(OperationPhase::Failed, message, None));
        Some(effects)
    }

    fn is_served_now(&self, invalid: &Invalid) -> bool {
        matches!(self.step(&invalid.task, Step::Discover), Some(Some(StepOutcome::Done { .. })))
    }

    /// First half of step 2: the destination Namespace, if it is missing, before any validation (spec R610). A pause before the first group
    /// stands before it, because a paused operation writes nothing. `None`: there is none to make.
    fn create_namespace(&self) -> Option<Vec<Effect>> {
        if self.dry_pass_done || self.request.dry_run {
            return None;
        }
        let is_open = |task: &&Task| self.is_destination(task) && self.result(&task.id).is_none();
        let task = self.plan.tasks.iter().find(is_open)?;
        if let Some(error) = &task.prefailed {
            return Some(vec![change(&task.id, ResultCode::SyncFailed, TaskState::Error, error.clone())]);
        }
        if self.live.contains_key(&task.id.key) {
            return None;
        }
        let own = (task.id.phase, task.wave);
        let (phase, wave) = self.first_group(&self.current_waves()).unwrap_or(own);
        Some(self.stop_before(phase, wave).unwrap_or_else(|| self.make_namespace(task, (phase, wave) == own)))
    }

    /// Made ahead of its turn, it begins neither its phase nor its wave: their clocks and breakpoints are those of the rest.
    fn make_namespace(&self, task: &Task, is_its_turn: bool) -> Vec<Effect> {
        let (phase, wave, tasks) = (task.id.phase, task.wave, vec![task.id.clone()]);
        if is_its_turn {
            return self.start_run(RunKind::Namespace, phase, wave, tasks);
        }
        vec![Effect::Record(Event::RunStarted { kind: RunKind::Namespace, phase, wave, tasks })]
    }

    fn is_destination(&self, task: &Task) -> bool {
        let key = &task.id.key;
        key.group.is_empty() && *key.kind == *"Namespace" && key.name == self.plan.namespace && !task.is_prune()
    }

    /// Second half of step 2: what can be found without a schema (spec R612). Wrong metadata has been refused before the operation (decision 19).
    fn dry_pass(&self) -> Vec<Effect> {
        if self.dry_pass_done {
            return Vec::new();
        }
        let is_nameless = |task: &&Task| task.id.key.name.is_empty() && !task.is_prune();
        let nameless = self.plan.tasks.iter().filter(|task| is_nameless(task) && !self.is_created_anew(task));
        let mut effects: Vec<Effect> = nameless
            .map(|task| {
                let prefix = task.target.as_ref().map(|target| target.generate_name().to_owned()).unwrap_or_default();
                let message = if prefix.is_empty() {
                    "resource name may not be empty".to_owned()
                } else {
                    format!("from {prefix}: {}", messages::GENERATE_NAME)
                };
                change(&task.id, ResultCode::SyncFailed, TaskState::Failed, message)
            })
            .collect();
        effects.push(if effects.is_empty() {
            Effect::Record(Event::DryPassFinished)
        } else {
            conclude(OperationPhase::Failed, messages::DRY_RUN_FAILED.to_owned(), None)
        });
        let mut all = self.warn_of_shared();
        all.extend(effects);
        all
    }

    /// With `Replace=true` an object without a name is no error but another object in each sync (spec R307). Two of one kind cannot be
    /// told apart by their results.
    fn is_created_anew(&self, task: &Task) -> bool {
        let mode = Mode::of(&self.request.options, self.request.force, &task.traits.options, &[]);
        let has_prefix = task.target.as_ref().is_some_and(|target| !target.generate_name().is_empty());
        let is_alone = self.plan.tasks.iter().filter(|other| other.id == task.id).count() == 1;
        mode.verb == Verb::Replace && has_prefix && is_alone
    }

    /// A dry-run operation: everything is tried in one go and nothing is written, not even to what an earlier sync left (spec R1318, R1528).
    fn dry_run(&self) -> Vec<Effect> {
        let mut tasks: Vec<&Task> = self.plan.tasks.iter().filter(|task| !task.unmodified).collect();
        if tasks.is_empty() || self.group_ran {
            return vec![conclude(OperationPhase::Succeeded, messages::NO_MORE_TASKS.to_owned(), None)];
        }
        tasks.sort_by_key(|task| (!self.is_destination(task), !task.is_prune()));
        let (phase, wave) = (tasks[0].id.phase, tasks[0].wave);
        let tasks = tasks.into_iter().map(|task| task.id.clone()).collect();
        vec![Effect::Record(Event::RunStarted { kind: RunKind::DryRun, phase, wave, tasks })]
    }

    /// Step 3: running tasks whose live object is proven fresh take over its state (spec R410, R615, decision 3).
    /// The destination Namespace is applied in the very pass that goes on with its group, so a single-step sync does not judge it first (spec R610).
    fn evaluate_running(&self) -> Vec<Effect> {
        if !self.group_ran && !self.is_multi_step() {
            return Vec::new();
        }
        self.running_tasks().filter(|task| !task.automatic).filter_map(|task| self.evaluate(task)).collect()
    }

    fn evaluate(&self, task: &Task) -> Option<Effect> {
        let live = self.live.get(&task.id.key).or_else(|| self.ended_and_gone(task))?;
        if !self.is_fresh(&task.id, live) {
            return None;
        }
        let (state, message) = if task.is_hook() { hook_outcome(task, &live.assessment) } else { resource_outcome(&live.assessment) };
        // A running hook says what its health says, for example that its Job is suspended (spec R410).
        let is_news = || task.is_hook() && !message.is_empty() && self.result(&task.id).is_some_and(|result| result.message != message);
        (state != TaskState::Running || is_news()).then(|| change(&task.id, ResultCode::Synced, state, message.clone()))
    }

    /// Returns what a hook or a Job looked like that has come to its end and has gone since, as with a time to live (spec R1501, R1531,
    /// R1549): its end counts, however late it was asked for.
    pub(super) fn ended_and_gone(&self, task: &Task) -> Option<&Live> {
        let ends = task.is_hook() || (&*task.id.key.group, &*task.id.key.kind) == ("batch", "Job");
        let applied = self.progress(&task.id)?.applied.as_ref()?;
        let has_ended = |live: &&Live| match &live.assessment {
            Assessment::Known(health) => matches!(health.status, HealthStatus::Healthy | HealthStatus::Degraded),
            Assessment::NoRule | Assessment::Error(_) => false,
        };
        self.graves.get(&task.id.key).filter(|live| ends && live.uid == applied.uid).filter(has_ended)
    }

    /// What an object said of itself before it was in deletion, which says only that (spec R215, R905).
    pub(super) fn last_word<'a>(&'a self, key: &ResourceKey, live: &'a Live) -> &'a Assessment {
        &self.graves.get(key).filter(|before| before.uid == live.uid).unwrap_or(live).assessment
    }

    /// At or after our own write, and seen by the controller (decision 3). A resource is judged by its name, also when somebody
    /// has replaced it (spec R615); a hook only by its uid.
    pub(super) fn is_fresh(&self, task: &TaskId, live: &Live) -> bool {
        let Some(applied) = self.progress(task).and_then(|progress| progress.applied.as_ref()) else { return true };
        let is_same = applied.uid == live.uid || task.role != Role::Hook;
        let is_newer = live.resource_version == 0 || live.resource_version >= applied.resource_version;
        is_same && is_newer && !live.is_behind()
    }

    /// Who is waited for (spec R616).
    pub(super) fn waited(&self) -> Vec<&Task> {
        let multi_step = self.is_multi_step();
        // Once it is there, an automatic Namespace has no task any more (spec R516).
        self.running_tasks().filter(|task| task.is_hook() || (multi_step && !task.automatic)).collect()
    }

    /// Step 4 (spec R616–R618, decision 21).
    pub(super) fn wait_for_running(&self, waited: &[&Task], now: Timestamp) -> Vec<Effect> {
        let (late, in_time): (Vec<&Task>, Vec<&Task>) = waited.iter().copied().partition(|task| self.overdue(task, now).is_some());
        let mut effects: Vec<Effect> = in_time
            .iter()
            .filter(|task| self.must_look(task))
            .map(|task| Effect::Step { task: task.id.clone(), step: Step::Look })
            .collect();
        effects.extend(in_time.iter().filter_map(|task| self.give_up_lost_hook(task, now)));
        effects.extend(late.iter().filter_map(|task| self.end_late(task, now)));
        effects.extend(self.waiting_event(Wait::Completion, waited, now));
        effects
    }

    /// What has no time left fails; a hook is ended first, as by a terminate, so that it does not go on beside what follows (spec R1513).
    fn end_late(&self, task: &Task, now: Timestamp) -> Option<Effect> {
        let why = self.overdue(task, now)?;
        if task.is_hook() { self.end_hook(task, &why) } else { Some(change(&task.id, ResultCode::Synced, TaskState::Failed, why)) }
    }

    /// What is waited for without running, and whose phase has no time left.
    fn fail_late(&self, tasks: &[&Task], now: Timestamp) -> Vec<Effect> {
        let is_late = |task: &&&Task| self.phase_deadline(task).is_some_and(|at| now >= at);
        let code = |task: &Task| self.result(&task.id).map(|result| result.code).unwrap_or_default();
        let late = tasks.iter().filter(is_late);
        late.filter_map(|task| Some(change(&task.id, code(task), TaskState::Error, self.overdue(task, now)?))).collect()
    }

    /// A waited object that the view has lost is asked for directly (spec R617).
    fn must_look(&self, task: &Task) -> bool {
        !self.live.contains_key(&task.id.key) && !matches!(self.step(&task.id, Step::Look), Some(None))
    }

    /// A running hook that a third party deletes or replaces has no result of its own any more (decision 21, spec R1504).
    fn give_up_lost_hook(&self, task: &Task, now: Timestamp) -> Option<Effect> {
        let live = self.live.get(&task.id.key).filter(|_| task.is_hook())?;
        let applied = self.progress(&task.id).and_then(|progress| progress.applied.as_ref());
        if applied.is_some_and(|applied| applied.uid != live.uid) {
            let message = format!("{} was replaced by another object of the same name while it ran", task.id.key);
            return Some(change(&task.id, ResultCode::Synced, TaskState::Error, message));
        }
        let limit = later(*self.deletions.get(&live.uid)?, DELETED_HOOK_LIMIT)?;
        let message = format!("{} was deleted by somebody else while it ran, and no result was seen within 20 s", task.id.key);
        (now >= limit).then(|| change(&task.id, ResultCode::Synced, TaskState::Failed, message))
    }

    /// Step 5: pruned objects that are not gone yet (spec R508, R619).
    fn pruned_in_deletion(&self) -> Vec<&Task> {
        let is_leaving = |task: &&Task| {
            // One that was given up because its phase has no time left is not waited for again.
            self.result(&task.id).is_some_and(|result| result.code == ResultCode::Pruned && result.state == TaskState::Succeeded)
                && self.live.get(&task.id.key).is_some_and(|live| live.deletion.is_some())
        };
        self.plan.tasks.iter().filter(|task| task.is_prune()).filter(is_leaving).collect()
    }

    /// Steps 7 and 8.
    fn fail_or_go_on(&self, now: Timestamp) -> Vec<Effect> {
        let bad = self.bad_tasks();
        if !bad.is_empty() {
            let mut effects = self.hooks_to_delete(DeletePolicy::HookFailed, true);
            // Applied over an old hook that is about to go, the new one would end with the old end and never run (spec R209, R1503).
            if effects.iter().any(|effect| self.is_for_open_sync_fail(effect)) {
                return effects;
            }
            effects.extend(self.sync_fail(messages::UNSUCCESSFUL, &bad, now));
            return effects;
        }
        let waves = self.current_waves();
        let Some((phase, wave)) = self.first_group(&waves) else {
            return self.succeed(messages::NO_MORE_TASKS);
        };
        let group: Vec<usize> =
            self.pending(&waves).filter(|(at, own)| (self.plan.tasks[*at].id.phase, *own) == (phase, wave)).map(|(at, _)| at).collect();
        self.start_group(now, phase, wave, group)
    }

    fn is_for_open_sync_fail(&self, effect: &Effect) -> bool {
        matches!(effect, Effect::Step { task, .. } if task.phase == Phase::SyncFail && !self.state(task).is_completed())
    }

    /// Tasks outside SyncFail that completed without success. A hook that had succeeded and whose deletion was refused is none (T126).
    pub(super) fn bad_tasks(&self) -> Vec<&TaskId> {
        let is_bad = |at: &usize| {
            matches!(self.state_at(*at), TaskState::Failed | TaskState::Error)
                && self.plan.tasks[*at].id.phase != Phase::SyncFail
                && !self.was_deletion_refused(&self.plan.tasks[*at].id)
        };
        (0..self.plan.tasks.len()).filter(is_bad).map(|at| &self.plan.tasks[at].id).collect()
    }

    /// Returns whether a hook that went by its success could not be deleted (spec R212, decision 9).
    fn was_deletion_refused(&self, id: &TaskId) -> bool {
        let is_refusal = |step: &Step, outcome: Option<&StepOutcome>| {
            matches!(step, Step::DeleteHook { policy: DeletePolicy::HookSucceeded, .. })
                && matches!(outcome, Some(StepOutcome::Failed { .. }))
        };
        self.state(id) == TaskState::Error
            && self.steps.iter().any(|((task, step), state)| task == id && is_refusal(step, state.outcome.as_ref()))
    }

    /// The end of a good operation waits for the removal of finalizers, because a failed one fails its hook (decision 22).
    pub(super) fn succeed(&self, message: &str) -> Vec<Effect> {
        if self.in_flight > 0 || !self.finalizers_to_remove().is_empty() {
            return Vec::new();
        }
        vec![conclude(OperationPhase::Succeeded, message.to_owned(), Some(DeletePolicy::HookSucceeded))]
    }

    /// Step 9: the first pending group, unless it has to wait for a person, for an old hook, or for the wave delay.
    fn start_group(&self, now: Timestamp, phase: Phase, wave: Wave, group: Vec<usize>) -> Vec<Effect> {
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
        let mut events = self.closing_events(Closing::Before(phase));
        events.retain(|event| !matches!(event, Event::WaveFinished { phase: closed, wave: number } if (*closed, *number) == (phase, wave)));
        if !self.phases.contains_key(&phase) {
            events.push(Event::PhaseStarted { phase });
        }
        if !self.waves.contains_key(&(phase, wave)) {
            events.push(Event::WaveStarted { phase, wave });
        }
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
    fn first_group(&self, waves: &[Wave]) -> Option<(Phase, Wave)> {
        self.pending(waves).map(|(at, wave)| (self.plan.tasks[at].id.phase, wave)).min()
    }

    /// First and last task of the whole list differ in phase or wave (spec R604).
    fn is_multi_step(&self) -> bool {
        let waves = self.current_waves();
        let mut groups = (0..waves.len()).filter(|at| self.exists(*at)).map(|at| (self.plan.tasks[at].id.phase, waves[at]));
        let first = groups.next();
        groups.any(|group| Some(group) != first)
    }

    /// The SyncFail routine (spec R627). Its hooks start together, whatever their waves (R406), when none of their old objects is left (R206).
    pub(super) fn sync_fail(&self, base: &str, failed: &[&TaskId], now: Timestamp) -> Vec<Effect> {
        let hooks = || self.plan.tasks.iter().filter(|task| task.id.phase == Phase::SyncFail);
        let mut open = hooks().filter(|task| !self.state(&task.id).is_completed()).peekable();
        if open.peek().is_none() {
            let message = self.with_reason(base, failed.iter().copied()) + &self.refused_hooks(hooks());
            return vec![conclude(OperationPhase::Failed, message, Some(DeletePolicy::HookFailed))];
        }
        let mut idle: Vec<&Task> = open.filter(|task| self.state(&task.id) != TaskState::Running).collect();
        let Some(wave) = idle.iter().map(|task| task.wave).min() else { return Vec::new() };
        if let Some(effects) = idle.iter().find_map(|task| self.stop_before(Phase::SyncFail, task.wave)) {
            return effects;
        }
        if idle.iter().any(|task| self.is_old_hook_in_deletion(&task.id)) {
            // Meanwhile Argo CD speaks of the completion of the new ones (spec R409). Those that hold the others come first.
            idle.sort_by_key(|task| !self.is_old_hook_in_deletion(&task.id));
            return self.wait_before(Wait::Completion, &idle, wave, now);
        }
        self.start_run(RunKind::SyncFail, Phase::SyncFail, wave, idle.iter().map(|task| task.id.clone()).collect())
    }

    /// The second line of the end, if SyncFail hooks were refused (spec R408).
    fn refused_hooks<'a>(&self, hooks: impl Iterator<Item = &'a Task>) -> String {
        let is_refused = |id: &&TaskId| self.result(id).is_some_and(|result| result.code == ResultCode::SyncFailed);
        let mut refused = hooks.map(|task| &task.id).filter(is_refused).peekable();
        if refused.peek().is_none() { String::new() } else { format!("\n{}", self.with_reason(messages::SYNC_FAIL_FAILED, refused)) }
    }

    /// Returns the fact that the operation waits, if it does not say so already. Of a long list that only gets shorter, it is said once a second.
    pub(super) fn waiting_event(&self, wait: Wait, tasks: &[&Task], now: Timestamp) -> Option<Effect> {
        let message = messages::waiting(wait, tasks);
        if message.is_empty() || (self.waiting.message == message && self.waiting.on.len() == tasks.len()) {
            return None;
        }
        let is_same_blocker = self.waiting.on.first() == tasks.first().map(|task| &task.id) && self.waiting.wait_is(&message);
        if tasks.len() > LONG_LIST && is_same_blocker && self.waiting_until().is_some_and(|end| now < end) {
            return None;
        }
        let on: Vec<TaskId> = tasks.iter().map(|task| task.id.clone()).collect();
        Some(Effect::Record(Event::Waiting { message, on }))
    }

    /// Returns until when the list of a long wait is not said anew.
    pub(super) fn waiting_until(&self) -> Option<Timestamp> {
        self.waiting.at.filter(|_| self.waiting.on.len() > LONG_LIST).and_then(|at| later(at, LIST_PAUSE))
    }
}

/// From here on a list of waited tasks is long.
const LONG_LIST: usize = 50;
/// How often the list of a long wait is said anew.
const LIST_PAUSE: SignedDuration = SignedDuration::from_secs(1);

/// State of a hook by its health (spec R410).
pub(super) fn hook_outcome(task: &Task, assessment: &Assessment) -> (TaskState, String) {
    let created = || format!("{} created", task.id.key.name);
    match assessment {
        Assessment::NoRule => (TaskState::Succeeded, created()),
        Assessment::Error(error) => (TaskState::Error, format!("failed to get resource health: {error}")),
        Assessment::Known(health) => match health.status {
            HealthStatus::Healthy => (TaskState::Succeeded, health.message.clone()),
            HealthStatus::Progressing | HealthStatus::Suspended => (TaskState::Running, health.message.clone()),
            HealthStatus::Degraded | HealthStatus::Unknown => (TaskState::Failed, health.message.clone()),
            HealthStatus::Missing => (TaskState::Succeeded, created()),
        },
    }
}

/// State of an ordinary resource by its health (spec R615).
fn resource_outcome(assessment: &Assessment) -> (TaskState, String) {
    match assessment {
        Assessment::NoRule => (TaskState::Succeeded, String::new()),
        Assessment::Error(_) => (TaskState::Running, String::new()),
        Assessment::Known(health) => match health.status {
            HealthStatus::Healthy => (TaskState::Succeeded, health.message.clone()),
            HealthStatus::Degraded => (TaskState::Failed, health.message.clone()),
            HealthStatus::Progressing | HealthStatus::Suspended | HealthStatus::Missing | HealthStatus::Unknown => {
                (TaskState::Running, String::new())
            }
        },
    }
}

/// A pause begins when every call is answered, so not beside one.
fn not_paused_with_calls(mut effects: Vec<Effect>) -> Vec<Effect> {
    if effects.iter().any(|effect| matches!(effect, Effect::Step { .. })) {
        effects.retain(|effect| !matches!(effect, Effect::Record(Event::Paused { .. })));
    }
    effects
}

pub(super) fn change(task: &TaskId, code: ResultCode, state: TaskState, message: String) -> Effect {
    Effect::Record(Event::TaskChanged { task: task.clone(), code, state, message })
}

pub(super) fn conclude(phase: OperationPhase, message: String, cleanup: Option<DeletePolicy>) -> Effect {
    Effect::Record(Event::Concluded { phase, message, cleanup })
}
