//! What an operation has said and done, read from its facts: one line each, as the tests write them.

use crate::operation::{Event, Operation, Record, Step, TaskResult};
use crate::plan::NotRun;

/// Returns results as `PreSync Job/a Synced Succeeded`, in order of arrival.
pub(crate) fn results(operation: &Operation) -> Vec<String> {
    let line = |result: &TaskResult| {
        format!("{} {} {} {}", result.task.phase, result.task.key.short(), result.code.as_str(), result.state.as_str())
    };
    operation.results().iter().map(|result| line(result).trim_end().to_owned()).collect()
}

/// Returns the messages of results as `Job/a: job.batch/a created`, in order of arrival.
pub(crate) fn said(operation: &Operation) -> Vec<String> {
    operation.results().iter().map(|result| format!("{}: {}", result.task.key.short(), result.message)).collect()
}

/// Returns the tasks that did not run as `SyncFail Job/a notNeeded`.
pub(crate) fn not_run(operation: &Operation) -> Vec<String> {
    let line = |left: NotRun| format!("{} {} {}", left.task.id.phase, left.task.id.key.short(), left.code.as_str());
    operation.not_run().into_iter().map(line).collect()
}

/// Returns what was sent to the server, in order: `apply Job/a`, `delete old Job/a` …
pub(crate) fn calls(records: &[Record]) -> Vec<String> {
    let call = |record: &Record| match &record.event {
        Event::StepStarted { task, step } => Some(format!("{} {}", name(step), task.key.short())),
        _ => None,
    };
    records.iter().filter_map(call).collect()
}

/// Returns what was said while the operation waited, and at its end.
pub(crate) fn messages(records: &[Record]) -> Vec<String> {
    let message = |record: &Record| match &record.event {
        Event::Waiting { message, .. } | Event::OperationFinished { message, .. } => Some(message.clone()),
        _ => None,
    };
    records.iter().filter_map(message).collect()
}

fn name(step: &Step) -> &'static str {
    match step {
        Step::RemoveOldFinalizer { .. } => "unlock old",
        Step::Prune { .. } => "prune",
        Step::DeleteOldHook { .. } => "delete old",
        Step::Apply => "apply",
        Step::Try => "try",
        Step::Discover => "discover",
        Step::Look => "look",
        Step::Adopt { .. } => "adopt",
        Step::RemoveFinalizer { .. } => "unlock",
        Step::RemoveLeftFinalizer { .. } => "unlock left",
        Step::DeleteHook { .. } => "delete",
        Step::TerminateFinalizer { .. } => "unlock running",
        Step::TerminateDelete { .. } => "delete running",
    }
}
