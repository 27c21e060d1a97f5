//! Facts about an operation. Everything that a consumer shows, stores or decides comes from these. Plain data; what follows from a fact is
//! decided in `apply`.

use std::sync::Arc;

use jiff::Timestamp;
use serde::Serialize;

use crate::model::{DeletePolicy, Live, Occurrence, OperationPhase, Phase, PodView, ResourceKey, ResultCode, TaskId, TaskState, Wave};
use crate::plan::{Candidate, Plan};

use super::request::Request;

/// One fact, stamped once, by the producer.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Record {
    /// Id of the operation.
    pub(crate) operation: Arc<str>,
    /// Counts from 1 within the operation, without gaps.
    pub(crate) seq: u64,
    pub(crate) at: Timestamp,
    pub(crate) event: Event,
}

/// A call to the cluster on behalf of a task, in the order in which a group needs them (spec R520).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub(crate) enum Step {
    /// Removes the hook finalizer of an old object before the hook runs again (spec R216.1).
    RemoveOldFinalizer { uid: Arc<str> },
    /// Deletes an object without a manifest (spec R633).
    Prune { uid: Arc<str> },
    /// Deletes the old object of a hook before its creation (spec R205).
    DeleteOldHook { uid: Arc<str> },
    /// Applies the target.
    Apply,
    /// Asks what applying the target would do, without doing it (spec R1318).
    Try,
    /// Asks anew whether the kind of the target is served, because an earlier attempt was not valid without it (spec R608).
    Discover,
    /// Takes over a hook of an earlier deletion that still runs, after a direct look at it.
    Adopt { uid: Arc<str> },
    /// Asks for an object that the view has lost (spec R617).
    Look,
    /// Removes the hook finalizer after the hook has completed (spec R216.2).
    RemoveFinalizer { uid: Arc<str> },
    /// Removes the finalizer that an earlier operation left on a hook, before its deletion by policy (spec R220, R1502).
    RemoveLeftFinalizer { uid: Arc<str> },
    /// Deletes a hook by its policy when the operation ends (spec R208, R209).
    DeleteHook { uid: Arc<str>, policy: DeletePolicy },
    /// Removes the finalizer of a running hook because of a terminate (spec R905.3).
    TerminateFinalizer { uid: Arc<str> },
    /// Deletes a running hook because of a terminate (spec R905.4).
    TerminateDelete { uid: Arc<str> },
}

/// How a step ended.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) enum StepOutcome {
    /// The server did it. `message` is the result's text for an apply (`configmap/a created`), else empty;
    /// `live` is the object as the server returned it.
    Done { message: String, live: Option<Box<Live>> },
    /// The object is not there (any more).
    Gone,
    /// The server refused, or could not be asked; the text as the result needs it.
    Failed { error: String },
    /// The server may have done it, and must not be asked again: the text as the result needs it.
    Unsettled { error: String },
    /// The operation was terminated while the call waited for its turn: nothing was asked for (spec R904).
    Unsent,
}

/// What a run of tasks is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub(crate) enum RunKind {
    /// The destination Namespace before everything else (spec R610).
    Namespace,
    /// One (phase, wave) group.
    Group,
    /// All SyncFail hooks together (spec R406).
    SyncFail,
    /// Everything together, without writing anything (spec R1318).
    DryRun,
}

/// How a run ended (spec R522).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub(crate) enum RunOutcome {
    Successful,
    /// Old hooks are being deleted, or a prune waits for its confirmation; the group runs again.
    Pending,
    Failed,
}

/// The fact itself. Past tense, owned, complete.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "type", rename_all = "kebab-case")]
pub(crate) enum Event {
    OperationStarted {
        /// When it started: before its plan was made, which holds names made of that second (spec R302).
        asked_at: Timestamp,
        plan: Arc<Plan>,
        request: Arc<Request>,
        context: Arc<str>,
        cluster: Arc<str>,
    },
    /// All watches are open and the initial state of every object of the plan has been observed. `polled` names kinds that may not be watched;
    /// it is told again, with all of them, when there are more.
    WatchesOpened {
        polled: Vec<String>,
    },
    DryPassFinished,
    PhaseStarted {
        phase: Phase,
    },
    WaveStarted {
        phase: Phase,
        wave: Wave,
    },
    RunStarted {
        kind: RunKind,
        phase: Phase,
        wave: Wave,
        tasks: Vec<TaskId>,
    },
    StepStarted {
        task: TaskId,
        step: Step,
    },
    StepFinished {
        task: TaskId,
        step: Step,
        outcome: StepOutcome,
    },
    RunFinished {
        outcome: RunOutcome,
    },
    /// A task got a result without a call of its own (validation, skipped prune) or changed its state.
    TaskChanged {
        task: TaskId,
        code: ResultCode,
        state: TaskState,
        message: String,
    },
    WaveFinished {
        phase: Phase,
        wave: Wave,
    },
    PhaseFinished {
        phase: Phase,
        result: TaskState,
    },
    /// What the operation waits for; an empty list and message when it works.
    Waiting {
        message: String,
        on: Vec<TaskId>,
    },
    LiveObserved {
        key: ResourceKey,
        live: Box<Live>,
    },
    LiveGone {
        key: ResourceKey,
        uid: Arc<str>,
    },
    PodObserved {
        pod: PodView,
    },
    PodGone {
        namespace: Arc<str>,
        name: Arc<str>,
        uid: Arc<str>,
    },
    Occurred {
        occurrence: Occurrence,
    },
    /// A container's log is being followed. `pod_attempt` counts the pods of the hook from 1.
    LogOpened {
        task: TaskId,
        pod: Arc<str>,
        uid: Arc<str>,
        container: Arc<str>,
        pod_attempt: u32,
    },
    LogClosed {
        task: TaskId,
        pod: Arc<str>,
        uid: Arc<str>,
        container: Arc<str>,
    },
    PruneApproved {
        keys: Vec<ResourceKey>,
        by: String,
    },
    /// The end is decided; hooks are cleaned up by this policy before it is final.
    Concluded {
        phase: OperationPhase,
        message: String,
        cleanup: Option<DeletePolicy>,
    },
    TerminateRequested {
        by: String,
    },
    /// The time limit of the whole operation has passed: it is terminated (spec R911).
    TimedOut,
    /// The attempt has failed; the next one, of this number, begins at `at` (spec R1004). `message` is the operation's until then.
    RetryScheduled {
        attempt: u32,
        at: Timestamp,
        message: String,
    },
    /// A new attempt begins from the beginning; what the last one did is kept (spec R1007, R1008).
    AttemptStarted {
        attempt: u32,
    },
    /// What the app owns is being looked for again (spec R1109d).
    SearchStarted,
    /// Everything of it that was not in the plan, as far as the shell knew.
    SearchFinished {
        found: Vec<Candidate>,
    },
    /// Somebody wants the operation to stop before its next group.
    PauseRequested {
        by: String,
    },
    /// Nothing is written before somebody lets the operation go on with this group.
    Paused {
        phase: Phase,
        wave: Wave,
    },
    Resumed {
        by: String,
    },
    /// Nothing that is waited for has changed since then.
    Stalled {
        since: Timestamp,
    },
    /// Nothing can be heard of the cluster since then: what is known of it may be old.
    ClusterLost {
        since: Timestamp,
    },
    /// The cluster answers again.
    ClusterBack {
        since: Timestamp,
    },
    /// Something that the person should know; the operation goes on.
    Warned {
        task: Option<TaskId>,
        text: String,
    },
    OperationFinished {
        phase: OperationPhase,
        message: String,
    },
}

/// A line that a container printed. Travels beside the facts, never inside the fold. The text is bytes: nothing has been removed from it yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct LogLine {
    pub(crate) operation: Arc<str>,
    pub(crate) task: TaskId,
    pub(crate) pod: Arc<str>,
    pub(crate) container: Arc<str>,
    /// Attempt of the operation: 1 + retries.
    pub(crate) attempt: u32,
    /// Which pod of the hook it was, counted from 1.
    pub(crate) pod_attempt: u32,
    /// When the line was received.
    pub(crate) at: Timestamp,
    /// When the container printed it, as the kubelet says.
    pub(crate) log_time: Option<Timestamp>,
    pub(crate) content: LogContent,
}

/// A piece of a log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum LogContent {
    /// A line without its newline. `continued`: the line goes on in the next piece.
    Line { text: Arc<[u8]>, continued: bool },
    /// This many lines are missing here.
    Dropped(u64),
}
