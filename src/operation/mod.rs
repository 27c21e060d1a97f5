//! The state machine of one operation. `Operation::apply` folds facts, `Operation::next` says what to do now, one function for
//! each step of the chart in spec 17. Pure: knows no clock, no cluster, no async; time enters with records and as an argument.
//! Receives health as facts and never computes it.
#![deny(clippy::wildcard_enum_match_arm)]

mod again;
mod apply;
mod deletion;
pub(crate) mod effect;
pub(crate) mod event;
mod groups;
mod known;
mod left;
mod messages;
mod next;
mod pass;
mod pause;
mod request;
mod retry;
mod run;
mod running;
mod shared;
mod stall;
mod terminate;
#[cfg(test)]
pub(crate) mod tests;
pub(crate) mod timeline;
pub(crate) mod verdict;
mod window;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

pub(crate) use effect::Effect;
#[cfg(test)]
pub(crate) use event::RunOutcome;
pub(crate) use event::{Event, LogContent, LogLine, Record, RunKind, Step, StepOutcome};
pub(crate) use left::LeftBehind;
pub(crate) use pause::Paused;
pub(crate) use request::{Breakpoint, Limits, Request, Retry};
pub(crate) use terminate::is_deleted_by_terminate;

use crate::model::{DeletePolicy, Live, Occurrence, OperationPhase, Phase, PodView, ResourceKey, ResultCode, TaskId, TaskState, Wave};
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
    /// When it had its plan and began to run: limits and windows go by that.
    began_at: Timestamp,
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
    /// Since when nothing can be heard of the cluster.
    lost_since: Option<Timestamp>,
    conclusion: Option<Conclusion>,
    warnings: Vec<(Option<TaskId>, String)>,
}

impl Operation {
    /// Starts the fold. The first record must be `OperationStarted`; any other gives `None`.
    pub(crate) fn start(record: &Record) -> Option<Self> {
        let Event::OperationStarted { plan, request, context, cluster, asked_at } = &record.event else { return None };
        Some(Self {
            id: record.operation.clone(),
            plan: plan.clone(),
            request: request.clone(),
            context: context.clone(),
            cluster: cluster.clone(),
            phase: OperationPhase::Running,
            message: String::new(),
            started_at: *asked_at,
            began_at: record.at,
            finished_at: None,
            attempt: 1,
            attempt_started_at: *asked_at,
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
            lost_since: None,
            conclusion: None,
            warnings: Vec::new(),
        })
    }
}
