//! The deletion of an app (spec topic 11), one function for each stage: PreDelete hooks, the objects from the highest wave down, PostDelete
//! hooks, and what their policies say. A hook counts only by the end that was observed of the very object that this operation
//! created or took over (spec R1111 without its surprises, R1536).

use std::sync::Arc;

use jiff::Timestamp;

use super::event::{Event, RunKind, RunOutcome, Step, StepOutcome};
use super::messages::{self, Wait};
use super::pass::{change, conclude};
use super::{Effect, Operation, Run, TaskResult};
use crate::model::{
    Assessment, DeletePolicy, HealthStatus, Live, OperationPhase, Phase, ResourceKey, ResultCode, Role, Task, TaskId, TaskState, Wave,
};
use crate::plan::Kind;
use crate::plan::deletion::reason_to_stay;

impl Operation {
    /// Returns whether this is the deletion of an app.
    pub(crate) fn is_deletion(&self) -> bool {
        self.plan.kind == Kind::Delete
    }

    /// Each stage either has something to do, or something to wait for, or is through (spec R1105).
    pub(super) fn deletion(&self, now: Timestamp) -> Vec<Effect> {
        if let Some(refused) = self.refuse_invalid_tasks() {
            return refused;
        }
        let stages: [&dyn Fn() -> Option<Vec<Effect>>; 7] = [
            &|| self.unlock_hooks(),
            &|| self.deletion_hooks(Phase::PreDelete, now),
            &|| self.look_before_cascade(),
            &|| self.cascade(now),
            &|| self.look_after_cascade(),
            &|| self.deletion_hooks(Phase::PostDelete, now),
            &|| self.clean_up_hooks(now),
        ];
        let end = || vec![conclude(OperationPhase::Succeeded, messages::DELETED.to_owned(), None)];
        stages.iter().find_map(|stage| stage()).unwrap_or_else(end)
    }

    /// A deletion adds no finalizer to its hooks (spec R214), but a manifest may list it. It goes as soon as the hook has completed, and
    /// before anything else, because all that follows would wait for it (spec R216.2, R220), or take one that the view has lost for gone
    /// (R1502). `None`: nothing is locked.
    fn unlock_hooks(&self) -> Option<Vec<Effect>> {
        let calls = self.finalizers_to_remove();
        let is_sought = |id: &TaskId| self.state(id).is_completed() && self.step(id, Step::Look) == Some(None);
        let is_out = || self.hooks().any(|task| self.is_finalizer_leaving(&task.id) || is_sought(&task.id));
        (!calls.is_empty() || is_out()).then_some(calls)
    }

    pub(super) fn tasks_in(&self, phase: Phase) -> impl Iterator<Item = &Task> {
        self.plan.tasks.iter().filter(move |task| task.id.phase == phase)
    }

    /// Runs the hooks of a phase, all at once (spec R1111). `None`: they are through.
    fn deletion_hooks(&self, phase: Phase, now: Timestamp) -> Option<Vec<Effect>> {
        let news: Vec<Effect> = self.tasks_in(phase).filter_map(|task| self.judge_deletion_hook(task)).collect();
        if !news.is_empty() {
            return Some(news);
        }
        let running: Vec<&Task> = self.tasks_in(phase).filter(|task| self.state(&task.id) == TaskState::Running).collect();
        if !running.is_empty() {
            return Some(self.wait_for_running(&running, now));
        }
        let failed: Vec<&Task> = self.tasks_in(phase).filter(|task| self.is_failed_hook(task)).collect();
        if !failed.is_empty() {
            let end = || vec![conclude(OperationPhase::Failed, self.hooks_failed(phase, &failed), None)];
            return Some(if self.in_flight > 0 { Vec::new() } else { end() });
        }
        let pending: Vec<&Task> = self.tasks_in(phase).filter(|task| self.result(&task.id).is_none()).collect();
        if pending.is_empty() { None } else { Some(self.start_deletion_hooks(phase, &pending, now)) }
    }

    /// The outcome of a running hook by its health, if it is proven to be that of our own object (spec R1111.4).
    fn judge_deletion_hook(&self, task: &Task) -> Option<Effect> {
        if self.state(&task.id) != TaskState::Running {
            return None;
        }
        // Without a finalizer a time to live takes the object away as soon as it has ended; its end counts all the same.
        let live = self.live.get(&task.id.key).or_else(|| self.ended_and_gone(task)).filter(|live| self.is_fresh(&task.id, live))?;
        let created = || format!("{} created", task.id.key.name);
        let (state, message) = match &live.assessment {
            Assessment::NoRule => (TaskState::Succeeded, created()),
            Assessment::Error(error) => (TaskState::Error, format!("failed to get resource health: {error}")),
            Assessment::Known(health) => match health.status {
                HealthStatus::Progressing => return None,
                HealthStatus::Degraded => (TaskState::Failed, health.message.clone()),
                HealthStatus::Healthy | HealthStatus::Suspended | HealthStatus::Unknown | HealthStatus::Missing => {
                    (TaskState::Succeeded, health.message.clone())
                }
            },
        };
        Some(change(&task.id, ResultCode::Synced, state, message))
    }

    /// A hook that could not be cleaned up has done its work all the same.
    fn is_failed_hook(&self, task: &Task) -> bool {
        let is_bad = matches!(self.state(&task.id), TaskState::Failed | TaskState::Error);
        is_bad && !self.steps.keys().any(|(id, step)| *id == task.id && matches!(step, Step::DeleteHook { .. }))
    }

    /// Spec R1111.5, R1116. A refused hook says why.
    fn hooks_failed(&self, phase: Phase, failed: &[&Task]) -> String {
        let (ran, refused): (Vec<&Task>, Vec<&Task>) = failed.iter().partition(|task| self.has_run(task));
        let stage = if phase == Phase::PreDelete { "pre-delete" } else { "post-delete" };
        let reasons = refused.iter().filter_map(|task| Some(format!("{}: {}", name(&task.id.key), self.result(&task.id)?.message)));
        let names: Vec<String> = ran.iter().map(|task| name(&task.id.key)).collect();
        let ended = (!names.is_empty()).then(|| format!("{phase} hook(s) failed: {}", names.join(", ")));
        let all: Vec<String> = ended.into_iter().chain(reasons).collect();
        format!("error executing {stage} hooks: {}", all.join("; "))
    }

    fn has_run(&self, task: &Task) -> bool {
        self.progress(&task.id).is_some_and(|progress| progress.applied.is_some())
    }

    /// Returns whether the end of an attempt is followed by another one: hooks that ran and failed are run again (spec R1111.5);
    /// what the server refuses, it would refuse again.
    pub(super) fn may_run_hooks_again(&self) -> bool {
        let bad = self.bad_tasks();
        let has_run = |id: &&TaskId| self.task(id).is_some_and(|task| task.is_hook() && self.has_run(task));
        !bad.is_empty() && bad.iter().all(has_run)
    }

    /// One that still runs since an earlier deletion is waited for; anything else of its name goes first.
    fn start_deletion_hooks(&self, phase: Phase, pending: &[&Task], now: Timestamp) -> Vec<Effect> {
        if let Some(effects) = self.stop_before(phase, Wave::default()) {
            return effects;
        }
        if !self.phases.contains_key(&phase) {
            return self.open_group(phase, Wave::default()).into_iter().map(Effect::Record).collect();
        }
        let adoptions = pending.iter().filter_map(|task| Some((task, self.adoption(task)?)));
        let open: Vec<(&&Task, Step)> = adoptions.filter(|(task, step)| self.is_open(&task.id, step)).collect();
        if !open.is_empty() {
            let unasked = open.into_iter().filter(|(task, step)| self.step(&task.id, step.clone()).is_none());
            return unasked.map(|(task, step)| Effect::Step { task: task.id.clone(), step }).collect();
        }
        let leaving: Vec<&Task> = pending.iter().copied().filter(|task| self.is_old_hook_in_deletion(&task.id)).collect();
        if !leaving.is_empty() {
            return self.wait_before(Wait::Deletion, &leaving, Wave::default(), now);
        }
        self.start_run(RunKind::Group, phase, Wave::default(), pending.iter().map(|task| task.id.clone()).collect())
    }

    /// Nobody has asked for the step, or its answer is out.
    fn is_open(&self, task: &TaskId, step: &Step) -> bool {
        matches!(self.step(task, step.clone()), None | Some(None))
    }

    /// Takes over a hook of an earlier deletion that has not ended. One of a sync carries the hook finalizer (spec R214).
    fn adoption(&self, task: &Task) -> Option<Step> {
        let live = self.live.get(&task.id.key)?;
        let is_running = live.assessment.status() == Some(HealthStatus::Progressing);
        let is_ours = live.traits.runs_in(task.id.phase) && !live.has_hook_finalizer();
        (is_running && is_ours && live.deletion.is_none()).then(|| Step::Adopt { uid: live.uid.clone() })
    }

    /// Deletes what the app owns, one wave after the other (spec R1109, R1110). `None`: nothing of it is left.
    fn cascade(&self, now: Timestamp) -> Option<Vec<Effect>> {
        let open: Vec<&Task> = self.tasks_in(Phase::Delete).filter(|task| self.result(&task.id).is_none()).collect();
        let unconfirmed: Vec<&Task> = open.iter().copied().filter(|task| self.needs_deletion_confirmation(task)).collect();
        if !unconfirmed.is_empty() {
            return Some(self.waiting_event(Wait::Confirmation, &unconfirmed, now).into_iter().collect());
        }
        let wave = open.iter().map(|task| task.wave).max();
        let leaving: Vec<&Task> = self.tasks_in(Phase::Delete).filter(|task| self.holds_cascade(task)).collect();
        if !leaving.is_empty() {
            return Some(self.wait_before(Wait::Deletion, &leaving, wave.unwrap_or_default(), now));
        }
        // A PostDelete hook that has begun comes to its end first: what the view had lost may be found again late.
        if let Some(message) = self.cascade_failed().filter(|_| !self.hooks().any(|hook| self.state(&hook.id) == TaskState::Running)) {
            return Some(vec![conclude(OperationPhase::Failed, message, None)]);
        }
        let wave = wave?;
        let group: Vec<TaskId> = open.into_iter().filter(|task| task.wave == wave).map(|task| task.id.clone()).collect();
        Some(self.stop_before(Phase::Delete, wave).unwrap_or_else(|| self.start_run(RunKind::Group, Phase::Delete, wave, group)))
    }

    /// Nothing goes while anything of the app is in deletion, whoever has deleted it, also what would stay (spec R1109). The stages that follow
    /// do not look back. What was given up is not waited for again, and what our own finalizer holds goes in its turn (R1115).
    fn holds_cascade(&self, task: &Task) -> bool {
        let is_given_up = self.result(&task.id).is_some_and(|result| result.state != TaskState::Succeeded);
        let is_over = || self.phases.contains_key(&Phase::PostDelete) || self.hooks().any(|hook| self.is_cleaned_up(hook).is_some());
        let is_going = |live: &&Live| live.deletion.is_some() && (!live.has_hook_finalizer() || self.doomed(task).is_none());
        let going = self.live.get(&task.id.key).filter(|live| self.own_uid(task) == Some(&live.uid)).filter(is_going);
        !is_given_up && (self.is_leaving(task) || going.is_some() && !is_over())
    }

    fn cascade_failed(&self) -> Option<String> {
        let is_bad = |result: &&TaskResult| matches!(result.state, TaskState::Failed | TaskState::Error);
        let bad = self.tasks_in(Phase::Delete).filter_map(|task| self.result(&task.id)).filter(is_bad);
        let reasons: Vec<String> = bad.map(|result| format!("{}: {}", result.task.key, result.message)).collect();
        (!reasons.is_empty()).then(|| format!("{}, reason: {}", messages::DELETE_FAILED, reasons.join("; ")))
    }

    fn needs_deletion_confirmation(&self, task: &Task) -> bool {
        let Some(live) = self.doomed(task) else { return false };
        let is_asked = self.plan.asks_first(&task.id.key, &live.traits, &self.request.options);
        is_asked && !self.approved.contains(&task.id.key)
    }

    /// Returns the object that a task of the cascade is about to delete.
    fn doomed(&self, task: &Task) -> Option<&Live> {
        let live = self.live.get(&task.id.key).filter(|live| self.own_uid(task) == Some(&live.uid))?;
        reason_to_stay(&task.id.key, &live.traits, &self.request.options).is_none().then_some(live)
    }

    /// The uid that was planned, or that of the hook which this operation ran.
    pub(super) fn own_uid<'a>(&'a self, task: &'a Task) -> Option<&'a Arc<str>> {
        let hook = || TaskId { phase: Phase::PreDelete, key: task.id.key.clone(), role: Role::Hook };
        task.uid.as_ref().or_else(|| Some(&self.progress(&hook())?.applied.as_ref()?.uid))
    }

    /// Returns whether the object of a task has been deleted and is not gone yet. One that the view had lost, and that a PostDelete hook of
    /// its name has been applied over, is the affair of that hook.
    pub(super) fn is_leaving(&self, task: &Task) -> bool {
        let is_pruned = self.result(&task.id).is_some_and(|result| result.code == ResultCode::Pruned);
        let hook = || TaskId { phase: Phase::PostDelete, key: task.id.key.clone(), role: Role::Hook };
        let is_taken = || self.task(&hook()).is_some_and(|hook| self.own_hook(hook).is_some());
        is_pruned && self.live.get(&task.id.key).is_some_and(|live| self.own_uid(task) == Some(&live.uid)) && !is_taken()
    }

    /// One wave of the cascade: what stays is said, hook finalizers go (never in our own way: spec R1115), the rest is deleted together.
    pub(super) fn drive_cascade(&self, run: &Run) -> Vec<Effect> {
        let open = || run.tasks.iter().filter_map(|id| self.task(id)).filter(|task| self.result(&task.id).is_none());
        let said: Vec<Effect> = open().filter_map(|task| self.spare(task)).collect();
        if !said.is_empty() {
            return said;
        }
        let unlock = |live: &Live| live.has_hook_finalizer().then(|| Step::RemoveOldFinalizer { uid: live.uid.clone() });
        let delete = |live: &Live| Some(Step::Prune { uid: live.uid.clone() });
        for step in [&unlock as &dyn Fn(&Live) -> Option<Step>, &delete] {
            let wanted = open().filter_map(|task| Some((&task.id, step(self.doomed(task)?)?)));
            let calls: Vec<Effect> = wanted
                .filter(|(id, step)| self.step(id, step.clone()).is_none())
                .map(|(id, step)| Effect::Step { task: id.clone(), step })
                .collect();
            if !calls.is_empty() {
                return calls;
            }
        }
        let is_bad = run.tasks.iter().any(|id| matches!(self.state(id), TaskState::Failed | TaskState::Error));
        let outcome = if is_bad { RunOutcome::Failed } else { RunOutcome::Successful };
        vec![Effect::Record(Event::RunFinished { outcome })]
    }

    /// What a task of the cascade comes to without a call.
    fn spare(&self, task: &Task) -> Option<Effect> {
        let say = |code, message: &str| Some(change(&task.id, code, TaskState::Succeeded, message.to_owned()));
        let Some(live) = self.live.get(&task.id.key) else { return say(ResultCode::Pruned, "pruned") };
        if self.own_uid(task) != Some(&live.uid) {
            return say(ResultCode::PruneSkipped, "ignored (replaced by another object of the same name)");
        }
        match reason_to_stay(&task.id.key, &live.traits, &self.request.options) {
            Some(reason) => say(ResultCode::PruneSkipped, reason),
            None if live.deletion.is_some() && !live.has_hook_finalizer() => say(ResultCode::Pruned, "pruned"),
            None => None,
        }
    }

    /// Spec R1113: a policy counts when the worst health of all hooks of the phase agrees. `None`: what has to go is gone.
    fn clean_up_hooks(&self, now: Timestamp) -> Option<Vec<Effect>> {
        let phases = [Phase::PreDelete, Phase::PostDelete];
        let doomed = phases.into_iter().flat_map(|phase| self.hooks_to_clean_up(phase));
        let calls: Vec<Effect> = doomed.map(|(task, step)| Effect::Step { task: task.id.clone(), step }).collect();
        if !calls.is_empty() {
            return Some(calls);
        }
        let hooks = phases.into_iter().flat_map(|phase| self.tasks_in(phase));
        let is_leaving = |task: &&Task| self.is_cleaned_up(task) == Some(true) && self.state(&task.id) != TaskState::Error;
        let leaving: Vec<&Task> = hooks.filter(|task| is_leaving(task) && self.own_hook(task).is_some()).collect();
        if leaving.is_empty() {
            return None;
        }
        Some(self.wait_or(self.give_up_clean_up(&leaving, now), Wait::Deletion, &leaving, now))
    }

    /// What goes by its policy goes in the phase that began last, whatever its own was. It has done its work: what remains is told (spec
    /// R1513, `why_left`).
    fn give_up_clean_up(&self, leaving: &[&Task], now: Timestamp) -> Vec<Effect> {
        let last = self.phases.iter().max_by_key(|(_, span)| span.started_at).map(|(phase, _)| *phase);
        let Some(why) = last.and_then(|phase| self.phase_overdue(phase, now)) else { return Vec::new() };
        leaving.iter().map(|task| change(&task.id, ResultCode::Synced, TaskState::Error, why.clone())).collect()
    }

    /// Returns whether the deletion of a hook by its policy is under way or has been accepted; `None`: nobody has asked for it.
    fn is_cleaned_up(&self, task: &Task) -> Option<bool> {
        let mut outcomes = self.steps.iter().filter(|((id, step), _)| *id == task.id && matches!(step, Step::DeleteHook { .. }));
        outcomes.next().map(|(_, state)| !matches!(state.outcome, Some(StepOutcome::Failed { .. })))
    }

    /// Hooks of this operation that are still there and whose policy fits, each with the deletion.
    fn hooks_to_clean_up(&self, phase: Phase) -> Vec<(&Task, Step)> {
        // What is being deleted has lost its health, and its turn is over.
        let is_there = |(task, live): &(&Task, &Live)| live.deletion.is_none() && self.is_cleaned_up(task).is_none();
        let own = self.tasks_in(phase).filter_map(|task| Some((task, self.own_hook(task)?)));
        let own: Vec<(&Task, &Live)> = own.filter(is_there).collect();
        let has = |status| own.iter().any(|(_, live)| live.assessment.status() == Some(status));
        let is_healthy = |(_, live): &(&Task, &Live)| matches!(live.assessment.status(), None | Some(HealthStatus::Healthy));
        let policy = match (has(HealthStatus::Degraded), own.iter().all(is_healthy)) {
            (true, _) => DeletePolicy::HookFailed,
            (false, true) => DeletePolicy::HookSucceeded,
            (false, false) => return Vec::new(),
        };
        let fits = own.into_iter().filter(|(task, _)| task.delete_policies().contains(&policy));
        fits.map(|(task, live)| (task, Step::DeleteHook { uid: live.uid.clone(), policy })).collect()
    }

    /// Returns the live object of a hook that this operation ran.
    pub(super) fn own_hook(&self, task: &Task) -> Option<&Live> {
        let uid = &self.progress(&task.id)?.applied.as_ref()?.uid;
        self.live.get(&task.id.key).filter(|live| live.uid == *uid)
    }

    /// The end of a run of deletion hooks; what follows is decided by the stage.
    pub(super) fn end_deletion_run(&self, run: &Run, outcome: RunOutcome, now: Timestamp) -> Vec<Effect> {
        let tasks: Vec<&Task> = run.tasks.iter().filter_map(|id| self.task(id)).collect();
        let waiting = match outcome {
            RunOutcome::Pending => {
                let leaving: Vec<&Task> = tasks.into_iter().filter(|task| self.is_old_hook_in_deletion(&task.id)).collect();
                self.waiting_event(Wait::Deletion, &leaving, now)
            }
            RunOutcome::Successful | RunOutcome::Failed => None,
        };
        std::iter::once(Effect::Record(Event::RunFinished { outcome })).chain(waiting).collect()
    }

    /// Forgets what failed, so that it runs again; what succeeded counts on (spec R1111.5).
    pub(super) fn forget_failed_hooks(&mut self) {
        let plan = self.plan.clone();
        let failed: Vec<TaskId> = plan.tasks.iter().filter(|task| self.is_failed_hook(task)).map(|task| task.id.clone()).collect();
        self.steps.retain(|(id, _), _| !failed.contains(id));
        let kept: Vec<TaskResult> = std::mem::take(&mut self.results).into_iter().filter(|result| !failed.contains(&result.task)).collect();
        for (task, slot) in plan.tasks.iter().zip(&mut self.slots) {
            slot.result = kept.iter().position(|result| result.task == task.id);
            if failed.contains(&task.id) {
                slot.progress = None;
            }
        }
        self.results = kept;
        for id in &failed {
            self.phases.remove(&id.phase);
            self.waves.retain(|(phase, _), _| *phase != id.phase);
        }
    }

    /// What a deletion says at its time limit: what held it up is more telling than that it was ended.
    pub(super) fn out_of_time(&self) -> String {
        let last = if self.message.is_empty() { String::new() } else { format!(": {}", self.message) };
        format!("{}{last}", messages::DELETION_TIMED_OUT)
    }
}

fn name(key: &ResourceKey) -> String {
    if key.namespace.is_empty() { key.name.to_string() } else { format!("{}/{}", key.namespace, key.name) }
}
