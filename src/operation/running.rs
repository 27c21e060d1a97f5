//! What comes of the tasks that run: their outcomes by health, the wait for them, and those that are late or lost (spec 17, steps 4 and 5).
//! Starts no task.

use jiff::Timestamp;

use super::event::Step;
use super::messages::Wait;
use super::next::{DELETED_HOOK_LIMIT, later};
use super::pass::change;
use super::{Effect, Operation};
use crate::model::{Assessment, HealthStatus, Live, ResourceKey, ResultCode, Role, Task, TaskId, TaskState};

impl Operation {
    /// Step 3: running tasks whose live object is proven fresh take over its state (spec R410, R615, decision 3).
    /// The destination Namespace is applied in the very pass that goes on with its group, so a single-step sync does not judge it first (spec R610).
    pub(super) fn evaluate_running(&self) -> Vec<Effect> {
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
    pub(super) fn fail_late(&self, tasks: &[&Task], now: Timestamp) -> Vec<Effect> {
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
}

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
