//! Prints an operation for people and CI logs: append-only, one line per transition, no cursor movement, with the sentences of the
//! screens. Decides nothing; the end of the story is written by `summary`.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::io::{self, Write};
use std::sync::Arc;

use jiff::Timestamp;

use crate::model::{Phase, ResourceKey, TaskId, TaskState, Wave};
use crate::operation::timeline::Stage;
use crate::operation::verdict::short_time;
use crate::operation::{Event, LogContent, LogLine, Operation, Record, Step, StepOutcome};
use crate::plan::{Hooks, Kind};

use super::changes::Change;
use super::style::{Mark, Style};
use super::visible::{visible, visible_bytes};
use super::{Report, Waited, summary};

/// How many of the last log lines of a failed hook the summary repeats.
pub(super) const TAIL: usize = 20;

/// The last log lines of each hook.
pub(super) type Tails = BTreeMap<TaskId, VecDeque<String>>;

/// Prints lines for people.
#[derive(Debug)]
pub(crate) struct Plain<W> {
    out: W,
    style: Style,
    waited: Waited,
    /// Word and message of each task as printed last.
    said: BTreeMap<TaskId, (&'static str, String)>,
    tails: Tails,
    /// Warnings of the cluster that were printed.
    warned: BTreeSet<(ResourceKey, String)>,
    /// Pods that hang, each with its container and the reason: the kubelet goes to and fro between two of them.
    hung: BTreeSet<(Arc<str>, Arc<str>, String)>,
}

impl<W: Write> Plain<W> {
    pub(crate) fn new(out: W, style: Style) -> Self {
        Self {
            out,
            style,
            waited: Waited::default(),
            said: BTreeMap::new(),
            tails: BTreeMap::new(),
            warned: BTreeSet::new(),
            hung: BTreeSet::new(),
        }
    }

    fn say(&mut self, at: Timestamp, operation: &Operation, mark: Mark, text: &str) -> io::Result<()> {
        let passed = at.duration_since(operation.started_at()).as_millis().max(0);
        let time = format!("+{}.{}s", passed / 1000, passed % 1000 / 100);
        writeln!(self.out, "{time:>9} {} {}", self.style.mark(mark), visible(text).trim_end())
    }

    fn header(&mut self, operation: &Operation) -> io::Result<()> {
        let plan = operation.plan();
        let (context, cluster) = operation.destination();
        let request = operation.request();
        let what = match (plan.kind, plan.selective, request.hooks) {
            (Kind::Delete, _, _) => "deletion",
            (Kind::Sync, true, Hooks::Always) => "selective sync with hooks",
            (Kind::Sync, true, Hooks::Usual | Hooks::Never) => "selective sync (hooks do not run)",
            (Kind::Sync, false, Hooks::Never) => "sync without hooks",
            (Kind::Sync, false, Hooks::Usual | Hooks::Always) => "sync",
        };
        let what = if request.dry_run { format!("dry run of a {what}, which writes nothing,") } else { what.to_owned() };
        let revision = if plan.revision.is_empty() { String::new() } else { format!(", revision {}", plan.revision) };
        let place = format!(
            "{what} of {} {} {context} ({cluster}), namespace {}{revision}",
            plan.app,
            if plan.kind == Kind::Delete { "from" } else { "to" },
            plan.namespace
        );
        writeln!(self.out, "{}", visible(&place))?;
        writeln!(self.out, "operation {}: {}", visible(operation.id()), summary::sizes(plan))?;
        for warning in &plan.warnings {
            writeln!(self.out, "{} {}", self.style.mark(Mark::Warning), visible(&summary::warning(warning)))?;
        }
        Ok(())
    }

    fn own_line(&mut self, record: &Record, operation: &Operation) -> io::Result<()> {
        let at = record.at;
        match &record.event {
            Event::OperationStarted { .. } => self.header(operation),
            Event::WatchesOpened { polled } if !polled.is_empty() => self.say(at, operation, Mark::Warning, &summary::polled(polled)),
            Event::PhaseStarted { phase } => self.say(at, operation, Mark::Start, &format!("{phase} starts")),
            Event::WaveStarted { phase, wave } => self.say(at, operation, Mark::Start, &format!("{phase} wave {wave} starts")),
            Event::WaveFinished { phase, wave } => {
                let started = operation.wave_span(*phase, *wave).and_then(|span| span.started_at);
                let (mark, word) = if has_failed(operation, *phase, *wave) { (Mark::Bad, "failed") } else { (Mark::Good, "finished") };
                self.say(at, operation, mark, &format!("{phase} wave {wave} {word}{}", took(started, at)))
            }
            Event::PhaseFinished { phase, result } => self.phase_finished(at, operation, *phase, *result),
            Event::Waiting { message, on } if self.waited.changes(message, on) && !message.is_empty() => {
                self.say(at, operation, Mark::Waiting, message)
            }
            Event::StepStarted { task, step: Step::Prune { .. } } if operation.is_deletion() => {
                self.say(at, operation, Mark::Note, &format!("deleting {}", name(&task.key, operation)))
            }
            Event::StepFinished { task, step, outcome: StepOutcome::Done { .. } } => match deletion(step) {
                Some(text) => self.say(at, operation, Mark::Note, &format!("{text} {}", name(&task.key, operation))),
                None => Ok(()),
            },
            Event::Occurred { occurrence } if occurrence.warning => {
                let text = format!("{}: {}", occurrence.reason, occurrence.message);
                if !self.warned.insert((occurrence.owner.clone(), text.clone())) {
                    return Ok(());
                }
                self.say(at, operation, Mark::Warning, &format!("{} {text}", name(&occurrence.about, operation)))
            }
            Event::TerminateRequested { by } => self.say(at, operation, Mark::Stop, &format!("terminating, asked for by {by}")),
            Event::TimedOut => self.say(at, operation, Mark::Stop, "the time limit of the operation has passed; terminating"),
            Event::RetryScheduled { at: due, message, .. } => {
                let pause = short_time(due.duration_since(at));
                self.say(at, operation, Mark::Bad, message)?;
                self.say(at, operation, Mark::Waiting, &format!("the next attempt starts in {pause}"))
            }
            Event::AttemptStarted { attempt } => {
                self.said.clear();
                self.say(at, operation, Mark::Start, &format!("attempt {attempt} starts: {}", operation.message()))
            }
            Event::PauseRequested { by } => self.say(at, operation, Mark::Note, &format!("{by} wants a pause before the next wave")),
            Event::Paused { phase, wave } => {
                let text = format!("paused before {phase} wave {wave}; nothing is written until `kill -USR1 {}`", std::process::id());
                self.say(at, operation, Mark::Waiting, &text)
            }
            Event::Resumed { by } => self.say(at, operation, Mark::Start, &format!("going on, asked for by {by}")),
            Event::Stalled { .. } => self.say(at, operation, Mark::Waiting, &operation.verdict(at).text),
            Event::ClusterLost { since } => {
                let silent = short_time(at.duration_since(*since));
                self.say(at, operation, Mark::Waiting, &format!("the API server has not answered for {silent}"))
            }
            Event::ClusterBack { since } => {
                self.say(at, operation, Mark::Good, &format!("the API server answers again{}", took(Some(*since), at)))
            }
            Event::Warned { task, text } => {
                let about = task.as_ref().map(|task| format!("{}: ", name(&task.key, operation))).unwrap_or_default();
                self.say(at, operation, Mark::Warning, &format!("{about}{text}"))
            }
            Event::OperationFinished { .. } => summary::write(&mut self.out, &self.style, operation, at, &self.tails),
            Event::Waiting { .. }
            | Event::WatchesOpened { .. }
            | Event::SearchStarted
            | Event::SearchFinished { .. }
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
            | Event::Concluded { .. } => Ok(()),
        }
    }

    fn phase_finished(&mut self, at: Timestamp, operation: &Operation, phase: Phase, result: TaskState) -> io::Result<()> {
        let started = operation.phase_span(phase).and_then(|span| span.started_at);
        let (mark, word) = if result == TaskState::Succeeded { (Mark::Good, "succeeded") } else { (Mark::Bad, "failed") };
        self.say(at, operation, mark, &format!("{phase} {word}{}", took(started, at)))
    }

    /// Says of a pod once why it does not run.
    fn hang(&mut self, at: Timestamp, operation: &Operation, change: &Change<'_>) -> io::Result<()> {
        let Some(hang) = change.after.hang.as_ref().filter(|hang| change.before.hang.as_ref() != Some(hang)) else { return Ok(()) };
        if !self.hung.insert((hang.pod.clone(), hang.container.clone(), hang.reason.clone())) {
            return Ok(());
        }
        self.say(at, operation, Mark::Warning, &hang.to_string())
    }

    /// Of a hook, only its state counts: its health becomes its state a moment later.
    fn task(&mut self, at: Timestamp, operation: &Operation, change: &Change<'_>) -> io::Result<()> {
        let (task, before, after) = (change.task, &change.before, &change.after);
        if task.is_hook() && (before.code, before.state) == (after.code, after.state) {
            return Ok(());
        }
        let row = operation.row(task);
        let said = (row.word, row.message.clone());
        if self.said.get(&task.id) == Some(&said) {
            return Ok(());
        }
        self.said.insert(task.id.clone(), said);
        let mark = match row.stage {
            Stage::Running => Mark::Working,
            Stage::Done => Mark::Good,
            Stage::Failed => Mark::Bad,
            Stage::Waiting | Stage::Skipped | Stage::Armed => Mark::Note,
        };
        // Who wonders why it failed asks first by which rule.
        let rule = if after.state == TaskState::Failed { operation.rule_aside(&task.id.key) } else { String::new() };
        self.say(at, operation, mark, &format!("{:<12} {}  {}{rule}", row.word, name(&task.id.key, operation), row.message))
    }
}

impl<W: Write> Report for Plain<W> {
    fn fact(&mut self, record: &Record, operation: &Operation, changes: &[Change<'_>]) -> io::Result<()> {
        let is_last = matches!(record.event, Event::OperationFinished { .. });
        if !is_last {
            self.own_line(record, operation)?;
            for change in changes {
                self.task(record.at, operation, change)?;
                self.hang(record.at, operation, change)?;
            }
            return Ok(());
        }
        self.own_line(record, operation)
    }

    fn line(&mut self, line: &LogLine, operation: &Operation) -> io::Result<()> {
        let text = match &line.content {
            LogContent::Dropped(count) => format!("({count} lines are missing here)"),
            LogContent::Line { text, continued } => {
                let mut text = visible_bytes(text);
                if *continued {
                    text.push('…');
                }
                text
            }
        };
        let tail = self.tails.entry(line.task.clone()).or_default();
        if tail.len() == TAIL {
            tail.pop_front();
        }
        tail.push_back(text.clone());
        let source = source(line, operation);
        self.say(line.at, operation, Mark::Log, &format!("{source} │ {text}"))
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

/// Returns `Job/migrate`, with the namespace where it is not the destination's.
pub(super) fn name(key: &ResourceKey, operation: &Operation) -> String {
    let own = key.namespace.is_empty() || key.namespace == operation.plan().namespace;
    if own { key.short() } else { format!("{}/{}/{}", key.kind, key.namespace, key.name) }
}

/// Returns whose line it is: the hook, which of its pods if it is not the first, and the container if there are several.
fn source(line: &LogLine, operation: &Operation) -> String {
    let several = operation.pods_of(&line.task.key).iter().any(|pod| pod.name == line.pod && pod.containers.len() > 1);
    let container = if several { format!(" {}", line.container) } else { String::new() };
    let attempt = if line.pod_attempt > 1 { format!(" #{}", line.pod_attempt) } else { String::new() };
    format!("{}{attempt}{container}", name(&line.task.key, operation))
}

fn has_failed(operation: &Operation, phase: Phase, wave: Wave) -> bool {
    let mut tasks = operation.plan().tasks.iter().filter(|task| task.id.phase == phase && task.wave == wave);
    tasks.any(|task| operation.row(task).stage == Stage::Failed)
}

fn took(started: Option<Timestamp>, at: Timestamp) -> String {
    started.map(|started| format!(" after {}", short_time(at.duration_since(started)))).unwrap_or_default()
}

fn deletion(step: &Step) -> Option<String> {
    match step {
        Step::DeleteOldHook { .. } => Some("deleting the old".to_owned()),
        Step::DeleteHook { policy, .. } => Some(format!("deleting, because of {policy},")),
        Step::TerminateDelete { .. } => Some("deleting, because of the terminate,".to_owned()),
        Step::Prune { .. }
        | Step::RemoveOldFinalizer { .. }
        | Step::Apply
        | Step::Try
        | Step::Discover
        | Step::Adopt { .. }
        | Step::Look
        | Step::RemoveFinalizer { .. }
        | Step::RemoveLeftFinalizer { .. }
        | Step::TerminateFinalizer { .. } => None,
    }
}
