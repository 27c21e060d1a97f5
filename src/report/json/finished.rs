//! The last line of an operation: its end, every result, and the attempts before. Owns the shapes; adds nothing up itself.

use jiff::Timestamp;
use serde::{Serialize, Serializer};

use super::super::task::{NotRunJson, TaskJson};
use super::lines::Millis;
use crate::operation::{Attempt, Operation, TaskResult};
use crate::plan::NotRun;

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
#[serde(rename_all = "camelCase")]
pub(super) struct Finished<'a> {
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

impl<'a> Finished<'a> {
    pub(super) fn of(operation: &'a Operation, at: Timestamp) -> Self {
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
