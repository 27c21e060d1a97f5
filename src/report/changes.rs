//! Which tasks a fact has changed, as far as a reader of printed events can see: status, state, health, message and pods. Compares the fold
//! before and after a fact; knows no format.

use std::collections::BTreeMap;

use crate::model::{Hang, HealthStatus, ResourceKey, ResultCode, Task, TaskId, TaskState};
use crate::operation::{Event, Operation};
use crate::plan::Plan;

/// What a reader knows of a task.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Seen {
    pub(crate) code: ResultCode,
    pub(crate) state: TaskState,
    pub(crate) health: Option<HealthStatus>,
    /// The rule behind the health, empty if there is none.
    pub(crate) rule: String,
    pub(crate) message: String,
    /// What keeps a pod of it from running.
    pub(crate) hang: Option<Hang>,
}

impl Seen {
    /// Another rule that comes to the same is no news.
    fn says_the_same(&self, other: &Self) -> bool {
        let of = |seen: &Self| (seen.code, seen.state, seen.health);
        of(self) == of(other) && self.message == other.message && self.hang == other.hang
    }
}

/// A task that has changed.
#[derive(Clone, Debug)]
pub(crate) struct Change<'a> {
    pub(crate) task: &'a Task,
    pub(crate) before: Seen,
    pub(crate) after: Seen,
}

/// What a reader knows of all tasks.
#[derive(Debug)]
pub(crate) struct Changes {
    ids: Vec<TaskId>,
    seen: Vec<Seen>,
    by_key: BTreeMap<ResourceKey, Vec<usize>>,
}

/// Which tasks a fact can have changed.
enum Reach<'a> {
    Nothing,
    Key(&'a ResourceKey),
    All,
}

impl Changes {
    /// Starts with a reader who knows the plan and nothing else.
    pub(crate) fn new(plan: &Plan) -> Self {
        let mut by_key: BTreeMap<ResourceKey, Vec<usize>> = BTreeMap::new();
        for (at, task) in plan.tasks.iter().enumerate() {
            by_key.entry(task.id.key.clone()).or_default().push(at);
        }
        let ids = plan.tasks.iter().map(|task| task.id.clone()).collect();
        Self { ids, seen: vec![Seen::default(); plan.tasks.len()], by_key }
    }

    /// Goes on with a plan that has more tasks.
    fn grow(&mut self, plan: &Plan) {
        let old = std::mem::replace(self, Self::new(plan));
        for (id, seen) in old.ids.into_iter().zip(old.seen) {
            if let Some(at) = plan.position(&id) {
                self.seen[at] = seen;
            }
        }
    }

    /// Returns what a fact has changed, in the order of the plan; `operation` has folded it already.
    pub(crate) fn after<'a>(&mut self, event: &Event, operation: &'a Operation) -> Vec<Change<'a>> {
        if matches!(event, Event::SearchFinished { .. }) {
            self.grow(operation.plan());
        }
        match reach(event) {
            Reach::Nothing => Vec::new(),
            Reach::Key(key) => {
                let places = self.by_key.get(key).cloned().unwrap_or_default();
                places.into_iter().filter_map(|at| self.compare(at, operation)).collect()
            }
            Reach::All => (0..self.seen.len()).filter_map(|at| self.compare(at, operation)).collect(),
        }
    }

    fn compare<'a>(&mut self, at: usize, operation: &'a Operation) -> Option<Change<'a>> {
        let task = operation.plan().tasks.get(at)?;
        let after = look(task, operation, &self.seen[at]);
        let before = std::mem::replace(&mut self.seen[at], after.clone());
        (!before.says_the_same(&after)).then_some(Change { task, before, after })
    }
}

fn reach(event: &Event) -> Reach<'_> {
    match event {
        Event::StepStarted { task, .. } | Event::StepFinished { task, .. } | Event::TaskChanged { task, .. } => Reach::Key(&task.key),
        Event::LiveObserved { key, .. } | Event::LiveGone { key, .. } => Reach::Key(key),
        Event::PodObserved { pod } => Reach::Key(&pod.owner),
        Event::OperationStarted { .. }
        | Event::DryPassFinished
        | Event::RunStarted { .. }
        | Event::RunFinished { .. }
        | Event::Concluded { .. }
        | Event::TerminateRequested { .. }
        | Event::TimedOut
        | Event::AttemptStarted { .. }
        | Event::SearchFinished { .. }
        | Event::OperationFinished { .. } => Reach::All,
        Event::WatchesOpened { .. }
        | Event::PhaseStarted { .. }
        | Event::WaveStarted { .. }
        | Event::WaveFinished { .. }
        | Event::PhaseFinished { .. }
        | Event::Waiting { .. }
        | Event::PodGone { .. }
        | Event::Occurred { .. }
        | Event::LogOpened { .. }
        | Event::LogClosed { .. }
        | Event::PruneApproved { .. }
        | Event::RetryScheduled { .. }
        | Event::SearchStarted
        | Event::PauseRequested { .. }
        | Event::Paused { .. }
        | Event::Resumed { .. }
        | Event::Stalled { .. }
        | Event::ClusterLost { .. }
        | Event::ClusterBack { .. }
        | Event::Warned { .. } => Reach::Nothing,
    }
}

fn look(task: &Task, operation: &Operation, last: &Seen) -> Seen {
    let (health, rule) = health_of(task, operation, last);
    // A hook that is over hangs no more, whatever became of its pods.
    let hang = operation.hang(&task.id.key).filter(|_| !(task.is_hook() && operation.state(&task.id).is_completed()));
    match operation.result(&task.id).filter(|result| result.task == task.id) {
        Some(result) => Seen { code: result.code, state: result.state, health, rule, message: result.message.clone(), hang },
        None => Seen { health, rule, hang, ..Seen::default() },
    }
}

/// Health is that of the object which this operation has applied: the leftover of an earlier hook says nothing about this one. A hook
/// that is over and is being deleted, or was, keeps its last word; a resource that vanished is missing.
fn health_of(task: &Task, operation: &Operation, last: &Seen) -> (Option<HealthStatus>, String) {
    let Some(applied) = operation.progress(&task.id).and_then(|progress| progress.applied.as_ref()) else { return (None, String::new()) };
    let last_word = || (last.health, last.rule.clone());
    match operation.live(&task.id.key) {
        Some(live) if task.is_hook() && live.deletion.is_some() && operation.state(&task.id).is_completed() => last_word(),
        Some(live) if !task.is_hook() || live.uid == applied.uid => (live.assessment.status(), live.assessment.rule().to_owned()),
        Some(_) => last_word(),
        None if task.is_hook() => last_word(),
        None => (last.health.map(|_| HealthStatus::Missing), String::new()),
    }
}
