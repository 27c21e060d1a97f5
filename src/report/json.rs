//! Prints an operation as JSON lines, as cli.md writes the contract down: one object a line, each with `time`, `operation` and
//! `event`. Owns which fact becomes which line; their shapes are in its files, and nothing is decided here.

mod finished;
mod lines;

use std::io::{self, Write};

use jiff::Timestamp;
use serde::Serialize;

use self::finished::Finished;
use self::lines::{
    ClusterLine, Log, Millis, PhaseLine, PodProblem, RetryLine, StalledLine, Started, TaskChanged, Terminate, WaitingLine, Warning,
    WaveLine,
};
use super::changes::{Change, Seen};
use super::escape::to_line;
use super::task::TaskJson;
use super::{Report, Waited, summary};
use crate::model::HealthStatus;
use crate::operation::{Event, LogLine, Operation, Record};

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
            Event::ClusterLost { since } => self.put(at, id, "cluster.lost", ClusterLine { since: Millis(*since) }),
            Event::ClusterBack { since } => self.put(at, id, "cluster.back", ClusterLine { since: Millis(*since) }),
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
