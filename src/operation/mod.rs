//! The state machine of one operation. `Operation::apply` folds facts, `Operation::next` says what to do now, one function for
//! each step of the chart in spec 17. Pure: knows no clock, no cluster, no async; time enters with records and as an argument.
//! Receives health as facts and never computes it.
#![deny(clippy::wildcard_enum_match_arm)]

mod again;
mod apply;
mod deletion;
pub(crate) mod effect;
pub(crate) mod event;
mod messages;
mod next;
mod pass;
mod pause;
mod request;
mod retry;
mod run;
mod shared;
mod stall;
mod terminate;
#[cfg(test)]
mod tests;
pub(crate) mod timeline;
pub(crate) mod verdict;
mod window;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

pub(crate) use deletion::LeftBehind;
pub(crate) use effect::Effect;
#[cfg(test)]
pub(crate) use event::RunOutcome;
pub(crate) use event::{Event, LogContent, LogLine, Record, RunKind, Step, StepOutcome};
pub(crate) use pause::Paused;
pub(crate) use request::{Breakpoint, Limits, Request, Retry};
pub(crate) use terminate::is_deleted_by_terminate;

use crate::model::{
    DeletePolicy, Hang, Live, Occurrence, OperationPhase, Phase, PodView, ResourceKey, ResultCode, Task, TaskId, TaskState, Wave,
};
use crate::plan::Plan;

/// Result of a task (spec R605). Results are keyed by object and phase (spec R613).
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct TaskResult {
    pub(crate) task: TaskId,
    pub(crate) code: ResultCode,
    pub(crate) state: TaskState,
    pub(crate) message: String,
}

/// Times and identity of what a task did.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Progress {
    /// When its first step began.
    pub(crate) started_at: Option<Timestamp>,
    /// When the server had taken it.
    pub(crate) applied_at: Option<Timestamp>,
    /// When it completed.
    pub(crate) finished_at: Option<Timestamp>,
    /// What the server returned: uid, resource version, generation (decision 3).
    pub(crate) applied: Option<Applied>,
}

/// What a write returned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Applied {
    pub(crate) uid: Arc<str>,
    pub(crate) resource_version: u64,
    pub(crate) generation: Option<i64>,
}

/// A step that was begun.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct StepState {
    pub(crate) started_at: Timestamp,
    pub(crate) outcome: Option<StepOutcome>,
}

/// A run of tasks in flight.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Run {
    pub(crate) kind: RunKind,
    pub(crate) phase: Phase,
    pub(crate) wave: Wave,
    /// In the order of spec R520.
    pub(crate) tasks: Vec<TaskId>,
    /// How many of its calls are out.
    in_flight: usize,
    /// How many of its tasks have been sent to the server, from the front.
    sent: usize,
}

/// What the fold keeps of one task of the plan.
#[derive(Clone, Debug, Default, PartialEq)]
struct Slot {
    /// Place in `results`.
    result: Option<usize>,
    progress: Option<Progress>,
}

/// The decided end, while hooks are cleaned up.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Conclusion {
    pub(crate) at: Timestamp,
    pub(crate) phase: OperationPhase,
    pub(crate) message: String,
    pub(crate) cleanup: Option<DeletePolicy>,
}

/// What the operation waits for.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Waiting {
    pub(crate) message: String,
    pub(crate) on: Vec<TaskId>,
    /// Since when this very message stands.
    pub(crate) since: Option<Timestamp>,
    /// When the list was last said.
    pub(crate) at: Option<Timestamp>,
}

impl Waiting {
    /// Returns whether it is for the same thing: completion, health, deletion or confirmation.
    fn wait_is(&self, message: &str) -> bool {
        let verb = |text: &str| text.rsplit_once(" and ").map_or_else(|| text.to_owned(), |(head, _)| head.to_owned());
        verb(&self.message) == verb(message)
    }
}

/// A container's log, followed or ended.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct LogKey {
    pub(crate) uid: Arc<str>,
    pub(crate) container: Arc<str>,
}

/// A log that was opened.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct LogState {
    pub(crate) task: TaskId,
    pub(crate) pod: Arc<str>,
    pub(crate) pod_attempt: u32,
    /// Attempt of the operation in which it was opened.
    pub(crate) attempt: u32,
    pub(crate) open: bool,
}

/// An attempt that failed and was followed by another one.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Attempt {
    /// Counted from 1.
    pub(crate) number: u32,
    pub(crate) phase: OperationPhase,
    /// Why it failed.
    pub(crate) message: String,
    pub(crate) started_at: Timestamp,
    pub(crate) finished_at: Timestamp,
    pub(crate) results: Vec<TaskResult>,
    pub(crate) phases: BTreeMap<Phase, Span>,
    pub(crate) waves: BTreeMap<(Phase, Wave), Span>,
    slots: Vec<Slot>,
}

impl Attempt {
    /// Returns what the task at this place of the plan came to, and when.
    pub(crate) fn of(&self, position: usize) -> Option<(&TaskResult, Option<&Progress>)> {
        let slot = self.slots.get(position)?;
        Some((self.results.get(slot.result?)?, slot.progress.as_ref()))
    }
}

/// The pause between two attempts.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Respite {
    /// When the failed attempt ended.
    pub(crate) since: Timestamp,
    /// When the next one begins.
    pub(crate) until: Timestamp,
    phase: OperationPhase,
    message: String,
}

/// When a wave or a phase ran.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Span {
    pub(crate) started_at: Option<Timestamp>,
    pub(crate) finished_at: Option<Timestamp>,
    /// Of a phase only.
    pub(crate) failed: bool,
}

/// One operation: the fold of its records. Nothing is ever removed from it; a deleted hook keeps its row, times and pods.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Operation {
    id: Arc<str>,
    plan: Arc<Plan>,
    request: Arc<Request>,
    context: Arc<str>,
    cluster: Arc<str>,
    phase: OperationPhase,
    message: String,
    started_at: Timestamp,
    finished_at: Option<Timestamp>,
    attempt: u32,
    attempt_started_at: Timestamp,
    /// Earlier attempts, in order.
    attempts: Vec<Attempt>,
    /// While the next attempt is waited for.
    respite: Option<Respite>,
    last_seq: u64,
    watches_open: bool,
    polled: Vec<String>,
    dry_pass_done: bool,
    results: Vec<TaskResult>,
    /// One slot for each task of the plan, in its order.
    slots: Vec<Slot>,
    /// Positions of tasks whose state is Running.
    running: BTreeSet<usize>,
    steps: BTreeMap<(TaskId, Step), StepState>,
    /// Steps that were begun and have not ended.
    in_flight: usize,
    live: BTreeMap<ResourceKey, Live>,
    /// What the last object of a key looked like before it was in deletion or gone.
    graves: BTreeMap<ResourceKey, Live>,
    /// Uids of objects that are known to be gone; a late answer about one of them is ignored.
    gone: BTreeSet<Arc<str>>,
    pods: BTreeMap<Arc<str>, PodView>,
    pods_of: BTreeMap<ResourceKey, BTreeSet<Arc<str>>>,
    /// Pods of hooks, whose logs are followed.
    hook_pods: BTreeSet<Arc<str>>,
    /// When the deletion of an object was first seen, by our clock.
    deletions: BTreeMap<Arc<str>, Timestamp>,
    gone_pods: BTreeSet<Arc<str>>,
    occurrences: Vec<Occurrence>,
    logs: BTreeMap<LogKey, LogState>,
    run: Option<Run>,
    /// Whether a group has been run, apart from the destination Namespace.
    group_ran: bool,
    /// When the last run ended, apart from the destination Namespace; the wave delay counts from here.
    run_finished_at: Option<Timestamp>,
    waiting: Waiting,
    phases: BTreeMap<Phase, Span>,
    waves: BTreeMap<(Phase, Wave), Span>,
    /// Of a deletion: how often it has looked again at what the app owns.
    looks: again::Looks,
    approved: BTreeSet<ResourceKey>,
    terminate: Option<(Timestamp, String)>,
    timed_out: bool,
    /// Breakpoints that were left behind.
    passed: BTreeSet<Breakpoint>,
    /// Somebody wants a pause before the next group.
    pause_wanted: bool,
    paused: Option<Paused>,
    /// How long each phase of this attempt was paused; that counts for no limit.
    pauses: BTreeMap<Phase, SignedDuration>,
    /// When anything that a person would call progress was seen last.
    changed_at: Timestamp,
    /// How often it was said since then that nothing changes.
    stalls: u32,
    conclusion: Option<Conclusion>,
    warnings: Vec<(Option<TaskId>, String)>,
}

impl Operation {
    /// Starts the fold. The first record must be `OperationStarted`; any other gives `None`.
    pub(crate) fn start(record: &Record) -> Option<Self> {
        let Event::OperationStarted { plan, request, context, cluster } = &record.event else { return None };
        Some(Self {
            id: record.operation.clone(),
            plan: plan.clone(),
            request: request.clone(),
            context: context.clone(),
            cluster: cluster.clone(),
            phase: OperationPhase::Running,
            message: String::new(),
            started_at: record.at,
            finished_at: None,
            attempt: 1,
            attempt_started_at: record.at,
            attempts: Vec::new(),
            respite: None,
            last_seq: record.seq,
            watches_open: false,
            polled: Vec::new(),
            dry_pass_done: false,
            results: Vec::new(),
            slots: vec![Slot::default(); plan.tasks.len()],
            running: BTreeSet::new(),
            steps: BTreeMap::new(),
            in_flight: 0,
            live: BTreeMap::new(),
            graves: BTreeMap::new(),
            gone: BTreeSet::new(),
            pods: BTreeMap::new(),
            pods_of: BTreeMap::new(),
            hook_pods: BTreeSet::new(),
            deletions: BTreeMap::new(),
            gone_pods: BTreeSet::new(),
            occurrences: Vec::new(),
            logs: BTreeMap::new(),
            run: None,
            group_ran: false,
            run_finished_at: None,
            waiting: Waiting::default(),
            phases: BTreeMap::new(),
            waves: BTreeMap::new(),
            looks: again::Looks::default(),
            approved: request.approved.iter().cloned().collect(),
            terminate: None,
            timed_out: false,
            passed: BTreeSet::new(),
            pause_wanted: false,
            paused: None,
            pauses: BTreeMap::new(),
            changed_at: record.at,
            stalls: 0,
            conclusion: None,
            warnings: Vec::new(),
        })
    }

    /// Returns the operation's id.
    pub(crate) fn id(&self) -> &Arc<str> {
        &self.id
    }

    /// Returns the plan it started with, and in a deletion what was found since (spec R1109d).
    pub(crate) fn plan(&self) -> &Arc<Plan> {
        &self.plan
    }

    /// Returns the options in force.
    pub(crate) fn request(&self) -> &Request {
        &self.request
    }

    /// Returns the context's name and the server.
    pub(crate) fn destination(&self) -> (&str, &str) {
        (&self.context, &self.cluster)
    }

    /// Returns the phase of the operation.
    pub(crate) fn phase(&self) -> OperationPhase {
        self.phase
    }

    /// Returns the operation's message, word for word as Argo CD says it.
    pub(crate) fn message(&self) -> &str {
        &self.message
    }

    /// Returns when it started.
    pub(crate) fn started_at(&self) -> Timestamp {
        self.started_at
    }

    /// Returns when it ended.
    pub(crate) fn finished_at(&self) -> Option<Timestamp> {
        self.finished_at
    }

    /// Returns 1 + the number of retries.
    pub(crate) fn attempt(&self) -> u32 {
        self.attempt
    }

    /// Returns when the present attempt began.
    pub(crate) fn attempt_started_at(&self) -> Timestamp {
        self.attempt_started_at
    }

    /// Returns the attempts that failed and were followed by another one, in order.
    pub(crate) fn attempts(&self) -> &[Attempt] {
        &self.attempts
    }

    /// Returns the pause before the next attempt, while it lasts.
    pub(crate) fn respite(&self) -> Option<&Respite> {
        self.respite.as_ref()
    }

    /// Returns where the operation waits for a person to let it go on.
    pub(crate) fn paused(&self) -> Option<&Paused> {
        self.paused.as_ref()
    }

    /// Returns whether somebody wants a pause before the next group.
    pub(crate) fn is_pause_wanted(&self) -> bool {
        self.pause_wanted
    }

    /// Returns whether the operation ended, or will end, by a terminate. A deletion that its time limit has stopped has failed (cli.md).
    pub(crate) fn is_terminated(&self) -> bool {
        self.terminate.is_some() && !(self.timed_out && self.is_deletion())
    }

    /// Returns the prunes that wait for the confirmation of a person (spec R634).
    pub(crate) fn unconfirmed(&self) -> Vec<ResourceKey> {
        if messages::is_confirmation(&self.waiting.message) {
            // What is confirmed may still have to wait for something else.
            self.waiting.on.iter().map(|id| id.key.clone()).filter(|key| !self.approved.contains(key)).collect()
        } else {
            Vec::new()
        }
    }

    /// Returns the tasks that are waited for now.
    pub(crate) fn waited_for(&self) -> &[TaskId] {
        &self.waiting.on
    }

    /// Returns the results, in order of arrival.
    pub(crate) fn results(&self) -> &[TaskResult] {
        &self.results
    }

    /// Returns the result of a task, if there is one.
    pub(crate) fn result(&self, task: &TaskId) -> Option<&TaskResult> {
        self.result_at(self.plan.position(task)?)
    }

    fn result_at(&self, position: usize) -> Option<&TaskResult> {
        self.slots[position].result.map(|at| &self.results[at])
    }

    fn state_at(&self, position: usize) -> TaskState {
        self.result_at(position).map(|result| result.state).unwrap_or_default()
    }

    /// Returns the state of a task, `Pending` without a result.
    pub(crate) fn state(&self, task: &TaskId) -> TaskState {
        self.result(task).map(|result| result.state).unwrap_or_default()
    }

    /// Returns when and what a task did.
    pub(crate) fn progress(&self, task: &TaskId) -> Option<&Progress> {
        self.slots[self.plan.position(task)?].progress.as_ref()
    }

    /// Returns whether a task was begun, in any attempt, and the server is not known to have taken it: a request whose answer was lost may
    /// reach it yet.
    pub(crate) fn may_come_late(&self, task: &TaskId) -> bool {
        let Some(position) = self.plan.position(task) else { return false };
        let slots = self.attempts.iter().map(|attempt| &attempt.slots).chain([&self.slots]);
        let mut progress = slots.filter_map(|slots| slots.get(position)?.progress.as_ref());
        progress.any(|progress| progress.started_at.is_some() && progress.applied.is_none())
    }

    /// Returns the live object as last seen.
    pub(crate) fn live(&self, key: &ResourceKey) -> Option<&Live> {
        self.live.get(key)
    }

    /// Returns the pods that belong to an object of the plan, oldest first, deleted ones included.
    pub(crate) fn pods_of(&self, key: &ResourceKey) -> Vec<&PodView> {
        let mut pods: Vec<&PodView> = self.pods_of.get(key).into_iter().flatten().filter_map(|uid| self.pods.get(uid)).collect();
        pods.sort_by(|one, other| (one.created, &one.name).cmp(&(other.created, &other.name)));
        pods
    }

    /// Returns what keeps a pod of an object from running, of several pods the newest that hangs.
    pub(crate) fn hang(&self, key: &ResourceKey) -> Option<Hang> {
        let there = self.pods_of(key).into_iter().rev().filter(|pod| !self.is_pod_gone(&pod.uid));
        there.filter(|pod| !pod.deleting).find_map(PodView::hang)
    }

    /// Returns whether a pod has been deleted.
    pub(crate) fn is_pod_gone(&self, uid: &str) -> bool {
        self.gone_pods.contains(uid)
    }

    /// Returns the cluster's Events, in order of arrival.
    pub(crate) fn occurrences(&self) -> &[Occurrence] {
        &self.occurrences
    }

    /// Returns the logs that were opened.
    pub(crate) fn logs(&self) -> impl Iterator<Item = (&LogKey, &LogState)> {
        self.logs.iter()
    }

    /// Returns when a phase ran.
    pub(crate) fn phase_span(&self, phase: Phase) -> Option<&Span> {
        self.phases.get(&phase)
    }

    /// Returns when a wave ran.
    pub(crate) fn wave_span(&self, phase: Phase, wave: Wave) -> Option<&Span> {
        self.waves.get(&(phase, wave))
    }

    /// Returns the kinds that are polled because they may not be watched.
    pub(crate) fn polled(&self) -> &[String] {
        &self.polled
    }

    /// Returns the warnings, in order of arrival.
    #[cfg(test)]
    pub(crate) fn warnings(&self) -> &[(Option<TaskId>, String)] {
        &self.warnings
    }

    fn task(&self, id: &TaskId) -> Option<&Task> {
        self.plan.task(id)
    }
}
