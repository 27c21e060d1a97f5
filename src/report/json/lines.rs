//! The shapes of the lines: what each event has beside `time`, `operation` and `event`. Knows which field is called what; when a line
//! is printed is the caller's.

use std::borrow::Cow;

use base64::Engine as _;
use jiff::Timestamp;
use serde::{Serialize, Serializer};

use super::super::summary;
use super::super::task::{NotRunJson, TaskJson};
use crate::model::{Hang, Phase};
use crate::operation::{LogContent, LogLine, Operation, Request};
use crate::plan::PlanWarning;

/// A time with milliseconds, in UTC.
#[derive(Clone, Copy)]
pub(super) struct Millis(pub(super) Timestamp);

impl Serialize for Millis {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&format_args!("{:.3}", self.0))
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Started<'a> {
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
    pub(super) fn of(operation: &'a Operation) -> Self {
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
pub(super) struct PhaseLine {
    pub(super) phase: Phase,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) result: Option<&'static str>,
}

#[derive(Serialize)]
pub(super) struct WaveLine {
    pub(super) phase: Phase,
    pub(super) wave: i64,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct TaskChanged<'a> {
    pub(super) task: TaskJson<'a>,
    pub(super) status: &'static str,
    pub(super) hook_phase: &'static str,
    pub(super) health: &'static str,
    pub(super) rule: &'a str,
    pub(super) message: &'a str,
    pub(super) attempt: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) pod_problem: Option<PodProblem<'a>>,
}

/// What keeps a pod of the task from running; `message` is the whole sentence.
#[derive(Serialize)]
pub(super) struct PodProblem<'a> {
    namespace: &'a str,
    pod: &'a str,
    container: &'a str,
    reason: &'a str,
    message: String,
}

impl<'a> PodProblem<'a> {
    pub(super) fn of(hang: &'a Hang) -> Self {
        let Hang { namespace, pod, container, reason, .. } = hang;
        Self { namespace, pod, container, reason, message: hang.to_string() }
    }
}

#[derive(Serialize)]
pub(super) struct WaitingLine<'a> {
    pub(super) message: &'a str,
    pub(super) on: Vec<TaskJson<'a>>,
}

#[derive(Serialize)]
pub(super) struct Terminate<'a> {
    pub(super) by: &'a str,
}

#[derive(Serialize)]
pub(super) struct Warning<'a> {
    pub(super) message: Cow<'a, str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) task: Option<TaskJson<'a>>,
}

impl<'a> Warning<'a> {
    /// Returns a warning about a manifest, with the first task that was made of it.
    pub(super) fn of_plan(warning: &'a PlanWarning, operation: &'a Operation) -> Self {
        let plan = operation.plan();
        let mut tasks = plan.tasks.iter().chain(plan.not_run.iter().map(|left| &left.task));
        let task = tasks.find(|task| task.origin.is_some() && task.origin == warning.origin).map(TaskJson::of);
        Self { message: summary::warning(warning).into(), task }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Log<'a> {
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
    pub(super) fn of(line: &'a LogLine, operation: &'a Operation) -> Self {
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
pub(super) struct RetryLine<'a> {
    pub(super) attempt: u32,
    pub(super) at: Millis,
    pub(super) message: &'a str,
}

/// Nothing could be heard of the cluster from then on.
#[derive(Serialize)]
pub(super) struct ClusterLine {
    pub(super) since: Millis,
}

/// Nothing that is waited for has changed for a while.
#[derive(Serialize)]
pub(super) struct StalledLine<'a> {
    since: Millis,
    message: String,
    on: Vec<TaskJson<'a>>,
}

impl<'a> StalledLine<'a> {
    pub(super) fn of(since: Timestamp, operation: &'a Operation, at: Timestamp) -> Self {
        let on = operation.waited_for().iter().map(|task| TaskJson::named(task, operation)).collect();
        Self { since: Millis(since), message: operation.verdict(at).text, on }
    }
}
