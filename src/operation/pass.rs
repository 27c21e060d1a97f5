//! One pass of the chart in spec 17, one function for each step. What runs is judged in `running`, what comes next in `groups`.

use jiff::{SignedDuration, Timestamp};

use super::event::{Event, RunKind, Step, StepOutcome};
use super::messages::{self, Wait};
use super::next::later;
use super::{Effect, Operation};
use crate::model::{DeletePolicy, Mode, OperationPhase, Phase, ResultCode, Task, TaskId, TaskState, Verb};
use crate::plan::Invalid;

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
