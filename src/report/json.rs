//! Prints an operation as JSON lines, as cli.md writes the contract down: one object a line, each with `time`, `operation` and
//! `event`. Owns the shape of the lines; decides nothing.

use std::borrow::Cow;
use std::io::{self, Write};

use base64::Engine as _;
use jiff::Timestamp;
use serde::{Serialize, Serializer};

use crate::model::{DeletePolicy, Hang, HealthStatus, Phase, Task, TaskId};
use crate::operation::{Attempt, Event, LogContent, LogLine, Operation, Record, Request, TaskResult};
use crate::plan::{NotRun, PlanWarning};

use super::changes::{Change, Seen};
use super::escape::to_line;
use super::{Report, Waited, summary};

/// Prints JSON lines.
#[derive(Debug)]
pub(crate) struct Json<W> {
    out: W,
    waited: Waited,
}

impl<W: Write> Json<W> {
    pub(crate) fn new(out: W) -> Self {
        Self { out, waited: Waited::default() }
    }

    fn put<T: Serialize>(&mut self, at: Timestamp, operation: &str, event: &'static str, fields: T) -> io::Result<()> {
        self.out.write_all(&to_line(&Line { time: Millis(at), operation, event, fields })?)
    }

    fn changed(&mut self, record: &Record, operation: &Operation, change: &Change<'_>) -> io::Result<()> {
        let Seen { code, state, health, rule, message, hang } = &change.after;
        let fields = TaskChanged {
            task: TaskJson::of(change.task),
            status: code.as_str(),
            hook_phase: state.as_str(),
            health: health.map(HealthStatus::as_str).unwrap_or_default(),
            rule,
            message,
            attempt: operation.attempt(),
            pod_problem: hang.as_ref().map(PodProblem::of),
        };
        self.put(record.at, &record.operation, "task.changed", fields)
    }

    fn own_line(&mut self, record: &Record, operation: &Operation) -> io::Result<()> {
        let (at, id) = (record.at, &*record.operation);
        match &record.event {
            Event::OperationStarted { .. } => {
                self.put(at, id, "operation.started", Started::of(operation))?;
                operation.plan().warnings.iter().try_for_each(|warning| self.put(at, id, "warning", Warning::of_plan(warning, operation)))
            }
            Event::WatchesOpened { polled } if !polled.is_empty() => {
                let message = summary::polled(polled);
                self.put(at, id, "warning", Warning { message: message.into(), task: None })
            }
            Event::PhaseStarted { phase } => self.put(at, id, "phase.started", PhaseLine { phase: *phase, result: None }),
            Event::PhaseFinished { phase, result } => {
                self.put(at, id, "phase.finished", PhaseLine { phase: *phase, result: Some(result.as_str()) })
            }
            Event::WaveStarted { phase, wave } => self.put(at, id, "wave.started", WaveLine { phase: *phase, wave: wave.0 }),
            Event::WaveFinished { phase, wave } => self.put(at, id, "wave.finished", WaveLine { phase: *phase, wave: wave.0 }),
            Event::Waiting { message, on } if self.waited.changes(message, on) => {
                let on = on.iter().map(|task| TaskJson::named(task, operation)).collect();
                self.put(at, id, "waiting", WaitingLine { message, on })
            }
            Event::TerminateRequested { by } => self.put(at, id, "terminate.requested", Terminate { by }),
            Event::TimedOut => self.put(at, id, "terminate.requested", Terminate { by: "the time limit of the operation" }),
            Event::RetryScheduled { attempt, at: due, message } => {
                self.put(at, id, "retry.scheduled", RetryLine { attempt: *attempt, at: Millis(*due), message })
            }
            Event::Paused { phase, wave } => self.put(at, id, "paused", WaveLine { phase: *phase, wave: wave.0 }),
            Event::Resumed { by } => self.put(at, id, "resumed", Terminate { by }),
            Event::Stalled { since } => self.put(at, id, "stalled", StalledLine::of(*since, operation, at)),
            Event::Warned { task, text } => {
                let task = task.as_ref().map(|task| TaskJson::named(task, operation));
                self.put(at, id, "warning", Warning { message: text.as_str().into(), task })
            }
            Event::OperationFinished { .. } => self.put(at, id, "operation.finished", Finished::of(operation, at)),
            Event::Waiting { .. }
            | Event::WatchesOpened { .. }
            | Event::DryPassFinished
            | Event::RunStarted { .. }
            | Event::StepStarted { .. }
            | Event::StepFinished { .. }
            | Event::RunFinished { .. }
            | Event::TaskChanged { .. }
            | Event::LiveObserved { .. }
            | Event::LiveGone { .. }
            | Event::PodObserved { .. }
            | Event::PodGone { .. }
            | Event::Occurred { .. }
            | Event::LogOpened { .. }
            | Event::LogClosed { .. }
            | Event::PruneApproved { .. }
            | Event::AttemptStarted { .. }
            | Event::SearchStarted
            | Event::SearchFinished { .. }
            | Event::PauseRequested { .. }
            | Event::Concluded { .. } => Ok(()),
        }
    }
}

impl<W: Write> Report for Json<W> {
    fn fact(&mut self, record: &Record, operation: &Operation, changes: &[Change<'_>]) -> io::Result<()> {
        let is_last = matches!(record.event, Event::OperationFinished { .. });
        if !is_last {
            self.own_line(record, operation)?;
        }
        for change in changes {
            self.changed(record, operation, change)?;
        }
        if is_last { self.own_line(record, operation) } else { Ok(()) }
    }

    fn line(&mut self, line: &LogLine, operation: &Operation) -> io::Result<()> {
        self.put(line.at, &line.operation, "log", Log::of(line, operation))
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

#[derive(Serialize)]
struct Line<'a, T> {
    time: Millis,
    operation: &'a str,
    event: &'static str,
    #[serde(flatten)]
    fields: T,
}

/// A time with milliseconds, in UTC.
#[derive(Clone, Copy)]
pub(super) struct Millis(pub(super) Timestamp);

impl Serialize for Millis {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&format_args!("{:.3}", self.0))
    }
}

/// The task object of the contract.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct TaskJson<'a> {
    phase: Phase,
    wave: i64,
    group: &'a str,
    version: &'a str,
    kind: &'a str,
    namespace: &'a str,
    name: &'a str,
    hook: bool,
    hook_types: Vec<&'static str>,
    delete_policies: Vec<&'static str>,
}

impl<'a> TaskJson<'a> {
    /// Returns the object of a task of the plan.
    pub(super) fn of(task: &'a Task) -> Self {
        Self {
            wave: task.wave.0,
            version: &task.version,
            hook: task.is_hook(),
            hook_types: task.hook_types().into_iter().map(Phase::as_str).collect(),
            delete_policies: task.delete_policies().iter().copied().map(DeletePolicy::as_str).collect(),
            ..Self::bare(&task.id)
        }
    }

    /// Returns the object of a task by its id; one that the plan does not have has only its name.
    fn named(id: &'a TaskId, operation: &'a Operation) -> Self {
        operation.plan().task(id).map_or_else(|| Self::bare(id), Self::of)
    }

    fn bare(id: &'a TaskId) -> Self {
        Self {
            phase: id.phase,
            wave: 0,
            group: &id.key.group,
            version: "",
            kind: &id.key.kind,
            namespace: &id.key.namespace,
            name: &id.key.name,
            hook: id.role == crate::model::Role::Hook,
            hook_types: Vec::new(),
            delete_policies: Vec::new(),
        }
    }
}

/// A task that does not run.
#[derive(Serialize)]
pub(super) struct NotRunJson<'a> {
    task: TaskJson<'a>,
    reason: &'a str,
    code: &'static str,
}

impl<'a> NotRunJson<'a> {
    pub(super) fn of(not_run: &'a NotRun) -> Self {
        Self { task: TaskJson::of(&not_run.task), reason: &not_run.reason, code: not_run.code.as_str() }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Started<'a> {
    app: &'a str,
    kind: &'static str,
    engine: &'static str,
    context: &'a str,
    cluster: &'a str,
    revision: &'a str,
    request: &'a Request,
    tasks: Vec<TaskJson<'a>>,
    not_run: Vec<NotRunJson<'a>>,
}

impl<'a> Started<'a> {
    fn of(operation: &'a Operation) -> Self {
        let plan = operation.plan();
        let (context, cluster) = operation.destination();
        Self {
            app: &plan.app,
            kind: plan.kind.as_str(),
            engine: "native",
            context,
            cluster,
            revision: &plan.revision,
            request: operation.request(),
            tasks: plan.tasks.iter().map(TaskJson::of).collect(),
            not_run: plan.not_run.iter().map(NotRunJson::of).collect(),
        }
    }
}

#[derive(Serialize)]
struct PhaseLine {
    phase: Phase,
    #[serde(skip_serializing_if = "Option::is_none")]
    result: Option<&'static str>,
}

#[derive(Serialize)]
struct WaveLine {
    phase: Phase,
    wave: i64,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct TaskChanged<'a> {
    task: TaskJson<'a>,
    status: &'static str,
    hook_phase: &'static str,
    health: &'static str,
    rule: &'a str,
    message: &'a str,
    attempt: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    pod_problem: Option<PodProblem<'a>>,
}

/// What keeps a pod of the task from running; `message` is the whole sentence.
#[derive(Serialize)]
struct PodProblem<'a> {
    namespace: &'a str,
    pod: &'a str,
    container: &'a str,
    reason: &'a str,
    message: String,
}

impl<'a> PodProblem<'a> {
    fn of(hang: &'a Hang) -> Self {
        let Hang { namespace, pod, container, reason, .. } = hang;
        Self { namespace, pod, container, reason, message: hang.to_string() }
    }
}

#[derive(Serialize)]
struct WaitingLine<'a> {
    message: &'a str,
    on: Vec<TaskJson<'a>>,
}

#[derive(Serialize)]
struct Terminate<'a> {
    by: &'a str,
}

#[derive(Serialize)]
struct Warning<'a> {
    message: Cow<'a, str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    task: Option<TaskJson<'a>>,
}

impl<'a> Warning<'a> {
    /// Returns a warning about a manifest, with the first task that was made of it.
    fn of_plan(warning: &'a PlanWarning, operation: &'a Operation) -> Self {
        let plan = operation.plan();
        let mut tasks = plan.tasks.iter().chain(plan.not_run.iter().map(|left| &left.task));
        let task = tasks.find(|task| task.origin.is_some() && task.origin == warning.origin).map(TaskJson::of);
        Self { message: summary::warning(warning).into(), task }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Log<'a> {
    task: TaskJson<'a>,
    pod: &'a str,
    container: &'a str,
    #[serde(flatten)]
    content: Content<'a>,
    log_time: Option<Timestamp>,
    attempt: u32,
    pod_attempt: u32,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Content<'a> {
    Gap {
        dropped: u64,
    },
    Text {
        line: Cow<'a, str>,
        #[serde(skip_serializing_if = "Option::is_none")]
        raw: Option<String>,
        #[serde(skip_serializing_if = "std::ops::Not::not")]
        continued: bool,
    },
}

impl<'a> Log<'a> {
    fn of(line: &'a LogLine, operation: &'a Operation) -> Self {
        let content = match &line.content {
            LogContent::Dropped(dropped) => Content::Gap { dropped: *dropped },
            LogContent::Line { text, continued } => {
                let shown = String::from_utf8_lossy(text);
                let raw = std::str::from_utf8(text).is_err().then(|| base64::engine::general_purpose::STANDARD.encode(text));
                Content::Text { line: shown, raw, continued: *continued }
            }
        };
        Self {
            task: TaskJson::named(&line.task, operation),
            pod: &line.pod,
            container: &line.container,
            content,
            log_time: line.log_time,
            attempt: line.attempt,
            pod_attempt: line.pod_attempt,
        }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Outcome<'a> {
    task: TaskJson<'a>,
    status: &'static str,
    hook_phase: &'static str,
    message: &'a str,
}

impl<'a> Outcome<'a> {
    fn of(result: &'a TaskResult, operation: &'a Operation) -> Self {
        Self {
            task: TaskJson::named(&result.task, operation),
            status: result.code.as_str(),
            hook_phase: result.state.as_str(),
            message: &result.message,
        }
    }
}

/// An attempt that failed and was followed by another one.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct AttemptJson<'a> {
    attempt: u32,
    phase: &'static str,
    message: &'a str,
    results: Vec<Outcome<'a>>,
    started_at: Millis,
    finished_at: Millis,
}

impl<'a> AttemptJson<'a> {
    fn of(attempt: &'a Attempt, operation: &'a Operation) -> Self {
        Self {
            attempt: attempt.number,
            phase: attempt.phase.as_str(),
            message: &attempt.message,
            results: attempt.results.iter().map(|result| Outcome::of(result, operation)).collect(),
            started_at: Millis(attempt.started_at),
            finished_at: Millis(attempt.finished_at),
        }
    }
}

#[derive(Serialize)]
struct RetryLine<'a> {
    attempt: u32,
    at: Millis,
    message: &'a str,
}

/// Nothing that is waited for has changed for a while.
#[derive(Serialize)]
struct StalledLine<'a> {
    since: Millis,
    message: String,
    on: Vec<TaskJson<'a>>,
}

impl<'a> StalledLine<'a> {
    fn of(since: Timestamp, operation: &'a Operation, at: Timestamp) -> Self {
        let on = operation.waited_for().iter().map(|task| TaskJson::named(task, operation)).collect();
        Self { since: Millis(since), message: operation.verdict(at).text, on }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Finished<'a> {
    phase: &'static str,
    message: &'a str,
    terminated: bool,
    results: Vec<Outcome<'a>>,
    /// Earlier attempts; there are none without retries.
    attempts: Vec<AttemptJson<'a>>,
    not_run: Vec<OwnedNotRun>,
    /// What outlives the app; only of a deletion.
    #[serde(skip_serializing_if = "Option::is_none")]
    left_behind: Option<Vec<LeftJson<'a>>>,
    started_at: Millis,
    finished_at: Millis,
}

/// The list of what did not run is computed, so its lines are made at once.
struct OwnedNotRun(NotRun);

impl Serialize for OwnedNotRun {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        NotRunJson::of(&self.0).serialize(serializer)
    }
}

/// Something that outlives the app.
#[derive(Serialize)]
struct LeftJson<'a> {
    task: TaskJson<'a>,
    reason: String,
}

fn left_behind(operation: &Operation) -> Vec<LeftJson<'_>> {
    let left = operation.left_behind().into_iter();
    left.filter_map(|left| Some(LeftJson { task: TaskJson::of(operation.plan().task(&left.task)?), reason: left.reason })).collect()
}

impl<'a> Finished<'a> {
    fn of(operation: &'a Operation, at: Timestamp) -> Self {
        Self {
            phase: operation.phase().as_str(),
            message: operation.message(),
            terminated: operation.is_terminated(),
            results: operation.results().iter().map(|result| Outcome::of(result, operation)).collect(),
            attempts: operation.attempts().iter().map(|attempt| AttemptJson::of(attempt, operation)).collect(),
            not_run: operation.not_run().into_iter().map(OwnedNotRun).collect(),
            left_behind: operation.is_deletion().then(|| left_behind(operation)),
            started_at: Millis(operation.started_at()),
            finished_at: Millis(operation.finished_at().unwrap_or(at)),
        }
    }
}
