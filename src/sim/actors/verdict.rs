//! When a Job is complete or has failed, and the conditions that say so: first the interim one (`SuccessCriteriaMet`,
//! `FailureTarget`), and `Complete` or `Failed` only when all its pods have ended and are counted. Writes nothing itself.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::Value;

use crate::sim::fields::{self, Condition, condition, int, list, stamp, text, time};

/// How a Job ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Complete,
    Failed(Cause),
}

/// Why a Job fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cause {
    BackoffLimit,
    Deadline,
}

impl Cause {
    pub(super) fn reason(self) -> &'static str {
        match self {
            Self::BackoffLimit => "BackoffLimitExceeded",
            Self::Deadline => "DeadlineExceeded",
        }
    }

    pub(super) fn message(self) -> &'static str {
        match self {
            Self::BackoffLimit => "Job has reached the specified backoff limit",
            Self::Deadline => "Job was active longer than specified deadline",
        }
    }
}

/// What a Job is judged by.
#[derive(Clone, Copy, Debug)]
pub(super) struct Totals {
    pub(super) succeeded: i64,
    pub(super) failed: i64,
    pub(super) active: usize,
    /// Restarts of containers in active pods.
    pub(super) restarts: i64,
}

impl Verdict {
    /// Writes the conditions; the last one only when everything has ended.
    pub(super) fn write(self, job: &mut Value, done: bool, now: Timestamp) {
        let (interim, last, reason, message) = match self {
            Self::Complete => ("SuccessCriteriaMet", "Complete", "CompletionsReached", "Reached expected number of succeeded pods"),
            Self::Failed(cause) => ("FailureTarget", "Failed", cause.reason(), cause.message()),
        };
        let set = |job: &mut Value, kind| {
            if condition(job, kind).is_none() {
                fields::set_condition(job, Condition { kind, status: "True", reason, message }, now);
            }
        };
        set(job, interim);
        if done {
            set(job, last);
            if self == Self::Complete {
                job["status"]["completionTime"] = stamp(now).into();
            }
        }
    }
}

/// Judges a Job; once an interim condition is written, it stays.
pub(super) fn of(job: &Value, totals: &Totals, now: Timestamp) -> Option<Verdict> {
    if let Some(target) = condition(job, "FailureTarget") {
        let cause = if text(target, "/reason") == Cause::Deadline.reason() { Cause::Deadline } else { Cause::BackoffLimit };
        return Some(Verdict::Failed(cause));
    }
    if fields::holds(job, "SuccessCriteriaMet") {
        return Some(Verdict::Complete);
    }
    let limit = int(job, "/spec/backoffLimit").unwrap_or(6);
    if totals.failed > limit || exhausted(job, totals.restarts, limit) {
        return Some(Verdict::Failed(Cause::BackoffLimit));
    }
    let completed = match int(job, "/spec/completions") {
        Some(completions) => totals.succeeded >= completions,
        None => totals.succeeded > 0 && totals.active == 0,
    };
    if completed {
        return Some(Verdict::Complete);
    }
    let late = !fields::flag(job, "/spec/suspend") && deadline(job).is_some_and(|due| due <= now);
    late.then_some(Verdict::Failed(Cause::Deadline))
}

/// With `restartPolicy: OnFailure`, restarts count against the limit too.
fn exhausted(job: &Value, restarts: i64, limit: i64) -> bool {
    let restarting = text(job, "/spec/template/spec/restartPolicy") == "OnFailure";
    restarting && restarts > 0 && restarts >= limit
}

/// Returns the restarts of all containers of some pods.
pub(super) fn restarts(pods: &[Arc<Value>]) -> i64 {
    let of = |pod: &Value, field| list(pod, field).iter().filter_map(|status| int(status, "/restartCount")).sum::<i64>();
    pods.iter().map(|pod| of(pod, "/status/containerStatuses") + of(pod, "/status/initContainerStatuses")).sum()
}

/// Returns when a Job has been active for too long.
pub(super) fn deadline(job: &Value) -> Option<Timestamp> {
    let seconds = int(job, "/spec/activeDeadlineSeconds")?;
    time(job, "/status/startTime")?.saturating_add(Duration::from_secs(seconds.unsigned_abs())).ok()
}

/// Returns when a Job ended, if it has.
pub(super) fn finished_at(job: &Value) -> Option<Timestamp> {
    let ended = ["Complete", "Failed"].into_iter().find_map(|kind| condition(job, kind).filter(|ended| ended["status"] == "True"))?;
    time(ended, "/lastTransitionTime")
}
