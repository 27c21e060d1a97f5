//! Health of Job and CronJob (spec R413, R415). Reads the object alone.

use serde_json::Value;

use super::read::{conditions, field, flag, list, text};
use super::{Verdict, degraded, healthy, progressing, suspended};

/// Looks at condition types; a status counts for `Suspended` alone (spec R413). A Job that was resumed, whose `Suspended` says False,
/// goes on: Argo CD takes it for finished (spec R1541).
pub(super) fn job(object: &Value) -> Verdict {
    let (mut failure, mut end, mut pause) = (None, None, None);
    for condition in conditions(object)? {
        match condition.kind {
            "Failed" => failure = Some(condition.message),
            "Complete" => end = Some(condition.message),
            "Suspended" if condition.status == "True" => pause = Some(condition.message),
            _ => {}
        }
    }
    match (failure, end, pause) {
        (Some(message), _, _) => degraded(message),
        (None, _, Some(message)) => suspended(message),
        (None, Some(message), None) => healthy(message),
        (None, None, None) => progressing(""),
    }
}

pub(super) fn cron_job(object: &Value) -> Verdict {
    if flag(object, &["spec", "suspend"])? {
        return healthy("CronJob is Suspended");
    }
    if field(object, &["status"])?.is_none() {
        return progressing("Waiting for CronJob");
    }
    let scheduled = text(object, &["status", "lastScheduleTime"])?;
    let succeeded = text(object, &["status", "lastSuccessfulTime"])?;
    if scheduled.is_empty() {
        healthy("CronJob has not been scheduled yet")
    } else if succeeded.is_empty() {
        healthy("The CronJob never completed successfully. It may not be healthy")
    } else if !list(object, &["status", "active"])?.is_empty() {
        healthy("The job is running. Its last execution may not have been successful")
    } else if succeeded < scheduled {
        // Both are written in UTC with whole seconds, so text order is the order in time.
        degraded("CronJob has not completed its last execution successfully")
    } else {
        healthy("CronJob has completed its last execution successfully")
    }
}
